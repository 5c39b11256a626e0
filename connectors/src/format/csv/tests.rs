#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::datatypes::{Field, TimeUnit};
use proptest::prelude::*;

use super::*;
use crate::format::json::Json;
use crate::format::{Encoded, Input, Position};

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("s", DataType::Utf8, true),
        Field::new("t", DataType::Timestamp(TimeUnit::Millisecond, None), true),
    ]))
}

fn format(options: &[(&str, &str)]) -> Result<Csv> {
    let mut options = Options::new(
        options
            .iter()
            .map(|(n, v)| (format!("csv.{n}"), v.to_string())),
    );
    let format = Csv::from_options("", &mut options)?;
    options.finish()?;
    Ok(format)
}

fn decoder(options: &[(&str, &str)]) -> Box<dyn Decoder> {
    format(options)
        .unwrap()
        .decoder(&schema(), schema(), OnBadRow::Fail)
        .unwrap()
}

fn whole(bytes: &[u8]) -> Input<'_> {
    Input {
        bytes,
        last: true,
        max_rows: usize::MAX,
        end: u64::MAX,
    }
}

fn show(decoder: &mut dyn Decoder) -> String {
    let batch = decoder.flush().unwrap();
    let mut out = Encoded::default();
    let mut encoder = Json::default()
        .encoder(batch.schema(), Framing::Line)
        .unwrap();
    encoder.encode(&batch, &mut out).unwrap();
    String::from_utf8(out.bytes).unwrap()
}

fn stream(options: &[(&str, &str)], text: &str) -> String {
    let mut decoder = decoder(options);
    match decoder.decode(whole(text.as_bytes())) {
        Ok(consumed) => {
            assert_eq!(consumed, text.len());
            show(decoder.as_mut())
        }
        Err(error) => error.message,
    }
}

const FIRST: &str = "{\"a\":1,\"s\":\"x\",\"t\":null}\n";

#[test]
fn rows_and_fields() {
    assert_eq!(
        stream(
            &[],
            "1,plain,2023-11-14 22:13:20\r\n-2,\"quoted, \"\"twice\"\"\nand long\" , 2023-11-14 22:13:20.5\n\n , ,\n,,"
        ),
        "{\"a\":1,\"s\":\"plain\",\"t\":\"2023-11-14 22:13:20.000\"}\n\
         {\"a\":-2,\"s\":\"quoted, \\\"twice\\\"\\nand long\",\"t\":\"2023-11-14 22:13:20.500\"}\n\
         {\"a\":null,\"s\":\" \",\"t\":null}\n{\"a\":null,\"s\":\"\",\"t\":null}\n"
    );
}

#[test]
fn the_dialect_follows_the_options() {
    assert_eq!(stream(&[("field-delimiter", "\\t")], "1\tx\t"), FIRST);
    assert_eq!(
        stream(
            &[("field-delimiter", ";"), ("quote-character", "'")],
            "1;'x';"
        ),
        FIRST
    );
    assert_eq!(stream(&[("null-literal", "NULL")], "1,x,NULL"), FIRST);
    assert_eq!(stream(&[("null-literal", "x")], "1,\"x\","), FIRST);
    assert_eq!(
        stream(&[("allow-comments", "true")], "# a comment\n1,x,\n#"),
        FIRST
    );
    assert_eq!(
        stream(&[("disable-quote-character", "true")], "1,\"x\","),
        "{\"a\":1,\"s\":\"\\\"x\\\"\",\"t\":null}\n"
    );
    assert_eq!(
        stream(
            &[("escape-character", "\\")],
            "1,a\\,b\\\\\\n\\\"c,\n2,\"\\\"\",\n"
        ),
        "{\"a\":1,\"s\":\"a,b\\\\\\n\\\"c\",\"t\":null}\n{\"a\":2,\"s\":\"\\\"\",\"t\":null}\n"
    );
}

#[test]
fn contradicting_or_unknown_options_are_refused() {
    for options in [
        &[("field-delimiter", "\"")][..],
        &[("field-delimiter", "ab")],
        &[("field-delimiter", "é")],
        &[
            ("disable-quote-character", "true"),
            ("quote-character", "'"),
        ],
        &[("header", "true")],
    ] {
        assert!(format(options).is_err(), "{options:?}");
    }
}

#[test]
fn nested_columns_are_refused() {
    let list = DataType::List(Arc::new(Field::new("element", DataType::Int64, true)));
    let nested = Arc::new(Schema::new(vec![Field::new("l", list, true)]));
    let csv = format(&[]).unwrap();
    assert!(
        csv.decoder(&nested, nested.clone(), OnBadRow::Fail)
            .is_err()
    );
    assert!(csv.encoder(nested, Framing::Line).is_err());
}

#[test]
fn wanted_columns_are_found_by_their_place() {
    let wanted = Arc::new(schema().project(&[2, 0]).unwrap());
    let mut decoder = format(&[])
        .unwrap()
        .decoder(&schema(), wanted, OnBadRow::Fail)
        .unwrap();
    decoder
        .decode(whole(b"1,\"a,b\",2023-11-14 22:13:20\n"))
        .unwrap();
    assert_eq!(
        show(decoder.as_mut()),
        "{\"t\":\"2023-11-14 22:13:20.000\",\"a\":1}\n"
    );
}

#[test]
fn bad_rows_fail_with_their_place() {
    let check = |text: &str, expected: &str| {
        let error = stream(&[], text);
        assert!(error.starts_with(expected), "{error}");
    };
    check(
        "1,x,\n2,x\n",
        "bad row at line 2 (at byte 5): the row has 2 fields, expected 3",
    );
    check(
        "1,\"a\nb\",\nz,x,\n",
        "bad row at line 3 (at byte 9): column 'a': the value z is not a BIGINT",
    );
    check(
        "1,\"x\"y,\n",
        "bad row at line 1 (at byte 0): expected a delimiter or the end of the line behind",
    );
    check(
        "1,\"x\n",
        "bad row at line 1 (at byte 0): a quoted field has no end",
    );
    check(
        "1,x,yesterday\n",
        "bad row at line 1 (at byte 0): column 't': the value yesterday is not a timestamp",
    );
    check(
        "9223372036854775808,x,\n",
        "bad row at line 1 (at byte 0): column 'a': the value 9223372036854775808 does not fit into BIGINT",
    );
}

#[test]
fn parse_errors_can_be_ignored() {
    let text = "z,x,tomorrow\n1,\"x\"y,\n2\n3,x,,more\n";
    let mut decoder = decoder(&[("ignore-parse-errors", "true")]);
    decoder.decode(whole(text.as_bytes())).unwrap();
    assert_eq!(decoder.rows_ignored(), 1);
    assert_eq!(
        show(decoder.as_mut()),
        "{\"a\":null,\"s\":\"x\",\"t\":null}\n{\"a\":2,\"s\":null,\"t\":null}\n{\"a\":3,\"s\":\"x\",\"t\":null}\n"
    );
}

#[test]
fn bad_rows_are_diverted() {
    let mut decoder = format(&[])
        .unwrap()
        .decoder(&schema(), schema(), OnBadRow::Divert)
        .unwrap();
    let text = b"1,x,\r\n2,\xff,\r\n\"3\nx\n4,x,\n";
    assert_eq!(decoder.decode(whole(text)).unwrap(), text.len());
    assert_eq!(decoder.rows(), 2);
    let bad = decoder.take_bad_rows();
    let seen: Vec<_> = bad
        .iter()
        .map(|row| (row.payload.as_slice(), row.position.line))
        .collect();
    assert_eq!(
        seen,
        [
            (&b"2,\xff,"[..], Some(2)),
            (b"\"3", Some(3)),
            (b"x", Some(4))
        ]
    );
}

#[test]
fn messages_hold_one_row_or_several() {
    let mut decoder = decoder(&[]);
    assert_eq!(decoder.decode_message(b"1,x,", 0).unwrap(), 1);
    assert_eq!(decoder.decode_message(b"1,x,\n2,y,\n", 0).unwrap(), 2);
    let error = decoder.decode_message(b"3,x,\n4,x", 17).unwrap_err();
    assert!(
        error
            .message
            .starts_with("bad row at offset 17: the row has 2 fields"),
        "{error}"
    );
    decoder.decode_message(b"", 18).unwrap_err();
    assert_eq!(decoder.rows(), 3);
}

#[test]
fn quotes_are_written_where_they_are_needed() {
    let mut decoder = decoder(&[]);
    decoder
        .decode(whole(
            b"1,\"a,b\",\n2,\"say \"\"x\"\"\",\n,NULL,2023-11-14 22:13:20\n,plain text,\n",
        ))
        .unwrap();
    let batch = decoder.flush().unwrap();
    let encode = |options: &[(&str, &str)]| {
        let mut out = Encoded::default();
        format(options)
            .unwrap()
            .encoder(batch.schema(), Framing::Line)?
            .encode(&batch, &mut out)?;
        Ok::<_, EngineError>(String::from_utf8(out.bytes).unwrap())
    };
    assert_eq!(
        encode(&[("null-literal", "NULL")]).unwrap(),
        "1,\"a,b\",NULL\n2,\"say \"\"x\"\"\",NULL\nNULL,\"NULL\",2023-11-14 22:13:20.000\nNULL,plain text,NULL\n"
    );
    assert_eq!(
        encode(&[
            ("disable-quote-character", "true"),
            ("escape-character", "\\")
        ])
        .unwrap(),
        "1,a\\,b,\n2,say \"x\",\n,NULL,2023-11-14 22:13:20.000\n,plain text,\n"
    );
    let error = encode(&[("disable-quote-character", "true")]).unwrap_err();
    assert!(
        error
            .message
            .starts_with("column 's': a value holds a delimiter"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_in_chunks_of_any_size(
        rows in prop::collection::vec((any::<Option<i64>>(), "[ab,\"\\\\\n\r#;é]{0,6}", any::<Option<i32>>()), 0..8),
        dialect in prop::sample::select(vec![
            vec![], vec![("escape-character", "\\")], vec![("field-delimiter", ";"), ("null-literal", "a")],
            vec![("disable-quote-character", "true"), ("escape-character", "\\")], vec![("allow-comments", "true")],
        ]),
        size in 1usize..40,
    ) {
        let seconds = rows.iter().map(|row| row.2.map(|s| i64::from(s) * 1000 + 5));
        let columns: Vec<arrow::array::ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| row.0).collect::<arrow::array::Int64Array>()),
            Arc::new(rows.iter().map(|row| Some(row.1.as_str())).collect::<arrow::array::StringArray>()),
            Arc::new(seconds.collect::<arrow::array::TimestampMillisecondArray>()),
        ];
        let batch = arrow::array::RecordBatch::try_new(schema(), columns).unwrap();
        let mut out = Encoded::default();
        format(&dialect).unwrap().encoder(schema(), Framing::Line).unwrap().encode(&batch, &mut out).unwrap();
        let mut decoder = decoder(&dialect);
        let (mut held, mut next) = (Vec::new(), 0);
        while next < out.bytes.len() || !held.is_empty() {
            let end = (next + size).min(out.bytes.len());
            held.extend_from_slice(&out.bytes[next..end]);
            next = end;
            let input = Input { last: next == out.bytes.len(), ..whole(&held) };
            let consumed = decoder.decode(input).unwrap();
            held.drain(..consumed);
        }
        prop_assert_eq!(decoder.position().offset, out.bytes.len() as u64);
        prop_assert_eq!(decoder.flush().unwrap(), batch);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(prop::sample::select(b"1,\"\n\r#a\\\xff ".to_vec()), 0..40)) {
        for options in [&[][..], &[("escape-character", "\\"), ("allow-comments", "true")], &[("disable-quote-character", "true")]] {
            let csv = format(options).unwrap();
            let mut decoder = csv.decoder(&schema(), schema(), OnBadRow::Divert).unwrap();
            prop_assert_eq!(decoder.decode(whole(&bytes)).unwrap(), bytes.len());
            prop_assert_eq!(decoder.position().offset, bytes.len() as u64);
            decoder.flush().unwrap();
            decoder.seek(Position::START);
            let _ = decoder.decode_message(&bytes, 0);
        }
    }
}
