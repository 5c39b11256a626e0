//! Late rows within the allowed lateness: windows that have fired fire again, as updates.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use arrow::compute::interleave_record_batch;

use super::sliced::SlicedAggregate;
use crate::element::{Batch, RowKind};
use crate::error::Result;
use crate::operator::Output;
use crate::operator::aggregate::aggregation::Aggregation;
use crate::operator::aggregate::unequal_rows;
use crate::operator::window::Windows;
use crate::operator::window::split::Lateness;

/// The ends of the windows with a slice that have fired and still take rows.
pub(super) fn fired_ends(
    windows: &Windows,
    slice: i64,
    lateness: Lateness,
) -> impl Iterator<Item = i64> + use<> {
    let ends = windows.window_ends(slice);
    ends.filter(move |end| *end <= lateness.watermark && !lateness.is_closed(*end))
}

/// The results that late rows are about to change.
pub(super) struct Refire {
    keys: Vec<ArrayRef>,
    rows: usize,
    /// By window end: the keys' results before.
    before: BTreeMap<i64, Part>,
}

/// Some keys of a window: all of them are groups, and those that have rows are present.
pub(super) struct Part {
    aggregation: Aggregation,
    present: Vec<bool>,
}

impl Part {
    /// Adds what the slices of the window have of keys that it does not know yet.
    pub(super) fn add(
        &mut self,
        operator: &SlicedAggregate,
        window_end: i64,
        keys: &[ArrayRef],
        rows: usize,
    ) -> Result<()> {
        let window = &mut self.aggregation;
        window.intern(keys, rows, &mut Vec::new())?;
        let created: Vec<u32> = window.groups.created().collect();
        if created.is_empty() {
            return Ok(());
        }
        self.present.resize(window.groups.capacity(), false);
        let lanes = window.groups.keys(&created)?;
        for slice in operator.slices_in(window_end) {
            let found = slice.groups.find(&lanes, created.len());
            for (group, found) in created.iter().zip(&found) {
                self.present[*group as usize] |= found.is_some();
            }
            let found: Vec<u32> = found.into_iter().flatten().collect();
            window.merge_from(slice, &found)?;
        }
        Ok(())
    }

    /// The columns of its keys, in order of appearance, and how many there are.
    pub(super) fn keys(&self) -> Result<(Vec<ArrayRef>, usize)> {
        let groups = self.aggregation.groups.groups();
        Ok((self.aggregation.keys(&groups)?, groups.len()))
    }

    /// Roughly the memory in use.
    pub(super) fn size_bytes(&self) -> usize {
        self.aggregation.size_bytes() + self.present.capacity()
    }

    fn has_rows(&self, group: u32) -> bool {
        self.present[group as usize] && self.aggregation.has_rows(group)
    }
}

impl Refire {
    /// Remembers the results of these keys in the windows of a slice that have fired when their key
    /// groups have got as far as `lateness` says; `None` when none has, which is the rule.
    pub(super) fn begin(
        operator: &SlicedAggregate,
        slice: i64,
        lateness: Lateness,
        keys: &[ArrayRef],
        rows: usize,
    ) -> Result<Option<Self>> {
        if lateness.allowed_ms == 0 {
            return Ok(None);
        }
        let mut before = BTreeMap::new();
        for end in fired_ends(&operator.windows, slice, lateness) {
            before.insert(end, window_of(operator, end, keys, rows)?);
        }
        Ok((!before.is_empty()).then(|| Refire {
            keys: keys.to_vec(),
            rows,
            before,
        }))
    }

    /// Emits how the results have changed.
    pub(super) fn finish(self, operator: &SlicedAggregate, output: &mut Output) -> Result<()> {
        for (end, before) in self.before {
            let after = window_of(operator, end, &self.keys, self.rows)?;
            emit_changes(operator, end, &before, &after, output)?;
        }
        Ok(())
    }
}

/// The window's aggregation, of these keys only, numbered in order of appearance.
pub(super) fn window_of(
    operator: &SlicedAggregate,
    window_end: i64,
    keys: &[ArrayRef],
    rows: usize,
) -> Result<Part> {
    let mut part = Part {
        aggregation: Aggregation::new(operator.plan.clone())?,
        present: Vec::new(),
    };
    part.add(operator, window_end, keys, rows)?;
    Ok(part)
}

pub(super) fn emit_changes(
    operator: &SlicedAggregate,
    window_end: i64,
    before: &Part,
    after: &Part,
    output: &mut Output,
) -> Result<()> {
    let groups = after.aggregation.groups.groups();
    let old = operator
        .results
        .rows(&before.aggregation, &groups, window_end)?;
    let new = operator
        .results
        .rows(&after.aggregation, &groups, window_end)?;
    let changed = unequal_rows(old.columns(), new.columns(), groups.len())?;
    let (mut picks, mut kinds) = (Vec::new(), Vec::new());
    for group in groups {
        let row = group as usize;
        let mut push = |kind: RowKind| {
            picks.push((usize::from(!kind.is_retraction()), row));
            kinds.push(kind);
        };
        match (before.has_rows(group), after.has_rows(group)) {
            (false, true) => push(RowKind::Insert),
            (true, false) => push(RowKind::Delete),
            (true, true) if changed[row] => {
                push(RowKind::UpdateBefore);
                push(RowKind::UpdateAfter);
            }
            _ => {}
        }
    }
    let rows = interleave_record_batch(&[&old, &new], &picks)?;
    let batch = Batch::with_kinds(rows, kinds)?;
    output.emit_chunks(batch, operator.results.batch_rows);
    Ok(())
}
