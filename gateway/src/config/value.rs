//! Checking and normalising the value of a name.

use std::time::Duration;

use arrow::array::timezone::Tz;
use levada_connectors::options::Options;

use super::keys::{Key, Kind};
use crate::error::{Error, Result};

/// The value as it is kept: trimmed, choices by their proper word. `name` is what the user wrote,
/// which may be an older name of the key.
pub(super) fn normalize(key: &Key, name: &str, value: &str) -> Result<String> {
    let value = value.trim();
    match key.kind {
        Kind::Text => Ok(value.to_string()),
        Kind::Boolean => match value.to_ascii_lowercase().as_str() {
            word @ ("true" | "false") => Ok(word.to_string()),
            _ => Err(invalid(name, value, "'true' or 'false'")),
        },
        Kind::Count { min, max } => match value.parse::<u64>() {
            Ok(count) if (min..=max).contains(&count) => Ok(count.to_string()),
            _ => Err(invalid(
                name,
                value,
                &format!("a number from {min} to {max}"),
            )),
        },
        Kind::Factor => match value.parse::<f64>() {
            Ok(factor) if factor >= 1.0 && factor.is_finite() => Ok(value.to_string()),
            _ => Err(invalid(name, value, "a number of at least 1")),
        },
        Kind::Duration => duration(name, value).map(|_| value.to_string()),
        Kind::Bytes => bytes(name, value).map(|_| value.to_string()),
        Kind::Choice(words) => choice(words, name, value),
        Kind::Zone => zone(name, value),
    }
}

pub(super) fn duration(name: &str, value: &str) -> Result<Duration> {
    let parsed = options(name, value).duration(name);
    let expected = "a duration such as '500 ms', '10 s' or '1 min'";
    parsed
        .ok()
        .flatten()
        .ok_or_else(|| invalid(name, value, expected))
}

pub(super) fn bytes(name: &str, value: &str) -> Result<u64> {
    let parsed = options(name, value).bytes(name);
    let expected = "a size of at least 1 byte such as '64 kb' or '4 mb'";
    let size = parsed.ok().flatten().filter(|size| *size > 0);
    size.ok_or_else(|| invalid(name, value, expected))
}

/// Durations and sizes are written as in WITH options, and read by the same code.
fn options(name: &str, value: &str) -> Options {
    Options::new([(name.to_string(), value.to_string())])
}

fn choice(words: &[(&str, &str)], name: &str, value: &str) -> Result<String> {
    let wanted = value.to_ascii_lowercase().replace('_', "-");
    if let Some((_, meant)) = words.iter().find(|(word, _)| *word == wanted) {
        return Ok(meant.to_string());
    }
    let list: Vec<String> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
    Err(invalid(name, value, &format!("one of {}", list.join(", "))))
}

fn zone(name: &str, value: &str) -> Result<String> {
    let known = value.parse::<Tz>().is_ok();
    match known {
        true => Ok(value.to_string()),
        false => Err(invalid(
            name,
            value,
            "a time zone such as 'UTC', 'Europe/Lisbon' or '+02:00'",
        )),
    }
}

fn invalid(name: &str, value: &str, expected: &str) -> Error {
    Error::invalid_option(format!("'{name}' cannot be '{value}'"))
        .with_hint(format!("give {expected}"))
}
