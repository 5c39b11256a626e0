//! Puts the elements of an array or map to each row, once for each.
//!
//! ```text
//!   batch ──▶ where the elements of each row stand ──▶ numbers of rows and of elements ──▶ output, part by part
//! ```
//!
//! Nothing is remembered between batches: a row that is taken back has the same elements as when it came. One
//! row may have millions of them, so the output leaves in parts, and the next part is made when the last has left.
//! Of a row that is updated, the first elements that stay the same neither go nor come ([`unchanged`]).

use std::ops::Range;
use std::sync::Arc;

use arrow::array::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, UInt8Array, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, SchemaRef};

use super::{Operator, Output, check_width};
use crate::element::{Batch, RowKind, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::{UnnestColumn, UnnestSpec};

#[cfg(test)]
mod tests;
mod unchanged;

/// So many rows of output leave at a time,
const OUTPUT_ROWS: usize = if cfg!(test) { 7 } else { 1 << 14 };
/// or as many as make about so many bytes.
const OUTPUT_BYTES: usize = 16 << 20;

/// The elements of collections.
pub(super) struct Unnest {
    spec: UnnestSpec,
    output: SchemaRef,
    /// The batch that is on its way.
    pending: Option<Pending>,
}

/// A batch of which a part may have left.
struct Pending {
    batch: Batch,
    elements: Elements,
    /// By row: how many of its first elements stay as they are, if any do.
    unchanged: Option<Vec<usize>>,
    /// The row that comes next, and how many of its elements have left or stay.
    row: usize,
    given: usize,
    /// So many rows make a part of the output.
    part_rows: usize,
}

/// The elements of all rows of a batch, and where those of each row stand.
struct Elements {
    values: ArrayRef,
    offsets: Offsets,
    nulls: Option<NullBuffer>,
}

enum Offsets {
    Int(OffsetBuffer<i32>),
    Long(OffsetBuffer<i64>),
    Fixed(usize),
}

/// A part of the output: places of rows and of elements, and the numbers of elements within their rows.
struct Part {
    rows: Vec<u32>,
    elements: Vec<u32>,
    numbers: Vec<i32>,
    /// Where there is an element.
    there: NullBufferBuilder,
}

impl Part {
    fn new() -> Self {
        Part {
            rows: Vec::new(),
            elements: Vec::new(),
            numbers: Vec::new(),
            there: NullBufferBuilder::new(0),
        }
    }

    fn push(&mut self, row: u32, element: u32, number: i32) {
        self.rows.push(row);
        self.elements.push(element);
        self.numbers.push(number);
        self.there.append_non_null();
    }

    /// A row without elements.
    fn push_alone(&mut self, row: u32) {
        self.rows.push(row);
        self.elements.push(0);
        self.numbers.push(0);
        self.there.append_null();
    }
}

impl Unnest {
    pub(super) fn new(spec: &UnnestSpec, input: &SchemaRef, output: &SchemaRef) -> Result<Self> {
        let width = input.fields().len();
        let there = |column: &UnnestColumn| match column {
            UnnestColumn::Input(index) => *index < width,
            _ => true,
        };
        if spec.collection >= width || !spec.columns.iter().all(there) {
            return Err(EngineError::internal(format!(
                "an UNNEST reads columns that its input of {width} does not have"
            )));
        }
        check_width("an UNNEST", spec.columns.len(), output)?;
        Ok(Unnest {
            spec: spec.clone(),
            output: output.clone(),
            pending: None,
        })
    }

    /// Emits a part of what is on its way.
    fn go_on(&mut self, output: &mut Output) -> Result<()> {
        let Some(pending) = &mut self.pending else {
            return Ok(());
        };
        let part = pending.next_part(self.spec.outer)?;
        if !part.rows.is_empty() {
            output.emit(pending.gather(part, &self.spec, &self.output)?);
        }
        if pending.row >= pending.batch.num_rows() {
            self.pending = None;
        }
        Ok(())
    }
}

impl Elements {
    fn of(collection: &ArrayRef) -> Result<Self> {
        let (values, offsets): (ArrayRef, Offsets) = match collection.data_type() {
            DataType::List(_) => {
                let list = collection.as_list::<i32>();
                (list.values().clone(), Offsets::Int(list.offsets().clone()))
            }
            DataType::LargeList(_) => {
                let list = collection.as_list::<i64>();
                (list.values().clone(), Offsets::Long(list.offsets().clone()))
            }
            DataType::FixedSizeList(_, size) => {
                let list = collection.as_fixed_size_list();
                (list.values().clone(), Offsets::Fixed(*size as usize))
            }
            DataType::Map(..) => {
                let map = collection.as_map();
                (
                    Arc::new(map.entries().clone()),
                    Offsets::Int(map.offsets().clone()),
                )
            }
            other => {
                return Err(EngineError::internal(format!(
                    "an UNNEST has a column of type {other}"
                )));
            }
        };
        Ok(Elements {
            values,
            offsets,
            nulls: collection.nulls().cloned(),
        })
    }

    /// Where the elements of a row stand; nowhere if there is no collection.
    fn of_row(&self, row: usize) -> Range<usize> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return 0..0;
        }
        match &self.offsets {
            Offsets::Int(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
            Offsets::Long(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
            Offsets::Fixed(size) => row * size..(row + 1) * size,
        }
    }

    /// A field of all elements; of an element that is NULL it says nothing.
    fn field(&self, index: usize) -> Result<&ArrayRef> {
        let rows = self.values.as_struct_opt();
        let field = rows.and_then(|rows| rows.columns().get(index));
        field.ok_or_else(|| {
            EngineError::internal(format!(
                "an UNNEST reads field {index} of elements that do not have it"
            ))
        })
    }

    /// The places of elements that are not NULL.
    fn with_rows(&self, elements: &UInt32Array) -> UInt32Array {
        let Some(nulls) = self.values.nulls() else {
            return elements.clone();
        };
        let there = |place: &u32| nulls.is_valid(*place as usize);
        elements.iter().map(|place| place.filter(there)).collect()
    }
}

impl Pending {
    fn new(batch: Batch, spec: &UnnestSpec) -> Result<Self> {
        let elements = Elements::of(batch.column(spec.collection))?;
        let of_row = batch.byte_size() / batch.num_rows().max(1);
        let values = &elements.values;
        let of_element = values.get_array_memory_size() / values.len().max(1);
        let unchanged = unchanged::elements(&batch, &elements, spec);
        Ok(Pending {
            part_rows: (OUTPUT_BYTES / (of_row + of_element).max(1)).clamp(1, OUTPUT_ROWS),
            batch,
            elements,
            row: 0,
            given: stays(&unchanged, 0),
            unchanged,
        })
    }

    /// What comes next, as many rows as make a part.
    fn next_part(&mut self, outer: bool) -> Result<Part> {
        let mut part = Part::new();
        while self.row < self.batch.num_rows() && part.rows.len() < self.part_rows {
            let row = as_number(self.row)?;
            let all = self.elements.of_row(self.row);
            if all.is_empty() && outer && self.given == 0 {
                part.push_alone(row);
            }
            let left = all.len().saturating_sub(self.given);
            let count = left.min(self.part_rows - part.rows.len());
            for place in self.given..self.given + count {
                let number = i32::try_from(place + 1).map_err(|_| too_many())?;
                part.push(row, as_number(all.start + place)?, number);
            }
            self.given += count;
            if self.given >= all.len() {
                self.row += 1;
                self.given = stays(&self.unchanged, self.row);
            }
        }
        Ok(part)
    }

    fn gather(&self, mut part: Part, spec: &UnnestSpec, output: &SchemaRef) -> Result<Batch> {
        let count = part.rows.len();
        let kinds = self.kinds(&part.rows);
        let rows = UInt32Array::from(part.rows);
        let there = part.there.finish();
        let elements = UInt32Array::new(part.elements.into(), there.clone());
        let numbers: ArrayRef = Arc::new(Int32Array::new(part.numbers.into(), there));
        let of_rows = self.elements.with_rows(&elements);
        let mut columns = Vec::with_capacity(spec.columns.len());
        for column in &spec.columns {
            columns.push(match column {
                UnnestColumn::Input(index) => take(self.batch.column(*index), &rows, None)?,
                UnnestColumn::Element => take(&self.elements.values, &elements, None)?,
                UnnestColumn::Field(index) => take(self.elements.field(*index)?, &of_rows, None)?,
                UnnestColumn::Ordinality => numbers.clone(),
            });
        }
        Ok(Batch::from_parts(rows_of(output, columns, count)?, kinds))
    }

    /// The kinds of rows of the output, where any are not inserts.
    fn kinds(&self, rows: &[u32]) -> Option<UInt8Array> {
        self.batch.kinds()?;
        let kind = |row: &u32| match self.batch.kind(*row as usize).is_retraction() {
            true => RowKind::Delete as u8,
            false => RowKind::Insert as u8,
        };
        Some(rows.iter().map(kind).collect::<Vec<u8>>().into())
    }
}

fn stays(unchanged: &Option<Vec<usize>>, row: usize) -> usize {
    let unchanged = unchanged.as_ref();
    unchanged.and_then(|u| u.get(row).copied()).unwrap_or(0)
}

fn as_number(index: usize) -> Result<u32> {
    u32::try_from(index).map_err(|_| too_many())
}

fn too_many() -> EngineError {
    EngineError::config("UNNEST has a batch of rows with more than 2,147,483,647 elements")
}

impl Operator for Unnest {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        self.pending = Some(Pending::new(batch, &self.spec)?);
        self.go_on(output)
    }

    fn has_more(&self) -> bool {
        self.pending.is_some()
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        self.go_on(output)
    }
}
