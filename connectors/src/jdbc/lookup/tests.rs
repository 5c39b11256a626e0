#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Decimal128Array, Int64Array, StringArray};

use super::*;

fn column(name: &str, scalar: Scalar) -> Column {
    Column {
        name: name.to_string(),
        declared: Type {
            scalar,
            is_array: false,
        },
        width: 8,
        oid: 0,
    }
}

fn check(keys: Vec<(&str, ArrayRef, Scalar)>, first: usize, expected: Option<&str>) {
    let columns = keys.iter().map(|(name, _, scalar)| column(name, *scalar));
    let table = Table {
        select: ("SELECT 1 FROM t JOIN ".to_string(), " ON x".to_string()),
        columns: Vec::new(),
        keys: columns.collect(),
    };
    let keys = keys.into_iter().map(|(name, values, _)| (name, values));
    let keys = RecordBatch::try_from_iter(keys).unwrap();
    let found = question(&table, &keys, first).unwrap();
    assert_eq!(found.as_deref(), expected);
}

#[test]
fn keys_are_numbered_values_of_a_type_that_holds_them() {
    check(
        vec![
            ("a", Arc::new(Int64Array::from(vec![7, -1])), Scalar::Int(4)),
            (
                "b",
                Arc::new(StringArray::from(vec!["it's", "a\\b"])),
                Scalar::Text,
            ),
        ],
        1000,
        Some(
            "COPY (SELECT 1 FROM t JOIN (VALUES (1000, '7'::bigint, 'it''s'::text), \
             (1001, '-1'::bigint, E'a\\\\b'::text)) AS asked (number, k0, k1) ON x) \
             TO STDOUT (FORMAT binary)",
        ),
    );
    let price = Decimal128Array::from(vec![150]);
    let price = price.with_precision_and_scale(10, 2).unwrap();
    check(
        vec![
            ("p", Arc::new(price), Scalar::Decimal(10, 2)),
            (
                "r",
                Arc::new(BinaryArray::from(vec![&[0u8, 255][..]])),
                Scalar::Bytes,
            ),
        ],
        0,
        Some(
            "COPY (SELECT 1 FROM t JOIN (VALUES (0, '1.50'::numeric, E'\\\\x00ff'::bytea)) \
             AS asked (number, k0, k1) ON x) TO STDOUT (FORMAT binary)",
        ),
    );
}

#[test]
fn what_the_database_cannot_have_is_not_asked_for() {
    let texts = StringArray::from(vec!["a\0b", "c"]);
    check(
        vec![("b", Arc::new(texts), Scalar::Text)],
        0,
        Some(
            "COPY (SELECT 1 FROM t JOIN (VALUES (1, 'c'::text)) AS asked (number, k0) ON x) \
             TO STDOUT (FORMAT binary)",
        ),
    );
    let texts = StringArray::from(vec!["\0"]);
    check(vec![("b", Arc::new(texts), Scalar::Text)], 0, None);
}
