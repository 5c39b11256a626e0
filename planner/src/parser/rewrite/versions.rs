//! Joins with versions: `FOR SYSTEM_TIME AS OF` and ASOF JOIN.
//!
//! ```sql
//! JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.currency = r.currency
//! ASOF JOIN rates AS r MATCH_CONDITION (o.ts >= r.ts) ON o.currency = r.currency
//! ```
//! become joins whose condition has the marker that [`levada_language::functions::version`] documents, so
//! the names in the time and in the comparison are those that the condition can use. An ASOF JOIN keeps the rows
//! of its left table that match nothing, so it is a left join.

use sqlparser::ast::{
    BinaryOperator, Expr, Join, JoinConstraint, JoinOperator, TableFactor, TableVersion,
    TableWithJoins,
};
use sqlparser::tokenizer::Span;

use super::name_location;
use levada_language::dialect::{call, number, text};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::functions::version::{MARKER, VersionKind};
use levada_language::functions::window::pack_location;

/// Rewrites the joins of a FROM that ask for versions.
pub(super) fn joins(tables: &mut TableWithJoins) -> Result<(), PlanError> {
    tables.joins.iter_mut().try_for_each(join)
}

/// What is wrong with a version that no join has taken.
pub(super) fn refused(version: &TableVersion, at: Option<Location>) -> PlanError {
    match version {
        TableVersion::ForSystemTimeAsOf(_) => PlanError::unsupported(
            "FOR SYSTEM_TIME AS OF a table that is not the right one of a JOIN",
            at,
        )
        .hint(JOIN_HINT),
        _ => PlanError::unsupported("a version of a table", at).hint(JOIN_HINT),
    }
}

const JOIN_HINT: &str =
    "write FROM left_table AS l JOIN t FOR SYSTEM_TIME AS OF l.ts AS r ON l.key = r.key";

fn join(join: &mut Join) -> Result<(), PlanError> {
    if matches!(join.join_operator, JoinOperator::AsOf { .. }) {
        return asof(join);
    }
    let TableFactor::Table { name, version, .. } = &mut join.relation else {
        return Ok(());
    };
    if !matches!(version, Some(TableVersion::ForSystemTimeAsOf(_))) {
        return Ok(());
    }
    let (at, shown) = (name_location(name), name.to_string());
    let Some(TableVersion::ForSystemTimeAsOf(time)) = version.take() else {
        return Ok(());
    };
    let marker = marker(VersionKind::SystemTime, time, &shown, at);
    let constraint = match &mut join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint) => constraint,
        _ => {
            let what = "FOR SYSTEM_TIME AS OF in another join than [INNER] JOIN and LEFT JOIN";
            return Err(PlanError::unsupported(what, at).hint(
                "each row of the left table meets one version of the right one; write JOIN … ON or LEFT JOIN … ON",
            ));
        }
    };
    match constraint {
        JoinConstraint::On(condition) => {
            *condition = and(condition.clone(), marker);
            Ok(())
        }
        _ => Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!("the join with {shown} FOR SYSTEM_TIME AS OF needs a condition with ON"),
        )
        .hint("compare the key of the right table, such as ON l.currency = r.currency")
        .at(at)),
    }
}

fn asof(join: &mut Join) -> Result<(), PlanError> {
    let (shown, at) = match &join.relation {
        TableFactor::Table { name, alias, .. } => {
            let alias = alias.as_ref().map(|alias| alias.name.value.clone());
            (
                alias.unwrap_or_else(|| name.to_string()),
                name_location(name),
            )
        }
        TableFactor::Derived { alias, .. } => match alias {
            Some(alias) => (alias.name.value.clone(), Location::of(alias.name.span)),
            None => ("the subquery".to_string(), None),
        },
        _ => ("the right table".to_string(), None),
    };
    let nothing = JoinOperator::CrossJoin(JoinConstraint::None);
    let JoinOperator::AsOf {
        match_condition,
        constraint,
    } = std::mem::replace(&mut join.join_operator, nothing)
    else {
        return Ok(());
    };
    let marker = marker(VersionKind::Match, match_condition, &shown, at);
    let condition = match constraint {
        JoinConstraint::On(own) => and(own, marker),
        JoinConstraint::None => marker,
        JoinConstraint::Using(_) | JoinConstraint::Natural => {
            return Err(PlanError::unsupported("ASOF JOIN with USING", at)
                .hint("write ON with the columns of both tables"));
        }
    };
    join.join_operator = JoinOperator::LeftOuter(JoinConstraint::On(condition));
    Ok(())
}

fn marker(kind: VersionKind, expr: Expr, table: &str, at: Option<Location>) -> Expr {
    let span = Span::empty();
    let args = [
        text(kind.name(), span),
        expr,
        text(table, span),
        number(pack_location(at), span),
    ];
    call(MARKER, span, args)
}

/// A condition with a marker behind it.
fn and(condition: Expr, marker: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(Expr::Nested(Box::new(condition))),
        op: BinaryOperator::And,
        right: Box::new(marker),
    }
}
