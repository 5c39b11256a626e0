#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::logical_expr::Operator as Sign;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::expression;
use crate::graph::{AsOf, BackendKind, JoinInput, OperatorSpec, TemporalJoinSpec};
use crate::operator::testing::model::{assert_same, chrono_text};
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, schema};
use crate::operator::{Output, build};
use crate::state::fixture::table_of;
use crate::time::MAX_WATERMARK;

const LEFT: &str = "k BIGINT, t TIMESTAMP, n BIGINT";
const RIGHT: &str = "f TIMESTAMP_US, k BIGINT, v BIGINT, alive BOOLEAN";

fn spec(outer: bool) -> TemporalJoinSpec {
    let input = |columns: &str, keys: &[usize], updating| JoinInput {
        keys: keys.to_vec(),
        rows: schema(columns).into(),
        updating,
    };
    TemporalJoinSpec {
        left: input(LEFT, &[0], false),
        right: input(RIGHT, &[1], true),
        outer,
        as_of: Some(AsOf {
            left: 1,
            right: 0,
            earlier: false,
        }),
        exists: None,
        condition: None,
        ttl_ms: 0,
    }
}

fn pipeline(spec: &TemporalJoinSpec) -> Pipeline {
    let input = |input: &JoinInput| (input.rows.0.clone(), input.keys.clone());
    let inputs = [input(&spec.left), input(&spec.right)];
    let fields = inputs.iter().flat_map(|(schema, _)| schema.fields());
    let output: SchemaRef = Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()));
    Pipeline::of_two(OperatorSpec::TemporalJoin(spec.clone()), inputs, output)
}

/// `n < v`
fn condition() -> crate::graph::Expression {
    let column =
        |name: &str, at: usize| -> Arc<dyn PhysicalExpr> { Arc::new(Column::new(name, at)) };
    let less = BinaryExpr::new(column("n", 2), Sign::Lt, column("v", 5));
    let less: Arc<dyn PhysicalExpr> = Arc::new(less);
    expression::encode(&less).unwrap()
}

fn said(join: &mut Pipeline) -> Vec<String> {
    std::mem::take(&mut join.lines)
}

/// The row and its version in a few words: `n` and `v`.
fn short(join: &mut Pipeline) -> Vec<String> {
    let words = |line: String| {
        let cells: Vec<&str> = line.split(" | ").collect();
        format!("{} {} {}", cells[0], cells[3], cells[6])
    };
    said(join).into_iter().map(words).collect()
}

fn row(join: &mut Pipeline, key: &str, time: i64, number: i64) {
    let time = chrono_text(time);
    let line = format!("+I | {key} | {time} | {number}");
    join.process(batch(&schema(LEFT), &line));
}

fn version(join: &mut Pipeline, kind: &str, key: &str, time: i64, value: i64) {
    let time = chrono_text(time);
    let line = format!("{kind} | {time} | {key} | {value} | true");
    join.process_second(batch(&schema(RIGHT), &line));
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_row_waits_for_its_time_and_meets_the_version_of_then() {
    let mut join = pipeline(&spec(true));
    version(&mut join, "+I", "1", 100, 7);
    row(&mut join, "1", 110, 1);
    row(&mut join, "1", 99, 2);
    row(&mut join, "2", 100, 3);
    join.watermark(110);
    // Another version may come yet that counts at 110.
    assert_eq!(short(&mut join), ["+I 2 NULL", "+I 3 NULL"]);
    assert_eq!(join.output_watermark(110), 110);
    version(&mut join, "+U", "1", 110, 8);
    version(&mut join, "+U", "1", 111, 9);
    join.watermark(111);
    assert_eq!(short(&mut join), ["+I 1 8"]);
    row(&mut join, "1", 200, 4);
    join.watermark(MAX_WATERMARK);
    assert_eq!(short(&mut join), ["+I 4 9"]);
}

#[test]
fn a_delete_ends_a_version_at_its_time() {
    let mut join = pipeline(&spec(true));
    version(&mut join, "+I", "1", 100, 7);
    version(&mut join, "-D", "1", 105, 7);
    version(&mut join, "+I", "1", 109, 8);
    for (time, number) in [(104, 1), (105, 2), (108, 3), (109, 4)] {
        row(&mut join, "1", time, number);
    }
    join.watermark(120);
    let mut lines = short(&mut join);
    lines.sort();
    assert_eq!(lines, ["+I 1 7", "+I 2 NULL", "+I 3 NULL", "+I 4 8"]);
}

#[test]
fn of_versions_of_one_time_the_last_to_come_counts() {
    let mut join = pipeline(&spec(false));
    version(&mut join, "+I", "1", 100, 7);
    version(&mut join, "-U", "1", 100, 7);
    version(&mut join, "+U", "1", 100, 8);
    row(&mut join, "1", 100, 1);
    join.watermark(101);
    assert_eq!(short(&mut join), ["+I 1 8"]);
}

#[test]
fn a_late_row_meets_what_is_known_and_is_counted() {
    let mut join = pipeline(&spec(true));
    version(&mut join, "+I", "1", 100, 7);
    version(&mut join, "+U", "1", 200, 8);
    join.watermark(150);
    row(&mut join, "1", 120, 1);
    assert_eq!(short(&mut join), ["+I 1 7"]);
    join.watermark(300);
    // The version of that time is gone, since no row in time could meet it.
    row(&mut join, "1", 120, 2);
    row(&mut join, "1", 250, 3);
    assert_eq!(short(&mut join), ["+I 2 NULL", "+I 3 8"]);
    // A late version counts for what is still to come.
    version(&mut join, "+U", "1", 290, 9);
    row(&mut join, "1", 300, 4);
    join.watermark(301);
    assert_eq!(short(&mut join), ["+I 4 9"]);
    assert_eq!(join.metrics.late_rows.get(), 4);
}

#[test]
fn rows_without_time_or_key_meet_nothing() {
    for outer in [true, false] {
        let mut join = pipeline(&spec(outer));
        version(&mut join, "+I", "1", 100, 7);
        version(&mut join, "+I", "NULL", 100, 7);
        let text = "+I | 1 | NULL | 1\n+I | NULL | 1970-01-01T00:00:00.200 | 2";
        join.process(batch(&schema(LEFT), text));
        let text = "+I | NULL | 2 | 9 | true";
        join.process_second(batch(&schema(RIGHT), text));
        let lines = short(&mut join);
        match outer {
            true => assert_eq!(lines, ["+I 1 NULL", "+I 2 NULL"]),
            false => assert_eq!(lines, NOTHING),
        }
        assert_eq!(join.metrics.null_time_rows.get(), 1 + u64::from(!outer));
        join.watermark(MAX_WATERMARK);
        assert_eq!(said(&mut join), NOTHING);
    }
}

#[test]
fn a_delete_without_time_fails_and_says_what_to_do() {
    let spec = OperatorSpec::TemporalJoin(spec(false));
    let fields = [schema(LEFT), schema(RIGHT)];
    let all = fields.iter().flat_map(|schema| schema.fields()).cloned();
    let output = Arc::new(Schema::new(all.collect::<Vec<_>>()));
    let dir = tempfile::tempdir().unwrap();
    let state = crate::state::create(crate::state::StateSetup {
        kind: BackendKind::Memory,
        key_groups: crate::key::KeyGroupRange::all(128),
        scratch: dir.path(),
        checkpointed: false,
        restored: Default::default(),
        resources: &crate::state::Resources::new(crate::memory::Memory::new(1 << 20)),
    });
    let context = crate::operator::OperatorContext {
        state: Some(state.unwrap()),
        ..crate::operator::testing::context()
    };
    let mut join = build(&spec, &fields, &output, context).unwrap();
    let ends = batch(&schema(RIGHT), "-D | NULL | 1 | NULL | NULL");
    let error = join.process(1, ends, 0, &mut Output::default());
    let error = error.unwrap_err();
    assert!(error.message.contains("deleted at no time"), "{error}");
    assert!(error.hint.unwrap().contains("METADATA"));
}

/// A change of the right side, as the model knows it.
#[derive(Debug, Clone)]
struct Known {
    key: String,
    /// In microseconds.
    time: i64,
    value: Option<String>,
}

/// A row of the left side.
#[derive(Debug, Clone)]
struct Asked {
    key: String,
    time: Option<i64>,
    number: i64,
}

fn key(random: &mut SmallRng) -> String {
    match random.random_range(0..7) {
        6 => "NULL".to_string(),
        key => key.to_string(),
    }
}

fn some_change(
    random: &mut SmallRng,
    spec: &TemporalJoinSpec,
    watermark: i64,
) -> (String, Option<Known>) {
    let (key, ms) = (key(random), watermark + random.random_range(0..40));
    let micros = random.random_range(0..3) * 400;
    let kind = ["+I", "+U", "+U", "-U", "-D"][random.random_range(0..5)];
    let value = random.random_range(0..1000i64).to_string();
    let alive = ["true", "true", "false", "NULL"][random.random_range(0..4)];
    let line = format!(
        "{kind} | {}{micros:03} | {key} | {value} | {alive}",
        text_of(ms)
    );
    let ends = kind == "-D" || spec.exists.is_some() && alive != "true";
    let value = format!("{} | {key} | {value} | {alive}", shown(ms, micros));
    let known = Known {
        key,
        time: ms * 1000 + micros,
        value: (!ends).then_some(value),
    };
    (line, (kind != "-U").then_some(known))
}

/// Milliseconds with all three digits.
fn text_of(ms: i64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!(
        "1970-01-01T00:{:02}:{:02}.{ms:03}",
        seconds / 60,
        seconds % 60
    )
}

/// As times are shown, with no more digits than they need.
fn shown(ms: i64, micros: i64) -> String {
    match micros {
        0 => chrono_text(ms),
        micros => format!("{}{micros:03}", text_of(ms)),
    }
}

fn expected(
    spec: &TemporalJoinSpec,
    asked: &[Asked],
    known: &[Known],
    fulfils: bool,
) -> Vec<String> {
    let mut rows = vec![];
    for row in asked {
        let counts = |change: &&Known| {
            let time = row.time.map(|time| time * 1000);
            let earlier = spec.as_of.is_some_and(|as_of| as_of.earlier);
            change.key == row.key
                && change.key != "NULL"
                && time.is_some_and(|time| change.time < time || !earlier && change.time == time)
        };
        // Of equal ones this gives the last.
        let version = known.iter().filter(counts).max_by_key(|change| change.time);
        let version = version.and_then(|change| change.value.clone());
        let version = version.filter(|version| {
            let value: i64 = version.split(" | ").nth(2).unwrap().parse().unwrap();
            !fulfils || row.number < value
        });
        let time = row.time.map_or("NULL".to_string(), chrono_text);
        let own = format!("{} | {time} | {}", row.key, row.number);
        match version {
            Some(version) => rows.push(format!("{own} | {version}")),
            None if spec.outer => rows.push(format!("{own} | NULL | NULL | NULL | NULL")),
            None => {}
        }
    }
    rows.sort();
    rows
}

/// Rows in any order that no watermark is past, against a look at all changes, through subtasks that change in
/// number and backend. No row comes later than the watermark behind the join says.
fn random_run(seed: u64, memory_bytes: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut spec = spec(random.random());
    let fulfils = random.random_ratio(1, 3);
    spec.condition = fulfils.then(condition);
    spec.exists = random.random_ratio(1, 3).then_some(3);
    spec.as_of = spec.as_of.map(|as_of| AsOf {
        earlier: seed.is_multiple_of(3),
        ..as_of
    });
    let mut join = pipeline(&spec);
    join.memory_bytes = memory_bytes;
    let (mut asked, mut known) = (vec![], vec![]);
    let (mut watermark, mut behind) = (0, i64::MIN);
    for step in 0..30 {
        let mut lines = vec![];
        if random.random() {
            for _ in 0..random.random_range(1..14) {
                let (key, number) = (key(&mut random), random.random_range(0..1000));
                let time = watermark + random.random_range(0..40);
                let time = (!random.random_ratio(1, 20)).then_some(time);
                let shown = time.map_or("NULL".to_string(), chrono_text);
                lines.push(format!("+I | {key} | {shown} | {number}"));
                asked.push(Asked { key, time, number });
            }
            join.process(batch(&schema(LEFT), &lines.join("\n")));
        } else {
            for _ in 0..random.random_range(1..14) {
                let (line, change) = some_change(&mut random, &spec, watermark);
                lines.push(line);
                known.extend(change);
            }
            join.process_second(batch(&schema(RIGHT), &lines.join("\n")));
        }
        if random.random_ratio(2, 3) {
            watermark += random.random_range(0..25);
            join.watermark(watermark);
        }
        for line in said(&mut join) {
            let time = line.split(" | ").nth(2).unwrap();
            let late = time != "NULL" && time < chrono_text(behind.max(0)).as_str();
            assert!(line.starts_with("+I"), "seed {seed}: {line}");
            assert!(!late, "seed {seed}, step {step}: {line} behind {behind}");
        }
        behind = behind.max(join.output_watermark(watermark));
        if step % 5 == 4 {
            let backend = [BackendKind::RocksDb, BackendKind::Disk, BackendKind::Memory]
                [random.random_range(0..3)];
            join.rescale(random.random_range(1..5), backend);
        }
    }
    join.watermark(MAX_WATERMARK);
    assert_eq!(join.output_watermark(MAX_WATERMARK), MAX_WATERMARK);
    let mut result = join.result();
    result.sort();
    assert_same(
        result,
        expected(&spec, &asked, &known, fulfils),
        &format!("seed {seed}"),
    );
    let files = join.checkpoint();
    assert_eq!(table_of(&files, 1).len(), 0, "seed {seed}: rows wait");
    // One version of each key that has one.
    let mut keys: Vec<&str> = known.iter().map(|change| change.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let last = |key: &&str| {
        let own = known.iter().filter(|change| change.key == *key);
        let last = own.max_by_key(|change| change.time);
        *key != "NULL" && last.is_some_and(|change| change.value.is_some())
    };
    let there = keys.into_iter().filter(last).count();
    assert_eq!(table_of(&files, 2).len(), there, "seed {seed}: versions");
}

#[test]
fn random_rows_meet_the_versions_of_their_times() {
    for seed in 0..200 {
        random_run(seed, if seed % 5 < 2 { 1 << 20 } else { 64 });
    }
}

#[test]
fn an_hour_at_a_constant_pace_leaves_state_flat() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut join = pipeline(&spec(true));
        // Enough for all that is wanted at any one time.
        join.memory_bytes = 1 << 20;
        join.rescale(2, backend);
        let mut most = [0; 2];
        for second in 0..3600 {
            let now = second * 1000;
            let text = |ms: i64| chrono_text(now + ms);
            let of = |n: i64| format!("+I | {} | {} | {n}", n % 10, text(n * 50));
            let lines: Vec<String> = (0..20).map(of).collect();
            join.process(batch(&schema(LEFT), &lines.join("\n")));
            // Some keys change for ever, others come and go.
            let of = |n: i64| format!("+U | {} | {} | {n} | true", text(n * 70), n % 5);
            let mut lines: Vec<String> = (0..10).map(of).collect();
            lines.push(format!("+I | {} | {} | 1 | true", text(1), 100 + second));
            lines.push(format!("-D | {} | {} | 1 | true", text(2), 100 + second));
            join.process_second(batch(&schema(RIGHT), &lines.join("\n")));
            join.watermark(now);
            join.lines.clear();
            let half = usize::from(second >= 1800);
            most[half] = join.held_bytes().max(most[half]);
        }
        assert!(most[1] * 10 <= most[0] * 11, "{backend:?}: {most:?}");
        let files = join.checkpoint();
        let rows = |table| table_of(&files, table).len();
        assert!(rows(1) + rows(2) <= 100, "{} {}", rows(1), rows(2));
    }
}

fn in_processing_time(outer: bool) -> TemporalJoinSpec {
    TemporalJoinSpec {
        as_of: None,
        ..spec(outer)
    }
}

#[test]
fn in_processing_time_a_row_meets_the_version_that_is_there() {
    let mut join = pipeline(&in_processing_time(true));
    row(&mut join, "1", 500, 1);
    version(&mut join, "+I", "1", 100, 7);
    row(&mut join, "1", 50, 2);
    version(&mut join, "-U", "1", 100, 7);
    row(&mut join, "1", 50, 3);
    version(&mut join, "+U", "1", 90, 8);
    row(&mut join, "1", 50, 4);
    version(&mut join, "-D", "1", 90, 8);
    row(&mut join, "1", 50, 5);
    let met = ["+I 1 NULL", "+I 2 7", "+I 3 7", "+I 4 8", "+I 5 NULL"];
    assert_eq!(short(&mut join), met);
    let files = join.checkpoint();
    assert_eq!(table_of(&files, 1).len() + table_of(&files, 2).len(), 0);
}

#[test]
fn in_processing_time_versions_have_a_time_to_live() {
    let mut spec = in_processing_time(true);
    spec.ttl_ms = 1000;
    let mut join = pipeline(&spec);
    version(&mut join, "+I", "1", 100, 7);
    join.now_ms = 999;
    row(&mut join, "1", 50, 1);
    join.now_ms = 1000;
    row(&mut join, "1", 50, 2);
    assert_eq!(short(&mut join), ["+I 1 7", "+I 2 NULL"]);
    join.advance_clock(3000);
    let files = join.checkpoint();
    assert_eq!(table_of(&files, 2).len(), 0);
}

#[test]
fn in_processing_time_random_rows_meet_the_last_versions() {
    for seed in 0..60 {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut spec = in_processing_time(random.random());
        let fulfils = random.random_ratio(1, 3);
        spec.condition = fulfils.then(condition);
        spec.exists = random.random_ratio(1, 3).then_some(3);
        let mut join = pipeline(&spec);
        join.memory_bytes = if seed.is_multiple_of(2) { 1 << 20 } else { 64 };
        let (mut known, mut wanted) = (vec![], vec![]);
        for step in 0..30 {
            let mut lines = vec![];
            if random.random() {
                for _ in 0..random.random_range(1..14) {
                    let row = Asked {
                        key: key(&mut random),
                        time: Some(random.random_range(0..1000)),
                        number: random.random_range(0..1000),
                    };
                    let time = chrono_text(row.time.unwrap());
                    lines.push(format!("+I | {} | {time} | {}", row.key, row.number));
                    // All that is known has come before.
                    let before = |change: &Known| Known {
                        time: -1,
                        ..change.clone()
                    };
                    let before: Vec<Known> = known.iter().map(before).collect();
                    wanted.extend(expected(&spec, &[row], &before, fulfils));
                }
                join.process(batch(&schema(LEFT), &lines.join("\n")));
            } else {
                for _ in 0..random.random_range(1..14) {
                    let (line, change) = some_change(&mut random, &spec, step);
                    lines.push(line);
                    known.extend(change);
                }
                join.process_second(batch(&schema(RIGHT), &lines.join("\n")));
            }
            if step % 5 == 4 {
                join.rescale(random.random_range(1..5), BackendKind::RocksDb);
            }
        }
        let mut result = join.result();
        result.sort();
        wanted.sort();
        assert_same(result, wanted, &format!("seed {seed}"));
    }
}
