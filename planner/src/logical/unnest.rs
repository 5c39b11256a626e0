//! UNNEST in FROM becomes [`UnnestTable`] nodes, and so does a table function, which is UNNEST of its call.
//!
//! DataFusion's SQL planner asks [`UnnestPlanner`] about each table of FROM. What it answers stands as the
//! right side of a join, and its collection names columns of the left side as if they were those of an outer
//! query. [`attach`] then puts it upon the left side, so that there is no join any more:
//!
//! ```text
//!   Join(t, Subquery(UnnestTable(outer t.items)))  ──▶  UnnestTable(t.items) over t
//! ```

use std::sync::{Arc, LazyLock};

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DFSchemaRef, Result, ScalarValue, TableReference};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Subquery,
};
use sqlparser::ast::{Expr as Expression, Spanned, TableAlias, TableFactor};

use super::UnnestTable;
use super::changelog_table::ChangelogPlanner;
use super::patterns::PatternPlanner;
use crate::parser::names::{column_names, element_columns};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::{SqlType, is_multiset};

/// What DataFusion's SQL planner asks about tables of FROM.
pub(super) static PLANNERS: LazyLock<Vec<Arc<dyn RelationPlanner>>> = LazyLock::new(|| {
    vec![
        Arc::new(UnnestPlanner),
        Arc::new(PatternPlanner),
        Arc::new(ChangelogPlanner),
    ]
});

#[derive(Debug)]
struct UnnestPlanner;

impl RelationPlanner for UnnestPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let location = Location::of(relation.span());
        let TableFactor::UNNEST {
            alias,
            array_exprs,
            with_ordinality,
            with_offset: called,
            ..
        } = relation
        else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let ([collection], Some(alias)) = (array_exprs.as_slice(), &alias) else {
            return Err(PlanError::internal("UNNEST has no alias, or several arguments").into());
        };
        let name = match collection {
            Expression::Function(function) if called => function.name.to_string(),
            _ if called => "the function".to_string(),
            _ => "UNNEST".to_string(),
        };
        let nothing = DFSchema::empty();
        let collection = context.sql_to_expr(collection.clone(), &nothing)?;
        let columns = own_columns(&collection, with_ordinality, alias, &name)
            .map_err(|error| error.or_at(location))?;
        let node = UnnestTable::alone(collection, with_ordinality, columns, location)?;
        let planned = PlannedRelation::new(node.into_plan(), None);
        Ok(RelationPlanning::Planned(Box::new(planned)))
    }
}

/// The columns of the elements. `name` is that of UNNEST, or of the function that gives the collection.
fn own_columns(
    collection: &Expr,
    ordinality: bool,
    alias: &TableAlias,
    name: &str,
) -> Result<(TableReference, Vec<String>), PlanError> {
    let data_type = collection.get_type(&DFSchema::empty())?;
    let columns = element_columns(&data_type).ok_or_else(|| {
        let shown = SqlType::from_arrow(&data_type);
        let message = match name {
            "UNNEST" => format!("UNNEST takes an array or map, not {shown}"),
            _ => format!("{name} gives {shown}, and a table function an array or map"),
        };
        PlanError::new(PlanErrorKind::TypeMismatch, message)
    })?;
    if is_multiset(&data_type) {
        return Err(PlanError::unsupported("UNNEST of a MULTISET", None)
            .hint("have the column as MAP<element, INT> to get each element with its count"));
    }
    let names = column_names(&columns, ordinality, alias).map_err(|own| {
        let (found, named) = (own.len(), alias.columns.len());
        let message = format!("{name} gives {found} columns, and its alias names {named}");
        let error = PlanError::new(PlanErrorKind::InvalidStatement, message);
        error.hint(format!("its columns are {}", own.join(", ")))
    })?;
    Ok((TableReference::bare(alias.name.value.as_str()), names))
}

/// Puts each UNNEST upon what stands left of it.
///
/// # Errors
/// An UNNEST is about what does not stand left of it, or joined in a way that it cannot be.
pub(super) fn attach(plan: LogicalPlan) -> Result<LogicalPlan, PlanError> {
    let attached = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) => in_join(join),
        other => Ok(Transformed::no(other)),
    })?;
    check_none_left(&attached.data)?;
    Ok(attached.data)
}

fn in_join(join: Join) -> Result<Transformed<LogicalPlan>> {
    let plain = join.on.is_empty() && join.filter.is_none() && join.join_type == JoinType::Inner;
    if own_table(&join.right).is_some() {
        let (left, right) = (join.left.as_ref().clone(), join.right.as_ref());
        return match joined(left, right, &join)? {
            Some(plan) => Ok(Transformed::yes(plan)),
            None => Ok(Transformed::no(LogicalPlan::Join(join))),
        };
    }
    if plain && waits(&join.right)? {
        let plan = side_by_side(join.left.as_ref().clone(), join.right.as_ref())?;
        return Ok(Transformed::yes(plan));
    }
    Ok(Transformed::no(LogicalPlan::Join(join)))
}

/// The UNNEST that a table of FROM is.
fn own_table(plan: &LogicalPlan) -> Option<&UnnestTable> {
    match plan {
        LogicalPlan::Subquery(Subquery { subquery, .. }) => own_table(subquery),
        LogicalPlan::Extension(extension) => {
            let table = extension.node.as_any().downcast_ref::<UnnestTable>()?;
            // One that stands upon a table already is more than its elements.
            table.input.schema().fields().is_empty().then_some(table)
        }
        _ => None,
    }
}

/// A join whose right side is an UNNEST; `None` if it is about something else than the left side.
fn joined(left: LogicalPlan, right: &LogicalPlan, join: &Join) -> Result<Option<LogicalPlan>> {
    let Some(table) = own_table(right) else {
        return Ok(None);
    };
    let Some(collection) = over(&table.collection, left.schema())? else {
        return Ok(None);
    };
    let filter = join.filter.as_ref().filter(|filter| !is_true(filter));
    let refused = |what: &str, hint: &str| {
        Err(PlanError::unsupported(what, table.location)
            .hint(hint)
            .into())
    };
    match join.join_type {
        JoinType::Inner if join.on.is_empty() => {
            let node = table.of_rows(left, collection, false)?.into_plan();
            Ok(Some(match filter {
                Some(filter) => LogicalPlanBuilder::from(node)
                    .filter(filter.clone())?
                    .build()?,
                None => node,
            }))
        }
        JoinType::Left if join.on.is_empty() && filter.is_none() => {
            Ok(Some(table.of_rows(left, collection, true)?.into_plan()))
        }
        JoinType::Left => refused(
            "LEFT JOIN UNNEST or a table function with another condition than TRUE",
            "write LEFT JOIN UNNEST(…) ON TRUE, and what is to be of the elements where they are used: \
             CASE WHEN … THEN item END",
        ),
        _ => refused(
            "this join with UNNEST or a table function",
            "write CROSS JOIN UNNEST(…), or LEFT JOIN UNNEST(…) ON TRUE",
        ),
    }
}

fn is_true(condition: &Expr) -> bool {
    matches!(
        condition,
        Expr::Literal(ScalarValue::Boolean(Some(true)), _)
    )
}

/// The rows of `left` beside those of `right`, which has an UNNEST of columns of `left` in it, as in
/// `FROM a, UNNEST(a.items) AS i JOIN b ON …`: what `right` joins is joined with `left` one by one.
fn side_by_side(left: LogicalPlan, right: &LogicalPlan) -> Result<LogicalPlan> {
    let from_left = matches!(right, LogicalPlan::Join(join) if matches!(
        join.join_type,
        JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti
    ));
    match right {
        LogicalPlan::Join(join) if from_left && waits(right)? => {
            let left = side_by_side(left, &join.left)?;
            if let Some(plan) = joined(left.clone(), &join.right, join)? {
                return Ok(plan);
            }
            let join = Join::try_new(
                Arc::new(left),
                Arc::clone(&join.right),
                join.on.clone(),
                join.filter.clone(),
                join.join_type,
                join.join_constraint,
                join.null_equality,
                join.null_aware,
            )?;
            Ok(LogicalPlan::Join(join))
        }
        _ => {
            let pair = LogicalPlanBuilder::from(left).cross_join(right.clone())?;
            match pair.build()? {
                LogicalPlan::Join(join) => Ok(in_join(join)?.data),
                other => Ok(other),
            }
        }
    }
}

/// Whether an UNNEST in the plan is about columns that it does not stand upon yet.
fn waits(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        found |= of_another(node).is_some();
        Ok(match found {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(found)
}

/// The UNNEST that a node is, if its collection names columns of an outer query.
fn of_another(node: &LogicalPlan) -> Option<&UnnestTable> {
    let LogicalPlan::Extension(extension) = node else {
        return None;
    };
    let table = extension.node.as_any().downcast_ref::<UnnestTable>()?;
    table.collection.contains_outer().then_some(table)
}

/// A collection over the columns that it names; `None` if some of them are of another table.
fn over(collection: &Expr, left: &DFSchemaRef) -> Result<Option<Expr>> {
    let mut elsewhere = false;
    let replaced = collection.clone().transform_up(|e| match e {
        Expr::OuterReferenceColumn(_, column) if left.has_column(&column) => {
            Ok(Transformed::yes(Expr::Column(column)))
        }
        other => {
            elsewhere |= matches!(other, Expr::OuterReferenceColumn(..));
            Ok(Transformed::no(other))
        }
    })?;
    Ok((!elsewhere).then_some(replaced.data))
}

fn check_none_left(plan: &LogicalPlan) -> Result<(), PlanError> {
    let mut left = None;
    plan.apply_with_subqueries(|node| {
        if let (Some(table), None) = (of_another(node), &left) {
            left = Some(table.location);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    match left {
        None => Ok(()),
        Some(location) => Err(PlanError::unsupported(
            "UNNEST of a column that is not of a table left of it in the same FROM",
            location,
        )
        .hint("put it behind the table that has the column: FROM t CROSS JOIN UNNEST(t.items) AS u (item)")),
    }
}
