//! SUM of integers and decimals fails when the result does not fit, as it does on streams.
//!
//! DataFusion's SUM(BIGINT) wraps around. Here it becomes a sum of DECIMAL(38, 0), which cannot
//! overflow on any real number of rows, and a cast back to BIGINT, which fails if it must. Decimals
//! of many digits are summed in 256 bits for the same reason.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchemaRef, Result};
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable, LogicalPlan, Projection, Window, WindowFunctionDefinition, cast,
};

use levada_language::error::PlanError;

/// The type in which values of a type are summed, if not in their own.
fn wide(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Int64 => Some(DataType::Decimal128(38, 0)),
        DataType::Decimal128(29.., scale) => Some(DataType::Decimal256(76, *scale)),
        _ => None,
    }
}

/// Replaces the sums of a plan that could wrap around.
pub(super) fn checked(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let replaced = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Aggregate(aggregate) => in_aggregate(aggregate),
        LogicalPlan::Window(window) => in_window(window),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(replaced.data)
}

fn in_aggregate(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let widened = aggregate
        .aggr_expr
        .iter()
        .map(|expr| widened(expr, &aggregate.input))
        .collect::<Result<Vec<_>>>()?;
    if widened.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let schema = Arc::clone(&aggregate.schema);
    let calls = or_original(widened, &aggregate.aggr_expr);
    let wide = Aggregate::try_new(aggregate.input, aggregate.group_expr, calls)?;
    narrowed(LogicalPlan::Aggregate(wide), schema)
}

fn in_window(window: Window) -> Result<Transformed<LogicalPlan>> {
    let widened = window
        .window_expr
        .iter()
        .map(|expr| widened(expr, &window.input))
        .collect::<Result<Vec<_>>>()?;
    if widened.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Window(window)));
    }
    let schema = Arc::clone(&window.schema);
    let calls = or_original(widened, &window.window_expr);
    let wide = Window::try_new(calls, window.input)?;
    narrowed(LogicalPlan::Window(wide), schema)
}

fn or_original(widened: Vec<Option<Expr>>, original: &[Expr]) -> Vec<Expr> {
    let both = widened.into_iter().zip(original);
    both.map(|(wide, original)| wide.unwrap_or_else(|| original.clone()))
        .collect()
}

/// The sum over a wider type, if the expression is a sum that could wrap around.
fn widened(expr: &Expr, input: &LogicalPlan) -> Result<Option<Expr>> {
    let (name, args) = match expr {
        Expr::AggregateFunction(function) => (function.func.name(), &function.params.args),
        Expr::WindowFunction(function) => (function.fun.name(), &function.params.args),
        Expr::Alias(alias) => {
            let wide = widened(&alias.expr, input)?;
            return Ok(wide.map(|e| e.alias_qualified(alias.relation.clone(), &alias.name)));
        }
        _ => return Ok(None),
    };
    let ([argument], "sum") = (args.as_slice(), name) else {
        return Ok(None);
    };
    let Some(wide) = wide(&argument.get_type(input.schema())?) else {
        return Ok(None);
    };
    let args = vec![cast(argument.clone(), wide)];
    Ok(match expr {
        Expr::AggregateFunction(function) => {
            let mut params = function.params.clone();
            params.args = args;
            Some(Expr::AggregateFunction(AggregateFunction {
                func: Arc::clone(&function.func),
                params,
            }))
        }
        Expr::WindowFunction(function) => {
            let mut wide = WindowFunction::clone(function);
            wide.params.args = args;
            let is_aggregate = matches!(wide.fun, WindowFunctionDefinition::AggregateUDF(_));
            is_aggregate.then(|| Expr::from(wide))
        }
        _ => None,
    })
}

/// The columns with the types and names that they had before.
fn narrowed(wide: LogicalPlan, schema: DFSchemaRef) -> Result<Transformed<LogicalPlan>> {
    let found = wide.schema().columns();
    let columns = found.into_iter().zip(schema.iter());
    let columns = columns.map(|(found, (qualifier, field))| {
        let column = Expr::Column(found);
        if &column.get_type(wide.schema())? == field.data_type() {
            return Ok(column);
        }
        let cast = cast(column, field.data_type().clone());
        Ok(cast.alias_qualified(qualifier.cloned(), field.name()))
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let plan = Projection::try_new_with_schema(columns, Arc::new(wide), schema)?;
    Ok(Transformed::yes(LogicalPlan::Projection(plan)))
}
