//! INSERT, EXECUTE STATEMENT SET, and CREATE TABLE, which may fill its table.

use levada_engine::time::{Clock, SystemClock};
use levada_language::Location;
use levada_planner::parser::{CreateTable, Insert};

use super::Session;
use crate::config::RuntimeMode;
use crate::error::Result;
use crate::outcome::{Job, Outcome};

impl Session {
    /// With AS, the table is there only if it can be filled; whether that succeeds to the end, the job
    /// says.
    pub(super) async fn create_table(
        &mut self,
        create: &CreateTable,
        at: Location,
    ) -> Result<Outcome> {
        let Some(created) = self.planning.create_table(create)? else {
            return Ok(Outcome::Ok(format!("table {} exists already", create.name)));
        };
        let Some(fill) = created.fill.clone() else {
            return Ok(Outcome::Ok(format!("table {} created", create.name)));
        };
        match self.insert(std::slice::from_ref(&fill), at).await {
            Ok(outcome) => Ok(outcome),
            Err(error) => {
                self.planning.undo(created)?;
                Err(error)
            }
        }
    }

    /// Several inserts run as one job.
    pub(super) async fn insert(&mut self, inserts: &[Insert], at: Location) -> Result<Outcome> {
        if self.configuration.runtime_mode() == RuntimeMode::Batch {
            return self.batch_insert(inserts, at).await;
        }
        let parallelism = self.parallelism();
        let planned = self
            .planning
            .insert(inserts, &self.configuration, parallelism);
        let planned = planned.map_err(|error| error.or_at(at))?;
        let growing = planned.growing.map(|growing| growing.to_string());
        let graph = planned.graph;
        let (name, bounded) = (graph.name.clone(), graph.is_bounded());
        let restores = graph.settings.checkpoints.restore_from.is_some();
        let client = self.client().await?;
        let id = client.submit(graph).await?;
        tracing::info!(job = %id, name, bounded, "submitted");
        // The job runs; that this cannot be told is no reason to fail.
        let restored = match restores {
            true => client.status(&id).await.map(|status| status.restored),
            false => Ok(Vec::new()),
        };
        let restored = restored.unwrap_or_default();
        Ok(Outcome::Job(Job {
            id,
            name,
            bounded,
            wait: self.configuration.dml_sync().unwrap_or(bounded),
            restored,
            growing,
        }))
    }

    /// In batch mode the statement itself writes, so there is no job to wait for. Inserts of a set
    /// are committed one by one.
    async fn batch_insert(&mut self, inserts: &[Insert], at: Location) -> Result<Outcome> {
        let parallelism = self.parallelism();
        let mut rows = 0;
        for insert in inserts {
            let job = self.unique_name();
            let written =
                self.planning
                    .batch_insert(insert, &self.configuration, parallelism, &job);
            rows += written.await.map_err(|error| error.or_at(at))?;
        }
        Ok(Outcome::Ok(match rows {
            1 => "1 row written".to_string(),
            rows => format!("{rows} rows written"),
        }))
    }

    /// A name that no insert of this or another session has had: sinks put it into the names of
    /// what they write.
    fn unique_name(&mut self) -> String {
        self.batch_inserts += 1;
        let now_ms = SystemClock.now_ms();
        format!(
            "batch-{now_ms:x}-{:x}-{}",
            std::process::id(),
            self.batch_inserts
        )
    }
}
