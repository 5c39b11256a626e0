//! Which joins and Top-N a sink that writes by key takes as they are, and in front of which the rows of each key are kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::element::ChangelogMode;

use crate::fixture::{Session, says};

/// `orders` and `customers` change by key; `placed` only come, each once.
const TABLES: &str = "
CREATE TABLE orders (id BIGINT NOT NULL, customer BIGINT, amount BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE customers (id BIGINT NOT NULL, region STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE regions (region STRING NOT NULL, head STRING, PRIMARY KEY (region) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE placed (id BIGINT NOT NULL, customer BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'stream');
CREATE TABLE clicks (customer BIGINT, page STRING) WITH ('connector' = 'stream');
CREATE TABLE by_id (id BIGINT, v STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE by_both (id BIGINT, customer BIGINT, v STRING, PRIMARY KEY (id, customer) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE by_customer (customer BIGINT, v BIGINT, PRIMARY KEY (customer) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE by_place (customer BIGINT, place BIGINT, id BIGINT, PRIMARY KEY (customer, place) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE placed_ids (id BIGINT, place BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE places (place BIGINT, id BIGINT, PRIMARY KEY (place) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE anything (id BIGINT, v STRING) WITH ('connector' = 'any');
";

/// The mode in which rows arrive at the sink, and whether they are kept by its key.
#[track_caller]
fn planned(sql: &str) -> (ChangelogMode, bool) {
    let session = Session::with(TABLES);
    let job = session.job(sql).map_err(|error| error.render(sql)).unwrap();
    let mut operators = job.graph.vertices.iter().flat_map(|v| &v.operators);
    (job.mode, operators.any(|o| o.name == "UpsertMaterialize"))
}

#[track_caller]
fn accepted(sql: &str) -> ChangelogMode {
    let (mode, materialized) = planned(sql);
    assert!(!materialized, "{sql}");
    mode
}

#[track_caller]
fn materialized(sql: &str) {
    assert_eq!(planned(sql), (ChangelogMode::Upsert, true), "{sql}");
    let mut session = Session::with(TABLES);
    session
        .run("SET 'table.exec.sink.upsert-materialize' = 'none'")
        .unwrap();
    let expect = ["LV-1011", "by PRIMARY KEY", "line 1, column 13", "'auto'"];
    says(session.job(sql).unwrap_err(), sql, &expect);
}

#[test]
fn rows_whose_join_key_changes_may_overtake_each_other() {
    materialized(
        "INSERT INTO by_id SELECT o.id, c.region FROM orders o LEFT JOIN customers c ON o.customer = c.id",
    );
    materialized(
        "INSERT INTO by_id SELECT o.id, c.region FROM orders o JOIN customers c ON o.customer = c.id",
    );
    materialized(
        "INSERT INTO by_id SELECT id, 'x' FROM orders WHERE customer IN (SELECT customer FROM clicks)",
    );
    // The second join is on what the first one may change.
    materialized(
        "INSERT INTO by_id SELECT p.id, r.head FROM placed p JOIN customers c ON p.customer = c.id JOIN regions r ON c.region = r.region",
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
    materialized(
        "INSERT INTO by_both SELECT o.id, c.id, c.region FROM orders o LEFT JOIN customers c ON o.customer = c.id",
    );
}

#[test]
fn what_takes_every_change_takes_any_order() {
    let sql = "INSERT INTO anything SELECT o.id, c.region FROM orders o LEFT JOIN customers c ON o.customer = c.id";
    assert_eq!(accepted(sql), ChangelogMode::Retract);
    materialized(
        "INSERT INTO by_id SELECT k.customer, k.page FROM clicks k LEFT JOIN customers c ON k.customer = c.id",
    );
}

/// A query over numbered rows.
fn numbered(columns: &str, rows: &str, over: &str, condition: &str) -> String {
    format!("SELECT {columns} FROM (SELECT *, {over} AS rn FROM {rows}) WHERE {condition}")
}

const OF_CUSTOMER: &str = "ROW_NUMBER() OVER (PARTITION BY customer ORDER BY id)";

#[test]
fn numbers_are_written_by_partition_and_number() {
    for rows in ["orders", "placed"] {
        let top = numbered("customer, rn, id", rows, OF_CUSTOMER, "rn <= 3");
        // What was at a place before is written over.
        assert_eq!(
            accepted(&format!("INSERT INTO by_place {top}")),
            ChangelogMode::Upsert
        );
    }
    let of_all = numbered(
        "rn, id",
        "orders",
        "ROW_NUMBER() OVER (ORDER BY amount DESC)",
        "rn <= 3",
    );
    assert_eq!(
        accepted(&format!("INSERT INTO places {of_all}")),
        ChangelogMode::Upsert
    );
    // A condition takes back what it let through.
    let some = numbered(
        "customer, rn, id",
        "orders",
        OF_CUSTOMER,
        "rn <= 3 AND amount > 4",
    );
    assert_eq!(
        accepted(&format!("INSERT INTO by_place {some}")),
        ChangelogMode::Retract
    );
}

#[test]
fn rows_with_their_numbers_are_kept_by_their_own_key() {
    for rows in ["orders", "placed"] {
        for over in [OF_CUSTOMER, "ROW_NUMBER() OVER (ORDER BY customer)"] {
            let top = numbered("id, rn", rows, over, "rn <= 3");
            materialized(&format!("INSERT INTO placed_ids {top}"));
        }
    }
    // Of one row in each partition, too, another may have been there before.
    let one = numbered("id, rn", "placed", OF_CUSTOMER, "rn = 1");
    materialized(&format!("INSERT INTO placed_ids {one}"));
}

#[test]
fn one_row_of_each_partition_is_written_by_the_partition() {
    for rows in ["orders", "placed"] {
        let one = numbered("customer, id", rows, OF_CUSTOMER, "rn = 1");
        assert_eq!(
            accepted(&format!("INSERT INTO by_customer {one}")),
            ChangelogMode::Retract
        );
        let second = numbered("customer, rn", rows, OF_CUSTOMER, "rn = 2");
        assert_eq!(
            accepted(&format!("INSERT INTO by_customer {second}")),
            ChangelogMode::Upsert
        );
        let wider = numbered("customer, rn, id", rows, OF_CUSTOMER, "rn = 1");
        assert_eq!(
            accepted(&format!("INSERT INTO by_place {wider}")),
            ChangelogMode::Retract
        );
    }
    let of_all = "INSERT INTO by_customer SELECT customer, id FROM orders ORDER BY amount LIMIT 1";
    assert_eq!(accepted(of_all), ChangelogMode::Retract);
}

#[test]
fn rows_that_change_their_partition_may_overtake_each_other() {
    let top = |rows: &str, over: &str| numbered("id, 'x'", rows, over, "rn <= 3");
    for over in [
        OF_CUSTOMER,
        "RANK() OVER (PARTITION BY customer ORDER BY id)",
    ] {
        materialized(&format!("INSERT INTO by_id {}", top("orders", over)));
        // A row that only comes has its partition for ever, and one partition is one subtask.
        accepted(&format!("INSERT INTO by_id {}", top("placed", over)));
        let both = numbered("id, customer, 'x'", "orders", over, "rn <= 3");
        accepted(&format!("INSERT INTO by_both {both}"));
    }
    for sql in [
        "INSERT INTO by_id SELECT id, 'x' FROM orders ORDER BY amount DESC LIMIT 3",
        "INSERT INTO by_id SELECT id, 'x' FROM orders QUALIFY DENSE_RANK() OVER (ORDER BY amount) <= 3",
        "INSERT INTO by_customer SELECT customer, COUNT(*) AS n FROM clicks GROUP BY customer ORDER BY n DESC LIMIT 3",
    ] {
        assert_eq!(accepted(sql), ChangelogMode::Retract);
    }
}

#[test]
fn ranks_change_where_the_row_is() {
    let over = "RANK() OVER (ORDER BY customer)";
    for rows in ["orders", "placed"] {
        let top = numbered("id, rn", rows, over, "rn <= 3");
        assert_eq!(
            accepted(&format!("INSERT INTO placed_ids {top}")),
            ChangelogMode::Upsert
        );
    }
    // Several rows have one rank.
    let top = numbered("rn, id", "orders", over, "rn <= 3");
    materialized(&format!("INSERT INTO places {top}"));
}

#[test]
fn what_comes_in_disorder_goes_on_in_disorder() {
    let joined = "SELECT o.id, c.region FROM orders o JOIN customers c ON o.customer = c.id";
    materialized(&format!(
        "INSERT INTO by_id SELECT id, region FROM ({joined}) ORDER BY region LIMIT 3"
    ));
    // A place has one row, whatever came first.
    let places = format!(
        "INSERT INTO places SELECT rn, id FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY region) AS rn FROM ({joined})) WHERE rn <= 3"
    );
    assert_eq!(accepted(&places), ChangelogMode::Upsert);
}

#[test]
fn rows_that_only_come_are_kept_if_that_is_asked_for() {
    let sql = "INSERT INTO by_id SELECT customer, page FROM clicks";
    assert_eq!(accepted(sql), ChangelogMode::Append);
    let mut session = Session::with(TABLES);
    session
        .run("SET 'table.exec.sink.upsert-materialize' = 'FORCE'")
        .unwrap();
    assert_eq!(session.job(sql).unwrap().mode, ChangelogMode::Upsert);
    // A sink that takes every change needs the last row of nothing.
    let all = "INSERT INTO anything SELECT id, region FROM customers";
    assert_eq!(session.job(all).unwrap().mode, ChangelogMode::Retract);
    let error = session
        .run("SET 'table.exec.sink.upsert-materialize' = 'fore'")
        .unwrap_err();
    says(error, "", &["LV-1007", "one of none, auto, force"]);
}

#[test]
fn rows_that_are_taken_back_must_be_those_that_came() {
    let sql = "INSERT INTO by_id SELECT id, v FROM (SELECT customer AS id, CAST(RAND() AS STRING) AS v FROM orders)";
    let error = Session::with(TABLES).job(sql).unwrap_err();
    says(
        error,
        sql,
        &["LV-1011", "computed anew", "line 1, column 13", "RAND()"],
    );
}
