//! `'connector' = 'kafka'`: tables that are topics; `'upsert-kafka'`: topics that hold the last row of
//! each key.
//!
//! ```text
//!  topics ── metadata ──► partitions ── a stable function ──► subtasks
//!  partition ── librdkafka's queue ──► gather (value, key, metadata columns) ──► rows, one split a partition
//!  rows ── encoder(s) ──► librdkafka's producer ── prepare: everything acknowledged
//! ```
//!
//! Partitions are assigned explicitly: there is no consumer group that could move them. Where reading
//! stands is in the checkpoint; with `properties.group.id` it is also committed to the group, for
//! people and tools that watch it.
//!
//! A sink delivers at least once: a checkpoint waits until the brokers have acknowledged every row. Or
//! it delivers exactly once: rows wait in the checkpoint, and are written in a transaction that also
//! notes which checkpoint they were.

use std::sync::Arc;

use arrow::datatypes::DataType;
use levada_engine::Result;
use levada_engine::connector::{ConnectorFactory, SinkFactory, SourceFactory, TableDescriptor};

mod client;
mod config;
mod gather;
mod metadata;
mod offsets;
mod properties;
mod sink;
mod source;

#[cfg(test)]
mod tests;

use config::Config;
use metadata::Metadata;

use crate::columns::MetadataKey;
use crate::in_table;

/// The connector.
#[derive(Debug)]
pub struct Kafka;

impl ConnectorFactory for Kafka {
    fn identifier(&self) -> &'static str {
        "kafka"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let config = Config::parse(table).and_then(source::Factory::new);
        Ok(Arc::new(config.map_err(in_table(table))?))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        let config = Config::parse(table).and_then(sink::Factory::new);
        Ok(Arc::new(config.map_err(in_table(table))?))
    }

    fn metadata(&self, _table: &TableDescriptor) -> Result<Vec<(String, DataType)>> {
        let keys = Metadata::ALL.iter();
        Ok(keys.map(|m| (m.key().to_string(), m.data_type())).collect())
    }
}

/// The connector `upsert-kafka`: a topic that holds the last row of each key, and a record without
/// a value where the row of a key is gone.
#[derive(Debug)]
pub struct UpsertKafka;

impl ConnectorFactory for UpsertKafka {
    fn identifier(&self) -> &'static str {
        "upsert-kafka"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let config = Config::parse_upsert(table).and_then(source::Factory::new);
        Ok(Arc::new(config.map_err(in_table(table))?))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        let config = Config::parse_upsert(table).and_then(sink::Factory::new);
        Ok(Arc::new(config.map_err(in_table(table))?))
    }

    fn metadata(&self, table: &TableDescriptor) -> Result<Vec<(String, DataType)>> {
        Kafka.metadata(table)
    }
}
