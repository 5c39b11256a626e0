//! Writing rows by checkpoints: exactly once.
//!
//! The rows since the last barrier travel in the checkpoint, and are written when it is complete,
//! in one transaction with the row of `levada_commits` that says so. Many rows would make a
//! checkpoint heavy; they wait in tables of the database, which nobody reads, and from which the
//! database itself moves them to where they belong.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use levada_engine::connector::{Sink, SinkContext};
use levada_engine::element::Batch;
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use tokio_postgres::Client;

use super::catalog::{Column, Target};
use super::client::Session;
use super::committable::Epoch;
use super::failure::Failure;
use super::marker;
use super::sink::{MOST_BYTES, column_list, copy, open};

pub(super) struct EpochSink {
    session: Session,
    schema: SchemaRef,
    /// The operator's uid and the subtask.
    name: String,
    lineage: String,
    target: Option<Target>,
    columns: Vec<Column>,
    rows: Vec<RecordBatch>,
    bytes: usize,
    /// Tables in which rows of this epoch wait.
    staged: Vec<String>,
    /// Counts such tables.
    stages: u64,
}

impl EpochSink {
    pub(super) fn new(session: Session, context: &SinkContext) -> Self {
        Self {
            session,
            schema: Arc::clone(&context.schema),
            name: format!("{}-{}", context.operator, context.index),
            lineage: String::new(),
            target: None,
            columns: Vec::new(),
            rows: Vec::new(),
            bytes: 0,
            staged: Vec::new(),
            stages: 0,
        }
    }

    fn take_rows(&mut self) -> Result<Option<RecordBatch>> {
        self.bytes = 0;
        let batches = std::mem::take(&mut self.rows);
        if batches.is_empty() {
            return Ok(None);
        }
        Ok(Some(concat_batches(&self.schema, &batches)?))
    }

    /// Puts the rows into a table of their own.
    async fn stage(&mut self) -> Result<()> {
        let Some(rows) = self.take_rows()? else {
            return Ok(());
        };
        let Some(target) = &self.target else {
            return Err(not_open());
        };
        self.stages += 1;
        let name = format!("{}{}", marker::staged_prefix(&self.lineage), self.stages);
        loop {
            let outcome = match self.session.client().await {
                Ok((client, _)) => stage(client, target, &name, &rows, &self.columns).await,
                Err(failure) => Err(failure),
            };
            let verdict = self.session.verdict(outcome, "cannot be written");
            if verdict.await?.is_some() {
                break;
            }
        }
        self.staged.push(name);
        Ok(())
    }
}

fn not_open() -> EngineError {
    EngineError::internal("the sink is not open")
}

/// Makes a table with rows. A repetition makes it anew.
async fn stage(
    client: &Client,
    target: &Target,
    name: &str,
    rows: &RecordBatch,
    columns: &[Column],
) -> Result<(), Failure> {
    let table = marker::beside(target, name);
    let columns: Vec<_> = columns.iter().enumerate().collect();
    let list = column_list(&columns);
    let create = format!(
        "BEGIN; DROP TABLE IF EXISTS {table}; CREATE TABLE {table} AS SELECT {list} FROM {} WITH NO DATA",
        target.name.quoted()
    );
    client.batch_execute(&create).await?;
    copy(client, &format!("{table} ({list})"), rows, &columns).await?;
    client.batch_execute("COMMIT").await?;
    Ok(())
}

#[async_trait]
impl Sink for EpochSink {
    async fn open(&mut self) -> Result<()> {
        let (target, columns) = open(&mut self.session, &self.schema).await?;
        loop {
            let outcome = match self.session.client().await {
                Ok((client, _)) => match marker::create(client, &target).await {
                    Ok(()) => marker::new_lineage(client).await,
                    Err(failure) => Err(failure),
                },
                Err(failure) => Err(failure),
            };
            let action = "cannot be prepared for writing exactly once (table levada_commits)";
            if let Some(lineage) = self.session.verdict(outcome, action).await? {
                self.lineage = lineage;
                break;
            }
        }
        self.target = Some(target);
        self.columns = columns;
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        self.rows.push(batch.rows().clone());
        self.bytes += batch.byte_size();
        match self.bytes >= MOST_BYTES {
            true => self.stage().await,
            false => Ok(()),
        }
    }

    async fn prepare(&mut self, checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        // An epoch without rows tells a later run which lineage to close.
        let epoch = Epoch {
            lineage: self.lineage.clone(),
            sink: self.name.clone(),
            checkpoint: checkpoint_id,
            rows: self.take_rows()?.into_iter().collect(),
            staged: std::mem::take(&mut self.staged),
        };
        Ok(vec![epoch.encode()?])
    }

    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        let Some(target) = &self.target else {
            return Err(not_open());
        };
        let mut restored = Vec::new();
        for committable in committables {
            let epoch = Epoch::decode(&committable)?;
            match epoch.lineage == self.lineage {
                true if epoch.is_empty() => {}
                true => publish(&mut self.session, target, &epoch, false).await?,
                false => restored.push(committable),
            }
        }
        publish_restored(&mut self.session, target, &restored).await
    }
}

async fn publish(
    session: &mut Session,
    target: &Target,
    epoch: &Epoch,
    restored: bool,
) -> Result<()> {
    let points = session.failpoints.clone();
    loop {
        let outcome = match session.client().await {
            Ok((client, _)) => marker::publish(client, target, epoch, restored, &points).await,
            Err(failure) => Err(failure),
        };
        // Whether a COMMIT without answer was carried out, the marker tells the repetition.
        if session
            .verdict(outcome, "cannot be written")
            .await?
            .is_some()
        {
            return Ok(());
        }
    }
}

/// Writes what an earlier run had prepared, and closes its lineage.
pub(super) async fn publish_restored(
    session: &mut Session,
    target: &Target,
    committables: &[WireBytes],
) -> Result<()> {
    let epochs: Result<Vec<_>> = committables.iter().map(Epoch::decode).collect();
    let mut lineages = Vec::new();
    for epoch in epochs? {
        publish(session, target, &epoch, true).await?;
        lineages.push(epoch.lineage);
    }
    lineages.sort();
    lineages.dedup();
    for lineage in lineages {
        loop {
            let outcome = match session.client().await {
                Ok((client, _)) => marker::remove_staged(client, target, &lineage).await,
                Err(failure) => Err(failure),
            };
            let verdict = session.verdict(outcome, "cannot be cleaned up");
            if verdict.await?.is_some() {
                break;
            }
        }
    }
    Ok(())
}
