//! Frames of functions with OVER whose order has a type that DataFusion knows no distances in.
//!
//! Without a frame of its own, a function with ORDER BY has `RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW`. No
//! distance is in that, but DataFusion asks for the type of one all the same, and has none for a TIME or BYTES.
//! Counted in GROUPS, that is in values of the order, such a frame has the same rows.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, Window, WindowFrame, WindowFrameBound, WindowFrameUnits,
};

use arrow::datatypes::DataType;
use levada_language::error::PlanError;
use levada_language::types::SqlType;

/// Gives functions whose order is of such a type frames that are counted in groups.
///
/// # Errors
/// A frame with a distance in such an order.
pub(super) fn without_distances(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let counted = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Window(window) => in_window(window),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(counted.data)
}

fn in_window(window: Window) -> Result<Transformed<LogicalPlan>> {
    let schema = window.input.schema();
    let mut any = false;
    let names = NamePreserver::new_for_projection();
    let mut calls = Vec::new();
    for expr in &window.window_expr {
        let counted = counted_in_groups(expr, schema)?;
        any |= counted.is_some();
        calls.push(match counted {
            Some(counted) => names.save(expr).restore(counted),
            None => expr.clone(),
        });
    }
    if !any {
        return Ok(Transformed::no(LogicalPlan::Window(window)));
    }
    let counted = Window::try_new(calls, window.input)?;
    Ok(Transformed::yes(LogicalPlan::Window(counted)))
}

/// The call with a frame of groups, if it needs one.
fn counted_in_groups(expr: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    let Expr::WindowFunction(call) = expr else {
        return Ok(None);
    };
    let (params, frame) = (&call.params, &call.params.window_frame);
    let first = params
        .order_by
        .first()
        .map(|sort| sort.expr.get_type(schema));
    let Some(Ok(of)) = first else {
        return Ok(None);
    };
    if frame.units != WindowFrameUnits::Range || has_distances(&of) {
        return Ok(None);
    }
    if !has_no_distance(frame) {
        let construct = format!(
            "a frame with a distance in an order of {}",
            SqlType::from_arrow(&of)
        );
        return Err(PlanError::unsupported(construct, None)
            .hint("count ROWS, or order by a number or a time")
            .into());
    }
    let mut counted = WindowFunction::clone(call);
    counted.params.window_frame = WindowFrame::new_bounds(
        WindowFrameUnits::Groups,
        frame.start_bound.clone(),
        frame.end_bound.clone(),
    );
    Ok(Some(Expr::from(counted)))
}

/// Whether DataFusion has a type for distances between such values.
fn has_distances(of: &DataType) -> bool {
    of.is_numeric()
        || of.is_string()
        || matches!(
            of,
            DataType::Null
                | DataType::Boolean
                | DataType::List(_)
                | DataType::Date32
                | DataType::Date64
                | DataType::Timestamp(_, _)
        )
}

/// Whether a frame is bounded by the row itself and by the ends of its partition alone.
pub(crate) fn has_no_distance(frame: &WindowFrame) -> bool {
    [&frame.start_bound, &frame.end_bound]
        .into_iter()
        .all(|bound| match bound {
            WindowFrameBound::CurrentRow => true,
            WindowFrameBound::Preceding(value) | WindowFrameBound::Following(value) => {
                value.is_null()
            }
        })
}
