//! Windows of so many rows as plain SQL.
//!
//! Rows are numbered already. A row is in a window for each multiple of the slide that is no less than its number and less than
//! so many rows behind it; and the window counts if its partition has as many rows.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, NullHandling, Result, UnnestOptions};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::functions_nested::range::range;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, Extension, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition,
    cast, col, lit, when,
};
use levada_language::error::PlanError;

use crate::logical::{COUNT_END_COLUMN, COUNT_START_COLUMN, COUNT_TIME_COLUMN, CountWindowTable};

/// The rows of a partition.
const ROWS: &str = "__count_rows";
/// The time of the last row of a window.
const LAST: &str = "__count_last";

/// Replaces the nodes of windows of rows.
pub(super) fn to_plain(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let replaced = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Extension(Extension { node: extension }) = &node else {
            return Ok(Transformed::no(node));
        };
        match extension.as_any().downcast_ref::<CountWindowTable>() {
            Some(window) => Ok(Transformed::yes(plain(window)?)),
            None => Ok(Transformed::no(node)),
        }
    })?;
    Ok(replaced.data)
}

fn plain(window: &CountWindowTable) -> Result<LogicalPlan> {
    let schema = window.input.schema();
    let columns: Vec<Expr> = schema.columns().into_iter().map(Expr::Column).collect();
    let number = cast(window.number.clone(), DataType::Int64);
    let (size, slide) = (lit(window.size), lit(window.slide));
    let all = WindowFunction::new(
        WindowFunctionDefinition::AggregateUDF(count_udaf()),
        vec![lit(1i64)],
    );
    let all = Expr::from(all).partition_by(window.keys.clone()).build()?;
    let rows = named(
        LogicalPlanBuilder::from(window.input.clone()),
        &columns,
        all,
        ROWS,
    )?;
    let first_end = ((number.clone() - lit(1i64)) / slide.clone() + lit(1i64)) * slide.clone();
    let behind = number + size.clone();
    let behind_all = col(ROWS) + lit(1i64);
    let until = when(behind.clone().lt(behind_all.clone()), behind).otherwise(behind_all)?;
    let ends = range(first_end, until, slide).alias(COUNT_END_COLUMN);
    let with_ends = columns.iter().cloned().chain([ends]);
    let options = UnnestOptions::new().with_null_handling(NullHandling::Drop);
    let rows = rows
        .project(with_ends.collect::<Vec<_>>())?
        .unnest_columns_with_options(vec![Column::new_unqualified(COUNT_END_COLUMN)], options)?;
    let first = col(COUNT_END_COLUMN) - size + lit(1i64);
    let start = when(first.clone().gt(lit(1i64)), first).otherwise(lit(1i64))?;
    let own = [start.alias(COUNT_START_COLUMN), col(COUNT_END_COLUMN)];
    let with_window = columns.iter().cloned().chain(own);
    let rows = rows.project(with_window.collect::<Vec<_>>())?;
    let Some(time) = &window.time else {
        return rows.build();
    };
    let ends = [col(COUNT_START_COLUMN), col(COUNT_END_COLUMN)];
    let of_window = window.keys.iter().cloned().chain([col(COUNT_END_COLUMN)]);
    let last = WindowFunction::new(
        WindowFunctionDefinition::AggregateUDF(max_udaf()),
        vec![time.clone()],
    );
    let last = Expr::from(last).partition_by(of_window.collect()).build()?;
    let with_ends: Vec<Expr> = columns.iter().cloned().chain(ends.clone()).collect();
    let rows = named(rows, &with_ends, last, LAST)?;
    let with_time = with_ends
        .into_iter()
        .chain([col(LAST).alias(COUNT_TIME_COLUMN)]);
    rows.project(with_time.collect::<Vec<_>>())?.build()
}

/// The columns with what a function of other rows gives.
fn named(
    rows: LogicalPlanBuilder,
    columns: &[Expr],
    function: Expr,
    name: &str,
) -> Result<LogicalPlanBuilder> {
    let rows = rows.window([function.clone()])?;
    let column =
        datafusion::logical_expr::utils::expr_as_column_expr(&function, rows.plan())?.alias(name);
    let all = columns.iter().cloned().chain([column]);
    rows.project(all.collect::<Vec<_>>())
}
