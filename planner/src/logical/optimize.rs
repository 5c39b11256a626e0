//! The analyzer and the optimizer rules.

use std::sync::Arc;

use arrow::datatypes::DataType;
use chrono::{DateTime, Utc};
use datafusion::common::alias::AliasGenerator;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{NullEquality, Result as DataFusionResult};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{self, Aggregate, Expr, Filter, LogicalPlan};
use datafusion::optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion::optimizer::eliminate_duplicated_expr::EliminateDuplicatedExpr;
use datafusion::optimizer::eliminate_filter::EliminateFilter;
use datafusion::optimizer::eliminate_outer_join::EliminateOuterJoin;
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::filter_null_join_keys::FilterNullJoinKeys;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::optimize_unions::OptimizeUnions;
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion::optimizer::scalar_subquery_to_join::ScalarSubqueryToJoin;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::optimizer::single_distinct_to_groupby::SingleDistinctToGroupBy;
use datafusion::optimizer::{ApplyOrder, Optimizer, OptimizerConfig, OptimizerRule};

use super::join_order::JoinOrder;
use super::not_in::NotIn;
use super::temporal_join::PushToLeft;
use super::{Resolver, each_query, subqueries};
use crate::catalog::Lookup;
use crate::parser::Query;
use levada_language::error::PlanError;

/// Checks the plan and makes every coercion explicit.
pub(super) fn analyze(resolver: &Resolver, plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let state = resolver.state();
    let analyzed = state
        .analyzer()
        .execute_and_check(plan, state.config_options(), |_, _| {})?;
    Ok(analyzed)
}

/// The rules of batch mode: DataFusion's, with [`Filters`], [`Distinct`] and [`Once`] in the place of what they stand for.
pub(super) fn batch_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    type Rule = Arc<dyn OptimizerRule + Send + Sync>;
    let replaced = |rule: Rule| -> Rule {
        match rule.name() {
            PUSH_DOWN_FILTER => Arc::new(Filters(PushDownFilter::new())),
            SINGLE_DISTINCT => Arc::new(Distinct(SingleDistinctToGroupBy::new())),
            REPLACE_DISTINCT => Arc::new(Once(ReplaceDistinctWithAggregate::new())),
            _ => rule,
        }
    };
    Optimizer::new().rules.into_iter().map(replaced).collect()
}

/// What DataFusion calls that rule.
const PUSH_DOWN_FILTER: &str = "push_down_filter";
const SINGLE_DISTINCT: &str = "single_distinct_aggregation_to_group_by";
const REPLACE_DISTINCT: &str = "replace_distinct_aggregate";

/// Optimizes the plan of `query`, which will run on streams.
///
/// The rules are chosen by hand: those that make nodes which streams do not have (two aggregations for
/// a distinct one), that look at statistics, or that believe what tables declare to be unique are
/// left out. Those about joins only say the same in another way, at every moment of a changelog too:
///
/// - Subqueries become joins ([`NotIn`], `DecorrelatePredicateSubquery`, `ScalarSubqueryToJoin`); what
///   cannot, or would come out wrong, is refused ([`subqueries`]).
/// - Equalities become keys, by which rows travel ([`Equalities`]); tables are joined in an order that
///   has keys, if there is one (`EliminateCrossJoin`), and in which rows become fewer early ([`JoinOrder`]).
/// - An outer join whose padded rows a condition drops is none, and appends (`EliminateOuterJoin`).
/// - Rows that cannot have a partner since their key is NULL neither travel nor are kept where a kind
///   of join drops them anyway (`FilterNullJoinKeys`).
///
/// # Errors
/// A constant expression that fails, or a subquery that is no join.
pub fn optimize_for_streams(
    resolver: &Resolver,
    plan: LogicalPlan,
    query: &Query,
    lookup: &Lookup<'_>,
) -> Result<LogicalPlan, PlanError> {
    let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![
        Arc::new(OptimizeUnions::new()),
        Arc::new(SimplifyExpressions::new()),
        Arc::new(ReplaceDistinctWithAggregate::new()),
        Arc::new(NotIn),
        Arc::new(DecorrelatePredicateSubquery::new()),
        Arc::new(ScalarSubqueryToJoin::new()),
        Arc::new(Equalities(ExtractEquijoinPredicate::new())),
        Arc::new(EliminateDuplicatedExpr::new()),
        Arc::new(EliminateFilter::new()),
        Arc::new(EliminateCrossJoin::new()),
        Arc::new(PropagateEmptyRelation::new()),
        Arc::new(FilterNullJoinKeys::default()),
        Arc::new(EliminateOuterJoin::new()),
        Arc::new(Filters(PushDownFilter::new())),
        Arc::new(PushToLeft),
        Arc::new(JoinOrder {
            free: order_is_free(query, lookup)?,
        }),
        Arc::new(CommonSubexprEliminate::new()),
        Arc::new(OptimizeProjections::new()),
    ];
    subqueries::check(&plan, query)?;
    let config = StreamConfig::new(resolver);
    let optimized = Optimizer::with_rules(rules).optimize(plan, &config, |_, _| {})?;
    subqueries::check_none_left(&optimized, query)?;
    Ok(optimized)
}

/// Whether tables may be joined in another order than that of FROM. What STATE_TTL says of an input is said of the
/// join that it is in.
fn order_is_free(query: &Query, lookup: &Lookup<'_>) -> Result<bool, PlanError> {
    let mut free = true;
    each_query(query, lookup, &mut |query, _view| {
        free &= query.hints.iter().all(|hint| hint.name != "STATE_TTL");
        Ok(())
    })?;
    Ok(free)
}

/// `ExtractEquijoinPredicate` without what it does with IS NOT DISTINCT FROM: it marks the join as one
/// whose NULL keys are equal, and other rules then add keys to which that does not apply. The
/// streaming plan finds these keys when all rules have run.
#[derive(Debug)]
struct Equalities(ExtractEquijoinPredicate);

impl OptimizerRule for Equalities {
    fn name(&self) -> &str {
        "equalities"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DataFusionResult<Transformed<LogicalPlan>> {
        if !matches!(plan, LogicalPlan::Join(_)) {
            return Ok(Transformed::no(plan));
        }
        let extracted = self.0.rewrite(plan.clone(), config)?;
        match &extracted.data {
            LogicalPlan::Join(join) if join.null_equality == NullEquality::NullEqualsNull => {
                Ok(Transformed::no(plan))
            }
            _ => Ok(extracted),
        }
    }
}

/// `SingleDistinctToGroupBy`, where types stay what they are: it makes sums of sums, which are wider if they are of
/// a DECIMAL.
#[derive(Debug)]
struct Distinct(SingleDistinctToGroupBy);

impl OptimizerRule for Distinct {
    fn name(&self) -> &str {
        SINGLE_DISTINCT
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DataFusionResult<Transformed<LogicalPlan>> {
        if !matches!(plan, LogicalPlan::Aggregate(_)) {
            return Ok(Transformed::no(plan));
        }
        let grouped = self.0.rewrite(plan.clone(), config)?;
        let types = |plan: &LogicalPlan| -> Vec<DataType> {
            let fields = plan.schema().fields().iter();
            fields.map(|field| field.data_type().clone()).collect()
        };
        match types(&grouped.data) == types(&plan) {
            true => Ok(grouped),
            false => Ok(Transformed::no(plan)),
        }
    }
}

/// `ReplaceDistinctWithAggregate`, but over rows of an UNNEST: what was unique in front of it is still taken for unique
/// behind it, where a DISTINCT would be left out.
#[derive(Debug)]
struct Once(ReplaceDistinctWithAggregate);

impl OptimizerRule for Once {
    fn name(&self) -> &str {
        REPLACE_DISTINCT
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DataFusionResult<Transformed<LogicalPlan>> {
        let copied =
            |input: &LogicalPlan| input.exists(|node| Ok(matches!(node, LogicalPlan::Unnest(_))));
        let input = match &plan {
            LogicalPlan::Distinct(logical_expr::Distinct::All(input)) if copied(input)? => input,
            _ => return self.0.rewrite(plan, config),
        };
        let columns = input.schema().columns().into_iter();
        let columns: Vec<Expr> = columns.map(Expr::Column).collect();
        if columns.is_empty() {
            return self.0.rewrite(plan, config);
        }
        let once = Aggregate::try_new(Arc::clone(input), columns, Vec::new())?;
        Ok(Transformed::yes(LogicalPlan::Aggregate(once)))
    }
}

/// `PushDownFilter`, but for conditions that mean something else further down:
///
/// - those that are another each time they are asked (`RAND() < 0.5`), upon what makes several rows of one, or one of
///   several: below it they would be asked of other rows;
/// - those without a column upon an aggregation that has a row where there are none: `FALSE` drops that row too;
/// - those that compare with an outer query: a subquery that could not become a join where they stood does not below
///   either, but the rules that try it again would lose the columns which the condition is about.
#[derive(Debug)]
struct Filters(PushDownFilter);

impl OptimizerRule for Filters {
    fn name(&self) -> &str {
        PUSH_DOWN_FILTER
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> DataFusionResult<Transformed<LogicalPlan>> {
        if let LogicalPlan::Filter(filter) = &plan
            && must_stay(filter)
        {
            return Ok(Transformed::no(plan));
        }
        self.0.rewrite(plan, config)
    }
}

/// Whether a condition, or one that it would be put together with, may not go below the node that it is asked upon.
fn must_stay(filter: &Filter) -> bool {
    let mut conditions = split_conjunction(&filter.predicate);
    let mut input = filter.input.as_ref();
    while let LogicalPlan::Filter(inner) = input {
        conditions.extend(split_conjunction(&inner.predicate));
        input = inner.input.as_ref();
    }
    let other_rows = matches!(
        input,
        LogicalPlan::Extension(_)
            | LogicalPlan::Unnest(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Window(_)
    );
    let of_no_row = match input {
        LogicalPlan::Aggregate(aggregate) => has_row_of_none(aggregate),
        _ => false,
    };
    conditions.iter().any(|condition| {
        condition.contains_outer()
            || other_rows && condition.is_volatile()
            || of_no_row && !condition.any_column_refs()
    })
}

/// Whether an aggregation has a row where its input has none.
fn has_row_of_none(aggregate: &Aggregate) -> bool {
    match aggregate.group_expr.as_slice() {
        [] => true,
        [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] => sets.iter().any(Vec::is_empty),
        [Expr::GroupingSet(_)] => true,
        _ => false,
    }
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
        options.optimizer.filter_null_join_keys = true;
        // All scalar subqueries become joins, for there is nothing else that computes them.
        options
            .optimizer
            .enable_physical_uncorrelated_scalar_subquery = false;
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
