//! `FIRST_VALUE` and `LAST_VALUE` over rows that are never taken back.

use arrow::array::ArrayRef;

use super::{Accumulator, Rows, unsupported};
use crate::error::Result;
use crate::graph::{AggregateCall, AggregateFunction};
use crate::operator::aggregate::lane::{Codec, Lane};
use crate::operator::aggregate::store::LaneStore;

/// The first or the last value that is not NULL.
pub(super) struct End {
    call: AggregateCall,
    first: bool,
    codec: Codec,
    store: LaneStore,
}

impl End {
    pub(super) fn new(call: &AggregateCall) -> Result<Self> {
        if call.result_type != call.argument_type {
            return Err(unsupported(call));
        }
        let codec = Codec::new(&call.argument_type.0)?;
        Ok(End {
            call: call.clone(),
            first: call.function == AggregateFunction::FirstValue,
            store: LaneStore::new(codec.kind()),
            codec,
        })
    }
}

impl Accumulator for End {
    fn resize(&mut self, groups: usize) {
        self.store.resize(groups);
    }

    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        let lane = argument.ok_or_else(|| unsupported(&self.call))?;
        let mut pairs = Vec::new();
        if self.first {
            let store = &mut self.store;
            rows.for_each(|row, group, _| {
                let group = group as u32;
                if !store.is_valid(group) {
                    store.set(lane, std::iter::once((group, row)));
                }
            });
        } else {
            rows.for_each(|row, group, _| pairs.push((group as u32, row)));
            self.store.set(lane, pairs.into_iter());
        }
        Ok(())
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        let [column] = partials else {
            return Err(unsupported(&self.call));
        };
        let lane = self.codec.encode(column)?;
        let rows = Rows {
            groups,
            valid: lane.validity(),
            signs: None,
        };
        self.update(&rows, Some(&lane))
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
