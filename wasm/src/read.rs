//! Takes a column out of a guest's memory.
//!
//! Nothing that a guest wrote is believed: each address and length is checked against its memory, offsets are checked
//! to rise, strings to be UTF-8, decimals to have no more digits than declared. Values are copied.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayData, ArrayRef, BinaryArray, BooleanArray, StringArray, make_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use crate::error::{GuestError, Result};
use crate::layout::DESCRIPTOR;
use crate::types::ValueType;

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
    value_type: ValueType,
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

    fn strings(
        &self,
        memory: &[u8],
        value_type: ValueType,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let all = region(memory, self.values, length(self.size), "values")?;
        let bytes = rows.checked_add(1).and_then(|count| count.checked_mul(4));
        let bytes = bytes.unwrap_or(usize::MAX);
        let (words, _) = region(memory, self.offsets, bytes, "offsets")?.as_chunks::<4>();
        let offsets: Vec<i32> = words.iter().map(|word| i32::from_le_bytes(*word)).collect();
        let used = rising(&offsets, all.len())?;
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
                Err(error) => Err(GuestError::new(format!("its result is wrong: {error}"))),
            },
        }
    }

    fn fixed(
        &self,
        memory: &[u8],
        value_type: ValueType,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let width = value_type.width().unwrap_or(0);
        let bytes = rows.saturating_mul(width);
        let values = region(memory, self.values, bytes, "values")?;
        if let ValueType::Decimal(precision, _) = value_type {
            digits(values, precision, nulls.as_ref())?;
        }
        let data = ArrayData::builder(value_type.to_arrow())
            .len(rows)
            .add_buffer(Buffer::from(values))
            .nulls(nulls)
            .build();
        match data {
            Ok(data) => Ok(make_array(data)),
            Err(error) => Err(GuestError::new(format!("its result is wrong: {error}"))),
        }
    }
}

/// Checks that offsets rise and stay within `size`; says which bytes they use.
fn rising(offsets: &[i32], size: usize) -> Result<Range<usize>> {
    let at = |offset: Option<&i32>| offset.and_then(|at| usize::try_from(*at).ok());
    let range = match (at(offsets.first()), at(offsets.last())) {
        (Some(first), Some(last)) if first <= last && last <= size => first..last,
        _ => {
            return Err(GuestError::new(format!(
                "its result has offsets that are negative or beyond its {size} bytes"
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
