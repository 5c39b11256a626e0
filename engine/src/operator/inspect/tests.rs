#![allow(clippy::unwrap_used)]
use super::*;
use crate::element::Batch;
use crate::graph::AggregateFunction::{Count, Max, Sum};
use crate::graph::{
    AggregateCall, BackendKind, DataTypeSpec, GroupAggregateSpec, OperatorSpec,
    WindowAggregateSpec, WindowKind, WindowSpec, WindowTime,
};
use crate::operator::aggregate::{output_schema_group, output_schema_window};
use crate::operator::testing::model::{self, chrono_text};
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, data_type, lines};
use crate::state::fixture::{ALL, restored};

fn call(
    name: &str,
    function: crate::graph::AggregateFunction,
    argument: Option<usize>,
) -> AggregateCall {
    let result = match argument {
        Some(4) => "DECIMAL_SUM",
        Some(5) => "DOUBLE",
        _ => "BIGINT",
    };
    let distinct = name.contains("DISTINCT");
    AggregateCall {
        name: name.into(),
        ..model::call(function, distinct, argument, None, result)
    }
}

fn groups(calls: Vec<AggregateCall>, updating: bool, ttl_ms: u64) -> Pipeline {
    let spec = GroupAggregateSpec {
        keys: vec![0],
        aggregates: calls,
        input: model::input().into(),
        input_updating: updating,
        partial_input: false,
        emit_update_before: true,
        ttl_ms,
    };
    let output = output_schema_group(&spec).unwrap();
    let spec = OperatorSpec::GroupAggregate(spec);
    Pipeline::new(None, spec, model::input(), output, vec![0])
}

fn windows(kind: WindowKind, calls: Vec<AggregateCall>) -> Pipeline {
    let spec = WindowAggregateSpec {
        window: WindowSpec {
            kind,
            time: WindowTime::Event { column: 8 },
            time_type: DataTypeSpec(data_type("TIMESTAMP")),
        },
        keys: vec![0],
        aggregates: calls,
        input: model::input().into(),
        input_updating: false,
        partial_input: false,
        allowed_lateness_ms: 0,
        early_fire_ms: None,
    };
    let output = output_schema_window(&spec).unwrap();
    let spec = OperatorSpec::WindowAggregate(spec);
    Pipeline::new(None, spec, model::input(), output, vec![0])
}

/// Rows of key, string, integer and time.
fn send(pipeline: &mut Pipeline, rows: &[(&str, &str, i64, i64)]) {
    let line = |(key, s, v, time): &(&str, &str, i64, i64)| {
        let (kind, key) = match key.strip_prefix('-') {
            Some(key) => ("-D", key),
            None => ("+I", *key),
        };
        let time = chrono_text(*time);
        format!("{kind} | {key} | {s} | {v} | 1 | {v}.25 | 1.5 | true | true | {time}")
    };
    let text: Vec<String> = rows.iter().map(line).collect();
    pipeline.process(batch(&model::input(), &text.join("\n")));
}

/// The tables of a pipeline's state, and the state.
fn state_of(pipeline: &mut Pipeline, operator: &str) -> (Vec<StateTable>, Restored) {
    let files = pipeline.checkpoint();
    (tables(operator, pipeline.layouts()), restored(&files))
}

fn names(table: &StateTable) -> Vec<&str> {
    let fields = table.schema().fields().iter();
    fields.map(|field| field.name().as_str()).collect()
}

/// The rows of a table without key groups, sorted.
fn rows(table: &StateTable, state: &Restored) -> Vec<String> {
    let columns: Vec<usize> = (1..table.schema().fields().len()).collect();
    let mut found = Vec::new();
    let read = table.read(state, ALL, &columns, &mut |batch| {
        assert!(batch.num_rows() <= ROWS);
        found.extend(lines(&Batch::inserts(batch)));
        Ok(true)
    });
    read.unwrap();
    let mut found: Vec<String> = found.iter().map(|l| l.replace("+I | ", "")).collect();
    found.sort();
    found
}

#[test]
fn rows_of_older_layouts_are_read_through_them() {
    let distinct = || call("COUNT(DISTINCT s)", Count, Some(1));
    let sum = || call("SUM(v)", Sum, Some(2));
    let mut pipeline = groups(
        vec![call("COUNT(*)", Count, None), sum(), distinct()],
        false,
        0,
    );
    send(
        &mut pipeline,
        &[("1", "x", 10, 0), ("1", "y", 20, 0), ("2", "x", 5, 0)],
    );
    let edited = groups(
        vec![sum(), call("MAX(v)", Max, Some(2)), distinct()],
        false,
        0,
    );
    let baseline = vec!["1 | 30 | NULL | 2".into(), "2 | 5 | NULL | 1".into()];
    pipeline.edit(edited, 2, BackendKind::RocksDb, baseline);
    send(&mut pipeline, &[("2", "z", 7, 0)]);
    let (tables, state) = state_of(&mut pipeline, "GroupAggregate");
    let [groups, set, entries] = tables.as_slice() else {
        panic!("{tables:?}");
    };
    assert_eq!(*groups.contents(), Contents::Groups);
    assert_eq!(
        names(groups),
        [
            "key_group",
            "k",
            "layout",
            "sum_v_count",
            "sum_v_sum",
            "max_v",
            "count_distinct_s"
        ]
    );
    assert_eq!(
        rows(groups, &state),
        ["1 | 2 | 2 | 30 | NULL | 2", "2 | 3 | 2 | 12 | 7 | 2"]
    );
    let calls = vec!["COUNT(DISTINCT s)".to_string()];
    assert_eq!(*set.contents(), Contents::Set(calls));
    assert_eq!(names(set), ["key_group", "k", "value", "count_distinct_s"]);
    assert_eq!(
        rows(set, &state),
        [
            "1 | x | true",
            "1 | y | true",
            "2 | x | true",
            "2 | z | true"
        ]
    );
    assert_eq!(*entries.contents(), Contents::Entries);
    assert_eq!(names(entries), ["key_group", "table_id", "key", "value"]);
    assert_eq!(rows(entries, &state).len(), 6);
}

#[test]
fn updating_groups_say_how_many_rows_they_have_and_when_they_were_touched() {
    let calls = vec![
        call("MAX(v)", Max, Some(2)),
        call("SUM(d)", Sum, Some(4)),
        call("SUM(f)", Sum, Some(5)),
    ];
    let mut pipeline = groups(calls, true, 60_000);
    pipeline.advance_clock(1_000);
    send(
        &mut pipeline,
        &[
            ("1", "x", 10, 0),
            ("1", "x", 10, 0),
            ("1", "x", 7, 0),
            ("NULL", "x", 3, 0),
        ],
    );
    send(&mut pipeline, &[("-1", "x", 10, 0)]);
    let (tables, state) = state_of(&mut pipeline, "GroupAggregate");
    let (groups, set) = (&tables[0], &tables[1]);
    assert_eq!(
        names(groups)[1..7],
        [
            "k",
            "last_touched",
            "row_count",
            "sum_d_count",
            "sum_d_sum",
            "sum_f_count"
        ]
    );
    assert_eq!(names(groups)[7..9], ["sum_f_sum", "sum_f_compensation"]);
    let found = rows(groups, &state);
    let expected = "1 | 1970-01-01T00:00:01Z | 2 | 2 | 17.50 | 2 | 3.0 | 0.0 | 0 | 0 | 0";
    assert_eq!(found[0], expected);
    assert!(found[1].starts_with("NULL | 1970-01-01T00:00:01Z | 1 | 1 | 3.25"));
    assert_eq!(names(set), ["key_group", "k", "value", "max_v"]);
    assert_eq!(
        rows(set, &state),
        ["1 | 10 | 1", "1 | 7 | 1", "NULL | 3 | 1"]
    );
}

#[test]
fn windows_have_slices_and_watermarks() {
    let kind = WindowKind::Hop {
        slide_ms: 1_000,
        size_ms: 2_000,
        offset_ms: 0,
    };
    let calls = vec![
        call("COUNT(*)", Count, None),
        call("COUNT(DISTINCT s)", Count, Some(1)),
    ];
    let mut pipeline = windows(kind, calls);
    send(
        &mut pipeline,
        &[
            ("1", "x", 1, 500),
            ("1", "y", 1, 1_500),
            ("1", "x", 1, 1_600),
            ("2", "x", 1, 2_500),
        ],
    );
    pipeline.watermark(2_000);
    let (tables, state) = state_of(&mut pipeline, WINDOW_AGGREGATE);
    let [groups, set, watermarks, _] = tables.as_slice() else {
        panic!("{tables:?}");
    };
    assert_eq!(
        names(groups),
        ["key_group", "slice_end", "k", "count", "count_distinct_s"]
    );
    // The first slice is part of no window that is still to come.
    assert_eq!(
        rows(groups, &state),
        [
            "1970-01-01T00:00:02 | 1 | 2 | 2",
            "1970-01-01T00:00:03 | 2 | 1 | 1"
        ]
    );
    assert_eq!(
        rows(set, &state),
        [
            "1970-01-01T00:00:02 | 1 | x | true",
            "1970-01-01T00:00:02 | 1 | y | true",
            "1970-01-01T00:00:03 | 2 | x | true",
        ]
    );
    assert_eq!(*watermarks.contents(), Contents::Watermarks);
    assert_eq!(names(watermarks), ["key_group", "watermark"]);
    let all = rows(watermarks, &state);
    assert_eq!(all.len(), 16);
    assert!(all.iter().all(|row| row == "1970-01-01T00:00:02"));
}

#[test]
fn sessions_have_their_start_and_the_time_of_their_last_row() {
    let calls = vec![call("COUNT(*)", Count, None)];
    let mut pipeline = windows(WindowKind::Session { gap_ms: 1_000 }, calls);
    send(
        &mut pipeline,
        &[
            ("1", "x", 1, 500),
            ("1", "y", 1, 1_500),
            ("1", "x", 1, 9_000),
        ],
    );
    let (tables, state) = state_of(&mut pipeline, WINDOW_AGGREGATE);
    let groups = &tables[0];
    assert_eq!(
        names(groups),
        ["key_group", "k", "session_start", "count", "last_time"]
    );
    assert_eq!(
        rows(groups, &state),
        [
            "1 | 1970-01-01T00:00:00.500 | 2 | 1970-01-01T00:00:01.500",
            "1 | 1970-01-01T00:00:09 | 1 | 1970-01-01T00:00:09",
        ]
    );
}

#[test]
fn columns_and_rows_are_chosen() {
    let mut pipeline = groups(vec![call("COUNT(*)", Count, None)], false, 0);
    let keys: Vec<String> = (0..20).map(|key| key.to_string()).collect();
    let input: Vec<(&str, &str, i64, i64)> =
        keys.iter().map(|key| (key.as_str(), "x", 1, 0)).collect();
    send(&mut pipeline, &input);
    let (tables, state) = state_of(&mut pipeline, "GroupAggregate");
    let mut seen = (0, 0);
    let read = tables[0].read(&state, ALL, &[], &mut |batch| {
        assert_eq!(batch.num_columns(), 0);
        seen = (seen.0 + 1, seen.1 + batch.num_rows());
        Ok(seen.0 < 3)
    });
    read.unwrap();
    assert_eq!(seen, (3, 9));
    let mut found = 0;
    for group in 0..16 {
        let range = KeyGroupRange {
            start: group,
            end: group + 1,
        };
        let read = tables[0].read(&state, range, &[2, 0], &mut |batch| {
            assert_eq!(batch.schema().field(0).name(), "count");
            found += batch.num_rows();
            Ok(true)
        });
        read.unwrap();
    }
    assert_eq!(found, 20);
}

#[test]
fn rows_that_no_layout_fits_are_an_error() {
    let mut pipeline = groups(vec![call("COUNT(*)", Count, None)], false, 0);
    send(&mut pipeline, &[("1", "x", 1, 0)]);
    let (_, state) = state_of(&mut pipeline, "GroupAggregate");
    let mut layouts = pipeline.layouts().to_vec();
    layouts[0].id = 7;
    let error = |layouts: &[Layout]| {
        let table = &tables("GroupAggregate", layouts)[0];
        let read = table.read(&state, ALL, &[0, 1], &mut |_| Ok(true));
        read.unwrap_err().message
    };
    assert!(error(&layouts).contains("does not fit"));
    layouts[0].id = 2;
    layouts[0].keys.clear();
    assert!(error(&layouts).contains("does not fit"));
    // Without layouts there are bytes.
    let tables = tables("GroupAggregate", &[]);
    assert_eq!(tables.len(), 1);
    assert_eq!(rows(&tables[0], &state).len(), 1);
}

#[test]
fn texts_become_names() {
    for (text, name) in [
        ("GroupAggregate", "group_aggregate"),
        ("Source(bids)", "source_bids"),
        ("COUNT(*)", "count"),
        ("COUNT(DISTINCT s)", "count_distinct_s"),
        ("AVG(CAST(v AS Float64))", "avg_v"),
        (
            "SUM(CAST(a + CAST(b AS Int64) AS Int64)) FILTER (WHERE c)",
            "sum_a_b_filter_where_c",
        ),
        ("CAST(", "cast"),
        ("***", "unnamed"),
    ] {
        assert_eq!(identifier(text), name);
    }
    assert!(identifier(&"long ".repeat(40)).len() <= 60);
    let mut taken = std::collections::BTreeSet::new();
    let names = ["a", "A", "b", "a"].map(|name| unique(&mut taken, name));
    assert_eq!(names, ["a", "A_2", "b", "a_3"]);
}
