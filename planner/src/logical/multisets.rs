//! INTERSECT ALL and EXCEPT ALL count equal rows.
//!
//! DataFusion's SQL planner makes a semi or anti join of both, as of INTERSECT and EXCEPT; but of these the left
//! side is made distinct first. Where it is not, equal rows of both sides are counted instead, and each row comes as
//! often as the counts say:
//!
//! ```text
//!   Unnest range(0, least(l, r))                     -- or range(0, l - r)
//!     Aggregate by all columns: count(l), count(r)
//!       Union: left side with 1 as l, right side with 1 as r
//! ```
//!
//! Where the left side has no equal rows to begin with, both are the same.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{NullEquality, Result, ScalarValue, TableReference};
use datafusion::functions::core::expr_fn::least;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::functions_nested::range::range;
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan, LogicalPlanBuilder, col, lit};

use super::UnnestTable;
use levada_language::error::PlanError;

/// What counts the rows of each side.
const SIDES: [&str; 2] = ["__rows_of_left", "__rows_of_right"];

/// Replaces the joins that stand for INTERSECT ALL and EXCEPT ALL.
pub(super) fn count_rows(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let counted = plan.transform_up_with_subqueries(|node| match &node {
        LogicalPlan::Join(join) if counts(join) => Ok(Transformed::yes(counted(join)?)),
        _ => Ok(Transformed::no(node)),
    })?;
    Ok(counted.data)
}

/// No other join of a query has NULL equal to NULL before it is optimized.
fn counts(join: &Join) -> bool {
    join.null_equality == NullEquality::NullEqualsNull
        && matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
        && !matches!(join.left.as_ref(), LogicalPlan::Distinct(_))
}

fn counted(join: &Join) -> Result<LogicalPlan> {
    let width = join.left.schema().fields().len();
    let sides = side(&join.left, 0)?.union(side(&join.right, 1)?.build()?)?;
    let columns = || (0..width).map(|place| col(name(place)));
    let counts = SIDES.map(|side| count(col(side)).alias(side));
    let groups = sides.aggregate(columns(), counts)?.build()?;
    let [left, right] = SIDES.map(col);
    let copies = match join.join_type {
        JoinType::LeftSemi => least(vec![left, right]),
        _ => left - right,
    };
    let numbers = range(lit(0i64), copies, lit(1i64));
    let own = (TableReference::bare("__copies"), vec!["__copy".to_string()]);
    let copies = UnnestTable::new(groups, numbers, false, own, None)?;
    let fields = join.left.schema().iter();
    let named = columns().zip(fields).map(|(column, (qualifier, field))| {
        column.alias_qualified(qualifier.cloned(), field.name())
    });
    LogicalPlanBuilder::from(copies.into_plan())
        .project(named.collect::<Vec<_>>())?
        .build()
}

/// What a column is called in between, whatever it is called on either side.
fn name(place: usize) -> String {
    format!("__column_{place}")
}

/// The rows of a side, which count for it and not for the other.
fn side(plan: &LogicalPlan, own: usize) -> Result<LogicalPlanBuilder> {
    let columns = plan.schema().columns().into_iter().enumerate();
    let columns = columns.map(|(place, column)| Expr::Column(column).alias(name(place)));
    let marks = SIDES.iter().enumerate().map(|(place, side)| {
        let mark = ScalarValue::Int64((place == own).then_some(1));
        lit(mark).alias(*side)
    });
    LogicalPlanBuilder::from(plan.clone()).project(columns.chain(marks).collect::<Vec<_>>())
}
