//! The JSON encoder: a row is an object with all columns, in their order, NULLs included.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::scan::string_stop;
use crate::format::cells::{Cells, TimestampForm, Values};
use crate::format::scalar::number;
use crate::format::{Encoded, Encoder, Framing};
use levada_engine::{EngineError, Result};

/// How values are written.
#[derive(Debug, Clone)]
pub(super) struct Style {
    pub timestamps: TimestampForm,
    pub map_null_key: MapNullKey,
    /// Never write a decimal with an exponent.
    pub plain_decimals: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            timestamps: TimestampForm::Sql,
            map_null_key: MapNullKey::Fail,
            plain_decimals: false,
        }
    }
}

/// What becomes of an entry of a map whose key is NULL, for which JSON has no form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MapNullKey {
    Fail,
    /// The entry is left out.
    Drop,
    /// The key is written as this text.
    Literal(String),
}

/// Encodes rows as JSON objects.
#[derive(Debug)]
pub(super) struct JsonEncoder {
    /// For each column, `"name":`.
    keys: Vec<Vec<u8>>,
    style: Style,
    framing: Framing,
}

impl JsonEncoder {
    pub(super) fn new(schema: &SchemaRef, style: Style, framing: Framing) -> Result<Self> {
        for field in schema.fields() {
            Cells::new(field, &arrow::array::new_empty_array(field.data_type()))?;
        }
        let keys = schema
            .fields()
            .iter()
            .map(|field| key(field.name()))
            .collect();
        Ok(Self {
            keys,
            style,
            framing,
        })
    }

    fn row(&self, columns: &[Cells], row: usize, out: &mut Vec<u8>) -> Result<()> {
        out.push(b'{');
        for (i, (key, cells)) in self.keys.iter().zip(columns).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            self.style.write(cells, row, out)?;
        }
        out.push(b'}');
        if self.framing == Framing::Line {
            out.push(b'\n');
        }
        Ok(())
    }
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut Encoded) -> Result<()> {
        let schema = batch.schema_ref();
        let columns = schema.fields().iter().zip(batch.columns());
        let columns = columns.map(|(field, array)| Cells::new(field, array));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let (rows, bytes) = (out.rows(), out.bytes.len());
        for row in 0..batch.num_rows() {
            let start = out.bytes.len();
            if let Err(error) = self.row(&columns, row, &mut out.bytes) {
                out.truncate(rows, bytes);
                return Err(error);
            }
            out.end_row(start);
        }
        Ok(())
    }
}

impl Style {
    /// Writes a cell as a JSON value.
    fn write(&self, cells: &Cells, row: usize, out: &mut Vec<u8>) -> Result<()> {
        if cells.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &cells.values {
            Values::Utf8(values) => write_string(out, values.value(row).as_bytes()),
            Values::Decimal { values, scale } => {
                let value = values.get(row).copied().unwrap_or_default();
                match self.plain_decimals {
                    true => number::write_decimal(out, value, *scale),
                    false => number::write_short_decimal(out, value, *scale),
                }
            }
            Values::Float32(values) if values.get(row).is_some_and(|v| !v.is_finite()) => {
                self.write_quoted(cells, row, out);
            }
            Values::Float64(values) if values.get(row).is_some_and(|v| !v.is_finite()) => {
                self.write_quoted(cells, row, out);
            }
            Values::Binary(_)
            | Values::Date(_)
            | Values::Time { .. }
            | Values::Timestamp { .. } => {
                self.write_quoted(cells, row, out);
            }
            Values::List { rows, elements } => {
                self.write_list(rows.value_offsets(), elements, row, out)?
            }
            Values::Map { rows, keys, values } => {
                self.write_map(rows.value_offsets(), (keys, values), row, out)?;
            }
            Values::Struct { names, children } => self.write_struct(names, children, row, out)?,
            _ => {
                cells.write_plain(row, out, self.timestamps);
            }
        }
        Ok(())
    }

    /// Writes text that needs no escapes.
    fn write_quoted(&self, cells: &Cells, row: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        cells.write_plain(row, out, self.timestamps);
        out.push(b'"');
    }

    fn write_list(
        &self,
        offsets: &[i32],
        elements: &Cells,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        out.push(b'[');
        for (i, element) in range(offsets, row).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            self.write(elements, element, out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn write_map(
        &self,
        offsets: &[i32],
        (keys, values): (&Cells, &Cells),
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        out.push(b'{');
        let mut first = true;
        let mut text = Vec::new();
        for entry in range(offsets, row) {
            text.clear();
            if !keys.is_null(entry) {
                if !keys.write_plain(entry, &mut text, self.timestamps) {
                    return Err(EngineError::data(
                        "a MAP whose keys are nested cannot be written as JSON",
                    ));
                }
            } else {
                match &self.map_null_key {
                    MapNullKey::Drop => continue,
                    MapNullKey::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
                    MapNullKey::Fail => return Err(null_key()),
                }
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            write_string(out, &text);
            out.push(b':');
            self.write(values, entry, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn write_struct(
        &self,
        names: &[String],
        children: &[Cells],
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        out.push(b'{');
        for (i, (name, cells)) in names.iter().zip(children).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            write_string(out, name.as_bytes());
            out.push(b':');
            self.write(cells, row, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

fn null_key() -> EngineError {
    EngineError::data("a MAP has a key that is NULL, which JSON cannot hold")
        .with_hint("set 'json.map-null-key.mode' to 'DROP' or 'LITERAL'")
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    match (offsets.get(row), offsets.get(row + 1)) {
        (Some(start), Some(end)) => *start as usize..*end as usize,
        _ => 0..0,
    }
}

fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 3);
    write_string(&mut key, name.as_bytes());
    key.push(b':');
    key
}

/// Writes `text` in quotes, with the escapes that JSON asks for.
fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut from = 0;
    loop {
        let stop = string_stop(text, from);
        out.extend_from_slice(text.get(from..stop).unwrap_or_default());
        match text.get(stop) {
            None => break,
            Some(b'"') => out.extend_from_slice(b"\\\""),
            Some(b'\\') => out.extend_from_slice(b"\\\\"),
            Some(b'\n') => out.extend_from_slice(b"\\n"),
            Some(b'\r') => out.extend_from_slice(b"\\r"),
            Some(b'\t') => out.extend_from_slice(b"\\t"),
            Some(other) => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        from = stop + 1;
    }
    out.push(b'"');
}
