//! What a batch has changed: the results of the touched groups before and after.

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;

use super::aggregation::Aggregation;
use super::kept::Touched;
use super::unequal_rows;
use crate::element::RowKind;
use crate::error::Result;

/// The touched groups as they were.
pub(crate) struct Before {
    touched: Vec<u32>,
    /// Whether the group had a result.
    existed: Vec<bool>,
    /// The results of all touched groups; those of new ones are of no account.
    values: Vec<ArrayRef>,
}

/// What a batch has changed.
pub(crate) struct Changes {
    /// The keys, then the results.
    pub(crate) columns: Vec<ArrayRef>,
    /// The kinds of the rows.
    pub(crate) kinds: Vec<RowKind>,
    /// The groups that have no result any more.
    pub(crate) empty: Vec<u32>,
    /// The groups whose result is new or another.
    pub(crate) changed: Vec<u32>,
}

impl Before {
    /// Remembers the results of groups; `has_result` says of those that were there whether they had one.
    pub(crate) fn of(
        aggregation: &Aggregation,
        touched: Touched,
        has_result: impl Fn(u32) -> bool,
    ) -> Result<Self> {
        let Touched { groups, existed } = touched;
        let had = |(group, existed): (&u32, bool)| existed && has_result(*group);
        Ok(Before {
            existed: groups.iter().zip(existed).map(had).collect(),
            values: aggregation.values(&groups)?,
            touched: groups,
        })
    }

    /// The touched groups.
    pub(crate) fn touched(&self) -> &[u32] {
        &self.touched
    }

    /// The rows that lead from the results then to the results now.
    pub(crate) fn compare(
        self,
        aggregation: &Aggregation,
        has_result: impl Fn(u32) -> bool,
        emit_update_before: bool,
    ) -> Result<Changes> {
        let after = aggregation.values(&self.touched)?;
        let changed = unequal_rows(&self.values, &after, self.touched.len())?;
        let (mut picks, mut kinds) = (Vec::new(), Vec::new());
        let (mut empty, mut changed_groups) = (Vec::new(), Vec::new());
        let mut push = |kind: RowKind, position: usize| {
            picks.push((usize::from(!kind.is_retraction()), position));
            kinds.push(kind);
        };
        for (position, group) in self.touched.iter().enumerate() {
            match (self.existed[position], has_result(*group)) {
                (false, true) => {
                    push(RowKind::Insert, position);
                    changed_groups.push(*group);
                }
                (true, true) if changed[position] => {
                    if emit_update_before {
                        push(RowKind::UpdateBefore, position);
                    }
                    push(RowKind::UpdateAfter, position);
                    changed_groups.push(*group);
                }
                (true, true) => {}
                (existed, false) => {
                    if existed {
                        push(RowKind::Delete, position);
                    }
                    empty.push(*group);
                }
            }
        }
        let keys = aggregation.keys(&self.touched)?;
        let keys = keys.iter().map(|key| (key, key));
        let pairs = keys.chain(self.values.iter().zip(&after));
        let columns = pairs.map(|(before, after)| {
            let sources: [&dyn Array; 2] = [before.as_ref(), after.as_ref()];
            Ok(interleave(&sources, &picks)?)
        });
        Ok(Changes {
            columns: columns.collect::<Result<_>>()?,
            kinds,
            empty,
            changed: changed_groups,
        })
    }
}
