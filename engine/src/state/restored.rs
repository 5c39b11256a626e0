//! What an operator's state starts from: the state files of a checkpoint.

use super::TableId;
use super::file::StateFileReader;
use super::merge::{Entries, Merge};
use crate::error::Result;
use crate::key::{KeyGroup, KeyGroupRange};

/// A state file of a checkpoint.
#[derive(Debug)]
pub struct RestoredFile {
    /// For messages.
    pub name: String,
    /// Which of its key groups count.
    pub key_groups: KeyGroupRange,
    /// Its content.
    pub reader: StateFileReader,
}

/// State files from old to new; of a key that several have, the newest counts.
#[derive(Debug, Default)]
pub struct Restored(pub Vec<RestoredFile>);

impl Restored {
    /// Whether there is nothing to start from.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that some key groups take in the files, all versions of their entries included.
    pub fn size_bytes(&self, range: KeyGroupRange) -> u64 {
        let blocks = self.0.iter().flat_map(|file| {
            let own = file.key_groups.intersection(&range);
            let blocks = file.reader.blocks().iter();
            blocks.filter(move |b| own.contains(b.place.1))
        });
        blocks.map(|b| u64::from(b.length)).sum()
    }

    /// The entries of some key groups, of one table or of all.
    pub fn entries(&self, range: KeyGroupRange, table: Option<TableId>) -> Merge<'_> {
        self.merged(range, table, true)
    }

    /// The same with deletions, unless these are `complete`.
    pub fn merged(
        &self,
        range: KeyGroupRange,
        table: Option<TableId>,
        complete: bool,
    ) -> Merge<'_> {
        let sources = self.0.iter().map(|file| -> Box<dyn Entries> {
            let own = file.key_groups.intersection(&range);
            Box::new(Named {
                name: file.name.as_str(),
                entries: file.reader.entries(own, table),
            })
        });
        Merge::new(sources.collect(), complete)
    }

    /// Visits the entries of a table.
    pub fn scan(
        &self,
        range: KeyGroupRange,
        table: TableId,
        visit: &mut dyn FnMut(KeyGroup, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut entries = self.entries(range, Some(table));
        while entries.advance()? {
            let entry = entries.entry();
            visit(entry.place.1, entry.key, entry.value.unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Says in which file something is wrong.
pub(super) struct Named<N, E> {
    pub(super) name: N,
    pub(super) entries: E,
}

impl<N: AsRef<str> + Send, E: Entries> Entries for Named<N, E> {
    fn advance(&mut self) -> Result<bool> {
        self.entries.advance().map_err(|e| e.at(self.name.as_ref()))
    }

    fn entry(&self) -> super::merge::Entry<'_> {
        self.entries.entry()
    }
}
