//! The coordinator: accepts jobs, gives them slots, takes their checkpoints, restarts what failed.
//!
//! One task owns everything and takes [`Input`]s from one bounded queue, so nothing here needs a
//! lock. The logic of each job is in [`job`], without I/O; this file does what it asks for.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::checkpoint::{CheckpointStore, Manifest};
use crate::client::{JobStatus, StopMode};
use crate::control::{Registration, Run, ToCoordinator, ToWorker, WorkerId};
use crate::element::Batch;
use crate::error::{EngineError, ErrorKind, Result};
use crate::failpoint::Failpoints;
use crate::graph::{JobGraph, JobId, OperatorSpec};
use crate::subtask::COLLECT_WINDOW;
use crate::time::Clock;

mod client;
pub mod job;
mod metrics_page;
mod recovery;
pub mod registry;
mod savepoint;
mod scheduling;
mod silence;
mod views;

pub use client::LocalClient;
pub use metrics_page::{render as render_metrics, render_memory};
pub use recovery::{TakenUp, recover};

use job::{Action, Job};
use registry::{Record, Registry};
use silence::Silence;

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(10);
/// How many inputs may wait.
const QUEUE: usize = 4096;
/// How many messages to a worker may wait.
pub const WORKER_QUEUE: usize = 4096;
/// How many ended jobs are remembered.
const ENDED_JOBS: usize = 1000;

/// How a coordinator is set up.
#[derive(Debug)]
pub struct CoordinatorConfig {
    /// Where checkpoints go if a job does not say; a directory or an object-store URL.
    pub checkpoint_dir: Option<String>,
    /// Makes job ids different from those of other coordinators.
    pub id_seed: u64,
    /// Where jobs are written down, with those that were; without it they end with the process.
    pub registry: Option<(Registry, Vec<TakenUp>)>,
    /// Where the process is to die, in tests of crashes.
    pub failpoints: Failpoints,
}

/// What a coordinator takes in.
pub enum Input {
    /// A worker introduces itself; this is the queue that leads to it.
    Register(Registration, mpsc::Sender<ToWorker>),
    /// A worker says something.
    Worker(WorkerId, ToCoordinator),
    /// A worker's connection has ended.
    WorkerLost(WorkerId, String),
    /// A job, its checkpoint to start from, and where the id goes.
    Submit(
        Box<JobGraph>,
        Option<(Arc<Manifest>, String)>,
        oneshot::Sender<Result<JobId>>,
    ),
    /// It has been written down that a job has ended, or could not be.
    EndWritten(JobId, bool),
    /// A job that has been written down.
    Admit(u64, Box<Entry>, oneshot::Sender<Result<JobId>>),
    /// Where a job stands.
    Status(JobId, oneshot::Sender<Result<JobStatus>>),
    /// Follow a job's end.
    Watch(JobId, oneshot::Sender<Result<watch::Receiver<bool>>>),
    /// All jobs.
    List(oneshot::Sender<Vec<JobStatus>>),
    /// Stop a job.
    Stop(JobId, StopMode, oneshot::Sender<Result<()>>),
    /// Copy what a job remembers to a folder of its own in a directory, and say where that is.
    Savepoint(JobId, Option<String>, oneshot::Sender<Result<String>>),
    /// A copy has been made, or not; the checkpoint is no longer needed for it.
    Exported(JobId, Arc<Manifest>),
    /// The rows of a job.
    Results(JobId, oneshot::Sender<Result<mpsc::Receiver<Batch>>>),
    /// The client has taken a batch.
    Collected(JobId),
    /// The client has stopped reading.
    Abandoned(JobId),
    /// A manifest has been written, or not.
    ManifestWritten(Run, Arc<Manifest>, Result<()>),
    /// The workers, for the metrics page.
    Workers(oneshot::Sender<Vec<(WorkerId, u32, u32)>>),
}

/// A coordinator's state.
pub struct Coordinator {
    checkpoint_dir: Option<String>,
    id_seed: u64,
    registry: Option<Registry>,
    failpoints: Failpoints,
    clock: Arc<dyn Clock>,
    inputs: mpsc::Sender<Input>,
    workers: BTreeMap<WorkerId, WorkerEntry>,
    silence: Silence,
    jobs: BTreeMap<u64, Entry>,
    ids: HashMap<JobId, u64>,
    submitted: u64,
}

struct WorkerEntry {
    slots: u32,
    data_address: Option<String>,
    queue: mpsc::Sender<ToWorker>,
    heard_ms: i64,
}

/// A job of the coordinator and what belongs to it.
pub struct Entry {
    job: Job,
    /// The job on disk, if it outlives the coordinator.
    record: Option<Record>,
    store: Option<CheckpointStore>,
    rows: Option<mpsc::Sender<Batch>>,
    reader: Option<mpsc::Receiver<Batch>>,
    ended: watch::Sender<bool>,
    /// Its end is on disk, or nothing of it is.
    end_is_known: bool,
    savepoints: savepoint::Savepoints,
}

/// Starts a coordinator; it runs until `stop`.
pub fn start(
    config: CoordinatorConfig,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> mpsc::Sender<Input> {
    let (inputs, queue) = mpsc::channel(QUEUE);
    let (registry, taken_up) = config.registry.unzip();
    let mut coordinator = Coordinator {
        checkpoint_dir: config.checkpoint_dir,
        id_seed: config.id_seed,
        registry,
        failpoints: config.failpoints,
        clock,
        inputs: inputs.clone(),
        workers: BTreeMap::new(),
        silence: Silence::default(),
        jobs: BTreeMap::new(),
        ids: HashMap::new(),
        submitted: 0,
    };
    coordinator.take_up(taken_up.unwrap_or_default());
    tokio::spawn(coordinator.run(queue, stop));
    inputs
}

impl Coordinator {
    async fn run(mut self, mut queue: mpsc::Receiver<Input>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                input = queue.recv() => match input {
                    Some(input) => self.take(input),
                    None => return,
                },
                _ = ticks.tick() => self.tick(),
            }
            self.schedule();
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Register(registration, queue) => self.register(registration, queue),
            Input::Worker(worker, message) => self.worker_says(&worker, message),
            Input::WorkerLost(worker, why) => self.worker_lost(&worker, &why),
            Input::Submit(graph, restore, reply) => match self.prepare(*graph, restore) {
                Ok((number, entry)) => self.write_down(number, entry, reply),
                Err(error) => {
                    let _ = reply.send(Err(error));
                }
            },
            Input::EndWritten(id, written) => self.tell_end(&id, written),
            Input::Admit(number, entry, reply) => {
                let _ = reply.send(self.admit_written(number, *entry));
            }
            Input::Status(id, reply) => {
                let _ = reply.send(self.entry(&id).map(|e| e.job.status()));
            }
            Input::Watch(id, reply) => {
                let _ = reply.send(self.entry(&id).map(|e| e.ended.subscribe()));
            }
            Input::List(reply) => {
                let _ = reply.send(self.jobs.values().map(|e| e.job.status()).collect());
            }
            Input::Stop(id, mode, reply) => {
                let now = self.clock.now_ms();
                let stopped = self.entry(&id).map(|e| e.job.stop(mode, now));
                let _ = reply.send(stopped.map(|actions| self.act(&id, actions)));
            }
            Input::Savepoint(id, dir, reply) => self.savepoint(&id, dir, reply),
            Input::Exported(id, manifest) => {
                if let Ok(entry) = self.entry(&id) {
                    entry.savepoints.unpin(&manifest);
                    self.remove_checkpoints(&id);
                }
            }
            Input::Results(id, reply) => {
                let taken = self.entry(&id).and_then(|e| {
                    e.reader.take().ok_or_else(|| {
                        EngineError::config(format!("the rows of job {id} have a reader already"))
                    })
                });
                let _ = reply.send(taken);
            }
            Input::Collected(id) => {
                let actions = self
                    .entry(&id)
                    .map(|e| e.job.collected(1))
                    .unwrap_or_default();
                self.act(&id, actions);
            }
            Input::Abandoned(id) => self.cancel_abandoned(&id),
            Input::ManifestWritten(run, manifest, outcome) => {
                let now = self.clock.now_ms();
                let id = run.job.clone();
                let written = |e: &mut Entry| e.job.manifest_written(&run, manifest, outcome, now);
                let actions = self.entry(&id).map(written).unwrap_or_default();
                self.act(&id, actions);
                // It may have been written after the job's end.
                self.remove_checkpoints(&id);
            }
            Input::Workers(reply) => {
                let free = self.free_slots();
                let row = |(id, w): (&WorkerId, &WorkerEntry)| {
                    (id.clone(), w.slots, free.get(id).copied().unwrap_or(0))
                };
                let _ = reply.send(self.workers.iter().map(row).collect());
            }
        }
    }

    fn register(&mut self, registration: Registration, queue: mpsc::Sender<ToWorker>) {
        if registration.version != crate::VERSION {
            let error = EngineError::config(format!(
                "worker {} has version {}, this coordinator {}",
                registration.worker,
                registration.version,
                crate::VERSION
            ))
            .with_hint("run the same version of levada on every machine of the cluster");
            tracing::warn!("a worker was refused: {error}");
            let _ = queue.try_send(ToWorker::Refused(error));
            return;
        }
        tracing::info!(worker = %registration.worker, slots = registration.slots, "a worker came");
        let _ = queue.try_send(ToWorker::Registered);
        let entry = WorkerEntry {
            slots: registration.slots,
            data_address: registration.data_address,
            queue,
            heard_ms: self.clock.now_ms(),
        };
        self.workers.insert(registration.worker, entry);
    }

    fn worker_says(&mut self, worker: &WorkerId, message: ToCoordinator) {
        let now = self.clock.now_ms();
        match self.workers.get_mut(worker) {
            Some(entry) => entry.heard_ms = now,
            // Declared lost; what it still says counts for nothing.
            None => return,
        }
        let (id, actions) = match message {
            ToCoordinator::Register(_) => return,
            ToCoordinator::Heartbeat(counts) => {
                for (run, subtask, counts) in counts {
                    if let Ok(entry) = self.entry(&run.job) {
                        entry.job.counted(&run, subtask, counts);
                    }
                }
                return;
            }
            ToCoordinator::Deployed(run, error) => {
                let Ok(entry) = self.entry(&run.job) else {
                    return;
                };
                let actions = entry.job.deployed(&run, worker, error, now);
                (run.job, actions)
            }
            ToCoordinator::Report(report) => {
                let run = Run {
                    job: report.job,
                    attempt: report.attempt,
                };
                let Ok(entry) = self.entry(&run.job) else {
                    return;
                };
                let actions = entry.job.reported(&run, report.subtask, report.kind, now);
                (run.job, actions)
            }
            ToCoordinator::Disconnected(run, error) => {
                let Ok(entry) = self.entry(&run.job) else {
                    return;
                };
                let actions = entry.job.disconnected(&run, error, now);
                (run.job, actions)
            }
            ToCoordinator::Released(run) => {
                let Ok(entry) = self.entry(&run.job) else {
                    return;
                };
                let actions = entry.job.released(&run, worker, now);
                (run.job, actions)
            }
        };
        self.act(&id, actions);
    }

    fn worker_lost(&mut self, worker: &WorkerId, why: &str) {
        if self.workers.remove(worker).is_none() {
            return;
        }
        tracing::warn!(%worker, why, "a worker is lost");
        let now = self.clock.now_ms();
        let ids: Vec<JobId> = self.ids.keys().cloned().collect();
        for id in ids {
            let lost = |e: &mut Entry| e.job.worker_lost(worker, why, now);
            let actions = self.entry(&id).map(lost).unwrap_or_default();
            self.act(&id, actions);
        }
    }

    /// Makes a job of a graph, which counts when it is admitted.
    fn prepare(
        &mut self,
        mut graph: JobGraph,
        restore: Option<(Arc<Manifest>, String)>,
    ) -> Result<(u64, Entry)> {
        graph.validate()?;
        self.check_view(&graph)?;
        let mut listing = Vec::new();
        let restore = match restore {
            None => None,
            Some((manifest, folder)) => {
                let restored = manifest.restore(&graph)?;
                listing = restored.listing;
                Some((Arc::new(restored.manifest), folder))
            }
        };
        self.submitted += 1;
        let id = JobId(format!("{:08x}-{:04}", self.id_seed as u32, self.submitted));
        let settings = &mut graph.settings.checkpoints;
        if settings.interval_ms.is_some() && settings.dir.is_none() {
            settings.dir = self.checkpoint_dir.clone();
        }
        // A directory alone is for the checkpoint with which a job is stopped.
        let dir = settings.dir.as_deref();
        let store = dir.map(|dir| CheckpointStore::open(dir, &id)).transpose()?;
        if store.is_none() && graph.settings.view.is_some() {
            return Err(views::nowhere());
        }
        let store = store.map(|store| store.with_failpoints(&self.failpoints));
        let folder = store.as_ref().map(|s| s.folder().to_string());
        let collects = graph
            .vertices
            .iter()
            .flat_map(|v| &v.operators)
            .any(|o| matches!(o.spec, OperatorSpec::Collect));
        let (rows, reader) = match collects {
            // The window of the collector fits, with what the last run may have left.
            true => {
                let (rows, reader) = mpsc::channel(COLLECT_WINDOW * 2);
                (Some(rows), Some(reader))
            }
            false => (None, None),
        };
        let now_ms = self.clock.now_ms();
        // Who reads the rows of a query is gone when the coordinator is.
        let record = (self.registry.is_some() && !collects).then(|| {
            let (id, graph) = (id.clone(), graph.clone());
            Record::new(id, self.submitted, graph, folder.clone(), now_ms)
        });
        for line in &listing {
            tracing::info!(job = %id, "restored: {line}");
        }
        let mut job = Job::new(id, graph, folder, restore, now_ms);
        job.set_restored(listing);
        let entry = Entry {
            job,
            record,
            store,
            rows,
            reader,
            ended: watch::Sender::new(false),
            end_is_known: false,
            savepoints: savepoint::Savepoints::default(),
        };
        Ok((self.submitted, entry))
    }

    /// Takes a job among the others.
    fn admit(&mut self, number: u64, entry: Entry) -> JobId {
        let id = entry.job.run().job.clone();
        tracing::info!(job = %id, name = entry.job.graph().name, "a job was submitted");
        self.jobs.insert(number, entry);
        self.ids.insert(id.clone(), number);
        self.forget_ended();
        id
    }

    fn forget_ended(&mut self) {
        let ended = self
            .jobs
            .iter()
            .filter(|(_, e)| e.job.has_ended() && e.job.kept_view().is_none())
            .map(|(n, _)| *n);
        let ended: Vec<u64> = ended.collect();
        for number in ended.iter().take(ended.len().saturating_sub(ENDED_JOBS)) {
            if let Some(entry) = self.jobs.remove(number) {
                self.erase(entry);
            }
            self.ids.retain(|_, n| n != number);
        }
    }

    fn entry(&mut self, id: &JobId) -> Result<&mut Entry> {
        let entry = self
            .ids
            .get(id)
            .and_then(|number| self.jobs.get_mut(number));
        entry.ok_or_else(|| {
            EngineError::config(format!("there is no job '{id}'")).with_hint("SHOW JOBS lists them")
        })
    }

    fn cancel_abandoned(&mut self, id: &JobId) {
        let now = self.clock.now_ms();
        let cancel = |e: &mut Entry| e.job.stop(StopMode::Cancel, now);
        let actions = self.entry(id).map(cancel).unwrap_or_default();
        self.act(id, actions);
    }

    fn tick(&mut self) {
        let now = self.clock.now_ms();
        let unheard = self.silence.look(now);
        let mut lost: Vec<WorkerId> = Vec::new();
        for (id, worker) in &mut self.workers {
            worker.heard_ms = worker.heard_ms.saturating_add(unheard);
            if Silence::is_lost(worker.heard_ms, now) {
                lost.push(id.clone());
            }
        }
        for worker in lost {
            self.worker_lost(&worker, "it has been silent for too long");
        }
        let ids: Vec<JobId> = self.ids.keys().cloned().collect();
        for id in ids {
            let actions = self.entry(&id).map(|e| e.job.tick(now)).unwrap_or_default();
            self.act(&id, actions);
        }
    }

    fn act(&mut self, id: &JobId, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(worker, message) => self.send(&worker, message),
                Action::WriteManifest(manifest) => self.write_manifest(id, manifest),
                Action::Retain(retained) => self.retain(id, retained),
                Action::Export(tickets, manifest) => self.export(id, &tickets, manifest),
                Action::NoSavepoint(tickets, error) => {
                    if let Ok(entry) = self.entry(id) {
                        entry.savepoints.refuse(&tickets, &error);
                    }
                }
                Action::Rows(batch) => self.hand_over(id, batch),
                Action::Ended => self.ended(id),
            }
        }
    }

    fn send(&mut self, worker: &WorkerId, message: ToWorker) {
        let Some(entry) = self.workers.get(worker) else {
            return;
        };
        if entry.queue.try_send(message).is_err() {
            let (inputs, worker) = (self.inputs.clone(), worker.clone());
            tokio::spawn(async move {
                let why = "it no longer takes messages".to_string();
                let _ = inputs.send(Input::WorkerLost(worker, why)).await;
            });
        }
    }

    fn write_manifest(&mut self, id: &JobId, manifest: Arc<Manifest>) {
        let inputs = self.inputs.clone();
        let Ok(entry) = self.entry(id) else { return };
        let (store, run) = (entry.store.clone(), entry.job.run().clone());
        tokio::spawn(async move {
            let outcome = match store {
                Some(store) => store.put_manifest(&manifest).await,
                None => Ok(()),
            };
            let _ = inputs
                .send(Input::ManifestWritten(run, manifest, outcome))
                .await;
        });
    }

    /// Removes checkpoints that are no longer retained, in the background.
    fn retain(&mut self, id: &JobId, retained: Vec<Arc<Manifest>>) {
        let Ok(entry) = self.entry(id) else { return };
        let Some(store) = entry.store.clone() else {
            return;
        };
        let Some(oldest) = retained.first().map(|m| m.barrier.checkpoint_id) else {
            return;
        };
        let pinned = entry.savepoints.pinned();
        tokio::spawn(async move {
            let kept: Vec<&Manifest> = retained.iter().chain(&pinned).map(Arc::as_ref).collect();
            let clean = async {
                for id in store.list().await?.into_iter().filter(|id| *id < oldest) {
                    store.remove(id).await?;
                }
                store.sweep(oldest, &kept).await
            };
            match clean.await {
                Ok(()) => {}
                // The process is ending; the next checkpoint's sweep finds them.
                Err(error) if error.kind == ErrorKind::Cancelled => {}
                Err(error) => tracing::warn!("old checkpoints could not be removed: {error}"),
            }
        });
    }

    fn hand_over(&mut self, id: &JobId, batch: Batch) {
        let Ok(entry) = self.entry(id) else { return };
        let Some(rows) = &entry.rows else { return };
        if rows.try_send(batch).is_err() {
            self.cancel_abandoned(id);
        }
    }
}
