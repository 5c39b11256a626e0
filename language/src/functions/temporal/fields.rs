//! EXTRACT with its short forms, and FLOOR and CEIL of times.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Int64Array, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;

use super::calendar::{Date, Local, SECONDS_PER_DAY, iso_week, per_second, weekday};
use crate::functions::scalar::{Call, Times, Values, evaluation};

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Millennium,
    Century,
    Decade,
    Year,
    IsoYear,
    Quarter,
    Month,
    Week,
    Day,
    DayOfYear,
    /// From Sunday, which is 1.
    DayOfWeek,
    /// From Monday, which is 1.
    IsoDayOfWeek,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Epoch,
}

impl Field {
    /// The field of that name, in capitals and in the singular.
    fn from_name(name: &str) -> Result<Self> {
        Ok(match name {
            "MILLENNIUM" | "MILLENIUM" => Self::Millennium,
            "CENTURY" => Self::Century,
            "DECADE" => Self::Decade,
            "YEAR" => Self::Year,
            "ISOYEAR" => Self::IsoYear,
            "QUARTER" => Self::Quarter,
            "MONTH" => Self::Month,
            "WEEK" | "ISOWEEK" => Self::Week,
            "DAY" => Self::Day,
            "DOY" | "DAYOFYEAR" => Self::DayOfYear,
            "DOW" | "DAYOFWEEK" => Self::DayOfWeek,
            "ISODOW" => Self::IsoDayOfWeek,
            "HOUR" => Self::Hour,
            "MINUTE" => Self::Minute,
            "SECOND" => Self::Second,
            "MILLISECOND" => Self::Millisecond,
            "MICROSECOND" => Self::Microsecond,
            "NANOSECOND" => Self::Nanosecond,
            "EPOCH" => Self::Epoch,
            other => return Err(evaluation(format!("{other} is not a field of a time"))),
        })
    }

    fn of(self, time: Local) -> i64 {
        let second = time.second_of_day();
        match self {
            Self::Hour => second / 3_600,
            Self::Minute => second / 60 % 60,
            Self::Second => second % 60,
            Self::Millisecond => time.nanos / 1_000_000,
            Self::Microsecond => time.nanos / 1_000,
            Self::Nanosecond => time.nanos,
            Self::Epoch => time.seconds,
            _ => self.of_date(time.days()),
        }
    }

    fn of_date(self, days: i64) -> i64 {
        let date = Date::from_days(days);
        match self {
            Self::Millennium => (date.year + 999).div_euclid(1_000),
            Self::Century => (date.year + 99).div_euclid(100),
            Self::Decade => date.year.div_euclid(10),
            Self::IsoYear => Date::from_days(days - weekday(days) + 3).year,
            Self::Quarter => (i64::from(date.month) + 2) / 3,
            Self::Month => i64::from(date.month),
            Self::Week => iso_week(days),
            Self::Day => i64::from(date.day),
            Self::DayOfYear => date.day_of_year(),
            Self::DayOfWeek => (weekday(days) + 1) % 7 + 1,
            Self::IsoDayOfWeek => weekday(days) + 1,
            _ => date.year,
        }
    }
}

/// YEAR(time), HOUR(time) and so on.
pub(super) fn field(call: &Call<'_>, field: Field) -> Result<ArrayRef> {
    let times = call.times(0)?;
    Ok(field_of(call.rows(), &times, field))
}

/// EXTRACT(field FROM time).
pub(super) fn extract(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.times(1)?;
    match call.texts(0)? {
        Values::Constant(Some(name)) => Ok(field_of(call.rows(), &times, Field::from_name(name)?)),
        _ => Err(evaluation("EXTRACT takes the name of a field")),
    }
}

fn field_of(rows: usize, times: &Times, field: Field) -> ArrayRef {
    let values: Int64Array = (0..rows)
        .map(|row| times.local(row).map(|time| field.of(time)))
        .collect();
    Arc::new(values)
}

/// The type of the call's timestamp, DATE or TIME argument.
pub(super) fn same_time(args: &[DataType]) -> DataType {
    args.iter()
        .find(|data_type| data_type.is_temporal())
        .cloned()
        .unwrap_or(DataType::Timestamp(TimeUnit::Millisecond, None))
}

/// A column of the call's result type from values in its unit.
pub(super) fn time_column(call: &Call<'_>, values: Vec<Option<i64>>) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, zone) = call.return_type() else {
        return day_or_clock_column(call.return_type(), values);
    };
    let zone = zone.clone();
    Ok(match unit {
        TimeUnit::Second => Arc::new(TimestampSecondArray::from(values).with_timezone_opt(zone)),
        TimeUnit::Millisecond => {
            Arc::new(TimestampMillisecondArray::from(values).with_timezone_opt(zone))
        }
        TimeUnit::Microsecond => {
            Arc::new(TimestampMicrosecondArray::from(values).with_timezone_opt(zone))
        }
        TimeUnit::Nanosecond => {
            Arc::new(TimestampNanosecondArray::from(values).with_timezone_opt(zone))
        }
    })
}

/// A DATE column from seconds, or a TIME column from values in its unit.
fn day_or_clock_column(data_type: &DataType, values: Vec<Option<i64>>) -> Result<ArrayRef> {
    let per_day = match data_type {
        DataType::Date32 => {
            let days = values
                .into_iter()
                .map(|value| i32::try_from(value?.div_euclid(SECONDS_PER_DAY)).ok());
            return Ok(Arc::new(days.collect::<Date32Array>()));
        }
        DataType::Time32(unit) | DataType::Time64(unit) => SECONDS_PER_DAY * per_second(*unit),
        _ => return Err(evaluation("a timestamp function must yield a timestamp")),
    };
    let beyond = |value: &&Option<i64>| value.is_some_and(|v| !(0..per_day).contains(&v));
    if values.iter().find(beyond).is_some() {
        return Err(evaluation("a rounded TIME is behind the end of the day"));
    }
    let numbers: ArrayRef = Arc::new(Int64Array::from(values));
    Ok(match data_type {
        DataType::Time32(_) => cast(&cast(&numbers, &DataType::Int32)?, data_type)?,
        _ => cast(&numbers, data_type)?,
    })
}

/// FLOOR(time TO unit).
pub(super) fn floor(call: &Call<'_>) -> Result<ArrayRef> {
    round(call, truncate)
}

/// CEIL(time TO unit): the time itself if nothing smaller than the unit is in it.
pub(super) fn ceil(call: &Call<'_>) -> Result<ArrayRef> {
    round(call, |local, unit| {
        let floor = truncate(local, unit)?;
        if floor == local {
            Ok(local)
        } else {
            next(floor, unit)
        }
    })
}

fn round(call: &Call<'_>, round: fn(Local, &str) -> Result<Local>) -> Result<ArrayRef> {
    let times = call.times(0)?;
    let units = call.texts(1)?;
    let values = (0..call.rows())
        .map(|row| {
            let (Some(local), Some(unit)) = (times.local(row), units.get(row)) else {
                return Ok(None);
            };
            let rounded = times.value_of(round(local, unit)?);
            rounded
                .map(Some)
                .ok_or_else(|| evaluation("a rounded time is out of range"))
        })
        .collect::<Result<Vec<_>>>()?;
    time_column(call, values)
}

fn truncate(local: Local, unit: &str) -> Result<Local> {
    let seconds = local.seconds;
    let days = local.days();
    let date = Date::from_days(days);
    let midnight = |date: Date| date.to_days() * SECONDS_PER_DAY;
    let first_of_year = |year| {
        midnight(Date {
            year,
            month: 1,
            day: 1,
        })
    };
    let seconds = match unit {
        "NANOSECOND" => return Ok(local),
        "MICROSECOND" => {
            return Ok(Local {
                seconds,
                nanos: local.nanos / 1_000 * 1_000,
            });
        }
        "MILLISECOND" => {
            return Ok(Local {
                seconds,
                nanos: local.nanos / 1_000_000 * 1_000_000,
            });
        }
        "SECOND" => seconds,
        "MINUTE" => seconds - seconds.rem_euclid(60),
        "HOUR" => seconds - seconds.rem_euclid(3_600),
        "DAY" => days * SECONDS_PER_DAY,
        // Weeks begin on Sunday here, as in Flink.
        "WEEK" => (days - (weekday(days) + 1) % 7) * SECONDS_PER_DAY,
        "MONTH" => midnight(Date { day: 1, ..date }),
        "QUARTER" => midnight(Date {
            day: 1,
            month: (date.month - 1) / 3 * 3 + 1,
            ..date
        }),
        "YEAR" => first_of_year(date.year),
        "DECADE" => first_of_year(date.year.div_euclid(10) * 10),
        "CENTURY" => first_of_year((date.year - 1).div_euclid(100) * 100 + 1),
        "MILLENNIUM" => first_of_year((date.year - 1).div_euclid(1_000) * 1_000 + 1),
        other => return Err(evaluation(format!("a time cannot be rounded to {other}"))),
    };
    Ok(Local { seconds, nanos: 0 })
}

/// One unit after a time that is a multiple of it.
fn next(floor: Local, unit: &str) -> Result<Local> {
    let plus = |seconds: i64| {
        Ok(Local {
            seconds: floor.seconds + seconds,
            nanos: 0,
        })
    };
    let sub_second = |step: i64| {
        let nanos = floor.nanos + step;
        Ok(Local {
            seconds: floor.seconds + nanos / super::calendar::NANOS_PER_SECOND,
            nanos: nanos % super::calendar::NANOS_PER_SECOND,
        })
    };
    let months = match unit {
        "MICROSECOND" => return sub_second(1_000),
        "MILLISECOND" => return sub_second(1_000_000),
        "SECOND" => return plus(1),
        "MINUTE" => return plus(60),
        "HOUR" => return plus(3_600),
        "DAY" => return plus(SECONDS_PER_DAY),
        "WEEK" => return plus(7 * SECONDS_PER_DAY),
        "MONTH" => 1,
        "QUARTER" => 3,
        "YEAR" => 12,
        "DECADE" => 120,
        "CENTURY" => 1_200,
        _ => 12_000,
    };
    let date = Date::from_days(floor.days())
        .add_months(months)
        .ok_or_else(|| evaluation("a rounded time is out of range"))?;
    Ok(Local {
        seconds: date.to_days() * SECONDS_PER_DAY,
        nanos: 0,
    })
}
