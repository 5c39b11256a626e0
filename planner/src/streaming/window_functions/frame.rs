//! Frames, whose distances become whole numbers.

use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};
use levada_engine::graph::{Bound, Frame, FrameUnit};
use levada_language::types::SqlType;

use super::order_type;
use crate::logical;
use crate::streaming::ranking::Sorting;

/// Why a frame is refused.
pub(super) struct Refused {
    pub(super) text: String,
    pub(super) hint: &'static str,
}

fn refused(text: impl Into<String>, hint: &'static str) -> Refused {
    Refused {
        text: text.into(),
        hint,
    }
}

const NANOS_PER_DAY: i128 = 86_400_000_000_000;

/// The frame of a function over rows in an order.
pub(super) fn of(
    frame: &WindowFrame,
    sorting: &Sorting,
    schema: &SchemaRef,
) -> Result<Frame, Refused> {
    let unit = match frame.units {
        WindowFrameUnits::Rows => FrameUnit::Rows,
        WindowFrameUnits::Range => FrameUnit::Range,
        // All that is equal in order is one group.
        WindowFrameUnits::Groups if logical::has_no_distance(frame) => FrameUnit::Range,
        WindowFrameUnits::Groups => {
            return Err(refused(
                "a frame of GROUPS on streams",
                "count ROWS, or give a distance in the order by RANGE",
            ));
        }
    };
    let order = order_type(sorting, schema);
    let bound = |bound: &WindowFrameBound| {
        let (value, behind) = match bound {
            WindowFrameBound::CurrentRow => return Ok(Bound::Current),
            WindowFrameBound::Preceding(value) => (value, false),
            WindowFrameBound::Following(value) => (value, true),
        };
        if value.is_null() {
            return Ok(Bound::Unbounded);
        }
        let distance = match unit {
            FrameUnit::Rows => super::integer(value).ok_or_else(|| too_far(value)),
            FrameUnit::Range => distance(value, order.as_ref()),
        }?;
        Ok(Bound::Preceding(if behind {
            distance.saturating_neg()
        } else {
            distance
        }))
    };
    Ok(Frame {
        unit,
        start: bound(&frame.start_bound)?,
        end: bound(&frame.end_bound)?,
    })
}

fn too_far(value: &ScalarValue) -> Refused {
    refused(
        format!("a frame that is bounded by {value} on streams"),
        "write a whole number that fits BIGINT",
    )
}

/// A distance in the order, in the unit of its only column.
fn distance(value: &ScalarValue, order: Option<&DataType>) -> Result<i64, Refused> {
    let Some(order) = order else {
        return Err(refused(
            "a frame of RANGE with a distance, and not exactly one column in ORDER BY, on streams",
            "order by the one column that the distance is about, or count ROWS",
        ));
    };
    let unit_nanos: i128 = match order {
        DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1,
        DataType::Date32 => NANOS_PER_DAY,
        DataType::Decimal128(_, scale) => {
            let scaled = value.cast_to(&DataType::Decimal128(38, *scale));
            return match scaled {
                Ok(ScalarValue::Decimal128(Some(units), ..)) => {
                    i64::try_from(units).map_err(|_| too_far(value))
                }
                _ => Err(too_far(value)),
            };
        }
        integer if integer.is_integer() => {
            return super::integer(value).ok_or_else(|| too_far(value));
        }
        other => {
            let shown = SqlType::from_arrow(other);
            return Err(refused(
                format!(
                    "a frame of RANGE with a distance between values of type {shown} on streams"
                ),
                "order by a whole number, a DECIMAL, a DATE or a TIMESTAMP, or count ROWS",
            ));
        }
    };
    let nanos = nanoseconds(value).ok_or_else(|| {
        refused(
            "a frame that is bounded by months or years on streams",
            "write the interval in days",
        )
    })?;
    if nanos % unit_nanos != 0 {
        return Err(refused(
            "a frame that is bounded more finely than its order column counts on streams",
            "write the interval in the unit of the column, or cast the column to a finer type",
        ));
    }
    i64::try_from(nanos / unit_nanos).map_err(|_| too_far(value))
}

/// An interval of fixed length in nanoseconds.
fn nanoseconds(value: &ScalarValue) -> Option<i128> {
    Some(match value {
        ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months == 0 => {
            i128::from(interval.days) * NANOS_PER_DAY + i128::from(interval.nanoseconds)
        }
        ScalarValue::IntervalDayTime(Some(interval)) => {
            i128::from(interval.days) * NANOS_PER_DAY
                + i128::from(interval.milliseconds) * 1_000_000
        }
        ScalarValue::DurationSecond(Some(n)) => i128::from(*n) * 1_000_000_000,
        ScalarValue::DurationMillisecond(Some(n)) => i128::from(*n) * 1_000_000,
        ScalarValue::DurationMicrosecond(Some(n)) => i128::from(*n) * 1000,
        ScalarValue::DurationNanosecond(Some(n)) => i128::from(*n),
        _ => return None,
    })
}

/// The frame for people.
pub(super) fn text(frame: &WindowFrame) -> String {
    let bound = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::CurrentRow => "CURRENT ROW".to_string(),
        WindowFrameBound::Preceding(value) if value.is_null() => "UNBOUNDED PRECEDING".to_string(),
        WindowFrameBound::Following(value) if value.is_null() => "UNBOUNDED FOLLOWING".to_string(),
        WindowFrameBound::Preceding(value) => format!("{} PRECEDING", amount(value)),
        WindowFrameBound::Following(value) => format!("{} FOLLOWING", amount(value)),
    };
    let (start, end) = (bound(&frame.start_bound), bound(&frame.end_bound));
    format!("{} BETWEEN {start} AND {end}", frame.units)
}

fn amount(value: &ScalarValue) -> String {
    let literal = datafusion::physical_expr::expressions::lit(value.clone());
    crate::streaming::text(&literal)
}
