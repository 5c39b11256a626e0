//! Queries that are edited between two runs: stopped with a savepoint, and gone on from it as
//! another query, over input that has grown meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use levada_engine::client::JobState;
use levada_engine::element::{Batch, ChangelogMode, RowKind};
use levada_engine::graph::JobId;
use levada_gateway::{Outcome, QueryResult, Session};
use levada_tests::cluster::{Shared, Shares};
use levada_tests::text;

const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with input, and a session whose jobs run in this process.
pub(super) struct Bench {
    folder: tempfile::TempDir,
    session: Session,
    files: usize,
    rows: u64,
    backends: [&'static str; 2],
}

/// The rows that a query leaves, as cells.
pub(super) type Table = Vec<Vec<String>>;

fn table(text: &str) -> Table {
    let row = |line: &str| {
        line.split('|')
            .map(|cell| cell.trim().to_string())
            .collect()
    };
    let mut rows: Table = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .map(row)
        .collect();
    rows.sort();
    rows
}

/// Applies rows to what was there; what is taken back must be there.
fn apply(rows: &mut Table, batch: &Batch, (mode, key): (ChangelogMode, &[usize])) {
    for (index, cells) in text::rows(batch.rows()).into_iter().enumerate() {
        let kind = batch.kind(index);
        if mode == ChangelogMode::Upsert {
            rows.retain(|row| key.iter().any(|k| row[*k] != cells[*k]));
        } else if kind.is_retraction() {
            let at = rows.iter().position(|row| *row == cells);
            let at = at.unwrap_or_else(|| panic!("{} {cells:?} is not in {rows:?}", kind.short()));
            rows.remove(at);
        }
        if matches!(kind, RowKind::Insert | RowKind::UpdateAfter) {
            rows.push(cells);
        }
    }
    rows.sort();
}

impl Bench {
    pub(super) fn new(first: &'static str, second: &'static str) -> Self {
        let engine = Shared::embedded(levada_connectors::registry(), 64);
        let shares = Arc::new(Shares(engine));
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        Bench {
            session: Session::new(levada_connectors::registry(), shares),
            folder,
            files: 0,
            rows: 0,
            backends: [first, second],
        }
    }

    /// The savepoint that the next query starts from.
    pub(super) fn savepoint(&self) -> String {
        let path = self.session.configuration();
        path.get("execution.state-recovery.path")
            .unwrap()
            .to_string()
    }

    fn set(&mut self, name: &str, value: &str) {
        self.session.configuration_mut().set(name, value).unwrap();
    }

    async fn execute(&mut self, sql: &str) -> Result<Outcome, String> {
        let dir = self.folder.path().display().to_string();
        let sql = sql.replace("{dir}", &dir);
        self.session.execute(&sql).await.map_err(|e| e.render(&sql))
    }

    /// One more file of rows `k, v, second`.
    pub(super) fn grow(&mut self, rows: &[(i64, i64, u32)]) {
        let line = |(k, v, second): &(i64, i64, u32)| {
            format!(
                "{{\"k\": {k}, \"v\": {v}, \"w\": {}, \"ts\": \"2026-01-01 00:00:{second:02}\"}}\n",
                v + 1
            )
        };
        let text: String = rows.iter().map(line).collect();
        let hidden = self.folder.path().join("next");
        std::fs::write(&hidden, text).unwrap();
        let name = format!("in/part-{}.json", self.files);
        std::fs::rename(hidden, self.folder.path().join(name)).unwrap();
        self.files += 1;
        self.rows += rows.len() as u64;
    }

    /// Declares the input, which ends unless it is `watched`, with `v` of this type.
    async fn declare(&mut self, watched: bool, v: &str) {
        let watch = match watched {
            true => ", 'source.monitor-interval' = '20 ms'",
            false => "",
        };
        let create = format!(
            "CREATE OR REPLACE TABLE t (k BIGINT, v {v}, w BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) \
             WITH ('connector' = 'filesystem', 'path' = '{{dir}}/in', 'format' = 'json'{watch})"
        );
        self.execute(&create).await.unwrap();
        for sink in ["one", "two"] {
            let create = format!(
                "CREATE OR REPLACE TABLE {sink} (k BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{{dir}}/{sink}', 'format' = 'csv')"
            );
            self.execute(&create).await.unwrap();
        }
    }

    /// Runs a query or an insert over all input that there is, and stops it with a savepoint, from
    /// which the next one starts. Returns the rows of a query.
    pub(super) async fn first(&mut self, sql: &str) -> Table {
        let checkpoints = self.folder.path().join("checkpoints").display().to_string();
        self.set("execution.checkpointing.dir", &checkpoints);
        let savepoints = self.folder.path().join("savepoints").display().to_string();
        self.set("execution.checkpointing.savepoint-dir", &savepoints);
        self.set("parallelism.default", "2");
        self.set("state.backend.type", self.backends[0]);
        self.declare(true, "BIGINT").await;
        let (job, query) = match self.execute(sql).await.unwrap() {
            Outcome::Query(query) => (query.job.clone().unwrap(), Some(query)),
            Outcome::Job(job) => (job.id, None),
            other => panic!("{other:?}"),
        };
        let reading = async {
            match query {
                Some(query) => read(query, Table::new()).await.unwrap(),
                None => Table::new(),
            }
        };
        let (rows, savepoint) = tokio::join!(reading, self.stop(&job));
        self.set("execution.state-recovery.path", &savepoint);
        self.set("parallelism.default", "3");
        self.set("state.backend.type", self.backends[1]);
        rows
    }

    async fn stop(&mut self, job: &JobId) -> String {
        let client = self.session.client().await.unwrap();
        let begun = Instant::now();
        loop {
            let status = client.status(job).await.unwrap();
            assert!(!status.state.is_terminal(), "{:?}", status.error);
            let sources = status.vertices.iter().filter(|v| v.is_source);
            if sources.map(|v| v.metrics.rows_in).sum::<u64>() >= self.rows {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "the input is not read");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let stop = format!("STOP JOB '{job}' WITH SAVEPOINT");
        let Outcome::Ok(text) = self.execute(&stop).await.unwrap() else {
            panic!("STOP JOB says nothing");
        };
        let status = client.status(job).await.unwrap();
        assert_eq!(status.state, JobState::Stopped, "{:?}", status.error);
        text.split_once("its savepoint is ").unwrap().1.to_string()
    }

    /// Goes on as another query, to the end of the input, from the rows that are `there`.
    async fn second(&mut self, sql: &str, there: &str) -> Result<Table, String> {
        match self.execute(sql).await? {
            Outcome::Query(query) => read(query, table(there)).await,
            other => panic!("{other:?}"),
        }
    }

    /// Goes on as another insert; returns what was taken over.
    async fn insert(&mut self, sql: &str) -> Result<Vec<String>, String> {
        let Outcome::Job(job) = self.execute(sql).await? else {
            panic!("not a job");
        };
        let client = self.session.client().await.unwrap();
        let status = client.wait(&job.id).await.unwrap();
        assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
        Ok(job.restored)
    }

    /// What is in the committed files of a table.
    fn committed(&self, name: &str) -> Table {
        let folder = self.folder.path().join(name);
        let mut rows = Table::new();
        for file in std::fs::read_dir(folder).into_iter().flatten() {
            let path = file.unwrap().path();
            if !path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(['.', '_'])
            {
                let text = std::fs::read_to_string(path).unwrap();
                rows.extend(table(&text.replace(',', "|")));
            }
        }
        rows.sort();
        rows
    }
}

async fn read(mut query: QueryResult, mut rows: Table) -> Result<Table, String> {
    let key = query.key.clone().unwrap_or_default();
    let all = async {
        while let Some(batch) = query.rows.next().await {
            let batch = batch.map_err(|e| e.render(""))?;
            apply(&mut rows, &batch, (query.mode, &key));
        }
        Ok(rows)
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .expect("the query ends")
}

/// Backends of the first and the second query: with itself, and one of another kind.
const BACKENDS: [[&str; 2]; 6] = [
    ["memory", "memory"],
    ["disk", "disk"],
    ["memory", "disk"],
    ["rocksdb", "rocksdb"],
    ["memory", "rocksdb"],
    ["rocksdb", "memory"],
];

/// Runs one query over some input, and another over more of it. `before` is what the first leaves,
/// `there` what that would be as rows of the second, `after` what that leaves.
async fn check(queries: [&str; 2], before: &str, there: &str, after: &str, ttl: Option<&str>) {
    for [first, second] in BACKENDS {
        let mut bench = Bench::new(first, second);
        bench.grow(&[(1, 10, 1), (2, 20, 2), (1, 30, 3)]);
        bench.grow(&[(3, 40, 4), (1, 10, 5)]);
        let rows = bench.first(queries[0]).await;
        assert_eq!(rows, table(before), "{first}: {}", queries[0]);
        bench.grow(&[(1, 30, 6), (2, 5, 7), (4, 9, 8)]);
        if let Some(ttl) = ttl {
            bench.set("table.exec.state.ttl", ttl);
        }
        bench.declare(false, "BIGINT").await;
        let rows = bench.second(queries[1], there).await.unwrap();
        assert_eq!(rows, table(after), "{first} to {second}: {}", queries[1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_come_and_go() {
    // Without state but positions.
    check(
        ["SELECT k, v FROM t", "SELECT v + w, k FROM t"],
        "1|10
         2|20
         1|30
         3|40
         1|10",
        "",
        "61|1
         11|2
         19|4",
        None,
    )
    .await;
    // A column of the aggregation's input, and one of its result.
    check(
        [
            "SELECT k, COUNT(*) FROM t GROUP BY k",
            "SELECT k * 10, k, n FROM (SELECT k, COUNT(*) AS n FROM (SELECT v, k FROM t) GROUP BY k)",
        ],
        "1|3
         2|1
         3|1",
        "10|1|3
         20|2|1
         30|3|1",
        "10|1|4
         20|2|2
         30|3|1
         40|4|1",
        None,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aggregates_come_and_go() {
    let one = "SELECT k, COUNT(*), COUNT(DISTINCT v) FROM t GROUP BY k";
    let one_rows = "1|3|2
                    2|1|1
                    3|1|1";
    // New ones count from here, in any order of the calls.
    check(
        [
            one,
            "SELECT k, SUM(v), COUNT(DISTINCT v), MAX(w), COUNT(*) FROM t GROUP BY k",
        ],
        one_rows,
        "1|NULL|2|NULL|3
         2|NULL|1|NULL|1
         3|NULL|1|NULL|1",
        "1|30|2|31|4
         2|5|2|6|2
         3|NULL|1|NULL|1
         4|9|1|10|1",
        None,
    )
    .await;
    check(
        [one, "SELECT k, COUNT(DISTINCT v) FROM t GROUP BY k"],
        one_rows,
        "1|2
         2|1
         3|1",
        "1|2
         2|2
         3|1
         4|1",
        None,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_change() {
    check(
        [
            "SELECT k, COUNT(*), SUM(v) FROM t GROUP BY k",
            "SELECT k, COUNT(*), SUM(v) FROM t WHERE v > 6 GROUP BY k HAVING COUNT(*) < 10",
        ],
        "1|3|50
         2|1|20
         3|1|40",
        "1|3|50
         2|1|20
         3|1|40",
        "1|4|80
         2|1|20
         3|1|40
         4|1|9",
        None,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_to_live_changes() {
    let count = "SELECT k, COUNT(*) FROM t GROUP BY k";
    check(
        [count, count],
        "1|3
         2|1
         3|1",
        "1|3
         2|1
         3|1",
        "1|4
         2|2
         3|1
         4|1",
        Some("1 h"),
    )
    .await;
}

const WINDOW: &str = "FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) \
                      GROUP BY k, window_start, window_end";

/// A statement set with a branch more: the others go on, it sees what comes from here on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_come() {
    for [first, second] in BACKENDS {
        let mut bench = Bench::new(first, second);
        bench.grow(&[(1, 10, 1), (2, 20, 2), (1, 30, 12), (2, 1, 13)]);
        let one = format!("INSERT INTO one SELECT k, COUNT(*) {WINDOW}");
        bench
            .first(&format!("EXECUTE STATEMENT SET BEGIN {one}; END"))
            .await;
        // The first window has fired.
        assert_eq!(bench.committed("one"), table("1|1\n2|1"));
        bench.grow(&[(1, 30, 14), (2, 5, 15), (4, 9, 26)]);
        bench.declare(false, "BIGINT").await;
        let listing = bench
            .insert(&format!(
                "EXECUTE STATEMENT SET BEGIN INSERT INTO two SELECT k, SUM(v) {WINDOW}; {one}; END"
            ))
            .await
            .unwrap();
        assert_eq!(
            listing,
            [
                "Source(t) goes on",
                "WindowAggregate by k starts empty",
                "Sink(two) starts",
                "WindowAggregate by k goes on",
                "Sink(one) goes on",
            ]
        );
        assert_eq!(bench.committed("one"), table("1|1\n2|1\n1|2\n2|2\n4|1"));
        assert_eq!(bench.committed("two"), table("1|30\n2|5\n4|9"));
    }
}

/// A sink whose query changes: every row is there once, those of before as the query was then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_outlives_its_query() {
    for [first, second] in BACKENDS {
        let mut bench = Bench::new(first, second);
        bench.grow(&[(1, 10, 1), (2, 20, 2)]);
        bench.first("INSERT INTO one SELECT k, v FROM t").await;
        bench.grow(&[(3, 30, 3), (4, 40, 4)]);
        bench.declare(false, "BIGINT").await;
        let listing = bench
            .insert("INSERT INTO one SELECT k, -w FROM t WHERE k > 3")
            .await;
        assert_eq!(listing.unwrap(), ["Source(t) goes on", "Sink(one) goes on"]);
        assert_eq!(bench.committed("one"), table("1|10\n2|20\n4|-41"));
    }
}

/// Runs the first query, then expects the second to be refused for these reasons, and to leave this if
/// it is allowed to drop what it cannot carry over.
async fn check_refused(queries: [&str; 2], v: &str, reasons: &[&str], there: &str, after: &str) {
    let mut bench = Bench::new("memory", "rocksdb");
    bench.grow(&[(1, 10, 1), (2, 20, 2), (1, 30, 3)]);
    bench.first(queries[0]).await;
    bench.grow(&[(1, 30, 6)]);
    bench.declare(false, v).await;
    let before = bench.jobs().await;
    let error = bench.second(queries[1], "").await.unwrap_err();
    for reason in reasons.iter().chain(&["LV-4002", "ignore-unclaimed-state"]) {
        assert!(error.contains(reason), "'{reason}' is not in: {error}");
    }
    assert_eq!(bench.jobs().await, before, "nothing has started");
    bench.set("execution.state-recovery.ignore-unclaimed-state", "true");
    let rows = bench.second(queries[1], there).await.unwrap();
    assert_eq!(rows, table(after), "{}", queries[1]);
}

impl Bench {
    async fn jobs(&self) -> usize {
        let client = self.session.client().await.unwrap();
        client.list().await.unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_carried_over_is_refused_before_anything_starts() {
    let count = "SELECT k, COUNT(*) FROM t GROUP BY k";
    check_refused(
        [count, "SELECT w, COUNT(*) FROM t GROUP BY w"],
        "BIGINT",
        &[
            "GroupAggregate by k",
            "has no successor: its state is dropped",
        ],
        "",
        "31|1",
    )
    .await;
    // The same name for something else.
    check_refused(
        [
            count,
            "SELECT k, COUNT(*) FROM (SELECT v AS k FROM t) GROUP BY k",
        ],
        "BIGINT",
        &["GroupAggregate by k", "has no successor"],
        "",
        "30|1",
    )
    .await;
    check_refused(
        [
            "SELECT k, COUNT(*), SUM(v) FROM t GROUP BY k",
            "SELECT k, COUNT(*), SUM(v + 1) FROM t GROUP BY k",
        ],
        "BIGINT",
        &[
            "GroupAggregate by k goes on",
            "from here on: SUM(",
            "dropped: SUM(",
        ],
        "1|2|NULL",
        "1|3|31",
    )
    .await;
    check_refused(
        [
            "SELECT k, COUNT(*), MAX(v) FROM t GROUP BY k",
            "SELECT k, COUNT(*), MAX(v) FROM t GROUP BY k",
        ],
        "INT",
        &["anew: MAX(", "was over BIGINT and is over INT"],
        "1|2|NULL",
        "1|3|30",
    )
    .await;
    check_refused(
        [
            "SELECT v, COUNT(*) FROM t GROUP BY v",
            "SELECT v, COUNT(*) FROM t GROUP BY v",
        ],
        "DOUBLE",
        &["would start empty: its key v was of BIGINT and is of DOUBLE"],
        "",
        "30.0|1",
    )
    .await;
    check_refused(
        [
            "SELECT n, COUNT(*) FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) GROUP BY n",
            "SELECT n, COUNT(*), SUM(n) FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) GROUP BY n",
        ],
        "BIGINT",
        &["from here on: SUM(", "its input takes back rows that the new ones have not seen"],
        "1|1|NULL
         2|1|NULL",
        "1|1|NULL
         3|1|3",
    )
    .await;
    check_refused(
        [
            "SELECT n, COUNT(*) FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) GROUP BY n",
            "SELECT n, COUNT(*) FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k HAVING COUNT(*) > 2) GROUP BY n",
        ],
        "BIGINT",
        &["GroupAggregate by n", "has no successor", "starts empty, and its input takes back"],
        "",
        "3|1",
    )
    .await;
}
