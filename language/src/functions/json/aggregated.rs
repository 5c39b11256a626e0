//! What JSON_ARRAYAGG and JSON_OBJECTAGG make of the array of all values.

use std::collections::HashMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::write::{Member, push_text, writable};
use crate::functions::scalar::{Call, evaluation};

/// Arrays as they are, apart from the layout of texts in them.
pub(super) fn arguments(given: &[DataType]) -> Option<Vec<DataType>> {
    let [
        on_null,
        DataType::List(item) | DataType::LargeList(item),
        kind,
    ] = given
    else {
        return None;
    };
    let plain = |one: &DataType| writable(std::slice::from_ref(one))?.pop();
    let element = match item.data_type() {
        DataType::Struct(sides) => {
            let side = |side: &std::sync::Arc<arrow::datatypes::Field>| {
                Some(
                    side.as_ref()
                        .clone()
                        .with_data_type(plain(side.data_type())?),
                )
            };
            DataType::Struct(sides.iter().map(side).collect::<Option<_>>()?)
        }
        other => plain(other)?,
    };
    let item = item.as_ref().clone().with_data_type(element);
    Some(vec![
        plain(on_null)?,
        DataType::List(std::sync::Arc::new(item)),
        plain(kind)?,
    ])
}

fn elements(call: &Call<'_>) -> Result<ListArray> {
    let lists = call.array(1)?;
    let lists = lists.as_list_opt::<i32>().cloned();
    lists.ok_or_else(|| evaluation("a JSON aggregate takes an ARRAY"))
}

fn range(lists: &ListArray, row: usize) -> Range<usize> {
    if lists.is_null(row) {
        return 0..0;
    }
    let offsets = lists.value_offsets();
    let at = |row: usize| offsets.get(row).map_or(0, |offset| *offset as usize);
    at(row)..at(row + 1)
}

/// The elements of an array, which may be NULL for none, as a JSON array.
pub(super) fn json_array_of(call: &Call<'_>) -> Result<ArrayRef> {
    let absent = super::clause(call, 0)? == "ABSENT";
    let lists = elements(call)?;
    let member = Member::new(lists.values().clone(), super::clause(call, 2)? == "JSON");
    call.written_column(|row, out| {
        out.push('[');
        for index in range(&lists, row) {
            if absent && member.is_null(index) {
                continue;
            }
            if out.len() > 1 {
                out.push(',');
            }
            member.push(index, out)?;
        }
        out.push(']');
        Ok(true)
    })
}

/// Pairs of key and value as a JSON object: of equal keys the last one counts, where the first stands.
pub(super) fn json_object_of(call: &Call<'_>) -> Result<ArrayRef> {
    let absent = super::clause(call, 0)? == "ABSENT";
    let lists = elements(call)?;
    let pairs = lists.values().as_struct_opt();
    let pairs = pairs.ok_or_else(|| evaluation("JSON_OBJECTAGG takes pairs"))?;
    let keys = arrow::compute::cast(pairs.column(0), &DataType::Utf8)?;
    let keys = keys.as_string::<i32>();
    let member = Member::new(pairs.column(1).clone(), super::clause(call, 2)? == "JSON");
    call.written_column(|row, out| {
        let mut order: Vec<(&str, usize)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for index in range(&lists, row) {
            if keys.is_null(index) {
                return Err(evaluation("a key of JSON_OBJECTAGG is NULL"));
            }
            if absent && member.is_null(index) {
                continue;
            }
            let key = keys.value(index);
            match places.get(key).and_then(|place| order.get_mut(*place)) {
                Some((_, last)) => *last = index,
                None => {
                    places.insert(key, order.len());
                    order.push((key, index));
                }
            }
        }
        out.push('{');
        for (key, index) in order {
            if out.len() > 1 {
                out.push(',');
            }
            push_text(key, out);
            out.push(':');
            member.push(index, out)?;
        }
        out.push('}');
        Ok(true)
    })
}
