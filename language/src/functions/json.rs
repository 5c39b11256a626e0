//! Functions on JSON.
//!
//! The parser hands the clauses over as arguments; see [`crate::dialect`].

mod aggregated;
mod path;
mod write;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use serde_json::Value;

use super::scalar::{Call, Param, Spec, Texts, Values, evaluation, returns};
use Param::{Any, Text};
use path::{Found, Path};

pub(super) static SPECS: &[Spec] = &[
    Spec::new(
        "json_value",
        &[Text, Text, Text, Text, Text, Text],
        returns::text,
        json_value,
    ),
    Spec::new(
        "json_query",
        &[Text, Text, Text, Text, Text],
        returns::text,
        json_query,
    ),
    Spec::new(
        "json_exists",
        &[Text, Text, Text],
        returns::boolean,
        json_exists,
    ),
    Spec::new("is_json", &[Text, Text], returns::boolean, is_json),
    Spec::new("json_string", &[Any], returns::text, write::json_string).unify(write::writable),
    Spec::new("json_object", &[Any], returns::text, write::json_object)
        .rest(Any)
        .unify(write::writable),
    Spec::new("json_array", &[Any], returns::text, write::json_array)
        .rest(Any)
        .unify(write::writable),
    Spec::new(
        "json_array_of",
        &[Any, Any, Any],
        returns::text,
        aggregated::json_array_of,
    )
    .unify(aggregated::arguments),
    Spec::new(
        "json_object_of",
        &[Any, Any, Any],
        returns::text,
        aggregated::json_object_of,
    )
    .unify(aggregated::arguments),
    Spec::new("json_quote", &[Text], returns::text, write::json_quote),
    Spec::new("json_unquote", &[Text], returns::text, write::json_unquote),
    Spec::new("json", &[Text], returns::text, write::json),
];

/// The path argument, compiled once if it is a constant.
struct Paths<'a> {
    texts: Texts<'a>,
    constant: Option<Path>,
}

impl<'a> Paths<'a> {
    fn of(call: &'a Call<'_>, index: usize) -> Result<Self> {
        let texts = call.texts(index)?;
        let constant = match &texts {
            Values::Constant(Some(text)) => Some(Path::parse(text)?),
            _ => None,
        };
        Ok(Self { texts, constant })
    }

    /// Follows the path of a row into a text; `None` if the path is NULL.
    fn follow(&self, row: usize, text: &str) -> Result<Option<Outcome>> {
        let parsed;
        let path = match &self.constant {
            Some(path) => path,
            None => match self.texts.get(row) {
                Some(text) => {
                    parsed = Path::parse(text)?;
                    &parsed
                }
                None => return Ok(None),
            },
        };
        let Ok(document) = serde_json::from_str::<Value>(text) else {
            return Ok(Some(Outcome::Error("the text is not JSON")));
        };
        Ok(Some(match path.follow(&document) {
            Found::Nothing if path.is_strict() => Outcome::Error("the path leads nowhere"),
            Found::Nothing => Outcome::Empty,
            Found::Values(values) => Outcome::Values(values.into_iter().cloned().collect()),
        }))
    }
}

/// Where a path led.
enum Outcome {
    Values(Vec<Value>),
    Empty,
    Error(&'static str),
}

/// A clause argument, which is a constant.
fn clause<'a>(call: &'a Call<'_>, index: usize) -> Result<&'a str> {
    match call.texts(index)? {
        Values::Constant(Some(text)) => Ok(text),
        _ => Err(evaluation("a clause of a JSON function must be a constant")),
    }
}

fn json_value(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, paths) = (call.texts(0)?, Paths::of(call, 1)?);
    let (on_empty, on_error) = (clause(call, 2)?, clause(call, 3)?);
    let (empty_default, error_default) = (call.texts(4)?, call.texts(5)?);
    call.text_column(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let fail = |reason: &str| match on_error {
            "DEFAULT" => Ok(error_default.get(row).map(str::to_string)),
            "ERROR" => Err(evaluation(format!("JSON_VALUE fails: {reason}"))),
            _ => Ok(None),
        };
        match paths.follow(row, text)? {
            None => Ok(None),
            Some(Outcome::Error(reason)) => fail(reason),
            Some(Outcome::Empty) => match on_empty {
                "DEFAULT" => Ok(empty_default.get(row).map(str::to_string)),
                "ERROR" => Err(evaluation("JSON_VALUE finds nothing")),
                _ => Ok(None),
            },
            Some(Outcome::Values(values)) => match values.as_slice() {
                [Value::Null] => Ok(None),
                [Value::String(text)] => Ok(Some(text.clone())),
                [value @ (Value::Bool(_) | Value::Number(_))] => Ok(Some(value.to_string())),
                [_] => fail("the path leads to an object or an array"),
                _ => fail("the path leads to several values"),
            },
        }
    })
}

fn json_query(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, paths) = (call.texts(0)?, Paths::of(call, 1)?);
    let (wrapper, on_empty, on_error) = (clause(call, 2)?, clause(call, 3)?, clause(call, 4)?);
    let instead = |behaviour: &str, reason: &str| match behaviour {
        "EMPTY ARRAY" => Ok(Some("[]".to_string())),
        "EMPTY OBJECT" => Ok(Some("{}".to_string())),
        "ERROR" => Err(evaluation(format!("JSON_QUERY fails: {reason}"))),
        _ => Ok(None),
    };
    call.text_column(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let values = match paths.follow(row, text)? {
            None => return Ok(None),
            Some(Outcome::Error(reason)) => return instead(on_error, reason),
            Some(Outcome::Empty) => return instead(on_empty, "the path leads nowhere"),
            Some(Outcome::Values(values)) => values,
        };
        let composite = |value: &Value| value.is_object() || value.is_array();
        match (wrapper, values.as_slice()) {
            ("UNCONDITIONAL", _) => Ok(Some(Value::Array(values).to_string())),
            (_, [value]) if composite(value) => Ok(Some(value.to_string())),
            ("CONDITIONAL", _) => Ok(Some(Value::Array(values).to_string())),
            (_, [Value::Null]) => Ok(None),
            _ => instead(on_error, "the path does not lead to one object or array"),
        }
    })
}

fn json_exists(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, paths) = (call.texts(0)?, Paths::of(call, 1)?);
    let on_error = clause(call, 2)?;
    call.bool_column(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        match paths.follow(row, text)? {
            None => Ok(None),
            Some(Outcome::Values(_)) => Ok(Some(true)),
            Some(Outcome::Empty) => Ok(Some(false)),
            Some(Outcome::Error(reason)) => match on_error {
                "TRUE" => Ok(Some(true)),
                "UNKNOWN" => Ok(None),
                "ERROR" => Err(evaluation(format!("JSON_EXISTS fails: {reason}"))),
                _ => Ok(Some(false)),
            },
        }
    })
}

fn is_json(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let kind = clause(call, 1)?;
    call.bool_column(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let parsed = serde_json::from_str::<Value>(text).ok();
        Ok(Some(parsed.is_some_and(|value| match kind {
            "OBJECT" => value.is_object(),
            "ARRAY" => value.is_array(),
            "SCALAR" => !value.is_object() && !value.is_array(),
            _ => true,
        })))
    })
}
