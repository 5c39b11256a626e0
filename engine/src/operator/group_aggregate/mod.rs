//! Aggregates by key for ever and says how the results change.

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;

use super::aggregate::aggregation::{Aggregation, check_signs, signs};
use super::aggregate::changes::{Before, Changes};
use super::aggregate::group_plan;
use super::aggregate::kept::{KeptGroups, Touched};
use super::{Operator, OperatorContext, Output};
use crate::element::{Batch, rows_of};
use crate::error::Result;
use crate::graph::GroupAggregateSpec;
use crate::state::KeyedState;

#[cfg(test)]
mod tests;

/// Keeps every group until it is empty or has not been touched for the time to live.
pub(super) struct GroupAggregate {
    kept: KeptGroups,
    partial_input: bool,
    emit_update_before: bool,
    /// Whether this subtask says so when there was no row at all.
    answers_empty_input: bool,
    output: SchemaRef,
    batch_rows: usize,
}

/// Whether groups expire. The only group of an aggregation without keys is its result and never does.
pub(super) fn expires(spec: &GroupAggregateSpec) -> bool {
    spec.ttl_ms > 0 && !spec.keys.is_empty()
}

impl GroupAggregate {
    pub(super) fn new(
        spec: &GroupAggregateSpec,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let plan = group_plan(spec)?;
        let ttl_ms = if expires(spec) { spec.ttl_ms } else { 0 };
        Ok(GroupAggregate {
            partial_input: spec.partial_input,
            emit_update_before: spec.emit_update_before,
            answers_empty_input: plan.keys.is_empty() && context.index == 0,
            output: output.clone(),
            batch_rows: context.batch_rows.max(1),
            kept: KeptGroups::new(plan, ttl_ms, context)?,
        })
    }

    fn apply(&mut self, batch: &Batch, signs: Option<&[i64]>) -> Result<()> {
        match self.partial_input {
            true => self.kept.merge(batch.rows()),
            false => self.kept.update(batch.rows(), signs),
        }
    }

    fn keys(&self, batch: &Batch) -> Vec<ArrayRef> {
        let plan = &self.kept.plan;
        match self.partial_input {
            true => batch
                .rows()
                .columns()
                .iter()
                .take(plan.keys.len())
                .cloned()
                .collect(),
            false => plan.raw_keys(batch.rows()),
        }
    }

    /// The results of groups before a batch.
    fn before(&self, touched: Touched) -> Result<Before> {
        let aggregation = &self.kept.aggregation;
        Before::of(aggregation, touched, |group| has_result(aggregation, group))
    }

    /// Emits what has changed since; returns the groups that are empty now.
    fn emit(&self, before: Before, output: &mut Output) -> Result<Vec<u32>> {
        let aggregation = &self.kept.aggregation;
        let now = |group| has_result(aggregation, group);
        let Changes {
            columns,
            kinds,
            empty,
            ..
        } = before.compare(aggregation, now, self.emit_update_before)?;
        let rows = rows_of(&self.output, columns, kinds.len())?;
        output.emit_chunks(Batch::with_kinds(rows, kinds)?, self.batch_rows);
        Ok(empty)
    }
}

/// Without keys there is always a result, of no row if need be.
fn has_result(aggregation: &Aggregation, group: u32) -> bool {
    aggregation.plan.keys.is_empty() || aggregation.has_rows(group)
}

impl Operator for GroupAggregate {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let signs = signs(batch.kinds());
        check_signs(&self.kept.plan, signs.as_deref())?;
        let keys = self.keys(&batch);
        let touched = self.kept.intern(&keys, batch.num_rows(), now_ms)?;
        let before = self.before(touched)?;
        self.apply(&batch, signs.as_deref())?;
        self.kept.settle_extremes(before.touched())?;
        self.kept.aggregation.mark(before.touched());
        self.kept.aggregation.stamp(before.touched(), now_ms);
        let empty = self.emit(before, output)?;
        self.kept.remove(&empty)?;
        self.kept.make_room()
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.kept.deadline_ms()
    }

    fn timer(&mut self, now_ms: i64, _output: &mut Output) -> Result<()> {
        self.kept.sweep(now_ms)
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        if !self.answers_empty_input {
            return Ok(());
        }
        let touched = self.kept.intern(&[], 1, 0)?;
        if touched.existed.contains(&true) {
            return Ok(());
        }
        let before = self.before(touched)?;
        self.kept.aggregation.mark(before.touched());
        self.emit(before, output)?;
        Ok(())
    }

    fn take_partial(&mut self, partial: bool) {
        self.partial_input = partial;
    }

    fn memory_bytes(&self) -> usize {
        self.kept.aggregation.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        Ok(Some(self.kept.save()?))
    }
}
