//! MATCH_RECOGNIZE becomes a [`PatternTable`], with a projection behind it that computes the measures.
//!
//! ```text
//!   measures over values ── PatternTable: columns of the partition, values ── columns that are computed ── input
//! ```
//!
//! Expressions are over values that the node finds ([`references`]), so what is computed of them is an ordinary
//! projection. Conditions are kept in the node; [`analyze`] makes their types fit.

mod clauses;
mod marks;
mod node;
mod references;

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::{
    MatchRecognizePattern, Measure, RowsPerMatch, Spanned, SymbolDefinition, TableFactor,
};

use super::Resolver;
use clauses::Variables;
use levada_engine::graph::{MAX_VARIABLES, Reference};
use levada_language::dialect::pattern::{NOTHING, SUBSET, WITHIN};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use marks::Names;
use references::{Place, Rows, Values};

pub(super) use marks::function;
pub(crate) use node::shown;
pub use node::{PatternCondition, PatternDefinition, PatternTable, PatternVariable};

/// A pattern has so many places for rows at most, repetitions written out.
const MAX_POSITIONS: usize = 2000;

/// Plans MATCH_RECOGNIZE in FROM.
#[derive(Debug)]
pub(super) struct PatternPlanner;

impl RelationPlanner for PatternPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        match relation {
            TableFactor::MatchRecognize { .. } => {
                let planned = plan(relation, context)?;
                Ok(RelationPlanning::Planned(Box::new(planned)))
            }
            other => Ok(RelationPlanning::Original(Box::new(other))),
        }
    }
}

fn plan(
    relation: TableFactor,
    context: &mut dyn RelationPlannerContext,
) -> Result<PlannedRelation> {
    let TableFactor::MatchRecognize {
        table,
        partition_by,
        order_by,
        measures,
        rows_per_match,
        after_match_skip,
        pattern,
        symbols,
        alias,
    } = relation
    else {
        return Err(PlanError::internal("no pattern").into());
    };
    let at = Location::of(table.span());
    let input = context.plan(*table)?;
    let keys = clauses::partition(partition_by, &input, context)?;
    let order = clauses::order(order_by, &input, context, at)?;
    let variables = Variables::of(&pattern, &symbols)?;
    let compiled = compiled(&pattern, &variables, at)?;
    let columns: Vec<String> = input
        .schema()
        .columns()
        .into_iter()
        .map(|c| c.name)
        .collect();
    let time = order.first().map(|sort| sort.expr.qualified_name().1);
    let names = Names {
        variables: &variables.names,
        columns: &columns,
        time: time.as_deref().unwrap_or_default(),
    };
    let mut rows = Rows::new(&input, variables.sets.clone())?;
    let all_rows = matches!(rows_per_match, Some(RowsPerMatch::AllRows(_)));
    clauses::check_rows(rows_per_match.as_ref(), at)?;
    let within_ms = clauses::within(&symbols, context)?;
    let conditions = conditions(symbols, &variables, &names, &mut rows, context)?;
    let skip = clauses::skip(after_match_skip, &variables, &compiled, at)?;
    let (measures, found) = told(measures, all_rows, &names, &mut rows, context)?;
    let definition = PatternDefinition {
        pattern: compiled,
        variables: conditions,
        measures: found,
        all_rows,
        skip,
        within_ms,
    };
    let source = with_computed(input.clone(), &rows)?;
    let node = PatternTable::new(source, (keys, order), rows.columns, definition, at)?;
    let given: Vec<Expr> = match all_rows {
        true => input
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect(),
        false => node.partition_by.clone(),
    };
    let node = LogicalPlan::Extension(Extension {
        node: Arc::new(node),
    });
    let plan = LogicalPlanBuilder::from(node)
        .project(given.into_iter().chain(measures))?
        .build()?;
    Ok(PlannedRelation::new(plan, alias))
}

/// The pattern over numbers of variables.
fn compiled(
    pattern: &MatchRecognizePattern,
    variables: &Variables,
    at: Option<Location>,
) -> Result<levada_engine::graph::Pattern> {
    if variables.own > MAX_VARIABLES {
        let what = format!("a pattern with more than {MAX_VARIABLES} variables");
        return Err(PlanError::unsupported(what, at).into());
    }
    let compiled = variables
        .pattern(pattern)
        .map_err(|error| error.or_at(at))?;
    if compiled.may_be_empty() {
        return Err(
            PlanError::unsupported("a pattern that matches without a row", at)
                .hint("let it have a variable that must be there: A+ instead of A*")
                .into(),
        );
    }
    if compiled.positions() > MAX_POSITIONS {
        let what =
            format!("a pattern of more than {MAX_POSITIONS} rows with its repetitions written out");
        return Err(PlanError::unsupported(what, at)
            .hint("let a variable repeat without a limit, and count its rows in a condition")
            .into());
    }
    Ok(compiled)
}

/// The input with columns behind its own that expressions read.
fn with_computed(input: LogicalPlan, rows: &Rows) -> Result<LogicalPlan> {
    if rows.computed.is_empty() {
        return Ok(input);
    }
    let own = input.schema().columns().into_iter().map(Expr::Column);
    let computed = rows.computed.iter();
    let computed = computed.map(|(expr, name)| expr.clone().alias(name.as_str()));
    let columns: Vec<Expr> = own.chain(computed).collect();
    LogicalPlanBuilder::from(input).project(columns)?.build()
}

/// The conditions of the variables.
fn conditions(
    symbols: Vec<SymbolDefinition>,
    variables: &Variables,
    names: &Names<'_>,
    rows: &mut Rows,
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<PatternVariable>> {
    let mut found: Vec<PatternVariable> = variables
        .names
        .iter()
        .take(variables.own)
        .map(|name| PatternVariable {
            name: name.clone(),
            condition: None,
        })
        .collect();
    for SymbolDefinition { symbol, definition } in symbols {
        if [WITHIN, SUBSET, NOTHING].contains(&symbol.value.as_str()) {
            continue;
        }
        let at = Location::of(symbol.span);
        let own = names
            .variable(&symbol.value)
            .and_then(|variable| found.get_mut(variable));
        let Some(own) = own else {
            let kind = PlanErrorKind::UnknownName;
            let known = variables.names.get(..variables.own).unwrap_or_default();
            let message = format!(
                "DEFINE is about {}, which is no variable of the pattern",
                symbol.value
            );
            return Err(PlanError::new(kind, message)
                .detail(format!("its variables are {}", known.join(", ")))
                .at(at)
                .into());
        };
        if own.condition.is_some() {
            let message = format!("DEFINE has {} twice", symbol.value);
            return Err(PlanError::new(PlanErrorKind::DuplicateName, message)
                .at(at)
                .into());
        }
        own.condition = Some(condition(&own.name, definition, names, rows, context)?);
    }
    Ok(found)
}

/// The condition of a variable.
fn condition(
    variable: &str,
    definition: sqlparser::ast::Expr,
    names: &Names<'_>,
    rows: &mut Rows,
    context: &mut dyn RelationPlannerContext,
) -> Result<PatternCondition> {
    let at = Location::of(definition.span());
    let mut values = Values::new("__pattern_condition_", Place::Condition);
    let expr = context.sql_to_expr(names.mark(definition)?, &rows.schema);
    let expr = expr.and_then(|expr| rows.resolve(expr, &mut values));
    let expr = expr.map_err(|error| PlanError::from(error).or_at(at))?;
    if expr.is_volatile() {
        let what = "a function that varies in DEFINE";
        return Err(PlanError::unsupported(what, at)
            .hint("a condition must say the same of a row whenever it is asked")
            .into());
    }
    let schema = Arc::new(references::schema_of(&values.found)?);
    let data_type = expr.get_type(&schema)?;
    if !matches!(data_type, DataType::Boolean | DataType::Null) {
        return Err(references::not_boolean(variable, &data_type)
            .or_at(at)
            .into());
    }
    let found = values.found.into_iter();
    Ok(PatternCondition {
        values: found.map(|(reference, _)| reference).collect(),
        schema,
        expr,
    })
}

/// The measures over values, and these.
#[allow(clippy::type_complexity)]
fn told(
    measures: Vec<Measure>,
    all_rows: bool,
    names: &Names<'_>,
    rows: &mut Rows,
    context: &mut dyn RelationPlannerContext,
) -> Result<(Vec<Expr>, Vec<(Reference, arrow::datatypes::FieldRef)>)> {
    let mut values = Values::new("__pattern_measure_", Place::Measure { running: all_rows });
    let mut exprs = Vec::new();
    for Measure { expr, alias } in measures {
        let at = Location::of(expr.span());
        let planned = context.sql_to_expr(names.mark(expr)?, &rows.schema);
        let planned = planned.and_then(|expr| rows.resolve(expr, &mut values));
        let planned = planned.map_err(|error| PlanError::from(error).or_at(at))?;
        exprs.push(planned.alias(alias.value));
    }
    Ok((exprs, values.found))
}

/// Makes the types in conditions fit.
///
/// # Errors
/// They cannot.
pub(super) fn analyze(plan: LogicalPlan, resolver: &Resolver) -> Result<LogicalPlan, PlanError> {
    let analyzed = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Extension(extension) = &node else {
            return Ok(Transformed::no(node));
        };
        let Some(table) = extension.node.as_any().downcast_ref::<PatternTable>() else {
            return Ok(Transformed::no(node));
        };
        let mut variables = table.definition.variables.clone();
        for variable in &mut variables {
            let Some(condition) = &mut variable.condition else {
                continue;
            };
            let schema = condition.schema.as_ref().clone();
            let expr = condition.expr.clone();
            let analyzed = resolver.analyze(expr, schema);
            condition.expr = analyzed.map_err(|error| error.or_at(table.location))?;
        }
        let node = Arc::new(table.with_variables(variables));
        Ok(Transformed::yes(LogicalPlan::Extension(Extension { node })))
    })?;
    Ok(analyzed.data)
}
