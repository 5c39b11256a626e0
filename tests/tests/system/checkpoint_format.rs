//! Formats of state are promises: checkpoints that earlier versions have written, below
//! `tests/checkpoints`, are restored, and their queries finish with the right rows.
//!
//! ```text
//! tests/checkpoints/v<format>/<query>-<backend>/
//!   manifest.json, state/*.state    a checkpoint in the middle of the query
//!   out/                            what the sink had written: prepared files, not yet visible
//!   before                          rows that a SELECT had given by then
//! ```
//!
//! A version that writes another format, or has an operator with state that others have not, adds its own:
//! LEVADA_WRITE_CHECKPOINTS=1 with this test writes those of the current version that are missing. What is there is never
//! touched.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use levada_engine::checkpoint::{CheckpointStore, MANIFEST_VERSION, Manifest};
use levada_engine::client::{JobState, StopMode};
use levada_engine::graph::{JobId, WireBytes};
use levada_gateway::{Outcome, QueryResult, Session};
use levada_tests::case;
use levada_tests::cluster::{Shared, Shares};
use levada_tests::paced::{Faults, paced};
use levada_tests::run::{query, same};
use levada_tests::text::Changelog;

/// Stands for the folder of the test in what is kept.
const ANYWHERE: &str = "/somewhere";
const ROWS: u64 = 90;
const BACKENDS: [&str; 2] = ["memory", "rocksdb"];
const CALLS: &str = "COUNT(*) AS n, SUM(v) AS total, AVG(v) AS mean, MIN(v) AS least, MAX(s) AS most, \
                     COUNT(DISTINCT s) AS kinds, SUM(DISTINCT v) AS apart, SUM(d) AS price";

/// A query by name, and whether its rows go to files; if not, a SELECT gives them.
fn queries() -> Vec<(&'static str, bool, String)> {
    let window = |call: &str| {
        format!(
            "SELECT k, window_start, window_end, {CALLS} FROM TABLE({call}) \
             GROUP BY k, window_start, window_end"
        )
    };
    let time = "TABLE rows_in, DESCRIPTOR(ts)";
    vec![
        ("tumble", true, window(&format!("TUMBLE({time}, INTERVAL '10' SECOND)"))),
        ("hop", true, window(&format!("HOP({time}, INTERVAL '4' SECOND, INTERVAL '12' SECOND)"))),
        (
            "cumulate",
            true,
            window(&format!("CUMULATE({time}, INTERVAL '5' SECOND, INTERVAL '20' SECOND)")),
        ),
        (
            "session",
            true,
            window(&format!("SESSION({time} PARTITION BY k, INTERVAL '3' SECOND)")
                .replace("DESCRIPTOR(ts) PARTITION BY k", "DESCRIPTOR(ts)")
                .replace("TABLE rows_in,", "TABLE rows_in PARTITION BY k,")),
        ),
        ("groups", false, format!("SELECT k, s, {CALLS} FROM rows_in GROUP BY k, s")),
        ("global", false, format!("SELECT {CALLS} FROM rows_in")),
        (
            "updates",
            false,
            "SELECT n, COUNT(*) AS c, MAX(k) AS k, MIN(total) AS least, COUNT(DISTINCT k) AS apart \
             FROM (SELECT k, s, COUNT(*) AS n, SUM(v) AS total FROM rows_in GROUP BY k, s) GROUP BY n"
                .into(),
        ),
    ]
    .into_iter()
    .chain(OPERATORS.map(|(name, sql)| (name, false, sql.to_string())))
    .collect()
}

/// Queries of the other operators that keep state.
const OPERATORS: [(&str, &str); 11] = [
    (
        "values",
        "SELECT k, ARRAY_SORT(ARRAY_AGG(v)) AS all_of, VAR_POP(v) AS spread FROM rows_in GROUP BY k",
    ),
    (
        "join",
        "SELECT a.v, a.s, b.k FROM rows_in AS a \
         LEFT JOIN (SELECT k, MAX(v) AS v FROM rows_in GROUP BY k) AS b ON a.v = b.v",
    ),
    (
        "interval",
        "SELECT a.v, b.v AS w FROM rows_in AS a FULL JOIN rows_in AS b \
         ON a.s = b.s AND a.k = b.k AND a.ts BETWEEN b.ts AND b.ts + INTERVAL '12' SECOND",
    ),
    (
        "one_key",
        "SELECT a.v, b.n, c.total FROM rows_in AS a \
         JOIN (SELECT s, COUNT(*) AS n FROM rows_in GROUP BY s) AS b ON a.s = b.s \
         LEFT JOIN (SELECT s, SUM(v) AS total FROM rows_in WHERE v > 80 GROUP BY s) AS c ON a.s = c.s",
    ),
    (
        "temporal",
        "SELECT a.v, b.v AS w FROM rows_in AS a LEFT JOIN latest FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k",
    ),
    (
        "rank",
        "SELECT * FROM (SELECT s, v, ROW_NUMBER() OVER (PARTITION BY s ORDER BY v DESC) AS n FROM rows_in) \
         WHERE n <= 3",
    ),
    (
        "window_rank",
        "SELECT window_end, k, v FROM (SELECT window_end, k, v, ROW_NUMBER() OVER \
         (PARTITION BY window_start, window_end ORDER BY v) AS n \
         FROM TABLE(TUMBLE(TABLE rows_in, DESCRIPTOR(ts), INTERVAL '10' SECOND))) WHERE n <= 2",
    ),
    (
        "over",
        "SELECT k, v, SUM(v) OVER (PARTITION BY s ORDER BY ts RANGE BETWEEN INTERVAL '5' SECOND PRECEDING \
         AND CURRENT ROW) AS r, COUNT(*) OVER (PARTITION BY s ORDER BY ts) AS n FROM rows_in",
    ),
    (
        "over_corrected",
        "SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY v) AS r FROM rows_in",
    ),
    (
        "pattern",
        "SELECT * FROM rows_in MATCH_RECOGNIZE (PARTITION BY s ORDER BY ts \
         MEASURES A.v AS a, COUNT(B.v) AS n, PREV(A.v) AS p, NEXT(C.v) AS x, MATCH_NUMBER() AS m \
         PATTERN (A B+ C) DEFINE B AS B.v < A.v, C AS C.v > A.v)",
    ),
    (
        "count_window",
        "SELECT k, window_end, SUM(v) AS total \
         FROM TABLE(COUNT_TUMBLE(TABLE rows_in PARTITION BY k ORDER BY ts, SIZE => 5)) \
         GROUP BY k, window_start, window_end",
    ),
];

fn write_input(folder: &Path) {
    let folder = folder.join("input");
    std::fs::create_dir_all(&folder).unwrap();
    let line = |n: u64| {
        // With gaps for sessions, a little out of order, and one key that comes late.
        let second = n / 2 + (n / 20) * 6 + 5 - n % 3 % 2;
        let (k, v, s) = (n % 4 + n / 80, n * 37 % 101, n % 5);
        let time = format!("2026-01-01 00:{:02}:{:02}", second / 60, second % 60);
        format!("{{\"k\": {k}, \"v\": {v}, \"s\": \"s{s}\", \"d\": {n}.25, \"ts\": \"{time}\"}}\n")
    };
    let text: String = (0..ROWS).map(line).collect();
    std::fs::write(folder.join("rows.json"), text).unwrap();
}

/// A session on an engine of its own whose sources take their time.
async fn session(folder: &Path, backend: &str, pause: Duration) -> (Session, Arc<Shared>) {
    let connectors = paced(
        &levada_connectors::registry(),
        (pause, Duration::ZERO),
        7,
        &Faults::default(),
    );
    let shared = Shared::embedded(connectors.clone(), 8);
    let mut session = Session::new(connectors, Arc::new(Shares(Arc::clone(&shared))));
    let checkpoints = folder.join("checkpoints").display().to_string();
    for (name, value) in [
        ("parallelism.default", "2"),
        ("pipeline.batch-rows", "3"),
        ("state.backend.type", backend),
        ("execution.checkpointing.interval", "20 ms"),
        ("execution.checkpointing.dir", &checkpoints),
    ] {
        session.configuration_mut().set(name, value).unwrap();
    }
    let path = folder.display();
    for table in [
        format!(
            "CREATE TABLE rows_in (k BIGINT, v BIGINT, s STRING, d DECIMAL(10, 2), ts TIMESTAMP(3),
             WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
             WITH ('connector' = 'filesystem', 'path' = '{path}/input', 'format' = 'json')"
        ),
        format!(
            "CREATE TABLE out (k BIGINT, window_start TIMESTAMP(3), window_end TIMESTAMP(3),
             n BIGINT, total BIGINT, mean DOUBLE, least BIGINT, most STRING, kinds BIGINT,
             apart BIGINT, price DECIMAL(38, 2))
             WITH ('connector' = 'filesystem', 'path' = '{path}/out', 'format' = 'csv')"
        ),
        "CREATE VIEW latest AS SELECT k, v, ts FROM (SELECT k, v, ts, ROW_NUMBER() OVER \
         (PARTITION BY k ORDER BY ts DESC) AS n FROM rows_in) WHERE n = 1"
            .to_string(),
    ] {
        session
            .execute(&table)
            .await
            .unwrap_or_else(|e| panic!("{}", e.render(&table)));
    }
    (session, shared)
}

/// Starts a query: its job, and its rows if it gives any.
async fn start(session: &mut Session, files: bool, sql: &str) -> (JobId, Option<QueryResult>) {
    let sql = match files {
        true => format!("INSERT INTO out {sql}"),
        false => sql.to_string(),
    };
    match session
        .execute(&sql)
        .await
        .unwrap_or_else(|e| panic!("{}", e.render(&sql)))
    {
        Outcome::Job(job) => (job.id, None),
        Outcome::Query(query) => (query.job.clone().unwrap(), Some(query)),
        other => panic!("{other:?}"),
    }
}

/// Reads rows to their end, on top of those that were there before.
async fn read(query: Option<QueryResult>, before: &[String]) -> Vec<String> {
    let Some(mut query) = query else {
        return vec![];
    };
    let mut rows = Changelog::new(query.mode, query.key.clone());
    rows.begin(before);
    while let Some(batch) = query.rows.next().await {
        rows.apply(&batch.unwrap()).unwrap();
    }
    rows.rows()
}

/// The lines of visible files.
fn lines(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    case::walk(folder, &mut paths);
    paths.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    let texts = paths
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap());
    let mut lines: Vec<String> = texts
        .flat_map(|text| text.lines().map(str::to_string).collect::<Vec<_>>())
        .collect();
    lines.sort();
    lines
}

fn copy(from: &Path, to: &Path) {
    let mut paths = Vec::new();
    case::walk(from, &mut paths);
    for path in paths {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(path, target).unwrap();
    }
}

fn replaced(bytes: &WireBytes, from: &str, to: &str) -> WireBytes {
    match std::str::from_utf8(&bytes.0) {
        Ok(text) => WireBytes(text.replace(from, to).into_bytes()),
        Err(_) => bytes.clone(),
    }
}

/// Has a manifest speak of another folder: the paths in the positions of sources and in what sinks
/// have prepared are absolute.
fn moved(manifest: &mut Manifest, from: &str, to: &str) {
    for operator in manifest.operators.values_mut() {
        for split in &mut operator.splits {
            split.split = split.split.replace(from, to);
            split.position = replaced(&split.position, from, to);
        }
        for (_, committable) in &mut operator.committables {
            *committable = replaced(committable, from, to);
        }
    }
}

/// What is prepared counts as not committed yet.
fn hide(manifest: &Manifest) {
    let all = manifest.operators.values().flat_map(|o| &o.committables);
    for (_, committable) in all {
        let names: serde_json::Value = serde_json::from_slice(&committable.0).unwrap();
        let name = |key: &str| PathBuf::from(names[key].as_str().unwrap());
        if name("target").exists() {
            std::fs::rename(name("target"), name("prepared")).unwrap();
        }
    }
}

async fn write(target: &Path, backend: &str, files: bool, sql: &str) {
    for attempt in 0..50 {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        write_input(&root);
        let (mut session, shared) = session(&root, backend, Duration::from_millis(12)).await;
        let (job, rows) = start(&mut session, files, sql).await;
        let stop = async {
            tokio::time::sleep(Duration::from_millis(130 + attempt * 4)).await;
            let _ = shared.client().stop(&job, StopMode::Checkpoint).await;
        };
        let (before, ()) = tokio::join!(read(rows, &[]), stop);
        let status = shared.client().wait(&job).await.unwrap();
        let Some(path) = status
            .checkpoints
            .last_path
            .filter(|_| status.state == JobState::Stopped)
        else {
            continue;
        };
        let (mut manifest, store) = CheckpointStore::load(&path).await.unwrap();
        let operators = || manifest.operators.values();
        let wanted = operators().any(|o| o.splits.iter().any(|s| !s.finished))
            && operators().any(|o| !o.keyed.is_empty())
            && files == operators().any(|o| !o.committables.is_empty());
        if !wanted {
            continue;
        }
        hide(&manifest);
        moved(&mut manifest, &root.to_string_lossy(), ANYWHERE);
        let _ = std::fs::remove_dir_all(target);
        let kept = CheckpointStore::at(&target.to_string_lossy()).unwrap();
        store.export(&manifest, &kept).await.unwrap();
        match files {
            true => copy(&root.join("out"), &target.join("out")),
            false => std::fs::write(target.join("before"), before.join("\n")).unwrap(),
        }
        return;
    }
    panic!("no checkpoint falls into the middle of {sql}");
}

async fn check(kept: &Path, backend: &str, files: bool, sql: &str) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    write_input(&root);
    copy(&kept.join("out"), &root.join("out"));
    let (mut manifest, store) = CheckpointStore::load(&kept.to_string_lossy())
        .await
        .unwrap();
    moved(&mut manifest, ANYWHERE, &root.to_string_lossy());
    let savepoint = root.join("savepoint").display().to_string();
    let here = CheckpointStore::at(&savepoint).unwrap();
    store.export(&manifest, &here).await.unwrap();
    let (mut session, shared) = session(&root, backend, Duration::ZERO).await;
    let all = match files {
        true => vec![],
        false => {
            let set = session.configuration_mut();
            set.set("execution.runtime-mode", "batch").unwrap();
            let all = query(&mut session, sql).await.unwrap().rows;
            let set = session.configuration_mut();
            set.set("execution.runtime-mode", "streaming").unwrap();
            all
        }
    };
    let set = session.configuration_mut();
    set.set("execution.state-recovery.path", &savepoint)
        .unwrap();
    set.set("parallelism.default", "3").unwrap();
    let before = std::fs::read_to_string(kept.join("before")).unwrap_or_default();
    let before: Vec<String> = before.lines().map(str::to_string).collect();
    let (job, rows) = start(&mut session, files, sql).await;
    let found = read(rows, &before).await;
    let status = shared.client().wait(&job).await.unwrap();
    assert_eq!(
        status.state,
        JobState::Finished,
        "{}: {status:?}",
        kept.display()
    );
    let (expected, found) = match files {
        false => (all, found),
        true => (undisturbed(sql).await, lines(&root.join("out"))),
    };
    assert!(!expected.is_empty());
    same(&kept.display().to_string(), &expected, &found).unwrap();
}

/// The lines of the whole query, without a checkpoint.
async fn undisturbed(sql: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    write_input(&root);
    let (mut session, shared) = session(&root, "memory", Duration::ZERO).await;
    let (job, _) = start(&mut session, true, sql).await;
    let status = shared.client().wait(&job).await.unwrap();
    assert_eq!(status.state, JobState::Finished);
    lines(&root.join("out"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_of_every_version_are_restored() {
    let kept = levada_tests::workspace().join("tests/checkpoints");
    let current = kept.join(format!("v{MANIFEST_VERSION}"));
    if std::env::var("LEVADA_WRITE_CHECKPOINTS").is_ok_and(|v| v == "1") {
        for (name, files, sql) in queries() {
            for backend in BACKENDS {
                let folder = current.join(format!("{name}-{backend}"));
                if !folder.exists() {
                    write(&folder, backend, files, &sql).await;
                }
            }
        }
    }
    let mut restored = 0;
    let mut versions: Vec<PathBuf> = std::fs::read_dir(&kept)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    versions.sort();
    assert!(
        versions.contains(&current),
        "the current version has no checkpoints kept"
    );
    for version in versions {
        for (name, files, sql) in queries() {
            for backend in BACKENDS {
                let folder = version.join(format!("{name}-{backend}"));
                // A query that came with a later version.
                if !folder.exists() && version != current {
                    continue;
                }
                for restored_on in ["memory", "disk", "rocksdb"] {
                    check(&folder, restored_on, files, &sql).await;
                    restored += 1;
                }
            }
        }
    }
    eprintln!("{restored} restores");
}
