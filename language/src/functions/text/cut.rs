//! Parts of texts, and texts made longer.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::scalar::{Call, Ints, Values, check_value_size};

/// SUBSTRING(text, start [, length]): positions count from 1; a negative one counts from the end,
/// 0 is the beginning. NULL if the length is negative.
pub(super) fn substring(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, starts) = (call.texts(0)?, call.ints(1)?);
    let lengths = match call.len() > 2 {
        true => call.ints(2)?,
        false => Values::Constant(Some(i64::MAX)),
    };
    call.slice_column(|row| {
        let (Some(text), Some(start), Some(length)) =
            (texts.get(row), starts.get(row), lengths.get(row))
        else {
            return Ok(None);
        };
        let Ok(length) = usize::try_from(length) else {
            return Ok(None);
        };
        let skipped = match usize::try_from(start) {
            Ok(start) => Some(start.saturating_sub(1)),
            Err(_) => {
                let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
                characters(text).checked_sub(back)
            }
        };
        Ok(Some(
            skipped.map_or("", |skipped| part(text, skipped, length)),
        ))
    })
}

fn characters(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.chars().count(),
    }
}

/// The byte at which the character of an index begins; the end of the text if there is none.
fn offset(text: &str, index: usize) -> usize {
    if index >= text.len() {
        return text.len();
    }
    if text.is_ascii() {
        return index;
    }
    text.char_indices()
        .nth(index)
        .map_or(text.len(), |(at, _)| at)
}

/// So many characters behind those that are skipped.
fn part(text: &str, skipped: usize, length: usize) -> &str {
    let rest = text.get(offset(text, skipped)..).unwrap_or_default();
    rest.get(..offset(rest, length)).unwrap_or_default()
}

/// LEFT(text, n): the first characters; none if `n` is negative.
pub(super) fn left(call: &Call<'_>) -> Result<ArrayRef> {
    ends(call, |text, count| part(text, 0, count))
}

/// RIGHT(text, n): the last characters; none if `n` is negative.
pub(super) fn right(call: &Call<'_>) -> Result<ArrayRef> {
    ends(call, |text, count| {
        let skipped = characters(text).saturating_sub(count);
        part(text, skipped, usize::MAX)
    })
}

fn ends(call: &Call<'_>, cut: fn(&str, usize) -> &str) -> Result<ArrayRef> {
    let (texts, counts) = (call.texts(0)?, call.ints(1)?);
    call.slice_column(|row| {
        let (Some(text), Some(count)) = (texts.get(row), counts.get(row)) else {
            return Ok(None);
        };
        Ok(Some(cut(text, usize::try_from(count).unwrap_or(0))))
    })
}

/// OVERLAY(text PLACING new FROM start [FOR length]): as many characters are replaced as `new`
/// has, unless `length` says otherwise. A start outside of the text leaves it as it is.
pub(super) fn overlay(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, news, starts) = (call.texts(0)?, call.texts(1)?, call.ints(2)?);
    let lengths: Option<Ints<'_>> = match call.len() > 3 {
        true => Some(call.ints(3)?),
        false => None,
    };
    call.written_column(|row, out| {
        let (Some(text), Some(new), Some(start)) = (texts.get(row), news.get(row), starts.get(row))
        else {
            return Ok(false);
        };
        let length = match &lengths {
            None => characters(new),
            Some(lengths) => match lengths.get(row) {
                Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
                None => return Ok(false),
            },
        };
        match usize::try_from(start) {
            Ok(start) if start > 0 && start <= characters(text) => {
                out.push_str(part(text, 0, start - 1));
                out.push_str(new);
                let behind = (start - 1).saturating_add(length);
                out.push_str(part(text, behind, usize::MAX));
            }
            _ => out.push_str(text),
        }
        Ok(true)
    })
}

/// LPAD(text, length [, padding]): see [`pad`].
pub(super) fn lpad(call: &Call<'_>) -> Result<ArrayRef> {
    pad(call, true)
}

/// RPAD(text, length [, padding]): see [`pad`].
pub(super) fn rpad(call: &Call<'_>) -> Result<ArrayRef> {
    pad(call, false)
}

/// A text of exactly so many characters: cut, or with padding before or behind it. NULL if the
/// length is negative or the padding empty.
fn pad(call: &Call<'_>, before: bool) -> Result<ArrayRef> {
    let (texts, lengths) = (call.texts(0)?, call.ints(1)?);
    let paddings = match call.len() > 2 {
        true => call.texts(2)?,
        false => Values::Constant(Some(" ")),
    };
    call.written_column(|row, out| {
        let (Some(text), Some(length), Some(padding)) =
            (texts.get(row), lengths.get(row), paddings.get(row))
        else {
            return Ok(false);
        };
        let Ok(length) = usize::try_from(length) else {
            return Ok(false);
        };
        if padding.is_empty() {
            return Ok(false);
        }
        let missing = length.saturating_sub(characters(text));
        check_value_size(missing.saturating_mul(4))?;
        let filling = padding.chars().cycle().take(missing);
        if before {
            out.extend(filling);
            out.push_str(part(text, 0, length));
        } else {
            out.push_str(part(text, 0, length));
            out.extend(filling);
        }
        Ok(true)
    })
}

/// REPEAT(text, n): nothing if `n` is not positive.
pub(super) fn repeat(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, counts) = (call.texts(0)?, call.ints(1)?);
    call.written_column(|row, out| {
        let (Some(text), Some(count)) = (texts.get(row), counts.get(row)) else {
            return Ok(false);
        };
        let count = usize::try_from(count).unwrap_or(0);
        check_value_size(text.len().saturating_mul(count))?;
        if !text.is_empty() {
            (0..count).for_each(|_| out.push_str(text));
        }
        Ok(true)
    })
}
