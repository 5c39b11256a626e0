//! Functions with regular expressions.

mod java;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use datafusion::common::Result;
use regex::{CaptureLocations, Regex};

use super::scalar::{Call, Param, Spec, Values, evaluation, returns};
use super::text::pieces::texts_type;
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
    Spec::new(
        "regexp_extract_all",
        &[Text, Text, Int],
        texts_type,
        regexp_extract_all,
    )
    .required(2),
    Spec::new("regexp_count", &[Text, Text], returns::int, regexp_count),
    Spec::new("regexp_instr", &[Text, Text], returns::int, regexp_instr),
    Spec::new("regexp_substr", &[Text, Text], returns::text, regexp_substr),
];

/// Patterns that a thread keeps compiled.
const CACHED_PATTERNS: usize = 64;

thread_local! {
    /// Compiled patterns: compiling one costs more than matching a batch.
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

/// A pattern of this dialect as a regular expression, which a thread keeps.
pub(super) fn compile(pattern: &str) -> Result<Regex> {
    PATTERNS.with_borrow_mut(|patterns| {
        if let Some(regex) = patterns.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = Regex::new(&java::translated(pattern)).map_err(|error| {
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
        // As in Flink, an empty pattern matches nothing.
        Some(text) => patterns.with(row, |regex| {
            Some(!regex.as_str().is_empty() && regex.is_match(text))
        }),
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

/// REGEXP_EXTRACT_ALL(text, pattern [, group]): the group of all matches, which is the first if
/// none is named; NULL if there is no such group.
fn regexp_extract_all(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, Patterns::of(call, 1)?);
    let groups = match call.len() > 2 {
        true => call.ints(2)?,
        false => Values::Constant(Some(1)),
    };
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in 0..call.rows() {
        let group = groups
            .get(row)
            .and_then(|group| usize::try_from(group).ok());
        let Some((text, group)) = texts.get(row).zip(group) else {
            builder.append(false);
            continue;
        };
        let found: Option<Vec<Option<String>>> = patterns.with(row, |regex| {
            let all = regex.captures_iter(text);
            let texts = all.map(|found| found.get(group).map(|part| part.as_str().to_string()));
            (group < regex.captures_len()).then(|| texts.collect())
        })?;
        match found {
            Some(parts) => {
                for part in parts {
                    builder.values().append_option(part);
                }
                builder.append(true);
            }
            None => builder.append(false),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// REGEXP_COUNT(text, pattern): how many matches there are.
fn regexp_count(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, Patterns::of(call, 1)?);
    call.small_int_column(|row| match texts.get(row) {
        Some(text) => patterns.with(row, |regex| {
            i32::try_from(regex.find_iter(text).count()).ok()
        }),
        None => Ok(None),
    })
}

/// REGEXP_INSTR(text, pattern): the position of the first match, from 1; 0 if there is none.
fn regexp_instr(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, Patterns::of(call, 1)?);
    call.small_int_column(|row| match texts.get(row) {
        Some(text) => patterns.with(row, |regex| {
            let position = regex.find(text).map_or(0, |found| {
                let before = text.get(..found.start()).unwrap_or_default();
                before.chars().count() + 1
            });
            i32::try_from(position).ok()
        }),
        None => Ok(None),
    })
}

/// REGEXP_SUBSTR(text, pattern): the first match; NULL if there is none.
fn regexp_substr(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, Patterns::of(call, 1)?);
    call.slice_column(|row| match texts.get(row) {
        Some(text) => patterns.with(row, |regex| regex.find(text).map(|found| found.as_str())),
        None => Ok(None),
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
