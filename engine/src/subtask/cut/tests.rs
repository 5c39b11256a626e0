#![allow(clippy::unwrap_used, clippy::panic)]
//! What becomes of rows that wait for answers when a barrier comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::execution::TaskContext;
use tokio::sync::{Semaphore, mpsc};

use super::*;
use crate::client::Environment;
use crate::connector::{
    Answer, Boundedness, ConnectorFactory, ConnectorRegistry, Lookup, LookupCache, LookupContext,
    SinkFactory, Source, SourceContext, SourceFactory, TableDescriptor,
};
use crate::element::{Batch, ChangelogMode};
use crate::error::EngineError;
use crate::exchange::InputGate;
use crate::graph::execution::SubtaskId;
use crate::graph::{
    ChainedOperator, Edge, EdgeId, JobGraph, JobId, JobSettings, LookupJoinSpec, OperatorInput,
    OperatorSpec, OutputPort, Partitioning, SourceSpec, Vertex, VertexId, WireSchema,
};
use crate::memory::Memory;
use crate::metrics::SubtaskMetrics;
use crate::operator::{Operator, Output};
use crate::state::Resources;
use crate::subtask::chain::{Event, Stage};
use crate::subtask::{Plan, Report, ReportKind, Reporter, Wiring, build};
use crate::time::{Clock, SystemClock};

/// A table that has each key once, and answers as often as it is let.
#[derive(Clone)]
struct Same(Arc<Semaphore>);

impl ConnectorFactory for Same {
    fn identifier(&self) -> &'static str {
        "same"
    }

    fn source(&self, _: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        Ok(Arc::new(self.clone()))
    }

    fn sink(&self, _: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        Err(EngineError::config("only asked"))
    }
}

impl SourceFactory for Same {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn create(&self, _: SourceContext) -> Result<Box<dyn Source>> {
        Err(EngineError::config("only asked"))
    }

    fn lookup(&self) -> Option<LookupCache> {
        Some(LookupCache::None)
    }

    fn create_lookup(&self, _: LookupContext) -> Result<Arc<dyn Lookup>> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Lookup for Same {
    async fn open(&self) -> Result<()> {
        Ok(())
    }

    async fn ask(&self, keys: RecordBatch) -> Result<Answer> {
        self.0.acquire().await.unwrap().forget();
        let of = (0..keys.num_rows() as u32).collect();
        Ok(Answer { rows: keys, of })
    }
}

fn columns(names: &[&str]) -> SchemaRef {
    let fields = names.iter();
    let fields = fields.map(|name| Field::new(*name, DataType::Int64, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn lookup() -> OperatorSpec {
    let schema = WireSchema(columns(&["key"]));
    OperatorSpec::LookupJoin(Box::new(LookupJoinSpec {
        table: SourceSpec {
            table: TableDescriptor {
                name: "same".into(),
                connector: "same".into(),
                schema: schema.clone(),
                metadata: BTreeMap::new(),
                primary_key: Vec::new(),
                partitioned_by: Vec::new(),
                options: BTreeMap::new(),
            },
            read_schema: schema.clone(),
            compute: None,
            watermark: None,
            bounded: true,
            divert_late: false,
            divert_bad: false,
            mode: ChangelogMode::Append,
        },
        table_schema: schema,
        calcs: Vec::new(),
        keys: vec![(0, "key".into())],
        outer: false,
        condition: None,
        capacity: 10,
        timeout_ms: 60_000,
        retry: None,
    }))
}

/// A lookup join, and behind it a collector.
fn graph() -> JobGraph {
    let operator = |uid: &str, spec, input, names: &[&str]| ChainedOperator {
        uid: uid.into(),
        coarse: String::new(),
        name: uid.into(),
        spec,
        inputs: vec![input],
        schema: WireSchema(columns(names)),
    };
    let behind = OperatorInput::Chained {
        operator: 0,
        port: OutputPort::Main,
    };
    let from = OperatorInput::Edge(EdgeId(0));
    let both = ["n", "key"];
    let operators = vec![
        operator("lookup", lookup(), from, &both),
        operator("collect", OperatorSpec::Collect, behind, &both),
    ];
    let vertex = |id, operators| Vertex {
        id: VertexId(id),
        name: String::new(),
        parallelism: 1,
        operators,
    };
    JobGraph {
        name: "lookup".into(),
        vertices: vec![vertex(0, Vec::new()), vertex(1, operators)],
        edges: vec![Edge {
            id: EdgeId(0),
            from: VertexId(0),
            from_operator: 0,
            from_port: OutputPort::Main,
            to: VertexId(1),
            partitioning: Partitioning::Forward,
            schema: WireSchema(columns(&["n"])),
        }],
        settings: JobSettings::default(),
    }
}

struct Fixture {
    subtask: Subtask,
    answers: Arc<Semaphore>,
    told: mpsc::Receiver<Report>,
    _folder: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    fixture_with(64).await
}

/// Whose client takes so many batches.
async fn fixture_with(window: usize) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let answers = Arc::new(Semaphore::new(0));
    let mut connectors = ConnectorRegistry::new();
    connectors.register(Arc::new(Same(Arc::clone(&answers))));
    let (job, id) = (
        JobId("job".into()),
        SubtaskId {
            vertex: VertexId(1),
            index: 0,
        },
    );
    let plan = Plan {
        job: job.clone(),
        attempt: 1,
        id,
        graph: Arc::new(graph()),
        restore: None,
        store: None,
        environment: Environment {
            failpoints: Default::default(),
            clock: Arc::new(SystemClock),
            connectors,
            functions: Arc::new(TaskContext::default()),
            scratch_dir: folder.path().to_path_buf(),
            resources: Arc::new(Resources::new(Memory::new(64 << 20))),
        },
        scratch: folder.path().join("1"),
        metrics: Arc::new(SubtaskMetrics::default()),
    };
    let (_deliveries, queue) = mpsc::channel(8);
    let (_tell, commands) = mpsc::channel(8);
    let (reports, told) = mpsc::channel(64);
    let wiring = Wiring {
        gate: Some((InputGate::new(queue, 1, true), vec![(EdgeId(0), 0)])),
        outputs: Vec::new(),
        commands,
        reporter: Reporter::new(reports, job, 1, id),
        collect_window: Arc::new(Semaphore::new(window)),
    };
    Fixture {
        subtask: build(plan, wiring).await.unwrap(),
        answers,
        told,
        _folder: folder,
    }
}

fn numbers(batch: &Batch) -> Vec<i64> {
    let column = batch.column(0).as_primitive::<Int64Type>();
    column.values().to_vec()
}

impl Fixture {
    fn take(&mut self, rows: &[i64]) {
        let column: ArrayRef = Arc::new(Int64Array::from(rows.to_vec()));
        let rows = RecordBatch::try_new(columns(&["n"]), vec![column]).unwrap();
        let event = Event::Batch(Batch::inserts(rows));
        self.subtask.chain.push(0, 0, 0, event).unwrap();
    }

    fn barrier(&mut self, checkpoint_id: u64, kind: BarrierKind) {
        self.barrier_at(checkpoint_id, kind, None);
    }

    fn barrier_at(&mut self, checkpoint_id: u64, kind: BarrierKind, overtakes_at_ms: Option<i64>) {
        let barrier = Barrier {
            checkpoint_id,
            kind,
            overtakes_at_ms,
        };
        self.subtask.cut(barrier, false).unwrap();
    }

    /// Lets so many questions be answered.
    async fn answer(&mut self, count: usize) {
        self.answers.add_permits(count);
        self.subtask.send_some().await.unwrap();
        // The collector takes one batch at a time.
        while self.subtask.chain.has_answers() {
            self.subtask.chain.run().unwrap();
            self.subtask.send_some().await.unwrap();
        }
        self.subtask.cut_held().unwrap();
    }

    /// The checkpoint under way, and the rows that it takes along.
    fn cut(&self) -> Option<(u64, Vec<Vec<i64>>)> {
        let cut = self.subtask.under_way.as_ref()?;
        let rows = cut.rest.overtaken.iter().flat_map(|overtaken| {
            assert_eq!(overtaken.at.operator, "lookup");
            assert_eq!(overtaken.at.leg, Leg::Asked);
            overtaken.elements.iter().map(|element| match element {
                Element::Batch(batch) => numbers(batch),
                other => panic!("{other:?}"),
            })
        });
        Some((cut.barrier.checkpoint_id, rows.collect()))
    }

    fn collected(&mut self) -> Vec<i64> {
        let mut rows = Vec::new();
        while let Ok(report) = self.told.try_recv() {
            if let ReportKind::Rows(batch) = report.kind {
                rows.extend(numbers(&batch));
            }
        }
        rows
    }
}

#[tokio::test]
async fn a_checkpoint_takes_the_rows_without_an_answer_along() {
    let mut f = fixture().await;
    f.take(&[1, 2]);
    f.take(&[3]);
    f.take(&[4]);
    f.answer(1).await;
    assert_eq!(f.collected(), [1, 2]);
    f.barrier(1, BarrierKind::Checkpoint);
    assert_eq!(f.cut(), Some((1, vec![vec![3], vec![4]])));
    // They go on as if nothing had happened.
    f.answer(2).await;
    assert_eq!(f.collected(), [3, 4]);
    f.barrier(2, BarrierKind::Checkpoint);
    assert_eq!(f.cut(), Some((2, Vec::new())));
}

#[tokio::test]
async fn savepoints_and_the_last_checkpoint_wait_for_answers() {
    for kind in [BarrierKind::Savepoint, BarrierKind::Final] {
        let mut f = fixture().await;
        f.take(&[1, 2]);
        f.take(&[3]);
        f.barrier(1, kind);
        assert_eq!(f.cut(), None);
        assert!(f.subtask.chain.is_full(), "no input is taken meanwhile");
        f.answer(1).await;
        assert_eq!(f.cut(), None);
        f.answer(1).await;
        assert_eq!(f.cut(), Some((1, Vec::new())));
        assert_eq!(f.collected(), [1, 2, 3]);
    }
}

#[tokio::test]
async fn a_barrier_that_is_given_up_is_followed_by_another() {
    let mut f = fixture().await;
    f.take(&[1]);
    f.barrier(1, BarrierKind::Savepoint);
    f.barrier(2, BarrierKind::Checkpoint);
    assert_eq!(f.cut(), Some((2, vec![vec![1]])));
    assert!(!f.subtask.chain.is_full());
    f.answer(1).await;
    assert_eq!(f.cut().unwrap().0, 2, "the first one is not cut any more");
    assert_eq!(f.collected(), [1]);
}

#[tokio::test]
async fn the_last_checkpoint_does_not_wait_for_a_client_that_reads_no_more() {
    let mut f = fixture_with(0).await;
    for row in 1..5 {
        f.take(&[row]);
    }
    f.answer(1).await;
    assert!(f.subtask.chain.is_full(), "the client has not taken it");
    f.barrier(1, BarrierKind::Final);
    assert_eq!(f.cut(), None);
    f.answer(3).await;
    assert_eq!(f.cut(), Some((1, Vec::new())));
}

/// Gives every batch three times, one at a time.
#[derive(Default)]
struct Thrice(Vec<Batch>);

impl Operator for Thrice {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        self.0 = vec![batch; 3];
        self.give_more(output)
    }

    fn has_more(&self) -> bool {
        !self.0.is_empty()
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        output.emit(self.0.pop().unwrap());
        Ok(())
    }
}

#[tokio::test]
async fn a_barrier_waits_until_operators_have_given_what_they_have_to() {
    let mut f = fixture().await;
    f.subtask.chain.nodes[0].stage = Stage::Operator(Box::new(Thrice::default()));
    f.take(&[1]);
    f.barrier(1, BarrierKind::Checkpoint);
    let mut waited = 0;
    while f.subtask.chain.has_work() {
        f.subtask.cut_held().unwrap();
        assert_eq!(f.cut(), None);
        f.subtask.send_some().await.unwrap();
        f.subtask.chain.run().unwrap();
        waited += 1;
    }
    assert_eq!(waited, 2);
    f.subtask.cut_held().unwrap();
    assert_eq!(f.cut(), Some((1, Vec::new())));
}

#[tokio::test]
async fn a_barrier_that_overtakes_waits_no_longer_than_that() {
    let mut f = fixture().await;
    f.subtask.chain.nodes[0].stage = Stage::Operator(Box::new(Thrice::default()));
    f.take(&[1]);
    let later = SystemClock.now_ms() + 100_000;
    f.barrier_at(1, BarrierKind::Checkpoint, Some(later));
    assert_eq!(f.cut(), None);
    assert_eq!(f.subtask.cut_deadline_ms(), Some(later));
    f.barrier_at(2, BarrierKind::Checkpoint, Some(later - 100_000));
    assert_eq!(f.cut(), Some((2, Vec::new())));
}
