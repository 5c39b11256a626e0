//! The analyzer and the optimizer rules.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::common::alias::AliasGenerator;
use datafusion::common::config::ConfigOptions;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion::optimizer::eliminate_duplicated_expr::EliminateDuplicatedExpr;
use datafusion::optimizer::eliminate_filter::EliminateFilter;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::optimize_unions::OptimizeUnions;
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::optimizer::{Optimizer, OptimizerConfig, OptimizerRule};

use super::Resolver;
use levada_language::error::PlanError;

/// Checks the plan and makes every coercion explicit.
pub(super) fn analyze(resolver: &Resolver, plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let state = resolver.state();
    let analyzed = state
        .analyzer()
        .execute_and_check(plan, state.config_options(), |_, _| {})?;
    Ok(analyzed)
}

/// Optimizes a plan that will run on streams.
///
/// The rules are chosen by hand: those that make nodes which streams do not have (a join for a
/// subquery, two aggregations for a distinct one) or that look at statistics are left out.
///
/// # Errors
/// A constant expression that fails.
pub fn optimize_for_streams(
    resolver: &Resolver,
    plan: LogicalPlan,
) -> Result<LogicalPlan, PlanError> {
    let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![
        Arc::new(OptimizeUnions::new()),
        Arc::new(SimplifyExpressions::new()),
        Arc::new(ReplaceDistinctWithAggregate::new()),
        Arc::new(EliminateDuplicatedExpr::new()),
        Arc::new(EliminateFilter::new()),
        Arc::new(PropagateEmptyRelation::new()),
        Arc::new(PushDownFilter::new()),
        Arc::new(CommonSubexprEliminate::new()),
        Arc::new(OptimizeProjections::new()),
    ];
    let config = StreamConfig::new(resolver);
    Ok(Optimizer::with_rules(rules).optimize(plan, &config, |_, _| {})?)
}

/// Without a start time, so that no rule takes the time of planning for the time of a row.
struct StreamConfig<'a> {
    resolver: &'a Resolver,
    aliases: Arc<AliasGenerator>,
    options: Arc<ConfigOptions>,
}

impl<'a> StreamConfig<'a> {
    fn new(resolver: &'a Resolver) -> Self {
        let mut options = resolver.state().config_options().as_ref().clone();
        // A rule that fails would otherwise be skipped, and its error come late or never.
        options.optimizer.skip_failed_rules = false;
        StreamConfig {
            resolver,
            aliases: Arc::new(AliasGenerator::new()),
            options: Arc::new(options),
        }
    }
}

impl OptimizerConfig for StreamConfig<'_> {
    fn query_execution_start_time(&self) -> Option<DateTime<Utc>> {
        None
    }

    fn alias_generator(&self) -> &Arc<AliasGenerator> {
        &self.aliases
    }

    fn options(&self) -> Arc<ConfigOptions> {
        Arc::clone(&self.options)
    }

    fn function_registry(&self) -> Option<&dyn FunctionRegistry> {
        Some(self.resolver.state())
    }
}
