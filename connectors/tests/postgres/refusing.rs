use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::connector::TableDescriptor;
use levada_engine::error::EngineError;
use levada_engine::{ErrorKind, Result};

use crate::server::*;

async fn sink_error(table: &TableDescriptor) -> EngineError {
    open(table, 0, Vec::new()).await.err().unwrap()
}

async fn source_error(table: &TableDescriptor) -> EngineError {
    let context = source_context(table.schema.0.clone(), (0, 1), None);
    source(table, context).await.err().unwrap()
}

/// Both a source and a sink say the same.
async fn both(table: &TableDescriptor, kind: ErrorKind, parts: &[&str]) {
    for error in [sink_error(table).await, source_error(table).await] {
        assert_eq!(error.kind, kind, "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn who_is_asked_and_as_whom_must_be_right() {
    let database = Database::new().await;
    database.run("CREATE TABLE t (id BIGINT, v TEXT)").await;
    let server = database.address.split('/').next().unwrap();
    let nowhere = format!("jdbc:postgresql://{server}/nowhere");
    let table = database.table(schema(), &[("url", &nowhere)]);
    both(
        &table,
        ErrorKind::Config,
        &["database \"nowhere\" does not exist", "3D000"],
    )
    .await;
    let locked = [("username", "locked"), ("password", "wrong")];
    let table = database.table(schema(), &locked);
    let parts = [
        "password authentication failed",
        "28P01",
        "'username' and 'password'",
    ];
    both(&table, ErrorKind::Config, &parts).await;
    let table = database.table(schema(), &[("username", "locked"), ("password", "secret")]);
    let error = source_error(&table).await;
    assert!(
        error.message.contains("there is no such table")
            || error.message.contains("permission denied"),
        "{error}"
    );
    let table = database.table(schema(), &[("table-name", "nothing.here")]);
    both(
        &table,
        ErrorKind::Config,
        &["nothing.here", "no such table in the database"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn declared_columns_must_meet_those_of_the_database() {
    let database = Database::new().await;
    database
        .run("CREATE TABLE t (id INT, v VARCHAR(3), amount NUMERIC(6,2), u UUID, twice INT GENERATED ALWAYS AS (id * 2) STORED)")
        .await;
    let declared = |name: &str, data_type: DataType| {
        let schema = Schema::new(vec![Field::new(name, data_type, true)]);
        database.table(Arc::new(schema), &[])
    };
    let table = declared("ids", DataType::Int32);
    both(
        &table,
        ErrorKind::Config,
        &["no column 'ids'", "did you mean 'id'"],
    )
    .await;
    let table = declared("id", DataType::Utf8);
    let parts = [
        "column 'id' is declared STRING, and is integer in the database",
        "declare it INT",
    ];
    both(&table, ErrorKind::Config, &parts).await;
    let table = declared("u", DataType::Utf8);
    both(
        &table,
        ErrorKind::Config,
        &["is uuid in the database", "through a view that casts it"],
    )
    .await;
    let error = sink_error(&declared("id", DataType::Int64)).await;
    assert!(
        error
            .message
            .ends_with("is integer in the database, which is too narrow for it"),
        "{error}"
    );
    let error = source_error(&declared("id", DataType::Int16)).await;
    assert!(
        error
            .message
            .ends_with("is integer in the database, which is wider"),
        "{error}"
    );
    let error = sink_error(&declared("amount", DataType::Decimal128(6, 3))).await;
    assert!(error.message.contains("numeric(6,2)"), "{error}");
    let error = sink_error(&declared("twice", DataType::Int32)).await;
    assert!(
        error.message.contains("is computed by the database"),
        "{error}"
    );
    database
        .run("ALTER TABLE t ADD COLUMN needed INT NOT NULL")
        .await;
    let error = sink_error(&declared("id", DataType::Int32)).await;
    assert!(
        error
            .message
            .contains("column 'needed' of the table in the database is NOT NULL"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn rows_that_the_database_refuses_name_the_column_and_the_state() {
    for guarantee in ["exactly-once", "at-least-once", "upsert"] {
        let database = Database::new().await;
        database
            .run("CREATE TABLE t (id BIGINT PRIMARY KEY CHECK (id < 100), v VARCHAR(3))")
            .await;
        let table = match guarantee {
            "upsert" => database.keyed(schema(), &[]),
            guarantee => database.table(schema(), &[("sink.delivery-guarantee", guarantee)]),
        };
        let write = async |rows| -> Result<()> {
            let mut sink = open(&table, 0, Vec::new()).await?;
            sink.write(&batch(rows)).await?;
            let prepared = sink.prepare(1).await?;
            sink.commit(prepared).await
        };
        let error = write(vec![(1, "abc"), (2, "abcd")]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Data, "{error}");
        for part in [
            "column 'v'",
            "value too long for type character varying(3)",
            "22001",
        ] {
            assert!(error.message.contains(part), "{guarantee}: {error}");
        }
        let error = write(vec![(100, "abc")]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Data, "{error}");
        assert!(error.message.contains("23514"), "{error}");
        let error = write(vec![(1, "a\0b")]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Data, "{error}");
        // Nothing of all that is left behind.
        assert_eq!(database.count("t").await, 0);
        write(vec![(1, "abc")]).await.unwrap();
        if guarantee != "upsert" {
            let error = write(vec![(1, "abc")]).await.unwrap_err();
            assert!(error.message.contains("23505"), "{error}");
            assert!(error.hint.unwrap().contains("PRIMARY KEY"));
        }
        database
            .run("ALTER TABLE t ALTER COLUMN v SET NOT NULL")
            .await;
        let mut sink = open(&table, 0, Vec::new()).await.unwrap();
        let rows = arrow::array::RecordBatch::try_new(
            schema(),
            vec![
                Arc::new(arrow::array::Int64Array::from(vec![7])),
                Arc::new(arrow::array::StringArray::from(vec![None::<&str>])),
            ],
        );
        let rows = levada_engine::element::Batch::inserts(rows.unwrap());
        let write = async {
            sink.write(&rows).await?;
            let prepared = sink.prepare(2).await?;
            sink.commit(prepared).await
        };
        let error = write.await.unwrap_err();
        assert!(
            error.message.contains("column \"v\"") && error.message.contains("23502"),
            "{error}"
        );
    }
}
