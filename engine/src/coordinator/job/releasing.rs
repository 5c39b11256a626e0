//! Ending a run: all workers let go of it before anything else starts.

use std::collections::BTreeSet;

use super::{Action, Job, Next, Phase};
use crate::control::{Placement, Run, ToWorker, WorkerId};
use crate::error::EngineError;

impl Job {
    /// Ends the run; `next` comes when all workers have let go.
    pub(super) fn release(&mut self, next: Next, now_ms: i64) -> Vec<Action> {
        let (placement, awaited) = match std::mem::replace(&mut self.phase, Phase::Waiting) {
            Phase::Deploying { placement, .. } | Phase::Running { placement, .. } => {
                let workers = placement.workers();
                let present = |w: &WorkerId| !self.lost.contains(w);
                (
                    placement,
                    workers.into_iter().filter(present).collect::<BTreeSet<_>>(),
                )
            }
            Phase::Releasing {
                placement, awaited, ..
            } => (placement, awaited),
            other => {
                self.phase = other;
                return Vec::new();
            }
        };
        self.checkpoints.abandon();
        self.ended_early.clear();
        let mut actions = self.no_savepoint("the job was interrupted");
        let cancel = |w: &WorkerId| Action::Send(w.clone(), ToWorker::Cancel(self.run.clone()));
        actions.extend(awaited.iter().map(cancel));
        self.phase = Phase::Releasing {
            placement,
            awaited,
            next,
        };
        actions.extend(self.check_released(now_ms));
        actions
    }

    /// A worker has let go of a run.
    pub fn released(&mut self, run: &Run, worker: &WorkerId, now_ms: i64) -> Vec<Action> {
        if *run != self.run {
            return Vec::new();
        }
        match &mut self.phase {
            Phase::Releasing { awaited, .. } => {
                awaited.remove(worker);
                self.check_released(now_ms)
            }
            _ => Vec::new(),
        }
    }

    /// A worker is gone, and with it whatever ran there.
    pub fn worker_lost(&mut self, worker: &WorkerId, why: &str, now_ms: i64) -> Vec<Action> {
        let takes_part = |p: &Placement| p.workers().contains(worker);
        match &mut self.phase {
            Phase::Deploying { placement, .. } | Phase::Running { placement, .. }
                if takes_part(placement) =>
            {
                self.lost.insert(worker.clone());
                let error = EngineError::network(format!("worker {worker} is lost: {why}"));
                self.failed(error, now_ms)
            }
            Phase::Releasing { awaited, .. } => {
                awaited.remove(worker);
                self.check_released(now_ms)
            }
            _ => Vec::new(),
        }
    }

    /// A connection between workers has failed.
    pub fn disconnected(&mut self, run: &Run, error: EngineError, now_ms: i64) -> Vec<Action> {
        if *run != self.run {
            return Vec::new();
        }
        self.failed(error, now_ms)
    }

    fn check_released(&mut self, now_ms: i64) -> Vec<Action> {
        let Phase::Releasing { awaited, next, .. } = &self.phase else {
            return Vec::new();
        };
        if !awaited.is_empty() {
            return Vec::new();
        }
        self.lost.clear();
        match *next {
            Next::Restart { delay_ms } => {
                self.phase = Phase::Backoff {
                    until_ms: now_ms.saturating_add(delay_ms),
                };
                Vec::new()
            }
            Next::End(state) => self.end(state, now_ms),
        }
    }
}
