//! Which joins become one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::fixture::Session;

const TABLES: &str = "
CREATE TABLE a (k BIGINT, x BIGINT, v INT, t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'stream');
CREATE TABLE b (k BIGINT, x BIGINT, v INT, t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'stream');
CREATE TABLE c (k BIGINT, x BIGINT, v INT) WITH ('connector' = 'stream');
CREATE TABLE narrow (k INT, v INT) WITH ('connector' = 'stream');
CREATE TABLE keyed (k BIGINT NOT NULL, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE known (k BIGINT NOT NULL, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE sink (k BIGINT NOT NULL, v INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert');
";

#[track_caller]
fn plan(sets: &str, sql: &str) -> String {
    let explain = format!("EXPLAIN CHANGELOG_MODE {sql}");
    let plan = Session::with(&format!("{TABLES}{sets}")).run(&explain);
    plan.map_err(|error| error.render(&explain)).unwrap()
}

/// How many joins of two inputs and of several a query has.
#[track_caller]
fn joins(sets: &str, sql: &str, pairs: usize, several: &[&str]) {
    let plan = plan(sets, sql);
    let starts = |name: &str| {
        let lines = plan.lines().map(str::trim_start);
        lines.filter(|line| line.starts_with(name)).count()
    };
    assert_eq!(starts("Join("), pairs, "{sql}\n{plan}");
    assert_eq!(starts("MultiJoin("), several.len(), "{sql}\n{plan}");
    for part in several {
        assert!(plan.contains(part), "{sql}\n{plan}\nhas no {part}");
    }
}

const THREE: &str = "SELECT a.v, b.v AS w, c.v AS u FROM a JOIN b ON a.k = b.k JOIN c ON";

#[test]
fn joins_on_one_key_are_one() {
    for on in ["a.k = c.k", "b.k = c.k", "c.k = a.k"] {
        let sql = format!("{THREE} {on}");
        joins(
            "",
            &sql,
            0,
            &["MultiJoin(kinds=[inner, inner], on=[(k) = (k) = (k)])"],
        );
    }
    let four = format!("{THREE} a.k = c.k JOIN a AS d ON c.k = d.k");
    joins("", &four, 0, &["kinds=[inner, inner, inner]"]);
    let plan = plan("", &four);
    assert!(
        plan.contains("state=[every row of input 1, every row of input 2,"),
        "{plan}"
    );
    assert!(plan.contains("the join on k = k = k = k keeps"), "{plan}");
}

#[test]
fn keys_of_several_columns_are_put_in_order() {
    let sql =
        "SELECT a.v FROM a JOIN b ON a.k = b.k AND a.x = b.x JOIN c ON a.x = c.v AND b.k = c.k";
    joins(
        "",
        sql,
        0,
        &["on=[(k, x) = (k, x) = (k, CAST(v AS Int64))]"],
    );
    let sql =
        "SELECT a.v FROM a JOIN b ON a.k = b.k AND a.x = b.x JOIN c ON a.x = c.k AND b.k = c.x";
    joins("", sql, 0, &["on=[(k, x) = (k, x) = (x, k)]"]);
}

#[test]
fn inputs_that_may_be_missing_are_joined_as_well() {
    let left = "SELECT a.v, b.v AS w, c.v AS u FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON";
    joins("", &format!("{left} a.k = c.k"), 0, &["kinds=[left, left]"]);
    // With its partner, its key may be missing.
    joins("", &format!("{left} b.k = c.k"), 2, &[]);
    let mixed = "SELECT a.v, c.v AS u FROM a JOIN b ON a.k = b.k LEFT JOIN c ON b.k = c.k";
    joins("", mixed, 0, &["kinds=[inner, left]"]);
    let mixed = "SELECT a.v, b.v AS w FROM a LEFT JOIN b ON a.k = b.k JOIN c ON a.k = c.k";
    joins("", mixed, 0, &["kinds=[left, inner]"]);
    for kind in ["RIGHT", "FULL"] {
        let other = left.replace("LEFT JOIN c", &format!("{kind} JOIN c"));
        joins("", &format!("{other} a.k = c.k"), 2, &[]);
    }
}

#[test]
fn what_is_more_than_one_key_stays_a_chain() {
    for on in [
        "a.x = c.k",
        "a.k = c.k AND a.x = c.x",
        "a.k = c.k AND a.v < c.v",
    ] {
        joins("", &format!("{THREE} {on}"), 2, &[]);
    }
    let inner = "SELECT a.v FROM a JOIN b ON a.k = b.k AND a.v < b.v JOIN c ON a.k = c.k";
    joins("", inner, 2, &[]);
    let cast = "SELECT a.v FROM a JOIN narrow b ON a.k = b.k JOIN c ON a.k = c.k";
    joins("", cast, 0, &["kinds=[inner, inner]"]);
    let timed = "SELECT a.v FROM a JOIN b ON a.k = b.k AND a.t BETWEEN b.t AND b.t + INTERVAL '1' HOUR JOIN c ON a.k = c.k";
    joins("", timed, 1, &[]);
    let without = "SELECT a.v FROM a CROSS JOIN b CROSS JOIN c";
    joins("", without, 2, &[]);
    let semi = format!("{THREE} a.k = c.k WHERE a.k IN (SELECT k FROM keyed)");
    joins("", &semi, 1, &["kinds=[inner, inner]"]);
}

#[test]
fn rows_with_a_time_to_live_are_joined_only_where_none_may_be_missing() {
    let day = "SET 'table.exec.state.ttl' = '1 d';";
    joins(
        day,
        &format!("{THREE} a.k = c.k"),
        0,
        &["every row of input 3 for 1 d"],
    );
    let left = "SELECT a.v FROM a LEFT JOIN b ON a.k = b.k LEFT JOIN c ON a.k = c.k";
    joins(day, left, 2, &[]);
    let hinted =
        "SELECT /*+ STATE_TTL('c' = '1 d') */ a.v FROM a JOIN b ON a.k = b.k JOIN c ON a.k = c.k";
    joins("", hinted, 2, &[]);
}

#[test]
fn a_chain_that_is_wanted_stays() {
    let chain = "SET 'table.optimizer.multi-join.enabled' = 'false';";
    joins(chain, &format!("{THREE} a.k = c.k"), 2, &[]);
}

#[test]
fn a_join_that_others_read_stays() {
    let with = "WITH ab AS (SELECT a.k, a.v, b.v AS w FROM a JOIN b ON a.k = b.k) \
                SELECT ab.k, ab.v FROM ab JOIN c ON ab.k = c.k UNION ALL SELECT k, v FROM ab";
    joins("", with, 2, &[]);
}

#[test]
fn changes_of_a_key_come_from_one_place() {
    let sql = "INSERT INTO sink SELECT keyed.k, keyed.v FROM keyed JOIN known ON keyed.k = known.k JOIN c ON keyed.k = c.k";
    joins("", sql, 0, &["UpsertMaterialize("]);
    let unique = "INSERT INTO sink SELECT keyed.k, one.v FROM keyed LEFT JOIN known ON keyed.k = known.k \
                  LEFT JOIN (SELECT k, MAX(v) AS v FROM c GROUP BY k) AS one ON keyed.k = one.k";
    let plan = plan("", unique);
    assert!(
        plan.contains("MultiJoin(") && !plan.contains("UpsertMaterialize"),
        "{plan}"
    );
}
