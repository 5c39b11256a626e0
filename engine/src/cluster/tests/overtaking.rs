//! Barriers that overtake rows, with a sink that blocks until the test lets it go.

use tokio::sync::watch;

use super::*;

/// A sink that writes nothing until it may, and can take rows twice.
struct Gated {
    numbers: TestConnector,
    open: watch::Receiver<bool>,
}

impl ConnectorFactory for Gated {
    fn identifier(&self) -> &'static str {
        "test"
    }
    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        self.numbers.source(table)
    }
    fn sink(&self, _: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        let (visible, open) = (Arc::clone(&self.numbers.visible), self.open.clone());
        Ok(Arc::new(GatedSinks { visible, open }))
    }
}

struct GatedSinks {
    visible: Visible,
    open: watch::Receiver<bool>,
}

impl SinkFactory for GatedSinks {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        Ok(mode)
    }
    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(GatedSink {
            name: format!("{}-{}-{}", context.job, context.attempt, context.index),
            visible: Arc::clone(&self.visible),
            open: self.open.clone(),
        }))
    }
}

struct GatedSink {
    name: String,
    visible: Visible,
    open: watch::Receiver<bool>,
}

#[async_trait]
impl Sink for GatedSink {
    async fn open(&mut self) -> Result<()> {
        Ok(())
    }
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        let open = self.open.wait_for(|open| *open).await;
        drop(open.map_err(|e| EngineError::internal(e.to_string()))?);
        let values = batch.column(0).as_primitive::<Int64Type>().values();
        let mut visible = self.visible.lock().unwrap();
        let rows = visible.entry(self.name.clone()).or_default();
        rows.extend(values);
        Ok(())
    }
    async fn prepare(&mut self, _: u64) -> Result<Vec<WireBytes>> {
        Ok(Vec::new())
    }
    fn takes_rows_twice(&self) -> bool {
        true
    }
}

fn gated(count: i64) -> (Bench, watch::Sender<bool>) {
    let mut bench = bench(count, Duration::ZERO);
    let (gate, open) = watch::channel(false);
    bench.environment.connectors = ConnectorRegistry::new();
    bench.environment.connectors.register(Arc::new(Gated {
        numbers: TestConnector {
            visible: Arc::clone(&bench.visible),
            fail_at: Arc::clone(&bench.fail_at),
            count,
            pause: Duration::ZERO,
            row_bytes: 0,
        },
        open,
    }));
    (bench, gate)
}

/// With channels so narrow that rows pile up everywhere.
fn narrow(from: u32, to: u32, overtake_after_ms: Option<u64>) -> JobGraph {
    let mut graph = graph(from, to, false, Some(50));
    graph.settings.checkpoints.overtake_after_ms = overtake_after_ms;
    graph.settings.checkpoints.timeout_ms = 5_000;
    graph.settings.channel_bytes = 4 << 10;
    graph.settings.batch_rows = 64;
    graph
}

/// Runs against a closed sink until `checkpoints` are complete, and stops at once.
async fn blocked_run(client: &dyn JobClient, graph: JobGraph, checkpoints: u64) -> JobStatus {
    let job = client.submit(graph).await.unwrap();
    let complete = async {
        loop {
            let status = client.status(&job).await.unwrap();
            if status.checkpoints.completed >= checkpoints {
                return;
            }
            assert!(status.error.is_none(), "{:?}", status.error);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within("checkpoints behind a blocked sink", complete).await;
    client.stop(&job, StopMode::Cancel).await.unwrap();
    within("end", client.wait(&job)).await.unwrap()
}

async fn overtake_and_restore(from: u32, to: u32, then: u32, after_ms: u64) {
    let (bench, gate) = gated(20_000);
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let client = cluster.client();
    let blocked = blocked_run(&client, narrow(from, to, Some(after_ms)), 3).await;
    assert!(bench.sorted().is_empty(), "the sink was closed");
    let took = blocked.checkpoints.last_duration_ms;
    assert!((after_ms..2_000).contains(&took), "{took} ms");
    let path = blocked.checkpoints.last_path.unwrap();
    let (manifest, _) = crate::checkpoint::CheckpointStore::load(&path)
        .await
        .unwrap();
    let places: std::collections::BTreeSet<_> = manifest.in_flight.iter().map(|f| f.leg).collect();
    assert_eq!(
        places.len(),
        3,
        "rows were overtaken everywhere: {places:?}"
    );
    // Blocked again, it has nothing to lose either.
    let mut again = narrow(from, then, Some(after_ms));
    again.settings.checkpoints.restore_from = Some(path);
    gate.send(true).unwrap();
    let status = run(&client, again).await;
    assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
    let (rows, wanted) = (bench.sorted(), expected(i64::from(from), 20_000));
    let mut once = rows.clone();
    once.dedup();
    let doubled = rows.len() - once.len();
    assert_eq!(doubled, 0, "rows came twice");
    assert!(rows == wanted, "{} of {} rows", rows.len(), wanted.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_overtakes_what_waits_for_a_blocked_sink() {
    overtake_and_restore(2, 3, 3, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overtaken_rows_find_other_subtasks() {
    overtake_and_restore(2, 1, 4, 0).await;
    overtake_and_restore(2, 4, 1, 0).await;
    overtake_and_restore(2, 3, 5, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn barriers_wait_as_long_as_they_are_told_and_then_overtake() {
    overtake_and_restore(2, 3, 2, 400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_overtaking_a_blocked_sink_holds_up_checkpoints() {
    let (bench, gate) = gated(20_000);
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let client = cluster.client();
    let job = client.submit(narrow(2, 2, None)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(800)).await;
    let before = client.status(&job).await.unwrap().checkpoints.completed;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let later = client.status(&job).await.unwrap().checkpoints.completed;
    assert_eq!(before, later);
    gate.send(true).unwrap();
    let status = within("end", client.wait(&job)).await.unwrap();
    assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
    assert_eq!(bench.sorted(), expected(2, 20_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overtaking_is_exactly_once_over_failures_for_a_sink_that_commits() {
    let bench = bench(4000, Duration::from_millis(1));
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let client = cluster.client();
    let mut graph = narrow(2, 3, Some(0));
    graph.settings.checkpoints.interval_ms = Some(5);
    bench.fail_at.store(700, Ordering::SeqCst);
    let job = client.submit(graph).await.unwrap();
    for fail_at in [1500, 2300, 3100] {
        let failed = async {
            while bench.fail_at.load(Ordering::SeqCst) >= 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within("a failure", failed).await;
        bench.fail_at.store(fail_at, Ordering::SeqCst);
    }
    let status = within("end", client.wait(&job)).await.unwrap();
    assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
    assert_eq!(status.restarts, 4);
    assert_eq!(bench.sorted(), expected(2, 4000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overtaken_rows_travel_between_workers() {
    let (bench, gate) = gated(20_000);
    let (address, _stop) = start_coordinator(&bench).await;
    let _first = start_worker(&address, 2, &bench.environment).await;
    let second = start_worker(&address, 2, &bench.environment).await;
    let client = within("connect", connect(&address)).await.unwrap();
    let job = client.submit(narrow(2, 4, Some(0))).await.unwrap();
    let completed = async |more: u64| {
        let from = client.status(&job).await.unwrap().checkpoints.completed;
        while client.status(&job).await.unwrap().checkpoints.completed < from + more {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within("checkpoints", completed(3)).await;
    second.cancel();
    let _third = start_worker(&address, 2, &bench.environment).await;
    gate.send(true).unwrap();
    let status = within("end", client.wait(&job)).await.unwrap();
    assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
    assert!(status.restarts >= 1);
    // The sink may get rows twice, so only their presence counts.
    let mut rows = bench.sorted();
    rows.dedup();
    assert_eq!(rows, expected(2, 20_000));
}
