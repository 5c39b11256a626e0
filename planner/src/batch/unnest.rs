//! UNNEST in FROM as DataFusion runs it: the collection becomes a list column, and beside it stands a list of the
//! numbers of its elements; both are unnested as one.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, NullHandling, Result, UnnestOptions};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_nested::length::array_length;
use datafusion::functions_nested::map_entries::map_entries;
use datafusion::functions_nested::range::range;
use datafusion::logical_expr::{
    Expr, ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder, cast, col, lit,
};

use arrow::datatypes::DataType;

use crate::logical::UnnestTable;
use levada_language::error::PlanError;

/// The elements.
const ELEMENT: &str = "__unnest_element";
/// Their numbers.
const ORDINALITY: &str = "__unnest_ordinality";

/// Replaces the nodes of UNNEST.
pub(super) fn to_plain(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let replaced = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Extension(Extension { node: extension }) = &node else {
            return Ok(Transformed::no(node));
        };
        match extension.as_any().downcast_ref::<UnnestTable>() {
            Some(table) => Ok(Transformed::yes(plain(table)?)),
            None => Ok(Transformed::no(node)),
        }
    })?;
    Ok(replaced.data)
}

fn plain(table: &UnnestTable) -> Result<LogicalPlan> {
    let schema = table.input.schema();
    let columns: Vec<Expr> = schema.columns().into_iter().map(Expr::Column).collect();
    let list = match table.collection.get_type(schema)? {
        DataType::Map(..) => map_entries(table.collection.clone()),
        _ => table.collection.clone(),
    };
    let mut lists = vec![ELEMENT];
    let mut with_lists = columns.clone();
    with_lists.push(list.clone().alias(ELEMENT));
    if table.ordinality {
        let last = cast(array_length(list), DataType::Int64);
        let numbers = range(lit(1i64), last + lit(1i64), lit(1i64));
        with_lists.push(numbers.alias(ORDINALITY));
        lists.push(ORDINALITY);
    }
    let null_handling = match table.outer {
        true => NullHandling::PreserveAndExpandEmpty,
        false => NullHandling::Drop,
    };
    let lists = lists.into_iter().map(Column::new_unqualified).collect();
    let options = UnnestOptions::new().with_null_handling(null_handling);
    let unnested = LogicalPlanBuilder::from(table.input.clone())
        .project(with_lists)?
        .unnest_columns_with_options(lists, options)?;
    let own = own_columns(table, unnested.schema().as_ref())?;
    unnested.project(columns.into_iter().chain(own))?.build()
}

/// The columns of the elements: fields of a ROW or of an entry of a MAP, or the value; and the number.
fn own_columns(table: &UnnestTable, schema: &datafusion::common::DFSchema) -> Result<Vec<Expr>> {
    let (qualifier, names) = table.own_names();
    let mut exprs = match col(ELEMENT).get_type(schema)? {
        DataType::Struct(fields) => fields
            .iter()
            .map(|field| get_field(col(ELEMENT), field.name().as_str()))
            .collect(),
        _ => vec![col(ELEMENT)],
    };
    if table.ordinality {
        exprs.push(cast(col(ORDINALITY), DataType::Int32));
    }
    let named = exprs.into_iter().zip(names);
    Ok(named
        .map(|(expr, name)| expr.alias_qualified(Some(qualifier.clone()), name))
        .collect())
}
