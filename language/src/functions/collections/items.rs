//! Elements of collections, and what is said of them.

use std::cmp::Ordering;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, UInt64Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;

use super::{common_type, element_of};
use crate::functions::scalar::{Call, evaluation};
use crate::types::SqlType;

/// The function that `array[index]` stands for.
pub(in crate::functions) const ARRAY_ITEM: &str = "array_item";
/// The function that `map[key]` stands for.
pub(in crate::functions) const MAP_ITEM: &str = "map_item";

/// An ARRAY argument.
pub(super) struct Lists(ListArray);

impl Lists {
    pub(super) fn of(call: &Call<'_>, index: usize) -> Result<Self> {
        let array = call.array(index)?;
        match array.as_list_opt::<i32>() {
            Some(lists) => Ok(Self(lists.clone())),
            None => Err(evaluation(format!(
                "a function takes an ARRAY, not {}",
                SqlType::from_arrow(array.data_type())
            ))),
        }
    }

    /// Where the elements of a row are; `None` if it is NULL.
    pub(super) fn range(&self, row: usize) -> Option<Range<usize>> {
        if self.0.is_null(row) {
            return None;
        }
        range_of(self.0.value_offsets(), row)
    }

    pub(super) fn elements(&self) -> &ArrayRef {
        self.0.values()
    }
}

/// The range of a row among offsets.
pub(super) fn range_of(offsets: &[i32], row: usize) -> Option<Range<usize>> {
    let (start, end) = (offsets.get(row)?, offsets.get(row + 1)?);
    Some(usize::try_from(*start).ok()?..usize::try_from(*end).ok()?)
}

/// Elements as bytes that can be compared.
pub(super) fn comparable(elements: &dyn Array) -> Result<Rows> {
    let elements: ArrayRef = arrow::array::make_array(elements.to_data());
    let field = SortField::new(elements.data_type().clone());
    if !RowConverter::supports_fields(std::slice::from_ref(&field)) {
        return Err(evaluation(format!(
            "values of the type {} cannot be compared",
            SqlType::from_arrow(elements.data_type())
        )));
    }
    let converter = RowConverter::new(vec![field])?;
    Ok(converter.convert_columns(&[elements])?)
}

/// CARDINALITY(array or map): how many elements or entries it has.
pub(super) fn cardinality(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let offsets = match array.as_map_opt() {
        Some(maps) => maps.offsets().to_vec(),
        None => Lists::of(call, 0)?.0.value_offsets().to_vec(),
    };
    call.small_int_column(|row| {
        let size = range_of(&offsets, row).filter(|_| array.is_valid(row));
        Ok(size.and_then(|range| i32::try_from(range.len()).ok()))
    })
}

/// ELEMENT(array): its only element; NULL if it is empty, an error if there are more.
pub(super) fn element(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    gathered(call, &lists, |row| {
        let Some(range) = lists.range(row) else {
            return Ok(None);
        };
        match range.len() {
            0 | 1 => Ok(range.into_iter().next()),
            more => Err(evaluation(format!(
                "ELEMENT of an ARRAY of {more} elements"
            ))),
        }
    })
}

/// The element that `choose` finds for each row.
fn gathered(
    call: &Call<'_>,
    lists: &Lists,
    mut choose: impl FnMut(usize) -> Result<Option<usize>>,
) -> Result<ArrayRef> {
    let indices = (0..call.rows())
        .map(|row| Ok(choose(row)?.and_then(|index| u64::try_from(index).ok())))
        .collect::<Result<UInt64Array>>()?;
    Ok(take(lists.elements(), &indices, None)?)
}

/// `array[index]`, from 1; NULL if there is no such element.
pub(super) fn array_item(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, indexes) = (Lists::of(call, 0)?, call.ints(1)?);
    gathered(call, &lists, |row| {
        let (Some(range), Some(index)) = (lists.range(row), indexes.get(row)) else {
            return Ok(None);
        };
        let index = usize::try_from(index)
            .ok()
            .and_then(|index| index.checked_sub(1));
        Ok(index.and_then(|index| range.into_iter().nth(index)))
    })
}

/// ARRAY_CONTAINS(array, element): also whether it contains NULL.
pub(super) fn array_contains(call: &Call<'_>) -> Result<ArrayRef> {
    let found = Search::of(call)?;
    call.bool_column(|row| Ok(found.position(row).map(|position| position.is_some())))
}

/// ARRAY_POSITION(array, element): the first place of the element, from 1; 0 if there is none.
pub(super) fn array_position(call: &Call<'_>) -> Result<ArrayRef> {
    let element = call.array(1)?;
    let found = Search::of(call)?;
    call.small_int_column(|row| {
        if element.is_null(row) || element.data_type().is_null() {
            return Ok(None);
        }
        let position = found.position(row);
        Ok(position.and_then(|position| i32::try_from(position.map_or(0, |at| at + 1)).ok()))
    })
}

/// The search for an element in an array.
struct Search {
    lists: Lists,
    elements: Rows,
    wanted: Rows,
}

impl Search {
    fn of(call: &Call<'_>) -> Result<Self> {
        let lists = Lists::of(call, 0)?;
        let wanted = call.array(1)?;
        // Both in one conversion, so that they are comparable.
        let all = concat(&[lists.elements().as_ref(), wanted.as_ref()])?;
        let (split, rest) = (lists.elements().len(), wanted.len());
        Ok(Self {
            elements: comparable(all.slice(0, split).as_ref())?,
            wanted: comparable(all.slice(split, rest).as_ref())?,
            lists,
        })
    }

    /// Where the wanted element is among those of the row; the outer `None` if the array is NULL.
    fn position(&self, row: usize) -> Option<Option<usize>> {
        let range = self.lists.range(row)?;
        let wanted = self.wanted.row(row);
        Some(
            range
                .into_iter()
                .position(|index| self.elements.row(index) == wanted),
        )
    }
}

/// ARRAY_MAX(array): the greatest element that is not NULL.
pub(super) fn array_max(call: &Call<'_>) -> Result<ArrayRef> {
    extreme(call, Ordering::Greater)
}

/// ARRAY_MIN(array): the least element that is not NULL.
pub(super) fn array_min(call: &Call<'_>) -> Result<ArrayRef> {
    extreme(call, Ordering::Less)
}

fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let rows = comparable(lists.elements().as_ref())?;
    let nulls = lists.elements().logical_nulls();
    let valid = |index: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*index));
    gathered(call, &lists, |row| {
        let range = lists.range(row).unwrap_or_default();
        Ok(range.filter(valid).reduce(|best, index| {
            match rows.row(index).cmp(&rows.row(best)) == wanted {
                true => index,
                false => best,
            }
        }))
    })
}

/// The types of a map and a key of it.
pub(super) fn map_and_key(given: &[DataType]) -> Option<Vec<DataType>> {
    let [DataType::Map(entries, _), key] = given else {
        return None;
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return None;
    };
    let wanted = fields.first()?.data_type();
    let both = common_type(&[wanted.clone(), key.clone()])?;
    // A key of a wider type would have to be found among keys of a narrower one.
    let fits = both == *wanted || (wanted.is_numeric() && key.is_numeric());
    fits.then(|| vec![given.first().cloned().unwrap_or(DataType::Null), both])
}

/// The type of the values of a map.
pub(super) fn value_type(args: &[DataType]) -> DataType {
    match args.first() {
        Some(DataType::Map(entries, _)) => match entries.data_type() {
            DataType::Struct(fields) => fields
                .get(1)
                .map_or(DataType::Null, |field| field.data_type().clone()),
            _ => DataType::Null,
        },
        Some(other) => element_of(other).unwrap_or(DataType::Null),
        None => DataType::Null,
    }
}

/// `map[key]`: NULL if there is no such key.
pub(super) fn map_item(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let Some(maps): Option<&MapArray> = array.as_map_opt() else {
        return Ok(new_null_array(call.return_type(), call.rows()));
    };
    let wanted = call.array(1)?;
    let keys = arrow::compute::cast(maps.keys(), wanted.data_type())?;
    let (keys, wanted) = (comparable(keys.as_ref())?, comparable(wanted.as_ref())?);
    let indices: UInt64Array = (0..call.rows())
        .map(|row| {
            let range = range_of(maps.offsets(), row).filter(|_| maps.is_valid(row))?;
            let wanted = wanted.row(row);
            let found = range.into_iter().find(|index| keys.row(*index) == wanted)?;
            u64::try_from(found).ok()
        })
        .collect();
    Ok(take(maps.values(), &indices, None)?)
}
