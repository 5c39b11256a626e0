//! Where log lines go.

use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::LogFormat;

/// Where log lines go.
pub enum Target<'a> {
    /// Standard error.
    StandardError,
    /// A file, so that a prompt is not torn.
    File(&'a Path),
}

/// Starts logging, once per process.
///
/// # Errors
/// The filter is malformed, or the file cannot be opened; a sentence for people.
pub fn start(
    format: LogFormat,
    level: Option<&str>,
    default_level: &str,
    target: Target<'_>,
) -> Result<(), String> {
    let level = level.unwrap_or(default_level);
    let filter = EnvFilter::try_new(level)
        .map_err(|error| format!("--log-level '{level}' is not a level or filter: {error}"))?;
    let builder = fmt().with_env_filter(filter);
    let started = match target {
        Target::StandardError => {
            let builder = builder
                .with_writer(std::io::stderr)
                .with_ansi(std::io::stderr().is_terminal());
            match format {
                LogFormat::Human => builder.finish().try_init(),
                LogFormat::Json => builder.json().finish().try_init(),
            }
        }
        Target::File(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path);
            let file = file.map_err(|e| format!("cannot write the log {}: {e}", path.display()))?;
            let builder = builder.with_writer(Arc::new(file)).with_ansi(false);
            match format {
                LogFormat::Human => builder.finish().try_init(),
                LogFormat::Json => builder.json().finish().try_init(),
            }
        }
    };
    started.map_err(|error| format!("logging cannot start: {error}"))
}
