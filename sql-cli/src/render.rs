//! Rows for people and programs.
//!
//! ```text
//!   Batch ──▶ RowSink ──▶ stdout
//!             ├ lines      csv, json, changelog: a line a row, as they come
//!             ├ table      a table whose widths are settled by the first rows
//!             ├ gather     the rows that a changelog leaves, handed on once at the end
//!             └ live       the same, drawn again and again in place
//! ```
//!
//! Sinks know nothing of jobs: they get batches, ticks and the end.

pub mod gather;
pub mod lines;
pub mod live;
pub mod table;
pub mod value;

#[cfg(test)]
mod tests;

use std::io;

use levada_engine::element::Batch;
use levada_gateway::Error;

/// Why rows could not be shown.
#[derive(Debug)]
pub enum RenderError {
    /// Standard output is gone or full.
    Output(io::Error),
    /// The rows themselves are wrong.
    Rows(Error),
}

impl From<io::Error> for RenderError {
    fn from(error: io::Error) -> Self {
        RenderError::Output(error)
    }
}

impl From<Error> for RenderError {
    fn from(error: Error) -> Self {
        RenderError::Rows(error)
    }
}

/// The result of showing something.
pub type Result<T, E = RenderError> = std::result::Result<T, E>;

/// How a result ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself: these are all rows.
    Complete,
    /// The user has seen enough.
    Stopped,
    /// The query failed.
    Failed,
}

/// Takes the rows of one result.
pub trait RowSink {
    /// Rows, in the order of the changelog.
    fn batch(&mut self, batch: &Batch) -> Result<()>;

    /// Called a few times a second while the query runs, with a line on its progress.
    fn tick(&mut self, progress: &str) -> Result<()> {
        let _ = progress;
        Ok(())
    }

    /// No more rows follow.
    fn finish(&mut self, end: End) -> Result<()>;

    /// Whether the sink draws the progress line itself.
    fn draws_progress(&self) -> bool {
        false
    }
}
