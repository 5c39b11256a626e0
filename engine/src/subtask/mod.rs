//! A subtask: one parallel instance of a vertex, on a thread of its own.
//!
//! ```text
//!  commands ─▶┌─────────────────────────────────────┐─▶ reports
//!             │ source or gate ─▶ chain ─▶ edges    │
//!             └─────────────────────────────────────┘
//! ```
//!
//! It takes elements from its source or [`InputGate`](crate::exchange::InputGate), passes them
//! through its chain, and cuts a snapshot at each barrier: what is dirty is frozen at once, and
//! uploaded while processing goes on. A subtask outlives its input: it goes on taking barriers
//! until the last checkpoint of the job is complete and its sinks have committed.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::{InFlight, SubtaskCheckpoint};
use crate::connector::SourceEvent;
use crate::element::{Barrier, Batch, Element};
use crate::error::{EngineError, Result};
use crate::exchange::{Arrival, InputGate};
use crate::graph::JobId;
use crate::graph::execution::SubtaskId;
use crate::metrics::SubtaskSnapshot;

mod build;
mod chain;
mod cut;
mod lookup;
mod replay;
mod sink;
mod snapshot;
mod source;
mod splits;
mod watched;

pub use build::{Plan, Wiring, build};
pub use sink::COLLECT_WINDOW;

use chain::{Chain, Event};
use cut::Cut;
use replay::Replay;
use snapshot::Uploader;
use source::SourceDriver;

/// What a worker tells a subtask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// To sources: send a barrier; with `stop`, read nothing more.
    Barrier {
        /// The barrier.
        barrier: Barrier,
        /// Whether the source ends here.
        stop: bool,
    },
    /// To sources: the input ends here.
    Drain,
    /// To those restored from a checkpoint whose barrier overtook rows: everything behind has taken its
    /// own, it is this subtask's turn.
    Replay,
    /// A checkpoint is complete; after the last one the subtask ends.
    Complete {
        /// The checkpoint.
        checkpoint_id: u64,
        /// Whether it is the last one of the job.
        last: bool,
    },
}

/// What a subtask tells its worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The job.
    pub job: JobId,
    /// The run of the job.
    pub attempt: u32,
    /// The subtask.
    pub subtask: SubtaskId,
    /// What has happened.
    pub kind: ReportKind,
}

/// What has happened in a subtask.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ReportKind {
    /// Its sinks have written again what they had not flushed when a barrier overtook it.
    Rewritten,
    /// It has opened its operators and takes input.
    Running,
    /// All of its input has passed through.
    InputEnded,
    /// So much waits in memory for the next checkpoint that it should come now.
    Overfull,
    /// Its share of a checkpoint is durable.
    Snapshot {
        /// The checkpoint.
        checkpoint_id: u64,
        /// Its share.
        share: SubtaskCheckpoint,
        /// How many bytes were written for it.
        bytes: u64,
    },
    /// Its share of a checkpoint could not be made durable; it goes on.
    SnapshotFailed {
        /// The checkpoint.
        checkpoint_id: u64,
        /// Why.
        error: EngineError,
    },
    /// Rows for the client.
    Rows(#[serde(with = "wire_rows")] Batch),
    /// It has ended after the last checkpoint, with these final counts.
    Finished(Box<SubtaskSnapshot>),
    /// It has failed.
    Failed(EngineError),
}

/// Rows inside a report travel as an Arrow IPC stream.
mod wire_rows {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

    use crate::element::Batch;
    use crate::exchange::frame::{decode_batch, encode_batch};
    use crate::graph::WireBytes;

    pub fn serialize<S: Serializer>(batch: &Batch, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = encode_batch(batch).map_err(ser::Error::custom)?;
        WireBytes(bytes).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Batch, D::Error> {
        let bytes = WireBytes::deserialize(deserializer)?;
        decode_batch(&bytes.0).map_err(de::Error::custom)
    }
}

/// A subtask, ready to run.
pub struct Subtask {
    index: u32,
    /// How many subtasks the vertex has.
    parallelism: u32,
    chain: Chain,
    input: Input,
    /// For whom the rows of each edge are; indices of subtasks are left open.
    consumers: Vec<InFlight>,
    commands: mpsc::Receiver<Command>,
    uploader: Uploader,
    /// Ends uploads and merges of state files with the subtask.
    _uploads: tokio_util::sync::DropGuard,
    reporter: Reporter,
    /// Rows that a barrier had overtaken, which come first.
    replay: Option<Replay>,
    /// The checkpoint that is under way here.
    under_way: Option<Cut>,
    /// A barrier that waits for the answers to all questions, or until operators have given what they have to.
    held: Option<Barrier>,
    /// The chain knows that no input is waiting.
    dry: bool,
    input_ended: bool,
}

enum Input {
    Gate {
        gate: InputGate,
        /// Where each channel leads.
        routes: Vec<Route>,
    },
    Source(Box<SourceDriver>),
}

/// Where a channel leads.
#[derive(Debug, Clone, Copy)]
struct Route {
    /// The operator, by its position in the chain.
    node: usize,
    /// The ordinal of its input.
    input: u32,
    /// The index of the subtask that sends.
    from: u32,
}

/// Sends reports of one subtask.
#[derive(Clone)]
pub struct Reporter {
    reports: mpsc::Sender<Report>,
    job: JobId,
    attempt: u32,
    subtask: SubtaskId,
}

impl Reporter {
    /// A reporter into `reports`.
    pub fn new(
        reports: mpsc::Sender<Report>,
        job: JobId,
        attempt: u32,
        subtask: SubtaskId,
    ) -> Self {
        Reporter {
            reports,
            job,
            attempt,
            subtask,
        }
    }

    fn make(&self, kind: ReportKind) -> Report {
        Report {
            job: self.job.clone(),
            attempt: self.attempt,
            subtask: self.subtask,
            kind,
        }
    }

    /// Reports; a worker that is gone has no use for it.
    pub async fn send(&self, kind: ReportKind) {
        let _ = self.reports.send(self.make(kind)).await;
    }
}

/// The longest sleep while a deadline is pending, so that clocks driven by hand are noticed.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

impl Subtask {
    /// Runs until the job ends, the subtask fails or `cancel`; reports the outcome.
    pub async fn run(mut self, cancel: CancellationToken) {
        let reporter = self.reporter.clone();
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(EngineError::cancelled()),
            outcome = self.run_to_end(&cancel) => outcome,
        };
        match outcome {
            Ok(()) => {
                let counts = Box::new(self.chain.metrics.snapshot());
                reporter.send(ReportKind::Finished(counts)).await;
            }
            Err(error) => reporter.send(ReportKind::Failed(error)).await,
        }
    }

    async fn run_to_end(&mut self, cancel: &CancellationToken) -> Result<()> {
        if let Some(replay) = self.replay.take() {
            self.take_replay(replay).await?;
        }
        self.reporter.send(ReportKind::Running).await;
        // While there is always something to take nothing below waits, and nobody else would ask.
        while !cancel.is_cancelled() {
            while let Ok(command) = self.commands.try_recv() {
                if self.obey(command).await? {
                    return Ok(());
                }
            }
            self.overtake()?;
            self.send_some().await?;
            self.advance_cut();
            self.cut_held()?;
            if self.chain.has_answers() {
                self.chain.run()?;
                self.dry = false;
                continue;
            }
            if self.chain.is_full() {
                if self.wait(true).await? {
                    return Ok(());
                }
                continue;
            }
            if self.chain.has_work() {
                // A barrier or row that waits comes behind what operators have still to give.
                self.chain.run()?;
                continue;
            }
            if self.chain.fire_timers()? {
                self.dry = false;
            }
            self.report_end_of_input().await;
            if self.chain.wants_checkpoint() {
                self.reporter.send(ReportKind::Overfull).await;
            }
            if self.step()? {
                self.dry = false;
                continue;
            }
            if !self.dry {
                self.dry = true;
                self.chain.run_dry();
            }
            if self.wait(false).await? {
                return Ok(());
            }
        }
        Err(EngineError::cancelled())
    }

    /// Lets go what can go without waiting.
    async fn send_some(&mut self) -> Result<()> {
        let chain = &mut self.chain;
        let polled = poll_fn(|context| Poll::Ready(chain.poll_outlets(context, false))).await;
        match polled {
            Poll::Ready(sent) => sent,
            Poll::Pending => Ok(()),
        }
    }

    /// Waits until everything has gone.
    async fn send_all(&mut self) -> Result<()> {
        let chain = &mut self.chain;
        poll_fn(|context| chain.poll_outlets(context, true)).await
    }

    /// Takes what is there without waiting; false if there is nothing.
    fn step(&mut self) -> Result<bool> {
        match &mut self.input {
            Input::Source(source) => source.step(&mut self.chain),
            Input::Gate { gate, routes } => match gate.try_next() {
                Some(Arrival::Barrier(barrier)) => {
                    self.cut(barrier, false)?;
                    Ok(true)
                }
                Some(Arrival::Element {
                    channel,
                    element,
                    credit,
                }) => {
                    let route = routes.get(channel).copied();
                    accept(&mut self.chain, route, element)?;
                    drop(credit);
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }

    /// Waits for a command, a deadline, what waits to go, or input unless the chain is `full`; true
    /// when the subtask has ended.
    async fn wait(&mut self, full: bool) -> Result<bool> {
        let sleep = async |ms: Option<i64>| match ms {
            Some(ms) => {
                let sleep = Duration::from_millis(ms.max(0) as u64).min(LONGEST_SLEEP);
                tokio::time::sleep(sleep).await;
            }
            None => std::future::pending().await,
        };
        let sleep = sleep(self.due_in_ms(full));
        let started = Instant::now();
        let unsent = self.chain.has_unsent();
        let (chain, input) = (&mut self.chain, &mut self.input);
        let mut event = None;
        let command = tokio::select! {
            biased;
            command = self.commands.recv() => Some(command.ok_or_else(EngineError::cancelled)?),
            sent = poll_fn(|context| match chain.poll_outlets(context, true) {
                Poll::Pending if full && !chain.is_full() || chain.has_answers() => {
                    Poll::Ready(Ok(()))
                }
                polled => polled,
            }), if unsent => {
                sent?;
                None
            }
            arrived = input.ready(full) => {
                event = arrived?;
                None
            }
            () = sleep => None,
        };
        if full {
            let waited = started.elapsed().as_nanos() as u64;
            self.chain.metrics.backpressured_ns.add(waited);
        }
        if let (Some(event), Input::Source(source)) = (event, &mut self.input) {
            source.handle(event, &mut self.chain)?;
            self.dry = false;
        }
        match command {
            Some(command) => self.obey(command).await,
            None => Ok(false),
        }
    }

    /// In how many milliseconds there is something to do without input or commands.
    fn due_in_ms(&self, full: bool) -> Option<i64> {
        let now = self.chain.clock.now_ms();
        let (mut timers, mut overtakes) = (None, None);
        if !full {
            timers = self.chain.deadline_ms();
        }
        if let Input::Gate { gate, .. } = &self.input {
            overtakes = gate.overtakes_at_ms();
        }
        let times = [timers, overtakes, self.cut_deadline_ms()];
        let due = times.into_iter().flatten().map(|at| at - now);
        let timeout = match &self.input {
            Input::Source(source) if !full => source.timeout_ms(now),
            _ => None,
        };
        due.chain(timeout).min()
    }

    /// Takes in what has arrived, and cuts the subtask where it stands if a barrier has come that
    /// overtakes now.
    fn overtake(&mut self) -> Result<()> {
        let Input::Gate { gate, .. } = &mut self.input else {
            return Ok(());
        };
        gate.gather();
        if gate.overtakes_at_ms().is_some()
            && let Some(barrier) = gate.overtake(self.chain.clock.now_ms())
        {
            self.cut(barrier, true)?;
        }
        Ok(())
    }

    /// True when the subtask has ended.
    async fn obey(&mut self, command: Command) -> Result<bool> {
        match command {
            Command::Barrier { barrier, stop } => {
                if let Input::Source(source) = &mut self.input {
                    if stop {
                        source.stop();
                    }
                    self.cut(barrier, false)?;
                }
                Ok(false)
            }
            Command::Drain => {
                if let Input::Source(source) = &mut self.input {
                    source.drain(&mut self.chain)?;
                }
                Ok(false)
            }
            Command::Replay => Ok(false),
            Command::Complete {
                checkpoint_id,
                last,
            } => {
                self.chain.checkpoint_complete(checkpoint_id);
                if let Input::Source(source) = &mut self.input {
                    source.checkpoint_complete(checkpoint_id).await?;
                }
                if last {
                    // The checkpoint has the rows that still wait for answers.
                    self.chain.forget_questions();
                    self.send_all().await?;
                }
                Ok(last)
            }
        }
    }

    async fn report_end_of_input(&mut self) {
        let source_ended = match &self.input {
            Input::Source(source) => source.has_ended(),
            Input::Gate { .. } => true,
        };
        if !self.input_ended && source_ended && self.chain.has_ended() {
            self.input_ended = true;
            self.reporter.send(ReportKind::InputEnded).await;
        }
    }
}

impl Input {
    /// Waits for input; while the chain is `full` only for barriers that may overtake. Gives what a
    /// source has said; what has arrived at a gate stays there. Cancel-safe.
    async fn ready(&mut self, full: bool) -> Result<Option<SourceEvent>> {
        match self {
            Input::Gate { gate, .. } if full => gate.watch().await,
            Input::Gate { gate, .. } => gate.arrived().await,
            Input::Source(_) if full => std::future::pending().await,
            Input::Source(source) => return source.next().await.map(Some),
        }
        Ok(None)
    }
}

fn accept(chain: &mut Chain, route: Option<Route>, element: Element) -> Result<()> {
    let Some(Route { node, input, from }) = route else {
        return Err(EngineError::internal(
            "an element arrived on an unknown channel",
        ));
    };
    let event = match element {
        Element::Batch(batch) => {
            chain.metrics.rows_in.add(batch.num_rows() as u64);
            chain.metrics.batches_in.add(1);
            chain.metrics.bytes_in.add(batch.byte_size() as u64);
            Event::Batch(batch)
        }
        Element::Watermark(watermark) => Event::Watermark(watermark),
        Element::Idle => Event::Idle,
        Element::EndOfInput => Event::End,
        Element::Barrier(_) => return Ok(()),
    };
    chain.push(node, input, from, event)
}
