//! INSERT: the columns of a query become the columns of a table.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast as cast_to, lit,
};
use sqlparser::ast::Ident;

use super::Resolver;
use crate::catalog::Table;
use crate::parser::{Insert, names};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::SqlType;

/// The query of an INSERT with exactly the columns that the table writes, by name and type.
///
/// # Errors
/// The number of columns or their types do not fit, or a named column does not exist.
pub fn insert_plan(
    resolver: &Resolver,
    plan: LogicalPlan,
    insert: &Insert,
    table: &Table,
) -> Result<LogicalPlan, PlanError> {
    let target = table.write_schema();
    let constants = constants(resolver, insert, table)?;
    let order = column_order(insert, table, &constants)?;
    let found = plan.schema().columns();
    if found.len() != order.len() {
        return Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!(
                "the query has {}, and table {} expects {}",
                counted(found.len()),
                table.name,
                order.len()
            ),
        )
        .detail(both(&plan, &target))
        .hint(format!(
            "name the columns that the query gives, as in INSERT INTO {} (a, b); the others are NULL",
            table.name
        ))
        .at(Some(insert.query.location)));
    }
    let mut projection = Vec::new();
    for field in target.fields() {
        let constant = constants.iter().find(|(name, _)| name == field.name());
        let source = order.iter().position(|name| name == field.name());
        let expr = match (constant, source.and_then(|index| found.get(index))) {
            (Some((_, expr)), _) => expr.clone(),
            (None, Some(column)) => Expr::Column(column.clone()),
            (None, None) => null_for(field, table, insert)?,
        };
        let value = convert(expr, &plan, field, table, insert)?;
        let value = refuse_null(resolver, value, &plan, field)?;
        projection.push(value.alias(field.name()));
    }
    let plan = LogicalPlanBuilder::from(plan)
        .project(projection)?
        .build()?;
    // The casts to the table's types are SQL's too.
    super::optimize::analyze(resolver, plan)
}

/// One row of the values of PARTITION (column = value).
///
/// # Errors
/// A column does not exist, or a value does not fit.
pub fn partition_plan(
    resolver: &Resolver,
    insert: &Insert,
    table: &Table,
) -> Result<LogicalPlan, PlanError> {
    let target = table.write_schema();
    let row = LogicalPlanBuilder::empty(true).build()?;
    let mut projection = Vec::new();
    for (name, expr) in constants(resolver, insert, table)? {
        if let Some((_, field)) = target.fields().find(&name) {
            let value = convert(expr, &row, field, table, insert)?;
            projection.push(value.alias(name));
        }
    }
    let plan = LogicalPlanBuilder::from(row).project(projection)?.build()?;
    super::optimize::analyze(resolver, plan)
}

fn counted(columns: usize) -> String {
    match columns {
        1 => "1 column".to_string(),
        more => format!("{more} columns"),
    }
}

/// The values of PARTITION (column = value).
fn constants(
    resolver: &Resolver,
    insert: &Insert,
    table: &Table,
) -> Result<Vec<(String, Expr)>, PlanError> {
    let nothing = Arc::new(arrow::datatypes::Schema::empty());
    insert
        .partition
        .iter()
        .map(|(ident, value)| {
            Ok((
                written_column(ident, table)?,
                resolver.resolve(value, &nothing)?,
            ))
        })
        .collect()
}

/// The names of the table's columns in the order of the query's.
fn column_order(
    insert: &Insert,
    table: &Table,
    constants: &[(String, Expr)],
) -> Result<Vec<String>, PlanError> {
    if !insert.columns.is_empty() {
        let mut order: Vec<String> = Vec::new();
        for ident in &insert.columns {
            let name = written_column(ident, table)?;
            if order.contains(&name) || constants.iter().any(|(constant, _)| *constant == name) {
                return Err(PlanError::new(
                    PlanErrorKind::DuplicateName,
                    format!("column {name} is given twice"),
                )
                .at(Location::of(ident.span)));
            }
            order.push(name);
        }
        return Ok(order);
    }
    let target = table.write_schema();
    let all = target.fields().iter().map(|field| field.name().clone());
    Ok(all
        .filter(|name| !constants.iter().any(|(constant, _)| constant == name))
        .collect())
}

fn written_column(ident: &Ident, table: &Table) -> Result<String, PlanError> {
    let target = table.write_schema();
    let known: Vec<&str> = target
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    if let Some(found) = names::resolve(&ident.value, known.iter().copied()) {
        return Ok(found.to_string());
    }
    let all = table.columns.iter().map(|column| column.name.as_str());
    let error = match names::resolve(&ident.value, all) {
        Some(found) => PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!(
                "column {found} of table {} is computed or virtual and cannot be written",
                table.name
            ),
        )
        .hint("leave it out of the list, and its value out of the query"),
        None => PlanError::new(
            PlanErrorKind::UnknownColumn,
            format!(
                "column {} does not exist in table {}",
                ident.value, table.name
            ),
        )
        .suggest(&ident.value, known),
    };
    Err(error.at(Location::of(ident.span)))
}

fn null_for(field: &Field, table: &Table, insert: &Insert) -> Result<Expr, PlanError> {
    if field.is_nullable() {
        return Ok(lit(ScalarValue::Null));
    }
    Err(PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!(
            "column {} of table {} is NOT NULL and gets no value",
            field.name(),
            table.name
        ),
    )
    .at(Some(insert.location)))
}

/// The value, checked when it is computed, if it may be NULL and the column must not.
fn refuse_null(
    resolver: &Resolver,
    value: Expr,
    plan: &LogicalPlan,
    field: &Field,
) -> Result<Expr, PlanError> {
    if field.is_nullable() || !value.nullable(plan.schema())? {
        return Ok(value);
    }
    let functions = resolver.state().scalar_functions();
    let Some(check) = functions.get("not_null") else {
        return Err(PlanError::internal("the function not_null is missing"));
    };
    Ok(check.call(vec![value, lit(field.name().as_str())]))
}

fn convert(
    expr: Expr,
    plan: &LogicalPlan,
    field: &Field,
    table: &Table,
    insert: &Insert,
) -> Result<Expr, PlanError> {
    let from = expr.get_type(plan.schema())?;
    if &from == field.data_type() {
        return Ok(expr);
    }
    if may_store(&from, field.data_type()) {
        return Ok(cast_to(expr, field.data_type().clone()));
    }
    Err(PlanError::new(
        PlanErrorKind::TypeMismatch,
        format!(
            "column {} of table {} has the type {}, and the query gives {}",
            field.name(),
            table.name,
            SqlType::from_arrow(field.data_type()),
            SqlType::from_arrow(&from)
        ),
    )
    .detail(both(plan, &table.write_schema()))
    .hint(format!(
        "use CAST(… AS {})",
        SqlType::from_arrow(field.data_type())
    ))
    .at(Some(insert.query.location)))
}

/// Whether a value may be stored without CAST: between numbers (a value that does not fit fails),
/// between texts, between bytes, and between times of the same kind.
fn may_store(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    let number = |t: &T| t.is_numeric();
    let text = |t: &T| matches!(t, T::Utf8 | T::LargeUtf8 | T::Utf8View);
    let bytes = |t: &T| {
        matches!(
            t,
            T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_)
        )
    };
    match (from, to) {
        (T::Null, _) => true,
        (T::Timestamp(_, _), T::Timestamp(_, _)) => true,
        (T::Date32, T::Timestamp(_, _)) => true,
        (T::Time32(_) | T::Time64(_), T::Time32(_) | T::Time64(_)) => true,
        (T::List(a), T::List(b)) => stores_field(a, b),
        (T::Map(a, _), T::Map(b, _)) => stores_field(a, b),
        (T::Struct(a), T::Struct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| stores_field(a, b))
        }
        _ => (number(from) && number(to)) || (text(from) && text(to)) || (bytes(from) && bytes(to)),
    }
}

fn stores_field(from: &Field, to: &Field) -> bool {
    from.data_type() == to.data_type() || may_store(from.data_type(), to.data_type())
}

fn both(plan: &LogicalPlan, target: &arrow::datatypes::Schema) -> String {
    let shown = |fields: &arrow::datatypes::Fields| {
        let column =
            |f: &Arc<Field>| format!("{} {}", f.name(), SqlType::from_arrow(f.data_type()));
        fields.iter().map(column).collect::<Vec<_>>().join(", ")
    };
    format!(
        "the query gives ({}), the table has ({})",
        shown(plan.schema().fields()),
        shown(target.fields())
    )
}
