//! The producer of one transactional id, and the markers that say which of its epochs are written.
//!
//! Calls of transactions block; each runs on a thread for blocking work, for a few seconds at most,
//! and is repeated until it is answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use levada_engine::connector::SinkContext;
use levada_engine::failpoint::{Failpoint, Failpoints};
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::{EngineError, Result};
use rdkafka::consumer::{Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::epoch::Epoch;
use super::fault;
use crate::kafka::client::{self, Handle, Monitor, REQUEST_TIMEOUT, ask};
use crate::kafka::config::Config;
use crate::kafka::sink::{Producer, WAIT, producer, refused_error};

/// The partition of the sink's topic whose offset, in a group of its own, is the marker.
const PARTITION: i32 = 0;

/// Writes the transactions of one transactional id.
///
/// There is one such producer in the world: opening another fences this one.
pub(super) struct Writer {
    id: String,
    config: Arc<Config>,
    metrics: Arc<SubtaskMetrics>,
    failpoints: Failpoints,
    producer: Handle<Producer>,
    markers: HashMap<Line, Marker>,
    /// Tells threads that still send rows that nobody waits for them.
    abandoned: Arc<AtomicBool>,
}

/// Epochs that follow each other: a lineage, and the topic that it is written to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Line {
    pub lineage: String,
    pub topic: String,
}

/// The last epoch of a line that is written, as a committed offset says it.
struct Marker {
    group: Arc<ConsumerGroupMetadata>,
    checkpoint: Option<u64>,
    /// When it was written, if that was here.
    written: Option<Instant>,
}

impl Writer {
    /// Takes over the transactional id: whoever had it is fenced, and what they left open is
    /// aborted or, if its commit had begun, committed.
    pub(super) async fn open(
        id: &str,
        config: &Arc<Config>,
        context: &SinkContext,
    ) -> Result<Self> {
        let metrics = &context.metrics;
        let writer = Self {
            id: id.to_string(),
            config: Arc::clone(config),
            metrics: Arc::clone(metrics),
            failpoints: context.failpoints.clone(),
            producer: producer(config, &config.properties.transactional(id), metrics)?,
            markers: HashMap::new(),
            abandoned: Arc::default(),
        };
        writer
            .call(|producer| producer.init_transactions(REQUEST_TIMEOUT))
            .await?;
        Ok(writer)
    }

    /// The transactional id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn producer(&self) -> &Arc<Producer> {
        &self.producer
    }

    /// The consumer group whose offset marks the epochs of a lineage.
    pub(super) fn group(&self, lineage: &str) -> String {
        format!("{}-{lineage}", self.id)
    }

    /// The checkpoint of the last epoch that is written; `None` if the brokers know none.
    pub(super) async fn marker(&mut self, line: &Line) -> Result<Option<u64>> {
        self.find_marker(line).await.map(|marker| marker.checkpoint)
    }

    /// When the marker was written, if that was here.
    pub(super) fn marked(&self, line: &Line) -> Option<Instant> {
        self.markers.get(line).and_then(|marker| marker.written)
    }

    async fn find_marker(&mut self, line: &Line) -> Result<&mut Marker> {
        if !self.markers.contains_key(line) {
            let marker = self.read_marker(line).await?;
            self.markers.insert(line.clone(), marker);
        }
        self.markers
            .get_mut(line)
            .ok_or_else(|| EngineError::internal("a marker is not where it was put"))
    }

    /// Asks the brokers. As the id was taken over before, no transaction is open that could still
    /// move the marker.
    async fn read_marker(&self, line: &Line) -> Result<Marker> {
        let properties = &self.config.properties;
        let monitor = Monitor::new(
            &self.config.table,
            properties.servers(),
            Arc::clone(&self.metrics),
        );
        let settings = properties.offsets_of(&self.group(&line.lineage));
        let consumer = client::consumer(&settings, monitor)?;
        let topic = line.topic.clone();
        let (offset, group) = ask(&consumer, move |consumer| {
            let group = consumer.group_metadata();
            let mut list = TopicPartitionList::with_capacity(1);
            list.add_partition(&topic, PARTITION);
            let committed = consumer.committed_offsets(list, REQUEST_TIMEOUT)?;
            let elements = committed.elements();
            let Some(element) = elements.first() else {
                return Ok((Offset::Invalid, group));
            };
            element.error()?;
            Ok((element.offset(), group))
        })
        .await?;
        // Its threads are waited for.
        let _ = tokio::task::spawn_blocking(move || drop(consumer)).await;
        Ok(Marker {
            group: group
                .map(Arc::new)
                .ok_or_else(|| EngineError::internal("a consumer without a group"))?,
            checkpoint: match offset {
                Offset::Offset(offset) => u64::try_from(offset).ok(),
                _ => None,
            },
            written: None,
        })
    }

    /// Writes epochs in one transaction, and the marker that they are written up to `checkpoint`.
    /// Without epochs it writes the marker alone.
    pub(super) async fn write(
        &mut self,
        line: &Line,
        epochs: Vec<Arc<Epoch>>,
        checkpoint: u64,
    ) -> Result<()> {
        let group = Arc::clone(&self.find_marker(line).await?.group);
        let began = Instant::now();
        if let Err(error) = self.transaction(line, group, epochs, checkpoint).await {
            return Err(self.explained(error, began).await);
        }
        let marker = self.find_marker(line).await?;
        marker.checkpoint = Some(checkpoint);
        marker.written = Some(began);
        Ok(())
    }

    async fn transaction(
        &self,
        line: &Line,
        group: Arc<ConsumerGroupMetadata>,
        epochs: Vec<Arc<Epoch>>,
        checkpoint: u64,
    ) -> Result<()> {
        self.call(|producer| producer.begin_transaction()).await?;
        let has_rows = !epochs.is_empty();
        let pass = |point| {
            if has_rows {
                self.failpoints.pass(point);
            }
        };
        for epoch in epochs {
            self.send(epoch).await?;
        }
        self.producer.context().delivered().await?;
        pass(Failpoint::SinkCommitRows);
        let marker = marker(line, checkpoint)?;
        self.call(move |producer| {
            producer.send_offsets_to_transaction(&marker, &group, REQUEST_TIMEOUT)
        })
        .await?;
        pass(Failpoint::SinkCommitMarked);
        self.call(|producer| producer.commit_transaction(REQUEST_TIMEOUT))
            .await
    }

    /// Makes a call of transactions until it is answered.
    async fn call(
        &self,
        call: impl Fn(&Producer) -> KafkaResult<()> + Clone + Send + 'static,
    ) -> Result<()> {
        let id = self.id.clone();
        ask(&self.producer, move |producer: &Producer| {
            call(producer).map_err(|error| fault::sort(error, &id))
        })
        .await
    }

    /// Hands the rows of an epoch to librdkafka.
    async fn send(&self, epoch: Arc<Epoch>) -> Result<()> {
        let producer = Arc::clone(&self.producer);
        let abandoned = Arc::clone(&self.abandoned);
        tokio::task::spawn_blocking(move || send_rows(&producer, &epoch, &abandoned))
            .await
            .map_err(|e| EngineError::internal(format!("writing an epoch: {e}")))?
    }

    /// The cause of a failed transaction, which is aborted if it is this writer's still.
    async fn explained(&self, error: EngineError, began: Instant) -> EngineError {
        let fatal = self.producer.client().fatal_error();
        let Some((code, reason)) = fatal else {
            let producer = Arc::clone(&self.producer);
            // One that cannot be aborted now is when the next writer takes the id over.
            let aborted =
                tokio::task::spawn_blocking(move || producer.abort_transaction(REQUEST_TIMEOUT));
            if let Ok(Err(failed)) = aborted.await {
                tracing::debug!(
                    table = self.config.table,
                    "a transaction was not aborted: {failed}"
                );
            }
            return error;
        };
        let timeout = self.config.properties.transaction_timeout();
        match fault::is_fenced(code) {
            true if began.elapsed() >= timeout => fault::too_slow(&self.id, timeout),
            true => fault::taken_over(&self.id),
            false => error.with_detail(reason),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::Release);
    }
}

fn marker(line: &Line, checkpoint: u64) -> Result<Arc<TopicPartitionList>> {
    let unnatural = || EngineError::internal(format!("{checkpoint} is no number of a checkpoint"));
    let offset = i64::try_from(checkpoint).map_err(|_| unnatural())?;
    let mut list = TopicPartitionList::with_capacity(1);
    let mut element = list.add_partition(&line.topic, PARTITION);
    element
        .set_offset(Offset::Offset(offset))
        .map_err(|_| unnatural())?;
    // For people who look at the group.
    element.set_metadata(format!("{}:{checkpoint}", line.lineage));
    Ok(Arc::new(list))
}

/// Blocks while librdkafka's queue is full.
fn send_rows(producer: &Producer, epoch: &Epoch, abandoned: &AtomicBool) -> Result<()> {
    let mut rows = epoch.reader();
    while let Some(mut record) = rows.next()? {
        loop {
            producer.context().begin();
            let Err((error, refused)) = producer.send(record) else {
                break;
            };
            producer.context().give_up();
            producer.context().check()?;
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(refused_error(&error, refused.topic));
            }
            if abandoned.load(Ordering::Acquire) {
                return Err(EngineError::cancelled());
            }
            record = refused;
            std::thread::sleep(WAIT);
        }
    }
    Ok(())
}
