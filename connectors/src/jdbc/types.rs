//! Which types of columns there are, and how declared columns meet those of the database.

use arrow::datatypes::{DataType, Field, TimeUnit};
use levada_engine::{EngineError, Result};
use tokio_postgres::types::Type as Oid;

/// What one value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    /// With its width in bytes.
    Int(u8),
    /// With its width in bytes.
    Float(u8),
    /// DECIMAL(precision, scale).
    Decimal(u8, i8),
    Text,
    Bytes,
    Date,
    /// Time of day, in a unit of so many microseconds.
    Time(i64),
    /// Without (`false`) or with a time zone, in a unit of so many microseconds.
    Timestamp(bool, i64),
}

/// The declared type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Type {
    pub scalar: Scalar,
    /// Whether the column holds arrays of it.
    pub is_array: bool,
}

impl Type {
    /// The type of a declared column; an error names the column if the database has nothing like it.
    pub(super) fn of(field: &Field) -> Result<Self> {
        let is_array = matches!(field.data_type(), DataType::List(_));
        let inner = match field.data_type() {
            DataType::List(item) => item.data_type(),
            other => other,
        };
        let scalar = scalar(inner).ok_or_else(|| unsupported(field, inner))?;
        Ok(Self { scalar, is_array })
    }
}

fn scalar(data_type: &DataType) -> Option<Scalar> {
    let micros = |unit: &TimeUnit| match unit {
        TimeUnit::Second => Some(1_000_000),
        TimeUnit::Millisecond => Some(1_000),
        TimeUnit::Microsecond => Some(1),
        TimeUnit::Nanosecond => None,
    };
    Some(match data_type {
        DataType::Boolean => Scalar::Bool,
        DataType::Int8 => Scalar::Int(1),
        DataType::Int16 => Scalar::Int(2),
        DataType::Int32 => Scalar::Int(4),
        DataType::Int64 => Scalar::Int(8),
        DataType::Float32 => Scalar::Float(4),
        DataType::Float64 => Scalar::Float(8),
        DataType::Decimal128(precision, scale) => Scalar::Decimal(*precision, *scale),
        DataType::Utf8 => Scalar::Text,
        DataType::Binary => Scalar::Bytes,
        DataType::Date32 => Scalar::Date,
        DataType::Time32(unit) | DataType::Time64(unit) => Scalar::Time(micros(unit)?),
        DataType::Timestamp(unit, zone) => Scalar::Timestamp(zone.is_some(), micros(unit)?),
        _ => return None,
    })
}

fn unsupported(field: &Field, inner: &DataType) -> EngineError {
    let name = field.name();
    let nanos = matches!(
        inner,
        DataType::Time64(TimeUnit::Nanosecond) | DataType::Timestamp(TimeUnit::Nanosecond, _)
    );
    if nanos {
        return EngineError::config(format!(
            "column '{name}' keeps nanoseconds, and PostgreSQL only microseconds"
        ))
        .with_hint("declare a precision of at most 6, such as TIMESTAMP(6)");
    }
    let what = match inner {
        DataType::List(_) => "arrays of arrays",
        DataType::Struct(_) => "rows",
        DataType::Map(_, _) => "maps",
        _ => "this type",
    };
    EngineError::config(format!(
        "column '{name}': the connector 'jdbc' does not support {what}"
    ))
    .with_hint("supported are BOOLEAN, whole numbers, FLOAT, DOUBLE, DECIMAL, CHAR, VARCHAR, STRING, BYTES, DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ, and arrays of these")
}

/// In which direction values go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
}

/// The type of a column of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatabaseType {
    /// The type's number; that of the elements of an array.
    pub oid: u32,
    pub is_array: bool,
    /// The modifier: lengths, precisions and scales; -1 without.
    pub modifier: i32,
    /// As the database writes it, for messages.
    pub name: String,
}

impl DatabaseType {
    /// The width of its numbers in bytes, 0 for other types.
    pub(super) fn width(&self) -> u8 {
        match Oid::from_oid(self.oid) {
            Some(Oid::INT2) => 2,
            Some(Oid::INT4 | Oid::FLOAT4) => 4,
            Some(Oid::INT8 | Oid::FLOAT8) => 8,
            _ => 0,
        }
    }

    /// Precision and scale of a `numeric` that has them.
    fn decimal(&self) -> Option<(i32, i32)> {
        let packed = self.modifier.checked_sub(4).filter(|m| *m >= 0)?;
        // The scale is a number of 11 bits with a sign.
        let scale = ((packed & 0x7ff) ^ 1024) - 1024;
        Some(((packed >> 16) & 0xffff, scale))
    }

    /// Whether values of the declared type can go into (or come from) a column of this one without
    /// loss; else what is the matter.
    pub(super) fn fits(&self, declared: Type, direction: Direction) -> Result<(), String> {
        let write = direction == Direction::Write;
        if self.is_array != declared.is_array {
            return Err(String::new());
        }
        let width = self.width();
        let wide_enough = |declared: u8| match write {
            true => declared <= width,
            // Nothing is narrower than SMALLINT there; each value is looked at.
            false => width <= declared.max(2),
        };
        let fits = match (declared.scalar, Oid::from_oid(self.oid)) {
            (Scalar::Bool, Some(Oid::BOOL))
            | (Scalar::Bytes, Some(Oid::BYTEA))
            | (Scalar::Date, Some(Oid::DATE))
            | (Scalar::Time(_), Some(Oid::TIME))
            | (Scalar::Timestamp(false, _), Some(Oid::TIMESTAMP))
            | (Scalar::Timestamp(true, _), Some(Oid::TIMESTAMPTZ))
            | (Scalar::Text, Some(Oid::TEXT | Oid::VARCHAR | Oid::BPCHAR | Oid::NAME)) => true,
            (Scalar::Int(declared), Some(Oid::INT2 | Oid::INT4 | Oid::INT8))
            | (Scalar::Float(declared), Some(Oid::FLOAT4 | Oid::FLOAT8)) => wide_enough(declared),
            (Scalar::Decimal(precision, scale), Some(Oid::NUMERIC)) => {
                let (precision, scale) = (i32::from(precision), i32::from(scale));
                match self.decimal() {
                    Some((p, s)) if write => s >= scale && p - s >= precision - scale,
                    Some((p, s)) => s <= scale && p - s <= precision - scale,
                    // Without a limit; what is read is looked at value by value.
                    None => true,
                }
            }
            _ => return Err(String::new()),
        };
        match (fits, write) {
            (true, _) => Ok(()),
            (false, true) => Err("which is too narrow for it".to_string()),
            (false, false) => Err("which is wider".to_string()),
        }
    }

    /// The declaration that suits the column.
    pub(super) fn suggestion(&self) -> Option<String> {
        let name = match Oid::from_oid(self.oid)? {
            Oid::BOOL => "BOOLEAN".to_string(),
            Oid::INT2 => "SMALLINT".to_string(),
            Oid::INT4 => "INT".to_string(),
            Oid::INT8 => "BIGINT".to_string(),
            Oid::FLOAT4 => "FLOAT".to_string(),
            Oid::FLOAT8 => "DOUBLE".to_string(),
            Oid::NUMERIC => match self.decimal() {
                Some((p, s)) if (1..=38).contains(&p) && (0..=p).contains(&s) => {
                    format!("DECIMAL({p}, {s})")
                }
                Some(_) => return None,
                None => "DECIMAL(38, 18)".to_string(),
            },
            Oid::TEXT | Oid::VARCHAR | Oid::BPCHAR | Oid::NAME => "STRING".to_string(),
            Oid::BYTEA => "BYTES".to_string(),
            Oid::DATE => "DATE".to_string(),
            Oid::TIME => "TIME(6)".to_string(),
            Oid::TIMESTAMP => "TIMESTAMP(6)".to_string(),
            Oid::TIMESTAMPTZ => "TIMESTAMP_LTZ(6)".to_string(),
            _ => return None,
        };
        Some(match self.is_array {
            true => format!("ARRAY<{name}>"),
            false => name,
        })
    }
}

/// A type as SQL declares it.
pub(super) fn sql_name(declared: Type) -> String {
    let name = match declared.scalar {
        Scalar::Bool => "BOOLEAN".to_string(),
        Scalar::Int(1) => "TINYINT".to_string(),
        Scalar::Int(2) => "SMALLINT".to_string(),
        Scalar::Int(4) => "INT".to_string(),
        Scalar::Int(_) => "BIGINT".to_string(),
        Scalar::Float(4) => "FLOAT".to_string(),
        Scalar::Float(_) => "DOUBLE".to_string(),
        Scalar::Decimal(p, s) => format!("DECIMAL({p}, {s})"),
        Scalar::Text => "STRING".to_string(),
        Scalar::Bytes => "BYTES".to_string(),
        Scalar::Date => "DATE".to_string(),
        Scalar::Time(_) => "TIME".to_string(),
        Scalar::Timestamp(false, _) => "TIMESTAMP".to_string(),
        Scalar::Timestamp(true, _) => "TIMESTAMP_LTZ".to_string(),
    };
    match declared.is_array {
        true => format!("ARRAY<{name}>"),
        false => name,
    }
}
