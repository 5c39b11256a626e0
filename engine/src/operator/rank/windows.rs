//! Rows of windows: a partition is there until event time has come to the end of its window.
//!
//! Then its rows go out, once, and are forgotten. Where rows are numbered as they come nothing can push them out
//! again; they have gone out by then, and are only forgotten.
//!
//! Partitions in memory are found by the last moment of their window. On disk all key groups are looked through when
//! a window ends, one after the other.

use std::sync::Arc;

use arrow::array::BooleanArray;

use super::Rank;
use super::changes::Changes;
use crate::element::Batch;
use crate::error::Result;
use crate::graph::RankWindow;
use crate::metrics::SubtaskMetrics;
use crate::operator::Output;
use crate::operator::keyed_rows::DiskSweep;
use crate::operator::watermarks::Watermarks;
use crate::operator::window::times_ms;
use crate::state::KeyedState;
use crate::time::{EventTime, MIN_WATERMARK};

/// So many partitions go at a time.
const PARTITIONS: usize = if cfg!(test) { 2 } else { 1 << 10 };

/// How far event time has closed windows.
pub(super) struct Windows {
    pub(super) spec: RankWindow,
    metrics: Arc<SubtaskMetrics>,
    /// What is of a window that ends before it is late.
    watermark: EventTime,
    /// The same, in keyed state.
    saved: Watermarks,
    /// All windows have gone that this watermark closes.
    settled: EventTime,
    going: Option<Going>,
}

/// A watermark on its way.
struct Going {
    watermark: EventTime,
    /// Memory is done, this is what is left of the disk.
    disk: Option<DiskSweep>,
}

impl Windows {
    pub(super) fn new(
        spec: RankWindow,
        metrics: Arc<SubtaskMetrics>,
        state: &dyn KeyedState,
        max_parallelism: u32,
    ) -> Result<Self> {
        let saved = Watermarks::load(state, max_parallelism)?;
        Ok(Windows {
            spec,
            metrics,
            watermark: saved.current(),
            saved,
            settled: MIN_WATERMARK,
            going: None,
        })
    }

    /// The rows whose window is still open, with its last moment. `partition_by` is what partitions are formed by.
    pub(super) fn open(&self, batch: Batch, partition_by: &[usize]) -> Result<(Batch, Vec<i64>)> {
        let (times, nulls) = times_ms(batch.column(self.spec.column))?;
        let last = |(row, time): (usize, &i64)| match &nulls {
            Some(nulls) if nulls.is_null(row) => i64::MIN,
            _ => time.saturating_add(self.spec.last_ms),
        };
        let mut stamps: Vec<i64> = times.iter().enumerate().map(last).collect();
        let mut open: Vec<bool> = stamps.iter().map(|s| *s >= self.watermark).collect();
        if self.saved.differ() {
            let keys = partition_by.iter();
            let keys: Vec<_> = keys.map(|key| batch.column(*key).clone()).collect();
            let floors = self.saved.floors_of(&keys, batch.num_rows())?;
            for ((open, stamp), floor) in open.iter_mut().zip(&stamps).zip(floors) {
                *open &= *stamp >= floor;
            }
        }
        let late = open.iter().filter(|open| !**open).count();
        if late == 0 {
            return Ok((batch, stamps));
        }
        self.metrics.late_rows.add(late as u64);
        let mut is_open = open.iter();
        stamps.retain(|_| is_open.next().is_some_and(|open| *open));
        Ok((batch.filter(&BooleanArray::from(open))?, stamps))
    }

    pub(super) fn begin(&mut self, watermark: EventTime) {
        self.watermark = self.watermark.max(watermark);
        self.saved.pass(watermark);
        if watermark > self.settled {
            let disk = None;
            self.going = Some(Going { watermark, disk });
        }
    }

    pub(super) fn save(&mut self, state: &mut dyn KeyedState) -> Result<()> {
        self.saved.save(self.watermark, state)
    }

    pub(super) fn is_going(&self) -> bool {
        self.going.is_some()
    }

    /// How far event time has come behind the operator.
    pub(super) fn behind(&self, watermark: EventTime) -> EventTime {
        match self.spec.at_end {
            true => watermark.min(self.settled),
            false => watermark,
        }
    }
}

impl Rank {
    /// Lets windows go that a watermark closes, until there is some output or all is done.
    pub(super) fn let_go(&mut self, output: &mut Output) -> Result<()> {
        let Some(windows) = &mut self.windows else {
            return Ok(());
        };
        let Some(mut going) = windows.going.take() else {
            return Ok(());
        };
        // A window whose last moment is the watermark may get more.
        let before = going.watermark.saturating_sub(1);
        loop {
            let gave = self.let_some_go(before, output)?;
            let Some(windows) = &mut self.windows else {
                return Ok(());
            };
            if gave {
                windows.going = Some(going);
                return Ok(());
            }
            if !self.kept.sweep_on(&mut going.disk, before, before)? {
                windows.settled = going.watermark;
                return Ok(());
            }
        }
    }

    /// Lets partitions go that are in memory; true if there was something to give of them, and there may be more.
    fn let_some_go(&mut self, before: i64, output: &mut Output) -> Result<bool> {
        self.follow();
        let mut gave = false;
        while !gave {
            let side = &mut self.kept.sides[super::INPUT];
            let partitions = side.take_due_keys(before, PARTITIONS);
            if partitions.is_empty() {
                break;
            }
            let rows = &mut self.ranks.rows;
            rows.resize(self.kept.keys.table.capacity());
            rows.take_up(&partitions, side)?;
            gave = self.give_whole(&partitions, output)?;
            for partition in partitions {
                for row in self.ranks.rows.split_off(partition, 0) {
                    self.kept.sides[super::INPUT].remove(row)?;
                }
            }
        }
        self.kept.settle()?;
        Ok(gave)
    }

    /// Gives what is to be passed on of partitions that go, if it has not gone out before.
    fn give_whole(&mut self, partitions: &[u32], output: &mut Output) -> Result<bool> {
        let at_end = self.windows.as_ref().is_some_and(|w| w.spec.at_end);
        if !at_end {
            return Ok(false);
        }
        let mut changes = Changes::new(&self.spec);
        let (mut passed, mut gave) = (Vec::new(), false);
        for partition in partitions {
            self.ranks.passed(*partition, &mut passed);
            changes.add(&[], &passed);
            gave |= !passed.is_empty();
            if changes.len() >= super::OUTPUT_ROWS {
                self.emit(&mut changes, output)?;
            }
        }
        self.emit(&mut changes, output)?;
        Ok(gave)
    }
}
