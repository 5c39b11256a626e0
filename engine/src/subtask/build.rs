//! Makes a subtask of what the job graph says about its vertex.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;
use levada_wasm::Modules;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::chain::{Chain, Node, Stage, Target};
use super::replay::{Replay, ReplayInput};
use super::sink::{Collector, SinkStage};
use super::snapshot::{OperatorFiles, Uploader};
use super::source::{SourceDriver, SourceParts, TimeDriver, ValuesSource};
use super::{Command, Input, Reporter, Route, Subtask, watched};
use crate::checkpoint::{
    CheckpointStore, FileChain, InFlight, Leg, Link, Manifest, OperatorState, StateFile,
};
use crate::client::Environment;
use crate::connector::{Boundedness, SinkContext, SourceContext, SplitState};
use crate::error::{EngineError, Result};
use crate::exchange::{EdgeOutput, InputGate};
use crate::expression::{Evaluator, Projection, for_job};
use crate::failpoint::Failpoint;
use crate::graph::execution::SubtaskId;
use crate::graph::{
    ChainedOperator, EdgeId, JobGraph, JobId, OperatorInput, OperatorSpec, OutputPort,
    Partitioning, SinkSpec, SourceSpec, Vertex, WireBytes,
};
use crate::key::KeyGroupRange;
use crate::metrics::SubtaskMetrics;
use crate::operator::{self, Layout, OperatorContext};
use crate::state::{self, KeyedState, Restored, RestoredFile, StateSetup};
use crate::time::WatermarkMerger;

/// What a subtask is to do.
#[derive(Clone)]
pub struct Plan {
    /// The job.
    pub job: JobId,
    /// The run of the job.
    pub attempt: u32,
    /// Which subtask.
    pub id: SubtaskId,
    /// The job's graph.
    pub graph: Arc<JobGraph>,
    /// The checkpoint to start from, and where its files are.
    pub restore: Option<(Arc<Manifest>, CheckpointStore)>,
    /// Where checkpoints go.
    pub store: Option<CheckpointStore>,
    /// The process.
    pub environment: Environment,
    /// A folder for state that does not fit into memory; the worker removes it.
    pub scratch: PathBuf,
    /// What the subtask counts.
    pub metrics: Arc<SubtaskMetrics>,
}

/// The ends of a subtask's channels.
pub struct Wiring {
    /// Its input, unless it reads a source: the gate, and for each of its channels the edge and
    /// the index of the producer.
    pub gate: Option<(InputGate, Vec<(EdgeId, u32)>)>,
    /// Its outputs, by edge.
    pub outputs: Vec<(EdgeId, EdgeOutput)>,
    /// What the worker tells it.
    pub commands: mpsc::Receiver<Command>,
    /// What it tells the worker.
    pub reporter: Reporter,
    /// How many batches a collector may send before the client has taken some.
    pub collect_window: Arc<Semaphore>,
}

/// Opens the operators of a subtask and restores their state.
pub async fn build(plan: Plan, wiring: Wiring) -> Result<Subtask> {
    let vertex = plan.graph.vertex(plan.id.vertex)?;
    let (edge_ids, edges): (Vec<EdgeId>, Vec<EdgeOutput>) = wiring.outputs.into_iter().unzip();
    let mut nodes = Vec::new();
    let mut source = None;
    let mut chains = BTreeMap::new();
    for (position, operator) in vertex.operators.iter().enumerate() {
        let stage = match &operator.spec {
            OperatorSpec::Source(_) | OperatorSpec::Values(_) if position == 0 => {
                source = Some(Box::new(plan.open_source(operator).await?));
                Stage::Source
            }
            OperatorSpec::Source(_) | OperatorSpec::Values(_) => {
                return Err(EngineError::internal("a source stands within a chain"));
            }
            OperatorSpec::Sink(spec) => plan.open_sink(operator, spec).await?,
            OperatorSpec::LookupJoin(spec) => {
                let inputs = plan.input_schemas(vertex, operator)?;
                let input = operator::only_input(&inputs)?;
                let stage = plan.open_lookup(operator, spec, input).await;
                Stage::Lookup(Box::new(stage.map_err(|e| e.at(&operator.name))?))
            }
            OperatorSpec::Collect => {
                let reporter = wiring.reporter.clone();
                Stage::Collect(Collector::new(
                    wiring.reporter.reports.clone(),
                    Arc::new(move |kind| reporter.make(kind)),
                    Arc::clone(&wiring.collect_window),
                ))
            }
            _ => Stage::Operator(plan.open_operator(vertex, operator, &mut chains).await?),
        };
        nodes.push(Node {
            uid: operator.uid.clone(),
            name: operator.name.clone(),
            stage,
            schema: Arc::clone(&operator.schema.0),
            partial_input: operator::grouping(&operator.spec, 0)
                .is_some_and(|(_, partial)| partial),
            targets: plan.targets(vertex, position, &edge_ids),
            inputs: WatermarkMerger::new(plan.watermark_inputs(operator)?),
        });
    }
    let input = match (source, wiring.gate) {
        (Some(source), _) => Input::Source(source),
        (None, Some((gate, channels))) => {
            let routes = channels
                .iter()
                .map(|(edge, from)| route(vertex, *edge, *from));
            Input::Gate {
                gate,
                routes: routes.collect::<Result<_>>()?,
            }
        }
        (None, None) => return Err(EngineError::internal("a subtask has no input")),
    };
    let uploader = plan.uploader(vertex, wiring.reporter.clone(), chains);
    let clock = Arc::clone(&plan.environment.clock);
    Ok(Subtask {
        index: plan.id.index,
        parallelism: vertex.parallelism,
        replay: plan.replay(vertex)?,
        consumers: plan.consumers(&edge_ids)?,
        under_way: None,
        held: None,
        dry: false,
        chain: Chain::new(nodes, edges, plan.metrics, clock),
        input,
        commands: wiring.commands,
        _uploads: uploader.stop.clone().drop_guard(),
        uploader,
        reporter: wiring.reporter,
        input_ended: false,
    })
}

/// The operator and input that an edge feeds.
fn route(vertex: &Vertex, edge: EdgeId, from: u32) -> Result<Route> {
    for (node, operator) in vertex.operators.iter().enumerate() {
        for (input, source) in operator.inputs.iter().enumerate() {
            if *source == OperatorInput::Edge(edge) {
                let input = input as u32;
                return Ok(Route { node, input, from });
            }
        }
    }
    Err(EngineError::internal(format!(
        "edge {} ends nowhere",
        edge.0
    )))
}

impl Plan {
    fn key_groups(&self, vertex: &Vertex) -> KeyGroupRange {
        let max = self.graph.settings.max_parallelism;
        KeyGroupRange::of_subtask(self.id.index, vertex.parallelism, max)
    }

    /// Whether barriers may overtake rows.
    fn overtaking(&self) -> bool {
        self.store.is_some() && self.graph.settings.checkpoints.overtake_after_ms.is_some()
    }

    fn uploader(
        &self,
        vertex: &Vertex,
        reporter: Reporter,
        chains: BTreeMap<String, OperatorFiles>,
    ) -> Uploader {
        Uploader {
            store: self.store.clone(),
            subtask: self.id,
            attempt: self.attempt,
            key_groups: self.key_groups(vertex),
            reporter,
            scratch: self.scratch_of_subtask(),
            chains: Arc::new(Mutex::new(chains)),
            turn: Arc::default(),
            merging: Arc::default(),
            stop: CancellationToken::new(),
        }
    }

    /// For whom the rows of each edge are.
    fn consumers(&self, edges: &[EdgeId]) -> Result<Vec<InFlight>> {
        let consumer = |id: &EdgeId| {
            let vertex = self.graph.vertex(self.graph.edge(*id)?.to)?;
            let Route { node, input, .. } = route(vertex, *id, 0)?;
            let lost = || EngineError::internal("an edge leads to no operator");
            let operator = vertex.operators.get(node).ok_or_else(lost)?;
            Ok(InFlight {
                operator: operator.uid.clone(),
                name: operator.name.clone(),
                input,
                consumers: vertex.parallelism,
                leg: Leg::Sent,
                partial: operator::grouping(&operator.spec, input as usize)
                    .is_some_and(|(_, partial)| partial),
                ..InFlight::default()
            })
        };
        edges.iter().map(consumer).collect()
    }

    /// What to replay, if the barrier of the restored checkpoint has overtaken rows.
    fn replay(&self, vertex: &Vertex) -> Result<Option<Replay>> {
        let Some((manifest, store)) = &self.restore else {
            return Ok(None);
        };
        if !manifest.has_rows_in_flight() {
            return Ok(None);
        }
        let mut inputs = BTreeMap::new();
        for (node, operator) in vertex.operators.iter().enumerate() {
            let schemas = self.input_schemas(vertex, operator)?;
            for (input, (from, schema)) in operator.inputs.iter().zip(schemas).enumerate() {
                let partitioning = match from {
                    OperatorInput::Edge(id) => self.graph.edge(*id)?.partitioning.clone(),
                    OperatorInput::Chained { .. } => Partitioning::Forward,
                };
                let keys = operator::grouping(&operator.spec, input).map(|(keys, _)| keys.to_vec());
                let input = (node, input as u32);
                inputs.insert(
                    input,
                    ReplayInput {
                        partitioning,
                        schema,
                        keys: keys.unwrap_or_default(),
                    },
                );
            }
        }
        Ok(Some(Replay {
            manifest: Arc::clone(manifest),
            store: store.clone(),
            scratch: self.scratch_of_subtask(),
            key_groups: self.key_groups(vertex),
            max_parallelism: self.graph.settings.max_parallelism,
            rewrites: manifest.rewrites(vertex),
            inputs,
        }))
    }

    fn restored(&self, operator: &ChainedOperator) -> Option<&OperatorState> {
        self.restore.as_ref()?.0.operators.get(&operator.uid)
    }

    fn targets(
        &self,
        vertex: &Vertex,
        position: usize,
        edges: &[EdgeId],
    ) -> Vec<(OutputPort, Target)> {
        let mut targets = Vec::new();
        for (node, operator) in vertex.operators.iter().enumerate() {
            for (input, source) in operator.inputs.iter().enumerate() {
                match source {
                    OperatorInput::Chained {
                        operator: from,
                        port,
                    } if *from == position => {
                        targets.push((
                            *port,
                            Target::Chained {
                                node,
                                input: input as u32,
                            },
                        ));
                    }
                    _ => {}
                }
            }
        }
        for (index, id) in edges.iter().enumerate() {
            let edge = self.graph.edges.iter().find(|e| e.id == *id);
            if let Some(edge) = edge.filter(|e| e.from_operator == position) {
                targets.push((edge.from_port, Target::Edge(index)));
            }
        }
        targets
    }

    /// The (input, channel) pairs whose watermarks an operator merges.
    fn watermark_inputs(&self, operator: &ChainedOperator) -> Result<Vec<(u32, u32)>> {
        let mut keys = Vec::new();
        for (input, source) in operator.inputs.iter().enumerate() {
            match source {
                OperatorInput::Chained { .. } => keys.push((input as u32, 0)),
                OperatorInput::Edge(id) => {
                    let edge = self.graph.edge(*id)?;
                    let channels =
                        crate::graph::execution::input_channels(&self.graph, edge, self.id.index)?;
                    keys.extend(channels.iter().map(|c| (input as u32, c.from)));
                }
            }
        }
        Ok(keys)
    }

    fn input_schemas(&self, vertex: &Vertex, operator: &ChainedOperator) -> Result<Vec<SchemaRef>> {
        let schema = |input: &OperatorInput| match input {
            OperatorInput::Chained {
                operator,
                port: OutputPort::Bad,
            } => {
                let _ = operator;
                Ok(crate::graph::bad_rows_schema())
            }
            OperatorInput::Chained { operator, .. } => vertex
                .operators
                .get(*operator)
                .map(|o| Arc::clone(&o.schema.0))
                .ok_or_else(|| EngineError::internal("an operator's input does not exist")),
            OperatorInput::Edge(id) => Ok(Arc::clone(&self.graph.edge(*id)?.schema.0)),
        };
        operator.inputs.iter().map(schema).collect()
    }

    /// What expressions may call, in the job's time zone.
    pub(super) fn functions(&self) -> Result<Arc<TaskContext>> {
        let settings = &self.graph.settings;
        let modules = settings.modules.iter().map(|module| module.0.as_slice());
        let modules = Modules::compile(modules).map_err(|error| {
            EngineError::config(format!("a module of the job is of no use here: {error}"))
        })?;
        let zone = settings.time_zone.as_deref();
        Ok(for_job(&self.environment.functions, zone, modules))
    }

    async fn open_operator(
        &self,
        vertex: &Vertex,
        node: &ChainedOperator,
        chains: &mut BTreeMap<String, OperatorFiles>,
    ) -> Result<Box<dyn operator::Operator>> {
        let key_groups = self.key_groups(vertex);
        let now_ms = self.environment.clock.now_ms();
        let restored = self.restored_layouts(node).map_err(|e| e.at(&node.name))?;
        let state = match operator::needs_state(&node.spec) {
            true => {
                let chain = self.restored_chain(node, key_groups);
                let state = self.open_state(node, key_groups, &chain).await?;
                let layouts = operator::continuity(&node.spec, &restored, now_ms)?.layouts;
                chains.insert(node.uid.clone(), OperatorFiles::new(chain, layouts));
                Some(state)
            }
            false => None,
        };
        let context = OperatorContext {
            functions: self.functions()?,
            index: self.id.index,
            parallelism: vertex.parallelism,
            max_parallelism: self.graph.settings.max_parallelism,
            key_groups,
            state,
            layouts: restored,
            memory: self.environment.resources.memory.share(),
            metrics: Arc::clone(&self.metrics),
            batch_rows: self.graph.settings.batch_rows,
            now_ms,
        };
        let inputs = self.input_schemas(vertex, node)?;
        operator::build(&node.spec, &inputs, &node.schema.0, context).map_err(|e| e.at(&node.name))
    }

    pub(super) async fn open_state(
        &self,
        node: &ChainedOperator,
        key_groups: KeyGroupRange,
        chain: &FileChain,
    ) -> Result<Box<dyn KeyedState>> {
        let folder = self.scratch_of_subtask().join(&node.uid);
        let mut files = Vec::new();
        if let Some((_, store)) = &self.restore {
            for link in chain.links() {
                self.environment.failpoints.pass(Failpoint::StateRestore);
                let reader = store.open_state(&link.file, &folder).await?;
                files.push(RestoredFile {
                    name: format!("{}, state file {}", node.name, link.file.path),
                    key_groups: link.file.key_groups,
                    reader,
                });
            }
        }
        state::create(StateSetup {
            kind: self.graph.settings.state_backend,
            key_groups,
            scratch: &folder,
            checkpointed: self.store.is_some(),
            restored: Restored(files),
            resources: &self.environment.resources,
        })
    }

    /// The layouts that rows of the operator's restored state may have.
    fn restored_layouts(&self, node: &ChainedOperator) -> Result<Vec<Layout>> {
        match self.restored(node) {
            None => Ok(Vec::new()),
            Some(state) => {
                operator::restored_layouts(&node.spec, &state.layouts, !state.keyed.is_empty())
            }
        }
    }

    /// The state files of the checkpoint that this subtask's share of the operator's state is in.
    pub(super) fn restored_chain(
        &self,
        node: &ChainedOperator,
        key_groups: KeyGroupRange,
    ) -> FileChain {
        let (Some(restored), Some((_, from))) = (self.restored(node), &self.restore) else {
            return FileChain::default();
        };
        // Files in the job's own folder are part of its next checkpoints as they are.
        let own = self.store.as_ref().map(CheckpointStore::folder) == Some(from.folder());
        let link = |file: &StateFile| {
            let narrowed = file.key_groups.intersection(&key_groups);
            (narrowed.start < narrowed.end).then(|| Link {
                file: StateFile {
                    key_groups: narrowed,
                    ..file.clone()
                },
                foreign: (!own).then(|| from.clone()),
            })
        };
        FileChain::new(restored.keyed.iter().filter_map(link).collect())
    }

    fn scratch_of_subtask(&self) -> PathBuf {
        self.scratch
            .join(format!("{}-{}", self.id.vertex.0, self.id.index))
    }

    async fn open_source(&self, node: &ChainedOperator) -> Result<SourceDriver> {
        let restored = self
            .restored(node)
            .map(|state| Arc::new(state.splits.clone()));
        let splits = restored.as_ref().map(|r| r.as_slice());
        let parts = match &node.spec {
            OperatorSpec::Values(values) => SourceParts {
                uid: node.uid.clone(),
                name: node.name.clone(),
                source: Box::new(ValuesSource::new(&values.ipc.0, self.id.index, splits)?),
                schema: Arc::clone(&node.schema.0),
                compute: None,
                time: None,
                idle_timeout_ms: 0,
                bounded: true,
                divert_late: false,
            },
            OperatorSpec::Source(spec) => self.source_parts(node, spec, restored.clone())?,
            _ => return Err(EngineError::internal("not a source")),
        };
        SourceDriver::open(parts, splits, self.environment.clock.now_ms()).await
    }

    fn source_parts(
        &self,
        node: &ChainedOperator,
        spec: &SourceSpec,
        restored: Option<Arc<Vec<SplitState>>>,
    ) -> Result<SourceParts> {
        let functions = &self.functions()?;
        let factory = self
            .environment
            .connectors
            .of_table(&spec.table)?
            .source(&spec.table)?;
        let vertex = self.graph.vertex(self.id.vertex)?;
        let source = factory.create(SourceContext {
            job: self.job.clone(),
            schema: Arc::clone(&spec.read_schema.0),
            index: self.id.index,
            parallelism: vertex.parallelism,
            batch_rows: self.graph.settings.batch_rows,
            divert_bad: spec.divert_bad,
            restored,
            clock: Arc::clone(&self.environment.clock),
            metrics: Arc::clone(&self.metrics),
        })?;
        let source = watched::source(source, &self.environment.failpoints);
        let compute = spec.compute.as_ref();
        let compute = compute.map(|e| Projection::new(e, &spec.read_schema.0, functions));
        let compute = compute.transpose()?;
        let time = match &spec.watermark {
            Some(mark) => Some(TimeDriver::new(
                mark.column,
                Evaluator::new(&mark.expression, &node.schema.0, functions)?,
                mark.max_drift_ms,
            )),
            None => None,
        };
        Ok(SourceParts {
            uid: node.uid.clone(),
            name: node.name.clone(),
            source,
            schema: Arc::clone(&node.schema.0),
            compute,
            time,
            idle_timeout_ms: spec.watermark.as_ref().map_or(0, |w| w.idle_timeout_ms),
            bounded: factory.boundedness() == Boundedness::Bounded,
            divert_late: spec.divert_late,
        })
    }

    /// Whether sinks see barriers without somebody stopping the job.
    fn barriers_come(&self) -> Result<bool> {
        if self.graph.settings.checkpoints.interval_ms.is_some() {
            return Ok(true);
        }
        for operator in self.graph.vertices.iter().flat_map(|v| &v.operators) {
            if let OperatorSpec::Source(spec) = &operator.spec {
                let connector = self.environment.connectors.of_table(&spec.table)?;
                if connector.source(&spec.table)?.boundedness() == Boundedness::Unbounded {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn open_sink(&self, node: &ChainedOperator, spec: &SinkSpec) -> Result<Stage> {
        let factory = self
            .environment
            .connectors
            .of_table(&spec.table)?
            .sink(&spec.table)?;
        let vertex = self.graph.vertex(self.id.vertex)?;
        // A subtask finishes what its own predecessor prepared; with fewer subtasks than before
        // the rest is shared out.
        let mine = |index: u32| index % vertex.parallelism == self.id.index;
        let restored: Vec<WireBytes> = self
            .restored(node)
            .into_iter()
            .flat_map(|state| &state.committables)
            .filter(|(index, _)| mine(*index))
            .map(|(_, committable)| committable.clone())
            .collect();
        let barriers_come = self.barriers_come()?;
        let sink = factory.create(SinkContext {
            job: self.job.clone(),
            operator: node.uid.clone(),
            attempt: self.attempt,
            restored: Arc::new(restored.clone()),
            barriers_come,
            schema: Arc::clone(&node.schema.0),
            index: self.id.index,
            parallelism: vertex.parallelism,
            clock: Arc::clone(&self.environment.clock),
            metrics: Arc::clone(&self.metrics),
            failpoints: self.environment.failpoints.clone(),
        })?;
        if !barriers_come && !sink.takes_rows_twice() {
            self.metrics.set_trouble(Some(format!(
                "table '{}': rows become visible with checkpoints, and there are none: SET 'execution.checkpointing.interval'",
                spec.table.name
            )));
        }
        let sink = watched::sink(sink, &self.environment.failpoints, !restored.is_empty());
        let stage = SinkStage::open(sink, restored, self.overtaking())
            .await
            .map_err(|e| e.at(&node.name))?;
        Ok(Stage::Sink(Box::new(stage)))
    }
}
