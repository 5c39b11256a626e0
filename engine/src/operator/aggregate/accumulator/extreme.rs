//! `MIN` and `MAX` over rows that are never taken back.
//!
//! NaN is greater than every other float, as in PostgreSQL; arguments come with one NaN only.

use arrow::array::ArrayRef;

use super::{Accumulator, Rows, unsupported};
use crate::error::Result;
use crate::graph::{AggregateCall, AggregateFunction};
use crate::operator::aggregate::lane::{Codec, Lane, Values};
use crate::operator::aggregate::store::LaneStore;

/// The least or greatest value so far.
pub(super) struct Extreme {
    call: AggregateCall,
    greatest: bool,
    codec: Codec,
    store: LaneStore,
}

impl Extreme {
    pub(super) fn new(call: &AggregateCall) -> Result<Self> {
        let codec = Codec::new(&call.argument_type.0)?;
        Ok(Extreme {
            call: call.clone(),
            greatest: call.function == AggregateFunction::Max,
            store: LaneStore::new(codec.kind()),
            codec,
        })
    }

    fn update_bytes(&mut self, rows: &Rows<'_>, lane: &Lane) {
        let Values::Bytes(values) = &lane.values else {
            return;
        };
        let (store, greatest) = (&mut self.store, self.greatest);
        rows.for_each(|row, group, _| {
            let value = values.value(row);
            let better = match store.bytes(group as u32) {
                None => true,
                Some(best) if greatest => value > best,
                Some(best) => value < best,
            };
            if better {
                store.set(lane, std::iter::once((group as u32, row)));
            }
        });
    }
}

#[inline]
fn keep_best<T: Copy + PartialOrd>(
    rows: &Rows<'_>,
    values: &[T],
    (best, present): (&mut [T], &mut [bool]),
    better: impl Fn(T, T) -> bool,
) {
    rows.for_each(|row, group, _| {
        let value = values[row];
        if !present[group] || better(value, best[group]) {
            best[group] = value;
            present[group] = true;
        }
    });
}

impl Accumulator for Extreme {
    fn resize(&mut self, groups: usize) {
        self.store.resize(groups);
    }

    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        let lane = argument.ok_or_else(|| unsupported(&self.call))?;
        match &lane.values {
            Values::I64(values) => {
                if let Some(best) = self.store.integers() {
                    if self.greatest {
                        keep_best(rows, values, best, |a, b| a > b);
                    } else {
                        keep_best(rows, values, best, |a, b| a < b);
                    }
                }
            }
            Values::I128(values) => {
                if let Some(best) = self.store.decimals() {
                    if self.greatest {
                        keep_best(rows, values, best, |a, b| a > b);
                    } else {
                        keep_best(rows, values, best, |a, b| a < b);
                    }
                }
            }
            Values::Bytes(_) => self.update_bytes(rows, lane),
        }
        Ok(())
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        let [column] = partials else {
            return Err(unsupported(&self.call));
        };
        let lane = self.codec.encode(column)?;
        let rows = Rows {
            groups,
            valid: lane.validity(),
            signs: None,
        };
        self.update(&rows, Some(&lane))
    }

    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.values(groups)?])
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        self.codec.decode(self.store.lane(groups)?)
    }

    fn reset(&mut self, groups: &[u32]) {
        self.store.clear(groups);
    }

    fn size_bytes(&self) -> usize {
        self.store.size_bytes()
    }
}
