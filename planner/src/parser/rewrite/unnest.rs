//! `UNNEST(e)` in FROM: sqlparser takes it for a table function of any name, and DataFusion's planner wants it as
//! what it is. Which joins it can stand in is checked here too.

use sqlparser::ast::{
    FunctionArg, FunctionArgExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Spanned,
    TableAlias, TableFactor, TableWithJoins,
};

use super::name_location;
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// What a call of UNNEST is as a table; `None` for everything else.
pub(super) fn table_function(factor: &TableFactor) -> Result<Option<TableFactor>, PlanError> {
    let (name, args, alias, with_ordinality) = match factor {
        TableFactor::Table {
            name,
            args: Some(args),
            alias,
            with_ordinality,
            ..
        } => (name, args.args.as_slice(), alias, *with_ordinality),
        TableFactor::Function {
            name, args, alias, ..
        } => (name, args.as_slice(), alias, false),
        _ => return Ok(None),
    };
    if !is_unnest(name) {
        return Ok(None);
    }
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(collection))] = args else {
        return Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            "UNNEST takes one array or map",
        )
        .hint("each of several has an UNNEST of its own: CROSS JOIN UNNEST(a) AS u (x) CROSS JOIN UNNEST(b) AS v (y)")
        .at(name_location(name)));
    };
    // Without an alias it is called like its text, as it stands now.
    let alias = alias.clone().unwrap_or_else(|| TableAlias {
        explicit: true,
        name: Ident::with_quote('`', format!("UNNEST({collection})")),
        columns: vec![],
        at: None,
    });
    Ok(Some(TableFactor::UNNEST {
        alias: Some(alias),
        array_exprs: vec![collection.clone()],
        with_offset: false,
        with_offset_alias: None,
        with_ordinality,
    }))
}

fn is_unnest(name: &ObjectName) -> bool {
    match name.0.as_slice() {
        [only] => only
            .as_ident()
            .is_some_and(|ident| ident.value.eq_ignore_ascii_case("UNNEST")),
        _ => false,
    }
}

/// Refuses joins with UNNEST that would need its elements before the row that has them.
pub(super) fn check_joins(table: &TableWithJoins) -> Result<(), PlanError> {
    table.joins.iter().try_for_each(check_join)
}

fn check_join(join: &Join) -> Result<(), PlanError> {
    use JoinOperator as J;
    let factor = &join.relation;
    let called = matches!(table_function(factor), Ok(Some(_)));
    if !called && !matches!(factor, TableFactor::UNNEST { .. }) {
        return Ok(());
    }
    let at = location(factor);
    let constraint = match &join.join_operator {
        J::Join(constraint)
        | J::Inner(constraint)
        | J::CrossJoin(constraint)
        | J::Left(constraint)
        | J::LeftOuter(constraint) => constraint,
        J::Right(_) | J::RightOuter(_) | J::FullOuter(_) => {
            return Err(PlanError::unsupported("RIGHT or FULL JOIN with UNNEST", at)
                .hint("the elements are those of a row on the left: write CROSS JOIN or LEFT JOIN … ON TRUE"));
        }
        _ => {
            return Err(PlanError::unsupported("this join with UNNEST", at)
                .hint("write CROSS JOIN UNNEST(…), or LEFT JOIN UNNEST(…) ON TRUE"));
        }
    };
    match constraint {
        JoinConstraint::On(_) | JoinConstraint::None => Ok(()),
        JoinConstraint::Using(_) | JoinConstraint::Natural => {
            Err(PlanError::unsupported("NATURAL or USING with UNNEST", at)
                .hint("write the condition behind ON, or into WHERE"))
        }
    }
}

fn location(factor: &TableFactor) -> Option<Location> {
    match factor {
        TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => name_location(name),
        other => Location::of(other.span()),
    }
}
