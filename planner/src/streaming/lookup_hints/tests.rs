//! Which lookup joins a hint is for, and what it may say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::fixture::{Session, says};

const TABLES: &str = "
CREATE TABLE orders (id BIGINT NOT NULL, customer INT, pt AS PROCTIME()) WITH ('connector' = 'stream');
CREATE TABLE customers (id INT, name STRING) WITH ('connector' = 'table', 'path' = 'asked');
CREATE VIEW hinted AS SELECT /*+ LOOKUP('table' = 'c', 'timeout' = '7 s') */ o.id, c.name FROM orders AS o
JOIN customers FOR SYSTEM_TIME AS OF o.pt AS c ON o.customer = c.id;
";
const JOIN: &str = "o.id, c.name FROM orders AS o JOIN customers FOR SYSTEM_TIME AS OF o.pt AS c ON o.customer = c.id";

/// What the job graph says of how tables are asked.
#[track_caller]
fn check(sql: &str, expected: &[&str]) {
    let explain = format!("EXPLAIN JOB GRAPH {sql}");
    let plan = Session::with(TABLES).run(&explain);
    let plan = plan.map_err(|error| error.render(&explain)).unwrap();
    let asks = plan.lines().filter(|line| line.contains("asks by"));
    let asks: Vec<&str> = asks.map(str::trim).collect();
    assert_eq!(asks, expected, "{plan}");
}

#[track_caller]
fn refused(arguments: &str, expected: &str) {
    let sql = format!("EXPLAIN SELECT /*+ LOOKUP({arguments}) */ {JOIN}");
    let error = Session::with(TABLES).run(&sql).unwrap_err();
    says(error, &sql, &[expected]);
}

#[test]
fn hints_say_how_a_table_is_asked() {
    check(
        &format!("SELECT {JOIN}"),
        &["asks by (id), 100 questions under way at most, 180000 ms for each"],
    );
    check(
        &format!(
            "SELECT /*+ LOOKUP('table' = 'C', 'capacity' = '7', 'timeout' = '5 s', 'output-mode' = 'allow_unordered') */ {JOIN}"
        ),
        &["asks by (id), 7 questions under way at most, 5000 ms for each"],
    );
    check(
        &format!("SELECT /*+ LOOKUP('table' = 'c', 'async' = 'false') */ {JOIN}"),
        &["asks by (id), 1 questions under way at most, 180000 ms for each"],
    );
    check(
        &format!(
            "SELECT /*+ LOOKUP('table' = 'c', 'retry-predicate' = 'lookup_miss', 'retry-strategy' = 'fixed_delay', 'fixed-delay' = '1s', 'max-attempts' = '3') */ {JOIN}"
        ),
        &[
            "asks by (id), 100 questions under way at most, 180000 ms for each, keys without rows 3 times again after 1000 ms",
        ],
    );
}

#[test]
fn hints_count_in_views_and_for_their_table_alone() {
    check(
        "SELECT * FROM hinted",
        &["asks by (id), 100 questions under way at most, 7000 ms for each"],
    );
    check(
        "SELECT /*+ LOOKUP('table' = 'd', 'capacity' = '3') */ o.id FROM orders AS o \
         JOIN customers FOR SYSTEM_TIME AS OF o.pt AS c ON o.customer = c.id \
         JOIN customers FOR SYSTEM_TIME AS OF o.pt AS d ON c.id = d.id",
        &[
            "asks by (id), 100 questions under way at most, 180000 ms for each",
            "asks by (id), 3 questions under way at most, 180000 ms for each",
        ],
    );
}

#[test]
fn what_a_hint_cannot_mean_is_refused() {
    refused(
        "'table' = 'x'",
        "LOOKUP names 'x', which no join asks by key",
    );
    refused(
        "'table' = 'o'",
        "LOOKUP names 'o', which no join asks by key",
    );
    refused("'capacity' = '3'", "'table' is missing");
    refused("c", "there is a name without a value");
    refused("'table' = 'c', 'table' = 'd'", "'table' is there twice");
    refused("'table' = 'c', 'capacty' = '3'", "LOOKUP has no 'capacty'");
    refused(
        "'table' = 'c', 'capacity' = '0'",
        "'capacity' has the value '0', expected a number above zero",
    );
    refused(
        "'table' = 'c', 'timeout' = 'soon'",
        "'timeout' has the value 'soon', expected a duration above zero",
    );
    refused(
        "'table' = 'c', 'async' = 'maybe'",
        "'async' has the value 'maybe', expected 'true' or 'false'",
    );
    refused(
        "'table' = 'c', 'max-attempts' = '3'",
        "'retry-predicate', 'retry-strategy', 'fixed-delay' and 'max-attempts' go together",
    );
}
