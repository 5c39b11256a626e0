//! `COUNT(*)` and `COUNT(x)`.

use arrow::array::ArrayRef;

use super::{Accumulator, Rows, integer_column, integers};
use crate::error::Result;
use crate::operator::aggregate::lane::Lane;

/// The rows that count, per group.
#[derive(Default)]
pub(super) struct Count {
    counts: Vec<i64>,
}

impl Accumulator for Count {
    fn resize(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
    }

    fn update(&mut self, rows: &Rows<'_>, _argument: Option<&Lane>) -> Result<()> {
        let counts = &mut self.counts;
        rows.for_each(|_, group, sign| counts[group] += sign);
        Ok(())
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        for (group, count) in groups.iter().zip(integers(partials, 0)?) {
            self.counts[*group as usize] += count;
        }
        Ok(())
    }

    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![integer_column(&self.counts, groups)])
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        Ok(integer_column(&self.counts, groups))
    }

    fn reset(&mut self, groups: &[u32]) {
        for group in groups {
            self.counts[*group as usize] = 0;
        }
    }

    fn size_bytes(&self) -> usize {
        self.counts.capacity() * 8
    }
}
