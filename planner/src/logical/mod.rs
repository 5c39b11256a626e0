//! From syntax trees to DataFusion's logical plan.
//!
//! ```text
//!   Query ──refuse──▶ supported? ──SqlToRel──▶ plan with window markers
//!         ──multisets──▶ INTERSECT ALL and EXCEPT ALL count rows
//!         ──unnest──▶ UnnestTable nodes upon their tables ──patterns──▶ conditions of PatternTable nodes analyzed
//!         ──windows──▶ plan with WindowTable nodes ──count_window──▶ plan with CountWindowTable nodes
//!         ──temporal_join──▶ plan with TemporalJoin nodes
//!         ──frames──▶ no distances in orders that have none ──own_names──▶ no two columns of one name
//!         ──lateral──▶ no LATERAL subqueries, but joins ──optimize──▶ logical plan
//! ```
//!
//! [`Resolver`] knows functions and types; [`QueryContext`] answers DataFusion's questions about
//! tables from the [`Catalog`](crate::catalog::Catalog). Everything here is shared by streaming
//! and batch execution, apart from the list of optimizer rules in [`optimize`].

mod advice;
mod changelog_table;
mod context;
mod count_window;
mod each_query;
mod field_access;
mod frames;
mod inline;
mod insert;
mod join_order;
mod lateral;
mod locate;
mod modules;
mod multisets;
mod not_in;
mod optimize;
mod over_calls;
mod own_names;
mod patterns;
mod ranking;
mod refuse;
mod resolver;
mod set_places;
mod source;
mod subqueries;
mod temporal_join;
mod unnest;
mod unnest_table;
mod window_table;
mod windows;

pub use changelog_table::ChangelogTable;
pub use context::{FileTables, QueryContext, schema_of_view};
pub use count_window::{
    CountWindowTable, END as COUNT_END_COLUMN, START as COUNT_START_COLUMN,
    TIME as COUNT_TIME_COLUMN,
};
pub(crate) use each_query::each_query;
pub(crate) use frames::has_no_distance;
pub use inline::inlined;
pub use insert::{insert_plan, partition_plan};
pub use locate::{first_join, first_order_by};
pub use modules::ModuleFunction;
pub(crate) use over_calls::{OverCall, over_calls};
pub(crate) use patterns::shown as shown_pattern;
pub use patterns::{PatternCondition, PatternDefinition, PatternTable, PatternVariable};
pub(crate) use ranking::rank_function;
pub use refuse::refuse_for_streams;
pub use resolver::Resolver;
pub use source::{CatalogTable, ReadAs, ViewTable};
pub use temporal_join::{AsOfTime, TemporalJoin};
pub use unnest_table::UnnestTable;
pub use window_table::{
    END as WINDOW_END_COLUMN, START as WINDOW_START_COLUMN, TIME as WINDOW_TIME_COLUMN, WindowTable,
};

use datafusion::logical_expr::LogicalPlan;

use crate::parser::Query;
use levada_language::error::PlanError;

/// The logical plan of a query, analyzed and with windows as nodes, not optimized.
///
/// # Errors
/// Anything that the query gets wrong, with its position where that is known.
pub fn plan(context: &QueryContext<'_>, query: &Query) -> Result<LogicalPlan, PlanError> {
    let raw = context.plan(query)?;
    let counted = multisets::count_rows(raw)?;
    let matched = patterns::analyze(unnest::attach(counted)?, context.resolver())?;
    let windowed = windows::replace_markers(matched)?;
    let counted = count_window::replace_markers(windowed)?;
    let joined = temporal_join::replace_markers(counted, context)?;
    let framed = frames::without_distances(joined)?;
    let keyed = own_names::of_keys(framed)?;
    let analyzed = optimize::analyze(context.resolver(), keyed);
    let analyzed = analyzed.map_err(|error| advice::placed(error, query))?;
    own_names::of_members(lateral::to_joins(analyzed, query, context.resolver())?)
}

pub use optimize::optimize_for_streams;
