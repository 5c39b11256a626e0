//! COUNT, SUM, AVG, MIN and MAX over the rows of frames.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, UInt32Array, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, i256};

use super::fold::fold;
use super::{Carried, Frames, Operands, Values, argument, counted, last_rows, plain};
use crate::error::{EngineError, Result};
use crate::graph::{AggregateCall, AggregateFunction, OverCall, OverFunction};
use crate::operator::aggregate::lane::{Codec, Lane, Values as LaneValues, lane_to_float};
use crate::operator::aggregate::{decimal_column, overflow, scale_of, unsupported};
use crate::operator::over::span::Span;

pub(super) fn values(
    call: &OverCall,
    span: &Span,
    operands: &Operands,
    carry: bool,
) -> Result<Values> {
    let OverFunction::Aggregate(function) = call.function else {
        return Err(EngineError::internal("no aggregate"));
    };
    let frames = span.frames(&call.frame)?;
    let counted = counted(span, operands);
    let counts = counts(span, operands, &counted, &frames);
    let weight = |counts: &[i64]| {
        let last = |row: u32| counts[row as usize];
        let last = carry.then(|| last_rows(span).into_iter().map(last));
        last.map(|last| Arc::new(Int64Array::from_iter_values(last)) as ArrayRef)
    };
    let mut values = match function {
        AggregateFunction::Count => {
            let counts: ArrayRef = Arc::new(Int64Array::from(counts.clone()));
            counts.into()
        }
        AggregateFunction::Sum | AggregateFunction::Avg => {
            let column = argument(call, operands)?;
            let sums = Sums {
                call: plain(call, function),
                span,
                operands,
                counted: &counted,
                frames: &frames,
                counts: &counts,
                carry,
            };
            match column.data_type().is_floating() {
                true => sums.floats(column)?,
                false => sums.exact(column)?,
            }
        }
        AggregateFunction::Min | AggregateFunction::Max => {
            let column = argument(call, operands)?;
            let carries = operands.carried.value.is_some();
            let found = extremes(function, span, carries, column, &counted, &frames)?;
            let value = match carry {
                true => Some(take(&found, &UInt32Array::from(last_rows(span)), None)?),
                false => None,
            };
            Values {
                column: found,
                carried: Carried {
                    value,
                    weight: None,
                },
            }
        }
        _ => {
            return Err(unsupported(&plain(call, function)));
        }
    };
    if !matches!(function, AggregateFunction::Min | AggregateFunction::Max) {
        values.carried.weight = weight(&counts);
    }
    Ok(values)
}

/// How many rows count in each frame.
fn counts(span: &Span, operands: &Operands, counted: &[bool], frames: &Frames) -> Vec<i64> {
    let mut weights: Vec<i64> = counted.iter().map(|counts| i64::from(*counts)).collect();
    let carried = operands.carried.weight.as_ref();
    let carried = carried.map(|carried| carried.as_primitive::<Int64Type>());
    for (index, part) in span.parts.iter().enumerate().filter(|(_, p)| p.carried) {
        let weight = carried.filter(|carried| carried.is_valid(index));
        weights[part.rows.start] = weight.map_or(0, |carried| carried.value(index));
    }
    let mut total = 0i64;
    let mut before = Vec::with_capacity(weights.len() + 1);
    for weight in weights {
        before.push(total);
        total += weight;
    }
    before.push(total);
    let count = |frame: &Range<usize>| before[frame.end] - before[frame.start];
    frames.iter().map(count).collect()
}

struct Sums<'a> {
    call: AggregateCall,
    span: &'a Span,
    operands: &'a Operands,
    counted: &'a [bool],
    frames: &'a Frames,
    counts: &'a [i64],
    carry: bool,
}

impl Sums<'_> {
    /// The rows that stand for those that are gone, with what these came to.
    fn carried(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let parts = self.span.parts.iter().enumerate();
        parts
            .filter(|(_, part)| part.carried)
            .map(|(index, part)| (part.rows.start, index))
    }

    fn floats(&self, column: &ArrayRef) -> Result<Values> {
        let lane = Codec::new(column.data_type())?.encode_argument(column)?;
        let LaneValues::I64(lane) = &lane.values else {
            return Err(unsupported(&self.call));
        };
        let values = lane.iter().zip(self.counted);
        let mut values: Vec<Option<f64>> = values
            .map(|(lane, counted)| counted.then(|| lane_to_float(*lane)))
            .collect();
        let carried = self.operands.carried.value.as_ref();
        let carried = carried.and_then(|carried| carried.as_primitive_opt::<Float64Type>());
        for (row, part) in self.carried() {
            let carried = carried.filter(|carried| carried.is_valid(part));
            values[row] = carried.map(|carried| carried.value(part));
        }
        let sums = fold(self.frames, values.len(), |row| values[row], |a, b| a + b);
        let value = self.carry.then(|| {
            let last = last_rows(self.span).into_iter();
            let last = last.map(|row| sums[row as usize]);
            Arc::new(last.collect::<Float64Array>()) as ArrayRef
        });
        let average = self.call.function == AggregateFunction::Avg;
        let result = sums
            .iter()
            .zip(self.counts)
            .map(|(sum, count)| match average {
                true => sum.map(|sum| sum / *count as f64),
                false => *sum,
            });
        Ok(Values {
            column: Arc::new(result.collect::<Float64Array>()),
            carried: Carried {
                value,
                weight: None,
            },
        })
    }

    /// Sums of integers and decimals: differences of running totals, which may go round, since their differences
    /// are right all the same.
    fn exact(&self, column: &ArrayRef) -> Result<Values> {
        let lane = Codec::new(column.data_type())?.encode_argument(column)?;
        let value = exact(&lane, column.data_type());
        let carried = self.operands.carried.value.as_ref();
        let carried = carried.and_then(|carried| carried.as_primitive_opt::<Decimal128Type>());
        let mut values: Vec<i128> = (0..self.span.len())
            .map(|row| if self.counted[row] { value(row) } else { 0 })
            .collect();
        for (row, part) in self.carried() {
            let carried = carried.filter(|carried| carried.is_valid(part));
            values[row] = carried.map_or(0, |carried| carried.value(part));
        }
        let mut total = i256::ZERO;
        let mut before = Vec::with_capacity(values.len() + 1);
        for value in values {
            before.push(total);
            total = total.wrapping_add(i256::from_i128(value));
        }
        before.push(total);
        let sum = |frame: &Range<usize>| {
            let sum = before[frame.end].wrapping_sub(before[frame.start]);
            sum.to_i128()
        };
        let sums: Vec<Option<i128>> = self.frames.iter().map(sum).collect();
        let value = match self.carry {
            true => Some(self.carried_sums(&sums)?),
            false => None,
        };
        let pairs = sums.into_iter().zip(self.counts.iter().copied());
        Ok(Values {
            column: exact_result(&self.call, pairs)?,
            carried: Carried {
                value,
                weight: None,
            },
        })
    }

    fn carried_sums(&self, sums: &[Option<i128>]) -> Result<ArrayRef> {
        let last = last_rows(self.span).into_iter();
        let last: Option<Vec<i128>> = last.map(|row| sums[row as usize]).collect();
        let last = Decimal128Array::from(last.ok_or_else(|| overflow(&self.call))?);
        Ok(Arc::new(last.with_data_type(carried_sum_type())))
    }
}

/// The type in which exact sums are carried on.
pub(crate) fn carried_sum_type() -> DataType {
    DataType::Decimal128(38, 0)
}

/// The values of a lane as integers, those of a decimal in units of its last digit.
pub(super) fn exact<'a>(lane: &'a Lane, data_type: &DataType) -> impl Fn(usize) -> i128 + use<'a> {
    let unsigned = *data_type == DataType::UInt64;
    move |row| match &lane.values {
        LaneValues::I64(values) if unsigned => i128::from((values[row] ^ i64::MIN) as u64),
        LaneValues::I64(values) => i128::from(values[row]),
        LaneValues::I128(values) => values[row],
        LaneValues::Bytes(_) => 0,
    }
}

/// SUM or AVG from exact sums, which are there if they fit, with the number of values in them.
pub(super) fn exact_result(
    call: &AggregateCall,
    sums: impl Iterator<Item = (Option<i128>, i64)>,
) -> Result<ArrayRef> {
    let argument = scale_of(&call.argument_type.0).ok_or_else(|| unsupported(call))?;
    let (sums, counts): (Vec<Option<i128>>, Vec<i64>) = sums.unzip();
    let there = counts.iter().map(|count| *count != 0);
    let nulls = Some(NullBuffer::from_iter(there)).filter(|nulls| nulls.null_count() > 0);
    let sums: Option<Vec<i128>> = sums.into_iter().collect();
    let sums = sums.ok_or_else(|| overflow(call))?;
    let average = call.function == AggregateFunction::Avg;
    Ok(match &call.result_type.0 {
        DataType::Float64 if average => {
            let averages = sums.iter().zip(&counts);
            let averages = averages.map(|(sum, count)| *sum as f64 / *count as f64);
            Arc::new(Float64Array::new(averages.collect(), nulls))
        }
        DataType::Decimal128(_, scale) if average => {
            let digits = u32::try_from(i16::from(*scale) - i16::from(argument)).ok();
            let factor = digits.and_then(|digits| 10i128.checked_pow(digits));
            let factor = factor.ok_or_else(|| unsupported(call))?;
            let average = |(sum, count): (&i128, &i64)| {
                let scaled = sum.checked_mul(factor);
                scaled.map(|scaled| scaled.checked_div(i128::from(*count)).unwrap_or(0))
            };
            let averages: Option<Vec<i128>> = sums.iter().zip(&counts).map(average).collect();
            decimal_column(call, averages.ok_or_else(|| overflow(call))?, nulls)?
        }
        DataType::Int64 => {
            let sums = sums.iter().map(|sum| i64::try_from(*sum));
            let sums = sums.collect::<std::result::Result<Vec<i64>, _>>();
            let sums = sums.map_err(|_| overflow(call))?;
            Arc::new(Int64Array::new(sums.into(), nulls))
        }
        DataType::UInt64 => {
            let sums = sums.iter().map(|sum| u64::try_from(*sum));
            let sums = sums.collect::<std::result::Result<Vec<u64>, _>>();
            let sums = sums.map_err(|_| overflow(call))?;
            Arc::new(UInt64Array::new(sums.into(), nulls))
        }
        DataType::Decimal128(_, scale) if *scale == argument => decimal_column(call, sums, nulls)?,
        _ => return Err(unsupported(call)),
    })
}

/// The least or greatest value of each frame: of equal ones the first.
fn extremes(
    function: AggregateFunction,
    span: &Span,
    carries: bool,
    column: &ArrayRef,
    counted: &[bool],
    frames: &Frames,
) -> Result<ArrayRef> {
    let codec = Codec::new(column.data_type())?;
    if !codec.is_ordered() {
        return Err(EngineError::config(format!(
            "values of type {} have no order",
            column.data_type()
        )));
    }
    let mut counted = counted.to_vec();
    for part in span.parts.iter().filter(|part| part.carried && carries) {
        counted[part.rows.start] = column.is_valid(part.rows.start);
    }
    let lane = codec.encode_argument(column)?;
    let least = function == AggregateFunction::Min;
    let better = |a: u32, b: u32| {
        let order = match &lane.values {
            LaneValues::I64(values) => values[b as usize].cmp(&values[a as usize]),
            LaneValues::I128(values) => values[b as usize].cmp(&values[a as usize]),
            LaneValues::Bytes(values) => values.value(b as usize).cmp(values.value(a as usize)),
        };
        match if least { order } else { order.reverse() } {
            std::cmp::Ordering::Less => b,
            _ => a,
        }
    };
    let leaf = |row: usize| counted[row].then_some(row as u32);
    let rows: UInt32Array = fold(frames, span.len(), leaf, better).into_iter().collect();
    Ok(take(column, &rows, None)?)
}
