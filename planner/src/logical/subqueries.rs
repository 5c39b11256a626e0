//! Subqueries in expressions, before they become joins and after.

use datafusion::common::Result as DataFusionResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{
    Expr, FetchType, Filter, JoinType, LogicalPlan, SkipType, Subquery,
};
use sqlparser::ast::{Expr as AstExpr, UnaryOperator};

use super::locate;
use crate::parser::Query;
use levada_language::error::PlanError;

/// Refuses subqueries of which DataFusion makes joins that mean something else: an aggregate without
/// GROUP BY has a row even where the correlated condition leaves none, and becomes one that has not.
/// For a scalar subquery the rule makes up for that, unless HAVING comes in between. And LIMIT and ranking
/// functions count the rows that a correlated condition below them leaves, which in a join is above them.
///
/// # Errors
/// The plan has such a subquery.
pub(super) fn check(plan: &LogicalPlan, query: &Query) -> Result<(), PlanError> {
    let mut wrong = None;
    let mut look = |expr: &Expr| {
        let found = match expr {
            Expr::InSubquery(found) if counts_correlated(&found.subquery, false)? => {
                Some(Kind::Counted)
            }
            Expr::Exists(found) if counts_correlated(&found.subquery, true)? => Some(Kind::Counted),
            Expr::ScalarSubquery(found) if counts_correlated(found, false)? => Some(Kind::Counted),
            Expr::InSubquery(found) if has(&found.subquery.subquery, aggregates_all)? => {
                Some(Kind::In)
            }
            Expr::Exists(found) if has(&found.subquery.subquery, aggregates_all)? => {
                Some(Kind::Exists)
            }
            Expr::ScalarSubquery(found) if has(&found.subquery, aggregates_all_having)? => {
                Some(Kind::Scalar)
            }
            _ => None,
        };
        wrong = wrong.or(found);
        Ok(())
    };
    expressions(plan, &mut look)?;
    match wrong {
        Some(kind) => Err(kind.means_otherwise().or_at(kind.location(query))),
        None => Ok(()),
    }
}

/// Refuses what is left when every subquery should be a join.
///
/// # Errors
/// The plan has a subquery in an expression, or a join that only DataFusion has.
pub(super) fn check_none_left(plan: &LogicalPlan, query: &Query) -> Result<(), PlanError> {
    let mut left = None;
    plan.apply(|node| {
        left = left.or(match node {
            LogicalPlan::Join(join) if join.null_aware => Some(Kind::NotIn),
            LogicalPlan::Join(join)
                if matches!(join.join_type, JoinType::LeftMark | JoinType::RightMark) =>
            {
                Some(Kind::Marked)
            }
            _ => None,
        });
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut look = |expr: &Expr| {
        left = left.or(match expr {
            Expr::Exists(_) => Some(Kind::Exists),
            Expr::InSubquery(_) => Some(Kind::In),
            Expr::ScalarSubquery(_) => Some(Kind::Scalar),
            Expr::SetComparison(_) | Expr::OuterReferenceColumn(..) => Some(Kind::Marked),
            _ => None,
        });
        Ok(())
    };
    expressions(plan, &mut look)?;
    match left {
        Some(kind) => Err(kind.no_join().or_at(kind.location(query))),
        None => Ok(()),
    }
}

/// Calls `look` for each part of each expression, those of subqueries included.
fn expressions(
    plan: &LogicalPlan,
    look: &mut dyn FnMut(&Expr) -> DataFusionResult<()>,
) -> DataFusionResult<()> {
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                look(part)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

fn has(plan: &LogicalPlan, test: fn(&LogicalPlan) -> bool) -> DataFusionResult<bool> {
    plan.exists(|node| Ok(test(node)))
}

/// Whether a node makes one row of all rows that a correlated condition leaves.
fn aggregates_all(node: &LogicalPlan) -> bool {
    let LogicalPlan::Aggregate(aggregate) = node else {
        return false;
    };
    aggregate.group_expr.is_empty() && !aggregate.input.all_out_ref_exprs().is_empty()
}

fn aggregates_all_having(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Filter(Filter { input, .. }) if aggregates_all(input))
}

/// Whether a subquery counts, by LIMIT or by a ranking function, rows that depend on those of the outer query.
fn counts_correlated(subquery: &Subquery, exists: bool) -> DataFusionResult<bool> {
    if subquery.outer_ref_columns.is_empty() {
        return Ok(false);
    }
    let correlated = |plan: &LogicalPlan| !plan.all_out_ref_exprs().is_empty();
    let mut plan = subquery.subquery.as_ref();
    if let LogicalPlan::Limit(limit) = plan
        && exists
        && matches!(limit.get_skip_type()?, SkipType::Literal(0))
        && matches!(limit.get_fetch_type()?, FetchType::Literal(Some(1..)))
    {
        // Whether there is a row does not depend on how many there may be.
        plan = limit.input.as_ref();
    }
    // A correlated EXISTS loses its limits behind a join of which one side is correlated.
    let loses_limits = exists && has(plan, |node| matches!(node, LogicalPlan::Join(_)))?;
    plan.exists(|node| {
        Ok(match node {
            LogicalPlan::Window(window) => correlated(&window.input),
            LogicalPlan::Limit(limit) => loses_limits || correlated(&limit.input),
            _ => false,
        })
    })
}

/// What is refused.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Exists,
    In,
    NotIn,
    Scalar,
    /// A join with a column that says whether there is a partner.
    Marked,
    /// What counts correlated rows.
    Counted,
}

impl Kind {
    fn means_otherwise(self) -> PlanError {
        let (what, hint) = match self {
            Kind::Scalar => (
                "a correlated scalar subquery with HAVING",
                "compare with it in WHERE, or join with a subquery in FROM that has GROUP BY",
            ),
            Kind::Counted => (
                "LIMIT or a ranking function over a correlated condition",
                "number the rows in a subquery in FROM, with PARTITION BY the column that is compared, and \
                 compare it and the number around that",
            ),
            _ => (
                "IN or EXISTS with a correlated subquery that aggregates without GROUP BY",
                "compare with a scalar subquery, or group by the columns that are compared",
            ),
        };
        PlanError::unsupported(format!("{what} on streams"), None).hint(hint)
    }

    fn no_join(self) -> PlanError {
        let (what, hint) = match self {
            Kind::NotIn => (
                "NOT IN with a correlated subquery over columns that may be NULL",
                "write NOT EXISTS, which says what is meant by NULL, or declare the columns NOT NULL",
            ),
            Kind::Scalar => (
                "this scalar subquery",
                "join with a subquery in FROM that has GROUP BY",
            ),
            Kind::Exists | Kind::In => (
                "IN or EXISTS with this subquery",
                "a correlated subquery may compare columns of the outer query in its WHERE, not \
                 below UNION, a window or another aggregate; or join in FROM",
            ),
            Kind::Marked | Kind::Counted => (
                "IN or EXISTS that is no condition of WHERE or HAVING by itself",
                "conditions by themselves are those that AND connects; OR can be a UNION of two queries",
            ),
        };
        PlanError::unsupported(format!("{what} on streams"), None).hint(hint)
    }

    /// The first place in the query where such a thing stands.
    fn location(self, query: &Query) -> Option<levada_language::error::Location> {
        let exists = |e: &AstExpr| matches!(e, AstExpr::Exists { .. });
        let is_in = |e: &AstExpr| matches!(e, AstExpr::InSubquery { .. });
        let scalar = |e: &AstExpr| matches!(e, AstExpr::Subquery(_));
        match self {
            Kind::Exists => locate::first(query, exists),
            Kind::In => locate::first(query, is_in),
            Kind::NotIn => locate::first(query, not_in),
            Kind::Scalar => locate::first(query, scalar),
            Kind::Marked => locate::first(query, |e| exists(e) || is_in(e)),
            Kind::Counted => locate::first(query, |e| exists(e) || is_in(e) || scalar(e)),
        }
    }
}

fn not_in(expr: &AstExpr) -> bool {
    match expr {
        AstExpr::InSubquery { negated, .. } => *negated,
        AstExpr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => matches!(without_parentheses(expr), AstExpr::InSubquery { .. }),
        _ => false,
    }
}

fn without_parentheses(expr: &AstExpr) -> &AstExpr {
    match expr {
        AstExpr::Nested(inner) => without_parentheses(inner),
        other => other,
    }
}
