use std::sync::Arc;
use std::time::Duration;

use arrow::array::BinaryBuilder;
use arrow::array::{
    ArrayRef, Int64Array, MapBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use levada_engine::connector::{Sink, TableDescriptor};
use levada_engine::element::Batch;

use crate::broker::*;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("v", DataType::Utf8, true),
    ]))
}

fn batch(rows: impl IntoIterator<Item = (i64, &'static str)>) -> Batch {
    let (ids, values): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let id: ArrayRef = Arc::new(Int64Array::from(ids));
    let v: ArrayRef = Arc::new(StringArray::from(values));
    Batch::inserts(RecordBatch::try_new(schema(), vec![id, v]).unwrap())
}

async fn open(table: &TableDescriptor, schema: SchemaRef, index: u32) -> Box<dyn Sink> {
    let registry = levada_connectors::registry();
    let factory = registry.of_table(table).unwrap().sink(table).unwrap();
    let mut sink = factory.create(sink_context(schema, index)).unwrap();
    sink.open().await.unwrap();
    sink
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_barrier_waits_until_everything_is_there() {
    let topic = Topic::new("written", 3).await;
    let mut sink = open(&table(&topic.name, schema(), &[]), schema(), 0).await;
    for first in (0..20_000).step_by(500) {
        sink.write(&batch((first..first + 500).map(|n| (n, "x"))))
            .await
            .unwrap();
    }
    assert!(sink.prepare(1).await.unwrap().is_empty());
    let mut values: Vec<_> = topic
        .content()
        .into_iter()
        .map(|m| m.value.unwrap())
        .collect();
    values.sort();
    let mut expected: Vec<_> = (0..20_000)
        .map(|n| format!("{{\"id\":{n},\"v\":\"x\"}}"))
        .collect();
    expected.sort();
    assert_eq!(values, expected);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn keys_decide_the_partition() {
    let topic = Topic::new("keyed", 4).await;
    let options = [
        ("key.format", "json"),
        ("key.fields", "id"),
        ("value.fields-include", "EXCEPT_KEY"),
    ];
    let mut sink = open(&table(&topic.name, schema(), &options), schema(), 0).await;
    sink.write(&batch((0..200).map(|n| (n, "x"))))
        .await
        .unwrap();
    sink.prepare(1).await.unwrap();
    let content = topic.content();
    let mut keys: Vec<_> = content.iter().map(|m| m.key.clone().unwrap()).collect();
    keys.sort();
    let mut expected: Vec<_> = (0..200).map(|n| format!("{{\"id\":{n}}}")).collect();
    expected.sort();
    assert_eq!(keys, expected);
    for message in content {
        assert_eq!(message.value.as_deref(), Some("{\"v\":\"x\"}"));
        let key = message.key.unwrap();
        let partition = (murmur2(key.as_bytes()) & 0x7fff_ffff) % 4;
        assert_eq!(message.partition, partition as i32, "{key}");
    }
}

/// The hash by which Kafka's Java client finds the partition of a key.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes(chunk.try_into().unwrap()).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn partitioners() {
    for (partitioner, expected) in [("fixed", vec![0, 0, 9]), ("round-robin", vec![3, 3, 3])] {
        let topic = Topic::new("partitioner", 3).await;
        let options = [("sink.partitioner", partitioner)];
        let mut sink = open(&table(&topic.name, schema(), &options), schema(), 5).await;
        sink.write(&batch((0..9).map(|n| (n, "x")))).await.unwrap();
        sink.prepare(1).await.unwrap();
        let mut counts = vec![0; 3];
        for message in topic.content() {
            counts[message.partition as usize] += 1;
        }
        assert_eq!(counts, expected, "{partitioner}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn timestamps_and_headers_are_written() {
    let topic = Topic::new("extras", 1).await;
    let mut headers = MapBuilder::new(None, StringBuilder::new(), BinaryBuilder::new());
    headers.keys().append_value("h");
    headers.values().append_value(b"x");
    headers.append(true).unwrap();
    let headers: ArrayRef = Arc::new(headers.finish());
    let time: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1_700_000_000_123]));
    let id: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let schema = Arc::new(Schema::new(vec![
        Field::new("ts", time.data_type().clone(), true),
        Field::new("id", DataType::Int64, true),
        Field::new("hs", headers.data_type().clone(), true),
    ]));
    let mut table = table(&topic.name, schema.clone(), &[]);
    table.metadata.insert("ts".into(), "timestamp".into());
    table.metadata.insert("hs".into(), "headers".into());
    let mut sink = open(&table, schema.clone(), 0).await;
    let rows = RecordBatch::try_new(schema, vec![time, id, headers]).unwrap();
    sink.write(&Batch::inserts(rows)).await.unwrap();
    sink.prepare(1).await.unwrap();
    let expected = Plain {
        partition: 0,
        key: None,
        value: Some("{\"id\":1}".into()),
        timestamp: Some(1_700_000_000_123),
        headers: vec![("h".into(), "x".into())],
    };
    assert_eq!(topic.content(), [expected]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_full_queue_holds_the_writer_and_loses_nothing() {
    let topic = Topic::new("full", 1).await;
    let options = [("properties.queue.buffering.max.messages", "50")];
    let mut sink = open(&table(&topic.name, schema(), &options), schema(), 0).await;
    sink.write(&batch((0..5_000).map(|n| (n, "x"))))
        .await
        .unwrap();
    sink.prepare(1).await.unwrap();
    let values: Vec<_> = topic
        .content()
        .into_iter()
        .map(|m| m.value.unwrap())
        .collect();
    let expected: Vec<_> = (0..5_000)
        .map(|n| format!("{{\"id\":{n},\"v\":\"x\"}}"))
        .collect();
    assert_eq!(values, expected, "in order, too");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn rows_that_cannot_be_delivered_fail_with_the_topic() {
    let topic = Topic::new("large", 1).await;
    let mut sink = open(&table(&topic.name, schema(), &[]), schema(), 0).await;
    let large: &'static str = Box::leak("x".repeat(2 << 20).into_boxed_str());
    let written = sink.write(&batch([(1, large)])).await;
    let error = match written {
        Err(error) => error,
        Ok(()) => tokio::time::timeout(Duration::from_secs(20), sink.prepare(1))
            .await
            .unwrap()
            .unwrap_err(),
    };
    assert!(
        error.message.contains(&format!("topic '{}'", topic.name)),
        "{error}"
    );
    assert!(error.message.contains("too large"), "{error}");
}
