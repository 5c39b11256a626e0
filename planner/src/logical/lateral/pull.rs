//! Takes the conditions about an outer query out of a plan.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, TableReference};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::{Sort as SortExpr, WindowFunction};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, Expr, ExprFunctionExt, ExprSchemable, FetchType, Filter, Join,
    JoinType, Limit, LogicalPlan, LogicalPlanBuilder, Operator, Projection, SkipType, WindowFrame,
    WindowFunctionDefinition, lit,
};

use super::is_correlated;
use crate::logical::Resolver;
use levada_language::error::PlanError;

/// What operands of conditions are called, with a number behind it.
const OPERAND: &str = "__lateral_";

/// A plan that names no column of an outer query.
pub(super) struct Pulled {
    pub(super) plan: LogicalPlan,
    /// What is asked of its rows and those of the outer query: over its operands and columns of the outer query.
    pub(super) conditions: Vec<Expr>,
    /// The columns of the row that the plan has where the conditions leave none, if it has one then.
    pub(super) of_none: Option<HashMap<Column, Expr>>,
    /// Columns behind those of the query, without a qualifier.
    operands: Vec<Column>,
}

impl Pulled {
    fn plain(plan: LogicalPlan) -> Self {
        Pulled {
            plan,
            conditions: Vec::new(),
            of_none: None,
            operands: Vec::new(),
        }
    }

    /// Its columns.
    fn columns(&self) -> Vec<Expr> {
        let columns = self.plan.schema().columns();
        columns.into_iter().map(Expr::Column).collect()
    }

    /// What an expression is in the row that there is where conditions leave none.
    pub(super) fn value_of_none(&self, value: &Expr) -> Result<Option<Expr>> {
        let Some(of_none) = &self.of_none else {
            return Ok(None);
        };
        let replaced = value.clone().transform_up(|part| match &part {
            Expr::Column(column) => match of_none.get(column) {
                Some(value) => Ok(Transformed::yes(value.clone())),
                None => Ok(Transformed::no(part)),
            },
            _ => Ok(Transformed::no(part)),
        })?;
        Ok(Some(replaced.data))
    }

    /// What the conditions say that columns of the plan are equal to: rows that are compared with the same values have
    /// the same. `None` if they say anything else.
    fn keys(&self) -> Option<Vec<Expr>> {
        let key = |condition: &Expr| {
            let Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::Eq,
                right,
            }) = condition
            else {
                return None;
            };
            match (left.as_ref(), right.as_ref()) {
                (key @ Expr::Column(_), other) | (other, key @ Expr::Column(_))
                    if !other.any_column_refs() =>
                {
                    Some(key.clone())
                }
                _ => None,
            }
        };
        self.conditions.iter().map(key).collect()
    }
}

/// Takes conditions out of plans.
pub(super) struct Puller<'a> {
    resolver: &'a Resolver,
    /// How many operands have been named.
    operands: usize,
}

impl<'a> Puller<'a> {
    pub(super) fn new(resolver: &'a Resolver) -> Self {
        Puller {
            resolver,
            operands: 0,
        }
    }

    fn name(&mut self) -> Column {
        self.operands += 1;
        Column::new_unqualified(format!("{OPERAND}{}", self.operands))
    }

    /// The plan without its conditions about an outer query.
    pub(super) fn pull(&mut self, plan: &LogicalPlan) -> Result<Pulled> {
        if !is_correlated(plan)? {
            return Ok(Pulled::plain(plan.clone()));
        }
        match plan {
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::Projection(projection) => {
                let below = self.pull(&projection.input)?;
                project(projection, below)
            }
            LogicalPlan::SubqueryAlias(aliased) => {
                let below = self.pull(&aliased.input)?;
                self.aliased(below, &aliased.alias)
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            // A join has no order.
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => self.pull(&sort.input),
            LogicalPlan::Limit(limit) => self.limit(limit),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let below = self.pull(input)?;
                keys(&below, "DISTINCT")?;
                Ok(Pulled {
                    plan: LogicalPlan::Distinct(Distinct::All(Arc::new(below.plan))),
                    ..below
                })
            }
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::EmptyRelation(_) => Ok(Pulled::plain(plan.clone())),
            other => Err(refused(&format!("below {}", what(other)))),
        }
    }

    fn filter(&mut self, filter: &Filter) -> Result<Pulled> {
        let below = self.pull(&filter.input)?;
        self.filtered(below, filter.predicate.clone())
    }

    fn filtered(&mut self, below: Pulled, predicate: Expr) -> Result<Pulled> {
        if below.of_none.is_some() {
            return Err(refused("with HAVING and without GROUP BY"));
        }
        let conditions = split_conjunction_owned(predicate).into_iter();
        let (outer, own): (Vec<Expr>, Vec<Expr>) = conditions.partition(Expr::contains_outer);
        let (mut pulled, outer) = self.operands(below, outer)?;
        pulled.conditions.extend(outer);
        if let Some(own) = conjunction(own) {
            pulled.plan = LogicalPlan::Filter(Filter::try_new(own, Arc::new(pulled.plan))?);
        }
        Ok(pulled)
    }

    /// Has what expressions compute of the plan as columns of the plan, so that what is left of them is over these and
    /// columns of an outer query.
    pub(super) fn operands(
        &mut self,
        below: Pulled,
        exprs: Vec<Expr>,
    ) -> Result<(Pulled, Vec<Expr>)> {
        let mut computed = below.columns();
        let width = computed.len();
        let mut operands = below.operands.clone();
        let mut of_none = below.of_none.clone();
        let mut left = Vec::new();
        for expr in exprs {
            let has_subquery = expr.exists(|part| {
                Ok(matches!(
                    part,
                    Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_)
                ))
            })?;
            if has_subquery && expr.contains_outer() {
                return Err(refused(
                    "with a subquery and columns of the left side in one condition",
                ));
            }
            let replaced = expr.transform_down(|part| {
                if part.contains_outer() || !part.any_column_refs() {
                    return Ok(Transformed::no(part));
                }
                let column = self.name();
                if let (Some(of_none), Some(value)) = (&mut of_none, below.value_of_none(&part)?) {
                    of_none.insert(column.clone(), value);
                }
                operands.push(column.clone());
                computed.push(part.alias(&column.name));
                Ok(Transformed::new(
                    Expr::Column(column),
                    true,
                    TreeNodeRecursion::Jump,
                ))
            })?;
            left.push(replaced.data);
        }
        let plan = match computed.len() == width {
            true => below.plan,
            false => projection(computed, below.plan)?,
        };
        let pulled = Pulled {
            plan,
            operands,
            of_none,
            ..below
        };
        Ok((pulled, left))
    }

    /// The plan with its operands alone.
    pub(super) fn only_operands(&mut self, pulled: Pulled) -> Result<Pulled> {
        if pulled.operands.is_empty() {
            return Ok(pulled);
        }
        let columns = pulled.operands.iter().cloned().map(Expr::Column).collect();
        Ok(Pulled {
            plan: projection(columns, pulled.plan.clone())?,
            ..pulled
        })
    }

    /// Gives the plan a column that is never NULL.
    pub(super) fn mark(&mut self, pulled: &mut Pulled) -> Result<Column> {
        let column = self.name();
        let mut columns = pulled.columns();
        columns.push(lit(true).alias(&column.name));
        pulled.plan = projection(columns, pulled.plan.clone())?;
        pulled.operands.push(column.clone());
        Ok(column)
    }

    /// The plan under another name; its operands have none.
    pub(super) fn aliased(&mut self, pulled: Pulled, alias: &TableReference) -> Result<Pulled> {
        let operands = pulled.operands.clone();
        let aliased = LogicalPlanBuilder::from(pulled.plan).alias(alias.clone())?;
        let aliased = aliased.build()?;
        let columns = aliased.schema().columns().into_iter();
        let columns = columns.map(|column| {
            let operand = operands.iter().find(|operand| operand.name == column.name);
            match operand {
                Some(operand) => Expr::Column(column).alias(&operand.name),
                None => Expr::Column(column),
            }
        });
        let of_none = pulled.of_none.map(|values| {
            let renamed = values.into_iter().map(|(column, value)| {
                let column = match operands.contains(&column) {
                    true => column,
                    false => Column::new(Some(alias.clone()), column.name),
                };
                (column, value)
            });
            renamed.collect()
        });
        Ok(Pulled {
            plan: match operands.is_empty() {
                true => aliased.clone(),
                false => projection(columns.collect(), aliased.clone())?,
            },
            conditions: pulled.conditions,
            of_none,
            operands,
        })
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Pulled> {
        let below = self.pull(&aggregate.input)?;
        let exprs = aggregate.group_expr.iter().chain(&aggregate.aggr_expr);
        if exprs.clone().any(Expr::contains_outer) {
            return Err(refused(
                "that groups by columns of the left side or aggregates them",
            ));
        }
        if matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]) {
            return Err(refused("with GROUPING SETS"));
        }
        if below.of_none.is_some() {
            return Err(refused("that aggregates aggregates without GROUP BY"));
        }
        let keys = keys(&below, "an aggregate")?;
        let mut groups = aggregate.group_expr.clone();
        groups.extend(keys.iter().cloned());
        let of_none = match aggregate.group_expr.is_empty() {
            true => Some(values_of_none(aggregate)?),
            false => None,
        };
        let operands = keys.into_iter().filter_map(|key| match key {
            Expr::Column(column) => Some(column),
            _ => None,
        });
        let grouped =
            Aggregate::try_new(Arc::new(below.plan), groups, aggregate.aggr_expr.clone())?;
        Ok(Pulled {
            plan: LogicalPlan::Aggregate(grouped),
            conditions: below.conditions,
            of_none,
            operands: operands.collect(),
        })
    }

    fn limit(&mut self, limit: &Limit) -> Result<Pulled> {
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
            (limit.get_skip_type()?, limit.get_fetch_type()?)
        else {
            return Err(refused("with LIMIT or OFFSET that is not a number"));
        };
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let range = Range {
            after: number(skip),
            to: fetch.map(|fetch| number(skip).saturating_add(number(fetch))),
        };
        self.first_rows(&limit.input, range)
    }

    /// Those rows whose place among the rows of equal keys is in `range`, in the order that stands right below: ORDER
    /// BY may be by columns that a projection behind it drops.
    fn first_rows(&mut self, plan: &LogicalPlan, range: Range) -> Result<Pulled> {
        match plan {
            LogicalPlan::Projection(upper) => {
                let below = self.first_rows(&upper.input, range)?;
                project(upper, below)
            }
            LogicalPlan::SubqueryAlias(upper) => {
                let below = self.first_rows(&upper.input, range)?;
                self.aliased(below, &upper.alias)
            }
            LogicalPlan::Sort(sort) => {
                let below = self.pull(&sort.input)?;
                if sort.expr.iter().any(|order| order.expr.contains_outer()) {
                    return Err(refused("with ORDER BY columns of the left side"));
                }
                match below.of_none {
                    Some(_) => range.of_one_row(below),
                    None => self.numbered(below, sort.expr.clone(), range),
                }
            }
            other => {
                let below = self.pull(other)?;
                match below.of_none {
                    Some(_) => range.of_one_row(below),
                    None => Err(refused("with LIMIT and without ORDER BY")),
                }
            }
        }
    }

    fn numbered(&mut self, below: Pulled, order: Vec<SortExpr>, range: Range) -> Result<Pulled> {
        let keys = keys(&below, "LIMIT")?;
        let columns = below.columns();
        let functions = self.resolver.state().window_functions();
        let function = functions
            .get("row_number")
            .ok_or_else(|| PlanError::internal("there is no ROW_NUMBER"))?;
        let definition = WindowFunctionDefinition::WindowUDF(Arc::clone(function));
        let number = Expr::from(WindowFunction::new(definition, Vec::new()))
            .partition_by(keys)
            .order_by(order)
            .window_frame(WindowFrame::new(Some(false)))
            .build()?;
        let name = number.schema_name().to_string();
        let number = LogicalPlanBuilder::window_plan(below.plan, [number])?;
        let place = || Expr::Column(Column::new_unqualified(&name));
        let after = (range.after > 0).then(|| place().gt(lit(range.after)));
        let to = range.to.map(|to| place().lt_eq(lit(to)));
        let mut plan = LogicalPlanBuilder::from(number);
        if let Some(within) = conjunction(after.into_iter().chain(to)) {
            plan = plan.filter(within)?;
        }
        Ok(Pulled {
            plan: plan.project(columns)?.build()?,
            ..below
        })
    }

    fn join(&mut self, join: &Join) -> Result<Pulled> {
        let in_on = |(left, right): &(Expr, Expr)| left.contains_outer() || right.contains_outer();
        if join.on.iter().any(in_on) {
            return Err(refused("with USING of columns of the left side"));
        }
        let inner = join.join_type == JoinType::Inner;
        let filter_outside = join.filter.as_ref().is_some_and(Expr::contains_outer);
        let from_left = matches!(
            join.join_type,
            JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti
        );
        if !inner && (!from_left || filter_outside || is_correlated(&join.right)?) {
            return Err(refused("below an outer join"));
        }
        let (left, right) = (self.pull(&join.left)?, self.pull(&join.right)?);
        if left.of_none.is_some() || right.of_none.is_some() {
            return Err(refused("below a join"));
        }
        let (later, filter) = match filter_outside {
            true => (join.filter.clone(), None),
            false => (None, join.filter.clone()),
        };
        let joined = Join::try_new(
            Arc::new(left.plan),
            Arc::new(right.plan),
            join.on.clone(),
            filter,
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )?;
        let both = |left: Vec<Expr>, right: Vec<Expr>| left.into_iter().chain(right).collect();
        let joined = Pulled {
            plan: LogicalPlan::Join(joined),
            conditions: both(left.conditions, right.conditions),
            of_none: None,
            operands: left.operands.into_iter().chain(right.operands).collect(),
        };
        match later {
            Some(condition) => self.filtered(joined, condition),
            None => Ok(joined),
        }
    }
}

/// Which of the rows of equal keys LIMIT leaves.
#[derive(Clone, Copy)]
struct Range {
    after: i64,
    to: Option<i64>,
}

impl Range {
    fn of_one_row(self, pulled: Pulled) -> Result<Pulled> {
        match self.after == 0 && self.to != Some(0) {
            true => Ok(pulled),
            false => Err(refused("with LIMIT of an aggregate that has one row")),
        }
    }
}

/// The projection upon what is below it, operands included.
fn project(upper: &Projection, below: Pulled) -> Result<Pulled> {
    if upper.expr.iter().any(Expr::contains_outer) {
        return Err(refused(
            "that computes with columns of the left side below another query",
        ));
    }
    let operands = below.operands.iter().cloned().map(Expr::Column);
    let exprs = upper.expr.iter().cloned().chain(operands).collect();
    let of_none = match &below.of_none {
        None => None,
        Some(known) => {
            let mut values = HashMap::new();
            for (expr, column) in upper.expr.iter().zip(upper.schema.columns()) {
                if let Some(value) = below.value_of_none(&expr.clone().unalias())? {
                    values.insert(column, value);
                }
            }
            for operand in &below.operands {
                if let Some(value) = known.get(operand) {
                    values.insert(operand.clone(), value.clone());
                }
            }
            Some(values)
        }
    };
    Ok(Pulled {
        plan: projection(exprs, below.plan)?,
        conditions: below.conditions,
        of_none,
        operands: below.operands,
    })
}

fn projection(exprs: Vec<Expr>, input: LogicalPlan) -> Result<LogicalPlan> {
    let projection = Projection::try_new(exprs, Arc::new(input))?;
    Ok(LogicalPlan::Projection(projection))
}

/// What the calls of an aggregation without GROUP BY give of no rows.
fn values_of_none(aggregate: &Aggregate) -> Result<HashMap<Column, Expr>> {
    let schema = aggregate.input.schema();
    let mut values = HashMap::new();
    for (call, column) in aggregate.aggr_expr.iter().zip(aggregate.schema.columns()) {
        let value = call.clone().unalias().transform_up(|part| match &part {
            Expr::AggregateFunction(function) => {
                let data_type = part.get_type(schema.as_ref())?;
                let value = function.func.default_value(&data_type)?;
                Ok(Transformed::yes(Expr::Literal(value, None)))
            }
            _ => Ok(Transformed::no(part)),
        })?;
        values.insert(column, value.data);
    }
    Ok(values)
}

/// The keys by which rows are compared, for what counts or aggregates them.
fn keys(pulled: &Pulled, what: &str) -> Result<Vec<Expr>> {
    pulled.keys().ok_or_else(|| {
        refused(&format!(
            "with {what} over a condition that is not an equality with columns of the left side"
        ))
    })
}

fn what(plan: &LogicalPlan) -> &'static str {
    match plan {
        LogicalPlan::Union(_) => "UNION",
        LogicalPlan::Window(_) => "OVER",
        LogicalPlan::Distinct(_) => "DISTINCT ON",
        LogicalPlan::Subquery(_) => "another LATERAL",
        _ => "a table function",
    }
}

fn refused(what: &str) -> DataFusionError {
    PlanError::unsupported(format!("a LATERAL subquery {what}"), None)
        .hint(
            "compare columns of the left side in WHERE, by = below an aggregate or LIMIT; or join with a subquery that \
             has GROUP BY, or numbers its rows with PARTITION BY what is compared",
        )
        .into()
}
