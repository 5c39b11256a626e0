//! Aggregations in keyed state.
//!
//! Table 1 holds a row per group: the key behind the aggregation's prefix, then the number of the
//! row's layout, stamp, row count and partial columns. Tables from 16 on hold a row per entry of each
//! distinct set: prefix, key and value, then layout and bits or counts. Only what extremes over
//! updating input accumulate is computed again from the entries of their set.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};

use super::aggregation::{Aggregation, CallFilter};
use super::distinct::Changes;
use super::lane::Lane;
use super::plan::Call;
use super::rows::{EncodedRows, RowsDecoder};
use super::stored::Reader;
use crate::error::{EngineError, Result};
use crate::key::{KeyGroup, hash_keys, head, key_group};
use crate::state::{Change, ChangeSource, KeyedState, TableId};

/// The rows of groups.
pub(crate) const GROUPS: TableId = TableId(1);
/// How many rows are encoded at a time.
const SAVE_ROWS: usize = if cfg!(test) { 3 } else { 1 << 14 };
/// How many rows are decoded before they are merged.
const LOAD_ROWS: usize = 8192;

/// Where an aggregation lies in keyed state.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// In front of every key.
    pub(crate) prefix: Vec<u8>,
    /// How many of the key columns, from the first, choose the key group.
    pub(crate) hashed_keys: usize,
    /// The number of key groups of the job.
    pub(crate) max_parallelism: u32,
}

/// Keys to delete at the next barrier.
#[derive(Debug, Default)]
pub(crate) struct Deletes(Vec<(TableId, KeyGroup, Box<[u8]>)>);

impl Deletes {
    /// Deletes them.
    pub(crate) fn apply(&mut self, state: &mut dyn KeyedState) -> Result<()> {
        self.0.sort_by_key(|(table, ..)| *table);
        for chunk in self.0.chunk_by(|a, b| a.0 == b.0) {
            let mut changes = chunk.iter().map(|(_, group, key)| Change {
                group: *group,
                key,
                value: None,
            });
            if let Some((table, ..)) = chunk.first() {
                state.apply(*table, &mut changes)?;
            }
        }
        self.0.clear();
        Ok(())
    }

    /// Notes keys of a table, with their key groups.
    pub(crate) fn extend(&mut self, table: TableId, groups: &[KeyGroup], keys: &EncodedRows) {
        let rows = groups.iter().enumerate();
        self.0
            .extend(rows.map(|(row, group)| (table, *group, keys.row(row).into())));
    }
}

/// Deletes keys of one key group at once.
pub(crate) fn delete(
    state: &mut dyn KeyedState,
    table: TableId,
    group: KeyGroup,
    keys: &[Box<[u8]>],
) -> Result<()> {
    let mut changes = keys.iter().map(|key| Change {
        group,
        key,
        value: None,
    });
    state.apply(table, &mut changes)
}

/// The key groups of key columns. Without columns there is one key, which subtask 0 owns.
pub(crate) fn key_groups(
    columns: &[ArrayRef],
    rows: usize,
    max_parallelism: u32,
) -> Result<Vec<KeyGroup>> {
    if columns.is_empty() {
        return Ok(vec![0; rows]);
    }
    let mut hashes = Vec::new();
    hash_keys(columns, rows, &mut hashes)?;
    let groups = hashes.iter().map(|h| key_group(*h, max_parallelism));
    Ok(groups.collect())
}

/// The positions of keys in ascending order of key group and key, in which changes are written
/// without being held in memory. All keys begin with the same `prefix` bytes.
pub(crate) fn in_order(keys: &EncodedRows, key_groups: &[KeyGroup], prefix: usize) -> Vec<u32> {
    // Most comparisons are decided by what is at hand here, without a look at the key itself.
    let mut order: Vec<(u64, u64, u32)> = (0u32..)
        .zip(key_groups)
        .map(|(at, group)| {
            let head = head(&group.to_be_bytes(), &keys.row(at as usize)[prefix..]);
            ((head >> 64) as u64, head as u64, at)
        })
        .collect();
    order.sort_unstable_by(|a, b| {
        let rest = || keys.row(a.2 as usize).cmp(keys.row(b.2 as usize));
        (a.0, a.1).cmp(&(b.0, b.1)).then_with(rest)
    });
    order.into_iter().map(|(_, _, at)| at).collect()
}

impl Aggregation {
    /// Encoded keys of groups, with their key groups.
    pub(super) fn encoded_keys(
        &self,
        groups: &[u32],
        value: Option<Lane>,
        place: &Place,
    ) -> Result<(EncodedRows, Vec<KeyGroup>)> {
        let mut lanes = self.groups.keys(groups)?;
        let hashed = lanes.iter().take(place.hashed_keys).cloned().collect();
        let columns = self.plan.decode_keys(hashed)?;
        let key_groups = key_groups(&columns, groups.len(), place.max_parallelism)?;
        lanes.extend(value);
        let keys = EncodedRows::encode(&lanes, groups.len(), |_| &place.prefix)?;
        Ok((keys, key_groups))
    }

    /// Writes what has changed since the last call.
    pub(crate) fn save(&mut self, state: &mut dyn KeyedState, place: &Place) -> Result<()> {
        self.deletes.apply(state)?;
        let mut dirty = self.tracker.take();
        dirty.retain(|g| self.groups.is_live(*g));
        if !dirty.is_empty() {
            self.save_groups(&dirty, state, place)?;
            self.tracker.persist(&dirty);
        }
        for set in 0..self.sets.len() {
            self.save_set(set, state, place)?;
        }
        Ok(())
    }

    fn save_groups(&self, groups: &[u32], state: &mut dyn KeyedState, place: &Place) -> Result<()> {
        let (keys, key_groups) = self.encoded_keys(groups, None, place)?;
        let mut rows = GroupRows {
            aggregation: self,
            groups,
            keys: &keys,
            key_groups: &key_groups,
            order: &in_order(&keys, &key_groups, place.prefix.len()),
        };
        state.apply(GROUPS, &mut rows)
    }

    /// The rows of some groups.
    fn encoded_groups(&self, groups: &[u32]) -> Result<EncodedRows> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        if let Some(stamps) = &self.stamps {
            let stamps = groups.iter().map(|g| stamps[*g as usize]);
            columns.push(Arc::new(Int64Array::from_iter_values(stamps)));
        }
        columns.extend(self.stored_partials(groups)?);
        let stored = &self.plan.stored;
        let lanes = stored.own()?.encode(&columns)?;
        EncodedRows::encode(&lanes, groups.len(), |_| stored.prefix())
    }

    fn save_set(&mut self, set: usize, state: &mut dyn KeyedState, place: &Place) -> Result<()> {
        let dirty = self.sets[set].take_dirty();
        if dirty.is_empty() {
            return Ok(());
        }
        let (groups, values) = self.sets[set].keys(&dirty)?;
        let (keys, key_groups) = self.encoded_keys(&groups, Some(values), place)?;
        let prefix = self.plan.stored.prefix();
        let mut rows = Vec::new();
        let mut row = Vec::new();
        let mut present = Vec::with_capacity(dirty.len());
        for entry in &dirty {
            present.push(self.sets[set].row(*entry, &mut row));
            rows.extend_from_slice(prefix);
            rows.extend_from_slice(&row);
        }
        let width = prefix.len() + row.len();
        let order = in_order(&keys, &key_groups, place.prefix.len());
        let order = order.into_iter().map(|at| at as usize);
        let mut changes = order.map(|at| Change {
            group: key_groups[at],
            key: keys.row(at),
            value: present[at].then(|| &rows[at * width..(at + 1) * width]),
        });
        state.apply(self.plan.stored.table(set)?, &mut changes)?;
        self.sets[set].persisted(&dirty);
        Ok(())
    }

    /// Forgets groups with their sets, here and at the next barrier in keyed state.
    pub(crate) fn remove(&mut self, groups: &[u32], place: &Place) -> Result<()> {
        let persisted = groups.iter().filter(|g| self.tracker.is_persisted(**g));
        let persisted: Vec<u32> = persisted.copied().collect();
        if !persisted.is_empty() {
            let (keys, key_groups) = self.encoded_keys(&persisted, None, place)?;
            self.deletes.extend(GROUPS, &key_groups, &keys);
        }
        self.remove_from_sets(groups, place)?;
        for group in groups {
            self.tracker.forget(*group);
        }
        self.reset(groups);
        self.groups.remove(groups);
        Ok(())
    }

    fn remove_from_sets(&mut self, groups: &[u32], place: &Place) -> Result<()> {
        if self.sets.is_empty() {
            return Ok(());
        }
        let mut gone = vec![false; self.groups.capacity()];
        for group in groups {
            gone[*group as usize] = true;
        }
        for set in 0..self.sets.len() {
            let (entries, persisted) = self.sets[set].of_groups(|g| gone[g as usize])?;
            if !persisted.is_empty() {
                let (of_entries, values) = self.sets[set].keys(&persisted)?;
                let (keys, key_groups) = self.encoded_keys(&of_entries, Some(values), place)?;
                let table = self.plan.stored.table(set)?;
                self.deletes.extend(table, &key_groups, &keys);
            }
            self.sets[set].remove(&entries);
        }
        Ok(())
    }

    /// Adds what groups have accumulated to other groups, and forgets them.
    pub(crate) fn merge_groups(&mut self, from: &[u32], into: &[u32], place: &Place) -> Result<()> {
        let partials = self.plain_partials(from)?;
        self.merge_plain(into, &partials)?;
        if !self.sets.is_empty() {
            self.merge_sets_of_groups(from, into)?;
        }
        self.mark(into);
        self.remove(from, place)
    }

    fn merge_sets_of_groups(&mut self, from: &[u32], into: &[u32]) -> Result<()> {
        let mut map = vec![u32::MAX; self.groups.capacity()];
        for (from, into) in from.iter().zip(into) {
            map[*from as usize] = *into;
        }
        for set in 0..self.sets.len() {
            let (entries, _) = self.sets[set].of_groups(|g| map[g as usize] != u32::MAX)?;
            let (groups, values) = self.sets[set].keys(&entries)?;
            let groups: Vec<u32> = groups.iter().map(|g| map[*g as usize]).collect();
            match self.sets[set].counts(&entries) {
                Some(counts) => self.absorb(set, &groups, &values, Changes::Counts(&counts))?,
                None => {
                    let bits = entries.iter().map(|e| self.sets[set].bits(*e));
                    let bits: Vec<u64> = bits.collect();
                    self.absorb(set, &groups, &values, Changes::Bits(&bits))?;
                }
            }
        }
        Ok(())
    }

    /// Forgets everything and says what keyed state must delete.
    pub(crate) fn dissolve(mut self, place: &Place) -> Result<Deletes> {
        let all = self.groups.groups();
        self.remove(&all, place)?;
        Ok(self.deletes)
    }
}

/// The rows of groups in order of their keys, encoded some thousand at a time: all of them would take
/// as much memory again as the groups.
struct GroupRows<'a> {
    aggregation: &'a Aggregation,
    groups: &'a [u32],
    keys: &'a EncodedRows,
    key_groups: &'a [KeyGroup],
    /// Positions in all of these.
    order: &'a [u32],
}

impl ChangeSource for GroupRows<'_> {
    fn each(&mut self, take: &mut dyn FnMut(Change<'_>) -> Result<()>) -> Result<()> {
        for part in self.order.chunks(SAVE_ROWS) {
            let positions = || part.iter().map(|at| *at as usize);
            let groups: Vec<u32> = positions().map(|at| self.groups[at]).collect();
            let values = self.aggregation.encoded_groups(&groups)?;
            for (row, at) in positions().enumerate() {
                take(Change {
                    group: self.key_groups[at],
                    key: self.keys.row(at),
                    value: Some(values.row(row)),
                })?;
            }
        }
        Ok(())
    }
}

/// Reads the rows of groups of one aggregation back, some thousand at a time.
pub(crate) struct GroupsLoader {
    /// By the layout of the rows.
    parts: Vec<Option<Part>>,
    pending: usize,
    /// The calls whose columns are merged.
    wanted: CallFilter,
    /// The groups that were merged.
    pub(super) taken: Vec<u32>,
}

/// Rows of one layout.
struct Part {
    keys: RowsDecoder,
    rows: RowsDecoder,
    count: usize,
}

impl GroupsLoader {
    pub(crate) fn new(aggregation: &Aggregation) -> Result<Self> {
        let mut parts = Vec::new();
        parts.resize_with(aggregation.plan.stored.readers(), || None);
        Ok(GroupsLoader {
            parts,
            pending: 0,
            wanted: |_| true,
            taken: Vec::new(),
        })
    }

    /// A loader of rows that are parts of their groups, so that sets have to say what they come to.
    pub(super) fn of_parts(aggregation: &Aggregation) -> Result<Self> {
        Ok(GroupsLoader {
            wanted: Call::is_plain,
            ..Self::new(aggregation)?
        })
    }

    /// Takes a key without its prefix, and its row.
    pub(crate) fn push(
        &mut self,
        aggregation: &mut Aggregation,
        key: &[u8],
        row: &[u8],
    ) -> Result<()> {
        let plan = &aggregation.plan;
        let (at, row) = plan.stored.group_row(row)?;
        let (Some(part), Some(reader)) = (self.parts.get_mut(at), plan.stored.reader(at)) else {
            return Err(EngineError::internal("a loader of another aggregation"));
        };
        let part = part.get_or_insert_with(|| Part {
            keys: RowsDecoder::new(&plan.key_codecs),
            rows: RowsDecoder::new(&reader.codecs),
            count: 0,
        });
        part.keys.push_all(key)?;
        part.rows.push_all(row)?;
        part.count += 1;
        self.pending += 1;
        if self.pending >= LOAD_ROWS {
            self.flush(aggregation)?;
        }
        Ok(())
    }

    /// Merges what was taken.
    pub(crate) fn flush(&mut self, aggregation: &mut Aggregation) -> Result<()> {
        self.pending = 0;
        let plan = Arc::clone(&aggregation.plan);
        for (at, part) in self.parts.iter_mut().enumerate() {
            if let (Some(part), Some(reader)) = (part.take(), plan.stored.reader(at)) {
                let mut groups = part.merge(aggregation, reader, self.wanted)?;
                self.taken.append(&mut groups);
            }
        }
        Ok(())
    }
}

impl Part {
    /// Merges the rows, as far as calls are wanted; returns their groups.
    fn merge(
        self,
        aggregation: &mut Aggregation,
        reader: &Reader,
        wanted: CallFilter,
    ) -> Result<Vec<u32>> {
        let keys = self.keys.finish()?;
        let columns = reader.decode(self.rows.finish()?)?;
        let mut groups = Vec::new();
        aggregation.intern_lanes(&keys, self.count, &mut groups)?;
        let mut columns = columns.as_slice();
        if reader.stamped {
            let [stamps, rest @ ..] = columns else {
                return Err(EngineError::state("a stored group lacks its stamp"));
            };
            aggregation.restore_stamps(&groups, stamps);
            columns = rest;
        } else {
            let unstamped_ms = aggregation.plan.stored.unstamped_ms();
            aggregation.stamp(&groups, unstamped_ms);
        }
        let call_of = |call: &Option<usize>| call.filter(|c| wanted(&aggregation.plan.calls[*c]));
        let calls = reader
            .calls
            .iter()
            .map(|(width, call)| (*width, call_of(call)));
        let calls: Vec<_> = calls.collect();
        aggregation.merge_stored(&groups, columns, &calls)?;
        aggregation.tracker.persist(&groups);
        Ok(groups)
    }
}

/// Reads the entries of one distinct set of one aggregation back.
pub(crate) struct SetLoader {
    set: usize,
    keys: RowsDecoder,
    /// Bits or counts, entry by entry.
    bits: Vec<u64>,
    counts: Vec<i64>,
    pending: usize,
    /// Whether some entries may be there already, and are then right as they are.
    only_missing: bool,
    /// The calls that have not accumulated the entries yet.
    wanted: CallFilter,
}

impl SetLoader {
    pub(crate) fn new(aggregation: &Aggregation, set: usize) -> Self {
        SetLoader {
            only_missing: false,
            wanted: |call| !call.stored,
            set,
            keys: Self::decoder(aggregation, set),
            bits: Vec::new(),
            counts: Vec::new(),
            pending: 0,
        }
    }

    /// A loader that passes over entries that are there already.
    pub(super) fn of_missing(aggregation: &Aggregation, set: usize) -> Self {
        SetLoader {
            only_missing: true,
            ..Self::new(aggregation, set)
        }
    }

    /// A loader of entries that are parts of their groups.
    pub(super) fn of_parts(aggregation: &Aggregation, set: usize) -> Self {
        SetLoader {
            wanted: |_| true,
            ..Self::new(aggregation, set)
        }
    }

    fn decoder(aggregation: &Aggregation, set: usize) -> RowsDecoder {
        let plan = &aggregation.plan;
        let value = &plan.arguments[plan.sets[set].argument].1;
        RowsDecoder::new(plan.key_codecs.iter().chain([value]))
    }

    /// Takes a key without its prefix, and its row.
    pub(crate) fn push(
        &mut self,
        aggregation: &mut Aggregation,
        key: &[u8],
        row: &[u8],
    ) -> Result<()> {
        let stored = &aggregation.plan.stored;
        if aggregation.plan.updating {
            let before = self.counts.len();
            if !stored.counts(self.set, row, &mut self.counts)? {
                // Only calls that are gone have seen the value.
                self.counts.truncate(before);
                return Ok(());
            }
        } else {
            match stored.bits(self.set, row)? {
                0 => return Ok(()),
                bits => self.bits.push(bits),
            }
        }
        self.keys.push_all(key)?;
        self.pending += 1;
        if self.pending >= LOAD_ROWS {
            self.flush(aggregation)?;
        }
        Ok(())
    }

    /// Leaves out the bits and counts of all rows but these.
    fn keep(&mut self, rows: &[u32], users: usize) {
        if self.bits.is_empty() {
            let of = |row: &u32| &self.counts[*row as usize * users..][..users];
            self.counts = rows.iter().flat_map(of).copied().collect();
        } else {
            self.bits = rows.iter().map(|row| self.bits[*row as usize]).collect();
        }
    }

    /// Puts what was taken into the set.
    pub(crate) fn flush(&mut self, aggregation: &mut Aggregation) -> Result<()> {
        let fresh = Self::decoder(aggregation, self.set);
        let mut keys = std::mem::replace(&mut self.keys, fresh).finish()?;
        let Some(mut values) = keys.pop() else {
            return Err(EngineError::internal("a distinct set without values"));
        };
        let count = std::mem::take(&mut self.pending);
        let mut groups = Vec::new();
        aggregation.intern_lanes(&keys, count, &mut groups)?;
        if self.only_missing {
            let rows = aggregation.sets[self.set].missing(&groups, &values, |_| true)?;
            values = values.take(&rows)?;
            self.keep(&rows, aggregation.plan.sets[self.set].users.len());
            groups = rows.iter().map(|row| groups[*row as usize]).collect();
        }
        let changes = match aggregation.plan.updating {
            true => Changes::Counts(&self.counts),
            false => Changes::Bits(&self.bits),
        };
        let dirty = aggregation.sets[self.set].take_dirty();
        aggregation.absorb_for(self.set, &groups, &values, changes, self.wanted)?;
        self.bits.clear();
        self.counts.clear();
        let set = &mut aggregation.sets[self.set];
        let loaded = set.take_dirty();
        set.persisted(&loaded);
        set.mark(&dirty);
        Ok(())
    }
}

/// Reads all groups and distinct sets of an aggregation that has keyed state to itself.
pub(crate) fn load_all(aggregation: &mut Aggregation, state: &dyn KeyedState) -> Result<()> {
    let mut groups = GroupsLoader::new(aggregation)?;
    state.scan(GROUPS, &mut |_, key, row| {
        groups.push(aggregation, key, row)
    })?;
    groups.flush(aggregation)?;
    for set in 0..aggregation.plan.sets.len() {
        let mut entries = SetLoader::new(aggregation, set);
        let table = aggregation.plan.stored.table(set)?;
        state.scan(table, &mut |_, key, row| {
            entries.push(aggregation, key, row)
        })?;
        entries.flush(aggregation)?;
    }
    Ok(())
}
