use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use levada_engine::connector::{Lookup, LookupContext, TableDescriptor};
use levada_engine::error::Result;
use levada_engine::graph::JobId;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::SystemClock;

use crate::server::*;

fn lookup(table: &TableDescriptor, keys: SchemaRef) -> Arc<dyn Lookup> {
    let registry = levada_connectors::registry();
    let factory = registry.of_table(table).unwrap().source(table).unwrap();
    assert!(factory.lookup().is_some());
    let context = LookupContext {
        job: JobId("job-1".into()),
        schema: table.schema.0.clone(),
        keys,
        capacity: 100,
        clock: Arc::new(SystemClock),
        metrics: Arc::new(SubtaskMetrics::default()),
    };
    factory.create_lookup(context).unwrap()
}

fn by(name: &str, data_type: DataType) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(name, data_type, true)]))
}

/// For each row the number of its key and `id|v`, in some order made one.
async fn ask(lookup: &dyn Lookup, schema: &SchemaRef, keys: Vec<ArrayRef>) -> Result<Vec<String>> {
    let keys = RecordBatch::try_new(schema.clone(), keys).unwrap();
    let answer = lookup.ask(keys).await?;
    let ids = answer.rows.column(0).as_primitive::<Int64Type>();
    let values = answer.rows.column(1).as_string::<i32>();
    let mut rows: Vec<String> = (0..answer.of.len())
        .map(|row| {
            let (of, id) = (answer.of[row], ids.value(row));
            format!(
                "{of}: {id}|{}",
                values.iter().nth(row).flatten().unwrap_or("NULL")
            )
        })
        .collect();
    rows.sort();
    Ok(rows)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn rows_come_with_the_numbers_of_their_keys() {
    let database = Database::new().await;
    database
        .run("CREATE TABLE t (id bigint, v text); INSERT INTO t VALUES (1, 'a'), (1, 'it''s'), (2, NULL), (NULL, 'n')")
        .await;
    let table = database.table(schema(), &[]);
    let keys = by("id", DataType::Int64);
    let asked = lookup(&table, keys.clone());
    asked.open().await.unwrap();
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![7, 2, 1]));
    let rows = ask(asked.as_ref(), &keys, vec![ids]).await.unwrap();
    assert_eq!(rows, ["1: 2|NULL", "2: 1|a", "2: 1|it's"]);
    // What is there now.
    database.run("UPDATE t SET v = 'b' WHERE id = 2").await;
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![2]));
    let rows = ask(asked.as_ref(), &keys, vec![ids]).await.unwrap();
    assert_eq!(rows, ["0: 2|b"]);

    let keys = by("v", DataType::Utf8);
    let asked = lookup(&table, keys.clone());
    let texts: ArrayRef = Arc::new(StringArray::from(vec![
        "x\0",
        "it's",
        "'); DROP TABLE t; --",
        "b",
    ]));
    let rows = ask(asked.as_ref(), &keys, vec![texts]).await.unwrap();
    assert_eq!(rows, ["1: 1|it's", "3: 2|b"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn several_columns_and_more_keys_than_fit_into_one_query() {
    let database = Database::new().await;
    database
        .run("CREATE TABLE t (id int, v varchar(10), PRIMARY KEY (id, v)); INSERT INTO t SELECT n, n % 7 FROM generate_series(1, 5000) n")
        .await;
    let table = database.table(schema(), &[]);
    let keys = schema();
    let asked = lookup(&table, keys.clone());
    // More than an INT of the database holds, and texts that are longer than its columns.
    let ids: Vec<i64> = (1..=2500).chain([3_000_000_000, 7]).collect();
    let texts: Vec<String> = ids.iter().map(|id| (id % 7).to_string()).collect();
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts[2] = "30000000000000";
    let ids: ArrayRef = Arc::new(Int64Array::from(ids));
    let texts: ArrayRef = Arc::new(StringArray::from(texts));
    let rows = ask(asked.as_ref(), &keys, vec![ids, texts]).await.unwrap();
    assert_eq!(rows.len(), 2500);
    assert!(rows.contains(&"2499: 2500|1".to_string()));
    assert!(rows.contains(&"2501: 7|0".to_string()));
    assert!(!rows.iter().any(|row| row.starts_with("2: ")));
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_connection_that_breaks_is_made_again() {
    let database = Database::new().await;
    database
        .run("CREATE TABLE t (id bigint, v text); INSERT INTO t VALUES (1, 'a')")
        .await;
    let table = database.table(schema(), &[]);
    let keys = by("id", DataType::Int64);
    let asked = lookup(&table, keys.clone());
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    assert_eq!(
        ask(asked.as_ref(), &keys, vec![ids.clone()]).await.unwrap(),
        ["0: 1|a"]
    );
    let other =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'levada'";
    database.rows(other).await;
    assert_eq!(
        ask(asked.as_ref(), &keys, vec![ids]).await.unwrap(),
        ["0: 1|a"]
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_is_wrong_with_the_table_is_found_before_the_first_question() {
    let database = Database::new().await;
    database.run("CREATE TABLE t (id bigint)").await;
    let table = database.table(schema(), &[("lookup.max-retries", "0")]);
    let asked = lookup(&table, by("id", DataType::Int64));
    let error = asked.open().await.unwrap_err().to_string();
    assert!(error.contains("no column 'v'"), "{error}");
}
