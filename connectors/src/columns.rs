//! Where the columns of a source's rows come from.
//!
//! Some columns stand in the payload and are decoded by a format; the connector knows the others:
//! metadata, folders, message keys. A [`Layout`] takes the schema that the engine asked for apart
//! into these parts, and puts the parts together again as batches of exactly that schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::util::display::FormatOptions;

use levada_engine::connector::TableDescriptor;
use levada_engine::{EngineError, Result};

use crate::options::unknown_name;

#[cfg(test)]
mod tests;

/// Where one column comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin<D> {
    /// Decoded from the payload.
    Value,
    /// Decoded from the message key, where it has this name.
    Key(String),
    /// Known to the connector.
    Derived(D),
}

/// The parts of a schema.
#[derive(Debug, Clone)]
pub(crate) struct Layout<D> {
    target: SchemaRef,
    value: SchemaRef,
    key: SchemaRef,
    derived: Vec<(D, FieldRef)>,
    places: Vec<Place>,
    /// Whether the payload is all there is.
    only_value: bool,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Value(usize),
    Key(usize),
    Derived(usize),
}

impl<D: Clone> Layout<D> {
    /// Takes `target` apart; `origin` says where each column comes from.
    pub(crate) fn new(
        target: &SchemaRef,
        mut origin: impl FnMut(&Field) -> Result<Origin<D>>,
    ) -> Result<Self> {
        let (mut value, mut key) = (Vec::new(), Vec::new());
        let (mut derived, mut places) = (Vec::new(), Vec::new());
        for field in target.fields() {
            match origin(field)? {
                Origin::Value => {
                    places.push(Place::Value(value.len()));
                    value.push(Arc::clone(field));
                }
                Origin::Key(name) => {
                    places.push(Place::Key(key.len()));
                    key.push(Arc::new(field.as_ref().clone().with_name(name)));
                }
                Origin::Derived(what) => {
                    places.push(Place::Derived(derived.len()));
                    derived.push((what, Arc::clone(field)));
                }
            }
        }
        Ok(Self {
            target: Arc::clone(target),
            only_value: key.is_empty() && derived.is_empty(),
            value: Arc::new(Schema::new(value)),
            key: Arc::new(Schema::new(key)),
            derived,
            places,
        })
    }

    /// The same with rows of `target`, which may have NULL where the parts have none.
    pub(crate) fn delivering(self, target: &SchemaRef) -> Self {
        Self {
            only_value: self.only_value && self.target == *target,
            target: Arc::clone(target),
            ..self
        }
    }

    /// The columns to decode from the payload.
    pub(crate) fn value(&self) -> &SchemaRef {
        &self.value
    }

    /// The columns to decode from the message key.
    pub(crate) fn key(&self) -> &SchemaRef {
        &self.key
    }

    /// The columns that the connector fills, with the fields that they become.
    pub(crate) fn derived(&self) -> &[(D, FieldRef)] {
        &self.derived
    }

    /// Puts the parts together. All parts have as many rows as `value`.
    pub(crate) fn assemble(
        &self,
        value: RecordBatch,
        key: &[ArrayRef],
        derived: &[ArrayRef],
    ) -> Result<RecordBatch> {
        if self.only_value {
            return Ok(value);
        }
        let part = |place: &Place| match place {
            Place::Value(index) => value.columns().get(*index).cloned(),
            Place::Key(index) => key.get(*index).cloned(),
            Place::Derived(index) => derived.get(*index).cloned(),
        };
        let columns: Option<Vec<_>> = self.places.iter().map(part).collect();
        let columns =
            columns.ok_or_else(|| EngineError::data("a part of the row's columns is missing"))?;
        let options = RecordBatchOptions::new().with_row_count(Some(value.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.target), columns, &options)
            .map_err(|e| EngineError::data(format!("the row does not suit the table: {e}")))
    }
}

/// Something that a connector knows about a row besides its payload.
pub(crate) trait MetadataKey: Copy + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// The name in `METADATA FROM '…'`.
    fn key(self) -> &'static str;

    /// The type that the connector delivers.
    fn data_type(self) -> DataType;
}

/// The metadata columns of a table by name; an unknown key, or a type that the metadata does not
/// convert to, is an error.
pub(crate) fn metadata<M: MetadataKey>(table: &TableDescriptor) -> Result<BTreeMap<String, M>> {
    let mut known = BTreeMap::new();
    for (column, key) in &table.metadata {
        let found = M::ALL.iter().find(|m| m.key() == key);
        let metadata = found
            .ok_or_else(|| unknown_name("metadata key", key, M::ALL.iter().map(|m| m.key())))?;
        if let Ok(field) = table.schema.field_with_name(column) {
            check_convertible(key, &metadata.data_type(), field)?;
        }
        known.insert(column.clone(), *metadata);
    }
    Ok(known)
}

/// Refuses a column whose declared type the connector's own type does not convert to.
fn check_convertible(key: &str, from: &DataType, field: &Field) -> Result<()> {
    if from == field.data_type() || can_cast_types(from, field.data_type()) {
        return Ok(());
    }
    Err(EngineError::config(format!(
        "the metadata column '{}' has the type {}, which '{key}' ({from}) does not convert to",
        field.name(),
        field.data_type()
    )))
}

/// Converts a column that the connector filled to the type that the table declares.
pub(crate) fn convert(array: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if array.data_type() == field.data_type() {
        return Ok(Arc::clone(array));
    }
    let strict = CastOptions {
        safe: false,
        format_options: FormatOptions::default(),
    };
    cast_with_options(array, field.data_type(), &strict).map_err(|e| {
        EngineError::data(format!(
            "column '{}': a value does not convert to {}: {e}",
            field.name(),
            field.data_type()
        ))
    })
}
