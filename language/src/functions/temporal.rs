//! Functions on dates and times.

mod arithmetic;
mod calendar;
mod cast;
mod convert;
mod fields;
mod format;
mod pattern;

use super::scalar::{Param, Spec, returns};
use Param::{Any, AnyTime, DateOrTime, Int, Text, Time};

/// The wall clock's time at an instant.
pub(super) const TO_LOCAL: &str = "to_local";
/// The instant at which the wall clock shows a time.
pub(super) const TO_INSTANT: &str = "to_instant";
/// A time as text.
pub(super) const TIME_TEXT: &str = "time_text";
/// A time with fewer digits of a second.
pub(super) const CUT_TIME: &str = "cut_time";
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
        &[Text, Int, DateOrTime],
        same_time,
        arithmetic::timestampadd,
    )
    .typed(arithmetic::added_type),
    Spec::new(
        "timestampdiff",
        &[Text, Time, Time],
        returns::int,
        arithmetic::timestampdiff,
    ),
    Spec::new(
        "extract",
        &[Text, AnyTime],
        returns::bigint,
        fields::extract,
    ),
    Spec::new(
        "timestamp_floor",
        &[AnyTime, Text],
        same_time,
        fields::floor,
    ),
    Spec::new("timestamp_ceil", &[AnyTime, Text], same_time, fields::ceil),
    Spec::new(TO_LOCAL, &[Time], cast::local_type, cast::to_local),
    Spec::new(TO_INSTANT, &[Time], cast::instant_type, cast::to_instant),
    Spec::new(TIME_TEXT, &[Time], returns::text, cast::time_text),
    Spec::new(CUT_TIME, &[Time, Int], same_time, cast::cut_time),
    Spec::new("year", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::Year)
    }),
    Spec::new("quarter", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::Quarter)
    }),
    Spec::new("month", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::Month)
    }),
    Spec::new("week", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::Week)
    }),
    Spec::new("dayofyear", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::DayOfYear)
    }),
    Spec::new("dayofmonth", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::Day)
    }),
    Spec::new("dayofweek", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::DayOfWeek)
    }),
    Spec::new("hour", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::Hour)
    }),
    Spec::new("minute", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::Minute)
    }),
    Spec::new("second", &[AnyTime], returns::bigint, |call| {
        fields::field(call, fields::Field::Second)
    }),
];
