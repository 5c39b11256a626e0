//! Raw bytes: a row is one value of one column, without any structure around it.
//!
//! Text and bytes are the payload as it is; in streams, each line is a row. Truth values and numbers
//! have their binary form of fixed length, big-endian unless `raw.endianness` says otherwise; nothing
//! separates them, so they can only be messages. A value that is NULL has no payload.

mod charset;
mod decode;
mod encode;

#[cfg(test)]
mod tests;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use levada_engine::{EngineError, Result};

use crate::format::ledger::Ledger;
use crate::format::{Decoder, Encoder, Framing, OnBadRow, RowFormat};
use crate::options::Options;

use charset::Charset;

/// The format `raw`.
#[derive(Debug, Clone, Copy)]
pub struct Raw {
    charset: Charset,
    little_endian: bool,
}

impl Raw {
    /// Reads the options `{prefix}raw.…`.
    pub fn from_options(prefix: &str, options: &mut Options) -> Result<Self> {
        let charset = options.choice(&format!("{prefix}raw.charset"), Charset::NAMES)?;
        let orders = [("big-endian", false), ("little-endian", true)];
        let little_endian = options.choice(&format!("{prefix}raw.endianness"), &orders)?;
        Ok(Self {
            charset: charset.unwrap_or(Charset::Utf8),
            little_endian: little_endian.unwrap_or(false),
        })
    }
}

/// The only column of a schema.
fn only_column(schema: &Schema) -> Result<&Field> {
    let field = match schema.fields().as_ref() {
        [field] => field,
        fields => {
            return Err(EngineError::config(format!(
                "the format 'raw' holds exactly one column, but the table has {}",
                fields.len()
            )));
        }
    };
    match field.data_type() {
        DataType::Utf8
        | DataType::Binary
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64 => Ok(field),
        other => Err(EngineError::config(format!(
            "the column '{}' has a type that the format 'raw' cannot hold: {other}",
            field.name()
        ))
        .with_hint("use STRING, BYTES, BOOLEAN or a number type other than DECIMAL")),
    }
}

/// Whether the values of a column can be told apart by line ends.
fn is_lines(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Utf8 | DataType::Binary)
}

impl RowFormat for Raw {
    fn identifier(&self) -> &'static str {
        "raw"
    }

    fn splittable(&self) -> bool {
        true
    }

    fn decoder(
        &self,
        table: &Schema,
        wanted: SchemaRef,
        on_bad_row: OnBadRow,
    ) -> Result<Box<dyn Decoder>> {
        let lines = is_lines(only_column(table)?);
        let ledger = Ledger::new(None, on_bad_row)?;
        Ok(Box::new(decode::RawDecoder::new(
            *self, wanted, lines, ledger,
        )?))
    }

    fn encoder(&self, schema: SchemaRef, framing: Framing) -> Result<Box<dyn Encoder>> {
        let field = only_column(&schema)?;
        if framing == Framing::Line && !is_lines(field) {
            return Err(no_lines(field));
        }
        Ok(Box::new(encode::RawEncoder::new(*self, framing)))
    }
}

fn no_lines(field: &Field) -> EngineError {
    EngineError::config(format!(
        "nothing separates the binary values of the column '{}' ({}) in a file",
        field.name(),
        field.data_type()
    ))
    .with_hint("in files, the format 'raw' holds STRING or BYTES, one per line")
}
