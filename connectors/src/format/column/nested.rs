//! Columns of arrays and maps.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use super::validity::Validity;
use super::{Column, Text, inconsistent};
use levada_engine::{EngineError, Result};

/// Where each row's elements end.
#[derive(Debug)]
struct Ends {
    offsets: Vec<i32>,
    validity: Validity,
}

impl Ends {
    fn new() -> Self {
        Self {
            offsets: vec![0],
            validity: Validity::default(),
        }
    }

    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    fn elements(&self) -> usize {
        self.offsets.last().map_or(0, |end| *end as usize)
    }

    fn end_row(&mut self, elements: usize) -> bool {
        let Ok(end) = i32::try_from(elements) else {
            return false;
        };
        self.offsets.push(end);
        self.validity.push_valid();
        true
    }

    fn push_null(&mut self) {
        self.validity.push_null(self.rows());
        self.offsets.push(self.offsets.last().copied().unwrap_or(0));
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.validity.truncate(rows);
    }

    fn bytes(&self) -> usize {
        size_of_val(self.offsets.as_slice()) + self.validity.bytes()
    }

    fn take(&mut self) -> OffsetBuffer<i32> {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        OffsetBuffer::new(ScalarBuffer::from(offsets))
    }
}

/// A column of arrays.
#[derive(Debug)]
pub(crate) struct List {
    pub element: Column,
    pub field: FieldRef,
    ends: Ends,
}

impl List {
    pub(crate) fn new(field: &FieldRef) -> Result<Self> {
        Ok(Self {
            element: Column::new(field)?,
            field: field.clone(),
            ends: Ends::new(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.rows()
    }

    /// Makes a row of the elements added since the last one; `false` if there are too many.
    pub(crate) fn end_row(&mut self) -> bool {
        let elements = self.element.len();
        self.ends.end_row(elements)
    }

    pub(crate) fn push_null(&mut self) {
        self.ends.push_null();
    }

    /// Takes back the rows from number `rows` on, and the elements of an unfinished one.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.element.truncate(self.ends.elements());
    }

    pub(crate) fn bytes(&self) -> usize {
        self.ends.bytes() + self.element.bytes()
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        let (offsets, values) = (self.ends.take(), self.element.finish()?);
        let nulls = self.ends.validity.finish();
        let array = ListArray::try_new(self.field.clone(), offsets, values, nulls);
        Ok(Arc::new(array.map_err(inconsistent)?))
    }
}

/// A column of maps with text for keys.
#[derive(Debug)]
pub(crate) struct Map {
    pub keys: Text,
    pub values: Column,
    entries: FieldRef,
    fields: Fields,
    ends: Ends,
}

impl Map {
    pub(crate) fn new(entries: &FieldRef) -> Result<Self> {
        let (fields, value) = match entries.data_type() {
            DataType::Struct(fields) => match fields.as_ref() {
                [key, value] if key.data_type() == &DataType::Utf8 => (fields.clone(), value),
                [key, _] => return Err(wrong_key(key)),
                _ => return Err(super::unsupported(entries)),
            },
            _ => return Err(super::unsupported(entries)),
        };
        Ok(Self {
            keys: Text::default(),
            values: Column::new(value)?,
            entries: entries.clone(),
            fields,
            ends: Ends::new(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.rows()
    }

    /// Whether a value may be NULL.
    pub(crate) fn value_field(&self) -> Option<&FieldRef> {
        self.fields.get(1)
    }

    /// Makes a row of the entries added since the last one; `false` if there are too many.
    pub(crate) fn end_row(&mut self) -> bool {
        self.ends.end_row(self.keys.len())
    }

    pub(crate) fn push_null(&mut self) {
        self.ends.push_null();
    }

    /// Takes back the rows from number `rows` on, and the entries of an unfinished one.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.keys.truncate(self.ends.elements());
        self.values.truncate(self.ends.elements());
    }

    pub(crate) fn bytes(&self) -> usize {
        self.ends.bytes() + self.keys.bytes() + self.values.bytes()
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        let columns = vec![self.keys.finish()?, self.values.finish()?];
        let entries = StructArray::try_new(self.fields.clone(), columns, None);
        let entries = entries.map_err(inconsistent)?;
        let (offsets, nulls) = (self.ends.take(), self.ends.validity.finish());
        let array = MapArray::try_new(self.entries.clone(), offsets, entries, nulls, false);
        Ok(Arc::new(array.map_err(inconsistent)?))
    }
}

fn wrong_key(key: &Field) -> EngineError {
    EngineError::config(format!(
        "a MAP with keys of type {} cannot be held by a text format",
        key.data_type()
    ))
    .with_hint("use a MAP with STRING keys")
}
