//! What an update of a row leaves as it is.
//!
//! An update is the row as it was and, right behind it, the row as it is. Where both are put to their elements with
//! equal columns, their first elements that are equal would go and come again with the same numbers. Without that, a list
//! that grows by one element at its end gives one row, however long it is.

use std::cmp::Ordering;

use arrow::array::{ArrayRef, make_comparator};
use arrow::compute::SortOptions;

use super::Elements;
use crate::element::{Batch, RowKind};
use crate::graph::{UnnestColumn, UnnestSpec};

type Compare = Box<dyn Fn(usize, usize) -> Ordering + Send + Sync>;

/// By row: how many of its first elements neither go nor come; for a row without elements 1, if it stays.
/// `None` if there is no update, or of types that are not compared.
pub(super) fn elements(
    batch: &Batch,
    elements: &Elements,
    spec: &UnnestSpec,
) -> Option<Vec<usize>> {
    let updated = |row: usize| {
        batch.kind(row) == RowKind::UpdateBefore && batch.kind(row + 1) == RowKind::UpdateAfter
    };
    batch.kinds()?;
    let rows = 0..batch.num_rows().saturating_sub(1);
    let updates: Vec<usize> = rows.filter(|row| updated(*row)).collect();
    if updates.is_empty() {
        return None;
    }
    let columns = spec.columns.iter().filter_map(|column| match column {
        UnnestColumn::Input(index) => Some(compare(batch.column(*index))),
        _ => None,
    });
    let columns: Vec<Compare> = columns.collect::<Option<_>>()?;
    let element = compare(&elements.values)?;
    let mut unchanged = vec![0; batch.num_rows()];
    for row in updates {
        if !columns.iter().all(|c| c(row, row + 1) == Ordering::Equal) {
            continue;
        }
        let (before, after) = (elements.of_row(row), elements.of_row(row + 1));
        let count = match before.is_empty() && after.is_empty() {
            true => 1,
            false => before
                .zip(after)
                .take_while(|(a, b)| element(*a, *b) == Ordering::Equal)
                .count(),
        };
        for place in [row, row + 1] {
            if let Some(slot) = unchanged.get_mut(place) {
                *slot = count;
            }
        }
    }
    Some(unchanged)
}

fn compare(column: &ArrayRef) -> Option<Compare> {
    make_comparator(column, column, SortOptions::default()).ok()
}
