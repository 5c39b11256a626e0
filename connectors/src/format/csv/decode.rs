//! The CSV decoder: rows from messages and from streams.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use levada_engine::{EngineError, Result};

use super::split::{Line, Span};
use super::{Csv, Dialect, value};
use crate::format::block::{byte_order_mark, check_utf8, line, whole_lines};
use crate::format::column::{Column, Record};
use crate::format::fault::Fault;
use crate::format::ledger::Ledger;
use crate::format::{BadRow, Decoder, Input, MOST_BYTES, Position};

/// A row is not looked for the end of any further than this; a quote without its partner would
/// otherwise swallow the rest of the file.
const LONGEST_ROW: usize = 16 << 20;

/// Decodes CSV rows.
#[derive(Debug)]
pub(super) struct CsvDecoder {
    schema: SchemaRef,
    record: Record,
    /// For each of the record's columns, its place in a row.
    places: Vec<usize>,
    /// How many columns a row has.
    width: usize,
    dialect: Dialect,
    ignore_parse_errors: bool,
    ledger: Ledger,
    spans: Vec<Span>,
    scratch: Vec<u8>,
}

impl CsvDecoder {
    pub(super) fn new(
        format: &Csv,
        table: &Schema,
        schema: SchemaRef,
        ledger: Ledger,
    ) -> Result<Self> {
        let place = |field: &arrow::datatypes::FieldRef| {
            table.index_of(field.name()).map_err(|_| {
                EngineError::config(format!(
                    "the column '{}' is not in the CSV rows",
                    field.name()
                ))
            })
        };
        Ok(Self {
            record: Record::new(schema.fields())?,
            places: schema.fields().iter().map(place).collect::<Result<_>>()?,
            width: table.fields().len(),
            dialect: format.dialect.clone(),
            ignore_parse_errors: format.ignore_parse_errors,
            ledger,
            spans: Vec::new(),
            scratch: Vec::new(),
            schema,
        })
    }

    /// Adds the row whose fields are in `spans` to the columns; places in errors count from `row_at`.
    fn row(&mut self, bytes: &[u8], row_at: usize) -> Result<(), Fault> {
        if self.spans.len() != self.width && !self.ignore_parse_errors {
            let message = format!(
                "the row has {} fields, expected {}",
                self.spans.len(),
                self.width
            );
            return Err(Fault::syntax(0, message));
        }
        for (child, place) in self.record.children.iter_mut().zip(&self.places) {
            let column = &mut child.column;
            let added = match self.spans.get(*place) {
                None => None,
                Some(span) => {
                    let text = bytes.get(span.start..span.end).unwrap_or_default();
                    let at = span.start.saturating_sub(row_at);
                    if self.dialect.is_null(text, span, column) {
                        None
                    } else if span.escaped {
                        self.scratch.clear();
                        self.dialect.unescape(text, span.quoted, &mut self.scratch);
                        Some(value::push(column, &self.scratch, at))
                    } else {
                        Some(value::push(column, text, at))
                    }
                }
            };
            match added {
                Some(Ok(())) => continue,
                Some(Err(fault)) if !self.ignore_parse_errors => {
                    return Err(fault.within(child.field.name()));
                }
                _ if !child.field.is_nullable() => {
                    let fault = Fault::value(0, "there is no value, and the column is NOT NULL");
                    return Err(fault.within(child.field.name()));
                }
                _ => column.push_null(),
            }
        }
        self.record.rows += 1;
        Ok(())
    }

    /// Decodes the row at `at` of `bytes` and returns where the next one begins; `None` if the row
    /// does not end in `bytes`. `valid`: all of `bytes` is known to be UTF-8.
    fn next(&mut self, bytes: &[u8], at: usize, last: bool, valid: bool) -> Result<Option<usize>> {
        let mut spans = std::mem::take(&mut self.spans);
        let split = self.dialect.split(bytes, at, last, &mut spans);
        self.spans = spans;
        let rows = self.record.rows;
        let (end, result) = match split {
            Ok(Line::Incomplete) if bytes.len() - at < LONGEST_ROW => return Ok(None),
            Ok(Line::Incomplete) => {
                let fault = Fault::syntax(
                    0,
                    format!("the row does not end within {LONGEST_ROW} bytes"),
                );
                (line(bytes, at).1, Err(fault))
            }
            Err(fault) => (line(bytes, at).1, Err(fault)),
            Ok(Line::Nothing(end)) => (end, Ok(())),
            Ok(Line::Row(end)) => {
                let text = bytes.get(at..end).unwrap_or_default();
                let checked = if valid { Ok(()) } else { check_utf8(text) };
                (end, checked.and_then(|()| self.row(bytes, at)))
            }
        };
        let text = bytes.get(at..end).unwrap_or_default();
        if let Err(fault) = result {
            self.record.truncate(rows);
            let payload = text.strip_suffix(b"\n").unwrap_or(text);
            let payload = payload.strip_suffix(b"\r").unwrap_or(payload);
            self.ledger.bad_row(payload, self.ledger.position, &fault)?;
        }
        let lines = memchr::memchr_iter(b'\n', text).count().max(1);
        self.ledger.position.advance(text.len(), lines as u64);
        Ok(Some(end))
    }

    fn wants_more(&self, input: &Input<'_>) -> bool {
        self.record.rows < input.max_rows && self.ledger.position.offset < input.end
    }
}

impl Dialect {
    /// Whether a field stands for NULL.
    fn is_null(&self, text: &[u8], span: &Span, column: &Column) -> bool {
        if span.quoted {
            return false;
        }
        let is_text = matches!(column, Column::Utf8(_) | Column::Binary(_));
        self.null_literal.as_deref() == Some(text) || (!is_text && text.trim_ascii().is_empty())
    }
}

impl Decoder for CsvDecoder {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn decode_message(&mut self, payload: &[u8], offset: u64) -> Result<usize> {
        let rows = self.record.rows;
        let mut spans = std::mem::take(&mut self.spans);
        let mut at = byte_order_mark(payload);
        let mut result = check_utf8(payload);
        while result.is_ok() && at < payload.len() {
            result = match self.dialect.split(payload, at, true, &mut spans) {
                Ok(Line::Row(end)) => {
                    std::mem::swap(&mut self.spans, &mut spans);
                    let row = self.row(payload, 0);
                    std::mem::swap(&mut self.spans, &mut spans);
                    at = end;
                    row
                }
                Ok(Line::Nothing(end)) => {
                    at = end;
                    Ok(())
                }
                Ok(Line::Incomplete) => Err(Fault::syntax(at, "the row has no end")),
                Err(fault) => Err(fault),
            };
        }
        self.spans = spans;
        if result.is_ok() && self.record.rows == rows {
            result = Err(Fault::syntax(0, "the message holds no row"));
        }
        if let Err(fault) = result {
            self.record.truncate(rows);
            self.ledger
                .bad_row(payload, Position::message(offset), &fault)?;
        }
        Ok(self.record.rows - rows)
    }

    fn decode(&mut self, input: Input<'_>) -> Result<usize> {
        let mut consumed = 0;
        if self.ledger.position.offset == 0 {
            consumed = byte_order_mark(input.bytes);
            self.ledger.position.advance(consumed, 0);
        }
        while self.wants_more(&input) && self.record.bytes() < MOST_BYTES {
            let Some(block) = whole_lines(&input, consumed) else {
                break;
            };
            let valid = check_utf8(block).is_ok();
            let ends_input = input.last && consumed + block.len() == input.bytes.len();
            let mut at = 0;
            while at < block.len() && self.wants_more(&input) {
                match self.next(block, at, ends_input, valid)? {
                    Some(end) => at = end,
                    None => break,
                }
            }
            consumed += at;
            if at == 0 && self.wants_more(&input) {
                // The first row goes on behind the block: a line end stands inside of it.
                let rest = input.bytes.get(consumed..).unwrap_or_default();
                match self.next(rest, 0, input.last, false)? {
                    Some(end) => consumed += end,
                    None => break,
                }
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
