//! Filters and projects.

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use super::{Operator, OperatorContext, Output};
use crate::element::{Batch, rows_of};
use crate::error::{EngineError, Result};
use crate::expression::{Evaluator, Projection};
use crate::graph::CalcSpec;

#[cfg(test)]
mod tests;

/// Keeps the rows that pass the filter and computes the output columns from them.
pub(super) struct Calc {
    filter: Option<Evaluator>,
    projection: Option<Projection>,
    output: SchemaRef,
}

impl Calc {
    pub(super) fn new(
        spec: &CalcSpec,
        input: &SchemaRef,
        output: &SchemaRef,
        context: &OperatorContext,
    ) -> Result<Self> {
        let functions = &context.functions;
        let filter = spec.filter.as_ref();
        let filter = filter.map(|e| Evaluator::new(e, input, functions));
        let projection = spec.projection.as_ref();
        let projection = projection.map(|e| Projection::new(e, input, functions));
        let (filter, projection) = (filter.transpose()?, projection.transpose()?);
        let columns = projection
            .as_ref()
            .map_or(input.fields().len(), Projection::len);
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

    /// The output rows for the input rows where `mask` is true.
    fn project(&self, batch: &Batch, mask: Option<&BooleanArray>) -> Result<Batch> {
        let columns = match (&self.projection, mask) {
            (Some(projection), mask) => projection.evaluate(batch.rows(), mask)?,
            (None, Some(mask)) => filter_record_batch(batch.rows(), mask)?.columns().to_vec(),
            (None, None) => batch.rows().columns().to_vec(),
        };
        let count = mask.map_or(batch.num_rows(), BooleanArray::true_count);
        let rows = rows_of(&self.output, columns, count)?;
        batch.filter_kinds(mask, rows)
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
        let mask = self.filter.as_ref();
        let mask = mask.map(|f| f.evaluate_filter(batch.rows())).transpose()?;
        let passing = mask
            .as_ref()
            .map_or(batch.num_rows(), BooleanArray::true_count);
        if passing > 0 {
            let mask = mask.filter(|_| passing < batch.num_rows());
            output.emit(self.project(&batch, mask.as_ref())?);
        }
        Ok(())
    }
}
