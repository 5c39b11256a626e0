//! Sorted entries of keyed state from several places, as one.

use std::cmp::Ordering;

use super::StatePlace;
use crate::error::Result;
use crate::key;

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
    /// Up to where no other source has an entry: while the current one stays below, it need not be
    /// compared with them.
    alone_below: Head,
    /// Whether deletions are left out: nothing older lies below the oldest source.
    complete: bool,
}

struct Source<'a> {
    entries: Box<dyn Entries + 'a>,
    /// How its entry begins; `None` when there is none.
    head: Option<Head>,
}

/// Table, key group and the beginning of the key.
type Head = (u64, u64);

fn head(entry: Entry<'_>) -> Head {
    let (table, group) = entry.place;
    let [high, low] = group.to_be_bytes();
    key::head(&[table.0, high, low], entry.key)
}

impl Source<'_> {
    fn advance(&mut self) -> Result<()> {
        self.head = match self.entries.advance()? {
            true => Some(head(self.entries.entry())),
            false => None,
        };
        Ok(())
    }

    /// How its entry stands to that of another, both of which have one.
    fn order(&self, other: &Source<'_>) -> Ordering {
        self.head.cmp(&other.head).then_with(|| {
            let (own, other) = (self.entries.entry(), other.entries.entry());
            (own.place, own.key).cmp(&(other.place, other.key))
        })
    }
}

impl<'a> Merge<'a> {
    /// Merges `sources`; `complete` says that they are all there is, so that deletions have done
    /// their work.
    pub fn new(sources: Vec<Box<dyn Entries + 'a>>, complete: bool) -> Self {
        let source = |entries| Source {
            entries,
            head: None,
        };
        Merge {
            sources: sources.into_iter().map(source).collect(),
            started: false,
            current: 0,
            alone_below: Head::default(),
            complete,
        }
    }

    /// Whether only the current source can have the current entry.
    fn is_alone(&self) -> bool {
        let head = self.sources.get(self.current).and_then(|source| source.head);
        head.is_some_and(|head| head < self.alone_below)
    }

    /// Moves all sources that stand at the current key.
    fn step(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.started, true) {
            return self.sources.iter_mut().try_for_each(Source::advance);
        }
        let (older, rest) = self.sources.split_at_mut(self.current);
        let Some((newest, _)) = rest.split_first_mut() else {
            return Ok(());
        };
        for source in older {
            if source.head.is_some() && source.order(newest).is_eq() {
                source.advance()?;
            }
        }
        newest.advance()
    }

    /// Makes the newest source with the smallest key the current one; false if there is none.
    fn choose(&mut self) -> bool {
        let with_entry = self.sources.iter().enumerate();
        let with_entry = with_entry.filter(|(_, source)| source.head.is_some());
        let smallest = with_entry.reduce(|best, next| match next.1.order(best.1) {
            Ordering::Greater => best,
            _ => next,
        });
        let Some((position, _)) = smallest else {
            return false;
        };
        self.current = position;
        let others = self.sources.iter().enumerate();
        let others = others.filter(|(other, _)| *other != position);
        let least = others.filter_map(|(_, source)| source.head).min();
        self.alone_below = least.unwrap_or((u64::MAX, u64::MAX));
        true
    }
}

impl Entries for Merge<'_> {
    fn advance(&mut self) -> Result<bool> {
        loop {
            match self.is_alone() {
                true => self.sources[self.current].advance()?,
                false => self.step()?,
            }
            if !self.is_alone() && !self.choose() {
                return Ok(false);
            }
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
