//! Checkpoints and savepoints in an S3-compatible object store, a real one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use levada_tests::process;
use levada_tests::processes::{Processes, Victim};
use levada_tests::{case, workspace};

type Variables = Vec<(String, String)>;

/// Ids come in order at this rate; each thousand of them is a window.
const ROWS: u64 = 120_000;
const RATE: u64 = 12_000;
const PATIENCE: Duration = Duration::from_secs(120);

/// What processes need of an object store at `http://KEY:SECRET@HOST:PORT/BUCKET`.
fn variables(address: &str) -> Variables {
    let (keys, rest) = address
        .trim_start_matches("http://")
        .split_once('@')
        .expect("an address");
    let (key, secret) = keys.split_once(':').expect("a key and its secret");
    let (host, _) = rest.split_once('/').expect("a bucket");
    let variable = |name: &str, value: &str| (name.to_string(), value.to_string());
    vec![
        variable("AWS_ENDPOINT", &format!("http://{host}")),
        variable("AWS_ALLOW_HTTP", "true"),
        variable("AWS_REGION", "us-east-1"),
        variable("AWS_ACCESS_KEY_ID", key),
        variable("AWS_SECRET_ACCESS_KEY", secret),
    ]
}

fn shared() -> Variables {
    let address = std::env::var("LEVADA_TEST_S3");
    variables(&address.expect("LEVADA_TEST_S3 names an object store"))
}

/// A server of the test's own, which it may kill.
struct Server(PathBuf);

impl Server {
    fn command(&self, command: &str) -> Output {
        let script = workspace().join("tests/support/s3.sh");
        let output = Command::new(script)
            .args([command, "--dir"])
            .arg(&self.0)
            .output();
        let output = output.expect("the script runs");
        assert!(output.status.success(), "{output:?}");
        output
    }

    /// Starts it, for the first time or again, and returns its address.
    fn start(&self) -> String {
        let output = self.command("start");
        String::from_utf8_lossy(&output.stdout).trim().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.command("kill");
    }
}

/// A job over so many ids a second whose windows go to files below `folder`.
fn script(folder: &Path, checkpoints: &str, settings: &str) -> String {
    format!(
        "CREATE TABLE ids (id BIGINT, ts AS TO_TIMESTAMP_LTZ(id, 3), WATERMARK FOR ts AS ts)
         WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1',
               'fields.id.end' = '{ROWS}', 'rows-per-second' = '{RATE}');
         CREATE TABLE sums (k BIGINT, n BIGINT, s BIGINT)
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv');
         SET 'execution.checkpointing.interval' = '100 ms';
         SET 'execution.checkpointing.dir' = '{checkpoints}';
         SET 'restart-strategy.type' = 'fixed-delay';
         SET 'restart-strategy.fixed-delay.attempts' = '20';
         SET 'restart-strategy.fixed-delay.delay' = '50 ms';
         {settings}
         INSERT INTO sums SELECT k, n, s FROM (
           SELECT window_start, id % 7 AS k, COUNT(*) AS n, SUM(id) AS s
           FROM TABLE(TUMBLE(TABLE ids, DESCRIPTOR(ts), INTERVAL '1' SECOND))
           GROUP BY window_start, window_end, id % 7);",
        folder.join("out").display()
    )
}

fn expected() -> Vec<String> {
    let mut windows = std::collections::BTreeMap::new();
    for id in 1..=ROWS {
        let entry = windows.entry((id / 1000, id % 7)).or_insert((0, 0));
        entry.0 += 1;
        entry.1 += id;
    }
    let mut lines: Vec<String> = windows
        .iter()
        .map(|((_, k), (n, s))| format!("{k},{n},{s}"))
        .collect();
    lines.sort();
    lines
}

/// The lines of all committed files.
fn lines(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    case::walk(&folder.join("out"), &mut paths);
    let committed = paths.iter().filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        !name.starts_with('.') && !name.starts_with('_')
    });
    let mut lines: Vec<String> = Vec::new();
    for path in committed {
        let text = std::fs::read_to_string(path).unwrap();
        lines.extend(text.lines().map(str::to_string));
    }
    lines.sort();
    lines
}

/// Waits until the job runs and has a checkpoint.
fn is_running(cluster: &Processes) {
    let begun = Instant::now();
    let list = [
        "job",
        "list",
        "--connect",
        cluster.address(),
        "--output",
        "json",
    ];
    loop {
        let jobs = process::run(&list);
        let text = String::from_utf8_lossy(&jobs.stdout).into_owned();
        let job: serde_json::Value = text
            .lines()
            .next()
            .and_then(|line| serde_json::from_str(line).ok())
            .unwrap_or_default();
        if job["status"] == "RUNNING" && job["checkpoint"].as_str().is_some_and(|at| !at.is_empty())
        {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{text}{}", cluster.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn unique(name: &str) -> String {
    format!("s3://levada/{name}-{}", std::process::id())
}

#[test]
#[ignore = "needs S3"]
fn killed_processes_go_on_from_checkpoints_on_s3() {
    let folder = tempfile::tempdir().unwrap();
    let variables = shared();
    let mut cluster = Processes::start_with(folder.path(), 2, 2, &variables);
    let settings = "SET 'parallelism.default' = '4';";
    let script = script(folder.path(), &unique("killed"), settings);
    let client = cluster.client(folder.path(), &script);
    is_running(&cluster);
    for victim in [Victim::Worker(0), Victim::Coordinator, Victim::Worker(1)] {
        std::thread::sleep(Duration::from_millis(1500));
        cluster.kill(victim);
    }
    client.finish(PATIENCE, &mut cluster);
    assert_eq!(lines(folder.path()), expected());
}

/// With SQL of the client's own.
fn ask(cluster: &Processes, sql: &str) -> String {
    let output = process::run(&["sql", "--connect", cluster.address(), "-e", sql]);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{out}{err}");
    out + &err
}

#[test]
#[ignore = "needs S3"]
fn a_savepoint_on_s3_restores_at_another_parallelism_and_backend() {
    let folder = tempfile::tempdir().unwrap();
    let variables = shared();
    let mut cluster = Processes::start_with(folder.path(), 2, 2, &variables);
    let savepoints = unique("savepoints");
    let first = format!(
        "SET 'parallelism.default' = '1';
         SET 'execution.checkpointing.savepoint-dir' = '{savepoints}';"
    );
    let first = script(folder.path(), &unique("first"), &first);
    let client = cluster.client(folder.path(), &first);
    is_running(&cluster);
    std::thread::sleep(Duration::from_secs(2));
    let id = cluster.job()["job id"].as_str().unwrap().to_string();
    let set = format!("SET 'execution.checkpointing.savepoint-dir' = '{savepoints}';");
    let said = ask(&cluster, &format!("{set} STOP JOB '{id}' WITH SAVEPOINT;"));
    let path = said
        .split_whitespace()
        .find(|word| word.starts_with("s3://") && word.contains("/savepoint-"))
        .unwrap_or_else(|| panic!("no savepoint in: {said}"));
    let path = path.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    drop(client);
    let inspected = process::run_with(&["state", "inspect", path], &variables);
    assert!(inspected.status.success(), "{inspected:?}");
    let settings = format!(
        "SET 'parallelism.default' = '3';
         SET 'state.backend.type' = 'rocksdb';
         SET 'execution.state-recovery.path' = '{path}';"
    );
    let again = script(folder.path(), &unique("second"), &settings);
    cluster
        .client(folder.path(), &again)
        .finish(PATIENCE, &mut cluster);
    assert_eq!(lines(folder.path()), expected());
}

/// Checkpoints are late or fail, and the job goes on.
#[test]
#[ignore = "needs S3"]
fn an_outage_of_the_store_fails_checkpoints_and_not_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server(folder.path().join("s3"));
    let variables = variables(&server.start());
    let mut cluster = Processes::start_with(folder.path(), 2, 2, &variables);
    let settings = "SET 'parallelism.default' = '2';
         SET 'execution.checkpointing.timeout' = '500 ms';
         SET 'execution.checkpointing.tolerable-failed-checkpoints' = '1000';";
    let script = script(folder.path(), "s3://levada/outage", settings);
    let client = cluster.client(folder.path(), &script);
    is_running(&cluster);
    for pause in [500, 2500] {
        std::thread::sleep(Duration::from_millis(700));
        server.command("kill");
        std::thread::sleep(Duration::from_millis(pause));
        server.start();
    }
    client.finish(PATIENCE, &mut cluster);
    assert_eq!(lines(folder.path()), expected());
    assert_eq!(cluster.job()["restarts"], "0", "the job goes on");
    let log = cluster.log();
    let failed = log.matches("a checkpoint failed").count();
    assert!(failed > 0, "the outage was noticed");
    eprintln!("{failed} checkpoints failed");
}

/// Runs a job whose checkpoints go where they cannot; it is told so at once, and within a bound.
fn refused(variables: &Variables, dir: &str, wanted: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path(), dir, "");
    let begun = Instant::now();
    let output = process::run_with(&["sql", "-e", &script], variables);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    for part in wanted {
        assert!(said.contains(part), "no '{part}' in: {said}");
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(60), "it took {took:?}");
    eprintln!("told after {took:?}: {said}");
}

#[test]
#[ignore = "needs S3"]
fn a_wrong_bucket_key_or_address_is_told_when_the_job_is_submitted() {
    let right = shared();
    let with = |name: &str, value: &str| -> Variables {
        let others = right.iter().filter(|(known, _)| known != name).cloned();
        others
            .chain([(name.to_string(), value.to_string())])
            .collect()
    };
    let missing = "s3://levada-is-not-there/checkpoints";
    refused(
        &right,
        missing,
        &["levada-is-not-there", "create the bucket"],
    );
    let dir = "s3://levada/refused";
    let key = with("AWS_SECRET_ACCESS_KEY", "wrong");
    refused(&key, dir, &[dir, "AWS_SECRET_ACCESS_KEY"]);
    let nobody = format!("http://127.0.0.1:{}", process::free_port());
    let address = with("AWS_ENDPOINT", &nobody);
    refused(&address, dir, &[dir, "AWS_ENDPOINT"]);
}
