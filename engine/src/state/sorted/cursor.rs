//! Entries of runs in a range of keys, in either direction.

use std::cmp::Ordering;
use std::ops::Range;

use bytes::Bytes;

use super::super::file::Span;
use super::super::merge::{Entries, Entry};
use super::super::{Order, StatePlace, TableId, full_key};
use super::{KeyRange, SortedRun};
use crate::error::Result;

/// The entries of one run whose full keys are in a range; a stride in memory at a time.
pub(super) struct Cursor<'a> {
    run: &'a SortedRun,
    range: KeyRange,
    order: Order,
    /// The strides that are not read yet; `None` before the first step.
    strides: Option<Range<usize>>,
    place: StatePlace,
    bytes: Bytes,
    /// The entries of the stride that lie in the range and were not handed out yet, and at the end of it the
    /// one that was.
    spans: Vec<Span>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(run: &'a SortedRun, range: &KeyRange, order: Order) -> Self {
        Cursor {
            run,
            range: range.clone(),
            order,
            strides: None,
            place: (TableId(0), 0),
            bytes: Bytes::new(),
            spans: Vec::new(),
        }
    }

    /// Reads the next stride; false if there is none.
    fn next_stride(&mut self) -> Result<bool> {
        let mut left = match self.strides.take() {
            Some(left) => left,
            None => {
                let to = self.range.to.as_deref();
                self.run.index.strides.of_range(&self.range.from, to)
            }
        };
        let taken = match self.order {
            Order::Ascending => left.next(),
            Order::Descending => left.next_back(),
        };
        self.strides = Some(left);
        let Some(at) = taken else {
            return Ok(false);
        };
        let stride = self.run.index.strides.get(at);
        self.place = stride.place;
        let spare = std::mem::take(&mut self.bytes);
        self.bytes = stride.read(self.run.reader.content(), spare)?;
        let bytes = &self.bytes;
        let (mut at, range) = (0, &self.range);
        while at < bytes.len() {
            let span = Span::read(bytes, &mut at)?;
            let (key, _) = span.of(bytes);
            let to = |to: &Vec<u8>| full_key::compare(stride.place, key, to).is_ge();
            if range.to.as_ref().is_some_and(to) {
                break;
            }
            if full_key::compare(stride.place, key, &range.from).is_ge() {
                self.spans.push(span);
            }
        }
        if self.order == Order::Ascending {
            self.spans.reverse();
        }
        Ok(true)
    }

    fn step(&mut self) -> Result<bool> {
        self.spans.pop();
        while self.spans.is_empty() {
            if !self.next_stride()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Entries for Cursor<'_> {
    fn advance(&mut self) -> Result<bool> {
        self.step().map_err(|e| e.at(&self.run.name))
    }

    fn entry(&self) -> Entry<'_> {
        match self.spans.last() {
            Some(span) => {
                let (key, value) = span.of(&self.bytes);
                Entry {
                    place: self.place,
                    key,
                    value,
                }
            }
            None => Entry {
                place: (TableId(0), 0),
                key: &[],
                value: None,
            },
        }
    }
}

/// Sources of descending entries, from old to new, as one: of a key that several have, the newest counts.
/// Deletions are left out.
pub(in super::super) struct Descending<'a> {
    sources: Vec<Box<dyn Entries + 'a>>,
    /// The source that has the current entry.
    current: Option<usize>,
}

impl<'a> Descending<'a> {
    pub(in super::super) fn new(sources: Vec<Box<dyn Entries + 'a>>) -> Result<Self> {
        let mut begun = Vec::new();
        for mut source in sources {
            if source.advance()? {
                begun.push(source);
            }
        }
        Ok(Descending {
            sources: begun,
            current: None,
        })
    }

    fn order(&self, a: usize, b: usize) -> Ordering {
        let (a, b) = (self.sources[a].entry(), self.sources[b].entry());
        (a.place, a.key).cmp(&(b.place, b.key))
    }

    /// Moves all sources that stand at the current key.
    fn pass(&mut self, current: usize) -> Result<()> {
        let same = (0..self.sources.len()).filter(|at| self.order(*at, current).is_eq());
        // From behind, so that those that end leave the others' places alone.
        for at in same.collect::<Vec<_>>().into_iter().rev() {
            if !self.sources[at].advance()? {
                self.sources.remove(at);
            }
        }
        Ok(())
    }
}

impl Entries for Descending<'_> {
    fn advance(&mut self) -> Result<bool> {
        loop {
            if let Some(current) = self.current.take() {
                self.pass(current)?;
            }
            // Of equal ones the last.
            self.current = (0..self.sources.len()).max_by(|a, b| self.order(*a, *b));
            if self.current.is_none() || self.entry().value.is_some() {
                return Ok(self.current.is_some());
            }
        }
    }

    fn entry(&self) -> Entry<'_> {
        match self.current {
            Some(current) => self.sources[current].entry(),
            None => Entry {
                place: (TableId(0), 0),
                key: &[],
                value: None,
            },
        }
    }
}
