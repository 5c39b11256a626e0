//! What the code of jobs finds in a process: clock, connectors, functions, a place for state.

use std::path::PathBuf;
use std::sync::Arc;

use levada_engine::client::Environment;
use levada_engine::connector::ConnectorRegistry;
use levada_engine::failpoint::Failpoints;
use levada_engine::memory::Memory;
use levada_engine::state::Resources;
use levada_engine::time::{Clock, SystemClock};

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
