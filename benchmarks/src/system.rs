//! The systems under test, each as child processes of its own.

use std::path::PathBuf;
use std::time::Duration;

use crate::digest::Digest;
use crate::error::{Error, Result};
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
    /// The folder with the input for measuring.
    pub input: PathBuf,
    /// The folder with the smaller input for comparing outputs.
    pub check_input: PathBuf,
    /// A folder for scripts and results.
    pub scratch: PathBuf,
    /// Threads or slots that a system may use.
    pub parallelism: usize,
    /// How many timed runs, of which the median counts.
    pub runs: usize,
    /// The longest that one process may take.
    pub limit: Duration,
}

/// What one system needed for one query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// The median time.
    pub seconds: f64,
    /// The largest resident set of any run, in bytes.
    pub peak_bytes: u64,
}

/// A system that runs Nexmark queries.
pub trait System {
    /// Its name on the command line and in the table.
    fn name(&self) -> &'static str;

    /// Runs the query on the large input into a blackhole.
    ///
    /// # Errors
    /// When the system fails or refuses.
    fn measure(&self, query: &Query, setup: &Setup) -> Result<Cost>;

    /// Runs the query on the smaller input and digests its final rows.
    ///
    /// # Errors
    /// When the system fails or refuses.
    fn rows(&self, query: &Query, setup: &Setup) -> Result<Digest>;
}

/// The middle one of some times, and the largest of some peaks.
fn median(system: &'static str, mut seconds: Vec<f64>, peak_bytes: u64) -> Result<Cost> {
    seconds.sort_by(f64::total_cmp);
    let seconds = *seconds.get(seconds.len() / 2).ok_or(Error::System {
        system,
        reason: "it reported no time".into(),
    })?;
    Ok(Cost {
        seconds,
        peak_bytes,
    })
}

/// The figures of the "seconds S" lines that a peer's runner prints.
fn reported_seconds(stdout: &str) -> Vec<f64> {
    stdout
        .lines()
        .filter_map(|line| line.strip_prefix("seconds ")?.trim().parse().ok())
        .collect()
}
