//! The machinery that all aggregating operators share.
//!
//! ```text
//!   columns ──▶ lanes ──▶ group table ──▶ accumulators ──▶ results or partial rows
//!               (lane)    (groups)        (accumulator,     ──▶ rows of keyed state
//!                                          distinct)            (rows, persist)
//! ```
//!
//! [`aggregation`] ties them together; [`kept`] has those that know no end, and [`changes`] says what a batch
//! does to their results. [`layout`] says what rows of keyed state are made of, so that an
//! edited query can go on from those of the one before (`stored`). The functions here tell the planner what partial rows and
//! results look like.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::error::{EngineError, Result};
use crate::graph::{
    AggregateCall, AggregateFunction, ChangelogNormalizeSpec, DataTypeSpec, GroupAggregateSpec,
    WindowAggregateSpec,
};

mod accumulator;
pub(crate) mod aggregation;
pub(crate) mod changes;
mod distinct;
mod expiry;
mod extremes;
pub(crate) mod groups;
pub(crate) mod inspect;
pub(crate) mod kept;
pub(crate) mod lane;
pub(crate) mod layout;
pub(crate) mod pages;
pub(crate) mod persist;
mod plan;
mod recall;
pub(crate) mod rows;
mod store;
mod stored;
mod tracker;

#[cfg(test)]
mod tests;

pub(crate) use accumulator::{decimal_column, overflow, scale_of, unsupported};
pub(crate) use plan::Plan;

/// Resolves a window aggregation.
pub(crate) fn window_plan(spec: &WindowAggregateSpec) -> Result<Plan> {
    Plan::new(
        &spec.keys,
        &spec.aggregates,
        &spec.input,
        spec.input_updating,
    )
}

/// Resolves a group aggregation.
pub(crate) fn group_plan(spec: &GroupAggregateSpec) -> Result<Plan> {
    Plan::new(
        &spec.keys,
        &spec.aggregates,
        &spec.input,
        spec.input_updating,
    )
}

/// Resolves a changelog normalization: its rows are groups with the last value of each column that is
/// not in the key.
pub(crate) fn normalize_plan(spec: &ChangelogNormalizeSpec) -> Result<Plan> {
    if spec.keys.is_empty() {
        return Err(EngineError::internal("upserts without a key"));
    }
    let columns = spec.rows.fields().iter().enumerate();
    let last = |(index, field): (usize, &FieldRef)| AggregateCall {
        function: AggregateFunction::Last,
        distinct: false,
        argument: Some(index),
        filter: None,
        argument_type: DataTypeSpec(field.data_type().clone()),
        result_type: DataTypeSpec(field.data_type().clone()),
        name: field.name().clone(),
        identity: spec.identities.get(index).cloned().unwrap_or_default(),
    };
    let values = columns.filter(|(index, _)| !spec.keys.contains(index));
    let calls: Vec<AggregateCall> = values.map(last).collect();
    Plan::new(&spec.keys, &calls, &spec.rows, false)
}

/// Checks that rows of these columns can be kept.
pub fn check_normalize(spec: &ChangelogNormalizeSpec) -> Result<()> {
    normalize_plan(spec).map(|_| ())
}

/// What `LocalWindowAggregate` sends: the keys, `slice_end` (BIGINT, milliseconds), partial state.
/// An exchange behind it hashes the first `spec.keys.len()` columns.
pub fn partial_schema_window(spec: &WindowAggregateSpec) -> Result<SchemaRef> {
    let plan = window_plan(spec)?;
    let slice = Field::new("slice_end", DataType::Int64, false);
    Ok(partial_schema(&plan, Some(slice)))
}

/// What `LocalGroupAggregate` sends: the keys, partial state. An exchange behind it hashes the
/// first `spec.keys.len()` columns.
pub fn partial_schema_group(spec: &GroupAggregateSpec) -> Result<SchemaRef> {
    Ok(partial_schema(&group_plan(spec)?, None))
}

fn partial_schema(plan: &Plan, slice: Option<Field>) -> SchemaRef {
    let keys = plan.key_fields.iter().cloned();
    let slice = slice.map(|f| -> FieldRef { Arc::new(f) });
    let partials = plan.partial_fields().into_iter().map(Arc::new);
    let fields: Vec<FieldRef> = keys.chain(slice).chain(partials).collect();
    Arc::new(Schema::new(fields))
}

/// What `WindowAggregate` emits: the keys, the aggregates, `window_start`, `window_end`,
/// `window_time`.
pub fn output_schema_window(spec: &WindowAggregateSpec) -> Result<SchemaRef> {
    let mut fields = window_plan(spec)?.output_fields();
    let time = |name: &str| -> FieldRef {
        Arc::new(Field::new(name, spec.window.time_type.0.clone(), false))
    };
    fields.extend(["window_start", "window_end", "window_time"].map(time));
    Ok(Arc::new(Schema::new(fields)))
}

/// What `GroupAggregate` emits: the keys, the aggregates.
pub fn output_schema_group(spec: &GroupAggregateSpec) -> Result<SchemaRef> {
    Ok(Arc::new(Schema::new(group_plan(spec)?.output_fields())))
}

/// Whether a local phase can come before this window aggregation. Processing time has none, since
/// a row's time is when the aggregating subtask sees it; nor have aggregates that keep counted sets
/// of values, or the order in which they came, over an updating input.
pub fn supports_local_window(spec: &WindowAggregateSpec) -> Result<bool> {
    let processing = spec.window.time == crate::graph::WindowTime::Processing;
    let session = matches!(spec.window.kind, crate::graph::WindowKind::Session { .. });
    Ok(!processing && !session && supports_local(&window_plan(spec)?))
}

/// Whether a local phase can come before this group aggregation.
pub fn supports_local_group(spec: &GroupAggregateSpec) -> Result<bool> {
    Ok(supports_local(&group_plan(spec)?))
}

fn supports_local(plan: &Plan) -> bool {
    let by_arrival = |call: &plan::Call| call.call.function.is_by_arrival();
    !plan.updating || (plan.sets.is_empty() && !plan.calls.iter().any(by_arrival))
}

/// Which rows differ between two sets of columns of the same types; NULL equals NULL.
pub(crate) fn unequal_rows(
    before: &[ArrayRef],
    after: &[ArrayRef],
    rows: usize,
) -> Result<Vec<bool>> {
    let mut unequal = vec![false; rows];
    for (before, after) in before.iter().zip(after) {
        let codec = lane::Codec::new(before.data_type())?;
        lane::mark_unequal(&codec.encode(before)?, &codec.encode(after)?, &mut unequal);
    }
    Ok(unequal)
}
