//! The queries of TPC-H as continuous queries over tables that are filled, changed and emptied row by row.
//!
//! ```text
//!   tpchgen ──rows──▶ Changes: inserts in random order, then updates and deletes, numbered
//!                        │ feed                              │ snapshot
//!                        ▼                                   ▼
//!            sources that stop at a boundary        tables with the rows that are there
//!                        │ job, checkpoints                  │ batch mode
//!                        ▼                                   ▼
//!            what the sink has committed  ◀──compare──▶  the same query
//! ```
//!
//! [`rows`] makes the eight tables, [`changes`] their history, [`feed`] is the connector that reads it in
//! both modes, [`query`] knows the texts below `tests/tpch` and compares, [`run`] lets a query run over the history.

pub mod changes;
pub mod feed;
pub mod query;
pub mod rows;
pub mod run;
#[cfg(test)]
mod tests;
