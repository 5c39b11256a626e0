//! Functions, types and how expressions of this dialect are resolved.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, Projection, ScalarUDF};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use levada_engine::expression::for_job;
use levada_engine::time::Clock;
use levada_wasm::{GuestError, Limits};

use super::QueryContext;
use super::field_access::FieldAccess;
use super::modules::{ModuleFunction, ModuleFunctions};
use super::optimize::batch_rules;
use crate::lowering::Configuration;
use crate::lowering::settings::function_limits;
use crate::parser::{Expression, names};
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::functions::LevadaFunctions;
use levada_language::functions::window::MARKER;

/// Everything about expressions that does not depend on tables.
#[derive(Debug, Clone)]
pub struct Resolver {
    state: Arc<SessionState>,
    expr_planners: Arc<[Arc<dyn ExprPlanner>]>,
    clock: Arc<dyn Clock>,
    functions: Arc<ModuleFunctions>,
    limits: Limits,
}

impl Resolver {
    /// The functions and types of this dialect; `clock` is processing time.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let builder = SessionStateBuilder::new().with_default_features();
        let reading = Arc::clone(&clock);
        let now: levada_language::functions::Clock = Arc::new(move || reading.now_ms());
        let mut builder = LevadaFunctions::install(now, builder);
        let options = builder.config().get_or_insert_default().options_mut();
        options.execution.time_zone = None;
        // Files have strings as Utf8 and bytes as Binary, like every other source.
        options.execution.parquet.schema_force_view_types = false;
        options.execution.parquet.binary_as_string = true;
        let windows = builder.window_functions().get_or_insert_default();
        windows.extend(super::ranking::functions());
        let state = builder.with_optimizer_rules(batch_rules()).build();
        let field_access: Arc<dyn ExprPlanner> = Arc::new(FieldAccess);
        let planners = std::iter::once(field_access).chain(state.expr_planners().iter().cloned());
        Resolver {
            expr_planners: planners.collect(),
            clock,
            state: Arc::new(state),
            functions: Arc::default(),
            limits: Limits::default(),
        }
    }

    /// The same in the time zone of a session (`table.local-time-zone`), and with its limits of functions.
    #[must_use]
    pub fn for_session(&self, configuration: &Configuration) -> Self {
        let mut resolver = self.clone();
        // What is set has been checked.
        resolver.limits = function_limits(configuration).unwrap_or_default();
        let Some(zone) = configuration.get("table.local-time-zone") else {
            return resolver;
        };
        let mut state = self.state.as_ref().clone();
        state.config_mut().options_mut().execution.time_zone = Some(zone.clone());
        resolver.state = Arc::new(state);
        resolver
    }

    /// Makes a function of a module known; returns what queries call it as.
    ///
    /// # Errors
    /// The module does not have what the function needs.
    pub fn add_function(&self, function: ModuleFunction) -> Result<String, GuestError> {
        self.functions.add(function, self.limits)
    }

    /// The function that queries call by this name.
    pub(super) fn module_function(&self, called: &str) -> Option<Arc<ScalarUDF>> {
        self.functions.scalar(called, self.limits)
    }

    /// Processing time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// DataFusion's session state: functions, options, optimizer.
    pub fn state(&self) -> &SessionState {
        &self.state
    }

    /// How operators and field access are planned.
    pub(super) fn expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expr_planners
    }

    /// What evaluates expressions of a job graph: the same functions by name, and those of modules.
    pub fn task_context(&self) -> Arc<TaskContext> {
        let zone = &self.state.config_options().execution.time_zone;
        for_job(
            &self.state.task_ctx(),
            zone.as_deref(),
            self.functions.modules(),
        )
    }

    /// The options of DataFusion's SQL planner, as the state has them.
    pub(super) fn parser_options(&self) -> ParserOptions {
        ParserOptions::from(&self.state.config_options().sql_parser)
    }

    /// An expression over the columns of `schema`, analyzed: coercions are explicit, and integer
    /// arithmetic is checked.
    ///
    /// # Errors
    /// Unknown columns and functions, and types that do not fit; with the position.
    pub fn resolve(&self, expression: &Expression, schema: &SchemaRef) -> Result<Expr, PlanError> {
        let provider = QueryContext::without_tables(self);
        let mut ast = expression.ast.clone();
        let resolved = names::resolve_expression(&mut ast, schema, &provider).and_then(|()| {
            let schema = DFSchema::try_from(schema.as_ref().clone())?;
            let sql = SqlToRel::new_with_options(&provider, self.parser_options());
            let expr = sql.sql_to_expr(ast, &schema, &mut PlannerContext::new())?;
            refuse_other_rows(&expr)?;
            self.analyze(expr, schema)
        });
        resolved.map_err(|error| match expression.location {
            Some(_) => error.or_at(expression.location),
            None => error.from_elsewhere(&format!(
                "in the expression {} of an earlier statement",
                expression.text
            )),
        })
    }

    /// Analyzes an expression as the only column of a projection, and simplifies it as the optimizer would: some functions
    /// (COALESCE) are there only as what they are simplified to.
    pub(super) fn analyze(&self, expr: Expr, schema: DFSchema) -> Result<Expr, PlanError> {
        let schema = Arc::new(schema);
        let context = SimplifyContext::builder()
            .with_schema(Arc::clone(&schema))
            .with_config_options(Arc::clone(self.state.config_options()))
            .build();
        let analyzed = self.analyze_alone(expr, schema)?;
        let simplifier = ExprSimplifier::new(context).with_canonicalize(false);
        Ok(simplifier.simplify(analyzed)?)
    }

    fn analyze_alone(&self, expr: Expr, schema: DFSchemaRef) -> Result<Expr, PlanError> {
        let input = LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: false,
            schema,
        });
        let plan = LogicalPlan::Projection(Projection::try_new(vec![expr], Arc::new(input))?);
        match super::optimize::analyze(self, plan)? {
            LogicalPlan::Projection(projection) => match projection.expr.as_slice() {
                [only] => Ok(only.clone().unalias()),
                _ => Err(PlanError::internal("an expression became several")),
            },
            _ => Err(PlanError::internal(
                "an expression is no projection any more",
            )),
        }
    }

    /// An expression ready to evaluate over rows of `schema`.
    pub fn physical(
        &self,
        expr: &Expr,
        schema: &DFSchema,
    ) -> Result<Arc<dyn PhysicalExpr>, PlanError> {
        let mut props = ExecutionProps::new();
        props.mark_start_execution(Arc::clone(self.state.config_options()));
        Ok(create_physical_expr(
            expr,
            schema,
            &props,
            &PhysicalPlanningContext::default(),
        )?)
    }
}

/// An expression of a column sees one row.
fn refuse_other_rows(expr: &Expr) -> Result<(), PlanError> {
    let mut found = None;
    expr.apply(|part| {
        found = match part {
            Expr::AggregateFunction(_) => Some("an aggregate"),
            Expr::WindowFunction(_) => Some("a function with OVER"),
            Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
            | Expr::SetComparison(_) => Some("a subquery"),
            Expr::ScalarFunction(function) if function.name() == MARKER => Some("a group window"),
            _ => None,
        };
        Ok(match found {
            Some(_) => TreeNodeRecursion::Stop,
            None => TreeNodeRecursion::Continue,
        })
    })?;
    match found {
        Some(what) => Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!("{what} cannot stand here, where an expression sees one row"),
        )),
        None => Ok(()),
    }
}
