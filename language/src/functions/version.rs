//! The marker of a join with versions: how `FOR SYSTEM_TIME AS OF` travels from SQL to the logical plan.
//!
//! The parser takes the clause from its table and adds a call of one function, which is never evaluated, to the
//! condition of the join:
//!
//! ```text
//! ON condition AND __levada_as_of(kind, expression, table, location)
//! ```
//!
//! | argument | type | meaning |
//! |---|---|---|
//! | kind | text literal | 'system_time', or 'match' for ASOF JOIN |
//! | expression | TIMESTAMP or TIMESTAMP_LTZ; for 'match' BOOLEAN | the time, or what compares two times |
//! | table | text literal | what the table is called in the SQL |
//! | location | integer literal | its position, see [`unpack_location`](super::window::unpack_location) |

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::window::unpack_location;
use crate::error::{Location, PlanError};

/// The marker's name.
pub const MARKER: &str = "__levada_as_of";

/// How the SQL asks for a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VersionKind {
    /// `FOR SYSTEM_TIME AS OF`.
    SystemTime,
    /// `ASOF JOIN … MATCH_CONDITION`.
    Match,
}

impl VersionKind {
    /// The kind as the marker's first argument.
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemTime => "system_time",
            Self::Match => "match",
        }
    }

    /// The kind as in SQL.
    pub fn sql_name(self) -> &'static str {
        match self {
            Self::SystemTime => "FOR SYSTEM_TIME AS OF",
            Self::Match => "ASOF JOIN",
        }
    }
}

/// A call of the marker, read.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionCall {
    /// How the SQL asks.
    pub kind: VersionKind,
    /// The time, or what compares two times.
    pub expr: Expr,
    /// What the table is called.
    pub table: String,
    /// Where it stands in the SQL.
    pub location: Option<Location>,
}

impl VersionCall {
    /// Reads `expr` if it is a call of the marker.
    ///
    /// # Errors
    /// Only defects.
    pub fn from_expr(expr: &Expr) -> Result<Option<Self>, PlanError> {
        let Expr::ScalarFunction(function) = expr else {
            return Ok(None);
        };
        if function.func.name() != MARKER {
            return Ok(None);
        }
        let [kind, expr, table, location] = function.args.as_slice() else {
            return Err(malformed());
        };
        let kinds = [VersionKind::SystemTime, VersionKind::Match];
        let named = |known: &VersionKind| Some(known.name()) == text(literal(kind));
        Ok(Some(Self {
            kind: kinds.into_iter().find(named).ok_or_else(malformed)?,
            expr: expr.clone(),
            table: text(literal(table)).ok_or_else(malformed)?.to_string(),
            location: position(literal(location)),
        }))
    }
}

fn malformed() -> PlanError {
    PlanError::internal("the marker of a join with versions is malformed")
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

fn text(value: Option<&ScalarValue>) -> Option<&str> {
    value.and_then(|value| value.try_as_str().flatten())
}

fn position(value: Option<&ScalarValue>) -> Option<Location> {
    match value {
        Some(ScalarValue::Int64(Some(packed))) => unpack_location(*packed),
        Some(ScalarValue::UInt64(Some(packed))) => {
            i64::try_from(*packed).ok().and_then(unpack_location)
        }
        _ => None,
    }
}

/// The function, to be registered with the others.
pub fn marker() -> ScalarUDF {
    ScalarUDF::new_from_impl(VersionMarker {
        // Volatile, so that nothing folds, shares or moves it before it is planned.
        signature: Signature::variadic_any(Volatility::Volatile),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct VersionMarker {
    signature: Signature,
}

impl ScalarUDFImpl for VersionMarker {
    fn name(&self) -> &str {
        MARKER
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(PlanError::internal("a join with versions was left unplanned").into())
    }
}
