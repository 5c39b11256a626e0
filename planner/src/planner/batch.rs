//! Batch mode: queries and inserts that run here and now, on DataFusion.

use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use levada_engine::error::EngineError;
use levada_language::error::PlanError;

use super::Planner;
use crate::batch::{self, Batch, BatchRows, GivenTables, Writing};
use crate::logical::{self, Resolver};
use crate::lowering::Configuration;
use crate::parser::{Explain, ExplainTarget, Insert, Query};
use crate::streaming::Sink;

impl Planner {
    /// Runs a query in batch mode, on DataFusion. Must be called on a tokio runtime, which the
    /// query then uses.
    ///
    /// # Errors
    /// The query is wrong, or a table is unbounded. Errors of rows come with the rows.
    pub async fn batch_query(
        &self,
        query: &Query,
        configuration: &Configuration,
    ) -> Result<BatchRows, PlanError> {
        let resolver = self.resolver.for_session(configuration);
        let batch = self.batch(&resolver);
        let plan = batch.plan(query, Ok).await?;
        batch
            .run(plan)
            .await
            .map_err(|error| error.or_at(Some(query.location)))
    }

    /// Runs a query over tables that are `given`, on DataFusion: it reads neither files nor other tables
    /// than those, unless the planner's catalog has some. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// The query is wrong. Errors of rows come with the rows.
    pub async fn query_given(
        &self,
        query: &Query,
        given: &GivenTables,
    ) -> Result<BatchRows, PlanError> {
        let batch = self.batch(&self.resolver);
        let rows = match batch.plan_given(query, given) {
            Ok(plan) => batch.run(plan).await,
            Err(error) => Err(error),
        };
        rows.map_err(|error| error.or_at(Some(query.location)))
    }

    /// Runs an INSERT in batch mode and commits it; returns the number of rows. `job` names the
    /// insert for its sink and must be unique.
    ///
    /// # Errors
    /// The outer error is about the statement, the inner one about rows, source or sink.
    pub async fn batch_insert(
        &self,
        insert: &Insert,
        configuration: &Configuration,
        job: &str,
    ) -> Result<Result<u64, EngineError>, PlanError> {
        let resolver = self.resolver.for_session(configuration);
        let batch = self.batch(&resolver);
        let (sink, plan) = self.batch_insert_plan(&batch, insert).await?;
        let factory = batch.sink(&sink, insert).await?;
        let rows = batch.run(plan).await?;
        let writing = Writing {
            job: job.to_string(),
            table: sink.table.name.clone(),
        };
        Ok(batch::write(
            rows,
            factory.as_ref(),
            writing,
            Arc::clone(resolver.clock()),
        )
        .await)
    }

    async fn batch_insert_plan(
        &self,
        batch: &Batch<'_>,
        insert: &Insert,
    ) -> Result<(Sink, LogicalPlan), PlanError> {
        let sink = self.sink(insert)?;
        let shape = |plan| logical::insert_plan(batch.resolver, plan, insert, &sink.table);
        let plan = batch.plan(&insert.query, shape).await?;
        Ok((sink, plan))
    }

    /// EXPLAIN in batch mode: DataFusion's plans.
    ///
    /// # Errors
    /// What running the statement would say before its first row.
    pub async fn batch_explain(
        &self,
        statement: &Explain,
        configuration: &Configuration,
    ) -> Result<String, PlanError> {
        let resolver = self.resolver.for_session(configuration);
        let batch = self.batch(&resolver);
        let mut plans = Vec::new();
        match &statement.target {
            ExplainTarget::Query(query) => plans.push(batch.plan(query, Ok).await?),
            ExplainTarget::Insert(insert) => {
                plans.push(self.batch_insert_plan(&batch, insert).await?.1);
            }
            ExplainTarget::StatementSet(inserts) => {
                for insert in inserts {
                    plans.push(self.batch_insert_plan(&batch, insert).await?.1);
                }
            }
        }
        let mut texts = Vec::new();
        for plan in plans {
            texts.push(batch.explain(plan).await?);
        }
        Ok(texts.join("\n\n"))
    }

    fn batch<'a>(&'a self, resolver: &'a Resolver) -> Batch<'a> {
        Batch {
            lookup: self.lookup(),
            connectors: &self.connectors,
            resolver,
            clock: Arc::clone(resolver.clock()),
        }
    }
}
