#![allow(clippy::unwrap_used)]
use arrow::array::{Array, BooleanArray, ListArray, StructArray};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::datatypes::{Field, Fields};

use super::*;

/// One array of so many elements, of which each takes a bit.
fn bits(count: usize) -> ArrayRef {
    let values = BooleanArray::new(BooleanBuffer::new_unset(count), None);
    let field = Arc::new(Field::new("item", DataType::Boolean, true));
    let offsets = OffsetBuffer::from_lengths([count]);
    Arc::new(ListArray::new(field, offsets, Arc::new(values), None))
}

#[test]
fn parts_with_more_elements_than_offsets_can_count_are_an_error() {
    let few = joined(&[bits(3), bits(5)]).unwrap();
    assert_eq!(few.as_list::<i32>().value(1).len(), 5);
    let many = bits(1_200_000_000);
    let parts = [Arc::clone(&many), Arc::clone(&many)];
    let error = joined(&parts).unwrap_err();
    assert!(error.message.contains("more elements"), "{error}");
    let field = Field::new("x", many.data_type().clone(), true);
    let row = StructArray::new(Fields::from(vec![field]), vec![many], None);
    let row: ArrayRef = Arc::new(row);
    let error = joined(&[Arc::clone(&row), row]).unwrap_err();
    assert!(error.message.contains("more elements"), "{error}");
}
