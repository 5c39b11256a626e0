//! Keyed state in memory: the operator's working set is all of it.
//!
//! So nothing is kept here but the changes that the next checkpoint writes, and at the start what
//! was restored, until the operator has read it.

use std::ops::Range;

use super::delta::DeltaLog;
use super::{ChangeSource, Delta, KeyedState, Order, Restored, StateSetup, TableId, check_group};
use crate::error::{EngineError, Result};
use crate::key::{KeyGroup, KeyGroupRange};

pub(super) struct MemoryState {
    key_groups: KeyGroupRange,
    delta: Option<DeltaLog>,
    restored: Restored,
    applied: bool,
}

impl MemoryState {
    pub(super) fn new(setup: StateSetup<'_>) -> Self {
        MemoryState {
            key_groups: setup.key_groups,
            delta: setup.checkpointed.then(|| DeltaLog::new(setup.scratch)),
            restored: setup.restored,
            applied: false,
        }
    }
}

impl KeyedState for MemoryState {
    fn apply(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<()> {
        self.applied = true;
        let (key_groups, delta) = (self.key_groups, &mut self.delta);
        changes.each(&mut |change| {
            check_group(key_groups, change.group)?;
            match delta {
                Some(delta) => delta.push(table, &change),
                None => Ok(()),
            }
        })
    }

    fn derive(&mut self, _table: TableId, _changes: &mut dyn ChangeSource) -> Result<()> {
        Err(not_kept())
    }

    fn is_empty(&self) -> bool {
        self.restored.is_empty() && !self.applied
    }

    fn keeps(&self) -> bool {
        false
    }

    fn get(
        &self,
        _table: TableId,
        _keys: &mut dyn Iterator<Item = (KeyGroup, &[u8])>,
        _visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        Err(not_kept())
    }

    fn scan(
        &self,
        table: TableId,
        visit: &mut dyn FnMut(KeyGroup, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        self.restored.scan(self.key_groups, table, visit)
    }

    fn scan_prefix(
        &self,
        _table: TableId,
        _group: KeyGroup,
        _prefix: &[u8],
        _visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        Err(not_kept())
    }

    fn scan_range(
        &self,
        _table: TableId,
        _group: KeyGroup,
        _range: Range<&[u8]>,
        _order: Order,
        _visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<bool>,
    ) -> Result<()> {
        Err(not_kept())
    }

    fn loaded(&mut self) {
        self.restored = Restored::default();
    }

    fn take_delta(&mut self) -> Delta {
        self.delta.as_mut().map(DeltaLog::take).unwrap_or_default()
    }

    fn key_groups(&self) -> KeyGroupRange {
        self.key_groups
    }

    fn size_bytes(&self) -> u64 {
        self.delta.as_ref().map_or(0, |d| d.bytes() as u64)
    }
}

fn not_kept() -> EngineError {
    EngineError::internal("state was looked up where none is kept")
}
