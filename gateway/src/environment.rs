//! What the code of jobs finds in a process: clock, connectors, functions, a place for state.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use levada_engine::EngineError;
use levada_engine::client::Environment;
use levada_engine::connector::ConnectorRegistry;
use levada_engine::failpoint::Failpoints;
use levada_engine::memory::Memory;
use levada_engine::state::Resources;
use levada_engine::time::{Clock, SystemClock};

use crate::error::Result;
use crate::planning;

/// The connectors that come with Levada.
pub fn connectors() -> ConnectorRegistry {
    levada_connectors::registry()
}

/// What jobs need of a process that runs them; keyed state that does not fit into `memory` goes into
/// `scratch_dir`.
pub fn environment(scratch_dir: PathBuf, memory: Memory) -> Environment {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Environment {
        connectors: connectors(),
        functions: planning::functions(clock.clone()),
        clock,
        scratch_dir,
        resources: Arc::new(Resources::new(memory)),
        failpoints: Failpoints::default(),
    }
}

/// A folder in the system's place for temporary files that goes away with its owner.
#[derive(Debug)]
pub struct ScratchDir(tempfile::TempDir);

impl ScratchDir {
    /// Creates it.
    ///
    /// # Errors
    /// The place cannot be written.
    pub fn create() -> Result<Self> {
        let created = tempfile::Builder::new().prefix("levada-").tempdir();
        let dir = created.map_err(|error| {
            EngineError::resource("no folder for temporary files can be created")
                .with_detail(error.to_string())
                .with_hint("set TMPDIR to a folder that can be written")
        })?;
        Ok(ScratchDir(dir))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
