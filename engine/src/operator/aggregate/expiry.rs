//! When groups were last touched, and which have outlived their time.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Int64Type;

use super::aggregation::Aggregation;
use crate::error::Result;

impl Aggregation {
    /// Begins to note when groups are touched.
    pub(crate) fn expire_groups(&mut self) {
        self.stamps = Some(Vec::new());
    }

    /// Notes that groups were touched now.
    pub(crate) fn stamp(&mut self, groups: &[u32], now_ms: i64) {
        if let Some(stamps) = &mut self.stamps {
            for group in groups {
                stamps[*group as usize] = now_ms;
            }
        }
    }

    /// Notes when groups were touched, as keyed state says.
    pub(super) fn restore_stamps(&mut self, groups: &[u32], given: &ArrayRef) {
        let given = given.as_primitive_opt::<Int64Type>();
        if let (Some(stamps), Some(given)) = (&mut self.stamps, given) {
            for (group, stamp) in groups.iter().zip(given.values()) {
                stamps[*group as usize] = *stamp;
            }
        }
    }

    /// The groups that were last touched at `before` or earlier.
    pub(crate) fn expired(&self, before: i64) -> Vec<u32> {
        let Some(stamps) = &self.stamps else {
            return Vec::new();
        };
        let mut groups = self.groups.groups();
        groups.retain(|g| stamps[*g as usize] <= before);
        groups
    }

    /// Those of the groups of these keys that were last touched at `before` or earlier.
    pub(crate) fn expired_among(
        &self,
        keys: &[ArrayRef],
        rows: usize,
        before: i64,
    ) -> Result<Vec<u32>> {
        let Some(stamps) = &self.stamps else {
            return Ok(Vec::new());
        };
        let found = self.groups.find(&self.plan.encode_keys(keys)?, rows);
        let mut expired: Vec<u32> = found.into_iter().flatten().collect();
        expired.retain(|g| stamps[*g as usize] <= before);
        expired.sort_unstable();
        expired.dedup();
        Ok(expired)
    }
}
