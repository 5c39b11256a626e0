//! The value of the last row, NULL or not: what a column of a kept row is.

use arrow::array::ArrayRef;

use super::{Accumulator, Rows, unsupported};
use crate::error::Result;
use crate::graph::AggregateCall;
use crate::operator::aggregate::lane::{Codec, Lane};
use crate::operator::aggregate::store::LaneStore;

/// The last value.
pub(super) struct Last {
    call: AggregateCall,
    codec: Codec,
    store: LaneStore,
}

impl Last {
    pub(super) fn new(call: &AggregateCall) -> Result<Self> {
        let codec = Codec::new(&call.argument_type.0)?;
        Ok(Last {
            call: call.clone(),
            store: LaneStore::new(codec.kind()),
            codec,
        })
    }

    fn set(&mut self, groups: &[u32], lane: &Lane) {
        let rows = groups.iter().enumerate();
        self.store.set(lane, rows.map(|(row, group)| (*group, row)));
    }
}

impl Accumulator for Last {
    fn resize(&mut self, groups: usize) {
        self.store.resize(groups);
    }

    /// Takes NULLs too, whatever `rows` says of them: a NULL replaces a value.
    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        let lane = argument.ok_or_else(|| unsupported(&self.call))?;
        self.set(rows.groups, lane);
        Ok(())
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        let [column] = partials else {
            return Err(unsupported(&self.call));
        };
        let lane = self.codec.encode(column)?;
        self.set(groups, &lane);
        Ok(())
    }

    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.values(groups)?])
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        self.codec.decode(self.store.lane(groups)?)
    }

    fn reset(&mut self, groups: &[u32]) {
        self.store.clear(groups);
    }

    fn size_bytes(&self) -> usize {
        self.store.size_bytes()
    }
}
