//! Writing a topic, exactly once.
//!
//! ```text
//!  write ──► epoch buffer ── prepare: packed into the checkpoint ──► commit: one transaction of rows and marker
//! ```
//!
//! An epoch's rows wait in memory, so that a checkpoint comes early when they are many, and then in the checkpoint; nothing is on the brokers before the
//! checkpoint is complete. Then the rows are written in one transaction, together with a marker: a
//! consumer offset that says which epoch they were. After a crash the marker tells whether an epoch
//! of the restored checkpoint is written. So no transaction has to outlive its producer, and one that
//! the broker gives up costs nothing.
//!
//! Who may write is decided by transactional ids, one for each subtask: taking over an id fences
//! whoever had it and ends what they had begun. An epoch is committed under the id of the subtask
//! that prepared it, also when another one finishes it after rescaling.
//!
//! Epochs of one subtask form a line by their lineage: a name made when the subtask starts without an
//! epoch of its own, kept over restarts of the job. Each lineage has a marker of its own (a consumer
//! group), so neither a second job restored from the same checkpoint nor one that started anew is
//! mistaken for this one. It is written when the lineage begins; one that is missing later is an
//! error and not a reason to write again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use levada_engine::connector::{Sink, SinkContext};
use levada_engine::element::Batch;
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use rdkafka::producer::Producer as _;
use tokio::time::Instant;

use super::Producer;
use super::intake::Intake;
use crate::kafka::client::{self, ask};
use crate::kafka::config::Config;

mod epoch;
mod fault;
mod writer;

use epoch::{Epoch, EpochBuffer, Label};
use writer::{Line, Writer};

/// Brokers forget offsets after a while (seven days by default); a marker is written anew before.
const REFRESH: Duration = Duration::from_secs(3600);
/// What the marker of a lineage says before its first epoch; checkpoints count from 1.
const NOTHING: u64 = 0;

/// The transactional id of a subtask.
pub(super) fn id(prefix: &str, operator: &str, index: u32) -> String {
    format!("{prefix}-{operator}-{index}")
}

/// Writes a topic in transactions.
pub(super) struct TransactionalSink {
    config: Arc<Config>,
    context: SinkContext,
    /// The transactional id.
    id: String,
    line: Line,
    writer: Option<Writer>,
    intake: Intake,
    buffer: EpochBuffer,
}

impl TransactionalSink {
    /// Nothing is connected yet.
    pub(super) fn new(
        config: Arc<Config>,
        topic: &str,
        id: String,
        context: SinkContext,
    ) -> Result<Self> {
        Ok(Self {
            intake: Intake::new(&config, &context.schema, context.index)?,
            config,
            context,
            id,
            line: Line {
                lineage: String::new(),
                topic: topic.to_string(),
            },
            writer: None,
            buffer: EpochBuffer::default(),
        })
    }

    /// The lineage of the restored epochs, if this subtask prepared some of them for this job.
    fn inherited(&self) -> Result<Option<String>> {
        let mut lineage = None;
        for committable in self.context.restored.iter() {
            let label = Epoch::decode(committable.0.clone())?.label;
            if label.transactional_id == self.id
                && label.job == self.context.job.0
                && label.topic == self.line.topic
            {
                lineage = Some(label.lineage);
            }
        }
        Ok(lineage)
    }

    /// Makes a lineage, and its marker: what goes wrong with transactions goes wrong at once.
    async fn begin_lineage(&mut self, writer: &mut Writer) -> Result<()> {
        let context = &self.context;
        let now = context.clock.now_ms();
        self.line.lineage = format!("{}-{}-{now:x}", context.job.0, context.attempt);
        writer.write(&self.line, Vec::new(), NOTHING).await
    }

    fn opened(writer: &mut Option<Writer>) -> Result<&mut Writer> {
        writer
            .as_mut()
            .ok_or_else(|| EngineError::internal("a Kafka sink was used before it was opened"))
    }
}

#[async_trait]
impl Sink for TransactionalSink {
    async fn open(&mut self) -> Result<()> {
        let mut writer = Writer::open(&self.id, &self.config, &self.context).await?;
        let topic = self.line.topic.clone();
        let partitions = ask(writer.producer(), move |producer: &Producer| {
            client::partition_count(producer.client(), &topic)
        })
        .await?;
        self.intake.set_partitions(partitions);
        match self.inherited()? {
            Some(lineage) => self.line.lineage = lineage,
            None => self.begin_lineage(&mut writer).await?,
        }
        self.writer = Some(writer);
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        let now_ms = self.context.clock.now_ms();
        match self.intake.take(batch, &self.line.topic, now_ms)? {
            true => self.keep_all(),
            false => Ok(()),
        }
    }

    async fn idle(&mut self) -> Result<()> {
        match self.intake.is_due(self.context.clock.now_ms()) {
            true => self.keep_all(),
            false => Ok(()),
        }
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.intake.deadline_ms()
    }

    fn held_bytes(&self) -> usize {
        self.buffer.len()
    }

    async fn prepare(&mut self, checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        if checkpoint_id == NOTHING {
            return Err(EngineError::internal("checkpoints count from 1"));
        }
        if self.intake.holds_back() {
            self.keep_all()?;
        }
        // An epoch without rows is kept too: it names its writer, and hands the lineage on.
        let label = Label {
            transactional_id: self.id.clone(),
            job: self.context.job.0.clone(),
            lineage: self.line.lineage.clone(),
            topic: self.line.topic.clone(),
            checkpoint: checkpoint_id,
        };
        Ok(vec![WireBytes(self.buffer.take(&label)?)])
    }

    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        let mut lines: Vec<(String, Line, Vec<Arc<Epoch>>)> = Vec::new();
        for committable in committables {
            let epoch = Arc::new(Epoch::decode(committable.0)?);
            let Label {
                transactional_id,
                lineage,
                topic,
                ..
            } = epoch.label.clone();
            let line = Line { lineage, topic };
            let known = lines
                .iter_mut()
                .find(|(id, known, _)| *id == transactional_id && *known == line);
            match known {
                Some((_, _, epochs)) => epochs.push(epoch),
                None => lines.push((transactional_id, line, vec![epoch])),
            }
        }
        for (id, line, epochs) in lines {
            if id == self.id {
                commit_line(Self::opened(&mut self.writer)?, &line, epochs).await?;
                continue;
            }
            // A subtask that this one finishes the work of: its id is taken over, so that nobody
            // else does.
            let mut writer = Writer::open(&id, &self.config, &self.context).await?;
            commit_line(&mut writer, &line, epochs).await?;
            // Its threads are waited for.
            let _ = tokio::task::spawn_blocking(move || drop(writer)).await;
        }
        self.refresh().await
    }
}

impl TransactionalSink {
    fn keep_all(&mut self) -> Result<()> {
        for record in self.intake.records(&self.line.topic) {
            self.buffer.push(&record?)?;
        }
        Ok(())
    }

    /// Writes the marker anew if the brokers might forget it.
    async fn refresh(&mut self) -> Result<()> {
        let writer = Self::opened(&mut self.writer)?;
        let marked = writer.marked(&self.line);
        if marked.is_some_and(|at| Instant::now() < at + REFRESH) {
            return Ok(());
        }
        let marker = writer.marker(&self.line).await?;
        let marker = marker.unwrap_or(NOTHING);
        writer.write(&self.line, Vec::new(), marker).await
    }
}

/// Writes the epochs of a line that are not written yet.
async fn commit_line(writer: &mut Writer, line: &Line, epochs: Vec<Arc<Epoch>>) -> Result<()> {
    if epochs.iter().all(|epoch| epoch.rows == 0) {
        return Ok(());
    }
    let Some(written) = writer.marker(line).await? else {
        return Err(lost_marker(writer, line, &epochs));
    };
    let is_new = |epoch: &Arc<Epoch>| epoch.label.checkpoint > written && epoch.rows > 0;
    let epochs: Vec<_> = epochs.into_iter().filter(is_new).collect();
    let Some(last) = epochs.iter().map(|epoch| epoch.label.checkpoint).max() else {
        return Ok(());
    };
    writer.write(line, epochs, last).await
}

fn lost_marker(writer: &Writer, line: &Line, epochs: &[Arc<Epoch>]) -> EngineError {
    let checkpoint = epochs.last().map_or(0, |epoch| epoch.label.checkpoint);
    let rows: u64 = epochs.iter().map(|epoch| epoch.rows).sum();
    EngineError::checkpoint(format!(
        "it is unknown whether the {rows} rows of checkpoint {checkpoint} are in the topic '{}': the consumer group '{}', whose offset would say it, is gone",
        line.topic,
        writer.group(&line.lineage)
    ))
    .with_detail(format!(
        "the brokers forget offsets after offsets.retention.minutes, or somebody deleted the group or the topic; the transactional id is '{}'",
        writer.id()
    ))
    .with_hint(format!(
        "look whether the rows are in the topic; then commit for its partition 0, in that group, the offset {checkpoint} if they are, or {NOTHING} if they are not, and start the job again"
    ))
}
