//! The rows of one input that may find partners yet.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_128;

use super::rows::{NONE, Rows};
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::operator::aggregate::lane::{Codec, Lane};
use crate::operator::aggregate::rows::EncodedRows;

#[cfg(test)]
mod tests;

/// A row by its number, in the list of the rows of its key.
#[derive(Debug, Clone, Copy)]
pub(in crate::operator) struct Entry {
    /// The number of its key; [`NONE`] if there is no such row.
    pub(in crate::operator) key: u32,
    next: u32,
    before: u32,
    /// How many partners it has, where that is counted.
    pub(in crate::operator) degree: u32,
    /// Tells rows of a key apart in keyed state.
    pub(in crate::operator) id: u64,
    /// When it last changed, in milliseconds of processing time; where event time lets rows go, the last moment
    /// of event time at which it is wanted.
    pub(in crate::operator) stamp: i64,
    /// Whether it has changed since it was last written to keyed state.
    dirty: bool,
    /// Whether keyed state has it.
    pub(in crate::operator) persisted: bool,
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

/// About what a stamp of rows that event time lets go takes.
const DUE_BYTES: usize = 64;

/// A row among those of the same content.
#[derive(Debug, Clone, Copy, Default)]
struct Content {
    hash: u128,
    next: u32,
    before: u32,
}

/// What a new row is beside its columns.
#[derive(Debug, Clone, Copy)]
pub(in crate::operator) struct Arrival {
    pub(in crate::operator) key: u32,
    pub(in crate::operator) degree: u32,
    pub(in crate::operator) id: u64,
    pub(in crate::operator) stamp: i64,
}

/// One input, with what is remembered of it.
pub(in crate::operator) struct Side {
    /// The key columns.
    pub(in crate::operator) keys: Vec<usize>,
    /// The other columns.
    pub(in crate::operator) others: Vec<usize>,
    pub(in crate::operator) key_codecs: Vec<Codec>,
    pub(in crate::operator) other_codecs: Vec<Codec>,
    /// Whether rows are taken back.
    pub(in crate::operator) updating: bool,
    /// Whether the partners of its rows are counted.
    pub(in crate::operator) counts: bool,
    /// How long rows are kept that nothing changes, in milliseconds; 0 for ever, `None` as long as those of
    /// other sides.
    pub(in crate::operator) ttl_ms: Option<i64>,
    pub(in crate::operator) rows: Rows,
    /// By key: the row that came last, or that has the latest stamp.
    heads: Vec<u32>,
    /// Whether the rows of a key are in the order of their stamps.
    sorted: bool,
    /// By row.
    entries: Vec<Entry>,
    /// If rows are taken back: of those of equal content the one that came last.
    by_content: HashTable<u32>,
    /// By row, if rows are taken back.
    contents: Vec<Content>,
    dirty: Vec<u32>,
    /// Rows by their stamp, if event time lets them go; or keys.
    due: Option<BTreeMap<i64, Vec<u32>>>,
    /// Whether all rows of a key have the same stamp and go with it.
    due_keys: bool,
    /// Rows that keyed state has and should not: their keys and ids.
    pub(in crate::operator) gone: Vec<(u32, u64)>,
    /// Keys that have lost their last row.
    pub(in crate::operator) emptied: Vec<u32>,
}

impl Side {
    /// Rows by the columns `keys`; `updating` says that they are taken back, by their content, `counts` that
    /// their partners are counted.
    pub(in crate::operator) fn new(
        schema: &SchemaRef,
        keys: &[usize],
        updating: bool,
        counts: bool,
    ) -> Result<Self> {
        let width = schema.fields().len();
        if keys.iter().any(|key| *key >= width) {
            return Err(EngineError::internal("a key is not a column"));
        }
        let others: Vec<usize> = (0..width).filter(|c| !keys.contains(c)).collect();
        let codecs = |columns: &[usize]| -> Result<Vec<Codec>> {
            let codec = |column: &usize| Codec::new(schema.field(*column).data_type());
            columns.iter().map(codec).collect()
        };
        Ok(Side {
            key_codecs: codecs(keys)?,
            other_codecs: codecs(&others)?,
            keys: keys.to_vec(),
            others,
            updating,
            counts,
            ttl_ms: None,
            rows: Rows::new(schema.clone()),
            heads: Vec::new(),
            sorted: false,
            entries: Vec::new(),
            by_content: HashTable::new(),
            contents: Vec::new(),
            dirty: Vec::new(),
            due: None,
            due_keys: false,
            gone: Vec::new(),
            emptied: Vec::new(),
        })
    }

    /// The same, for rows that event time lets go, and nothing else.
    pub(in crate::operator) fn by_time(self) -> Self {
        let due = Some(BTreeMap::new());
        Side { due, ..self }
    }

    /// The same, with the rows of a key in the order of their stamps. They come nearly in that order, so that each finds its
    /// place behind few others.
    pub(in crate::operator) fn sorted(self) -> Self {
        Side {
            sorted: true,
            ..self
        }
    }

    /// The same, for rows that event time lets go with all of their key.
    pub(in crate::operator) fn by_time_of_keys(self) -> Self {
        Side {
            due_keys: true,
            ..self.by_time()
        }
    }

    /// Forgets all rows, which keyed state has.
    pub(in crate::operator) fn clear(&mut self) {
        self.rows = Rows::new(self.rows.schema().clone());
        self.heads = Vec::new();
        self.entries = Vec::new();
        self.by_content = HashTable::new();
        self.contents = Vec::new();
        self.dirty = Vec::new();
        if let Some(due) = &mut self.due {
            due.clear();
        }
        self.gone = Vec::new();
        self.emptied = Vec::new();
    }

    /// Makes room for keys below `count`.
    pub(in crate::operator) fn resize(&mut self, count: usize) {
        self.heads.resize(count.max(self.heads.len()), NONE);
    }

    /// Whether a key has rows.
    pub(in crate::operator) fn has(&self, key: u32) -> bool {
        self.heads[key as usize] != NONE
    }

    /// The rows of a key with stamps in a range, the latest first; of rows in the order of their stamps.
    pub(in crate::operator) fn near(
        &self,
        key: u32,
        stamps: &RangeInclusive<i64>,
    ) -> impl Iterator<Item = u32> + '_ {
        let (first, last) = (*stamps.start(), *stamps.end());
        let of_key = self.of_key(key);
        let not_later = of_key.skip_while(move |row| self.entry(*row).stamp > last);
        not_later.take_while(move |row| self.entry(*row).stamp >= first)
    }

    /// The rows of a key, the last to come first, or the latest.
    pub(in crate::operator) fn of_key(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let some = |row: u32| (row != NONE).then_some(row);
        let first = some(self.heads[key as usize]);
        std::iter::successors(first, move |row| some(self.entries[*row as usize].next))
    }

    pub(in crate::operator) fn entry(&self, row: u32) -> &Entry {
        &self.entries[row as usize]
    }

    /// The key columns of a batch in their lanes.
    pub(in crate::operator) fn key_lanes(&self, rows: &RecordBatch) -> Result<Vec<Lane>> {
        lanes(rows.columns(), &self.keys, &self.key_codecs)
    }

    /// The columns of rows beside their keys.
    pub(in crate::operator) fn other_lanes(&self, columns: &[ArrayRef]) -> Result<Vec<Lane>> {
        lanes(columns, &self.others, &self.other_codecs)
    }

    /// What tells rows apart, if they are ever taken back.
    pub(in crate::operator) fn contents_of(&self, rows: &RecordBatch) -> Result<Vec<u128>> {
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
    pub(in crate::operator) fn add(
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
    pub(in crate::operator) fn link(&mut self, row: u32, arrival: Arrival) {
        let (before, next) = self.place(arrival);
        match before {
            NONE => self.heads[arrival.key as usize] = row,
            before => self.entries[before as usize].next = row,
        }
        if next != NONE {
            self.entries[next as usize].before = row;
        }
        self.entries[row as usize] = Entry {
            key: arrival.key,
            next,
            before,
            degree: arrival.degree,
            id: arrival.id,
            stamp: arrival.stamp,
            dirty: false,
            persisted: false,
        };
        if let Some(due) = &mut self.due {
            let due = due.entry(arrival.stamp).or_default();
            match self.due_keys {
                true if next == NONE => due.push(arrival.key),
                true => {}
                false => due.push(row),
            }
        }
        if self.updating {
            self.link_content(row);
        }
    }

    /// The rows of its key between which a new row stands.
    fn place(&self, arrival: Arrival) -> (u32, u32) {
        let (mut before, mut next) = (NONE, self.heads[arrival.key as usize]);
        while self.sorted && next != NONE && self.entries[next as usize].stamp > arrival.stamp {
            (before, next) = (next, self.entries[next as usize].next);
        }
        (before, next)
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
    pub(in crate::operator) fn find(&self, content: u128) -> Option<u32> {
        let same = |row: &u32| self.contents[*row as usize].hash == content;
        self.by_content.find(content as u64, same).copied()
    }

    /// Forgets a row.
    pub(in crate::operator) fn remove(&mut self, row: u32) -> Result<()> {
        self.unlink(row)?;
        self.release(row)
    }

    /// Gives up the number and the columns of a row that was unlinked.
    pub(in crate::operator) fn release(&mut self, row: u32) -> Result<()> {
        self.rows.remove(row)
    }

    /// Takes a row away from those of its key; its columns can still be gathered.
    pub(in crate::operator) fn unlink(&mut self, row: u32) -> Result<()> {
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
        Ok(())
    }

    /// Notes that a row is new or has another number of partners.
    pub(in crate::operator) fn touch(&mut self, row: u32, degree: u32, now_ms: i64) {
        let entry = &mut self.entries[row as usize];
        entry.degree = degree;
        entry.stamp = now_ms;
        if !std::mem::replace(&mut entry.dirty, true) {
            self.dirty.push(row);
        }
    }

    /// Notes that keyed state has a row as it is.
    pub(in crate::operator) fn persisted(&mut self, row: u32) {
        self.entries[row as usize].persisted = true;
    }

    /// Takes the rows that have changed.
    pub(in crate::operator) fn take_dirty(&mut self) -> Vec<u32> {
        let mut dirty = std::mem::take(&mut self.dirty);
        // Of a row that is gone the number may have been given to another one.
        dirty.retain(|row| std::mem::take(&mut self.entries[*row as usize].dirty));
        dirty
    }

    /// The rows that have not changed since `before`.
    pub(in crate::operator) fn expired(&self, before: i64) -> Vec<u32> {
        let rows = (0..).zip(&self.entries);
        let expired = rows.filter(|(_, entry)| entry.key != NONE && entry.stamp <= before);
        expired.map(|(row, _)| row).collect()
    }

    /// Takes some of the rows whose stamp is `before` or earlier out of those that event time lets go; they must be
    /// removed. None if there are no more.
    pub(in crate::operator) fn take_due(&mut self, before: i64, limit: usize) -> Vec<u32> {
        let mut rows = Vec::new();
        let Some(due) = &mut self.due else {
            return rows;
        };
        while rows.len() < limit
            && let Some(mut first) = due.first_entry()
            && *first.key() <= before
        {
            let of_stamp = first.get_mut();
            let rest = of_stamp.len().saturating_sub(limit - rows.len());
            rows.extend(of_stamp.drain(rest..));
            if of_stamp.is_empty() {
                first.remove();
            }
        }
        rows
    }

    /// Takes about `limit` of the keys whose rows have a stamp of `before` or earlier; all their rows must be removed.
    /// None if there are no more.
    pub(in crate::operator) fn take_due_keys(&mut self, before: i64, limit: usize) -> Vec<u32> {
        let mut keys = Vec::new();
        while keys.len() < limit
            && let Some(due) = &mut self.due
            && let Some(first) = due.first_entry()
            && *first.key() <= before
        {
            let (stamp, mut of_stamp) = first.remove_entry();
            let rest = of_stamp.split_off(of_stamp.len().min(limit - keys.len()));
            if !rest.is_empty() {
                due.insert(stamp, rest);
            }
            // Of a key that has lost its rows before, the number may be another key's now.
            of_stamp.retain(|key| {
                let first = self.of_key(*key).next();
                first.is_some_and(|row| self.entry(row).stamp == stamp)
            });
            keys.extend(of_stamp);
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The earliest stamp of the rows that event time lets go; the latest moment there is without any.
    pub(in crate::operator) fn first_due(&self) -> i64 {
        let first = self.due.as_ref().and_then(BTreeMap::first_key_value);
        first.map_or(i64::MAX, |(stamp, _)| *stamp)
    }

    /// Roughly the memory in use.
    pub(in crate::operator) fn size_bytes(&self) -> usize {
        self.rows.size_bytes()
            + self.heads.capacity() * 4
            + self.entries.capacity() * size_of::<Entry>()
            + self.contents.capacity() * size_of::<Content>()
            + self.by_content.allocation_size()
            + self.due.as_ref().map_or(0, BTreeMap::len) * DUE_BYTES
    }
}

fn lanes(columns: &[ArrayRef], at: &[usize], codecs: &[Codec]) -> Result<Vec<Lane>> {
    let column = |(at, codec): (&usize, &Codec)| match columns.get(*at) {
        Some(column) => codec.encode(column),
        None => Err(EngineError::internal("a row lacks a column")),
    };
    at.iter().zip(codecs).map(column).collect()
}

/// Which rows of a batch come (or go).
pub(in crate::operator) fn comes(batch: &Batch, row: usize) -> bool {
    !batch.kind(row).is_retraction()
}
