//! Reading single values, with the conversions that users of Flink rely on: numbers in strings for
//! numeric columns, and anything into a STRING column as its JSON text.

use arrow::array::ArrowPrimitiveType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::cursor::{Cursor, Quoted};
use super::escape::unescape;
use crate::format::column::{Bytes, Column, Decimal, Primitive, Text, Timestamp};
use crate::format::fault::{Fault, excerpt};
use crate::format::scalar::number::{self, NumberError};
use crate::format::scalar::time;

type Result<T> = std::result::Result<T, Fault>;

const POWERS_OF_TEN: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

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

/// Reads an integer for a BIGINT column.
#[inline(always)]
pub(super) fn integer(cursor: &mut Cursor<'_>) -> Result<i64> {
    match short_integer(cursor) {
        Some(value) => Ok(value),
        None => any_integer(cursor, "BIGINT"),
    }
}

/// Passes an integer of up to 15 digits; does nothing if something else comes next.
#[inline(always)]
fn short_integer(cursor: &mut Cursor<'_>) -> Option<i64> {
    let rest = cursor.bytes.get(cursor.at..)?;
    let negative = rest.first() == Some(&b'-');
    let rest = rest.get(usize::from(negative)..)?;
    let head = rest.first_chunk::<8>()?;
    let (mut count, mut value) = number::leading_digits(*head);
    if count == 8 {
        let more = rest.get(8..)?.first_chunk::<8>()?;
        let (more_count, more_value) = number::leading_digits(*more);
        value = value * POWERS_OF_TEN.get(more_count as usize)? + more_value;
        count += more_count;
    }
    let superfluous_zero = head[0] == b'0' && count > 1;
    let ends = matches!(
        rest.get(count as usize),
        Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r')
    );
    if count == 0 || superfluous_zero || !ends {
        return None;
    }
    cursor.at += count as usize + usize::from(negative);
    let value = value as i64;
    Some(if negative { -value } else { value })
}

#[inline(never)]
fn any_integer(cursor: &mut Cursor<'_>, type_name: &str) -> Result<i64> {
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
    let value = match short_integer(cursor) {
        Some(value) => value,
        None => any_integer(cursor, type_name)?,
    };
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
#[inline(always)]
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
#[inline(always)]
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
