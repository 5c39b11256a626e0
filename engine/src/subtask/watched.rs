//! Sources and sinks of a process that has failpoints.

use async_trait::async_trait;
use tokio::time::Instant;

use crate::connector::{Sink, Source, SourceEvent, SplitState};
use crate::element::Batch;
use crate::error::Result;
use crate::failpoint::{Failpoint, Failpoints, Fault};
use crate::graph::WireBytes;

/// The sink, watched if there are failpoints; `recommits` if it has restored output to commit first.
pub(super) fn sink(sink: Box<dyn Sink>, points: &Failpoints, recommits: bool) -> Box<dyn Sink> {
    match points.is_armed() {
        true => Box::new(WatchedSink {
            sink,
            points: points.clone(),
            recommits,
            unprepared: Vec::new(),
        }),
        false => sink,
    }
}

/// The source, watched if there are failpoints.
pub(super) fn source(source: Box<dyn Source>, points: &Failpoints) -> Box<dyn Source> {
    match points.is_armed() {
        true => Box::new(WatchedSource {
            source,
            points: points.clone(),
            paused_until: None,
        }),
        false => source,
    }
}

struct WatchedSink {
    sink: Box<dyn Sink>,
    points: Failpoints,
    recommits: bool,
    /// Checkpoints for which [`Fault::PrepareAtCommit`] has prepared nothing.
    unprepared: Vec<u64>,
}

#[async_trait]
impl Sink for WatchedSink {
    async fn open(&mut self) -> Result<()> {
        self.sink.open().await
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.sink.write(batch).await
    }

    async fn idle(&mut self) -> Result<()> {
        self.sink.idle().await
    }

    async fn prepare(&mut self, checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        if self.points.fault() == Some(Fault::PrepareAtCommit) {
            self.unprepared.push(checkpoint_id);
            // Something, so that the commit comes.
            return Ok(vec![WireBytes(Vec::new())]);
        }
        self.points.pass(Failpoint::SinkPrepare);
        let prepared = self.sink.prepare(checkpoint_id).await?;
        if self.points.fault() == Some(Fault::CommitAtPrepare) {
            self.sink.commit(prepared).await?;
            return Ok(Vec::new());
        }
        self.points.pass(Failpoint::SinkPrepared);
        Ok(prepared)
    }

    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        let (before, after) = match std::mem::take(&mut self.recommits) {
            true => (Failpoint::SinkRecommit, Failpoint::SinkRecommitted),
            false => (Failpoint::SinkCommit, Failpoint::SinkCommitted),
        };
        self.points.pass(before);
        match self.points.fault() {
            Some(Fault::PrepareAtCommit) => {
                if let Some(id) = std::mem::take(&mut self.unprepared).pop() {
                    let prepared = self.sink.prepare(id).await?;
                    self.sink.commit(prepared).await?;
                }
            }
            _ => self.sink.commit(committables).await?,
        }
        self.points.pass(after);
        Ok(())
    }

    fn takes_rows_twice(&self) -> bool {
        self.sink.takes_rows_twice()
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.sink.deadline_ms()
    }
}

struct WatchedSource {
    source: Box<dyn Source>,
    points: Failpoints,
    /// The pause in front of the next event.
    paused_until: Option<Instant>,
}

#[async_trait]
impl Source for WatchedSource {
    async fn open(&mut self) -> Result<Vec<String>> {
        self.source.open().await
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        if let Some(pause) = self.points.pause() {
            let until = *self
                .paused_until
                .get_or_insert_with(|| Instant::now() + pause);
            tokio::time::sleep_until(until).await;
        }
        let event = self.source.next().await?;
        self.paused_until = None;
        Ok(event)
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        self.source.positions()
    }

    fn checkpoint(&mut self, checkpoint_id: u64) -> Result<Vec<SplitState>> {
        self.source.checkpoint(checkpoint_id)
    }

    fn set_paused(&mut self, split: &str, paused: bool) {
        self.source.set_paused(split, paused);
    }

    async fn checkpoint_complete(&mut self, checkpoint_id: u64) -> Result<()> {
        self.points.pass(Failpoint::SourceComplete);
        self.source.checkpoint_complete(checkpoint_id).await
    }
}
