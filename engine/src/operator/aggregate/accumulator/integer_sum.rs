//! `SUM` over integers and decimals, exact in 128 bits.
//!
//! Sums are held wider than the result, and only a result that does not fit is an overflow. So the
//! answer does not depend on the order of rows or on how they were split between a local and a
//! global phase.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, Int64Array, UInt64Array};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Decimal128Type, DecimalType};

use super::{Accumulator, Rows, gather, integer_column, integers, overflow, unsupported};
use crate::error::{EngineError, Result};
use crate::graph::AggregateCall;
use crate::operator::aggregate::lane::{Lane, Values};

/// Sums with the number of values in them.
pub(super) struct IntegerSum {
    call: AggregateCall,
    /// What turns a lane into the value: the flip of `UInt64`, nothing for others.
    flip: i64,
    pub(super) sums: Vec<i128>,
    pub(super) counts: Vec<i64>,
}

impl IntegerSum {
    pub(super) fn new(call: &AggregateCall) -> Result<Self> {
        let supported = match &call.result_type.0 {
            DataType::Int64 | DataType::UInt64 => call.argument_type.0.is_integer(),
            DataType::Decimal128(_, scale) => scale_of(&call.argument_type.0) == Some(*scale),
            _ => false,
        };
        if !supported {
            return Err(unsupported(call));
        }
        Ok(Self::of_any_result(call))
    }

    /// Sums whose result somebody else makes.
    pub(super) fn of_any_result(call: &AggregateCall) -> Self {
        IntegerSum {
            call: call.clone(),
            flip: match call.argument_type.0 {
                DataType::UInt64 => i64::MIN,
                _ => 0,
            },
            sums: Vec::new(),
            counts: Vec::new(),
        }
    }

    fn add_integers(&mut self, rows: &Rows<'_>, values: &[i64]) {
        let (sums, counts) = (&mut self.sums, &mut self.counts);
        if self.flip == 0 {
            rows.for_each(|row, group, sign| {
                sums[group] += i128::from(values[row]) * i128::from(sign);
                counts[group] += sign;
            });
        } else {
            let flip = self.flip;
            rows.for_each(|row, group, sign| {
                let value = (values[row] ^ flip) as u64;
                sums[group] += i128::from(value) * i128::from(sign);
                counts[group] += sign;
            });
        }
    }

    fn add_decimals(&mut self, rows: &Rows<'_>, values: &[i128]) -> Result<()> {
        let (sums, counts) = (&mut self.sums, &mut self.counts);
        let mut fits = true;
        rows.for_each(|row, group, sign| {
            let (value, negated) = values[row].overflowing_mul(i128::from(sign));
            let (sum, over) = sums[group].overflowing_add(value);
            sums[group] = sum;
            counts[group] += sign;
            fits &= !over & !negated;
        });
        if fits {
            Ok(())
        } else {
            Err(overflow(&self.call))
        }
    }
}

/// The scale of a type's values as integers.
pub(crate) fn scale_of(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => Some(*scale),
        DataType::Decimal128(_, scale) => Some(*scale),
        integer if integer.is_integer() => Some(0),
        _ => None,
    }
}

/// A decimal column whose values are checked against its precision.
pub(crate) fn decimal_column(
    call: &AggregateCall,
    values: Vec<i128>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::Decimal128(precision, scale) = call.result_type.0 else {
        return Err(unsupported(call));
    };
    for (i, value) in values.iter().enumerate() {
        let valid = nulls.as_ref().is_none_or(|n| n.is_valid(i));
        if valid && !Decimal128Type::is_valid_decimal_precision(*value, precision) {
            return Err(overflow(call));
        }
    }
    let column = Decimal128Array::new(values.into(), nulls);
    Ok(Arc::new(column.with_precision_and_scale(precision, scale)?))
}

/// NULL where there is no value.
pub(super) fn null_if_empty(counts: &[i64], groups: &[u32]) -> Option<NullBuffer> {
    let present = groups.iter().map(|g| counts[*g as usize] != 0);
    let nulls = NullBuffer::from_iter(present);
    (nulls.null_count() > 0).then_some(nulls)
}

impl Accumulator for IntegerSum {
    fn resize(&mut self, groups: usize) {
        self.sums.resize(groups, 0);
        self.counts.resize(groups, 0);
    }

    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        match argument.map(|lane| &lane.values) {
            Some(Values::I64(values)) => {
                self.add_integers(rows, values);
                Ok(())
            }
            Some(Values::I128(values)) => self.add_decimals(rows, values),
            _ => Err(unsupported(&self.call)),
        }
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        let counts = integers(partials, 0)?;
        let sums = partials.get(1);
        let sums = sums.and_then(|s| s.as_primitive_opt::<Decimal128Type>());
        let sums = sums.ok_or_else(|| EngineError::internal("a partial sum is missing"))?;
        for ((group, count), sum) in groups.iter().zip(counts).zip(sums.values()) {
            let group = *group as usize;
            let total = self.sums[group].checked_add(*sum);
            self.sums[group] = total.ok_or_else(|| overflow(&self.call))?;
            self.counts[group] += count;
        }
        Ok(())
    }

    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        let sums = Decimal128Array::new(gather(&self.sums, groups).into(), None);
        Ok(vec![
            integer_column(&self.counts, groups),
            Arc::new(sums.with_precision_and_scale(38, 0)?),
        ])
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        let nulls = null_if_empty(&self.counts, groups);
        let sums = groups.iter().map(|g| self.sums[*g as usize]);
        let over = |_| overflow(&self.call);
        match &self.call.result_type.0 {
            DataType::Int64 => {
                let sums = sums.map(|s| i64::try_from(s).map_err(over));
                let sums = sums.collect::<Result<ScalarBuffer<i64>>>()?;
                Ok(Arc::new(Int64Array::new(sums, nulls)))
            }
            DataType::UInt64 => {
                let sums = sums.map(|s| u64::try_from(s).map_err(over));
                let sums = sums.collect::<Result<ScalarBuffer<u64>>>()?;
                Ok(Arc::new(UInt64Array::new(sums, nulls)))
            }
            _ => decimal_column(&self.call, sums.collect(), nulls),
        }
    }

    fn reset(&mut self, groups: &[u32]) {
        for group in groups {
            self.sums[*group as usize] = 0;
            self.counts[*group as usize] = 0;
        }
    }

    fn size_bytes(&self) -> usize {
        self.sums.capacity() * 16 + self.counts.capacity() * 8
    }
}
