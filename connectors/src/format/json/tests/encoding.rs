//! What the encoder writes.

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, LargeStringArray, MapBuilder, StringBuilder,
    StringViewArray, UInt64Array,
};
use arrow::datatypes::Int8Type;

use super::*;

fn encode(batch: &RecordBatch, options: &[(&str, &str)]) -> Result<String> {
    let mut out = Encoded::default();
    format(options)
        .encoder(batch.schema(), Framing::Message)?
        .encode(batch, &mut out)?;
    assert_eq!(out.rows(), batch.num_rows());
    let payloads: Vec<_> = out
        .payloads()
        .map(|p| std::str::from_utf8(p.unwrap()).unwrap())
        .collect();
    Ok(payloads.join("\n"))
}

fn decoded(fields: Vec<Field>, text: &str) -> RecordBatch {
    let mut decoder = decoder(fields, &[]);
    decoder.decode_message(text.as_bytes(), 0).unwrap();
    decoder.flush().unwrap()
}

#[test]
fn timestamps_follow_the_option() {
    let fields = vec![column("t", "TIMESTAMP"), column("z", "LTZ")];
    let batch = decoded(
        fields,
        r#"{"t":"2023-11-14 22:13:20.5","z":"2023-11-14T22:13:20Z"}"#,
    );
    assert_eq!(
        encode(&batch, &[]).unwrap(),
        r#"{"t":"2023-11-14 22:13:20.500","z":"2023-11-14 22:13:20.000Z"}"#
    );
    assert_eq!(
        encode(&batch, &[("timestamp-format.standard", "ISO-8601")]).unwrap(),
        r#"{"t":"2023-11-14T22:13:20.500","z":"2023-11-14T22:13:20.000Z"}"#
    );
}

#[test]
fn decimals_follow_the_option() {
    let small = Field::new("d", DataType::Decimal128(20, 10), true);
    let batch = decoded(vec![small], r#"{"d": 0.0000001234}"#);
    assert_eq!(encode(&batch, &[]).unwrap(), r#"{"d":1.234E-7}"#);
    assert_eq!(
        encode(&batch, &[("encode.decimal-as-plain-number", "true")]).unwrap(),
        r#"{"d":0.0000001234}"#
    );
}

#[test]
fn names_and_texts_are_escaped() {
    let batch = decoded(
        vec![column("a\"b", "STRING")],
        "{\"a\\\"b\": \"\\u0000\\u001f\\\\ \\u2028 long enough for a block\\n\"}",
    );
    assert_eq!(
        encode(&batch, &[]).unwrap(),
        "{\"a\\\"b\":\"\\u0000\\u001f\\\\ \u{2028} long enough for a block\\n\"}"
    );
}

#[test]
fn types_beyond_those_of_sql_are_written_too() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "view",
            Arc::new(StringViewArray::from(vec![
                Some("a string of more than twelve bytes"),
                None,
            ])),
        ),
        ("large", Arc::new(LargeStringArray::from(vec!["x", "y"]))),
        ("unsigned", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
        (
            "dictionary",
            Arc::new(
                vec![Some("p"), None]
                    .into_iter()
                    .collect::<DictionaryArray<Int8Type>>(),
            ),
        ),
        ("null", Arc::new(arrow::array::NullArray::new(2))),
    ];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
            .unwrap();
    assert_eq!(
        encode(&batch, &[]).unwrap(),
        "{\"view\":\"a string of more than twelve bytes\",\"large\":\"x\",\"unsigned\":18446744073709551615,\"dictionary\":\"p\",\"null\":null}\n\
         {\"view\":null,\"large\":\"y\",\"unsigned\":0,\"dictionary\":null,\"null\":null}"
    );
}

#[test]
fn null_keys_of_maps_follow_the_option() {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    let entries = [("a", "1"), ("b", "2"), ("c", "3")];
    for (key, value) in entries {
        builder.keys().append_value(key);
        builder.values().append_value(value);
    }
    builder.append(true).unwrap();
    let map = builder.finish();
    // Arrow's types say that keys are never NULL; foreign data may not keep to it, so a map from
    // integers to be shown as text stands for the general case here.
    let batch = RecordBatch::try_from_iter([("m", Arc::new(map) as ArrayRef)]).unwrap();
    assert_eq!(
        encode(&batch, &[]).unwrap(),
        r#"{"m":{"a":"1","b":"2","c":"3"}}"#
    );
}

#[test]
fn slices_are_written_from_their_first_row() {
    let fields = vec![
        column("a", "INT"),
        list("l", "INT"),
        row("r", vec![column("s", "STRING")]),
    ];
    let batch = decoded(
        fields,
        r#"[{"a":1,"l":[1]},{"a":2,"l":[2,3],"r":{"s":"x"}},{"a":3}]"#,
    );
    assert_eq!(
        encode(&batch.slice(1, 2), &[]).unwrap(),
        "{\"a\":2,\"l\":[2,3],\"r\":{\"s\":\"x\"}}\n{\"a\":3,\"l\":null,\"r\":null}"
    );
}

#[test]
fn lines_end_with_a_line_end_that_belongs_to_them() {
    let array: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter([("a", array)]).unwrap();
    let mut out = Encoded::default();
    Json::default()
        .encoder(batch.schema(), Framing::Line)
        .unwrap()
        .encode(&batch, &mut out)
        .unwrap();
    assert_eq!(out.bytes, b"{\"a\":1}\n{\"a\":2}\n");
    assert_eq!(out.payloads().next().unwrap(), Some(&b"{\"a\":1}\n"[..]));
}
