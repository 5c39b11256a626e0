//! Columns of text and of bytes.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::inconsistent;
use super::validity::Validity;
use levada_engine::Result;

/// Values of any length, one after the other.
#[derive(Debug)]
pub(crate) struct Bytes {
    values: Vec<u8>,
    offsets: Vec<i32>,
    validity: Validity,
}

impl Default for Bytes {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            offsets: vec![0],
            validity: Validity::default(),
        }
    }
}

impl Bytes {
    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Adds a value; `false` if the column would grow past 2 GiB.
    #[inline]
    pub(crate) fn push(&mut self, value: &[u8]) -> bool {
        self.values.extend_from_slice(value);
        self.end_value()
    }

    /// The values' bytes, for a value that is written in pieces and ended by
    /// [`end_value`](Self::end_value).
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.values
    }

    /// Makes a row of what was written since the last one; `false` if the column grew past 2 GiB.
    #[inline]
    pub(crate) fn end_value(&mut self) -> bool {
        match i32::try_from(self.values.len()) {
            Ok(end) => {
                self.offsets.push(end);
                self.validity.push_valid();
                true
            }
            Err(_) => {
                self.truncate(self.len());
                false
            }
        }
    }

    pub(crate) fn push_null(&mut self) {
        self.validity.push_null(self.len());
        self.offsets.push(self.offsets.last().copied().unwrap_or(0));
    }

    /// Takes back the rows from number `rows` on, and what was written of an unfinished value.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.values
            .truncate(self.offsets.last().map_or(0, |end| *end as usize));
        self.validity.truncate(rows);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.len() + size_of_val(self.offsets.as_slice()) + self.validity.bytes()
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let mut offsets = Vec::with_capacity(self.offsets.len());
        offsets.push(0);
        let values = Vec::with_capacity(self.values.len());
        let offsets = std::mem::replace(&mut self.offsets, offsets);
        let values = std::mem::replace(&mut self.values, values);
        (
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Buffer::from_vec(values),
        )
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        let (offsets, values) = self.take();
        let array = BinaryArray::try_new(offsets, values, self.validity.finish());
        Ok(Arc::new(array.map_err(inconsistent)?))
    }
}

/// Bytes that are UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Text(Bytes);

impl std::ops::Deref for Text {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.0
    }
}

impl std::ops::DerefMut for Text {
    fn deref_mut(&mut self) -> &mut Bytes {
        &mut self.0
    }
}

impl Text {
    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        let (offsets, values) = self.0.take();
        let array = StringArray::try_new(offsets, values, self.0.validity.finish());
        Ok(Arc::new(array.map_err(inconsistent)?))
    }
}
