//! The history of the tables: each row comes at a random moment; then a tenth of the rows are updated, deleted,
//! and perhaps inserted again. Each change has a number, and all tables have one count.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use levada_engine::element::RowKind;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::rows::Table;

/// The history of all tables.
#[derive(Debug)]
pub struct Changes {
    /// By the names of the tables.
    pub tables: BTreeMap<&'static str, Arc<TableChanges>>,
    /// How many changes there are.
    pub count: u64,
}

/// The history of one table, as columns of equal length: a row for each insert and delete, two for an update.
#[derive(Debug, Default)]
pub struct TableChanges {
    /// The columns of the table, as texts.
    pub columns: Vec<ArrayRef>,
    /// What happens to the row.
    pub kinds: Vec<RowKind>,
    /// The number of the change among those of all tables; those of a table rise.
    pub numbers: Vec<u64>,
    /// A number for each key of the table.
    pub keys: Vec<usize>,
}

impl TableChanges {
    /// Which of the rows are there in front of change `until`.
    pub fn rows_at(&self, until: u64) -> Vec<u32> {
        let mut there: BTreeMap<usize, usize> = BTreeMap::new();
        for row in (0..self.kinds.len()).take_while(|row| self.numbers[*row] < until) {
            match self.kinds[row].is_retraction() {
                true => there.remove(&self.keys[row]),
                false => there.insert(self.keys[row], row),
            };
        }
        let rows = there.into_values();
        rows.map(|row| u32::try_from(row).expect("a small table"))
            .collect()
    }
}

/// Of how many rows one is changed after all have come.
const CHANGED: usize = 10;
/// A table with fewer rows has all of them when half of the rows have come, and again at the end, since a query over no nations
/// has no rows.
const SMALL: usize = 100;

/// What happens to one row, in this order.
struct Life {
    table: usize,
    key: usize,
    events: Vec<Event>,
}

enum Event {
    Comes,
    Changes,
    Goes,
}

impl Changes {
    /// A random history of these tables.
    pub fn random(tables: &[Table], seed: u64) -> Self {
        let mut chance = SmallRng::seed_from_u64(seed);
        let mut order: Vec<(usize, usize)> = Vec::new();
        for (table, of) in tables.iter().enumerate() {
            order.extend((0..of.rows.len()).map(|key| (table, key)));
        }
        order.shuffle(&mut chance);
        small_ones_early(&mut order, tables, &mut chance);
        let mut histories: Vec<History> = tables.iter().map(History::new).collect();
        let mut number = 0;
        let mut next = || {
            number += 1;
            number - 1
        };
        for (table, key) in order {
            histories[table].apply(key, &Event::Comes, next(), &mut chance);
        }
        let mut moments = Vec::new();
        for life in lives(tables, &mut chance) {
            let mut at: Vec<f64> = life.events.iter().map(|_| chance.random()).collect();
            at.sort_by(f64::total_cmp);
            for (at, event) in at.into_iter().zip(life.events) {
                moments.push((at, life.table, life.key, event));
            }
        }
        moments.sort_by(|left, right| left.0.total_cmp(&right.0));
        for (_, table, key, event) in moments {
            histories[table].apply(key, &event, next(), &mut chance);
        }
        let named = tables.iter().zip(histories);
        Changes {
            tables: named
                .map(|(table, history)| (table.name, Arc::new(history.finish())))
                .collect(),
            count: number,
        }
    }
}

/// Puts the rows of small tables into the first half. Else the one row that a query asks for may come last and be changed next,
/// so that the query has no rows at any boundary.
fn small_ones_early(order: &mut [(usize, usize)], tables: &[Table], chance: &mut SmallRng) {
    let small = |table: usize| tables[table].rows.len() < SMALL;
    let half = order.len() / 2;
    let mut places: Vec<usize> = (0..half).filter(|at| !small(order[*at].0)).collect();
    places.shuffle(chance);
    for late in half..order.len() {
        if small(order[late].0)
            && let Some(place) = places.pop()
        {
            order.swap(late, place);
        }
    }
}

/// What happens to the rows that change.
fn lives(tables: &[Table], chance: &mut SmallRng) -> Vec<Life> {
    let mut lives = Vec::new();
    for (table, of) in tables.iter().enumerate() {
        let mut keys: Vec<usize> = (0..of.rows.len()).collect();
        keys.shuffle(chance);
        keys.truncate(of.rows.len().div_ceil(CHANGED));
        for key in keys {
            let mut events = Vec::new();
            let mut there = true;
            for _ in 0..chance.random_range(1..=3) {
                let changes = there && chance.random_bool(0.6);
                events.push(match (there, changes) {
                    (_, true) => Event::Changes,
                    (true, false) => Event::Goes,
                    (false, false) => Event::Comes,
                });
                there = !there || changes;
            }
            if !there && of.rows.len() < SMALL {
                events.push(Event::Comes);
            }
            lives.push(Life { table, key, events });
        }
    }
    lives
}

/// A table while its history is made.
struct History<'a> {
    table: &'a Table,
    /// The row of each key, as it is or was last.
    rows: Vec<Vec<String>>,
    cells: Vec<Vec<String>>,
    changes: TableChanges,
}

impl<'a> History<'a> {
    fn new(table: &'a Table) -> Self {
        let width = table.rows.first().map_or(0, Vec::len);
        History {
            table,
            rows: table.rows.clone(),
            cells: vec![Vec::new(); width],
            changes: TableChanges::default(),
        }
    }

    fn apply(&mut self, key: usize, event: &Event, number: u64, chance: &mut SmallRng) {
        match event {
            Event::Comes => self.add(key, RowKind::Insert, number),
            Event::Goes => self.add(key, RowKind::Delete, number),
            Event::Changes => {
                self.add(key, RowKind::UpdateBefore, number);
                self.vary(key, chance);
                self.add(key, RowKind::UpdateAfter, number);
            }
        }
    }

    fn add(&mut self, key: usize, kind: RowKind, number: u64) {
        for (column, cell) in self.cells.iter_mut().zip(&self.rows[key]) {
            column.push(cell.clone());
        }
        self.changes.kinds.push(kind);
        self.changes.numbers.push(number);
        self.changes.keys.push(key);
    }

    /// Gives a row some of the cells of another.
    fn vary(&mut self, key: usize, chance: &mut SmallRng) {
        let other = &self.table.rows[chance.random_range(0..self.table.rows.len())];
        for (column, cell) in self.rows[key].iter_mut().enumerate() {
            if !self.table.key.contains(&column) && chance.random_bool(0.5) {
                cell.clone_from(&other[column]);
            }
        }
    }

    fn finish(mut self) -> TableChanges {
        let columns = self.cells.into_iter();
        self.changes.columns = columns
            .map(|cells| Arc::new(StringArray::from(cells)) as ArrayRef)
            .collect();
        self.changes
    }
}
