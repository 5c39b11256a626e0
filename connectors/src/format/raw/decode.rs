//! The raw decoder.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use levada_engine::{EngineError, Result};

use super::Raw;
use crate::format::block::{line, whole_lines};
use crate::format::column::{Column, Record};
use crate::format::fault::Fault;
use crate::format::ledger::Ledger;
use crate::format::{BadRow, Decoder, Input, MOST_BYTES, Position};

/// Decodes single values.
#[derive(Debug)]
pub(super) struct RawDecoder {
    schema: SchemaRef,
    /// The table's column, or none at all if no query reads it.
    record: Record,
    format: Raw,
    /// Whether a stream is made of lines.
    lines: bool,
    ledger: Ledger,
}

impl RawDecoder {
    pub(super) fn new(format: Raw, schema: SchemaRef, lines: bool, ledger: Ledger) -> Result<Self> {
        if let [_, _, ..] = schema.fields().as_ref() {
            super::only_column(&schema)?;
        }
        Ok(Self {
            record: Record::new(schema.fields())?,
            schema,
            format,
            lines,
            ledger,
        })
    }

    fn row(&mut self, payload: &[u8], position: Position) -> Result<()> {
        let rows = self.record.rows;
        let added = self.record.children.iter_mut().try_for_each(|child| {
            push(&mut child.column, payload, self.format).map_err(|f| f.within(child.field.name()))
        });
        match added {
            Ok(()) => self.record.rows += 1,
            Err(fault) => {
                self.record.truncate(rows);
                self.ledger.bad_row(payload, position, &fault)?;
            }
        }
        Ok(())
    }
}

fn push(column: &mut Column, payload: &[u8], format: Raw) -> std::result::Result<(), Fault> {
    macro_rules! number {
        ($values:expr, $type:ty, $name:expr) => {
            match <[u8; size_of::<$type>()]>::try_from(payload) {
                Ok(bytes) if format.little_endian => $values.push(<$type>::from_le_bytes(bytes)),
                Ok(bytes) => $values.push(<$type>::from_be_bytes(bytes)),
                Err(_) => return Err(wrong_length(payload, size_of::<$type>(), $name)),
            }
        };
    }
    match column {
        Column::Utf8(values) => {
            let decoded = format.charset.decode(payload, values.buffer());
            decoded.map_err(|reason| Fault::value(0, reason))?;
            return fits(values.end_value());
        }
        Column::Binary(values) => return fits(values.push(payload)),
        Column::Boolean(values) => match payload {
            [byte] => values.push(*byte != 0),
            _ => return Err(wrong_length(payload, 1, "BOOLEAN")),
        },
        Column::Int8(values) => number!(values, i8, "TINYINT"),
        Column::Int16(values) => number!(values, i16, "SMALLINT"),
        Column::Int32(values) => number!(values, i32, "INT"),
        Column::Int64(values) => number!(values, i64, "BIGINT"),
        Column::Float32(values) => number!(values, f32, "FLOAT"),
        Column::Float64(values) => number!(values, f64, "DOUBLE"),
        other => {
            let message = format!("a {} has no raw form", other.type_name());
            return Err(Fault::value(0, message));
        }
    }
    Ok(())
}

fn fits(fits: bool) -> std::result::Result<(), Fault> {
    if fits {
        Ok(())
    } else {
        Err(Fault::value(
            0,
            "a column would grow past 2 GiB in one batch",
        ))
    }
}

#[cold]
fn wrong_length(payload: &[u8], expected: usize, type_name: &str) -> Fault {
    let message = format!(
        "a {type_name} has {expected} bytes, but there are {}",
        payload.len()
    );
    Fault::value(0, message)
}

impl Decoder for RawDecoder {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn decode_message(&mut self, payload: &[u8], offset: u64) -> Result<usize> {
        let rows = self.record.rows;
        self.row(payload, Position::message(offset))?;
        Ok(self.record.rows - rows)
    }

    fn decode(&mut self, input: Input<'_>) -> Result<usize> {
        if !self.lines {
            return Err(
                EngineError::config("nothing separates binary values in a file")
                    .with_hint("in files, the format 'raw' holds STRING or BYTES, one per line"),
            );
        }
        let mut consumed = 0;
        while self.record.bytes() < MOST_BYTES {
            let Some(block) = whole_lines(&input, consumed) else {
                break;
            };
            let mut at = 0;
            while at < block.len()
                && self.record.rows < input.max_rows
                && self.ledger.position.offset < input.end
            {
                let (payload, next) = line(block, at);
                self.row(payload, self.ledger.position)?;
                self.ledger.position.advance(next - at, 1);
                at = next;
            }
            consumed += at;
            if at < block.len() {
                break;
            }
        }
        Ok(consumed)
    }

    fn position(&self) -> Position {
        self.ledger.position
    }

    fn seek(&mut self, position: Position) {
        self.ledger.position = position;
    }

    fn rows(&self) -> usize {
        self.record.rows
    }

    fn buffered_bytes(&self) -> usize {
        self.record.bytes()
    }

    fn flush(&mut self) -> Result<RecordBatch> {
        self.record.finish_batch(&self.schema)
    }

    fn take_bad_rows(&mut self) -> Vec<BadRow> {
        self.ledger.take_bad_rows()
    }

    fn rows_ignored(&self) -> u64 {
        self.ledger.rows_ignored()
    }
}
