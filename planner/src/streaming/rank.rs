//! Rank: numbers rows in order and passes on the first ones.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{OrderColumn, RankFunction, RankWindow};

use super::join::smallest;
use super::{Attribute, NodeId, NodeKind, Plan, Properties};

#[cfg(test)]
mod tests;

/// What [`Rank::to`] is where nothing limits the numbers. Such a node is not for running: the condition
/// that limits it stands further above, or is missing.
pub(super) const UNLIMITED: u64 = u64::MAX;

/// Passes on the rows whose number among those of their partition is in a range: Top-N, deduplication,
/// LIMIT.
///
/// The output has the columns of the input, and behind them the number if it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rank {
    /// How rows are numbered.
    pub function: RankFunction,
    /// The columns that partitions are formed by; none is one partition of everything.
    pub partition_by: Vec<usize>,
    /// What rows are put in order by. None is the order in which they arrive, which for
    /// [`RankFunction::RowNumber`] is also what ascending processing time says.
    pub order_by: Vec<OrderColumn>,
    /// The least number that is passed on, from 1 on.
    pub from: u64,
    /// The greatest one.
    pub to: u64,
    /// Whether the number stands behind the other columns.
    pub number: bool,
    /// The windows that partitions are of, if event time ends them.
    pub window: Option<RankWindow>,
}

/// Which row of several is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The first in time.
    First,
    /// The last in time.
    Last,
}

impl Rank {
    /// What is known about the rows; `times` is what the columns of the input still say about time when the window of
    /// a row has ended.
    pub(super) fn properties(&self, input: &Properties, times: &[Attribute]) -> Properties {
        let width = input.schema.fields().len();
        let mut fields = input.schema.fields().to_vec();
        if self.number {
            let number = Field::new(self.column_name(), DataType::Int64, false);
            fields.push(Arc::new(number));
        }
        let schema = Arc::new(Schema::new(fields));
        let mut properties = Properties::appending(schema, input.bounded);
        let at_end = self.window.is_some_and(|window| window.at_end);
        properties.updating = !at_end && (input.updating || !self.is_by_arrival());
        if properties.updating {
            properties.mode = ChangelogMode::Retract;
        } else {
            // A row goes out when it comes, or when its window ends, or never.
            let times = if at_end { times } else { &input.attributes };
            let own = properties.attributes.iter_mut().zip(times);
            own.for_each(|(own, below)| *own = *below);
        }
        properties.keys = self.unique_keys(input, width);
        properties
    }

    /// A number is given once in a partition, if rows that are equal in order do not share it; and a row that
    /// was told apart from the others before still is.
    fn unique_keys(&self, input: &Properties, number: usize) -> Vec<Vec<usize>> {
        let mut keys = Vec::new();
        if self.gives_one_row() {
            keys.push(self.partition_by.clone());
        } else if self.number && self.function == RankFunction::RowNumber {
            let by_number = self.partition_by.iter().copied().chain([number]);
            keys.push(by_number.collect());
        }
        keys.extend(input.keys.iter().cloned());
        smallest(keys)
    }

    /// The window that partitions are of.
    pub(super) fn window_of(&self, input: &Properties) -> Option<RankWindow> {
        let columns = self.partition_by.iter();
        let mut times = columns.filter_map(|column| {
            let last_ms = match input.attribute(*column) {
                Attribute::WindowEnd(_) => -1,
                Attribute::WindowTime(_) => 0,
                _ => return None,
            };
            Some(RankWindow {
                column: *column,
                last_ms,
                at_end: input.updating || !self.is_by_arrival(),
            })
        });
        times.next()
    }

    /// Whether no row can come before one that is there.
    fn is_by_arrival(&self) -> bool {
        self.order_by.is_empty() && self.function == RankFunction::RowNumber
    }

    /// Whether a partition has one row at most.
    pub(super) fn gives_one_row(&self) -> bool {
        self.from == self.to && self.function == RankFunction::RowNumber
    }

    /// Which row of a partition it keeps, if it does no more than to keep the first or last in time.
    pub fn deduplicates(&self, input: &Properties) -> Option<Keep> {
        let first = self.function == RankFunction::RowNumber && (self.from, self.to) == (1, 1);
        if !first || self.partition_by.is_empty() {
            return None;
        }
        let time = |column: usize| {
            let attribute = input.attribute(column);
            attribute.is_event_time() || attribute == Attribute::ProcessingTime
        };
        match self.order_by.as_slice() {
            [] => Some(Keep::First),
            [order] if time(order.column) && order.descending => Some(Keep::Last),
            [order] if time(order.column) => Some(Keep::First),
            _ => None,
        }
    }

    /// The function, for people.
    pub fn label(&self) -> &'static str {
        label(self.function)
    }

    /// What the number is called.
    pub fn column_name(&self) -> String {
        format!("{}()", self.label())
    }
}

/// The name of a function in SQL.
pub(super) fn label(function: RankFunction) -> &'static str {
    match function {
        RankFunction::RowNumber => "ROW_NUMBER",
        RankFunction::Rank => "RANK",
        RankFunction::DenseRank => "DENSE_RANK",
    }
}

/// Takes away the numbers that nobody reads: a row that is passed on with its number changes whenever one
/// comes before it, without it only when it is no longer among the first.
pub(super) fn drop_numbers(plan: &mut Plan, live: &[bool]) {
    let is_live = |id: NodeId| live.get(id).copied().unwrap_or(false);
    let mut unread = Vec::new();
    for (id, node) in plan.iter().filter(|(id, _)| is_live(*id)) {
        if !matches!(&node.kind, NodeKind::Rank(rank) if rank.number) {
            continue;
        }
        let Some(number) = node.properties.schema.fields().len().checked_sub(1) else {
            continue;
        };
        let mut readers = plan
            .iter()
            .filter(|(reader, node)| is_live(*reader) && node.inputs.contains(&id));
        let passes_by = |(_, reader): (NodeId, &super::Node)| match &reader.kind {
            NodeKind::Calc(calc) => !calc.reads(number),
            _ => false,
        };
        if readers.all(passes_by) {
            unread.push((id, number));
        }
    }
    for (id, number) in unread {
        let Some(node) = plan.node_mut(id) else {
            continue;
        };
        if let NodeKind::Rank(rank) = &mut node.kind {
            rank.number = false;
        }
        let properties = &mut node.properties;
        let fields = properties.schema.fields().iter().take(number).cloned();
        properties.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        properties.attributes.truncate(number);
        properties.keys.retain(|key| !key.contains(&number));
    }
}
