//! Topics of the broker, and tables over them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
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
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, FutureProducer, FutureRecord, Producer};
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
    /// The broker that has it.
    pub servers: String,
}

fn config(servers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers);
    config
}

fn admin(servers: &str) -> AdminClient<DefaultClientContext> {
    config(servers).create().unwrap()
}

/// A broker that a test has for itself, to stop and start it.
pub struct Broker {
    folder: tempfile::TempDir,
}

impl Broker {
    /// Starts it; gives its address too.
    pub fn start() -> (Self, String) {
        let broker = Broker {
            folder: tempfile::tempdir().unwrap(),
        };
        let address = broker.run("start");
        (broker, address)
    }

    /// Runs `kafka.sh`: `start` after `kill` goes on with the same port and data.
    pub fn run(&self, command: &str) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/support/kafka.sh");
        let folder = self.folder.path().join("kafka");
        // On a busy machine it may take longer to start than the script waits.
        for _ in 0..3 {
            let mut kafka = Command::new(&script);
            let output = kafka.arg(command).arg("--dir").arg(&folder).output();
            let output = output.unwrap();
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap().trim().to_string();
            }
            eprint!("{}", String::from_utf8_lossy(&output.stderr));
        }
        panic!("kafka.sh {command} failed")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.run("kill");
    }
}

/// A name that no other test has.
pub fn fresh_name(label: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{label}-{}-{count}", std::process::id())
}

impl Topic {
    pub async fn new(label: &str, partitions: i32) -> Self {
        Self::at(&address(), label, partitions).await
    }

    pub async fn at(servers: &str, label: &str, partitions: i32) -> Self {
        let topic = Self {
            name: fresh_name(label),
            servers: servers.to_string(),
        };
        topic.create(partitions).await;
        topic
    }

    pub async fn create(&self, partitions: i32) {
        let new = NewTopic::new(&self.name, partitions, TopicReplication::Fixed(1));
        let made = admin(&self.servers)
            .create_topics([&new], &AdminOptions::new())
            .await;
        made.unwrap().remove(0).unwrap();
    }

    pub async fn grow(&self, partitions: usize) {
        let new = NewPartitions::new(&self.name, partitions);
        let grown = admin(&self.servers)
            .create_partitions([&new], &AdminOptions::new())
            .await;
        grown.unwrap().remove(0).unwrap();
    }

    /// Removes the records before `offset`.
    pub async fn cut(&self, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.name, partition, Offset::Offset(offset))
            .unwrap();
        let cut = admin(&self.servers)
            .delete_records(&list, &AdminOptions::new())
            .await;
        cut.unwrap();
    }

    pub async fn produce(&self, messages: &[Plain]) {
        let producer: FutureProducer = config(&self.servers).create().unwrap();
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

    /// Everything in the topic that belongs to no open or aborted transaction, by partition and
    /// offset.
    pub fn content(&self) -> Vec<Plain> {
        self.read("read_committed")
    }

    /// Everything in the topic, by partition and offset.
    pub fn uncommitted_content(&self) -> Vec<Plain> {
        self.read("read_uncommitted")
    }

    fn read(&self, isolation: &str) -> Vec<Plain> {
        let consumer: BaseConsumer = config(&self.servers)
            .set("group.id", "levada-tests")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", isolation)
            .create()
            .unwrap();
        let metadata = consumer
            .fetch_metadata(Some(&self.name), Duration::from_secs(10))
            .unwrap();
        let partitions = metadata.topics()[0].partitions();
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition_offset(&self.name, partition.id(), Offset::Beginning)
                .unwrap();
        }
        consumer.assign(&list).unwrap();
        let mut found = Vec::new();
        let mut ended = BTreeSet::new();
        while ended.len() < partitions.len() {
            let message = consumer.poll(Duration::from_secs(10)).expect("a message");
            match message {
                Ok(message) => found.push((message.offset(), plain(&message))),
                Err(KafkaError::PartitionEOF(partition)) => {
                    ended.insert(partition);
                }
                Err(error) => panic!("{error}"),
            }
        }
        found.sort_by_key(|(offset, plain)| (plain.partition, *offset));
        found.into_iter().map(|(_, plain)| plain).collect()
    }
}

fn plain(message: &BorrowedMessage<'_>) -> Plain {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let headers = message.headers().map(|all| {
        let pairs = all.iter();
        let pairs = pairs.map(|h| (h.key.to_string(), text(h.value.unwrap())));
        pairs.collect()
    });
    Plain {
        partition: message.partition(),
        key: message.key().map(text),
        value: message.payload().map(text),
        timestamp: message.timestamp().to_millis(),
        headers: headers.unwrap_or_default(),
    }
}

/// The offset that a consumer group has for partition 0 of a topic, and the text beside it.
pub fn group_offset(group: &str, topic: &str) -> Option<(i64, String)> {
    let consumer: BaseConsumer = config(&address()).set("group.id", group).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, 0);
    let list = consumer
        .committed_offsets(list, Duration::from_secs(10))
        .unwrap();
    let element = &list.elements()[0];
    match element.offset() {
        Offset::Offset(offset) => Some((offset, element.metadata().to_string())),
        _ => None,
    }
}

/// Commits an offset for partition 0 of a topic, as a person would.
pub fn set_group_offset(group: &str, topic: &str, offset: i64) {
    let address = address();
    let consumer: BaseConsumer = config(&address).set("group.id", group).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset))
        .unwrap();
    consumer.commit(&list, CommitMode::Sync).unwrap();
}

/// The consumer groups whose names begin with `prefix`.
pub fn groups(prefix: &str) -> Vec<String> {
    let consumer: BaseConsumer = config(&address()).create().unwrap();
    let list = consumer.fetch_group_list(None, Duration::from_secs(10));
    let list = list.unwrap();
    let names = list.groups().iter().map(|g| g.name().to_string());
    names.filter(|name| name.starts_with(prefix)).collect()
}

pub async fn delete_group(group: &str) {
    let deleted = admin(&address())
        .delete_groups(&[group], &AdminOptions::new())
        .await;
    deleted.unwrap().remove(0).unwrap();
}

/// Begins a transaction, writes a record and goes away without a word.
pub fn leave_transaction_open(id: &str, topic: &str) {
    let producer: BaseProducer = config(&address())
        .set("transactional.id", id)
        .create()
        .unwrap();
    let timeout = Duration::from_secs(10);
    producer.init_transactions(timeout).unwrap();
    producer.begin_transaction().unwrap();
    let record: BaseRecord<'_, (), str> = BaseRecord::to(topic).payload("left open");
    producer.send(record).map_err(|e| e.0).unwrap();
    producer.flush(timeout).unwrap();
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
        failpoints: Default::default(),
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
