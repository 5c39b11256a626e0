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
    let wrong = |error: NumberError, name: &str| {
        Fault::value(
            at,
            format!("the value {} {}", excerpt(text), error.reason(name)),
        )
    };
    let trimmed = text.trim_ascii();
    macro_rules! integer {
        ($values:expr, $name:expr) => {{
            let value = number::integer(trimmed).map_err(|error| wrong(error, $name))?;
            let value = value
                .try_into()
                .map_err(|_| wrong(NumberError::Overflow, $name))?;
            $values.push(value);
        }};
    }
    match column {
        Column::Utf8(values) => return fits(values.push(text), at),
        Column::Binary(values) => {
            if STANDARD.decode_vec(trimmed, values.buffer()).is_err() {
                values.truncate(values.len());
                return Err(malformed(at, text, "base64"));
            }
            return fits(values.end_value(), at);
        }
        Column::Int8(values) => integer!(values, "TINYINT"),
        Column::Int16(values) => integer!(values, "SMALLINT"),
        Column::Int32(values) => integer!(values, "INT"),
        Column::Int64(values) => {
            values.push(number::integer(trimmed).map_err(|e| wrong(e, "BIGINT"))?)
        }
        Column::Float32(values) => {
            values.push(number::float(trimmed).map_err(|e| wrong(e, "FLOAT"))?)
        }
        Column::Float64(values) => {
            values.push(number::double(trimmed).map_err(|e| wrong(e, "DOUBLE"))?)
        }
        Column::Decimal(Decimal {
            values,
            precision,
            scale,
        }) => {
            let value = number::decimal(trimmed, *precision, *scale);
            values.push(value.map_err(|e| wrong(e, &format!("DECIMAL({precision}, {scale})")))?);
        }
        Column::Boolean(values) => match trimmed {
            t if t.eq_ignore_ascii_case(b"true") => values.push(true),
            t if t.eq_ignore_ascii_case(b"false") => values.push(false),
            _ => return Err(malformed(at, text, "a BOOLEAN")),
        },
        Column::Date(values) => {
            values.push(
                time::date(trimmed)
                    .ok_or_else(|| malformed(at, text, "a date such as 2023-11-14"))?,
            );
        }
        Column::TimeMillis(values) => values.push((time_of_day(trimmed, at)? / 1_000_000) as i32),
        Column::TimeMicros(values) => values.push(time_of_day(trimmed, at)? / 1_000),
        Column::Timestamp(values) => {
            let moment = time::timestamp(trimmed, &mut values.memo);
            let zoned = values.zoned;
            if !moment.is_some_and(|moment| moment.zoned == zoned && values.push(moment)) {
                let form = if zoned {
                    "2023-11-14 22:13:20.000Z"
                } else {
                    "2023-11-14 22:13:20.000"
                };
                return Err(malformed(
                    at,
                    text,
                    &format!("a timestamp such as {form} in the column's range"),
                ));
            }
        }
        Column::List(_) | Column::Map(_) | Column::Struct(_) => {
            return Err(Fault::value(at, "a field cannot hold a nested value"));
        }
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
