//! DATE_FORMAT.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};
use datafusion::common::Result;

use super::pattern::Pattern;
use crate::functions::scalar::{Call, Texts, Times, Values, evaluation};

/// DATE_FORMAT(time, pattern).
///
/// Times of a stream come in order, and most patterns are coarse: the text of the row before
/// is copied when it is the same, so that a batch costs a comparison per row.
pub(super) fn date_format(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.times(0)?;
    match call.texts(1)? {
        Values::Constant(Some(pattern)) => {
            constant_pattern(call.rows(), &times, &Pattern::compile(pattern)?)
        }
        patterns => varying_pattern(call, &times, &patterns),
    }
}

fn constant_pattern(rows: usize, times: &Times, pattern: &Pattern) -> Result<ArrayRef> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut offsets: Vec<i32> = Vec::with_capacity(rows + 1);
    let mut valid: Vec<bool> = Vec::with_capacity(rows);
    offsets.push(0);
    let mut last: Option<((i64, i64), std::ops::Range<usize>)> = None;
    for row in 0..rows {
        let time = times.local(row);
        valid.push(time.is_some());
        if let Some(time) = time {
            let key = pattern.key(time);
            let start = bytes.len();
            match &last {
                Some((known, range)) if *known == key => bytes.extend_from_within(range.clone()),
                _ => pattern.format(time, &mut bytes),
            }
            last = Some((key, start..bytes.len()));
        }
        let end = i32::try_from(bytes.len())
            .map_err(|_| evaluation("DATE_FORMAT yields more than 2 GiB for one batch"))?;
        offsets.push(end);
    }
    let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
    let offsets = OffsetBuffer::new(offsets.into());
    Ok(Arc::new(StringArray::try_new(
        offsets,
        Buffer::from_vec(bytes),
        nulls,
    )?))
}

fn varying_pattern(call: &Call<'_>, times: &Times, patterns: &Texts<'_>) -> Result<ArrayRef> {
    let mut compiled: Option<(&str, Pattern)> = None;
    call.text_column(|row| {
        let (Some(time), Some(text)) = (times.local(row), patterns.get(row)) else {
            return Ok(None);
        };
        if compiled.as_ref().is_none_or(|(known, _)| *known != text) {
            compiled = Some((text, Pattern::compile(text)?));
        }
        let mut bytes = Vec::new();
        if let Some((_, pattern)) = &compiled {
            pattern.format(time, &mut bytes);
        }
        Ok(String::from_utf8(bytes).ok())
    })
}
