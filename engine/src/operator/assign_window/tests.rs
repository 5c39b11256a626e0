#![allow(clippy::unwrap_used)]
use super::*;
use crate::graph::DataTypeSpec;
use crate::operator::testing::{batch, check, context, data_type, schema};

fn assign(kind: WindowKind, time: WindowTime) -> (AssignWindow, SchemaRef) {
    let input = schema("a BIGINT, t TIMESTAMP");
    let times = "window_start TIMESTAMP, window_end TIMESTAMP, window_time TIMESTAMP";
    let output = schema(&format!("a BIGINT, t TIMESTAMP, {times}"));
    let spec = WindowSpec {
        kind,
        time,
        time_type: DataTypeSpec(data_type("TIMESTAMP")),
    };
    (
        AssignWindow::new(&spec, &output, &context()).unwrap(),
        input,
    )
}

#[test]
fn each_row_comes_once_per_window_with_its_kind() {
    let kind = WindowKind::Hop {
        slide_ms: 1000,
        size_ms: 2000,
        offset_ms: 0,
    };
    let (mut assign, input) = assign(kind, WindowTime::Event { column: 1 });
    let mut out = Output::default();
    let rows = "+I | 1 | 1970-01-01T00:00:01.500
                -D | 2 | 1970-01-01T00:00:02
                +I | 3 | NULL";
    assign.process(0, batch(&input, rows), 0, &mut out).unwrap();
    let day = "1970-01-01T00:00";
    check(
        &mut out,
        &format!(
            "+I | 1 | {day}:01.500 | {day}:00 | {day}:02 | {day}:01.999
             +I | 1 | {day}:01.500 | {day}:01 | {day}:03 | {day}:02.999
             -D | 2 | {day}:02 | {day}:01 | {day}:03 | {day}:02.999
             -D | 2 | {day}:02 | {day}:02 | {day}:04 | {day}:03.999"
        ),
    );
    assert_eq!(assign.metrics.null_time_rows.get(), 1);
}

#[test]
fn processing_time_takes_the_clock() {
    let kind = WindowKind::Tumble {
        size_ms: 1000,
        offset_ms: 0,
    };
    let (mut assign, input) = assign(kind, WindowTime::Processing);
    let mut out = Output::default();
    assign
        .process(0, batch(&input, "+I | 1 | NULL"), 1500, &mut out)
        .unwrap();
    let day = "1970-01-01T00:00";
    check(
        &mut out,
        &format!("+I | 1 | NULL | {day}:01 | {day}:02 | {day}:01.999"),
    );
}

#[test]
fn sessions_need_an_aggregation() {
    let spec = WindowSpec {
        kind: WindowKind::Session { gap_ms: 1 },
        time: WindowTime::Processing,
        time_type: DataTypeSpec(data_type("TIMESTAMP")),
    };
    assert!(AssignWindow::new(&spec, &schema("a BIGINT"), &context()).is_err());
}
