//! Functions about types and collections.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, UInt64Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::scalar::{Call, Param, Spec, evaluation, returns};
use crate::types::SqlType;
use Param::Any;

pub(super) static SPECS: &[Spec] = &[
    Spec::new("typeof", &[Any], returns::text, type_of),
    Spec::new("element", &[Any], element_type, element),
];

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
