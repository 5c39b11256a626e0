//! Sorted runs: entries in order in a state file, which is read where it is, in part, by key.
//!
//! ```text
//!   look-up ─▶ filter: may the run have the key?  ─▶ strides: where would it be?  ─▶ a few kilobytes of the file
//!              (memory)                             (memory)                       (disk, or memory while small)
//! ```
//!
//! A checkpoint's files are runs as they are: state that is restored can be used at once. So are the files
//! that state on disk writes. Reading a file once for its index also checks it.

use std::sync::Arc;

use super::blob::Spool;
use super::file::{Span, StateFileReader, Writer};
use super::merge::{Entries, Entry, Merge};
use super::{Order, Restored, full_key};
use crate::error::Result;
use crate::key::{KeyGroup, KeyGroupRange};

mod cursor;
mod filter;
mod room;
mod strides;
#[cfg(test)]
mod tests;

use cursor::Cursor;
use room::Held;
use strides::{Index, Indexer};

pub(super) use cursor::Descending;
pub(super) use room::{Grain, Room};

/// Full keys from one on, up to another one that does not belong to them, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRange {
    pub(super) from: Vec<u8>,
    pub(super) to: Option<Vec<u8>>,
}

impl KeyRange {
    /// All that begins with some bytes.
    pub(super) fn of_prefix(prefix: Vec<u8>) -> Self {
        KeyRange {
            to: full_key::behind_prefix(&prefix),
            from: prefix,
        }
    }
}

/// A state file, and what is known of its keys.
pub(super) struct SortedRun {
    /// For messages.
    name: String,
    reader: StateFileReader,
    /// Those that count.
    key_groups: KeyGroupRange,
    index: Index,
    _held: Held,
}

impl SortedRun {
    fn new(
        name: String,
        reader: StateFileReader,
        key_groups: KeyGroupRange,
        index: Index,
        room: &Arc<Room>,
    ) -> Self {
        let memory = index.strides.size_bytes() + index.filter.size_bytes();
        SortedRun {
            _held: room.hold(memory + reader.content().held(), index.bytes, index.entries),
            name,
            reader,
            key_groups,
            index,
        }
    }

    /// How many bytes its entries take.
    pub(super) fn size_bytes(&self) -> u64 {
        self.index.bytes
    }

    /// How many entries it has, deletions included.
    pub(super) fn entries(&self) -> u64 {
        self.index.entries
    }

    /// How many of them are deletions.
    pub(super) fn deletions(&self) -> u64 {
        self.index.deletions
    }

    /// What it takes in memory, in bytes.
    #[cfg(test)]
    fn memory_bytes(&self) -> u64 {
        self._held.memory
    }

    /// Its state file.
    pub(super) fn reader(&self) -> &StateFileReader {
        &self.reader
    }

    /// All its entries, deletions included.
    pub(super) fn all(&self) -> Box<dyn Entries> {
        Box::new(self.reader.entries(self.key_groups, None))
    }

    /// Whether the run may have the key of an entry; if not, it has not.
    pub(super) fn may_have(&self, entry: Entry<'_>) -> bool {
        let hash = strides::hash_of(entry.place, entry.key);
        self.index.filter.may_have(hash)
    }

    /// Looks up those of the wanted keys that were not found yet, which are in order, and takes out of
    /// `open` those that it has.
    fn find(
        &self,
        wanted: &[Wanted<'_>],
        open: &mut Vec<u32>,
        buffer: &mut Vec<u8>,
        visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let filter = &self.index.filter;
        // All of them first, so that what one waits for of the memory the others need not wait for.
        let may_have = open
            .iter()
            .map(|at| filter.may_have(wanted[*at as usize].hash));
        let may_have: Vec<bool> = may_have.collect();
        let (mut known, mut missing) = (0, 0);
        for turn in 0..open.len() {
            let at = open[turn];
            let key = &wanted[at as usize];
            if may_have[turn] {
                let blocks = self.index.strides.blocks_by(key.full, key.head, known);
                // The last of them is known to begin by the next key too.
                known = blocks.saturating_sub(1);
                let found = self.find_in(blocks, key.full, buffer, &mut |value| {
                    value.map_or(Ok(()), |value| visit(key.position, value))
                })?;
                if found {
                    continue;
                }
            }
            open[missing] = at;
            missing += 1;
        }
        open.truncate(missing);
        Ok(())
    }

    /// Whether the last of the blocks that begin by a key has the key; shows its value, or that it is deleted.
    fn find_in(
        &self,
        blocks: usize,
        key: &[u8],
        buffer: &mut Vec<u8>,
        show: &mut dyn FnMut(Option<&[u8]>) -> Result<()>,
    ) -> Result<bool> {
        let (Some(block), Some(rest)) = (blocks.checked_sub(1), key.get(full_key::PREFIX_LEN..))
        else {
            return Ok(false);
        };
        let strides = &self.index.strides;
        for stride in strides.candidates(block, key) {
            let stride = strides.get_in(block, stride);
            if full_key::prefix(stride.place) != key[..full_key::PREFIX_LEN] {
                return Ok(false);
            }
            let bytes = stride.look(self.reader.content(), buffer)?;
            let mut at = 0;
            while at < bytes.len() {
                let (found, value) = Span::read(bytes, &mut at)?.of(bytes);
                match found.cmp(rest) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal => return show(value).map(|()| true),
                    std::cmp::Ordering::Greater => return Ok(false),
                }
            }
        }
        Ok(false)
    }
}

/// A key that is looked up.
pub(super) struct Wanted<'a> {
    /// Where it was among those that were asked for.
    position: usize,
    full: &'a [u8],
    head: u128,
    hash: u64,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(position: usize, full: &'a [u8]) -> Self {
        let (head, hash) = match full {
            [table, high, low, rest @ ..] => {
                let group = KeyGroup::from_be_bytes([*high, *low]);
                let place = (super::TableId(*table), group);
                (full_key::head(place, rest), strides::hash_of(place, rest))
            }
            _ => (crate::key::head(&[], full), 0),
        };
        Wanted {
            position,
            full,
            head,
            hash,
        }
    }

    /// In the order of keys.
    pub(super) fn order(&self, other: &Self) -> std::cmp::Ordering {
        let heads = self.head.cmp(&other.head);
        heads.then_with(|| self.full.cmp(other.full))
    }
}

/// Runs from old to new: of a key that several have, the newest counts.
#[derive(Default)]
pub(super) struct SortedRuns(pub(super) Vec<Arc<SortedRun>>);

impl SortedRuns {
    /// Reads the files of a checkpoint once, checks them, and notes where their keys are.
    pub(super) fn open(
        restored: Restored,
        key_groups: KeyGroupRange,
        room: &Arc<Room>,
    ) -> Result<Self> {
        Self::with_grain(restored, key_groups, room, None)
    }

    fn with_grain(
        restored: Restored,
        key_groups: KeyGroupRange,
        room: &Arc<Room>,
        grain: Option<Grain>,
    ) -> Result<Self> {
        let runs = restored.0.into_iter().map(|file| {
            let own = file.key_groups.intersection(&key_groups);
            let blocks = file.reader.blocks().iter();
            let (mut bytes, mut entries) = (0, 0);
            for block in blocks.filter(|b| own.contains(b.place.1)) {
                bytes += u64::from(block.length);
                entries += u64::from(block.entries);
            }
            let grain = grain.unwrap_or_else(|| room.grain(bytes, entries));
            // A block of a few bytes can't have as many entries as it says, unless it has been tampered with.
            let mut indexer = Indexer::new(grain, Some(entries.min(bytes / 2)));
            let watched = file.reader.watch(own, &mut indexer);
            watched.map_err(|e| e.at(&file.name))?;
            let index = indexer.finish();
            Ok(Arc::new(SortedRun::new(
                file.name,
                file.reader,
                own,
                index,
                room,
            )))
        });
        Ok(SortedRuns(runs.collect::<Result<_>>()?))
    }

    /// All entries that the runs add up to.
    pub(super) fn entries(&self) -> Merge<'static> {
        let all = |run: &Arc<SortedRun>| -> Box<dyn Entries> {
            let (name, entries) = (run.name.clone(), run.all());
            Box::new(super::restored::Named { name, entries })
        };
        Merge::new(self.0.iter().map(all).collect(), true)
    }

    /// The bytes that all entries take in the files, those of older ones included.
    pub(super) fn size_bytes(&self) -> u64 {
        self.0.iter().map(|run| run.size_bytes()).sum()
    }

    /// Shows the value of a full key if there is one.
    pub(super) fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.get_all(&[Wanted::new(0, key)], &mut |_, value| visit(value))
    }

    /// Shows the positions and values of those of the keys that there are; the keys are in order.
    pub(super) fn get_all(
        &self,
        wanted: &[Wanted<'_>],
        visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut open: Vec<u32> = (0..wanted.len() as u32).collect();
        let mut buffer = Vec::new();
        for run in self.0.iter().rev() {
            if open.is_empty() {
                break;
            }
            let found = run.find(wanted, &mut open, &mut buffer, visit);
            found.map_err(|e| e.at(&run.name))?;
        }
        Ok(())
    }

    /// The entries of each run, deletions included, whose full keys are in a range, from old to new. Going
    /// backward, what each of them hands out descends.
    pub(super) fn sources(&self, range: &KeyRange, order: Order) -> Vec<Box<dyn Entries + '_>> {
        let cursor = |run| -> Box<dyn Entries> { Box::new(Cursor::new(run, range, order)) };
        self.0.iter().map(|run| cursor(run)).collect()
    }
}

/// A run under way.
pub(super) struct RunWriter {
    writer: Writer<Spool, Indexer>,
    /// Where what is known of it in memory is counted.
    room: Arc<Room>,
}

impl RunWriter {
    /// Begins a run, which goes into `spool`, of `entries` entries at most if that is known.
    pub(super) fn new(
        spool: Spool,
        grain: Grain,
        entries: Option<u64>,
        room: &Arc<Room>,
    ) -> Result<Self> {
        Ok(RunWriter {
            writer: Writer::new(spool, Indexer::new(grain, entries))?,
            room: Arc::clone(room),
        })
    }

    /// Adds an entry, greater than those before.
    pub(super) fn put(&mut self, entry: Entry<'_>) -> Result<()> {
        self.writer.entry(entry)
    }

    /// How many entries have been added.
    pub(super) fn entries(&self) -> u64 {
        self.writer.entries()
    }

    /// Ends the run; `None` if nothing was added.
    pub(super) fn finish(self) -> Result<Option<SortedRun>> {
        if self.writer.entries() == 0 {
            return Ok(None);
        }
        let (_, spool, indexer) = self.writer.finish()?;
        let reader = StateFileReader::open(spool.finish()?)?;
        Ok(Some(SortedRun::new(
            "state on scratch disk".into(),
            reader,
            KeyGroupRange::EVERY,
            indexer.finish(),
            &self.room,
        )))
    }
}
