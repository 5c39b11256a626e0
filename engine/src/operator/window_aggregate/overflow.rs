//! Slices that are not in memory.
//!
//! When memory is short, what has changed is written to keyed state and the slices in memory are
//! emptied, as group aggregation does it. A slice that keyed state may have groups of that are not
//! in memory is *stored*: rows that come for it take up their groups first, so that what is in memory
//! is right and complete by group. A window with a stored slice fires from keyed state, in order of
//! key group and key, so many groups at a time as fit into memory, and its results go out before more are read.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::ArrayRef;

use super::merges::{Merges, Slices};
use super::persist::{self, place};
use super::refire::fired_ends;
use super::sliced::SlicedAggregate;
use crate::element::Batch;
use crate::error::Result;
use crate::key::KeyGroup;
use crate::operator::Output;
use crate::operator::aggregate::Plan;
use crate::operator::aggregate::aggregation::Aggregation;
use crate::operator::aggregate::pages::{FIRST_PAGE, PageStart, Pages, delete_prefix};
use crate::operator::aggregate::persist::GROUPS;
use crate::operator::window::split::Lateness;
use crate::state::KeyedState;

/// How far a window has fired from keyed state: what comes next.
pub(super) struct StoredWindow {
    group: KeyGroup,
    from: PageStart,
}

/// What an aggregation starts from: slices in memory, or known to be stored where state is kept.
pub(super) fn load(plan: &Arc<Plan>, state: &dyn KeyedState) -> Result<(Slices, BTreeSet<i64>)> {
    if !state.keeps() {
        return Ok((persist::load_slices(plan, state)?, BTreeSet::new()));
    }
    let stored = persist::stored_slices(state)?;
    let mut slices = Slices::new();
    for slice in &stored {
        slices.insert(*slice, Aggregation::new(plan.clone())?);
    }
    Ok((slices, stored))
}

impl SlicedAggregate {
    /// Empties the slices in memory when they hold too much.
    pub(super) fn make_room(&mut self) -> Result<()> {
        if !self.state.keeps() || !self.memory.hold(self.held_bytes() as u64) {
            return Ok(());
        }
        for (slice, aggregation) in &mut self.slices {
            let place = place(*slice, &self.plan, self.max_parallelism);
            aggregation.save(self.state.as_mut(), &place)?;
            *aggregation = Aggregation::new(self.plan.clone())?;
            self.stored.insert(*slice);
        }
        self.merges = Merges::new(self.plan.clone(), &self.windows);
        self.memory.hold(0);
        Ok(())
    }

    /// Whether some of the window's groups may be on disk only.
    pub(super) fn is_stored(&self, window_end: i64) -> bool {
        let start = self.windows.start(window_end);
        self.stored.range(start + 1..=window_end).next().is_some()
    }

    /// Takes up what a stored slice has of the groups that rows have just created in memory, and of
    /// the entries of sets that the rows are about to meet. `groups` are those of the rows.
    pub(super) fn recall(&mut self, slice: i64, part: &Batch, groups: &[u32]) -> Result<()> {
        let place = self.place(slice);
        let (state, Some(aggregation)) = (self.state.as_ref(), self.slices.get_mut(&slice)) else {
            return Ok(());
        };
        let created: Vec<u32> = aggregation.groups.created().collect();
        aggregation.recall(&created, state, &place)?;
        if self.plan.sets.is_empty() {
            return Ok(());
        }
        if !self.partial_input {
            return aggregation.recall_entries(part.rows(), groups, state, &place);
        }
        let columns = part.rows().columns();
        let lists = columns.len().saturating_sub(self.plan.sets.len());
        let lists = columns.get(lists..).unwrap_or_default();
        aggregation.recall_listed(lists, groups, state, &place)
    }

    /// Takes up all that stored slices have of some keys, of those slices that share a window which
    /// has fired with `slice`: their results are about to be compared.
    pub(super) fn recall_fired(
        &mut self,
        slice: i64,
        lateness: Lateness,
        keys: &[ArrayRef],
        rows: usize,
    ) -> Result<()> {
        if lateness.allowed_ms == 0 {
            return Ok(());
        }
        self.recall_windows(fired_ends(&self.windows, slice, lateness), keys, rows)
    }

    /// Takes up all that stored slices of windows have of some keys.
    pub(super) fn recall_windows(
        &mut self,
        ends: impl Iterator<Item = i64>,
        keys: &[ArrayRef],
        rows: usize,
    ) -> Result<()> {
        if self.stored.is_empty() {
            return Ok(());
        }
        let mut wanted = BTreeSet::new();
        for end in ends {
            let start = self.windows.start(end);
            wanted.extend(self.stored.range(start + 1..=end).copied());
        }
        let mut groups = Vec::new();
        for slice in wanted {
            let place = self.place(slice);
            let Some(aggregation) = self.slices.get_mut(&slice) else {
                continue;
            };
            let state = self.state.as_ref();
            aggregation.intern(keys, rows, &mut groups)?;
            let created: Vec<u32> = aggregation.groups.created().collect();
            let found: BTreeSet<u32> = aggregation
                .recall(&created, state, &place)?
                .into_iter()
                .collect();
            let absent: Vec<u32> = created
                .into_iter()
                .filter(|group| !found.contains(group))
                .collect();
            aggregation.groups.remove(&absent);
            groups.retain(|group| aggregation.groups.is_live(*group));
            groups.sort_unstable();
            groups.dedup();
            aggregation.recall_sets(&groups, state, &place)?;
        }
        Ok(())
    }

    /// Writes to keyed state what has changed in memory of the slices of a window, so that it can fire from there.
    pub(super) fn begin_stored(&mut self, window_end: i64) -> Result<StoredWindow> {
        let start = self.windows.start(window_end);
        for (slice, aggregation) in self.slices.range_mut(start + 1..=window_end) {
            let place = place(*slice, &self.plan, self.max_parallelism);
            aggregation.save(self.state.as_mut(), &place)?;
        }
        Ok(StoredWindow {
            group: self.state.key_groups().start,
            from: FIRST_PAGE,
        })
    }

    /// Fires the next groups of a window from keyed state, about as many as a batch has rows; `None` when these were the
    /// last.
    pub(super) fn fire_stored(
        &mut self,
        window_end: i64,
        mut next: StoredWindow,
        output: &mut Output,
    ) -> Result<Option<StoredWindow>> {
        let start = self.windows.start(window_end);
        let slices = self.slices.range(start + 1..=window_end);
        let prefixes: Vec<[u8; 8]> = slices.map(|(slice, _)| slice.to_be_bytes()).collect();
        let mut window = Aggregation::new(self.plan.clone())?;
        while next.group < self.state.key_groups().end {
            // Otherwise its window has fired before it came to this operator.
            if self.watermarks.floor(next.group) < window_end {
                let state = self.state.as_ref();
                let mut pages = Pages::new(state, next.group, &prefixes, next.from.take());
                while pages.next(&mut window)? {
                    if window.groups.len() >= self.results.batch_rows {
                        self.results.emit_all(&window, window_end, output)?;
                        next.from = pages.into_start();
                        return Ok(Some(next));
                    }
                }
            }
            next = StoredWindow {
                group: next.group + 1,
                from: FIRST_PAGE,
            };
        }
        self.results.emit_all(&window, window_end, output)?;
        Ok(None)
    }

    /// Removes a slice that no window wants any more from keyed state.
    pub(super) fn delete_stored(&mut self, slice: i64) -> Result<()> {
        let state = self.state.as_mut();
        let range = state.key_groups();
        let prefix = slice.to_be_bytes();
        for group in range.start..range.end {
            delete_prefix(state, GROUPS, group, &prefix)?;
            for set in 0..self.plan.sets.len() {
                delete_prefix(state, self.plan.stored.table(set)?, group, &prefix)?;
            }
        }
        Ok(())
    }
}
