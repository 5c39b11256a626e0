//! The types of values that a module can take and give.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};

/// The types that modules know, for messages.
pub const SUPPORTED: &str = "BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, FLOAT, DOUBLE, DECIMAL, STRING, BYTES, DATE, \
                             TIMESTAMP and TIMESTAMP_LTZ, and ARRAY and ROW of these";

/// How deep arrays and rows may be within each other.
const MAX_DEPTH: usize = 8;

/// The time zone of instants.
const ZONE: &str = "UTC";

/// What Arrow calls the elements of arrays.
const ELEMENT: &str = "item";

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ValueType {
    /// BOOLEAN.
    Boolean,
    /// TINYINT.
    Int8,
    /// SMALLINT.
    Int16,
    /// INT.
    Int32,
    /// BIGINT.
    Int64,
    /// FLOAT.
    Float32,
    /// DOUBLE.
    Float64,
    /// STRING.
    String,
    /// BYTES.
    Bytes,
    /// DATE.
    Date,
    /// TIMESTAMP, in the units of its precision.
    Timestamp(Unit),
    /// TIMESTAMP_LTZ, in the units of its precision.
    Instant(Unit),
    /// DECIMAL by precision and scale.
    Decimal(u8, i8),
    /// ARRAY of elements.
    Array(Box<ValueType>),
    /// ROW of fields, each with its name; at least one.
    Row(Vec<(String, ValueType)>),
}

/// What timestamps count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Thousandths of a second.
    Milli,
    /// Millionths.
    Micro,
    /// Billionths.
    Nano,
}

impl Unit {
    fn from_arrow(unit: TimeUnit) -> Option<Self> {
        match unit {
            TimeUnit::Second => None,
            TimeUnit::Millisecond => Some(Unit::Milli),
            TimeUnit::Microsecond => Some(Unit::Micro),
            TimeUnit::Nanosecond => Some(Unit::Nano),
        }
    }

    fn to_arrow(self) -> TimeUnit {
        match self {
            Unit::Milli => TimeUnit::Millisecond,
            Unit::Micro => TimeUnit::Microsecond,
            Unit::Nano => TimeUnit::Nanosecond,
        }
    }
}

impl ValueType {
    /// The type of an Arrow type's values; `None` if modules do not know it.
    pub fn from_arrow(data_type: &DataType) -> Option<Self> {
        Self::within(data_type, MAX_DEPTH)
    }

    /// The type of values that may be so deep.
    fn within(data_type: &DataType, depth: usize) -> Option<Self> {
        let inner = |field: &Field| {
            let depth = depth.checked_sub(1)?;
            let nullable = field.is_nullable() && field.metadata().is_empty();
            Self::within(field.data_type(), depth).filter(|_| nullable)
        };
        Some(match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Int8,
            DataType::Int16 => Self::Int16,
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::Float32 => Self::Float32,
            DataType::Float64 => Self::Float64,
            DataType::Utf8 => Self::String,
            DataType::Binary => Self::Bytes,
            DataType::Date32 => Self::Date,
            DataType::Timestamp(unit, None) => Self::Timestamp(Unit::from_arrow(*unit)?),
            DataType::Timestamp(unit, Some(zone)) if zone.as_ref() == ZONE => {
                Self::Instant(Unit::from_arrow(*unit)?)
            }
            DataType::Decimal128(precision, scale) => Self::Decimal(*precision, *scale),
            DataType::List(element) if element.name() == ELEMENT => {
                Self::Array(Box::new(inner(element)?))
            }
            DataType::Struct(fields) if !fields.is_empty() => {
                let named = |field: &Arc<Field>| Some((field.name().clone(), inner(field)?));
                Self::Row(fields.iter().map(named).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    /// The Arrow type.
    pub fn to_arrow(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::String => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Timestamp(unit) => DataType::Timestamp(unit.to_arrow(), None),
            Self::Instant(unit) => DataType::Timestamp(unit.to_arrow(), Some(ZONE.into())),
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale),
            Self::Array(element) => DataType::List(Arc::new(field(ELEMENT, element))),
            Self::Row(fields) => {
                DataType::Struct(fields.iter().map(|(name, one)| field(name, one)).collect())
            }
        }
    }

    /// The number that stands for it in a guest's memory.
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::Boolean => 1,
            Self::Int8 => 2,
            Self::Int16 => 3,
            Self::Int32 => 4,
            Self::Int64 => 5,
            Self::Float32 => 6,
            Self::Float64 => 7,
            Self::String => 8,
            Self::Bytes => 9,
            Self::Date => 10,
            Self::Timestamp(_) => 11,
            Self::Instant(_) => 12,
            Self::Decimal(..) => 13,
            Self::Array(_) => 14,
            Self::Row(_) => 15,
        }
    }

    /// The bytes of a value, for those that all have as many.
    pub(crate) fn width(&self) -> Option<usize> {
        match self {
            Self::Boolean | Self::String | Self::Bytes | Self::Array(_) | Self::Row(_) => None,
            Self::Int8 => Some(1),
            Self::Int16 => Some(2),
            Self::Int32 | Self::Float32 | Self::Date => Some(4),
            Self::Int64 | Self::Float64 | Self::Timestamp(_) | Self::Instant(_) => Some(8),
            Self::Decimal(..) => Some(16),
        }
    }
}

fn field(name: &str, value_type: &ValueType) -> Field {
    Field::new(name, value_type.to_arrow(), true)
}
