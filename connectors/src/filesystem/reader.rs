//! Reading one file, from any row on.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use chrono::DateTime;
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use object_store::local::LocalFileSystem;
use object_store::{ObjectMeta, ObjectStore};
use serde::{Deserialize, Serialize};

use super::listing::Found;
use crate::format::{
    BadRow, Decoder, FileFormat, FileReader, Input, OnBadRow, Position as StreamPosition,
    RowFormat, bad_rows,
};

/// How much is read at a time: large enough to make system calls cheap, small enough for the
/// processor's cache, where the decoder finds it again.
const CHUNK_BYTES: usize = 512 << 10;
/// A line longer than this is taken for a file of another format.
const MAX_LINE_BYTES: usize = 256 << 20;
/// A batch is closed when it holds so many bytes.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// What a checkpoint keeps of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Bytes (formats of lines) or rows (formats of whole files) before the next row.
    pub offset: u64,
    /// The number of the next line, from 1; for formats of whole files it means nothing.
    pub line: Option<u64>,
    /// Undecodable rows before this offset have been delivered, though the rows around them have not.
    #[serde(default)]
    pub bad_until: u64,
}

impl Position {
    /// The beginning of a file.
    pub(super) const START: Position = Position {
        offset: 0,
        line: Some(1),
        bad_until: 0,
    };

    pub(super) fn encode(&self) -> Result<WireBytes> {
        serde_json::to_vec(self)
            .map(WireBytes)
            .map_err(|e| EngineError::internal(format!("a file's position: {e}")))
    }

    pub(super) fn decode(bytes: &WireBytes, path: &str) -> Result<Self> {
        serde_json::from_slice(&bytes.0).map_err(|e| {
            EngineError::checkpoint(format!(
                "the position of the file '{path}' is unreadable: {e}"
            ))
        })
    }
}

/// A piece of a file.
#[derive(Debug)]
pub(super) struct Piece {
    /// Decoded columns; may be empty.
    pub rows: RecordBatch,
    /// Rows that could not be decoded, if they are diverted.
    pub bad: Option<RecordBatch>,
    /// Behind the piece.
    pub position: Position,
    /// Whether the file ends here.
    pub finished: bool,
    /// Rows that the format left out because an option says so.
    pub ignored: u64,
}

/// A file being read.
pub(super) enum Reader {
    Lines(Box<LineReader>),
    Whole(WholeReader),
}

impl Reader {
    /// The next piece; cancel-safe.
    pub(super) async fn next(&mut self, batch_rows: usize) -> Result<Piece> {
        match self {
            Reader::Lines(reader) => reader.next(batch_rows),
            Reader::Whole(reader) => reader.next().await,
        }
    }
}

/// A decoder and its buffer, which serve one file after the other.
#[derive(Debug)]
pub(super) struct Desk {
    decoder: Box<dyn Decoder>,
    buffer: Vec<u8>,
}

impl Desk {
    pub(super) fn new(
        format: &dyn RowFormat,
        table: &Schema,
        wanted: SchemaRef,
        on_bad_row: OnBadRow,
    ) -> Result<Self> {
        Ok(Self {
            decoder: format.decoder(table, wanted, on_bad_row)?,
            buffer: Vec::new(),
        })
    }
}

/// Reads a file of lines.
#[derive(Debug)]
pub(super) struct LineReader {
    path: Arc<str>,
    file: File,
    desk: Desk,
    /// The bytes of the buffer that are not yet decoded.
    start: usize,
    end: usize,
    at_end: bool,
    bad_until: u64,
    ignored_before: u64,
}

impl LineReader {
    pub(super) fn open(found: &Found, position: Position, mut desk: Desk) -> Result<Self> {
        let mut file = File::open(found.path.as_ref()).map_err(|e| failed(&found.path, &e))?;
        let length = file.metadata().map_err(|e| failed(&found.path, &e))?.len();
        if length < position.offset {
            return Err(EngineError::config(format!(
                "the file '{}' has {length} bytes, but the checkpoint has read {} of it",
                found.path, position.offset
            ))
            .with_hint("files must not change once they have been read from"));
        }
        file.seek(SeekFrom::Start(position.offset))
            .map_err(|e| failed(&found.path, &e))?;
        desk.decoder.seek(StreamPosition {
            offset: position.offset,
            line: position.line,
        });
        let ignored_before = desk.decoder.rows_ignored();
        Ok(Self {
            path: Arc::clone(&found.path),
            file,
            desk,
            start: 0,
            end: 0,
            at_end: false,
            bad_until: position.bad_until,
            ignored_before,
        })
    }

    /// The decoder and the buffer for the next file.
    pub(super) fn into_desk(self) -> Desk {
        self.desk
    }

    fn next(&mut self, batch_rows: usize) -> Result<Piece> {
        let mut finished = false;
        while !self.is_full(batch_rows) {
            if self.start == self.end && self.at_end {
                finished = true;
                break;
            }
            let consumed = self.decode(batch_rows)?;
            if self.is_full(batch_rows) {
                break;
            }
            // What is left is the beginning of a row.
            match self.at_end {
                false => self.fill()?,
                true if self.start == self.end => {}
                true if consumed > 0 => {}
                true => return Err(self.stuck()),
            }
        }
        self.take(finished)
    }

    fn is_full(&self, batch_rows: usize) -> bool {
        let decoder = &self.desk.decoder;
        decoder.rows() >= batch_rows || decoder.buffered_bytes() >= MAX_BATCH_BYTES
    }

    fn decode(&mut self, batch_rows: usize) -> Result<usize> {
        let bytes = self.desk.buffer.get(self.start..self.end);
        let input = Input {
            bytes: bytes.unwrap_or_default(),
            last: self.at_end,
            max_rows: batch_rows,
            end: u64::MAX,
        };
        if input.bytes.is_empty() {
            return Ok(0);
        }
        let consumed = self.desk.decoder.decode(input);
        let consumed = consumed.map_err(|e| e.at(&format!("file '{}'", self.path)))?;
        self.start = (self.start + consumed).min(self.end);
        Ok(consumed)
    }

    /// Reads more behind what is left, which moves to the front.
    fn fill(&mut self) -> Result<()> {
        let buffer = &mut self.desk.buffer;
        buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end >= MAX_LINE_BYTES {
            return Err(EngineError::data(format!(
                "the file '{}' has a line of more than {} MB at byte {}",
                self.path,
                MAX_LINE_BYTES >> 20,
                self.desk.decoder.position().offset
            ))
            .with_hint("check the option 'format'"));
        }
        // A line that does not fit doubles the buffer, so that it is not searched too often.
        let wanted = (self.end * 2).max(CHUNK_BYTES);
        if buffer.len() < wanted {
            buffer.resize(wanted, 0);
        }
        let free = buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.file.read(free) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(|e| failed(&self.path, &e))?,
            }
        };
        self.end += read;
        self.at_end = read == 0;
        Ok(())
    }

    fn take(&mut self, finished: bool) -> Result<Piece> {
        let decoder = &mut self.desk.decoder;
        let rows = decoder.flush()?;
        let mut bad = decoder.take_bad_rows();
        bad.retain(|row| row.position.offset >= self.bad_until);
        let at = decoder.position();
        let ignored = decoder.rows_ignored();
        let piece = Piece {
            rows,
            bad: self.bad_rows(&bad)?,
            position: Position {
                offset: at.offset,
                line: at.line,
                bad_until: 0,
            },
            finished,
            ignored: ignored.saturating_sub(self.ignored_before),
        };
        self.ignored_before = ignored;
        Ok(piece)
    }

    fn bad_rows(&self, bad: &[BadRow]) -> Result<Option<RecordBatch>> {
        if bad.is_empty() {
            return Ok(None);
        }
        let path = &self.path;
        let rows = bad_rows(bad, |position| match position.line {
            Some(line) => format!("{path}: line {line} (byte {})", position.offset),
            None => format!("{path}: byte {}", position.offset),
        });
        rows.map(Some)
    }

    #[cold]
    fn stuck(&self) -> EngineError {
        EngineError::internal(format!(
            "the decoder leaves {} bytes at the end of the file '{}'",
            self.end - self.start,
            self.path
        ))
    }
}

/// Reads a file that has meaning only as a whole.
pub(super) struct WholeReader {
    path: Arc<str>,
    reader: Box<dyn FileReader>,
}

impl WholeReader {
    pub(super) async fn open(
        format: &dyn FileFormat,
        found: &Found,
        position: Position,
        schema: SchemaRef,
        batch_rows: usize,
    ) -> Result<Self> {
        let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new());
        let location = object_store::path::Path::from_absolute_path(found.path.as_ref())
            .map_err(|e| EngineError::connector(format!("the file '{}': {e}", found.path)))?;
        let meta = ObjectMeta {
            location,
            last_modified: DateTime::from_timestamp_millis(found.modified_ms).unwrap_or_default(),
            size: found.size,
            e_tag: None,
            version: None,
        };
        let rows = position.offset..u64::MAX;
        let reader = format.open(store, meta, schema, rows, batch_rows).await;
        let reader = reader.map_err(|e| e.at(&format!("file '{}'", found.path)))?;
        Ok(Self {
            path: Arc::clone(&found.path),
            reader,
        })
    }

    async fn next(&mut self) -> Result<Piece> {
        let rows = self.reader.next().await;
        let rows = rows.map_err(|e| e.at(&format!("file '{}'", self.path)))?;
        let finished = rows.is_none();
        let rows = rows.unwrap_or_else(|| RecordBatch::new_empty(Arc::new(Schema::empty())));
        Ok(Piece {
            rows,
            bad: None,
            position: Position {
                offset: self.reader.position(),
                line: None,
                bad_until: 0,
            },
            finished,
            ignored: 0,
        })
    }
}

pub(super) fn failed(path: &str, error: &std::io::Error) -> EngineError {
    let message = format!("the file '{path}' cannot be read: {error}");
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
            EngineError::config(message)
        }
        _ => EngineError::connector(message),
    }
}
