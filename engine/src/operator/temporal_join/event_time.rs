//! Rows meet the version of their time, when the watermark has passed it.
//!
//! Both inputs are kept by time, so a watermark finds the rows that have waited for it, and the versions that
//! count from now on: those before them go. Moments are in the finer unit of the two times. On disk, where
//! there is no order by time, all key groups are looked through, some at a time, when the watermark has come far
//! enough to be worth it.

use arrow::array::{ArrayRef, AsArray as _};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};

use super::versions::{Version, Versions};
use super::{Change, LEFT, OUTPUT_BYTES, OUTPUT_ROWS, RIGHT, VersionedTable};
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::AsOf;
use crate::operator::keyed_rows::DiskSweep;
use crate::operator::{Operator, Output};
use crate::state::KeyedState;
use crate::time::{EventTime, MAX_WATERMARK, MIN_WATERMARK};

/// No row is later.
const LAST_MOMENT: i64 = i64::MAX - 1;

/// A temporal join in event time.
pub(super) struct EventTimeJoin {
    table: VersionedTable,
    as_of: AsOf,
    /// How many moments a millisecond has.
    per_ms: i64,
    /// All rows are out that this watermark lets out.
    settled: EventTime,
    letting_out: Option<LettingOut>,
    /// The furthest that a row has come ahead of the watermark, in moments.
    ahead: i64,
}

/// A watermark on its way.
struct LettingOut {
    watermark: EventTime,
    /// Memory is done, this is what is left of the disk.
    disk: Option<DiskSweep>,
}

impl EventTimeJoin {
    pub(super) fn new(table: VersionedTable, as_of: AsOf) -> Result<Self> {
        let (left, right) = (&table.spec.left.rows.0, &table.spec.right.rows.0);
        let columns = [(left, as_of.left), (right, as_of.right)];
        let mut per_ms = 1;
        for (schema, column) in columns {
            let field = schema.fields().get(column);
            let field = field.ok_or_else(|| EngineError::internal("a time is not a column"))?;
            per_ms = per_ms.max(moments_per_ms(field.data_type())?);
        }
        Ok(EventTimeJoin {
            table,
            as_of,
            per_ms,
            settled: MIN_WATERMARK,
            letting_out: None,
            ahead: 0,
        })
    }

    /// The last moment that a watermark has passed.
    fn passed(&self, watermark: EventTime) -> i64 {
        match watermark {
            MAX_WATERMARK => LAST_MOMENT,
            watermark => watermark.saturating_mul(self.per_ms).saturating_sub(1),
        }
    }

    /// The times of a column as moments, and where they are NULL.
    fn moments(&self, column: &ArrayRef) -> Result<(Vec<i64>, Option<NullBuffer>)> {
        let factor = match column.data_type() {
            DataType::Timestamp(TimeUnit::Second, _) => self.per_ms.saturating_mul(1000),
            other => self.per_ms / moments_per_ms(other)?.max(1),
        };
        let plain = cast(column, &DataType::Int64)?;
        let values = plain.as_primitive::<Int64Type>().values().iter();
        let moments = values.map(|time| time.saturating_mul(factor).min(LAST_MOMENT));
        let moments = moments.collect();
        let nulls = plain.nulls().filter(|nulls| nulls.null_count() > 0);
        Ok((moments, nulls.cloned()))
    }

    fn left(&mut self, batch: Batch, output: &mut Output) -> Result<()> {
        let table = &mut self.table;
        let nulls = batch.column(self.as_of.left).logical_nulls();
        if let Some(nulls) = nulls.as_ref().filter(|_| !table.spec.outer) {
            table.metrics.null_time_rows.add(nulls.null_count() as u64);
        }
        let missing = NullBuffer::union(nulls.as_ref(), table.null_keys(LEFT, &batch).as_ref());
        let batch = table.without(missing, batch, output)?;
        if batch.is_empty() {
            return Ok(());
        }
        let (moments, _) = self.moments(batch.column(self.as_of.left))?;
        let passed = self.passed(self.settled);
        let late = moments.iter().filter(|moment| **moment <= passed).count();
        let furthest = moments.iter().max().copied().unwrap_or(passed);
        if self.settled != MIN_WATERMARK {
            self.ahead = self.ahead.max(furthest.saturating_sub(passed));
        }
        let table = &mut self.table;
        table.metrics.late_rows.add(late as u64);
        table.intern(LEFT, &batch)?;
        let all: Vec<u32> = (0..batch.num_rows() as u32).collect();
        table.keep(LEFT, &batch, &all, |row| (moments[row as usize], false))?;
        table.kept.settle()?;
        if late > 0 {
            // They have waited long enough.
            let (watermark, disk) = (self.settled, None);
            self.letting_out = Some(LettingOut { watermark, disk });
            return self.let_out(output);
        }
        self.table.kept.make_room(0)
    }

    fn right(&mut self, batch: &Batch) -> Result<()> {
        let changes = self.table.changes(batch)?;
        let (moments, nulls) = self.moments(batch.column(self.as_of.right))?;
        let passed = self.passed(self.settled);
        let (mut kept, mut late, mut without_time) = (Vec::new(), 0, 0);
        for (row, change) in changes.iter().enumerate() {
            let has_time = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            match (change, has_time) {
                (Change::Nothing, _) => {}
                (Change::Begins, false) => without_time += 1,
                (Change::Ends, false) => return Err(ends_at_no_time()),
                (_, true) => {
                    late += u64::from(moments[row] <= passed);
                    kept.push(row as u32);
                }
            }
        }
        let table = &mut self.table;
        table.metrics.late_rows.add(late);
        table.metrics.null_time_rows.add(without_time);
        if !kept.is_empty() {
            table.intern(RIGHT, batch)?;
            table.keep(RIGHT, batch, &kept, |row| {
                let begins = changes[row as usize] == Change::Begins;
                (moments[row as usize], begins)
            })?;
            table.kept.settle()?;
        }
        table.kept.make_room(0)
    }

    /// Lets out what a watermark lets out, until there is some output or all is done.
    fn let_out(&mut self, output: &mut Output) -> Result<()> {
        let Some(mut on_its_way) = self.letting_out.take() else {
            return Ok(());
        };
        let passed = self.passed(on_its_way.watermark);
        let patience = match on_its_way.watermark {
            MAX_WATERMARK => 0,
            _ => self.ahead / 4,
        };
        loop {
            if self.let_some_out(passed, output)? {
                self.letting_out = Some(on_its_way);
                return Ok(());
            }
            self.forget_versions(passed)?;
            let kept = &mut self.table.kept;
            let more = match &mut on_its_way.disk {
                Some(disk) => {
                    // What stays of the last key group stays on disk.
                    kept.empty()?;
                    kept.sweep_group(disk, passed)?
                }
                None if kept.is_due_on_disk(passed.saturating_sub(patience)) => {
                    on_its_way.disk = Some(kept.begin_sweep()?);
                    true
                }
                None => false,
            };
            if !more {
                if !kept.is_due_on_disk(passed) {
                    self.settled = on_its_way.watermark;
                }
                return kept.make_room(0);
            }
        }
    }

    /// Lets out rows that are in memory; true if that gave something, and there may be more.
    fn let_some_out(&mut self, passed: i64, output: &mut Output) -> Result<bool> {
        let table = &mut self.table;
        let sides = &table.kept.sides;
        let row_bytes = sides[LEFT].rows.row_bytes() + sides[RIGHT].rows.row_bytes();
        let limit = (OUTPUT_BYTES / row_bytes.max(1)).clamp(1, OUTPUT_ROWS);
        let rows = table.kept.sides[LEFT].take_due(passed, limit);
        if rows.is_empty() {
            return Ok(false);
        }
        let [waiting, versioned] = table.kept.sides.as_slice() else {
            return Err(EngineError::internal("a temporal join has not two inputs"));
        };
        let mut versions = Versions::default();
        let at = |row: &u32| {
            let entry = waiting.entry(*row);
            versions.at(entry.key, entry.stamp, self.as_of.earlier, versioned)
        };
        let found: Vec<u32> = rows.iter().map(at).collect();
        let columns = table.kept.sides[LEFT].rows.gather(&rows)?;
        table.give(&columns, found, output)?;
        for row in rows {
            table.kept.sides[LEFT].remove(row)?;
        }
        table.kept.settle()?;
        Ok(true)
    }

    /// Forgets the versions that count for no row that is still to come: of each key all before the last one that
    /// has been passed, and that one too if there is no row.
    fn forget_versions(&mut self, passed: i64) -> Result<()> {
        let kept = &mut self.table.kept;
        let begun = kept.sides[RIGHT].take_due(passed, usize::MAX);
        if begun.is_empty() {
            return Ok(());
        }
        let side = &mut kept.sides[RIGHT];
        let mut versions = Versions::default();
        let mut forgotten = Vec::new();
        let mut seen = hashbrown::HashSet::new();
        for row in begun {
            let key = side.entry(row).key;
            if !seen.insert(key) {
                continue;
            }
            let own = versions.of(key, side);
            let own = own
                .get(..own.partition_point(|version| version.time <= passed))
                .unwrap_or_default();
            let stays = |version: &&Version| version.exists && Some(*version) == own.last();
            let goes = own.iter().filter(|version| !stays(version));
            forgotten.extend(goes.map(|version| version.row));
        }
        for row in forgotten {
            side.remove(row)?;
        }
        kept.settle()
    }
}

/// So many steps of a timestamp make a millisecond, 1 if that is less than one.
fn moments_per_ms(data_type: &DataType) -> Result<i64> {
    match data_type {
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, _) => Ok(1),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Ok(1000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Ok(1_000_000),
        other => Err(EngineError::internal(format!(
            "{other} is not a type of event time"
        ))),
    }
}

fn ends_at_no_time() -> EngineError {
    EngineError::data("a row of a temporal join's right side is deleted at no time: its event time is NULL")
        .with_detail("so nothing says which rows of the left side still meet the version before it")
        .with_hint(
            "let WATERMARK be on a column that deletes have too, such as ts TIMESTAMP_LTZ(3) METADATA FROM \
             'timestamp' of a Kafka table",
        )
}

impl Operator for EventTimeJoin {
    fn process(
        &mut self,
        input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        match (batch.is_empty(), input) {
            (true, _) => Ok(()),
            (false, LEFT) => self.left(batch, output),
            (false, _) => self.right(&batch),
        }
    }

    fn has_more(&self) -> bool {
        self.letting_out.is_some()
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        self.let_out(output)
    }

    fn watermark(&mut self, watermark: EventTime, output: &mut Output) -> Result<()> {
        if watermark > self.settled {
            let disk = None;
            self.letting_out = Some(LettingOut { watermark, disk });
        }
        self.let_out(output)
    }

    fn output_watermark(&self, watermark: EventTime) -> EventTime {
        watermark.min(self.settled)
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        self.watermark(MAX_WATERMARK, output)
    }

    fn memory_bytes(&self) -> usize {
        self.table.kept.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        self.table.kept.save()?;
        Ok(Some(self.table.kept.state.as_mut()))
    }
}
