//! Tables of keyed state that decode their files while a query reads them.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use levada_engine::EngineError;
use levada_engine::checkpoint::{CheckpointStore, OperatorState, StateFile};
use levada_engine::key::KeyGroupRange;
use levada_engine::operator::inspect::StateTable;
use levada_engine::state::{Restored, RestoredFile};
use tokio::sync::OnceCell;

/// Batches that wait between a reader and DataFusion.
const WAITING_BATCHES: usize = 2;
/// State smaller than this has one reader, so that rows come in order.
const SMALL_BYTES: u64 = 64 << 20;

/// The keyed state of an operator, opened when the first query asks for it.
#[derive(Debug)]
pub(super) struct KeyedFiles {
    store: Arc<CheckpointStore>,
    files: Vec<StateFile>,
    max_parallelism: u32,
    opened: OnceCell<Arc<Restored>>,
}

impl KeyedFiles {
    pub(super) fn new(
        store: &Arc<CheckpointStore>,
        state: &OperatorState,
        max_parallelism: u32,
    ) -> Self {
        KeyedFiles {
            store: Arc::clone(store),
            files: state.keyed.clone(),
            max_parallelism,
            opened: OnceCell::new(),
        }
    }

    /// The files. What does not lie in a local directory is copied to nameless files.
    pub(super) async fn open(&self) -> Result<Arc<Restored>, EngineError> {
        let opened = self.opened.get_or_try_init(|| async {
            let scratch: PathBuf = std::env::temp_dir();
            let mut files = Vec::new();
            for file in &self.files {
                files.push(RestoredFile {
                    name: format!("{}/{}", self.store.folder(), file.path),
                    key_groups: file.key_groups,
                    reader: self.store.open_state(file, &scratch).await?,
                });
            }
            Ok(Arc::new(Restored(files)))
        });
        opened.await.cloned()
    }

    /// The key groups, divided among readers.
    fn ranges(&self, parallelism: usize) -> Vec<KeyGroupRange> {
        let bytes: u64 = self.files.iter().map(|file| file.bytes).sum();
        let readers = match bytes < SMALL_BYTES {
            true => 1,
            false => u32::try_from(parallelism).unwrap_or(1),
        };
        let readers = readers.clamp(1, self.max_parallelism.max(1));
        let range = |index| KeyGroupRange::of_subtask(index, readers, self.max_parallelism);
        (0..readers).map(range).collect()
    }
}

/// A table of an operator's keyed state.
#[derive(Debug)]
pub(super) struct KeyedTable {
    pub(super) files: Arc<KeyedFiles>,
    pub(super) table: StateTable,
}

#[async_trait]
impl TableProvider for KeyedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.table.schema())
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
        let all = || (0..self.table.schema().fields().len()).collect();
        let columns: Vec<usize> = projection.cloned().unwrap_or_else(all);
        let schema: SchemaRef = Arc::new(self.table.schema().project(&columns)?);
        let opened = self.files.open().await.map_err(external)?;
        let ranges = self.files.ranges(state.config().target_partitions());
        let partition = |range| {
            Arc::new(Reader {
                state: Arc::clone(&opened),
                table: self.table.clone(),
                range,
                columns: columns.clone(),
                schema: Arc::clone(&schema),
            }) as Arc<dyn PartitionStream>
        };
        let partitions = ranges.into_iter().map(partition).collect();
        let exec =
            StreamingTableExec::try_new(Arc::clone(&schema), partitions, None, [], false, limit)?;
        Ok(Arc::new(exec))
    }
}

/// Reads some key groups.
#[derive(Debug, Clone)]
struct Reader {
    state: Arc<Restored>,
    table: StateTable,
    range: KeyGroupRange,
    columns: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for Reader {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder =
            RecordBatchReceiverStream::builder(Arc::clone(&self.schema), WAITING_BATCHES);
        let sender = builder.tx();
        let reader = self.clone();
        // Decoding keeps a thread busy, so it gets one of its own.
        builder.spawn_blocking(move || {
            let mut send = |rows: RecordBatch| {
                // Nobody may want more: LIMIT, or the query was stopped.
                Ok(sender.blocking_send(Ok(rows)).is_ok())
            };
            let Reader { table, state, .. } = &reader;
            table
                .read(state, reader.range, &reader.columns, &mut send)
                .map_err(external)
        });
        builder.build()
    }
}

fn external(error: EngineError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
