//! SUM of integers and decimals fails when the result does not fit, as it does on streams.
//!
//! DataFusion's SUM(BIGINT) wraps around. Here it becomes a sum of DECIMAL(38, 0), which cannot
//! overflow on any real number of rows, and a cast back to BIGINT, which fails if it must. Decimals
//! of many digits are summed in 256 bits for the same reason.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Projection, cast};

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
        other => Ok(Transformed::no(other)),
    })?;
    Ok(replaced.data)
}

fn in_aggregate(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let widened = aggregate
        .aggr_expr
        .iter()
        .map(|expr| widened(expr, &aggregate))
        .collect::<Result<Vec<_>>>()?;
    if widened.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let schema = Arc::clone(&aggregate.schema);
    let calls = widened
        .into_iter()
        .zip(&aggregate.aggr_expr)
        .map(|(wide, original)| wide.unwrap_or_else(|| original.clone()))
        .collect();
    let wide = Aggregate::try_new(aggregate.input, aggregate.group_expr, calls)?;
    let columns = wide
        .schema
        .columns()
        .into_iter()
        .zip(schema.iter())
        .map(|(found, (qualifier, field))| narrowed(found, qualifier, field, &wide))
        .collect::<Result<Vec<_>>>()?;
    let input = Arc::new(LogicalPlan::Aggregate(wide));
    let plan = Projection::try_new_with_schema(columns, input, schema)?;
    Ok(Transformed::yes(LogicalPlan::Projection(plan)))
}

/// The sum over a wider type, if the expression is a sum that could wrap around.
fn widened(expr: &Expr, aggregate: &Aggregate) -> Result<Option<Expr>> {
    let function = match expr {
        Expr::AggregateFunction(function) => function,
        Expr::Alias(alias) => {
            let wide = widened(&alias.expr, aggregate)?;
            return Ok(wide.map(|e| e.alias_qualified(alias.relation.clone(), &alias.name)));
        }
        _ => return Ok(None),
    };
    let [argument] = function.params.args.as_slice() else {
        return Ok(None);
    };
    if function.func.name() != "sum" {
        return Ok(None);
    }
    let Some(wide) = wide(&argument.get_type(aggregate.input.schema())?) else {
        return Ok(None);
    };
    let mut params = function.params.clone();
    params.args = vec![cast(argument.clone(), wide)];
    Ok(Some(Expr::AggregateFunction(AggregateFunction {
        func: Arc::clone(&function.func),
        params,
    })))
}

/// A column of the wide aggregation with the type and name that it had before.
fn narrowed(
    found: Column,
    qualifier: Option<&datafusion::common::TableReference>,
    field: &arrow::datatypes::Field,
    wide: &Aggregate,
) -> Result<Expr> {
    let column = Expr::Column(found);
    if &column.get_type(&wide.schema)? == field.data_type() {
        return Ok(column);
    }
    let cast = cast(column, field.data_type().clone());
    Ok(cast.alias_qualified(qualifier.cloned(), field.name()))
}
