//! Window state: slices in keyed state.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::{EngineError, Result};
use crate::operator::aggregate::Plan;
use crate::operator::aggregate::aggregation::Aggregation;
use crate::operator::aggregate::pages::behind;
use crate::operator::aggregate::persist::{GROUPS, GroupsLoader, Place, SetLoader};
use crate::state::{KeyedState, Order};

/// Where a slice lies in keyed state: behind its end.
pub(super) fn place(slice: i64, plan: &Plan, max_parallelism: u32) -> Place {
    Place {
        prefix: slice.to_be_bytes().to_vec(),
        hashed_keys: plan.keys.len(),
        max_parallelism,
    }
}

pub(super) fn damaged() -> EngineError {
    EngineError::state("the state of a window aggregation is damaged")
        .with_hint("restore from another checkpoint or savepoint")
}

/// The end of the slice, and the key in it.
pub(in super::super) fn split_prefix(key: &[u8]) -> Result<(i64, &[u8])> {
    let (slice, rest) = key.split_first_chunk::<8>().ok_or_else(damaged)?;
    Ok((i64::from_be_bytes(*slice), rest))
}

/// Reads all slices.
pub(super) fn load_slices(
    plan: &Arc<Plan>,
    state: &dyn KeyedState,
) -> Result<BTreeMap<i64, Aggregation>> {
    let mut slices = BTreeMap::new();
    let mut loaders = BTreeMap::new();
    state.scan(GROUPS, &mut |_, key, row| {
        let (slice, key) = split_prefix(key)?;
        if let Entry::Vacant(entry) = slices.entry(slice) {
            let aggregation = entry.insert(Aggregation::new(plan.clone())?);
            loaders.insert(slice, GroupsLoader::new(aggregation)?);
        }
        match (loaders.get_mut(&slice), slices.get_mut(&slice)) {
            (Some(loader), Some(aggregation)) => loader.push(aggregation, key, row),
            _ => Err(damaged()),
        }
    })?;
    for (slice, mut loader) in loaders {
        if let Some(aggregation) = slices.get_mut(&slice) {
            loader.flush(aggregation)?;
        }
    }
    for set in 0..plan.sets.len() {
        load_sets(plan, set, &mut slices, state)?;
    }
    Ok(slices)
}

fn load_sets(
    plan: &Plan,
    set: usize,
    slices: &mut BTreeMap<i64, Aggregation>,
    state: &dyn KeyedState,
) -> Result<()> {
    let mut loaders: BTreeMap<i64, SetLoader> = BTreeMap::new();
    state.scan(plan.stored.table(set)?, &mut |_, key, row| {
        let (slice, key) = split_prefix(key)?;
        let aggregation = slices.get_mut(&slice).ok_or_else(damaged)?;
        let loader = loaders
            .entry(slice)
            .or_insert_with(|| SetLoader::new(aggregation, set));
        loader.push(aggregation, key, row)
    })?;
    for (slice, mut loader) in loaders {
        if let Some(aggregation) = slices.get_mut(&slice) {
            loader.flush(aggregation)?;
        }
    }
    Ok(())
}

/// Which slices keyed state has: only where state is kept.
pub(super) fn stored_slices(state: &dyn KeyedState) -> Result<BTreeSet<i64>> {
    let mut slices = BTreeSet::new();
    let range = state.key_groups();
    for group in range.start..range.end {
        let mut from = Some(vec![]);
        while let Some(start) = from.take() {
            // The first group of the next slice.
            let all = start.as_slice()..[0xFF; 9].as_slice();
            state.scan_range(GROUPS, group, all, Order::Ascending, &mut |key, _| {
                let (slice, _) = split_prefix(key)?;
                slices.insert(slice);
                from = Some(behind(&slice.to_be_bytes()));
                Ok(false)
            })?;
        }
    }
    Ok(slices)
}
