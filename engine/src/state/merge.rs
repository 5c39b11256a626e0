//! Sorted entries of keyed state from several places, as one.

use super::StatePlace;
use crate::error::Result;

/// An entry, or the deletion of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its table and key group.
    pub place: StatePlace,
    /// Its key.
    pub key: &'a [u8],
    /// Its value; `None` deletes what older entries say.
    pub value: Option<&'a [u8]>,
}

/// Entries in ascending order of table, key group and key, each key once.
pub trait Entries: Send {
    /// Moves to the next entry; false when there is none.
    fn advance(&mut self) -> Result<bool>;

    /// The current entry; only after [`Entries::advance`] has returned true.
    fn entry(&self) -> Entry<'_>;
}

/// Several sources of entries, from old to new: of a key that several have, the newest counts.
pub struct Merge<'a> {
    sources: Vec<Source<'a>>,
    started: bool,
    /// The source that has the current entry.
    current: usize,
    /// Whether deletions are left out: nothing older lies below the oldest source.
    complete: bool,
}

struct Source<'a> {
    entries: Box<dyn Entries + 'a>,
    has_entry: bool,
}

impl<'a> Merge<'a> {
    /// Merges `sources`; `complete` says that they are all there is, so that deletions have done
    /// their work.
    pub fn new(sources: Vec<Box<dyn Entries + 'a>>, complete: bool) -> Self {
        let source = |entries| Source {
            entries,
            has_entry: true,
        };
        Merge {
            sources: sources.into_iter().map(source).collect(),
            started: false,
            current: 0,
            complete,
        }
    }

    /// Moves all sources that stand at the current key.
    fn step(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.started, true) {
            for source in &mut self.sources {
                source.has_entry = source.entries.advance()?;
            }
            return Ok(());
        }
        let (older, rest) = self.sources.split_at_mut(self.current);
        let Some((newest, _)) = rest.split_first_mut() else {
            return Ok(());
        };
        let done = newest.entries.entry();
        for source in older {
            let same = |e: Entry<'_>| e.place == done.place && e.key == done.key;
            if source.has_entry && same(source.entries.entry()) {
                source.has_entry = source.entries.advance()?;
            }
        }
        newest.has_entry = newest.entries.advance()?;
        Ok(())
    }

    /// The newest source with the smallest key.
    fn smallest(&self) -> Option<usize> {
        let mut best: Option<(usize, Entry<'_>)> = None;
        for (position, source) in self.sources.iter().enumerate() {
            if !source.has_entry {
                continue;
            }
            let entry = source.entries.entry();
            let wins = best.is_none_or(|(_, b)| (entry.place, entry.key) <= (b.place, b.key));
            if wins {
                best = Some((position, entry));
            }
        }
        best.map(|(position, _)| position)
    }
}

impl Entries for Merge<'_> {
    fn advance(&mut self) -> Result<bool> {
        loop {
            self.step()?;
            let Some(position) = self.smallest() else {
                return Ok(false);
            };
            self.current = position;
            if !self.complete || self.entry().value.is_some() {
                return Ok(true);
            }
        }
    }

    fn entry(&self) -> Entry<'_> {
        match self.sources.get(self.current) {
            Some(source) => source.entries.entry(),
            None => Entry {
                place: (super::TableId(0), 0),
                key: &[],
                value: None,
            },
        }
    }
}
