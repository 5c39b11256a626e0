//! What is well formed and cannot be meant.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, ObjectName, OrderByKind, Query, Select,
    SelectItem, Value, Visit, Visitor,
};

use super::name_location;
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// Checks what a SELECT says itself; its subqueries have their turn.
pub(super) fn select(select: &Select) -> Result<(), PlanError> {
    if let Some(condition) = &select.selection {
        no_aggregate(
            condition,
            "WHERE",
            "conditions on aggregates are those of HAVING",
        )?;
    }
    if let GroupByExpr::Expressions(keys, _) = &select.group_by {
        for key in keys {
            no_aggregate(
                key,
                "GROUP BY",
                "group by columns or expressions of one row",
            )?;
            position_exists(key, "GROUP BY", &select.projection)?;
        }
    }
    for join in select.from.iter().flat_map(|table| &table.joins) {
        has_condition(join)?;
        if let Some(JoinConstraint::On(condition)) = super::super::names::constraint(join) {
            no_aggregate(
                condition,
                "ON",
                "aggregate in a subquery, and join its result",
            )?;
        }
    }
    Ok(())
}

/// Checks the ORDER BY of a query that is a SELECT.
pub(super) fn order_by(query: &Query, projection: &[SelectItem]) -> Result<(), PlanError> {
    let Some(OrderByKind::Expressions(keys)) = query.order_by.as_ref().map(|order| &order.kind)
    else {
        return Ok(());
    };
    for key in keys {
        position_exists(&key.expr, "ORDER BY", projection)?;
    }
    Ok(())
}

/// JOIN says by what; every pair is CROSS JOIN.
fn has_condition(join: &Join) -> Result<(), PlanError> {
    let kind = match &join.join_operator {
        JoinOperator::Join(JoinConstraint::None) => "JOIN",
        JoinOperator::Inner(JoinConstraint::None) => "INNER JOIN",
        JoinOperator::Left(JoinConstraint::None)
        | JoinOperator::LeftOuter(JoinConstraint::None) => "LEFT JOIN",
        JoinOperator::Right(JoinConstraint::None)
        | JoinOperator::RightOuter(JoinConstraint::None) => "RIGHT JOIN",
        JoinOperator::FullOuter(JoinConstraint::None) => "FULL JOIN",
        _ => return Ok(()),
    };
    use sqlparser::ast::Spanned;
    Err(PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!("{kind} needs a condition"),
    )
    .hint("write ON a.x = b.y or USING (x) behind the table; if every pair is meant, write CROSS JOIN")
    .at(Location::of(join.relation.span())))
}

/// A number in GROUP BY or ORDER BY is the position of a column of SELECT.
fn position_exists(key: &Expr, clause: &str, projection: &[SelectItem]) -> Result<(), PlanError> {
    let Expr::Value(value) = key else {
        return Ok(());
    };
    let Value::Number(digits, _) = &value.value else {
        return Ok(());
    };
    let is_star = |item: &SelectItem| {
        matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(_, _)
        )
    };
    let columns = projection.len();
    let fits = digits
        .parse::<usize>()
        .is_ok_and(|n| n >= 1 && n <= columns);
    if fits || projection.iter().any(is_star) {
        return Ok(());
    }
    Err(PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!(
            "{clause} {digits} means a column of SELECT by its position, and there are {columns}"
        ),
    )
    .hint("write the name of the column, or its expression")
    .at(Location::of(value.span)))
}

fn no_aggregate(condition: &Expr, clause: &str, hint: &str) -> Result<(), PlanError> {
    let Some(name) = aggregate_in(condition) else {
        return Ok(());
    };
    Err(PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!("the aggregate {name} cannot stand in {clause}"),
    )
    .hint(hint)
    .at(name_location(&name)))
}

/// The first aggregate, subqueries aside.
pub(super) fn aggregate_in(part: &impl Visit) -> Option<ObjectName> {
    match part.visit(&mut Aggregates { subqueries: 0 }) {
        ControlFlow::Break(name) => Some(name),
        ControlFlow::Continue(()) => None,
    }
}

struct Aggregates {
    subqueries: usize,
}

impl Visitor for Aggregates {
    type Break = ObjectName;

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<ObjectName> {
        self.subqueries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<ObjectName> {
        self.subqueries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<ObjectName> {
        const AGGREGATES: &[&str] = &[
            "APPROX_COUNT_DISTINCT",
            "ARRAY_AGG",
            "AVG",
            "BOOL_AND",
            "BOOL_OR",
            "COLLECT",
            "COUNT",
            "EVERY",
            "FIRST_VALUE",
            "JSON_ARRAYAGG",
            "JSON_OBJECTAGG",
            "LAST_VALUE",
            "LISTAGG",
            "MAX",
            "MIN",
            "PERCENTILE",
            "STDDEV",
            "STDDEV_POP",
            "STDDEV_SAMP",
            "SUM",
            "VARIANCE",
            "VAR_POP",
            "VAR_SAMP",
        ];
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        let name = function.name.to_string().to_ascii_uppercase();
        if self.subqueries > 0 || !AGGREGATES.contains(&name.as_str()) || function.over.is_some() {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(function.name.clone())
    }
}
