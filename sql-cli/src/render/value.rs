//! Values as text and as JSON.

use std::fmt::Write;

use arrow::array::timezone::Tz;
use arrow::array::{Array, AsArray};
use arrow::datatypes::*;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, Datelike, NaiveDateTime, TimeZone, Timelike};

/// How values are written.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    /// For tables and csv: text without quotes, instants in this time zone.
    Text(Option<Tz>),
    /// JSON: instants in UTC, with `Z`.
    Json,
}

/// Appends the value of a row, which must not be NULL.
pub fn write(out: &mut String, array: &dyn Array, row: usize, style: Style) {
    // Writing to a String cannot fail.
    let _ = match array.data_type() {
        DataType::Boolean => write!(out, "{}", array.as_boolean().value(row)),
        DataType::Int8 => write!(out, "{}", array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => write!(out, "{}", array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => write!(out, "{}", array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => write!(out, "{}", array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => write!(out, "{}", array.as_primitive::<UInt8Type>().value(row)),
        DataType::UInt16 => write!(out, "{}", array.as_primitive::<UInt16Type>().value(row)),
        DataType::UInt32 => write!(out, "{}", array.as_primitive::<UInt32Type>().value(row)),
        DataType::UInt64 => write!(out, "{}", array.as_primitive::<UInt64Type>().value(row)),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            float(out, value.is_finite(), format_args!("{value:?}"), style)
        }
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            float(out, value.is_finite(), format_args!("{value:?}"), style)
        }
        DataType::Decimal128(_, _) => {
            out.push_str(&array.as_primitive::<Decimal128Type>().value_as_string(row));
            Ok(())
        }
        DataType::Utf8 => string(out, array.as_string::<i32>().value(row), style),
        DataType::LargeUtf8 => string(out, array.as_string::<i64>().value(row), style),
        DataType::Utf8View => string(out, array.as_string_view().value(row), style),
        DataType::Binary => bytes(out, array.as_binary::<i32>().value(row), style),
        DataType::LargeBinary => bytes(out, array.as_binary::<i64>().value(row), style),
        DataType::BinaryView => bytes(out, array.as_binary_view().value(row), style),
        DataType::FixedSizeBinary(_) => bytes(out, array.as_fixed_size_binary().value(row), style),
        DataType::Date32 => date(out, array.as_primitive::<Date32Type>().value(row), style),
        DataType::Timestamp(unit, zone) => timestamp(out, array, row, *unit, zone.is_some(), style),
        _ => nested(out, array, row, style),
    };
}

fn float(
    out: &mut String,
    finite: bool,
    value: std::fmt::Arguments<'_>,
    style: Style,
) -> std::fmt::Result {
    match (style, finite) {
        // JSON has no word for these.
        (Style::Json, false) => write!(out, "\"{value}\""),
        _ => out.write_fmt(value),
    }
}

fn string(out: &mut String, value: &str, style: Style) -> std::fmt::Result {
    match style {
        Style::Text(_) => out.push_str(value),
        Style::Json => json_string(out, value),
    }
    Ok(())
}

/// Appends a JSON string with its quotes.
pub fn json_string(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Hexadecimal as text; base64 in JSON, as the json format writes it.
fn bytes(out: &mut String, value: &[u8], style: Style) -> std::fmt::Result {
    match style {
        Style::Text(_) => {
            out.push_str("0x");
            value.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
        }
        Style::Json => {
            use base64::Engine;
            out.push('"');
            base64::engine::general_purpose::STANDARD.encode_string(value, out);
            out.push('"');
            Ok(())
        }
    }
}

fn quoted(
    out: &mut String,
    style: Style,
    write: impl FnOnce(&mut String) -> std::fmt::Result,
) -> std::fmt::Result {
    let quote = match style {
        Style::Text(_) => "",
        Style::Json => "\"",
    };
    out.push_str(quote);
    write(out)?;
    out.push_str(quote);
    Ok(())
}

fn date(out: &mut String, days: i32, style: Style) -> std::fmt::Result {
    match DateTime::from_timestamp(i64::from(days) * 86_400, 0) {
        Some(moment) => quoted(out, style, |out| write!(out, "{}", moment.date_naive())),
        None => write!(out, "{days}"),
    }
}

fn timestamp(
    out: &mut String,
    array: &dyn Array,
    row: usize,
    unit: TimeUnit,
    instant: bool,
    style: Style,
) -> std::fmt::Result {
    let (value, per_second, digits) = match unit {
        TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().value(row), 1, 0),
        TimeUnit::Millisecond => {
            let value = array.as_primitive::<TimestampMillisecondType>().value(row);
            (value, 1_000, 3)
        }
        TimeUnit::Microsecond => {
            let value = array.as_primitive::<TimestampMicrosecondType>().value(row);
            (value, 1_000_000, 6)
        }
        TimeUnit::Nanosecond => {
            let value = array.as_primitive::<TimestampNanosecondType>().value(row);
            (value, 1_000_000_000, 9)
        }
    };
    let fraction = value.rem_euclid(per_second);
    let nanos = u32::try_from(fraction * (1_000_000_000 / per_second)).unwrap_or(0);
    let Some(moment) = DateTime::from_timestamp(value.div_euclid(per_second), nanos) else {
        return write!(out, "{value}");
    };
    let local = match (instant, style) {
        (true, Style::Text(Some(zone))) => {
            zone.from_utc_datetime(&moment.naive_utc()).naive_local()
        }
        _ => moment.naive_utc(),
    };
    quoted(out, style, |out| {
        date_and_time(out, local)?;
        if digits > 0 {
            write!(out, ".{fraction:0digits$}")?;
        }
        if instant && matches!(style, Style::Json) {
            out.push('Z');
        }
        Ok(())
    })
}

fn date_and_time(out: &mut String, moment: NaiveDateTime) -> std::fmt::Result {
    write!(
        out,
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        moment.year(),
        moment.month(),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second()
    )
}

/// Rows, arrays and maps are JSON in every style.
fn nested(out: &mut String, array: &dyn Array, row: usize, style: Style) -> std::fmt::Result {
    match array.data_type() {
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let members = fields.iter().zip(columns);
            separated(out, ('{', '}'), members, |out, (field, column)| {
                json_string(out, field.name());
                out.push(':');
                json_or_null(out, column, row);
            });
        }
        DataType::List(_) => elements(out, &array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => elements(out, &array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(_, _) => elements(out, &array.as_fixed_size_list().value(row)),
        DataType::Map(_, _) => map(out, array, row),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let keys = dictionary.normalized_keys();
            match keys.get(row) {
                Some(key) => write(out, dictionary.values(), *key, style),
                None => out.push_str("null"),
            }
        }
        _ => return other(out, array, row, style),
    }
    Ok(())
}

fn elements(out: &mut String, values: &dyn Array) {
    separated(out, ('[', ']'), 0..values.len(), |out, index| {
        json_or_null(out, values, index);
    });
}

fn map(out: &mut String, array: &dyn Array, row: usize) {
    let entries = array.as_map().value(row);
    let (keys, values) = (entries.column(0), entries.column(1));
    separated(out, ('{', '}'), 0..entries.len(), |out, index| {
        let mut key = String::new();
        write(&mut key, keys, index, Style::Text(None));
        json_string(out, &key);
        out.push(':');
        json_or_null(out, values, index);
    });
}

fn separated<T>(
    out: &mut String,
    (open, close): (char, char),
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push(open);
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

/// Appends the value as JSON, `null` for NULL.
pub fn json_or_null(out: &mut String, array: &dyn Array, row: usize) {
    match is_null(array, row) {
        true => out.push_str("null"),
        false => write(out, array, row, Style::Json),
    }
}

/// Whether the value is NULL; a column of type NULL has no other.
pub fn is_null(array: &dyn Array, row: usize) -> bool {
    array.is_null(row) || array.data_type() == &DataType::Null
}

/// Times and intervals, which only expressions make, as Arrow writes them.
fn other(out: &mut String, array: &dyn Array, row: usize, style: Style) -> std::fmt::Result {
    let options = FormatOptions::default();
    let Ok(formatter) = ArrayFormatter::try_new(array, &options) else {
        return quoted(out, style, |out| write!(out, "({})", array.data_type()));
    };
    quoted(out, style, |out| write!(out, "{}", formatter.value(row)))
}

/// Whether values of this type are aligned to the right.
pub fn is_numeric(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// How many columns of the terminal values of this type usually take.
pub fn usual_width(data_type: &DataType) -> usize {
    match data_type {
        DataType::Boolean => 5,
        DataType::Int8 => 4,
        DataType::Int16 => 6,
        DataType::Int32 | DataType::Float32 => 11,
        DataType::Int64 | DataType::Float64 => 20,
        DataType::Decimal128(precision, _) => usize::from(*precision) + 2,
        DataType::Date32 => 10,
        DataType::Timestamp(..) => 23,
        DataType::Utf8 | DataType::Struct(_) | DataType::List(_) | DataType::Map(..) => 20,
        _ => 0,
    }
}
