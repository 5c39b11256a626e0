//! Processes: coordinator and worker in one, or apart.
//!
//! [`Embedded`] runs both in this process, with queues for the network. [`coordinator_process`]
//! and [`worker_process`] run one of them; [`connect`] is a client of another process. All run the
//! same coordinator and worker code.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::client::Environment;
use crate::control::{ToCoordinator, ToWorker, WorkerId};
use crate::coordinator::{self, CoordinatorConfig, Input, LocalClient, WORKER_QUEUE};
use crate::error::{EngineError, ErrorKind, Result};
use crate::exchange::network::{InletRegistry, listen};
use crate::worker::{MetricsTable, Worker, WorkerConfig};

mod http;
mod rpc;
#[cfg(test)]
mod tests;

pub use rpc::{RemoteClient, connect};

/// How many messages from a worker may wait.
const FROM_WORKER_QUEUE: usize = 1024;

/// Coordinator and one worker in this process.
pub struct Embedded {
    client: LocalClient,
    stop: CancellationToken,
}

impl Embedded {
    /// Starts them with so many slots; checkpoints go to `checkpoint_dir` if a job does not say.
    /// Needs a tokio runtime with several threads.
    pub fn start(slots: u32, checkpoint_dir: Option<String>, environment: Environment) -> Self {
        let stop = CancellationToken::new();
        let config = CoordinatorConfig {
            checkpoint_dir,
            id_seed: seed(&environment),
            registry: None,
            failpoints: environment.failpoints.clone(),
        };
        let inputs = coordinator::start(config, Arc::clone(&environment.clock), stop.clone());
        let client = LocalClient::new(inputs.clone());
        tokio::spawn(embedded_worker(slots, environment, inputs, stop.clone()));
        Embedded { client, stop }
    }

    /// A client.
    pub fn client(&self) -> LocalClient {
        self.client.clone()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What makes names of this process different from those of others.
fn seed(environment: &Environment) -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static STARTED: AtomicU64 = AtomicU64::new(0);
    let nth = STARTED.fetch_add(1, Ordering::Relaxed);
    let now = environment.clock.now_ms() as u64;
    let process = u64::from(std::process::id()).rotate_left(17);
    (now ^ process ^ (nth << 48)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

async fn embedded_worker(
    slots: u32,
    environment: Environment,
    inputs: mpsc::Sender<Input>,
    stop: CancellationToken,
) {
    let (to_coordinator, mut from_worker) = mpsc::channel(FROM_WORKER_QUEUE);
    let (to_worker, from_coordinator) = mpsc::channel::<ToWorker>(WORKER_QUEUE);
    let id = WorkerId(format!("embedded-{:08x}", seed(&environment)));
    let config = WorkerConfig {
        id: id.clone(),
        slots,
        data_address: None,
    };
    let (inlets, metrics) = (InletRegistry::default(), MetricsTable::default());
    let worker = Worker::run(
        config,
        environment,
        inlets,
        metrics,
        to_coordinator,
        from_coordinator,
        stop,
    );
    let forward = async {
        while let Some(message) = from_worker.recv().await {
            let input = match message {
                ToCoordinator::Register(registration) => {
                    Input::Register(registration, to_worker.clone())
                }
                other => Input::Worker(id.clone(), other),
            };
            if inputs.send(input).await.is_err() {
                return;
            }
        }
    };
    let (ended, ()) = tokio::join!(worker, forward);
    if let Err(error) = ended {
        tracing::debug!("the embedded worker ended: {error}");
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|e| {
        EngineError::resource(format!("cannot listen on {address}"))
            .with_detail(e.to_string())
            .with_hint("choose another port, or stop what uses this one")
    })
}

/// How a coordinator process is set up.
#[derive(Debug, Clone)]
pub struct CoordinatorProcess {
    /// Where workers and clients connect.
    pub bind: SocketAddr,
    /// Where jobs are written down, so that they outlive the process, and where checkpoints go if a
    /// job does not say.
    pub dir: std::path::PathBuf,
    /// Where metrics are served, if they are.
    pub metrics: Option<SocketAddr>,
}

/// Runs a coordinator until `stop`; calls `ready` with its address when it listens.
pub async fn coordinator_process(
    process: CoordinatorProcess,
    environment: Environment,
    stop: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    let listener = bind(process.bind).await?;
    let checkpoint_dir = Some(process.dir.join("checkpoints").display().to_string());
    let registry = coordinator::recover(process.dir, environment.clock.now_ms()).await?;
    let config = CoordinatorConfig {
        checkpoint_dir,
        id_seed: seed(&environment),
        registry: Some(registry),
        failpoints: environment.failpoints.clone(),
    };
    let inputs = coordinator::start(config, Arc::clone(&environment.clock), stop.clone());
    if let Some(address) = process.metrics {
        let client = LocalClient::new(inputs.clone());
        http::serve(
            bind(address).await?,
            http::Page::Coordinator(client),
            Arc::clone(&environment.clock),
            stop.clone(),
        );
    }
    let address = listener
        .local_addr()
        .map_err(|e| EngineError::network(e.to_string()))?;
    ready(address);
    rpc::serve(listener, inputs, stop).await
}

/// How long a worker waits before it looks for its coordinator again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// How a worker process is set up.
#[derive(Debug, Clone)]
pub struct WorkerProcess {
    /// The coordinator's address.
    pub coordinator: String,
    /// How many slots it offers.
    pub slots: u32,
    /// Where it accepts data connections; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where metrics are served, if they are.
    pub metrics: Option<SocketAddr>,
}

/// Runs a worker until `stop`; when the coordinator is gone it waits for it to come back. Calls
/// `ready` with its data address when it listens.
pub async fn worker_process(
    process: WorkerProcess,
    environment: Environment,
    stop: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    let listener = bind(process.bind).await?;
    let address = listener
        .local_addr()
        .map_err(|e| EngineError::network(e.to_string()))?;
    let (inlets, metrics) = (InletRegistry::default(), MetricsTable::default());
    tokio::spawn(listen(listener, inlets.clone(), stop.clone()));
    if let Some(page) = process.metrics {
        let resources = Arc::clone(&environment.resources);
        let table = http::Page::Worker(Arc::clone(&metrics), resources);
        let clock = Arc::clone(&environment.clock);
        http::serve(bind(page).await?, table, clock, stop.clone());
    }
    ready(address);
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        // A session that ended left nothing behind, and its name must not come back.
        let config = WorkerConfig {
            id: WorkerId(format!("{:08x}", seed(&environment))),
            slots: process.slots,
            data_address: Some(address.to_string()),
        };
        let session = rpc::work(
            &process.coordinator,
            config,
            environment.clone(),
            inlets.clone(),
            Arc::clone(&metrics),
            stop.clone(),
        );
        let begun = std::time::Instant::now();
        let ended = session.await;
        // Every failure in a row doubles the pause.
        pause = match begun.elapsed() > LAST_PAUSE {
            true => FIRST_PAUSE,
            false => (pause * 2).min(LAST_PAUSE),
        };
        match ended {
            Ok(()) => return Ok(()),
            Err(error) if error.kind == ErrorKind::Config => return Err(error),
            Err(error) => tracing::warn!("{error}"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}
