//! Which joins are in event time, how long they keep rows, and what stays a time attribute.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::element::ChangelogMode;

use super::ceil_ms;
use crate::fixture::{Session, says};

const TABLES: &str = "
CREATE TABLE a (id BIGINT NOT NULL, v INT, t TIMESTAMP(3), WATERMARK FOR t AS t - INTERVAL '4' SECOND) WITH ('connector' = 'stream');
CREATE TABLE b (id BIGINT NOT NULL, v INT, t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'stream');
CREATE TABLE fine (id BIGINT NOT NULL, t TIMESTAMP(6), WATERMARK FOR t AS t) WITH ('connector' = 'stream');
CREATE TABLE zoned (id BIGINT NOT NULL, t TIMESTAMP_LTZ(3), WATERMARK FOR t AS t) WITH ('connector' = 'stream');
CREATE TABLE untimed (id BIGINT NOT NULL, t TIMESTAMP(3), p AS PROCTIME()) WITH ('connector' = 'stream');
CREATE TABLE changing (id BIGINT NOT NULL, t TIMESTAMP(3), WATERMARK FOR t AS t, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE files (id BIGINT, t TIMESTAMP(3)) WITH ('connector' = 'append');
CREATE VIEW wa AS SELECT * FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(t), INTERVAL '10' SECOND));
CREATE VIEW wb AS SELECT * FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(t), INTERVAL '10' SECOND));
CREATE VIEW counts AS SELECT id, window_start, window_end, window_time, COUNT(*) AS n
  FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(t), INTERVAL '10' SECOND)) GROUP BY id, window_start, window_end, window_time;
";

#[track_caller]
fn plan(sql: &str) -> String {
    let explain = format!("EXPLAIN CHANGELOG_MODE {sql}");
    let plan = Session::with(TABLES).run(&explain);
    plan.map_err(|error| error.render(&explain)).unwrap()
}

/// The lines of the plan that are joins, from the last to the first.
fn joins(plan: &str) -> Vec<&str> {
    let lines = plan.lines().map(str::trim);
    lines.filter(|line| line.contains("Join(")).collect()
}

/// The first line of a join has all of `expect`.
#[track_caller]
fn check(sql: &str, expect: &[&str]) {
    let plan = plan(sql);
    let join = joins(&plan).first().copied().unwrap_or_default();
    for part in expect {
        assert!(join.contains(part), "{sql}\nhas no {part:?} in\n{plan}");
    }
}

/// Rows of `a` and `b` are joined by this, within these bounds of `a.t - b.t`.
#[track_caller]
fn within(condition: &str, bounds: &str) {
    let expect = format!("time=[left.t - right.t {bounds}]");
    let on = format!("SELECT a.v, b.v AS w FROM a JOIN b ON a.id = b.id AND {condition}");
    check(&on, &["IntervalJoin(kind=inner", &expect]);
    let filtered = format!("SELECT a.v, b.v AS w FROM a, b WHERE a.id = b.id AND {condition}");
    check(&filtered, &["IntervalJoin(kind=inner", &expect]);
}

/// A join that keeps its rows for ever.
#[track_caller]
fn regular(sql: &str) {
    let plan = plan(sql);
    let starts = |line: &&str| {
        line.starts_with("Join(")
            && line.contains("state=[every row of the left, every row of the right]")
    };
    assert!(joins(&plan).first().is_some_and(starts), "{sql}\n{plan}");
}

/// Rows of `a` and `b` that are joined by this are kept for ever.
#[track_caller]
fn for_ever(condition: &str) {
    regular(&format!(
        "SELECT a.v, b.v AS w FROM a JOIN b ON a.id = b.id AND {condition}"
    ));
}

#[test]
fn bounds_from_both_sides_make_an_interval_join() {
    let five = "INTERVAL '5' SECOND";
    let nine = "INTERVAL '9' SECOND";
    for condition in [
        format!("a.t BETWEEN b.t - {five} AND b.t + {nine}"),
        format!("a.t >= b.t - {five} AND a.t <= b.t + {nine}"),
        format!("b.t - {five} <= a.t AND b.t + {nine} >= a.t"),
        format!("a.t + {five} >= b.t AND a.t - {nine} <= b.t"),
        format!("b.t <= a.t + {five} AND b.t >= a.t - {nine}"),
        format!("b.t BETWEEN a.t - {nine} AND a.t + {five}"),
        // One ms more is kept than strict comparisons need.
        format!("a.t > b.t - {five} AND a.t < b.t + {nine}"),
        format!("NOT (a.t < b.t - {five}) AND NOT a.t > b.t + {nine}"),
        format!(
            "a.t >= b.t - {five} + {nine} - {nine} AND a.t - {five} <= b.t + INTERVAL '4' SECOND"
        ),
        format!(
            "a.t >= b.t - {five} AND a.t >= b.t - {nine} AND a.t <= b.t + {nine} AND a.t <= b.t + INTERVAL '1' DAY"
        ),
    ] {
        within(&condition, "from -5000ms to 9000ms");
    }
    within(
        "a.t BETWEEN b.t AND b.t + INTERVAL '1' HOUR",
        "from 0ms to 3600000ms",
    );
    within(
        "a.t >= b.t AND a.t < b.t + INTERVAL '1' DAY",
        "from 0ms to 86400000ms",
    );
}

#[test]
fn equal_times_are_an_interval_of_nothing() {
    within("a.t = b.t", "from 0ms to 0ms");
    within("a.t = b.t + INTERVAL '5' SECOND", "from 5000ms to 5000ms");
    within("a.t + INTERVAL '5' SECOND = b.t", "from -5000ms to -5000ms");
    check(
        "SELECT a.v, b.v AS w FROM a JOIN b ON a.t = b.t",
        &["IntervalJoin(kind=inner, on=[t = t]", "from 0ms to 0ms"],
    );
    check(
        "SELECT v FROM a WHERE t IN (SELECT t FROM b)",
        &["IntervalJoin(kind=semi", "from 0ms to 0ms"],
    );
    // NULL has partners here, whenever they come.
    regular("SELECT a.v, b.v AS w FROM a JOIN b ON a.t IS NOT DISTINCT FROM b.t");
}

#[test]
fn intervals_may_lie_on_one_side_of_a_row() {
    within(
        "b.t BETWEEN a.t + INTERVAL '5' SECOND AND a.t + INTERVAL '10' SECOND",
        "from -10000ms to -5000ms",
    );
    within(
        "a.t BETWEEN b.t + INTERVAL '5' SECOND AND b.t + INTERVAL '10' SECOND",
        "from 5000ms to 10000ms",
    );
}

#[test]
fn months_last_as_long_as_they_may() {
    let day = 86_400_000_i64;
    let (short, long) = (28 * day, 31 * day);
    within(
        "a.t BETWEEN b.t - INTERVAL '1' MONTH AND b.t + INTERVAL '2' MONTH",
        &format!("from -{long}ms to {}ms", 2 * long),
    );
    within(
        "a.t BETWEEN b.t + INTERVAL '1' MONTH AND b.t + INTERVAL '1' YEAR",
        &format!("from {short}ms to {}ms", 12 * long),
    );
    within(
        "a.t - INTERVAL '1' MONTH <= b.t AND a.t >= b.t",
        &format!("from 0ms to {long}ms"),
    );
}

#[test]
fn precisions_may_differ() {
    let of =
        |condition: &str| format!("SELECT a.v FROM a JOIN fine f ON a.id = f.id AND {condition}");
    check(
        &of("a.t BETWEEN f.t - INTERVAL '5' SECOND AND f.t"),
        &["IntervalJoin(kind=inner", "from -5000ms to 0ms"],
    );
    check(
        &of("a.t = f.t"),
        &["IntervalJoin(kind=inner", "from 0ms to 0ms"],
    );
    // What is cut off may be as much as a millisecond, or as a tenth of a second.
    check(
        &of(
            "a.t BETWEEN CAST(f.t - INTERVAL '5' SECOND AS TIMESTAMP(3)) AND CAST(f.t AS TIMESTAMP(3))",
        ),
        &["IntervalJoin(kind=inner", "from -5001ms to 0ms"],
    );
    check(
        &of("CAST(a.t AS TIMESTAMP(1)) BETWEEN f.t AND f.t + INTERVAL '5' SECOND"),
        &["IntervalJoin(kind=inner", "from 0ms to 5100ms"],
    );
    check(
        &of(
            "CAST(CAST(a.t AS TIMESTAMP(6)) AS TIMESTAMP(9)) BETWEEN f.t AND f.t + INTERVAL '0.0001' SECOND",
        ),
        &["IntervalJoin(kind=inner", "from 0ms to 1ms"],
    );
}

#[test]
fn instants_are_compared_with_instants() {
    check(
        "SELECT x.id FROM zoned x JOIN zoned y ON x.id = y.id AND x.t BETWEEN y.t AND y.t + INTERVAL '1' DAY",
        &["IntervalJoin(kind=inner", "from 0ms to 86400000ms"],
    );
    // How far a clock is from UTC is another thing in summer.
    regular(
        "SELECT z.id FROM zoned z JOIN a ON z.id = a.id AND z.t BETWEEN a.t AND a.t + INTERVAL '1' DAY",
    );
}

#[test]
fn other_conditions_bound_nothing() {
    for condition in [
        "a.t >= b.t - INTERVAL '5' SECOND",
        "a.t <= b.t",
        "a.t <> b.t",
        "(a.t = b.t OR a.v = 3)",
        "a.t >= b.t AND a.t <= TIMESTAMP '2026-01-01 00:00:00'",
        // Nothing is between them.
        "a.t BETWEEN b.t + INTERVAL '5' SECOND AND b.t - INTERVAL '5' SECOND",
        "a.t = b.t AND a.t > b.t + INTERVAL '1' SECOND",
    ] {
        for_ever(condition);
    }
}

#[test]
fn only_event_time_lets_rows_go() {
    regular(
        "SELECT a.v FROM a JOIN untimed u ON a.id = u.id AND a.t BETWEEN u.t AND u.t + INTERVAL '5' SECOND",
    );
    regular(
        "SELECT x.id FROM untimed x JOIN untimed y ON x.id = y.id AND x.p BETWEEN y.p AND y.p + INTERVAL '5' SECOND",
    );
    regular(
        "SELECT a.v FROM a JOIN (SELECT id, t + INTERVAL '1' SECOND AS t FROM untimed) u ON a.id = u.id AND a.t = u.t",
    );
}

#[test]
fn rows_that_are_taken_back_are_joined_for_ever() {
    regular(
        "SELECT a.v FROM a JOIN changing c ON a.id = c.id AND a.t BETWEEN c.t AND c.t + INTERVAL '5' SECOND",
    );
    regular("SELECT a.v FROM changing c LEFT JOIN a ON a.id = c.id AND a.t = c.t");
    regular(
        "SELECT a.v FROM wa AS a JOIN (SELECT DISTINCT window_end FROM wb) AS b ON a.window_end = b.window_end",
    );
}

#[test]
fn the_closest_bounds_count() {
    let joined = "SELECT x.id, x.t AS one, y.t AS two FROM a x JOIN b y ON x.id = y.id AND x.t BETWEEN y.t AND y.t + INTERVAL '5' SECOND";
    let sql = format!(
        "SELECT j.id FROM ({joined}) j JOIN a ON j.id = a.id AND j.one BETWEEN a.t AND a.t + INTERVAL '1' MINUTE AND j.two BETWEEN a.t AND a.t + INTERVAL '10' SECOND"
    );
    check(&sql, &["time=[left.two - right.t from 0ms to 10000ms]"]);
}

#[test]
fn every_kind_appends() {
    let condition = "a.id = b.id AND a.t BETWEEN b.t - INTERVAL '5' SECOND AND b.t";
    let mode = "mode=append [+I]";
    let (left, right) = ("t: event time", "u: event time");
    for (join, kind, times) in [
        ("JOIN", "inner", vec![left, right]),
        ("LEFT JOIN", "left", vec![left]),
        ("RIGHT JOIN", "right", vec![right]),
        ("FULL JOIN", "full", vec![]),
    ] {
        let sql = format!("SELECT a.t, b.t AS u FROM a {join} b ON {condition}");
        let kind = format!("IntervalJoin(kind={kind}");
        check(
            &sql,
            &[
                &kind,
                mode,
                "state=[every row of the left until t + 5 s, every row of the right until t]",
            ],
        );
        let plan = plan(&sql);
        let collect = plan.lines().nth(1).unwrap();
        for time in [left, right] {
            assert_eq!(
                collect.contains(time),
                times.contains(&time),
                "{sql}\n{plan}"
            );
        }
    }
    for (not, kind) in [("", "semi"), ("NOT", "anti")] {
        let sql = format!("SELECT t FROM a WHERE {not} EXISTS (SELECT 1 FROM b WHERE {condition})");
        let kind = format!("IntervalJoin(kind={kind}");
        check(&sql, &[&kind, mode, "time=[t: event time]"]);
    }
}

#[test]
fn other_times_of_the_inputs_are_plain_timestamps() {
    let sql = "SELECT a.t, a.window_time, b.t AS u FROM wa AS a JOIN b ON a.id = b.id AND a.t BETWEEN b.t AND b.t + INTERVAL '5' SECOND";
    let plan = plan(sql);
    let collect = plan.lines().nth(1).unwrap();
    assert!(
        collect.contains("time=[t: event time, u: event time]"),
        "{plan}"
    );
}

#[test]
fn equal_windows_make_a_window_join() {
    let on = "a.id = b.id AND a.window_start = b.window_start AND a.window_end = b.window_end";
    let times = "window_start: window start, window_end: window end, window_time: event time";
    for (join, kind, left) in [
        ("JOIN", "inner", true),
        ("LEFT JOIN", "left", true),
        ("RIGHT JOIN", "right", false),
        ("FULL JOIN", "full", false),
    ] {
        for right in ["wb", "counts"] {
            let sql = format!(
                "SELECT a.t, a.window_start, a.window_end, a.window_time, b.window_time AS other FROM wa a {join} {right} b ON {on}"
            );
            let kind = format!("WindowJoin(kind={kind}");
            let time = "time=[left.window_end = right.window_end]";
            check(
                &sql,
                &[
                    &kind,
                    time,
                    "mode=append [+I]",
                    "state=[every row of the left until window_end, every row of the right until window_end]",
                ],
            );
            let plan = plan(&sql);
            let collect = plan.lines().nth(1).unwrap();
            assert_eq!(collect.contains(times), left, "{sql}\n{plan}");
            // The row's own time may be long past.
            assert!(!collect.contains("[t: event time"), "{sql}\n{plan}");
            let padded = kind.contains("left") || kind.contains("full");
            assert_eq!(
                collect.contains("other: event time"),
                !padded,
                "{sql}\n{plan}"
            );
        }
    }
    check(
        "SELECT v FROM wa AS a WHERE NOT EXISTS (SELECT 1 FROM counts AS b WHERE a.window_end = b.window_end)",
        &["WindowJoin(kind=anti, on=[window_end = window_end]"],
    );
    check(
        "SELECT x.n FROM counts AS x JOIN counts AS y ON x.id = y.n AND x.window_end = y.window_end",
        &["WindowJoin(kind=inner"],
    );
    regular(
        "SELECT a.v FROM wa AS a JOIN wb AS b ON a.id = b.id AND a.window_start = b.window_end",
    );
}

#[test]
fn times_behind_a_join_are_windowed_and_joined_again() {
    let pairs = "SELECT a.id, a.t FROM a JOIN b ON a.id = b.id AND a.t BETWEEN b.t - INTERVAL '5' SECOND AND b.t";
    let mut session = Session::with(TABLES);
    session
        .run(&format!("CREATE VIEW pairs AS {pairs}"))
        .unwrap();
    let windows = "EXPLAIN CHANGELOG_MODE SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE pairs, DESCRIPTOR(t), INTERVAL '10' SECOND)) GROUP BY window_start, window_end";
    let plan = session.run(windows).map_err(|e| e.render(windows)).unwrap();
    assert!(
        plan.contains("WindowAggregate(window=TUMBLE(size=10000ms), time=t"),
        "{plan}"
    );
    let again = "EXPLAIN CHANGELOG_MODE SELECT p.id FROM pairs p LEFT JOIN b ON p.id = b.id AND p.t BETWEEN b.t AND b.t + INTERVAL '1' SECOND";
    let plan = session.run(again).map_err(|e| e.render(again)).unwrap();
    let kinds = [
        ("left", "from 0ms to 1000ms"),
        ("inner", "from -5000ms to 0ms"),
    ];
    for (join, (kind, bounds)) in joins(&plan).iter().zip(kinds) {
        let start = format!("IntervalJoin(kind={kind}");
        assert!(join.starts_with(&start) && join.contains(bounds), "{plan}");
    }
    let by_window = "SELECT a.window_start, a.window_end, COUNT(*) AS n FROM wa a JOIN wb b ON a.id = b.id AND a.window_start = b.window_start AND a.window_end = b.window_end GROUP BY a.window_start, a.window_end";
    let plan = self::plan(by_window);
    assert!(
        plan.contains("WindowAggregate(window=TUMBLE(size=1ms)"),
        "{plan}"
    );
}

#[test]
fn times_that_may_be_missing_have_no_windows() {
    let pairs =
        "CREATE VIEW pairs AS SELECT a.t, b.t AS u FROM a LEFT JOIN b ON a.id = b.id AND a.t = b.t";
    let mut session = Session::with(TABLES);
    session.run(pairs).unwrap();
    let window = |time: &str| {
        format!(
            "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE pairs, DESCRIPTOR({time}), INTERVAL '1' SECOND)) GROUP BY window_start, window_end"
        )
    };
    session.run(&window("t")).unwrap();
    let error = session.run(&window("u")).unwrap_err();
    says(
        error,
        &window("u"),
        &["LV-1014", "u is none", "for want of a partner"],
    );
}

#[test]
fn files_take_outer_joins_that_say_each_row_once() {
    let insert = |condition: &str| {
        format!(
            "INSERT INTO files SELECT a.id, b.t FROM a LEFT JOIN b ON a.id = b.id AND {condition}"
        )
    };
    let session = Session::with(TABLES);
    let bounded = insert("a.t BETWEEN b.t AND b.t + INTERVAL '5' SECOND");
    assert_eq!(session.job(&bounded).unwrap().mode, ChangelogMode::Append);
    let unbounded = insert("a.t >= b.t");
    says(
        session.job(&unbounded).unwrap_err(),
        &unbounded,
        &["inserts only"],
    );
}

#[test]
fn somebody_waits_for_the_watermarks() {
    let plan = plan(
        "SELECT a.v FROM a JOIN b ON a.id = b.id AND a.t BETWEEN b.t AND b.t + INTERVAL '5' SECOND",
    );
    assert_eq!(plan.matches("watermark=").count(), 2, "{plan}");
    let by_window = "SELECT a.v FROM wa a JOIN wb b ON a.window_end = b.window_end";
    let plan = self::plan(by_window);
    assert_eq!(plan.matches("watermark=").count(), 2, "{plan}");
}

#[test]
fn milliseconds_are_rounded_up() {
    for (nanos, ms) in [
        (0, 0),
        (1, 1),
        (1_000_000, 1),
        (1_000_001, 2),
        (-1, 0),
        (-999_999, 0),
        (-1_000_001, -1),
    ] {
        assert_eq!(ceil_ms(nanos), Some(ms), "{nanos}");
    }
    assert_eq!(ceil_ms(i128::from(i64::MAX) * 1_000_000), Some(i64::MAX));
    assert_eq!(ceil_ms(i128::from(i64::MAX) * 1_000_000 + 1), None);
    assert_eq!(ceil_ms(-i128::from(i64::MAX) * 2_000_000), None);
}
