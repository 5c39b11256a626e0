//! Functions on dates and times.

mod arithmetic;
mod calendar;
mod convert;
mod fields;
mod format;
mod pattern;

use super::scalar::{Param, Spec, returns};
use Param::{Any, Int, Text, Time};
use fields::same_time;

pub(super) static SPECS: &[Spec] = &[
    Spec::new(
        "date_format",
        &[Time, Text],
        returns::text,
        format::date_format,
    ),
    Spec::new(
        "to_timestamp",
        &[Text, Text],
        returns::timestamp,
        convert::to_timestamp,
    )
    .required(1),
    Spec::new(
        "to_timestamp_ltz",
        &[Any, Any, Text],
        returns::timestamp_ltz,
        convert::to_timestamp_ltz,
    )
    .required(1),
    Spec::new("to_date", &[Text, Text], returns::date, convert::to_date).required(1),
    Spec::new(
        "convert_tz",
        &[Text, Text, Text],
        returns::text,
        convert::convert_tz,
    ),
    Spec::new(
        "from_unixtime",
        &[Int, Text],
        returns::text,
        convert::from_unixtime,
    )
    .required(1),
    Spec::new(
        "unix_timestamp",
        &[Text, Text],
        returns::bigint,
        convert::unix_timestamp,
    )
    .required(1),
    Spec::new(
        "timestampadd",
        &[Text, Int, Time],
        same_time,
        arithmetic::timestampadd,
    ),
    Spec::new(
        "timestampdiff",
        &[Text, Time, Time],
        returns::int,
        arithmetic::timestampdiff,
    ),
    Spec::new("extract", &[Text, Time], returns::bigint, fields::extract),
    Spec::new("timestamp_floor", &[Time, Text], same_time, fields::floor),
    Spec::new("timestamp_ceil", &[Time, Text], same_time, fields::ceil),
    Spec::new("year", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::Year)
    }),
    Spec::new("quarter", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::Quarter)
    }),
    Spec::new("month", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::Month)
    }),
    Spec::new("week", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::Week)
    }),
    Spec::new("dayofyear", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::DayOfYear)
    }),
    Spec::new("dayofmonth", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::Day)
    }),
    Spec::new("dayofweek", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::DayOfWeek)
    }),
    Spec::new("hour", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::Hour)
    }),
    Spec::new("minute", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::Minute)
    }),
    Spec::new("second", &[Time], returns::bigint, |call| {
        fields::field(call, fields::Field::Second)
    }),
];
