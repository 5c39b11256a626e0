//! What is known about elements: keys, times, the order of their changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::UnnestColumn::{Element, Input, Ordinality};

use super::Unnest;
use crate::fixture::Session;
use crate::streaming::{Attribute, Properties};

const TABLES: &str = "
CREATE TABLE carts (id BIGINT NOT NULL, customer BIGINT, tags ARRAY<STRING>, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE customers (id BIGINT NOT NULL, tags ARRAY<STRING>, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE by_id (id BIGINT, tag STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE by_number (id BIGINT, n INT, tag STRING, PRIMARY KEY (id, n) NOT ENFORCED) WITH ('connector' = 'upsert');
";

/// Rows of an id, a list and an event time, unique by the id.
fn rows() -> Properties {
    let list = DataType::List(Arc::new(Field::new("item", DataType::Utf8, false)));
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let fields = vec![
        Field::new("id", DataType::Int64, false),
        Field::new("items", list, true),
        Field::new("ts", time, true),
    ];
    let mut rows = Properties::appending(Arc::new(Schema::new(fields)), true);
    rows.keys = vec![vec![0]];
    rows.attributes = vec![Attribute::None, Attribute::None, Attribute::EventTime];
    rows
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("c{n}")).collect()
}

#[test]
fn elements_are_told_apart_by_the_key_of_their_row_and_their_number() {
    let keys = |columns: &[_]| {
        let unnest = Unnest {
            collection: 1,
            outer: false,
            columns: columns.to_vec(),
        };
        let properties = unnest.properties(&names(columns.len()), &rows());
        properties.unwrap().keys
    };
    assert_eq!(keys(&[Ordinality, Element, Input(0)]), [[2, 0]]);
    assert!(keys(&[Element, Input(0)]).is_empty());
    assert!(keys(&[Element, Ordinality]).is_empty());
}

#[test]
fn the_time_of_a_row_is_that_of_its_elements_and_nothing_is_remembered() {
    let properties = |outer| {
        let columns = vec![Element, Input(2), Ordinality];
        let unnest = Unnest {
            collection: 1,
            outer,
            columns,
        };
        unnest.properties(&names(3), &rows()).unwrap()
    };
    let nullable = |properties: &Properties| -> Vec<bool> {
        let fields = properties.schema.fields();
        fields.iter().map(|f| f.is_nullable()).collect()
    };
    let inner = properties(false);
    assert_eq!(inner.attribute(1), Attribute::EventTime);
    assert_eq!(nullable(&inner), [false, true, false]);
    assert_eq!(nullable(&properties(true)), [true, true, true]);
}

/// Whether rows are kept by the key of the table that they go to.
#[track_caller]
fn is_kept_by_key(sql: &str) -> bool {
    let plan = Session::with(TABLES).run(&format!("EXPLAIN {sql}"));
    plan.map_err(|error| error.render(sql))
        .unwrap()
        .contains("UpsertMaterialize(")
}

#[test]
fn a_sink_takes_elements_by_the_key_of_their_row_and_their_number() {
    let sql = "INSERT INTO by_number SELECT id, n, tag FROM carts CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t (tag, n)";
    let job = Session::with(TABLES).job(sql);
    let job = job.map_err(|error| error.render(sql)).unwrap();
    assert_eq!(job.mode, ChangelogMode::Retract);
    assert!(!is_kept_by_key(sql));
    let by_row = "INSERT INTO by_id SELECT id, tag FROM carts CROSS JOIN UNNEST(tags) AS t (tag)";
    assert!(is_kept_by_key(by_row));
}

#[test]
fn elements_of_rows_that_overtake_each_other_do_so_too() {
    let sql = "INSERT INTO by_number SELECT c.id, n, tag FROM carts AS c JOIN customers AS o ON c.customer = o.id \
               CROSS JOIN UNNEST(o.tags) WITH ORDINALITY AS t (tag, n)";
    assert!(is_kept_by_key(sql));
}

#[test]
fn what_is_another_value_each_time_is_asked_of_each_element() {
    let sql = "EXPLAIN SELECT id, tag FROM carts CROSS JOIN UNNEST(tags) AS t (tag) WHERE RAND() < 0.5 AND id > 3";
    let plan = Session::with(TABLES).run(sql).unwrap();
    let (above, below) = plan.rsplit_once("Unnest(").unwrap();
    assert!(above.contains("random()"), "{plan}");
    assert!(!below.contains("random()"), "{plan}");
    let sql = "EXPLAIN SELECT id, tag FROM carts CROSS JOIN UNNEST(tags) AS t (tag) WHERE tag <> 'x' AND id > 3";
    let plan = Session::with(TABLES).run(sql).unwrap();
    let (above, below) = plan.rsplit_once("Unnest(").unwrap();
    assert!(above.contains("where=[tag"), "{plan}");
    assert!(below.contains("where=[id"), "{plan}");
}
