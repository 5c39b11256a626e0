#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use arrow::util::pretty::pretty_format_batches;
use futures::StreamExt as _;

use crate::fixture::Session;
use crate::parser::{self, Statement};
use levada_language::error::PlanError;

const TABLES: &str = r#"
CREATE TABLE clicks (
  who STRING,
  n BIGINT,
  place ROW<city STRING, code INT>,
  ts TIMESTAMP(3),
  twice AS n * 2,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'table', 'data' = '
{"who": "a", "n": 1, "place": {"city": "Porto", "code": 4}, "ts": "2026-01-01T00:00:01"}
{"who": "b", "n": 2, "place": {"city": "Faro", "code": 8}, "ts": "2026-01-01T00:00:04"}
{"who": "a", "n": 3, "place": null, "ts": "2026-01-01T00:00:09.999"}
{"who": "a", "n": 4, "place": {"city": "Porto", "code": null}, "ts": "2026-01-01T00:00:10"}
{"who": "b", "n": null, "place": null, "ts": "2026-01-01T00:00:31"}
{"who": "c", "n": 7, "place": null, "ts": null}
');
CREATE TABLE endless (n BIGINT) WITH ('connector' = 'stream');
CREATE VIEW cities AS SELECT place.city, Twice AS t FROM clicks WHERE place IS NOT NULL;
"#;

async fn query(sql: &str) -> Result<String, PlanError> {
    let session = Session::with(TABLES);
    let Statement::Query(query) = parser::parse_one(sql)?.statement else {
        panic!("{sql} is no query");
    };
    let rows = session
        .planner
        .batch_query(&query, &session.configuration)
        .await?;
    let batches: Vec<_> = rows.stream.collect::<Vec<_>>().await;
    let mut found = Vec::new();
    for batch in batches {
        match batch {
            Ok(batch) => found.push(batch),
            Err(error) => return Ok(error.to_string()),
        }
    }
    Ok(pretty_format_batches(&found).unwrap().to_string())
}

/// `expect` is the table without its frame: a line for the names, and one for each row.
async fn check(sql: &str, expect: &str) {
    let found = query(sql).await.map_err(|error| error.render(sql)).unwrap();
    let lines: Vec<String> = found
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            cells.join(" | ").trim_end().to_string()
        })
        .collect();
    let expect: Vec<&str> = expect.trim().lines().map(str::trim).collect();
    assert_eq!(lines, expect, "{sql}\n{found}");
}

async fn refused(sql: &str) -> String {
    query(sql).await.unwrap_err().render(sql)
}

#[tokio::test]
async fn computed_columns_views_joins_order_and_limit() {
    check(
        "SELECT who, Twice FROM clicks WHERE n IS NOT NULL ORDER BY n DESC LIMIT 2",
        "who | twice\nc | 14\na | 8",
    )
    .await;
    check(
        "SELECT city, t FROM cities ORDER BY t",
        "city | t\nPorto | 2\nFaro | 4\nPorto | 8",
    )
    .await;
    check(
        "SELECT a.who, COUNT(*) AS pairs FROM clicks a JOIN clicks b ON a.who = b.who GROUP BY a.who ORDER BY a.who",
        "who | pairs\na | 9\nb | 4\nc | 1",
    )
    .await;
    check("SELECT COUNT(*) AS n FROM clicks", "n\n6").await;
}

#[tokio::test]
async fn tumble_and_its_legacy_form() {
    let expect = "
        s | e | n
        2026-01-01T00:00:00 | 2026-01-01T00:00:10 | 6
        2026-01-01T00:00:10 | 2026-01-01T00:00:20 | 4
        2026-01-01T00:00:30 | 2026-01-01T00:00:40 |";
    check(
        "SELECT window_start AS s, window_end AS e, SUM(n) AS n
         FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND))
         GROUP BY window_start, window_end ORDER BY s",
        expect,
    )
    .await;
    check(
        "SELECT TUMBLE_START(ts, INTERVAL '10' SECOND) AS s, TUMBLE_END(ts, INTERVAL '10' SECOND) AS e,
         SUM(n) AS n FROM clicks GROUP BY TUMBLE(ts, INTERVAL '10' SECOND) ORDER BY s",
        expect,
    )
    .await;
}

#[tokio::test]
async fn hop_cumulate_and_offsets() {
    check(
        "SELECT window_start AS s, COUNT(*) AS n
         FROM TABLE(HOP(TABLE clicks, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
         WHERE who = 'a' GROUP BY window_start, window_end ORDER BY s",
        "s | n
         2025-12-31T23:59:55 | 1
         2026-01-01T00:00:00 | 2
         2026-01-01T00:00:05 | 2
         2026-01-01T00:00:10 | 1",
    )
    .await;
    check(
        "SELECT window_start AS s, window_end AS e, COUNT(*) AS n
         FROM TABLE(CUMULATE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
         WHERE who = 'a' GROUP BY window_start, window_end ORDER BY s, e",
        "s | e | n
         2026-01-01T00:00:00 | 2026-01-01T00:00:05 | 1
         2026-01-01T00:00:00 | 2026-01-01T00:00:10 | 2
         2026-01-01T00:00:10 | 2026-01-01T00:00:15 | 1
         2026-01-01T00:00:10 | 2026-01-01T00:00:20 | 1",
    )
    .await;
    check(
        "SELECT window_start AS s, window_time AS t, who
         FROM TABLE(TUMBLE(DATA => TABLE clicks, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE, OFFSET => INTERVAL '5' SECOND))
         ORDER BY ts LIMIT 2",
        "s | t | who
         2025-12-31T23:59:05 | 2026-01-01T00:00:04.999 | a
         2025-12-31T23:59:05 | 2026-01-01T00:00:04.999 | b",
    )
    .await;
}

#[tokio::test]
async fn sessions_by_key() {
    check(
        "SELECT who, window_start AS s, window_end AS e, COUNT(*) AS n
         FROM TABLE(SESSION(TABLE clicks PARTITION BY who, DESCRIPTOR(ts), INTERVAL '9' SECOND))
         GROUP BY who, window_start, window_end ORDER BY who, s",
        "who | s | e | n
         a | 2026-01-01T00:00:01 | 2026-01-01T00:00:19 | 3
         b | 2026-01-01T00:00:04 | 2026-01-01T00:00:13 | 1
         b | 2026-01-01T00:00:31 | 2026-01-01T00:00:40 | 1",
    )
    .await;
    check(
        "SELECT who, SESSION_START(ts, INTERVAL '8' SECOND) AS s, MAX(n) AS n
         FROM clicks GROUP BY SESSION(ts, INTERVAL '8' SECOND), who ORDER BY who, s",
        "who | s | n
         a | 2026-01-01T00:00:01 | 1
         a | 2026-01-01T00:00:09.999 | 4
         b | 2026-01-01T00:00:04 | 2
         b | 2026-01-01T00:00:31 |",
    )
    .await;
}

#[tokio::test]
async fn functions_see_the_time_zone_of_the_session() {
    let mut session = Session::with(TABLES);
    session
        .run("SET 'table.local-time-zone' = 'Europe/Berlin'")
        .unwrap();
    let sql = "SELECT UNIX_TIMESTAMP(CAST(ts AS STRING), 'yyyy-MM-dd HH:mm:ss.SSS') - UNIX_TIMESTAMP('2026-01-01 00:00:00') AS s FROM clicks WHERE who = 'b' AND n = 2";
    let Statement::Query(query) = parser::parse_one(sql).unwrap().statement else {
        panic!("{sql} is no query");
    };
    let rows = session
        .planner
        .batch_query(&query, &session.configuration)
        .await
        .unwrap();
    let batches: Vec<_> = rows.stream.map(Result::unwrap).collect().await;
    let found = pretty_format_batches(&batches).unwrap().to_string();
    assert!(found.contains("| 4 |"), "{found}");
}

#[tokio::test]
async fn sums_fail_instead_of_wrapping() {
    let found = query("SELECT SUM(CAST(60000000000000000000000000000000000000 AS DECIMAL(38, 0))) AS s FROM clicks")
        .await
        .unwrap();
    assert!(found.contains("LV-3002"), "{found}");
    check(
        "SELECT SUM(CAST(n AS DECIMAL(38, 2))) AS z FROM clicks WHERE who = 'b'",
        "z
         2.00",
    )
    .await;
    let found = query("SELECT SUM(n + 9223372036854775000) AS s FROM clicks")
        .await
        .unwrap();
    assert!(found.contains("LV-3002"), "{found}");
    check(
        "SELECT SUM(n) AS s, SUM(DISTINCT n % 2) AS d FROM clicks",
        "s | d\n17 | 1",
    )
    .await;
}

#[tokio::test]
async fn files_without_create_table() {
    let folder = std::env::temp_dir().join(format!("levada-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.csv"), "x,y\n1,one\n2,two\n").unwrap();
    std::fs::write(folder.join("b.csv"), "x,y\n3,three\n").unwrap();
    let path = folder.display();
    check(
        &format!("SELECT t.x, y FROM '{path}/*.csv' AS t ORDER BY x DESC"),
        "x | y\n3 | three\n2 | two\n1 | one",
    )
    .await;
    let none = refused(&format!("SELECT * FROM '{path}/*.parquet'")).await;
    assert!(none.contains("no file matches"), "{none}");
    let unknown = refused(&format!("SELECT * FROM '{path}/a.txt'")).await;
    assert!(unknown.starts_with("LV-1016"), "{unknown}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn unbounded_tables_are_refused() {
    let error = refused("SELECT * FROM endless").await;
    assert!(error.contains("table endless is unbounded"), "{error}");
    assert!(error.contains("execution.runtime-mode"), "{error}");
}

#[tokio::test]
async fn files_that_are_no_rows_are_named() {
    let folder = tempfile_folder();
    let path = folder.join("mixed.json");
    std::fs::write(&path, "{\"q\": 1}\n{\"q\": {\"a\": 1}}\n").unwrap();
    let sql = format!("SELECT * FROM '{}'", path.display());
    let error = query(&sql).await.unwrap_err().render(&sql);
    for part in ["mixed.json", "one JSON object a line", "BIGINT"] {
        assert!(error.contains(part), "{error}");
    }
}

/// A folder of this process's own.
fn tempfile_folder() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("levada-batch-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

const UPSERTS: &str = r#"
CREATE TABLE users (
  twice AS n * 2,
  n BIGINT,
  id BIGINT,
  name STRING NOT NULL,
  PRIMARY KEY (id) NOT ENFORCED
) WITH ('connector' = 'upserts', 'data' = '
{"id": 1, "name": "a", "n": 1}
{"id": 2, "name": "b", "n": 2}
{"id": 1, "name": "c", "n": null}
-{"id": 3}
{"id": 3, "name": "d", "n": 4}
-{"id": 2}
{"id": 4, "name": "e", "n": 5}
{"id": 4, "name": "f", "n": 6}
-{"id": 4}
{"id": 4, "name": "g", "n": 7}
');
"#;

#[tokio::test]
async fn of_upserts_the_last_row_of_each_key_is_there() {
    let run = |sql: &'static str| async move {
        let session = Session::with(UPSERTS);
        let Statement::Query(query) = parser::parse_one(sql).unwrap().statement else {
            panic!("{sql} is no query");
        };
        let rows = session.planner.batch_query(&query, &session.configuration);
        let batches: Vec<_> = rows.await.unwrap().stream.collect::<Vec<_>>().await;
        let batches: Vec<_> = batches.into_iter().map(|b| b.unwrap()).collect();
        let text = pretty_format_batches(&batches).unwrap().to_string();
        let lines = text.lines().filter(|line| line.starts_with('|')).skip(1);
        let cells = |line: &str| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            cells.join(" ").trim_end().to_string()
        };
        lines.map(cells).collect::<Vec<_>>()
    };
    let all = run("SELECT * FROM users ORDER BY id").await;
    assert_eq!(all, ["  1 c", "8 4 3 d", "14 7 4 g"]);
    assert_eq!(run("SELECT name, id FROM users WHERE n > 4").await, ["g 4"]);
    assert_eq!(run("SELECT COUNT(*) FROM users").await, ["3"]);
    assert_eq!(
        run("SELECT name FROM users ORDER BY 1 LIMIT 1").await,
        ["c"]
    );
}

const VERSIONED: &str = r#"
CREATE TABLE trades (id INT, currency STRING, ts TIMESTAMP(3), pt AS PROCTIME()) WITH ('connector' = 'table', 'data' = '
{"id": 1, "currency": "EUR", "ts": "2026-01-01T00:00:01"}
{"id": 2, "currency": "EUR", "ts": "2026-01-01T00:00:03"}
{"id": 3, "currency": "EUR", "ts": "2026-01-01T00:00:05"}
{"id": 4, "currency": "EUR", "ts": "2026-01-01T00:00:07"}
{"id": 5, "currency": "USD", "ts": "2026-01-01T00:00:07"}
');
CREATE TABLE rates (since TIMESTAMP(3), rate INT NOT NULL, currency STRING, WATERMARK FOR since AS since, PRIMARY KEY (currency) NOT ENFORCED) WITH ('connector' = 'upserts', 'data' = '
{"currency": "EUR", "rate": 10, "since": "2026-01-01T00:00:02"}
{"currency": "USD", "rate": 20, "since": "2026-01-01T00:00:02"}
{"currency": "EUR", "rate": 12, "since": "2026-01-01T00:00:04"}
{"currency": "EUR", "rate": 11, "since": "2026-01-01T00:00:04"}
-{"currency": "EUR", "since": "2026-01-01T00:00:06"}
-{"currency": "USD", "since": "2026-01-01T00:00:05"}
{"currency": "USD", "rate": 21, "since": "2026-01-01T00:00:06"}
');
CREATE VIEW high AS SELECT rate, currency FROM rates WHERE rate > 10;
"#;

async fn check_versions(sql: &str, expect: &str) {
    let session = Session::with(VERSIONED);
    let Statement::Query(query) = parser::parse_one(sql).unwrap().statement else {
        panic!("{sql} is no query");
    };
    let planner = &session.planner;
    let rows = planner.batch_query(&query, &session.configuration).await;
    let rows = rows.map_err(|error| error.render(sql)).unwrap();
    let rows: Vec<_> = rows.stream.map(Result::unwrap).collect().await;
    let found = pretty_format_batches(&rows).unwrap().to_string();
    let lines = found.lines().filter(|line| line.starts_with('|')).skip(1);
    let shown = lines.map(|line| line.replace(['|', ' '], " "));
    let shown = shown.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(
        shown.collect::<Vec<_>>().join(", "),
        expect,
        "{sql}\n{found}"
    );
}

#[tokio::test]
async fn upserts_have_versions_from_change_to_change() {
    let of = |kind: &str, table: &str, time: &str| {
        format!(
            "SELECT t.id, r.rate FROM trades t {kind} JOIN {table} FOR SYSTEM_TIME AS OF t.{time} AS r ON t.currency = r.currency ORDER BY t.id"
        )
    };
    // Of the two versions of one time the second counts.
    check_versions(&of("", "rates", "ts"), "2 10, 3 11, 5 21").await;
    check_versions(&of("LEFT", "rates", "ts"), "1, 2 10, 3 11, 4, 5 21").await;
    check_versions(&of("LEFT", "high", "ts"), "1, 2, 3 11, 4, 5 21").await;
    check_versions(&of("LEFT", "rates", "pt"), "1, 2, 3, 4, 5 21").await;
}
