//! EXPLAIN ESTIMATED_COST: how many rows each node may give, and what that costs.
//!
//! Nothing is known about the values of a stream, so these are guesses by form, good for comparing two plans and for
//! nothing else. How many rows a table has, its connector says if it knows; others count as a hundred million. A changelog counts as
//! the rows that it adds up to.

use std::fmt;
use std::ops::Add;

use arrow::datatypes::{DataType, Schema};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, IsNotNullExpr, IsNullExpr, LikeExpr, NotExpr,
};
use levada_engine::graph::{JoinKind, WindowKind};

use crate::streaming::{ExprRef, Join, Node, NodeKind, Plan, Properties, Rank, States, as_column};

/// The rows of a table of which nothing is known.
const TABLE_ROWS: f64 = 1e8;
/// How many of so many rows are distinct in columns that are not known to be a key.
const DISTINCT: f64 = 0.1;
/// The elements of a collection.
const ELEMENTS: f64 = 4.0;
/// Bytes of a value whose type does not say.
const VALUE_BYTES: f64 = 20.0;

/// What is expected of the nodes of a plan.
pub(super) struct Estimates(Vec<Estimate>);

/// What is expected of a node.
#[derive(Debug, Clone, Copy, Default)]
struct Estimate {
    /// The rows that it gives.
    rows: f64,
    /// What it costs, with all that is below.
    cost: Cost,
}

/// What rows cost.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    /// Rows that are taken.
    rows: f64,
    /// Rows, each as often as something is computed or looked up for it.
    cpu: f64,
    /// Bytes that are read and written outside.
    io: f64,
    /// Bytes that may go to another worker.
    network: f64,
    /// Bytes that are remembered.
    memory: f64,
}

impl Estimates {
    /// Of all nodes.
    pub(super) fn of(plan: &Plan, states: &States<'_>) -> Self {
        let mut all: Vec<Estimate> = Vec::new();
        for (_, node) in plan.iter() {
            let below: Vec<Below<'_>> = node
                .inputs
                .iter()
                .filter_map(|id| {
                    let estimate = all.get(*id).copied()?;
                    let properties = &plan.node(*id)?.properties;
                    Some(Below {
                        estimate,
                        properties,
                    })
                })
                .collect();
            let rows = rows_of(node, &below);
            let keeps = !states.kept(node).is_empty();
            let own = cost_of(node, &below, rows, keeps);
            let cost = below.iter().map(|input| input.estimate.cost);
            let cost = cost.fold(own, Cost::add);
            all.push(Estimate { rows, cost });
        }
        Estimates(all)
    }

    /// What is printed behind a node.
    pub(super) fn line(&self, id: usize) -> String {
        let Estimate { rows, cost } = self.0.get(id).copied().unwrap_or_default();
        format!(
            "rowcount = {}, cumulative cost = {{{} rows, {} cpu, {} io, {} network, {} memory}}",
            Number(rows),
            Number(cost.rows),
            Number(cost.cpu),
            Number(cost.io),
            Number(cost.network),
            Number(cost.memory),
        )
    }
}

/// An input of a node.
struct Below<'a> {
    estimate: Estimate,
    properties: &'a Properties,
}

impl Below<'_> {
    fn rows(&self) -> f64 {
        self.estimate.rows
    }

    fn bytes(&self) -> f64 {
        self.rows() * row_bytes(&self.properties.schema)
    }

    /// How many values columns have.
    fn groups(&self, columns: &[usize]) -> f64 {
        match columns.is_empty() {
            true => 1.0,
            false if self.is_key(columns) => self.rows(),
            false => (self.rows() * DISTINCT).max(1.0),
        }
    }

    fn is_key(&self, columns: &[usize]) -> bool {
        let mut keys = self.properties.keys.iter();
        keys.any(|key| key.iter().all(|column| columns.contains(column)))
    }
}

/// How many rows a node gives, at least none.
fn rows_of(node: &Node, below: &[Below<'_>]) -> f64 {
    let all: f64 = below.iter().map(Below::rows).sum();
    let first = below.first();
    let of_first = |columns: &[usize]| first.map_or(0.0, |input| input.groups(columns));
    match &node.kind {
        NodeKind::Scan(scan) => scan.rows.map_or(TABLE_ROWS, |rows| rows as f64),
        NodeKind::Values(values) => values.rows.num_rows() as f64,
        NodeKind::Calc(calc) => all * calc.filter.as_ref().map_or(1.0, share),
        NodeKind::AssignWindow(window) => all * windows_of_row(window.window.spec()),
        NodeKind::Unnest(_) => all * ELEMENTS,
        NodeKind::WindowAggregate(aggregate) => {
            // How many windows there are is not known, so without a key each tenth row has one of its own.
            of_first(&aggregate.keys).max(all * DISTINCT) * windows_of_row(aggregate.window.spec())
        }
        NodeKind::GroupAggregate(aggregate) => of_first(&aggregate.keys),
        NodeKind::Join(join) => pairs(join, below),
        NodeKind::MultiJoin(_) => below.iter().map(Below::rows).fold(0.0, f64::max),
        NodeKind::TemporalJoin(_) => first.map_or(0.0, Below::rows),
        NodeKind::Rank(rank) => first_rows(rank, of_first(&rank.partition_by)).min(all),
        NodeKind::Pattern(_) => all * DISTINCT,
        NodeKind::CountWindow(window) => all * window.size as f64 / window.slide.max(1) as f64,
        NodeKind::Union
        | NodeKind::ChangelogNormalize(_)
        | NodeKind::Over(_)
        | NodeKind::UpsertMaterialize(_)
        | NodeKind::ToChangelog(_)
        | NodeKind::FromChangelog(_)
        | NodeKind::Sink(_)
        | NodeKind::Collect => all,
    }
}

fn windows_of_row(window: WindowKind) -> f64 {
    match window {
        WindowKind::Tumble { .. } | WindowKind::Session { .. } => 1.0,
        WindowKind::Hop {
            slide_ms, size_ms, ..
        } => size_ms as f64 / slide_ms.max(1) as f64,
        // A row is in half of those of its size.
        WindowKind::Cumulate {
            step_ms, size_ms, ..
        } => (size_ms as f64 / step_ms.max(1) as f64 / 2.0).max(1.0),
    }
}

fn first_rows(rank: &Rank, partitions: f64) -> f64 {
    let each = rank.to.saturating_sub(rank.from).saturating_add(1);
    partitions * each as f64
}

/// The rows of a join: each row of the one side finds as many partners as its key has there.
fn pairs(join: &Join, below: &[Below<'_>]) -> f64 {
    let [left, right] = below else {
        return 0.0;
    };
    let (l, r) = (left.rows(), right.rows());
    let by_key = match join.left_keys.is_empty() {
        true => l * r,
        false => {
            let groups = left.groups(&join.left_keys);
            l * r / groups.max(right.groups(&join.right_keys)).max(1.0)
        }
    };
    let pairs = by_key * join.condition.as_ref().map_or(1.0, share);
    match join.kind {
        JoinKind::Inner => pairs,
        JoinKind::Left => pairs.max(l),
        JoinKind::Right => pairs.max(r),
        JoinKind::Full => pairs.max(l).max(r),
        JoinKind::Semi | JoinKind::Anti => l / 2.0,
    }
}

/// The share of rows for which a condition holds.
fn share(condition: &ExprRef) -> f64 {
    if let Some(binary) = condition.downcast_ref::<BinaryExpr>() {
        let (left, right) = (binary.left(), binary.right());
        return match binary.op() {
            Operator::And => share(left) * share(right),
            Operator::Or => {
                let (a, b) = (share(left), share(right));
                a + b - a * b
            }
            Operator::Eq | Operator::IsNotDistinctFrom => 0.15,
            Operator::NotEq | Operator::IsDistinctFrom => 0.85,
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => 0.5,
            _ => 0.25,
        };
    }
    if let Some(not) = condition.downcast_ref::<NotExpr>() {
        return 1.0 - share(not.arg());
    }
    if condition.downcast_ref::<IsNotNullExpr>().is_some() {
        return 0.9;
    }
    if condition.downcast_ref::<IsNullExpr>().is_some() {
        return 0.1;
    }
    match condition.downcast_ref::<LikeExpr>() {
        Some(like) if like.negated() => 0.75,
        _ => 0.25,
    }
}

/// What a node costs without those below it. `keeps` says whether it remembers anything.
fn cost_of(node: &Node, below: &[Below<'_>], given: f64, keeps: bool) -> Cost {
    let schema = &node.properties.schema;
    let taken: f64 = below.iter().map(Below::rows).sum();
    let bytes: f64 = below.iter().map(Below::bytes).sum();
    let remembered = match &node.kind {
        _ if !keeps => 0.0,
        NodeKind::GroupAggregate(_)
        | NodeKind::WindowAggregate(_)
        | NodeKind::Rank(_)
        | NodeKind::ChangelogNormalize(_) => given * row_bytes(schema),
        _ => bytes,
    };
    let own = Cost {
        rows: taken,
        cpu: taken,
        memory: remembered,
        ..Cost::default()
    };
    match &node.kind {
        NodeKind::Scan(_) | NodeKind::Values(_) => Cost {
            rows: given,
            cpu: given,
            io: given * row_bytes(schema),
            ..own
        },
        NodeKind::Sink(_) | NodeKind::Collect => Cost { io: bytes, ..own },
        NodeKind::Calc(calc) => {
            let parts = calc.projection.iter().chain(&calc.filter);
            let computed = parts.filter(|expr| as_column(expr).is_none()).count();
            Cost {
                cpu: taken * computed as f64,
                ..own
            }
        }
        NodeKind::Union
        | NodeKind::AssignWindow(_)
        | NodeKind::Unnest(_)
        | NodeKind::ToChangelog(_)
        | NodeKind::FromChangelog(_) => own,
        NodeKind::Join(_) | NodeKind::MultiJoin(_) | NodeKind::TemporalJoin(_) => Cost {
            cpu: taken + given,
            network: bytes,
            ..own
        },
        NodeKind::GroupAggregate(_)
        | NodeKind::WindowAggregate(_)
        | NodeKind::ChangelogNormalize(_)
        | NodeKind::Rank(_)
        | NodeKind::Over(_)
        | NodeKind::Pattern(_)
        | NodeKind::CountWindow(_)
        | NodeKind::UpsertMaterialize(_) => Cost {
            network: bytes,
            ..own
        },
    }
}

fn row_bytes(schema: &Schema) -> f64 {
    let fields = schema.fields().iter();
    fields.map(|field| value_bytes(field.data_type())).sum()
}

fn value_bytes(data_type: &DataType) -> f64 {
    match data_type {
        DataType::Boolean => 1.0,
        DataType::Struct(fields) => fields.iter().map(|f| value_bytes(f.data_type())).sum(),
        DataType::List(element) | DataType::LargeList(element) => {
            ELEMENTS * value_bytes(element.data_type())
        }
        DataType::Map(entry, _) => ELEMENTS * value_bytes(entry.data_type()),
        other => other
            .primitive_width()
            .map_or(VALUE_BYTES, |bytes| bytes as f64),
    }
}

impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost {
            rows: self.rows + other.rows,
            cpu: self.cpu + other.cpu,
            io: self.io + other.io,
            network: self.network + other.network,
            memory: self.memory + other.memory,
        }
    }
}

/// Two digits are more than is known.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 < 1e4 {
            true => write!(f, "{:.1}", self.0),
            false => write!(f, "{:.1E}", self.0),
        }
    }
}
