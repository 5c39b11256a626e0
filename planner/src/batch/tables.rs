//! Tables of the catalog as DataFusion tables, over the engine's sources.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::{TableProvider, TableType, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, TableSource};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use levada_engine::connector::{Boundedness, Source, SourceContext, SourceEvent, SourceFactory};
use levada_engine::element::{Batch as ChangeBatch, ChangelogMode};
use levada_engine::error::EngineError;
use levada_engine::graph::JobId;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::Clock;

use super::Batch;
use super::upserts::LastRows;
use crate::catalog::Table;
use crate::logical::{CatalogTable, ReadAs, Resolver};
use crate::streaming::{Read, read_columns, source_factory, upsert_schema};
use levada_language::error::{PlanError, PlanErrorKind};

/// Batches that wait between a source and DataFusion.
const WAITING_BATCHES: usize = 2;
/// The most rows in a batch of a source.
const BATCH_ROWS: usize = 8192;

/// Replaces the tables of the catalog in a plan by tables that can be executed.
///
/// # Errors
/// A table is unbounded, carries changes, or cannot be read.
pub(super) fn with_sources(plan: LogicalPlan, batch: &Batch<'_>) -> Result<LogicalPlan, PlanError> {
    let replaced = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = node else {
            return Ok(Transformed::no(node));
        };
        let Some(found) = CatalogTable::of(&scan.source) else {
            return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
        };
        let table = EngineTable::new(found, batch)?;
        let source = provider_as_source(Arc::new(table));
        Ok(Transformed::yes(LogicalPlan::TableScan(TableScan {
            source,
            ..scan
        })))
    })?;
    Ok(replaced.data)
}

/// A bounded table of the catalog.
struct EngineTable {
    table: Arc<Table>,
    read_as: ReadAs,
    schema: SchemaRef,
    factory: Arc<dyn SourceFactory>,
    resolver: Resolver,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for EngineTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EngineTable({})", self.table.name)
    }
}

impl EngineTable {
    fn new(found: &CatalogTable, batch: &Batch<'_>) -> Result<Self, PlanError> {
        let table = Arc::clone(&found.table);
        let factory = source_factory(&table, batch.connectors)?;
        if factory.boundedness() == Boundedness::Unbounded {
            return Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                format!(
                    "table {} is unbounded and cannot be read in batch mode",
                    table.name
                ),
            )
            .hint(
                "SET 'execution.runtime-mode' = 'streaming', or bound the table by its options \
                 (such as 'scan.bounded.mode' or 'number-of-rows')",
            ));
        }
        if factory.mode() == ChangelogMode::Retract {
            return Err(PlanError::unsupported(
                format!(
                    "reading the changelog of table {} in batch mode",
                    table.name
                ),
                None,
            ));
        }
        Ok(EngineTable {
            schema: TableSource::schema(found),
            read_as: found.read_as,
            table,
            factory,
            resolver: batch.resolver.clone(),
            clock: Arc::clone(&batch.clock),
        })
    }
}

#[async_trait]
impl TableProvider for EngineTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let columns = projection.unwrap_or(&all);
        let output: SchemaRef = Arc::new(self.schema.project(columns)?);
        let numbered = self.read_as == ReadAs::NumberedChanges;
        let upserts = match self.read_as {
            ReadAs::LastRows => true,
            _ => self.factory.mode() == ChangelogMode::Upsert && !numbered,
        };
        let width = self.table.columns.len();
        let mut all_read: Vec<usize> = columns.iter().copied().filter(|c| *c < width).collect();
        if upserts || numbered {
            all_read.extend(&self.table.primary_key);
        }
        let read = read_columns(&self.table, &all_read, &self.resolver)?;
        all_read.sort_unstable();
        all_read.dedup();
        let parallelism = match upserts || numbered {
            // Rows of a key keep their order.
            true => 1,
            false => state.config().target_partitions().max(1),
        };
        let partitions = (0..parallelism).map(|index| {
            Arc::new(Partition {
                factory: Arc::clone(&self.factory),
                read: read.clone(),
                columns: all_read.clone(),
                order: columns.clone(),
                upserts: upserts.then(|| Arc::clone(&self.table)),
                numbered: numbered.then(|| Arc::clone(&self.table)),
                output: Arc::clone(&output),
                table: self.table.name.clone(),
                index: u32::try_from(index).unwrap_or(u32::MAX),
                parallelism: u32::try_from(parallelism).unwrap_or(u32::MAX),
                clock: Arc::clone(&self.clock),
            }) as Arc<dyn PartitionStream>
        });
        let exec = StreamingTableExec::try_new(
            Arc::clone(&output),
            partitions.collect(),
            None,
            [],
            false,
            limit,
        )?;
        Ok(Arc::new(exec))
    }
}

/// What one subtask of a source reads.
#[derive(Clone)]
struct Partition {
    factory: Arc<dyn SourceFactory>,
    read: Read,
    /// The columns of the table that are read, in their order.
    columns: Vec<usize>,
    /// The columns of the table in the order of the output.
    order: Vec<usize>,
    /// The table, if its rows are upserts.
    upserts: Option<Arc<Table>>,
    /// The table, if its changes are read, with a number each.
    numbered: Option<Arc<Table>>,
    output: SchemaRef,
    index: u32,
    parallelism: u32,
    table: String,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.table)
    }
}

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.output
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder =
            RecordBatchReceiverStream::builder(Arc::clone(&self.output), WAITING_BATCHES);
        let sender = builder.tx();
        let partition = self.clone();
        let runtime = tokio::runtime::Handle::current();
        // Decoding keeps a thread busy, so the source gets one of its own.
        builder.spawn_blocking(move || {
            runtime.block_on(async move {
                let mut reading = partition.open().await.map_err(external)?;
                if let Some(table) = &partition.upserts {
                    let last = reading.last_rows(&partition.read, table).await;
                    for rows in last.map_err(external)? {
                        let rows = ChangeBatch::inserts(rows);
                        if sender.send(partition.finish(&rows, 0)).await.is_err() {
                            break;
                        }
                    }
                    return Ok(());
                }
                let mut before = 0;
                while let Some(batch) = reading.next().await.map_err(external)? {
                    let rows = partition.finish(&batch, before)?;
                    before += batch.num_rows();
                    if sender.send(Ok(rows)).await.is_err() {
                        // Nobody wants more: LIMIT, or the query was stopped.
                        break;
                    }
                }
                Ok(())
            })
        });
        builder.build()
    }
}

impl Partition {
    async fn open(&self) -> Result<Reading, EngineError> {
        let schema = match self.upserts.as_ref().or(self.numbered.as_ref()) {
            Some(table) => upsert_schema(&self.read.schema, table),
            None => Arc::clone(&self.read.schema),
        };
        let mut source = self.factory.create(SourceContext {
            job: JobId("batch".to_string()),
            schema,
            index: self.index,
            parallelism: self.parallelism,
            batch_rows: BATCH_ROWS,
            divert_bad: false,
            restored: None,
            clock: Arc::clone(&self.clock),
            metrics: Arc::new(SubtaskMetrics::default()),
        })?;
        source.open().await?;
        Ok(Reading { source })
    }

    /// Computes the columns and puts them in the order that was asked for. So many rows have come before.
    fn finish(&self, batch: &ChangeBatch, before: usize) -> Result<RecordBatch> {
        let rows = batch.rows();
        let columns: Vec<ArrayRef> = match &self.read.compute {
            Some(exprs) => exprs
                .iter()
                .map(|expr| expr.evaluate(rows)?.into_array(rows.num_rows()))
                .collect::<Result<_>>()?,
            None => rows.columns().to_vec(),
        };
        let column = |column: &usize| match self.numbered.as_ref().map(|t| t.columns.len()) {
            Some(width) if *column >= width => Ok(change_column(*column - width, batch, before)),
            _ => {
                let place = self.columns.iter().position(|c| c == column);
                place.and_then(|p| columns.get(p)).cloned().ok_or_else(|| {
                    DataFusionError::from(PlanError::internal("a column was not read"))
                })
            }
        };
        let ordered = self.order.iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let schema = Arc::clone(&self.output);
        Ok(RecordBatch::try_new_with_options(
            schema, ordered, &options,
        )?)
    }
}

/// Whether changes are deletes, or their numbers: what stands behind the columns of a table.
fn change_column(place: usize, batch: &ChangeBatch, before: usize) -> ArrayRef {
    let rows = 0..batch.num_rows();
    match place {
        0 => {
            let deleted = rows.map(|row| Some(batch.kind(row).is_retraction()));
            Arc::new(deleted.collect::<BooleanArray>())
        }
        _ => {
            let numbers = rows.map(|row| i64::try_from(before + row).unwrap_or(i64::MAX));
            Arc::new(Int64Array::from_iter_values(numbers))
        }
    }
}

/// A source that is being read.
struct Reading {
    source: Box<dyn Source>,
}

impl Reading {
    /// The next rows; `None` at the end.
    async fn next(&mut self) -> Result<Option<ChangeBatch>, EngineError> {
        loop {
            match self.source.next().await? {
                SourceEvent::Rows { batch, .. } => return Ok(Some(batch)),
                // A batch query has no job that could write to another table, so a bad row fails it,
                // whatever 'bad-rows.table' says, and none is diverted.
                SourceEvent::Bad { .. } => {}
                SourceEvent::SplitAdded(_) | SourceEvent::SplitFinished(_) => {}
                SourceEvent::End => return Ok(None),
            }
        }
    }

    /// What upserts add up to at the end.
    async fn last_rows(
        &mut self,
        read: &Read,
        table: &Table,
    ) -> Result<Vec<RecordBatch>, EngineError> {
        let keys = table.names_of(&table.primary_key);
        let mut last = LastRows::new(Arc::clone(&read.schema), &keys)?;
        while let Some(batch) = self.next().await? {
            last.push(&batch)?;
        }
        last.finish()
    }
}

fn external(error: EngineError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
