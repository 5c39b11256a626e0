//! Sessions of Levada: statements in, results and jobs out.
//!
//! ```text
//!   SQL ──parser──▶ Statement ──▶ Session ──┬─ planner ──▶ job graph ──▶ JobClient ──▶ Job, rows
//!                                 │         └─ planner ──▶ batch rows (DataFusion, right here)
//!                                 ├─ Configuration    what SET said, checked
//!                                 └─ Deployment       where jobs run: in this process, or a cluster
//! ```
//!
//! A [`Session`] gives an [`Outcome`] for each statement and knows nothing of how it is shown;
//! [`changelog::Materialized`] turns the changelog of a query into the rows that it leaves. Start
//! reading at [`Session::execute_statement`].

pub mod changelog;
pub mod config;
pub mod deployment;
pub mod environment;
pub mod error;
pub mod inspect;
mod outcome;
mod planning;
pub mod scratch;
mod session;
mod snapshots;

pub use error::{Error, Result};
pub use outcome::{Job, Outcome, QueryResult};
pub use session::{Session, jobs_table};
