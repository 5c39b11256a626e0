//! What operators remember: keyed tables behind one trait, in memory or in RocksDB.
//!
//! An operator keeps its hot working set in a form of its own (columnar, hashed) and tracks what
//! changed. At a barrier it writes the changes through [`KeyedState`], as rows of bytes sorted into
//! key groups, and [`KeyedState::freeze`] gives a consistent image that is uploaded while
//! processing goes on. The image has one format for all backends, so a checkpoint taken with one
//! can be restored with another and at another parallelism.

use std::path::Path;

use crate::error::Result;
use crate::graph::BackendKind;
use crate::key::{KeyGroup, KeyGroupRange};

mod memory;
mod rocks;
pub mod snapshot;

#[cfg(test)]
mod tests;

/// Names a table within the state of one operator; part of the checkpoint format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u8);

/// One change of a keyed table.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The key group of the key.
    pub group: KeyGroup,
    /// The key.
    pub key: &'a [u8],
    /// The new value; `None` deletes.
    pub value: Option<&'a [u8]>,
}

/// The keyed state of one operator in one subtask. Batch at a time: no call per row on a hot path.
pub trait KeyedState: Send {
    /// Applies changes in order.
    fn apply(
        &mut self,
        table: TableId,
        changes: &mut dyn Iterator<Item = Change<'_>>,
    ) -> Result<()>;

    /// Looks keys up; the visitor gets the position of each key that exists, and its value.
    fn get(
        &self,
        table: TableId,
        keys: &mut dyn Iterator<Item = (KeyGroup, &[u8])>,
        visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()>;

    /// Visits all entries of a table in order of key group and key.
    fn scan(
        &self,
        table: TableId,
        visit: &mut dyn FnMut(KeyGroup, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()>;

    /// A consistent image of all tables, cheap to take, to be written out on another thread.
    fn freeze(&mut self) -> Result<Box<dyn FrozenState>>;

    /// The key groups that this subtask owns.
    fn key_groups(&self) -> KeyGroupRange;

    /// Roughly how much memory and disk the state takes, in bytes.
    fn size_bytes(&self) -> u64;
}

/// A consistent image of keyed state.
pub trait FrozenState: Send {
    /// Visits all entries in order of table, key group and key.
    fn visit(
        &mut self,
        visit: &mut dyn FnMut(TableId, KeyGroup, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()>;
}

/// Empty state for the key groups of one subtask.
///
/// `scratch` is a directory of the operator's own for a backend that uses the disk; what it holds
/// from before is dropped, because recovery comes from checkpoints alone.
pub fn create(
    kind: BackendKind,
    key_groups: KeyGroupRange,
    scratch: &Path,
) -> Result<Box<dyn KeyedState>> {
    match kind {
        BackendKind::Memory => Ok(Box::new(memory::MemoryState::new(key_groups))),
        BackendKind::RocksDb => Ok(Box::new(rocks::RocksState::open(key_groups, scratch)?)),
    }
}

/// A change outside the subtask's key groups would be lost at the next restore.
fn check_group(range: KeyGroupRange, group: KeyGroup) -> Result<()> {
    if range.contains(group) {
        return Ok(());
    }
    Err(crate::error::EngineError::internal(format!(
        "key group {group} is not among {} to {}",
        range.start,
        range.end.saturating_sub(1)
    )))
}
