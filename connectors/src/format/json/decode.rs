//! The JSON decoder: rows from messages and from streams of lines.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::cursor::Cursor;
use super::read::{Reader, Strictness};
use crate::format::block::{byte_order_mark, check_utf8, line, whole_lines};
use crate::format::column::Record;
use crate::format::fault::Fault;
use crate::format::ledger::Ledger;
use crate::format::{BadRow, Decoder, Input, MOST_BYTES, Position};
use levada_engine::Result;

/// Decodes JSON objects.
#[derive(Debug)]
pub(super) struct JsonDecoder {
    schema: SchemaRef,
    record: Record,
    strictness: Strictness,
    ledger: Ledger,
}

impl JsonDecoder {
    pub(super) fn new(schema: SchemaRef, strictness: Strictness, ledger: Ledger) -> Result<Self> {
        let record = Record::new(schema.fields())?;
        Ok(Self {
            schema,
            record,
            strictness,
            ledger,
        })
    }

    fn reader<'a>(&self, bytes: &'a [u8], at: usize, multiline: bool) -> Reader<'a> {
        Reader {
            cursor: Cursor {
                bytes,
                at,
                multiline,
            },
            strictness: self.strictness,
        }
    }

    /// Reads a message: an object, or an array of objects, each a row.
    fn message(&mut self, payload: &[u8]) -> Result<(), Fault> {
        check_utf8(payload)?;
        let mut reader = self.reader(payload, byte_order_mark(payload), true);
        reader.cursor.space();
        if reader.cursor.eat(b'[') {
            reader.cursor.space();
            if !reader.cursor.eat(b']') {
                loop {
                    reader.object(&mut self.record)?;
                    reader.cursor.space();
                    if reader.cursor.eat(b',') {
                        reader.cursor.space();
                    } else if reader.cursor.eat(b']') {
                        break;
                    } else {
                        return Err(reader.cursor.expected("',' or ']'"));
                    }
                }
            }
        } else {
            reader.object(&mut self.record)?;
        }
        reader.cursor.space();
        match reader.cursor.peek() {
            None => Ok(()),
            Some(_) => Err(reader.cursor.expected("the end of the message")),
        }
    }

    /// Reads the line at `at` of `block`, which holds whole lines, and returns where the next one
    /// begins. A blank line is no row.
    #[inline]
    fn line(&mut self, block: &[u8], at: usize) -> Result<usize, Fault> {
        let mut reader = self.reader(block, at, false);
        reader.cursor.space();
        if !matches!(reader.cursor.peek(), None | Some(b'\n')) {
            reader.object(&mut self.record)?;
            reader.cursor.space();
        }
        match reader.cursor.peek() {
            None => Ok(reader.cursor.at),
            Some(b'\n') => Ok(reader.cursor.at + 1),
            Some(_) => Err(reader.cursor.expected("the end of the line")),
        }
    }

    /// Decodes the lines of `block` as far as `input` wants them and returns how many bytes they took.
    fn block(&mut self, block: &[u8], input: &Input<'_>) -> Result<usize> {
        let valid = simdutf8::basic::from_utf8(block).is_ok();
        let mut at = 0;
        while at < block.len()
            && self.record.rows < input.max_rows
            && self.ledger.position.offset < input.end
        {
            let rows = self.record.rows;
            let read = if valid {
                self.line(block, at)
            } else {
                let (line, next) = line(block, at);
                check_utf8(line)
                    .and_then(|()| self.line(line, 0))
                    .map(|_| next)
            };
            let next = match read {
                Ok(next) => next,
                Err(fault) => {
                    self.record.truncate(rows);
                    let (line, next) = line(block, at);
                    let fault = if valid { fault.relative_to(at) } else { fault };
                    self.ledger.bad_row(line, self.ledger.position, &fault)?;
                    next
                }
            };
            self.ledger.position.advance(next - at, 1);
            at = next;
        }
        Ok(at)
    }
}

impl Decoder for JsonDecoder {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn decode_message(&mut self, payload: &[u8], offset: u64) -> Result<usize> {
        let rows = self.record.rows;
        if let Err(fault) = self.message(payload) {
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
        while self.record.rows < input.max_rows && self.record.bytes() < MOST_BYTES {
            let Some(block) = whole_lines(&input, consumed) else {
                break;
            };
            let taken = self.block(block, &input)?;
            consumed += taken;
            if taken < block.len() {
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
