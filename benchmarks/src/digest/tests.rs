#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn digest(rows: &[&str]) -> Digest {
    let mut digest = Digest::default();
    for row in rows {
        digest.add(row, &Check::Rows).unwrap();
    }
    digest
}

#[test]
fn order_and_spelling_do_not_matter() {
    let one = digest(&[
        r#"{"a":1,"t":"2023-11-14 22:13:20.100","p":454.5}"#,
        r#"{"a":2,"t":"2023-11-14 22:13:00.000","p":null}"#,
    ]);
    let two = digest(&[
        r#"[2,"2023-11-14T22:13",null]"#,
        r#"[1,"2023-11-14T22:13:20.1","454.500"]"#,
    ]);
    assert_eq!(one, two);
    assert_eq!(one.rows, 2);
}

#[test]
fn every_difference_shows() {
    let base = digest(&[r#"[1,"a",2.5]"#, r#"[1,"a",2.5]"#]);
    for other in [
        vec![r#"[1,"a",2.5]"#],
        vec![r#"[1,"a",2.5]"#, r#"[1,"a",2.6]"#],
        vec![r#"[1,"a",2.5]"#, r#"[1,"b",2.5]"#],
        vec![r#"[1,"a",2.5]"#, r#"[1,null,2.5]"#],
        vec![r#"[1,"a",2.5]"#, r#"[1,2.5,"a"]"#],
        vec![r#"[1,"a",2.5]"#, r#"[1,"a2.5",""]"#],
    ] {
        assert_ne!(base, digest(&other), "{other:?}");
    }
    assert_ne!(digest(&[r#"["null"]"#]), digest(&["[null]"]));
}

#[test]
fn a_decimal_equals_the_nearest_double() {
    assert_eq!(
        canonical_number("71427.820"),
        canonical_number("71427.81999999999")
    );
    assert_ne!(canonical_number("71427.820"), canonical_number("71427.821"));
    assert_eq!(canonical_number("908"), canonical_number("908.000"));
}

#[test]
fn a_total_adds_up_one_column() {
    let check = Check::Total {
        column: "n".into(),
        index: 1,
    };
    let mut digest = Digest::default();
    digest.add(r#"{"k":7,"n":3}"#, &check).unwrap();
    digest.add("[7,4]", &check).unwrap();
    assert_eq!(digest.rows, 7);
    let error = digest.add(r#"{"k":7}"#, &check).unwrap_err();
    assert!(error.contains("column n"), "{error}");
}

#[test]
fn what_is_no_row_is_an_error() {
    for line in ["", "12", "+I[1, 2]"] {
        assert!(Digest::default().add(line, &Check::Rows).is_err(), "{line}");
    }
}

#[test]
fn hashes_are_those_of_the_files_that_hold_them() {
    assert_eq!(digest(&[r#"[1,"a"]"#]).checksum, 0x13ad_4671_717d_23d5);
}
