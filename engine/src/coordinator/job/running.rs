//! While subtasks run: checkpoints, the end of input, stopping.

use std::sync::Arc;

use super::{Action, Job, LAST, Next, Phase};
use crate::checkpoint::{Manifest, SubtaskCheckpoint};
use crate::client::{JobState, StopMode};
use crate::control::Run;
use crate::element::{Barrier, BarrierKind};
use crate::error::{EngineError, Result};
use crate::graph::execution::{SubtaskId, subtasks};
use crate::subtask::Command;

/// How long a job that is to stop may go on opening its sources and sinks, in milliseconds.
const OPEN_LIMIT_MS: i64 = 3_000;

impl Job {
    pub(super) fn input_ended(&mut self, subtask: SubtaskId, now_ms: i64) -> Vec<Action> {
        match &mut self.phase {
            Phase::Running { input_open, .. } => {
                input_open.remove(&subtask);
                self.check_input_ended(now_ms)
            }
            Phase::Deploying { .. } => {
                self.ended_early.insert(subtask);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// When all input has passed through, the last checkpoint commits everything.
    pub(super) fn check_input_ended(&mut self, now_ms: i64) -> Vec<Action> {
        match &self.phase {
            Phase::Running { input_open, .. } if input_open.is_empty() => {
                self.last_checkpoint(now_ms)
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn tick_checkpoints(&mut self, now_ms: i64) -> Vec<Action> {
        if let Some(error) = self.checkpoints.expire(now_ms, || subtasks(&self.graph)) {
            return self.checkpoint_gave_up(error, now_ms);
        }
        match self.checkpoints.due(now_ms) {
            Some(barrier) => self.send_barrier(barrier),
            None => Vec::new(),
        }
    }

    /// Ends a job that is to stop and does not get as far as running.
    pub(super) fn tick_deploying(&mut self, now_ms: i64) -> Vec<Action> {
        match self.stop_by_ms {
            Some(limit) if limit <= now_ms => self.release(Next::End(JobState::Stopped), now_ms),
            _ => Vec::new(),
        }
    }

    pub(super) fn last_checkpoint(&mut self, now_ms: i64) -> Vec<Action> {
        match self.checkpoints.begin(LAST, now_ms) {
            Some(barrier) => self.send_barrier(barrier),
            // Another one is under way; the last follows it.
            None => Vec::new(),
        }
    }

    fn send_barrier(&self, barrier: Barrier) -> Vec<Action> {
        let stop = barrier.kind == BarrierKind::Final;
        self.command(self.sources(), Command::Barrier { barrier, stop })
    }

    pub(super) fn share_arrived(
        &mut self,
        checkpoint_id: u64,
        share: SubtaskCheckpoint,
        bytes: u64,
        now_ms: i64,
    ) -> Vec<Action> {
        if !matches!(self.phase, Phase::Running { .. }) {
            return Vec::new();
        }
        let total = subtasks(&self.graph).len();
        let Some((barrier, shares)) = self.checkpoints.arrived(checkpoint_id, share, bytes, total)
        else {
            return Vec::new();
        };
        let job = self.run.job.clone();
        let manifest = Manifest::assemble(job, barrier, now_ms, &self.graph, shares);
        let manifest = manifest.of_run(self.run.attempt);
        self.writing = true;
        vec![Action::WriteManifest(Arc::new(manifest))]
    }

    /// A checkpoint exists, or could not be made to.
    pub fn manifest_written(
        &mut self,
        run: &Run,
        manifest: Arc<Manifest>,
        outcome: Result<()>,
        now_ms: i64,
    ) -> Vec<Action> {
        let Barrier {
            checkpoint_id,
            kind,
            ..
        } = manifest.barrier;
        self.writing = false;
        if outcome.is_ok() {
            // Even if the run has failed meanwhile: it exists, so a restart must start from it.
            self.checkpoints.completed(manifest, now_ms);
        }
        if *run != self.run || !matches!(self.phase, Phase::Running { .. }) {
            return Vec::new();
        }
        if let Err(error) = outcome {
            return self.checkpoint_failed(checkpoint_id, error, now_ms);
        }
        let last = kind == BarrierKind::Final;
        let complete = Command::Complete {
            checkpoint_id,
            last,
        };
        let mut actions = self.command(subtasks(&self.graph), complete);
        let tickets = self.checkpoints.awaited(checkpoint_id);
        if let (false, Some(manifest)) = (tickets.is_empty(), self.checkpoints.latest()) {
            actions.push(Action::Export(tickets, manifest));
        }
        actions.push(Action::Retain(self.checkpoints.retained()));
        if !last {
            let wants_last = self.stopping == Some(StopMode::Checkpoint);
            actions.extend(match wants_last {
                true => self.last_checkpoint(now_ms),
                false => self.check_input_ended(now_ms),
            });
        }
        actions
    }

    pub(super) fn checkpoint_failed(
        &mut self,
        checkpoint_id: u64,
        error: EngineError,
        now_ms: i64,
    ) -> Vec<Action> {
        match self.checkpoints.failed(checkpoint_id, error) {
            Some(error) => self.checkpoint_gave_up(error, now_ms),
            None => Vec::new(),
        }
    }

    fn checkpoint_gave_up(&mut self, error: EngineError, now_ms: i64) -> Vec<Action> {
        tracing::warn!(job = %self.run.job, "a checkpoint failed: {error}");
        let mut actions = self.no_savepoint(&error.message);
        let next = match self.checkpoints.tolerates_failure() {
            true if self.stopping == Some(StopMode::Checkpoint) => self.last_checkpoint(now_ms),
            true => self.check_input_ended(now_ms),
            false => self.failed(error, now_ms),
        };
        actions.extend(next);
        actions
    }

    pub(super) fn subtask_finished(&mut self, subtask: SubtaskId, now_ms: i64) -> Vec<Action> {
        let Phase::Running { unfinished, .. } = &mut self.phase else {
            return Vec::new();
        };
        unfinished.remove(&subtask);
        if !unfinished.is_empty() {
            return Vec::new();
        }
        let state = match self.stopping {
            Some(_) => JobState::Stopped,
            None => JobState::Finished,
        };
        self.release(Next::End(state), now_ms)
    }

    /// Has a running job stop as it is to.
    pub(super) fn begin_stop(&mut self, now_ms: i64) -> Vec<Action> {
        match self.stopping {
            // The end of the input brings the last checkpoint with it.
            Some(StopMode::Drain) => self.command(self.sources(), Command::Drain),
            _ => self.last_checkpoint(now_ms),
        }
    }

    /// A user wants the job stopped.
    pub fn stop(&mut self, mode: StopMode, now_ms: i64) -> Vec<Action> {
        match (&self.phase, mode) {
            (Phase::Ended(JobState::Finished), StopMode::Cancel) if self.kept_view().is_some() => {
                self.stopping = Some(mode);
                self.end(JobState::Stopped, now_ms)
            }
            (Phase::Ended(_), _) => Vec::new(),
            (Phase::Waiting | Phase::Backoff { .. }, _) => {
                self.stopping = Some(mode);
                self.end(JobState::Stopped, now_ms)
            }
            (_, StopMode::Cancel) => {
                self.stopping = Some(mode);
                self.release(Next::End(JobState::Stopped), now_ms)
            }
            // Everything is done or lost already.
            (
                Phase::Releasing {
                    next: Next::End(_), ..
                },
                _,
            ) => Vec::new(),
            (Phase::Releasing { .. }, _) => {
                self.stopping = Some(mode);
                self.release(Next::End(JobState::Stopped), now_ms)
            }
            // Some subtasks may have rows on their way already, so the last checkpoint follows when
            // all run; but what a subtask waits for while it opens may never come.
            (Phase::Deploying { .. }, _) => {
                self.stopping = Some(mode);
                self.stop_by_ms = Some(now_ms.saturating_add(OPEN_LIMIT_MS));
                Vec::new()
            }
            // The last checkpoint is on its way.
            (Phase::Running { input_open, .. }, _) if input_open.is_empty() => Vec::new(),
            (Phase::Running { .. }, _) => {
                self.stopping = Some(mode);
                self.begin_stop(now_ms)
            }
        }
    }
}
