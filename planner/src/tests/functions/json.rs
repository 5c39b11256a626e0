use super::*;

const DOC: &str = r#"'{"a": {"b": [1, {"c": "x"}, null, true]}, "n": 1.5, "big": 12345678901234567890, "k e": 2}'"#;

#[test]
fn json_value() {
    let value =
        |rest: &str, value: &str| check(&format!("JSON_VALUE({DOC}, {rest})"), value, "STRING");
    value("'$.a.b[0]'", "1");
    value("'$.a.b[1].c'", "x");
    value("'lax $.a.b[2]'", "NULL");
    value("'$.a.b[3]'", "true");
    value("'$.n'", "1.5");
    value("'$.big'", "12345678901234567890");
    value("'$[''k e'']'", "2");
    value("'$.\"k e\"'", "2");
    value("'$.missing'", "NULL");
    value("'$.missing' DEFAULT 'd' ON EMPTY", "d");
    value("'strict $.missing' DEFAULT 'e' ON ERROR", "e");
    value("'$.a'", "NULL");
    value("'$.a' DEFAULT 'e' ON ERROR", "e");
    value("'$.a.b[*]'", "NULL");
    check(
        &format!("JSON_VALUE({DOC}, '$.a.b[0]' RETURNING INT)"),
        "1",
        "INT",
    );
    check(
        &format!("JSON_VALUE({DOC}, '$.x' RETURNING INT DEFAULT 7 ON EMPTY)"),
        "7",
        "INT",
    );
    check("JSON_VALUE('not json', '$.a')", "NULL", "STRING");
    check("JSON_VALUE(NULL, '$.a')", "NULL", "STRING");
    refuse(
        "JSON_VALUE('not json', '$.a' ERROR ON ERROR)",
        &["the text is not JSON"],
    );
    refuse(
        &format!("JSON_VALUE({DOC}, '$.x' ERROR ON EMPTY)"),
        &["finds nothing"],
    );
    refuse("JSON_VALUE('{}', 'a.b')", &["'a.b' is not a JSON path"]);
    check_rows(
        "JSON_VALUE('{\"v\": ' || CAST(n AS STRING) || '}', '$.v')",
        ["0", "1", "2", "-1", "NULL"],
    );
}

#[test]
fn json_query() {
    let query =
        |rest: &str, value: &str| check(&format!("JSON_QUERY({DOC}, {rest})"), value, "STRING");
    query("'$.a.b'", r#"[1,{"c":"x"},null,true]"#);
    query("'$.a.b[1]'", r#"{"c":"x"}"#);
    query("'$.n'", "NULL");
    query("'$.n' WITH WRAPPER", "[1.5]");
    query("'$.n' WITH CONDITIONAL ARRAY WRAPPER", "[1.5]");
    query(
        "'$.a.b' WITH CONDITIONAL WRAPPER",
        r#"[1,{"c":"x"},null,true]"#,
    );
    query("'$.x' EMPTY ARRAY ON EMPTY", "[]");
    query("'$.n' EMPTY OBJECT ON ERROR", "{}");
}

#[test]
fn json_tests() {
    check(&format!("JSON_EXISTS({DOC}, '$.a.b')"), "true", "BOOLEAN");
    check(&format!("JSON_EXISTS({DOC}, '$.x')"), "false", "BOOLEAN");
    check(
        &format!("JSON_EXISTS({DOC}, 'strict $.x' TRUE ON ERROR)"),
        "true",
        "BOOLEAN",
    );
    check("'[1]' IS JSON", "true", "BOOLEAN");
    check("'[1]' IS JSON OBJECT", "false", "BOOLEAN");
    check("'1' IS JSON SCALAR", "true", "BOOLEAN");
    check("'[1' IS NOT JSON", "true", "BOOLEAN");
    check("CAST(NULL AS STRING) IS JSON", "NULL", "BOOLEAN");
}
