//! Over: values behind each row that are computed from the rows around it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{
    AggregateFunction, Bound, DataTypeSpec, Frame, FrameUnit, OrderColumn, OverCall, OverForm,
    OverFunction,
};

use super::join::smallest;
use super::{Properties, StateSize};

/// Puts values behind each row.
///
/// The output has the columns of the input, and behind them a column for each value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Over {
    /// The columns that partitions are formed by; none is one partition of everything.
    pub partition_by: Vec<usize>,
    /// What rows are put in order by; with [`OverForm::Arrival`] none.
    pub order_by: Vec<OrderColumn>,
    /// When rows go out, and whether they are corrected.
    pub form: OverForm,
    /// The values.
    pub values: Vec<OverValue>,
}

/// A value that is computed from the rows around a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OverValue {
    /// How.
    pub function: OverFunction,
    /// The argument's column.
    pub argument: Option<usize>,
    /// The argument's type; BIGINT without one.
    pub argument_type: DataType,
    /// The condition's column.
    pub filter: Option<usize>,
    /// Over distinct values.
    pub distinct: bool,
    /// Whether NULLs are passed over.
    pub ignore_nulls: bool,
    /// The rows that count.
    pub frame: Frame,
    /// The value's type.
    pub result_type: DataType,
    /// For people.
    pub name: String,
}

impl OverValue {
    /// As the job graph writes it.
    pub fn spec(&self) -> OverCall {
        OverCall {
            function: self.function,
            argument: self.argument,
            argument_type: DataTypeSpec(self.argument_type.clone()),
            filter: self.filter,
            distinct: self.distinct,
            ignore_nulls: self.ignore_nulls,
            frame: self.frame,
            result_type: DataTypeSpec(self.result_type.clone()),
            name: self.name.clone(),
        }
    }

    /// Whether it has a frame.
    pub(super) fn is_framed(&self) -> bool {
        matches!(
            self.function,
            OverFunction::First
                | OverFunction::Last
                | OverFunction::Nth(_)
                | OverFunction::Aggregate(_)
        )
    }

    /// Whether its frame is bounded by a distance in the order.
    pub(super) fn has_distance(&self) -> bool {
        let bounds = [self.frame.start, self.frame.end];
        self.is_framed()
            && self.frame.unit == FrameUnit::Range
            && bounds
                .iter()
                .any(|bound| matches!(bound, Bound::Preceding(_)))
    }

    /// Whether it can be NULL.
    fn nullable(&self) -> bool {
        !matches!(
            self.function,
            OverFunction::RowNumber
                | OverFunction::Rank
                | OverFunction::DenseRank
                | OverFunction::PercentRank
                | OverFunction::CumeDist
                | OverFunction::Tile(_)
                | OverFunction::Aggregate(AggregateFunction::Count)
        )
    }
}

impl Over {
    /// What is known about the rows.
    pub(super) fn properties(&self, input: &Properties) -> Properties {
        let width = input.schema.fields().len();
        let mut fields = input.schema.fields().to_vec();
        for value in &self.values {
            let field = Field::new(&value.name, value.result_type.clone(), value.nullable());
            fields.push(Arc::new(field));
        }
        let mut properties = Properties::appending(Arc::new(Schema::new(fields)), input.bounded);
        properties.keys = input.keys.clone();
        properties.state = StateSize::PerKey;
        if let OverForm::Corrected { .. } = self.form {
            properties.updating = true;
            properties.mode = ChangelogMode::Retract;
            return properties;
        }
        // A row goes out once, and no later than the watermark in front of it says.
        let times = properties.attributes.iter_mut().zip(&input.attributes);
        times.for_each(|(own, below)| *own = *below);
        let is_number = |value: &OverValue| value.function == OverFunction::RowNumber;
        if let Some(number) = self.values.iter().position(is_number) {
            let by_number = self.partition_by.iter().copied().chain([width + number]);
            properties.keys.push(by_number.collect());
            properties.keys = smallest(properties.keys);
        }
        if self.values.iter().all(OverValue::has_distance) {
            properties.state = StateSize::UntilWatermark;
        }
        properties
    }
}
