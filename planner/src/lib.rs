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
//! own planner understands every construct of the dialect. [`types`] knows the SQL types
//! and their Arrow counterparts, [`functions`] the scalar functions that DataFusion lacks,
//! and [`error`] the one error type of this crate.

pub mod batch;
pub mod catalog;
pub mod dialect;
pub mod error;
pub mod explain;
#[cfg(test)]
pub(crate) mod fixture;
pub mod functions;
pub mod logical;
pub mod lowering;
pub mod parser;
pub mod planner;
pub mod streaming;
pub mod types;

pub use error::{Location, PlanError, PlanErrorKind};
pub use planner::{PlannedJob, Planner};
