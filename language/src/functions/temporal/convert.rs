//! Between texts, numbers and times.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use chrono_tz::Tz;
use datafusion::common::Result;

use super::calendar::{Date, Local, SECONDS_PER_DAY, instant_of, offset_at};
use super::fields::time_column;
use super::pattern::Pattern;
use crate::error::{PlanError, PlanErrorKind};
use crate::functions::scalar::{Call, Texts, evaluation, parse_zone};
use crate::types::SqlType;

const DEFAULT_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

/// Compiles each pattern once while they stay the same.
struct Patterns<'a> {
    texts: Option<Texts<'a>>,
    compiled: Option<(String, Pattern)>,
}

impl<'a> Patterns<'a> {
    /// The pattern argument at `index`, which may be absent.
    fn of(call: &'a Call<'_>, index: usize) -> Result<Self> {
        let texts = if call.len() > index {
            Some(call.texts(index)?)
        } else {
            None
        };
        Ok(Self {
            texts,
            compiled: None,
        })
    }

    /// The pattern of a row: `None` is NULL, `Some(None)` that none was given.
    fn get(&mut self, row: usize) -> Result<Option<Option<&Pattern>>> {
        let Some(texts) = &self.texts else {
            return Ok(Some(None));
        };
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        if self
            .compiled
            .as_ref()
            .is_none_or(|(known, _)| known != text)
        {
            self.compiled = Some((text.to_string(), Pattern::compile(text)?));
        }
        Ok(self.compiled.as_ref().map(|(_, pattern)| Some(pattern)))
    }

    /// Reads the text of a row.
    fn parse(&mut self, row: usize, text: &str) -> Result<Option<Local>> {
        Ok(match self.get(row)? {
            None => None,
            Some(None) => parse_local(text),
            Some(Some(pattern)) => pattern.parse(text),
        })
    }
}

/// Reads `yyyy-MM-dd`, optionally with `[ T]HH:mm[:ss[.fraction]]`.
fn parse_local(text: &str) -> Option<Local> {
    let text = text.trim();
    let (date, time) = match text.find([' ', 'T']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)),
        None => (text, None),
    };
    let days = parse_date(date)?.to_days();
    let (second, nanos) = match time {
        Some(time) => parse_time(time)?,
        None => (0, 0),
    };
    Some(Local {
        seconds: days * SECONDS_PER_DAY + second,
        nanos,
    })
}

fn parse_date(text: &str) -> Option<Date> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = unsigned.split('-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    Date::checked(if negative { -year } else { year }, month, day)
}

fn parse_time(text: &str) -> Option<(i64, i64)> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (text, ""),
    };
    let mut parts = clock.split(':').map(number);
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        Some(second) => second?,
        None => 0,
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    let nanos = if fraction.is_empty() {
        0
    } else {
        number(fraction)? * 10_i64.pow(9 - u32::try_from(fraction.len()).ok()?)
    };
    Some((hour * 3_600 + minute * 60 + second, nanos))
}

/// A number of digits only.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Reads a time with an optional `Z` or `±HH:mm` at its end as milliseconds since the epoch;
/// without one it is in `zone`.
fn parse_instant_text(text: &str, zone: Option<Tz>) -> Option<i64> {
    let text = text.trim();
    let (plain, offset) = split_offset(text);
    let local = parse_local(plain)?;
    let seconds = match offset {
        Some(offset) => local.seconds - offset,
        None => instant_of(zone, local.seconds),
    };
    millis(Local { seconds, ..local })
}

fn split_offset(text: &str) -> (&str, Option<i64>) {
    if let Some(plain) = text.strip_suffix('Z') {
        return (plain, Some(0));
    }
    let Some(at) = text.len().checked_sub(6) else {
        return (text, None);
    };
    let (Some(plain), Some(offset)) = (text.get(..at), text.get(at..)) else {
        return (text, None);
    };
    let sign = match offset.bytes().next() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return (text, None),
    };
    let parsed = offset
        .get(1..)
        .and_then(|digits| digits.split_once(':'))
        .and_then(|(hours, minutes)| Some(number(hours)? * 3_600 + number(minutes)? * 60));
    match parsed {
        // A date such as 2024-01-02 has no colon, so this is an offset.
        Some(seconds) => (plain, Some(sign * seconds)),
        None => (text, None),
    }
}

fn millis(time: Local) -> Option<i64> {
    time.seconds
        .checked_mul(1_000)?
        .checked_add(time.nanos / 1_000_000)
}

/// TO_TIMESTAMP(text [, pattern]): NULL if the text is not a time.
pub(super) fn to_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let mut patterns = Patterns::of(call, 1)?;
    let values = (0..call.rows())
        .map(|row| match texts.get(row) {
            Some(text) => Ok(patterns.parse(row, text)?.and_then(millis)),
            None => Ok(None),
        })
        .collect::<Result<Vec<_>>>()?;
    time_column(call, values)
}

/// TO_TIMESTAMP_LTZ(number [, precision]), the precision being 0 (seconds, the default is 3)
/// or 3 (milliseconds), or TO_TIMESTAMP_LTZ(text [, pattern [, zone]]).
pub(super) fn to_timestamp_ltz(call: &Call<'_>) -> Result<ArrayRef> {
    let first = call.arg_type(0)?;
    let values = if first.is_numeric() {
        numbers_to_instants(call, &first)?
    } else if matches!(
        first,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Null
    ) {
        texts_to_instants(call)?
    } else {
        return Err(PlanError::new(
            PlanErrorKind::TypeMismatch,
            format!(
                "TO_TIMESTAMP_LTZ takes a number or a STRING, not {}",
                SqlType::from_arrow(&first)
            ),
        )
        .into());
    };
    time_column(call, values)
}

fn numbers_to_instants(call: &Call<'_>, first: &DataType) -> Result<Vec<Option<i64>>> {
    let scale = match precision(call)? {
        None => return Ok(vec![None; call.rows()]),
        Some(0) => 1_000,
        Some(3) => 1,
        Some(other) => {
            return Err(evaluation(format!(
                "the precision of TO_TIMESTAMP_LTZ is 0 for seconds or 3 for milliseconds, not {other}"
            )));
        }
    };
    let out_of_range = || evaluation("TO_TIMESTAMP_LTZ is out of range");
    if first.is_integer() {
        let column = cast(&call.array(0)?, &DataType::Int64)?;
        let numbers = column.as_primitive::<Int64Type>();
        return numbers
            .iter()
            .map(|value| {
                value
                    .map(|v| v.checked_mul(scale).ok_or_else(out_of_range))
                    .transpose()
            })
            .collect();
    }
    let column = cast(&call.array(0)?, &DataType::Float64)?;
    let numbers = column.as_primitive::<Float64Type>();
    numbers
        .iter()
        .map(|value| {
            let Some(value) = value else { return Ok(None) };
            let millis = (value * scale as f64).floor();
            // Beyond 2^53 a DOUBLE has no exact milliseconds.
            if millis.is_finite() && millis.abs() < 9.0e15 {
                Ok(Some(millis as i64))
            } else {
                Err(out_of_range())
            }
        })
        .collect()
}

fn precision(call: &Call<'_>) -> Result<Option<i64>> {
    if call.len() < 2 {
        return Ok(Some(3));
    }
    let column = cast(&call.array(1)?, &DataType::Int64)?;
    let column = column.as_primitive::<Int64Type>();
    let first = (!column.is_empty() && !column.is_null(0)).then(|| column.value(0));
    let same = column.iter().all(|value| value == first);
    if same {
        Ok(first)
    } else {
        Err(evaluation(
            "the precision of TO_TIMESTAMP_LTZ must be a constant",
        ))
    }
}

fn texts_to_instants(call: &Call<'_>) -> Result<Vec<Option<i64>>> {
    let column = cast(&call.array(0)?, &DataType::Utf8)?;
    let texts = column.as_string::<i32>();
    let session = call.zone()?;
    let pattern_column = if call.len() > 1 {
        Some(cast(&call.array(1)?, &DataType::Utf8)?)
    } else {
        None
    };
    let mut patterns = Patterns {
        texts: pattern_column
            .as_ref()
            .map(|column| Texts::Column(column.as_string::<i32>())),
        compiled: None,
    };
    let zones = if call.len() > 2 {
        Some(call.texts(2)?)
    } else {
        None
    };
    texts
        .iter()
        .enumerate()
        .map(|(row, text)| {
            let Some(text) = text else { return Ok(None) };
            let zone = match &zones {
                None => session,
                Some(zones) => match zones.get(row) {
                    Some(name) => Some(parse_zone(name)?),
                    None => return Ok(None),
                },
            };
            if patterns.texts.is_none() {
                return Ok(parse_instant_text(text, zone));
            }
            let local = patterns.parse(row, text)?;
            Ok(local.and_then(|local| {
                millis(Local {
                    seconds: instant_of(zone, local.seconds),
                    ..local
                })
            }))
        })
        .collect()
}

/// TO_DATE(text [, pattern]): NULL if the text is not a date.
pub(super) fn to_date(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let mut patterns = Patterns::of(call, 1)?;
    let values = (0..call.rows())
        .map(|row| {
            let Some(text) = texts.get(row) else {
                return Ok(None);
            };
            let time = patterns.parse(row, text)?;
            Ok(time.and_then(|time| i32::try_from(time.days()).ok()))
        })
        .collect::<Result<Date32Array>>()?;
    Ok(Arc::new(values))
}

/// CONVERT_TZ(text, from, to): the same instant on another zone's wall clock.
pub(super) fn convert_tz(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, from, to) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let shown = Pattern::compile(DEFAULT_PATTERN)?;
    call.text_column(|row| {
        let (Some(text), Some(from), Some(to)) = (texts.get(row), from.get(row), to.get(row))
        else {
            return Ok(None);
        };
        let Some(local) = parse_local(text) else {
            return Ok(None);
        };
        let instant = instant_of(Some(parse_zone(from)?), local.seconds);
        let seconds = instant + offset_at(parse_zone(to)?, instant);
        Ok(format(&shown, Local { seconds, ..local }))
    })
}

fn format(pattern: &Pattern, time: Local) -> Option<String> {
    let mut bytes = Vec::new();
    pattern.format(time, &mut bytes);
    String::from_utf8(bytes).ok()
}

/// FROM_UNIXTIME(seconds [, pattern]), in the session's zone.
pub(super) fn from_unixtime(call: &Call<'_>) -> Result<ArrayRef> {
    let seconds = call.ints(0)?;
    let zone = call.zone()?;
    let mut patterns = Patterns::of(call, 1)?;
    let default = Pattern::compile(DEFAULT_PATTERN)?;
    call.text_column(|row| {
        let Some(instant) = seconds.get(row) else {
            return Ok(None);
        };
        // The range that chrono and the calendar here agree on.
        if instant.unsigned_abs() > 8_000_000_000_000 {
            return Err(evaluation("FROM_UNIXTIME is out of range"));
        }
        let local = Local {
            seconds: instant + zone.map_or(0, |zone| offset_at(zone, instant)),
            nanos: 0,
        };
        Ok(match patterns.get(row)? {
            None => None,
            Some(None) => format(&default, local),
            Some(Some(pattern)) => format(pattern, local),
        })
    })
}

/// UNIX_TIMESTAMP(text [, pattern]): seconds since the epoch, the text being in the session's
/// zone; NULL if it is not a time.
pub(super) fn unix_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let zone = call.zone()?;
    let mut patterns = Patterns::of(call, 1)?;
    call.int_column(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let local = patterns.parse(row, text)?;
        Ok(local.map(|local| instant_of(zone, local.seconds)))
    })
}
