//! INSERT in batch mode: rows go through the engine's sinks.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use futures::StreamExt as _;
use levada_engine::connector::{SinkContext, SinkFactory};
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::error::EngineError;
use levada_engine::graph::JobId;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::Clock;

use super::{Batch as Planning, BatchRows};
use crate::logical;
use crate::parser::Insert;
use crate::streaming::Sink;
use levada_language::error::PlanError;

/// Names one insert, for files and transactions.
pub(crate) struct Writing {
    /// Unique among the inserts of this and earlier processes.
    pub(crate) job: String,
    /// The table.
    pub(crate) table: String,
}

impl Planning<'_> {
    /// What writes the rows of an insert.
    ///
    /// # Errors
    /// The connector cannot write the table, or cannot overwrite it; a value of PARTITION is wrong.
    pub(crate) async fn sink(
        &self,
        sink: &Sink,
        insert: &Insert,
    ) -> Result<Arc<dyn SinkFactory>, PlanError> {
        if !insert.overwrite {
            return sink.factory(self.connectors);
        }
        let plan = logical::partition_plan(self.resolver, insert, &sink.table)?;
        let nothing = RecordBatch::new_empty(Arc::clone(plan.schema().inner()));
        let rows = DataFrame::new(self.state(), plan).collect().await?;
        let row = rows.into_iter().next().unwrap_or(nothing);
        sink.overwriting(&row, self.connectors)
    }
}

/// Writes rows and commits them; returns how many there were. Nothing is visible of rows that
/// fail on the way, if the sink can keep them back.
///
/// # Errors
/// The first error of the query or of the sink.
pub(crate) async fn write(
    rows: BatchRows,
    factory: &dyn SinkFactory,
    writing: Writing,
    clock: Arc<dyn Clock>,
) -> Result<u64, EngineError> {
    factory.accept(ChangelogMode::Append)?;
    let mut sink = factory.create(SinkContext {
        job: JobId(writing.job),
        operator: writing.table,
        attempt: 0,
        restored: Arc::new(Vec::new()),
        barriers_come: true,
        schema: Arc::clone(&rows.schema),
        index: 0,
        parallelism: 1,
        clock,
        metrics: Arc::new(SubtaskMetrics::default()),
        failpoints: Default::default(),
    })?;
    sink.open().await?;
    let mut count = 0u64;
    let mut stream = rows.stream;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        count += batch.num_rows() as u64;
        sink.write(&Batch::inserts(batch)).await?;
    }
    let committables = sink.prepare(1).await?;
    sink.commit(committables).await?;
    Ok(count)
}
