//! What a statement gives.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use futures::stream::BoxStream;
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::graph::JobId;
use levada_planner::batch::BatchRows;

use crate::error::{Error, Result};

/// What a statement gives.
pub enum Outcome {
    /// It is done; a sentence for people.
    Ok(String),
    /// Rows about the session: SHOW, DESCRIBE, SET.
    Table(RecordBatch),
    /// A text: EXPLAIN, SHOW CREATE.
    Text(String),
    /// A job that writes tables.
    Job(Job),
    /// The rows of a query.
    Query(QueryResult),
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Outcome::Ok(text) => f.debug_tuple("Ok").field(text).finish(),
            Outcome::Table(rows) => f.debug_tuple("Table").field(rows).finish(),
            Outcome::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Outcome::Job(job) => f.debug_tuple("Job").field(job).finish(),
            Outcome::Query(query) => f.debug_tuple("Query").field(&query.schema).finish(),
        }
    }
}

/// A job that was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Whether it ends by itself.
    pub bounded: bool,
    /// Whether the next statement has to wait for it (`table.dml-sync`).
    pub wait: bool,
    /// What its operators have taken over of the checkpoint or savepoint that it starts from, a
    /// sentence each.
    pub restored: Vec<String>,
    /// What of its state grows for as long as rows come, and what would bound it: lines for people.
    pub growing: Option<String>,
}

/// The rows of a query while they come.
pub struct QueryResult {
    /// The columns.
    pub schema: SchemaRef,
    /// Which kinds of rows come.
    pub mode: ChangelogMode,
    /// The columns that identify a row of an upsert changelog.
    pub key: Option<Vec<usize>>,
    /// Whether the rows end by themselves.
    pub bounded: bool,
    /// The job behind them; batch queries have none.
    pub job: Option<JobId>,
    /// The rows. One reader, which holds back the query when it is slow.
    pub rows: BoxStream<'static, Result<Batch>>,
}

impl QueryResult {
    /// The rows of a query in batch mode.
    pub(crate) fn of_batch(rows: BatchRows) -> Self {
        use futures::StreamExt;
        let batches = rows.stream.map(|batch| match batch {
            Ok(batch) => Ok(Batch::inserts(batch)),
            Err(error) => Err(Error::from(error)),
        });
        QueryResult {
            schema: rows.schema,
            mode: ChangelogMode::Append,
            key: None,
            bounded: true,
            job: None,
            rows: batches.boxed(),
        }
    }

    /// Whether every row stays as it came.
    pub fn is_append_only(&self) -> bool {
        self.mode == ChangelogMode::Append
    }

    /// Reads everything and applies the changelog: the final rows.
    ///
    /// # Errors
    /// The query fails.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>> {
        use futures::StreamExt;
        let mut rows = crate::changelog::Materialized::new(self.schema.clone(), self.key.clone())?;
        while let Some(batch) = self.rows.next().await {
            rows.apply(&batch?)?;
        }
        rows.batches()?.collect()
    }
}

/// A table of texts, NULL where there is none.
pub(crate) fn text_table(
    names: &[&str],
    rows: impl IntoIterator<Item = Vec<Option<String>>>,
) -> Result<Outcome> {
    let rows: Vec<Vec<Option<String>>> = rows.into_iter().collect();
    let fields: Vec<Field> = names
        .iter()
        .map(|name| Field::new(*name, DataType::Utf8, true))
        .collect();
    let columns = (0..names.len())
        .map(|column| {
            let values = rows.iter().map(|row| row.get(column).cloned().flatten());
            Arc::new(StringArray::from_iter(values)) as ArrayRef
        })
        .collect();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(Error::from)?;
    Ok(Outcome::Table(rows))
}
