//! Aggregates by key for ever and says how the results change.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::aggregate::aggregation::{Aggregation, check_signs, signs};
use super::aggregate::persist::{Place, load_all};
use super::aggregate::{Plan, group_plan};
use super::{Operator, OperatorContext, Output};
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::GroupAggregateSpec;
use crate::state::KeyedState;
use overflow::Overflow;

mod changes;
mod overflow;

#[cfg(test)]
mod tests;

/// Keeps every group until it is empty or has not been touched for the time to live.
pub(super) struct GroupAggregate {
    plan: Arc<Plan>,
    aggregation: Aggregation,
    place: Place,
    state: Box<dyn KeyedState>,
    partial_input: bool,
    emit_update_before: bool,
    /// 0 keeps groups for ever.
    ttl_ms: i64,
    /// When expired groups are looked for next; only with a time to live.
    next_sweep_ms: Option<i64>,
    /// Whether this subtask says so when there was no row at all.
    answers_empty_input: bool,
    output: SchemaRef,
    batch_rows: usize,
    /// What goes to disk when memory is short; `None` keeps everything in memory.
    overflow: Option<Overflow>,
    /// Scratch: the group of each row.
    groups: Vec<u32>,
    /// Scratch: twice the number of the last batch that touched a group, plus one while that
    /// batch has created it.
    touched_by: Vec<u64>,
    batches: u64,
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
        let expires = expires(spec);
        let plan = plan.continuing(&context.layouts, expires, context.now_ms)?;
        let plan = Arc::new(plan);
        let mut state = context
            .state
            .ok_or_else(|| EngineError::internal("a group aggregation got no state"))?;
        let mut aggregation = Aggregation::new(plan.clone())?;
        let ttl_ms = i64::try_from(spec.ttl_ms).unwrap_or(i64::MAX);
        plan.stored.forget_gone(&plan, state.as_mut())?;
        if expires {
            aggregation.expire_groups();
        }
        let overflow = Overflow::new(state.as_ref(), context.memory);
        if overflow.is_none() {
            load_all(&mut aggregation, state.as_ref())?;
        }
        state.loaded();
        Ok(GroupAggregate {
            place: Place {
                prefix: Vec::new(),
                hashed_keys: plan.keys.len(),
                max_parallelism: context.max_parallelism,
            },
            state,
            partial_input: spec.partial_input,
            emit_update_before: spec.emit_update_before,
            ttl_ms: if expires { ttl_ms } else { 0 },
            next_sweep_ms: expires.then(|| context.now_ms.saturating_add(ttl_ms)),
            answers_empty_input: plan.keys.is_empty() && context.index == 0,
            plan,
            aggregation,
            output: output.clone(),
            batch_rows: context.batch_rows.max(1),
            overflow,
            groups: Vec::new(),
            touched_by: Vec::new(),
            batches: 0,
        })
    }

    /// Finds the groups of a batch; returns each touched group once, in order of appearance, and
    /// whether it was there before. Groups that have outlived their time are met anew.
    fn intern(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        now_ms: i64,
    ) -> Result<(Vec<u32>, Vec<bool>)> {
        self.batches += 1;
        let (seen, new) = (self.batches * 2, self.batches * 2 + 1);
        self.find_groups(keys, rows, new, now_ms)?;
        if self.ttl_ms > 0 {
            let before = now_ms.saturating_sub(self.ttl_ms);
            let expired = self.aggregation.expired_among(keys, rows, before)?;
            if !expired.is_empty() {
                self.remove(&expired)?;
                self.find_groups(keys, rows, new, now_ms)?;
            }
        }
        let (mut touched, mut existed) = (Vec::new(), Vec::new());
        for group in &self.groups {
            let last = std::mem::replace(&mut self.touched_by[*group as usize], seen);
            if last != seen {
                touched.push(*group);
                existed.push(last != new);
            }
        }
        Ok((touched, existed))
    }

    /// Finds the groups of a batch in memory or on disk, and marks those that are nowhere.
    fn find_groups(&mut self, keys: &[ArrayRef], rows: usize, new: u64, now_ms: i64) -> Result<()> {
        self.aggregation.intern(keys, rows, &mut self.groups)?;
        self.touched_by
            .resize(self.aggregation.groups.capacity(), 0);
        let mut created: Vec<u32> = self.aggregation.groups.created().collect();
        self.recall(&mut created)?;
        self.aggregation.stamp(&created, now_ms);
        for group in created {
            self.touched_by[group as usize] = new;
        }
        Ok(())
    }

    /// Forgets groups, in memory and on disk.
    fn remove(&mut self, groups: &[u32]) -> Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        if self.overflow.is_none() {
            return self.aggregation.remove(groups, &self.place);
        }
        // At once: otherwise they could be taken up again.
        let (state, place) = (self.state.as_mut(), &self.place);
        self.aggregation.remove_stored(groups, state, place)
    }

    fn apply(&mut self, batch: &Batch, signs: Option<&[i64]>) -> Result<()> {
        self.recall_entries(batch)?;
        if self.partial_input {
            let partials = batch.rows().columns().get(self.plan.keys.len()..);
            return self
                .aggregation
                .merge(&self.groups, partials.unwrap_or_default());
        }
        self.aggregation.update(batch.rows(), &self.groups, signs)
    }

    fn keys(&self, batch: &Batch) -> Vec<ArrayRef> {
        match self.partial_input {
            true => batch
                .rows()
                .columns()
                .iter()
                .take(self.plan.keys.len())
                .cloned()
                .collect(),
            false => self.plan.raw_keys(batch.rows()),
        }
    }

    fn emit(
        &self,
        columns: Vec<ArrayRef>,
        kinds: Vec<crate::element::RowKind>,
        output: &mut Output,
    ) -> Result<()> {
        let options = RecordBatchOptions::new().with_row_count(Some(kinds.len()));
        let rows = RecordBatch::try_new_with_options(self.output.clone(), columns, &options)?;
        output.emit_chunks(Batch::with_kinds(rows, kinds)?, self.batch_rows);
        Ok(())
    }
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
        check_signs(&self.plan, signs.as_deref())?;
        let keys = self.keys(&batch);
        let (touched, existed) = self.intern(&keys, batch.num_rows(), now_ms)?;
        let before = changes::Before::of(&self.aggregation, &touched, existed)?;
        self.apply(&batch, signs.as_deref())?;
        self.settle_extremes(&touched)?;
        self.aggregation.mark(&touched);
        self.aggregation.stamp(&touched, now_ms);
        let (columns, kinds, empty) = before.compare(&self.aggregation, self.emit_update_before)?;
        self.remove(&empty)?;
        self.emit(columns, kinds, output)?;
        self.make_room()
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.next_sweep_ms
    }

    fn timer(&mut self, now_ms: i64, _output: &mut Output) -> Result<()> {
        if self.next_sweep_ms.is_none_or(|at| at > now_ms) {
            return Ok(());
        }
        let before = now_ms.saturating_sub(self.ttl_ms);
        let expired = self.aggregation.expired(before);
        self.remove(&expired)?;
        let pause_ms = (self.ttl_ms / 4).max(1000);
        let pause_ms = self.sweep_disk(before, pause_ms)?;
        self.next_sweep_ms = Some(now_ms.saturating_add(pause_ms));
        Ok(())
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        if !self.answers_empty_input {
            return Ok(());
        }
        let (touched, existed) = self.intern(&[], 1, 0)?;
        if existed.contains(&true) {
            return Ok(());
        }
        let before = changes::Before::of(&self.aggregation, &touched, existed)?;
        self.aggregation.mark(&touched);
        let (columns, kinds, _) = before.compare(&self.aggregation, self.emit_update_before)?;
        self.emit(columns, kinds, output)
    }

    fn take_partial(&mut self, partial: bool) {
        self.partial_input = partial;
    }

    fn memory_bytes(&self) -> usize {
        self.aggregation.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        self.aggregation.save(self.state.as_mut(), &self.place)?;
        Ok(Some(self.state.as_mut()))
    }
}
