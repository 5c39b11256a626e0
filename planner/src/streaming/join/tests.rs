//! What is known about the rows of a join: keys, NULLs, updates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::JoinKind::{self, Anti, Full, Inner, Left, Right, Semi};
use levada_engine::graph::{JoinTime, JoinUntil};

use super::Join;
use crate::streaming::{Attribute, Properties};

const KINDS: [JoinKind; 6] = [Inner, Left, Right, Full, Semi, Anti];

/// Rows of two columns, of which the first is never NULL.
fn rows(keys: &[&[usize]]) -> Properties {
    let fields = vec![
        Field::new("id", DataType::Int64, false),
        Field::new("v", DataType::Int64, true),
    ];
    let mut rows = Properties::appending(Arc::new(Schema::new(fields)), true);
    rows.keys = keys.iter().map(|key| key.to_vec()).collect();
    rows.attributes = vec![Attribute::EventTime, Attribute::ProcessingTime];
    rows
}

fn join(kind: JoinKind, on: &[(usize, usize)]) -> Join {
    Join {
        kind,
        left_keys: on.iter().map(|(left, _)| *left).collect(),
        right_keys: on.iter().map(|(_, right)| *right).collect(),
        null_equals_null: false,
        condition: None,
        time: None,
        ttl_ms: [None, None],
    }
}

/// The first columns bound how long rows find partners.
fn timed(kind: JoinKind) -> Join {
    let until = |after_ms| JoinUntil {
        column: 0,
        after_ms,
    };
    let time = JoinTime {
        left: until(5_000),
        right: until(0),
    };
    Join {
        time: Some(time),
        ttl_ms: [None, None],
        ..join(kind, &[(1, 1)])
    }
}

#[test]
fn inner_and_semi_joins_of_rows_that_only_come_append() {
    let appends = rows(&[]);
    let updates = Properties {
        updating: true,
        mode: ChangelogMode::Retract,
        ..rows(&[])
    };
    for kind in KINDS {
        let join = join(kind, &[(0, 0)]);
        let updating = |left, right| {
            let properties = join.properties(left, right);
            let mode = match properties.updating {
                true => ChangelogMode::Retract,
                false => ChangelogMode::Append,
            };
            assert_eq!(properties.mode, mode, "{kind:?}");
            properties.updating
        };
        let appending = matches!(kind, Inner | Semi);
        assert_eq!(updating(&appends, &appends), !appending, "{kind:?}");
        assert!(updating(&updates, &appends), "{kind:?}");
        assert!(updating(&appends, &updates), "{kind:?}");
    }
}

#[test]
fn columns_may_be_null_where_a_side_is_padded() {
    for (kind, nullable) in [
        (Inner, vec![false, true, false, true]),
        (Left, vec![false, true, true, true]),
        (Right, vec![true, true, false, true]),
        (Full, vec![true, true, true, true]),
        (Semi, vec![false, true]),
        (Anti, vec![false, true]),
    ] {
        let properties = join(kind, &[(0, 0)]).properties(&rows(&[]), &rows(&[]));
        let fields = properties.schema.fields();
        let found: Vec<bool> = fields.iter().map(|field| field.is_nullable()).collect();
        assert_eq!(found, nullable, "{kind:?}");
    }
}

#[test]
fn no_column_is_a_time_attribute_and_the_rows_end_when_both_sides_do() {
    let endless = Properties {
        bounded: false,
        ..rows(&[])
    };
    for kind in KINDS {
        let join = join(kind, &[]);
        let both = join.properties(&rows(&[]), &rows(&[]));
        assert!(both.attributes.iter().all(|a| *a == Attribute::None));
        assert_eq!(both.attributes.len(), both.schema.fields().len());
        assert!(both.bounded);
        assert!(!join.properties(&endless, &rows(&[])).bounded);
        assert!(!join.properties(&rows(&[]), &endless).bounded);
    }
}

#[test]
fn a_join_in_event_time_appends_and_keeps_the_times_that_are_there() {
    let time = Attribute::EventTime;
    let none = Attribute::None;
    for (kind, attributes) in [
        (Inner, vec![time, none, time, none]),
        (Left, vec![time, none, none, none]),
        (Right, vec![none, none, time, none]),
        (Full, vec![none; 4]),
        (Semi, vec![time, none]),
        (Anti, vec![time, none]),
    ] {
        let properties = timed(kind).properties(&rows(&[&[0]]), &rows(&[&[0]]));
        assert!(!properties.updating, "{kind:?}");
        assert_eq!(properties.mode, ChangelogMode::Append, "{kind:?}");
        assert_eq!(properties.attributes, attributes, "{kind:?}");
        let regular = join(kind, &[(1, 1)]).properties(&rows(&[&[0]]), &rows(&[&[0]]));
        assert_eq!(properties.keys, regular.keys, "{kind:?}");
    }
}

#[test]
fn joined_windows_keep_their_bounds_and_no_others() {
    let window = |id| {
        let own = [
            Attribute::WindowEnd(id),
            Attribute::WindowStart(id),
            Attribute::WindowTime(id),
        ];
        let others = [Attribute::EventTime, Attribute::WindowTime(id + 10)];
        let fields = (0..5).map(|n| Field::new(format!("c{n}"), DataType::Int64, false));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Properties {
            attributes: own.into_iter().chain(others).collect(),
            ..Properties::appending(schema, true)
        }
    };
    let (left, right) = (window(1), window(2));
    let inner = timed(Inner).properties(&left, &right).attributes;
    let kept = |side: &Properties| side.attributes[..3].to_vec();
    assert_eq!(inner[..3], kept(&left));
    assert_eq!(inner[3..5], [Attribute::None; 2]);
    assert_eq!(inner[5..8], kept(&right));
    assert_eq!(inner[8..], [Attribute::None; 2]);
    let outer = timed(Left).properties(&left, &right).attributes;
    assert_eq!(outer[..3], kept(&left));
    assert_eq!(outer[3..], [Attribute::None; 7]);
    assert_eq!(timed(Inner).name(&left), "WindowJoin");
    assert_eq!(timed(Inner).name(&rows(&[])), "IntervalJoin");
    assert_eq!(join(Inner, &[]).name(&left), "Join");
}

/// The keys of a join of rows with the key `id` on both sides.
fn keys(kind: JoinKind, on: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let side = rows(&[&[0]]);
    join(kind, on).properties(&side, &side).keys
}

#[test]
fn a_pair_is_known_by_a_key_of_each_side() {
    for kind in [Inner, Left, Right, Full] {
        assert_eq!(keys(kind, &[(1, 1)]), [vec![0, 2]], "{kind:?}");
    }
    for kind in [Semi, Anti] {
        assert_eq!(keys(kind, &[(1, 1)]), [vec![0]], "{kind:?}");
    }
}

#[test]
fn a_key_is_enough_where_the_other_side_has_one_row_for_it() {
    // A row of the left side has one partner at most.
    assert_eq!(keys(Inner, &[(1, 0)]), [vec![0]]);
    assert_eq!(keys(Left, &[(1, 0)]), [vec![0]]);
    // Rows of the right side without a partner have NULL for a key of the left one.
    assert_eq!(keys(Right, &[(1, 0)]), [vec![0, 2]]);
    assert_eq!(keys(Full, &[(1, 0)]), [vec![0, 2]]);
    assert_eq!(keys(Right, &[(0, 1)]), [vec![2]]);
    assert_eq!(keys(Left, &[(0, 1)]), [vec![0, 2]]);
    assert_eq!(keys(Inner, &[(0, 0)]), [vec![0], vec![2]]);
    assert_eq!(keys(Inner, &[(0, 0), (1, 1)]), [vec![0], vec![2]]);
    assert_eq!(keys(Left, &[(0, 0)]), [vec![0]]);
}

#[test]
fn keys_that_may_be_null_do_not_tell_two_padded_rows_apart() {
    let side = rows(&[&[1]]);
    let on = [(1, 1)];
    assert!(join(Full, &on).properties(&side, &side).keys.is_empty());
    let other = rows(&[&[0]]);
    let full = join(Full, &on).properties(&side, &other);
    assert_eq!(full.keys, [vec![1, 2]]);
    assert_eq!(join(Left, &on).properties(&side, &side).keys, [vec![1]]);
}

#[test]
fn without_a_key_on_one_side_there_is_none() {
    let (with, without) = (rows(&[&[0]]), rows(&[]));
    assert!(
        join(Inner, &[(0, 0)])
            .properties(&without, &without)
            .keys
            .is_empty()
    );
    assert!(
        join(Left, &[(0, 0)])
            .properties(&with, &without)
            .keys
            .is_empty()
    );
    let one_partner = join(Inner, &[(1, 0)]).properties(&without, &with);
    assert!(one_partner.keys.is_empty());
    // A row of the right side has one partner, and no key.
    assert!(
        join(Inner, &[(0, 1)])
            .properties(&with, &without)
            .keys
            .is_empty()
    );
}

#[test]
fn an_aggregate_of_everything_is_one_row() {
    let everything = rows(&[&[]]);
    let left = join(Left, &[]).properties(&rows(&[&[0]]), &everything);
    assert_eq!(left.keys, [vec![0]]);
    let both = join(Inner, &[]).properties(&everything, &everything);
    assert_eq!(both.keys, [Vec::<usize>::new()]);
}
