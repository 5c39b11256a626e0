//! Functions about types and collections.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, MapBuilder, MapFieldNames, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use regex::Regex;

use super::regexp::compile;
use super::scalar::{Call, Param, Spec, Values, evaluation, returns};
use crate::types::{Nullable, SqlType};
use Param::{Any, AnyAsText, Boolean, Int, Text};

pub(super) static SPECS: &[Spec] = &[
    Spec::new("typeof", &[Any, Boolean], returns::text, type_of).required(1),
    Spec::new(BOOLEAN_TEXT, &[Boolean], returns::text, boolean_text),
    Spec::new(NUMBER_TEXT, &[Text, Boolean], returns::text, number_text),
    Spec::new("cut_text", &[AnyAsText, Int], returns::text, cut_text),
    Spec::new(NOT_NULL, &[Any, Text], first_type, not_null),
    Spec::new("str_to_map", &[Text, Text, Text], text_map, str_to_map).required(1),
];

/// A BOOLEAN as text.
pub(super) const BOOLEAN_TEXT: &str = "boolean_text";
/// The text of a number, as a cast reads it.
pub(super) const NUMBER_TEXT: &str = "number_text";
/// The function that refuses NULL.
pub(super) const NOT_NULL: &str = "not_null";

fn first_type(args: &[DataType]) -> DataType {
    args.first().cloned().unwrap_or(DataType::Null)
}

/// The value, which goes into a column that is NOT NULL; the column's name is for the error.
fn not_null(call: &Call<'_>) -> Result<ArrayRef> {
    let value = call.array(0)?;
    if value.logical_null_count() == 0 {
        return Ok(value);
    }
    let column = call.texts(1)?.get(0).unwrap_or("?");
    Err(evaluation(format!(
        "column {column} is NOT NULL, and a row has NULL for it"
    )))
}

/// The first characters of a text, as CAST AS VARCHAR(n) keeps them.
fn cut_text(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, lengths) = (call.texts(0)?, call.ints(1)?);
    call.slice_column(|row| {
        let (Some(text), Some(length)) = (texts.get(row), lengths.get(row)) else {
            return Ok(None);
        };
        let length = usize::try_from(length).unwrap_or(0);
        let end = text.char_indices().nth(length).map(|(end, _)| end);
        Ok(Some(end.and_then(|end| text.get(..end)).unwrap_or(text)))
    })
}

/// TRUE or FALSE.
fn boolean_text(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.booleans(0)?;
    call.slice_column(|row| {
        let value = values.get(row);
        Ok(value.map(|value| if value { "TRUE" } else { "FALSE" }))
    })
}

/// The text of a number as it is cast: without blanks around it, and if it becomes an integer,
/// without its fraction.
fn number_text(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, whole) = (call.texts(0)?, call.booleans(1)?);
    let whole = whole.get(0) == Some(true);
    call.slice_column(|row| {
        let trimmed = texts.get(row).map(str::trim);
        Ok(trimmed.map(|text| if whole { without_fraction(text) } else { text }))
    })
}

/// `12` of `12.5`; what is no such number stays as it is, for the cast to refuse.
fn without_fraction(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, fraction))
            if whole.bytes().any(|byte| byte.is_ascii_digit())
                && fraction.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            whole
        }
        _ => text,
    }
}

/// TYPEOF(value): its SQL type.
fn type_of(call: &Call<'_>) -> Result<ArrayRef> {
    let name = SqlType::from_arrow(&call.arg_type(0)?).to_string();
    Ok(Arc::new(StringArray::from(vec![name; call.rows()])))
}

fn text_map(_: &[DataType]) -> DataType {
    let text = || Box::new(Nullable::new(SqlType::String));
    SqlType::Map(text(), text()).to_arrow()
}

/// STR_TO_MAP(text [, pair delimiter [, key delimiter]]): `k1=v1,k2=v2` as a map. The delimiters
/// are regular expressions. Of a key that comes twice the last value counts; a pair without a
/// delimiter has a NULL value.
fn str_to_map(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let delimiter = |index: usize, default| match call.len() > index {
        true => call.texts(index),
        false => Ok(Values::Constant(Some(default))),
    };
    let (pairs, keys) = (delimiter(1, ",")?, delimiter(2, "=")?);
    let names = MapFieldNames {
        entry: "entries".into(),
        key: "key".into(),
        value: "value".into(),
    };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in 0..call.rows() {
        let (Some(text), Some(pair), Some(key)) = (texts.get(row), pairs.get(row), keys.get(row))
        else {
            builder.append(false)?;
            continue;
        };
        for (name, value) in entries(text, &compile(pair)?, &compile(key)?) {
            builder.keys().append_value(name);
            builder.values().append_option(value);
        }
        builder.append(true)?;
    }
    Ok(Arc::new(builder.finish()))
}

fn entries<'a>(text: &'a str, pair: &Regex, key: &Regex) -> Vec<(&'a str, Option<&'a str>)> {
    let mut parts: Vec<&str> = pair.split(text).collect();
    // Behind the last delimiter that something follows there are no pairs.
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    let mut entries: Vec<(&str, Option<&str>)> = Vec::new();
    for part in parts {
        let mut both = key.splitn(part, 2);
        let entry = (both.next().unwrap_or(part), both.next());
        match entries.iter_mut().find(|known| known.0 == entry.0) {
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
    }
    entries
}
