//! WindowAggregate: aggregates by window and key.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::graph::{DataTypeSpec, WindowSpec, WindowTime};

use super::assign_window::{Shape, window_attributes};
use super::group_aggregate::{Call, aggregate_fields};
use super::{NodeId, Properties};
use levada_language::error::PlanError;
use levada_language::functions::window::{WINDOW_END, WINDOW_START, WINDOW_TIME};

/// Aggregates by window and key. The output is the keys, the aggregates, `window_start`,
/// `window_end` and `window_time`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WindowAggregate {
    /// The shape.
    pub window: Shape,
    /// The event-time column of the input; `None` for processing time.
    pub time: Option<usize>,
    /// The type of the window's columns.
    pub time_type: DataType,
    /// The key columns of the input.
    pub keys: Vec<usize>,
    /// The aggregates.
    pub calls: Vec<Call>,
}

impl WindowAggregate {
    /// What is known about the rows; `own` is the node's id.
    pub(super) fn properties(
        &self,
        input: &Properties,
        own: NodeId,
    ) -> Result<Properties, PlanError> {
        let mut fields = aggregate_fields(&self.keys, &self.calls, &input.schema)?;
        let first = fields.len();
        for name in [WINDOW_START, WINDOW_END, WINDOW_TIME] {
            fields.push(Arc::new(Field::new(name, self.time_type.clone(), false)));
        }
        let mut properties = Properties::appending(Arc::new(Schema::new(fields)), input.bounded);
        let window = window_attributes(self.time.is_some(), own);
        for (attribute, new) in properties.attributes.iter_mut().skip(first).zip(window) {
            *attribute = new;
        }
        properties.keys = vec![(0..self.keys.len()).chain([first, first + 1]).collect()];
        Ok(properties)
    }

    /// The windows as the job graph writes them.
    pub fn window_spec(&self) -> WindowSpec {
        WindowSpec {
            kind: self.window.spec(),
            time: match self.time {
                Some(column) => WindowTime::Event { column },
                None => WindowTime::Processing,
            },
            time_type: DataTypeSpec(self.time_type.clone()),
        }
    }
}
