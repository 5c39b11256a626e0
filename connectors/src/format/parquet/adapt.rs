//! From the columns of a file to those of a table.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StructArray, new_null_array,
};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::util::display::FormatOptions;
use levada_engine::{EngineError, Result};
use object_store::ObjectMeta;

/// Brings batches of a file into the schema of a table.
#[derive(Debug)]
pub(super) struct Adapter {
    schema: SchemaRef,
}

impl Adapter {
    /// Fails if a column of the file cannot be converted to the table's, or if the file lacks one
    /// that is NOT NULL.
    pub(super) fn new(file_schema: &Schema, schema: SchemaRef, file: &ObjectMeta) -> Result<Self> {
        for wanted in schema.fields() {
            let found = file_schema.fields().find(wanted.name());
            check(
                found.map(|(_, field)| field.as_ref()),
                wanted,
                wanted.name(),
            )
            .map_err(|error| error.at(&format!("file '{}'", file.location)))?;
        }
        Ok(Self { schema })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn adapt(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let columns = self.schema.fields().iter().map(|wanted| {
            column(batch.column_by_name(wanted.name()), wanted, rows)
                .map_err(|error| error.at(&format!("column '{}'", wanted.name())))
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| EngineError::data(format!("the rows do not suit the table: {error}")))
    }
}

fn check(found: Option<&Field>, wanted: &Field, path: &str) -> Result<()> {
    let Some(found) = found else {
        if wanted.is_nullable() {
            return Ok(());
        }
        return Err(EngineError::data(format!(
            "there is no column '{path}', which the table declares as NOT NULL"
        )));
    };
    match (found.data_type(), wanted.data_type()) {
        (DataType::Struct(in_file), DataType::Struct(in_table)) => {
            in_table.iter().try_for_each(|field| {
                let found = in_file.find(field.name()).map(|(_, found)| found.as_ref());
                check(found, field, &format!("{path}.{}", field.name()))
            })
        }
        (from, to) if from == to || can_cast_types(from, to) => Ok(()),
        (from, to) => Err(EngineError::config(format!(
            "the column '{path}' is {from} in the file, which does not convert to the table's {to}"
        ))
        .with_hint("declare the column with a type that suits the file")),
    }
}

fn column(found: Option<&ArrayRef>, wanted: &Field, rows: usize) -> Result<ArrayRef> {
    let Some(array) = found else {
        return Ok(new_null_array(wanted.data_type(), rows));
    };
    match (array.data_type(), wanted.data_type()) {
        (from, to) if from == to => Ok(Arc::clone(array)),
        (DataType::Struct(_), DataType::Struct(fields)) => row(array.as_struct(), fields),
        (_, to) => {
            let options = CastOptions {
                safe: false,
                format_options: FormatOptions::default(),
            };
            Ok(cast_with_options(array, to, &options)?)
        }
    }
}

fn row(array: &StructArray, fields: &Fields) -> Result<ArrayRef> {
    if fields.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(
            array.len(),
            array.nulls().cloned(),
        )));
    }
    let children = fields.iter().map(|field| {
        column(array.column_by_name(field.name()), field, array.len())
            .map_err(|error| error.at(&format!("field '{}'", field.name())))
    });
    let children = children.collect::<Result<Vec<_>>>()?;
    let adapted = StructArray::try_new(fields.clone(), children, array.nulls().cloned());
    Ok(Arc::new(adapted?))
}
