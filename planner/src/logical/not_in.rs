//! `x NOT IN (SELECT …)` as an anti join that knows of NULLs.
//!
//! The condition is NULL, and so drops the row, if `x` is NULL and there is any value, or if one of the
//! values is NULL. DataFusion marks the anti join as aware of that; the mark says neither which of several
//! keys it is about, nor holds back rules that move conditions over NULL. So the join that is made here
//! says what it means: rows go that have a partner for which `(x = y) IS NOT FALSE`.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Filter, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use std::sync::Arc;

/// Makes an anti join of NOT IN with an uncorrelated subquery where one side may be NULL. Where none
/// may be, DataFusion's own rule is right.
#[derive(Debug)]
pub(super) struct NotIn;

impl OptimizerRule for NotIn {
    fn name(&self) -> &str {
        "not_in"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = plan else {
            return Ok(Transformed::no(plan));
        };
        let mut found = false;
        for condition in split_conjunction(&filter.predicate) {
            found |= not_in(condition, &filter.input)?.is_some();
        }
        if !found {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        }
        let mut rows = Arc::unwrap_or_clone(filter.input);
        let mut rest = Vec::new();
        for condition in split_conjunction_owned(filter.predicate) {
            match not_in(&condition, &rows)? {
                Some(subquery) => rows = anti_join(rows, subquery, config)?,
                None => rest.push(condition),
            }
        }
        let plan = match conjunction(rest) {
            Some(rest) => LogicalPlan::Filter(Filter::try_new(rest, Arc::new(rows))?),
            None => rows,
        };
        Ok(Transformed::yes(plan))
    }
}

/// The NOT IN that a condition is, if it is one for this rule.
fn not_in<'e>(condition: &'e Expr, input: &LogicalPlan) -> Result<Option<&'e InSubquery>> {
    let (subquery, negated) = match condition {
        Expr::InSubquery(subquery) => (subquery, subquery.negated),
        Expr::Not(inner) => match inner.as_ref() {
            Expr::InSubquery(subquery) => (subquery, !subquery.negated),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let correlated =
        !subquery.subquery.outer_ref_columns.is_empty() || subquery.expr.contains_outer();
    if !negated || correlated {
        return Ok(None);
    }
    let values = subquery.subquery.subquery.schema().fields();
    let may_be_null = subquery.expr.nullable(input.schema())?
        || values.first().is_none_or(|value| value.is_nullable());
    Ok(may_be_null.then_some(subquery))
}

fn anti_join(
    rows: LogicalPlan,
    not_in: &InSubquery,
    config: &dyn OptimizerConfig,
) -> Result<LogicalPlan> {
    let alias = config.alias_generator().next("__not_in");
    let values = LogicalPlanBuilder::from(not_in.subquery.subquery.as_ref().clone())
        .alias(alias)?
        .build()?;
    let value = Expr::Column(Column::from(values.schema().qualified_field(0)));
    let equal = binary_expr(not_in.expr.as_ref().clone(), Operator::Eq, value);
    let condition = Expr::IsNotFalse(Box::new(equal));
    LogicalPlanBuilder::from(rows)
        .join_on(values, JoinType::LeftAnti, [condition])?
        .build()
}
