//! Calls of functions that are something else underneath.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident, Value,
};
use sqlparser::tokenizer::Span;

use super::{aggregates, expression_location, name_location, windows};
use levada_language::dialect::{TABLE_ARGUMENT, binary, call, text};
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// Functions that DataFusion has under another name, with the same meaning.
const RENAMED: &[(&str, usize, &str)] = &[
    ("ROW", usize::MAX, "struct"),
    ("GROUPING_ID", usize::MAX, "grouping"),
    ("RAND", 0, "random"),
    ("UNIX_TIMESTAMP", 0, "current_unix_timestamp"),
];

/// What stands in place of a call, its arguments having been rewritten; `None` if it stays, in
/// which case it may have been changed in place.
pub(super) fn rewrite(function: &mut Function) -> Result<Option<Expr>, PlanError> {
    let [only] = function.name.0.as_slice() else {
        return Ok(None);
    };
    let Some(ident) = only.as_ident() else {
        return Ok(None);
    };
    let span = ident.span;
    let name = ident.value.to_ascii_uppercase();
    refuse(&name, function, span)?;
    if let Some(other) = aggregates::rewrite(&name, function, span)? {
        return Ok(Some(other));
    }
    let Some(args) = plain_arguments(function) else {
        return Ok(None);
    };
    if let Some((_, _, renamed)) = RENAMED
        .iter()
        .find(|(known, count, _)| *known == name && (*count == usize::MAX || *count == args.len()))
    {
        return Ok(Some(call(renamed, span, args.into_iter().cloned())));
    }
    built_from_others(&name, &args, span)
}

fn built_from_others(name: &str, args: &[&Expr], span: Span) -> Result<Option<Expr>, PlanError> {
    Ok(match (name, args) {
        ("MOD", [a, b]) => Some(binary((*a).clone(), BinaryOperator::Modulo, (*b).clone())),
        ("RAND_INTEGER", [bound]) => {
            let random = call("random", span, []);
            Some(call("random_below", span, [random, (*bound).clone()]))
        }
        ("RAND", [_]) | ("RAND_INTEGER", [_, _]) => return Err(seeded(name, span)),
        ("E", []) => Some(call(
            "exp",
            span,
            [levada_language::dialect::number(1, span)],
        )),
        ("IF", [condition, then, otherwise]) => Some(case(condition, then, otherwise)),
        ("TIMESTAMPADD", [unit, amount, time]) => {
            let args = [unit_argument(unit)?, (*amount).clone(), (*time).clone()];
            Some(call("timestampadd", span, args))
        }
        ("TIMESTAMPDIFF", [unit, from, to]) => {
            let args = [unit_argument(unit)?, (*from).clone(), (*to).clone()];
            Some(call("timestampdiff", span, args))
        }
        _ => None,
    })
}

/// Functions that cannot stand in an expression, or not yet.
fn refuse(name: &str, function: &Function, span: Span) -> Result<(), PlanError> {
    const REFUSED: &[&str] = &["CURRENT_WATERMARK"];
    if windows::is_window_function(function) {
        return Err(misplaced_window(name, function));
    }
    let shown = match name {
        "DESCRIPTOR" => "DESCRIPTOR(…)",
        _ if name.eq_ignore_ascii_case(TABLE_ARGUMENT) => "TABLE …",
        _ if REFUSED.contains(&name) => {
            let at = Location::of(span);
            return Err(PlanError::unsupported(format!("the function {name}"), at));
        }
        _ => return Ok(()),
    };
    Err(PlanError::new(
        PlanErrorKind::Syntax,
        format!("{shown} can only be an argument of a table function"),
    )
    .at(Location::of(span)))
}

fn seeded(name: &str, span: Span) -> PlanError {
    PlanError::unsupported(format!("{name} with a seed"), Location::of(span))
        .hint("rows are computed in parallel, so that no sequence of numbers is theirs")
}

/// Refuses what Flink calls without parentheses and is not supported.
pub(super) fn refuse_bare(ident: &Ident) -> Result<(), PlanError> {
    if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("CURRENT_WATERMARK") {
        let at = Location::of(ident.span);
        return Err(PlanError::unsupported("the function CURRENT_WATERMARK", at));
    }
    Ok(())
}

fn misplaced_window(name: &str, function: &Function) -> PlanError {
    PlanError::new(
        PlanErrorKind::InvalidWindow,
        format!("{name} cannot stand here"),
    )
    .hint(
        "windows go into FROM, as FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), size)), \
         or into GROUP BY, as GROUP BY TUMBLE(ts, size)",
    )
    .at(name_location(&function.name))
}

/// The arguments of a call that has nothing but positional arguments.
fn plain_arguments(function: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    if function.over.is_some() || function.filter.is_some() || !list.clauses.is_empty() {
        return None;
    }
    list.args
        .iter()
        .map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

/// A unit of time, which stands as a bare word: `TIMESTAMPADD(DAY, 1, ts)`.
fn unit_argument(expr: &Expr) -> Result<Expr, PlanError> {
    const UNITS: &[&str] = &[
        "SECOND",
        "MINUTE",
        "HOUR",
        "DAY",
        "WEEK",
        "MONTH",
        "QUARTER",
        "YEAR",
        "MILLISECOND",
        "MICROSECOND",
        "NANOSECOND",
    ];
    let (word, span) = match expr {
        Expr::Identifier(ident) => (ident.value.to_ascii_uppercase(), ident.span),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => (text.to_ascii_uppercase(), value.span),
            _ => (expr.to_string(), value.span),
        },
        _ => (expr.to_string(), Span::empty()),
    };
    let unit = word.strip_prefix("SQL_TSI_").unwrap_or(&word);
    let singular = unit.strip_suffix('S').unwrap_or(unit);
    match UNITS.iter().find(|known| **known == singular) {
        Some(known) => Ok(text(*known, span)),
        None => Err(PlanError::new(
            PlanErrorKind::Syntax,
            format!("{word} is not a unit of time"),
        )
        .hint(format!("the units are {}", UNITS.join(", ")))
        .at(Location::of(span).or_else(|| expression_location(expr)))),
    }
}

/// `IF(condition, then, otherwise)`.
fn case(condition: &Expr, then: &Expr, otherwise: &Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen {
            condition: condition.clone(),
            result: then.clone(),
        }],
        else_result: Some(Box::new(otherwise.clone())),
    }
}
