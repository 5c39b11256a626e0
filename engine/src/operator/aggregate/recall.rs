//! Groups and entries of sets that keyed state has and the working set has not.

use arrow::array::{ArrayRef, RecordBatch};

use super::aggregation::{Aggregation, Listed};
use super::lane::Lane;
use super::pages::delete_prefix;
use super::persist::{GROUPS, GroupsLoader, Place, SetLoader, key_groups};
use super::rows::EncodedRows;
use crate::error::Result;
use crate::key::KeyGroup;
use crate::state::KeyedState;

impl Aggregation {
    /// Takes up those of `groups`, new here, that keyed state has; returns them.
    pub(crate) fn recall(
        &mut self,
        groups: &[u32],
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<Vec<u32>> {
        let mut found = Vec::new();
        if groups.is_empty() {
            return Ok(found);
        }
        let (keys, key_groups) = self.encoded_keys(groups, None, place)?;
        let mut wanted = pairs(&key_groups, |row| keys.row(row));
        let mut loader = GroupsLoader::new(self)?;
        state.get(GROUPS, &mut wanted, &mut |row, value| {
            found.push(groups[row]);
            loader.push(self, &keys.row(row)[place.prefix.len()..], value)
        })?;
        loader.flush(self)?;
        Ok(found)
    }

    /// The same, with the extremes of the groups where these have to be looked for.
    pub(crate) fn recall_with_extremes(
        &mut self,
        groups: &[u32],
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<Vec<u32>> {
        let found = self.recall(groups, state, place)?;
        self.begin_extremes(groups, &found, state, place)?;
        Ok(found)
    }

    /// Takes up the entries of sets that raw rows are about to meet.
    pub(crate) fn recall_entries(
        &mut self,
        rows: &RecordBatch,
        groups: &[u32],
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<()> {
        for set in 0..self.sets.len() {
            let (column, codec) = &self.plan.arguments[self.plan.sets[set].argument];
            let values = codec.encode_argument(rows.column(*column))?;
            self.recall_values(set, groups, &values, state, place)?;
        }
        Ok(())
    }

    /// Takes up the entries of sets that partial rows are about to meet; `lists` are the columns of
    /// the sets.
    pub(crate) fn recall_listed(
        &mut self,
        lists: &[ArrayRef],
        groups: &[u32],
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<()> {
        for (set, list) in lists.iter().enumerate().take(self.sets.len()) {
            let Listed { groups, values, .. } = self.listed(set, groups, list)?;
            self.recall_values(set, &groups, &values, state, place)?;
        }
        Ok(())
    }

    fn recall_values(
        &mut self,
        set: usize,
        groups: &[u32],
        values: &Lane,
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<()> {
        let stored = |group: u32| self.tracker.is_persisted(group);
        let rows = self.sets[set].missing(groups, values, stored)?;
        if rows.is_empty() {
            return Ok(());
        }
        let groups: Vec<u32> = rows.iter().map(|row| groups[*row as usize]).collect();
        let values = values.take(&rows)?;
        let (keys, key_groups) = self.encoded_keys(&groups, Some(values), place)?;
        // A value that several rows have is looked up once.
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_unstable_by(|a, b| keys.row(*a).cmp(keys.row(*b)));
        order.dedup_by(|a, b| keys.row(*a) == keys.row(*b));
        let mut wanted = order.iter().map(|row| (key_groups[*row], keys.row(*row)));
        let mut loader = SetLoader::new(self, set);
        let table = self.plan.stored.table(set)?;
        state.get(table, &mut wanted, &mut |at, value| {
            let key = &keys.row(order[at])[place.prefix.len()..];
            loader.push(self, key, value)
        })?;
        loader.flush(self)
    }

    /// Takes up all groups whose keys begin with these columns, none of which is here; returns them.
    pub(crate) fn recall_prefixes(
        &mut self,
        keys: &[Lane],
        rows: usize,
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<Vec<u32>> {
        let columns = self.plan.decode_keys(keys.to_vec())?;
        let key_groups = key_groups(&columns, rows, place.max_parallelism)?;
        let keys = EncodedRows::encode(keys, rows, |_| &place.prefix)?;
        // A key that several rows have is looked up once.
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_unstable_by(|a, b| keys.row(*a).cmp(keys.row(*b)));
        order.dedup_by(|a, b| keys.row(*a) == keys.row(*b));
        let mut loader = GroupsLoader::new(self)?;
        for row in order {
            let prefix = keys.row(row);
            state.scan_prefix(GROUPS, key_groups[row], prefix, &mut |key, value| {
                loader.push(self, &key[place.prefix.len()..], value)
            })?;
        }
        loader.flush(self)?;
        Ok(loader.taken)
    }

    /// Visits key group and key of groups as keyed state has them.
    pub(crate) fn visit_keys(
        &self,
        groups: &[u32],
        place: &Place,
        visit: &mut dyn FnMut(KeyGroup, &[u8]),
    ) -> Result<()> {
        let (keys, key_groups) = self.encoded_keys(groups, None, place)?;
        for (row, group) in key_groups.iter().enumerate() {
            visit(*group, keys.row(row));
        }
        Ok(())
    }

    /// Forgets groups, and at once all that keyed state has of them, whether it is here or not.
    pub(crate) fn remove_stored(
        &mut self,
        groups: &[u32],
        state: &mut dyn KeyedState,
        place: &Place,
    ) -> Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let mut persisted = Vec::new();
        if !self.sets.is_empty() {
            persisted.extend_from_slice(groups);
            persisted.retain(|group| self.tracker.is_persisted(*group));
        }
        let (keys, key_groups) = self.encoded_keys(&persisted, None, place)?;
        self.remove(groups, place)?;
        self.deletes.apply(state)?;
        for set in 0..self.sets.len() {
            let table = self.plan.stored.table(set)?;
            for (row, group) in key_groups.iter().enumerate() {
                delete_prefix(state, table, *group, keys.row(row))?;
            }
        }
        Ok(())
    }

    /// Takes up all entries of the sets of groups.
    pub(crate) fn recall_sets(
        &mut self,
        groups: &[u32],
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<()> {
        if self.sets.is_empty() || groups.is_empty() {
            return Ok(());
        }
        let (keys, key_groups) = self.encoded_keys(groups, None, place)?;
        for set in 0..self.sets.len() {
            let mut loader = SetLoader::of_missing(self, set);
            let table = self.plan.stored.table(set)?;
            for (row, group) in key_groups.iter().enumerate() {
                let prefix = keys.row(row);
                state.scan_prefix(table, *group, prefix, &mut |key, value| {
                    loader.push(self, &key[place.prefix.len()..], value)
                })?;
            }
            loader.flush(self)?;
        }
        Ok(())
    }
}

fn pairs<'k>(
    key_groups: &'k [KeyGroup],
    key: impl Fn(usize) -> &'k [u8] + 'k,
) -> impl Iterator<Item = (KeyGroup, &'k [u8])> {
    key_groups
        .iter()
        .enumerate()
        .map(move |(row, group)| (*group, key(row)))
}
