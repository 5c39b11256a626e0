//! Joins rows with versions: each row of the left input meets one version of the row of its key that the right
//! input has, or had at the row's time.
//!
//! ```text
//!   left rows ──▶ wait for their time (`event_time`) ──▶ version of their key (`versions`) ──▶ condition ──▶ output
//!   right rows ──▶ versions by key ────────────────────────▲
//! ```
//!
//! In event time a row waits until the watermark of both inputs has passed it: then no version can come that
//! would count for it. Versions go when a later one counts for all rows that are still to come. In
//! processing time (`processing_time`) a row meets the version that is there, and nothing else is kept.
//! Rows of the left input are never taken back, so nothing is in the output either.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, UInt32Array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::take_arrays;
use arrow::datatypes::{Schema, SchemaRef};

use super::aggregate::persist::key_groups;
use super::keyed_rows::{Arrival, Kept, NONE, Side};
use super::{Operator, OperatorContext, Output, check_width};
use crate::element::{Batch, RowKind, rows_of};
use crate::error::{EngineError, Result};
use crate::expression::Evaluator;
use crate::graph::TemporalJoinSpec;
use crate::metrics::SubtaskMetrics;
use event_time::EventTimeJoin;
use processing_time::ProcessingTimeJoin;

mod event_time;
mod processing_time;
#[cfg(test)]
mod tests;
mod versions;

/// The inputs.
const LEFT: usize = 0;
const RIGHT: usize = 1;
/// So many rows of output are gathered and leave at a time,
const OUTPUT_ROWS: usize = if cfg!(test) { 7 } else { 1 << 14 };
/// or as many as make about so many bytes.
const OUTPUT_BYTES: usize = 16 << 20;

/// The operator that `spec` describes.
pub(super) fn create(
    spec: &TemporalJoinSpec,
    output: &SchemaRef,
    context: OperatorContext,
) -> Result<Box<dyn Operator>> {
    let table = VersionedTable::new(spec, output, context)?;
    Ok(match spec.as_of {
        Some(as_of) => Box::new(EventTimeJoin::new(table, as_of)?),
        None => Box::new(ProcessingTimeJoin::new(table)),
    })
}

/// What both kinds of time have in common: what is kept, and how rows and versions come out.
struct VersionedTable {
    spec: TemporalJoinSpec,
    /// Of the left input what waits, of the right one the versions. The number of partners of a version is 1 if
    /// there is a row, and 0 if it ends here.
    kept: Kept,
    condition: Option<Evaluator>,
    /// The columns of both inputs, all of which may be NULL.
    pair: SchemaRef,
    output: SchemaRef,
    batch_rows: usize,
    metrics: Arc<SubtaskMetrics>,
    /// Scratch: the key of each row of a batch.
    numbers: Vec<u32>,
}

/// What a row of the right input says about its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It is the version from here on.
    Begins,
    /// There is none from here on.
    Ends,
    /// What it says comes with another row too.
    Nothing,
}

impl VersionedTable {
    fn new(spec: &TemporalJoinSpec, output: &SchemaRef, context: OperatorContext) -> Result<Self> {
        let fields = spec.left.rows.0.fields().iter();
        let fields = fields.chain(spec.right.rows.0.fields());
        let fields = fields.map(|field| field.as_ref().clone().with_nullable(true));
        let pair: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        check_width("a temporal join", pair.fields().len(), output)?;
        if spec.left.updating || spec.as_of.is_some() && spec.ttl_ms > 0 {
            return Err(EngineError::internal(
                "a temporal join of rows that are taken back or have a time to live",
            ));
        }
        let condition = spec.condition.as_ref();
        let condition = condition.map(|c| Evaluator::new(c, &pair, &context.functions));
        let side = |schema: &SchemaRef, keys: &[usize]| -> Result<Side> {
            let side = Side::new(schema, keys, false, false)?;
            Ok(match spec.as_of {
                Some(_) => side.by_time(),
                None => side,
            })
        };
        // Where versions end, columns may be NULL that are not declared so.
        let of_right = spec.right.rows.0.fields().iter();
        let of_right = of_right.map(|field| field.as_ref().clone().with_nullable(true));
        let of_right: SchemaRef = Arc::new(Schema::new(of_right.collect::<Vec<_>>()));
        let sides = vec![
            side(&spec.left.rows.0, &spec.left.keys)?,
            side(&of_right, &spec.right.keys)?,
        ];
        Ok(VersionedTable {
            condition: condition.transpose()?,
            pair,
            output: output.clone(),
            batch_rows: context.batch_rows.max(1),
            metrics: context.metrics.clone(),
            kept: Kept::new(sides, spec.ttl_ms, context)?,
            spec: spec.clone(),
            numbers: Vec::new(),
        })
    }

    fn keys(&self, input: usize) -> &[usize] {
        match input {
            LEFT => &self.spec.left.keys,
            _ => &self.spec.right.keys,
        }
    }

    /// Where the keys of a batch are NULL, so that they equal nothing.
    fn null_keys(&self, input: usize, batch: &Batch) -> Option<NullBuffer> {
        let columns = self.keys(input).iter().map(|key| batch.column(*key));
        let nulls = columns.fold(None, |nulls: Option<NullBuffer>, column| {
            NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref())
        });
        nulls.filter(|nulls| nulls.null_count() > 0)
    }

    /// Takes off the rows of the left input where `missing` is NULL: there is no version for them.
    fn without(
        &self,
        missing: Option<NullBuffer>,
        batch: Batch,
        output: &mut Output,
    ) -> Result<Batch> {
        let Some(missing) = missing.filter(|nulls| nulls.null_count() > 0) else {
            return Ok(batch);
        };
        let rows = |valid: bool| {
            let rows = (0..batch.num_rows()).filter(|row| missing.is_valid(*row) == valid);
            UInt32Array::from_iter_values(rows.map(|row| row as u32))
        };
        if self.spec.outer {
            let alone = rows(false);
            let mut columns = take_arrays(batch.rows().columns(), &alone, None)?;
            let fields = self.spec.right.rows.0.fields().iter();
            columns.extend(fields.map(|field| new_null_array(field.data_type(), alone.len())));
            self.emit(columns, alone.len(), output)?;
        }
        batch.take(&rows(true))
    }

    fn emit(&self, columns: Vec<ArrayRef>, rows: usize, output: &mut Output) -> Result<()> {
        let rows = rows_of(&self.output, columns, rows)?;
        output.emit_chunks(Batch::inserts(rows), self.batch_rows);
        Ok(())
    }

    /// What the rows of the right input say.
    fn changes(&self, batch: &Batch) -> Result<Vec<Change>> {
        let nulls = self.null_keys(RIGHT, batch);
        let exists = self.spec.exists.map(|column| {
            let column = batch.column(column).as_boolean_opt();
            column.ok_or_else(|| EngineError::internal("whether a version exists is no boolean"))
        });
        let exists = exists.transpose()?;
        let change = |row: usize| match batch.kind(row) {
            _ if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) => Change::Nothing,
            RowKind::UpdateBefore => Change::Nothing,
            RowKind::Delete => Change::Ends,
            RowKind::Insert | RowKind::UpdateAfter => match exists {
                Some(exists) if exists.is_null(row) || !exists.value(row) => Change::Ends,
                _ => Change::Begins,
            },
        };
        Ok((0..batch.num_rows()).map(change).collect())
    }

    /// Keeps some rows of a batch, whose keys were numbered: each with its stamp, and whether there is a row.
    fn keep(
        &mut self,
        input: usize,
        batch: &Batch,
        rows: &[u32],
        of_row: impl Fn(u32) -> (i64, bool),
    ) -> Result<()> {
        let keys = self.keys(input).iter();
        let keys: Vec<ArrayRef> = keys.map(|key| batch.column(*key).clone()).collect();
        let groups = key_groups(&keys, batch.num_rows(), self.kept.keys.max_parallelism)?;
        let side = &mut self.kept.sides[input];
        let places = side.add(batch.rows(), rows, &[])?;
        for (row, place) in rows.iter().zip(places) {
            let (stamp, exists) = of_row(*row);
            let arrival = Arrival {
                key: self.numbers[*row as usize],
                degree: u32::from(exists),
                id: self.kept.ids.next(groups[*row as usize])?,
                stamp,
            };
            side.link(place, arrival);
            side.touch(place, arrival.degree, stamp);
        }
        Ok(())
    }

    /// Numbers the keys of a batch.
    fn intern(&mut self, input: usize, batch: &Batch) -> Result<()> {
        let mut numbers = std::mem::take(&mut self.numbers);
        let interned = self.kept.intern(input, batch, &mut numbers);
        self.numbers = numbers;
        interned
    }

    /// Gives rows of the left input with their versions, which are [`NONE`] where there are none.
    fn give(
        &mut self,
        left: &[ArrayRef],
        mut versions: Vec<u32>,
        output: &mut Output,
    ) -> Result<()> {
        self.fulfil(left, &mut versions)?;
        let mut columns = left.to_vec();
        if !self.spec.outer && versions.contains(&NONE) {
            let found = places_of_some(&versions);
            columns = take_arrays(left, &found, None)?;
            versions.retain(|version| *version != NONE);
        }
        columns.extend(self.kept.sides[RIGHT].rows.gather(&versions)?);
        self.emit(columns, versions.len(), output)
    }

    /// Takes away the versions that do not fulfil the condition with their rows.
    fn fulfil(&mut self, left: &[ArrayRef], versions: &mut [u32]) -> Result<()> {
        let Some(condition) = &self.condition else {
            return Ok(());
        };
        let places = places_of_some(versions);
        let found: Vec<u32> = versions.iter().copied().filter(|v| *v != NONE).collect();
        let mut columns = take_arrays(left, &places, None)?;
        columns.extend(self.kept.sides[RIGHT].rows.gather(&found)?);
        let rows = rows_of(&self.pair, columns, found.len())?;
        let passing = condition.evaluate_filter(&rows)?;
        for (place, passes) in places.values().iter().zip(passing.iter()) {
            if passes != Some(true) {
                versions[*place as usize] = NONE;
            }
        }
        Ok(())
    }
}

/// Where there is a version.
fn places_of_some(versions: &[u32]) -> UInt32Array {
    let places = (0..).zip(versions).filter(|(_, version)| **version != NONE);
    UInt32Array::from_iter_values(places.map(|(place, _)| place))
}
