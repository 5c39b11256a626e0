//! The plan of a session aggregation, and its sessions from keyed state.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, Schema};

use super::SessionAggregate;
use super::sessions::Span;
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::{AggregateCall, AggregateFunction, DataTypeSpec, WindowAggregateSpec};
use crate::operator::Layout;
use crate::operator::aggregate::Plan;
use crate::operator::aggregate::persist::load_all;

/// The name of the column of times in milliseconds that follows the raw ones.
const TIME: &str = "session_time";
/// The name of the aggregate that has the time of a session's last row.
const LAST: &str = "last_time";

/// The column of times.
pub(super) fn time_field() -> FieldRef {
    Arc::new(Field::new(TIME, DataType::Int64, false))
}

/// Whether groups of this layout are sessions: their last key is their start, and their last aggregate
/// the time of their last row, both in milliseconds. No aggregate of a query has such an identity.
pub(in super::super::super) fn is_session(layout: &Layout) -> bool {
    let start = layout.keys.last().is_some_and(|key| key.name == TIME);
    start && layout.calls.last().is_some_and(|c| c.identity == LAST)
}

/// The aggregation's plan, with the session's start as last key and the time of its last row as
/// last aggregate.
pub(in super::super) fn session_plan(spec: &WindowAggregateSpec) -> Result<Plan> {
    let time = spec.input.fields().len();
    let mut fields: Vec<FieldRef> = spec.input.fields().iter().cloned().collect();
    fields.push(time_field());
    let input = Arc::new(Schema::new(fields));
    let mut keys = spec.keys.clone();
    keys.push(time);
    let mut calls = spec.aggregates.clone();
    calls.push(AggregateCall {
        function: AggregateFunction::Max,
        distinct: false,
        argument: Some(time),
        filter: None,
        argument_type: DataTypeSpec(DataType::Int64),
        result_type: DataTypeSpec(DataType::Int64),
        name: LAST.into(),
        identity: String::new(),
    });
    Plan::new(&keys, &calls, &input, spec.input_updating)
}

impl SessionAggregate {
    /// The key columns of a raw batch.
    pub(super) fn key_columns(&self, batch: &Batch) -> Vec<ArrayRef> {
        let keys = self.plan.keys.iter().take(self.place.hashed_keys);
        keys.map(|k| batch.column(*k).clone()).collect()
    }

    /// Where the aggregation says that groups' sessions are.
    pub(super) fn stored_spans(&self, groups: &[u32]) -> Result<Vec<Span>> {
        let keys = self.aggregation.keys(groups)?;
        let values = self.aggregation.values(groups)?;
        let times = |column: Option<&ArrayRef>| -> Result<Vec<i64>> {
            let column = column.and_then(|c| c.as_primitive_opt::<Int64Type>());
            let column = column.ok_or_else(|| EngineError::internal("a session without times"))?;
            Ok(column.values().to_vec())
        };
        let (starts, lasts) = (times(keys.last())?, times(values.last())?);
        let spans = starts.into_iter().zip(lasts);
        Ok(spans.map(|(start, last)| Span { start, last }).collect())
    }

    /// Reads all sessions from keyed state; where it is kept, only when they have to be looked at.
    pub(super) fn load(&mut self) -> Result<()> {
        if self.overflow.is_some() {
            self.index_stored()?;
        } else {
            load_all(&mut self.aggregation, self.state.as_ref())?;
            self.adopt(&self.aggregation.groups.groups())?;
        }
        self.state.loaded();
        Ok(())
    }
}
