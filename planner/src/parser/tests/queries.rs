use super::*;

fn query(sql: &str) -> Query {
    match one(sql) {
        Statement::Query(query) => query,
        other => panic!("{other:?}"),
    }
}

/// `sql` prints as `expected` after it has been rewritten.
#[track_caller]
fn check(sql: &str, expected: &str) {
    let printed = query(sql).ast.to_string();
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(plain(&printed), plain(expected), "for {sql}");
}

fn windowed(marker: &str, source: &str) -> String {
    format!(
        "(SELECT *, get_field({marker}, 'window_start') AS window_start, \
         get_field({marker}, 'window_end') AS window_end, \
         get_field({marker}, 'window_time') AS window_time FROM {source})"
    )
}

#[test]
fn window_table_functions() {
    let at = pack(1, 21);
    let tumble = windowed(
        &format!("__levada_window('tumble', ts, INTERVAL '10' SECOND, NULL, NULL, {at})"),
        "t",
    );
    check(
        "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))",
        &format!("SELECT * FROM {tumble}"),
    );
    check(
        "SELECT a FROM TABLE(TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '10' SECOND)) AS w",
        &format!("SELECT a FROM {tumble} AS w"),
    );
    let hop = windowed(
        &format!(
            "__levada_window('hop', ts, INTERVAL '10' MINUTES, INTERVAL '5' MINUTES, INTERVAL '1' MINUTE, {at})"
        ),
        "db.t",
    );
    check(
        "SELECT * FROM TABLE(HOP(TABLE db.t, DESCRIPTOR(ts), INTERVAL '5' MINUTES, INTERVAL '10' MINUTES, INTERVAL '1' MINUTE))",
        &format!("SELECT * FROM {hop}"),
    );
    let cumulate = windowed(
        &format!(
            "__levada_window('cumulate', ts, INTERVAL '1' DAY, INTERVAL '1' HOUR, NULL, {})",
            pack(1, 15)
        ),
        "t",
    );
    check(
        "SELECT * FROM CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '1' DAY)",
        &format!("SELECT * FROM {cumulate}"),
    );
    let session = windowed(
        &format!("__levada_window('session', ts, INTERVAL '5' MINUTE, NULL, NULL, {at}, a, b)"),
        "t",
    );
    for partition in ["a, b", "(a, b)"] {
        check(
            &format!(
                "SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY {partition}, DESCRIPTOR(ts), INTERVAL '5' MINUTE))"
            ),
            &format!("SELECT * FROM {session}"),
        );
    }
    check(
        "SELECT * FROM TABLE(SESSION(DATA => TABLE t PARTITION BY a, b, TIMECOL => DESCRIPTOR(ts), GAP => INTERVAL '5' MINUTE))",
        &format!("SELECT * FROM {session}"),
    );
}

fn pack(line: u32, column: u32) -> i64 {
    levada_language::functions::window::pack_location(Some(Location { line, column }))
}

#[test]
fn legacy_group_windows() {
    let marker = format!(
        "__levada_window('tumble', ts, INTERVAL '10' SECOND, NULL, NULL, {})",
        pack(2, 26)
    );
    let field = |name: &str| format!("get_field({marker}, '{name}')");
    check(
        "SELECT k, TUMBLE_START(ts, INTERVAL '10' SECOND), TUMBLE_ROWTIME(ts, INTERVAL '10' SECOND) AS rt
         FROM t GROUP BY TUMBLE(ts, INTERVAL '10' SECOND), k
         HAVING TUMBLE_END(ts, INTERVAL '10' SECOND) > x ORDER BY TUMBLE_START(ts, INTERVAL '10' SECOND)",
        &format!(
            "SELECT k, {start} AS tumble_start, {time} AS rt FROM t \
             GROUP BY k, {start}, {end}, {time} HAVING {end} > x ORDER BY {start}",
            start = field("window_start"),
            end = field("window_end"),
            time = field("window_time"),
        ),
    );
    let marker = format!(
        "__levada_window('hop', proctime(), INTERVAL '10' SECOND, INTERVAL '2' SECOND, NULL, {})",
        pack(1, 33)
    );
    let query = query(
        "SELECT COUNT(*) FROM t GROUP BY HOP(proctime(), INTERVAL '2' SECOND, INTERVAL '10' SECOND)",
    );
    assert!(query.ast.to_string().contains(&marker), "{}", query.ast);
}

#[test]
fn both_sides_of_a_join_and_unions_are_rewritten() {
    let sql = "SELECT * FROM (SELECT * FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' DAY))) x
               JOIN TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '1' DAY)) y ON x.k = y.k
               UNION ALL SELECT TUMBLE_END(ts, INTERVAL '1' DAY), 1 FROM c GROUP BY TUMBLE(ts, INTERVAL '1' DAY)";
    let printed = query(sql).ast.to_string();
    // Three columns for each of three windows, and one field for the auxiliary function.
    assert_eq!(printed.matches("__levada_window").count(), 10, "{printed}");
    assert!(!printed.contains("TUMBLE"), "{printed}");
}

#[test]
fn hints() {
    let query = query(
        "SELECT /*+ STATE_TTL('o' = '1d'), BROADCAST(c) */ * FROM orders /*+ OPTIONS('a' = 'b', 'c' = 'd') */ AS o, \
         db.customers /*+ OPTIONS('e' = 'f') */",
    );
    let names: Vec<&str> = query.hints.iter().map(|hint| hint.name.as_str()).collect();
    assert_eq!(names, ["STATE_TTL", "BROADCAST"]);
    assert_eq!(
        query.hints[0].location,
        Location {
            line: 1,
            column: 12
        }
    );
    let tables: Vec<(&str, String, usize)> = query
        .hinted_tables
        .iter()
        .map(|t| (t.alias.as_str(), t.name.to_string(), t.options.len()))
        .collect();
    assert_eq!(
        tables,
        [
            ("orders$options1", "orders".to_string(), 2),
            ("customers$options2", "db.customers".to_string(), 1)
        ]
    );
    let printed = query.ast.to_string();
    assert!(printed.contains("`orders$options1` AS o"), "{printed}");
    assert!(
        printed.contains("`customers$options2` AS customers"),
        "{printed}"
    );
}

#[test]
fn a_hinted_table_inside_a_window() {
    let query = query(
        "SELECT * FROM TABLE(TUMBLE(TABLE t /*+ OPTIONS('a' = 'b') */, DESCRIPTOR(ts), INTERVAL '1' DAY))",
    );
    assert_eq!(query.hinted_tables.len(), 1);
    assert!(
        query.ast.to_string().contains("FROM `t$options1` AS t"),
        "{}",
        query.ast
    );
}

#[test]
fn intervals() {
    let interval = |sql: &str, expected: &str| {
        check(
            &format!("SELECT {sql} AS it"),
            &format!("SELECT {expected} AS it"),
        )
    };
    interval("INTERVAL '10' SECONDS", "INTERVAL '10' SECONDS");
    interval("INTERVAL '5.5' SECOND(3)", "INTERVAL '5.5' SECOND");
    interval("INTERVAL '1:30' MINUTE TO SECOND", "INTERVAL '90.0' SECOND");
    interval(
        "INTERVAL '1 10:00:00.5' DAY TO SECOND(3)",
        "INTERVAL '122400.5' SECOND",
    );
    interval("INTERVAL '-1 02' DAY TO HOUR", "INTERVAL '-93600.0' SECOND");
    interval("INTERVAL '2-3' YEAR TO MONTH", "INTERVAL '27' MONTH");
    interval("INTERVAL -3 DAY", "INTERVAL '-3' DAY");
}

#[test]
fn expressions() {
    let expr = |sql: &str, expected: &str| {
        check(
            &format!("SELECT {sql} AS it"),
            &format!("SELECT {expected} AS it"),
        )
    };
    expr("MOD(a, 3)", "(a % 3)");
    expr("EXTRACT(HOUR FROM ts)", "extract('HOUR', ts)");
    expr("FLOOR(ts TO DAY)", "timestamp_floor(ts, 'DAY')");
    expr("CEIL(ts TO MONTHS)", "timestamp_ceil(ts, 'MONTH')");
    expr("FLOOR(x)", "FLOOR(x)");
    expr("TIMESTAMPADD(DAY, 3, ts)", "timestampadd('DAY', 3, ts)");
    expr(
        "TIMESTAMPDIFF(SQL_TSI_HOUR, a, b)",
        "timestampdiff('HOUR', a, b)",
    );
    expr(
        "IF(a > 1, 'x', 'y')",
        "CASE WHEN a > 1 THEN 'x' ELSE 'y' END",
    );
    expr("ROW(1, 'a')", "struct(1, 'a')");
    expr(
        "CAST(a AS ROW<x INT, y ARRAY<STRING>>)",
        "CAST(a AS ROW<`x` INT, `y` ARRAY<STRING>>)",
    );
    expr(
        "TRY_CAST(a AS TIMESTAMP_LTZ(3))",
        "TRY_CAST(a AS TIMESTAMP_LTZ(3))",
    );
    expr(
        "TIMESTAMP '2020-01-01 00:00:00'",
        "TIMESTAMP(3) '2020-01-01 00:00:00'",
    );
    expr(
        "TIMESTAMP '2020-01-01 00:00:00.123456'",
        "TIMESTAMP(6) '2020-01-01 00:00:00.123456'",
    );
    expr("MAP['a', 1, 'b', 2]", "MAP {'a': 1, 'b': 2}");
    expr(
        "a IS NOT DISTINCT FROM b AND c",
        "a IS NOT DISTINCT FROM b AND c",
    );
    expr("x IS JSON", "is_json(x, 'VALUE')");
    expr("x IS NOT JSON OBJECT OR y", "NOT is_json(x, 'OBJECT') OR y");
    expr(
        "JSON_VALUE(j, '$.a' RETURNING INT DEFAULT 0 ON EMPTY ERROR ON ERROR)",
        "CAST(json_value(j, '$.a', 'DEFAULT', 'ERROR', CAST(0 AS STRING), CAST(NULL AS STRING)) AS INT)",
    );
    expr(
        "JSON_QUERY(j, '$.a' WITH CONDITIONAL ARRAY WRAPPER EMPTY ARRAY ON EMPTY)",
        "json_query(j, '$.a', 'CONDITIONAL', 'EMPTY ARRAY', 'NULL')",
    );
    expr(
        "JSON_EXISTS(j, 'lax $.a' TRUE ON ERROR)",
        "json_exists(j, 'lax $.a', 'TRUE')",
    );
    expr(
        "COUNT(*) FILTER (WHERE a > 1)",
        "COUNT(*) FILTER (WHERE a > 1)",
    );
    expr("a.b.c", "a.b.c");
    expr("`select`.\"From\"", "`select`.\"From\"");
    expr("timestamp, `date`, value", "timestamp, `date`, value");
}

#[test]
fn aggregates_that_are_others_underneath() {
    let expr = |sql: &str, expected: &str| {
        check(
            &format!("SELECT {sql} AS x FROM t"),
            &format!("SELECT {expected} AS x FROM t"),
        );
    };
    expr(
        "LISTAGG(DISTINCT a)",
        "array_join(array_agg(DISTINCT a) FILTER (WHERE (a) IS NOT NULL), ',')",
    );
    expr(
        "LISTAGG(a, '-') FILTER (WHERE b OR c)",
        "array_join(array_agg(a) FILTER (WHERE ((b OR c) AND (a) IS NOT NULL)), '-')",
    );
    expr("ARRAY_AGG(a RESPECT NULLS)", "ARRAY_AGG(a)");
    expr(
        "ARRAY_AGG(a IGNORE NULLS)",
        "array_agg(a) FILTER (WHERE (a) IS NOT NULL)",
    );
    expr("FIRST_VALUE(DISTINCT a)", "FIRST_VALUE(a) IGNORE NULLS");
    expr("EVERY(a)", "min(((a) AND true))");
    expr("VARIANCE(a)", "var_samp(a)");
    expr("APPROX_COUNT_DISTINCT(a)", "count(DISTINCT a)");
    expr(
        "COUNT(DISTINCT a, b)",
        "count(DISTINCT CASE WHEN ((a) IS NOT NULL AND (b) IS NOT NULL) THEN struct(a, b) END)",
    );
    expr(
        "PERCENTILE(a, 0.5)",
        "percentile_of(array_agg(a) FILTER (WHERE (a) IS NOT NULL), 0.5)",
    );
    expr(
        "JSON_OBJECTAGG(KEY a VALUE b ABSENT ON NULL) FILTER (WHERE c)",
        "json_object_of('ABSENT', array_agg(struct(a, b)) FILTER (WHERE (c)), 'VALUE')",
    );
}

#[test]
fn distinct_from_ends_before_and() {
    let query = query("SELECT * FROM t WHERE a IS DISTINCT FROM b AND c = d");
    let printed = format!("{:?}", query.ast);
    let distinct = printed.find("IsDistinctFrom").unwrap();
    let and = printed.find("op: And").unwrap();
    assert!(distinct < and, "AND must be the outer operator: {printed}");
}

#[test]
fn files_and_fetch() {
    check(
        "SELECT * FROM 'data/*.parquet'",
        "SELECT * FROM 'data/*.parquet'",
    );
    check(
        "SELECT a FROM t FETCH FIRST 3 ROWS ONLY",
        "SELECT a FROM t LIMIT 3",
    );
    check(
        "SELECT a FROM t OFFSET 1 ROWS FETCH NEXT ROW ONLY",
        "SELECT a FROM t LIMIT 1 OFFSET 1 ROWS",
    );
}
