#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::graph::{BackendKind, JoinInput, MultiJoinSpec, OperatorSpec};
use crate::operator::testing::model::assert_same;
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, schema};

/// What the inputs have, their keys being in another place in each.
const INPUTS: [(&str, usize); 4] = [
    ("k BIGINT, a STRING", 0),
    ("b BIGINT, k BIGINT", 1),
    ("k BIGINT, c STRING", 0),
    ("d STRING, e BIGINT, k BIGINT", 2),
];
const NOTHING: [&str; 0] = [];

/// A join of as many inputs as `padded` has entries, which gives all columns, those of the last input first.
fn spec(padded: &[bool]) -> MultiJoinSpec {
    let inputs = INPUTS.iter().take(padded.len());
    let inputs: Vec<JoinInput> = inputs
        .map(|(columns, key)| JoinInput {
            keys: vec![*key],
            rows: schema(columns).into(),
            updating: true,
        })
        .collect();
    let of = |input: usize| {
        let width = inputs[input].rows.0.fields().len();
        (0..width).map(move |column| (input, column))
    };
    let order = std::iter::once(padded.len() - 1).chain(0..padded.len() - 1);
    MultiJoinSpec {
        columns: order.flat_map(of).collect(),
        inputs,
        padded: padded.to_vec(),
        ttl_ms: 0,
    }
}

fn pipeline(spec: &MultiJoinSpec) -> Pipeline {
    let field = |(input, column): &(usize, usize)| {
        let field = spec.inputs[*input].rows.0.field(*column);
        field.clone().with_nullable(true)
    };
    let fields: Vec<Field> = spec.columns.iter().map(field).collect();
    let output: SchemaRef = Arc::new(Schema::new(fields));
    let input = |input: &JoinInput| (input.rows.0.clone(), input.keys.clone());
    let mut inputs = spec.inputs.iter().map(input);
    let first = inputs.next().unwrap();
    let operator = OperatorSpec::MultiJoin(spec.clone());
    Pipeline::of_several(operator, first, inputs.collect(), output)
}

/// What rows of an input make come out.
fn give(join: &mut Pipeline, input: usize, rows: &str) -> Vec<String> {
    join.process_input(input, batch(&schema(INPUTS[input].0), rows));
    std::mem::take(&mut join.lines)
}

#[test]
fn a_row_meets_all_combinations_of_the_others() {
    let mut join = pipeline(&spec(&[false; 3]));
    assert_eq!(give(&mut join, 0, "+I | 1 | x\n+I | 1 | y"), NOTHING);
    assert_eq!(give(&mut join, 1, "+I | 7 | 1\n+I | 8 | 2"), NOTHING);
    let said = give(&mut join, 2, "+I | 1 | c");
    assert_eq!(
        said,
        ["+I | 1 | c | 1 | y | 7 | 1", "+I | 1 | c | 1 | x | 7 | 1"]
    );
    assert_eq!(
        give(&mut join, 0, "-D | 1 | x"),
        ["-D | 1 | c | 1 | x | 7 | 1"]
    );
    assert_eq!(
        give(&mut join, 1, "-D | 7 | 1"),
        ["-D | 1 | c | 1 | y | 7 | 1"]
    );
    assert_eq!(give(&mut join, 2, "+I | 1 | d"), NOTHING);
}

#[test]
fn what_may_be_missing_is_null_until_it_comes() {
    let mut join = pipeline(&spec(&[false, true, true]));
    let alone = "+I | NULL | NULL | 1 | x | NULL | NULL";
    assert_eq!(give(&mut join, 0, "+I | 1 | x"), [alone]);
    let said = give(&mut join, 2, "+I | 1 | c\n+I | 1 | d");
    assert_eq!(
        said,
        [
            "-D | NULL | NULL | 1 | x | NULL | NULL",
            "+I | 1 | c | 1 | x | NULL | NULL",
            "+I | 1 | d | 1 | x | NULL | NULL",
        ]
    );
    // A row that comes and goes within a batch leaves nothing.
    let said = give(&mut join, 1, "+I | 5 | 1\n-D | 5 | 1");
    assert_eq!(said.len(), 8);
    assert_eq!(join.result().len(), 2);
    assert_eq!(give(&mut join, 2, "-D | 1 | c").len(), 1);
    let said = give(&mut join, 2, "-D | 1 | d");
    assert_eq!(said, ["-D | 1 | d | 1 | x | NULL | NULL", alone]);
}

#[test]
fn a_key_that_is_null_has_no_partner() {
    let mut join = pipeline(&spec(&[false, true, true]));
    let alone = "+I | NULL | NULL | NULL | x | NULL | NULL";
    assert_eq!(give(&mut join, 0, "+I | NULL | x"), [alone]);
    assert_eq!(give(&mut join, 1, "+I | 5 | NULL"), NOTHING);
    assert_eq!(
        give(&mut join, 0, "-D | NULL | x"),
        [alone.replace("+I", "-D")]
    );
    let mut inner = pipeline(&spec(&[false, false, true]));
    assert_eq!(give(&mut inner, 0, "+I | NULL | x"), NOTHING);
    assert_eq!(give(&mut inner, 1, "+I | 5 | NULL"), NOTHING);
}

#[test]
fn rows_that_nothing_changes_are_forgotten_with_time() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut join = pipeline(&MultiJoinSpec {
            ttl_ms: 1000,
            ..spec(&[false; 3])
        });
        join.rescale(2, backend);
        give(&mut join, 0, "+I | 1 | x");
        join.advance_clock(900);
        give(&mut join, 1, "+I | 5 | 1");
        assert_eq!(give(&mut join, 2, "+I | 1 | c").len(), 1);
        join.now_ms = 1500;
        assert_eq!(give(&mut join, 2, "+I | 1 | d"), NOTHING);
        for tick in 0..60 {
            join.advance_clock(4000 + tick * 200);
        }
        let files = join.checkpoint();
        for table in [1, 2, 5] {
            assert_eq!(crate::state::fixture::table_of(&files, table).len(), 0);
        }
    }
}

#[test]
fn what_a_row_makes_of_many_leaves_in_parts() {
    let mut join = pipeline(&spec(&[false, true, false]));
    let rows = |row: &dyn Fn(i64) -> String| (0..12).map(row).collect::<Vec<_>>().join("\n");
    give(&mut join, 0, &rows(&|n| format!("+I | 1 | {n}")));
    give(&mut join, 2, &rows(&|n| format!("+I | 1 | c{n}")));
    join.largest_output = 0;
    let said = give(&mut join, 1, "+I | 5 | 1\n+I | 6 | 1");
    assert_eq!(said.len(), 3 * 144);
    assert!(join.largest_output <= super::OUTPUT_ROWS);
    assert_eq!(join.result().len(), 2 * 144);
}

/// A row of an input, its key NULL at times.
fn row(random: &mut SmallRng, input: usize) -> Vec<String> {
    let key = match random.random_range(0..6) {
        5 => "NULL".to_string(),
        key => key.to_string(),
    };
    let text = ["", "a", "NULL"][random.random_range(0..3)].to_string();
    let number = random.random_range(0..3i64).to_string();
    match input {
        0 | 2 => vec![key, text],
        1 => vec![number, key],
        _ => vec![text, number, key],
    }
}

/// The rows that a join of these rows has.
fn joined(spec: &MultiJoinSpec, there: &[Vec<Vec<String>>]) -> Vec<String> {
    let mut tuples: Vec<Vec<Vec<String>>> = there[0].iter().map(|row| vec![row.clone()]).collect();
    for (input, rows) in there.iter().enumerate().skip(1) {
        let mut longer = vec![];
        for tuple in tuples {
            let key = &tuple[0][INPUTS[0].1];
            let fits = |row: &&Vec<String>| key != "NULL" && row[INPUTS[input].1] == *key;
            let mut partners: Vec<Vec<String>> = rows.iter().filter(fits).cloned().collect();
            if partners.is_empty() && spec.padded[input] {
                let width = spec.inputs[input].rows.0.fields().len();
                partners.push(vec!["NULL".to_string(); width]);
            }
            longer.extend(
                partners
                    .into_iter()
                    .map(|row| [tuple.clone(), vec![row]].concat()),
            );
        }
        tuples = longer;
    }
    let line = |tuple: &Vec<Vec<String>>| {
        let cells = spec
            .columns
            .iter()
            .map(|(of, column)| tuple[*of][*column].clone());
        cells.collect::<Vec<_>>().join(" | ")
    };
    let mut lines: Vec<String> = tuples.iter().map(line).collect();
    lines.sort();
    lines
}

/// Random changes against recomputation, through subtasks that change in number and backend.
fn random_run(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let count = random.random_range(3..5);
    let padded: Vec<bool> = (0..count).map(|at| at > 0 && random.random()).collect();
    let mut spec = spec(&padded);
    for input in &mut spec.inputs {
        input.updating = random.random_ratio(2, 3);
    }
    let mut join = pipeline(&spec);
    join.memory_bytes = if seed.is_multiple_of(3) { 1 << 20 } else { 64 };
    let mut there: Vec<Vec<Vec<String>>> = vec![vec![]; count];
    for step in 0..24 {
        let input = random.random_range(0..count);
        let rows = &mut there[input];
        let mut lines = vec![];
        for _ in 0..random.random_range(1..6) {
            let goes = spec.inputs[input].updating && random.random_ratio(2, 5);
            if goes && !rows.is_empty() {
                let row = rows.swap_remove(random.random_range(0..rows.len()));
                let kind = ["-D", "-U"][random.random_range(0..2)];
                lines.push(format!("{kind} | {}", row.join(" | ")));
            } else {
                let row = row(&mut random, input);
                let kind = ["+I", "+U"][random.random_range(0..2)];
                lines.push(format!("{kind} | {}", row.join(" | ")));
                rows.push(row);
            }
        }
        give(&mut join, input, &lines.join("\n"));
        if step % 5 == 4 {
            let backend = match seed % 4 {
                0 => BackendKind::Disk,
                1 => BackendKind::RocksDb,
                _ => BackendKind::Memory,
            };
            join.rescale(random.random_range(1..5), backend);
        }
        let mut result = join.result();
        result.sort();
        let place = format!("seed {seed}, step {step}, {padded:?}");
        assert_same(result, joined(&spec, &there), &place);
    }
}

#[test]
fn random_changes_add_up_to_the_join_of_what_is_there() {
    for seed in 0..160 {
        random_run(seed);
    }
}
