//! `SUM` over floats, in compensated arithmetic.
//!
//! A running error term (A. Neumaier, 1974) keeps what rounding drops, so that taking a value back
//! leaves the sum of the others, also when it was much larger than they are. With retractions,
//! infinities and NaN are counted apart, because no subtraction removes them; a sum of finite values
//! that exceeds the range is infinite and stays so.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};

use super::integer_sum::null_if_empty;
use super::{Accumulator, Rows, expect_type, gather, integer_column, integers, unsupported};
use crate::error::{EngineError, Result};
use crate::graph::AggregateCall;
use crate::operator::aggregate::lane::{Lane, Values, lane_to_float};

/// Sums with their error terms and the number of values in them.
pub(super) struct FloatSum {
    call: AggregateCall,
    updating: bool,
    sums: Vec<f64>,
    compensations: Vec<f64>,
    pub(super) counts: Vec<i64>,
    /// Groups with values that are not finite, and how many.
    special: HashMap<u32, Special>,
}

/// Counts of NaN, of infinity and of negative infinity.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Special([i64; 3]);

impl Special {
    fn class(value: f64) -> usize {
        if value.is_nan() {
            0
        } else if value > 0.0 {
            1
        } else {
            2
        }
    }

    /// What the values add up to whatever finite ones come to.
    fn sum(self) -> Option<f64> {
        match self.0.map(|count| count != 0) {
            [true, _, _] | [_, true, true] => Some(f64::NAN),
            [_, true, _] => Some(f64::INFINITY),
            [_, _, true] => Some(f64::NEG_INFINITY),
            _ => None,
        }
    }
}

impl FloatSum {
    pub(super) fn new(call: &AggregateCall, updating: bool) -> Result<Self> {
        expect_type(call, &DataType::Float64)?;
        Ok(FloatSum {
            call: call.clone(),
            updating,
            sums: Vec::new(),
            compensations: Vec::new(),
            counts: Vec::new(),
            special: HashMap::new(),
        })
    }

    fn add_special(&mut self, group: u32, counts: Special) {
        let entry = self.special.entry(group).or_default();
        for (total, count) in entry.0.iter_mut().zip(counts.0) {
            *total += count;
        }
        if *entry == Special::default() {
            self.special.remove(&group);
        }
    }

    /// The sum of a group, NaN and infinities included.
    pub(super) fn sum(&self, group: u32) -> f64 {
        let special = self.special.get(&group).and_then(|s| s.sum());
        let finite = self.sums[group as usize] + self.compensations[group as usize];
        special.unwrap_or(finite)
    }
}

#[inline]
fn add(sum: &mut f64, compensation: &mut f64, value: f64) {
    let total = *sum + value;
    if total.is_finite() {
        *compensation += if sum.abs() >= value.abs() {
            (*sum - total) + value
        } else {
            (value - total) + *sum
        };
    }
    *sum = total;
}

impl Accumulator for FloatSum {
    fn resize(&mut self, groups: usize) {
        self.sums.resize(groups, 0.0);
        self.compensations.resize(groups, 0.0);
        self.counts.resize(groups, 0);
    }

    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        let Some(Values::I64(values)) = argument.map(|lane| &lane.values) else {
            return Err(unsupported(&self.call));
        };
        let mut special = Vec::new();
        let updating = self.updating;
        let (sums, compensations) = (&mut self.sums, &mut self.compensations);
        let counts = &mut self.counts;
        rows.for_each(|row, group, sign| {
            let value = lane_to_float(values[row]);
            counts[group] += sign;
            if updating && !value.is_finite() {
                special.push((group as u32, Special::class(value), sign));
                return;
            }
            let value = value * sign as f64;
            add(&mut sums[group], &mut compensations[group], value);
        });
        for (group, class, sign) in special {
            let mut counts = Special::default();
            counts.0[class] = sign;
            self.add_special(group, counts);
        }
        Ok(())
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        let counts = integers(partials, 0)?;
        let (sums, compensations) = (floats(partials, 1)?, floats(partials, 2)?);
        for (row, group) in groups.iter().enumerate() {
            let slot = *group as usize;
            self.counts[slot] += counts[row];
            let sum = (&mut self.sums[slot], &mut self.compensations[slot]);
            add(sum.0, sum.1, sums[row]);
            *sum.1 += compensations[row];
        }
        if !self.updating {
            return Ok(());
        }
        let classes = [
            integers(partials, 3)?,
            integers(partials, 4)?,
            integers(partials, 5)?,
        ];
        for (row, group) in groups.iter().enumerate() {
            let counts = Special(classes.map(|c| c[row]));
            if counts != Special::default() {
                self.add_special(*group, counts);
            }
        }
        Ok(())
    }

    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        let float =
            |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(gather(values, groups))) };
        let mut columns = vec![
            integer_column(&self.counts, groups),
            float(&self.sums),
            float(&self.compensations),
        ];
        if self.updating {
            for class in 0..3 {
                let count = |g: &u32| self.special.get(g).map_or(0, |s| s.0[class]);
                let counts = groups.iter().map(count);
                let counts = arrow::array::Int64Array::from_iter_values(counts);
                columns.push(Arc::new(counts));
            }
        }
        Ok(columns)
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        let sums = groups.iter().map(|g| self.sum(*g)).collect();
        let nulls = null_if_empty(&self.counts, groups);
        Ok(Arc::new(Float64Array::new(sums, nulls)))
    }

    fn reset(&mut self, groups: &[u32]) {
        for group in groups {
            self.sums[*group as usize] = 0.0;
            self.compensations[*group as usize] = 0.0;
            self.counts[*group as usize] = 0;
            self.special.remove(group);
        }
    }

    fn size_bytes(&self) -> usize {
        self.sums.capacity() * 24 + self.special.capacity() * 32
    }
}

fn floats(partials: &[ArrayRef], index: usize) -> Result<&[f64]> {
    let column = partials.get(index);
    let column = column.and_then(|c| c.as_primitive_opt::<Float64Type>());
    column
        .map(|c| c.values().as_ref())
        .ok_or_else(|| EngineError::internal("a partial sum is missing or of another type"))
}
