#![allow(clippy::unwrap_used, clippy::panic)]
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::execution::TaskContext;
use futures::StreamExt;

use super::*;
use crate::client::{JobClient, JobState, JobStatus, StopMode};
use crate::connector::*;
use crate::element::{Batch, ChangelogMode};
use crate::graph::*;
use crate::memory::Memory;
use crate::state::Resources;
use crate::time::SystemClock;

mod overfull;
mod overtaking;
mod stuck;

/// Rows that the test sink has made visible, by the committable that carried them.
type Visible = Arc<Mutex<BTreeMap<String, Vec<i64>>>>;

/// A source of the numbers `0..count` in each subtask, and a sink that commits in two phases.
struct TestConnector {
    visible: Visible,
    /// The source fails once when it comes to this number; negative never.
    fail_at: Arc<AtomicI64>,
    count: i64,
    pause: Duration,
    /// What a row weighs that waits for a checkpoint.
    row_bytes: usize,
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("v", DataType::Int64, true)]))
}

fn batch(values: Vec<i64>) -> Batch {
    Batch::inserts(
        RecordBatch::try_new(schema(), vec![Arc::new(Int64Array::from(values))]).unwrap(),
    )
}

impl ConnectorFactory for TestConnector {
    fn identifier(&self) -> &'static str {
        "test"
    }
    fn source(&self, _: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let fail_at = Arc::clone(&self.fail_at);
        Ok(Arc::new(Numbers {
            fail_at,
            count: self.count,
            pause: self.pause,
        }))
    }
    fn sink(&self, _: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        Ok(Arc::new(Collecting {
            visible: Arc::clone(&self.visible),
            row_bytes: self.row_bytes,
        }))
    }
}

struct Numbers {
    fail_at: Arc<AtomicI64>,
    count: i64,
    pause: Duration,
}

impl SourceFactory for Numbers {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }
    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let split: Arc<str> = format!("s{}", context.index).into();
        let restored = context.restored.as_ref().and_then(|all| {
            let mine = all.iter().find(|s| *s.split == *split)?;
            std::str::from_utf8(&mine.position.0).unwrap().parse().ok()
        });
        Ok(Box::new(NumberSource {
            split,
            base: i64::from(context.index) * 1_000_000,
            next: restored.unwrap_or(0),
            fail_at: Arc::clone(&self.fail_at),
            count: self.count,
            pause: self.pause,
        }))
    }
}

struct NumberSource {
    split: Arc<str>,
    base: i64,
    next: i64,
    fail_at: Arc<AtomicI64>,
    count: i64,
    pause: Duration,
}

#[async_trait]
impl Source for NumberSource {
    async fn open(&mut self) -> Result<Vec<String>> {
        Ok(vec![self.split.to_string()])
    }
    async fn next(&mut self) -> Result<SourceEvent> {
        if !self.pause.is_zero() {
            tokio::time::sleep(self.pause).await;
        }
        let fail_at = self.fail_at.load(Ordering::SeqCst);
        if fail_at >= 0 && self.next >= fail_at && self.base == 0 {
            self.fail_at.store(-1, Ordering::SeqCst);
            return Err(EngineError::connector("the test wants it"));
        }
        if self.next >= self.count {
            return Ok(SourceEvent::End);
        }
        let end = (self.next + 10).min(self.count);
        let values = (self.next..end).map(|v| self.base + v).collect();
        self.next = end;
        Ok(SourceEvent::Rows {
            split: Arc::clone(&self.split),
            batch: batch(values),
        })
    }
    fn positions(&self) -> Result<Vec<SplitState>> {
        Ok(vec![SplitState {
            split: self.split.to_string(),
            position: WireBytes(self.next.to_string().into_bytes()),
            watermark: None,
            finished: self.next >= self.count,
        }])
    }
}

struct Collecting {
    visible: Visible,
    row_bytes: usize,
}

impl SinkFactory for Collecting {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        Ok(mode)
    }
    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        let name = format!("{}-{}-{}", context.job, context.attempt, context.index);
        Ok(Box::new(CollectingSink {
            visible: Arc::clone(&self.visible),
            name,
            rows: Vec::new(),
            row_bytes: self.row_bytes,
        }))
    }
}

struct CollectingSink {
    visible: Visible,
    name: String,
    rows: Vec<i64>,
    row_bytes: usize,
}

#[async_trait]
impl Sink for CollectingSink {
    async fn open(&mut self) -> Result<()> {
        Ok(())
    }
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.rows
            .extend(batch.column(0).as_primitive::<Int64Type>().values());
        Ok(())
    }
    async fn prepare(&mut self, checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        let rows = std::mem::take(&mut self.rows);
        let prepared = (format!("{}-{checkpoint_id}", self.name), rows);
        Ok(vec![WireBytes(serde_json::to_vec(&prepared).unwrap())])
    }
    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        for committable in committables {
            let (name, rows): (String, Vec<i64>) = serde_json::from_slice(&committable.0).unwrap();
            self.visible.lock().unwrap().insert(name, rows);
        }
        Ok(())
    }
    fn held_bytes(&self) -> usize {
        self.rows.len() * self.row_bytes
    }
}

struct Bench {
    visible: Visible,
    fail_at: Arc<AtomicI64>,
    environment: Environment,
    dir: tempfile::TempDir,
}

fn bench(count: i64, pause: Duration) -> Bench {
    bench_of_heavy_rows(count, pause, 0)
}

fn bench_of_heavy_rows(count: i64, pause: Duration, row_bytes: usize) -> Bench {
    let (visible, fail_at) = (Visible::default(), Arc::new(AtomicI64::new(-1)));
    let mut connectors = ConnectorRegistry::new();
    connectors.register(Arc::new(TestConnector {
        visible: Arc::clone(&visible),
        fail_at: Arc::clone(&fail_at),
        count,
        pause,
        row_bytes,
    }));
    let dir = tempfile::tempdir().unwrap();
    let environment = Environment {
        clock: Arc::new(SystemClock),
        connectors,
        functions: Arc::new(TaskContext::default()),
        scratch_dir: dir.path().join("scratch"),
        resources: Arc::new(Resources::new(Memory::new(256 << 20))),
        failpoints: Default::default(),
    };
    Bench {
        visible,
        fail_at,
        environment,
        dir,
    }
}

impl Bench {
    fn sorted(&self) -> Vec<i64> {
        let mut all: Vec<i64> = self
            .visible
            .lock()
            .unwrap()
            .values()
            .flatten()
            .copied()
            .collect();
        all.sort_unstable();
        all
    }
    fn checkpoints(&self) -> Option<String> {
        Some(self.dir.path().join("checkpoints").display().to_string())
    }
}

fn expected(parallelism: i64, count: i64) -> Vec<i64> {
    (0..parallelism)
        .flat_map(|i| (0..count).map(move |v| i * 1_000_000 + v))
        .collect()
}

fn operator(uid: &str, spec: OperatorSpec, inputs: Vec<OperatorInput>) -> ChainedOperator {
    let (uid, name) = (uid.to_string(), uid.to_string());
    ChainedOperator {
        uid,
        coarse: String::new(),
        name,
        spec,
        inputs,
        schema: WireSchema(schema()),
    }
}

fn table() -> TableDescriptor {
    TableDescriptor {
        name: "t".into(),
        connector: "test".into(),
        schema: WireSchema(schema()),
        metadata: BTreeMap::new(),
        primary_key: vec![],
        partitioned_by: vec![],
        options: BTreeMap::new(),
    }
}

/// Source → (hash edge) → union → sink or collector.
fn graph(from: u32, to: u32, collect: bool, interval_ms: Option<u64>) -> JobGraph {
    let source = OperatorSpec::Source(Box::new(SourceSpec {
        table: table(),
        read_schema: WireSchema(schema()),
        compute: None,
        watermark: None,
        bounded: true,
        divert_late: false,
        divert_bad: false,
        mode: ChangelogMode::Append,
    }));
    let sink = match collect {
        true => OperatorSpec::Collect,
        false => OperatorSpec::Sink(SinkSpec {
            table: table(),
            input_mode: ChangelogMode::Append,
        }),
    };
    let edge = OperatorInput::Edge(EdgeId(0));
    let chained = OperatorInput::Chained {
        operator: 0,
        port: OutputPort::Main,
    };
    let vertex = |id, name: &str, parallelism, operators| Vertex {
        id: VertexId(id),
        name: name.into(),
        parallelism,
        operators,
    };
    let mut settings = JobSettings::default();
    settings.checkpoints.interval_ms = interval_ms;
    settings.restart = RestartStrategy::FixedDelay {
        attempts: 100,
        delay_ms: 10,
    };
    JobGraph {
        name: "numbers".into(),
        vertices: vec![
            vertex(0, "Source", from, vec![operator("source", source, vec![])]),
            vertex(
                1,
                "Union -> Sink",
                to,
                vec![
                    operator("union", OperatorSpec::Union, vec![edge]),
                    operator("sink", sink, vec![chained]),
                ],
            ),
        ],
        edges: vec![Edge {
            id: EdgeId(0),
            from: VertexId(0),
            from_operator: 0,
            from_port: OutputPort::Main,
            to: VertexId(1),
            partitioning: Partitioning::Hash(vec![0]),
            schema: WireSchema(schema()),
        }],
        settings,
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(60), future).await {
        Ok(value) => value,
        Err(_) => panic!("timed out: {what}"),
    }
}

async fn run(client: &dyn JobClient, graph: JobGraph) -> JobStatus {
    let job = within("submit", client.submit(graph)).await.unwrap();
    within("end", client.wait(&job)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounded_job_ends_with_everything_committed_and_counted() {
    let bench = bench(1000, Duration::ZERO);
    let cluster = Embedded::start(8, None, bench.environment.clone());
    let status = run(&cluster.client(), graph(2, 3, false, None)).await;
    assert_eq!(
        (status.state, status.restarts),
        (JobState::Finished, 0),
        "{:?}",
        status.error
    );
    assert_eq!(bench.sorted(), expected(2, 1000));
    assert_eq!(status.vertices[0].metrics.rows_in, 2000);
    assert_eq!(status.vertices[1].metrics.rows_out, 2000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_job_goes_on_from_its_checkpoint_exactly_once() {
    let bench = bench(2000, Duration::from_millis(1));
    bench.fail_at.store(1200, Ordering::SeqCst);
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let status = run(&cluster.client(), graph(2, 2, false, Some(20))).await;
    assert_eq!(
        (status.state, status.restarts),
        (JobState::Finished, 1),
        "{:?}",
        status.error
    );
    assert!(status.checkpoints.completed > 2);
    assert_eq!(bench.sorted(), expected(2, 2000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_waits_for_slots_and_says_so() {
    let bench = bench(10, Duration::ZERO);
    let cluster = Embedded::start(3, None, bench.environment.clone());
    let client = cluster.client();
    let job = client.submit(graph(4, 2, false, None)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let status = client.status(&job).await.unwrap();
    assert_eq!(status.state, JobState::Waiting);
    let why = status.waiting_for.unwrap();
    assert_eq!(why, "waiting for slots: 4 needed, 3 free on 1 worker");
    client.stop(&job, StopMode::Checkpoint).await.unwrap();
    assert_eq!(
        within("end", client.wait(&job)).await.unwrap().state,
        JobState::Stopped
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_streams_its_rows_to_one_reader() {
    let bench = bench(5000, Duration::ZERO);
    let cluster = Embedded::start(3, None, bench.environment.clone());
    let client = cluster.client();
    let job = client.submit(graph(2, 1, true, None)).await.unwrap();
    let mut rows = client.results(&job, schema()).await.unwrap();
    let mut seen = Vec::new();
    while let Some(batch) = within("rows", rows.next()).await {
        seen.extend(
            batch
                .unwrap()
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec(),
        );
    }
    seen.sort_unstable();
    assert_eq!(seen, expected(2, 5000));
    assert!(
        client.results(&job, schema()).await.is_err(),
        "one reader only"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_fails_says_why_and_one_without_reader_is_cancelled() {
    let bench = bench(5000, Duration::from_millis(1));
    bench.fail_at.store(100, Ordering::SeqCst);
    let cluster = Embedded::start(3, None, bench.environment.clone());
    let client = cluster.client();
    let job = client.submit(graph(1, 1, true, None)).await.unwrap();
    let mut rows = client.results(&job, schema()).await.unwrap();
    let error = loop {
        match within("rows", rows.next()).await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(error.message.contains("the test wants it"), "{error}");
    let job = client.submit(graph(1, 1, true, None)).await.unwrap();
    let rows = client.results(&job, schema()).await.unwrap();
    drop(rows);
    assert_eq!(
        within("end", client.wait(&job)).await.unwrap().state,
        JobState::Stopped
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_job_goes_on_elsewhere_from_its_last_checkpoint() {
    let bench = bench(3000, Duration::from_millis(1));
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let client = cluster.client();
    let job = client.submit(graph(2, 2, false, Some(50))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    client.stop(&job, StopMode::Checkpoint).await.unwrap();
    let stopped = within("end", client.wait(&job)).await.unwrap();
    assert_eq!(stopped.state, JobState::Stopped, "{:?}", stopped.error);
    let part = bench.sorted().len();
    assert!(part > 0 && part < 6000, "{part} rows");
    let mut rest = graph(2, 3, false, Some(50));
    rest.settings.checkpoints.restore_from = stopped.checkpoints.last_path;
    let status = run(&client, rest).await;
    assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
    assert_eq!(bench.sorted(), expected(2, 3000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_savepoint_needs_nothing_of_the_job_that_it_is_of() {
    let bench = bench(20_000, Duration::from_millis(1));
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let client = cluster.client();
    let job = client.submit(graph(2, 2, false, Some(50))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let dir = Some(elsewhere.path().display().to_string());
    let running = within("savepoint", client.savepoint(&job, dir.clone()));
    let running = running.await.unwrap();
    assert!(running.starts_with(&dir.clone().unwrap()), "{running}");
    client.stop(&job, StopMode::Checkpoint).await.unwrap();
    let stopped = within("end", client.wait(&job)).await.unwrap();
    assert_eq!(stopped.state, JobState::Stopped, "{:?}", stopped.error);
    let savepoint = client.savepoint(&job, dir).await.unwrap();
    assert_ne!(savepoint, running);
    std::fs::remove_dir_all(bench.checkpoints().unwrap()).unwrap();
    let mut rest = graph(2, 3, false, Some(50));
    rest.settings.checkpoints.restore_from = Some(savepoint.clone());
    let status = run(&client, rest).await;
    assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
    assert_eq!(bench.sorted(), expected(2, 20_000));
    let mut lost = graph(2, 3, false, Some(50));
    lost.settings.checkpoints.restore_from = Some(format!("{savepoint}-2"));
    let error = client.submit(lost).await.unwrap_err();
    assert!(
        error
            .message
            .contains("neither a checkpoint nor a savepoint"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_job_has_passed_everything_on() {
    let bench = bench(100_000, Duration::from_millis(1));
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let client = cluster.client();
    let job = client.submit(graph(2, 2, false, None)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    client.stop(&job, StopMode::Drain).await.unwrap();
    let status = within("end", client.wait(&job)).await.unwrap();
    assert_eq!(status.state, JobState::Stopped, "{:?}", status.error);
    let read: u64 = status
        .vertices
        .iter()
        .filter(|v| v.is_source)
        .map(|v| v.metrics.rows_in)
        .sum();
    assert!(read > 0 && read < 200_000, "{read}");
    assert_eq!(bench.sorted().len() as u64, read);
}

async fn start_worker(
    coordinator: &str,
    slots: u32,
    environment: &Environment,
) -> CancellationToken {
    let stop = CancellationToken::new();
    let process = WorkerProcess {
        coordinator: coordinator.to_string(),
        slots,
        bind: "127.0.0.1:0".parse().unwrap(),
        metrics: None,
    };
    tokio::spawn(worker_process(
        process,
        environment.clone(),
        stop.clone(),
        |_| {},
    ));
    stop
}

async fn start_coordinator(bench: &Bench) -> (String, CancellationToken) {
    let stop = CancellationToken::new();
    let (ready, address) = tokio::sync::oneshot::channel();
    let process = CoordinatorProcess {
        bind: "127.0.0.1:0".parse().unwrap(),
        dir: bench.dir.path().join("coordinator"),
        metrics: None,
    };
    let announce = |address: SocketAddr| ready.send(address).unwrap();
    tokio::spawn(coordinator_process(
        process,
        bench.environment.clone(),
        stop.clone(),
        announce,
    ));
    (address.await.unwrap().to_string(), stop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_spans_workers_and_survives_the_loss_of_one() {
    let bench = bench(3000, Duration::from_millis(1));
    let (address, _stop) = start_coordinator(&bench).await;
    let _first = start_worker(&address, 2, &bench.environment).await;
    let second = start_worker(&address, 2, &bench.environment).await;
    let client = within("connect", connect(&address)).await.unwrap();
    let job = client.submit(graph(4, 4, false, Some(30))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let status = client.status(&job).await.unwrap();
    assert_eq!(
        status.state,
        JobState::Running,
        "{:?} {:?}",
        status.error,
        status.waiting_for
    );
    second.cancel();
    let _third = start_worker(&address, 2, &bench.environment).await;
    let status = within("end", client.wait(&job)).await.unwrap();
    assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
    assert!(status.restarts >= 1);
    assert_eq!(bench.sorted(), expected(4, 3000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_over_the_network_streams_and_a_missing_job_is_an_error() {
    let bench = bench(2000, Duration::ZERO);
    let (address, _stop) = start_coordinator(&bench).await;
    let _worker = start_worker(&address, 2, &bench.environment).await;
    let client = within("connect", connect(&address)).await.unwrap();
    let job = client.submit(graph(2, 1, true, None)).await.unwrap();
    let mut rows = client.results(&job, schema()).await.unwrap();
    let mut seen = 0;
    while let Some(batch) = within("rows", rows.next()).await {
        seen += batch.unwrap().num_rows();
    }
    assert_eq!(seen, 4000);
    assert_eq!(client.list().await.unwrap().len(), 1);
    let missing = client.status(&JobId("nope".into())).await.unwrap_err();
    assert!(missing.message.contains("no job 'nope'"), "{missing}");
    let refused = connect("127.0.0.1:1").await.map(|_| ()).unwrap_err();
    assert!(refused.message.contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_named() {
    let bench = bench(1, Duration::ZERO);
    let (address, _stop) = start_coordinator(&bench).await;
    let process = CoordinatorProcess {
        bind: address.parse().unwrap(),
        dir: bench.dir.path().join("coordinator"),
        metrics: None,
    };
    let second = coordinator_process(
        process,
        bench.environment.clone(),
        CancellationToken::new(),
        |_| {},
    );
    let error = second.await.unwrap_err();
    assert!(error.message.contains(&address), "{error}");
}
