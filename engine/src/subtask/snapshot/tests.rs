//! Checkpoints, merges, sweeps, savepoints and restores at other parallelisms, with a fault at each
//! call of the object store in turn.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use arrow::datatypes::Schema;
use datafusion::execution::TaskContext;
use object_store::path::Path;
use tokio::sync::mpsc;

use super::*;
use crate::checkpoint::Manifest;
use crate::checkpoint::faulty::{Fault, Faulty};
use crate::client::Environment;
use crate::connector::{ConnectorRegistry, SplitState};
use crate::element::BarrierKind;
use crate::graph::{
    ChainedOperator, JobGraph, JobId, JobSettings, OperatorSpec, VertexId, WireBytes, WireSchema,
};
use crate::key::KeyGroup;
use crate::memory::Memory;
use crate::metrics::SubtaskMetrics;
use crate::state::file::StateFileReader;
use crate::state::{Change, KeyedState, Resources, TableId};
use crate::subtask::build::Plan;
use crate::subtask::{Report, Reporter};
use crate::time::SystemClock;

const UID: &str = "op";
const GROUPS: u32 = 16;
const SAVEPOINT: &str = "savepoints/one";
/// How often what failed is tried again.
const TRIES: usize = 8;

type Table = BTreeMap<(KeyGroup, Vec<u8>), Vec<u8>>;

/// What a round of input does to the state: keys that come to have a value or lose it.
fn changes(round: u64) -> Vec<(KeyGroup, Vec<u8>, bool)> {
    let change = |nth: u64| {
        let chance = (round * 31 + nth).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let key = chance % 40;
        let group = (key % u64::from(GROUPS)) as KeyGroup;
        (group, key.to_be_bytes().to_vec(), !chance.is_multiple_of(5))
    };
    (0..24).map(change).collect()
}

fn value(round: u64, value_bytes: usize) -> Vec<u8> {
    let mut value = format!("since {round}").into_bytes();
    value.resize(value_bytes, b'.');
    value
}

/// The state behind so many rounds.
fn truth(rounds: u64, value_bytes: usize) -> Table {
    let mut since = BTreeMap::new();
    for round in 1..=rounds {
        for (group, key, has_value) in changes(round) {
            match has_value {
                true => since.insert((group, key), round),
                false => since.remove(&(group, key)),
            };
        }
    }
    let entries = since.into_iter();
    entries
        .map(|(place, round)| (place, value(round, value_bytes)))
        .collect()
}

/// What all runs of the script share.
struct Bench {
    environment: Environment,
    graph: Arc<JobGraph>,
    scratch: tempfile::TempDir,
    value_bytes: usize,
}

fn bench(value_bytes: usize) -> Bench {
    let scratch = tempfile::tempdir().unwrap();
    let environment = Environment {
        failpoints: Default::default(),
        clock: Arc::new(SystemClock),
        connectors: ConnectorRegistry::new(),
        functions: Arc::new(TaskContext::default()),
        scratch_dir: scratch.path().to_path_buf(),
        resources: Arc::new(Resources::new(Memory::new(64 << 20))),
    };
    let settings = JobSettings {
        max_parallelism: GROUPS,
        ..JobSettings::default()
    };
    let graph = JobGraph {
        name: "script".into(),
        vertices: vec![],
        edges: vec![],
        settings,
    };
    Bench {
        environment,
        graph: Arc::new(graph),
        scratch,
        value_bytes,
    }
}

struct Task {
    state: Box<dyn KeyedState>,
    uploader: Uploader,
    reports: mpsc::Receiver<Report>,
}

/// A job as coordinator and workers run it, as far as the object store sees of it.
struct Job<'a> {
    bench: &'a Bench,
    faulty: &'a Faulty,
    folder: &'static str,
    tasks: Vec<Task>,
    attempt: u32,
    next_id: u64,
    /// How many rounds of input have been worked on.
    round: u64,
    /// What the sink has prepared and not committed: a name, and the rounds whose output that is.
    prepared: Vec<(String, Vec<u64>)>,
    unprepared: Vec<u64>,
    visible: BTreeMap<String, Vec<u64>>,
    retained: VecDeque<Manifest>,
    from_savepoint: bool,
    errors: Vec<EngineError>,
}

fn position(manifest: &Manifest) -> u64 {
    let split = &manifest.operators["source"].splits[0];
    std::str::from_utf8(&split.position.0)
        .unwrap()
        .parse()
        .unwrap()
}

fn committables(manifest: &Manifest) -> Vec<(String, Vec<u64>)> {
    let all = &manifest.operators[UID].committables;
    all.iter()
        .map(|(_, committable)| serde_json::from_slice(&committable.0).unwrap())
        .collect()
}

impl<'a> Job<'a> {
    fn new(bench: &'a Bench, faulty: &'a Faulty, folder: &'static str) -> Self {
        Job {
            bench,
            faulty,
            folder,
            tasks: vec![],
            attempt: 0,
            next_id: 1,
            round: 0,
            prepared: vec![],
            unprepared: vec![],
            visible: BTreeMap::new(),
            retained: VecDeque::new(),
            from_savepoint: false,
            errors: vec![],
        }
    }

    fn store(&self, folder: &str) -> CheckpointStore {
        CheckpointStore::over(Arc::new(self.faulty.clone()), Path::from(folder), folder)
    }

    /// The same, sound and uncounted.
    fn sound(&self) -> CheckpointStore {
        CheckpointStore::over(self.faulty.sound(), Path::from(self.folder), self.folder)
    }

    fn plan(&self, index: u32, restore: Option<(Arc<Manifest>, CheckpointStore)>) -> Plan {
        Plan {
            job: JobId("job".into()),
            attempt: self.attempt,
            id: SubtaskId {
                vertex: VertexId(0),
                index,
            },
            graph: Arc::clone(&self.bench.graph),
            restore,
            store: Some(self.store(self.folder)),
            environment: self.bench.environment.clone(),
            scratch: self.bench.scratch.path().join(self.attempt.to_string()),
            metrics: Arc::new(SubtaskMetrics::default()),
        }
    }

    /// Starts subtasks; what they restore is right or an error.
    async fn deploy(
        &mut self,
        parallelism: u32,
        restore: Option<(Arc<Manifest>, CheckpointStore)>,
    ) -> Result<()> {
        self.tasks.clear();
        self.attempt += 1;
        let node = ChainedOperator {
            coarse: String::new(),
            uid: UID.into(),
            name: UID.into(),
            spec: OperatorSpec::Union,
            inputs: vec![],
            schema: WireSchema(Arc::new(Schema::empty())),
        };
        let mut table = Table::new();
        for index in 0..parallelism {
            let range = KeyGroupRange::of_subtask(index, parallelism, GROUPS);
            let plan = self.plan(index, restore.clone());
            let chain = plan.restored_chain(&node, range);
            let mut state = plan.open_state(&node, range, &chain).await?;
            state.scan(TableId(0), &mut |group, key, value| {
                table.insert((group, key.to_vec()), value.to_vec());
                Ok(())
            })?;
            state.loaded();
            let (reports, queue) = mpsc::channel(16);
            let uploader = Uploader {
                store: plan.store.clone(),
                subtask: plan.id,
                attempt: self.attempt,
                key_groups: range,
                reporter: Reporter::new(reports, plan.job.clone(), self.attempt, plan.id),
                scratch: plan.scratch,
                chains: Arc::new(Mutex::new(BTreeMap::from([(
                    UID.to_string(),
                    OperatorFiles::new(chain, Vec::new()),
                )]))),
                turn: Arc::default(),
                merging: Arc::default(),
                stop: CancellationToken::new(),
            };
            self.tasks.push(Task {
                state,
                uploader,
                reports: queue,
            });
        }
        let restored = restore.map(|(manifest, _)| manifest);
        self.round = restored.as_deref().map_or(0, position);
        assert_eq!(
            table,
            truth(self.round, self.bench.value_bytes),
            "what was restored"
        );
        (self.prepared, self.unprepared) = (vec![], vec![]);
        self.visible
            .extend(restored.as_deref().map(committables).unwrap_or_default());
        Ok(())
    }

    /// The process dies; another goes on from what lies in the store.
    async fn restart(&mut self, parallelism: u32) {
        for _ in 0..TRIES {
            let store = self.store(self.folder);
            let restore = match store.latest().await {
                // With no checkpoint of its own it begins where it began.
                Ok(None) if self.from_savepoint => {
                    self.retained.clear();
                    return self.start_from_savepoint(parallelism).await;
                }
                Ok(latest) => latest.map(|manifest| (Arc::new(manifest), store)),
                Err(error) => {
                    self.errors.push(error);
                    continue;
                }
            };
            let latest = restore
                .as_ref()
                .map(|(manifest, _)| Manifest::clone(manifest));
            self.next_id = latest.as_ref().map_or(1, |m| m.barrier.checkpoint_id + 1);
            self.retained = latest.into_iter().collect();
            match self.deploy(parallelism, restore).await {
                Ok(()) => return,
                Err(error) => self.errors.push(error),
            }
        }
        panic!("it does not start again: {:?}", self.errors);
    }

    /// The run fails; the same coordinator starts another from the checkpoint that it knows.
    async fn fail_over(&mut self, parallelism: u32) {
        for _ in 0..TRIES {
            let known = self.retained.back().cloned();
            let store = self.store(self.folder);
            let restore = known.map(|manifest| (Arc::new(manifest), store));
            match self.deploy(parallelism, restore).await {
                Ok(()) => return,
                Err(error) => self.errors.push(error),
            }
        }
        panic!("it does not start again: {:?}", self.errors);
    }

    fn work(&mut self) {
        self.round += 1;
        self.unprepared.push(self.round);
        let changes = changes(self.round);
        let value = value(self.round, self.bench.value_bytes);
        for task in &mut self.tasks {
            let range = task.state.key_groups();
            let own = changes.iter().filter(|(group, ..)| range.contains(*group));
            let mut own = own.map(|(group, key, has_value)| Change {
                group: *group,
                key,
                value: has_value.then_some(&value),
            });
            task.state.apply(TableId(0), &mut own).unwrap();
        }
    }

    fn source(&self) -> OperatorCheckpoint {
        OperatorCheckpoint {
            uid: "source".into(),
            name: "source".into(),
            splits: vec![SplitState {
                split: "s".into(),
                position: WireBytes(self.round.to_string().into_bytes()),
                watermark: None,
                finished: false,
            }],
            ..OperatorCheckpoint::default()
        }
    }

    /// The share of each subtask, as far as there is one.
    async fn shares(&mut self, barrier: Barrier) -> Vec<SubtaskCheckpoint> {
        let rounds = std::mem::take(&mut self.unprepared);
        let name = format!("{}-{}", self.attempt, barrier.checkpoint_id);
        self.prepared.push((name, rounds));
        let encode = |p: &(String, Vec<u64>)| WireBytes(serde_json::to_vec(p).unwrap());
        let mut prepared: Vec<WireBytes> = self.prepared.iter().map(encode).collect();
        let mut shares = vec![];
        let mut source = vec![self.source()];
        for task in &mut self.tasks {
            let node = KeyedSnapshot {
                uid: UID.into(),
                name: UID.into(),
                delta: task.state.take_delta(),
            };
            let mut operators = std::mem::take(&mut source);
            operators.push(OperatorCheckpoint {
                uid: UID.into(),
                name: UID.into(),
                committables: std::mem::take(&mut prepared),
                ..OperatorCheckpoint::default()
            });
            let (done, rest) = oneshot::channel();
            let _ = done.send(Rest {
                operators,
                overtaken: Vec::new(),
                channels: Vec::new(),
            });
            task.uploader.upload(barrier, vec![node], rest);
            match task.reports.recv().await.unwrap().kind {
                ReportKind::Snapshot { share, .. } => shares.push(share),
                ReportKind::SnapshotFailed { error, .. } => self.errors.push(error),
                other => panic!("{other:?}"),
            }
            // Merging has ended when nobody else has the uploader.
            while Arc::strong_count(&task.uploader.turn) > 1 {
                tokio::time::sleep(std::time::Duration::from_micros(50)).await;
            }
        }
        shares
    }

    async fn checkpoint(&mut self) -> bool {
        let barrier = Barrier {
            checkpoint_id: self.next_id,
            kind: BarrierKind::Checkpoint,
            overtakes_at_ms: None,
        };
        self.next_id += 1;
        let shares = self.shares(barrier).await;
        let complete = shares.len() == self.tasks.len();
        let store = self.store(self.folder);
        if complete {
            let (job, graph) = (JobId("job".into()), &self.bench.graph);
            let manifest = Manifest::assemble(job, barrier, 0, graph, shares).of_run(self.attempt);
            match store.put_manifest(&manifest).await {
                Ok(()) => self.completed(manifest, &store).await,
                Err(error) => self.errors.push(error),
            }
        }
        self.latest_is_right().await;
        self.retained.back().is_some_and(|m| m.barrier == barrier)
    }

    /// What the coordinator and the sink do when a checkpoint exists.
    async fn completed(&mut self, manifest: Manifest, store: &CheckpointStore) {
        self.visible.extend(self.prepared.drain(..));
        self.retained.push_back(manifest);
        if self.retained.len() > 2 {
            self.retained.pop_front();
        }
        let oldest = self.retained[0].barrier.checkpoint_id;
        let retained: Vec<&Manifest> = self.retained.iter().collect();
        let clean = async {
            for id in store.list().await?.into_iter().filter(|id| *id < oldest) {
                store.remove(id).await?;
            }
            store.sweep(oldest, &retained).await
        };
        if let Err(error) = clean.await {
            self.errors.push(error);
        }
    }

    /// The latest checkpoint is there, can be read, and has the state of its position; with what it
    /// commits each row of output is there once.
    async fn latest_is_right(&self) {
        let store = self.sound();
        let latest = store.latest().await.unwrap();
        let Some(latest) = latest else {
            assert!(self.retained.is_empty(), "a complete checkpoint is gone");
            return;
        };
        let complete = self.retained.back().map(|m| m.barrier.checkpoint_id);
        assert!(complete <= Some(latest.barrier.checkpoint_id));
        let mut files = vec![];
        for file in &latest.operators[UID].keyed {
            let reader: StateFileReader = store
                .open_state(file, self.bench.scratch.path())
                .await
                .unwrap();
            files.push(RestoredFile {
                name: file.path.clone(),
                key_groups: file.key_groups,
                reader,
            });
        }
        let mut table = Table::new();
        let files = Restored(files);
        let read = files.scan(
            KeyGroupRange::EVERY,
            TableId(0),
            &mut |group, key, value| {
                table.insert((group, key.to_vec()), value.to_vec());
                Ok(())
            },
        );
        read.unwrap();
        let rounds = position(&latest);
        assert_eq!(table, truth(rounds, self.bench.value_bytes));
        let mut visible = self.visible.clone();
        visible.extend(committables(&latest));
        self.each_once(&visible, rounds);
    }

    fn each_once(&self, visible: &BTreeMap<String, Vec<u64>>, rounds: u64) {
        let mut seen: Vec<u64> = visible.values().flatten().copied().collect();
        seen.sort_unstable();
        let first = seen.first().copied().unwrap_or(rounds + 1);
        assert_eq!(seen, (first..=rounds).collect::<Vec<_>>(), "{visible:?}");
        assert!(first == 1 || self.folder != "jobs/a");
    }

    async fn savepoint(&mut self) {
        let manifest = self.retained.back().unwrap().clone();
        let target = self.store(SAVEPOINT);
        for _ in 0..TRIES {
            match self.store(self.folder).export(&manifest, &target).await {
                Ok(()) => return,
                Err(error) => self.errors.push(error),
            }
        }
        panic!("no savepoint: {:?}", self.errors);
    }

    async fn start_from_savepoint(&mut self, parallelism: u32) {
        self.from_savepoint = true;
        for _ in 0..TRIES {
            let store = self.store(SAVEPOINT);
            let started = match store.load_here(SAVEPOINT).await {
                Ok(manifest) => {
                    self.next_id = manifest.barrier.checkpoint_id + 1;
                    self.deploy(parallelism, Some((Arc::new(manifest), store)))
                        .await
                }
                Err(error) => Err(error),
            };
            match started {
                Ok(()) => return,
                Err(error) => self.errors.push(error),
            }
        }
        panic!("it does not start: {:?}", self.errors);
    }

    async fn rounds(&mut self, count: usize) {
        for _ in 0..count {
            self.work();
            self.checkpoint().await;
        }
    }

    /// When the store is well again, all that was worked on comes out, and nothing is left behind.
    async fn end(&mut self) {
        self.faulty.heal();
        self.work();
        assert!(self.checkpoint().await, "{:?}", self.errors);
        self.each_once(&self.visible, self.round);
        let used: BTreeSet<&str> = self
            .retained
            .iter()
            .flat_map(|m| &m.operators[UID].keyed)
            .map(|f| f.path.as_str())
            .collect();
        let oldest = self.retained[0].barrier.checkpoint_id;
        for path in self.sound().state_files().await.unwrap() {
            let name = path.rsplit('/').next().unwrap();
            let id: u64 = name.split('-').next().unwrap().parse().unwrap();
            assert!(
                id >= oldest || used.contains(path.as_str()),
                "{path} is garbage"
            );
        }
    }

    /// Each error names the place and the cause, and says what to do.
    fn errors_are_clear(&self) {
        for error in &self.errors {
            let text = error.to_string();
            let place = text.contains(self.folder) || text.contains(SAVEPOINT);
            let clear = place && text.contains("a fault that the test wants");
            assert!(clear && error.hint.is_some(), "{text}");
        }
    }
}

/// Checkpoints at parallelism 2 with merges and sweeps, a savepoint, a failure, a crash, the rest at
/// parallelism 3; then another job from the savepoint at parallelism 1, which crashes too.
async fn script(bench: &Bench, faulty: &Faulty) -> usize {
    let mut job = Job::new(bench, faulty, "jobs/a");
    job.deploy(2, None).await.unwrap();
    job.rounds(5).await;
    while job.retained.is_empty() {
        job.rounds(1).await;
    }
    job.savepoint().await;
    job.rounds(1).await;
    job.fail_over(2).await;
    job.rounds(2).await;
    job.work();
    job.restart(3).await;
    job.rounds(2).await;
    let mut other = Job::new(bench, faulty, "jobs/b");
    other.start_from_savepoint(1).await;
    other.rounds(2).await;
    if other.retained.is_empty() {
        other.rounds(2).await;
    }
    other.work();
    other.restart(2).await;
    other.rounds(1).await;
    other.end().await;
    job.end().await;
    job.errors_are_clear();
    other.errors_are_clear();
    job.errors.len() + other.errors.len()
}

const FAULTS: [Fault; 6] = [
    Fault::Refused,
    Fault::AnswerLost,
    Fault::BreaksOff,
    Fault::Down(5),
    Fault::Vanishes(3),
    Fault::Slow,
];

/// Runs the script once for each call and fault.
async fn at_each_call(bench: &Bench, step: usize) {
    let sound = Faulty::new(None);
    assert_eq!(script(bench, &sound).await, 0);
    let (mut runs, mut errors) = (0, 0);
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for at in (0..sound.calls()).step_by(step) {
        for fault in FAULTS {
            let faulty = Faulty::new(Some((at, fault)));
            let seen = script(bench, &faulty).await;
            let hit = faulty.hit();
            assert!(!hit.is_empty(), "nothing went wrong at call {at}");
            let kind = hit[0].rsplit_once(' ').unwrap().0.to_string();
            *kinds.entry(kind).or_default() += 1;
            assert!(fault != Fault::Slow || seen == 0, "late is not wrong");
            runs += 1;
            errors += seen;
        }
    }
    println!(
        "{} calls, {runs} runs with a fault, {errors} errors told; runs by call: {kinds:?}",
        sound.calls()
    );
}

/// Every call under `make soak`, else one in so many.
fn one_in(many: usize) -> usize {
    match std::env::var("LEVADA_SOAK").is_ok_and(|v| !v.is_empty() && v != "0") {
        true => 1,
        false => many,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_at_any_call_of_the_store_loses_and_doubles_nothing() {
    at_each_call(&bench(60), one_in(5)).await;
}

/// Deltas that are sent in parts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_one_while_large_files_are_sent_in_parts() {
    at_each_call(&bench(640 << 10), one_in(101)).await;
}

fn barrier(checkpoint_id: u64) -> Barrier {
    Barrier {
        checkpoint_id,
        kind: BarrierKind::Checkpoint,
        overtakes_at_ms: None,
    }
}

impl Job<'_> {
    /// Works, and makes durable what the only subtask has to say at the barrier; merges nothing.
    async fn told_at(&mut self, barrier: Barrier) -> Vec<OperatorCheckpoint> {
        self.work();
        let store = self.store(self.folder);
        let task = &mut self.tasks[0];
        let delta = task.state.take_delta();
        {
            let mut chains = task.uploader.chains.lock().unwrap();
            chains.get_mut(UID).unwrap().backlog.push(delta);
        }
        let operator = OperatorCheckpoint {
            uid: UID.into(),
            name: UID.into(),
            ..OperatorCheckpoint::default()
        };
        let uploaded = task.uploader.upload_keyed(&store, barrier, vec![operator]);
        uploaded.await.unwrap().0
    }
}

#[tokio::test]
async fn a_merge_that_begins_late_is_not_swept_by_checkpoints_that_were_told_before() {
    let (bench, faulty) = (bench(60), Faulty::new(None));
    let mut job = Job::new(&bench, &faulty, "jobs/a");
    job.deploy(1, None).await.unwrap();
    let store = job.store("jobs/a");
    let mut told = Vec::new();
    for id in 1..=6 {
        told = job.told_at(barrier(id)).await;
    }
    // The task of checkpoint 4 comes to its merges only now, that of checkpoint 5 behind it.
    let uploader = job.tasks[0].uploader.clone();
    uploader.merge_chains(&store, barrier(4)).await;
    uploader.merge_chains(&store, barrier(5)).await;
    let files = || uploader.lock()[UID].chain.files();
    assert!(files().len() < 6, "nothing was merged");
    let share = SubtaskCheckpoint {
        subtask: uploader.subtask,
        operators: told,
        in_flight: Vec::new(),
        channels: Vec::new(),
    };
    let last = Manifest::assemble(JobId("job".into()), barrier(6), 0, &bench.graph, [share]);
    store.sweep(6, &[&last]).await.unwrap();
    for file in files() {
        let opened = store.open_state(&file, bench.scratch.path()).await;
        assert!(opened.is_ok(), "{} is gone", file.path);
    }
}
