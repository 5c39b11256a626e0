//! Functions of WebAssembly modules in a cluster: the job carries its module, to workers that come later too.

use std::path::Path;
use std::time::{Duration, Instant};

use levada_tests::process;
use levada_tests::processes::{Processes, Victim};

const PATIENCE: Duration = Duration::from_secs(60);

fn create(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "SET 'table.dml-sync' = 'false';
         SET 'parallelism.default' = '2';
         SET 'execution.checkpointing.dir' = '{folder}/checkpoints';
         SET 'restart-strategy.type' = 'fixed-delay';
         SET 'restart-strategy.fixed-delay.attempts' = '1000';
         SET 'restart-strategy.fixed-delay.delay' = '50 ms';
         SET 'execution.checkpointing.interval' = '50 ms';
         CREATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{folder}/example.wasm';
         CREATE AGGREGATE FUNCTION total(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{folder}/example.wasm';
         CREATE TABLE numbers (a BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '2000', 'scan.parallelism' = '1',
           'fields.a.kind' = 'sequence', 'fields.a.start' = '1', 'fields.a.end' = '1000000000');
         CREATE MATERIALIZED VIEW totals AS
         SELECT twice(a) % 7 AS k, COUNT(*) AS n, SUM(twice(a)) AS s, MAX(total) AS greatest
         FROM (SELECT a, total(a) AS total FROM numbers GROUP BY a) AS each GROUP BY twice(a) % 7;"
    )
}

/// The rows of a statement, if it succeeds.
fn answer(cluster: &Processes, script: &str) -> Result<Vec<String>, String> {
    let address = cluster.address();
    let options = ["--connect", address, "--output", "csv", "--detach"];
    let output = process::sql(&options, script);
    match output.status.success() {
        true => {
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(text.lines().skip(1).map(str::to_string).collect())
        }
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// How many numbers there are, the sum of them twice, and the greatest.
fn numbers(cluster: &Processes) -> Result<[u64; 3], String> {
    let script = "SET 'execution.runtime-mode' = 'batch';
        SELECT SUM(n), SUM(s), MAX(greatest) FROM totals";
    let rows = answer(cluster, script)?;
    let row = rows.first().ok_or("no row")?;
    let cells = row.split(',').map(|cell| cell.parse().unwrap_or(0));
    let cells: Vec<u64> = cells.collect();
    cells.try_into().map_err(|_| row.clone())
}

#[test]
fn a_job_carries_its_module_to_whoever_runs_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/modules/example.wat");
    let module = folder.path().join("example.wasm");
    std::fs::write(&module, wat::parse_file(text).unwrap()).unwrap();
    let mut cluster = Processes::start(folder.path(), 2, 2);
    answer(&cluster, &create(folder.path())).unwrap();
    std::fs::remove_file(&module).unwrap();
    let mut last = 0;
    for victim in [Victim::Worker(0), Victim::Coordinator, Victim::Worker(1)] {
        let begun = Instant::now();
        loop {
            match numbers(&cluster) {
                Ok([n, sum, greatest]) if n > last => {
                    assert_eq!((sum, greatest), (n * (n + 1), n), "before {victim:?} goes");
                    last = n;
                    break;
                }
                Ok(_) => {}
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}\n{}", cluster.tail()),
            }
            assert!(begun.elapsed() < PATIENCE, "{last}\n{}", cluster.tail());
            std::thread::sleep(Duration::from_millis(50));
        }
        cluster.kill(victim);
    }
}
