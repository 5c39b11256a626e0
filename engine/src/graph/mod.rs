//! Jobs as plain data: the job graph and its expansion into subtasks.
//!
//! A [`JobGraph`] is what the planner produces and what travels to the coordinator and on to the
//! workers: vertices of chained operators, joined by edges. [`execution`] expands it by
//! parallelism. Nothing here runs; everything here can be written down and read back.

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

mod changelog;
mod count_window;
pub mod execution;
mod over;
mod pattern;
mod settings;
mod spec;
mod wire;

#[cfg(test)]
mod tests;

pub use changelog::*;
pub use count_window::*;
pub use over::*;
pub use pattern::*;
pub use settings::{
    BackendKind, CheckpointSettings, JobSettings, MaterializedView, RestartStrategy, ViewOrigin,
};
pub use spec::*;
pub use wire::{Expression, WireBytes, WireSchema};

use crate::error::{EngineError, Result};

/// Names a vertex within its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VertexId(pub u32);

/// Names an edge within its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EdgeId(pub u32);

/// Names a job within its coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct JobId(pub String);

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A job: vertices of chained operators and the edges between them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobGraph {
    /// For people.
    pub name: String,
    /// In topological order: an edge goes from an earlier vertex to a later one.
    pub vertices: Vec<Vertex>,
    /// All edges.
    pub edges: Vec<Edge>,
    /// How to run it.
    pub settings: JobSettings,
}

/// Operators that run in one subtask without an exchange between them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Vertex {
    /// This vertex.
    pub id: VertexId,
    /// The chain for people, such as `Source(bids) -> Calc`.
    pub name: String,
    /// How many subtasks it has.
    pub parallelism: u32,
    /// In topological order: an operator reads from edges or from operators before it.
    pub operators: Vec<ChainedOperator>,
}

/// One operator within a vertex.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainedOperator {
    /// Derived from what the operator does, so that its state finds it again.
    pub uid: String,
    /// The same, told more coarsely: without what is aggregated, and without the filters and
    /// projections in front. State whose `uid` nobody has any more finds its operator by this. Empty
    /// where nothing is known.
    #[serde(default)]
    pub coarse: String,
    /// For people, such as `WindowAggregate`.
    pub name: String,
    /// What it does.
    pub spec: OperatorSpec,
    /// Where its inputs come from; the position is the input's ordinal. Sources have none.
    pub inputs: Vec<OperatorInput>,
    /// The schema of its rows (of its main output; side outputs have fixed schemas).
    pub schema: WireSchema,
}

/// Where an operator's input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorInput {
    /// An operator before it in the same vertex.
    Chained {
        /// Its position in [`Vertex::operators`].
        operator: usize,
        /// Which of its outputs.
        port: OutputPort,
    },
    /// An edge that ends at this vertex.
    Edge(EdgeId),
}

/// Which output of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OutputPort {
    /// The rows.
    Main,
    /// Rows of a source that were behind their partition's watermark, in the source's schema.
    Late,
    /// What a source could not decode: `payload BYTES, position STRING, error STRING`.
    Bad,
}

/// A stream between two vertices.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Edge {
    /// This edge.
    pub id: EdgeId,
    /// The vertex that produces.
    pub from: VertexId,
    /// Which operator of that vertex, by position.
    pub from_operator: usize,
    /// Which output of that operator.
    pub from_port: OutputPort,
    /// The vertex that consumes. Its operator names this edge among its inputs.
    pub to: VertexId,
    /// How rows find their subtask.
    pub partitioning: Partitioning,
    /// The schema of the rows.
    pub schema: WireSchema,
}

/// How the rows of an edge find their subtask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Partitioning {
    /// Subtask `i` to subtask `i`; both ends have the same parallelism.
    Forward,
    /// By the key group of these columns. Without columns, all rows go to subtask 0.
    Hash(Vec<usize>),
    /// Batches in turn.
    Rebalance,
    /// Every row to every subtask.
    Broadcast,
}

impl JobGraph {
    /// The vertex with this id.
    pub fn vertex(&self, id: VertexId) -> Result<&Vertex> {
        self.vertices
            .iter()
            .find(|v| v.id == id)
            .ok_or_else(|| EngineError::internal(format!("the job has no vertex {}", id.0)))
    }

    /// The edge with this id.
    pub fn edge(&self, id: EdgeId) -> Result<&Edge> {
        self.edges
            .iter()
            .find(|e| e.id == id)
            .ok_or_else(|| EngineError::internal(format!("the job has no edge {}", id.0)))
    }

    /// How many slots the job needs: its highest parallelism, since subtasks of different
    /// vertices share a slot.
    pub fn required_slots(&self) -> u32 {
        self.vertices
            .iter()
            .map(|v| v.parallelism)
            .max()
            .unwrap_or(1)
    }

    /// Whether every source is bounded, so that the job ends by itself.
    pub fn is_bounded(&self) -> bool {
        self.vertices
            .iter()
            .flat_map(|v| &v.operators)
            .all(|o| match &o.spec {
                OperatorSpec::Source(source) => source.bounded,
                _ => true,
            })
    }

    /// Checks that the graph is well formed: inputs exist, order is topological, forward edges
    /// join equal parallelism.
    pub fn validate(&self) -> Result<()> {
        for edge in &self.edges {
            let (from, to) = (self.vertex(edge.from)?, self.vertex(edge.to)?);
            if edge.from_operator >= from.operators.len() || from.id >= to.id {
                return Err(EngineError::internal(format!(
                    "edge {} is malformed",
                    edge.id.0
                )));
            }
            if edge.partitioning == Partitioning::Forward && from.parallelism != to.parallelism {
                return Err(EngineError::internal(format!(
                    "forward edge {} joins parallelism {} and {}",
                    edge.id.0, from.parallelism, to.parallelism
                )));
            }
        }
        self.vertices
            .iter()
            .try_for_each(|vertex| self.validate_vertex(vertex))
    }

    fn validate_vertex(&self, vertex: &Vertex) -> Result<()> {
        if vertex.parallelism == 0 || vertex.parallelism > self.settings.max_parallelism {
            return Err(EngineError::config(format!(
                "the parallelism {} of '{}' is not between 1 and pipeline.max-parallelism ({})",
                vertex.parallelism, vertex.name, self.settings.max_parallelism
            )));
        }
        for (position, operator) in vertex.operators.iter().enumerate() {
            for input in &operator.inputs {
                let fits = match input {
                    OperatorInput::Chained { operator, .. } => *operator < position,
                    OperatorInput::Edge(id) => self.edge(*id)?.to == vertex.id,
                };
                if !fits {
                    return Err(EngineError::internal(format!(
                        "an input of '{}' is malformed",
                        operator.name
                    )));
                }
            }
        }
        Ok(())
    }
}

/// The schema of [`OutputPort::Bad`]: `payload BYTES, position STRING, error STRING`.
pub fn bad_rows_schema() -> SchemaRef {
    use arrow::datatypes::{DataType, Field, Schema};
    std::sync::Arc::new(Schema::new(vec![
        Field::new("payload", DataType::Binary, true),
        Field::new("position", DataType::Utf8, false),
        Field::new("error", DataType::Utf8, false),
    ]))
}
