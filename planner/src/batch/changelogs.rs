//! TO_CHANGELOG and FROM_CHANGELOG: what is there are inserts, and what rows say adds up.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::row::{OwnedRow, RowConverter, SortField};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::datasource::{TableProvider, TableType, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNodeCore, lit,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use levada_engine::element::{Batch, ChangelogMode, RowKind};
use levada_engine::error::EngineError;
use levada_engine::graph::FromChangelogSpec;
use levada_engine::operator::from_changelog::Changes;

use super::upserts::LastRows;
use crate::logical::ChangelogTable;
use crate::parser::rewrite::Direction;
use levada_language::error::PlanError;

#[cfg(test)]
mod tests;

/// The name of the rows that changes add up to.
const ROWS: &str = "__changes";

/// A plan without the node.
pub(super) fn plain(table: &ChangelogTable) -> Result<LogicalPlan> {
    match table.call.direction {
        Direction::To => inserts(table),
        Direction::From => summed(table),
    }
}

/// All rows with the code of inserts.
fn inserts(table: &ChangelogTable) -> Result<LogicalPlan> {
    let codes = table.call.codes.iter();
    let mut inserts = codes.filter(|(_, kind)| *kind == RowKind::Insert);
    let code = inserts.next().map(|(code, _)| code.clone());
    let input = table.input.schema().columns();
    let output = UserDefinedLogicalNodeCore::schema(table);
    let rows = LogicalPlanBuilder::from(table.input.clone());
    let rows = match code {
        Some(_) => rows,
        None => rows.filter(lit(false))?,
    };
    let code = code.unwrap_or_default();
    let columns = table.columns.iter().zip(output.fields());
    let columns = columns.map(|(column, field)| {
        let own = column.and_then(|column| input.get(column).cloned());
        let expr = own.map_or_else(|| lit(code.as_str()), Expr::Column);
        expr.alias(field.name())
    });
    rows.project(columns.collect::<Vec<_>>())?.build()
}

fn summed(table: &ChangelogTable) -> Result<LogicalPlan> {
    let op = table.op()?;
    let op = op.ok_or_else(|| PlanError::internal("a changelog has no codes"))?;
    let output = UserDefinedLogicalNodeCore::schema(table);
    let names = table.input.schema().fields();
    let spec = FromChangelogSpec {
        op,
        op_name: names.get(op).map(|f| f.name().clone()).unwrap_or_default(),
        codes: table.call.codes.clone(),
        skip: table.call.skip,
        columns: table.columns.iter().copied().flatten().collect(),
    };
    // As in streams: rows that have no key go by what they are.
    let keys = table.keys()?.len();
    let keys = match table.call.mode(keys > 0) {
        ChangelogMode::Upsert => keys,
        ChangelogMode::Append | ChangelogMode::Retract => 0,
    };
    let schema = Arc::clone(output.inner());
    let names = schema.fields().iter().take(keys);
    let rows = Summed {
        log: table.input.clone(),
        spec,
        keys: names.map(|field| field.name().clone()).collect(),
        schema,
    };
    let scan = LogicalPlanBuilder::scan(ROWS, provider_as_source(Arc::new(rows)), None)?;
    let columns = scan.schema().columns().into_iter();
    let named = columns.zip(output.fields());
    let named = named.map(|(column, field)| Expr::Column(column).alias(field.name()));
    scan.project(named.collect::<Vec<_>>())?.build()
}

/// What changes add up to, as a table.
struct Summed {
    log: LogicalPlan,
    spec: FromChangelogSpec,
    /// The columns of the key by which rows replace each other; none if they go by what they are.
    keys: Vec<String>,
    schema: SchemaRef,
}

impl fmt::Debug for Summed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Summed")
    }
}

#[async_trait]
impl TableProvider for Summed {
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
        let state = state.as_any().downcast_ref::<SessionState>();
        let mut state = state
            .ok_or_else(|| PlanError::internal("a session has no state"))?
            .clone();
        // Several partitions would come in any order.
        state.config_mut().options_mut().execution.target_partitions = 1;
        let input = state.create_physical_plan(&self.log).await?;
        let summing: Arc<dyn PartitionStream> = Arc::new(Summing {
            input,
            spec: self.spec.clone(),
            keys: self.keys.clone(),
            schema: Arc::clone(&self.schema),
        });
        let schema = Arc::clone(&self.schema);
        let exec =
            StreamingTableExec::try_new(schema, vec![summing], projection, [], false, limit)?;
        Ok(Arc::new(exec))
    }
}

/// Changes on their way to a sum.
struct Summing {
    input: Arc<dyn ExecutionPlan>,
    spec: FromChangelogSpec,
    keys: Vec<String>,
    schema: SchemaRef,
}

impl fmt::Debug for Summing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Summing({:?})", self.spec.codes)
    }
}

impl PartitionStream for Summing {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let started = Changes::new(&self.spec, &self.schema)
            .and_then(|changes| Ok((changes, Sum::new(&self.schema, &self.keys)?)))
            .map_err(external)
            .and_then(|own| Ok((own, execute_stream(Arc::clone(&self.input), context)?)));
        let rows = stream::once(async move {
            let ((changes, sum), input) = started?;
            sum_of(input, &changes, sum).await
        });
        let rows = rows.map_ok(|rows| stream::iter(rows).map(Ok)).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}

async fn sum_of(
    mut log: SendableRecordBatchStream,
    changes: &Changes,
    mut sum: Sum,
) -> Result<Vec<RecordBatch>> {
    while let Some(rows) = log.next().await {
        let changes = changes.of(&rows?).map_err(external)?;
        sum.push(&changes).map_err(external)?;
    }
    sum.finish().map_err(external)
}

fn external(error: EngineError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// What changes add up to.
enum Sum {
    /// The last row of each key.
    Last(LastRows),
    /// Rows that are equal.
    Equal(EqualRows),
}

impl Sum {
    fn new(schema: &SchemaRef, keys: &[String]) -> Result<Self, EngineError> {
        Ok(match keys.is_empty() {
            true => Sum::Equal(EqualRows::new(schema)?),
            false => Sum::Last(LastRows::new(Arc::clone(schema), keys)?),
        })
    }

    fn push(&mut self, changes: &Batch) -> Result<(), EngineError> {
        match self {
            Sum::Last(rows) => rows.push(changes),
            Sum::Equal(rows) => rows.push(changes),
        }
    }

    fn finish(self) -> Result<Vec<RecordBatch>, EngineError> {
        match self {
            Sum::Last(rows) => rows.finish(),
            Sum::Equal(rows) => rows.finish(),
        }
    }
}

/// Rows that only come are given on; those that are taken back are counted.
struct EqualRows {
    converter: RowConverter,
    schema: SchemaRef,
    /// How often each row is there. It may be taken back before it comes.
    counts: HashMap<OwnedRow, i64>,
    /// The rows as they came, as long as none was taken back.
    plain: Vec<RecordBatch>,
}

impl EqualRows {
    fn new(schema: &SchemaRef) -> Result<Self, EngineError> {
        let fields = schema.fields().iter();
        let fields = fields.map(|field| SortField::new(field.data_type().clone()));
        Ok(EqualRows {
            converter: RowConverter::new(fields.collect())?,
            schema: Arc::clone(schema),
            counts: HashMap::new(),
            plain: Vec::new(),
        })
    }

    fn push(&mut self, changes: &Batch) -> Result<(), EngineError> {
        if changes.kinds().is_none() && self.counts.is_empty() {
            self.plain.push(changes.rows().clone());
            return Ok(());
        }
        for rows in std::mem::take(&mut self.plain) {
            self.count(&Batch::inserts(rows))?;
        }
        self.count(changes)
    }

    fn count(&mut self, changes: &Batch) -> Result<(), EngineError> {
        let rows = self.converter.convert_columns(changes.rows().columns())?;
        for (row, content) in rows.iter().enumerate() {
            let change = match changes.kind(row).is_retraction() {
                true => -1,
                false => 1,
            };
            let content = content.owned();
            let count = self.counts.entry(content).or_insert(0);
            *count += change;
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<RecordBatch>, EngineError> {
        if self.counts.is_empty() {
            return Ok(self.plain);
        }
        let left: Vec<(&OwnedRow, i64)> = self
            .counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(row, count)| (row, *count))
            .collect();
        let contents = left.iter().map(|(row, _)| row.row());
        let columns: Vec<ArrayRef> = self.converter.convert_rows(contents)?;
        let rows = levada_engine::element::rows_of(&self.schema, columns, left.len())?;
        let places = (0u64..).zip(&left);
        let places = places.flat_map(|(place, (_, count))| {
            std::iter::repeat_n(place, usize::try_from(*count).unwrap_or(0))
        });
        let places: UInt64Array = places.collect::<Vec<_>>().into();
        Ok(vec![take_record_batch(&rows, &places)?])
    }
}
