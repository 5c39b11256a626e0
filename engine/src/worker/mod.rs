//! A worker: offers slots and runs subtasks, each on a thread of its own.
//!
//! It does what the coordinator says, over a pair of queues that either stay in the process or
//! lead across the network: open the channels of a run, start it, pass commands on, end it. When
//! the coordinator is gone, everything that runs is ended.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::Environment;
use crate::control::{Registration, Run, ToCoordinator, ToWorker, WorkerId};
use crate::error::{EngineError, Result};
use crate::exchange::network::{InletRegistry, Inlets};
use crate::graph::execution::SubtaskId;
use crate::metrics::SubtaskMetrics;
use crate::subtask::{Command, Report};

mod deploy;

use deploy::Prepared;

/// How often a worker reports what it has counted.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How many reports and commands may wait.
const QUEUE: usize = 1024;

/// How a worker is set up.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Its name, not used before.
    pub id: WorkerId,
    /// How many slots it offers.
    pub slots: u32,
    /// Where it accepts data connections, as others reach it.
    pub data_address: Option<String>,
}

/// The counters of the subtasks that run on a worker, for its metrics page.
pub type MetricsTable =
    Arc<std::sync::Mutex<BTreeMap<(Run, SubtaskId), (String, Arc<SubtaskMetrics>)>>>;

/// A worker.
pub struct Worker {
    config: WorkerConfig,
    environment: Environment,
    inlets: InletRegistry,
    metrics: MetricsTable,
    runs: HashMap<Run, Running>,
    coordinator: mpsc::Sender<ToCoordinator>,
    reports: mpsc::Sender<Report>,
    events: mpsc::Sender<Event>,
    scratch: PathBuf,
}

/// One run of a job on this worker.
struct Running {
    stop: CancellationToken,
    /// Since it was cancelled: when its threads are waited for no longer.
    deadline: Option<Instant>,
    /// How long they may take.
    patience: Duration,
    prepared: Option<Prepared>,
    /// Of the subtasks whose threads have not ended.
    ends: HashMap<SubtaskId, Ends>,
}

impl Running {
    fn stop(&mut self) {
        self.stop.cancel();
        self.deadline
            .get_or_insert_with(|| Instant::now() + self.patience);
    }

    /// Whether it was cancelled and its last thread has ended.
    fn is_done(&self) -> bool {
        self.deadline.is_some() && self.ends.is_empty()
    }
}

/// The worker's ends of a subtask.
struct Ends {
    commands: mpsc::Sender<Command>,
    /// Grows when the client has taken rows; not a command, since a collector that waits for it
    /// takes none.
    window: Arc<tokio::sync::Semaphore>,
}

/// What happens inside a worker.
enum Event {
    /// A subtask's thread has ended.
    ThreadEnded(Run, SubtaskId),
    /// A connection of a run has failed.
    Disconnected(Run, EngineError),
}

impl Worker {
    /// Runs until the coordinator hangs up (`from` ends), refuses it, or `stop`.
    pub async fn run(
        config: WorkerConfig,
        environment: Environment,
        inlets: InletRegistry,
        metrics: MetricsTable,
        to: mpsc::Sender<ToCoordinator>,
        from: mpsc::Receiver<ToWorker>,
        stop: CancellationToken,
    ) -> Result<()> {
        let (reports, report_queue) = mpsc::channel(QUEUE);
        let (events, event_queue) = mpsc::channel(QUEUE);
        let scratch = environment
            .scratch_dir
            .join(format!("worker-{}", config.id));
        let registration = Registration {
            worker: config.id.clone(),
            version: crate::VERSION.to_string(),
            slots: config.slots,
            data_address: config.data_address.clone(),
        };
        let _ = to.send(ToCoordinator::Register(registration)).await;
        let mut worker = Worker {
            config,
            environment,
            inlets,
            metrics,
            runs: HashMap::new(),
            coordinator: to,
            reports,
            events,
            scratch,
        };
        let outcome = worker.serve(from, report_queue, event_queue, stop).await;
        worker.end_everything().await;
        outcome
    }

    async fn serve(
        &mut self,
        mut from: mpsc::Receiver<ToWorker>,
        mut reports: mpsc::Receiver<Report>,
        mut events: mpsc::Receiver<Event>,
        stop: CancellationToken,
    ) -> Result<()> {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                message = from.recv() => match message {
                    None => return Err(EngineError::network("the coordinator is gone")),
                    Some(ToWorker::Refused(error)) => return Err(error),
                    Some(message) => self.obey(message).await,
                },
                Some(report) = reports.recv() => self.say(ToCoordinator::Report(report)).await,
                Some(event) = events.recv() => self.happened(event).await,
                _ = heartbeat.tick() => {
                    let counts = self.counts();
                    self.say(ToCoordinator::Heartbeat(counts)).await;
                    self.abandon_stuck(Instant::now()).await;
                }
            }
        }
    }

    async fn say(&self, message: ToCoordinator) {
        // A coordinator that is gone shows as the end of its queue.
        let _ = self.coordinator.send(message).await;
    }

    async fn obey(&mut self, message: ToWorker) {
        match message {
            ToWorker::Registered => tracing::info!(worker = %self.config.id, "registered"),
            ToWorker::Refused(_) => {}
            ToWorker::Deploy(deployment) => {
                let run = deployment.run.clone();
                let outcome = self.prepare(*deployment).err();
                self.say(ToCoordinator::Deployed(run, outcome)).await;
            }
            ToWorker::Start(run) => {
                if let Err(error) = self.start(&run).await {
                    self.say(ToCoordinator::Disconnected(run, error)).await;
                }
            }
            ToWorker::Command {
                run,
                subtasks,
                command,
            } => self.command(&run, &subtasks, command).await,
            ToWorker::Collected {
                run,
                subtask,
                batches,
            } => {
                if let Some(ends) = self.runs.get(&run).and_then(|r| r.ends.get(&subtask)) {
                    ends.window.add_permits(batches as usize);
                }
            }
            ToWorker::Cancel(run) => self.cancel(&run).await,
        }
    }

    async fn command(&mut self, run: &Run, subtasks: &[SubtaskId], command: Command) {
        let Some(running) = self.runs.get(run) else {
            return;
        };
        let mut stuck = false;
        for subtask in subtasks {
            if let Some(ends) = running.ends.get(subtask) {
                let full = matches!(
                    ends.commands.try_send(command),
                    Err(mpsc::error::TrySendError::Full(_))
                );
                stuck |= full;
            }
        }
        if stuck {
            let error = EngineError::resource("a subtask no longer takes commands");
            self.say(ToCoordinator::Disconnected(run.clone(), error))
                .await;
        }
    }

    async fn cancel(&mut self, run: &Run) {
        match self.runs.get_mut(run) {
            Some(running) => {
                running.stop();
                self.inlets.remove(&run.job, run.attempt);
                self.release_if_done(run).await;
            }
            None => self.say(ToCoordinator::Released(run.clone())).await,
        }
    }

    async fn happened(&mut self, event: Event) {
        match event {
            Event::ThreadEnded(run, subtask) => {
                self.lock_metrics().remove(&(run.clone(), subtask));
                if let Some(running) = self.runs.get_mut(&run) {
                    running.ends.remove(&subtask);
                }
                self.release_if_done(&run).await;
            }
            Event::Disconnected(run, error) => {
                if self.runs.get(&run).is_some_and(|r| !r.stop.is_cancelled()) {
                    self.say(ToCoordinator::Disconnected(run, error)).await;
                }
            }
        }
    }

    /// Forgets a cancelled run when its last thread has ended, and says so. Before that its
    /// connections stay: other workers may not be done with them.
    async fn release_if_done(&mut self, run: &Run) {
        if !self.runs.get(run).is_some_and(Running::is_done) {
            return;
        }
        self.runs.remove(run);
        self.inlets.remove(&run.job, run.attempt);
        let scratch = self.run_scratch(run);
        // State on disk may be large; its removal must not hold anyone up.
        tokio::task::spawn_blocking(move || std::fs::remove_dir_all(scratch));
        self.say(ToCoordinator::Released(run.clone())).await;
    }

    /// Waits no longer for threads that do not end, since the job has to go on: they sit in a call of a
    /// connector that does not return. If it does at last, the thread ends at once, and its sink is as
    /// one whose process has died.
    async fn abandon_stuck(&mut self, now: Instant) {
        let mut released = Vec::new();
        for (run, running) in &mut self.runs {
            if running.deadline.is_none_or(|deadline| now < deadline) {
                continue;
            }
            for (subtask, _) in running.ends.drain() {
                tracing::error!(job = %run.job, attempt = run.attempt, %subtask,
                    "a subtask has not ended {:?} after it was cancelled; the job goes on without it",
                    running.patience);
            }
            released.push(run.clone());
        }
        for run in released {
            self.release_if_done(&run).await;
        }
    }

    fn run_scratch(&self, run: &Run) -> PathBuf {
        self.scratch.join(format!("{}-{}", run.job, run.attempt))
    }

    fn counts(&self) -> Vec<(Run, SubtaskId, crate::metrics::SubtaskSnapshot)> {
        let metrics = self.lock_metrics();
        metrics
            .iter()
            .map(|((run, subtask), (_, m))| (run.clone(), *subtask, m.snapshot()))
            .collect()
    }

    fn lock_metrics(
        &self,
    ) -> std::sync::MutexGuard<'_, BTreeMap<(Run, SubtaskId), (String, Arc<SubtaskMetrics>)>> {
        self.metrics
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn end_everything(&mut self) {
        for (run, running) in &mut self.runs {
            running.stop();
            self.inlets.remove(&run.job, run.attempt);
        }
        let scratch = self.scratch.clone();
        let _ = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(scratch)).await;
    }

    fn insert_run(&mut self, run: Run, running: Running, inlets: Inlets) {
        self.inlets.insert(run.job.clone(), run.attempt, inlets);
        self.runs.insert(run, running);
    }
}
