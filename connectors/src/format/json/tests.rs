#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conversions;
mod encoding;
mod random;
mod streams;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::*;
use crate::format::{Encoded, Input, Position};

/// A column by the name of its SQL type.
fn column(name: &str, sql: &str) -> Field {
    let data_type = match sql {
        "BOOLEAN" => DataType::Boolean,
        "TINYINT" => DataType::Int8,
        "SMALLINT" => DataType::Int16,
        "INT" => DataType::Int32,
        "BIGINT" => DataType::Int64,
        "FLOAT" => DataType::Float32,
        "DOUBLE" => DataType::Float64,
        "DECIMAL" => DataType::Decimal128(10, 2),
        "STRING" => DataType::Utf8,
        "BYTES" => DataType::Binary,
        "DATE" => DataType::Date32,
        "TIME" => DataType::Time32(TimeUnit::Millisecond),
        "TIME6" => DataType::Time64(TimeUnit::Microsecond),
        "TIMESTAMP" => DataType::Timestamp(TimeUnit::Millisecond, None),
        "TIMESTAMP9" => DataType::Timestamp(TimeUnit::Nanosecond, None),
        "LTZ" => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        other => panic!("no type {other}"),
    };
    Field::new(name, data_type, true)
}

fn list(name: &str, element: &str) -> Field {
    Field::new(
        name,
        DataType::List(Arc::new(column("element", element))),
        true,
    )
}

fn map(name: &str, value: &str) -> Field {
    let key = column("key", "STRING").with_nullable(false);
    let entries = DataType::Struct(vec![key, column("value", value)].into());
    Field::new(
        name,
        DataType::Map(Arc::new(Field::new("entries", entries, false)), false),
        true,
    )
}

fn row(name: &str, fields: Vec<Field>) -> Field {
    Field::new(name, DataType::Struct(fields.into()), true)
}

fn schema(fields: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}

fn format(options: &[(&str, &str)]) -> Json {
    let mut options = Options::new(
        options
            .iter()
            .map(|(n, v)| (format!("json.{n}"), v.to_string())),
    );
    let format = Json::from_options("", &mut options).unwrap();
    options.finish().unwrap();
    format
}

fn decoder(fields: Vec<Field>, options: &[(&str, &str)]) -> Box<dyn Decoder> {
    let schema = schema(fields);
    format(options)
        .decoder(&schema, schema.clone(), OnBadRow::Fail)
        .unwrap()
}

/// The rows of a batch as JSON lines, which is how tests look at them.
fn show(batch: &RecordBatch) -> String {
    let mut out = Encoded::default();
    let mut encoder = Json::default()
        .encoder(batch.schema(), Framing::Line)
        .unwrap();
    encoder.encode(batch, &mut out).unwrap();
    String::from_utf8(out.bytes).unwrap()
}

/// Decodes `text` as one message and shows its rows, or the error.
fn message(fields: Vec<Field>, options: &[(&str, &str)], text: &str) -> String {
    let mut decoder = decoder(fields, options);
    match decoder.decode_message(text.as_bytes(), 7) {
        Ok(rows) => {
            let batch = decoder.flush().unwrap();
            assert_eq!(batch.num_rows(), rows);
            show(&batch).trim_end().to_string()
        }
        Err(error) => {
            assert_eq!(decoder.rows(), 0);
            error.message
        }
    }
}

/// A chunk that is all there is.
fn whole(bytes: &[u8]) -> Input<'_> {
    Input {
        bytes,
        last: true,
        max_rows: usize::MAX,
        end: u64::MAX,
    }
}
