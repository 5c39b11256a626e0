//! Aggregates by slice and key before the exchange.
//!
//! Partial rows are held until a watermark completes their slice, since no window can fire before,
//! or until a barrier, the end of input, or the limit of held groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;

use super::aggregate::aggregation::{Aggregation, check_signs, signs};
use super::aggregate::{Plan, partial_schema_window, supports_local_window, window_plan};
use super::window::Windows;
use super::window::split::{Lateness, Slices, narrow};
use super::{Operator, OperatorContext, Output};
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::{WindowAggregateSpec, WindowTime};
use crate::metrics::SubtaskMetrics;
use crate::time::{EventTime, MIN_WATERMARK};

#[cfg(test)]
mod tests;

/// How many groups and distinct values are held before all are sent.
const HELD_LIMIT: usize = 200_000;

/// Holds one aggregation per open slice.
pub(super) struct LocalWindowAggregate {
    plan: Arc<Plan>,
    windows: Windows,
    time: usize,
    /// The columns that are read, besides the time.
    columns: Vec<usize>,
    lateness: Lateness,
    slices: BTreeMap<i64, Aggregation>,
    held_limit: usize,
    output: SchemaRef,
    batch_rows: usize,
    metrics: Arc<SubtaskMetrics>,
    /// Scratch: the group of each row.
    groups: Vec<u32>,
}

impl LocalWindowAggregate {
    pub(super) fn new(spec: &WindowAggregateSpec, context: &OperatorContext) -> Result<Self> {
        let WindowTime::Event { column } = spec.window.time else {
            return Err(EngineError::internal("processing time has no local phase"));
        };
        if !supports_local_window(spec)? {
            return Err(EngineError::internal(
                "these aggregates over an updating input have no local phase",
            ));
        }
        let plan = Arc::new(window_plan(spec)?);
        Ok(LocalWindowAggregate {
            windows: Windows::new(&spec.window.kind)?,
            time: column,
            columns: plan.columns(),
            plan,
            lateness: Lateness {
                watermark: MIN_WATERMARK,
                allowed_ms: spec.allowed_lateness_ms,
            },
            slices: BTreeMap::new(),
            held_limit: HELD_LIMIT,
            output: partial_schema_window(spec)?,
            batch_rows: context.batch_rows.max(1),
            metrics: context.metrics.clone(),
            groups: Vec::new(),
        })
    }

    fn add(&mut self, slice: i64, part: &Batch) -> Result<()> {
        let signs = signs(part.kinds());
        check_signs(&self.plan, signs.as_deref())?;
        let aggregation = match self.slices.entry(slice) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Aggregation::local(self.plan.clone())?)
            }
        };
        let keys = self.plan.raw_keys(part.rows());
        aggregation.intern(&keys, part.num_rows(), &mut self.groups)?;
        aggregation.update(part.rows(), &self.groups, signs.as_deref())?;
        aggregation.mark(&self.groups);
        Ok(())
    }

    /// Sends what is held of the slices that end at `until` or before.
    fn flush(&mut self, until: i64, output: &mut Output) -> Result<()> {
        let complete: Vec<i64> = self.slices.range(..=until).map(|(s, _)| *s).collect();
        for slice in complete {
            if let Some(mut aggregation) = self.slices.remove(&slice) {
                self.send(slice, &mut aggregation, output)?;
            }
        }
        Ok(())
    }

    fn send(&self, slice: i64, aggregation: &mut Aggregation, output: &mut Output) -> Result<()> {
        let groups = aggregation.changed();
        let mut columns = aggregation.keys(&groups)?;
        let slices: ArrayRef = Arc::new(Int64Array::from(vec![slice; groups.len()]));
        columns.push(slices);
        columns.extend(aggregation.partials(&groups)?);
        let rows = RecordBatch::try_new(self.output.clone(), columns)?;
        output.emit_chunks(Batch::inserts(rows), self.batch_rows);
        Ok(())
    }
}

impl Operator for LocalWindowAggregate {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let times = batch.column(self.time);
        let slices = Slices::by_time(times, &self.windows, self.lateness, &self.metrics)?;
        for (slice, part) in slices.split(&narrow(&batch, &self.columns)?)? {
            self.add(slice, &part)?;
        }
        let held: usize = self.slices.values().map(Aggregation::entries).sum();
        if held > self.held_limit {
            self.flush(i64::MAX, output)?;
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: EventTime, output: &mut Output) -> Result<()> {
        self.lateness.watermark = self.lateness.watermark.max(watermark);
        self.flush(watermark, output)
    }

    fn hand_over(&mut self, output: &mut Output) -> Result<()> {
        self.flush(i64::MAX, output)
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        self.flush(i64::MAX, output)
    }
}
