//! Asking a table by key.
//!
//! A question is a query whose keys are numbered rows, so that the database says which row belongs to which
//! key, and compares them as it always does:
//!
//! ```sql
//! SELECT asked.number, source.… FROM (VALUES (0, '…'::bigint), …) AS asked (number, k0)
//!   JOIN "table" AS source ON source."key" = asked.k0
//! ```
//!
//! Connections are kept and shared: a question takes one that is free, or makes one.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use futures::StreamExt as _;
use levada_engine::connector::{Answer, Lookup, LookupContext};
use levada_engine::{EngineError, Result};
use tokio::sync::{OnceCell, Semaphore};
use tokio_postgres::types::Type as Oid;

use super::catalog::{Column, Target};
use super::client::Session;
use super::config::{Config, literal, quote};
use super::copy::read::Reader;
use super::failure::Failure;
use super::types::{Direction, Scalar, Type};

#[cfg(test)]
mod tests;

/// So many keys are asked for in one query.
const KEYS: usize = 1000;
/// So many connections a subtask makes at most.
const CONNECTIONS: usize = 4;
/// What is read at a time.
const READ_ROWS: usize = 8192;

/// Asks the table for one subtask.
pub(super) struct TableLookup {
    config: Arc<Config>,
    context: LookupContext,
    /// The number of the key, followed by what is delivered.
    rows: SchemaRef,
    table: OnceCell<Table>,
    turns: Semaphore,
    free: Mutex<Vec<Session>>,
}

/// The table as it is asked.
#[derive(Debug)]
struct Table {
    /// The query up to the keys, and behind them.
    select: (String, String),
    columns: Vec<Column>,
    keys: Vec<Column>,
}

impl TableLookup {
    pub(super) fn new(config: &Config, context: LookupContext) -> Self {
        let number = Field::new("number", DataType::Int32, false);
        let fields = context.schema.fields().iter().cloned();
        let fields: Vec<_> = std::iter::once(Arc::new(number)).chain(fields).collect();
        let config = Config {
            max_retries: config.lookup_retries,
            ..config.clone()
        };
        TableLookup {
            config: Arc::new(config),
            rows: Arc::new(Schema::new(fields)),
            turns: Semaphore::new(context.capacity.clamp(1, CONNECTIONS)),
            context,
            table: OnceCell::new(),
            free: Mutex::new(Vec::new()),
        }
    }

    fn session(&self) -> Session {
        let free = self.free.lock();
        let free = free.unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| {
            Session::new(
                Arc::clone(&self.config),
                Arc::clone(&self.context.clock),
                Arc::clone(&self.context.metrics),
                Default::default(),
            )
        })
    }

    /// A connection is given back when its question is answered; one that is not would still be busy.
    fn give_back(&self, session: Session) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(session);
    }

    async fn load(&self) -> Result<Table> {
        let mut session = self.session();
        session.open().await?;
        let name = self.config.target.clone();
        let target = loop {
            let outcome = match session.client().await {
                Ok((client, _)) => Target::load(client, &name).await,
                Err(failure) => Err(failure),
            };
            if let Some(target) = session.verdict(outcome, "cannot be looked up").await? {
                break target;
            }
        };
        let bound = |schema: &Schema| {
            let columns = target.bind(schema, Direction::Read);
            columns.map_err(|e| session.error(e.into(), "cannot be asked"))
        };
        let (mut columns, keys) = (bound(&self.context.schema)?, bound(&self.context.keys)?);
        if let Some(key) = keys.iter().find(|key| key.declared.is_array) {
            return Err(EngineError::config(format!(
                "column '{}' holds arrays, and cannot be asked by",
                key.name
            )));
        }
        let names = columns.iter().map(|c| format!("source.{}", quote(&c.name)));
        let names: Vec<String> = std::iter::once("asked.number".to_string())
            .chain(names)
            .collect();
        let number = Column {
            name: "number".to_string(),
            declared: Type {
                scalar: Scalar::Int(4),
                is_array: false,
            },
            width: 4,
            oid: Oid::INT4.oid(),
        };
        columns.insert(0, number);
        let equal = keys.iter().enumerate();
        let equal = equal.map(|(n, key)| format!("source.{} = asked.k{n}", quote(&key.name)));
        let equal: Vec<String> = equal.collect();
        let (names, target) = (names.join(", "), target.name.quoted());
        let select = (
            format!("SELECT {names} FROM {target} AS source JOIN "),
            format!(" ON {}", equal.join(" AND ")),
        );
        self.give_back(session);
        Ok(Table {
            select,
            columns,
            keys,
        })
    }

    async fn table(&self) -> Result<&Table> {
        self.table.get_or_try_init(|| self.load()).await
    }

    /// The rows of some of the keys.
    async fn part(&self, table: &Table, sql: &str) -> Result<Vec<RecordBatch>> {
        let mut session = self.session();
        let parts = loop {
            let outcome = match session.client().await {
                Ok((client, _)) => self.rows(client, table, sql).await,
                Err(failure) => Err(failure),
            };
            if let Some(parts) = session.verdict(outcome, "cannot be asked").await? {
                break parts;
            }
        };
        self.give_back(session);
        Ok(parts)
    }

    async fn rows(
        &self,
        client: &tokio_postgres::Client,
        table: &Table,
        sql: &str,
    ) -> Result<Vec<RecordBatch>, Failure> {
        let mut reader = Reader::new(&self.rows, &table.columns, 0)?;
        let mut parts = Vec::new();
        let stream = client.copy_out(sql).await?;
        futures::pin_mut!(stream);
        loop {
            reader.advance(READ_ROWS)?;
            if reader.rows() >= READ_ROWS {
                parts.push(reader.take()?);
            } else if reader.has_ended() {
                break;
            } else {
                match stream.next().await {
                    Some(bytes) => reader.feed(&bytes?),
                    None => return Err(Failure::TimedOut),
                }
            }
        }
        parts.push(reader.take()?);
        Ok(parts)
    }
}

#[async_trait]
impl Lookup for TableLookup {
    async fn open(&self) -> Result<()> {
        self.table().await.map(|_| ())
    }

    async fn ask(&self, keys: RecordBatch) -> Result<Answer> {
        let table = self.table().await?;
        let gone = |_| EngineError::internal("the connections of a lookup are closed");
        let _turn = self.turns.acquire().await.map_err(gone)?;
        let mut parts = Vec::new();
        for from in (0..keys.num_rows()).step_by(KEYS) {
            let part = keys.slice(from, KEYS.min(keys.num_rows() - from));
            if let Some(sql) = question(table, &part, from)? {
                parts.extend(self.part(table, &sql).await?);
            }
        }
        let rows = concat_batches(&self.rows, &parts)?;
        let (numbers, columns) = rows
            .columns()
            .split_first()
            .ok_or_else(|| EngineError::internal("an answer has no columns"))?;
        let numbers = numbers.as_primitive::<Int32Type>().values().iter();
        Ok(Answer {
            of: numbers.map(|number| *number as u32).collect(),
            rows: levada_engine::element::rows_of(
                &self.context.schema,
                columns.to_vec(),
                rows.num_rows(),
            )?,
        })
    }
}

/// The query for some keys, of which the first has this number; `None` if no row can have any of them.
fn question(table: &Table, keys: &RecordBatch, first: usize) -> Result<Option<String>> {
    let columns = keys.columns().iter().zip(&table.keys);
    let columns = columns.map(|(values, key)| texts(values, key));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let mut values = Vec::new();
    for row in 0..keys.num_rows() {
        let key = columns.iter().map(|column| column.get(row)?.as_deref());
        let Some(key) = key.collect::<Option<Vec<&str>>>() else {
            continue;
        };
        values.push(format!("({}, {})", first + row, key.join(", ")));
    }
    if values.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = (0..columns.len()).map(|n| format!("k{n}")).collect();
    let asked = format!(
        "(VALUES {}) AS asked (number, {})",
        values.join(", "),
        names.join(", ")
    );
    let (before, behind) = &table.select;
    Ok(Some(format!(
        "COPY ({before}{asked}{behind}) TO STDOUT (FORMAT binary)"
    )))
}

/// The values of a key as SQL; `None` where the database can have nothing like it.
fn texts(values: &ArrayRef, key: &Column) -> Result<Vec<Option<String>>> {
    let type_name = comparable(key);
    let options = FormatOptions::new();
    let shown = ArrayFormatter::try_new(values.as_ref(), &options)?;
    let text = |row: usize| -> Result<Option<String>> {
        if values.is_null(row) {
            return Ok(None);
        }
        let text = match values.data_type() {
            DataType::Binary => {
                let bytes = values.as_binary::<i32>().value(row);
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("\\x{hex}")
            }
            _ => shown.value(row).try_to_string()?,
        };
        // No text of the database has a NUL.
        let has_nul = text.contains('\0');
        Ok((!has_nul).then(|| format!("{}::{type_name}", literal(&text))))
    };
    (0..values.len()).map(text).collect()
}

/// The type in which a key is compared: wide enough for every value, and such that an index can be used.
fn comparable(key: &Column) -> &'static str {
    match key.declared.scalar {
        Scalar::Bool => "boolean",
        Scalar::Int(_) => "bigint",
        Scalar::Float(_) if key.width == 4 => "real",
        Scalar::Float(_) => "double precision",
        Scalar::Decimal(_, _) => "numeric",
        Scalar::Text => "text",
        Scalar::Bytes => "bytea",
        Scalar::Date => "date",
        Scalar::Time(_) => "time",
        Scalar::Timestamp(false, _) => "timestamp",
        Scalar::Timestamp(true, _) => "timestamptz",
    }
}
