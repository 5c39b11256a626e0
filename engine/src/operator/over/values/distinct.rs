//! COUNT, SUM and AVG over the distinct values of a frame.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::aggregates::{exact, exact_result};
use super::{Operands, Values, argument, counted, plain};
use crate::error::{EngineError, Result};
use crate::graph::{AggregateFunction, OverCall, OverFunction};
use crate::operator::aggregate::lane::{Codec, Lane, Values as LaneValues, lane_to_float};
use crate::operator::aggregate::rows::EncodedRows;
use crate::operator::over::span::Span;

/// In the place of a value that does not count.
const NONE: u32 = u32::MAX;

pub(super) fn values(call: &OverCall, span: &Span, operands: &Operands) -> Result<Values> {
    let OverFunction::Aggregate(function) = call.function else {
        return Err(EngineError::internal(
            "only aggregates are of distinct values",
        ));
    };
    let column = argument(call, operands)?;
    let lane = Codec::new(column.data_type())?.encode_argument(column)?;
    let numbers = numbered(&lane, &counted(span, operands))?;
    let frames = span.frames(&call.frame)?;
    if function == AggregateFunction::Count {
        let mut seen = Seen::new(&numbers);
        let counts = frames.into_iter().map(|frame| {
            seen.slide(frame, &mut |_| {}, &mut |_| {});
            seen.count
        });
        let counts: ArrayRef = Arc::new(Int64Array::from_iter_values(counts));
        return Ok(counts.into());
    }
    if column.data_type().is_floating() {
        return Ok(float(function, &lane, &numbers, &frames).into());
    }
    let values = exact(&lane, column.data_type());
    let mut seen = Seen::new(&numbers);
    let mut sums = Vec::with_capacity(frames.len());
    let mut fits = true;
    for frame in frames {
        let mut sum: i128 = sums.last().map_or(0, |(sum, _)| *sum);
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        seen.slide(frame, &mut |row| added.push(row), &mut |row| {
            removed.push(row)
        });
        for row in added {
            let (next, over) = sum.overflowing_add(values(row));
            (sum, fits) = (next, fits && !over);
        }
        for row in removed {
            let (next, over) = sum.overflowing_sub(values(row));
            (sum, fits) = (next, fits && !over);
        }
        sums.push((sum, seen.count));
    }
    let call = plain(call, function);
    let sums = sums
        .into_iter()
        .map(|(sum, count)| (fits.then_some(sum), count));
    Ok(exact_result(&call, sums)?.into())
}

/// Sums of floats are added up anew, since nothing takes a float back.
fn float(
    function: AggregateFunction,
    lane: &Lane,
    numbers: &[u32],
    frames: &[Range<usize>],
) -> ArrayRef {
    let value = |row: usize| match &lane.values {
        LaneValues::I64(values) => lane_to_float(values[row]),
        _ => 0.0,
    };
    let mut last: Vec<usize> = vec![usize::MAX; numbers.len()];
    let sums = frames.iter().enumerate().map(|(at, frame)| {
        let (mut sum, mut count) = (0.0, 0);
        for row in frame.clone().filter(|row| numbers[*row] != NONE) {
            if std::mem::replace(&mut last[numbers[row] as usize], at) != at {
                sum += value(row);
                count += 1;
            }
        }
        let average = function == AggregateFunction::Avg;
        (count > 0).then(|| if average { sum / f64::from(count) } else { sum })
    });
    Arc::new(sums.collect::<Float64Array>())
}

/// Numbers of values, equal where they are equal; [`NONE`] where a row does not count.
fn numbered(lane: &Lane, counted: &[bool]) -> Result<Vec<u32>> {
    let encoded = EncodedRows::encode(std::slice::from_ref(lane), counted.len(), |_| &[])?;
    let mut table: HashTable<(u32, u32)> = HashTable::new();
    let mut numbers = Vec::with_capacity(counted.len());
    for (row, counts) in counted.iter().enumerate() {
        if !counts {
            numbers.push(NONE);
            continue;
        }
        let hash = |row: u32| xxh3_64(encoded.row(row as usize));
        let same = |(other, _): &(u32, u32)| encoded.row(*other as usize) == encoded.row(row);
        let next = table.len() as u32;
        let entry = table.entry(hash(row as u32), same, |(row, _)| hash(*row));
        numbers.push(entry.or_insert((row as u32, next)).get().1);
    }
    Ok(numbers)
}

/// How often the values of a frame are there.
struct Seen<'a> {
    numbers: &'a [u32],
    times: Vec<u32>,
    frame: Range<usize>,
    count: i64,
}

impl<'a> Seen<'a> {
    fn new(numbers: &'a [u32]) -> Self {
        Seen {
            numbers,
            times: vec![0; numbers.len()],
            frame: 0..0,
            count: 0,
        }
    }

    /// Goes on to another frame; says which rows bring a value that was not there, and which take the last one
    /// of a value along.
    fn slide(
        &mut self,
        new: Range<usize>,
        comes: &mut dyn FnMut(usize),
        goes: &mut dyn FnMut(usize),
    ) {
        let old = std::mem::replace(&mut self.frame, new.clone());
        let in_front = new.start..new.end.min(old.start);
        for row in in_front.chain(new.start.max(old.end)..new.end) {
            self.add(row, 1, comes);
        }
        let in_front = old.start..old.end.min(new.start);
        for row in in_front.chain(old.start.max(new.end)..old.end) {
            self.add(row, -1, goes);
        }
    }

    fn add(&mut self, row: usize, times: i32, changed: &mut dyn FnMut(usize)) {
        let number = self.numbers[row];
        if number == NONE {
            return;
        }
        let slot = &mut self.times[number as usize];
        *slot = slot.wrapping_add_signed(times);
        let first = times > 0 && *slot == 1;
        if first || *slot == 0 {
            self.count += i64::from(times);
            changed(row);
        }
    }
}
