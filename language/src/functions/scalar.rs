//! The frame of a vectorised scalar function.
//!
//! A [`Spec`] declares a function; its body gets a [`Call`], which hands out each argument
//! either as one value for all rows or as a column, without expanding constants.

mod call;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::error::{PlanError, PlanErrorKind};
use crate::types::SqlType;
pub(super) use call::{
    Bytes, Call, Ints, Texts, Times, Values, check_size, check_value_size, evaluation, parse_zone,
    returns, session_zone,
};

/// What a parameter accepts; arguments are cast to it beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    /// A character string.
    Text,
    /// A character string; numbers, dates and booleans are shown as text.
    AnyAsText,
    /// An integer, as BIGINT.
    Int,
    /// A number, as DOUBLE.
    Double,
    /// A number, as it is; NULL as BIGINT.
    Number,
    /// BYTES, or a character string as its bytes in UTF-8.
    Bytes,
    /// TIMESTAMP or TIMESTAMP_LTZ as it is; DATE and text as TIMESTAMP(3).
    Time,
    /// The same, but a DATE stays one.
    DateOrTime,
    /// The same, and a TIME stays one.
    AnyTime,
    /// BOOLEAN.
    Boolean,
    /// Anything, as it is.
    Any,
}

/// The type of a result, from the types of the arguments and the values of the constant ones.
pub(super) type Typing = fn(&[DataType], &[Option<&ScalarValue>]) -> Result<DataType>;

/// A function: its name, parameters, result and body.
pub(super) struct Spec {
    pub(super) name: &'static str,
    /// The parameters in their order; those from `required` on may be left out.
    pub(super) params: &'static [Param],
    pub(super) required: usize,
    /// What any number of further arguments must be; `None` if there are no more.
    pub(super) rest: Option<Param>,
    /// The type of the result, from the types of the arguments.
    pub(super) returns: fn(&[DataType]) -> DataType,
    /// The type of the result where it depends on constants too.
    typed: Option<Typing>,
    /// How the types of arguments depend on each other, which the parameters alone do not say.
    unify: Option<fn(&[DataType]) -> Option<Vec<DataType>>>,
    /// Other names.
    pub(super) aliases: &'static [&'static str],
    pub(super) body: fn(&Call<'_>) -> Result<ArrayRef>,
}

impl Spec {
    /// A function with these parameters, all required.
    pub(super) const fn new(
        name: &'static str,
        params: &'static [Param],
        returns: fn(&[DataType]) -> DataType,
        body: fn(&Call<'_>) -> Result<ArrayRef>,
    ) -> Self {
        Self {
            name,
            params,
            required: params.len(),
            rest: None,
            returns,
            typed: None,
            unify: None,
            aliases: &[],
            body,
        }
    }

    /// The same function, of whose parameters only the first `required` must be given.
    pub(super) const fn required(mut self, required: usize) -> Self {
        self.required = required;
        self
    }

    /// The same function with any number of further arguments.
    pub(super) const fn rest(mut self, rest: Param) -> Self {
        self.rest = Some(rest);
        self
    }

    /// The same function, whose result type depends on constants.
    pub(super) const fn typed(mut self, typed: Typing) -> Self {
        self.typed = Some(typed);
        self
    }

    /// The same function, whose arguments are cast to the types that `unify` makes of theirs;
    /// `None` is a mismatch.
    pub(super) const fn unify(mut self, unify: fn(&[DataType]) -> Option<Vec<DataType>>) -> Self {
        self.unify = Some(unify);
        self
    }

    /// The same function under further names.
    pub(super) const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The function as DataFusion wants it.
    pub(super) fn function(&'static self) -> ScalarUDF {
        ScalarUDF::new_from_impl(Function {
            spec: self,
            signature: Signature::user_defined(Volatility::Immutable),
            aliases: self.aliases.iter().map(ToString::to_string).collect(),
        })
    }

    fn coerce(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let most = if self.rest.is_some() {
            usize::MAX
        } else {
            self.params.len()
        };
        if given.len() < self.required || given.len() > most {
            return Err(self.wrong_count(given.len()).into());
        }
        if let Some(unify) = self.unify {
            return unify(given).ok_or_else(|| self.no_common_type(given).into());
        }
        given
            .iter()
            .enumerate()
            .map(|(index, data_type)| {
                let param = self
                    .params
                    .get(index)
                    .copied()
                    .or(self.rest)
                    .unwrap_or(Param::Any);
                coerce(param, data_type)
                    .ok_or_else(|| self.mismatch(index, param, data_type).into())
            })
            .collect()
    }

    fn wrong_count(&self, given: usize) -> PlanError {
        let (least, most) = (self.required, self.params.len());
        let wanted = match self.rest {
            Some(_) => format!("at least {least}"),
            None if least == most => least.to_string(),
            None => format!("{least} to {most}"),
        };
        let noun = match most {
            1 if self.rest.is_none() => "argument",
            _ => "arguments",
        };
        PlanError::new(
            PlanErrorKind::TypeMismatch,
            format!(
                "{} takes {wanted} {noun}, and {given} are given",
                self.shown()
            ),
        )
    }

    fn no_common_type(&self, given: &[DataType]) -> PlanError {
        let given: Vec<String> = given
            .iter()
            .map(|data_type| SqlType::from_arrow(data_type).to_string())
            .collect();
        PlanError::new(
            PlanErrorKind::TypeMismatch,
            format!(
                "{} does not take arguments of the types {}",
                self.shown(),
                given.join(", ")
            ),
        )
        .hint("its arguments must fit together; CAST says what they are taken for")
    }

    fn mismatch(&self, index: usize, param: Param, given: &DataType) -> PlanError {
        let wanted = match param {
            Param::Text | Param::AnyAsText => "STRING",
            Param::Int => "an integer",
            Param::Double | Param::Number => "a number",
            Param::Bytes => "BYTES or STRING",
            Param::Time => "TIMESTAMP",
            Param::DateOrTime => "TIMESTAMP or DATE",
            Param::AnyTime => "TIMESTAMP, DATE or TIME",
            Param::Boolean => "BOOLEAN",
            Param::Any => "another type",
        };
        PlanError::new(
            PlanErrorKind::TypeMismatch,
            format!(
                "argument {} of {} must be {wanted}, not {}",
                index + 1,
                self.shown(),
                SqlType::from_arrow(given)
            ),
        )
        .hint("use CAST(… AS …) to give it a value of that type")
    }

    fn shown(&self) -> String {
        self.name.to_uppercase()
    }
}

/// The type that an argument of type `given` is cast to, if `param` accepts it.
pub(super) fn coerce(param: Param, given: &DataType) -> Option<DataType> {
    let is_text = matches!(
        given,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    let is_text =
        is_text || matches!(given, DataType::Dictionary(_, values) if **values == DataType::Utf8);
    let null = given.is_null();
    match param {
        Param::Any => Some(given.clone()),
        Param::Text => (is_text || null).then_some(DataType::Utf8),
        Param::AnyAsText => {
            let shown = is_text
                || null
                || given.is_numeric()
                || given.is_temporal()
                || *given == DataType::Boolean;
            shown.then_some(DataType::Utf8)
        }
        Param::Int => (given.is_integer() || null).then_some(DataType::Int64),
        Param::Double => (given.is_numeric() || null).then_some(DataType::Float64),
        Param::Number if null => Some(DataType::Int64),
        Param::Number => given.is_numeric().then(|| number(given)),
        Param::Boolean => (*given == DataType::Boolean || null).then_some(DataType::Boolean),
        Param::Bytes => (is_text || null || is_binary(given)).then_some(DataType::Binary),
        Param::DateOrTime if *given == DataType::Date32 => Some(given.clone()),
        Param::AnyTime
            if matches!(
                given,
                DataType::Date32 | DataType::Time32(TimeUnit::Millisecond)
            ) =>
        {
            Some(given.clone())
        }
        Param::AnyTime if matches!(given, DataType::Time32(_) | DataType::Time64(_)) => {
            Some(DataType::Time64(TimeUnit::Nanosecond))
        }
        Param::Time | Param::DateOrTime | Param::AnyTime => match given {
            DataType::Timestamp(_, _) => Some(given.clone()),
            DataType::Date32 | DataType::Date64 => {
                Some(DataType::Timestamp(TimeUnit::Millisecond, None))
            }
            _ if is_text || null => Some(DataType::Timestamp(TimeUnit::Millisecond, None)),
            _ => None,
        },
    }
}

/// The number type that stands for `given`: unsigned integers and half floats become wider.
fn number(given: &DataType) -> DataType {
    match given {
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            DataType::Decimal128((*precision).min(38), *scale)
        }
        other => other.clone(),
    }
}

fn is_binary(given: &DataType) -> bool {
    matches!(
        given,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

#[derive(Debug)]
struct Function {
    spec: &'static Spec,
    signature: Signature,
    aliases: Vec<String>,
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.spec.coerce(arg_types)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok((self.spec.returns)(arg_types))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let nullable = self.spec.name != super::types::NOT_NULL;
        let data_type = match self.spec.typed {
            Some(typed) => typed(&types, args.scalar_arguments)?,
            None => self.return_type(&types)?,
        };
        let field = Field::new(self.name(), data_type, nullable);
        Ok(Arc::new(field))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let call = Call::new(&args, if constant { 1 } else { args.number_rows });
        let result = (self.spec.body)(&call)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &result, 0,
            )?));
        }
        Ok(ColumnarValue::Array(result))
    }
}
