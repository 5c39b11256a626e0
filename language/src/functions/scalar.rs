//! The frame of a vectorised scalar function.
//!
//! A [`Spec`] declares a function; its body gets a [`Call`], which hands out each argument
//! either as one value for all rows or as a column, without expanding constants.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Field, FieldRef, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::error::{PlanError, PlanErrorKind};
use crate::types::SqlType;

/// What a parameter accepts; arguments are cast to it beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    /// A character string.
    Text,
    /// A character string; numbers, dates and booleans are shown as text.
    AnyAsText,
    /// An integer, as BIGINT.
    Int,
    /// TIMESTAMP or TIMESTAMP_LTZ as it is; DATE and text as TIMESTAMP(3).
    Time,
    /// Anything, as it is.
    Any,
}

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

    /// The function as DataFusion wants it.
    pub(super) fn function(&'static self) -> ScalarUDF {
        ScalarUDF::new_from_impl(Function {
            spec: self,
            signature: Signature::user_defined(Volatility::Immutable),
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
        PlanError::new(
            PlanErrorKind::TypeMismatch,
            format!(
                "{} takes {wanted} arguments, and {given} are given",
                self.shown()
            ),
        )
    }

    fn mismatch(&self, index: usize, param: Param, given: &DataType) -> PlanError {
        let wanted = match param {
            Param::Text | Param::AnyAsText => "STRING",
            Param::Int => "an integer",
            Param::Time => "TIMESTAMP",
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
    }

    fn shown(&self) -> String {
        self.name.to_uppercase()
    }
}

/// The type that an argument of type `given` is cast to, if `param` accepts it.
fn coerce(param: Param, given: &DataType) -> Option<DataType> {
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
        Param::Time => match given {
            DataType::Timestamp(_, _) => Some(given.clone()),
            DataType::Date32 | DataType::Date64 => {
                Some(DataType::Timestamp(TimeUnit::Millisecond, None))
            }
            _ if is_text || null => Some(DataType::Timestamp(TimeUnit::Millisecond, None)),
            _ => None,
        },
    }
}

#[derive(Debug)]
struct Function {
    spec: &'static Spec,
    signature: Signature,
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
        let field = Field::new(self.name(), self.return_type(&types)?, nullable);
        Ok(Arc::new(field))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let call = Call {
            args: &args,
            rows: if constant { 1 } else { args.number_rows },
        };
        let result = (self.spec.body)(&call)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &result, 0,
            )?));
        }
        Ok(ColumnarValue::Array(result))
    }
}

/// One evaluation of a function over a batch.
pub(super) struct Call<'a> {
    args: &'a ScalarFunctionArgs,
    rows: usize,
}

/// An argument: one value for all rows, or one per row.
pub(super) enum Values<V, A> {
    /// The same for all rows.
    Constant(Option<V>),
    /// A column.
    Column(A),
}

/// A text argument.
pub(super) type Texts<'a> = Values<&'a str, &'a StringArray>;
/// An integer argument.
pub(super) type Ints<'a> = Values<i64, &'a Int64Array>;

impl<'a> Texts<'a> {
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Constant(value) => *value,
            Self::Column(column) => (!column.is_null(row)).then(|| column.value(row)),
        }
    }
}

impl Ints<'_> {
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::Constant(value) => *value,
            Self::Column(column) => (!column.is_null(row)).then(|| column.value(row)),
        }
    }
}

/// A timestamp argument.
pub(super) struct Times {
    values: Values<i64, (ScalarBuffer<i64>, Option<NullBuffer>)>,
    /// The unit of the values.
    pub(super) unit: TimeUnit,
    /// The session's zone if the values are instants and it is not UTC.
    pub(super) zone: Option<Tz>,
}

impl Times {
    /// The value of a row, in [`Times::unit`]s since the epoch.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<i64> {
        match &self.values {
            Values::Constant(value) => *value,
            Values::Column((values, nulls)) => {
                let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                if valid {
                    values.get(row).copied()
                } else {
                    None
                }
            }
        }
    }
}

impl Call<'_> {
    /// How many rows to compute.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// How many arguments were given.
    pub(super) fn len(&self) -> usize {
        self.args.args.len()
    }

    /// The type of the result.
    pub(super) fn return_type(&self) -> &DataType {
        self.args.return_type()
    }

    fn argument(&self, index: usize) -> Result<&ColumnarValue> {
        self.args
            .args
            .get(index)
            .ok_or_else(|| PlanError::internal("a function lacks an argument").into())
    }

    /// The type of an argument.
    pub(super) fn arg_type(&self, index: usize) -> Result<DataType> {
        Ok(self.argument(index)?.data_type())
    }

    /// An argument as a column of [`Call::rows`] values.
    pub(super) fn array(&self, index: usize) -> Result<ArrayRef> {
        self.argument(index)?.to_array(self.rows)
    }

    /// A text argument.
    pub(super) fn texts(&self, index: usize) -> Result<Texts<'_>> {
        Ok(match self.argument(index)? {
            ColumnarValue::Scalar(ScalarValue::Utf8(value)) => Values::Constant(value.as_deref()),
            ColumnarValue::Array(array) => Values::Column(
                array
                    .as_string_opt::<i32>()
                    .ok_or_else(|| unexpected(array.data_type()))?,
            ),
            ColumnarValue::Scalar(other) => return Err(unexpected(&other.data_type()).into()),
        })
    }

    /// An integer argument.
    pub(super) fn ints(&self, index: usize) -> Result<Ints<'_>> {
        Ok(match self.argument(index)? {
            ColumnarValue::Scalar(ScalarValue::Int64(value)) => Values::Constant(*value),
            ColumnarValue::Array(array) => Values::Column(
                array
                    .as_primitive_opt::<Int64Type>()
                    .ok_or_else(|| unexpected(array.data_type()))?,
            ),
            ColumnarValue::Scalar(other) => return Err(unexpected(&other.data_type()).into()),
        })
    }

    /// A timestamp argument.
    pub(super) fn times(&self, index: usize) -> Result<Times> {
        let argument = self.argument(index)?;
        let DataType::Timestamp(unit, zone) = argument.data_type() else {
            return Err(unexpected(&argument.data_type()).into());
        };
        let values = match argument {
            ColumnarValue::Scalar(
                ScalarValue::TimestampSecond(value, _)
                | ScalarValue::TimestampMillisecond(value, _)
                | ScalarValue::TimestampMicrosecond(value, _)
                | ScalarValue::TimestampNanosecond(value, _),
            ) => Values::Constant(*value),
            ColumnarValue::Scalar(other) => return Err(unexpected(&other.data_type()).into()),
            ColumnarValue::Array(array) => {
                let values = match unit {
                    TimeUnit::Second => array
                        .as_primitive_opt::<TimestampSecondType>()
                        .map(|a| a.values()),
                    TimeUnit::Millisecond => array
                        .as_primitive_opt::<TimestampMillisecondType>()
                        .map(|a| a.values()),
                    TimeUnit::Microsecond => array
                        .as_primitive_opt::<TimestampMicrosecondType>()
                        .map(|a| a.values()),
                    TimeUnit::Nanosecond => array
                        .as_primitive_opt::<TimestampNanosecondType>()
                        .map(|a| a.values()),
                };
                let values = values.ok_or_else(|| unexpected(array.data_type()))?;
                Values::Column((values.clone(), array.nulls().cloned()))
            }
        };
        let zone = if zone.is_some() { self.zone()? } else { None };
        Ok(Times { values, unit, zone })
    }

    /// The session's time zone; `None` is UTC.
    pub(super) fn zone(&self) -> Result<Option<Tz>> {
        session_zone(&self.args.config_options)
    }

    /// A text column, one value per row.
    pub(super) fn text_column(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<String>>,
    ) -> Result<ArrayRef> {
        let values: StringArray = (0..self.rows).map(&mut value).collect::<Result<_>>()?;
        Ok(Arc::new(values))
    }

    /// A text column whose values are parts of an argument.
    pub(super) fn slice_column<'b>(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<&'b str>>,
    ) -> Result<ArrayRef> {
        let values: StringArray = (0..self.rows).map(&mut value).collect::<Result<_>>()?;
        Ok(Arc::new(values))
    }

    /// A BIGINT column, one value per row.
    pub(super) fn int_column(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<i64>>,
    ) -> Result<ArrayRef> {
        let values: Int64Array = (0..self.rows).map(&mut value).collect::<Result<_>>()?;
        Ok(Arc::new(values))
    }

    /// A BOOLEAN column, one value per row.
    pub(super) fn bool_column(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<bool>>,
    ) -> Result<ArrayRef> {
        let values: BooleanArray = (0..self.rows).map(&mut value).collect::<Result<_>>()?;
        Ok(Arc::new(values))
    }
}

/// The zone in DataFusion's configuration; `None` is UTC.
pub(super) fn session_zone(config: &datafusion::config::ConfigOptions) -> Result<Option<Tz>> {
    match config.execution.time_zone.as_deref() {
        None | Some("" | "UTC" | "+00:00" | "Z") => Ok(None),
        Some(name) => parse_zone(name).map(Some),
    }
}

/// A time zone by its name in the IANA database.
pub(super) fn parse_zone(name: &str) -> Result<Tz> {
    name.parse::<Tz>().map_err(|_| {
        PlanError::new(
            PlanErrorKind::InvalidOption,
            format!("{name} is not the name of a time zone"),
        )
        .hint("such as UTC, Europe/Berlin or America/New_York")
        .into()
    })
}

/// An argument that is not of the type that its function asked for.
fn unexpected(data_type: &DataType) -> PlanError {
    let shown = SqlType::from_arrow(data_type);
    PlanError::internal(format!(
        "a function was given {shown}, which it does not take"
    ))
}

/// An error in a value, found while a function is evaluated.
pub(super) fn evaluation(message: impl Into<String>) -> datafusion::error::DataFusionError {
    PlanError::new(PlanErrorKind::Evaluation, message).into()
}

/// The result types of functions.
pub(super) mod returns {
    use super::{DataType, TimeUnit};
    use crate::types::LTZ_ZONE;

    pub(in crate::functions) fn text(_: &[DataType]) -> DataType {
        DataType::Utf8
    }

    pub(in crate::functions) fn bigint(_: &[DataType]) -> DataType {
        DataType::Int64
    }

    pub(in crate::functions) fn int(_: &[DataType]) -> DataType {
        DataType::Int32
    }

    pub(in crate::functions) fn boolean(_: &[DataType]) -> DataType {
        DataType::Boolean
    }

    pub(in crate::functions) fn date(_: &[DataType]) -> DataType {
        DataType::Date32
    }

    pub(in crate::functions) fn timestamp(_: &[DataType]) -> DataType {
        DataType::Timestamp(TimeUnit::Millisecond, None)
    }

    pub(in crate::functions) fn timestamp_ltz(_: &[DataType]) -> DataType {
        DataType::Timestamp(TimeUnit::Millisecond, Some(LTZ_ZONE.into()))
    }
}
