//! ROW_NUMBER, RANK and DENSE_RANK of the logical plan, and LIMIT.
//!
//! ```text
//!   Filter: rn <= 3                        Calc                       Calc
//!     Projection / SubqueryAlias    ──▶      …           ──limit──▶     …
//!       Window: row_number() AS rn             Rank(1 to any)             Rank(1 to 3)
//! ```
//!
//! DataFusion's rules move conditions and projections as they like, so a ranking function first becomes
//! a rank that nothing limits. Whenever a condition is put behind it, whatever calcs stand in between,
//! what that says about the number limits the rank. If nothing has limited one in the end, the query is built
//! again with it as an ordinary function with OVER (`window_functions`), which numbers all rows.

mod range;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{Sort as SortExpr, WindowFunctionParams};
use datafusion::logical_expr::{FetchType, Limit, LogicalPlan, SkipType, Window};
use datafusion::physical_expr::expressions::Literal;
use levada_engine::graph::{OrderColumn, RankFunction};
use levada_language::types::SqlType;

use self::range::{Limits, Range};
use super::build::{Builder, names};
use super::calc::attribute_of;
use super::expression::{self, ExprRef};
use super::over::times_in_order_of;
use super::rank::{UNLIMITED, label};
use super::{Attribute, NodeId, NodeKind, Properties, Rank, Values};
use levada_language::error::PlanError;

/// What is numbered by what, before expressions are columns.
struct Ranking {
    function: RankFunction,
    sorting: Sorting,
    range: Range,
    number: bool,
}

/// How rows are put together and in order, before expressions are columns.
#[derive(PartialEq)]
pub(super) struct Sorting {
    pub(super) partition_by: Vec<ExprRef>,
    pub(super) order_by: Vec<Order>,
}

/// An expression that rows are put in order by.
pub(super) struct Order {
    pub(super) expr: ExprRef,
    pub(super) descending: bool,
    nulls_first: bool,
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        let flags = |order: &Order| (order.descending, order.nulls_first);
        self.expr.eq(&other.expr) && flags(self) == flags(other)
    }
}

/// Windows of the logical plan that became ranks, by address.
#[derive(Default)]
pub(super) struct Ranked {
    nodes: Vec<(NodeId, usize)>,
    /// Those that nothing limits.
    unlimited: Vec<usize>,
}

impl Ranked {
    /// Whether a window may become a rank.
    pub(super) fn may_be_limited(&self, window: &Window) -> bool {
        !self.unlimited.contains(&address(window))
    }
}

fn address(window: &Window) -> usize {
    std::ptr::from_ref(window).addr()
}

impl Builder<'_> {
    /// A window whose only function numbers rows, as a rank, which is to be limited.
    pub(super) fn ranking(
        &mut self,
        input: NodeId,
        window: &Window,
        (function, params): (RankFunction, &WindowFunctionParams),
    ) -> Result<NodeId, PlanError> {
        let ranking = Ranking {
            function,
            sorting: self.sorting(params, window)?,
            range: Range::ALL,
            number: true,
        };
        let id = self.rank(input, ranking, names(window.schema.fields()))?;
        let mut rank = id;
        while let Some(node) = self.plan.node(rank) {
            match (&node.kind, node.inputs.as_slice()) {
                (NodeKind::Calc(_), [below]) => rank = *below,
                _ => break,
            }
        }
        self.ranked.nodes.push((rank, address(window)));
        Ok(id)
    }

    /// PARTITION BY and ORDER BY of a function.
    pub(super) fn sorting(
        &self,
        params: &WindowFunctionParams,
        window: &Window,
    ) -> Result<Sorting, PlanError> {
        let partition_by = params.partition_by.iter();
        let partition_by = partition_by.map(|expr| self.expression(expr, &window.input));
        Ok(Sorting {
            partition_by: partition_by.collect::<Result<_, _>>()?,
            order_by: self.order(&params.order_by, &window.input)?,
        })
    }

    pub(super) fn order(
        &self,
        sorts: &[SortExpr],
        input: &LogicalPlan,
    ) -> Result<Vec<Order>, PlanError> {
        let order = |sort: &SortExpr| {
            Ok(Order {
                expr: self.expression(&sort.expr, input)?,
                descending: !sort.asc,
                nulls_first: sort.nulls_first,
            })
        };
        sorts.iter().map(order).collect()
    }

    pub(super) fn limit(&mut self, limit: &Limit) -> Result<NodeId, PlanError> {
        let unknown = || {
            PlanError::unsupported("LIMIT or OFFSET that is not a number on streams", None)
                .hint("write the number itself")
        };
        let SkipType::Literal(skip) = limit.get_skip_type()? else {
            return Err(unknown());
        };
        let FetchType::Literal(fetch) = limit.get_fetch_type()? else {
            return Err(unknown());
        };
        let Some(fetch) = fetch else {
            return match skip {
                0 => self.query(&limit.input),
                _ => Err(PlanError::unsupported(
                    "OFFSET without LIMIT on streams",
                    None,
                )),
            };
        };
        let number = |count: usize| u64::try_from(count).unwrap_or(UNLIMITED);
        let (skip, fetch) = (number(skip), number(fetch));
        let range = Range {
            from: skip.saturating_add(1),
            to: skip.saturating_add(fetch).min(UNLIMITED - 1),
        };
        self.first_rows(&limit.input, range)
    }

    /// Those rows of a query whose place is in `range`, in the order that stands right below: ORDER BY may
    /// be by columns that a projection behind it drops.
    fn first_rows(&mut self, logical: &LogicalPlan, range: Range) -> Result<NodeId, PlanError> {
        let (input, order_by) = match logical {
            LogicalPlan::Projection(projection) if is_sorted(&projection.input) => {
                let input = self.first_rows(&projection.input, range)?;
                return self.project(projection, input);
            }
            LogicalPlan::SubqueryAlias(alias) if is_sorted(&alias.input) => {
                return self.first_rows(&alias.input, range);
            }
            LogicalPlan::Sort(sort) => {
                let input = self.query(&sort.input)?;
                (input, self.order(&sort.expr, &sort.input)?)
            }
            other => (self.query(other)?, Vec::new()),
        };
        let schema = Arc::clone(&self.properties(input)?.schema);
        if range.is_empty() {
            return Ok(self.values(Values::empty(schema)));
        }
        let ranking = Ranking {
            function: RankFunction::RowNumber,
            sorting: Sorting {
                partition_by: Vec::new(),
                order_by,
            },
            range,
            number: false,
        };
        self.rank(input, ranking, names(schema.fields()))
    }

    /// Adds a rank. `names` are those of the columns of the input and, if there is one, of the number.
    fn rank(
        &mut self,
        input: NodeId,
        ranking: Ranking,
        names: Vec<String>,
    ) -> Result<NodeId, PlanError> {
        let schema = Arc::clone(&self.properties(input)?.schema);
        let width = schema.fields().len();
        let mut columns = expression::all_columns(&schema);
        let by_arrival = ranking.function == RankFunction::RowNumber
            && self.is_by_processing_time(input, &ranking.sorting)?;
        let how = match by_arrival {
            true => InOrder::Arrival,
            false => InOrder::Telling,
        };
        let (partition_by, order_by) = places(&ranking.sorting, &mut columns, how);
        // Only how many rows there are may count; a batch needs a column all the same.
        if columns.is_empty() {
            columns.push(Arc::new(Literal::new(ScalarValue::Boolean(Some(true)))));
        }
        let mut source = input;
        if columns.len() > width {
            let own = super::build::names(schema.fields()).into_iter();
            let computed = columns.iter().skip(width).map(expression::text);
            let all = own.chain(computed).collect();
            source = self.calc(input, None, columns, all)?;
        }
        let mut rank = Rank {
            function: ranking.function,
            partition_by,
            order_by,
            from: ranking.range.from,
            to: ranking.range.to,
            number: ranking.number,
            window: None,
        };
        let below = self.properties(source)?;
        // A window that takes late rows has no end.
        rank.window = rank.window_of(below).filter(|_| !self.late_updates);
        self.check_types(&rank, &below.schema)?;
        if below.updating && self.varies_below(source) {
            let call = rank.number.then(|| label(rank.function));
            return Err(self.varying(call));
        }
        let properties = self.ranked_properties(&rank, source)?;
        let schema = Arc::clone(&properties.schema);
        let id = self
            .plan
            .add(NodeKind::Rank(rank), vec![source], properties);
        if names == super::build::names(schema.fields()) {
            return Ok(id);
        }
        let computed = schema.fields().len().saturating_sub(names.len());
        let kept = expression::all_columns(&schema).into_iter().enumerate();
        let kept = kept.filter(|(place, _)| !(width..width + computed).contains(place));
        self.calc(id, None, kept.map(|(_, column)| column).collect(), names)
    }

    fn ranked_properties(&self, rank: &Rank, input: NodeId) -> Result<Properties, PlanError> {
        let times = match rank.window {
            Some(window) => times_in_order_of(&self.plan, input, window.column),
            None => Vec::new(),
        };
        Ok(rank.properties(self.properties(input)?, &times))
    }

    /// Whether rows come in the order that is asked for, so that nothing has to be compared.
    pub(super) fn is_by_processing_time(
        &self,
        input: NodeId,
        sorting: &Sorting,
    ) -> Result<bool, PlanError> {
        let properties = self.properties(input)?;
        Ok(match sorting.order_by.as_slice() {
            [only] => {
                let attribute = attribute_of(&only.expr, properties);
                !only.descending && attribute == Attribute::ProcessingTime
            }
            _ => false,
        })
    }

    /// Refuses what has no order.
    fn check_types(&self, rank: &Rank, schema: &arrow::datatypes::Schema) -> Result<(), PlanError> {
        let call = rank.number.then(|| label(rank.function));
        self.check_sorted(&rank.partition_by, &rank.order_by, schema, call)
    }

    /// Refuses columns that rows cannot be put together or in order by, for a function or for LIMIT.
    pub(super) fn check_sorted(
        &self,
        partition_by: &[usize],
        order_by: &[OrderColumn],
        schema: &arrow::datatypes::Schema,
        call: Option<&str>,
    ) -> Result<(), PlanError> {
        let partition_by = partition_by.iter().map(|column| ("PARTITION", column));
        let order_by = order_by.iter().map(|order| ("ORDER", &order.column));
        for (clause, column) in partition_by.chain(order_by) {
            let field = schema.fields().get(*column);
            if let Some(field) = field.filter(|field| field.data_type().is_nested()) {
                let shown = SqlType::from_arrow(field.data_type());
                let what = format!("{clause} BY a column of type {shown} on streams");
                return Err(match call {
                    Some(call) => self.unsupported_call(&what, call),
                    None => PlanError::unsupported(what, None),
                });
            }
        }
        Ok(())
    }
}

/// Which part of an order is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InOrder {
    /// None, since rows come in it.
    Arrival,
    /// What tells rows of a partition apart.
    Telling,
    /// All, since distances are in it.
    Whole,
}

/// Where the columns of partitions and of the order stand; what is computed goes behind `columns`. What is
/// the same for all rows of a partition tells nothing.
pub(super) fn places(
    sorting: &Sorting,
    columns: &mut Vec<ExprRef>,
    how: InOrder,
) -> (Vec<usize>, Vec<OrderColumn>) {
    let constant = |expr: &ExprRef| expr.downcast_ref::<Literal>().is_some();
    let mut partition_by: Vec<usize> = Vec::new();
    for expr in sorting.partition_by.iter().filter(|e| !constant(e)) {
        let column = place(expr, columns);
        if !partition_by.contains(&column) {
            partition_by.push(column);
        }
    }
    let mut order_by: Vec<OrderColumn> = Vec::new();
    for order in &sorting.order_by {
        let needed = match how {
            InOrder::Arrival => false,
            InOrder::Telling => !constant(&order.expr),
            InOrder::Whole => true,
        };
        if !needed {
            continue;
        }
        let column = place(&order.expr, columns);
        let known =
            partition_by.contains(&column) || order_by.iter().any(|known| known.column == column);
        if !known || how == InOrder::Whole {
            order_by.push(OrderColumn {
                column,
                descending: order.descending,
                nulls_first: order.nulls_first,
            });
        }
    }
    (partition_by, order_by)
}

/// Where an expression stands among columns, behind which it is put if it is none of them.
pub(super) fn place(expr: &ExprRef, columns: &mut Vec<ExprRef>) -> usize {
    let known = || columns.iter().position(|column| column == expr);
    expression::as_column(expr)
        .or_else(known)
        .unwrap_or_else(|| {
            columns.push(Arc::clone(expr));
            columns.len() - 1
        })
}

fn is_unlimited(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Rank(rank) if rank.to == UNLIMITED)
}

/// The calls of a query and what is wrong with them.
impl Builder<'_> {
    /// An unsupported construct where the first call of a function stands.
    pub(super) fn unsupported_call(&self, what: &str, function: &str) -> PlanError {
        let mut calls = self.over_calls.iter();
        let call = calls.find(|call| call.name.eq_ignore_ascii_case(function));
        match call {
            Some(call) => call.unsupported(what),
            None => PlanError::unsupported(what, None),
        }
    }

    /// Refuses values of rows that change which are others each time they are computed.
    pub(super) fn varying(&self, call: Option<&str>) -> PlanError {
        let what = "numbering rows that change and have a value that is another each time it is computed, \
                    such as PROCTIME() or RAND(),";
        let error = match call {
            Some(call) => self.unsupported_call(what, call),
            None => PlanError::unsupported(what, None),
        };
        error.hint("compute the value behind the Top-N, or in front of what makes the rows change")
    }

    /// Notes the ranks below a node that nothing has limited; true if there are any that were not known.
    pub(super) fn give_up_unlimited(&mut self, id: NodeId) -> bool {
        let mut open = vec![id];
        let mut seen = vec![false; self.plan.next_id()];
        let mut unlimited: Vec<usize> = Vec::new();
        while let Some(id) = open.pop() {
            let Some(node) = self.plan.node(id) else {
                continue;
            };
            if let Some(seen) = seen.get_mut(id)
                && std::mem::replace(seen, true)
            {
                continue;
            }
            if is_unlimited(&node.kind) {
                let windows = self.ranked.nodes.iter().filter(|(node, _)| *node == id);
                unlimited.extend(windows.map(|(_, window)| *window));
            }
            open.extend(&node.inputs);
        }
        let known = std::mem::take(&mut self.ranked).unlimited;
        unlimited.retain(|window| !known.contains(window));
        let found = !unlimited.is_empty();
        self.ranked.unlimited = known.into_iter().chain(unlimited).collect();
        found
    }
}

/// A rank that gives numbers, below a node.
struct Numbered {
    /// The columns of the node that have the number.
    columns: Vec<usize>,
    range: Range,
}

/// Limits of ranks.
impl Builder<'_> {
    /// What is to be read, and what is left of a condition, when the numbers that the condition lets pass are
    /// the only ones that are given.
    pub(super) fn limited(
        &mut self,
        input: NodeId,
        condition: Option<ExprRef>,
    ) -> Result<(NodeId, Option<ExprRef>), PlanError> {
        let (Some(condition), Some(numbered)) = (&condition, self.numbered_below(input)) else {
            return Ok((input, condition));
        };
        let limits = Limits::of(condition, &|column| numbered.columns.contains(&column));
        let range = numbered.range.and(limits.range);
        // Without an upper limit it stays as it is, to be limited further above.
        if range.to == UNLIMITED && !range.is_empty() {
            return Ok((input, Some(Arc::clone(condition))));
        }
        if range == numbered.range {
            return Ok((input, limits.rest));
        }
        Ok((self.with_range(input, range)?, limits.rest))
    }

    /// The rank with numbers that a node reads, through nothing but calcs that pass the number on.
    fn numbered_below(&self, id: NodeId) -> Option<Numbered> {
        let node = self.plan.node(id)?;
        match &node.kind {
            NodeKind::Rank(rank) if rank.number => Some(Numbered {
                columns: vec![node.properties.schema.fields().len().checked_sub(1)?],
                range: Range {
                    from: rank.from,
                    to: rank.to,
                },
            }),
            NodeKind::Calc(calc) => {
                let below = self.numbered_below(*node.inputs.first()?)?;
                let columns = calc.projection.iter().enumerate();
                let columns = columns.filter(|(_, e)| {
                    expression::as_column(e).is_some_and(|column| below.columns.contains(&column))
                });
                Some(Numbered {
                    columns: columns.map(|(place, _)| place).collect(),
                    ..below
                })
            }
            _ => None,
        }
    }

    /// The same calcs over the same rank with another range.
    fn with_range(&mut self, id: NodeId, range: Range) -> Result<NodeId, PlanError> {
        let Some(node) = self.plan.node(id).cloned() else {
            return Err(PlanError::internal(format!("there is no node {id}")));
        };
        let schema = node.properties.schema;
        match (node.kind, node.inputs.as_slice()) {
            (NodeKind::Rank(_), _) if range.is_empty() => Ok(self.values(Values::empty(schema))),
            (NodeKind::Rank(rank), [input]) => {
                let limited = Rank {
                    from: range.from,
                    to: range.to,
                    ..rank
                };
                let properties = self.ranked_properties(&limited, *input)?;
                let kind = NodeKind::Rank(limited);
                Ok(self.plan.add(kind, vec![*input], properties))
            }
            (NodeKind::Calc(calc), [input]) => {
                let below = self.with_range(*input, range)?;
                self.add_calc(calc, below, &names(schema.fields()))
            }
            _ => Err(PlanError::internal("a rank is not where it should be")),
        }
    }
}

/// Whether ORDER BY stands right below, or is behind projections.
fn is_sorted(logical: &LogicalPlan) -> bool {
    match logical {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => is_sorted(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_sorted(&alias.input),
        _ => false,
    }
}
