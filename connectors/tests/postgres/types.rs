use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringArray, Time32MillisecondArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, new_null_array,
};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use levada_engine::element::Batch;

use crate::server::*;

fn decimals(values: Vec<Option<i128>>, precision: u8, scale: i8) -> ArrayRef {
    let array = Decimal128Array::from(values);
    Arc::new(array.with_precision_and_scale(precision, scale).unwrap())
}

fn texts(rows: Vec<Option<Vec<Option<&str>>>>) -> ArrayRef {
    let mut builder = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
    for row in rows {
        match row {
            None => builder.append_null(),
            Some(values) => {
                values
                    .into_iter()
                    .for_each(|v| builder.values().append_option(v));
                builder.append(true);
            }
        }
    }
    Arc::new(builder.finish())
}

/// Each type with the column that holds it, and its edges.
fn columns() -> Vec<(&'static str, ArrayRef)> {
    let widest = 10i128.pow(38) - 1;
    let day = 86_400_000_000i64;
    let integers = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None, Some(i32::MIN)]),
        Some(Vec::new()),
        None,
        Some(vec![Some(7)]),
    ]);
    let long = "x".repeat(100_000);
    vec![
        (
            "BOOLEAN",
            Arc::new(BooleanArray::from(vec![true, false, true, false])),
        ),
        (
            "SMALLINT",
            Arc::new(Int8Array::from(vec![0, i8::MIN, i8::MAX, -1])),
        ),
        (
            "SMALLINT",
            Arc::new(Int16Array::from(vec![0, i16::MIN, i16::MAX, -1])),
        ),
        (
            "INT",
            Arc::new(Int32Array::from(vec![0, i32::MIN, i32::MAX, -1])),
        ),
        (
            "BIGINT",
            Arc::new(Int64Array::from(vec![0, i64::MIN, i64::MAX, -1])),
        ),
        (
            "REAL",
            Arc::new(Float32Array::from(vec![
                0.0,
                f32::MIN,
                f32::INFINITY,
                1e-40,
            ])),
        ),
        (
            "FLOAT8",
            Arc::new(Float64Array::from(vec![
                -0.5,
                f64::MAX,
                f64::NEG_INFINITY,
                5e-324,
            ])),
        ),
        (
            "NUMERIC(10,2)",
            decimals(
                vec![Some(0), Some(-1), Some(9_999_999_999), Some(100_000_001)],
                10,
                2,
            ),
        ),
        (
            "NUMERIC",
            decimals(
                vec![Some(widest), Some(-widest), Some(1), Some(10i128.pow(37))],
                38,
                0,
            ),
        ),
        (
            "NUMERIC(38,38)",
            decimals(
                vec![Some(widest), Some(-1), Some(0), Some(10i128.pow(33))],
                38,
                38,
            ),
        ),
        (
            "NUMERIC(20,3)",
            decimals(
                vec![
                    Some(10_000_000),
                    Some(12_340_005),
                    Some(-99_990_000),
                    Some(1),
                ],
                20,
                3,
            ),
        ),
        (
            "TEXT",
            Arc::new(StringArray::from(vec![
                "",
                "ä\u{1f980}\n\t\\N",
                long.as_str(),
                "'\"$1",
            ])),
        ),
        (
            "VARCHAR(5)",
            Arc::new(StringArray::from(vec!["", "äöüäö", "abc", "NULL"])),
        ),
        (
            "BYTEA",
            Arc::new(BinaryArray::from_vec(vec![
                b"",
                b"\0\xff\\x",
                b"abc",
                b"\n",
            ])),
        ),
        (
            "DATE",
            Arc::new(Date32Array::from(vec![0, -719_528, 2_932_896, 10_957])),
        ),
        (
            "TIME",
            Arc::new(Time32MillisecondArray::from(vec![
                0, 86_399_999, 1, 43_200_000,
            ])),
        ),
        (
            "TIME",
            Arc::new(Time64MicrosecondArray::from(vec![0, day - 1, 1, day / 2])),
        ),
        (
            "TIMESTAMP",
            Arc::new(TimestampMicrosecondArray::from(vec![
                0,
                -1,
                253_402_300_799_999_999,
                -62_135_596_800_000_000,
            ])),
        ),
        (
            "TIMESTAMP",
            Arc::new(TimestampMillisecondArray::from(vec![
                0,
                -1,
                1_700_000_000_123,
                946_684_800_000,
            ])),
        ),
        (
            "TIMESTAMPTZ",
            Arc::new(
                TimestampMicrosecondArray::from(vec![0, -1, 1_700_000_000_123_456, 5])
                    .with_timezone("UTC"),
            ),
        ),
        ("INT[]", Arc::new(integers)),
        (
            "TEXT[]",
            texts(vec![
                Some(vec![Some("a"), None, Some("")]),
                None,
                Some(vec![]),
                Some(vec![Some("{,}\"")]),
            ]),
        ),
    ]
}

fn all_types() -> (String, SchemaRef, RecordBatch) {
    let (mut ddl, mut fields, mut arrays) = (
        vec!["id BIGINT PRIMARY KEY".to_string()],
        Vec::new(),
        Vec::new(),
    );
    fields.push(Field::new("id", DataType::Int64, true));
    arrays.push(Arc::new(Int64Array::from_iter_values(0..5)) as ArrayRef);
    for (index, (sql, array)) in columns().into_iter().enumerate() {
        ddl.push(format!("c{index} {sql}"));
        fields.push(Field::new(
            format!("c{index}"),
            array.data_type().clone(),
            true,
        ));
        let nulls = new_null_array(array.data_type(), 1);
        arrays.push(concat(&[array.as_ref(), nulls.as_ref()]).unwrap());
    }
    let schema = Arc::new(Schema::new(fields));
    let rows = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    (format!("CREATE TABLE t ({})", ddl.join(", ")), schema, rows)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn every_type_comes_back_as_it_went_whichever_way_it_is_written() {
    let (ddl, schema, rows) = all_types();
    for way in ["upsert", "exactly-once", "at-least-once"] {
        let database = Database::new().await;
        database.run(&ddl).await;
        let table = match way {
            "upsert" => database.keyed(Arc::clone(&schema), &[]),
            way => database.table(Arc::clone(&schema), &[("sink.delivery-guarantee", way)]),
        };
        let mut sink = open(&table, 0, Vec::new()).await.unwrap();
        sink.write(&Batch::inserts(rows.clone())).await.unwrap();
        let prepared = sink.prepare(1).await.unwrap();
        sink.commit(prepared).await.unwrap();
        let context = source_context(Arc::clone(&schema), (0, 1), None);
        let mut source = source(&table, context).await.unwrap();
        let found = all(source.as_mut()).await;
        assert_eq!(found.len(), 1);
        for (column, field) in schema.fields().iter().enumerate() {
            assert_eq!(
                found[0].column(column),
                rows.column(column),
                "{way}: {field:?}"
            );
        }
        assert_eq!(found[0].schema(), schema);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn the_database_sees_the_values_that_were_meant() {
    let (ddl, schema, rows) = all_types();
    let database = Database::new().await;
    database.run(&ddl).await;
    let mut sink = open(&database.keyed(schema, &[]), 0, Vec::new())
        .await
        .unwrap();
    sink.write(&Batch::inserts(rows)).await.unwrap();
    sink.prepare(1).await.unwrap();
    database.run("SET TimeZone = 'UTC'").await;
    let row = database
        .rows("SELECT c1, c3, c7, c8, c10, c14, c15, c17, c18, c19, c20, c21 FROM t WHERE id < 2 ORDER BY id")
        .await;
    let widest = "9".repeat(38);
    assert_eq!(
        row,
        [
            format!(
                "0|0|0.00|{widest}|10000.000|1970-01-01|00:00:00|1970-01-01 00:00:00|1970-01-01 00:00:00|1970-01-01 00:00:00+00|{{1,NULL,-2147483648}}|{{a,NULL,\"\"}}"
            ),
            format!(
                "-128|-2147483648|-0.01|-{widest}|12340.005|0001-01-01 BC|23:59:59.999|1969-12-31 23:59:59.999999|1969-12-31 23:59:59.999|1969-12-31 23:59:59.999999+00|{{}}|NULL"
            ),
        ]
    );
}

/// Values that the declared type cannot hold are errors, never something near.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn what_does_not_fit_the_declared_type_is_an_error() {
    let decimal = DataType::Decimal128(5, 2);
    let date = DataType::Date32;
    let timestamp = DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None);
    let time = DataType::Time64(arrow::datatypes::TimeUnit::Microsecond);
    let list = DataType::List(Arc::new(Field::new("item", DataType::Int32, true)));
    for (sql, value, declared, message) in [
        ("NUMERIC", "'NaN'", &decimal, "'NaN'"),
        (
            "NUMERIC",
            "1.005",
            &decimal,
            "a number with more than 2 decimals",
        ),
        ("NUMERIC", "1000", &decimal, "a number that is too large"),
        ("NUMERIC", "1e60", &decimal, "a number that is too large"),
        ("DATE", "'infinity'", &date, "'infinity'"),
        ("TIMESTAMP", "'-infinity'", &timestamp, "'infinity'"),
        ("TIME", "'24:00:00'", &time, "'24:00:00'"),
        (
            "INT[]",
            "'{{1,2},{3,4}}'",
            &list,
            "an array of several dimensions",
        ),
    ] {
        let database = Database::new().await;
        database
            .run(&format!(
                "CREATE TABLE t (v {sql}); INSERT INTO t VALUES ({value})"
            ))
            .await;
        let schema = Arc::new(Schema::new(vec![Field::new("v", declared.clone(), true)]));
        let table = database.table(Arc::clone(&schema), &[]);
        let mut source = source(&table, source_context(schema, (0, 1), None))
            .await
            .unwrap();
        let error = some(source.as_mut(), 10).await.unwrap_err();
        assert_eq!(error.code(), "LV-3002", "{error}");
        assert!(
            error.message.contains("column 'v'") && error.message.contains(message),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_precision_cuts_off_what_is_finer() {
    let database = Database::new().await;
    database
        .run("CREATE TABLE t (v TIMESTAMP); INSERT INTO t VALUES ('1969-12-31 23:59:59.999999'), ('2000-01-01 00:00:00.0019')")
        .await;
    let millis = DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None);
    let schema = Arc::new(Schema::new(vec![Field::new("v", millis, true)]));
    let table = database.table(Arc::clone(&schema), &[]);
    let mut source = source(&table, source_context(schema, (0, 1), None))
        .await
        .unwrap();
    let rows = all(source.as_mut()).await;
    let expected = TimestampMillisecondArray::from(vec![-1, 946_684_800_001]);
    assert_eq!(rows[0].column(0).as_ref(), &expected as &dyn Array);
}
