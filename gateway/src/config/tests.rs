#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::graph::{BackendKind, JobSettings, RestartStrategy};
use levada_planner::lowering::settings;

use super::*;

fn configured(entries: &[(&str, &str)]) -> Configuration {
    let mut configuration = Configuration::default();
    for (name, value) in entries {
        configuration.set(name, value).unwrap();
    }
    configuration
}

fn job_settings(configuration: &Configuration) -> JobSettings {
    settings::job_settings(&configuration.for_planner(1)).unwrap()
}

fn refusal(name: &str, value: &str) -> String {
    let mut configuration = Configuration::default();
    let error = configuration.set(name, value).unwrap_err();
    assert_eq!(
        configuration,
        Configuration::default(),
        "a refused value changes nothing"
    );
    error.render("")
}

#[test]
fn every_default_is_a_value_that_could_be_set() {
    for key in KEYS {
        if let Some(default) = key.default {
            let kept = value::normalize(key, key.name, default).unwrap();
            assert_eq!(kept, default, "{}", key.name);
        }
    }
}

#[test]
fn documentation_lists_every_key() {
    let page = include_str!("../../../docs/sql.md");
    for key in KEYS {
        assert!(
            page.contains(&format!("| `{}` |", key.name)),
            "{}",
            key.name
        );
    }
}

#[test]
fn no_two_keys_share_a_name() {
    let names = KEYS
        .iter()
        .flat_map(|key| key.aliases.iter().chain([&key.name]));
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        assert!(seen.insert(name), "{name} appears twice");
        assert!(
            !has_no_effect(name),
            "{name} is also listed as without effect"
        );
    }
}

#[test]
fn unknown_names_get_the_nearest_one() {
    let error = refusal("paralelism.default", "2");
    assert!(error.starts_with("LV-1017"), "{error}");
    assert!(
        error.contains("did you mean 'parallelism.default'?"),
        "{error}"
    );
    assert!(refusal("no.such.thing", "x").contains("docs/sql.md"));
}

#[test]
fn values_are_checked_by_type() {
    let cases = [
        ("parallelism.default", "0", "a number from 1 to 32768"),
        ("parallelism.default", "two", "a number from 1 to 32768"),
        ("execution.checkpointing.interval", "soon", "a duration"),
        ("execution.checkpointing.interval", "-1 s", "a duration"),
        ("pipeline.channel-memory", "0", "at least 1 byte"),
        ("table.dml-sync", "yes", "'true' or 'false'"),
        (
            "state.backend.type",
            "tape",
            "'memory', 'hashmap', 'disk', 'rocksdb'",
        ),
        ("table.local-time-zone", "Atlantis/Center", "a time zone"),
        (
            "restart-strategy.exponential-delay.backoff-multiplier",
            "0.5",
            "at least 1",
        ),
    ];
    for (name, value, expected) in cases {
        let error = refusal(name, value);
        assert!(
            error.starts_with("LV-1007") && error.contains(expected),
            "{error}"
        );
        assert!(error.contains(name) && error.contains(value), "{error}");
    }
}

#[test]
fn older_names_and_spellings_mean_the_same() {
    let configuration = configured(&[
        ("state.backend", "hashmap"),
        ("execution.checkpointing.mode", "EXACTLY_ONCE"),
        ("state.checkpoints.dir", "/tmp/c"),
        ("restart-strategy", "off"),
    ]);
    assert_eq!(configuration.get("state.backend.type"), Some("memory"));
    assert_eq!(
        configuration.get("execution.checkpointing.mode"),
        Some("exactly-once")
    );
    assert_eq!(
        configuration.get("execution.checkpointing.dir"),
        Some("/tmp/c")
    );
    assert_eq!(job_settings(&configuration).restart, RestartStrategy::None);
}

#[test]
fn tuning_of_other_engines_is_accepted_and_has_no_effect() {
    let mut configuration = Configuration::default();
    let effect = configuration
        .set("table.exec.mini-batch.enabled", "true")
        .unwrap();
    assert_eq!(effect, Effect::None);
    assert_eq!(
        job_settings(&configuration),
        job_settings(&Configuration::default())
    );
    assert_eq!(configuration.entries().count(), 1);
    configuration
        .reset("table.exec.mini-batch.enabled")
        .unwrap();
    assert_eq!(configuration.entries().count(), 0);
}

#[test]
fn whatever_can_be_set_can_be_planned_with() {
    for (name, _) in settings::KEYS {
        assert!(find(name).is_some(), "{name}");
    }
    let mut configuration = Configuration::default();
    for key in KEYS {
        if let Some(default) = key.default {
            configuration.set(key.name, default).unwrap();
        }
    }
    let defaults = job_settings(&configuration);
    assert_eq!(defaults, JobSettings::default());
    let planning = settings::planning_settings(&configuration.for_planner(7)).unwrap();
    assert_eq!(planning.parallelism, 7);
}

#[test]
fn defaults_agree_with_the_engine() {
    let settings = job_settings(&Configuration::default());
    assert_eq!(settings, levada_engine::graph::JobSettings::default());
}

#[test]
fn job_settings_take_everything_that_was_set() {
    let settings = job_settings(&configured(&[
        ("state.backend.type", "rocksdb"),
        ("table.exec.state.ttl", "2 h"),
        ("execution.checkpointing.interval", "10s"),
        ("execution.checkpointing.dir", "file:///tmp/x"),
        ("execution.checkpointing.num-retained", "3"),
        ("pipeline.batch-rows", "7"),
        ("pipeline.channel-memory", "64 kb"),
        ("pipeline.max-parallelism", "16"),
    ]));
    assert_eq!(settings.state_backend, BackendKind::RocksDb);
    assert_eq!(settings.state_ttl_ms, 7_200_000);
    assert_eq!(settings.checkpoints.interval_ms, Some(10_000));
    assert_eq!(settings.checkpoints.dir.as_deref(), Some("file:///tmp/x"));
    assert_eq!(settings.checkpoints.retained, 3);
    assert_eq!(settings.batch_rows, 7);
    assert_eq!(settings.channel_bytes, 65_536);
    assert_eq!(settings.max_parallelism, 16);
}

#[test]
fn jobs_with_checkpoints_restart_unless_told_otherwise() {
    let exponential = RestartStrategy::ExponentialDelay {
        initial_ms: 1_000,
        max_ms: 60_000,
        multiplier: 1.5,
        reset_after_ms: 3_600_000,
    };
    let with = configured(&[("execution.checkpointing.interval", "1 s")]);
    assert_eq!(job_settings(&with).restart, exponential);
    let told = configured(&[
        ("execution.checkpointing.interval", "1 s"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "5"),
        ("restart-strategy.fixed-delay.delay", "20 ms"),
    ]);
    let fixed = RestartStrategy::FixedDelay {
        attempts: 5,
        delay_ms: 20,
    };
    assert_eq!(job_settings(&told).restart, fixed);
}

#[test]
fn reset_goes_back_to_the_default() {
    let mut configuration = configured(&[("parallelism.default", "3"), ("pipeline.name", "n")]);
    configuration.reset("parallelism.default").unwrap();
    assert_eq!(configuration.parallelism(), None);
    assert_eq!(configuration.pipeline_name(), Some("n"));
    configuration.reset_all();
    assert_eq!(configuration, Configuration::default());
    assert!(configuration.reset("nope").is_err());
}
