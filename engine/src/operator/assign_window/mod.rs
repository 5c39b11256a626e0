//! Appends `window_start`, `window_end`, `window_time` to each row, once per window.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::datatypes::SchemaRef;

use super::window::columns::window_columns;
use super::window::{Windows, times_ms};
use super::{Operator, OperatorContext, Output};
use crate::element::Batch;
use crate::error::Result;
use crate::graph::{WindowKind, WindowSpec, WindowTime};
use crate::metrics::SubtaskMetrics;

#[cfg(test)]
mod tests;

/// Repeats rows per window. Rows without a time have no window; they are dropped and counted.
pub(super) struct AssignWindow {
    spec: WindowSpec,
    windows: Windows,
    output: SchemaRef,
    batch_rows: usize,
    metrics: Arc<SubtaskMetrics>,
}

impl AssignWindow {
    pub(super) fn new(
        spec: &WindowSpec,
        output: &SchemaRef,
        context: &OperatorContext,
    ) -> Result<Self> {
        if matches!(spec.kind, WindowKind::Session { .. }) {
            return Err(crate::error::EngineError::config(
                "SESSION windows without an aggregation are not supported",
            )
            .with_hint("group by window_start and window_end"));
        }
        Ok(AssignWindow {
            windows: Windows::new(&spec.kind)?,
            spec: spec.clone(),
            output: output.clone(),
            batch_rows: context.batch_rows.max(1),
            metrics: context.metrics.clone(),
        })
    }

    /// The rows to repeat with the end of the window of each.
    fn assign(&self, batch: &Batch, now_ms: i64) -> Result<(Vec<u32>, Vec<i64>)> {
        let (mut rows, mut ends) = (Vec::new(), Vec::new());
        let mut push = |row: usize, time: i64| {
            for end in self.windows.window_ends(self.windows.slice_end(time)) {
                rows.push(row as u32);
                ends.push(end);
            }
        };
        match &self.spec.time {
            WindowTime::Processing => (0..batch.num_rows()).for_each(|row| push(row, now_ms)),
            WindowTime::Event { column } => {
                let (times, nulls) = times_ms(batch.column(*column))?;
                let missing = nulls.as_ref().map_or(0, |n| n.null_count());
                self.metrics.null_time_rows.add(missing as u64);
                for (row, time) in times.iter().enumerate() {
                    if nulls.as_ref().is_none_or(|n| n.is_valid(row)) {
                        push(row, *time);
                    }
                }
            }
        }
        Ok((rows, ends))
    }
}

impl Operator for AssignWindow {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let (rows, ends) = self.assign(&batch, now_ms)?;
        let starts = ends.iter().map(|e| self.windows.start(*e)).collect();
        let all = rows.len() == batch.num_rows()
            && rows.iter().enumerate().all(|(at, row)| at == *row as usize);
        let (repeated, kinds) = if all {
            batch.into_parts()
        } else {
            batch.take(&UInt32Array::from(rows))?.into_parts()
        };
        let mut columns: Vec<ArrayRef> = repeated.columns().to_vec();
        columns.extend(window_columns(starts, ends, &self.spec.time_type.0)?);
        let rows = RecordBatch::try_new(self.output.clone(), columns)?;
        output.emit_chunks(Batch::from_parts(rows, kinds), self.batch_rows);
        Ok(())
    }
}
