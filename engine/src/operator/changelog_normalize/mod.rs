//! Turns a stream of upserts into a changelog: keeps the last row of each key, and says how it changes.
//!
//! A row that is an insert or an update-after is its key's row from then on, one that is a delete ends it,
//! whatever was there before; of a delete only the key counts. What comes out is a valid changelog: an
//! insert for a key that had no row, an update for a row that is another than before, a delete with the
//! whole row, and nothing where nothing changes. Of rows of one key within a batch the last decides.
//!
//! Rows are kept as groups of an aggregation with the last value of each column, so they are in memory
//! or on disk, expire and are restored as those of a group aggregation.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;

use super::aggregate::changes::{Before, Changes};
use super::aggregate::kept::{KeptGroups, Touched};
use super::aggregate::layout::{Continuity, StoredCall, sql_type};
use super::aggregate::{Plan, normalize_plan};
use super::{Operator, OperatorContext, Output};
use crate::element::{Batch, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::ChangelogNormalizeSpec;
use crate::state::KeyedState;

#[cfg(test)]
mod tests;

/// In the place of a row.
const GONE: u32 = u32::MAX;

/// Keeps the last row of every key until it is deleted or has not come for the time to live.
pub(super) struct ChangelogNormalize {
    kept: KeptGroups,
    emit_update_before: bool,
    output: SchemaRef,
    /// For each column of the output, its place behind the keys and among the others.
    places: Vec<usize>,
    batch_rows: usize,
    /// Scratch: the last row of each touched group; [`GONE`] if it takes the group's row away.
    last_rows: Vec<u32>,
}

/// What the rows of a batch do to the touched groups.
#[derive(Default)]
struct Puts {
    /// The last row of each group that has one now.
    rows: Vec<u32>,
    /// The groups of these.
    groups: Vec<u32>,
}

impl ChangelogNormalize {
    pub(super) fn new(
        spec: &ChangelogNormalizeSpec,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let plan = normalize_plan(spec)?;
        Ok(ChangelogNormalize {
            emit_update_before: spec.emit_update_before,
            output: output.clone(),
            places: places(&plan, output.fields().len())?,
            batch_rows: context.batch_rows.max(1),
            kept: KeptGroups::new(plan, spec.ttl_ms, context)?,
            last_rows: Vec::new(),
        })
    }

    /// The last row of each touched group, unless it takes the group's row away.
    fn puts(&mut self, batch: &Batch, touched: &Touched) -> Puts {
        let groups = self.kept.aggregation.groups.capacity();
        self.last_rows.resize(groups, 0);
        for (row, group) in (0..).zip(self.kept.of_rows()) {
            self.last_rows[*group as usize] = row;
        }
        let mut puts = Puts::default();
        for group in &touched.groups {
            let row = &mut self.last_rows[*group as usize];
            if batch.kind(*row as usize).is_retraction() {
                *row = GONE;
            } else {
                puts.rows.push(*row);
                puts.groups.push(*group);
            }
        }
        puts
    }

    /// Emits what has changed since; returns the groups whose row is gone, and those that have another.
    fn emit(&self, before: Before, output: &mut Output) -> Result<(Vec<u32>, Vec<u32>)> {
        let now = |group: u32| self.last_rows[group as usize] != GONE;
        let aggregation = &self.kept.aggregation;
        let Changes {
            columns,
            kinds,
            empty,
            changed,
        } = before.compare(aggregation, now, self.emit_update_before)?;
        let columns: Vec<ArrayRef> = self.places.iter().map(|p| columns[*p].clone()).collect();
        let rows = rows_of(&self.output, columns, kinds.len())?;
        output.emit_chunks(Batch::with_kinds(rows, kinds)?, self.batch_rows);
        Ok((empty, changed))
    }
}

/// Where each column of the rows is when keys come first.
fn places(plan: &Plan, width: usize) -> Result<Vec<usize>> {
    let columns = plan.calls.iter().map(|call| call.call.argument);
    let order: Vec<Option<usize>> = plan.keys.iter().copied().map(Some).chain(columns).collect();
    let place = |column| order.iter().position(|c| *c == Some(column));
    let places: Option<Vec<usize>> = (0..width).map(place).collect();
    places.ok_or_else(|| EngineError::internal("a kept row lacks a column"))
}

/// State whose rows lack a column, or have it of another type, is of no use: nothing says what the column
/// was.
pub(super) fn whole_rows(mut found: Continuity) -> Continuity {
    if !found.new.is_empty() {
        let columns = found.new.join(", ");
        found
            .unusable
            .push(format!("the rows that it kept lack {columns}"));
    }
    let [.., last, own] = found.layouts.as_slice() else {
        return found;
    };
    for column in &own.calls {
        let same = |c: &&StoredCall| c.identity == column.identity && c.slot != column.slot;
        if let Some(was) = last.calls.iter().find(same) {
            let (from, to) = (sql_type(&was.argument.0), sql_type(&column.argument.0));
            let name = &column.name;
            found
                .unusable
                .push(format!("its column {name} was of {from} and is of {to}"));
        }
    }
    found
}

impl Operator for ChangelogNormalize {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let keys = self.kept.plan.raw_keys(batch.rows());
        let touched = self.kept.intern(&keys, batch.num_rows(), now_ms)?;
        let puts = self.puts(&batch, &touched);
        let aggregation = &mut self.kept.aggregation;
        let before = Before::of(aggregation, touched, |_| true)?;
        if !puts.rows.is_empty() {
            let rows = take_record_batch(batch.rows(), &UInt32Array::from(puts.rows))?;
            aggregation.update(&rows, &puts.groups, None)?;
        }
        aggregation.stamp(before.touched(), now_ms);
        let touched = before.touched().to_vec();
        let (gone, changed) = self.emit(before, output)?;
        // With a time to live, when a row came is part of what is kept.
        let dirty = if self.kept.expire() { touched } else { changed };
        self.kept.aggregation.mark(&dirty);
        self.kept.remove(&gone)?;
        self.kept.make_room()
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.kept.deadline_ms()
    }

    fn timer(&mut self, now_ms: i64, _output: &mut Output) -> Result<()> {
        self.kept.sweep(now_ms)
    }

    fn memory_bytes(&self) -> usize {
        self.kept.aggregation.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        Ok(Some(self.kept.save()?))
    }
}
