//! Columns of values of a fixed width.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::DataType;

use super::validity::{Validity, pack};
use levada_engine::Result;

/// A column of numbers, or of times, which are numbers.
#[derive(Debug)]
pub(crate) struct Primitive<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    validity: Validity,
    /// `T`'s type with its parameters: precision, zone.
    data_type: DataType,
}

impl<T: ArrowPrimitiveType> Primitive<T> {
    /// An empty column; `data_type` must be one of `T`.
    pub(crate) fn new(data_type: DataType) -> Self {
        Self {
            values: Vec::new(),
            validity: Validity::default(),
            data_type,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, value: T::Native) {
        self.values.push(value);
        self.validity.push_valid();
    }

    /// Adds the value, if there is one, and says whether there is.
    #[inline(always)]
    pub(crate) fn push_some(&mut self, value: Option<T::Native>) -> bool {
        match value {
            Some(value) => {
                self.push(value);
                true
            }
            None => false,
        }
    }

    pub(crate) fn push_null(&mut self) {
        self.validity.push_null(self.values.len());
        self.values.push(T::Native::default());
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.validity.truncate(rows);
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.values.as_slice()) + self.validity.bytes()
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        let next = Vec::with_capacity(self.values.len());
        let values = ScalarBuffer::from(std::mem::replace(&mut self.values, next));
        let array = PrimitiveArray::<T>::new(values, self.validity.finish());
        Ok(Arc::new(array.with_data_type(self.data_type.clone())))
    }
}

/// A column of truth values.
#[derive(Debug, Default)]
pub(crate) struct Boolean {
    /// 1 or 0 per row.
    values: Vec<u8>,
    validity: Validity,
}

impl Boolean {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub(crate) fn push(&mut self, value: bool) {
        self.values.push(u8::from(value));
        self.validity.push_valid();
    }

    pub(crate) fn push_null(&mut self) {
        self.validity.push_null(self.values.len());
        self.values.push(0);
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.validity.truncate(rows);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.len() + self.validity.bytes()
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        let values = pack(&self.values);
        self.values.clear();
        Ok(Arc::new(BooleanArray::new(values, self.validity.finish())))
    }
}
