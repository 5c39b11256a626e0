//! MATCH_RECOGNIZE: the rows are sorted by partition and time, and go through the automaton of streams.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use levada_engine::error::EngineError;
use levada_engine::graph::WireSchema;
use levada_engine::operator::pattern::Bounded;

use super::through::{Give, Step, Through};
use crate::logical::{PatternTable, Resolver};
use crate::lowering::pattern_spec;
use crate::streaming::{PatternMatch, order_columns};
use levada_language::error::PlanError;

/// A plan without the node.
pub(super) fn plain(table: &PatternTable, resolver: &Resolver) -> Result<LogicalPlan> {
    let order_by = order_columns(table)?;
    let physical =
        |expr: &Expr, schema: &datafusion::common::DFSchema| resolver.physical(expr, schema);
    let pattern = PatternMatch::of(table, order_by, &physical)?;
    let rows = table.input.schema().inner().clone();
    let spec = pattern_spec(&pattern, WireSchema(rows))?;
    let time = table.order_by.first().map(|sort| sort.expr.clone());
    let time = time.ok_or_else(|| PlanError::internal("a pattern without an order"))?;
    let keys = table.partition_by.iter().cloned();
    let sorting = keys
        .map(|key| key.sort(true, true))
        .chain(table.order_by.clone());
    // Rows without a time are in no order.
    let sorted = LogicalPlanBuilder::from(table.input.clone())
        .filter(time.is_not_null())?
        .sort(sorting)?
        .build()?;
    let output = datafusion::logical_expr::UserDefinedLogicalNodeCore::schema(table);
    let schema = Arc::clone(output.inner());
    let functions = resolver.task_context();
    let matches = Through {
        name: "Matches",
        plan: sorted,
        as_read: false,
        schema: Arc::clone(&schema),
        step: Arc::new(move || Ok(Box::new(Bounded::new(&spec, &schema, &functions)?))),
    };
    matches.rows(output)
}

impl Step for Bounded {
    fn process(&mut self, rows: &RecordBatch, give: Give<'_>) -> Result<(), EngineError> {
        Bounded::process(self, rows, give)
    }

    fn finish(mut self: Box<Self>, give: Give<'_>) -> Result<(), EngineError> {
        Bounded::finish(&mut self, give)
    }
}
