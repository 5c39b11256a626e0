//! Rows add up to the same in any order, and to something else if one differs.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch};
use levada_engine::element::RowKind::{self, Delete, Insert, UpdateAfter, UpdateBefore};

use super::*;

fn added(key: Option<Vec<usize>>, rows: &[(RowKind, i32, i32)]) -> Sum {
    let column = |values: Vec<i32>| -> ArrayRef { Arc::new(Int32Array::from(values)) };
    let columns = [
        ("k", column(rows.iter().map(|row| row.1).collect())),
        ("v", column(rows.iter().map(|row| row.2).collect())),
    ];
    let kinds = rows.iter().map(|row| row.0).collect();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut summing = Summing {
        told: Told::Whole,
        key,
        by_key: HashMap::new(),
        sum: Sum::default(),
    };
    let batch = Batch::with_kinds(batch, kinds).unwrap();
    summing.apply(&batch).unwrap();
    summing.sum
}

#[test]
fn what_goes_again_leaves_nothing() {
    let rows = added(None, &[(Insert, 1, 10), (Insert, 2, 20), (Insert, 2, 20)]);
    let changes = [
        (Insert, 2, 20),
        (Insert, 1, 7),
        (UpdateBefore, 1, 7),
        (UpdateAfter, 1, 10),
        (Insert, 3, 3),
        (Delete, 3, 3),
        (Insert, 2, 20),
    ];
    assert_eq!(added(None, &changes), rows);
    assert_eq!(rows.rows, 3);
}

#[test]
fn of_upserts_the_last_row_of_a_key_counts() {
    let changes = [
        (Insert, 1, 7),
        (Insert, 2, 20),
        (UpdateAfter, 1, 10),
        (Insert, 3, 3),
        (Delete, 3, 0),
    ];
    let rows = added(None, &[(Insert, 1, 10), (Insert, 2, 20)]);
    assert_eq!(added(Some(vec![0]), &changes), rows);
}

#[test]
fn a_row_that_differs_or_comes_twice_is_noticed() {
    let rows = added(None, &[(Insert, 1, 10), (Insert, 2, 20)]);
    for other in [
        vec![(Insert, 1, 10), (Insert, 2, 21)],
        vec![(Insert, 1, 20), (Insert, 2, 10)],
        vec![(Insert, 1, 10), (Insert, 1, 10)],
        vec![(Insert, 1, 10), (Insert, 2, 20), (Insert, 2, 20)],
    ] {
        assert_ne!(added(None, &other), rows, "{other:?}");
    }
}
