//! Which joins a sink takes that writes by key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::element::ChangelogMode;

use crate::fixture::Session;

/// `orders` and `customers` change by key; `placed` only come, each once.
const TABLES: &str = "
CREATE TABLE orders (id BIGINT NOT NULL, customer BIGINT, amount BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE customers (id BIGINT NOT NULL, region STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE regions (region STRING NOT NULL, head STRING, PRIMARY KEY (region) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE placed (id BIGINT NOT NULL, customer BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'stream');
CREATE TABLE clicks (customer BIGINT, page STRING) WITH ('connector' = 'stream');
CREATE TABLE by_id (id BIGINT, v STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE by_both (id BIGINT, customer BIGINT, v STRING, PRIMARY KEY (id, customer) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE anything (id BIGINT, v STRING) WITH ('connector' = 'any');
";

#[track_caller]
fn accepted(sql: &str) -> ChangelogMode {
    let session = Session::with(TABLES);
    let job = session.job(sql);
    job.map_err(|error| error.render(sql)).unwrap().mode
}

#[track_caller]
fn refused(sql: &str, expect: &[&str]) {
    let session = Session::with(TABLES);
    let error = session.job(sql).unwrap_err().render(sql);
    for part in expect {
        assert!(error.contains(part), "{sql}\nhas no {part:?} in\n{error}");
    }
}

#[test]
fn rows_whose_join_key_changes_may_overtake_each_other() {
    let what = [
        "LV-1011",
        "table by_id by PRIMARY KEY (id)",
        "several subtasks",
        "line 1, column 13",
        "aggregate the rows by the key",
    ];
    refused(
        "INSERT INTO by_id SELECT o.id, c.region FROM orders o LEFT JOIN customers c ON o.customer = c.id",
        &what,
    );
    refused(
        "INSERT INTO by_id SELECT o.id, c.region FROM orders o JOIN customers c ON o.customer = c.id",
        &what,
    );
    refused(
        "INSERT INTO by_id SELECT id, 'x' FROM orders WHERE customer IN (SELECT customer FROM clicks)",
        &what,
    );
    // The second join is on what the first one may change.
    refused(
        "INSERT INTO by_id SELECT p.id, r.head FROM placed p JOIN customers c ON p.customer = c.id JOIN regions r ON c.region = r.region",
        &what,
    );
}

#[test]
fn rows_that_stay_where_they_are_joined_are_written() {
    for sql in [
        // What is joined on is the key.
        "INSERT INTO by_id SELECT o.id, c.region FROM orders o LEFT JOIN customers c ON o.id = c.id",
        "INSERT INTO by_id SELECT c.id, c.region FROM orders o JOIN customers c ON o.id = c.id",
        "INSERT INTO by_id SELECT id, 'x' FROM orders WHERE id NOT IN (SELECT id FROM customers)",
        // An order that only comes has its customer for ever.
        "INSERT INTO by_id SELECT p.id, c.region FROM placed p LEFT JOIN customers c ON p.customer = c.id",
        "INSERT INTO by_id SELECT id, 'x' FROM placed WHERE customer NOT IN (SELECT customer FROM clicks WHERE customer IS NOT NULL) AND customer IS NOT NULL",
        // The key says where the row is.
        "INSERT INTO by_both SELECT o.id, o.customer, c.region FROM orders o LEFT JOIN customers c ON o.customer = c.id",
        "INSERT INTO by_both SELECT o.id, c.id, c.region FROM orders o JOIN customers c ON o.customer = c.id",
        // An aggregation has its keys each in one place.
        "INSERT INTO by_id SELECT o.id, MAX(c.region) FROM orders o LEFT JOIN customers c ON o.customer = c.id GROUP BY o.id",
        "INSERT INTO by_id SELECT t.customer, MAX(c.region) FROM (SELECT customer, COUNT(*) n FROM orders GROUP BY customer) t JOIN customers c ON t.n = c.id GROUP BY t.customer",
    ] {
        accepted(sql);
    }
}

#[test]
fn a_row_without_a_partner_has_no_key_of_the_other_side() {
    // Padded rows are all of customer NULL.
    refused(
        "INSERT INTO by_both SELECT o.id, c.id, c.region FROM orders o LEFT JOIN customers c ON o.customer = c.id",
        &["several subtasks"],
    );
}

#[test]
fn what_takes_every_change_takes_any_order() {
    let sql = "INSERT INTO anything SELECT o.id, c.region FROM orders o LEFT JOIN customers c ON o.customer = c.id";
    assert_eq!(accepted(sql), ChangelogMode::Retract);
    refused(
        "INSERT INTO by_id SELECT k.customer, k.page FROM clicks k LEFT JOIN customers c ON k.customer = c.id",
        &["nothing makes the rows of the query unique"],
    );
}
