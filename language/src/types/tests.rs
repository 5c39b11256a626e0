use super::*;

#[track_caller]
fn check(text: &str, printed: &str, arrow: DataType) {
    let parsed = parse_type_text(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(parsed.to_string(), printed, "printing {text}");
    assert_eq!(parsed.sql_type.to_arrow(), arrow, "storing {text}");
    let again = parse_type_text(printed).unwrap();
    assert_eq!(again, parsed, "{printed} reads back");
}

#[test]
fn scalar_types() {
    check("boolean", "BOOLEAN", DataType::Boolean);
    check("TINYINT", "TINYINT", DataType::Int8);
    check("SMALLINT", "SMALLINT", DataType::Int16);
    check("INTEGER NOT NULL", "INT NOT NULL", DataType::Int32);
    check("BIGINT NULL", "BIGINT", DataType::Int64);
    check("FLOAT", "FLOAT", DataType::Float32);
    check("DOUBLE PRECISION", "DOUBLE", DataType::Float64);
    check("DEC", "DECIMAL(10, 0)", DataType::Decimal128(10, 0));
    check("NUMERIC(38)", "DECIMAL(38, 0)", DataType::Decimal128(38, 0));
    check(
        "DECIMAL(23, 3)",
        "DECIMAL(23, 3)",
        DataType::Decimal128(23, 3),
    );
    check("CHAR(3)", "CHAR(3)", DataType::Utf8);
    check("VARCHAR(30)", "VARCHAR(30)", DataType::Utf8);
    check("VARCHAR(2147483647)", "STRING", DataType::Utf8);
    check("CHARACTER VARYING(5)", "VARCHAR(5)", DataType::Utf8);
    check("STRING", "STRING", DataType::Utf8);
    check("BYTES", "BYTES", DataType::Binary);
    check("VARBINARY(9)", "VARBINARY(9)", DataType::Binary);
    check("DATE", "DATE", DataType::Date32);
}

#[test]
fn times_keep_their_precision() {
    let utc = Some(LTZ_ZONE.into());
    check("TIME", "TIME(0)", DataType::Time32(TimeUnit::Millisecond));
    check(
        "TIME(6)",
        "TIME(6)",
        DataType::Time64(TimeUnit::Microsecond),
    );
    check(
        "TIMESTAMP",
        "TIMESTAMP(6)",
        DataType::Timestamp(TimeUnit::Microsecond, None),
    );
    check(
        "TIMESTAMP(0)",
        "TIMESTAMP(0)",
        DataType::Timestamp(TimeUnit::Millisecond, None),
    );
    check(
        "TIMESTAMP(3) WITHOUT TIME ZONE",
        "TIMESTAMP(3)",
        DataType::Timestamp(TimeUnit::Millisecond, None),
    );
    check(
        "TIMESTAMP(9)",
        "TIMESTAMP(9)",
        DataType::Timestamp(TimeUnit::Nanosecond, None),
    );
    check(
        "TIMESTAMP_LTZ(3)",
        "TIMESTAMP_LTZ(3)",
        DataType::Timestamp(TimeUnit::Millisecond, utc.clone()),
    );
    check(
        "TIMESTAMP(6) WITH LOCAL TIME ZONE",
        "TIMESTAMP_LTZ(6)",
        DataType::Timestamp(TimeUnit::Microsecond, utc),
    );
}

#[test]
fn nested_types_and_their_brackets() {
    let list = |inner| DataType::List(Arc::new(Field::new("item", inner, true)));
    check(
        "ARRAY<ARRAY<INT>>",
        "ARRAY<ARRAY<INT>>",
        list(list(DataType::Int32)),
    );
    check(
        "ARRAY<ARRAY<ARRAY<INT>>>",
        "ARRAY<ARRAY<ARRAY<INT>>>",
        list(list(list(DataType::Int32))),
    );
    let row = DataType::Struct(Fields::from(vec![
        Field::new("a", DataType::Int32, false),
        Field::new("b", list(DataType::Utf8), true),
    ]));
    check(
        "ROW<a INT NOT NULL, `b` ARRAY<STRING>>",
        "ROW<`a` INT NOT NULL, `b` ARRAY<STRING>>",
        row.clone(),
    );
    check(
        "ROW(a INT NOT NULL, b ARRAY<STRING>)",
        "ROW<`a` INT NOT NULL, `b` ARRAY<STRING>>",
        row,
    );
    let entries = |key, (name, value): (&str, DataType), nullable| {
        let fields = vec![
            Field::new("key", key, false),
            Field::new(name, value, nullable),
        ];
        let entries = Field::new("entries", DataType::Struct(Fields::from(fields)), false);
        DataType::Map(Arc::new(entries), false)
    };
    check(
        "MAP<STRING, ROW<x DOUBLE COMMENT 'it''s'>>",
        "MAP<STRING, ROW<`x` DOUBLE COMMENT 'it''s'>>",
        entries(
            DataType::Utf8,
            (
                "value",
                DataType::Struct(Fields::from(vec![Field::new("x", DataType::Float64, true)])),
            ),
            true,
        ),
    );
    let counted = entries(DataType::Int32, ("count", DataType::Int32), false);
    check("MULTISET<INT>", "MULTISET<INT>", counted.clone());
    assert_eq!(SqlType::from_arrow(&counted).to_string(), "MULTISET<INT>");
}

#[track_caller]
fn refuse(text: &str, message: &str, column: u32) {
    let error = parse_type_text(text).unwrap_err();
    assert!(error.message().contains(message), "{text}: {error}");
    assert_eq!(
        error.location().map(|l| l.column),
        Some(column),
        "{text}: {error}"
    );
}

#[test]
fn errors_say_where_and_what() {
    refuse("INTT", "INTT is not a type; did you mean INT?", 1);
    refuse("DECIMAL(39, 2)", "between 1 and 38", 1);
    refuse("DECIMAL(3, 4)", "scale not above", 1);
    refuse("TIMESTAMP(12)", "between 0 and 9", 11);
    refuse("ROW<a INT, b FOO>", "FOO is not a type", 14);
    refuse("ROW<a INT, a INT>", "appears twice", 12);
    refuse("TIMESTAMP(3) WITH TIME ZONE", "TIMESTAMP_LTZ", 1);
    refuse("ARRAY<INT>>", "closing >", 10);
    refuse("VARCHAR(0)", "between 1 and", 9);
    let deep = format!("{}INT{}", "ARRAY<".repeat(100), ">".repeat(100));
    assert!(parse_type_text(&deep).is_err());
}

#[test]
fn arrow_types_print_as_sql() {
    let check = |arrow: DataType, expected: &str| {
        assert_eq!(SqlType::from_arrow(&arrow).to_string(), expected);
    };
    check(DataType::UInt64, "BIGINT UNSIGNED");
    check(DataType::Utf8View, "STRING");
    check(
        DataType::Timestamp(TimeUnit::Millisecond, None),
        "TIMESTAMP(3)",
    );
    check(
        DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        "TIMESTAMP_LTZ(9)",
    );
    check(
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        "STRING",
    );
}
