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

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::{OperatorCheckpoint, SubtaskCheckpoint};
use crate::element::{Barrier, Batch, Element};
use crate::error::{EngineError, Result};
use crate::exchange::{Arrival, InputGate};
use crate::graph::JobId;
use crate::graph::execution::SubtaskId;
use crate::metrics::SubtaskSnapshot;

mod build;
mod chain;
mod sink;
mod snapshot;
mod source;
mod splits;
mod watched;

#[cfg(test)]
mod tests;

pub use build::{Plan, Wiring, build};
pub use sink::COLLECT_WINDOW;

use chain::{Chain, Event};
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
    /// It has opened its operators and takes input.
    Running,
    /// All of its input has passed through.
    InputEnded,
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
    chain: Chain,
    input: Input,
    commands: mpsc::Receiver<Command>,
    uploader: Uploader,
    /// Ends uploads and merges of state files with the subtask.
    _uploads: tokio_util::sync::DropGuard,
    reporter: Reporter,
    input_ended: bool,
}

enum Input {
    Gate {
        gate: InputGate,
        /// The operator and input of each channel, with the channel's key there.
        routes: Vec<(usize, u32, u32)>,
    },
    Source(Box<SourceDriver>),
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
            outcome = self.run_to_end() => outcome,
        };
        match outcome {
            Ok(()) => {
                let counts = Box::new(self.chain.metrics.snapshot());
                reporter.send(ReportKind::Finished(counts)).await;
            }
            Err(error) => reporter.send(ReportKind::Failed(error)).await,
        }
    }

    async fn run_to_end(&mut self) -> Result<()> {
        self.reporter.send(ReportKind::Running).await;
        loop {
            while let Ok(command) = self.commands.try_recv() {
                if self.obey(command).await? {
                    return Ok(());
                }
            }
            self.chain.fire_timers().await?;
            self.report_end_of_input().await;
            if self.step().await? {
                continue;
            }
            self.chain.run_dry().await?;
            if self.wait().await? {
                return Ok(());
            }
        }
    }

    /// Takes what is there without waiting; false if there is nothing.
    async fn step(&mut self) -> Result<bool> {
        match &mut self.input {
            Input::Source(source) => source.step(&mut self.chain).await,
            Input::Gate { gate, routes } => match gate.try_next() {
                Some(Arrival::Barrier(barrier)) => {
                    self.snapshot(barrier).await?;
                    Ok(true)
                }
                Some(Arrival::Element {
                    channel,
                    element,
                    credit,
                }) => {
                    let route = routes.get(channel).copied();
                    accept(&mut self.chain, route, element).await?;
                    drop(credit);
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }

    /// Waits for input, a command or a deadline; true when the subtask has ended.
    async fn wait(&mut self) -> Result<bool> {
        let deadline = self
            .chain
            .deadline_ms()
            .map(|d| d - self.chain.clock.now_ms());
        let deadline = [deadline, self.input.timeout_ms(&self.chain)]
            .into_iter()
            .flatten()
            .min();
        let sleep = deadline.map(|ms| Duration::from_millis(ms.max(0) as u64).min(LONGEST_SLEEP));
        let sleep = async {
            match sleep {
                Some(sleep) => tokio::time::sleep(sleep).await,
                None => std::future::pending().await,
            }
        };
        let command = tokio::select! {
            biased;
            command = self.commands.recv() => match command {
                Some(command) => command,
                None => return Err(EngineError::cancelled()),
            },
            arrival = self.input.ready() => {
                self.arrived(arrival?).await?;
                return Ok(false);
            }
            () = sleep => return Ok(false),
        };
        self.obey(command).await
    }

    async fn arrived(&mut self, arrival: Ready) -> Result<()> {
        match (arrival, &mut self.input) {
            (Ready::Arrival(Arrival::Barrier(barrier)), _) => self.snapshot(barrier).await,
            (
                Ready::Arrival(Arrival::Element {
                    channel,
                    element,
                    credit,
                }),
                input,
            ) => {
                let route = input.route(channel);
                accept(&mut self.chain, route, element).await?;
                drop(credit);
                Ok(())
            }
            (Ready::Source(event), Input::Source(source)) => {
                source.handle(event, &mut self.chain).await
            }
            (Ready::Source(_), Input::Gate { .. }) => Ok(()),
        }
    }

    /// True when the subtask has ended.
    async fn obey(&mut self, command: Command) -> Result<bool> {
        match command {
            Command::Barrier { barrier, stop } => {
                if let Input::Source(source) = &mut self.input {
                    if stop {
                        source.stop();
                    }
                    self.snapshot(barrier).await?;
                }
                Ok(false)
            }
            Command::Drain => {
                if let Input::Source(source) = &mut self.input {
                    source.drain(&mut self.chain).await?;
                }
                Ok(false)
            }
            Command::Complete {
                checkpoint_id,
                last,
            } => {
                self.chain.checkpoint_complete(checkpoint_id).await?;
                if let Input::Source(source) = &mut self.input {
                    source.checkpoint_complete(checkpoint_id).await?;
                }
                Ok(last)
            }
        }
    }

    async fn snapshot(&mut self, barrier: Barrier) -> Result<()> {
        let nodes = self
            .chain
            .barrier(barrier, self.uploader.keeps_state())
            .await?;
        let mut operators = Vec::new();
        if let Input::Source(source) = &mut self.input {
            operators.push(OperatorCheckpoint {
                uid: source.uid.clone(),
                name: source.name.clone(),
                splits: source.checkpoint(barrier.checkpoint_id)?,
                ..OperatorCheckpoint::default()
            });
        }
        self.uploader.upload(barrier, operators, nodes).await
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

/// Input that [`Input::ready`] has waited for.
enum Ready {
    Arrival(Arrival),
    Source(crate::connector::SourceEvent),
}

impl Input {
    /// Waits for input. Cancel-safe.
    async fn ready(&mut self) -> Result<Ready> {
        match self {
            Input::Gate { gate, .. } => match gate.next().await {
                Some(arrival) => Ok(Ready::Arrival(arrival)),
                None => std::future::pending().await,
            },
            Input::Source(source) => source.next().await.map(Ready::Source),
        }
    }

    fn route(&self, channel: usize) -> Option<(usize, u32, u32)> {
        match self {
            Input::Gate { routes, .. } => routes.get(channel).copied(),
            Input::Source(_) => None,
        }
    }

    /// In how many milliseconds the input wants to be looked at again.
    fn timeout_ms(&self, chain: &Chain) -> Option<i64> {
        match self {
            Input::Gate { .. } => None,
            Input::Source(source) => source.timeout_ms(chain.clock.now_ms()),
        }
    }
}

async fn accept(
    chain: &mut Chain,
    route: Option<(usize, u32, u32)>,
    element: Element,
) -> Result<()> {
    let Some((node, input, channel)) = route else {
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
    chain.push(node, input, channel, event).await
}
