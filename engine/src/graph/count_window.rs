//! Windows of so many rows (`COUNT_TUMBLE`, `COUNT_HOP`) in a job graph.

use serde::{Deserialize, Serialize};

use super::WireSchema;

/// Gives the rows of each full window of a partition.
///
/// Rows only ever come, those of a partition in the order of their numbers, which begin with 1. There is a window for each
/// number that is a multiple of the slide: the row of that number and those before it, as many as the size says, or
/// fewer where the partition begins. When the last row of a window has come, all of its rows go out, in one batch, which may
/// hold other windows too. Output columns are those of the input, the number of the window's first and last row as BIGINT, and
/// the time of the last one if there is a column of times.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CountWindowSpec {
    /// The schema of the rows.
    pub rows: WireSchema,
    /// The columns that partitions are formed by. None is a single partition, in one subtask.
    pub partition_by: Vec<usize>,
    /// The column with the numbers of rows, of an integer type.
    pub number: usize,
    /// How many rows a window has, at least 1.
    pub size: u64,
    /// How many rows are between the last rows of two windows, at least 1.
    pub slide: u64,
    /// The column with the times of rows.
    pub time: Option<usize>,
}
