//! Functions, types and how expressions of this dialect are resolved.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::optimizer::analyzer::type_coercion::TypeCoercionRewriter;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::prelude::SessionConfig;
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};

use super::QueryContext;
use crate::error::PlanError;
use crate::parser::Expression;

/// Everything about expressions that does not depend on tables.
#[derive(Debug, Clone)]
pub struct Resolver {
    state: Arc<SessionState>,
}

impl Resolver {
    /// The functions and types of this dialect.
    pub fn new() -> Self {
        let mut config = SessionConfig::new();
        let options = config.options_mut();
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.collect_spans = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.sql_parser.dialect = datafusion::config::Dialect::Generic;
        options.execution.time_zone = Some("UTC".to_string());
        // Parquet strings come as Utf8, the one string type of this dialect.
        options.execution.parquet.schema_force_view_types = false;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .with_type_planner(Arc::new(crate::types::SqlTypePlanner))
            .build();
        let mut state = state;
        for function in functions() {
            // Replaces DataFusion's function of the same name.
            let _ = state.register_udf(function);
        }
        Resolver {
            state: Arc::new(state),
        }
    }

    /// DataFusion's session state: functions, options, optimizer.
    pub fn state(&self) -> &SessionState {
        &self.state
    }

    /// What evaluates expressions of a job graph: the same functions by name.
    pub fn task_context(&self) -> Arc<TaskContext> {
        self.state.task_ctx()
    }

    /// The options of DataFusion's SQL planner: names keep their case, positions are kept.
    pub fn parser_options() -> ParserOptions {
        ParserOptions::new()
            .with_enable_ident_normalization(false)
            .with_collect_spans(true)
            .with_map_string_types_to_utf8view(false)
    }

    /// An expression over the columns of `schema`, with every coercion made explicit.
    ///
    /// # Errors
    /// Unknown columns and functions, and types that do not fit; with the position.
    pub fn resolve(&self, expression: &Expression, schema: &SchemaRef) -> Result<Expr, PlanError> {
        let schema = DFSchema::try_from(schema.as_ref().clone())?;
        let provider = QueryContext::without_tables(self);
        let sql = SqlToRel::new_with_options(&provider, Self::parser_options());
        let ast = super::case::expression_with_case(&sql, &expression.ast, &schema)
            .map_err(|error| error.or_at(Some(expression.location)))?;
        let expr = sql
            .sql_to_expr(ast, &schema, &mut PlannerContext::new())
            .map_err(|error| PlanError::from(error).or_at(Some(expression.location)))?;
        self.coerce(expr, &schema)
            .map_err(|error| error.or_at(Some(expression.location)))
    }

    /// Makes the coercions of an expression explicit; its name stays.
    pub fn coerce(&self, expr: Expr, schema: &DFSchema) -> Result<Expr, PlanError> {
        let name = NamePreserver::new_for_projection().save(&expr);
        let mut rewriter = TypeCoercionRewriter::new(schema);
        let coerced = expr.rewrite(&mut rewriter)?.data;
        coerced.get_type(schema)?;
        Ok(name.restore(coerced))
    }

    /// An expression ready to evaluate over rows of `schema`.
    pub fn physical(
        &self,
        expr: &Expr,
        schema: &DFSchema,
    ) -> Result<Arc<dyn PhysicalExpr>, PlanError> {
        let props = ExecutionProps::new();
        Ok(create_physical_expr(
            expr,
            schema,
            &props,
            &PhysicalPlanningContext::default(),
        )?)
    }
}

/// The functions of this dialect.
fn functions() -> Vec<Arc<datafusion::logical_expr::ScalarUDF>> {
    vec![Arc::new(crate::functions::window::marker())]
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
}
