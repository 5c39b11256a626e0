#![allow(clippy::unwrap_used)]

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::super::source::layout;
use super::*;
use crate::fixture::table_of;

/// `id` and `part` are the key, `v` and `n` the value; `n` must not be NULL.
fn schema(n_nullable: bool) -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("v", DataType::Utf8, true),
        Field::new("k_id", DataType::Int64, false),
        Field::new("n", DataType::Int64, n_nullable),
        Field::new("k_part", DataType::Utf8, true),
    ]))
}

/// Gathers upserts for the columns of `wanted`; `options` besides the formats.
fn gather(wanted: &SchemaRef, options: &[(&str, &str)], on_bad_row: OnBadRow) -> Gather {
    let mut all = vec![
        ("topic", "t"),
        ("properties.bootstrap.servers", "127.0.0.1:1"),
        ("key.format", "json"),
        ("value.format", "json"),
    ];
    all.extend_from_slice(options);
    let mut table = table_of("upsert-kafka", schema(false), &all);
    table.primary_key = vec!["k_id".into(), "k_part".into()];
    let config = Config::parse_upsert(&table).unwrap();
    let layout = layout(&config, wanted).unwrap();
    Gather::new(&config, Arc::new(layout), on_bad_row).unwrap()
}

const PREFIXED: [(&str, &str); 2] = [
    ("key.fields-prefix", "k_"),
    ("value.fields-include", "EXCEPT_KEY"),
];

fn add(gather: &mut Gather, offset: u64, key: &str, value: Option<&str>) -> Result<usize> {
    gather.add_content(Some(key.as_bytes()), value.map(str::as_bytes), offset)
}

/// `+I v id n part`
fn lines(batch: &Batch) -> Vec<String> {
    let rows = batch.rows();
    let column = |name: &str| rows.column_by_name(name).unwrap();
    let text = |name: &str, row: usize| {
        let column = column(name).as_string::<i32>();
        let value = column.iter().nth(row).flatten();
        value.unwrap_or("NULL").to_string()
    };
    let number = |name: &str, row: usize| {
        let column = column(name).as_primitive::<Int64Type>();
        let value = column.iter().nth(row).flatten();
        value.map_or("NULL".to_string(), |v| v.to_string())
    };
    let line = |row: usize| {
        let kind = batch.kind(row).short();
        let (v, part) = (text("v", row), text("k_part", row));
        format!(
            "{kind} {v} {} {} {part}",
            number("k_id", row),
            number("n", row)
        )
    };
    (0..batch.num_rows()).map(line).collect()
}

#[test]
fn a_message_without_a_value_deletes_its_key() {
    let wanted = schema(true);
    let mut gather = gather(&wanted, &PREFIXED, OnBadRow::Fail);
    add(
        &mut gather,
        0,
        r#"{"id":1,"part":"a"}"#,
        Some(r#"{"v":"x","n":5}"#),
    )
    .unwrap();
    add(&mut gather, 1, r#"{"id":1,"part":"a"}"#, None).unwrap();
    add(
        &mut gather,
        2,
        r#"{"id":2,"part":null}"#,
        Some(r#"{"n":6}"#),
    )
    .unwrap();
    assert_eq!(gather.rows(), 3);
    let gathered = gather.take().unwrap();
    assert_eq!(gathered.rows.schema(), wanted);
    let expected = ["+I x 1 5 a", "-D NULL 1 NULL a", "+I NULL 2 6 NULL"];
    assert_eq!(lines(&gathered.rows), expected);
    assert_eq!(gather.rows(), 0);
    // Deletes alone, and rows alone.
    add(&mut gather, 3, r#"{"id":3,"part":"b"}"#, None).unwrap();
    let gathered = gather.take().unwrap();
    assert_eq!(lines(&gathered.rows), ["-D NULL 3 NULL b"]);
    add(
        &mut gather,
        4,
        r#"{"id":3,"part":"b"}"#,
        Some(r#"{"v":"y","n":7}"#),
    )
    .unwrap();
    let gathered = gather.take().unwrap();
    assert_eq!(lines(&gathered.rows), ["+I y 3 7 b"]);
    assert!(gathered.rows.kinds().is_none());
    assert_eq!(gathered.rows.schema(), wanted);
}

#[test]
fn the_key_says_whose_row_it_is_though_the_value_has_it_too() {
    let mut gather = gather(&schema(true), &[], OnBadRow::Fail);
    let value = r#"{"v":"x","k_id":9,"n":5,"k_part":"z"}"#;
    add(&mut gather, 0, r#"{"k_id":1,"k_part":"a"}"#, Some(value)).unwrap();
    add(&mut gather, 1, r#"{"k_id":1,"k_part":"a"}"#, None).unwrap();
    let gathered = gather.take().unwrap();
    assert_eq!(lines(&gathered.rows), ["+I x 1 5 a", "-D NULL 1 NULL a"]);
}

#[test]
fn the_key_alone_may_be_read() {
    let wanted: SchemaRef = Arc::new(schema(true).project(&[3, 1]).unwrap());
    let mut gather = gather(&wanted, &PREFIXED, OnBadRow::Fail);
    add(&mut gather, 0, r#"{"id":1,"part":"a"}"#, Some(r#"{"n":5}"#)).unwrap();
    add(&mut gather, 1, r#"{"id":1,"part":"a"}"#, None).unwrap();
    let gathered = gather.take().unwrap();
    assert_eq!(gathered.rows.schema(), wanted);
    let kinds: Vec<&str> = (0..2).map(|row| gathered.rows.kind(row).short()).collect();
    assert_eq!(kinds, ["+I", "-D"]);
}

#[test]
fn bad_keys_and_values_are_bad_rows() {
    let wanted = schema(true);
    let good = r#"{"id":1,"part":"a"}"#;
    let value = Some(r#"{"n":1}"#);
    let mut failing = gather(&wanted, &PREFIXED, OnBadRow::Fail);
    add(&mut failing, 0, good, value).unwrap();
    let error = add(&mut failing, 1, "{", value).unwrap_err();
    assert!(error.to_string().contains("message key"), "{error}");
    add(&mut failing, 2, r#"{"part":"a"}"#, None).unwrap_err();
    // NOT NULL is for values; a delete has none.
    let error = add(&mut failing, 3, good, Some(r#"{"v":"x"}"#)).unwrap_err();
    assert!(error.message.contains("NOT NULL"), "{error}");
    let error = failing.add_content(None, Some(b"{}"), 4).unwrap_err();
    assert!(
        error.message.contains("offset 4: the message has no key"),
        "{error}"
    );
    assert_eq!(lines(&failing.take().unwrap().rows), ["+I NULL 1 1 a"]);

    let mut diverting = gather(&wanted, &PREFIXED, OnBadRow::Divert);
    add(&mut diverting, 0, good, Some("nonsense")).unwrap();
    diverting.add_content(None, None, 1).unwrap();
    add(&mut diverting, 2, good, None).unwrap();
    add(&mut diverting, 3, "nonsense", None).unwrap();
    let gathered = diverting.take().unwrap();
    assert_eq!(lines(&gathered.rows), ["-D NULL 1 NULL a"]);
    let offsets: Vec<u64> = gathered.bad.iter().map(|row| row.position.offset).collect();
    assert_eq!(offsets, [0, 1, 3]);

    let mut options = PREFIXED.to_vec();
    options.push(("key.json.ignore-parse-errors", "true"));
    options.push(("value.json.ignore-parse-errors", "true"));
    let mut ignoring = gather(&wanted, &options, OnBadRow::Fail);
    add(&mut ignoring, 0, "nonsense", value).unwrap();
    add(&mut ignoring, 1, good, Some("nonsense")).unwrap();
    add(&mut ignoring, 2, good, value).unwrap();
    let gathered = ignoring.take().unwrap();
    assert_eq!(lines(&gathered.rows), ["+I NULL 1 1 a"]);
    assert_eq!(gathered.ignored, 2);
}
