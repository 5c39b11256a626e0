#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema};

use super::*;

fn rows(values: &[i64]) -> RecordBatch {
    let schema = Arc::new(Schema::new(vec![Field::new("v", DataType::Int64, true)]));
    RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(values.to_vec()))]).unwrap()
}

#[test]
fn kinds_of_only_inserts_are_dropped() {
    let batch = Batch::with_kinds(rows(&[1, 2]), vec![RowKind::Insert; 2]).unwrap();
    assert!(batch.kinds().is_none());
    assert!(Batch::with_kinds(rows(&[1, 2]), vec![RowKind::Insert]).is_err());
}

#[test]
fn take_filter_slice_and_concat_keep_kinds_with_their_rows() {
    let kinds = vec![
        RowKind::Insert,
        RowKind::UpdateBefore,
        RowKind::UpdateAfter,
        RowKind::Delete,
    ];
    let batch = Batch::with_kinds(rows(&[1, 2, 3, 4]), kinds).unwrap();
    let taken = batch.take(&UInt32Array::from(vec![3, 0])).unwrap();
    assert_eq!(
        (taken.kind(0), taken.kind(1)),
        (RowKind::Delete, RowKind::Insert)
    );
    let mask = BooleanArray::from(vec![Some(false), Some(true), None, Some(true)]);
    let filtered = batch.filter(&mask).unwrap();
    assert_eq!(filtered.num_rows(), 2);
    assert_eq!(filtered.kind(0), RowKind::UpdateBefore);
    let plain = Batch::inserts(rows(&[9]));
    let all = Batch::concat(&batch.schema(), &[plain, batch.slice(1, 2)]).unwrap();
    let got: Vec<_> = (0..3).map(|i| all.kind(i).short()).collect();
    assert_eq!(got, ["+I", "-U", "+U"]);
}

#[test]
fn a_slice_counts_only_its_own_bytes() {
    let batch = Batch::inserts(rows(&(0..10_000).collect::<Vec<_>>()));
    assert!(batch.slice(0, 10).byte_size() < batch.byte_size() / 100);
}
