//! The connector `upsert-kafka`.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use levada_engine::connector::{Sink, Source, SourceEvent, TableDescriptor};
use levada_engine::element::Batch;
use levada_engine::element::RowKind::{self, Delete, Insert, UpdateAfter};

use crate::broker::*;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("v", DataType::Utf8, true),
    ]))
}

fn upserts(topic: &str, options: &[(&str, &str)]) -> TableDescriptor {
    let mut all = vec![
        ("key.format", "json"),
        ("value.format", "json"),
        ("value.fields-include", "EXCEPT_KEY"),
    ];
    all.extend_from_slice(options);
    let mut table = table(topic, schema(), &all);
    table.options.remove("format");
    table.options.remove("scan.startup.mode");
    table.connector = "upsert-kafka".into();
    table.primary_key = vec!["id".into()];
    table
}

fn create(table: &TableDescriptor) -> Box<dyn Sink> {
    let registry = levada_connectors::registry();
    let factory = registry.of_table(table).unwrap().sink(table).unwrap();
    factory.create(sink_context(schema(), 0)).unwrap()
}

fn batch(rows: impl IntoIterator<Item = (RowKind, i64, &'static str)>) -> Batch {
    let rows: Vec<_> = rows.into_iter().collect();
    let id = Int64Array::from_iter_values(rows.iter().map(|r| r.1));
    let v = StringArray::from_iter_values(rows.iter().map(|r| r.2));
    let columns = RecordBatch::try_new(schema(), vec![Arc::new(id), Arc::new(v)]).unwrap();
    Batch::with_kinds(columns, rows.iter().map(|r| r.0).collect()).unwrap()
}

/// Keys with their values in the order of the log, from one partition.
fn log(topic: &Topic) -> Vec<(String, Option<String>)> {
    let content = topic.content().into_iter();
    content.map(|m| (m.key.unwrap(), m.value)).collect()
}

fn record(id: i64, v: Option<&str>) -> (String, Option<String>) {
    (
        format!("{{\"id\":{id}}}"),
        v.map(|v| format!("{{\"v\":\"{v}\"}}")),
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn changes_go_out_by_key() {
    let topic = Topic::new("upserts", 1).await;
    let mut sink = create(&upserts(&topic.name, &[]));
    sink.open().await.unwrap();
    let changes = [
        (Insert, 1, "a"),
        (Insert, 2, "b"),
        (UpdateAfter, 1, "c"),
        (Delete, 2, "b"),
    ];
    sink.write(&batch(changes)).await.unwrap();
    assert!(sink.prepare(1).await.unwrap().is_empty());
    let expected = [
        record(1, Some("a")),
        record(2, Some("b")),
        record(1, Some("c")),
        record(2, None),
    ];
    assert_eq!(log(&topic), expected);
    // A key stays in its partition, or compaction would not find its records.
    let topic = Topic::new("upserts", 4).await;
    let mut sink = create(&upserts(&topic.name, &[]));
    sink.open().await.unwrap();
    for kind in [Insert, UpdateAfter, Delete] {
        let rows = (0..100).map(|id| (kind, id, "x"));
        sink.write(&batch(rows)).await.unwrap();
    }
    sink.prepare(1).await.unwrap();
    let mut places = std::collections::BTreeMap::new();
    for message in topic.content() {
        let known = places.entry(message.key.unwrap());
        let partition = known.or_insert((message.partition, 0));
        assert_eq!(partition.0, message.partition);
        partition.1 += 1;
    }
    assert_eq!(places.len(), 100);
    assert!(places.values().all(|(_, count)| *count == 3));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_buffer_is_emptied_by_rows_by_time_and_by_checkpoints() {
    let topic = Topic::new("buffered", 1).await;
    let options = [
        ("sink.buffer-flush.max-rows", "3"),
        ("sink.buffer-flush.interval", "300 ms"),
    ];
    let mut sink = create(&upserts(&topic.name, &options));
    sink.open().await.unwrap();
    let first = [(Insert, 1, "a"), (UpdateAfter, 1, "b"), (Insert, 2, "a")];
    sink.write(&batch(first)).await.unwrap();
    assert!(sink.deadline_ms().is_some());
    sink.prepare(1).await.unwrap();
    let mut expected = vec![record(1, Some("b")), record(2, Some("a"))];
    assert_eq!(log(&topic), expected, "a checkpoint");
    assert_eq!(sink.deadline_ms(), None);
    sink.write(&batch([(Delete, 1, "b")])).await.unwrap();
    sink.idle().await.unwrap();
    assert!(sink.deadline_ms().is_some(), "not due yet");
    tokio::time::sleep(std::time::Duration::from_millis(350)).await;
    sink.idle().await.unwrap();
    assert_eq!(sink.deadline_ms(), None, "the time is over");
    let full = [(Insert, 4, "x"), (Insert, 5, "x"), (Insert, 6, "x")];
    sink.write(&batch(full)).await.unwrap();
    assert_eq!(sink.deadline_ms(), None, "it is full");
    sink.prepare(2).await.unwrap();
    expected.push(record(1, None));
    expected.extend((4..7).map(|id| record(id, Some("x"))));
    assert_eq!(log(&topic), expected);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn upserts_exactly_once() {
    let topic = Topic::new("upserts-once", 1).await;
    let prefix = fresh_name("prefix");
    let options = [
        ("sink.delivery-guarantee", "exactly-once"),
        ("sink.transactional-id-prefix", prefix.as_str()),
        ("sink.buffer-flush.max-rows", "1000"),
        ("sink.buffer-flush.interval", "1 h"),
    ];
    let mut sink = create(&upserts(&topic.name, &options));
    sink.open().await.unwrap();
    let changes = [
        (Insert, 1, "a"),
        (Insert, 2, "b"),
        (UpdateAfter, 1, "c"),
        (Delete, 2, "b"),
    ];
    sink.write(&batch(changes)).await.unwrap();
    let epoch = sink.prepare(1).await.unwrap();
    assert_eq!(topic.uncommitted_content(), []);
    sink.commit(epoch).await.unwrap();
    assert_eq!(log(&topic), [record(1, Some("c")), record(2, None)]);
}

/// The rows of a source as `+I 1 a`, up to its end.
async fn rows_of(source: &mut dyn Source) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        match next(source).await {
            SourceEvent::Rows { batch, .. } => {
                let id = batch.column(0).as_primitive::<Int64Type>();
                let v = batch.column(1).as_string::<i32>();
                for (row, (id, v)) in id.iter().zip(v).enumerate() {
                    let (id, v) = (id.unwrap(), v.unwrap_or("NULL"));
                    lines.push(format!("{} {id} {v}", batch.kind(row).short()));
                }
            }
            SourceEvent::End => return lines,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn what_was_written_is_read_as_upserts() {
    let topic = Topic::new("reread", 1).await;
    let mut sink = create(&upserts(&topic.name, &[]));
    sink.open().await.unwrap();
    let changes = [
        (Insert, 1, "a"),
        (Insert, 2, "b"),
        (UpdateAfter, 1, "c"),
        (Delete, 2, "b"),
        (Insert, 3, "d"),
    ];
    sink.write(&batch(changes)).await.unwrap();
    sink.prepare(1).await.unwrap();
    // One that nobody can place.
    let keyless = Plain {
        key: None,
        ..Plain::at(0, r#"{"v":"x"}"#)
    };
    let table = upserts(&topic.name, &[TO_LATEST]);
    let expected = ["+I 1 a", "+I 2 b", "+I 1 c", "-D 2 NULL", "+I 3 d"];
    let mut first = source(&table, source_context(schema(), (0, 1), None));
    first.open().await.unwrap();
    assert_eq!(rows_of(first.as_mut()).await, expected);
    let ended = first.positions().unwrap();
    assert!(ended.iter().all(|p| p.finished));

    topic.produce(&[keyless]).await;
    let mut failing = source(&table, source_context(schema(), (0, 1), None));
    failing.open().await.unwrap();
    let mut error = None;
    for _ in 0..3 {
        match failing.next().await {
            Ok(_) => {}
            Err(found) => error = Some(found.to_string()),
        }
    }
    let error = error.unwrap();
    assert!(error.contains("the message has no key"), "{error}");
    assert!(error.contains(&topic.name), "{error}");
    let mut context = source_context(schema(), (0, 1), None);
    context.divert_bad = true;
    let mut diverting = source(&table, context);
    diverting.open().await.unwrap();
    assert_eq!(rows_of(diverting.as_mut()).await, expected);
}
