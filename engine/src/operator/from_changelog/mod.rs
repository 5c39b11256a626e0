//! Makes a change of every row: of the kind that its code says.
//!
//! Nothing is remembered. What comes out is a changelog as far as what comes in is one: that an update is followed by its
//! other half, and that a row that goes was there, is for those to see to who read it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, SchemaRef};

use super::{Operator, OperatorContext, Output, check_width};
use crate::element::{Batch, RowKind, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::FromChangelogSpec;
use crate::metrics::SubtaskMetrics;

#[cfg(test)]
mod tests;

/// Rows as changes.
pub(super) struct FromChangelog {
    changes: Changes,
    metrics: Arc<SubtaskMetrics>,
}

impl FromChangelog {
    pub(super) fn new(
        spec: &FromChangelogSpec,
        output: &SchemaRef,
        context: &OperatorContext,
    ) -> Result<Self> {
        Ok(FromChangelog {
            changes: Changes::new(spec, output)?,
            metrics: Arc::clone(&context.metrics),
        })
    }
}

impl Operator for FromChangelog {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let changes = self.changes.of(batch.rows())?;
        let skipped = batch.num_rows() - changes.num_rows();
        self.metrics.bad_rows.add(skipped as u64);
        output.emit(changes);
        Ok(())
    }
}

/// What rows say as changes; for batch mode too.
pub struct Changes {
    spec: FromChangelogSpec,
    output: SchemaRef,
}

impl Changes {
    /// `output` are the columns of the changes.
    ///
    /// # Errors
    /// Only defects: columns do not fit.
    pub fn new(spec: &FromChangelogSpec, output: &SchemaRef) -> Result<Self> {
        check_width("a changelog", spec.columns.len(), output)?;
        Ok(Changes {
            spec: spec.clone(),
            output: output.clone(),
        })
    }

    /// The changes that rows are; without those that have no known code, if these are skipped.
    ///
    /// # Errors
    /// A row has no known code.
    pub fn of(&self, rows: &RecordBatch) -> Result<Batch> {
        let kinds = self.kinds(rows.column(self.spec.op))?;
        let known: Vec<RowKind> = kinds.iter().flatten().copied().collect();
        let rows = match known.len() == kinds.len() {
            true => rows.clone(),
            false => {
                let places = (0u32..).zip(&kinds).filter(|(_, kind)| kind.is_some());
                let places: UInt32Array = places.map(|(row, _)| row).collect::<Vec<_>>().into();
                take_record_batch(rows, &places)?
            }
        };
        let columns = self.spec.columns.iter();
        let columns: Vec<ArrayRef> = columns.map(|c| rows.column(*c).clone()).collect();
        Batch::with_kinds(rows_of(&self.output, columns, known.len())?, known)
    }

    fn kinds(&self, codes: &ArrayRef) -> Result<Vec<Option<RowKind>>> {
        let texts = match codes.data_type() {
            DataType::Utf8 => codes.clone(),
            _ => cast(codes, &DataType::Utf8)?,
        };
        let texts: &StringArray = texts.as_string();
        let mut kinds = Vec::with_capacity(texts.len());
        for code in texts {
            let kind = code.and_then(|code| self.kind(code));
            if kind.is_none() && !self.spec.skip {
                return Err(self.unknown(code));
            }
            kinds.push(kind);
        }
        Ok(kinds)
    }

    /// There are a handful of codes, so they are gone through.
    fn kind(&self, code: &str) -> Option<RowKind> {
        let mut codes = self.spec.codes.iter();
        codes.find(|(own, _)| own == code).map(|(_, kind)| *kind)
    }

    fn unknown(&self, code: Option<&str>) -> EngineError {
        let column = &self.spec.op_name;
        let message = match code {
            Some(code) => {
                format!("FROM_CHANGELOG does not know the code '{code}' in column {column}")
            }
            None => format!("FROM_CHANGELOG has a row without a code: {column} is NULL"),
        };
        let codes = self.spec.codes.iter().map(|(code, _)| format!("'{code}'"));
        let codes: Vec<String> = codes.collect();
        EngineError::data(message)
            .with_detail(format!("the codes are {}", codes.join(", ")))
            .with_hint(
                "give the code a kind in op_mapping, or leave such rows out: error_handling => 'SKIP'",
            )
    }
}
