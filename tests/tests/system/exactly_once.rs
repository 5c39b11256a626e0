//! Exactly once from Kafka to Kafka: whatever is killed at whatever moment, and if the broker goes
//! away meanwhile, a reader of committed records that is not Levada sees every result once.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use levada_tests::processes::{Processes, Victim};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const KEYS: usize = 40;
const PATIENCE: Duration = Duration::from_secs(180);

/// A broker of this test's own, since it is restarted.
struct Broker {
    folder: tempfile::TempDir,
    address: String,
}

fn support(script: &str) -> Command {
    Command::new(levada_tests::workspace().join("tests/support").join(script))
}

fn output_of(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

impl Broker {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = Self::control(folder.path(), "start");
        Broker { folder, address }
    }

    fn control(folder: &Path, what: &str) -> String {
        let mut command = support("kafka.sh");
        command.args([what, "--dir"]).arg(folder.join("kafka"));
        output_of(command).trim().to_string()
    }

    fn restart(&self) {
        Self::control(self.folder.path(), "kill");
        assert_eq!(Self::control(self.folder.path(), "start"), self.address);
    }

    fn tool(&self, arguments: &[&str]) -> String {
        let mut command = support("kafka-tool.sh");
        command
            .args(arguments)
            .env("LEVADA_TEST_KAFKA", &self.address);
        output_of(command)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let mut command = support("kafka.sh");
        command.args(["stop", "--wipe", "--dir"]);
        let _ = command.arg(self.folder.path().join("kafka")).output();
    }
}

fn time(second: usize) -> String {
    let (hours, minutes) = (second / 3600, second / 60 % 60);
    format!("2026-01-01 {hours:02}:{minutes:02}:{:02}", second % 60)
}

/// The second and key of event `number`: a hundred a second.
fn event(number: usize) -> (usize, usize) {
    (number / 100, number * 7 % KEYS)
}

fn produce(broker: &Broker, events: usize, folder: &Path) {
    broker.tool(&["topic", "events", "4"]);
    let path = folder.join("events.tsv");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for number in 0..events {
        let (second, key) = event(number);
        let ts = time(second);
        writeln!(out, "{key}\t{{\"k\":{key},\"v\":{number},\"ts\":\"{ts}\"}}").unwrap();
    }
    out.flush().unwrap();
    drop(out);
    broker.tool(&["produce", "events", &path.display().to_string(), "--keyed"]);
}

/// Count and sum by key and ten seconds, and by key.
struct Expected {
    windows: Vec<String>,
    totals: BTreeMap<usize, (usize, usize)>,
}

fn expected(events: usize) -> Expected {
    let mut windows: BTreeMap<(usize, usize), (usize, usize)> = BTreeMap::new();
    let mut totals: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for number in 0..events {
        let (second, key) = event(number);
        for entry in [
            windows.entry((second / 10, key)).or_default(),
            totals.entry(key).or_default(),
        ] {
            entry.0 += 1;
            entry.1 += number;
        }
    }
    let line = |((window, key), (n, s)): (&(usize, usize), &(usize, usize))| {
        format!("{key} {}.000 {n} {s}", time(window * 10))
    };
    let mut windows: Vec<String> = windows.iter().map(line).collect();
    windows.sort();
    Expected { windows, totals }
}

fn script(broker: &Broker, round: &str) -> String {
    let kafka = format!("'properties.bootstrap.servers' = '{}'", broker.address);
    let once = "'sink.delivery-guarantee' = 'exactly-once'";
    format!(
        "CREATE TABLE events (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
         WITH ('connector' = 'kafka', {kafka}, 'topic' = 'events', 'format' = 'json',
               'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
         CREATE TABLE windows (k INT, w TIMESTAMP(0), n BIGINT, s BIGINT)
         WITH ('connector' = 'kafka', {kafka}, 'topic' = '{round}-windows', 'format' = 'json',
               {once}, 'sink.transactional-id-prefix' = '{round}-windows');
         CREATE TABLE totals (k INT, n BIGINT, s BIGINT, PRIMARY KEY (k) NOT ENFORCED)
         WITH ('connector' = 'upsert-kafka', {kafka}, 'topic' = '{round}-totals', 'key.format' = 'json', 'value.format' = 'json',
               {once}, 'sink.transactional-id-prefix' = '{round}-totals');
         SET 'execution.checkpointing.interval' = '200 ms';
         SET 'restart-strategy.type' = 'fixed-delay';
         SET 'restart-strategy.fixed-delay.attempts' = '100';
         SET 'restart-strategy.fixed-delay.delay' = '50 ms';
         SET 'parallelism.default' = '4';
         SET 'pipeline.batch-rows' = '50';
         EXECUTE STATEMENT SET BEGIN
           INSERT INTO windows SELECT k, CAST(window_start AS TIMESTAMP(0)), COUNT(*), SUM(v)
             FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, k;
           INSERT INTO totals SELECT k, COUNT(*), SUM(v) FROM events GROUP BY k;
         END;",
    )
}

fn number(row: &serde_json::Value, name: &str) -> usize {
    row[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} of {row}")) as usize
}

/// What readers of committed records see, against what they must see.
fn check(broker: &Broker, round: &str, expected: &Expected) {
    let windows = broker.tool(&["read", &format!("{round}-windows")]);
    let mut found: Vec<String> = windows
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let (k, n, s) = (number(&row, "k"), number(&row, "n"), number(&row, "s"));
            format!("{k} {} {n} {s}", row["w"].as_str().unwrap())
        })
        .collect();
    found.sort();
    assert_eq!(
        found.len(),
        expected.windows.len(),
        "{round}: number of windows"
    );
    let pairs = found.iter().zip(&expected.windows);
    let wrong: Vec<_> = pairs.filter(|(a, b)| a != b).take(3).collect();
    assert!(wrong.is_empty(), "{round}: {wrong:?}");

    let totals = broker.tool(&["read", &format!("{round}-totals"), "--keyed"]);
    let mut last: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for line in totals.lines() {
        let (_, value) = line.split_once('\t').unwrap();
        let row: serde_json::Value = serde_json::from_str(value).unwrap();
        let (k, now) = (number(&row, "k"), (number(&row, "n"), number(&row, "s")));
        let before = last.insert(k, now);
        // Counts grow, so a result that comes again, or goes back, shows.
        assert!(
            before.is_none_or(|before| before.0 < now.0),
            "{round}: {now:?} after {before:?} of key {k}"
        );
    }
    assert_eq!(last, expected.totals, "{round}: totals");
}

struct Bench {
    broker: Broker,
    folder: tempfile::TempDir,
    expected: Expected,
}

impl Bench {
    fn round(&self, round: &str, disturb: impl FnOnce(&mut Processes, &Broker)) -> (Duration, u32) {
        for topic in ["windows", "totals"] {
            self.broker
                .tool(&["topic", &format!("{round}-{topic}"), "2"]);
        }
        let folder: PathBuf = self.folder.path().join(round);
        let mut cluster = Processes::start(&folder, 2, 2);
        let client = cluster.client(&folder, &script(&self.broker, round));
        disturb(&mut cluster, &self.broker);
        let took = client.finish(PATIENCE, &cluster);
        assert_eq!(cluster.job()["status"], "FINISHED");
        check(&self.broker, round, &self.expected);
        (took, cluster.restarts())
    }
}

#[test]
#[ignore = "needs Kafka"]
fn every_result_once_whatever_is_killed() {
    let mut chance = SmallRng::seed_from_u64(levada_tests::seed());
    let (events, rounds) = match levada_tests::soak() {
        true => (2_000_000, 100),
        false => (200_000, 6),
    };
    let bench = Bench {
        broker: Broker::start(),
        folder: tempfile::tempdir().unwrap(),
        expected: expected(events),
    };
    produce(&bench.broker, events, bench.folder.path());
    let (undisturbed, _) = bench.round("undisturbed", |_, _| {});
    let mut disturbed = 0;
    for round in 0..rounds {
        let kills: Vec<(Victim, Duration)> = (0..chance.random_range(1..=3))
            .map(|_| {
                let moment = undisturbed.mul_f64(chance.random_range(0.05..0.5));
                (Victim::random(&mut chance, 2), moment)
            })
            .collect();
        let broker_too = round % 5 == 4;
        eprintln!("round {round}: {kills:?}, the broker too: {broker_too}");
        let (took, restarts) = bench.round(&format!("round-{round}"), |cluster, broker| {
            for (position, (victim, pause)) in kills.iter().enumerate() {
                std::thread::sleep(*pause);
                cluster.kill(*victim);
                if broker_too && position == 0 {
                    broker.restart();
                }
            }
        });
        eprintln!("  {took:?}, {restarts} restarts");
        disturbed += u32::from(took > undisturbed);
    }
    assert!(disturbed > 0, "no kill hit the job");
}
