//! TUMBLE, HOP and CUMULATE: one aggregation per slice, merged per window when it fires.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};

use super::early::Early;
use super::merges::{Merges, Slices as OpenSlices};
use super::overflow::{self, StoredWindow};
use super::persist;
use super::refire::Refire;
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::{WindowAggregateSpec, WindowTime};
use crate::memory::Share;
use crate::metrics::SubtaskMetrics;
use crate::operator::aggregate::aggregation::{Aggregation, check_signs, signs};
use crate::operator::aggregate::persist::Place;
use crate::operator::aggregate::{Plan, window_plan};
use crate::operator::watermarks::Watermarks;
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
    pub(super) partial_input: bool,
    /// The columns that are read of each batch; `None` reads all.
    columns: Option<Vec<usize>>,
    pub(super) lateness: Lateness,
    pub(super) slices: OpenSlices,
    /// The slices that keyed state may have groups of that are not in memory.
    pub(super) stored: BTreeSet<i64>,
    pub(super) merges: Merges,
    /// The ends of windows that have rows and have not fired.
    pending: BTreeSet<i64>,
    /// The time to which windows are firing.
    firing: Option<Firing>,
    /// Rows that wait until windows have fired.
    waiting: Option<(Batch, i64)>,
    /// What has changed since early results went out, if there are any.
    pub(super) early: Option<Early>,
    pub(super) state: Box<dyn KeyedState>,
    pub(super) watermarks: Watermarks,
    pub(super) max_parallelism: u32,
    pub(super) results: Results,
    metrics: Arc<SubtaskMetrics>,
    pub(super) memory: Share,
    /// Scratch: the group of each row.
    groups: Vec<u32>,
}

/// Windows that fire, one behind the other.
struct Firing {
    until: EventTime,
    /// What comes next of the first of them, if it has begun.
    stored: Option<StoredWindow>,
}

/// How results become rows.
pub(super) struct Results {
    windows: Windows,
    time_type: DataType,
    schema: SchemaRef,
    pub(super) batch_rows: usize,
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

    /// Emits the results of those groups of a window that have rows and have not got past it.
    fn emit(
        &self,
        window: &Aggregation,
        window_end: i64,
        watermarks: &Watermarks,
        output: &mut Output,
    ) -> Result<()> {
        let mut groups = window.present();
        if watermarks.differ() {
            let floors = watermarks.floors_of(&window.keys(&groups)?, groups.len())?;
            let mut floors = floors.into_iter();
            groups.retain(|_| floors.next().is_none_or(|floor| floor < window_end));
        }
        self.emit_groups(window, &groups, window_end, output)
    }

    /// Emits the results of all groups of a window that have rows.
    pub(super) fn emit_all(
        &self,
        window: &Aggregation,
        window_end: i64,
        output: &mut Output,
    ) -> Result<()> {
        self.emit_groups(window, &window.present(), window_end, output)
    }

    fn emit_groups(
        &self,
        window: &Aggregation,
        groups: &[u32],
        window_end: i64,
        output: &mut Output,
    ) -> Result<()> {
        for groups in groups.chunks(self.batch_rows) {
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
        let watermarks = Watermarks::load(state.as_ref(), context.max_parallelism)?;
        let (slices, stored) = overflow::load(&plan, state.as_ref())?;
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
            firing: None,
            waiting: None,
            early: spec.early_fire_ms.map(Early::new),
            slices,
            stored,
            state,
            watermarks,
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

    pub(super) fn place(&self, slice: i64) -> Place {
        persist::place(slice, &self.plan, self.max_parallelism)
    }

    fn slices_of(&self, batch: &Batch, lateness: Lateness, now_ms: i64) -> Result<Slices> {
        if self.partial_input {
            let column = batch.column(self.plan.keys.len());
            return Slices::by_column(column, &self.windows, lateness, &self.metrics);
        }
        match &self.time {
            WindowTime::Event { column } => {
                let times = batch.column(*column);
                Slices::by_time(times, &self.windows, lateness, &self.metrics)
            }
            WindowTime::Processing => {
                // A clock that is set back does not reopen windows.
                let now_ms = now_ms.max(lateness.watermark);
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

    /// Takes rows whose key groups have got as far as `lateness` says.
    fn take(
        &mut self,
        batch: Batch,
        lateness: Lateness,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let slices = self.slices_of(&batch, lateness, now_ms)?;
        let batch = match &self.columns {
            Some(columns) if !self.partial_input => narrow(&batch, columns)?,
            _ => batch,
        };
        for (slice, part) in slices.split(&batch)? {
            let signs = signs(part.kinds());
            check_signs(&self.plan, signs.as_deref())?;
            let keys = self.keys(&part);
            self.recall_fired(slice, lateness, &keys, part.num_rows())?;
            self.note_given(slice, lateness, &keys, part.num_rows(), now_ms)?;
            let refire = Refire::begin(self, slice, lateness, &keys, part.num_rows())?;
            self.add(slice, &part, signs.as_deref())?;
            if let Some(refire) = refire {
                refire.finish(self, output)?;
            }
        }
        Ok(())
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
        let mut groups = std::mem::take(&mut self.groups);
        aggregation.intern(&keys, part.num_rows(), &mut groups)?;
        if self.stored.contains(&slice) {
            self.recall(slice, part, &groups)?;
        }
        let Some(aggregation) = self.slices.get_mut(&slice) else {
            return Err(EngineError::internal("a slice has vanished"));
        };
        if self.partial_input {
            let partials = part.rows().columns().get(self.plan.keys.len() + 1..);
            aggregation.merge(&groups, partials.unwrap_or_default())?;
        } else {
            aggregation.update(part.rows(), &groups, signs)?;
        }
        aggregation.mark(&groups);
        self.groups = groups;
        Ok(())
    }

    /// The slices of the window with this end.
    pub(super) fn slices_in(&self, window_end: i64) -> impl Iterator<Item = &Aggregation> {
        let start = self.windows.start(window_end);
        self.slices.range(start + 1..=window_end).map(|(_, a)| a)
    }

    /// Roughly the memory in use.
    pub(super) fn held_bytes(&self) -> usize {
        let slices: usize = self.slices.values().map(Aggregation::size_bytes).sum();
        slices + self.merges.size_bytes()
    }

    /// Windows are to fire that are complete at `time`.
    fn advance(&mut self, time: EventTime) {
        if time > self.lateness.watermark {
            let stored = None;
            self.firing = Some(Firing {
                until: time,
                stored,
            });
        }
    }

    /// Fires the windows that are to, and then takes the rows that wait for that; not all at once if there is much to give.
    fn go_on(&mut self, output: &mut Output) -> Result<()> {
        while let Some(firing) = self.firing.take() {
            let first = self.pending.first().copied();
            let Some(end) = first.filter(|end| *end <= firing.until) else {
                self.close(firing.until)?;
                break;
            };
            let stored = self.fire(end, firing.stored, output)?;
            if stored.is_none() {
                self.pending.remove(&end);
            }
            self.firing = Some(Firing { stored, ..firing });
            if !output.is_empty() {
                return Ok(());
            }
        }
        if let Some((batch, now_ms)) = self.waiting.take() {
            self.take_all(batch, now_ms, output)?;
            self.give_early(now_ms, output)?;
        }
        self.make_room()
    }

    /// Fires a window, or what comes next of it; returns what comes behind that.
    fn fire(
        &mut self,
        window_end: i64,
        stored: Option<StoredWindow>,
        output: &mut Output,
    ) -> Result<Option<StoredWindow>> {
        if self.early.is_some() {
            self.fire_changed(window_end, output)?;
            return Ok(None);
        }
        if let Some(next) = stored {
            return self.fire_stored(window_end, next, output);
        }
        if self.is_stored(window_end) {
            let first = self.begin_stored(window_end)?;
            return self.fire_stored(window_end, first, output);
        }
        let (results, watermarks) = (&self.results, &self.watermarks);
        self.merges
            .window(&self.windows, &self.slices, window_end, &mut |window| {
                results.emit(window, window_end, watermarks, output)
            })?;
        Ok(None)
    }

    /// Drops what nobody needs any more when all that is complete at `time` has fired.
    fn close(&mut self, time: EventTime) -> Result<()> {
        self.lateness.watermark = time;
        self.watermarks.pass(time);
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
            let in_memory = self.slices.remove(&slice);
            if self.stored.remove(&slice) {
                self.delete_stored(slice)?;
            } else if let Some(aggregation) = in_memory {
                let mut deletes = aggregation.dissolve(&self.place(slice))?;
                deletes.apply(self.state.as_mut())?;
            }
        }
        Ok(())
    }

    /// Takes rows, each as late as its key group says.
    fn take_all(&mut self, batch: Batch, now_ms: i64, output: &mut Output) -> Result<()> {
        if !self.watermarks.differ() {
            return self.take(batch, self.lateness, now_ms, output);
        }
        let keys = self.keys(&batch);
        let parts = self
            .watermarks
            .divide(batch, &keys, self.lateness.watermark)?;
        for (watermark, part) in parts {
            let lateness = Lateness {
                watermark,
                ..self.lateness
            };
            self.take(part, lateness, now_ms, output)?;
        }
        Ok(())
    }

    /// Moves processing time, if windows are of that.
    fn pass(&mut self, now_ms: i64) {
        if self.time == WindowTime::Processing {
            self.advance(now_ms.max(self.watermarks.highest()));
        }
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
        self.pass(now_ms);
        self.waiting = Some((batch, now_ms));
        self.go_on(output)
    }

    fn has_more(&self) -> bool {
        self.firing.is_some()
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        self.go_on(output)
    }

    fn watermark(&mut self, watermark: EventTime, output: &mut Output) -> Result<()> {
        if !self.state.keeps() {
            self.memory.hold(self.held_bytes() as u64);
        }
        if matches!(self.time, WindowTime::Event { .. }) {
            self.advance(watermark);
        }
        self.go_on(output)
    }

    fn deadline_ms(&self) -> Option<i64> {
        let early = self.early.as_ref().and_then(Early::deadline_ms);
        let end = match self.time {
            WindowTime::Event { .. } => None,
            WindowTime::Processing => self.pending.first().copied(),
        };
        early.into_iter().chain(end).min()
    }

    fn timer(&mut self, now_ms: i64, output: &mut Output) -> Result<()> {
        self.give_early(now_ms, output)?;
        self.pass(now_ms);
        self.go_on(output)
    }

    fn hand_over(&mut self, output: &mut Output) -> Result<()> {
        self.give_changed(output)
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        // No row will follow, so what is open is as complete as it will ever be.
        self.advance(EventTime::MAX);
        self.go_on(output)
    }

    fn take_partial(&mut self, partial: bool) {
        self.partial_input = partial;
    }

    fn memory_bytes(&self) -> usize {
        self.held_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        let state = self.state.as_mut();
        for (slice, aggregation) in &mut self.slices {
            let place = persist::place(*slice, &self.plan, self.max_parallelism);
            aggregation.save(state, &place)?;
        }
        self.watermarks.save(self.lateness.watermark, state)?;
        Ok(Some(state))
    }
}
