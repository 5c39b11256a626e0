//! What functions with OVER become, and which are refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::fixture::{Session, says};

const TABLES: &str = "
CREATE TABLE bids (
  id BIGINT NOT NULL,
  auction BIGINT,
  price INT,
  tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE sales (id BIGINT NOT NULL, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector' = 'stream');
CREATE TABLE prices (id BIGINT NOT NULL, auction BIGINT, price INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE by_id (id BIGINT, s BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE appends (id BIGINT, s BIGINT) WITH ('connector' = 'append');
";

fn plan(sql: &str) -> String {
    let mut session = Session::with(TABLES);
    let explain = format!("EXPLAIN CHANGELOG_MODE {sql}");
    let plan = session.run(&explain);
    plan.map_err(|error| error.render(&explain)).unwrap()
}

/// The nodes that compute values begin so, from the last to the first.
#[track_caller]
fn check(sql: &str, expect: &[&str]) {
    let plan = plan(sql);
    let is_over = |line: &&str| line.starts_with("Over(");
    let overs: Vec<&str> = plan.lines().map(str::trim).filter(is_over).collect();
    let mut pairs = overs.iter().zip(expect);
    let same = overs.len() == expect.len() && pairs.all(|(over, part)| over.contains(part));
    assert!(same, "{sql}\n{expect:#?}\n{plan}");
}

#[track_caller]
fn refused(sql: &str, expect: &[&str]) {
    says(Session::with(TABLES).run(sql).unwrap_err(), sql, expect);
}

#[test]
fn rows_go_out_once_where_functions_look_back_in_time() {
    for (over, form) in [
        (
            "SUM(price) OVER (PARTITION BY auction ORDER BY ts)",
            "event time",
        ),
        ("SUM(price) OVER (ORDER BY ts, 1)", "event time"),
        ("LAG(price) OVER (ORDER BY ts)", "event time"),
        (
            "COUNT(*) OVER (PARTITION BY auction ORDER BY pt)",
            "arrival",
        ),
        ("LEAD(price) OVER (ORDER BY ts)", "corrected"),
        ("LEAD(price) OVER (ORDER BY pt)", "corrected"),
        ("NTILE(3) OVER (ORDER BY ts)", "corrected"),
        ("SUM(price) OVER (ORDER BY ts DESC)", "corrected"),
        ("SUM(price) OVER (ORDER BY ts, id)", "corrected"),
        ("SUM(price) OVER (ORDER BY price)", "corrected"),
        ("SUM(price) OVER (PARTITION BY auction)", "corrected"),
        (
            "SUM(price) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
            "corrected",
        ),
    ] {
        check(
            &format!("SELECT id, {over} FROM bids"),
            &[&format!("strategy=[{form}]")],
        );
    }
    check(
        "SELECT SUM(price) OVER (ORDER BY price) FROM prices",
        &["strategy=[retract]"],
    );
}

#[test]
fn what_is_known_about_rows_behind() {
    let range = "RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW";
    check(
        &format!("SELECT ts, SUM(price) OVER (PARTITION BY auction ORDER BY ts {range}) FROM bids"),
        &["mode=append [+I], time=[ts: event time], state=[every row until ts + 1 min]"],
    );
    check(
        "SELECT ts, SUM(price) OVER (PARTITION BY auction ORDER BY ts) FROM bids",
        &[
            "mode=append [+I], time=[ts: event time], state=[every row until ts, what frames go on from per (auction)]",
        ],
    );
    check(
        "SELECT id, SUM(price) OVER (PARTITION BY auction ORDER BY id) FROM prices",
        &["mode=retract [+I, -U, +U, -D], keys=[(id)], state=[every row per (auction)]"],
    );
    // Numbers in order of time are never taken back.
    check(
        "SELECT auction, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY ts) FROM bids",
        &["keys=[(auction, ROW_NUMBER())]"],
    );
}

#[test]
fn functions_over_other_orders_are_other_nodes() {
    check(
        "SELECT SUM(price) OVER (ORDER BY ts), COUNT(*) OVER (PARTITION BY auction ORDER BY ts), MAX(price) OVER (ORDER BY ts) FROM bids",
        &["SUM(price) RANGE", "COUNT(*)"],
    );
    check(
        "SELECT RANK() OVER w, SUM(price) OVER w FROM bids WINDOW w AS (ORDER BY price)",
        &["select=[RANK(), SUM(price)"],
    );
}

#[test]
fn a_sink_takes_what_comes_in_order() {
    let insert = |sink: &str, query: &str| {
        let sql = format!("INSERT INTO {sink} {query}");
        Session::with(TABLES)
            .job(&sql)
            .map(|_| ())
            .map_err(|e| e.render(&sql))
    };
    let in_time = "SELECT id, SUM(price) OVER (PARTITION BY auction ORDER BY ts) FROM bids";
    insert("appends", in_time).unwrap();
    let corrected = "SELECT id, SUM(price) OVER (ORDER BY id) FROM prices";
    insert("by_id", corrected).unwrap();
    let error = insert("appends", corrected).unwrap_err();
    assert!(error.contains("LV-10"), "{error}");
}

#[test]
fn what_streams_do_not_know_is_refused_where_it_stands() {
    let refuse = |over: &str, what: &str| {
        refused(
            &format!("SELECT {over} FROM bids"),
            &["LV-1011", what, "line 1, column 8"],
        );
    };
    refuse("STDDEV(price) OVER (ORDER BY ts)", "STDDEV with OVER");
    refuse("COUNT(*) OVER (ORDER BY ts GROUPS 2 PRECEDING)", "GROUPS");
    refuse(
        "COUNT(*) OVER (ORDER BY ts RANGE INTERVAL '1' MONTH PRECEDING)",
        "months or years",
    );
    refuse(
        "COUNT(*) OVER (ORDER BY CAST(price AS DOUBLE) RANGE 1 PRECEDING)",
        "between values of type DOUBLE",
    );
    refuse(
        "COUNT(*) OVER (ORDER BY pt RANGE INTERVAL '1' MINUTE PRECEDING)",
        "in processing time",
    );
    refuse("NTH_VALUE(price, -1) OVER (ORDER BY ts)", "is -1");
    refuse("LAG(price, id) OVER (ORDER BY ts)", "");
    refuse(
        "COUNT(*) OVER (PARTITION BY tags)",
        "PARTITION BY a column of type ARRAY<STRING>",
    );
    refuse("MAX(tags) OVER (ORDER BY ts)", "MAX of ARRAY<STRING>");
    refused(
        "SELECT id FROM prices QUALIFY SUM(price) OVER (ORDER BY PROCTIME() DESC) > 1",
        &["LV-1011", "PROCTIME()", "line 1, column 31"],
    );
}

#[test]
fn a_window_can_stand_behind_rows_in_order_of_time_only() {
    let window = |over: &str| {
        format!(
            "SELECT MAX(x) FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end /* {over} */"
        )
    };
    let view = |over: &str| {
        let mut session = Session::with(TABLES);
        let view = format!("CREATE VIEW v AS SELECT ts, {over} AS x FROM bids");
        session.run(&view).unwrap();
        session
    };
    let over = "ROW_NUMBER() OVER (PARTITION BY auction ORDER BY ts)";
    view(over).job(&window(over)).unwrap();
    let over = "ROW_NUMBER() OVER (PARTITION BY auction ORDER BY ts DESC)";
    let sql = window(over);
    let error = view(over).job(&sql).unwrap_err();
    says(error, &sql, &["LV-1014", "behind functions with OVER"]);
}

#[test]
fn only_the_time_that_rows_are_in_order_of_stays_time() {
    // Both are times of the join; a row that waits for the one may be behind the other then.
    for (order, time, stays) in [
        ("ts", "ts", true),
        ("other", "other", true),
        ("ts", "other", false),
        ("other", "ts", false),
    ] {
        let mut session = Session::with(TABLES);
        let view = format!(
            "CREATE VIEW joined AS SELECT *, COUNT(*) OVER (ORDER BY {order}) AS n FROM (
               SELECT b.ts, s.ts AS other FROM bids AS b JOIN sales AS s
               ON b.id = s.id AND s.ts BETWEEN b.ts AND b.ts + INTERVAL '1' HOUR)"
        );
        session.run(&view).unwrap();
        let sql = format!(
            "SELECT window_start, MAX(n) AS n FROM TABLE(TUMBLE(TABLE joined, DESCRIPTOR({time}), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end"
        );
        match session.job(&sql) {
            Ok(_) => assert!(stays, "{sql}"),
            Err(error) if !stays => says(error, &sql, &["LV-1014", "in whose order"]),
            Err(error) => panic!("{}", error.render(&sql)),
        }
    }
    // A window ends behind the times of its rows.
    let shown = plan(
        "SELECT window_start, window_end, SUM(n) AS s FROM (
           SELECT *, COUNT(*) OVER (PARTITION BY auction ORDER BY ts) AS n
           FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
         ) GROUP BY window_start, window_end",
    );
    assert!(shown.contains("WindowAggregate("), "{shown}");
}

#[test]
fn processing_time_is_an_order_of_rows_that_change_only_where_ties_do_not_count() {
    for over in [
        "RANK() OVER (ORDER BY PROCTIME())",
        "SUM(price) OVER (ORDER BY PROCTIME())",
    ] {
        refused(
            &format!("SELECT id, {over} FROM prices"),
            &["LV-1011", "PROCTIME()", "line 1, column 12"],
        );
    }
    for over in [
        "LAG(price) OVER (ORDER BY PROCTIME())",
        "SUM(price) OVER (ORDER BY PROCTIME() ROWS UNBOUNDED PRECEDING)",
    ] {
        check(
            &format!("SELECT id, {over} FROM prices"),
            &["strategy=[retract], key=[], order=[arrival]"],
        );
    }
    // What looks ahead sees that two rows came at one moment.
    check(
        "SELECT id, CUME_DIST() OVER (ORDER BY pt) FROM bids",
        &["strategy=[corrected], key=[], order=[pt]"],
    );
}

#[test]
fn without_an_order_what_looks_back_is_known_at_once() {
    for over in [
        "ROW_NUMBER() OVER (PARTITION BY auction)",
        "LAG(price) OVER (PARTITION BY auction ORDER BY 'x')",
        "SUM(price) OVER (PARTITION BY auction ROWS UNBOUNDED PRECEDING)",
    ] {
        check(
            &format!("SELECT id, {over} FROM bids"),
            &["strategy=[arrival], key=[auction], order=[arrival]"],
        );
    }
    // Here all rows of a partition are equal.
    for over in [
        "RANK() OVER (PARTITION BY auction)",
        "SUM(price) OVER (PARTITION BY auction ORDER BY auction)",
    ] {
        check(
            &format!("SELECT id, {over} FROM bids"),
            &["strategy=[corrected], key=[auction], order=[arrival]"],
        );
    }
    // Distances are in the order, even if it tells nothing.
    check(
        "SELECT id, SUM(price) OVER (PARTITION BY auction ORDER BY auction RANGE 5 PRECEDING) FROM bids",
        &["strategy=[corrected], key=[auction], order=[auction]"],
    );
}
