//! Choosing, splitting and testing texts.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;

use crate::functions::scalar::{Bytes, Call, Texts};

/// CHR(code): the character of that number, of which the lowest eight bits count.
pub(super) fn chr(call: &Call<'_>) -> Result<ArrayRef> {
    let codes = call.ints(0)?;
    call.written_column(|row, out| {
        let Some(code) = codes.get(row) else {
            return Ok(false);
        };
        if code >= 0 {
            out.extend(u8::try_from(code & 0xFF).ok().map(char::from));
        }
        Ok(true)
    })
}

/// ELT(index, text, …): the text at the index, from 1; NULL if there is none.
pub(super) fn elt(call: &Call<'_>) -> Result<ArrayRef> {
    let indexes = call.ints(0)?;
    let texts: Vec<Texts<'_>> = (1..call.len())
        .map(|index| call.texts(index))
        .collect::<Result<_>>()?;
    call.slice_column(|row| {
        let index = indexes.get(row).and_then(|index| index.checked_sub(1));
        let chosen = index.and_then(|index| texts.get(usize::try_from(index).ok()?));
        Ok(chosen.and_then(|texts| texts.get(row)))
    })
}

/// STARTSWITH(value, start), of texts or BYTES.
pub(super) fn starts_with(call: &Call<'_>) -> Result<ArrayRef> {
    compare_bytes(call, |whole, start| whole.starts_with(start))
}

/// ENDSWITH(value, end), of texts or BYTES.
pub(super) fn ends_with(call: &Call<'_>) -> Result<ArrayRef> {
    compare_bytes(call, |whole, end| whole.ends_with(end))
}

fn compare_bytes(call: &Call<'_>, holds: fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef> {
    let (wholes, parts): (Bytes<'_>, Bytes<'_>) = (call.bytes(0)?, call.bytes(1)?);
    call.bool_column(|row| {
        let both = wholes.get(row).zip(parts.get(row));
        Ok(both.map(|(whole, part)| holds(whole, part)))
    })
}

/// The type of ARRAY<STRING>.
pub(in crate::functions) fn texts_type(_: &[DataType]) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// SPLIT(text, delimiter): the parts as an array; an empty delimiter splits into characters, and an
/// empty text has no parts.
pub(super) fn split(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, delimiters) = (call.texts(0)?, call.texts(1)?);
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in 0..call.rows() {
        let (Some(text), Some(delimiter)) = (texts.get(row), delimiters.get(row)) else {
            builder.append(false);
            continue;
        };
        if delimiter.is_empty() {
            let mut room = [0; 4];
            for character in text.chars() {
                builder
                    .values()
                    .append_value(character.encode_utf8(&mut room));
            }
        } else if !text.is_empty() {
            for part in text.split(delimiter) {
                builder.values().append_value(part);
            }
        }
        builder.append(true);
    }
    Ok(Arc::new(builder.finish()))
}
