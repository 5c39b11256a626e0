//! Makes a row of every change: an insert of what was changed, with a code for the kind of the change.
//!
//! ```text
//!   batch ──▶ kinds, halves of updates settled ──▶ codes ──▶ rows whose kind has one, as inserts
//! ```
//!
//! Nothing is remembered. An update is the row as it was and, right behind it in the same batch, the row as it is; what
//! does not stand like this is no update but a row that goes or comes.

use std::cmp::Ordering;

use arrow::array::{ArrayRef, StringArray, UInt8Array, make_comparator};
use arrow::compute::{SortOptions, filter, is_not_null, take};
use arrow::datatypes::SchemaRef;

use super::{Operator, Output, check_width};
use crate::element::{Batch, RowKind, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::ToChangelogSpec;

#[cfg(test)]
mod tests;

/// Every kind of row, each at the place that its number says.
const KINDS: [RowKind; 4] = [
    RowKind::Insert,
    RowKind::UpdateBefore,
    RowKind::UpdateAfter,
    RowKind::Delete,
];

/// Changes as rows.
pub(super) struct ToChangelog {
    spec: ToChangelogSpec,
    output: SchemaRef,
    /// The code of each kind; NULL where there is none.
    codes: StringArray,
}

impl ToChangelog {
    pub(super) fn new(
        spec: &ToChangelogSpec,
        input: &SchemaRef,
        output: &SchemaRef,
    ) -> Result<Self> {
        let width = input.fields().len();
        let given = spec.columns.iter().flatten();
        if given.chain(&spec.identity).any(|column| *column >= width) {
            return Err(EngineError::internal(format!(
                "a changelog reads columns that its input of {width} does not have"
            )));
        }
        check_width("a changelog", spec.columns.len(), output)?;
        let code = |kind: RowKind| {
            let mut codes = spec.codes.iter();
            codes.find(|(_, own)| *own == kind).map(|(code, _)| code)
        };
        Ok(ToChangelog {
            spec: spec.clone(),
            output: output.clone(),
            codes: KINDS.into_iter().map(code).collect(),
        })
    }

    /// The kinds of the rows as they are told.
    fn kinds(&self, batch: &Batch) -> Result<UInt8Array> {
        let count = batch.num_rows();
        if batch.kinds().is_none() {
            return Ok(UInt8Array::from_value(RowKind::Insert as u8, count));
        }
        let updates = self.updates(batch)?;
        let mut kinds: Vec<u8> = Vec::with_capacity(count);
        let mut update = updates.into_iter().peekable();
        while kinds.len() < count {
            if update.next_if_eq(&kinds.len()).is_some() {
                kinds.extend([RowKind::UpdateBefore as u8, RowKind::UpdateAfter as u8]);
                continue;
            }
            let kind = match batch.kind(kinds.len()) {
                RowKind::UpdateBefore => RowKind::Delete,
                RowKind::UpdateAfter if self.spec.with_before => RowKind::Insert,
                other => other,
            };
            kinds.push(kind as u8);
        }
        Ok(kinds.into())
    }

    /// The rows, in ascending order, that are the first halves of updates.
    fn updates(&self, batch: &Batch) -> Result<Vec<usize>> {
        let is_update = |row: &usize| {
            batch.kind(*row) == RowKind::UpdateBefore
                && batch.kind(*row + 1) == RowKind::UpdateAfter
        };
        let rows = 0..batch.num_rows().saturating_sub(1);
        let mut updates: Vec<usize> = rows.filter(is_update).collect();
        if updates.is_empty() {
            return Ok(updates);
        }
        for column in &self.spec.identity {
            let column = batch.column(*column);
            let compare = make_comparator(column, column, SortOptions::default())?;
            updates.retain(|row| compare(*row, *row + 1) == Ordering::Equal);
        }
        Ok(updates)
    }
}

impl Operator for ToChangelog {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let codes: ArrayRef = take(&self.codes, &self.kinds(&batch)?, None)?;
        let mask = is_not_null(&codes)?;
        let told = mask.true_count();
        if told == 0 {
            return Ok(());
        }
        let column = |column: &Option<usize>| {
            let column = column.map_or(&codes, |column| batch.column(column));
            match told == batch.num_rows() {
                true => Ok(ArrayRef::clone(column)),
                false => filter(column, &mask),
            }
        };
        let columns = self.spec.columns.iter().map(column);
        let columns: Vec<ArrayRef> = columns.collect::<std::result::Result<_, _>>()?;
        output.emit(Batch::inserts(rows_of(&self.output, columns, told)?));
        Ok(())
    }
}
