//! Materialized views: one job for each name.

use super::{Coordinator, Entry};
use crate::error::{EngineError, Result};
use crate::graph::{JobGraph, JobId};

impl Coordinator {
    /// An error if another job keeps the materialized view that this one would keep.
    pub(super) fn check_view(&self, graph: &JobGraph) -> Result<()> {
        let Some(view) = &graph.settings.view else {
            return Ok(());
        };
        let same = |e: &&Entry| e.job.kept_view().is_some_and(|v| v.name == view.name);
        match self.jobs.values().find(same) {
            None => Ok(()),
            Some(entry) => {
                let (name, job) = (view.name.join("."), &entry.job.run().job);
                let message = format!("there is a materialized view {name} already, of job {job}");
                Err(EngineError::config(message).with_hint(
                    "DROP MATERIALIZED VIEW drops it; SHOW MATERIALIZED VIEWS lists all",
                ))
            }
        }
    }

    /// Takes a job that has been written down, unless another one has come before it.
    pub(super) fn admit_written(&mut self, number: u64, entry: Entry) -> Result<JobId> {
        match self.check_view(entry.job.graph()) {
            Ok(()) => Ok(self.admit(number, entry)),
            Err(error) => {
                self.erase(entry);
                Err(error)
            }
        }
    }
}

/// Queries read the checkpoints of a view.
pub(super) fn nowhere() -> EngineError {
    EngineError::config("a materialized view needs a place for the checkpoints of its job")
        .with_hint("SET 'execution.checkpointing.dir' = '…', which sessions can read as well as the cluster")
}
