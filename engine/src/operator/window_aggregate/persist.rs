//! Window state: slices, and the watermark up to which windows have fired.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::error::{EngineError, Result};
use crate::operator::aggregate::Plan;
use crate::operator::aggregate::aggregation::Aggregation;
use crate::operator::aggregate::persist::{GROUPS, GroupsLoader, Place, SetLoader};
use crate::state::{Change, KeyedState, TableId};
use crate::time::{EventTime, MIN_WATERMARK};

/// Per key group the watermark, under an empty key.
const WATERMARKS: TableId = TableId(0);

/// Where a slice lies in keyed state: behind its end.
pub(super) fn place(slice: i64, plan: &Plan, max_parallelism: u32) -> Place {
    Place {
        prefix: slice.to_be_bytes().to_vec(),
        hashed_keys: plan.keys.len(),
        max_parallelism,
    }
}

/// The watermark in keyed state. It tells a restored operator which windows have fired and which
/// rows are late. All subtasks see the same watermark at an aligned barrier, so wherever key groups
/// come from, they agree.
pub(super) struct Watermarks {
    saved: EventTime,
}

impl Watermarks {
    /// Reads the watermark.
    pub(super) fn load(state: &dyn KeyedState) -> Result<Self> {
        let mut saved: Option<EventTime> = None;
        state.scan(WATERMARKS, &mut |_, _, value| {
            let bytes = <[u8; 8]>::try_from(value);
            let watermark = bytes.map(i64::from_be_bytes).map_err(|_| damaged())?;
            saved = Some(saved.map_or(watermark, |s| s.min(watermark)));
            Ok(())
        })?;
        Ok(Watermarks {
            saved: saved.unwrap_or(MIN_WATERMARK),
        })
    }

    /// The watermark that was read or last written.
    pub(super) fn current(&self) -> EventTime {
        self.saved
    }

    /// Writes the watermark for every key group, if it has moved.
    pub(super) fn save(&mut self, watermark: EventTime, state: &mut dyn KeyedState) -> Result<()> {
        if watermark == self.saved {
            return Ok(());
        }
        let value = watermark.to_be_bytes();
        let range = state.key_groups();
        let mut changes = (range.start..range.end).map(|group| Change {
            group,
            key: &[],
            value: Some(&value),
        });
        state.apply(WATERMARKS, &mut changes)?;
        self.saved = watermark;
        Ok(())
    }
}

fn damaged() -> EngineError {
    EngineError::state("the state of a window aggregation is damaged")
        .with_hint("restore from another checkpoint or savepoint")
}

fn split_prefix(key: &[u8]) -> Result<(i64, &[u8])> {
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
