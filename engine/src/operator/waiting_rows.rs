//! Rows that wait for event time, in its order.
//!
//! In memory they are in a tree by their stamp. In keyed state a row's key is its stamp and its id, so that those
//! that are due are read from the beginning of each key group, wherever they were put.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;

use super::aggregate::lane::{Codec, Lane};
use super::aggregate::persist::delete;
use super::aggregate::rows::{EncodedRows, RowsDecoder};
use super::keyed_rows::Rows;
use crate::element::rows_of;
use crate::error::{EngineError, Result};
use crate::key::KeyGroup;
use crate::state::{Change, KeyedState, Order, TableId};

#[cfg(test)]
mod tests;

/// The rows, in keyed state.
const WAITING: TableId = TableId(4);
/// How values are written.
const VERSION: u8 = 1;
/// How many rows are encoded at a time.
const SAVE_ROWS: usize = if cfg!(test) { 3 } else { 1 << 13 };
/// A stamp and an id.
const KEY_BYTES: usize = 16;
/// About what a row takes beside its columns.
const ENTRY_BYTES: usize = 64;

/// What a row is beside its columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Waiting {
    pub(super) group: KeyGroup,
    /// Rises with the rows of a key group.
    pub(super) id: u64,
    /// The moment of event time at which it is due, in milliseconds.
    pub(super) stamp: i64,
}

impl Waiting {
    fn key(&self) -> [u8; KEY_BYTES] {
        let mut key = [0; KEY_BYTES];
        let stamp = (self.stamp as u64) ^ (1 << 63);
        key[..8].copy_from_slice(&stamp.to_be_bytes());
        key[8..].copy_from_slice(&self.id.to_be_bytes());
        key
    }

    fn of_key(group: KeyGroup, key: &[u8]) -> Result<Self> {
        let halves = key.split_at_checked(8);
        let halves = halves.and_then(|(stamp, id)| {
            let stamp: [u8; 8] = stamp.try_into().ok()?;
            let id: [u8; 8] = id.try_into().ok()?;
            Some((u64::from_be_bytes(stamp), u64::from_be_bytes(id)))
        });
        let (stamp, id) = halves
            .ok_or_else(|| EngineError::state("the key of a waiting row has another length"))?;
        Ok(Waiting {
            group,
            id,
            stamp: (stamp ^ (1 << 63)) as i64,
        })
    }
}

/// Rows that wait.
pub(super) struct WaitingRows {
    codecs: Vec<Codec>,
    rows: Rows,
    /// By row; and whether keyed state has it.
    entries: Vec<(Waiting, bool)>,
    by_stamp: BTreeMap<i64, Vec<u32>>,
    /// Rows that keyed state has and should not.
    gone: Vec<Waiting>,
    /// The earliest stamp that a row may have which is on disk only.
    on_disk_due: i64,
    sweep: Option<Sweep>,
}

/// How far the disk was looked through for what is due.
struct Sweep {
    groups: Range<KeyGroup>,
    /// The earliest stamp of the rows that stay.
    later: i64,
}

impl WaitingRows {
    /// What restored keyed state has of them.
    pub(super) fn restore(schema: &SchemaRef, state: &dyn KeyedState) -> Result<Self> {
        let fields = schema.fields().iter();
        let codecs = fields.map(|field| Codec::new(field.data_type()));
        let mut waiting = WaitingRows {
            codecs: codecs.collect::<Result<_>>()?,
            rows: Rows::new(schema.clone()),
            entries: Vec::new(),
            by_stamp: BTreeMap::new(),
            gone: Vec::new(),
            on_disk_due: i64::MAX,
            sweep: None,
        };
        if state.keeps() {
            if !state.is_empty() {
                waiting.on_disk_due = i64::MIN;
            }
            return Ok(waiting);
        }
        let mut loader = Loader::new(&waiting.codecs);
        state.scan(WAITING, &mut |group, key, value| {
            loader.push(Waiting::of_key(group, key)?, value)?;
            if loader.found.len() >= SAVE_ROWS {
                let full = std::mem::replace(&mut loader, Loader::new(&waiting.codecs));
                waiting.take_in(full)?;
            }
            Ok(())
        })?;
        waiting.take_in(loader)?;
        Ok(waiting)
    }

    /// Adds the rows of a batch at `places`.
    pub(super) fn add(
        &mut self,
        rows: &RecordBatch,
        places: &[u32],
        waiting: impl Iterator<Item = Waiting>,
    ) -> Result<()> {
        let rows = match places.len() == rows.num_rows() {
            true => rows.clone(),
            false => take_record_batch(rows, &UInt32Array::from(places.to_vec()))?,
        };
        self.enter(rows, waiting, false)
    }

    fn enter(
        &mut self,
        rows: RecordBatch,
        waiting: impl Iterator<Item = Waiting>,
        persisted: bool,
    ) -> Result<()> {
        let mut numbers = Vec::with_capacity(rows.num_rows());
        self.rows.add(rows, &mut numbers)?;
        self.entries
            .resize(self.rows.capacity(), (Waiting::default(), false));
        for (number, waiting) in numbers.into_iter().zip(waiting) {
            self.entries[number as usize] = (waiting, persisted);
            self.by_stamp.entry(waiting.stamp).or_default().push(number);
        }
        Ok(())
    }

    /// Takes out rows whose stamp is `before` or earlier, with their ids: about `limit` of them, and all of a key
    /// group that have the same stamp; no row of a key group is left with an earlier stamp. None if there are no
    /// more.
    pub(super) fn take_due(
        &mut self,
        before: i64,
        limit: usize,
        state: &mut dyn KeyedState,
    ) -> Result<Option<(RecordBatch, Vec<u64>)>> {
        if self.sweep.is_none() && self.on_disk_due <= before {
            self.spill(state)?;
            let groups = state.key_groups();
            self.sweep = Some(Sweep {
                groups: groups.start..groups.end,
                later: i64::MAX,
            });
        }
        loop {
            if let Some(found) = self.take_from_memory(before, limit)? {
                return Ok(Some(found));
            }
            let Some(sweep) = &mut self.sweep else {
                return Ok(None);
            };
            match sweep.groups.next() {
                Some(group) => self.load_due(group, before, state)?,
                None => {
                    self.on_disk_due = sweep.later;
                    self.sweep = None;
                }
            }
        }
    }

    fn take_from_memory(
        &mut self,
        before: i64,
        limit: usize,
    ) -> Result<Option<(RecordBatch, Vec<u64>)>> {
        let mut due: Vec<u32> = Vec::new();
        while due.len() < limit
            && let Some(first) = self.by_stamp.first_entry()
            && *first.key() <= before
        {
            due.extend(first.remove());
        }
        if due.is_empty() {
            return Ok(None);
        }
        let columns = self.rows.gather(&due)?;
        let rows = rows_of(self.rows.schema(), columns, due.len())?;
        let mut ids = Vec::with_capacity(due.len());
        for row in due {
            let (waiting, persisted) = self.entries[row as usize];
            ids.push(waiting.id);
            if persisted {
                self.gone.push(waiting);
            }
            self.rows.remove(row)?;
        }
        Ok(Some((rows, ids)))
    }

    /// Takes up the rows of a key group that are due, and notes the first that is not.
    fn load_due(&mut self, group: KeyGroup, before: i64, state: &mut dyn KeyedState) -> Result<()> {
        let mut loader = Loader::new(&self.codecs);
        let mut later = i64::MAX;
        let behind_all = [0xff; KEY_BYTES + 1];
        let range = &[][..]..&behind_all[..];
        state.scan_range(
            WAITING,
            group,
            range,
            Order::Ascending,
            &mut |key, value| {
                let waiting = Waiting::of_key(group, key)?;
                if waiting.stamp > before {
                    later = waiting.stamp;
                    return Ok(false);
                }
                loader.push(waiting, value)?;
                Ok(true)
            },
        )?;
        if let Some(sweep) = &mut self.sweep {
            sweep.later = sweep.later.min(later);
        }
        self.take_in(loader)
    }

    fn take_in(&mut self, loader: Loader) -> Result<()> {
        let Loader { values, found } = loader;
        if found.is_empty() {
            return Ok(());
        }
        let lanes: Vec<Lane> = values.finish()?;
        let columns = self.codecs.iter().zip(lanes);
        let columns: Vec<ArrayRef> = columns
            .map(|(codec, lane)| codec.decode(lane))
            .collect::<Result<_>>()?;
        let rows = rows_of(self.rows.schema(), columns, found.len())?;
        self.enter(rows, found.into_iter(), true)
    }

    /// Writes what has changed since the last call.
    pub(super) fn save(&mut self, state: &mut dyn KeyedState) -> Result<()> {
        self.gone.sort_unstable_by_key(|waiting| waiting.group);
        for gone in self.gone.chunk_by(|a, b| a.group == b.group) {
            let keys: Vec<Box<[u8]>> = gone.iter().map(|w| w.key().into()).collect();
            if let Some(first) = gone.first() {
                delete(state, WAITING, first.group, &keys)?;
            }
        }
        self.gone.clear();
        let rows = self.by_stamp.values().flatten().copied();
        let mut new: Vec<u32> = rows.filter(|row| !self.entries[*row as usize].1).collect();
        // Stable: within a key group they are in order of their stamps.
        new.sort_by_key(|row| {
            let waiting = &self.entries[*row as usize].0;
            (waiting.group, waiting.stamp, waiting.id)
        });
        for part in new.chunks(SAVE_ROWS) {
            let columns = self.rows.gather(part)?;
            let lanes = self.codecs.iter().zip(&columns);
            let lanes: Vec<Lane> = lanes
                .map(|(codec, column)| codec.encode(column))
                .collect::<Result<_>>()?;
            let values = EncodedRows::encode(&lanes, part.len(), |_| &[VERSION])?;
            let entries = part.iter().map(|row| self.entries[*row as usize].0);
            let keys: Vec<(KeyGroup, [u8; KEY_BYTES])> = entries
                .map(|waiting| (waiting.group, waiting.key()))
                .collect();
            let mut changes = keys.iter().enumerate().map(|(at, (group, key))| Change {
                group: *group,
                key,
                value: Some(values.row(at)),
            });
            state.apply(WAITING, &mut changes)?;
        }
        new.iter()
            .for_each(|row| self.entries[*row as usize].1 = true);
        Ok(())
    }

    /// Leaves all rows to keyed state, if that keeps them.
    pub(super) fn spill(&mut self, state: &mut dyn KeyedState) -> Result<()> {
        // What was taken up to be given must not be forgotten before.
        if !state.keeps() || self.sweep.is_some() {
            return Ok(());
        }
        self.save(state)?;
        if let Some((first, _)) = self.by_stamp.first_key_value() {
            self.on_disk_due = self.on_disk_due.min(*first);
        }
        self.rows = Rows::new(self.rows.schema().clone());
        self.entries = Vec::new();
        self.by_stamp = BTreeMap::new();
        Ok(())
    }

    /// Roughly the memory in use.
    pub(super) fn size_bytes(&self) -> usize {
        self.rows.size_bytes() + self.entries.capacity() * ENTRY_BYTES
    }
}

/// Rows that are read back.
struct Loader {
    values: RowsDecoder,
    found: Vec<Waiting>,
}

impl Loader {
    fn new(codecs: &[Codec]) -> Self {
        Loader {
            values: RowsDecoder::new(codecs),
            found: Vec::new(),
        }
    }

    fn push(&mut self, waiting: Waiting, value: &[u8]) -> Result<()> {
        let Some((&VERSION, value)) = value.split_first() else {
            return Err(
                EngineError::state("a row is written in an unknown way").with_hint(
                    "the state is of a later release, or damaged; restore another checkpoint",
                ),
            );
        };
        self.values.push_all(value)?;
        self.found.push(waiting);
        Ok(())
    }
}
