//! What is done to an expression before it runs: it means the same afterwards, and costs less.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

type ExprRef = Arc<dyn PhysicalExpr>;

/// Field access, as DataFusion calls it.
const FIELD_ACCESS: &str = "get_field";
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Expressions over few columns instead of wide rows.
#[derive(Debug, Clone)]
pub(super) struct Narrowed {
    /// What is read of the wide rows: columns, and fields of columns. Cheap, and cannot fail.
    pub leaves: Vec<ExprRef>,
    /// The leaves as columns.
    pub schema: SchemaRef,
    /// The expressions, reading leaves.
    pub expressions: Vec<ExprRef>,
}

/// Takes the columns and fields that `expressions` read out of them. Expressions such as CASE filter
/// the rows that they see once for each branch: with this they filter the fields that they need and
/// not whole rows.
pub(super) fn narrow(expressions: &[ExprRef], input: &SchemaRef) -> Result<Narrowed> {
    let mut leaves: Vec<ExprRef> = Vec::new();
    let mut narrowed = Vec::with_capacity(expressions.len());
    for expression in expressions {
        let rewritten = Arc::clone(expression).transform_down(|e| {
            if !is_leaf(&e, input) {
                return Ok(Transformed::no(e));
            }
            let index = leaves.iter().position(|known| known.eq(&e));
            let index = index.unwrap_or(leaves.len());
            let column: ExprRef = Arc::new(Column::new(&e.to_string(), index));
            if index == leaves.len() {
                leaves.push(e);
            }
            Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
        })?;
        narrowed.push(rewritten.data);
    }
    let fields = leaves.iter().map(|leaf| leaf.return_field(input));
    let fields = fields.collect::<Result<Vec<_>>>()?;
    Ok(Narrowed {
        leaves,
        schema: Arc::new(Schema::new(fields)),
        expressions: narrowed,
    })
}

/// Whether this is a column or a field of one, however deep.
fn is_leaf(expression: &ExprRef, input: &SchemaRef) -> bool {
    if expression.downcast_ref::<Column>().is_some() {
        return true;
    }
    let Some(function) = expression.downcast_ref::<ScalarFunctionExpr>() else {
        return false;
    };
    let [of, names @ ..] = function.args() else {
        return false;
    };
    function.fun().name() == FIELD_ACCESS
        && names.iter().all(|n| n.downcast_ref::<Literal>().is_some())
        && matches!(of.data_type(input), Ok(DataType::Struct(_)))
        && is_leaf(of, input)
}

/// Makes the intervals that are added to timestamps durations, where they are of fixed length: a
/// whole number of the timestamp's units instead of months, days and nanoseconds, for which each
/// value would have to become a date first.
pub(super) fn fixed_intervals(expression: ExprRef, input: &SchemaRef) -> Result<ExprRef> {
    let rewritten = expression.transform_up(|e| {
        let Some(binary) = e.downcast_ref::<BinaryExpr>() else {
            return Ok(Transformed::no(e));
        };
        if !matches!(binary.op(), Operator::Plus | Operator::Minus) {
            return Ok(Transformed::no(e));
        }
        let DataType::Timestamp(unit, zone) = binary.left().data_type(input)? else {
            return Ok(Transformed::no(e));
        };
        let literal = binary.right().downcast_ref::<Literal>();
        let days_vary = zone.is_some_and(|zone| !matches!(zone.as_ref(), "UTC" | "+00:00"));
        match literal.and_then(|l| duration(l.value(), unit, days_vary)) {
            Some(duration) => {
                let (left, op) = (Arc::clone(binary.left()), *binary.op());
                let right = Arc::new(Literal::new(duration));
                Ok(Transformed::yes(
                    Arc::new(BinaryExpr::new(left, op, right)) as ExprRef
                ))
            }
            None => Ok(Transformed::no(e)),
        }
    })?;
    Ok(rewritten.data)
}

fn duration(interval: &ScalarValue, unit: TimeUnit, days_vary: bool) -> Option<ScalarValue> {
    let ScalarValue::IntervalMonthDayNano(Some(interval)) = interval else {
        return None;
    };
    if interval.months != 0 || (days_vary && interval.days != 0) {
        return None;
    }
    let days = i64::from(interval.days).checked_mul(NANOS_PER_DAY)?;
    let nanos = interval.nanoseconds.checked_add(days)?;
    let whole = |per_unit: i64| (nanos % per_unit == 0).then_some(nanos / per_unit);
    Some(match unit {
        TimeUnit::Second => ScalarValue::DurationSecond(Some(whole(1_000_000_000)?)),
        TimeUnit::Millisecond => ScalarValue::DurationMillisecond(Some(whole(1_000_000)?)),
        TimeUnit::Microsecond => ScalarValue::DurationMicrosecond(Some(whole(1_000)?)),
        TimeUnit::Nanosecond => ScalarValue::DurationNanosecond(Some(nanos)),
    })
}
