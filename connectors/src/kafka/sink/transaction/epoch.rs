//! The output of one epoch, as the checkpoint keeps it.
//!
//! ```text
//!  version: 1 byte
//!  label:   transactional id, job, lineage, topic (texts), checkpoint, rows (8 bytes each)
//!  blocks:  length of the content, length when packed (4 bytes each), the content packed by zstd
//!  CRC-32 of everything before it: 4 bytes
//! ```
//!
//! Numbers are little-endian; a text or a run of bytes has its length before it, in 4 bytes. The
//! contents of the blocks, one after the other, are the rows, each with its length before it; a row
//! may begin in one block and end in another. A block holds at most [`BLOCK_BYTES`], so that what
//! is unpacked at a time is bounded whatever the bytes say.

use levada_engine::{EngineError, Result};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use crate::kafka::sink::parts::Record;

#[cfg(test)]
mod tests;

const VERSION: u8 = 1;
/// The most that a block holds, unpacked.
const BLOCK_BYTES: usize = 1 << 20;
/// Fast, and most of what zstd can gain with rows that resemble each other.
const LEVEL: i32 = 1;
const CRC_BYTES: usize = 4;

const HAS_KEY: u8 = 1;
const HAS_VALUE: u8 = 2;
const HAS_PARTITION: u8 = 4;
const HAS_TIMESTAMP: u8 = 8;
const HAS_HEADERS: u8 = 16;

/// Whose epoch it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    /// The transactional id of the writer.
    pub transactional_id: String,
    /// The job.
    pub job: String,
    /// The line of epochs that this one belongs to.
    pub lineage: String,
    /// Where the rows go.
    pub topic: String,
    /// The checkpoint that ends the epoch.
    pub checkpoint: u64,
}

/// Collects the rows of an epoch.
#[derive(Debug, Default)]
pub(super) struct EpochBuffer {
    /// Rows that fill no block yet.
    raw: Vec<u8>,
    /// Blocks.
    packed: Vec<u8>,
    rows: u64,
}

impl EpochBuffer {
    /// Adds a row. Its topic is that of the label.
    pub(super) fn push(&mut self, record: &Record<'_>) -> Result<()> {
        let start = self.raw.len();
        self.raw.extend_from_slice(&[0; 4]);
        if let Err(error) = put_row(&mut self.raw, record) {
            self.raw.truncate(start);
            return Err(error);
        }
        let length = length(self.raw.len() - start - 4)?;
        if let Some(place) = self.raw.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        self.rows += 1;
        let full = self.raw.len() - self.raw.len() % BLOCK_BYTES;
        if full > 0 {
            self.pack(full)?;
        }
        Ok(())
    }

    /// The bytes that it takes.
    pub(super) fn len(&self) -> usize {
        self.raw.len() + self.packed.len()
    }

    /// Packs the first `count` bytes.
    fn pack(&mut self, count: usize) -> Result<()> {
        let bytes = self.raw.get(..count).unwrap_or_default();
        for block in bytes.chunks(BLOCK_BYTES) {
            let packed = zstd::bulk::compress(block, LEVEL)
                .map_err(|e| EngineError::internal(format!("an epoch cannot be packed: {e}")))?;
            put_u32(&mut self.packed, block.len())?;
            put_u32(&mut self.packed, packed.len())?;
            self.packed.extend_from_slice(&packed);
        }
        self.raw.drain(..count);
        Ok(())
    }

    /// Ends the epoch and hands it out; the buffer is empty afterwards.
    pub(super) fn take(&mut self, label: &Label) -> Result<Vec<u8>> {
        self.pack(self.raw.len())?;
        let blocks = std::mem::take(&mut self.packed);
        let mut bytes = Vec::with_capacity(blocks.len() + 256);
        bytes.push(VERSION);
        for text in [
            &label.transactional_id,
            &label.job,
            &label.lineage,
            &label.topic,
        ] {
            put_bytes(&mut bytes, text.as_bytes())?;
        }
        bytes.extend_from_slice(&label.checkpoint.to_le_bytes());
        bytes.extend_from_slice(&std::mem::take(&mut self.rows).to_le_bytes());
        bytes.extend_from_slice(&blocks);
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        Ok(bytes)
    }
}

/// An epoch that was read back.
#[derive(Debug)]
pub(super) struct Epoch {
    pub label: Label,
    /// How many rows it has.
    pub rows: u64,
    bytes: Vec<u8>,
    /// Where the blocks begin in `bytes`.
    blocks: usize,
}

impl Epoch {
    /// Reads the label; the rows are read one by one.
    pub(super) fn decode(bytes: Vec<u8>) -> Result<Self> {
        if bytes.first() != Some(&VERSION) {
            return Err(match bytes.first() {
                None => unreadable("it is empty"),
                Some(other) => unreadable(&format!(
                    "it has the version {other}, and this release reads {VERSION}"
                )),
            });
        }
        let (content, crc) = bytes
            .split_last_chunk::<CRC_BYTES>()
            .ok_or_else(|| unreadable("it is cut off"))?;
        if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
            return Err(unreadable("its checksum is wrong"));
        }
        let mut cursor = Cursor(content.get(1..).unwrap_or_default());
        let label = Label {
            transactional_id: cursor.text()?,
            job: cursor.text()?,
            lineage: cursor.text()?,
            topic: cursor.text()?,
            checkpoint: cursor.u64()?,
        };
        let rows = cursor.u64()?;
        let blocks = content.len() - cursor.0.len();
        Ok(Self {
            label,
            rows,
            bytes,
            blocks,
        })
    }

    /// The rows, in the order in which they were written.
    pub(super) fn reader(&self) -> Reader<'_> {
        let end = self.bytes.len().saturating_sub(CRC_BYTES);
        Reader {
            topic: &self.label.topic,
            blocks: Cursor(self.bytes.get(self.blocks..end).unwrap_or_default()),
            raw: Vec::new(),
            at: 0,
            left: self.rows,
        }
    }
}

/// Reads the rows of an epoch.
pub(super) struct Reader<'a> {
    topic: &'a str,
    blocks: Cursor<'a>,
    /// What was unpacked.
    raw: Vec<u8>,
    /// How much of `raw` has been read.
    at: usize,
    /// Rows to come.
    left: u64,
}

impl Reader<'_> {
    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>> {
        if self.left == 0 {
            let leftover = self.at < self.raw.len() || !self.blocks.0.is_empty();
            return match leftover {
                true => Err(unreadable("it holds more than its rows")),
                false => Ok(None),
            };
        }
        let length = loop {
            let rest = self.raw.get(self.at..).unwrap_or_default();
            if let Some((head, body)) = rest.split_first_chunk::<4>() {
                let length = u32::from_le_bytes(*head) as usize;
                if body.len() >= length {
                    break length;
                }
            }
            self.unpack()?;
        };
        let start = self.at + 4;
        self.at = start + length;
        self.left -= 1;
        let row = self.raw.get(start..self.at).unwrap_or_default();
        row_of(row, self.topic).map(Some)
    }

    /// Unpacks one more block.
    fn unpack(&mut self) -> Result<()> {
        if self.blocks.0.is_empty() {
            return Err(unreadable("rows are missing"));
        }
        let length = self.blocks.u32()? as usize;
        if length > BLOCK_BYTES {
            return Err(unreadable("a block is too large"));
        }
        let packed = self.blocks.bytes()?;
        let block = zstd::bulk::decompress(packed, length)
            .map_err(|e| unreadable(&format!("a block cannot be unpacked: {e}")))?;
        if block.len() != length {
            return Err(unreadable("a block has another size than it says"));
        }
        self.raw.drain(..self.at);
        self.at = 0;
        self.raw.extend_from_slice(&block);
        Ok(())
    }
}

fn put_row(out: &mut Vec<u8>, record: &Record<'_>) -> Result<()> {
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    out.push(
        flag(record.key.is_some(), HAS_KEY)
            | flag(record.payload.is_some(), HAS_VALUE)
            | flag(record.partition.is_some(), HAS_PARTITION)
            | flag(record.timestamp.is_some(), HAS_TIMESTAMP)
            | flag(record.headers.is_some(), HAS_HEADERS),
    );
    if let Some(partition) = record.partition {
        out.extend_from_slice(&partition.to_le_bytes());
    }
    if let Some(timestamp) = record.timestamp {
        out.extend_from_slice(&timestamp.to_le_bytes());
    }
    if let Some(headers) = &record.headers {
        put_u32(out, headers.count())?;
        for header in headers.iter() {
            put_bytes(out, header.key.as_bytes())?;
            out.push(u8::from(header.value.is_some()));
            put_bytes(out, header.value.unwrap_or_default())?;
        }
    }
    for bytes in [record.key, record.payload].into_iter().flatten() {
        put_bytes(out, bytes)?;
    }
    Ok(())
}

fn row_of<'a>(bytes: &'a [u8], topic: &'a str) -> Result<Record<'a>> {
    let mut cursor = Cursor(bytes);
    let flags = cursor.u8()?;
    let has = |flag: u8| flags & flag != 0;
    let mut record: Record<'a> = BaseRecord::to(topic);
    if has(HAS_PARTITION) {
        record.partition = Some(i32::from_le_bytes(cursor.array()?));
    }
    if has(HAS_TIMESTAMP) {
        record.timestamp = Some(i64::from_le_bytes(cursor.array()?));
    }
    if has(HAS_HEADERS) {
        let mut headers = OwnedHeaders::new();
        for _ in 0..cursor.u32()? {
            let key = cursor.text()?;
            let is_there = cursor.u8()? != 0;
            let value = cursor.bytes()?;
            headers = headers.insert(Header {
                key: &key,
                value: is_there.then_some(value),
            });
        }
        record.headers = Some(headers);
    }
    if has(HAS_KEY) {
        record.key = Some(cursor.bytes()?);
    }
    if has(HAS_VALUE) {
        record.payload = Some(cursor.bytes()?);
    }
    match cursor.0.is_empty() {
        true => Ok(record),
        false => Err(unreadable("a row is longer than its parts")),
    }
}

fn length(count: usize) -> Result<u32> {
    u32::try_from(count)
        .map_err(|_| EngineError::data("a row has more than 4 GiB, which no Kafka topic can take"))
}

fn put_u32(out: &mut Vec<u8>, count: usize) -> Result<()> {
    out.extend_from_slice(&length(count)?.to_le_bytes());
    Ok(())
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    put_u32(out, bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Bytes that have yet to be read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| unreadable("it is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or_else(|| unreadable("it is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    fn text(&mut self) -> Result<String> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes).map_err(|_| unreadable("a text is no UTF-8"))?;
        Ok(text.to_string())
    }
}

fn unreadable(why: &str) -> EngineError {
    EngineError::checkpoint(format!(
        "an epoch of Kafka rows in the checkpoint is unreadable: {why}"
    ))
}
