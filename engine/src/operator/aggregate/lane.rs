//! Lanes: the three physical forms in which keys and aggregated values are held.
//!
//! Every column type maps onto 64-bit integers, 128-bit integers or bytes, such that equal values
//! have equal lanes and, for the two integer lanes and for strings, the order of lanes is the order
//! of values. Hash tables, extremes and distinct sets are written once per lane instead of once per
//! type.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayData, ArrayRef, AsArray, BinaryArray, BooleanArray, StringArray, make_array,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    IntervalUnit, UInt8Type, UInt16Type, UInt32Type,
};
use arrow::row::{RowConverter, SortField};

use crate::error::{EngineError, Result};

/// Values of one lane.
#[derive(Debug, Clone)]
pub(crate) enum Values {
    /// Integers, dates, times, booleans, floats in an order-preserving form.
    I64(ScalarBuffer<i64>),
    /// Decimals.
    I128(ScalarBuffer<i128>),
    /// Strings, bytes, and the row encoding of everything else.
    Bytes(BinaryArray),
}

/// A column in its lane. The value under a NULL is unspecified.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub(crate) values: Values,
    pub(crate) nulls: Option<NullBuffer>,
}

impl Lane {
    /// A lane of integers without NULLs.
    pub(crate) fn integers(values: Vec<i64>) -> Self {
        Lane {
            values: Values::I64(values.into()),
            nulls: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.values {
            Values::I64(values) => values.len(),
            Values::I128(values) => values.len(),
            Values::Bytes(values) => values.len(),
        }
    }

    /// Which rows have a value; `None` when all have.
    pub(crate) fn validity(&self) -> Option<&BooleanBuffer> {
        self.nulls.as_ref().map(NullBuffer::inner)
    }

    /// The rows at `rows`, in that order.
    pub(crate) fn take(&self, rows: &[u32]) -> Result<Lane> {
        let values = match &self.values {
            Values::I64(values) => {
                Values::I64(rows.iter().map(|row| values[*row as usize]).collect())
            }
            Values::I128(values) => {
                Values::I128(rows.iter().map(|row| values[*row as usize]).collect())
            }
            Values::Bytes(values) => {
                let rows = arrow::array::UInt32Array::from(rows.to_vec());
                Values::Bytes(
                    compute::take(values, &rows, None)?
                        .as_binary::<i32>()
                        .clone(),
                )
            }
        };
        let nulls = self.nulls.as_ref().map(|nulls| {
            let valid = rows.iter().map(|row| nulls.is_valid(*row as usize));
            NullBuffer::from(valid.collect::<BooleanBuffer>())
        });
        Ok(Lane { values, nulls })
    }
}

/// Which lane a type uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneKind {
    I64,
    I128,
    Bytes,
}

/// Moves columns of one type into their lane and back.
#[derive(Debug)]
pub(crate) struct Codec {
    data_type: DataType,
    kind: LaneKind,
    /// For the types that have no lane of their own.
    rows: Option<RowEncoding>,
}

#[derive(Debug)]
struct RowEncoding {
    converter: RowConverter,
    /// What NULL looks like.
    null: Vec<u8>,
}

impl RowEncoding {
    fn new(data_type: &DataType) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(data_type.clone())])?;
        let null = converter.convert_columns(&[new_null_array(data_type, 1)])?;
        let null = null.row(0).as_ref().to_vec();
        Ok(RowEncoding { converter, null })
    }
}

impl Codec {
    pub(crate) fn new(data_type: &DataType) -> Result<Self> {
        let kind = lane_kind(data_type);
        let rows = match kind {
            None => Some(RowEncoding::new(data_type)?),
            Some(_) => None,
        };
        Ok(Codec {
            data_type: data_type.clone(),
            kind: kind.unwrap_or(LaneKind::Bytes),
            rows,
        })
    }

    pub(crate) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    pub(crate) fn kind(&self) -> LaneKind {
        self.kind
    }

    /// Whether the order of lanes is the order of values.
    pub(crate) fn is_ordered(&self) -> bool {
        self.rows.is_none()
    }

    /// A column's lane.
    pub(crate) fn encode(&self, column: &ArrayRef) -> Result<Lane> {
        let nulls = column.logical_nulls().filter(|n| n.null_count() > 0);
        let values = match (&self.rows, self.kind) {
            (Some(rows), _) => {
                let rows = rows
                    .converter
                    .convert_columns(std::slice::from_ref(column))?;
                Values::Bytes(rows.try_into_binary()?)
            }
            (None, LaneKind::I64) => Values::I64(encode_i64(column)?),
            (None, LaneKind::I128) => Values::I128(buffer_of(column)?),
            (None, LaneKind::Bytes) => Values::Bytes(encode_bytes(column)?),
        };
        Ok(Lane { values, nulls })
    }

    /// A column's lane with all NaNs made one, so that aggregates see one greatest float.
    pub(crate) fn encode_argument(&self, column: &ArrayRef) -> Result<Lane> {
        let lane = self.encode(column)?;
        let (true, Values::I64(values)) = (self.data_type.is_floating(), &lane.values) else {
            return Ok(lane);
        };
        let least = float_to_lane(f64::NEG_INFINITY);
        let greatest = float_to_lane(f64::INFINITY);
        let number = |v: &i64| (least..=greatest).contains(v);
        if values.iter().all(number) {
            return Ok(lane);
        }
        let nan = float_to_lane(f64::NAN);
        let values = values.iter().map(|v| if number(v) { *v } else { nan });
        Ok(Lane {
            values: Values::I64(values.collect()),
            nulls: lane.nulls,
        })
    }

    /// The column of a lane.
    pub(crate) fn decode(&self, lane: Lane) -> Result<ArrayRef> {
        let length = lane.len();
        let Lane { values, nulls } = lane;
        match (values, &self.rows) {
            (Values::Bytes(values), Some(rows)) => decode_rows(rows, &values, nulls.as_ref()),
            (Values::Bytes(values), None) => decode_bytes(&self.data_type, values, nulls),
            (Values::I64(values), _) => decode_i64(&self.data_type, values, nulls),
            (Values::I128(values), _) => build(&self.data_type, values.into_inner(), length, nulls),
        }
    }
}

/// The lane of a type, if it has one of its own.
fn lane_kind(data_type: &DataType) -> Option<LaneKind> {
    use DataType as T;
    match data_type {
        T::Null | T::Boolean => Some(LaneKind::I64),
        T::Int8 | T::Int16 | T::Int32 | T::Int64 => Some(LaneKind::I64),
        T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => Some(LaneKind::I64),
        T::Float32 | T::Float64 | T::Decimal32(..) | T::Decimal64(..) => Some(LaneKind::I64),
        T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_) => Some(LaneKind::I64),
        T::Timestamp(..) | T::Duration(_) => Some(LaneKind::I64),
        T::Interval(IntervalUnit::YearMonth) => Some(LaneKind::I64),
        T::Decimal128(..) => Some(LaneKind::I128),
        T::Utf8 | T::LargeUtf8 | T::Utf8View => Some(LaneKind::Bytes),
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => Some(LaneKind::Bytes),
        _ => None,
    }
}

/// The first buffer of a column as integers of the width that its type has.
fn buffer_of<T: arrow::datatypes::ArrowNativeType>(column: &ArrayRef) -> Result<ScalarBuffer<T>> {
    let data = column.to_data();
    match data.buffers().first() {
        Some(buffer) => Ok(ScalarBuffer::new(buffer.clone(), data.offset(), data.len())),
        None => Err(EngineError::internal(format!(
            "a column of {} has no buffer",
            data.data_type()
        ))),
    }
}

fn widen<T: ArrowPrimitiveType>(
    column: &ArrayRef,
    widen: impl Fn(T::Native) -> i64,
) -> Result<ScalarBuffer<i64>> {
    let values: ScalarBuffer<T::Native> = buffer_of(column)?;
    Ok(values.iter().map(|v| widen(*v)).collect())
}

fn encode_i64(column: &ArrayRef) -> Result<ScalarBuffer<i64>> {
    use DataType as T;
    match column.data_type() {
        T::Null => Ok(vec![0i64; column.len()].into()),
        T::Boolean => {
            let values = column.as_boolean().values();
            Ok(values.iter().map(i64::from).collect())
        }
        T::Int8 => widen::<Int8Type>(column, i64::from),
        T::Int16 => widen::<Int16Type>(column, i64::from),
        T::UInt8 => widen::<UInt8Type>(column, i64::from),
        T::UInt16 => widen::<UInt16Type>(column, i64::from),
        T::UInt32 => widen::<UInt32Type>(column, i64::from),
        T::UInt64 => {
            let values: ScalarBuffer<i64> = buffer_of(column)?;
            Ok(values.iter().map(|v| v ^ i64::MIN).collect())
        }
        T::Float32 => widen::<Float32Type>(column, |v| float_to_lane(f64::from(v))),
        T::Float64 => widen::<Float64Type>(column, float_to_lane),
        T::Int32 | T::Date32 | T::Time32(_) | T::Decimal32(..) | T::Interval(_) => {
            widen::<Int32Type>(column, i64::from)
        }
        _ => buffer_of(column),
    }
}

/// Floats as integers of the same order: NaN is one value above all others, and -0 is 0.
pub(crate) fn float_to_lane(value: f64) -> i64 {
    let value = if value.is_nan() {
        f64::NAN
    } else {
        value + 0.0
    };
    flip_negative(value.to_bits() as i64)
}

/// The inverse of [`float_to_lane`].
pub(crate) fn lane_to_float(lane: i64) -> f64 {
    f64::from_bits(flip_negative(lane) as u64)
}

fn flip_negative(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn encode_bytes(column: &ArrayRef) -> Result<BinaryArray> {
    let text: ArrayRef = match column.data_type() {
        DataType::Utf8 | DataType::Binary => column.clone(),
        DataType::LargeUtf8 | DataType::Utf8View => compute::cast(column, &DataType::Utf8)?,
        _ => compute::cast(column, &DataType::Binary)?,
    };
    match text.as_string_opt::<i32>() {
        Some(text) => Ok(BinaryArray::from(text.clone())),
        None => Ok(text.as_binary::<i32>().clone()),
    }
}

/// A column of fixed width from its buffer.
fn build(
    data_type: &DataType,
    buffer: arrow::buffer::Buffer,
    length: usize,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let data = ArrayData::builder(data_type.clone())
        .len(length)
        .add_buffer(buffer)
        .nulls(nulls)
        .build()?;
    Ok(make_array(data))
}

fn narrow<T: ArrowPrimitiveType>(
    data_type: &DataType,
    values: &[i64],
    nulls: Option<NullBuffer>,
    narrow: impl Fn(i64) -> T::Native,
) -> Result<ArrayRef> {
    let values: ScalarBuffer<T::Native> = values.iter().map(|v| narrow(*v)).collect();
    build(data_type, values.inner().clone(), values.len(), nulls)
}

fn decode_i64(
    data_type: &DataType,
    values: ScalarBuffer<i64>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    use DataType as T;
    // Every value came out of `encode_i64` for this type, so narrowing loses nothing.
    match data_type {
        T::Null => Ok(new_null_array(data_type, values.len())),
        T::Boolean => {
            let bits = values.iter().map(|v| *v != 0).collect();
            Ok(Arc::new(BooleanArray::new(bits, nulls)))
        }
        T::Int8 => narrow::<Int8Type>(data_type, &values, nulls, |v| v as i8),
        T::Int16 => narrow::<Int16Type>(data_type, &values, nulls, |v| v as i16),
        T::UInt8 => narrow::<UInt8Type>(data_type, &values, nulls, |v| v as u8),
        T::UInt16 => narrow::<UInt16Type>(data_type, &values, nulls, |v| v as u16),
        T::UInt32 => narrow::<UInt32Type>(data_type, &values, nulls, |v| v as u32),
        T::UInt64 => {
            let values: ScalarBuffer<i64> = values.iter().map(|v| v ^ i64::MIN).collect();
            build(data_type, values.inner().clone(), values.len(), nulls)
        }
        T::Float32 => narrow::<Float32Type>(data_type, &values, nulls, |v| lane_to_float(v) as f32),
        T::Float64 => narrow::<Float64Type>(data_type, &values, nulls, lane_to_float),
        T::Int32 | T::Date32 | T::Time32(_) | T::Decimal32(..) | T::Interval(_) => {
            narrow::<Int32Type>(data_type, &values, nulls, |v| v as i32)
        }
        _ => build(data_type, values.inner().clone(), values.len(), nulls),
    }
}

fn decode_bytes(
    data_type: &DataType,
    values: BinaryArray,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let (offsets, bytes, _) = values.into_parts();
    let binary = matches!(
        data_type,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    );
    let column: ArrayRef = if binary {
        Arc::new(BinaryArray::try_new(offsets, bytes, nulls)?)
    } else {
        Arc::new(StringArray::try_new(offsets, bytes, nulls)?)
    };
    if column.data_type() == data_type {
        return Ok(column);
    }
    Ok(compute::cast(&column, data_type)?)
}

fn decode_rows(
    rows: &RowEncoding,
    values: &BinaryArray,
    nulls: Option<&NullBuffer>,
) -> Result<ArrayRef> {
    let parser = rows.converter.parser();
    let encoded = (0..values.len()).map(|i| {
        let valid = nulls.is_none_or(|n| n.is_valid(i));
        let bytes = if valid { values.value(i) } else { &rows.null };
        parser.parse(bytes)
    });
    let columns = rows.converter.convert_rows(encoded)?;
    let column = columns.into_iter().next();
    column.ok_or_else(|| EngineError::internal("a row encoding of no column"))
}

/// Bytes laid out one after the other, as they come from a [`LaneStore`](super::store::LaneStore)
/// or a state row.
#[derive(Debug)]
pub(crate) struct BytesBuilder {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

impl BytesBuilder {
    pub(crate) fn with_capacity(values: usize) -> Self {
        let mut offsets = Vec::with_capacity(values + 1);
        offsets.push(0);
        BytesBuilder {
            offsets,
            bytes: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, value: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(value);
        let end = i32::try_from(self.bytes.len())
            .map_err(|_| EngineError::data("one batch holds more than 2 GiB of text"))?;
        self.offsets.push(end);
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<BinaryArray> {
        let offsets = OffsetBuffer::new(self.offsets.into());
        Ok(BinaryArray::try_new(offsets, self.bytes.into(), None)?)
    }
}

/// Marks the rows in which two lanes of one kind differ; NULL equals NULL.
pub(crate) fn mark_unequal(a: &Lane, b: &Lane, unequal: &mut [bool]) {
    let nulls = (a.nulls.as_ref(), b.nulls.as_ref());
    match (&a.values, &b.values) {
        (Values::I64(a), Values::I64(b)) => mark(nulls, unequal, |row| a[row] != b[row]),
        (Values::I128(a), Values::I128(b)) => mark(nulls, unequal, |row| a[row] != b[row]),
        (Values::Bytes(a), Values::Bytes(b)) => {
            mark(nulls, unequal, |row| a.value(row) != b.value(row));
        }
        _ => unequal.fill(true),
    }
}

fn mark(
    nulls: (Option<&NullBuffer>, Option<&NullBuffer>),
    unequal: &mut [bool],
    differ: impl Fn(usize) -> bool,
) {
    let valid = |nulls: Option<&NullBuffer>, row| nulls.is_none_or(|n| n.is_valid(row));
    for (row, unequal) in unequal.iter_mut().enumerate() {
        *unequal |= match (valid(nulls.0, row), valid(nulls.1, row)) {
            (true, true) => differ(row),
            (a, b) => a != b,
        };
    }
}
