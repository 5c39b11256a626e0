//! What is refused, with its code and position; and what planning decides about updates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::element::ChangelogMode;
use levada_engine::graph::{ChangelogNormalizeSpec, OperatorSpec, SourceSpec};

use crate::fixture::{Session, says};
use crate::planner::PlannedJob;

const TABLES: &str = "
CREATE TABLE bids (
  auction BIGINT,
  bidder BIGINT,
  price INT,
  detail ROW<note STRING, tags ARRAY<STRING>>,
  ts TIMESTAMP(3),
  plain TIMESTAMP(3),
  pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE appends (a BIGINT, n BIGINT) WITH ('connector' = 'append');
CREATE TABLE upserts (a BIGINT, n BIGINT, PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE anything (a BIGINT, n BIGINT) WITH ('connector' = 'any');
CREATE TABLE moving (a BIGINT, n BIGINT, PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'changes');
CREATE VIEW grouped AS SELECT auction, COUNT(*) OVER (ORDER BY ts GROUPS 1 PRECEDING) AS near FROM bids;
";

/// Plans one statement; the error has to contain all of `expect`.
#[track_caller]
fn refused(sql: &str, expect: &[&str]) {
    says(Session::with(TABLES).run(sql).unwrap_err(), sql, expect);
}

#[test]
fn names_that_do_not_exist() {
    refused(
        "SELECT * FROM bid",
        &["LV-1002", "line 1, column 15", "did you mean bids?"],
    );
    refused(
        "SELECT auction,\n  prise FROM bids",
        &["LV-1003", "line 2, column 3", "did you mean price?"],
    );
    refused("SELECT detail.nose FROM bids", &["LV-1003", "nose"]);
    refused("SELECT uper('a')", &["LV-1004", "uper"]);
    refused(
        "INSERT INTO append SELECT 1, 2",
        &["LV-1002", "line 1, column 13", "did you mean appends?"],
    );
    refused(
        "INSERT INTO appends (a, m) SELECT 1, 2",
        &["LV-1003", "column m does not exist in table appends"],
    );
    refused(
        "CREATE TABLE t (a INT) WITH ('connector' = 'strem')",
        &[
            "LV-1015",
            "strem",
            "did you mean 'stream'?",
            "line 1, column 44",
        ],
    );
    refused(
        "CREATE TABLE t (a INT) WITH ('connector' = 'stream', 'pth' = 'x')",
        &["LV-1005", "'pth'", "line 1, column 54"],
    );
    refused(
        "CREATE TABLE t (a INT) WITH ('path' = 'x')",
        &["LV-1006", "connector"],
    );
    refused(
        "SET 'paralelism.default' = '2'",
        &["LV-1017", "parallelism.default"],
    );
    refused(
        "SET 'parallelism.default' = 'two'",
        &["LV-1007", "a whole number"],
    );
}

#[test]
fn constructs_that_streams_do_not_have() {
    let batch = "execution.runtime-mode";
    refused(
        "SELECT auction FROM bids\nORDER BY price",
        &["LV-1011", "ORDER BY", "line 2", batch],
    );
    refused(
        "SELECT auction FROM bids OFFSET 3",
        &["LV-1011", "OFFSET without LIMIT", batch],
    );
    refused(
        "SELECT a.auction FROM bids a\n CROSS APPLY (SELECT 1) b",
        &["LV-1011", "APPLY", "line 2", batch],
    );
    refused(
        "SELECT STDDEV(price) OVER (PARTITION BY auction ORDER BY ts) FROM bids",
        &[
            "LV-1011",
            "STDDEV with OVER",
            "ROW_NUMBER",
            "line 1, column 8",
            batch,
        ],
    );
    refused(
        "SELECT auction FROM bids INTERSECT BY NAME SELECT bidder FROM bids",
        &["LV-1011", "INTERSECT BY NAME", "line 1, column"],
    );
    refused(
        "SELECT auction, MEDIAN(price) FROM bids GROUP BY auction",
        &["LV-1011", "MEDIAN", "line 1, column 17"],
    );
    refused(
        "SELECT auction, COUNT(*) FROM TABLE(SESSION(TABLE bids PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '1' SECOND)) \
         GROUP BY window_start, window_end, ROLLUP (auction)",
        &[
            "LV-1011",
            "set without the keys of SESSION",
            "line 1, column",
        ],
    );
    refused(
        "SELECT * FROM grouped",
        &["LV-1011", "GROUPS", "in view grouped", "line"],
    );
    refused(
        "INSERT OVERWRITE appends SELECT 1, 2",
        &["LV-1011", "INSERT OVERWRITE"],
    );
}

#[test]
fn time_and_windows() {
    refused(
        "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(plain), INTERVAL '1' SECOND)) GROUP BY window_start, window_end",
        &["LV-1014", "plain", "WATERMARK FOR plain", "line 1"],
    );
    refused(
        "CREATE TABLE t (a STRING, WATERMARK FOR a AS a) WITH ('connector' = 'stream')",
        &["LV-1013", "a has the type STRING", "line 1"],
    );
    refused(
        "SELECT * FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '1' SECOND))",
        &["LV-1011", "SESSION without an aggregation", "line 1"],
    );
    refused(
        "SELECT auction, COUNT(*) FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY auction, window_start, window_end",
        &[
            "LV-1014",
            "the keys of SESSION (bidder)",
            "GROUP BY (auction)",
        ],
    );
    refused(
        "SELECT MAX(window_start) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end",
        &["LV-1011", "columns of the window"],
    );
}

#[test]
fn types_of_inserts() {
    refused(
        "INSERT INTO appends SELECT auction FROM bids",
        &[
            "LV-1018",
            "the query has 1 column, and table",
            "a BIGINT, n BIGINT",
        ],
    );
    refused(
        "INSERT INTO appends SELECT auction, 'x' FROM bids",
        &[
            "LV-1008",
            "column n of table appends has the type BIGINT",
            "CAST",
        ],
    );
    refused(
        "INSERT INTO bids SELECT 1, 2, 3, NULL, NULL, NULL",
        &["LV-1007", "cannot be written"],
    );
    refused("SELECT * FROM appends", &["LV-1007", "cannot be read"]);
}

#[test]
fn append_only_sinks_refuse_updates_and_others_get_what_they_need() {
    refused(
        "INSERT INTO appends SELECT auction, COUNT(*) FROM bids GROUP BY auction",
        &["LV-1018", "inserts only", "line 1, column 13", "windows"],
    );
    let session = Session::with(TABLES);
    let mode = |sql: &str| session.job(sql).map_err(|e| e.render(sql)).unwrap().mode;
    let counts = "SELECT auction, COUNT(*) FROM bids GROUP BY auction";
    assert_eq!(mode(counts), ChangelogMode::Retract);
    assert_eq!(
        mode(&format!("INSERT INTO upserts {counts}")),
        ChangelogMode::Upsert
    );
    assert_eq!(
        mode(&format!("INSERT INTO anything {counts}")),
        ChangelogMode::Retract
    );
    // The filter must take back what it let through.
    let having = "SELECT auction, COUNT(*) FROM bids GROUP BY auction HAVING COUNT(*) > 3";
    assert_eq!(
        mode(&format!("INSERT INTO upserts {having}")),
        ChangelogMode::Retract
    );
    // Of auctions with equal counts the table has one.
    let by_count = "INSERT INTO upserts SELECT COUNT(*), auction FROM bids GROUP BY auction";
    assert_eq!(mode(by_count), ChangelogMode::Upsert);
    let wider = "INSERT INTO upserts SELECT 7, COUNT(*) FROM bids";
    assert_eq!(mode(wider), ChangelogMode::Retract);
    assert_eq!(
        mode("INSERT INTO appends SELECT DISTINCT auction, bidder FROM bids"),
        ChangelogMode::Append
    );
    assert_eq!(mode("SELECT * FROM moving"), ChangelogMode::Retract);
}

const UPSERTS: &str = "
CREATE TABLE last (k BIGINT, v STRING NOT NULL, n INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE counted (v STRING, c BIGINT, PRIMARY KEY (v) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE keyless (k BIGINT, v STRING) WITH ('connector' = 'upserts');
CREATE TABLE late (k BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upserts', 'late-rows.table' = 'keyless');
";

/// What the normalization of a job's upserts does, and the rows that its source delivers.
fn normalization(job: &PlannedJob) -> (ChangelogNormalizeSpec, SourceSpec) {
    let operators = || job.graph.vertices.iter().flat_map(|v| &v.operators);
    let normalize = operators().find_map(|o| match &o.spec {
        OperatorSpec::ChangelogNormalize(spec) => Some(spec.clone()),
        _ => None,
    });
    let source = operators().find_map(|o| match &o.spec {
        OperatorSpec::Source(spec) => Some(spec.as_ref().clone()),
        _ => None,
    });
    (normalize.unwrap(), source.unwrap())
}

#[test]
fn upserts_are_normalized_by_key() {
    let session = Session::with(UPSERTS);
    let job = |sql: &str| session.job(sql).map_err(|e| e.render(sql)).unwrap();
    // The key is read whatever the query reads, and a delete has nothing else.
    let (normalize, source) = normalization(&job("SELECT v FROM last WHERE n > 1"));
    let names = |schema: &arrow::datatypes::Schema| {
        let field = |f: &std::sync::Arc<arrow::datatypes::Field>| {
            let null = if f.is_nullable() { "?" } else { "" };
            format!("{}{null}", f.name())
        };
        schema.fields().iter().map(field).collect::<Vec<_>>()
    };
    assert_eq!(normalize.keys, [0]);
    assert_eq!(names(&normalize.rows), ["k?", "v", "n?"]);
    assert_eq!(names(&source.read_schema), ["k?", "v?", "n?"]);
    assert_eq!(normalize.identities, ["k", "v", "n"]);
    assert_eq!(source.mode, ChangelogMode::Upsert);
    let (normalize, _) = normalization(&job("SELECT COUNT(*) FROM last"));
    assert_eq!(names(&normalize.rows), ["k?"]);
    // Update-before rows where somebody takes rows back.
    let before = |sql: &str| normalization(&job(sql)).0.emit_update_before;
    assert!(before("SELECT * FROM last"));
    assert!(!before("INSERT INTO last SELECT * FROM last"));
    assert!(before("INSERT INTO last SELECT * FROM last WHERE n > 1"));
    assert!(before(
        "INSERT INTO counted SELECT v, COUNT(*) FROM last GROUP BY v"
    ));
}

#[test]
fn upserts_without_a_key_or_with_late_rows_are_refused() {
    let session = Session::with(UPSERTS);
    let error = |sql: &str| session.job(sql).unwrap_err().render(sql);
    let keyless = error("SELECT * FROM keyless");
    assert!(keyless.contains("no PRIMARY KEY"), "{keyless}");
    let late = error("SELECT * FROM late");
    assert!(late.contains("'late-rows.table' cannot be"), "{late}");
}

#[test]
fn the_id_of_a_normalization_does_not_say_what_else_is_read() {
    let session = Session::with(UPSERTS);
    let ids = |sql: &str| {
        let job = session.job(sql).unwrap();
        let all = job.graph.vertices.into_iter().flat_map(|v| v.operators);
        let found: Vec<_> = all.filter(|o| o.name == "ChangelogNormalize").collect();
        assert_eq!(found.len(), 1, "{sql}");
        (found[0].uid.clone(), found[0].coarse.clone())
    };
    let one = ids("SELECT v FROM last");
    assert_eq!(ids("SELECT n, k FROM last WHERE v > 'a'"), one);
    let set = "EXECUTE STATEMENT SET BEGIN INSERT INTO last SELECT * FROM last; INSERT INTO counted SELECT v, COUNT(*) FROM last GROUP BY v; END";
    assert_eq!(ids(set), one);
}

#[test]
fn the_key_of_the_rows_is_known_to_the_client() {
    let session = Session::with(TABLES);
    let key = |sql: &str| session.job(sql).map_err(|e| e.render(sql)).unwrap().key;
    assert_eq!(
        key("SELECT COUNT(*) AS n, auction FROM bids GROUP BY auction"),
        Some(vec![1])
    );
    assert_eq!(key("SELECT COUNT(*) AS n FROM bids GROUP BY auction"), None);
    assert_eq!(key("SELECT COUNT(*) AS n FROM bids"), Some(vec![]));
    assert_eq!(key("SELECT auction FROM bids"), None);
}

#[test]
fn windows_that_take_late_rows_update_their_results() {
    let windows = "SELECT auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY auction, window_start, window_end";
    let mut session = Session::with(TABLES);
    let mode = |session: &Session, sql: &str| session.job(sql).unwrap().mode;
    assert_eq!(mode(&session, windows), ChangelogMode::Append);
    session
        .run("SET 'table.exec.emit.allow-lateness' = '5 s'")
        .unwrap();
    assert_eq!(mode(&session, windows), ChangelogMode::Retract);
    let into = format!("INSERT INTO appends {windows}");
    let error = session.job(&into).unwrap_err();
    assert!(error.message().contains("inserts only"), "{error}");
    let counts = format!("SELECT n, COUNT(*) FROM ({windows}) GROUP BY n");
    let graph = session.job(&counts).unwrap().graph;
    let updating = graph.vertices.iter().flat_map(|v| &v.operators).any(|o| {
        matches!(&o.spec, levada_engine::graph::OperatorSpec::GroupAggregate(spec) if spec.input_updating)
    });
    assert!(updating, "the outer aggregate takes rows back");
    let sessions = windows.replace(
        "TUMBLE(TABLE bids",
        "SESSION(TABLE bids PARTITION BY auction",
    );
    assert_eq!(mode(&session, &sessions), ChangelogMode::Retract);
    let now = windows.replace("DESCRIPTOR(ts)", "DESCRIPTOR(pt)");
    assert_eq!(mode(&session, &now), ChangelogMode::Append);
}

#[test]
fn windows_that_give_early_results_update_them() {
    let windows = "SELECT auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY auction, window_start, window_end";
    let mut session = Session::with(TABLES);
    let before = session.job(windows).unwrap();
    session
        .run("SET 'table.exec.emit.early-fire.enabled' = 'true'; SET 'table.exec.emit.early-fire.delay' = '5 s'")
        .unwrap();
    let job = session.job(windows).unwrap();
    assert_eq!(job.mode, ChangelogMode::Retract);
    let aggregate = |graph: &levada_engine::graph::JobGraph| {
        let mut operators = graph.vertices.iter().flat_map(|v| &v.operators);
        let found = operators.find_map(|o| match &o.spec {
            levada_engine::graph::OperatorSpec::WindowAggregate(spec) => {
                Some((o.uid.clone(), spec.early_fire_ms, spec.partial_input))
            }
            _ => None,
        });
        found.unwrap()
    };
    let (uid, delay, partial) = aggregate(&job.graph);
    assert_eq!((delay, partial), (Some(5000), false));
    assert_ne!(
        aggregate(&before.graph).0,
        uid,
        "state does not say what was given"
    );
    let error = session
        .job(&format!("INSERT INTO appends {windows}"))
        .unwrap_err();
    assert!(error.message().contains("inserts only"), "{error}");
    let now = windows.replace("DESCRIPTOR(ts)", "DESCRIPTOR(pt)");
    assert_eq!(session.job(&now).unwrap().mode, ChangelogMode::Retract);
    let sessions = windows.replace(
        "TUMBLE(TABLE bids",
        "SESSION(TABLE bids PARTITION BY auction",
    );
    let error = session.job(&sessions).unwrap_err();
    assert!(
        error.message().contains("early results of SESSION"),
        "{error}"
    );
}

#[test]
fn long_chains_are_planned_or_refused() {
    let session = Session::with(TABLES);
    let chain = |part: &str, operator: &str, length: usize| vec![part; length].join(operator);
    for sql in [
        format!("SELECT {} FROM bids", chain("auction", " + ", 190)),
        format!("SELECT {} FROM bids", chain("detail.note", " || ", 190)),
        format!(
            "SELECT 1 FROM bids WHERE {}",
            chain("price > auction", " AND ", 450)
        ),
        format!(
            "SELECT 1 FROM bids WHERE {}",
            chain("price <> auction", " OR ", 450)
        ),
        chain("SELECT auction FROM bids", " UNION ALL ", 300),
    ] {
        if let Err(error) = session.job(&sql) {
            panic!("{} in {}", error, sql.get(..60).unwrap_or_default());
        }
    }
    let mixed = format!(
        "SELECT {} FROM bids",
        chain("auction + price - 1 * bidder", " - ", 60)
    );
    let error = session.job(&mixed).unwrap_err();
    assert_eq!(error.code(), "LV-1001", "{error}");
}

#[test]
fn columns_and_views_are_checked_when_they_are_created() {
    let with = "WITH ('connector' = 'stream')";
    for (column, what) in [
        ("SUM(a)", "an aggregate"),
        ("SUM(a) OVER ()", "OVER"),
        ("(SELECT 1)", "a subquery"),
    ] {
        refused(
            &format!("CREATE TABLE t (a INT, b AS {column}) {with}"),
            &["LV-1018", what, "line 1, column 29"],
        );
    }
    refused(
        "CREATE VIEW v AS SELECT auction FROM bids; CREATE VIEW w AS SELECT * FROM v;
         CREATE OR REPLACE VIEW v AS SELECT * FROM w",
        &["LV-1018", "view v refers to itself", "line 2, column 5"],
    );
}

#[test]
fn views_of_views_are_planned_once_each() {
    let mut session = Session::with(TABLES);
    session
        .run("CREATE VIEW v0 AS SELECT auction FROM bids")
        .unwrap();
    for n in 1..40 {
        let sql = format!("CREATE VIEW v{n} AS SELECT * FROM v{}", n - 1);
        session.run(&sql).unwrap();
    }
    session.job("SELECT * FROM v39").unwrap();
}

#[test]
fn what_is_read_and_not_meant_is_refused_by_name() {
    refused(
        "SELECT auction, COUNT(*) FROM bids GROUP BY auction WITH ROLLUP",
        &["LV-1011", "WITH ROLLUP", "line 1, column 53"],
    );
    refused(
        "SELECT auction FROM bids FOR UPDATE",
        &["LV-1011", "FOR UPDATE"],
    );
    refused(
        "SELECT MAX(detail) FROM bids",
        &["LV-1011", "MAX of ROW<", "on streams"],
    );
    let session = Session::with(TABLES);
    let names = |sql: &str| {
        let schema = session.job(sql).map_err(|e| e.render(sql)).unwrap().schema;
        let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        names
    };
    assert_eq!(
        names("SELECT 1, auction + 1, FLOOR(ts TO HOUR), price, price FROM bids"),
        ["1", "auction + 1", "FLOOR(ts TO HOUR)", "price", "price0"]
    );
    assert_eq!(
        names("SELECT CAST(price AS STRING), price, b.price, detail.tags[1] FROM bids AS b"),
        ["CAST(price AS STRING)", "price", "price0", "detail.tags[1]"]
    );
    assert_eq!(
        names("SELECT auction, COUNT(*) FROM bids GROUP BY auction"),
        ["auction", "COUNT(*)"]
    );
}

#[test]
fn errors_stand_where_their_construct_does() {
    refused(
        "SELECT auction FROM bids WHERE price > 1 AND MAX(price) > 2",
        &["LV-1018", "MAX", "WHERE", "HAVING", "line 1, column 46"],
    );
    refused(
        "SELECT auction, SUM(detail.note) FROM bids GROUP BY auction",
        &["LV-1008", "SUM does not take STRING", "line 1, column 17"],
    );
    refused(
        "SELECT 1, ABS(1, 2)",
        &[
            "LV-1008",
            "ABS takes 1 argument, and 2 are given",
            "line 1, column 11",
        ],
    );
    refused(
        "SELECT *, auction FROM bids",
        &["LV-1010", "called auction"],
    );
    Session::with(TABLES)
        .job("SELECT COUNT(*) FROM bids GROUP BY ()")
        .unwrap();
    refused(
        "CREATE VIEW v AS SELECT * FROM 'x.json'",
        &[
            "LV-1011",
            "a view over the file 'x.json'",
            "line 1, column 18",
        ],
    );
    refused(
        "CREATE TABLE t (A INT, a INT) WITH ('connector' = 'stream'); SELECT \"A\", a FROM t; CREATE TABLE u (Ab INT, aB INT) WITH ('connector' = 'stream'); SELECT ab FROM u",
        &["LV-1009", "column ab can be Ab or aB"],
    );
    refused("SELECT TOP 3 auction FROM bids", &["LV-1011", "TOP"]);
    refused("SELECT detail.note + detail.tags FROM bids", &["STRING"]);
}
