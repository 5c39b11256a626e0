//! LIKE, AS and ALTER.

use super::object;
use crate::catalog::{Object, create_table_sql};
use crate::fixture::{Session, says};

const BASE: &str = "CREATE TABLE base (
  id INT NOT NULL, ts TIMESTAMP(3), twice AS id * 2, key STRING METADATA,
  WATERMARK FOR ts AS ts, PRIMARY KEY (id) NOT ENFORCED
) PARTITIONED BY (id) WITH ('connector' = 'stream', 'path' = 'x');";

#[track_caller]
fn prints(session: &Session, name: &str, expect: &str) {
    let Object::Table(table) = object(session, name) else {
        panic!("{name} is no table");
    };
    let sql = create_table_sql(&table);
    let lines = sql.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    assert_eq!(lines, expect);
}

#[track_caller]
fn refused(session: &mut Session, sql: &str, expect: &[&str]) {
    says(session.run(sql).unwrap_err(), sql, expect);
}

#[test]
fn like_takes_everything_unless_told() {
    let mut session = Session::with(BASE);
    session
        .run("CREATE TABLE t (more INT) WITH ('path' = 'y') LIKE Base")
        .unwrap();
    prints(
        &session,
        "t",
        "CREATE TABLE `t` ( `id` INT NOT NULL, `ts` TIMESTAMP(3), `twice` AS id * 2, `key` STRING METADATA, \
         `more` INT, WATERMARK FOR `ts` AS ts, PRIMARY KEY (`id`) NOT ENFORCED ) PARTITIONED BY (`id`) \
         WITH ( 'connector' = 'stream', 'path' = 'y' )",
    );
    session
        .run("CREATE TABLE u (n AS id + 1, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'stream')
              LIKE base (EXCLUDING ALL OVERWRITING WATERMARKS)")
        .unwrap();
    prints(
        &session,
        "u",
        "CREATE TABLE `u` ( `id` INT NOT NULL, `ts` TIMESTAMP(3), `n` AS id + 1, \
         WATERMARK FOR `ts` AS ts - INTERVAL '1' SECOND ) WITH ( 'connector' = 'stream' )",
    );
    session
        .run("CREATE TABLE v (twice AS id * 3, PRIMARY KEY (ts) NOT ENFORCED)
              LIKE base (OVERWRITING GENERATED EXCLUDING CONSTRAINTS EXCLUDING PARTITIONS EXCLUDING METADATA)")
        .unwrap();
    prints(
        &session,
        "v",
        "CREATE TABLE `v` ( `id` INT NOT NULL, `ts` TIMESTAMP(3), `twice` AS id * 3, \
         WATERMARK FOR `ts` AS ts, PRIMARY KEY (`ts`) NOT ENFORCED ) \
         WITH ( 'connector' = 'stream', 'path' = 'x' )",
    );
}

#[test]
fn like_says_what_is_there_already() {
    let mut session = Session::with(BASE);
    let mut check = |rest: &str, expect: &[&str]| {
        refused(&mut session, &format!("CREATE TABLE t {rest}"), expect);
    };
    check(
        "(id INT) LIKE base",
        &["has a column id already", "line 1, column 17"],
    );
    check("(twice AS 1) LIKE base", &["OVERWRITING GENERATED"]);
    check("(key INT METADATA) LIKE base", &["OVERWRITING METADATA"]);
    check(
        "(PRIMARY KEY (ts) NOT ENFORCED) LIKE base",
        &["EXCLUDING CONSTRAINTS"],
    );
    check(
        "(WATERMARK FOR ts AS ts) LIKE base",
        &["OVERWRITING WATERMARKS"],
    );
    check("PARTITIONED BY (ts) LIKE base", &["EXCLUDING PARTITIONS"]);
    check(
        "WITH ('path' = 'y') LIKE base (INCLUDING OPTIONS)",
        &["OVERWRITING OPTIONS", "column 22"],
    );
    check("LIKE base (EXCLUDING OPTIONS)", &["LV-1006", "connector"]);
    check("LIKE base (OVERWRITING ALL)", &["INCLUDING or EXCLUDING"]);
    check("LIKE nothing", &["LV-1002"]);
    check(
        "(a AS nope) LIKE base",
        &["column nope does not exist", "line 1, column 22"],
    );
}

#[test]
fn as_takes_the_columns_of_the_query() {
    let mut session = Session::with(BASE);
    session
        .run(
            "CREATE TABLE t (more STRING, id BIGINT, n AS id + 1, WATERMARK FOR ts AS ts)
              WITH ('connector' = 'any') AS SELECT id, ts, COUNT(*) AS c FROM base GROUP BY id, ts",
        )
        .unwrap();
    prints(
        &session,
        "t",
        "CREATE TABLE `t` ( `more` STRING, `n` AS id + 1, `id` BIGINT, `ts` TIMESTAMP(3), `c` BIGINT NOT NULL, \
         WATERMARK FOR `ts` AS ts ) WITH ( 'connector' = 'any' )",
    );
    session
        .run("CREATE TABLE u (b, A) WITH ('connector' = 'any') AS SELECT 'x' AS a, 1 AS b")
        .unwrap();
    prints(
        &session,
        "u",
        "CREATE TABLE `u` ( `b` BIGINT NOT NULL, `a` STRING NOT NULL ) WITH ( 'connector' = 'any' )",
    );
    let mut check = |rest: &str, expect: &[&str]| {
        refused(&mut session, &format!("CREATE TABLE w {rest}"), expect);
    };
    check(
        "WITH ('connector' = 'any') AS SELECT NULL AS n",
        &["column n of the query is NULL", "CAST"],
    );
    check(
        "(a) WITH ('connector' = 'any') AS SELECT 1 AS a, 2 AS b",
        &["column b of the query is not in the list"],
    );
    check(
        "(a, c) WITH ('connector' = 'any') AS SELECT 1 AS a, 2 AS b",
        &["column c is not among those", "line 1, column 20"],
    );
    check(
        "(a, c) WITH ('connector' = 'any')",
        &["column a has no type"],
    );
    check(
        "(a AS 1) WITH ('connector' = 'any') AS SELECT 1 AS a",
        &["cannot be written"],
    );
}

#[test]
fn alter_changes_the_declaration() {
    let mut session = Session::with(BASE);
    let script = "ALTER TABLE base SET ('path' = 'z', 'data' = '{}');
        ALTER TABLE base RESET ('data');
        ALTER TABLE base DROP WATERMARK;
        ALTER TABLE base ADD (first STRING COMMENT 'c' FIRST, mid INT AFTER ID, WATERMARK FOR ts AS ts);
        ALTER TABLE base MODIFY (twice AS id * 4 FIRST, mid BIGINT, PRIMARY KEY (ts) NOT ENFORCED);
        ALTER TABLE base RENAME mid TO middle;
        ALTER TABLE base DROP (key);
        ALTER TABLE base RENAME TO based;";
    session.run(script).unwrap();
    prints(
        &session,
        "based",
        "CREATE TABLE `based` ( `twice` AS id * 4, `first` STRING COMMENT 'c', `id` INT NOT NULL, `middle` BIGINT, \
         `ts` TIMESTAMP(3), WATERMARK FOR `ts` AS ts, PRIMARY KEY (`ts`) NOT ENFORCED ) \
         PARTITIONED BY (`id`) WITH ( 'connector' = 'stream', 'path' = 'z' )",
    );
    refused(&mut session, "SELECT * FROM base", &["did you mean based?"]);
}

#[test]
fn alter_says_what_does_not_fit() {
    let mut session = Session::with(BASE);
    let mut check = |rest: &str, expect: &[&str]| {
        refused(&mut session, &format!("ALTER TABLE base {rest}"), expect);
    };
    check(
        "ADD id INT",
        &["a column id already", "MODIFY", "line 1, column 22"],
    );
    check(
        "ADD (a INT AFTER idd)",
        &["column idd does not exist", "did you mean id?"],
    );
    check(
        "ADD PRIMARY KEY (ts) NOT ENFORCED",
        &["a primary key already"],
    );
    check("ADD WATERMARK FOR ts AS ts", &["a watermark already"]);
    check("MODIFY nope INT", &["column nope does not exist"]);
    check("MODIFY ts STRING", &["LV-1013"]);
    check("DROP ts", &["has the watermark", "DROP WATERMARK"]);
    check("DROP id", &["is in the primary key"]);
    check("DROP (twice, key, idd)", &["column idd does not exist"]);
    check("DROP CONSTRAINT c", &["no constraint c"]);
    check("RENAME id TO ts", &["a column ts already"]);
    check(
        "RENAME id TO i",
        &[
            "column id does not exist",
            "in the expression id * 2 of an earlier statement",
            "line 1, column 13",
        ],
    );
    check(
        "RESET ('pathh')",
        &["no option 'pathh'", "did you mean path?"],
    );
    check("SET ('pathh' = 'x')", &["LV-1005", "line 1, column 23"]);
    check("SET ('connector' = 'nope')", &["LV-1015"]);
    check("RENAME TO d.x", &["database d does not exist"]);
    session
        .run("CREATE TABLE u (a INT) WITH ('connector' = 'stream'); CREATE DATABASE d")
        .unwrap();
    refused(
        &mut session,
        "ALTER TABLE base RENAME TO u",
        &["u exists already"],
    );
    refused(
        &mut session,
        "ALTER TABLE base RENAME TO d.u",
        &["another database"],
    );
    refused(&mut session, "ALTER TABLE u DROP a", &["the last"]);
    refused(
        &mut session,
        "ALTER TABLE u DROP WATERMARK",
        &["has no watermark"],
    );
    refused(
        &mut session,
        "ALTER VIEW u RENAME TO w",
        &["u is a table", "ALTER TABLE"],
    );
    refused(&mut session, "ALTER TABLE nope RENAME TO w", &["LV-1002"]);
    session
        .run("ALTER TABLE IF EXISTS nope RENAME TO w")
        .unwrap();
}

#[test]
fn a_view_keeps_its_columns_when_its_table_is_altered() {
    let mut session = Session::with(
        "CREATE TABLE t (a INT, b INT) WITH ('connector' = 'stream'); CREATE VIEW v AS SELECT * FROM t;
         CREATE VIEW w (x, y) AS SELECT * FROM t;",
    );
    session
        .run("ALTER TABLE t ADD (c INT FIRST, d INT AFTER a)")
        .unwrap();
    let columns = |session: &Session, name: &str| {
        let Object::View(view) = object(session, name) else {
            panic!("{name} is no view");
        };
        let schema = session.planner.schema_of_view(&view).unwrap();
        schema
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(columns(&session, "v"), ["a", "b"]);
    assert_eq!(columns(&session, "w"), ["x", "y"]);
    refused(&mut session, "SELECT d FROM v", &["LV-1003"]);
    session.run("ALTER TABLE t DROP b").unwrap();
    refused(
        &mut session,
        "SELECT a FROM v",
        &["view v has lost its column b", "CREATE OR REPLACE VIEW"],
    );
    session
        .run("ALTER VIEW v AS SELECT a, c FROM t; ALTER VIEW v RENAME TO z; SELECT c FROM z")
        .unwrap();
    session.run("DROP TABLE t").unwrap();
    refused(
        &mut session,
        "SELECT * FROM z",
        &["t does not exist", "in view z"],
    );
    refused(
        &mut session,
        "ALTER VIEW w AS SELECT nope FROM z",
        &["LV-10"],
    );
    refused(
        &mut session,
        "ALTER VIEW z AS SELECT * FROM z",
        &["refers to itself"],
    );
}
