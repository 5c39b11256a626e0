//! `MIN` and `MAX` over rows that may be taken back.
//!
//! A distinct set counts how often each value is there and tells this accumulator when one comes or
//! goes; what is kept here is their order.

use std::collections::BTreeSet;

use arrow::array::ArrayRef;

use super::{Accumulator, Rows, unsupported};
use crate::error::{EngineError, Result};
use crate::graph::{AggregateCall, AggregateFunction};
use crate::operator::aggregate::lane::{Codec, Lane, LaneKind, Values};
use crate::operator::aggregate::store::LaneStore;

/// The values of each group in order.
pub(super) struct OrderedSet {
    call: AggregateCall,
    codec: Codec,
    sets: Sets,
}

enum Sets {
    I64(Vec<BTreeSet<i64>>),
    I128(Vec<BTreeSet<i128>>),
    Bytes(Vec<BTreeSet<Box<[u8]>>>),
}

impl OrderedSet {
    pub(super) fn new(call: &AggregateCall) -> Result<Self> {
        let codec = Codec::new(&call.argument_type.0)?;
        let sets = match codec.kind() {
            LaneKind::I64 => Sets::I64(Vec::new()),
            LaneKind::I128 => Sets::I128(Vec::new()),
            LaneKind::Bytes => Sets::Bytes(Vec::new()),
        };
        Ok(OrderedSet {
            call: call.clone(),
            codec,
            sets,
        })
    }

    /// The extreme of each group as a store of its own.
    fn extremes(&self, groups: &[u32]) -> Result<Lane> {
        let greatest = self.call.function == AggregateFunction::Max;
        let mut store = LaneStore::new(self.codec.kind());
        store.resize(groups.len());
        let mut present = Vec::new();
        let lane = match &self.sets {
            Sets::I64(sets) => {
                let best = pick(sets, groups, greatest, &mut present).copied();
                Lane {
                    values: Values::I64(best.collect()),
                    nulls: None,
                }
            }
            Sets::I128(sets) => {
                let best = pick(sets, groups, greatest, &mut present).copied();
                Lane {
                    values: Values::I128(best.collect()),
                    nulls: None,
                }
            }
            Sets::Bytes(sets) => {
                let best = pick(sets, groups, greatest, &mut present);
                let best = best.map(|b| b.as_ref());
                Lane {
                    values: Values::Bytes(arrow::array::BinaryArray::from_iter_values(best)),
                    nulls: None,
                }
            }
        };
        store.set(&lane, present.into_iter().zip(0..));
        let all: Vec<u32> = (0..groups.len() as u32).collect();
        store.lane(&all)
    }
}

/// The extremes of the groups that have one; `present` gets those groups' positions.
fn pick<'a, T: Ord>(
    sets: &'a [BTreeSet<T>],
    groups: &[u32],
    greatest: bool,
    present: &mut Vec<u32>,
) -> std::vec::IntoIter<&'a T> {
    let mut best = Vec::with_capacity(groups.len());
    for (position, group) in groups.iter().enumerate() {
        let set = &sets[*group as usize];
        let value = if greatest { set.last() } else { set.first() };
        if let Some(value) = value {
            best.push(value);
            present.push(position as u32);
        }
    }
    best.into_iter()
}

fn change<T: Ord>(set: &mut BTreeSet<T>, value: T, sign: i64) {
    if sign > 0 {
        set.insert(value);
    } else {
        set.remove(&value);
    }
}

impl Accumulator for OrderedSet {
    fn resize(&mut self, groups: usize) {
        match &mut self.sets {
            Sets::I64(sets) => sets.resize_with(groups, BTreeSet::new),
            Sets::I128(sets) => sets.resize_with(groups, BTreeSet::new),
            Sets::Bytes(sets) => sets.resize_with(groups, BTreeSet::new),
        }
    }

    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        let lane = argument.ok_or_else(|| unsupported(&self.call))?;
        match (&mut self.sets, &lane.values) {
            (Sets::I64(sets), Values::I64(values)) => {
                rows.for_each(|row, group, sign| change(&mut sets[group], values[row], sign));
            }
            (Sets::I128(sets), Values::I128(values)) => {
                rows.for_each(|row, group, sign| change(&mut sets[group], values[row], sign));
            }
            (Sets::Bytes(sets), Values::Bytes(values)) => rows.for_each(|row, group, sign| {
                change(&mut sets[group], values.value(row).into(), sign);
            }),
            _ => return Err(unsupported(&self.call)),
        }
        Ok(())
    }

    fn merge(&mut self, _groups: &[u32], _partials: &[ArrayRef]) -> Result<()> {
        Err(EngineError::internal("a set is merged by its distinct set"))
    }

    fn partials(&self, _groups: &[u32]) -> Result<Vec<ArrayRef>> {
        Err(EngineError::internal("a set is kept by its distinct set"))
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        self.codec.decode(self.extremes(groups)?)
    }

    fn reset(&mut self, groups: &[u32]) {
        for group in groups {
            match &mut self.sets {
                Sets::I64(sets) => sets[*group as usize].clear(),
                Sets::I128(sets) => sets[*group as usize].clear(),
                Sets::Bytes(sets) => sets[*group as usize].clear(),
            }
        }
    }

    fn size_bytes(&self) -> usize {
        // A tree node's share per value, beside the value.
        match &self.sets {
            Sets::I64(sets) => sets.iter().map(|s| 24 + s.len() * 12).sum(),
            Sets::I128(sets) => sets.iter().map(|s| 24 + s.len() * 24).sum(),
            Sets::Bytes(sets) => sets.iter().map(|s| 24 + s.len() * 48).sum(),
        }
    }
}
