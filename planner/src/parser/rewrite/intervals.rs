//! Interval literals: ranges of units, and precisions, which DataFusion does not read.

use sqlparser::ast::{DateTimeField, Expr, Interval, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use levada_language::dialect::text;
use levada_language::error::{Location, PlanError, PlanErrorKind};

const SECONDS_PER_MINUTE: i64 = 60;
const SECONDS_PER_HOUR: i64 = 3_600;
const SECONDS_PER_DAY: i64 = 86_400;

/// Rewrites `INTERVAL '1:30' MINUTE TO SECOND` as `INTERVAL '90.0' SECOND`, drops precisions,
/// and checks that the literal is a number of its unit.
pub(super) fn rewrite(interval: &mut Interval) -> Result<(), PlanError> {
    let (literal, span) = literal(&interval.value)?;
    interval.leading_precision = None;
    interval.fractional_seconds_precision = None;
    let Some(leading) = interval.leading_field.clone() else {
        // PostgreSQL's form, '10 seconds'; DataFusion reads it.
        return Ok(());
    };
    let bad = || {
        let unit = match &interval.last_field {
            Some(last) => format!("{leading} TO {last}"),
            None => leading.to_string(),
        };
        PlanError::new(
            PlanErrorKind::Syntax,
            format!("'{literal}' is not an interval of {unit}"),
        )
        .at(Location::of(span))
    };
    let (value, unit) = match &interval.last_field {
        None => (number(&literal).ok_or_else(bad)?, leading.clone()),
        Some(last) => range(&literal, &leading, last).ok_or_else(bad)?,
    };
    *interval.value = text(value, span);
    interval.leading_field = Some(unit);
    interval.last_field = None;
    Ok(())
}

fn literal(value: &Expr) -> Result<(String, Span), PlanError> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Ok((text.clone(), value.span)),
            Value::Number(digits, _) => Ok((digits.clone(), value.span)),
            _ => Err(not_constant(value.span)),
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => literal(expr).map(|(text, span)| (format!("-{text}"), span)),
        other => {
            use sqlparser::ast::Spanned;
            Err(not_constant(other.span()))
        }
    }
}

fn not_constant(span: Span) -> PlanError {
    PlanError::new(
        PlanErrorKind::Syntax,
        "INTERVAL takes a literal, such as INTERVAL '10' SECOND",
    )
    .hint("to add a number that varies, use TIMESTAMPADD(SECOND, number, time)")
    .at(Location::of(span))
}

/// A decimal number, with the blanks around it removed.
fn number(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (all_digits(whole) && all_digits(fraction)).then(|| trimmed.trim_start_matches('+').to_string())
}

/// The value of a literal with several fields, in months or in seconds.
fn range(
    text: &str,
    first: &DateTimeField,
    last: &DateTimeField,
) -> Option<(String, DateTimeField)> {
    let trimmed = text.trim();
    let (sign, rest) = match trimmed.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if let (
        DateTimeField::Year | DateTimeField::Years,
        DateTimeField::Month | DateTimeField::Months,
    ) = (first, last)
    {
        let (years, months) = rest.split_once('-')?;
        let (years, months): (i64, i64) = (years.parse().ok()?, months.parse().ok()?);
        let total = years.checked_mul(12)?.checked_add(months)?;
        return (months < 12).then(|| (format!("{sign}{total}"), DateTimeField::Month));
    }
    let units = units(rank(first)?, rank(last)?)?;
    let fields: Vec<&str> = rest
        .split([' ', ':'])
        .filter(|part| !part.is_empty())
        .collect();
    if fields.len() != units.len() {
        return None;
    }
    let mut seconds: i64 = 0;
    let mut fraction = "0";
    for (field, unit) in fields.iter().zip(units) {
        let (whole, part) = match (unit, field.split_once('.')) {
            (1, Some((whole, part))) => (whole, Some(part)),
            (_, Some(_)) => return None,
            (_, None) => (*field, None),
        };
        if let Some(part) = part {
            part.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
            fraction = part;
        }
        let whole: u32 = whole.parse().ok()?;
        seconds = seconds.checked_add(i64::from(whole).checked_mul(*unit)?)?;
    }
    Some((format!("{sign}{seconds}.{fraction}"), DateTimeField::Second))
}

fn rank(field: &DateTimeField) -> Option<usize> {
    Some(match field {
        DateTimeField::Day | DateTimeField::Days => 0,
        DateTimeField::Hour | DateTimeField::Hours => 1,
        DateTimeField::Minute | DateTimeField::Minutes => 2,
        DateTimeField::Second | DateTimeField::Seconds => 3,
        _ => return None,
    })
}

/// Seconds of each unit from the first to the last.
fn units(first: usize, last: usize) -> Option<&'static [i64]> {
    const UNITS: &[i64] = &[SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE, 1];
    UNITS.get(first..=last).filter(|units| units.len() > 1)
}
