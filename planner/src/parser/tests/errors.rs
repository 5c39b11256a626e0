use super::*;

/// The error of `sql`, in which `¦` marks where it must point.
#[track_caller]
fn refuse(marked: &str, kind: PlanErrorKind, words: &[&str]) {
    let at = marked.find('¦').expect("a mark");
    let before = &marked[..at];
    let expected = Location {
        line: u32::try_from(before.matches('\n').count() + 1).unwrap(),
        column: u32::try_from(before.rsplit('\n').next().unwrap().chars().count() + 1).unwrap(),
    };
    let sql = marked.replace('¦', "");
    let error = match parse(&sql) {
        Ok(parsed) => panic!("{sql} is accepted: {parsed:?}"),
        Err(error) => error,
    };
    let rendered = error.render(&sql);
    assert_eq!(error.kind(), kind, "{rendered}");
    assert_eq!(error.location(), Some(expected), "{rendered}");
    for word in words {
        assert!(rendered.contains(word), "no {word:?} in:\n{rendered}");
    }
}

use PlanErrorKind::{
    DuplicateName, InvalidStatement, InvalidType, InvalidWindow, Syntax, UnknownColumn,
    UnknownName, Unsupported,
};

#[test]
fn statements_that_are_none() {
    refuse(
        "¦SELCT 1",
        Syntax,
        &["SELCT does not begin a statement", "did you mean SELECT?"],
    );
    refuse("SELECT 1;\n  ¦42", Syntax, &["42"]);
    refuse("¦UPDATE t SET a = 1", Unsupported, &["UPDATE"]);
    refuse("ALTER FUNCTION f ¦AS 'x'", Unsupported, &["RETURN x * 2"]);
    refuse(
        "ALTER TABLE t ¦RENAM TO u",
        Syntax,
        &["did you mean RENAME?"],
    );
    refuse(
        "CREATE FUNCTION f ¦AS 'x'",
        Unsupported,
        &["a function of a class"],
    );
    refuse(
        "CREATE ¦SYSTEM FUNCTION f() RETURNS INT RETURN 1",
        Syntax,
        &["TEMPORARY SYSTEM FUNCTION"],
    );
    refuse(
        "CREATE FUNCTION f() RETURNS INT LANGUAGE ¦PYTHON RETURN 1",
        Unsupported,
        &["the language PYTHON"],
    );
    refuse(
        "CREATE FUNCTION f() RETURNS INT RETURN ¦SELECT 1",
        Unsupported,
        &["a function of rows"],
    );
    refuse(
        "CREATE FUNCTION f(a INT, ¦A INT) RETURNS INT RETURN 1",
        DuplicateName,
        &["two parameters"],
    );
    refuse("DROP TABLE t ¦CASCADE", Unsupported, &["CASCADE"]);
    refuse("CREATE ¦OR REPLACE DATABASE d", Syntax, &["IF NOT EXISTS"]);
    refuse(
        "CREATE ¦TABEL t (a INT)",
        Syntax,
        &["expected TABLE, VIEW", "did you mean TABLE?"],
    );
    refuse(
        "SHOW ¦TABELS",
        Syntax,
        ["did you mean TABLES,?"]
            .map(|s| s.trim_end_matches(",?"))
            .as_slice(),
    );
}

#[test]
fn queries_with_slips() {
    refuse(
        "SELECT a ¦FRM t",
        Syntax,
        &["did you mean FROM instead of FRM?"],
    );
    refuse(
        "SELECT a,\n¦FROM t",
        Syntax,
        &["expected an expression, found FROM"],
    );
    refuse("SELECT a FROM t WHERE¦", Syntax, &["the end of the text"]);
    refuse("SELECT (a ¦FROM t", Syntax, &[]);
    refuse(
        "SELECT * FROM (SELECT a,\n ¦FROM t) x",
        Syntax,
        &["an expression"],
    );
    refuse(
        "SELECT * FROM (SELECT a FROM t ¦WHRE b) x",
        Syntax,
        &["WHERE"],
    );
    refuse("SELECT ¦'abc", Syntax, &[]);
    refuse("SELECT CASE WHEN a THEN 1 ¦FROM t", Syntax, &["END"]);
    refuse(
        "SELECT CAST(a AS ¦INTT) FROM t",
        InvalidType,
        &["did you mean INT?"],
    );
    refuse(
        "SELECT a FROM t ¦GROUP a",
        Syntax,
        &["did you mean GROUP BY?"],
    );
    refuse(
        "SELECT a FROM t WHERE a LIKE 'x!' ESCAPE ¦'!'",
        Syntax,
        &["escapes nothing"],
    );
    refuse("SELECT 1 ¦SELECT 2", Syntax, &["the end of the statement"]);
    refuse(
        "SELECT INTERVAL ¦'x' SECOND",
        Syntax,
        &["'x' is not an interval of SECOND"],
    );
    refuse(
        "SELECT TIMESTAMPDIFF(¦DAYZ, a, b) FROM t",
        Syntax,
        &["DAYZ is not a unit"],
    );
}

#[test]
fn deep_nesting_is_refused_and_not_a_crash() {
    let sql = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    let error = parse(&sql).unwrap_err();
    assert!(error.message().contains("nested too deeply"), "{error}");
}

#[test]
fn tables_that_cannot_be() {
    refuse(
        "CREATE TABLE t (a INT, ¦a STRING)",
        DuplicateName,
        &["a is declared twice"],
    );
    refuse(
        "CREATE TABLE t (a ¦INTT)",
        InvalidType,
        &["did you mean INT?"],
    );
    refuse(
        "CREATE TABLE t (price INT, WATERMARK FOR ¦pric AS price)",
        UnknownColumn,
        &["did you mean price?"],
    );
    refuse(
        "CREATE TABLE t (a INT, PRIMARY KEY (¦b) NOT ENFORCED)",
        UnknownColumn,
        &[],
    );
    refuse(
        "CREATE TABLE t (a INT, PRIMARY KEY (a)¦)",
        Syntax,
        &["NOT ENFORCED"],
    );
    refuse(
        "CREATE TABLE t (a INT) PARTITIONED BY (¦c)",
        UnknownColumn,
        &[],
    );
    refuse(
        "CREATE TABLE t (a INT) WITH ('x' = '1', ¦'x' = '2')",
        DuplicateName,
        &["'x' is given twice"],
    );
    refuse(
        "CREATE TABLE t (a INT) WITH (¦x = '1')",
        Syntax,
        &["single quotes"],
    );
    refuse(
        "CREATE TABLE t (a INT) WITH ('x' = ¦1)",
        Syntax,
        &["single quotes"],
    );
    refuse(
        "CREATE TABLE t (a INT) LIKE u (¦INCLUDIN ALL)",
        Syntax,
        &["did you mean INCLUDING?"],
    );
    refuse(
        "CREATE TABLE t LIKE u (¦OVERWRITING ALL)",
        InvalidStatement,
        &["INCLUDING or EXCLUDING"],
    );
    refuse("CREATE TABLE t (¦a, b)", Syntax, &["column a has no type"]);
    refuse(
        "CREATE TABLE t (¦a, b INT)",
        Syntax,
        &["column a has no type", "a STRING"],
    );
    refuse(
        "CREATE TABLE t WITH ('a' = 'b') AS ¦TABLE u",
        Syntax,
        &["expected SELECT, WITH or VALUES"],
    );
    refuse(
        "CREATE TABLE t (a INT ¦DEFAULT 1)",
        Unsupported,
        &["DEFAULT"],
    );
    refuse(
        "CREATE TABLE t (a INT¦ b INT)"
            .replace("¦ b", " ¦b")
            .as_str(),
        Syntax,
        &[", or )"],
    );
    refuse(
        "CREATE TABLE t (a INT, WATERMARK FOR a AS a, ¦WATERMARK FOR a AS a)",
        DuplicateName,
        &["WATERMARK"],
    );
    refuse(
        "CREATE OR REPLACE TABLE ¦IF NOT EXISTS t (a INT)",
        InvalidStatement,
        &["exclude"],
    );
    refuse(
        "CREATE TABLE t (a DECIMAL(¦50, 2))"
            .replace("DECIMAL(¦", "¦DECIMAL(")
            .as_str(),
        InvalidType,
        &["38"],
    );
}

#[test]
fn windows_that_cannot_be() {
    refuse(
        "SELECT * FROM TABLE(¦TUMBLE(TABLE t, DESCRIPTOR(ts)))",
        InvalidWindow,
        &["TUMBLE(TABLE t, DESCRIPTOR(ts), size"],
    );
    refuse(
        "SELECT * FROM TABLE(TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), ¦SIZ => INTERVAL '1' DAY))",
        InvalidWindow,
        &["no argument SIZ"],
    );
    refuse(
        "SELECT * FROM TABLE(HOP(¦TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1' DAY, INTERVAL '2' DAY))",
        InvalidWindow,
        &["PARTITION BY has no meaning in HOP"],
    );
    refuse(
        "SELECT ¦TUMBLE(ts, INTERVAL '1' DAY) FROM t",
        InvalidWindow,
        &["FROM TABLE("],
    );
    refuse(
        "SELECT ¦TUMBLE_START(ts, INTERVAL '2' DAY) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' DAY)",
        InvalidWindow,
        &["needs the same TUMBLE in GROUP BY"],
    );
    refuse(
        "SELECT a FROM t GROUP BY ¦HOP(ts, INTERVAL '1' DAY)",
        InvalidWindow,
        &["HOP(ts, slide, size)"],
    );
    refuse(
        "SELECT ¦DESCRIPTOR(a) FROM t",
        Syntax,
        &["argument of a table function"],
    );
}

#[test]
fn windows_of_rows_say_what_they_need() {
    for (sql, what) in [
        (
            "SELECT * FROM TABLE(¦COUNT_TUMBLE(TABLE t))",
            "the arguments of COUNT_TUMBLE do not fit",
        ),
        (
            "SELECT * FROM TABLE(¦COUNT_TUMBLE(TABLE t, SIZE => 0))",
            "a number of rows, from 1 to",
        ),
        (
            "SELECT * FROM TABLE(¦COUNT_TUMBLE(TABLE t, SIZE => INTERVAL '1' DAY))",
            "a number of rows, from 1 to",
        ),
        (
            "SELECT * FROM TABLE(¦COUNT_HOP(TABLE t, 3, 1))",
            "the arguments of COUNT_HOP do not fit",
        ),
        (
            "SELECT * FROM TABLE(COUNT_TUMBLE(TABLE t, ¦SLIDE => 1))",
            "COUNT_TUMBLE has no argument SLIDE",
        ),
        (
            "SELECT * FROM TABLE(COUNT_TUMBLE(¦TABLE t PARTITION BY a + 1, SIZE => 1))",
            "PARTITION BY of COUNT_TUMBLE takes names of columns",
        ),
    ] {
        refuse(sql, InvalidWindow, &[what]);
    }
    refuse(
        "SELECT * FROM TABLE(TUMBLE(¦TABLE t ORDER BY ts, DESCRIPTOR(ts), INTERVAL '1' DAY))",
        InvalidWindow,
        &["ORDER BY has no meaning in TUMBLE"],
    );
}

#[test]
fn what_would_be_ignored_is_refused() {
    refuse(
        "SELECT a + ¦CURRENT_WATERMARK FROM t",
        Unsupported,
        &["CURRENT_WATERMARK"],
    );
    refuse(
        "SELECT ¦CURRENT_WATERMARK(ts) FROM t",
        Unsupported,
        &["CURRENT_WATERMARK"],
    );
    refuse(
        "SELECT JSON_OBJECTAGG(a¦) FROM t",
        Syntax,
        &["expected VALUE"],
    );
    refuse(
        "SELECT * FROM a RIGHT JOIN ¦b FOR SYSTEM_TIME AS OF a.ts ON a.x = b.x",
        Unsupported,
        &["FOR SYSTEM_TIME", "LEFT JOIN"],
    );
    refuse(
        "SELECT * FROM ¦b FOR SYSTEM_TIME AS OF a.ts",
        Unsupported,
        &["FOR SYSTEM_TIME", "not the right one of a JOIN"],
    );
    refuse(
        "SELECT * FROM a, ¦b FOR SYSTEM_TIME AS OF a.ts WHERE a.x = b.x",
        Unsupported,
        &["FOR SYSTEM_TIME", "JOIN"],
    );
    refuse(
        "SELECT * FROM a JOIN (c LEFT JOIN ¦b FOR SYSTEM_TIME AS OF c.ts USING (x)) ON TRUE",
        InvalidStatement,
        &["needs a condition with ON"],
    );
    refuse(
        "SELECT * FROM a ASOF JOIN ¦b MATCH_CONDITION (a.x >= b.x) USING (y)",
        Unsupported,
        &["ASOF JOIN with USING"],
    );
    refuse("SELECT * FROM ¦f(1)", Unsupported, &["table function f"]);
    refuse(
        "SELECT * FROM a /*+ ¦OPTION('x' = 'y') */",
        UnknownName,
        &["did you mean OPTIONS?"],
    );
    refuse(
        "SELECT 1 + /*+ ¦OPTIONS('x' = 'y') */ 2",
        Syntax,
        &["must follow the name of a table"],
    );
    refuse(
        "EXECUTE STATEMENT SET BEGIN ¦SELECT 1; END",
        Syntax,
        &["INSERT or END"],
    );
    refuse(
        "¦EXECUTE STATEMENT SET BEGIN END",
        InvalidStatement,
        &["empty"],
    );
}

#[test]
fn chains_are_bounded() {
    let chain = |operator: &str, length: usize| vec!["1"; length].join(operator);
    for operator in [" + ", " || ", " = "] {
        assert!(parse(&format!("SELECT {}", chain(operator, 150))).is_ok());
        for length in [300, 2_000, 100_000] {
            let sql = format!("SELECT {}", chain(operator, length));
            let error = parse(&sql).unwrap_err();
            assert_eq!(error.code(), "LV-1001", "{operator} {length}");
            assert!(error.message().contains("nested too deeply"), "{error}");
            assert!(error.location().is_some(), "{error}");
        }
    }
    for operator in [" AND ", " OR "] {
        assert!(parse(&format!("SELECT {}", chain(operator, 500))).is_ok());
        assert!(parse(&format!("SELECT {}", chain(operator, 2_000))).is_err());
    }
    let union = |length: usize| vec!["SELECT 1, 2"; length].join(" UNION ALL ");
    assert!(parse(&union(900)).is_ok());
    assert!(parse(&union(5_000)).is_err());
    let rows = vec!["(1 + 2, -3)"; 20_000].join(", ");
    assert!(parse(&format!("VALUES {rows}")).is_ok());
}

#[test]
fn a_byte_order_mark_is_no_word() {
    assert!(parse("\u{feff}SELECT 1;").is_ok());
    assert!(is_complete("\u{feff}SELECT 1;"));
}
