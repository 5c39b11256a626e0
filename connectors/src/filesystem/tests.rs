#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod options;
mod reading;
mod watching;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use levada_engine::connector::{
    ConnectorFactory, Source, SourceContext, SourceEvent, SplitState, TableDescriptor,
};

use super::Filesystem;
use crate::fixture::{source_context, table_of};

/// Two columns, `a BIGINT, b STRING`.
pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("b", DataType::Utf8, true),
    ]))
}

pub(super) fn json_table(path: &Path, options: &[(&str, &str)]) -> TableDescriptor {
    let mut all = vec![("path", path.to_str().unwrap()), ("format", "json")];
    all.extend_from_slice(options);
    table_of("filesystem", schema(), &all)
}

pub(super) fn write_lines(path: &Path, numbers: impl IntoIterator<Item = i64>) {
    let lines: String = numbers
        .into_iter()
        .map(|n| format!("{{\"a\": {n}, \"b\": \"x{n}\"}}\n"))
        .collect();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, lines).unwrap();
}

pub(super) fn source(table: &TableDescriptor, context: SourceContext) -> Box<dyn Source> {
    Filesystem.source(table).unwrap().create(context).unwrap()
}

pub(super) fn context(restored: Option<Vec<SplitState>>) -> SourceContext {
    source_context(schema(), (0, 1), 3, restored)
}

pub(super) fn first_column(rows: &RecordBatch) -> Vec<i64> {
    rows.column(0).as_primitive::<Int64Type>().values().to_vec()
}

/// Events in short: the file's name with the first column, `+name`, `-name`, `end`.
pub(super) fn short(event: &SourceEvent) -> String {
    let name = |split: &str| split.rsplit('/').next().unwrap().to_string();
    match event {
        SourceEvent::Rows { split, batch } => {
            format!("{} {:?}", name(split), first_column(batch.rows()))
        }
        SourceEvent::Bad { rows } => {
            let payload = rows.column(0).as_binary::<i32>();
            let texts: Vec<_> = (0..payload.len())
                .map(|i| String::from_utf8_lossy(payload.value(i)).into_owned())
                .collect();
            format!("bad {texts:?}")
        }
        SourceEvent::SplitAdded(split) => format!("+{}", name(split)),
        SourceEvent::SplitFinished(split) => format!("-{}", name(split)),
        SourceEvent::End => "end".into(),
    }
}

/// All events up to the end, in short.
pub(super) async fn all(source: &mut dyn Source) -> Vec<String> {
    let mut events = Vec::new();
    loop {
        let event = source.next().await.unwrap();
        if matches!(event, SourceEvent::End) {
            return events;
        }
        events.push(short(&event));
    }
}
