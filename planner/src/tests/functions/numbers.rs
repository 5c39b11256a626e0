use super::*;

#[test]
fn integers_do_not_wrap() {
    check("9223372036854775806 + 1", "9223372036854775807", "BIGINT");
    refuse(
        "9223372036854775807 + 1",
        &["LV-1019", "overflows BIGINT", "wider type"],
    );
    refuse("-9223372036854775807 - 2", &["overflows BIGINT"]);
    refuse("9223372036854775807 * 2", &["overflows BIGINT"]);
    refuse(
        "CAST(2147483647 AS INT) + CAST(1 AS INT)",
        &["overflows INT"],
    );
    refuse(
        "-(-9223372036854775807 - 1)",
        &["LV-1019", "overflows BIGINT"],
    );
    refuse(
        "CAST(60000000000000000000000000000000000000 AS DECIMAL(38, 0)) + CAST(60000000000000000000000000000000000000 AS DECIMAL(38, 0))",
        &["LV-1019", "overflows DECIMAL(38, 0)"],
    );
    check("5 - 2 - 1", "2", "BIGINT");
    check("-(2 - 5)", "3", "BIGINT");
    refuse("1 / 0", &["LV-1019", "ivide by zero"]);
    refuse("1 % 0", &["ivide by zero"]);
    refuse("CAST(3000000000 AS INT)", &["LV-1019"]);
    refuse("1.0 / 0", &["ivide by zero"]);
    check("CAST(1 AS DOUBLE) / 0", "inf", "DOUBLE");
}

#[test]
fn columns_keep_their_names_and_values() {
    check_rows("n + 1", ["1", "2", "3", "0", "NULL"]);
    check_rows("n * n - 1", ["-1", "0", "3", "0", "NULL"]);
    let (values, _) = block(run(
        "SELECT x FROM (SELECT SUM(n + 1) AS x FROM t WHERE n - 1 < 1)",
        None,
    ))
    .unwrap();
    assert_eq!(values, ["3"]);
    let (values, _) = block(run(
        "SELECT n + 1 FROM t GROUP BY n + 1 ORDER BY n + 1 DESC LIMIT 2",
        None,
    ))
    .unwrap();
    assert_eq!(values, ["NULL", "3"]);
}

#[test]
fn numeric_functions() {
    check("MOD(7, 3)", "1", "BIGINT");
    check("ROUND(LOG(E()))", "1.0", "DOUBLE");
    check("LOG(2, 8)", "3.0", "DOUBLE");
    check("7 % 3", "1", "BIGINT");
    check("POWER(2, 10)", "1024.0", "DOUBLE");
    check("ROUND(2.567, 2)", "2.57", "DECIMAL(4, 2)");
    check("ROUND(CAST(2.567 AS DOUBLE), 2)", "2.57", "DOUBLE");
    check("ABS(-3)", "3", "BIGINT");
    check("CEIL(CAST(1.2 AS DOUBLE))", "2.0", "DOUBLE");
    check("SIGN(-2)", "-1.0", "DOUBLE");
    check("RAND() BETWEEN 0 AND 1", "true", "BOOLEAN");
    check("TRUNCATE(CAST(42.345 AS DOUBLE), 2)", "42.34", "DOUBLE");
    check(
        "CAST(1.005 AS DECIMAL(10, 2)) + CAST(1 AS DECIMAL(10, 2))",
        "2.01",
        "DECIMAL(11, 2)",
    );
    check("0.908 * CAST(1000 AS BIGINT)", "908.000", "DECIMAL(24, 3)");
    check("0.1 + 0.2 = 0.3", "true", "BOOLEAN");
    check("CAST(1.5 AS DOUBLE) > 1.4", "true", "BOOLEAN");
    check("1e3", "1000.0", "DOUBLE");
}

#[test]
fn long_chains_of_operators() {
    let chain = |operator: &str| vec!["n"; 150].join(operator);
    check_rows(&chain(" + "), ["0", "150", "300", "-150", "NULL"]);
    let (values, _) = block(run(
        &format!("SELECT {} AS x FROM t WHERE n < 2", chain(" * ")),
        None,
    ))
    .unwrap();
    assert_eq!(values, ["0", "1", "1"]);
}
