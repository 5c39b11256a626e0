//! Keyed state in files of Levada's own: a log-structured tree of sorted runs, on local scratch disk.
//!
//! ```text
//!   apply ─▶ a run ─▶ runs, from old to new ─▶ merged in the background, neighbours of about the same size
//!                      │            ▲                           │
//!                      ▼            └── the files of a checkpoint, at the start
//!                    the next checkpoint: the runs since the last one
//! ```
//!
//! A run is a state file, in memory while it is small, so the same bytes serve for reading, for merging and for
//! the checkpoint. Nothing outlives the process: recovery comes from checkpoints alone, whose files are the
//! first runs. What is held in memory is an index and a filter of each run; blocks are cached by nobody but the
//! operating system.

mod merging;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::delta::{Recent, RecentEntries};
use super::merge::Entries;
use super::scan::{self, InOrder};
use super::sorted::{KeyRange, Room, RunWriter, SortedRun, SortedRuns, Wanted};
use super::{
    ChangeSource, Delta, KeyedState, Order, StateSetup, TableId, check_group, full_key, unusable,
};
use crate::error::Result;
use crate::key::{KeyGroup, KeyGroupRange};
use tree::{PACE, Pace, Tree};

/// Changes that come in order are no longer held in memory when they take more than this.
const DIRECT_BYTES: usize = 1 << 20;
/// Changes that do not are sorted and written when they have grown to this.
const SORTED_BYTES: usize = 16 << 20;
/// A run that is written while changes come is ended at so many entries, whose hashes are in memory until then.
const RUN_ENTRIES: u64 = 1 << 21;

pub(super) struct DiskState {
    key_groups: KeyGroupRange,
    room: Arc<Room>,
    /// What checkpoints have.
    kept: Tree,
    /// What is derived from it.
    derived: Tree,
    derived_tables: BTreeSet<TableId>,
    /// Whether changes go into checkpoints.
    checkpointed: bool,
    is_empty: bool,
}

impl DiskState {
    pub(super) fn open(setup: StateSetup<'_>) -> Result<Self> {
        Self::open_with(setup, PACE)
    }

    fn open_with(setup: StateSetup<'_>, pace: Pace) -> Result<Self> {
        let created = std::fs::create_dir_all(setup.scratch);
        created.map_err(|e| unusable(setup.scratch, e.to_string()))?;
        let room = &setup.resources.runs;
        let is_empty = setup.restored.is_empty();
        let runs = SortedRuns::open(setup.restored, setup.key_groups, room)?;
        let mut kept = Tree::new(runs, setup.scratch, room, pace);
        // What was restored is in a checkpoint already.
        kept.seal();
        Ok(DiskState {
            key_groups: setup.key_groups,
            kept,
            derived: Tree::new(SortedRuns::default(), setup.scratch, room, pace),
            derived_tables: BTreeSet::new(),
            checkpointed: setup.checkpointed,
            is_empty,
            room: Arc::clone(room),
        })
    }

    /// Writes changes as runs, from old to new.
    fn write(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<Vec<SortedRun>> {
        let mut runs = Vec::new();
        let mut add = |run: RunWriter| -> Result<()> {
            runs.extend(run.finish()?);
            Ok(())
        };
        let mut recent = Recent::default();
        let mut run: Option<RunWriter> = None;
        let (mut last, mut ascending) = (Vec::new(), true);
        changes.each(&mut |change| {
            check_group(self.key_groups, change.group)?;
            let follows = full_key::compare((table, change.group), change.key, &last).is_gt();
            full_key::put((table, change.group), change.key, &mut last);
            if let Some(open) = run.as_mut() {
                if follows && open.entries() < RUN_ENTRIES {
                    return open.put(change.entry(table));
                }
                run.take().map_or(Ok(()), &mut add)?;
                ascending = true;
            } else {
                ascending &= follows || recent.is_empty();
            }
            recent.push(table, &change)?;
            if ascending && recent.bytes() >= DIRECT_BYTES {
                run = Some(self.begin(&std::mem::take(&mut recent), None)?);
            } else if recent.bytes() >= SORTED_BYTES {
                let full = std::mem::take(&mut recent);
                add(self.begin(&full, Some(full.len()))?)?;
                ascending = true;
            }
            Ok(())
        })?;
        if let Some(run) = run {
            add(run)?;
        }
        if !recent.is_empty() {
            add(self.begin(&recent, Some(recent.len()))?)?;
        }
        self.is_empty &= runs.is_empty();
        Ok(runs)
    }

    /// A run that begins with some changes, and has so many at most if that is known.
    fn begin(&self, changes: &Recent, entries: Option<u64>) -> Result<RunWriter> {
        let (bytes, count) = (changes.bytes() as u64, changes.len());
        let grain = self.room.grain(bytes, count);
        let mut run = RunWriter::new(self.kept.spool(), grain, entries, &self.room)?;
        let mut entries = RecentEntries::new(changes);
        while entries.advance()? {
            run.put(entries.entry())?;
        }
        Ok(run)
    }

    fn tree(&self, table: TableId) -> &Tree {
        match self.derived_tables.contains(&table) {
            true => &self.derived,
            false => &self.kept,
        }
    }
}

impl InOrder for DiskState {
    fn entries(
        &self,
        table: TableId,
        range: &KeyRange,
        order: Order,
    ) -> Result<Box<dyn Entries + '_>> {
        scan::merged(self.tree(table).runs().sources(range, order), order)
    }
}

impl Drop for DiskState {
    /// Files have no names and go with their last reader.
    fn drop(&mut self) {
        self.kept.stop();
        self.derived.stop();
    }
}

impl KeyedState for DiskState {
    fn apply(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<()> {
        let mut runs = self.write(table, changes)?.into_iter();
        runs.try_for_each(|run| self.kept.add(run))
    }

    fn derive(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<()> {
        let mut runs = self.write(table, changes)?.into_iter();
        self.derived_tables.insert(table);
        runs.try_for_each(|run| self.derived.add(run))
    }

    fn is_empty(&self) -> bool {
        self.is_empty
    }

    fn keeps(&self) -> bool {
        true
    }

    fn get(
        &self,
        table: TableId,
        keys: &mut dyn Iterator<Item = (KeyGroup, &[u8])>,
        visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let (mut ends, mut bytes) = (Vec::new(), Vec::new());
        for (group, key) in keys {
            full_key::push((table, group), key, &mut bytes);
            ends.push(bytes.len());
        }
        let mut start = 0;
        let wanted = ends.iter().enumerate().map(|(position, end)| {
            let key = &bytes[start..*end];
            start = *end;
            Wanted::new(position, key)
        });
        let mut wanted: Vec<Wanted<'_>> = wanted.collect();
        wanted.sort_unstable_by(Wanted::order);
        self.tree(table).runs().get_all(&wanted, visit)
    }

    fn scan(
        &self,
        table: TableId,
        visit: &mut dyn FnMut(KeyGroup, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        scan::table(self, table, visit)
    }

    fn scan_prefix(
        &self,
        table: TableId,
        group: KeyGroup,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        scan::prefix(self, table, group, prefix, visit)
    }

    fn scan_range(
        &self,
        table: TableId,
        group: KeyGroup,
        range: Range<&[u8]>,
        order: Order,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<bool>,
    ) -> Result<()> {
        scan::range(self, table, group, range, order, visit)
    }

    fn loaded(&mut self) {}

    fn take_delta(&mut self) -> Delta {
        match self.checkpointed {
            true => Delta::of_files(self.kept.seal()),
            false => Delta::default(),
        }
    }

    fn key_groups(&self) -> KeyGroupRange {
        self.key_groups
    }

    fn size_bytes(&self) -> u64 {
        self.kept.runs().size_bytes() + self.derived.runs().size_bytes()
    }
}
