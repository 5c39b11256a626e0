#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::completion::Words;
use super::scan::{Kind, scan};
use super::*;

fn words() -> Words {
    let mut words = Words::new(vec!["filesystem".into(), "kafka".into(), "print".into()]);
    words.tables = vec![
        ("orders".into(), vec!["order_id".into(), "amount".into()]),
        ("Products".into(), vec!["id".into(), "price".into()]),
    ];
    words
}

/// Completes at the `|`.
#[track_caller]
fn check(line: &str, expected: &[&str]) {
    let cursor = line.find('|').unwrap();
    let line = line.replace('|', "");
    let (start, candidates) = words().complete(&line, cursor);
    assert_eq!(candidates, expected, "{line}");
    let typed = line.get(start..cursor).unwrap().to_lowercase();
    assert!(
        candidates
            .iter()
            .all(|c| c.to_lowercase().starts_with(&typed))
    );
}

#[test]
fn keywords_follow_the_case_of_what_is_typed() {
    check("SEL|", &["SELECT"]);
    check("sel|", &["select"]);
    check("SELECT amount FRO|", &["FROM"]);
    check("|", &[]);
}

#[test]
fn tables_and_columns_come_before_keywords() {
    check("SELECT or|", &["order_id", "orders", "or", "order"]);
    check("SELECT * FROM pro|", &["Products"]);
    check("SELECT am|", &["amount"]);
}

#[test]
fn a_table_offers_its_columns() {
    check("SELECT orders.|", &["order_id", "amount"]);
    check("SELECT products.p|", &["price"]);
    check("SELECT `Products`.i|", &["id"]);
    check("SELECT 1 + nothing.|", &[]);
}

#[test]
fn options_and_their_values_complete_inside_quotes() {
    check("CREATE TABLE t (a INT) WITH ('conn|", &["connector"]);
    check(
        "CREATE TABLE t (a INT) WITH ('connector' = 'f|",
        &["filesystem"],
    );
    check(
        "CREATE TABLE t (a INT) WITH ('connector' = 'print', 'format' = 'p|",
        &["parquet"],
    );
    check("SET 'execution.runtime-mode' = '|", &["streaming", "batch"]);
    check("SET 'pipeline.n|", &["pipeline.name"]);
    check("SELECT 1; RESET 'parall|", &["parallelism.default"]);
    check("SELECT 'it''s' -- sel|", &[]);
}

#[test]
fn pieces_cover_the_text() {
    for text in [
        "",
        "a",
        "SELECT 'a''b', `x`, 1.5 -- c\n/* d */ ;",
        "'open",
        "/* open",
        "é'ñ\"ü",
    ] {
        let pieces = scan(text);
        let mut end = 0;
        for piece in &pieces {
            assert_eq!(piece.range.start, end);
            end = piece.range.end;
        }
        assert_eq!(end, text.len(), "{text}");
    }
    let kinds: Vec<Kind> = scan("a 'b''c'1--d").iter().map(|p| p.kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Word,
            Kind::Space,
            Kind::Text,
            Kind::Number,
            Kind::Comment
        ]
    );
}

#[test]
fn colours_change_no_character() {
    let sql = "SELECT 'x', `y` FROM t -- no\nWHERE a = 1.5;";
    let coloured = highlight::highlight(sql);
    assert!(coloured.contains("\x1b[1;34mSELECT\x1b[0m"));
    assert!(!coloured.contains("\x1b[1;34mt\x1b[0m"));
    let mut plain = coloured;
    for code in [
        "\x1b[1;34m",
        "\x1b[32m",
        "\x1b[36m",
        "\x1b[33m",
        "\x1b[2m",
        "\x1b[0m",
    ] {
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, sql);
}

#[test]
fn commands_need_no_semicolon_and_statements_do() {
    for whole in [
        "help",
        "quit;",
        "EXIT",
        " clear ",
        "",
        "SELECT 1;",
        "SELECT ';' -- ;\n;",
    ] {
        assert!(is_whole(whole), "{whole}");
    }
    for open in [
        "SELECT 1",
        "SELECT ';'",
        "SELECT 1 -- ;",
        "SELECT 'open;",
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;",
        "SELECT 1; SELECT 2",
    ] {
        assert!(!is_whole(open), "{open}");
    }
    assert_eq!(classify("quit ;"), Input::Quit);
    assert_eq!(classify("quit now;"), Input::Sql);
}
