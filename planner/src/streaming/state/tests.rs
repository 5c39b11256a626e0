//! What nodes remember, what lets it go, and what is warned of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::fixture::Session;

const TABLES: &str = "
CREATE TABLE orders (id BIGINT, customer BIGINT, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream');
CREATE TABLE payments (order_id BIGINT, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream');
CREATE TABLE clicks (customer BIGINT, page STRING, at AS PROCTIME()) WITH ('connector' = 'stream');
CREATE TABLE rates (id BIGINT, rate INT) WITH ('connector' = 'table');
CREATE TABLE customers (id BIGINT NOT NULL, region STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE totals (customer BIGINT NOT NULL, n BIGINT, PRIMARY KEY (customer) NOT ENFORCED) WITH ('connector' = 'upsert');
";

fn session(sets: &str) -> Session {
    Session::with(&format!("{TABLES}{sets}"))
}

/// The plan of a query, and the warning behind it.
#[track_caller]
fn plan(sets: &str, sql: &str) -> (String, Option<String>) {
    let explain = format!("EXPLAIN CHANGELOG_MODE {sql}");
    let text = session(sets).run(&explain);
    let text = text.map_err(|error| error.render(&explain)).unwrap();
    match text.split_once("\n\n== Warning ==\n") {
        Some((plan, warning)) => (plan.to_string(), Some(warning.to_string())),
        None => (text, None),
    }
}

/// A node of the query remembers this.
#[track_caller]
fn keeps(sets: &str, sql: &str, state: &str) {
    let (plan, _) = plan(sets, sql);
    assert!(plan.contains(&format!("state=[{state}]")), "{sql}\n{plan}");
}

/// Nothing that the query remembers grows for ever.
#[track_caller]
fn is_bounded(sets: &str, sql: &str) {
    let (plan, warning) = plan(sets, sql);
    assert_eq!(warning, None, "{sql}\n{plan}");
}

/// What the query remembers grows, as `expect` says.
#[track_caller]
fn grows(sql: &str, expect: &[&str]) {
    let (plan, warning) = plan("", sql);
    let warning = warning.unwrap_or_default();
    for part in expect {
        assert!(
            warning.contains(part),
            "{sql}\n{plan}\n{warning}\nhas no {part}"
        );
    }
}

const DAY: &str = "SET 'table.exec.state.ttl' = '1 d';";
const BY_CUSTOMER: &str = "SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer";
const PAID: &str = "SELECT o.id FROM orders o JOIN payments p ON o.id = p.order_id";

#[test]
fn groups_are_kept_by_key_until_they_were_not_used_for_so_long() {
    keeps("", BY_CUSTOMER, "a group per (customer)");
    keeps(DAY, BY_CUSTOMER, "a group per (customer) for 1 d");
    keeps("", "SELECT COUNT(*) FROM orders", "one group");
    let distinct = "SELECT customer, COUNT(DISTINCT amount) FROM orders GROUP BY customer";
    keeps("", distinct, "a group with its values per (customer)");
    let hinted = "SELECT /*+ STATE_TTL('orders' = '2 h') */ customer, COUNT(*) FROM orders GROUP BY customer";
    keeps(DAY, hinted, "a group per (customer) for 2 h");
}

#[test]
fn time_lets_go_what_windows_and_joins_in_time_keep() {
    let windows = "SELECT customer, window_end, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY customer, window_start, window_end";
    keeps(
        "",
        windows,
        "a group per (window, customer) until window_end",
    );
    is_bounded("", windows);
    let clicks = "SELECT customer, COUNT(*) FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' MINUTE)) GROUP BY customer, window_start, window_end";
    keeps(
        "",
        clicks,
        "a group per (window, customer) until window_end in processing time",
    );
    let interval = format!("{PAID} AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '90' SECOND");
    keeps(
        "",
        &interval,
        "every row of the left until ts + 90 s, every row of the right until ts",
    );
    is_bounded("", &interval);
    let strict = format!(
        "{PAID} AND p.ts BETWEEN o.ts + INTERVAL '1' MINUTE AND o.ts + INTERVAL '2' MINUTE"
    );
    keeps(
        "",
        &strict,
        "every row of the left until ts + 2 min, every row of the right until ts - 1 min",
    );
}

#[test]
fn joins_keep_rows_for_ever_or_as_long_as_each_side_is_told() {
    keeps("", PAID, "every row of the left, every row of the right");
    let hinted = "SELECT /*+ STATE_TTL('o' = '6 h') */ o.id FROM orders o JOIN payments p ON o.id = p.order_id";
    keeps(
        "",
        hinted,
        "every row of the left for 6 h, every row of the right",
    );
    grows(
        hinted,
        &["the join on id = order_id keeps every row of the right\n"],
    );
}

#[test]
fn ranks_functions_with_over_and_patterns_say_what_they_keep() {
    let top = "SELECT * FROM orders QUALIFY ROW_NUMBER() OVER (PARTITION BY customer ORDER BY amount) <= 3";
    keeps("", top, "the first 3 rows per (customer)");
    keeps(DAY, top, "the first 3 rows per (customer) for 1 d");
    grows(
        top,
        &[
            "ROW_NUMBER by customer keeps the first 3 rows per (customer)",
            "'table.exec.state.ttl'",
        ],
    );
    is_bounded("", "SELECT * FROM orders ORDER BY amount LIMIT 3");
    let range = "SELECT SUM(amount) OVER (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) FROM orders";
    keeps("", range, "every row until ts + 1 h");
    is_bounded("", range);
    let running = "SELECT SUM(amount) OVER (PARTITION BY customer ORDER BY ts) FROM orders";
    grows(
        running,
        &[
            "OVER by customer keeps what frames go on from per (customer)",
            "RANGE BETWEEN INTERVAL",
        ],
    );
    is_bounded("", "SELECT SUM(amount) OVER (ORDER BY ts) FROM orders");
    let pattern = |within: &str| {
        format!(
            "SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY ts MEASURES A.id AS first PATTERN (A B+ C) {within} DEFINE A AS A.amount > 1, B AS B.amount > 2, C AS C.amount > 3)"
        )
    };
    let within = pattern("WITHIN INTERVAL '10' MINUTE");
    keeps(
        "",
        &within,
        "the rows of open matches per (customer) until ts + 10 min",
    );
    is_bounded("", &within);
    grows(
        &pattern(""),
        &["MATCH_RECOGNIZE by customer keeps", "WITHIN"],
    );
    let counted = "SELECT customer, COUNT(*) FROM TABLE(COUNT_TUMBLE(TABLE orders PARTITION BY customer, SIZE => 100)) GROUP BY customer, window_start, window_end";
    keeps("", counted, "the last 100 rows per (customer)");
}

#[test]
fn what_would_bound_it_is_named() {
    let windows = "group by windows of time";
    let ttl = "SET 'table.exec.state.ttl'";
    grows(
        BY_CUSTOMER,
        &[
            "state grows",
            "GROUP BY customer keeps a group per (customer)",
            windows,
            ttl,
        ],
    );
    grows(
        PAID,
        &[
            "every row of the left and every row of the right",
            "BETWEEN b.ts",
            ttl,
        ],
    );
    let (_, warning) = plan("", "SELECT page, COUNT(*) FROM clicks GROUP BY page");
    let warning = warning.unwrap();
    assert!(
        warning.contains(ttl) && !warning.contains(windows),
        "{warning}"
    );
    let distinct = "SELECT DISTINCT page FROM clicks";
    grows(distinct, &["DISTINCT page keeps a group per (page)"]);
}

#[test]
fn nothing_is_warned_of_that_has_an_end() {
    is_bounded(DAY, BY_CUSTOMER);
    is_bounded(DAY, PAID);
    is_bounded("", "SELECT COUNT(*), SUM(amount) FROM orders");
    is_bounded("", "SELECT rate, COUNT(*) FROM rates GROUP BY rate");
    is_bounded("", "SELECT region, COUNT(*) FROM customers GROUP BY region");
    is_bounded("", "SELECT id, amount FROM orders WHERE amount > 3");
    // The rows of one side are as many as they are.
    let customers = "SELECT o.id, c.region FROM orders o JOIN customers c ON o.customer = c.id";
    grows(
        customers,
        &["the join on customer = id keeps every row of the left\n"],
    );
}

#[test]
fn a_job_and_explain_say_the_same_and_name_the_first_few() {
    let insert = format!("INSERT INTO totals {BY_CUSTOMER}");
    let job = session("").job(&insert).unwrap();
    let said = job.growing.unwrap().to_string();
    assert_eq!(plan("", &insert).1.unwrap(), said);
    assert!(session(DAY).job(&insert).unwrap().growing.is_none());
    let many: Vec<String> = (0..8)
        .map(|n| {
            format!("SELECT amount + {n} AS a, COUNT(*) AS n FROM orders GROUP BY amount + {n}")
        })
        .collect();
    grows(
        &many.join(" UNION ALL "),
        &["3 more, which EXPLAIN CHANGELOG_MODE names"],
    );
}
