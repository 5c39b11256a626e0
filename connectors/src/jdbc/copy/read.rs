//! From COPY to Arrow.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder,
    Float32Builder, Float64Builder, Int64Builder, ListArray, RecordBatch, RecordBatchOptions,
    StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use bytes::{Buf, Bytes, BytesMut};
use levada_engine::{EngineError, Result};

use super::super::catalog::Column;
use super::super::numeric;
use super::super::types::Scalar;
use super::{EPOCH_DAYS, EPOCH_MICROS, SIGNATURE};
use crate::columns::convert;

/// The longest row that is read, in bytes; PostgreSQL's own limit.
const LONGEST_ROW: usize = 1 << 30;
const DAY_MICROS: i64 = 86_400_000_000;

/// Gathers the values of one column.
enum Builder {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float4(Float32Builder),
    Float8(Float64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder, i64),
    List {
        values: Box<Builder>,
        offsets: Vec<i32>,
        valid: Vec<bool>,
    },
}

fn malformed() -> String {
    "a malformed value".to_string()
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| malformed())
}

impl Builder {
    fn new(scalar: Scalar, width: u8) -> Result<Self> {
        Ok(match scalar {
            Scalar::Bool => Builder::Bool(BooleanBuilder::new()),
            Scalar::Int(_) => Builder::Int(Int64Builder::new()),
            Scalar::Float(_) if width == 4 => Builder::Float4(Float32Builder::new()),
            Scalar::Float(_) => Builder::Float8(Float64Builder::new()),
            Scalar::Decimal(precision, scale) => {
                let builder = Decimal128Builder::new();
                let builder = builder.with_precision_and_scale(precision, scale)?;
                Builder::Decimal(builder, precision, scale)
            }
            Scalar::Text => Builder::Text(StringBuilder::new()),
            Scalar::Bytes => Builder::Bytes(BinaryBuilder::new()),
            Scalar::Date => Builder::Date(Date32Builder::new()),
            Scalar::Time(_) => Builder::Time(Time64MicrosecondBuilder::new()),
            Scalar::Timestamp(zoned, unit) => {
                let builder = TimestampMicrosecondBuilder::new();
                Builder::Timestamp(builder.with_timezone_opt(zoned.then_some("UTC")), unit)
            }
        })
    }

    fn of(column: &Column) -> Result<Self> {
        let values = Self::new(column.declared.scalar, column.width)?;
        Ok(match column.declared.is_array {
            false => values,
            true => Builder::List {
                values: Box::new(values),
                offsets: vec![0],
                valid: Vec::new(),
            },
        })
    }

    fn append_null(&mut self) {
        match self {
            Builder::Bool(b) => b.append_null(),
            Builder::Int(b) => b.append_null(),
            Builder::Float4(b) => b.append_null(),
            Builder::Float8(b) => b.append_null(),
            Builder::Decimal(b, _, _) => b.append_null(),
            Builder::Text(b) => b.append_null(),
            Builder::Bytes(b) => b.append_null(),
            Builder::Date(b) => b.append_null(),
            Builder::Time(b) => b.append_null(),
            Builder::Timestamp(b, _) => b.append_null(),
            Builder::List { offsets, valid, .. } => {
                offsets.push(offsets.last().copied().unwrap_or_default());
                valid.push(false);
            }
        }
    }

    /// Adds a value; what is wrong with it if it is none of the declared type.
    fn append(&mut self, bytes: &[u8]) -> Result<(), String> {
        match self {
            Builder::Bool(b) => b.append_value(fixed::<1>(bytes)? != [0]),
            Builder::Int(b) => b.append_value(match bytes.len() {
                2 => i64::from(i16::from_be_bytes(fixed(bytes)?)),
                4 => i64::from(i32::from_be_bytes(fixed(bytes)?)),
                _ => i64::from_be_bytes(fixed(bytes)?),
            }),
            Builder::Float4(b) => b.append_value(f32::from_be_bytes(fixed(bytes)?)),
            Builder::Float8(b) => b.append_value(f64::from_be_bytes(fixed(bytes)?)),
            Builder::Decimal(b, precision, scale) => {
                b.append_value(numeric::decode(bytes, *precision, *scale)?);
            }
            Builder::Text(b) => {
                b.append_value(simdutf8::basic::from_utf8(bytes).map_err(|_| malformed())?);
            }
            Builder::Bytes(b) => b.append_value(bytes),
            Builder::Date(b) => {
                let days = i32::from_be_bytes(fixed(bytes)?);
                b.append_value(
                    finite(days, i32::MIN, i32::MAX)?
                        .checked_add(EPOCH_DAYS)
                        .ok_or_else(malformed)?,
                );
            }
            Builder::Time(b) => {
                let micros = i64::from_be_bytes(fixed(bytes)?);
                if micros >= DAY_MICROS {
                    return Err("'24:00:00', which is no time of the day".to_string());
                }
                b.append_value(micros);
            }
            Builder::Timestamp(b, unit) => {
                let micros = finite(i64::from_be_bytes(fixed(bytes)?), i64::MIN, i64::MAX)?;
                let micros = micros.checked_add(EPOCH_MICROS).ok_or_else(malformed)?;
                // A declared precision cuts off what is finer, also before 1970.
                b.append_value(micros.div_euclid(*unit) * *unit);
            }
            Builder::List {
                values,
                offsets,
                valid,
            } => {
                append_array(values, bytes)?;
                let end = i32::try_from(values.len()).map_err(|_| malformed())?;
                offsets.push(end);
                valid.push(true);
            }
        }
        Ok(())
    }

    fn len(&self) -> usize {
        match self {
            Builder::Bool(b) => b.len(),
            Builder::Int(b) => b.len(),
            Builder::Float4(b) => b.len(),
            Builder::Float8(b) => b.len(),
            Builder::Decimal(b, _, _) => b.len(),
            Builder::Text(b) => b.len(),
            Builder::Bytes(b) => b.len(),
            Builder::Date(b) => b.len(),
            Builder::Time(b) => b.len(),
            Builder::Timestamp(b, _) => b.len(),
            Builder::List { valid, .. } => valid.len(),
        }
    }

    fn finish(&mut self, field: &Field) -> Result<ArrayRef> {
        let array: ArrayRef = match self {
            Builder::Bool(b) => Arc::new(b.finish()),
            Builder::Int(b) => Arc::new(b.finish()),
            Builder::Float4(b) => Arc::new(b.finish()),
            Builder::Float8(b) => Arc::new(b.finish()),
            Builder::Decimal(b, _, _) => Arc::new(b.finish()),
            Builder::Text(b) => Arc::new(b.finish()),
            Builder::Bytes(b) => Arc::new(b.finish()),
            Builder::Date(b) => Arc::new(b.finish()),
            Builder::Time(b) => Arc::new(b.finish()),
            Builder::Timestamp(b, _) => Arc::new(b.finish()),
            Builder::List {
                values,
                offsets,
                valid,
            } => {
                let DataType::List(item) = field.data_type() else {
                    return Err(EngineError::internal(format!(
                        "column '{}' holds no arrays",
                        field.name()
                    )));
                };
                let values = values.finish(item)?;
                let offsets = std::mem::replace(offsets, vec![0]);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                let nulls = NullBuffer::from(std::mem::take(valid));
                Arc::new(ListArray::try_new(
                    Arc::clone(item),
                    offsets,
                    values,
                    Some(nulls),
                )?)
            }
        };
        convert(&array, field)
    }
}

/// PostgreSQL's infinities have no counterpart.
fn finite<T: PartialEq>(value: T, min: T, max: T) -> Result<T, String> {
    match value == min || value == max {
        true => Err("'infinity'".to_string()),
        false => Ok(value),
    }
}

fn append_array(values: &mut Builder, mut bytes: &[u8]) -> Result<(), String> {
    if bytes.len() < 12 {
        return Err(malformed());
    }
    let dimensions = bytes.get_i32();
    let (_has_null, _oid) = (bytes.get_i32(), bytes.get_u32());
    match dimensions {
        0 => return Ok(()),
        1 if bytes.len() >= 8 => {}
        1 => return Err(malformed()),
        _ => return Err("an array of several dimensions".to_string()),
    }
    let (count, _first) = (bytes.get_i32(), bytes.get_i32());
    for _ in 0..count {
        match take_value(&mut bytes)? {
            None => values.append_null(),
            Some(value) => values.append(value)?,
        }
    }
    match bytes.is_empty() {
        true => Ok(()),
        false => Err(malformed()),
    }
}

/// Takes a value with its length off the front; `None` for NULL.
fn take_value<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, String> {
    if bytes.len() < 4 {
        return Err(malformed());
    }
    let Ok(length) = usize::try_from(bytes.get_i32()) else {
        return Ok(None);
    };
    let (value, rest) = bytes.split_at_checked(length).ok_or_else(malformed)?;
    *bytes = rest;
    Ok(Some(value))
}

/// Reads the chunks of one COPY.
pub(in super::super) struct Reader {
    columns: Vec<(Column, FieldRef, Builder)>,
    schema: SchemaRef,
    /// How many text columns follow in each row, which say where reading stands.
    keys: usize,
    /// These columns of the last row.
    last_key: Vec<String>,
    /// Received and not yet read.
    pending: BytesMut,
    has_header: bool,
    has_ended: bool,
    rows: usize,
}

impl Reader {
    /// For rows of `schema`, whose columns are `columns`, followed by `keys` texts.
    pub(in super::super) fn new(
        schema: &SchemaRef,
        columns: &[Column],
        keys: usize,
    ) -> Result<Self> {
        let columns = columns.iter().zip(schema.fields());
        let columns = columns
            .map(|(column, field)| Ok((column.clone(), Arc::clone(field), Builder::of(column)?)));
        Ok(Self {
            columns: columns.collect::<Result<_>>()?,
            schema: Arc::clone(schema),
            keys,
            last_key: Vec::new(),
            pending: BytesMut::new(),
            has_header: false,
            has_ended: false,
            rows: 0,
        })
    }

    /// Takes bytes as they come.
    pub(in super::super) fn feed(&mut self, bytes: &Bytes) {
        self.pending.extend_from_slice(bytes);
    }

    /// Whether the end mark has been read.
    pub(in super::super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Rows read and not yet taken.
    pub(in super::super) fn rows(&self) -> usize {
        self.rows
    }

    /// The key of the last row read.
    pub(in super::super) fn last_key(&self) -> &[String] {
        &self.last_key
    }

    /// Reads what has come, up to `most` rows in all.
    pub(in super::super) fn advance(&mut self, most: usize) -> Result<()> {
        if !self.has_header && !self.header()? {
            return Ok(());
        }
        while self.rows < most && !self.has_ended {
            let Some(length) = self.next_row()? else {
                if self.pending.len() > LONGEST_ROW {
                    return Err(garbled("a row is too long"));
                }
                return Ok(());
            };
            let row = self.pending.split_to(length).freeze();
            self.read_row(row.get(2..).unwrap_or_default())?;
        }
        Ok(())
    }

    fn header(&mut self) -> Result<bool> {
        let fixed = SIGNATURE.len() + 8;
        let Some(header) = self.pending.get(..fixed) else {
            return Ok(false);
        };
        if !header.starts_with(SIGNATURE) {
            return Err(garbled("the stream has no header"));
        }
        let mut extension = header.get(SIGNATURE.len() + 4..).unwrap_or_default();
        let extension = usize::try_from(extension.get_i32()).unwrap_or(usize::MAX);
        if extension > LONGEST_ROW {
            return Err(garbled("the stream has no header"));
        }
        if self.pending.len() < fixed + extension {
            return Ok(false);
        }
        self.pending.advance(fixed + extension);
        self.has_header = true;
        Ok(true)
    }

    /// The length of the next row, if all of it is there; finds the end mark.
    fn next_row(&mut self) -> Result<Option<usize>> {
        let mut rest: &[u8] = &self.pending;
        if rest.len() < 2 {
            return Ok(None);
        }
        let count = rest.get_i16();
        if count == -1 {
            self.has_ended = true;
            self.pending.clear();
            return Ok(None);
        }
        if usize::try_from(count).ok() != Some(self.columns.len() + self.keys) {
            return Err(garbled("a row has another number of columns"));
        }
        for _ in 0..count {
            if rest.len() < 4 {
                return Ok(None);
            }
            let length = usize::try_from(rest.get_i32()).unwrap_or(0);
            let Some(behind) = rest.get(length..) else {
                return Ok(None);
            };
            rest = behind;
        }
        Ok(Some(self.pending.len() - rest.len()))
    }

    fn read_row(&mut self, mut row: &[u8]) -> Result<()> {
        for (column, _, builder) in &mut self.columns {
            let appended = match take_value(&mut row) {
                Ok(None) => {
                    builder.append_null();
                    Ok(())
                }
                Ok(Some(value)) => builder.append(value),
                Err(wrong) => Err(wrong),
            };
            appended.map_err(|wrong| {
                let declared = super::super::types::sql_name(column.declared);
                EngineError::data(format!(
                    "column '{}' is declared {declared}, and a row has {wrong}",
                    column.name
                ))
            })?;
        }
        self.last_key.clear();
        for _ in 0..self.keys {
            let key = take_value(&mut row).map_err(|e| garbled(&e))?;
            let key = String::from_utf8_lossy(key.unwrap_or_default());
            self.last_key.push(key.into_owned());
        }
        self.rows += 1;
        Ok(())
    }

    /// Takes the rows read so far.
    pub(in super::super) fn take(&mut self) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.rows = 0;
        let arrays = self.columns.iter_mut();
        let arrays: Result<Vec<_>> = arrays.map(|(_, field, b)| b.finish(field)).collect();
        let schema = Arc::clone(&self.schema);
        RecordBatch::try_new_with_options(schema, arrays?, &options)
            .map_err(|e| EngineError::data(format!("a row does not suit the table: {e}")))
    }
}

fn garbled(what: &str) -> EngineError {
    EngineError::connector(format!("the database sent what cannot be read: {what}"))
}
