//! A table of what a plan's rows become on their way through something that remembers rows.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, Result};
use datafusion::datasource::{TableProvider, TableType, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{StreamExt as _, stream};
use levada_engine::error::EngineError;

use levada_language::error::PlanError;

/// The name of the table, whose rows have those of the node behind them.
const ROWS: &str = "__through";

/// Takes a batch.
pub(super) type Give<'a> = &'a mut dyn FnMut(RecordBatch);

/// What rows go through, one batch behind the other.
pub(super) trait Step: Send {
    fn process(&mut self, rows: &RecordBatch, give: Give<'_>) -> Result<(), EngineError>;

    /// Gives what is left at the end.
    fn finish(self: Box<Self>, give: Give<'_>) -> Result<(), EngineError>;
}

/// Makes the step of one run.
type MakeStep = Arc<dyn Fn() -> Result<Box<dyn Step>, EngineError> + Send + Sync>;

/// A plan and what its rows go through.
#[derive(Clone)]
pub(super) struct Through {
    /// For plans that are shown.
    pub(super) name: &'static str,
    pub(super) plan: LogicalPlan,
    /// Whether the rows come in the order in which the tables have them. One that the plan asks for they are always in.
    pub(super) as_read: bool,
    /// The rows that come out.
    pub(super) schema: SchemaRef,
    pub(super) step: MakeStep,
}

impl Through {
    /// The rows with the names of `output`.
    pub(super) fn rows(self, output: &DFSchema) -> Result<LogicalPlan> {
        let scan = LogicalPlanBuilder::scan(ROWS, provider_as_source(Arc::new(self)), None)?;
        let columns = scan.schema().columns().into_iter();
        let named = output.iter().zip(columns);
        let named = named.map(|((qualifier, field), column)| {
            Expr::Column(column).alias_qualified(qualifier.cloned(), field.name())
        });
        scan.project(named.collect::<Vec<_>>())?.build()
    }

    async fn input(&self, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        if !self.as_read {
            return session.create_physical_plan(&self.plan).await;
        }
        let state = session.as_any().downcast_ref::<SessionState>();
        let mut state = state
            .ok_or_else(|| PlanError::internal("a session has no state"))?
            .clone();
        // Several partitions would come in any order.
        state.config_mut().options_mut().execution.target_partitions = 1;
        state.create_physical_plan(&self.plan).await
    }
}

impl fmt::Debug for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[async_trait]
impl TableProvider for Through {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = self.input(session).await?;
        let run: Arc<dyn PartitionStream> = Arc::new(Run {
            input,
            through: self.clone(),
        });
        let schema = Arc::clone(&self.schema);
        let exec = StreamingTableExec::try_new(schema, vec![run], projection, [], false, limit)?;
        Ok(Arc::new(exec))
    }
}

/// A plan that can run, and what its rows go through.
#[derive(Debug)]
struct Run {
    input: Arc<dyn ExecutionPlan>,
    through: Through,
}

impl PartitionStream for Run {
    fn schema(&self) -> &SchemaRef {
        &self.through.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.through.schema);
        let step = (self.through.step)().map_err(external);
        let input = execute_stream(Arc::clone(&self.input), context);
        let rows = match (step, input) {
            (Ok(step), Ok(input)) => given(step, input).left_stream(),
            (Err(error), _) | (_, Err(error)) => stream::iter([Err(error)]).right_stream(),
        };
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}

/// What the rows of the input give, and then what is left at their end. An error is the last of it.
fn given(
    step: Box<dyn Step>,
    input: SendableRecordBatchStream,
) -> impl stream::Stream<Item = Result<RecordBatch>> {
    let ended = stream::once(async { None });
    let batches = input.map(Some).chain(ended);
    batches
        .scan(Some(step), |left, batch| {
            let mut given: Vec<Result<RecordBatch>> = Vec::new();
            let mut give = |rows: RecordBatch| given.push(Ok(rows));
            let done = match (left.take(), batch) {
                (None, _) => Ok(()),
                (Some(_), Some(Err(error))) => Err(error),
                (Some(mut step), Some(Ok(rows))) => {
                    let done = step.process(&rows, &mut give).map_err(external);
                    *left = done.is_ok().then_some(step);
                    done
                }
                (Some(step), None) => step.finish(&mut give).map_err(external),
            };
            given.extend(done.err().map(Err));
            futures::future::ready(Some(stream::iter(given)))
        })
        .flatten()
}

fn external(error: EngineError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
