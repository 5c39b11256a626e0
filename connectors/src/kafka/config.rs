//! The `WITH` options of a Kafka table, read once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Field, Schema, SchemaRef};
use levada_engine::connector::TableDescriptor;
use levada_engine::{EngineError, Result};
use regex::Regex;

use super::client::Topics;
use super::metadata::Metadata;
use super::offsets::{Bound, Start};
use super::properties::Properties;
use crate::columns;
use crate::format::{Format, RowFormat};
use crate::options::{Options, unknown_name};

/// A Kafka table.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// The table's name, for messages.
    pub table: String,
    pub topics: Topics,
    pub properties: Properties,
    /// All columns of the table.
    pub schema: SchemaRef,
    /// Metadata columns by name.
    pub metadata: BTreeMap<String, Metadata>,
    pub value: Arc<dyn RowFormat>,
    pub key: Option<KeyConfig>,
    pub start: Start,
    pub bound: Bound,
    /// How often to look for new partitions.
    pub discovery: Option<Duration>,
    pub partitioner: Partitioner,
    pub guarantee: Guarantee,
    /// Whether rows replace each other by key (`upsert-kafka`).
    pub upserts: bool,
    pub buffer_flush: Option<BufferFlush>,
}

/// `sink.buffer-flush.*`: how long rows are held back, to write the last of each key only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BufferFlush {
    /// Keys held at most.
    pub max_rows: usize,
    /// The longest time.
    pub interval_ms: i64,
}

/// The columns that are in the message's key.
#[derive(Debug, Clone)]
pub(super) struct KeyConfig {
    pub format: Arc<dyn RowFormat>,
    /// The columns' names in the table.
    pub fields: Vec<String>,
    /// What stands in front of these names and not in the key.
    pub prefix: String,
    /// Whether the same columns are in the value too.
    pub in_value: bool,
}

/// `sink.partitioner`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Partitioner {
    /// By the key, or where there is room.
    Default,
    /// Each subtask has one.
    Fixed,
    /// Rows in turn.
    RoundRobin,
}

/// `sink.delivery-guarantee`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Guarantee {
    None,
    AtLeastOnce,
    /// By transactions whose ids begin with `prefix`.
    ExactlyOnce {
        prefix: String,
    },
}

impl Config {
    pub(super) fn parse(table: &TableDescriptor) -> Result<Self> {
        let mut options = Options::new(table.options.clone());
        let topics = topics(&mut options)?;
        let properties = Properties::parse(&options.open_prefix("properties."))?;
        let (value, value_option) = value_format(&mut options)?;
        let key = KeyConfig::parse(&mut options, table)?;
        let start = Start::parse(&mut options)?;
        let bound = Bound::parse(&mut options)?;
        let interval = options.duration("scan.topic-partition-discovery.interval")?;
        let partitioner = partitioner(&mut options)?;
        let guarantee = guarantee(&mut options, &properties)?;
        options.finish()?;
        let config = Config {
            table: table.name.clone(),
            topics,
            properties,
            schema: table.schema.0.clone(),
            metadata: columns::metadata(table)?,
            value,
            key,
            start,
            bound,
            discovery: Some(interval.unwrap_or(Duration::from_secs(300))).filter(|d| !d.is_zero()),
            partitioner,
            guarantee,
            upserts: false,
            buffer_flush: None,
        };
        config.check_offsets()?;
        if !table.primary_key.is_empty() {
            return Err(EngineError::config(format!(
                "the connector 'kafka' with '{value_option}' = '{}' cannot have a PRIMARY KEY, because it does not replace rows by key",
                config.value.identifier()
            ))
            .with_hint("leave the PRIMARY KEY out, or use the connector 'upsert-kafka'"));
        }
        Ok(config)
    }

    /// The options of `upsert-kafka`.
    pub(super) fn parse_upsert(table: &TableDescriptor) -> Result<Self> {
        if table.primary_key.is_empty() {
            return Err(EngineError::config(
                "the connector 'upsert-kafka' needs a PRIMARY KEY, by which rows replace each other",
            )
            .with_hint("add PRIMARY KEY (…) NOT ENFORCED to the columns"));
        }
        let mut options = Options::new(table.options.clone());
        let topics = topics(&mut options)?;
        let properties = Properties::parse(&options.open_prefix("properties."))?;
        let value = options.required("value.format")?;
        let value = Format::from_options(&value, "value.", &mut options)?.into_rows()?;
        let key = KeyConfig::of_primary_key(&mut options, table)?;
        // A topic of upserts has a meaning only from its beginning: it is read from there.
        let start = Start::Earliest;
        let bound = Bound::parse(&mut options)?;
        let interval = options.duration("scan.topic-partition-discovery.interval")?;
        let guarantee = guarantee(&mut options, &properties)?;
        let buffer_flush = BufferFlush::parse(&mut options)?;
        options.finish()?;
        let config = Config {
            table: table.name.clone(),
            topics,
            properties,
            schema: table.schema.0.clone(),
            metadata: columns::metadata(table)?,
            value,
            key: Some(key),
            start,
            bound,
            discovery: Some(interval.unwrap_or(Duration::from_secs(300))).filter(|d| !d.is_zero()),
            partitioner: Partitioner::Default,
            guarantee,
            upserts: true,
            buffer_flush,
        };
        config.check_offsets()?;
        Ok(config)
    }

    fn check_offsets(&self) -> Result<()> {
        let one_topic = matches!(&self.topics, Topics::Named(names) if names.len() == 1);
        let specific = [
            ("scan.startup", matches!(self.start, Start::Specific(_))),
            ("scan.bounded", matches!(self.bound, Bound::Specific(_))),
        ];
        for (prefix, is_specific) in specific {
            if is_specific && !one_topic {
                return Err(EngineError::config(format!(
                    "'{prefix}.mode' = 'specific-offsets' works for a single topic only"
                )));
            }
        }
        // Whether the table is read is not known here; the source looks at the startup mode itself.
        if self.bound == Bound::GroupOffsets && self.properties.group_id.is_none() {
            return Err(needs_group("scan.bounded"));
        }
        Ok(())
    }

    /// The columns of the message's value, in the order of the table.
    pub(super) fn value_schema(&self) -> Schema {
        let only_in_key = self.key.as_ref().filter(|key| !key.in_value);
        let fields = self.schema.fields().iter().filter(|f| {
            let name = f.name();
            !self.metadata.contains_key(name)
                && only_in_key.is_none_or(|key| !key.fields.contains(name))
        });
        Schema::new(fields.cloned().collect::<Vec<_>>())
    }

    /// The columns of the message's key under the names that they have there.
    pub(super) fn key_schema(&self) -> Schema {
        let Some(key) = &self.key else {
            return Schema::empty();
        };
        let fields = key.fields.iter().filter_map(|name| {
            let field = self.schema.field_with_name(name).ok()?;
            Some(field.clone().with_name(key.name_in_key(name)))
        });
        Schema::new(fields.collect::<Vec<Field>>())
    }
}

/// The error for a mode that reads the group's offsets without a group.
pub(super) fn needs_group(prefix: &str) -> EngineError {
    EngineError::config(format!(
        "'{prefix}.mode' = 'group-offsets' needs the option 'properties.group.id'"
    ))
    .with_hint(match prefix {
        "scan.startup" => {
            "group-offsets is the default; set 'scan.startup.mode' = 'earliest-offset' to read everything"
        }
        _ => "set 'scan.bounded.mode' = 'latest-offset' to read what is there",
    })
}

impl BufferFlush {
    fn parse(options: &mut Options) -> Result<Option<Self>> {
        const MAX_ROWS: &str = "sink.buffer-flush.max-rows";
        const INTERVAL: &str = "sink.buffer-flush.interval";
        let max_rows: usize = options
            .parsed(MAX_ROWS, "a number of rows, or 0")?
            .unwrap_or(0);
        let interval = options.duration(INTERVAL)?.unwrap_or_default();
        match (max_rows, interval.is_zero()) {
            (0, true) => Ok(None),
            (0, false) | (_, true) => Err(EngineError::config(format!(
                "the options '{MAX_ROWS}' and '{INTERVAL}' must both be above zero, or none of them"
            ))),
            (max_rows, false) => Ok(Some(Self {
                max_rows,
                interval_ms: i64::try_from(interval.as_millis()).unwrap_or(i64::MAX),
            })),
        }
    }
}

impl KeyConfig {
    /// The key of a table of upserts is its primary key.
    fn of_primary_key(options: &mut Options, table: &TableDescriptor) -> Result<Self> {
        let name = options.required("key.format")?;
        let format = Format::from_options(&name, "key.", options)?.into_rows()?;
        let (prefix, in_value) = Self::placement(options)?;
        let key = Self {
            format,
            fields: table.primary_key.clone(),
            prefix,
            in_value: in_value.unwrap_or(true),
        };
        key.check(table)?;
        Ok(key)
    }

    /// `key.fields-prefix` and `value.fields-include`.
    fn placement(options: &mut Options) -> Result<(String, Option<bool>)> {
        let prefix = options.text("key.fields-prefix").unwrap_or_default();
        let in_value = options.choice(
            "value.fields-include",
            &[("ALL", true), ("EXCEPT_KEY", false)],
        )?;
        Ok((prefix, in_value))
    }

    fn parse(options: &mut Options, table: &TableDescriptor) -> Result<Option<Self>> {
        let format = match options.text("key.format") {
            None => None,
            Some(name) => Some(Format::from_options(&name, "key.", options)?.into_rows()?),
        };
        let fields = options.text("key.fields");
        let (prefix, in_value) = Self::placement(options)?;
        let in_value = in_value.unwrap_or(true);
        let (format, fields) = match (format, fields) {
            (Some(format), Some(fields)) => (format, fields),
            (Some(_), None) => {
                return Err(
                    EngineError::config("the option 'key.format' needs 'key.fields'")
                        .with_hint("say which columns are in the key: 'key.fields' = 'a;b'"),
                );
            }
            (None, Some(_)) => {
                return Err(EngineError::config(
                    "the option 'key.fields' needs 'key.format'",
                ));
            }
            (None, None) if !in_value => {
                return Err(EngineError::config(
                    "'value.fields-include' = 'EXCEPT_KEY' needs 'key.format' and 'key.fields'",
                ));
            }
            (None, None) => return Ok(None),
        };
        let key = Self {
            format,
            fields: list(&fields),
            prefix,
            in_value,
        };
        key.check(table)?;
        Ok(Some(key))
    }

    fn check(&self, table: &TableDescriptor) -> Result<()> {
        if self.fields.is_empty() {
            return Err(EngineError::config("the option 'key.fields' is empty"));
        }
        if !self.prefix.is_empty() && self.in_value {
            return Err(EngineError::config(
                "the option 'key.fields-prefix' needs 'value.fields-include' = 'EXCEPT_KEY'",
            )
            .with_hint("columns with a prefix cannot be in the value too"));
        }
        let physical: Vec<&str> = table
            .schema
            .fields()
            .iter()
            .map(|f| f.name().as_str())
            .filter(|name| !table.metadata.contains_key(*name))
            .collect();
        for (index, name) in self.fields.iter().enumerate() {
            if !physical.contains(&name.as_str()) {
                return Err(unknown_name("column in 'key.fields':", name, physical));
            }
            if !name.starts_with(&self.prefix) {
                return Err(EngineError::config(format!(
                    "the column '{name}' in 'key.fields' does not begin with 'key.fields-prefix' = '{}'",
                    self.prefix
                )));
            }
            if self
                .fields
                .iter()
                .take(index)
                .any(|earlier| earlier == name)
            {
                return Err(EngineError::config(format!(
                    "the column '{name}' stands twice in 'key.fields'"
                )));
            }
        }
        Ok(())
    }

    /// A column's name inside the key.
    pub(super) fn name_in_key(&self, column: &str) -> String {
        column
            .strip_prefix(&self.prefix)
            .unwrap_or(column)
            .to_string()
    }
}

/// Splits `a;b`.
fn list(text: &str) -> Vec<String> {
    let names = text
        .split(';')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names.map(str::to_string).collect()
}

fn topics(options: &mut Options) -> Result<Topics> {
    let pattern = options.text("topic-pattern");
    match (options.text("topic"), pattern) {
        (Some(topic), None) => {
            let mut names = list(&topic);
            names.sort();
            names.dedup();
            match names.is_empty() {
                true => Err(EngineError::config("the option 'topic' is empty")),
                false => Ok(Topics::Named(names)),
            }
        }
        (None, Some(pattern)) => {
            let regex = Regex::new(&format!("^(?:{pattern})$")).map_err(|e| {
                options
                    .invalid("topic-pattern", "a regular expression")
                    .with_hint(e.to_string())
            })?;
            Ok(Topics::Matching(regex))
        }
        (Some(_), Some(_)) => Err(EngineError::config(
            "the options 'topic' and 'topic-pattern' exclude each other",
        )),
        (None, None) => Err(EngineError::config("the option 'topic' is missing")
            .with_hint("add 'topic' = '…' or 'topic-pattern' = '…' to the WITH clause")),
    }
}

/// The value's format, and the option that names it.
fn value_format(options: &mut Options) -> Result<(Arc<dyn RowFormat>, &'static str)> {
    let (name, option, prefix) = match (options.text("format"), options.text("value.format")) {
        (Some(name), None) => (name, "format", ""),
        (None, Some(name)) => (name, "value.format", "value."),
        (Some(_), Some(_)) => {
            return Err(EngineError::config(
                "the options 'format' and 'value.format' mean the same; use one of them",
            ));
        }
        (None, None) => {
            return Err(EngineError::config("the option 'format' is missing")
                .with_hint("add 'format' = '…' (or 'value.format') to the WITH clause"));
        }
    };
    let format = Format::from_options(&name, prefix, options)?.into_rows()?;
    Ok((format, option))
}

fn partitioner(options: &mut Options) -> Result<Partitioner> {
    let choice = options.choice(
        "sink.partitioner",
        &[
            ("default", Partitioner::Default),
            ("fixed", Partitioner::Fixed),
            ("round-robin", Partitioner::RoundRobin),
        ],
    )?;
    Ok(choice.unwrap_or(Partitioner::Default))
}

fn guarantee(options: &mut Options, properties: &Properties) -> Result<Guarantee> {
    const PREFIX: &str = "sink.transactional-id-prefix";
    #[derive(Clone, Copy, PartialEq)]
    enum Choice {
        None,
        AtLeastOnce,
        ExactlyOnce,
    }
    let choice = options.choice(
        "sink.delivery-guarantee",
        &[
            ("at-least-once", Choice::AtLeastOnce),
            ("exactly-once", Choice::ExactlyOnce),
            ("none", Choice::None),
        ],
    )?;
    let choice = choice.unwrap_or(Choice::AtLeastOnce);
    let prefix = options.text(PREFIX).map(|prefix| prefix.trim().to_string());
    match (choice, prefix) {
        (Choice::ExactlyOnce, None) => Err(EngineError::config(format!(
            "'sink.delivery-guarantee' = 'exactly-once' needs the option '{PREFIX}'"
        ))
        .with_hint(format!(
            "add '{PREFIX}' = '…', a name that no other job that writes to these brokers has"
        ))),
        (Choice::ExactlyOnce, Some(prefix)) if prefix.is_empty() => {
            Err(options.invalid(PREFIX, "a name"))
        }
        (Choice::ExactlyOnce, Some(prefix)) => {
            properties.check_transactional()?;
            Ok(Guarantee::ExactlyOnce { prefix })
        }
        (_, Some(_)) => Err(EngineError::config(format!(
            "the option '{PREFIX}' has no effect without 'sink.delivery-guarantee' = 'exactly-once'"
        ))),
        (Choice::None, None) => Ok(Guarantee::None),
        (Choice::AtLeastOnce, None) => Ok(Guarantee::AtLeastOnce),
    }
}
