//! The job graph: vertices with their chains and parallelism, and the edges between them.

use std::fmt::Write as _;

use levada_engine::graph::{Edge, JobGraph, OperatorSpec, OutputPort, Partitioning, Vertex};

/// One line for each vertex, each of its operators, and each edge that ends there.
pub(super) fn text(graph: &JobGraph) -> String {
    let mut out = String::new();
    for vertex in &graph.vertices {
        vertex_text(&mut out, graph, vertex);
    }
    let _ = write!(out, "slots: {}", graph.required_slots());
    out
}

/// The vertices and what they read, as a JSON object.
pub(super) fn json(graph: &JobGraph) -> String {
    let nodes: Vec<String> = graph
        .vertices
        .iter()
        .map(|v| vertex_json(graph, v))
        .collect();
    format!("{{\n  \"nodes\": [\n    {}\n  ]\n}}", nodes.join(",\n    "))
}

fn vertex_json(graph: &JobGraph, vertex: &Vertex) -> String {
    let reads: Vec<String> = graph
        .edges
        .iter()
        .filter(|edge| edge.to == vertex.id)
        .map(|edge| {
            let how = quoted(&partitioning(edge));
            format!("{{\"id\": {}, \"ship_strategy\": {how}}}", edge.from.0)
        })
        .collect();
    let operators: Vec<String> = vertex.operators.iter().map(|o| quoted(&o.name)).collect();
    format!(
        "{{\"id\": {}, \"type\": {}, \"operators\": [{}], \"parallelism\": {}, \"predecessors\": [{}]}}",
        vertex.id.0,
        quoted(&vertex.name),
        operators.join(", "),
        vertex.parallelism,
        reads.join(", ")
    )
}

/// A text of JSON.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn vertex_text(out: &mut String, graph: &JobGraph, vertex: &Vertex) {
    let _ = writeln!(
        out,
        "vertex {} (parallelism {}): {}",
        vertex.id.0, vertex.parallelism, vertex.name
    );
    for operator in &vertex.operators {
        let columns: Vec<&str> = operator
            .schema
            .fields()
            .iter()
            .map(|f| f.name().as_str())
            .collect();
        let _ = writeln!(
            out,
            "  {} [{}] -> ({})",
            operator.name,
            operator.uid,
            columns.join(", ")
        );
        if let OperatorSpec::LookupJoin(spec) = &operator.spec {
            let keys: Vec<&str> = spec.keys.iter().map(|(_, name)| name.as_str()).collect();
            let _ = write!(
                out,
                "    asks by ({}), {} questions under way at most, {} ms for each",
                keys.join(", "),
                spec.capacity,
                spec.timeout_ms
            );
            if let Some(retry) = spec.retry {
                let (times, after) = (retry.attempts, retry.delay_ms);
                let _ = write!(
                    out,
                    ", keys without rows {times} times again after {after} ms"
                );
            }
            out.push('\n');
        }
    }
    for edge in graph.edges.iter().filter(|edge| edge.to == vertex.id) {
        let _ = writeln!(
            out,
            "  reads vertex {} by {}",
            edge.from.0,
            partitioning(edge)
        );
    }
}

fn partitioning(edge: &Edge) -> String {
    let how = match &edge.partitioning {
        Partitioning::Forward => "forward".to_string(),
        Partitioning::Rebalance => "rebalance".to_string(),
        Partitioning::Broadcast => "broadcast".to_string(),
        Partitioning::Hash(columns) => {
            let name = |column: &usize| edge.schema.fields().get(*column).map(|f| f.name().clone());
            let names: Vec<String> = columns.iter().filter_map(name).collect();
            format!("hash({})", names.join(", "))
        }
    };
    match edge.from_port {
        OutputPort::Main => how,
        OutputPort::Late => format!("{how}, late rows"),
        OutputPort::Bad => format!("{how}, bad rows"),
    }
}
