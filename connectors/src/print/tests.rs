#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::sync::{Arc, Mutex};

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int64Array, ListArray, MapBuilder, RecordBatch, StringArray, StringBuilder, StructArray,
    Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use levada_engine::connector::{ConnectorFactory, Sink};
use levada_engine::element::{Batch, ChangelogMode, RowKind};

use super::{Factory, Print, Printer, text};
use crate::fixture::table;
use crate::options::Options;

fn factory(options: &[(&str, &str)]) -> Factory {
    let options = options.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    Factory::parse(Options::new(options)).unwrap()
}

#[track_caller]
fn check(column: ArrayRef, expected: &[&str]) {
    let rows = RecordBatch::try_from_iter([("c", column)]).unwrap();
    let mut out = Vec::new();
    text::write_rows(&mut out, "", &Batch::inserts(rows)).unwrap();
    let lines: Vec<_> = std::str::from_utf8(&out).unwrap().lines().collect();
    let expected: Vec<_> = expected.iter().map(|e| format!("+I[{e}]")).collect();
    assert_eq!(lines, expected);
}

#[test]
fn prefix_names_identifier_and_subtask() {
    assert_eq!(factory(&[]).prefix(0, 1), "");
    assert_eq!(factory(&[]).prefix(1, 2), "2> ");
    let named = factory(&[("print-identifier", "out")]);
    assert_eq!(named.prefix(0, 1), "out> ");
    assert_eq!(named.prefix(0, 3), "out:1> ");
}

#[test]
fn options_are_strict() {
    let refused = |options: &[(&str, &str)]| {
        let error = Print.sink(&table("print", options)).err().unwrap();
        error.message
    };
    assert_eq!(
        refused(&[("standard-error", "yes")]),
        "table 't': the option 'standard-error' has the value 'yes', expected 'true' or 'false'"
    );
    assert_eq!(
        refused(&[("print-identifer", "x")]),
        "table 't': unknown option 'print-identifer'"
    );
    assert!(factory(&[("standard-error", "TRUE")]).to_stderr);
    assert!(Print.source(&table("print", &[])).is_err());
}

#[test]
fn takes_every_kind_of_stream() {
    let sink = Print.sink(&table("print", &[])).unwrap();
    for mode in [ChangelogMode::Append, ChangelogMode::Retract] {
        assert_eq!(sink.accept(mode).unwrap(), mode);
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn prints_kinds_and_nulls() {
    let a: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)]));
    let b: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "", "z, z"]));
    let rows = RecordBatch::try_from_iter([("a", a), ("b", b)]).unwrap();
    let kinds = vec![
        RowKind::Insert,
        RowKind::UpdateBefore,
        RowKind::UpdateAfter,
        RowKind::Delete,
    ];
    let out = Shared::default();
    let mut sink = Printer {
        prefix: "p> ".into(),
        out: Some(Box::new(out.clone())),
        writer: None,
    };
    let batch = Batch::with_kinds(rows, kinds).unwrap();
    sink.open().await.unwrap();
    sink.write(&batch).await.unwrap();
    sink.prepare(1).await.unwrap();
    assert_eq!(
        String::from_utf8(out.0.lock().unwrap().clone()).unwrap(),
        "p> +I[1, x]\np> -U[null, y]\np> +U[3, ]\np> -D[4, z, z]\n"
    );
}

/// A pipe that nobody reads.
struct Stuck;

impl std::io::Write for Stuck {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        loop {
            std::thread::park();
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_blocks_no_thread_of_the_runtime() {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = Batch::inserts(RecordBatch::try_from_iter([("a", column)]).unwrap());
    let mut sink = Printer {
        prefix: String::new(),
        out: Some(Box::new(Stuck)),
        writer: None,
    };
    sink.open().await.unwrap();
    let writing = async {
        loop {
            sink.write(&batch).await.unwrap();
        }
    };
    let limit = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(limit, writing).await.is_err());
}

#[test]
fn floating_point_numbers() {
    check(
        Arc::new(Float64Array::from(vec![
            0.0,
            -0.0,
            1.0,
            -2.5,
            0.001,
            0.000_999,
            9_999_999.0,
            1e7,
            1.25e10,
            1e300,
            123_456.789,
            f64::NAN,
            f64::NEG_INFINITY,
            5e-324,
        ])),
        &[
            "0.0",
            "-0.0",
            "1.0",
            "-2.5",
            "0.001",
            "9.99E-4",
            "9999999.0",
            "1.0E7",
            "1.25E10",
            "1.0E300",
            "123456.789",
            "NaN",
            "-Infinity",
            "5.0E-324",
        ],
    );
    check(
        Arc::new(Float32Array::from(vec![0.1f32, 16_777_216.0, 100.0])),
        &["0.1", "1.6777216E7", "100.0"],
    );
}

#[test]
fn dates_and_times() {
    let moments = vec![0, 1_000, 1_700_000_000_123];
    check(
        Arc::new(TimestampMillisecondArray::from(moments.clone())),
        &[
            "1970-01-01T00:00",
            "1970-01-01T00:00:01",
            "2023-11-14T22:13:20.123",
        ],
    );
    check(
        Arc::new(TimestampMillisecondArray::from(moments).with_timezone("UTC")),
        &[
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:01Z",
            "2023-11-14T22:13:20.123Z",
        ],
    );
    check(
        Arc::new(TimestampMicrosecondArray::from(vec![-1])),
        &["1969-12-31T23:59:59.999999"],
    );
    check(Arc::new(Date32Array::from(vec![19_000])), &["2022-01-08"]);
    check(
        Arc::new(Time32MillisecondArray::from(vec![0, 3_661_000, 50])),
        &["00:00", "01:01:01", "00:00:00.050"],
    );
}

#[test]
fn other_types() {
    check(
        Arc::new(BooleanArray::from(vec![true, false])),
        &["true", "false"],
    );
    let decimals = Decimal128Array::from(vec![12_345, -5]);
    check(
        Arc::new(decimals.with_precision_and_scale(10, 2).unwrap()),
        &["123.45", "-0.05"],
    );
    check(
        Arc::new(BinaryArray::from(vec![&[1u8, 255][..], &[]])),
        &["[1, -1]", "[]"],
    );
    check(
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None]),
            None,
        ])),
        &["[1, null]", "null"],
    );
    let field = Arc::new(Field::new("n", DataType::Int64, true));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    check(
        Arc::new(StructArray::from(vec![(field, numbers)])),
        &["+I[7]"],
    );
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("k");
    map.values().append_value("v");
    map.append(true).unwrap();
    check(Arc::new(map.finish()), &["{k=v}"]);
}
