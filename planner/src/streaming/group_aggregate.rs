//! GroupAggregate: aggregates by key for ever, and what all aggregations share.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{AggregateCall, AggregateFunction, DataTypeSpec};

use super::Properties;
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
    /// Whether all rows of a group come in one batch: then each group has one result, and nothing is kept.
    pub whole: bool,
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
    /// FIRST_VALUE of what is not NULL.
    FirstValue,
    /// LAST_VALUE of what is not NULL.
    LastValue,
    /// ARRAY_AGG, NULLs among the elements.
    Collect,
    /// VAR_POP.
    VarPop,
    /// VAR_SAMP.
    VarSamp,
    /// STDDEV_POP.
    StddevPop,
    /// STDDEV_SAMP.
    StddevSamp,
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
            "first_value" => Function::FirstValue,
            "last_value" => Function::LastValue,
            "array_agg" => Function::Collect,
            "var_pop" => Function::VarPop,
            "var" => Function::VarSamp,
            "stddev_pop" => Function::StddevPop,
            "stddev" => Function::StddevSamp,
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
            Function::FirstValue => AggregateFunction::FirstValue,
            Function::LastValue => AggregateFunction::LastValue,
            Function::Collect => AggregateFunction::Collect,
            Function::VarPop => AggregateFunction::VarPop,
            Function::VarSamp => AggregateFunction::VarSamp,
            Function::StddevPop => AggregateFunction::StddevPop,
            Function::StddevSamp => AggregateFunction::StddevSamp,
        }
    }

    /// As SQL calls it.
    pub fn name(self) -> &'static str {
        match self {
            Function::Count => "COUNT",
            Function::Sum => "SUM",
            Function::Min => "MIN",
            Function::Max => "MAX",
            Function::Avg => "AVG",
            Function::FirstValue => "FIRST_VALUE",
            Function::LastValue => "LAST_VALUE",
            Function::Collect => "ARRAY_AGG",
            Function::VarPop => "VAR_POP",
            Function::VarSamp => "VAR_SAMP",
            Function::StddevPop => "STDDEV_POP",
            Function::StddevSamp => "STDDEV_SAMP",
        }
    }

    /// Whether streams compute it of the rows around a row, too.
    pub fn works_with_over(self) -> bool {
        matches!(
            self,
            Function::Count | Function::Sum | Function::Min | Function::Max | Function::Avg
        )
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

    /// Whether all values of a group are kept, in the order in which they came.
    fn keeps_values(&self, updating: bool) -> bool {
        match self.function {
            Function::Collect => true,
            Function::FirstValue | Function::LastValue => updating,
            _ => false,
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
        properties.updating = (!self.calls.is_empty() && !self.whole) || input.updating;
        properties.mode = match properties.updating {
            true => ChangelogMode::Retract,
            false => ChangelogMode::Append,
        };
        properties.keys = vec![(0..self.keys.len()).collect()];
        if self.whole {
            let own = properties.attributes.iter_mut().zip(&self.keys);
            own.for_each(|(own, key)| *own = input.attribute(*key));
        }
        Ok(properties)
    }

    /// Whether every value of a group is kept, if the input takes rows back or does not.
    pub(super) fn keeps_values(&self, updating: bool) -> bool {
        self.calls.iter().any(|call| call.keeps_values(updating))
    }
}
