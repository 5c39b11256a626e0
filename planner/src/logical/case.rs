//! The case of column names.
//!
//! DataFusion resolves names exactly. When it finds no column, its error lists the columns in
//! scope, and if exactly one of them differs in case alone, that one is written into the syntax
//! tree, at the error's position, and the query is planned again. So scopes need not be known
//! here, and an exact name always wins.

use std::ops::ControlFlow;

use datafusion::common::DFSchema;
use datafusion::common::{Column, SchemaError, Span};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::planner::ContextProvider;
use datafusion::sql::planner::{PlannerContext, SqlToRel};
use sqlparser::ast::{Expr, Ident, Statement, VisitMut, VisitorMut};

use super::QueryContext;
use crate::error::PlanError;
use crate::parser::Query;

/// More corrections than any query has names.
const MOST_CORRECTIONS: usize = 10_000;

/// Plans a query, correcting the case of column names.
pub(super) fn plan_with_case(
    context: &QueryContext<'_>,
    query: &Query,
) -> Result<LogicalPlan, PlanError> {
    let sql = SqlToRel::new_with_options(context, context.resolver().parser_options());
    let planned = correct(query.ast.clone(), |ast| {
        sql.sql_statement_to_plan(Statement::Query(ast.clone()))
    });
    planned.map_err(|error| error.or_at(Some(query.location)))
}

/// The expression with the case of its column names corrected.
pub(super) fn expression_with_case<S: ContextProvider>(
    sql: &SqlToRel<'_, S>,
    expression: &Expr,
    schema: &DFSchema,
) -> Result<Expr, PlanError> {
    correct(expression.clone(), |ast| {
        sql.sql_to_expr(ast.clone(), schema, &mut PlannerContext::new())?;
        Ok(ast.clone())
    })
}

fn correct<A: VisitMut, T>(
    mut ast: A,
    plan: impl Fn(&A) -> Result<T, DataFusionError>,
) -> Result<T, PlanError> {
    for _ in 0..MOST_CORRECTIONS {
        let error = match plan(&ast) {
            Ok(planned) => return Ok(planned),
            Err(error) => error,
        };
        let corrected = correction(&error, None).is_some_and(|mut correction| {
            let _ = ast.visit(&mut correction);
            correction.done
        });
        if !corrected {
            return Err(error.into());
        }
    }
    Err(PlanError::internal("the case of names cannot be settled"))
}

/// What to write where.
struct Correction {
    wrong: Column,
    right: Column,
    span: Option<Span>,
    done: bool,
}

fn correction(error: &DataFusionError, span: Option<Span>) -> Option<Correction> {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => {
            correction(inner, diagnostic.span.or(span))
        }
        DataFusionError::Context(_, inner) => correction(inner, span),
        DataFusionError::Shared(inner) => correction(inner, span),
        DataFusionError::Collection(errors) => correction(errors.first()?, span),
        DataFusionError::SchemaError(schema_error, _) => match schema_error.as_ref() {
            SchemaError::FieldNotFound {
                field,
                valid_fields,
            } => Some(Correction {
                right: only_match(field, valid_fields)?.clone(),
                span: field.spans().first().or(span),
                wrong: field.as_ref().clone(),
                done: false,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// The only column that differs from `wanted` in case alone.
fn only_match<'a>(wanted: &Column, columns: &'a [Column]) -> Option<&'a Column> {
    let alike = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let mut fitting = columns.iter().filter(|column| {
        let relation = match (&wanted.relation, &column.relation) {
            (None, _) => true,
            (Some(a), Some(b)) => alike(a.table(), b.table()),
            (Some(_), None) => false,
        };
        relation && alike(&wanted.name, &column.name)
    });
    let first = fitting.next()?;
    let same = |other: &Column| other.name == first.name && other.relation == first.relation;
    let unique = fitting.all(same);
    let differs = wanted.name != first.name || wanted.relation != first.relation;
    (unique && differs).then_some(first)
}

impl Correction {
    fn stands_at(&self, ident: &Ident) -> bool {
        match (self.span, Span::try_from_sqlparser_span(ident.span)) {
            (Some(wanted), Some(found)) => wanted.start == found.start,
            _ => true,
        }
    }

    fn write(&mut self, ident: &mut Ident, wrong: &str, right: &str) {
        if ident.value == wrong && wrong != right {
            ident.value = right.to_string();
            self.done = true;
        }
    }
}

impl VisitorMut for Correction {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let (wrong, right) = (self.wrong.clone(), self.right.clone());
        match expr {
            Expr::Identifier(ident) if self.stands_at(ident) => {
                self.write(ident, &wrong.name, &right.name);
            }
            Expr::CompoundIdentifier(idents) => {
                let [first, rest @ ..] = idents.as_mut_slice() else {
                    return ControlFlow::Continue(());
                };
                if !self.stands_at(first) {
                    return ControlFlow::Continue(());
                }
                match (&wrong.relation, &right.relation) {
                    (Some(from), Some(to)) => {
                        self.write(first, from.table(), to.table());
                        if let Some(second) = rest.first_mut() {
                            self.write(second, &wrong.name, &right.name);
                        }
                    }
                    _ => self.write(first, &wrong.name, &right.name),
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
