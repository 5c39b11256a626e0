//! Sorted entries of keyed state from several places, as one.

use std::cmp::Ordering;

use super::{StatePlace, full_key};
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

impl<E: Entries + ?Sized> Entries for Box<E> {
    fn advance(&mut self) -> Result<bool> {
        (**self).advance()
    }

    fn entry(&self) -> Entry<'_> {
        (**self).entry()
    }
}

/// Several sources of entries, from old to new: of a key that several have, the newest counts.
pub struct Merge<'a> {
    /// Those that have an entry, once it has begun.
    sources: Vec<Box<dyn Entries + 'a>>,
    /// How their entries begin, side by side since each step looks at all of them.
    heads: Vec<Head>,
    started: bool,
    /// The source that has the current entry.
    current: usize,
    /// The least head of the others: while the current one stays below, it need not be compared with them.
    alone_below: Head,
    /// Whether deletions are left out: nothing older lies below the oldest source.
    complete: bool,
}

/// Table, key group and the beginning of the key, as a number in the order of entries.
type Head = u128;

fn head(entry: Entry<'_>) -> Head {
    full_key::head(entry.place, entry.key)
}

impl<'a> Merge<'a> {
    /// Merges `sources`; `complete` says that they are all there is, so that deletions have done
    /// their work.
    pub fn new(sources: Vec<Box<dyn Entries + 'a>>, complete: bool) -> Self {
        Merge {
            sources,
            heads: Vec::new(),
            started: false,
            current: 0,
            alone_below: 0,
            complete,
        }
    }

    fn start(&mut self) -> Result<()> {
        for mut source in std::mem::take(&mut self.sources) {
            if source.advance()? {
                self.heads.push(head(source.entry()));
                self.sources.push(source);
            }
        }
        self.started = true;
        Ok(())
    }

    /// Moves a source on; false if it had no more, and is gone.
    fn move_on(&mut self, at: usize) -> Result<bool> {
        if self.sources[at].advance()? {
            self.heads[at] = head(self.sources[at].entry());
            return Ok(true);
        }
        self.sources.remove(at);
        self.heads.remove(at);
        Ok(false)
    }

    /// How the entries of two sources stand to each other.
    fn order(&self, a: usize, b: usize) -> Ordering {
        self.heads[a].cmp(&self.heads[b]).then_with(|| {
            let (a, b) = (self.sources[a].entry(), self.sources[b].entry());
            (a.place, a.key).cmp(&(b.place, b.key))
        })
    }

    /// Moves all sources that stand at the current key; true if the current one is in front again.
    fn step(&mut self) -> Result<bool> {
        let current = self.current;
        let before = self.heads[current];
        if before < self.alone_below {
            return Ok(self.move_on(current)? && self.heads[current] < self.alone_below);
        }
        // From behind, so that those that end leave the others' places alone; older ones stand in front.
        let same: Vec<usize> = (0..current)
            .rev()
            .filter(|at| self.order(*at, current).is_eq())
            .collect();
        self.move_on(current)?;
        for at in same {
            self.move_on(at)?;
        }
        Ok(false)
    }

    /// Makes the newest source with the smallest key the current one.
    fn choose(&mut self) {
        let (mut best, mut least) = (0, Head::MAX);
        for at in 1..self.heads.len() {
            match self.order(at, best) {
                Ordering::Greater => least = least.min(self.heads[at]),
                _ => {
                    least = self.heads[best];
                    best = at;
                }
            }
        }
        (self.current, self.alone_below) = (best, least);
    }
}

impl Entries for Merge<'_> {
    fn advance(&mut self) -> Result<bool> {
        loop {
            let alone = match self.started {
                true if self.heads.is_empty() => false,
                true => self.step()?,
                false => {
                    self.start()?;
                    false
                }
            };
            if self.heads.is_empty() {
                return Ok(false);
            }
            if !alone {
                self.choose();
            }
            if !self.complete || self.entry().value.is_some() {
                return Ok(true);
            }
        }
    }

    fn entry(&self) -> Entry<'_> {
        match self.sources.get(self.current) {
            Some(source) => source.entry(),
            None => Entry {
                place: (super::TableId(0), 0),
                key: &[],
                value: None,
            },
        }
    }
}
