//! PRINTF, with the formats of java.util.Formatter that texts, numbers and booleans have.

use std::iter::Peekable;
use std::str::Chars;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;

use crate::functions::numbers::digits::{Rounding, fixed};
use crate::functions::scalar::Call;

/// An argument in one row.
enum Argument {
    Null,
    Integer(i64),
    /// A number with a fraction, by its decimal digits.
    Fraction(String),
    Other(String),
}

/// PRINTF(format, argument, …): NULL if the format is, or is wrong; a NULL argument is `null`.
pub(super) fn printf(call: &Call<'_>) -> Result<ArrayRef> {
    let formats = call.texts(0)?;
    let columns = (1..call.len())
        .map(|index| plain(call.array(index)?))
        .collect::<Result<Vec<_>>>()?;
    let options = FormatOptions::default();
    let shown = columns
        .iter()
        .map(|column| Ok(ArrayFormatter::try_new(column, &options)?))
        .collect::<Result<Vec<_>>>()?;
    call.text_column(|row| {
        let Some(format) = formats.get(row) else {
            return Ok(None);
        };
        let arguments: Vec<Argument> = columns
            .iter()
            .zip(&shown)
            .map(|(column, shown)| argument(column, row, || shown.value(row).to_string()))
            .collect();
        formatted(format, &arguments)
    })
}

/// Integers as BIGINT and FLOAT as DOUBLE.
fn plain(array: ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::UInt64 => array,
        integer if integer.is_integer() => cast(&array, &DataType::Int64)?,
        DataType::Float16 | DataType::Float32 => cast(&array, &DataType::Float64)?,
        _ => array,
    })
}

fn argument(column: &ArrayRef, row: usize, shown: impl Fn() -> String) -> Argument {
    if column.is_null(row) || column.data_type().is_null() {
        return Argument::Null;
    }
    match column.data_type() {
        DataType::Int64 => Argument::Integer(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            Argument::Fraction(value.to_string())
        }
        DataType::Decimal128(..) => Argument::Fraction(shown()),
        _ => Argument::Other(shown()),
    }
}

/// What stands between `%` and the letter of a conversion.
#[derive(Default)]
struct Directive {
    /// The argument that is named by its number, from 1.
    index: Option<usize>,
    left: bool,
    zeros: bool,
    plus: bool,
    blank: bool,
    commas: bool,
    parentheses: bool,
    width: usize,
    precision: Option<usize>,
}

fn formatted(format: &str, arguments: &[Argument]) -> Result<Option<String>> {
    let mut out = String::with_capacity(format.len() + 16);
    let mut rest = format.chars().peekable();
    let mut next = 0;
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let Some((directive, conversion)) = directive(&mut rest) else {
            return Ok(None);
        };
        let text = match conversion {
            '%' => Some("%".to_string()),
            'n' => Some("\n".to_string()),
            _ => {
                let index = match directive.index {
                    Some(index) => index.checked_sub(1),
                    None => {
                        next += 1;
                        Some(next - 1)
                    }
                };
                let argument = index.and_then(|index| arguments.get(index));
                argument.and_then(|argument| converted(&directive, conversion, argument))
            }
        };
        let Some(text) = text else { return Ok(None) };
        push_padded(&mut out, &text, &directive);
    }
    Ok(Some(out))
}

fn directive(rest: &mut Peekable<Chars<'_>>) -> Option<(Directive, char)> {
    let mut directive = Directive::default();
    let mut number = digits(rest);
    if let Some(index) = number
        && rest.next_if_eq(&'$').is_some()
    {
        directive.index = Some(index);
        number = None;
    }
    if number.is_none() {
        while let Some(flag) = rest.next_if(|c| "-0+ ,(".contains(*c)) {
            match flag {
                '-' => directive.left = true,
                '0' => directive.zeros = true,
                '+' => directive.plus = true,
                ' ' => directive.blank = true,
                ',' => directive.commas = true,
                _ => directive.parentheses = true,
            }
        }
        number = digits(rest);
    }
    directive.width = number.unwrap_or(0);
    if rest.next_if_eq(&'.').is_some() {
        directive.precision = Some(precision(rest)?);
    }
    let conversion = rest.next()?;
    Some((directive, conversion))
}

/// A number of at most six digits; nothing if it begins with zero, which is a flag.
fn digits(rest: &mut Peekable<Chars<'_>>) -> Option<usize> {
    if rest.peek() == Some(&'0') {
        return None;
    }
    let mut text = String::new();
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    if text.len() > 6 {
        None
    } else {
        text.parse().ok()
    }
}

/// The digits behind the point of a precision, where zero is a number.
fn precision(rest: &mut Peekable<Chars<'_>>) -> Option<usize> {
    match rest.next_if_eq(&'0') {
        Some(_) => Some(digits(rest).unwrap_or(0)),
        None => digits(rest),
    }
}

fn converted(directive: &Directive, conversion: char, argument: &Argument) -> Option<String> {
    if conversion.is_ascii_uppercase() && "SXEGBCH".contains(conversion) {
        let lower = converted(directive, conversion.to_ascii_lowercase(), argument)?;
        return Some(lower.to_uppercase());
    }
    if let Argument::Null = argument {
        let shown = if conversion == 'b' { "false" } else { "null" };
        return "sdxofegcb".contains(conversion).then(|| shown.to_string());
    }
    let text = match (conversion, argument) {
        ('s', Argument::Integer(value)) => value.to_string(),
        ('s', Argument::Fraction(text) | Argument::Other(text)) => text.clone(),
        ('d', Argument::Integer(value)) => {
            return Some(signed(
                directive,
                *value < 0,
                value.unsigned_abs().to_string(),
            ));
        }
        ('x', Argument::Integer(value)) => return Some(format!("{value:x}")),
        ('o', Argument::Integer(value)) => return Some(format!("{value:o}")),
        ('c', Argument::Integer(value)) => char::from_u32(u32::try_from(*value).ok()?)?.to_string(),
        ('c', Argument::Other(text)) if text.chars().count() == 1 => text.clone(),
        ('b', Argument::Other(text)) if text == "false" => text.clone(),
        ('b', _) => "true".to_string(),
        ('f', Argument::Fraction(text)) => return fixed_point(directive, text),
        ('e', Argument::Fraction(text)) => return scientific(directive, text),
        _ => return None,
    };
    Some(match directive.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    })
}

fn fixed_point(directive: &Directive, text: &str) -> Option<String> {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Some(text.to_string());
    }
    let places = i64::try_from(directive.precision.unwrap_or(6)).ok()?;
    let text = fixed(text, places, Rounding::HalfUp).ok()?;
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches('-').to_string();
    Some(signed(directive, negative, digits))
}

/// `1.234500e+01`.
fn scientific(directive: &Directive, text: &str) -> Option<String> {
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() {
        return Some(text.to_string());
    }
    let places = directive.precision.unwrap_or(6);
    let shown = format!("{:.places$e}", value.abs());
    let (mantissa, exponent) = shown.split_once('e')?;
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    let digits = format!("{mantissa}e{sign}{exponent:0>2}");
    Some(signed(directive, value < 0.0, digits))
}

/// A number with its sign, separators of thousands, and zeros up to the width.
fn signed(directive: &Directive, negative: bool, digits: String) -> String {
    let digits = match directive.commas {
        true => with_commas(&digits),
        false => digits,
    };
    let (before, behind) = match (negative, directive.parentheses) {
        (true, true) => ("(", ")"),
        (true, false) => ("-", ""),
        (false, _) if directive.plus => ("+", ""),
        (false, _) if directive.blank => (" ", ""),
        _ => ("", ""),
    };
    let width = match directive.zeros {
        true => directive.width.saturating_sub(before.len() + behind.len()),
        false => 0,
    };
    format!("{before}{digits:0>width$}{behind}")
}

fn with_commas(digits: &str) -> String {
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

fn push_padded(out: &mut String, text: &str, directive: &Directive) {
    let missing = directive.width.saturating_sub(text.chars().count());
    let blanks = || std::iter::repeat_n(' ', missing);
    if !directive.left {
        out.extend(blanks());
    }
    out.push_str(text);
    if directive.left {
        out.extend(blanks());
    }
}
