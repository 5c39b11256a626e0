//! The functions by name: DataFusion's and this crate's, which take precedence.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::execution::{SessionStateDefaults, TaskContext};
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use datafusion::prelude::SessionConfig;

use super::fields::FieldNames;
use super::{CheckedArithmetic, Clock, SqlCasts, all_shared};
use crate::error::{PlanError, PlanErrorKind};
use crate::types::SqlTypePlanner;

/// All functions that an expression of this dialect can call.
///
/// The planner resolves names with it, and workers decode plans with it; both must build it
/// the same way. It cannot be changed.
#[derive(Debug, Clone)]
pub struct LevadaFunctions {
    scalar: HashMap<String, Arc<ScalarUDF>>,
    higher_order: HashMap<String, Arc<HigherOrderUDF>>,
    aggregate: HashMap<String, Arc<AggregateUDF>>,
    window: HashMap<String, Arc<WindowUDF>>,
}

impl LevadaFunctions {
    /// The functions, with `clock` for those that read the time.
    pub fn new(clock: Clock) -> Self {
        let mut functions = Self {
            scalar: HashMap::new(),
            higher_order: HashMap::new(),
            aggregate: HashMap::new(),
            window: HashMap::new(),
        };
        let scalar = SessionStateDefaults::default_scalar_functions();
        for function in scalar.into_iter().chain(all_shared(clock)) {
            for alias in function.aliases() {
                functions
                    .scalar
                    .insert(alias.clone(), Arc::clone(&function));
            }
            functions
                .scalar
                .insert(function.name().to_string(), function);
        }
        for function in SessionStateDefaults::default_higher_order_functions() {
            for alias in function.aliases() {
                functions
                    .higher_order
                    .insert(alias.clone(), Arc::clone(&function));
            }
            functions
                .higher_order
                .insert(function.name().to_string(), function);
        }
        for function in SessionStateDefaults::default_aggregate_functions() {
            for alias in function.aliases() {
                functions
                    .aggregate
                    .insert(alias.clone(), Arc::clone(&function));
            }
            functions
                .aggregate
                .insert(function.name().to_string(), function);
        }
        for function in SessionStateDefaults::default_window_functions() {
            for alias in function.aliases() {
                functions
                    .window
                    .insert(alias.clone(), Arc::clone(&function));
            }
            functions
                .window
                .insert(function.name().to_string(), function);
        }
        functions
    }

    /// Gives a DataFusion session this dialect's meaning: its functions, its types, exact decimal
    /// literals, names that keep their case, positions in errors, and arithmetic that does not wrap.
    ///
    /// Call it on a builder that has DataFusion's defaults (`with_default_features`).
    #[must_use]
    pub fn install(clock: Clock, mut builder: SessionStateBuilder) -> SessionStateBuilder {
        let config = builder.config().get_or_insert_default();
        let parser = &mut config.options_mut().sql_parser;
        parser.enable_ident_normalization = false;
        parser.map_string_types_to_utf8view = false;
        parser.collect_spans = true;
        // 0.1 is exactly a tenth, as in PostgreSQL and Flink.
        parser.parse_float_as_decimal = true;
        builder
            .scalar_functions()
            .get_or_insert_default()
            .extend(all_shared(clock));
        if let Some(get_field) = SessionStateDefaults::default_scalar_functions()
            .into_iter()
            .find(|function| function.name() == "get_field")
        {
            let planner = Arc::new(FieldNames { get_field });
            builder
                .expr_planners()
                .get_or_insert_default()
                .insert(0, planner);
        }
        builder
            .with_type_planner(Arc::new(SqlTypePlanner))
            .with_analyzer_rule(Arc::new(SqlCasts))
            .with_analyzer_rule(Arc::new(CheckedArithmetic))
    }

    /// What a worker decodes expressions with. `zone` is the session's time zone by its name in
    /// the IANA database; `None` is UTC.
    pub fn task_context(&self, zone: Option<&str>) -> TaskContext {
        let mut config = SessionConfig::new();
        config.options_mut().execution.time_zone = zone.map(str::to_string);
        TaskContext::new(
            None,
            String::new(),
            config,
            self.scalar.clone(),
            self.higher_order.clone(),
            self.aggregate.clone(),
            self.window.clone(),
            Arc::new(RuntimeEnv::default()),
        )
    }

    fn unknown<T>(name: &str, known: &HashMap<String, T>) -> PlanError {
        PlanError::new(
            PlanErrorKind::UnknownFunction,
            format!("function {name} does not exist"),
        )
        .suggest(name, known.keys().map(String::as_str))
    }
}

fn names<T>(functions: &HashMap<String, T>) -> HashSet<String> {
    functions.keys().cloned().collect()
}

fn find<T>(functions: &HashMap<String, Arc<T>>, name: &str) -> Result<Arc<T>> {
    match functions.get(name) {
        Some(function) => Ok(Arc::clone(function)),
        None => Err(LevadaFunctions::unknown(name, functions).into()),
    }
}

impl FunctionRegistry for LevadaFunctions {
    fn udfs(&self) -> HashSet<String> {
        names(&self.scalar)
    }

    fn higher_order_function_names(&self) -> HashSet<String> {
        names(&self.higher_order)
    }

    fn udafs(&self) -> HashSet<String> {
        names(&self.aggregate)
    }

    fn udwfs(&self) -> HashSet<String> {
        names(&self.window)
    }

    fn udf(&self, name: &str) -> Result<Arc<ScalarUDF>> {
        find(&self.scalar, name)
    }

    fn higher_order_function(&self, name: &str) -> Result<Arc<HigherOrderUDF>> {
        find(&self.higher_order, name)
    }

    fn udaf(&self, name: &str) -> Result<Arc<AggregateUDF>> {
        find(&self.aggregate, name)
    }

    fn udwf(&self, name: &str) -> Result<Arc<WindowUDF>> {
        find(&self.window, name)
    }

    fn expr_planners(&self) -> Vec<Arc<dyn ExprPlanner>> {
        SessionStateDefaults::default_expr_planners()
    }
}
