//! LATERAL subqueries become joins.
//!
//! DataFusion's SQL planner gives `t, LATERAL (SELECT …)` as a join whose right side names columns of the left one as
//! if it were a subquery in an expression. [`pull`] takes the conditions about them out of it, and they become those
//! of the join:
//!
//! ```text
//!   Join(t, Subquery(Limit 3 (Sort v (Filter u.k = outer t.k (u)))))
//!     ──▶ Join(t, Filter rn <= 3 (Window row_number by k order by v (u)), k = t.k)
//! ```
//!
//! What the subquery computes of columns of the left side is computed above the join. An aggregation without GROUP BY
//! has a row for each row of the left side: it is grouped by what is compared, joined with LEFT JOIN, and rows that
//! have no group get what it is of no rows. All of this says the same in batch and at every moment of a changelog.

mod pull;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, NullEquality, Result, ScalarValue, TableReference};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Expr, Filter, Join, JoinConstraint, JoinType, LogicalPlan, LogicalPlanBuilder, Subquery, when,
};
use sqlparser::ast::{Spanned, TableFactor, Visit, Visitor};

use self::pull::{Pulled, Puller};
use super::Resolver;
use crate::parser::Query;
use levada_language::error::{Location, PlanError};

const ONE_BY_ONE: &str =
    "join the tables one after another: FROM a CROSS JOIN b CROSS JOIN LATERAL (…) AS l";

/// Makes joins of the LATERAL subqueries of an analyzed plan.
///
/// # Errors
/// One of them is no join, or names a column that is not left of it.
pub(super) fn to_joins(
    plan: LogicalPlan,
    query: &Query,
    resolver: &Resolver,
) -> Result<LogicalPlan, PlanError> {
    let mut found = Laterals(Vec::new());
    // The search never breaks.
    let _ = query.ast.visit(&mut found);
    let Some((_, first)) = found.0.first() else {
        return Ok(plan);
    };
    let first = *first;
    let mut puller = Puller::new(resolver);
    let joined = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) => {
            let Some(lateral) = Lateral::of(&join) else {
                return Ok(Transformed::no(LogicalPlan::Join(join)));
            };
            let location = found.location(lateral.alias.as_ref());
            let joined = lateral.joined(&join, &mut puller);
            let joined = joined.map_err(|error| PlanError::from(error).or_at(location))?;
            Ok(Transformed::yes(joined))
        }
        // Columns may have become nullable below.
        other => Ok(Transformed::yes(other.recompute_schema()?)),
    })?;
    let elsewhere = joined.data.exists(|node| {
        Ok(matches!(node, LogicalPlan::Subquery(_)) || node.contains_outer_reference())
    })?;
    match elsewhere {
        false => Ok(joined.data),
        true => Err(PlanError::unsupported(
            "LATERAL over a column that is not of a table left of it in the same join",
            first,
        )
        .hint(ONE_BY_ONE)),
    }
}

/// The LATERAL subqueries of a query: their aliases, and where they stand.
struct Laterals(Vec<(Option<String>, Option<Location>)>);

impl Laterals {
    fn location(&self, alias: Option<&TableReference>) -> Option<Location> {
        let called = |name: &Option<String>| match (name, alias) {
            (Some(name), Some(alias)) => name.eq_ignore_ascii_case(alias.table()),
            (None, None) => true,
            _ => false,
        };
        let named = self.0.iter().find(|(name, _)| called(name));
        named.or(self.0.first()).and_then(|(_, location)| *location)
    }
}

impl Visitor for Laterals {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived {
            lateral: true,
            subquery,
            alias,
            ..
        } = factor
        {
            let name = alias.as_ref().map(|alias| alias.name.value.clone());
            self.0.push((name, Location::of(subquery.span())));
        }
        ControlFlow::Continue(())
    }
}

/// The right side of a join that names columns of the left side.
struct Lateral {
    subquery: Arc<LogicalPlan>,
    alias: Option<TableReference>,
}

impl Lateral {
    fn of(join: &Join) -> Option<Self> {
        let (plan, alias) = match join.right.as_ref() {
            LogicalPlan::SubqueryAlias(aliased) => {
                (aliased.input.as_ref(), Some(aliased.alias.clone()))
            }
            other => (other, None),
        };
        match plan {
            LogicalPlan::Subquery(Subquery { subquery, .. }) => Some(Lateral {
                subquery: Arc::clone(subquery),
                alias,
            }),
            _ => None,
        }
    }

    /// The join without the subquery, with the same columns.
    fn joined(&self, join: &Join, puller: &mut Puller<'_>) -> Result<LogicalPlan> {
        check_join(join)?;
        let mut right = self.right(puller)?;
        let on = join.filter.iter().filter(|on| !is_true(on));
        let mut on: Vec<Expr> = on.cloned().collect();
        // A subquery without FROM always has its row, unless it has a condition.
        let alone = right.is_one_row();
        let always = alone && right.pulled.conditions.is_empty() && on.is_empty();
        let padded = join.join_type == JoinType::Left && !always;
        if padded && !on.is_empty() && right.differs_when_padded() {
            return Err(refused(
                "LEFT JOIN LATERAL with a condition, of a subquery that aggregates without GROUP BY or computes with \
                 columns of the left side",
                "write ON TRUE, and what is to be of the values where they are used: CASE WHEN … THEN … END",
            ));
        }
        let outer = padded || right.pulled.of_none.is_some();
        let matched = match outer && right.differs_when_padded() {
            true => Some(puller.mark(&mut right.pulled)?),
            false => None,
        };
        let (later, mut conditions) = right.conditions(join.left.schema())?;
        if outer && !later.is_empty() {
            return Err(refused(
                "LEFT JOIN LATERAL, or an aggregate without GROUP BY in LATERAL, over a column that is not of the table \
                 left of it",
                ONE_BY_ONE,
            ));
        }
        if padded {
            conditions.append(&mut on);
        }
        let condition = conjunction(conditions);
        let plan = match (alone && !outer, condition) {
            (true, None) => join.left.as_ref().clone(),
            (true, Some(condition)) => {
                LogicalPlan::Filter(Filter::try_new(condition, Arc::clone(&join.left))?)
            }
            (false, condition) => right.beside(&join.left, outer, condition)?,
        };
        let columns = right.columns(join, matched.as_ref())?;
        let mut plan = LogicalPlanBuilder::from(plan);
        if let Some(later) = conjunction(later) {
            plan = plan.filter(later)?;
        }
        plan = plan.project(columns)?;
        match conjunction(on) {
            Some(on) => plan.filter(on)?.build(),
            None => plan.build(),
        }
    }

    /// The right side of the join, and what it gives.
    fn right(&self, puller: &mut Puller<'_>) -> Result<Right> {
        let schema = self.subquery.schema();
        let alias = |qualifier: Option<&TableReference>| self.alias.as_ref().or(qualifier).cloned();
        let names = schema
            .iter()
            .map(|(qualifier, field)| Column::new(alias(qualifier), field.name()));
        let names: Vec<Column> = names.collect();
        match self.subquery.as_ref() {
            LogicalPlan::Projection(projection)
                if projection.expr.iter().any(Expr::contains_outer) =>
            {
                let below = puller.pull(&projection.input)?;
                let exprs = projection.expr.iter().map(|expr| expr.clone().unalias());
                let (pulled, values) = puller.operands(below, exprs.collect())?;
                let of_none = |value: &Expr| pulled.value_of_none(value);
                let of_none = values.iter().map(of_none).collect::<Result<_>>()?;
                Ok(Right {
                    pulled: puller.only_operands(pulled)?,
                    computed: true,
                    values,
                    of_none,
                    names,
                })
            }
            _ => {
                let mut pulled = puller.pull(&self.subquery)?;
                if let Some(alias) = &self.alias {
                    pulled = puller.aliased(pulled, alias)?;
                }
                let values: Vec<Expr> = names.iter().cloned().map(Expr::Column).collect();
                let of_none = |value: &Expr| pulled.value_of_none(value);
                let of_none = values.iter().map(of_none).collect::<Result<_>>()?;
                Ok(Right {
                    pulled,
                    computed: false,
                    values,
                    of_none,
                    names,
                })
            }
        }
    }
}

/// The right side of a join.
struct Right {
    pulled: Pulled,
    /// Whether values are computed above the join.
    computed: bool,
    /// The columns of the subquery, over the join.
    values: Vec<Expr>,
    /// What they are where the subquery has a row of no rows.
    of_none: Vec<Option<Expr>>,
    /// What they are called.
    names: Vec<Column>,
}

impl Right {
    /// Whether it is one row without columns, of which everything is computed.
    fn is_one_row(&self) -> bool {
        matches!(&self.pulled.plan, LogicalPlan::EmptyRelation(empty) if empty.produce_one_row)
            && self.computed
    }

    fn beside(
        &self,
        left: &Arc<LogicalPlan>,
        outer: bool,
        condition: Option<Expr>,
    ) -> Result<LogicalPlan> {
        let joined = Join::try_new(
            Arc::clone(left),
            Arc::new(self.pulled.plan.clone()),
            Vec::new(),
            condition,
            if outer {
                JoinType::Left
            } else {
                JoinType::Inner
            },
            JoinConstraint::On,
            NullEquality::NullEqualsNothing,
            false,
        )?;
        Ok(LogicalPlan::Join(joined))
    }

    /// Whether its columns are not simply NULL where the right side of a LEFT JOIN has no row.
    fn differs_when_padded(&self) -> bool {
        self.computed || self.pulled.of_none.is_some()
    }

    /// What is asked of rows: of other tables than the one left of it, and of that one.
    fn conditions(&mut self, left: &DFSchema) -> Result<(Vec<Expr>, Vec<Expr>)> {
        let conditions = std::mem::take(&mut self.pulled.conditions).into_iter();
        let conditions: Result<Vec<_>> = conditions.map(|c| over(c, left)).collect();
        Ok(conditions?.into_iter().partition(Expr::contains_outer))
    }

    /// The columns of the join. `matched` is NULL where the right side has no row.
    fn columns(&self, join: &Join, matched: Option<&Column>) -> Result<Vec<Expr>> {
        let left = join.left.schema().columns().into_iter();
        let mut columns: Vec<Expr> = left.map(Expr::Column).collect();
        let values = self.values.iter().zip(&self.of_none);
        for ((value, of_none), name) in values.zip(&self.names) {
            let value = over(value.clone(), join.left.schema())?;
            let there = matched.map(|matched| Expr::Column(matched.clone()).is_not_null());
            let value = match (there, of_none) {
                (Some(there), Some(of_none)) => {
                    let of_none = over(of_none.clone(), join.left.schema())?;
                    when(there, value).otherwise(of_none)?
                }
                (Some(there), None) if !matches!(value, Expr::Column(_)) => {
                    when(there, value).end()?
                }
                _ => value,
            };
            columns.push(match &value {
                Expr::Column(column) if column == name => value,
                _ => value.alias_qualified(name.relation.clone(), &name.name),
            });
        }
        Ok(columns)
    }
}

fn check_join(join: &Join) -> Result<()> {
    let hint = "write CROSS JOIN LATERAL (…), or LEFT JOIN LATERAL (…) ON …";
    match join.join_type {
        JoinType::Inner | JoinType::Left if join.on.is_empty() => Ok(()),
        JoinType::Inner | JoinType::Left => Err(refused("NATURAL or USING with LATERAL", hint)),
        _ => Err(refused("this join with LATERAL", hint)),
    }
}

fn refused(what: &str, hint: &str) -> DataFusionError {
    PlanError::unsupported(what, None).hint(hint).into()
}

fn is_true(condition: &Expr) -> bool {
    matches!(
        condition,
        Expr::Literal(ScalarValue::Boolean(Some(true)), _)
    )
}

/// An expression over the columns that it names of the left side.
fn over(expr: Expr, left: &DFSchema) -> Result<Expr> {
    let replaced = expr.transform_up(|part| match part {
        Expr::OuterReferenceColumn(_, column) if left.has_column(&column) => {
            Ok(Transformed::yes(Expr::Column(column)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(replaced.data)
}

/// Whether a plan names columns of an outer query.
fn is_correlated(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        found |= node.contains_outer_reference();
        Ok(match found {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(found)
}
