//! What streams cannot do yet is refused on the syntax tree, where positions are known.

mod subqueries;

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, Join, JoinConstraint, JoinOperator,
    LimitClause, Query as AstQuery, Select, SelectItem, SetExpr, SetOperator, SetQuantifier,
    Spanned, TableFactor, Visit, Visitor,
};

use super::Resolver;
use crate::parser::Query;
use levada_language::error::{Location, PlanError};

const BATCH_HINT: &str =
    "bounded tables can be queried this way in batch mode: SET 'execution.runtime-mode' = 'batch'";

/// The functions that streams know with OVER.
const OVER_FUNCTIONS: [&str; 17] = [
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "mean",
];

/// Refuses what only batch execution can do.
///
/// # Errors
/// The first such construct, by name and position.
pub fn refuse_for_streams(resolver: &Resolver, query: &Query) -> Result<(), PlanError> {
    let mut refuser = Refuser {
        resolver,
        placed: Vec::new(),
    };
    match query.ast.visit(&mut refuser) {
        ControlFlow::Break(error) => Err(error.or_at(Some(query.location))),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Refuser<'a> {
    resolver: &'a Resolver,
    /// The subqueries that stand where they can be planned; those of a SELECT are found before they are
    /// visited.
    placed: Vec<*const Expr>,
}

type Flow = ControlFlow<PlanError>;

fn refuse(construct: &str, location: Option<Location>) -> Flow {
    refuse_with(construct, location, BATCH_HINT)
}

fn refuse_with(construct: &str, location: Option<Location>, hint: &str) -> Flow {
    let message = format!("{construct} on streams");
    ControlFlow::Break(PlanError::unsupported(message, location).hint(hint))
}

fn at(node: &impl Spanned) -> Option<Location> {
    Location::of(node.span())
}

impl Visitor for Refuser<'_> {
    type Break = PlanError;

    fn pre_visit_query(&mut self, query: &AstQuery) -> Flow {
        limit(query.limit_clause.as_ref())?;
        set_operation(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        let mut joins = select.from.iter().flat_map(|table| &table.joins);
        joins.try_for_each(join_operator)?;
        let aggregate = |function: &Function| self.aggregate(function).is_some();
        let placed = subqueries::placed(select, &aggregate);
        self.placed.extend(placed);
        if let Some(sqlparser::ast::Distinct::On(exprs)) = &select.distinct {
            return refuse("DISTINCT ON", exprs.first().and_then(at));
        }
        grouping(&select.group_by)
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        match factor {
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => table_with_joins.joins.iter().try_for_each(join_operator),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        match expr {
            Expr::Subquery(query) => self.scalar_subquery(expr, query),
            Expr::InSubquery { .. } => self.predicate("IN with a subquery", expr),
            Expr::Exists { .. } => self.predicate("EXISTS", expr),
            Expr::AnyOp { .. } => refuse("ANY", at(expr)),
            Expr::AllOp { .. } => refuse("ALL", at(expr)),
            Expr::Function(function) if function.over.is_some() => over(function),
            Expr::Function(function) => self.function(function),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Refuser<'_> {
    fn is_placed(&self, expr: &Expr) -> bool {
        self.placed.iter().any(|placed| std::ptr::eq(*placed, expr))
    }

    /// IN and EXISTS are joins where they decide alone about a row.
    fn predicate(&self, what: &str, expr: &Expr) -> Flow {
        if self.is_placed(expr) {
            return ControlFlow::Continue(());
        }
        refuse_with(
            &format!("{what} that is no condition of WHERE or HAVING by itself"),
            at(expr),
            "conditions by themselves are those that AND connects; OR can be a UNION of two queries",
        )
    }

    fn scalar_subquery(&self, expr: &Expr, query: &AstQuery) -> Flow {
        if !self.is_placed(expr) {
            return refuse_with(
                "a scalar subquery outside SELECT, WHERE and HAVING, or within an aggregate,",
                at(expr),
                "join with it, or compute it in a subquery in FROM",
            );
        }
        let aggregate = |function: &Function| self.aggregate(function).is_some();
        if subqueries::gives_one_row(query, &aggregate) {
            return ControlFlow::Continue(());
        }
        refuse_with(
            "a scalar subquery that may give several rows",
            at(expr),
            "aggregate in its SELECT without GROUP BY, for instance MAX(x), so that it has one row",
        )
    }

    /// The name in the SQL and that of the function, if it is an aggregate (and has no OVER).
    fn aggregate<'f>(&self, function: &'f Function) -> Option<(&'f sqlparser::ast::Ident, String)> {
        let [only] = function.name.0.as_slice() else {
            return None;
        };
        let ident = only.as_ident().filter(|_| function.over.is_none())?;
        let aggregates = self.resolver.state().aggregate_functions();
        let aggregate = aggregates.get(&ident.value.to_ascii_lowercase())?;
        Some((ident, aggregate.name().to_string()))
    }

    /// Aggregates that streams do not know, and UNNEST as a function.
    fn function(&self, function: &Function) -> Flow {
        if function.name.to_string().eq_ignore_ascii_case("UNNEST") {
            let hint = "put it into FROM: FROM t CROSS JOIN UNNEST(t.items) AS u (item)";
            return refuse_with("UNNEST outside of FROM", at(&function.name), hint);
        }
        let Some((ident, aggregate)) = self.aggregate(function) else {
            return ControlFlow::Continue(());
        };
        // It says which set a row is of, and is none by then.
        if aggregate == "grouping" {
            return ControlFlow::Continue(());
        }
        let location = Location::of(ident.span);
        let shown = ident.value.to_uppercase();
        if crate::streaming::Function::from_name(&aggregate).is_none() {
            return refuse(&format!("the aggregate {shown}"), location);
        }
        match &function.args {
            FunctionArguments::List(list) if list.args.len() > 1 => {
                refuse(&format!("{shown} of several arguments"), location)
            }
            FunctionArguments::List(list) if !list.clauses.is_empty() => {
                refuse(&format!("{shown} with ORDER BY or other clauses"), location)
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Refuses functions that streams do not know with OVER.
fn over(function: &Function) -> Flow {
    let name = function.name.to_string().to_lowercase();
    if OVER_FUNCTIONS.contains(&name.as_str()) {
        return ControlFlow::Continue(());
    }
    let known = OVER_FUNCTIONS.map(str::to_uppercase).join(", ");
    let hint = format!("streams know {known}; {BATCH_HINT}");
    let what = format!("{} with OVER", name.to_uppercase());
    refuse_with(&what, at(&function.name), &hint)
}

/// Whether a query has a LIMIT.
fn limit(clause: Option<&LimitClause>) -> ControlFlow<PlanError, bool> {
    let Some(clause) = clause else {
        return ControlFlow::Continue(false);
    };
    let (limit, offset) = match clause {
        LimitClause::LimitOffset {
            limit_by, limit, ..
        } if !limit_by.is_empty() => {
            refuse("LIMIT BY", limit.as_ref().and_then(at))?;
            return ControlFlow::Continue(true);
        }
        LimitClause::LimitOffset { limit, offset, .. } => (limit.is_some(), offset.is_some()),
        LimitClause::OffsetCommaLimit { .. } => (true, true),
    };
    if offset && !limit {
        refuse("OFFSET without LIMIT", at(clause))?;
    }
    ControlFlow::Continue(limit)
}

/// Refuses joins of another kind than the regular ones.
fn join_operator(join: &Join) -> Flow {
    use JoinOperator as J;
    let what = match &join.join_operator {
        J::Join(_)
        | J::Inner(_)
        | J::Left(_)
        | J::LeftOuter(_)
        | J::Right(_)
        | J::RightOuter(_)
        | J::FullOuter(_)
        | J::LeftSemi(_)
        | J::RightSemi(_)
        | J::LeftAnti(_)
        | J::RightAnti(_)
        | J::CrossJoin(JoinConstraint::None) => return ControlFlow::Continue(()),
        J::CrossJoin(_) => {
            let hint = "leave the condition out, or write JOIN";
            return refuse_with("CROSS JOIN with a condition", at(&join.relation), hint);
        }
        J::Semi(_) => {
            let hint = "write LEFT SEMI JOIN, or EXISTS";
            return refuse_with("SEMI JOIN without a side", at(&join.relation), hint);
        }
        J::Anti(_) => {
            let hint = "write LEFT ANTI JOIN, or NOT EXISTS";
            return refuse_with("ANTI JOIN without a side", at(&join.relation), hint);
        }
        J::CrossApply | J::OuterApply => "APPLY",
        J::AsOf { .. } => "ASOF JOIN",
        J::StraightJoin(_) => "STRAIGHT_JOIN",
        J::ArrayJoin | J::LeftArrayJoin | J::InnerArrayJoin => "ARRAY JOIN",
    };
    refuse(what, at(&join.relation))
}

fn grouping(group_by: &GroupByExpr) -> Flow {
    match group_by {
        GroupByExpr::Expressions(_, modifiers) if !modifiers.is_empty() => {
            refuse("GROUP BY WITH ROLLUP, CUBE or TOTALS", at(group_by))
        }
        _ => ControlFlow::Continue(()),
    }
}

fn set_operation(body: &SetExpr) -> Flow {
    let SetExpr::SetOperation {
        op,
        set_quantifier,
        left,
        right,
    } = body
    else {
        return ControlFlow::Continue(());
    };
    // What INTERSECT and EXCEPT cannot be is refused by the parser, whatever runs them.
    if *op == SetOperator::Union
        && let SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName =
            set_quantifier
    {
        return refuse("UNION BY NAME", set_location(right));
    }
    set_operation(left)?;
    set_operation(right)
}

fn set_location(body: &SetExpr) -> Option<Location> {
    match body {
        SetExpr::Select(select) => Location::of(select.select_token.0.span).or_else(|| {
            select
                .projection
                .first()
                .and_then(|item: &SelectItem| at(item))
        }),
        other => at(other),
    }
}
