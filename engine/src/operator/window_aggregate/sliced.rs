//! TUMBLE, HOP and CUMULATE: one aggregation per slice, merged per window when it fires.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};

use super::merges::{Merges, Slices as OpenSlices};
use super::persist::{self, Watermarks};
use super::refire::Refire;
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::{WindowAggregateSpec, WindowTime};
use crate::memory::Share;
use crate::metrics::SubtaskMetrics;
use crate::operator::aggregate::aggregation::{Aggregation, check_signs, signs};
use crate::operator::aggregate::persist::{Deletes, Place};
use crate::operator::aggregate::{Plan, window_plan};
use crate::operator::window::Windows;
use crate::operator::window::columns::window_columns;
use crate::operator::window::split::{Lateness, Slices, narrow};
use crate::operator::{Operator, OperatorContext, Output};
use crate::state::KeyedState;
use crate::time::EventTime;

/// Open windows over time.
pub(super) struct SlicedAggregate {
    pub(super) plan: Arc<Plan>,
    pub(super) windows: Windows,
    time: WindowTime,
    partial_input: bool,
    /// The columns that are read of each batch; `None` reads all.
    columns: Option<Vec<usize>>,
    pub(super) lateness: Lateness,
    slices: OpenSlices,
    merges: Merges,
    /// The ends of windows that have rows and have not fired.
    pending: BTreeSet<i64>,
    state: Box<dyn KeyedState>,
    watermarks: Watermarks,
    deletes: Deletes,
    max_parallelism: u32,
    pub(super) results: Results,
    metrics: Arc<SubtaskMetrics>,
    memory: Share,
    /// Scratch: the group of each row.
    groups: Vec<u32>,
}

/// How results become rows.
pub(super) struct Results {
    windows: Windows,
    time_type: DataType,
    schema: SchemaRef,
    batch_rows: usize,
}

impl Results {
    /// The results of groups of a window.
    pub(super) fn rows(
        &self,
        window: &Aggregation,
        groups: &[u32],
        window_end: i64,
    ) -> Result<RecordBatch> {
        let mut columns = window.keys(groups)?;
        columns.extend(window.values(groups)?);
        let start = self.windows.start(window_end);
        let (starts, ends) = (vec![start; groups.len()], vec![window_end; groups.len()]);
        columns.extend(window_columns(starts, ends, &self.time_type)?);
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }

    fn emit(&self, window: &Aggregation, window_end: i64, output: &mut Output) -> Result<()> {
        for groups in window.present().chunks(self.batch_rows) {
            output.emit(Batch::inserts(self.rows(window, groups, window_end)?));
        }
        Ok(())
    }
}

impl SlicedAggregate {
    pub(super) fn new(
        spec: &WindowAggregateSpec,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let plan = window_plan(spec)?.continuing(&context.layouts, false, context.now_ms)?;
        let plan = Arc::new(plan);
        let mut state = context
            .state
            .ok_or_else(|| EngineError::internal("a window aggregation got no state"))?;
        let windows = Windows::new(&spec.window.kind)?;
        plan.stored.forget_gone(&plan, state.as_mut())?;
        let watermarks = Watermarks::load(state.as_ref())?;
        let slices = persist::load_slices(&plan, state.as_ref())?;
        state.loaded();
        let watermark = watermarks.current();
        let ends = slices.keys().flat_map(|s| windows.window_ends(*s));
        Ok(SlicedAggregate {
            columns: (!spec.partial_input).then(|| plan.columns()),
            merges: Merges::new(plan.clone(), &windows),
            plan,
            windows,
            time: spec.window.time.clone(),
            partial_input: spec.partial_input,
            lateness: Lateness {
                watermark,
                allowed_ms: spec.allowed_lateness_ms,
            },
            pending: ends.filter(|end| *end > watermark).collect(),
            slices,
            state,
            watermarks,
            deletes: Deletes::default(),
            max_parallelism: context.max_parallelism,
            results: Results {
                windows,
                time_type: spec.window.time_type.0.clone(),
                schema: output.clone(),
                batch_rows: context.batch_rows.max(1),
            },
            metrics: context.metrics,
            memory: context.memory,
            groups: Vec::new(),
        })
    }

    fn place(&self, slice: i64) -> Place {
        persist::place(slice, &self.plan, self.max_parallelism)
    }

    fn slices_of(&self, batch: &Batch, now_ms: i64) -> Result<Slices> {
        if self.partial_input {
            let column = batch.column(self.plan.keys.len());
            return Slices::by_column(column, &self.windows, self.lateness, &self.metrics);
        }
        match &self.time {
            WindowTime::Event { column } => {
                let times = batch.column(*column);
                Slices::by_time(times, &self.windows, self.lateness, &self.metrics)
            }
            WindowTime::Processing => {
                // A clock that is set back does not reopen windows.
                let now_ms = now_ms.max(self.lateness.watermark);
                let slice = self.windows.slice_end(now_ms);
                Ok(match self.windows.last_end(slice) {
                    Some(_) => Slices::constant(slice, batch.num_rows()),
                    None => Slices::constant(slice, 0),
                })
            }
        }
    }

    fn keys(&self, part: &Batch) -> Vec<ArrayRef> {
        let rows = part.rows();
        match self.partial_input {
            true => rows
                .columns()
                .iter()
                .take(self.plan.keys.len())
                .cloned()
                .collect(),
            false => self.plan.raw_keys(rows),
        }
    }

    /// Adds rows of one slice.
    fn add(&mut self, slice: i64, part: &Batch, signs: Option<&[i64]>) -> Result<()> {
        let keys = self.keys(part);
        self.merges.invalidate(&self.windows, slice);
        if !self.slices.contains_key(&slice) {
            self.slices
                .insert(slice, Aggregation::new(self.plan.clone())?);
            let watermark = self.lateness.watermark;
            let ends = self.windows.window_ends(slice);
            self.pending.extend(ends.filter(|end| *end > watermark));
        }
        let Some(aggregation) = self.slices.get_mut(&slice) else {
            return Err(EngineError::internal("a slice has vanished"));
        };
        aggregation.intern(&keys, part.num_rows(), &mut self.groups)?;
        if self.partial_input {
            let partials = part.rows().columns().get(self.plan.keys.len() + 1..);
            aggregation.merge(&self.groups, partials.unwrap_or_default())?;
        } else {
            aggregation.update(part.rows(), &self.groups, signs)?;
        }
        aggregation.mark(&self.groups);
        Ok(())
    }

    /// The slices of the window with this end.
    pub(super) fn slices_in(&self, window_end: i64) -> impl Iterator<Item = &Aggregation> {
        let start = self.windows.start(window_end);
        self.slices.range(start + 1..=window_end).map(|(_, a)| a)
    }

    fn fire(&mut self, window_end: i64, output: &mut Output) -> Result<()> {
        let results = &self.results;
        self.merges
            .window(&self.windows, &self.slices, window_end, &mut |window| {
                results.emit(window, window_end, output)
            })
    }

    /// Fires what is complete at `time` and drops what nobody needs any more.
    fn advance(&mut self, time: EventTime, output: &mut Output) -> Result<()> {
        if time <= self.lateness.watermark {
            return Ok(());
        }
        while let Some(end) = self.pending.first().copied().filter(|end| *end <= time) {
            self.fire(end, output)?;
            self.pending.remove(&end);
        }
        self.lateness.watermark = time;
        let windows = self.windows;
        let lateness = self.lateness;
        let closed = |slice: &&i64| {
            windows
                .last_end(**slice)
                .is_none_or(|e| lateness.is_closed(e))
        };
        let closed: Vec<i64> = self.slices.keys().filter(closed).copied().collect();
        if let Some(last) = closed.last() {
            self.merges.drop_until(&self.windows, *last);
        }
        for slice in closed {
            if let Some(aggregation) = self.slices.remove(&slice) {
                let deletes = aggregation.dissolve(&self.place(slice))?;
                self.deletes.append(deletes);
            }
        }
        Ok(())
    }
}

impl Operator for SlicedAggregate {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        if self.time == WindowTime::Processing {
            self.advance(now_ms, output)?;
        }
        let slices = self.slices_of(&batch, now_ms)?;
        let batch = match &self.columns {
            Some(columns) => narrow(&batch, columns)?,
            None => batch,
        };
        for (slice, part) in slices.split(&batch)? {
            let signs = signs(part.kinds());
            check_signs(&self.plan, signs.as_deref())?;
            let refire = Refire::begin(self, slice, &self.keys(&part), part.num_rows())?;
            self.add(slice, &part, signs.as_deref())?;
            if let Some(refire) = refire {
                refire.finish(self, output)?;
            }
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: EventTime, output: &mut Output) -> Result<()> {
        self.memory.hold(self.memory_bytes() as u64);
        match self.time {
            WindowTime::Event { .. } => self.advance(watermark, output),
            WindowTime::Processing => Ok(()),
        }
    }

    fn deadline_ms(&self) -> Option<i64> {
        match self.time {
            WindowTime::Event { .. } => None,
            WindowTime::Processing => self.pending.first().copied(),
        }
    }

    fn timer(&mut self, now_ms: i64, output: &mut Output) -> Result<()> {
        match self.time {
            WindowTime::Event { .. } => Ok(()),
            WindowTime::Processing => self.advance(now_ms, output),
        }
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        // No row will follow, so what is open is as complete as it will ever be.
        self.advance(EventTime::MAX, output)
    }

    fn memory_bytes(&self) -> usize {
        self.slices.values().map(Aggregation::size_bytes).sum()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        let state = self.state.as_mut();
        self.deletes.apply(state)?;
        for (slice, aggregation) in &mut self.slices {
            let place = persist::place(*slice, &self.plan, self.max_parallelism);
            aggregation.save(state, &place)?;
        }
        self.watermarks.save(self.lateness.watermark, state)?;
        Ok(Some(state))
    }
}
