#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::logical_expr::Operator as Sign;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::expression;
use crate::graph::{BackendKind, JoinInput, JoinKind, JoinSpec, OperatorSpec};
use crate::operator::testing::model::assert_same;
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, schema};

const LEFT: &str = "k BIGINT, s STRING, v BIGINT";
const RIGHT: &str = "w BIGINT, k BIGINT, t STRING";
pub(super) const KINDS: [JoinKind; 6] = [
    JoinKind::Inner,
    JoinKind::Left,
    JoinKind::Right,
    JoinKind::Full,
    JoinKind::Semi,
    JoinKind::Anti,
];

/// A join by `k` alone.
fn spec(kind: JoinKind) -> JoinSpec {
    let input = |columns: &str, keys: &[usize]| JoinInput {
        keys: keys.to_vec(),
        rows: schema(columns).into(),
        updating: true,
    };
    JoinSpec {
        kind,
        left: input(LEFT, &[0]),
        right: input(RIGHT, &[1]),
        null_equals_null: false,
        condition: None,
        ttl_ms: 0,
        input_ttl_ms: [None, None],
        time: None,
    }
}

/// With the condition `v < w`.
fn conditional(kind: JoinKind) -> JoinSpec {
    let column =
        |name: &str, at: usize| -> Arc<dyn PhysicalExpr> { Arc::new(Column::new(name, at)) };
    let less = BinaryExpr::new(column("v", 2), Sign::Lt, column("w", 3));
    let less: Arc<dyn PhysicalExpr> = Arc::new(less);
    JoinSpec {
        condition: Some(expression::encode(&less).unwrap()),
        ..spec(kind)
    }
}

fn output(spec: &JoinSpec) -> SchemaRef {
    let nullable = |schema: &Schema| -> Vec<Field> {
        let fields = schema.fields().iter();
        fields
            .map(|f| f.as_ref().clone().with_nullable(true))
            .collect()
    };
    let mut fields = nullable(&spec.left.rows.0);
    if !matches!(spec.kind, JoinKind::Semi | JoinKind::Anti) {
        fields.extend(nullable(&spec.right.rows.0));
    }
    Arc::new(Schema::new(fields))
}

pub(super) fn pipeline(spec: &JoinSpec) -> Pipeline {
    let input = |input: &JoinInput| (input.rows.0.clone(), input.keys.clone());
    let inputs = [input(&spec.left), input(&spec.right)];
    Pipeline::of_two(OperatorSpec::Join(spec.clone()), inputs, output(spec))
}

/// What has come out since this was last asked.
fn said(join: &mut Pipeline) -> Vec<String> {
    std::mem::take(&mut join.lines)
}

fn left(join: &mut Pipeline, rows: &str) -> Vec<String> {
    join.process(batch(&schema(LEFT), rows));
    said(join)
}

fn right(join: &mut Pipeline, rows: &str) -> Vec<String> {
    join.process_second(batch(&schema(RIGHT), rows));
    said(join)
}

const NOTHING: [&str; 0] = [];

#[test]
fn pairs_come_and_go_with_their_rows() {
    let mut join = pipeline(&spec(JoinKind::Inner));
    assert_eq!(left(&mut join, "+I | 1 | a | 10\n+I | 2 | b | 20"), NOTHING);
    let pair = "+I | 1 | a | 10 | 5 | 1 | x";
    assert_eq!(right(&mut join, "+I | 5 | 1 | x\n+I | 5 | 3 | y"), [pair]);
    let said = left(&mut join, "-U | 1 | a | 10\n+U | 1 | c | 10");
    assert_eq!(
        said,
        ["-D | 1 | a | 10 | 5 | 1 | x", "+I | 1 | c | 10 | 5 | 1 | x"]
    );
    assert_eq!(
        left(&mut join, "-D | 1 | c | 10"),
        ["-D | 1 | c | 10 | 5 | 1 | x"]
    );
    assert_eq!(right(&mut join, "-D | 5 | 1 | x"), NOTHING);
    assert_eq!(left(&mut join, "+I | 1 | c | 10"), NOTHING);
}

#[test]
fn a_row_without_a_partner_says_so_until_it_has_one() {
    let mut join = pipeline(&spec(JoinKind::Full));
    let alone = "+I | 1 | a | 10 | NULL | NULL | NULL";
    assert_eq!(left(&mut join, "+I | 1 | a | 10"), [alone]);
    let said = right(&mut join, "+I | 5 | 1 | x\n+I | 6 | 1 | y\n+I | 7 | 2 | z");
    let expected = [
        "-D | 1 | a | 10 | NULL | NULL | NULL",
        "+I | 1 | a | 10 | 5 | 1 | x",
        "+I | 1 | a | 10 | 6 | 1 | y",
        "+I | NULL | NULL | NULL | 7 | 2 | z",
    ];
    assert_eq!(said, expected);
    assert_eq!(
        right(&mut join, "-D | 5 | 1 | x"),
        ["-D | 1 | a | 10 | 5 | 1 | x"]
    );
    let said = right(&mut join, "-D | 6 | 1 | y");
    assert_eq!(said, ["-D | 1 | a | 10 | 6 | 1 | y", alone]);
}

#[test]
fn a_key_that_is_null_has_no_partner() {
    let mut join = pipeline(&spec(JoinKind::Left));
    let said = left(&mut join, "+I | NULL | a | 1\n+I | 1 | b | 1");
    assert_eq!(said.len(), 2);
    assert_eq!(right(&mut join, "+I | 5 | NULL | x"), NOTHING);
    let said = left(&mut join, "-D | NULL | a | 1");
    assert_eq!(said, ["-D | NULL | a | 1 | NULL | NULL | NULL"]);

    let mut join = pipeline(&JoinSpec {
        null_equals_null: true,
        ..spec(JoinKind::Inner)
    });
    assert_eq!(left(&mut join, "+I | NULL | a | 1"), NOTHING);
    let pair = "+I | NULL | a | 1 | 5 | NULL | x";
    assert_eq!(right(&mut join, "+I | 5 | NULL | x"), [pair]);
}

#[test]
fn semi_and_anti_joins_give_each_row_once() {
    for (kind, first, last) in [(JoinKind::Semi, "+I", "-D"), (JoinKind::Anti, "-D", "+I")] {
        let mut join = pipeline(&spec(kind));
        let said = left(&mut join, "+I | 1 | a | 10");
        assert_eq!(said.len(), usize::from(kind == JoinKind::Anti));
        let said = right(&mut join, "+I | 5 | 1 | x\n+I | 6 | 1 | y");
        assert_eq!(said, [format!("{first} | 1 | a | 10")]);
        assert_eq!(right(&mut join, "-D | 6 | 1 | y"), NOTHING);
        let said = right(&mut join, "-D | 5 | 1 | x");
        assert_eq!(said, [format!("{last} | 1 | a | 10")]);
    }
}

#[test]
fn equal_rows_are_as_many_as_have_come() {
    let mut join = pipeline(&spec(JoinKind::Inner));
    left(
        &mut join,
        "+I | 1 | a | 1\n+I | 1 | a | 1\n+I | 1 | a | 1\n-D | 1 | a | 1",
    );
    let pair = "+I | 1 | a | 1 | 5 | 1 | x";
    assert_eq!(right(&mut join, "+I | 5 | 1 | x"), [pair, pair]);
}

#[test]
fn what_a_row_of_the_same_batch_undoes_is_undone() {
    let mut join = pipeline(&spec(JoinKind::Left));
    let rows = "+I | 1 | a | 1\n-D | 1 | a | 1\n+I | 1 | a | 1\n-U | 1 | a | 1\n+U | 2 | a | 1";
    left(&mut join, rows);
    assert_eq!(join.result(), ["2 | a | 1 | NULL | NULL | NULL"]);
    assert_eq!(right(&mut join, "+I | 5 | 1 | x"), NOTHING);
}

/// Rows of an input as texts, some of them equal.
fn row(random: &mut SmallRng, input: usize) -> Vec<String> {
    let key = match random.random_range(0..7) {
        6 => "NULL".to_string(),
        key => key.to_string(),
    };
    let text = ["", "a", "NULL"][random.random_range(0..3)].to_string();
    let number = random.random_range(0..4i64).to_string();
    match input {
        0 => vec![key, text, number],
        _ => vec![number, key, text],
    }
}

/// The rows that a join of these rows has.
fn joined(spec: &JoinSpec, left: &[Vec<String>], right: &[Vec<String>]) -> Vec<String> {
    let number = |text: &String| text.parse::<i64>().unwrap();
    let fits = |l: &Vec<String>, r: &Vec<String>| {
        (l[0] != "NULL" || spec.null_equals_null)
            && l[0] == r[1]
            && (spec.condition.is_none() || number(&l[2]) < number(&r[0]))
    };
    let nulls = vec!["NULL".to_string(); 3];
    let line = |l: &Vec<String>, r: &Vec<String>| [l.as_slice(), r].concat().join(" | ");
    let mut rows = vec![];
    for l in left {
        let partners: Vec<_> = right.iter().filter(|r| fits(l, r)).collect();
        match spec.kind {
            JoinKind::Semi if !partners.is_empty() => rows.push(l.join(" | ")),
            JoinKind::Anti if partners.is_empty() => rows.push(l.join(" | ")),
            JoinKind::Semi | JoinKind::Anti => {}
            kind => {
                rows.extend(partners.iter().map(|r| line(l, r)));
                if partners.is_empty() && matches!(kind, JoinKind::Left | JoinKind::Full) {
                    rows.push(line(l, &nulls));
                }
            }
        }
    }
    if matches!(spec.kind, JoinKind::Right | JoinKind::Full) {
        let alone = right.iter().filter(|r| !left.iter().any(|l| fits(l, r)));
        rows.extend(alone.map(|r| line(&nulls, r)));
    }
    rows.sort();
    rows
}

/// Random changes against recomputation, through subtasks that change in number and backend.
fn random_run(seed: u64, spec: &JoinSpec, rocksdb: bool, memory_bytes: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut join = pipeline(spec);
    join.memory_bytes = memory_bytes;
    let mut there: [Vec<Vec<String>>; 2] = Default::default();
    let updating = [spec.left.updating, spec.right.updating];
    for step in 0..24 {
        let input = random.random_range(0..2);
        let rows = &mut there[input];
        let mut lines = vec![];
        for _ in 0..random.random_range(1..12) {
            if updating[input] && !rows.is_empty() && random.random_ratio(2, 5) {
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
        match input {
            0 => join.process(batch(&schema(LEFT), &lines.join("\n"))),
            _ => join.process_second(batch(&schema(RIGHT), &lines.join("\n"))),
        }
        if step % 5 == 4 {
            let backend = match rocksdb && step < 18 {
                true if step < 10 => BackendKind::Disk,
                true => BackendKind::RocksDb,
                false => BackendKind::Memory,
            };
            join.rescale(random.random_range(1..5), backend);
        }
        let mut result = join.result();
        result.sort();
        let place = format!("seed {seed}, step {step}, {:?}", spec.kind);
        assert_same(result, joined(spec, &there[0], &there[1]), &place);
    }
}

#[test]
fn random_changes_add_up_to_the_join_of_what_is_there() {
    for seed in 0..120 {
        let kind = KINDS[seed as usize % KINDS.len()];
        let mut spec = match seed % 4 {
            0 | 1 => spec(kind),
            _ => conditional(kind),
        };
        spec.null_equals_null = seed % 5 == 0;
        spec.left.updating = seed % 7 < 4;
        spec.right.updating = seed % 9 < 5;
        let memory = if seed % 3 == 0 { 1 << 20 } else { 64 };
        random_run(seed, &spec, seed % 2 == 0, memory);
    }
}

#[test]
fn without_a_key_everything_joins_everything() {
    let mut cross = spec(JoinKind::Inner);
    cross.left.keys = vec![];
    cross.right.keys = vec![];
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut join = pipeline(&cross);
        join.rescale(1, backend);
        left(&mut join, "+I | 1 | a | 1\n+I | NULL | b | 1");
        join.rescale(2, backend);
        assert_eq!(
            right(&mut join, "+I | 5 | 7 | x\n+I | 6 | NULL | y").len(),
            4
        );
        assert_eq!(left(&mut join, "-D | NULL | b | 1").len(), 2);
    }
}

#[test]
fn what_a_row_makes_of_many_leaves_in_parts() {
    for kind in [
        JoinKind::Inner,
        JoinKind::Full,
        JoinKind::Semi,
        JoinKind::Anti,
    ] {
        for spec in [spec(kind), conditional(kind)] {
            let mut join = pipeline(&spec);
            let rows: Vec<String> = (0..60).map(|v| format!("+I | 1 | a | {v}")).collect();
            left(&mut join, &rows.join("\n"));
            let partners = "+I | 30 | 1 | x\n+I | 30 | 1 | y\n+I | 30 | 2 | z";
            join.largest_output = 0;
            right(&mut join, partners);
            assert!(join.largest_output <= super::OUTPUT_ROWS + 3, "{kind:?}");
            right(&mut join, &partners.replace("+I", "-D"));
            assert_same(join.result(), joined(&spec, &lines_of(&rows), &[]), "");
        }
    }
}

fn lines_of(rows: &[String]) -> Vec<Vec<String>> {
    let columns = |row: &String| row.split(" | ").skip(1).map(str::to_string).collect();
    rows.iter().map(columns).collect()
}

#[test]
fn a_checkpoint_has_what_has_changed() {
    let mut join = pipeline(&spec(JoinKind::Left));
    let rows = |from: i64, to: i64| -> String {
        let lines = (from..to).map(|k| format!("+I | {k} | a text that is not short | 1"));
        lines.collect::<Vec<_>>().join("\n")
    };
    left(&mut join, &rows(0, 4000));
    let full = join.checkpoint().pop().unwrap().len();
    left(&mut join, "-D | 7 | a text that is not short | 1");
    // The number of partners of a row is part of it.
    right(&mut join, "+I | 5 | 8 | x");
    let delta = join.checkpoint().pop().unwrap().len();
    assert!(delta * 20 < full, "{delta} of {full} bytes");
    let files = join.checkpoint();
    let rows = |table| crate::state::fixture::table_of(&files, table).len();
    assert_eq!((rows(1), rows(2)), (3999, 1));
}

#[test]
fn rows_that_nothing_changes_are_forgotten_with_time() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut join = pipeline(&JoinSpec {
            ttl_ms: 1000,
            ..spec(JoinKind::Inner)
        });
        join.rescale(2, backend);
        left(&mut join, "+I | 1 | a | 1\n+I | 2 | b | 1");
        join.advance_clock(900);
        assert_eq!(right(&mut join, "+I | 5 | 1 | x").len(), 1);
        join.rescale(1, backend);
        join.now_ms = 1500;
        assert_eq!(left(&mut join, "+I | 1 | c | 1").len(), 1);
        assert_eq!(right(&mut join, "+I | 5 | 2 | x"), NOTHING);
        for tick in 0..60 {
            join.advance_clock(4000 + tick * 200);
        }
        let files = join.checkpoint();
        assert_eq!(crate::state::fixture::table_of(&files, 1).len(), 0);
        assert_eq!(crate::state::fixture::table_of(&files, 2).len(), 0);
    }
}

#[test]
fn each_input_may_have_a_time_to_live_of_its_own() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut join = pipeline(&JoinSpec {
            ttl_ms: 1000,
            input_ttl_ms: [Some(100_000), None],
            ..spec(JoinKind::Inner)
        });
        left(&mut join, "+I | 1 | a | 1");
        right(&mut join, "+I | 5 | 1 | x");
        join.rescale(2, backend);
        join.now_ms = 2000;
        // The left row is there, the right one is not.
        assert_eq!(right(&mut join, "+I | 6 | 1 | y").len(), 1);
        join.now_ms = 4000;
        assert_eq!(left(&mut join, "+I | 2 | b | 1"), NOTHING);
        for tick in 0..60 {
            join.advance_clock(6000 + tick * 200);
        }
        let files = join.checkpoint();
        assert_eq!(crate::state::fixture::table_of(&files, 1).len(), 2);
        assert_eq!(crate::state::fixture::table_of(&files, 2).len(), 0);
    }
}

#[test]
fn rows_that_say_nothing_more_are_not_kept() {
    let stored = |kind: JoinKind, left_rows: &str, right_rows: &str| {
        let mut spec = spec(kind);
        spec.left.updating = false;
        spec.right.updating = false;
        let mut join = pipeline(&spec);
        right(&mut join, right_rows);
        left(&mut join, left_rows);
        let files = join.checkpoint();
        let rows = |table| crate::state::fixture::table_of(&files, table).len();
        (rows(1), rows(2))
    };
    let twice = "+I | 5 | 1 | x\n+I | 6 | 1 | y\n+I | 7 | 2 | z";
    let both = "+I | 1 | a | 1\n+I | 9 | b | 1";
    assert_eq!(stored(JoinKind::Semi, both, twice), (1, 2));
    assert_eq!(stored(JoinKind::Anti, both, twice), (1, 2));
    assert_eq!(stored(JoinKind::Inner, both, twice), (2, 3));
}

#[test]
fn rows_of_equal_content_cost_no_more_than_others() {
    // Quadratic, this would take minutes.
    let mut join = pipeline(&spec(JoinKind::Inner));
    let rows = |kind: &str| format!("{kind} | 1 | a | 1\n").repeat(100_000);
    left(&mut join, &rows("+I"));
    left(&mut join, &rows("-D"));
    assert_eq!(right(&mut join, "+I | 5 | 1 | x"), NOTHING);
    left(&mut join, "+I | 1 | a | 1");
    assert_eq!(join.result().len(), 1);
}
