#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use levada_engine::element::{Batch, RowKind};

use super::gather::Gather;
use super::lines::{Format, Lines};
use super::live::{Keep, Live};
use super::table::{Options, Table, truncate};
use super::value::{self, Style};
use super::{End, RowSink};

fn schema() -> SchemaRef {
    let zone = Some("UTC".into());
    Arc::new(Schema::new(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("n", DataType::Int64, true),
        Field::new("ts", DataType::Timestamp(TimeUnit::Millisecond, None), true),
        Field::new("at", DataType::Timestamp(TimeUnit::Millisecond, zone), true),
    ]))
}

fn batch(rows: &[(RowKind, Option<&str>, Option<i64>, Option<i64>)]) -> Batch {
    let times: Vec<Option<i64>> = rows.iter().map(|r| r.3).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter(rows.iter().map(|r| r.1))),
        Arc::new(Int64Array::from_iter(rows.iter().map(|r| r.2))),
        Arc::new(TimestampMillisecondArray::from(times.clone())),
        Arc::new(TimestampMillisecondArray::from(times).with_timezone("UTC")),
    ];
    let kinds = rows.iter().map(|r| r.0).collect();
    Batch::with_kinds(RecordBatch::try_new(schema(), columns).unwrap(), kinds).unwrap()
}

fn sample() -> Batch {
    batch(&[
        (RowKind::Insert, Some("a"), Some(1), Some(1_700_000_000_123)),
        (
            RowKind::UpdateBefore,
            Some("a"),
            Some(1),
            Some(1_700_000_000_123),
        ),
        (
            RowKind::UpdateAfter,
            Some("a|\n\"b,\\"),
            Some(-20),
            Some(-1),
        ),
        (RowKind::Insert, Some(""), None, None),
        (RowKind::Insert, None, Some(3), Some(0)),
    ])
}

fn plain() -> Options {
    Options {
        column_width: None,
        total_width: None,
        zone: None,
        kinds: false,
    }
}

fn lines(format: Format) -> String {
    let mut out = Vec::new();
    let mut sink = Lines::new(&mut out, format, &schema()).unwrap();
    sink.batch(&sample()).unwrap();
    sink.finish(End::Complete).unwrap();
    drop(sink);
    String::from_utf8(out).unwrap()
}

#[test]
fn json_has_every_column_in_order_with_nulls_and_instants_in_utc() {
    let text = lines(Format::Json);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(
        rows[0],
        r#"{"name":"a","n":1,"ts":"2023-11-14 22:13:20.123","at":"2023-11-14 22:13:20.123Z"}"#
    );
    assert_eq!(
        rows[2],
        r#"{"name":"a|\n\"b,\\","n":-20,"ts":"1969-12-31 23:59:59.999","at":"1969-12-31 23:59:59.999Z"}"#
    );
    assert_eq!(rows[3], r#"{"name":"","n":null,"ts":null,"at":null}"#);
    for row in rows {
        serde_json::from_str::<serde_json::Value>(row).unwrap();
    }
}

#[test]
fn csv_tells_null_from_the_empty_string() {
    let text = lines(Format::Csv);
    assert_eq!(
        text,
        "name,n,ts,at\n\
         a,1,2023-11-14 22:13:20.123,2023-11-14 22:13:20.123\n\
         a,1,2023-11-14 22:13:20.123,2023-11-14 22:13:20.123\n\
         \"a|\n\"\"b,\\\",-20,1969-12-31 23:59:59.999,1969-12-31 23:59:59.999\n\
         \"\",,,\n\
         ,3,1970-01-01 00:00:00.000,1970-01-01 00:00:00.000\n"
    );
}

#[test]
fn changelog_lines_carry_the_row_kind() {
    let text = lines(Format::Changelog);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(
        rows[0],
        "+I | a | 1 | 2023-11-14 22:13:20.123 | 2023-11-14 22:13:20.123"
    );
    assert!(rows[1].starts_with("-U | a | 1 | "));
    assert!(
        rows[2].starts_with(r#"+U | a\|\n"b,\\ | -20 | "#),
        "{}",
        rows[2]
    );
    assert_eq!(rows[3], "+I |  | NULL | NULL | NULL");
}

#[test]
fn gathered_rows_come_once_and_only_if_the_query_ended() {
    for (end, expected) in [(End::Complete, 3), (End::Failed, 0), (End::Stopped, 0)] {
        let mut out = Vec::new();
        let sink = Lines::new(&mut out, Format::Json, &schema()).unwrap();
        let mut gather = Gather::new(schema(), None, sink).unwrap();
        gather.batch(&sample()).unwrap();
        gather.finish(end).unwrap();
        drop(gather);
        assert_eq!(
            String::from_utf8(out).unwrap().lines().count(),
            expected,
            "{end:?}"
        );
    }
}

fn two_columns() -> (SchemaRef, Batch) {
    let schema = Arc::new(Schema::new(vec![
        Field::new("word", DataType::Utf8, true),
        Field::new("count", DataType::Int64, true),
    ]));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![
            Some("água"),
            Some("a\tb\x1b[31m"),
            None,
        ])),
        Arc::new(Int64Array::from(vec![5, 1234, 7])),
    ];
    let rows = RecordBatch::try_new(schema.clone(), columns).unwrap();
    let kinds = vec![RowKind::Insert, RowKind::Delete, RowKind::UpdateAfter];
    (schema, Batch::with_kinds(rows, kinds).unwrap())
}

fn table(options: Options) -> String {
    let (schema, rows) = two_columns();
    let mut out = Vec::new();
    let mut table = Table::new(&mut out, schema, options);
    table.batch(&rows).unwrap();
    table.finish(End::Complete).unwrap();
    drop(table);
    String::from_utf8(out).unwrap()
}

#[test]
fn tables_align_numbers_right_and_show_control_characters_as_escapes() {
    let expected = [
        r"+----------------+-------+",
        r"| word           | count |",
        r"+----------------+-------+",
        r"| água           |     5 |",
        r"| a\tb\u{1b}[31m |  1234 |",
        r"| NULL           |     7 |",
        r"+----------------+-------+",
        r"3 rows in set",
        "",
    ];
    assert_eq!(table(plain()), expected.join("\n"));
    let widths: Vec<usize> = table(plain())
        .lines()
        .take(7)
        .map(unicode_width::UnicodeWidthStr::width)
        .collect();
    assert!(widths.windows(2).all(|w| w[0] == w[1]), "{widths:?}");
}

#[test]
fn tables_can_have_row_kinds() {
    let text = table(Options {
        kinds: true,
        ..plain()
    });
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows[1].starts_with("| op | word"));
    assert!(rows[4].starts_with("| -D | a"));
    assert!(rows[5].starts_with("| +U | NULL"));
}

#[test]
fn tables_fit_the_terminal() {
    let narrow = table(Options {
        column_width: Some(8),
        total_width: Some(80),
        ..plain()
    });
    assert!(narrow.contains(r"| a\tb\u{… |  1234 |"), "{narrow}");
    let narrower = table(Options {
        column_width: Some(30),
        total_width: Some(20),
        ..plain()
    });
    for line in narrower.lines().take(7) {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 20, "{line}");
    }
}

#[test]
fn a_tick_settles_the_table_so_that_rows_appear() {
    let (schema, rows) = two_columns();
    let out = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    struct Shared(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);
    impl std::io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut table = Table::new(Shared(out.clone()), schema, plain());
    table.tick("").unwrap();
    assert!(out.borrow().is_empty(), "no rows, no header yet");
    table.batch(&rows).unwrap();
    assert!(out.borrow().is_empty());
    table.tick("").unwrap();
    assert!(
        String::from_utf8(out.borrow().clone())
            .unwrap()
            .contains("água")
    );
    let before = out.borrow().len();
    table.batch(&rows).unwrap();
    assert!(out.borrow().len() > before, "later rows appear at once");
}

fn keep(most_rows: Option<usize>) -> Keep {
    Keep {
        append_only: false,
        most_rows,
    }
}

#[test]
fn a_live_view_of_rows_that_only_come_lets_old_ones_go() {
    let mut out = Vec::new();
    let keep = Keep {
        append_only: true,
        most_rows: Some(5),
    };
    let mut live = Live::new(&mut out, || (60, 16), schema(), None, plain(), keep).unwrap();
    for n in 0..100 {
        live.batch(&batch(&[(RowKind::Insert, Some("x"), Some(n), None)]))
            .unwrap();
    }
    live.finish(End::Complete).unwrap();
    drop(live);
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("… 95 rows above") && text.contains("100 rows in set"),
        "{text}"
    );
    assert!(
        !text.contains("| 94 |") && text.contains("| 95 |"),
        "{text}"
    );
}

#[test]
fn a_live_view_draws_over_itself_and_leaves_the_final_rows() {
    let mut out = Vec::new();
    let mut live = Live::new(&mut out, || (60, 20), schema(), None, plain(), keep(None)).unwrap();
    live.batch(&batch(&[(RowKind::Insert, Some("first"), Some(1), None)]))
        .unwrap();
    live.tick("running 1s").unwrap();
    live.batch(&batch(&[
        (RowKind::UpdateBefore, Some("first"), Some(1), None),
        (RowKind::UpdateAfter, Some("second"), Some(2), None),
    ]))
    .unwrap();
    live.tick("running 2s").unwrap();
    live.finish(End::Complete).unwrap();
    drop(live);
    let text = String::from_utf8(out).unwrap();
    // Three lines of header, one row, a rule and the progress.
    let drawings: Vec<&str> = text.split("\x1b[6A\r\x1b[J").collect();
    assert_eq!(drawings.len(), 3);
    assert!(drawings[0].contains("first") && drawings[0].contains("running 1s"));
    assert!(drawings[1].contains("second") && !drawings[1].contains("first"));
    assert!(drawings[2].contains("second") && drawings[2].contains("1 row in set"));
    assert!(!drawings[2].contains("running"));
}

#[test]
fn a_live_view_shows_the_last_rows_of_many() {
    let rows: Vec<_> = (0..100)
        .map(|n| (RowKind::Insert, Some("x"), Some(n), None))
        .collect();
    let mut out = Vec::new();
    let mut live = Live::new(
        &mut out,
        || (60, 16),
        schema(),
        None,
        plain(),
        keep(Some(5)),
    )
    .unwrap();
    live.batch(&batch(&rows)).unwrap();
    live.tick("").unwrap();
    live.finish(End::Complete).unwrap();
    drop(live);
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("… 90 rows above"), "{text}");
    assert!(text.contains("… 95 rows above"), "{text}");
    assert!(
        !text.contains("| 89 |") && text.contains("| 90 |"),
        "{text}"
    );
}

#[test]
fn long_text_is_cut_at_the_width_of_the_terminal() {
    assert_eq!(truncate("abcdef", 6), "abcdef");
    assert_eq!(truncate("abcdefg", 6), "abcde…");
    assert_eq!(truncate("漢字漢字", 5), "漢字…");
}

#[track_caller]
fn check(array: impl Array + 'static, text: &str, json: &str) {
    let array: ArrayRef = Arc::new(array);
    let mut out = String::new();
    value::write(&mut out, &array, 0, Style::Text(None));
    assert_eq!(out, text);
    out.clear();
    value::write(&mut out, &array, 0, Style::Json);
    assert_eq!(out, json);
}

#[test]
fn every_type_has_a_text() {
    check(BooleanArray::from(vec![true]), "true", "true");
    check(
        UInt64Array::from(vec![u64::MAX]),
        "18446744073709551615",
        "18446744073709551615",
    );
    check(Float64Array::from(vec![0.1]), "0.1", "0.1");
    check(Float64Array::from(vec![1e300]), "1e300", "1e300");
    check(Float64Array::from(vec![2.0]), "2.0", "2.0");
    check(Float32Array::from(vec![f32::NAN]), "NaN", "\"NaN\"");
    check(
        Float64Array::from(vec![f64::NEG_INFINITY]),
        "-inf",
        "\"-inf\"",
    );
    let decimal = Decimal128Array::from(vec![-12_345])
        .with_precision_and_scale(10, 2)
        .unwrap();
    check(decimal, "-123.45", "-123.45");
    check(
        BinaryArray::from(vec![&[0u8, 255][..]]),
        "0x00ff",
        "\"AP8=\"",
    );
    check(
        Date32Array::from(vec![19_675]),
        "2023-11-14",
        "\"2023-11-14\"",
    );
    check(
        TimestampSecondArray::from(vec![0]),
        "1970-01-01 00:00:00",
        "\"1970-01-01 00:00:00\"",
    );
    check(
        TimestampMicrosecondArray::from(vec![1]),
        "1970-01-01 00:00:00.000001",
        "\"1970-01-01 00:00:00.000001\"",
    );
    check(
        Time32MillisecondArray::from(vec![3_723_004]),
        "01:02:03.004",
        "\"01:02:03.004\"",
    );
}

#[test]
fn nested_values_are_json() {
    let inner = StructArray::from(vec![
        (
            Arc::new(Field::new("a", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(1)])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("b\"", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![None::<&str>])) as ArrayRef,
        ),
    ]);
    check(inner, r#"{"a":1,"b\"":null}"#, r#"{"a":1,"b\"":null}"#);
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None])]);
    check(list, "[1,null]", "[1,null]");
    let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(7);
    map.values().append_value("x");
    map.append(true).unwrap();
    check(map.finish(), r#"{"7":"x"}"#, r#"{"7":"x"}"#);
}

#[test]
fn instants_are_shown_in_the_time_zone_of_the_session() {
    let zone = "Europe/Lisbon".parse().unwrap();
    let array = TimestampMillisecondArray::from(vec![1_720_000_000_000]).with_timezone("UTC");
    let mut out = String::new();
    value::write(&mut out, &array, 0, Style::Text(Some(zone)));
    assert_eq!(out, "2024-07-03 10:46:40.000");
}
