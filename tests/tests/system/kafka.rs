//! Kafka in, Kafka out, against a real broker, with Kafka's own tools at both ends.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use levada_tests::process;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

const EVENTS: usize = 200_000;
/// How far a row may be out of order, in milliseconds.
const DISORDER_MS: usize = 3_000;

/// Runs `kafka-tool.sh`.
fn tool(arguments: &[&str]) -> String {
    let script = levada_tests::workspace().join("tests/support/kafka-tool.sh");
    let output = Command::new(script).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "kafka-tool.sh {arguments:?}: {error}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Events ten a millisecond apart at most, shuffled within three seconds. Returns each with its key.
fn events(chance: &mut SmallRng) -> Vec<(usize, String)> {
    let mut order: Vec<(usize, usize)> = (0..EVENTS)
        .map(|number| (number + chance.random_range(0..DISORDER_MS), number))
        .collect();
    order.shuffle(chance);
    order.sort();
    let event = |(_, number): (usize, usize)| {
        let (second, millis) = (number / 1000, number % 1000);
        let time = format!(
            "2026-01-01 00:{:02}:{:02}.{millis:03}",
            second / 60,
            second % 60
        );
        let key = chance.random_range(0..50);
        let price = chance.random_range(1..1000);
        (
            key,
            format!("{{\"k\":{key},\"price\":{price},\"ts\":\"{time}\"}}"),
        )
    };
    order.into_iter().map(event).collect()
}

const AGGREGATES: &str = "
SELECT 'tumble' AS kind, k, window_start, window_end, COUNT(*) AS n, SUM(price) AS total, MAX(price) AS top
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, k
UNION ALL
SELECT 'hop', k, window_start, window_end, COUNT(*), SUM(price), MAX(price)
FROM TABLE(HOP(TABLE events, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND)) GROUP BY window_start, window_end, k";

fn tables(source: &str) -> String {
    format!(
        "CREATE TABLE events (k INT, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ({source}, 'format' = 'json');\n"
    )
}

fn sorted(text: &str) -> Vec<String> {
    let parse = |line: &str| -> BTreeMap<String, serde_json::Value> {
        serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))
    };
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| format!("{:?}", parse(line)))
        .collect();
    lines.sort();
    lines
}

#[test]
#[ignore = "needs Kafka"]
fn windows_over_a_topic_equal_batch_over_the_same_events() {
    let broker = std::env::var("LEVADA_TEST_KAFKA").expect("LEVADA_TEST_KAFKA=HOST:PORT");
    let seed = levada_tests::seed();
    let events = events(&mut SmallRng::seed_from_u64(seed));
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (format!("events-{seed}"), format!("aggregates-{seed}"));
    tool(&["topic", &input, "4"]);
    tool(&["topic", &output, "2"]);
    let (keyed, plain) = (
        folder.path().join("keyed.tsv"),
        folder.path().join("events.json"),
    );
    write(
        &keyed,
        events.iter().map(|(key, event)| format!("{key}\t{event}")),
    );
    write(&plain, events.iter().map(|(_, event)| event.clone()));
    tool(&["produce", &input, &keyed.display().to_string(), "--keyed"]);

    let kafka = format!(
        "'connector' = 'kafka', 'properties.bootstrap.servers' = '{broker}', 'topic' = '{input}', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'"
    );
    let sink = format!(
        "CREATE TABLE aggregates (kind STRING, k INT, window_start TIMESTAMP(3), window_end TIMESTAMP(3), n BIGINT, total BIGINT, top INT) WITH ('connector' = 'kafka', 'properties.bootstrap.servers' = '{broker}', 'topic' = '{output}', 'format' = 'json');"
    );
    let script = format!(
        "{}{sink}\nINSERT INTO aggregates {AGGREGATES};",
        tables(&kafka)
    );
    let stream = process::sql(&["--parallelism", "2"], &script);
    assert!(
        stream.status.success(),
        "{}",
        String::from_utf8_lossy(&stream.stderr)
    );

    let files = format!("'connector' = 'filesystem', 'path' = '{}'", plain.display());
    let script = format!("{}{AGGREGATES};", tables(&files));
    let batch = process::sql(
        &["--output", "json", "--set", "execution.runtime-mode=batch"],
        &script,
    );
    assert!(
        batch.status.success(),
        "{}",
        String::from_utf8_lossy(&batch.stderr)
    );

    let expected = sorted(&String::from_utf8(batch.stdout).unwrap());
    let found = sorted(&tool(&["read", &output]));
    assert!(expected.len() > 1000, "{} rows", expected.len());
    assert_eq!(found.len(), expected.len(), "number of rows, seed {seed}");
    assert!(
        found == expected,
        "{:?}",
        levada_tests::run::same("the topic", &expected, &found)
    );
    tool(&["delete", &input]);
    tool(&["delete", &output]);
}

fn write(path: &Path, lines: impl Iterator<Item = String>) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    lines.for_each(|line| writeln!(out, "{line}").unwrap());
}
