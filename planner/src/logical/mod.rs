//! From syntax trees to DataFusion's logical plan.
//!
//! ```text
//!   Query ──refuse──▶ supported? ──SqlToRel──▶ plan with window markers
//!         ──multisets──▶ INTERSECT ALL and EXCEPT ALL count rows
//!         ──unnest──▶ UnnestTable nodes upon their tables
//!         ──windows──▶ plan with WindowTable nodes ──optimize──▶ logical plan
//! ```
//!
//! [`Resolver`] knows functions and types; [`QueryContext`] answers DataFusion's questions about
//! tables from the [`Catalog`](crate::catalog::Catalog). Everything here is shared by streaming
//! and batch execution, apart from the list of optimizer rules in [`optimize`].

mod context;
mod field_access;
mod insert;
mod locate;
mod multisets;
mod not_in;
mod optimize;
mod rank_calls;
mod ranking;
mod refuse;
mod resolver;
mod source;
mod subqueries;
mod unnest;
mod unnest_table;
mod window_table;
mod windows;

pub use context::{FileTables, QueryContext};
pub use insert::insert_plan;
pub use locate::first_join;
pub(crate) use rank_calls::{RankCall, rank_calls};
pub(crate) use ranking::rank_function;
pub use refuse::refuse_for_streams;
pub use resolver::Resolver;
pub use source::{CatalogTable, ViewTable};
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
    let windowed = windows::replace_markers(unnest::attach(counted)?)?;
    optimize::analyze(context.resolver(), windowed)
        .map_err(|error| locate::locate(error, query).or_at(Some(query.location)))
}

pub use optimize::optimize_for_streams;
