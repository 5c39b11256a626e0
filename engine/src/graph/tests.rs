#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use super::*;

fn schema() -> WireSchema {
    let nested = DataType::Struct(vec![Field::new("a", DataType::Utf8, true)].into());
    WireSchema(Arc::new(Schema::new(vec![
        Field::new("ts", DataType::Timestamp(TimeUnit::Millisecond, None), true),
        Field::new("row", nested, true),
    ])))
}

fn vertex(id: u32, parallelism: u32, inputs: Vec<OperatorInput>) -> Vertex {
    let spec = OperatorSpec::Union;
    let operator = ChainedOperator {
        uid: format!("u{id}"),
        coarse: String::new(),
        name: "Union".into(),
        spec,
        inputs,
        schema: schema(),
    };
    Vertex {
        id: VertexId(id),
        name: "Union".into(),
        parallelism,
        operators: vec![operator],
    }
}

fn graph(partitioning: Partitioning) -> JobGraph {
    let edge = Edge {
        id: EdgeId(0),
        from: VertexId(0),
        from_operator: 0,
        from_port: OutputPort::Main,
        to: VertexId(1),
        partitioning,
        schema: schema(),
    };
    JobGraph {
        name: "test".into(),
        vertices: vec![
            vertex(0, 2, vec![]),
            vertex(1, 3, vec![OperatorInput::Edge(EdgeId(0))]),
        ],
        edges: vec![edge],
        settings: JobSettings::default(),
    }
}

#[test]
fn a_graph_survives_the_wire() {
    let graph = graph(Partitioning::Hash(vec![0]));
    let text = serde_json::to_string(&graph).unwrap();
    let back: JobGraph = serde_json::from_str(&text).unwrap();
    assert_eq!(format!("{graph:?}"), format!("{back:?}"));
}

#[test]
fn malformed_graphs_are_refused() {
    assert!(graph(Partitioning::Hash(vec![0])).validate().is_ok());
    assert!(
        graph(Partitioning::Forward).validate().is_err(),
        "2 to 3 cannot be forward"
    );
    let mut broken = graph(Partitioning::Rebalance);
    broken.vertices[1].operators[0].inputs = vec![OperatorInput::Edge(EdgeId(7))];
    assert!(broken.validate().is_err());
}

#[test]
fn channels_join_every_pair_that_the_partitioning_needs() {
    let graph = graph(Partitioning::Hash(vec![0]));
    let edge = &graph.edges[0];
    assert_eq!(
        execution::output_channels(&graph, edge, 1).unwrap().len(),
        3
    );
    let inputs = execution::input_channels(&graph, edge, 2).unwrap();
    assert!(inputs.iter().all(|c| c.to == 2) && inputs.len() == 2);
    assert_eq!(execution::subtasks(&graph).len(), 5);
}
