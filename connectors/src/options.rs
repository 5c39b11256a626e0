//! `WITH (…)` options, read once and strictly.
//!
//! A connector (and the format inside it) asks an [`Options`] for each option that it understands and
//! gets a typed value. [`Options::finish`] then refuses what nobody asked for, with the list of the
//! valid names and the nearest one:
//!
//! ```
//! # use levada_connectors::options::Options;
//! let mut options = Options::new([("json.ignore-parse-error".to_string(), "true".to_string())]);
//! options.boolean("json.ignore-parse-errors", false).unwrap();
//! let error = options.finish().unwrap_err();
//! assert!(error.hint.unwrap().contains("did you mean 'json.ignore-parse-errors'"));
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use levada_engine::{EngineError, Result};

#[cfg(test)]
mod tests;

/// The options of one table, with a record of which of them were asked for.
#[derive(Debug, Clone)]
pub struct Options {
    entries: BTreeMap<String, String>,
    known: BTreeSet<String>,
    /// Prefixes under which every name is valid, such as `properties.`.
    open: Vec<String>,
}

impl Options {
    /// Takes the options as written, names and values.
    pub fn new(entries: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            entries: entries.into_iter().collect(),
            known: BTreeSet::new(),
            open: Vec::new(),
        }
    }

    /// The option's text, if it is given.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.known.insert(name.to_string());
        self.entries.get(name).cloned()
    }

    /// The option's text; an error that names the option if it is not given.
    pub fn required(&mut self, name: &str) -> Result<String> {
        self.text(name).ok_or_else(|| {
            EngineError::config(format!("the option '{name}' is missing"))
                .with_hint(format!("add '{name}' = '…' to the WITH clause"))
        })
    }

    /// `true` or `false` in any case.
    pub fn boolean(&mut self, name: &str, default: bool) -> Result<bool> {
        match self.text(name) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(invalid(name, &text, "'true' or 'false'")),
        }
    }

    /// A number, or anything else that parses; `what` describes it in the error ("a positive integer").
    pub fn parsed<T: FromStr>(&mut self, name: &str, what: &str) -> Result<Option<T>> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => match text.trim().parse() {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(invalid(name, &text, what)),
            },
        }
    }

    /// One of a few names, compared without case; the first choice is the default.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        for (word, value) in choices {
            if word.eq_ignore_ascii_case(text.trim()) {
                return Ok(Some(*value));
            }
        }
        let words: Vec<_> = choices
            .iter()
            .map(|(word, _)| format!("'{word}'"))
            .collect();
        Err(invalid(
            name,
            &text,
            &format!("one of {}", words.join(", ")),
        ))
    }

    /// A length of time such as `500 ms`, `10s`, `1 min`, `2 h`, `1 day`; a bare number is milliseconds.
    pub fn duration(&mut self, name: &str) -> Result<Option<Duration>> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => parse_duration(&text).map(Some).ok_or_else(|| {
                invalid(
                    name,
                    &text,
                    "a duration such as '500 ms', '10 s' or '1 min'",
                )
            }),
        }
    }

    /// A size in bytes such as `128 mb`, `64kb` or `1 gb` (powers of 1024); a bare number is bytes.
    pub fn bytes(&mut self, name: &str) -> Result<Option<u64>> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => parse_bytes(&text)
                .map(Some)
                .ok_or_else(|| invalid(name, &text, "a size such as '64 kb' or '128 mb'")),
        }
    }

    /// A single character.
    pub fn character(&mut self, name: &str) -> Result<Option<char>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(Some(c)),
            _ => Err(invalid(name, &text, "a single character")),
        }
    }

    /// All options under `prefix`, which is cut off, whatever they are called (`properties.`).
    pub fn open_prefix(&mut self, prefix: &str) -> BTreeMap<String, String> {
        self.open.push(prefix.to_string());
        self.entries
            .iter()
            .filter_map(|(name, value)| {
                let rest = name.strip_prefix(prefix)?;
                Some((rest.to_string(), value.clone()))
            })
            .collect()
    }

    /// The error for a value that the caller found wrong by its own rules.
    pub fn invalid(&self, name: &str, expected: &str) -> EngineError {
        let text = self.entries.get(name).map_or("", String::as_str);
        invalid(name, text, expected)
    }

    /// The error for an option that says something only beside another.
    pub fn useless(&self, name: &str, beside: &str) -> EngineError {
        EngineError::config(format!(
            "the option '{name}' has no meaning without {beside}"
        ))
        .with_hint(format!("add {beside}, or leave '{name}' out"))
    }

    /// Refuses options that nobody asked for.
    pub fn finish(self) -> Result<()> {
        let unknown = self.entries.keys().find(|name| {
            !self.known.contains(*name) && !self.open.iter().any(|open| name.starts_with(open))
        });
        match unknown {
            None => Ok(()),
            Some(name) => {
                let open = self.open.iter().map(|prefix| format!("{prefix}*"));
                let valid: BTreeSet<String> = self.known.iter().cloned().chain(open).collect();
                Err(unknown_name("option", name, &valid))
            }
        }
    }
}

/// The error for a name that does not exist, with the valid ones and the nearest of them.
pub fn unknown_name<S: AsRef<str>>(
    what: &str,
    name: &str,
    valid: impl IntoIterator<Item = S>,
) -> EngineError {
    let valid: Vec<String> = valid.into_iter().map(|v| v.as_ref().to_string()).collect();
    let nearest = valid
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let list = valid
        .iter()
        .map(|v| format!("'{v}'"))
        .collect::<Vec<_>>()
        .join(", ");
    let hint = match nearest {
        Some((_, nearest)) => format!("did you mean '{nearest}'? Valid: {list}"),
        None => format!("valid: {list}"),
    };
    EngineError::config(format!("unknown {what} '{name}'")).with_hint(hint)
}

fn invalid(name: &str, text: &str, expected: &str) -> EngineError {
    EngineError::config(format!(
        "the option '{name}' has the value '{text}', expected {expected}"
    ))
}

/// Splits `10 min` into its number and its unit in lower case.
fn number_and_unit(text: &str) -> Option<(u64, String)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text.get(..digits)?.parse().ok()?;
    Some((number, text.get(digits..)?.trim().to_ascii_lowercase()))
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let nanos_per_unit: u64 = match unit.as_str() {
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => 1,
        "us" | "µs" | "micro" | "micros" | "microsecond" | "microseconds" => 1_000,
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "m" | "min" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hour" | "hours" => 3_600_000_000_000,
        "d" | "day" | "days" => 86_400_000_000_000,
        _ => return None,
    };
    number.checked_mul(nanos_per_unit).map(Duration::from_nanos)
}

fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let shift = match unit.as_str() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kibibytes" => 10,
        "m" | "mb" | "mebibytes" => 20,
        "g" | "gb" | "gibibytes" => 30,
        "t" | "tb" | "tebibytes" => 40,
        _ => return None,
    };
    number.checked_mul(1u64 << shift)
}
