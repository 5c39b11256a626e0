#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use arrow::array::{AsArray, Int32Array};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};

use super::*;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("v", DataType::Int32, true)]))
}

fn rows(values: &[Option<i32>]) -> RecordBatch {
    let column = Int32Array::from(values.to_vec());
    RecordBatch::try_new(schema(), vec![Arc::new(column)]).unwrap()
}

fn left(sum: EqualRows) -> Vec<Option<i32>> {
    let mut values: Vec<Option<i32>> = Vec::new();
    for rows in sum.finish().unwrap() {
        values.extend(rows.column(0).as_primitive::<Int32Type>());
    }
    values.sort();
    values
}

#[test]
fn rows_that_only_come_are_all_there() {
    let mut sum = EqualRows::new(&schema()).unwrap();
    sum.push(&Batch::inserts(rows(&[Some(1), None]))).unwrap();
    sum.push(&Batch::inserts(rows(&[Some(1)]))).unwrap();
    assert_eq!(left(sum), [None, Some(1), Some(1)]);
}

#[test]
fn a_row_goes_as_often_as_it_is_taken_back_before_or_after_it_came() {
    use RowKind::{Delete, Insert, UpdateAfter, UpdateBefore};
    let mut sum = EqualRows::new(&schema()).unwrap();
    sum.push(&Batch::inserts(rows(&[Some(1), Some(1), None])))
        .unwrap();
    let changes = rows(&[Some(1), Some(2), Some(3), None, Some(3)]);
    let kinds = vec![UpdateBefore, UpdateAfter, Delete, Delete, Insert];
    sum.push(&Batch::with_kinds(changes, kinds).unwrap())
        .unwrap();
    sum.push(&Batch::inserts(rows(&[Some(2)]))).unwrap();
    assert_eq!(left(sum), [Some(1), Some(2), Some(2)]);
}
