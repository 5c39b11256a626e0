//! The CSV encoder. A field is quoted where it has to be: where its text holds a delimiter, a quote,
//! a line end, or would be taken for NULL or a comment.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use levada_engine::{EngineError, Result};

use super::Dialect;
use crate::format::cells::{Cells, TimestampForm};
use crate::format::{Encoded, Encoder, Framing};

/// Encodes rows as CSV.
#[derive(Debug)]
pub(super) struct CsvEncoder {
    dialect: Dialect,
    framing: Framing,
    scratch: Vec<u8>,
}

impl CsvEncoder {
    pub(super) fn new(schema: &SchemaRef, dialect: Dialect, framing: Framing) -> Result<Self> {
        for field in schema.fields() {
            Cells::new(field, &arrow::array::new_empty_array(field.data_type()))?;
        }
        Ok(Self {
            dialect,
            framing,
            scratch: Vec::new(),
        })
    }

    fn row(&mut self, columns: &[(&str, Cells)], row: usize, out: &mut Vec<u8>) -> Result<()> {
        for (i, (name, cells)) in columns.iter().enumerate() {
            if i > 0 {
                out.push(self.dialect.delimiter);
            }
            if cells.is_null(row) {
                let null = self.dialect.null_literal.as_deref().unwrap_or_default();
                if columns.len() == 1 && null.is_empty() {
                    return Err(EngineError::data(format!(
                        "column '{name}': a row of nothing but a NULL would be a blank line"
                    ))
                    .with_hint("set 'csv.null-literal'"));
                }
                out.extend_from_slice(null);
                continue;
            }
            self.scratch.clear();
            cells.write_plain(row, &mut self.scratch, TimestampForm::Sql);
            // A row of one empty field would be a blank line, which is no row.
            let alone = columns.len() == 1 && self.scratch.is_empty();
            let null_like = alone || self.dialect.null_literal.as_ref() == Some(&self.scratch);
            self.dialect
                .write(&self.scratch, i == 0, null_like, out)
                .map_err(|e| e.at(&format!("column '{name}'")))?;
        }
        if self.framing == Framing::Line {
            out.push(b'\n');
        }
        Ok(())
    }
}

impl Dialect {
    /// Writes a field.
    fn write(&self, text: &[u8], first: bool, null_like: bool, out: &mut Vec<u8>) -> Result<()> {
        let special = |byte: &u8| {
            matches!(byte, b'\n' | b'\r')
                || *byte == self.delimiter
                || Some(*byte) == self.quote
                || Some(*byte) == self.escape
        };
        let comment = first && self.comments && text.first() == Some(&b'#');
        if !(null_like || comment || text.iter().any(special)) {
            out.extend_from_slice(text);
            return Ok(());
        }
        match (self.quote, self.escape) {
            (Some(quote), escape) => {
                out.push(quote);
                for byte in text {
                    if *byte == quote {
                        out.push(quote);
                    } else if Some(*byte) == escape {
                        out.push(*byte);
                    }
                    out.push(*byte);
                }
                out.push(quote);
            }
            (None, Some(escape)) if !null_like => {
                for (i, byte) in text.iter().enumerate() {
                    match byte {
                        b'\n' => out.extend_from_slice(&[escape, b'n']),
                        b'\r' => out.extend_from_slice(&[escape, b'r']),
                        byte if special(byte) || (comment && i == 0) => {
                            out.extend_from_slice(&[escape, *byte]);
                        }
                        byte => out.push(*byte),
                    }
                }
            }
            _ => {
                let what = "a value holds a delimiter or line end, or looks like NULL, and quotes are disabled";
                return Err(EngineError::data(what)
                    .with_hint("allow quotes, or set 'csv.escape-character'"));
            }
        }
        Ok(())
    }
}

impl Encoder for CsvEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut Encoded) -> Result<()> {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns());
        let columns =
            columns.map(|(field, array)| Ok((field.name().as_str(), Cells::new(field, array)?)));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let (rows, bytes) = (out.rows(), out.bytes.len());
        for row in 0..batch.num_rows() {
            let start = out.bytes.len();
            if let Err(error) = self.row(&columns, row, &mut out.bytes) {
                out.truncate(rows, bytes);
                return Err(error);
            }
            out.end_row(start);
        }
        Ok(())
    }
}
