//! Checkpoints: what a job remembers, cut consistently, and where that is kept.
//!
//! A subtask describes its share as a [`SubtaskCheckpoint`]; keyed state lies in a [`FileChain`] of files
//! of its own, each with what changed since the one before, so that a checkpoint writes what has
//! changed and refers to the rest. When all shares are there the coordinator writes a [`Manifest`] in
//! one atomic put. A checkpoint exists when its manifest does; files without one are invisible, and
//! files that no manifest refers to any more are swept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::connector::SplitState;
use crate::element::Barrier;
use crate::error::{EngineError, Result};
use crate::graph::execution::SubtaskId;
use crate::graph::{JobGraph, JobId, WireBytes};
use crate::key::KeyGroupRange;

#[cfg(test)]
pub(crate) mod faulty;
mod file_chain;
mod place;
mod store;
#[cfg(test)]
mod tests;

pub use file_chain::{FileChain, Link};
pub use store::CheckpointStore;

/// The version of the manifest that this build writes. Older ones stay readable.
pub const MANIFEST_VERSION: u32 = 2;

/// A file of keyed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateFile {
    /// Relative to the job's folder.
    pub path: String,
    /// Which of its key groups count: those of the subtask that refers to it.
    pub key_groups: KeyGroupRange,
    /// Its length.
    pub bytes: u64,
    /// How many entries it has, deletions included.
    pub entries: u64,
    /// The checksum that covers all of it: the CRC-32 of its index, which has those of its blocks.
    pub seal: u32,
}

/// What one operator in one subtask remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorCheckpoint {
    /// The operator.
    pub uid: String,
    /// For people.
    pub name: String,
    /// Keyed state, from old to new: of a key that several files have, the newest counts.
    pub keyed: Vec<StateFile>,
    /// Files that are being written for a later checkpoint, and must not be swept meanwhile.
    pub in_progress: Vec<String>,
    /// Positions of a source.
    pub splits: Vec<SplitState>,
    /// Prepared output of a sink.
    pub committables: Vec<WireBytes>,
}

/// What one subtask remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtaskCheckpoint {
    /// The subtask.
    pub subtask: SubtaskId,
    /// Its operators that remember anything.
    pub operators: Vec<OperatorCheckpoint>,
}

/// The state of one operator over all its subtasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorState {
    /// For people.
    pub name: String,
    /// How many subtasks wrote it.
    pub parallelism: u32,
    /// Keyed state, from old to new: of a key that several files have, the newest counts. Files of
    /// different subtasks have no keys in common.
    pub keyed: Vec<StateFile>,
    /// Files that were being written for a later checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_progress: Vec<String>,
    /// Positions of a source, of all subtasks.
    pub splits: Vec<SplitState>,
    /// Prepared output of a sink, by the subtask that prepared it.
    pub committables: Vec<(u32, WireBytes)>,
}

/// A complete checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of this manifest.
    pub version: u32,
    /// The job that wrote it.
    pub job: JobId,
    /// The run of the job that wrote it; runs are numbered over all coordinators.
    #[serde(default)]
    pub attempt: u32,
    /// The barrier that cut it.
    pub barrier: Barrier,
    /// When it was completed, in milliseconds since the epoch.
    pub completed_ms: i64,
    /// The number of key groups that its keyed state is divided into.
    pub max_parallelism: u32,
    /// By operator uid.
    pub operators: BTreeMap<String, OperatorState>,
}

impl Manifest {
    /// Puts the shares of all subtasks together.
    pub fn assemble(
        job: JobId,
        barrier: Barrier,
        completed_ms: i64,
        graph: &JobGraph,
        shares: impl IntoIterator<Item = SubtaskCheckpoint>,
    ) -> Self {
        let mut operators: BTreeMap<String, OperatorState> = BTreeMap::new();
        for share in shares {
            let index = share.subtask.index;
            for operator in share.operators {
                let state = operators.entry(operator.uid).or_default();
                state.name = operator.name;
                state.parallelism = graph
                    .vertex(share.subtask.vertex)
                    .map_or(0, |v| v.parallelism);
                state.keyed.extend(operator.keyed);
                state.in_progress.extend(operator.in_progress);
                state.splits.extend(operator.splits);
                let tagged = operator.committables.into_iter().map(|c| (index, c));
                state.committables.extend(tagged);
            }
        }
        let max_parallelism = graph.settings.max_parallelism;
        let version = MANIFEST_VERSION;
        Manifest {
            version,
            job,
            attempt: 0,
            barrier,
            completed_ms,
            max_parallelism,
            operators,
        }
    }

    /// The same, written by this run of the job.
    pub fn of_run(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// How many bytes of keyed state it refers to.
    pub fn state_bytes(&self) -> u64 {
        self.operators
            .values()
            .flat_map(|o| &o.keyed)
            .map(|f| f.bytes)
            .sum()
    }

    /// Checks that a job can start from this: the same number of key groups, and an operator for
    /// all of its state unless that may be dropped.
    pub fn check_restore(&self, graph: &JobGraph) -> Result<()> {
        if self.max_parallelism != graph.settings.max_parallelism {
            return Err(EngineError::checkpoint(format!(
                "the checkpoint has {} key groups, the job {}",
                self.max_parallelism, graph.settings.max_parallelism
            ))
            .with_hint(format!(
                "SET 'pipeline.max-parallelism' = '{}'",
                self.max_parallelism
            )));
        }
        let claimed: std::collections::BTreeSet<&str> = graph
            .vertices
            .iter()
            .flat_map(|v| &v.operators)
            .map(|o| o.uid.as_str())
            .collect();
        let unclaimed: Vec<String> = self
            .operators
            .iter()
            .filter(|(uid, _)| !claimed.contains(uid.as_str()))
            .map(|(uid, state)| format!("{} ({uid})", state.name))
            .collect();
        if unclaimed.is_empty() || graph.settings.checkpoints.ignore_unclaimed_state {
            return Ok(());
        }
        Err(
            EngineError::checkpoint("the checkpoint has state that no operator of the job claims")
                .with_detail(unclaimed.join(", "))
                .with_hint(
                    "SET 'execution.state-recovery.ignore-unclaimed-state' = 'true' to drop it",
                ),
        )
    }
}
