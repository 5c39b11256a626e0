//! Wrong input on the command line: what is wrong, where, what to do, and the exit status.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use levada_tests::process::{self, Child};
use levada_tests::processes::Processes;
use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng};

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The statement fails with status 1, says all of these, and no Rust.
#[track_caller]
fn check(sql: &str, parts: &[&str]) {
    check_with(&[], sql, parts);
}

#[track_caller]
fn check_with(options: &[&str], sql: &str, parts: &[&str]) {
    let output = process::sql(options, sql);
    let error = error(&output);
    assert_eq!(output.status.code(), Some(1), "{sql}\n{error}");
    for part in parts {
        assert!(error.contains(part), "'{part}' is lacking:\n{error}");
    }
    for rust in [
        "panicked",
        "RUST_BACKTRACE",
        "ArrowError",
        "DataFusionError",
        "Some(",
        "Err(",
    ] {
        assert!(!error.contains(rust), "{rust}:\n{error}");
    }
}

fn table(folder: &Path, content: &str, options: &str) -> String {
    let path = folder.join("t.json");
    std::fs::write(&path, content).unwrap();
    format!(
        "CREATE TABLE t (a INT, ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json'{options});\n",
        path.display()
    )
}

#[test]
fn statements_that_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let t = table(folder.path(), "", "");
    check("SELEC 1;", &["LV-1001", "line 1, column 1"]);
    check("SELECT 1;\nSELECT (2;", &["LV-1001", "line 2"]);
    check("SELECT * FROM nothing;", &["LV-1002", "line 1, column 15"]);
    check(
        &format!("{t}SELECT tz FROM t;"),
        &["LV-1003", "line 2, column 8", "ts"],
    );
    check(
        &format!("{t}SELECT UPER('a') FROM t;"),
        &["LV-1004", "line 2, column 8", "upper"],
    );
    check(
        "CREATE TABLE x (a INT) WITH ('connector' = 'kafak', 'format' = 'json');",
        &["kafak", "kafka"],
    );
    check(
        "CREATE TABLE x (a INT) WITH ('connector' = 'filesystem', 'path' = '/tmp', 'format' = 'jason');\nSELECT * FROM x;",
        &["jason", "json"],
    );
    check(
        "CREATE TABLE x (a INT) WITH ('connector' = 'datagen', 'rows-per-secnd' = '1');\nSELECT * FROM x;",
        &["rows-per-secnd", "rows-per-second"],
    );
    check(
        "CREATE TABLE x (a INT) WITH ('connector' = 'filesystem', 'format' = 'json');\nSELECT * FROM x;",
        &["path"],
    );
    check(
        "CREATE TABLE x (a STRING, WATERMARK FOR a AS a) WITH ('connector' = 'datagen');",
        &["LV-1013", "line 1", "TIMESTAMP"],
    );
    check(
        "SET 'parallelism.defalt' = '2';",
        &["parallelism.defalt", "parallelism.default", "line 1"],
    );
    check(
        "SET 'parallelism.default' = 'two';",
        &["parallelism.default", "two"],
    );
}

#[test]
fn wrong_usage_has_status_2() {
    for arguments in [
        &["sql", "--nonsense"][..],
        &["worker"],
        &["sql", "-e", "SELECT 1", "-f", "x"],
    ] {
        let output = process::run(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            error(&output)
        );
    }
}

#[test]
fn a_script_that_is_not_there() {
    let output = process::run(&["sql", "-f", "/nowhere/script.sql"]);
    assert_ne!(output.status.code(), Some(0));
    assert!(
        error(&output).contains("/nowhere/script.sql"),
        "{}",
        error(&output)
    );
}

#[test]
fn the_first_error_ends_a_script() {
    let output = process::sql(
        &["--output", "csv"],
        "SELECT 1 AS a; SELECT * FROM nothing; SELECT 2 AS b;",
    );
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(out.contains('1') && !out.contains('2'), "{out}");
}

#[test]
fn a_malformed_row_in_each_mode() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "{\"a\": 1}\n{\"a\": oops}\n{\"a\": 3}\n";
    let t = table(folder.path(), rows, "");
    check(
        &format!("{t}SELECT a FROM t;"),
        &["LV-3002", "t.json", "line 2"],
    );

    let t = table(folder.path(), rows, ", 'json.ignore-parse-errors' = 'true'");
    let output = process::sql(
        &["--output", "csv"],
        &format!("{t}SELECT a FROM t WHERE a IS NOT NULL;"),
    );
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    assert_eq!(
        out.lines()
            .filter(|line| *line == "1" || *line == "3")
            .count(),
        2,
        "{out}"
    );

    let t = table(folder.path(), rows, ", 'bad-rows.table' = 'bad'");
    let bad = folder.path().join("bad");
    let script = format!(
        "CREATE TABLE bad (payload BYTES, `position` STRING, error STRING) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');
         {t}CREATE TABLE good (a INT) WITH ('connector' = 'blackhole');
         INSERT INTO good SELECT a FROM t;",
        bad.display()
    );
    let output = process::sql(&[], &script);
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    let mut paths = Vec::new();
    levada_tests::case::walk(&bad, &mut paths);
    let text: String = paths
        .iter()
        .map(|p| std::fs::read_to_string(p).unwrap())
        .collect();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("line 2"), "{text}");
}

#[test]
fn a_truncated_parquet_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("p");
    let ddl = format!(
        "CREATE TABLE p (a INT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'parquet');\n",
        out.display()
    );
    let written = process::sql(&[], &format!("{ddl}INSERT INTO p VALUES (1), (2);"));
    assert_eq!(written.status.code(), Some(0), "{}", error(&written));
    let mut paths = Vec::new();
    levada_tests::case::walk(&out, &mut paths);
    let whole = std::fs::read(&paths[0]).unwrap();
    std::fs::write(&paths[0], &whole[..whole.len() - 9]).unwrap();
    let name = paths[0].file_name().unwrap().to_string_lossy().into_owned();
    check(&format!("{ddl}SELECT * FROM p;"), &["LV-3", &name]);
    check_with(
        &["--set", "execution.runtime-mode=batch"],
        &format!("{ddl}SELECT * FROM p;"),
        &["LV-", &name],
    );
}

#[test]
fn a_folder_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [folder.path().join("nowhere"), file.join("below")] {
        let sql = format!(
            "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\nSELECT * FROM t;",
            path.display()
        );
        check(&sql, &["LV-", &path.display().to_string()]);
    }
}

#[test]
fn checkpoints_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    // No file may grow, as on a disk that is full; checkpoints are the only files of this job.
    let checkpoints = folder.path().join("checkpoints");
    let script = format!(
        "SET 'execution.checkpointing.interval' = '50 ms';
         SET 'execution.checkpointing.dir' = '{}';
         SET 'restart-strategy.type' = 'none';
         CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000', 'number-of-rows' = '20000');
         CREATE TABLE b (a INT) WITH ('connector' = 'blackhole');
         INSERT INTO b SELECT a FROM g;",
        checkpoints.display()
    );
    let output = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" sql -e \"$1\""])
        .arg(process::binary())
        .arg(&script)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let error = error(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("LV-4002"), "{error}");
    assert!(error.contains("checkpoint"), "{error}");
}

#[test]
fn a_port_that_is_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display().to_string();
    let output = process::run(&["coordinator", "--bind", &address, "--dir", &dir]);
    assert_eq!(output.status.code(), Some(1), "{}", error(&output));
    assert!(error(&output).contains(&address), "{}", error(&output));
}

#[test]
fn a_coordinator_that_is_not_there() {
    let address = format!("127.0.0.1:{}", process::free_port());
    check_with(
        &["--connect", &address],
        "CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');\nSELECT * FROM g;",
        &["LV-5001", &address],
    );
}

#[test]
fn a_broker_that_is_not_there_is_named_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let broker = format!("127.0.0.1:{}", process::free_port());
    let sql = format!(
        "CREATE TABLE k (a INT) WITH ('connector' = 'kafka', 'properties.bootstrap.servers' = '{broker}', 'topic' = 't', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\nSELECT a FROM k;"
    );
    let mut child = Child::start(&["sql", "--output", "csv", "-e", &sql], &log);
    let begun = Instant::now();
    let text = || std::fs::read_to_string(&log).unwrap_or_default();
    while !text().contains(&broker) {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "nothing is said: {}",
            text()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.lives(), "it gave up: {}", text());
}

#[test]
#[ignore = "needs Kafka"]
fn a_topic_that_is_not_there() {
    let broker = std::env::var("LEVADA_TEST_KAFKA").expect("LEVADA_TEST_KAFKA=HOST:PORT");
    check(
        &format!(
            "CREATE TABLE k (a INT) WITH ('connector' = 'kafka', 'properties.bootstrap.servers' = '{broker}', 'topic' = 'no-such-topic', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json');\nSELECT a FROM k;"
        ),
        &["LV-2001", "no-such-topic"],
    );
}

#[test]
fn garbage_at_every_port_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let address = format!("127.0.0.1:{}", process::free_port());
    let dir = folder.path().join("dir").display().to_string();
    let metrics = [process::free_port(), process::free_port()].map(|p| format!("127.0.0.1:{p}"));
    let mut coordinator = Child::start(
        &[
            "coordinator",
            "--bind",
            &address,
            "--dir",
            &dir,
            "--metrics",
            &metrics[0],
        ],
        &log,
    );
    ready(&log, "coordinator ready on ");
    let mut worker = Child::start(
        &[
            "worker",
            "--coordinator",
            &address,
            "--slots",
            "2",
            "--metrics",
            &metrics[1],
        ],
        &log,
    );
    let data = ready(&log, "worker ready on ");
    let mut chance = SmallRng::seed_from_u64(levada_tests::seed());
    for port in [&address, &data, &metrics[0], &metrics[1]] {
        for length in [0, 1, 7, 64, 5000, 300_000] {
            let mut bytes = vec![0; length];
            chance.fill_bytes(&mut bytes);
            let mut stream = TcpStream::connect(port.as_str()).unwrap();
            stream
                .set_write_timeout(Some(Duration::from_secs(2)))
                .unwrap();
            // The other side may hang up at any byte.
            let _ = stream.write_all(&bytes);
        }
        // A frame that announces more than anyone has memory for.
        let mut stream = TcpStream::connect(port.as_str()).unwrap();
        let _ = stream.write_all(&[0xFF; 16]);
    }
    let output = process::sql(
        &[
            "--connect",
            &address,
            "--output",
            "csv",
            "--parallelism",
            "2",
        ],
        "CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1000');\nSELECT COUNT(*) AS n FROM g;",
    );
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        coordinator.lives() && worker.lives(),
        "{}",
        std::fs::read_to_string(&log).unwrap()
    );
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    assert!(out.lines().any(|line| line == "1000"), "{out}");
}

/// What stands behind `mark` in the log, once it is there.
fn ready(log: &Path, mark: &str) -> String {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        if let Some((_, rest)) = text.split_once(mark)
            && let Some((address, _)) = rest.split_once('\n')
        {
            return address.trim().to_string();
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "no '{mark}' in:\n{text}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn rows_that_wait_for_checkpoints_that_never_come() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Processes::start(folder.path(), 1, 1);
    let script = format!(
        "SET 'parallelism.default' = '1';
         CREATE TABLE numbers (i BIGINT) WITH ('connector' = 'datagen');
         CREATE TABLE files (i BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');
         INSERT INTO files SELECT i FROM numbers;",
        folder.path().join("files").display()
    );
    let _client = cluster.client(folder.path(), &script);
    cluster.wait_for("a job was submitted", 1);
    let begun = Instant::now();
    loop {
        let message = cluster.job()["message"].clone();
        if message
            .to_string()
            .contains("execution.checkpointing.interval")
        {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{message}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
