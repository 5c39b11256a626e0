//! GroupAggregate: aggregates by key for ever, and what all aggregations share.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{AggregateCall, AggregateFunction, DataTypeSpec};

use super::{Properties, StateSize};
use levada_language::error::PlanError;

/// Aggregates by key. The output is the keys, then the aggregates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupAggregate {
    /// The key columns of the input; none makes one group of everything.
    pub keys: Vec<usize>,
    /// The aggregates; none makes it DISTINCT over the keys.
    pub calls: Vec<Call>,
    /// Whether somebody downstream needs update-before rows; set by the changelog stage.
    pub emit_update_before: bool,
    /// How long a group without change is kept, in milliseconds, if a hint says so; 0 for ever.
    pub ttl_ms: Option<u64>,
}

/// One aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// Which: the lower-case name.
    pub function: Function,
    /// Over distinct values.
    pub distinct: bool,
    /// The argument's column.
    pub argument: Option<usize>,
    /// The condition's column.
    pub filter: Option<usize>,
    /// The argument's type.
    pub argument_type: DataType,
    /// The result's type.
    pub result_type: DataType,
    /// For people.
    pub name: String,
}

/// [`AggregateFunction`] as something that can be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// COUNT.
    Count,
    /// SUM.
    Sum,
    /// MIN.
    Min,
    /// MAX.
    Max,
    /// AVG.
    Avg,
}

impl Function {
    /// The function of DataFusion's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Function::Count,
            "sum" => Function::Sum,
            "min" => Function::Min,
            "max" => Function::Max,
            "avg" => Function::Avg,
            _ => return None,
        })
    }

    /// As the job graph writes it.
    pub fn spec(self) -> AggregateFunction {
        match self {
            Function::Count => AggregateFunction::Count,
            Function::Sum => AggregateFunction::Sum,
            Function::Min => AggregateFunction::Min,
            Function::Max => AggregateFunction::Max,
            Function::Avg => AggregateFunction::Avg,
        }
    }
}

impl Call {
    /// COUNT(*).
    pub(super) fn count() -> Self {
        Call {
            function: Function::Count,
            distinct: false,
            argument: None,
            filter: None,
            argument_type: DataType::Int64,
            result_type: DataType::Int64,
            name: "COUNT(*)".to_string(),
        }
    }

    /// As the job graph writes it.
    pub fn spec(&self) -> AggregateCall {
        AggregateCall {
            function: self.function.spec(),
            distinct: self.distinct,
            argument: self.argument,
            filter: self.filter,
            argument_type: DataTypeSpec(self.argument_type.clone()),
            result_type: DataTypeSpec(self.result_type.clone()),
            name: self.name.clone(),
            identity: String::new(),
        }
    }

    /// Whether the result can be NULL.
    fn nullable(&self) -> bool {
        self.function != Function::Count
    }
}

/// The fields of the keys and of the results.
pub(super) fn aggregate_fields(
    keys: &[usize],
    calls: &[Call],
    input: &Schema,
) -> Result<Vec<Arc<Field>>, PlanError> {
    let key = |index: &usize| {
        let field = input.fields().get(*index).cloned();
        field.ok_or_else(|| PlanError::internal(format!("there is no column {index}")))
    };
    let mut fields: Vec<Arc<Field>> = keys.iter().map(key).collect::<Result<_, _>>()?;
    for call in calls {
        let field = Field::new(&call.name, call.result_type.clone(), call.nullable());
        fields.push(Arc::new(field));
    }
    Ok(fields)
}

impl GroupAggregate {
    /// What is known about the rows.
    pub(super) fn properties(&self, input: &Properties) -> Result<Properties, PlanError> {
        let fields = aggregate_fields(&self.keys, &self.calls, &input.schema)?;
        let mut properties = Properties::appending(Arc::new(Schema::new(fields)), input.bounded);
        // DISTINCT over rows that are only added only ever adds.
        properties.updating = !self.calls.is_empty() || input.updating;
        properties.mode = match properties.updating {
            true => ChangelogMode::Retract,
            false => ChangelogMode::Append,
        };
        properties.keys = vec![(0..self.keys.len()).collect()];
        properties.state = StateSize::PerKey;
        Ok(properties)
    }
}
