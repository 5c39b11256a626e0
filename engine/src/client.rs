//! How others talk to a coordinator, in this process or across the network.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::TaskContext;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::connector::ConnectorRegistry;
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::failpoint::Failpoints;
use crate::graph::{JobGraph, JobId, MaterializedView};
use crate::metrics::SubtaskSnapshot;
use crate::state::Resources;
use crate::time::Clock;

/// What the code of a job needs from the process that runs it.
#[derive(Clone)]
pub struct Environment {
    /// Processing time.
    pub clock: Arc<dyn Clock>,
    /// The connectors.
    pub connectors: ConnectorRegistry,
    /// The functions that expressions may call.
    pub functions: Arc<TaskContext>,
    /// Where workers keep state that does not fit into memory; each worker makes a folder of its
    /// own in it, and removes it at the end.
    pub scratch_dir: std::path::PathBuf,
    /// What the keyed state of all jobs shares.
    pub resources: Arc<Resources>,
    /// Where the process is to die, in tests of crashes.
    pub failpoints: Failpoints,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobState {
    /// Accepted, and waiting for slots.
    Waiting,
    /// Being deployed to workers.
    Deploying,
    /// Processing.
    Running,
    /// Failed, and about to run again from its last checkpoint.
    Restarting,
    /// Being stopped by a user.
    Stopping,
    /// Ended by itself, everything committed.
    Finished,
    /// Stopped by a user.
    Stopped,
    /// Failed for good.
    Failed,
}

impl JobState {
    /// Whether the job will not change any more.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            JobState::Finished | JobState::Stopped | JobState::Failed
        )
    }

    /// In capitals, as SHOW JOBS prints it.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Waiting => "WAITING",
            JobState::Deploying => "DEPLOYING",
            JobState::Running => "RUNNING",
            JobState::Restarting => "RESTARTING",
            JobState::Stopping => "STOPPING",
            JobState::Finished => "FINISHED",
            JobState::Stopped => "STOPPED",
            JobState::Failed => "FAILED",
        }
    }
}

/// A job at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobStatus {
    /// The job.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: JobState,
    /// What it waits for, for instance `waiting for slots: 4 needed, 2 free (1 worker)`.
    pub waiting_for: Option<String>,
    /// Why it failed, or why it was last restarted.
    pub error: Option<EngineError>,
    /// How often it was restarted.
    pub restarts: u32,
    /// When it was submitted, in milliseconds since the epoch.
    pub submitted_ms: i64,
    /// When it ended, in milliseconds since the epoch.
    pub ended_ms: Option<i64>,
    /// The vertices in topological order.
    pub vertices: Vec<VertexStatus>,
    /// Checkpoints so far.
    pub checkpoints: CheckpointStatus,
    /// What its operators have taken over of the checkpoint or savepoint that it started from, a
    /// sentence each.
    #[serde(default)]
    pub restored: Vec<String>,
    /// The materialized view that it keeps.
    #[serde(default)]
    pub view: Option<MaterializedView>,
}

impl JobStatus {
    /// The materialized view that it keeps up to date, or has kept to the end of its input.
    pub fn kept_view(&self) -> Option<&MaterializedView> {
        let gone = matches!(self.state, JobState::Stopped | JobState::Failed);
        self.view.as_ref().filter(|_| !gone)
    }

    /// What holds the job up while it goes on trying: too few slots, or something outside that
    /// does not answer.
    pub fn held_up_by(&self) -> Option<&str> {
        let trouble = self
            .vertices
            .iter()
            .find_map(|v| v.metrics.trouble.as_deref());
        self.waiting_for
            .as_deref()
            .or(trouble.filter(|_| !self.state.is_terminal()))
    }
}

/// A vertex of a running job.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct VertexStatus {
    /// Its chain of operators.
    pub name: String,
    /// How many subtasks it has.
    pub parallelism: u32,
    /// Whether it contains a source.
    pub is_source: bool,
    /// Whether it contains a sink.
    pub is_sink: bool,
    /// The sum over its subtasks; the watermark is the minimum.
    pub metrics: SubtaskSnapshot,
}

/// The checkpoints of a job so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CheckpointStatus {
    /// How many were completed.
    pub completed: u64,
    /// How many failed.
    pub failed: u64,
    /// The id of the last completed one.
    pub last_id: Option<u64>,
    /// How long the last completed one took, in milliseconds.
    pub last_duration_ms: u64,
    /// How many bytes the last completed one wrote.
    pub last_bytes: u64,
    /// Where the last completed one is.
    pub last_path: Option<String>,
}

/// How to stop a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopMode {
    /// At once; what is not committed is lost.
    Cancel,
    /// With a last checkpoint, after which everything is committed (STOP JOB).
    Checkpoint,
    /// Reading ends as if the input did: everything passes through, every window fires, and a last
    /// checkpoint follows (STOP JOB … WITH DRAIN).
    Drain,
}

/// The rows of a query that streams to its client.
pub type ResultStream = BoxStream<'static, Result<Batch>>;

/// A coordinator, in this process or across the network.
#[async_trait]
pub trait JobClient: Send + Sync {
    /// Accepts a job.
    async fn submit(&self, graph: JobGraph) -> Result<JobId>;

    /// Where a job stands.
    async fn status(&self, job: &JobId) -> Result<JobStatus>;

    /// All jobs, oldest first.
    async fn list(&self) -> Result<Vec<JobStatus>>;

    /// Stops a job; returns when that is accepted, not when the job has ended.
    async fn stop(&self, job: &JobId, mode: StopMode) -> Result<()>;

    /// Copies what a job remembers to a place of the user's, from which another job can start: a new
    /// checkpoint of a running job, the last one of any other. It goes to a folder of its own in
    /// `dir`, or in `savepoints` beside the job's checkpoints; returns where that is.
    async fn savepoint(&self, job: &JobId, dir: Option<String>) -> Result<String>;

    /// Waits until the job has ended.
    async fn wait(&self, job: &JobId) -> Result<JobStatus>;

    /// The rows of the job's collect operator, which has the schema given. One reader; the job is
    /// held back by a slow one. Ends when the job ends, with the job's error if it failed.
    async fn results(&self, job: &JobId, schema: SchemaRef) -> Result<ResultStream>;
}
