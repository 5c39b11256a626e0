//! Rows that are in order already: partition by partition, and in order within each.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::execution::TaskContext;

use super::RELEASE_ROWS;
use super::matcher::{Matcher, Work};
use super::partition::{Partition, Row};
use crate::element::Batch;
use crate::error::Result;
use crate::graph::PatternSpec;
use crate::key::canonical_floats;
use crate::operator::keyed_rows::Rows;
use crate::operator::window::times_ms;

/// Finds matches among rows that are in order. One partition is in memory at a time, as far as its rows may match.
pub struct Bounded {
    spec: PatternSpec,
    matcher: Matcher,
    converter: RowConverter,
    rows: Rows,
    partition: Partition,
    /// The partition's columns.
    key: Option<OwnedRow>,
    next_id: u64,
}

impl Bounded {
    /// A matcher that gives rows of the schema `output`.
    ///
    /// # Errors
    /// A condition cannot be read.
    pub fn new(spec: &PatternSpec, output: &SchemaRef, functions: &TaskContext) -> Result<Self> {
        let fields = spec.partition_by.iter().map(|column| {
            let field = spec.rows.0.field(*column);
            SortField::new(field.data_type().clone())
        });
        Ok(Bounded {
            matcher: Matcher::new(spec, output, functions)?,
            converter: RowConverter::new(fields.collect())?,
            rows: Rows::new(spec.rows.0.clone()),
            partition: Partition::default(),
            key: None,
            next_id: 0,
            spec: spec.clone(),
        })
    }

    /// Takes rows, all with a time, and gives matches.
    ///
    /// # Errors
    /// A condition or measure cannot be computed.
    pub fn process(&mut self, rows: &RecordBatch, give: &mut dyn FnMut(RecordBatch)) -> Result<()> {
        let keys = self.spec.partition_by.iter();
        let keys: Vec<ArrayRef> = keys
            .map(|key| canonical_floats(rows.column(*key)))
            .collect();
        if keys.is_empty() {
            return self.in_parts(rows, 0..rows.num_rows(), give);
        }
        let keys = self.converter.convert_columns(&keys)?;
        let mut start = 0;
        for row in 0..rows.num_rows() {
            let own = self
                .key
                .as_ref()
                .is_some_and(|key| key.row() == keys.row(row));
            if own {
                continue;
            }
            self.in_parts(rows, start..row, give)?;
            self.finish(give)?;
            self.key = Some(keys.row(row).owned());
            start = row;
        }
        self.in_parts(rows, start..rows.num_rows(), give)
    }

    /// Rows of one partition, not too many at a time.
    fn in_parts(
        &mut self,
        rows: &RecordBatch,
        range: std::ops::Range<usize>,
        give: &mut dyn FnMut(RecordBatch),
    ) -> Result<()> {
        for start in range.clone().step_by(RELEASE_ROWS) {
            let count = RELEASE_ROWS.min(range.end - start);
            self.enter(&rows.slice(start, count))?;
            self.advance(i64::MIN, give)?;
        }
        Ok(())
    }

    fn enter(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut numbers = Vec::new();
        self.rows.add(batch.clone(), &mut numbers)?;
        let times = match self.spec.order_by.first() {
            Some(order) => times_ms(batch.column(order.column))?.0.to_vec(),
            None => vec![0; batch.num_rows()],
        };
        let values = self.matcher.conditions.numbers(batch)?;
        for ((number, time), numbers) in numbers.iter().zip(times).zip(values) {
            self.next_id += 1;
            self.partition.push(Row {
                number: *number,
                id: self.next_id,
                time,
                truth: 0,
                numbers,
                linked: false,
            });
        }
        Ok(())
    }

    fn advance(&mut self, until: i64, give: &mut dyn FnMut(RecordBatch)) -> Result<()> {
        let mut gone = Vec::new();
        let mut output = |batch: Batch| give(batch.into_parts().0);
        let partitions = std::slice::from_mut(&mut self.partition);
        let mut work = Work::new(partitions, &mut self.rows, &mut output, &mut gone, until);
        self.matcher.advance(&[0], &mut work)?;
        gone.into_iter()
            .try_for_each(|(row, _)| self.rows.remove(row))
    }

    /// The rows of the partition are over.
    ///
    /// # Errors
    /// See [`Bounded::process`].
    pub fn finish(&mut self, give: &mut dyn FnMut(RecordBatch)) -> Result<()> {
        self.advance(i64::MAX, give)?;
        let left: Vec<u32> = self.partition.rows().iter().map(|row| row.number).collect();
        left.into_iter().try_for_each(|row| self.rows.remove(row))?;
        self.partition = Partition::default();
        Ok(())
    }
}
