use levada_engine::connector::SourceEvent;

use crate::server::*;

const ROWS: usize = 2350;

async fn filled(ddl: &str) -> Database {
    let database = Database::new().await;
    database
        .run(&format!(
            "{ddl}; INSERT INTO t SELECT n, 'v' || n FROM generate_series(0, {}) n",
            ROWS - 1
        ))
        .await;
    database
}

fn ranges(count: &str) -> [(&str, &str); 4] {
    [
        ("scan.partition.column", "id"),
        ("scan.partition.num", count),
        ("scan.partition.lower-bound", "0"),
        ("scan.partition.upper-bound", "2349"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn ranges_together_are_the_whole_table() {
    let database = filled("CREATE TABLE t (id BIGINT, v TEXT)").await;
    let expected: Vec<i64> = (0..ROWS as i64).collect();
    for (count, parallelism) in [("1", 1), ("7", 1), ("7", 3), ("100", 2)] {
        let table = database.table(schema(), &ranges(count));
        let mut found = Vec::new();
        for index in 0..parallelism {
            let context = source_context(schema(), (index, parallelism), None);
            let mut source = source(&table, context).await.unwrap();
            found.extend(ids(&all(source.as_mut()).await));
        }
        found.sort_unstable();
        assert_eq!(found, expected, "{count} ranges, {parallelism} subtasks");
    }
    let whole = database.table(schema(), &[("scan.fetch-size", "33")]);
    let mut source = source(&whole, source_context(schema(), (0, 1), None))
        .await
        .unwrap();
    let batches = all(source.as_mut()).await;
    assert!(batches.iter().all(|b| b.num_rows() <= 33));
    assert_eq!(ids(&batches), expected);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn every_row_of_a_range_resumes_exactly_at_any_parallelism() {
    let expected: Vec<i64> = (0..ROWS as i64).collect();
    for ddl in [
        "CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)",
        "CREATE TABLE t (id BIGINT, v TEXT)",
        "CREATE TABLE t (id BIGINT, v TEXT, PRIMARY KEY (v, id))",
    ] {
        let database = filled(ddl).await;
        for (options, stops) in [(Vec::new(), 26), (ranges("3").to_vec(), 31)] {
            let table = database.table(schema(), &options);
            for stop in (0..stops).step_by(3) {
                let context = source_context(schema(), (0, 1), None);
                let mut before = source(&table, context).await.unwrap();
                let (rows, _) = some(before.as_mut(), stop).await.unwrap();
                let mut found = ids(&rows);
                let positions = before.positions().unwrap();
                drop(before);
                for index in 0..2 {
                    let context = source_context(schema(), (index, 2), Some(positions.clone()));
                    let mut after = source(&table, context).await.unwrap();
                    found.extend(ids(&all(after.as_mut()).await));
                }
                found.sort_unstable();
                assert_eq!(found, expected, "{ddl}, stopped after {stop} events");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_view_is_read_and_not_resumed_in_the_middle() {
    let database =
        filled("CREATE TABLE base (id BIGINT, v TEXT); CREATE VIEW t AS SELECT * FROM base").await;
    let table = database.table(schema(), &[]);
    let mut before = source(&table, source_context(schema(), (0, 1), None))
        .await
        .unwrap();
    let untouched = before.positions().unwrap();
    some(before.as_mut(), 2).await.unwrap();
    let partly = before.positions().unwrap();
    assert_eq!(ids(&all(before.as_mut()).await).len(), ROWS - 200);
    let finished = before.positions().unwrap();
    let context = |positions| source_context(schema(), (0, 1), Some(positions));
    let mut after = source(&table, context(untouched)).await.unwrap();
    assert_eq!(
        all(after.as_mut())
            .await
            .iter()
            .map(|b| b.num_rows())
            .sum::<usize>(),
        ROWS
    );
    let mut after = source(&table, context(finished)).await.unwrap();
    assert!(all(after.as_mut()).await.is_empty());
    let error = source(&table, context(partly)).await.err().unwrap();
    assert!(
        error
            .message
            .contains("no order by which reading could go on"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn queries_that_are_dropped_lose_nothing() {
    let database = filled("CREATE TABLE t (id BIGINT, v TEXT)").await;
    let table = database.table(schema(), &ranges("5"));
    let mut source = source(&table, source_context(schema(), (0, 1), None))
        .await
        .unwrap();
    let mut found = Vec::new();
    let mut patience = 0u64;
    loop {
        // Long enough for a connection now and then.
        patience = (patience + 3701) % 100_000;
        let next = tokio::time::timeout(std::time::Duration::from_micros(patience), source.next());
        match next.await {
            Err(_) => {}
            Ok(Ok(SourceEvent::Rows { batch, .. })) => found.extend(ids(&[batch.rows().clone()])),
            Ok(Ok(SourceEvent::End)) => break,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => panic!("{error}"),
        }
    }
    found.sort_unstable();
    assert_eq!(found, (0..ROWS as i64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn rows_without_columns_are_counted() {
    let database = filled("CREATE TABLE t (id BIGINT, v TEXT)").await;
    let table = database.table(schema(), &[]);
    let none = std::sync::Arc::new(arrow::datatypes::Schema::empty());
    let mut source = source(&table, source_context(none, (0, 1), None))
        .await
        .unwrap();
    let rows = all(source.as_mut()).await;
    assert_eq!(rows.iter().map(|b| b.num_rows()).sum::<usize>(), ROWS);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn dates_and_times_make_ranges_too() {
    let database = Database::new().await;
    database
        .run(
            "CREATE TABLE t (id BIGINT, d DATE, ts TIMESTAMP, tz TIMESTAMPTZ); \
             INSERT INTO t SELECT n, DATE '1969-12-01' + n, TIMESTAMP '1969-12-01' + n * INTERVAL '1 day 1 microsecond', \
             TIMESTAMPTZ '1969-12-01 00:00:00+00' + n * INTERVAL '1 day' FROM generate_series(0, 99) n",
        )
        .await;
    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
    let schema = std::sync::Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("d", DataType::Date32, true),
        Field::new("ts", DataType::Timestamp(TimeUnit::Microsecond, None), true),
        Field::new(
            "tz",
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            true,
        ),
    ]));
    for column in ["d", "ts", "tz"] {
        let options = [
            ("scan.partition.column", column),
            ("scan.partition.num", "7"),
            ("scan.partition.lower-bound", "1969-12-01"),
            ("scan.partition.upper-bound", "1970-01-31"),
        ];
        let table = database.table(schema.clone(), &options);
        let mut source = source(&table, source_context(schema.clone(), (0, 1), None))
            .await
            .unwrap();
        let mut found = ids(&all(source.as_mut()).await);
        found.sort_unstable();
        // The last timestamp is 61 microseconds behind the bound.
        let last = if column == "ts" { 61 } else { 62 };
        assert_eq!(found, (0..last).collect::<Vec<_>>(), "{column}");
    }
}
