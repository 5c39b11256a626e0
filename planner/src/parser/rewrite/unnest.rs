//! `UNNEST(e)` and `LATERAL TABLE(f(e))` in FROM: sqlparser takes them for table functions of any name, and
//! DataFusion's planner wants them as what they are. Which joins they can stand in is checked here too.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Join, JoinConstraint,
    JoinOperator, ObjectName, Spanned, TableAlias, TableFactor, TableWithJoins,
};

use super::name_location;
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// What a call of UNNEST, or of a table function, is as a table; `None` for everything else.
///
/// A table function is any function that gives an array or a map: each element of what it gives for a row is a row.
/// So it is UNNEST of its call, and marked by `with_offset`, which this dialect has no syntax for.
pub(super) fn table_function(factor: &TableFactor) -> Result<Option<TableFactor>, PlanError> {
    let Some(call) = Call::of(factor) else {
        return Ok(None);
    };
    let (collection, own) = match call.is_unnest() {
        true => (call.argument()?, false),
        false => match call.collection() {
            Some(collection) => (collection, true),
            None => return Ok(None),
        },
    };
    // Without an alias it is called like its text, as it stands now.
    let alias = call.alias.cloned().unwrap_or_else(|| TableAlias {
        explicit: true,
        name: match own {
            true => Ident::with_quote('`', collection.to_string()),
            false => Ident::with_quote('`', format!("UNNEST({collection})")),
        },
        columns: vec![],
        at: None,
    });
    Ok(Some(TableFactor::UNNEST {
        alias: Some(alias),
        array_exprs: vec![collection],
        with_offset: own,
        with_offset_alias: None,
        with_ordinality: call.with_ordinality,
    }))
}

/// A call in FROM.
struct Call<'a> {
    name: &'a ObjectName,
    args: &'a [FunctionArg],
    /// The call as an expression, if it stands in TABLE(…).
    function: Option<&'a Function>,
    alias: Option<&'a TableAlias>,
    with_ordinality: bool,
}

impl<'a> Call<'a> {
    fn of(factor: &'a TableFactor) -> Option<Self> {
        let call = |name, args, alias: &'a Option<TableAlias>, with_ordinality| Call {
            name,
            args,
            function: None,
            alias: alias.as_ref(),
            with_ordinality,
        };
        match factor {
            TableFactor::Table {
                name,
                args: Some(args),
                alias,
                with_ordinality,
                ..
            } => Some(call(name, args.args.as_slice(), alias, *with_ordinality)),
            TableFactor::Function {
                name,
                args,
                alias,
                with_ordinality,
                ..
            } => match args.as_slice() {
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(function)))]
                    if is_called(name, "TABLE") =>
                {
                    Self::in_table(function, alias, *with_ordinality)
                }
                args => Some(call(name, args, alias, *with_ordinality)),
            },
            TableFactor::TableFunction {
                expr: Expr::Function(function),
                alias,
            } => Self::in_table(function, alias, false),
            _ => None,
        }
    }

    /// The call in TABLE(…).
    fn in_table(
        function: &'a Function,
        alias: &'a Option<TableAlias>,
        with_ordinality: bool,
    ) -> Option<Self> {
        let args = match &function.args {
            FunctionArguments::None => [].as_slice(),
            FunctionArguments::List(list) => list.args.as_slice(),
            FunctionArguments::Subquery(_) => return None,
        };
        Some(Call {
            name: &function.name,
            args,
            function: Some(function),
            alias: alias.as_ref(),
            with_ordinality,
        })
    }

    fn is_unnest(&self) -> bool {
        is_called(self.name, "UNNEST")
    }

    /// The argument of UNNEST.
    fn argument(&self) -> Result<Expr, PlanError> {
        let [FunctionArg::Unnamed(FunctionArgExpr::Expr(collection))] = self.args else {
            return Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                "UNNEST takes one array or map",
            )
            .hint("each of several has an UNNEST of its own: CROSS JOIN UNNEST(a) AS u (x) CROSS JOIN UNNEST(b) AS v (y)")
            .at(name_location(self.name)));
        };
        Ok(collection.clone())
    }

    /// The call, if it is one of values in TABLE(…): those of windows are about a table.
    fn collection(&self) -> Option<Expr> {
        let of_table = |arg: &FunctionArg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(function))) => {
                is_called(&function.name, "DESCRIPTOR")
            }
            FunctionArg::Unnamed(FunctionArgExpr::Expr(_)) => false,
            _ => true,
        };
        let function = self.function?;
        (!self.args.iter().any(of_table)).then(|| Expr::Function(function.clone()))
    }
}

fn is_called(name: &ObjectName, wanted: &str) -> bool {
    match name.0.as_slice() {
        [only] => only
            .as_ident()
            .is_some_and(|ident| ident.value.eq_ignore_ascii_case(wanted)),
        _ => false,
    }
}

/// Refuses joins with UNNEST and LATERAL that would need the rows of these before the row that has them.
pub(super) fn check_joins(table: &TableWithJoins) -> Result<(), PlanError> {
    table.joins.iter().try_for_each(check_join)
}

fn check_join(join: &Join) -> Result<(), PlanError> {
    use JoinOperator as J;
    let factor = &join.relation;
    let called = || matches!(table_function(factor), Ok(Some(_)));
    let what = match factor {
        TableFactor::Derived { lateral: true, .. } => "LATERAL",
        TableFactor::UNNEST { .. } => "UNNEST or a table function",
        _ if called() => "UNNEST or a table function",
        _ => return Ok(()),
    };
    let refused = |join: &str, hint: &str| {
        Err(PlanError::unsupported(format!("{join} with {what}"), location(factor)).hint(hint))
    };
    let constraint = match &join.join_operator {
        J::Join(constraint)
        | J::Inner(constraint)
        | J::CrossJoin(constraint)
        | J::Left(constraint)
        | J::LeftOuter(constraint) => constraint,
        J::Right(_) | J::RightOuter(_) | J::FullOuter(_) => {
            let hint =
                "its rows are those of a row on the left: write CROSS JOIN or LEFT JOIN … ON TRUE";
            return refused("RIGHT or FULL JOIN", hint);
        }
        _ => return refused("this join", "write CROSS JOIN, or LEFT JOIN … ON TRUE"),
    };
    match constraint {
        JoinConstraint::On(_) | JoinConstraint::None => Ok(()),
        JoinConstraint::Using(_) | JoinConstraint::Natural => refused(
            "NATURAL or USING",
            "write the condition behind ON, or into WHERE",
        ),
    }
}

fn location(factor: &TableFactor) -> Option<Location> {
    match factor {
        TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => name_location(name),
        TableFactor::TableFunction {
            expr: Expr::Function(function),
            ..
        } => name_location(&function.name),
        TableFactor::Derived { subquery, .. } => Location::of(subquery.span()),
        other => Location::of(other.span()),
    }
}
