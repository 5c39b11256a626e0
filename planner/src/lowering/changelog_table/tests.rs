//! How changes and rows of logs travel: in the order in which they come, as far as it counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::graph::{JobGraph, Partitioning};

use crate::fixture::Session;

const TABLES: &str = "
SET 'parallelism.default' = '3';
CREATE TABLE rows (k STRING, v INT) WITH ('connector' = 'stream');
CREATE TABLE log (op STRING, id INT, v INT) WITH ('connector' = 'stream', 'scan.parallelism' = '1');
CREATE TABLE wide (op STRING, id INT, v INT) WITH ('connector' = 'stream');
CREATE TABLE told (op STRING, k STRING, n BIGINT) WITH ('connector' = 'append', 'sink.parallelism' = '2');
CREATE TABLE codes (op STRING) WITH ('connector' = 'append', 'sink.parallelism' = '2');
CREATE VIEW counts AS SELECT k, COUNT(*) AS n FROM rows GROUP BY k;
";

const BY_ID: &str = "FROM_CHANGELOG(input => TABLE some PARTITION BY id, \
    op_mapping => MAP['c', 'INSERT', 'u', 'UPDATE_AFTER', 'd', 'DELETE'])";

fn graph(sql: &str) -> JobGraph {
    let job = Session::with(TABLES).job(sql);
    let graph = job.map_err(|error| error.render(sql)).unwrap().graph;
    graph.validate().unwrap();
    graph
}

/// What runs in each vertex, and how wide.
fn chains(graph: &JobGraph) -> Vec<String> {
    let chain = |v: &levada_engine::graph::Vertex| format!("{} x{}", v.name, v.parallelism);
    graph.vertices.iter().map(chain).collect()
}

fn partitionings(graph: &JobGraph) -> Vec<&Partitioning> {
    graph.edges.iter().map(|edge| &edge.partitioning).collect()
}

#[test]
fn rows_of_a_log_are_not_spread_before_they_are_changes_of_a_key() {
    let graph = graph(&format!(
        "WITH some AS (SELECT op, id, v + 1 AS v FROM log) SELECT * FROM {BY_ID}"
    ));
    assert_eq!(
        chains(&graph),
        [
            "Source(log) -> Calc -> FromChangelog x1",
            "ChangelogNormalize x3",
            "Collect x1"
        ]
    );
    assert_eq!(*partitionings(&graph)[0], Partitioning::Hash(vec![0]));
}

#[test]
fn logs_of_several_widths_are_put_together_in_one_place() {
    let graph = graph(&format!(
        "WITH some AS (SELECT * FROM log UNION ALL SELECT * FROM wide) SELECT * FROM {BY_ID}"
    ));
    let found = chains(&graph);
    let union = found.iter().find(|chain| chain.contains("Union")).unwrap();
    assert!(union.ends_with("FromChangelog x1"), "{found:?}");
}

#[test]
fn inserts_are_spread() {
    let graph = graph(
        "WITH some AS (SELECT op, id, v + 1 AS v FROM log)
         SELECT * FROM FROM_CHANGELOG(input => TABLE some, op_mapping => MAP['c', 'INSERT'])",
    );
    assert_eq!(
        chains(&graph),
        ["Source(log) x1", "Calc -> FromChangelog x3", "Collect x1"]
    );
}

#[test]
fn what_is_told_of_a_row_goes_to_one_writer() {
    let graph = graph("INSERT INTO told SELECT op, k, n FROM TO_CHANGELOG(input => TABLE counts)");
    let last = *partitionings(&graph).last().unwrap();
    assert_eq!(*last, Partitioning::Hash(vec![1]), "{:?}", chains(&graph));
}

#[test]
fn without_the_key_it_goes_anywhere() {
    let graph = graph("INSERT INTO codes SELECT op FROM TO_CHANGELOG(input => TABLE counts)");
    let last = *partitionings(&graph).last().unwrap();
    assert_eq!(*last, Partitioning::Rebalance, "{:?}", chains(&graph));
}

#[test]
fn changes_travel_to_their_partition() {
    let graph = graph("SELECT * FROM TO_CHANGELOG(input => TABLE rows PARTITION BY v)");
    assert_eq!(
        chains(&graph),
        ["Source(rows) x3", "ToChangelog x3", "Collect x1"]
    );
    assert_eq!(*partitionings(&graph)[0], Partitioning::Hash(vec![1]));
}
