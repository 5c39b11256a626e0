//! Casts that SQL reads otherwise than Arrow.
//!
//! - Between instants (TIMESTAMP_LTZ) and wall-clock times, in the session's time zone.
//! - Times to texts as `2020-01-01 00:00:00.000`.
//! - To a coarser precision by cutting, also before 1970.
//! - BOOLEANs to texts as TRUE and FALSE.
//! - Texts to numbers with blanks around them, and to integers without their fraction.
//! - ROWs to ROWs by position, as INSERT does with columns; Arrow goes by name.
//!
//! [`SqlCasts`] puts functions in place of the casts concerned, implicit ones included.

use arrow::datatypes::{DataType, Fields, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Cast, Expr, ExprSchemable, LogicalPlan, TryCast, cast, lit, try_cast, when,
};
use datafusion::optimizer::AnalyzerRule;

use super::temporal::{CUT_TIME, TIME_TEXT, TO_INSTANT, TO_LOCAL};
use super::types::{BOOLEAN_TEXT, NUMBER_TEXT};
use crate::types::LTZ_ZONE;

/// Replaces casts by functions. Runs after type coercion, whose casts it replaces too.
#[derive(Debug, Default, Clone, Copy)]
pub struct SqlCasts;

impl AnalyzerRule for SqlCasts {
    fn name(&self) -> &str {
        "sql_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(in_plan)
            .map(|result| result.data)
    }
}

fn in_plan(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut schema = merge_schema(&plan.inputs());
    if plan.inputs().is_empty() {
        schema = plan.schema().as_ref().clone();
    }
    let preserver = NamePreserver::new(&plan);
    plan.map_expressions(|expr| {
        if !expr.exists(|e| Ok(matches!(e, Expr::Cast(_) | Expr::TryCast(_))))? {
            return Ok(Transformed::no(expr));
        }
        let name = preserver.save(&expr);
        let replaced = expr.transform_up(|expr| replace(expr, &schema))?;
        Ok(replaced.update_data(|expr| name.restore(expr)))
    })?
    .map_data(LogicalPlan::recompute_schema)
}

fn replace(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let (inner, to, plain): (&Expr, &DataType, fn(Expr, DataType) -> Expr) = match &expr {
        Expr::Cast(Cast { expr, field }) => (expr, field.data_type(), cast),
        Expr::TryCast(TryCast { expr, field }) => (expr, field.data_type(), try_cast),
        _ => return Ok(Transformed::no(expr)),
    };
    let from = inner.get_type(schema)?;
    Ok(match converted(inner, &from, to, plain) {
        Some(new) => Transformed::yes(new),
        None => Transformed::no(expr),
    })
}

/// What the cast of `value` becomes; `None` if Arrow's is right.
fn converted(
    value: &Expr,
    from: &DataType,
    to: &DataType,
    plain: fn(Expr, DataType) -> Expr,
) -> Option<Expr> {
    use DataType as T;
    let value = || value.clone();
    match (from, to) {
        (T::Timestamp(_, _), T::Utf8) => Some(call(TIME_TEXT, vec![value()])),
        (T::Timestamp(a, zone), T::Timestamp(b, to_zone)) => {
            let cut = match digits(*a) > digits(*b) {
                true => call(CUT_TIME, vec![value(), lit(digits(*b))]),
                false => value(),
            };
            match (zone.is_some(), to_zone.is_some()) {
                (true, false) => Some(plain_or(call(TO_LOCAL, vec![cut]), *a, *b, None, plain)),
                (false, true) => {
                    let local = plain_or(cut, *a, *b, None, plain);
                    Some(call(TO_INSTANT, vec![local]))
                }
                (_, zoned) => (digits(*a) > digits(*b))
                    .then(|| plain_or(cut, *a, *b, zoned.then_some(LTZ_ZONE), plain)),
            }
        }
        (T::Timestamp(_, Some(_)), T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_)) => {
            Some(plain(call(TO_LOCAL, vec![value()]), to.clone()))
        }
        (T::Utf8 | T::Date32, T::Timestamp(unit, Some(_))) => {
            let local = plain(value(), T::Timestamp(*unit, None));
            Some(call(TO_INSTANT, vec![local]))
        }
        (T::Boolean, T::Utf8) => Some(call(BOOLEAN_TEXT, vec![value()])),
        (T::Utf8 | T::Utf8View | T::LargeUtf8, to) if to.is_numeric() => {
            let text = plain_text(value(), from);
            let text = call(NUMBER_TEXT, vec![text, lit(to.is_integer())]);
            Some(plain(text, to.clone()))
        }
        (T::Struct(a), T::Struct(b)) if a.len() == b.len() && !same_names(a, b) => {
            by_position(value(), a, b, plain)
        }
        _ => None,
    }
}

fn plain_text(value: Expr, from: &DataType) -> Expr {
    match from {
        DataType::Utf8 => value,
        _ => cast(value, DataType::Utf8),
    }
}

fn plain_or(
    value: Expr,
    from: TimeUnit,
    to: TimeUnit,
    zone: Option<&str>,
    plain: fn(Expr, DataType) -> Expr,
) -> Expr {
    match from == to {
        true => value,
        false => plain(value, DataType::Timestamp(to, zone.map(Into::into))),
    }
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    match super::specs().find(|spec| spec.name == name) {
        Some(spec) => spec.function().call(args),
        // The names are those of this crate's own tables, which a test looks up.
        None => lit(ScalarValue::Null),
    }
}

/// How many digits of a second a unit has.
fn digits(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

fn same_names(a: &Fields, b: &Fields) -> bool {
    a.iter().zip(b).all(|(a, b)| a.name() == b.name())
}

/// A ROW with the names and types of `to`, field by field; NULL stays NULL.
fn by_position(
    row: Expr,
    from: &Fields,
    to: &Fields,
    plain: fn(Expr, DataType) -> Expr,
) -> Option<Expr> {
    let mut parts = Vec::new();
    for (old, new) in from.iter().zip(to) {
        let field = get_field(row.clone(), old.name().as_str());
        let value = match old.data_type() == new.data_type() {
            true => field,
            false => converted(&field, old.data_type(), new.data_type(), plain)
                .unwrap_or_else(|| plain(field, new.data_type().clone())),
        };
        parts.extend([lit(new.name().as_str()), value]);
    }
    let whole = cast(named_struct(parts), DataType::Struct(to.clone()));
    when(row.is_not_null(), whole).end().ok()
}
