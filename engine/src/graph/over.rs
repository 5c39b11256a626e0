//! Functions with OVER: what each row of an operator's input gets from the rows around it.

use serde::{Deserialize, Serialize};

use super::{AggregateFunction, DataTypeSpec, OrderColumn, WireSchema};

/// Puts values behind each row that are computed from rows of its partition.
///
/// Output columns are those of the input, then one for each call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OverSpec {
    /// The schema of the rows.
    pub rows: WireSchema,
    /// The columns that partitions are formed by. None is a single partition, in one subtask.
    pub partition_by: Vec<usize>,
    /// What rows are put in order by; rows that are equal in all of it are in order of arrival. With
    /// [`OverForm::Time`] one timestamp column, ascending; with [`OverForm::Arrival`] none.
    pub order_by: Vec<OrderColumn>,
    /// When rows go out, and whether they are ever corrected.
    pub form: OverForm,
    /// What is computed, at least one.
    pub calls: Vec<OverCall>,
    /// Whether updates go out with the row before; else only with the row after. Only
    /// [`OverForm::Corrected`] has updates.
    pub update_before: bool,
    /// How long a row is kept that nothing changes, in milliseconds; 0 for ever. Only with
    /// [`OverForm::Corrected`].
    pub ttl_ms: u64,
}

/// When rows go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OverForm {
    /// When the watermark has passed their time: they wait in order of it, so nothing that has gone out changes.
    /// Rows only ever come, what comes out are inserts, and rows behind the watermark, or without a time, are dropped
    /// and counted. All calls must be [`OverCall::looks_back`].
    Time,
    /// When they come, in that order. Rows only ever come, what comes out are inserts. All calls must be
    /// [`OverCall::looks_back`].
    Arrival,
    /// When they come; when what is computed for a row changes, it is corrected by an update. What goes out is
    /// the difference that a batch makes.
    Corrected {
        /// Whether rows are taken back, each by its full content. Updates come with the row before.
        updating: bool,
    },
}

/// A function with OVER.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverCall {
    /// Which.
    pub function: OverFunction,
    /// The argument's column; `None` for `COUNT(*)` and what takes none.
    pub argument: Option<usize>,
    /// The argument's type (Int64 without one).
    pub argument_type: DataTypeSpec,
    /// A boolean column; only rows where it is true count. Only with [`OverFunction::Aggregate`].
    pub filter: Option<usize>,
    /// Over distinct argument values. Only with [`OverFunction::Aggregate`].
    pub distinct: bool,
    /// Whether rows are passed over whose argument is NULL (`IGNORE NULLS`). Only with [`OverFunction::First`],
    /// [`OverFunction::Last`], [`OverFunction::Nth`] and [`OverFunction::Shift`].
    pub ignore_nulls: bool,
    /// The rows that count, where the function has a frame.
    pub frame: Frame,
    /// The result's type.
    pub result_type: DataTypeSpec,
    /// For people, such as `SUM(price)`.
    pub name: String,
}

impl OverCall {
    /// Whether its value can be told when all rows up to this one and those that are equal to it in order are
    /// known.
    pub fn looks_back(&self) -> bool {
        match &self.function {
            OverFunction::RowNumber | OverFunction::Rank | OverFunction::DenseRank => true,
            OverFunction::PercentRank | OverFunction::CumeDist | OverFunction::Tile(_) => false,
            OverFunction::Shift { offset, .. } => *offset <= 0,
            OverFunction::First
            | OverFunction::Last
            | OverFunction::Nth(_)
            | OverFunction::Aggregate(_) => self.frame.end == Bound::Current,
        }
    }
}

/// A function with OVER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OverFunction {
    /// The number of the row in its partition, from 1 on.
    RowNumber,
    /// The number of the first of the rows that are equal to it in order.
    Rank,
    /// The same without gaps.
    DenseRank,
    /// (rank - 1) / (rows - 1), 0 of a single row.
    PercentRank,
    /// How many rows are in order before this one or equal to it, divided by all.
    CumeDist,
    /// Which of so many parts of about the same size the row is in, from 1 on.
    Tile(u64),
    /// LAG (negative) and LEAD: the argument's value so many rows on.
    Shift {
        /// How many rows.
        offset: i64,
        /// The column with what to give where there is no such row; `None` gives NULL. It has the result's type.
        default: Option<usize>,
    },
    /// FIRST_VALUE: of the first row of the frame.
    First,
    /// LAST_VALUE: of the last row of the frame.
    Last,
    /// NTH_VALUE: of the row of the frame with this number, from 1 on.
    Nth(u64),
    /// Over the rows of the frame: COUNT, SUM, MIN, MAX and AVG.
    Aggregate(AggregateFunction),
}

/// Which rows of a partition count for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    /// What bounds count.
    pub unit: FrameUnit,
    /// The first row that counts.
    pub start: Bound,
    /// The last row that counts.
    pub end: Bound,
}

/// What the bounds of a frame count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FrameUnit {
    /// Rows.
    Rows,
    /// The distance in the only order column, in its own unit: that of the timestamp, days of a date, the
    /// last digit of a decimal, 1 of an integer. The current row stands for all that are equal to it in order.
    Range,
}

/// One end of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Bound {
    /// That of the partition on this side.
    Unbounded,
    /// So far before the row; negative is behind it. Not in [`FrameUnit::Range`] without an order.
    Preceding(i64),
    /// The row itself; with [`FrameUnit::Range`] the first or last that is equal to it in order.
    Current,
}
