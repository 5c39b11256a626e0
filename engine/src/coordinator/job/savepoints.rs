//! Savepoints: checkpoints that users ask for, copied to a place of theirs.

use super::{Action, Job, Phase};
use crate::client::JobState;
use crate::error::EngineError;

impl Job {
    /// A user wants a savepoint; the ticket comes back with it.
    pub fn savepoint(&mut self, ticket: u64, now_ms: i64) -> Vec<Action> {
        if self.folder.is_none() {
            let error = EngineError::config(format!("job {} keeps no checkpoints", self.run.job))
                .with_hint("SET 'execution.checkpointing.dir' = '…' before it is started");
            return vec![Action::NoSavepoint(vec![ticket], error)];
        }
        if let Phase::Running { .. } = self.phase {
            self.checkpoints.await_savepoint(ticket);
            return self.tick_checkpoints(now_ms);
        }
        if let Phase::Ended(JobState::Finished) = self.phase {
            let id = &self.run.job;
            let error = EngineError::checkpoint(format!(
                "job {id} has finished, and keeps no checkpoint to make a savepoint of"
            ));
            return vec![Action::NoSavepoint(vec![ticket], error)];
        }
        // Nothing has happened since the last checkpoint that a restart would keep.
        match self.checkpoints.latest() {
            Some(manifest) => vec![Action::Export(vec![ticket], manifest)],
            None => {
                let id = &self.run.job;
                let error = EngineError::checkpoint(format!("job {id} has no checkpoint"))
                    .with_hint("wait until it runs");
                vec![Action::NoSavepoint(vec![ticket], error)]
            }
        }
    }

    /// Those who wait for a savepoint will not get one.
    pub(super) fn no_savepoint(&mut self, why: &str) -> Vec<Action> {
        let tickets = self.checkpoints.awaited(u64::MAX);
        if tickets.is_empty() {
            return Vec::new();
        }
        let id = &self.run.job;
        let error = EngineError::checkpoint(format!("no savepoint of job {id} was made: {why}"));
        vec![Action::NoSavepoint(tickets, error)]
    }
}
