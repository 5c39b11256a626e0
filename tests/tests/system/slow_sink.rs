//! A sink of 100 rows a second behind a source that could give a million.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use levada_tests::process;

const ROWS: u64 = 1_000_000;
const SLOW: Duration = Duration::from_secs(8);
const ROWS_PER_SECOND: u32 = 100;
/// By how much the memory of the process may grow while the sink is slow.
const GROWTH_BYTES: u64 = 48 << 20;

/// The print connector writes to a pipe that this test reads slowly; a second branch of the same
/// statement set writes files meanwhile.
#[test]
fn a_slow_sink_holds_back_its_source_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let script = format!(
        "CREATE TABLE a (id BIGINT, text_ STRING) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{ROWS}', 'fields.text_.length' = '100', 'rows-per-second' = '1000000');
         CREATE TABLE b (id BIGINT) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{ROWS}', 'rows-per-second' = '1000000');
         CREATE TABLE slow (id BIGINT, text_ STRING) WITH ('connector' = 'print');
         CREATE TABLE files (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv');
         EXECUTE STATEMENT SET BEGIN
           INSERT INTO slow SELECT id, text_ FROM a;
           INSERT INTO files SELECT id FROM b;
         END;",
        out.display()
    );
    let mut child = Command::new(process::binary())
        .args([
            "sql",
            "--output",
            "csv",
            "--parallelism",
            "1",
            "-e",
            &script,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = 1;
    let mut read = |lines: &mut dyn Iterator<Item = std::io::Result<String>>| {
        let Some(line) = lines.next() else {
            return false;
        };
        let line = line.unwrap();
        let id = line
            .split_once('[')
            .and_then(|(_, rest)| rest.split(',').next());
        assert_eq!(id, Some(next.to_string().as_str()), "{line}");
        next += 1;
        true
    };

    let begun = Instant::now();
    let (mut least, mut most, mut other) = (u64::MAX, 0, 0);
    while begun.elapsed() < SLOW {
        assert!(read(&mut lines), "the rows end early");
        std::thread::sleep(Duration::from_secs(1) / ROWS_PER_SECOND);
        // Everything is warm after two seconds.
        if begun.elapsed() > SLOW / 4 {
            let now = resident_bytes(child.id());
            (least, most) = (least.min(now), most.max(now));
        }
        other = bytes_below(&out);
    }
    eprintln!(
        "memory behind the slow sink: {} to {} MiB",
        least >> 20,
        most >> 20
    );
    assert!(
        most - least < GROWTH_BYTES,
        "memory grows from {least} to {most} bytes"
    );
    // Seven bytes a row, less what is buffered.
    assert!(
        other > ROWS * 5,
        "the other branch has written {other} bytes only"
    );

    while read(&mut lines) {}
    assert_eq!(next - 1, ROWS, "rows that came out");
    assert!(child.wait().unwrap().success());
}

fn resident_bytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

/// Of all files, also of those that are not committed.
fn bytes_below(folder: &Path) -> u64 {
    let mut paths = Vec::new();
    levada_tests::case::walk(folder, &mut paths);
    paths
        .iter()
        .filter_map(|path| path.metadata().ok())
        .map(|m| m.len())
        .sum()
}
