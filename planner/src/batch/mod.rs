//! Batch: the same SQL over bounded tables, on DataFusion's executor.
//!
//! ```text
//!   Query ──logical──▶ plan ──windows──▶ plain DataFusion ──tables──▶ scans of engine sources
//!         ──DataFusion──▶ rows
//! ```
//!
//! [`tables`] makes a table of the catalog readable, [`files`] the files that a query names itself, [`given`] those that
//! whoever runs it gives, [`windows`], [`count_windows`], [`temporal_join`] and [`unnest`] turn window table functions,
//! joins with versions and UNNEST into plain SQL, and [`sums`] keeps SUM from wrapping around. [`upserts`] keeps the last
//! row of each key where a table delivers upserts. [`patterns`] runs MATCH_RECOGNIZE as streams do, and [`changelogs`] adds
//! up the changes that rows are, both on rows that go [`through`] them in one stream. [`insert`] writes rows through engine
//! sinks.

mod changelogs;
mod count_windows;
mod files;
mod given;
mod insert;
mod patterns;
mod sums;
mod tables;
mod temporal_join;
#[cfg(test)]
mod tests;
mod through;
mod unnest;
mod upserts;
mod windows;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::Transformed;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Extension, LogicalPlan};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use levada_engine::connector::ConnectorRegistry;
use levada_engine::error::EngineError;
use levada_engine::time::Clock;

pub(crate) use files::first_named;
pub use given::GivenTables;
pub(crate) use insert::{Writing, write};

use crate::catalog::Lookup;
use crate::logical::{self, ChangelogTable, FileTables, PatternTable, QueryContext, Resolver};
use crate::parser::Query;
use levada_language::error::PlanError;

/// The rows of a batch query.
pub struct BatchRows {
    /// Their columns.
    pub schema: SchemaRef,
    /// The rows, in the order that ORDER BY asks for. Ends with the first error.
    pub stream: BoxStream<'static, Result<RecordBatch, EngineError>>,
}

/// What batch execution needs.
pub(crate) struct Batch<'a> {
    pub(crate) lookup: Lookup<'a>,
    pub(crate) connectors: &'a ConnectorRegistry,
    pub(crate) resolver: &'a Resolver,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Batch<'_> {
    /// Plans a query up to what DataFusion can execute; `shape` may change the columns.
    pub(crate) async fn plan(
        &self,
        query: &Query,
        shape: impl FnOnce(LogicalPlan) -> Result<LogicalPlan, PlanError>,
    ) -> Result<LogicalPlan, PlanError> {
        let files = files::tables(&query.ast, self.resolver.state()).await?;
        self.plan_over(query, &files, shape)
    }

    /// The same where all tables are `given`.
    pub(crate) fn plan_given(
        &self,
        query: &Query,
        given: &GivenTables,
    ) -> Result<LogicalPlan, PlanError> {
        self.plan_over(query, &given::named(&query.ast, given)?, Ok)
    }

    fn plan_over(
        &self,
        query: &Query,
        files: &FileTables,
        shape: impl FnOnce(LogicalPlan) -> Result<LogicalPlan, PlanError>,
    ) -> Result<LogicalPlan, PlanError> {
        let plan = {
            let context =
                QueryContext::new(self.lookup.clone(), self.resolver, files, query, false)
                    .with_connectors(self.connectors);
            logical::plan(&context, query)?
        };
        let plan = shape(plan)?;
        let plan = windows::to_plain(plan)?;
        let plan = count_windows::to_plain(plan)?;
        let plan = temporal_join::to_plain(plan)?;
        let plan = unnest::to_plain(plan)?;
        let plan = sums::checked(plan)?;
        let plan = tables::with_sources(plan, self);
        let plan = plan.map_err(|error| error.or_at(Some(query.location)))?;
        // Last, for what stands below these is out of sight then.
        self.opaque(plan)
    }

    /// Replaces the nodes that run their input by themselves.
    fn opaque(&self, plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
        let replaced = plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::Extension(Extension { node: extension }) = &node else {
                return Ok(Transformed::no(node));
            };
            let extension = extension.as_any();
            if let Some(table) = extension.downcast_ref::<PatternTable>() {
                return Ok(Transformed::yes(patterns::plain(table, self.resolver)?));
            }
            match extension.downcast_ref::<ChangelogTable>() {
                Some(table) => Ok(Transformed::yes(changelogs::plain(table)?)),
                None => Ok(Transformed::no(node)),
            }
        })?;
        Ok(replaced.data)
    }

    /// Runs a plan.
    pub(crate) async fn run(&self, plan: LogicalPlan) -> Result<BatchRows, PlanError> {
        let frame = DataFrame::new(self.state(), plan);
        let stream = frame.execute_stream().await?;
        let schema = stream.schema();
        Ok(BatchRows {
            schema,
            stream: stream.map(|rows| rows.map_err(EngineError::from)).boxed(),
        })
    }

    /// The optimized logical plan and the physical plan, for EXPLAIN.
    pub(crate) async fn explain(&self, plan: LogicalPlan) -> Result<String, PlanError> {
        let state = self.state();
        let optimized = state.optimize(&plan)?;
        let physical = state
            .query_planner()
            .create_physical_plan(&optimized, &state)
            .await?;
        let physical = datafusion::physical_plan::displayable(physical.as_ref()).indent(false);
        Ok(format!(
            "== Logical plan ==\n{}\n\n== Physical plan ==\n{}",
            optimized.display_indent(),
            physical.to_string().trim_end()
        ))
    }

    fn state(&self) -> SessionState {
        let mut state = self.resolver.state().clone();
        // Or else functions would not see the session's time zone.
        state.mark_start_execution();
        state
    }
}
