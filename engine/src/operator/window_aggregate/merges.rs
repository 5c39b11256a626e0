//! Merging the slices of a window, without merging the same slices again for the next window.
//!
//! CUMULATE keeps the running merge of its current windows. Long HOP windows keep merges of two,
//! four, eight … neighbouring slices, so that a window of n slices takes about 2·log n merges. All
//! of this is derived from the slices, is not part of keyed state, and is dropped where a slice
//! changes behind it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::error::Result;
use crate::operator::aggregate::Plan;
use crate::operator::aggregate::aggregation::Aggregation;
use crate::operator::window::Windows;

/// Windows of fewer slices are merged slice by slice.
const MIN_TREE_SLICES: i64 = 12;

/// Open slices by number.
pub(super) type Slices = BTreeMap<i64, Aggregation>;

/// What has been merged of the slices of one operator.
pub(super) struct Merges {
    plan: Arc<Plan>,
    kind: Kind,
}

enum Kind {
    /// Nothing is kept.
    Direct,
    /// The merge of all slices from a window's start to the end of the last that has fired.
    Running(Option<Running>),
    /// By level and index: the merge of the slices `index << level .. (index + 1) << level`.
    Tree(BTreeMap<(u32, i64), Aggregation>),
}

struct Running {
    start: i64,
    until: i64,
    merged: Aggregation,
}

impl Merges {
    pub(super) fn new(plan: Arc<Plan>, windows: &Windows) -> Self {
        let kind = if windows.is_cumulative() {
            Kind::Running(None)
        } else if windows.slices_per_window() >= MIN_TREE_SLICES {
            Kind::Tree(BTreeMap::new())
        } else {
            Kind::Direct
        };
        Merges { plan, kind }
    }

    /// A slice is about to change, which makes what was merged of it worthless.
    pub(super) fn invalidate(&mut self, windows: &Windows, slice_end: i64) {
        match &mut self.kind {
            Kind::Direct => {}
            Kind::Running(running) => {
                let stale = |r: &Running| r.start < slice_end && slice_end <= r.until;
                if running.as_ref().is_some_and(stale) {
                    *running = None;
                }
            }
            Kind::Tree(nodes) if nodes.is_empty() => {}
            Kind::Tree(nodes) => {
                let number = windows.slice_number(slice_end);
                let levels = nodes.last_key_value().map_or(0, |((level, _), _)| *level);
                for level in 1..=levels {
                    nodes.remove(&(level, number >> level));
                }
            }
        }
    }

    /// Forgets merges that contain slices which no open window wants: those up to `closed_until`.
    pub(super) fn drop_until(&mut self, windows: &Windows, closed_until: i64) {
        match &mut self.kind {
            Kind::Direct => {}
            Kind::Running(running) => {
                if running.as_ref().is_some_and(|r| r.start < closed_until) {
                    *running = None;
                }
            }
            Kind::Tree(nodes) => {
                let closed = windows.slice_number(closed_until);
                nodes.retain(|(level, index), _| (index << level) > closed);
            }
        }
    }

    /// Roughly the memory in use.
    pub(super) fn size_bytes(&self) -> usize {
        match &self.kind {
            Kind::Direct => 0,
            Kind::Running(running) => running.as_ref().map_or(0, |r| r.merged.size_bytes()),
            Kind::Tree(nodes) => nodes.values().map(Aggregation::size_bytes).sum(),
        }
    }

    /// Calls `visit` with the aggregation of the window's slices; not at all when it has none.
    pub(super) fn window(
        &mut self,
        windows: &Windows,
        slices: &Slices,
        window_end: i64,
        visit: &mut dyn FnMut(&Aggregation) -> Result<()>,
    ) -> Result<()> {
        let start = windows.start(window_end);
        let range = start + 1..=window_end;
        let mut own = slices.range(range.clone());
        match (own.next(), own.next()) {
            (None, _) => return Ok(()),
            (Some((_, only)), None) => return visit(only),
            _ => {}
        }
        let plan = self.plan.clone();
        match &mut self.kind {
            Kind::Direct => {
                let mut merged = Aggregation::new(plan)?;
                merge_range(&mut merged, slices, range)?;
                visit(&merged)
            }
            Kind::Running(running) => {
                let before = running
                    .take()
                    .filter(|r| r.start == start && r.until < window_end);
                let (mut merged, from) = match before {
                    Some(running) => (running.merged, running.until),
                    None => (Aggregation::new(plan)?, start),
                };
                merge_range(&mut merged, slices, from + 1..=window_end)?;
                visit(&merged)?;
                *running = Some(Running {
                    start,
                    until: window_end,
                    merged,
                });
                Ok(())
            }
            Kind::Tree(nodes) => {
                let mut merged = Aggregation::new(plan.clone())?;
                let mut tree = Tree {
                    plan,
                    windows,
                    slices,
                    nodes,
                };
                let (first, last) = (
                    windows.slice_number(start) + 1,
                    windows.slice_number(window_end),
                );
                tree.merge(&mut merged, first, last)?;
                visit(&merged)
            }
        }
    }
}

fn merge_range(
    merged: &mut Aggregation,
    slices: &Slices,
    range: RangeInclusive<i64>,
) -> Result<()> {
    for (_, slice) in slices.range(range) {
        merged.merge_from(slice, &slice.groups.groups())?;
    }
    Ok(())
}

struct Tree<'a> {
    plan: Arc<Plan>,
    windows: &'a Windows,
    slices: &'a Slices,
    nodes: &'a mut BTreeMap<(u32, i64), Aggregation>,
}

impl Tree<'_> {
    /// Merges the slices with numbers from `first` to `last` by the largest nodes that fit.
    fn merge(&mut self, into: &mut Aggregation, first: i64, last: i64) -> Result<()> {
        let mut next = first;
        while next <= last {
            let aligned = next.trailing_zeros().min(62);
            let room = (last - next + 1).ilog2();
            let level = aligned.min(room);
            self.add_node(into, level, next >> level)?;
            next += 1 << level;
        }
        Ok(())
    }

    /// Merges one node, which is made and kept if it joins several slices.
    fn add_node(&mut self, into: &mut Aggregation, level: u32, index: i64) -> Result<()> {
        let (first, last) = (index << level, ((index + 1) << level) - 1);
        let ends = self.windows.slice_end_of(first)..=self.windows.slice_end_of(last);
        let mut own = self.slices.range(ends).map(|(_, slice)| slice);
        match (own.next(), own.next()) {
            (None, _) => return Ok(()),
            (Some(only), None) => return into.merge_from(only, &only.groups.groups()),
            _ => {}
        }
        if !self.nodes.contains_key(&(level, index)) {
            let mut node = Aggregation::new(self.plan.clone())?;
            self.add_node(&mut node, level - 1, index * 2)?;
            self.add_node(&mut node, level - 1, index * 2 + 1)?;
            self.nodes.insert((level, index), node);
        }
        match self.nodes.get(&(level, index)) {
            Some(node) => into.merge_from(node, &node.groups.groups()),
            None => Ok(()),
        }
    }
}
