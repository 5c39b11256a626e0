use super::*;

#[test]
fn date_format() {
    let ts = "TIMESTAMP '2024-02-09 05:07:08.045'";
    for (pattern, value) in [
        ("yyyy-MM-dd", "2024-02-09"),
        ("yyyy-MM-dd HH:mm", "2024-02-09 05:07"),
        ("yyyy-MM-dd''T''HH:mm:ss.SSS", "2024-02-09T05:07:08.045"),
        ("yyMMdd", "240209"),
        ("d/M/y H:m:s", "9/2/2024 5:7:8"),
        ("EEE, d MMM yyyy hh:mm a", "Fri, 9 Feb 2024 05:07 AM"),
        ("EEEE MMMM", "Friday February"),
        ("D Q", "40 1"),
        ("k K", "5 5"),
        ("''at'' HH", "at 05"),
        ("SSSSSS", "045000"),
    ] {
        check(&format!("DATE_FORMAT({ts}, '{pattern}')"), value, "STRING");
    }
    check(
        "DATE_FORMAT('2024-02-09 05:07:08', 'HH:mm')",
        "05:07",
        "STRING",
    );
    check("DATE_FORMAT(DATE '2024-02-09', 'yyyy')", "2024", "STRING");
    check(
        "DATE_FORMAT(CAST(NULL AS TIMESTAMP(3)), 'yyyy')",
        "NULL",
        "STRING",
    );
    check(&format!("DATE_FORMAT({ts}, NULL)"), "NULL", "STRING");
    refuse(
        &format!("DATE_FORMAT({ts}, 'yyyy GG')"),
        &["'GG' in the date pattern", "single quotes"],
    );
    refuse(&format!("DATE_FORMAT({ts}, 'yyyy ''x')"), &["open quote"]);
}

#[test]
fn date_format_of_columns() {
    check_rows(
        "DATE_FORMAT(ts, 'yyyy-MM-dd')",
        [
            "2024-02-29",
            "2024-02-29",
            "2024-03-01",
            "1969-12-31",
            "NULL",
        ],
    );
    check_rows(
        "DATE_FORMAT(ts, 'HH:mm:ss.SSS')",
        [
            "23:59:58.123",
            "23:59:58.124",
            "00:00:00.123",
            "23:59:59.999",
            "NULL",
        ],
    );
    check_rows(
        "DATE_FORMAT(ts, CASE WHEN n = 0 THEN 'yyyy' ELSE 'MM' END)",
        ["2024", "02", "03", "12", "NULL"],
    );
}

#[test]
fn instants_are_shown_in_the_sessions_zone() {
    let instant = "TO_TIMESTAMP_LTZ(1709251198123, 3)";
    check_in(
        Some("Asia/Tokyo"),
        &format!("DATE_FORMAT({instant}, 'yyyy-MM-dd HH:mm')"),
        "2024-03-01 08:59",
        "STRING",
    );
    check_in(
        Some("Asia/Tokyo"),
        &format!("HOUR({instant})"),
        "8",
        "BIGINT",
    );
    check_in(
        Some("Asia/Tokyo"),
        "HOUR(TIMESTAMP '2024-01-01 05:00:00')",
        "5",
        "BIGINT",
    );
    check_in(
        Some("Europe/Berlin"),
        "FROM_UNIXTIME(0)",
        "1970-01-01 01:00:00",
        "STRING",
    );
    check_in(
        Some("Europe/Berlin"),
        "UNIX_TIMESTAMP('1970-01-01 01:00:00')",
        "0",
        "BIGINT",
    );
    check_in(Some("Europe/Berlin"), "CURRENT_DATE", "2024-03-01", "DATE");
    check_in(
        Some("Europe/Berlin"),
        "LOCALTIMESTAMP",
        "2024-03-01T00:59:58.123",
        "TIMESTAMP(3)",
    );
}

#[test]
fn to_timestamp() {
    let check = |args: &str, value: &str| {
        super::check(&format!("TO_TIMESTAMP({args})"), value, "TIMESTAMP(3)")
    };
    check("'2024-02-29 01:02:03'", "2024-02-29T01:02:03");
    check("'2024-02-29 01:02:03.4567'", "2024-02-29T01:02:03.456");
    check("'2024-02-29T01:02:03'", "2024-02-29T01:02:03");
    check("'2024-02-29'", "2024-02-29T00:00:00");
    check("'2023-02-29 00:00:00'", "NULL");
    check("'soon'", "NULL");
    check("NULL", "NULL");
    check(
        "'29.02.2024 17:05', 'dd.MM.yyyy HH:mm'",
        "2024-02-29T17:05:00",
    );
    check(
        "'20240229170501999', 'yyyyMMddHHmmssSSS'",
        "2024-02-29T17:05:01.999",
    );
    check(
        "'Feb 29, 2024 05:06 pm', 'MMM d, yyyy hh:mm a'",
        "2024-02-29T17:06:00",
    );
    check(
        "'2024-02-29T01:02:03Z', 'yyyy-MM-dd''T''HH:mm:ss''Z'''",
        "2024-02-29T01:02:03",
    );
    check("'2024-02-29 25:00', 'yyyy-MM-dd HH:mm'", "NULL");
    check("'2024-02-29 extra', 'yyyy-MM-dd'", "NULL");
    check_rows("TO_TIMESTAMP(s)", ["NULL"; 5]);
}

#[test]
fn to_timestamp_ltz_and_dates() {
    check(
        "TO_TIMESTAMP_LTZ(1000, 3)",
        "1970-01-01T00:00:01Z",
        "TIMESTAMP_LTZ(3)",
    );
    check(
        "TO_TIMESTAMP_LTZ(1000, 0)",
        "1970-01-01T00:16:40Z",
        "TIMESTAMP_LTZ(3)",
    );
    check(
        "TO_TIMESTAMP_LTZ(1000)",
        "1970-01-01T00:00:01Z",
        "TIMESTAMP_LTZ(3)",
    );
    check(
        "TO_TIMESTAMP_LTZ(1.5, 0)",
        "1970-01-01T00:00:01.500Z",
        "TIMESTAMP_LTZ(3)",
    );
    check(
        "TO_TIMESTAMP_LTZ('2024-01-01 00:00:00+02:00')",
        "2023-12-31T22:00:00Z",
        "TIMESTAMP_LTZ(3)",
    );
    check(
        "TO_TIMESTAMP_LTZ('01/07/2024 12', 'dd/MM/yyyy HH', 'Europe/Berlin')",
        "2024-07-01T10:00:00Z",
        "TIMESTAMP_LTZ(3)",
    );
    check("TO_TIMESTAMP_LTZ(NULL, 3)", "NULL", "TIMESTAMP_LTZ(3)");
    check_rows(
        "TO_TIMESTAMP_LTZ(n, 0)",
        [
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:01Z",
            "1970-01-01T00:00:02Z",
            "1969-12-31T23:59:59Z",
            "NULL",
        ],
    );
    refuse(
        "TO_TIMESTAMP_LTZ(1, 6)",
        &["0 for seconds or 3 for milliseconds"],
    );
    refuse(
        "TO_TIMESTAMP_LTZ(9223372036854775807, 0)",
        &["out of range"],
    );
    check("TO_DATE('2024-02-29')", "2024-02-29", "DATE");
    check("TO_DATE('29/02/24', 'dd/MM/yy')", "2024-02-29", "DATE");
    check("TO_DATE('2024-13-01')", "NULL", "DATE");
    check(
        "CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')",
        "1969-12-31 16:00:00",
        "STRING",
    );
    refuse(
        "CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'Mars')",
        &["Mars is not the name of a time zone"],
    );
    check("FROM_UNIXTIME(44, 'mm:ss')", "00:44", "STRING");
    check("UNIX_TIMESTAMP('1970-01-01 00:01:00')", "60", "BIGINT");
    check("UNIX_TIMESTAMP()", "1709251198", "BIGINT");
}

#[test]
fn fields_of_times() {
    let ts = "TIMESTAMP '2024-02-29 23:59:58.123'";
    for (field, value) in [
        ("YEAR", "2024"),
        ("QUARTER", "1"),
        ("MONTH", "2"),
        ("WEEK", "9"),
        ("DAY", "29"),
        ("DOY", "60"),
        ("DOW", "5"),
        ("ISODOW", "4"),
        ("HOUR", "23"),
        ("MINUTE", "59"),
        ("SECOND", "58"),
        ("MILLISECOND", "123"),
        ("MICROSECOND", "123000"),
        ("EPOCH", "1709251198"),
        ("DECADE", "202"),
        ("CENTURY", "21"),
        ("MILLENNIUM", "3"),
        ("ISOYEAR", "2024"),
    ] {
        check(&format!("EXTRACT({field} FROM {ts})"), value, "BIGINT");
    }
    for (function, value) in [
        ("YEAR", "2024"),
        ("QUARTER", "1"),
        ("MONTH", "2"),
        ("WEEK", "9"),
        ("DAYOFYEAR", "60"),
        ("DAYOFMONTH", "29"),
        ("DAYOFWEEK", "5"),
        ("HOUR", "23"),
        ("MINUTE", "59"),
        ("SECOND", "58"),
    ] {
        check(&format!("{function}({ts})"), value, "BIGINT");
    }
    check("EXTRACT(DAY FROM DATE '2024-02-29')", "29", "BIGINT");
    check_rows("HOUR(ts)", ["23", "23", "0", "23", "NULL"]);
    refuse("HOUR(5)", &["argument 1 of HOUR must be TIMESTAMP"]);
}

#[test]
fn floor_and_ceil() {
    let ts = "TIMESTAMP '2024-02-29 23:59:58.123'";
    for (unit, floor, ceil) in [
        ("SECOND", "2024-02-29T23:59:58", "2024-02-29T23:59:59"),
        ("MINUTE", "2024-02-29T23:59:00", "2024-03-01T00:00:00"),
        ("HOUR", "2024-02-29T23:00:00", "2024-03-01T00:00:00"),
        ("DAY", "2024-02-29T00:00:00", "2024-03-01T00:00:00"),
        ("WEEK", "2024-02-25T00:00:00", "2024-03-03T00:00:00"),
        ("MONTH", "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
        ("QUARTER", "2024-01-01T00:00:00", "2024-04-01T00:00:00"),
        ("YEAR", "2024-01-01T00:00:00", "2025-01-01T00:00:00"),
    ] {
        check(&format!("FLOOR({ts} TO {unit})"), floor, "TIMESTAMP(3)");
        check(&format!("CEIL({ts} TO {unit})"), ceil, "TIMESTAMP(3)");
    }
    check(
        "CEIL(TIMESTAMP '2024-01-01 00:00:00' TO YEAR)",
        "2024-01-01T00:00:00",
        "TIMESTAMP(3)",
    );
    check("FLOOR(CAST(-1.5 AS DOUBLE))", "-2.0", "DOUBLE");
}

#[test]
fn adding_and_subtracting() {
    let ts = "TIMESTAMP '2024-01-31 10:00:00'";
    check(
        &format!("TIMESTAMPADD(MONTH, 1, {ts})"),
        "2024-02-29T10:00:00",
        "TIMESTAMP(3)",
    );
    check(
        &format!("TIMESTAMPADD(HOUR, -11, {ts})"),
        "2024-01-30T23:00:00",
        "TIMESTAMP(3)",
    );
    check(
        &format!("TIMESTAMPADD(QUARTER, 1, {ts})"),
        "2024-04-30T10:00:00",
        "TIMESTAMP(3)",
    );
    check(
        "TIMESTAMPADD(DAY, NULL, TIMESTAMP '2024-01-31 10:00:00')",
        "NULL",
        "TIMESTAMP(3)",
    );
    let diff = |unit: &str, from: &str, to: &str, value: &str| {
        check(
            &format!("TIMESTAMPDIFF({unit}, TIMESTAMP '{from}', TIMESTAMP '{to}')"),
            value,
            "INT",
        );
    };
    diff("DAY", "2024-01-01 00:00:00", "2024-01-03 23:00:00", "2");
    diff(
        "SECOND",
        "2024-01-01 00:00:01",
        "2024-01-01 00:00:00.5",
        "0",
    );
    diff("HOUR", "2024-01-02 00:00:00", "2024-01-01 00:00:00", "-24");
    diff("MONTH", "2024-01-31 00:00:00", "2024-02-29 00:00:00", "0");
    diff("MONTH", "2024-02-29 00:00:00", "2024-01-31 00:00:00", "0");
    diff("YEAR", "2020-02-29 00:00:00", "2024-02-29 00:00:00", "4");
    refuse(
        "TIMESTAMPDIFF(SECOND, TIMESTAMP '1900-01-01 00:00:00', TIMESTAMP '2100-01-01 00:00:00')",
        &["out of the range of INT"],
    );
    check(
        &format!("{ts} + INTERVAL '1' DAY"),
        "2024-02-01T10:00:00",
        "TIMESTAMP(3)",
    );
    check(
        &format!("{ts} - INTERVAL '5' SECOND"),
        "2024-01-31T09:59:55",
        "TIMESTAMP(3)",
    );
    check_rows(
        "TIMESTAMPDIFF(SECOND, ts, TIMESTAMP '2024-02-29 23:59:58.123')",
        ["0", "0", "-2", "1709251198", "NULL"],
    );
}

#[test]
fn the_clock() {
    check("PROCTIME()", "2024-02-29T23:59:58.123Z", "TIMESTAMP_LTZ(3)");
    check(
        "CURRENT_TIMESTAMP",
        "2024-02-29T23:59:58.123Z",
        "TIMESTAMP_LTZ(3)",
    );
    check("NOW()", "2024-02-29T23:59:58.123Z", "TIMESTAMP_LTZ(3)");
    check("LOCALTIMESTAMP", "2024-02-29T23:59:58.123", "TIMESTAMP(3)");
    check("CURRENT_DATE", "2024-02-29", "DATE");
}

#[test]
fn casts_between_instants_and_the_wall_clock() {
    let berlin = Some("Europe/Berlin");
    let instant = "TO_TIMESTAMP_LTZ(0, 3)";
    let cast = |to: &str| format!("CAST({instant} AS {to})");
    let check_berlin = |to: &str, value: &str, shown: &str| {
        check_in(berlin, &cast(to), value, shown);
    };
    check_berlin("TIMESTAMP(3)", "1970-01-01T01:00:00", "TIMESTAMP(3)");
    check_berlin("DATE", "1970-01-01", "DATE");
    check_berlin("STRING", "1970-01-01 01:00:00.000", "STRING");
    check(&cast("TIMESTAMP(6)"), "1970-01-01T00:00:00", "TIMESTAMP(6)");
    check_in(
        berlin,
        "CAST(TIMESTAMP '1970-01-01 01:00:00' AS TIMESTAMP_LTZ(3))",
        "1970-01-01T00:00:00Z",
        "TIMESTAMP_LTZ(3)",
    );
    check_in(
        berlin,
        "CAST('1970-07-01 01:00:00' AS TIMESTAMP_LTZ(3)) = CAST(TIMESTAMP '1970-07-01 01:00:00' AS TIMESTAMP_LTZ(3))",
        "true",
        "BOOLEAN",
    );
}

#[test]
fn casts_of_times_to_text_and_to_fewer_digits() {
    check(
        "CAST(TIMESTAMP '2020-01-01 00:00:00' AS STRING)",
        "2020-01-01 00:00:00.000",
        "STRING",
    );
    check(
        "CAST(TIMESTAMP '1969-12-31 23:59:59.9996' AS STRING)",
        "1969-12-31 23:59:59.999600",
        "STRING",
    );
    for (to, value) in [
        ("TIMESTAMP(3)", "1969-12-31T23:59:59.999"),
        ("TIMESTAMP(1)", "1969-12-31T23:59:59.900"),
        ("TIMESTAMP(0)", "1969-12-31T23:59:59"),
    ] {
        let cast = format!("CAST(TIMESTAMP '1969-12-31 23:59:59.9996' AS {to})");
        check(&cast, value, "TIMESTAMP(3)");
    }
    check("CAST(123456 AS VARCHAR(3))", "123", "STRING");
    check("CAST('ünïcode' AS CHAR(4))", "ünïc", "STRING");
}
