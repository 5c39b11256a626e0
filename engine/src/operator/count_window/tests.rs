#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::graph::{BackendKind, CountWindowSpec, OperatorSpec};
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, schema};

const ROWS: &str = "k BIGINT, n BIGINT, t TIMESTAMP";

fn pipeline(size: u64, slide: u64) -> Pipeline {
    let rows = schema(ROWS);
    let mut fields: Vec<_> = rows.fields().iter().cloned().collect();
    let number = |name: &str| Arc::new(Field::new(name, DataType::Int64, false));
    fields.extend([number("start"), number("end")]);
    fields.push(Arc::new(rows.field(2).clone().with_name("time")));
    let output: SchemaRef = Arc::new(Schema::new(fields));
    let spec = CountWindowSpec {
        rows: rows.clone().into(),
        partition_by: vec![0],
        number: 1,
        size,
        slide,
        time: Some(2),
    };
    let spec = OperatorSpec::CountWindow(spec);
    Pipeline::new(None, spec, rows, output, vec![0])
}

fn row(key: i64, number: i64) -> String {
    format!("+I | {key} | {number} | 1970-01-01T00:00:00.{number:03}")
}

/// What was said: the key and number of each row, its window, and the last milliseconds of the window.
fn said(windows: &mut Pipeline) -> Vec<String> {
    let lines = std::mem::take(&mut windows.lines);
    let short = |line: String| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let millis = cells[6].rsplit('.').next().unwrap();
        format!(
            "{} {}: {}-{} {millis}",
            cells[1], cells[2], cells[4], cells[5]
        )
    };
    let mut said: Vec<String> = lines.into_iter().map(short).collect();
    said.sort();
    said
}

fn give(windows: &mut Pipeline, rows: &[(i64, i64)]) -> Vec<String> {
    let rows: Vec<String> = rows
        .iter()
        .map(|(key, number)| row(*key, *number))
        .collect();
    windows.process(batch(&schema(ROWS), &rows.join("\n")));
    said(windows)
}

const NOTHING: [&str; 0] = [];

#[test]
fn rows_go_out_when_their_window_is_full() {
    let mut windows = pipeline(2, 2);
    assert_eq!(give(&mut windows, &[(1, 1), (2, 1)]), NOTHING);
    assert_eq!(
        give(&mut windows, &[(1, 2), (1, 3)]),
        ["1 1: 1-2 002", "1 2: 1-2 002"]
    );
    windows.rescale(3, BackendKind::RocksDb);
    assert_eq!(
        give(&mut windows, &[(2, 2), (1, 4), (1, 5)]),
        [
            "1 3: 3-4 004",
            "1 4: 3-4 004",
            "2 1: 1-2 002",
            "2 2: 1-2 002"
        ]
    );
    // What is left over at the end is in no window.
    assert_eq!(windows.finish().len(), 6);
}

#[test]
fn windows_that_begin_before_the_first_row_have_fewer() {
    let mut windows = pipeline(3, 2);
    assert_eq!(
        give(&mut windows, &[(1, 1), (1, 2), (1, 3)]),
        ["1 1: 1-2 002", "1 2: 1-2 002"]
    );
    assert_eq!(
        give(&mut windows, &[(1, 4)]),
        ["1 2: 2-4 004", "1 3: 2-4 004", "1 4: 2-4 004"]
    );
}

#[test]
fn rows_between_windows_are_in_none_and_are_not_kept() {
    let mut windows = pipeline(1, 3);
    assert_eq!(
        give(&mut windows, &[(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]),
        ["1 3: 3-3 003"]
    );
    assert_eq!(windows.checkpoint().len(), 1);
    assert_eq!(give(&mut windows, &[(1, 6), (1, 7)]), ["1 6: 6-6 006"]);
}

#[test]
fn windows_are_those_of_all_rows_however_they_come() {
    for (size, slide) in [(1, 1), (3, 3), (5, 2), (2, 5), (4, 1), (13, 7)] {
        let mut windows = pipeline(size, slide);
        let mut rng = SmallRng::seed_from_u64(size * 31 + slide);
        let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
        let mut found = Vec::new();
        for step in 0..40 {
            let mut rows = Vec::new();
            for _ in 0..rng.random_range(0..12) {
                let key = rng.random_range(0..4i64);
                let number = counts.entry(key).or_default();
                *number += 1;
                rows.push((key, *number));
            }
            if !rows.is_empty() {
                found.extend(give(&mut windows, &rows));
            }
            if step % 5 == 4 {
                let backend = match rng.random_bool(0.5) {
                    true => BackendKind::RocksDb,
                    false => BackendKind::Memory,
                };
                windows.rescale(rng.random_range(1..4u32), backend);
            }
        }
        let mut expected = Vec::new();
        let (size, slide) = (size as i64, slide as i64);
        for (key, count) in counts {
            for end in (slide..=count).step_by(slide as usize) {
                let start = (end - size + 1).max(1);
                let rows = (start..=end).map(|n| format!("{key} {n}: {start}-{end} {end:03}"));
                expected.extend(rows);
            }
        }
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "size {size}, slide {slide}");
    }
}
