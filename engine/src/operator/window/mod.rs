//! Windows over time, and the slices that overlapping windows share.
//!
//! A slice is the longest stretch of time that no window boundary divides. Rows are aggregated per
//! slice; a window is the merge of its slices. A slice is named by its end, in milliseconds.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};

use crate::error::{EngineError, Result};
use crate::graph::WindowKind;

pub(crate) mod columns;
pub(crate) mod split;

#[cfg(test)]
mod tests;

/// Times beyond this (some 73 million years) are refused, so that no boundary overflows.
const TIME_LIMIT_MS: i64 = i64::MAX / 4;

/// The windows of a spec and their slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    shape: Shape,
    offset_ms: i64,
    size_ms: i64,
    slice_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A window starts every so many milliseconds.
    Hop(i64),
    Cumulate,
}

impl Windows {
    /// The windows of a kind other than SESSION.
    pub(crate) fn new(kind: &WindowKind) -> Result<Self> {
        let (shape, offset_ms, size_ms, slice_ms) = match *kind {
            WindowKind::Tumble { size_ms, offset_ms } => {
                (Shape::Hop(size_ms), offset_ms, size_ms, size_ms)
            }
            WindowKind::Hop {
                slide_ms,
                size_ms,
                offset_ms,
            } => {
                let slice_ms = greatest_common_divisor(slide_ms, size_ms);
                (Shape::Hop(slide_ms), offset_ms, size_ms, slice_ms)
            }
            WindowKind::Cumulate {
                step_ms,
                size_ms,
                offset_ms,
            } => (Shape::Cumulate, offset_ms, size_ms, step_ms),
            WindowKind::Session { .. } => {
                return Err(EngineError::internal("sessions have no slices"));
            }
        };
        let period_ms = match shape {
            Shape::Hop(slide_ms) => slide_ms,
            Shape::Cumulate => size_ms,
        };
        let lengths = [size_ms, slice_ms, period_ms];
        let fits = lengths.iter().all(|l| (1..TIME_LIMIT_MS).contains(l));
        if !fits || (shape == Shape::Cumulate && size_ms % slice_ms != 0) {
            return Err(EngineError::config(format!(
                "the window lengths {kind:?} are not supported"
            ))
            .with_hint(
                "lengths are positive, and the size of CUMULATE is a multiple of its step",
            ));
        }
        Ok(Windows {
            shape,
            offset_ms: offset_ms.rem_euclid(period_ms),
            size_ms,
            slice_ms,
        })
    }

    /// The end of the slice that a time belongs to.
    #[inline]
    pub(crate) fn slice_end(&self, time_ms: i64) -> i64 {
        let since = time_ms - self.offset_ms;
        since - since.rem_euclid(self.slice_ms) + self.offset_ms + self.slice_ms
    }

    /// The ends of the slices that times belong to. Neighbours mostly share theirs.
    pub(crate) fn slice_ends(&self, times_ms: &[i64]) -> Vec<i64> {
        let mut end = times_ms.first().map_or(0, |t| self.slice_end(*t));
        let of = |time: &i64| {
            if *time >= end || *time < end - self.slice_ms {
                end = self.slice_end(*time);
            }
            end
        };
        times_ms.iter().map(of).collect()
    }

    /// The ends of the windows that contain a slice, ascending. None when the slice lies between
    /// two windows of a HOP whose slide exceeds its size.
    pub(crate) fn window_ends(&self, slice_end: i64) -> impl Iterator<Item = i64> + use<> {
        let (first, step, last) = match self.shape {
            Shape::Hop(slide) => {
                let earliest = slice_end - self.size_ms - self.offset_ms;
                let start = earliest + (-earliest).rem_euclid(slide) + self.offset_ms;
                let last_start = slice_end - self.slice_ms;
                (start + self.size_ms, slide, last_start + self.size_ms)
            }
            Shape::Cumulate => {
                let last = self.start(slice_end) + self.size_ms;
                (slice_end, self.slice_ms, last)
            }
        };
        (0..)
            .map(move |n: i64| first + n * step)
            .take_while(move |end| *end <= last)
    }

    /// The end of the last window that contains a slice.
    pub(crate) fn last_end(&self, slice_end: i64) -> Option<i64> {
        match self.shape {
            Shape::Cumulate => Some(self.start(slice_end) + self.size_ms),
            Shape::Hop(slide) => {
                let latest = slice_end - self.slice_ms - self.offset_ms;
                let start = latest - latest.rem_euclid(slide) + self.offset_ms;
                let end = start + self.size_ms;
                (end >= slice_end).then_some(end)
            }
        }
    }

    /// The start of the window with this end.
    pub(crate) fn start(&self, window_end: i64) -> i64 {
        match self.shape {
            Shape::Hop(_) => window_end - self.size_ms,
            Shape::Cumulate => {
                let last = window_end - 1 - self.offset_ms;
                last - last.rem_euclid(self.size_ms) + self.offset_ms
            }
        }
    }

    /// How many slices a window has at most.
    pub(crate) fn slices_per_window(&self) -> i64 {
        self.size_ms / self.slice_ms
    }

    /// Numbers slices in order of time.
    pub(crate) fn slice_number(&self, slice_end: i64) -> i64 {
        (slice_end - self.offset_ms).div_euclid(self.slice_ms)
    }

    /// The end of the slice with this number.
    pub(crate) fn slice_end_of(&self, number: i64) -> i64 {
        number * self.slice_ms + self.offset_ms
    }

    /// Whether every window that begins with a slice goes on to contain the next ones until it
    /// ends, so that slices already fired together can be kept as one.
    pub(crate) fn is_cumulative(&self) -> bool {
        self.shape == Shape::Cumulate && self.slice_ms < self.size_ms
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs()
}

/// Times of a column in milliseconds (finer units are rounded down), and where they are NULL.
pub(crate) fn times_ms(column: &ArrayRef) -> Result<(ScalarBuffer<i64>, Option<NullBuffer>)> {
    let DataType::Timestamp(unit, _) = column.data_type() else {
        return Err(EngineError::internal(format!(
            "{} is not a type of event time",
            column.data_type()
        )));
    };
    let plain = compute::cast(column, &DataType::Int64)?;
    let values = plain.as_primitive::<Int64Type>().values();
    let times = match unit {
        TimeUnit::Millisecond => values.clone(),
        TimeUnit::Second => values.iter().map(|t| t.saturating_mul(1000)).collect(),
        TimeUnit::Microsecond => values.iter().map(|t| t.div_euclid(1000)).collect(),
        TimeUnit::Nanosecond => values.iter().map(|t| t.div_euclid(1_000_000)).collect(),
    };
    let nulls = plain.nulls().filter(|n| n.null_count() > 0).cloned();
    let times: ScalarBuffer<i64> = match &nulls {
        // What lies under a NULL is anything.
        Some(nulls) => times
            .iter()
            .zip(nulls)
            .map(|(t, v)| if v { *t } else { 0 })
            .collect(),
        None => times,
    };
    let fits = |time: &i64| (-TIME_LIMIT_MS..TIME_LIMIT_MS).contains(time);
    match times.iter().all(fits) {
        true => Ok((times, nulls)),
        false => Err(EngineError::data("an event time is out of range")
            .with_hint("times beyond some 70 million years from 1970 have no windows")),
    }
}
