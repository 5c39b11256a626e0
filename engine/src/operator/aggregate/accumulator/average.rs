//! `AVG`: a sum and a count, divided at the end.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;

use super::float_sum::FloatSum;
use super::integer_sum::{IntegerSum, decimal_column, null_if_empty, scale_of};
use super::{Accumulator, Rows, overflow, unsupported};
use crate::error::Result;
use crate::graph::AggregateCall;
use crate::operator::aggregate::lane::Lane;

/// The average of floats.
pub(super) struct FloatAverage {
    sum: FloatSum,
}

impl FloatAverage {
    pub(super) fn new(sum: FloatSum) -> Self {
        FloatAverage { sum }
    }
}

/// The average of integers (a double) or decimals (a decimal, rounded towards zero), from an exact
/// sum.
pub(super) struct ExactAverage {
    call: AggregateCall,
    sum: IntegerSum,
    /// Ten to the power by which the result's scale exceeds the argument's.
    factor: i128,
}

impl ExactAverage {
    pub(super) fn new(call: &AggregateCall) -> Result<Self> {
        let argument = scale_of(&call.argument_type.0).ok_or_else(|| unsupported(call))?;
        let factor = match &call.result_type.0 {
            DataType::Float64 if argument == 0 => Some(1),
            DataType::Decimal128(_, scale) => {
                u32::try_from(i16::from(*scale) - i16::from(argument))
                    .ok()
                    .and_then(|digits| 10i128.checked_pow(digits))
            }
            _ => None,
        };
        Ok(ExactAverage {
            call: call.clone(),
            sum: IntegerSum::of_any_result(call),
            factor: factor.ok_or_else(|| unsupported(call))?,
        })
    }

    fn decimal(&self, group: u32) -> Result<i128> {
        let count = i128::from(self.sum.counts[group as usize]);
        if count == 0 {
            return Ok(0);
        }
        let sum = self.sum.sums[group as usize].checked_mul(self.factor);
        sum.and_then(|s| s.checked_div(count))
            .ok_or_else(|| overflow(&self.call))
    }
}

impl Accumulator for FloatAverage {
    fn resize(&mut self, groups: usize) {
        self.sum.resize(groups);
    }

    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        self.sum.update(rows, argument)
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        self.sum.merge(groups, partials)
    }

    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        self.sum.partials(groups)
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        let average = |g: &u32| self.sum.sum(*g) / self.sum.counts[*g as usize] as f64;
        let nulls = null_if_empty(&self.sum.counts, groups);
        let averages = groups.iter().map(average).collect();
        Ok(Arc::new(Float64Array::new(averages, nulls)))
    }

    fn reset(&mut self, groups: &[u32]) {
        self.sum.reset(groups);
    }

    fn size_bytes(&self) -> usize {
        self.sum.size_bytes()
    }
}

impl Accumulator for ExactAverage {
    fn resize(&mut self, groups: usize) {
        self.sum.resize(groups);
    }

    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        self.sum.update(rows, argument)
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        self.sum.merge(groups, partials)
    }

    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        self.sum.partials(groups)
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        let nulls = null_if_empty(&self.sum.counts, groups);
        if self.call.result_type.0 == DataType::Float64 {
            let average = |g: &u32| {
                let group = *g as usize;
                self.sum.sums[group] as f64 / self.sum.counts[group] as f64
            };
            let averages = groups.iter().map(average).collect();
            return Ok(Arc::new(Float64Array::new(averages, nulls)));
        }
        let averages = groups.iter().map(|g| self.decimal(*g));
        decimal_column(&self.call, averages.collect::<Result<_>>()?, nulls)
    }

    fn reset(&mut self, groups: &[u32]) {
        self.sum.reset(groups);
    }

    fn size_bytes(&self) -> usize {
        self.sum.size_bytes()
    }
}
