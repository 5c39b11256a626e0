//! The texts of the queries, and the comparison of what they give.

use crate::case::CELL;
use crate::run::{Answer, same};

/// A query of `tests/tpch`.
#[derive(Debug, Clone)]
pub struct Query {
    /// `q1` to `q22`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Without ORDER BY and LIMIT.
    pub all: String,
    /// What ORDER BY and LIMIT say.
    pub first: Option<First>,
}

/// The first rows in an order. Which of several rows that are equal in it are the last ones is left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    /// The columns in ORDER BY.
    pub columns: Vec<String>,
    /// How many rows.
    pub rows: usize,
}

impl Query {
    /// Reads a query.
    pub fn read(name: &str) -> Self {
        let path = crate::workspace().join(format!("tests/tpch/{name}.sql"));
        let text = std::fs::read_to_string(path).expect("the query is there");
        Self::new(name, &text)
    }

    /// A query with this text.
    pub fn new(name: &str, text: &str) -> Self {
        let text = text.trim().to_string();
        let Some((all, order)) = text.rsplit_once("ORDER BY") else {
            let (name, all) = (name.to_string(), text.clone());
            let first = None;
            return Query {
                name,
                text,
                all,
                first,
            };
        };
        let (columns, rows) = order.rsplit_once("LIMIT").expect("it has a limit");
        let name_of = |column: &str| column.split_whitespace().next().map(str::to_string);
        let first = First {
            columns: columns.split(',').filter_map(name_of).collect(),
            rows: rows.trim().parse().expect("a number"),
        };
        Query {
            name: name.to_string(),
            all: all.trim().to_string(),
            first: Some(first),
            text,
        }
    }

    /// Compares what a stream has come to with all rows of the query without its LIMIT, and with the rows that batch
    /// mode gives for the query itself.
    pub fn compare(&self, streamed: &[String], all: &Answer, batch: &Answer) -> Result<(), String> {
        let Some(first) = &self.first else {
            return same("the rows", &all.rows, streamed);
        };
        let positions: Vec<usize> = first
            .columns
            .iter()
            .map(|name| all.columns.iter().position(|column| column == name))
            .collect::<Option<_>>()
            .ok_or("a column of ORDER BY is not in SELECT")?;
        let places = |rows: &[String]| -> Vec<String> {
            let place = |row: &String| {
                let cells: Vec<&str> = row.split(CELL).collect();
                let cells: Vec<&str> = positions.iter().map(|at| cells[*at]).collect();
                cells.join(CELL)
            };
            let mut places: Vec<String> = rows.iter().map(place).collect();
            places.sort();
            places
        };
        same(
            "the places in order",
            &places(&batch.rows),
            &places(streamed),
        )?;
        let mut left = all.rows.clone();
        for row in streamed {
            match left.iter().position(|other| other == row) {
                Some(at) => drop(left.swap_remove(at)),
                None => return Err(format!("no such row, or not as often: {row}")),
            }
        }
        Ok(())
    }
}
