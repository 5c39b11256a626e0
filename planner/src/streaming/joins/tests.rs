//! What joins of SQL become, and which are refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::fixture::{Session, says};

const TABLES: &str = "
CREATE TABLE orders (
  id BIGINT NOT NULL,
  customer BIGINT,
  amount INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE items (order_id BIGINT, price BIGINT) WITH ('connector' = 'stream');
CREATE TABLE paid (order_id BIGINT NOT NULL) WITH ('connector' = 'stream');
CREATE TABLE customers (id BIGINT NOT NULL, region STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE VIEW joined AS SELECT o.ts, i.price FROM orders o JOIN items i ON o.id = i.order_id;
";

#[track_caller]
fn plan(sql: &str) -> String {
    let mut session = Session::with(TABLES);
    let explain = format!("EXPLAIN CHANGELOG_MODE {sql}");
    let plan = session.run(&explain);
    plan.map_err(|error| error.render(&explain)).unwrap()
}

/// The joins of the plan begin so, from the last to the first.
#[track_caller]
fn check(sql: &str, expect: &[&str]) {
    let plan = plan(sql);
    let joins = plan
        .lines()
        .map(str::trim)
        .filter(|l| l.contains("Join(kind="));
    let joins: Vec<&str> = joins.collect();
    let same = joins.len() == expect.len()
        && joins
            .iter()
            .zip(expect)
            .all(|(found, start)| found.starts_with(start));
    assert!(same, "{sql}\nwanted {expect:#?}, found\n{plan}");
}

/// The error contains all of `expect`.
#[track_caller]
fn refused(sql: &str, expect: &[&str]) {
    says(Session::with(TABLES).run(sql).unwrap_err(), sql, expect);
}

#[test]
fn every_kind_of_join() {
    for (join, kind, mode) in [
        ("JOIN", "inner", "append"),
        ("INNER JOIN", "inner", "append"),
        ("LEFT JOIN", "left", "retract"),
        ("LEFT OUTER JOIN", "left", "retract"),
        ("RIGHT JOIN", "right", "retract"),
        ("FULL JOIN", "full", "retract"),
    ] {
        check(
            &format!("SELECT o.id, i.price FROM orders o {join} items i ON o.id = i.order_id"),
            &[&format!(
                "Join(kind={kind}, on=[id = order_id]), mode={mode}"
            )],
        );
    }
    for (join, kind, mode) in [("SEMI", "semi", "append"), ("ANTI", "anti", "retract")] {
        check(
            &format!("SELECT id FROM orders o LEFT {join} JOIN items i ON o.id = i.order_id"),
            &[&format!(
                "Join(kind={kind}, on=[id = order_id]), mode={mode}"
            )],
        );
        // The sides change places.
        check(
            &format!("SELECT price FROM orders o RIGHT {join} JOIN items i ON o.id = i.order_id"),
            &[&format!(
                "Join(kind={kind}, on=[order_id = id]), mode={mode}"
            )],
        );
    }
    check(
        "SELECT o.id, i.price FROM orders o CROSS JOIN items i",
        &["Join(kind=inner, on=[]), mode=append"],
    );
    check(
        "SELECT o.id, i.price FROM orders o, items i WHERE o.id = i.order_id AND i.price > 7",
        &["Join(kind=inner, on=[id = order_id]), mode=append"],
    );
    check(
        "SELECT COUNT(*) FROM orders CROSS JOIN items",
        &["Join(kind=inner, on=[]), mode=append"],
    );
}

#[test]
fn using_and_natural() {
    let using = "SELECT order_id, price FROM items JOIN paid USING (order_id)";
    check(using, &["Join(kind=inner, on=[order_id = order_id])"]);
    let natural = "SELECT order_id, price FROM items NATURAL LEFT JOIN paid";
    check(natural, &["Join(kind=left, on=[order_id = order_id])"]);
}

#[test]
fn tables_are_joined_in_an_order_that_has_keys() {
    check(
        "SELECT i.price, c.region FROM items i, customers c, orders o WHERE o.id = i.order_id AND o.customer = c.id",
        &[
            "Join(kind=inner, on=[customer = id]), mode=retract",
            "Join(kind=inner, on=[order_id = id]), mode=append",
        ],
    );
}

#[test]
fn outer_joins_whose_padded_rows_are_dropped_append() {
    check(
        "SELECT o.id, i.price FROM orders o LEFT JOIN items i ON o.id = i.order_id WHERE i.price > 7",
        &["Join(kind=inner, on=[id = order_id]), mode=append"],
    );
}

#[test]
fn rows_that_can_have_no_partner_stay_where_they_are() {
    let keys_given = |sql: &str, expect: usize| {
        let plan = plan(sql);
        let found = plan.matches("IS NOT NULL").count();
        assert_eq!(found, expect, "{sql}\n{plan}");
    };
    let of = |join: &str| {
        format!("SELECT o.id, i.price FROM orders o {join} items i ON o.customer = i.order_id")
    };
    keys_given(&of("JOIN"), 2);
    keys_given(&of("LEFT JOIN"), 1);
    keys_given(&of("RIGHT JOIN"), 1);
    keys_given(&of("FULL JOIN"), 0);
    let same = "SELECT o.id, i.price FROM orders o JOIN items i ON o.customer IS NOT DISTINCT FROM i.order_id";
    keys_given(same, 0);
}

#[test]
fn conditions_are_keys_as_far_as_they_are_equalities() {
    check(
        "SELECT o.id FROM orders o JOIN items i ON o.id = i.order_id AND o.customer < i.price",
        &["Join(kind=inner, on=[id = order_id], where=[left.customer < right.price])"],
    );
    check(
        "SELECT o.id FROM orders o JOIN items i ON o.customer < i.price",
        &["Join(kind=inner, on=[], where=[left.customer < right.price])"],
    );
    // A condition about one side alone decides about padded rows.
    check(
        "SELECT o.id, i.price FROM orders o LEFT JOIN items i ON o.id = i.order_id AND o.customer = 3",
        &["Join(kind=left, on=[id = order_id], where=[left.customer = 3])"],
    );
    check(
        "SELECT o.id FROM orders o JOIN items i ON o.customer IS NOT DISTINCT FROM i.order_id",
        &["Join(kind=inner, on=[customer IS NOT DISTINCT FROM order_id])"],
    );
    for sql in [
        "SELECT o.id FROM orders o JOIN items i ON o.customer IS NOT DISTINCT FROM i.order_id AND o.id = i.price",
        "SELECT o.id FROM orders o JOIN items i ON o.customer IS NOT DISTINCT FROM i.order_id WHERE o.id = i.price",
    ] {
        check(
            sql,
            &[
                "Join(kind=inner, on=[id = price], where=[left.customer IS NOT DISTINCT FROM right.order_id])",
            ],
        );
    }
}

#[test]
fn keys_that_are_computed_are_columns_that_nobody_sees() {
    let sql = "SELECT * FROM orders o JOIN items i ON o.amount + 1 = i.price";
    check(
        sql,
        &["Join(kind=inner, on=[CAST(amount AS Int64) + 1 = price])"],
    );
    let session = Session::with(TABLES);
    let schema = session.job(sql).unwrap().schema;
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(
        names,
        ["id", "customer", "amount", "ts", "order_id", "price"]
    );
    // Types that differ are made one before they are compared.
    check(
        "SELECT o.id FROM orders o JOIN items i ON o.amount = i.price",
        &["Join(kind=inner, on=[CAST(amount AS Int64) = price])"],
    );
}

#[test]
fn a_table_joined_with_itself_is_read_once() {
    let sql = "SELECT a.id, b.id AS other FROM orders a JOIN orders b ON a.customer = b.customer";
    check(sql, &["Join(kind=inner, on=[customer = customer])"]);
    let plan = plan(sql);
    assert_eq!(plan.matches("Scan(").count(), 1, "{plan}");
    assert_eq!(plan.matches("Shared(1)").count(), 1, "{plan}");
}

#[test]
fn in_and_exists_are_semi_and_anti_joins() {
    check(
        "SELECT id FROM orders WHERE id IN (SELECT order_id FROM items)",
        &["Join(kind=semi, on=[id = order_id]), mode=append"],
    );
    check(
        "SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM items i WHERE i.order_id = o.id AND i.price > o.customer)",
        &["Join(kind=semi, on=[id = order_id], where=[right.price > left.customer]), mode=append"],
    );
    check(
        "SELECT id FROM orders o WHERE amount > 3 AND NOT EXISTS (SELECT 1 FROM items i WHERE i.order_id = o.id)",
        &["Join(kind=anti, on=[id = order_id]), mode=retract"],
    );
    check(
        "SELECT id FROM orders o WHERE ((id IN (SELECT order_id FROM items))) AND NOT (EXISTS (SELECT 1 FROM items i WHERE i.price = o.id))",
        &[
            "Join(kind=anti, on=[id = price])",
            "Join(kind=semi, on=[id = order_id])",
        ],
    );
}

#[test]
fn several_conditions_are_several_joins() {
    check(
        "SELECT id FROM orders WHERE id IN (SELECT order_id FROM items) AND EXISTS (SELECT 1 FROM paid)",
        &[
            "Join(kind=semi, on=[]",
            "Join(kind=semi, on=[id = order_id]",
        ],
    );
    check(
        "SELECT customer FROM orders GROUP BY customer HAVING COUNT(*) IN (SELECT price FROM items)",
        &["Join(kind=semi, on=["],
    );
}

#[test]
fn not_in_knows_of_null() {
    let sql = |condition: &str| format!("SELECT id FROM orders WHERE {condition}");
    check(
        &sql("id NOT IN (SELECT order_id FROM paid)"),
        &["Join(kind=anti, on=[id = order_id])"],
    );
    check(
        &sql("customer NOT IN (SELECT order_id FROM items)"),
        &[
            "Join(kind=anti, on=[], where=[left.customer IS NULL OR right.missing])",
            "Join(kind=anti, on=[customer = order_id])",
        ],
    );
    check(
        &sql("NOT (id IN (SELECT order_id FROM items))"),
        &[
            "Join(kind=anti, on=[])",
            "Join(kind=anti, on=[id = order_id])",
        ],
    );
    check(
        &sql("customer NOT IN (SELECT order_id FROM paid)"),
        &[
            "Join(kind=anti, on=[], where=[left.customer IS NULL])",
            "Join(kind=anti, on=[customer = order_id])",
        ],
    );
    check(
        &sql(
            "customer IS NOT NULL AND customer NOT IN (SELECT order_id FROM items WHERE order_id IS NOT NULL)",
        ),
        &["Join(kind=anti, on=[customer = order_id])"],
    );
    let plan = plan(&sql("customer NOT IN (SELECT order_id FROM items)"));
    assert!(
        plan.contains("GroupAggregate(keys=[missing], select=[])"),
        "{plan}"
    );
}

#[test]
fn scalar_subqueries_are_left_joins() {
    check(
        "SELECT id FROM orders WHERE amount > (SELECT AVG(price) FROM items)",
        &["Join(kind="],
    );
    check(
        "SELECT id, (SELECT MAX(price) FROM items) AS top FROM orders",
        &["Join(kind=left, on=[]), mode=retract"],
    );
    check(
        "SELECT id, (SELECT COUNT(*) FROM items i WHERE i.order_id = o.id) AS n FROM orders o",
        &["Join(kind=left, on=[id = order_id]), mode=retract"],
    );
}

#[test]
fn behind_a_join_there_is_no_event_time() {
    refused(
        "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE joined, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end",
        &["LV-1014", "ts is none", "behind a join", "line 1"],
    );
    // Nobody waits for the watermark, so nobody reads it.
    let plain = plan("SELECT o.id FROM orders o JOIN items i ON o.id = i.order_id");
    assert!(!plain.contains("watermark"), "{plain}");
    assert!(plain.contains("read=[id]"), "{plain}");
    let timed = plan("SELECT * FROM joined");
    let mut joins = timed.lines().filter(|line| line.contains("Join("));
    assert!(joins.all(|line| !line.contains("time=")), "{timed}");
}

#[test]
fn windows_in_front_of_a_join_are_windows() {
    let windowed = "SELECT id, window_start, window_end FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' SECOND))";
    let sql = format!(
        "SELECT a.id, b.id AS other FROM ({windowed}) a JOIN ({windowed}) b
         ON a.window_start = b.window_start AND a.window_end = b.window_end"
    );
    check(
        &sql,
        &[
            "WindowJoin(kind=inner, on=[window_start = window_start, window_end = window_end], time=[left.window_end = right.window_end]), mode=append",
        ],
    );
    assert!(plan(&sql).contains("watermark=ts"));
}

#[test]
fn a_join_takes_rows_back_by_what_they_were() {
    let plan = plan(
        "SELECT g.customer, i.price FROM (SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer) g JOIN items i ON g.n = i.price",
    );
    let line = plan.lines().find(|line| line.contains("GroupAggregate("));
    assert!(line.unwrap().contains("mode=retract"), "{plan}");
}

#[test]
fn values_that_are_another_each_time_are_refused_where_rows_change() {
    let sql = "SELECT o.id, c.t FROM orders o JOIN (SELECT id, PROCTIME() AS t FROM customers) c ON o.customer = c.id";
    refused(sql, &["LV-1011", "PROCTIME()", "line 1", "behind the join"]);
    let session = Session::with(TABLES);
    for sql in [
        // Rows that only come are kept as they came.
        "SELECT o.t, i.price FROM (SELECT id, PROCTIME() AS t FROM orders) o JOIN items i ON o.id = i.order_id",
        "SELECT o.t, c.region FROM (SELECT customer, PROCTIME() AS t FROM orders) o JOIN customers c ON o.customer = c.id",
        "SELECT o.id, PROCTIME() FROM orders o JOIN customers c ON o.customer = c.id",
    ] {
        session.job(sql).map_err(|e| e.render(sql)).unwrap();
    }
}

#[test]
fn subqueries_that_are_no_joins_are_refused_where_they_stand() {
    let by_itself = "by itself";
    refused(
        "SELECT id FROM orders WHERE id = 1 OR id IN (SELECT order_id FROM items)",
        &[
            "LV-1011",
            "IN with a subquery",
            by_itself,
            "line 1, column 39",
            "UNION",
        ],
    );
    refused(
        "SELECT id FROM orders WHERE CASE WHEN amount > 1 THEN EXISTS (SELECT 1 FROM items) END",
        &["LV-1011", "EXISTS", by_itself, "line 1"],
    );
    refused(
        "SELECT id IN (SELECT order_id FROM items) FROM orders",
        &["LV-1011", "IN with a subquery", "line 1, column 8"],
    );
    refused(
        "SELECT o.id FROM orders o JOIN items i ON o.id IN (SELECT order_id FROM paid)",
        &["LV-1011", "IN with a subquery", "line 1, column 43"],
    );
    refused(
        "SELECT (SELECT price FROM items) FROM orders",
        &["LV-1011", "several rows", "line 1", "MAX(x)"],
    );
    refused(
        "SELECT (SELECT MAX(price) FROM items GROUP BY order_id) FROM orders",
        &["LV-1011", "several rows", "line 1"],
    );
    refused(
        "SELECT SUM(amount + (SELECT MAX(price) FROM items)) FROM orders",
        &["LV-1011", "within an aggregate", "line 1"],
    );
    refused(
        "SELECT id FROM orders WHERE id = ANY (SELECT order_id FROM items)",
        &["LV-1011", "ANY", "line 1"],
    );
}

#[test]
fn correlated_subqueries_that_would_come_out_wrong_are_refused() {
    // The count of nothing is a row.
    refused(
        "SELECT id FROM orders o WHERE amount > 1 AND EXISTS (SELECT COUNT(*) FROM items i WHERE i.order_id = o.id)",
        &["LV-1011", "aggregates without GROUP BY", "line 1"],
    );
    refused(
        "SELECT id FROM orders o WHERE customer NOT IN (SELECT MAX(price) FROM items i WHERE i.order_id = o.id)",
        &[
            "LV-1011",
            "aggregates without GROUP BY",
            "line 1, column 31",
        ],
    );
    refused(
        "SELECT id FROM orders o WHERE 1 < (SELECT MAX(price) FROM items i WHERE i.order_id = o.id HAVING COUNT(*) = 0)",
        &["LV-1011", "scalar subquery with HAVING", "line 1"],
    );
    refused(
        "SELECT id FROM orders o WHERE customer NOT IN (SELECT price FROM items i WHERE i.order_id = o.id)",
        &[
            "LV-1011",
            "NOT IN with a correlated subquery",
            "NOT EXISTS",
            "line 1, column 31",
        ],
    );
    refused(
        "SELECT id FROM orders o WHERE EXISTS (SELECT price FROM items i WHERE i.order_id = o.id UNION ALL SELECT order_id FROM paid)",
        &["LV-1011", "IN or EXISTS with this subquery", "line 1"],
    );
}
