//! Rows of several partitions, one behind the other, and the frames of some of them.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};

use crate::error::{EngineError, Result};
use crate::graph::{Bound, Frame, FrameUnit};

/// Rows of a partition, in order, within a span.
#[derive(Debug, Clone)]
pub(in crate::operator) struct Part {
    /// The rows.
    pub(in crate::operator) rows: Range<usize>,
    /// Those of them that values are wanted of.
    pub(in crate::operator) wanted: Range<usize>,
    /// Whether the first row stands for all that were there before, which are gone.
    pub(in crate::operator) carried: bool,
}

impl Part {
    /// Where its own rows begin.
    pub(in crate::operator) fn first(&self) -> usize {
        self.rows.start + usize::from(self.carried)
    }
}

/// Rows of partitions.
#[derive(Debug, Default)]
pub(in crate::operator) struct Span {
    pub(in crate::operator) parts: Vec<Part>,
    /// By row: whether it is equal in order to the row before it, which is of the same partition then.
    pub(in crate::operator) ties: Vec<bool>,
    /// By row: how far along the order it is, if frames ask for distances.
    pub(in crate::operator) along: Option<Along>,
}

/// How far along their order rows are: values that rise within a partition.
#[derive(Debug)]
pub(in crate::operator) struct Along {
    values: Vec<i128>,
    /// Which rows have one.
    valid: Vec<bool>,
}

impl Along {
    /// Of the rows' only order column.
    pub(in crate::operator) fn of(column: &ArrayRef, descending: bool) -> Result<Self> {
        let values: Vec<i128> = match column.data_type() {
            DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().values().to_vec(),
            DataType::Date32 | DataType::Timestamp(..) => integers(column)?,
            integer if integer.is_integer() => integers(column)?,
            other => {
                return Err(EngineError::internal(format!(
                    "there are no distances between values of {other}"
                )));
            }
        };
        let valid = (0..column.len()).map(|row| column.is_valid(row)).collect();
        let values = match descending {
            true => values.into_iter().map(|value| -value).collect(),
            false => values,
        };
        Ok(Along { values, valid })
    }
}

fn integers(column: &ArrayRef) -> Result<Vec<i128>> {
    // Dates are 32 bits wide, and only from those a cast leads on.
    let column = match column.data_type() {
        DataType::Date32 => cast(column, &DataType::Int32)?,
        _ => column.clone(),
    };
    let column = match column.data_type() {
        DataType::UInt64 => cast(&column, &DataType::Decimal128(20, 0))?,
        _ => cast(&column, &DataType::Int64)?,
    };
    Ok(match column.data_type() {
        DataType::Int64 => {
            let values = column.as_primitive::<Int64Type>().values();
            values.iter().map(|value| i128::from(*value)).collect()
        }
        _ => column.as_primitive::<Decimal128Type>().values().to_vec(),
    })
}

impl Span {
    /// How many rows there are.
    pub(in crate::operator) fn len(&self) -> usize {
        self.ties.len()
    }

    /// The rows that values are wanted of.
    pub(in crate::operator) fn wanted(&self) -> impl Iterator<Item = usize> + '_ {
        self.parts.iter().flat_map(|part| part.wanted.clone())
    }

    /// How many of them there are.
    pub(in crate::operator) fn wanted_len(&self) -> usize {
        self.parts.iter().map(|part| part.wanted.len()).sum()
    }

    /// The first of the rows that are equal to this one in order, among those of its own partition.
    pub(in crate::operator) fn first_peer(&self, part: &Part, row: usize) -> usize {
        let mut first = row;
        while first > part.first() && self.ties[first] {
            first -= 1;
        }
        first
    }

    /// Behind the last row that is equal to this one in order.
    pub(in crate::operator) fn behind_peers(&self, part: &Part, row: usize) -> usize {
        let mut behind = row + 1;
        while behind < part.rows.end && self.ties[behind] {
            behind += 1;
        }
        behind
    }

    /// The rows that count for each row that a value is wanted of.
    pub(in crate::operator) fn frames(&self, frame: &Frame) -> Result<Vec<Range<usize>>> {
        let mut frames = Vec::with_capacity(self.wanted_len());
        for part in &self.parts {
            match frame.unit {
                FrameUnit::Rows => {
                    let frame = |row| rows_frame(part, frame, row);
                    frames.extend(part.wanted.clone().map(frame));
                }
                FrameUnit::Range => self.range_frames(part, frame, &mut frames)?,
            }
        }
        Ok(frames)
    }

    /// Rows that are equal in order have the same frame.
    fn range_frames(
        &self,
        part: &Part,
        frame: &Frame,
        frames: &mut Vec<Range<usize>>,
    ) -> Result<()> {
        let mut row = part.wanted.start;
        while row < part.wanted.end {
            let peers = self.first_peer(part, row)..self.behind_peers(part, row);
            let start = match frame.start {
                Bound::Unbounded => part.rows.start,
                Bound::Current => peers.start,
                Bound::Preceding(distance) => self.search(part, row, distance, &peers)?.start,
            };
            let end = match frame.end {
                Bound::Unbounded => part.rows.end,
                Bound::Current => peers.end,
                Bound::Preceding(distance) => self.search(part, row, distance, &peers)?.end,
            };
            let behind = peers.end.min(part.wanted.end);
            let frame = start..end.max(start);
            frames.extend(std::iter::repeat_n(frame, behind - row));
            row = behind;
        }
        Ok(())
    }

    /// From the first row that is no more than `distance` before this one, to behind the last one that is that
    /// much or more. A row without a place along the order has the company of its like.
    fn search(
        &self,
        part: &Part,
        row: usize,
        distance: i64,
        peers: &Range<usize>,
    ) -> Result<Range<usize>> {
        let along = self.along.as_ref();
        let along = along.ok_or_else(|| EngineError::internal("distances are not known"))?;
        if !along.valid[row] {
            return Ok(peers.clone());
        }
        let own = part.first()..part.rows.end;
        let valid = &along.valid[own.clone()];
        // NULLs are all in front or all behind.
        let front = match valid.first() {
            Some(false) => valid.partition_point(|valid| !*valid),
            _ => 0,
        };
        let count = valid[front..].partition_point(|valid| *valid);
        let first = own.start + front;
        let values = &along.values[first..first + count];
        let limit = along.values[row] - i128::from(distance);
        let start = first + values.partition_point(|value| *value < limit);
        let end = first + values.partition_point(|value| *value <= limit);
        Ok(start..end)
    }
}

fn rows_frame(part: &Part, frame: &Frame, row: usize) -> Range<usize> {
    let own = part.first()..part.rows.end;
    let at = |distance: i64| match u64::try_from(distance) {
        Ok(before) => row.checked_sub(usize::try_from(before).unwrap_or(usize::MAX)),
        Err(_) => {
            let behind = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
            Some(row.saturating_add(behind))
        }
    };
    let start = match frame.start {
        Bound::Unbounded => part.rows.start,
        Bound::Current => row,
        Bound::Preceding(distance) => {
            let start = at(distance).unwrap_or(own.start);
            start.clamp(own.start, own.end)
        }
    };
    let end = match frame.end {
        Bound::Unbounded => own.end,
        Bound::Current => row + 1,
        Bound::Preceding(distance) => {
            let behind = at(distance).map_or(own.start, |row| row.saturating_add(1));
            behind.clamp(own.start, own.end)
        }
    };
    start..end.max(start)
}
