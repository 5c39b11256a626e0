//! Workers and coordinators that die with SIGKILL in the middle of a bounded job: the sink's files
//! hold each row exactly once, whenever it happens.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use levada_tests::processes::{Processes, Victim};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const FILES: usize = 4;
const ROWS_PER_FILE: usize = 500_000;
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_killed_process_loses_and_doubles_nothing() {
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
        let victim = Victim::random(&mut chance, 2);
        eprintln!(
            "round {round}: {victim:?} is killed after {moment:?} of {:?}",
            undisturbed.took
        );
        let kill = Some((victim, moment));
        let found = Round::new(folder.path(), &input, &format!("round-{round}")).run(kill);
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

    /// Runs the job on two workers; kills a process after a moment and starts another in its place.
    fn run(&self, kill: Option<(Victim, Duration)>) -> Found {
        let mut cluster = Processes::start(&self.folder, 2, 2);
        let client = cluster.client(&self.folder, &self.script);
        if let Some((victim, moment)) = kill {
            std::thread::sleep(moment);
            cluster.kill(victim);
        }
        let took = client.finish(PATIENCE, &cluster);
        let job = cluster.job();
        assert_eq!(job["status"], "FINISHED", "{job}");
        Found {
            lines: lines(&self.folder.join("out")),
            took,
            restarts: cluster.restarts(),
        }
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
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
