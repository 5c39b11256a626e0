//! How long a job with much keyed state stands still when a worker dies.

use std::path::Path;
use std::time::{Duration, Instant};

use levada_tests::process;
use levada_tests::processes::{Processes, Victim};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const PATIENCE: Duration = Duration::from_secs(180);
const SECONDS_A_DAY: f64 = 86_400.0;
/// What the log says.
const LOST: &str = "a worker is lost";
const RESTARTS: &str = "the job restarts";
const RUNS: &str = "running job=";

/// What is asked of a run.
struct Scale {
    /// Each has about 200 bytes of state.
    groups: u64,
    rows_per_second: u64,
    rounds: usize,
    /// From the restart being scheduled to all subtasks running, in seconds.
    limit: f64,
}

/// The full one is a gigabyte and more on a machine that does nothing else; the small one shares its with other tests.
fn scale() -> Scale {
    match levada_tests::soak() {
        true => Scale {
            groups: 6_500_000,
            rows_per_second: 400_000,
            rounds: 20,
            limit: 2.0,
        },
        false => Scale {
            groups: 200_000,
            rows_per_second: 100_000,
            rounds: 3,
            limit: 20.0,
        },
    }
}

fn script(scale: &Scale, checkpoints: &Path) -> String {
    format!(
        "SET 'state.backend.type' = 'disk'; SET 'parallelism.default' = '2'; SET 'table.dml-sync' = 'false';
         SET 'execution.checkpointing.interval' = '1 s'; SET 'execution.checkpointing.dir' = '{}';
         SET 'restart-strategy.type' = 'fixed-delay'; SET 'restart-strategy.fixed-delay.attempts' = '1000';
         SET 'restart-strategy.fixed-delay.delay' = '1 ms';
         CREATE TABLE numbers (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '{}',
           'fields.i.kind' = 'sequence', 'fields.i.start' = '0', 'fields.i.end' = '9000000000');
         CREATE TABLE hole (k BIGINT, n BIGINT, p STRING) WITH ('connector' = 'blackhole');
         INSERT INTO hole SELECT k, COUNT(*), MAX(SHA512(CAST(k AS STRING))) FROM (SELECT MOD(i, {}) AS k FROM numbers) GROUP BY k;",
        checkpoints.display(),
        scale.rows_per_second,
        scale.groups,
    )
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_in(&entry.path()),
        Ok(found) => found.len(),
        // Swept meanwhile.
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}

/// When lines with a text were logged, in seconds of the day.
fn moments(log: &str, text: &str) -> Vec<f64> {
    let lines = log.lines().filter(|line| line.contains(text));
    let moment = |line: &str| {
        let (_, time) = line.split_once('T')?;
        let (time, _) = time.split_once('Z')?;
        let mut parts = time.split(':').map(|part| part.parse::<f64>().ok());
        parts.try_fold(0.0, |sum, part| Some(sum * 60.0 + part?))
    };
    lines.filter_map(moment).collect()
}

/// Waits until the log has a line of this text after another moment than `known` ones.
fn next_moment(cluster: &Processes, text: &str, known: usize) -> f64 {
    let begun = Instant::now();
    loop {
        if let Some(moment) = moments(&cluster.log(), text).get(known) {
            return *moment;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", cluster.tail());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Kills workers until one of them had a part of the job, which may be with one of the two alone; when the job restarted.
fn kill_one(cluster: &mut Processes, first: usize, restarts: usize) -> f64 {
    for victim in [first, 1 - first] {
        let lost = moments(&cluster.log(), LOST).len();
        cluster.kill(Victim::Worker(victim));
        next_moment(cluster, LOST, lost);
        // The next line, if it comes.
        std::thread::sleep(Duration::from_millis(500));
        if let Some(moment) = moments(&cluster.log(), RESTARTS).get(restarts) {
            return *moment;
        }
    }
    next_moment(cluster, RESTARTS, restarts)
}

fn last_checkpoint(cluster: &Processes) -> u64 {
    let job = cluster.job();
    let text = job["checkpoint"].as_str().unwrap_or_default();
    let (_, id) = text.rsplit_once("chk-").unwrap_or_default();
    id.parse().unwrap_or(0)
}

fn wait_for_checkpoint_behind(cluster: &Processes, known: u64) -> u64 {
    let begun = Instant::now();
    loop {
        let last = last_checkpoint(cluster);
        if last > known {
            return last;
        }
        assert!(begun.elapsed() < PATIENCE, "{known}\n{}", cluster.tail());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_job_with_much_state_goes_on_soon() {
    let scale = scale();
    let mut chance = SmallRng::seed_from_u64(levada_tests::seed());
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let mut cluster = Processes::start(folder.path(), 2, 2);
    let options = ["--connect", cluster.address(), "--detach"];
    let submitted = process::sql(&options, &script(&scale, &checkpoints));
    assert!(submitted.status.success(), "{submitted:?}");
    let begun = Instant::now();
    while bytes_in(&checkpoints) < scale.groups * 160 {
        assert!(begun.elapsed() < PATIENCE, "{}", cluster.tail());
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut checkpoint = wait_for_checkpoint_behind(&cluster, 0);
    let mut found = Vec::new();
    for _ in 0..scale.rounds {
        let log = cluster.log();
        let restarts = moments(&log, RESTARTS).len();
        let runs = moments(&log, RUNS).len();
        let bytes = bytes_in(&checkpoints);
        let restarted = kill_one(&mut cluster, chance.random_range(0..2), restarts);
        let running = next_moment(&cluster, RUNS, runs);
        let seconds = (running - restarted).rem_euclid(SECONDS_A_DAY);
        eprintln!("{seconds:.2} s with {} MB of files", bytes >> 20);
        found.push(seconds);
        checkpoint = wait_for_checkpoint_behind(&cluster, checkpoint);
    }
    assert!(
        found.iter().all(|seconds| *seconds <= scale.limit),
        "{found:?}"
    );
}
