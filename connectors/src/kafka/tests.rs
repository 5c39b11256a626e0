#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use levada_engine::connector::{Boundedness, ConnectorFactory, TableDescriptor};
use levada_engine::element::ChangelogMode;

use super::config::Config;
use super::offsets::{Bound, Start};
use super::{Kafka, UpsertKafka};
use crate::fixture::{sink_context, source_context, table_of};

const BASE: [(&str, &str); 4] = [
    ("topic", "t"),
    ("properties.bootstrap.servers", "127.0.0.1:1"),
    ("format", "json"),
    ("scan.startup.mode", "earliest-offset"),
];

fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("k_id", DataType::Int64, true),
        Field::new("a", DataType::Utf8, true),
    ]))
}

/// The base options with `changes`; an empty value takes an option away.
fn table(changes: &[(&str, &str)]) -> TableDescriptor {
    let mut table = table_of("kafka", schema(), &BASE);
    for (name, value) in changes {
        match value.is_empty() {
            true => table.options.remove(*name),
            false => table.options.insert(name.to_string(), value.to_string()),
        };
    }
    table
}

#[track_caller]
fn refused(changes: &[(&str, &str)], expected: &str) {
    let error = Kafka.source(&table(changes)).err().expect("was accepted");
    assert_eq!(error.code(), "LV-2001", "{error}");
    assert_eq!(error.message, format!("table 't': {expected}"));
}

#[track_caller]
fn refused_value(name: &str, value: &str, expected: &str) {
    let error = Kafka.source(&table(&[(name, value)])).err();
    let message = error.expect("was accepted").message;
    let start = format!("table 't': the option '{name}' has the value '{value}', ");
    let rest = message.strip_prefix(&start);
    let rest = rest.unwrap_or_else(|| panic!("{message}"));
    assert!(rest.contains(expected), "{message}");
}

#[test]
fn required_options_are_named() {
    refused(&[("topic", "")], "the option 'topic' is missing");
    refused(&[("topic", ";")], "the option 'topic' is empty");
    refused(&[("format", "")], "the option 'format' is missing");
    refused(
        &[("properties.bootstrap.servers", "")],
        "the option 'properties.bootstrap.servers' is missing",
    );
    refused(
        &[("topic-pattern", "t.*")],
        "the options 'topic' and 'topic-pattern' exclude each other",
    );
    refused(
        &[("value.format", "json")],
        "the options 'format' and 'value.format' mean the same; use one of them",
    );
    refused(
        &[("scan.startup.mode", "")],
        "'scan.startup.mode' = 'group-offsets' needs the option 'properties.group.id'",
    );
}

#[test]
fn wrong_values_are_refused() {
    refused_value(
        "scan.startup.mode",
        "earliest",
        "one of 'group-offsets', 'earliest-offset'",
    );
    refused_value(
        "scan.bounded.mode",
        "now",
        "one of 'unbounded', 'latest-offset'",
    );
    refused_value("scan.topic-partition-discovery.interval", "x", "a duration");
    refused_value(
        "sink.partitioner",
        "com.example.P",
        "one of 'default', 'fixed', 'round-robin'",
    );
    refused_value("sink.delivery-guarantee", "best", "one of 'at-least-once'");
    refused_value("value.fields-include", "SOME", "one of 'ALL', 'EXCEPT_KEY'");
    refused_value(
        "properties.auto.offset.reset",
        "first",
        "'earliest', 'latest' or 'none'",
    );
    refused_value("properties.buffer.memory", "much", "a number");
    refused_value(
        "properties.session.timeout.ms",
        "x",
        "the Kafka client refuses",
    );
    refused(&[("format", "jason")], "unknown format 'jason'");
    refused(
        &[("topic", ""), ("topic-pattern", "(")],
        "the option 'topic-pattern' has the value '(', expected a regular expression",
    );
    refused(
        &[("format", "parquet")],
        "the format 'parquet' describes whole files and cannot be used for messages",
    );
    refused(
        &[("scan.startup.mod", "x")],
        "unknown option 'scan.startup.mod'",
    );
}

#[test]
fn modes_need_their_options_and_no_others() {
    refused(
        &[("scan.startup.mode", "timestamp")],
        "'scan.startup.mode' = 'timestamp' needs the option 'scan.startup.timestamp-millis'",
    );
    refused(
        &[("scan.bounded.mode", "specific-offsets")],
        "'scan.bounded.mode' = 'specific-offsets' needs the option 'scan.bounded.specific-offsets'",
    );
    refused(
        &[("scan.startup.timestamp-millis", "1")],
        "the option 'scan.startup.timestamp-millis' has no effect without 'scan.startup.mode' = 'timestamp'",
    );
    refused(
        &[("scan.bounded.mode", "group-offsets")],
        "'scan.bounded.mode' = 'group-offsets' needs the option 'properties.group.id'",
    );
    for text in [
        "x",
        "partition:0",
        "partition:0,offset:-1",
        "partition:-1,offset:1",
        "partition:0,offset:1;partition:0,offset:2",
        ";",
    ] {
        refused_value("scan.startup.specific-offsets", text, "offsets such as");
    }
    refused_value("scan.startup.timestamp-millis", "yesterday", "milliseconds");
    refused(
        &[
            ("topic", "a;b"),
            ("scan.startup.mode", "specific-offsets"),
            ("scan.startup.specific-offsets", "partition:0,offset:1"),
        ],
        "'scan.startup.mode' = 'specific-offsets' works for a single topic only",
    );
}

#[test]
fn modes_are_understood() {
    let config = Config::parse(&table(&[
        ("scan.startup.mode", "specific-offsets"),
        (
            "scan.startup.specific-offsets",
            "partition:0,offset:42; partition:1,offset:300",
        ),
        ("scan.bounded.mode", "timestamp"),
        ("scan.bounded.timestamp-millis", "1700000000000"),
    ]))
    .unwrap();
    assert_eq!(config.start, Start::Specific([(0, 42), (1, 300)].into()));
    assert_eq!(config.bound, Bound::Timestamp(1_700_000_000_000));
    let bounded = |changes| Kafka.source(&table(changes)).unwrap().boundedness();
    assert_eq!(bounded(&[]), Boundedness::Unbounded);
    assert_eq!(
        bounded(&[("scan.bounded.mode", "latest-offset")]),
        Boundedness::Bounded
    );
}

#[test]
fn keys_are_checked() {
    refused(
        &[("key.format", "json")],
        "the option 'key.format' needs 'key.fields'",
    );
    refused(
        &[("key.fields", "a")],
        "the option 'key.fields' needs 'key.format'",
    );
    refused(
        &[("value.fields-include", "EXCEPT_KEY")],
        "'value.fields-include' = 'EXCEPT_KEY' needs 'key.format' and 'key.fields'",
    );
    let key = |changes: &[(&str, &'static str)], expected: &str| {
        let mut all = vec![("key.format", "json")];
        all.extend(changes.iter().map(|(n, v)| (*n, *v)));
        refused(&all, expected);
    };
    key(&[("key.fields", ";")], "the option 'key.fields' is empty");
    key(
        &[("key.fields", "b")],
        "unknown column in 'key.fields': 'b'",
    );
    key(
        &[("key.fields", "a;a")],
        "the column 'a' stands twice in 'key.fields'",
    );
    key(
        &[("key.fields", "k_id"), ("key.fields-prefix", "k_")],
        "the option 'key.fields-prefix' needs 'value.fields-include' = 'EXCEPT_KEY'",
    );
    key(
        &[
            ("key.fields", "a"),
            ("key.fields-prefix", "k_"),
            ("value.fields-include", "EXCEPT_KEY"),
        ],
        "the column 'a' in 'key.fields' does not begin with 'key.fields-prefix' = 'k_'",
    );
    let config = Config::parse(&table(&[
        ("key.format", "json"),
        ("key.fields", "k_id"),
        ("key.fields-prefix", "k_"),
        ("value.fields-include", "EXCEPT_KEY"),
    ]))
    .unwrap();
    assert_eq!(config.key_schema().field(0).name(), "id");
    assert_eq!(config.value_schema().fields().len(), 1);
}

#[test]
fn a_primary_key_is_refused() {
    let mut table = table(&[]);
    table.primary_key = vec!["a".into()];
    let error = Kafka.source(&table).err().unwrap();
    assert!(
        error.message.contains("cannot have a PRIMARY KEY"),
        "{error}"
    );
}

#[test]
fn java_names_are_translated_and_unknown_ones_refused() {
    let config = Config::parse(&table(&[
        ("properties.fetch.max.wait.ms", "100"),
        ("properties.key.deserializer", "org.apache.kafka.common.serialization.X"),
        ("properties.buffer.memory", "33554432"),
        ("properties.max.request.size", "2000000"),
        (
            "properties.sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password='p\"w';",
        ),
    ]))
    .unwrap();
    let consumer = config.properties.consumer("g");
    assert_eq!(consumer.get("fetch.wait.max.ms"), Some("100"));
    assert_eq!(consumer.get("sasl.username"), Some("u"));
    assert_eq!(consumer.get("sasl.password"), Some("p\"w"));
    assert_eq!(consumer.get("group.id"), Some("g"));
    assert_eq!(consumer.get("enable.auto.commit"), Some("false"));
    let producer = config.properties.producer();
    assert_eq!(producer.get("queue.buffering.max.kbytes"), Some("32768"));
    assert_eq!(producer.get("message.max.bytes"), Some("2000000"));
    refused(
        &[("properties.bootstrap.server", "x")],
        "the option 'properties.bootstrap.server' is unknown to the Kafka client",
    );
    refused(
        &[("properties.interceptor.classes", "x")],
        "the option 'properties.interceptor.classes' belongs to the Java client and has no counterpart here",
    );
    refused(
        &[(
            "properties.sasl.jaas.config",
            "com.sun.security.Krb5LoginModule required;",
        )],
        "the option 'properties.sasl.jaas.config' must name user and password of a PLAIN or SCRAM login",
    );
}

#[test]
fn metadata_is_checked() {
    let mut unknown = table(&[]);
    unknown.metadata.insert("a".into(), "offsets".into());
    let error = Kafka.source(&unknown).err().unwrap();
    assert_eq!(error.message, "table 't': unknown metadata key 'offsets'");
    let hint = error.hint.unwrap();
    for key in [
        "did you mean 'offset'?",
        "'topic'",
        "'partition'",
        "'headers'",
        "'leader-epoch'",
        "'timestamp'",
        "'timestamp-type'",
    ] {
        assert!(hint.contains(key), "{hint}");
    }
    let mut wrong = table(&[]);
    wrong.schema = Arc::new(Schema::new(vec![
        Field::new("a", DataType::Utf8, true),
        Field::new("ts", DataType::new_list(DataType::Date32, true), true),
    ]))
    .into();
    wrong.metadata.insert("ts".into(), "headers".into());
    let error = Kafka.source(&wrong).err().unwrap();
    assert!(error.message.contains("does not convert to"), "{error}");
    let keys = Kafka.metadata(&table(&[])).unwrap();
    let timestamp = keys.iter().find(|(key, _)| key == "timestamp").unwrap();
    let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    assert_eq!(timestamp.1, utc);
}

#[test]
fn sinks_are_checked() {
    let error = |changes: &[(&str, &str)]| Kafka.sink(&table(changes)).err().unwrap().message;
    assert_eq!(
        error(&[("topic", "a;b")]),
        "table 't': a table that is written needs one topic, but 'topic' names several"
    );
    assert!(error(&[("topic", ""), ("topic-pattern", "t.*")]).contains("needs one topic"));
    assert!(error(&[("sink.transactional-id-prefix", "x")]).contains("has no effect without"));
    let exactly_once = ("sink.delivery-guarantee", "exactly-once");
    assert_eq!(
        error(&[exactly_once]),
        "table 't': 'sink.delivery-guarantee' = 'exactly-once' needs the option 'sink.transactional-id-prefix'"
    );
    let prefix = ("sink.transactional-id-prefix", "x");
    assert!(Kafka.sink(&table(&[exactly_once, prefix])).is_ok());
    assert!(error(&[exactly_once, ("sink.transactional-id-prefix", " ")]).contains("a name"));
    // Settings that transactions cannot be written with.
    for contradiction in [
        ("properties.enable.idempotence", "false"),
        ("properties.acks", "1"),
        ("properties.message.timeout.ms", "900000"),
    ] {
        let message = error(&[exactly_once, prefix, contradiction]);
        assert!(message.contains("'exactly-once' needs"), "{message}");
    }
    let longer = ("properties.transaction.timeout.ms", "900000");
    let waiting = ("properties.message.timeout.ms", "900000");
    assert!(
        Kafka
            .sink(&table(&[exactly_once, prefix, longer, waiting]))
            .is_ok()
    );
    let sink = Kafka.sink(&table(&[("scan.startup.mode", "")])).unwrap();
    assert!(sink.accept(ChangelogMode::Append).is_ok());
    for mode in [ChangelogMode::Upsert, ChangelogMode::Retract] {
        let error = sink.accept(mode).unwrap_err();
        assert!(error.message.contains("takes inserts only"), "{error}");
    }
    let mut read_only = table(&[]);
    read_only.metadata.insert("k_id".into(), "offset".into());
    let clock = levada_engine::time::ManualClock::new(0);
    let sink = Kafka.sink(&read_only).unwrap();
    let created = sink.create(sink_context(schema(), (0, 1), 0, clock));
    let error = created.err().unwrap();
    assert_eq!(
        error.message,
        "the metadata 'offset' of column 'k_id' cannot be written"
    );
}

#[test]
fn columns_that_the_format_cannot_hold_are_refused_before_anything_is_read() {
    let table = table(&[("format", "raw")]);
    let source = Kafka.source(&table).unwrap();
    let context = source_context(schema(), (0, 1), 10, None);
    assert!(source.create(context).is_err());
    assert!(Kafka.sink(&table).is_err());
}

/// A table of upserts by `k_id`, with `changes`; an empty value takes an option away.
fn upserts(changes: &[(&str, &str)]) -> TableDescriptor {
    let base = [
        ("format", ""),
        ("scan.startup.mode", ""),
        ("key.format", "json"),
        ("value.format", "json"),
    ];
    let mut table = table(&[&base, changes].concat());
    table.connector = "upsert-kafka".into();
    table.primary_key = vec!["k_id".into()];
    table
}

#[test]
fn upsert_tables_have_a_key_and_no_options_of_streams() {
    let error = |table: &TableDescriptor| UpsertKafka.sink(table).err().unwrap().message;
    let refused = |changes: &[(&str, &str)]| error(&upserts(changes));
    let mut keyless = upserts(&[]);
    keyless.primary_key.clear();
    assert_eq!(
        error(&keyless),
        "table 't': the connector 'upsert-kafka' needs a PRIMARY KEY, by which rows replace each other"
    );
    let missing = refused(&[("key.format", "")]);
    assert!(missing.contains("'key.format' is missing"), "{missing}");
    let missing = refused(&[("value.format", "")]);
    assert!(missing.contains("'value.format' is missing"), "{missing}");
    for option in [
        "format",
        "key.fields",
        "scan.startup.mode",
        "sink.partitioner",
    ] {
        let message = refused(&[(option, "json")]);
        assert!(message.contains("unknown option"), "{message}");
    }
    let prefixed = refused(&[("key.fields-prefix", "k_")]);
    assert!(prefixed.contains("EXCEPT_KEY"), "{prefixed}");
    for one in ["sink.buffer-flush.max-rows", "sink.buffer-flush.interval"] {
        let message = refused(&[(one, "5")]);
        assert!(message.contains("must both be above zero"), "{message}");
    }
    let guarantee = refused(&[("sink.delivery-guarantee", "exactly-once")]);
    assert!(
        guarantee.contains("sink.transactional-id-prefix"),
        "{guarantee}"
    );
    let accepted = upserts(&[
        ("key.fields-prefix", "k_"),
        ("value.fields-include", "EXCEPT_KEY"),
        ("sink.buffer-flush.max-rows", "1000"),
        ("sink.buffer-flush.interval", "1s"),
        ("sink.delivery-guarantee", "exactly-once"),
        ("sink.transactional-id-prefix", "p"),
        ("scan.bounded.mode", "latest-offset"),
    ]);
    let sink = UpsertKafka.sink(&accepted).unwrap();
    let modes = [
        (ChangelogMode::Append, ChangelogMode::Append),
        (ChangelogMode::Upsert, ChangelogMode::Upsert),
        (ChangelogMode::Retract, ChangelogMode::Upsert),
    ];
    for (offered, wanted) in modes {
        assert_eq!(sink.accept(offered).unwrap(), wanted);
    }
    let source = UpsertKafka.source(&accepted).unwrap();
    assert_eq!(source.mode(), ChangelogMode::Upsert);
    assert_eq!(source.boundedness(), Boundedness::Bounded);
    let source = UpsertKafka.source(&upserts(&[])).unwrap();
    assert_eq!(source.boundedness(), Boundedness::Unbounded);
    assert_eq!(
        Kafka.source(&table(&[])).unwrap().mode(),
        ChangelogMode::Append
    );
}
