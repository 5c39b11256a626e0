//! Keyed state in memory: one ordered map per table and key group.
//!
//! Maps are shared with frozen images and copied only when a group changes while an image of it is
//! still being written out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Change, FrozenState, KeyedState, TableId, check_group};
use crate::error::Result;
use crate::key::{KeyGroup, KeyGroupRange};

type Entries = BTreeMap<Box<[u8]>, Box<[u8]>>;
type Tables = BTreeMap<(TableId, KeyGroup), Arc<Entries>>;

/// What an entry costs beside its bytes: two fat pointers and its share of a tree node.
const ENTRY_OVERHEAD: u64 = 48;

pub(super) struct MemoryState {
    key_groups: KeyGroupRange,
    tables: Tables,
    size_bytes: u64,
}

impl MemoryState {
    pub(super) fn new(key_groups: KeyGroupRange) -> Self {
        MemoryState {
            key_groups,
            tables: Tables::new(),
            size_bytes: 0,
        }
    }
}

fn cost(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64 + ENTRY_OVERHEAD
}

impl KeyedState for MemoryState {
    fn apply(
        &mut self,
        table: TableId,
        changes: &mut dyn Iterator<Item = Change<'_>>,
    ) -> Result<()> {
        for change in changes {
            check_group(self.key_groups, change.group)?;
            let entries = self.tables.entry((table, change.group)).or_default();
            let entries = Arc::make_mut(entries);
            let old = match change.value {
                Some(value) => {
                    self.size_bytes += cost(change.key, value);
                    entries.insert(change.key.into(), value.into())
                }
                None => entries.remove(change.key),
            };
            if let Some(old) = old {
                self.size_bytes -= cost(change.key, &old);
            }
        }
        Ok(())
    }

    fn get(
        &self,
        table: TableId,
        keys: &mut dyn Iterator<Item = (KeyGroup, &[u8])>,
        visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        for (position, (group, key)) in keys.enumerate() {
            let entries = self.tables.get(&(table, group));
            if let Some(value) = entries.and_then(|e| e.get(key)) {
                visit(position, value)?;
            }
        }
        Ok(())
    }

    fn scan(
        &self,
        table: TableId,
        visit: &mut dyn FnMut(KeyGroup, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        let all = (table, KeyGroup::MIN)..=(table, KeyGroup::MAX);
        for ((_, group), entries) in self.tables.range(all) {
            for (key, value) in entries.iter() {
                visit(*group, key, value)?;
            }
        }
        Ok(())
    }

    fn freeze(&mut self) -> Result<Box<dyn FrozenState>> {
        Ok(Box::new(FrozenMemory(self.tables.clone())))
    }

    fn key_groups(&self) -> KeyGroupRange {
        self.key_groups
    }

    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

struct FrozenMemory(Tables);

impl FrozenState for FrozenMemory {
    fn visit(
        &mut self,
        visit: &mut dyn FnMut(TableId, KeyGroup, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        for ((table, group), entries) in &self.0 {
            for (key, value) in entries.iter() {
                visit(*table, *group, key, value)?;
            }
        }
        Ok(())
    }
}
