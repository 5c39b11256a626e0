//! The SQL dialect itself: what every stage of planning shares, and what runs inside expressions.
//!
//! [`error`] is the error with a code and a position that people see. [`dialect`] teaches sqlparser
//! the constructs that it lacks, [`types`] knows the SQL types and their Arrow counterparts, and
//! [`functions`] holds the scalar functions that DataFusion lacks or that mean something else here.
//!
//! It stands apart from the planner because functions run for every batch of a job and are
//! compiled for speed, while a plan is made once.

pub mod dialect;
pub mod error;
pub mod functions;
pub mod types;

pub use error::{Location, PlanError, PlanErrorKind};
