//! Catalogs, databases, temporary objects and the names of them all.

use crate::fixture::{Session, says};

const TABLE: &str = "(a INT) WITH ('connector' = 'stream')";

fn session() -> Session {
    Session::with(&format!(
        "CREATE CATALOG other WITH ('type' = 'generic_in_memory', 'default-database' = 'main');
         CREATE DATABASE d COMMENT 'x' WITH ('k' = 'v');
         CREATE TABLE t {TABLE}; CREATE TABLE d.t (b INT) WITH ('connector' = 'stream');
         CREATE TABLE other.main.Far (c INT) WITH ('connector' = 'stream');"
    ))
}

#[track_caller]
fn refused(session: &mut Session, sql: &str, expect: &[&str]) {
    says(session.run(sql).unwrap_err(), sql, expect);
}

#[test]
fn names_are_found_from_the_current_database() {
    let mut session = session();
    session
        .run("SELECT a FROM t; SELECT b FROM d.t; SELECT c FROM other.main.far")
        .unwrap();
    session
        .run("SELECT D.T.B, far.C FROM d.t, OTHER.main.far")
        .unwrap();
    session
        .run("SELECT other.main.far.c FROM other.MAIN.far")
        .unwrap();
    session
        .run("USE d; SELECT b FROM t; SELECT a FROM default_database.t")
        .unwrap();
    session
        .run("USE CATALOG other; SELECT c FROM Far; SELECT b FROM default_catalog.d.t")
        .unwrap();
    refused(
        &mut session,
        "SELECT 1 FROM t",
        &[
            "LV-1002",
            "other.main.t does not exist",
            "write default_catalog.d.t",
        ],
    );
    refused(
        &mut session,
        "SELECT 1 FROM d.t",
        &["LV-1017", "database d does not exist", "line 1"],
    );
    session
        .run("USE default_catalog.d; INSERT INTO sink SELECT 1")
        .unwrap_err();
    refused(
        &mut session,
        "USE CATALOG othr",
        &["did you mean other?", "line 1, column 13"],
    );
}

#[test]
fn a_view_sees_what_it_saw_when_it_was_created() {
    let mut session = session();
    session
        .run("CREATE VIEW d.v AS SELECT * FROM t; USE d; SELECT a FROM v")
        .unwrap();
    session
        .run("CREATE VIEW w AS SELECT * FROM t; USE default_database; SELECT b FROM d.w")
        .unwrap();
    session
        .run("CREATE VIEW over AS SELECT COUNT(*) OVER (ORDER BY b GROUPS 1 PRECEDING) AS n FROM d.t")
        .unwrap();
    refused(&mut session, "SELECT * FROM over", &["in view over"]);
}

#[test]
fn databases_and_catalogs_come_and_go() {
    let mut session = session();
    refused(
        &mut session,
        "CREATE DATABASE d",
        &["LV-1010", "IF NOT EXISTS"],
    );
    session
        .run("CREATE DATABASE IF NOT EXISTS d; ALTER DATABASE d SET ('k' = 'w')")
        .unwrap();
    refused(&mut session, "DROP DATABASE d", &["has t", "CASCADE"]);
    refused(
        &mut session,
        "DROP DATABASE default_database",
        &["the current one"],
    );
    refused(
        &mut session,
        "DROP DATABASE other.main",
        &["default database"],
    );
    refused(
        &mut session,
        "ALTER DATABASE d RESET ('z')",
        &["'z' is not set"],
    );
    session
        .run("DROP DATABASE d CASCADE; DROP DATABASE IF EXISTS d")
        .unwrap();
    refused(
        &mut session,
        "SELECT * FROM d.t",
        &["database d does not exist"],
    );
    refused(
        &mut session,
        "CREATE CATALOG other WITH ('type' = 'generic_in_memory')",
        &["LV-1010"],
    );
    refused(
        &mut session,
        "DROP CATALOG default_catalog",
        &["the current one"],
    );
    session
        .run("USE CATALOG other; USE CATALOG default_catalog")
        .unwrap();
    session
        .run("DROP CATALOG other; DROP CATALOG IF EXISTS other")
        .unwrap();
    refused(
        &mut session,
        "SELECT * FROM other.main.Far",
        &["catalog other does not exist"],
    );
}

#[test]
fn temporary_objects_lie_over_others() {
    let mut session = session();
    session
        .run(
            "CREATE TEMPORARY TABLE t (temp INT) WITH ('connector' = 'stream'); SELECT temp FROM t",
        )
        .unwrap();
    refused(
        &mut session,
        "DROP TABLE t",
        &["t is a temporary table", "DROP TEMPORARY TABLE"],
    );
    refused(
        &mut session,
        "CREATE TEMPORARY VIEW t AS SELECT 1",
        &["exists already"],
    );
    session
        .run("DROP TEMPORARY TABLE t; SELECT a FROM t")
        .unwrap();
    refused(
        &mut session,
        "DROP TEMPORARY TABLE t",
        &["t is a table", "use DROP TABLE"],
    );
    session
        .run("DROP TEMPORARY TABLE IF EXISTS t; SELECT a FROM t; DROP TABLE t, d.t")
        .unwrap();
    refused(&mut session, "SELECT b FROM d.t", &["LV-1002"]);
}

#[test]
fn a_list_is_dropped_whole_or_not_at_all() {
    let mut session = session();
    refused(
        &mut session,
        "DROP TABLE t, nothing",
        &["nothing does not exist"],
    );
    session.run("SELECT a FROM t").unwrap();
}

#[test]
fn side_tables_are_found_from_the_table_that_names_them() {
    let mut session = session();
    let table = |name: &str, option: &str| {
        format!(
            "CREATE TABLE {name} (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream', 'late-rows.table' = '{option}')"
        )
    };
    session
        .run("CREATE TABLE d.late (ts TIMESTAMP(3)) WITH ('connector' = 'append')")
        .unwrap();
    session
        .run("CREATE TABLE other.main.out_ (n BIGINT) WITH ('connector' = 'any')")
        .unwrap();
    session.run(&table("d.near", "late")).unwrap();
    session.run(&table("far", "d.late")).unwrap();
    session.run(&table("wrong", "late")).unwrap();
    let insert = |from: &str| {
        format!(
            "INSERT INTO other.main.out_ SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE {from}, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end"
        )
    };
    session.run(&insert("d.near")).unwrap();
    session.run(&insert("far")).unwrap();
    refused(
        &mut session,
        &insert("wrong"),
        &["late does not exist", "'late-rows.table' of table wrong"],
    );
}
