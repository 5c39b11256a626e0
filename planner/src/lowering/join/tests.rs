//! How joins in event time run: what the operator is told, what it is called, and its ids.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::graph::{
    ChainedOperator, JobGraph, JoinKind, JoinSpec, JoinTime, JoinUntil, OperatorSpec, Partitioning,
};

use crate::fixture::Session;

const TABLES: &str = "
SET 'parallelism.default' = '3';
SET 'table.exec.state.ttl' = '1 h';
CREATE TABLE bids (auction BIGINT, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector' = 'stream');
CREATE TABLE auctions (id BIGINT, seller BIGINT, opened TIMESTAMP(3), closed TIMESTAMP(3), WATERMARK FOR opened AS opened) WITH ('connector' = 'stream');
";

fn graph(sql: &str) -> JobGraph {
    let job = Session::with(TABLES).job(sql);
    let graph = job.map_err(|error| error.render(sql)).unwrap().graph;
    graph.validate().unwrap();
    graph
}

fn join(graph: &JobGraph) -> (ChainedOperator, JoinSpec) {
    let mut operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let found = operators.find_map(|operator| match &operator.spec {
        OperatorSpec::Join(spec) => Some((operator.clone(), spec.clone())),
        _ => None,
    });
    found.unwrap()
}

fn until(column: usize, after_ms: i64) -> JoinUntil {
    JoinUntil { column, after_ms }
}

/// A query with this join of bids and auctions.
fn joined(kind: &str, condition: &str) -> String {
    format!(
        "SELECT b.price, a.seller FROM bids b {kind} auctions a ON b.auction = a.id AND {condition}"
    )
}

const WITHIN: &str = "b.ts BETWEEN a.opened AND a.opened + INTERVAL '10' SECOND";

#[test]
fn an_interval_join_is_told_how_long_rows_are_wanted() {
    let graph = graph(&joined("JOIN", WITHIN));
    let (operator, spec) = join(&graph);
    assert_eq!(operator.name, "IntervalJoin(inner)");
    let time = spec.time.unwrap();
    assert_eq!(spec.left.rows.field(time.left.column).name(), "ts");
    assert_eq!(spec.right.rows.field(time.right.column).name(), "opened");
    assert_eq!((time.left.after_ms, time.right.after_ms), (0, 10_000));
    assert_eq!(spec.ttl_ms, 0);
    assert!(spec.condition.is_some());
    let by_key = graph.edges.iter().map(|edge| &edge.partitioning);
    let by_key = by_key
        .filter(|p| **p == Partitioning::Hash(vec![0]))
        .count();
    assert_eq!(by_key, 2);
}

#[test]
fn a_window_join_is_told_when_windows_end() {
    let windows = |table: &str, time: &str| {
        format!("TABLE(TUMBLE(TABLE {table}, DESCRIPTOR({time}), INTERVAL '10' SECOND))")
    };
    let sql = format!(
        "SELECT b.price FROM {} b LEFT JOIN {} a ON b.window_start = a.window_start AND b.window_end = a.window_end",
        windows("bids", "ts"),
        windows("auctions", "opened"),
    );
    let graph = graph(&sql);
    let (operator, spec) = join(&graph);
    assert_eq!(operator.name, "WindowJoin(left)");
    assert_eq!(spec.kind, JoinKind::Left);
    let JoinTime { left, right } = spec.time.unwrap();
    assert_eq!((left.after_ms, right.after_ms), (-1, -1));
    assert_eq!(spec.left.rows.field(left.column).name(), "window_end");
    assert_eq!(spec.right.rows.field(right.column).name(), "window_end");
    assert_eq!(spec.ttl_ms, 0);
}

#[test]
fn columns_that_nobody_reads_move_the_times() {
    // Of the table that is read, opened is the second of two columns; all of it comes before.
    let few = "SELECT b.price FROM bids b JOIN auctions a ON b.auction = a.id AND b.ts = a.opened";
    let (_, spec) = join(&graph(few));
    let read = spec.right.rows.fields().len();
    assert_eq!(read, 2);
    assert_eq!(spec.time.unwrap().right, until(1, 0));
    let all =
        "SELECT b.price, a.* FROM bids b JOIN auctions a ON b.auction = a.id AND b.ts = a.opened";
    let (_, spec) = join(&graph(all));
    assert_eq!(spec.right.rows.fields().len(), 4);
    assert_eq!(spec.time.unwrap().right, until(2, 0));
}

#[test]
fn ids_say_how_long_rows_are_kept() {
    let ids = |sql: &str| {
        let (operator, _) = join(&graph(sql));
        (operator.uid, operator.coarse)
    };
    let within = ids(&joined("JOIN", WITHIN));
    assert_eq!(ids(&joined("JOIN", WITHIN)), within);
    let renamed = "SELECT x.price AS p, y.seller AS s FROM bids x JOIN auctions y ON x.auction = y.id AND x.ts BETWEEN y.opened AND y.opened + INTERVAL '10' SECOND";
    assert_eq!(ids(renamed), within);
    let longer = "b.ts BETWEEN a.opened AND a.opened + INTERVAL '11' SECOND";
    let shorter = "b.ts BETWEEN a.opened AND a.opened + INTERVAL '10' SECOND AND b.ts <= a.opened + INTERVAL '9' SECOND";
    for other in [
        joined("JOIN", longer),
        joined("JOIN", shorter),
        joined("JOIN", "b.ts >= a.opened"),
        joined("LEFT JOIN", WITHIN),
    ] {
        let (uid, coarse) = ids(&other);
        assert_ne!(uid, within.0, "{other}");
        assert_ne!(coarse, within.1, "{other}");
    }
}
