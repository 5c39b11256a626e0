//! Reading a table once.
//!
//! A split is a range of the partition column, or the whole table. Rows come in the order of the
//! primary key, or of their place in the table (`ctid`) where there is none; the position is the key
//! of the last row delivered, so that a split goes on exactly behind it, after a failure of the job or
//! of the connection. Rows of a view have no such order: a split of it that was read in part cannot be
//! resumed, which is an error then.
//!
//! Every split is a query of its own and sees the table as it is when the query starts.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use levada_engine::connector::{
    Boundedness, Lookup, LookupCache, LookupContext, Source, SourceContext, SourceEvent,
    SourceFactory, SplitState,
};
use levada_engine::element::Batch;
use levada_engine::{EngineError, Result};
use tokio_postgres::CopyOutStream;

use super::catalog::{Column, Target};
use super::client::Session;
use super::config::{Config, literal, quote};
use super::copy::read::Reader;
use super::failure::Failure;
use super::lookup::TableLookup;
use super::types::Direction;

mod split;

use split::{Order, Split, splits};

/// A table that is read.
#[derive(Debug)]
pub(super) struct Factory {
    config: Arc<Config>,
}

impl Factory {
    pub(super) fn new(config: Config) -> Result<Self> {
        Ok(Self {
            config: Arc::new(config),
        })
    }
}

impl SourceFactory for Factory {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn lookup(&self) -> Option<LookupCache> {
        Some(self.config.lookup)
    }

    fn create_lookup(&self, context: LookupContext) -> Result<Arc<dyn Lookup>> {
        Ok(Arc::new(TableLookup::new(&self.config, context)))
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let config = &self.config;
        let session = Session::new(
            Arc::clone(config),
            Arc::clone(&context.clock),
            Arc::clone(&context.metrics),
            Default::default(),
        );
        let batch_rows = context.batch_rows.max(1);
        Ok(Box::new(TableSource {
            batch_rows: config
                .fetch_rows
                .map_or(batch_rows, |rows| rows.min(batch_rows)),
            session,
            context,
            table: None,
            splits: Vec::new(),
            reading: None,
            is_starting: false,
        }))
    }
}

/// The table as it is read.
struct Table {
    target: Target,
    columns: Vec<Column>,
    order: Order,
}

/// A query whose rows are coming in.
struct Reading {
    stream: Pin<Box<CopyOutStream>>,
    reader: Reader,
}

struct TableSource {
    session: Session,
    context: SourceContext,
    batch_rows: usize,
    table: Option<Table>,
    splits: Vec<Split>,
    reading: Option<Reading>,
    /// Whether a query was being started when the call was dropped.
    is_starting: bool,
}

#[async_trait]
impl Source for TableSource {
    async fn open(&mut self) -> Result<Vec<String>> {
        self.session.open().await?;
        let name = self.session.config.target.clone();
        let target = loop {
            let outcome = match self.session.client().await {
                Ok((client, _)) => Target::load(client, &name).await,
                Err(failure) => Err(failure),
            };
            let verdict = self.session.verdict(outcome, "cannot be looked up");
            if let Some(target) = verdict.await? {
                break target;
            }
        };
        let columns = target.bind(&self.context.schema, Direction::Read);
        let columns = columns.map_err(|e| self.session.error(e.into(), "cannot be read"))?;
        let order = Order::of(&target);
        self.splits = splits(&self.session.config, &self.context, &order)?;
        self.table = Some(Table {
            target,
            columns,
            order,
        });
        let open = self.splits.iter().filter(|split| !split.is_finished);
        Ok(open.map(|split| split.name.to_string()).collect())
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        loop {
            let Some(current) = self.splits.iter().position(|split| !split.is_finished) else {
                return Ok(SourceEvent::End);
            };
            let Some(reading) = &mut self.reading else {
                self.start(current).await?;
                continue;
            };
            let advanced = reading.reader.advance(self.batch_rows);
            advanced.map_err(|e| self.session.error(e.into(), "cannot be read"))?;
            let (rows, has_ended) = (reading.reader.rows(), reading.reader.has_ended());
            if rows >= self.batch_rows || (has_ended && rows > 0) {
                return self.take(current);
            }
            if has_ended {
                self.reading = None;
                if let Some(split) = self.splits.get_mut(current) {
                    split.is_finished = true;
                    return Ok(SourceEvent::SplitFinished(Arc::clone(&split.name)));
                }
            } else {
                self.receive().await?;
            }
        }
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        self.splits.iter().map(Split::state).collect()
    }
}

impl TableSource {
    /// Starts the query of a split behind its position.
    async fn start(&mut self, current: usize) -> Result<()> {
        if std::mem::replace(&mut self.is_starting, true) {
            // The connection would first have to swallow what nobody reads any more.
            self.session.close();
        }
        let (Some(table), Some(split)) = (&self.table, self.splits.get(current)) else {
            return Err(EngineError::internal("the source is not open"));
        };
        let reader = Reader::new(
            &self.context.schema,
            &table.columns,
            table.order.columns().len(),
        );
        let reader = reader?;
        let sql = query(table, split);
        let outcome = match self.session.client().await {
            Ok((client, _)) => client.copy_out(sql.as_str()).await.map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        let verdict = self.session.verdict(outcome, "cannot be read").await?;
        self.reading = verdict.map(|stream| Reading {
            stream: Box::pin(stream),
            reader,
        });
        self.is_starting = false;
        Ok(())
    }

    /// Waits for more. When the connection breaks, what was read and not delivered is read again.
    async fn receive(&mut self) -> Result<()> {
        let Some(reading) = &mut self.reading else {
            return Ok(());
        };
        let failure = match reading.stream.next().await {
            Some(Ok(bytes)) => {
                reading.reader.feed(&bytes);
                return Ok(());
            }
            Some(Err(error)) => Failure::Database(error),
            None => Failure::TimedOut,
        };
        self.reading = None;
        let outcome: Result<(), Failure> = Err(failure);
        self.session.verdict(outcome, "cannot be read").await?;
        Ok(())
    }

    /// Delivers what has been read of a split.
    fn take(&mut self, current: usize) -> Result<SourceEvent> {
        let (Some(reading), Some(split)) = (&mut self.reading, self.splits.get_mut(current)) else {
            return Err(EngineError::internal("nothing is being read"));
        };
        let rows = reading.reader.take()?;
        split.is_begun = true;
        split.key = reading.reader.last_key().to_vec();
        Ok(SourceEvent::Rows {
            split: Arc::clone(&split.name),
            batch: Batch::inserts(rows),
        })
    }
}

/// The query of what is left of a split.
fn query(table: &Table, split: &Split) -> String {
    let keys = table.order.qualified();
    let columns = table
        .columns
        .iter()
        .map(|c| format!("source.{}", quote(&c.name)));
    let columns: Vec<String> = columns
        .chain(keys.iter().map(|key| format!("{key}::text")))
        .collect();
    let mut conditions = Vec::new();
    if let Some(range) = &split.range {
        conditions.push(range.condition());
    }
    if split.is_begun && !keys.is_empty() {
        let values: Vec<String> = split.key.iter().map(|value| literal(value)).collect();
        conditions.push(match keys.as_slice() {
            [key] => format!("{key} > {}", values.join(", ")),
            _ => format!("({}) > ({})", keys.join(", "), values.join(", ")),
        });
    }
    let mut sql = format!(
        "SELECT {} FROM {} AS source",
        columns.join(", "),
        table.target.name.quoted()
    );
    if !conditions.is_empty() {
        sql = format!("{sql} WHERE {}", conditions.join(" AND "));
    }
    if !keys.is_empty() {
        sql = format!("{sql} ORDER BY {}", keys.join(", "));
    }
    format!("COPY ({sql}) TO STDOUT (FORMAT binary)")
}
