//! How ranks run: where rows travel, what the operator is told, and its ids.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::graph::{
    ChainedOperator, JobGraph, OperatorSpec, OrderColumn, Partitioning, RankFunction, RankSpec,
};

use crate::fixture::Session;

const TABLES: &str = "
SET 'parallelism.default' = '3';
CREATE TABLE bids (id BIGINT, auction BIGINT, price INT, note STRING, pt AS PROCTIME()) WITH ('connector' = 'stream');
CREATE TABLE places (auction BIGINT, place BIGINT, id BIGINT, PRIMARY KEY (auction, place) NOT ENFORCED) WITH ('connector' = 'upsert');
";

fn session(set: &str) -> Session {
    Session::with(&format!("{TABLES}{set}"))
}

fn graph(session: &Session, sql: &str) -> JobGraph {
    let job = session.job(sql).map_err(|error| error.render(sql)).unwrap();
    job.graph.validate().unwrap();
    job.graph
}

fn chains(graph: &JobGraph) -> Vec<String> {
    let chain = |v: &levada_engine::graph::Vertex| format!("{} x{}", v.name, v.parallelism);
    graph.vertices.iter().map(chain).collect()
}

fn rank(graph: &JobGraph) -> (ChainedOperator, RankSpec) {
    let mut operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let found = operators.find_map(|operator| match &operator.spec {
        OperatorSpec::Rank(spec) => Some((operator.clone(), spec.clone())),
        _ => None,
    });
    found.unwrap()
}

fn top(columns: &str, over: &str, condition: &str) -> String {
    format!("SELECT {columns} FROM (SELECT *, {over} AS rn FROM bids) WHERE {condition}")
}

const BY_PRICE: &str =
    "ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC, id NULLS FIRST)";

#[test]
fn rows_travel_to_their_partition() {
    let session = session("");
    let wide = graph(&session, &top("id", BY_PRICE, "rn <= 3"));
    assert_eq!(
        chains(&wide),
        ["Source(bids) x3", "Rank -> Calc x3", "Collect x1"]
    );
    assert_eq!(wide.edges[0].partitioning, Partitioning::Hash(vec![1]));
    let one = graph(&session, "SELECT id FROM bids ORDER BY price LIMIT 3");
    assert_eq!(
        chains(&one),
        ["Source(bids) x3", "Rank -> Calc -> Collect x1"]
    );
    let computed = graph(
        &session,
        &top(
            "id",
            "ROW_NUMBER() OVER (PARTITION BY auction % 2 ORDER BY pt DESC)",
            "rn = 1",
        ),
    );
    assert_eq!(
        chains(&computed),
        [
            "Source(bids) -> Calc x3",
            "Deduplicate -> Calc x3",
            "Collect x1"
        ]
    );
}

#[test]
fn the_operator_knows_what_to_give() {
    let session = session("SET 'table.exec.state.ttl' = '5 s';");
    let spec = |sql: &str| rank(&graph(&session, sql)).1;
    let plain = spec(&top("id", BY_PRICE, "rn BETWEEN 2 AND 4"));
    let columns: Vec<&str> = plain
        .rows
        .0
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .collect();
    assert_eq!(columns, ["id", "auction", "price"]);
    assert_eq!(plain.partition_by, [1]);
    let order = [
        OrderColumn {
            column: 2,
            descending: true,
            nulls_first: true,
        },
        OrderColumn {
            column: 0,
            descending: false,
            nulls_first: true,
        },
    ];
    assert_eq!(plain.order_by, order);
    assert_eq!(plain.function, RankFunction::RowNumber);
    assert_eq!((plain.from, plain.to), (2, 4));
    assert_eq!(plain.ttl_ms, 5000);
    assert!(!plain.number && !plain.updating && plain.update_before);
    let numbered = spec(&top(
        "id, rn",
        "DENSE_RANK() OVER (ORDER BY price)",
        "rn <= 3",
    ));
    assert_eq!(numbered.function, RankFunction::DenseRank);
    assert!(numbered.number && numbered.update_before);
    assert_eq!(numbered.partition_by, Vec::<usize>::new());
    let places = top("auction, rn, id", BY_PRICE, "rn <= 3");
    let into = spec(&format!("INSERT INTO places {places}"));
    assert!(into.number && !into.update_before);
    let limit = spec("SELECT id FROM bids LIMIT 7 OFFSET 2");
    assert_eq!((limit.from, limit.to), (3, 9));
    assert!(limit.order_by.is_empty() && limit.partition_by.is_empty() && !limit.number);
    let counts = "SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction ORDER BY n DESC LIMIT 3";
    assert!(spec(counts).updating);
}

#[test]
fn ids_follow_what_a_rank_does() {
    let session = session("");
    let ids = |sql: &str| {
        let (operator, _) = rank(&graph(&session, sql));
        (operator.uid, operator.coarse)
    };
    let plain = ids(&top("id", BY_PRICE, "rn <= 3"));
    let same = [
        // Names, the way of asking, and conditions behind the rank do not count.
        top("id + 1 AS x", BY_PRICE, "rn < 4 AND price > 3"),
        "SELECT b.id FROM bids AS b QUALIFY ROW_NUMBER() OVER (PARTITION BY b.auction ORDER BY b.price DESC, b.id NULLS FIRST) <= 3".to_string(),
    ];
    for sql in &same {
        assert_eq!(ids(sql), plain, "{sql}");
    }
    let others = [
        top("id", BY_PRICE, "rn <= 4"),
        top("id", BY_PRICE, "rn BETWEEN 2 AND 3"),
        top("id, rn", BY_PRICE, "rn <= 3"),
        top("id, note", BY_PRICE, "rn <= 3"),
        top("id", &BY_PRICE.replace("DESC", "ASC"), "rn <= 3"),
        top("id", &BY_PRICE.replace("NULLS FIRST", ""), "rn <= 3"),
        top("id", &BY_PRICE.replace("ROW_NUMBER", "RANK"), "rn <= 3"),
        top("id", &BY_PRICE.replace("auction", "note"), "rn <= 3"),
    ];
    for sql in &others {
        let other = ids(sql);
        assert_ne!(other.0, plain.0, "{sql}");
        assert_ne!(other.1, plain.1, "{sql}");
    }
}

#[test]
fn ids_do_not_depend_on_parallelism() {
    let wide = rank(&graph(&session(""), &top("id", BY_PRICE, "rn <= 3"))).0;
    let narrow = session("SET 'parallelism.default' = '1';");
    let narrow = graph(&narrow, &top("id", BY_PRICE, "rn <= 3"));
    assert_eq!(
        chains(&narrow),
        ["Source(bids) -> Rank -> Calc -> Collect x1"]
    );
    let narrow = rank(&narrow).0;
    assert_eq!((wide.uid, wide.coarse), (narrow.uid, narrow.coarse));
}
