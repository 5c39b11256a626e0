//! What has changed since the last checkpoint.

use std::cmp::Ordering;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::blob::{Blob, Spool};
use super::file::{self, StateFileReader, Written};
use super::merge::{Entries, Entry, Merge};
use super::{Change, StatePlace, TableId};
use crate::error::{EngineError, Result};
use crate::key::KeyGroupRange;

/// Changes that take more memory than this go to a scratch file.
const SPILL_BYTES: usize = 64 << 20;
/// The length that stands for no value.
const DELETED: u32 = u32::MAX;

/// Collects changes: in memory, and in sorted runs on scratch disk when they are many.
#[derive(Debug)]
pub(super) struct DeltaLog {
    scratch: PathBuf,
    recent: Recent,
    runs: Vec<Blob>,
}

/// Changes in memory, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Keys and values, one after the other.
    data: Vec<u8>,
    changes: Vec<Record>,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    place: StatePlace,
    /// Where the key begins; the value follows it.
    at: usize,
    key: u32,
    value: u32,
}

impl DeltaLog {
    pub(super) fn new(scratch: &Path) -> Self {
        DeltaLog {
            scratch: scratch.to_path_buf(),
            recent: Recent::default(),
            runs: Vec::new(),
        }
    }

    /// Notes a change.
    pub(super) fn push(&mut self, table: TableId, change: &Change<'_>) -> Result<()> {
        self.recent.push(table, change)?;
        if self.bytes() >= SPILL_BYTES {
            self.spill()?;
        }
        Ok(())
    }

    /// The memory in use.
    pub(super) fn bytes(&self) -> usize {
        self.recent.bytes()
    }

    fn spill(&mut self) -> Result<()> {
        let recent = std::mem::take(&mut self.recent);
        let mut spool = Spool::new(&self.scratch);
        file::write(&mut RecentEntries::new(&recent), &mut spool)?;
        self.runs.push(spool.finish()?);
        Ok(())
    }

    /// Takes all changes; what follows belongs to the next delta.
    pub(super) fn take(&mut self) -> Delta {
        Delta {
            recent: std::mem::take(&mut self.recent),
            runs: std::mem::take(&mut self.runs),
        }
    }
}

/// The changes of keyed state between two checkpoints.
#[derive(Debug, Default)]
pub struct Delta {
    recent: Recent,
    runs: Vec<Blob>,
}

impl Delta {
    /// A delta that a file already holds.
    pub fn of_file(content: Blob) -> Self {
        Delta::of_files(vec![content])
    }

    /// A delta that files hold, from old to new.
    pub(super) fn of_files(runs: Vec<Blob>) -> Self {
        Delta {
            recent: Recent::default(),
            runs,
        }
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.recent.changes.is_empty() && self.runs.is_empty()
    }

    /// Its changes, as sources of a [`Merge`] from old to new.
    pub fn sources(&self) -> Result<Vec<Box<dyn Entries + '_>>> {
        let mut sources: Vec<Box<dyn Entries + '_>> = Vec::new();
        for run in &self.runs {
            let reader = StateFileReader::open(run.clone())?;
            sources.push(Box::new(reader.entries(KeyGroupRange::EVERY, None)));
        }
        if !self.recent.changes.is_empty() {
            sources.push(Box::new(RecentEntries::new(&self.recent)));
        }
        Ok(sources)
    }
}

/// Writes deltas, from old to new, as one state file.
pub fn write(deltas: &[Delta], out: &mut dyn Write) -> Result<Written> {
    let mut sources = Vec::new();
    for delta in deltas {
        sources.extend(delta.sources()?);
    }
    file::write(&mut Merge::new(sources, false), out)
}

/// Recent changes in order, the last of each key.
pub(super) struct RecentEntries<'a> {
    recent: &'a Recent,
    order: Vec<u32>,
    next: usize,
}

impl Recent {
    /// Notes a change.
    pub(super) fn push(&mut self, table: TableId, change: &Change<'_>) -> Result<()> {
        let too_long = || EngineError::state("an entry of keyed state exceeds 4 GiB");
        let length = |bytes: &[u8]| {
            let length = u32::try_from(bytes.len()).ok();
            length.filter(|l| *l != DELETED).ok_or_else(too_long)
        };
        let value = change.value.unwrap_or_default();
        self.changes.push(Record {
            place: (table, change.group),
            at: self.data.len(),
            key: length(change.key)?,
            value: change.value.map_or(Ok(DELETED), length)?,
        });
        self.data.extend_from_slice(change.key);
        self.data.extend_from_slice(value);
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many changes there are.
    pub(super) fn len(&self) -> u64 {
        self.changes.len() as u64
    }

    /// The memory in use.
    pub(super) fn bytes(&self) -> usize {
        self.data.len() + self.changes.len() * size_of::<Record>()
    }

    fn key(&self, record: &Record) -> &[u8] {
        &self.data[record.at..record.at + record.key as usize]
    }

    fn compare(&self, a: &Record, b: &Record) -> Ordering {
        let places = a.place.cmp(&b.place);
        places.then_with(|| self.key(a).cmp(self.key(b)))
    }
}

impl<'a> RecentEntries<'a> {
    pub(super) fn new(recent: &'a Recent) -> Self {
        let mut order: Vec<u32> = (0..recent.changes.len() as u32).collect();
        let record = |position: u32| &recent.changes[position as usize];
        order.sort_unstable_by(|a, b| {
            let records = recent.compare(record(*a), record(*b));
            // Of a key that changed twice the later change comes first, and is the one kept.
            records.then(b.cmp(a))
        });
        order.dedup_by(|later, kept| recent.compare(record(*later), record(*kept)).is_eq());
        RecentEntries {
            recent,
            order,
            next: 0,
        }
    }
}

impl Entries for RecentEntries<'_> {
    fn advance(&mut self) -> Result<bool> {
        self.next += 1;
        Ok(self.next <= self.order.len())
    }

    fn entry(&self) -> Entry<'_> {
        let position = self.order[self.next - 1];
        let record = &self.recent.changes[position as usize];
        let value = record.at + record.key as usize;
        Entry {
            place: record.place,
            key: self.recent.key(record),
            value: (record.value != DELETED)
                .then(|| &self.recent.data[value..value + record.value as usize]),
        }
    }
}
