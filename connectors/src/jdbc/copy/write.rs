//! From Arrow to COPY.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, ListArray,
    PrimitiveArray, RecordBatch, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use bytes::{BufMut, Bytes, BytesMut};
use levada_engine::{EngineError, Result};

use super::super::catalog::Column;
use super::super::numeric;
use super::super::types::Scalar;
use super::{EPOCH_DAYS, EPOCH_MICROS, SIGNATURE};

/// How much is sent at a time, in bytes.
const CHUNK: usize = 128 << 10;

/// The values of a column, of the types that the encoding knows.
enum Values {
    Bool(BooleanArray),
    /// With the width in the database.
    Int(PrimitiveArray<Int64Type>, u8),
    Float4(PrimitiveArray<Float32Type>),
    Float8(PrimitiveArray<Float64Type>),
    Decimal(Decimal128Array, i8),
    Text(StringArray),
    Bytes(BinaryArray),
    Date(PrimitiveArray<Date32Type>),
    Time(PrimitiveArray<Time64MicrosecondType>),
    Timestamp(PrimitiveArray<TimestampMicrosecondType>),
    /// With the number of the elements' type.
    List(ListArray, Box<Values>, u32),
}

impl Values {
    fn new(array: &ArrayRef, column: &Column) -> Result<Self> {
        if !column.declared.is_array {
            return Self::scalar(array, column);
        }
        let list = array.as_list_opt::<i32>().ok_or_else(|| {
            EngineError::internal(format!("column '{}' holds no arrays", column.name))
        })?;
        let values = Self::scalar(list.values(), column)?;
        Ok(Values::List(list.clone(), Box::new(values), column.oid))
    }

    fn scalar(array: &ArrayRef, column: &Column) -> Result<Self> {
        let to = |data_type: &DataType| cast(array, data_type).map_err(EngineError::from);
        Ok(match column.declared.scalar {
            Scalar::Bool => Values::Bool(to(&DataType::Boolean)?.as_boolean().clone()),
            Scalar::Int(_) => {
                Values::Int(to(&DataType::Int64)?.as_primitive().clone(), column.width)
            }
            Scalar::Float(_) if column.width == 4 => {
                Values::Float4(to(&DataType::Float32)?.as_primitive().clone())
            }
            Scalar::Float(_) => Values::Float8(to(&DataType::Float64)?.as_primitive().clone()),
            Scalar::Decimal(precision, scale) => {
                let decimals = to(&DataType::Decimal128(precision, scale))?;
                Values::Decimal(decimals.as_primitive::<Decimal128Type>().clone(), scale)
            }
            Scalar::Text => Values::Text(to(&DataType::Utf8)?.as_string().clone()),
            Scalar::Bytes => Values::Bytes(to(&DataType::Binary)?.as_binary().clone()),
            Scalar::Date => Values::Date(to(&DataType::Date32)?.as_primitive().clone()),
            Scalar::Time(_) => {
                let times = to(&DataType::Time64(TimeUnit::Microsecond))?;
                Values::Time(times.as_primitive().clone())
            }
            Scalar::Timestamp(_, _) => {
                // Casting takes the zone off without moving the instant: both count in UTC.
                let zone = match array.data_type() {
                    DataType::Timestamp(_, zone) => zone.clone(),
                    _ => None,
                };
                let times = to(&DataType::Timestamp(TimeUnit::Microsecond, zone))?;
                Values::Timestamp(times.as_primitive().clone())
            }
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Values::Bool(a) => a.is_null(row),
            Values::Int(a, _) => a.is_null(row),
            Values::Float4(a) => a.is_null(row),
            Values::Float8(a) => a.is_null(row),
            Values::Decimal(a, _) => a.is_null(row),
            Values::Text(a) => a.is_null(row),
            Values::Bytes(a) => a.is_null(row),
            Values::Date(a) => a.is_null(row),
            Values::Time(a) => a.is_null(row),
            Values::Timestamp(a) => a.is_null(row),
            Values::List(a, _, _) => a.is_null(row),
        }
    }

    /// Appends a value with its length.
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        if self.is_null(row) {
            out.put_i32(-1);
            return Ok(());
        }
        let start = out.len();
        out.put_i32(0); // the length, when it is known
        self.put_content(row, out)?;
        let length = i32::try_from(out.len() - start - 4)
            .map_err(|_| EngineError::data("a value is longer than PostgreSQL can take"))?;
        if let Some(place) = out.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    fn put_content(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let out_of_range = || EngineError::data("a time is out of PostgreSQL's range");
        match self {
            Values::Bool(a) => out.put_u8(a.value(row).into()),
            Values::Int(a, width) => put_int(a.value(row), *width, out)?,
            Values::Float4(a) => out.put_f32(a.value(row)),
            Values::Float8(a) => out.put_f64(a.value(row)),
            Values::Decimal(a, scale) => numeric::encode(a.value(row), *scale, out),
            Values::Text(a) => out.extend_from_slice(a.value(row).as_bytes()),
            Values::Bytes(a) => out.extend_from_slice(a.value(row)),
            Values::Date(a) => {
                let days = a.value(row).checked_sub(EPOCH_DAYS);
                out.put_i32(days.ok_or_else(out_of_range)?);
            }
            Values::Time(a) => out.put_i64(a.value(row)),
            Values::Timestamp(a) => {
                let micros = a.value(row).checked_sub(EPOCH_MICROS);
                out.put_i64(micros.ok_or_else(out_of_range)?);
            }
            Values::List(list, values, oid) => {
                let offsets = list.value_offsets();
                let begin = offsets.get(row).copied().unwrap_or_default();
                let end = offsets.get(row + 1).copied().unwrap_or(begin);
                put_array(values, begin..end, *oid, out)?;
            }
        }
        Ok(())
    }
}

fn put_int(value: i64, width: u8, out: &mut BytesMut) -> Result<()> {
    let too_wide = |_| EngineError::data(format!("the number {value} is too large"));
    match width {
        2 => out.put_i16(i16::try_from(value).map_err(too_wide)?),
        4 => out.put_i32(i32::try_from(value).map_err(too_wide)?),
        _ => out.put_i64(value),
    }
    Ok(())
}

fn put_array(
    values: &Values,
    elements: std::ops::Range<i32>,
    oid: u32,
    out: &mut BytesMut,
) -> Result<()> {
    let place = |index: i32| usize::try_from(index).unwrap_or_default();
    let has_null = elements.clone().any(|index| values.is_null(place(index)));
    // An empty array has no dimension.
    out.put_i32((!elements.is_empty()).into());
    out.put_i32(has_null.into());
    out.put_u32(oid);
    if elements.is_empty() {
        return Ok(());
    }
    out.put_i32(elements.end - elements.start);
    out.put_i32(1); // arrays begin at 1
    elements
        .into_iter()
        .try_for_each(|index| values.put(place(index), out))
}

/// The rows of a batch as chunks of one COPY.
pub(in super::super) fn chunks(
    rows: &RecordBatch,
    columns: &[(usize, &Column)],
) -> Result<Vec<Bytes>> {
    let values: Result<Vec<_>> = columns
        .iter()
        .map(|(index, column)| {
            let array = rows.columns().get(*index).ok_or_else(|| {
                EngineError::internal(format!("the rows lack column '{}'", column.name))
            })?;
            Ok((*column, Values::new(array, column)?))
        })
        .collect();
    let values = values?;
    let count = i16::try_from(values.len())
        .map_err(|_| EngineError::config("the table has too many columns"))?;
    let mut chunks = Vec::new();
    let mut out = BytesMut::with_capacity(CHUNK + CHUNK / 4);
    out.extend_from_slice(SIGNATURE);
    out.put_i32(0); // flags
    out.put_i32(0); // no extension of the header
    for row in 0..rows.num_rows() {
        out.put_i16(count);
        for (column, values) in &values {
            let put = values.put(row, &mut out);
            put.map_err(|e| e.at(&format!("column '{}'", column.name)))?;
        }
        if out.len() >= CHUNK {
            chunks.push(out.split().freeze());
            out.reserve(CHUNK + CHUNK / 4);
        }
    }
    out.put_i16(-1);
    chunks.push(out.freeze());
    Ok(chunks)
}
