//! Arrow arrays seen as columns of cells that can be written as text.
//!
//! The type of an array is found out once per batch; writing a cell is a match on an enum.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, ListArray, MapArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::FormatOptions;

use crate::format::scalar::{number, time};
use levada_engine::{EngineError, Result};

/// A column of cells.
#[derive(Debug)]
pub(crate) struct Cells {
    nulls: Option<NullBuffer>,
    pub values: Values,
}

/// The cells' values, by type.
#[derive(Debug)]
pub(crate) enum Values {
    /// Every cell is NULL.
    Null,
    Boolean(BooleanArray),
    Int8(ScalarBuffer<i8>),
    Int16(ScalarBuffer<i16>),
    Int32(ScalarBuffer<i32>),
    Int64(ScalarBuffer<i64>),
    UInt8(ScalarBuffer<u8>),
    UInt16(ScalarBuffer<u16>),
    UInt32(ScalarBuffer<u32>),
    UInt64(ScalarBuffer<u64>),
    Float32(ScalarBuffer<f32>),
    Float64(ScalarBuffer<f64>),
    Decimal {
        values: ScalarBuffer<i128>,
        scale: i8,
    },
    Utf8(StringArray),
    Binary(BinaryArray),
    Date(ScalarBuffer<i32>),
    Time {
        values: Vec<i64>,
        per_second: i64,
    },
    Timestamp {
        values: ScalarBuffer<i64>,
        per_second: i64,
        zoned: bool,
    },
    List {
        rows: ListArray,
        elements: Box<Cells>,
    },
    Map {
        rows: MapArray,
        keys: Box<Cells>,
        values: Box<Cells>,
    },
    Struct {
        names: Vec<String>,
        children: Vec<Cells>,
    },
}

/// How instants and clock readings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimestampForm {
    /// `2023-11-14 22:13:20.000`, an instant with `Z` behind it.
    Sql,
    /// `2023-11-14T22:13:20.000`, an instant with `Z` behind it.
    Iso8601,
}

impl Cells {
    /// The cells of `array`, the column of `field`.
    pub(crate) fn new(field: &Field, array: &ArrayRef) -> Result<Self> {
        let array = plain(field, array)?;
        let values = match array.data_type() {
            DataType::Null => Values::Null,
            DataType::Boolean => Values::Boolean(array.as_boolean().clone()),
            DataType::Utf8 => Values::Utf8(array.as_string::<i32>().clone()),
            DataType::Binary => Values::Binary(array.as_binary::<i32>().clone()),
            DataType::List(element) => {
                let rows: &ListArray = array.as_list();
                let elements = Box::new(Cells::new(element, rows.values())?);
                Values::List {
                    rows: rows.clone(),
                    elements,
                }
            }
            DataType::Map(_, _) => map(field, array.as_map())?,
            DataType::Struct(_) => structure(array.as_struct())?,
            _ => numeric(&array).ok_or_else(|| unsupported(field))?,
        };
        Ok(Self {
            nulls: array.logical_nulls(),
            values,
        })
    }

    /// Whether the cell is NULL.
    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        match &self.nulls {
            Some(nulls) => nulls.is_null(row),
            None => matches!(self.values, Values::Null),
        }
    }

    /// Writes a cell that is neither NULL nor nested as plain text: no quotes, no escapes; bytes in
    /// base64. Returns `false`, having written nothing, if it is nested.
    pub(crate) fn write_plain(&self, row: usize, out: &mut Vec<u8>, form: TimestampForm) -> bool {
        macro_rules! integer {
            ($values:expr) => {
                match $values.get(row) {
                    Some(value) => {
                        out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes())
                    }
                    None => {}
                }
            };
        }
        match &self.values {
            Values::Null => {}
            Values::Boolean(values) => {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            }
            Values::Int8(values) => integer!(values),
            Values::Int16(values) => integer!(values),
            Values::Int32(values) => integer!(values),
            Values::Int64(values) => integer!(values),
            Values::UInt8(values) => integer!(values),
            Values::UInt16(values) => integer!(values),
            Values::UInt32(values) => integer!(values),
            Values::UInt64(values) => integer!(values),
            Values::Float32(values) => match values.get(row) {
                Some(value) if value.is_finite() => write_float(out, *value),
                value => write_infinite(out, value.map(|v| f64::from(*v))),
            },
            Values::Float64(values) => match values.get(row) {
                Some(value) if value.is_finite() => write_float(out, *value),
                value => write_infinite(out, value.copied()),
            },
            Values::Decimal { values, scale } => {
                number::write_decimal(out, values.get(row).copied().unwrap_or_default(), *scale);
            }
            Values::Utf8(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Values::Binary(values) => write_base64(out, values.value(row)),
            Values::Date(values) => {
                time::write_date(out, i64::from(values.get(row).copied().unwrap_or_default()));
            }
            Values::Time { values, per_second } => {
                time::write_time(
                    out,
                    values.get(row).copied().unwrap_or_default(),
                    *per_second,
                );
            }
            Values::Timestamp {
                values,
                per_second,
                zoned,
            } => {
                let separator = if form == TimestampForm::Sql {
                    b' '
                } else {
                    b'T'
                };
                let value = values.get(row).copied().unwrap_or_default();
                time::write_timestamp(out, value, *per_second, separator);
                if *zoned {
                    out.push(b'Z');
                }
            }
            Values::List { .. } | Values::Map { .. } | Values::Struct { .. } => return false,
        }
        true
    }
}

fn write_float<F: ryu::Float>(out: &mut Vec<u8>, value: F) {
    out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
}

fn write_infinite(out: &mut Vec<u8>, value: Option<f64>) {
    out.extend_from_slice(match value {
        Some(f64::INFINITY) => b"Infinity",
        Some(f64::NEG_INFINITY) => b"-Infinity",
        _ => b"NaN",
    });
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    out.extend_from_slice(text.as_bytes());
}

/// The array with a type that stands for all types of its kind.
fn plain(field: &Field, array: &ArrayRef) -> Result<ArrayRef> {
    let to = match array.data_type() {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Decimal256(..) | DataType::Interval(_) | DataType::Duration(_) => DataType::Utf8,
        DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element)
        | DataType::FixedSizeList(element, _) => DataType::List(element.clone()),
        _ => return Ok(Arc::clone(array)),
    };
    let options = CastOptions {
        safe: false,
        format_options: FormatOptions::default(),
    };
    let cast = cast_with_options(array, &to, &options).map_err(|_| unsupported(field))?;
    plain(field, &cast)
}

fn map(field: &Field, rows: &MapArray) -> Result<Values> {
    let entries = rows.entries();
    match (entries.fields().as_ref(), entries.columns()) {
        ([key, value], [keys, values]) => Ok(Values::Map {
            keys: Box::new(Cells::new(key, keys)?),
            values: Box::new(Cells::new(value, values)?),
            rows: rows.clone(),
        }),
        _ => Err(unsupported(field)),
    }
}

fn structure(rows: &StructArray) -> Result<Values> {
    let fields = rows.fields().iter();
    let names = fields.clone().map(|field| field.name().clone()).collect();
    let children = fields
        .zip(rows.columns())
        .map(|(field, column)| Cells::new(field, column));
    Ok(Values::Struct {
        names,
        children: children.collect::<Result<_>>()?,
    })
}

fn values<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<ScalarBuffer<T::Native>> {
    let array: &PrimitiveArray<T> = array.as_primitive_opt()?;
    Some(array.values().clone())
}

fn widened<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<Vec<i64>>
where
    i64: From<T::Native>,
{
    Some(
        values::<T>(array)?
            .iter()
            .map(|value| i64::from(*value))
            .collect(),
    )
}

fn numeric(array: &ArrayRef) -> Option<Values> {
    Some(match array.data_type() {
        DataType::Int8 => Values::Int8(values::<Int8Type>(array)?),
        DataType::Int16 => Values::Int16(values::<Int16Type>(array)?),
        DataType::Int32 => Values::Int32(values::<Int32Type>(array)?),
        DataType::Int64 => Values::Int64(values::<Int64Type>(array)?),
        DataType::UInt8 => Values::UInt8(values::<UInt8Type>(array)?),
        DataType::UInt16 => Values::UInt16(values::<UInt16Type>(array)?),
        DataType::UInt32 => Values::UInt32(values::<UInt32Type>(array)?),
        DataType::UInt64 => Values::UInt64(values::<UInt64Type>(array)?),
        DataType::Float32 => Values::Float32(values::<Float32Type>(array)?),
        DataType::Float64 => Values::Float64(values::<Float64Type>(array)?),
        DataType::Decimal128(_, scale) => Values::Decimal {
            values: values::<Decimal128Type>(array)?,
            scale: *scale,
        },
        DataType::Date32 => Values::Date(values::<Date32Type>(array)?),
        DataType::Time32(TimeUnit::Second) => Values::Time {
            values: widened::<Time32SecondType>(array)?,
            per_second: 1,
        },
        DataType::Time32(_) => Values::Time {
            values: widened::<Time32MillisecondType>(array)?,
            per_second: 1_000,
        },
        DataType::Time64(TimeUnit::Microsecond) => Values::Time {
            values: widened::<Time64MicrosecondType>(array)?,
            per_second: 1_000_000,
        },
        DataType::Time64(_) => Values::Time {
            values: widened::<Time64NanosecondType>(array)?,
            per_second: 1_000_000_000,
        },
        DataType::Timestamp(unit, zone) => {
            let (values, per_second) = match unit {
                TimeUnit::Second => (values::<TimestampSecondType>(array)?, 1),
                TimeUnit::Millisecond => (values::<TimestampMillisecondType>(array)?, 1_000),
                TimeUnit::Microsecond => (values::<TimestampMicrosecondType>(array)?, 1_000_000),
                TimeUnit::Nanosecond => (values::<TimestampNanosecondType>(array)?, 1_000_000_000),
            };
            Values::Timestamp {
                values,
                per_second,
                zoned: zone.is_some(),
            }
        }
        _ => return None,
    })
}

fn unsupported(field: &Field) -> EngineError {
    EngineError::config(format!(
        "the column '{}' has a type that cannot be written as text: {}",
        field.name(),
        field.data_type()
    ))
}
