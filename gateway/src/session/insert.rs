//! INSERT and EXECUTE STATEMENT SET.

use levada_planner::Location;
use levada_planner::parser::Insert;

use super::Session;
use crate::config::RuntimeMode;
use crate::error::Result;
use crate::outcome::{Job, Outcome};

impl Session {
    /// Several inserts run as one job.
    pub(super) async fn insert(&mut self, inserts: &[Insert], at: Location) -> Result<Outcome> {
        if self.configuration.runtime_mode() == RuntimeMode::Batch {
            return Err(crate::planning::no_batch(at));
        }
        let parallelism = self.parallelism();
        let planned = self
            .planning
            .insert(inserts, &self.configuration, parallelism);
        let graph = planned.map_err(|error| error.or_at(at))?.graph;
        let (name, bounded) = (graph.name.clone(), graph.is_bounded());
        let client = self.client().await?;
        let id = client.submit(graph).await?;
        tracing::info!(job = %id, name, bounded, "submitted");
        Ok(Outcome::Job(Job {
            id,
            name,
            bounded,
            wait: self.configuration.dml_sync().unwrap_or(bounded),
        }))
    }
}
