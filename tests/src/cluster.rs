//! Where the jobs of tests run: an engine in this process, or coordinator and workers that talk
//! over loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use levada_engine::client::{Environment, JobClient, JobState, JobStatus};
use levada_engine::cluster::{
    CoordinatorProcess, Embedded, WorkerProcess, connect, coordinator_process, worker_process,
};
use levada_engine::connector::ConnectorRegistry;
use levada_engine::memory::Memory;
use levada_gateway::deployment::Deployment;
use tokio_util::sync::CancellationToken;

/// An engine that sessions share.
pub struct Shared {
    client: Arc<dyn JobClient>,
    stop: CancellationToken,
    _engine: Option<Embedded>,
    _folder: tempfile::TempDir,
}

/// What jobs need of a process.
pub fn environment(connectors: ConnectorRegistry, scratch: &std::path::Path) -> Environment {
    let memory = Memory::of_machine();
    Environment {
        connectors,
        ..levada_gateway::environment::environment(scratch.to_path_buf(), memory)
    }
}

impl Shared {
    /// Coordinator and worker in this process, with queues for the network.
    pub fn embedded(connectors: ConnectorRegistry, slots: u32) -> Arc<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let scratch = folder.path().join("scratch");
        Self::embedded_in(connectors, slots, Memory::of_machine(), &scratch, folder)
    }

    /// The same with a scratch directory and memory of the test's choice.
    pub fn embedded_in(
        connectors: ConnectorRegistry,
        slots: u32,
        memory: Memory,
        scratch: &std::path::Path,
        folder: tempfile::TempDir,
    ) -> Arc<Self> {
        let environment = Environment {
            connectors,
            ..levada_gateway::environment::environment(scratch.to_path_buf(), memory)
        };
        let engine = Embedded::start(slots, None, environment);
        Arc::new(Shared {
            client: Arc::new(engine.client()),
            stop: CancellationToken::new(),
            _engine: Some(engine),
            _folder: folder,
        })
    }

    /// A coordinator and workers in this process that talk over loopback.
    pub async fn loopback(connectors: ConnectorRegistry, workers: u32, slots: u32) -> Arc<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let stop = CancellationToken::new();
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let (ready, address) = tokio::sync::oneshot::channel();
        let process = CoordinatorProcess {
            bind: any,
            dir: folder.path().join("coordinator"),
            metrics: None,
        };
        let scratch = folder.path().join("scratch");
        let environment = environment(connectors, &scratch);
        let (token, inside) = (stop.clone(), environment.clone());
        tokio::spawn(async move {
            let say = |address| {
                let _ = ready.send(address);
            };
            let ended = coordinator_process(process, inside, token, say).await;
            ended.expect("the coordinator ends in peace");
        });
        let address = address.await.expect("the coordinator listens");
        for worker in 0..workers {
            let process = WorkerProcess {
                coordinator: address.to_string(),
                slots,
                bind: any,
                metrics: None,
            };
            let mut own = environment.clone();
            own.scratch_dir = scratch.join(worker.to_string());
            let token = stop.clone();
            tokio::spawn(async move {
                let ended = worker_process(process, own, token, |_| ()).await;
                ended.expect("the worker ends in peace");
            });
        }
        let client = connect(&address.to_string())
            .await
            .expect("the coordinator answers");
        Arc::new(Shared {
            client: Arc::new(client),
            stop,
            _engine: None,
            _folder: folder,
        })
    }

    /// The coordinator.
    pub fn client(&self) -> &Arc<dyn JobClient> {
        &self.client
    }

    /// Jobs that have not ended.
    pub async fn running(&self) -> Vec<String> {
        let all = self.client.list().await.expect("the coordinator answers");
        let live = all.into_iter().filter(|job| !job.state.is_terminal());
        let why = |job: &JobStatus| job.error.as_ref().map(|e| format!(": {e}"));
        live.map(|job| {
            let state = JobState::name(job.state);
            format!("{} {state}{}", job.name, why(&job).unwrap_or_default())
        })
        .collect()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A session's view of a shared engine.
pub struct Shares(pub Arc<Shared>);

#[async_trait]
impl Deployment for Shares {
    async fn connect(&self) -> levada_gateway::Result<Arc<dyn JobClient>> {
        Ok(Arc::clone(&self.0.client))
    }

    fn default_parallelism(&self) -> u32 {
        1
    }

    fn is_embedded(&self) -> bool {
        true
    }

    async fn close(&self) {}
}
