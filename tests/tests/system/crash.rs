//! Workers that die with SIGKILL in the middle of a bounded job: the sink's files hold each row
//! exactly once, whenever it happens.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use levada_tests::process::{self, Child};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const FILES: usize = 4;
const ROWS_PER_FILE: usize = 500_000;
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_killed_worker_loses_and_doubles_nothing() {
    let mut chance = SmallRng::seed_from_u64(levada_tests::seed());
    let rounds = if levada_tests::soak() { 200 } else { 20 };
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    write_input(&input);
    let expected = expected_lines();
    let undisturbed = Round::new(folder.path(), &input, "undisturbed").run(None);
    assert_eq!(undisturbed.lines, expected, "without a failure");
    let mut restarts = 0;
    for round in 0..rounds {
        let moment = undisturbed.took.mul_f64(chance.random_range(0.15..0.75));
        eprintln!(
            "round {round}: a worker is killed after {moment:?} of {:?}",
            undisturbed.took
        );
        let found = Round::new(folder.path(), &input, &format!("round-{round}")).run(Some(moment));
        assert_eq!(
            found.lines.len(),
            expected.len(),
            "round {round}: number of rows"
        );
        assert_eq!(found.lines, expected, "round {round}");
        restarts += found.restarts;
    }
    eprintln!("{restarts} restarts in {rounds} rounds");
    assert!(
        restarts > 0,
        "no kill hit the job: the input is too small for this machine"
    );
}

/// Four files of rows whose keys and times are known.
fn write_input(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for file in 0..FILES {
        let path = folder.join(format!("{file}.json"));
        let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
        for row in 0..ROWS_PER_FILE {
            let (key, second) = (row % 7, row / 1000);
            let time = format!("2026-01-01 00:{:02}:{:02}", second / 60, second % 60);
            writeln!(
                out,
                "{{\"k\": {key}, \"v\": {row}, \"file\": {file}, \"ts\": \"{time}\"}}"
            )
            .unwrap();
        }
    }
}

/// Count and sum of each key in each ten seconds, as the sink writes them.
fn expected_lines() -> Vec<String> {
    let mut windows = std::collections::BTreeMap::new();
    for row in 0..ROWS_PER_FILE {
        let entry = windows.entry((row / 10_000, row % 7)).or_insert((0, 0));
        entry.0 += FILES;
        entry.1 += FILES * row;
    }
    let line = |((window, key), (n, s)): ((usize, usize), (usize, usize))| {
        let second = window * 10;
        let time = format!("2026-01-01 00:{:02}:{:02}", second / 60, second % 60);
        format!("{key},{time}.000,{n},{s}")
    };
    let mut lines: Vec<String> = windows.into_iter().map(line).collect();
    lines.sort();
    lines
}

struct Round {
    folder: std::path::PathBuf,
    script: String,
}

struct Found {
    lines: Vec<String>,
    took: Duration,
    restarts: u32,
}

impl Round {
    fn new(base: &Path, input: &Path, name: &str) -> Self {
        let folder = base.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let script = format!(
            "CREATE TABLE rows_in (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
             WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');
             CREATE TABLE sums (k INT, w TIMESTAMP(0), n BIGINT, s BIGINT)
             WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv', 'csv.disable-quote-character' = 'true');
             SET 'execution.checkpointing.interval' = '100 ms';
             SET 'restart-strategy.type' = 'fixed-delay';
             SET 'restart-strategy.fixed-delay.attempts' = '20';
             SET 'restart-strategy.fixed-delay.delay' = '50 ms';
             SET 'parallelism.default' = '4';
             SET 'pipeline.batch-rows' = '100';
             INSERT INTO sums SELECT k, CAST(window_start AS TIMESTAMP(0)), COUNT(*), SUM(v)
             FROM TABLE(TUMBLE(TABLE rows_in, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, k;",
            input.display(),
            folder.join("out").display(),
        );
        Round { folder, script }
    }

    /// Runs the job on two workers; kills one after `moment` and starts another in its place.
    fn run(&self, moment: Option<Duration>) -> Found {
        let log = self.folder.join("processes.log");
        let address = format!("127.0.0.1:{}", process::free_port());
        let dir = self.folder.join("coordinator").display().to_string();
        let _coordinator = Child::start(&["coordinator", "--bind", &address, "--dir", &dir], &log);
        let worker = || Child::start(&["worker", "--coordinator", &address, "--slots", "2"], &log);
        let mut workers = [worker(), worker()];
        wait_for(&log, "coordinator ready on", 1);
        wait_for(&log, "worker ready on", 2);
        let script = self.folder.join("job.sql");
        std::fs::write(&script, &self.script).unwrap();
        let script = script.display().to_string();
        let client_log = self.folder.join("client.log");
        let begun = Instant::now();
        let mut client = Child::start(&["sql", "--connect", &address, "-f", &script], &client_log);
        if let Some(moment) = moment {
            std::thread::sleep(moment);
            workers[0].kill();
            workers[0] = worker();
        }
        while client.lives() {
            assert!(
                begun.elapsed() < PATIENCE,
                "the job does not end\n{}\n{}",
                text(&client_log),
                text(&log)
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        let took = begun.elapsed();
        assert!(client.succeeded(), "{}\n{}", text(&client_log), text(&log));
        let jobs = process::run(&["job", "list", "--connect", &address, "--output", "json"]);
        let jobs = String::from_utf8_lossy(&jobs.stdout).into_owned();
        let job: serde_json::Value = serde_json::from_str(jobs.lines().next().unwrap()).unwrap();
        assert_eq!(job["status"], "FINISHED", "{jobs}");
        let restarts = job["restarts"].as_str().unwrap().parse().unwrap();
        Found {
            lines: lines(&self.folder.join("out")),
            took,
            restarts,
        }
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Waits until a line has come so many times.
fn wait_for(log: &Path, line: &str, times: usize) {
    let begun = Instant::now();
    while text(log).matches(line).count() < times {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "no '{line}' in:\n{}",
            text(log)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The lines of all committed files.
fn lines(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    levada_tests::case::walk(folder, &mut paths);
    let committed = paths.iter().filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        !name.starts_with('.') && !name.starts_with('_')
    });
    let mut lines: Vec<String> = committed
        .flat_map(|path| text(path).lines().map(str::to_string).collect::<Vec<_>>())
        .collect();
    lines.sort();
    lines
}
