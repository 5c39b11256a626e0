//! What coordinator and workers tell each other.
//!
//! Plain data: in one process it travels through channels, between processes over RPC.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::checkpoint::Manifest;
use crate::error::EngineError;
use crate::graph::execution::SubtaskId;
use crate::graph::{JobGraph, JobId};
use crate::metrics::SubtaskSnapshot;
use crate::subtask::{Command, Report};

/// Names a worker; a worker that comes back has another name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkerId(pub String);

impl std::fmt::Display for WorkerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a worker introduces itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registration {
    /// The worker.
    pub worker: WorkerId,
    /// Must be equal on both sides.
    pub version: String,
    /// How many slots it offers.
    pub slots: u32,
    /// Where it accepts data connections; `None` if it is the only worker.
    pub data_address: Option<String>,
}

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Run {
    /// The job.
    pub job: JobId,
    /// Which run; ascending, so that what an old run says can be told from the new.
    pub attempt: u32,
}

/// A worker's share of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deployment {
    /// The run.
    pub run: Run,
    /// The job.
    pub graph: Arc<JobGraph>,
    /// Where each subtask runs.
    pub placement: Placement,
    /// The data addresses of the workers.
    pub addresses: BTreeMap<WorkerId, String>,
    /// The checkpoint to start from, and the folder that its files lie in.
    pub restore: Option<(Arc<Manifest>, String)>,
    /// The folder for the job's checkpoints; `None` if there are none.
    pub checkpoints: Option<String>,
}

/// Where each subtask runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement(pub Vec<(SubtaskId, WorkerId)>);

impl Placement {
    /// The worker of a subtask.
    pub fn worker(&self, subtask: SubtaskId) -> Option<&WorkerId> {
        self.0.iter().find(|(s, _)| *s == subtask).map(|(_, w)| w)
    }

    /// The workers that take part.
    pub fn workers(&self) -> std::collections::BTreeSet<WorkerId> {
        self.0.iter().map(|(_, w)| w.clone()).collect()
    }

    /// The subtasks of a worker.
    pub fn of<'a>(&'a self, worker: &'a WorkerId) -> impl Iterator<Item = SubtaskId> + 'a {
        self.0
            .iter()
            .filter(move |(_, w)| w == worker)
            .map(|(s, _)| *s)
    }
}

/// What the coordinator tells a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ToWorker {
    /// The worker is welcome.
    Registered,
    /// The worker is not welcome and must not come back as it is.
    Refused(EngineError),
    /// Open the channels of a run; answered by [`ToCoordinator::Deployed`].
    Deploy(Box<Deployment>),
    /// All workers have opened their channels: connect and run.
    Start(Run),
    /// Tell subtasks something.
    Command {
        /// The run.
        run: Run,
        /// Which subtasks; those of other workers are ignored.
        subtasks: Vec<SubtaskId>,
        /// What.
        command: Command,
    },
    /// The client has taken so many batches of the collector.
    Collected {
        /// The run.
        run: Run,
        /// The collector.
        subtask: SubtaskId,
        /// How many.
        batches: u32,
    },
    /// End a run at once; answered by [`ToCoordinator::Released`].
    Cancel(Run),
}

/// What a worker tells the coordinator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ToCoordinator {
    /// The first thing it says.
    Register(Registration),
    /// It is alive; what its subtasks have counted.
    Heartbeat(Vec<(Run, SubtaskId, SubtaskSnapshot)>),
    /// The channels of a run are open, or why not.
    Deployed(Run, Option<EngineError>),
    /// A subtask has something to say.
    Report(Report),
    /// A connection between workers has failed.
    Disconnected(Run, EngineError),
    /// Nothing of the run is left on the worker.
    Released(Run),
}
