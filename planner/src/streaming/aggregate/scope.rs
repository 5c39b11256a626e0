//! The columns of a window node: which expressions are about rows, and which about windows.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::physical_expr::utils::split_conjunction;

use super::grouping::{Grouping, RawCall};
use crate::streaming::calc::and;
use crate::streaming::expression::{self, ExprRef};
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// Where a key of the query comes from after a window aggregate.
pub(super) enum KeySource {
    /// A key of the aggregate, by position.
    Key(usize),
    /// An expression over `window_start`, `window_end`, `window_time` (columns 0, 1 and 2).
    Window(ExprRef),
}

/// The keys of a query over a window.
#[derive(Default)]
pub(super) struct SplitKeys {
    /// Those about rows.
    pub(super) keys: Vec<ExprRef>,
    /// Their names.
    pub(super) names: Vec<String>,
    /// Which keys of the query they are.
    pub(super) places: Vec<usize>,
    /// Where each key of the query is found.
    pub(super) sources: Vec<KeySource>,
}

/// The columns of a window node: `width` of the row, then three of the window.
pub(super) struct Scope {
    pub(super) width: usize,
    pub(super) location: Option<Location>,
}

impl Scope {
    pub(super) fn is_row(&self, columns: &BTreeSet<usize>) -> bool {
        columns.iter().all(|c| *c < self.width)
    }

    pub(super) fn is_window(&self, columns: &BTreeSet<usize>) -> bool {
        columns.iter().all(|c| *c >= self.width)
    }

    /// Over `window_start`, `window_end` and `window_time` as columns 0, 1 and 2.
    pub(super) fn over_window(&self, expr: &ExprRef) -> Result<ExprRef, PlanError> {
        let before = (0..self.width).map(|_| window_column(0));
        let columns: Vec<ExprRef> = before.chain((0..3).map(window_column)).collect();
        expression::substitute(expr, &columns)
    }

    /// The part of a condition about rows, and the part about windows.
    pub(super) fn split_filter(
        &self,
        filter: Option<ExprRef>,
    ) -> Result<(Option<ExprRef>, Option<ExprRef>), PlanError> {
        let (mut below, mut above) = (None, None);
        let Some(filter) = filter else {
            return Ok((below, above));
        };
        for part in split_conjunction(&filter) {
            let columns = expression::columns_of(part);
            if self.is_row(&columns) {
                below = and(below, Some(Arc::clone(part)));
            } else if self.is_window(&columns) {
                above = and(above, Some(self.over_window(part)?));
            } else {
                return Err(self.mixed("a condition"));
            }
        }
        Ok((below, above))
    }

    pub(super) fn split_keys(&self, grouping: &Grouping) -> Result<SplitKeys, PlanError> {
        let mut split = SplitKeys::default();
        let named = grouping.keys.iter().zip(&grouping.key_names);
        for (place, (key, name)) in named.enumerate() {
            let columns = expression::columns_of(key);
            if self.is_row(&columns) {
                split.sources.push(KeySource::Key(split.keys.len()));
                split.keys.push(Arc::clone(key));
                split.names.push(name.clone());
                split.places.push(place);
            } else if self.is_window(&columns) && grouping.always(place) {
                split
                    .sources
                    .push(KeySource::Window(self.over_window(key)?));
            } else {
                return Err(self.mixed("a key"));
            }
        }
        Ok(split)
    }

    pub(super) fn check_call(&self, call: &RawCall) -> Result<(), PlanError> {
        let parts = call.argument.iter().chain(&call.filter);
        for part in parts {
            if !self.is_row(&expression::columns_of(part)) {
                return Err(self.mixed("an aggregate"));
            }
        }
        Ok(())
    }

    pub(super) fn mixed(&self, what: &str) -> PlanError {
        PlanError::unsupported(
            format!("{what} over columns of the window in the same SELECT as the window"),
            self.location,
        )
        .hint("compute it in an outer SELECT, from the result of the aggregation")
    }
}

/// `window_start`, `window_end` or `window_time` in an expression about a window.
pub(super) fn window_column(index: usize) -> ExprRef {
    use datafusion::physical_expr::expressions::Column;
    Arc::new(Column::new("window", index))
}

/// Sessions are found by their own keys, so rows must be grouped by just these.
pub(super) fn check_session_keys(
    session: &[ExprRef],
    keys: &[ExprRef],
    location: Option<Location>,
) -> Result<(), PlanError> {
    let same = session.iter().all(|key| keys.contains(key))
        && keys.iter().all(|key| session.contains(key));
    if same {
        return Ok(());
    }
    let shown = |exprs: &[ExprRef]| match exprs {
        [] => "none".to_string(),
        some => some
            .iter()
            .map(expression::text)
            .collect::<Vec<_>>()
            .join(", "),
    };
    Err(PlanError::new(
        PlanErrorKind::InvalidWindow,
        format!(
            "the keys of SESSION ({}) and of GROUP BY ({}) differ",
            shown(session),
            shown(keys)
        ),
    )
    .hint("write SESSION(TABLE t PARTITION BY k, …) with the keys that GROUP BY has beside the window")
    .at(location))
}

/// Rows of several keys do not have sessions in common.
pub(super) fn check_session_sets(
    grouping: &Grouping,
    location: Option<Location>,
) -> Result<(), PlanError> {
    match (0..grouping.keys.len()).all(|key| grouping.always(key)) {
        true => Ok(()),
        false => Err(PlanError::unsupported(
            "a set without the keys of SESSION on streams",
            location,
        )
        .hint("aggregate the result of the sessions once more, by fewer columns")),
    }
}
