//! JSON_STRING, JSON_OBJECT and JSON_ARRAY: values as JSON.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::common::Result;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::functions::scalar::{Call, evaluation};

/// Writes a text as a JSON string, with its quotes.
pub(super) fn push_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Writes the value of a row.
fn push_value(array: &dyn Array, row: usize, out: &mut String) -> Result<()> {
    if array.is_null(row) || array.data_type().is_null() {
        out.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::Utf8 => push_text(array.as_string::<i32>().value(row), out),
        DataType::Binary => {
            out.push('"');
            STANDARD.encode_string(array.as_binary::<i32>().value(row), out);
            out.push('"');
        }
        DataType::List(_) => push_list(&array.as_list::<i32>().value(row), out)?,
        DataType::Struct(_) => push_row(array, row, out)?,
        DataType::Map(_, _) => push_map(array, row, out)?,
        DataType::Float32 | DataType::Float64 => push_float(array, row, out),
        number if number.is_numeric() || *number == DataType::Boolean => {
            out.push_str(&shown(array, row)?);
        }
        _ => push_text(&shown(array, row)?, out),
    }
    Ok(())
}

fn shown(array: &dyn Array, row: usize) -> Result<String> {
    let options = FormatOptions::default();
    Ok(ArrayFormatter::try_new(array, &options)?
        .value(row)
        .to_string())
}

/// What is no number in JSON is a text.
fn push_float(array: &dyn Array, row: usize, out: &mut String) {
    let (text, finite) = match array.data_type() {
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            (format!("{value:?}"), value.is_finite())
        }
        _ => {
            let value = array.as_primitive::<Float64Type>().value(row);
            (format!("{value:?}"), value.is_finite())
        }
    };
    match finite {
        true => out.push_str(&text),
        false => push_text(&text, out),
    }
}

fn push_list(elements: &ArrayRef, out: &mut String) -> Result<()> {
    out.push('[');
    for index in 0..elements.len() {
        if index > 0 {
            out.push(',');
        }
        push_value(elements.as_ref(), index, out)?;
    }
    out.push(']');
    Ok(())
}

fn push_row(array: &dyn Array, row: usize, out: &mut String) -> Result<()> {
    let fields = array.as_struct();
    out.push('{');
    for (index, (name, column)) in fields
        .column_names()
        .iter()
        .zip(fields.columns())
        .enumerate()
    {
        if index > 0 {
            out.push(',');
        }
        push_text(name, out);
        out.push(':');
        push_value(column.as_ref(), row, out)?;
    }
    out.push('}');
    Ok(())
}

fn push_map(array: &dyn Array, row: usize, out: &mut String) -> Result<()> {
    let entries = array.as_map().value(row);
    let (Some(keys), Some(values)) = (entries.columns().first(), entries.columns().get(1)) else {
        return Err(evaluation("a MAP lacks its keys or values"));
    };
    out.push('{');
    for index in 0..entries.len() {
        if index > 0 {
            out.push(',');
        }
        push_text(&shown(keys.as_ref(), index)?, out);
        out.push(':');
        push_value(values.as_ref(), index, out)?;
    }
    out.push('}');
    Ok(())
}

/// The type that a value has while it is written: texts and bytes in their plainest layout.
pub(super) fn writable(given: &[DataType]) -> Option<Vec<DataType>> {
    let plain = |one: &DataType| match one {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Dictionary(_, _) => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        other => other.clone(),
    };
    Some(given.iter().map(plain).collect())
}

/// JSON_STRING(value): NULL stays NULL.
pub(super) fn json_string(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.array(0)?;
    call.written_column(|row, out| {
        if values.is_null(row) || values.data_type().is_null() {
            return Ok(false);
        }
        push_value(values.as_ref(), row, out)?;
        Ok(true)
    })
}

/// A value of JSON_OBJECT or JSON_ARRAY, and whether it is JSON already.
pub(super) struct Member {
    values: ArrayRef,
    is_json: bool,
}

impl Member {
    /// The member whose value and kind are the arguments from `index` on.
    fn of(call: &Call<'_>, index: usize) -> Result<Self> {
        Ok(Self {
            values: call.array(index)?,
            is_json: super::clause(call, index + 1)? == "JSON",
        })
    }

    /// One of these values.
    pub(super) fn new(values: ArrayRef, is_json: bool) -> Self {
        Self { values, is_json }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.values.is_null(row) || self.values.data_type().is_null()
    }

    pub(super) fn push(&self, row: usize, out: &mut String) -> Result<()> {
        if !self.is_json || self.is_null(row) {
            return push_value(self.values.as_ref(), row, out);
        }
        let text = self.values.as_string::<i32>().value(row);
        match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => out.push_str(text),
            Err(_) => return Err(evaluation(format!("'{text}' is not JSON"))),
        }
        Ok(())
    }
}

/// JSON_ARRAY: a word for what NULL becomes, then each value with its kind.
pub(super) fn json_array(call: &Call<'_>) -> Result<ArrayRef> {
    let absent = super::clause(call, 0)? == "ABSENT";
    let members = (1..call.len())
        .step_by(2)
        .map(|index| Member::of(call, index))
        .collect::<Result<Vec<_>>>()?;
    call.written_column(|row, out| {
        out.push('[');
        for member in members
            .iter()
            .filter(|member| !(absent && member.is_null(row)))
        {
            if out.len() > 1 {
                out.push(',');
            }
            member.push(row, out)?;
        }
        out.push(']');
        Ok(true)
    })
}

/// JSON_OBJECT: a word for what NULL becomes, then each key, value and its kind.
pub(super) fn json_object(call: &Call<'_>) -> Result<ArrayRef> {
    let absent = super::clause(call, 0)? == "ABSENT";
    let members = (1..call.len())
        .step_by(3)
        .map(|index| Ok((call.texts(index)?, Member::of(call, index + 1)?)))
        .collect::<Result<Vec<_>>>()?;
    call.written_column(|row, out| {
        out.push('{');
        for (keys, member) in &members {
            let Some(key) = keys.get(row) else {
                return Err(evaluation("a key of JSON_OBJECT is NULL"));
            };
            if absent && member.is_null(row) {
                continue;
            }
            if out.len() > 1 {
                out.push(',');
            }
            push_text(key, out);
            out.push(':');
            member.push(row, out)?;
        }
        out.push('}');
        Ok(true)
    })
}

/// JSON_QUOTE(text): the text as a JSON string.
pub(super) fn json_quote(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.written_column(|row, out| {
        let Some(text) = texts.get(row) else {
            return Ok(false);
        };
        push_text(text, out);
        Ok(true)
    })
}

/// JSON_UNQUOTE(text): the text that a JSON string stands for; what is none stays as it is.
pub(super) fn json_unquote(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_column(|row| {
        Ok(texts.get(row).map(|text| match serde_json::from_str(text) {
            Ok(Value::String(unquoted)) => unquoted,
            _ => text.to_string(),
        }))
    })
}

/// JSON(text), whose value stands in JSON_OBJECT and JSON_ARRAY as it is.
pub(super) fn json(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.slice_column(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => Ok(Some(text)),
            Err(_) => Err(evaluation(format!("'{text}' is not JSON"))),
        }
    })
}
