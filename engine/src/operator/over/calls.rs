//! What functions need of other rows than the one that they are computed for.

use arrow::datatypes::{DataType, Field};

use super::values::{Carried, carried_sum_type, is_extreme};
use crate::graph::{AggregateFunction, Bound, FrameUnit, OverCall, OverFunction, OverSpec};

/// What a call needs of the rows of a partition that have gone out, if rows go out in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// What they have come to.
    Carried,
    /// The last ones, so many.
    Rows(usize),
    /// Those that are no more than so far before the row, in units of the order column.
    Distance(i64),
    /// All of them.
    All,
}

/// What a call needs that looks back.
pub(super) fn needs(call: &OverCall) -> Needs {
    let rows = |distance: i64| match usize::try_from(distance) {
        Ok(rows) => Needs::Rows(rows),
        Err(_) => Needs::Rows(0),
    };
    match call.function {
        OverFunction::RowNumber | OverFunction::Rank | OverFunction::DenseRank => Needs::Carried,
        OverFunction::Shift { .. } if call.ignore_nulls => Needs::All,
        OverFunction::Shift { offset, .. } => rows(offset.saturating_neg()),
        OverFunction::PercentRank | OverFunction::CumeDist | OverFunction::Tile(_) => Needs::All,
        OverFunction::Nth(_) if call.frame.start == Bound::Unbounded => Needs::All,
        OverFunction::Aggregate(function)
            if call.frame.start == Bound::Unbounded && call.distinct && !is_extreme(function) =>
        {
            Needs::All
        }
        _ => match (call.frame.start, call.frame.unit) {
            (Bound::Unbounded, _) => Needs::Carried,
            (Bound::Current, _) => Needs::Rows(0),
            (Bound::Preceding(distance), FrameUnit::Rows) => rows(distance),
            (Bound::Preceding(distance), FrameUnit::Range) => Needs::Distance(distance),
        },
    }
}

/// The columns in which a call's [`Carried`] is kept: a value, and a weight.
pub(super) fn carried_fields(call: &OverCall) -> (Option<Field>, Option<Field>) {
    let value = |data_type: DataType| Some(Field::new("value", data_type, true));
    let weight = Some(Field::new("weight", DataType::Int64, true));
    match call.function {
        OverFunction::RowNumber | OverFunction::Rank | OverFunction::DenseRank => (None, weight),
        OverFunction::Aggregate(AggregateFunction::Count) => (None, weight),
        OverFunction::Aggregate(AggregateFunction::Sum | AggregateFunction::Avg) => {
            let sum = match call.argument_type.0.is_floating() {
                true => DataType::Float64,
                false => carried_sum_type(),
            };
            (value(sum), weight)
        }
        _ => (value(call.argument_type.0.clone()), None),
    }
}

/// Takes what a call carries off the front of the columns in which it is kept.
pub(super) fn take_carried(
    call: &OverCall,
    columns: &mut impl Iterator<Item = arrow::array::ArrayRef>,
) -> Carried {
    let (value, weight) = carried_fields(call);
    Carried {
        value: value.and_then(|_| columns.next()),
        weight: weight.and_then(|_| columns.next()),
    }
}

/// Whether a call reads the argument's value of the row that stands for those that are gone.
pub(super) fn reads_carried_value(call: &OverCall) -> bool {
    match call.function {
        OverFunction::First | OverFunction::Last | OverFunction::Nth(_) => true,
        OverFunction::Aggregate(function) => is_extreme(function),
        _ => false,
    }
}

/// The columns that some calls read, each once.
pub(super) fn columns_of<'a>(calls: impl Iterator<Item = &'a OverCall>) -> Vec<usize> {
    let read = calls.flat_map(|call| {
        let default = match call.function {
            OverFunction::Shift { default, .. } => default,
            _ => None,
        };
        [call.argument, call.filter, default].into_iter().flatten()
    });
    let mut columns: Vec<usize> = read.collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Whether frames are bounded by distances in the order.
pub(super) fn has_distances(call: &OverCall) -> bool {
    let distance = |bound| matches!(bound, Bound::Preceding(_));
    let framed = matches!(
        call.function,
        OverFunction::First
            | OverFunction::Last
            | OverFunction::Nth(_)
            | OverFunction::Aggregate(_)
    );
    let frame = &call.frame;
    framed && frame.unit == FrameUnit::Range && (distance(frame.start) || distance(frame.end))
}

/// How far a change of a row is felt: by which rows of its partition in front of it, and behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// By all of them.
    pub(super) all: bool,
    /// By those that are equal in order.
    pub(super) peers: bool,
    /// By so many.
    pub(super) rows: usize,
}

impl Reach {
    const ALL: Reach = Reach {
        all: true,
        peers: false,
        rows: 0,
    };

    fn of_rows(rows: i64) -> Self {
        Reach {
            rows: usize::try_from(rows).unwrap_or_default(),
            ..Reach::default()
        }
    }

    fn and(self, other: Reach) -> Self {
        Reach {
            all: self.all || other.all,
            peers: self.peers || other.peers,
            rows: self.rows.max(other.rows),
        }
    }
}

/// How far changes are felt in front of them, and behind.
pub(super) fn reaches(spec: &OverSpec) -> (Reach, Reach) {
    let calls = spec.calls.iter().map(reach);
    calls.fold(Default::default(), |both: (Reach, Reach), (front, back)| {
        (both.0.and(front), both.1.and(back))
    })
}

fn reach(call: &OverCall) -> (Reach, Reach) {
    let none = Reach::default();
    match call.function {
        OverFunction::RowNumber | OverFunction::Rank | OverFunction::DenseRank => {
            (none, Reach::ALL)
        }
        OverFunction::PercentRank | OverFunction::CumeDist | OverFunction::Tile(_) => {
            (Reach::ALL, Reach::ALL)
        }
        OverFunction::Shift { .. } if call.ignore_nulls => (Reach::ALL, Reach::ALL),
        OverFunction::Shift { offset, .. } => (
            Reach::of_rows(offset),
            Reach::of_rows(offset.saturating_neg()),
        ),
        _ => {
            let frame = &call.frame;
            let side = |bound: Bound, sign: i64| match (bound, frame.unit) {
                (Bound::Unbounded, _) | (Bound::Preceding(_), FrameUnit::Range) => Reach::ALL,
                (Bound::Current, FrameUnit::Rows) => none,
                (Bound::Current, FrameUnit::Range) => Reach {
                    peers: true,
                    ..none
                },
                (Bound::Preceding(rows), FrameUnit::Rows) => {
                    Reach::of_rows(rows.saturating_mul(sign))
                }
            };
            // A row sees those in front of it that its start reaches, and is felt by those.
            (side(frame.end, -1), side(frame.start, 1))
        }
    }
}
