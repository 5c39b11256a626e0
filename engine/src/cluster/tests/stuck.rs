//! A subtask whose thread does not come back from a call of its connector.

use std::sync::mpsc;

use super::*;

/// The test's own sinks, of which one blocks its thread in the first run.
struct Sticky {
    numbers: TestConnector,
    /// Blocks until the other end is dropped.
    gate: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl ConnectorFactory for Sticky {
    fn identifier(&self) -> &'static str {
        "test"
    }
    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        self.numbers.source(table)
    }
    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        Ok(Arc::new(StickySinks {
            sinks: self.numbers.sink(table)?,
            gate: Arc::clone(&self.gate),
        }))
    }
}

struct StickySinks {
    sinks: Arc<dyn SinkFactory>,
    gate: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl SinkFactory for StickySinks {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        self.sinks.accept(mode)
    }
    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        let sticks = context.attempt == 1 && context.index == 1;
        Ok(Box::new(StickySink {
            gate: sticks.then(|| Arc::clone(&self.gate)),
            sink: self.sinks.create(context)?,
            written: 0,
        }))
    }
}

struct StickySink {
    sink: Box<dyn Sink>,
    gate: Option<Arc<Mutex<mpsc::Receiver<()>>>>,
    written: u32,
}

#[async_trait]
impl Sink for StickySink {
    async fn open(&mut self) -> Result<()> {
        self.sink.open().await
    }
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.written += 1;
        if let (20, Some(gate)) = (self.written, &self.gate) {
            let _ = gate.lock().unwrap().recv();
        }
        self.sink.write(batch).await
    }
    async fn prepare(&mut self, checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        self.sink.prepare(checkpoint_id).await
    }
    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        self.sink.commit(committables).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_goes_on_without_a_subtask_that_does_not_end() {
    let mut bench = bench(2000, Duration::from_millis(1));
    let (gate, blocked) = mpsc::channel();
    bench.environment.connectors = ConnectorRegistry::new();
    bench.environment.connectors.register(Arc::new(Sticky {
        numbers: TestConnector {
            visible: Arc::clone(&bench.visible),
            fail_at: Arc::clone(&bench.fail_at),
            count: 2000,
            pause: Duration::from_millis(1),
            row_bytes: 0,
        },
        gate: Arc::new(Mutex::new(blocked)),
    }));
    bench.fail_at.store(1200, Ordering::SeqCst);
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let mut graph = graph(2, 2, false, Some(20));
    graph.settings.cancellation_timeout_ms = 200;
    let status = run(&cluster.client(), graph).await;
    let ended = (status.state, status.restarts);
    assert_eq!(ended, (JobState::Finished, 1), "{:?}", status.error);
    assert_eq!(bench.sorted(), expected(2, 2000));
    // The call returns at last, and what it holds up has no effect any more.
    drop(gate);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.sorted(), expected(2, 2000));
}
