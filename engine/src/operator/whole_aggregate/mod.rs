//! Aggregates groups of which all rows come in one batch: it remembers nothing and gives each result once.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::aggregate::aggregation::{Aggregation, check_signs, signs};
use super::aggregate::{Plan, group_plan};
use super::{Operator, OperatorContext, Output};
use crate::element::{Batch, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::GroupAggregateSpec;

/// Aggregates each batch by itself.
pub(super) struct WholeAggregate {
    plan: Arc<Plan>,
    aggregation: Aggregation,
    output: SchemaRef,
    batch_rows: usize,
    /// Scratch: the group of each row.
    groups: Vec<u32>,
}

impl WholeAggregate {
    pub(super) fn new(
        spec: &GroupAggregateSpec,
        output: &SchemaRef,
        context: &OperatorContext,
    ) -> Result<Self> {
        if spec.input_updating || spec.partial_input || spec.keys.is_empty() {
            return Err(EngineError::internal(
                "groups of rows that change, or of all rows, are never whole",
            ));
        }
        let plan = Arc::new(group_plan(spec)?);
        Ok(WholeAggregate {
            aggregation: Aggregation::new(plan.clone())?,
            plan,
            output: output.clone(),
            batch_rows: context.batch_rows.max(1),
            groups: Vec::new(),
        })
    }
}

impl Operator for WholeAggregate {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let signs = signs(batch.kinds());
        check_signs(&self.plan, signs.as_deref())?;
        let keys = self.plan.raw_keys(batch.rows());
        let aggregation = &mut self.aggregation;
        aggregation.intern(&keys, batch.num_rows(), &mut self.groups)?;
        aggregation.update(batch.rows(), &self.groups, None)?;
        let mut seen = hashbrown::HashSet::new();
        let of_rows = self.groups.iter().copied();
        let groups: Vec<u32> = of_rows.filter(|group| seen.insert(*group)).collect();
        let mut columns = aggregation.keys(&groups)?;
        columns.extend(aggregation.values(&groups)?);
        let rows = rows_of(&self.output, columns, groups.len())?;
        output.emit_chunks(Batch::inserts(rows), self.batch_rows);
        aggregation.clear()
    }
}
