//! Functions that choose among their arguments.

use arrow::array::{Array, ArrayRef, BooleanArray, Datum, new_null_array};
use arrow::compute::kernels::cmp::{gt, lt};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_null, nullif};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::Result;

use super::collections::common_type;
use super::scalar::{Call, Param, Spec, returns};
use Param::Any;

pub(super) static SPECS: &[Spec] = &[
    Spec::new("greatest", &[Any], returns::first, |call| {
        extreme(call, |a, b| gt(a, b))
    })
    .rest(Any)
    .unify(all_alike),
    Spec::new("least", &[Any], returns::first, |call| {
        extreme(call, |a, b| lt(a, b))
    })
    .rest(Any)
    .unify(all_alike),
];

fn all_alike(given: &[DataType]) -> Option<Vec<DataType>> {
    let common = common_type(given)?;
    let ordered = !common.is_nested();
    ordered.then(|| vec![common; given.len()])
}

type Comparison = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

/// The value that comes before all others by `precedes`; NULL if any value is.
fn extreme(call: &Call<'_>, precedes: Comparison) -> Result<ArrayRef> {
    let mut best = call.array(0)?;
    if best.data_type().is_null() {
        return Ok(new_null_array(&DataType::Null, call.rows()));
    }
    for index in 1..call.len() {
        let other = call.array(index)?;
        let chosen = zip(&precedes(&other, &best)?, &other, &best)?;
        best = nullif(&chosen, &is_null(&other)?)?;
    }
    Ok(best)
}
