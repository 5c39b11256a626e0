//! The systems under test, each as child processes of its own.

use std::path::PathBuf;
use std::time::Duration;

use crate::digest::Digest;
use crate::error::Result;
use crate::generate::Made;
use crate::process::Finished;
use crate::query::Query;

mod duckdb;
mod flink;
mod levada;

pub use duckdb::DuckDb;
pub use flink::Flink;
pub use levada::{Levada, Mode};

/// What all runs share.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The input for measuring.
    pub input: Made,
    /// The smaller input for comparing outputs.
    pub check_input: Made,
    /// A folder for scripts and results.
    pub scratch: PathBuf,
    /// Threads or slots that a system may use.
    pub parallelism: usize,
    /// Settings, the same for all systems under the names that they share.
    pub settings: Vec<(String, String)>,
    /// How much memory Levada's worker may use, and Flink's RocksDB beside its heap, in bytes.
    pub memory: Option<u64>,
    /// The longest that one process may take.
    pub limit: Duration,
}

impl Setup {
    /// The settings, and where checkpoints go if there are any: a folder of `system`'s own. What Levada calls
    /// the backend `disk` is RocksDB in Flink.
    fn settings_of(&self, system: &str) -> Vec<(String, String)> {
        let mut settings = self.settings.clone();
        for (name, value) in &mut settings {
            if system == "flink" && name == "state.backend.type" && value == "disk" {
                *value = "rocksdb".into();
            }
        }
        let has = |name: &str| settings.iter().any(|(n, _)| n == name);
        if has("execution.checkpointing.interval") && !has("execution.checkpointing.dir") {
            let dir = self.checkpoints(system).display().to_string();
            settings.push((
                "execution.checkpointing.dir".into(),
                format!("file://{dir}"),
            ));
        }
        settings
    }

    fn checkpoints(&self, system: &str) -> PathBuf {
        self.scratch.join(format!("checkpoints-{system}"))
    }
}

/// What one system needed for one query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// The median time.
    pub seconds: f64,
    /// The largest resident set of any run, in bytes.
    pub peak_bytes: u64,
    /// The most that its files took on disk at once, state and checkpoints, in bytes.
    pub disk_bytes: u64,
}

impl Cost {
    /// What a process did in which a run took so many seconds.
    fn of(process: &Finished, seconds: f64) -> Cost {
        Cost {
            seconds,
            peak_bytes: process.peak_bytes,
            disk_bytes: process.disk_bytes,
        }
    }

    /// The cost of several runs: the middle one of their times, the largest of their peaks.
    pub fn median(costs: &[Cost]) -> Option<Cost> {
        let mut seconds: Vec<f64> = costs.iter().map(|c| c.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        Some(Cost {
            seconds: *seconds.get(seconds.len() / 2)?,
            peak_bytes: costs.iter().map(|c| c.peak_bytes).max()?,
            disk_bytes: costs.iter().map(|c| c.disk_bytes).max()?,
        })
    }
}

/// A system that runs Nexmark queries.
pub trait System {
    /// Its name on the command line and in the table.
    fn name(&self) -> &'static str;

    /// Runs the query so many times on the large input into a blackhole.
    ///
    /// # Errors
    /// When the system fails or refuses.
    fn measure(&self, query: &Query, setup: &Setup, runs: usize) -> Result<Vec<Cost>>;

    /// Whether each run is a process of its own, so that runs of several systems can take turns.
    fn takes_turns(&self) -> bool;

    /// Runs the query on the smaller input and digests its final rows.
    ///
    /// # Errors
    /// When the system fails or refuses.
    fn rows(&self, query: &Query, setup: &Setup) -> Result<Digest>;
}

/// The runs of the "seconds S" lines that a peer's runner prints.
fn reported_costs(run: &Finished) -> Vec<Cost> {
    let seconds = |line: &str| line.strip_prefix("seconds ")?.trim().parse().ok();
    let seconds = run.stdout.lines().filter_map(seconds);
    seconds.map(|seconds| Cost::of(run, seconds)).collect()
}
