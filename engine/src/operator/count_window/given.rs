//! Windows that are full, and the rows that go out for them.

use std::sync::Arc;

use arrow::array::Int64Array;
use arrow::datatypes::SchemaRef;

use super::Shape;
use crate::element::{Batch, rows_of};
use crate::error::Result;
use crate::operator::keyed_rows::Rows;

/// A row of a partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbered {
    /// Its number within the partition, from 1 on.
    pub(super) number: i64,
    /// Where its columns are.
    pub(super) place: u32,
    /// Whether it is among those that are remembered.
    pub(super) linked: bool,
}

/// A partition some of whose windows are full.
pub(super) struct Going {
    pub(super) partition: u32,
    /// In order.
    pub(super) rows: Vec<Numbered>,
    /// The last row of the window that goes out next.
    pub(super) end: i64,
    /// The last row that has come.
    pub(super) last: i64,
}

/// Rows that go out at once.
#[derive(Default)]
pub(super) struct Part {
    places: Vec<u32>,
    /// By row: the first row of its window, and the last.
    starts: Vec<i64>,
    ends: Vec<i64>,
    /// By row: where the last row of its window is.
    last_places: Vec<u32>,
}

impl Part {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Adds the rows of the next window.
    pub(super) fn add(&mut self, going: &Going, shape: Shape) {
        let before = shape.before(going.end);
        let from = going.rows.partition_point(|row| row.number <= before);
        let to = going.rows.partition_point(|row| row.number <= going.end);
        let Some(rows) = going.rows.get(from..to) else {
            return;
        };
        let Some(last) = rows.last() else { return };
        self.places.extend(rows.iter().map(|row| row.place));
        let all = self.places.len();
        self.starts.resize(all, before.saturating_add(1));
        self.ends.resize(all, going.end);
        self.last_places.resize(all, last.place);
    }

    /// The rows with their windows, if there are any.
    pub(super) fn gather(
        self,
        rows: &mut Rows,
        time: Option<usize>,
        output: &SchemaRef,
    ) -> Result<Option<Batch>> {
        let count = self.places.len();
        if count == 0 {
            return Ok(None);
        }
        let mut columns = rows.gather(&self.places)?;
        columns.push(Arc::new(Int64Array::from(self.starts)));
        columns.push(Arc::new(Int64Array::from(self.ends)));
        if let Some(time) = time {
            columns.extend(rows.gather_some(&self.last_places, &[time])?);
        }
        Ok(Some(Batch::inserts(rows_of(output, columns, count)?)))
    }
}
