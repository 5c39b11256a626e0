//! How a job runs: parallelism, checkpoints, restarts, state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::wire::{WireBytes, WireSchema};

/// The settings of a job, resolved from SET statements when it is submitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSettings {
    /// The number of key groups (`pipeline.max-parallelism`).
    pub max_parallelism: u32,
    /// Where keyed state lives (`state.backend.type`).
    pub state_backend: BackendKind,
    /// How long idle state of unbounded operators is kept, in milliseconds; 0 keeps it for ever
    /// (`table.exec.state.ttl`).
    pub state_ttl_ms: u64,
    /// Checkpoints; `None` disables periodic ones.
    pub checkpoints: CheckpointSettings,
    /// What happens after a failure (`restart-strategy.type`).
    pub restart: RestartStrategy,
    /// The most rows that a source puts into one batch.
    pub batch_rows: usize,
    /// The flow-control window of one channel, in bytes.
    pub channel_bytes: usize,
    /// The time zone in which expressions show and read instants, by its IANA name; `None` is UTC
    /// (`table.local-time-zone`).
    pub time_zone: Option<String>,
    /// How long a subtask may take to end when it is cancelled, in milliseconds; after that the job goes
    /// on without it (`task.cancellation.timeout`).
    #[serde(default = "cancellation_timeout_ms")]
    pub cancellation_timeout_ms: u64,
    /// The WebAssembly modules whose functions the job calls, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<Arc<WireBytes>>,
    /// What queries read of the job's state, if it is there for that.
    #[serde(default)]
    pub view: Option<MaterializedView>,
}

/// The rows of a query as its job's checkpoints have them (CREATE MATERIALIZED VIEW): of one operator, which
/// groups by all columns and counts, each group is as many rows as it counts.
///
/// A coordinator has one job for each name, until the job is cancelled, stopped or has failed; one that has
/// finished keeps its last checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaterializedView {
    /// Catalog, database and name.
    pub name: [String; 3],
    /// The query as written.
    pub query: String,
    /// COMMENT.
    pub comment: Option<String>,
    /// The columns, which are the first of the operator's groups.
    pub columns: WireSchema,
    /// The operator's uid.
    pub uid: String,
    /// Where the query was written; views of older versions do not say it.
    #[serde(default)]
    pub origin: Option<ViewOrigin>,
}

/// Where the query of a materialized view was written: what another query needs to compute it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewOrigin {
    /// The catalog from which the names in it are found.
    pub catalog: String,
    /// The database in it.
    pub database: String,
    /// The columns that the query had.
    pub columns: Vec<String>,
}

fn cancellation_timeout_ms() -> u64 {
    30_000
}

impl Default for JobSettings {
    fn default() -> Self {
        JobSettings {
            max_parallelism: 128,
            state_backend: BackendKind::Memory,
            state_ttl_ms: 0,
            checkpoints: CheckpointSettings::default(),
            restart: RestartStrategy::None,
            batch_rows: 8192,
            channel_bytes: 4 << 20,
            time_zone: None,
            cancellation_timeout_ms: cancellation_timeout_ms(),
            modules: Vec::new(),
            view: None,
        }
    }
}

/// A state backend by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackendKind {
    /// `memory`.
    Memory,
    /// `disk`.
    Disk,
    /// `rocksdb`.
    RocksDb,
}

/// When and where checkpoints are taken (`execution.checkpointing.*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointSettings {
    /// Between the starts of two checkpoints, in milliseconds; `None` takes none by itself.
    pub interval_ms: Option<u64>,
    /// From the end of one checkpoint to the start of the next, in milliseconds.
    pub min_pause_ms: u64,
    /// After which a checkpoint is given up, in milliseconds.
    pub timeout_ms: u64,
    /// How long after its start the barriers of a checkpoint overtake rows that wait, in milliseconds;
    /// 0 has them do so at once, `None` never.
    pub overtake_after_ms: Option<u64>,
    /// How many checkpoints in a row may fail before the job does.
    pub tolerable_failed: u32,
    /// How many completed checkpoints are kept.
    pub retained: usize,
    /// A directory or object-store URL; `None` keeps checkpoints in the coordinator's memory, for
    /// as long as the job lives.
    pub dir: Option<String>,
    /// A checkpoint or savepoint to start from (`execution.state-recovery.path`).
    pub restore_from: Option<String>,
    /// Whether a restore may drop state that no operator claims
    /// (`execution.state-recovery.ignore-unclaimed-state`).
    pub ignore_unclaimed_state: bool,
}

impl Default for CheckpointSettings {
    fn default() -> Self {
        CheckpointSettings {
            interval_ms: None,
            min_pause_ms: 0,
            timeout_ms: 600_000,
            overtake_after_ms: None,
            tolerable_failed: 0,
            retained: 1,
            dir: None,
            restore_from: None,
            ignore_unclaimed_state: false,
        }
    }
}

/// What happens after a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RestartStrategy {
    /// The job fails.
    None,
    /// A number of attempts with a delay between them.
    FixedDelay {
        /// How many restarts are allowed.
        attempts: u32,
        /// Before each restart, in milliseconds.
        delay_ms: u64,
    },
    /// The delay grows by a factor and is reset after a quiet time; never gives up.
    ExponentialDelay {
        /// The first delay, in milliseconds.
        initial_ms: u64,
        /// The longest delay, in milliseconds.
        max_ms: u64,
        /// By which the delay grows.
        multiplier: f64,
        /// Without failure for this long, the delay starts anew, in milliseconds.
        reset_after_ms: u64,
    },
    /// Fails when there are too many failures within a time.
    FailureRate {
        /// How many failures are allowed within the interval.
        max_failures: u32,
        /// The interval, in milliseconds.
        interval_ms: u64,
        /// Before each restart, in milliseconds.
        delay_ms: u64,
    },
}
