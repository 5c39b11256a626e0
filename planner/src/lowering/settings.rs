//! Configuration: what SET says, as typed settings of a job.

use std::collections::BTreeMap;
use std::str::FromStr;

use levada_engine::graph::{BackendKind, CheckpointSettings, JobSettings, RestartStrategy};

use crate::streaming::UpsertMaterialization;
use levada_language::error::{PlanError, PlanErrorKind};
use levada_wasm::Limits;

/// What SET has said, by key.
pub type Configuration = BTreeMap<String, String>;

/// The keys that the planner understands, with their defaults for people.
pub const KEYS: &[(&str, &str)] = &[
    ("execution.runtime-mode", "streaming"),
    ("execution.checkpointing.interval", "none"),
    ("execution.checkpointing.min-pause", "0 ms"),
    ("execution.checkpointing.timeout", "10 min"),
    ("execution.checkpointing.unaligned.enabled", "false"),
    ("execution.checkpointing.aligned-checkpoint-timeout", "0 ms"),
    ("execution.checkpointing.tolerable-failed-checkpoints", "0"),
    ("execution.checkpointing.num-retained", "1"),
    ("execution.checkpointing.dir", "none"),
    ("execution.checkpointing.mode", "exactly-once"),
    ("execution.state-recovery.path", "none"),
    ("execution.state-recovery.ignore-unclaimed-state", "false"),
    ("parallelism.default", "1"),
    ("pipeline.max-parallelism", "128"),
    ("pipeline.name", "the statement"),
    ("pipeline.batch-rows", "8192"),
    ("pipeline.channel-memory", "4 mb"),
    ("restart-strategy.type", "none"),
    ("restart-strategy.fixed-delay.attempts", "1"),
    ("restart-strategy.fixed-delay.delay", "1 s"),
    ("restart-strategy.exponential-delay.initial-backoff", "1 s"),
    ("restart-strategy.exponential-delay.max-backoff", "1 min"),
    (
        "restart-strategy.exponential-delay.backoff-multiplier",
        "1.5",
    ),
    (
        "restart-strategy.exponential-delay.reset-backoff-threshold",
        "1 h",
    ),
    (
        "restart-strategy.failure-rate.max-failures-per-interval",
        "1",
    ),
    (
        "restart-strategy.failure-rate.failure-rate-interval",
        "1 min",
    ),
    ("restart-strategy.failure-rate.delay", "1 s"),
    ("sql-client.execution.result-mode", "table"),
    ("state.backend.type", "memory"),
    ("table.dml-sync", "false"),
    ("table.exec.async-lookup.buffer-capacity", "100"),
    ("table.exec.async-lookup.output-mode", "ORDERED"),
    ("table.exec.async-lookup.timeout", "3 min"),
    ("table.exec.emit.allow-lateness", "0 ms"),
    ("table.exec.emit.early-fire.delay", "0 ms"),
    ("table.exec.emit.early-fire.enabled", "false"),
    ("table.exec.sink.upsert-materialize", "auto"),
    ("table.exec.source.idle-timeout", "0 ms"),
    ("table.exec.state.ttl", "0 ms"),
    ("table.exec.udf.memory", "64 mb"),
    ("table.exec.udf.timeout", "10 s"),
    ("table.local-time-zone", "UTC"),
    ("table.optimizer.multi-join.enabled", "true"),
    ("task.cancellation.timeout", "30 s"),
];

/// Checks one SET: that the key exists and the value can be read.
///
/// # Errors
/// Unknown key, with the nearest one; or a value of the wrong form.
pub fn check(key: &str, value: &str) -> Result<(), PlanError> {
    let keys = || KEYS.iter().map(|(key, _)| *key);
    if !keys().any(|known| known == key) {
        return Err(PlanError::new(
            PlanErrorKind::UnknownName,
            format!("the configuration has no key '{key}'"),
        )
        .suggest(key, keys()));
    }
    let one = Configuration::from([(key.to_string(), value.to_string())]);
    job_settings(&one)?;
    planning_settings(&one)?;
    function_limits(&one)?;
    Reader(&one).choice("execution.runtime-mode", &["streaming", "batch"])?;
    Reader(&one).choice("execution.checkpointing.mode", &["exactly-once"])?;
    Reader(&one).choice(
        "sql-client.execution.result-mode",
        &["table", "changelog", "tableau"],
    )?;
    Reader(&one).get::<bool>("table.dml-sync", "true or false")?;
    if let Some(zone) = one.get("table.local-time-zone") {
        check_zone(zone)?;
    }
    Ok(())
}

fn check_zone(zone: &str) -> Result<(), PlanError> {
    if chrono_tz::Tz::from_str(zone).is_ok() {
        return Ok(());
    }
    Err(invalid(
        "table.local-time-zone",
        zone,
        "a time zone such as Europe/Lisbon or UTC",
    ))
}

/// Whether `execution.runtime-mode` is `batch`.
///
/// # Errors
/// It is neither `streaming` nor `batch`.
pub fn is_batch(configuration: &Configuration) -> Result<bool, PlanError> {
    let mode = Reader(configuration).choice("execution.runtime-mode", &["streaming", "batch"])?;
    Ok(mode == Some("batch"))
}

/// What planning itself needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanningSettings {
    /// `parallelism.default`.
    pub parallelism: u32,
    /// `table.exec.emit.allow-lateness`.
    pub allowed_lateness_ms: i64,
    /// `table.exec.emit.early-fire.delay`, if `table.exec.emit.early-fire.enabled`.
    pub early_fire_ms: Option<u64>,
    /// `table.exec.source.idle-timeout`.
    pub idle_timeout_ms: u64,
    /// `table.exec.state.ttl`.
    pub state_ttl_ms: u64,
    /// `table.exec.async-lookup.buffer-capacity`.
    pub lookup_capacity: usize,
    /// `table.exec.async-lookup.timeout`.
    pub lookup_timeout_ms: u64,
    /// `table.exec.sink.upsert-materialize`.
    pub upsert_materialization: UpsertMaterialization,
    /// `table.optimizer.multi-join.enabled`.
    pub merge_joins: bool,
    /// `pipeline.name`.
    pub name: Option<String>,
}

fn early_fire_ms(reader: &Reader<'_>) -> Result<Option<u64>, PlanError> {
    let enabled = reader.get::<bool>("table.exec.emit.early-fire.enabled", "true or false")?;
    let delay = reader.millis("table.exec.emit.early-fire.delay")?;
    Ok((enabled == Some(true)).then_some(delay.unwrap_or(0)))
}

/// Reads what planning needs.
///
/// # Errors
/// A value of the wrong form, by key.
pub fn planning_settings(configuration: &Configuration) -> Result<PlanningSettings, PlanError> {
    let reader = Reader(configuration);
    let lateness = reader
        .millis("table.exec.emit.allow-lateness")?
        .unwrap_or(0);
    Ok(PlanningSettings {
        parallelism: reader.positive("parallelism.default")?.unwrap_or(1),
        allowed_lateness_ms: i64::try_from(lateness).unwrap_or(i64::MAX),
        early_fire_ms: early_fire_ms(&reader)?,
        idle_timeout_ms: reader
            .millis("table.exec.source.idle-timeout")?
            .unwrap_or(0),
        state_ttl_ms: reader.millis("table.exec.state.ttl")?.unwrap_or(0),
        lookup_capacity: reader
            .positive("table.exec.async-lookup.buffer-capacity")?
            .map_or(100, |capacity| capacity as usize),
        lookup_timeout_ms: reader
            .millis("table.exec.async-lookup.timeout")?
            .filter(|timeout| *timeout > 0)
            .unwrap_or(180_000),
        upsert_materialization: upsert_materialization(&reader)?,
        merge_joins: reader
            .get("table.optimizer.multi-join.enabled", "true or false")?
            .unwrap_or(true),
        name: configuration.get("pipeline.name").cloned(),
    })
}

/// What functions of modules may use.
///
/// # Errors
/// A value of the wrong form, by key.
pub fn function_limits(configuration: &Configuration) -> Result<Limits, PlanError> {
    let reader = Reader(configuration);
    let defaults = Limits::default();
    let memory = reader.bytes("table.exec.udf.memory")?;
    let timeout = reader.millis("table.exec.udf.timeout")?;
    Ok(Limits {
        memory_bytes: memory.map_or(defaults.memory_bytes, |bytes| bytes as u64),
        timeout_ms: timeout
            .filter(|timeout| *timeout > 0)
            .unwrap_or(defaults.timeout_ms),
    })
}

fn upsert_materialization(reader: &Reader<'_>) -> Result<UpsertMaterialization, PlanError> {
    let key = "table.exec.sink.upsert-materialize";
    let choice = reader.choice(key, &["none", "auto", "force"])?;
    Ok(match choice {
        Some("none") => UpsertMaterialization::None,
        Some("force") => UpsertMaterialization::Force,
        _ => UpsertMaterialization::Auto,
    })
}

/// Reads the settings that travel with the job.
///
/// # Errors
/// A value of the wrong form, by key.
pub fn job_settings(configuration: &Configuration) -> Result<JobSettings, PlanError> {
    let reader = Reader(configuration);
    let defaults = JobSettings::default();
    Ok(JobSettings {
        max_parallelism: reader
            .positive("pipeline.max-parallelism")?
            .unwrap_or(defaults.max_parallelism),
        state_backend: match reader.choice("state.backend.type", &["memory", "disk", "rocksdb"])? {
            Some("disk") => BackendKind::Disk,
            Some("rocksdb") => BackendKind::RocksDb,
            _ => BackendKind::Memory,
        },
        state_ttl_ms: reader.millis("table.exec.state.ttl")?.unwrap_or(0),
        checkpoints: checkpoints(&reader)?,
        restart: restart(&reader)?,
        batch_rows: match reader.positive("pipeline.batch-rows")? {
            Some(rows) => rows as usize,
            None => defaults.batch_rows,
        },
        channel_bytes: match reader.bytes("pipeline.channel-memory")? {
            Some(bytes) => bytes,
            None => defaults.channel_bytes,
        },
        time_zone: configuration
            .get("table.local-time-zone")
            .filter(|zone| *zone != "UTC")
            .cloned(),
        cancellation_timeout_ms: reader
            .millis("task.cancellation.timeout")?
            .unwrap_or(defaults.cancellation_timeout_ms),
        modules: Vec::new(),
        view: None,
    })
}

fn checkpoints(reader: &Reader<'_>) -> Result<CheckpointSettings, PlanError> {
    let defaults = CheckpointSettings::default();
    let text = |key: &str| reader.0.get(key).cloned();
    let retained = reader.positive("execution.checkpointing.num-retained")?;
    Ok(CheckpointSettings {
        interval_ms: reader
            .millis("execution.checkpointing.interval")?
            .filter(|interval| *interval > 0),
        min_pause_ms: reader
            .millis("execution.checkpointing.min-pause")?
            .unwrap_or(defaults.min_pause_ms),
        timeout_ms: reader
            .millis("execution.checkpointing.timeout")?
            .unwrap_or(defaults.timeout_ms),
        overtake_after_ms: overtake_after(reader)?,
        tolerable_failed: reader
            .get(
                "execution.checkpointing.tolerable-failed-checkpoints",
                "a number of checkpoints",
            )?
            .unwrap_or(defaults.tolerable_failed),
        retained: retained.map_or(defaults.retained, |n| n as usize),
        dir: text("execution.checkpointing.dir"),
        restore_from: text("execution.state-recovery.path"),
        ignore_unclaimed_state: reader
            .get(
                "execution.state-recovery.ignore-unclaimed-state",
                "true or false",
            )?
            .unwrap_or(false),
    })
}

/// When barriers overtake rows: at once, after some time, or never.
fn overtake_after(reader: &Reader<'_>) -> Result<Option<u64>, PlanError> {
    let enabled =
        reader.get::<bool>("execution.checkpointing.unaligned.enabled", "true or false")?;
    let after = reader.millis("execution.checkpointing.aligned-checkpoint-timeout")?;
    Ok(enabled.unwrap_or(false).then(|| after.unwrap_or(0)))
}

fn restart(reader: &Reader<'_>) -> Result<RestartStrategy, PlanError> {
    let types = ["none", "fixed-delay", "exponential-delay", "failure-rate"];
    let strategy = reader.choice("restart-strategy.type", &types)?;
    let millis = |key: &str, default: u64| -> Result<u64, PlanError> {
        Ok(reader
            .millis(&format!("restart-strategy.{key}"))?
            .unwrap_or(default))
    };
    let count = |key: &str| -> Result<u32, PlanError> {
        Ok(reader
            .positive(&format!("restart-strategy.{key}"))?
            .unwrap_or(1))
    };
    let fixed = RestartStrategy::FixedDelay {
        attempts: count("fixed-delay.attempts")?,
        delay_ms: millis("fixed-delay.delay", 1_000)?,
    };
    let exponential = RestartStrategy::ExponentialDelay {
        initial_ms: millis("exponential-delay.initial-backoff", 1_000)?,
        max_ms: millis("exponential-delay.max-backoff", 60_000)?,
        multiplier: reader
            .get(
                "restart-strategy.exponential-delay.backoff-multiplier",
                "a number",
            )?
            .unwrap_or(1.5),
        reset_after_ms: millis("exponential-delay.reset-backoff-threshold", 3_600_000)?,
    };
    let failure_rate = RestartStrategy::FailureRate {
        max_failures: count("failure-rate.max-failures-per-interval")?,
        interval_ms: millis("failure-rate.failure-rate-interval", 60_000)?,
        delay_ms: millis("failure-rate.delay", 1_000)?,
    };
    Ok(match strategy {
        Some("fixed-delay") => fixed,
        Some("exponential-delay") => exponential,
        Some("failure-rate") => failure_rate,
        _ => RestartStrategy::None,
    })
}

/// Reads typed values; errors name the key.
struct Reader<'a>(&'a Configuration);

impl Reader<'_> {
    fn get<T: FromStr>(&self, key: &str, expected: &str) -> Result<Option<T>, PlanError> {
        let Some(value) = self.0.get(key) else {
            return Ok(None);
        };
        match value.trim().parse() {
            Ok(parsed) => Ok(Some(parsed)),
            Err(_) => Err(invalid(key, value, expected)),
        }
    }

    fn positive(&self, key: &str) -> Result<Option<u32>, PlanError> {
        let expected = "a whole number of at least 1";
        match self.get::<u32>(key, expected)? {
            Some(0) => Err(invalid(key, "0", expected)),
            other => Ok(other),
        }
    }

    fn choice<'a>(&self, key: &str, choices: &[&'a str]) -> Result<Option<&'a str>, PlanError> {
        let Some(value) = self.0.get(key) else {
            return Ok(None);
        };
        let found = choices
            .iter()
            .find(|choice| value.trim().eq_ignore_ascii_case(choice));
        match found {
            Some(choice) => Ok(Some(choice)),
            None => Err(
                invalid(key, value, &format!("one of {}", choices.join(", ")))
                    .suggest(value, choices.iter().copied()),
            ),
        }
    }

    fn millis(&self, key: &str) -> Result<Option<u64>, PlanError> {
        let Some(value) = self.0.get(key) else {
            return Ok(None);
        };
        match parse_millis(value) {
            Some(millis) => Ok(Some(millis)),
            None => Err(invalid(
                key,
                value,
                "a duration such as '10 s', '500 ms' or '1 min'",
            )),
        }
    }

    fn bytes(&self, key: &str) -> Result<Option<usize>, PlanError> {
        let Some(value) = self.0.get(key) else {
            return Ok(None);
        };
        match parse_bytes(value) {
            Some(bytes) if bytes > 0 => Ok(Some(bytes)),
            _ => Err(invalid(key, value, "a size such as '64 mb' or '512 kb'")),
        }
    }
}

/// The error that a value does not fit its key.
pub(crate) fn invalid(key: &str, value: &str, expected: &str) -> PlanError {
    PlanError::new(
        PlanErrorKind::InvalidOption,
        format!("'{key}' has the value '{value}', expected {expected}"),
    )
}

/// Reads a duration such as `10 s`; a bare number is milliseconds.
pub fn parse_millis(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let factor: u64 = match unit.as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "us" | "µs" | "micro" | "micros" | "microsecond" | "microseconds" => {
            return Some(number.div_ceil(1_000));
        }
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => {
            return Some(number.div_ceil(1_000_000));
        }
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Reads a size such as `64 mb`; a bare number is bytes.
pub fn parse_bytes(text: &str) -> Option<usize> {
    let (number, unit) = number_and_unit(text)?;
    let shift = match unit.as_str() {
        "" | "b" | "byte" | "bytes" => 0,
        "k" | "kb" | "kib" | "kibibytes" => 10,
        "m" | "mb" | "mib" | "mebibytes" => 20,
        "g" | "gb" | "gib" | "gibibytes" => 30,
        "t" | "tb" | "tib" | "tebibytes" => 40,
        _ => return None,
    };
    usize::try_from(number.checked_mul(1 << shift)?).ok()
}

fn number_and_unit(text: &str) -> Option<(u64, String)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit.trim().to_lowercase()))
}
