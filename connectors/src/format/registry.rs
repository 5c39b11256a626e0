//! Finding a format by its name.

use std::sync::Arc;

use crate::format::csv::Csv;
use crate::format::json::Json;
use crate::format::parquet::Parquet;
use crate::format::raw::Raw;
use crate::format::{FileFormat, RowFormat};
use crate::options::{Options, unknown_name};
use levada_engine::{EngineError, Result};

/// The names of all formats.
pub const IDENTIFIERS: &[&str] = &["csv", "json", "parquet", "raw"];

/// A format with its options, ready to make decoders and encoders.
#[derive(Debug, Clone)]
pub enum Format {
    /// Each row stands by itself: messages and streams of lines.
    Rows(Arc<dyn RowFormat>),
    /// Only a file as a whole has meaning.
    Files(Arc<dyn FileFormat>),
}

impl Format {
    /// The format called `identifier`, with its options read from `options`.
    ///
    /// `prefix` stands in front of the option names: empty for `'json.ignore-parse-errors'`, `key.`
    /// for `'key.json.ignore-parse-errors'`.
    pub fn from_options(identifier: &str, prefix: &str, options: &mut Options) -> Result<Self> {
        match identifier {
            "csv" => Ok(Format::Rows(Arc::new(Csv::from_options(prefix, options)?))),
            "json" => Ok(Format::Rows(Arc::new(Json::from_options(prefix, options)?))),
            "parquet" => Ok(Format::Files(Arc::new(Parquet::from_options(
                prefix, options,
            )?))),
            "raw" => Ok(Format::Rows(Arc::new(Raw::from_options(prefix, options)?))),
            _ => Err(unknown_name("format", identifier, IDENTIFIERS)),
        }
    }

    /// The name in `'format' = '…'`.
    pub fn identifier(&self) -> &'static str {
        match self {
            Format::Rows(format) => format.identifier(),
            Format::Files(format) => format.identifier(),
        }
    }

    /// The row format, for callers that move messages; an error that says why another cannot be used.
    pub fn into_rows(self) -> Result<Arc<dyn RowFormat>> {
        match self {
            Format::Rows(format) => Ok(format),
            Format::Files(format) => Err(EngineError::config(format!(
                "the format '{}' describes whole files and cannot be used for messages",
                format.identifier()
            ))
            .with_hint("use 'json', 'csv' or 'raw'")),
        }
    }
}
