//! Merges inputs of equal schemas.

use arrow::datatypes::SchemaRef;

use super::{Operator, Output};
use crate::element::{Batch, rows_of};
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
        let columns = batch.rows().columns().to_vec();
        let rows = rows_of(&self.output, columns, batch.num_rows())?;
        output.emit(batch.replace_rows(rows));
        Ok(())
    }
}
