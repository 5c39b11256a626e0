//! Functions with regular expressions, and hashes of text.

use std::cell::RefCell;
use std::collections::HashMap;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use regex::{CaptureLocations, Regex};

use super::scalar::{Call, Param, Spec, Values, evaluation, returns};
use Param::{Int, Text};

pub(super) static SPECS: &[Spec] = &[
    Spec::new("regexp", &[Text, Text], returns::boolean, regexp),
    Spec::new(
        "regexp_extract",
        &[Text, Text, Int],
        returns::text,
        regexp_extract,
    )
    .required(2),
    Spec::new(
        "regexp_replace",
        &[Text, Text, Text],
        returns::text,
        regexp_replace,
    ),
];

/// Patterns that a thread keeps compiled.
const CACHED_PATTERNS: usize = 64;

thread_local! {
    /// Compiled patterns: compiling one costs more than matching a batch.
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

fn compile(pattern: &str) -> Result<Regex> {
    PATTERNS.with_borrow_mut(|patterns| {
        if let Some(regex) = patterns.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = Regex::new(pattern).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim().to_string();
            evaluation(format!("'{pattern}' is not a regular expression: {reason}"))
        })?;
        if patterns.len() >= CACHED_PATTERNS {
            patterns.clear();
        }
        patterns.insert(pattern.to_string(), regex.clone());
        Ok(regex)
    })
}

/// The pattern argument: compiled once if it is a constant.
struct Patterns<'a> {
    texts: Values<&'a str, &'a arrow::array::StringArray>,
    constant: Option<Regex>,
}

impl<'a> Patterns<'a> {
    fn of(call: &'a Call<'_>, index: usize) -> Result<Self> {
        let texts = call.texts(index)?;
        let constant = match &texts {
            Values::Constant(Some(pattern)) => Some(compile(pattern)?),
            _ => None,
        };
        Ok(Self { texts, constant })
    }

    /// Applies `f` to the pattern of a row; `None` if it is NULL.
    fn with<T>(&self, row: usize, f: impl FnOnce(&Regex) -> Option<T>) -> Result<Option<T>> {
        if let Some(regex) = &self.constant {
            return Ok(f(regex));
        }
        match self.texts.get(row) {
            Some(pattern) => Ok(f(&compile(pattern)?)),
            None => Ok(None),
        }
    }
}

/// REGEXP(text, pattern): whether the pattern matches somewhere.
fn regexp(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, Patterns::of(call, 1)?);
    call.bool_column(|row| match texts.get(row) {
        Some(text) => patterns.with(row, |regex| Some(regex.is_match(text))),
        None => Ok(None),
    })
}

/// REGEXP_EXTRACT(text, pattern [, group]): the first match or its group; NULL if none.
fn regexp_extract(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, Patterns::of(call, 1)?);
    let groups = if call.len() > 2 {
        call.ints(2)?
    } else {
        Values::Constant(Some(0))
    };
    // Room for the groups of a match, kept from row to row.
    let mut room: Option<CaptureLocations> =
        patterns.constant.as_ref().map(Regex::capture_locations);
    call.slice_column(|row| {
        let (Some(text), Some(group)) = (texts.get(row), groups.get(row)) else {
            return Ok(None);
        };
        let Ok(group) = usize::try_from(group) else {
            return Ok(None);
        };
        patterns.with(row, |regex| {
            if group == 0 {
                return regex.find(text).map(|found| found.as_str());
            }
            match &mut room {
                Some(room) => {
                    regex.captures_read(room, text)?;
                    let (start, end) = room.get(group)?;
                    text.get(start..end)
                }
                None => regex.captures(text)?.get(group).map(|found| found.as_str()),
            }
        })
    })
}

/// REGEXP_REPLACE(text, pattern, replacement): all matches replaced; `$1` is a group.
fn regexp_replace(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns, replacements) = (call.texts(0)?, Patterns::of(call, 1)?, call.texts(2)?);
    call.text_column(|row| {
        let (Some(text), Some(replacement)) = (texts.get(row), replacements.get(row)) else {
            return Ok(None);
        };
        let expansion = braced_groups(replacement);
        patterns.with(row, |regex| {
            Some(regex.replace_all(text, expansion.as_str()).into_owned())
        })
    })
}

/// `$1x` means group 1 and then x, and `\$` a dollar; the regex crate writes `${1}x` and `$$`.
fn braced_groups(replacement: &str) -> String {
    let mut out = String::with_capacity(replacement.len() + 4);
    let mut characters = replacement.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('$') => out.push_str("$$"),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            '$' if characters.peek().is_some_and(char::is_ascii_digit) => {
                out.push_str("${");
                while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                    out.push(digit);
                }
                out.push('}');
            }
            '$' => out.push_str("$$"),
            other => out.push(other),
        }
    }
    out
}
