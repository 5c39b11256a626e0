//! Filters and projects.

use arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::{Operator, OperatorContext, Output};
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::expression::Evaluator;
use crate::graph::CalcSpec;

#[cfg(test)]
mod tests;

/// Keeps the rows that pass the filter and computes the output columns from them.
pub(super) struct Calc {
    filter: Option<Evaluator>,
    projection: Option<Vec<Evaluator>>,
    output: SchemaRef,
}

impl Calc {
    pub(super) fn new(
        spec: &CalcSpec,
        input: &SchemaRef,
        output: &SchemaRef,
        context: &OperatorContext,
    ) -> Result<Self> {
        let evaluator = |e| Evaluator::new(e, input, &context.functions);
        let filter = spec.filter.as_ref().map(evaluator).transpose()?;
        let projection = match &spec.projection {
            Some(expressions) => Some(
                expressions
                    .iter()
                    .map(evaluator)
                    .collect::<Result<Vec<_>>>()?,
            ),
            None => None,
        };
        let columns = projection.as_ref().map_or(input.fields().len(), Vec::len);
        if columns != output.fields().len() {
            return Err(EngineError::internal(format!(
                "a calc computes {columns} columns for {} output fields",
                output.fields().len()
            )));
        }
        Ok(Calc {
            filter,
            projection,
            output: output.clone(),
        })
    }

    fn project(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let columns = match &self.projection {
            Some(expressions) => expressions
                .iter()
                .map(|e| e.evaluate(rows))
                .collect::<Result<Vec<_>>>()?,
            None => rows.columns().to_vec(),
        };
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            self.output.clone(),
            columns,
            &options,
        )?)
    }
}

impl Operator for Calc {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let batch = match &self.filter {
            Some(filter) => {
                let mask = filter.evaluate_filter(batch.rows())?;
                keep(batch, &mask)?
            }
            None => batch,
        };
        if !batch.is_empty() {
            let rows = self.project(batch.rows())?;
            output.emit(batch.replace_rows(rows));
        }
        Ok(())
    }
}

/// The rows where `mask` is true, without a copy where that is all of them or none.
fn keep(batch: Batch, mask: &BooleanArray) -> Result<Batch> {
    match mask.true_count() {
        0 => Ok(batch.slice(0, 0)),
        all if all == batch.num_rows() => Ok(batch),
        _ => batch.filter(mask),
    }
}
