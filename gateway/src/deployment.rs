//! Where jobs run: in this process, or on a cluster.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use levada_engine::client::JobClient;
use levada_engine::cluster;
use levada_engine::memory::Memory;

use crate::environment::environment;
use crate::error::Result;
use crate::scratch::ScratchDir;

/// Slots of an embedded engine that nobody has limited: more than jobs ask for, since no other
/// worker could ever bring the missing ones.
const PLENTY_OF_SLOTS: u32 = 4096;

/// Where jobs run. A session connects when it has its first job, not before.
#[async_trait]
pub trait Deployment: Send + Sync {
    /// Starts the engine or reaches for the coordinator.
    async fn connect(&self) -> Result<Arc<dyn JobClient>>;

    /// The parallelism of a job if nobody says one.
    fn default_parallelism(&self) -> u32;

    /// Whether jobs end with this process.
    fn is_embedded(&self) -> bool;

    /// Where the checkpoints of materialized views go if nobody says it: a folder that is there for as long as the
    /// engine. `None` leaves it to the coordinator.
    fn snapshot_dir(&self) -> Option<String> {
        None
    }

    /// Ends what [`Deployment::connect`] started.
    async fn close(&self);
}

/// Coordinator and worker in this process.
pub struct Embedded {
    slots: Option<u32>,
    memory: Memory,
    engine: Mutex<Option<Running>>,
}

/// The fields end in this order: first what runs, then the folder that it uses.
struct Running {
    _engine: cluster::Embedded,
    scratch: ScratchDir,
}

impl Embedded {
    /// An engine with so many slots, or with as many as jobs ask for, and so much memory.
    pub fn new(slots: Option<u32>, memory: Memory) -> Self {
        Embedded {
            slots,
            memory,
            engine: Mutex::new(None),
        }
    }
}

#[async_trait]
impl Deployment for Embedded {
    async fn connect(&self) -> Result<Arc<dyn JobClient>> {
        let scratch = ScratchDir::create(None)?;
        let environment = environment(scratch.path().to_path_buf(), self.memory.clone());
        let slots = self.slots.unwrap_or(PLENTY_OF_SLOTS);
        let engine = cluster::Embedded::start(slots, None, environment);
        let client = Arc::new(engine.client());
        let running = Running {
            _engine: engine,
            scratch,
        };
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        Ok(client)
    }

    /// As many as there are slots or cores, whichever is fewer.
    fn default_parallelism(&self) -> u32 {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let cores = u32::try_from(cores).unwrap_or(1);
        self.slots.map_or(cores, |slots| slots.min(cores))
    }

    fn is_embedded(&self) -> bool {
        true
    }

    fn snapshot_dir(&self) -> Option<String> {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = engine.as_ref().map(|running| running.scratch.path());
        scratch.map(|path| path.join("views").display().to_string())
    }

    async fn close(&self) {
        let running = self
            .engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(running);
    }
}

/// A coordinator in another process.
#[derive(Debug, Clone)]
pub struct Remote {
    address: String,
}

impl Remote {
    /// The coordinator at `HOST:PORT`.
    pub fn new(address: impl Into<String>) -> Self {
        Remote {
            address: address.into(),
        }
    }
}

#[async_trait]
impl Deployment for Remote {
    async fn connect(&self) -> Result<Arc<dyn JobClient>> {
        Ok(Arc::new(cluster::connect(&self.address).await?))
    }

    fn default_parallelism(&self) -> u32 {
        1
    }

    fn is_embedded(&self) -> bool {
        false
    }

    async fn close(&self) {}
}
