//! Merges inputs of equal schemas.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::{Operator, Output};
use crate::element::Batch;
use crate::error::{EngineError, Result};

#[cfg(test)]
mod tests;

/// Passes the rows of all its inputs on under its own schema.
pub(super) struct Union {
    output: SchemaRef,
}

impl Union {
    pub(super) fn new(inputs: &[SchemaRef], output: &SchemaRef) -> Result<Self> {
        for input in inputs {
            let types = |s: &SchemaRef| -> Vec<_> {
                s.fields().iter().map(|f| f.data_type().clone()).collect()
            };
            if types(input) != types(output) {
                return Err(EngineError::internal(format!(
                    "a union of {input} does not give {output}"
                )));
            }
        }
        Ok(Union {
            output: output.clone(),
        })
    }
}

impl Operator for Union {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        // The inputs' columns may go by other names.
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.rows().columns().to_vec();
        let rows = RecordBatch::try_new_with_options(self.output.clone(), columns, &options)?;
        output.emit(batch.replace_rows(rows));
        Ok(())
    }
}
