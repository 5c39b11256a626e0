//! Names of their own for what is computed.
//!
//! DataFusion calls an expression after its text, in which a cast is not seen: `CAST(t.id AS BIGINT)` is called `t.id`,
//! as the column is. Where both are wanted side by side, rules that make a projection of them fail. And GROUPING SETS
//! are one expression, which is taken for one column when the types within it have been made to fit.
//!
//! - Computed keys of such an aggregation become columns below it, which are called as the keys were ([`of_keys`]).
//! - What `x IN (SELECT …)` compares has a name of its own if it is cast ([`of_members`]).

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Projection, Subquery};
use levada_language::error::PlanError;

/// What the values are called that IN compares.
const MEMBER: &str = "__member";

/// Makes columns of computed keys that are in GROUPING SETS, or are called as another key is.
pub(super) fn of_keys(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let named = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Aggregate(aggregate) => by_columns(aggregate),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(named.data)
}

fn by_columns(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let keys = grouping_set_to_exprlist(&aggregate.group_expr)?;
    let sets = matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]);
    let mut names = HashSet::new();
    let distinct = keys
        .iter()
        .all(|key| names.insert(key.schema_name().to_string()));
    let computed = |key: &&&Expr| !matches!(key, Expr::Column(_) | Expr::Alias(_));
    let computed: Vec<Expr> = keys.iter().filter(computed).copied().cloned().collect();
    if computed.is_empty() || !sets && distinct {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let columns = aggregate.input.schema().columns();
    let columns = columns.into_iter().map(Expr::Column);
    let named = computed.iter().map(|key| key.clone().alias(name(key)));
    let input = Projection::try_new(columns.chain(named).collect(), aggregate.input)?;
    let keys = aggregate.group_expr.into_iter();
    let keys = keys.map(|key| with_columns(key, &computed));
    let saved = NamePreserver::new_for_projection();
    let calls = aggregate.aggr_expr.into_iter().map(|call| {
        let name = saved.save(&call);
        Ok(name.restore(in_grouping(call, &computed)?))
    });
    let aggregate = Aggregate::try_new(
        Arc::new(LogicalPlan::Projection(input)),
        keys.collect::<Result<_>>()?,
        calls.collect::<Result<_>>()?,
    )?;
    Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
}

fn name(key: &Expr) -> String {
    key.schema_name().to_string()
}

/// An expression with columns for what is computed below it.
fn with_columns(expr: Expr, computed: &[Expr]) -> Result<Expr> {
    let replaced = expr.transform_down(|part| match computed.contains(&part) {
        true => {
            let column = Expr::Column(Column::new_unqualified(name(&part)));
            Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
        }
        false => Ok(Transformed::no(part)),
    })?;
    Ok(replaced.data)
}

/// A call, which as GROUPING names keys.
fn in_grouping(call: Expr, computed: &[Expr]) -> Result<Expr> {
    let is_grouping = |call: &Expr| match call {
        Expr::AggregateFunction(function) => function.func.name() == "grouping",
        _ => false,
    };
    let replaced = call.transform_down(|part| match is_grouping(&part) {
        true => Ok(Transformed::new(
            with_columns(part, computed)?,
            true,
            TreeNodeRecursion::Jump,
        )),
        false => Ok(Transformed::no(part)),
    })?;
    Ok(replaced.data)
}

/// Names what IN compares, where it has been cast to the type of the other side.
pub(super) fn of_members(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let named = plan.transform_up_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|part| match part {
                Expr::InSubquery(found) => member(found),
                other => Ok(Transformed::no(other)),
            })
        })
    })?;
    Ok(named.data)
}

fn member(found: InSubquery) -> Result<Transformed<Expr>> {
    let cast = match found.subquery.subquery.as_ref() {
        LogicalPlan::Projection(projection) => match projection.expr.as_slice() {
            [cast @ (Expr::Cast(_) | Expr::TryCast(_))] => {
                let cast = vec![cast.clone().alias(MEMBER)];
                Projection::try_new(cast, Arc::clone(&projection.input))?
            }
            _ => return Ok(Transformed::no(Expr::InSubquery(found))),
        },
        _ => return Ok(Transformed::no(Expr::InSubquery(found))),
    };
    let subquery = Subquery {
        subquery: Arc::new(LogicalPlan::Projection(cast)),
        ..found.subquery
    };
    Ok(Transformed::yes(Expr::InSubquery(InSubquery {
        subquery,
        ..found
    })))
}
