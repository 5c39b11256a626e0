//! Materialized views of a cluster: what sessions read of them is of one moment, whoever dies.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use levada_tests::process;
use levada_tests::processes::{Processes, Victim};
use rand::SeedableRng;
use rand::rngs::SmallRng;

const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a script; a coordinator that was killed just now may not listen yet.
fn sql(cluster: &Processes, script: &str) -> Output {
    let options = [
        "--connect",
        cluster.address(),
        "--output",
        "csv",
        "--detach",
    ];
    let begun = Instant::now();
    loop {
        let output = process::sql(&options, script);
        let error = String::from_utf8_lossy(&output.stderr);
        if !error.contains("LV-5001") || begun.elapsed() > PATIENCE {
            return output;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The rows of a script's last statement, which must succeed.
fn rows(cluster: &Processes, script: &str) -> Vec<String> {
    let output = sql(cluster, script);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}\n{}", cluster.tail());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().skip(1).map(str::to_string).collect()
}

/// Of the numbers 1 to N: how many there are, their sum, the least and the greatest, as a session finds them that
/// has just begun.
fn numbers(cluster: &Processes) -> [u64; 4] {
    let script = "SET 'execution.runtime-mode' = 'batch';
        SELECT SUM(t.n), SUM(t.s), MIN(other.least), MAX(other.greatest) FROM totals AS t
        JOIN totals AS other ON t.k = other.k AND t.n = other.n";
    let begun = Instant::now();
    loop {
        let output = sql(cluster, script);
        if output.status.success() {
            let text = String::from_utf8(output.stdout).unwrap();
            let cells = text.lines().nth(1).unwrap().split(',');
            let cells: Vec<u64> = cells.map(|cell| cell.parse().unwrap_or(0)).collect();
            return cells.try_into().unwrap();
        }
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(begun.elapsed() < PATIENCE, "{error}\n{}", cluster.tail());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn create(folder: &Path) -> String {
    format!(
        "SET 'table.dml-sync' = 'false';
         SET 'parallelism.default' = '2';
         SET 'execution.checkpointing.dir' = '{}';
         SET 'restart-strategy.type' = 'fixed-delay';
         SET 'restart-strategy.fixed-delay.attempts' = '1000';
         SET 'restart-strategy.fixed-delay.delay' = '50 ms';
         SET 'execution.checkpointing.interval' = '50 ms';
         CREATE TABLE numbers (a BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '20000', 'scan.parallelism' = '1',
           'fields.a.kind' = 'sequence', 'fields.a.start' = '1', 'fields.a.end' = '1000000000');
         CREATE MATERIALIZED VIEW totals AS
         SELECT a % 7 AS k, COUNT(*) AS n, SUM(a) AS s, MIN(a) AS least, MAX(a) AS greatest FROM numbers GROUP BY a % 7;",
        folder.join("checkpoints").display()
    )
}

#[test]
fn sessions_see_a_view_at_one_moment_whoever_is_killed() {
    let mut chance = SmallRng::seed_from_u64(levada_tests::seed());
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Processes::start(folder.path(), 2, 2);
    let created = sql(&cluster, &create(folder.path()));
    let said = String::from_utf8_lossy(&created.stderr).into_owned();
    assert!(created.status.success(), "{said}\n{}", cluster.tail());
    let mut last = 0;
    for round in 0..6 {
        let begun = Instant::now();
        // It goes on behind what was seen last.
        loop {
            let [n, sum, least, greatest] = numbers(&cluster);
            assert_eq!(sum, n * (n + 1) / 2, "round {round}: {n} rows");
            assert_eq!((least, greatest), (n.min(1), n), "round {round}");
            assert!(n >= last, "round {round}: {n} behind {last}");
            if n > last {
                last = n;
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{n}\n{}", cluster.tail());
        }
        cluster.kill(Victim::random(&mut chance, 2));
    }
    let again = sql(&cluster, &create(folder.path()));
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("totals"), "{said}");
    assert!(!again.status.success(), "{said}");
    assert_eq!(rows(&cluster, "SHOW MATERIALIZED VIEWS").len(), 1);
    rows(&cluster, "DROP MATERIALIZED VIEW totals");
    assert_eq!(rows(&cluster, "SHOW MATERIALIZED VIEWS").len(), 0);
    let left = folder.path().join("checkpoints");
    let begun = Instant::now();
    let jobs = || std::fs::read_dir(&left).map_or(0, Iterator::count);
    while jobs() > 0 {
        assert!(begun.elapsed() < PATIENCE, "{}", cluster.tail());
        std::thread::sleep(Duration::from_millis(20));
    }
}
