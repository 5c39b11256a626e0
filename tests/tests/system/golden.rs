//! The golden suite: every case of `tests/sql` in every way.
//!
//! `LEVADA_TEST_CASE=windows/` runs only the cases whose names contain that, `LEVADA_TEST_WAY=view` only in that
//! way.

use std::collections::BTreeMap;

use futures::StreamExt;
use levada_tests::case::{self, Case};
use levada_tests::run::{Bench, Scope, Way};

/// How many runs go on side by side.
const SIDE_BY_SIDE: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_case_in_every_way() {
    let seed = levada_tests::seed();
    let root = levada_tests::workspace().join("tests/sql");
    let wanted = std::env::var("LEVADA_TEST_CASE").unwrap_or_default();
    let mut cases = case::all(&root);
    cases.retain(|case| case.name.contains(&wanted));
    assert!(!cases.is_empty(), "no case is called like '{wanted}'");

    let bench = Bench::start(seed).await;
    let runs = cases
        .iter()
        .flat_map(|case| Way::ALL.map(|way| (case, way)));
    let only = std::env::var("LEVADA_TEST_WAY").map_or(Scope::All, |word| {
        Scope::named(&word).unwrap_or_else(|problem| panic!("{problem}"))
    });
    let runs = runs.filter(|(case, way)| case.runs(*way) && only.has(*way));
    let runs: Vec<(&Case, Way)> = runs.collect();
    let results: Vec<_> = futures::stream::iter(runs)
        .map(|(case, way)| {
            let bench = &bench;
            async move { (case, way, bench.check(case, way).await) }
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;

    let mut failures: Vec<String> = Vec::new();
    let mut types: BTreeMap<&str, (Way, Vec<String>)> = BTreeMap::new();
    for (case, way, result) in &results {
        let problem = match result {
            Ok(found) => differing_types(&mut types, case, *way, found),
            Err(problem) => Some(problem.clone()),
        };
        if let Some(problem) = problem {
            failures.push(format!("{} ({way:?}): {problem}", case.name));
        }
    }
    failures.sort();
    failures.extend(
        bench
            .leftovers()
            .await
            .into_iter()
            .map(|job| format!("left over: {job}")),
    );
    eprintln!(
        "{} cases, {} runs, {} failed",
        cases.len(),
        results.len(),
        failures.len()
    );
    let overtaken = bench.overtaken();
    eprintln!("{overtaken} jobs went on from a checkpoint whose barriers had overtaken rows");
    assert!(
        overtaken > 0 || !wanted.is_empty() || only != Scope::All,
        "no barrier has overtaken anything"
    );
    assert!(
        failures.is_empty(),
        "\n\n{}\n\nseed {seed}",
        failures.join("\n\n")
    );
}

/// The columns of a result have the same types in every way.
fn differing_types<'a>(
    known: &mut BTreeMap<&'a str, (Way, Vec<String>)>,
    case: &'a Case,
    way: Way,
    found: &[String],
) -> Option<String> {
    if found.is_empty() {
        return None;
    }
    let (first, types) = known
        .entry(&case.name)
        .or_insert_with(|| (way, found.to_vec()));
    (types != found).then(|| format!("the types are {found:?}, and {types:?} in {first:?}"))
}
