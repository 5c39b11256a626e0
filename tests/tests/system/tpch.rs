//! TPC-H as continuous queries: at each boundary of a random history of its tables, every query has the rows that
//! batch mode gives for the tables as they are there.
//!
//! `LEVADA_TPCH_QUERIES=q3,q21` runs only these, `LEVADA_TPCH_FIGURES=1` one after the other, and prints what each
//! needed.

use std::sync::Arc;

use arrow::array::AsArray;
use futures::StreamExt;
use levada_engine::element::ChangelogMode;
use levada_tests::tpch::changes::Changes;
use levada_tests::tpch::query::Query;
use levada_tests::tpch::rows;
use levada_tests::tpch::run::{Bench, Figures, Setting, page};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const SCALE: f64 = 0.01;
/// How many changes come between two comparisons.
const BETWEEN: u64 = 20_000;
/// How many queries run side by side.
const SIDE_BY_SIDE: usize = 4;

fn queries() -> Vec<Query> {
    let wanted = std::env::var("LEVADA_TPCH_QUERIES").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
    let names = (1..=22).map(|number| format!("q{number}"));
    names
        .filter(|name| wanted.is_empty() || wanted.contains(&name.as_str()))
        .map(|name| Query::read(&name))
        .collect()
}

/// How a query runs in a round.
fn setting(chance: &mut SmallRng, boundaries: &[u64]) -> Setting {
    Setting {
        parallelism: chance.random_range(1..=3),
        backend: ["memory", "disk", "rocksdb"][chance.random_range(0..3)],
        mode: [ChangelogMode::Retract, ChangelogMode::Upsert][chance.random_range(0..2)],
        boundaries: boundaries.to_vec(),
        lost: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn continuous_queries_have_the_rows_of_batch_mode_at_every_boundary() {
    let seed = levada_tests::seed();
    let figures = std::env::var("LEVADA_TPCH_FIGURES").is_ok();
    let rounds = levada_tests::count("LEVADA_TPCH_ROUNDS", 1, 10);
    let mut failures = Vec::new();
    for round in 0..rounds as u64 {
        let mut chance = SmallRng::seed_from_u64(seed + round);
        let changes = Arc::new(Changes::random(&rows::tables(SCALE), seed + round));
        let mut boundaries: Vec<u64> = (1..changes.count / BETWEEN + 1)
            .map(|n| n * BETWEEN)
            .collect();
        boundaries.push(changes.count);
        let bench = Bench::new(changes);
        let settings: Vec<(Query, Setting)> = queries()
            .into_iter()
            .map(|query| (query, setting(&mut chance, &boundaries)))
            .collect();
        let runs = settings.iter().map(|(query, setting)| {
            let bench = &bench;
            async move { (query, setting, bench.check(query, setting).await) }
        });
        let results: Vec<_> = futures::stream::iter(runs)
            .buffered(if figures { 1 } else { SIDE_BY_SIDE })
            .collect()
            .await;
        let mut ended: Vec<(String, Figures)> = Vec::new();
        for (query, setting, result) in results {
            match result {
                Ok(figures) if figures.rows.iter().all(|rows| *rows == 0) => {
                    failures.push(format!(
                        "{}, seed {}: no rows at any boundary",
                        query.name,
                        seed + round
                    ));
                }
                Ok(figures) => ended.push((query.name.clone(), figures)),
                Err(problem) => failures.push(format!(
                    "{} ({} x, {}, {:?}), seed {}: {problem}",
                    query.name,
                    setting.parallelism,
                    setting.backend,
                    setting.mode,
                    seed + round
                )),
            }
        }
        eprintln!("{}", page(&ended));
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_change_that_a_query_is_not_told_is_found() {
    const SHIPPED: usize = 10;
    let seed = levada_tests::seed();
    let changes = Arc::new(Changes::random(&rows::tables(SCALE), seed));
    let items = &changes.tables["lineitem"];
    let shipped = items.columns[SHIPPED].as_string::<i32>();
    // One that q1 counts.
    let counted = shipped.iter().position(|day| day < Some("1998-09-01"));
    let mut chance = SmallRng::seed_from_u64(seed);
    let setting = Setting {
        lost: counted.map(|row| items.numbers[row]),
        ..setting(&mut chance, &[BETWEEN])
    };
    let query = Query::read("q1");
    let bench = Bench::new(Arc::clone(&changes));
    let found = bench.check(&query, &setting).await;
    let found = found.expect_err("a row is lacking");
    assert!(found.starts_with("at 20000: "), "{found}");
    let whole = Setting {
        lost: None,
        ..setting
    };
    let checked = Bench::new(changes).check(&query, &whole).await;
    assert!(checked.is_ok(), "{checked:?}");
}
