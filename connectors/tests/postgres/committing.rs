use levada_engine::connector::{Sink, SinkContext, TableDescriptor};
use levada_engine::graph::WireBytes;
use levada_engine::time::ManualClock;

use crate::server::*;

const TABLE: &str = "CREATE TABLE t (id BIGINT, v TEXT)";

async fn start() -> (Database, TableDescriptor) {
    let database = Database::new().await;
    database.run(TABLE).await;
    let table = database.table(schema(), &[]);
    (database, table)
}

async fn written(database: &Database) -> Vec<i64> {
    let rows = database.rows("SELECT id FROM t ORDER BY id").await;
    rows.iter().map(|id| id.parse().unwrap()).collect()
}

async fn write(sink: &mut Box<dyn Sink>, ids: std::ops::Range<i64>) {
    sink.write(&batch(ids.map(|id| (id, "x")))).await.unwrap();
}

async fn prepare(sink: &mut Box<dyn Sink>, checkpoint: u64) -> Vec<WireBytes> {
    let prepared = sink.prepare(checkpoint).await.unwrap();
    assert_eq!(prepared.len(), 1, "also without rows, for its lineage");
    prepared
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn rows_appear_when_the_checkpoint_is_complete() {
    let (database, table) = start().await;
    let mut sink = open(&table, 0, Vec::new()).await.unwrap();
    write(&mut sink, 0..10).await;
    let first = prepare(&mut sink, 1).await;
    write(&mut sink, 10..20).await;
    assert!(written(&database).await.is_empty());
    sink.commit(first.clone()).await.unwrap();
    assert_eq!(written(&database).await, (0..10).collect::<Vec<_>>());
    // Once more changes nothing.
    sink.commit(first).await.unwrap();
    // What an abandoned checkpoint prepared comes with the next.
    let mut both = prepare(&mut sink, 2).await;
    write(&mut sink, 20..30).await;
    both.extend(prepare(&mut sink, 3).await);
    sink.commit(both).await.unwrap();
    assert_eq!(written(&database).await, (0..30).collect::<Vec<_>>());
    let empty = prepare(&mut sink, 4).await;
    sink.commit(empty).await.unwrap();
    let marker = database
        .rows("SELECT sink, checkpoint, closed FROM levada_commits")
        .await;
    assert_eq!(marker, ["sink-0|3|f"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_crash_after_prepare_loses_and_repeats_nothing() {
    let (database, table) = start().await;
    let mut crashed = open(&table, 0, Vec::new()).await.unwrap();
    write(&mut crashed, 0..10).await;
    let complete = prepare(&mut crashed, 1).await;
    write(&mut crashed, 10..20).await;
    let incomplete = prepare(&mut crashed, 2).await;
    drop(crashed);
    // The checkpoint is restored, its rows are written; the input behind it comes again.
    let mut next = open(&table, 0, complete.clone()).await.unwrap();
    assert_eq!(written(&database).await, (0..10).collect::<Vec<_>>());
    drop(next);
    next = open(&table, 0, complete).await.unwrap();
    write(&mut next, 10..25).await;
    let prepared = prepare(&mut next, 3).await;
    next.commit(prepared).await.unwrap();
    assert_eq!(written(&database).await, (0..25).collect::<Vec<_>>());
    drop(incomplete);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_crash_after_commit_that_nobody_heard_of_repeats_nothing() {
    let (database, table) = start().await;
    let mut crashed = open(&table, 0, Vec::new()).await.unwrap();
    write(&mut crashed, 0..10).await;
    let first = prepare(&mut crashed, 1).await;
    crashed.commit(first.clone()).await.unwrap();
    write(&mut crashed, 10..20).await;
    let mut both = first;
    both.extend(prepare(&mut crashed, 2).await);
    crashed.commit(both.clone()).await.unwrap();
    drop(crashed);
    let _next = open(&table, 0, both).await.unwrap();
    assert_eq!(written(&database).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_run_that_was_replaced_cannot_write_any_more() {
    let (database, table) = start().await;
    let mut zombie = open(&table, 0, Vec::new()).await.unwrap();
    write(&mut zombie, 0..10).await;
    let restored = prepare(&mut zombie, 1).await;
    write(&mut zombie, 10..20).await;
    let late = prepare(&mut zombie, 2).await;
    let mut next = open(&table, 0, restored.clone()).await.unwrap();
    // What both know of is written once,
    zombie.commit(restored).await.unwrap();
    assert_eq!(written(&database).await, (0..10).collect::<Vec<_>>());
    // and what the later one does not know of is refused.
    let error = zombie.commit(late).await.unwrap_err();
    assert!(
        error
            .message
            .contains("a later run of the job has taken over"),
        "{error}"
    );
    assert!(error.kind.retryable());
    write(&mut next, 10..20).await;
    let prepared = prepare(&mut next, 2).await;
    next.commit(prepared).await.unwrap();
    assert_eq!(written(&database).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn jobs_with_the_same_name_and_clones_of_a_job_do_not_interfere() {
    let (database, table) = start().await;
    let mut first = open(&table, 0, Vec::new()).await.unwrap();
    let mut second = open(&table, 0, Vec::new()).await.unwrap();
    write(&mut first, 0..5).await;
    write(&mut second, 5..10).await;
    let (one, two) = (prepare(&mut first, 1).await, prepare(&mut second, 1).await);
    first.commit(one.clone()).await.unwrap();
    second.commit(two).await.unwrap();
    assert_eq!(written(&database).await, (0..10).collect::<Vec<_>>());
    // Two jobs from the same checkpoint, each with a next checkpoint of the same number.
    let mut left = open(&table, 0, one.clone()).await.unwrap();
    let mut right = open(&table, 0, one).await.unwrap();
    write(&mut left, 10..15).await;
    write(&mut right, 15..20).await;
    let (one, two) = (prepare(&mut left, 2).await, prepare(&mut right, 2).await);
    left.commit(one).await.unwrap();
    // The second crashes before its commit.
    drop(right);
    let _right = open(&table, 0, two).await.unwrap();
    assert_eq!(written(&database).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn committables_survive_rescaling() {
    let (database, table) = start().await;
    let mut prepared = Vec::new();
    for index in 0..3 {
        let mut sink = open(&table, index, Vec::new()).await.unwrap();
        let first = i64::from(index) * 10;
        write(&mut sink, first..first + 10).await;
        let committables = prepare(&mut sink, 1).await;
        if index == 1 {
            // One of them was committed before the crash.
            sink.commit(committables.clone()).await.unwrap();
        }
        prepared.extend(committables);
    }
    let mut one = open(&table, 0, prepared).await.unwrap();
    assert_eq!(written(&database).await, (0..30).collect::<Vec<_>>());
    write(&mut one, 30..40).await;
    let prepared = prepare(&mut one, 2).await;
    drop(one);
    // And from one to three: one of them gets it.
    let mut three = Vec::new();
    for index in 0..3 {
        let restored = if index == 0 {
            prepared.clone()
        } else {
            Vec::new()
        };
        three.push(open(&table, index, restored).await.unwrap());
    }
    for (index, sink) in three.iter_mut().enumerate() {
        let first = 40 + index as i64 * 10;
        write(sink, first..first + 10).await;
        let prepared = prepare(sink, 3).await;
        sink.commit(prepared).await.unwrap();
    }
    assert_eq!(written(&database).await, (0..70).collect::<Vec<_>>());
}

/// Far more than a checkpoint should hold.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn many_rows_wait_in_the_database() {
    let (database, table) = start().await;
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'levada_rows_%' AND schemaname = current_schema()";
    let text = "x".repeat(1000);
    let rows = |from: i64| batch((from..from + 5000).map(|id| (id, text.as_str())));
    let mut sink = open(&table, 0, Vec::new()).await.unwrap();
    for from in (0..20_000).step_by(5000) {
        sink.write(&rows(from)).await.unwrap();
    }
    let prepared = prepare(&mut sink, 1).await;
    let bytes: usize = prepared.iter().map(|c| c.0.len()).sum();
    assert!(bytes < 9 << 20, "{bytes}");
    assert_eq!(database.rows(tables).await, ["2"]);
    assert!(written(&database).await.is_empty());
    // Rows of a checkpoint that never was complete are removed by the next run.
    sink.write(&rows(20_000)).await.unwrap();
    sink.write(&rows(25_000)).await.unwrap();
    assert_eq!(database.rows(tables).await, ["3"]);
    let mut next = open(&table, 0, prepared.clone()).await.unwrap();
    assert_eq!(database.rows(tables).await, ["0"]);
    assert_eq!(written(&database).await, (0..20_000).collect::<Vec<_>>());
    next.commit(prepared).await.unwrap();
    assert_eq!(database.count("t").await, 20_000);
    drop(sink);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn without_barriers_rows_go_at_once() {
    let database = Database::new().await;
    database.run(TABLE).await;
    for (options, barriers_come) in [
        (vec![("sink.delivery-guarantee", "at-least-once")], true),
        (vec![], false),
    ] {
        let clock = ManualClock::new(0);
        let context = SinkContext {
            barriers_come,
            clock: clock.clone(),
            ..sink_context(schema(), 0)
        };
        let before = database.count("t").await;
        let mut sink = sink(&database.table(schema(), &options), context);
        sink.open().await.unwrap();
        write(&mut sink, 0..100).await;
        assert_eq!(database.count("t").await, before + 100);
        write(&mut sink, 0..10).await;
        assert_eq!(database.count("t").await, before + 100);
        clock.advance(1000);
        sink.idle().await.unwrap();
        assert_eq!(database.count("t").await, before + 110);
        write(&mut sink, 0..10).await;
        assert!(sink.prepare(1).await.unwrap().is_empty());
        assert_eq!(database.count("t").await, before + 120);
    }
    let marker = "SELECT to_regclass('levada_commits')";
    assert_eq!(database.rows(marker).await, ["NULL"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn what_was_prepared_is_written_whatever_the_guarantee_is_now() {
    let (database, table) = start().await;
    let mut sink = open(&table, 0, Vec::new()).await.unwrap();
    write(&mut sink, 0..10).await;
    let prepared = prepare(&mut sink, 1).await;
    let relaxed = database.table(schema(), &[("sink.delivery-guarantee", "at-least-once")]);
    open(&relaxed, 0, prepared.clone()).await.unwrap();
    open(&relaxed, 0, prepared).await.unwrap();
    assert_eq!(written(&database).await, (0..10).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_damaged_committable_is_an_error_and_writes_nothing() {
    let (database, table) = start().await;
    let mut sink = open(&table, 0, Vec::new()).await.unwrap();
    write(&mut sink, 0..10).await;
    let prepared = prepare(&mut sink, 1).await;
    let whole = &prepared[0].0;
    for damage in 0..40 {
        let mut bytes = whole.clone();
        match damage % 2 {
            0 => bytes.truncate(whole.len() * damage / 40),
            _ => bytes[whole.len() * damage / 40] ^= 0x40,
        }
        let error = open(&table, 0, vec![WireBytes(bytes)]).await.err().unwrap();
        assert_eq!(error.code(), "LV-4002", "{error}");
    }
    assert!(written(&database).await.is_empty());
}
