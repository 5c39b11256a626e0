//! Writing a table: which way, and what the ways share.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use futures::SinkExt as _;
use levada_engine::connector::{Sink, SinkContext, SinkFactory};
use levada_engine::element::ChangelogMode;
use levada_engine::time::Clock;
use levada_engine::{EngineError, Result};
use tokio_postgres::Client;

use super::append::AppendSink;
use super::catalog::{Column, Target};
use super::client::Session;
use super::config::{Config, Guarantee, quote};
use super::copy::write::chunks;
use super::epoch::EpochSink;
use super::failure::Failure;
use super::types::Direction;
use super::upsert::UpsertSink;

/// Buffered rows of so many bytes are written, however few they are.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// A table that is written.
#[derive(Debug)]
pub(super) struct Factory {
    config: Arc<Config>,
}

impl Factory {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config: Arc::new(config),
        }
    }
}

impl SinkFactory for Factory {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        match (mode, self.config.primary_key.is_empty()) {
            (ChangelogMode::Append, _) => Ok(mode),
            (_, false) => Ok(ChangelogMode::Upsert),
            (_, true) => Err(EngineError::config(
                "the query updates or deletes rows, and the table has no PRIMARY KEY by which to find them",
            )
            .with_hint("declare PRIMARY KEY (…) NOT ENFORCED, or aggregate by windows, which only insert")),
        }
    }

    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        let config = Arc::clone(&self.config);
        let session = Session::new(
            Arc::clone(&config),
            Arc::clone(&context.clock),
            Arc::clone(&context.metrics),
            context.failpoints.clone(),
        );
        if !config.primary_key.is_empty() {
            return Ok(Box::new(UpsertSink::new(session, &context)?));
        }
        // Without barriers in between, rows would wait for the end of the input.
        let by_checkpoint = match config.guarantee {
            Some(Guarantee::ExactlyOnce) => true,
            Some(Guarantee::AtLeastOnce) => false,
            None => context.barriers_come,
        };
        Ok(match by_checkpoint {
            true => Box::new(EpochSink::new(session, &context)),
            // What an earlier run prepared is written all the same.
            false => Box::new(AppendSink::new(session, &context)),
        })
    }
}

/// Connects, and finds the table with all that is written to it.
pub(super) async fn open(session: &mut Session, schema: &Schema) -> Result<(Target, Vec<Column>)> {
    session.open().await?;
    let config = Arc::clone(&session.config);
    loop {
        let outcome = match session.client().await {
            Ok((client, _)) => Target::load(client, &config.target).await,
            Err(failure) => Err(failure),
        };
        let Some(target) = session.verdict(outcome, "cannot be looked up").await? else {
            continue;
        };
        let checked = target.bind(schema, Direction::Write).and_then(|columns| {
            target.check_complete(schema)?;
            Ok(columns)
        });
        let columns = checked.map_err(|e| session.error(e.into(), "cannot be written"))?;
        return Ok((target, columns));
    }
}

/// The columns' names as SQL.
pub(super) fn column_list(columns: &[(usize, &Column)]) -> String {
    let names: Vec<String> = columns.iter().map(|(_, c)| quote(&c.name)).collect();
    names.join(", ")
}

/// Copies rows `into` a table with its columns.
pub(super) async fn copy(
    client: &Client,
    into: &str,
    rows: &RecordBatch,
    columns: &[(usize, &Column)],
) -> Result<(), Failure> {
    let chunks = chunks(rows, columns)?;
    let sql = format!("COPY {into} FROM STDIN (FORMAT binary)");
    let mut sink = std::pin::pin!(client.copy_in(sql.as_str()).await?);
    for chunk in chunks {
        sink.send(chunk).await?;
    }
    sink.finish().await?;
    Ok(())
}

/// When buffered rows are due.
pub(super) struct Pace {
    clock: Arc<dyn Clock>,
    most_rows: usize,
    interval: Duration,
    /// When the first of them came.
    since_ms: Option<i64>,
}

impl Pace {
    pub(super) fn new(config: &Config, clock: &Arc<dyn Clock>) -> Self {
        Self {
            clock: Arc::clone(clock),
            most_rows: config.flush_rows,
            interval: config.flush_interval,
            since_ms: None,
        }
    }

    /// Rows are waiting.
    pub(super) fn begin(&mut self) {
        if self.since_ms.is_none() {
            self.since_ms = Some(self.clock.now_ms());
        }
    }

    /// None is waiting any more.
    pub(super) fn end(&mut self) {
        self.since_ms = None;
    }

    /// Whether so many rows of so many bytes, or their age, are reason to write them.
    pub(super) fn is_due(&self, rows: usize, bytes: usize) -> bool {
        rows > 0 && (rows >= self.most_rows || bytes >= MOST_BYTES || self.is_aged())
    }

    /// Whether to write when no input is waiting.
    pub(super) fn is_due_when_dry(&self) -> bool {
        self.since_ms.is_some() && (self.interval.is_zero() || self.is_aged())
    }

    fn is_aged(&self) -> bool {
        !self.interval.is_zero() && self.deadline_ms().is_some_and(|d| self.clock.now_ms() >= d)
    }

    /// When the waiting rows are old enough, in milliseconds of the clock.
    pub(super) fn deadline_ms(&self) -> Option<i64> {
        let interval = i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX);
        (interval > 0).then(|| self.since_ms.map(|since| since.saturating_add(interval)))?
    }
}
