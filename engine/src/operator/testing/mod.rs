//! For tests: batches as text tables, a context without a subtask, and operators that are watched.
//!
//! ```text
//! +I | 1 | a
//! -D | 2 | NULL
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::TaskContext;
use datafusion::prelude::SessionContext;

use super::{OperatorContext, Output};
use crate::element::{Batch, RowKind, rows_of};
use crate::key::KeyGroupRange;
use crate::metrics::SubtaskMetrics;

mod damage;
pub(crate) mod model;
pub(crate) mod pipeline;

const SAFE: CastOptions<'static> = CastOptions {
    safe: false,
    format_options: FormatOptions::new(),
};

/// A schema from `name TYPE, …`; all columns are nullable.
pub(crate) fn schema(text: &str) -> SchemaRef {
    let field = |part: &str| {
        let (name, kind) = part.trim().split_once(' ').expect("name TYPE");
        Field::new(name, data_type(kind.trim()), true)
    };
    Arc::new(Schema::new(text.split(',').map(field).collect::<Vec<_>>()))
}

/// A type by its short SQL name.
pub(crate) fn data_type(name: &str) -> DataType {
    match name {
        "BOOLEAN" => DataType::Boolean,
        "TINYINT" => DataType::Int8,
        "SMALLINT" => DataType::Int16,
        "INT" => DataType::Int32,
        "BIGINT" => DataType::Int64,
        "UBIGINT" => DataType::UInt64,
        "FLOAT" => DataType::Float32,
        "DOUBLE" => DataType::Float64,
        "STRING" => DataType::Utf8,
        "STRING_VIEW" => DataType::Utf8View,
        "BYTES" => DataType::Binary,
        "DATE" => DataType::Date32,
        "TIME" => DataType::Time32(TimeUnit::Millisecond),
        "TIMESTAMP" => DataType::Timestamp(TimeUnit::Millisecond, None),
        "TIMESTAMP_LTZ" => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        "TIMESTAMP_US" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "TIMESTAMP_NS" => DataType::Timestamp(TimeUnit::Nanosecond, None),
        "DECIMAL" => DataType::Decimal128(12, 2),
        "DECIMAL_SUM" => DataType::Decimal128(22, 2),
        "DECIMAL_AVG" => DataType::Decimal128(16, 6),
        "DECIMAL_WIDE" => DataType::Decimal128(38, 0),
        "BOOLEANS" => DataType::new_list(DataType::Boolean, true),
        "BIGINTS" => DataType::new_list(DataType::Int64, true),
        "STRINGS" => DataType::new_list(DataType::Utf8, true),
        other => panic!("no type {other}"),
    }
}

/// Rows written as `+I | value | …`, one a line; `NULL` is NULL.
pub(crate) fn batch(schema: &SchemaRef, text: &str) -> Batch {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let cells: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let kinds = cells.iter().map(|row| kind(row[0])).collect();
    let columns = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(column, field)| {
            let texts: Vec<Option<&str>> = cells
                .iter()
                .map(|row| Some(row[column + 1]).filter(|c| *c != "NULL"))
                .collect();
            let texts: ArrayRef = Arc::new(StringArray::from(texts));
            cast_with_options(&texts, field.data_type(), &SAFE).expect("a value of the type")
        })
        .collect();
    let rows = rows_of(schema, columns, lines.len()).unwrap();
    Batch::with_kinds(rows, kinds).unwrap()
}

fn kind(text: &str) -> RowKind {
    match text {
        "+I" => RowKind::Insert,
        "-U" => RowKind::UpdateBefore,
        "+U" => RowKind::UpdateAfter,
        "-D" => RowKind::Delete,
        other => panic!("no row kind {other}"),
    }
}

/// The rows of a batch as lines like those [`batch`] reads.
pub(crate) fn lines(batch: &Batch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .rows()
        .columns()
        .iter()
        .map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let cells = columns.iter().map(|c| c.value(row).to_string());
            let kind = batch.kind(row).short().to_string();
            std::iter::once(kind)
                .chain(cells)
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect()
}

/// Takes what was emitted, as lines.
pub(crate) fn drain(output: &mut Output) -> Vec<String> {
    output.drain().flat_map(|b| lines(&b)).collect()
}

/// Expects these lines in this order.
pub(crate) fn check(output: &mut Output, expected: &str) {
    let expected: Vec<&str> = expected
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    assert_eq!(drain(output), expected);
}

/// A context of the only subtask, without state.
pub(crate) fn context() -> OperatorContext {
    OperatorContext {
        functions: functions(),
        index: 0,
        parallelism: 1,
        max_parallelism: 128,
        key_groups: KeyGroupRange::all(128),
        state: None,
        layouts: vec![],
        memory: crate::memory::Memory::new(1 << 30).share(),
        metrics: Arc::new(SubtaskMetrics::default()),
        batch_rows: 1024,
        now_ms: 0,
    }
}

/// All functions of DataFusion.
pub(crate) fn functions() -> Arc<TaskContext> {
    SessionContext::new().task_ctx()
}
