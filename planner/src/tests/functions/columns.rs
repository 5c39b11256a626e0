//! Functions over columns, whose rows differ, with a NULL among them.

use super::*;

#[test]
fn columns_keep_their_names_and_values() {
    check_rows("n + 1", ["1", "2", "3", "0", "NULL"]);
    check_rows("n * n - 1", ["-1", "0", "3", "0", "NULL"]);
    let (values, _) = block(run(
        "SELECT x FROM (SELECT SUM(n + 1) AS x FROM t WHERE n - 1 < 1)",
        None,
    ))
    .unwrap();
    assert_eq!(values, ["3"]);
    let (values, _) = block(run(
        "SELECT n + 1 FROM t GROUP BY n + 1 ORDER BY n + 1 DESC LIMIT 2",
        None,
    ))
    .unwrap();
    assert_eq!(values, ["NULL", "3"]);
}

#[test]
fn long_chains_of_operators() {
    let chain = |operator: &str| vec!["n"; 150].join(operator);
    check_rows(&chain(" + "), ["0", "150", "300", "-150", "NULL"]);
    let (values, _) = block(run(
        &format!("SELECT {} AS x FROM t WHERE n < 2", chain(" * ")),
        None,
    ))
    .unwrap();
    assert_eq!(values, ["0", "1", "1"]);
}

#[test]
fn date_format_of_columns() {
    check_rows(
        "DATE_FORMAT(ts, 'yyyy-MM-dd')",
        [
            "2024-02-29",
            "2024-02-29",
            "2024-03-01",
            "1969-12-31",
            "NULL",
        ],
    );
    check_rows(
        "DATE_FORMAT(ts, 'HH:mm:ss.SSS')",
        [
            "23:59:58.123",
            "23:59:58.124",
            "00:00:00.123",
            "23:59:59.999",
            "NULL",
        ],
    );
    check_rows(
        "DATE_FORMAT(ts, CASE WHEN n = 0 THEN 'yyyy' ELSE 'MM' END)",
        ["2024", "02", "03", "12", "NULL"],
    );
}

#[test]
fn values_of_rows() {
    check_rows(
        "SPLIT_INDEX(s, '/', 1)",
        ["b", "NULL", "NULL", "cödé", "NULL"],
    );
    check_rows(
        "SPLIT_INDEX(s, '/', n)",
        ["a", "NULL", "NULL", "NULL", "NULL"],
    );
    check_rows("COUNT_CHAR(s, '/')", ["2", "0", "0", "1", "NULL"]);
    check_rows(
        "CONCAT(s, '!')",
        ["a/b/c!", "x=1&yy=22!", "!", "ünï/cödé!", "NULL"],
    );
    check_rows(
        "REGEXP_EXTRACT(s, '(&|^)yy=([^&]*)', 2)",
        ["NULL", "22", "NULL", "NULL", "NULL"],
    );
    check_rows(
        "REGEXP_EXTRACT('a-b', s)",
        ["NULL", "NULL", "", "NULL", "NULL"],
    );
    check_rows("TO_TIMESTAMP(s)", ["NULL"; 5]);
    check_rows(
        "TO_TIMESTAMP_LTZ(n, 0)",
        [
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:01Z",
            "1970-01-01T00:00:02Z",
            "1969-12-31T23:59:59Z",
            "NULL",
        ],
    );
    check_rows("HOUR(ts)", ["23", "23", "0", "23", "NULL"]);
    check_rows(
        "TIMESTAMPDIFF(SECOND, ts, TIMESTAMP '2024-02-29 23:59:58.123')",
        ["0", "0", "-2", "1709251198", "NULL"],
    );
    check_rows(
        "JSON_VALUE('{\"v\": ' || CAST(n AS STRING) || '}', '$.v')",
        ["0", "1", "2", "-1", "NULL"],
    );
    check_rows("SUBSTRING(s, 2, n)", ["", "=", "", "NULL", "NULL"]);
    check_rows("LPAD(s, n + 2, s)", ["a/", "x=1", "NULL", "ü", "NULL"]);
    check_rows(
        "SPLIT(s, '/')",
        ["[a, b, c]", "[x=1&yy=22]", "[]", "[ünï, cödé]", "NULL"],
    );
    check_rows("SPLIT(s, '/')[n + 2]", ["b", "NULL", "NULL", "ünï", "NULL"]);
    check_rows(
        "STR_TO_MAP(s, '&')['yy']",
        ["NULL", "22", "NULL", "NULL", "NULL"],
    );
    check_rows(
        "ARRAY_CONTAINS(ARRAY[1, NULL], n)",
        ["false", "true", "false", "false", "true"],
    );
    check_rows(
        "ARRAY_SORT(ARRAY[n, 1], n > 0)",
        ["[1, 0]", "[1, 1]", "[1, 2]", "[1, -1]", "NULL"],
    );
    check_rows("GREATEST(n, 1)", ["1", "1", "2", "1", "NULL"]);
    check_rows("LEAST(n, 1)", ["0", "1", "1", "-1", "NULL"]);
    check_rows(
        "ROUND(CAST(n AS DOUBLE) / 8, 2)",
        ["0.0", "0.13", "0.25", "-0.13", "NULL"],
    );
    check_rows("HEX(n)", ["0", "1", "2", "FFFFFFFFFFFFFFFF", "NULL"]);
    check_rows(
        "JSON_OBJECT('n' VALUE n, 's' VALUE s ABSENT ON NULL)",
        [
            r#"{"n":0,"s":"a/b/c"}"#,
            r#"{"n":1,"s":"x=1&yy=22"}"#,
            r#"{"n":2,"s":""}"#,
            r#"{"n":-1,"s":"ünï/cödé"}"#,
            "{}",
        ],
    );
    check_rows(
        "TIMESTAMPADD(DAY, n, CAST(ts AS DATE))",
        [
            "2024-02-29",
            "2024-03-01",
            "2024-03-03",
            "1969-12-30",
            "NULL",
        ],
    );
    check_rows(
        "PRINTF('%s:%03d', s, n)",
        [
            "a/b/c:000",
            "x=1&yy=22:001",
            ":002",
            "ünï/cödé:-01",
            "null:null",
        ],
    );
}

#[test]
fn an_underscore_matches_a_line_break() {
    let (values, _) = block(run("SELECT 'a\nb' SIMILAR TO 'a_b' AS x", None)).unwrap();
    assert_eq!(values, ["true"]);
}
