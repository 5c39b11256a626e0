//! `'connector' = 'jdbc'`: tables of a PostgreSQL database.
//!
//! ```text
//!  SELECT ─► COPY … TO STDOUT (binary) ─► rows, one split for each range of the partition column
//!  keys of other rows    ─► COPY (SELECT … JOIN (VALUES …)) TO STDOUT ─► the rows of each (`lookup`)
//!  rows, PRIMARY KEY     ─► last change of each key ─► COPY into a temporary table ─► ON CONFLICT, DELETE
//!  rows, no PRIMARY KEY  ─► the checkpoint ─► COPY and a row of levada_commits in one transaction
//! ```
//!
//! The name and the options are those of Flink's connector. The database is spoken to in its own
//! protocol; there is no driver to install.
//!
//! Rows travel in PostgreSQL's binary COPY format in both directions (`copy`). Writing 100,000 rows
//! of three columns by COPY into a temporary table and one `INSERT … SELECT … ON CONFLICT` took 2.7 s
//! for new rows and 3.8 s for rows that were there, by `INSERT … SELECT … FROM UNNEST` of typed arrays
//! 2.5 s and 4.0 s (best of five, on two busy cores): the database's own work dominates both. COPY
//! also takes columns that are arrays, which UNNEST would flatten.

use std::sync::Arc;

use levada_engine::Result;
use levada_engine::connector::{ConnectorFactory, SinkFactory, SourceFactory, TableDescriptor};

mod append;
mod catalog;
mod client;
mod committable;
mod config;
mod copy;
mod epoch;
mod failure;
mod lookup;
mod marker;
mod numeric;
mod partition;
mod scan;
mod sink;
mod types;
mod upsert;

#[cfg(test)]
mod tests;

use config::Config;

use crate::in_table;

/// The connector.
#[derive(Debug)]
pub struct Jdbc;

impl ConnectorFactory for Jdbc {
    fn identifier(&self) -> &'static str {
        "jdbc"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let config = Config::parse(table).and_then(scan::Factory::new);
        Ok(Arc::new(config.map_err(in_table(table))?))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        let config = Config::parse(table).map(sink::Factory::new);
        Ok(Arc::new(config.map_err(in_table(table))?))
    }
}
