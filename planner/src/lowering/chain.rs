//! Chaining: operators that need no exchange between them share a vertex.

use levada_engine::graph::{
    ChainedOperator, Edge, EdgeId, OperatorInput, Partitioning, Vertex, VertexId, WireSchema,
};

use super::operators::{Input, Operator};
use levada_language::error::PlanError;

/// Puts operators, given in topological order, into vertices.
pub(super) fn chain(operators: Vec<Operator>) -> Result<(Vec<Vertex>, Vec<Edge>), PlanError> {
    let mut chains = Chains::default();
    for operator in operators {
        chains.add(operator)?;
    }
    Ok((chains.vertices, chains.edges))
}

#[derive(Default)]
struct Chains {
    vertices: Vec<Vertex>,
    edges: Vec<Edge>,
    /// For each operator, its vertex and its position there.
    places: Vec<(usize, usize)>,
}

impl Chains {
    fn add(&mut self, operator: Operator) -> Result<(), PlanError> {
        let vertex = match self.common_vertex(&operator)? {
            Some(vertex) => vertex,
            None => self.new_vertex(operator.parallelism)?,
        };
        let inputs = operator
            .inputs
            .iter()
            .map(|input| self.connect(input, vertex))
            .collect::<Result<Vec<_>, _>>()?;
        let Some(target) = self.vertices.get_mut(vertex) else {
            return Err(PlanError::internal("a vertex is missing"));
        };
        target.name = match target.name.is_empty() {
            true => operator.name.clone(),
            false => format!("{} -> {}", target.name, operator.name),
        };
        self.places.push((vertex, target.operators.len()));
        target.operators.push(ChainedOperator {
            uid: operator.uid,
            coarse: operator.lineage.coarse,
            name: operator.name,
            spec: operator.spec,
            inputs,
            schema: WireSchema(operator.schema),
        });
        Ok(())
    }

    fn place(&self, operator: usize) -> Result<(usize, usize), PlanError> {
        let place = self.places.get(operator).copied();
        place.ok_or_else(|| PlanError::internal("an operator comes before its input"))
    }

    /// The vertex that all inputs are in, if no exchange stands between.
    fn common_vertex(&self, operator: &Operator) -> Result<Option<usize>, PlanError> {
        let mut common = None;
        for input in &operator.inputs {
            let (vertex, _) = self.place(input.operator)?;
            let parallelism = self.vertices.get(vertex).map(|v| v.parallelism);
            let chainable = input.partitioning == Partitioning::Forward
                && parallelism == Some(operator.parallelism)
                && common.is_none_or(|other| other == vertex);
            if !chainable {
                return Ok(None);
            }
            common = Some(vertex);
        }
        Ok(common)
    }

    fn new_vertex(&mut self, parallelism: u32) -> Result<usize, PlanError> {
        self.vertices.push(Vertex {
            id: VertexId(number(self.vertices.len())?),
            name: String::new(),
            parallelism,
            operators: Vec::new(),
        });
        Ok(self.vertices.len() - 1)
    }

    fn connect(&mut self, input: &Input, vertex: usize) -> Result<OperatorInput, PlanError> {
        let (from, position) = self.place(input.operator)?;
        if from == vertex {
            return Ok(OperatorInput::Chained {
                operator: position,
                port: input.port,
            });
        }
        let id = EdgeId(number(self.edges.len())?);
        self.edges.push(Edge {
            id,
            from: VertexId(number(from)?),
            from_operator: position,
            from_port: input.port,
            to: VertexId(number(vertex)?),
            partitioning: input.partitioning.clone(),
            schema: WireSchema(input.schema.clone()),
        });
        Ok(OperatorInput::Edge(id))
    }
}

fn number(index: usize) -> Result<u32, PlanError> {
    u32::try_from(index).map_err(|_| PlanError::internal("the job has too many vertices"))
}
