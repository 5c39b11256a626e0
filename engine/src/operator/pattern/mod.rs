//! Pattern matching (`MATCH_RECOGNIZE`): matches of a pattern among the rows of each partition, in order.
//!
//! ```text
//!   rows, in order of time ── wait for the watermark (`waiting_rows`) ──┐
//!   rows, as they come     ────────────────────────────────────────────┤ `operator`
//!                                                                      ▼
//!                 which variables a row may be one of (`conditions`) ── rows of partitions (`partition`)
//!                                                                      │
//!                           runs of the automaton (`automaton`, `memory`, `matcher`)
//!                                                                      ▼
//!                                        what is told of matches (`measures`) ──▶ inserts
//! ```
//!
//! [`Bounded`] does the same for rows that are in order already, for batch execution.

mod automaton;
mod bounded;
mod conditions;
mod matcher;
mod measures;
mod memory;
mod operator;
mod partition;

#[cfg(test)]
mod tests;

use arrow::datatypes::SchemaRef;

use super::{Operator, OperatorContext};
use crate::error::Result;
use crate::graph::PatternSpec;

pub use bounded::Bounded;

/// The input of what is remembered.
const ROWS: usize = 0;
/// So many rows are taken at a time.
const RELEASE_ROWS: usize = if cfg!(test) { 9 } else { 1 << 14 };

/// Makes the operator.
pub(super) fn create(
    spec: &PatternSpec,
    output: &SchemaRef,
    context: OperatorContext,
) -> Result<Box<dyn Operator>> {
    let operator = operator::PatternOperator::new(spec, output, context)?;
    Ok(Box::new(operator))
}
