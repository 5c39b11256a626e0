use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::element::RowKind::{self, Delete, Insert, UpdateAfter, UpdateBefore};

use super::*;
use crate::fixture::table_of;

const BASE: [(&str, &str); 4] = [
    ("topic", "t"),
    ("properties.bootstrap.servers", "127.0.0.1:1"),
    ("key.format", "json"),
    ("value.format", "json"),
];
const BUFFERED: [(&str, &str); 2] = [
    ("sink.buffer-flush.max-rows", "3"),
    ("sink.buffer-flush.interval", "1 s"),
];

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("v", DataType::Utf8, true),
    ]))
}

fn intake(options: &[(&str, &str)]) -> Intake {
    let all: Vec<_> = BASE.iter().chain(options).copied().collect();
    let mut table = table_of("upsert-kafka", schema(), &all);
    table.primary_key = vec!["id".into()];
    let config = Config::parse_upsert(&table).unwrap();
    Intake::new(&config, &schema(), 0).unwrap()
}

fn batch(rows: &[(RowKind, i64, &str)]) -> Batch {
    let id = Int64Array::from_iter_values(rows.iter().map(|r| r.1));
    let v = StringArray::from_iter_values(rows.iter().map(|r| r.2));
    let columns = RecordBatch::try_new(schema(), vec![Arc::new(id), Arc::new(v)]).unwrap();
    Batch::with_kinds(columns, rows.iter().map(|r| r.0).collect()).unwrap()
}

/// The records as `key value`, a missing value as `-`.
fn records(intake: &mut Intake) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let records = intake.records("t").map(|record| {
        let record = record.unwrap();
        assert_eq!((record.topic, record.partition), ("t", None));
        let value = record.payload.map_or("-".to_string(), text);
        format!("{} {value}", text(record.key.unwrap()))
    });
    records.collect()
}

fn put(id: i64, v: &str) -> String {
    format!("{{\"id\":{id}}} {{\"id\":{id},\"v\":\"{v}\"}}")
}

fn gone(id: i64) -> String {
    format!("{{\"id\":{id}}} -")
}

#[test]
fn rows_become_values_and_deletes_have_none() {
    let mut intake = intake(&[]);
    let changes = batch(&[
        (Insert, 1, "a"),
        (Insert, 2, "b"),
        (UpdateAfter, 1, "c"),
        (Delete, 2, "b"),
    ]);
    assert!(intake.take(&changes, "t", 0).unwrap());
    assert_eq!(
        records(&mut intake),
        [put(1, "a"), put(2, "b"), put(1, "c"), gone(2)]
    );
    let inserts = batch(&[(Insert, 3, "x")]);
    assert!(intake.take(&inserts, "t", 0).unwrap());
    assert_eq!(records(&mut intake), [put(3, "x")], "no kinds of before");
    assert!(!intake.holds_back());
    assert_eq!(intake.deadline_ms(), None);
}

#[test]
fn an_update_in_two_halves_is_one_record_unless_the_key_changes() {
    let mut intake = intake(&[]);
    let changes = batch(&[
        (UpdateBefore, 1, "a"),
        (UpdateAfter, 1, "b"),
        (UpdateBefore, 1, "b"),
        (UpdateAfter, 2, "b"),
        (UpdateBefore, 3, "z"),
    ]);
    intake.take(&changes, "t", 0).unwrap();
    assert_eq!(
        records(&mut intake),
        [put(1, "b"), gone(1), put(2, "b"), gone(3)]
    );
}

#[test]
fn buffered_rows_are_reduced_to_the_last_of_each_key() {
    let mut intake = intake(&BUFFERED);
    let first = batch(&[(Insert, 1, "a"), (Insert, 2, "b"), (UpdateAfter, 1, "c")]);
    assert!(!intake.take(&first, "t", 100).unwrap());
    assert!(intake.holds_back());
    assert_eq!(intake.deadline_ms(), Some(1_100));
    let second = batch(&[(Delete, 2, "b"), (UpdateAfter, 1, "d")]);
    assert!(!intake.take(&second, "t", 1_099).unwrap());
    assert!(!intake.is_due(1_099) && intake.is_due(1_100));
    assert_eq!(records(&mut intake), [put(1, "d"), gone(2)]);
    assert!(!intake.holds_back());
    // Three keys are the most.
    let third = batch(&[(Insert, 1, "x"), (Insert, 2, "x"), (Insert, 3, "x")]);
    assert!(intake.take(&third, "t", 2_000).unwrap());
    assert_eq!(
        records(&mut intake),
        [put(1, "x"), put(2, "x"), put(3, "x")]
    );
    assert_eq!(records(&mut intake), [""; 0]);
}

#[test]
fn a_row_without_a_key_is_refused() {
    let mut intake = intake(&[
        ("key.format", "raw"),
        ("value.fields-include", "EXCEPT_KEY"),
        ("value.format", "raw"),
    ]);
    let id = Int64Array::from(vec![None]);
    let v = StringArray::from(vec!["x"]);
    let rows = RecordBatch::try_new(schema(), vec![Arc::new(id), Arc::new(v)]).unwrap();
    let error = intake.take(&Batch::inserts(rows), "t", 0).unwrap_err();
    assert!(error.message.contains("no key"), "{error}");
}
