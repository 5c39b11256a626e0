//! What streams cannot do yet is refused on the syntax tree, where positions are known.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, JoinOperator, Query as AstQuery, Select,
    SelectItem, SetExpr, SetOperator, SetQuantifier, Spanned, TableFactor, Visit, Visitor,
};

use super::Resolver;
use crate::parser::Query;
use levada_language::error::{Location, PlanError};

const BATCH_HINT: &str =
    "bounded tables can be queried this way in batch mode: SET 'execution.runtime-mode' = 'batch'";

/// Refuses what only batch execution can do.
///
/// # Errors
/// The first such construct, by name and position.
pub fn refuse_for_streams(resolver: &Resolver, query: &Query) -> Result<(), PlanError> {
    // Hints about how to join are advice; these two say what the result is.
    let binding = |name: &str| name == "STATE_TTL" || name == "LOOKUP";
    if let Some(hint) = query.hints.iter().find(|hint| binding(&hint.name)) {
        let construct = format!("the hint {}", hint.name);
        return Err(PlanError::unsupported(construct, Some(hint.location))
            .hint("SET 'table.exec.state.ttl' limits the state of the whole statement"));
    }
    match query.ast.visit(&mut Refuser { resolver }) {
        ControlFlow::Break(error) => Err(error.or_at(Some(query.location))),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Refuser<'a> {
    resolver: &'a Resolver,
}

type Flow = ControlFlow<PlanError>;

fn refuse(construct: &str, location: Option<Location>) -> Flow {
    let message = format!("{construct} on streams");
    ControlFlow::Break(PlanError::unsupported(message, location).hint(BATCH_HINT))
}

fn at(node: &impl Spanned) -> Option<Location> {
    Location::of(node.span())
}

impl Visitor for Refuser<'_> {
    type Break = PlanError;

    fn pre_visit_query(&mut self, query: &AstQuery) -> Flow {
        if let Some(order_by) = &query.order_by {
            return refuse("ORDER BY", at(order_by));
        }
        if let Some(limit) = &query.limit_clause {
            return refuse("LIMIT", at(limit));
        }
        set_operation(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        for table in &select.from {
            if let Some(join) = table.joins.first() {
                return refuse(join_name(&join.join_operator), at(&join.relation));
            }
        }
        if let [_, second, ..] = select.from.as_slice() {
            return refuse("a join of several tables in FROM", at(&second.relation));
        }
        if let Some(sqlparser::ast::Distinct::On(exprs)) = &select.distinct {
            return refuse("DISTINCT ON", exprs.first().and_then(at));
        }
        if let Some(qualify) = &select.qualify {
            return refuse("QUALIFY", at(qualify));
        }
        grouping(&select.group_by)
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        match factor {
            TableFactor::UNNEST { .. } => refuse("UNNEST", at(factor)),
            TableFactor::NestedJoin { .. } => refuse("a join", at(factor)),
            TableFactor::Derived { lateral: true, .. } => refuse("LATERAL", at(factor)),
            TableFactor::Pivot { .. } => refuse("PIVOT", at(factor)),
            TableFactor::Unpivot { .. } => refuse("UNPIVOT", at(factor)),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        match expr {
            Expr::Subquery(_) => refuse("a scalar subquery", at(expr)),
            Expr::InSubquery { .. } => refuse("IN with a subquery", at(expr)),
            Expr::Exists { .. } => refuse("EXISTS", at(expr)),
            Expr::AnyOp { .. } => refuse("ANY", at(expr)),
            Expr::AllOp { .. } => refuse("ALL", at(expr)),
            Expr::Function(function) if function.over.is_some() => refuse("OVER", at(expr)),
            Expr::Function(function) => self.function(function),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Refuser<'_> {
    /// Aggregates that streams do not know.
    fn function(&self, function: &Function) -> Flow {
        let [only] = function.name.0.as_slice() else {
            return ControlFlow::Continue(());
        };
        let Some(ident) = only.as_ident() else {
            return ControlFlow::Continue(());
        };
        let aggregates = self.resolver.state().aggregate_functions();
        let Some(aggregate) = aggregates.get(&ident.value.to_ascii_lowercase()) else {
            return ControlFlow::Continue(());
        };
        let location = Location::of(ident.span);
        let shown = ident.value.to_uppercase();
        if crate::streaming::Function::from_name(aggregate.name()).is_none() {
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

fn join_name(operator: &JoinOperator) -> &'static str {
    match operator {
        JoinOperator::CrossJoin(_) => "CROSS JOIN",
        JoinOperator::LeftOuter(_) | JoinOperator::Left(_) => "LEFT JOIN",
        JoinOperator::RightOuter(_) | JoinOperator::Right(_) => "RIGHT JOIN",
        JoinOperator::FullOuter(_) => "FULL JOIN",
        _ => "JOIN",
    }
}

fn grouping(group_by: &GroupByExpr) -> Flow {
    let GroupByExpr::Expressions(expressions, modifiers) = group_by else {
        return ControlFlow::Continue(());
    };
    if !modifiers.is_empty() {
        return refuse("GROUP BY WITH ROLLUP, CUBE or TOTALS", at(group_by));
    }
    for expr in expressions {
        match expr {
            Expr::GroupingSets(_) => return refuse("GROUPING SETS", at(expr)),
            Expr::Rollup(_) => return refuse("ROLLUP", at(expr)),
            Expr::Cube(_) => return refuse("CUBE", at(expr)),
            _ => {}
        }
    }
    ControlFlow::Continue(())
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
    match (op, set_quantifier) {
        (
            SetOperator::Union,
            SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName,
        ) => {
            return refuse("UNION BY NAME", set_location(right));
        }
        (SetOperator::Union, _) => {}
        (SetOperator::Intersect, _) => return refuse("INTERSECT", set_location(right)),
        (SetOperator::Except | SetOperator::Minus, _) => {
            return refuse("EXCEPT", set_location(right));
        }
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
