//! Reading single values, with the conversions that users of Flink rely on: numbers in strings for
//! numeric columns, and anything into a STRING column as its JSON text.

use arrow::array::ArrowPrimitiveType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::cursor::{Cursor, Quoted, quick_integer, quick_string};
use super::escape::unescape;
use crate::format::column::{Bytes, Column, Decimal, Primitive, Text, Timestamp};
use crate::format::fault::{Fault, excerpt};
use crate::format::scalar::number::{self, NumberError};
use crate::format::scalar::time;

type Result<T> = std::result::Result<T, Fault>;

/// Something else stands where `what` was expected: not the row's grammar, but its type is wrong.
#[cold]
pub(super) fn mismatch(cursor: &Cursor<'_>, what: &str) -> Fault {
    let found = match cursor.peek() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a truth value",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        _ => return cursor.expected(what),
    };
    Fault::value(cursor.at, format!("expected {what}, but found {found}"))
}

#[cold]
pub(super) fn too_large(at: usize) -> Fault {
    Fault::value(at, "a column would grow past 2 GiB in one batch")
}

#[cold]
fn wrong_number(at: usize, text: &[u8], error: NumberError, type_name: &str) -> Fault {
    Fault::value(
        at,
        format!("the value {} {}", excerpt(text), error.reason(type_name)),
    )
}

/// Reads the value at `at` into `column` and returns where it ends, if both are of the usual kind:
/// integers, strings without escapes, and timestamps with milliseconds. Otherwise does nothing.
#[inline(always)]
pub(super) fn quick(bytes: &[u8], at: usize, column: &mut Column) -> Option<usize> {
    match column {
        Column::Int64(values) => {
            let (end, value) = quick_integer(bytes, at)?;
            values.push(value);
            Some(end)
        }
        Column::Int32(values) => {
            let (end, value) = quick_integer(bytes, at)?;
            values.push(i32::try_from(value).ok()?);
            Some(end)
        }
        Column::Utf8(values) => {
            let end = quick_string(bytes, at)?;
            let fits = values.push(bytes.get(at + 1..end - 1)?);
            fits.then_some(end)
        }
        Column::Timestamp(values) => {
            let (text, _) = bytes.get(at..)?.split_first_chunk::<25>()?;
            let [b'"', text @ .., b'"'] = text else {
                return None;
            };
            let moment = time::timestamp_millis(text, &mut values.memo)?;
            (!values.zoned && values.push(moment)).then_some(at + 25)
        }
        _ => None,
    }
}

/// Reads an integer in whatever form.
#[inline(never)]
pub(super) fn any_integer(cursor: &mut Cursor<'_>, type_name: &str) -> Result<i64> {
    numeric(cursor, type_name, number::integer)
}

/// Reads a number, or a string that holds one, and converts it with `parse`.
fn numeric<T>(
    cursor: &mut Cursor<'_>,
    type_name: &str,
    parse: impl Fn(&[u8]) -> std::result::Result<T, NumberError>,
) -> Result<T> {
    let at = cursor.at;
    let plain;
    let text = match cursor.peek() {
        Some(b'-' | b'0'..=b'9') => cursor.number()?,
        Some(b'"') => {
            plain = string(cursor)?;
            plain.trim_ascii()
        }
        _ => return Err(mismatch(cursor, &format!("a {type_name}"))),
    };
    parse(text).map_err(|error| wrong_number(at, text, error, type_name))
}

/// Reads an integer for a column narrower than BIGINT.
fn narrow<T>(cursor: &mut Cursor<'_>, values: &mut Primitive<T>, type_name: &str) -> Result<()>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i64>,
{
    let at = cursor.at;
    let value = any_integer(cursor, type_name)?;
    if values.push_some(T::Native::try_from(value).ok()) {
        return Ok(());
    }
    Err(wrong_number(
        at,
        cursor.since(at),
        NumberError::Overflow,
        type_name,
    ))
}

/// Reads a value of a type that is neither nested nor among those that most columns have.
pub(super) fn scalar(cursor: &mut Cursor<'_>, column: &mut Column) -> Result<()> {
    match column {
        Column::Boolean(values) => values.push(boolean(cursor)?),
        Column::Int8(values) => narrow(cursor, values, "TINYINT")?,
        Column::Int16(values) => narrow(cursor, values, "SMALLINT")?,
        Column::Int32(values) => narrow(cursor, values, "INT")?,
        Column::Float32(values) => values.push(numeric(cursor, "FLOAT", number::float)?),
        Column::Float64(values) => values.push(numeric(cursor, "DOUBLE", number::double)?),
        Column::Decimal(Decimal {
            values,
            precision,
            scale,
        }) => {
            let name = format_args!("DECIMAL({precision}, {scale})").to_string();
            let parse = |text: &[u8]| number::decimal(text, *precision, *scale);
            values.push(numeric(cursor, &name, parse)?);
        }
        Column::Binary(values) => binary(cursor, values)?,
        Column::Date(values) => values.push(date(cursor)?),
        Column::TimeMillis(values) => values.push((time_of_day(cursor)? / 1_000_000) as i32),
        Column::TimeMicros(values) => values.push(time_of_day(cursor)? / 1_000),
        other => return Err(mismatch(cursor, &format!("a {}", other.type_name()))),
    }
    Ok(())
}

fn boolean(cursor: &mut Cursor<'_>) -> Result<bool> {
    match cursor.peek() {
        Some(b't') => cursor.literal("true").map(|()| true),
        Some(b'f') => cursor.literal("false").map(|()| false),
        Some(b'"') => {
            let at = cursor.at;
            let text = string(cursor)?;
            match text.trim_ascii() {
                t if t.eq_ignore_ascii_case(b"true") => Ok(true),
                t if t.eq_ignore_ascii_case(b"false") => Ok(false),
                t => Err(Fault::value(
                    at,
                    format!("the value {} is not a BOOLEAN", excerpt(t)),
                )),
            }
        }
        _ => Err(mismatch(cursor, "a BOOLEAN")),
    }
}

/// Reads a string for a text column, or the JSON text of any other value.
pub(super) fn text(cursor: &mut Cursor<'_>, values: &mut Text) -> Result<()> {
    let at = cursor.at;
    let fits = match cursor.peek() {
        Some(b'"') => {
            let Quoted { raw, escaped, at } = cursor.string()?;
            if escaped {
                unescape(raw, at, values.buffer())?;
                values.end_value()
            } else {
                values.push(raw)
            }
        }
        _ => {
            cursor.skip()?;
            values.push(cursor.since(at))
        }
    };
    if fits { Ok(()) } else { Err(too_large(at)) }
}

/// Reads a string that is seldom wanted as it is.
fn string(cursor: &mut Cursor<'_>) -> Result<Vec<u8>> {
    let Quoted { raw, escaped, at } = cursor.string()?;
    if !escaped {
        return Ok(raw.to_vec());
    }
    let mut plain = Vec::with_capacity(raw.len());
    unescape(raw, at, &mut plain)?;
    Ok(plain)
}

/// Reads bytes in base64.
fn binary(cursor: &mut Cursor<'_>, values: &mut Bytes) -> Result<()> {
    let at = cursor.at;
    if cursor.peek() != Some(b'"') {
        return Err(mismatch(cursor, "a string in base64"));
    }
    let text = string(cursor)?;
    if STANDARD.decode_vec(&text, values.buffer()).is_err() {
        values.truncate(values.len());
        return Err(Fault::value(
            at,
            format!("the value {} is not base64", excerpt(&text)),
        ));
    }
    if values.end_value() {
        Ok(())
    } else {
        Err(too_large(at))
    }
}

/// Reads a timestamp.
pub(super) fn timestamp(cursor: &mut Cursor<'_>, values: &mut Timestamp) -> Result<()> {
    let at = cursor.at;
    if cursor.peek() != Some(b'"') {
        return Err(mismatch(
            cursor,
            "a timestamp such as \"2023-11-14 22:13:20.000\"",
        ));
    }
    let Quoted { raw, .. } = cursor.string()?;
    match time::timestamp(raw, &mut values.memo) {
        Some(moment) if moment.zoned == values.zoned && values.push(moment) => Ok(()),
        moment => Err(wrong_timestamp(at, raw, moment, values.zoned)),
    }
}

#[cold]
fn wrong_timestamp(at: usize, text: &[u8], moment: Option<time::Moment>, zoned: bool) -> Fault {
    let text = excerpt(text);
    Fault::value(
        at,
        match moment {
            None => format!("the value {text} is not a timestamp such as 2023-11-14 22:13:20.000"),
            Some(moment) if moment.zoned == zoned => {
                format!("the value {text} is out of the range of the column's precision")
            }
            Some(_) if zoned => {
                format!("the value {text} has no zone ('Z'), which TIMESTAMP_LTZ needs")
            }
            Some(_) => format!("the value {text} has a zone; declare the column as TIMESTAMP_LTZ"),
        },
    )
}

fn date(cursor: &mut Cursor<'_>) -> Result<i32> {
    let (at, what) = (cursor.at, "a date such as \"2023-11-14\"");
    if cursor.peek() != Some(b'"') {
        return Err(mismatch(cursor, what));
    }
    let text = string(cursor)?;
    time::date(&text)
        .ok_or_else(|| Fault::value(at, format!("the value {} is not {what}", excerpt(&text))))
}

/// Nanoseconds since midnight.
fn time_of_day(cursor: &mut Cursor<'_>) -> Result<i64> {
    let (at, what) = (cursor.at, "a time such as \"22:13:20\"");
    if cursor.peek() != Some(b'"') {
        return Err(mismatch(cursor, what));
    }
    let text = string(cursor)?;
    time::time_of_day(&text)
        .ok_or_else(|| Fault::value(at, format!("the value {} is not {what}", excerpt(&text))))
}
