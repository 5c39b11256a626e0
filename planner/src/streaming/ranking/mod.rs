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
//! what that says about the number limits the rank. A rank that nothing has limited in the end would have
//! to keep all rows in order and to change the number of most of them with each row: it is refused.

mod range;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{Sort as SortExpr, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{Expr, FetchType, Limit, LogicalPlan, SkipType, Window};
use datafusion::physical_expr::expressions::Literal;
use levada_engine::graph::{OrderColumn, RankFunction};
use levada_language::types::SqlType;

use self::range::{Limits, Range};
use super::build::{Builder, names};
use super::calc::attribute_of;
use super::expression::{self, ExprRef};
use super::rank::{UNLIMITED, label};
use super::{Attribute, NodeId, NodeKind, Rank, Values};
use crate::logical::rank_function;
use levada_language::error::PlanError;

/// What is numbered by what, before expressions are columns.
struct Ranking {
    function: RankFunction,
    partition_by: Vec<ExprRef>,
    order_by: Vec<Order>,
    range: Range,
    number: bool,
}

/// An expression that rows are put in order by.
struct Order {
    expr: ExprRef,
    descending: bool,
    nulls_first: bool,
}

impl Builder<'_> {
    pub(super) fn window(&mut self, window: &Window) -> Result<NodeId, PlanError> {
        let (function, params) = self.only_function(window)?;
        let input = self.query(&window.input)?;
        if self.numbered_below(input).is_some_and(|rank| rank.open) {
            return Err(self.several_functions(&[function]));
        }
        let partition_by = params.partition_by.iter();
        let partition_by = partition_by.map(|expr| self.expression(expr, &window.input));
        let ranking = Ranking {
            function,
            partition_by: partition_by.collect::<Result<_, _>>()?,
            order_by: self.order(&params.order_by, &window.input)?,
            range: Range::ALL,
            number: true,
        };
        self.rank(input, ranking, names(window.schema.fields()))
    }

    /// The only function of the window, which has to be one of those that number rows.
    fn only_function<'w>(
        &self,
        window: &'w Window,
    ) -> Result<(RankFunction, &'w WindowFunctionParams), PlanError> {
        let mut found = Vec::new();
        for expr in &window.window_expr {
            let call = window_function(expr)?;
            let name = call.fun.name();
            let Some(function) = rank_function(name) else {
                let what = format!("{} with OVER on streams", name.to_uppercase());
                return Err(PlanError::unsupported(what, None));
            };
            if call.params.filter.is_some() || call.params.null_treatment.is_some() {
                let what = format!("FILTER or IGNORE NULLS of {}", label(function));
                return Err(self.unsupported_call(&what, function, 0));
            }
            found.push((function, &call.params));
        }
        match found.as_slice() {
            [only] => Ok(*only),
            several => {
                let functions: Vec<RankFunction> = several.iter().map(|call| call.0).collect();
                Err(self.several_functions(&functions))
            }
        }
    }

    fn order(&self, sorts: &[SortExpr], input: &LogicalPlan) -> Result<Vec<Order>, PlanError> {
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
            partition_by: Vec::new(),
            order_by,
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
        let (partition_by, order_by) = self.places(input, &ranking, &mut columns)?;
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
        let rank = Rank {
            function: ranking.function,
            partition_by,
            order_by,
            from: ranking.range.from,
            to: ranking.range.to,
            number: ranking.number,
        };
        let below = self.properties(source)?;
        self.check_types(&rank, &below.schema)?;
        if below.updating && self.varies_below(source) {
            return Err(self.varying(&rank));
        }
        let properties = rank.properties(below);
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

    /// Where the columns of partitions and of the order stand; what is computed goes behind `columns`. What is
    /// the same for all rows of a partition tells nothing.
    fn places(
        &self,
        input: NodeId,
        ranking: &Ranking,
        columns: &mut Vec<ExprRef>,
    ) -> Result<(Vec<usize>, Vec<OrderColumn>), PlanError> {
        let constant = |expr: &ExprRef| expr.downcast_ref::<Literal>().is_some();
        let mut place = |expr: &ExprRef| {
            let known = || columns.iter().position(|column| column == expr);
            expression::as_column(expr)
                .or_else(known)
                .unwrap_or_else(|| {
                    columns.push(Arc::clone(expr));
                    columns.len() - 1
                })
        };
        let mut partition_by: Vec<usize> = Vec::new();
        for expr in ranking.partition_by.iter().filter(|e| !constant(e)) {
            let column = place(expr);
            if !partition_by.contains(&column) {
                partition_by.push(column);
            }
        }
        // Rows come in the order of processing time, so nothing has to be compared.
        let properties = self.properties(input)?;
        if let [only] = ranking.order_by.as_slice()
            && ranking.function == RankFunction::RowNumber
            && !only.descending
            && attribute_of(&only.expr, properties) == Attribute::ProcessingTime
        {
            return Ok((partition_by, Vec::new()));
        }
        let mut order_by: Vec<OrderColumn> = Vec::new();
        for order in ranking.order_by.iter().filter(|o| !constant(&o.expr)) {
            let column = place(&order.expr);
            let known = partition_by.contains(&column)
                || order_by.iter().any(|known| known.column == column);
            if !known {
                order_by.push(OrderColumn {
                    column,
                    descending: order.descending,
                    nulls_first: order.nulls_first,
                });
            }
        }
        Ok((partition_by, order_by))
    }

    /// Refuses what has no order.
    fn check_types(&self, rank: &Rank, schema: &arrow::datatypes::Schema) -> Result<(), PlanError> {
        let partition_by = rank.partition_by.iter().map(|column| ("PARTITION", column));
        let order_by = rank.order_by.iter().map(|order| ("ORDER", &order.column));
        for (clause, column) in partition_by.chain(order_by) {
            let field = schema.fields().get(*column);
            if let Some(field) = field.filter(|field| field.data_type().is_nested()) {
                let shown = SqlType::from_arrow(field.data_type());
                let what = format!("{clause} BY a column of type {shown} on streams");
                return Err(match rank.number {
                    true => self.unsupported_call(&what, rank.function, 0),
                    false => PlanError::unsupported(what, None),
                });
            }
        }
        Ok(())
    }
}

/// The calls of a query and what is wrong with them.
impl Builder<'_> {
    /// An unsupported construct where the call of a function stands that comes behind `skipped` others of the
    /// same; the last one there is.
    fn unsupported_call(&self, what: &str, function: RankFunction, skipped: usize) -> PlanError {
        let calls = self.rank_calls.iter();
        let same = calls.filter(|call| call.function == function);
        match same.take(skipped + 1).last() {
            Some(call) => call.unsupported(what),
            None => PlanError::unsupported(what, None),
        }
    }

    fn several_functions(&self, functions: &[RankFunction]) -> PlanError {
        let what = "several functions with OVER over the same rows on streams";
        let last = functions.last().copied();
        let before = functions.iter().rev().skip(1);
        let same = before.filter(|function| Some(**function) == last).count();
        let error = match last {
            Some(function) => self.unsupported_call(what, function, same),
            None => PlanError::unsupported(what, None),
        };
        error.hint(
            "number rows once in each SELECT, and limit the number in the SELECT around it: WHERE rn <= 10",
        )
    }

    fn varying(&self, rank: &Rank) -> PlanError {
        let what = "numbering rows that change and have a value that is another each time it is computed, \
                    such as PROCTIME() or RAND(),";
        let error = match rank.number {
            true => self.unsupported_call(what, rank.function, 0),
            false => PlanError::unsupported(what, None),
        };
        error.hint("compute the value behind the Top-N, or in front of what makes the rows change")
    }

    /// Refuses ranks that nothing has limited.
    ///
    /// # Errors
    /// What `id` gives comes through such a rank.
    pub(super) fn check_limited(&self, id: NodeId) -> Result<(), PlanError> {
        let mut open = vec![id];
        let mut seen = vec![false; self.plan.next_id()];
        while let Some(id) = open.pop() {
            let Some(node) = self.plan.node(id) else {
                continue;
            };
            if let Some(seen) = seen.get_mut(id)
                && std::mem::replace(seen, true)
            {
                continue;
            }
            if let NodeKind::Rank(rank) = &node.kind
                && rank.to == UNLIMITED
            {
                return Err(self.without_limit(rank.function));
            }
            open.extend(&node.inputs);
        }
        Ok(())
    }

    fn without_limit(&self, function: RankFunction) -> PlanError {
        let name = label(function);
        let what = format!("{name}() OVER without an upper limit on its number on streams");
        self.unsupported_call(&what, function, 0).hint(
            "say how many rows are wanted, with a number: SELECT … FROM (SELECT *, ROW_NUMBER() OVER (…) AS rn \
             FROM t) WHERE rn <= 10, or QUALIFY; or use batch mode: SET 'execution.runtime-mode' = 'batch'",
        )
    }
}

/// A rank that gives numbers, below a node.
struct Numbered {
    /// The columns of the node that have the number.
    columns: Vec<usize>,
    range: Range,
    /// Whether nothing limits it yet.
    open: bool,
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
        // Without an upper limit it stays as it is, to be limited further above or refused.
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
                open: rank.to == UNLIMITED,
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
                let properties = limited.properties(self.properties(*input)?);
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

fn window_function(expr: &Expr) -> Result<&WindowFunction, PlanError> {
    match expr {
        Expr::WindowFunction(call) => Ok(call),
        Expr::Alias(alias) => window_function(&alias.expr),
        other => Err(PlanError::internal(format!(
            "{other} is not a function with OVER"
        ))),
    }
}
