#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int32Array, RecordBatch, StringArray};

use super::*;
use crate::format::{Encoded, Input};

fn raw(options: &[(&str, &str)]) -> Raw {
    let mut options = Options::new(
        options
            .iter()
            .map(|(n, v)| (format!("raw.{n}"), v.to_string())),
    );
    let format = Raw::from_options("", &mut options).unwrap();
    options.finish().unwrap();
    format
}

fn batch(array: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([("v", array, true)]).unwrap()
}

/// Encodes a batch as messages, checks that they are read back, and returns them.
fn round_trip(options: &[(&str, &str)], array: ArrayRef) -> Vec<Vec<u8>> {
    let batch = batch(array);
    let format = raw(options);
    let mut out = Encoded::default();
    format
        .encoder(batch.schema(), Framing::Message)
        .unwrap()
        .encode(&batch, &mut out)
        .unwrap();
    let mut decoder = format
        .decoder(&batch.schema(), batch.schema(), OnBadRow::Fail)
        .unwrap();
    let payloads: Vec<Vec<u8>> = out.payloads().map(|p| p.unwrap().to_vec()).collect();
    for payload in &payloads {
        assert_eq!(decoder.decode_message(payload, 0).unwrap(), 1);
    }
    assert_eq!(decoder.flush().unwrap(), batch);
    payloads
}

#[test]
fn values_of_every_kind() {
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![1, -2]));
    assert_eq!(
        round_trip(&[], ints.clone()),
        [[0, 0, 0, 1], [255, 255, 255, 254]]
    );
    assert_eq!(
        round_trip(&[("endianness", "little-endian")], ints),
        [[1, 0, 0, 0], [254, 255, 255, 255]]
    );
    let text: ArrayRef = Arc::new(StringArray::from(vec!["é", ""]));
    assert_eq!(round_trip(&[], text.clone()), [&b"\xc3\xa9"[..], b""]);
    assert_eq!(
        round_trip(&[("charset", "ISO-8859-1")], text.clone()),
        [&b"\xe9"[..], b""]
    );
    assert_eq!(
        round_trip(&[("charset", "utf-16le")], text),
        [&b"\xe9\0"[..], b""]
    );
    let bytes: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"\xff\n"]));
    assert_eq!(round_trip(&[], bytes), [b"\xff\n"]);
}

#[test]
fn null_has_no_payload() {
    let batch = batch(Arc::new(StringArray::from(vec![None, Some("x")])));
    let mut out = Encoded::default();
    raw(&[])
        .encoder(batch.schema(), Framing::Message)
        .unwrap()
        .encode(&batch, &mut out)
        .unwrap();
    assert_eq!(out.payloads().collect::<Vec<_>>(), [None, Some(&b"x"[..])]);
}

#[test]
fn lines_of_a_stream_are_rows() {
    let schema = batch(Arc::new(StringArray::from(vec!["x"]))).schema();
    let mut decoder = raw(&[])
        .decoder(&schema, schema.clone(), OnBadRow::Divert)
        .unwrap();
    let input = Input {
        bytes: b"a\n\nb\xff\r\nc",
        last: true,
        max_rows: 10,
        end: u64::MAX,
    };
    assert_eq!(decoder.decode(input).unwrap(), 8);
    let bad = decoder.take_bad_rows();
    assert_eq!(
        (bad[0].payload.as_slice(), bad[0].position.line),
        (&b"b\xff"[..], Some(3))
    );
    assert_eq!(
        bad[0].error,
        "column 'v': the text is not valid UTF-8 (byte 1 of the row)"
    );
    let expected = batch(Arc::new(StringArray::from(vec!["a", "", "c"])));
    assert_eq!(decoder.flush().unwrap(), expected);
    let mut out = Encoded::default();
    raw(&[])
        .encoder(schema, Framing::Line)
        .unwrap()
        .encode(&expected, &mut out)
        .unwrap();
    assert_eq!(out.bytes, b"a\n\nc\n");
}

#[test]
fn what_has_no_raw_form_is_refused() {
    let ints = batch(Arc::new(Int32Array::from(vec![1])));
    assert!(raw(&[]).encoder(ints.schema(), Framing::Line).is_err());
    let mut decoder = raw(&[])
        .decoder(&ints.schema(), ints.schema(), OnBadRow::Fail)
        .unwrap();
    let error = decoder.decode_message(b"abc", 3).unwrap_err();
    assert!(
        error.message.contains("a INT has 4 bytes, but there are 3"),
        "{error}"
    );
    let two = Arc::new(Schema::new(vec![
        Field::new("a", DataType::Utf8, true),
        Field::new("b", DataType::Utf8, true),
    ]));
    assert!(raw(&[]).decoder(&two, two.clone(), OnBadRow::Fail).is_err());
    let newline = batch(Arc::new(StringArray::from(vec!["a\nb"])));
    let mut encoder = raw(&[]).encoder(newline.schema(), Framing::Line).unwrap();
    assert!(encoder.encode(&newline, &mut Encoded::default()).is_err());
    let mut options = Options::new([("raw.charset".to_string(), "EBCDIC".to_string())]);
    assert!(Raw::from_options("", &mut options).is_err());
}
