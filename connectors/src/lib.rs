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
//! Start reading at [`options`] (how a `WITH` clause becomes a typed configuration), then
//! [`format`](mod@format) (the contract of decoders and encoders).

pub mod datagen;
pub mod format;
mod generate;
pub mod nexmark;
pub mod options;
