//! The rows of partitions in order: by some columns, and where these say the same by when they came.
//!
//! The columns of the rows are kept elsewhere (`keyed_rows`); here are their numbers. Nothing of it is in keyed
//! state: the rows of a partition are put in order when they are first asked for.

mod list;
mod order;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;

use super::keyed_rows::Side;
use crate::error::Result;
use crate::graph::OrderColumn;

pub(super) use list::List;
pub(super) use order::{Order, Place};

/// The order of rows.
pub(super) struct OrderedRows {
    order: Order,
    /// Whether of rows that tie the last to come is the first in order.
    newest_first: bool,
    /// By partition.
    lists: Vec<List>,
    /// By row.
    places: Vec<Place>,
    /// What places take beside themselves, in bytes.
    long_places: usize,
}

impl OrderedRows {
    pub(super) fn new(columns: &[OrderColumn], schema: &SchemaRef) -> Result<Self> {
        Ok(OrderedRows {
            order: Order::new(columns, schema)?,
            newest_first: false,
            lists: Vec::new(),
            places: Vec::new(),
            long_places: 0,
        })
    }

    /// With the last to come of rows that tie as the first in order.
    pub(super) fn newest_first(self, newest_first: bool) -> Self {
        OrderedRows {
            newest_first,
            ..self
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.lists = Vec::new();
        self.places = Vec::new();
        self.long_places = 0;
    }

    /// Makes room for partitions below `count`.
    pub(super) fn resize(&mut self, count: usize) {
        let count = count.max(self.lists.len());
        self.lists.resize_with(count, List::default);
    }

    /// Puts the rows of partitions in order that are there already; of others nothing was known.
    pub(super) fn take_up(&mut self, partitions: &[u32], side: &mut Side) -> Result<()> {
        let unknown = partitions.iter().copied();
        let unknown = unknown.filter(|p| self.lists[*p as usize].is_empty() && side.has(*p));
        let mut unknown: Vec<u32> = unknown.collect();
        unknown.sort_unstable();
        unknown.dedup();
        for partition in unknown {
            let mut rows: Vec<u32> = side.of_key(partition).collect();
            let columns = side.rows.gather_some(&rows, &self.order.columns)?;
            let places = self.order.places(&columns, rows.len())?;
            for (row, place) in rows.iter().zip(places) {
                self.set_place(*row, place, side.entry(*row).id);
            }
            rows.sort_unstable_by(|a, b| self.places[*a as usize].cmp(&self.places[*b as usize]));
            self.lists[partition as usize] = List::of(rows);
        }
        Ok(())
    }

    fn set_place(&mut self, row: u32, mut place: Place, id: u64) {
        // The state knows rows by the ids that they came with, whichever way they are put in order.
        place.id = if self.newest_first { !id } else { id };
        if self.places.len() <= row as usize {
            self.places.resize(row as usize + 1, Place::default());
        }
        self.long_places += place.heap_bytes();
        let before = std::mem::replace(&mut self.places[row as usize], place);
        self.long_places -= before.heap_bytes();
    }

    /// The places of rows, of which these are all columns.
    pub(super) fn places_of(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<Place>> {
        let own = self.order.columns.iter().filter_map(|c| columns.get(*c));
        let own: Vec<ArrayRef> = own.cloned().collect();
        self.order.places(&own, rows)
    }

    /// The rows of a partition.
    pub(super) fn list(&self, partition: u32) -> &List {
        &self.lists[partition as usize]
    }

    /// Where a row stands.
    pub(super) fn place(&self, row: u32) -> &Place {
        &self.places[row as usize]
    }

    /// Puts a row that comes to its place.
    pub(super) fn insert(&mut self, partition: u32, row: u32, place: Place, id: u64) {
        self.set_place(row, place, id);
        self.lists[partition as usize].insert(row, &self.places);
    }

    /// Takes a row out; false if it was not there.
    pub(super) fn remove(&mut self, partition: u32, row: u32) -> bool {
        let list = self.lists.get_mut(partition as usize);
        // Of a list that was not asked for yet, rows have no place.
        let list = list.filter(|list| !list.is_empty());
        list.is_some_and(|list| list.remove(row, &self.places))
    }

    /// Takes out all rows of a partition behind the first `count`.
    pub(super) fn split_off(&mut self, partition: u32, count: usize) -> Vec<u32> {
        self.lists[partition as usize].split_off(count)
    }

    /// Roughly the memory in use.
    pub(super) fn size_bytes(&self) -> usize {
        // A place and a number in a list for each row.
        self.places.capacity() * (size_of::<Place>() + 4)
            + self.long_places
            + self.lists.capacity() * size_of::<List>()
    }
}
