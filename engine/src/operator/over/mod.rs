//! Functions with OVER: values behind each row that are computed from rows of its partition.
//!
//! ```text
//!   rows that only come, in order of time   ── wait for the watermark (`waiting_rows`) ──┐
//!   rows that only come, as they come       ────────────────────────────────────────────┤
//!                                                                                        ▼
//!                       what went before: rows in frames, and what others have come to ── `forward` ──▶ inserts
//!
//!   rows in any order, or that are taken back ── all rows of the partition ── `corrected` ──▶ inserts, updates, deletes
//! ```
//!
//! Both lay rows of several partitions out one behind the other (`span`) and compute a column of values for some
//! of them at once (`values`). [`calls`] says what each function needs of other rows.

mod calls;
mod corrected;
mod forward;
pub(super) mod span;
pub(super) mod values;

#[cfg(test)]
mod tests;

use arrow::datatypes::SchemaRef;

use super::{Operator, OperatorContext};
use crate::error::{EngineError, Result};
use crate::graph::{OverForm, OverSpec};

/// So many rows of a span are computed at a time.
const SPAN_ROWS: usize = if cfg!(test) { 9 } else { 1 << 14 };

/// Makes the operator.
pub(super) fn create(
    spec: &OverSpec,
    output: &SchemaRef,
    context: OperatorContext,
) -> Result<Box<dyn Operator>> {
    let columns = spec.rows.0.fields().len() + spec.calls.len();
    let looks_back = spec.calls.iter().all(|call| call.looks_back());
    let distances = spec.calls.iter().any(calls::has_distances);
    let fits = match spec.form {
        // Without calls rows are only put in order.
        OverForm::Time if spec.calls.is_empty() => !spec.order_by.is_empty(),
        OverForm::Time => looks_back && spec.order_by.len() == 1,
        OverForm::Arrival => looks_back && spec.order_by.is_empty() && !distances,
        OverForm::Corrected { .. } => !distances || spec.order_by.len() == 1,
    };
    let sorts = spec.form == OverForm::Time;
    if !fits || (spec.calls.is_empty() && !sorts) || output.fields().len() != columns {
        return Err(EngineError::internal(format!(
            "{} calls over {} order columns for {} output fields, of which {columns} are wanted",
            spec.calls.len(),
            spec.order_by.len(),
            output.fields().len()
        )));
    }
    Ok(match spec.form {
        OverForm::Time | OverForm::Arrival => {
            Box::new(forward::Forward::new(spec, output, context)?)
        }
        OverForm::Corrected { updating } => {
            Box::new(corrected::Corrected::new(spec, updating, output, context)?)
        }
    })
}
