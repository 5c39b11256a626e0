//! Tables that are asked by key.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::JobId;
use crate::metrics::SubtaskMetrics;
use crate::time::Clock;

/// What is kept of a table that is asked by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LookupCache {
    /// Nothing: every row asks.
    None,
    /// Answers, for a while.
    Partial(PartialCache),
    /// All of its rows, which are read before the first question.
    Full {
        /// After how many milliseconds they are read again; `None` never.
        reload_ms: Option<u64>,
    },
}

/// How answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PartialCache {
    /// About how many rows; `None` as many as memory allows.
    pub max_rows: Option<u64>,
    /// How long an answer counts, in milliseconds.
    pub expire_after_write_ms: Option<u64>,
    /// How long an answer is kept that nobody asks for, in milliseconds.
    pub expire_after_access_ms: Option<u64>,
    /// Whether the answer that there is no row is kept too.
    pub missing_keys: bool,
}

/// What asking by key begins with.
#[derive(Clone)]
pub struct LookupContext {
    /// The job, for client ids and logs.
    pub job: JobId,
    /// The columns to deliver, those of the key among them.
    pub schema: SchemaRef,
    /// The columns of the key, with their names in the table.
    pub keys: SchemaRef,
    /// How many questions may be under way at a time.
    pub capacity: usize,
    /// Processing time.
    pub clock: Arc<dyn Clock>,
    /// Counters of this subtask.
    pub metrics: Arc<SubtaskMetrics>,
}

/// The rows of some keys.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The rows, in [`LookupContext::schema`].
    pub rows: RecordBatch,
    /// For each row the number of its key in the question.
    pub of: Vec<u32>,
}

/// Asks a table by key.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// Connects, or finds out what is wrong, before the first question.
    async fn open(&self) -> Result<()>;

    /// All rows of the keys, which are different ones and not NULL. A question that is dropped is not waited
    /// for any more.
    async fn ask(&self, keys: RecordBatch) -> Result<Answer>;
}
