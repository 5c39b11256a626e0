//! Queries made up by chance: streams give what batch mode gives.
//!
//! `LEVADA_GENERATED=1000` says how many, `LEVADA_TEST_SEED` which; those of `make test` are always the same. Of a query
//! that fails a small one is printed, as a file for `tests/sql`; of `LEVADA_GENERATED=1` it is printed in any case.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use levada_tests::case::Case;
use levada_tests::generated::judge::{Fault, Verdict, judge};
use levada_tests::generated::{Choices, case, golden, shrink};
use levada_tests::run::{Bench, Way};

/// How many queries run side by side.
const SIDE_BY_SIDE: usize = 4;
/// How many failures are made small.
const SHRUNK: usize = 12;
/// How often a query is run for that.
const ATTEMPTS: usize = 400;

/// Parallelism 1, and 3 with batches of three rows; some queries are killed too and restored from checkpoints.
fn ways(seed: u64) -> &'static [Way] {
    match seed % 16 {
        0 => &[Way::One, Way::Wide, Way::Overtaken],
        8 => &[Way::One, Way::Wide, Way::Stopped],
        4 | 12 => &[Way::One, Way::RocksDb],
        _ => &[Way::One, Way::Wide],
    }
}

fn from(seed: u64) -> (Case, Vec<u32>) {
    let mut choices = Choices::random(seed);
    let case = case(&mut choices);
    (case, choices.into_parts().0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn streams_give_what_batch_mode_gives() {
    let first = levada_tests::seed_of_share(1);
    let count = levada_tests::count("LEVADA_GENERATED", 250, 10_000) as u64;
    let bench = Bench::start(first).await;
    if count == 1 {
        eprintln!("{}", golden(&from(first).0, "as it was made up"));
    }
    let seeds = first..first + count;
    let bench = &bench;
    let verdicts: Vec<(u64, Verdict)> = futures::stream::iter(seeds)
        .map(|seed| async move {
            let verdict = judge(bench, &mut from(seed).0, ways(seed)).await;
            if let Verdict::Wrong(fault, problem) = &verdict {
                eprintln!("seed {seed} FAILED: {fault:?}: {problem}");
            }
            (seed, verdict)
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let failed: Vec<(u64, Fault, String)> = verdicts
        .iter()
        .filter_map(|(seed, verdict)| match verdict {
            Verdict::Wrong(fault, problem) => Some((*seed, *fault, problem.clone())),
            _ => None,
        })
        .collect();
    let refused = refusals(&verdicts);
    let empty = without_rows(&verdicts);
    eprintln!(
        "{count} generated queries, seeds {first} and following: {refused} refused, {empty} without rows, {} failed",
        failed.len()
    );
    let mut texts = Vec::new();
    let mut kinds = BTreeSet::new();
    for (number, (seed, fault, problem)) in failed.iter().enumerate() {
        let first = kinds.len() < SHRUNK && kinds.insert(kind(*fault, problem));
        let small = match first {
            true => smaller(bench, *seed, *fault, problem).await,
            false => String::new(),
        };
        texts.push(format!("seed {seed}: {fault:?}: {problem}\n{small}"));
        eprintln!("{}", texts[number]);
    }
    assert!(failed.is_empty(), "{} of {count} failed", failed.len());
    assert!(
        refused * 4 < verdicts.len(),
        "{refused} of {count} were refused"
    );
}

/// How many gave no rows, which show little; says some of them.
fn without_rows(verdicts: &[(u64, Verdict)]) -> usize {
    let empty = verdicts.iter().filter(|(_, v)| *v == Verdict::Same(0));
    let empty: Vec<u64> = empty.map(|(seed, _)| *seed).collect();
    eprintln!("without rows: {:?} …", &empty[..empty.len().min(12)]);
    empty.len()
}

/// What failures have in common that are likely to be one: their kind, and errors without what differs.
fn kind(fault: Fault, problem: &str) -> String {
    let line = problem.lines().next().unwrap_or_default();
    let text = line.split(": ").skip(1).collect::<Vec<_>>().join(": ");
    match fault {
        Fault::Difference => problem.chars().take(400).collect(),
        _ => format!("{fault:?} {text}"),
    }
}

/// How many were refused; says why.
fn refusals(verdicts: &[(u64, Verdict)]) -> usize {
    let mut reasons: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for (seed, verdict) in verdicts {
        if let Verdict::Refused(error) = verdict {
            let line = error.lines().next().unwrap_or_default().to_string();
            reasons.entry(line).or_insert((0, *seed)).0 += 1;
        }
    }
    let mut sorted: Vec<_> = reasons.iter().collect();
    sorted.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (line, (count, seed)) in sorted.iter().take(40) {
        eprintln!("refused {count} times, first with seed {seed}: {line}");
    }
    reasons.values().map(|(count, _)| count).sum()
}

/// A small query that fails alike.
async fn smaller(bench: &Bench, seed: u64, fault: Fault, problem: &str) -> String {
    let numbers = from(seed).1;
    let fails = async |case: &mut Case| match judge(bench, case, ways(seed)).await {
        Verdict::Wrong(other, said) => other == fault && code(&said) == code(problem),
        _ => false,
    };
    let mut small = shrink(numbers, ATTEMPTS, fails).await;
    let verdict = judge(bench, &mut small, ways(seed)).await;
    golden(&small, &format!("{verdict:?}"))
}

/// The code of an error, if there is one.
fn code(problem: &str) -> Option<&str> {
    problem
        .split(&[' ', ':'])
        .find(|word| word.starts_with("LV-"))
}
