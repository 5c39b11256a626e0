//! Sinks within a chain, and the collector that hands rows to the client.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::{Report, ReportKind};
use crate::connector::Sink;
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::WireBytes;

/// A sink and what it has prepared but not yet committed.
pub(super) struct SinkStage {
    sink: Box<dyn Sink>,
    prepared: VecDeque<(u64, Vec<WireBytes>)>,
}

impl SinkStage {
    /// Opens the sink and finishes what an earlier run had prepared for a completed checkpoint.
    pub async fn open(mut sink: Box<dyn Sink>, restored: Vec<WireBytes>) -> Result<Self> {
        sink.open().await?;
        if !restored.is_empty() {
            sink.commit(restored).await?;
        }
        Ok(SinkStage {
            sink,
            prepared: VecDeque::new(),
        })
    }

    pub async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.sink.write(batch).await
    }

    pub async fn idle(&mut self) -> Result<()> {
        self.sink.idle().await
    }

    pub fn deadline_ms(&self) -> Option<i64> {
        self.sink.deadline_ms()
    }

    pub async fn prepare(&mut self, checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        let prepared = self.sink.prepare(checkpoint_id).await?;
        self.prepared.push_back((checkpoint_id, prepared.clone()));
        // What an abandoned checkpoint prepared belongs to the next one that completes.
        let earlier = self.prepared.iter().flat_map(|(_, c)| c.iter().cloned());
        Ok(earlier.collect())
    }

    /// Commits what was prepared for this checkpoint and for those before it.
    pub async fn commit_up_to(&mut self, checkpoint_id: u64) -> Result<()> {
        let mut committables = Vec::new();
        while let Some((id, _)) = self.prepared.front()
            && *id <= checkpoint_id
            && let Some((_, prepared)) = self.prepared.pop_front()
        {
            committables.extend(prepared);
        }
        match committables.is_empty() {
            true => Ok(()),
            false => self.sink.commit(committables).await,
        }
    }
}

/// How many batches may be under way to the client.
pub const COLLECT_WINDOW: usize = 16;

/// Hands rows to the client, held back by a slow one.
pub(super) struct Collector {
    pub reports: mpsc::Sender<Report>,
    pub make: Arc<dyn Fn(ReportKind) -> Report + Send + Sync>,
    pub window: Arc<Semaphore>,
}

impl Collector {
    pub async fn send(&self, batch: Batch) -> Result<()> {
        let gone = || EngineError::network("the client of the query is gone");
        self.window.acquire().await.map_err(|_| gone())?.forget();
        let report = (self.make)(ReportKind::Rows(batch));
        self.reports.send(report).await.map_err(|_| gone())
    }
}
