//! Columns as a block of bytes in a guest's memory.
//!
//! All numbers are little-endian. A block is a head (rows, columns), a descriptor for each column, and the buffers,
//! each at a multiple of 16:
//!
//! ```text
//!   0 rows  4 columns  8 descriptor  32 descriptor  …
//!   descriptor: 0 type  4 NULLs  8 validity  12 values  16 offsets  20 bytes of values
//! ```
//!
//! The values of arrays are the descriptor of their elements, those of rows the descriptors of their fields.

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
    values: Values,
    offsets: Option<Part>,
}

/// What a column's values are.
enum Values {
    /// Bytes.
    Bytes(Part),
    /// Columns, whose descriptors are at this place; the number that goes with them.
    Columns(usize, Vec<ColumnBytes>, usize),
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
            let column = block.column(column, value_type);
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

    fn column(&mut self, column: &ArrayRef, value_type: &ValueType) -> ColumnBytes {
        let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
        let validity = nulls.map(|nulls| self.part(bits(nulls.inner())));
        let (values, offsets) = match value_type {
            ValueType::Boolean => (self.bytes(bits(column.as_boolean().values())), None),
            ValueType::String => {
                let column = column.as_string::<i32>();
                let (from, size, offsets) = span(column.value_offsets());
                (
                    self.bytes(column.values().slice_with_length(from, size)),
                    Some(offsets),
                )
            }
            ValueType::Bytes => {
                let column = column.as_binary::<i32>();
                let (from, size, offsets) = span(column.value_offsets());
                (
                    self.bytes(column.values().slice_with_length(from, size)),
                    Some(offsets),
                )
            }
            ValueType::Array(element) => {
                let lists = column.as_list::<i32>();
                let (from, size, offsets) = span(lists.value_offsets());
                let elements = lists.values().slice(from, size);
                (self.columns(&[elements], &[element], size), Some(offsets))
            }
            ValueType::Row(fields) => {
                let columns = column.as_struct().columns();
                let types: Vec<&ValueType> = fields.iter().map(|(_, field)| field).collect();
                (self.columns(columns, &types, columns.len()), None)
            }
            _ => (self.bytes(fixed(column, value_type)), None),
        };
        ColumnBytes {
            code: value_type.code(),
            nulls: column.null_count(),
            validity,
            values,
            offsets: offsets.map(|offsets| self.part(offsets)),
        }
    }

    fn bytes(&mut self, bytes: Buffer) -> Values {
        Values::Bytes(self.part(bytes))
    }

    /// Columns within a column: room for their descriptors first.
    fn columns(&mut self, columns: &[ArrayRef], types: &[&ValueType], size: usize) -> Values {
        let at = self.size.next_multiple_of(ALIGNMENT);
        self.size = at + DESCRIPTOR * columns.len();
        let pairs = columns.iter().zip(types);
        let columns = pairs.map(|(column, value_type)| self.column(column, value_type));
        Values::Columns(at, columns.collect(), size)
    }

    /// Writes the block into `room`, which begins at the guest's address `base` and is as large as the block.
    pub(crate) fn write(&self, room: &mut [u8], base: u32) {
        put(room, 0, &number(self.rows).to_le_bytes());
        put(room, 4, &number(self.columns.len()).to_le_bytes());
        describe(room, base, HEAD, &self.columns);
    }
}

/// Writes the descriptors of columns from `at` on, and their buffers where they belong.
fn describe(room: &mut [u8], base: u32, at: usize, columns: &[ColumnBytes]) {
    let place = |part: Option<&Part>| part.map_or(0, |part| base + number(part.at));
    let mut words = Vec::new();
    for column in columns {
        let (values, size) = match &column.values {
            Values::Bytes(part) => (part.at, part.bytes.len()),
            Values::Columns(inner, columns, size) => {
                describe(room, base, *inner, columns);
                (*inner, *size)
            }
        };
        words.extend([
            column.code,
            number(column.nulls),
            place(column.validity.as_ref()),
            base + number(values),
            place(column.offsets.as_ref()),
            number(size),
        ]);
        for part in column.validity.iter().chain(&column.offsets) {
            put(room, part.at, &part.bytes);
        }
        if let Values::Bytes(part) = &column.values {
            put(room, part.at, &part.bytes);
        }
    }
    let words: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    put(room, at, &words);
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

/// Where the values begin that offsets refer to, how many there are, and the offsets counted from there.
fn span(offsets: &[i32]) -> (usize, usize, Buffer) {
    let at = |offset: Option<&i32>| offset.and_then(|at| usize::try_from(*at).ok()).unwrap_or(0);
    let (first, last) = (at(offsets.first()), at(offsets.last()));
    let start = offsets.first().copied().unwrap_or(0);
    let offsets: Vec<i32> = offsets.iter().map(|at| at - start).collect();
    (first, last - first, Buffer::from_vec(offsets))
}

fn fixed(column: &ArrayRef, value_type: &ValueType) -> Buffer {
    let width = value_type.width().unwrap_or(0);
    let data = column.to_data();
    let (from, size) = (data.offset() * width, data.len() * width);
    match data.buffers().first() {
        Some(buffer) if from + size <= buffer.len() => buffer.slice_with_length(from, size),
        _ => Buffer::from(Vec::<u8>::new()),
    }
}
