//! Aggregates by window and key, and says the result when time has passed the window's end.

use arrow::datatypes::SchemaRef;

use super::aggregate::{Plan, window_plan};
use super::{Operator, OperatorContext};
use crate::error::{EngineError, Result};
use crate::graph::{WindowAggregateSpec, WindowKind};

mod early;
mod merges;
mod overflow;
mod persist;
mod refire;
mod session;
mod sliced;

#[cfg(test)]
mod tests;

pub(super) use persist::split_prefix;
pub(super) use session::is_session;

/// Resolves a window aggregation as it keeps state.
pub(super) fn plan(spec: &WindowAggregateSpec) -> Result<Plan> {
    match spec.window.kind {
        WindowKind::Session { .. } => session::session_plan(spec),
        _ => window_plan(spec),
    }
}

/// The operator for the kind of windows.
pub(super) fn create(
    spec: &WindowAggregateSpec,
    output: &SchemaRef,
    context: OperatorContext,
) -> Result<Box<dyn Operator>> {
    match spec.window.kind {
        WindowKind::Session { .. } if spec.early_fire_ms.is_some() => {
            Err(EngineError::internal("sessions give no early results"))
        }
        WindowKind::Session { gap_ms } => {
            let operator = session::SessionAggregate::new(spec, gap_ms, output, context)?;
            Ok(Box::new(operator))
        }
        _ => Ok(Box::new(sliced::SlicedAggregate::new(
            spec, output, context,
        )?)),
    }
}
