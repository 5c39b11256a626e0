//! From the streaming plan to the job graph.
//!
//! ```text
//!   nodes ──operators──▶ operators with exchanges ──chain──▶ vertices and edges
//! ```
//!
//! [`operators`](mod@operators) decides what runs: two-phase aggregation, parallelism, exchanges,
//! side tables and uids. [`chain`] puts operators that need no exchange between them into one
//! vertex. [`lineage`] says what columns are whatever stands in between, for the coarser of an operator's
//! two ids. [`settings`] reads the configuration.

mod aggregates;
mod chain;
mod changelog_table;
mod count_window;
mod join;
mod lineage;
mod lookup_join;
mod multi_join;
mod normalize;
mod operators;
mod over;
mod pattern;
mod rank;
pub mod settings;
mod side_tables;
mod source;
mod temporal_join;
#[cfg(test)]
mod tests;
mod uid;
mod unnest;

use std::sync::Arc;

use levada_engine::connector::ConnectorRegistry;
use levada_engine::graph::{JobGraph, WireBytes};

pub(crate) use pattern::pattern_spec;
pub use settings::Configuration;

use crate::catalog::Catalogs;
use crate::streaming::{self, Plan};
use levada_language::error::PlanError;

/// What lowering needs to know beside the plan.
pub struct Surroundings<'a> {
    /// Where side tables (`late-rows.table`) are found.
    pub catalogs: &'a Catalogs,
    /// The connectors.
    pub connectors: &'a ConnectorRegistry,
    /// What SET has said.
    pub configuration: &'a Configuration,
}

/// The job graph of a plan. `name` is the job's unless `pipeline.name` is set.
///
/// # Errors
/// A wrong configuration value or table option, or a side table that does not fit.
pub fn lower(
    plan: &Plan,
    surroundings: &Surroundings<'_>,
    name: &str,
) -> Result<JobGraph, PlanError> {
    let planning = settings::planning_settings(surroundings.configuration)?;
    let mut settings = settings::job_settings(surroundings.configuration)?;
    let modules = streaming::modules(plan)?.into_iter();
    let bytes = modules.map(|module| Arc::new(WireBytes(module.bytes().to_vec())));
    settings.modules = bytes.collect();
    let operators = operators::lower(plan, surroundings, &planning)?;
    let (vertices, edges) = chain::chain(operators)?;
    let graph = JobGraph {
        name: planning.name.unwrap_or_else(|| name.to_string()),
        vertices,
        edges,
        settings,
    };
    graph.validate().map_err(|error| {
        let converted = levada_language::error::PlanError::new(
            match error.kind {
                levada_engine::ErrorKind::Internal => {
                    levada_language::error::PlanErrorKind::Internal
                }
                _ => levada_language::error::PlanErrorKind::InvalidOption,
            },
            error.message,
        );
        match error.hint {
            Some(hint) => converted.hint(hint),
            None => converted,
        }
    })?;
    Ok(graph)
}
