//! Rows that go out in order, each once.
//!
//! Of a partition is kept what the functions need of the rows that have gone out: for those that go back to its
//! beginning what they have come to (a row of values), for others the rows that frames may still reach.

mod carried;
mod framed;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;

use super::SPAN_ROWS;
use crate::element::{Batch, rows_of};
use crate::error::Result;
use crate::graph::{OverForm, OverSpec};
use crate::metrics::SubtaskMetrics;
use crate::operator::aggregate::persist::key_groups;
use crate::operator::keyed_rows::Kept;
use crate::operator::ordered_rows::Place;
use crate::operator::waiting_rows::{Waiting, WaitingRows};
use crate::operator::watermarks::Watermarks;
use crate::operator::window::times_ms;
use crate::operator::{Operator, OperatorContext, Output};
use crate::state::KeyedState;
use crate::time::{EventTime, MAX_WATERMARK, MIN_WATERMARK};
use carried::CarriedCalls;
use framed::FramedCalls;

/// The inputs of what is kept: rows that have gone out, and what others have come to.
const ROWS: usize = 0;
const CARRIED: usize = 1;

/// Rows that go out in order.
pub(super) struct Forward {
    spec: OverSpec,
    output: SchemaRef,
    batch_rows: usize,
    metrics: Arc<SubtaskMetrics>,
    kept: Kept,
    framed: FramedCalls,
    carried: CarriedCalls,
    time: Option<Time>,
    /// How often memory had been emptied when the order was last known.
    emptied: u64,
    /// Scratch: the partition of each row.
    partitions: Vec<u32>,
}

/// Rows that wait for event time.
struct Time {
    column: usize,
    rows: WaitingRows,
    /// What is earlier is late.
    watermark: EventTime,
    /// The same, in keyed state.
    saved: Watermarks,
    /// All rows have gone out that this watermark lets go.
    settled: EventTime,
    going: bool,
}

/// Rows of a partition that go out now.
struct Going {
    partition: u32,
    /// Where they are among all that go out.
    rows: std::ops::Range<usize>,
}

/// Rows on their way out, by partition and in order.
struct Release {
    rows: RecordBatch,
    places: Vec<Place>,
    parts: Vec<Going>,
    now_ms: i64,
}

impl Forward {
    pub(super) fn new(
        spec: &OverSpec,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let framed = FramedCalls::new(spec)?;
        let carried = CarriedCalls::new(spec)?;
        let time = match (spec.form, spec.order_by.as_slice(), &context.state) {
            (OverForm::Time, [order, ..], Some(state)) => {
                let saved = Watermarks::load(state.as_ref(), context.max_parallelism)?;
                Some(Time {
                    column: order.column,
                    rows: WaitingRows::restore(&spec.rows.0, state.as_ref())?,
                    watermark: saved.current(),
                    saved,
                    settled: MIN_WATERMARK,
                    going: false,
                })
            }
            _ => None,
        };
        let batch_rows = context.batch_rows.max(1);
        let metrics = context.metrics.clone();
        let sides = vec![framed.side(spec)?, carried.side(spec)?];
        let kept = Kept::new(sides, 0, context)?;
        Ok(Forward {
            output: output.clone(),
            batch_rows,
            metrics,
            emptied: kept.emptied,
            kept,
            framed,
            carried,
            time,
            spec: spec.clone(),
            partitions: Vec::new(),
        })
    }

    /// Rows that came wait for their time; those that come too late, or have none, do not count.
    fn wait(&mut self, batch: &Batch) -> Result<()> {
        let Some(time) = &mut self.time else {
            return Ok(());
        };
        let (times, nulls) = times_ms(batch.column(time.column))?;
        let groups = groups_of(&self.spec, &self.kept, batch)?;
        let in_time = |row: &u32| {
            let row = *row as usize;
            let passed = time.watermark.max(time.saved.floor(groups[row]));
            nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) && times[row] >= passed
        };
        let rows: Vec<u32> = (0..batch.num_rows() as u32).filter(in_time).collect();
        let late = batch.num_rows() - rows.len();
        self.metrics.late_rows.add(late as u64);
        let mut waiting = Vec::with_capacity(rows.len());
        for row in &rows {
            let group = groups[*row as usize];
            waiting.push(Waiting {
                group,
                id: self.kept.ids.next(group)?,
                stamp: times[*row as usize],
            });
        }
        time.rows.add(batch.rows(), &rows, waiting.into_iter())
    }

    /// Lets rows go whose time has come, until there is some output or all are gone.
    fn go_on(&mut self, output: &mut Output) -> Result<()> {
        while let Some(time) = &mut self.time
            && time.going
        {
            let watermark = time.watermark;
            let state = self.kept.state.as_mut();
            let due = time
                .rows
                .take_due(watermark.saturating_sub(1), SPAN_ROWS, state)?;
            let Some((rows, ids)) = due else {
                time.going = false;
                time.settled = watermark;
                return self
                    .framed
                    .let_go(watermark.saturating_sub(1), &mut self.kept);
            };
            if self.release(rows, &ids, 0, output)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives rows, which come behind all that have gone out; true if there was something to give.
    fn release(
        &mut self,
        rows: RecordBatch,
        ids: &[u64],
        now_ms: i64,
        output: &mut Output,
    ) -> Result<bool> {
        let batch = Batch::inserts(rows);
        let mut partitions = std::mem::take(&mut self.partitions);
        let interned = self.kept.intern(ROWS, &batch, &mut partitions);
        self.partitions = partitions;
        interned?;
        self.framed.take_up(&self.partitions, &mut self.kept)?;
        let mut release = self.in_order(&batch, ids, now_ms)?;
        self.drop_late(&mut release)?;
        let gives = !release.parts.is_empty();
        if gives {
            let mut values: Vec<Option<ArrayRef>> = vec![None; self.spec.calls.len()];
            self.carried
                .compute(&self.spec, &release, &mut self.kept, &mut values)?;
            self.framed
                .compute(&self.spec, &release, &mut self.kept, &mut values)?;
            let mut columns = release.rows.columns().to_vec();
            columns.extend(values.into_iter().flatten());
            let rows = rows_of(&self.output, columns, release.rows.num_rows())?;
            output.emit_chunks(Batch::inserts(rows), self.batch_rows);
        }
        self.kept.settle()?;
        self.make_room()?;
        Ok(gives)
    }

    /// The rows by partition, and in order within each.
    fn in_order(&self, batch: &Batch, ids: &[u64], now_ms: i64) -> Result<Release> {
        let mut places = self
            .framed
            .order
            .places_of(batch.rows().columns(), batch.num_rows())?;
        for (place, id) in places.iter_mut().zip(ids) {
            place.id = *id;
        }
        let partitions = &self.partitions;
        let mut order: Vec<u32> = (0..batch.num_rows() as u32).collect();
        order.sort_unstable_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            let by_partition = partitions[a].cmp(&partitions[b]);
            by_partition.then_with(|| places[a].cmp(&places[b]))
        });
        let mut parts: Vec<Going> = Vec::new();
        for (at, row) in order.iter().enumerate() {
            let partition = partitions[*row as usize];
            match parts.last_mut() {
                Some(last) if last.partition == partition => last.rows.end = at + 1,
                _ => parts.push(Going {
                    partition,
                    rows: at..at + 1,
                }),
            }
        }
        let places = order
            .iter()
            .map(|row| std::mem::take(&mut places[*row as usize]));
        Ok(Release {
            places: places.collect(),
            rows: take_record_batch(batch.rows(), &UInt32Array::from(order))?,
            parts,
            now_ms,
        })
    }

    /// Drops rows that are no later than those of their partition that have gone out: they came while it was not
    /// known how far event time had been.
    fn drop_late(&mut self, release: &mut Release) -> Result<()> {
        if self.time.is_none() {
            return Ok(());
        }
        let last = self
            .carried
            .last_places(release, &mut self.kept, &self.framed.order)?;
        let mut kept: Vec<u32> = Vec::with_capacity(release.places.len());
        for (part, carried) in release.parts.iter().zip(last) {
            let framed = self.framed.last_place(part.partition);
            let last = [carried.as_ref(), framed];
            let is_late = |row: &usize| {
                let place = &release.places[*row];
                let behind = |last: &&Place| place.ties(last) || place < *last;
                last.iter().flatten().any(behind)
            };
            let late = part.rows.clone().take_while(is_late).count();
            kept.extend((part.rows.start + late..part.rows.end).map(|row| row as u32));
        }
        let late = release.places.len() - kept.len();
        if late > 0 {
            self.metrics.late_rows.add(late as u64);
            release.keep(&kept)?;
        }
        Ok(())
    }

    fn make_room(&mut self) -> Result<()> {
        let waiting = self.time.as_ref().map_or(0, |time| time.rows.size_bytes());
        self.kept
            .make_room(self.framed.order.size_bytes() + waiting)?;
        if std::mem::replace(&mut self.emptied, self.kept.emptied) != self.kept.emptied {
            self.framed.order.clear();
            if let Some(time) = &mut self.time {
                time.rows.spill(self.kept.state.as_mut())?;
            }
        }
        Ok(())
    }
}

impl Release {
    /// Drops all rows but those at `kept`, in order.
    fn keep(&mut self, kept: &[u32]) -> Result<()> {
        self.rows = take_record_batch(&self.rows, &UInt32Array::from(kept.to_vec()))?;
        let places = kept
            .iter()
            .map(|row| std::mem::take(&mut self.places[*row as usize]));
        self.places = places.collect();
        let mut kept = kept.iter().map(|row| *row as usize).peekable();
        let mut start = 0;
        for part in &mut self.parts {
            let rows = part.rows.clone();
            let count = std::iter::from_fn(|| kept.next_if(|row| rows.contains(row))).count();
            part.rows = start..start + count;
            start += count;
        }
        self.parts.retain(|part| !part.rows.is_empty());
        Ok(())
    }

    /// Whether a row is equal in order to the row before it.
    fn ties(&self, row: usize, form: OverForm) -> bool {
        // By arrival every row is another.
        form == OverForm::Time && row > 0 && self.places[row].ties(&self.places[row - 1])
    }
}

fn groups_of(spec: &OverSpec, kept: &Kept, batch: &Batch) -> Result<Vec<crate::key::KeyGroup>> {
    let keys = spec.partition_by.iter();
    let keys: Vec<ArrayRef> = keys.map(|key| batch.column(*key).clone()).collect();
    key_groups(&keys, batch.num_rows(), kept.keys.max_parallelism)
}

impl Operator for Forward {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        if self.time.is_some() {
            self.wait(&batch)?;
            return self.make_room();
        }
        let groups = groups_of(&self.spec, &self.kept, &batch)?;
        let ids = groups.into_iter().map(|group| self.kept.ids.next(group));
        let ids: Vec<u64> = ids.collect::<Result<_>>()?;
        let (rows, _) = batch.into_parts();
        self.release(rows, &ids, now_ms, output)?;
        Ok(())
    }

    fn has_more(&self) -> bool {
        self.time.as_ref().is_some_and(|time| time.going)
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        self.go_on(output)
    }

    fn watermark(&mut self, watermark: EventTime, output: &mut Output) -> Result<()> {
        if let Some(time) = &mut self.time
            && watermark > time.settled
        {
            // A restored operator may be ahead of what its input says again.
            time.watermark = time.watermark.max(watermark);
            time.saved.pass(time.watermark);
            time.going = true;
        }
        self.go_on(output)
    }

    fn output_watermark(&self, watermark: EventTime) -> EventTime {
        let time = self.time.as_ref();
        time.map_or(watermark, |time| watermark.min(time.settled))
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        self.watermark(MAX_WATERMARK, output)
    }

    fn memory_bytes(&self) -> usize {
        let waiting = self.time.as_ref().map_or(0, |time| time.rows.size_bytes());
        self.kept.size_bytes() + self.framed.order.size_bytes() + waiting
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        self.kept.save()?;
        if let Some(time) = &mut self.time {
            time.rows.save(self.kept.state.as_mut())?;
            time.saved.save(time.watermark, self.kept.state.as_mut())?;
        }
        Ok(Some(self.kept.state.as_mut()))
    }
}
