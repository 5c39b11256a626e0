//! The format of state files, one for all backends.
//!
//! ```text
//! header   magic "LVSTATE\0" (8) ‖ format version (u32)
//! blocks   entries of one table and key group: length of key (varint) ‖ key
//!          ‖ 0 for a deletion, or length of value + 1 (varint) ‖ value; ascending keys
//! index    per block: table (u8) ‖ key group (u16) ‖ offset (u64) ‖ length (u32)
//!          ‖ number of entries (u32) ‖ CRC-32 of the block (u32)
//! footer   offset of the index (u64) ‖ number of blocks (u32) ‖ seal (u32) ‖ magic (8)
//! ```
//!
//! Integers are little endian. Blocks are in order of table, key group and key, and a key occurs
//! once. The index lets a reader take the key groups that it owns and leave the rest. The seal is
//! the CRC-32 of index, offset and number, and so, through the checksums of the blocks, of
//! everything.

use std::collections::VecDeque;
use std::io::Write;
use std::ops::Range;

use bytes::Bytes;

use super::blob::Blob;
use super::merge::{Entries, Entry};
use super::{StatePlace, TableId};
use crate::error::{EngineError, Result};
use crate::key::{KeyGroup, KeyGroupRange};

const MAGIC: &[u8; 8] = b"LVSTATE\0";
/// The version of state files that this build writes.
pub const VERSION: u32 = 2;
const HEADER_LEN: usize = 12;
const FOOTER_LEN: usize = 24;
const INDEX_ENTRY_LEN: usize = 23;
/// A block is closed when it has grown to this.
const BLOCK_BYTES: usize = 256 << 10;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The length of the file.
    pub bytes: u64,
    /// How many entries it has, deletions included.
    pub entries: u64,
    /// The checksum that covers all of it.
    pub seal: u32,
}

/// Writes the entries and the frame around them.
pub fn write(entries: &mut dyn Entries, out: &mut dyn Write) -> Result<Written> {
    let mut writer = Writer::new(out, ())?;
    while entries.advance()? {
        writer.entry(entries.entry())?;
    }
    Ok(writer.finish()?.0)
}

/// Sees each block of a file that is written.
pub(super) trait Watch {
    /// A block, with its content.
    fn block(&mut self, block: &Block, content: &[u8]) -> Result<()>;
}

impl Watch for () {
    fn block(&mut self, _: &Block, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

pub(super) fn corrupt(what: &str) -> EngineError {
    EngineError::checkpoint(format!("a state file is damaged: {what}"))
        .with_hint("restore from another checkpoint or savepoint")
}

/// A file under way.
pub(super) struct Writer<W, T> {
    out: W,
    watch: T,
    offset: u64,
    /// The table and key group of the open block.
    place: StatePlace,
    block: Vec<u8>,
    in_block: u32,
    index: Vec<u8>,
    blocks: u32,
    entries: u64,
}

impl<W: Write, T: Watch> Writer<W, T> {
    /// Begins a file.
    pub(super) fn new(out: W, watch: T) -> Result<Self> {
        let mut writer = Writer {
            out,
            watch,
            offset: 0,
            place: (TableId(0), 0),
            block: Vec::new(),
            in_block: 0,
            index: Vec::new(),
            blocks: 0,
            entries: 0,
        };
        writer.put(MAGIC)?;
        writer.put(&VERSION.to_le_bytes())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|e| {
            EngineError::checkpoint("a state file cannot be written")
                .with_detail(e.to_string())
                .with_hint("check the space and health of the disk")
        })?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Adds an entry, greater than those before.
    pub(super) fn entry(&mut self, entry: Entry<'_>) -> Result<()> {
        if self.place != entry.place || self.block.len() >= BLOCK_BYTES {
            self.close_block()?;
            self.place = entry.place;
        }
        put_length(entry.key.len() as u64, &mut self.block);
        self.block.extend_from_slice(entry.key);
        match entry.value {
            None => self.block.push(0),
            Some(value) => {
                put_length(value.len() as u64 + 1, &mut self.block);
                self.block.extend_from_slice(value);
            }
        }
        self.in_block += 1;
        self.entries += 1;
        Ok(())
    }

    fn close_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let content = std::mem::take(&mut self.block);
        let length = u32::try_from(content.len())
            .map_err(|_| EngineError::checkpoint("an entry of keyed state exceeds 4 GiB"))?;
        let block = Block {
            place: self.place,
            entries: std::mem::take(&mut self.in_block),
            length,
            offset: self.offset,
            checksum: crc32fast::hash(&content),
        };
        block.put(&mut self.index);
        self.blocks += 1;
        self.watch.block(&block, &content)?;
        self.put(&content)?;
        self.block = content;
        self.block.clear();
        Ok(())
    }

    /// How many entries have been added.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<(Written, W, T)> {
        self.close_block()?;
        let mut tail = std::mem::take(&mut self.index);
        tail.extend_from_slice(&self.offset.to_le_bytes());
        tail.extend_from_slice(&self.blocks.to_le_bytes());
        let seal = crc32fast::hash(&tail);
        tail.extend_from_slice(&seal.to_le_bytes());
        tail.extend_from_slice(MAGIC);
        self.put(&tail)?;
        let written = Written {
            bytes: self.offset,
            entries: self.entries,
            seal,
        };
        Ok((written, self.out, self.watch))
    }
}

fn put_length(mut rest: u64, out: &mut Vec<u8>) {
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// A part of a file: entries of one table and key group.
#[derive(Debug, Clone, Copy, Default)]
pub struct Block {
    /// Whose entries.
    pub place: StatePlace,
    /// How many.
    pub entries: u32,
    /// In how many bytes.
    pub length: u32,
    pub(super) offset: u64,
    checksum: u32,
}

impl Block {
    /// Reads it and checks it, with the memory of `spare`.
    fn read(&self, file: &Blob, spare: Bytes) -> Result<Bytes> {
        let content = file.read_into(spare, self.offset, self.length as usize)?;
        match crc32fast::hash(&content) == self.checksum {
            true => Ok(content),
            false => Err(corrupt("the checksum of a block does not match")),
        }
    }

    fn put(&self, index: &mut Vec<u8>) {
        index.push(self.place.0.0);
        index.extend_from_slice(&self.place.1.to_le_bytes());
        index.extend_from_slice(&self.offset.to_le_bytes());
        index.extend_from_slice(&self.length.to_le_bytes());
        index.extend_from_slice(&self.entries.to_le_bytes());
        index.extend_from_slice(&self.checksum.to_le_bytes());
    }
}

/// An open state file, its index checked.
#[derive(Debug)]
pub struct StateFileReader {
    content: Blob,
    blocks: Vec<Block>,
    seal: u32,
}

impl StateFileReader {
    /// Reads and checks the frame of a file; its blocks are checked when they are read.
    pub fn open(content: Blob) -> Result<Self> {
        if content.len() < (HEADER_LEN + FOOTER_LEN) as u64 {
            return Err(corrupt("too short"));
        }
        let header = content.read(0, HEADER_LEN)?;
        let (magic, mut version) = header.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(corrupt("not a state file"));
        }
        let version = u32::from_le_bytes(take(&mut version)?);
        if version != VERSION {
            return Err(EngineError::checkpoint(format!(
                "a state file has format version {version}; this release reads version {VERSION}"
            )));
        }
        let footer_at = content.len() - FOOTER_LEN as u64;
        let footer = content.read(footer_at, FOOTER_LEN)?;
        let mut footer = &footer[..];
        let index_at = u64::from_le_bytes(take(&mut footer)?);
        let blocks = u32::from_le_bytes(take(&mut footer)?);
        let seal = u32::from_le_bytes(take(&mut footer)?);
        if footer != MAGIC {
            return Err(corrupt("its end is missing"));
        }
        if index_at > footer_at || index_at < HEADER_LEN as u64 {
            return Err(corrupt("bad index offset"));
        }
        let index_len = usize::try_from(footer_at - index_at).map_err(|_| corrupt("too long"))?;
        if index_len != blocks as usize * INDEX_ENTRY_LEN {
            return Err(corrupt("the length of its index does not match"));
        }
        let covered = content.read(index_at, index_len + 12)?;
        if crc32fast::hash(&covered) != seal {
            return Err(corrupt("the checksum of its index does not match"));
        }
        let entries = covered[..index_len].chunks_exact(INDEX_ENTRY_LEN);
        let blocks = entries.map(|e| read_block(e, index_at));
        Ok(StateFileReader {
            blocks: blocks.collect::<Result<_>>()?,
            content,
            seal,
        })
    }

    /// The checksum that covers the whole file.
    pub fn seal(&self) -> u32 {
        self.seal
    }

    /// The file's parts, in order of table and key group.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The bytes of the file.
    pub(super) fn content(&self) -> &Blob {
        &self.content
    }

    /// Shows the blocks of some key groups, checked.
    pub(super) fn watch(&self, range: KeyGroupRange, watch: &mut impl Watch) -> Result<()> {
        let mut content = Bytes::new();
        for block in self.blocks.iter().filter(|b| range.contains(b.place.1)) {
            content = block.read(&self.content, content)?;
            watch.block(block, &content)?;
        }
        Ok(())
    }

    /// The entries of some key groups, of one table or of all.
    pub fn entries(&self, range: KeyGroupRange, table: Option<TableId>) -> FileEntries {
        let wanted =
            |b: &&Block| range.contains(b.place.1) && table.is_none_or(|table| table == b.place.0);
        FileEntries {
            content: self.content.clone(),
            blocks: self.blocks.iter().filter(wanted).copied().collect(),
            current: Block::default(),
            block: Bytes::new(),
            at: 0,
            span: Span::default(),
        }
    }
}

fn read_block(mut entry: &[u8], index_at: u64) -> Result<Block> {
    let entry = &mut entry;
    let block = Block {
        place: (
            TableId(u8::from_le_bytes(take(entry)?)),
            KeyGroup::from_le_bytes(take(entry)?),
        ),
        offset: u64::from_le_bytes(take(entry)?),
        length: u32::from_le_bytes(take(entry)?),
        entries: u32::from_le_bytes(take(entry)?),
        checksum: u32::from_le_bytes(take(entry)?),
    };
    let end = block.offset.checked_add(u64::from(block.length));
    match end {
        Some(end) if end <= index_at => Ok(block),
        _ => Err(corrupt("a block lies outside of it")),
    }
}

/// Takes `N` bytes off the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (head, rest) = bytes
        .split_first_chunk::<N>()
        .ok_or_else(|| corrupt("cut off"))?;
    *bytes = rest;
    Ok(*head)
}

/// The entries of a file, a block in memory at a time.
#[derive(Debug)]
pub struct FileEntries {
    content: Blob,
    blocks: VecDeque<Block>,
    current: Block,
    block: Bytes,
    at: usize,
    span: Span,
}

/// Where an entry lies in some bytes of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Span {
    key: Range<usize>,
    value: Option<Range<usize>>,
}

impl Span {
    /// Reads the entry at `at`, and leaves there where it ends.
    pub(super) fn read(bytes: &[u8], at: &mut usize) -> Result<Self> {
        let key = length(bytes, at)?;
        let key = part(bytes, at, key)?;
        let value = match length(bytes, at)? {
            0 => None,
            length => Some(part(bytes, at, length - 1)?),
        };
        Ok(Span { key, value })
    }

    /// Where its key lies.
    pub(super) fn key(&self) -> Range<usize> {
        self.key.clone()
    }

    /// Its key and value, of the bytes that it was read of.
    pub(super) fn of<'a>(&self, bytes: &'a [u8]) -> (&'a [u8], Option<&'a [u8]>) {
        let value = self.value.clone().map(|value| &bytes[value]);
        (&bytes[self.key.clone()], value)
    }
}

fn length(bytes: &[u8], at: &mut usize) -> Result<u64> {
    let mut length = 0u64;
    for shift in (0..35).step_by(7) {
        let byte = bytes.get(*at).ok_or_else(|| corrupt("cut off"))?;
        *at += 1;
        length |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(corrupt("bad length"))
}

fn part(bytes: &[u8], at: &mut usize, length: u64) -> Result<Range<usize>> {
    let end = usize::try_from(length).ok();
    let end = end.and_then(|length| at.checked_add(length));
    let end = end.filter(|end| *end <= bytes.len());
    let end = end.ok_or_else(|| corrupt("an entry reaches over the end of its block"))?;
    let part = *at..end;
    *at = end;
    Ok(part)
}

impl Entries for FileEntries {
    fn advance(&mut self) -> Result<bool> {
        while self.at >= self.block.len() {
            let Some(block) = self.blocks.pop_front() else {
                return Ok(false);
            };
            let spare = std::mem::take(&mut self.block);
            self.block = block.read(&self.content, spare)?;
            (self.current, self.at) = (block, 0);
        }
        self.span = Span::read(&self.block, &mut self.at)?;
        Ok(true)
    }

    fn entry(&self) -> Entry<'_> {
        let (key, value) = self.span.of(&self.block);
        Entry {
            place: self.current.place,
            key,
            value,
        }
    }
}
