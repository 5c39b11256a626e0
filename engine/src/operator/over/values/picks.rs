//! Functions that give the argument of some row: LAG, LEAD, FIRST_VALUE, LAST_VALUE, NTH_VALUE.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{interleave, take};

use super::{Carried, Operands, Values, argument, last_rows};
use crate::error::Result;
use crate::graph::{OverCall, OverFunction};
use crate::operator::over::span::Span;

/// Where the rows are that are not passed over.
struct Taken {
    /// By row: how many there are before it; one more at the end.
    before: Vec<u32>,
    /// Their rows.
    rows: Vec<u32>,
}

impl Taken {
    /// All rows, or those with a value.
    fn of(argument: &ArrayRef, only_values: bool) -> Self {
        let nulls = argument.logical_nulls().filter(|_| only_values);
        let mut taken = Taken {
            before: Vec::with_capacity(argument.len() + 1),
            rows: Vec::new(),
        };
        for row in 0..argument.len() {
            taken.before.push(taken.rows.len() as u32);
            if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                taken.rows.push(row as u32);
            }
        }
        taken.before.push(taken.rows.len() as u32);
        taken
    }

    /// The row with this number, from 0 on, among those of a range.
    fn nth(&self, range: std::ops::Range<usize>, number: usize) -> Option<u32> {
        let at = self.before[range.start] as usize + number;
        let there = at < self.before[range.end] as usize;
        there.then(|| self.rows[at])
    }

    fn last(&self, range: std::ops::Range<usize>) -> Option<u32> {
        let (from, to) = (self.before[range.start], self.before[range.end]);
        (from < to).then(|| self.rows[to as usize - 1])
    }
}

pub(super) fn values(
    call: &OverCall,
    span: &Span,
    operands: &Operands,
    carry: bool,
) -> Result<Values> {
    let argument = argument(call, operands)?;
    let taken = Taken::of(argument, call.ignore_nulls);
    if let OverFunction::Shift { offset, .. } = call.function {
        return Ok(shifted(offset, span, operands, argument, &taken)?.into());
    }
    let frames = span.frames(&call.frame)?.into_iter();
    let row = |frame: std::ops::Range<usize>| match call.function {
        OverFunction::First => taken.nth(frame, 0),
        OverFunction::Last => taken.last(frame),
        OverFunction::Nth(number) => {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            number.checked_sub(1).and_then(|n| taken.nth(frame, n))
        }
        _ => None,
    };
    let rows: UInt32Array = frames.map(row).collect();
    let column = take(argument, &rows, None)?;
    let value = match carry {
        true => Some(take(&column, &UInt32Array::from(last_rows(span)), None)?),
        false => None,
    };
    Ok(Values {
        column,
        carried: Carried {
            value,
            weight: None,
        },
    })
}

/// LAG and LEAD.
fn shifted(
    offset: i64,
    span: &Span,
    operands: &Operands,
    argument: &ArrayRef,
    taken: &Taken,
) -> Result<ArrayRef> {
    let far = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
    let mut rows: Vec<Option<u32>> = Vec::with_capacity(span.wanted_len());
    for part in &span.parts {
        let own = part.first()..part.rows.end;
        rows.extend(part.wanted.clone().map(|row| match offset {
            0 => Some(row as u32),
            1.. => taken.nth(row + 1..own.end, far - 1),
            _ => {
                let before = taken.before[row] - taken.before[own.start];
                let number = (before as usize).checked_sub(far);
                number.and_then(|number| taken.nth(own.start..row, number))
            }
        }));
    }
    let Some(default) = &operands.default else {
        return Ok(take(argument, &UInt32Array::from(rows), None)?);
    };
    let places = rows.into_iter().zip(span.wanted());
    let places: Vec<(usize, usize)> = places
        .map(|(found, row)| match found {
            Some(found) => (0, found as usize),
            None => (1, row),
        })
        .collect();
    Ok(interleave(&[argument.as_ref(), default.as_ref()], &places)?)
}
