#![allow(clippy::unwrap_used, clippy::panic)]
//! The logic of a job, driven by facts alone.

use std::collections::BTreeMap;

use arrow::datatypes::Schema;

use super::*;
use crate::checkpoint::{InFlight, Leg, OperatorCheckpoint};
use crate::element::Barrier;
use crate::graph::{
    ChainedOperator, Edge, EdgeId, JobSettings, MaterializedView, OperatorInput, OutputPort,
    Partitioning, RestartStrategy, Vertex, VertexId, WireSchema,
};

fn graph(restarts: u32) -> JobGraph {
    let schema = WireSchema(Arc::new(Schema::empty()));
    let operator = |uid: &str, inputs| ChainedOperator {
        uid: uid.into(),
        coarse: String::new(),
        name: uid.into(),
        spec: OperatorSpec::Union,
        inputs,
        schema: schema.clone(),
    };
    let vertex = |id, operators| Vertex {
        id: VertexId(id),
        name: format!("v{id}"),
        parallelism: 2,
        operators,
    };
    let mut settings = JobSettings::default();
    settings.checkpoints.interval_ms = Some(100);
    settings.checkpoints.timeout_ms = 1000;
    settings.restart = RestartStrategy::FixedDelay {
        attempts: restarts,
        delay_ms: 50,
    };
    JobGraph {
        name: "test".into(),
        vertices: vec![
            vertex(0, vec![operator("source", vec![])]),
            vertex(
                1,
                vec![operator("sink", vec![OperatorInput::Edge(EdgeId(0))])],
            ),
        ],
        edges: vec![Edge {
            id: EdgeId(0),
            from: VertexId(0),
            from_operator: 0,
            from_port: OutputPort::Main,
            to: VertexId(1),
            partitioning: Partitioning::Rebalance,
            schema,
        }],
        settings,
    }
}

fn worker(n: u32) -> WorkerId {
    WorkerId(format!("w{n}"))
}

fn job(restarts: u32) -> Job {
    Job::new(
        JobId("j".into()),
        graph(restarts),
        Some("/chk".into()),
        None,
        0,
    )
}

/// What the actions say, a word each.
fn words(actions: &[Action]) -> Vec<String> {
    let word = |action: &Action| match action {
        Action::Send(w, ToWorker::Deploy(d)) => match &d.restore {
            Some((m, _)) => format!("deploy {w} from {}", m.barrier.checkpoint_id),
            None => format!("deploy {w}"),
        },
        Action::Send(w, ToWorker::Start(_)) => format!("start {w}"),
        Action::Send(w, ToWorker::Cancel(_)) => format!("cancel {w}"),
        Action::Send(w, ToWorker::Command { command, .. }) => match command {
            Command::Barrier { barrier, stop } => {
                let what = match barrier.kind {
                    BarrierKind::Savepoint => "savepoint",
                    BarrierKind::Checkpoint | BarrierKind::Final => "barrier",
                };
                format!("{what} {} stop={stop} {w}", barrier.checkpoint_id)
            }
            Command::Complete {
                checkpoint_id,
                last,
            } => {
                format!("complete {checkpoint_id} last={last} {w}")
            }
            Command::Drain => format!("drain {w}"),
            Command::Replay => format!("replay {w}"),
        },
        Action::Send(_, other) => panic!("{other:?}"),
        Action::WriteManifest(m) => format!("write {}", m.barrier.checkpoint_id),
        Action::Retain(kept) => format!("retain {}", kept.len()),
        Action::Export(tickets, m) => format!("export {} {tickets:?}", m.barrier.checkpoint_id),
        Action::NoSavepoint(tickets, error) => format!("no {tickets:?}: {}", error.message),
        Action::Rows(_) => "rows".into(),
        Action::Ended => "ended".into(),
    };
    actions.iter().map(word).collect()
}

fn run_of(job: &Job) -> Run {
    job.run().clone()
}

/// Deploys on two workers and starts all subtasks.
fn start(job: &mut Job, now: i64) {
    let actions = job.deploy(&[worker(1), worker(2)], &BTreeMap::new());
    assert_eq!(actions.len(), 2);
    let run = run_of(job);
    assert!(job.deployed(&run, &worker(1), None, now).is_empty());
    let started = job.deployed(&run, &worker(2), None, now);
    assert_eq!(words(&started), ["start w1", "start w2"]);
    for subtask in subtasks(job.graph()) {
        job.reported(&run, subtask, ReportKind::Running, now);
    }
    assert_eq!(job.status().state, JobState::Running);
}

fn each(job: &mut Job, kind: impl Fn(SubtaskId) -> ReportKind, now: i64) -> Vec<Action> {
    let run = run_of(job);
    let all = subtasks(job.graph());
    all.into_iter()
        .flat_map(|s| job.reported(&run, s, kind(s), now))
        .collect()
}

fn share(checkpoint_id: u64) -> impl Fn(SubtaskId) -> ReportKind {
    move |subtask| ReportKind::Snapshot {
        checkpoint_id,
        share: crate::checkpoint::SubtaskCheckpoint {
            in_flight: Vec::new(),
            channels: Vec::new(),
            subtask,
            operators: vec![OperatorCheckpoint {
                uid: "sink".into(),
                ..Default::default()
            }],
        },
        bytes: 7,
    }
}

fn manifest(job: &Job, checkpoint_id: u64, kind: BarrierKind) -> Arc<Manifest> {
    let barrier = Barrier {
        checkpoint_id,
        kind,
        overtakes_at_ms: None,
    };
    Arc::new(Manifest::assemble(
        JobId("j".into()),
        barrier,
        0,
        job.graph(),
        [],
    ))
}

#[test]
fn rows_in_flight_come_again_from_the_sinks_to_the_sources() {
    let mut restored = Manifest::clone(&manifest(&job(0), 7, BarrierKind::Checkpoint));
    let in_flight = |leg| InFlight {
        operator: "sink".into(),
        leg,
        ..InFlight::default()
    };
    restored.in_flight = vec![in_flight(Leg::Arrived)];
    let turns = |restored: Manifest| {
        let restore = Some((Arc::new(restored), "/chk".to_string()));
        let mut job = Job::new(JobId("j".into()), graph(0), None, restore, 0);
        job.deploy(&[worker(1), worker(2)], &BTreeMap::new());
        let run = run_of(&job);
        job.deployed(&run, &worker(1), None, 0);
        let started = words(&job.deployed(&run, &worker(2), None, 0));
        (job, run, started)
    };
    let subtask = |vertex, index| SubtaskId {
        vertex: VertexId(vertex),
        index,
    };
    let replay = ["replay w1", "replay w2"];

    let (mut job, run, started) = turns(restored.clone());
    assert_eq!(started, ["start w1", "start w2", "replay w1", "replay w2"]);
    let first = job.reported(&run, subtask(1, 1), ReportKind::Running, 0);
    assert!(first.is_empty(), "the other sink has not replayed");
    let second = job.reported(&run, subtask(1, 0), ReportKind::Running, 0);
    assert_eq!(words(&second), replay);

    // What a sink had not flushed comes before anything that any subtask replays.
    restored.in_flight.push(in_flight(Leg::Unflushed));
    let (mut job, run, started) = turns(restored);
    assert_eq!(started, ["start w1", "start w2"]);
    let first = job.reported(&run, subtask(1, 0), ReportKind::Rewritten, 0);
    assert!(first.is_empty(), "the other sink has not written");
    let second = job.reported(&run, subtask(1, 1), ReportKind::Rewritten, 0);
    assert_eq!(words(&second), replay);
}

#[test]
fn from_slots_to_the_last_commit() {
    let mut job = job(0);
    assert_eq!(job.wanted_slots(), Some(2));
    start(&mut job, 0);
    assert_eq!(
        job.held_slots(),
        BTreeMap::from([(worker(1), 1), (worker(2), 1)])
    );
    let barrier = job.tick(100);
    assert_eq!(
        words(&barrier),
        ["barrier 1 stop=false w1", "barrier 1 stop=false w2"]
    );
    assert!(job.tick(300).is_empty(), "one at a time");
    let written = each(&mut job, share(1), 310);
    assert_eq!(words(&written), ["write 1"]);
    let run = run_of(&job);
    let first = manifest(&job, 1, BarrierKind::Checkpoint);
    let complete = job.manifest_written(&run, first, Ok(()), 320);
    assert_eq!(
        words(&complete),
        [
            "complete 1 last=false w1",
            "complete 1 last=false w2",
            "retain 1"
        ]
    );
    assert_eq!(job.status().checkpoints.last_bytes, 28);
    let last = each(&mut job, |_| ReportKind::InputEnded, 330);
    assert_eq!(
        words(&last),
        ["barrier 2 stop=true w1", "barrier 2 stop=true w2"]
    );
    assert_eq!(words(&each(&mut job, share(2), 340)), ["write 2"]);
    let second = manifest(&job, 2, BarrierKind::Final);
    let complete = job.manifest_written(&run, second, Ok(()), 350);
    assert_eq!(words(&complete)[0], "complete 2 last=true w1");
    let finished = each(&mut job, |_| ReportKind::Finished(Box::default()), 360);
    assert_eq!(words(&finished), ["cancel w1", "cancel w2"]);
    assert!(job.released(&run, &worker(1), 370).is_empty());
    assert_eq!(words(&job.released(&run, &worker(2), 370)), ["ended"]);
    assert_eq!(job.status().state, JobState::Finished);
}

#[test]
fn a_lost_worker_restarts_the_job_from_its_last_checkpoint_and_old_runs_are_ignored() {
    let mut job = job(1);
    start(&mut job, 0);
    job.tick(100);
    each(&mut job, share(1), 110);
    let old = run_of(&job);
    let first = manifest(&job, 1, BarrierKind::Checkpoint);
    job.manifest_written(&old, first, Ok(()), 120);
    let lost = job.worker_lost(&worker(2), "killed", 130);
    assert_eq!(words(&lost), ["cancel w1"], "nothing is sent to the dead");
    assert!(job.released(&old, &worker(1), 140).is_empty());
    assert_eq!(job.status().state, JobState::Restarting);
    assert_eq!(job.wanted_slots(), None, "not before the delay is over");
    job.tick(200);
    assert_eq!(job.wanted_slots(), Some(2));
    let again = job.deploy(&[worker(1), worker(3)], &BTreeMap::new());
    assert_eq!(words(&again), ["deploy w1 from 1", "deploy w3 from 1"]);
    let subtask = subtasks(job.graph())[0];
    let stale = ReportKind::Failed(EngineError::connector("late news"));
    assert!(job.reported(&old, subtask, stale, 210).is_empty());
    let current = run_of(&job);
    let error = EngineError::connector("again");
    let failed = job.reported(&current, subtask, ReportKind::Failed(error), 220);
    assert_eq!(words(&failed), ["cancel w1", "cancel w3"]);
    job.released(&current, &worker(1), 230);
    assert_eq!(words(&job.released(&current, &worker(3), 230)), ["ended"]);
    let status = job.status();
    assert_eq!(
        (status.state, status.error.unwrap().message.as_str()),
        (JobState::Failed, "again")
    );
}

#[test]
fn nobody_restarts_while_a_manifest_is_being_written() {
    let mut job = job(5);
    start(&mut job, 0);
    job.tick(100);
    assert_eq!(words(&each(&mut job, share(1), 110)), ["write 1"]);
    let run = run_of(&job);
    job.worker_lost(&worker(1), "killed", 120);
    job.released(&run, &worker(2), 130);
    job.tick(200);
    assert_eq!(
        job.wanted_slots(),
        None,
        "the checkpoint may or may not exist"
    );
    let first = manifest(&job, 1, BarrierKind::Checkpoint);
    assert!(job.manifest_written(&run, first, Ok(()), 210).is_empty());
    assert_eq!(job.wanted_slots(), Some(2));
    let again = job.deploy(&[worker(2), worker(3)], &BTreeMap::new());
    assert_eq!(words(&again)[0], "deploy w2 from 1");
}

#[test]
fn malformed_data_fails_the_job_for_good() {
    let mut job = job(100);
    start(&mut job, 0);
    let run = run_of(&job);
    let subtask = subtasks(job.graph())[0];
    let error = EngineError::data("row 7 is malformed");
    job.reported(&run, subtask, ReportKind::Failed(error), 10);
    job.released(&run, &worker(1), 20);
    job.released(&run, &worker(2), 20);
    assert_eq!(job.status().state, JobState::Failed);
}

#[test]
fn a_checkpoint_that_fails_or_takes_too_long_counts_against_the_tolerance() {
    let mut job = job(100);
    start(&mut job, 0);
    job.tick(100);
    let late = job.tick(1200);
    assert_eq!(
        words(&late),
        ["cancel w1", "cancel w2"],
        "none is tolerated"
    );
    assert!(
        job.status()
            .error
            .unwrap()
            .message
            .contains("not complete after 1000 ms")
    );
    let mut graph = graph(100);
    graph.settings.checkpoints.tolerable_failed = 1;
    let mut job = Job::new(JobId("j".into()), graph, Some("/chk".into()), None, 0);
    start(&mut job, 0);
    for (checkpoint, now, expected) in [(1, 100, 0), (2, 300, 2)] {
        job.tick(now);
        let (run, subtask) = (run_of(&job), subtasks(job.graph())[0]);
        let error = EngineError::checkpoint("disk full");
        let failed = ReportKind::SnapshotFailed {
            checkpoint_id: checkpoint,
            error,
        };
        assert_eq!(
            job.reported(&run, subtask, failed, now + 10).len(),
            expected
        );
    }
}

#[test]
fn a_checkpoint_that_is_wanted_comes_now_or_behind_the_one_under_way() {
    let mut graph = graph(0);
    graph.settings.checkpoints.interval_ms = Some(1000);
    graph.settings.checkpoints.min_pause_ms = 500;
    let mut job = Job::new(JobId("j".into()), graph, Some("/chk".into()), None, 0);
    start(&mut job, 0);
    let (run, sink) = (run_of(&job), subtasks(job.graph())[2]);
    let wanted = job.reported(&run, sink, ReportKind::Overfull, 10);
    assert_eq!(words(&wanted)[0], "barrier 1 stop=false w1");
    assert!(
        job.reported(&run, sink, ReportKind::Overfull, 20)
            .is_empty()
    );
    each(&mut job, share(1), 30);
    let first = manifest(&job, 1, BarrierKind::Checkpoint);
    job.manifest_written(&run, first, Ok(()), 40);
    assert_eq!(words(&job.tick(40))[0], "barrier 2 stop=false w1");
    each(&mut job, share(2), 50);
    let second = manifest(&job, 2, BarrierKind::Checkpoint);
    job.manifest_written(&run, second, Ok(()), 60);
    assert!(job.tick(1030).is_empty(), "the interval begins anew");
    assert_eq!(words(&job.tick(1040))[0], "barrier 3 stop=false w1");
}

#[test]
fn stopping_takes_a_last_checkpoint_and_cancelling_does_not() {
    let mut first = job(0);
    start(&mut first, 0);
    let stop = first.stop(StopMode::Checkpoint, 10);
    assert_eq!(words(&stop)[0], "barrier 1 stop=true w1");
    assert_eq!(first.status().state, JobState::Stopping);
    let mut second = job(0);
    start(&mut second, 0);
    assert_eq!(
        words(&second.stop(StopMode::Cancel, 10)),
        ["cancel w1", "cancel w2"]
    );
    let mut deploying = job(0);
    deploying.deploy(&[worker(1), worker(2)], &BTreeMap::new());
    assert!(deploying.stop(StopMode::Checkpoint, 10).is_empty());
    assert!(deploying.tick(100).is_empty(), "all may run soon");
    assert_eq!(
        words(&deploying.tick(10_000)),
        ["cancel w1", "cancel w2"],
        "a source that cannot be opened holds up nobody who wants to stop"
    );
    let mut waiting = job(0);
    assert_eq!(words(&waiting.stop(StopMode::Checkpoint, 10)), ["ended"]);
    assert_eq!(waiting.status().state, JobState::Stopped);
}

fn view() -> Job {
    let mut graph = graph(1);
    graph.settings.view = Some(MaterializedView {
        name: ["c", "d", "v"].map(String::from),
        query: String::new(),
        comment: None,
        columns: WireSchema(Arc::new(Schema::empty())),
        uid: "sink".into(),
        origin: None,
    });
    Job::new(JobId("j".into()), graph, Some("/chk".into()), None, 0)
}

#[test]
fn a_view_is_dropped_in_whatever_phase_its_job_is() {
    let mut waiting = view();
    waiting.stop(StopMode::Cancel, 10);
    let mut failed = view();
    start(&mut failed, 0);
    failed.worker_lost(&worker(1), "gone", 10);
    failed.released(&run_of(&failed), &worker(2), 10);
    assert_eq!(failed.status().state, JobState::Restarting);
    failed.stop(StopMode::Cancel, 20);
    let mut running = view();
    start(&mut running, 0);
    running.stop(StopMode::Cancel, 10);
    let mut finishing = view();
    start(&mut finishing, 0);
    finishing.release(Next::End(JobState::Finished), 10);
    finishing.stop(StopMode::Cancel, 10);
    for job in [&mut running, &mut finishing] {
        let run = run_of(job);
        job.released(&run, &worker(1), 20);
        job.released(&run, &worker(2), 20);
    }
    for job in [waiting, failed, running, finishing] {
        assert_eq!(job.status().state, JobState::Stopped);
        assert!(job.was_dropped() && job.writes_nothing());
    }
}

/// Completes checkpoint `id` and returns what follows.
fn complete(job: &mut Job, id: u64, now: i64) -> Vec<String> {
    let actions = each(job, share(id), now);
    let Some(Action::WriteManifest(manifest)) = actions.last() else {
        panic!("{actions:?}");
    };
    let run = run_of(job);
    words(&job.manifest_written(&run, Arc::clone(manifest), Ok(()), now))
}

#[test]
fn a_savepoint_is_a_checkpoint_that_begins_after_it_was_asked_for() {
    let mut job = job(0);
    start(&mut job, 0);
    assert_eq!(words(&job.tick(100))[0], "barrier 1 stop=false w1");
    assert!(job.savepoint(7, 110).is_empty(), "one is under way");
    let first = complete(&mut job, 1, 120);
    assert!(!first.iter().any(|w| w.starts_with("export")), "{first:?}");
    let second = words(&job.tick(121));
    assert_eq!(
        second[0], "savepoint 2 stop=false w1",
        "it does not wait for the interval"
    );
    assert!(job.savepoint(8, 122).is_empty());
    assert!(complete(&mut job, 2, 130).contains(&"export 2 [7]".to_string()));
    assert_eq!(words(&job.tick(131))[0], "savepoint 3 stop=false w1");
    assert!(complete(&mut job, 3, 140).contains(&"export 3 [8]".to_string()));
    job.stop(StopMode::Checkpoint, 150);
    assert!(job.savepoint(9, 151).is_empty());
    let last = complete(&mut job, 4, 160);
    assert!(
        last.contains(&"export 4 [9]".to_string()),
        "the last one will do: {last:?}"
    );
}

#[test]
fn a_savepoint_that_cannot_be_made_is_refused_with_the_reason() {
    let mut without = Job::new(JobId("j".into()), graph(0), None, None, 0);
    start(&mut without, 0);
    let refused = words(&without.savepoint(1, 10));
    assert_eq!(refused, ["no [1]: job j keeps no checkpoints"]);
    let mut waiting = job(0);
    let refused = words(&waiting.savepoint(1, 10));
    assert_eq!(refused, ["no [1]: job j has no checkpoint"]);
    let mut failing = job(0);
    start(&mut failing, 0);
    failing.savepoint(3, 10);
    let run = run_of(&failing);
    let subtask = subtasks(failing.graph())[0];
    let failed = ReportKind::Failed(EngineError::data("bad row"));
    let words = words(&failing.reported(&run, subtask, failed, 20));
    let refused = "no [3]: no savepoint of job j was made: the job was interrupted";
    assert_eq!(words[0], refused);
}

#[test]
fn a_job_that_has_finished_has_nothing_left_for_a_savepoint() {
    let mut job = job(0);
    start(&mut job, 0);
    each(&mut job, |_| ReportKind::InputEnded, 20);
    complete(&mut job, 1, 30);
    each(&mut job, |_| ReportKind::Finished(Box::default()), 40);
    let exported = words(&job.savepoint(1, 45));
    assert_eq!(exported, ["export 1 [1]"], "it has not ended yet");
    let run = run_of(&job);
    job.released(&run, &worker(1), 50);
    job.released(&run, &worker(2), 50);
    assert_eq!(job.status().state, JobState::Finished);
    let refused = "no [1]: job j has finished, and keeps no checkpoint to make a savepoint of";
    assert_eq!(words(&job.savepoint(1, 60)), [refused]);
}

#[test]
fn draining_ends_the_input_and_then_the_job() {
    let mut job = job(0);
    start(&mut job, 0);
    assert_eq!(
        words(&job.stop(StopMode::Drain, 10)),
        ["drain w1", "drain w2"]
    );
    let ended = each(&mut job, |_| ReportKind::InputEnded, 20);
    assert_eq!(words(&ended)[0], "barrier 1 stop=true w1");
    complete(&mut job, 1, 30);
    let finished = |_| ReportKind::Finished(Box::default());
    assert_eq!(
        words(&each(&mut job, finished, 40)),
        ["cancel w1", "cancel w2"]
    );
    let run = run_of(&job);
    job.released(&run, &worker(1), 50);
    let ended = words(&job.released(&run, &worker(2), 50));
    assert_eq!(ended, ["ended"], "its checkpoints stay");
    assert_eq!(job.status().state, JobState::Stopped);
}
