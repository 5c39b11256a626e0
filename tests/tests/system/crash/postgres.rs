//! From files to PostgreSQL: windows appended by transactions, the same windows and totals by key
//! written as upserts, and windows of what a table of the server says of each event. They are read by psql.

use std::path::Path;

use levada_tests::postgres::Server;

use super::Outside;
use super::events::{self, Events, Totals, Window};

const FILES: usize = 4;

/// A server of this test's own, since it is restarted.
pub struct Postgres {
    server: Server,
    windows: Vec<Window>,
    totals: Totals,
}

impl Postgres {
    pub fn new(events: Events) -> Self {
        let server = Server::start();
        events.write_files(&server.folder().join("input"), FILES);
        Postgres {
            server,
            windows: events.windows(),
            totals: events.totals(),
        }
    }

    fn check_windows(&self, table: &str, k: &str) -> Result<(), String> {
        let rows = self
            .server
            .rows(&format!("SELECT {k}, w, n, s FROM {table};"));
        let window =
            |[k, w, n, s]: [String; 4]| (number(&k), events::second(&w), number(&n), number(&s));
        let found: Vec<Window> = rows.into_iter().map(window).collect();
        events::compare(table, found, &self.windows)
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
        self.server.sql(&format!(
            "CREATE SCHEMA {schema};
             CREATE TABLE {schema}.appended ({columns});
             CREATE TABLE {schema}.upserted ({columns}, PRIMARY KEY (k, w));
             CREATE TABLE {schema}.totals (k INT PRIMARY KEY, n BIGINT, s BIGINT);
             CREATE TABLE {schema}.looked_up ({columns});
             CREATE TABLE {schema}.codes (k INT PRIMARY KEY, code INT);
             INSERT INTO {schema}.codes SELECT k, k + 1000 FROM generate_series(0, 99) AS k;"
        ));
        let to = |table: &str, more: &str| self.server.options(&format!("{schema}.{table}"), more);
        // Flushes at barriers, and between them, but not so many that a barrier waits for them.
        let seldom =
            ", 'sink.buffer-flush.max-rows' = '20000', 'sink.buffer-flush.interval' = '1 min'";
        let often =
            ", 'sink.buffer-flush.max-rows' = '1000', 'sink.buffer-flush.interval' = '150 ms'";
        let (windows, totals) = (events::windows_query("events"), events::TOTALS_QUERY);
        let looked_up = events::windows_query("coded");
        format!(
            "{}
             CREATE TABLE appended ({columns}) {};
             CREATE TABLE upserted ({columns}, PRIMARY KEY (k, w) NOT ENFORCED) {};
             CREATE TABLE totals (k INT, n BIGINT, s BIGINT, PRIMARY KEY (k) NOT ENFORCED) {};
             CREATE TABLE looked_up ({columns}) {};
             CREATE TABLE codes (k INT, code INT) {};
             CREATE VIEW coded AS SELECT c.code AS k, e.v, e.ts FROM events AS e
             JOIN codes FOR SYSTEM_TIME AS OF PROCTIME() AS c ON e.k = c.k;
             {}
             EXECUTE STATEMENT SET BEGIN
               INSERT INTO appended {windows};
               INSERT INTO upserted {windows};
               INSERT INTO totals {totals};
               INSERT INTO looked_up {looked_up};
             END;",
            events::table_of_files(&self.server.folder().join("input")),
            to("appended", ""),
            to("upserted", seldom),
            to("totals", often),
            to("looked_up", ""),
            to("codes", ""),
            events::settings(100),
        )
    }

    fn check(&self, round: &str, _folder: &Path) -> Result<(), String> {
        let schema = schema(round);
        let mut checks = vec![
            self.check_windows(&format!("{schema}.appended"), "k"),
            self.check_windows(&format!("{schema}.upserted"), "k"),
            self.check_windows(&format!("{schema}.looked_up"), "k - 1000"),
        ];
        let rows = self
            .server
            .rows(&format!("SELECT k, n, s FROM {schema}.totals;"));
        let found = rows.into_iter();
        let found = found.map(|[k, n, s]: [String; 3]| (number(&k), (number(&n), number(&s))));
        let expected: Vec<_> = self.totals.clone().into_iter().collect();
        checks.push(events::compare("totals", found.collect(), &expected));
        let left = self.server.sql(&format!(
            "SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' AND tablename LIKE 'levada_rows%';"
        ));
        if !left.is_empty() {
            checks.push(Err(format!("tables of waiting rows are left: {left}")));
        }
        events::all(checks)
    }

    fn end(&self, round: &str) {
        self.server.sql(&format!(
            "SET client_min_messages = error; DROP SCHEMA {} CASCADE;",
            schema(round)
        ));
    }

    fn restart(&self) -> Option<()> {
        self.server.restart();
        Some(())
    }
}
