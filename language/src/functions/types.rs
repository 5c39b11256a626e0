//! Functions about types and collections.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, MapBuilder, MapFieldNames, StringArray, StringBuilder, UInt64Array,
    new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::scalar::{Call, Param, Spec, Values, evaluation, returns};
use crate::types::{Nullable, SqlType};
use Param::{Any, AnyAsText, Int, Text};

pub(super) static SPECS: &[Spec] = &[
    Spec::new("typeof", &[Any], returns::text, type_of),
    Spec::new("cut_text", &[AnyAsText, Int], returns::text, cut_text),
    Spec::new(NOT_NULL, &[Any, Text], first_type, not_null),
    Spec::new("element", &[Any], element_type, element),
    Spec::new("str_to_map", &[Text, Text, Text], text_map, str_to_map).required(1),
];

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

/// TYPEOF(value): its SQL type.
fn type_of(call: &Call<'_>) -> Result<ArrayRef> {
    let name = SqlType::from_arrow(&call.arg_type(0)?).to_string();
    Ok(Arc::new(StringArray::from(vec![name; call.rows()])))
}

fn element_type(args: &[DataType]) -> DataType {
    match args.first() {
        Some(DataType::List(item) | DataType::LargeList(item)) => item.data_type().clone(),
        _ => DataType::Null,
    }
}

/// ELEMENT(array): its only element; NULL if it is empty, an error if there are more.
fn element(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let Some(lists) = array.as_list_opt::<i32>() else {
        if array.data_type().is_null() {
            return Ok(new_null_array(&DataType::Null, call.rows()));
        }
        return Err(evaluation(format!(
            "ELEMENT takes an ARRAY, not {}",
            SqlType::from_arrow(array.data_type())
        )));
    };
    let offsets = lists.value_offsets();
    let indices = (0..lists.len())
        .map(|row| {
            if lists.is_null(row) {
                return Ok(None);
            }
            let (Some(start), Some(end)) = (offsets.get(row), offsets.get(row + 1)) else {
                return Ok(None);
            };
            match end - start {
                0 => Ok(None),
                1 => Ok(u64::try_from(*start).ok()),
                more => Err(evaluation(format!(
                    "ELEMENT of an ARRAY of {more} elements"
                ))),
            }
        })
        .collect::<Result<UInt64Array>>()?;
    Ok(take(lists.values(), &indices, None)?)
}

fn text_map(_: &[DataType]) -> DataType {
    let text = || Box::new(Nullable::new(SqlType::String));
    SqlType::Map(text(), text()).to_arrow()
}

/// STR_TO_MAP(text [, pair delimiter [, key delimiter]]): `k1=v1,k2=v2` as a map. Of a key that
/// comes twice the last value counts; a pair without a delimiter has a NULL value.
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
        let mut entries: Vec<(&str, Option<&str>)> = Vec::new();
        for entry in text.split(pair).filter(|entry| !entry.is_empty()) {
            let (name, value) = match entry.split_once(key) {
                Some((name, value)) => (name, Some(value)),
                None => (entry, None),
            };
            entries.retain(|(known, _)| *known != name);
            entries.push((name, value));
        }
        for (name, value) in entries {
            builder.keys().append_value(name);
            builder.values().append_option(value);
        }
        builder.append(true)?;
    }
    Ok(Arc::new(builder.finish()))
}
