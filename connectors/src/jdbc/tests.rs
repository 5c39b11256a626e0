#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use bytes::BytesMut;
use levada_engine::connector::{ConnectorFactory, TableDescriptor};
use levada_engine::graph::WireBytes;

use super::committable::Epoch;
use super::config::{Config, Guarantee, TableName, literal, quote};
use super::{Jdbc, numeric};
use crate::fixture::table_of;

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("day", DataType::Date32, true),
        Field::new("v", DataType::Utf8, true),
    ])
}

fn table(options: &[(&str, &str)]) -> TableDescriptor {
    let mut all = vec![
        ("url", "jdbc:postgresql://localhost/db"),
        ("table-name", "t"),
        ("username", "me"),
    ];
    all.extend_from_slice(options);
    table_of("jdbc", Arc::new(schema()), &all)
}

fn refusal(options: &[(&str, &str)]) -> String {
    Config::parse(&table(options)).unwrap_err().to_string()
}

#[test]
fn options_have_the_defaults_of_flink() {
    let config = Config::parse(&table(&[("driver", "org.postgresql.Driver")])).unwrap();
    assert_eq!(config.address, "localhost:5432/db");
    assert_eq!((config.flush_rows, config.max_retries), (100, 3));
    assert_eq!(config.flush_interval.as_millis(), 1000);
    assert_eq!((config.guarantee, config.partitioning), (None, None));
    let config = Config::parse(&table(&[
        (
            "url",
            "jdbc:postgresql://[::1]:7/a%20b?user=you&currentSchema=x&connectTimeout=3",
        ),
        ("sink.delivery-guarantee", "at-least-once"),
        ("sink.buffer-flush.max-rows", "0"),
    ]));
    let config = config.unwrap();
    assert_eq!(config.address, "::1:7/a b");
    assert_eq!(config.database.get_user(), Some("me"));
    assert_eq!(
        (config.flush_rows, config.guarantee),
        (usize::MAX, Some(Guarantee::AtLeastOnce))
    );
}

#[test]
fn wrong_options_say_what_is_wrong() {
    for (options, part) in [
        (
            vec![("url", "jdbc:mysql://h/d")],
            "the database 'mysql' is not supported; 'postgresql' is",
        ),
        (
            vec![("url", "postgresql://h/d")],
            "does not begin with 'jdbc:'",
        ),
        (
            vec![("url", "jdbc:postgresql://h/")],
            "no host or no database",
        ),
        (vec![("url", "jdbc:postgresql:d")], "no host"),
        (vec![("url", "jdbc:postgresql://a,b/d")], "several hosts"),
        (
            vec![("url", "jdbc:postgresql://h/d?sslmode=require")],
            "not encrypted yet",
        ),
        (
            vec![("url", "jdbc:postgresql://h/d?sslmod=x")],
            "did you mean 'sslmode'",
        ),
        (vec![("table-name", "a.b.c")], "'schema.table'"),
        (
            vec![("driver", "com.mysql.Driver")],
            "org.postgresql.Driver",
        ),
        (
            vec![("lookup.cache", "SOME")],
            "the option 'lookup.cache' has the value 'SOME', expected one of 'NONE', 'PARTIAL', 'FULL'",
        ),
        (
            vec![("sink.max-retry", "3")],
            "did you mean 'sink.max-retries'",
        ),
        (
            vec![("scan.partition.column", "id")],
            "'scan.partition.num' is missing",
        ),
    ] {
        let text = refusal(&options);
        assert!(text.contains(part), "{part}: {text}");
    }
    let ranges =
        |column: &'static str, num: &'static str, lower: &'static str, upper: &'static str| {
            refusal(&[
                ("scan.partition.column", column),
                ("scan.partition.num", num),
                ("scan.partition.lower-bound", lower),
                ("scan.partition.upper-bound", upper),
            ])
        };
    assert!(ranges("v", "2", "0", "9").contains("a column of numbers, dates or timestamps"));
    assert!(ranges("x", "2", "0", "9").contains("unknown column 'x'"));
    assert!(ranges("id", "0", "0", "9").contains("1 to 100000"));
    assert!(ranges("id", "2", "9", "0").contains("not less than"));
    assert!(ranges("day", "2", "1", "2").contains("'2026-01-31'"));
}

#[test]
fn columns_without_a_counterpart_are_refused() {
    let nanos = DataType::Timestamp(TimeUnit::Nanosecond, None);
    let list = |inner| DataType::List(Arc::new(Field::new("item", inner, true)));
    for (data_type, part) in [
        (nanos, "keeps nanoseconds"),
        (list(list(DataType::Int32)), "arrays of arrays"),
        (
            DataType::Struct(vec![Field::new("a", DataType::Int32, true)].into()),
            "rows",
        ),
    ] {
        let schema = Schema::new(vec![Field::new("c", data_type, true)]);
        let mut table = table(&[]);
        table.schema = Arc::new(schema).into();
        let error = Jdbc.sink(&table).err().unwrap();
        assert!(
            error.message.contains("column 'c'") && error.message.contains(part),
            "{error}"
        );
    }
}

#[test]
fn ranges_have_no_gaps_and_no_overlaps() {
    for (count, lower, upper) in [
        (1, 0, 0),
        (3, 0, 9),
        (7, -5, 3),
        (1000, 1, 5),
        (4, i64::MIN, i64::MAX),
    ] {
        let (count, lower, upper) = (count.to_string(), lower.to_string(), upper.to_string());
        let config = Config::parse(&table(&[
            ("scan.partition.column", "id"),
            ("scan.partition.num", &count),
            ("scan.partition.lower-bound", &lower),
            ("scan.partition.upper-bound", &upper),
        ]));
        let ranges = config.unwrap().partitioning.unwrap().ranges();
        assert_eq!(ranges.first().unwrap().low.to_string(), lower);
        assert_eq!(ranges.last().unwrap().high.to_string(), upper);
        for (index, range) in ranges.iter().enumerate() {
            assert!(range.low < range.high || range.is_last);
            assert_eq!(range.is_last, index + 1 == ranges.len());
            if let Some(next) = ranges.get(index + 1) {
                assert_eq!(range.high, next.low);
            }
        }
    }
}

#[test]
fn numbers_go_there_and_back() {
    let widest = 10i128.pow(38) - 1;
    for scale in 0..=38i8 {
        for value in [
            0,
            1,
            9,
            10,
            9999,
            10_000,
            123_456_789,
            widest,
            widest / 7,
            10i128.pow(37),
        ] {
            for value in [value, -value] {
                let mut bytes = BytesMut::new();
                numeric::encode(value, scale, &mut bytes);
                assert_eq!(
                    numeric::decode(&bytes, 38, scale),
                    Ok(value),
                    "scale {scale}"
                );
            }
        }
    }
    assert!(numeric::decode(&[0, 1, 0], 38, 0).is_err());
    assert!(numeric::decode(&[0, 1, 0, 0, 0, 0, 0, 0], 38, 0).is_err());
}

#[test]
fn names_and_texts_are_quoted() {
    assert_eq!(quote("a\"b"), "\"a\"\"b\"");
    assert_eq!(literal("it's"), "'it''s'");
    assert_eq!(literal("a\\'"), "E'a\\\\'''");
    let name = TableName {
        schema: Some("S".into()),
        name: "a.b".into(),
    };
    assert_eq!(name.quoted(), "\"S\".\"a.b\"");
    let config = Config::parse(&table(&[("table-name", "S.\"a.b\"")])).unwrap();
    assert_eq!(config.target, name);
}

#[test]
fn an_epoch_is_read_back_and_any_damage_is_noticed() {
    let epoch = Epoch {
        lineage: "0123".into(),
        sink: "sink-0".into(),
        checkpoint: 7,
        staged: vec!["levada_rows_0123_1".into()],
        rows: Vec::new(),
    };
    let bytes = epoch.encode().unwrap();
    assert_eq!(Epoch::decode(&bytes).unwrap(), epoch);
    for length in 0..bytes.0.len() {
        assert!(Epoch::decode(&WireBytes(bytes.0[..length].to_vec())).is_err());
    }
    for index in 0..bytes.0.len() {
        let mut damaged = bytes.clone();
        damaged.0[index] ^= 1;
        assert!(Epoch::decode(&damaged).is_err());
    }
}
