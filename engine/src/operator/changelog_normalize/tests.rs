#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::element::Batch;
use crate::graph::{BackendKind, ChangelogNormalizeSpec, OperatorSpec};
use crate::operator::continuity;
use crate::operator::testing::model::assert_same;
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, schema};

const ROWS: &str = "k BIGINT, l STRING, s STRING, v BIGINT, d DECIMAL, f DOUBLE, b BOOLEAN, t DATE";

fn spec(rows: &SchemaRef, keys: &[usize]) -> ChangelogNormalizeSpec {
    ChangelogNormalizeSpec {
        keys: keys.to_vec(),
        rows: rows.clone().into(),
        identities: rows.fields().iter().map(|f| f.name().clone()).collect(),
        emit_update_before: true,
        ttl_ms: 0,
    }
}

fn pipeline(spec: &ChangelogNormalizeSpec) -> Pipeline {
    let rows = spec.rows.0.clone();
    let keys = spec.keys.clone();
    let before = spec.emit_update_before;
    let spec = OperatorSpec::ChangelogNormalize(spec.clone());
    let count = keys.len();
    let pipeline = Pipeline::new(None, spec, rows.clone(), rows, keys);
    match before {
        true => pipeline,
        false => pipeline.upsert(count),
    }
}

/// Two columns, of which the first is the key.
fn small() -> ChangelogNormalizeSpec {
    spec(&schema("k BIGINT, v STRING"), &[0])
}

fn send(pipeline: &mut Pipeline, rows: &str) {
    let schema = schema("k BIGINT, v STRING");
    pipeline.process(batch(&schema, rows));
}

/// What has come out since this was last asked.
fn said(pipeline: &mut Pipeline) -> Vec<String> {
    std::mem::take(&mut pipeline.lines)
}

const NONE: [&str; 0] = [];

#[test]
fn upserts_become_a_changelog() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut normal = pipeline(&small());
        normal.rescale(1, backend);
        send(&mut normal, "+I | 1 | a\n+U | 2 | NULL");
        assert_eq!(said(&mut normal), ["+I | 1 | a", "+I | 2 | NULL"]);
        send(&mut normal, "+U | 1 | b");
        assert_eq!(said(&mut normal), ["-U | 1 | a", "+U | 1 | b"]);
        send(&mut normal, "+I | 1 | NULL\n+I | 2 | x");
        let expected = ["-U | 1 | b", "+U | 1 | NULL", "-U | 2 | NULL", "+U | 2 | x"];
        assert_eq!(said(&mut normal), expected);
        // The same again, and a key that nobody knows.
        send(&mut normal, "+I | 1 | NULL\n-D | 7 | NULL\n+U | 2 | x");
        assert_eq!(said(&mut normal), NONE);
        send(&mut normal, "-D | 2 | NULL");
        assert_eq!(said(&mut normal), ["-D | 2 | x"]);
        send(&mut normal, "-D | 2 | NULL");
        assert_eq!(said(&mut normal), NONE);
        send(&mut normal, "+I | 2 | x");
        assert_eq!(said(&mut normal), ["+I | 2 | x"]);
    }
}

#[test]
fn the_last_row_of_a_key_within_a_batch_decides() {
    let mut normal = pipeline(&small());
    send(
        &mut normal,
        "+I | 1 | a\n+I | 2 | b\n+U | 1 | c\n-D | 2 | NULL",
    );
    assert_eq!(said(&mut normal), ["+I | 1 | c"]);
    send(
        &mut normal,
        "-D | 1 | NULL\n+I | 1 | d\n+I | 3 | x\n-D | 3 | NULL\n+I | 3 | y",
    );
    assert_eq!(
        said(&mut normal),
        ["-U | 1 | c", "+U | 1 | d", "+I | 3 | y"]
    );
    send(
        &mut normal,
        "+I | 1 | e\n+I | 1 | d\n+I | 3 | z\n-D | 3 | NULL",
    );
    assert_eq!(said(&mut normal), ["-D | 3 | y"]);
    // A proper update, as a changelog has it.
    send(&mut normal, "-U | 1 | d\n+U | 1 | f");
    assert_eq!(said(&mut normal), ["-U | 1 | d", "+U | 1 | f"]);
}

#[test]
fn columns_keep_their_places_and_nested_values() {
    let inner = Fields::from(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("b", DataType::Utf8, false),
    ]);
    let rows: SchemaRef = Arc::new(Schema::new(vec![
        Field::new("r", DataType::Struct(inner), true),
        Field::new("k", DataType::Utf8, false),
        Field::new("list", DataType::new_list(DataType::Int32, true), true),
        Field::new("n", DataType::Int64, false),
    ]));
    // Deletes have nothing but the key.
    let nullable: Vec<Field> = rows
        .fields()
        .iter()
        .map(|f| f.as_ref().clone().with_nullable(f.name() != "k"))
        .collect();
    let read: SchemaRef = Arc::new(Schema::new(nullable));
    let json = |text: &str| {
        let reader = arrow::json::ReaderBuilder::new(read.clone())
            .build(std::io::Cursor::new(text.to_string()))
            .unwrap();
        let batches: Vec<_> = reader.map(|b| b.unwrap()).collect();
        batches.into_iter().next().unwrap()
    };
    let spec = OperatorSpec::ChangelogNormalize(spec(&rows, &[1]));
    let mut normal = Pipeline::new(None, spec, read.clone(), rows.clone(), vec![1]);
    normal.rescale(2, BackendKind::RocksDb);
    normal.process(Batch::inserts(json(
        r#"{"r":{"a":1,"b":"x"},"k":"p","list":[1,null],"n":5}
           {"k":"q","n":6}"#,
    )));
    normal.rescale(1, BackendKind::Memory);
    normal.process(Batch::inserts(json(
        r#"{"r":{"a":1,"b":"x"},"k":"p","list":[1,null],"n":5}"#,
    )));
    let delete = json(r#"{"k":"p"}"#);
    let kinds = vec![crate::element::RowKind::Delete];
    normal.process(Batch::with_kinds(delete, kinds).unwrap());
    let mut lines = said(&mut normal);
    lines[..2].sort();
    let expected = [
        "+I | NULL | q | NULL | 6",
        "+I | {a: 1, b: x} | p | [1, NULL] | 5",
        "-D | {a: 1, b: x} | p | [1, NULL] | 5",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn rows_of_nothing_but_the_key_come_and_go() {
    let rows = schema("k BIGINT");
    let mut normal = pipeline(&spec(&rows, &[0]));
    normal.process(batch(&rows, "+I | 1\n+I | 2\n+I | 1"));
    normal.rescale(2, BackendKind::RocksDb);
    normal.process(batch(&rows, "+I | 1\n-D | 2\n-D | 3"));
    assert_eq!(said(&mut normal), ["+I | 1", "+I | 2", "-D | 2"]);
}

/// A random row, of few keys; `NULL` in every sixth cell.
fn cells(random: &mut SmallRng, k: i64, l: &str) -> Vec<String> {
    let mut maybe = |text: String| match random.random_ratio(1, 6) {
        true => "NULL".to_string(),
        false => text,
    };
    let mut cells = vec![k.to_string(), l.to_string()];
    cells.push(maybe("a longer text than fits".into()));
    cells.push(maybe("-9223372036854775808".into()));
    cells.push(maybe("-0.25".into()));
    cells.push(maybe("2.5".into()));
    cells.push(maybe("true".into()));
    cells.push(maybe("2024-02-29".into()));
    if random.random_ratio(1, 2) {
        cells[3] = random.random_range(0..3i64).to_string();
    }
    cells
}

/// Random upserts and deletes against a map, through subtasks that change in number and backend.
fn random_run(seed: u64, emit_update_before: bool, rocksdb: bool, memory_bytes: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let rows = schema(ROWS);
    let mut normal = pipeline(&ChangelogNormalizeSpec {
        emit_update_before,
        ..spec(&rows, &[0, 1])
    });
    normal.memory_bytes = memory_bytes;
    let mut model: BTreeMap<(i64, &str), String> = BTreeMap::new();
    for step in 0..20 {
        let mut lines = vec![];
        for _ in 0..random.random_range(1..24) {
            let k = random.random_range(-3..4i64);
            let l = ["", "x", "NULL"][random.random_range(0..3)];
            if random.random_ratio(1, 3) {
                model.remove(&(k, l));
                let nulls = ["NULL"; 6].join(" | ");
                lines.push(format!("-D | {k} | {l} | {nulls}"));
            } else {
                let row = cells(&mut random, k, l).join(" | ");
                let kind = ["+I", "+U"][random.random_range(0..2)];
                lines.push(format!("{kind} | {row}"));
                model.insert((k, l), row);
            }
        }
        normal.process(batch(&rows, &lines.join("\n")));
        if step % 4 == 3 {
            let backend = match rocksdb && step < 14 {
                true if step < 8 => BackendKind::Disk,
                true => BackendKind::RocksDb,
                false => BackendKind::Memory,
            };
            normal.rescale(random.random_range(1..5), backend);
        }
        let expected = model.values().cloned().collect();
        let place = format!("seed {seed}, step {step}");
        assert_same(normal.result(), expected, &place);
    }
}

#[test]
fn random_upserts_and_deletes_add_up_to_the_last_rows() {
    for seed in 0..40 {
        let memory = if seed % 4 == 0 { 1 << 20 } else { 64 };
        random_run(seed, seed % 2 == 0, seed % 5 < 3, memory);
    }
}

#[test]
fn a_checkpoint_has_what_has_changed() {
    let mut normal = pipeline(&small());
    let rows = |from: i64, to: i64, v: &str| {
        let lines: Vec<String> = (from..to).map(|k| format!("+I | {k} | {v}")).collect();
        lines.join("\n")
    };
    send(&mut normal, &rows(0, 5000, "x"));
    let full = normal.checkpoint().pop().unwrap().len();
    // Rows that are as they were are not written again.
    send(&mut normal, &rows(0, 4000, "x"));
    send(&mut normal, &rows(0, 50, "y"));
    send(&mut normal, "-D | 4000 | NULL\n-D | 6000 | NULL");
    let delta = normal.checkpoint().pop().unwrap().len();
    assert!(delta * 100 < full * 5, "{delta} of {full} bytes");
    let files = normal.checkpoint();
    assert_eq!(crate::state::fixture::entries_of(&files).len(), 4999);
}

#[test]
fn a_row_that_does_not_come_again_is_forgotten() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut normal = pipeline(&ChangelogNormalizeSpec {
            ttl_ms: 1000,
            ..small()
        });
        normal.rescale(2, backend);
        send(&mut normal, "+I | 1 | a\n+I | 2 | b");
        normal.advance_clock(900);
        // As it was, but here again.
        send(&mut normal, "+I | 1 | a");
        normal.rescale(1, backend);
        normal.now_ms = 1500;
        said(&mut normal);
        send(&mut normal, "+I | 1 | c\n+I | 2 | c\n-D | 3 | NULL");
        let expected = ["-U | 1 | a", "+U | 1 | c", "+I | 2 | c"];
        assert_eq!(said(&mut normal), expected);
    }
}

#[test]
fn rows_on_disk_are_swept_when_their_time_is_over() {
    let mut normal = pipeline(&ChangelogNormalizeSpec {
        ttl_ms: 1000,
        ..small()
    });
    normal.rescale(1, BackendKind::RocksDb);
    send(&mut normal, "+I | 1 | a\n+I | 2 | b\n+I | 3 | c");
    for tick in 0..40 {
        normal.advance_clock(2000 + tick * 200);
    }
    let files = normal.checkpoint();
    assert_eq!(crate::state::fixture::entries_of(&files).len(), 0);
}

/// Why a query that reads `columns` cannot go on from the state of one that read `before`.
fn unusable(before: &str, columns: &str) -> Vec<String> {
    let spec = |columns| OperatorSpec::ChangelogNormalize(spec(&schema(columns), &[0]));
    let restored = continuity(&spec(before), &[], 0).unwrap().layouts;
    continuity(&spec(columns), &restored, 0).unwrap().unusable
}

#[test]
fn other_columns_need_other_state() {
    let before = "k BIGINT, a INT, b STRING";
    assert_eq!(unusable(before, before), NONE);
    assert_eq!(unusable(before, "k BIGINT, b STRING, a INT"), NONE);
    assert_eq!(unusable(before, "k BIGINT, b STRING"), NONE);
    assert_eq!(unusable(before, "k BIGINT, a BIGINT, b STRING"), NONE);
    assert_eq!(
        unusable(before, "k BIGINT, a INT, b STRING, c INT, d INT"),
        ["the rows that it kept lack c, d"]
    );
    assert_eq!(
        unusable(before, "k BIGINT, a STRING, b STRING"),
        ["its column a was of INT and is of STRING"]
    );
    assert_eq!(
        unusable(before, "k STRING, a INT, b STRING"),
        ["its key k was of BIGINT and is of STRING"]
    );
}

#[test]
fn a_query_that_reads_fewer_columns_goes_on() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let rows = schema("k BIGINT, a INT, b STRING");
        let mut normal = pipeline(&spec(&rows, &[0]));
        normal.process(batch(&rows, "+I | 1 | 7 | x\n+I | 2 | 8 | y"));
        let fewer = schema("k BIGINT, b STRING");
        let edited = pipeline(&spec(&fewer, &[0]));
        normal.edit(edited, 2, backend, vec!["1 | x".into(), "2 | y".into()]);
        said(&mut normal);
        normal.process(batch(&fewer, "+I | 1 | x\n+I | 2 | z"));
        assert_eq!(said(&mut normal), ["-U | 2 | y", "+U | 2 | z"]);
        normal.rescale(1, BackendKind::Memory);
        normal.process(batch(&fewer, "-D | 1 | NULL"));
        assert_eq!(said(&mut normal), ["-D | 1 | x"]);
    }
}
