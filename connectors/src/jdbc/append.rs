//! Writing rows as they come: at least once.
//!
//! Each flush is one COPY, and with it one transaction. A barrier flushes, so that after a failure
//! no row is missing; those since the last checkpoint may be there twice.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use levada_engine::Result;
use levada_engine::connector::{Sink, SinkContext};
use levada_engine::element::Batch;
use levada_engine::graph::WireBytes;

use super::catalog::{Column, Target};
use super::client::Session;
use super::epoch::publish_restored;
use super::sink::{Pace, column_list, copy, open};

pub(super) struct AppendSink {
    session: Session,
    schema: SchemaRef,
    pace: Pace,
    target: Option<Target>,
    columns: Vec<Column>,
    rows: Vec<RecordBatch>,
    count: usize,
    bytes: usize,
}

impl AppendSink {
    pub(super) fn new(session: Session, context: &SinkContext) -> Self {
        Self {
            pace: Pace::new(&session.config, &context.clock),
            session,
            schema: Arc::clone(&context.schema),
            target: None,
            columns: Vec::new(),
            rows: Vec::new(),
            count: 0,
            bytes: 0,
        }
    }

    async fn flush(&mut self) -> Result<()> {
        let Some(target) = self.target.as_ref().filter(|_| self.count > 0) else {
            return Ok(());
        };
        let rows = concat_batches(&self.schema, &self.rows)?;
        let columns: Vec<_> = self.columns.iter().enumerate().collect();
        let into = format!("{} ({})", target.name.quoted(), column_list(&columns));
        loop {
            let outcome = match self.session.client().await {
                Ok((client, _)) => copy(client, &into, &rows, &columns).await,
                Err(failure) => Err(failure),
            };
            if self
                .session
                .verdict(outcome, "cannot be written")
                .await?
                .is_some()
            {
                break;
            }
        }
        self.rows.clear();
        (self.count, self.bytes) = (0, 0);
        self.pace.end();
        Ok(())
    }
}

#[async_trait]
impl Sink for AppendSink {
    async fn open(&mut self) -> Result<()> {
        let (target, columns) = open(&mut self.session, &self.schema).await?;
        self.target = Some(target);
        self.columns = columns;
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        self.pace.begin();
        self.rows.push(batch.rows().clone());
        self.count += batch.num_rows();
        self.bytes += batch.byte_size();
        match self.pace.is_due(self.count, self.bytes) {
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

    /// Only a run that wrote by checkpoints has left something.
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
