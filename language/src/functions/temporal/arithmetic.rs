//! TIMESTAMPADD and TIMESTAMPDIFF.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};

use super::calendar::{Date, Local, NANOS_PER_SECOND, SECONDS_PER_DAY};
use super::fields::{same_time, time_column};
use crate::functions::scalar::{Call, Values, evaluation};

/// A unit of time: a fixed length, or a number of months.
#[derive(Clone, Copy)]
enum Unit {
    Nanos(i64),
    Seconds(i64),
    Months(i64),
}

impl Unit {
    fn from_name(name: &str) -> Result<Self> {
        Ok(match name {
            "NANOSECOND" => Self::Nanos(1),
            "MICROSECOND" => Self::Nanos(1_000),
            "MILLISECOND" => Self::Nanos(1_000_000),
            "SECOND" => Self::Seconds(1),
            "MINUTE" => Self::Seconds(60),
            "HOUR" => Self::Seconds(3_600),
            "DAY" => Self::Seconds(SECONDS_PER_DAY),
            "WEEK" => Self::Seconds(7 * SECONDS_PER_DAY),
            "MONTH" => Self::Months(1),
            "QUARTER" => Self::Months(3),
            "YEAR" => Self::Months(12),
            other => return Err(evaluation(format!("{other} is not a unit of time"))),
        })
    }

    /// `time` later by `amount` units; `None` if that is out of range.
    fn add(self, time: Local, amount: i64) -> Option<Local> {
        match self {
            Self::Nanos(length) => {
                let total = i128::from(time.nanos) + i128::from(amount) * i128::from(length);
                let second = i128::from(NANOS_PER_SECOND);
                Some(Local {
                    seconds: time
                        .seconds
                        .checked_add(i64::try_from(total.div_euclid(second)).ok()?)?,
                    nanos: i64::try_from(total.rem_euclid(second)).ok()?,
                })
            }
            Self::Seconds(length) => Some(Local {
                seconds: time.seconds.checked_add(amount.checked_mul(length)?)?,
                nanos: time.nanos,
            }),
            Self::Months(length) => {
                let date = Date::from_days(time.days()).add_months(amount.checked_mul(length)?)?;
                Some(Local {
                    seconds: date.to_days() * SECONDS_PER_DAY + time.second_of_day(),
                    nanos: time.nanos,
                })
            }
        }
    }

    /// How many whole units lie between two times, towards zero.
    fn between(self, from: Local, to: Local) -> i64 {
        let nanos = |time: Local| {
            i128::from(time.seconds) * i128::from(NANOS_PER_SECOND) + i128::from(time.nanos)
        };
        let length = match self {
            Self::Nanos(length) => i128::from(length),
            Self::Seconds(length) => i128::from(length) * i128::from(NANOS_PER_SECOND),
            Self::Months(length) => return months_between(from, to) / length,
        };
        i64::try_from((nanos(to) - nanos(from)) / length).unwrap_or(i64::MAX)
    }
}

fn months_between(from: Local, to: Local) -> i64 {
    let parts = |time: Local| {
        let date = Date::from_days(time.days());
        let months = date.year * 12 + i64::from(date.month);
        (months, (date.day, time.second_of_day(), time.nanos))
    };
    let ((from_months, from_rest), (to_months, to_rest)) = (parts(from), parts(to));
    let months = to_months - from_months;
    // A month that has begun but not passed does not count.
    if months > 0 && to_rest < from_rest {
        months - 1
    } else if months < 0 && to_rest > from_rest {
        months + 1
    } else {
        months
    }
}

fn unit(call: &Call<'_>) -> Result<Unit> {
    match call.texts(0)? {
        Values::Constant(Some(name)) => Unit::from_name(name),
        _ => Err(evaluation("a unit of time must be a word, such as DAY")),
    }
}

/// The type of TIMESTAMPADD: a DATE stays one if whole days are added.
pub(super) fn added_type(
    args: &[DataType],
    constants: &[Option<&ScalarValue>],
) -> Result<DataType> {
    let time = same_time(args);
    if time != DataType::Date32 {
        return Ok(time);
    }
    let unit = match constants.first() {
        Some(Some(ScalarValue::Utf8(Some(name)))) => Unit::from_name(name)?,
        _ => return Ok(time),
    };
    Ok(match unit {
        Unit::Months(_) => time,
        Unit::Seconds(length) if length % SECONDS_PER_DAY == 0 => time,
        _ => DataType::Timestamp(TimeUnit::Millisecond, None),
    })
}

/// TIMESTAMPADD(unit, amount, time).
pub(super) fn timestampadd(call: &Call<'_>) -> Result<ArrayRef> {
    let unit = unit(call)?;
    let (amounts, times) = (call.ints(1)?, call.times_as(2, call.return_type())?);
    let values = (0..call.rows())
        .map(|row| {
            let (Some(amount), Some(time)) = (amounts.get(row), times.local(row)) else {
                return Ok(None);
            };
            let value = unit.add(time, amount).and_then(|time| times.value_of(time));
            value
                .map(Some)
                .ok_or_else(|| evaluation("TIMESTAMPADD is out of range"))
        })
        .collect::<Result<Vec<_>>>()?;
    time_column(call, values)
}

/// TIMESTAMPDIFF(unit, from, to): `to - from` in whole units.
pub(super) fn timestampdiff(call: &Call<'_>) -> Result<ArrayRef> {
    let unit = unit(call)?;
    let (from, to) = (call.times(1)?, call.times(2)?);
    let values = (0..call.rows())
        .map(|row| {
            let (Some(from), Some(to)) = (from.local(row), to.local(row)) else {
                return Ok(None);
            };
            i32::try_from(unit.between(from, to))
                .map(Some)
                .map_err(|_| evaluation("TIMESTAMPDIFF is out of the range of INT"))
        })
        .collect::<Result<Int32Array>>()?;
    Ok(Arc::new(values))
}
