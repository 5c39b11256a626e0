//! What groups have accumulated, as columns for the other side of an exchange and for keyed state.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, StructArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};

use super::{Aggregation, Pending};
use crate::error::Result;

impl Aggregation {
    /// Row counts and the columns of calls without a set.
    pub(in crate::operator::aggregate) fn plain_partials(
        &self,
        groups: &[u32],
    ) -> Result<Vec<ArrayRef>> {
        let plain = self.plan.plain().map(|(position, _)| position);
        self.partials_of(groups, plain)
    }

    /// Row counts and the columns of calls that keyed state has.
    pub(in crate::operator::aggregate) fn stored_partials(
        &self,
        groups: &[u32],
    ) -> Result<Vec<ArrayRef>> {
        let stored = self.plan.stored().map(|(position, _)| position);
        self.partials_of(groups, stored)
    }

    fn partials_of(
        &self,
        groups: &[u32],
        calls: impl Iterator<Item = usize>,
    ) -> Result<Vec<ArrayRef>> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        if self.plan.updating {
            let counts = groups.iter().map(|g| self.row_counts[*g as usize]);
            columns.push(Arc::new(Int64Array::from_iter_values(counts)));
        }
        for position in calls {
            columns.extend(self.accumulators[position].partials(groups)?);
        }
        Ok(columns)
    }

    /// Partial columns of groups, for [`Aggregation::merge`] on the other side of an exchange. Of
    /// distinct sets a local phase sends what has come since it last did, and `groups` must be all
    /// those touched since.
    pub(crate) fn partials(&mut self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = self.plain_partials(groups)?;
        if self.sets.is_empty() {
            return Ok(columns);
        }
        let pending = self
            .pending
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        self.positions.resize(self.groups.capacity(), 0);
        for (at, group) in groups.iter().enumerate() {
            self.positions[*group as usize] = at;
        }
        for set in 0..self.sets.len() {
            let own: Vec<Pending> = pending.iter().filter(|p| p.set == set).copied().collect();
            columns.push(self.list_of(set, groups, &own)?);
        }
        Ok(columns)
    }

    fn list_of(&self, set: usize, groups: &[u32], pending: &[Pending]) -> Result<ArrayRef> {
        let entries: Vec<u32> = pending.iter().map(|p| p.entry).collect();
        let (of_entries, _) = self.sets[set].keys(&entries)?;
        // A counting sort by the position of the entry's group.
        let position = &self.positions;
        let mut lengths = vec![0usize; groups.len()];
        for group in &of_entries {
            lengths[position[*group as usize]] += 1;
        }
        let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
        let mut next: Vec<usize> = offsets.iter().map(|o| *o as usize).collect();
        let mut order = vec![0usize; pending.len()];
        for (at, group) in of_entries.iter().enumerate() {
            let slot = &mut next[position[*group as usize]];
            order[*slot] = at;
            *slot += 1;
        }
        let entries: Vec<u32> = order.iter().map(|at| entries[*at]).collect();
        let (_, values) = self.sets[set].keys(&entries)?;
        let plan = &self.plan.sets[set];
        let values = self.plan.arguments[plan.argument].1.decode(values)?;
        let calls = UInt64Array::from_iter_values(order.iter().map(|at| pending[*at].calls));
        let fields = self.plan.set_fields(plan);
        let item = Field::new("item", DataType::Struct(fields.clone()), false);
        let items = StructArray::try_new(fields, vec![values, Arc::new(calls)], None)?;
        let list = ListArray::try_new(Arc::new(item), offsets, Arc::new(items), None)?;
        Ok(Arc::new(list))
    }
}
