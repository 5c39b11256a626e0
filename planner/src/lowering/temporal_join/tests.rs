//! How joins with versions run: what the operator is told, what its sources read, and its ids.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::element::ChangelogMode;
use levada_engine::graph::{
    AsOf, ChainedOperator, JobGraph, OperatorSpec, Partitioning, SourceSpec, TemporalJoinSpec,
};

use crate::fixture::{Session, says};

const TABLES: &str = "
SET 'parallelism.default' = '3';
SET 'table.exec.state.ttl' = '1 h';
CREATE TABLE trades (id BIGINT, currency STRING, amount INT, other TIMESTAMP(3), ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector' = 'stream');
CREATE TABLE zoned (id INT, currency STRING, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream');
CREATE TABLE upserted (currency STRING, rate INT NOT NULL, since TIMESTAMP(6), code BIGINT, WATERMARK FOR since AS since, PRIMARY KEY (currency) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE appended (code INT, rate INT, since TIMESTAMP(3), WATERMARK FOR since AS since, PRIMARY KEY (code) NOT ENFORCED) WITH ('connector' = 'stream');
CREATE TABLE timeless (code INT, rate INT, since TIMESTAMP(3), PRIMARY KEY (code) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE quotes (currency STRING, price INT, at TIMESTAMP(3), WATERMARK FOR at AS at) WITH ('connector' = 'stream');
CREATE TABLE changed (currency STRING, price INT, at TIMESTAMP(3), WATERMARK FOR at AS at) WITH ('connector' = 'changes');
";

fn graph(sql: &str) -> JobGraph {
    let job = Session::with(TABLES).job(sql);
    let graph = job.map_err(|error| error.render(sql)).unwrap().graph;
    graph.validate().unwrap();
    graph
}

fn join(graph: &JobGraph) -> (ChainedOperator, TemporalJoinSpec) {
    let mut operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let found = operators.find_map(|operator| match &operator.spec {
        OperatorSpec::TemporalJoin(spec) => Some((operator.clone(), spec.clone())),
        _ => None,
    });
    found.unwrap()
}

fn sources<'a>(graph: &'a JobGraph, table: &str) -> Vec<&'a SourceSpec> {
    let operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let sources = operators.filter_map(|operator| match &operator.spec {
        OperatorSpec::Source(source) if source.table.name == table => Some(source.as_ref()),
        _ => None,
    });
    sources.collect()
}

fn joined(table: &str, time: &str, condition: &str) -> String {
    format!(
        "SELECT t.id, r.rate FROM trades AS t JOIN {table} FOR SYSTEM_TIME AS OF t.{time} AS r ON {condition}"
    )
}

const UPSERTED: &str = "t.currency = r.currency";

#[test]
fn an_event_time_join_is_told_keys_and_times() {
    let graph = graph(&joined(
        "upserted",
        "ts",
        "t.currency = r.currency AND t.amount < r.rate",
    ));
    let (operator, spec) = join(&graph);
    assert_eq!(operator.name, "TemporalJoin(inner)");
    let AsOf {
        left,
        right,
        earlier,
    } = spec.as_of.unwrap();
    assert_eq!(spec.left.rows.field(left).name(), "ts");
    assert!(spec.right.rows.field(right).name().contains("time"));
    assert!(!earlier && !spec.outer && spec.condition.is_some());
    assert_eq!(spec.left.rows.field(spec.left.keys[0]).name(), "currency");
    assert_eq!(spec.right.rows.field(spec.right.keys[0]).name(), "currency");
    // Event time says how long versions are wanted.
    assert_eq!(spec.ttl_ms, 0);
    let hashed = graph
        .edges
        .iter()
        .filter(|edge| matches!(edge.partitioning, Partitioning::Hash(_)));
    assert_eq!(hashed.count(), 2);
}

#[test]
fn versions_of_a_table_of_upserts_are_read_as_they_come() {
    let graph = graph(&joined("upserted", "ts", UPSERTED));
    let operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let normalizes = |o: &ChainedOperator| matches!(o.spec, OperatorSpec::ChangelogNormalize(_));
    assert!(!operators.clone().any(normalizes));
    let [source] = sources(&graph, "upserted")[..] else {
        panic!("the table is read once");
    };
    assert_eq!(source.mode, ChangelogMode::Upsert);
    // A delete has the key alone.
    let rate = source.read_schema.0.field_with_name("rate").unwrap();
    assert!(rate.is_nullable());
    let (_, spec) = join(&graph);
    assert!(spec.right.updating);
    assert!(
        spec.right
            .rows
            .0
            .field_with_name("rate")
            .unwrap()
            .is_nullable()
    );
}

#[test]
fn a_table_can_be_read_for_its_versions_and_for_its_rows() {
    let sql = "SELECT t.id, r.rate, u.rate FROM trades AS t JOIN upserted FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency JOIN upserted AS u ON u.code = t.amount";
    let graph = graph(sql);
    assert_eq!(sources(&graph, "upserted").len(), 2);
    let sql = "SELECT t.id, r.rate, u.rate FROM trades AS t JOIN appended FOR SYSTEM_TIME AS OF t.ts AS r ON t.amount = r.code JOIN appended AS u ON u.code = t.amount";
    let graph = self::graph(sql);
    assert_eq!(sources(&graph, "appended").len(), 1);
}

#[test]
fn processing_time_needs_no_event_time_and_has_a_time_to_live() {
    for table in ["timeless", "appended"] {
        let (_, spec) = join(&graph(&joined(table, "pt", "t.amount = r.code")));
        assert_eq!(spec.as_of, None);
        assert_eq!(spec.ttl_ms, 3_600_000);
        assert_eq!(spec.right.updating, table == "timeless");
    }
}

#[test]
fn rows_travel_by_the_key_of_the_versions_alone() {
    let sql = joined(
        "upserted",
        "ts",
        "t.amount = r.rate AND t.currency = r.currency",
    );
    let (_, spec) = join(&graph(&sql));
    assert_eq!(spec.right.keys.len(), 1);
    assert!(spec.condition.unwrap().text.contains("right.rate"));
    // A wider number tells keys apart as well.
    let (_, spec) = join(&graph(&joined("appended", "ts", "t.id = r.code")));
    assert_eq!(spec.left.rows.field(spec.left.keys[0]).name(), "id");
}

#[test]
fn ids_say_which_version_is_meant() {
    let ids = |sql: &str| {
        let (operator, _) = join(&graph(sql));
        (operator.uid, operator.coarse)
    };
    let first = ids(&joined("upserted", "ts", UPSERTED));
    assert_eq!(ids(&joined("upserted", "ts", UPSERTED)), first);
    let renamed = "SELECT x.id AS i, y.rate AS v FROM trades x JOIN upserted FOR SYSTEM_TIME AS OF x.ts AS y ON x.currency = y.currency";
    assert_eq!(ids(renamed), first);
    let asof = "SELECT t.id, r.rate FROM trades AS t ASOF JOIN (SELECT * FROM appended) AS r MATCH_CONDITION (t.ts > r.since) ON t.amount = r.code";
    let later = asof.replace('>', ">=");
    for other in [
        joined("upserted", "pt", UPSERTED),
        joined(
            "upserted",
            "ts",
            "t.currency = r.currency AND t.amount < r.rate",
        ),
        joined("upserted", "ts", UPSERTED).replace("JOIN", "LEFT JOIN"),
        joined("appended", "ts", "t.amount = r.code"),
        asof.to_string(),
        later,
    ] {
        let (uid, coarse) = ids(&other);
        assert_ne!(uid, first.0, "{other}");
        assert_ne!(coarse, first.1, "{other}");
    }
    assert_ne!(ids(asof), ids(&asof.replace('>', ">=")));
}

#[track_caller]
fn refused(sql: &str, expect: &[&str]) {
    let error = Session::with(TABLES).job(sql).err();
    says(
        error.unwrap_or_else(|| panic!("{sql} is planned")),
        sql,
        expect,
    );
}

#[test]
fn what_has_no_versions_is_refused_with_a_way_out() {
    let of = |table: &str, time: &str| joined(table, time, "t.amount = r.code");
    refused(
        &of("timeless", "ts"),
        &["has no event time", "WATERMARK FOR"],
    );
    refused(
        &joined("quotes", "ts", UPSERTED).replace("r.rate", "r.price"),
        &["table quotes has no PRIMARY KEY", "line 1"],
    );
    refused(
        &joined("upserted", "ts", "t.amount = r.rate"),
        &["the condition does not say what currency equals"],
    );
    refused(
        &joined("upserted", "ts", "r.currency = 'EUR'"),
        &["the condition does not say what currency equals"],
    );
    refused(
        &joined(
            "upserted",
            "ts",
            "CAST(t.currency AS STRING) = UPPER(r.currency)",
        ),
        &["the condition does not say what currency equals"],
    );
    refused(
        &joined("appended", "ts", "CAST(t.amount AS DOUBLE) = r.code"),
        &["the key of appended is compared with another type", "CAST"],
    );
}

#[test]
fn times_that_are_no_times_are_refused() {
    let of = |time: &str| joined("upserted", "ts", UPSERTED).replace("t.ts", time);
    refused(
        &of("t.other"),
        &["needs a time attribute of the left table, and other is none"],
    );
    refused(
        &of("t.ts + INTERVAL '1' SECOND"),
        &["needs a time attribute of the left table"],
    );
    refused(&of("t.amount"), &["LV-1008", "amount is INT"]);
    refused(&of("r.since"), &["has no r.since"]);
    refused(
        "SELECT z.id FROM zoned AS z JOIN upserted FOR SYSTEM_TIME AS OF z.ts AS r ON z.currency = r.currency",
        &["TIMESTAMP_LTZ(3)", "TIMESTAMP(6)", "declare both"],
    );
}

#[test]
fn views_whose_rows_have_no_versions_are_refused() {
    let of = |view: &str| {
        format!(
            "WITH v AS ({view}) SELECT t.id FROM trades AS t JOIN v FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency"
        )
    };
    let numbered = "SELECT currency, price, ROW_NUMBER() OVER (PARTITION BY currency ORDER BY at DESC) AS rn FROM quotes";
    refused(&of(numbered), &["v has no versions", "not limited to 1"]);
    let two = format!("SELECT * FROM ({numbered}) WHERE rn <= 2");
    refused(&of(&two), &["not limited to 1"]);
    let first = format!("SELECT * FROM ({numbered}) WHERE rn = 1").replace("DESC", "ASC");
    refused(&of(&first), &["does not find the last row"]);
    let by_price =
        format!("SELECT * FROM ({numbered}) WHERE rn = 1").replace("at DESC", "price DESC");
    refused(
        &of(&by_price),
        &["needs a time attribute of the right table"],
    );
    let changing = format!("SELECT * FROM ({numbered}) WHERE rn = 1").replace("quotes", "changed");
    refused(
        &of(&changing),
        &["FOR SYSTEM_TIME AS OF of v, whose rows change"],
    );
    refused(
        &of("SELECT rate AS currency FROM upserted"),
        &["leaves out currency"],
    );
    refused(
        &of("SELECT currency FROM upserted WHERE code IN (SELECT code FROM appended)"),
        &["condition with a subquery"],
    );
    refused(
        &of("SELECT currency FROM upserted UNION ALL SELECT currency FROM quotes"),
        &["a UNION"],
    );
    refused(
        &of("SELECT DISTINCT currency FROM upserted"),
        &["a DISTINCT"],
    );
}

#[test]
fn asof_joins_compare_times_and_what_is_equal() {
    let of = |condition: &str, on: &str| {
        format!(
            "SELECT t.id FROM trades AS t ASOF JOIN quotes AS q MATCH_CONDITION ({condition}) ON {on}"
        )
    };
    let equal = "t.currency = q.currency";
    let (_, spec) = join(&graph(&of("q.at < t.ts", equal)));
    assert!(spec.outer && spec.as_of.unwrap().earlier && !spec.right.updating);
    refused(&of("t.ts <= q.at", equal), &["a later row"]);
    refused(&of("t.ts = q.at", equal), &["which time is later"]);
    refused(&of("t.ts >= t.other", equal), &["a time of each table"]);
    refused(&of("t.ts", equal), &["compares no two times"]);
    refused(
        &of("t.ts >= q.at", "t.amount < q.price"),
        &["another condition"],
    );
    refused(&of("t.other >= q.at", equal), &["other is none"]);
    let changed = of("t.ts >= q.at", equal).replace("quotes", "changed");
    refused(&changed, &["ASOF JOIN of q, whose rows change"]);
}
