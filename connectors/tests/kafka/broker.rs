//! Topics of the broker, and tables over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use levada_engine::connector::{
    SinkContext, Source, SourceContext, SourceEvent, SplitState, TableDescriptor,
};
use levada_engine::graph::JobId;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::SystemClock;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// The broker's address.
pub fn address() -> String {
    std::env::var("LEVADA_TEST_KAFKA").unwrap_or_else(|_| {
        panic!(
            "this test needs a Kafka broker: LEVADA_TEST_KAFKA=$(tests/support/kafka.sh start) \
             cargo test -- --ignored, or `make test`"
        )
    })
}

/// A message as it is written and read back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plain {
    pub partition: i32,
    pub key: Option<String>,
    pub value: Option<String>,
    pub timestamp: Option<i64>,
    pub headers: Vec<(String, String)>,
}

impl Plain {
    pub fn at(partition: i32, value: impl Into<String>) -> Self {
        Self {
            partition,
            value: Some(value.into()),
            ..Self::default()
        }
    }
}

/// A topic of its own for each test.
pub struct Topic {
    pub name: String,
}

fn config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address());
    config
}

fn admin() -> AdminClient<DefaultClientContext> {
    config().create().unwrap()
}

/// A name that no other test has.
pub fn fresh_name(label: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{label}-{}-{count}", std::process::id())
}

impl Topic {
    pub async fn new(label: &str, partitions: i32) -> Self {
        let topic = Self {
            name: fresh_name(label),
        };
        topic.create(partitions).await;
        topic
    }

    pub async fn create(&self, partitions: i32) {
        let new = NewTopic::new(&self.name, partitions, TopicReplication::Fixed(1));
        let made = admin().create_topics([&new], &AdminOptions::new()).await;
        made.unwrap().remove(0).unwrap();
    }

    pub async fn grow(&self, partitions: usize) {
        let new = NewPartitions::new(&self.name, partitions);
        let grown = admin()
            .create_partitions([&new], &AdminOptions::new())
            .await;
        grown.unwrap().remove(0).unwrap();
    }

    /// Removes the records before `offset`.
    pub async fn cut(&self, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.name, partition, Offset::Offset(offset))
            .unwrap();
        let cut = admin().delete_records(&list, &AdminOptions::new()).await;
        cut.unwrap();
    }

    pub async fn produce(&self, messages: &[Plain]) {
        let producer: FutureProducer = config().create().unwrap();
        let mut sent = Vec::new();
        for message in messages {
            let mut record: FutureRecord<'_, String, String> = FutureRecord::to(&self.name);
            record = record.partition(message.partition);
            record.key = message.key.as_ref();
            record.payload = message.value.as_ref();
            record.timestamp = message.timestamp;
            if !message.headers.is_empty() {
                let mut headers = OwnedHeaders::new();
                for (key, value) in &message.headers {
                    headers = headers.insert(Header {
                        key,
                        value: Some(value),
                    });
                }
                record.headers = Some(headers);
            }
            sent.push(producer.send_result(record).map_err(|e| e.0).unwrap());
        }
        for delivery in sent {
            delivery.await.unwrap().map_err(|e| e.0).unwrap();
        }
    }

    /// `{"a": n}` for each number, in one partition.
    pub async fn produce_numbers(&self, partition: i32, numbers: std::ops::Range<i64>) {
        let messages: Vec<_> = numbers
            .map(|n| Plain::at(partition, format!("{{\"a\":{n}}}")))
            .collect();
        self.produce(&messages).await;
    }

    /// Everything in the topic, by partition and offset.
    pub fn content(&self) -> Vec<Plain> {
        let consumer: BaseConsumer = config()
            .set("group.id", "levada-tests")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let metadata = consumer
            .fetch_metadata(Some(&self.name), Duration::from_secs(10))
            .unwrap();
        let (mut list, mut wanted) = (TopicPartitionList::new(), 0);
        for partition in metadata.topics()[0].partitions() {
            let (low, high) = consumer
                .fetch_watermarks(&self.name, partition.id(), Duration::from_secs(10))
                .unwrap();
            wanted += high - low;
            list.add_partition_offset(&self.name, partition.id(), Offset::Offset(low))
                .unwrap();
        }
        consumer.assign(&list).unwrap();
        let mut found = Vec::new();
        while (found.len() as i64) < wanted {
            let message = consumer.poll(Duration::from_secs(10)).expect("a message");
            let message = message.unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let headers = message.headers().map(|all| {
                let pairs = all.iter();
                let pairs = pairs.map(|h| (h.key.to_string(), text(h.value.unwrap())));
                pairs.collect()
            });
            found.push((
                message.offset(),
                Plain {
                    partition: message.partition(),
                    key: message.key().map(text),
                    value: message.payload().map(text),
                    timestamp: message.timestamp().to_millis(),
                    headers: headers.unwrap_or_default(),
                },
            ));
        }
        found.sort_by_key(|(offset, plain)| (plain.partition, *offset));
        found.into_iter().map(|(_, plain)| plain).collect()
    }
}

/// `a BIGINT`
pub fn numbers() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]))
}

/// A JSON table over `topic`, read from the beginning.
pub fn table(topic: &str, schema: SchemaRef, options: &[(&str, &str)]) -> TableDescriptor {
    let address = address();
    let mut all = vec![
        ("topic", topic),
        ("properties.bootstrap.servers", address.as_str()),
        ("format", "json"),
        ("scan.startup.mode", "earliest-offset"),
    ];
    all.extend_from_slice(options);
    TableDescriptor {
        name: "t".into(),
        connector: "kafka".into(),
        schema: schema.into(),
        metadata: Default::default(),
        primary_key: Vec::new(),
        partitioned_by: Vec::new(),
        // A later entry of a name replaces an earlier one.
        options: all
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect(),
    }
}

pub const TO_LATEST: (&str, &str) = ("scan.bounded.mode", "latest-offset");

pub fn source_context(
    schema: SchemaRef,
    (index, parallelism): (u32, u32),
    restored: Option<Vec<SplitState>>,
) -> SourceContext {
    SourceContext {
        job: JobId("job-1".into()),
        schema,
        index,
        parallelism,
        batch_rows: 100,
        divert_bad: false,
        restored: restored.map(Arc::new),
        clock: Arc::new(SystemClock),
        metrics: Arc::new(SubtaskMetrics::default()),
    }
}

pub fn sink_context(schema: SchemaRef, index: u32) -> SinkContext {
    SinkContext {
        job: JobId("job-1".into()),
        operator: "sink".into(),
        attempt: 0,
        restored: Arc::default(),
        barriers_come: true,
        schema,
        index,
        parallelism: 1,
        clock: Arc::new(SystemClock),
        metrics: Arc::new(SubtaskMetrics::default()),
    }
}

pub fn source(table: &TableDescriptor, context: SourceContext) -> Box<dyn Source> {
    let registry = levada_connectors::registry();
    let factory = registry.of_table(table).unwrap().source(table).unwrap();
    factory.create(context).unwrap()
}

/// The next event, within a time that no broker needs.
pub async fn next(source: &mut dyn Source) -> SourceEvent {
    let event = tokio::time::timeout(Duration::from_secs(20), source.next());
    event.await.expect("nothing came").unwrap()
}

/// The numbers of the next rows, with their split; other events in short.
pub async fn next_short(source: &mut dyn Source) -> (String, Vec<i64>) {
    match next(source).await {
        SourceEvent::Rows { split, batch } => {
            let a = batch.column(0).as_primitive::<Int64Type>();
            (split.to_string(), a.values().to_vec())
        }
        SourceEvent::SplitFinished(split) => (format!("-{split}"), Vec::new()),
        SourceEvent::SplitAdded(split) => (format!("+{split}"), Vec::new()),
        SourceEvent::Bad { rows } => (format!("bad {}", rows.num_rows()), Vec::new()),
        SourceEvent::End => ("end".into(), Vec::new()),
    }
}

/// All numbers up to the end, sorted.
pub async fn all_numbers(source: &mut dyn Source) -> Vec<i64> {
    let mut numbers = Vec::new();
    loop {
        let (what, rows) = next_short(source).await;
        numbers.extend(rows);
        if what == "end" {
            numbers.sort_unstable();
            return numbers;
        }
    }
}
