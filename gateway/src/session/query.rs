//! SELECT.

use futures::StreamExt;
use levada_engine::element::ChangelogMode;
use levada_planner::parser::Query;

use super::Session;
use crate::error::{Error, Result};
use crate::outcome::{Outcome, QueryResult};

impl Session {
    /// The query becomes a job whose rows come back to this session.
    pub(super) async fn streaming_query(&mut self, query: &Query) -> Result<Outcome> {
        let parallelism = self.parallelism();
        let planned = self.planning.query(query, &self.configuration, parallelism);
        let planned = planned.map_err(|error| error.or_at(query.location))?;
        let bounded = planned.graph.is_bounded();
        let client = self.client().await?;
        let job = client.submit(planned.graph).await?;
        let rows = client.results(&job, planned.schema.clone()).await?;
        Ok(Outcome::Query(QueryResult {
            schema: planned.schema,
            mode: planned.mode,
            key: planned
                .key
                .filter(|_| planned.mode == ChangelogMode::Upsert),
            bounded,
            job: Some(job),
            rows: rows.map(|batch| batch.map_err(Error::from)).boxed(),
        }))
    }

    /// The query runs here and now, on DataFusion's executor.
    pub(super) async fn batch_query(&mut self, query: &Query) -> Result<Outcome> {
        let parallelism = self.parallelism();
        let rows = self
            .planning
            .batch_query(query, &self.configuration, parallelism);
        let rows = rows.await.map_err(|error| error.or_at(query.location))?;
        Ok(Outcome::Query(QueryResult::of_batch(rows)))
    }
}
