//! Rows as text: `+I[1, abc, null, [1, 2], {k=v}]`.
//!
//! Scripts and tests written for Apache Flink compare such lines, so values look as they do there:
//! timestamps in ISO form without trailing zero seconds, floating point numbers with a digit behind
//! the point and an exponent from 10^7 on, nested rows with `+I` in front.

use std::io::Write;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use chrono::{DateTime, NaiveDate, NaiveTime, Timelike};
use levada_engine::Result;
use levada_engine::element::Batch;
use levada_engine::error::EngineError;

/// Appends a line for each row of `batch`.
pub(super) fn write_rows(out: &mut Vec<u8>, prefix: &str, batch: &Batch) -> Result<()> {
    let rows: &RecordBatch = batch.rows();
    for row in 0..rows.num_rows() {
        out.extend_from_slice(prefix.as_bytes());
        out.extend_from_slice(batch.kind(row).short().as_bytes());
        write_fields(out, rows.columns(), row)?;
        out.push(b'\n');
    }
    Ok(())
}

fn write_fields(out: &mut Vec<u8>, columns: &[ArrayRef], row: usize) -> Result<()> {
    write_sequence(out, (b'[', b']'), columns.iter(), |out, column| {
        write_value(out, column.as_ref(), row)
    })
}

/// Values between brackets, separated by comma and space.
fn write_sequence<T>(
    out: &mut Vec<u8>,
    (open, close): (u8, u8),
    values: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T) -> Result<()>,
) -> Result<()> {
    out.push(open);
    for (number, value) in values.enumerate() {
        if number > 0 {
            out.extend_from_slice(b", ");
        }
        write(out, value)?;
    }
    out.push(close);
    Ok(())
}

fn write_value(out: &mut Vec<u8>, array: &dyn Array, row: usize) -> Result<()> {
    use DataType as T;
    if array.is_null(row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match array.data_type() {
        T::Boolean => display(out, array.as_boolean().value(row)),
        T::Utf8 => out.extend_from_slice(array.as_string::<i32>().value(row).as_bytes()),
        T::LargeUtf8 => out.extend_from_slice(array.as_string::<i64>().value(row).as_bytes()),
        T::Utf8View => out.extend_from_slice(array.as_string_view().value(row).as_bytes()),
        T::Binary => write_bytes(out, array.as_binary::<i32>().value(row))?,
        T::LargeBinary => write_bytes(out, array.as_binary::<i64>().value(row))?,
        T::FixedSizeBinary(_) => write_bytes(out, array.as_fixed_size_binary().value(row))?,
        T::Struct(_) => {
            let nested: &StructArray = array.as_struct();
            out.extend_from_slice(b"+I");
            write_fields(out, nested.columns(), row)?;
        }
        T::List(_) => {
            let items = array.as_list::<i32>().value(row);
            write_sequence(out, (b'[', b']'), 0..items.len(), |out, i| {
                write_value(out, items.as_ref(), i)
            })?;
        }
        T::Map(_, _) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            write_sequence(out, (b'{', b'}'), 0..entries.len(), |out, i| {
                write_value(out, keys.as_ref(), i)?;
                out.push(b'=');
                write_value(out, values.as_ref(), i)
            })?;
        }
        _ => write_scalar(out, array, row)?,
    }
    Ok(())
}

/// Numbers, dates and times.
fn write_scalar(out: &mut Vec<u8>, array: &dyn Array, row: usize) -> Result<()> {
    use DataType as T;
    match array.data_type() {
        T::Int8 => display(out, array.as_primitive::<Int8Type>().value(row)),
        T::Int16 => display(out, array.as_primitive::<Int16Type>().value(row)),
        T::Int32 => display(out, array.as_primitive::<Int32Type>().value(row)),
        T::Int64 => display(out, array.as_primitive::<Int64Type>().value(row)),
        T::UInt8 => display(out, array.as_primitive::<UInt8Type>().value(row)),
        T::UInt16 => display(out, array.as_primitive::<UInt16Type>().value(row)),
        T::UInt32 => display(out, array.as_primitive::<UInt32Type>().value(row)),
        T::UInt64 => display(out, array.as_primitive::<UInt64Type>().value(row)),
        T::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            write_float(out, f64::from(value), ryu::Buffer::new().format(value));
        }
        T::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            write_float(out, value, ryu::Buffer::new().format(value));
        }
        T::Decimal128(_, _) => {
            let text = array.as_primitive::<Decimal128Type>().value_as_string(row);
            out.extend_from_slice(text.as_bytes());
        }
        T::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            let date = NaiveDate::from_epoch_days(days);
            display(out, date.ok_or_else(|| out_of_range(array))?);
        }
        T::Time32(_) | T::Time64(_) => write_time_column(out, array, row)?,
        T::Timestamp(unit, zone) => {
            let nanos = timestamp_nanos(array, *unit, row);
            write_timestamp(out, nanos, zone.is_some()).ok_or_else(|| out_of_range(array))?;
        }
        other => {
            return Err(EngineError::config(format!(
                "the connector 'print' cannot show values of type {other}"
            )));
        }
    }
    Ok(())
}

fn out_of_range(array: &dyn Array) -> EngineError {
    EngineError::data(format!(
        "a value of type {} is out of the calendar's range",
        array.data_type()
    ))
}

fn display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

/// Signed decimal numbers, as arrays of bytes look in the JVM.
fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    write_sequence(out, (b'[', b']'), bytes.iter(), |out, byte| {
        display(out, byte.cast_signed());
        Ok(())
    })
}

/// `digits` is the shortest text that reads back as `value`, as ryu writes it.
fn write_float(out: &mut Vec<u8>, value: f64, digits: &str) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_infinite() {
        let text: &[u8] = if value > 0.0 {
            b"Infinity"
        } else {
            b"-Infinity"
        };
        return out.extend_from_slice(text);
    }
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    out.extend_from_slice(sign.as_bytes());
    let magnitude = value.abs();
    let (significant, exponent) = scientific(digits);
    if magnitude == 0.0 {
        out.extend_from_slice(b"0.0");
    } else if (1e-3..1e7).contains(&magnitude) {
        write_plain(out, &significant, exponent);
    } else {
        let (first, rest) = significant.split_at(1);
        let rest = if rest.is_empty() { "0" } else { rest };
        display(out, format_args!("{first}.{rest}E{exponent}"));
    }
}

/// The significant digits, without zeros at the ends, and the exponent of the first of them.
fn scientific(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let leading = digits.bytes().take_while(|b| *b == b'0').count();
    let point = i32::try_from(whole.len()).unwrap_or(0);
    let skipped = i32::try_from(leading).unwrap_or(0);
    let significant = digits.trim_matches('0');
    (significant.to_string(), exponent + point - skipped - 1)
}

fn write_plain(out: &mut Vec<u8>, significant: &str, exponent: i32) {
    let Ok(before_point) = usize::try_from(exponent + 1) else {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return display(out, format_args!("0.{zeros}{significant}"));
    };
    match significant.split_at_checked(before_point) {
        Some(("", fraction)) => display(out, format_args!("0.{fraction}")),
        Some((whole, "")) => display(out, format_args!("{whole}.0")),
        Some((whole, fraction)) => display(out, format_args!("{whole}.{fraction}")),
        None => {
            let zeros = "0".repeat(before_point - significant.len());
            display(out, format_args!("{significant}{zeros}.0"));
        }
    }
}

fn write_time_column(out: &mut Vec<u8>, array: &dyn Array, row: usize) -> Result<()> {
    let nanos = match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            i64::from(array.as_primitive::<Time32SecondType>().value(row)) * 1_000_000_000
        }
        DataType::Time32(_) => {
            i64::from(array.as_primitive::<Time32MillisecondType>().value(row)) * 1_000_000
        }
        DataType::Time64(TimeUnit::Microsecond) => array
            .as_primitive::<Time64MicrosecondType>()
            .value(row)
            .saturating_mul(1_000),
        _ => array.as_primitive::<Time64NanosecondType>().value(row),
    };
    let seconds = u32::try_from(nanos.div_euclid(1_000_000_000)).ok();
    let fraction = u32::try_from(nanos.rem_euclid(1_000_000_000)).ok();
    let time = seconds
        .zip(fraction)
        .and_then(|(s, f)| NaiveTime::from_num_seconds_from_midnight_opt(s, f))
        .ok_or_else(|| out_of_range(array))?;
    write_time(out, time, false);
    Ok(())
}

fn timestamp_nanos(array: &dyn Array, unit: TimeUnit, row: usize) -> i128 {
    match unit {
        TimeUnit::Second => {
            i128::from(array.as_primitive::<TimestampSecondType>().value(row)) * 1_000_000_000
        }
        TimeUnit::Millisecond => {
            i128::from(array.as_primitive::<TimestampMillisecondType>().value(row)) * 1_000_000
        }
        TimeUnit::Microsecond => {
            i128::from(array.as_primitive::<TimestampMicrosecondType>().value(row)) * 1_000
        }
        TimeUnit::Nanosecond => {
            i128::from(array.as_primitive::<TimestampNanosecondType>().value(row))
        }
    }
}

/// `2024-01-31T10:00`, and with a zone `2024-01-31T10:00:00Z`; `None` if it is out of range.
fn write_timestamp(out: &mut Vec<u8>, nanos: i128, utc: bool) -> Option<()> {
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    let fraction = u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?;
    let moment = DateTime::from_timestamp(seconds, fraction)?.naive_utc();
    display(out, moment.date());
    out.push(b'T');
    write_time(out, moment.time(), utc);
    if utc {
        out.push(b'Z');
    }
    Some(())
}

/// Hours and minutes; seconds unless they are zero (`always` if wanted); fractions in threes.
fn write_time(out: &mut Vec<u8>, time: NaiveTime, always: bool) {
    display(out, format_args!("{:02}:{:02}", time.hour(), time.minute()));
    let nanos = time.nanosecond();
    if !always && time.second() == 0 && nanos == 0 {
        return;
    }
    display(out, format_args!(":{:02}", time.second()));
    if nanos == 0 {
    } else if nanos.is_multiple_of(1_000_000) {
        display(out, format_args!(".{:03}", nanos / 1_000_000));
    } else if nanos.is_multiple_of(1_000) {
        display(out, format_args!(".{:06}", nanos / 1_000));
    } else {
        display(out, format_args!(".{nanos:09}"));
    }
}
