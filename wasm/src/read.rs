//! Takes a column out of a guest's memory.
//!
//! Nothing that a guest wrote is believed: each address and length is checked against its memory, offsets are checked
//! to rise, strings to be UTF-8, decimals to have no more digits than declared. Values are copied. How deep descriptors
//! are followed is up to the declared type, so they may as well refer to themselves; and what a column takes is at most what
//! the guest has, for each type within the declared one.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayData, ArrayRef, BinaryArray, BooleanArray, ListArray, StringArray, StructArray, make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use crate::error::{GuestError, Result};
use crate::layout::DESCRIPTOR;
use crate::types::ValueType;

#[cfg(test)]
mod tests;

/// A count of NULLs that the guest does not know.
const UNKNOWN: u32 = u32::MAX;

/// What a guest says about a column.
struct Descriptor {
    code: u32,
    nulls: u32,
    validity: u32,
    values: u32,
    offsets: u32,
    size: u32,
}

/// The column of `rows` values that is described at `address`.
pub(crate) fn column(
    memory: &[u8],
    address: u32,
    value_type: &ValueType,
    rows: usize,
) -> Result<ArrayRef> {
    let descriptor = Descriptor::read(memory, address)?;
    if descriptor.code != value_type.code() {
        return Err(GuestError::new(format!(
            "its result has the type {}, and {} is declared as {}",
            descriptor.code,
            value_type.to_arrow(),
            value_type.code()
        ))
        .hint("the numbers of types are in docs/wasm.md"));
    }
    let nulls = descriptor.nulls(memory, rows)?;
    match value_type {
        ValueType::Boolean => {
            let values = region(memory, descriptor.values, rows.div_ceil(8), "values")?;
            let values = BooleanBuffer::new(Buffer::from(values), 0, rows);
            Ok(Arc::new(BooleanArray::new(values, nulls)))
        }
        ValueType::String | ValueType::Bytes => descriptor.strings(memory, value_type, rows, nulls),
        ValueType::Array(element) => descriptor.lists(memory, value_type, element, rows, nulls),
        ValueType::Row(fields) => descriptor.structs(memory, value_type, fields, rows, nulls),
        _ => descriptor.fixed(memory, value_type, rows, nulls),
    }
}

impl Descriptor {
    fn read(memory: &[u8], address: u32) -> Result<Self> {
        let bytes = region(memory, address, DESCRIPTOR, "descriptor")?;
        let (words, _) = bytes.as_chunks::<4>();
        match words {
            [code, nulls, validity, values, offsets, size] => Ok(Descriptor {
                code: u32::from_le_bytes(*code),
                nulls: u32::from_le_bytes(*nulls),
                validity: u32::from_le_bytes(*validity),
                values: u32::from_le_bytes(*values),
                offsets: u32::from_le_bytes(*offsets),
                size: u32::from_le_bytes(*size),
            }),
            _ => Err(GuestError::new("its result has no descriptor")),
        }
    }

    fn nulls(&self, memory: &[u8], rows: usize) -> Result<Option<NullBuffer>> {
        let nulls = match self.validity {
            0 => None,
            at => {
                let bits = region(memory, at, rows.div_ceil(8), "validity")?;
                let bits = BooleanBuffer::new(Buffer::from(bits), 0, rows);
                Some(NullBuffer::new(bits))
            }
        };
        let found = nulls.as_ref().map_or(0, NullBuffer::null_count);
        if self.nulls != UNKNOWN && usize::try_from(self.nulls) != Ok(found) {
            return Err(GuestError::new(format!(
                "its result says that {} values are NULL, and by its validity {found} are",
                self.nulls
            )));
        }
        Ok(nulls.filter(|nulls| nulls.null_count() > 0))
    }

    /// Where each of `rows` values begins, and where the last one ends.
    fn places(&self, memory: &[u8], rows: usize) -> Result<Vec<i32>> {
        let bytes = rows.checked_add(1).and_then(|count| count.checked_mul(4));
        let bytes = bytes.unwrap_or(usize::MAX);
        let (words, _) = region(memory, self.offsets, bytes, "offsets")?.as_chunks::<4>();
        Ok(words.iter().map(|word| i32::from_le_bytes(*word)).collect())
    }

    /// Arrays, whose elements are a column of their own.
    fn lists(
        &self,
        memory: &[u8],
        value_type: &ValueType,
        element: &ValueType,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let DataType::List(field) = value_type.to_arrow() else {
            return Err(GuestError::new("its result is no array"));
        };
        let places = self.places(memory, rows)?;
        let count = length(self.size);
        rising(&places, count, "elements")?;
        let all = column(memory, self.values, element, count)?;
        let (lengths, used) = elements(&places, nulls.as_ref());
        let parts: Vec<ArrayRef> = used.iter().map(|r| all.slice(r.start, r.len())).collect();
        let values = match parts.as_slice() {
            [] => all.slice(0, 0),
            [one] => Arc::clone(one),
            _ => concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())
                .map_err(|error| wrong(&error))?,
        };
        let offsets = OffsetBuffer::from_lengths(lengths);
        let lists = ListArray::try_new(field, offsets, values, nulls);
        Ok(Arc::new(lists.map_err(|error| wrong(&error))?))
    }

    /// Rows, whose fields are columns of as many values, described one behind the other.
    fn structs(
        &self,
        memory: &[u8],
        value_type: &ValueType,
        fields: &[(String, ValueType)],
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let DataType::Struct(declared) = value_type.to_arrow() else {
            return Err(GuestError::new("its result is no row"));
        };
        if length(self.size) != fields.len() {
            return Err(GuestError::new(format!(
                "its result has rows of {} fields, and {} are declared",
                self.size,
                fields.len()
            )));
        }
        let size = DESCRIPTOR * fields.len();
        region(memory, self.values, size, "descriptors of fields")?;
        let columns = fields.iter().enumerate().map(|(number, (_, field))| {
            let distance = u32::try_from(number * DESCRIPTOR).unwrap_or(u32::MAX);
            column(memory, self.values.saturating_add(distance), field, rows)
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let structs = StructArray::try_new(declared, columns, nulls);
        Ok(Arc::new(structs.map_err(|error| wrong(&error))?))
    }

    fn strings(
        &self,
        memory: &[u8],
        value_type: &ValueType,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let all = region(memory, self.values, length(self.size), "values")?;
        let offsets = self.places(memory, rows)?;
        let used = rising(&offsets, all.len(), "bytes")?;
        let first = offsets.first().copied().unwrap_or(0);
        let offsets: Vec<i32> = offsets.into_iter().map(|at| at - first).collect();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let values = Buffer::from(all.get(used).unwrap_or_default());
        match value_type {
            ValueType::String => match StringArray::try_new(offsets, values, nulls) {
                Ok(column) => Ok(Arc::new(column)),
                Err(_) => Err(GuestError::new("its result has a string that is not UTF-8")),
            },
            _ => match BinaryArray::try_new(offsets, values, nulls) {
                Ok(column) => Ok(Arc::new(column)),
                Err(error) => Err(wrong(&error)),
            },
        }
    }

    fn fixed(
        &self,
        memory: &[u8],
        value_type: &ValueType,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let width = value_type.width().unwrap_or(0);
        let bytes = rows.saturating_mul(width);
        let values = region(memory, self.values, bytes, "values")?;
        if let ValueType::Decimal(precision, _) = value_type {
            digits(values, *precision, nulls.as_ref())?;
        }
        let data = ArrayData::builder(value_type.to_arrow())
            .len(rows)
            .add_buffer(Buffer::from(values))
            .nulls(nulls)
            .build();
        match data {
            Ok(data) => Ok(make_array(data)),
            Err(error) => Err(wrong(&error)),
        }
    }
}

fn wrong(error: &ArrowError) -> GuestError {
    GuestError::new(format!("its result is wrong: {error}"))
}

/// How many elements each array has, and where they are. What an array that is NULL refers to is left out.
fn elements(places: &[i32], nulls: Option<&NullBuffer>) -> (Vec<usize>, Vec<Range<usize>>) {
    let place = |at: i32| usize::try_from(at).unwrap_or(0);
    let (mut lengths, mut used) = (Vec::new(), Vec::<Range<usize>>::new());
    for (row, pair) in places.windows(2).enumerate() {
        let range = match pair {
            &[from, to] if nulls.is_none_or(|nulls| nulls.is_valid(row)) => place(from)..place(to),
            _ => 0..0,
        };
        lengths.push(range.len());
        match used.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if last.end == range.start => last.end = range.end,
            _ => used.push(range),
        }
    }
    (lengths, used)
}

/// Checks that offsets rise and stay within `size`; says which bytes or elements they use.
fn rising(offsets: &[i32], size: usize, what: &str) -> Result<Range<usize>> {
    let at = |offset: Option<&i32>| offset.and_then(|at| usize::try_from(*at).ok());
    let range = match (at(offsets.first()), at(offsets.last())) {
        (Some(first), Some(last)) if first <= last && last <= size => first..last,
        _ => {
            return Err(GuestError::new(format!(
                "its result has offsets that are negative or beyond its {size} {what}"
            )));
        }
    };
    match offsets.is_sorted() {
        true => Ok(range),
        false => Err(GuestError::new("its result has offsets that do not rise")),
    }
}

fn digits(values: &[u8], precision: u8, nulls: Option<&NullBuffer>) -> Result<()> {
    let (values, _) = values.as_chunks::<16>();
    let limit = 10_i128.checked_pow(precision.into()).unwrap_or(i128::MAX);
    for (row, value) in values.iter().enumerate() {
        let value = i128::from_le_bytes(*value);
        let counts = nulls.is_none_or(|nulls| nulls.is_valid(row));
        if counts && (value >= limit || value <= -limit) {
            return Err(GuestError::new(format!(
                "its result has a DECIMAL of more than {precision} digits"
            )));
        }
    }
    Ok(())
}

/// `size` bytes of the guest's memory.
pub(crate) fn region<'a>(
    memory: &'a [u8],
    address: u32,
    size: usize,
    what: &str,
) -> Result<&'a [u8]> {
    let start = length(address);
    let found = start
        .checked_add(size)
        .and_then(|end| memory.get(start..end));
    found.ok_or_else(|| {
        GuestError::new(format!(
            "the {what} of its result, {size} bytes at {start}, are not within its memory of {} bytes",
            memory.len()
        ))
    })
}

fn length(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
