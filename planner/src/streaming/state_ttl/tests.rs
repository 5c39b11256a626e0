//! Which joins and aggregations a hint is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::fixture::{Session, says};

const TABLES: &str = "
CREATE TABLE orders (id BIGINT NOT NULL, customer BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream');
CREATE TABLE items (order_id BIGINT, price BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream');
CREATE TABLE refunds (order_id BIGINT, amount BIGINT) WITH ('connector' = 'stream');
CREATE VIEW hinted AS SELECT /*+ STATE_TTL('i' = '3 d') */ i.order_id, SUM(i.price) AS total FROM items i GROUP BY i.order_id;
CREATE VIEW idle AS SELECT /*+ STATE_TTL('nothing' = '3 d') */ order_id FROM items;
";

/// The lines of the plan that say something of a time to live, from the outputs to the sources: what they begin
/// with, and what they say.
#[track_caller]
fn check(sql: &str, expect: &[&str]) {
    let mut session = Session::with(TABLES);
    let explain = format!("EXPLAIN {sql}");
    let plan = session.run(&explain);
    let plan = plan.map_err(|error| error.render(&explain)).unwrap();
    let lives = plan.lines().filter_map(|line| {
        let (before, ttl) = line.split_once(", ttl=[")?;
        let name = before.trim().split('(').next()?;
        let ttl = ttl.split(']').next()?;
        Some(format!("{name} {ttl}"))
    });
    assert_eq!(lives.collect::<Vec<_>>(), expect, "{plan}");
}

#[test]
fn each_input_of_a_join_has_the_time_that_its_name_has() {
    let join = "FROM orders AS o JOIN items i ON o.id = i.order_id";
    check(
        &format!("SELECT /*+ STATE_TTL('o' = '1d', 'i' = '12h') */ o.customer, i.price {join}"),
        &["Join 1 d, 12 h"],
    );
    check(
        &format!(
            "SELECT /*+ STATE_TTL('I' = '90 s') */ o.customer, i.price {join} WHERE i.price > 3"
        ),
        &["Join -, 90 s"],
    );
    check(
        &format!("SELECT /*+ STATE_TTL('o' = '0 s') */ o.customer, i.price {join}"),
        &["Join for ever, -"],
    );
    // The alias is the name.
    says_of(
        &format!("SELECT /*+ STATE_TTL('orders' = '1d') */ o.customer {join}"),
        "STATE_TTL names 'orders', which no join and no GROUP BY reads",
    );
}

#[test]
fn tables_of_subqueries_of_conditions_have_names_too() {
    check(
        "SELECT /*+ STATE_TTL('items' = '2 d') */ customer FROM orders WHERE id IN (SELECT order_id FROM items)",
        &["Join -, 2 d"],
    );
    check(
        "SELECT /*+ STATE_TTL('orders' = '2 d') */ customer FROM orders WHERE id IN (SELECT order_id FROM items)",
        &["Join 2 d, -"],
    );
}

#[test]
fn several_joins_and_aggregations_are_told_apart() {
    check(
        "SELECT /*+ STATE_TTL('r' = '1 d', 'o' = '2 d', 'sums' = '3 d') */ o.customer, sums.total, r.amount FROM orders o \
         JOIN (SELECT order_id, SUM(price) AS total FROM items GROUP BY order_id) AS sums ON sums.order_id = o.id \
         JOIN refunds AS r ON r.order_id = o.id",
        &["Join -, 1 d", "Join 2 d, 3 d"],
    );
    check(
        "SELECT customer, COUNT(*) FROM (SELECT /*+ STATE_TTL('items' = '5 ms') */ order_id AS customer FROM items GROUP BY \
         order_id) AS t GROUP BY customer",
        &["GroupAggregate 5 ms"],
    );
    check("SELECT * FROM hinted", &["GroupAggregate 3 d"]);
}

#[test]
fn aggregations_for_grouping_sets_and_distinct_have_it() {
    check(
        "SELECT /*+ STATE_TTL('items' = '1 min') */ order_id, price, COUNT(*) FROM items GROUP BY ROLLUP (order_id, price)",
        &["GroupAggregate 1 min", "GroupAggregate 1 min"],
    );
    check(
        "SELECT /*+ STATE_TTL('items' = '1 min') */ DISTINCT order_id FROM items",
        &["GroupAggregate 1 min"],
    );
}

#[track_caller]
fn says_of(sql: &str, expect: &str) {
    let mut session = Session::with(TABLES);
    let explain = format!("EXPLAIN {sql}");
    says(session.run(&explain).unwrap_err(), &explain, &[expect]);
}

#[test]
fn hints_that_nothing_heeds_are_refused() {
    for sql in [
        "SELECT /*+ STATE_TTL('orders' = '1 d') */ * FROM orders",
        // It forgets by itself.
        "SELECT /*+ STATE_TTL('o' = '1 d') */ o.id FROM orders o JOIN items i ON o.id = i.order_id AND o.ts = i.ts",
        "SELECT /*+ STATE_TTL('items' = '1 d') */ COUNT(*) FROM TABLE(TUMBLE(TABLE items, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) \
         GROUP BY window_start, window_end",
    ] {
        says_of(sql, "which no join and no GROUP BY reads");
    }
    says_of("SELECT * FROM idle", "in view idle");
}

#[test]
fn a_hint_has_names_and_durations() {
    for (hint, expect) in [
        ("STATE_TTL()", "there is nothing in its parentheses"),
        ("STATE_TTL('items')", "items has no duration"),
        ("STATE_TTL('items' = 'soon')", "'soon' is no duration"),
    ] {
        let sql = format!("SELECT /*+ {hint} */ order_id, COUNT(*) FROM items GROUP BY order_id");
        says_of(&sql, expect);
    }
}
