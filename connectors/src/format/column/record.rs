//! Named columns side by side: the row itself, and columns of type ROW.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StructArray};
use arrow::datatypes::{FieldRef, Fields, SchemaRef};

use super::keys::Keys;
use super::validity::Validity;
use super::{Column, inconsistent};
use levada_engine::Result;

/// One of a record's columns.
#[derive(Debug)]
pub(crate) struct Child {
    pub field: FieldRef,
    pub column: Column,
}

/// Columns with names, which grow together, row by row.
///
/// While a row is being added, some children are one longer than `rows`.
#[derive(Debug)]
pub(crate) struct Record {
    pub children: Vec<Child>,
    /// Rows that are complete.
    pub rows: usize,
    /// How a key in the input finds its child.
    pub keys: Keys,
}

impl Record {
    pub(crate) fn new(fields: &Fields) -> Result<Self> {
        let children = fields.iter().map(|field| {
            let column =
                Column::new(field).map_err(|e| e.at(&format!("column '{}'", field.name())))?;
            Ok(Child {
                field: field.clone(),
                column,
            })
        });
        Ok(Self {
            children: children.collect::<Result<_>>()?,
            rows: 0,
            keys: Keys::new(fields.iter().map(|field| field.name().as_str())),
        })
    }

    /// Takes back the rows from number `rows` on, and what was added of an unfinished one.
    pub(crate) fn truncate(&mut self, rows: usize) {
        for child in &mut self.children {
            child.column.truncate(rows);
        }
        self.rows = rows;
    }

    /// Memory held, in bytes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.children.iter().map(|child| child.column.bytes()).sum()
    }

    /// Takes the complete rows as arrays and leaves the columns empty.
    pub(crate) fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.rows = 0;
        self.children
            .iter_mut()
            .map(|child| child.column.finish())
            .collect()
    }

    /// Takes the complete rows as a batch of `schema`, whose columns these are.
    pub(crate) fn finish_batch(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let columns = self.finish()?;
        RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
            .map_err(inconsistent)
    }
}

/// A column of type ROW.
#[derive(Debug)]
pub(crate) struct Struct {
    pub record: Record,
    fields: Fields,
    validity: Validity,
}

impl Struct {
    pub(crate) fn new(fields: &Fields) -> Result<Self> {
        Ok(Self {
            record: Record::new(fields)?,
            fields: fields.clone(),
            validity: Validity::default(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.record.rows
    }

    /// Notes that the record has got a row that is not NULL.
    #[inline]
    pub(crate) fn end_row(&mut self) {
        self.validity.push_valid();
    }

    pub(crate) fn push_null(&mut self) {
        self.validity.push_null(self.record.rows);
        for child in &mut self.record.children {
            child.column.push_null();
        }
        self.record.rows += 1;
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.record.truncate(rows);
        self.validity.truncate(rows);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.record.bytes() + self.validity.bytes()
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        let rows = self.record.rows;
        let (columns, nulls) = (self.record.finish()?, self.validity.finish());
        if self.fields.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(rows, nulls)));
        }
        let array = StructArray::try_new(self.fields.clone(), columns, nulls);
        Ok(Arc::new(array.map_err(inconsistent)?))
    }
}
