//! Connectors of Levada: how rows come in from the outside world and how they go out again.
//!
//! ```text
//!  WITH ('connector' = …, 'format' = …)
//!        │ options: parsed once into one typed configuration, strictly
//!        ▼
//!  source ── payloads or chunks of bytes ──► format::Decoder ──► Arrow RecordBatch ──► engine
//!  engine ──► RecordBatch ──► format::Encoder ──► payloads or bytes ──► sink
//! ```
//!
//! A connector knows how to move bytes, and where it stands in its input; a [`format`](mod@format)
//! knows what the bytes mean. Neither knows the planner: the engine calls connectors through its own
//! traits, and finds them by name in a registry.
//!
//! [`registry()`] lists the connectors.
//!
//! Start reading at [`options`] (how a `WITH` clause becomes a typed configuration), then
//! [`format`](mod@format) (the contract of decoders and encoders).

pub mod blackhole;
mod columns;
pub mod datagen;
pub mod filesystem;
#[cfg(test)]
mod fixture;
pub mod format;
mod generate;
mod hash;
pub mod jdbc;
pub mod kafka;
mod lookup;
pub mod nexmark;
pub mod options;
pub mod print;

use std::sync::Arc;

use levada_engine::EngineError;
use levada_engine::connector::{ConnectorRegistry, TableDescriptor};

/// All connectors of this crate.
pub fn registry() -> ConnectorRegistry {
    let mut registry = ConnectorRegistry::new();
    registry.register(Arc::new(blackhole::Blackhole));
    registry.register(Arc::new(datagen::Datagen));
    registry.register(Arc::new(filesystem::Filesystem));
    registry.register(Arc::new(jdbc::Jdbc));
    registry.register(Arc::new(kafka::Kafka));
    registry.register(Arc::new(kafka::UpsertKafka));
    registry.register(Arc::new(nexmark::Nexmark));
    registry.register(Arc::new(print::Print));
    registry
}

/// Puts the table's name in front of an error.
fn in_table(table: &TableDescriptor) -> impl Fn(EngineError) -> EngineError {
    let place = format!("table '{}'", table.name);
    move |error| error.at(&place)
}

/// The error for reading from a connector that has no source.
fn write_only(table: &TableDescriptor) -> EngineError {
    EngineError::config(format!(
        "the connector '{}' only writes and cannot be read",
        table.connector
    ))
    .at(&format!("table '{}'", table.name))
}
