//! What a batch has changed: the results of the touched groups before and after.

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;

use crate::element::RowKind;
use crate::error::Result;
use crate::operator::aggregate::aggregation::Aggregation;
use crate::operator::aggregate::unequal_rows;

/// The touched groups as they were.
pub(super) struct Before {
    touched: Vec<u32>,
    /// Whether the group had a result.
    existed: Vec<bool>,
    /// The results of all touched groups; those of new ones are of no account.
    values: Vec<ArrayRef>,
}

/// Result columns, the kinds of the rows, and the groups that have become empty.
type Changes = (Vec<ArrayRef>, Vec<RowKind>, Vec<u32>);

impl Before {
    /// Remembers the results of groups, given whether the groups were there at all.
    pub(super) fn of(
        aggregation: &Aggregation,
        touched: &[u32],
        existed: Vec<bool>,
    ) -> Result<Self> {
        let has_result =
            |(group, existed): (&u32, bool)| existed && (has_result(aggregation, *group));
        Ok(Before {
            touched: touched.to_vec(),
            existed: touched.iter().zip(existed).map(has_result).collect(),
            values: aggregation.values(touched)?,
        })
    }

    /// The rows that lead from the results then to the results now.
    pub(super) fn compare(
        self,
        aggregation: &Aggregation,
        emit_update_before: bool,
    ) -> Result<Changes> {
        let after = aggregation.values(&self.touched)?;
        let changed = unequal_rows(&self.values, &after, self.touched.len())?;
        let (mut picks, mut kinds, mut empty) = (Vec::new(), Vec::new(), Vec::new());
        let mut push = |kind: RowKind, position: usize| {
            picks.push((usize::from(!kind.is_retraction()), position));
            kinds.push(kind);
        };
        for (position, group) in self.touched.iter().enumerate() {
            match (self.existed[position], has_result(aggregation, *group)) {
                (false, true) => push(RowKind::Insert, position),
                (true, true) if changed[position] => {
                    if emit_update_before {
                        push(RowKind::UpdateBefore, position);
                    }
                    push(RowKind::UpdateAfter, position);
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
        Ok((columns.collect::<Result<_>>()?, kinds, empty))
    }
}

/// Without keys there is always a result, of no row if need be.
fn has_result(aggregation: &Aggregation, group: u32) -> bool {
    aggregation.plan.keys.is_empty() || aggregation.has_rows(group)
}
