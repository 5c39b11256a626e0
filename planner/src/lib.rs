//! From SQL text to a job graph.
//!
//! ```text
//!   SQL text ──parser──▶ Statement ──logical──▶ logical plan (DataFusion)
//!                                                   │ streaming
//!                                                   ▼
//!            job graph ◀──lowering── streaming plan (changelog mode, keys, state)
//! ```
//!
//! Start reading at [`parser::parse`]: it turns a script into [`parser::Statement`]s,
//! whose expressions are still sqlparser's syntax trees, rewritten so that DataFusion's
//! own planner understands every construct of the dialect. What the stages share (errors with
//! positions, SQL types, scalar functions) is the language, a crate of its own.

pub mod batch;
pub mod catalog;
pub mod explain;
#[cfg(test)]
pub(crate) mod fixture;
pub mod logical;
pub mod lowering;
pub mod materialized;
pub mod parser;
pub mod planner;
pub mod streaming;

pub use planner::{CreatedTable, PlannedJob, Planner};

#[cfg(test)]
mod tests;
