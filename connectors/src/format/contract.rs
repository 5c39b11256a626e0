//! The traits between a connector and a format.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use object_store::{ObjectMeta, ObjectStore};

use levada_engine::Result;

/// A format that writes every row by itself.
pub trait RowFormat: Debug + Send + Sync {
    /// The name in `'format' = '…'`.
    fn identifier(&self) -> &'static str;

    /// Whether a reader can start in the middle of a byte stream, at the first line that begins
    /// there. If so, a file can be cut into ranges of bytes that are read in parallel: the reader of
    /// `start..end` begins behind the first newline at or after `start - 1` (at 0 if `start` is 0)
    /// and takes each row that begins before `end` ([`Input::end`]).
    fn splittable(&self) -> bool;

    /// A decoder for the columns of `wanted`.
    ///
    /// `table` has all columns that the data holds, in their order there, for formats that know a
    /// column by its place (csv, raw). `wanted` are those that the query reads, in any order, with
    /// nested rows cut down to the fields that it reads; batches have this schema.
    ///
    /// Fails if a column has a type that the format cannot hold, or if `on_bad_row` contradicts the
    /// format's own options.
    fn decoder(
        &self,
        table: &Schema,
        wanted: SchemaRef,
        on_bad_row: OnBadRow,
    ) -> Result<Box<dyn Decoder>>;

    /// An encoder for batches of `schema`. Fails if a column has a type that the format cannot hold.
    fn encoder(&self, schema: SchemaRef, framing: Framing) -> Result<Box<dyn Encoder>>;
}

/// What to do with a row that cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBadRow {
    /// Return an error that says where the row stands. The rows before it stay available, and the
    /// decoder's position is that of the bad row. An option of the format
    /// (`json.ignore-parse-errors`) turns this into leaving the row out and counting it.
    #[default]
    Fail,
    /// Collect it for [`Decoder::take_bad_rows`].
    Divert,
}

/// A place in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// For messages, the offset that the caller gave; for streams, bytes from the beginning.
    pub offset: u64,
    /// For streams, the number of the line that begins there, counted from 1; `None` for messages,
    /// and in a stream whose reading began in the middle.
    pub line: Option<u64>,
}

impl Position {
    /// The beginning of a stream.
    pub const START: Position = Position {
        offset: 0,
        line: Some(1),
    };

    /// The position of a message.
    pub fn message(offset: u64) -> Self {
        Self { offset, line: None }
    }

    /// The position behind so many more bytes and lines.
    pub(crate) fn advance(&mut self, bytes: usize, lines: u64) {
        self.offset += bytes as u64;
        self.line = self.line.map(|line| line + lines);
    }
}

/// A row that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The row's bytes, without the line end.
    pub payload: Vec<u8>,
    /// Where the row begins.
    pub position: Position,
    /// What is wrong with it.
    pub error: String,
}

/// A chunk of a byte stream, as handed to [`Decoder::decode`].
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Bytes that begin where the last call's consumption ended ([`Decoder::position`]).
    pub bytes: &'a [u8],
    /// Whether the stream ends with these bytes: the last row then needs no line end.
    pub last: bool,
    /// Stop when the decoder holds this many rows.
    pub max_rows: usize,
    /// Leave rows that begin at or behind this offset of the stream (`u64::MAX`: none).
    pub end: u64,
}

/// A decoder stops at this many bytes of gathered rows, whatever the caller's limit of rows.
pub(crate) const MOST_BYTES: usize = 64 << 20;

/// Decodes bytes into the columns of one schema.
///
/// Rows gather inside; the caller takes them as a batch whenever it wants ([`flush`](Self::flush)).
/// A decoder serves either messages or one byte stream, not both at a time.
pub trait Decoder: Debug + Send {
    /// The schema of the batches.
    fn schema(&self) -> &SchemaRef;

    /// Decodes one message and returns how many rows it added: 1 normally, 0 if the row was bad and
    /// did not fail, more where the format lets one payload carry several rows. The caller repeats
    /// its metadata columns so many times. `offset` is the message's position in bad rows and errors.
    ///
    /// If it fails, the message has added nothing.
    fn decode_message(&mut self, payload: &[u8], offset: u64) -> Result<usize>;

    /// Decodes complete rows from a chunk of a byte stream and returns how many bytes they took.
    ///
    /// The caller keeps the rest and presents it again, with more bytes behind it. If nothing was
    /// consumed, rows are not full, and the chunk is not the last, then the chunk ends in the middle
    /// of its first row: more bytes are needed.
    fn decode(&mut self, input: Input<'_>) -> Result<usize>;

    /// Behind the last row consumed from a byte stream: what a checkpoint keeps.
    fn position(&self) -> Position;

    /// Starts a byte stream at `position`, which must be the beginning of a row.
    fn seek(&mut self, position: Position);

    /// Rows gathered since the last [`flush`](Self::flush).
    fn rows(&self) -> usize;

    /// Memory held by the rows gathered, in bytes, roughly.
    fn buffered_bytes(&self) -> usize;

    /// Takes the rows gathered as one batch (which may be empty).
    fn flush(&mut self) -> Result<RecordBatch>;

    /// Takes the rows diverted by [`OnBadRow::Divert`] since the last call.
    fn take_bad_rows(&mut self) -> Vec<BadRow>;

    /// How many rows were left out because an option of the format says so, since the beginning.
    fn rows_ignored(&self) -> u64;
}

/// How an encoder separates rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Each row is a payload of its own, nothing between them.
    Message,
    /// Each row ends with a line end, which is part of it.
    Line,
}

/// Encoded rows: their bytes, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Encoded {
    /// The bytes of all rows.
    pub bytes: Vec<u8>,
    rows: Vec<Option<Range<usize>>>,
}

impl Encoded {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The payload of each row; `None` where the format has no payload for it (`raw` of NULL).
    pub fn payloads(&self) -> impl Iterator<Item = Option<&[u8]>> {
        self.rows
            .iter()
            .map(|row| row.clone().and_then(|range| self.bytes.get(range)))
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }

    /// Ends the row whose bytes begin at `start`.
    pub(crate) fn end_row(&mut self, start: usize) {
        self.rows.push(Some(start..self.bytes.len()));
    }

    /// Adds a row without payload.
    pub(crate) fn absent_row(&mut self) {
        self.rows.push(None);
    }

    /// Takes back the rows from number `rows` and the bytes from `bytes` on.
    pub(crate) fn truncate(&mut self, rows: usize, bytes: usize) {
        self.rows.truncate(rows);
        self.bytes.truncate(bytes);
    }
}

/// Encodes batches of one schema, row by row.
pub trait Encoder: Debug + Send {
    /// Appends the rows of `batch`. If it fails, nothing was appended.
    fn encode(&mut self, batch: &RecordBatch, out: &mut Encoded) -> Result<()>;
}

/// A format that gives meaning to a file as a whole.
#[async_trait]
pub trait FileFormat: Debug + Send + Sync {
    /// The name in `'format' = '…'`.
    fn identifier(&self) -> &'static str;

    /// Opens a file to read the columns of `schema` from the rows `rows` of it (`0..u64::MAX` for
    /// all), in batches of at most `batch_rows`.
    ///
    /// Columns are found by name; one that the file lacks is NULL. Fails if the file is damaged or a
    /// column has a type that does not convert.
    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: ObjectMeta,
        schema: SchemaRef,
        rows: Range<u64>,
        batch_rows: usize,
    ) -> Result<Box<dyn FileReader>>;

    /// Ranges of rows that can be read in parallel without reading anything twice.
    async fn splits(
        &self,
        store: Arc<dyn ObjectStore>,
        file: ObjectMeta,
    ) -> Result<Vec<Range<u64>>>;

    /// A writer of one file with the columns of `schema`.
    fn writer(&self, schema: SchemaRef) -> Result<Box<dyn FileWriter>>;
}

/// Reads one file.
#[async_trait]
pub trait FileReader: Send {
    /// The next batch, or `None` at the end.
    async fn next(&mut self) -> Result<Option<RecordBatch>>;

    /// The number of the next row: what a checkpoint keeps, and `open` continues from.
    fn position(&self) -> u64;
}

/// Writes one file, in memory: the caller stores the bytes as they come.
pub trait FileWriter: Send {
    /// Adds the rows of `batch`.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Takes the bytes of the file that are finished; they follow those taken before.
    fn take_bytes(&mut self) -> Vec<u8>;

    /// Bytes held in memory that are not yet finished, roughly.
    fn buffered_bytes(&self) -> usize;

    /// Ends the file and returns its remaining bytes.
    fn finish(self: Box<Self>) -> Result<Vec<u8>>;
}
