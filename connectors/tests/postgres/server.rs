//! Schemas of the server, and tables over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use levada_engine::connector::{
    Sink, SinkContext, Source, SourceContext, SourceEvent, SplitState, TableDescriptor,
};
use levada_engine::element::{Batch, RowKind};
use levada_engine::error::Result;
use levada_engine::graph::{JobId, WireBytes};
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::{ManualClock, SystemClock};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// The server's address.
pub fn address() -> String {
    std::env::var("LEVADA_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "this test needs a PostgreSQL server: \
             LEVADA_TEST_POSTGRES=$(tests/support/postgres.sh start) cargo test -- --ignored, or `make test`"
        )
    })
}

/// A schema of its own for each test.
pub struct Database {
    pub client: Client,
    pub address: String,
    pub schema: String,
}

impl Database {
    pub async fn new() -> Self {
        Self::at(&address()).await
    }

    pub async fn at(address: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let client = connect(address).await;
        let schema = format!("t{}_{count}", std::process::id());
        let database = Self {
            client,
            address: address.into(),
            schema: schema.clone(),
        };
        database
            .run(&format!(
                "CREATE SCHEMA {schema}; SET search_path = {schema}"
            ))
            .await;
        database
    }

    pub async fn run(&self, sql: &str) {
        self.client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|e| panic!("{e:?}: {sql}"));
    }

    /// The rows as text, `|` between columns.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        let messages = self.client.simple_query(sql).await.unwrap();
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let values = (0..row.len()).map(|i| row.get(i).unwrap_or("NULL"));
                Some(values.collect::<Vec<_>>().join("|"))
            }
            _ => None,
        });
        rows.collect()
    }

    pub async fn count(&self, table: &str) -> usize {
        let counted = self.rows(&format!("SELECT count(*) FROM {table}")).await;
        counted[0].parse().unwrap()
    }

    /// A declared table over the table `t` of the schema, or over another one that an option names.
    pub fn table(&self, schema: SchemaRef, options: &[(&str, &str)]) -> TableDescriptor {
        let url = format!("jdbc:postgresql://{}", self.address);
        let name = format!("{}.t", self.schema);
        let mut all = vec![
            ("url", url.as_str()),
            ("table-name", name.as_str()),
            ("username", "levada"),
        ];
        all.extend_from_slice(options);
        TableDescriptor {
            name: "t".into(),
            connector: "jdbc".into(),
            schema: schema.into(),
            metadata: Default::default(),
            primary_key: Vec::new(),
            partitioned_by: Vec::new(),
            // A later entry of a name replaces an earlier one.
            options: all
                .iter()
                .map(|(n, v)| (n.to_string(), v.to_string()))
                .collect(),
        }
    }

    /// The same with PRIMARY KEY (id).
    pub fn keyed(&self, schema: SchemaRef, options: &[(&str, &str)]) -> TableDescriptor {
        let mut table = self.table(schema, options);
        table.primary_key = vec!["id".into()];
        table
    }
}

pub async fn connect(address: &str) -> Client {
    let config = format!("postgresql://levada@{address}");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// `id BIGINT, v STRING`
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("v", DataType::Utf8, true),
    ]))
}

pub fn batch<V: AsRef<str>>(rows: impl IntoIterator<Item = (i64, V)>) -> Batch {
    let (ids, values): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let id: ArrayRef = Arc::new(Int64Array::from(ids));
    let v: ArrayRef = Arc::new(StringArray::from_iter_values(values));
    Batch::inserts(RecordBatch::try_new(schema(), vec![id, v]).unwrap())
}

/// Rows with kinds such as `+I`.
pub fn changes(rows: &[(&str, i64, &str)]) -> Batch {
    let kind = |short: &str| {
        let kinds = [
            RowKind::Insert,
            RowKind::UpdateBefore,
            RowKind::UpdateAfter,
            RowKind::Delete,
        ];
        kinds.into_iter().find(|k| k.short() == short).unwrap()
    };
    let kinds = rows.iter().map(|(k, _, _)| kind(k)).collect();
    let rows = batch(rows.iter().map(|(_, id, v)| (*id, *v)));
    Batch::with_kinds(rows.rows().clone(), kinds).unwrap()
}

pub fn sink_context(schema: SchemaRef, index: u32) -> SinkContext {
    SinkContext {
        job: JobId("job-1".into()),
        operator: "sink".into(),
        attempt: 0,
        restored: Arc::default(),
        barriers_come: true,
        schema,
        index,
        parallelism: 1,
        clock: ManualClock::new(0),
        metrics: Arc::new(SubtaskMetrics::default()),
        failpoints: Default::default(),
    }
}

pub fn sink(table: &TableDescriptor, context: SinkContext) -> Box<dyn Sink> {
    let registry = levada_connectors::registry();
    let factory = registry.of_table(table).unwrap().sink(table).unwrap();
    factory.create(context).unwrap()
}

/// The sink of subtask `index`, with what it restored committed, as the engine opens it.
pub async fn open(
    table: &TableDescriptor,
    index: u32,
    restored: Vec<WireBytes>,
) -> Result<Box<dyn Sink>> {
    let mut context = sink_context(table.schema.0.clone(), index);
    context.restored = Arc::new(restored.clone());
    let mut sink = sink(table, context);
    sink.open().await?;
    if !restored.is_empty() {
        sink.commit(restored).await?;
    }
    Ok(sink)
}

pub fn source_context(
    schema: SchemaRef,
    (index, parallelism): (u32, u32),
    restored: Option<Vec<SplitState>>,
) -> SourceContext {
    SourceContext {
        job: JobId("job-1".into()),
        schema,
        index,
        parallelism,
        batch_rows: 100,
        divert_bad: false,
        restored: restored.map(Arc::new),
        clock: Arc::new(SystemClock),
        metrics: Arc::new(SubtaskMetrics::default()),
    }
}

pub async fn source(table: &TableDescriptor, context: SourceContext) -> Result<Box<dyn Source>> {
    let registry = levada_connectors::registry();
    let factory = registry.of_table(table).unwrap().source(table).unwrap();
    let mut source = factory.create(context).unwrap();
    source.open().await?;
    Ok(source)
}

/// The rows of up to `most` events; true when the end has come.
pub async fn some(source: &mut dyn Source, most: usize) -> Result<(Vec<RecordBatch>, bool)> {
    let mut rows = Vec::new();
    for _ in 0..most {
        match source.next().await? {
            SourceEvent::Rows { batch, .. } => rows.push(batch.into_parts().0),
            SourceEvent::End => return Ok((rows, true)),
            _ => {}
        }
    }
    Ok((rows, false))
}

pub async fn all(source: &mut dyn Source) -> Vec<RecordBatch> {
    let (rows, ended) = some(source, usize::MAX).await.unwrap();
    assert!(ended);
    rows
}

/// The first column of all batches, in order.
pub fn ids(batches: &[RecordBatch]) -> Vec<i64> {
    let columns = batches
        .iter()
        .map(|b| b.column(0).as_primitive::<Int64Type>());
    columns.flat_map(|c| c.values().to_vec()).collect()
}
