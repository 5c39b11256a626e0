#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::operator::testing::{batch, check, drain, schema};

fn all_codes() -> Vec<(String, RowKind)> {
    codes(&[
        ("I", RowKind::Insert),
        ("UB", RowKind::UpdateBefore),
        ("UA", RowKind::UpdateAfter),
        ("D", RowKind::Delete),
    ])
}

fn codes(codes: &[(&str, RowKind)]) -> Vec<(String, RowKind)> {
    let owned = codes.iter().map(|(code, kind)| (code.to_string(), *kind));
    owned.collect()
}

fn rows() -> SchemaRef {
    schema("k INT, v STRING")
}

/// Rows `k, op, v` of rows `k, v`, which `k` identifies.
fn operator(codes: Vec<(String, RowKind)>, with_before: bool) -> ToChangelog {
    let spec = ToChangelogSpec {
        codes,
        columns: vec![Some(0), None, Some(1)],
        identity: vec![0],
        with_before,
    };
    ToChangelog::new(&spec, &rows(), &schema("k INT, op STRING, v STRING")).unwrap()
}

#[track_caller]
fn gives(operator: &mut ToChangelog, changes: &str, expected: &str) {
    let mut output = Output::default();
    let changes = batch(&rows(), changes);
    operator.process(0, changes, 0, &mut output).unwrap();
    check(&mut output, expected);
}

#[test]
fn every_change_is_an_insert_with_its_code() {
    gives(
        &mut operator(all_codes(), true),
        "+I | 1 | a
         -U | 1 | a
         +U | 1 | b
         -D | 1 | b",
        "+I | 1 | I | a
         +I | 1 | UB | a
         +I | 1 | UA | b
         +I | 1 | D | b",
    );
}

#[test]
fn rows_that_only_come_are_inserts() {
    gives(
        &mut operator(all_codes(), true),
        "+I | 1 | a
         +I | 2 | NULL",
        "+I | 1 | I | a
         +I | 2 | I | NULL",
    );
}

#[test]
fn kinds_without_a_code_are_left_out() {
    let only = codes(&[("gone", RowKind::Delete)]);
    gives(
        &mut operator(only.clone(), true),
        "+I | 1 | a
         -U | 1 | a
         +U | 1 | b
         -D | 2 | c",
        "+I | 2 | gone | c",
    );
    gives(&mut operator(only, true), "+I | 1 | a", "");
}

#[test]
fn half_an_update_is_a_row_that_comes_or_goes() {
    gives(
        &mut operator(all_codes(), true),
        "+U | 1 | a
         -U | 2 | b
         +I | 3 | c
         -U | 4 | d",
        "+I | 1 | I | a
         +I | 2 | D | b
         +I | 3 | I | c
         +I | 4 | D | d",
    );
}

#[test]
fn an_update_of_another_row_is_none() {
    gives(
        &mut operator(all_codes(), true),
        "-U | 1 | a
         +U | 2 | a
         -U | NULL | x
         +U | NULL | y",
        "+I | 1 | D | a
         +I | 2 | I | a
         +I | NULL | UB | x
         +I | NULL | UA | y",
    );
}

#[test]
fn without_rows_before_an_update_stays_one() {
    let codes = codes(&[
        ("put", RowKind::Insert),
        ("set", RowKind::UpdateAfter),
        ("del", RowKind::Delete),
    ]);
    gives(
        &mut operator(codes, false),
        "+I | 1 | a
         +U | 1 | b
         -D | 1 | b",
        "+I | 1 | put | a
         +I | 1 | set | b
         +I | 1 | del | b",
    );
}

/// What a log with codes for rows that are there and for those that go adds up to, by key.
fn replayed(lines: &[String], table: &mut BTreeMap<i32, String>) {
    for line in lines {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let key: i32 = cells[1].parse().unwrap();
        match cells[2] {
            "put" => drop(table.insert(key, cells[3].to_string())),
            "del" => assert_eq!(table.remove(&key).as_deref(), Some(cells[3]), "{line}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_log_by_key_adds_up_to_the_table_wherever_batches_end() {
    let kinds = codes(&[
        ("put", RowKind::Insert),
        ("put", RowKind::UpdateAfter),
        ("del", RowKind::Delete),
    ]);
    for seed in 0..50 {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut table: BTreeMap<i32, String> = BTreeMap::new();
        let mut changes: Vec<String> = Vec::new();
        for number in 0..200 {
            let key = random.random_range(0..5);
            let new = format!("v{number}");
            match table.get(&key).cloned() {
                None => {
                    changes.push(format!("+I | {key} | {new}"));
                    table.insert(key, new);
                }
                Some(old) if random.random_bool(0.3) => {
                    changes.push(format!("-D | {key} | {old}"));
                    table.remove(&key);
                }
                Some(old) => {
                    // An update may also make the row that of another key, if that has none.
                    let free = (0..5).find(|other| !table.contains_key(other));
                    let to = free.filter(|_| random.random_bool(0.3)).unwrap_or(key);
                    changes.push(format!("-U | {key} | {old}"));
                    changes.push(format!("+U | {to} | {new}"));
                    table.remove(&key);
                    table.insert(to, new);
                }
            }
        }
        let mut operator = operator(kinds.clone(), true);
        let mut found = BTreeMap::new();
        let mut rest = changes.as_slice();
        while !rest.is_empty() {
            let (part, left) = rest.split_at(random.random_range(1..=rest.len().min(9)));
            let mut output = Output::default();
            let part = batch(&rows(), &part.join("\n"));
            operator.process(0, part, 0, &mut output).unwrap();
            replayed(&drain(&mut output), &mut found);
            rest = left;
        }
        assert_eq!(found, table, "seed {seed}");
    }
}

#[test]
fn batches_do_not_end_within_an_update() {
    let changes = "+I | 1 | a
         -U | 1 | a
         +U | 1 | b
         -U | 1 | b
         +U | 1 | c
         -D | 1 | c";
    for (most, sizes) in [
        (1, vec![1, 1, 1, 1, 1, 1]),
        (2, vec![1, 2, 2, 1]),
        (3, vec![3, 3]),
        (4, vec![3, 3]),
        (9, vec![6]),
    ] {
        let mut output = Output::default();
        output.emit_chunks(batch(&rows(), changes), most);
        let found: Vec<usize> = output.drain().map(|batch| batch.num_rows()).collect();
        assert_eq!(found, sizes, "at most {most}");
    }
}
