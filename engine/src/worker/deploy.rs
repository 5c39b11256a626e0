//! Opening the channels of a run, and starting its subtasks.

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Ends, Event, QUEUE, Running, Worker};
use crate::checkpoint::CheckpointStore;
use crate::control::{Deployment, Run, WorkerId};
use crate::error::{EngineError, Result};
use crate::exchange::frame::Hello;
use crate::exchange::network::{self, Inlets, Outgoing};
use crate::exchange::{ChannelSender, Delivery, EdgeOutput, InputGate, queue_capacity};
use crate::graph::execution::{ChannelId, SubtaskId, input_channels, output_channels};
use crate::graph::{Edge, EdgeId, JobGraph};
use crate::metrics::SubtaskMetrics;
use crate::subtask::{self, COLLECT_WINDOW, Plan, ReportKind, Reporter, Wiring};

/// A run whose channels are open and whose subtasks have not started.
pub(super) struct Prepared {
    deployment: Deployment,
    gates: HashMap<SubtaskId, (InputGate, Vec<(EdgeId, u32)>)>,
    queues: Arc<HashMap<ChannelId, (mpsc::Sender<Delivery>, usize)>>,
}

/// The sending side of the connections of a run, by worker.
type Connections = BTreeMap<
    WorkerId,
    (
        mpsc::Sender<Outgoing>,
        Arc<HashMap<ChannelId, Arc<Semaphore>>>,
    ),
>;

impl Worker {
    /// Opens the receiving ends of all channels of a run's subtasks on this worker.
    pub(super) fn prepare(&mut self, deployment: Deployment) -> Result<()> {
        deployment.graph.validate()?;
        let graph = &deployment.graph;
        let window = graph.settings.channel_bytes;
        let mut gates = HashMap::new();
        let mut queues = HashMap::new();
        for subtask in deployment.placement.of(&self.config.id) {
            let mut channels = Vec::new();
            for edge in graph.edges.iter().filter(|e| e.to == subtask.vertex) {
                channels.extend(input_channels(graph, edge, subtask.index)?);
            }
            if channels.is_empty() {
                continue;
            }
            let (queue, receiver) = mpsc::channel(queue_capacity(channels.len(), window));
            for (ordinal, channel) in channels.iter().enumerate() {
                queues.insert(*channel, (queue.clone(), ordinal));
            }
            let overtaking = graph.settings.checkpoints.overtake_after_ms.is_some()
                && deployment.checkpoints.is_some();
            let gate = InputGate::new(receiver, channels.len(), overtaking);
            gates.insert(
                subtask,
                (gate, channels.iter().map(|c| (c.edge, c.from)).collect()),
            );
        }
        let queues = Arc::new(queues);
        let stop = CancellationToken::new();
        let inlets = Inlets {
            gates: Arc::clone(&queues),
            stop: stop.clone(),
        };
        let run = deployment.run.clone();
        let patience = Duration::from_millis(graph.settings.cancellation_timeout_ms);
        let prepared = Some(Prepared {
            deployment,
            gates,
            queues,
        });
        let running = Running {
            stop,
            deadline: None,
            patience,
            prepared,
            ends: HashMap::new(),
        };
        self.insert_run(run, running, inlets);
        Ok(())
    }

    /// Connects to the other workers of a run and starts its subtasks here.
    pub(super) async fn start(&mut self, run: &Run) -> Result<()> {
        let Some(running) = self.runs.get_mut(run) else {
            return Ok(());
        };
        let Some(prepared) = running.prepared.take() else {
            return Ok(());
        };
        let stop = running.stop.clone();
        let Prepared {
            deployment,
            mut gates,
            queues,
        } = prepared;
        let connections = self.connect(&deployment, &stop).await?;
        let subtasks: Vec<SubtaskId> = deployment.placement.of(&self.config.id).collect();
        for subtask in subtasks {
            let outputs = self.outputs(&deployment, subtask, &queues, &connections)?;
            let (commands, command_queue) = mpsc::channel(QUEUE);
            let reporter =
                Reporter::new(self.reports.clone(), run.job.clone(), run.attempt, subtask);
            let gate = gates.remove(&subtask);
            let collect_window = Arc::new(Semaphore::new(COLLECT_WINDOW));
            let window = Arc::clone(&collect_window);
            let wiring = Wiring {
                gate,
                outputs,
                commands: command_queue,
                reporter,
                collect_window,
            };
            let plan = self.plan(&deployment, subtask)?;
            self.spawn(run, plan, wiring, Ends { commands, window }, stop.clone())?;
        }
        Ok(())
    }

    fn plan(&self, deployment: &Deployment, subtask: SubtaskId) -> Result<Plan> {
        let restore = match &deployment.restore {
            Some((manifest, folder)) => Some((Arc::clone(manifest), CheckpointStore::at(folder)?)),
            None => None,
        };
        let store = deployment
            .checkpoints
            .as_deref()
            .map(CheckpointStore::at)
            .transpose()?
            .map(|store| store.with_failpoints(&self.environment.failpoints));
        Ok(Plan {
            job: deployment.run.job.clone(),
            attempt: deployment.run.attempt,
            id: subtask,
            graph: Arc::clone(&deployment.graph),
            restore,
            store,
            environment: self.environment.clone(),
            scratch: self.run_scratch(&deployment.run),
            metrics: Arc::new(SubtaskMetrics::default()),
        })
    }

    async fn connect(
        &self,
        deployment: &Deployment,
        stop: &CancellationToken,
    ) -> Result<Connections> {
        let graph = &deployment.graph;
        let mut credits: BTreeMap<WorkerId, HashMap<ChannelId, Arc<Semaphore>>> = BTreeMap::new();
        for subtask in deployment.placement.of(&self.config.id) {
            for edge in graph.edges.iter().filter(|e| e.from == subtask.vertex) {
                for channel in output_channels(graph, edge, subtask.index)? {
                    let worker = consumer(deployment, edge, channel)?;
                    if *worker != self.config.id {
                        let window = Semaphore::new(graph.settings.channel_bytes);
                        let of_worker = credits.entry(worker.clone()).or_default();
                        of_worker.insert(channel, Arc::new(window));
                    }
                }
            }
        }
        let mut connections = Connections::new();
        for (worker, credits) in credits {
            let address = deployment.addresses.get(&worker).ok_or_else(|| {
                EngineError::internal(format!("worker {worker} has no data address"))
            })?;
            let hello = Hello {
                version: crate::VERSION.to_string(),
                job: deployment.run.job.clone(),
                attempt: deployment.run.attempt,
                worker: self.config.id.0.clone(),
            };
            let credits = Arc::new(credits);
            let failed = self.failures(&deployment.run);
            let queue =
                network::connect(address, &hello, Arc::clone(&credits), stop.clone(), failed)
                    .await?;
            connections.insert(worker, (queue, credits));
        }
        Ok(connections)
    }

    /// A queue for the failure of a connection.
    fn failures(&self, run: &Run) -> mpsc::Sender<EngineError> {
        let (failed, mut failures) = mpsc::channel(1);
        let (events, run) = (self.events.clone(), run.clone());
        tokio::spawn(async move {
            if let Some(error) = failures.recv().await {
                let _ = events.send(Event::Disconnected(run, error)).await;
            }
        });
        failed
    }

    fn outputs(
        &self,
        deployment: &Deployment,
        subtask: SubtaskId,
        queues: &HashMap<ChannelId, (mpsc::Sender<Delivery>, usize)>,
        connections: &Connections,
    ) -> Result<Vec<(EdgeId, EdgeOutput)>> {
        let graph: &JobGraph = &deployment.graph;
        let window = graph.settings.channel_bytes;
        let lost = || EngineError::internal("a channel leads nowhere");
        let mut outputs = Vec::new();
        for edge in graph.edges.iter().filter(|e| e.from == subtask.vertex) {
            let mut senders = Vec::new();
            for channel in output_channels(graph, edge, subtask.index)? {
                let worker = consumer(deployment, edge, channel)?;
                senders.push(if *worker == self.config.id {
                    let (queue, ordinal) = queues.get(&channel).ok_or_else(lost)?;
                    ChannelSender::local(queue.clone(), *ordinal, window)
                } else {
                    let (queue, credits) = connections.get(worker).ok_or_else(lost)?;
                    let credits = credits.get(&channel).ok_or_else(lost)?;
                    ChannelSender::remote(queue.clone(), channel, Arc::clone(credits), window)
                });
            }
            let output = EdgeOutput::new(
                subtask.index,
                edge.partitioning.clone(),
                Arc::clone(&edge.schema.0),
                graph.settings.max_parallelism,
                graph.settings.batch_rows,
                senders,
            );
            outputs.push((edge.id, output));
        }
        Ok(outputs)
    }

    fn spawn(
        &mut self,
        run: &Run,
        plan: Plan,
        wiring: Wiring,
        ends: Ends,
        stop: CancellationToken,
    ) -> Result<()> {
        let subtask = plan.id;
        let vertex = plan.graph.vertex(subtask.vertex)?.name.clone();
        self.lock_metrics().insert(
            (run.clone(), subtask),
            (vertex.clone(), Arc::clone(&plan.metrics)),
        );
        let (events, event_run) = (self.events.clone(), run.clone());
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new().name(format!("{vertex}/{}", subtask.index));
        let body = move || {
            let reporter = wiring.reporter.clone();
            let work = AssertUnwindSafe(|| runtime.block_on(run_subtask(plan, wiring, stop)));
            if let Err(panic) = std::panic::catch_unwind(work) {
                let error = EngineError::internal("a subtask broke down")
                    .with_detail(panic_message(panic.as_ref()));
                runtime.block_on(reporter.send(ReportKind::Failed(error)));
            }
            let _ = runtime.block_on(events.send(Event::ThreadEnded(event_run, subtask)));
        };
        let spawned = thread.spawn(body);
        spawned.map_err(|e| {
            EngineError::resource("no thread can be started for a subtask")
                .with_detail(e.to_string())
        })?;
        if let Some(running) = self.runs.get_mut(run) {
            running.ends.insert(subtask, ends);
        }
        Ok(())
    }
}

async fn run_subtask(plan: Plan, wiring: Wiring, stop: CancellationToken) {
    let reporter = wiring.reporter.clone();
    let built = tokio::select! {
        () = stop.cancelled() => Err(EngineError::cancelled()),
        built = subtask::build(plan, wiring) => built,
    };
    match built {
        Ok(subtask) => subtask.run(stop).await,
        Err(error) => reporter.send(ReportKind::Failed(error)).await,
    }
}

fn consumer<'a>(
    deployment: &'a Deployment,
    edge: &Edge,
    channel: ChannelId,
) -> Result<&'a WorkerId> {
    let subtask = SubtaskId {
        vertex: edge.to,
        index: channel.to,
    };
    deployment
        .placement
        .worker(subtask)
        .ok_or_else(|| EngineError::internal(format!("subtask {subtask} is placed nowhere")))
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}
