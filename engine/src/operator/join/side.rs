//! The rows of one input that may find partners yet.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_128;

use super::rows::{NONE, Rows};
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::JoinInput;
use crate::operator::aggregate::lane::{Codec, Lane};
use crate::operator::aggregate::rows::EncodedRows;

/// A row by its number, in the list of the rows of its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The number of its key; [`NONE`] if there is no such row.
    pub(super) key: u32,
    next: u32,
    before: u32,
    /// How many partners it has, where that is counted.
    pub(super) degree: u32,
    /// Tells rows of a key apart in keyed state.
    pub(super) id: u64,
    /// When it last changed, in milliseconds of processing time.
    pub(super) stamp: i64,
    /// Whether it has changed since it was last written to keyed state.
    dirty: bool,
    /// Whether keyed state has it.
    pub(super) persisted: bool,
}

const FREE: Entry = Entry {
    key: NONE,
    next: NONE,
    before: NONE,
    degree: 0,
    id: 0,
    stamp: 0,
    dirty: false,
    persisted: false,
};

/// A row among those of the same content.
#[derive(Debug, Clone, Copy, Default)]
struct Content {
    hash: u128,
    next: u32,
    before: u32,
}

/// What a new row is beside its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) key: u32,
    pub(super) degree: u32,
    pub(super) id: u64,
    pub(super) stamp: i64,
}

/// One input of a join, with what it remembers.
pub(super) struct Side {
    /// The key columns.
    pub(super) keys: Vec<usize>,
    /// The other columns.
    pub(super) others: Vec<usize>,
    pub(super) key_codecs: Vec<Codec>,
    pub(super) other_codecs: Vec<Codec>,
    /// Whether rows are taken back.
    pub(super) updating: bool,
    /// Whether the partners of its rows are counted.
    pub(super) counts: bool,
    pub(super) rows: Rows,
    /// By key: the row that came last.
    heads: Vec<u32>,
    /// By row.
    entries: Vec<Entry>,
    /// If rows are taken back: of those of equal content the one that came last.
    by_content: HashTable<u32>,
    /// By row, if rows are taken back.
    contents: Vec<Content>,
    dirty: Vec<u32>,
    /// Rows that keyed state has and should not: their keys and ids.
    pub(super) gone: Vec<(u32, u64)>,
    /// Keys that have lost their last row.
    pub(super) emptied: Vec<u32>,
}

impl Side {
    pub(super) fn new(spec: &JoinInput, counts: bool) -> Result<Self> {
        let schema = &spec.rows.0;
        let width = schema.fields().len();
        if spec.keys.iter().any(|key| *key >= width) {
            return Err(EngineError::internal("a join key is not a column"));
        }
        let others: Vec<usize> = (0..width).filter(|c| !spec.keys.contains(c)).collect();
        let codecs = |columns: &[usize]| -> Result<Vec<Codec>> {
            let codec = |column: &usize| Codec::new(schema.field(*column).data_type());
            columns.iter().map(codec).collect()
        };
        Ok(Side {
            key_codecs: codecs(&spec.keys)?,
            other_codecs: codecs(&others)?,
            keys: spec.keys.clone(),
            others,
            updating: spec.updating,
            counts,
            rows: Rows::new(schema.clone()),
            heads: Vec::new(),
            entries: Vec::new(),
            by_content: HashTable::new(),
            contents: Vec::new(),
            dirty: Vec::new(),
            gone: Vec::new(),
            emptied: Vec::new(),
        })
    }

    /// Makes room for keys below `count`.
    pub(super) fn resize(&mut self, count: usize) {
        self.heads.resize(count.max(self.heads.len()), NONE);
    }

    /// Whether a key has rows.
    pub(super) fn has(&self, key: u32) -> bool {
        self.heads[key as usize] != NONE
    }

    /// The rows of a key, the last to come first.
    pub(super) fn of_key(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let some = |row: u32| (row != NONE).then_some(row);
        let first = some(self.heads[key as usize]);
        std::iter::successors(first, move |row| some(self.entries[*row as usize].next))
    }

    pub(super) fn entry(&self, row: u32) -> &Entry {
        &self.entries[row as usize]
    }

    /// The key columns of a batch in their lanes.
    pub(super) fn key_lanes(&self, rows: &RecordBatch) -> Result<Vec<Lane>> {
        lanes(rows.columns(), &self.keys, &self.key_codecs)
    }

    /// The columns of rows beside their keys.
    pub(super) fn other_lanes(&self, columns: &[ArrayRef]) -> Result<Vec<Lane>> {
        lanes(columns, &self.others, &self.other_codecs)
    }

    /// What tells rows apart, if they are ever taken back.
    pub(super) fn contents_of(&self, rows: &RecordBatch) -> Result<Vec<u128>> {
        if !self.updating {
            return Ok(Vec::new());
        }
        let mut all = self.key_lanes(rows)?;
        all.extend(self.other_lanes(rows.columns())?);
        let encoded = EncodedRows::encode(&all, rows.num_rows(), |_| &[])?;
        let count = 0..rows.num_rows();
        Ok(count.map(|row| xxh3_128(encoded.row(row))).collect())
    }

    /// Keeps the rows of a batch at `kept`; `contents` are those of the whole batch. They belong to no key
    /// until [`Side::link`].
    pub(super) fn add(
        &mut self,
        rows: &RecordBatch,
        kept: &[u32],
        contents: &[u128],
    ) -> Result<Vec<u32>> {
        let mut numbers = Vec::with_capacity(kept.len());
        if kept.len() == rows.num_rows() {
            self.rows.add(rows.clone(), &mut numbers)?;
        } else {
            let rows = take_record_batch(rows, &UInt32Array::from(kept.to_vec()))?;
            self.rows.add(rows, &mut numbers)?;
        }
        self.entries.resize(self.rows.capacity(), FREE);
        if self.updating {
            self.contents
                .resize(self.rows.capacity(), Content::default());
            for (number, row) in numbers.iter().zip(kept) {
                self.contents[*number as usize].hash = contents[*row as usize];
            }
        }
        Ok(numbers)
    }

    /// Puts a row to those of its key.
    pub(super) fn link(&mut self, row: u32, arrival: Arrival) {
        let head = &mut self.heads[arrival.key as usize];
        let next = std::mem::replace(head, row);
        if next != NONE {
            self.entries[next as usize].before = row;
        }
        self.entries[row as usize] = Entry {
            key: arrival.key,
            next,
            before: NONE,
            degree: arrival.degree,
            id: arrival.id,
            stamp: arrival.stamp,
            dirty: false,
            persisted: false,
        };
        if self.updating {
            self.link_content(row);
        }
    }

    fn link_content(&mut self, row: u32) {
        let contents = &mut self.contents;
        let content = contents[row as usize].hash;
        let same = |other: &u32| contents[*other as usize].hash == content;
        let next = match self.by_content.find_mut(content as u64, same) {
            Some(head) => std::mem::replace(head, row),
            None => {
                let hash = |row: &u32| contents[*row as usize].hash as u64;
                self.by_content.insert_unique(content as u64, row, hash);
                NONE
            }
        };
        if next != NONE {
            contents[next as usize].before = row;
        }
        contents[row as usize] = Content {
            hash: content,
            next,
            before: NONE,
        };
    }

    fn unlink_content(&mut self, row: u32) {
        let Content { hash, next, before } = self.contents[row as usize];
        if next != NONE {
            self.contents[next as usize].before = before;
        }
        if before != NONE {
            self.contents[before as usize].next = next;
            return;
        }
        let Ok(mut head) = self.by_content.find_entry(hash as u64, |head| *head == row) else {
            return;
        };
        match next {
            NONE => {
                head.remove();
            }
            next => *head.get_mut() = next,
        }
    }

    /// A row of this content.
    pub(super) fn find(&self, content: u128) -> Option<u32> {
        let same = |row: &u32| self.contents[*row as usize].hash == content;
        self.by_content.find(content as u64, same).copied()
    }

    /// Forgets a row.
    pub(super) fn remove(&mut self, row: u32) -> Result<()> {
        let entry = std::mem::replace(&mut self.entries[row as usize], FREE);
        if entry.key == NONE {
            return Err(EngineError::internal("a row was forgotten twice"));
        }
        match entry.before {
            NONE => self.heads[entry.key as usize] = entry.next,
            before => self.entries[before as usize].next = entry.next,
        }
        if entry.next != NONE {
            self.entries[entry.next as usize].before = entry.before;
        }
        if self.updating {
            self.unlink_content(row);
        }
        if entry.persisted {
            self.gone.push((entry.key, entry.id));
        }
        if !self.has(entry.key) {
            self.emptied.push(entry.key);
        }
        self.rows.remove(row)
    }

    /// Notes that a row is new or has another number of partners.
    pub(super) fn touch(&mut self, row: u32, degree: u32, now_ms: i64) {
        let entry = &mut self.entries[row as usize];
        entry.degree = degree;
        entry.stamp = now_ms;
        if !std::mem::replace(&mut entry.dirty, true) {
            self.dirty.push(row);
        }
    }

    /// Notes that keyed state has a row as it is.
    pub(super) fn persisted(&mut self, row: u32) {
        self.entries[row as usize].persisted = true;
    }

    /// Takes the rows that have changed.
    pub(super) fn take_dirty(&mut self) -> Vec<u32> {
        let mut dirty = std::mem::take(&mut self.dirty);
        // Of a row that is gone the number may have been given to another one.
        dirty.retain(|row| std::mem::take(&mut self.entries[*row as usize].dirty));
        dirty
    }

    /// The rows that have not changed since `before`.
    pub(super) fn expired(&self, before: i64) -> Vec<u32> {
        let rows = (0..).zip(&self.entries);
        let expired = rows.filter(|(_, entry)| entry.key != NONE && entry.stamp <= before);
        expired.map(|(row, _)| row).collect()
    }

    /// Roughly the memory in use.
    pub(super) fn size_bytes(&self) -> usize {
        self.rows.size_bytes()
            + self.heads.capacity() * 4
            + self.entries.capacity() * size_of::<Entry>()
            + self.contents.capacity() * size_of::<Content>()
            + self.by_content.allocation_size()
    }
}

fn lanes(columns: &[ArrayRef], at: &[usize], codecs: &[Codec]) -> Result<Vec<Lane>> {
    let column = |(at, codec): (&usize, &Codec)| match columns.get(*at) {
        Some(column) => codec.encode(column),
        None => Err(EngineError::internal("a joined row lacks a column")),
    };
    at.iter().zip(codecs).map(column).collect()
}

/// Which rows of a batch come (or go).
pub(super) fn comes(batch: &Batch, row: usize) -> bool {
    !batch.kind(row).is_retraction()
}
