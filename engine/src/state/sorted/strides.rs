//! Where in a run keys are: its blocks in strides of about a kilobyte, and what each begins with.

use std::cmp::Ordering;
use std::ops::Range;

use bytes::Bytes;

use super::super::blob::Blob;
use super::super::file::{Block, Span, Watch, corrupt};
use super::super::{StatePlace, full_key};
use super::filter::Filter;
use super::room::Grain;
use crate::error::Result;

/// What a stride takes in memory, in bytes.
pub(super) const STRIDE_MEMORY: u64 = 8 + 4 + 4;
/// In the start of a stride: that the key before it may have the same head.
const SHARES_HEAD: u32 = 1 << 31;

/// Blocks and strides in order. A stride is some entries of a block that follow each other.
#[derive(Debug, Default)]
pub(super) struct Strides {
    blocks: Vec<BlockKeys>,
    /// The first keys of blocks, one after the other.
    firsts: Vec<u8>,
    /// How the first keys of strides go on behind what the keys of their block have in common.
    heads: Vec<u64>,
    /// Where strides begin in their blocks.
    starts: Vec<u32>,
    checksums: Vec<u32>,
}

/// The keys of a block.
#[derive(Debug, Clone, Copy)]
struct BlockKeys {
    /// How the full key of its first entry begins.
    head: u128,
    place: StatePlace,
    /// Its first stride.
    stride: u32,
    /// Where its first key begins in `firsts`, and how long it is.
    first: usize,
    first_length: u32,
    /// How many bytes all its keys begin with alike.
    common: u32,
    offset: u64,
    length: u32,
}

/// Where one stride is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stride {
    pub(super) place: StatePlace,
    offset: u64,
    length: u32,
    checksum: u32,
}

impl Stride {
    /// Its entries, one after the other.
    pub(super) fn look<'a>(&self, content: &'a Blob, buffer: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        let bytes = content.look(self.offset, self.length as usize, buffer)?;
        self.check(bytes)?;
        Ok(bytes)
    }

    /// The same to keep, with the memory of `spare`.
    pub(super) fn read(&self, content: &Blob, spare: Bytes) -> Result<Bytes> {
        let bytes = content.read_into(spare, self.offset, self.length as usize)?;
        self.check(&bytes)?;
        Ok(bytes)
    }

    fn check(&self, bytes: &[u8]) -> Result<()> {
        match crc32fast::hash(bytes) == self.checksum {
            true => Ok(()),
            false => Err(corrupt("what was read has changed since it was written")),
        }
    }
}

impl Strides {
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The memory in use.
    pub(super) fn size_bytes(&self) -> u64 {
        let blocks = self.blocks.capacity() * size_of::<BlockKeys>() + self.firsts.capacity();
        let small = self.starts.capacity() + self.checksums.capacity();
        (blocks + self.heads.capacity() * 8 + small * 4) as u64
    }

    fn shrink(&mut self) {
        self.blocks.shrink_to_fit();
        self.firsts.shrink_to_fit();
        self.heads.shrink_to_fit();
        self.starts.shrink_to_fit();
        self.checksums.shrink_to_fit();
    }

    fn first_of(&self, block: &BlockKeys) -> &[u8] {
        &self.firsts[block.first..block.first + block.first_length as usize]
    }

    /// The strides of a block.
    fn of_block(&self, at: usize) -> Range<usize> {
        let next = self.blocks.get(at + 1);
        let end = next.map_or(self.len(), |next| next.stride as usize);
        self.blocks[at].stride as usize..end
    }

    pub(super) fn get(&self, at: usize) -> Stride {
        let block = self.blocks.partition_point(|b| b.stride as usize <= at);
        self.get_in(block.saturating_sub(1), at)
    }

    /// A stride of a block.
    pub(super) fn get_in(&self, block: usize, at: usize) -> Stride {
        let start = |at: usize| self.starts[at] & !SHARES_HEAD;
        let (own, keys) = (self.of_block(block), &self.blocks[block]);
        let end = match at + 1 < own.end {
            true => start(at + 1),
            false => keys.length,
        };
        Stride {
            place: keys.place,
            offset: keys.offset + u64::from(start(at)),
            length: end - start(at),
            checksum: self.checksums[at],
        }
    }

    /// How many blocks, `known` of which are known to, begin at or before a full key.
    pub(super) fn blocks_by(&self, key: &[u8], head: u128, known: usize) -> usize {
        let begins_by = |block: &BlockKeys| match block.head.cmp(&head) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => {
                full_key::compare(block.place, self.first_of(block), key) != Ordering::Greater
            }
        };
        // Keys that are looked up come in order, so the next one is not far.
        let (mut low, mut step) = (known, 1);
        while self.blocks.get(low + step).is_some_and(begins_by) {
            low += step;
            step *= 2;
        }
        let high = (low + step).min(self.blocks.len());
        low + self.blocks[low..high].partition_point(begins_by)
    }

    /// The strides of a block that may have a full key that the block begins at or before: those before have
    /// only lesser keys, those behind only greater ones.
    pub(super) fn candidates(&self, block: usize, key: &[u8]) -> Range<usize> {
        let (own, keys) = (self.of_block(block), &self.blocks[block]);
        let behind = own.end - 1..own.end;
        let Some((place, key)) = key.split_at_checked(full_key::PREFIX_LEN) else {
            return behind;
        };
        let common = &self.first_of(keys)[..keys.common as usize];
        // It is not less than the first, so if it does not begin alike it is greater than all of them.
        if full_key::prefix(keys.place) != place || !key.starts_with(common) {
            return behind;
        }
        let head = head_behind(key, common.len());
        let heads = &self.heads[own.clone()];
        let equal = heads.partition_point(|h| *h < head);
        let greater = equal + heads[equal..].partition_point(|h| *h == head);
        let first = own.start + equal;
        let alone = equal < greater && self.starts[first] & SHARES_HEAD == 0;
        let from = match alone {
            true => first,
            false => first.saturating_sub(1).max(own.start),
        };
        from..(own.start + greater).max(from + 1)
    }

    /// The strides that may have something of the full keys from one to another.
    pub(super) fn of_range(&self, from: &[u8], to: Option<&[u8]>) -> Range<usize> {
        let candidates = |key: &[u8]| match self.blocks_by(key, crate::key::head(&[], key), 0) {
            0 => 0..0,
            blocks => self.candidates(blocks - 1, key),
        };
        let first = candidates(from).start;
        let last = to.map_or(self.len(), |to| candidates(to).end);
        first..last.max(first)
    }
}

/// How a key goes on behind its first bytes.
fn head_behind(key: &[u8], common: usize) -> u64 {
    let rest = key.get(common..).unwrap_or_default();
    let mut head = [0; 8];
    let length = rest.len().min(8);
    head[..length].copy_from_slice(&rest[..length]);
    u64::from_be_bytes(head)
}

/// The hash of a key for filters.
pub(super) fn hash_of((table, group): StatePlace, key: &[u8]) -> u64 {
    let seed = u64::from(table.0) << 16 | u64::from(group);
    xxhash_rust::xxh3::xxh3_64_with_seed(key, seed)
}

/// Notes where keys are while the blocks of a file are written or read.
#[derive(Debug)]
pub(super) struct Indexer {
    strides: Strides,
    filter: Filter,
    /// Hashes of keys, if it is not known how many there will be.
    hashes: Option<Vec<u64>>,
    grain: Grain,
    entries: u64,
    deletions: u64,
    bytes: u64,
    /// Scratch: of the strides of a block, where their first keys and those before these lie.
    begun: Vec<Begun>,
}

#[derive(Debug)]
struct Begun {
    start: usize,
    key: Range<usize>,
    before: Range<usize>,
}

/// What a run knows of its keys.
pub(super) struct Index {
    pub(super) strides: Strides,
    pub(super) filter: Filter,
    /// How many entries there are, and how many of them are deletions.
    pub(super) entries: u64,
    pub(super) deletions: u64,
    /// In how many bytes.
    pub(super) bytes: u64,
}

impl Indexer {
    /// For so many entries at most, if that is known.
    pub(super) fn new(grain: Grain, entries: Option<u64>) -> Self {
        Indexer {
            strides: Strides::default(),
            filter: Filter::with_capacity(entries.unwrap_or(0), grain.filter_bits),
            hashes: entries.is_none().then(Vec::new),
            grain,
            entries: 0,
            deletions: 0,
            bytes: 0,
            begun: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> Index {
        let bits = self.grain.filter_bits;
        if let Some(hashes) = self.hashes {
            self.filter = Filter::with_capacity(hashes.len() as u64, bits);
            hashes.into_iter().for_each(|hash| self.filter.insert(hash));
        }
        self.filter.fit(self.entries, bits);
        self.strides.shrink();
        Index {
            strides: self.strides,
            filter: self.filter,
            entries: self.entries,
            deletions: self.deletions,
            bytes: self.bytes,
        }
    }

    fn note(&mut self, place: StatePlace, key: &[u8], deleted: bool) {
        let hash = hash_of(place, key);
        match &mut self.hashes {
            Some(hashes) => hashes.push(hash),
            None => self.filter.insert(hash),
        }
        self.entries += 1;
        self.deletions += u64::from(deleted);
    }

    /// Adds the strides that have been begun, of a block whose last key is `last`.
    fn add(&mut self, block: &Block, content: &[u8], last: Range<usize>) {
        let Some(first) = self.begun.first().map(|begun| &content[begun.key.clone()]) else {
            return;
        };
        let alike = first.iter().zip(&content[last]);
        let common = alike.take_while(|(a, b)| a == b).count();
        let strides = &mut self.strides;
        strides.blocks.push(BlockKeys {
            head: full_key::head(block.place, first),
            place: block.place,
            stride: strides.heads.len() as u32,
            first: strides.firsts.len(),
            first_length: first.len() as u32,
            common: common as u32,
            offset: block.offset,
            length: block.length,
        });
        strides.firsts.extend_from_slice(first);
        let ends = self.begun.iter().skip(1).map(|next| next.start);
        for (begun, end) in self.begun.iter().zip(ends.chain([content.len()])) {
            let head = head_behind(&content[begun.key.clone()], common);
            let before = &content[begun.before.clone()];
            let shares = begun.start > 0 && head_behind(before, common) == head;
            let shares = if shares { SHARES_HEAD } else { 0 };
            strides.heads.push(head);
            strides.starts.push(begun.start as u32 | shares);
            let stride = &content[begun.start..end];
            strides.checksums.push(crc32fast::hash(stride));
        }
    }
}

impl Watch for Indexer {
    fn block(&mut self, block: &Block, content: &[u8]) -> Result<()> {
        self.begun.clear();
        let (mut at, mut before) = (0, 0..0);
        while at < content.len() {
            let start = at;
            let span = Span::read(content, &mut at)?;
            let (key, value) = span.of(content);
            self.note(block.place, key, value.is_none());
            let open = self.begun.last();
            let full = |open: &Begun| at - open.start > self.grain.stride_bytes as usize;
            if open.is_none_or(full) {
                self.begun.push(Begun {
                    start,
                    key: span.key(),
                    before: before.clone(),
                });
            }
            before = span.key();
        }
        let starts = self.begun.last().map_or(0, |begun| begun.start);
        if starts >= SHARES_HEAD as usize {
            return Err(corrupt("a block is too long"));
        }
        self.add(block, content, before);
        self.bytes += content.len() as u64;
        Ok(())
    }
}
