//! What operators remember: keyed tables behind one trait, in memory, in files of its own, or in RocksDB.
//!
//! ```text
//!  operator: columnar working set, what is dirty
//!      │ apply, at a barrier or to make room          ▲ scan at the start, get on a miss
//!      ▼                                              │
//!  KeyedState ── take_delta ──▶ Delta ──▶ state file, with those before it a chain in the checkpoint
//! ```
//!
//! An operator keeps its hot working set in a form of its own (columnar, hashed) and tracks what
//! changed. At a barrier it writes the changes through [`KeyedState`] as rows of bytes by key group,
//! and [`KeyedState::take_delta`] hands out what has changed since the last barrier, to be written
//! out while processing goes on. So a checkpoint costs what has changed, not what there is. State
//! files have one format for all backends: a checkpoint taken with one can be restored with
//! another and at another parallelism.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::error::{EngineError, Result};
use crate::graph::BackendKind;
use crate::key::{KeyGroup, KeyGroupRange};
use crate::memory::Memory;

pub mod blob;
pub mod delta;
mod disk;
pub mod file;
mod full_key;
mod memory;
pub mod merge;
mod restored;
mod rocks;
mod scan;
mod sorted;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use delta::Delta;
pub use restored::{Restored, RestoredFile};

/// Names a table within the state of one operator; part of the checkpoint format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TableId(pub u8);

/// A table and a key group: what state files are divided by.
pub type StatePlace = (TableId, KeyGroup);

/// Which way a range of keys is visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From the least key on.
    Ascending,
    /// From the greatest key back.
    Descending,
}

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

impl<'a> Change<'a> {
    /// The entry of a table that it makes.
    fn entry(&self, table: TableId) -> merge::Entry<'a> {
        merge::Entry {
            place: (table, self.group),
            key: self.key,
            value: self.value,
        }
    }
}

/// Changes in order. Those in ascending order of key group and key are written without being held in
/// memory.
pub trait ChangeSource {
    /// Hands out each change, which is gone when the next one comes.
    fn each(&mut self, take: &mut dyn FnMut(Change<'_>) -> Result<()>) -> Result<()>;
}

impl<'a, I: Iterator<Item = Change<'a>>> ChangeSource for I {
    fn each(&mut self, take: &mut dyn FnMut(Change<'_>) -> Result<()>) -> Result<()> {
        self.try_for_each(take)
    }
}

/// The keyed state of one operator in one subtask. Batch at a time: no call per row on a hot path.
pub trait KeyedState: Send {
    /// Applies changes in order.
    fn apply(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<()>;

    /// Applies changes to a table that is derived from the others: no checkpoint has it, and it is
    /// empty at the start. Only where state is kept.
    fn derive(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<()>;

    /// Whether nothing was restored and nothing applied.
    fn is_empty(&self) -> bool;

    /// Whether what was applied can be read again. If not, the operator's working set is all there
    /// is, and must be complete.
    fn keeps(&self) -> bool;

    /// Looks keys up; the visitor gets the position of each key that exists, and its value, in any
    /// order. Only where state is kept.
    fn get(
        &self,
        table: TableId,
        keys: &mut dyn Iterator<Item = (KeyGroup, &[u8])>,
        visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()>;

    /// Visits all entries of a table in order of key group and key: those that were restored and,
    /// where state is kept, those applied since.
    fn scan(
        &self,
        table: TableId,
        visit: &mut dyn FnMut(KeyGroup, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()>;

    /// Visits the entries of a key group whose keys begin with `prefix`, in order. Only where state is
    /// kept.
    fn scan_prefix(
        &self,
        table: TableId,
        group: KeyGroup,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<()>,
    ) -> Result<()>;

    /// Visits the entries of a key group whose keys are in `range`, until the visitor says that it has
    /// seen enough by returning false. Only where state is kept.
    fn scan_range(
        &self,
        table: TableId,
        group: KeyGroup,
        range: Range<&[u8]>,
        order: Order,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<bool>,
    ) -> Result<()>;

    /// The operator has read what was restored: what is not kept need not be held any longer.
    fn loaded(&mut self);

    /// Takes what has changed since the last call. Empty if the state is not part of checkpoints.
    fn take_delta(&mut self) -> Delta;

    /// The key groups that this subtask owns.
    fn key_groups(&self) -> KeyGroupRange;

    /// Roughly how much memory and disk the state takes, in bytes.
    fn size_bytes(&self) -> u64;
}

/// How the state of one operator in one subtask starts.
pub struct StateSetup<'a> {
    /// The backend.
    pub kind: BackendKind,
    /// The key groups that the subtask owns.
    pub key_groups: KeyGroupRange,
    /// A directory of the operator's own for what does not fit into memory; what it holds from
    /// before is dropped, because recovery comes from checkpoints alone.
    pub scratch: &'a Path,
    /// Whether there are checkpoints that changes must go into.
    pub checkpointed: bool,
    /// What to start from.
    pub restored: Restored,
    /// What all state of the process shares.
    pub resources: &'a Resources,
}

/// What all state of a process shares.
pub struct Resources {
    /// The memory for it.
    pub memory: Memory,
    /// Once something asks for it.
    rocks: OnceLock<rocks::Shared>,
    runs: Arc<sorted::Room>,
}

impl std::fmt::Debug for Resources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resources({:?})", self.memory)
    }
}

impl Resources {
    /// State that uses so much memory.
    pub fn new(memory: Memory) -> Self {
        Resources {
            rocks: OnceLock::new(),
            runs: sorted::Room::new(memory.disk_cache()),
            memory,
        }
    }

    fn rocks(&self) -> &rocks::Shared {
        let bytes = self.memory.disk_cache();
        self.rocks.get_or_init(|| rocks::Shared::new(bytes))
    }

    /// What is held of state on disk, in bytes: caches, write buffers, indexes and filters.
    pub fn disk_cache_bytes(&self) -> u64 {
        self.rocks.get().map_or(0, rocks::Shared::used) + self.runs.used()
    }
}

/// The state of one operator in one subtask.
pub fn create(setup: StateSetup<'_>) -> Result<Box<dyn KeyedState>> {
    match setup.kind {
        BackendKind::Memory => Ok(Box::new(memory::MemoryState::new(setup))),
        BackendKind::Disk => Ok(Box::new(disk::DiskState::open(setup)?)),
        BackendKind::RocksDb => Ok(Box::new(rocks::RocksState::open(setup)?)),
    }
}

/// A scratch folder that cannot be used, and why.
fn unusable(path: &Path, why: String) -> EngineError {
    EngineError::state(format!(
        "the state directory {} cannot be used",
        path.display()
    ))
    .with_detail(why)
    .with_hint("check that the worker's scratch directory is writable and not full")
}

/// A change outside the subtask's key groups would be lost at the next restore.
fn check_group(range: KeyGroupRange, group: KeyGroup) -> Result<()> {
    if range.contains(group) {
        return Ok(());
    }
    Err(EngineError::internal(format!(
        "key group {group} is not among {} to {}",
        range.start,
        range.end.saturating_sub(1)
    )))
}
