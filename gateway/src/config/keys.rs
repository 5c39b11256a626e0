//! The names that SET knows, with their types and defaults.

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number within bounds.
    Count {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A number of at least 1.
    Factor,
    /// A length of time, such as `10 s`; a bare number is milliseconds.
    Duration,
    /// A size in memory, such as `4 mb`; a bare number is bytes.
    Bytes,
    /// One of these words, in any case, `_` for `-` allowed. The pairs are what a user may write
    /// and what is meant.
    Choice(&'static [(&'static str, &'static str)]),
    /// A time zone, by name or offset.
    Zone,
    /// Anything.
    Text,
}

/// A name that SET knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    /// The name.
    pub name: &'static str,
    /// Older names for the same thing.
    pub aliases: &'static [&'static str],
    /// What its values look like.
    pub kind: Kind,
    /// The value without SET, if there is one.
    pub default: Option<&'static str>,
    /// What it does, in a few words.
    pub about: &'static str,
}

const fn key(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    about: &'static str,
) -> Key {
    Key {
        name,
        aliases: &[],
        kind,
        default,
        about,
    }
}

const fn renamed(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    default: Option<&'static str>,
    about: &'static str,
) -> Key {
    Key {
        name,
        aliases,
        kind,
        default,
        about,
    }
}

const ANY_COUNT: Kind = Kind::Count {
    min: 0,
    max: u32::MAX as u64,
};

const fn at_least_one(max: u64) -> Kind {
    Kind::Count { min: 1, max }
}

/// Streaming or batch.
pub const RUNTIME_MODE: &str = "execution.runtime-mode";
/// Parallelism of a job.
pub const PARALLELISM: &str = "parallelism.default";
/// Number of key groups.
pub const MAX_PARALLELISM: &str = "pipeline.max-parallelism";
/// Name of a job.
pub const PIPELINE_NAME: &str = "pipeline.name";
/// Rows in a source's batch.
pub const BATCH_ROWS: &str = "pipeline.batch-rows";
/// Flow-control window.
pub const CHANNEL_BYTES: &str = "pipeline.channel-memory";
/// Time zone of the session.
pub const TIME_ZONE: &str = "table.local-time-zone";
/// Whether INSERT waits.
pub const DML_SYNC: &str = "table.dml-sync";
/// Time to live of state.
pub const STATE_TTL: &str = "table.exec.state.ttl";
/// Silence after which a source partition is idle.
pub const IDLE_TIMEOUT: &str = "table.exec.source.idle-timeout";
/// How long windows stay open for late rows.
pub const ALLOW_LATENESS: &str = "table.exec.emit.allow-lateness";
/// Questions of lookup joins without an answer.
pub const LOOKUP_CAPACITY: &str = "table.exec.async-lookup.buffer-capacity";
/// Limit of an answer to a lookup join.
pub const LOOKUP_TIMEOUT: &str = "table.exec.async-lookup.timeout";
/// Memory of an instance of a module.
pub const UDF_MEMORY: &str = "table.exec.udf.memory";
/// Time that a function of a module has for a batch.
pub const UDF_TIMEOUT: &str = "table.exec.udf.timeout";
/// Time between checkpoints.
pub const CHECKPOINT_INTERVAL: &str = "execution.checkpointing.interval";
/// Pause between checkpoints.
pub const CHECKPOINT_MIN_PAUSE: &str = "execution.checkpointing.min-pause";
/// Limit of a checkpoint.
pub const CHECKPOINT_TIMEOUT: &str = "execution.checkpointing.timeout";
/// Checkpoints that may fail.
pub const CHECKPOINT_TOLERABLE: &str = "execution.checkpointing.tolerable-failed-checkpoints";
/// Checkpoints that are kept.
pub const CHECKPOINT_RETAINED: &str = "execution.checkpointing.num-retained";
/// Where checkpoints go.
pub const CHECKPOINT_DIR: &str = "execution.checkpointing.dir";
/// Where savepoints go.
pub const SAVEPOINT_DIR: &str = "execution.checkpointing.savepoint-dir";
/// A checkpoint to start from.
pub const RESTORE_PATH: &str = "execution.state-recovery.path";
/// Whether a restore may drop state.
pub const RESTORE_IGNORE: &str = "execution.state-recovery.ignore-unclaimed-state";
/// State backend.
pub const STATE_BACKEND: &str = "state.backend.type";
/// Restart strategy.
pub const RESTART: &str = "restart-strategy.type";
/// Restarts of `fixed-delay`.
pub const FIXED_ATTEMPTS: &str = "restart-strategy.fixed-delay.attempts";
/// Delay of `fixed-delay`.
pub const FIXED_DELAY: &str = "restart-strategy.fixed-delay.delay";
/// First delay of `exponential-delay`.
pub const EXP_INITIAL: &str = "restart-strategy.exponential-delay.initial-backoff";
/// Longest delay of `exponential-delay`.
pub const EXP_MAX: &str = "restart-strategy.exponential-delay.max-backoff";
/// Growth of `exponential-delay`.
pub const EXP_FACTOR: &str = "restart-strategy.exponential-delay.backoff-multiplier";
/// Quiet time of `exponential-delay`.
pub const EXP_RESET: &str = "restart-strategy.exponential-delay.reset-backoff-threshold";
/// Failures of `failure-rate`.
pub const RATE_FAILURES: &str = "restart-strategy.failure-rate.max-failures-per-interval";
/// Interval of `failure-rate`.
pub const RATE_INTERVAL: &str = "restart-strategy.failure-rate.failure-rate-interval";
/// Delay of `failure-rate`.
pub const RATE_DELAY: &str = "restart-strategy.failure-rate.delay";
/// Patience with cancelled subtasks.
pub const CANCELLATION_TIMEOUT: &str = "task.cancellation.timeout";
/// How the shell shows results.
pub const RESULT_MODE: &str = "sql-client.execution.result-mode";
/// Width of a column on the screen.
pub const COLUMN_WIDTH: &str = "table.display.max-column-width";

/// Every name that SET knows, sorted by topic as documentation lists them.
pub const KEYS: &[Key] = &[
    key(
        RUNTIME_MODE,
        Kind::Choice(&[("streaming", "streaming"), ("batch", "batch")]),
        Some("streaming"),
        "streaming keeps results up to date; batch computes them once over bounded tables",
    ),
    renamed(
        PARALLELISM,
        &["table.exec.resource.default-parallelism"],
        at_least_one(32768),
        None,
        "subtasks of each operator; without it, the cores of this machine, or 1 on a cluster",
    ),
    key(
        MAX_PARALLELISM,
        at_least_one(32768),
        Some("128"),
        "number of key groups: the most subtasks that keyed state can be spread over",
    ),
    key(PIPELINE_NAME, Kind::Text, None, "name of the next jobs"),
    key(
        BATCH_ROWS,
        at_least_one(1 << 20),
        Some("8192"),
        "the most rows that a source puts into one batch",
    ),
    key(
        CHANNEL_BYTES,
        Kind::Bytes,
        Some("4 mb"),
        "flow-control window of one channel between two subtasks",
    ),
    key(
        TIME_ZONE,
        Kind::Zone,
        Some("UTC"),
        "time zone of the session, for TIMESTAMP_LTZ",
    ),
    key(
        DML_SYNC,
        Kind::Boolean,
        None,
        "whether INSERT waits for its job; without it, INSERT over bounded input waits",
    ),
    key(
        STATE_TTL,
        Kind::Duration,
        Some("0 ms"),
        "how long unused state is kept; 0 for ever",
    ),
    key(
        IDLE_TIMEOUT,
        Kind::Duration,
        Some("0 ms"),
        "silence after which a source partition no longer holds back the watermark; 0 never",
    ),
    key(
        ALLOW_LATENESS,
        Kind::Duration,
        Some("0 ms"),
        "how long windows are kept for late rows",
    ),
    key(
        LOOKUP_CAPACITY,
        at_least_one(32768),
        Some("100"),
        "batches of rows that a lookup join may have asked for and not got",
    ),
    key(
        "table.exec.async-lookup.output-mode",
        Kind::Choice(&[("ordered", "ORDERED"), ("allow-unordered", "ORDERED")]),
        Some("ORDERED"),
        "in which order rows leave a lookup join; ALLOW_UNORDERED is met by ORDERED",
    ),
    key(
        LOOKUP_TIMEOUT,
        Kind::Duration,
        Some("3 min"),
        "how long an answer to a lookup join may take, repetitions included",
    ),
    key(
        UDF_MEMORY,
        Kind::Bytes,
        Some("64 mb"),
        "memory that an instance of a WebAssembly module may have",
    ),
    key(
        UDF_TIMEOUT,
        Kind::Duration,
        Some("10 s"),
        "how long a function of a WebAssembly module may take for a batch",
    ),
    key(
        "table.exec.sink.upsert-materialize",
        Kind::Choice(&[("auto", "auto"), ("none", "none"), ("force", "force")]),
        Some("auto"),
        "when rows are kept by the key of the table that they go to",
    ),
    key(
        "table.optimizer.multi-join.enabled",
        Kind::Boolean,
        Some("true"),
        "whether joins on one key are one operator",
    ),
    key(
        "table.exec.emit.early-fire.enabled",
        Kind::Boolean,
        Some("false"),
        "whether windows give results before they end, which they then update",
    ),
    key(
        "table.exec.emit.early-fire.delay",
        Kind::Duration,
        Some("0 ms"),
        "how long after a change the results so far of windows are given; 0 at once",
    ),
    key(
        CHECKPOINT_INTERVAL,
        Kind::Duration,
        Some("0 ms"),
        "time between the starts of two checkpoints; 0 takes none",
    ),
    key(
        "execution.checkpointing.mode",
        Kind::Choice(&[
            ("exactly-once", "exactly-once"),
            ("at-least-once", "exactly-once"),
        ]),
        Some("exactly-once"),
        "guarantee of checkpoints; the weaker at-least-once is met by exactly-once",
    ),
    key(
        CHECKPOINT_MIN_PAUSE,
        Kind::Duration,
        Some("0 ms"),
        "time from the end of a checkpoint to the start of the next",
    ),
    key(
        CHECKPOINT_TIMEOUT,
        Kind::Duration,
        Some("10 min"),
        "time after which a checkpoint is given up",
    ),
    key(
        CHECKPOINT_TOLERABLE,
        ANY_COUNT,
        Some("0"),
        "checkpoints in a row that may fail before the job does",
    ),
    renamed(
        CHECKPOINT_RETAINED,
        &["state.checkpoints.num-retained"],
        at_least_one(10_000),
        Some("1"),
        "completed checkpoints that are kept",
    ),
    key(
        "execution.checkpointing.unaligned.enabled",
        Kind::Boolean,
        Some("false"),
        "barriers that overtake rows",
    ),
    key(
        "execution.checkpointing.aligned-checkpoint-timeout",
        Kind::Duration,
        Some("0 ms"),
        "time after which barriers overtake rows, if they may",
    ),
    renamed(
        CHECKPOINT_DIR,
        &["state.checkpoints.dir"],
        Kind::Text,
        None,
        "directory or object-store URL of checkpoints",
    ),
    renamed(
        SAVEPOINT_DIR,
        &["state.savepoints.dir"],
        Kind::Text,
        None,
        "directory or object-store URL of savepoints; without it, savepoints beside the checkpoints",
    ),
    renamed(
        RESTORE_PATH,
        &["execution.savepoint.path"],
        Kind::Text,
        None,
        "a checkpoint or savepoint that the next jobs start from",
    ),
    renamed(
        RESTORE_IGNORE,
        &["execution.savepoint.ignore-unclaimed-state"],
        Kind::Boolean,
        Some("false"),
        "whether a restore may drop state that does not fit the query",
    ),
    renamed(
        STATE_BACKEND,
        &["state.backend"],
        Kind::Choice(&[
            ("memory", "memory"),
            ("hashmap", "memory"),
            ("disk", "disk"),
            ("rocksdb", "rocksdb"),
        ]),
        Some("memory"),
        "where keyed state lives: memory; disk and rocksdb, where it may be larger than that",
    ),
    renamed(
        RESTART,
        &["restart-strategy"],
        Kind::Choice(&[
            ("none", "none"),
            ("off", "none"),
            ("disable", "none"),
            ("fixed-delay", "fixed-delay"),
            ("exponential-delay", "exponential-delay"),
            ("failure-rate", "failure-rate"),
        ]),
        None,
        "what happens after a failure; without it, exponential-delay with checkpoints, else none",
    ),
    key(
        FIXED_ATTEMPTS,
        ANY_COUNT,
        Some("1"),
        "restarts before the job fails",
    ),
    key(
        FIXED_DELAY,
        Kind::Duration,
        Some("1 s"),
        "time before each restart",
    ),
    key(
        EXP_INITIAL,
        Kind::Duration,
        Some("1 s"),
        "time before the first restart",
    ),
    key(
        EXP_MAX,
        Kind::Duration,
        Some("1 min"),
        "longest time before a restart",
    ),
    key(
        EXP_FACTOR,
        Kind::Factor,
        Some("1.5"),
        "by which the time before a restart grows",
    ),
    key(
        EXP_RESET,
        Kind::Duration,
        Some("1 h"),
        "time without failure after which the growth starts anew",
    ),
    key(
        RATE_FAILURES,
        ANY_COUNT,
        Some("1"),
        "failures allowed within the interval",
    ),
    key(
        RATE_INTERVAL,
        Kind::Duration,
        Some("1 min"),
        "interval in which failures count",
    ),
    key(
        RATE_DELAY,
        Kind::Duration,
        Some("1 s"),
        "time before each restart",
    ),
    key(
        CANCELLATION_TIMEOUT,
        Kind::Duration,
        Some("30 s"),
        "time after which a job goes on without a cancelled subtask that does not end",
    ),
    key(
        RESULT_MODE,
        Kind::Choice(&[
            ("table", "table"),
            ("changelog", "changelog"),
            ("tableau", "tableau"),
        ]),
        Some("table"),
        "how the shell shows results: a table that refreshes, every change, or one table",
    ),
    renamed(
        COLUMN_WIDTH,
        &["sql-client.display.max-column-width"],
        at_least_one(10_000),
        Some("30"),
        "widest column on a terminal, in characters",
    ),
];

/// Names that scripts set for other engines' tuning and that change no result here: they are
/// accepted, and SET says that they have no effect. A trailing dot stands for all names below.
pub const WITHOUT_EFFECT: &[&str] = &[
    "table.exec.mini-batch.",
    "table.optimizer.adaptive-broadcast-join.",
    "table.optimizer.adaptive-skewed-join-optimization.",
    "table.optimizer.agg-phase-strategy",
    "table.optimizer.bushy-join-reorder-threshold",
    "table.optimizer.delta-join.",
    "table.optimizer.distinct-agg.",
    "table.optimizer.dynamic-filtering.",
    "table.optimizer.incremental-agg-enabled",
    "table.optimizer.join-reorder-enabled",
    "table.optimizer.join.",
    "table.optimizer.multiple-input-enabled",
    "table.optimizer.non-deterministic-update.",
    "table.optimizer.reuse-optimize-block-with-digest-enabled",
    "table.optimizer.reuse-sink-enabled",
    "table.optimizer.reuse-source-enabled",
    "table.optimizer.reuse-sub-plan-enabled",
    "table.optimizer.runtime-filter.",
    "table.optimizer.source.",
    "table.optimizer.union-all-as-breakpoint-enabled",
    "table.exec.sink.not-null-enforcer",
    "state.backend.incremental",
    "state.backend.local-recovery",
    "state.backend.rocksdb.",
    "execution.checkpointing.incremental",
    "execution.checkpointing.max-concurrent-checkpoints",
    "execution.checkpointing.externalized-checkpoint-retention",
    "restart-strategy.exponential-delay.jitter-factor",
    "execution.buffer-timeout",
    "execution.buffer-timeout.",
    "pipeline.object-reuse",
    "pipeline.operator-chaining",
    "pipeline.operator-chaining.",
    "taskmanager.",
    "jobmanager.",
    "sql-client.verbose",
    "sql-client.display.print-time-cost",
    "sql-client.execution.max-table-result.rows",
];
