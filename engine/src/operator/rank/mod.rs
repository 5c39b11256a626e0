//! Numbers rows in order within partitions, and passes on the first ones: Top-N, deduplication, LIMIT.
//!
//! ```text
//!   rows of a batch ──▶ numbers of partitions ──▶ places in their order (`ranks`) ──▶ what is passed on now
//!        │                                                                                 and was not before
//!        └──▶ kept as they came (`keyed_rows`)
//! ```
//!
//! Partitions that are of windows are there until their window ends (`windows`).
//!
//! What comes out is the difference that a batch makes: whatever happens to a partition within it, a row goes out
//! once at most. If rows only ever come, those that no number is left for are forgotten at once; else all
//! of them are kept, since any may move up.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;

use super::aggregate::persist::key_groups;
use super::keyed_rows::{Arrival, Kept, Side, comes};
use super::ordered_rows::Place;
use super::{Operator, OperatorContext, Output};
use crate::element::{Batch, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::RankSpec;
use crate::key::KeyGroup;
use crate::state::KeyedState;
use crate::time::EventTime;
use changes::Changes;
use ranks::{Ranked, Ranks};
use windows::Windows;

mod changes;
mod ranks;
#[cfg(test)]
mod tests;
mod windows;

/// So many rows of output are gathered at a time.
const OUTPUT_ROWS: usize = if cfg!(test) { 7 } else { 1 << 14 };

/// The only input.
const INPUT: usize = 0;

/// The rows with the first numbers of each partition.
pub(super) struct Rank {
    spec: RankSpec,
    output: SchemaRef,
    batch_rows: usize,
    kept: Kept,
    ranks: Ranks,
    windows: Option<Windows>,
    /// How often memory had been emptied when the order was last known.
    emptied: u64,
    /// Scratch: the partition of each row of a batch.
    partitions: Vec<u32>,
}

/// What a batch does.
struct Step<'a> {
    batch: &'a Batch,
    /// By row.
    groups: Vec<KeyGroup>,
    contents: Vec<u128>,
    places: Vec<Place>,
    /// By row: when it last changed, or the last moment of its window.
    stamps: Vec<i64>,
    /// The partitions that it touches, in order of their first row, with what was passed on of them before.
    before: Vec<(u32, Vec<Ranked>)>,
    /// Rows that it has taken out, whose columns may have to go out once more.
    gone: Vec<u32>,
}

impl Rank {
    pub(super) fn new(
        spec: &RankSpec,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let columns = spec.rows.0.fields().len() + usize::from(spec.number);
        if output.fields().len() != columns || spec.from == 0 || spec.to < spec.from {
            return Err(EngineError::internal(format!(
                "numbers {} to {} of rows in {columns} columns, for {} output fields",
                spec.from,
                spec.to,
                output.fields().len()
            )));
        }
        let batch_rows = context.batch_rows.max(1);
        let mut side = Side::new(&spec.rows.0, &spec.partition_by, spec.updating, false)?;
        if let Some(window) = spec.window {
            if spec.ttl_ms > 0 || !spec.partition_by.contains(&window.column) {
                return Err(EngineError::internal(
                    "a partition of a window goes with that, and with nothing else",
                ));
            }
            side = side.by_time_of_keys();
        }
        let windows = match (spec.window, &context.state) {
            (Some(window), Some(state)) => Some(Windows::new(
                window,
                context.metrics.clone(),
                state.as_ref(),
                context.max_parallelism,
            )?),
            _ => None,
        };
        let kept = Kept::new(vec![side], spec.ttl_ms, context)?;
        Ok(Rank {
            ranks: Ranks::new(spec)?,
            output: output.clone(),
            batch_rows,
            emptied: kept.emptied,
            kept,
            windows,
            spec: spec.clone(),
            partitions: Vec::new(),
        })
    }

    fn step<'a>(&self, batch: &'a Batch, stamps: Vec<i64>) -> Result<Step<'a>> {
        let keys = self.spec.partition_by.iter();
        let keys: Vec<ArrayRef> = keys.map(|k| batch.column(*k).clone()).collect();
        let rows = batch.num_rows();
        Ok(Step {
            groups: key_groups(&keys, rows, self.kept.keys.max_parallelism)?,
            contents: self.kept.sides[INPUT].contents_of(batch.rows())?,
            places: self.ranks.rows.places_of(batch.rows().columns(), rows)?,
            batch,
            stamps,
            before: Vec::new(),
            gone: Vec::new(),
        })
    }

    /// The rows of a batch that come and may be passed on.
    fn worth_keeping(&self, step: &Step<'_>) -> Vec<u32> {
        let rows = 0..step.batch.num_rows();
        let kept = rows.filter(|row| {
            let partition = self.partitions[*row];
            self.spec.updating || self.ranks.may_matter(partition, &step.places[*row])
        });
        let kept = kept.filter(|row| comes(step.batch, *row));
        kept.map(|row| row as u32).collect()
    }

    /// Notes what is passed on of the partitions of some rows, before that changes.
    fn note_before(&self, rows: impl Iterator<Item = usize>, step: &mut Step<'_>) {
        let mut seen = hashbrown::HashSet::new();
        for row in rows {
            let partition = self.partitions[row];
            if seen.insert(partition) {
                let mut passed = Vec::new();
                self.ranks.passed(partition, &mut passed);
                step.before.push((partition, passed));
            }
        }
    }

    /// Takes in the rows that come, and out those that go.
    fn keep(&mut self, step: &mut Step<'_>) -> Result<()> {
        let kept = self.worth_keeping(step);
        let goes = |row: &usize| !comes(step.batch, *row);
        let gone: Vec<usize> = match self.spec.updating {
            true => (0..step.batch.num_rows()).filter(goes).collect(),
            false => Vec::new(),
        };
        let mut touched: Vec<usize> = kept.iter().map(|row| *row as usize).collect();
        touched.extend(gone);
        touched.sort_unstable();
        self.note_before(touched.iter().copied(), step);
        let side = &mut self.kept.sides[INPUT];
        let rows = side.add(step.batch.rows(), &kept, &step.contents)?;
        let mut added = kept.into_iter().zip(rows).peekable();
        for row in touched {
            match added.next_if(|(at, _)| *at as usize == row) {
                Some((_, number)) => self.come(row, number, step)?,
                None => self.go(row, step)?,
            }
        }
        if !self.spec.updating {
            self.forget_last(step)?;
        }
        Ok(())
    }

    fn come(&mut self, row: usize, number: u32, step: &mut Step<'_>) -> Result<()> {
        let arrival = Arrival {
            key: self.partitions[row],
            degree: 0,
            id: self.kept.ids.next(step.groups[row])?,
            stamp: step.stamps[row],
        };
        let side = &mut self.kept.sides[INPUT];
        side.link(number, arrival);
        side.touch(number, 0, arrival.stamp);
        let place = std::mem::take(&mut step.places[row]);
        self.ranks
            .rows
            .insert(arrival.key, number, place, arrival.id);
        Ok(())
    }

    fn go(&mut self, row: usize, step: &mut Step<'_>) -> Result<()> {
        // Else it has expired.
        if let Some(number) = self.kept.sides[INPUT].find(step.contents[row]) {
            self.take_out(self.partitions[row], number, step)?;
        }
        Ok(())
    }

    fn take_out(&mut self, partition: u32, number: u32, step: &mut Step<'_>) -> Result<()> {
        if !self.ranks.rows.remove(partition, number) {
            return Err(EngineError::internal("a row is not among those in order"));
        }
        step.gone.push(number);
        self.kept.sides[INPUT].unlink(number)
    }

    /// Forgets the rows that no number is left for.
    fn forget_last(&mut self, step: &mut Step<'_>) -> Result<()> {
        for (partition, _) in &step.before {
            for number in self.ranks.cut(*partition) {
                step.gone.push(number);
                self.kept.sides[INPUT].unlink(number)?;
            }
        }
        Ok(())
    }

    /// Gives what makes the rows before those after.
    fn give(&mut self, step: &Step<'_>, output: &mut Output) -> Result<()> {
        let mut changes = Changes::new(&self.spec);
        let mut after = Vec::new();
        for (partition, before) in &step.before {
            self.ranks.passed(*partition, &mut after);
            changes.add(before, &after);
            if changes.len() >= OUTPUT_ROWS {
                self.emit(&mut changes, output)?;
            }
        }
        self.emit(&mut changes, output)
    }

    fn emit(&mut self, changes: &mut Changes, output: &mut Output) -> Result<()> {
        let (rows, numbers, kinds) = changes.take();
        let parts = rows.chunks(OUTPUT_ROWS).zip(numbers.chunks(OUTPUT_ROWS));
        for ((rows, numbers), kinds) in parts.zip(kinds.chunks(OUTPUT_ROWS)) {
            let mut columns = self.kept.sides[INPUT].rows.gather(rows)?;
            if self.spec.number {
                columns.push(Arc::new(Int64Array::from(numbers.to_vec())));
            }
            let rows = rows_of(&self.output, columns, rows.len())?;
            let batch = Batch::with_kinds(rows, kinds.to_vec())?;
            output.emit_chunks(batch, self.batch_rows);
        }
        Ok(())
    }

    /// Forgets the order if the rows are no longer in memory.
    fn follow(&mut self) {
        if std::mem::replace(&mut self.emptied, self.kept.emptied) != self.kept.emptied {
            self.ranks.rows.clear();
        }
    }
}

impl Operator for Rank {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let (batch, stamps) = match &self.windows {
            Some(windows) => windows.open(batch, &self.spec.partition_by)?,
            None => {
                let stamps = vec![now_ms; batch.num_rows()];
                (batch, stamps)
            }
        };
        if batch.is_empty() {
            return Ok(());
        }
        let mut partitions = std::mem::take(&mut self.partitions);
        let interned = self.kept.intern(INPUT, &batch, &mut partitions);
        self.partitions = partitions;
        interned?;
        self.ranks.rows.resize(self.kept.keys.table.capacity());
        self.ranks
            .rows
            .take_up(&self.partitions, &mut self.kept.sides[INPUT])?;
        let mut step = self.step(&batch, stamps)?;
        self.keep(&mut step)?;
        if self.windows.as_ref().is_none_or(|w| !w.spec.at_end) {
            self.give(&step, output)?;
        }
        for number in std::mem::take(&mut step.gone) {
            self.kept.sides[INPUT].release(number)?;
        }
        self.kept.settle()?;
        self.kept.make_room(self.ranks.rows.size_bytes())?;
        self.follow();
        Ok(())
    }

    fn has_more(&self) -> bool {
        self.windows.as_ref().is_some_and(Windows::is_going)
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        self.let_go(output)
    }

    fn watermark(&mut self, watermark: EventTime, output: &mut Output) -> Result<()> {
        if let Some(windows) = &mut self.windows {
            windows.begin(watermark);
        }
        self.let_go(output)
    }

    fn output_watermark(&self, watermark: EventTime) -> EventTime {
        let windows = self.windows.as_ref();
        windows.map_or(watermark, |windows| windows.behind(watermark))
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.kept.next_sweep_ms
    }

    fn timer(&mut self, now_ms: i64, _output: &mut Output) -> Result<()> {
        let ranks = &mut self.ranks;
        self.kept.sweep(now_ms, &mut |partition, row| {
            // Of partitions that nothing has asked for the order is not known.
            ranks.rows.remove(partition, row);
        })?;
        self.follow();
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.kept.size_bytes() + self.ranks.rows.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        self.kept.save()?;
        if let Some(windows) = &mut self.windows {
            windows.save(self.kept.state.as_mut())?;
        }
        Ok(Some(self.kept.state.as_mut()))
    }
}
