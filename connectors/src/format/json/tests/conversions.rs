//! Values of every type, and what happens to those that do not suit.

use super::*;

/// Decodes `{"v": value}` into a column of a type and shows the row, or the error.
fn value(sql: &str, value: &str) -> String {
    message(vec![column("v", sql)], &[], &format!("{{\"v\": {value}}}"))
}

fn check(sql: &str, text: &str, expected: &str) {
    assert_eq!(
        value(sql, text),
        format!("{{\"v\":{expected}}}"),
        "{text} as {sql}"
    );
}

/// The row is refused, and the error names the column and says `reason`.
fn refused(sql: &str, text: &str, reason: &str) {
    let error = value(sql, text);
    assert!(
        error.contains("bad row at offset 7: column 'v': "),
        "{text} as {sql}: {error}"
    );
    assert!(error.contains(reason), "{text} as {sql}: {error}");
}

#[test]
fn integers() {
    check("BIGINT", "0", "0");
    check("BIGINT", "-7", "-7");
    check("BIGINT", "12345678", "12345678");
    check("BIGINT", "123456789012345", "123456789012345");
    check("BIGINT", "9223372036854775807", "9223372036854775807");
    check("BIGINT", "-9223372036854775808", "-9223372036854775808");
    check("BIGINT", "\" 42 \"", "42");
    check("BIGINT", "1e3", "1000");
    check("INT", "2147483647", "2147483647");
    check("TINYINT", "-128", "-128");
    check("SMALLINT", "\"7\"", "7");
    check("BIGINT", "null", "null");
    refused(
        "BIGINT",
        "9223372036854775808",
        "the value 9223372036854775808 does not fit into BIGINT",
    );
    refused("INT", "2147483648", "does not fit into INT");
    refused("TINYINT", "128", "does not fit into TINYINT");
    refused("BIGINT", "1.5", "has a fraction");
    refused("BIGINT", "\"abc\"", "the value abc is not a BIGINT");
    refused("BIGINT", "\"\"", "is not a BIGINT");
    refused(
        "BIGINT",
        "true",
        "expected a BIGINT, but found a truth value",
    );
    refused("INT", "{}", "expected a INT, but found an object");
}

#[test]
fn other_numbers() {
    check("DOUBLE", "1.5e3", "1500.0");
    check("DOUBLE", "\"NaN\"", "\"NaN\"");
    check("FLOAT", "0.1", "0.1");
    check("DECIMAL", "1.005", "1.01");
    check("DECIMAL", "\"-12.3\"", "-12.30");
    refused("DOUBLE", "1e400", "does not fit into DOUBLE");
    refused("DECIMAL", "123456789.0", "does not fit into DECIMAL(10, 2)");
    refused("DECIMAL", "[]", "but found an array");
}

#[test]
fn truth_values() {
    check("BOOLEAN", "true", "true");
    check("BOOLEAN", "\"False\"", "false");
    refused("BOOLEAN", "1", "expected a BOOLEAN, but found a number");
    refused("BOOLEAN", "\"yes\"", "the value yes is not a BOOLEAN");
}

#[test]
fn strings_take_anything() {
    check("STRING", "\"plain\"", "\"plain\"");
    check("STRING", "\"\"", "\"\"");
    check("STRING", "12.50", "\"12.50\"");
    check("STRING", "true", "\"true\"");
    check("STRING", "{\"a\": [1, 2]}", "\"{\\\"a\\\": [1, 2]}\"");
    check("STRING", "null", "null");
}

#[test]
fn escapes() {
    check(
        "STRING",
        r#""a\"b\\c\/d\b\f\n\r\t""#,
        r#""a\"b\\c/d\u0008\u000c\n\r\t""#,
    );
    check("STRING", r#""\u00e9\u20AC""#, "\"é€\"");
    check("STRING", r#""x\ud83d\ude00y""#, "\"x😀y\"");
    check(
        "STRING",
        "\"a rather long string before the escape \\n and behind it as well\"",
        "\"a rather long string before the escape \\n and behind it as well\"",
    );
    refused("STRING", r#""\ud83d""#, "half a surrogate pair");
    refused("STRING", r#""\ud83d\u0041""#, "half a surrogate pair");
    refused("STRING", r#""\ude00""#, "half a surrogate pair");
    refused("STRING", r#""\q""#, "does not begin an escape");
    refused("STRING", r#""\u12g4""#, "four hexadecimal digits");
    refused("STRING", "\"a\nb\"", "expected the end of a string");
}

#[test]
fn times() {
    check(
        "TIMESTAMP",
        "\"2023-11-14 22:13:20.123\"",
        "\"2023-11-14 22:13:20.123\"",
    );
    check(
        "TIMESTAMP",
        "\"2023-11-14T22:13:20\"",
        "\"2023-11-14 22:13:20.000\"",
    );
    check(
        "TIMESTAMP9",
        "\"2023-11-14 22:13:20.123456789\"",
        "\"2023-11-14 22:13:20.123456789\"",
    );
    check(
        "TIMESTAMP",
        "\"2023-11-14 22:13:20.123456789\"",
        "\"2023-11-14 22:13:20.123\"",
    );
    check(
        "LTZ",
        "\"2023-11-15T00:13:20+02:00\"",
        "\"2023-11-14 22:13:20.000Z\"",
    );
    check("DATE", "\"2024-02-29\"", "\"2024-02-29\"");
    check("TIME", "\"22:13:20\"", "\"22:13:20\"");
    check("TIME6", "\"22:13:20.000001\"", "\"22:13:20.000001\"");
    refused("TIMESTAMP", "\"2023-11-14\"", "is not a timestamp");
    refused("TIMESTAMP", "1700000000000", "but found a number");
    refused(
        "TIMESTAMP",
        "\"2023-11-14 22:13:20Z\"",
        "declare the column as TIMESTAMP_LTZ",
    );
    refused("LTZ", "\"2023-11-14 22:13:20\"", "has no zone");
    refused("TIMESTAMP9", "\"9999-01-01 00:00:00\"", "out of the range");
    refused("DATE", "\"2023-02-29\"", "is not a date");
    refused("TIME", "\"24:00:00\"", "is not a time");
}

#[test]
fn bytes_are_base64() {
    check("BYTES", "\"AAH/\"", "\"AAH/\"");
    refused("BYTES", "\"*\"", "is not base64");
}

#[test]
fn nested_values() {
    let fields = || {
        vec![
            list("l", "BIGINT"),
            map("m", "STRING"),
            row(
                "r",
                vec![column("a", "INT"), row("s", vec![column("b", "STRING")])],
            ),
        ]
    };
    let same = |text: &str| assert_eq!(message(fields(), &[], text), text);
    same(r#"{"l":[1,null,3],"m":{"x":"1","y":null},"r":{"a":1,"s":{"b":"c"}}}"#);
    same(r#"{"l":[],"m":{},"r":{"a":null,"s":null}}"#);
    same(r#"{"l":null,"m":null,"r":null}"#);
    assert_eq!(
        message(
            fields(),
            &[],
            r#" { "r" : { "s" : { "z" : [ { } , [ ] ] } } , "m" : { "k" : 1 , "k" : 2 , "j" : 3 } } "#
        ),
        r#"{"l":null,"m":{"k":"2","j":"3"},"r":{"a":null,"s":{"b":null}}}"#
    );
    let error = message(fields(), &[], r#"{"r": {"s": {"b": "x"}, "a": "y"}}"#);
    assert!(
        error.contains("column 'r.a': the value y is not a INT (byte 30 of the row)"),
        "{error}"
    );
    let error = message(fields(), &[], r#"{"l": [1, "x"]}"#);
    assert!(
        error.contains("column 'l': the value x is not a BIGINT"),
        "{error}"
    );
}

#[test]
fn keys_are_matched_exactly_and_the_last_of_several_counts() {
    let fields = || vec![column("a", "BIGINT"), row("r", vec![column("b", "BIGINT")])];
    let check = |text: &str, expected: &str| assert_eq!(message(fields(), &[], text), expected);
    check(r#"{"A": 1, "unknown": {"a": 2}}"#, r#"{"a":null,"r":null}"#);
    check(r#"{"a": 1, "a": 2}"#, r#"{"a":2,"r":null}"#);
    check(
        r#"{"r": {"b": 1}, "a": 1, "r": {"c": 0}}"#,
        r#"{"a":1,"r":{"b":null}}"#,
    );
    check(r#"{"r": {"b": 1}, "r": null}"#, r#"{"a":null,"r":null}"#);
    check(r#"{"\u0061": 5}"#, r#"{"a":5,"r":null}"#);
}

#[test]
fn not_null_columns_refuse_null() {
    let fields = || {
        vec![
            column("a", "BIGINT").with_nullable(false),
            column("b", "BIGINT"),
        ]
    };
    let error = message(fields(), &[], r#"{"b": 1}"#);
    assert!(
        error.contains("column 'a': the field is missing, and the column is NOT NULL"),
        "{error}"
    );
    let error = message(
        fields(),
        &[("ignore-parse-errors", "true")],
        r#"{"a": null}"#,
    );
    assert_eq!(error, "");
    let error = message(fields(), &[], r#"{"a": null}"#);
    assert!(
        error.contains("null in a column that is NOT NULL"),
        "{error}"
    );
}

#[test]
fn missing_fields_can_be_errors() {
    let error = message(
        vec![column("a", "INT")],
        &[("fail-on-missing-field", "true")],
        "{}",
    );
    assert!(
        error.contains("column 'a': the field is missing"),
        "{error}"
    );
}

#[test]
fn parse_errors_can_be_ignored() {
    let fields = || {
        vec![
            column("a", "INT"),
            row("r", vec![column("b", "TIMESTAMP"), column("c", "INT")]),
            list("l", "INT"),
        ]
    };
    let ignoring = |text: &str| message(fields(), &[("ignore-parse-errors", "true")], text);
    assert_eq!(
        ignoring(r#"{"a": "x", "r": {"b": 5, "c": 6}, "l": [1, {}]}"#),
        r#"{"a":null,"r":{"b":null,"c":6},"l":null}"#
    );
    assert_eq!(
        ignoring(r#"{"a": 1, "r": 5}"#),
        r#"{"a":1,"r":null,"l":null}"#
    );
    assert_eq!(ignoring(r#"{"a": 1, "#), "");
    let mut decoder = decoder(fields(), &[("ignore-parse-errors", "true")]);
    for text in ["nonsense", "{}", "{\"a\": 1", "[{}, 5]", "\"x\"", ""] {
        decoder.decode_message(text.as_bytes(), 0).unwrap();
    }
    assert_eq!((decoder.rows(), decoder.rows_ignored()), (1, 5));
}

#[test]
fn contradicting_options_are_refused() {
    let both = [
        ("json.fail-on-missing-field", "true"),
        ("json.ignore-parse-errors", "true"),
    ];
    let mut options = Options::new(both.map(|(n, v)| (n.to_string(), v.to_string())));
    assert!(Json::from_options("", &mut options).is_err());
    let schema = schema(vec![column("a", "INT")]);
    let ignoring = format(&[("ignore-parse-errors", "true")]);
    assert!(
        ignoring
            .decoder(&schema, schema.clone(), OnBadRow::Divert)
            .is_err()
    );
}

#[test]
fn malformed_rows_are_refused_wherever_the_damage_is() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "{]",
        "[",
        "nul",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":1}}",
        "{\"a\":1} x",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"z\":01}",
        "{\"z\":tru}",
        "{\"z\":[1,]}",
        "{\"z\":[1 2]}",
        "{\"z\":{\"a\":[}]}",
        "{\"z\":\"\\x\"}",
        "{\"z\":{\"a\":1,}}",
        "{\"z\":{1:2}}",
        "{\"z\":\"\x01\"}",
        "{\"z\":\"",
        "{\"z\":\"abc\\",
        "{\"z\":nulll}",
        "[{\"a\":1},]",
        "[{\"a\":1}",
        "[1]",
        "5",
        "{\"a\":1 \"b\":2}",
        "{\"z\":'x'}",
    ] {
        let shown = message(vec![column("a", "BIGINT")], &[], text);
        assert!(
            shown.starts_with("bad row at offset 7: "),
            "{text}: {shown}"
        );
    }
}

#[test]
fn deep_nesting_is_refused_without_harm() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nest =
            |depth: usize| format!("{{\"z\":{}1{}}}", open.repeat(depth), close.repeat(depth));
        assert_eq!(message(vec![], &[], &nest(500)), "{}");
        assert!(message(vec![], &[], &nest(100_000)).contains("nested more than 512 deep"));
    }
}
