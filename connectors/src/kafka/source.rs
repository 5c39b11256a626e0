//! Reading topics.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use levada_engine::connector::{
    Boundedness, Source, SourceContext, SourceEvent, SourceFactory, SplitState,
};
use levada_engine::element::ChangelogMode;
use levada_engine::{EngineError, Result};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::client::{self, Consumer, Handle, Monitor, ask, explain};
use super::config::{Config, needs_group};
use super::gather::Gather;
use super::metadata::Metadata;
use super::offsets::{Bound, Failure, Key, Plan, Range, Start};
use super::properties::Reset;
use crate::columns::{Layout, Origin};
use crate::format::OnBadRow;
use crate::hash;

mod partition;
mod position;

use partition::{Partition, Taken};
use position::Position;

/// How often librdkafka's log is served while nothing comes.
const SERVE_INTERVAL: Duration = Duration::from_millis(500);

/// So many checkpoints may be under way, or have been given up since the last complete one.
const MAX_CHECKPOINTS: usize = 16;

/// A table that is read.
#[derive(Debug)]
pub(super) struct Factory {
    config: Arc<Config>,
}

impl Factory {
    pub(super) fn new(config: Config) -> Result<Self> {
        if config.start == Start::GroupOffsets && config.properties.group_id.is_none() {
            return Err(needs_group("scan.startup"));
        }
        Ok(Self {
            config: Arc::new(config),
        })
    }
}

impl SourceFactory for Factory {
    fn boundedness(&self) -> Boundedness {
        match self.config.bound {
            Bound::Unbounded => Boundedness::Unbounded,
            _ => Boundedness::Bounded,
        }
    }

    fn mode(&self) -> ChangelogMode {
        match self.config.upserts {
            true => ChangelogMode::Upsert,
            false => ChangelogMode::Append,
        }
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let config = Arc::clone(&self.config);
        let layout = layout(&config, &context.schema)?;
        let mut client = config
            .properties
            .consumer(&format!("levada-{}", context.job));
        if config.bound != Bound::Unbounded {
            client.set("enable.partition.eof", "true");
        }
        let monitor = Monitor::new(
            &config.table,
            config.properties.servers(),
            Arc::clone(&context.metrics),
        );
        let source = KafkaSource {
            consumer: client::consumer(&client, monitor)?,
            layout: Arc::new(layout),
            config,
            context,
            partitions: Vec::new(),
            events: VecDeque::new(),
            failure: None,
            arrival: Arc::new(Notify::new()),
            discovery: None,
            next_discovery: None,
            checkpoints: VecDeque::new(),
        };
        // A column that the format cannot hold is found here, before anything is read.
        source.gather()?;
        Ok(Box::new(source))
    }
}

struct KafkaSource {
    config: Arc<Config>,
    context: SourceContext,
    layout: Arc<Layout<Metadata>>,
    /// The partitions of this subtask; the next to be read is first.
    partitions: Vec<Partition>,
    /// What to hand out next, and where its partition stands afterwards.
    events: VecDeque<(SourceEvent, Key, Position)>,
    /// What to fail with when the events before it are out.
    failure: Option<EngineError>,
    /// Rings when a partition's queue is no longer empty.
    arrival: Arc<Notify>,
    discovery: Option<JoinHandle<Result<Vec<(Key, Range)>, Failure>>>,
    next_discovery: Option<Instant>,
    /// Where the last checkpoints stand, oldest first, until they are complete.
    checkpoints: VecDeque<(u64, Vec<(Key, i64)>)>,
    // Behind everything that has a part in it, so that it is the last to go.
    consumer: Handle<Consumer>,
}

#[async_trait]
impl Source for KafkaSource {
    async fn open(&mut self) -> Result<Vec<String>> {
        let mut restored = HashMap::new();
        for state in self.context.restored.iter().flat_map(|all| all.iter()) {
            restored.insert(Position::key(&state.split)?, Position::decode(state)?);
        }
        let topics = self.config.topics.clone();
        let found = ask(&self.consumer, move |consumer| {
            topics.partitions(consumer.client())
        })
        .await?;
        let place = (self.context.index, self.context.parallelism);
        let mine = found.into_iter().filter(|key| is_mine(key, place));
        let (known, fresh): (Vec<Key>, Vec<Key>) = mine.partition(|key| restored.contains_key(key));
        // A partition that a checkpoint does not know has come since, and is read from its beginning.
        let first_start = self.context.restored.is_none();
        let plan = match first_start {
            true => self.plan(self.config.start.clone()),
            false => self.plan(Start::Earliest),
        };
        let consumer = Arc::clone(&self.consumer);
        let fresh = resolve(&consumer, fresh, plan).await?;
        let kept = Plan {
            start: Start::Earliest,
            bound: Bound::Unbounded,
            reset: None,
        };
        let known = resolve(&consumer, known, kept).await?;
        let mut positions: Vec<_> = fresh.into_iter().map(begin).collect();
        positions.extend(self.check_restored(known, &restored)?);
        positions.sort_by(|a, b| a.0.cmp(&b.0));
        self.assign(positions)?;
        self.schedule_discovery();
        let unfinished = self.partitions.iter().filter(|p| !p.position.finished);
        Ok(unfinished.map(|p| p.split.to_string()).collect())
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        loop {
            if let Some((event, key, position)) = self.events.pop_front() {
                if let Some(partition) = self.partitions.iter_mut().find(|p| p.key == key) {
                    partition.position = position;
                }
                return Ok(event);
            }
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            self.serve()?;
            self.discover().await?;
            if self.read()? {
                self.consumer.client().context().recovered();
                continue;
            }
            let ended = self.config.bound != Bound::Unbounded
                && self.partitions.iter().all(|p| p.position.finished);
            if ended {
                return Ok(SourceEvent::End);
            }
            self.wait().await;
        }
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        let states = self.partitions.iter();
        states.map(|p| p.position.encode(&p.split)).collect()
    }

    fn checkpoint(&mut self, checkpoint_id: u64) -> Result<Vec<SplitState>> {
        if self.config.properties.group_id.is_some() {
            let offsets = self.partitions.iter();
            let offsets = offsets.map(|p| (p.key.clone(), p.position.offset));
            self.checkpoints
                .push_back((checkpoint_id, offsets.collect()));
            // Those that were given up are not heard of again.
            while self.checkpoints.len() > MAX_CHECKPOINTS {
                self.checkpoints.pop_front();
            }
        }
        self.positions()
    }

    fn set_paused(&mut self, split: &str, paused: bool) {
        // What was fetched stays in the partition's queue, which is bounded.
        for partition in &mut self.partitions {
            if partition.split.as_ref() == split {
                partition.paused = paused;
            }
        }
    }

    async fn checkpoint_complete(&mut self, checkpoint_id: u64) -> Result<()> {
        let mut list = TopicPartitionList::new();
        while let Some((id, offsets)) = self.checkpoints.front() {
            if *id > checkpoint_id {
                break;
            }
            for ((topic, partition), offset) in offsets {
                if *id == checkpoint_id {
                    // An offset that cannot be noted is not worth a failure: the checkpoint has it.
                    let _ = list.add_partition_offset(topic, *partition, Offset::Offset(*offset));
                }
            }
            self.checkpoints.pop_front();
        }
        if list.count() > 0
            && let Err(error) = self.consumer.commit(&list, CommitMode::Async)
        {
            tracing::warn!(
                table = self.config.table,
                "the consumer group's offsets were not committed: {}",
                explain(&error)
            );
        }
        Ok(())
    }
}

impl KafkaSource {
    fn plan(&self, start: Start) -> Plan {
        Plan {
            start,
            bound: self.config.bound.clone(),
            reset: self.config.properties.reset,
        }
    }

    fn gather(&self) -> Result<Gather> {
        let on_bad_row = match self.context.divert_bad {
            true => OnBadRow::Divert,
            false => OnBadRow::Fail,
        };
        Gather::new(&self.config, Arc::clone(&self.layout), on_bad_row)
    }

    /// The positions of a checkpoint, if the broker still has what they point at.
    fn check_restored(
        &self,
        ranges: Vec<(Key, Range)>,
        restored: &HashMap<Key, Position>,
    ) -> Result<Vec<(Key, Position, i64)>> {
        let mut positions = Vec::with_capacity(ranges.len());
        for (key, range) in ranges {
            let mut position = restored.get(&key).copied().unwrap_or_default();
            if !position.finished && !(range.low..=range.high).contains(&position.offset) {
                position.offset = self.reset(&key, position.offset, range)?;
            }
            positions.push((key, position, range.high));
        }
        Ok(positions)
    }

    fn reset(&self, (topic, partition): &Key, offset: i64, range: Range) -> Result<i64> {
        let lost = format!(
            "offset {offset} of topic '{topic}', partition {partition} is not on the broker, which has {} to {}",
            range.low, range.high
        );
        let to = match self.config.properties.reset {
            Some(Reset::Earliest) => range.low,
            Some(Reset::Latest) => range.high,
            None => {
                return Err(EngineError::config(lost).with_hint(
                    "the rows between are lost; 'properties.auto.offset.reset' = 'earliest' goes on without them",
                ));
            }
        };
        tracing::warn!(table = self.config.table, "{lost}; going on at {to}");
        Ok(to)
    }

    /// Takes partitions and starts fetching.
    fn assign(&mut self, positions: Vec<(Key, Position, i64)>) -> Result<()> {
        let mut list = TopicPartitionList::with_capacity(positions.len());
        for (key, position, high) in positions {
            let gather = self.gather()?;
            // Its queue is split off before anything can be fetched into the common one.
            let queue = self.consumer.split_partition_queue(&key.0, key.1);
            let mut queue = queue.ok_or_else(|| {
                EngineError::connector(format!("'{}' is no valid name of a topic", key.0))
            })?;
            let arrival = Arc::clone(&self.arrival);
            queue.set_nonempty_callback(move || arrival.notify_one());
            if !position.finished {
                list.add_partition_offset(&key.0, key.1, Offset::Offset(position.offset))
                    .map_err(|e| EngineError::connector(format!("Kafka: {}", explain(&e))))?;
            }
            self.partitions
                .push(Partition::new(key, position, high, queue, gather));
        }
        if list.count() == 0 {
            return Ok(());
        }
        self.consumer
            .incremental_assign(&list)
            .map_err(|e| EngineError::connector(format!("Kafka: {}", explain(&e))))
    }

    /// Serves librdkafka's log and errors. Messages come through the partitions' own queues.
    fn serve(&mut self) -> Result<()> {
        while let Some(result) = self.consumer.poll(Duration::ZERO) {
            match result {
                Ok(message) => {
                    return Err(EngineError::internal(format!(
                        "a message of topic '{}', partition {} came through the wrong queue",
                        message.topic(),
                        message.partition()
                    )));
                }
                Err(error @ KafkaError::MessageConsumptionFatal(_)) => {
                    return Err(EngineError::connector(format!(
                        "Kafka: {}",
                        explain(&error)
                    )));
                }
                // The monitor has heard it.
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Reads a batch from the next partition that has something; false if none has.
    fn read(&mut self) -> Result<bool> {
        for turn in 0..self.partitions.len() {
            let Some(partition) = self.partitions.get_mut(turn) else {
                break;
            };
            if partition.paused || partition.done {
                continue;
            }
            let taken = partition.read(&self.consumer, self.context.batch_rows)?;
            let Taken {
                events,
                failure,
                ignored,
            } = taken;
            self.context.metrics.bad_rows.add(ignored);
            if events.is_empty() && failure.is_none() {
                continue;
            }
            self.events.extend(events);
            self.failure = failure;
            self.partitions.rotate_left(turn + 1);
            return Ok(true);
        }
        Ok(false)
    }

    fn schedule_discovery(&mut self) {
        let wanted = match self.config.bound {
            Bound::Unbounded => self.config.discovery,
            _ => None,
        };
        self.next_discovery = wanted.and_then(|d| Instant::now().checked_add(d));
    }

    /// Looks for new partitions now and then, without holding up the others.
    async fn discover(&mut self) -> Result<()> {
        if let Some(running) = &mut self.discovery {
            if !running.is_finished() {
                return Ok(());
            }
            let found = running.await;
            self.discovery = None;
            self.schedule_discovery();
            return match found {
                Ok(Ok(found)) => self.add(found),
                Ok(Err(Failure::Broker(error))) => {
                    self.consumer.client().context().complain(&error);
                    Ok(())
                }
                Ok(Err(Failure::Fatal(error))) => {
                    tracing::warn!(table = self.config.table, "looking for partitions: {error}");
                    Ok(())
                }
                Err(error) => Err(EngineError::internal(format!(
                    "looking for partitions: {error}"
                ))),
            };
        }
        if self.next_discovery.is_some_and(|at| Instant::now() >= at) {
            let (consumer, topics) = (Arc::clone(&self.consumer), self.config.topics.clone());
            let known: HashSet<Key> = self.partitions.iter().map(|p| p.key.clone()).collect();
            let place = (self.context.index, self.context.parallelism);
            let plan = self.plan(Start::Earliest);
            let arrival = Arc::clone(&self.arrival);
            self.discovery = Some(tokio::task::spawn_blocking(move || {
                let mut fresh = topics.partitions(consumer.client())?;
                fresh.retain(|key| is_mine(key, place) && !known.contains(key));
                let ranges = plan.resolve(&consumer, &fresh)?;
                arrival.notify_one();
                Ok(fresh.into_iter().zip(ranges).collect())
            }));
        }
        Ok(())
    }

    fn add(&mut self, found: Vec<(Key, Range)>) -> Result<()> {
        let positions: Vec<_> = found.into_iter().map(begin).collect();
        for (key, position, _) in &positions {
            let (topic, number) = key;
            tracing::info!(
                table = self.config.table,
                "new partition {number} of topic '{topic}'"
            );
            let added = SourceEvent::SplitAdded(partition::split(key).into());
            self.events.push_back((added, key.clone(), *position));
        }
        self.assign(positions)
    }

    async fn wait(&mut self) {
        let until = Instant::now() + SERVE_INTERVAL;
        let until = self.next_discovery.map_or(until, |at| at.min(until));
        tokio::select! {
            () = self.arrival.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}

/// Where the columns of `wanted` come from.
pub(super) fn layout(config: &Config, wanted: &SchemaRef) -> Result<Layout<Metadata>> {
    // The key says whose row an upsert is, also where the value has the same columns, and is all that
    // there is of a delete.
    let key = config.key.as_ref();
    let from_key = key.filter(|key| config.upserts || !key.in_value);
    let layout = Layout::new(&declared(config, wanted), |field| {
        let name = field.name();
        Ok(match (config.metadata.get(name), from_key) {
            (Some(metadata), _) => Origin::Derived(*metadata),
            (None, Some(key)) if key.fields.contains(name) => Origin::Key(key.name_in_key(name)),
            _ => Origin::Value,
        })
    })?;
    Ok(layout.delivering(wanted))
}

/// The columns of upserts as the table declares them: those that are asked for may be NULL in deletes,
/// which does not make a missing value right.
fn declared(config: &Config, wanted: &SchemaRef) -> SchemaRef {
    if !config.upserts {
        return Arc::clone(wanted);
    }
    let field = |field: &FieldRef| {
        let declared = config.schema.field_with_name(field.name());
        let nullable = declared.map_or(true, |f| f.is_nullable());
        field.as_ref().clone().with_nullable(nullable)
    };
    let fields: Vec<Field> = wanted.fields().iter().map(field).collect();
    Arc::new(Schema::new(fields))
}

/// Whether a partition belongs to subtask `index` of `parallelism`. The partitions of a topic are
/// dealt out in turn, from a place that depends on the topic.
fn is_mine((topic, partition): &Key, (index, parallelism): (u32, u32)) -> bool {
    let parallelism = u64::from(parallelism.max(1));
    let ticket = hash::stable(topic.as_bytes()) % parallelism
        + u64::try_from(*partition).unwrap_or_default();
    ticket % parallelism == u64::from(index)
}

/// Asks where partitions begin and end.
async fn resolve(
    consumer: &Arc<Consumer>,
    keys: Vec<Key>,
    plan: Plan,
) -> Result<Vec<(Key, Range)>> {
    let asked = keys.clone();
    let ranges = ask(consumer, move |consumer: &Consumer| {
        plan.resolve(consumer, &asked)
    })
    .await?;
    Ok(keys.into_iter().zip(ranges).collect())
}

/// The first position in a partition, and the end of its log.
fn begin((key, range): (Key, Range)) -> (Key, Position, i64) {
    let position = Position {
        offset: range.start,
        end: range.end,
        bad_until: 0,
        finished: range.end.is_some_and(|end| range.start >= end),
    };
    (key, position, range.high)
}
