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

pub mod dialect;
pub mod error;
pub mod functions;
pub mod parser;
pub mod types;

pub use error::{Location, PlanError, PlanErrorKind};
