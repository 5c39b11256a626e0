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

/// A topic of upserts is written by a query that changes and deletes its rows, and read again: streaming
/// into another such topic, and both in batch mode.
#[test]
#[ignore = "needs Kafka"]
fn topics_of_upserts_are_read_as_the_last_rows_of_their_keys() {
    let broker = std::env::var("LEVADA_TEST_KAFKA").expect("LEVADA_TEST_KAFKA=HOST:PORT");
    let seed = levada_tests::seed();
    let events = events(&mut SmallRng::seed_from_u64(seed));
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("events.json");
    // Two hundred keys, so that every number of rows is there of some and not of others.
    let spread = |(number, event): (usize, &String)| {
        let key = number * 7919 % 200;
        event.replacen("{\"k\":", &format!("{{\"u\":{key},\"k\":"), 1)
    };
    write(
        &plain,
        events
            .iter()
            .map(|(_, event)| event)
            .enumerate()
            .map(spread),
    );
    let (totals, counts) = (format!("totals-{seed}"), format!("counts-{seed}"));
    tool(&["topic", &totals, "4"]);
    tool(&["topic", &counts, "2"]);
    let upserts = |topic: &str| {
        format!(
            "'connector' = 'upsert-kafka', 'properties.bootstrap.servers' = '{broker}', 'topic' = '{topic}', 'key.format' = 'json', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY', 'scan.bounded.mode' = 'latest-offset'"
        )
    };
    let tables = format!(
        "CREATE TABLE events (u INT, price INT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');
         CREATE TABLE totals (u INT, total BIGINT, PRIMARY KEY (u) NOT ENFORCED) WITH ({});
         CREATE TABLE counts (bucket BIGINT, n BIGINT, top BIGINT, PRIMARY KEY (bucket) NOT ENFORCED) WITH ({});",
        plain.display(),
        upserts(&totals),
        upserts(&counts)
    );
    // A key whose total is even now goes, and may come back with the next row.
    let last = "SELECT u, SUM(price) AS total FROM events GROUP BY u HAVING SUM(price) % 2 = 1";
    let buckets = |from: &str| {
        format!(
            "SELECT total % 5, COUNT(*), MAX(total) FROM {from} WHERE total % 3 > 0 GROUP BY total % 5"
        )
    };
    let run = |options: &[&str], sql: &str| {
        let output = process::sql(options, &format!("{tables}\n{sql}"));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    };
    let script = format!(
        "INSERT INTO totals {last};\nINSERT INTO counts {};",
        buckets("totals")
    );
    run(&["--parallelism", "2"], &script);
    let batch = ["--output", "json", "--set", "execution.runtime-mode=batch"];
    let expected = sorted(&run(&batch, &format!("{last};")));
    assert!(expected.len() > 20, "{} rows", expected.len());
    assert_eq!(sorted(&run(&batch, "SELECT * FROM totals;")), expected);
    let renamed = |from: &str| {
        format!(
            "SELECT bucket, n, top FROM ({}) AS t (bucket, n, top);",
            buckets(from)
        )
    };
    let expected = sorted(&run(&batch, &renamed(&format!("({last})"))));
    assert!(!expected.is_empty());
    assert_eq!(sorted(&run(&batch, "SELECT * FROM counts;")), expected);
    assert_eq!(sorted(&run(&batch, &renamed("totals"))), expected);
    tool(&["delete", &totals]);
    tool(&["delete", &counts]);
}

/// A topic of upserts and tombstones is what a temporal join takes versions from, by the times that the broker has
/// of them: nothing before the first, the last row of each key at the end, and none where that is deleted.
#[test]
#[ignore = "needs Kafka"]
fn rows_meet_the_versions_of_a_topic_of_upserts() {
    let broker = std::env::var("LEVADA_TEST_KAFKA").expect("LEVADA_TEST_KAFKA=HOST:PORT");
    let seed = levada_tests::seed();
    let mut chance = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let (events, asked) = (folder.path().join("events"), folder.path().join("asked"));
    let event = |_| {
        let (key, price) = (chance.random_range(0..50), chance.random_range(1..1000));
        format!("{{\"u\":{key},\"price\":{price}}}")
    };
    write(&events, (0..5_000).map(event));
    let of =
        |key| [2020, 2100].map(|year| format!("{{\"u\":{key},\"at\":\"{year}-01-01 00:00:00Z\"}}"));
    write(&asked, (0..60).flat_map(of));
    let topic = format!("versions-{seed}");
    tool(&["topic", &topic, "3"]);
    let upserts = format!(
        "'connector' = 'upsert-kafka', 'properties.bootstrap.servers' = '{broker}', 'topic' = '{topic}', 'key.format' = 'json', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY'"
    );
    let file = |path: &Path| {
        let path = path.display();
        format!("'connector' = 'filesystem', 'path' = '{path}', 'format' = 'json'")
    };
    let tables = format!(
        "CREATE TABLE events (u INT, price INT) WITH ({});
         CREATE TABLE asked (u INT, at TIMESTAMP_LTZ(3), WATERMARK FOR at AS at) WITH ({}, 'json.timestamp-format.standard' = 'SQL');
         CREATE TABLE totals (u INT, total BIGINT, PRIMARY KEY (u) NOT ENFORCED) WITH ({upserts});
         CREATE TABLE versions (u INT, total BIGINT, at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, WATERMARK FOR at AS at, PRIMARY KEY (u) NOT ENFORCED)
         WITH ({upserts}, 'scan.bounded.mode' = 'latest-offset');",
        file(&events),
        file(&asked),
    );
    let run = |options: &[&str], sql: &str| {
        let output = process::sql(options, &format!("{tables}\n{sql}"));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    };
    // A key whose total is even now goes, and may come back with the next row.
    let last = "SELECT u, SUM(price) AS total FROM events GROUP BY u HAVING SUM(price) % 2 = 1";
    run(
        &["--parallelism", "2"],
        &format!("INSERT INTO totals {last};"),
    );
    let batch = ["--output", "json", "--set", "execution.runtime-mode=batch"];
    let wanted = format!(
        "SELECT a.u, a.at, t.total FROM asked AS a LEFT JOIN ({last}) AS t ON a.u = t.u AND a.at > TIMESTAMP '2050-01-01 00:00:00';"
    );
    let expected = sorted(&run(&batch, &wanted));
    assert_eq!(expected.len(), 120);
    let joined = "SELECT a.u, a.at, v.total FROM asked AS a LEFT JOIN versions FOR SYSTEM_TIME AS OF a.at AS v ON a.u = v.u;";
    assert_eq!(sorted(&run(&batch, joined)), expected);
    let streams = ["--output", "json", "--parallelism", "2"];
    assert_eq!(sorted(&run(&streams, joined)), expected);
    tool(&["delete", &topic]);
}

fn write(path: &Path, lines: impl Iterator<Item = String>) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    lines.for_each(|line| writeln!(out, "{line}").unwrap());
}
