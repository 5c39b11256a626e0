//! `VAR_POP`, `VAR_SAMP`, `STDDEV_POP` and `STDDEV_SAMP`.
//!
//! Kept are the sum of the values and that of their squares, each in several floats, of which each holds what
//! rounding has dropped of the one before (the error-free sums of T. Ogita, S. Rump and S. Oishi, 2005). So a
//! value that is taken back leaves what the others come to, also when it was much larger than they are, and
//! the difference of two large sums loses nothing. Values that are not finite, or whose squares are not, are
//! counted apart; while there is one, the result is NaN.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float64Type};

use super::{Accumulator, Rows, expect_type, integers, unsupported};
use crate::error::{EngineError, Result};
use crate::graph::{AggregateCall, AggregateFunction};
use crate::operator::aggregate::lane::{Lane, Values, lane_to_float};

/// What keyed state and partial rows have of a group.
pub(super) const COLUMNS: &[&str] = &[
    "count",
    "sum",
    "sum_rest",
    "sum_rest_2",
    "squares",
    "squares_rest",
    "squares_rest_2",
    "squares_rest_3",
    "special",
];
const SUM: usize = 3;
const SQUARES: usize = 4;

/// A sum in `N` floats.
#[derive(Debug, Clone, Copy)]
struct Total<const N: usize>([f64; N]);

impl<const N: usize> Total<N> {
    const ZERO: Self = Total([0.0; N]);

    #[inline]
    fn add(&mut self, value: f64) {
        let mut carried = value;
        for part in &mut self.0 {
            (*part, carried) = two_sum(*part, carried);
        }
    }

    /// Adds `a * b` without rounding.
    #[inline]
    fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        self.add(product);
        self.add(a.mul_add(b, -product));
    }

    fn value(&self) -> f64 {
        self.0.iter().rev().fold(0.0, |sum, part| sum + part)
    }
}

/// The rounded sum, and what rounding has dropped (D. Knuth).
#[inline]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

#[derive(Debug, Clone, Copy)]
struct Group {
    count: i64,
    sum: Total<SUM>,
    squares: Total<SQUARES>,
    special: i64,
}

impl Group {
    const EMPTY: Self = Group {
        count: 0,
        sum: Total::ZERO,
        squares: Total::ZERO,
        special: 0,
    };

    #[inline]
    fn add(&mut self, value: f64, sign: i64) {
        self.count += sign;
        if !(value * value).is_finite() {
            self.special += sign;
            return;
        }
        self.sum.add(value * sign as f64);
        self.squares.add_product(value, value * sign as f64);
    }

    /// The sum of the squared distances from the mean.
    fn spread(&self) -> f64 {
        if self.special != 0 {
            return f64::NAN;
        }
        let count = self.count as f64;
        let mut spread = Total::<8>::ZERO;
        for part in self.squares.0 {
            spread.add_product(part, count);
        }
        for a in self.sum.0 {
            for b in self.sum.0 {
                spread.add_product(-a, b);
            }
        }
        (spread.value() / count).max(0.0)
    }
}

/// The variance or standard deviation of floats.
pub(super) struct Moments {
    call: AggregateCall,
    /// How many values the sum of squared distances is divided by less than there are.
    less: i64,
    root: bool,
    groups: Vec<Group>,
}

impl Moments {
    pub(super) fn new(call: &AggregateCall) -> Result<Self> {
        use AggregateFunction as F;
        expect_type(call, &DataType::Float64)?;
        if call.argument_type.0 != DataType::Float64 {
            return Err(unsupported(call));
        }
        Ok(Moments {
            less: i64::from(matches!(call.function, F::VarSamp | F::StddevSamp)),
            root: matches!(call.function, F::StddevPop | F::StddevSamp),
            call: call.clone(),
            groups: Vec::new(),
        })
    }

    fn value(&self, group: u32) -> Option<f64> {
        let group = &self.groups[group as usize];
        let divisor = group.count - self.less;
        if divisor <= 0 {
            return None;
        }
        let variance = group.spread() / divisor as f64;
        Some(if self.root { variance.sqrt() } else { variance })
    }
}

impl Accumulator for Moments {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Group::EMPTY);
    }

    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        let Some(Values::I64(values)) = argument.map(|lane| &lane.values) else {
            return Err(unsupported(&self.call));
        };
        let groups = &mut self.groups;
        rows.for_each(|row, group, sign| groups[group].add(lane_to_float(values[row]), sign));
        Ok(())
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        let counts = integers(partials, 0)?;
        let special = integers(partials, COLUMNS.len() - 1)?;
        let parts = (1..=SUM + SQUARES).map(|column| floats(partials, column));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        for (row, group) in groups.iter().enumerate() {
            let group = &mut self.groups[*group as usize];
            group.count += counts[row];
            group.special += special[row];
            for (at, part) in parts.iter().enumerate() {
                match at < SUM {
                    true => group.sum.add(part[row]),
                    false => group.squares.add(part[row]),
                }
            }
        }
        Ok(())
    }

    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        let of = |group: &u32| &self.groups[*group as usize];
        let integers = |pick: fn(&Group) -> i64| -> ArrayRef {
            let values = groups.iter().map(|group| pick(of(group)));
            Arc::new(Int64Array::from_iter_values(values))
        };
        let floats = |pick: &dyn Fn(&Group) -> f64| -> ArrayRef {
            let values = groups.iter().map(|group| pick(of(group)));
            Arc::new(Float64Array::from_iter_values(values))
        };
        let mut columns = vec![integers(|group| group.count)];
        columns.extend((0..SUM).map(|at| floats(&|group| group.sum.0[at])));
        columns.extend((0..SQUARES).map(|at| floats(&|group| group.squares.0[at])));
        columns.push(integers(|group| group.special));
        Ok(columns)
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        let values: Vec<Option<f64>> = groups.iter().map(|group| self.value(*group)).collect();
        let nulls = NullBuffer::from_iter(values.iter().map(Option::is_some));
        let values = values.into_iter().map(Option::unwrap_or_default).collect();
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        Ok(Arc::new(Float64Array::new(values, nulls)))
    }

    fn reset(&mut self, groups: &[u32]) {
        for group in groups {
            self.groups[*group as usize] = Group::EMPTY;
        }
    }

    fn size_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Group>()
    }
}

fn floats(partials: &[ArrayRef], index: usize) -> Result<&[f64]> {
    let column = partials.get(index);
    let column = column.and_then(|c| c.as_primitive_opt::<Float64Type>());
    column
        .map(|c| c.values().as_ref())
        .ok_or_else(|| EngineError::internal("a partial sum is missing or of another type"))
}
