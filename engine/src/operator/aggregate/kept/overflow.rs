//! Groups that are not in memory.
//!
//! When memory is short, what has changed is written to keyed state and the working set is emptied
//! as a whole; groups come back when rows ask for them. That is coarser than a cache that drops
//! what was not used for longest, but it costs nothing per row, and with a working set of many times
//! the groups that are always busy, reading those back once in a while does not show.

use std::collections::HashSet;

use arrow::array::RecordBatch;

use super::KeptGroups;
use crate::error::Result;
use crate::operator::aggregate::aggregation::Aggregation;
use crate::operator::aggregate::persist::{GROUPS, delete};
use crate::operator::overflow::Overflow;

impl KeptGroups {
    fn overflowed(&self) -> bool {
        self.overflow.as_ref().is_some_and(Overflow::is_used)
    }

    /// Takes up those of the new groups that keyed state has, and leaves the others in `created`.
    pub(super) fn recall(&mut self, created: &mut Vec<u32>) -> Result<()> {
        if !self.overflowed() || created.is_empty() {
            return Ok(());
        }
        let (state, place) = (self.state.as_ref(), &self.place);
        let found = self
            .aggregation
            .recall_with_extremes(created, state, place)?;
        let found: HashSet<u32> = found.into_iter().collect();
        created.retain(|group| !found.contains(group));
        Ok(())
    }

    /// Takes up the entries of distinct sets that the rows of a batch are about to meet.
    pub(super) fn recall_entries(&mut self, rows: &RecordBatch) -> Result<()> {
        if !self.overflowed() || self.plan.sets.is_empty() {
            return Ok(());
        }
        let (state, place, groups) = (self.state.as_ref(), &self.place, &self.groups);
        self.aggregation.recall_entries(rows, groups, state, place)
    }

    /// The same for partial rows.
    pub(super) fn recall_listed(&mut self, rows: &RecordBatch) -> Result<()> {
        if !self.overflowed() || self.plan.sets.is_empty() {
            return Ok(());
        }
        let (state, place, groups) = (self.state.as_ref(), &self.place, &self.groups);
        let columns = rows.columns();
        let lists = columns.len().saturating_sub(self.plan.sets.len());
        let lists = columns.get(lists..).unwrap_or_default();
        self.aggregation.recall_listed(lists, groups, state, place)
    }

    /// Looks up extremes that a batch has taken back.
    pub(crate) fn settle_extremes(&mut self, touched: &[u32]) -> Result<()> {
        if !self.overflowed() {
            return Ok(());
        }
        let (state, place) = (self.state.as_ref(), &self.place);
        self.aggregation.settle_extremes(touched, state, place)
    }

    /// Empties the working set when it holds too much.
    pub(crate) fn make_room(&mut self) -> Result<()> {
        let bytes = self.aggregation.size_bytes();
        let overflow = self.overflow.as_mut();
        if !overflow.is_some_and(|overflow| overflow.must_make_room(bytes)) {
            return Ok(());
        }
        self.empty_working_set()
    }

    fn empty_working_set(&mut self) -> Result<()> {
        self.aggregation.save(self.state.as_mut(), &self.place)?;
        self.aggregation = Aggregation::new(self.plan.clone())?;
        if self.ttl_ms > 0 {
            self.aggregation.expire_groups();
        }
        self.touched_by = Vec::new();
        if let Some(overflow) = &mut self.overflow {
            overflow.emptied();
        }
        Ok(())
    }

    /// Removes groups that were last touched at `before` or earlier from one key group on disk;
    /// returns when to look at the next, so that all are looked at once in `pause_ms`.
    pub(super) fn sweep_disk(&mut self, before: i64, pause_ms: i64) -> Result<i64> {
        if !self.overflowed() {
            return Ok(pause_ms);
        }
        // Then what is on disk is right, and nothing else is.
        self.empty_working_set()?;
        let Some(overflow) = &mut self.overflow else {
            return Ok(pause_ms);
        };
        let (group, pause_ms) = overflow.next_sweep(self.state.as_ref(), pause_ms);
        let stored = &self.plan.stored;
        let mut expired: Vec<Box<[u8]>> = Vec::new();
        self.state
            .scan_prefix(GROUPS, group, &[], &mut |key, row| {
                if stored.stamp_of(row)? <= before {
                    expired.push(key.into());
                }
                Ok(())
            })?;
        for set in 0..self.plan.sets.len() {
            let mut entries: Vec<Box<[u8]>> = Vec::new();
            let table = stored.table(set)?;
            for key in &expired {
                self.state.scan_prefix(table, group, key, &mut |entry, _| {
                    entries.push(entry.into());
                    Ok(())
                })?;
            }
            delete(self.state.as_mut(), table, group, &entries)?;
        }
        delete(self.state.as_mut(), GROUPS, group, &expired)?;
        Ok(pause_ms)
    }
}
