//! The ranges in which a table is read (`scan.partition.*`).

use arrow::datatypes::Schema;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use levada_engine::{EngineError, Result};
use serde::{Deserialize, Serialize};

use super::config::quote;
use super::types::{Scalar, Type};
use crate::options::{Options, unknown_name};

const OPTIONS: [&str; 4] = [
    "scan.partition.column",
    "scan.partition.num",
    "scan.partition.lower-bound",
    "scan.partition.upper-bound",
];
/// More would only cost.
const MOST_RANGES: u32 = 100_000;

/// How a table is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partitioning {
    pub column: String,
    pub unit: Unit,
    count: u32,
    lower: i64,
    upper: i64,
}

/// What bounds count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Unit {
    Number,
    /// Days since 1970-01-01.
    Day,
    /// Microseconds since 1970-01-01.
    Micro,
    /// The same, in UTC.
    Instant,
}

/// Rows whose value of the partition column is not less than `low` and less than `high`; in the last
/// range, not greater than `high`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range {
    pub column: String,
    pub unit: Unit,
    pub low: i64,
    pub high: i64,
    pub is_last: bool,
}

impl Partitioning {
    pub(super) fn parse(options: &mut Options, schema: &Schema) -> Result<Option<Self>> {
        let [column_option, count_option, lower_option, upper_option] = OPTIONS;
        let column = options.text(column_option);
        let count = options.parsed::<u32>(count_option, "a number of ranges")?;
        let (lower, upper) = (options.text(lower_option), options.text(upper_option));
        let (Some(column), Some(count), Some(lower), Some(upper)) =
            (column.clone(), count, lower.clone(), upper.clone())
        else {
            let given = [
                column.is_some(),
                count.is_some(),
                lower.is_some(),
                upper.is_some(),
            ];
            let missing = OPTIONS.iter().zip(given).find(|(_, given)| !given);
            return match missing {
                Some((missing, _)) if given.contains(&true) => Err(EngineError::config(format!(
                    "the option '{missing}' is missing; reading by ranges needs all of {}",
                    OPTIONS.map(|o| format!("'{o}'")).join(", ")
                ))),
                _ => Ok(None),
            };
        };
        let Some((_, field)) = schema.fields().find(&column) else {
            let names = schema.fields().iter().map(|f| f.name());
            return Err(unknown_name("column", &column, names).at(column_option));
        };
        let unit = match Type::of(field)? {
            Type { is_array: true, .. } => None,
            Type { scalar, .. } => match scalar {
                Scalar::Int(_) | Scalar::Float(_) | Scalar::Decimal(_, _) => Some(Unit::Number),
                Scalar::Date => Some(Unit::Day),
                Scalar::Timestamp(false, _) => Some(Unit::Micro),
                Scalar::Timestamp(true, _) => Some(Unit::Instant),
                _ => None,
            },
        };
        let unit = unit.ok_or_else(|| {
            options.invalid(column_option, "a column of numbers, dates or timestamps")
        })?;
        let bound = |option: &str, text: &str| {
            let expected = unit.expected();
            unit.parse(text)
                .ok_or_else(|| options.invalid(option, expected))
        };
        let (lower, upper) = (bound(lower_option, &lower)?, bound(upper_option, &upper)?);
        if count == 0 || count > MOST_RANGES {
            return Err(options.invalid(count_option, &format!("1 to {MOST_RANGES}")));
        }
        if lower > upper {
            let expected = format!("not less than '{lower_option}'");
            return Err(options.invalid(upper_option, &expected));
        }
        Ok(Some(Self {
            column,
            unit,
            count,
            lower,
            upper,
        }))
    }

    /// The ranges, as many as there are values for.
    pub(super) fn ranges(&self) -> Vec<Range> {
        let (lower, upper) = (i128::from(self.lower), i128::from(self.upper));
        let values = upper - lower + 1;
        let count = i128::from(self.count).min(values);
        let bound = |index: i128| i64::try_from(lower + values * index / count);
        let range = |index: i128| {
            let is_last = index + 1 == count;
            Range {
                column: self.column.clone(),
                unit: self.unit,
                low: bound(index).unwrap_or(self.lower),
                high: match is_last {
                    true => self.upper,
                    false => bound(index + 1).unwrap_or(self.upper),
                },
                is_last,
            }
        };
        (0..count).map(range).collect()
    }
}

impl Unit {
    fn expected(self) -> &'static str {
        match self {
            Unit::Number => "a whole number",
            Unit::Day => "a date such as '2026-01-31'",
            Unit::Micro | Unit::Instant => "a timestamp such as '2026-01-31 12:00:00'",
        }
    }

    fn parse(self, text: &str) -> Option<i64> {
        let text = text.trim();
        let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        match self {
            Unit::Number => text.parse().ok(),
            Unit::Day => {
                let days = date()?.signed_duration_since(NaiveDate::default());
                Some(days.num_days())
            }
            Unit::Micro | Unit::Instant => {
                let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok();
                let time = time.or_else(|| Some(date()?.and_time(NaiveTime::MIN)))?;
                Some(time.and_utc().timestamp_micros())
            }
        }
    }

    /// A bound as SQL.
    fn literal(self, value: i64) -> String {
        match self {
            Unit::Number => format!("({value})"),
            Unit::Day => format!("(DATE '1970-01-01' + ({value}))"),
            Unit::Micro | Unit::Instant => {
                let (seconds, micros) = (value.div_euclid(1_000_000), value.rem_euclid(1_000_000));
                let origin = match self {
                    Unit::Instant => "TIMESTAMPTZ '1970-01-01 00:00:00+00'",
                    _ => "TIMESTAMP '1970-01-01 00:00:00'",
                };
                format!(
                    "({origin} + ({seconds}) * INTERVAL '1 second' + {micros} * INTERVAL '1 microsecond')"
                )
            }
        }
    }
}

impl Range {
    /// The condition as SQL, in a table that is called `source`.
    pub(super) fn condition(&self) -> String {
        let column = format!("source.{}", quote(&self.column));
        let (low, high) = (self.unit.literal(self.low), self.unit.literal(self.high));
        let below = if self.is_last { "<=" } else { "<" };
        format!("{column} >= {low} AND {column} {below} {high}")
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let close = if self.is_last { ']' } else { ')' };
        write!(f, "{} [{}, {}{close}", self.column, self.low, self.high)
    }
}
