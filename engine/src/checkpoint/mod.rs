//! Checkpoints: what a job remembers, cut consistently, and where that is kept.
//!
//! A subtask describes its share as a [`SubtaskCheckpoint`]; keyed state lies in a [`FileChain`] of files
//! of its own, each with what changed since the one before, so that a checkpoint writes what has
//! changed and refers to the rest. When all shares are there the coordinator writes a [`Manifest`] in
//! one atomic put. A checkpoint exists when its manifest does; files without one are invisible, and
//! files that no manifest refers to any more are swept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::connector::SplitState;
use crate::element::Barrier;
use crate::graph::execution::SubtaskId;
use crate::graph::{JobGraph, JobId, Vertex, WireBytes};
use crate::key::KeyGroupRange;
use crate::operator::Layout;

#[cfg(test)]
pub(crate) mod faulty;
mod file_chain;
mod place;
mod restore;
mod store;
#[cfg(test)]
mod tests;

pub use file_chain::{FileChain, Link};
pub use restore::Restored;
pub use store::CheckpointStore;

/// The version of the manifest that this build writes. Older ones stay readable.
pub const MANIFEST_VERSION: u32 = 3;
/// The oldest version that it reads. Version 3 has coarse ids, the layouts of rows of state, and what
/// barriers have overtaken.
pub const OLDEST_MANIFEST_VERSION: u32 = 2;

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
    /// The layouts that rows of keyed state may have, from old to new.
    #[serde(default)]
    pub layouts: Vec<Layout>,
    /// Files that are being written for a later checkpoint, and must not be swept meanwhile.
    pub in_progress: Vec<String>,
    /// Positions of a source.
    pub splits: Vec<SplitState>,
    /// Prepared output of a sink.
    pub committables: Vec<WireBytes>,
}

/// Where elements were when a barrier overtook them. In this order they reach their operator.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Leg {
    /// Taken by the operator, which waited for an answer from outside.
    Asked,
    /// At the operator's gate.
    #[default]
    Arrived,
    /// Waiting at their producer.
    Sent,
    /// Handed to a sink that had not flushed them.
    Unflushed,
}

/// Elements that a barrier has overtaken on one channel of an operator's input: a part of a file of
/// frames.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The uid of the operator that they are for.
    pub operator: String,
    /// Its name, for people.
    pub name: String,
    /// The ordinal of its input.
    pub input: u32,
    /// The index of the subtask that sent them.
    pub from: u32,
    /// The index of the subtask that they were for.
    pub to: u32,
    /// How many subtasks the operator had.
    pub consumers: u32,
    /// Where they were.
    pub leg: Leg,
    /// Whether they are partial results of a local phase, which there is at some parallelisms only.
    #[serde(default)]
    pub partial: bool,
    /// The file, relative to the job's folder.
    pub path: String,
    /// Where in the file they begin.
    pub offset: u64,
    /// How many bytes of it they are.
    pub bytes: u64,
}

/// How far event time had come on a channel when a barrier overtook what was on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTime {
    /// The uid of the operator that receives.
    pub operator: String,
    /// The ordinal of its input.
    pub input: u32,
    /// The index of the subtask that sends.
    pub from: u32,
    /// The index of the subtask that receives.
    pub to: u32,
    /// How many subtasks the operator had.
    pub consumers: u32,
    /// The watermark, in milliseconds since the epoch.
    pub watermark: i64,
    /// Nobody waited for the channel: it was silent, or at its end.
    pub silent: bool,
}

/// What one subtask remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtaskCheckpoint {
    /// The subtask.
    pub subtask: SubtaskId,
    /// Its operators that remember anything.
    pub operators: Vec<OperatorCheckpoint>,
    /// What the barrier has overtaken.
    pub in_flight: Vec<InFlight>,
    /// How far time had come where it did.
    pub channels: Vec<ChannelTime>,
}

/// The state of one operator over all its subtasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorState {
    /// For people.
    pub name: String,
    /// The operator's coarse id, by which its state finds an operator of an edited query.
    #[serde(default)]
    pub coarse: String,
    /// How many subtasks wrote it.
    pub parallelism: u32,
    /// Keyed state, from old to new: of a key that several files have, the newest counts. Files of
    /// different subtasks have no keys in common.
    pub keyed: Vec<StateFile>,
    /// The layouts that rows of keyed state may have, from old to new; none where rows do not name
    /// theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<Layout>,
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
    /// What the barrier has overtaken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_flight: Vec<InFlight>,
    /// How far time had come where it did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelTime>,
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
        let chained = graph.vertices.iter().flat_map(|v| &v.operators);
        let coarse: BTreeMap<&str, &str> = chained
            .map(|o| (o.uid.as_str(), o.coarse.as_str()))
            .collect();
        let mut operators: BTreeMap<String, OperatorState> = BTreeMap::new();
        let (mut in_flight, mut channels) = (Vec::new(), Vec::new());
        for share in shares {
            let index = share.subtask.index;
            in_flight.extend(share.in_flight);
            channels.extend(share.channels);
            for operator in share.operators {
                let known = coarse.get(operator.uid.as_str());
                let state = operators.entry(operator.uid).or_default();
                state.coarse = known.map_or_else(String::new, |c| (*c).to_string());
                state.name = operator.name;
                if !operator.layouts.is_empty() {
                    // All subtasks have the same.
                    state.layouts = operator.layouts;
                }
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
        if in_flight.is_empty() {
            // Nothing was overtaken, so time is where all sources are.
            channels.clear();
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
            in_flight,
            channels,
        }
    }

    /// Whether rows that its barrier has overtaken come before anything new.
    pub fn has_rows_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Whether sinks of a vertex had not flushed all rows, which they write again before anything else.
    pub fn rewrites(&self, vertex: &Vertex) -> bool {
        let unflushed = self.in_flight.iter().filter(|f| f.leg == Leg::Unflushed);
        let uids: BTreeSet<&str> = unflushed.map(|f| f.operator.as_str()).collect();
        let mut operators = vertex.operators.iter();
        operators.any(|o| uids.contains(o.uid.as_str()))
    }

    /// The files that it refers to, each perhaps more than once.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let keyed = self.operators.values().flat_map(|o| &o.keyed);
        let in_flight = self.in_flight.iter().map(|f| f.path.as_str());
        keyed.map(|f| f.path.as_str()).chain(in_flight)
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
}
