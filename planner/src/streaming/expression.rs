//! Physical expressions: how nodes refer to columns of their input, by position.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal, NegativeExpr};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_common::physical_expr::{fmt_sql, is_volatile};

use levada_language::error::PlanError;

/// A shared physical expression.
pub type ExprRef = Arc<dyn PhysicalExpr>;

const NANOS: i64 = 1_000_000_000;

/// Field access, as DataFusion calls it.
const FIELD_ACCESS: &str = "get_field";

/// The expression for people: names without positions, intervals as in SQL.
pub fn text(expr: &ExprRef) -> String {
    let readable = Arc::clone(expr).transform_up(|e| {
        let interval = e
            .downcast_ref::<Literal>()
            .and_then(|l| interval_text(l.value()));
        let shown = match interval {
            Some(text) => Some(Arc::new(Column::new(&text, 0)) as ExprRef),
            None => operator(&e).or_else(|| dotted(&e)),
        };
        Ok(match shown {
            Some(shown) => Transformed::yes(shown),
            None => Transformed::no(e),
        })
    });
    match readable {
        Ok(readable) => fmt_sql(readable.data.as_ref()).to_string(),
        Err(_) => fmt_sql(expr.as_ref()).to_string(),
    }
}

/// Checked arithmetic as the operator that it stands for.
fn operator(expr: &ExprRef) -> Option<ExprRef> {
    let function = expr.downcast_ref::<ScalarFunctionExpr>()?;
    let (first, rest) = function.args().split_first()?;
    let first = Arc::clone(first);
    let operator = match function.name() {
        "checked_add" => Operator::Plus,
        "checked_subtract" => Operator::Minus,
        "checked_multiply" => Operator::Multiply,
        "checked_negate" => return Some(Arc::new(NegativeExpr::new(first))),
        "checked_digits" => return Some(first),
        _ => return None,
    };
    Some(rest.iter().fold(first, |left, right| {
        Arc::new(BinaryExpr::new(left, operator, Arc::clone(right)))
    }))
}

/// Access to a field as people write it.
fn dotted(expr: &ExprRef) -> Option<ExprRef> {
    let (base, names) = field_access(expr)?;
    let path = format!("{}.{}", fmt_sql(base.as_ref()), names.join("."));
    Some(Arc::new(Column::new(&path, 0)))
}

fn interval_text(value: &ScalarValue) -> Option<String> {
    let ScalarValue::IntervalMonthDayNano(Some(interval)) = value else {
        return None;
    };
    let mut parts = Vec::new();
    if interval.months != 0 {
        parts.push(format!("'{}' MONTH", interval.months));
    }
    if interval.days != 0 {
        parts.push(format!("'{}' DAY", interval.days));
    }
    if interval.nanoseconds != 0 || parts.is_empty() {
        let (seconds, rest) = (
            interval.nanoseconds / NANOS,
            (interval.nanoseconds % NANOS).abs(),
        );
        let fraction = format!(".{rest:09}");
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        let sign = if seconds == 0 && interval.nanoseconds < 0 {
            "-"
        } else {
            ""
        };
        parts.push(format!("'{sign}{seconds}{fraction}' SECOND"));
    }
    Some(format!("INTERVAL {}", parts.join(" + INTERVAL ")))
}

/// A reference to a column.
pub(super) fn column(schema: &Schema, index: usize) -> Result<ExprRef, PlanError> {
    let field = schema
        .fields()
        .get(index)
        .ok_or_else(|| PlanError::internal(format!("there is no column {index}")))?;
    Ok(Arc::new(Column::new(field.name(), index)))
}

/// References to all columns.
pub(super) fn all_columns(schema: &Schema) -> Vec<ExprRef> {
    let column = |(index, field): (usize, &Arc<arrow::datatypes::Field>)| -> ExprRef {
        Arc::new(Column::new(field.name(), index))
    };
    schema.fields().iter().enumerate().map(column).collect()
}

/// The column that the expression is, if it is nothing else.
pub(crate) fn as_column(expr: &ExprRef) -> Option<usize> {
    expr.downcast_ref::<Column>().map(Column::index)
}

/// The positions that the expression refers to.
pub(super) fn columns_of(expr: &ExprRef) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    visit(expr, &mut |e| {
        found.extend(as_column(e));
        true
    });
    found
}

/// Calls `visitor` on the expression and its parts, from the outside in, below those for which
/// it returns true.
pub(super) fn visit(expr: &ExprRef, visitor: &mut dyn FnMut(&ExprRef) -> bool) {
    if visitor(expr) {
        for child in expr.children() {
            visit(child, visitor);
        }
    }
}

/// How often the expression refers to each column.
pub(super) fn count_columns(expr: &ExprRef, counts: &mut [usize]) {
    visit(expr, &mut |e| {
        if let Some(count) = as_column(e).and_then(|index| counts.get_mut(index)) {
            *count += 1;
        }
        true
    });
}

/// The expression with column `i` replaced by `columns[i]`.
pub(crate) fn substitute(expr: &ExprRef, columns: &[ExprRef]) -> Result<ExprRef, PlanError> {
    let replaced = Arc::clone(expr).transform_down(|e| {
        let Some(index) = as_column(&e) else {
            return Ok(Transformed::no(e));
        };
        let new = columns
            .get(index)
            .ok_or_else(|| PlanError::internal(format!("there is no column {index}")))?;
        Ok(Transformed::new(
            Arc::clone(new),
            true,
            TreeNodeRecursion::Jump,
        ))
    })?;
    Ok(replaced.data)
}

/// Whether evaluating it twice costs next to nothing.
pub(super) fn is_cheap(expr: &ExprRef) -> bool {
    if as_column(expr).is_some() || expr.downcast_ref::<Literal>().is_some() {
        return true;
    }
    match field_access(expr) {
        Some((base, _)) => is_cheap(base),
        None => false,
    }
}

/// Whether it may give another value each time.
pub(super) fn varies(expr: &ExprRef) -> bool {
    is_volatile(expr)
}

/// The base and the path of names if the expression accesses a field of a ROW.
pub(super) fn field_access(expr: &ExprRef) -> Option<(&ExprRef, Vec<&str>)> {
    let function = expr.downcast_ref::<ScalarFunctionExpr>()?;
    if function.name() != FIELD_ACCESS {
        return None;
    }
    let (base, path) = function.args().split_first()?;
    let names: Option<Vec<&str>> = path
        .iter()
        .map(|name| {
            name.downcast_ref::<Literal>()?
                .value()
                .try_as_str()
                .flatten()
        })
        .collect();
    Some((base, names?))
}

/// The expression over another schema of the same columns: column `i` stands at `positions[i]`,
/// and its ROW may have lost fields that the expression does not use.
pub(super) fn rebase(
    expr: &ExprRef,
    schema: &Schema,
    positions: &[Option<usize>],
) -> Result<ExprRef, PlanError> {
    let replaced = Arc::clone(expr).transform_up(|e| {
        if let Some(index) = as_column(&e) {
            let new =
                positions.get(index).copied().flatten().ok_or_else(|| {
                    PlanError::internal(format!("column {index} was pruned away"))
                })?;
            return Ok(Transformed::yes(column(schema, new)?));
        }
        // The type of a field access follows the type of its base, which may have shrunk.
        match e.downcast_ref::<ScalarFunctionExpr>() {
            Some(function) if function.name() == FIELD_ACCESS => {
                let rebuilt = ScalarFunctionExpr::try_new(
                    Arc::new(function.fun().clone()),
                    function.args().to_vec(),
                    schema,
                    Arc::new(function.config_options().clone()),
                )?;
                Ok(Transformed::yes(Arc::new(rebuilt)))
            }
            _ => Ok(Transformed::no(e)),
        }
    })?;
    Ok(replaced.data)
}

/// The type of the expression over rows of `schema`.
pub(super) fn data_type(expr: &ExprRef, schema: &Schema) -> Result<DataType, PlanError> {
    Ok(expr.data_type(schema)?)
}
