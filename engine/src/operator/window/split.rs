//! Splits a batch by slices.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::datatypes::Int64Type;

use super::{Windows, times_ms};
use crate::element::{Batch, rows_of};
use crate::error::{EngineError, Result};
use crate::metrics::SubtaskMetrics;
use crate::time::EventTime;

/// The slice of each row; rows that no open window wants are left out.
pub(crate) struct Slices {
    /// The row's number in the batch; `None` when all rows are wanted, in order.
    rows: Option<Vec<u32>>,
    /// The slice of each wanted row.
    ends: Vec<i64>,
}

/// A row is late when all of its windows were complete this long ago.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lateness {
    pub(crate) watermark: EventTime,
    pub(crate) allowed_ms: i64,
}

impl Lateness {
    /// Whether a window with this end takes no more rows.
    #[inline]
    pub(crate) fn is_closed(&self, window_end: i64) -> bool {
        window_end.saturating_add(self.allowed_ms) <= self.watermark
    }
}

impl Slices {
    /// By the times of the rows. Rows without a time and late rows are counted and left out.
    pub(crate) fn by_time(
        times: &ArrayRef,
        windows: &Windows,
        lateness: Lateness,
        metrics: &SubtaskMetrics,
    ) -> Result<Self> {
        let (times, nulls) = times_ms(times)?;
        let ends = windows.slice_ends(&times);
        if let Some(nulls) = &nulls {
            metrics.null_time_rows.add(nulls.null_count() as u64);
        }
        let has_time = |row: usize| nulls.as_ref().is_none_or(|n| n.is_valid(row));
        Ok(Self::of_ends(ends, windows, lateness, metrics, has_time))
    }

    /// By the slice that a local phase has written into the rows.
    pub(crate) fn by_column(
        column: &ArrayRef,
        windows: &Windows,
        lateness: Lateness,
        metrics: &SubtaskMetrics,
    ) -> Result<Self> {
        let ends = column.as_primitive_opt::<Int64Type>();
        let ends = ends.ok_or_else(|| EngineError::internal("partial rows without slices"))?;
        let ends = ends.values().to_vec();
        Ok(Self::of_ends(ends, windows, lateness, metrics, |_| true))
    }

    /// All rows in one slice.
    pub(crate) fn constant(end: i64, rows: usize) -> Self {
        Slices {
            rows: None,
            ends: vec![end; rows],
        }
    }

    fn of_ends(
        ends: Vec<i64>,
        windows: &Windows,
        lateness: Lateness,
        metrics: &SubtaskMetrics,
        has_time: impl Fn(usize) -> bool,
    ) -> Self {
        let mut late = 0;
        let mut last = None;
        let mut wanted = |row: usize, end: i64| {
            if !has_time(row) {
                return false;
            }
            // Neighbours mostly share their slice.
            let (open, is_late) = match last {
                Some((of, open, is_late)) if of == end => (open, is_late),
                _ => {
                    let last_end = windows.last_end(end);
                    let closed = last_end.is_some_and(|e| lateness.is_closed(e));
                    (last_end.is_some() && !closed, closed)
                }
            };
            last = Some((end, open, is_late));
            late += u64::from(is_late);
            open
        };
        let keep: Vec<bool> = ends
            .iter()
            .enumerate()
            .map(|(r, e)| wanted(r, *e))
            .collect();
        metrics.late_rows.add(late);
        if keep.iter().all(|k| *k) {
            return Slices { rows: None, ends };
        }
        let kept = || keep.iter().enumerate().filter(|(_, k)| **k).map(|(r, _)| r);
        Slices {
            rows: Some(kept().map(|r| r as u32).collect()),
            ends: kept().map(|r| ends[r]).collect(),
        }
    }

    /// The rows of each slice, in their order.
    pub(crate) fn split(self, batch: &Batch) -> Result<Vec<(i64, Batch)>> {
        let Some(first) = self.ends.first().copied() else {
            return Ok(Vec::new());
        };
        if self.ends.iter().all(|e| *e == first) {
            let part = match self.rows {
                None => batch.clone(),
                Some(rows) => batch.take(&UInt32Array::from(rows))?,
            };
            return Ok(vec![(first, part)]);
        }
        let mut parts: Vec<(i64, Vec<u32>)> = Vec::new();
        let mut current = 0;
        for (position, end) in self.ends.iter().enumerate() {
            if parts.get(current).is_none_or(|(of, _)| of != end) {
                current = match parts.iter().position(|(of, _)| of == end) {
                    Some(found) => found,
                    None => {
                        parts.push((*end, Vec::new()));
                        parts.len() - 1
                    }
                };
            }
            let row = self.rows.as_ref().map_or(position as u32, |r| r[position]);
            parts[current].1.push(row);
        }
        let part = |(end, rows)| Ok((end, batch.take(&UInt32Array::from(rows))?));
        parts.into_iter().map(part).collect()
    }
}

/// The batch with only the columns given, so that splitting copies no more than is read; others
/// are replaced by columns of NULL type, which keeps the positions.
pub(crate) fn narrow(batch: &Batch, columns: &[usize]) -> Result<Batch> {
    let rows = batch.rows();
    let all = rows.schema();
    if columns.len() == all.fields().len() {
        return Ok(batch.clone());
    }
    let mut fields = Vec::with_capacity(all.fields().len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(all.fields().len());
    for (position, field) in all.fields().iter().enumerate() {
        if columns.contains(&position) {
            fields.push(field.clone());
            arrays.push(rows.column(position).clone());
        } else {
            let empty = arrow::array::NullArray::new(rows.num_rows());
            let null = arrow::datatypes::Field::new(field.name(), empty.data_type().clone(), true);
            fields.push(std::sync::Arc::new(null));
            arrays.push(std::sync::Arc::new(empty));
        }
    }
    let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(fields));
    let rows = rows_of(&schema, arrays, rows.num_rows())?;
    Ok(batch.replace_rows(rows))
}
