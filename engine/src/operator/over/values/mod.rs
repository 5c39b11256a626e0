//! What functions with OVER give: columns of a span in, a column of values out.
//!
//! A frame is a range of rows, so exact sums and counts are differences of running totals; extremes and sums of
//! floats go along with frames that grow, and are looked up in a tree of partial results where frames slide
//! (`fold`); everything else is the place of a row (`picks`) or arithmetic with places (`numbers`).

mod aggregates;
mod distinct;
mod fold;
mod numbers;
mod picks;

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};

use super::span::Span;
use crate::error::{EngineError, Result};
use crate::graph::{AggregateCall, AggregateFunction, OverCall, OverFunction};

/// The columns that a call reads, by row of the span, and what it carries on from rows that are gone, by part.
#[derive(Default)]
pub(in crate::operator) struct Operands {
    pub(in crate::operator) argument: Option<ArrayRef>,
    pub(in crate::operator) filter: Option<ArrayRef>,
    pub(in crate::operator) default: Option<ArrayRef>,
    pub(in crate::operator) carried: Carried,
}

/// What is left of rows that are gone, by part of a span, or by partition.
#[derive(Debug, Clone, Default)]
pub(in crate::operator) struct Carried {
    /// A value, for functions that give or accumulate one.
    pub(in crate::operator) value: Option<ArrayRef>,
    /// How many rows or values there were, for functions that count.
    pub(in crate::operator) weight: Option<ArrayRef>,
}

/// Values of a call.
pub(in crate::operator) struct Values {
    /// By row that values are wanted of.
    pub(in crate::operator) column: ArrayRef,
    /// What is carried on from the last row of each part; only of calls that carry.
    pub(in crate::operator) carried: Carried,
}

impl From<ArrayRef> for Values {
    fn from(column: ArrayRef) -> Self {
        Values {
            column,
            carried: Carried::default(),
        }
    }
}

/// The values of a call. `carry` says that what is carried on is wanted as well; the last row of each part is
/// among those that values are wanted of then.
pub(in crate::operator) fn values(
    call: &OverCall,
    span: &Span,
    operands: &Operands,
    carry: bool,
) -> Result<Values> {
    match call.function {
        OverFunction::RowNumber
        | OverFunction::Rank
        | OverFunction::DenseRank
        | OverFunction::PercentRank
        | OverFunction::CumeDist
        | OverFunction::Tile(_) => numbers::values(call, span, operands, carry),
        OverFunction::Shift { .. }
        | OverFunction::First
        | OverFunction::Last
        | OverFunction::Nth(_) => picks::values(call, span, operands, carry),
        OverFunction::Aggregate(function) if call.distinct && !is_extreme(function) => {
            distinct::values(call, span, operands)
        }
        OverFunction::Aggregate(_) => aggregates::values(call, span, operands, carry),
    }
}

/// Whether it is the same of distinct values as of all.
pub(super) fn is_extreme(function: AggregateFunction) -> bool {
    matches!(function, AggregateFunction::Min | AggregateFunction::Max)
}

/// The positions, among the rows that values are wanted of, of the last rows of the parts.
fn last_rows(span: &Span) -> Vec<u32> {
    let mut behind = 0;
    let ends = span.parts.iter().map(|part| {
        behind += part.wanted.len();
        (behind - 1) as u32
    });
    ends.collect()
}

/// Which rows of the span an aggregate counts: those with a value that pass the filter.
fn counted(span: &Span, operands: &Operands) -> Vec<bool> {
    let filter = operands.filter.as_ref().map(|filter| filter.as_boolean());
    let argument = operands.argument.as_ref();
    let nulls = argument.and_then(|argument| argument.logical_nulls());
    let counts = |row: usize| {
        nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
            && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
    };
    (0..span.len()).map(counts).collect()
}

/// The call as those know it that do not care about frames.
fn plain(call: &OverCall, function: AggregateFunction) -> AggregateCall {
    AggregateCall {
        function,
        distinct: call.distinct,
        argument: call.argument,
        filter: call.filter,
        argument_type: call.argument_type.clone(),
        result_type: call.result_type.clone(),
        name: call.name.clone(),
        identity: String::new(),
    }
}

fn argument<'a>(call: &OverCall, operands: &'a Operands) -> Result<&'a ArrayRef> {
    let argument = operands.argument.as_ref();
    argument.ok_or_else(|| EngineError::internal(format!("{} lacks its argument", call.name)))
}

pub(super) use aggregates::carried_sum_type;

type Frames = [Range<usize>];
