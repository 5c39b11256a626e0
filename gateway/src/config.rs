//! The configuration of a session: what SET sets, checked by name and by type.
//!
//! A [`Configuration`] holds only what was set; everything else has the default of its
//! [`Key`]. Values are checked when they are set, so that reading them cannot fail.

pub(crate) mod keys;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

pub use keys::{KEYS, Key, Kind};

use crate::error::{Error, Result};
use keys::WITHOUT_EFFECT;
use levada_language::error::nearest;

/// What SET did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It holds from the next statement on.
    Set,
    /// The name belongs to another engine's tuning and changes nothing here.
    None,
}

/// Streaming or batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeMode {
    /// Results are kept up to date.
    Streaming,
    /// Results are computed once, over bounded tables.
    Batch,
}

/// How the shell shows the rows of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultMode {
    /// A table that refreshes in place.
    Table,
    /// Every change, with its row kind.
    Changelog,
    /// One table, printed as rows arrive.
    Tableau,
}

/// What was set, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    values: BTreeMap<&'static str, String>,
    ignored: BTreeMap<String, String>,
}

impl Configuration {
    /// Sets `name` to `value`, after checking both.
    ///
    /// # Errors
    /// A name that does not exist (with the nearest one that does), or a value that it cannot
    /// have.
    pub fn set(&mut self, name: &str, value: &str) -> Result<Effect> {
        let Some(key) = find(name) else {
            if has_no_effect(name) {
                self.ignored.insert(name.to_string(), value.to_string());
                return Ok(Effect::None);
            }
            return Err(unknown(name));
        };
        let value = value::normalize(key, name, value)?;
        self.values.insert(key.name, value);
        Ok(Effect::Set)
    }

    /// Puts `name` back to its default.
    ///
    /// # Errors
    /// A name that does not exist.
    pub fn reset(&mut self, name: &str) -> Result<()> {
        match find(name) {
            Some(key) => {
                self.values.remove(key.name);
                Ok(())
            }
            None if has_no_effect(name) => {
                self.ignored.remove(name);
                Ok(())
            }
            None => Err(unknown(name)),
        }
    }

    /// Puts everything back to its default.
    pub fn reset_all(&mut self) {
        *self = Configuration::default();
    }

    /// What was set, by name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let set = self
            .values
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let ignored = self.ignored.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        set.chain(ignored)
    }

    /// The value of a name: what was set, or the default.
    pub fn get(&self, name: &str) -> Option<&str> {
        let key = find(name)?;
        match self.values.get(key.name) {
            Some(value) => Some(value),
            None => key.default,
        }
    }

    /// `execution.runtime-mode`.
    pub fn runtime_mode(&self) -> RuntimeMode {
        match self.get(keys::RUNTIME_MODE) {
            Some("batch") => RuntimeMode::Batch,
            _ => RuntimeMode::Streaming,
        }
    }

    /// `sql-client.execution.result-mode`.
    pub fn result_mode(&self) -> ResultMode {
        match self.get(keys::RESULT_MODE) {
            Some("changelog") => ResultMode::Changelog,
            Some("tableau") => ResultMode::Tableau,
            _ => ResultMode::Table,
        }
    }

    /// `parallelism.default`, if it is set.
    pub fn parallelism(&self) -> Option<u32> {
        self.count(keys::PARALLELISM)
    }

    /// `pipeline.name`, if it is set.
    pub fn pipeline_name(&self) -> Option<&str> {
        self.get(keys::PIPELINE_NAME)
    }

    /// `table.dml-sync`, if it is set.
    pub fn dml_sync(&self) -> Option<bool> {
        self.boolean(keys::DML_SYNC)
    }

    /// `table.local-time-zone`.
    pub fn time_zone(&self) -> &str {
        self.get(keys::TIME_ZONE).unwrap_or("UTC")
    }

    /// `table.display.max-column-width`, in characters.
    pub fn column_width(&self) -> usize {
        self.count::<usize>(keys::COLUMN_WIDTH).unwrap_or(30)
    }

    /// What the planner reads: every name that was set, and what a default depends on. Jobs of
    /// this session have `parallelism` subtasks unless SET said otherwise.
    ///
    /// A job with checkpoints restarts by default, since it can go on where it was.
    pub fn for_planner(&self, parallelism: u32) -> BTreeMap<String, String> {
        let set = self.values.iter();
        let mut all: BTreeMap<String, String> = set
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect();
        all.entry(keys::PARALLELISM.to_string())
            .or_insert_with(|| parallelism.to_string());
        if self.duration_ms(keys::CHECKPOINT_INTERVAL) > 0 {
            all.entry(keys::RESTART.to_string())
                .or_insert_with(|| "exponential-delay".to_string());
        }
        all
    }

    fn boolean(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value == "true")
    }

    fn count<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        let number: u64 = self.get(name)?.parse().ok()?;
        T::try_from(number).ok()
    }

    fn duration_ms(&self, name: &str) -> u64 {
        let duration = self
            .get(name)
            .and_then(|text| value::duration(name, text).ok());
        let duration = duration.unwrap_or_default();
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The key called `name`, by its own or an older name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter()
        .find(|key| key.name == name || key.aliases.contains(&name))
}

fn has_no_effect(name: &str) -> bool {
    WITHOUT_EFFECT
        .iter()
        .any(|known| match known.strip_suffix('.') {
            Some(_) => name.starts_with(known),
            None => name == *known,
        })
}

fn unknown(name: &str) -> Error {
    let error = Error::unknown_name(format!("there is no configuration '{name}'"));
    match nearest(name, KEYS.iter().map(|key| key.name)) {
        Some(near) => error.with_hint(format!("did you mean '{near}'?")),
        None => error.with_hint("docs/sql.md lists the names"),
    }
}
