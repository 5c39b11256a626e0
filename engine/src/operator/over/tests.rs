#![allow(clippy::unwrap_used)]
mod forward;
mod model;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::graph::{
    AggregateFunction, BackendKind, Bound, DataTypeSpec, Frame, FrameUnit, OperatorSpec,
    OrderColumn, OverCall, OverForm, OverFunction, OverSpec,
};
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, schema};

const ROWS: &str = "k BIGINT, t TIMESTAMP, a BIGINT, s STRING, d DOUBLE, m DECIMAL, f BOOLEAN";
const NOTHING: [&str; 0] = [];
/// Positions of the columns.
const K: usize = 0;
const T: usize = 1;
const A: usize = 2;
const S: usize = 3;
const D: usize = 4;
const M: usize = 5;
const F: usize = 6;

fn by(column: usize) -> OrderColumn {
    OrderColumn {
        column,
        descending: false,
        nulls_first: true,
    }
}

fn frame(unit: FrameUnit, start: Bound, end: Bound) -> Frame {
    Frame { unit, start, end }
}

/// From the beginning of the partition on.
const RUNNING: Frame = Frame {
    unit: FrameUnit::Range,
    start: Bound::Unbounded,
    end: Bound::Current,
};

/// So many rows before, and the row.
fn last(rows: i64) -> Frame {
    frame(FrameUnit::Rows, Bound::Preceding(rows), Bound::Current)
}

fn result_type(function: OverFunction, argument: Option<usize>) -> DataType {
    let rows = schema(ROWS);
    let own = argument.map_or(DataType::Int64, |a| rows.field(a).data_type().clone());
    match function {
        OverFunction::PercentRank | OverFunction::CumeDist => DataType::Float64,
        OverFunction::Aggregate(AggregateFunction::Count) => DataType::Int64,
        OverFunction::Aggregate(AggregateFunction::Sum) if argument == Some(M) => {
            DataType::Decimal128(22, 2)
        }
        OverFunction::Aggregate(AggregateFunction::Avg) => match argument {
            Some(M) => DataType::Decimal128(16, 6),
            _ => DataType::Float64,
        },
        _ => own,
    }
}

fn call(function: OverFunction, argument: Option<usize>, frame: Frame) -> OverCall {
    let rows = schema(ROWS);
    let own = argument.map_or(DataType::Int64, |a| rows.field(a).data_type().clone());
    OverCall {
        function,
        argument,
        argument_type: DataTypeSpec(own),
        filter: None,
        distinct: false,
        ignore_nulls: false,
        frame,
        result_type: DataTypeSpec(result_type(function, argument)),
        name: "CALL".into(),
    }
}

fn sum(frame: Frame) -> OverCall {
    call(
        OverFunction::Aggregate(AggregateFunction::Sum),
        Some(A),
        frame,
    )
}

fn spec(form: OverForm, calls: Vec<OverCall>) -> OverSpec {
    OverSpec {
        rows: schema(ROWS).into(),
        partition_by: vec![K],
        order_by: match form {
            OverForm::Arrival => vec![],
            OverForm::Time | OverForm::Corrected { .. } => vec![by(T)],
        },
        form,
        calls,
        update_before: true,
        ttl_ms: 0,
    }
}

const CORRECTED: OverForm = OverForm::Corrected { updating: true };

fn pipeline(spec: &OverSpec) -> Pipeline {
    let mut fields: Vec<_> = spec.rows.0.fields().iter().cloned().collect();
    let call = |(at, call): (usize, &OverCall)| {
        Arc::new(Field::new(
            format!("c{at}"),
            call.result_type.0.clone(),
            true,
        ))
    };
    fields.extend(spec.calls.iter().enumerate().map(call));
    let output: SchemaRef = Arc::new(Schema::new(fields));
    let over = OperatorSpec::Over(spec.clone());
    let keys = spec.partition_by.clone();
    Pipeline::new(None, over, spec.rows.0.clone(), output, keys)
}

/// A row of a partition at a time, with a number.
fn row(kind: &str, key: i64, ms: i64, number: &str) -> String {
    format!("{kind} | {key} | 1970-01-01T00:00:00.{ms:03} | {number} | s | 0.5 | 1.00 | true")
}

/// What was said, of each row its kind, its key, its number and its values.
fn said(over: &mut Pipeline) -> Vec<String> {
    let lines = std::mem::take(&mut over.lines);
    let short = |line: String| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let head = [cells[0], cells[1], cells[3]];
        [&head[..], &cells[8..]].concat().join(" ")
    };
    lines.into_iter().map(short).collect()
}

fn give(over: &mut Pipeline, rows: &[String]) -> Vec<String> {
    over.process(batch(&schema(ROWS), &rows.join("\n")));
    said(over)
}

#[test]
fn what_is_computed_for_other_rows_is_corrected() {
    let mut over = pipeline(&spec(CORRECTED, vec![sum(RUNNING)]));
    let said = give(&mut over, &[row("+I", 1, 10, "1"), row("+I", 1, 30, "3")]);
    assert_eq!(said, ["+I 1 1 1", "+I 1 3 4"]);
    let said = give(&mut over, &[row("+I", 1, 20, "2"), row("+I", 2, 5, "9")]);
    assert_eq!(said, ["-U 1 3 4", "+U 1 3 6", "+I 1 2 3", "+I 2 9 9"]);
    let said = give(&mut over, &[row("-D", 1, 10, "1")]);
    assert_eq!(
        said,
        ["-D 1 1 1", "-U 1 2 3", "+U 1 2 2", "-U 1 3 6", "+U 1 3 5"]
    );
    // An update of a row that changes nothing for the others.
    let rows = [row("-U", 1, 20, "2"), row("+U", 1, 25, "2")];
    assert_eq!(give(&mut over, &rows), ["-D 1 2 2", "+I 1 2 2"]);
    let rows = [row("+I", 1, 1, "7"), row("-D", 1, 1, "7")];
    assert_eq!(give(&mut over, &rows), NOTHING);
}

#[test]
fn rows_that_are_equal_in_order_share_a_range_and_no_rows() {
    let rows = frame(FrameUnit::Rows, Bound::Unbounded, Bound::Current);
    let mut over = pipeline(&spec(CORRECTED, vec![sum(RUNNING), sum(rows)]));
    let said = give(&mut over, &[row("+I", 1, 10, "1"), row("+I", 1, 10, "2")]);
    assert_eq!(said, ["+I 1 1 3 1", "+I 1 2 3 3"]);
    over.rescale(3, BackendKind::RocksDb);
    let said = give(&mut over, &[row("+I", 1, 10, "4")]);
    assert_eq!(
        said,
        [
            "-U 1 1 3 1",
            "+U 1 1 7 1",
            "-U 1 2 3 3",
            "+U 1 2 7 3",
            "+I 1 4 7 7"
        ]
    );
}

#[test]
fn a_change_is_felt_no_further_than_frames_reach() {
    let mut over = pipeline(&spec(CORRECTED, vec![sum(last(1))]));
    let rows: Vec<String> = (0..20).map(|i| row("+I", 1, i * 10, "1")).collect();
    give(&mut over, &rows);
    let said = give(&mut over, &[row("+I", 1, 55, "5")]);
    assert_eq!(said, ["-U 1 1 2", "+U 1 1 6", "+I 1 5 6"]);
    // A neighbour of the same value takes the place of another.
    assert_eq!(
        give(&mut over, &[row("-D", 1, 0, "1")]),
        ["-D 1 1 1", "-U 1 1 2", "+U 1 1 1"]
    );
}

#[test]
fn without_update_before_only_what_is_comes_out() {
    let mut over = pipeline(&OverSpec {
        update_before: false,
        ..spec(CORRECTED, vec![sum(RUNNING)])
    });
    give(&mut over, &[row("+I", 1, 30, "3")]);
    let rows = [row("+I", 1, 20, "2")];
    assert_eq!(give(&mut over, &rows), ["+U 1 3 5", "+I 1 2 2"]);
}

#[test]
fn sums_that_do_not_fit_are_errors_and_running_totals_need_not() {
    let most = i64::MAX.to_string();
    let least = (i64::MIN + 1).to_string();
    let mut over = pipeline(&spec(CORRECTED, vec![sum(last(0))]));
    // Each fits on its own, though all together do not.
    let rows = [
        row("+I", 1, 10, &most),
        row("+I", 1, 20, &most),
        row("+I", 1, 30, &least),
    ];
    assert_eq!(give(&mut over, &rows).len(), 3);

    let spec = spec(CORRECTED, vec![sum(RUNNING)]);
    let mut over = crate::operator::build(
        &OperatorSpec::Over(spec.clone()),
        &[],
        &pipeline_output(&spec),
        crate::operator::OperatorContext {
            state: Some(memory_state()),
            ..crate::operator::testing::context()
        },
    )
    .unwrap();
    let rows = batch(&schema(ROWS), &rows[..2].join("\n"));
    let mut output = crate::operator::Output::default();
    let error = over.process(0, rows, 0, &mut output).unwrap_err();
    assert!(error.to_string().contains("overflows"), "{error}");
}

fn memory_state() -> Box<dyn crate::state::KeyedState> {
    let state = crate::state::create(crate::state::StateSetup {
        kind: BackendKind::Memory,
        key_groups: crate::key::KeyGroupRange::all(128),
        scratch: std::path::Path::new("unused"),
        checkpointed: true,
        restored: crate::state::Restored::default(),
        resources: &crate::state::Resources::new(crate::memory::Memory::new(1 << 20)),
    });
    state.unwrap()
}

fn pipeline_output(spec: &OverSpec) -> SchemaRef {
    let mut fields: Vec<_> = spec.rows.0.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new("c", DataType::Int64, true)));
    Arc::new(Schema::new(fields))
}

#[test]
fn rows_that_nothing_changes_are_forgotten_with_time() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut over = pipeline(&OverSpec {
            ttl_ms: 1000,
            ..spec(CORRECTED, vec![sum(RUNNING)])
        });
        over.rescale(2, backend);
        give(&mut over, &[row("+I", 1, 10, "1"), row("+I", 2, 10, "1")]);
        for tick in 0..60 {
            over.advance_clock(4000 + tick * 200);
        }
        let files = over.checkpoint();
        assert_eq!(crate::state::fixture::table_of(&files, 1).len(), 0);
        assert_eq!(give(&mut over, &[row("+I", 1, 20, "2")]), ["+I 1 2 2"]);
    }
}
