use super::*;

#[test]
fn split_index() {
    check("SPLIT_INDEX('a/b//c', '/', 1)", "b", "STRING");
    check("SPLIT_INDEX('a/b//c', '/', 2)", "", "STRING");
    check("SPLIT_INDEX('a/b', '/', 2)", "NULL", "STRING");
    check("SPLIT_INDEX('a/b', '/', -1)", "NULL", "STRING");
    check("SPLIT_INDEX('', '/', 0)", "NULL", "STRING");
    check("SPLIT_INDEX('a::b::c', '::', 2)", "c", "STRING");
    check("SPLIT_INDEX('a b', '', 1)", "b", "STRING");
    check("SPLIT_INDEX(NULL, '/', 0)", "NULL", "STRING");
    check_rows(
        "SPLIT_INDEX(s, '/', 1)",
        ["b", "NULL", "NULL", "cödé", "NULL"],
    );
    check_rows(
        "SPLIT_INDEX(s, '/', n)",
        ["a", "NULL", "NULL", "NULL", "NULL"],
    );
}

#[test]
fn counting_and_finding() {
    check("COUNT_CHAR('banana', 'a')", "3", "BIGINT");
    check("COUNT_CHAR('übü', 'ü')", "2", "BIGINT");
    check("COUNT_CHAR('a', '')", "0", "BIGINT");
    check_rows("COUNT_CHAR(s, '/')", ["2", "0", "0", "1", "NULL"]);
    check("LOCATE('an', 'banana')", "2", "INT");
    check("LOCATE('an', 'banana', 3)", "4", "INT");
    check("LOCATE('é', 'xéxé', 3)", "4", "INT");
    check("LOCATE('q', 'banana')", "0", "INT");
    check("LOCATE('a', 'banana', 0)", "0", "INT");
    check("INSTR('banana', 'nan')", "3", "INT");
    check("POSITION('n' IN 'banana')", "3", "INT");
    check("CHAR_LENGTH('übü')", "3", "INT");
}

#[test]
fn tests_of_characters() {
    for (text, digit, alpha, decimal) in [
        ("'123'", "true", "false", "true"),
        ("'12a'", "false", "false", "false"),
        ("'abc'", "false", "true", "false"),
        ("'-1.5'", "false", "false", "true"),
        ("'.'", "false", "false", "false"),
        ("''", "false", "false", "false"),
        ("CAST(NULL AS STRING)", "false", "false", "false"),
    ] {
        check(&format!("IS_DIGIT({text})"), digit, "BOOLEAN");
        check(&format!("IS_ALPHA({text})"), alpha, "BOOLEAN");
        check(&format!("IS_DECIMAL({text})"), decimal, "BOOLEAN");
    }
}

#[test]
fn joining_and_cutting() {
    check("CONCAT('a', 1, 'b')", "a1b", "STRING");
    check("CONCAT('a', NULL)", "NULL", "STRING");
    check("CONCAT_WS('-', 'a', NULL, 'b')", "a-b", "STRING");
    check("'a' || 'b'", "ab", "STRING");
    check_rows(
        "CONCAT(s, '!')",
        ["a/b/c!", "x=1&yy=22!", "!", "ünï/cödé!", "NULL"],
    );
    check("SUBSTRING('hello' FROM 2 FOR 3)", "ell", "STRING");
    check("SUBSTRING('hello', 2)", "ello", "STRING");
    check("LPAD('7', 3, '0')", "007", "STRING");
    check("INITCAP('hello world')", "Hello World", "STRING");
    check("UPPER('a') || LOWER('B')", "Ab", "STRING");
    check("TRIM(LEADING 'x' FROM 'xxa')", "a", "STRING");
    check("REPLACE('abc', 'b', 'x')", "axc", "STRING");
    check(
        "OVERLAY('abcd' PLACING 'xx' FROM 2 FOR 1)",
        "axxcd",
        "STRING",
    );
    check("REVERSE('abc')", "cba", "STRING");
    check("TO_BASE64('hello')", "aGVsbG8=", "STRING");
    check("FROM_BASE64('aGVsbG8=')", "hello", "STRING");
    check("MD5('abc')", "900150983cd24fb0d6963f7d28e17f72", "STRING");
    check(
        "SHA256('abc')",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "STRING",
    );
}

#[test]
fn regular_expressions() {
    check("REGEXP('foobar', 'o+b')", "true", "BOOLEAN");
    check(
        "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)",
        "bar",
        "STRING",
    );
    check(
        "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)')",
        "foothebar",
        "STRING",
    );
    check("REGEXP_EXTRACT('x', 'foo(.*?)', 1)", "NULL", "STRING");
    check("REGEXP_EXTRACT('x', 'x', 5)", "NULL", "STRING");
    check(
        "REGEXP_EXTRACT('a=1&channel_id=7', '(&|^)channel_id=([^&]*)', 2)",
        "7",
        "STRING",
    );
    check_rows(
        "REGEXP_EXTRACT(s, '(&|^)yy=([^&]*)', 2)",
        ["NULL", "22", "NULL", "NULL", "NULL"],
    );
    check_rows(
        "REGEXP_EXTRACT('a-b', s)",
        ["NULL", "NULL", "", "NULL", "NULL"],
    );
    check("REGEXP_REPLACE('foobarfoo', 'foo', 'x')", "xbarx", "STRING");
    check("REGEXP_REPLACE('ab', '(a)(b)', '$2$1x')", "bax", "STRING");
    refuse(
        "REGEXP('a', '(')",
        &["LV-1019", "'(' is not a regular expression"],
    );
}

#[test]
fn urls() {
    check("URL_ENCODE('a b&c/é')", "a+b%26c%2F%C3%A9", "STRING");
    check("URL_DECODE('a+b%26c%2F%C3%A9')", "a b&c/é", "STRING");
    check("URL_DECODE('%zz')", "NULL", "STRING");
    let url = "'http://user:pw@example.com:8080/p/q?k1=v1&k2=v2#Ref1'";
    for (part, value) in [
        ("HOST", "example.com"),
        ("PATH", "/p/q"),
        ("QUERY", "k1=v1&k2=v2"),
        ("REF", "Ref1"),
        ("PROTOCOL", "http"),
        ("FILE", "/p/q?k1=v1&k2=v2"),
        ("AUTHORITY", "user:pw@example.com:8080"),
        ("USERINFO", "user:pw"),
    ] {
        check(&format!("PARSE_URL({url}, '{part}')"), value, "STRING");
    }
    check(&format!("PARSE_URL({url}, 'QUERY', 'k2')"), "v2", "STRING");
    check(&format!("PARSE_URL({url}, 'QUERY', 'k')"), "NULL", "STRING");
    check("PARSE_URL('no url', 'HOST')", "NULL", "STRING");
    refuse(&format!("PARSE_URL({url}, 'PORT')"), &["no part 'PORT'"]);
}

#[test]
fn similar_to_is_about_the_whole_text() {
    let check = |expression: &str, value: &str| check(expression, value, "BOOLEAN");
    check("'abc' SIMILAR TO 'b'", "false");
    check("'abc' SIMILAR TO 'a%'", "true");
    check("'abc' SIMILAR TO 'a_c|x'", "true");
    check("'abc' SIMILAR TO 'a.c'", "false");
    check("'abc' NOT SIMILAR TO '(a|b)+c'", "false");
    check("'50%' SIMILAR TO '[0-9]+!%' ESCAPE '!'", "true");
    check("'a\nb' SIMILAR TO 'a_b'", "true");
    refuse("s SIMILAR TO s", &["LV-1011", "SIMILAR TO"]);
    refuse("'a' SIMILAR TO '[a'", &["LV-1001", "line 1, column 23"]);
}
