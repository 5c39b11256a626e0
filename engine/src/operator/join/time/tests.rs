#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::datatypes::IntervalDayTime;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator as Sign;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::expression;
use crate::graph::{BackendKind, JoinInput, JoinKind, JoinSpec, JoinTime, JoinUntil};
use crate::operator::join::tests::{KINDS, pipeline};
use crate::operator::testing::model::{assert_same, chrono_text};
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, schema};
use crate::time::MAX_WATERMARK;

const LEFT: &str = "k BIGINT, t TIMESTAMP, n BIGINT";
const RIGHT: &str = "t TIMESTAMP, k BIGINT, n BIGINT";

/// `lower <= left.t - right.t <= upper`, in milliseconds, of rows with equal `k`.
#[derive(Debug, Clone, Copy)]
struct Interval {
    lower: i64,
    upper: i64,
}

fn spec(kind: JoinKind, Interval { lower, upper }: Interval) -> JoinSpec {
    let input = |columns: &str, keys: &[usize]| JoinInput {
        keys: keys.to_vec(),
        rows: schema(columns).into(),
        updating: false,
    };
    let column =
        |name: &str, at: usize| -> Arc<dyn PhysicalExpr> { Arc::new(Column::new(name, at)) };
    let binary = |left, sign, right| -> Arc<dyn PhysicalExpr> {
        Arc::new(BinaryExpr::new(left, sign, right))
    };
    let bound = |ms: i64| {
        let interval = IntervalDayTime::new(0, ms as i32);
        let interval = Literal::new(ScalarValue::IntervalDayTime(Some(interval)));
        binary(column("t", 3), Sign::Plus, Arc::new(interval))
    };
    let above = binary(column("t", 1), Sign::GtEq, bound(lower));
    let below = binary(column("t", 1), Sign::LtEq, bound(upper));
    let until = |column, after_ms| JoinUntil { column, after_ms };
    JoinSpec {
        kind,
        left: input(LEFT, &[0]),
        right: input(RIGHT, &[1]),
        null_equals_null: false,
        condition: Some(expression::encode(&binary(above, Sign::And, below)).unwrap()),
        ttl_ms: 0,
        input_ttl_ms: [None, None],
        time: Some(JoinTime {
            left: until(1, -lower),
            right: until(0, upper),
        }),
    }
}

fn said(join: &mut Pipeline) -> Vec<String> {
    std::mem::take(&mut join.lines)
}

fn at(ms: i64) -> String {
    format!("1970-01-01T00:00:00.{ms:03}")
}

fn left(join: &mut Pipeline, key: i64, ms: i64) -> Vec<String> {
    join.process(batch(
        &schema(LEFT),
        &format!("+I | {key} | {} | 1", at(ms)),
    ));
    said(join)
}

fn right(join: &mut Pipeline, key: i64, ms: i64) -> Vec<String> {
    join.process_second(batch(
        &schema(RIGHT),
        &format!("+I | {} | {key} | 2", at(ms)),
    ));
    said(join)
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_row_says_that_it_has_no_partner_when_it_can_have_none_any_more() {
    let interval = Interval {
        lower: -10,
        upper: 5,
    };
    let mut join = pipeline(&spec(JoinKind::Full, interval));
    assert_eq!(left(&mut join, 1, 100), NOTHING);
    assert_eq!(right(&mut join, 1, 94), NOTHING);
    // A partner of the left row comes at 110 at the latest, one of the right row at 99.
    join.watermark(99);
    assert_eq!(said(&mut join), NOTHING);
    join.watermark(100);
    let lines = said(&mut join);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("+I | NULL | NULL | NULL | 1970"),
        "{lines:?}"
    );
    join.watermark(110);
    assert_eq!(right(&mut join, 1, 110).len(), 1);
    assert_eq!(left(&mut join, 2, 110), NOTHING);
    join.watermark(111);
    assert_eq!(said(&mut join), NOTHING);
    join.watermark(121);
    let lines = said(&mut join);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].ends_with("| NULL | NULL | NULL"), "{lines:?}");
    assert_eq!(join.output_watermark(121), 111);
}

#[test]
fn rows_of_a_window_wait_for_its_end_and_no_longer() {
    let mut spec = spec(
        JoinKind::Anti,
        Interval {
            lower: 1,
            upper: -1,
        },
    );
    (spec.left.keys, spec.right.keys, spec.condition) = (vec![0, 1], vec![1, 0], None);
    let mut join = pipeline(&spec);
    assert_eq!(left(&mut join, 1, 100), NOTHING);
    assert_eq!(left(&mut join, 2, 100), NOTHING);
    assert_eq!(right(&mut join, 1, 100), NOTHING);
    join.watermark(99);
    assert_eq!(said(&mut join), NOTHING);
    join.watermark(100);
    assert_eq!(said(&mut join), [format!("+I | 2 | {} | 1", at(100))]);
    assert_eq!(join.output_watermark(100), 100);
}

/// A row as text, and its time.
fn row(random: &mut SmallRng, input: usize, watermark: i64) -> Vec<String> {
    let key = match random.random_range(0..6) {
        5 => "NULL".to_string(),
        key => key.to_string(),
    };
    let time = match random.random_range(0..20) {
        0 => "NULL".to_string(),
        _ => chrono_text(watermark + random.random_range(0..40)),
    };
    let number = random.random_range(0..1000i64).to_string();
    match input {
        0 => vec![key, time, number],
        _ => vec![time, key, number],
    }
}

/// The milliseconds of a moment in the first minute.
fn ms_of(text: &str) -> Option<i64> {
    let (_, seconds) = text.rsplit_once(':')?;
    Some((seconds.parse::<f64>().unwrap() * 1000.0).round() as i64)
}

fn joined(
    kind: JoinKind,
    interval: Interval,
    left: &[Vec<String>],
    right: &[Vec<String>],
) -> Vec<String> {
    let fits = |l: &Vec<String>, r: &Vec<String>| {
        let times = (ms_of(&l[1]), ms_of(&r[0]));
        let (Some(left), Some(right)) = times else {
            return false;
        };
        let apart = left - right;
        l[0] != "NULL" && l[0] == r[1] && (interval.lower..=interval.upper).contains(&apart)
    };
    let nulls = vec!["NULL".to_string(); 3];
    let line = |l: &Vec<String>, r: &Vec<String>| [l.as_slice(), r].concat().join(" | ");
    let mut rows = vec![];
    for l in left {
        let partners: Vec<_> = right.iter().filter(|r| fits(l, r)).collect();
        match (kind, partners.is_empty()) {
            (JoinKind::Semi, false) | (JoinKind::Anti, true) => rows.push(l.join(" | ")),
            (JoinKind::Semi | JoinKind::Anti, _) => {}
            (JoinKind::Left | JoinKind::Full, true) => rows.push(line(l, &nulls)),
            _ => rows.extend(partners.iter().map(|r| line(l, r))),
        }
    }
    if matches!(kind, JoinKind::Right | JoinKind::Full) {
        let alone = right.iter().filter(|r| !left.iter().any(|l| fits(l, r)));
        rows.extend(alone.map(|r| line(&nulls, r)));
    }
    rows.sort();
    rows
}

/// Rows in any order that no watermark is past, against recomputation, through subtasks that change in number
/// and backend. Nothing is taken back, and nothing comes later than the watermark behind the join says.
fn random_run(seed: u64, kind: JoinKind, memory_bytes: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let lower = random.random_range(-30..20);
    let interval = Interval {
        lower,
        upper: lower + random.random_range(0..30),
    };
    let mut join = pipeline(&spec(kind, interval));
    join.memory_bytes = memory_bytes;
    let mut there: [Vec<Vec<String>>; 2] = Default::default();
    let (mut watermark, mut behind) = (0, i64::MIN);
    for step in 0..30 {
        let input = random.random_range(0..2);
        let count = random.random_range(1..12);
        let rows: Vec<Vec<String>> = (0..count)
            .map(|_| row(&mut random, input, watermark))
            .collect();
        let lines: Vec<String> = rows
            .iter()
            .map(|row| format!("+I | {}", row.join(" | ")))
            .collect();
        match input {
            0 => join.process(batch(&schema(LEFT), &lines.join("\n"))),
            _ => join.process_second(batch(&schema(RIGHT), &lines.join("\n"))),
        }
        there[input].extend(rows);
        if random.random_ratio(2, 3) {
            watermark += random.random_range(0..20);
            join.watermark(watermark);
        }
        for line in said(&mut join) {
            assert!(line.starts_with("+I"), "seed {seed}: {line}");
            let times = line.split(" | ").filter_map(ms_of);
            for time in times {
                assert!(
                    time >= behind,
                    "seed {seed}, step {step}: {line} behind {behind}"
                );
            }
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
    let place = format!("seed {seed}, {kind:?}, {interval:?}");
    let mut result = join.result();
    result.sort();
    let expected = joined(kind, interval, &there[0], &there[1]);
    assert_same(result, expected, &place);
    let files = join.checkpoint();
    for table in [1, 2] {
        let left = crate::state::fixture::table_of(&files, table).len();
        assert_eq!(left, 0, "{place}: rows are left in table {table}");
    }
}

#[test]
fn random_rows_are_joined_and_go() {
    for seed in 0..180 {
        let kind = KINDS[seed as usize % KINDS.len()];
        random_run(seed, kind, if seed % 5 < 2 { 1 << 20 } else { 64 });
    }
}

#[test]
fn an_hour_at_a_constant_pace_leaves_state_flat() {
    let interval = Interval {
        lower: -1000,
        upper: 1000,
    };
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut join = pipeline(&spec(JoinKind::Full, interval));
        // Enough for all that is wanted at any one time.
        join.memory_bytes = 1 << 20;
        join.rescale(2, backend);
        let mut most = [0; 2];
        for second in 0..3600 {
            let now = second * 1000;
            let text = |ms: i64| chrono_text(now + ms);
            let of = |n: i64| format!("+I | {} | {} | {n}", n % 10, text(n * 7));
            let lines: Vec<String> = (0..20).map(of).collect();
            join.process(batch(&schema(LEFT), &lines.join("\n")));
            let of = |n: i64| format!("+I | {} | {} | {n}", text(n * 11), n % 10);
            let lines: Vec<String> = (0..20).map(of).collect();
            join.process_second(batch(&schema(RIGHT), &lines.join("\n")));
            join.watermark(now);
            join.lines.clear();
            let half = usize::from(second >= 1800);
            most[half] = join.held_bytes().max(most[half]);
        }
        assert!(most[1] * 10 <= most[0] * 11, "{backend:?}: {most:?}");
        let files = join.checkpoint();
        let rows = |table| crate::state::fixture::table_of(&files, table).len();
        assert!(rows(1) + rows(2) <= 200, "{} {}", rows(1), rows(2));
    }
}
