//! Several processes on this machine.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::{LIMIT, Running, failing, levada, run, sql};

/// A cluster on a port of its own, and the address.
fn cluster(workers: &str, slots: &str) -> (Running, String) {
    let arguments = [
        "cluster",
        "--workers",
        workers,
        "--slots",
        slots,
        "--bind",
        "127.0.0.1:0",
    ];
    let mut running = Running::start(levada(&arguments));
    let ready = running.line();
    let address = ready
        .strip_prefix("cluster ready on ")
        .unwrap_or_else(|| panic!("{ready}"));
    let address = address.split_once(": ").unwrap().0.to_string();
    (running, address)
}

/// The processes whose parent is `parent`.
fn children(parent: u32) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        if after_name.split_whitespace().nth(1) == Some(parent.to_string().as_str()) {
            found.push(pid);
        }
    }
    found
}

fn alive(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

#[test]
fn a_job_runs_on_two_workers_and_the_cluster_ends_whole() {
    let (running, address) = cluster("2", "2");
    let script = "CREATE TABLE numbers (a BIGINT) WITH ('connector' = 'datagen', \
        'number-of-rows' = '10000', 'fields.a.kind' = 'sequence', 'fields.a.start' = '1', \
        'fields.a.end' = '10000'); \
        SELECT COUNT(*) AS c, SUM(a) AS s, COUNT(DISTINCT a) AS d FROM numbers;";
    let rows = sql(&["--connect", &address, "-p", "4", "-o", "json"], script);
    assert_eq!(rows, "{\"c\":10000,\"s\":50005000,\"d\":10000}\n");

    let jobs = run(&["job", "list", "-o", "json", "--connect", &address]);
    assert_eq!(jobs.status, Some(0), "{}", jobs.stderr);
    assert!(
        jobs.stdout.contains("\"status\":\"FINISHED\""),
        "{}",
        jobs.stdout
    );

    let pids = children(running.id());
    assert_eq!(pids.len(), 3, "a coordinator and two workers");
    running.signal(Signal::SIGTERM);
    let ended = running.end();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    assert!(pids.iter().all(|pid| !alive(*pid)), "nobody is left behind");
}

#[test]
fn jobs_on_a_cluster_outlive_the_client_and_are_stopped_by_name() {
    let (_running, address) = cluster("1", "1");
    let script = "CREATE TABLE many (a BIGINT) WITH ('connector' = 'datagen', \
        'rows-per-second' = '100'); \
        CREATE TABLE hole (a BIGINT) WITH ('connector' = 'blackhole'); \
        SET 'pipeline.name' = 'forever'; INSERT INTO hole SELECT a FROM many;";
    sql(&["--connect", &address, "--detach"], script);
    let listed = || run(&["job", "list", "-o", "json", "--connect", &address]).stdout;
    let job: serde_json::Value = serde_json::from_str(listed().lines().next().unwrap()).unwrap();
    assert_eq!(job["job name"], "forever");
    let id = job["job id"].as_str().unwrap();
    let stopped = run(&["job", "stop", id, "--connect", &address]);
    assert_eq!(stopped.status, Some(0), "{}", stopped.stderr);
    assert!(listed().contains("\"status\":\"STOPPED\""), "{}", listed());
    let unknown = run(&["job", "stop", "nope", "--connect", &address]);
    assert_eq!(unknown.status, Some(1));
}

#[test]
fn a_job_without_enough_slots_says_what_it_waits_for() {
    let (_running, address) = cluster("1", "1");
    let script = "CREATE TABLE few (a BIGINT) WITH ('connector' = 'datagen', \
        'number-of-rows' = '5'); CREATE TABLE hole (a BIGINT) WITH ('connector' = 'blackhole'); \
        INSERT INTO hole SELECT a FROM few;";
    let waiting = levada(&["sql", "--connect", &address, "-p", "4", "-e", script]);
    let _waiting = Running::start(waiting);
    let begin = Instant::now();
    loop {
        let jobs = run(&["job", "list", "-o", "json", "--connect", &address]).stdout;
        if jobs.contains("\"status\":\"WAITING\"") && jobs.contains("slots") {
            return;
        }
        assert!(begin.elapsed() < LIMIT, "{jobs}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_worker_that_is_killed_is_replaced() {
    let (running, address) = cluster("1", "1");
    let before = children(running.id());
    // The coordinator was started first.
    let worker = *before.iter().max().unwrap();
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    let begin = Instant::now();
    while children(running.id())
        .iter()
        .all(|pid| before.contains(pid))
    {
        assert!(begin.elapsed() < LIMIT, "no new worker");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(
        sql(&["--connect", &address, "-o", "csv"], "VALUES (7)")
            .lines()
            .nth(1),
        Some("7")
    );
}

#[test]
fn nobody_outlives_a_cluster_that_is_killed() {
    let (running, _) = cluster("1", "1");
    let pids = children(running.id());
    running.signal(Signal::SIGKILL);
    let begin = Instant::now();
    while pids.iter().any(|pid| alive(*pid)) {
        assert!(begin.elapsed() < LIMIT, "{pids:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_port_that_is_in_use_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().display().to_string();
    let ended = run(&["coordinator", "--bind", &address, "--dir", &dir]);
    assert_eq!(ended.status, Some(1));
    assert!(
        ended.stderr.contains("LV-5002") && ended.stderr.contains(&address),
        "{}",
        ended.stderr
    );
    // Something listens there, and it is no coordinator.
    drop(taken);
    let error = failing(&["--connect", &address], "VALUES (1)");
    assert!(error.contains("LV-5001"), "{error}");
}
