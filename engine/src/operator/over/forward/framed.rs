//! Functions whose frames begin within the partition: the rows that they may still reach are kept.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};

use super::{Going, ROWS, Release};
use crate::error::{EngineError, Result};
use crate::graph::{OverForm, OverSpec};
use crate::operator::keyed_rows::{Arrival, Kept, Side};
use crate::operator::ordered_rows::{OrderedRows, Place};
use crate::operator::over::calls::{Needs, columns_of, has_distances, needs};
use crate::operator::over::span::{Along, Part, Span};
use crate::operator::over::values::{Operands, values};

/// The functions, and which rows they need.
pub(super) struct FramedCalls {
    /// Their positions among all.
    calls: Vec<usize>,
    /// The columns that they read.
    columns: Vec<usize>,
    /// So many of the last rows of a partition are kept,
    rows: usize,
    /// or all,
    all: bool,
    /// and those that are reached for so long, in milliseconds.
    distance_ms: Option<i64>,
    /// The rows that have gone out and are kept, in order.
    pub(super) order: OrderedRows,
}

impl FramedCalls {
    pub(super) fn new(spec: &OverSpec) -> Result<Self> {
        let calls = spec.calls.iter().enumerate();
        let calls = calls.filter(|(_, call)| needs(call) != Needs::Carried);
        let calls: Vec<usize> = calls.map(|(at, _)| at).collect();
        let mut framed = FramedCalls {
            columns: columns_of(calls.iter().map(|at| &spec.calls[*at])),
            rows: 0,
            all: false,
            distance_ms: None,
            order: OrderedRows::new(&spec.order_by, &spec.rows.0)?,
            calls,
        };
        for call in &framed.calls {
            match needs(&spec.calls[*call]) {
                Needs::Carried => {}
                Needs::Rows(rows) => framed.rows = framed.rows.max(rows),
                Needs::All => framed.all = true,
                Needs::Distance(distance) => {
                    let distance_ms = milliseconds(spec, distance)?;
                    framed.distance_ms = framed.distance_ms.max(Some(distance_ms));
                }
            }
        }
        Ok(framed)
    }

    /// Where the rows are kept.
    pub(super) fn side(&self, spec: &OverSpec) -> Result<Side> {
        let side = Side::new(&spec.rows.0, &spec.partition_by, false, false)?;
        Ok(match self.goes_by_time() {
            true => side.by_time(),
            false => side,
        })
    }

    /// Whether event time alone says when rows are no longer needed.
    fn goes_by_time(&self) -> bool {
        self.distance_ms.is_some() && !self.all && self.rows == 0
    }

    pub(super) fn take_up(&mut self, partitions: &[u32], kept: &mut Kept) -> Result<()> {
        self.order.resize(kept.keys.table.capacity());
        match self.calls.is_empty() {
            true => Ok(()),
            false => self.order.take_up(partitions, &mut kept.sides[ROWS]),
        }
    }

    /// Where the last row of a partition stands that has gone out, if any is kept.
    pub(super) fn last_place(&self, partition: u32) -> Option<&Place> {
        let last = self.order.list(partition).last();
        last.map(|row| self.order.place(row))
    }

    /// Computes values, and keeps the rows.
    pub(super) fn compute(
        &mut self,
        spec: &OverSpec,
        release: &Release,
        kept: &mut Kept,
        found: &mut [Option<ArrayRef>],
    ) -> Result<()> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let new = self.keep(spec, release, kept)?;
        let (span, rows) = self.span(spec, release, &new, kept)?;
        let side = &mut kept.sides[ROWS];
        let columns = side.rows.gather_some(&rows, &self.columns)?;
        let column = |at: Option<usize>| {
            let place = at.and_then(|at| self.columns.binary_search(&at).ok());
            place.map(|place| columns[place].clone())
        };
        for at in &self.calls {
            let call = &spec.calls[*at];
            let default = match call.function {
                crate::graph::OverFunction::Shift { default, .. } => default,
                _ => None,
            };
            let operands = Operands {
                argument: column(call.argument),
                filter: column(call.filter),
                default: column(default),
                ..Operands::default()
            };
            found[*at] = Some(values(call, &span, &operands, false)?.column);
        }
        for (part, numbers) in release.parts.iter().zip(parts_of(release, &new)) {
            for (row, number) in part.rows.clone().zip(numbers) {
                let place = release.places[row].clone();
                let id = place.id;
                self.order.insert(part.partition, *number, place, id);
            }
            self.forget(part, kept)?;
        }
        Ok(())
    }

    /// Adds the rows to those that are kept.
    fn keep(&self, spec: &OverSpec, release: &Release, kept: &mut Kept) -> Result<Vec<u32>> {
        let stamps: Vec<i64> = match (self.distance_ms, spec.order_by.as_slice()) {
            (Some(distance_ms), [order]) => {
                let column = release.rows.column(order.column);
                let (times, _) = crate::operator::window::times_ms(column)?;
                let until = times.iter().map(|time| time.saturating_add(distance_ms));
                until.collect()
            }
            _ => vec![release.now_ms; release.rows.num_rows()],
        };
        let side = &mut kept.sides[ROWS];
        let all: Vec<u32> = (0..release.rows.num_rows() as u32).collect();
        let numbers = side.add(&release.rows, &all, &[])?;
        for part in &release.parts {
            for row in part.rows.clone() {
                let number = numbers[row];
                let arrival = Arrival {
                    key: part.partition,
                    degree: 0,
                    id: release.places[row].id,
                    stamp: stamps[row],
                };
                side.link(number, arrival);
                side.touch(number, 0, arrival.stamp);
            }
        }
        Ok(numbers)
    }

    /// The kept rows of each partition followed by those that go out.
    fn span(
        &self,
        spec: &OverSpec,
        release: &Release,
        new: &[u32],
        kept: &mut Kept,
    ) -> Result<(Span, Vec<u32>)> {
        let mut span = Span::default();
        let mut rows: Vec<u32> = Vec::new();
        for (part, numbers) in release.parts.iter().zip(parts_of(release, new)) {
            let start = rows.len();
            let before = self.order.list(part.partition).iter();
            let mut last: Option<&Place> = None;
            for row in before {
                let place = self.order.place(row);
                let ties = last.is_some_and(|last| last.ties(place));
                span.ties.push(ties && spec.form == OverForm::Time);
                last = Some(place);
                rows.push(row);
            }
            let first = rows.len();
            rows.extend(numbers);
            // A row that goes out is later than all before it.
            let ties = part.rows.clone();
            let ties = ties.map(|row| row > part.rows.start && release.ties(row, spec.form));
            span.ties.extend(ties);
            span.parts.push(Part {
                rows: start..rows.len(),
                wanted: first..rows.len(),
                carried: false,
            });
        }
        let mut calls = self.calls.iter().map(|at| &spec.calls[*at]);
        if let [order] = spec.order_by.as_slice()
            && calls.any(has_distances)
        {
            let along = kept.sides[ROWS].rows.gather_some(&rows, &[order.column])?;
            let along = along.first();
            let along = along.ok_or_else(|| EngineError::internal("the order has no column"))?;
            span.along = Some(Along::of(along, order.descending)?);
        }
        Ok((span, rows))
    }

    /// Forgets rows that no frame of a row to come reaches, which is no earlier than the last one.
    fn forget(&mut self, part: &Going, kept: &mut Kept) -> Result<()> {
        if self.all || self.goes_by_time() {
            return Ok(());
        }
        let list = self.order.list(part.partition);
        let more = list.len().saturating_sub(self.rows);
        let side = &mut kept.sides[ROWS];
        let last = list.last().map_or(i64::MIN, |row| side.entry(row).stamp);
        // Both stamps are as much behind the times of their rows.
        let reached = |row: &u32| match self.distance_ms {
            Some(distance_ms) => side.entry(*row).stamp >= last.saturating_sub(distance_ms),
            None => false,
        };
        let gone: Vec<u32> = list
            .iter()
            .take(more)
            .take_while(|row| !reached(row))
            .collect();
        for row in gone {
            self.order.remove(part.partition, row);
            side.remove(row)?;
        }
        Ok(())
    }

    /// Forgets the rows that the watermark lets go.
    pub(super) fn let_go(&mut self, before: i64, kept: &mut Kept) -> Result<()> {
        if !self.goes_by_time() {
            return Ok(());
        }
        self.let_go_in_memory(before, kept)?;
        let patience_ms = self.distance_ms.unwrap_or_default() / 4;
        let patience_ms = if before == i64::MAX - 1 {
            0
        } else {
            patience_ms
        };
        if kept.is_due_on_disk(before.saturating_sub(patience_ms)) {
            let mut sweep = kept.begin_sweep()?;
            self.order.clear();
            while kept.sweep_group(&mut sweep, before)? {
                self.let_go_in_memory(before, kept)?;
            }
        }
        Ok(())
    }

    fn let_go_in_memory(&mut self, before: i64, kept: &mut Kept) -> Result<()> {
        loop {
            let side = &mut kept.sides[ROWS];
            let due = side.take_due(before, super::SPAN_ROWS);
            if due.is_empty() {
                return kept.settle();
            }
            for row in due {
                self.order.remove(side.entry(row).key, row);
                side.remove(row)?;
            }
        }
    }
}

/// The numbers of the rows of each part.
fn parts_of<'a>(release: &'a Release, numbers: &'a [u32]) -> impl Iterator<Item = &'a [u32]> {
    let parts = release.parts.iter();
    parts.map(|part| &numbers[part.rows.clone()])
}

/// A distance in the order column in milliseconds, rounded up.
fn milliseconds(spec: &OverSpec, distance: i64) -> Result<i64> {
    let order = spec.order_by.first();
    let field = order.and_then(|order| spec.rows.0.fields().get(order.column));
    let data_type = field.map(|field| field.data_type());
    Ok(match data_type {
        Some(DataType::Timestamp(TimeUnit::Second, _)) => distance.saturating_mul(1000),
        Some(DataType::Timestamp(TimeUnit::Millisecond, _)) => distance,
        Some(DataType::Timestamp(TimeUnit::Microsecond, _)) => distance / 1000 + 1,
        Some(DataType::Timestamp(TimeUnit::Nanosecond, _)) => distance / 1_000_000 + 1,
        _ => return Err(EngineError::internal("distances that are not of time")),
    })
}
