#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::*;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int64, true),
    ]))
}

/// Reads lines such as `+I a 1`; `-` is NULL.
fn batch(text: &str) -> Batch {
    let (mut kinds, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        kinds.push(match words[0] {
            "+I" => RowKind::Insert,
            "-U" => RowKind::UpdateBefore,
            "+U" => RowKind::UpdateAfter,
            "-D" => RowKind::Delete,
            other => panic!("{other}"),
        });
        keys.push(Some(words[1]).filter(|w| *w != "-"));
        values.push(words[2].parse::<i64>().ok());
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(keys)),
        Arc::new(Int64Array::from(values)),
    ];
    Batch::with_kinds(RecordBatch::try_new(schema(), columns).unwrap(), kinds).unwrap()
}

fn text(batch: &RecordBatch) -> Vec<String> {
    let keys = batch.column(0).as_string::<i32>();
    let values = batch.column(1).as_primitive::<Int64Type>();
    let rows = keys.iter().zip(values.iter());
    rows.map(|(k, v)| {
        let v = v.map_or("-".to_string(), |v| v.to_string());
        format!("{} {v}", k.unwrap_or("-"))
    })
    .collect()
}

fn rows(materialized: &Materialized) -> Vec<String> {
    let batches = materialized.batches().unwrap();
    let rows: Vec<String> = batches.flat_map(|b| text(&b.unwrap())).collect();
    assert_eq!(rows.len(), materialized.len());
    rows
}

#[track_caller]
fn check(key: Option<Vec<usize>>, changes: &str, expected: &[&str]) {
    let mut whole = Materialized::new(schema(), key.clone()).unwrap();
    whole.apply(&batch(changes)).unwrap();
    assert_eq!(rows(&whole), expected);
    let mut single = Materialized::new(schema(), key).unwrap();
    for line in changes.lines().filter(|line| !line.trim().is_empty()) {
        single.apply(&batch(line)).unwrap();
    }
    assert_eq!(rows(&single), expected, "batches do not matter");
}

#[test]
fn updates_take_the_place_of_what_they_replace() {
    check(
        None,
        "+I a 1
         +I b 1
         -U a 1
         +U a 2
         +I c 1
         -D b 1",
        &["a 2", "c 1"],
    );
}

#[test]
fn equal_rows_count() {
    check(
        None,
        "+I a 1
         +I - -
         +I a 1
         +I - -
         -D a 1",
        &["a 1", "- -", "- -"],
    );
}

#[test]
fn a_retraction_may_come_before_its_row() {
    check(
        None,
        "-U a 1
         +U a 2
         +I a 1",
        &["a 2"],
    );
}

#[test]
fn a_retraction_without_a_row_is_an_error_at_the_end() {
    let mut materialized = Materialized::new(schema(), None).unwrap();
    materialized.apply(&batch("+I a 1\n-D b 1")).unwrap();
    assert_eq!(materialized.len(), 1);
    let error = materialized.batches().err().unwrap();
    assert_eq!(error.code(), "LV-9001");
}

#[test]
fn a_key_keeps_its_last_row() {
    check(
        Some(vec![0]),
        "+I a 1
         +I b 1
         +U a 2
         -D b 9
         -U a 2
         +U a 3
         -D c 1",
        &["a 3"],
    );
}

#[test]
fn the_tail_is_the_end_of_all_rows() {
    let mut materialized = Materialized::new(schema(), None).unwrap();
    materialized
        .apply(&batch("+I a 1\n+I b 2\n+I b 2\n+I c 3"))
        .unwrap();
    assert_eq!(text(&materialized.tail(3).unwrap()), ["b 2", "b 2", "c 3"]);
    assert_eq!(text(&materialized.tail(2).unwrap()), ["b 2", "c 3"]);
    assert_eq!(materialized.tail(0).unwrap().num_rows(), 0);
    assert_eq!(materialized.tail(9).unwrap().num_rows(), 4);
}

#[test]
fn the_oldest_rows_can_be_let_go() {
    let mut materialized = Materialized::new(schema(), None).unwrap();
    materialized
        .apply(&batch("+I a 1\n+I b 2\n+I b 2\n+I c 3\n+I d 4"))
        .unwrap();
    assert_eq!(materialized.forget_oldest(3), 3, "equal rows go together");
    assert_eq!(rows(&materialized), ["c 3", "d 4"]);
    materialized.apply(&batch("+I a 1")).unwrap();
    assert_eq!(rows(&materialized), ["c 3", "d 4", "a 1"]);
    assert_eq!(materialized.forget_oldest(3), 0);
}

#[test]
fn rows_without_columns_are_counted() {
    let schema: SchemaRef = Arc::new(Schema::empty());
    let mut materialized = Materialized::new(schema.clone(), None).unwrap();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(3));
    let rows = RecordBatch::try_new_with_options(schema, vec![], &options).unwrap();
    materialized.apply(&Batch::inserts(rows)).unwrap();
    let total: usize = materialized
        .batches()
        .unwrap()
        .map(|b| b.unwrap().num_rows())
        .sum();
    assert_eq!((materialized.len(), total), (3, 3));
}
