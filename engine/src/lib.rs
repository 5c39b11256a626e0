//! The Levada runtime: what flows, how jobs are described, and how they run.
//!
//! ```text
//!   JobGraph ──▶ coordinator ──▶ workers ──▶ subtasks ──▶ operators ──▶ state
//!   (graph)      (slots,         (slots,     (chains,     (batch in,    (key groups,
//!                 checkpoints)    channels)   barriers)    batch out)    snapshots)
//! ```
//!
//! Start with [`element`] (what flows), [`graph`] (jobs as data), [`operator`] (the state-machine
//! trait) and [`connector`] (what sources and sinks must do). The engine knows nothing of SQL.

pub mod checkpoint;
pub mod client;
pub mod cluster;
pub mod connector;
pub mod control;
pub mod coordinator;
pub mod element;
pub mod error;
pub mod exchange;
pub mod expression;
pub mod failpoint;
pub mod graph;
pub mod key;
pub mod memory;
pub mod metrics;
pub mod operator;
pub mod state;
pub mod subtask;
pub mod time;
pub mod worker;

pub use error::{EngineError, ErrorKind, Result};

/// The version that processes of one cluster must share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
