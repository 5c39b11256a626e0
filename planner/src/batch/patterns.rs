//! MATCH_RECOGNIZE: the rows are sorted by partition and time, and go through the automaton of streams.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::datasource::{TableProvider, TableType, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt as _;
use futures::stream;
use levada_engine::graph::{PatternSpec, WireSchema};
use levada_engine::operator::pattern::Bounded;

use crate::logical::{PatternTable, Resolver};
use crate::lowering::pattern_spec;
use crate::streaming::{PatternMatch, order_columns};
use levada_language::error::PlanError;

/// The name of the rows of matches, which have those of the node behind them.
const MATCHES: &str = "__matches";

/// A plan without the node.
pub(super) fn plain(table: &PatternTable, resolver: &Resolver) -> Result<LogicalPlan> {
    let order_by = order_columns(table)?;
    let physical =
        |expr: &Expr, schema: &datafusion::common::DFSchema| resolver.physical(expr, schema);
    let pattern = PatternMatch::of(table, order_by, &physical)?;
    let rows = table.input.schema().inner().clone();
    let spec = pattern_spec(&pattern, WireSchema(rows))?;
    let time = table.order_by.first().map(|sort| sort.expr.clone());
    let time = time.ok_or_else(|| PlanError::internal("a pattern without an order"))?;
    let keys = table.partition_by.iter().cloned();
    let sorting = keys
        .map(|key| key.sort(true, true))
        .chain(table.order_by.clone());
    // Rows without a time are in no order.
    let sorted = LogicalPlanBuilder::from(table.input.clone())
        .filter(time.is_not_null())?
        .sort(sorting)?
        .build()?;
    let output = datafusion::logical_expr::UserDefinedLogicalNodeCore::schema(table);
    let matches = Matches {
        sorted,
        spec,
        schema: output.inner().clone(),
        resolver: resolver.clone(),
    };
    let scan = LogicalPlanBuilder::scan(MATCHES, provider_as_source(Arc::new(matches)), None)?;
    let scanned = scan.schema().columns();
    let named = output
        .iter()
        .zip(scanned)
        .map(|((qualifier, field), column)| {
            Expr::Column(column).alias_qualified(qualifier.cloned(), field.name())
        });
    let named: Vec<Expr> = named.collect();
    scan.project(named)?.build()
}

/// The matches of a pattern as a table.
struct Matches {
    sorted: LogicalPlan,
    spec: PatternSpec,
    schema: SchemaRef,
    resolver: Resolver,
}

impl fmt::Debug for Matches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Matches")
    }
}

#[async_trait]
impl TableProvider for Matches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = state.create_physical_plan(&self.sorted).await?;
        let matching: Arc<dyn PartitionStream> = Arc::new(Matching {
            input,
            spec: self.spec.clone(),
            schema: Arc::clone(&self.schema),
            functions: self.resolver.task_context(),
        });
        let schema = Arc::clone(&self.schema);
        let exec =
            StreamingTableExec::try_new(schema, vec![matching], projection, [], false, limit)?;
        Ok(Arc::new(exec))
    }
}

/// Rows in order on their way through the automaton.
struct Matching {
    input: Arc<dyn ExecutionPlan>,
    spec: PatternSpec,
    schema: SchemaRef,
    functions: Arc<TaskContext>,
}

impl fmt::Debug for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matching({:?})", self.spec.pattern)
    }
}

impl PartitionStream for Matching {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let matcher = Bounded::new(&self.spec, &self.schema, &self.functions)
            .map_err(|error| DataFusionError::External(Box::new(error)));
        let input = execute_stream(Arc::clone(&self.input), context);
        let rows = match (matcher, input) {
            (Ok(matcher), Ok(input)) => matches(matcher, input).left_stream(),
            (Err(error), _) | (_, Err(error)) => stream::iter([Err(error)]).right_stream(),
        };
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}

/// What the rows of the input give, and then what is left at their end.
fn matches(
    matcher: Bounded,
    input: SendableRecordBatchStream,
) -> impl stream::Stream<Item = Result<RecordBatch>> {
    let ended = stream::once(async { None });
    let batches = input.map(Some).chain(ended);
    batches
        .scan(Some(matcher), |matcher, batch| {
            let found = match (matcher.as_mut(), batch) {
                (None, _) => Vec::new(),
                (Some(own), batch) => given(own, batch),
            };
            if found.iter().any(Result::is_err) {
                *matcher = None;
            }
            futures::future::ready(Some(stream::iter(found)))
        })
        .flatten()
}

/// What a batch gives; `None` is the end.
fn given(matcher: &mut Bounded, batch: Option<Result<RecordBatch>>) -> Vec<Result<RecordBatch>> {
    let mut found: Vec<Result<RecordBatch>> = Vec::new();
    let mut give = |rows: RecordBatch| found.push(Ok(rows));
    let done = match batch {
        Some(Ok(rows)) => matcher.process(&rows, &mut give),
        Some(Err(error)) => return vec![Err(error)],
        None => matcher.finish(&mut give),
    };
    if let Err(error) = done {
        found.push(Err(DataFusionError::External(Box::new(error))));
    }
    found
}
