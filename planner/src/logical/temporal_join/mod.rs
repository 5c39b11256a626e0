//! Joins with versions: the markers of `FOR SYSTEM_TIME AS OF` and ASOF JOIN become [`TemporalJoin`] nodes.
//!
//! ```text
//!   Join: condition AND marker            Projection
//!     left rows                    ──▶      TemporalJoin: keys, time, condition
//!     a table or view                         left rows
//!                                             its versions (`versioned`)
//! ```
//!
//! The right input of the node is every version that a row ever had, with [`TIME`], from when on it counts, and
//! [`EXISTS`], whether there is a row from then on. What a view does to a table stays true of its versions: a row
//! that a condition drops is one that ends.

mod lookup;
mod node;
mod versioned;

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, ExprSchemable as _, Extension, Filter, Join, JoinType, LogicalPlan, LogicalPlanBuilder,
    Operator,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

pub use node::{AsOfTime, TemporalJoin};
pub(crate) use versioned::{DELETED, ORDER};

use self::versioned::{Unversioned, Versions, Wanted, is_processing_time, versions};
use super::QueryContext;
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::functions::version::{MARKER, VersionCall, VersionKind};
use levada_language::types::SqlType;

/// Replaces every marker of a plan.
pub(super) fn replace_markers(
    plan: LogicalPlan,
    context: &QueryContext<'_>,
) -> Result<LogicalPlan, PlanError> {
    let replaced = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) => match marker_of(&join)? {
            Some((call, rest)) => Ok(Transformed::yes(planned(&join, call, rest, context)?)),
            None => Ok(Transformed::no(LogicalPlan::Join(join))),
        },
        other => Ok(Transformed::no(other)),
    })?;
    check_none_left(&replaced.data)?;
    Ok(replaced.data)
}

/// The marker in the condition of a join, and the other conditions.
fn marker_of(join: &Join) -> Result<Option<(VersionCall, Vec<Expr>)>, PlanError> {
    let Some(filter) = &join.filter else {
        return Ok(None);
    };
    let mut found = None;
    let mut rest = Vec::new();
    for part in split_conjunction_owned(filter.clone()) {
        match VersionCall::from_expr(&part)? {
            Some(call) => found = Some(call),
            None => rest.push(part),
        }
    }
    Ok(found.map(|call| (call, rest)))
}

fn planned(
    join: &Join,
    call: VersionCall,
    rest: Vec<Expr>,
    context: &QueryContext<'_>,
) -> Result<LogicalPlan, PlanError> {
    let outer = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left => true,
        other => {
            let what = format!("a {other} join with versions");
            return Err(PlanError::unsupported(what, call.location));
        }
    };
    let (versions, comparison) = match call.kind {
        VersionKind::SystemTime => system_time(join, &call, context)?,
        VersionKind::Match => matched(join, &call, &rest)?,
    };
    if versioned::has_subquery(rest.iter())? {
        let what = "a subquery in the ON of a join with versions";
        return Err(PlanError::unsupported(what, call.location)
            .hint("conditions on what comes out can stand in WHERE, with subqueries too"));
    }
    let Keys { keys, rest } = match versions.lookup {
        Some(_) => lookup::keys(join, &call, rest)?,
        None => keys(join, &versions, &call, rest)?,
    };
    let column =
        |index: usize| Expr::Column(Column::from(versions.plan.schema().qualified_field(index)));
    let left = join.left.as_ref().clone();
    let node = TemporalJoin::new(
        left,
        versions.plan.clone(),
        node::Parts {
            outer,
            kind: call.kind,
            table: call.table,
            location: call.location,
            last_rows: versions.last_rows,
            lookup: versions.lookup,
            keys,
            time: comparison.map(|(left, right, earlier)| AsOfTime {
                left,
                right,
                earlier,
            }),
            exists: versions.exists.map(column),
            order: versions.order.map(column),
            condition: conjunction(rest),
        },
    )?;
    let width = join.right.schema().fields().len();
    let own = join.left.schema().columns().into_iter().map(Expr::Column);
    let columns: Vec<Expr> = own.chain((0..width).map(column)).collect();
    let plan = LogicalPlan::Extension(Extension {
        node: Arc::new(node),
    });
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// The time of a row, that of a version, and whether a version must be earlier.
type Comparison = Option<(Expr, Expr, bool)>;

fn system_time(
    join: &Join,
    call: &VersionCall,
    context: &QueryContext<'_>,
) -> Result<(Versions, Comparison), PlanError> {
    check_time(join, call)?;
    let processing = is_processing_time(&call.expr, &join.left);
    let wanted = Wanted {
        processing,
        streaming: context.is_streaming(),
    };
    let lookup = lookup::of(&join.right, context)?;
    if let Some(cache) = lookup.filter(|_| processing) {
        let versions = Versions::asked(&join.right, cache);
        return Ok((versions, None));
    }
    let versions = versions(&join.right, wanted).map_err(|why| match (lookup, &why) {
        (Some(_), Unversioned::Key(_) | Unversioned::Time(_)) => lookup::only_now(call),
        _ => why.into_error(call),
    })?;
    if processing {
        return Ok((versions, None));
    }
    let Some(time) = versions.time else {
        return Err(PlanError::internal("versions have no time"));
    };
    let field = versions.plan.schema().qualified_field(time);
    let time = Expr::Column(Column::from(field));
    Ok((versions, Some((call.expr.clone(), time, false))))
}

/// The time is one, and that of the left table.
fn check_time(join: &Join, call: &VersionCall) -> Result<(), PlanError> {
    const HINT: &str = "name the time attribute of the left table: its column of WATERMARK FOR, or one declared \
         as pt AS PROCTIME()";
    let shown = match &call.expr {
        Expr::Column(column) => column.name.clone(),
        other => other.to_string(),
    };
    let columns = call.expr.column_refs();
    if let Some(other) = columns.iter().find(|c| !join.left.schema().has_column(c)) {
        let message = format!(
            "FOR SYSTEM_TIME AS OF is the time of a row of the left table, which has no {other}"
        );
        let error = PlanError::new(PlanErrorKind::InvalidStatement, message);
        return Err(error.hint(HINT).at(call.location));
    }
    let data_type = call.expr.get_type(join.left.schema())?;
    if matches!(data_type, DataType::Timestamp(_, _)) {
        return Ok(());
    }
    let sql_type = SqlType::from_arrow(&data_type);
    let message =
        format!("FOR SYSTEM_TIME AS OF needs a TIMESTAMP column, and {shown} is {sql_type}");
    let error = PlanError::new(PlanErrorKind::TypeMismatch, message);
    Err(error.hint(HINT).at(call.location))
}

/// ASOF JOIN: all rows of the right input are versions, by whatever is equal.
fn matched(
    join: &Join,
    call: &VersionCall,
    conditions: &[Expr],
) -> Result<(Versions, Comparison), PlanError> {
    let refused = |what: &str, hint: &str| {
        let error = PlanError::new(PlanErrorKind::InvalidStatement, what).hint(hint);
        Err(error.at(call.location))
    };
    let hint = "write MATCH_CONDITION (l.ts >= r.ts), or with >: the last row of the right table that is no later";
    let (left, right) = (join.left.schema(), join.right.schema());
    let of = |expr: &Expr, schema: &datafusion::common::DFSchema| {
        let mut columns = expr.column_refs().into_iter().peekable();
        columns.peek().is_some() && columns.all(|column| schema.has_column(column))
    };
    let Expr::BinaryExpr(comparison) = &call.expr else {
        return refused("MATCH_CONDITION compares no two times", hint);
    };
    let (first, second) = (comparison.left.as_ref(), comparison.right.as_ref());
    let (time, version, op) = match (of(first, left), of(second, right)) {
        (true, true) => (first, second, Some(comparison.op)),
        _ if of(first, right) && of(second, left) => (second, first, comparison.op.swap()),
        _ => {
            return refused(
                "MATCH_CONDITION does not compare a time of each table",
                hint,
            );
        }
    };
    let earlier = match op {
        Some(Operator::GtEq) => false,
        Some(Operator::Gt) => true,
        Some(Operator::Lt | Operator::LtEq) => {
            let what = "ASOF JOIN with a later row of the right table";
            return Err(PlanError::unsupported(what, call.location).hint(hint));
        }
        _ => return refused("MATCH_CONDITION does not compare which time is later", hint),
    };
    let equal = |part: &&Expr| matches!(part, Expr::BinaryExpr(b) if b.op == Operator::Eq && (of(&b.left, left) && of(&b.right, right) || of(&b.left, right) && of(&b.right, left)));
    if let Some(other) = conditions.iter().find(|part| !equal(part)) {
        return refused(
            &format!(
                "the ON of an ASOF JOIN compares what is equal, and {other} is another condition"
            ),
            "put conditions on the right table into a subquery, and those on the result into WHERE",
        );
    }
    let comparison = (time.clone(), version.clone(), earlier);
    Ok((Versions::all_rows(&join.right), Some(comparison)))
}

/// The conditions taken apart.
struct Keys {
    /// Equalities, one for each part of the key of the versions.
    keys: Vec<Expr>,
    rest: Vec<Expr>,
}

/// Finds the equalities with the key among the conditions.
fn keys(
    join: &Join,
    versions: &Versions,
    call: &VersionCall,
    mut rest: Vec<Expr>,
) -> Result<Keys, PlanError> {
    // What is equal is the key of an ASOF JOIN.
    if call.kind == VersionKind::Match {
        return Ok(Keys {
            keys: rest,
            rest: Vec::new(),
        });
    }
    let (left, right) = (join.left.schema(), join.right.schema());
    let is_left = |expr: &Expr| {
        let columns = expr.column_refs();
        !columns.is_empty() && columns.iter().all(|column| left.has_column(column))
    };
    let is_key = |expr: &Expr, candidates: &[usize]| match expr {
        Expr::Column(column) => right
            .maybe_index_of_column(column)
            .is_some_and(|index| candidates.contains(&index)),
        _ => false,
    };
    let mut keys = Vec::new();
    for candidates in &versions.keys {
        let compares = |part: &Expr| match part {
            Expr::BinaryExpr(equal) if equal.op == Operator::Eq => {
                is_left(&equal.left) && is_key(&equal.right, candidates)
                    || is_left(&equal.right) && is_key(&equal.left, candidates)
            }
            _ => false,
        };
        match rest.iter().position(compares) {
            Some(place) => keys.push(rest.remove(place)),
            None => return Err(key_missing(versions, candidates, call)),
        }
    }
    Ok(Keys { keys, rest })
}

fn key_missing(versions: &Versions, candidates: &[usize], call: &VersionCall) -> PlanError {
    let name = |index: &usize| versions.plan.schema().field(*index).name().clone();
    let key = candidates.first().map(name).unwrap_or_default();
    let table = &call.table;
    PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!(
            "a join with the versions of {table} needs its key, and the condition does not say what {key} equals"
        ),
    )
    .hint(format!(
        "rows of {table} have versions by their key; compare all of its columns with columns of the left \
         table in ON, as in l.{key} = r.{key}"
    ))
    .at(call.location)
}

fn check_none_left(plan: &LogicalPlan) -> Result<(), PlanError> {
    let mut left = None;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                if matches!(e, Expr::ScalarFunction(f) if f.func.name() == MARKER) {
                    left.get_or_insert_with(|| e.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    let Some(marker) = left else {
        return Ok(());
    };
    let location = VersionCall::from_expr(&marker)?.and_then(|call| call.location);
    Err(PlanError::unsupported(
        "a join with versions in this place",
        location,
    ))
}

/// Conditions on the left rows alone stand in front of the join: they decide about the same rows there.
#[derive(Debug)]
pub(super) struct PushToLeft;

impl OptimizerRule for PushToLeft {
    fn name(&self) -> &str {
        "push_to_left_of_temporal_join"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let LogicalPlan::Extension(extension) = filter.input.as_ref() else {
            return Ok(Transformed::no(plan));
        };
        let Some(join) = extension.node.as_any().downcast_ref::<TemporalJoin>() else {
            return Ok(Transformed::no(plan));
        };
        let left = join.left.schema();
        let is_left = |part: &Expr| {
            let columns = part.column_refs();
            let stays = part.is_volatile() || columns.is_empty();
            !stays && columns.iter().all(|column| left.has_column(column))
        };
        let parts = split_conjunction_owned(filter.predicate.clone());
        let (pushed, kept): (Vec<Expr>, Vec<Expr>) = parts.into_iter().partition(is_left);
        let Some(pushed) = conjunction(pushed) else {
            return Ok(Transformed::no(plan));
        };
        let input = Filter::try_new(pushed, Arc::new(join.left.clone()))?;
        let node = join.over(LogicalPlan::Filter(input), join.right.clone())?;
        let plan = LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        });
        Ok(Transformed::yes(match conjunction(kept) {
            Some(kept) => LogicalPlan::Filter(Filter::try_new(kept, Arc::new(plan))?),
            None => plan,
        }))
    }
}
