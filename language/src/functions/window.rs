//! The window marker: how a window travels from SQL to the streaming plan.
//!
//! The parser writes every window, whatever its syntax, as field accesses on a call of one
//! function, which is never evaluated:
//!
//! ```text
//! get_field(__levada_window(kind, time, size, slide, offset, location, key …), field)
//! ```
//!
//! | argument | type | meaning |
//! |---|---|---|
//! | kind | text literal | 'tumble', 'hop', 'cumulate' or 'session' |
//! | time | TIMESTAMP or TIMESTAMP_LTZ | the time attribute; `proctime()` for processing time |
//! | size | interval literal | size of the window; the gap of a session |
//! | slide | interval literal or NULL | slide of HOP, step of CUMULATE |
//! | offset | interval literal or NULL | shift of the window's borders |
//! | location | integer literal | position in the SQL, see [`unpack_location`] |
//! | key … | anything | PARTITION BY of a session window |
//!
//! `field` is [`WINDOW_START`], [`WINDOW_END`] or [`WINDOW_TIME`] (the last instant of the
//! window, a time attribute). The call's type is a struct of the three, each of the type of
//! `time`.
//!
//! Such field accesses stand in a projection (table functions: all columns of the input,
//! then the three) or in GROUP BY and above it (legacy group windows). Whoever plans a
//! window reads the call with [`WindowCall::from_expr`].

use std::hash::Hash;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::error::{Location, PlanError, PlanErrorKind};

/// The marker's name.
pub const MARKER: &str = "__levada_window";
/// Field: the window's first instant.
pub const WINDOW_START: &str = "window_start";
/// Field: the first instant after the window.
pub const WINDOW_END: &str = "window_end";
/// Field: the window's last instant.
pub const WINDOW_TIME: &str = "window_time";

/// Arguments in front of the keys.
const FIXED_ARGUMENTS: usize = 6;
const MILLIS_PER_DAY: i64 = 86_400_000;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// How windows lie on the time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// Side by side.
    Tumble,
    /// Overlapping, a new one every slide.
    Hop,
    /// Growing by steps up to their size.
    Cumulate,
    /// From the first row of a key until the gap after its last.
    Session,
}

impl WindowKind {
    /// The kind as the marker's first argument.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tumble => "tumble",
            Self::Hop => "hop",
            Self::Cumulate => "cumulate",
            Self::Session => "session",
        }
    }

    /// The kind as in SQL.
    pub fn sql_name(self) -> &'static str {
        match self {
            Self::Tumble => "TUMBLE",
            Self::Hop => "HOP",
            Self::Cumulate => "CUMULATE",
            Self::Session => "SESSION",
        }
    }

    /// The kind of that name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Tumble, Self::Hop, Self::Cumulate, Self::Session]
            .into_iter()
            .find(|kind| name.eq_ignore_ascii_case(kind.name()))
    }
}

/// A position as one number: lines in the upper, columns in the lower 32 bits; 0 is unknown.
pub fn pack_location(location: Option<Location>) -> i64 {
    location.map_or(0, |at| {
        (i64::from(at.line & 0x7fff_ffff) << 32) | i64::from(at.column)
    })
}

/// The position that [`pack_location`] packed.
pub fn unpack_location(packed: i64) -> Option<Location> {
    let line = u32::try_from(packed >> 32).ok().filter(|line| *line > 0)?;
    let column = u32::try_from(packed & 0xffff_ffff).ok()?;
    Some(Location { line, column })
}

/// A call of the marker, read.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowCall {
    /// How the windows lie.
    pub kind: WindowKind,
    /// The time attribute.
    pub time: Expr,
    /// Size in milliseconds, more than 0; the gap of a session.
    pub size_ms: i64,
    /// Slide of HOP or step of CUMULATE in milliseconds, more than 0.
    pub slide_ms: Option<i64>,
    /// Shift of the borders in milliseconds.
    pub offset_ms: i64,
    /// PARTITION BY of a session.
    pub keys: Vec<Expr>,
    /// Where the window stands in the SQL.
    pub location: Option<Location>,
}

impl WindowCall {
    /// Reads `expr` if it is a call of the marker.
    ///
    /// # Errors
    /// The size, slide or offset is not a positive number of milliseconds, or they do not fit
    /// together; with the window's position.
    pub fn from_expr(expr: &Expr) -> Result<Option<Self>, PlanError> {
        match expr {
            Expr::ScalarFunction(function) if function.func.name() == MARKER => {
                Self::from_call(function).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn from_call(function: &ScalarFunction) -> Result<Self, PlanError> {
        let malformed = || PlanError::internal("a window marker is malformed");
        let [kind, time, size, slide, offset, location, keys @ ..] = function.args.as_slice()
        else {
            return Err(malformed());
        };
        let location = literal(location).and_then(as_i64).and_then(unpack_location);
        let kind = literal(kind)
            .and_then(|value| value.try_as_str().flatten())
            .and_then(WindowKind::from_name)
            .ok_or_else(malformed)?;
        let reader = Reader { kind, location };
        let call = Self {
            kind,
            time: time.clone(),
            size_ms: reader.positive("size", size)?,
            slide_ms: reader.optional("slide", slide)?,
            offset_ms: reader.millis("offset", offset)?.unwrap_or(0),
            keys: keys.to_vec(),
            location,
        };
        call.check()?;
        Ok(call)
    }

    fn check(&self) -> Result<(), PlanError> {
        let error = |message: String| {
            Err(PlanError::new(PlanErrorKind::InvalidWindow, message).at(self.location))
        };
        match (self.kind, self.slide_ms) {
            (WindowKind::Cumulate, Some(step)) if self.size_ms % step != 0 => error(
                "the size of CUMULATE must be a multiple of its step, which comes first"
                    .to_string(),
            ),
            (WindowKind::Hop, Some(slide)) if self.size_ms % slide != 0 => error(
                "the size of HOP must be a multiple of its slide, which comes first".to_string(),
            ),
            (WindowKind::Hop | WindowKind::Cumulate, None) => {
                error(format!("{} needs a slide and a size", self.kind.sql_name()))
            }
            _ => Ok(()),
        }
    }
}

/// Reads durations, with the window in mind for error messages.
struct Reader {
    kind: WindowKind,
    location: Option<Location>,
}

impl Reader {
    fn error(&self, what: &str, problem: &str) -> PlanError {
        PlanError::new(
            PlanErrorKind::InvalidWindow,
            format!("the {what} of {} {problem}", self.kind.sql_name()),
        )
        .at(self.location)
    }

    fn positive(&self, what: &str, expr: &Expr) -> Result<i64, PlanError> {
        self.optional(what, expr)?
            .ok_or_else(|| self.error(what, "is missing"))
    }

    fn optional(&self, what: &str, expr: &Expr) -> Result<Option<i64>, PlanError> {
        match self.millis(what, expr)? {
            Some(millis) if millis <= 0 => Err(self.error(what, "must be more than zero")),
            other => Ok(other),
        }
    }

    fn millis(&self, what: &str, expr: &Expr) -> Result<Option<i64>, PlanError> {
        let not_literal = || {
            self.error(what, "must be an interval literal")
                .hint("such as INTERVAL '10' SECOND")
        };
        match literal(expr).ok_or_else(not_literal)? {
            value if value.is_null() => Ok(None),
            ScalarValue::IntervalMonthDayNano(Some(interval)) => {
                if interval.months != 0 {
                    return Err(
                        self.error(what, "cannot be in months or years, whose length varies")
                    );
                }
                if interval.nanoseconds % NANOS_PER_MILLI != 0 {
                    return Err(self.error(what, "must be whole milliseconds"));
                }
                i64::from(interval.days)
                    .checked_mul(MILLIS_PER_DAY)
                    .and_then(|days| days.checked_add(interval.nanoseconds / NANOS_PER_MILLI))
                    .map(Some)
                    .ok_or_else(|| self.error(what, "is too long"))
            }
            _ => Err(not_literal()),
        }
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        Expr::Alias(alias) => literal(&alias.expr),
        Expr::Cast(cast) => literal(&cast.expr),
        _ => None,
    }
}

fn as_i64(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int64(value) => *value,
        _ => None,
    }
}

/// The marker as a function, for name and type resolution.
pub fn marker() -> ScalarUDF {
    ScalarUDF::new_from_impl(WindowMarker {
        // Volatile, so that no optimizer folds, shares or moves it before it is planned.
        signature: Signature::variadic_any(Volatility::Volatile),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WindowMarker {
    signature: Signature,
}

impl ScalarUDFImpl for WindowMarker {
    fn name(&self) -> &str {
        MARKER
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types.get(1) {
            Some(time) => Ok(window_type(time)),
            None => Err(PlanError::internal("a window marker is malformed").into()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let malformed = || PlanError::internal("a window marker is malformed");
        if args.arg_fields.len() < FIXED_ARGUMENTS {
            return Err(malformed().into());
        }
        let time = args.arg_fields.get(1).ok_or_else(malformed)?;
        if !matches!(time.data_type(), DataType::Timestamp(_, _)) {
            let location = args
                .scalar_arguments
                .get(FIXED_ARGUMENTS - 1)
                .copied()
                .flatten()
                .and_then(as_i64)
                .and_then(unpack_location);
            let sql_type = crate::types::SqlType::from_arrow(time.data_type());
            return Err(PlanError::new(
                PlanErrorKind::InvalidWindow,
                format!("a window needs a TIMESTAMP column, and {} is {sql_type}", time.name()),
            )
            .hint("declare it as TIMESTAMP(3), or add a computed column, such as ts AS TO_TIMESTAMP(text)")
            .at(location)
            .into());
        }
        Ok(Arc::new(Field::new(
            MARKER,
            window_type(time.data_type()),
            false,
        )))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(PlanError::internal("a window was left unplanned").into())
    }
}

/// The struct of the three fields for a time attribute of type `time`.
pub fn window_type(time: &DataType) -> DataType {
    let field = |name| Field::new(name, time.clone(), false);
    DataType::Struct(Fields::from(vec![
        field(WINDOW_START),
        field(WINDOW_END),
        field(WINDOW_TIME),
    ]))
}
