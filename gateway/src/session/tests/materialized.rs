//! Statements about materialized views.

use super::*;

const VIEW: &str = "CREATE MATERIALIZED VIEW v FRESHNESS = INTERVAL '3' SECOND AS SELECT a, COUNT(*) AS n FROM many GROUP BY a";

async fn ok(session: &mut Session, sql: &str) -> Outcome {
    let outcome = session.execute(sql).await;
    outcome.unwrap_or_else(|error| panic!("{}", error.render(sql)))
}

/// A session of the same coordinator that has not been there yet.
fn another(fake: &Arc<Fake>) -> Session {
    let deployment = FakeDeployment {
        fake: Arc::clone(fake),
        embedded: false,
    };
    Session::new(connectors(), Arc::new(deployment))
}

async fn views(session: &mut Session) -> Vec<Vec<String>> {
    table(session, "SHOW MATERIALIZED VIEWS").await
}

#[tokio::test]
async fn a_view_is_a_job_that_keeps_rows() {
    let (mut session, fake) = session().await;
    let created = job(&mut session, VIEW).await;
    assert_eq!(created.name, "materialized view v");
    assert!(!created.wait);
    let graph = fake.jobs.lock().unwrap()[0].1.clone();
    let checkpoints = &graph.settings.checkpoints;
    assert_eq!(checkpoints.interval_ms, Some(3000));
    assert!(checkpoints.retained >= 3);
    let view = graph.settings.view.unwrap();
    assert_eq!(view.name, ["default_catalog", "default_database", "v"]);
    let columns = view.columns.fields().iter().map(|f| f.name().as_str());
    assert_eq!(columns.collect::<Vec<_>>(), ["a", "n"]);
    let mut operators = graph.vertices.iter().flat_map(|v| &v.operators);
    assert!(operators.any(|o| o.uid == view.uid && o.name == "GroupAggregate"));
}

#[tokio::test]
async fn a_view_is_a_table_to_statements() {
    let (mut session, _) = session().await;
    ok(&mut session, VIEW).await;
    assert_eq!(
        table(&mut session, "SHOW TABLES LIKE 'v'").await,
        [["v".to_string()]]
    );
    assert_eq!(
        views(&mut session).await,
        [["v", "job-1", "RUNNING", "-"].map(str::to_string)]
    );
    let like = "SHOW MATERIALIZED TABLES LIKE 'w%'";
    assert!(table(&mut session, like).await.is_empty());
    let columns = table(&mut session, "DESCRIBE v").await;
    assert_eq!(columns[0][..2], ["a", "INT"]);
    assert_eq!(columns[1][..2], ["n", "BIGINT"]);
    match ok(&mut session, "SHOW CREATE MATERIALIZED VIEW v").await {
        Outcome::Text(text) => assert_eq!(
            text,
            "CREATE MATERIALIZED VIEW `v` (`a`, `n`) AS\nSELECT a, COUNT(*) AS n FROM many GROUP BY a"
        ),
        other => panic!("{other:?}"),
    }
    match ok(
        &mut session,
        "CREATE MATERIALIZED TABLE IF NOT EXISTS v AS SELECT a FROM many",
    )
    .await
    {
        Outcome::Ok(text) => assert_eq!(text, "materialized view v exists already"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn other_sessions_know_views_and_forget_those_that_are_dropped() {
    let (mut session, fake) = session().await;
    ok(&mut session, "CREATE DATABASE sales").await;
    ok(&mut session, "USE sales").await;
    let of_sales = VIEW.replace("many", "default_database.many");
    ok(&mut session, &of_sales).await;
    let mut other = another(&fake);
    let read = "EXPLAIN SELECT n FROM sales.v";
    ok(&mut other, "SET 'execution.runtime-mode' = 'batch'").await;
    ok(&mut other, read).await;
    let views = table(&mut other, "SHOW MATERIALIZED VIEWS").await;
    assert_eq!(views[0][0], "default_catalog.sales.v");
    ok(&mut session, "DROP MATERIALIZED VIEW v").await;
    assert_eq!(*fake.cancelled.lock().unwrap(), ["job-1"]);
    let error = error(&mut other, "SELECT n FROM sales.v").await;
    assert!(error.contains("sales.v does not exist"), "{error}");
    // Its name is free.
    ok(&mut session, &of_sales).await;
    ok(&mut other, read).await;
}

/// EXPLAIN of a statement on streams.
async fn plan(session: &mut Session, sql: &str) -> String {
    match ok(session, &format!("EXPLAIN {sql}")).await {
        Outcome::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn streams_read_the_query_of_a_view() {
    let (mut session, _) = session().await;
    ok(&mut session, VIEW).await;
    let renamed = VIEW.replace("VIEW v", "VIEW named (k, total)");
    ok(&mut session, &renamed).await;
    let direct =
        "SELECT n + 1 AS m FROM (SELECT a, COUNT(*) AS n FROM many GROUP BY a) AS q WHERE a > 3";
    let streaming = |text: String| {
        text.split_once("== Streaming plan ==")
            .unwrap()
            .1
            .to_string()
    };
    let direct = streaming(plan(&mut session, direct).await);
    assert!(direct.contains("GroupAggregate"), "{direct}");
    for read in [
        "SELECT n + 1 AS m FROM v WHERE a > 3",
        "SELECT total + 1 AS m FROM named WHERE k > 3",
    ] {
        let plan = streaming(plan(&mut session, read).await);
        assert_eq!(
            plan.lines().count(),
            direct.lines().count(),
            "{plan}\n{direct}"
        );
        assert!(plan.contains("Scan(table=many"), "{plan}");
    }
    // Names in it are found from where it was written.
    ok(&mut session, "CREATE DATABASE sales").await;
    ok(&mut session, "USE sales").await;
    plan(&mut session, "SELECT n FROM default_database.v").await;
    ok(&mut session, "USE default_database").await;
    // Columns are those that it had.
    ok(
        &mut session,
        "CREATE MATERIALIZED VIEW all_of AS SELECT * FROM many",
    )
    .await;
    ok(&mut session, "DROP TABLE many").await;
    let gone = error(&mut session, "SELECT n FROM v").await;
    assert!(
        gone.contains("many does not exist") && gone.contains("in view v"),
        "{gone}"
    );
    ok(
        &mut session,
        "CREATE TABLE many (b STRING, c INT) WITH ('connector' = 'datagen')",
    )
    .await;
    let lost = error(&mut session, "SELECT * FROM all_of").await;
    assert!(lost.contains("lost its column a"), "{lost}");
}

#[tokio::test]
async fn what_views_are_not_is_refused() {
    let (mut session, _) = session().await;
    ok(&mut session, VIEW).await;
    let replace = VIEW.replace("CREATE", "CREATE OR REPLACE");
    let cases = [
        ("INSERT INTO v SELECT a, 1 FROM few", "cannot be written"),
        ("DROP TABLE v", "use DROP MATERIALIZED VIEW"),
        ("DROP VIEW v", "use DROP MATERIALIZED VIEW"),
        ("DROP MATERIALIZED VIEW few", "use DROP TABLE"),
        ("SHOW CREATE TABLE v", "use SHOW CREATE MATERIALIZED VIEW"),
        (
            "CREATE TABLE v (a INT) WITH ('connector' = 'blackhole')",
            "exists already",
        ),
        (VIEW, "exists already"),
        (replace.as_str(), "neither replaced nor temporary"),
        (
            "CREATE MATERIALIZED VIEW w (x) AS SELECT a, b FROM few",
            "names 1 columns",
        ),
        (
            "CREATE MATERIALIZED VIEW w FRESHNESS = INTERVAL '0' SECOND AS SELECT a FROM few",
            "at least one",
        ),
        (
            "CREATE MATERIALIZED VIEW w FRESHNESS = INTERVAL '1' MONTH AS SELECT a FROM few",
            "SECOND, MINUTE",
        ),
        (
            "CREATE MATERIALIZED TABLE w REFRESH_MODE = FULL AS SELECT a FROM few",
            "REFRESH_MODE",
        ),
        (
            "CREATE MATERIALIZED TABLE w WITH ('connector' = 'kafka') AS SELECT a FROM few",
            "leave WITH out",
        ),
        (
            "CREATE MATERIALIZED few AS SELECT a FROM few",
            "VIEW or TABLE",
        ),
        ("CREATE MATERIALIZED VIEW w AS SELECT x FROM few", "x"),
    ];
    for (sql, part) in cases {
        let error = error(&mut session, sql).await;
        assert!(error.contains(part), "{sql}\n{error}");
    }
    assert_eq!(views(&mut session).await.len(), 1);
}
