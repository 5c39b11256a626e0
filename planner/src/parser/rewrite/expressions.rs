//! Expressions whose syntax DataFusion's planner lacks, or reads otherwise.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, CeilFloorKind, DataType, DateTimeField, Expr, Spanned,
    TimezoneInfo, TypedString, Value, ValueWithSpan,
};
use sqlparser::tokenizer::Span;

use super::{expression_location, functions, intervals, overlaps, similar};
use levada_language::dialect::{call, cast, number, text};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::{SqlType, parse_type_text};

/// Rewrites one expression whose parts have been rewritten already.
pub(super) fn rewrite(expr: &mut Expr) -> Result<(), PlanError> {
    let new = match expr {
        Expr::Extract {
            field, expr: time, ..
        } => {
            let unit = text(unit_name(field), Span::empty());
            Some(call("extract", Span::empty(), [unit, (**time).clone()]))
        }
        Expr::Ceil { expr: value, field } => rounding(value, field, "ceil")?,
        Expr::Floor { expr: value, field } => rounding(value, field, "floor")?,
        // DataFusion's planner would not find columns of outer queries in it.
        Expr::Array(array) => Some(call("make_array", array.span(), array.elem.clone())),
        Expr::Substring { .. }
        | Expr::Position { .. }
        | Expr::Overlay { .. }
        | Expr::BinaryOp {
            op: BinaryOperator::Overlaps,
            ..
        } => syntax_call(expr)?,
        Expr::Rollup(_) | Expr::Cube(_) => written_out(expr).map(Expr::GroupingSets),
        Expr::GroupingSets(sets) => {
            sets.iter_mut().for_each(each_once);
            return in_place(expr);
        }
        Expr::Function(function) => functions::rewrite(function)?,
        Expr::Value(value) => approximate(value),
        Expr::Cast { .. } => bounded_call(expr),
        other => return in_place(other),
    };
    replace(expr, new);
    Ok(())
}

/// Rewrites what stays the expression that it is.
fn in_place(expr: &mut Expr) -> Result<(), PlanError> {
    match expr {
        Expr::Interval(interval) => intervals::rewrite(interval),
        Expr::TypedString(literal) => typed_literal(literal),
        Expr::Identifier(ident) => functions::refuse_bare(ident),
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
        Expr::SimilarTo {
            pattern,
            escape_char,
            ..
        } => similar_to(pattern, escape_char),
        Expr::CompoundFieldAccess { root, access_chain } => {
            fields_of_elements(root, access_chain);
            Ok(())
        }
        Expr::RLike { .. } => Err(rlike(expr)),
        _ => Ok(()),
    }
}

fn rlike(expr: &Expr) -> PlanError {
    PlanError::unsupported("the operator RLIKE", expression_location(expr))
        .hint("use the function REGEXP(text, pattern)")
}

/// The call that a function with words between its arguments stands for.
fn syntax_call(expr: &Expr) -> Result<Option<Expr>, PlanError> {
    let span = expr.span();
    let plain = |name, args: &[Option<&Expr>]| {
        let given = args.iter().flatten().map(|arg| (*arg).clone());
        Some(call(name, span, given.collect::<Vec<_>>()))
    };
    Ok(match expr {
        Expr::Substring {
            expr,
            substring_from,
            substring_for,
            ..
        } => {
            let first = number(1, span);
            let from = substring_from.as_deref().unwrap_or(&first);
            plain(
                "substring",
                &[Some(expr), Some(from), substring_for.as_deref()],
            )
        }
        Expr::Position { expr, r#in } => plain("locate", &[Some(expr), Some(r#in)]),
        Expr::Overlay {
            expr,
            overlay_what,
            overlay_from,
            overlay_for,
        } => plain(
            "overlay",
            &[
                Some(expr),
                Some(overlay_what),
                Some(overlay_from),
                overlay_for.as_deref(),
            ],
        ),
        Expr::BinaryOp { left, right, .. } => Some(overlaps::rewritten(left, right)?),
        _ => None,
    })
}

/// More parts of a CUBE are left to DataFusion's planner, which has a limit.
const CUBE_PARTS: usize = 12;

/// The sets of a ROLLUP or CUBE of which parts have several columns, in parentheses, or come again; DataFusion's planner
/// knows those of single columns.
fn written_out(expr: &Expr) -> Option<Vec<Vec<Expr>>> {
    let several = |parts: &[Vec<Expr>]| parts.iter().any(|part| part.len() != 1);
    let again = |parts: &[Vec<Expr>]| {
        let mut parts = parts.iter().enumerate();
        let before = parts.clone();
        parts.any(|(n, part)| before.clone().take(n).any(|(_, other)| other == part))
    };
    let written = |parts: &[Vec<Expr>]| several(parts) || again(parts);
    let mut sets: Vec<Vec<Expr>> = match expr {
        Expr::Rollup(parts) if written(parts) => {
            let first = |count| parts.iter().take(count).flatten().cloned().collect();
            (0..=parts.len()).rev().map(first).collect()
        }
        Expr::Cube(parts) if written(parts) && parts.len() <= CUBE_PARTS => cube(parts),
        _ => return None,
    };
    sets.iter_mut().for_each(each_once);
    Some(sets)
}

/// What a set has twice it groups by once.
fn each_once(set: &mut Vec<Expr>) {
    let mut once: Vec<Expr> = Vec::new();
    for part in set.drain(..) {
        if !once.contains(&part) {
            once.push(part);
        }
    }
    *set = once;
}

/// Each choice of parts.
fn cube(parts: &[Vec<Expr>]) -> Vec<Vec<Expr>> {
    parts.iter().rev().fold(vec![Vec::new()], |sets, part| {
        let with_part = |set: &Vec<Expr>| part.iter().chain(set).cloned().collect();
        let with: Vec<Vec<Expr>> = sets.iter().map(with_part).collect();
        with.into_iter().chain(sets).collect()
    })
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
    let exponent = digits.contains(['e', 'E']);
    exponent.then(|| cast(text(digits.clone(), value.span), "DOUBLE"))
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

/// `arr[1].q` and `f(x).q`: behind an element or a computed value, DataFusion's planner takes
/// names of fields as texts.
fn fields_of_elements(root: &Expr, chain: &mut [AccessExpr]) {
    let computed = !matches!(
        root,
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Nested(_)
    );
    let elements = chain
        .iter_mut()
        .skip_while(|access| !computed && !matches!(access, AccessExpr::Subscript(_)));
    for access in elements {
        if let AccessExpr::Dot(Expr::Identifier(ident)) = access {
            *access = AccessExpr::Dot(text(ident.value.clone(), ident.span));
        }
    }
}

/// A cast to a type with a length or precision, and what cuts its result, if anything has to.
fn bounded_call(expr: &Expr) -> Option<Expr> {
    let Expr::Cast { data_type, .. } = expr else {
        return None;
    };
    let (name, length) = bounded_cast(&data_type.to_string())?;
    let length = number(length, Span::empty());
    Some(call(name, Span::empty(), [expr.clone(), length]))
}

/// What a cast to a type with a length or precision that Arrow lacks has to cut, and where.
fn bounded_cast(data_type: &str) -> Option<(&'static str, i64)> {
    match parse_type_text(data_type).ok()?.sql_type {
        SqlType::Char(length) | SqlType::Varchar(length) => Some(("cut_text", length.into())),
        SqlType::Timestamp(precision) | SqlType::TimestampLtz(precision)
            if precision % 3 != 0 || precision == 0 =>
        {
            Some(("cut_time", precision.into()))
        }
        _ => None,
    }
}

/// The pattern of SIMILAR TO as the regular expression that DataFusion takes it for.
fn similar_to(pattern: &mut Expr, escape: &mut Option<ValueWithSpan>) -> Result<(), PlanError> {
    let at = expression_location(pattern);
    let Expr::Value(ValueWithSpan {
        value: Value::SingleQuotedString(text),
        ..
    }) = pattern
    else {
        return Err(PlanError::unsupported(
            "SIMILAR TO with a pattern that is not a constant",
            at,
        ));
    };
    let escape = match escape.take().map(|given| given.value) {
        None => Some('\\'),
        Some(Value::SingleQuotedString(character)) if character.chars().count() == 1 => {
            character.chars().next()
        }
        Some(_) => {
            return Err(PlanError::new(PlanErrorKind::Syntax, "ESCAPE takes one character").at(at));
        }
    };
    *text = similar::regex(text, escape).map_err(|error| error.at(at))?;
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
