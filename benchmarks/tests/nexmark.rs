//! The benchmark's queries on a small input: Levada's rows are those that Flink and DuckDB gave.
//! So the benchmark can't rot, and every `make test` checks what its speed is worth.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use levada_bench::digest::Digest;
use levada_bench::generate::{Input, Made};
use levada_bench::query::{Query, names};
use levada_bench::system::{Levada, Mode, Setup, System};

const INPUT: Input = Input {
    events: 20_000,
    rate: 400,
    files: 2,
};

fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("nexmark")
}

/// The binary that the test run built: `LEVADA_BIN`, or the one beside the folder of this test.
fn binary() -> PathBuf {
    std::env::var_os("LEVADA_BIN").map_or_else(
        || {
            let test = std::env::current_exe().unwrap();
            test.parent().unwrap().with_file_name("levada")
        },
        PathBuf::from,
    )
}

fn expected() -> Vec<(String, Digest)> {
    std::fs::read_to_string(suite().join("expected.txt"))
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let digest = Digest {
                rows: fields[1].parse().unwrap(),
                checksum: u64::from_str_radix(fields[2], 16).unwrap(),
            };
            (fields[0].to_owned(), digest)
        })
        .collect()
}

/// Runs every query and names all that went wrong, not just the first.
fn check(mode: Mode, parallelism: usize) {
    let root = tempfile::tempdir().unwrap();
    let input = INPUT.dir(root.path());
    INPUT.make(&input).unwrap();
    let check_input = Made {
        dir: input,
        events: INPUT.events,
    };
    let setup = Setup {
        input: Made::default(),
        check_input,
        scratch: root.path().to_owned(),
        parallelism,
        settings: Vec::new(),
        memory: None,
        limit: Duration::from_secs(60),
    };
    let levada = Levada::new(binary(), mode).unwrap();
    let mut wrong = Vec::new();
    for (name, expected) in expected() {
        let query = Query::load(&suite(), &name).unwrap();
        match levada.rows(&query, &setup) {
            Ok(digest) if digest == expected => {}
            Ok(digest) => wrong.push(format!("{name}: {digest}; expected {expected}")),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_query_has_an_expected_result() {
    let mut expected: Vec<String> = expected().into_iter().map(|(name, _)| name).collect();
    expected.sort();
    let mut all = names(&suite()).unwrap();
    all.sort();
    assert_eq!(expected, all);
}

#[test]
fn streaming_with_one_slot_gives_the_expected_rows() {
    check(Mode::Streaming, 1);
}

#[test]
fn streaming_with_two_slots_gives_the_expected_rows() {
    check(Mode::Streaming, 2);
}

#[test]
fn batch_gives_the_expected_rows() {
    check(Mode::Batch, 2);
}
