//! Nexmark, side by side: Levada and its peers on the same input, the same machine, in the same run.
//!
//! ```text
//! generate ──► two JSON-lines files (cached, deterministic)
//!                     │
//! query    ──► nexmark/*.sql, filled in for a system: path, sink, parallelism
//!                     │
//! system   ──► levada · flink · duckdb as child processes ──► seconds, peak memory, result rows
//!                     │                                                    │
//!                     ▼                                                    ▼
//! report   ◄── one markdown table: times, rates, memory, ratios   digest: do the outputs agree?
//! ```
//!
//! Measured runs write into a blackhole. Whether the systems compute the same is decided apart from
//! that, on a smaller input whose events are spread over more windows: there every system hands over
//! its final rows, and row count and an order-free checksum must be equal. Start reading at
//! [`run::run`].

pub mod digest;
pub mod error;
pub mod generate;
pub mod process;
pub mod query;
pub mod report;
pub mod run;
pub mod system;
