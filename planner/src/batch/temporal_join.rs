//! Joins with versions as plain SQL: a version counts until the next one of its key begins, so it is joined by
//! key and by the time between the two. In processing time all that counts is the last one.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::functions_window::lead_lag::lead;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, Extension, JoinType, LogicalPlan, LogicalPlanBuilder,
};

use crate::logical::{AsOfTime, TemporalJoin};
use levada_language::error::PlanError;

/// When the next version of the key begins.
const UNTIL: &str = "__version_until";

/// Replaces the joins with versions of a plan.
pub(super) fn to_plain(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let replaced = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Extension(Extension { node: extension }) = &node else {
            return Ok(Transformed::no(node));
        };
        match extension.as_any().downcast_ref::<TemporalJoin>() {
            Some(join) => Ok(Transformed::yes(plain(join)?)),
            None => Ok(Transformed::no(node)),
        }
    })?;
    Ok(replaced.data)
}

fn plain(join: &TemporalJoin) -> Result<LogicalPlan> {
    let parts = &join.parts;
    let mut conditions = parts.keys.clone();
    let mut right = join.right.clone();
    if let Some(time) = &parts.time {
        right = with_end(join, time)?;
        let until = || Expr::Column(Column::new_unqualified(UNTIL));
        let (row, begin) = (time.left.clone(), time.right.clone());
        let (begun, not_over) = match time.earlier {
            true => (begin.lt(row.clone()), row.lt_eq(until())),
            false => (begin.lt_eq(row.clone()), row.lt(until())),
        };
        conditions.extend([begun, until().is_null().or(not_over)]);
    }
    conditions.extend(parts.exists.iter().chain(&parts.condition).cloned());
    let join_type = match parts.outer {
        true => JoinType::Left,
        false => JoinType::Inner,
    };
    let columns = join.left.schema().columns().into_iter();
    let columns = columns.chain(join.right.schema().columns());
    let columns: Vec<Expr> = columns.map(Expr::Column).collect();
    LogicalPlanBuilder::from(join.left.clone())
        .join_on(right, join_type, conjunction(conditions))?
        .project(columns)?
        .build()
}

/// The versions with the time of the next one of their key.
fn with_end(join: &TemporalJoin, time: &AsOfTime) -> Result<LogicalPlan> {
    let right = join.right.schema();
    // Of each equality the side that is about the versions.
    let of_right = |expr: &Expr| {
        let mut columns = expr.column_refs().into_iter();
        columns.all(|column| right.has_column(column))
    };
    let key = |equal: &Expr| match equal {
        Expr::BinaryExpr(equal) if of_right(&equal.left) => Ok(equal.left.as_ref().clone()),
        Expr::BinaryExpr(equal) => Ok(equal.right.as_ref().clone()),
        _ => Err(PlanError::internal("a key of versions is no equality")),
    };
    let keys: Vec<Expr> = join.parts.keys.iter().map(key).collect::<Result<_, _>>()?;
    let order = std::iter::once(&time.right).chain(&join.parts.order);
    let order = order.map(|expr| expr.clone().sort(true, false)).collect();
    let next = lead(time.right.clone(), Some(1), None)
        .partition_by(keys)
        .order_by(order)
        .build()?;
    let name = next.schema_name().to_string();
    let own: Vec<Expr> = right.columns().into_iter().map(Expr::Column).collect();
    let until = Expr::Column(Column::new_unqualified(name)).alias(UNTIL);
    LogicalPlanBuilder::from(join.right.clone())
        .filter(time.right.clone().is_not_null())?
        .window(vec![next])?
        .project(own.into_iter().chain([until]).collect::<Vec<_>>())?
        .build()
}
