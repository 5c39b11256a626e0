//! The execution graph: a job graph expanded by parallelism.

use serde::{Deserialize, Serialize};

use super::{Edge, EdgeId, JobGraph, Partitioning, VertexId};
use crate::error::Result;

/// One parallel instance of a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubtaskId {
    /// The vertex.
    pub vertex: VertexId,
    /// Which of its instances, from 0.
    pub index: u32,
}

impl std::fmt::Display for SubtaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.vertex.0, self.index)
    }
}

/// One stream between two subtasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId {
    /// The edge it belongs to.
    pub edge: EdgeId,
    /// The index of the producing subtask.
    pub from: u32,
    /// The index of the consuming subtask.
    pub to: u32,
}

/// All subtasks of a job, in topological order of their vertices.
pub fn subtasks(graph: &JobGraph) -> Vec<SubtaskId> {
    let of = |id, parallelism| (0..parallelism).map(move |index| SubtaskId { vertex: id, index });
    graph
        .vertices
        .iter()
        .flat_map(|v| of(v.id, v.parallelism))
        .collect()
}

/// The channels on which subtask `index` of the edge's producer sends, in order of the consumer.
pub fn output_channels(graph: &JobGraph, edge: &Edge, index: u32) -> Result<Vec<ChannelId>> {
    let to = graph.vertex(edge.to)?.parallelism;
    Ok(match edge.partitioning {
        Partitioning::Forward => vec![ChannelId {
            edge: edge.id,
            from: index,
            to: index,
        }],
        _ => (0..to)
            .map(|to| ChannelId {
                edge: edge.id,
                from: index,
                to,
            })
            .collect(),
    })
}

/// The channels on which subtask `index` of the edge's consumer receives, in order of the
/// producer.
pub fn input_channels(graph: &JobGraph, edge: &Edge, index: u32) -> Result<Vec<ChannelId>> {
    let from = graph.vertex(edge.from)?.parallelism;
    Ok(match edge.partitioning {
        Partitioning::Forward => vec![ChannelId {
            edge: edge.id,
            from: index,
            to: index,
        }],
        _ => (0..from)
            .map(|from| ChannelId {
                edge: edge.id,
                from,
                to: index,
            })
            .collect(),
    })
}
