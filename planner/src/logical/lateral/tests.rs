//! Which LATERAL subqueries are no joins, and where that is said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::fixture::{Session, says};

const TABLES: &str = "
CREATE TABLE a (x INT, y INT) WITH ('connector' = 'stream');
CREATE TABLE b (x INT, z INT) WITH ('connector' = 'stream');
";

#[track_caller]
fn refused(sql: &str, expect: &[&str]) {
    says(Session::with(TABLES).run(sql).unwrap_err(), sql, expect);
}

#[track_caller]
fn explained(sql: &str) -> String {
    let explain = format!("EXPLAIN {sql}");
    let plan = Session::with(TABLES).run(&explain);
    plan.map_err(|error| error.render(&explain)).unwrap()
}

#[test]
fn a_refusal_stands_where_its_subquery_stands() {
    refused(
        "SELECT * FROM a, LATERAL (SELECT y AS one) AS l,\n  LATERAL (SELECT z FROM b WHERE b.x = a.x LIMIT 1) AS m",
        &["LV-1011", "LIMIT and without ORDER BY", "line 2, column 12"],
    );
}

#[test]
fn what_counts_rows_compares_for_equality() {
    for (subquery, what) in [
        ("SELECT MAX(z) AS m FROM b WHERE b.x < a.x", "an aggregate"),
        ("SELECT DISTINCT z FROM b WHERE b.x < a.x", "DISTINCT"),
        (
            "SELECT z FROM b WHERE b.x <> a.x ORDER BY z LIMIT 1",
            "LIMIT",
        ),
        (
            "SELECT MAX(z) AS m FROM b WHERE b.x = a.x OR b.z = a.y",
            "an aggregate",
        ),
        ("SELECT MAX(z) AS m FROM b WHERE a.x > 1", "an aggregate"),
        (
            "SELECT MAX(z) AS m FROM b WHERE b.x + a.y = a.x",
            "an aggregate",
        ),
    ] {
        refused(
            &format!("SELECT * FROM a, LATERAL ({subquery}) AS l"),
            &["LV-1011", what, "not an equality", "line 1, column 27"],
        );
    }
}

#[test]
fn what_no_join_can_say_is_refused() {
    for (subquery, what) in [
        (
            "SELECT SUM(z + a.y) AS s FROM b WHERE b.x = a.x",
            "aggregates them",
        ),
        (
            "SELECT z, COUNT(*) AS n FROM b WHERE b.x = a.x GROUP BY ROLLUP (z)",
            "GROUPING SETS",
        ),
        (
            "SELECT COUNT(*) AS n FROM b WHERE b.x = a.x HAVING COUNT(*) > 1",
            "HAVING",
        ),
        (
            "SELECT z FROM b WHERE b.x = a.x UNION ALL SELECT 1",
            "below UNION",
        ),
        (
            "SELECT ROW_NUMBER() OVER (ORDER BY z) AS n FROM b WHERE b.x = a.x",
            "below OVER",
        ),
        (
            "SELECT z FROM b WHERE b.x = a.x ORDER BY z + a.y LIMIT 1",
            "ORDER BY columns of the left side",
        ),
        (
            "SELECT l.z FROM b AS l LEFT JOIN b AS r ON l.x = r.x AND r.z = a.y",
            "below an outer join",
        ),
        (
            "SELECT s + 1 AS s FROM (SELECT z + a.y AS s FROM b WHERE b.x = a.x) AS i",
            "below another query",
        ),
    ] {
        refused(
            &format!("SELECT * FROM a, LATERAL ({subquery}) AS l"),
            &["LV-1011", what, "line 1, column 27"],
        );
    }
}

#[test]
fn joins_take_the_left_side_first() {
    refused(
        "SELECT * FROM a RIGHT JOIN LATERAL (SELECT z FROM b WHERE b.x = a.x) AS l ON TRUE",
        &["LV-1011", "LATERAL", "line 1, column 37"],
    );
    refused(
        "SELECT * FROM a LEFT JOIN LATERAL (SELECT COUNT(*) AS n FROM b WHERE b.x = a.x) AS l ON n > 1",
        &["LV-1011", "ON TRUE", "line 1, column 36"],
    );
    refused(
        "SELECT * FROM a, b JOIN LATERAL (SELECT a.y + 1 AS z) AS l ON TRUE",
        &[
            "LV-1011",
            "left of it in the same join",
            "one after another",
        ],
    );
}

#[test]
fn a_table_function_gives_an_array_or_a_map() {
    refused(
        "SELECT * FROM a, LATERAL TABLE(ABS(y)) AS t (z)",
        &["LV-1008", "ABS gives INT", "line 1, column 32"],
    );
    refused(
        "SELECT * FROM a, LATERAL TABLE(STR_TO_MAP('a=b')) AS t (z)",
        &["STR_TO_MAP gives 2 columns", "key, value"],
    );
    refused(
        "SELECT * FROM a, LATERAL TABLE(TUMBLE(TABLE a, DESCRIPTOR(x), INTERVAL '1' DAY)) AS t",
        &["LV-1011", "without LATERAL"],
    );
}

#[test]
fn a_subquery_that_computes_alone_is_no_join() {
    let plan = explained("SELECT x, l.more FROM a, LATERAL (SELECT y + 1 AS more) AS l");
    assert!(!plan.contains("Join("), "{plan}");
}
