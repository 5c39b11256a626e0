//! What ranking functions and LIMIT become, and which limits are refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::fixture::{Session, says};

const TABLES: &str = "
CREATE TABLE bids (
  id BIGINT NOT NULL,
  auction BIGINT,
  bidder STRING,
  price INT,
  tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE prices (id BIGINT NOT NULL, auction BIGINT, price INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE VIEW ranked AS SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rn FROM bids;
CREATE VIEW twice AS SELECT a.rn FROM ranked AS a JOIN ranked AS b ON a.rn = b.rn;
CREATE VIEW best AS SELECT * FROM ranked WHERE rn <= 10;
";

#[track_caller]
fn plan(sql: &str) -> String {
    let mut session = Session::with(TABLES);
    let explain = format!("EXPLAIN CHANGELOG_MODE {sql}");
    let plan = session.run(&explain);
    plan.map_err(|error| error.render(&explain)).unwrap()
}

/// The nodes that number rows begin so, from the last to the first.
#[track_caller]
fn check(sql: &str, expect: &[&str]) {
    let plan = plan(sql);
    let is_rank = |line: &&str| line.starts_with("Rank(") || line.starts_with("Deduplicate(");
    let ranks: Vec<&str> = plan.lines().map(str::trim).filter(is_rank).collect();
    let mut pairs = ranks.iter().zip(expect);
    let same = ranks.len() == expect.len() && pairs.all(|(rank, start)| rank.starts_with(start));
    assert!(same, "{sql}\n{expect:#?}\n{plan}");
}

#[track_caller]
fn refused(sql: &str, expect: &[&str]) {
    says(Session::with(TABLES).run(sql).unwrap_err(), sql, expect);
}

/// A query around the number of each bid in its auction.
fn numbered(function: &str, condition: &str) -> String {
    format!(
        "SELECT id FROM (SELECT *, {function}() OVER (PARTITION BY auction ORDER BY price DESC) AS rn FROM bids) WHERE {condition}"
    )
}

#[test]
fn conditions_on_the_number_are_its_range() {
    for (condition, range) in [
        ("rn <= 3", "1 to 3"),
        ("rn < 3", "1 to 2"),
        ("3 >= rn", "1 to 3"),
        ("3 > rn", "1 to 2"),
        ("rn = 2", "2 to 2"),
        ("2 = rn", "2 to 2"),
        ("rn BETWEEN 2 AND 4", "2 to 4"),
        ("rn > 1 AND rn <= 4", "2 to 4"),
        ("1 < rn AND 5 > rn", "2 to 4"),
        ("NOT (rn > 3)", "1 to 3"),
        ("rn <= 2 + 1", "1 to 3"),
        ("rn <= 5 AND rn <= 3 AND rn >= 0", "1 to 3"),
        ("rn <= CAST(3 AS SMALLINT)", "1 to 3"),
    ] {
        for function in ["ROW_NUMBER", "RANK", "DENSE_RANK"] {
            let sql = numbered(function, condition);
            let start = format!(
                "Rank(strategy=[append], function=[{function}], range=[{range}], key=[auction], order=[price DESC]), "
            );
            check(&sql, &[&start]);
        }
    }
}

#[test]
fn what_else_is_asked_stays_a_condition() {
    let rank = "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 3], key=[auction], order=[price DESC])";
    let sql = numbered("ROW_NUMBER", "rn <= 3 AND price > 10");
    check(&sql, &[rank]);
    let shown = plan(&sql);
    assert!(
        shown.contains("Calc(select=[id], where=[price > 10])"),
        "{shown}"
    );
    // A condition on partitions is one on the rows before.
    let sql = numbered("ROW_NUMBER", "rn <= 3 AND auction > 10");
    check(&sql, &[rank]);
    let shown = plan(&sql);
    assert!(shown.contains("where=[auction > 10]"), "{shown}");
    // Some numbers of a range.
    for (condition, range) in [
        ("rn IN (1, 3)", "1 to 3"),
        ("rn IN (2, 5, 7, 4, 9)", "2 to 9"),
        ("rn = 5 OR rn = 2", "2 to 5"),
        ("(rn = 1 AND price > 3) OR rn = 4", "1 to 4"),
        ("rn <= 4 AND rn <> 2", "1 to 4"),
        ("rn <= 4 AND rn % 2 = 0", "1 to 4"),
    ] {
        let start = format!(
            "Rank(strategy=[append], function=[ROW_NUMBER], range=[{range}], key=[auction], order=[price DESC], number)"
        );
        check(&numbered("ROW_NUMBER", condition), &[&start]);
    }
}

#[test]
fn the_number_is_given_where_it_is_read() {
    let top = |columns: &str| {
        format!(
            "SELECT {columns} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price) AS rn FROM bids) WHERE rn <= 2"
        )
    };
    let start = "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 2], key=[auction], order=[price]";
    let without = format!("{start}), ");
    let with = format!("{start}, number), ");
    check(&top("id, rn"), &[&with]);
    check(&top("id, rn + 1 AS next"), &[&with]);
    check(&top("id, price"), &[&without]);
    check(&top("COUNT(*) AS n"), &[&without]);
    check(&top("MAX(rn) AS n"), &[&with]);
    // One that reads it is enough, where several share a rank.
    let both = format!("{} UNION ALL {}", top("id, rn"), top("id, 0"));
    check(&both, &[&with.replace("), ", ") [shared")]);
}

#[test]
fn qualify_views_and_named_windows_say_the_same() {
    let start = "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 3], key=[auction], order=[price DESC]";
    let over = "ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC)";
    for sql in [
        format!("SELECT id FROM bids QUALIFY {over} <= 3"),
        format!("SELECT id, {over} AS rn FROM bids QUALIFY rn <= 3"),
        format!("SELECT id, price FROM bids WHERE price > 0 QUALIFY {over} < 4"),
        format!("WITH r AS (SELECT *, {over} AS rn FROM bids) SELECT id FROM r WHERE rn <= 3"),
        "SELECT id FROM ranked WHERE rn <= 3".to_string(),
        "SELECT id FROM best WHERE rn <= 3".to_string(),
        "SELECT x.id FROM (SELECT r.id, r.rn AS place FROM ranked AS r) AS x WHERE x.place <= 3".to_string(),
        "SELECT id FROM (SELECT *, ROW_NUMBER() OVER w AS rn FROM bids WINDOW w AS (PARTITION BY auction ORDER BY price DESC)) WHERE rn <= 3".to_string(),
        "SELECT p.id FROM prices AS p JOIN ranked AS r ON p.id = r.id AND r.rn <= 3".to_string(),
        "SELECT p.id FROM prices AS p JOIN ranked AS r ON p.id = r.id WHERE r.rn <= 3".to_string(),
        "SELECT p.id FROM prices AS p WHERE EXISTS (SELECT 1 FROM ranked AS r WHERE p.id = r.id AND r.rn <= 3)".to_string(),
    ] {
        check(&sql, &[start]);
    }
    // A rank with two readers has a limit for each.
    check(
        "SELECT id FROM ranked WHERE rn <= 3 UNION ALL SELECT id FROM ranked WHERE rn = 1",
        &[
            start,
            "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 1], key=[auction]",
        ],
    );
}

#[test]
fn conditions_that_have_parts_in_common_limit_too() {
    // The common part becomes a column between the condition and the rank.
    let sql = numbered(
        "ROW_NUMBER",
        "rn <= 3 AND (UPPER(bidder) = 'A' OR LENGTH(UPPER(bidder)) = 7)",
    );
    check(
        &sql,
        &["Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 3], key=[auction]"],
    );
}

#[test]
fn partitions_and_order_can_be_computed() {
    check(
        "SELECT id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction % 7, UPPER(bidder) ORDER BY price * 2, id DESC) AS rn FROM bids) WHERE rn <= 3",
        &[
            "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 3], key=[auction % 7, upper(bidder)], order=[CAST(price AS Int64) * 2, id DESC])",
        ],
    );
    // What is the same for all rows of a partition tells nothing.
    check(
        "SELECT id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction, 1, auction ORDER BY auction, price, 'x', price DESC) AS rn FROM bids) WHERE rn <= 3",
        &[
            "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 3], key=[auction], order=[price])",
        ],
    );
    check(
        "SELECT id FROM (SELECT *, RANK() OVER (ORDER BY price NULLS FIRST, id DESC NULLS LAST) AS rn FROM bids) WHERE rn <= 3",
        &[
            "Rank(strategy=[append], function=[RANK], range=[1 to 3], key=[], order=[price NULLS FIRST, id DESC NULLS LAST])",
        ],
    );
}

#[test]
fn the_first_and_last_in_time_are_deduplication() {
    let one = |order: &str| {
        format!(
            "SELECT id, auction FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY {order}) AS rn FROM bids) WHERE rn = 1"
        )
    };
    let rowtime = ", order=[ROWTIME]), mode=retract";
    for (order, expect) in [
        ("ts", format!("Deduplicate(keep=[FirstRow], key=[auction]{rowtime}")),
        ("ts DESC", format!("Deduplicate(keep=[LastRow], key=[auction]{rowtime}")),
        ("pt", "Deduplicate(keep=[FirstRow], key=[auction], order=[PROCTIME]), mode=append".into()),
        ("PROCTIME()", "Deduplicate(keep=[FirstRow], key=[auction], order=[PROCTIME]), mode=append".into()),
        ("pt DESC", "Deduplicate(keep=[LastRow], key=[auction], order=[PROCTIME]), mode=retract".into()),
        ("ts, id", "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 1], key=[auction], order=[ts, id]), mode=retract".into()),
        ("price", "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 1], key=[auction], order=[price]), mode=retract".into()),
    ] {
        check(&one(order), &[&expect]);
    }
    check(
        "SELECT id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction) AS rn FROM bids) WHERE rn = 1",
        &["Deduplicate(keep=[FirstRow], key=[auction], order=[PROCTIME]), mode=append"],
    );
}

#[test]
fn limit_is_a_rank_of_one_partition() {
    let start = "Rank(strategy=[append], function=[ROW_NUMBER], range=";
    let rank = |rest: &str| format!("{start}{rest}");
    for (sql, rest) in [
        (
            "SELECT id FROM bids LIMIT 3",
            "[1 to 3], key=[], order=[arrival]), mode=append",
        ),
        (
            "SELECT id FROM bids LIMIT 3 OFFSET 2",
            "[3 to 5], key=[], order=[arrival]), mode=append",
        ),
        (
            "SELECT id FROM bids LIMIT 1",
            "[1 to 1], key=[], order=[arrival]), mode=append [+I], keys=[()]",
        ),
        (
            "SELECT id FROM bids FETCH FIRST 3 ROWS ONLY",
            "[1 to 3], key=[], order=[arrival]), mode=append",
        ),
        (
            "SELECT id FROM bids ORDER BY id LIMIT 3",
            "[1 to 3], key=[], order=[id]), mode=retract",
        ),
        (
            "SELECT id FROM bids ORDER BY price DESC, id LIMIT 3",
            "[1 to 3], key=[], order=[price DESC, id]), mode=retract",
        ),
        (
            "SELECT id AS x FROM bids ORDER BY 1 DESC LIMIT 3 OFFSET 1",
            "[2 to 4], key=[], order=[x DESC]), mode=retract",
        ),
        (
            "SELECT id FROM bids ORDER BY price + 1 LIMIT 2 + 1",
            "[1 to 3], key=[], order=[CAST(price AS Int64) + 1]), mode=retract",
        ),
        (
            "SELECT id FROM bids ORDER BY pt LIMIT 3",
            "[1 to 3], key=[], order=[arrival]), mode=append",
        ),
        (
            "SELECT DISTINCT price FROM bids ORDER BY price LIMIT 3",
            "[1 to 3], key=[], order=[price]), mode=retract",
        ),
        (
            "SELECT COUNT(*) AS n FROM (SELECT id FROM bids LIMIT 3)",
            "[1 to 3], key=[], order=[arrival]), mode=append",
        ),
        (
            "SELECT COUNT(*) AS n FROM (SELECT id FROM bids ORDER BY price LIMIT 3) AS t WHERE id > 3",
            "[1 to 3], key=[], order=[price]), mode=retract",
        ),
        (
            "SELECT id FROM bids WHERE auction IN (SELECT auction FROM bids ORDER BY price DESC, id LIMIT 3)",
            "[1 to 3], key=[], order=[price DESC, id]), mode=retract",
        ),
    ] {
        check(sql, &[&rank(rest)]);
    }
    let changing =
        "SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction ORDER BY n DESC, auction LIMIT 5";
    check(
        changing,
        &[
            "Rank(strategy=[retract], function=[ROW_NUMBER], range=[1 to 5], key=[], order=[n DESC, auction]), mode=retract [+I, -U, +U, -D], keys=[(auction)]",
        ],
    );
}

#[test]
fn no_number_is_no_row() {
    for sql in [
        "SELECT id FROM bids LIMIT 0".to_string(),
        "SELECT id FROM bids ORDER BY price LIMIT 0 OFFSET 7".to_string(),
        numbered("ROW_NUMBER", "rn <= 0"),
        numbered("RANK", "rn = -1"),
        numbered("RANK", "rn BETWEEN 3 AND 2"),
        numbered("RANK", "rn < 1 AND price > 0"),
    ] {
        check(&sql, &[]);
        let shown = plan(&sql);
        assert!(shown.contains("Values(rows=0)"), "{shown}");
    }
}

#[test]
fn a_number_that_nobody_reads_is_not_computed() {
    check("SELECT id, price FROM ranked", &[]);
}

#[test]
fn ranks_over_ranks() {
    check(
        "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY price, id) AS r2 FROM best) WHERE r2 <= 3",
        &[
            "Rank(strategy=[retract], function=[ROW_NUMBER], range=[1 to 3], key=[], order=[price, id]), ",
            "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 10], key=[auction], order=[price DESC]), ",
        ],
    );
    check(
        "SELECT id FROM (SELECT id FROM bids ORDER BY price LIMIT 10) ORDER BY id LIMIT 3",
        &[
            "Rank(strategy=[retract], function=[ROW_NUMBER], range=[1 to 3], key=[], order=[id])",
            "Rank(strategy=[append], function=[ROW_NUMBER], range=[1 to 10], key=[], order=[price])",
        ],
    );
}

#[test]
fn numbers_without_a_limit_are_given_to_all_rows() {
    for sql in [
        "SELECT id, ROW_NUMBER() OVER (ORDER BY id) FROM bids",
        "SELECT * FROM ranked",
        "SELECT * FROM ranked WHERE rn > 3",
        "SELECT * FROM twice",
        "SELECT * FROM (SELECT id,\n ROW_NUMBER() OVER (ORDER BY id) AS rn FROM bids) WHERE rn >= 3 OR rn = 1",
        "SELECT * FROM (SELECT id, price, ROW_NUMBER() OVER (ORDER BY id) AS rn FROM bids) WHERE rn <= price",
        "SELECT id FROM bids QUALIFY DENSE_RANK() OVER (ORDER BY price) > 1",
    ] {
        check(sql, &[]);
        assert!(plan(sql).contains("Over("), "{sql}");
    }
    // One that is limited stays a rank, whatever becomes of the other.
    check(
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY rn, id) AS r2 FROM ranked) WHERE r2 <= 3",
        &["Rank(strategy=[retract], function=[ROW_NUMBER], range=[1 to 3]"],
    );
}

#[test]
fn limits_that_streams_do_not_have() {
    let batch = "execution.runtime-mode";
    refused(
        "SELECT id FROM bids\nORDER BY price",
        &["LV-1011", "ORDER BY without LIMIT", "line 2", batch],
    );
    // What is around a subquery does not see its order.
    check(
        "SELECT COUNT(*) FROM (SELECT id FROM bids\nORDER BY price)",
        &[],
    );
    refused(
        "SELECT id FROM bids\nOFFSET 3",
        &["LV-1011", "OFFSET without LIMIT", batch],
    );
    refused("SELECT id FROM bids LIMIT RAND()", &["LV-10", "LIMIT"]);
    refused(
        "SELECT id FROM bids\nORDER BY ts DESC",
        &["LV-1011", "ORDER BY without LIMIT", "line 2", "ascending"],
    );
    refused(
        "SELECT id FROM prices\nORDER BY id",
        &["LV-1011", "over rows that change", "line 2"],
    );
}

#[test]
fn rows_come_in_the_order_of_time() {
    let sorted = plan("SELECT id FROM bids ORDER BY ts, price DESC, UPPER(bidder)");
    assert!(
        sorted.contains("TemporalSort(order=[ts, price DESC, upper(bidder)]), mode=append"),
        "{sorted}"
    );
    let sorted = plan("SELECT * FROM bids ORDER BY ts");
    assert!(sorted.contains("time=[ts: event time"), "{sorted}");
    let arriving = plan("SELECT id FROM bids ORDER BY pt");
    assert!(!arriving.contains("Sort("), "{arriving}");
}

#[test]
fn what_has_no_order_is_refused() {
    refused(
        "SELECT id FROM bids ORDER BY tags LIMIT 3",
        &["LV-1011", "ORDER BY a column of type ARRAY<STRING>"],
    );
    refused(
        "SELECT id FROM bids QUALIFY ROW_NUMBER() OVER (PARTITION BY tags ORDER BY id) = 1",
        &[
            "LV-1011",
            "PARTITION BY a column of type ARRAY<STRING>",
            "line 1, column 29",
        ],
    );
}

#[test]
fn rows_that_change_must_be_taken_back_as_they_came() {
    refused(
        "SELECT id FROM prices QUALIFY ROW_NUMBER() OVER (PARTITION BY auction ORDER BY PROCTIME() DESC) = 1",
        &["LV-1011", "another each time", "line 1, column 31"],
    );
    check(
        "SELECT id FROM prices QUALIFY ROW_NUMBER() OVER (PARTITION BY auction ORDER BY PROCTIME()) = 1",
        &["Deduplicate(keep=[FirstRow], key=[auction], order=[PROCTIME]), mode=retract"],
    );
}

#[test]
fn windows_need_time_that_is_still_there() {
    let windows = |rows: &str| {
        format!(
            "SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE {rows}, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end"
        )
    };
    let mut session = Session::with(TABLES);
    session
        .run("CREATE VIEW firsts AS SELECT * FROM bids QUALIFY ROW_NUMBER() OVER (PARTITION BY auction ORDER BY pt) = 1")
        .unwrap();
    session.job(&windows("firsts")).unwrap();
    let sql = windows("best");
    let error = session.job(&sql).unwrap_err();
    says(error, &sql, &["LV-1014", "behind a Top-N", "line 1"]);
}

#[test]
fn correlated_rows_are_not_counted() {
    let what = [
        "LV-1011",
        "LIMIT or a ranking function over a correlated condition",
        "PARTITION BY",
    ];
    for sql in [
        "SELECT id FROM prices AS p WHERE EXISTS (SELECT 1 FROM (SELECT price, ROW_NUMBER() OVER (ORDER BY price) AS rn FROM bids AS b WHERE b.auction = p.auction) WHERE rn = 2)",
        "SELECT id FROM prices AS p WHERE id IN (SELECT id FROM bids AS b WHERE b.auction = p.auction QUALIFY ROW_NUMBER() OVER (ORDER BY price) = 1)",
        "SELECT id FROM prices AS p WHERE EXISTS (SELECT 1 FROM bids AS b WHERE b.auction = p.auction LIMIT 1 OFFSET 1)",
        "SELECT id FROM prices AS p WHERE EXISTS (SELECT 1 FROM (SELECT * FROM bids AS b WHERE b.auction = p.auction LIMIT 3) WHERE price > 5)",
        "SELECT id FROM prices AS p WHERE id IN (SELECT id FROM bids AS b WHERE b.auction = p.auction LIMIT 3)",
        "SELECT id, (SELECT MAX(price) FROM (SELECT price FROM bids AS b WHERE b.auction = p.auction LIMIT 3)) AS m FROM prices AS p",
    ] {
        refused(sql, &what);
    }
    let session = Session::with(TABLES);
    for sql in [
        "SELECT id FROM prices AS p WHERE EXISTS (SELECT 1 FROM bids AS b WHERE b.auction = p.auction LIMIT 1)",
        "SELECT id FROM prices AS p WHERE EXISTS (SELECT 1 FROM best AS b WHERE b.auction = p.auction AND b.rn <= 2)",
        "SELECT id FROM prices WHERE id IN (SELECT id FROM bids ORDER BY price LIMIT 3)",
        "SELECT id, (SELECT MAX(price) FROM (SELECT price FROM bids ORDER BY price LIMIT 3)) AS m FROM prices",
    ] {
        session.job(sql).map_err(|e| e.render(sql)).unwrap();
    }
}

#[test]
fn partitions_of_a_window_go_with_it() {
    const WINDOWED: &str = "TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))";
    let first = |columns: &str, by: &str| {
        plan(&format!(
            "SELECT {columns} FROM {WINDOWED} QUALIFY ROW_NUMBER() OVER ({by}) = 1"
        ))
    };
    let by_price = first("id", "PARTITION BY window_start, window_end ORDER BY price");
    assert!(
        by_price.contains("WindowRank(window=[window_end]"),
        "{by_price}"
    );
    assert!(
        by_price.contains("state=[the first row per (window_start, window_end) until window_end]"),
        "{by_price}"
    );
    assert!(!by_price.contains("-D"), "{by_price}");
    // Of the times of rows only those of the window are not behind the watermark when they go out.
    let times = first(
        "ts, window_time",
        "PARTITION BY id, window_end ORDER BY ts DESC",
    );
    let line = times
        .lines()
        .find(|line| line.contains("WindowDeduplicate("))
        .unwrap();
    assert!(
        line.contains("window_time: event time") && !line.contains("[ts: event"),
        "{times}"
    );
    // The start of a window does not say when it ends.
    let by_start = first("id", "PARTITION BY window_start ORDER BY price");
    assert!(
        by_start.contains(" Rank(")
            && by_start.contains("state=[the first row per (window_start)]"),
        "{by_start}"
    );
    // Windows that take late rows have no end.
    let mut session = Session::with(TABLES);
    session
        .run("SET 'table.exec.emit.allow-lateness' = '5 s'")
        .unwrap();
    let sql = format!(
        "EXPLAIN SELECT id FROM {WINDOWED} QUALIFY ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price) = 1"
    );
    let plan = session.run(&sql).unwrap();
    assert!(
        plan.contains(" Rank(") && !plan.contains("WindowRank"),
        "{plan}"
    );
}
