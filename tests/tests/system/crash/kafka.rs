//! From Kafka to Kafka: windows of events into a topic, totals by key into a compacted one. They are
//! read by Kafka's own consumer, which sees committed records only.

use std::path::Path;
use std::process::Command;

use super::Outside;
use super::events::{self, Events, Totals, Window};

/// A broker of this test's own, since it is restarted.
pub struct Kafka {
    folder: tempfile::TempDir,
    address: String,
    windows: Vec<Window>,
    totals: Totals,
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

impl Kafka {
    pub fn new(events: Events) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = Self::control(folder.path(), "start");
        let kafka = Kafka {
            folder,
            address,
            windows: events.windows(),
            totals: events.totals(),
        };
        kafka.tool(&["topic", "events", "4"]);
        let path = kafka.folder.path().join("events.tsv");
        events.write_keyed(&path);
        kafka.tool(&["produce", "events", &path.display().to_string(), "--keyed"]);
        let _ = std::fs::remove_file(path);
        kafka
    }

    fn control(folder: &Path, what: &str) -> String {
        let mut command = support("kafka.sh");
        command.args([what, "--dir"]).arg(folder.join("kafka"));
        output_of(command).trim().to_string()
    }

    fn tool(&self, arguments: &[&str]) -> String {
        let mut command = support("kafka-tool.sh");
        command
            .args(arguments)
            .env("LEVADA_TEST_KAFKA", &self.address);
        output_of(command)
    }

    fn check_windows(&self, round: &str) -> Result<(), String> {
        let read = self.tool(&["read", &format!("{round}-windows")]);
        let window = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let begin = events::second(row["w"].as_str().unwrap());
            (
                number(&row, "k"),
                begin,
                number(&row, "n"),
                number(&row, "s"),
            )
        };
        let found: Vec<Window> = read.lines().map(window).collect();
        events::compare("windows", found, &self.windows)
    }

    fn check_totals(&self, round: &str) -> Result<(), String> {
        let read = self.tool(&["read", &format!("{round}-totals"), "--keyed"]);
        let mut last = Totals::new();
        for line in read.lines() {
            let (_, value) = line.split_once('\t').unwrap();
            let row: serde_json::Value = serde_json::from_str(value).unwrap();
            let (k, now) = (number(&row, "k"), (number(&row, "n"), number(&row, "s")));
            let before = last.insert(k, now);
            // Counts grow, so a result that comes again, or goes back, shows.
            if before.is_some_and(|before| before.0 >= now.0) {
                return Err(format!("totals: {now:?} after {before:?} of key {k}"));
            }
        }
        match last == self.totals {
            true => Ok(()),
            false => Err(format!("totals: {last:?} instead of {:?}", self.totals)),
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let mut command = support("kafka.sh");
        command.args(["stop", "--wipe", "--dir"]);
        let _ = command.arg(self.folder.path().join("kafka")).output();
    }
}

impl Outside for Kafka {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn begin(&self, round: &str, _folder: &Path) -> String {
        std::thread::scope(|scope| {
            for topic in ["windows", "totals"] {
                scope.spawn(move || self.tool(&["topic", &format!("{round}-{topic}"), "2"]));
            }
        });
        let kafka = format!("'properties.bootstrap.servers' = '{}'", self.address);
        let once = "'sink.delivery-guarantee' = 'exactly-once'";
        format!(
            "CREATE TABLE events (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
             WITH ('connector' = 'kafka', {kafka}, 'topic' = 'events', 'format' = 'json', 'properties.group.id' = '{round}',
                   'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
             CREATE TABLE windows (k INT, w TIMESTAMP(0), n BIGINT, s BIGINT)
             WITH ('connector' = 'kafka', {kafka}, 'topic' = '{round}-windows', 'format' = 'json',
                   {once}, 'sink.transactional-id-prefix' = '{round}-windows');
             CREATE TABLE totals (k INT, n BIGINT, s BIGINT, PRIMARY KEY (k) NOT ENFORCED)
             WITH ('connector' = 'upsert-kafka', {kafka}, 'topic' = '{round}-totals', 'key.format' = 'json', 'value.format' = 'json',
                   {once}, 'sink.transactional-id-prefix' = '{round}-totals');
             {}
             EXECUTE STATEMENT SET BEGIN
               INSERT INTO windows {};
               INSERT INTO totals {};
             END;",
            events::settings(100),
            events::windows_query("events"),
            events::TOTALS_QUERY,
        )
    }

    fn check(&self, round: &str, _folder: &Path) -> Result<(), String> {
        // Two readers at once: starting them takes longer than reading.
        let checks = std::thread::scope(|scope| {
            let windows = scope.spawn(|| self.check_windows(round));
            let totals = self.check_totals(round);
            vec![windows.join().unwrap(), totals]
        });
        events::all(checks)
    }

    fn end(&self, round: &str) {
        // A pattern.
        self.tool(&["delete", &format!("{round}-(windows|totals)")]);
    }

    fn restart(&self) -> Option<()> {
        Self::control(self.folder.path(), "kill");
        assert_eq!(Self::control(self.folder.path(), "start"), self.address);
        Some(())
    }
}

fn number(row: &serde_json::Value, name: &str) -> usize {
    row[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} of {row}")) as usize
}
