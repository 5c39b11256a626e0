//! One partition: its queue of fetched messages, and what has been read from it.

use std::sync::Arc;
use std::time::Duration;

use levada_engine::connector::SourceEvent;
use levada_engine::{EngineError, Result};
use rdkafka::consumer::Consumer as _;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::super::client::{Consumer, Monitor, REQUEST_TIMEOUT, explain};
use super::super::gather::Gather;
use super::super::offsets::Key;
use super::position::Position;
use crate::format::bad_rows;

/// A batch is closed when it holds so many bytes.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// The name of a partition's split.
pub(super) fn split((topic, partition): &Key) -> String {
    format!("{topic}-{partition}")
}

/// A partition that is being read.
pub(super) struct Partition {
    pub key: Key,
    pub split: Arc<str>,
    /// Behind everything that was handed out.
    pub position: Position,
    pub paused: bool,
    /// Everything has been read, though perhaps not handed out.
    pub done: bool,
    /// Behind everything that was read.
    read_to: i64,
    /// The end of the log when it was last looked at.
    high: i64,
    queue: PartitionQueue<Monitor>,
    gather: Gather,
}

/// What a look into the queue gave.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Events, and where the partition stands behind each.
    pub events: Vec<(SourceEvent, Key, Position)>,
    /// What to fail with behind them.
    pub failure: Option<EngineError>,
    /// Rows left out because an option says so.
    pub ignored: u64,
}

/// Why reading stopped.
enum Stop {
    Dry,
    Full,
    End,
    Failed(EngineError),
}

impl Partition {
    pub(super) fn new(
        key: Key,
        position: Position,
        high: i64,
        queue: PartitionQueue<Monitor>,
        gather: Gather,
    ) -> Self {
        Self {
            split: split(&key).into(),
            key,
            done: position.finished,
            read_to: position.offset,
            position,
            paused: false,
            high,
            queue,
            gather,
        }
    }

    /// Reads what has been fetched, at most a batch.
    pub(super) fn read(&mut self, consumer: &Consumer, batch_rows: usize) -> Result<Taken> {
        let before = self.read_to;
        let stop = self.poll(consumer, batch_rows);
        let mut taken = match self.read_to == before {
            true => Taken::default(),
            false => self.take()?,
        };
        match stop {
            Stop::Dry | Stop::Full => {}
            Stop::Failed(error) => taken.failure = Some(error),
            Stop::End => {
                self.done = true;
                self.stop_fetching(consumer);
                let position = Position {
                    offset: self.read_to,
                    bad_until: 0,
                    finished: true,
                    ..self.position
                };
                let finished = SourceEvent::SplitFinished(Arc::clone(&self.split));
                taken.events.push((finished, self.key.clone(), position));
            }
        }
        Ok(taken)
    }

    fn poll(&mut self, consumer: &Consumer, batch_rows: usize) -> Stop {
        let end = self.position.end.unwrap_or(i64::MAX);
        // Messages that bring no row count too, so that barriers do not have to wait for rows.
        let mut messages = 0;
        loop {
            if self.read_to >= end {
                return Stop::End;
            }
            let is_full = self.gather.rows() >= batch_rows
                || messages >= batch_rows
                || self.gather.buffered_bytes() >= MAX_BATCH_BYTES;
            if is_full {
                return Stop::Full;
            }
            match self.queue.poll(Duration::ZERO) {
                None => return Stop::Dry,
                Some(Ok(message)) => {
                    messages += 1;
                    let offset = message.offset();
                    if offset >= end {
                        return Stop::End;
                    }
                    if let Err(error) = self.gather.add(&message) {
                        return Stop::Failed(error.at(&self.place()));
                    }
                    self.read_to = offset + 1;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    if self.has_reached_end(consumer) {
                        return Stop::End;
                    }
                }
                Some(Err(error)) => {
                    if let Some(error) = self.failure(&error) {
                        return Stop::Failed(error);
                    }
                }
            }
        }
    }

    /// At the end of the log: whether that is the end of reading. The last offsets may belong to
    /// messages that nobody sees (marks of transactions, compaction), so counting is not enough.
    fn has_reached_end(&mut self, consumer: &Consumer) -> bool {
        let Some(end) = self.position.end else {
            return false;
        };
        if end > self.high {
            let (topic, partition) = &self.key;
            if let Ok((_, high)) = consumer.fetch_watermarks(topic, *partition, REQUEST_TIMEOUT) {
                self.high = high;
            }
        }
        end <= self.high
    }

    /// Errors that librdkafka does not get over by itself.
    fn failure(&self, error: &KafkaError) -> Option<EngineError> {
        use RDKafkaErrorCode as Code;
        let failed = |error: EngineError| Some(error.at(&self.place()));
        match error.rdkafka_error_code() {
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => failed(
                EngineError::config(format!(
                    "offset {} is no longer on the broker",
                    self.read_to
                ))
                .with_hint(
                    "the topic's retention is shorter than the time that the job needs; 'properties.auto.offset.reset' = 'earliest' goes on without the lost rows at the next start",
                ),
            ),
            Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
                failed(EngineError::config("the topic or partition is gone"))
            }
            Some(Code::TopicAuthorizationFailed) => {
                failed(EngineError::config("this user may not read the topic"))
            }
            _ => match error {
                KafkaError::MessageConsumptionFatal(_) => {
                    failed(EngineError::connector(explain(error)))
                }
                _ => {
                    tracing::warn!("{}: {}", self.place(), explain(error));
                    None
                }
            },
        }
    }

    fn place(&self) -> String {
        format!("topic '{}', partition {}", self.key.0, self.key.1)
    }

    /// Turns what was gathered into events.
    fn take(&mut self) -> Result<Taken> {
        let mut gathered = self.gather.take().map_err(|e| e.at(&self.place()))?;
        let done_before = u64::try_from(self.position.bad_until).unwrap_or_default();
        gathered
            .bad
            .retain(|row| row.position.offset >= done_before);
        let after = Position {
            offset: self.read_to,
            bad_until: 0,
            ..self.position
        };
        let mut events = Vec::new();
        if !gathered.bad.is_empty() {
            let bad = bad_rows(&gathered.bad, |position| {
                format!("{}, offset {}", self.place(), position.offset)
            })?;
            // Bad rows go first: until the others are out too, the position remembers them.
            let position = match gathered.rows.num_rows() {
                0 => after,
                _ => Position {
                    bad_until: self.read_to,
                    ..self.position
                },
            };
            events.push((SourceEvent::Bad { rows: bad }, self.key.clone(), position));
        }
        if gathered.rows.num_rows() > 0 {
            let rows = SourceEvent::Rows {
                split: Arc::clone(&self.split),
                batch: gathered.rows,
            };
            events.push((rows, self.key.clone(), after));
        }
        if events.is_empty() {
            // Nothing will be handed out for these messages.
            self.position = after;
        }
        Ok(Taken {
            events,
            failure: None,
            ignored: gathered.ignored,
        })
    }

    fn stop_fetching(&self, consumer: &Consumer) {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.key.0, self.key.1);
        if let Err(error) = consumer.pause(&list) {
            tracing::debug!("{}: {}", self.place(), explain(&error));
        }
    }
}
