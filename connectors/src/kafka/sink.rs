//! Writing a topic, at least once; [`transaction`] does it exactly once.
//!
//! Rows go to librdkafka's queue, which is bounded; when it is full the subtask waits, and its
//! input with it. A barrier waits until the brokers have acknowledged everything; a row that cannot
//! be delivered fails the job, which then goes on from its last checkpoint.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use levada_engine::connector::{Sink, SinkContext, SinkFactory};
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::graph::WireBytes;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::Clock;
use levada_engine::{EngineError, Result};
use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{Producer as _, ThreadedProducer};

use super::client::{self, Client, Handle, Monitor, Topics, ask, explain};
use super::config::{Config, Guarantee};
use crate::format::Framing;

mod delivery;
mod extras;
mod intake;
mod parts;
mod transaction;

use delivery::Delivery;
use intake::Intake;
use parts::Record;
use transaction::TransactionalSink;

/// How long a full queue, or what was sent, is waited for at a time.
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

/// Creates a producer. Nothing is connected yet.
fn producer(
    config: &Config,
    settings: &ClientConfig,
    metrics: &Arc<SubtaskMetrics>,
) -> Result<Handle<Producer>> {
    let servers = config.properties.servers();
    let monitor = Monitor::new(&config.table, servers, Arc::clone(metrics));
    ThreadedProducer::from_config_and_context(settings, Delivery::new(monitor))
        .map(Handle::new)
        .map_err(|e| EngineError::config(format!("the Kafka producer cannot be made: {e}")))
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
            // Rows replace each other by key; nobody needs to know what they were before.
            _ if self.config.upserts => Ok(ChangelogMode::Upsert),
            _ => Err(EngineError::config(
                "the connector 'kafka' takes inserts only, but the query updates or deletes rows",
            )
            .with_hint("aggregate by windows, which only insert, or write with the connector 'upsert-kafka'")),
        }
    }

    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        let config = &self.config;
        if let Guarantee::ExactlyOnce { prefix } = &config.guarantee {
            let id = transaction::id(prefix, &context.operator, context.index);
            let sink = TransactionalSink::new(Arc::clone(config), &self.topic, id, context)?;
            return Ok(Box::new(sink));
        }
        let intake = Intake::new(config, &context.schema, context.index)?;
        let producer = producer(config, &config.properties.producer(), &context.metrics)?;
        Ok(Box::new(KafkaSink {
            producer,
            topic: self.topic.clone(),
            waits: config.guarantee != Guarantee::None,
            clock: context.clock,
            intake,
        }))
    }
}

struct KafkaSink {
    producer: Handle<Producer>,
    topic: String,
    /// Whether a barrier waits for the brokers.
    waits: bool,
    clock: Arc<dyn Clock>,
    intake: Intake,
}

#[async_trait]
impl Sink for KafkaSink {
    async fn open(&mut self) -> Result<()> {
        let topic = self.topic.clone();
        let partitions = ask(&self.producer, move |producer: &Producer| {
            client::partition_count(producer.client(), &topic)
        })
        .await?;
        self.intake.set_partitions(partitions);
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.check()?;
        let now_ms = self.clock.now_ms();
        match self.intake.take(batch, &self.topic, now_ms)? {
            true => self.send_all().await,
            false => Ok(()),
        }
    }

    async fn idle(&mut self) -> Result<()> {
        match self.intake.is_due(self.clock.now_ms()) {
            true => self.send_all().await,
            false => Ok(()),
        }
    }

    fn takes_rows_twice(&self) -> bool {
        true
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.intake.deadline_ms()
    }

    async fn prepare(&mut self, _checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        if self.intake.holds_back() {
            self.send_all().await?;
        }
        match self.waits {
            true => self.producer.context().delivered().await?,
            false => self.check()?,
        }
        Ok(Vec::new())
    }
}

impl KafkaSink {
    async fn send_all(&mut self) -> Result<()> {
        for record in self.intake.records(&self.topic) {
            send(&self.producer, record?).await?;
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.producer.context().check()
    }
}

/// Hands a record to librdkafka, and waits while its queue is full.
async fn send(producer: &Producer, mut record: Record<'_>) -> Result<()> {
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
