//! What casts of times become.

use std::fmt::Write as _;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;

use super::calendar::{Date, NANOS_PER_SECOND, instant_of, per_second};
use super::fields::time_column;
use crate::functions::scalar::{Call, evaluation};
use crate::types::LTZ_ZONE;

fn unit_of(args: &[DataType]) -> TimeUnit {
    match args.first() {
        Some(DataType::Timestamp(unit, _)) => *unit,
        _ => TimeUnit::Millisecond,
    }
}

pub(super) fn local_type(args: &[DataType]) -> DataType {
    DataType::Timestamp(unit_of(args), None)
}

pub(super) fn instant_type(args: &[DataType]) -> DataType {
    DataType::Timestamp(unit_of(args), Some(LTZ_ZONE.into()))
}

/// The wall clock's time at an instant, in the session's zone.
pub(super) fn to_local(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.times(0)?;
    if times.zone.is_none() {
        return Ok(cast(&call.array(0)?, call.return_type())?);
    }
    let per_second = per_second(times.unit);
    let values = (0..call.rows()).map(|row| {
        let local = times.local(row)?;
        let whole = local.seconds.checked_mul(per_second)?;
        whole.checked_add(local.nanos / (NANOS_PER_SECOND / per_second))
    });
    time_column(call, values.collect())
}

/// The instant at which the session's wall clock shows a time.
pub(super) fn to_instant(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.times(0)?;
    let zone = call.zone()?;
    if zone.is_none() {
        return Ok(cast(&call.array(0)?, call.return_type())?);
    }
    let per_second = per_second(times.unit);
    let values = (0..call.rows()).map(|row| {
        let local = times.local(row)?;
        let whole = instant_of(zone, local.seconds).checked_mul(per_second)?;
        whole.checked_add(local.nanos / (NANOS_PER_SECOND / per_second))
    });
    time_column(call, values.collect())
}

/// `2020-01-01 00:00:00.000`, with the digits of the type.
pub(super) fn time_text(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.times(0)?;
    let digits = match times.unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    let per_digit = NANOS_PER_SECOND / per_second(times.unit);
    call.text_column(|row| {
        let Some(local) = times.local(row) else {
            return Ok(None);
        };
        let date = Date::from_days(local.days());
        let second = local.second_of_day();
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let mut text = format!(
            "{:04}-{:02}-{:02} {hour:02}:{minute:02}:{second:02}",
            date.year, date.month, date.day
        );
        if digits > 0 {
            let fraction = local.nanos / per_digit;
            // Writing to a String cannot fail.
            let _ = write!(text, ".{fraction:0digits$}");
        }
        Ok(Some(text))
    })
}

/// A time with the given number of digits of a second; those behind are cut off.
pub(super) fn cut_time(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.times(0)?;
    let digits = call.ints(1)?;
    let per_second = per_second(times.unit);
    let values = (0..call.rows()).map(|row| {
        let (Some(value), Some(digits)) = (times.get(row), digits.get(row)) else {
            return Ok(None);
        };
        let kept = u32::try_from(digits)
            .ok()
            .and_then(|digits| 10_i64.checked_pow(digits))
            .ok_or_else(|| evaluation("a precision is 0 to 9"))?;
        let step = (per_second / kept.min(per_second)).max(1);
        Ok(Some(value.div_euclid(step) * step))
    });
    time_column(call, values.collect::<Result<_>>()?)
}
