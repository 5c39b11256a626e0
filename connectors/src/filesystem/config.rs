//! The `WITH` options of a filesystem table, read once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use arrow::datatypes::{Schema, SchemaRef};
use levada_engine::connector::{LookupCache, TableDescriptor};
use regex::Regex;
use url::Url;

use super::Metadata;
use crate::columns;
use crate::format::Format;
use crate::lookup;
use crate::options::Options;
use levada_engine::{EngineError, Result};

/// A filesystem table.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// A file, a folder or a pattern; absolute.
    pub path: PathBuf,
    pub format: Format,
    /// All columns of the table.
    pub schema: SchemaRef,
    /// The columns that are folders, in the order of the folders.
    pub partitioned_by: Vec<String>,
    /// The folder's name for NULL and for the empty text.
    pub default_partition: String,
    /// Metadata columns by name.
    pub metadata: BTreeMap<String, Metadata>,
    pub source: SourceConfig,
    /// Whether the table is loaded as a whole for joins in processing time.
    pub lookup: Option<LookupCache>,
    pub sink: SinkConfig,
}

/// Options for reading.
#[derive(Debug, Clone)]
pub(super) struct SourceConfig {
    /// How often to look for new files; `None` reads what is there and ends.
    pub monitor_interval: Option<Duration>,
    /// What the absolute path of a file must match as a whole.
    pub pattern: Option<Regex>,
}

/// Options for writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SinkConfig {
    /// A file is closed when it has this many bytes,
    pub rolling_bytes: u64,
    /// or when it has been open for so long.
    pub rollover_ms: i64,
    /// The empty file to leave in a folder whose files have been committed.
    pub success_file: Option<String>,
}

impl Config {
    pub(super) fn parse(table: &TableDescriptor) -> Result<Self> {
        let mut options = Options::new(table.options.clone());
        let path = options.required("path")?;
        let path = local_path(&path)?;
        let identifier = options.required("format")?;
        let format = Format::from_options(&identifier, "", &mut options)?;
        let default_partition = options
            .text("partition.default-name")
            .unwrap_or_else(|| "__DEFAULT_PARTITION__".to_string());
        let source = SourceConfig::parse(&mut options)?;
        let sink = SinkConfig::parse(&mut options)?;
        let lookup = lookup(&mut options, &source)?;
        options.finish()?;
        let config = Config {
            path,
            format,
            schema: table.schema.0.clone(),
            partitioned_by: table.partitioned_by.clone(),
            default_partition,
            metadata: columns::metadata(table)?,
            source,
            lookup,
            sink,
        };
        config.check_partitions()?;
        Ok(config)
    }

    fn check_partitions(&self) -> Result<()> {
        for name in &self.partitioned_by {
            if self.schema.field_with_name(name).is_err() {
                let known: Vec<_> = self
                    .schema
                    .fields()
                    .iter()
                    .map(|f| f.name().as_str())
                    .collect();
                return Err(EngineError::config(format!(
                    "the column '{name}' in PARTITIONED BY does not exist"
                ))
                .with_hint(format!("the columns are: {}", known.join(", "))));
            }
            if self.metadata.contains_key(name) {
                return Err(EngineError::config(format!(
                    "the column '{name}' cannot be both metadata and in PARTITIONED BY"
                )));
            }
        }
        if self.in_files().fields().is_empty() && !self.schema.fields().is_empty() {
            return Err(EngineError::config(
                "every column is metadata or in PARTITIONED BY; at least one must be in the files",
            ));
        }
        Ok(())
    }

    /// The columns that stand in the files.
    pub(super) fn in_files(&self) -> Schema {
        let fields = self.schema.fields().iter();
        let in_files = fields.filter(|f| {
            !self.partitioned_by.contains(f.name()) && !self.metadata.contains_key(f.name())
        });
        Schema::new(in_files.cloned().collect::<Vec<_>>())
    }
}

/// Files have no keys to ask by, but can be loaded.
fn lookup(options: &mut Options, source: &SourceConfig) -> Result<Option<LookupCache>> {
    let lookup = lookup::parse(options)?;
    match lookup {
        Some(LookupCache::None | LookupCache::Partial(_)) => {
            return Err(options.invalid("lookup.cache", "'FULL': files cannot be asked by key"));
        }
        Some(LookupCache::Full { .. }) if source.monitor_interval.is_some() => {
            return Err(EngineError::config(
                "'lookup.cache' = 'FULL' loads files that are there, and 'source.monitor-interval' waits for more",
            )
            .with_hint("leave out one of them; 'lookup.full-cache.periodic-reload.interval' loads again"));
        }
        _ => {}
    }
    Ok(lookup)
}

impl SourceConfig {
    fn parse(options: &mut Options) -> Result<Self> {
        let monitor_interval = options.duration("source.monitor-interval")?;
        if monitor_interval == Some(Duration::ZERO) {
            return Err(options.invalid("source.monitor-interval", "a duration above zero"));
        }
        let pattern = match options.text("source.path.regex-pattern") {
            None => None,
            Some(text) => {
                let whole = format!("^(?:{text})$");
                let regex = Regex::new(&whole).map_err(|e| {
                    options
                        .invalid("source.path.regex-pattern", "a regular expression")
                        .with_hint(e.to_string())
                })?;
                Some(regex)
            }
        };
        Ok(Self {
            monitor_interval,
            pattern,
        })
    }
}

impl SinkConfig {
    fn parse(options: &mut Options) -> Result<Self> {
        let rolling_bytes = options.bytes("sink.rolling-policy.file-size")?;
        if rolling_bytes == Some(0) {
            return Err(options.invalid("sink.rolling-policy.file-size", "a size above zero"));
        }
        let mut positive = |name: &str, default_ms: i64| match options.duration(name)? {
            None => Ok(default_ms),
            Some(d) if d.is_zero() => Err(options.invalid(name, "a duration above zero")),
            Some(d) => Ok(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
        };
        let rollover_ms = positive("sink.rolling-policy.rollover-interval", 30 * 60_000)?;
        // Files are closed when they are due; nothing waits for the next check.
        positive("sink.rolling-policy.check-interval", 60_000)?;
        let success_file = Self::partition_commit(options)?;
        if options.boolean("auto-compaction", false)? {
            return Err(
                EngineError::config("'auto-compaction' = 'true' is not supported")
                    .with_hint("leave it out; larger files come from longer checkpoint intervals"),
            );
        }
        Ok(Self {
            rolling_bytes: rolling_bytes.unwrap_or(128 << 20),
            rollover_ms,
            success_file,
        })
    }

    /// The name of the success file, if one is wanted.
    fn partition_commit(options: &mut Options) -> Result<Option<String>> {
        let kind = options.choice(
            "sink.partition-commit.policy.kind",
            &[("success-file", true)],
        )?;
        let name = options.text("sink.partition-commit.success-file.name");
        if let Some(name) = &name
            && (name.is_empty() || name.contains('/') || name == "." || name == "..")
        {
            return Err(options.invalid("sink.partition-commit.success-file.name", "a file name"));
        }
        options.choice("sink.partition-commit.trigger", &[("process-time", ())])?;
        let delay = options.duration("sink.partition-commit.delay")?;
        if delay.is_some_and(|d| !d.is_zero()) {
            return Err(options.invalid(
                "sink.partition-commit.delay",
                "'0 s': a folder's success file is written when its files are committed",
            ));
        }
        Ok(kind.map(|_| name.unwrap_or_else(|| "_SUCCESS".to_string())))
    }
}

/// The absolute local path behind a path or a `file:` URL.
fn local_path(text: &str) -> Result<PathBuf> {
    if text.trim().is_empty() {
        return Err(EngineError::config("the option 'path' is empty")
            .with_hint("give a file, a folder or a pattern such as 'data/*.json'"));
    }
    let path = match text.split_once(':') {
        Some(("file", _)) => Url::parse(text)
            .ok()
            .and_then(|url| url.to_file_path().ok())
            .ok_or_else(|| {
                EngineError::config(format!(
                    "the option 'path' has the value '{text}', which is no URL of a local file"
                ))
                .with_hint("write it as 'file:///folder/file'")
            })?,
        Some((scheme, rest)) if rest.starts_with("//") => {
            return Err(EngineError::config(format!(
                "the option 'path' has the value '{text}': '{scheme}' is not a supported file system"
            ))
            .with_hint("use a local path or a 'file:///…' URL"));
        }
        _ => PathBuf::from(text),
    };
    std::path::absolute(&path)
        .map_err(|e| EngineError::config(format!("the path '{text}' cannot be made absolute: {e}")))
}
