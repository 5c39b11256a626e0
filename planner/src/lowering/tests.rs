#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::graph::{
    BackendKind, ChainedOperator, JobGraph, JoinKind, JoinSpec, OperatorInput, OperatorSpec,
    OutputPort, Partitioning, RestartStrategy, SourceSpec,
};

use super::settings::{self, parse_bytes, parse_millis};
use crate::fixture::Session;
use crate::lowering::Configuration;

const TABLES: &str = "
SET 'parallelism.default' = '3';
CREATE TABLE bids (
  auction BIGINT,
  bidder BIGINT,
  price INT,
  detail ROW<note STRING, place ROW<city STRING, street STRING>>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE offers (a BIGINT, n BIGINT) WITH ('connector' = 'stream');
CREATE TABLE one (a BIGINT, n BIGINT) WITH ('connector' = 'any');
CREATE TABLE two (a BIGINT, n BIGINT) WITH ('connector' = 'any', 'sink.parallelism' = '2');
";

fn job(session: &Session, sql: &str) -> JobGraph {
    session
        .job(sql)
        .map_err(|error| error.render(sql))
        .unwrap()
        .graph
}

fn operators(graph: &JobGraph) -> impl Iterator<Item = &ChainedOperator> {
    graph.vertices.iter().flat_map(|vertex| &vertex.operators)
}

fn named<'a>(graph: &'a JobGraph, name: &str) -> &'a ChainedOperator {
    operators(graph)
        .find(|o| o.name == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

fn chains(graph: &JobGraph) -> Vec<String> {
    let chain = |v: &levada_engine::graph::Vertex| format!("{} x{}", v.name, v.parallelism);
    graph.vertices.iter().map(chain).collect()
}

fn sources(graph: &JobGraph) -> Vec<&SourceSpec> {
    operators(graph)
        .filter_map(|o| match &o.spec {
            OperatorSpec::Source(source) => Some(source.as_ref()),
            _ => None,
        })
        .collect()
}

#[test]
fn aggregations_run_in_two_phases_where_rows_travel() {
    let session = Session::with(TABLES);
    let sql = "INSERT INTO one SELECT auction, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY auction, window_start, window_end";
    let wide = job(&session, sql);
    assert_eq!(
        chains(&wide),
        [
            "Source(bids) -> LocalWindowAggregate x3",
            "WindowAggregate -> Calc -> Sink(one) x3"
        ]
    );
    assert_eq!(wide.edges[0].partitioning, Partitioning::Hash(vec![0]));
    wide.validate().unwrap();
    let mut narrow = Session::with(TABLES);
    narrow
        .configuration
        .insert("parallelism.default".into(), "1".into());
    let narrow = job(&narrow, sql);
    assert_eq!(
        chains(&narrow),
        ["Source(bids) -> WindowAggregate -> Calc -> Sink(one) x1"]
    );
    // State moves between the two shapes, so ids must agree.
    for name in ["Source(bids)", "WindowAggregate", "Sink(one)"] {
        assert_eq!(named(&wide, name).uid, named(&narrow, name).uid, "{name}");
    }
}

#[test]
fn one_group_of_everything_has_one_subtask() {
    let session = Session::with(TABLES);
    let graph = job(&session, "SELECT SUM(price) FROM bids");
    assert_eq!(
        chains(&graph),
        [
            "Source(bids) -> LocalGroupAggregate x3",
            "GroupAggregate -> Collect x1"
        ]
    );
}

#[test]
fn a_statement_set_reads_a_table_once_and_only_what_it_needs() {
    let session = Session::with(TABLES);
    let graph = job(
        &session,
        "EXECUTE STATEMENT SET BEGIN
           INSERT INTO one SELECT auction, price FROM bids WHERE price > 1;
           INSERT INTO two SELECT bidder, price FROM bids WHERE detail.place.city = 'Porto';
         END",
    );
    let sources = sources(&graph);
    assert_eq!(sources.len(), 1);
    let read = &sources[0].read_schema;
    let names: Vec<&str> = read.fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, ["auction", "bidder", "price", "detail"]);
    let detail = read
        .field_with_name("detail")
        .unwrap()
        .data_type()
        .to_string();
    assert!(
        detail.contains("city") && !detail.contains("street") && !detail.contains("note"),
        "{detail}"
    );
    // Nobody waits for the watermark, and its column is not read.
    assert!(sources[0].watermark.is_none());
    assert_eq!(
        chains(&graph),
        [
            "Source(bids) -> Calc -> Sink(one) -> Calc x3",
            "Sink(two) x2"
        ]
    );
    graph.validate().unwrap();
}

#[test]
fn shared_queries_are_computed_once() {
    let session = Session::with(TABLES);
    let graph = job(
        &session,
        "EXECUTE STATEMENT SET BEGIN
           INSERT INTO one SELECT auction, COUNT(*) FROM bids GROUP BY auction;
           INSERT INTO two SELECT auction, COUNT(*) FROM bids GROUP BY auction;
         END",
    );
    let aggregates =
        operators(&graph).filter(|o| matches!(o.spec, OperatorSpec::GroupAggregate(_)));
    assert_eq!(aggregates.count(), 1);
    // Updates of a key keep their order on the way to a sink of another width.
    let to_two = graph
        .edges
        .iter()
        .find(|e| graph.vertex(e.to).unwrap().name == "Sink(two)");
    assert_eq!(to_two.unwrap().partitioning, Partitioning::Hash(vec![0]));
}

#[test]
fn ids_are_unique_and_survive_edits_elsewhere() {
    let session = Session::with(TABLES);
    let count = "INSERT INTO one SELECT auction, COUNT(*) FROM bids GROUP BY auction";
    let alone = job(&session, count);
    let aliased = job(
        &session,
        "INSERT INTO one SELECT b.auction, COUNT(*) FROM bids AS b GROUP BY b.auction",
    );
    let together = job(
        &session,
        &format!(
            "EXECUTE STATEMENT SET BEGIN {count}; INSERT INTO two SELECT bidder, price FROM bids WHERE detail.note = 'x'; END"
        ),
    );
    for (how, graph) in [("aliased", &aliased), ("together", &together)] {
        for name in ["Source(bids)", "GroupAggregate", "Sink(one)"] {
            let (left, right) = (&named(&alone, name).uid, &named(graph, name).uid);
            assert_eq!(left, right, "{name} {how}");
        }
    }
    let other = job(
        &session,
        "INSERT INTO one SELECT auction, SUM(price) FROM bids GROUP BY auction",
    );
    assert_ne!(
        named(&alone, "GroupAggregate").uid,
        named(&other, "GroupAggregate").uid
    );
    let twice = job(
        &session,
        &format!(
            "EXECUTE STATEMENT SET BEGIN {count}; INSERT INTO one SELECT bidder, price FROM bids; END"
        ),
    );
    let mut uids: Vec<&str> = operators(&twice).map(|o| o.uid.as_str()).collect();
    let all = uids.len();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), all);
}

#[test]
fn late_and_bad_rows_go_to_their_tables() {
    let mut session = Session::with(TABLES);
    session
        .run(
            "CREATE TABLE late (a BIGINT, t TIMESTAMP(3), n INT) WITH ('connector' = 'append');
             CREATE TABLE bad (payload STRING, `position` STRING, error STRING) WITH ('connector' = 'append');
             CREATE TABLE events (a BIGINT, t TIMESTAMP(3), n INT, WATERMARK FOR t AS t) WITH (
               'connector' = 'stream', 'late-rows.table' = 'late', 'bad-rows.table' = 'bad',
               'scan.watermark.idle-timeout' = '5 s');",
        )
        .unwrap();
    let graph = job(&session, "INSERT INTO one SELECT a, n FROM events");
    let source = sources(&graph)[0];
    assert!(source.divert_late && source.divert_bad);
    assert_eq!(source.read_schema.fields().len(), 3);
    assert_eq!(source.watermark.as_ref().unwrap().idle_timeout_ms, 5_000);
    for (name, port) in [
        ("Calc(late rows)", OutputPort::Late),
        ("Calc(bad rows)", OutputPort::Bad),
    ] {
        let calc = named(&graph, name);
        assert_eq!(calc.inputs, [OperatorInput::Chained { operator: 0, port }]);
    }
    assert_eq!(
        named(&graph, "Sink(bad)")
            .schema
            .field(0)
            .data_type()
            .to_string(),
        "Utf8"
    );
    let wrong = "CREATE TABLE w (a STRING, t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'stream', 'late-rows.table' = 'late')";
    session.run(wrong).unwrap();
    let error = session.job("SELECT a FROM w").unwrap_err();
    assert!(error.message().contains("late rows of w"), "{error}");
}

#[test]
fn a_source_of_its_own_width_spreads_its_rows() {
    let mut session = Session::with(TABLES);
    session
        .run("CREATE TABLE narrow (a BIGINT, n BIGINT) WITH ('connector' = 'stream', 'scan.parallelism' = '1')")
        .unwrap();
    let graph = job(&session, "INSERT INTO one SELECT a + 1, n FROM narrow");
    assert_eq!(
        chains(&graph),
        ["Source(narrow) x1", "Calc -> Sink(one) x3"]
    );
    assert_eq!(graph.edges[0].partitioning, Partitioning::Rebalance);
}

#[test]
fn settings_are_read_with_their_units() {
    assert_eq!(parse_millis("10 s"), Some(10_000));
    assert_eq!(parse_millis("500ms"), Some(500));
    assert_eq!(parse_millis("1 min"), Some(60_000));
    assert_eq!(parse_millis("7"), Some(7));
    assert_eq!(parse_millis("1 fortnight"), None);
    assert_eq!(parse_bytes("64 mb"), Some(64 << 20));
    assert_eq!(parse_bytes("1x"), None);
    let pairs = [
        ("execution.checkpointing.interval", "10 s"),
        ("execution.checkpointing.dir", "/tmp/c"),
        ("state.backend.type", "rocksdb"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "4"),
        ("pipeline.max-parallelism", "64"),
        ("table.local-time-zone", "Europe/Lisbon"),
    ];
    let configuration: Configuration = pairs
        .iter()
        .map(|(k, v)| ((*k).to_string(), (*v).to_string()))
        .collect();
    let settings = settings::job_settings(&configuration).unwrap();
    assert_eq!(settings.checkpoints.interval_ms, Some(10_000));
    assert_eq!(settings.checkpoints.dir.as_deref(), Some("/tmp/c"));
    assert_eq!(settings.state_backend, BackendKind::RocksDb);
    assert_eq!(
        settings.restart,
        RestartStrategy::FixedDelay {
            attempts: 4,
            delay_ms: 1_000
        }
    );
    assert_eq!(settings.max_parallelism, 64);
    assert_eq!(settings.time_zone.as_deref(), Some("Europe/Lisbon"));
    for (key, _) in settings::KEYS {
        assert!(
            settings::check(key, "£").is_err() || !key.contains("interval"),
            "{key}"
        );
    }
    assert!(settings::check("table.local-time-zone", "Mars/Base").is_err());
}

/// The coarse id of the one operator that aggregates by `name`.
fn coarse(sql: &str, name: &str) -> String {
    let graph = job(&Session::with(TABLES), sql);
    named(&graph, name).coarse.clone()
}

#[test]
fn coarse_ids_survive_what_is_edited_in_front_and_what_is_aggregated() {
    let group = |sql: &str| coarse(sql, "GroupAggregate");
    let by_auction = group("SELECT auction, COUNT(*) FROM bids GROUP BY auction");
    for edited in [
        "SELECT auction, COUNT(*), SUM(price) FROM bids GROUP BY auction",
        "SELECT SUM(price), auction FROM bids WHERE price > 7 GROUP BY auction",
        "SELECT DISTINCT auction FROM bids",
        "SELECT a, MAX(d) FROM (SELECT auction AS a, price * 2 AS d FROM bids WHERE bidder = 1) GROUP BY a",
        "SELECT auction, COUNT(*) FROM bids GROUP BY auction HAVING COUNT(*) > 3",
    ] {
        assert_eq!(group(edited), by_auction, "{edited}");
    }
    for other in [
        "SELECT bidder, COUNT(*) FROM bids GROUP BY bidder",
        "SELECT auction, bidder, COUNT(*) FROM bids GROUP BY auction, bidder",
        "SELECT auction + 1, COUNT(*) FROM bids GROUP BY auction + 1",
        // Another column of the same name.
        "SELECT auction, COUNT(*) FROM (SELECT bidder AS auction FROM bids) GROUP BY auction",
        "SELECT a, COUNT(*) FROM offers GROUP BY a",
        "SELECT auction, COUNT(*) FROM (SELECT auction FROM bids UNION ALL SELECT a FROM offers) GROUP BY auction",
        "SELECT COUNT(*) FROM bids",
    ] {
        assert_ne!(group(other), by_auction, "{other}");
    }
}

#[test]
fn coarse_ids_of_windows_say_their_shape_and_time() {
    let over = |calls: &str, window: &str, filter: &str| {
        let sql = format!(
            "SELECT auction, {calls} FROM TABLE({window}) {filter} GROUP BY auction, window_start, window_end"
        );
        coarse(&sql, "WindowAggregate")
    };
    let second = "TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' SECOND)";
    let minute = "TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE)";
    let count = over("COUNT(*)", second, "");
    assert_eq!(
        over("MAX(price), COUNT(*)", second, "WHERE price > 1"),
        count
    );
    assert_ne!(over("COUNT(*)", minute, ""), count);
    // An aggregation of an aggregation: the first is seen as what it groups by, the second reads its
    // calls by what they compute.
    let cascade = |inner: &str| {
        let sql = format!(
            "SELECT n, COUNT(*) FROM (SELECT auction, {inner} AS n FROM bids GROUP BY auction) GROUP BY n"
        );
        let graph = job(&Session::with(TABLES), &sql);
        let all: Vec<String> = operators(&graph)
            .filter(|o| o.name == "GroupAggregate")
            .map(|o| o.coarse.clone())
            .collect();
        (all[0].clone(), all[1].clone())
    };
    let (first, second) = cascade("COUNT(*)");
    assert_eq!(cascade("SUM(price)").0, first);
    assert_ne!(cascade("SUM(price)").1, second);
    // What was let through must be let through when it is taken back.
    let having = |condition: &str| {
        let sql = format!(
            "SELECT n, COUNT(*) FROM (SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction HAVING {condition}) GROUP BY n"
        );
        let graph = job(&Session::with(TABLES), &sql);
        let second = operators(&graph)
            .filter(|o| o.name == "GroupAggregate")
            .nth(1);
        second.unwrap().coarse.clone()
    };
    assert_ne!(having("COUNT(*) > 1"), having("COUNT(*) > 2"));
    assert_ne!(having("COUNT(*) > 1"), second);
}

#[test]
fn coarse_ids_of_sources_and_sinks_are_their_tables() {
    let graph = |sql: &str| job(&Session::with(TABLES), sql);
    let plain = graph("INSERT INTO one SELECT auction, price FROM bids");
    let edited =
        graph("INSERT INTO one SELECT bidder, COUNT(*) FROM bids WHERE price > 1 GROUP BY bidder");
    for name in ["Source(bids)", "Sink(one)"] {
        assert_eq!(named(&plain, name).uid, named(&edited, name).uid, "{name}");
        assert_eq!(named(&plain, name).coarse, named(&edited, name).coarse);
    }
    assert_ne!(
        named(&plain, "Source(bids)").coarse,
        named(&plain, "Sink(one)").coarse
    );
}

#[test]
fn aggregates_are_known_by_what_they_compute() {
    let identities = |sql: &str| -> Vec<String> {
        let graph = job(&Session::with(TABLES), sql);
        let specs = operators(&graph).filter_map(|o| match &o.spec {
            OperatorSpec::GroupAggregate(spec) => Some(spec.aggregates.clone()),
            _ => None,
        });
        specs.flatten().map(|call| call.identity).collect()
    };
    let named = identities(
        "SELECT auction, SUM(d), COUNT(DISTINCT c) FILTER (WHERE d > 4) FROM (SELECT auction, price * 2 AS d, detail.place.city AS c FROM bids) GROUP BY auction",
    );
    assert_eq!(
        named,
        identities(
            "SELECT auction, SUM(price * 2), COUNT(DISTINCT detail.place.city) FILTER (WHERE price * 2 > 4) FROM bids GROUP BY auction"
        )
    );
    assert_eq!(named[0], "SUM(CAST(price AS Int64) * 2)");
    assert_eq!(
        named[1],
        "COUNT(DISTINCT detail.place.city) FILTER (WHERE CAST(price AS Int64) * 2 > 4)"
    );
    assert_ne!(
        named[0],
        identities(
            "SELECT auction, SUM(d) FROM (SELECT auction, price * 3 AS d FROM bids) GROUP BY auction"
        )[0]
    );
}

fn partitionings(graph: &JobGraph, to: &str) -> Vec<Partitioning> {
    let edges = graph.edges.iter();
    let edges = edges.filter(|e| graph.vertex(e.to).unwrap().name.starts_with(to));
    edges.map(|e| e.partitioning.clone()).collect()
}

fn join_spec(graph: &JobGraph) -> &JoinSpec {
    let mut specs = operators(graph).filter_map(|o| match &o.spec {
        OperatorSpec::Join(spec) => Some(spec),
        _ => None,
    });
    specs.next().unwrap()
}

#[test]
fn both_sides_of_a_join_travel_to_their_key() {
    let mut session = Session::with(TABLES);
    session.run("SET 'table.exec.state.ttl' = '1 h'").unwrap();
    let sql = "SELECT b.price, o.n FROM bids b JOIN offers o ON b.auction = o.a AND b.price < o.n";
    let wide = job(&session, sql);
    assert_eq!(
        chains(&wide),
        [
            "Source(bids) -> Calc x3",
            "Source(offers) -> Calc x3",
            "Join(inner) -> Calc x3",
            "Collect x1"
        ]
    );
    let by_first = Partitioning::Hash(vec![0]);
    assert_eq!(partitionings(&wide, "Join"), [by_first.clone(), by_first]);
    wide.validate().unwrap();
    let spec = join_spec(&wide);
    assert_eq!(spec.kind, JoinKind::Inner);
    assert_eq!((&spec.left.keys, &spec.right.keys), (&vec![0], &vec![0]));
    assert_eq!(spec.left.rows.fields().len(), 2);
    assert!(!spec.left.updating && !spec.right.updating && !spec.null_equals_null);
    assert_eq!((spec.ttl_ms, spec.time), (3_600_000, None));
    assert_eq!(spec.input_ttl_ms, [None, None]);
    let hinted = sql.replace("SELECT", "SELECT /*+ STATE_TTL('o' = '0 s') */");
    assert_eq!(
        join_spec(&job(&session, &hinted)).input_ttl_ms,
        [None, Some(0)]
    );
    assert_eq!(
        spec.condition.as_ref().unwrap().text,
        "CAST(left.price AS BIGINT) < right.n"
    );
    session
        .configuration
        .insert("parallelism.default".into(), "1".into());
    let narrow = job(&session, sql);
    let forward = vec![Partitioning::Forward; 2];
    assert_eq!(partitionings(&narrow, "Join"), forward);
    assert_eq!(
        named(&wide, "Join(inner)").uid,
        named(&narrow, "Join(inner)").uid
    );
}

#[test]
fn a_join_without_a_key_has_one_subtask() {
    let session = Session::with(TABLES);
    let graph = job(
        &session,
        "SELECT b.price, o.n FROM bids b CROSS JOIN offers o",
    );
    assert_eq!(
        chains(&graph),
        [
            "Source(bids) x3",
            "Source(offers) x3",
            "Join(inner) -> Collect x1"
        ]
    );
    let all = vec![Partitioning::Hash(vec![]); 2];
    assert_eq!(partitionings(&graph, "Join"), all);
}

#[test]
fn a_join_of_updates_gets_the_rows_before() {
    let session = Session::with(TABLES);
    let sql = "SELECT g.c, o.n FROM (SELECT auction, COUNT(*) AS c FROM bids GROUP BY auction) g LEFT JOIN offers o ON g.auction = o.a";
    let graph = job(&session, sql);
    let spec = join_spec(&graph);
    assert!(spec.left.updating && !spec.right.updating);
    let before = operators(&graph)
        .any(|o| matches!(&o.spec, OperatorSpec::GroupAggregate(spec) if spec.emit_update_before));
    assert!(before);
}

#[test]
fn ids_of_joins_say_all_that_is_kept() {
    let session = Session::with(TABLES);
    let ids = |sql: &str| {
        let graph = job(&session, sql);
        let join = named(&graph, "Join(inner)");
        (join.uid.clone(), join.coarse.clone())
    };
    let of = |columns: &str, condition: &str| {
        ids(&format!(
            "SELECT {columns} FROM bids b JOIN offers o ON {condition}"
        ))
    };
    let plain = of("b.price, o.n", "b.auction = o.a");
    assert_eq!(of("o.n AS m, b.price AS p", "b.auction = o.a"), plain);
    let renamed = "SELECT x.price, y.n FROM bids x JOIN offers y ON x.auction = y.a";
    assert_eq!(ids(renamed), plain);
    for (columns, condition) in [
        ("b.price, b.bidder, o.n", "b.auction = o.a"),
        ("b.bidder, o.n", "b.auction = o.a"),
        ("b.price, o.n", "b.price = o.n"),
        ("b.price, o.n", "b.auction = o.a AND b.price < o.n"),
    ] {
        let (uid, coarse) = of(columns, condition);
        assert_ne!(uid, plain.0, "{columns} {condition}");
        assert_ne!(coarse, plain.1, "{columns} {condition}");
    }
    let less = of("b.price, o.n", "b.auction = o.a AND b.price < o.n");
    let more = of("b.price, o.n", "b.auction = o.a AND b.price > o.n");
    assert_ne!(less.1, more.1);
    // A table joined with itself: who is compared with whom.
    let itself = |condition: &str| {
        ids(&format!(
            "SELECT x.n, y.n AS m FROM offers x JOIN offers y ON x.a = y.a AND {condition}"
        ))
    };
    assert_ne!(itself("x.n < y.n").0, itself("y.n < x.n").0);
    // What only comes through another filter is the same; what does not change is found again.
    let filtered = of("b.price, o.n", "b.auction = o.a AND b.price > 7");
    assert_eq!(filtered.1, plain.1);
    assert_ne!(filtered.0, plain.0);
}

#[test]
fn aggregates_behind_a_join_know_the_sides_apart() {
    let identity = |sql: &str| {
        let graph = job(&Session::with(TABLES), sql);
        let mut identities = operators(&graph).filter_map(|o| match &o.spec {
            OperatorSpec::GroupAggregate(spec) => Some(spec.aggregates[0].identity.clone()),
            _ => None,
        });
        identities.next().unwrap()
    };
    let sum = |side: &str| {
        identity(&format!(
            "SELECT SUM({side}.n) FROM offers x JOIN offers y ON x.a = y.a"
        ))
    };
    assert_eq!(sum("x"), "SUM(left.n)");
    assert_eq!(sum("y"), "SUM(right.n)");
}

#[test]
fn rows_of_a_key_meet_in_one_subtask_of_a_sink() {
    let mut session = Session::with(TABLES);
    session
        .run(
            "CREATE TABLE kept (a BIGINT, n BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'upsert', 'sink.parallelism' = '2');
             CREATE TABLE here (id BIGINT NOT NULL, x BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
             CREATE TABLE there (id BIGINT NOT NULL, x BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');",
        )
        .unwrap();
    let sql = "INSERT INTO kept SELECT x.id, y.id FROM here x JOIN there y ON x.id = y.id";
    let graph = job(&session, sql);
    assert_eq!(partitionings(&graph, "Sink"), [Partitioning::Hash(vec![1])]);
    // Without a key, equal rows meet.
    let sql =
        "INSERT INTO two SELECT b.price, o.n FROM bids b LEFT JOIN offers o ON b.auction = o.a";
    let graph = job(&session, sql);
    assert_eq!(
        partitionings(&graph, "Sink"),
        [Partitioning::Hash(vec![0, 1])]
    );
}
