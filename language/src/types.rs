//! The SQL types and their Arrow counterparts.
//!
//! A [`SqlType`] is what a user declares; [`SqlType::to_arrow`] says how its values are
//! stored, and its `Display` prints it again as SQL, so that DESCRIBE and SHOW CREATE TABLE
//! show what was declared. [`SqlType::from_arrow`] goes the other way for columns that no
//! one declared, such as those of a view.
//!
//! | SQL | Arrow |
//! |---|---|
//! | CHAR, VARCHAR, STRING | Utf8 |
//! | BINARY, VARBINARY, BYTES | Binary |
//! | DECIMAL(p, s) | Decimal128(p, s) |
//! | DATE | Date32 |
//! | TIME(p) | Time32(ms) for p ≤ 3, Time64(µs) for p ≤ 6, else Time64(ns) |
//! | TIMESTAMP(p) | Timestamp(ms) for p ≤ 3, (µs) for p ≤ 6, else (ns) |
//! | TIMESTAMP_LTZ(p) | the same, with time zone "UTC" |
//! | ARRAY<T>, MAP<K, V>, ROW<…> | List, Map, Struct |
//! | MULTISET<T> | Map<T, Int32>: value → `count` |

mod parse;
mod planner;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

pub use parse::{parse_type, parse_type_text};
pub use planner::SqlTypePlanner;

/// The time zone of TIMESTAMP_LTZ values: instants, counted in UTC.
pub const LTZ_ZONE: &str = "UTC";

/// A SQL type, as declared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// The type of a bare NULL.
    Null,
    /// BOOLEAN.
    Boolean,
    /// TINYINT, 8 bits.
    TinyInt,
    /// SMALLINT, 16 bits.
    SmallInt,
    /// INT, 32 bits.
    Int,
    /// BIGINT, 64 bits.
    BigInt,
    /// An unsigned integer of 8, 16, 32 or 64 bits; expressions can have it, columns cannot.
    Unsigned(u8),
    /// FLOAT, 32 bits.
    Float,
    /// DOUBLE, 64 bits.
    Double,
    /// DECIMAL(precision, scale).
    Decimal(u8, i8),
    /// CHAR(length).
    Char(u32),
    /// VARCHAR(length).
    Varchar(u32),
    /// STRING: a VARCHAR of any length.
    String,
    /// BINARY(length).
    Binary(u32),
    /// VARBINARY(length).
    Varbinary(u32),
    /// BYTES: a VARBINARY of any length.
    Bytes,
    /// DATE.
    Date,
    /// TIME(precision).
    Time(u8),
    /// TIMESTAMP(precision): a wall-clock time without a zone.
    Timestamp(u8),
    /// TIMESTAMP_LTZ(precision): an instant.
    TimestampLtz(u8),
    /// An interval; expressions can have it, columns cannot.
    Interval,
    /// ARRAY<element>.
    Array(Box<Nullable>),
    /// MAP<key, value>.
    Map(Box<Nullable>, Box<Nullable>),
    /// MULTISET<element>.
    Multiset(Box<Nullable>),
    /// ROW<fields>.
    Row(Vec<RowField>),
}

/// A type and whether its values may be NULL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Nullable {
    /// The type.
    pub sql_type: SqlType,
    /// False after NOT NULL.
    pub nullable: bool,
}

/// One field of a ROW type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowField {
    /// The field's name.
    pub name: String,
    /// The field's type.
    pub field_type: Nullable,
    /// The field's comment.
    pub comment: Option<String>,
}

impl SqlType {
    /// The Arrow type that holds values of this type.
    pub fn to_arrow(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Int => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::Unsigned(8) => DataType::UInt8,
            Self::Unsigned(16) => DataType::UInt16,
            Self::Unsigned(32) => DataType::UInt32,
            Self::Unsigned(_) => DataType::UInt64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale),
            Self::Char(_) | Self::Varchar(_) | Self::String => DataType::Utf8,
            Self::Binary(_) | Self::Varbinary(_) | Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time(precision) => match time_unit(*precision) {
                TimeUnit::Millisecond => DataType::Time32(TimeUnit::Millisecond),
                unit => DataType::Time64(unit),
            },
            Self::Timestamp(precision) => DataType::Timestamp(time_unit(*precision), None),
            Self::TimestampLtz(precision) => {
                DataType::Timestamp(time_unit(*precision), Some(LTZ_ZONE.into()))
            }
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Array(element) => DataType::List(Arc::new(element.to_field("item"))),
            Self::Map(key, value) => map_type(key, ("value", value)),
            Self::Multiset(element) => {
                let count = Nullable {
                    sql_type: Self::Int,
                    nullable: false,
                };
                map_type(element, (COUNT, &count))
            }
            Self::Row(fields) => DataType::Struct(
                fields
                    .iter()
                    .map(|field| field.field_type.to_field(&field.name))
                    .collect::<Fields>(),
            ),
        }
    }

    /// The SQL type of values of an Arrow type.
    pub fn from_arrow(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::TinyInt,
            DataType::Int16 => Self::SmallInt,
            DataType::Int32 => Self::Int,
            DataType::Int64 => Self::BigInt,
            DataType::UInt8 => Self::Unsigned(8),
            DataType::UInt16 => Self::Unsigned(16),
            DataType::UInt32 => Self::Unsigned(32),
            DataType::UInt64 => Self::Unsigned(64),
            DataType::Float16 | DataType::Float32 => Self::Float,
            DataType::Float64 => Self::Double,
            DataType::Decimal32(p, s)
            | DataType::Decimal64(p, s)
            | DataType::Decimal128(p, s)
            | DataType::Decimal256(p, s) => Self::Decimal(*p, *s),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::String,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Bytes,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(unit) | DataType::Time64(unit) => Self::Time(precision(*unit)),
            DataType::Timestamp(unit, None) => Self::Timestamp(precision(*unit)),
            DataType::Timestamp(unit, Some(_)) => Self::TimestampLtz(precision(*unit)),
            DataType::Duration(_) | DataType::Interval(_) => Self::Interval,
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::ListView(field)
            | DataType::LargeListView(field)
            | DataType::FixedSizeList(field, _) => {
                Self::Array(Box::new(Nullable::from_field(field)))
            }
            DataType::Map(entries, _) => {
                map_from_entries(entries.data_type(), is_multiset(data_type))
            }
            DataType::Struct(fields) => Self::Row(
                fields
                    .iter()
                    .map(|field| RowField {
                        name: field.name().clone(),
                        field_type: Nullable::from_field(field),
                        comment: None,
                    })
                    .collect(),
            ),
            DataType::Dictionary(_, values) => Self::from_arrow(values),
            DataType::RunEndEncoded(_, values) => Self::from_arrow(values.data_type()),
            DataType::Null | DataType::Union(_, _) => Self::Null,
        }
    }
}

/// The coarsest Arrow unit that keeps `precision` digits of a second.
fn time_unit(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

fn precision(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// The name of the counts in the map that a MULTISET is; they tell it from a MAP.
const COUNT: &str = "count";

/// Whether values of an Arrow type are those of a MULTISET.
pub fn is_multiset(data_type: &DataType) -> bool {
    let DataType::Map(entries, _) = data_type else {
        return false;
    };
    match entries.data_type() {
        DataType::Struct(sides) => sides.last().is_some_and(|side| side.name() == COUNT),
        _ => false,
    }
}

fn map_type(key: &Nullable, (value_name, value): (&str, &Nullable)) -> DataType {
    let key = Field::new("key", key.sql_type.to_arrow(), false);
    let entries = DataType::Struct(Fields::from(vec![key, value.to_field(value_name)]));
    DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
}

fn map_from_entries(entries: &DataType, multiset: bool) -> SqlType {
    match entries {
        DataType::Struct(fields) => match fields.iter().collect::<Vec<_>>().as_slice() {
            [key, value] => {
                let key = Box::new(Nullable::new(SqlType::from_arrow(key.data_type())));
                match multiset {
                    true => SqlType::Multiset(key),
                    false => SqlType::Map(key, Box::new(Nullable::from_field(value))),
                }
            }
            _ => SqlType::Null,
        },
        _ => SqlType::Null,
    }
}

impl Nullable {
    /// `sql_type`, which may be NULL.
    pub fn new(sql_type: SqlType) -> Self {
        Self {
            sql_type,
            nullable: true,
        }
    }

    /// An Arrow field of this type.
    pub fn to_field(&self, name: &str) -> Field {
        Field::new(name, self.sql_type.to_arrow(), self.nullable)
    }

    /// The SQL type of an Arrow field.
    pub fn from_field(field: &Field) -> Self {
        Self {
            sql_type: SqlType::from_arrow(field.data_type()),
            nullable: field.is_nullable(),
        }
    }
}

impl fmt::Display for Nullable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sql_type.fmt(f)?;
        if self.nullable {
            Ok(())
        } else {
            f.write_str(" NOT NULL")
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Unsigned(bits) => f.write_str(match bits {
                8 => "TINYINT UNSIGNED",
                16 => "SMALLINT UNSIGNED",
                32 => "INT UNSIGNED",
                _ => "BIGINT UNSIGNED",
            }),
            Self::Float => f.write_str("FLOAT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Decimal(precision, scale) => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Char(length) => write!(f, "CHAR({length})"),
            Self::Varchar(length) => write!(f, "VARCHAR({length})"),
            Self::String => f.write_str("STRING"),
            Self::Binary(length) => write!(f, "BINARY({length})"),
            Self::Varbinary(length) => write!(f, "VARBINARY({length})"),
            Self::Bytes => f.write_str("BYTES"),
            Self::Date => f.write_str("DATE"),
            Self::Time(precision) => write!(f, "TIME({precision})"),
            Self::Timestamp(precision) => write!(f, "TIMESTAMP({precision})"),
            Self::TimestampLtz(precision) => write!(f, "TIMESTAMP_LTZ({precision})"),
            Self::Interval => f.write_str("INTERVAL"),
            Self::Array(element) => write!(f, "ARRAY<{element}>"),
            Self::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            Self::Multiset(element) => write!(f, "MULTISET<{element}>"),
            Self::Row(fields) => fmt_row(fields, f),
        }
    }
}

fn fmt_row(fields: &[RowField], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("ROW<")?;
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{} {}", quote_name(&field.name), field.field_type)?;
        if let Some(comment) = &field.comment {
            write!(f, " COMMENT {}", quote_text(comment))?;
        }
    }
    f.write_str(">")
}

/// A name as SQL: in backticks, with those inside doubled.
pub fn quote_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as a SQL literal.
pub fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
