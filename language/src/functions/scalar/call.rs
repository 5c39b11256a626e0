//! The arguments of a call, and columns for its results.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, Float64Array, Int32Array,
    Int64Array, StringArray, StringBuilder,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use crate::error::{PlanError, PlanErrorKind};
use crate::types::SqlType;

const SECONDS_PER_DAY: i64 = 86_400;

/// One evaluation of a function over a batch.
pub(in crate::functions) struct Call<'a> {
    args: &'a ScalarFunctionArgs,
    rows: usize,
}

/// An argument: one value for all rows, or one per row.
pub(in crate::functions) enum Values<V, A> {
    /// The same for all rows.
    Constant(Option<V>),
    /// A column.
    Column(A),
}

/// A text argument.
pub(in crate::functions) type Texts<'a> = Values<&'a str, &'a StringArray>;
/// An integer argument.
pub(in crate::functions) type Ints<'a> = Values<i64, &'a Int64Array>;

impl<'a> Texts<'a> {
    #[inline]
    pub(in crate::functions) fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Constant(value) => *value,
            Self::Column(column) => (!column.is_null(row)).then(|| column.value(row)),
        }
    }
}

impl Ints<'_> {
    #[inline]
    pub(in crate::functions) fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::Constant(value) => *value,
            Self::Column(column) => (!column.is_null(row)).then(|| column.value(row)),
        }
    }
}

/// A timestamp argument; also a DATE or TIME.
pub(in crate::functions) struct Times {
    values: Values<i64, (ScalarBuffer<i64>, Option<NullBuffer>)>,
    /// The unit of the values.
    pub(in crate::functions) unit: TimeUnit,
    /// The session's zone if the values are instants and it is not UTC.
    pub(in crate::functions) zone: Option<Tz>,
}

impl Times {
    /// The value of a row, in [`Times::unit`]s since the epoch.
    #[inline]
    pub(in crate::functions) fn get(&self, row: usize) -> Option<i64> {
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

/// A BOOLEAN argument.
pub(in crate::functions) type Booleans<'a> = Values<bool, &'a BooleanArray>;

impl Booleans<'_> {
    #[inline]
    pub(in crate::functions) fn get(&self, row: usize) -> Option<bool> {
        match self {
            Self::Constant(value) => *value,
            Self::Column(column) => (!column.is_null(row)).then(|| column.value(row)),
        }
    }
}

/// Numbers as DOUBLE.
pub(in crate::functions) type Doubles<'a> = Values<f64, &'a Float64Array>;
/// A binary argument.
pub(in crate::functions) type Bytes<'a> = Values<&'a [u8], &'a BinaryArray>;

impl Doubles<'_> {
    #[inline]
    pub(in crate::functions) fn get(&self, row: usize) -> Option<f64> {
        match self {
            Self::Constant(value) => *value,
            Self::Column(column) => (!column.is_null(row)).then(|| column.value(row)),
        }
    }
}

impl<'a> Bytes<'a> {
    #[inline]
    pub(in crate::functions) fn get(&self, row: usize) -> Option<&'a [u8]> {
        match self {
            Self::Constant(value) => *value,
            Self::Column(column) => (!column.is_null(row)).then(|| column.value(row)),
        }
    }
}

impl<'a> Call<'a> {
    /// A call with `args` over `rows` rows.
    pub(super) fn new(args: &'a ScalarFunctionArgs, rows: usize) -> Self {
        Self { args, rows }
    }
}

impl Call<'_> {
    /// How many rows to compute.
    pub(in crate::functions) fn rows(&self) -> usize {
        self.rows
    }

    /// How many arguments were given.
    pub(in crate::functions) fn len(&self) -> usize {
        self.args.args.len()
    }

    /// The type of the result.
    pub(in crate::functions) fn return_type(&self) -> &DataType {
        self.args.return_type()
    }

    fn argument(&self, index: usize) -> Result<&ColumnarValue> {
        self.args
            .args
            .get(index)
            .ok_or_else(|| PlanError::internal("a function lacks an argument").into())
    }

    /// The type of an argument.
    pub(in crate::functions) fn arg_type(&self, index: usize) -> Result<DataType> {
        Ok(self.argument(index)?.data_type())
    }

    /// An argument as a column of [`Call::rows`] values.
    pub(in crate::functions) fn array(&self, index: usize) -> Result<ArrayRef> {
        self.argument(index)?.to_array(self.rows)
    }

    /// A text argument.
    pub(in crate::functions) fn texts(&self, index: usize) -> Result<Texts<'_>> {
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
    pub(in crate::functions) fn ints(&self, index: usize) -> Result<Ints<'_>> {
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

    /// A DOUBLE argument.
    pub(in crate::functions) fn doubles(&self, index: usize) -> Result<Doubles<'_>> {
        Ok(match self.argument(index)? {
            ColumnarValue::Scalar(ScalarValue::Float64(value)) => Values::Constant(*value),
            ColumnarValue::Array(array) => Values::Column(
                array
                    .as_primitive_opt::<Float64Type>()
                    .ok_or_else(|| unexpected(array.data_type()))?,
            ),
            ColumnarValue::Scalar(other) => return Err(unexpected(&other.data_type()).into()),
        })
    }

    /// A BOOLEAN argument.
    pub(in crate::functions) fn booleans(&self, index: usize) -> Result<Booleans<'_>> {
        Ok(match self.argument(index)? {
            ColumnarValue::Scalar(ScalarValue::Boolean(value)) => Values::Constant(*value),
            ColumnarValue::Array(array) => Values::Column(
                array
                    .as_boolean_opt()
                    .ok_or_else(|| unexpected(array.data_type()))?,
            ),
            ColumnarValue::Scalar(other) => return Err(unexpected(&other.data_type()).into()),
        })
    }

    /// A binary argument.
    pub(in crate::functions) fn bytes(&self, index: usize) -> Result<Bytes<'_>> {
        Ok(match self.argument(index)? {
            ColumnarValue::Scalar(ScalarValue::Binary(value)) => Values::Constant(value.as_deref()),
            ColumnarValue::Array(array) => Values::Column(
                array
                    .as_binary_opt::<i32>()
                    .ok_or_else(|| unexpected(array.data_type()))?,
            ),
            ColumnarValue::Scalar(other) => return Err(unexpected(&other.data_type()).into()),
        })
    }

    /// A timestamp argument.
    pub(in crate::functions) fn times(&self, index: usize) -> Result<Times> {
        self.times_of(self.argument(index)?)
    }

    /// A DATE argument as a value of another type; anything else as it is.
    pub(in crate::functions) fn times_as(&self, index: usize, to: &DataType) -> Result<Times> {
        let argument = self.argument(index)?;
        match argument.data_type() {
            DataType::Date32 if to != &DataType::Date32 => {
                self.times_of(&argument.cast_to(to, None)?)
            }
            _ => self.times_of(argument),
        }
    }

    fn times_of(&self, argument: &ColumnarValue) -> Result<Times> {
        let DataType::Timestamp(unit, zone) = argument.data_type() else {
            return day_or_clock(argument);
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
    pub(in crate::functions) fn zone(&self) -> Result<Option<Tz>> {
        session_zone(&self.args.config_options)
    }

    /// A text column, one value per row.
    pub(in crate::functions) fn text_column(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<String>>,
    ) -> Result<ArrayRef> {
        let mut texts = self.texts_of_result();
        for row in 0..self.rows {
            texts.push(value(row)?.as_deref())?;
        }
        Ok(texts.finish())
    }

    /// A text column whose values are parts of an argument.
    pub(in crate::functions) fn slice_column<'b>(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<&'b str>>,
    ) -> Result<ArrayRef> {
        let mut texts = self.texts_of_result();
        for row in 0..self.rows {
            texts.push(value(row)?)?;
        }
        Ok(texts.finish())
    }

    /// A text column whose values are written into a buffer that is kept from row to row; a row
    /// for which `write` says false is NULL.
    pub(in crate::functions) fn written_column(
        &self,
        mut write: impl FnMut(usize, &mut String) -> Result<bool>,
    ) -> Result<ArrayRef> {
        let mut texts = self.texts_of_result();
        let mut buffer = String::new();
        for row in 0..self.rows {
            buffer.clear();
            let valid = write(row, &mut buffer)?;
            texts.push(valid.then_some(buffer.as_str()))?;
        }
        Ok(texts.finish())
    }

    fn texts_of_result(&self) -> ResultTexts {
        ResultTexts {
            builder: StringBuilder::with_capacity(self.rows, self.rows * 16),
        }
    }

    /// A BIGINT column, one value per row.
    pub(in crate::functions) fn int_column(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<i64>>,
    ) -> Result<ArrayRef> {
        let values: Int64Array = (0..self.rows).map(&mut value).collect::<Result<_>>()?;
        Ok(Arc::new(values))
    }

    /// An INT column, one value per row.
    pub(in crate::functions) fn small_int_column(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<i32>>,
    ) -> Result<ArrayRef> {
        let values: Int32Array = (0..self.rows).map(&mut value).collect::<Result<_>>()?;
        Ok(Arc::new(values))
    }

    /// A BYTES column, one value per row.
    pub(in crate::functions) fn bytes_column(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<Vec<u8>>>,
    ) -> Result<ArrayRef> {
        let mut builder = BinaryBuilder::with_capacity(self.rows, self.rows * 16);
        for row in 0..self.rows {
            let value = value(row)?;
            let bytes = value.as_ref().map_or(0, Vec::len);
            check_size(builder.values_slice().len().saturating_add(bytes))?;
            builder.append_option(value);
        }
        Ok(Arc::new(builder.finish()))
    }

    /// A BOOLEAN column, one value per row.
    pub(in crate::functions) fn bool_column(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<bool>>,
    ) -> Result<ArrayRef> {
        let values: BooleanArray = (0..self.rows).map(&mut value).collect::<Result<_>>()?;
        Ok(Arc::new(values))
    }
}

/// A text column that is being built.
struct ResultTexts {
    builder: StringBuilder,
}

impl ResultTexts {
    fn push(&mut self, text: Option<&str>) -> Result<()> {
        let bytes = text.map_or(0, str::len);
        check_size(self.builder.values_slice().len().saturating_add(bytes))?;
        self.builder.append_option(text);
        Ok(())
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

/// Refuses a single text that no row should have.
pub(in crate::functions) fn check_value_size(bytes: usize) -> Result<()> {
    const MOST: usize = 128 * 1024 * 1024;
    if bytes <= MOST {
        return Ok(());
    }
    Err(evaluation("a function yields a text of more than 128 MB"))
}

/// Refuses a result for a batch that is larger than a column can be.
pub(in crate::functions) fn check_size(bytes: usize) -> Result<()> {
    if i32::try_from(bytes).is_ok() {
        return Ok(());
    }
    Err(evaluation("a function yields more than 2 GB for one batch"))
}

/// A DATE or TIME as a timestamp: midnight of the day, or the time on the day of the epoch.
fn day_or_clock(argument: &ColumnarValue) -> Result<Times> {
    let unit = match argument.data_type() {
        DataType::Date32 => TimeUnit::Second,
        DataType::Time32(unit) | DataType::Time64(unit) => unit,
        other => return Err(unexpected(&other).into()),
    };
    let array = argument.to_array(1)?;
    let numbers = match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>();
            days.unary::<_, Int64Type>(|day| i64::from(day) * SECONDS_PER_DAY)
        }
        DataType::Time32(_) => cast(&cast(&array, &DataType::Int32)?, &DataType::Int64)?
            .as_primitive()
            .clone(),
        _ => cast(&array, &DataType::Int64)?.as_primitive().clone(),
    };
    let values = match argument {
        ColumnarValue::Scalar(_) => {
            Values::Constant((!numbers.is_empty() && numbers.is_valid(0)).then(|| numbers.value(0)))
        }
        ColumnarValue::Array(_) => {
            Values::Column((numbers.values().clone(), numbers.nulls().cloned()))
        }
    };
    let zone = None;
    Ok(Times { values, unit, zone })
}

/// The zone in DataFusion's configuration; `None` is UTC.
pub(in crate::functions) fn session_zone(
    config: &datafusion::config::ConfigOptions,
) -> Result<Option<Tz>> {
    match config.execution.time_zone.as_deref() {
        None | Some("" | "UTC" | "+00:00" | "Z") => Ok(None),
        Some(name) => parse_zone(name).map(Some),
    }
}

/// A time zone by its name in the IANA database.
pub(in crate::functions) fn parse_zone(name: &str) -> Result<Tz> {
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
pub(in crate::functions) fn evaluation(
    message: impl Into<String>,
) -> datafusion::error::DataFusionError {
    PlanError::new(PlanErrorKind::Evaluation, message).into()
}

/// The result types of functions.
pub(in crate::functions) mod returns {
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

    pub(in crate::functions) fn bytes(_: &[DataType]) -> DataType {
        DataType::Binary
    }

    /// The type of the first argument.
    pub(in crate::functions) fn first(args: &[DataType]) -> DataType {
        args.first().cloned().unwrap_or(DataType::Null)
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
