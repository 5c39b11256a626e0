//! Writing a topic, at least once.
//!
//! Rows go to librdkafka's queue, which is bounded; when it is full the subtask waits, and its
//! input with it. A barrier waits until the brokers have acknowledged everything; a row that cannot
//! be delivered fails the job, which then goes on from its last checkpoint.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use levada_engine::connector::{Sink, SinkContext, SinkFactory};
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};

use super::client::{self, Client, Monitor, Topics, ask, explain};
use super::config::{Config, Guarantee, Partitioner};
use super::metadata::Metadata;
use crate::columns::MetadataKey as _;
use crate::format::{Encoded, Encoder, Framing};

mod delivery;
mod extras;

use delivery::Delivery;
use extras::{ExtraColumns, Extras};

/// How long a full queue or a flush is waited for at a time.
const WAIT: Duration = Duration::from_millis(20);

type Producer = ThreadedProducer<Delivery>;

impl Client for Producer {
    // It has a thread of its own for that.
    fn serve(&self) {}

    fn monitor(&self) -> &Monitor {
        &self.context().monitor
    }
}

/// A table that is written.
#[derive(Debug)]
pub(super) struct Factory {
    config: Arc<Config>,
    topic: String,
}

impl Factory {
    pub(super) fn new(config: Config) -> Result<Self> {
        let topic = match &config.topics {
            Topics::Named(names) => match names.as_slice() {
                [topic] => topic.clone(),
                _ => return Err(one_topic("'topic' names several")),
            },
            Topics::Matching(_) => return Err(one_topic("'topic-pattern' may match several")),
        };
        if config.guarantee == Guarantee::ExactlyOnce {
            return Err(EngineError::config(
                "'sink.delivery-guarantee' = 'exactly-once' is not supported by the connector 'kafka' yet",
            )
            .with_hint("'at-least-once' loses nothing, but may repeat rows after a failure"));
        }
        // A column that a format cannot hold is found here, before anything is written.
        config
            .value
            .encoder(Arc::new(config.value_schema()), Framing::Message)?;
        if let Some(key) = &config.key {
            key.format
                .encoder(Arc::new(config.key_schema()), Framing::Message)?;
        }
        Ok(Self {
            config: Arc::new(config),
            topic,
        })
    }
}

fn one_topic(but: &str) -> EngineError {
    EngineError::config(format!(
        "a table that is written needs one topic, but {but}"
    ))
    .with_hint("declare a table with 'topic' = '…' for writing")
}

impl SinkFactory for Factory {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        match mode {
            ChangelogMode::Append => Ok(mode),
            _ => Err(EngineError::config(
                "the connector 'kafka' takes inserts only, but the query updates or deletes rows",
            )
            .with_hint("aggregate by windows, which only insert, or write to a connector that takes updates")),
        }
    }

    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        let config = &self.config;
        let parts = Parts::new(config, &context.schema)?;
        let monitor = Monitor::new(
            &config.table,
            config.properties.servers(),
            Arc::clone(&context.metrics),
        );
        let producer = ThreadedProducer::from_config_and_context(
            &config.properties.producer(),
            Delivery::new(monitor),
        );
        let producer = producer
            .map_err(|e| EngineError::config(format!("the Kafka producer cannot be made: {e}")))?;
        Ok(Box::new(KafkaSink {
            producer: Arc::new(producer),
            topic: self.topic.clone(),
            guarantee: config.guarantee,
            partitioner: config.partitioner,
            partitions: 1,
            index: context.index,
            row: 0,
            parts,
            outgoing: Outgoing::default(),
        }))
    }
}

/// Which columns go where.
struct Parts {
    value_columns: Vec<usize>,
    value: Box<dyn Encoder>,
    key: Option<KeyPart>,
    extras: ExtraColumns,
}

/// The rows of a batch, ready to be sent.
#[derive(Debug, Default)]
struct Outgoing {
    values: Encoded,
    keys: Option<Encoded>,
    extras: Extras,
}

struct KeyPart {
    columns: Vec<usize>,
    schema: SchemaRef,
    encoder: Box<dyn Encoder>,
}

impl Parts {
    fn new(config: &Config, schema: &SchemaRef) -> Result<Self> {
        let mut value_columns = Vec::new();
        let mut extras = ExtraColumns::default();
        for (index, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            if let Some(metadata) = config.metadata.get(name) {
                check_writable(*metadata, name)?;
                extras.add(*metadata, index, field)?;
            } else if config
                .key
                .as_ref()
                .is_none_or(|key| key.in_value || !key.fields.contains(name))
            {
                value_columns.push(index);
            }
        }
        let value_schema = schema.project(&value_columns)?;
        let key = match &config.key {
            None => None,
            Some(key) => {
                let mut columns = Vec::new();
                let mut fields = Vec::new();
                for name in &key.fields {
                    let (index, field) = schema.fields().find(name).ok_or_else(|| {
                        EngineError::config(format!(
                            "the rows have no column '{name}' ('key.fields')"
                        ))
                    })?;
                    columns.push(index);
                    fields.push(field.as_ref().clone().with_name(key.name_in_key(name)));
                }
                let schema = Arc::new(Schema::new(fields));
                Some(KeyPart {
                    columns,
                    encoder: key.format.encoder(Arc::clone(&schema), Framing::Message)?,
                    schema,
                })
            }
        };
        Ok(Self {
            value: config
                .value
                .encoder(Arc::new(value_schema), Framing::Message)?,
            value_columns,
            key,
            extras,
        })
    }

    fn encode(&mut self, rows: &RecordBatch, out: &mut Outgoing) -> Result<()> {
        out.values.clear();
        let values = rows.project(&self.value_columns)?;
        self.value.encode(&values, &mut out.values)?;
        if let Some(key) = &mut self.key {
            let keys = out.keys.get_or_insert_default();
            keys.clear();
            let columns = rows.project(&key.columns)?.columns().to_vec();
            let rows = RecordBatch::try_new(Arc::clone(&key.schema), columns)?;
            key.encoder.encode(&rows, keys)?;
        }
        out.extras.take(&self.extras, rows)
    }
}

fn check_writable(metadata: Metadata, column: &str) -> Result<()> {
    if metadata.is_writable() {
        return Ok(());
    }
    Err(EngineError::config(format!(
        "the metadata '{}' of column '{column}' cannot be written",
        metadata.key()
    ))
    .with_hint("declare the column VIRTUAL; 'headers' and 'timestamp' can be written"))
}

struct KafkaSink {
    producer: Arc<Producer>,
    topic: String,
    guarantee: Guarantee,
    partitioner: Partitioner,
    /// How many partitions the topic has.
    partitions: i32,
    index: u32,
    /// Rows sent, for those that take turns.
    row: u64,
    parts: Parts,
    outgoing: Outgoing,
}

#[async_trait]
impl Sink for KafkaSink {
    async fn open(&mut self) -> Result<()> {
        let topic = self.topic.clone();
        self.partitions = ask(&self.producer, move |producer: &Producer| {
            client::partition_count(producer.client(), &topic)
        })
        .await?;
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.check()?;
        self.parts.encode(batch.rows(), &mut self.outgoing)?;
        let partitions = u64::try_from(self.partitions.max(1)).unwrap_or(1);
        let outgoing = &self.outgoing;
        let mut keys = outgoing.keys.as_ref().map(Encoded::payloads);
        for (row, payload) in outgoing.values.payloads().enumerate() {
            let key = keys.as_mut().and_then(|keys| keys.next().flatten());
            let partition = match self.partitioner {
                Partitioner::Default => None,
                Partitioner::Fixed => Some(u64::from(self.index) % partitions),
                Partitioner::RoundRobin => Some((self.row + u64::from(self.index)) % partitions),
            };
            self.row += 1;
            let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.topic);
            record.payload = payload;
            record.key = key;
            record.partition = partition.and_then(|p| i32::try_from(p).ok());
            record.timestamp = outgoing.extras.timestamp(row)?;
            record.headers = outgoing.extras.headers(row);
            send(&self.producer, record).await?;
        }
        Ok(())
    }

    async fn prepare(&mut self, _checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        if self.guarantee != Guarantee::None {
            while self.producer.context().in_flight() > 0 {
                self.check()?;
                // Has librdkafka send what it would still wait with.
                let _ = self.producer.flush(WAIT);
                tokio::task::yield_now().await;
            }
        }
        self.check()?;
        Ok(Vec::new())
    }
}

impl KafkaSink {
    fn check(&self) -> Result<()> {
        self.producer.context().check()
    }
}

/// Hands a record to librdkafka, and waits while its queue is full.
async fn send(producer: &Producer, mut record: BaseRecord<'_, [u8], [u8]>) -> Result<()> {
    loop {
        producer.context().begin();
        let Err((error, refused)) = producer.send(record) else {
            return Ok(());
        };
        producer.context().give_up();
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
            return Err(refused_error(&error, refused.topic));
        }
        record = refused;
        producer.context().room(WAIT).await;
        producer.context().check()?;
    }
}

fn refused_error(error: &KafkaError, topic: &str) -> EngineError {
    let message = format!("topic '{topic}': a row cannot be sent: {}", explain(error));
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => EngineError::config(message)
            .with_hint("raise 'properties.max.request.size', and the topic's max.message.bytes"),
        Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownPartition) => {
            EngineError::config(message)
        }
        _ => EngineError::connector(message),
    }
}
