//! Expressions whose syntax DataFusion's planner lacks, or reads otherwise.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType, DateTimeField, ExactNumberInfo,
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, TimezoneInfo, TypedString,
    Value, ValueWithSpan,
};
use sqlparser::tokenizer::Span;

use super::{expression_location, intervals, name_location, windows};
use crate::dialect::{TABLE_ARGUMENT, binary, call, text};
use crate::error::{Location, PlanError, PlanErrorKind};

/// Rewrites one expression whose parts have been rewritten already.
pub(super) fn rewrite(expr: &mut Expr) -> Result<(), PlanError> {
    match expr {
        Expr::Interval(interval) => intervals::rewrite(interval),
        Expr::TypedString(literal) => typed_literal(literal),
        Expr::Extract {
            field, expr: time, ..
        } => {
            let unit = text(unit_name(field), Span::empty());
            *expr = call("extract", Span::empty(), [unit, (**time).clone()]);
            Ok(())
        }
        Expr::Ceil { expr: value, field } => {
            rounding(value, field, "ceil").map(|new| replace(expr, new))
        }
        Expr::Floor { expr: value, field } => {
            rounding(value, field, "floor").map(|new| replace(expr, new))
        }
        Expr::Function(function) => match function_call(function)? {
            Some(new) => {
                *expr = new;
                Ok(())
            }
            None => Ok(()),
        },
        Expr::Value(value) => {
            let new = approximate(value);
            replace(expr, new);
            Ok(())
        }
        Expr::Like {
            pattern,
            escape_char,
            ..
        }
        | Expr::ILike {
            pattern,
            escape_char,
            ..
        } => backslash_escapes(pattern, escape_char),
        Expr::RLike { .. } => Err(PlanError::unsupported(
            "the operator RLIKE",
            expression_location(expr),
        )
        .hint("use the function REGEXP(text, pattern)")),
        _ => Ok(()),
    }
}

fn replace(expr: &mut Expr, new: Option<Expr>) {
    if let Some(new) = new {
        *expr = new;
    }
}

/// `1e3` is a DOUBLE, where `1000.0` is an exact DECIMAL.
fn approximate(value: &ValueWithSpan) -> Option<Expr> {
    let Value::Number(digits, _) = &value.value else {
        return None;
    };
    digits.contains(['e', 'E']).then(|| Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(text(digits.clone(), value.span)),
        data_type: DataType::Double(ExactNumberInfo::None),
        array: false,
        format: None,
    })
}

/// `TIMESTAMP '…'` has the precision of its text, as in Flink.
fn typed_literal(literal: &mut TypedString) -> Result<(), PlanError> {
    let Value::SingleQuotedString(value) = &literal.value.value else {
        return Ok(());
    };
    if let DataType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) =
        literal.data_type
    {
        let fraction = value.rsplit_once('.').map_or(0, |(_, fraction)| {
            fraction.bytes().take_while(u8::is_ascii_digit).count()
        });
        let precision = match fraction {
            0..=3 => 3,
            4..=6 => 6,
            _ => 9,
        };
        literal.data_type = DataType::Timestamp(Some(precision), TimezoneInfo::None);
    }
    Ok(())
}

/// `LIKE 'a!_b' ESCAPE '!'` as the same pattern with backslashes, the only escape character
/// that DataFusion knows.
fn backslash_escapes(
    pattern: &mut Expr,
    escape: &mut Option<ValueWithSpan>,
) -> Result<(), PlanError> {
    let Some(given) = escape.as_ref() else {
        return Ok(());
    };
    let at = Location::of(given.span);
    let Value::SingleQuotedString(character) = &given.value else {
        return Err(PlanError::unsupported(
            "ESCAPE with anything but a character",
            at,
        ));
    };
    let mut characters = character.chars();
    let (Some(escape_char), None) = (characters.next(), characters.next()) else {
        return Err(PlanError::new(PlanErrorKind::Syntax, "ESCAPE takes one character").at(at));
    };
    if escape_char == '\\' {
        return Ok(());
    }
    let Expr::Value(ValueWithSpan {
        value: Value::SingleQuotedString(text),
        ..
    }) = pattern
    else {
        return Err(PlanError::unsupported(
            "ESCAPE with a pattern that is not a constant",
            at,
        ));
    };
    let mut rewritten = String::with_capacity(text.len() + 4);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            c if c == escape_char => match rest.next() {
                Some(next @ ('%' | '_' | '\\')) => rewritten.extend(['\\', next]),
                Some(next) if next == escape_char => rewritten.push(next),
                _ => {
                    return Err(PlanError::new(
                        PlanErrorKind::Syntax,
                        format!("{escape_char} in the pattern escapes nothing"),
                    )
                    .hint(format!("after it comes %, _ or {escape_char} itself"))
                    .at(at));
                }
            },
            '\\' => rewritten.push_str("\\\\"),
            other => rewritten.push(other),
        }
    }
    *text = rewritten;
    *escape = None;
    Ok(())
}

/// The singular name of a unit, in capitals.
fn unit_name(field: &DateTimeField) -> String {
    let name = field.to_string().to_ascii_uppercase();
    match name.strip_suffix('S') {
        Some(singular) => singular.to_string(),
        None => name,
    }
}

/// `CEIL(time TO unit)`; without a unit DataFusion's own function will do.
fn rounding(value: &Expr, field: &CeilFloorKind, name: &str) -> Result<Option<Expr>, PlanError> {
    match field {
        CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => Ok(None),
        CeilFloorKind::DateTimeField(field) => {
            let unit = text(unit_name(field), Span::empty());
            let name = format!("timestamp_{name}");
            Ok(Some(call(&name, Span::empty(), [value.clone(), unit])))
        }
        CeilFloorKind::Scale(_) => Err(PlanError::unsupported(
            format!("{} with a scale", name.to_ascii_uppercase()),
            expression_location(value),
        )),
    }
}

/// Calls that are something else underneath.
fn function_call(function: &Function) -> Result<Option<Expr>, PlanError> {
    let [only] = function.name.0.as_slice() else {
        return Ok(None);
    };
    let Some(ident) = only.as_ident() else {
        return Ok(None);
    };
    let span = ident.span;
    let name = ident.value.to_ascii_uppercase();
    if windows::is_window_function(function) {
        return Err(misplaced_window(&name, function));
    }
    if name == TABLE_ARGUMENT.to_ascii_uppercase() || name == "DESCRIPTOR" {
        let shown = if name == "DESCRIPTOR" {
            "DESCRIPTOR(…)"
        } else {
            "TABLE …"
        };
        return Err(PlanError::new(
            PlanErrorKind::Syntax,
            format!("{shown} can only be an argument of a table function"),
        )
        .at(Location::of(span)));
    }
    let Some(args) = plain_arguments(function) else {
        return Ok(None);
    };
    Ok(match (name.as_str(), args.as_slice()) {
        ("MOD", [a, b]) => Some(binary((*a).clone(), BinaryOperator::Modulo, (*b).clone())),
        ("ROW", _) => Some(call("struct", span, args.into_iter().cloned())),
        ("SHA224" | "SHA256" | "SHA384" | "SHA512", [value]) => {
            let hash = call(&name.to_ascii_lowercase(), span, [(*value).clone()]);
            Some(call("encode", span, [hash, text("hex", span)]))
        }
        ("RAND", []) => Some(call("random", span, [])),
        ("SIGN", [_]) => Some(call("signum", span, args.into_iter().cloned())),
        ("TRUNCATE", _) => Some(call("trunc", span, args.into_iter().cloned())),
        ("UNIX_TIMESTAMP", []) => Some(call("current_unix_timestamp", span, [])),
        ("IF", [condition, then, otherwise]) => Some(case(condition, then, otherwise)),
        ("TIMESTAMPADD", [unit, amount, time]) => {
            let unit = unit_argument(unit)?;
            Some(call(
                "timestampadd",
                span,
                [unit, (*amount).clone(), (*time).clone()],
            ))
        }
        ("TIMESTAMPDIFF", [unit, from, to]) => {
            let unit = unit_argument(unit)?;
            Some(call(
                "timestampdiff",
                span,
                [unit, (*from).clone(), (*to).clone()],
            ))
        }
        _ => None,
    })
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
