//! Over: values behind each row that are computed from the rows around it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{
    AggregateFunction, Bound, DataTypeSpec, Frame, FrameUnit, OrderColumn, OverCall, OverForm,
    OverFunction,
};

use super::join::smallest;
use super::{Attribute, NodeId, NodeKind, Plan, Properties, expression};

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

    /// Whether rows that are equal in order count together.
    pub(super) fn counts_ties(&self) -> bool {
        let counts = matches!(
            self.function,
            OverFunction::Rank
                | OverFunction::DenseRank
                | OverFunction::PercentRank
                | OverFunction::CumeDist
        );
        counts || (self.is_framed() && self.frame.unit == FrameUnit::Range)
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
    /// What is known about the rows; `times` is what the columns of the input still say about time.
    pub(super) fn properties(&self, input: &Properties, times: &[Attribute]) -> Properties {
        let width = input.schema.fields().len();
        let mut fields = input.schema.fields().to_vec();
        for value in &self.values {
            let field = Field::new(&value.name, value.result_type.clone(), value.nullable());
            fields.push(Arc::new(field));
        }
        let mut properties = Properties::appending(Arc::new(Schema::new(fields)), input.bounded);
        properties.keys = input.keys.clone();
        if let OverForm::Corrected { .. } = self.form {
            properties.updating = true;
            properties.mode = ChangelogMode::Retract;
            return properties;
        }
        let own = properties.attributes.iter_mut().zip(times);
        own.for_each(|(own, time)| *own = *time);
        let is_number = |value: &OverValue| value.function == OverFunction::RowNumber;
        if let Some(number) = self.values.iter().position(is_number) {
            let by_number = self.partition_by.iter().copied().chain([width + number]);
            properties.keys.push(by_number.collect());
            properties.keys = smallest(properties.keys);
        }
        properties
    }
}

/// What the columns of `input` say about time behind a node that gives a row when the watermark has passed its time,
/// which is in `column`.
///
/// That time, and those that are never before it, are as they were. Behind another time the watermark may be already
/// when the row comes.
pub(super) fn times_in_order_of(plan: &Plan, input: NodeId, column: usize) -> Vec<Attribute> {
    let Some(rows) = plan.node(input).map(|node| &node.properties) else {
        return Vec::new();
    };
    let own = origin(plan, input, column);
    let order = rows.attribute(column);
    // A window ends behind the times of its rows.
    let of_own = |window: NodeId| {
        let made = plan.node(window);
        let time = match made.map(|node| (&node.kind, node.inputs.as_slice())) {
            Some((NodeKind::AssignWindow(assign), [below])) => {
                assign.time.map(|time| origin(plan, *below, time))
            }
            _ => None,
        };
        order == Attribute::EventTime && time == Some(own)
    };
    let stays = |(place, attribute): (usize, &Attribute)| match (*attribute, attribute.window()) {
        (Attribute::ProcessingTime, _) => true,
        (_, Some(window)) => order.window() == Some(window) || of_own(window),
        (time, None) => time == Attribute::EventTime && origin(plan, input, place) == own,
    };
    let attributes = rows.attributes.iter().enumerate();
    let attributes = attributes.map(|(place, own)| match stays((place, own)) {
        true => *own,
        false => Attribute::None,
    });
    attributes.collect()
}

/// The node that a column comes from, through others that pass it on, and its place there.
fn origin(plan: &Plan, id: NodeId, column: usize) -> (NodeId, usize) {
    let (mut id, mut column) = (id, column);
    while let Some(node) = plan.node(id)
        && let [input] = node.inputs.as_slice()
        && let Some(below) = plan.node(*input)
    {
        let width = below.properties.schema.fields().len();
        let passed = match &node.kind {
            NodeKind::Calc(calc) => calc.projection.get(column).and_then(expression::as_column),
            NodeKind::AssignWindow(_) | NodeKind::Rank(_) | NodeKind::Over(_) => {
                Some(column).filter(|column| *column < width)
            }
            _ => None,
        };
        let Some(passed) = passed else { break };
        (id, column) = (*input, passed);
    }
    (id, column)
}
