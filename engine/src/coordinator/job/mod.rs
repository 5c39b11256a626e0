//! The logic of one job, without I/O: facts in, actions out.
//!
//! ```text
//!             ┌───────── backoff ◀──────────┐
//!             ▼                             │ restart
//!  submit ▶ waiting ▶ deploying ▶ running ▶ releasing ▶ ended
//!              slots     channels    │ failure, stop, or
//!                        open        ▼ last checkpoint complete
//! ```
//!
//! Every message of a worker carries the run that it belongs to; what an old run says is ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::registry::Record;
use crate::checkpoint::Manifest;
use crate::client::{CheckpointStatus, JobState, JobStatus, StopMode, VertexStatus};
use crate::control::{Placement, Run, ToWorker, WorkerId};
use crate::element::{BarrierKind, Batch};
use crate::error::EngineError;
use crate::graph::execution::{SubtaskId, subtasks};
use crate::graph::{ChainedOperator, JobGraph, JobId, MaterializedView, OperatorSpec, VertexId};
use crate::metrics::SubtaskSnapshot;
use crate::subtask::{Command, ReportKind};

mod checkpoints;
mod deploying;
mod releasing;
mod restarts;
mod running;
mod savepoints;
#[cfg(test)]
mod tests;

pub use checkpoints::Checkpoints;
use restarts::Restarts;

/// Where a job is in its life.
#[derive(Debug)]
enum Phase {
    /// For slots.
    Waiting,
    /// Channels are being opened, then subtasks started.
    Deploying {
        placement: Placement,
        opening: BTreeSet<WorkerId>,
        starting: BTreeSet<SubtaskId>,
        /// The subtasks whose sinks write again what they had not flushed, before anybody replays.
        rewriting: BTreeSet<SubtaskId>,
        /// The vertices that still have to be told to replay rows which the restored checkpoint's
        /// barrier had overtaken.
        replaying: BTreeSet<VertexId>,
    },
    /// All subtasks take input.
    Running {
        placement: Placement,
        input_open: BTreeSet<SubtaskId>,
        unfinished: BTreeSet<SubtaskId>,
    },
    /// Workers are letting go of the run.
    Releasing {
        placement: Placement,
        awaited: BTreeSet<WorkerId>,
        next: Next,
    },
    /// Until it waits for slots again.
    Backoff { until_ms: i64 },
    /// For good.
    Ended(JobState),
}

/// What comes when all workers have let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Restart { delay_ms: i64 },
    End(JobState),
}

/// What a job wants done.
#[derive(Debug)]
pub enum Action {
    /// Tell a worker something.
    Send(WorkerId, ToWorker),
    /// Make a checkpoint exist; answered by [`Job::manifest_written`].
    WriteManifest(Arc<Manifest>),
    /// A checkpoint is complete and `retained` are those that stay.
    Retain(Vec<Arc<Manifest>>),
    /// Copy a checkpoint for those who wait for the savepoints with these tickets.
    Export(Vec<u64>, Arc<Manifest>),
    /// There will be no savepoint for these tickets.
    NoSavepoint(Vec<u64>, EngineError),
    /// Hand rows to the client.
    Rows(Batch),
    /// The job has ended: write that down, and then tell those who wait.
    Ended,
}

/// A job of the coordinator.
#[derive(Debug)]
pub struct Job {
    run: Run,
    graph: Arc<JobGraph>,
    phase: Phase,
    stopping: Option<StopMode>,
    /// When a job that is still deploying stops without a last checkpoint.
    stop_by_ms: Option<i64>,
    restarts: Restarts,
    checkpoints: Checkpoints,
    /// The folder of the job's checkpoints; `None` keeps none.
    folder: Option<String>,
    restore: Option<(Arc<Manifest>, String)>,
    /// What its operators have taken over of that checkpoint, for people.
    restored: Vec<String>,
    counts: BTreeMap<SubtaskId, SubtaskSnapshot>,
    error: Option<EngineError>,
    submitted_ms: i64,
    ended_ms: Option<i64>,
    waiting_for: Option<String>,
    /// Subtasks whose input ended before all others had started.
    ended_early: BTreeSet<SubtaskId>,
    /// A manifest is being written; until that is decided, nobody knows where to start from.
    writing: bool,
    /// Workers of the run that are gone.
    lost: BTreeSet<WorkerId>,
    /// The number below that of its first run under this coordinator.
    base_attempt: u32,
}

impl Job {
    /// A new job, which waits for slots; `restore` is a checkpoint to start from and its folder.
    pub fn new(
        id: JobId,
        graph: JobGraph,
        folder: Option<String>,
        restore: Option<(Arc<Manifest>, String)>,
        now_ms: i64,
    ) -> Self {
        let settings = graph.settings.checkpoints.clone();
        let first = restore
            .as_ref()
            .map_or(1, |(m, _)| m.barrier.checkpoint_id + 1);
        let restarts = Restarts::new(graph.settings.restart.clone());
        Job {
            run: Run {
                job: id,
                attempt: 0,
            },
            graph: Arc::new(graph),
            phase: Phase::Waiting,
            stopping: None,
            stop_by_ms: None,
            restarts,
            checkpoints: Checkpoints::new(settings, first),
            folder,
            restore,
            restored: Vec::new(),
            counts: BTreeMap::new(),
            error: None,
            submitted_ms: now_ms,
            ended_ms: None,
            waiting_for: None,
            ended_early: BTreeSet::new(),
            writing: false,
            lost: BTreeSet::new(),
            base_attempt: 0,
        }
    }

    /// A job that ran under an earlier coordinator, which goes on from its latest checkpoint, or from
    /// where it started if there is none.
    pub fn taken_up(
        record: &Record,
        latest: Option<Arc<Manifest>>,
        restore: Option<(Arc<Manifest>, String)>,
    ) -> Self {
        let (id, graph) = (record.id.clone(), record.graph.clone());
        let folder = record.folder.clone();
        let mut job = Job::new(id, graph, folder, restore, record.submitted_ms);
        job.base_attempt = record.last_attempt();
        job.run.attempt = job.base_attempt;
        if let Some(manifest) = latest {
            job.checkpoints.take_up(manifest);
        }
        job
    }

    /// A job that has ended under an earlier coordinator.
    pub fn ended_before(record: &Record, status: &JobStatus) -> Self {
        let mut job = Job::taken_up(record, None, None);
        job.phase = Phase::Ended(status.state);
        job.error = status.error.clone();
        job.ended_ms = status.ended_ms;
        job.stopping = record.dropped.then_some(StopMode::Cancel);
        job.checkpoints.ended_before(&status.checkpoints);
        job
    }

    /// The job's graph.
    pub fn graph(&self) -> &JobGraph {
        &self.graph
    }

    /// The current run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Notes what the operators take over of the checkpoint that the job starts from.
    pub fn set_restored(&mut self, listing: Vec<String>) {
        self.restored = listing;
    }

    /// How many slots the job waits for, if it does.
    pub fn wanted_slots(&self) -> Option<u32> {
        (matches!(self.phase, Phase::Waiting) && !self.writing).then(|| self.graph.required_slots())
    }

    /// Says what the job waits for.
    pub fn set_waiting_for(&mut self, what: String) {
        self.waiting_for = Some(what);
    }

    /// The slots that the job holds, by worker.
    pub fn held_slots(&self) -> BTreeMap<WorkerId, u32> {
        let placement = match &self.phase {
            Phase::Deploying { placement, .. }
            | Phase::Running { placement, .. }
            | Phase::Releasing { placement, .. } => placement,
            _ => return BTreeMap::new(),
        };
        // Subtasks of the same index share a slot.
        let slots: BTreeSet<(u32, &WorkerId)> = placement
            .0
            .iter()
            .map(|(subtask, worker)| (subtask.index, worker))
            .collect();
        let mut held = BTreeMap::new();
        for (_, worker) in slots {
            *held.entry(worker.clone()).or_default() += 1;
        }
        held
    }

    /// Where the job stands, for people.
    pub fn status(&self) -> JobStatus {
        let state = match &self.phase {
            Phase::Ended(state) => *state,
            _ if self.stopping.is_some() => JobState::Stopping,
            Phase::Waiting => JobState::Waiting,
            Phase::Deploying { .. } => JobState::Deploying,
            Phase::Running { .. } => JobState::Running,
            Phase::Backoff { .. } => JobState::Restarting,
            Phase::Releasing {
                next: Next::Restart { .. },
                ..
            } => JobState::Restarting,
            Phase::Releasing { .. } => JobState::Stopping,
        };
        let waiting_for = match state {
            JobState::Waiting => self.waiting_for.clone(),
            _ => None,
        };
        JobStatus {
            id: self.run.job.clone(),
            name: self.graph.name.clone(),
            state,
            waiting_for,
            error: self.error.clone(),
            restarts: self.run.attempt.saturating_sub(self.base_attempt + 1),
            submitted_ms: self.submitted_ms,
            ended_ms: self.ended_ms,
            vertices: self
                .graph
                .vertices
                .iter()
                .map(|v| self.vertex_status(v))
                .collect(),
            checkpoints: self.checkpoint_status(),
            restored: self.restored.clone(),
            view: self.graph.settings.view.clone(),
        }
    }

    fn vertex_status(&self, vertex: &crate::graph::Vertex) -> VertexStatus {
        let mut total = SubtaskSnapshot::default();
        let of_vertex = self.counts.iter().filter(|(id, _)| id.vertex == vertex.id);
        for (position, (_, counts)) in of_vertex.enumerate() {
            total.merge(counts, position == 0);
        }
        let has =
            |wanted: fn(&OperatorSpec) -> bool| vertex.operators.iter().any(|o| wanted(&o.spec));
        VertexStatus {
            name: vertex.name.clone(),
            parallelism: vertex.parallelism,
            is_source: has(|s| matches!(s, OperatorSpec::Source(_) | OperatorSpec::Values(_))),
            is_sink: has(|s| matches!(s, OperatorSpec::Sink(_) | OperatorSpec::Collect)),
            metrics: total,
        }
    }

    fn checkpoint_status(&self) -> CheckpointStatus {
        let mut status = self.checkpoints.status().clone();
        if let (Some(folder), Some(id)) = (&self.folder, status.last_id) {
            status.last_path = Some(format!("{folder}/chk-{id}"));
        }
        status
    }

    /// Takes new counts of a subtask.
    pub fn counted(&mut self, run: &Run, subtask: SubtaskId, counts: SubtaskSnapshot) {
        if *run == self.run {
            self.counts.insert(subtask, counts);
        }
    }

    /// A subtask has said something.
    pub fn reported(
        &mut self,
        run: &Run,
        subtask: SubtaskId,
        kind: ReportKind,
        now_ms: i64,
    ) -> Vec<Action> {
        if *run != self.run {
            return Vec::new();
        }
        match kind {
            ReportKind::Rewritten => self.subtask_rewrote(subtask),
            ReportKind::Running => self.subtask_running(subtask, now_ms),
            ReportKind::InputEnded => self.input_ended(subtask, now_ms),
            ReportKind::Overfull => {
                self.checkpoints.hurry(now_ms);
                self.tick(now_ms)
            }
            ReportKind::Snapshot {
                checkpoint_id,
                share,
                bytes,
            } => self.share_arrived(checkpoint_id, share, bytes, now_ms),
            ReportKind::SnapshotFailed {
                checkpoint_id,
                error,
            } => self.checkpoint_failed(checkpoint_id, error, now_ms),
            ReportKind::Rows(batch) => vec![Action::Rows(batch)],
            ReportKind::Finished(counts) => {
                self.counts.insert(subtask, *counts);
                self.subtask_finished(subtask, now_ms)
            }
            ReportKind::Failed(error) => {
                let vertex = self.graph.vertex(subtask.vertex).map(|v| v.name.clone());
                tracing::info!(job = %self.run.job, attempt = self.run.attempt, %subtask,
                    vertex = vertex.unwrap_or_default(), "a subtask failed: {error}");
                self.failed(error, now_ms)
            }
        }
    }

    /// The client has taken so many batches.
    pub fn collected(&self, batches: u32) -> Vec<Action> {
        let placement = match &self.phase {
            Phase::Deploying { placement, .. } | Phase::Running { placement, .. } => placement,
            _ => return Vec::new(),
        };
        let mut actions = Vec::new();
        for vertex in &self.graph.vertices {
            let collects = |o: &ChainedOperator| matches!(o.spec, OperatorSpec::Collect);
            let subtask = SubtaskId {
                vertex: vertex.id,
                index: 0,
            };
            if vertex.operators.iter().any(collects)
                && let Some(worker) = placement.worker(subtask)
            {
                let message = ToWorker::Collected {
                    run: self.run.clone(),
                    subtask,
                    batches,
                };
                actions.push(Action::Send(worker.clone(), message));
            }
        }
        actions
    }

    /// Something that needs time has come due.
    pub fn tick(&mut self, now_ms: i64) -> Vec<Action> {
        match &self.phase {
            Phase::Backoff { until_ms } if *until_ms <= now_ms => {
                self.phase = Phase::Waiting;
                Vec::new()
            }
            Phase::Deploying { .. } => self.tick_deploying(now_ms),
            Phase::Running { .. } => self.tick_checkpoints(now_ms),
            _ => Vec::new(),
        }
    }

    /// Tells subtasks something, through their workers.
    fn command(&self, subtasks: Vec<SubtaskId>, command: Command) -> Vec<Action> {
        let placement = match &self.phase {
            Phase::Deploying { placement, .. } | Phase::Running { placement, .. } => placement,
            _ => return Vec::new(),
        };
        let mut by_worker: BTreeMap<&WorkerId, Vec<SubtaskId>> = BTreeMap::new();
        for subtask in subtasks {
            if let Some(worker) = placement.worker(subtask) {
                by_worker.entry(worker).or_default().push(subtask);
            }
        }
        let send = |(worker, subtasks): (&WorkerId, Vec<SubtaskId>)| {
            let command = ToWorker::Command {
                run: self.run.clone(),
                subtasks,
                command,
            };
            Action::Send(worker.clone(), command)
        };
        by_worker.into_iter().map(send).collect()
    }

    /// Something has failed: restart if the strategy allows, end otherwise.
    fn failed(&mut self, error: EngineError, now_ms: i64) -> Vec<Action> {
        if !matches!(self.phase, Phase::Deploying { .. } | Phase::Running { .. }) {
            return Vec::new();
        }
        let collects = self
            .graph
            .vertices
            .iter()
            .flat_map(|v| &v.operators)
            .any(|o| matches!(o.spec, OperatorSpec::Collect));
        // A client has seen rows of this run already; to show them again would be wrong.
        let may_restart = error.kind.retryable() && !collects && self.stopping.is_none();
        let delay = if may_restart {
            self.restarts.next_delay_ms(now_ms)
        } else {
            None
        };
        match delay {
            Some(delay_ms) => {
                tracing::warn!(job = %self.run.job, delay_ms, "the job restarts: {error}");
                self.error = Some(error);
                self.release(Next::Restart { delay_ms }, now_ms)
            }
            None => {
                self.error = Some(error);
                self.release(Next::End(JobState::Failed), now_ms)
            }
        }
    }

    fn end(&mut self, state: JobState, now_ms: i64) -> Vec<Action> {
        self.phase = Phase::Ended(state);
        self.ended_ms = Some(now_ms);
        if state == JobState::Finished {
            self.error = None;
        }
        let mut actions = self.no_savepoint("the job has ended");
        actions.push(Action::Ended);
        actions
    }

    /// The materialized view that the job keeps, also when it has finished.
    pub fn kept_view(&self) -> Option<&MaterializedView> {
        let gone = matches!(
            self.phase,
            Phase::Ended(JobState::Stopped | JobState::Failed)
        );
        self.graph.settings.view.as_ref().filter(|_| !gone)
    }

    /// Whether the job kept a materialized view that was dropped.
    pub fn was_dropped(&self) -> bool {
        let cancelled = self.stopping == Some(StopMode::Cancel);
        self.graph.settings.view.is_some()
            && cancelled
            && matches!(self.phase, Phase::Ended(JobState::Stopped))
    }

    /// Whether the job has nothing under way in the folder of its checkpoints.
    pub fn writes_nothing(&self) -> bool {
        self.has_ended() && !self.writing
    }

    /// Whether the job has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    fn sources(&self) -> Vec<SubtaskId> {
        let is_source = |id: &SubtaskId| !self.graph.edges.iter().any(|e| e.to == id.vertex);
        subtasks(&self.graph)
            .into_iter()
            .filter(is_source)
            .collect()
    }
}

/// The kind of a job's last barrier.
const LAST: BarrierKind = BarrierKind::Final;
