//! From files to PostgreSQL: windows appended by transactions, the same windows and totals by key
//! written as upserts. They are read by psql.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Outside;
use super::events::{self, Events, Totals, Window};

const FILES: usize = 4;

/// A server of this test's own, since it is restarted.
pub struct Postgres {
    folder: tempfile::TempDir,
    address: String,
    windows: Vec<Window>,
    totals: Totals,
}

impl Postgres {
    pub fn new(events: Events) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The server may run as another user, who must get to its data.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), open).unwrap();
        events.write_files(&folder.path().join("input"), FILES);
        let mut postgres = Postgres {
            folder,
            address: String::new(),
            windows: events.windows(),
            totals: events.totals(),
        };
        postgres.address = postgres.tool("start", "").trim().to_string();
        postgres
    }

    fn tool(&self, what: &str, input: &str) -> String {
        let script = levada_tests::workspace().join("tests/support/postgres.sh");
        let mut child = Command::new(script)
            .args([what, "--dir"])
            .arg(self.folder.path().join("server"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // What does not read is told nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what}: {input}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn sql(&self, sql: &str) -> String {
        self.tool("sql", sql)
    }

    fn rows<const N: usize>(&self, sql: &str) -> Vec<[String; N]> {
        let text = self.sql(sql);
        let row = |line: &str| {
            let cells: Vec<String> = line.split('|').map(str::to_string).collect();
            cells.try_into().unwrap_or_else(|_| panic!("{sql}: {line}"))
        };
        text.lines().map(row).collect()
    }

    fn check_windows(&self, table: &str) -> Result<(), String> {
        let rows = self.rows(&format!("SELECT k, w, n, s FROM {table};"));
        let window =
            |[k, w, n, s]: [String; 4]| (number(&k), events::second(&w), number(&n), number(&s));
        let found: Vec<Window> = rows.into_iter().map(window).collect();
        events::compare(table, found, &self.windows)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.tool("stop", "");
    }
}

fn number(text: &str) -> usize {
    text.parse()
        .unwrap_or_else(|_| panic!("'{text}' is no number"))
}

/// The schema of a round.
fn schema(round: &str) -> String {
    round.replace(['-', '.'], "_")
}

impl Outside for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn begin(&self, round: &str, _folder: &Path) -> String {
        let schema = schema(round);
        let columns = "k INT, w TIMESTAMP(0), n BIGINT, s BIGINT";
        self.sql(&format!(
            "CREATE SCHEMA {schema};
             CREATE TABLE {schema}.appended ({columns});
             CREATE TABLE {schema}.upserted ({columns}, PRIMARY KEY (k, w));
             CREATE TABLE {schema}.totals (k INT PRIMARY KEY, n BIGINT, s BIGINT);"
        ));
        let to = |table: &str, more: &str| {
            format!(
                "WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://{}', 'table-name' = '{schema}.{table}', 'username' = 'levada'{more})",
                self.address
            )
        };
        // Flushes at barriers, and between them, but not so many that a barrier waits for them.
        let seldom =
            ", 'sink.buffer-flush.max-rows' = '20000', 'sink.buffer-flush.interval' = '1 min'";
        let often =
            ", 'sink.buffer-flush.max-rows' = '1000', 'sink.buffer-flush.interval' = '150 ms'";
        let (windows, totals) = (events::windows_query(), events::TOTALS_QUERY);
        format!(
            "{}
             CREATE TABLE appended ({columns}) {};
             CREATE TABLE upserted ({columns}, PRIMARY KEY (k, w) NOT ENFORCED) {};
             CREATE TABLE totals (k INT, n BIGINT, s BIGINT, PRIMARY KEY (k) NOT ENFORCED) {};
             {}
             EXECUTE STATEMENT SET BEGIN
               INSERT INTO appended {windows};
               INSERT INTO upserted {windows};
               INSERT INTO totals {totals};
             END;",
            events::table_of_files(&self.folder.path().join("input")),
            to("appended", ""),
            to("upserted", seldom),
            to("totals", often),
            events::settings(100),
        )
    }

    fn check(&self, round: &str, _folder: &Path) -> Result<(), String> {
        let schema = schema(round);
        let mut checks = vec![
            self.check_windows(&format!("{schema}.appended")),
            self.check_windows(&format!("{schema}.upserted")),
        ];
        let rows = self.rows(&format!("SELECT k, n, s FROM {schema}.totals;"));
        let found = rows.into_iter();
        let found = found.map(|[k, n, s]: [String; 3]| (number(&k), (number(&n), number(&s))));
        let expected: Vec<_> = self.totals.clone().into_iter().collect();
        checks.push(events::compare("totals", found.collect(), &expected));
        let left = self.sql(&format!(
            "SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' AND tablename LIKE 'levada_rows%';"
        ));
        if !left.is_empty() {
            checks.push(Err(format!("tables of waiting rows are left: {left}")));
        }
        events::all(checks)
    }

    fn end(&self, round: &str) {
        self.sql(&format!(
            "SET client_min_messages = error; DROP SCHEMA {} CASCADE;",
            schema(round)
        ));
    }

    fn restart(&self) -> Option<()> {
        self.tool("kill", "");
        assert_eq!(self.tool("start", "").trim(), self.address);
        Some(())
    }
}
