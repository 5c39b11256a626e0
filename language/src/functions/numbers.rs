//! Functions on numbers.

pub(super) mod digits;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array, Int32Array,
    PrimitiveArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type,
};
use datafusion::common::{Result, ScalarValue};

use super::scalar::{Call, Param, Spec, evaluation, returns};
use crate::types::SqlType;
use Param::{Double, Int, Number};
use digits::{Rounding, power_of_ten, rounded, without_digits};

/// The most digits of a DECIMAL.
const MOST_DIGITS: u8 = 38;

pub(super) static SPECS: &[Spec] = &[
    Spec::new("round", &[Number, Int], returns::first, |call| {
        round(call, Rounding::HalfUp)
    })
    .required(1)
    .typed(round_type),
    Spec::new("truncate", &[Number, Int], returns::first, |call| {
        round(call, Rounding::Cut)
    })
    .required(1)
    .typed(round_type)
    .aliases(&["trunc"]),
    Spec::new("ceil", &[Number], whole_type, |call| to_whole(call, true)).aliases(&["ceiling"]),
    Spec::new("floor", &[Number], whole_type, |call| to_whole(call, false)),
    Spec::new("sign", &[Number], sign_type, sign).aliases(&["signum"]),
    Spec::new("abs", &[Number], returns::first, abs),
    Spec::new("power", &[Double, Double], double, |call| {
        of_two(call, f64::powf)
    })
    .aliases(&["pow"]),
    Spec::new("sqrt", &[Double], double, |call| of_one(call, f64::sqrt)),
    Spec::new("cbrt", &[Double], double, |call| of_one(call, f64::cbrt)),
    Spec::new("exp", &[Double], double, |call| of_one(call, f64::exp)),
    Spec::new("ln", &[Double], double, |call| of_one(call, f64::ln)),
    Spec::new("log10", &[Double], double, |call| of_one(call, f64::log10)),
    Spec::new("log2", &[Double], double, |call| of_one(call, f64::log2)),
    Spec::new("log", &[Double, Double], double, log).required(1),
    Spec::new("sin", &[Double], double, |call| of_one(call, f64::sin)),
    Spec::new("cos", &[Double], double, |call| of_one(call, f64::cos)),
    Spec::new("tan", &[Double], double, |call| of_one(call, f64::tan)),
    Spec::new("cot", &[Double], double, |call| {
        of_one(call, |x| x.tan().recip())
    }),
    Spec::new("asin", &[Double], double, |call| of_one(call, f64::asin)),
    Spec::new("acos", &[Double], double, |call| of_one(call, f64::acos)),
    Spec::new("atan", &[Double], double, |call| of_one(call, f64::atan)),
    Spec::new("atan2", &[Double, Double], double, |call| {
        of_two(call, f64::atan2)
    }),
    Spec::new("sinh", &[Double], double, |call| of_one(call, f64::sinh)),
    Spec::new("cosh", &[Double], double, |call| of_one(call, f64::cosh)),
    Spec::new("tanh", &[Double], double, |call| of_one(call, f64::tanh)),
    Spec::new("degrees", &[Double], double, |call| {
        of_one(call, f64::to_degrees)
    }),
    Spec::new("radians", &[Double], double, |call| {
        of_one(call, f64::to_radians)
    }),
    Spec::new("random_below", &[Double, Int], returns::int, random_below),
];

fn double(_: &[DataType]) -> DataType {
    DataType::Float64
}

fn of_one(call: &Call<'_>, f: fn(f64) -> f64) -> Result<ArrayRef> {
    let column = cast(&call.array(0)?, &DataType::Float64)?;
    let values: Float64Array = column.as_primitive::<Float64Type>().unary(f);
    Ok(Arc::new(values))
}

fn of_two(call: &Call<'_>, f: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (first, second) = (call.doubles(0)?, call.doubles(1)?);
    let values: Float64Array = (0..call.rows())
        .map(|row| Some(f(first.get(row)?, second.get(row)?)))
        .collect();
    Ok(Arc::new(values))
}

/// LOG(x), the natural logarithm, or LOG(base, x).
fn log(call: &Call<'_>) -> Result<ArrayRef> {
    match call.len() {
        1 => of_one(call, f64::ln),
        _ => of_two(call, |base, x| match base {
            2.0 => x.log2(),
            10.0 => x.log10(),
            base => x.ln() / base.ln(),
        }),
    }
}

/// The integer below `bound` that a number from 0 to 1 stands for.
fn random_below(call: &Call<'_>) -> Result<ArrayRef> {
    let (parts, bounds) = (call.doubles(0)?, call.ints(1)?);
    let values = (0..call.rows()).map(|row| {
        let (Some(part), Some(bound)) = (parts.get(row), bounds.get(row)) else {
            return Ok(None);
        };
        match i32::try_from(bound) {
            Ok(bound) if bound > 0 => Ok(Some((part * f64::from(bound)) as i32)),
            _ => Err(evaluation(format!(
                "the bound of RAND_INTEGER must be a positive INT, not {bound}"
            ))),
        }
    });
    let values: Int32Array = values.collect::<Result<_>>()?;
    Ok(Arc::new(values))
}

/// The type of ROUND and TRUNCATE: of a DECIMAL, as many digits as can come out.
fn round_type(args: &[DataType], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    let number = returns::first(args);
    let DataType::Decimal128(precision, scale) = number else {
        return Ok(number);
    };
    let places = match constants.get(1) {
        None => Some(0),
        Some(Some(ScalarValue::Int64(places))) => *places,
        Some(_) => None,
    };
    Ok(match places {
        Some(places) if places < i64::from(scale) => {
            let kept = i8::try_from(places.max(0)).unwrap_or(0);
            let wide = i16::from(precision) - i16::from(scale) + i16::from(kept) + 1;
            let precision = u8::try_from(wide).unwrap_or(1).clamp(1, MOST_DIGITS);
            DataType::Decimal128(precision, kept)
        }
        _ => number,
    })
}

/// ROUND(number [, places]) and TRUNCATE(number [, places]).
fn round(call: &Call<'_>, rounding: Rounding) -> Result<ArrayRef> {
    let places = match call.len() > 1 {
        true => Some(call.ints(1)?),
        false => None,
    };
    let places = |row: usize| match &places {
        None => Some(0),
        Some(places) => places.get(row),
    };
    let array = call.array(0)?;
    match array.data_type() {
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().iter().enumerate();
            let values: Float32Array = values
                .map(|(row, value)| Some(rounded_float(value?, places(row)?, rounding)))
                .collect();
            Ok(Arc::new(values))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().iter().enumerate();
            let values: Float64Array = values
                .map(|(row, value)| Some(rounded(value?, places(row)?, rounding)))
                .collect();
            Ok(Arc::new(values))
        }
        DataType::Decimal128(_, scale) => {
            let scale = i64::from(*scale);
            let DataType::Decimal128(precision, kept) = *call.return_type() else {
                return Err(evaluation("a DECIMAL is rounded to a DECIMAL"));
            };
            let values = array.as_primitive::<Decimal128Type>().iter().enumerate();
            let values = values.map(|(row, value)| {
                let (Some(value), Some(places)) = (value, places(row)) else {
                    return Ok(None);
                };
                let round = |value| rounded_integer(value, scale.saturating_sub(places), rounding);
                round(value)
                    .and_then(|value| rescaled(value, scale, i64::from(kept)))
                    .map(Some)
                    .ok_or_else(|| too_large(call))
            });
            decimals(values, precision, kept)
        }
        _ => in_integers(call, &array, |row, value| match places(row) {
            Some(places) => rounded_integer(value, places.saturating_neg(), rounding).map(Some),
            None => Some(None),
        }),
    }
}

/// A FLOAT by the digits that it is shown with.
fn rounded_float(value: f32, places: i64, rounding: Rounding) -> f32 {
    let wide: f64 = value.to_string().parse().unwrap_or(f64::from(value));
    rounded(wide, places, rounding) as f32
}

/// An integer whose last `digits` digits are zero; `None` if it is too large.
fn rounded_integer(value: i128, digits: i64, rounding: Rounding) -> Option<i128> {
    let Ok(digits) = u32::try_from(digits) else {
        return Some(if digits > 0 { 0 } else { value });
    };
    match power_of_ten(digits) {
        Some(unit) => without_digits(value, digits, rounding).checked_mul(unit),
        None => Some(0),
    }
}

/// A decimal with another scale; digits that go are zeros.
fn rescaled(value: i128, from: i64, to: i64) -> Option<i128> {
    let unit = power_of_ten(u32::try_from(from.abs_diff(to)).ok()?)?;
    match from > to {
        true => Some(value / unit),
        false => value.checked_mul(unit),
    }
}

fn decimals(
    values: impl Iterator<Item = Result<Option<i128>>>,
    precision: u8,
    scale: i8,
) -> Result<ArrayRef> {
    let values: Decimal128Array = values.collect::<Result<_>>()?;
    let values = values.with_precision_and_scale(precision, scale)?;
    values
        .validate_decimal_precision(precision)
        .map_err(|_| evaluation(format!("a result overflows DECIMAL({precision}, {scale})")))?;
    Ok(Arc::new(values))
}

/// A function of integers, in their own type; its inner `None` is NULL, the outer an overflow.
fn in_integers(
    call: &Call<'_>,
    array: &ArrayRef,
    f: impl Fn(usize, i128) -> Option<Option<i128>>,
) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Int8 => integers::<Int8Type>(call, array, f),
        DataType::Int16 => integers::<Int16Type>(call, array, f),
        DataType::Int32 => integers::<Int32Type>(call, array, f),
        _ => integers::<Int64Type>(call, array, f),
    }
}

fn integers<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    array: &ArrayRef,
    f: impl Fn(usize, i128) -> Option<Option<i128>>,
) -> Result<ArrayRef>
where
    T::Native: TryFrom<i128> + Into<i128>,
{
    let Some(values) = array.as_primitive_opt::<T>() else {
        return Err(evaluation("a function takes a number"));
    };
    let values = values.iter().enumerate().map(|(row, value)| {
        let Some(value) = value else { return Ok(None) };
        let result = f(row, value.into()).ok_or_else(|| too_large(call))?;
        result
            .map(|result| T::Native::try_from(result).map_err(|_| too_large(call)))
            .transpose()
    });
    let values: PrimitiveArray<T> = values.collect::<Result<_>>()?;
    Ok(Arc::new(values))
}

fn too_large(call: &Call<'_>) -> datafusion::error::DataFusionError {
    let shown = SqlType::from_arrow(call.return_type());
    evaluation(format!("a result overflows {shown}"))
}

/// The type of CEIL and FLOOR: a DECIMAL loses its scale.
fn whole_type(args: &[DataType]) -> DataType {
    match returns::first(args) {
        DataType::Decimal128(precision, scale) if scale > 0 => DataType::Decimal128(precision, 0),
        other => other,
    }
}

fn to_whole(call: &Call<'_>, up: bool) -> Result<ArrayRef> {
    let array = call.array(0)?;
    Ok(match (array.data_type(), call.return_type()) {
        (DataType::Float32, _) => {
            let f = if up { f32::ceil } else { f32::floor };
            Arc::new(
                array
                    .as_primitive::<Float32Type>()
                    .unary::<_, Float32Type>(f),
            )
        }
        (DataType::Float64, _) => {
            let f = if up { f64::ceil } else { f64::floor };
            Arc::new(
                array
                    .as_primitive::<Float64Type>()
                    .unary::<_, Float64Type>(f),
            )
        }
        (DataType::Decimal128(_, from), DataType::Decimal128(precision, 0)) if *from > 0 => {
            let unit = power_of_ten(from.unsigned_abs().into()).unwrap_or(1);
            let values = array.as_primitive::<Decimal128Type>().iter().map(|value| {
                let value = value.map(|value| match up {
                    true => -(-value).div_euclid(unit),
                    false => value.div_euclid(unit),
                });
                Ok(value)
            });
            return decimals(values, *precision, 0);
        }
        _ => array,
    })
}

/// The type of SIGN: that of the number, with room for a one before the point.
fn sign_type(args: &[DataType]) -> DataType {
    match returns::first(args) {
        DataType::Decimal128(MOST_DIGITS, 38) => DataType::Decimal128(MOST_DIGITS, 37),
        DataType::Decimal128(precision, scale) if i16::from(precision) == i16::from(scale) => {
            DataType::Decimal128(precision + 1, scale)
        }
        other => other,
    }
}

/// SIGN(number): -1, 0 or 1 in the type of the number.
fn sign(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let of_float = |value: f64| match value {
        value if value > 0.0 => 1.0,
        value if value < 0.0 => -1.0,
        other => other,
    };
    Ok(match (array.data_type(), call.return_type()) {
        (DataType::Float32, _) => {
            let values = array.as_primitive::<Float32Type>();
            Arc::new(values.unary::<_, Float32Type>(|value| of_float(value.into()) as f32))
        }
        (DataType::Float64, _) => Arc::new(
            array
                .as_primitive::<Float64Type>()
                .unary::<_, Float64Type>(of_float),
        ),
        (DataType::Decimal128(_, _), DataType::Decimal128(precision, scale)) => {
            let one = power_of_ten(scale.max(&0).unsigned_abs().into()).unwrap_or(1);
            let values = array.as_primitive::<Decimal128Type>().iter();
            let values = values.map(|value| Ok(value.map(|value| value.signum() * one)));
            return decimals(values, *precision, *scale);
        }
        _ => return in_integers(call, &array, |_, value| Some(Some(value.signum()))),
    })
}

/// ABS(number), which fails for the least integer.
fn abs(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    Ok(match array.data_type() {
        DataType::Float32 => Arc::new(
            array
                .as_primitive::<Float32Type>()
                .unary::<_, Float32Type>(f32::abs),
        ),
        DataType::Float64 => Arc::new(
            array
                .as_primitive::<Float64Type>()
                .unary::<_, Float64Type>(f64::abs),
        ),
        DataType::Decimal128(precision, scale) => {
            let values = array.as_primitive::<Decimal128Type>().iter();
            return decimals(
                values.map(|value| Ok(value.map(i128::abs))),
                *precision,
                *scale,
            );
        }
        _ => return in_integers(call, &array, |_, value| Some(Some(value.abs()))),
    })
}
