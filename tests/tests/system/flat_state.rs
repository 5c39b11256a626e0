//! What event time bounds is bounded: an hour of it, with as many keys at the end as at the beginning, leaves the
//! state of every such operator as it was after some minutes.

use std::collections::BTreeMap;
use std::time::Duration;

use levada_engine::client::{JobState, JobStatus};
use levada_engine::memory::Memory;
use levada_gateway::{Outcome, Session};
use levada_tests::cluster::{Shared, Shares};
use levada_tests::run;

/// Twenty a second for an hour of event time.
const ROWS: u64 = 72_000;
const ROWS_PER_SECOND: u64 = 7_000;

/// By the operator that is to stay flat, with how many columns it gives beside the key.
const QUERIES: &[&str] = &[
    "SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end",
    "SELECT k, COUNT(DISTINCT id % 100) FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)) \
     GROUP BY k, window_start, window_end",
    "SELECT k, MAX(id) FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)) \
     GROUP BY k, window_start, window_end",
    "SELECT k, COUNT(*) FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '2' SECOND)) \
     GROUP BY k, window_start, window_end",
    "SELECT a.k, b.id FROM t AS a JOIN t AS b ON a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '30' SECOND AND b.ts",
    "SELECT a.k, b.id FROM t AS a LEFT JOIN t AS b ON a.k = b.k AND b.id % 3 = 0 AND a.ts BETWEEN b.ts AND b.ts + INTERVAL '30' SECOND",
    "SELECT a.k, a.id FROM t AS a WHERE EXISTS (SELECT 1 FROM t AS b WHERE a.k = b.k + 1 AND a.ts BETWEEN b.ts AND b.ts + INTERVAL '30' SECOND)",
    "SELECT a.k, b.n FROM minutes AS a JOIN minutes AS b ON a.k = b.k AND a.window_start = b.window_start AND a.window_end = b.window_end",
    "SELECT a.k, b.id FROM t AS a LEFT JOIN versions FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k",
    "SELECT a.k, b.id FROM t AS a ASOF JOIN t AS b MATCH_CONDITION (a.ts >= b.ts) ON a.k = b.k",
    "SELECT k, SUM(id) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) FROM t",
    "SELECT k, SUM(id) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) FROM t",
    "SELECT k, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k % 5 ORDER BY id DESC) AS rn \
     FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))) WHERE rn <= 3",
    "SELECT k, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY ts DESC) AS rn \
     FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))) WHERE rn = 1",
    "SELECT k, id FROM t ORDER BY ts",
];
/// What grows, so that the test would see it.
const GROWING: &str =
    "SELECT id, CHAR_LENGTH(MAX(REPEAT(CAST(id AS STRING), 40))) FROM t GROUP BY id";

fn script() -> String {
    let mut script = format!(
        "CREATE TABLE t (id BIGINT, k AS id % 50, ts AS TO_TIMESTAMP_LTZ(id * 50, 3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
         WITH ('connector' = 'datagen', 'rows-per-second' = '{ROWS_PER_SECOND}', 'scan.parallelism' = '1', 'fields.id.kind' = 'sequence',
               'fields.id.start' = '1', 'fields.id.end' = '{ROWS}');
         CREATE TABLE hole (k BIGINT, v BIGINT) WITH ('connector' = 'blackhole');
         CREATE VIEW minutes AS SELECT k, window_start, window_end, COUNT(*) AS n
         FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end;
         CREATE VIEW versions AS SELECT id, k, ts FROM
         (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS rn FROM t) WHERE rn = 1;
         EXECUTE STATEMENT SET BEGIN\n"
    );
    for query in QUERIES.iter().chain([&GROWING]) {
        script.push_str(&format!("INSERT INTO hole {query};\n"));
    }
    script + "END;"
}

/// The bytes of a vertex's state by how many rows it has taken.
type Sizes = BTreeMap<(usize, String), Vec<(u64, i64)>>;

fn look(status: &JobStatus, sizes: &mut Sizes) {
    for (place, vertex) in status.vertices.iter().enumerate() {
        let of_vertex = sizes.entry((place, vertex.name.clone())).or_default();
        of_vertex.push((vertex.metrics.rows_in, vertex.metrics.state_bytes));
    }
}

/// The most that a vertex held between two minutes.
fn most(sizes: &[(u64, i64)], from: u64, to: u64) -> i64 {
    let all = sizes.iter().map(|(rows, _)| *rows).max().unwrap_or(0);
    let within = sizes
        .iter()
        .filter(|(rows, _)| (from * all..=to * all).contains(&(rows * 60)));
    within.map(|(_, bytes)| *bytes).max().unwrap_or(0)
}

/// Sizes may differ by `slack` bytes without growing.
async fn run_for_an_hour(backend: &str, memory: u64, slack: i64) {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints").display().to_string();
    let scratch = folder.path().join("scratch");
    let connectors = levada_connectors::registry();
    let shared = Shared::embedded_in(
        connectors.clone(),
        64,
        Memory::new(memory),
        &scratch,
        folder,
    );
    let mut session = Session::new(connectors, std::sync::Arc::new(Shares(shared)));
    for (key, value) in [
        ("parallelism.default", "2"),
        ("state.backend.type", backend),
        ("execution.checkpointing.interval", "100 ms"),
        ("execution.checkpointing.dir", &checkpoints),
        ("table.dml-sync", "false"),
        // 13 seconds of event time.
        ("pipeline.batch-rows", "256"),
    ] {
        session.configuration_mut().set(key, value).unwrap();
    }
    let script = script();
    let (tables, set) = script.split_once("EXECUTE").unwrap();
    run::execute(&mut session, tables).await.unwrap();
    let set = format!("EXECUTE{set}");
    let job = match session.execute(&set).await {
        Ok(Outcome::Job(job)) => job,
        Ok(other) => panic!("{other:?}"),
        Err(error) => panic!("{}", error.render(&set)),
    };
    let client = session.client().await.unwrap();
    let mut sizes = Sizes::new();
    loop {
        let status = client.status(&job.id).await.unwrap();
        if status.state.is_terminal() {
            assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
            break;
        }
        look(&status, &mut sizes);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut flat = 0;
    let mut growing = Vec::new();
    for ((_, name), sizes) in &sizes {
        // The longest window is over after 5 minutes. What is never forgotten is five times as much at the end.
        let early = most(sizes, 5, 12);
        let late = most(sizes, 45, 60);
        if early == 0 && late == 0 {
            continue;
        }
        let course = (0..12).map(|part| most(sizes, part * 5, part * 5 + 5) / 1000);
        let course: Vec<_> = course.map(|kilobytes| kilobytes.to_string()).collect();
        eprintln!("{backend}: {:>60} kB in {name}", course.join(" "));
        match late > early * 3 + slack {
            true => growing.push(name.clone()),
            false => flat += 1,
        }
    }
    assert!(
        matches!(growing.as_slice(), [only] if only.contains("GroupAggregate")),
        "{backend}: {growing:?}"
    );
    assert!(flat >= QUERIES.len(), "{backend}: only {flat} have state");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_hour_of_event_time_leaves_state_flat() {
    run_for_an_hour("memory", 512 << 20, 100_000).await;
    run_for_an_hour("disk", 1 << 20, 600_000).await;
}
