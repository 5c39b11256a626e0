//! The raw encoder.

use arrow::array::RecordBatch;
use levada_engine::{EngineError, Result};

use super::Raw;
use crate::format::cells::{Cells, Values};
use crate::format::{Encoded, Encoder, Framing};

/// Encodes single values.
#[derive(Debug)]
pub(super) struct RawEncoder {
    format: Raw,
    framing: Framing,
}

impl RawEncoder {
    pub(super) fn new(format: Raw, framing: Framing) -> Self {
        Self { format, framing }
    }

    fn value(&self, cells: &Cells, row: usize, out: &mut Vec<u8>) -> Result<()> {
        macro_rules! number {
            ($values:expr) => {
                match $values.get(row) {
                    Some(value) if self.format.little_endian => {
                        out.extend_from_slice(&value.to_le_bytes())
                    }
                    Some(value) => out.extend_from_slice(&value.to_be_bytes()),
                    None => {}
                }
            };
        }
        match &cells.values {
            Values::Utf8(values) => {
                let encoded = self.format.charset.encode(values.value(row), out);
                encoded.map_err(|reason| {
                    EngineError::data(format!("{reason}: {}", values.value(row)))
                })?;
            }
            Values::Binary(values) => out.extend_from_slice(values.value(row)),
            Values::Boolean(values) => out.push(u8::from(values.value(row))),
            Values::Int8(values) => number!(values),
            Values::Int16(values) => number!(values),
            Values::Int32(values) => number!(values),
            Values::Int64(values) => number!(values),
            Values::Float32(values) => number!(values),
            Values::Float64(values) => number!(values),
            _ => return Err(EngineError::config("the column's type has no raw form")),
        }
        Ok(())
    }

    fn row(&self, cells: &Cells, row: usize, out: &mut Encoded) -> Result<()> {
        let start = out.bytes.len();
        let null = cells.is_null(row);
        if null && self.framing == Framing::Message {
            out.absent_row();
            return Ok(());
        }
        if !null {
            self.value(cells, row, &mut out.bytes)?;
        }
        if self.framing == Framing::Line {
            if memchr::memchr(b'\n', out.bytes.get(start..).unwrap_or_default()).is_some() {
                let what =
                    "a value holds a line end, which would make several rows of it in a file";
                return Err(EngineError::data(what).with_hint("use the format 'json' or 'csv'"));
            }
            out.bytes.push(b'\n');
        }
        out.end_row(start);
        Ok(())
    }
}

impl Encoder for RawEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut Encoded) -> Result<()> {
        let schema = batch.schema();
        let field = super::only_column(&schema)?;
        let Some(array) = batch.columns().first() else {
            return Ok(());
        };
        let cells = Cells::new(field, array)?;
        let (rows, bytes) = (out.rows(), out.bytes.len());
        for row in 0..batch.num_rows() {
            if let Err(error) = self.row(&cells, row, out) {
                out.truncate(rows, bytes);
                return Err(error.at(&format!("column '{}'", field.name())));
            }
        }
        Ok(())
    }
}
