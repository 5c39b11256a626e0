//! From a field's text into a column.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::format::column::{Column, Decimal};
use crate::format::fault::{Fault, excerpt};
use crate::format::scalar::number::{self, NumberError};
use crate::format::scalar::time;

/// Adds `text` to `column`. The column's own form of the value is expected; blanks around numbers,
/// truth values and times do not count.
pub(super) fn push(column: &mut Column, text: &[u8], at: usize) -> Result<(), Fault> {
    let trimmed = text.trim_ascii();
    match column {
        Column::Utf8(values) => fits(values.push(text), at),
        Column::Binary(values) => {
            if STANDARD.decode_vec(trimmed, values.buffer()).is_err() {
                values.truncate(values.len());
                return Err(malformed(at, text, "base64"));
            }
            fits(values.end_value(), at)
        }
        Column::Boolean(values) => {
            match trimmed {
                t if t.eq_ignore_ascii_case(b"true") => values.push(true),
                t if t.eq_ignore_ascii_case(b"false") => values.push(false),
                _ => return Err(malformed(at, text, "a BOOLEAN")),
            }
            Ok(())
        }
        Column::Date(_) | Column::TimeMillis(_) | Column::TimeMicros(_) | Column::Timestamp(_) => {
            push_time(column, trimmed, at)
        }
        _ => push_number(column, trimmed).map_err(|(error, name)| {
            Fault::value(
                at,
                format!("the value {} {}", excerpt(text), error.reason(&name)),
            )
        }),
    }
}

/// Adds a number; an error comes with the name of the type.
fn push_number(column: &mut Column, text: &[u8]) -> Result<(), (NumberError, String)> {
    fn narrow<T: TryFrom<i64>>(text: &[u8]) -> Result<T, NumberError> {
        T::try_from(number::integer(text)?).map_err(|_| NumberError::Overflow)
    }
    let added = match column {
        Column::Int8(values) => narrow(text).map(|value| values.push(value)),
        Column::Int16(values) => narrow(text).map(|value| values.push(value)),
        Column::Int32(values) => narrow(text).map(|value| values.push(value)),
        Column::Int64(values) => number::integer(text).map(|value| values.push(value)),
        Column::Float32(values) => number::float(text).map(|value| values.push(value)),
        Column::Float64(values) => number::double(text).map(|value| values.push(value)),
        Column::Decimal(Decimal {
            values,
            precision,
            scale,
        }) => number::decimal(text, *precision, *scale).map(|value| values.push(value)),
        // Nested columns are refused when a decoder is made.
        _ => Err(NumberError::Malformed),
    };
    added.map_err(|error| match column {
        Column::Decimal(Decimal {
            precision, scale, ..
        }) => (error, format!("DECIMAL({precision}, {scale})")),
        other => (error, other.type_name().to_string()),
    })
}

fn push_time(column: &mut Column, text: &[u8], at: usize) -> Result<(), Fault> {
    match column {
        Column::Date(values) => {
            let date = time::date(text);
            values.push(date.ok_or_else(|| malformed(at, text, "a date such as 2023-11-14"))?);
        }
        Column::TimeMillis(values) => values.push((time_of_day(text, at)? / 1_000_000) as i32),
        Column::TimeMicros(values) => values.push(time_of_day(text, at)? / 1_000),
        Column::Timestamp(values) => {
            let moment = time::timestamp(text, &mut values.memo);
            let zoned = values.zoned;
            if !moment.is_some_and(|moment| moment.zoned == zoned && values.push(moment)) {
                let zone = if zoned { "Z" } else { "" };
                let what = format!(
                    "a timestamp such as 2023-11-14 22:13:20.000{zone} in the column's range"
                );
                return Err(malformed(at, text, &what));
            }
        }
        other => return Err(malformed(at, text, other.type_name())),
    }
    Ok(())
}

fn time_of_day(text: &[u8], at: usize) -> Result<i64, Fault> {
    time::time_of_day(text).ok_or_else(|| malformed(at, text, "a time such as 22:13:20"))
}

fn fits(fits: bool, at: usize) -> Result<(), Fault> {
    if fits {
        Ok(())
    } else {
        Err(Fault::value(
            at,
            "a column would grow past 2 GiB in one batch",
        ))
    }
}

#[cold]
fn malformed(at: usize, text: &[u8], what: &str) -> Fault {
    Fault::value(at, format!("the value {} is not {what}", excerpt(text)))
}
