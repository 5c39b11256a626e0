//! Watermarks per split: where a batch must be cut so that lateness does not depend on batching.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};

use crate::error::{EngineError, Result};
use crate::time::{EventTime, MIN_WATERMARK, WatermarkMerger};

/// The splits of one source subtask with their watermarks.
pub(super) struct Splits {
    pub merger: WatermarkMerger<Arc<str>>,
    active: Vec<(Arc<str>, i64)>,
    idle_timeout_ms: i64,
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
    pub fn new(idle_timeout_ms: u64) -> Self {
        let idle_timeout_ms = i64::try_from(idle_timeout_ms).unwrap_or(i64::MAX);
        Splits {
            merger: WatermarkMerger::new([]),
            active: Vec::new(),
            idle_timeout_ms,
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
pub(super) fn cut(times: &[Option<i64>], watermarks: &[Option<i64>], before: EventTime) -> Cut {
    let (mut running, mut announced) = (before, before);
    let mut pieces = Vec::new();
    let mut late: Option<Vec<bool>> = None;
    let mut start = 0;
    for (row, (time, watermark)) in times.iter().zip(watermarks).enumerate() {
        if let Some(time) = time
            && *time < running
        {
            late.get_or_insert_with(|| vec![false; times.len()])[row] = true;
            if running > announced {
                pieces.push(Piece {
                    offset: start,
                    length: row - start,
                    cut: Some(running),
                });
                (start, announced) = (row, running);
            }
        }
        if let Some(watermark) = watermark {
            running = running.max(*watermark);
        }
    }
    pieces.push(Piece {
        offset: start,
        length: times.len() - start,
        cut: None,
    });
    Cut {
        pieces,
        late: late.map(BooleanArray::from),
        watermark: running,
    }
}

/// A timestamp column in milliseconds, rounded down. NULL stays NULL.
pub(super) fn milliseconds(column: &ArrayRef) -> Result<Vec<Option<i64>>> {
    let divisor = match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => None,
        DataType::Timestamp(TimeUnit::Millisecond, _) => Some(1),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(1_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Some(1_000_000),
        other => {
            return Err(EngineError::internal(format!(
                "a watermark on a column of type {other}"
            )));
        }
    };
    let raw = cast(column, &DataType::Int64)?;
    let raw = raw.as_primitive::<Int64Type>();
    let convert = |value: i64| match divisor {
        Some(1) => value,
        Some(divisor) => value.div_euclid(divisor),
        None => value.saturating_mul(1_000),
    };
    if raw.null_count() == 0 {
        return Ok(raw.values().iter().map(|v| Some(convert(*v))).collect());
    }
    Ok(raw.iter().map(|v| v.map(convert)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(values: &[i64]) -> Vec<Option<i64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn the_last_split_leaves_time_where_it_is() {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut splits = Splits::new(0);
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
            let first = cut(&times[..split], &marks[..split], MIN_WATERMARK);
            let second = cut(&times[split..], &marks[split..], first.watermark);
            let flags = |c: &Cut, n: usize| match &c.late {
                Some(l) => l.iter().map(|b| b == Some(true)).collect(),
                None => vec![false; n],
            };
            let mut both: Vec<bool> = flags(&first, split);
            both.extend(flags(&second, times.len() - split));
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
    fn silent_splits_leave_the_minimum_and_come_back() {
        let mut splits = Splits::new(100);
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
