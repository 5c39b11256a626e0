//! What makes the rows that were passed on those that are now.

use hashbrown::{HashMap, HashSet};

use super::ranks::Ranked;
use crate::element::RowKind;
use crate::graph::{RankFunction, RankSpec};

/// So few rows are looked through.
const FEW: usize = if cfg!(test) { 2 } else { 16 };

/// Changes of what is passed on: of each partition first what goes.
pub(super) struct Changes {
    function: RankFunction,
    number: bool,
    /// Whether a partition has one row, which is another one then.
    one_row: bool,
    update_before: bool,
    rows: Vec<u32>,
    numbers: Vec<i64>,
    kinds: Vec<RowKind>,
}

impl Changes {
    pub(super) fn new(spec: &RankSpec) -> Self {
        Changes {
            function: spec.function,
            number: spec.number,
            one_row: spec.newest_first && spec.from == spec.to,
            update_before: spec.update_before,
            rows: Vec::new(),
            numbers: Vec::new(),
            kinds: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Rows by number, their numbers in their partition, and what happens to them.
    pub(super) fn take(&mut self) -> (Vec<u32>, Vec<i64>, Vec<RowKind>) {
        (
            std::mem::take(&mut self.rows),
            std::mem::take(&mut self.numbers),
            std::mem::take(&mut self.kinds),
        )
    }

    /// Adds those of a partition.
    pub(super) fn add(&mut self, before: &[Ranked], after: &[Ranked]) {
        match (self.number || self.one_row, self.function) {
            (true, RankFunction::RowNumber) => self.add_by_number(before, after),
            (true, _) => self.add_by_row(before, after),
            (false, _) => self.add_rows(before, after),
        }
    }

    fn push(&mut self, (row, number): Ranked, kind: RowKind) {
        self.rows.push(row);
        self.numbers.push(i64::try_from(number).unwrap_or(i64::MAX));
        self.kinds.push(kind);
    }

    fn update(&mut self, before: Ranked, after: Ranked) {
        if self.update_before {
            self.push(before, RowKind::UpdateBefore);
        }
        self.push(after, RowKind::UpdateAfter);
    }

    /// Where each number has one row.
    fn add_by_number(&mut self, before: &[Ranked], after: &[Ranked]) {
        for (before, after) in before.iter().zip(after) {
            if before != after {
                self.update(*before, *after);
            }
        }
        for gone in before.iter().skip(after.len()) {
            self.push(*gone, RowKind::Delete);
        }
        for new in after.iter().skip(before.len()) {
            self.push(*new, RowKind::Insert);
        }
    }

    /// Where rows have numbers.
    fn add_by_row(&mut self, before: &[Ranked], after: &[Ranked]) {
        let now: HashMap<u32, u64> = after.iter().copied().collect();
        let mut old: HashMap<u32, u64> = HashMap::with_capacity(before.len());
        for gone in before.iter().filter(|(row, _)| !now.contains_key(row)) {
            self.push(*gone, RowKind::Delete);
        }
        for (row, number) in before {
            old.insert(*row, *number);
        }
        for (row, number) in after {
            match old.get(row) {
                Some(old) if old == number => {}
                Some(old) => self.update((*row, *old), (*row, *number)),
                None => self.push((*row, *number), RowKind::Insert),
            }
        }
    }

    /// Where nobody asks for numbers.
    fn add_rows(&mut self, before: &[Ranked], after: &[Ranked]) {
        let (old, now) = (Rows::of(before), Rows::of(after));
        for gone in before.iter().filter(|(row, _)| !now.has(*row)) {
            self.push(*gone, RowKind::Delete);
        }
        for new in after.iter().filter(|(row, _)| !old.has(*row)) {
            self.push(*new, RowKind::Insert);
        }
    }
}

/// Which rows there are.
enum Rows<'a> {
    Few(&'a [Ranked]),
    Many(HashSet<u32>),
}

impl<'a> Rows<'a> {
    fn of(rows: &'a [Ranked]) -> Self {
        match rows.len() <= FEW {
            true => Rows::Few(rows),
            false => Rows::Many(rows.iter().map(|(row, _)| *row).collect()),
        }
    }

    fn has(&self, row: u32) -> bool {
        match self {
            Rows::Few(rows) => rows.iter().any(|(other, _)| *other == row),
            Rows::Many(rows) => rows.contains(&row),
        }
    }
}
