//! The order of the rows of each partition, and which of them are passed on.

use arrow::array::ArrayRef;

use super::list::List;
use super::order::{Order, Place};
use crate::error::Result;
use crate::graph::{RankFunction, RankSpec};
use crate::operator::keyed_rows::Side;

/// A row that is passed on, and its number among those of its partition.
pub(super) type Ranked = (u32, u64);

/// Which rows are passed on.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    function: RankFunction,
    from: u64,
    to: u64,
}

/// The order of rows.
pub(super) struct Ranks {
    wanted: Wanted,
    pub(super) order: Order,
    /// By partition.
    lists: Vec<List>,
    /// By row.
    places: Vec<Place>,
    /// What places take beside themselves, in bytes.
    long_places: usize,
}

impl Ranks {
    pub(super) fn new(spec: &RankSpec) -> Result<Self> {
        Ok(Ranks {
            wanted: Wanted {
                function: spec.function,
                from: spec.from,
                to: spec.to,
            },
            order: Order::new(&spec.order_by, &spec.rows.0)?,
            lists: Vec::new(),
            places: Vec::new(),
            long_places: 0,
        })
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
                self.place(*row, place, side.entry(*row).id);
            }
            rows.sort_unstable_by(|a, b| self.places[*a as usize].cmp(&self.places[*b as usize]));
            self.lists[partition as usize] = List::of(rows);
        }
        Ok(())
    }

    fn place(&mut self, row: u32, mut place: Place, id: u64) {
        place.id = id;
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

    /// Puts a row that comes to its place.
    pub(super) fn insert(&mut self, partition: u32, row: u32, place: Place, id: u64) {
        self.place(row, place, id);
        self.lists[partition as usize].insert(row, &self.places);
    }

    /// Takes a row out; false if it was not there.
    pub(super) fn remove(&mut self, partition: u32, row: u32) -> bool {
        let list = self.lists.get_mut(partition as usize);
        // Of a list that was not asked for yet, rows have no place.
        let list = list.filter(|list| !list.is_empty());
        list.is_some_and(|list| list.remove(row, &self.places))
    }

    /// Whether a row that comes at this place, behind those that tie with it, could be passed on, if rows only ever
    /// come.
    pub(super) fn may_matter(&self, partition: u32, place: &Place) -> bool {
        let Wanted { function, to, .. } = self.wanted;
        let list = &self.lists[partition as usize];
        let before = |row: u32| {
            let other = &self.places[row as usize];
            match function {
                RankFunction::RowNumber => other < place || other.ties(place),
                RankFunction::Rank | RankFunction::DenseRank => other < place && !other.ties(place),
            }
        };
        let count = list.count_while(before);
        let full = count as u64 >= to;
        match function {
            RankFunction::RowNumber | RankFunction::Rank => !full,
            RankFunction::DenseRank => !full || self.distinct(list, count) < to,
        }
    }

    /// How many of the first rows differ in order from the one before.
    fn distinct(&self, list: &List, count: usize) -> u64 {
        let mut before: Option<&Place> = None;
        let places = list
            .iter()
            .take(count)
            .map(|row| &self.places[row as usize]);
        let new = places.filter(|place| {
            let ties = before.is_some_and(|before| before.ties(place));
            before = Some(place);
            !ties
        });
        new.count() as u64
    }

    /// The rows of a partition that are passed on, in order.
    pub(super) fn passed(&self, partition: u32, passed: &mut Vec<Ranked>) {
        passed.clear();
        let from = self.wanted.from;
        let ranked = self.up_to(partition);
        passed.extend(ranked.filter(|(_, number)| *number >= from));
    }

    /// The rows that no number up to the greatest one is left for; they are taken out.
    pub(super) fn cut(&mut self, partition: u32) -> Vec<u32> {
        let count = self.up_to(partition).count();
        self.lists[partition as usize].split_off(count)
    }

    /// The first rows of a partition, up to the greatest number.
    fn up_to(&self, partition: u32) -> impl Iterator<Item = Ranked> + '_ {
        let Wanted { function, to, .. } = self.wanted;
        let mut number = 0;
        let mut before: Option<&Place> = None;
        let rows = (1u64..).zip(self.lists[partition as usize].iter());
        let ranked = rows.map(move |(index, row)| {
            let place = &self.places[row as usize];
            let ties = before.is_some_and(|before| before.ties(place));
            before = Some(place);
            number = match function {
                RankFunction::RowNumber => index,
                RankFunction::Rank | RankFunction::DenseRank if ties => number,
                RankFunction::Rank => index,
                RankFunction::DenseRank => number + 1,
            };
            (row, number)
        });
        ranked.take_while(move |(_, number)| *number <= to)
    }

    /// Roughly the memory in use.
    pub(super) fn size_bytes(&self) -> usize {
        // A place and a number in a list for each row.
        self.places.capacity() * (size_of::<Place>() + 4)
            + self.long_places
            + self.lists.capacity() * size_of::<List>()
    }
}
