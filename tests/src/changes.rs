//! A table that changes by its PRIMARY KEY, read from a file: each line a row, `"op": "d"` if it goes.
//!
//! `upsert-kafka` does the same in earnest. This one needs no broker, so that a case of the golden suite can have
//! a table of upserts: `WITH ('connector' = 'changes', 'path' = '{dir}/t.json')`, in a case that says `--- whole`,
//! since the changes of a key are in one file.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use levada_engine::connector::{
    Boundedness, ConnectorFactory, ConnectorRegistry, SinkFactory, Source, SourceContext,
    SourceEvent, SourceFactory, SplitState, TableDescriptor,
};
use levada_engine::element::{Batch, ChangelogMode, RowKind};
use levada_engine::graph::WireSchema;
use levada_engine::{EngineError, Result};

/// The field of a line that says what becomes of the row.
const OPERATION: &str = "op";

/// The connector, over that of files.
pub struct Changes(pub ConnectorRegistry);

impl ConnectorFactory for Changes {
    fn identifier(&self) -> &'static str {
        "changes"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let path = table.option("path").unwrap_or_default().to_string();
        let options = [("path", path), ("format", "json".to_string())];
        let lines = TableDescriptor {
            name: table.name.clone(),
            connector: "filesystem".to_string(),
            schema: WireSchema(with_operation(&table.schema.0)),
            metadata: BTreeMap::new(),
            primary_key: Vec::new(),
            partitioned_by: Vec::new(),
            options: options.map(|(key, v)| (key.to_string(), v)).into(),
        };
        let inner = self.0.of_table(&lines)?.source(&lines)?;
        Ok(Arc::new(Changing(inner)))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        let message = format!("{} can only be read", table.name);
        Err(EngineError::connector(message))
    }
}

fn with_operation(schema: &SchemaRef) -> SchemaRef {
    let mut fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(OPERATION, DataType::Utf8, true)));
    Arc::new(Schema::new(fields))
}

struct Changing(Arc<dyn SourceFactory>);

impl SourceFactory for Changing {
    fn boundedness(&self) -> Boundedness {
        self.0.boundedness()
    }

    fn mode(&self) -> ChangelogMode {
        ChangelogMode::Upsert
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let schema = Arc::clone(&context.schema);
        let inner = SourceContext {
            schema: with_operation(&schema),
            ..context
        };
        let lines = self.0.create(inner)?;
        Ok(Box::new(ChangingSource { lines, schema }))
    }
}

struct ChangingSource {
    lines: Box<dyn Source>,
    schema: SchemaRef,
}

impl ChangingSource {
    fn changes(&self, batch: &Batch) -> Result<Batch> {
        let lines = batch.rows();
        let width = self.schema.fields().len();
        let operations = lines.column(width).as_string::<i32>();
        let deleted = |row| operations.is_valid(row) && operations.value(row) == "d";
        let kinds = (0..lines.num_rows()).map(|row| match deleted(row) {
            true => RowKind::Delete,
            false => RowKind::Insert,
        });
        let columns = lines.columns().iter().take(width).cloned().collect();
        let rows = levada_engine::element::rows_of(&self.schema, columns, lines.num_rows())?;
        Batch::with_kinds(rows, kinds.collect())
    }
}

#[async_trait]
impl Source for ChangingSource {
    async fn open(&mut self) -> Result<Vec<String>> {
        self.lines.open().await
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        Ok(match self.lines.next().await? {
            SourceEvent::Rows { split, batch } => SourceEvent::Rows {
                split,
                batch: self.changes(&batch)?,
            },
            other => other,
        })
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        self.lines.positions()
    }

    fn set_paused(&mut self, split: &str, paused: bool) {
        self.lines.set_paused(split, paused);
    }
}
