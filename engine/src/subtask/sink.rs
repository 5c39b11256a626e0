//! The ends of a chain that wait for others: sinks, and the collector that hands rows to the client.
//!
//! Neither holds up the subtask: what they are to do queues here, and the subtask lets it go on between
//! other things. While something waits it takes no more input.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc};

use super::{Report, ReportKind};
use crate::connector::Sink;
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::WireBytes;

/// Written rows of a sink are flushed when so many bytes of them could still be lost.
const UNFLUSHED_BYTES: usize = 32 << 20;

/// A checkpoint should come when so many bytes wait for it in memory.
const HELD_BYTES: usize = 32 << 20;

/// A sink, what it is to do, and what it has prepared but not yet committed.
pub(super) struct SinkStage {
    state: State,
    work: VecDeque<Work>,
    prepared: VecDeque<(u64, Vec<WireBytes>)>,
    /// Up to which checkpoint it has prepared.
    prepared_up_to: u64,
    /// It can take rows twice.
    twice: bool,
    /// Rows that a checkpoint can have in place of what the sink has prepared; `None` if the sink cannot
    /// take rows twice, or nobody asks.
    unflushed: Option<Unflushed>,
    /// Whether it was asked since it last prepared if it holds too much, and did.
    overfull: bool,
}

enum State {
    Idle(Box<dyn Sink>),
    Busy(BoxFuture<'static, (Box<dyn Sink>, Result<Done>)>),
    /// It has failed within a call.
    Lost,
}

enum Work {
    Write(Batch),
    Idle,
    /// Flush, for a checkpoint or because much is unflushed.
    Prepare(Option<u64>),
    Commit(Vec<WireBytes>),
}

enum Done {
    Written,
    Prepared(Option<u64>, Vec<WireBytes>),
}

/// Rows that were handed to the sink since it last flushed, with the flushes that are to come.
#[derive(Default)]
struct Unflushed {
    entries: VecDeque<Entry>,
    bytes: usize,
}

enum Entry {
    Rows(Batch),
    Flush(Option<u64>),
}

impl SinkStage {
    /// Opens the sink and finishes what an earlier run had prepared for a completed checkpoint.
    /// `overtaking` says whether barriers may overtake rows that wait for the sink.
    pub async fn open(
        mut sink: Box<dyn Sink>,
        restored: Vec<WireBytes>,
        overtaking: bool,
    ) -> Result<Self> {
        sink.open().await?;
        if !restored.is_empty() {
            sink.commit(restored).await?;
        }
        let twice = sink.takes_rows_twice();
        let unflushed = (overtaking && twice).then(Unflushed::default);
        Ok(SinkStage {
            state: State::Idle(sink),
            work: VecDeque::new(),
            prepared: VecDeque::new(),
            prepared_up_to: 0,
            twice,
            unflushed,
            overfull: false,
        })
    }

    /// Whether so much waits for the next checkpoint that it should come; true once for each.
    pub fn wants_checkpoint(&mut self) -> bool {
        match &self.state {
            State::Idle(sink) if !self.overfull => {
                self.overfull = sink.held_bytes() >= HELD_BYTES;
                self.overfull
            }
            _ => false,
        }
    }

    /// Takes rows to write.
    pub fn write(&mut self, batch: Batch) {
        if let Some(unflushed) = &mut self.unflushed {
            unflushed.bytes += batch.byte_size();
            unflushed.entries.push_back(Entry::Rows(batch.clone()));
        }
        self.work.push_back(Work::Write(batch));
        if let Some(unflushed) = self.unflushed.as_mut()
            && unflushed.bytes >= UNFLUSHED_BYTES
        {
            unflushed.bytes = 0;
            unflushed.entries.push_back(Entry::Flush(None));
            self.work.push_back(Work::Prepare(None));
        }
    }

    /// No input is waiting.
    pub fn run_dry(&mut self) {
        if !self.is_busy() {
            self.work.push_back(Work::Idle);
        }
    }

    /// Has a sink write for good what it was given, unless that comes with a checkpoint.
    pub fn flush(&mut self) {
        if self.twice {
            self.work.push_back(Work::Prepare(None));
        }
    }

    /// A barrier: everything written before is to become durable.
    pub fn prepare(&mut self, checkpoint_id: u64) {
        if let Some(unflushed) = &mut self.unflushed {
            unflushed
                .entries
                .push_back(Entry::Flush(Some(checkpoint_id)));
        }
        self.work.push_back(Work::Prepare(Some(checkpoint_id)));
    }

    /// What was prepared for a checkpoint, once that has been done.
    pub fn prepared(&self, checkpoint_id: u64) -> Option<Vec<WireBytes>> {
        // What an abandoned checkpoint prepared belongs to the next one that completes.
        let earlier = self.prepared.iter().filter(|(id, _)| *id <= checkpoint_id);
        let all = || earlier.flat_map(|(_, c)| c.iter().cloned()).collect();
        (self.prepared_up_to >= checkpoint_id).then(all)
    }

    /// The rows in front of a barrier that may not have been written for good, for a checkpoint that
    /// waits for the sink no longer. `None` if the sink must not get rows twice.
    pub fn unflushed(&self, checkpoint_id: u64) -> Option<Vec<Batch>> {
        let entries = &self.unflushed.as_ref()?.entries;
        let of_checkpoint =
            |e: &&Entry| !matches!(e, Entry::Flush(Some(id)) if *id == checkpoint_id);
        let rows = entries.iter().take_while(of_checkpoint);
        let rows = rows.filter_map(|entry| match entry {
            Entry::Rows(batch) => Some(batch.clone()),
            Entry::Flush(_) => None,
        });
        Some(rows.collect())
    }

    /// Commits what was prepared for this checkpoint and for those before it.
    pub fn commit_up_to(&mut self, checkpoint_id: u64) {
        let mut committables = Vec::new();
        while let Some((id, _)) = self.prepared.front()
            && *id <= checkpoint_id
            && let Some((_, prepared)) = self.prepared.pop_front()
        {
            committables.extend(prepared);
        }
        if !committables.is_empty() {
            self.work.push_back(Work::Commit(committables));
        }
    }

    /// Whether it has something to do.
    pub fn is_busy(&self) -> bool {
        !self.work.is_empty() || !matches!(self.state, State::Idle(_))
    }

    /// When it wants to be called although no input is waiting, in milliseconds.
    pub fn deadline_ms(&self) -> Option<i64> {
        match &self.state {
            State::Idle(sink) if self.work.is_empty() => sink.deadline_ms(),
            _ => None,
        }
    }

    /// Goes on with what there is to do; ready when that is done.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            match std::mem::replace(&mut self.state, State::Lost) {
                State::Idle(sink) => match self.work.pop_front() {
                    Some(work) => self.state = State::Busy(Box::pin(carry_out(sink, work))),
                    None => {
                        self.state = State::Idle(sink);
                        return Poll::Ready(Ok(()));
                    }
                },
                State::Busy(mut call) => match call.as_mut().poll(context) {
                    Poll::Ready((sink, done)) => {
                        self.state = State::Idle(sink);
                        self.done(done?);
                    }
                    Poll::Pending => {
                        self.state = State::Busy(call);
                        return Poll::Pending;
                    }
                },
                State::Lost => {
                    return Poll::Ready(Err(EngineError::internal("a sink was lost")));
                }
            }
        }
    }

    fn done(&mut self, done: Done) {
        let Done::Prepared(checkpoint_id, committables) = done else {
            return;
        };
        if let Some(id) = checkpoint_id {
            self.overfull = false;
            self.prepared_up_to = id;
            self.prepared.push_back((id, committables));
        }
        if let Some(unflushed) = &mut self.unflushed {
            let this = |e: &Entry| matches!(e, Entry::Flush(id) if *id == checkpoint_id);
            let flushed = unflushed.entries.iter().position(this);
            unflushed.entries.drain(..flushed.map_or(0, |f| f + 1));
            let rows = unflushed.entries.iter().map(|e| match e {
                Entry::Rows(batch) => batch.byte_size(),
                Entry::Flush(_) => 0,
            });
            unflushed.bytes = rows.sum();
        }
    }
}

async fn carry_out(mut sink: Box<dyn Sink>, work: Work) -> (Box<dyn Sink>, Result<Done>) {
    let done = match work {
        Work::Write(batch) => sink.write(&batch).await.map(|()| Done::Written),
        Work::Idle => sink.idle().await.map(|()| Done::Written),
        Work::Commit(committables) => sink.commit(committables).await.map(|()| Done::Written),
        Work::Prepare(id) => {
            let prepared = sink.prepare(id.unwrap_or_default()).await;
            prepared.map(|committables| Done::Prepared(id, committables))
        }
    };
    (sink, done)
}

/// How many batches may be under way to the client.
pub const COLLECT_WINDOW: usize = 16;

/// Hands rows to the client, held back by a slow one.
pub(super) struct Collector {
    reports: mpsc::Sender<Report>,
    make: Arc<dyn Fn(ReportKind) -> Report + Send + Sync>,
    window: Arc<Semaphore>,
    waiting: VecDeque<Batch>,
    sending: Option<BoxFuture<'static, Result<()>>>,
}

impl Collector {
    pub fn new(
        reports: mpsc::Sender<Report>,
        make: Arc<dyn Fn(ReportKind) -> Report + Send + Sync>,
        window: Arc<Semaphore>,
    ) -> Self {
        Collector {
            reports,
            make,
            window,
            waiting: VecDeque::new(),
            sending: None,
        }
    }

    /// Takes rows to hand over.
    pub fn write(&mut self, batch: Batch) {
        self.waiting.push_back(batch);
    }

    pub fn is_busy(&self) -> bool {
        self.sending.is_some() || !self.waiting.is_empty()
    }

    /// Goes on with what waits; ready when all is handed over.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if let Some(sending) = &mut self.sending {
                let sent = ready!(sending.as_mut().poll(context));
                self.sending = None;
                sent?;
            }
            let Some(batch) = self.waiting.pop_front() else {
                return Poll::Ready(Ok(()));
            };
            let (window, reports) = (Arc::clone(&self.window), self.reports.clone());
            let report = (self.make)(ReportKind::Rows(batch));
            self.sending = Some(Box::pin(async move {
                let gone = || EngineError::network("the client of the query is gone");
                window.acquire().await.map_err(|_| gone())?.forget();
                reports.send(report).await.map_err(|_| gone())
            }));
        }
    }
}
