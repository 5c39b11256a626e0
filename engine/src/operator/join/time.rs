//! Joins whose rows event time lets go: within an interval between two times, or within a window.
//!
//! A row goes when the watermark has passed everything that could be its partner. If it has none by then, what it
//! says alone goes out; pairs have gone out as they were found. So the output never takes anything back, and is
//! no later than the watermark behind the join says: that is held back by as much as a row can be older than the
//! partner that it waited for.
//!
//! The rows of a key are in the order of their stamps, so those near in time are found without looking at the others.
//! Rows in memory that go are found by their stamp. On disk all key groups are looked through, some at a time, when the
//! watermark has come so far beyond the first of them that it is worth it.

use std::ops::RangeInclusive;

use arrow::array::{ArrayRef, new_null_array};

use super::{Join, OUTPUT_BYTES, OUTPUT_ROWS, pads, side_by_side, side_spec};
use crate::element::{Batch, RowKind};
use crate::error::Result;
use crate::graph::{JoinTime, JoinUntil};
use crate::operator::Output;
use crate::operator::keyed_rows::DiskSweep;
use crate::operator::window::times_ms;
use crate::time::{EventTime, MAX_WATERMARK, MIN_WATERMARK};

#[cfg(test)]
mod tests;

/// How far event time has let rows go.
pub(super) struct Time {
    spec: JoinTime,
    /// All rows are gone that this watermark lets go.
    settled: EventTime,
    letting_go: Option<LettingGo>,
}

/// A watermark on its way.
struct LettingGo {
    watermark: EventTime,
    /// Memory is done, this is what is left of the disk.
    disk: Option<DiskSweep>,
}

impl LettingGo {
    /// Rows with this stamp or an earlier one go.
    fn before(&self) -> i64 {
        self.watermark.saturating_sub(1)
    }
}

impl Time {
    pub(super) fn new(spec: JoinTime) -> Self {
        Time {
            spec,
            settled: MIN_WATERMARK,
            letting_go: None,
        }
    }

    fn until(&self, input: usize) -> JoinUntil {
        match input {
            0 => self.spec.left,
            _ => self.spec.right,
        }
    }

    /// The last moments at which rows are wanted.
    pub(super) fn stamps(&self, input: usize, batch: &Batch) -> Result<Vec<i64>> {
        let JoinUntil { column, after_ms } = self.until(input);
        let (times, nulls) = times_ms(batch.column(column))?;
        let stamp = |(row, time): (usize, &i64)| match &nulls {
            Some(nulls) if nulls.is_null(row) => i64::MIN,
            _ => time.saturating_add(after_ms),
        };
        Ok(times.iter().enumerate().map(stamp).collect())
    }

    /// The stamps of the other input's rows that are not too far in time from a row with this stamp; of what else makes rows
    /// partners it says nothing. None of windows, whose rows all have the same time as their partners.
    pub(super) fn near(&self, input: usize, stamp: i64) -> Option<RangeInclusive<i64>> {
        let (own, other) = (self.until(input).after_ms, self.until(1 - input).after_ms);
        // One may be so much later than the other, and the other way round: together the length of the interval.
        if own.saturating_add(other) < 0 {
            return None;
        }
        // Times may have a finer unit than milliseconds.
        let last = stamp.saturating_add(other).saturating_add(1);
        let time = stamp.saturating_sub(own);
        Some(time.saturating_sub(1)..=last)
    }

    pub(super) fn is_letting_go(&self) -> bool {
        self.letting_go.is_some()
    }

    pub(super) fn begin(&mut self, watermark: EventTime) {
        if watermark > self.settled {
            let disk = None;
            self.letting_go = Some(LettingGo { watermark, disk });
        }
    }

    /// How far event time has come behind the join when it has come to `watermark` in front of it.
    pub(super) fn behind(&self, watermark: EventTime) -> EventTime {
        let waited_ms = self.spec.left.after_ms.max(self.spec.right.after_ms).max(0);
        match watermark.min(self.settled) {
            MAX_WATERMARK => MAX_WATERMARK,
            settled => settled.saturating_sub(waited_ms),
        }
    }

    /// How much later than their first row others on disk may go with it.
    fn patience_ms(&self) -> i64 {
        let kept_ms = self
            .spec
            .left
            .after_ms
            .saturating_add(self.spec.right.after_ms);
        kept_ms.max(0) / 4
    }
}

impl Join {
    /// Lets go what a watermark lets go, until there is some output or all is done.
    pub(super) fn let_go(&mut self, output: &mut Output) -> Result<()> {
        let Some(time) = &mut self.time else {
            return Ok(());
        };
        let Some(mut on_its_way) = time.letting_go.take() else {
            return Ok(());
        };
        let patience_ms = match on_its_way.watermark {
            MAX_WATERMARK => 0,
            _ => time.patience_ms(),
        };
        let before = on_its_way.before();
        loop {
            let gave = self.let_some_go(before, output)?;
            let Some(time) = &mut self.time else {
                return Ok(());
            };
            if gave {
                time.letting_go = Some(on_its_way);
                return Ok(());
            }
            let worth = before.saturating_sub(patience_ms);
            if !self.kept.sweep_on(&mut on_its_way.disk, before, worth)? {
                if !self.kept.is_due_on_disk(before) {
                    time.settled = on_its_way.watermark;
                }
                return Ok(());
            }
        }
    }

    /// Lets rows go that are in memory; true if there was something to say of them, and there may be more.
    fn let_some_go(&mut self, before: i64, output: &mut Output) -> Result<bool> {
        let mut gave = false;
        for input in 0..self.kept.sides.len() {
            let row_bytes = self.kept.sides[input].rows.row_bytes().max(1);
            let limit = (OUTPUT_BYTES / row_bytes).clamp(1, OUTPUT_ROWS);
            while !gave {
                let side = &mut self.kept.sides[input];
                let rows = side.take_due(before, limit);
                if rows.is_empty() {
                    break;
                }
                if pads(self.spec.kind, input) {
                    let alone = rows.iter().copied();
                    let alone: Vec<u32> =
                        alone.filter(|row| side.entry(*row).degree == 0).collect();
                    gave = !alone.is_empty();
                    self.give_alone(input, &alone, output)?;
                }
                for row in rows {
                    self.kept.sides[input].remove(row)?;
                }
            }
        }
        self.kept.settle()?;
        Ok(gave)
    }

    /// Gives kept rows that have found no partner.
    fn give_alone(&mut self, input: usize, rows: &[u32], output: &mut Output) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut columns = self.kept.sides[input].rows.gather(rows)?;
        if self.gives_pairs() {
            let fields = side_spec(&self.spec, 1 - input).rows.0.fields().iter();
            let nulls = fields.map(|field| new_null_array(field.data_type(), rows.len()));
            let nulls: Vec<ArrayRef> = nulls.collect();
            columns = side_by_side(input, columns, nulls);
        }
        self.emit(columns, vec![RowKind::Insert; rows.len()], output)
    }
}
