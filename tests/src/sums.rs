//! What rows add up to, in whatever order they come: results that are too many to be held are compared by it.
//!
//! A row is a number of 128 bits that follows from its text. A row that comes is added, one that goes is taken away, so
//! that of a changelog that is left which the rows that are left add up to. Of upserts the number that each
//! key has is kept.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures::StreamExt;
use levada_engine::element::{Batch, ChangelogMode, RowKind};
use levada_gateway::{Outcome, Session};

use crate::{case, text};

#[cfg(test)]
mod tests;

/// What is taken of each row.
#[derive(Debug, Clone, Copy)]
pub enum Told {
    /// All of it.
    Whole,
    /// Some of its columns.
    Columns(&'static [usize]),
    /// A column of numbers, of all rows together.
    Total(usize),
}

/// Rows, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many rows there are; none are counted for a total.
    pub rows: i64,
    /// What they add up to.
    pub total: u128,
}

impl Sum {
    fn add(&mut self, number: u128) {
        self.rows += 1;
        self.total = self.total.wrapping_add(number);
    }

    fn take_away(&mut self, number: u128) {
        self.rows -= 1;
        self.total = self.total.wrapping_sub(number);
    }
}

/// What the rows of a query add up to.
///
/// # Errors
/// The query fails, or a total is of what is no number.
pub async fn sum(session: &mut Session, sql: &str, told: Told) -> Result<Sum, String> {
    let mut query = match session.execute(sql).await.map_err(|e| e.render(sql))? {
        Outcome::Query(query) => query,
        other => return Err(format!("not a query: {other:?}")),
    };
    let mut summing = Summing {
        told,
        key: match query.mode {
            ChangelogMode::Upsert => query.key.clone(),
            _ => None,
        },
        by_key: HashMap::new(),
        sum: Sum::default(),
    };
    while let Some(batch) = query.rows.next().await {
        summing.apply(&batch.map_err(|e| e.render(sql))?)?;
    }
    if let Told::Total(_) = told {
        summing.sum.rows = 0;
    }
    Ok(summing.sum)
}

struct Summing {
    told: Told,
    key: Option<Vec<usize>>,
    by_key: HashMap<u128, u128>,
    sum: Sum,
}

impl Summing {
    fn apply(&mut self, batch: &Batch) -> Result<(), String> {
        for (index, cells) in text::rows(batch.rows()).iter().enumerate() {
            let goes = batch.kind(index).is_retraction();
            let number = self.number(cells)?;
            let Some(key) = &self.key else {
                match goes {
                    true => self.sum.take_away(number),
                    false => self.sum.add(number),
                }
                continue;
            };
            let key = number_of(&picked(cells, key));
            let before = match batch.kind(index) {
                RowKind::Delete | RowKind::UpdateBefore => self.by_key.remove(&key),
                RowKind::Insert | RowKind::UpdateAfter => {
                    self.sum.add(number);
                    self.by_key.insert(key, number)
                }
            };
            if let Some(before) = before {
                self.sum.take_away(before);
            }
        }
        Ok(())
    }

    fn number(&self, cells: &[String]) -> Result<u128, String> {
        match self.told {
            Told::Whole => Ok(number_of(&case::join(cells))),
            Told::Columns(columns) => Ok(number_of(&picked(cells, columns))),
            Told::Total(column) => {
                let cell = cells.get(column).map_or("", String::as_str);
                cell.parse().map_err(|e| format!("'{cell}': {e}"))
            }
        }
    }
}

fn picked(cells: &[String], columns: &[usize]) -> String {
    let cells = columns.iter().filter_map(|column| cells.get(*column));
    let cells: Vec<String> = cells.cloned().collect();
    case::join(&cells)
}

/// Always the same for a text; of two texts that differ hardly ever.
fn number_of(text: &str) -> u128 {
    let half = |half: u8| {
        let mut hasher = DefaultHasher::new();
        (half, text).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
