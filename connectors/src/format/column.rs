//! Columns under construction: what decoders fill, row by row, and hand over as Arrow arrays.
//!
//! Arrow's own builders cannot take a row back, which a decoder must do when the row turns out to be
//! bad in its last field; these can ([`Column::truncate`]). The type of a column is matched once per
//! value, as a variant of an enum; there are no virtual calls.
//!
//! The memory of a finished batch belongs to the batch. What is kept from batch to batch is its size,
//! so that the next one is reserved at once.

mod keys;
mod nested;
mod primitive;
mod record;
mod text;
mod validity;

use arrow::array::ArrayRef;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};

pub(crate) use keys::{Found, Keys};
pub(crate) use nested::{List, Map};
pub(crate) use primitive::{Boolean, Primitive};
pub(crate) use record::{Child, Record, Struct};
pub(crate) use text::{Bytes, Text};

use crate::format::scalar::time::{DateMemo, Moment};
use levada_engine::{EngineError, Result};

/// A column of one of the SQL types, under construction.
#[derive(Debug)]
pub(crate) enum Column {
    Boolean(Boolean),
    Int8(Primitive<Int8Type>),
    Int16(Primitive<Int16Type>),
    Int32(Primitive<Int32Type>),
    Int64(Primitive<Int64Type>),
    Float32(Primitive<Float32Type>),
    Float64(Primitive<Float64Type>),
    Decimal(Decimal),
    Utf8(Text),
    Binary(Bytes),
    Date(Primitive<Date32Type>),
    TimeMillis(Primitive<Time32MillisecondType>),
    TimeMicros(Primitive<Time64MicrosecondType>),
    Timestamp(Timestamp),
    List(Box<List>),
    Map(Box<Map>),
    Struct(Box<Struct>),
}

/// A column of decimals.
#[derive(Debug)]
pub(crate) struct Decimal {
    pub values: Primitive<Decimal128Type>,
    pub precision: u8,
    pub scale: i8,
}

/// A column of timestamps of any unit.
#[derive(Debug)]
pub(crate) struct Timestamp {
    pub values: TimestampValues,
    /// Whether the values are instants (TIMESTAMP_LTZ) rather than readings of a clock (TIMESTAMP).
    pub zoned: bool,
    pub memo: DateMemo,
}

/// The values of a timestamp column, by unit.
#[derive(Debug)]
pub(crate) enum TimestampValues {
    Millis(Primitive<TimestampMillisecondType>),
    Micros(Primitive<TimestampMicrosecondType>),
    Nanos(Primitive<TimestampNanosecondType>),
}

impl Timestamp {
    /// Adds a moment, cut to the column's unit; `false` if it is out of the unit's range.
    #[inline]
    pub(crate) fn push(&mut self, moment: Moment) -> bool {
        let (seconds, nanos) = (moment.seconds, i64::from(moment.nanos));
        let scaled = |per_second: i64| {
            let whole = seconds.checked_mul(per_second)?;
            whole.checked_add(nanos / (1_000_000_000 / per_second))
        };
        match &mut self.values {
            TimestampValues::Millis(values) => values.push_some(scaled(1_000)),
            TimestampValues::Micros(values) => values.push_some(scaled(1_000_000)),
            TimestampValues::Nanos(values) => values.push_some(scaled(1_000_000_000)),
        }
    }
}

/// Runs `$body` with `$c` bound to the inner column, whichever it is.
macro_rules! each {
    ($column:expr, $c:ident => $body:expr) => {
        match $column {
            Column::Boolean($c) => $body,
            Column::Int8($c) => $body,
            Column::Int16($c) => $body,
            Column::Int32($c) => $body,
            Column::Int64($c) => $body,
            Column::Float32($c) => $body,
            Column::Float64($c) => $body,
            Column::Decimal(Decimal { values: $c, .. }) => $body,
            Column::Utf8($c) => $body,
            Column::Binary($c) => $body,
            Column::Date($c) => $body,
            Column::TimeMillis($c) => $body,
            Column::TimeMicros($c) => $body,
            Column::Timestamp(Timestamp {
                values: TimestampValues::Millis($c),
                ..
            }) => $body,
            Column::Timestamp(Timestamp {
                values: TimestampValues::Micros($c),
                ..
            }) => $body,
            Column::Timestamp(Timestamp {
                values: TimestampValues::Nanos($c),
                ..
            }) => $body,
            Column::List($c) => $body,
            Column::Map($c) => $body,
            Column::Struct($c) => $body,
        }
    };
}

impl Column {
    /// An empty column for `field`; an error that names it if no SQL type has its Arrow type.
    pub(crate) fn new(field: &Field) -> Result<Self> {
        let data_type = field.data_type().clone();
        Ok(match field.data_type() {
            DataType::Boolean => Column::Boolean(Boolean::default()),
            DataType::Int8 => Column::Int8(Primitive::new(data_type)),
            DataType::Int16 => Column::Int16(Primitive::new(data_type)),
            DataType::Int32 => Column::Int32(Primitive::new(data_type)),
            DataType::Int64 => Column::Int64(Primitive::new(data_type)),
            DataType::Float32 => Column::Float32(Primitive::new(data_type)),
            DataType::Float64 => Column::Float64(Primitive::new(data_type)),
            DataType::Decimal128(precision, scale) => Column::Decimal(Decimal {
                precision: *precision,
                scale: *scale,
                values: Primitive::new(data_type),
            }),
            DataType::Utf8 => Column::Utf8(Text::default()),
            DataType::Binary => Column::Binary(Bytes::default()),
            DataType::Date32 => Column::Date(Primitive::new(data_type)),
            DataType::Time32(TimeUnit::Millisecond) => {
                Column::TimeMillis(Primitive::new(data_type))
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                Column::TimeMicros(Primitive::new(data_type))
            }
            DataType::Timestamp(unit, zone) => {
                let values = match unit {
                    TimeUnit::Millisecond => {
                        TimestampValues::Millis(Primitive::new(data_type.clone()))
                    }
                    TimeUnit::Microsecond => {
                        TimestampValues::Micros(Primitive::new(data_type.clone()))
                    }
                    TimeUnit::Nanosecond => {
                        TimestampValues::Nanos(Primitive::new(data_type.clone()))
                    }
                    TimeUnit::Second => return Err(unsupported(field)),
                };
                let zoned = match zone.as_deref() {
                    None => false,
                    Some("UTC") => true,
                    Some(_) => return Err(unsupported(field)),
                };
                Column::Timestamp(Timestamp {
                    values,
                    zoned,
                    memo: DateMemo::default(),
                })
            }
            DataType::List(element) => Column::List(Box::new(List::new(element)?)),
            DataType::Map(entries, _) => Column::Map(Box::new(Map::new(entries)?)),
            DataType::Struct(fields) => Column::Struct(Box::new(Struct::new(fields)?)),
            _ => return Err(unsupported(field)),
        })
    }

    /// How many rows it holds.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        each!(self, c => c.len())
    }

    /// Adds a NULL.
    pub(crate) fn push_null(&mut self) {
        each!(self, c => c.push_null())
    }

    /// Takes back the rows from number `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        each!(self, c => c.truncate(rows))
    }

    /// Memory held, in bytes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        each!(self, c => c.bytes())
    }

    /// Takes the rows as an array and leaves the column empty.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        each!(self, c => c.finish())
    }

    /// The column's SQL type, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Column::Boolean(_) => "BOOLEAN",
            Column::Int8(_) => "TINYINT",
            Column::Int16(_) => "SMALLINT",
            Column::Int32(_) => "INT",
            Column::Int64(_) => "BIGINT",
            Column::Float32(_) => "FLOAT",
            Column::Float64(_) => "DOUBLE",
            Column::Decimal(_) => "DECIMAL",
            Column::Utf8(_) => "STRING",
            Column::Binary(_) => "BYTES",
            Column::Date(_) => "DATE",
            Column::TimeMillis(_) | Column::TimeMicros(_) => "TIME",
            Column::Timestamp(Timestamp { zoned: false, .. }) => "TIMESTAMP",
            Column::Timestamp(_) => "TIMESTAMP_LTZ",
            Column::List(_) => "ARRAY",
            Column::Map(_) => "MAP",
            Column::Struct(_) => "ROW",
        }
    }
}

fn unsupported(field: &Field) -> EngineError {
    EngineError::config(format!(
        "the column '{}' has a type that formats cannot hold: {}",
        field.name(),
        field.data_type()
    ))
}

/// Arrow refused what a column holds, which is a defect of the column.
fn inconsistent(error: arrow::error::ArrowError) -> EngineError {
    EngineError::data(format!("the decoded columns are inconsistent: {error}"))
}
