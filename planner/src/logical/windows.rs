//! Window markers become [`WindowTable`] nodes.
//!
//! The parser leaves `get_field(marker, 'window_start')` in projections (table functions) and in
//! GROUP BY (legacy group windows). Here the marker's call becomes a node below, and each field
//! access a column of that node.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{
    Aggregate, Expr, Extension, LogicalPlan, LogicalPlanBuilder, Projection,
};

use super::WindowTable;
use super::window_table::{END, START, TIME};
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::functions::window::{
    MARKER, WINDOW_END, WINDOW_START, WINDOW_TIME, WindowCall, WindowKind,
};

/// Replaces every marker of the plan.
pub(super) fn replace_markers(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let replaced = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Projection(projection) => in_projection(projection),
        LogicalPlan::Aggregate(aggregate) => in_aggregate(aggregate),
        other => Ok(Transformed::no(other)),
    })?;
    let plan = replaced.data;
    check_none_left(&plan)?;
    Ok(plan)
}

fn in_projection(projection: Projection) -> Result<Transformed<LogicalPlan>> {
    let Some(call) = marker_of(&projection.expr)? else {
        return Ok(Transformed::no(LogicalPlan::Projection(projection)));
    };
    let keys = call.keys.clone();
    let window = window_node(projection.input.as_ref().clone(), call, keys)?;
    let expr = projection
        .expr
        .into_iter()
        .map(|e| with_column(e, &OF_TIME))
        .collect::<Result<Vec<_>>>()?;
    let plan = Projection::try_new(expr, Arc::new(window))?;
    Ok(Transformed::yes(LogicalPlan::Projection(plan)))
}

/// The three field accesses among the keys become columns of a projection that keeps their
/// names, so nothing above the aggregation has to change.
fn in_aggregate(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let Some(call) = marker_of(&aggregate.group_expr)? else {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    };
    let has_marker = |expr: &Expr| expr.exists(|e| Ok(is_marker(e)));
    let mut keys = Vec::new();
    let mut fields = Vec::new();
    for expr in &aggregate.group_expr {
        if has_marker(expr)? {
            fields.push(expr.clone());
        } else {
            keys.push(expr.clone());
        }
    }
    let session = call.kind == WindowKind::Session;
    let window = window_node(
        aggregate.input.as_ref().clone(),
        call,
        if session { keys } else { Vec::new() },
    )?;
    let mut projected: Vec<Expr> = aggregate
        .input
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    for field in &fields {
        let name = field.schema_name().to_string();
        projected.push(with_column(field.clone(), &OF_TIME)?.alias(name));
    }
    let projected = LogicalPlanBuilder::from(window)
        .project(projected)?
        .build()?;
    let group_expr = aggregate
        .group_expr
        .into_iter()
        .map(|expr| match fields.contains(&expr) {
            true => Expr::Column(Column::new_unqualified(expr.schema_name().to_string())),
            false => expr,
        })
        .collect();
    let plan = Aggregate::try_new(Arc::new(projected), group_expr, aggregate.aggr_expr)?;
    Ok(Transformed::yes(LogicalPlan::Aggregate(plan)))
}

fn window_node(input: LogicalPlan, call: WindowCall, keys: Vec<Expr>) -> Result<LogicalPlan> {
    let node = WindowTable::new(input, call, keys)?;
    Ok(LogicalPlan::Extension(Extension {
        node: Arc::new(node),
    }))
}

fn is_marker(expr: &Expr) -> bool {
    is_call_of(expr, MARKER)
}

fn is_call_of(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::ScalarFunction(function) if function.func.name() == name)
}

/// The marker's call in these expressions; all of one place are the same.
fn marker_of(exprs: &[Expr]) -> Result<Option<WindowCall>> {
    let mut found: Option<Expr> = None;
    let mut second = None;
    for expr in exprs {
        expr.apply(|e| {
            if !is_marker(e) {
                return Ok(TreeNodeRecursion::Continue);
            }
            match &found {
                None => found = Some(e.clone()),
                Some(first) if first != e => second = Some(e.clone()),
                Some(_) => {}
            }
            Ok(TreeNodeRecursion::Jump)
        })?;
    }
    if let Some(other) = second {
        let location = WindowCall::from_expr(&other)?.and_then(|call| call.location);
        return Err(PlanError::unsupported("a second window in one SELECT", location).into());
    }
    match found {
        Some(expr) => Ok(WindowCall::from_expr(&expr)?),
        None => Ok(None),
    }
}

/// What stands for a window in expressions until its node is there.
pub(super) struct Marker {
    /// The function's name.
    pub(super) name: &'static str,
    /// The node's columns of its start, its end and its time.
    pub(super) columns: [&'static str; 3],
}

const OF_TIME: Marker = Marker {
    name: MARKER,
    columns: [START, END, TIME],
};

/// Replaces `get_field(marker, field)` by the node's column.
pub(super) fn with_column(expr: Expr, marker: &Marker) -> Result<Expr> {
    let replaced = expr.transform_up(|e| match window_field(&e, marker) {
        Some(name) => Ok(Transformed::yes(Expr::Column(Column::new_unqualified(
            name,
        )))),
        None => Ok(Transformed::no(e)),
    })?;
    Ok(replaced.data)
}

fn window_field(expr: &Expr, marker: &Marker) -> Option<&'static str> {
    let Expr::ScalarFunction(function) = expr else {
        return None;
    };
    let [start, end, time] = marker.columns;
    let is_marker = |e: &Expr| is_call_of(e, marker.name);
    match function.args.as_slice() {
        [base, Expr::Literal(name, _)] if is_marker(base) => match name.try_as_str().flatten()? {
            WINDOW_START => Some(start),
            WINDOW_END => Some(end),
            WINDOW_TIME => Some(time),
            _ => None,
        },
        _ => None,
    }
}

fn check_none_left(plan: &LogicalPlan) -> Result<(), PlanError> {
    let mut left: Option<Expr> = None;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                if is_marker(e) {
                    left.get_or_insert_with(|| e.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    let Some(marker) = left else {
        return Ok(());
    };
    let location = WindowCall::from_expr(&marker)?.and_then(|call| call.location);
    Err(
        PlanError::new(PlanErrorKind::InvalidWindow, "a window cannot stand here")
            .hint("windows go into FROM as TABLE(TUMBLE(…)), or into GROUP BY")
            .at(location),
    )
}
