//! Arrays made of arrays.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::items::{Lists, comparable};
use crate::functions::scalar::{Call, check_size, evaluation};

/// Lists being built of positions in a pool of elements.
pub(super) struct Gathering {
    indices: Vec<u64>,
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl Gathering {
    pub(super) fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self {
            indices: Vec::new(),
            offsets,
            valid: Vec::with_capacity(rows),
        }
    }

    /// The next row: the elements at these positions, or NULL.
    pub(super) fn row(&mut self, elements: Option<impl IntoIterator<Item = usize>>) -> Result<()> {
        self.valid.push(elements.is_some());
        for index in elements.into_iter().flatten() {
            self.indices.extend(u64::try_from(index));
        }
        check_size(self.indices.len())?;
        self.offsets.extend(i32::try_from(self.indices.len()));
        Ok(())
    }

    /// The lists, of the type of the call's result.
    pub(super) fn finish(self, call: &Call<'_>, pool: &dyn Array) -> Result<ArrayRef> {
        let DataType::List(item) = call.return_type() else {
            return Err(evaluation("an ARRAY function must yield an ARRAY"));
        };
        let elements = take(pool, &UInt64Array::from(self.indices), None)?;
        let offsets = OffsetBuffer::new(self.offsets.into());
        let nulls = self
            .valid
            .contains(&false)
            .then(|| NullBuffer::from(self.valid));
        let lists = ListArray::try_new(Arc::clone(item), offsets, elements, nulls)?;
        Ok(Arc::new(lists))
    }
}

/// ARRAY_APPEND(array, element).
pub(super) fn array_append(call: &Call<'_>) -> Result<ArrayRef> {
    with_element(call, |elements, new| {
        elements.chain(std::iter::once(new)).collect()
    })
}

/// ARRAY_PREPEND(array, element).
pub(super) fn array_prepend(call: &Call<'_>) -> Result<ArrayRef> {
    with_element(call, |elements, new| {
        std::iter::once(new).chain(elements).collect()
    })
}

fn with_element(call: &Call<'_>, join: fn(Range<usize>, usize) -> Vec<usize>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let new = call.array(1)?;
    let pool = concat(&[lists.elements().as_ref(), new.as_ref()])?;
    let first = lists.elements().len();
    let mut result = Gathering::new(call.rows());
    for row in 0..call.rows() {
        result.row(lists.range(row).map(|range| join(range, first + row)))?;
    }
    result.finish(call, &pool)
}

/// ARRAY_REMOVE(array, element): without the elements that are equal to it.
pub(super) fn array_remove(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let gone = call.array(1)?;
    let pool = concat(&[lists.elements().as_ref(), gone.as_ref()])?;
    let rows = comparable(&pool)?;
    let first = lists.elements().len();
    let mut result = Gathering::new(call.rows());
    for row in 0..call.rows() {
        let gone = rows.row(first + row);
        let kept = |range: Range<usize>| range.filter(|index| rows.row(*index) != gone);
        result.row(lists.range(row).map(kept))?;
    }
    result.finish(call, &pool)
}

/// ARRAY_CONCAT(array, …): NULL if any of them is.
pub(super) fn array_concat(call: &Call<'_>) -> Result<ArrayRef> {
    let all = (0..call.len())
        .map(|index| Lists::of(call, index))
        .collect::<Result<Vec<_>>>()?;
    let pools: Vec<&dyn Array> = all.iter().map(|lists| lists.elements().as_ref()).collect();
    let pool = concat(&pools)?;
    let mut result = Gathering::new(call.rows());
    for row in 0..call.rows() {
        let mut elements = Some(Vec::new());
        let mut first = 0;
        for lists in &all {
            match (lists.range(row), &mut elements) {
                (Some(range), Some(known)) => known.extend(range.map(|index| first + index)),
                _ => elements = None,
            }
            first += lists.elements().len();
        }
        result.row(elements)?;
    }
    result.finish(call, &pool)
}

/// ARRAY_REVERSE(array).
pub(super) fn array_reverse(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let mut result = Gathering::new(call.rows());
    for row in 0..call.rows() {
        result.row(lists.range(row).map(Iterator::rev))?;
    }
    result.finish(call, lists.elements())
}

/// ARRAY_SLICE(array, start [, end]), both included and from 1; negative ones count from the end,
/// 0 is the beginning. Without an end all that follows.
pub(super) fn array_slice(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, starts) = (Lists::of(call, 0)?, call.ints(1)?);
    let ends = match call.len() > 2 {
        true => Some(call.ints(2)?),
        false => None,
    };
    let mut result = Gathering::new(call.rows());
    for row in 0..call.rows() {
        let end = match &ends {
            None => Some(-1),
            Some(ends) => ends.get(row),
        };
        let slice = lists.range(row).zip(starts.get(row)).zip(end);
        result.row(slice.map(|((range, start), end)| slice_of(range, start, end)))?;
    }
    result.finish(call, lists.elements())
}

fn slice_of(range: Range<usize>, start: i64, end: i64) -> Range<usize> {
    let size = i64::try_from(range.len()).unwrap_or(i64::MAX);
    let place = |offset: i64| match offset {
        0 => 1,
        offset if offset < 0 => size.saturating_add(offset).saturating_add(1),
        offset => offset,
    };
    let (start, end) = (place(start).max(1), place(end).min(size));
    match (usize::try_from(start - 1), usize::try_from(end)) {
        (Ok(start), Ok(end)) if start < end => range.start + start..range.start + end,
        _ => range.start..range.start,
    }
}

/// ARRAY_JOIN(array, delimiter [, text for NULL]): NULLs are left out if there is no text for
/// them.
pub(super) fn array_join(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, delimiters) = (Lists::of(call, 0)?, call.texts(1)?);
    let replacements = match call.len() > 2 {
        true => Some(call.texts(2)?),
        false => None,
    };
    let texts = lists.elements().as_string::<i32>();
    call.written_column(|row, out| {
        let (Some(range), Some(delimiter)) = (lists.range(row), delimiters.get(row)) else {
            return Ok(false);
        };
        let instead = replacements.as_ref().map(|texts| texts.get(row));
        if instead == Some(None) {
            return Ok(false);
        }
        let mut first = true;
        for index in range {
            let text = match texts.is_valid(index) {
                true => Some(texts.value(index)),
                false => instead.flatten(),
            };
            let Some(text) = text else { continue };
            if !std::mem::take(&mut first) {
                out.push_str(delimiter);
            }
            out.push_str(text);
        }
        Ok(true)
    })
}
