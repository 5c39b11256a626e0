//! The operator: rows in order, what is remembered of them, and when attempts are over.
//!
//! Of a partition are remembered the rows from the beginning of its attempt on, and those that conditions and
//! measures may look back to. What runs have come to is not: they go through the rows again when these are taken
//! up from keyed state.

mod notes;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;

use super::matcher::{Matcher, Work};
use super::partition::{NO_NOTE, Partition, Row};
use super::{RELEASE_ROWS, ROWS};
use crate::element::{Batch, rows_of};
use crate::error::Result;
use crate::graph::{PatternSpec, Reference};
use crate::key::KeyGroup;
use crate::metrics::SubtaskMetrics;
use crate::operator::aggregate::persist::key_groups;
use crate::operator::keyed_rows::{Arrival, Kept, Side};
use crate::operator::ordered_rows::Order;
use crate::operator::waiting_rows::{Waiting, WaitingRows};
use crate::operator::watermarks::Watermarks;
use crate::operator::window::times_ms;
use crate::operator::{Operator, OperatorContext, Output};
use crate::state::KeyedState;
use crate::time::{EventTime, MAX_WATERMARK, MIN_WATERMARK};
use notes::notes_schema;

/// What is remembered of a partition beside its rows.
const NOTES: usize = 1;
/// About what it takes to know when an attempt began.
const START_BYTES: usize = 32;

/// When an attempt is taken to have begun which no time ends, but only rows that are to come, or the end of them all.
const WAITS_FOR_ROWS: i64 = i64::MAX - 1;

/// Finds matches in streams.
pub(super) struct PatternOperator {
    spec: PatternSpec,
    matcher: Matcher,
    order: Order,
    batch_rows: usize,
    metrics: Arc<SubtaskMetrics>,
    kept: Kept,
    /// What is noted of partitions, if something is.
    notes: Option<SchemaRef>,
    /// Whether matches are counted.
    counts: bool,
    /// By number.
    partitions: Vec<Partition>,
    /// What they take, in bytes.
    partition_bytes: usize,
    /// When the attempts of partitions in memory began.
    starts: BTreeSet<(i64, u32)>,
    /// Not later than the attempts of those that were written to disk began.
    start_on_disk: i64,
    time: Option<Time>,
    /// How often memory had been emptied when partitions were last known.
    emptied: u64,
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

impl PatternOperator {
    pub(super) fn new(
        spec: &PatternSpec,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let matcher = Matcher::new(spec, output, &context.functions)?;
        let time = match (spec.order_by.first(), &context.state) {
            (Some(order), Some(state)) => {
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
        let counts = spec.measures.contains(&Reference::MatchNumber);
        let notes = (matcher.looks_back > 0 || counts).then(|| notes_schema(spec));
        let mut sides = vec![Side::new(&spec.rows.0, &spec.partition_by, false, false)?];
        if let Some(schema) = &notes {
            let keys: Vec<usize> = (0..spec.partition_by.len()).collect();
            sides.push(Side::new(schema, &keys, false, false)?);
        }
        let batch_rows = context.batch_rows.max(1);
        let metrics = context.metrics.clone();
        let kept = Kept::new(sides, 0, context)?;
        let mut operator = PatternOperator {
            order: Order::new(&spec.order_by, &spec.rows.0)?,
            spec: spec.clone(),
            matcher,
            batch_rows,
            metrics,
            emptied: kept.emptied,
            start_on_disk: i64::MAX,
            kept,
            notes,
            counts,
            partitions: Vec::new(),
            partition_bytes: 0,
            starts: BTreeSet::new(),
            time,
        };
        let restored = operator.kept.keys.table.groups();
        operator.take_up(&restored, &mut Output::default())?;
        operator.settle(&restored)?;
        Ok(operator)
    }

    /// Rows that came wait for their time; those that come too late, or have none, do not count.
    fn wait(&mut self, batch: &Batch) -> Result<()> {
        let groups = self.groups_of(batch.rows())?;
        let Some(time) = &mut self.time else {
            return Ok(());
        };
        let (times, nulls) = times_ms(batch.column(time.column))?;
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

    fn groups_of(&self, rows: &RecordBatch) -> Result<Vec<KeyGroup>> {
        let keys = self.spec.partition_by.iter();
        let keys: Vec<ArrayRef> = keys.map(|key| rows.column(*key).clone()).collect();
        key_groups(&keys, rows.num_rows(), self.kept.keys.max_parallelism)
    }

    /// Lets rows go whose time has come, and attempts that are over, until there is some output or all are gone.
    fn go_on(&mut self, output: &mut Output) -> Result<()> {
        while let Some(time) = &mut self.time
            && time.going
        {
            let watermark = time.watermark;
            let before = watermark.saturating_sub(1);
            let state = self.kept.state.as_mut();
            let gives = match time.rows.take_due(before, RELEASE_ROWS, state)? {
                Some((rows, ids)) => {
                    let (times, _) = times_ms(rows.column(time.column))?;
                    self.release(rows, &ids, &times, output)?
                }
                None => {
                    let more = self.let_go(watermark, output)?;
                    if let Some(time) = &mut self.time
                        && !more
                    {
                        time.going = false;
                        time.settled = watermark;
                    }
                    more
                }
            };
            if gives {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes rows, which come behind all that have been taken; true if there was something to give.
    fn release(
        &mut self,
        rows: RecordBatch,
        ids: &[u64],
        times: &[i64],
        output: &mut Output,
    ) -> Result<bool> {
        let mut numbers = Vec::new();
        self.kept
            .intern(ROWS, &Batch::inserts(rows.clone()), &mut numbers)?;
        let mut touched = numbers.clone();
        touched.sort_unstable();
        touched.dedup();
        self.take_up(&touched, output)?;
        let order = self.in_order(&rows, ids, &numbers)?;
        let groups = self.groups_of(&rows)?;
        let sorted = take_record_batch(&rows, &UInt32Array::from(order.clone()))?;
        let all: Vec<u32> = (0..order.len() as u32).collect();
        let added = self.kept.sides[ROWS].add(&sorted, &all, &[])?;
        let mut entering = Vec::with_capacity(order.len());
        for (row, number) in order.iter().zip(&added) {
            let row = *row as usize;
            entering.push(Entering {
                partition: numbers[row],
                number: *number,
                id: self.kept.ids.next(groups[row])?,
                time: times[row],
                linked: false,
            });
        }
        self.enter(&sorted, &entering)?;
        let gave = self.advance(&touched, i64::MIN, output)?;
        self.settle(&touched)?;
        self.make_room()?;
        Ok(gave)
    }

    /// The order of rows by partition, and within each.
    fn in_order(&self, rows: &RecordBatch, ids: &[u64], partitions: &[u32]) -> Result<Vec<u32>> {
        let mut order: Vec<u32> = (0..rows.num_rows() as u32).collect();
        let columns = self.order.columns.iter();
        let columns: Vec<ArrayRef> = columns.map(|c| rows.column(*c).clone()).collect();
        let mut places = match columns.is_empty() {
            true => vec![Default::default(); rows.num_rows()],
            false => self.order.places(&columns, rows.num_rows())?,
        };
        for (place, id) in places.iter_mut().zip(ids) {
            place.id = *id;
        }
        order.sort_unstable_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            let by_partition = partitions[a].cmp(&partitions[b]);
            by_partition.then_with(|| places[a].cmp(&places[b]))
        });
        Ok(order)
    }

    /// Puts rows, which are by partition and in order, behind those of their partitions.
    fn enter(&mut self, batch: &RecordBatch, entering: &[Entering]) -> Result<()> {
        let values = self.matcher.conditions.numbers(batch)?;
        for (entering, numbers) in entering.iter().zip(values) {
            self.partitions[entering.partition as usize].push(Row {
                number: entering.number,
                id: entering.id,
                time: entering.time,
                truth: 0,
                numbers,
                linked: entering.linked,
            });
        }
        Ok(())
    }

    /// Makes partitions known of which keyed state may have rows.
    fn take_up(&mut self, touched: &[u32], output: &mut Output) -> Result<()> {
        let capacity = self.kept.keys.table.capacity();
        let capacity = capacity.max(self.partitions.len());
        self.partitions.resize_with(capacity, Partition::default);
        let mut unknown = Vec::new();
        for partition in touched {
            let own = &mut self.partitions[*partition as usize];
            if !std::mem::replace(&mut own.known, true) {
                unknown.push(*partition);
            }
        }
        let mut entering = Vec::new();
        let mut starts = Vec::with_capacity(unknown.len());
        for partition in &unknown {
            let side = &self.kept.sides[ROWS];
            let mut rows: Vec<u32> = side.of_key(*partition).collect();
            rows.sort_unstable_by_key(|row| side.entry(*row).id);
            entering.extend(rows.into_iter().map(|number| Entering {
                partition: *partition,
                number,
                id: side.entry(number).id,
                time: side.entry(number).stamp,
                linked: true,
            }));
            starts.push(self.noted(*partition)?);
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let numbers: Vec<u32> = entering.iter().map(|e| e.number).collect();
        let rows = &mut self.kept.sides[ROWS].rows;
        let columns = rows.gather(&numbers)?;
        let batch = rows_of(rows.schema(), columns, numbers.len())?;
        self.enter(&batch, &entering)?;
        for (partition, note) in unknown.iter().zip(starts) {
            let own = &mut self.partitions[*partition as usize];
            own.noted = note;
            own.matches = note.1;
            let passed = own.rows().iter().take_while(|row| (row.id as i64) < note.0);
            let passed = passed.count() as u64;
            own.restart(passed);
        }
        self.advance(&unknown, i64::MIN, output)?;
        Ok(())
    }

    /// Lets runs go on, and remembers what is left; true if there was something to give.
    fn advance(&mut self, touched: &[u32], until: i64, output: &mut Output) -> Result<bool> {
        for partition in touched {
            let bytes = self.partitions[*partition as usize].size_bytes();
            self.partition_bytes = self.partition_bytes.saturating_sub(bytes);
        }
        let mut gone = Vec::new();
        let mut gave = false;
        let batch_rows = self.batch_rows;
        let mut give = |batch: Batch| {
            gave = true;
            output.emit_chunks(batch, batch_rows);
        };
        let rows = &mut self.kept.sides[ROWS].rows;
        let mut work = Work::new(&mut self.partitions, rows, &mut give, &mut gone, until);
        self.matcher.advance(touched, &mut work)?;
        let side = &mut self.kept.sides[ROWS];
        for (number, linked) in gone {
            match linked {
                true => side.remove(number)?,
                false => side.release(number)?,
            }
        }
        for partition in touched {
            let own = &mut self.partitions[*partition as usize];
            own.link(|row| {
                let arrival = Arrival {
                    key: *partition,
                    degree: 0,
                    id: row.id,
                    stamp: row.time,
                };
                side.link(row.number, arrival);
                side.touch(row.number, 0, row.time);
            });
            self.partition_bytes += own.size_bytes();
            let start = match own.waits_for_rows() {
                false => own.start_time(),
                true => Some(WAITS_FOR_ROWS),
            };
            let before = std::mem::replace(&mut own.counted_from, start);
            if before != start {
                before.map(|time| self.starts.remove(&(time, *partition)));
                start.map(|time| self.starts.insert((time, *partition)));
            }
        }
        self.note(touched)?;
        Ok(gave)
    }

    /// Forgets partitions of which nothing is left.
    fn settle(&mut self, touched: &[u32]) -> Result<()> {
        for partition in touched {
            let own = &mut self.partitions[*partition as usize];
            if own.rows().is_empty() && own.noted == NO_NOTE {
                // Its number may be another's soon.
                self.partition_bytes = self.partition_bytes.saturating_sub(own.size_bytes());
                *own = Partition::default();
            }
        }
        self.kept.settle()
    }

    /// Puts an end to attempts that began too long before; true if there may be more of them.
    fn let_go(&mut self, until: i64, output: &mut Output) -> Result<bool> {
        let before = match (until, self.matcher.within_ms) {
            (i64::MAX, _) => WAITS_FOR_ROWS,
            (_, Some(within)) => until.saturating_sub(within),
            // Only to know when they began.
            (_, None) => i64::MIN,
        };
        let due = self.starts.iter().take_while(|(time, _)| *time <= before);
        let due: Vec<u32> = due.take(RELEASE_ROWS).map(|(_, own)| *own).collect();
        if !due.is_empty() {
            self.advance(&due, until, output)?;
            self.settle(&due)?;
            self.make_room()?;
            return Ok(true);
        }
        if self.first_on_disk() <= before {
            self.sweep(before, until, output)?;
        }
        Ok(false)
    }

    /// The same of partitions that are on disk only.
    fn sweep(&mut self, before: i64, until: i64, output: &mut Output) -> Result<()> {
        let mut sweep = self.kept.begin_sweep()?;
        self.forget();
        self.start_on_disk = i64::MAX;
        while self.kept.sweep_group(&mut sweep, before)? {
            let found = self.kept.complete()?;
            if found.is_empty() {
                continue;
            }
            self.take_up(&found, output)?;
            self.advance(&found, until, output)?;
            self.settle(&found)?;
            self.kept.empty()?;
            self.forget();
        }
        Ok(())
    }

    /// Not later than the attempts of partitions began that are on disk.
    fn first_on_disk(&self) -> i64 {
        self.start_on_disk.min(self.kept.first_due_on_disk())
    }

    /// Forgets what is on disk now.
    fn forget(&mut self) {
        if let Some((first, _)) = self.starts.first() {
            self.start_on_disk = self.start_on_disk.min(*first);
        }
        self.starts.clear();
        self.partitions = Vec::new();
        self.partition_bytes = 0;
        self.emptied = self.kept.emptied;
    }

    fn own_bytes(&self) -> usize {
        let waiting = self.time.as_ref().map_or(0, |time| time.rows.size_bytes());
        self.partition_bytes + self.starts.len() * START_BYTES + waiting
    }

    fn make_room(&mut self) -> Result<()> {
        self.kept.make_room(self.own_bytes())?;
        if self.emptied != self.kept.emptied {
            self.forget();
            if let Some(time) = &mut self.time {
                time.rows.spill(self.kept.state.as_mut())?;
            }
        }
        Ok(())
    }

    /// The earliest moment at which an attempt began that is not over.
    fn first_start(&self) -> i64 {
        let first = self.starts.first().map_or(i64::MAX, |(first, _)| *first);
        first.min(self.first_on_disk())
    }
}

impl Operator for PatternOperator {
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
        let ids: Vec<u64> = (0..batch.num_rows() as u64).collect();
        let times = vec![now_ms; ids.len()];
        let (rows, _) = batch.into_parts();
        self.release(rows, &ids, &times, output)?;
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
        let Some(time) = &self.time else {
            return watermark;
        };
        let settled = watermark.min(time.settled);
        match self.spec.gives_time {
            true => settled.min(self.first_start()),
            false => settled,
        }
    }

    fn deadline_ms(&self) -> Option<i64> {
        let within = self.matcher.within_ms.filter(|_| self.time.is_none())?;
        let first = self.first_start();
        (first < WAITS_FOR_ROWS).then(|| first.saturating_add(within))
    }

    fn timer(&mut self, now_ms: i64, output: &mut Output) -> Result<()> {
        if self.time.is_some() || self.matcher.within_ms.is_none() {
            return Ok(());
        }
        while self.let_go(now_ms, output)? {}
        Ok(())
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        if self.time.is_some() {
            return self.watermark(MAX_WATERMARK, output);
        }
        while self.let_go(i64::MAX, output)? {}
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.kept.size_bytes() + self.own_bytes()
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

/// A row on its way into its partition.
struct Entering {
    partition: u32,
    number: u32,
    id: u64,
    time: i64,
    linked: bool,
}
