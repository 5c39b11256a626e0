//! The file format of snapshots of keyed state, one for all backends.
//!
//! ```text
//! header   magic "LVSTATE\0" (8) ‖ format version (u32)
//! blocks   entries of one table and key group: length of key (varint) ‖ key
//!          ‖ length of value (varint) ‖ value, in ascending order of keys
//! index    per block: table (u8) ‖ key group (u16) ‖ offset (u64) ‖ length (u32) ‖ CRC-32 (u32)
//! footer   offset of the index (u64) ‖ number of blocks (u32) ‖ CRC-32 of index, offset and
//!          number (u32) ‖ magic (8)
//! ```
//!
//! Integers are little endian. Blocks are in order of table, key group and key, and the index lets
//! a reader take the key groups that it owns and leave the rest. Every byte between header and
//! footer is covered by a checksum.

use std::io::Write;

use super::{Change, FrozenState, KeyedState, TableId};
use crate::error::{EngineError, Result};
use crate::key::{KeyGroup, KeyGroupRange};

const MAGIC: &[u8; 8] = b"LVSTATE\0";
const VERSION: u32 = 1;
const HEADER_LEN: usize = 12;
const FOOTER_LEN: usize = 24;
const INDEX_ENTRY_LEN: usize = 19;
/// A block is closed when it has grown to this.
const BLOCK_BYTES: usize = 256 << 10;

/// Writes everything in `frozen` and returns the length of the file, in bytes.
pub fn write(frozen: &mut dyn FrozenState, out: &mut dyn Write) -> Result<u64> {
    let mut writer = Writer::new(out)?;
    frozen.visit(&mut |table, group, key, value| writer.entry(table, group, key, value))?;
    writer.finish()
}

/// Applies to `state` the entries of `file` whose key groups are in `range`.
pub fn restore(state: &mut dyn KeyedState, file: &[u8], range: KeyGroupRange) -> Result<()> {
    for block in read_index(file)? {
        if range.contains(block.group) {
            let entries = block.entries(file)?;
            let mut failed = None;
            let mut changes = entries.map_while(|entry| match entry {
                Ok((key, value)) => Some(Change {
                    group: block.group,
                    key,
                    value: Some(value),
                }),
                Err(error) => {
                    failed = Some(error);
                    None
                }
            });
            state.apply(block.table, &mut changes)?;
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }
    Ok(())
}

/// The tables and key groups that a file has entries of, in ascending order.
pub fn contents(file: &[u8]) -> Result<Vec<(TableId, KeyGroup)>> {
    let mut contents: Vec<_> = read_index(file)?.map(|b| (b.table, b.group)).collect();
    contents.dedup();
    Ok(contents)
}

fn corrupt(what: &str) -> EngineError {
    EngineError::checkpoint(format!("a state file is damaged: {what}"))
        .with_hint("restore from another checkpoint or savepoint")
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    offset: u64,
    /// The table and key group of the open block.
    place: (TableId, KeyGroup),
    block: Vec<u8>,
    index: Vec<u8>,
    blocks: u32,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut dyn Write) -> Result<Self> {
        let mut writer = Writer {
            out,
            offset: 0,
            place: (TableId(0), 0),
            block: Vec::new(),
            index: Vec::new(),
            blocks: 0,
        };
        writer.put(MAGIC)?;
        writer.put(&VERSION.to_le_bytes())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|e| {
            EngineError::checkpoint("a state file cannot be written").with_detail(e.to_string())
        })?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn entry(&mut self, table: TableId, group: KeyGroup, key: &[u8], value: &[u8]) -> Result<()> {
        if self.place != (table, group) || self.block.len() >= BLOCK_BYTES {
            self.close_block()?;
            self.place = (table, group);
        }
        for part in [key, value] {
            put_length(part.len(), &mut self.block)?;
            self.block.extend_from_slice(part);
        }
        Ok(())
    }

    fn close_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = std::mem::take(&mut self.block);
        let length = u32::try_from(block.len())
            .map_err(|_| EngineError::checkpoint("an entry of keyed state exceeds 4 GiB"))?;
        self.index.push(self.place.0.0);
        self.index.extend_from_slice(&self.place.1.to_le_bytes());
        self.index.extend_from_slice(&self.offset.to_le_bytes());
        self.index.extend_from_slice(&length.to_le_bytes());
        self.index
            .extend_from_slice(&crc32fast::hash(&block).to_le_bytes());
        self.blocks += 1;
        self.put(&block)?;
        self.block = block;
        self.block.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<u64> {
        self.close_block()?;
        let mut tail = std::mem::take(&mut self.index);
        tail.extend_from_slice(&self.offset.to_le_bytes());
        tail.extend_from_slice(&self.blocks.to_le_bytes());
        let checksum = crc32fast::hash(&tail);
        tail.extend_from_slice(&checksum.to_le_bytes());
        tail.extend_from_slice(MAGIC);
        self.put(&tail)?;
        Ok(self.offset)
    }
}

fn put_length(length: usize, out: &mut Vec<u8>) -> Result<()> {
    let mut rest = u32::try_from(length)
        .map_err(|_| EngineError::checkpoint("an entry of keyed state exceeds 4 GiB"))?;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    Ok(())
}

struct Block {
    table: TableId,
    group: KeyGroup,
    offset: u64,
    length: u32,
    checksum: u32,
}

fn read_index(file: &[u8]) -> Result<impl Iterator<Item = Block> + '_> {
    let header = file.get(..HEADER_LEN).ok_or_else(|| corrupt("too short"))?;
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
    let footer_at = file.len().checked_sub(FOOTER_LEN);
    let footer_at = footer_at.ok_or_else(|| corrupt("too short"))?;
    let mut footer = file.get(footer_at..).ok_or_else(|| corrupt("too short"))?;
    let index_at = u64::from_le_bytes(take(&mut footer)?);
    let blocks = u32::from_le_bytes(take(&mut footer)?);
    let checksum = u32::from_le_bytes(take(&mut footer)?);
    if footer != MAGIC {
        return Err(corrupt("its end is missing"));
    }
    let index_at = usize::try_from(index_at).map_err(|_| corrupt("bad index offset"))?;
    let covered = file.get(index_at..footer_at + 12);
    let covered = covered.ok_or_else(|| corrupt("bad index offset"))?;
    if crc32fast::hash(covered) != checksum {
        return Err(corrupt("the checksum of its index does not match"));
    }
    let index = file.get(index_at..footer_at);
    let index = index.ok_or_else(|| corrupt("bad index offset"))?;
    if index.len() != blocks as usize * INDEX_ENTRY_LEN {
        return Err(corrupt("the length of its index does not match"));
    }
    Ok(index.chunks_exact(INDEX_ENTRY_LEN).map_while(read_block))
}

fn read_block(mut entry: &[u8]) -> Option<Block> {
    let entry = &mut entry;
    Some(Block {
        table: TableId(u8::from_le_bytes(take(entry).ok()?)),
        group: KeyGroup::from_le_bytes(take(entry).ok()?),
        offset: u64::from_le_bytes(take(entry).ok()?),
        length: u32::from_le_bytes(take(entry).ok()?),
        checksum: u32::from_le_bytes(take(entry).ok()?),
    })
}

/// Takes `N` bytes off the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (head, rest) = bytes
        .split_first_chunk::<N>()
        .ok_or_else(|| corrupt("cut off"))?;
    *bytes = rest;
    Ok(*head)
}

impl Block {
    fn entries<'f>(
        &self,
        file: &'f [u8],
    ) -> Result<impl Iterator<Item = Result<(&'f [u8], &'f [u8])>>> {
        let bytes = usize::try_from(self.offset)
            .ok()
            .and_then(|start| Some(start..start.checked_add(self.length as usize)?))
            .and_then(|range| file.get(range))
            .ok_or_else(|| corrupt("a block lies outside of it"))?;
        if crc32fast::hash(bytes) != self.checksum {
            return Err(corrupt("the checksum of a block does not match"));
        }
        let mut rest = bytes;
        Ok(std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let entry = take_part(&mut rest).and_then(|key| Ok((key, take_part(&mut rest)?)));
            if entry.is_err() {
                rest = &[];
            }
            Some(entry)
        }))
    }
}

/// Takes a length and as many bytes off the front.
fn take_part<'f>(bytes: &mut &'f [u8]) -> Result<&'f [u8]> {
    let mut length = 0u64;
    for shift in (0..35).step_by(7) {
        let [byte] = take::<1>(bytes)?;
        length |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).map_err(|_| corrupt("bad length"))?;
            let (part, rest) = bytes
                .split_at_checked(length)
                .ok_or_else(|| corrupt("an entry reaches over the end of its block"))?;
            *bytes = rest;
            return Ok(part);
        }
    }
    Err(corrupt("bad length"))
}
