#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn outcome(system: &'static str, seconds: f64, checksum: u64) -> Outcome {
    Outcome {
        system,
        cost: Ok(Cost {
            seconds,
            peak_bytes: 250_000_000,
            disk_bytes: 9_000_000,
        }),
        rows: Some(Ok(Digest { rows: 3, checksum })),
    }
}

fn line(outcomes: Vec<Outcome>) -> Line {
    Line {
        query: "q0".into(),
        outcomes,
    }
}

#[test]
fn the_table_has_rates_and_ratios() {
    let lines = [line(vec![
        outcome("levada", 2.0, 7),
        outcome("flink", 13.0, 7),
    ])];
    assert!(lines[0].is_good());
    assert_eq!(
        table(&lines, 5_000_000),
        "| query | levada s | k events/s | MB | MB on disk | flink s | k events/s | MB | MB on disk | × flink | output |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n\
         | q0 | 2.00 | 2500 | 250 | 9 | 13.00 | 385 | 250 | 9 | 6.50 | agrees, 3 rows |\n"
    );
    assert_eq!(failures(&lines), "");
}

#[test]
fn a_difference_is_a_failure() {
    let lines = [line(vec![
        outcome("levada", 2.0, 7),
        outcome("flink", 13.0, 8),
    ])];
    assert!(!lines[0].is_good());
    assert!(failures(&lines).starts_with("q0: DIFFERS: levada 3 rows"));
    assert!(table(&lines, 1).contains("DIFFERS"));
}

#[test]
fn a_system_that_fails_leaves_the_others_figures() {
    let mut broken = outcome("levada", 1.0, 7);
    broken.cost = Err("refused".into());
    broken.rows = Some(Err("refused".into()));
    let lines = [line(vec![broken, outcome("flink", 13.0, 7)])];
    assert!(!lines[0].is_good());
    assert!(table(&lines, 1000).contains("| q0 | failed | | | | 13.00 |"));
    assert_eq!(failures(&lines), "q0: refused\nq0: levada: refused\n");
}

#[test]
fn rows_that_cannot_be_compared_are_left_out() {
    let mut flink = outcome("flink", 1.0, 99);
    flink.rows = None;
    let lines = [line(vec![
        outcome("levada", 1.0, 7),
        flink,
        outcome("duckdb", 1.0, 7),
    ])];
    assert!(lines[0].is_good());
    assert!(lines[0].is_compared());
}

#[test]
fn rows_of_one_system_are_compared_with_nothing() {
    let lines = [line(vec![outcome("levada", 1.0, 7)])];
    assert!(lines[0].is_good() && !lines[0].is_compared());
    assert!(table(&lines, 1).contains("3 rows, nothing to compare"));
}
