//! The `WITH` options of a table in a database, read once.

use std::time::Duration;

use levada_engine::connector::{LookupCache, TableDescriptor};
use levada_engine::{EngineError, Result};
use tokio_postgres::config::SslMode;
use url::Url;

use super::partition::Partitioning;
use super::types;
use crate::lookup;
use crate::options::{Options, unknown_name};

/// The parameters of a URL that are understood.
const PARAMETERS: [&str; 6] = [
    "user",
    "password",
    "sslmode",
    "currentSchema",
    "ApplicationName",
    "connectTimeout",
];
const DRIVER: &str = "org.postgresql.Driver";
const DEFAULT_PORT: u16 = 5432;

/// A table in a database.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// The table's name in Levada, for messages.
    pub table: String,
    /// The table's name in the database.
    pub target: TableName,
    /// How to connect.
    pub database: tokio_postgres::Config,
    /// `HOST:PORT/DATABASE`, for messages.
    pub address: String,
    /// How long establishing a connection may take.
    pub connect_timeout: Duration,
    /// How long a connection is tried for before the job fails.
    pub patience: Duration,
    pub flush_rows: usize,
    /// Zero: whenever no input is waiting.
    pub flush_interval: Duration,
    /// How often a failed statement is tried again.
    pub max_retries: u32,
    pub guarantee: Option<Guarantee>,
    pub partitioning: Option<Partitioning>,
    /// The most rows in one batch that is read.
    pub fetch_rows: Option<usize>,
    pub primary_key: Vec<String>,
    /// What is kept of the rows that joins ask for.
    pub lookup: LookupCache,
    /// How often a question is asked again.
    pub lookup_retries: u32,
}

/// `sink.delivery-guarantee`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guarantee {
    AtLeastOnce,
    ExactlyOnce,
}

/// A name with or without a schema, as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableName {
    pub schema: Option<String>,
    pub name: String,
}

impl TableName {
    /// The name as SQL.
    pub(super) fn quoted(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quote(schema), quote(&self.name)),
            None => quote(&self.name),
        }
    }

    /// Splits `schema.table`; parts in double quotes may contain dots.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = vec![String::new()];
        let mut in_quotes = false;
        for c in text.trim().chars() {
            match c {
                '"' => in_quotes = !in_quotes,
                '.' if !in_quotes => parts.push(String::new()),
                c => parts.last_mut()?.push(c),
            }
        }
        if in_quotes || parts.iter().any(String::is_empty) {
            return None;
        }
        let name = parts.pop()?;
        match parts.as_slice() {
            [] => Some(Self { schema: None, name }),
            [schema] => Some(Self {
                schema: Some(schema.clone()),
                name,
            }),
            _ => None,
        }
    }
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// An identifier as SQL.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL.
pub(super) fn literal(text: &str) -> String {
    match text.contains('\\') {
        true => format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
        false => format!("'{}'", text.replace('\'', "''")),
    }
}

impl Config {
    pub(super) fn parse(table: &TableDescriptor) -> Result<Self> {
        let mut options = Options::new(table.options.clone());
        let url = options.required("url")?;
        let name = options.required("table-name")?;
        let target = TableName::parse(&name)
            .ok_or_else(|| options.invalid("table-name", "'table' or 'schema.table'"))?;
        let (mut database, address) = connection(&url)?;
        if let Some(user) = options.text("username") {
            database.user(&user);
        }
        if let Some(password) = options.text("password") {
            database.password(&password);
        }
        if database.get_user().is_none() {
            return Err(EngineError::config("the option 'username' is missing")
                .with_hint("add 'username' = '…' to the WITH clause"));
        }
        if options
            .text("driver")
            .is_some_and(|driver| driver != DRIVER)
        {
            return Err(options.invalid("driver", &format!("'{DRIVER}', or nothing at all")));
        }
        let patience = options.duration("connection.max-retry-timeout")?;
        let flush_rows =
            options.parsed::<usize>("sink.buffer-flush.max-rows", "a number of rows")?;
        let flush_interval = options.duration("sink.buffer-flush.interval")?;
        let max_retries = options.parsed("sink.max-retries", "a number")?;
        let guarantee = options.choice(
            "sink.delivery-guarantee",
            &[
                ("exactly-once", Guarantee::ExactlyOnce),
                ("at-least-once", Guarantee::AtLeastOnce),
            ],
        )?;
        let partitioning = Partitioning::parse(&mut options, &table.schema.0)?;
        let fetch_rows = options.parsed::<usize>("scan.fetch-size", "a number of rows")?;
        let lookup = lookup::parse(&mut options)?;
        let lookup_retries = options.parsed("lookup.max-retries", "a number")?;
        options.finish()?;
        check_table(table)?;
        let connect_timeout = database.get_connect_timeout().copied();
        Ok(Config {
            table: table.name.clone(),
            target,
            connect_timeout: connect_timeout.unwrap_or(Duration::from_secs(10)),
            database,
            address,
            patience: patience.unwrap_or(Duration::from_secs(60)),
            // Zero: the number of rows is no reason to write.
            flush_rows: match flush_rows.unwrap_or(100) {
                0 => usize::MAX,
                rows => rows,
            },
            flush_interval: flush_interval.unwrap_or(Duration::from_secs(1)),
            max_retries: max_retries.unwrap_or(3),
            guarantee,
            partitioning,
            fetch_rows: fetch_rows.filter(|rows| *rows > 0),
            primary_key: table.primary_key.clone(),
            lookup: lookup.unwrap_or(LookupCache::None),
            lookup_retries: lookup_retries.unwrap_or(3),
        })
    }
}

fn check_table(table: &TableDescriptor) -> Result<()> {
    if let Some(column) = table.metadata.keys().next() {
        return Err(EngineError::config(format!(
            "column '{column}': the connector 'jdbc' has no metadata"
        ))
        .with_hint("declare it without METADATA"));
    }
    if !table.partitioned_by.is_empty() {
        return Err(
            EngineError::config("the connector 'jdbc' does not support PARTITIONED BY")
                .with_hint("leave it out; the database knows its partitions"),
        );
    }
    for field in table.schema.0.fields() {
        types::Type::of(field)?;
    }
    Ok(())
}

/// Reads `jdbc:postgresql://host:port/database?…`.
fn connection(url: &str) -> Result<(tokio_postgres::Config, String)> {
    const EXPECTED: &str = "use 'jdbc:postgresql://host:port/database'";
    let wrong = |what: &str| {
        EngineError::config(format!("the option 'url' has the value '{url}': {what}"))
            .with_hint(EXPECTED)
    };
    let Some(rest) = url.strip_prefix("jdbc:") else {
        return Err(wrong("it does not begin with 'jdbc:'"));
    };
    let Some(rest) = rest.strip_prefix("postgresql:") else {
        let dialect = rest.split(':').next().unwrap_or_default();
        return Err(wrong(&format!(
            "the database '{dialect}' is not supported; 'postgresql' is"
        )));
    };
    if rest.contains(',') {
        return Err(wrong("several hosts are not supported"));
    }
    let parsed = Url::parse(&format!("postgresql:{rest}")).map_err(|e| wrong(&e.to_string()))?;
    let host = match parsed.host() {
        Some(url::Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => return Err(wrong("there is no host in it")),
    };
    let name = decoded(parsed.path().trim_start_matches('/'));
    if host.is_empty() || name.is_empty() {
        return Err(wrong("there is no host or no database in it"));
    }
    let port = parsed.port().unwrap_or(DEFAULT_PORT);
    let mut database = tokio_postgres::Config::new();
    database
        .host(&host)
        .port(port)
        .dbname(&name)
        .application_name("levada")
        .ssl_mode(SslMode::Disable)
        .keepalives_idle(Duration::from_secs(30));
    for (key, value) in parsed.query_pairs() {
        parameter(&mut database, &key, &value).map_err(|e| e.at("the option 'url'"))?;
    }
    Ok((database, format!("{host}:{port}/{name}")))
}

fn decoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('+', "%2B"));
    let first = url::form_urlencoded::parse(pair.as_bytes()).next();
    first
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn parameter(database: &mut tokio_postgres::Config, key: &str, value: &str) -> Result<()> {
    match key {
        "user" => database.user(value),
        "password" => database.password(value),
        "ApplicationName" => database.application_name(value),
        "currentSchema" => {
            let schemas: Vec<String> = value.split(',').map(|s| quote(s.trim())).collect();
            let path = schemas.join(",").replace('\\', "\\\\").replace(' ', "\\ ");
            database.options(format!("-c search_path={path}"))
        }
        "connectTimeout" => match value.parse() {
            Ok(seconds) if seconds > 0 => database.connect_timeout(Duration::from_secs(seconds)),
            _ => {
                return Err(EngineError::config(format!(
                    "the parameter 'connectTimeout' has the value '{value}', expected seconds"
                )));
            }
        },
        "sslmode" => match value {
            "disable" | "allow" | "prefer" => database,
            _ => {
                return Err(EngineError::config(format!(
                    "the parameter 'sslmode' has the value '{value}', but connections are not encrypted yet"
                ))
                .with_hint("use 'disable' or 'prefer', within a network that you trust"));
            }
        },
        _ => return Err(unknown_name("parameter", key, PARAMETERS)),
    };
    Ok(())
}
