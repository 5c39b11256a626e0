//! Writing a table with a PRIMARY KEY: the last change of each key.
//!
//! A flush is one transaction: rows to write and keys to delete go into temporary tables by COPY, and
//! from there into the table by one statement each. Writing the same changes again leaves the same
//! table, so that rows which come again after a failure do no harm.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::row::{OwnedRow, RowConverter, SortField};
use async_trait::async_trait;
use foldhash::fast::RandomState;
use levada_engine::connector::{Sink, SinkContext};
use levada_engine::element::Batch;
use levada_engine::failpoint::{Failpoint, Failpoints};
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use tokio_postgres::Client;

use super::catalog::{Column, Target};
use super::client::Session;
use super::config::quote;
use super::epoch::publish_restored;
use super::failure::Failure;
use super::sink::{Pace, column_list, copy, open};

const ROWS: &str = "pg_temp.levada_rows";
const KEYS: &str = "pg_temp.levada_keys";

/// Where the last change of a key stands.
#[derive(Debug, Clone, Copy)]
struct Change {
    batch: usize,
    row: usize,
    is_delete: bool,
}

pub(super) struct UpsertSink {
    session: Session,
    schema: SchemaRef,
    /// The primary key's columns, by position.
    key: Vec<usize>,
    converter: RowConverter,
    pace: Pace,
    target: Option<Target>,
    columns: Vec<Column>,
    batches: Vec<RecordBatch>,
    bytes: usize,
    changes: HashMap<OwnedRow, Change, RandomState>,
    /// The connection on which the temporary tables are.
    generation: u64,
}

impl UpsertSink {
    pub(super) fn new(session: Session, context: &SinkContext) -> Result<Self> {
        let schema = Arc::clone(&context.schema);
        let key = session.config.primary_key.iter();
        let key: Result<Vec<usize>> = key
            .map(|name| {
                schema.index_of(name).map_err(|_| {
                    EngineError::config(format!("the rows have no column '{name}' (PRIMARY KEY)"))
                })
            })
            .collect();
        let key = key?;
        let fields = schema.project(&key)?;
        let fields = fields.fields().iter();
        let fields = fields
            .map(|f| SortField::new(f.data_type().clone()))
            .collect();
        Ok(Self {
            pace: Pace::new(&session.config, &context.clock),
            session,
            schema,
            key,
            converter: RowConverter::new(fields)?,
            target: None,
            columns: Vec::new(),
            batches: Vec::new(),
            bytes: 0,
            changes: HashMap::default(),
            generation: 0,
        })
    }

    /// Remembers the last change of each key.
    fn reduce(&mut self, batch: &Batch) -> Result<()> {
        let keys: Vec<_> = self
            .key
            .iter()
            .map(|k| Arc::clone(batch.column(*k)))
            .collect();
        let keys = self.converter.convert_columns(&keys)?;
        for (row, key) in keys.iter().enumerate() {
            let change = Change {
                batch: self.batches.len(),
                row,
                is_delete: batch.kind(row).is_retraction(),
            };
            self.changes.insert(key.owned(), change);
        }
        self.batches.push(batch.rows().clone());
        self.bytes += batch.byte_size();
        Ok(())
    }

    /// The rows to write and those to delete, each in the order of their keys: whoever else writes
    /// them locks them in the same order.
    fn changed(&self) -> Result<(RecordBatch, RecordBatch)> {
        let mut changes: Vec<_> = self.changes.iter().collect();
        changes.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let pick = |is_delete: bool| -> Result<RecordBatch> {
            let places = changes.iter().filter(|(_, c)| c.is_delete == is_delete);
            let places: Vec<_> = places.map(|(_, c)| (c.batch, c.row)).collect();
            match places.is_empty() {
                true => Ok(RecordBatch::new_empty(Arc::clone(&self.schema))),
                false => Ok(interleave_record_batch(&batches, &places)?),
            }
        };
        Ok((pick(false)?, pick(true)?))
    }

    async fn flush(&mut self) -> Result<()> {
        let Some(target) = self.target.as_ref().filter(|_| !self.changes.is_empty()) else {
            return Ok(());
        };
        let (rows, deleted) = self.changed()?;
        let statements = Statements {
            target,
            points: self.session.failpoints.clone(),
            columns: self.columns.iter().enumerate().collect(),
            key: self
                .key
                .iter()
                .filter_map(|k| Some((*k, self.columns.get(*k)?)))
                .collect(),
        };
        loop {
            let outcome = match self.session.client().await {
                Ok((client, generation)) => {
                    let is_new = generation != self.generation;
                    let written = statements.run(client, is_new, &rows, &deleted).await;
                    written.map(|()| generation)
                }
                Err(failure) => Err(failure),
            };
            let verdict = self.session.verdict(outcome, "cannot be written");
            if let Some(generation) = verdict.await? {
                self.generation = generation;
                break;
            }
        }
        self.batches.clear();
        self.changes.clear();
        self.bytes = 0;
        self.pace.end();
        Ok(())
    }
}

/// What a flush says to the database.
struct Statements<'a> {
    target: &'a Target,
    points: Failpoints,
    columns: Vec<(usize, &'a Column)>,
    key: Vec<(usize, &'a Column)>,
}

impl Statements<'_> {
    /// One transaction. On failure the connection is to be closed.
    async fn run(
        &self,
        client: &Client,
        is_new: bool,
        rows: &RecordBatch,
        deleted: &RecordBatch,
    ) -> Result<(), Failure> {
        if is_new {
            client.batch_execute(&self.temporary_tables()).await?;
        }
        client
            .batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await?;
        if deleted.num_rows() > 0 {
            let into = format!("{KEYS} ({})", column_list(&self.key));
            copy(client, &into, deleted, &self.key).await?;
            client.batch_execute(&self.delete()).await?;
        }
        if rows.num_rows() > 0 {
            let into = format!("{ROWS} ({})", column_list(&self.columns));
            copy(client, &into, rows, &self.columns).await?;
            client.batch_execute(&self.upsert()).await?;
        }
        self.points.pass(Failpoint::SinkFlush);
        client.batch_execute("COMMIT").await?;
        self.points.pass(Failpoint::SinkFlushed);
        Ok(())
    }

    fn temporary_tables(&self) -> String {
        let target = self.target.name.quoted();
        let create = |name: &str, columns: &[(usize, &Column)]| {
            let columns = column_list(columns);
            let name = name.trim_start_matches("pg_temp.");
            format!(
                "CREATE TEMPORARY TABLE {name} ON COMMIT DELETE ROWS AS SELECT {columns} FROM {target} WITH NO DATA;"
            )
        };
        create(ROWS, &self.columns) + &create(KEYS, &self.key)
    }

    fn delete(&self) -> String {
        let same = self.key.iter().map(|(_, column)| {
            let name = quote(&column.name);
            format!("target.{name} = gone.{name}")
        });
        let same: Vec<String> = same.collect();
        format!(
            "DELETE FROM {} AS target USING {KEYS} AS gone WHERE {}",
            self.target.name.quoted(),
            same.join(" AND ")
        )
    }

    fn upsert(&self) -> String {
        let is_key = |index: &usize| self.key.iter().any(|(key, _)| key == index);
        let rest = self.columns.iter().filter(|(index, _)| !is_key(index));
        let rest: Vec<String> = rest
            .map(|(_, column)| {
                let name = quote(&column.name);
                format!("{name} = EXCLUDED.{name}")
            })
            .collect();
        let action = match rest.is_empty() {
            true => "NOTHING".to_string(),
            false => format!("UPDATE SET {}", rest.join(", ")),
        };
        let (columns, key) = (column_list(&self.columns), column_list(&self.key));
        format!(
            "INSERT INTO {} ({columns}) SELECT {columns} FROM {ROWS} ON CONFLICT ({key}) DO {action}",
            self.target.name.quoted()
        )
    }
}

#[async_trait]
impl Sink for UpsertSink {
    async fn open(&mut self) -> Result<()> {
        let (target, columns) = open(&mut self.session, &self.schema).await?;
        let key = target.check_key(&self.session.config.primary_key);
        key.map_err(|e| self.session.error(e.into(), "cannot be written"))?;
        self.target = Some(target);
        self.columns = columns;
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        self.pace.begin();
        self.reduce(batch)?;
        match self.pace.is_due(self.changes.len(), self.bytes) {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    async fn idle(&mut self) -> Result<()> {
        match self.pace.is_due_when_dry() {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    async fn prepare(&mut self, _checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        self.flush().await?;
        Ok(Vec::new())
    }

    /// Only a run before the table had its key has left something.
    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        match &self.target {
            Some(target) => publish_restored(&mut self.session, target, &committables).await,
            None => Ok(()),
        }
    }

    fn takes_rows_twice(&self) -> bool {
        true
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.pace.deadline_ms()
    }
}
