//! Functions that read the clock. They are volatile: each batch reads it anew.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use arrow::datatypes::TimeUnit;
use chrono::{Offset, TimeZone};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::scalar::{evaluation, returns, session_zone};
use crate::types::LTZ_ZONE;

/// Tells the time in milliseconds since the epoch. Tests drive it.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// What a function makes of the time: `instant` in UTC and `local` in the session's zone, both
/// in milliseconds.
struct Reading {
    name: &'static str,
    aliases: &'static [&'static str],
    returns: fn(&[DataType]) -> DataType,
    value: fn(instant: i64, local: i64) -> ScalarValue,
}

static READINGS: &[Reading] = &[
    Reading {
        name: "proctime",
        aliases: &[],
        returns: returns::timestamp_ltz,
        value: |instant, _| ltz(instant),
    },
    Reading {
        name: "now",
        aliases: &["current_timestamp", "current_row_timestamp"],
        returns: returns::timestamp_ltz,
        value: |instant, _| ltz(instant),
    },
    Reading {
        name: "localtimestamp",
        aliases: &[],
        returns: returns::timestamp,
        value: |_, local| ScalarValue::TimestampMillisecond(Some(local), None),
    },
    Reading {
        name: "current_date",
        aliases: &["today"],
        returns: returns::date,
        value: |_, local| ScalarValue::Date32(i32::try_from(local.div_euclid(MILLIS_PER_DAY)).ok()),
    },
    Reading {
        name: "current_time",
        aliases: &["localtime"],
        returns: |_| DataType::Time32(TimeUnit::Millisecond),
        value: |_, local| {
            ScalarValue::Time32Millisecond(i32::try_from(local.rem_euclid(MILLIS_PER_DAY)).ok())
        },
    },
    Reading {
        name: "current_unix_timestamp",
        aliases: &[],
        returns: returns::bigint,
        value: |instant, _| ScalarValue::Int64(Some(instant.div_euclid(1_000))),
    },
];

fn ltz(instant: i64) -> ScalarValue {
    ScalarValue::TimestampMillisecond(Some(instant), Some(LTZ_ZONE.into()))
}

/// The names of the functions, but for what others are made of.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let readings = READINGS
        .iter()
        .filter(|reading| reading.name != "current_unix_timestamp");
    readings
        .flat_map(|reading| std::iter::once(reading.name).chain(reading.aliases.iter().copied()))
}

/// The functions, all reading `clock`.
pub(super) fn functions(clock: &Clock) -> Vec<ScalarUDF> {
    READINGS
        .iter()
        .map(|reading| {
            ScalarUDF::new_from_impl(ClockFunction {
                reading,
                aliases: reading
                    .aliases
                    .iter()
                    .map(|alias| (*alias).to_string())
                    .collect(),
                signature: Signature::exact(vec![], Volatility::Volatile),
                clock: Arc::clone(clock),
            })
        })
        .collect()
}

struct ClockFunction {
    reading: &'static Reading,
    aliases: Vec<String>,
    signature: Signature,
    clock: Clock,
}

impl fmt::Debug for ClockFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reading.name)
    }
}

impl PartialEq for ClockFunction {
    fn eq(&self, other: &Self) -> bool {
        self.reading.name == other.reading.name
    }
}

impl Eq for ClockFunction {}

impl Hash for ClockFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.reading.name.hash(state);
    }
}

impl ScalarUDFImpl for ClockFunction {
    fn name(&self) -> &str {
        self.reading.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok((self.reading.returns)(arg_types))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let instant = (self.clock)();
        let local = match session_zone(&args.config_options)? {
            None => instant,
            Some(zone) => {
                let utc = chrono::DateTime::from_timestamp_millis(instant)
                    .ok_or_else(|| evaluation("the clock is out of range"))?;
                let offset = zone.offset_from_utc_datetime(&utc.naive_utc()).fix();
                instant + i64::from(offset.local_minus_utc()) * 1_000
            }
        };
        Ok(ColumnarValue::Scalar((self.reading.value)(instant, local)))
    }
}
