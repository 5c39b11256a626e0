//! Where subqueries may stand in a SELECT: where the optimizer makes joins of them.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, GroupByExpr, Query, Select, SetExpr, UnaryOperator, Visit,
    Visitor,
};

/// Whether a function is an aggregate.
type IsAggregate<'a> = &'a dyn Fn(&Function) -> bool;

/// The subqueries of a SELECT that can be planned: IN and EXISTS as conditions of WHERE and HAVING that
/// decide alone about a row, and scalar subqueries in SELECT, WHERE and HAVING, but for those whose
/// values are aggregated.
pub(super) fn placed(select: &Select, is_aggregate: IsAggregate<'_>) -> Vec<*const Expr> {
    let mut found = Vec::new();
    for condition in select.selection.iter().chain(&select.having) {
        conditions(condition, &mut found);
    }
    let mut own = Own::new(is_aggregate);
    // The visitor never breaks.
    let _ = select.projection.visit(&mut own);
    let _ = select.selection.visit(&mut own);
    let _ = select.having.visit(&mut own);
    found.extend(own.scalars);
    found
}

/// The IN and EXISTS among conditions that AND connects.
fn conditions(expr: &Expr, found: &mut Vec<*const Expr>) {
    match expr {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            conditions(left, found);
            conditions(right, found);
        }
        Expr::Nested(inner) => conditions(inner, found),
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => found.extend(predicate(expr)),
        other => found.extend(predicate(other)),
    }
}

fn predicate(expr: &Expr) -> Option<*const Expr> {
    match expr {
        Expr::Nested(inner) => predicate(inner),
        Expr::InSubquery { .. } | Expr::Exists { .. } => Some(std::ptr::from_ref(expr)),
        _ => None,
    }
}

/// What expressions have of their own, that is outside of their subqueries.
struct Own<'a> {
    is_aggregate: IsAggregate<'a>,
    /// How many queries and aggregates the visit is within.
    queries: usize,
    aggregates: usize,
    /// Whether there is an aggregate.
    any_aggregate: bool,
    /// Scalar subqueries, but those within aggregates.
    scalars: Vec<*const Expr>,
}

impl<'a> Own<'a> {
    fn new(is_aggregate: IsAggregate<'a>) -> Self {
        Own {
            is_aggregate,
            queries: 0,
            aggregates: 0,
            any_aggregate: false,
            scalars: Vec::new(),
        }
    }

    fn aggregates(&self, expr: &Expr) -> bool {
        self.queries == 0 && matches!(expr, Expr::Function(f) if (self.is_aggregate)(f))
    }
}

impl Visitor for Own<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.aggregates(expr) {
            self.aggregates += 1;
            self.any_aggregate = true;
        }
        if matches!(expr, Expr::Subquery(_)) && self.queries == 0 && self.aggregates == 0 {
            self.scalars.push(std::ptr::from_ref(expr));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.aggregates(expr) {
            self.aggregates -= 1;
        }
        ControlFlow::Continue(())
    }
}

/// Whether a query has one row at most, as its syntax says: it reads no table, or aggregates everything.
pub(super) fn gives_one_row(query: &Query, is_aggregate: IsAggregate<'_>) -> bool {
    match query.body.as_ref() {
        SetExpr::Query(inner) => gives_one_row(inner, is_aggregate),
        SetExpr::Select(select) => select.from.is_empty() || aggregates_all(select, is_aggregate),
        _ => false,
    }
}

fn aggregates_all(select: &Select, is_aggregate: IsAggregate<'_>) -> bool {
    let grouped = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
        GroupByExpr::All(_) => true,
    };
    let mut own = Own::new(is_aggregate);
    // The visitor never breaks.
    let _ = select.projection.visit(&mut own);
    !grouped && own.any_aggregate
}
