//! `'connector' = 'filesystem'`: tables that are files in a folder.
//!
//! ```text
//!  path ── listing ──► files ── one split each ──► reader ──► decoder ──► rows (+ folders' columns, metadata)
//!  rows ── partition ──► folders ── .part-….inprogress ── prepare ──► .part-….prepared ── commit ──► part-….json
//! ```
//!
//! A file is read once, from its beginning to its end as it was found. With `source.monitor-interval`
//! the folder is looked at again and again, and files that appear in it are read too; a file should
//! therefore be complete when it appears (write it under a name with a dot in front, then rename it).
//!
//! What a sink writes is hidden until the checkpoint that contains it is complete; see [`sink`].

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use levada_engine::Result;
use levada_engine::connector::{ConnectorFactory, SinkFactory, SourceFactory, TableDescriptor};

mod config;
mod listing;
mod partition;
mod reader;
mod sink;
mod source;

#[cfg(test)]
mod tests;

use config::Config;

use crate::columns::MetadataKey;
use crate::in_table;

/// The connector.
#[derive(Debug)]
pub struct Filesystem;

impl ConnectorFactory for Filesystem {
    fn identifier(&self) -> &'static str {
        "filesystem"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let config = Config::parse(table).map_err(in_table(table))?;
        Ok(Arc::new(source::Factory::new(config)))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        let config = Config::parse(table).map_err(in_table(table))?;
        let factory = sink::Factory::new(config).map_err(in_table(table))?;
        Ok(Arc::new(factory))
    }

    fn metadata(&self, _table: &TableDescriptor) -> Result<Vec<(String, DataType)>> {
        let keys = Metadata::ALL.iter();
        Ok(keys.map(|m| (m.key().to_string(), m.data_type())).collect())
    }
}

/// What is known about a file besides its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metadata {
    Path,
    Name,
    Size,
    ModificationTime,
}

impl MetadataKey for Metadata {
    const ALL: &'static [Metadata] = &[
        Metadata::Path,
        Metadata::Name,
        Metadata::Size,
        Metadata::ModificationTime,
    ];

    fn key(self) -> &'static str {
        match self {
            Metadata::Path => "file.path",
            Metadata::Name => "file.name",
            Metadata::Size => "file.size",
            Metadata::ModificationTime => "file.modification-time",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Metadata::Path | Metadata::Name => DataType::Utf8,
            Metadata::Size => DataType::Int64,
            Metadata::ModificationTime => {
                DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
            }
        }
    }
}
