//! State files read where they are, in part, by their keys.
//!
//! State that is restored can be used at once, before any of it is put into a database: of each file the
//! first key of every few kilobytes is known, and what lies between is looked through. Reading the files once
//! for that also checks them.

mod cursor;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes;

use super::file::Span;
use super::merge::{Entries, Merge};
use super::{Order, Restored, RestoredFile, StatePlace, full_key};
use crate::error::{EngineError, Result};
use crate::key::KeyGroupRange;
use cursor::Cursor;

pub(super) use cursor::Descending;

/// How far the keys that are known lie apart in a file, in bytes: a thirtieth of a percent of the files is held
/// in memory, and a lookup reads this much.
const STRIDE_BYTES: u64 = 8 << 10;

/// State files, from old to new, and where in them keys are.
pub(super) struct InPlace {
    restored: Restored,
    key_groups: KeyGroupRange,
    /// Of each file.
    strides: Vec<Vec<Stride>>,
    bytes: u64,
}

/// Some entries of one table and key group that follow each other in a file.
struct Stride {
    /// How the full key of the first one begins.
    head: u128,
    place: StatePlace,
    /// Their length in bytes.
    length: u32,
    offset: u64,
}

impl Stride {
    fn range(&self) -> Range<u64> {
        self.offset..self.offset + u64::from(self.length)
    }
}

impl InPlace {
    /// Reads the files once, checks them, and notes where their keys are.
    pub(super) fn open(restored: Restored, key_groups: KeyGroupRange) -> Result<Self> {
        Self::with_strides(restored, key_groups, STRIDE_BYTES)
    }

    fn with_strides(restored: Restored, key_groups: KeyGroupRange, bytes: u64) -> Result<Self> {
        let strides = restored.0.iter().map(|file| {
            let strides = strides(file, key_groups, bytes);
            strides.map_err(|e| e.at(&file.name))
        });
        Ok(InPlace {
            bytes: restored.size_bytes(key_groups),
            strides: strides.collect::<Result<_>>()?,
            restored,
            key_groups,
        })
    }

    /// All entries that the files add up to.
    pub(super) fn entries(&self) -> Merge<'_> {
        self.restored.entries(self.key_groups, None)
    }

    /// The bytes that all entries take in the files, those of older ones included.
    pub(super) fn size_bytes(&self) -> u64 {
        self.bytes
    }

    /// Shows the value of a full key if there is one.
    pub(super) fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        for file in self.files().rev() {
            if let Some(value) = file.find(key).map_err(|e| e.at(file.name()))? {
                return value.map_or(Ok(()), |value| visit(&value));
            }
        }
        Ok(())
    }

    /// The entries of each file, deletions included, whose full keys are in a range, from old to new. Going
    /// backward, what each of them hands out descends.
    pub(super) fn sources(&self, range: &KeyRange, order: Order) -> Vec<Box<dyn Entries + '_>> {
        let cursor = |file| -> Box<dyn Entries> { Box::new(Cursor::new(file, range, order)) };
        self.files().map(cursor).collect()
    }

    fn files(&self) -> impl DoubleEndedIterator<Item = Indexed<'_>> {
        let files = self.restored.0.iter().zip(&self.strides);
        files.map(|(file, strides)| Indexed { file, strides })
    }
}

/// Full keys from one on, up to another one that does not belong to them, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRange {
    pub(super) from: Vec<u8>,
    pub(super) to: Option<Vec<u8>>,
}

impl KeyRange {
    /// All that begins with some bytes.
    pub(super) fn of_prefix(prefix: Vec<u8>) -> Self {
        KeyRange {
            to: full_key::behind_prefix(&prefix),
            from: prefix,
        }
    }
}

fn strides(file: &RestoredFile, key_groups: KeyGroupRange, bytes: u64) -> Result<Vec<Stride>> {
    let mut entries = file
        .reader
        .entries(file.key_groups.intersection(&key_groups), None);
    let mut strides: Vec<Stride> = Vec::new();
    while entries.advance()? {
        let (entry, at) = (entries.entry(), entries.position());
        let open = strides.last_mut().filter(|open| {
            // Blocks of other key groups may lie between.
            open.range().end == at.start
                && open.place == entry.place
                && u64::from(open.length) < bytes
        });
        let offset = open.as_ref().map_or(at.start, |open| open.offset);
        let length = u32::try_from(at.end - offset)
            .map_err(|_| EngineError::checkpoint("an entry of keyed state exceeds 4 GiB"))?;
        match open {
            Some(open) => open.length = length,
            None => strides.push(Stride {
                head: full_key::head(entry.place, entry.key),
                place: entry.place,
                length,
                offset,
            }),
        }
    }
    Ok(strides)
}

/// A file and where its keys are.
#[derive(Clone, Copy)]
struct Indexed<'a> {
    file: &'a RestoredFile,
    strides: &'a [Stride],
}

impl<'a> Indexed<'a> {
    fn name(&self) -> &'a str {
        &self.file.name
    }

    fn read(&self, stride: &Stride) -> Result<Bytes> {
        self.file.reader.bytes(stride.range())
    }

    /// How many strides begin at or before some bytes that full keys can be compared with.
    fn beginning_by(&self, key: &[u8]) -> Result<usize> {
        let head = crate::key::head(&[], key);
        let mut from = self.strides.partition_point(|s| s.head < head);
        let mut to = from + self.strides[from..].partition_point(|s| s.head == head);
        // Where only beginnings are equal the keys themselves decide.
        while from < to {
            let middle = from + (to - from) / 2;
            let stride = &self.strides[middle];
            let bytes = self.read(stride)?;
            let (first, _) = Span::read(&bytes, &mut 0)?.of(&bytes);
            match full_key::compare(stride.place, first, key).is_le() {
                true => from = middle + 1,
                false => to = middle,
            }
        }
        Ok(from)
    }

    /// The value of a full key, or that it is deleted; `None` if the file does not have it.
    fn find(&self, key: &[u8]) -> Result<Option<Option<Bytes>>> {
        let Some(stride) = self.beginning_by(key)?.checked_sub(1) else {
            return Ok(None);
        };
        let stride = &self.strides[stride];
        let bytes = self.read(stride)?;
        let mut at = 0;
        while at < bytes.len() {
            let (found, value) = Span::read(&bytes, &mut at)?.of(&bytes);
            match full_key::compare(stride.place, found, key) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => {
                    return Ok(Some(value.map(|value| bytes.slice_ref(value))));
                }
                std::cmp::Ordering::Greater => break,
            }
        }
        Ok(None)
    }
}
