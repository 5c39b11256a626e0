#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod databases;
mod like;

use sqlparser::ast::{Ident, ObjectName};

use super::{Object, create_table_sql, create_view_sql};
use crate::fixture::Session;

const TABLE: &str = "CREATE TABLE `Events` (
  `id` BIGINT NOT NULL,
  `at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `key` STRING METADATA COMMENT 'as it came',
  `twice` AS id * 2,
  `place` ROW<`city` STRING, `codes` ARRAY<INT>>,
  WATERMARK FOR `at` AS `at` - INTERVAL '1' SECOND,
  PRIMARY KEY (`id`) NOT ENFORCED
)
COMMENT 'it''s a table'
PARTITIONED BY (`key`)
WITH (
  'connector' = 'stream',
  'path' = 'x',
  'scan.parallelism' = '2'
)";

fn object(session: &Session, name: &str) -> Object {
    session
        .planner
        .lookup()
        .find(&ObjectName::from(Ident::new(name)))
        .unwrap()
        .1
}

#[test]
fn a_table_prints_as_the_statement_that_made_it() {
    let session = Session::with(TABLE);
    let Object::Table(table) = object(&session, "events") else {
        panic!("no table");
    };
    assert_eq!(create_table_sql(&table), TABLE);
    let descriptor = table.source_descriptor();
    assert_eq!(descriptor.primary_key, ["id"]);
    assert_eq!(descriptor.metadata["at"], "timestamp");
    assert_eq!(descriptor.options.keys().collect::<Vec<_>>(), ["path"]);
    let names = |schema: arrow::datatypes::SchemaRef| {
        schema
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(table.read_schema()), ["id", "at", "key", "place"]);
    assert_eq!(names(table.write_schema()), ["id", "key", "place"]);
    assert_eq!(names(table.schema()), ["id", "at", "key", "twice", "place"]);
}

#[test]
fn a_view_prints_as_the_statement_that_made_it() {
    let sql = "CREATE TEMPORARY VIEW `v` (`n`) COMMENT 'one' AS\nSELECT 1";
    let session = Session::with(sql);
    let Object::View(view) = object(&session, "V") else {
        panic!("no view");
    };
    assert_eq!(create_view_sql(&view), sql);
    let schema = session.planner.schema_of_view(&view).unwrap();
    assert_eq!(schema.field(0).name(), "n");
}

#[test]
fn names_are_exact_first() {
    let mut session = Session::with(
        "CREATE TABLE t (a INT) WITH ('connector' = 'stream'); CREATE TABLE T (a INT) WITH ('connector' = 'stream'); CREATE TABLE Other (a INT) WITH ('connector' = 'stream');",
    );
    let found = |session: &Session, name: &str| {
        let found = session
            .planner
            .lookup()
            .get(&ObjectName::from(Ident::new(name)));
        found.unwrap().map(|(path, _)| path.name)
    };
    assert_eq!(found(&session, "T").as_deref(), Some("T"));
    assert_eq!(found(&session, "OTHER").as_deref(), Some("Other"));
    assert_eq!(found(&session, "none"), None);
    session
        .run("SELECT A FROM default_catalog.default_database.OTHER")
        .unwrap();
    session.run("DROP TABLE T").unwrap();
    assert_eq!(found(&session, "T").as_deref(), Some("t"));
}

#[test]
fn create_and_drop_say_what_is_in_the_way() {
    let mut session = Session::with(TABLE);
    let error = |session: &mut Session, sql: &str| session.run(sql).unwrap_err().to_string();
    let again = error(&mut session, "CREATE VIEW Events AS SELECT 1");
    assert!(again.contains("LV-1010"), "{again}");
    session
        .run("CREATE TABLE IF NOT EXISTS Events (a INT) WITH ('connector' = 'stream')")
        .unwrap();
    session
        .run("CREATE OR REPLACE TABLE Events (a INT) WITH ('connector' = 'stream')")
        .unwrap();
    session.run("SELECT a FROM Events").unwrap();
    let kind = error(&mut session, "DROP VIEW Events");
    assert!(kind.contains("DROP TABLE"), "{kind}");
    session.run("DROP TABLE IF EXISTS nothing").unwrap();
    let none = error(&mut session, "DROP TABLE Event");
    assert!(none.contains("did you mean Events"), "{none}");
}
