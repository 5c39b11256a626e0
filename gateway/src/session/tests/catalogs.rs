//! Statements about catalogs, databases, tables and views.

use super::*;

/// What a statement that is done says.
async fn done(session: &mut Session, sql: &str) -> String {
    match session.execute(sql).await {
        Ok(Outcome::Ok(text)) => text,
        Ok(other) => panic!("{sql}: {other:?}"),
        Err(error) => panic!("{}", error.render(sql)),
    }
}

async fn text(session: &mut Session, sql: &str) -> String {
    match session.execute(sql).await.unwrap() {
        Outcome::Text(text) => text,
        other => panic!("{sql}: {other:?}"),
    }
}

async fn names(session: &mut Session, sql: &str) -> Vec<String> {
    table(session, sql).await.concat()
}

#[tokio::test]
async fn use_goes_to_a_database() {
    let (mut session, _) = session().await;
    done(&mut session, "USE CATALOG default_catalog").await;
    done(&mut session, "USE default_catalog.default_database").await;
    let wrong = error(&mut session, "USE elsewhere").await;
    assert!(
        wrong.starts_with("LV-1017")
            && wrong.contains("default_database")
            && wrong.contains("column 5"),
        "{wrong}"
    );
    assert_eq!(
        done(&mut session, "CREATE DATABASE sales").await,
        "database sales created"
    );
    assert_eq!(
        done(&mut session, "USE sales").await,
        "the current database is sales"
    );
    assert_eq!(
        names(&mut session, "SHOW CURRENT DATABASE").await,
        ["sales"]
    );
    assert!(names(&mut session, "SHOW TABLES").await.is_empty());
    assert!(session.tables().is_empty());
    session
        .execute("CREATE TABLE many (b INT) WITH ('connector' = 'datagen')")
        .await
        .unwrap();
    session.execute("SELECT b FROM many").await.unwrap();
    session
        .execute("SELECT a FROM default_database.many")
        .await
        .unwrap();
    let sql = "CREATE CATALOG mine WITH ('type' = 'generic_in_memory')";
    done(&mut session, sql).await;
    let said = done(&mut session, "USE mine.default").await;
    assert_eq!(said, "the current database is mine.default");
    assert_eq!(names(&mut session, "SHOW CURRENT CATALOG").await, ["mine"]);
    session
        .execute("SELECT b FROM default_catalog.sales.many")
        .await
        .unwrap();
}

#[tokio::test]
async fn names_are_listed_from_anywhere_and_by_pattern() {
    let (mut session, _) = session().await;
    for sql in [
        "CREATE DATABASE d",
        "CREATE TABLE d.t (a INT) WITH ('connector' = 'datagen')",
        "CREATE VIEW d.v AS SELECT a FROM few",
        "CREATE CATALOG c WITH ('type' = 'generic_in_memory', 'default-database' = 'x')",
    ] {
        session.execute(sql).await.unwrap();
    }
    assert_eq!(names(&mut session, "SHOW TABLES FROM d").await, ["t", "v"]);
    assert_eq!(
        names(&mut session, "SHOW VIEWS IN default_catalog.d").await,
        ["v"]
    );
    assert_eq!(
        names(&mut session, "SHOW TABLES LIKE '%e%'").await,
        ["few", "hole"]
    );
    assert_eq!(
        names(&mut session, "SHOW TABLES NOT ILIKE 'F%'").await,
        ["hole", "many"]
    );
    assert_eq!(
        names(&mut session, "SHOW CATALOGS").await,
        ["c", "default_catalog"]
    );
    assert_eq!(
        names(&mut session, "SHOW CATALOGS LIKE 'd%'").await,
        ["default_catalog"]
    );
    assert_eq!(
        names(&mut session, "SHOW DATABASES").await,
        ["d", "default_database"]
    );
    assert_eq!(names(&mut session, "SHOW DATABASES FROM c").await, ["x"]);
    assert_eq!(
        names(&mut session, "SHOW FUNCTIONS LIKE 'uppe_'").await,
        ["upper"]
    );
    let columns = table(&mut session, "SHOW COLUMNS FROM few LIKE 'b%'").await;
    assert_eq!(columns, [["b", "STRING", "false", "-", "-", "-", "b"]]);
    let wrong = error(&mut session, "SHOW TABLES FROM dd").await;
    assert!(
        wrong.contains("database dd does not exist") && wrong.contains("did you mean d?"),
        "{wrong}"
    );
    let wrong = error(&mut session, "SHOW DATABASES FROM a.b").await;
    assert!(wrong.contains("too many parts"), "{wrong}");
}

#[tokio::test]
async fn databases_and_catalogs_are_described() {
    let (mut session, _) = session().await;
    done(
        &mut session,
        "CREATE DATABASE d COMMENT 'ours' WITH ('k' = 'v')",
    )
    .await;
    assert_eq!(
        table(&mut session, "DESCRIBE DATABASE EXTENDED d").await,
        [["name", "d"], ["comment", "ours"], ["properties", "k=v"]]
    );
    let sql = "CREATE CATALOG c COMMENT 'it''s' WITH ('type' = 'generic_in_memory')";
    done(&mut session, sql).await;
    assert_eq!(
        table(&mut session, "DESCRIBE CATALOG c").await,
        [
            ["name", "c"],
            ["type", "generic_in_memory"],
            ["comment", "it's"]
        ]
    );
    let sql = text(&mut session, "SHOW CREATE CATALOG c").await;
    done(&mut session, "DROP CATALOG c").await;
    done(&mut session, &sql).await;
    done(
        &mut session,
        "ALTER CATALOG c SET ('default-database' = 'main')",
    )
    .await;
    let rows = table(&mut session, "DESCRIBE CATALOG EXTENDED c").await;
    assert_eq!(rows.last().unwrap(), &["option:default-database", "main"]);
    let wrong = error(&mut session, "CREATE CATALOG j WITH ('type' = 'jdbc')").await;
    assert!(
        wrong.contains("generic_in_memory") && wrong.contains("column 33"),
        "{wrong}"
    );
    let wrong = error(&mut session, "CREATE CATALOG j").await;
    assert!(wrong.contains("LV-1006"), "{wrong}");
}

#[tokio::test]
async fn a_table_that_is_created_as_a_query_is_filled() {
    let (mut session, fake) = session().await;
    let sql = "CREATE TABLE copy WITH ('connector' = 'blackhole') AS SELECT a, b FROM few";
    let filled = job(&mut session, sql).await;
    assert!(filled.bounded && filled.wait, "{filled:?}");
    assert_eq!(fake.jobs.lock().unwrap().len(), 1);
    assert_eq!(table(&mut session, "DESCRIBE copy").await.len(), 2);
    let again = error(&mut session, sql).await;
    assert!(again.contains("LV-1010"), "{again}");
    let there = sql.replace("copy", "IF NOT EXISTS copy");
    assert_eq!(
        done(&mut session, &there).await,
        "table copy exists already"
    );
    assert_eq!(
        fake.jobs.lock().unwrap().len(),
        1,
        "nothing is filled again"
    );
}

#[tokio::test]
async fn a_table_that_cannot_be_filled_is_not_there() {
    let (mut session, _) = session().await;
    let sql = |what: &str| {
        format!(
            "{what} TABLE new WITH ('connector' = 'filesystem', 'path' = '/tmp/none', 'format' = 'json') \
                 AS SELECT a, COUNT(*) AS n FROM few GROUP BY a"
        )
    };
    let wrong = error(&mut session, &sql("CREATE")).await;
    assert!(wrong.contains("update"), "{wrong}");
    let gone = error(&mut session, "DESCRIBE new").await;
    assert!(gone.contains("LV-1002"), "{gone}");
    session
        .execute("CREATE TABLE new (old INT) WITH ('connector' = 'blackhole')")
        .await
        .unwrap();
    error(&mut session, &sql("CREATE OR REPLACE")).await;
    let columns = table(&mut session, "DESCRIBE new").await;
    assert_eq!(columns[0][0], "old", "what was there before is there again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_filled_in_batch_mode_too() {
    let (mut session, _) = session().await;
    session
        .execute("SET 'execution.runtime-mode' = 'batch'")
        .await
        .unwrap();
    let sql = "CREATE TABLE copy (b, a) WITH ('connector' = 'blackhole') AS SELECT a, b FROM few";
    assert_eq!(done(&mut session, sql).await, "3 rows written");
    assert_eq!(table(&mut session, "DESCRIBE copy").await[0][0], "b");
}

#[tokio::test]
async fn jobs_are_described() {
    let (mut session, _) = session().await;
    let id = job(&mut session, "INSERT INTO hole SELECT a FROM many")
        .await
        .id;
    job(&mut session, "INSERT INTO hole SELECT a FROM few").await;
    let rows = table(&mut session, &format!("DESCRIBE JOB '{id}'")).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][0], id.0);
    let wrong = error(&mut session, "DESCRIBE JOB 'nope'").await;
    assert!(
        wrong.starts_with("LV-1017") && wrong.contains("column 14"),
        "{wrong}"
    );
}

#[tokio::test]
async fn altered_tables_are_what_jobs_see() {
    let (mut session, _) = session().await;
    for sql in [
        "ALTER TABLE hole ADD b STRING",
        "INSERT INTO hole SELECT a, b FROM few",
        "ALTER TABLE hole RENAME TO sink",
        "INSERT INTO sink SELECT a, b FROM few",
        "CREATE TABLE sink2 WITH ('print-identifier' = 'x', 'connector' = 'print') LIKE sink",
        "INSERT INTO sink2 SELECT a, b FROM few",
    ] {
        session
            .execute(sql)
            .await
            .unwrap_or_else(|e| panic!("{}", e.render(sql)));
    }
    assert_eq!(
        done(&mut session, "DROP TABLE IF EXISTS sink, hole").await,
        "sink dropped, hole does not exist"
    );
}
