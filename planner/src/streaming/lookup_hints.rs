//! LOOKUP: how single tables are asked by key.
//!
//! `/*+ LOOKUP('table' = 'c', 'retry-predicate' = 'lookup_miss', …) */` names a table as the query calls it. It counts
//! for every lookup join of the statement and its views with a table of that name, and goes before the settings.

#[cfg(test)]
mod tests;

use datafusion::logical_expr::LogicalPlan;
use levada_engine::graph::LookupRetry;

use super::state_ttl::{name_of, within};
use crate::catalog::Lookup;
use crate::logical::each_query;
use crate::lowering::settings::{invalid, parse_millis};
use crate::parser::{Hint, HintArg, Query, TableOption};
use levada_language::error::{PlanError, PlanErrorKind};

const OPTIONS: [&str; 9] = [
    "table",
    "async",
    "output-mode",
    "capacity",
    "timeout",
    "retry-predicate",
    "retry-strategy",
    "fixed-delay",
    "max-attempts",
];

/// What the hints of a query say.
#[derive(Debug, Default)]
pub(super) struct LookupHints(Vec<LookupHint>);

/// How a table is asked, where a hint says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Asking {
    /// How many questions may be under way.
    pub capacity: Option<usize>,
    /// How long an answer may take, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// How keys without rows are asked for again.
    pub retry: Option<LookupRetry>,
}

#[derive(Debug)]
struct LookupHint {
    /// What the query calls the table.
    name: String,
    asking: Asking,
    /// What is said if nothing heeds it.
    unheeded: PlanError,
    heeded: bool,
}

impl LookupHints {
    /// Those of a query and of the views that it reads.
    ///
    /// # Errors
    /// A hint has another form.
    pub(super) fn of(query: &Query, lookup: &Lookup<'_>) -> Result<Self, PlanError> {
        let mut found = Vec::new();
        each_query(query, lookup, &mut |query, view| {
            let hints = query.hints.iter().filter(|hint| hint.name == "LOOKUP");
            for hint in hints {
                let (name, asking) = read(hint).map_err(|error| within(error, hint, view))?;
                found.push(LookupHint {
                    unheeded: within(unheeded(&name), hint, view),
                    heeded: false,
                    name,
                    asking,
                });
            }
            Ok(())
        })?;
        Ok(LookupHints(found))
    }

    /// How a table is asked: something heeds it.
    pub(super) fn heed(&mut self, table: &LogicalPlan) -> Asking {
        let Some(name) = name_of(table) else {
            return Asking::default();
        };
        let same = |hint: &&mut LookupHint| hint.name.eq_ignore_ascii_case(name);
        self.0
            .iter_mut()
            .find(same)
            .map_or_else(Asking::default, |hint| {
                hint.heeded = true;
                hint.asking
            })
    }

    /// # Errors
    /// A hint names something that is not asked by key.
    pub(super) fn check_heeded(&self) -> Result<(), PlanError> {
        match self.0.iter().find(|hint| !hint.heeded) {
            Some(hint) => Err(hint.unheeded.clone()),
            None => Ok(()),
        }
    }
}

/// The arguments of a hint, each of which may be there once.
struct Arguments<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Arguments<'a> {
    fn of(hint: &'a Hint) -> Result<Self, PlanError> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for arg in &hint.args {
            let HintArg::Pair(TableOption { key, value, .. }) = arg else {
                return Err(malformed("there is a name without a value"));
            };
            if !OPTIONS.contains(&key.as_str()) {
                let message = format!("LOOKUP has no '{key}'");
                let error = PlanError::new(PlanErrorKind::InvalidOption, message);
                return Err(error.suggest(key, OPTIONS));
            }
            if pairs.iter().any(|(known, _)| known == key) {
                return Err(malformed(&format!("'{key}' is there twice")));
            }
            pairs.push((key, value));
        }
        Ok(Arguments(pairs))
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(known, _)| *known == key);
        found.map(|(_, value)| *value)
    }

    /// The number of the choice that an argument is.
    fn choice(&self, key: &str, choices: &[&str]) -> Result<Option<usize>, PlanError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let same = |choice: &&str| choice.eq_ignore_ascii_case(value);
        let expected = || format!("'{}'", choices.join("' or '"));
        let found = choices.iter().position(same);
        found
            .map(Some)
            .ok_or_else(|| invalid(key, value, &expected()))
    }

    fn number(&self, key: &str) -> Result<Option<u32>, PlanError> {
        let read = |value: &str| value.parse().ok().filter(|number| *number > 0);
        let value = |value| read(value).ok_or_else(|| invalid(key, value, "a number above zero"));
        self.get(key).map(value).transpose()
    }

    fn millis(&self, key: &str) -> Result<Option<u64>, PlanError> {
        let read = |value: &str| parse_millis(value).filter(|millis| *millis > 0);
        let expected = "a duration above zero such as '10 s' or '500 ms'";
        let value = |value| read(value).ok_or_else(|| invalid(key, value, expected));
        self.get(key).map(value).transpose()
    }
}

fn read(hint: &Hint) -> Result<(String, Asking), PlanError> {
    let arguments = Arguments::of(hint)?;
    let Some(table) = arguments.get("table") else {
        return Err(malformed("'table' is missing"));
    };
    // Rows leave in order in both modes.
    arguments.choice("output-mode", &["ordered", "allow_unordered"])?;
    let mut capacity = arguments.number("capacity")?.map(|number| number as usize);
    if arguments.choice("async", &["true", "false"])? == Some(1) {
        capacity = Some(1);
    }
    let asking = Asking {
        capacity,
        timeout_ms: arguments.millis("timeout")?,
        retry: retry(&arguments)?,
    };
    Ok((table.to_string(), asking))
}

fn retry(arguments: &Arguments<'_>) -> Result<Option<LookupRetry>, PlanError> {
    let predicate = arguments.choice("retry-predicate", &["lookup_miss"])?;
    let strategy = arguments.choice("retry-strategy", &["fixed_delay"])?;
    let delay_ms = arguments.millis("fixed-delay")?;
    let attempts = arguments.number("max-attempts")?;
    match (predicate, strategy, delay_ms, attempts) {
        (None, None, None, None) => Ok(None),
        (Some(_), Some(_), Some(delay_ms), Some(attempts)) => {
            Ok(Some(LookupRetry { delay_ms, attempts }))
        }
        _ => Err(malformed(
            "'retry-predicate', 'retry-strategy', 'fixed-delay' and 'max-attempts' go together",
        )),
    }
}

fn malformed(why: &str) -> PlanError {
    let message = format!("LOOKUP says how a table is asked by key, and {why}");
    PlanError::new(PlanErrorKind::InvalidOption, message).hint(
        "write LOOKUP('table' = 'c', 'retry-predicate' = 'lookup_miss', 'retry-strategy' = 'fixed_delay', \
         'fixed-delay' = '1 s', 'max-attempts' = '3')",
    )
}

fn unheeded(name: &str) -> PlanError {
    let message = format!("LOOKUP names '{name}', which no join asks by key");
    PlanError::new(PlanErrorKind::UnknownName, message).hint(
        "name a table as the query calls it (by its alias, if it has one) that is joined FOR SYSTEM_TIME AS OF \
         processing time, and that can be asked by key",
    )
}
