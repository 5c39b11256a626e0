//! What is done with the rows of a table before they meet others: computed columns, views above the table.

use std::sync::Arc;

use arrow::array::AsArray as _;
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{filter, filter_record_batch};
use arrow::datatypes::{SchemaRef, UInt32Type};
use datafusion::execution::TaskContext;

use crate::element::rows_of;
use crate::error::Result;
use crate::expression::{Evaluator, Projection};
use crate::graph::LookupJoinSpec;

/// Steps from the rows of a table to those that are joined.
#[derive(Default)]
pub(super) struct Shaping(Vec<Step>);

struct Step {
    filter: Option<Evaluator>,
    projection: Option<Projection>,
    schema: SchemaRef,
}

impl Shaping {
    pub(super) fn new(spec: &LookupJoinSpec, functions: &TaskContext) -> Result<Self> {
        let mut input = Arc::clone(&spec.table.read_schema.0);
        let mut steps = Vec::new();
        if let Some(compute) = &spec.table.compute {
            let projection = Projection::new(compute, &input, functions)?;
            input = Arc::clone(&spec.table_schema.0);
            steps.push(Step {
                filter: None,
                projection: Some(projection),
                schema: Arc::clone(&input),
            });
        }
        for (calc, schema) in &spec.calcs {
            let filter = calc.filter.as_ref();
            let filter = filter.map(|e| Evaluator::new(e, &input, functions));
            let projection = calc.projection.as_ref();
            let projection = projection.map(|e| Projection::new(e, &input, functions));
            steps.push(Step {
                filter: filter.transpose()?,
                projection: projection.transpose()?,
                schema: Arc::clone(&schema.0),
            });
            input = Arc::clone(&schema.0);
        }
        Ok(Shaping(steps))
    }

    /// The rows that are joined, and the number of the key of each.
    pub(super) fn apply(
        &self,
        mut rows: RecordBatch,
        mut of: Vec<u32>,
    ) -> Result<(RecordBatch, Vec<u32>)> {
        for step in &self.0 {
            if let Some(condition) = &step.filter {
                let mask = condition.evaluate_filter(&rows)?;
                rows = filter_record_batch(&rows, &mask)?;
                let kept = filter(&UInt32Array::from(of), &mask)?;
                of = kept.as_primitive::<UInt32Type>().values().to_vec();
            }
            let columns = match &step.projection {
                Some(projection) => projection.evaluate(&rows, None)?,
                None => rows.columns().to_vec(),
            };
            rows = rows_of(&step.schema, columns, rows.num_rows())?;
        }
        Ok((rows, of))
    }
}
