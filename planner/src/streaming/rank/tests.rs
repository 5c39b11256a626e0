//! What is known about the rows of a Top-N: keys, times, updates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::RankFunction::{self, DenseRank, RowNumber};
use levada_engine::graph::{OrderColumn, RankFunction as Function};

use super::{Keep, Rank};
use crate::streaming::{Attribute, Properties};

/// Rows of an id, a value, an event time and a processing time.
fn rows(keys: &[&[usize]]) -> Properties {
    let time = DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None);
    let fields = vec![
        Field::new("id", DataType::Int64, false),
        Field::new("v", DataType::Int64, true),
        Field::new("ts", time.clone(), true),
        Field::new("pt", time, false),
    ];
    let mut rows = Properties::appending(Arc::new(Schema::new(fields)), true);
    rows.keys = keys.iter().map(|key| key.to_vec()).collect();
    let (event, processing) = (Attribute::EventTime, Attribute::ProcessingTime);
    rows.attributes = vec![Attribute::None, Attribute::None, event, processing];
    rows
}

fn changing(keys: &[&[usize]]) -> Properties {
    Properties {
        updating: true,
        mode: ChangelogMode::Retract,
        ..rows(keys)
    }
}

/// The rows 1 to 3 of each value, in the order of a column.
fn rank(function: RankFunction, order: Option<usize>) -> Rank {
    let order = order.map(|column| OrderColumn {
        column,
        descending: false,
        nulls_first: false,
    });
    Rank {
        function,
        partition_by: vec![1],
        order_by: order.into_iter().collect(),
        from: 1,
        to: 3,
        number: false,
        window: None,
    }
}

#[test]
fn only_rows_in_the_order_of_arrival_stay() {
    let updating = |rank: &Rank, rows: &Properties| {
        let properties = rank.properties(rows, &[]);
        let mode = match properties.updating {
            true => ChangelogMode::Retract,
            false => ChangelogMode::Append,
        };
        assert_eq!(properties.mode, mode);
        properties.updating
    };
    let arrival = rank(RowNumber, None);
    assert!(!updating(&arrival, &rows(&[])));
    assert!(updating(&arrival, &changing(&[])));
    assert!(updating(&rank(RowNumber, Some(2)), &rows(&[])));
    assert!(updating(&rank(RowNumber, Some(3)), &rows(&[])));
    assert!(updating(&rank(DenseRank, None), &rows(&[])));
    // Rows 2 and 3 of those that come are these for ever.
    let later = Rank { from: 2, ..arrival };
    assert!(!updating(&later, &rows(&[])));
}

#[test]
fn time_passes_through_where_rows_only_come() {
    let arrival = rank(RowNumber, None);
    let attributes = arrival.properties(&rows(&[]), &[]).attributes;
    assert_eq!(attributes, rows(&[]).attributes);
    let numbered = Rank {
        number: true,
        ..arrival
    };
    let attributes = numbered.properties(&rows(&[]), &[]).attributes;
    assert_eq!(attributes.len(), 5);
    assert_eq!(attributes[2], Attribute::EventTime);
    assert_eq!(attributes[4], Attribute::None);
    let latest = rank(RowNumber, Some(2)).properties(&rows(&[]), &[]);
    assert!(latest.attributes.iter().all(|a| *a == Attribute::None));
    let changes = rank(RowNumber, None).properties(&changing(&[]), &[]);
    assert!(changes.attributes.iter().all(|a| *a == Attribute::None));
}

#[test]
fn the_number_is_a_bigint_behind_the_columns() {
    for (function, name) in [
        (Function::RowNumber, "ROW_NUMBER()"),
        (Function::Rank, "RANK()"),
        (Function::DenseRank, "DENSE_RANK()"),
    ] {
        let numbered = Rank {
            number: true,
            ..rank(function, Some(0))
        };
        let properties = numbered.properties(&rows(&[]), &[]);
        let field = properties.schema.field(4);
        assert_eq!(field, &Field::new(name, DataType::Int64, false));
        let plain = rank(function, Some(0)).properties(&rows(&[]), &[]);
        assert_eq!(plain.schema, rows(&[]).schema);
        assert!(plain.bounded);
    }
}

#[test]
fn numbers_tell_the_rows_of_a_partition_apart() {
    let keys = |rank: &Rank, own: &[&[usize]]| rank.properties(&rows(own), &[]).keys;
    let plain = rank(RowNumber, Some(2));
    assert!(keys(&plain, &[]).is_empty());
    assert_eq!(keys(&plain, &[&[0]]), [vec![0]]);
    let numbered = Rank {
        number: true,
        ..plain.clone()
    };
    assert_eq!(keys(&numbered, &[]), [vec![1, 4]]);
    assert_eq!(keys(&numbered, &[&[0]]), [vec![0], vec![1, 4]]);
    // Rows that are equal in order share a number.
    let ranked = Rank {
        function: Function::Rank,
        ..numbered.clone()
    };
    assert!(keys(&ranked, &[]).is_empty());
    assert_eq!(keys(&ranked, &[&[0]]), [vec![0]]);
    let one = Rank { to: 1, ..plain };
    assert_eq!(keys(&one, &[&[0], &[0, 1]]), [vec![1], vec![0]]);
    let second = Rank {
        from: 2,
        to: 2,
        ..numbered
    };
    assert_eq!(keys(&second, &[]), [vec![1]]);
    let of_all = Rank {
        partition_by: Vec::new(),
        ..one
    };
    assert_eq!(keys(&of_all, &[&[0]]), [Vec::<usize>::new()]);
}

#[test]
fn the_first_or_last_in_time_is_deduplication() {
    let one = |order: Option<usize>| Rank {
        to: 1,
        ..rank(RowNumber, order)
    };
    let keeps = |rank: &Rank| rank.deduplicates(&rows(&[]));
    assert_eq!(keeps(&one(None)), Some(Keep::First));
    assert_eq!(keeps(&one(Some(2))), Some(Keep::First));
    assert_eq!(keeps(&one(Some(0))), None);
    let mut last = one(Some(2));
    last.order_by[0].descending = true;
    assert_eq!(keeps(&last), Some(Keep::Last));
    last.order_by[0].column = 3;
    assert_eq!(keeps(&last), Some(Keep::Last));
    assert_eq!(keeps(&rank(RowNumber, Some(2))), None);
    let everything = Rank {
        partition_by: Vec::new(),
        ..one(Some(2))
    };
    assert_eq!(keeps(&everything), None);
    let ties = Rank {
        function: Function::Rank,
        ..one(Some(2))
    };
    assert_eq!(keeps(&ties), None);
}
