use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::connector::SinkContext;
use levada_engine::element::ChangelogMode;
use levada_engine::time::ManualClock;

use crate::server::*;

const TABLE: &str = "CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)";
const CONTENT: &str = "SELECT * FROM t ORDER BY id";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn changes_leave_the_last_row_of_each_key() {
    let database = Database::new().await;
    database.run(TABLE).await;
    database
        .run("INSERT INTO t VALUES (1, 'old'), (2, 'old'), (7, 'kept')")
        .await;
    let table = database.keyed(schema(), &[]);
    let mut sink = open(&table, 0, Vec::new()).await.unwrap();
    let rows = changes(&[
        ("+I", 1, "a"),
        ("+I", 3, "c"),
        ("-U", 1, "a"),
        ("+U", 1, "b"),
        ("-D", 2, "old"),
        ("+I", 4, "d"),
        ("-D", 4, "d"),
    ]);
    sink.write(&rows).await.unwrap();
    assert!(sink.prepare(1).await.unwrap().is_empty());
    assert_eq!(database.rows(CONTENT).await, ["1|b", "3|c", "7|kept"]);
    // The same rows again, as after a failure, change nothing.
    let mut again = open(&table, 0, Vec::new()).await.unwrap();
    again.write(&rows).await.unwrap();
    again.prepare(1).await.unwrap();
    assert_eq!(database.rows(CONTENT).await, ["1|b", "3|c", "7|kept"]);
    // A key that goes and comes back.
    sink.write(&changes(&[("-D", 1, "b"), ("+I", 1, "e")]))
        .await
        .unwrap();
    sink.prepare(2).await.unwrap();
    assert_eq!(database.rows(CONTENT).await, ["1|e", "3|c", "7|kept"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn rows_are_written_when_they_are_many_or_old_or_nothing_else_comes() {
    let database = Database::new().await;
    database.run(TABLE).await;
    let clock = ManualClock::new(1000);
    let context = |clock: &Arc<ManualClock>| SinkContext {
        clock: Arc::clone(clock) as _,
        ..sink_context(schema(), 0)
    };
    let options = [
        ("sink.buffer-flush.max-rows", "3"),
        ("sink.buffer-flush.interval", "5 s"),
    ];
    let mut sink = sink(&database.keyed(schema(), &options), context(&clock));
    sink.open().await.unwrap();
    assert_eq!(sink.deadline_ms(), None);
    sink.write(&batch([(1, "a"), (2, "b")])).await.unwrap();
    sink.idle().await.unwrap();
    assert_eq!(database.count("t").await, 0);
    assert_eq!(sink.deadline_ms(), Some(6000));
    clock.advance(5000);
    sink.idle().await.unwrap();
    assert_eq!(database.count("t").await, 2);
    assert_eq!(sink.deadline_ms(), None);
    sink.write(&batch([(3, "a"), (4, "b"), (5, "c")]))
        .await
        .unwrap();
    assert_eq!(database.count("t").await, 5);
    // Without an interval, rows go when no input is waiting.
    let options = [("sink.buffer-flush.interval", "0")];
    let mut sink = crate::server::sink(&database.keyed(schema(), &options), context(&clock));
    sink.open().await.unwrap();
    sink.write(&batch([(6, "a")])).await.unwrap();
    assert_eq!((sink.deadline_ms(), database.count("t").await), (None, 5));
    sink.idle().await.unwrap();
    assert_eq!(database.count("t").await, 6);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn keys_may_be_of_several_columns_and_all_there_is() {
    let database = Database::new().await;
    database
        .run("CREATE TABLE t (v TEXT, id BIGINT, extra INT DEFAULT 7, PRIMARY KEY (v, id))")
        .await;
    let mut table = database.table(schema(), &[]);
    table.primary_key = vec!["id".into(), "v".into()];
    let mut sink = open(&table, 0, Vec::new()).await.unwrap();
    let rows = changes(&[
        ("+I", 1, "a"),
        ("+I", 1, "b"),
        ("+I", 2, "a"),
        ("-D", 1, "a"),
    ]);
    for checkpoint in 1..3 {
        sink.write(&rows).await.unwrap();
        sink.prepare(checkpoint).await.unwrap();
    }
    let content = database.rows("SELECT * FROM t ORDER BY v, id").await;
    assert_eq!(content, ["a|2|7", "b|1|7"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn two_subtasks_that_write_the_same_keys_do_not_block_each_other() {
    let database = Database::new().await;
    database.run(TABLE).await;
    let table = database.keyed(schema(), &[]);
    let write = |index: u32, table: levada_engine::connector::TableDescriptor| async move {
        let mut sink = open(&table, index, Vec::new()).await.unwrap();
        for round in 0..20i64 {
            let order = (0..500).map(|n| (n * (7 + round * 2 + i64::from(index)) % 500, "x"));
            sink.write(&batch(order)).await.unwrap();
        }
        sink.prepare(1).await.unwrap();
    };
    let first = tokio::spawn(write(0, table.clone()));
    write(1, table).await;
    first.await.unwrap();
    assert!(database.count("t").await > 100);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_key_that_the_database_does_not_enforce_is_refused() {
    let database = Database::new().await;
    database.run("CREATE TABLE t (id BIGINT, v TEXT)").await;
    let table = database.keyed(schema(), &[]);
    let error = open(&table, 0, Vec::new()).await.err().unwrap();
    assert!(
        error
            .message
            .contains("no primary key or unique index on (\"id\")"),
        "{error}"
    );
    assert!(error.hint.unwrap().contains("ADD PRIMARY KEY (\"id\")"));
    database.run("CREATE UNIQUE INDEX ON t (id)").await;
    open(&table, 0, Vec::new()).await.unwrap();
}

#[test]
fn updates_need_a_key() {
    let table = levada_engine::connector::TableDescriptor {
        name: "t".into(),
        connector: "jdbc".into(),
        schema: Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true)])).into(),
        metadata: Default::default(),
        primary_key: vec!["id".into()],
        partitioned_by: Vec::new(),
        options: [
            ("url", "jdbc:postgresql://127.0.0.1/db"),
            ("table-name", "t"),
            ("username", "u"),
        ]
        .map(|(n, v)| (n.to_string(), v.to_string()))
        .into(),
    };
    let registry = levada_connectors::registry();
    let connector = registry.of_table(&table).unwrap();
    let sink = connector.sink(&table).unwrap();
    let accept = |mode| sink.accept(mode).unwrap();
    assert_eq!(accept(ChangelogMode::Append), ChangelogMode::Append);
    assert_eq!(accept(ChangelogMode::Retract), ChangelogMode::Upsert);
    let keyless = levada_engine::connector::TableDescriptor {
        primary_key: Vec::new(),
        ..table.clone()
    };
    let sink = connector.sink(&keyless).unwrap();
    let error = sink.accept(ChangelogMode::Upsert).unwrap_err();
    assert!(error.message.contains("no PRIMARY KEY"), "{error}");
}
