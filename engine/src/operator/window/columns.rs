//! The columns `window_start`, `window_end` and `window_time`.

use arrow::array::{ArrayRef, Int64Array};
use arrow::compute;
use arrow::datatypes::{DataType, TimeUnit};
use std::sync::Arc;

use crate::error::{EngineError, Result};

/// A column of times in milliseconds as a timestamp column.
pub(crate) fn time_column(times_ms: Vec<i64>, data_type: &DataType) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, _) = data_type else {
        return Err(EngineError::internal(format!(
            "{data_type} is not a type of window times"
        )));
    };
    let out_of_range = || EngineError::data(format!("a window boundary does not fit {data_type}"));
    let scaled: Option<Vec<i64>> = match unit {
        TimeUnit::Millisecond => Some(times_ms),
        TimeUnit::Second => Some(times_ms.iter().map(|t| t.div_euclid(1000)).collect()),
        TimeUnit::Microsecond => times_ms.iter().map(|t| t.checked_mul(1000)).collect(),
        TimeUnit::Nanosecond => times_ms.iter().map(|t| t.checked_mul(1_000_000)).collect(),
    };
    let plain: ArrayRef = Arc::new(Int64Array::from(scaled.ok_or_else(out_of_range)?));
    Ok(compute::cast(&plain, data_type)?)
}

/// The three columns of rows whose windows have these starts and ends. `window_time` is the last
/// instant of the window, a millisecond before its end.
pub(crate) fn window_columns(
    starts_ms: Vec<i64>,
    ends_ms: Vec<i64>,
    data_type: &DataType,
) -> Result<[ArrayRef; 3]> {
    let times_ms = ends_ms.iter().map(|e| e - 1).collect();
    Ok([
        time_column(starts_ms, data_type)?,
        time_column(ends_ms, data_type)?,
        time_column(times_ms, data_type)?,
    ])
}
