//! Patterns of rows (`MATCH_RECOGNIZE`) in a job graph.

use serde::{Deserialize, Serialize};

use super::wire::{Expression, WireSchema};
use super::{AggregateFunction, OrderColumn};

/// Rows of any variable, where a set of variables is asked for.
pub const ALL_VARIABLES: u64 = u64::MAX;
/// A pattern has so many variables at most.
pub const MAX_VARIABLES: usize = 63;

/// Finds matches of a pattern among the rows of each partition.
///
/// Rows only ever come, and so do those that go out. With one row for each match these have the columns of the
/// partition, with all rows those of the rows; behind them there is a column for each measure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PatternSpec {
    /// The schema of the rows.
    pub rows: WireSchema,
    /// The columns that partitions are formed by. None is a single partition, in one subtask.
    pub partition_by: Vec<usize>,
    /// What rows are put in order by: a timestamp column first, ascending, which is event time. Without any,
    /// rows are in the order in which they come, and their time is processing time.
    pub order_by: Vec<OrderColumn>,
    /// The pattern; it does not match without a row.
    pub pattern: Pattern,
    /// What its variables mean.
    pub variables: Vec<PatternVariable>,
    /// What is told of a match.
    pub measures: Vec<Reference>,
    /// Whether all rows of a match go out, else one for each.
    pub all_rows: bool,
    /// Where the search goes on behind a match.
    pub skip: Skip,
    /// The first and the last row of a match are less than this apart, in milliseconds. Rows that are only asked for behind
    /// one of the match may be further away.
    pub within_ms: Option<i64>,
    /// Whether the output has the times of rows, which the watermark must not be ahead of. Not if the pattern
    /// [looks ahead](PatternSpec::looks_ahead): the next row of a partition may never come.
    pub gives_time: bool,
}

impl PatternSpec {
    /// How many rows must be known behind a row before it can be told what it is, and what a match says that ends with it.
    pub fn looks_ahead(&self) -> u64 {
        let conditions = self.variables.iter().filter_map(|v| v.condition.as_ref());
        let values = conditions.flat_map(|condition| &condition.values);
        let ahead = values.chain(&self.measures).map(Reference::looks_ahead);
        ahead.max().unwrap_or(0)
    }
}

/// A pattern over variables, which are named by their position.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pattern {
    /// A row.
    Variable(usize),
    /// One behind the other.
    Sequence(Vec<Pattern>),
    /// One of them; the earlier ones are preferred.
    Alternatives(Vec<Pattern>),
    /// The same several times.
    Repeated {
        /// What.
        pattern: Box<Pattern>,
        /// So often at least.
        least: u32,
        /// So often at most; `None` is without limit.
        most: Option<u32>,
        /// Whether more of it is preferred to less.
        greedy: bool,
    },
}

impl Pattern {
    /// Whether it matches without a row.
    pub fn may_be_empty(&self) -> bool {
        match self {
            Pattern::Variable(_) => false,
            Pattern::Sequence(parts) => parts.iter().all(Pattern::may_be_empty),
            Pattern::Alternatives(parts) => parts.iter().any(Pattern::may_be_empty),
            Pattern::Repeated { pattern, least, .. } => *least == 0 || pattern.may_be_empty(),
        }
    }

    /// How many rows its automaton tells apart: repetitions are written out.
    pub fn positions(&self) -> usize {
        match self {
            Pattern::Variable(_) => 1,
            Pattern::Sequence(parts) | Pattern::Alternatives(parts) => parts
                .iter()
                .map(Pattern::positions)
                .fold(0, usize::saturating_add),
            Pattern::Repeated {
                pattern,
                least,
                most,
                ..
            } => {
                let times = most.unwrap_or(least.saturating_add(1)).max(1);
                pattern.positions().saturating_mul(times as usize)
            }
        }
    }

    /// Whether it has a variable.
    pub fn has(&self, variable: usize) -> bool {
        match self {
            Pattern::Variable(own) => *own == variable,
            Pattern::Sequence(parts) | Pattern::Alternatives(parts) => {
                parts.iter().any(|part| part.has(variable))
            }
            Pattern::Repeated { pattern, .. } => pattern.has(variable),
        }
    }
}

/// Where the search goes on behind a match. Sets of variables have a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Skip {
    /// Behind its last row.
    PastLastRow,
    /// Behind its first row.
    ToNextRow,
    /// At its first row of these variables.
    ToFirst(u64),
    /// At its last row of these variables.
    ToLast(u64),
}

/// A variable of a pattern.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PatternVariable {
    /// Its name.
    pub name: String,
    /// What a row must fulfil; `None` is any row.
    pub condition: Option<PatternCondition>,
}

/// A condition over values that are found by references.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PatternCondition {
    /// The values.
    pub values: Vec<Reference>,
    /// What they are for the expression.
    pub schema: WireSchema,
    /// Whether the row is one of the variable.
    pub expression: Expression,
}

/// A value of the rows of a match. Rows count up to the one that is asked about, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reference {
    /// A column of a row; NULL if there is none.
    Row {
        /// The column.
        column: usize,
        /// The rows that count: those of these variables.
        variables: u64,
        /// Whether they are counted from the first on, else from the last back.
        first: bool,
        /// So many of them are passed over.
        offset: u32,
        /// From there so many rows further on in the partition, whatever they are.
        shift: i64,
        /// Whether rows behind the one that is asked about do not count.
        running: bool,
    },
    /// An aggregate.
    Aggregate {
        /// Which.
        function: AggregateFunction,
        /// The argument's column; `None` for rows.
        column: Option<usize>,
        /// Over distinct values.
        distinct: bool,
        /// The rows that count: those of these variables.
        variables: u64,
        /// Whether rows behind the one that is asked about do not count.
        running: bool,
    },
    /// The name of the variable that the row is one of.
    Classifier,
    /// The number of the match in its partition, from 1 on.
    MatchNumber,
}

impl Reference {
    /// How many rows of the partition before the match may be asked for.
    pub fn looks_back(&self) -> u64 {
        match self {
            Reference::Row { shift, .. } => shift.min(&0).unsigned_abs(),
            _ => 0,
        }
    }

    /// How many rows behind a row of the match may be asked for, whatever they are.
    pub fn looks_ahead(&self) -> u64 {
        match self {
            Reference::Row { shift, .. } => shift.max(&0).unsigned_abs(),
            _ => 0,
        }
    }
}
