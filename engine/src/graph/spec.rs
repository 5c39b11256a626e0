//! What each operator of a job graph does.

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use super::wire::{Expression, WireBytes, WireSchema};
use super::{CountWindowSpec, FromChangelogSpec, OverSpec, PatternSpec, ToChangelogSpec};
use crate::connector::TableDescriptor;
use crate::element::ChangelogMode;

/// What an operator does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum OperatorSpec {
    /// Reads a table.
    Source(Box<SourceSpec>),
    /// Produces fixed rows, from subtask 0 only.
    Values(ValuesSpec),
    /// Filters and projects.
    Calc(CalcSpec),
    /// Merges its inputs, which have equal schemas.
    Union,
    /// Appends `window_start`, `window_end`, `window_time` to each row (once per window).
    AssignWindow(WindowSpec),
    /// Puts the elements of a collection to each row.
    Unnest(UnnestSpec),
    /// Makes a row of every change.
    ToChangelog(ToChangelogSpec),
    /// Makes a change of every row.
    FromChangelog(FromChangelogSpec),
    /// Aggregates by slice and key before the exchange.
    LocalWindowAggregate(WindowAggregateSpec),
    /// Aggregates by window and key; its input is rows, or what
    /// [`OperatorSpec::LocalWindowAggregate`] of the same spec produced.
    WindowAggregate(WindowAggregateSpec),
    /// Aggregates by key before the exchange; keeps nothing between batches.
    LocalGroupAggregate(GroupAggregateSpec),
    /// Aggregates by key for ever, emitting updates.
    GroupAggregate(GroupAggregateSpec),
    /// Aggregates groups of which all rows come in one batch, and keeps nothing.
    WholeAggregate(GroupAggregateSpec),
    /// Turns upserts into a changelog.
    ChangelogNormalize(ChangelogNormalizeSpec),
    /// Joins its two inputs.
    Join(JoinSpec),
    /// Joins several inputs on one key.
    MultiJoin(MultiJoinSpec),
    /// Puts each row of its left input to the version of a row of the right input that counts for it.
    TemporalJoin(TemporalJoinSpec),
    /// Puts to each row the rows that a table has for its key when it is asked.
    LookupJoin(Box<LookupJoinSpec>),
    /// Numbers rows in order, and passes on the first ones.
    Rank(RankSpec),
    /// Puts values behind each row that are computed from the rows around it.
    Over(OverSpec),
    /// Finds matches of a pattern among rows.
    Pattern(Box<PatternSpec>),
    /// Gives the rows of windows of so many rows.
    CountWindow(CountWindowSpec),
    /// Writes a table.
    Sink(SinkSpec),
    /// Hands rows to the client that submitted the job. Parallelism 1.
    Collect,
}

/// Reads a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The table, with its connector options.
    pub table: TableDescriptor,
    /// What the connector reads: physical and metadata columns, pruned to what is needed
    /// (nested ROW fields included).
    pub read_schema: WireSchema,
    /// Columns computed from `read_schema`; `None` passes the columns through. Gives the
    /// operator's output schema.
    pub compute: Option<Vec<Expression>>,
    /// The watermark declaration, over the output schema.
    pub watermark: Option<WatermarkSpec>,
    /// Whether the input ends by itself.
    pub bounded: bool,
    /// Whether late rows go to [`super::OutputPort::Late`] instead of the main output.
    pub divert_late: bool,
    /// Whether undecodable rows go to [`super::OutputPort::Bad`] instead of failing the job.
    pub divert_bad: bool,
    /// The kinds of rows that the connector delivers.
    pub mode: ChangelogMode,
}

/// `WATERMARK FOR column AS expression`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WatermarkSpec {
    /// The event-time column in the source's output schema.
    pub column: usize,
    /// The watermark that a row implies, a timestamp of the column's type.
    pub expression: Expression,
    /// After which a silent partition no longer holds the watermark back, in milliseconds; 0
    /// never.
    pub idle_timeout_ms: u64,
    /// How far a partition may run ahead of the slowest, in milliseconds of event time; `None`
    /// is not limited.
    pub max_drift_ms: Option<i64>,
}

/// Fixed rows, as an Arrow IPC stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ValuesSpec {
    /// The stream.
    pub ipc: WireBytes,
}

/// Filters, then projects.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CalcSpec {
    /// A boolean expression over the input; NULL counts as false.
    pub filter: Option<Expression>,
    /// Expressions over the input, one per output column; `None` keeps all columns.
    pub projection: Option<Vec<Expression>>,
}

/// Puts to each row the elements of an array or map that it has, once for each: a row that comes brings all of
/// them, one that goes takes all of them back. Output rows are inserts and deletes, without those of an update that
/// would cancel each other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnnestSpec {
    /// The column with the collection.
    pub collection: usize,
    /// Whether a row whose collection is NULL or empty comes once, with NULL for the element.
    pub outer: bool,
    /// What the output has, column by column.
    pub columns: Vec<UnnestColumn>,
}

/// A column of what [`UnnestSpec`] makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UnnestColumn {
    /// A column of the row.
    Input(usize),
    /// The element.
    Element,
    /// A field of the element, which is a ROW or an entry of a MAP: 0 is the key, 1 the value.
    Field(usize),
    /// The number of the element, from 1 on.
    Ordinality,
}

/// Which windows a row belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowSpec {
    /// The shape.
    pub kind: WindowKind,
    /// Which time decides.
    pub time: WindowTime,
    /// The type of `window_start` and `window_end` (the time column's type; TIMESTAMP(3) for
    /// processing time). `window_time` has it too.
    pub time_type: DataTypeSpec,
}

/// The shape of windows; all lengths in milliseconds and positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WindowKind {
    /// `[n·size + offset, (n+1)·size + offset)`.
    Tumble {
        /// The length.
        size_ms: i64,
        /// Shifts the boundaries.
        offset_ms: i64,
    },
    /// A window of `size` starts every `slide`.
    Hop {
        /// The distance of two starts.
        slide_ms: i64,
        /// The length.
        size_ms: i64,
        /// Shifts the boundaries.
        offset_ms: i64,
    },
    /// Windows of `step`, `2·step` … `size` with a common start every `size`.
    Cumulate {
        /// The growth.
        step_ms: i64,
        /// The longest, a multiple of `step`.
        size_ms: i64,
        /// Shifts the boundaries.
        offset_ms: i64,
    },
    /// Rows of a key with no more than `gap` between neighbours; ends `gap` after the last row.
    Session {
        /// The silence that ends a session.
        gap_ms: i64,
    },
}

/// Which time decides about windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WindowTime {
    /// This column of the input (rows where it is NULL are dropped and counted).
    Event {
        /// The column's position in the input of the first window operator.
        column: usize,
    },
    /// The clock of the worker.
    Processing,
}

/// Aggregates by window and key.
///
/// Output columns: the keys, the aggregates, `window_start`, `window_end`, `window_time`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WindowAggregateSpec {
    /// The windows.
    pub window: WindowSpec,
    /// Key columns of the raw input.
    pub keys: Vec<usize>,
    /// The aggregates, over columns of the raw input.
    pub aggregates: Vec<AggregateCall>,
    /// The schema of the raw input (what the local phase reads).
    pub input: WireSchema,
    /// Whether the raw input carries retractions.
    pub input_updating: bool,
    /// Whether a local phase came before, so that the input is its partial rows.
    pub partial_input: bool,
    /// How long after its end a window is kept for late rows, in milliseconds
    /// (`table.exec.emit.allow-lateness`).
    pub allowed_lateness_ms: i64,
    /// How long after a change, in milliseconds of processing time, the results so far go out, as updates
    /// (`table.exec.emit.early-fire.delay`); `None` gives each result once. Not of sessions.
    #[serde(default)]
    pub early_fire_ms: Option<u64>,
}

/// Aggregates by key.
///
/// Output columns: the keys, then the aggregates.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupAggregateSpec {
    /// Key columns of the raw input; none makes one group of everything.
    pub keys: Vec<usize>,
    /// The aggregates, over columns of the raw input. None makes it `DISTINCT` over the keys.
    pub aggregates: Vec<AggregateCall>,
    /// The schema of the raw input (what the local phase reads).
    pub input: WireSchema,
    /// Whether the raw input carries retractions.
    pub input_updating: bool,
    /// Whether a local phase came before, so that the input is its partial rows.
    pub partial_input: bool,
    /// Whether somebody downstream needs `-U` rows.
    pub emit_update_before: bool,
    /// How long a group without change is kept, in milliseconds; 0 for ever.
    pub ttl_ms: u64,
}

/// One aggregate of an aggregation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AggregateCall {
    /// Which.
    pub function: AggregateFunction,
    /// Over distinct argument values.
    pub distinct: bool,
    /// The argument's column; `None` for `COUNT(*)`.
    pub argument: Option<usize>,
    /// A boolean column; only rows where it is true count.
    pub filter: Option<usize>,
    /// The argument's type (Int64 for `COUNT(*)`).
    pub argument_type: DataTypeSpec,
    /// The result's type.
    pub result_type: DataTypeSpec,
    /// For people, such as `SUM(price)`.
    pub name: String,
    /// What is computed, down to the columns of the source or aggregation that the rows come from:
    /// what of an edited query has this identity too takes up what was accumulated. Empty where the
    /// name says all.
    #[serde(default)]
    pub identity: String,
}

impl AggregateCall {
    /// What decides whether a call of an edited query is still this one.
    pub fn identity(&self) -> &str {
        match self.identity.is_empty() {
            true => &self.name,
            false => &self.identity,
        }
    }
}

/// The aggregates that streams know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AggregateFunction {
    /// Rows, or values that are not NULL.
    Count,
    /// NULL over no value; overflow is an error.
    Sum,
    /// NULL over no value.
    Min,
    /// NULL over no value.
    Max,
    /// NULL over no value.
    Avg,
    /// The value of the last row, NULL or not; of rows that are never taken back. Not of SQL: what
    /// [`OperatorSpec::ChangelogNormalize`] keeps of a column.
    Last,
    /// FIRST_VALUE: the value that came first of those that are there, NULLs left out.
    FirstValue,
    /// LAST_VALUE: the value that came last of those that are there, NULLs left out.
    LastValue,
    /// ARRAY_AGG: all values as they came, NULLs among them; NULL over no row.
    Collect,
    /// VAR_POP: NULL over no value.
    VarPop,
    /// VAR_SAMP: NULL over less than two values.
    VarSamp,
    /// STDDEV_POP: NULL over no value.
    StddevPop,
    /// STDDEV_SAMP: NULL over less than two values.
    StddevSamp,
}

impl AggregateFunction {
    /// Whether the result depends on the order in which rows came.
    pub fn is_by_arrival(self) -> bool {
        matches!(self, Self::FirstValue | Self::LastValue | Self::Collect)
    }
}

/// Keeps the last row of each key and says how it changes.
///
/// Input rows are upserts: inserts and update-after rows replace the row of their key, deletes take it
/// away and need nothing but the key. Output columns are those of the input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangelogNormalizeSpec {
    /// Key columns, at least one.
    pub keys: Vec<usize>,
    /// The schema of the rows. The input may have NULL where it has none, in deletes.
    pub rows: WireSchema,
    /// What each column is, down to the columns of the source: a kept row of an edited query is only
    /// of use if it has all of them.
    pub identities: Vec<String>,
    /// Whether somebody downstream needs `-U` rows.
    pub emit_update_before: bool,
    /// How long the row of a key is kept that does not come, in milliseconds; 0 for ever.
    pub ttl_ms: u64,
}

/// Which rows a join gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JoinKind {
    /// Pairs.
    Inner,
    /// Pairs, and rows of the left input without a partner.
    Left,
    /// Pairs, and rows of the right input without a partner.
    Right,
    /// Pairs, and rows of either input without a partner.
    Full,
    /// Rows of the left input that have a partner, each once.
    Semi,
    /// Rows of the left input that have none.
    Anti,
}

/// Joins two inputs for ever: a pair is what the two changelogs make of it.
///
/// Rows are partners if their keys are equal and the condition holds. Output columns are those of the left
/// input and, but for [`JoinKind::Semi`] and [`JoinKind::Anti`], those of the right one, which may then be
/// NULL where a row has no partner. Output rows are inserts and deletes; if rows only ever come, and
/// the kind is inner or semi, there are inserts alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JoinSpec {
    /// Which rows it gives.
    pub kind: JoinKind,
    /// The left input.
    pub left: JoinInput,
    /// The right input.
    pub right: JoinInput,
    /// Whether keys that are NULL are equal (`IS NOT DISTINCT FROM`).
    pub null_equals_null: bool,
    /// What must hold beside equal keys, over the columns of the left input followed by those of the right
    /// one; NULL counts as false.
    pub condition: Option<Expression>,
    /// How long a row is kept that nothing changes, in milliseconds; 0 for ever.
    pub ttl_ms: u64,
    /// The same for the rows of the left and of the right input, where it is another.
    #[serde(default)]
    pub input_ttl_ms: [Option<u64>; 2],
    /// How long event time lets rows find partners. Then rows are never taken back, on either side or in the
    /// output, and what a row says without a partner comes once: when it can have none any more.
    pub time: Option<JoinTime>,
}

/// Until when event time lets the rows of a join find partners: within an interval between their times, or
/// within a window that both are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JoinTime {
    /// Of the left input.
    pub left: JoinUntil,
    /// Of the right input.
    pub right: JoinUntil,
}

/// When the rows of one input of a join have seen all their partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JoinUntil {
    /// The column with the row's time, a timestamp. Where it is NULL the row has no partner.
    pub column: usize,
    /// It can have no more partners when the watermark of both inputs is later than that time by more than
    /// this, in milliseconds; negative where it need not have come so far.
    pub after_ms: i64,
}

/// Joins several inputs for ever, whose rows are partners if their keys are equal and not NULL: what a chain of joins on one
/// key gives.
///
/// Output rows are inserts and deletes; if rows only ever come and no input may be missing, there are inserts alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MultiJoinSpec {
    /// The inputs, three or more.
    pub inputs: Vec<JoinInput>,
    /// By input: whether NULLs stand for it where it has no row of a key (LEFT JOIN). Never the first.
    pub padded: Vec<bool>,
    /// The columns of the output: of which input, and which.
    pub columns: Vec<(usize, usize)>,
    /// How long a row is kept that nothing changes, in milliseconds; 0 for ever. Only if no input is padded.
    pub ttl_ms: u64,
}

/// A join of several inputs has so many at most.
pub const MOST_JOINED: usize = 8;

/// One input of a join.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JoinInput {
    /// Key columns, as many as on the other side and of the same types. None joins everything with
    /// everything, in one subtask.
    pub keys: Vec<usize>,
    /// The schema of the rows.
    pub rows: WireSchema,
    /// Whether rows are taken back, each by its full content. Updates come with the row before.
    pub updating: bool,
}

/// Joins each row of the left input, which are never taken back, with the version that one row of the right
/// input has, or had.
///
/// The right input has versions by key: each row that comes is its key's version from then on, each that is
/// deleted ends it; update-before rows say nothing. Output columns are those of the left input and those of
/// the right one, which are NULL where there is no version. Output rows are inserts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TemporalJoinSpec {
    /// The left input.
    pub left: JoinInput,
    /// The right input, by the key of which it has one version at a time. If `updating`, versions may end, and
    /// where they do all columns but the key and the time may be NULL.
    pub right: JoinInput,
    /// Whether rows of the left input without a version come out beside NULLs.
    pub outer: bool,
    /// Which version counts: that of an event time; `None` for the one that is there when the row comes.
    pub as_of: Option<AsOf>,
    /// A boolean column of the right input: where it is not true, the version ends.
    pub exists: Option<usize>,
    /// What a row and its version must fulfil besides, over the columns of the left input followed by those of
    /// the right one; NULL counts as false.
    pub condition: Option<Expression>,
    /// How long a version is kept that does not change, in milliseconds; 0 for ever. Not with event time.
    pub ttl_ms: u64,
}

/// Asks a table by key for each row of the input, which are never taken back. Output columns are those of the
/// input and those of the table, in the order of the input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LookupJoinSpec {
    /// The table, and what is read of it.
    pub table: SourceSpec,
    /// The columns that this gives.
    pub table_schema: WireSchema,
    /// What is done with the rows of the table, and the columns that each step gives.
    pub calcs: Vec<(CalcSpec, WireSchema)>,
    /// A column of the input, and the column of the table that equals it, by its name there.
    pub keys: Vec<(usize, String)>,
    /// Whether rows without a partner come out beside NULLs.
    pub outer: bool,
    /// What both rows must fulfil besides, over the columns of the output; NULL counts as false.
    pub condition: Option<Expression>,
    /// How many questions may be without an answer (`table.exec.async-lookup.buffer-capacity`).
    pub capacity: usize,
    /// How long an answer may take, in milliseconds (`table.exec.async-lookup.timeout`).
    pub timeout_ms: u64,
    /// How keys without rows are asked for again; `None` takes the first answer.
    pub retry: Option<LookupRetry>,
}

/// Asks again for keys that have no rows yet (the hint LOOKUP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LookupRetry {
    /// After how many milliseconds.
    pub delay_ms: u64,
    /// How often at most.
    pub attempts: u32,
}

/// Which version of several counts for a row: the last one that is no later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AsOf {
    /// The time of a row of the left input, a timestamp.
    pub left: usize,
    /// From when on a version counts, a timestamp in any precision.
    pub right: usize,
    /// Whether it must be earlier than the row.
    pub earlier: bool,
}

/// How rows in order are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RankFunction {
    /// Each has a number of its own; of those that are equal in order, the one that came first has the least.
    RowNumber,
    /// Those that are equal in order have one number: that of their first one as [`RankFunction::RowNumber`]
    /// has it.
    Rank,
    /// The same without gaps between the numbers.
    DenseRank,
}

/// A column that rows are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderColumn {
    /// The column.
    pub column: usize,
    /// Whether the greatest value comes first.
    pub descending: bool,
    /// Whether NULL comes before all values.
    pub nulls_first: bool,
}

/// Passes on the rows whose number among those of their partition is in a range (Top-N, deduplication, LIMIT).
///
/// Output columns are those of the input, with the number behind them as BIGINT if it is asked for. Output is
/// what makes the rows before a batch those after it: inserts and deletes, and where numbers are given, updates
/// of the row with a number (`RowNumber`) or of the number of a row (the others). If rows only ever come,
/// and none of them can come before an earlier one (no order, or the order of arrival), there are inserts
/// alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RankSpec {
    /// The schema of the rows.
    pub rows: WireSchema,
    /// The columns that partitions are formed by. None is a single partition, in one subtask.
    pub partition_by: Vec<usize>,
    /// What rows are put in order by; rows that are equal in all of it are in order of arrival.
    pub order_by: Vec<OrderColumn>,
    /// Whether of rows that are equal in all of it the last one comes first.
    #[serde(default)]
    pub newest_first: bool,
    /// How they are numbered.
    pub function: RankFunction,
    /// The least number that is passed on, from 1 on.
    pub from: u64,
    /// The greatest one. No less than `from`.
    pub to: u64,
    /// Whether the number is put behind the other columns.
    pub number: bool,
    /// Whether rows are taken back, each by its full content. Updates come with the row before.
    pub updating: bool,
    /// Whether updates go out with the row before; else only with the row after.
    pub update_before: bool,
    /// How long a row is kept that nothing changes, in milliseconds; 0 for ever.
    pub ttl_ms: u64,
    /// The windows that partitions are of, if event time ends them; then rows have no time to live.
    #[serde(default)]
    pub window: Option<RankWindow>,
}

/// Until when the partitions of a [`RankSpec`] are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RankWindow {
    /// The column with a time of the window, which is among those that partitions are formed by.
    pub column: usize,
    /// What makes the last moment of the window of that time, in milliseconds. What is earlier than the watermark
    /// is late.
    pub last_ms: i64,
    /// Whether rows go out when the window has ended; else as they come, which needs rows that only come,
    /// [`RankFunction::RowNumber`], and no order.
    pub at_end: bool,
}

/// Writes a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SinkSpec {
    /// The table, with its connector options.
    pub table: TableDescriptor,
    /// The kinds of rows that arrive.
    pub input_mode: ChangelogMode,
}

/// An Arrow data type inside a job graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTypeSpec(pub DataType);

impl Serialize for DataTypeSpec {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let field = arrow::datatypes::Field::new("type", self.0.clone(), true);
        let schema = arrow::datatypes::Schema::new(vec![field]);
        WireSchema(std::sync::Arc::new(schema)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DataTypeSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let schema = WireSchema::deserialize(deserializer)?;
        match schema.0.fields().first() {
            Some(field) => Ok(DataTypeSpec(field.data_type().clone())),
            None => Err(serde::de::Error::custom("a data type is missing")),
        }
    }
}
