//! Which rows of each partition are passed on.

use crate::error::Result;
use crate::graph::{RankFunction, RankSpec};
use crate::operator::ordered_rows::{List, OrderedRows, Place};

/// A row that is passed on, and its number among those of its partition.
pub(super) type Ranked = (u32, u64);

/// Which rows are passed on.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    function: RankFunction,
    from: u64,
    to: u64,
}

/// The numbers of rows.
pub(super) struct Ranks {
    wanted: Wanted,
    newest_first: bool,
    pub(super) rows: OrderedRows,
}

impl Ranks {
    pub(super) fn new(spec: &RankSpec) -> Result<Self> {
        Ok(Ranks {
            wanted: Wanted {
                function: spec.function,
                from: spec.from,
                to: spec.to,
            },
            newest_first: spec.newest_first,
            rows: OrderedRows::new(&spec.order_by, &spec.rows.0)?.newest_first(spec.newest_first),
        })
    }

    /// Whether a row that comes at this place, behind or in front of those that tie with it, could be passed on, if rows only ever
    /// come.
    pub(super) fn may_matter(&self, partition: u32, place: &Place) -> bool {
        let Wanted { function, to, .. } = self.wanted;
        let list = self.rows.list(partition);
        let before = |row: u32| {
            let other = self.rows.place(row);
            match function {
                RankFunction::RowNumber if !self.newest_first => other < place || other.ties(place),
                _ => other < place && !other.ties(place),
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
        let places = list.iter().take(count).map(|row| self.rows.place(row));
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
        self.rows.split_off(partition, count)
    }

    /// The first rows of a partition, up to the greatest number.
    fn up_to(&self, partition: u32) -> impl Iterator<Item = Ranked> + '_ {
        let Wanted { function, to, .. } = self.wanted;
        let mut number = 0;
        let mut before: Option<&Place> = None;
        let rows = (1u64..).zip(self.rows.list(partition).iter());
        let ranked = rows.map(move |(index, row)| {
            let place = self.rows.place(row);
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
}
