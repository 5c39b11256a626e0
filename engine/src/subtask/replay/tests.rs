#![allow(clippy::unwrap_used, clippy::panic)]
//! Rows that a barrier had overtaken reach their operators in the order in which they would have.

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::execution::TaskContext;
use tokio::sync::{Semaphore, mpsc};

use super::*;
use crate::client::Environment;
use crate::connector::ConnectorRegistry;
use crate::element::{Barrier, BarrierKind};
use crate::exchange::InputGate;
use crate::graph::execution::SubtaskId;
use crate::graph::{
    ChainedOperator, EdgeId, JobGraph, JobId, JobSettings, OperatorInput, OperatorSpec, OutputPort,
    Vertex, VertexId, WireSchema,
};
use crate::memory::Memory;
use crate::metrics::SubtaskMetrics;
use crate::state::Resources;
use crate::subtask::snapshot::{Overtaken, write_overtaken};
use crate::subtask::{Plan, Report, Reporter, Wiring, build};
use crate::time::SystemClock;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

/// Three operators that pass on what they get, and at the end a collector, all in one chain.
fn graph() -> JobGraph {
    let operator = |(at, uid): (usize, &&str)| ChainedOperator {
        uid: uid.to_string(),
        coarse: String::new(),
        name: uid.to_string(),
        spec: match *uid {
            "collect" => OperatorSpec::Collect,
            _ => OperatorSpec::Union,
        },
        inputs: vec![match at {
            0 => OperatorInput::Edge(EdgeId(0)),
            _ => OperatorInput::Chained {
                operator: at - 1,
                port: OutputPort::Main,
            },
        }],
        schema: WireSchema(schema()),
    };
    let uids = ["first", "second", "third", "collect"];
    let operators = uids.iter().enumerate().map(operator).collect();
    let edge = crate::graph::Edge {
        id: EdgeId(0),
        from: VertexId(0),
        from_operator: 0,
        from_port: OutputPort::Main,
        to: VertexId(1),
        partitioning: Partitioning::Hash(vec![0]),
        schema: WireSchema(schema()),
    };
    let vertex = |id, operators| Vertex {
        id: VertexId(id),
        name: String::new(),
        parallelism: 1,
        operators,
    };
    JobGraph {
        name: "chain".into(),
        vertices: vec![vertex(0, Vec::new()), vertex(1, operators)],
        edges: vec![edge],
        settings: JobSettings::default(),
    }
}

/// Rows on their way to an operator of an earlier run, which had two subtasks and an exchange in front of it.
fn under_way(operator: &str, to: u32, leg: Leg, rows: &[i64]) -> Overtaken {
    let column = Arc::new(Int64Array::from(rows.to_vec()));
    let batch = Batch::inserts(RecordBatch::try_new(schema(), vec![column]).unwrap());
    Overtaken {
        at: InFlight {
            operator: operator.into(),
            name: operator.into(),
            to,
            consumers: 2,
            leg,
            ..InFlight::default()
        },
        elements: vec![Element::Batch(batch)],
    }
}

#[tokio::test]
async fn operators_of_a_chain_take_their_rows_from_the_last_to_the_first() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("checkpoints").display().to_string();
    let store = CheckpointStore::open(&folder, &JobId("job".into())).unwrap();
    let overtaken = vec![
        under_way("first", 0, Leg::Arrived, &[7]),
        under_way("second", 1, Leg::Arrived, &[6]),
        under_way("second", 0, Leg::Sent, &[5]),
        under_way("second", 0, Leg::Arrived, &[4]),
        under_way("third", 1, Leg::Arrived, &[3]),
        under_way("collect", 0, Leg::Sent, &[2]),
        under_way("collect", 0, Leg::Arrived, &[1]),
    ];
    let (in_flight, _) = write_overtaken(&store, "rows", overtaken).await.unwrap();
    let barrier = Barrier {
        checkpoint_id: 1,
        kind: BarrierKind::Checkpoint,
        overtakes_at_ms: Some(0),
    };
    let graph = Arc::new(graph());
    let job = JobId("job".into());
    let mut manifest = Manifest::assemble(job.clone(), barrier, 0, &graph, []);
    manifest.in_flight = in_flight;

    let id = SubtaskId {
        vertex: VertexId(1),
        index: 0,
    };
    let plan = Plan {
        job: job.clone(),
        attempt: 1,
        id,
        graph,
        restore: Some((Arc::new(manifest), store.clone())),
        store: Some(store),
        environment: Environment {
            failpoints: Default::default(),
            clock: Arc::new(SystemClock),
            connectors: ConnectorRegistry::new(),
            functions: Arc::new(TaskContext::default()),
            scratch_dir: scratch.path().to_path_buf(),
            resources: Arc::new(Resources::new(Memory::new(64 << 20))),
        },
        scratch: scratch.path().join("1"),
        metrics: Arc::new(SubtaskMetrics::default()),
    };
    let (_deliveries, queue) = mpsc::channel(8);
    let (tell, commands) = mpsc::channel(8);
    let (reports, mut told) = mpsc::channel::<Report>(64);
    let wiring = Wiring {
        gate: Some((InputGate::new(queue, 1, true), vec![(EdgeId(0), 0)])),
        outputs: Vec::new(),
        commands,
        reporter: Reporter::new(reports, job, 1, id),
        collect_window: Arc::new(Semaphore::new(64)),
    };
    let mut subtask = build(plan, wiring).await.unwrap();
    tell.send(Command::Replay).await.unwrap();
    let replay = subtask.replay.take().unwrap();
    subtask.take_replay(replay).await.unwrap();

    let mut rows = Vec::new();
    while let Ok(report) = told.try_recv() {
        let ReportKind::Rows(batch) = report.kind else {
            panic!("{:?}", report.kind);
        };
        rows.extend_from_slice(batch.column(0).as_primitive::<Int64Type>().values());
    }
    assert_eq!(rows, [1, 2, 3, 4, 5, 6, 7]);
}
