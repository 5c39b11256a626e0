//! Scalar functions that DataFusion lacks or reads otherwise than this dialect.
//!
//! Each function is a row in a table of [`scalar::Spec`]s: its name, the kinds of its
//! parameters, its result, and a vectorised body. [`all`] makes DataFusion functions of
//! them, and [`LevadaFunctions`] is the registry that planner and workers share, so that an
//! expression decoded on a worker means what it meant when it was planned.
//!
//! NULL in any argument makes the result NULL unless a function says otherwise. Where Flink
//! and DataFusion disagree, Flink wins: CONCAT of a NULL is NULL, REGEXP_REPLACE replaces all
//! matches, TO_TIMESTAMP of a bad text is NULL.
//!
//! Instants (TIMESTAMP_LTZ) are shown and read in the session's time zone, which is
//! DataFusion's `execution.time_zone` (`table.local-time-zone` in SET).

mod arithmetic;
mod casts;
mod clock;
mod collections;
mod conditional;
pub mod count_window;
mod fields;
mod json;
mod names;
mod numbers;
mod regexp;
mod registry;
mod scalar;
mod temporal;
mod text;
mod types;
pub mod version;
pub mod window;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

pub use arithmetic::CheckedArithmetic;
pub use casts::SqlCasts;
pub use clock::Clock;
pub use names::{AGGREGATES, names};
pub use registry::LevadaFunctions;

/// All functions of this module. `clock` tells the processing time in milliseconds since the
/// epoch.
pub fn all(clock: Clock) -> Vec<ScalarUDF> {
    let mut functions: Vec<ScalarUDF> = specs().map(scalar::Spec::function).collect();
    functions.extend(clock::functions(&clock));
    functions.extend(arithmetic::functions());
    functions.push(window::marker());
    functions.push(count_window::marker());
    functions.push(version::marker());
    functions
}

/// The functions that are declared in tables.
fn specs() -> impl Iterator<Item = &'static scalar::Spec> {
    let tables = [
        text::SPECS,
        regexp::SPECS,
        temporal::SPECS,
        json::SPECS,
        types::SPECS,
        numbers::SPECS,
        collections::SPECS,
        conditional::SPECS,
    ];
    tables.into_iter().flatten()
}

/// [`all`], as shared references.
pub fn all_shared(clock: Clock) -> Vec<Arc<ScalarUDF>> {
    all(clock).into_iter().map(Arc::new).collect()
}
