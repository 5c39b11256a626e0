//! Window table functions as plain SQL.
//!
//! - TUMBLE: the start is `date_bin(size, time)`.
//! - HOP: each row meets the numbers 0, 1, 2 …; window `k` starts `k` slides before the row's
//!   bin, and counts if it still covers the row.
//! - CUMULATE: likewise; window `k` ends `k` steps after the start of the row's bin.
//! - SESSION: a row begins a session if its key's row before it is a gap away or more; the sum of
//!   such beginnings numbers the sessions, and a session reaches from its first row to a gap
//!   after its last.
//!
//! All of it counts in whole milliseconds, as streams do.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::datetime::date_bin;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_window::lead_lag::lag;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    AggregateUDF, Expr, ExprFunctionExt, Extension, LogicalPlan, LogicalPlanBuilder, WindowFrame,
    WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition, cast, col, lit, when,
};

use crate::logical::WindowTable;
use levada_language::error::PlanError;
use levada_language::functions::window::WindowKind;

const NANOS_PER_MILLI: i64 = 1_000_000;
const START: &str = crate::logical::WINDOW_START_COLUMN;
const END: &str = crate::logical::WINDOW_END_COLUMN;
const TIME: &str = crate::logical::WINDOW_TIME_COLUMN;
/// The shift of a window, in a table of shifts.
const SHIFT: &str = "__window_shift";
/// Time in whole milliseconds.
const INSTANT: &str = "__window_instant";
/// 1 where a session begins.
const BEGINS: &str = "__window_begins";
/// The number of a session within its key.
const SESSION: &str = "__window_session";

/// Replaces the window nodes of a plan.
pub(super) fn to_plain(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let replaced = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Extension(Extension { node: extension }) = &node else {
            return Ok(Transformed::no(node));
        };
        match extension.as_any().downcast_ref::<WindowTable>() {
            Some(window) => Ok(Transformed::yes(plain(window)?)),
            None => Ok(Transformed::no(node)),
        }
    })?;
    Ok(replaced.data)
}

fn plain(window: &WindowTable) -> Result<LogicalPlan> {
    let time_type = window.time_type()?;
    let rows =
        LogicalPlanBuilder::from(window.input.clone()).filter(window.time.clone().is_not_null())?;
    let columns: Vec<Expr> = window
        .input
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    let plan = match window.kind {
        WindowKind::Tumble => {
            let start = bin(window.size_ms, &window.time, window.offset_ms, &time_type);
            let end = start.clone() + millis(window.size_ms);
            rows.project(with_window(columns, start, end, &time_type))?
        }
        WindowKind::Hop => hop(window, rows, columns, &time_type)?,
        WindowKind::Cumulate => cumulate(window, rows, columns, &time_type)?,
        WindowKind::Session => session(window, rows, columns, &time_type)?,
    };
    plan.build()
}

fn millis(ms: i64) -> Expr {
    lit(interval(ms))
}

fn interval(ms: i64) -> ScalarValue {
    // Days keep long windows within the range of nanoseconds.
    const MILLIS_PER_DAY: i64 = 86_400_000;
    let days = i32::try_from(ms / MILLIS_PER_DAY).unwrap_or(i32::MAX);
    ScalarValue::new_interval_mdn(0, days, (ms % MILLIS_PER_DAY) * NANOS_PER_MILLI)
}

/// The start of the bin of `width` milliseconds that `time` is in.
fn bin(width_ms: i64, time: &Expr, offset_ms: i64, time_type: &DataType) -> Expr {
    let zone = match time_type {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let origin = ScalarValue::TimestampNanosecond(Some(offset_ms * NANOS_PER_MILLI), zone);
    let binned = date_bin().call(vec![millis(width_ms), time.clone(), lit(origin)]);
    cast(binned, time_type.clone())
}

fn with_window(columns: Vec<Expr>, start: Expr, end: Expr, time_type: &DataType) -> Vec<Expr> {
    let last = end.clone() - millis(1);
    let typed = |expr: Expr, name: &str| cast(expr, time_type.clone()).alias(name);
    let own = [typed(start, START), typed(end, END), typed(last, TIME)];
    columns.into_iter().chain(own).collect()
}

/// A table of `count` intervals: `first`, `first + step`, …
fn shifts(first_ms: i64, step_ms: i64, count: i64) -> Result<LogicalPlan> {
    let rows = (0..count)
        .map(|k| vec![millis(first_ms + k * step_ms)])
        .collect();
    let values = LogicalPlanBuilder::values(rows)?;
    let name = values.schema().columns().into_iter().map(Expr::Column);
    let renamed = name.map(|column| column.alias(SHIFT)).collect::<Vec<_>>();
    values.project(renamed)?.build()
}

fn hop(
    window: &WindowTable,
    rows: LogicalPlanBuilder,
    columns: Vec<Expr>,
    time_type: &DataType,
) -> Result<LogicalPlanBuilder> {
    let count = (window.size_ms + window.slide_ms - 1) / window.slide_ms;
    let bin = bin(window.slide_ms, &window.time, window.offset_ms, time_type);
    let start = bin - col(SHIFT);
    let end = start.clone() + millis(window.size_ms);
    rows.cross_join(shifts(0, window.slide_ms, count)?)?
        .filter(end.clone().gt(window.time.clone()))?
        .project(with_window(columns, start, end, time_type))
}

fn cumulate(
    window: &WindowTable,
    rows: LogicalPlanBuilder,
    columns: Vec<Expr>,
    time_type: &DataType,
) -> Result<LogicalPlanBuilder> {
    let start = bin(window.size_ms, &window.time, window.offset_ms, time_type);
    let end = start.clone() + col(SHIFT);
    let count = window.size_ms / window.slide_ms;
    rows.cross_join(shifts(window.slide_ms, window.slide_ms, count)?)?
        .filter(end.clone().gt(window.time.clone()))?
        .project(with_window(columns, start, end, time_type))
}

/// An aggregate of a column, still without its window.
fn over(function: Arc<AggregateUDF>, column: &str) -> Expr {
    let function = WindowFunctionDefinition::AggregateUDF(function);
    Expr::from(WindowFunction::new(function, vec![col(column)]))
}

fn session(
    window: &WindowTable,
    rows: LogicalPlanBuilder,
    columns: Vec<Expr>,
    time_type: &DataType,
) -> Result<LogicalPlanBuilder> {
    let own = |extra: Expr| columns.iter().cloned().chain([extra]).collect::<Vec<_>>();
    let instant = bin(1, &window.time, 0, time_type).alias(INSTANT);
    let order = || vec![col(INSTANT).sort(true, false)];
    let before = lag(col(INSTANT), Some(1), None)
        .partition_by(window.keys.clone())
        .order_by(order())
        .build()?;
    let away = (before.clone() + millis(window.size_ms)).lt(col(INSTANT));
    let begins = when(before.is_null().or(away), lit(1i64)).otherwise(lit(0i64))?;
    let so_far = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::CurrentRow,
    );
    let number = over(sum_udaf(), BEGINS)
        .partition_by(window.keys.clone())
        .order_by(order())
        .window_frame(so_far)
        .build()?;
    let key: Vec<Expr> = window.keys.iter().cloned().chain([col(SESSION)]).collect();
    let first = over(min_udaf(), INSTANT)
        .partition_by(key.clone())
        .build()?;
    let last = over(max_udaf(), INSTANT).partition_by(key).build()?;
    let numbered = windowed(
        rows.project(own(instant))?,
        own(col(INSTANT)),
        begins,
        BEGINS,
    )?;
    let keep = [col(INSTANT), col(BEGINS)];
    let kept: Vec<Expr> = columns.iter().cloned().chain(keep).collect();
    let numbered = windowed(numbered, kept, number, SESSION)?;
    let (first_name, last_name) = (
        first.schema_name().to_string(),
        last.schema_name().to_string(),
    );
    let bounds = numbered.window(vec![first, last])?;
    let start = Expr::Column(datafusion::common::Column::new_unqualified(first_name));
    let end = Expr::Column(datafusion::common::Column::new_unqualified(last_name));
    bounds.project(with_window(
        columns,
        start,
        end + millis(window.size_ms),
        time_type,
    ))
}

/// Adds a column computed by a window function within `expr`.
fn windowed(
    rows: LogicalPlanBuilder,
    columns: Vec<Expr>,
    expr: Expr,
    name: &str,
) -> Result<LogicalPlanBuilder> {
    use datafusion::logical_expr::utils::find_window_exprs;
    let functions = find_window_exprs([&expr]);
    let rows = rows.window(functions.clone())?;
    let over_columns = datafusion::logical_expr::utils::expr_as_column_expr;
    let plan = rows.plan().clone();
    let mut replaced = expr;
    for function in &functions {
        let column = over_columns(function, &plan)?;
        replaced = replace(replaced, function, &column)?;
    }
    rows.project(
        columns
            .into_iter()
            .chain([replaced.alias(name)])
            .collect::<Vec<_>>(),
    )
}

fn replace(expr: Expr, from: &Expr, to: &Expr) -> Result<Expr> {
    use datafusion::common::tree_node::TreeNode;
    let replaced = expr.transform_up(|e| {
        Ok(match &e == from {
            true => Transformed::yes(to.clone()),
            false => Transformed::no(e),
        })
    })?;
    Ok(replaced.data)
}
