//! Tables that are asked by key: which they are, and what is their key.

use datafusion::logical_expr::{Expr, Join, LogicalPlan, Operator};
use levada_engine::connector::LookupCache;

use super::Keys;
use super::versioned::has_subquery;
use crate::catalog::Column;
use crate::logical::context::QueryContext;
use crate::logical::source::CatalogTable;
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::functions::version::VersionCall;

/// What is kept of the table below projections and conditions, if it can be asked by key.
pub(super) fn of(
    plan: &LogicalPlan,
    context: &QueryContext<'_>,
) -> Result<Option<LookupCache>, PlanError> {
    match plan {
        LogicalPlan::TableScan(scan) => match CatalogTable::of(&scan.source) {
            Some(found) => context.lookup_of(&found.table),
            None => Ok(None),
        },
        LogicalPlan::SubqueryAlias(alias) => of(&alias.input, context),
        LogicalPlan::Projection(projection) => match has_subquery(projection.expr.iter())? {
            true => Ok(None),
            false => of(&projection.input, context),
        },
        LogicalPlan::Filter(filter) => match has_subquery([&filter.predicate].into_iter())? {
            true => Ok(None),
            false => of(&filter.input, context),
        },
        _ => Ok(None),
    }
}

/// The equalities of columns of the table with what a row of the left table has, or with what is constant.
pub(super) fn keys(join: &Join, call: &VersionCall, rest: Vec<Expr>) -> Result<Keys, PlanError> {
    let left = join.left.schema();
    let of_left = |expr: &Expr| {
        let columns = expr.column_refs();
        columns.iter().all(|column| left.has_column(column)) && !expr.is_volatile()
    };
    let mut asked = Vec::new();
    let mut found = Keys {
        keys: Vec::new(),
        rest: Vec::new(),
    };
    for part in rest {
        let column = match &part {
            Expr::BinaryExpr(equal) if equal.op == Operator::Eq => {
                match (of_left(&equal.left), of_left(&equal.right)) {
                    (true, false) => column_of_table(&equal.right, &join.right),
                    (false, true) => column_of_table(&equal.left, &join.right),
                    _ => None,
                }
            }
            _ => None,
        };
        match column {
            Some(column) if !asked.contains(&column) => {
                asked.push(column);
                found.keys.push(part);
            }
            _ => found.rest.push(part),
        }
    }
    match found.keys.is_empty() {
        true => Err(no_key(join, call)),
        false => Ok(found),
    }
}

/// The position of a column that a table has outside, whatever views call it.
fn column_of_table(expr: &Expr, plan: &LogicalPlan) -> Option<usize> {
    let Expr::Column(column) = expr else {
        return None;
    };
    trace(plan.schema().maybe_index_of_column(column)?, plan)
}

fn trace(index: usize, plan: &LogicalPlan) -> Option<usize> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let name = plan.schema().field(index).name();
            let table = &CatalogTable::of(&scan.source)?.table;
            let position = table.position(name)?;
            let is_outside = table.columns.get(position).is_some_and(Column::is_read);
            is_outside.then_some(position)
        }
        LogicalPlan::SubqueryAlias(alias) => trace(index, &alias.input),
        LogicalPlan::Filter(filter) => trace(index, &filter.input),
        LogicalPlan::Projection(projection) => {
            let Expr::Column(column) = projection.expr.get(index)?.clone().unalias() else {
                return None;
            };
            let below = projection.input.schema().maybe_index_of_column(&column)?;
            trace(below, &projection.input)
        }
        _ => None,
    }
}

fn no_key(join: &Join, call: &VersionCall) -> PlanError {
    let table = &call.table;
    let fields = join.right.schema().fields();
    let first = (0..fields.len()).find(|index| trace(*index, &join.right).is_some());
    let column = first.and_then(|index| fields.get(index));
    let column = column.map_or("column", |field| field.name());
    PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!(
            "{table} is asked by key, and the condition does not say what any of its columns equals"
        ),
    )
    .hint(format!(
        "compare columns of {table} with columns of the left table or with constants in ON, as in \
         l.{column} = {table}.{column}; other conditions can stand beside that"
    ))
    .at(call.location)
}

/// The error for a time that the table knows nothing of.
pub(super) fn only_now(call: &VersionCall) -> PlanError {
    let table = &call.table;
    PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!("{table} is asked for the rows that it has now, and knows none of the versions before"),
    )
    .hint(format!(
        "use FOR SYSTEM_TIME AS OF a column of the left table that is declared as pt AS PROCTIME(); for versions in \
         event time {table} needs a PRIMARY KEY and a WATERMARK"
    ))
    .at(call.location)
}
