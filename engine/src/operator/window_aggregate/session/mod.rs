//! SESSION: windows that grow with the rows of a key and end when it has been silent for the gap.
//!
//! Rows exactly a gap apart belong together. So a session is complete only when no row at its end
//! can follow, one millisecond after the end, and the watermark behind this operator lags by that
//! millisecond. A session is a group of the aggregation, keyed by the keys and its start, with the
//! time of its last row as one more aggregate.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute;
use arrow::datatypes::{DataType, SchemaRef};

use self::overflow::Overflow;
use self::sessions::{Assigned, LATE, Sessions, Span, Touched};
use crate::element::{Batch, RowKind};
use crate::error::{EngineError, Result};
use crate::graph::{WindowAggregateSpec, WindowTime};
use crate::memory::Share;
use crate::metrics::SubtaskMetrics;
use crate::operator::aggregate::Plan;
use crate::operator::aggregate::aggregation::{Aggregation, check_signs, signs};
use crate::operator::aggregate::persist::Place;
use crate::operator::watermarks::Watermarks;
use crate::operator::window::columns::window_columns;
use crate::operator::window::split::{Lateness, narrow};
use crate::operator::window::times_ms;
use crate::operator::{Operator, OperatorContext, Output};
use crate::state::KeyedState;
use crate::time::{EventTime, MAX_WATERMARK};

mod overflow;
mod restore;
mod sessions;

pub(in super::super) use restore::is_session;
pub(super) use restore::session_plan;

/// Open sessions over time.
pub(super) struct SessionAggregate {
    plan: Arc<Plan>,
    gap_ms: i64,
    time: WindowTime,
    time_type: DataType,
    /// The raw columns that are read.
    columns: Vec<usize>,
    lateness: Lateness,
    /// The time to which sessions are firing.
    firing: Option<EventTime>,
    /// Rows that wait until sessions have fired.
    waiting: Option<(Batch, i64)>,
    aggregation: Aggregation,
    sessions: Sessions,
    timers: BinaryHeap<Reverse<Timer>>,
    place: Place,
    state: Box<dyn KeyedState>,
    watermarks: Watermarks,
    /// What goes to disk when memory is short; `None` keeps everything in memory.
    overflow: Option<Overflow>,
    output: SchemaRef,
    batch_rows: usize,
    metrics: Arc<SubtaskMetrics>,
    memory: Share,
}

/// When a session has to be looked at; one that has grown since is put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at_ms: i64,
    group: u32,
    generation: u32,
}

/// Rows of sessions that had fired, before late rows changed them.
struct Fired {
    /// Key and place of each.
    sessions: Vec<(u32, Span)>,
    rows: RecordBatch,
}

impl SessionAggregate {
    pub(super) fn new(
        spec: &WindowAggregateSpec,
        gap_ms: i64,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        if spec.input_updating {
            return Err(EngineError::config(
                "SESSION windows over an updating input are not supported",
            ));
        }
        if spec.partial_input || !(1..i64::MAX / 4).contains(&gap_ms) {
            return Err(EngineError::internal("a malformed session aggregation"));
        }
        let plan = session_plan(spec)?.continuing(&context.layouts, false, context.now_ms)?;
        let plan = Arc::new(plan);
        let mut state = context
            .state
            .ok_or_else(|| EngineError::internal("a window aggregation got no state"))?;
        plan.stored.forget_gone(&plan, state.as_mut())?;
        let watermarks = Watermarks::load(state.as_ref(), context.max_parallelism)?;
        let kinds = plan.key_codecs.iter().take(spec.keys.len());
        let mut operator = SessionAggregate {
            sessions: Sessions::new(kinds.map(|c| c.kind()), gap_ms + 1),
            place: Place {
                prefix: Vec::new(),
                hashed_keys: spec.keys.len(),
                max_parallelism: context.max_parallelism,
            },
            columns: plan.columns(),
            aggregation: Aggregation::new(plan.clone())?,
            plan,
            gap_ms,
            time: spec.window.time.clone(),
            time_type: spec.window.time_type.0.clone(),
            lateness: Lateness {
                watermark: watermarks.current(),
                allowed_ms: spec.allowed_lateness_ms,
            },
            firing: None,
            waiting: None,
            timers: BinaryHeap::new(),
            overflow: Overflow::new(state.as_ref()),
            state,
            watermarks,
            output: output.clone(),
            batch_rows: context.batch_rows.max(1),
            metrics: context.metrics,
            memory: context.memory,
        };
        operator.load()?;
        Ok(operator)
    }

    /// The moment from which no row can join a session whose last row is at `last`.
    fn over_at(&self, last: i64) -> i64 {
        last + self.gap_ms + 1
    }

    /// The rows that have a time, with the times.
    fn with_times(&self, batch: Batch, now_ms: i64) -> Result<(Batch, Vec<i64>)> {
        let WindowTime::Event { column } = &self.time else {
            let now_ms = now_ms.max(self.lateness.watermark);
            let times = vec![now_ms; batch.num_rows()];
            return Ok((batch, times));
        };
        let (times, nulls) = times_ms(batch.column(*column))?;
        let Some(nulls) = nulls else {
            return Ok((batch, times.to_vec()));
        };
        self.metrics.null_time_rows.add(nulls.null_count() as u64);
        let mask = BooleanArray::new(nulls.inner().clone(), None);
        let kept = nulls.inner().set_indices().map(|row| times[row]).collect();
        Ok((batch.filter(&mask)?, kept))
    }

    /// The batch behind its last column the times, as the plan expects it.
    fn append_times(&self, batch: &Batch, times: Vec<i64>) -> Result<RecordBatch> {
        let rows = narrow(batch, &self.columns)?.into_parts().0;
        let mut fields: Vec<_> = rows.schema().fields().iter().cloned().collect();
        fields.push(restore::time_field());
        let mut columns = rows.columns().to_vec();
        columns.push(Arc::new(Int64Array::from(times)));
        let schema = Arc::new(arrow::datatypes::Schema::new(fields));
        Ok(RecordBatch::try_new(schema, columns)?)
    }

    /// Finds the groups of touched sessions and puts what they have absorbed into them.
    fn settle(
        &mut self,
        rows: &RecordBatch,
        touched: &[Touched],
        lateness: Lateness,
    ) -> Result<Vec<u32>> {
        let mut keys = self.plan.raw_keys(rows);
        keys.pop();
        let first = UInt32Array::from_iter_values(touched.iter().map(|t| t.row));
        let mut keys = keys
            .iter()
            .map(|k| Ok(compute::take(k, &first, None)?))
            .collect::<Result<Vec<_>>>()?;
        let starts = touched.iter().map(|t| t.start);
        keys.push(Arc::new(Int64Array::from_iter_values(starts)));
        let mut groups = Vec::new();
        self.aggregation.intern(&keys, touched.len(), &mut groups)?;
        let (mut from, mut into) = (Vec::new(), Vec::new());
        for (touched, group) in touched.iter().zip(&groups) {
            self.sessions.settle(touched, *group);
            let same = touched.absorbed.as_slice() == [*group];
            if !same || self.may_have_fired(touched, lateness) {
                let generation = self.sessions.renew(*group);
                self.timers.push(Reverse(Timer {
                    at_ms: self.over_at(touched.last),
                    group: *group,
                    generation,
                }));
            }
            for absorbed in touched.absorbed.iter().filter(|a| *a != group) {
                from.push(*absorbed);
                into.push(*group);
                self.sessions.release(*absorbed);
            }
        }
        if !from.is_empty() {
            self.merge_groups(&from, &into)?;
        }
        self.aggregation.mark(&groups);
        Ok(groups)
    }

    /// Whether a session may have fired before this batch: with late rows allowed, any that is not
    /// clearly in the future.
    fn may_have_fired(&self, touched: &Touched, lateness: Lateness) -> bool {
        lateness.allowed_ms > 0 && touched.start <= lateness.watermark
    }

    /// The rows that were emitted for sessions that are about to change.
    fn fired(&self, touched: &[Touched], lateness: Lateness) -> Result<Option<Fired>> {
        if lateness.allowed_ms == 0 {
            return Ok(None);
        }
        let pairs = |t: &Touched| {
            let key = t.key;
            t.absorbed
                .clone()
                .into_iter()
                .map(move |group| (key, group))
        };
        let (keys, absorbed): (Vec<u32>, Vec<u32>) = touched.iter().flat_map(pairs).unzip();
        // The aggregation still knows the sessions as they were before this batch.
        let spans = self.stored_spans(&absorbed)?;
        let over = |(_, (_, s)): &(u32, (u32, Span))| self.over_at(s.last) <= lateness.watermark;
        let sessions = keys.into_iter().zip(spans);
        let fired = absorbed.into_iter().zip(sessions).filter(over);
        let (groups, sessions): (Vec<u32>, Vec<(u32, Span)>) = fired.unzip();
        if groups.is_empty() {
            return Ok(None);
        }
        let spans: Vec<Span> = sessions.iter().map(|(_, span)| *span).collect();
        let rows = self.result_rows(&groups, &spans)?;
        Ok(Some(Fired { sessions, rows }))
    }

    fn result_rows(&self, groups: &[u32], spans: &[Span]) -> Result<RecordBatch> {
        let mut columns = self.aggregation.keys(groups)?;
        columns.pop();
        let mut values = self.aggregation.values(groups)?;
        values.pop();
        columns.append(&mut values);
        let starts = spans.iter().map(|s| s.start).collect();
        let ends = spans.iter().map(|s| s.last + self.gap_ms).collect();
        columns.extend(window_columns(starts, ends, &self.time_type)?);
        Ok(RecordBatch::try_new(self.output.clone(), columns)?)
    }

    /// Emits what late rows have made of sessions that had fired, or that are over already.
    fn emit_changes(
        &self,
        fired: Option<Fired>,
        touched: &[Touched],
        groups: &[u32],
        lateness: Lateness,
        output: &mut Output,
    ) -> Result<()> {
        if lateness.allowed_ms == 0 {
            return Ok(());
        }
        let over = |t: &&(&Touched, &u32)| self.over_at(t.0.last) <= lateness.watermark;
        let pairs: Vec<_> = touched.iter().zip(groups).collect();
        let over: Vec<_> = pairs.iter().filter(over).collect();
        let spans: Vec<Span> = over.iter().map(|(t, _)| t.span()).collect();
        let after: Vec<(u32, Span)> = over.iter().map(|(t, _)| (t.key, t.span())).collect();
        let groups: Vec<u32> = over.iter().map(|(_, g)| **g).collect();
        let mut before = HashSet::new();
        if let Some(fired) = fired {
            let stays: HashSet<&(u32, Span)> = after.iter().collect();
            let updated = |session| match stays.contains(session) {
                true => RowKind::UpdateBefore,
                false => RowKind::Delete,
            };
            let kinds = fired.sessions.iter().map(updated).collect();
            output.emit(Batch::with_kinds(fired.rows, kinds)?);
            before.extend(fired.sessions);
        }
        if groups.is_empty() {
            return Ok(());
        }
        let kind = |session| match before.contains(session) {
            true => RowKind::UpdateAfter,
            false => RowKind::Insert,
        };
        let kinds = after.iter().map(kind).collect();
        let rows = self.result_rows(&groups, &spans)?;
        output.emit(Batch::with_kinds(rows, kinds)?);
        Ok(())
    }

    /// Sessions are to fire that are over at `time`.
    fn advance(&mut self, time: EventTime) {
        if time > self.lateness.watermark {
            self.firing = Some(time);
        }
    }

    /// Moves time, in several steps if more sessions have to come from disk than fit into memory, and then takes the rows
    /// that wait for that. What a step gives goes out before the next.
    fn go_on(&mut self, output: &mut Output) -> Result<()> {
        while let Some(time) = self.firing {
            let until = self.recall_due(time)?;
            self.fire(until, output)?;
            self.make_room()?;
            if self.lateness.watermark >= time {
                self.firing = None;
            } else if !output.is_empty() {
                return Ok(());
            }
        }
        match self.waiting.take() {
            Some((batch, now_ms)) => self.take_all(batch, now_ms, output),
            None => Ok(()),
        }
    }

    /// Takes rows, each as late as its key group says.
    fn take_all(&mut self, batch: Batch, now_ms: i64, output: &mut Output) -> Result<()> {
        if !self.watermarks.differ() {
            self.take(batch, self.lateness, now_ms, output)?;
            return self.make_room();
        }
        let keys = self.key_columns(&batch);
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
        self.make_room()
    }

    /// Moves processing time, if sessions are of that.
    fn pass(&mut self, now_ms: i64) {
        if self.time == WindowTime::Processing {
            self.advance(now_ms.max(self.watermarks.highest()));
        }
    }

    /// Fires the sessions that are over at `time`, and forgets those that nothing can change.
    fn fire(&mut self, time: EventTime, output: &mut Output) -> Result<()> {
        let (mut fire, mut spans, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(Reverse(timer)) = self.timers.peek().copied() {
            if timer.at_ms > time {
                break;
            }
            self.timers.pop();
            let Some(span) = self.sessions.span_of(timer.group, timer.generation) else {
                continue;
            };
            let over_at = self.over_at(span.last);
            let kept_until = over_at.saturating_add(self.lateness.allowed_ms);
            if over_at > time {
                let at_ms = over_at;
                self.timers.push(Reverse(Timer { at_ms, ..timer }));
                continue;
            }
            if over_at > self.lateness.watermark {
                fire.push(timer.group);
                spans.push(span);
            }
            if kept_until <= time {
                gone.push(timer.group);
            } else {
                let at_ms = kept_until;
                self.timers.push(Reverse(Timer { at_ms, ..timer }));
            }
        }
        if self.watermarks.differ() {
            self.leave_out_fired(&mut fire, &mut spans)?;
        }
        for (groups, spans) in fire
            .chunks(self.batch_rows)
            .zip(spans.chunks(self.batch_rows))
        {
            output.emit(Batch::inserts(self.result_rows(groups, spans)?));
        }
        self.lateness.watermark = self.lateness.watermark.max(time);
        self.watermarks.pass(time);
        self.remove(&gone)
    }

    /// Leaves out the sessions that had fired before their key groups came to this operator, which
    /// has not got as far as they have.
    fn leave_out_fired(&self, groups: &mut Vec<u32>, spans: &mut Vec<Span>) -> Result<()> {
        let mut keys = self.aggregation.keys(groups)?;
        keys.truncate(self.place.hashed_keys);
        let floors = self.watermarks.floors_of(&keys, groups.len())?;
        let due = |(floor, span): (&EventTime, &Span)| self.over_at(span.last) > *floor;
        let due: Vec<bool> = floors.iter().zip(spans.iter()).map(due).collect();
        let mut keep = due.iter();
        groups.retain(|_| keep.next().is_none_or(|due| *due));
        let mut keep = due.iter();
        spans.retain(|_| keep.next().is_none_or(|due| *due));
        Ok(())
    }

    /// Roughly the memory in use.
    fn held_bytes(&self) -> usize {
        let timers = self.timers.capacity() * size_of::<Timer>();
        self.aggregation.size_bytes() + self.sessions.size_bytes() + timers
    }

    /// Leaves out the rows that are late.
    fn without_late(
        &self,
        batch: Batch,
        times: Vec<i64>,
        assigned: &mut Assigned,
    ) -> Result<(Batch, Vec<i64>)> {
        let late = assigned.rows.iter().filter(|slot| **slot == LATE).count();
        if late == 0 {
            return Ok((batch, times));
        }
        self.metrics.late_rows.add(late as u64);
        let slots = std::mem::take(&mut assigned.rows);
        let mask: BooleanArray = slots.iter().map(|s| Some(*s != LATE)).collect();
        let kept = times.iter().zip(&slots).filter(|(_, s)| **s != LATE);
        let times = kept.map(|(t, _)| *t).collect();
        // Sessions name the row that has their key by its number.
        let mut number = vec![0u32; slots.len()];
        let mut next = 0;
        for (row, slot) in slots.iter().enumerate() {
            number[row] = next;
            next += u32::from(*slot != LATE);
        }
        for touched in &mut assigned.sessions {
            touched.row = number[touched.row as usize];
        }
        assigned.rows = slots.into_iter().filter(|s| *s != LATE).collect();
        Ok((batch.filter(&mask)?, times))
    }
}

impl SessionAggregate {
    /// Takes rows whose key groups have got as far as `lateness` says.
    fn take(
        &mut self,
        batch: Batch,
        lateness: Lateness,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let (batch, times) = self.with_times(batch, now_ms)?;
        let keys: Vec<ArrayRef> = self.key_columns(&batch);
        let lanes = self.plan.encode_keys(&keys)?;
        self.recall(&lanes, times.len())?;
        let gap_ms = self.gap_ms;
        let closed = |time: i64| lateness.is_closed(time + gap_ms + 1);
        let mut assigned = self.sessions.assign(&lanes, &times, closed)?;
        let (batch, times) = self.without_late(batch, times, &mut assigned)?;
        if batch.is_empty() {
            return Ok(());
        }
        let touched = &assigned.sessions;
        let fired = self.fired(touched, lateness)?;
        let rows = self.append_times(&batch, times)?;
        let groups = self.settle(&rows, touched, lateness)?;
        let of_rows: Vec<u32> = assigned.rows.iter().map(|s| groups[*s as usize]).collect();
        self.recall_entries(&rows, &of_rows)?;
        self.aggregation.update(&rows, &of_rows, None)?;
        self.emit_changes(fired, touched, &groups, lateness, output)
    }
}

impl Operator for SessionAggregate {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        check_signs(&self.plan, signs(batch.kinds()).as_deref())?;
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
        if self.overflow.is_none() {
            self.memory.hold(self.held_bytes() as u64);
        }
        if matches!(self.time, WindowTime::Event { .. }) {
            self.advance(watermark);
        }
        self.go_on(output)
    }

    fn output_watermark(&self, watermark: EventTime) -> EventTime {
        match (&self.time, watermark) {
            (WindowTime::Processing, _) | (_, MAX_WATERMARK) => watermark,
            (WindowTime::Event { .. }, watermark) => watermark.saturating_sub(1),
        }
    }

    fn deadline_ms(&self) -> Option<i64> {
        match self.time {
            WindowTime::Event { .. } => None,
            WindowTime::Processing => {
                let in_memory = self.timers.peek().map(|Reverse(timer)| timer.at_ms);
                let on_disk = self.overflow.as_ref().and_then(Overflow::next_ms);
                in_memory.into_iter().chain(on_disk).min()
            }
        }
    }

    fn timer(&mut self, now_ms: i64, output: &mut Output) -> Result<()> {
        self.pass(now_ms);
        self.go_on(output)
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        self.advance(EventTime::MAX);
        self.go_on(output)
    }

    fn memory_bytes(&self) -> usize {
        self.held_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        let state = self.state.as_mut();
        self.aggregation.save(state, &self.place)?;
        self.watermarks.save(self.lateness.watermark, state)?;
        Ok(Some(state))
    }
}
