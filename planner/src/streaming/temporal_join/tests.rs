//! What is known about the rows of a join with versions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::AsOf;

use super::TemporalJoin;
use crate::streaming::{Attribute, Properties};

/// Rows of three columns without NULL.
fn rows(attributes: [Attribute; 3]) -> Properties {
    let field = |name: &str| Field::new(name, DataType::Int64, false);
    let fields = vec![field("a"), field("b"), field("c")];
    let mut rows = Properties::appending(Arc::new(Schema::new(fields)), true);
    rows.attributes = attributes.to_vec();
    rows.keys = vec![vec![0]];
    rows
}

fn join(outer: bool, column: Option<usize>) -> TemporalJoin {
    TemporalJoin {
        outer,
        left_keys: vec![0],
        right_keys: vec![0],
        as_of: column.map(|left| AsOf {
            left,
            right: 1,
            earlier: false,
        }),
        exists: None,
        condition: None,
        lookup: None,
        asking: Default::default(),
    }
}

const TIMES: [Attribute; 3] = [
    Attribute::EventTime,
    Attribute::EventTime,
    Attribute::ProcessingTime,
];

#[test]
fn the_time_that_is_compared_stays_a_time_attribute() {
    let properties = join(false, Some(1)).properties(&rows(TIMES), &rows(TIMES));
    let mut expected = vec![Attribute::None; 6];
    expected[1] = Attribute::EventTime;
    expected[2] = Attribute::ProcessingTime;
    assert_eq!(properties.attributes, expected);
}

#[test]
fn the_bounds_of_a_window_stay_with_its_time() {
    let window = [
        Attribute::WindowStart(4),
        Attribute::WindowTime(4),
        Attribute::WindowTime(5),
    ];
    let properties = join(false, Some(1)).properties(&rows(window), &rows(TIMES));
    assert_eq!(properties.attributes[..2], window[..2]);
    assert_eq!(properties.attributes[2..], [Attribute::None; 4]);
}

#[test]
fn processing_time_holds_nothing_back() {
    let properties = join(false, None).properties(&rows(TIMES), &rows(TIMES));
    assert_eq!(properties.attributes[..3], TIMES);
    assert_eq!(properties.attributes[3..], [Attribute::None; 3]);
}

#[test]
fn each_row_comes_once_beside_a_version_or_nulls() {
    for outer in [true, false] {
        let right = Properties {
            updating: true,
            mode: ChangelogMode::Upsert,
            ..rows(TIMES)
        };
        let properties = join(outer, Some(1)).properties(&rows(TIMES), &right);
        assert!(!properties.updating);
        assert_eq!(properties.mode, ChangelogMode::Append);
        assert_eq!(properties.keys, [vec![0]]);
        let fields = properties.schema.fields();
        assert!(fields.iter().take(3).all(|field| !field.is_nullable()));
        assert!(
            fields
                .iter()
                .skip(3)
                .all(|field| field.is_nullable() == outer)
        );
    }
}
