//! Entries of a database in a range of keys, in either direction.

use rocksdb::{DB, DBRawIterator};

use super::super::merge::{Entries, Entry};
use super::super::sorted::KeyRange;
use super::super::{Order, TableId, full_key};
use super::broken;
use super::options::scan_options;
use crate::error::Result;

/// In front of a full key: that it was deleted from what was restored. No table has this number.
const DELETED: u8 = u8::MAX;

/// The key under which the deletion of a full key is noted.
pub(super) fn deletion_of(full: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(full.len() + 1);
    key.push(DELETED);
    key.extend_from_slice(full);
    key
}

/// What a cursor visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Keys and values.
    Values,
    /// What was noted to be deleted.
    Deletions,
}

impl Content {
    fn skipped(self) -> usize {
        match self {
            Content::Values => 0,
            Content::Deletions => 1,
        }
    }
}

/// Entries whose full keys are in a range.
pub(super) struct Cursor<'a> {
    iterator: DBRawIterator<'a>,
    order: Order,
    content: Content,
    started: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(db: &'a DB, range: &KeyRange, order: Order, content: Content) -> Self {
        let mut options = scan_options();
        match content {
            Content::Values => {
                options.set_iterate_lower_bound(range.from.clone());
                options.set_iterate_upper_bound(range.to.clone().unwrap_or(vec![DELETED]));
            }
            Content::Deletions => {
                options.set_iterate_lower_bound(deletion_of(&range.from));
                if let Some(to) = &range.to {
                    options.set_iterate_upper_bound(deletion_of(to));
                }
            }
        }
        Cursor {
            iterator: db.raw_iterator_opt(options),
            order,
            content,
            started: false,
        }
    }
}

impl Entries for Cursor<'_> {
    fn advance(&mut self) -> Result<bool> {
        match (std::mem::replace(&mut self.started, true), self.order) {
            (false, Order::Ascending) => self.iterator.seek_to_first(),
            (false, Order::Descending) => self.iterator.seek_to_last(),
            (true, Order::Ascending) => self.iterator.next(),
            (true, Order::Descending) => self.iterator.prev(),
        }
        match self.iterator.key() {
            Some(key) => full_key::split(&key[self.content.skipped()..]).map(|_| true),
            None => {
                let read = self.iterator.status();
                read.map(|()| false).map_err(|e| broken(&e, "read"))
            }
        }
    }

    fn entry(&self) -> Entry<'_> {
        let full = self.iterator.key().unwrap_or_default();
        let full = full.get(self.content.skipped()..).unwrap_or_default();
        let (place, key) = full_key::split(full).unwrap_or(((TableId(0), 0), &[]));
        let value = self.iterator.value();
        Entry {
            place,
            key,
            value: value.filter(|_| self.content == Content::Values),
        }
    }
}
