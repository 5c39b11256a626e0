//! Every named failpoint strikes, with every kind of sink that passes it; and a sink whose two-phase
//! commit is broken is found out.

use std::time::Duration;

use levada_engine::failpoint::{Failpoint, Fault};
use levada_tests::process;
use levada_tests::processes::{Failing, Victim};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::rounds::{self, Bench, Round};
use super::{Outside, PATIENCE, events, files, kafka, postgres, turn};

/// What every process is told besides: sources pause, so that a job gets to its later checkpoints on
/// any machine, and each of them has rows.
fn pace() -> String {
    let ms = if levada_tests::soak() { 1 } else { 3 };
    format!("source.pause:{ms}")
}

/// Four sources of which each reads batches of a hundred rows: two to three seconds with [`pace`].
const EVENTS: usize = 300_000;

/// What coordinator and workers pass whatever the sink is.
const OF_ALL: &[Failpoint] = &[
    Failpoint::JobWrite,
    Failpoint::JobWritten,
    Failpoint::JobEnd,
    Failpoint::JobEndWritten,
    Failpoint::Manifest,
    Failpoint::ManifestWritten,
    Failpoint::Sweep,
    Failpoint::SavepointFile,
    Failpoint::SavepointManifest,
    Failpoint::SavepointMade,
    Failpoint::StateUpload,
    Failpoint::StateUploaded,
    Failpoint::StateRestore,
    Failpoint::SourceComplete,
];

/// What files pass: a rename needs no mark.
const OF_FILES: &[Failpoint] = &[
    Failpoint::SinkPrepare,
    Failpoint::SinkPrepared,
    Failpoint::SinkCommit,
    Failpoint::SinkCommitRows,
    Failpoint::SinkCommitted,
    Failpoint::SinkRecommit,
    Failpoint::SinkRecommitted,
];

/// What decides about rows in transactions of Kafka.
const OF_KAFKA: &[Failpoint] = &[
    Failpoint::JobEnd,
    Failpoint::Manifest,
    Failpoint::ManifestWritten,
    Failpoint::SinkPrepare,
    Failpoint::SinkPrepared,
    Failpoint::SinkCommit,
    Failpoint::SinkCommitRows,
    Failpoint::SinkCommitMarked,
    Failpoint::SinkCommitted,
    Failpoint::SinkRecommit,
    Failpoint::SinkRecommitted,
    Failpoint::SourceComplete,
];

/// The same in a database.
const OF_POSTGRES: &[Failpoint] = &[
    Failpoint::JobEnd,
    Failpoint::Manifest,
    Failpoint::ManifestWritten,
    Failpoint::SinkPrepare,
    Failpoint::SinkPrepared,
    Failpoint::SinkCommit,
    Failpoint::SinkCommitRows,
    Failpoint::SinkCommitMarked,
    Failpoint::SinkCommitted,
    Failpoint::SinkRecommit,
    Failpoint::SinkRecommitted,
    Failpoint::SinkFlush,
    Failpoint::SinkFlushed,
];

#[test]
fn no_failpoint_is_forgotten() {
    let struck = [OF_ALL, OF_FILES, OF_KAFKA, OF_POSTGRES].concat();
    let forgotten = Failpoint::ALL.iter().filter(|p| !struck.contains(p));
    assert_eq!(forgotten.collect::<Vec<_>>(), Vec::<&Failpoint>::new());
}

#[test]
fn files_have_each_row_once_at_every_failpoint() {
    let _turn = turn();
    let files = files::Files::new(events(EVENTS));
    strike_at(&files, &[OF_ALL, OF_FILES].concat());
}

#[test]
#[ignore = "needs Kafka"]
fn topics_have_each_result_once_at_every_failpoint() {
    let _turn = turn();
    strike_at(&kafka::Kafka::new(events(EVENTS)), OF_KAFKA);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn databases_have_each_row_once_at_every_failpoint() {
    let _turn = turn();
    strike_at(&postgres::Postgres::new(events(EVENTS)), OF_POSTGRES);
}

/// A round, or several, for each point, or for those that `LEVADA_FAILPOINTS` names.
fn strike_at(outside: &dyn Outside, points: &[Failpoint]) {
    let named = std::env::var("LEVADA_FAILPOINTS").ok();
    let named = |p: &&Failpoint| match &named {
        Some(names) => names.split(',').any(|name| name == p.name()),
        None => true,
    };
    let points: Vec<_> = points.iter().filter(named).copied().collect();
    if points.is_empty() {
        return;
    }
    let bench = Bench::new(outside);
    let times = levada_tests::count("LEVADA_FAILPOINT_ROUNDS", 1, 3);
    let rounds = times * points.len();
    let mut next = points.iter().cycle();
    let what = format!("{} at failpoints", outside.name());
    rounds::run(&what, rounds, |seed| {
        let point = next.next().copied().unwrap();
        let mut chance = SmallRng::seed_from_u64(seed);
        strike(&bench, point, nth(point, &mut chance), seed)
    });
}

/// Which pass is the last; some come once, and a short job takes few checkpoints.
fn nth(point: Failpoint, chance: &mut SmallRng) -> u32 {
    let most = if levada_tests::soak() { 3 } else { 2 };
    match point {
        Failpoint::Manifest
        | Failpoint::ManifestWritten
        | Failpoint::StateUpload
        | Failpoint::StateUploaded
        | Failpoint::SinkPrepare
        | Failpoint::SinkPrepared
        | Failpoint::SinkCommit
        | Failpoint::SinkCommitted
        | Failpoint::SourceComplete
        | Failpoint::SinkCommitRows
        | Failpoint::SinkCommitMarked
        | Failpoint::SinkFlush
        | Failpoint::SinkFlushed => chance.random_range(1..=most),
        _ => 1,
    }
}

/// One process dies at a point, and is replaced.
fn strike(bench: &Bench, point: Failpoint, nth: u32, seed: u64) -> Result<(), String> {
    let name = point.name();
    let item = format!("{name}:{nth}");
    rounds::say(&format!("  {item}"));
    let (one, other) = (Victim::Worker(0), Victim::Worker(1));
    let failing = match point {
        // Passed only after a restart: the other worker dies first, with something to commit again,
        // which the one or its own successor then does.
        Failpoint::StateRestore | Failpoint::SinkRecommit | Failpoint::SinkRecommitted => Failing {
            first: vec![(one, item.clone()), (other, "sink.commit:2".to_string())],
            then: vec![(other, item)],
            always: Some(pace()),
        },
        _ => Failing {
            first: vec![match point.is_of_coordinator() {
                true => (Victim::Coordinator, item),
                false => (one, item),
            }],
            then: Vec::new(),
            always: Some(pace()),
        },
    };
    let round_name = format!("{}-{seed}", name.replace('.', "-"));
    let round = bench.start(&round_name, failing);
    let (round, took) = match point {
        Failpoint::JobWrite | Failpoint::JobWritten => submitted_again(round, point),
        Failpoint::SavepointFile | Failpoint::SavepointManifest | Failpoint::SavepointMade => {
            with_savepoint(round, point)?
        }
        _ => {
            let client = round.client();
            round.finish(client)
        }
    };
    let found = bench.check(&round_name, round, took)?;
    match found.fallen.iter().any(|(_, reached)| reached == name) {
        true => Ok(()),
        false => Err(format!("{name} was not reached: {:?}", found.fallen)),
    }
}

/// A coordinator that dies before it answers a submission: the client hears of a failure. If the job
/// was written down it runs; if not, it may be submitted again.
fn submitted_again(mut round: Round, point: Failpoint) -> (Round, Duration) {
    let mut client = round.client();
    let succeeded = client.end(PATIENCE, &mut round.cluster);
    assert!(!succeeded, "{}", client.said());
    let jobs = round.cluster.jobs();
    if point == Failpoint::JobWritten {
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        round.cluster.wait_for_job("FINISHED", PATIENCE);
        return (round, Duration::ZERO);
    }
    assert!(jobs.is_empty(), "{jobs:?}");
    let client = round.client();
    round.finish(client)
}

/// A coordinator that dies while it makes a savepoint, which then exists as a whole or not at all.
fn with_savepoint(mut round: Round, point: Failpoint) -> Result<(Round, Duration), String> {
    let client = round.client();
    while round.cluster.jobs().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    round.cluster.wait_for_job("RUNNING", PATIENCE);
    let id = round.cluster.job()["job id"].as_str().unwrap().to_string();
    let dir = round.folder.join("savepoints").display().to_string();
    let address = round.cluster.address().to_string();
    let asked = process::run(&[
        "job",
        "savepoint",
        &id,
        "--dir",
        &dir,
        "--connect",
        &address,
    ]);
    assert!(!asked.status.success(), "{asked:?}");
    let (round, took) = round.finish(client);
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path().display().to_string();
        let inspected = process::run(&["state", "inspect", &path]);
        if inspected.status.success() != (point == Failpoint::SavepointMade) {
            return Err(format!("the savepoint {path}: {inspected:?}"));
        }
    }
    Ok((round, took))
}

/// The coordinator dies at a point, and all sinks have a fault: the reader must notice. Not every
/// checkpoint has rows (the first may be done before any came), so that the second, third and so on
/// are tried until one has.
fn found_out(outside: &dyn Outside, fault: Fault, point: Failpoint) {
    let bench = Bench::new(outside);
    for nth in 2..8 {
        let name = format!("broken-{}-{nth}", fault.name().replace('.', "-"));
        let failing = Failing {
            first: vec![(Victim::Coordinator, format!("{}:{nth}", point.name()))],
            always: Some(format!("{},{}", fault.name(), pace())),
            ..Failing::default()
        };
        let mut round = bench.start(&name, failing);
        round.broken = true;
        let client = round.client();
        let (round, took) = round.finish(client);
        let reached = round.cluster.fallen().len();
        if let Err(wrong) = bench.check(&name, round, took) {
            let (outside, fault) = (outside.name(), fault.name());
            rounds::say(&format!("{outside} with {fault}: {wrong}"));
            return;
        }
        assert_eq!(reached, 1, "{nth} is more than the job has checkpoints");
    }
    panic!("{}: nobody noticed {}", outside.name(), fault.name());
}

/// Output that is committed at the barrier comes twice if the checkpoint never exists.
fn doubled(outside: &dyn Outside) {
    found_out(outside, Fault::CommitAtPrepare, Failpoint::Manifest);
}

/// Output that the checkpoint takes for prepared when it is not is lost.
fn lost(outside: &dyn Outside) {
    found_out(outside, Fault::PrepareAtCommit, Failpoint::ManifestWritten);
}

#[test]
fn files_without_two_phase_commit_are_found_out() {
    let _turn = turn();
    let files = files::Files::new(events(EVENTS));
    doubled(&files);
    lost(&files);
}

#[test]
#[ignore = "needs Kafka"]
fn topics_without_two_phase_commit_are_found_out() {
    let _turn = turn();
    doubled(&kafka::Kafka::new(events(EVENTS)));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn databases_without_two_phase_commit_are_found_out() {
    let _turn = turn();
    let postgres = postgres::Postgres::new(events(EVENTS));
    doubled(&postgres);
    lost(&postgres);
}
