//! What aggregates over all values of a group make of the array of them.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, ListArray, MapArray,
    StructArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, filter, take};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::Result;

use super::items::{Lists, comparable};
use super::{element_of, list_of};
use crate::functions::scalar::{Call, evaluation};
use crate::types::{Nullable, SqlType};

/// MULTISET of the elements of an array.
pub(super) fn multiset_type(args: &[DataType]) -> DataType {
    let element = args.first().and_then(element_of);
    let element = SqlType::from_arrow(&element.unwrap_or(DataType::Null));
    SqlType::Multiset(Box::new(Nullable::new(element))).to_arrow()
}

/// The elements of an array with how often each is there, in the order of their first.
pub(super) fn multiset_of(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let DataType::Map(entries, sorted) = call.return_type() else {
        return Err(evaluation("a MULTISET must be built"));
    };
    let DataType::Struct(sides) = entries.data_type() else {
        return Err(evaluation("a MULTISET lacks its counts"));
    };
    let rows = comparable(lists.elements())?;
    let (mut indices, mut counts) = (Vec::new(), Vec::<i32>::new());
    let mut offsets = vec![0i32];
    let mut valid = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        let range = lists.range(row);
        valid.push(range.is_some());
        let mut found = std::collections::HashMap::new();
        for index in range.into_iter().flatten() {
            let place = *found.entry(rows.row(index)).or_insert(counts.len());
            match counts.get_mut(place) {
                Some(count) => *count += 1,
                None => {
                    indices.push(index as u64);
                    counts.push(1);
                }
            }
        }
        let end = i32::try_from(counts.len());
        offsets.push(end.map_err(|_| evaluation("MULTISETs of one batch are too large"))?);
    }
    let values = take(lists.elements(), &UInt64Array::from(indices), None)?;
    let values = match sides.first() {
        Some(side) if side.data_type() != values.data_type() => cast(&values, side.data_type())?,
        _ => values,
    };
    let columns = vec![values, Arc::new(Int32Array::from(counts)) as ArrayRef];
    let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
    Ok(Arc::new(MapArray::try_new(
        Arc::clone(entries),
        OffsetBuffer::new(offsets.into()),
        StructArray::try_new(sides.clone(), columns, None)?,
        nulls,
        *sorted,
    )?))
}

/// The arguments of `percentile_of`: numbers, or numbers with how often they count; and a fraction, or several.
pub(super) fn numbers_and_fraction(given: &[DataType]) -> Option<Vec<DataType>> {
    let [values, fraction] = given else {
        return None;
    };
    let number = |one: &DataType| one.is_numeric() || one.is_null();
    let values = match element_of(values)? {
        DataType::Struct(sides) => {
            let [value, frequency] = sides.iter().collect::<Vec<_>>()[..] else {
                return None;
            };
            let whole = frequency.data_type().is_integer() || frequency.data_type().is_null();
            if !number(value.data_type()) || !whole {
                return None;
            }
            let pair = [(value, DataType::Float64), (frequency, DataType::Int64)];
            let sides = pair.map(|(side, to)| side.as_ref().clone().with_data_type(to));
            list_of(DataType::Struct(sides.into_iter().collect()))
        }
        one if number(&one) => list_of(DataType::Float64),
        _ => return None,
    };
    let fraction = match element_of(fraction) {
        Some(one) if !fraction.is_null() && number(&one) => list_of(DataType::Float64),
        _ if number(fraction) => DataType::Float64,
        _ => return None,
    };
    Some(vec![values, fraction])
}

/// DOUBLE, or an array of such for several fractions.
pub(super) fn percentile_type(args: &[DataType]) -> DataType {
    match args.get(1) {
        Some(DataType::List(_)) => list_of(DataType::Float64),
        _ => DataType::Float64,
    }
}

/// Numbers in order, each with how many there are up to it.
struct Ranked(Vec<(f64, i64)>);

impl Ranked {
    fn new(mut numbers: Vec<(f64, i64)>) -> Result<Self> {
        // NaN is greater than every other number.
        let order = |a: &f64, b: &f64| match (a.is_nan(), b.is_nan()) {
            (false, false) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (a, b) => a.cmp(&b),
        };
        numbers.sort_by(|(a, _), (b, _)| order(a, b));
        let mut total = 0i64;
        for (_, times) in &mut numbers {
            if *times < 0 {
                return Err(evaluation("a frequency of PERCENTILE is negative"));
            }
            total = total
                .checked_add(*times)
                .ok_or_else(|| evaluation("the frequencies of PERCENTILE exceed BIGINT"))?;
            *times = total;
        }
        Ok(Ranked(numbers))
    }

    /// The number at a place, from 0 on.
    fn at(&self, place: i64) -> Option<f64> {
        let index = self.0.partition_point(|(_, up_to)| *up_to <= place);
        self.0.get(index).map(|(number, _)| *number)
    }

    /// The number below which such a part of them lies, between two of them in proportion.
    fn percentile(&self, fraction: f64) -> Result<Option<f64>> {
        if !(0.0..=1.0).contains(&fraction) {
            return Err(evaluation(format!(
                "PERCENTILE takes fractions from 0 to 1, not {fraction}"
            )));
        }
        let Some((_, total)) = self.0.last().filter(|(_, total)| *total > 0) else {
            return Ok(None);
        };
        let place = (total - 1) as f64 * fraction;
        let (lower, upper) = (place.floor(), place.ceil());
        let (Some(low), Some(high)) = (self.at(lower as i64), self.at(upper as i64)) else {
            return Ok(None);
        };
        if low == high || lower == upper {
            return Ok(Some(low));
        }
        Ok(Some((upper - place) * low + (place - lower) * high))
    }
}

/// The numbers of each row in order; `None` where there are none.
fn ranked(call: &Call<'_>) -> Result<Vec<Option<Ranked>>> {
    let lists = Lists::of(call, 0)?;
    let elements = lists.elements();
    let (numbers, times) = match elements.as_struct_opt() {
        Some(pairs) => (Arc::clone(pairs.column(0)), Some(pairs.column(1))),
        None => (Arc::clone(elements), None),
    };
    let numbers = numbers.as_primitive::<Float64Type>();
    let times = times.map(|times| times.as_primitive::<Int64Type>());
    let of_row = |row: usize| {
        let Some(range) = lists.range(row) else {
            return Ok(None);
        };
        let present = range.filter(|index| {
            numbers.is_valid(*index) && times.is_none_or(|times| times.is_valid(*index))
        });
        let number = |index: usize| (numbers.value(index), times.map_or(1, |t| t.value(index)));
        Ranked::new(present.map(number).collect()).map(Some)
    };
    (0..call.rows()).map(of_row).collect()
}

/// PERCENTILE of the numbers in an array.
pub(super) fn percentile_of(call: &Call<'_>) -> Result<ArrayRef> {
    let ranked = ranked(call)?;
    let of = |row: usize, fraction: f64| match ranked.get(row) {
        Some(Some(numbers)) => numbers.percentile(fraction),
        _ => Ok(None),
    };
    let fractions = call.array(1)?;
    let Some(lists) = fractions.as_list_opt::<i32>() else {
        let fractions = fractions.as_primitive::<Float64Type>();
        let value = |(row, fraction): (usize, Option<f64>)| match fraction {
            Some(fraction) => of(row, fraction),
            None => Ok(None),
        };
        let values = fractions.iter().enumerate().map(value);
        return Ok(Arc::new(values.collect::<Result<Float64Array>>()?));
    };
    let mut values = Vec::new();
    for (row, list) in lists.iter().enumerate() {
        let list = list.as_ref().map(|list| list.as_primitive::<Float64Type>());
        for fraction in list.into_iter().flatten() {
            values.push(match fraction {
                Some(fraction) => of(row, fraction)?,
                None => None,
            });
        }
    }
    let DataType::List(item) = call.return_type() else {
        return Err(evaluation("several fractions give an ARRAY"));
    };
    let known = |row: usize| lists.is_valid(row) && ranked.get(row).is_some_and(Option::is_some);
    let valid: Vec<bool> = (0..call.rows()).map(known).collect();
    let kept: BooleanArray = (0..call.rows())
        .flat_map(|row| {
            let length = if lists.is_valid(row) {
                lists.value_length(row)
            } else {
                0
            };
            std::iter::repeat_n(Some(valid[row]), length as usize)
        })
        .collect();
    let lengths = (0..call.rows()).map(|row| match valid[row] {
        true => lists.value_length(row) as usize,
        false => 0,
    });
    let values: ArrayRef = Arc::new(Float64Array::from(values));
    Ok(Arc::new(ListArray::try_new(
        Arc::clone(item),
        OffsetBuffer::from_lengths(lengths),
        filter(&values, &kept)?,
        Some(NullBuffer::from(valid.clone())),
    )?))
}
