//! Joins of which event time says how long the rows of one side may find partners on the other.
//!
//! An *interval join* bounds the difference of two times from both sides, by comparisons among its conditions:
//!
//! ```text
//!   l.ts BETWEEN r.ts - INTERVAL '5' SECOND AND r.ts + INTERVAL '9' SECOND
//!       lower <= l.ts - r.ts <= upper
//!       l has seen all its partners when time is beyond l.ts - lower, r when it is beyond r.ts + upper
//! ```
//!
//! A *window join* has equal ends of windows among its keys: rows have seen all their partners when their
//! window ends.
//!
//! The comparisons stay among the conditions. What is found here only says how long rows are kept, so where it
//! is not exact it is too long.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, IntervalMonthDayNano, Schema, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, CastExpr, Literal};
use datafusion::physical_expr::utils::split_conjunction;
use levada_engine::graph::{JoinTime, JoinUntil};
use levada_language::types::LTZ_ZONE;

use crate::streaming::expression::{self, ExprRef};
use crate::streaming::{Attribute, Properties};

#[cfg(test)]
mod tests;

/// The function that cuts a time to so many digits of a second.
const CUT_TIME: &str = "cut_time";

const NANOS_PER_MILLI: i128 = 1_000_000;
const NANOS_PER_DAY: i128 = 86_400_000_000_000;

/// What makes two rows partners.
pub(in crate::streaming) struct Partners<'a> {
    /// The rows of the left input.
    pub(in crate::streaming) left: &'a Properties,
    /// Those of the right input.
    pub(in crate::streaming) right: &'a Properties,
    /// What is equal: over the left input, and over the right one.
    pub(in crate::streaming) keys: &'a [(ExprRef, ExprRef)],
    /// Whether keys that are NULL are equal.
    pub(in crate::streaming) null_equals_null: bool,
    /// What must hold besides, over the columns of the left input followed by those of the right one.
    pub(in crate::streaming) condition: Option<&'a ExprRef>,
}

impl Partners<'_> {
    /// How long event time lets the rows find each other; `None` if for ever, or if rows are taken back.
    pub(in crate::streaming) fn time(&self) -> Option<JoinTime> {
        match self.left.updating || self.right.updating {
            true => None,
            false => self.window().or_else(|| self.interval()),
        }
    }

    /// Two windows end at once.
    fn window(&self) -> Option<JoinTime> {
        let end = |expr: &ExprRef, side: &Properties| {
            let end = Shifted::of(expr, &side.schema).filter(|end| (end.from, end.to) == (0, 0))?;
            let until = JoinUntil {
                column: end.column,
                after_ms: -1,
            };
            matches!(side.attribute(end.column), Attribute::WindowEnd(_)).then_some(until)
        };
        self.keys.iter().find_map(|(left, right)| {
            Some(JoinTime {
                left: end(left, self.left)?,
                right: end(right, self.right)?,
            })
        })
    }

    /// The difference of two times lies between bounds; those that are the closest.
    fn interval(&self) -> Option<JoinTime> {
        let all = self.bounds();
        let spans = all.iter().filter_map(|(columns, bounds)| {
            let (lower, upper) = (bounds.lower?, bounds.upper?);
            (lower <= upper).then_some((columns, lower, upper))
        });
        let (columns, lower, upper) = spans.min_by_key(|(_, lower, upper)| upper - lower)?;
        Some(JoinTime {
            left: JoinUntil {
                column: columns.0,
                after_ms: ceil_ms(-lower)?,
            },
            right: JoinUntil {
                column: columns.1,
                after_ms: ceil_ms(upper)?,
            },
        })
    }

    /// What is known of `left - right`, for each two times of the inputs that are compared.
    fn bounds(&self) -> BTreeMap<(usize, usize), Bounds> {
        let mut bounds = BTreeMap::new();
        // Times that are NULL have partners then, and nothing says how long.
        let keys = self.keys.iter().filter(|_| !self.null_equals_null);
        for (left, right) in keys {
            let left = Shifted::of(left, &self.left.schema);
            let right = Shifted::of(right, &self.right.schema);
            if let Some((left, right)) = left.zip(right) {
                self.add(&mut bounds, &left, Operator::Eq, &right);
            }
        }
        let width = self.left.schema.fields().len();
        let fields = self.left.schema.fields().iter();
        let fields = fields.chain(self.right.schema.fields()).cloned();
        let both = Schema::new(fields.collect::<Vec<_>>());
        for part in self.condition.iter().flat_map(|c| split_conjunction(c)) {
            let Some(comparison) = part.downcast_ref::<BinaryExpr>() else {
                continue;
            };
            let first = Shifted::of(comparison.left(), &both);
            let second = Shifted::of(comparison.right(), &both);
            let (Some(first), Some(second)) = (first, second) else {
                continue;
            };
            let op = *comparison.op();
            let (left, op, right) = match (first.column < width, second.column < width) {
                (true, false) => (first, Some(op), second),
                (false, true) => (second, op.swap(), first),
                _ => continue,
            };
            if let (Some(op), Some(column)) = (op, right.column.checked_sub(width)) {
                self.add(&mut bounds, &left, op, &Shifted { column, ..right });
            }
        }
        bounds
    }

    /// A comparison of a time of the left input with one of the right input.
    fn add(
        &self,
        bounds: &mut BTreeMap<(usize, usize), Bounds>,
        left: &Shifted,
        op: Operator,
        right: &Shifted,
    ) {
        let is_time = |side: &Properties, column| side.attribute(column).is_event_time();
        if !is_time(self.left, left.column) || !is_time(self.right, right.column) {
            return;
        }
        let bounds = bounds.entry((left.column, right.column)).or_default();
        if matches!(op, Operator::Gt | Operator::GtEq | Operator::Eq) {
            let lower = right.from - left.to;
            bounds.lower = Some(bounds.lower.map_or(lower, |known| known.max(lower)));
        }
        if matches!(op, Operator::Lt | Operator::LtEq | Operator::Eq) {
            let upper = right.to - left.from;
            bounds.upper = Some(bounds.upper.map_or(upper, |known| known.min(upper)));
        }
    }
}

/// Between what the difference of two times lies, in nanoseconds, as far as that is known.
#[derive(Default)]
struct Bounds {
    lower: Option<i128>,
    upper: Option<i128>,
}

/// What lies between `column + from` and `column + to`, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shifted {
    column: usize,
    from: i128,
    to: i128,
}

impl Shifted {
    /// A timestamp column to which intervals are added, or of which they are taken away, in any precision.
    fn of(expr: &ExprRef, schema: &Schema) -> Option<Self> {
        let precision = precision_ns(&expr.data_type(schema).ok()?)?;
        if let Some(column) = expression::as_column(expr) {
            return Some(Shifted {
                column,
                from: 0,
                to: 0,
            });
        }
        if let Some((time, step)) = cut(expr) {
            let inner = Self::of(time, schema)?;
            let from = inner.from - step;
            return Some(Shifted { from, ..inner });
        }
        if let Some(cast) = expr.downcast_ref::<CastExpr>() {
            let inner = Self::of(cast.expr(), schema)?;
            let (from, to) = (cast.expr().data_type(schema).ok()?, cast.cast_type());
            let is_cut = cut(cast.expr()).is_some_and(|(_, step)| step >= precision);
            let exact = is_cut || precision <= precision_ns(&from)?;
            // Between an instant and what a clock shows lies a zone, which is not always as far from UTC.
            return (zoned(&from) == zoned(to)).then(|| match exact {
                true => inner,
                false => inner.rounded(precision),
            });
        }
        let sum = expr.downcast_ref::<BinaryExpr>()?;
        let (time, (from, to)) = match (sum.op(), length(sum.left()), length(sum.right())) {
            (Operator::Plus, Some(length), None) => (sum.right(), length),
            (Operator::Plus, None, Some(length)) => (sum.left(), length),
            (Operator::Minus, None, Some((least, most))) => (sum.left(), (-most, -least)),
            _ => return None,
        };
        let inner = Self::of(time, schema)?;
        let shifted = Shifted {
            column: inner.column,
            from: inner.from + from,
            to: inner.to + to,
        };
        let whole = from % precision == 0 && to % precision == 0;
        Some(match whole {
            true => shifted,
            false => shifted.rounded(precision),
        })
    }

    /// The same in steps of so many nanoseconds, whichever way it is rounded.
    fn rounded(self, step: i128) -> Self {
        Shifted {
            from: self.from - step,
            to: self.to + step,
            ..self
        }
    }
}

/// A time of which all is cut off below a step of so many nanoseconds.
fn cut(expr: &ExprRef) -> Option<(&ExprRef, i128)> {
    let function = expr.downcast_ref::<ScalarFunctionExpr>()?;
    let ([time, digits], CUT_TIME) = (function.args(), function.name()) else {
        return None;
    };
    let ScalarValue::Int64(Some(digits)) = digits.downcast_ref::<Literal>()?.value() else {
        return None;
    };
    let zeros = u32::try_from(9_i64.checked_sub(*digits)?).ok()?;
    Some((time, 10_i128.checked_pow(zeros)?))
}

/// The steps of a timestamp, in nanoseconds.
fn precision_ns(data_type: &DataType) -> Option<i128> {
    let DataType::Timestamp(unit, zone) = data_type else {
        return None;
    };
    // Days of other zones are not all as long.
    if zone.as_ref().is_some_and(|zone| zone.as_ref() != LTZ_ZONE) {
        return None;
    }
    Some(match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => NANOS_PER_MILLI,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    })
}

fn zoned(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, Some(_)))
}

/// The least and the most nanoseconds of a constant interval: a month has 28 to 31 days.
fn length(expr: &ExprRef) -> Option<(i128, i128)> {
    let literal = expr.downcast_ref::<Literal>()?;
    let ScalarValue::IntervalMonthDayNano(Some(interval)) = literal.value() else {
        return None;
    };
    let IntervalMonthDayNano {
        months,
        days,
        nanoseconds,
    } = *interval;
    let fixed = i128::from(days) * NANOS_PER_DAY + i128::from(nanoseconds);
    let of_months = |days: i128| i128::from(months) * days * NANOS_PER_DAY;
    let (short, long) = (of_months(28), of_months(31));
    Some((fixed + short.min(long), fixed + short.max(long)))
}

/// Milliseconds, rounded up; `None` if they are too many.
fn ceil_ms(nanos: i128) -> Option<i64> {
    i64::try_from(-(-nanos).div_euclid(NANOS_PER_MILLI)).ok()
}
