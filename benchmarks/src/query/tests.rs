#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn suite() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("nexmark")
}

fn input() -> Made {
    Made {
        dir: "/data/in".into(),
        events: 1000,
    }
}

#[test]
fn every_query_of_the_suite_loads_and_fills_in_completely() {
    for name in names(&suite()).unwrap() {
        let query = Query::load(&suite(), &name).unwrap();
        assert!(query.reads_files());
        let insert = query.insert_script(&input());
        assert!(insert.contains("'path' = '/data/in'"), "{name}");
        assert!(insert.contains("'connector' = 'blackhole'"), "{name}");
        assert!(insert.contains("INSERT INTO sink\nSELECT"), "{name}");
        assert!(!insert.contains("${"), "{name}: {insert}");
        let select = query.select_script(&input(), 3600);
        assert!(select.contains("INTERVAL '3600' SECOND"), "{name}");
        assert!(
            !select.contains("sink") && !select.contains("${"),
            "{name}: {select}"
        );
        assert!(query.duckdb.is_some(), "{name} for DuckDB");
    }
}

#[test]
fn a_suite_is_its_files_in_the_order_of_their_numbers() {
    let names = names(&suite()).unwrap();
    assert_eq!(names[..7], ["q0", "q1", "q2", "q3", "q4", "q5", "q5_hop"]);
    assert_eq!(names.last().unwrap(), "q23");
}

#[test]
fn a_suite_may_make_its_own_input() {
    let suite = suite().with_file_name("state");
    for name in names(&suite).unwrap() {
        let query = Query::load(&suite, &name).unwrap();
        assert!(!query.reads_files(), "{name}");
        let insert = query.insert_script(&input());
        assert!(
            insert.contains("'1000'") && !insert.contains("${"),
            "{insert}"
        );
    }
}

#[test]
fn directives_are_read() {
    let query = Query::load(&suite(), "q12").unwrap();
    let expected = Check::Total {
        column: "bid_count".into(),
        index: 1,
    };
    assert_eq!(query.check, expected);
    assert_eq!(query.check_without, ["flink"]);
    assert_eq!(Query::load(&suite(), "q0").unwrap().check, Check::Rows);
}

#[test]
fn an_unknown_query_names_those_that_exist() {
    let error = Query::load(&suite(), "q99").unwrap_err().to_string();
    assert!(
        error.starts_with("no query q99; there are q0, q1, q2, q3, q4, q5, q5_hop"),
        "{error}"
    );
}
