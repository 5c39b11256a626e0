//! From slots to running subtasks: open all channels first, then start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Action, Job, Phase};
use crate::control::{Deployment, Placement, Run, ToWorker, WorkerId};
use crate::error::EngineError;
use crate::graph::VertexId;
use crate::graph::execution::{SubtaskId, subtasks};
use crate::subtask::Command;

impl Job {
    /// Runs the job in these slots (one worker per slot, as many as the job needs).
    pub fn deploy(
        &mut self,
        slots: &[WorkerId],
        addresses: &BTreeMap<WorkerId, String>,
    ) -> Vec<Action> {
        let all = subtasks(&self.graph);
        let place = |id: &SubtaskId| slots.get(id.index as usize).map(|w| (*id, w.clone()));
        let Some(placed) = all.iter().map(place).collect::<Option<Vec<_>>>() else {
            return Vec::new();
        };
        let placement = Placement(placed);
        self.run.attempt += 1;
        self.counts.clear();
        self.waiting_for = None;
        let latest = match (self.checkpoints.latest(), &self.folder) {
            (Some(manifest), Some(folder)) => Some((manifest, folder.clone())),
            (Some(manifest), None) => Some((manifest, String::new())),
            (None, _) => self.restore.clone(),
        };
        let workers = placement.workers();
        let deployment = |_: &WorkerId| {
            ToWorker::Deploy(Box::new(Deployment {
                run: self.run.clone(),
                graph: Arc::clone(&self.graph),
                placement: placement.clone(),
                addresses: addresses.clone(),
                restore: latest.clone(),
                checkpoints: self.folder.clone(),
            }))
        };
        let actions = workers
            .iter()
            .map(|w| Action::Send(w.clone(), deployment(w)))
            .collect();
        let replay = latest.as_ref().is_some_and(|(m, _)| m.has_rows_in_flight());
        let vertices = self.graph.vertices.iter().filter(|_| replay);
        let replaying = vertices.map(|v| v.id).collect();
        let rewrites = |s: &&SubtaskId| {
            let vertex = self.graph.vertex(s.vertex);
            vertex.is_ok_and(|v| latest.as_ref().is_some_and(|(m, _)| m.rewrites(v)))
        };
        let rewriting = all.iter().filter(rewrites).copied().collect();
        let starting: BTreeSet<SubtaskId> = all.into_iter().collect();
        self.phase = Phase::Deploying {
            placement,
            opening: workers,
            starting,
            rewriting,
            replaying,
        };
        actions
    }

    /// A worker has opened its channels, or could not.
    pub fn deployed(
        &mut self,
        run: &Run,
        worker: &WorkerId,
        error: Option<EngineError>,
        now_ms: i64,
    ) -> Vec<Action> {
        let Phase::Deploying {
            placement, opening, ..
        } = &mut self.phase
        else {
            return Vec::new();
        };
        if *run != self.run {
            return Vec::new();
        }
        if let Some(error) = error {
            return self.failed(error, now_ms);
        }
        opening.remove(worker);
        if !opening.is_empty() {
            return Vec::new();
        }
        let start = |worker| Action::Send(worker, ToWorker::Start(run.clone()));
        let mut actions: Vec<Action> = placement.workers().into_iter().map(start).collect();
        actions.extend(self.replay_next());
        actions
    }

    /// Has those vertices replay behind which all subtasks have done so. A vertex replays through those
    /// behind it, whose own rows come first.
    fn replay_next(&mut self) -> Vec<Action> {
        let Phase::Deploying {
            starting,
            rewriting,
            replaying,
            ..
        } = &mut self.phase
        else {
            return Vec::new();
        };
        if !rewriting.is_empty() {
            return Vec::new();
        }
        let behind_is_done = |vertex: &VertexId| {
            let mut edges = self.graph.edges.iter().filter(|e| e.from == *vertex);
            edges.all(|e| !starting.iter().any(|s| s.vertex == e.to))
        };
        let next: BTreeSet<VertexId> = replaying.extract_if(.., behind_is_done).collect();
        let of_next = |id: &SubtaskId| next.contains(&id.vertex);
        let told: Vec<SubtaskId> = subtasks(&self.graph).into_iter().filter(of_next).collect();
        match told.is_empty() {
            true => Vec::new(),
            false => self.command(told, Command::Replay),
        }
    }

    pub(super) fn subtask_rewrote(&mut self, subtask: SubtaskId) -> Vec<Action> {
        if let Phase::Deploying { rewriting, .. } = &mut self.phase {
            rewriting.remove(&subtask);
        }
        self.replay_next()
    }

    pub(super) fn subtask_running(&mut self, subtask: SubtaskId, now_ms: i64) -> Vec<Action> {
        let Phase::Deploying { starting, .. } = &mut self.phase else {
            return Vec::new();
        };
        starting.remove(&subtask);
        if !starting.is_empty() {
            return self.replay_next();
        }
        let Phase::Deploying { placement, .. } = std::mem::replace(&mut self.phase, Phase::Waiting)
        else {
            return Vec::new();
        };
        let all: BTreeSet<SubtaskId> = subtasks(&self.graph).into_iter().collect();
        let early = std::mem::take(&mut self.ended_early);
        let input_open: BTreeSet<SubtaskId> = all.difference(&early).copied().collect();
        self.phase = Phase::Running {
            placement,
            input_open,
            unfinished: all,
        };
        self.checkpoints.started(now_ms);
        tracing::info!(job = %self.run.job, attempt = self.run.attempt, "running");
        if self.stopping.is_some() {
            return self.begin_stop(now_ms);
        }
        self.check_input_ended(now_ms)
    }
}
