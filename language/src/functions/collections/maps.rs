//! Functions on MAP.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt64Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::Result;

use super::items::{Lists, comparable, range_of};
use super::{common_type, element_of, list_of};
use crate::functions::scalar::{Call, check_size, evaluation};

/// The key and value fields of a MAP.
fn entry_fields(given: &DataType) -> Option<(FieldRef, FieldRef)> {
    let DataType::Map(entries, _) = given else {
        return None;
    };
    match entries.data_type() {
        DataType::Struct(fields) => Some((fields.first()?.clone(), fields.get(1)?.clone())),
        _ => None,
    }
}

fn map_of(key: DataType, value: DataType) -> DataType {
    let fields = entry_struct(key, value, false);
    let entries = Field::new("entries", DataType::Struct(fields), false);
    DataType::Map(Arc::new(entries), false)
}

fn entry_struct(key: DataType, value: DataType, nullable_key: bool) -> Fields {
    Fields::from(vec![
        Field::new("key", key, nullable_key),
        Field::new("value", value, true),
    ])
}

pub(super) fn one_map(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [map @ DataType::Map(..)] => Some(vec![map.clone()]),
        _ => None,
    }
}

pub(super) fn same_maps(given: &[DataType]) -> Option<Vec<DataType>> {
    let fields: Vec<(FieldRef, FieldRef)> = given
        .iter()
        .filter(|one| !one.is_null())
        .map(entry_fields)
        .collect::<Option<_>>()?;
    let of = |choose: fn(&(FieldRef, FieldRef)) -> &FieldRef| {
        let types: Vec<DataType> = fields
            .iter()
            .map(|both| choose(both).data_type().clone())
            .collect();
        common_type(&types)
    };
    let map = map_of(of(|both| &both.0)?, of(|both| &both.1)?);
    Some(vec![map; given.len()])
}

fn part_type(args: &[DataType], choose: fn((FieldRef, FieldRef)) -> FieldRef) -> DataType {
    match args.first().and_then(entry_fields) {
        Some(both) => list_of(choose(both).data_type().clone()),
        None => DataType::Null,
    }
}

pub(super) fn keys_type(args: &[DataType]) -> DataType {
    part_type(args, |both| both.0)
}

pub(super) fn values_type(args: &[DataType]) -> DataType {
    part_type(args, |both| both.1)
}

pub(super) fn entries_type(args: &[DataType]) -> DataType {
    match args.first().and_then(entry_fields) {
        Some((key, value)) => {
            let fields = entry_struct(key.data_type().clone(), value.data_type().clone(), true);
            list_of(DataType::Struct(fields))
        }
        None => DataType::Null,
    }
}

pub(super) fn pairs_type(args: &[DataType]) -> DataType {
    let element = |index: usize| args.get(index).and_then(element_of);
    match (element(0), element(1)) {
        (Some(key), Some(value)) => map_of(key, value),
        _ => DataType::Null,
    }
}

fn maps_of(call: &Call<'_>, index: usize) -> Result<MapArray> {
    let array = call.array(index)?;
    match array.as_map_opt() {
        Some(maps) => Ok(maps.clone()),
        None => Err(evaluation("a function takes a MAP")),
    }
}

/// MAP_KEYS(map).
pub(super) fn map_keys(call: &Call<'_>) -> Result<ArrayRef> {
    let maps = maps_of(call, 0)?;
    as_list(call, &maps, Arc::clone(maps.keys()))
}

/// MAP_VALUES(map), in the order of MAP_KEYS.
pub(super) fn map_values(call: &Call<'_>) -> Result<ArrayRef> {
    let maps = maps_of(call, 0)?;
    as_list(call, &maps, Arc::clone(maps.values()))
}

/// MAP_ENTRIES(map): an array of rows with a key and a value.
pub(super) fn map_entries(call: &Call<'_>) -> Result<ArrayRef> {
    let maps = maps_of(call, 0)?;
    let DataType::List(item) = call.return_type() else {
        return Err(evaluation("an ARRAY function must yield an ARRAY"));
    };
    let DataType::Struct(fields) = item.data_type() else {
        return Err(evaluation("the entries of a MAP are rows"));
    };
    let columns = vec![Arc::clone(maps.keys()), Arc::clone(maps.values())];
    let rows = StructArray::try_new(fields.clone(), columns, None)?;
    as_list(call, &maps, Arc::new(rows))
}

fn as_list(call: &Call<'_>, maps: &MapArray, elements: ArrayRef) -> Result<ArrayRef> {
    let DataType::List(item) = call.return_type() else {
        return Err(evaluation("an ARRAY function must yield an ARRAY"));
    };
    let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
    let lists = ListArray::try_new(Arc::clone(item), offsets, elements, nulls)?;
    Ok(Arc::new(lists))
}

/// MAP_FROM_ARRAYS(keys, values), which must have the same number of elements. Of a key that comes
/// twice the last value counts.
pub(super) fn map_from_arrays(call: &Call<'_>) -> Result<ArrayRef> {
    let (keys, values) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let mut result = Entries::new(keys.elements().as_ref(), values.elements().as_ref())?;
    for row in 0..call.rows() {
        let Some((keys, values)) = keys.range(row).zip(values.range(row)) else {
            result.row(None)?;
            continue;
        };
        if keys.len() != values.len() {
            return Err(evaluation(format!(
                "MAP_FROM_ARRAYS of {} keys and {} values",
                keys.len(),
                values.len()
            )));
        }
        result.row(Some(keys.zip(values).collect()))?;
    }
    result.finish(call)
}

/// MAP_UNION(map, …): of a key that several have, the last value counts. NULL if any map is.
pub(super) fn map_union(call: &Call<'_>) -> Result<ArrayRef> {
    let all = (0..call.len())
        .map(|index| maps_of(call, index))
        .collect::<Result<Vec<_>>>()?;
    let pool = |part: fn(&MapArray) -> &ArrayRef| {
        let parts: Vec<&dyn Array> = all.iter().map(|maps| part(maps).as_ref()).collect();
        concat(&parts)
    };
    let mut result = Entries::new(&pool(MapArray::keys)?, &pool(MapArray::values)?)?;
    for row in 0..call.rows() {
        let mut entries = Some(Vec::new());
        let mut first = 0;
        for maps in &all {
            let range = range_of(maps.offsets(), row).filter(|_| maps.is_valid(row));
            match (range, &mut entries) {
                (Some(range), Some(known)) => {
                    known.extend(range.map(|index| (first + index, first + index)));
                }
                _ => entries = None,
            }
            first += maps.keys().len();
        }
        result.row(entries)?;
    }
    result.finish(call)
}

/// Maps being built of positions in pools of keys and values.
struct Entries {
    keys: ArrayRef,
    values: ArrayRef,
    comparable: arrow::row::Rows,
    chosen: Vec<(u64, u64)>,
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl Entries {
    fn new(keys: &dyn Array, values: &dyn Array) -> Result<Self> {
        Ok(Self {
            comparable: comparable(keys)?,
            keys: arrow::array::make_array(keys.to_data()),
            values: arrow::array::make_array(values.to_data()),
            chosen: Vec::new(),
            offsets: vec![0],
            valid: Vec::new(),
        })
    }

    /// The next row: its entries as positions of keys and values, or NULL.
    fn row(&mut self, entries: Option<Vec<(usize, usize)>>) -> Result<()> {
        self.valid.push(entries.is_some());
        let mut places: HashMap<arrow::row::Row<'_>, usize> = HashMap::new();
        for (key, value) in entries.into_iter().flatten() {
            if self.keys.is_null(key) || self.keys.data_type().is_null() {
                return Err(evaluation("a key of a MAP is NULL"));
            }
            let entry = (key as u64, value as u64);
            match places.get(&self.comparable.row(key)) {
                Some(place) => {
                    if let Some(known) = self.chosen.get_mut(*place) {
                        known.1 = entry.1;
                    }
                }
                None => {
                    places.insert(self.comparable.row(key), self.chosen.len());
                    self.chosen.push(entry);
                }
            }
        }
        check_size(self.chosen.len())?;
        self.offsets.extend(i32::try_from(self.chosen.len()));
        Ok(())
    }

    fn finish(self, call: &Call<'_>) -> Result<ArrayRef> {
        let DataType::Map(entries, sorted) = call.return_type() else {
            return Err(evaluation("a MAP function must yield a MAP"));
        };
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(evaluation("the entries of a MAP are rows"));
        };
        let (keys, values): (Vec<u64>, Vec<u64>) = self.chosen.into_iter().unzip();
        let columns = vec![
            take(&self.keys, &UInt64Array::from(keys), None)?,
            take(&self.values, &UInt64Array::from(values), None)?,
        ];
        let rows = StructArray::try_new(fields.clone(), columns, None)?;
        let offsets = OffsetBuffer::new(self.offsets.into());
        let nulls = self
            .valid
            .contains(&false)
            .then(|| NullBuffer::from(self.valid));
        let maps = MapArray::try_new(Arc::clone(entries), offsets, rows, nulls, *sorted)?;
        Ok(Arc::new(maps))
    }
}
