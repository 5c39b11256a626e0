//! Rows whose answer is there leave, some at a time.

use arrow::array::{Array as _, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::take_arrays;
use arrow::datatypes::SchemaRef;

use super::NO_KEY;
use crate::element::{Batch, rows_of};
use crate::error::Result;
use crate::expression::Evaluator;

/// So many pairs are made at a time, and more only of one row.
const PAIRS: usize = if cfg!(test) { 3 } else { 1 << 14 };

/// Which pairs come out.
pub(super) struct Matching {
    pub outer: bool,
    /// Over the columns of both.
    pub condition: Option<Evaluator>,
    /// The columns of both, all of which may be NULL.
    pub pair: SchemaRef,
    pub output: SchemaRef,
    pub batch_rows: usize,
}

/// Rows with their answer.
pub(super) struct Giving {
    batch: Batch,
    key_of: Vec<u32>,
    /// The rows of the table.
    found: RecordBatch,
    /// Their numbers, in the order of their keys,
    order: Vec<u32>,
    /// in which those of a key begin here.
    begins: Vec<u32>,
    /// The first row that has not left.
    next: usize,
    /// Pairs that have been made and not left.
    ready: Option<Batch>,
    /// How far the rows of `ready` go.
    up_to: usize,
}

impl Giving {
    /// `of` has the key of each row that was found.
    pub(super) fn new(
        batch: Batch,
        key_of: Vec<u32>,
        keys: u32,
        found: RecordBatch,
        of: &[u32],
    ) -> Self {
        let mut begins = vec![0u32; keys as usize + 1];
        for key in of {
            if let Some(count) = begins.get_mut(*key as usize + 1) {
                *count += 1;
            }
        }
        for key in 1..begins.len() {
            begins[key] += begins[key - 1];
        }
        let mut order: Vec<u32> = (0..of.len() as u32).collect();
        order.sort_by_key(|row| of[*row as usize]);
        Giving {
            batch,
            key_of,
            found,
            order,
            begins,
            next: 0,
            ready: None,
            up_to: 0,
        }
    }

    /// The rows of the input that have not left.
    pub(super) fn rest(&self) -> Option<Batch> {
        let rows = self.batch.num_rows();
        (self.next < rows).then(|| self.batch.slice(self.next, rows - self.next))
    }

    /// The next rows that come out; `None` at the end.
    pub(super) fn next(&mut self, matching: &Matching) -> Result<Option<Batch>> {
        loop {
            if let Some(ready) = self.ready.take() {
                self.next = self.up_to;
                return Ok(Some(ready));
            }
            if self.next >= self.batch.num_rows() {
                return Ok(None);
            }
            self.up_to = self.next;
            let rows = self.pairs(matching)?;
            match rows.num_rows() {
                0 => self.next = self.up_to,
                _ => self.ready = Some(Batch::inserts(rows)),
            }
        }
    }

    /// The rows of the table for a row of the input.
    fn partners(&self, row: usize) -> &[u32] {
        let key = self.key_of.get(row).copied().unwrap_or(NO_KEY) as usize;
        match (self.begins.get(key), self.begins.get(key.wrapping_add(1))) {
            (Some(from), Some(to)) => self.order.get(*from as usize..*to as usize),
            _ => None,
        }
        .unwrap_or_default()
    }

    /// What comes out of some rows, up to `up_to`.
    fn pairs(&mut self, matching: &Matching) -> Result<RecordBatch> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let from = self.up_to;
        while self.up_to < self.batch.num_rows() && left.len() < PAIRS.min(matching.batch_rows) {
            let partners = self.partners(self.up_to);
            left.extend(partners.iter().map(|_| self.up_to as u32));
            right.extend_from_slice(partners);
            // Rows without any count as well, or there would be no end.
            self.up_to += 1;
            if self.up_to - from >= PAIRS {
                break;
            }
        }
        let passing = self.passing(matching, &left, &right)?;
        let (mut rows, mut partners) = (Vec::new(), Vec::new());
        let mut pair = 0;
        for row in from as u32..self.up_to as u32 {
            let before = rows.len();
            while left.get(pair) == Some(&row) {
                if passing
                    .as_ref()
                    .is_none_or(|p| p.is_valid(pair) && p.value(pair))
                {
                    rows.push(row);
                    partners.push(Some(right[pair]));
                }
                pair += 1;
            }
            if matching.outer && rows.len() == before {
                rows.push(row);
                partners.push(None);
            }
        }
        let count = rows.len();
        let mut columns = take_arrays(self.batch.rows().columns(), &UInt32Array::from(rows), None)?;
        let partners = UInt32Array::from(partners);
        columns.extend(take_arrays(self.found.columns(), &partners, None)?);
        rows_of(&matching.output, columns, count)
    }

    /// Which pairs fulfil the condition; `None` is all.
    fn passing(
        &self,
        matching: &Matching,
        left: &[u32],
        right: &[u32],
    ) -> Result<Option<BooleanArray>> {
        let Some(condition) = matching.condition.as_ref().filter(|_| !left.is_empty()) else {
            return Ok(None);
        };
        let places = UInt32Array::from(left.to_vec());
        let mut columns = take_arrays(self.batch.rows().columns(), &places, None)?;
        let places = UInt32Array::from(right.to_vec());
        columns.extend(take_arrays(self.found.columns(), &places, None)?);
        let pairs = rows_of(&matching.pair, columns, left.len())?;
        Ok(Some(condition.evaluate_filter(&pairs)?))
    }
}
