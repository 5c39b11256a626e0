//! Functions on ARRAY and MAP.
//!
//! Elements are compared as the bytes that Arrow's row format gives them, whatever their type is,
//! so that NULL equals NULL. What a function yields are positions in the elements of its
//! arguments, which are gathered once for a batch.

mod aggregated;
mod items;
mod lists;
mod maps;
mod sets;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::type_coercion::binary::type_union_resolution;

use super::scalar::{Param, Spec, coerce, returns};
use super::text::pieces::texts_type;
use Param::{Any, Boolean, Int, Text};

pub(super) use items::{ARRAY_ITEM, MAP_ITEM};

pub(super) static SPECS: &[Spec] = &[
    Spec::new("cardinality", &[Any], returns::int, items::cardinality).unify(one_collection),
    Spec::new("element", &[Any], element_type, items::element).unify(one_array),
    Spec::new(ARRAY_ITEM, &[Any, Int], element_type, items::array_item).unify(array_and_ints),
    Spec::new(MAP_ITEM, &[Any, Any], items::value_type, items::map_item).unify(items::map_and_key),
    Spec::new(
        "array_contains",
        &[Any, Any],
        returns::boolean,
        items::array_contains,
    )
    .unify(array_and_element)
    .aliases(&["array_has"]),
    Spec::new(
        "array_position",
        &[Any, Any],
        returns::int,
        items::array_position,
    )
    .unify(array_and_element),
    Spec::new("array_max", &[Any], element_type, items::array_max).unify(one_array),
    Spec::new("array_min", &[Any], element_type, items::array_min).unify(one_array),
    Spec::new(
        "array_append",
        &[Any, Any],
        returns::first,
        lists::array_append,
    )
    .unify(array_and_element),
    Spec::new(
        "array_prepend",
        &[Any, Any],
        returns::first,
        lists::array_prepend,
    )
    .unify(array_and_element),
    Spec::new(
        "array_remove",
        &[Any, Any],
        returns::first,
        lists::array_remove,
    )
    .unify(array_and_element),
    Spec::new("array_concat", &[Any], returns::first, lists::array_concat)
        .rest(Any)
        .unify(same_arrays),
    Spec::new(
        "array_reverse",
        &[Any],
        returns::first,
        lists::array_reverse,
    )
    .unify(one_array),
    Spec::new(
        "array_slice",
        &[Any, Int, Int],
        returns::first,
        lists::array_slice,
    )
    .required(2)
    .unify(array_and_ints),
    Spec::new(
        "array_sort",
        &[Any, Boolean, Boolean],
        returns::first,
        sets::array_sort,
    )
    .required(1)
    .unify(array_and_booleans),
    Spec::new(
        "array_distinct",
        &[Any],
        returns::first,
        sets::array_distinct,
    )
    .unify(one_array),
    Spec::new(
        "array_union",
        &[Any, Any],
        returns::first,
        sets::array_union,
    )
    .unify(same_arrays),
    Spec::new(
        "array_except",
        &[Any, Any],
        returns::first,
        sets::array_except,
    )
    .unify(same_arrays),
    Spec::new(
        "array_intersect",
        &[Any, Any],
        returns::first,
        sets::array_intersect,
    )
    .unify(same_arrays),
    Spec::new(
        "array_join",
        &[Any, Text, Text],
        returns::text,
        lists::array_join,
    )
    .required(2)
    .unify(texts_to_join),
    Spec::new(
        "multiset_of",
        &[Any],
        aggregated::multiset_type,
        aggregated::multiset_of,
    )
    .unify(one_array),
    Spec::new(
        "percentile_of",
        &[Any, Any],
        aggregated::percentile_type,
        aggregated::percentile_of,
    )
    .unify(aggregated::numbers_and_fraction),
    Spec::new("map_keys", &[Any], maps::keys_type, maps::map_keys).unify(maps::one_map),
    Spec::new("map_values", &[Any], maps::values_type, maps::map_values).unify(maps::one_map),
    Spec::new("map_entries", &[Any], maps::entries_type, maps::map_entries).unify(maps::one_map),
    Spec::new(
        "map_from_arrays",
        &[Any, Any],
        maps::pairs_type,
        maps::map_from_arrays,
    )
    .unify(two_arrays),
    Spec::new("map_union", &[Any], returns::first, maps::map_union)
        .rest(Any)
        .unify(maps::same_maps),
];

/// The type of an ARRAY.
fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

/// The type of an ARRAY's elements; `None` if it is another type. A bare NULL is an ARRAY of
/// NULLs.
fn element_of(given: &DataType) -> Option<DataType> {
    match given {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Some(item.data_type().clone()),
        DataType::Null => Some(DataType::Null),
        _ => None,
    }
}

/// The type of the elements of the first argument.
fn element_type(args: &[DataType]) -> DataType {
    args.first().and_then(element_of).unwrap_or(DataType::Null)
}

/// The type that values of all these types can have.
pub(super) fn common_type(types: &[DataType]) -> Option<DataType> {
    let (first, rest) = types.split_first()?;
    if rest.iter().all(|other| other == first) {
        return Some(first.clone());
    }
    let known: Vec<DataType> = types.iter().filter(|one| !one.is_null()).cloned().collect();
    match known.as_slice() {
        [] => Some(DataType::Null),
        [only] => Some(only.clone()),
        known => type_union_resolution(known),
    }
}

fn one_collection(given: &[DataType]) -> Option<Vec<DataType>> {
    match given {
        [DataType::Map(..)] => Some(given.to_vec()),
        _ => one_array(given),
    }
}

fn one_array(given: &[DataType]) -> Option<Vec<DataType>> {
    let [array] = given else { return None };
    Some(vec![list_of(element_of(array)?)])
}

fn two_arrays(given: &[DataType]) -> Option<Vec<DataType>> {
    given
        .iter()
        .map(|array| Some(list_of(element_of(array)?)))
        .collect()
}

fn array_and_element(given: &[DataType]) -> Option<Vec<DataType>> {
    let [array, element] = given else { return None };
    let common = common_type(&[element_of(array)?, element.clone()])?;
    Some(vec![list_of(common.clone()), common])
}

fn same_arrays(given: &[DataType]) -> Option<Vec<DataType>> {
    let elements: Vec<DataType> = given.iter().map(element_of).collect::<Option<_>>()?;
    Some(vec![list_of(common_type(&elements)?); given.len()])
}

fn array_and(param: Param, given: &[DataType]) -> Option<Vec<DataType>> {
    let (array, rest) = given.split_first()?;
    let array = list_of(element_of(array)?);
    let rest = rest.iter().map(|other| coerce(param, other));
    std::iter::once(Some(array)).chain(rest).collect()
}

fn array_and_ints(given: &[DataType]) -> Option<Vec<DataType>> {
    array_and(Int, given)
}

fn array_and_booleans(given: &[DataType]) -> Option<Vec<DataType>> {
    array_and(Boolean, given)
}

fn texts_to_join(given: &[DataType]) -> Option<Vec<DataType>> {
    let (array, rest) = given.split_first()?;
    coerce(Param::AnyAsText, &element_of(array)?)?;
    let rest = rest.iter().map(|other| coerce(Text, other));
    std::iter::once(Some(texts_type(&[]))).chain(rest).collect()
}
