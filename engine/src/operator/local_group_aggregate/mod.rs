//! Aggregates each batch by key before the exchange.
//!
//! Of distinct sets it remembers what it has sent, so that a value goes over the exchange about
//! once. That memory is a cache: it is bounded, and a restart begins without it, since the global
//! phase does not mind seeing a value again.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::aggregate::aggregation::{Aggregation, check_signs, signs};
use super::aggregate::{Plan, group_plan, partial_schema_group, supports_local_group};
use super::{Operator, OperatorContext, Output};
use crate::element::{Batch, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::GroupAggregateSpec;

#[cfg(test)]
mod tests;

/// How many groups and distinct values are remembered.
const REMEMBERED_LIMIT: usize = 2_000_000;

/// Aggregates within a batch.
pub(super) struct LocalGroupAggregate {
    plan: Arc<Plan>,
    aggregation: Aggregation,
    output: SchemaRef,
    batch_rows: usize,
    /// Scratch: the group of each row.
    groups: Vec<u32>,
}

impl LocalGroupAggregate {
    pub(super) fn new(spec: &GroupAggregateSpec, context: &OperatorContext) -> Result<Self> {
        if !supports_local_group(spec)? {
            return Err(EngineError::internal(
                "these aggregates over an updating input have no local phase",
            ));
        }
        let plan = Arc::new(group_plan(spec)?);
        Ok(LocalGroupAggregate {
            aggregation: Aggregation::local(plan.clone())?,
            plan,
            output: partial_schema_group(spec)?,
            batch_rows: context.batch_rows.max(1),
            groups: Vec::new(),
        })
    }

    fn send(&mut self, output: &mut Output) -> Result<()> {
        let groups = self.aggregation.changed();
        let mut columns = self.aggregation.keys(&groups)?;
        columns.extend(self.aggregation.partials(&groups)?);
        let rows = rows_of(&self.output, columns, groups.len())?;
        output.emit_chunks(Batch::inserts(rows), self.batch_rows);
        let remember = !self.plan.sets.is_empty();
        if remember && self.aggregation.entries() <= REMEMBERED_LIMIT {
            self.aggregation.reset(&groups);
            return Ok(());
        }
        self.aggregation.clear()
    }
}

impl Operator for LocalGroupAggregate {
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
        aggregation.update(batch.rows(), &self.groups, signs.as_deref())?;
        aggregation.mark(&self.groups);
        self.send(output)
    }
}
