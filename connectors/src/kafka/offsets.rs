//! Where reading begins and ends.

use std::collections::{BTreeMap, HashMap};

use levada_engine::{EngineError, Result};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::{Consumer, REQUEST_TIMEOUT};
use super::properties::Reset;
use crate::options::Options;

/// `scan.startup.mode`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    GroupOffsets,
    Earliest,
    Latest,
    Timestamp(i64),
    Specific(BTreeMap<i32, i64>),
}

/// `scan.bounded.mode`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bound {
    Unbounded,
    Latest,
    GroupOffsets,
    Timestamp(i64),
    Specific(BTreeMap<i32, i64>),
}

#[derive(Clone, Copy)]
enum Mode {
    Group,
    Earliest,
    Latest,
    Timestamp,
    Specific,
    Unbounded,
}

impl Start {
    pub(super) fn parse(options: &mut Options) -> Result<Self> {
        let mode = options.choice(
            "scan.startup.mode",
            &[
                ("group-offsets", Mode::Group),
                ("earliest-offset", Mode::Earliest),
                ("latest-offset", Mode::Latest),
                ("timestamp", Mode::Timestamp),
                ("specific-offsets", Mode::Specific),
            ],
        )?;
        let mut details = Details::parse(options, "scan.startup")?;
        let start = match mode.unwrap_or(Mode::Group) {
            Mode::Earliest => Start::Earliest,
            Mode::Latest => Start::Latest,
            Mode::Timestamp => Start::Timestamp(details.timestamp()?),
            Mode::Specific => Start::Specific(details.specific()?),
            Mode::Group | Mode::Unbounded => Start::GroupOffsets,
        };
        details.finish()?;
        Ok(start)
    }
}

impl Bound {
    pub(super) fn parse(options: &mut Options) -> Result<Self> {
        let mode = options.choice(
            "scan.bounded.mode",
            &[
                ("unbounded", Mode::Unbounded),
                ("latest-offset", Mode::Latest),
                ("timestamp", Mode::Timestamp),
                ("group-offsets", Mode::Group),
                ("specific-offsets", Mode::Specific),
            ],
        )?;
        let mut details = Details::parse(options, "scan.bounded")?;
        let bound = match mode.unwrap_or(Mode::Unbounded) {
            Mode::Latest => Bound::Latest,
            Mode::Group => Bound::GroupOffsets,
            Mode::Timestamp => Bound::Timestamp(details.timestamp()?),
            Mode::Specific => Bound::Specific(details.specific()?),
            Mode::Unbounded | Mode::Earliest => Bound::Unbounded,
        };
        details.finish()?;
        Ok(bound)
    }
}

/// The options that belong to one mode each.
struct Details {
    prefix: &'static str,
    timestamp: Option<i64>,
    specific: Option<BTreeMap<i32, i64>>,
}

impl Details {
    fn parse(options: &mut Options, prefix: &'static str) -> Result<Self> {
        let name = format!("{prefix}.timestamp-millis");
        let timestamp = options.parsed(&name, "milliseconds since the epoch")?;
        let name = format!("{prefix}.specific-offsets");
        let specific = match options.text(&name) {
            None => None,
            Some(text) => Some(specific_offsets(&text).ok_or_else(|| {
                options.invalid(
                    &name,
                    "offsets such as 'partition:0,offset:42;partition:1,offset:300'",
                )
            })?),
        };
        Ok(Self {
            prefix,
            timestamp,
            specific,
        })
    }

    fn timestamp(&mut self) -> Result<i64> {
        self.timestamp
            .take()
            .ok_or_else(|| self.missing("timestamp", "timestamp-millis"))
    }

    fn specific(&mut self) -> Result<BTreeMap<i32, i64>> {
        self.specific
            .take()
            .ok_or_else(|| self.missing("specific-offsets", "specific-offsets"))
    }

    fn missing(&self, mode: &str, option: &str) -> EngineError {
        let prefix = self.prefix;
        EngineError::config(format!(
            "'{prefix}.mode' = '{mode}' needs the option '{prefix}.{option}'"
        ))
    }

    /// Refuses an option whose mode was not chosen.
    fn finish(self) -> Result<()> {
        let prefix = self.prefix;
        let leftover = match (self.timestamp, self.specific) {
            (Some(_), _) => ("timestamp-millis", "timestamp"),
            (_, Some(_)) => ("specific-offsets", "specific-offsets"),
            (None, None) => return Ok(()),
        };
        Err(EngineError::config(format!(
            "the option '{prefix}.{}' has no effect without '{prefix}.mode' = '{}'",
            leftover.0, leftover.1
        )))
    }
}

/// Reads `partition:0,offset:42;partition:1,offset:300`.
fn specific_offsets(text: &str) -> Option<BTreeMap<i32, i64>> {
    let mut offsets = BTreeMap::new();
    for pair in text.split(';').filter(|p| !p.trim().is_empty()) {
        let (partition, offset) = pair.split_once(',')?;
        let partition: i32 = partition
            .trim()
            .strip_prefix("partition:")?
            .trim()
            .parse()
            .ok()?;
        let offset: i64 = offset.trim().strip_prefix("offset:")?.trim().parse().ok()?;
        if partition < 0 || offset < 0 || offsets.insert(partition, offset).is_some() {
            return None;
        }
    }
    (!offsets.is_empty()).then_some(offsets)
}

/// What a partition holds, and where its reading begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// The first offset that the broker keeps.
    pub low: i64,
    /// The next offset that will be written.
    pub high: i64,
    pub start: i64,
    /// The first offset that is not read.
    pub end: Option<i64>,
}

/// A partition by topic and number.
pub(super) type Key = (String, i32);

/// A question to the broker that could not be answered.
#[derive(Debug)]
pub(super) enum Failure {
    /// Asking again may help.
    Broker(KafkaError),
    /// It will not.
    Fatal(EngineError),
}

impl From<KafkaError> for Failure {
    fn from(error: KafkaError) -> Self {
        Failure::Broker(error)
    }
}

/// What decides the ranges of partitions that no checkpoint knows.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub start: Start,
    pub bound: Bound,
    pub reset: Option<Reset>,
}

impl Plan {
    /// Asks the brokers; blocks.
    pub(super) fn resolve(
        &self,
        consumer: &Consumer,
        partitions: &[Key],
    ) -> Result<Vec<Range>, Failure> {
        let mut limits = Vec::with_capacity(partitions.len());
        for (topic, partition) in partitions {
            limits.push(consumer.fetch_watermarks(topic, *partition, REQUEST_TIMEOUT)?);
        }
        let committed = match (&self.start, &self.bound) {
            (Start::GroupOffsets, _) | (_, Bound::GroupOffsets) => lookup(partitions, |list| {
                consumer.committed_offsets(list, REQUEST_TIMEOUT)
            })?,
            _ => HashMap::new(),
        };
        let start_times = match self.start {
            Start::Timestamp(ms) => at_time(consumer, partitions, ms)?,
            _ => HashMap::new(),
        };
        let end_times = match self.bound {
            Bound::Timestamp(ms) => at_time(consumer, partitions, ms)?,
            _ => HashMap::new(),
        };
        let ranges = partitions.iter().zip(limits).map(|(key, (low, high))| {
            Ok(Range {
                low,
                high,
                start: self.start_of(key, (low, high), &committed, &start_times)?,
                end: self.end_of(key, high, &committed, &end_times)?,
            })
        });
        ranges.collect()
    }

    fn start_of(
        &self,
        key: &Key,
        (low, high): (i64, i64),
        committed: &HashMap<Key, Offset>,
        times: &HashMap<Key, Offset>,
    ) -> Result<i64, Failure> {
        Ok(match &self.start {
            Start::Earliest => low,
            Start::Latest => high,
            Start::Timestamp(_) => concrete(times.get(key)).unwrap_or(high),
            Start::Specific(offsets) => match offsets.get(&key.1) {
                Some(offset) => *offset,
                // As for partitions that appear later.
                None => low,
            },
            Start::GroupOffsets => match (concrete(committed.get(key)), self.reset) {
                (Some(offset), _) => offset,
                (None, Some(Reset::Earliest)) => low,
                (None, Some(Reset::Latest)) => high,
                (None, None) => return Err(Failure::Fatal(no_group_offset(key))),
            },
        })
    }

    fn end_of(
        &self,
        key: &Key,
        high: i64,
        committed: &HashMap<Key, Offset>,
        times: &HashMap<Key, Offset>,
    ) -> Result<Option<i64>, Failure> {
        Ok(match &self.bound {
            Bound::Unbounded => None,
            Bound::Latest => Some(high),
            Bound::Timestamp(_) => Some(concrete(times.get(key)).unwrap_or(high)),
            Bound::GroupOffsets => match concrete(committed.get(key)) {
                Some(offset) => Some(offset),
                None => return Err(Failure::Fatal(no_group_offset(key))),
            },
            Bound::Specific(offsets) => match offsets.get(&key.1) {
                Some(offset) => Some(*offset),
                None => {
                    return Err(Failure::Fatal(EngineError::config(format!(
                        "the option 'scan.bounded.specific-offsets' does not say where partition {} of topic '{}' ends",
                        key.1, key.0
                    ))));
                }
            },
        })
    }
}

fn no_group_offset((topic, partition): &Key) -> EngineError {
    EngineError::config(format!(
        "the consumer group has no offset for partition {partition} of topic '{topic}'"
    ))
    .with_hint(
        "set 'scan.startup.mode' = 'earliest-offset', or 'properties.auto.offset.reset' = 'earliest' or 'latest'",
    )
}

fn concrete(offset: Option<&Offset>) -> Option<i64> {
    match offset {
        Some(Offset::Offset(offset)) => Some(*offset),
        _ => None,
    }
}

fn at_time(
    consumer: &Consumer,
    partitions: &[Key],
    timestamp_ms: i64,
) -> KafkaResult<HashMap<Key, Offset>> {
    lookup(partitions, |mut list| {
        list.set_all_offsets(Offset::Offset(timestamp_ms))?;
        consumer.offsets_for_times(list, REQUEST_TIMEOUT)
    })
}

fn lookup(
    partitions: &[Key],
    ask: impl FnOnce(TopicPartitionList) -> KafkaResult<TopicPartitionList>,
) -> KafkaResult<HashMap<Key, Offset>> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        list.add_partition(topic, *partition);
    }
    let answer = ask(list)?;
    for element in answer.elements() {
        element.error()?;
    }
    Ok(answer.to_topic_map())
}
