use super::*;

#[test]
fn the_caret_stands_under_the_column() {
    let error = PlanError::new(PlanErrorKind::UnknownColumn, "column pirce does not exist")
        .suggest("pirce", ["auction", "price"])
        .at(Some(Location { line: 2, column: 9 }));
    let expected = "LV-1003 (unknown column): column pirce does not exist\n  \
                    at line 2, column 9\n  \
                    2 | \tSELECT pirce\n    \
                    | \t       ^\n  \
                    hint: did you mean price?";
    assert_eq!(error.render("-- x\n\tSELECT pirce\nFROM t"), expected);
}

#[test]
fn a_location_outside_the_text_renders_without_a_line() {
    let error =
        PlanError::new(PlanErrorKind::Syntax, "m").at(Some(Location { line: 9, column: 1 }));
    assert_eq!(
        error.render("x"),
        "LV-1001 (syntax error): m\n  at line 9, column 1"
    );
}

#[test]
fn nearest_accepts_slips_and_refuses_strangers() {
    assert_eq!(nearest("pirce", ["auction", "price"]), Some("price"));
    assert_eq!(nearest("FRM", ["WHERE", "FROM"]), Some("FROM"));
    assert_eq!(nearest("banana", ["price"]), None);
    assert_eq!(nearest("Price", ["PRICE"]), Some("PRICE"));
}

#[test]
fn codes_are_unique() {
    use PlanErrorKind::*;
    let all = [
        Syntax,
        UnknownTable,
        UnknownColumn,
        UnknownFunction,
        UnknownOption,
        MissingOption,
        InvalidOption,
        TypeMismatch,
        AmbiguousName,
        DuplicateName,
        Unsupported,
        InvalidType,
        InvalidWatermark,
        InvalidWindow,
        UnknownConnector,
        UnknownFormat,
        UnknownName,
        InvalidStatement,
        Evaluation,
        Internal,
    ];
    let codes: std::collections::HashSet<_> = all.iter().map(|kind| kind.code()).collect();
    assert_eq!(codes.len(), all.len());
}

#[test]
fn messages_speak_of_sql_types() {
    let cases = [
        (
            "Cannot coerce Utf8 + Int64",
            "Cannot coerce STRING + BIGINT",
        ),
        ("sum(Int64(1)) of Utf8(\"a b\")", "sum(1) of 'a b'"),
        (
            "Timestamp(ms) and Timestamp(µs, \"UTC\")",
            "TIMESTAMP(3) and TIMESTAMP_LTZ(6)",
        ),
        (
            "Decimal128(10, 2), List(Int32), Int64",
            "DECIMAL(10, 2), ARRAY(INT), BIGINT",
        ),
        ("ünï Int8", "ünï TINYINT"),
    ];
    for (text, shown) in cases {
        assert_eq!(super::terms::in_sql(text), shown);
    }
}
