#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::graph::ToChangelogSpec;
use crate::operator::testing::{batch, check, context, drain, lines, schema};
use crate::operator::to_changelog::ToChangelog;

fn rows() -> SchemaRef {
    schema("k INT, op STRING, v STRING")
}

fn spec(skip: bool) -> FromChangelogSpec {
    let codes = [
        ("c", RowKind::Insert),
        ("r", RowKind::Insert),
        ("b", RowKind::UpdateBefore),
        ("u", RowKind::UpdateAfter),
        ("d", RowKind::Delete),
    ];
    FromChangelogSpec {
        op: 1,
        op_name: "op".to_string(),
        codes: codes.map(|(code, kind)| (code.to_string(), kind)).into(),
        skip,
        columns: vec![0, 2],
    }
}

fn operator(skip: bool) -> FromChangelog {
    FromChangelog::new(&spec(skip), &schema("k INT, v STRING"), &context()).unwrap()
}

const ODD: &str = "+I | 1 | c | a
                   +I | 2 | C | b
                   +I | 3 | NULL | c
                   +I | 1 | d | a";

#[test]
fn every_row_is_the_change_that_its_code_says() {
    let mut output = Output::default();
    let given = batch(
        &rows(),
        "+I | 1 | c | a
         +I | 2 | r | b
         +I | 1 | b | a
         +I | 1 | u | NULL
         +I | 2 | d | b",
    );
    operator(false).process(0, given, 0, &mut output).unwrap();
    check(
        &mut output,
        "+I | 1 | a
         +I | 2 | b
         -U | 1 | a
         +U | 1 | NULL
         -D | 2 | b",
    );
}

#[test]
fn rows_that_only_come_carry_no_kinds() {
    let given = batch(&rows(), "+I | 1 | c | a\n+I | 2 | r | b");
    let changes = Changes::new(&spec(false), &schema("k INT, v STRING")).unwrap();
    assert!(changes.of(given.rows()).unwrap().kinds().is_none());
}

#[test]
fn a_code_that_is_not_known_fails_the_job() {
    for (given, message) in [
        ("+I | 2 | C | b", "does not know the code 'C' in column op"),
        ("+I | 2 | NULL | b", "a row without a code: op is NULL"),
    ] {
        let mut output = Output::default();
        let given = batch(&rows(), given);
        let error = operator(false).process(0, given, 0, &mut output);
        let error = error.unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert_eq!(error.code(), "LV-3002");
        assert_eq!(
            error.detail.as_deref(),
            Some("the codes are 'c', 'r', 'b', 'u', 'd'")
        );
    }
}

#[test]
fn or_is_left_out_and_counted() {
    let mut output = Output::default();
    let mut operator = operator(true);
    let given = batch(&rows(), ODD);
    operator.process(0, given, 0, &mut output).unwrap();
    check(&mut output, "+I | 1 | a\n-D | 1 | a");
    assert_eq!(operator.metrics.bad_rows.get(), 2);
    let given = batch(&rows(), "+I | 2 | x | b");
    operator.process(0, given, 0, &mut output).unwrap();
    check(&mut output, "");
}

/// A changelog with whole updates.
fn changes(random: &mut SmallRng) -> Vec<String> {
    let mut changes: Vec<String> = Vec::new();
    for number in 0..random.random_range(1..40) {
        let key = random.random_range(0..3);
        match random.random_range(0..3) {
            0 => changes.push(format!("+I | {key} | v{number}")),
            1 => changes.push(format!("-D | {key} | v{number}")),
            _ => {
                changes.push(format!("-U | {key} | v{number}"));
                changes.push(format!("+U | {key} | w{number}"));
            }
        }
    }
    changes
}

#[test]
fn what_became_rows_becomes_the_same_changes() {
    let both = schema("k INT, v STRING");
    let codes: Vec<(String, RowKind)> = [
        ("c", RowKind::Insert),
        ("b", RowKind::UpdateBefore),
        ("u", RowKind::UpdateAfter),
        ("d", RowKind::Delete),
    ]
    .map(|(code, kind)| (code.to_string(), kind))
    .into();
    let to = ToChangelogSpec {
        codes,
        columns: vec![Some(0), None, Some(1)],
        identity: vec![0],
        with_before: true,
    };
    for seed in 0..50 {
        let changes = changes(&mut SmallRng::seed_from_u64(seed)).join("\n");
        let given = batch(&both, &changes);
        let mut logged = Output::default();
        let mut to = ToChangelog::new(&to, &both, &rows()).unwrap();
        to.process(0, given.clone(), 0, &mut logged).unwrap();
        let mut output = Output::default();
        let mut from = operator(false);
        for log in logged.drain() {
            from.process(0, log, 0, &mut output).unwrap();
        }
        assert_eq!(drain(&mut output), lines(&given), "seed {seed}");
    }
}
