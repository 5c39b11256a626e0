//! Watermarks per split: where a batch must be cut so that lateness does not depend on batching.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};

use crate::error::{EngineError, Result};
use crate::time::{EventTime, MIN_WATERMARK, WatermarkMerger};

/// The splits of one source subtask with their watermarks.
pub(super) struct Splits {
    pub merger: WatermarkMerger<Arc<str>>,
    active: Vec<(Arc<str>, i64)>,
    idle_timeout_ms: i64,
    /// No split comes later.
    bounded: bool,
}

/// One piece of a batch: rows, then perhaps a watermark that must precede the next piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub offset: usize,
    pub length: usize,
    /// The split's watermark in front of the next piece.
    pub cut: Option<EventTime>,
}

/// What a batch means for its split.
#[derive(Debug, PartialEq)]
pub(super) struct Cut {
    pub pieces: Vec<Piece>,
    /// Which rows are late; `None` if no row is.
    pub late: Option<BooleanArray>,
    /// The split's watermark after the batch.
    pub watermark: EventTime,
}

impl Splits {
    /// Those of a source, which may be `bounded`; one that says nothing for so long becomes idle, 0 never.
    pub fn new(idle_timeout_ms: u64, bounded: bool) -> Self {
        let idle_timeout_ms = i64::try_from(idle_timeout_ms).unwrap_or(i64::MAX);
        Splits {
            merger: WatermarkMerger::new([]),
            active: Vec::new(),
            idle_timeout_ms,
            bounded,
        }
    }

    pub fn add(&mut self, split: Arc<str>, watermark: Option<EventTime>, now_ms: i64) {
        self.merger
            .add(Arc::clone(&split), watermark.unwrap_or(MIN_WATERMARK));
        self.active.push((split, now_ms));
    }

    /// A split has said something.
    pub fn touch(&mut self, split: &Arc<str>, now_ms: i64) {
        if self.idle_timeout_ms > 0
            && let Some((_, last)) = self.active.iter_mut().find(|(s, _)| s == split)
        {
            *last = now_ms;
        }
    }

    /// A split has been read to its end; returns the merged watermark if that moved. The last split
    /// leaves time where it is: another may come (a file in a watched folder), and if none does,
    /// the end of the input says so.
    pub fn finish(&mut self, split: &Arc<str>) -> Option<EventTime> {
        self.active.retain(|(s, _)| s != split);
        let moved = match self.active.is_empty() {
            true => None,
            false => self.merger.end(split),
        };
        self.merger.forget(split);
        moved
    }

    /// Takes silent splits out of the minimum; returns the merged watermark if that moved.
    pub fn check_idle(&mut self, now_ms: i64) -> Option<EventTime> {
        if self.idle_timeout_ms <= 0 {
            return None;
        }
        let mut moved = None;
        for (split, last) in &self.active {
            if now_ms - last >= self.idle_timeout_ms && !self.merger.is_input_idle(split) {
                moved = self.merger.idle(split).or(moved);
            }
        }
        moved
    }

    /// Whether no split says anything about time: there is none (more splits may come), or all are
    /// silent. Then the others must not wait for this subtask. Where no more come, the end of the input says
    /// something next, and what it makes operators give would be late for those that have not waited.
    pub fn nobody_speaks(&self) -> bool {
        match self.active.is_empty() {
            true => !self.bounded,
            false => self.merger.is_idle(),
        }
    }

    /// In how many milliseconds the next split becomes idle.
    pub fn idle_in_ms(&self, now_ms: i64) -> Option<i64> {
        if self.idle_timeout_ms <= 0 {
            return None;
        }
        let live = self
            .active
            .iter()
            .filter(|(s, _)| !self.merger.is_input_idle(s));
        live.map(|(_, last)| (last + self.idle_timeout_ms - now_ms).max(0))
            .min()
    }
}

/// Finds the late rows of a batch, and where it must be cut.
///
/// `before` is the split's watermark ahead of the batch. A row is late if its time is before the
/// watermark that the rows ahead of it imply. The watermark stands in front of the first row that
/// is late by it; later rows that the same watermark makes late need no further cut.
pub(super) fn cut(times: &Int64Array, watermarks: &Int64Array, before: EventTime) -> Cut {
    let mut cutter = Cutter {
        running: before,
        announced: before,
        start: 0,
        pieces: Vec::new(),
        late: None,
    };
    let rows = times.len().min(watermarks.len());
    if times.null_count() == 0 && watermarks.null_count() == 0 {
        let both = times.values().iter().zip(watermarks.values());
        for (row, (time, watermark)) in both.enumerate() {
            if *time < cutter.running {
                cutter.late(row, rows);
            }
            cutter.running = cutter.running.max(*watermark);
        }
    } else {
        for (row, (time, watermark)) in times.iter().zip(watermarks).enumerate() {
            if time.is_some_and(|time| time < cutter.running) {
                cutter.late(row, rows);
            }
            cutter.running = cutter.running.max(watermark.unwrap_or(MIN_WATERMARK));
        }
    }
    cutter.pieces.push(Piece {
        offset: cutter.start,
        length: rows - cutter.start,
        cut: None,
    });
    Cut {
        pieces: cutter.pieces,
        late: cutter.late.map(BooleanArray::from),
        watermark: cutter.running,
    }
}

/// [`cut`] in the middle of a batch.
struct Cutter {
    /// What the rows so far imply.
    running: EventTime,
    /// What already stands in front of a row.
    announced: EventTime,
    /// Where the present piece begins.
    start: usize,
    pieces: Vec<Piece>,
    late: Option<Vec<bool>>,
}

impl Cutter {
    #[cold]
    fn late(&mut self, row: usize, rows: usize) {
        if let Some(late) = self
            .late
            .get_or_insert_with(|| vec![false; rows])
            .get_mut(row)
        {
            *late = true;
        }
        if self.running > self.announced {
            self.pieces.push(Piece {
                offset: self.start,
                length: row - self.start,
                cut: Some(self.running),
            });
            (self.start, self.announced) = (row, self.running);
        }
    }
}

/// A timestamp column in milliseconds, rounded down. NULL stays NULL.
pub(super) fn milliseconds(column: &ArrayRef) -> Result<Int64Array> {
    let raw = cast(column, &DataType::Int64)?;
    let raw = raw.as_primitive::<Int64Type>();
    Ok(match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => raw.unary(|v| v.saturating_mul(1_000)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => raw.clone(),
        DataType::Timestamp(TimeUnit::Microsecond, _) => raw.unary(|v| v.div_euclid(1_000)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => raw.unary(|v| v.div_euclid(1_000_000)),
        other => {
            return Err(EngineError::internal(format!(
                "a watermark on a column of type {other}"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(values: &[i64]) -> Int64Array {
        Int64Array::from(values.to_vec())
    }

    #[test]
    fn the_last_split_leaves_time_where_it_is() {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut splits = Splits::new(0, false);
        splits.add(Arc::clone(&a), None, 0);
        splits.merger.advance(&a, 10);
        assert_eq!(splits.finish(&a), None);
        assert_eq!(splits.merger.current(), 10);
        splits.add(Arc::clone(&b), None, 0);
        assert_eq!(splits.merger.advance(&b, 5), None);
        assert_eq!(splits.merger.advance(&b, 20), Some(20));
        splits.add(Arc::clone(&a), None, 0);
        splits.merger.advance(&b, 30);
        assert_eq!(
            splits.finish(&a),
            Some(30),
            "it no longer holds the other back"
        );
    }

    #[test]
    fn rows_in_order_need_no_cut() {
        let cut = cut(&some(&[10, 20, 30]), &some(&[6, 16, 26]), MIN_WATERMARK);
        assert_eq!(
            cut.pieces,
            [Piece {
                offset: 0,
                length: 3,
                cut: None
            }]
        );
        assert_eq!((cut.late, cut.watermark), (None, 26));
    }

    #[test]
    fn rows_without_a_time_are_never_late() {
        let times = Int64Array::from(vec![Some(10), None, Some(5), None]);
        let marks = Int64Array::from(vec![Some(10), None, Some(5), Some(40)]);
        let found = cut(&times, &marks, MIN_WATERMARK);
        let late = found.late.map(|l| l.iter().flatten().collect::<Vec<_>>());
        assert_eq!(late, Some(vec![false, false, true, false]));
        assert_eq!(found.watermark, 40);
    }

    #[test]
    fn the_watermark_stands_in_front_of_a_late_row_wherever_the_batch_ends() {
        let times = some(&[10, 30, 5, 31, 4, 60, 20]);
        let marks = some(&[10, 30, 5, 31, 4, 60, 20]);
        let whole = cut(&times, &marks, MIN_WATERMARK);
        let late = whole
            .late
            .as_ref()
            .map(|l| l.iter().map(|b| b == Some(true)).collect::<Vec<_>>());
        assert_eq!(
            late,
            Some(vec![false, false, true, false, true, false, true])
        );
        // Any batching finds the same late rows.
        for split in 1..times.len() {
            let rest = times.len() - split;
            let first = cut(
                &times.slice(0, split),
                &marks.slice(0, split),
                MIN_WATERMARK,
            );
            let second = cut(
                &times.slice(split, rest),
                &marks.slice(split, rest),
                first.watermark,
            );
            let flags = |c: &Cut, n: usize| match &c.late {
                Some(l) => l.iter().map(|b| b == Some(true)).collect(),
                None => vec![false; n],
            };
            let mut both: Vec<bool> = flags(&first, split);
            both.extend(flags(&second, rest));
            assert_eq!(Some(both), late);
            assert_eq!(second.watermark, whole.watermark);
        }
        assert_eq!(
            whole.pieces[0],
            Piece {
                offset: 0,
                length: 2,
                cut: Some(30)
            }
        );
        assert_eq!(
            whole.pieces[1],
            Piece {
                offset: 2,
                length: 2,
                cut: Some(31)
            }
        );
    }

    #[test]
    fn without_a_live_split_nobody_waits() {
        let a: Arc<str> = "a".into();
        let mut splits = Splits::new(0, false);
        assert!(
            splits.nobody_speaks(),
            "there may be fewer splits than subtasks"
        );
        splits.add(Arc::clone(&a), None, 0);
        assert!(!splits.nobody_speaks());
        splits.finish(&a);
        assert!(splits.nobody_speaks(), "until another file appears");

        let mut splits = Splits::new(0, true);
        assert!(!splits.nobody_speaks(), "the end of the input does");
        splits.add(Arc::clone(&a), None, 0);
        splits.finish(&a);
        assert!(!splits.nobody_speaks());
    }

    #[test]
    fn silent_splits_leave_the_minimum_and_come_back() {
        let mut splits = Splits::new(100, false);
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        splits.add(Arc::clone(&a), None, 0);
        splits.add(Arc::clone(&b), None, 0);
        splits.touch(&a, 90);
        splits.merger.advance(&a, 7);
        assert_eq!(splits.check_idle(100), Some(7), "b has been silent");
        assert_eq!(splits.idle_in_ms(100), Some(90));
        splits.merger.activate(&b);
        assert_eq!(
            splits.merger.advance(&a, 9),
            None,
            "b holds the watermark again"
        );
    }
}
