//! The marker of windows of so many rows: how they travel from SQL to the plan.
//!
//! As with windows of time, the parser writes such a window as field accesses on a call of one function, which is
//! never evaluated:
//!
//! ```text
//! get_field(__levada_count_window(size, slide, location, number, time, key …), field)
//! ```
//!
//! | argument | type | meaning |
//! |---|---|---|
//! | size | integer literal | how many rows a window has |
//! | slide | integer literal | how many rows are between the last rows of two windows |
//! | location | integer literal | position in the SQL, see [`unpack_location`] |
//! | number | integer | the number of the row within its partition: ROW_NUMBER() with OVER |
//! | time | anything | what rows are put in order by; NULL where they are not |
//! | key … | anything | PARTITION BY |
//!
//! `field` is [`WINDOW_START`], [`WINDOW_END`] (the numbers of the first and the last row) or, where rows are in an order,
//! [`WINDOW_TIME`] (that of the last row).

use std::hash::Hash;

use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::window::{WINDOW_END, WINDOW_START, WINDOW_TIME, unpack_location};
use crate::error::{Location, PlanError};

/// The marker's name.
pub const MARKER: &str = "__levada_count_window";

/// A call of the marker, read.
#[derive(Debug, Clone, PartialEq)]
pub struct CountWindowCall {
    /// How many rows a window has, at least 1.
    pub size: i64,
    /// How many rows are between the last rows of two windows, at least 1.
    pub slide: i64,
    /// The number of a row.
    pub number: Expr,
    /// What rows are put in order by, if they are.
    pub time: Option<Expr>,
    /// PARTITION BY.
    pub keys: Vec<Expr>,
    /// Where the window stands in the SQL.
    pub location: Option<Location>,
}

impl CountWindowCall {
    /// Reads `expr` if it is a call of the marker.
    ///
    /// # Errors
    /// Only defects.
    pub fn from_expr(expr: &Expr) -> Result<Option<Self>, PlanError> {
        let Expr::ScalarFunction(function) = expr else {
            return Ok(None);
        };
        if function.func.name() != MARKER {
            return Ok(None);
        }
        let malformed = || PlanError::internal("the marker of a window of rows is malformed");
        let [size, slide, location, number, time, keys @ ..] = function.args.as_slice() else {
            return Err(malformed());
        };
        let rows = |expr: &Expr| integer(expr).filter(|rows| *rows > 0).ok_or_else(malformed);
        let is_null = matches!(time, Expr::Literal(value, _) if value.is_null());
        Ok(Some(CountWindowCall {
            size: rows(size)?,
            slide: rows(slide)?,
            number: number.clone(),
            time: (!is_null).then(|| time.clone()),
            keys: keys.to_vec(),
            location: integer(location).and_then(unpack_location),
        }))
    }
}

fn integer(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::Int64(value), _) => *value,
        _ => None,
    }
}

/// The marker as a function, for name and type resolution.
pub fn marker() -> ScalarUDF {
    ScalarUDF::new_from_impl(CountWindowMarker {
        // Volatile, so that no optimizer folds, shares or moves it before it is planned.
        signature: Signature::variadic_any(Volatility::Volatile),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CountWindowMarker {
    signature: Signature,
}

impl ScalarUDFImpl for CountWindowMarker {
    fn name(&self) -> &str {
        MARKER
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let Some(time) = arg_types.get(4) else {
            let error = PlanError::internal("the marker of a window of rows is malformed");
            return Err(error.into());
        };
        let mut fields = vec![
            Field::new(WINDOW_START, DataType::Int64, false),
            Field::new(WINDOW_END, DataType::Int64, false),
        ];
        if *time != DataType::Null {
            fields.push(Field::new(WINDOW_TIME, time.clone(), true));
        }
        Ok(DataType::Struct(Fields::from(fields)))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(PlanError::internal("a window of rows was left unplanned").into())
    }
}
