//! Columns as a block of bytes in a guest's memory.
//!
//! All numbers are little-endian. A block is a head (rows, columns), a descriptor for each column, and the buffers,
//! each at a multiple of 16:
//!
//! ```text
//!   0 rows  4 columns  8 descriptor  32 descriptor  …
//!   descriptor: 0 type  4 NULLs  8 validity  12 values  16 offsets  20 bytes of values
//! ```

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{BooleanBuffer, Buffer};

use crate::error::{GuestError, Result};
use crate::types::ValueType;

/// The bytes of a block's head.
const HEAD: usize = 8;
/// The bytes of a descriptor.
pub(crate) const DESCRIPTOR: usize = 24;
/// What blocks and buffers begin at a multiple of.
pub(crate) const ALIGNMENT: usize = 16;

/// Columns that are about to be written.
pub(crate) struct Block {
    rows: usize,
    columns: Vec<ColumnBytes>,
    size: usize,
}

/// A column's buffers, each with its place in the block.
struct ColumnBytes {
    code: u32,
    nulls: usize,
    validity: Option<Part>,
    values: Part,
    offsets: Option<Part>,
}

struct Part {
    at: usize,
    bytes: Buffer,
}

impl Block {
    /// The block of columns of these types, which all have as many rows.
    pub(crate) fn new(columns: &[ArrayRef], types: &[ValueType], rows: usize) -> Result<Self> {
        match columns.iter().all(|column| column.len() == rows) {
            true => Self::of(columns, types, rows),
            false => Err(GuestError::new("a column is of another length")),
        }
    }

    /// The block of columns of these types; its head says so many rows.
    pub(crate) fn of(columns: &[ArrayRef], types: &[ValueType], rows: usize) -> Result<Self> {
        let mut block = Block {
            rows,
            columns: Vec::new(),
            size: HEAD + DESCRIPTOR * columns.len(),
        };
        if columns.len() != types.len() {
            return Err(GuestError::new("there are other columns than parameters"));
        }
        for (column, value_type) in columns.iter().zip(types) {
            if column.data_type() != &value_type.to_arrow() {
                return Err(GuestError::new("a column is of another type"));
            }
            let column = block.column(column, *value_type);
            block.columns.push(column);
        }
        Ok(block)
    }

    /// How many rows its columns have.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes it has.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn part(&mut self, bytes: Buffer) -> Part {
        let at = self.size.next_multiple_of(ALIGNMENT);
        self.size = at + bytes.len();
        Part { at, bytes }
    }

    fn column(&mut self, column: &ArrayRef, value_type: ValueType) -> ColumnBytes {
        let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
        let validity = nulls.map(|nulls| self.part(bits(nulls.inner())));
        let (values, offsets) = match value_type {
            ValueType::Boolean => (bits(column.as_boolean().values()), None),
            ValueType::String => {
                let column = column.as_string::<i32>();
                strings(column.values(), column.value_offsets())
            }
            ValueType::Bytes => {
                let column = column.as_binary::<i32>();
                strings(column.values(), column.value_offsets())
            }
            _ => (fixed(column, value_type), None),
        };
        ColumnBytes {
            code: value_type.code(),
            nulls: column.null_count(),
            validity,
            values: self.part(values),
            offsets: offsets.map(|offsets| self.part(offsets)),
        }
    }

    /// Writes the block into `room`, which begins at the guest's address `base` and is as large as the block.
    pub(crate) fn write(&self, room: &mut [u8], base: u32) {
        let place = |part: Option<&Part>| part.map_or(0, |part| base + number(part.at));
        let mut head = vec![number(self.rows), number(self.columns.len())];
        for column in &self.columns {
            head.extend([
                column.code,
                number(column.nulls),
                place(column.validity.as_ref()),
                place(Some(&column.values)),
                place(column.offsets.as_ref()),
                number(column.values.bytes.len()),
            ]);
        }
        let head: Vec<u8> = head.into_iter().flat_map(u32::to_le_bytes).collect();
        put(room, 0, &head);
        for column in &self.columns {
            let parts = column.validity.iter().chain(&column.offsets);
            for part in parts.chain([&column.values]) {
                put(room, part.at, &part.bytes);
            }
        }
    }
}

fn put(room: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(room) = room.get_mut(at..at + bytes.len()) {
        room.copy_from_slice(bytes);
    }
}

/// A block is smaller than a guest's memory, whose addresses are of 32 bits.
fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Bits from the first one on, those behind the last one being 0.
fn bits(buffer: &BooleanBuffer) -> Buffer {
    let mut bytes = buffer.sliced().as_slice().to_vec();
    bytes.truncate(buffer.len().div_ceil(8));
    let used = buffer.len() % 8;
    if let Some(last) = bytes.last_mut().filter(|_| used != 0) {
        *last &= (1 << used) - 1;
    }
    Buffer::from(bytes)
}

/// Bytes of values one behind the other, and the offsets at which they begin and end.
fn strings(data: &Buffer, offsets: &[i32]) -> (Buffer, Option<Buffer>) {
    let at = |offset: Option<&i32>| offset.and_then(|at| usize::try_from(*at).ok()).unwrap_or(0);
    let (first, last) = (at(offsets.first()), at(offsets.last()));
    let start = offsets.first().copied().unwrap_or(0);
    let offsets: Vec<i32> = offsets.iter().map(|at| at - start).collect();
    let data = data.slice_with_length(first, last - first);
    (data, Some(Buffer::from_vec(offsets)))
}

fn fixed(column: &ArrayRef, value_type: ValueType) -> Buffer {
    let width = value_type.width().unwrap_or(0);
    let data = column.to_data();
    let (from, size) = (data.offset() * width, data.len() * width);
    match data.buffers().first() {
        Some(buffer) if from + size <= buffer.len() => buffer.slice_with_length(from, size),
        _ => Buffer::from(Vec::<u8>::new()),
    }
}
