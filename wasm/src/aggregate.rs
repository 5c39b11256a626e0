//! Functions of the rows of a group.
//!
//! What the engine keeps of a group is its values, so that rows can be taken back. When a result is asked for, the
//! values of all groups that have changed go into the guest at once: it takes rows into states, which are bytes that it
//! alone understands, and makes results of states. It keeps nothing between calls.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int32Array, ListArray, UInt32Array,
};
use arrow::compute::{nullif, take};

use crate::error::{GuestError, Result};
use crate::guest::Guest;
use crate::layout::Block;
use crate::scalar::Declaration;
use crate::types::ValueType;

/// The result for each group, whose values are the lists of the only column.
pub(crate) fn results(
    declared: &Declaration,
    guest: &mut Guest,
    columns: &[ArrayRef],
) -> Result<ArrayRef> {
    let lists = columns.first().and_then(|column| column.as_list_opt());
    let lists = lists.ok_or_else(|| GuestError::new("an aggregate is called with no values"))?;
    let rows = Rows::new(lists, declared.parameters.len())?;
    let groups = lists.len();
    let mut states: ArrayRef = Arc::new(BinaryArray::new_null(groups));
    if !rows.groups.is_empty() {
        let all = 0..rows.groups.len();
        states = updated(declared, guest, &rows, states, all)?;
        states = of_groups_with_rows(&states, lists)?;
    }
    let block = Block::new(&[states], &[ValueType::Bytes], groups)?;
    guest.call(&block, &declared.returns)
}

/// A group without rows has no state, whatever other groups a call was about.
fn of_groups_with_rows(states: &ArrayRef, lists: &ListArray) -> Result<ArrayRef> {
    let without =
        (0..lists.len()).map(|group| lists.is_null(group) || lists.value_length(group) == 0);
    let without = BooleanArray::from(without.collect::<Vec<_>>());
    nullif(states, &without).map_err(|error| GuestError::new(error.to_string()))
}

/// States with a range of rows in them; in several calls if the rows would take much of the guest's memory.
fn updated(
    declared: &Declaration,
    guest: &mut Guest,
    rows: &Rows,
    states: ArrayRef,
    range: Range<usize>,
) -> Result<ArrayRef> {
    let groups = states.len();
    let arguments = rows.columns.iter();
    let arguments = arguments.map(|column| column.slice(range.start, range.len()));
    let numbers = Arc::new(rows.groups.slice(range.start, range.len())) as ArrayRef;
    let columns: Vec<ArrayRef> = [Arc::clone(&states), numbers]
        .into_iter()
        .chain(arguments)
        .collect();
    let types = [ValueType::Bytes, ValueType::Int32];
    let types = types.iter().chain(&declared.parameters).cloned();
    let block = Block::of(&columns, &types.collect::<Vec<_>>(), range.len())?;
    if range.len() < 2 || block.size() <= declared.limits.block_bytes() {
        return guest.update(&block, groups);
    }
    let middle = range.start + range.len() / 2;
    let states = updated(declared, guest, rows, states, range.start..middle)?;
    updated(declared, guest, rows, states, middle..range.end)
}

/// The rows of all groups, one group behind the other.
struct Rows {
    /// The group of each.
    groups: Int32Array,
    /// The arguments.
    columns: Vec<ArrayRef>,
}

impl Rows {
    fn new(lists: &ListArray, parameters: usize) -> Result<Self> {
        let mut groups = Vec::new();
        let mut places = Vec::new();
        let offsets = lists.value_offsets().windows(2).enumerate();
        for (group, pair) in offsets.filter(|(group, _)| lists.is_valid(*group)) {
            let &[from, to] = pair else { continue };
            let group = i32::try_from(group).map_err(|_| GuestError::new("too many groups"))?;
            for place in from..to {
                groups.push(group);
                // Offsets are not negative.
                places.push(place.unsigned_abs());
            }
        }
        let places = UInt32Array::from(places);
        let values = take(lists.values(), &places, None);
        let values = values.map_err(|error| GuestError::new(error.to_string()))?;
        let columns = match (parameters, values.as_struct_opt()) {
            (1, _) => vec![values],
            (_, Some(several)) => several.columns().to_vec(),
            _ => return Err(GuestError::new("an aggregate is called with other values")),
        };
        Ok(Rows {
            groups: Int32Array::from(groups),
            columns,
        })
    }
}
