#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn suite() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("nexmark")
}

#[test]
fn every_query_of_the_suite_loads_and_fills_in_completely() {
    for name in ALL {
        let query = Query::load(&suite(), name).unwrap();
        let insert = query.insert_script(Path::new("/data/in"));
        assert!(insert.contains("'path' = '/data/in'"), "{name}");
        assert!(insert.contains("'connector' = 'blackhole'"), "{name}");
        assert!(insert.contains("INSERT INTO sink\nSELECT"), "{name}");
        assert!(!insert.contains("${"), "{name}: {insert}");
        let select = query.select_script(Path::new("/data/in"), 3600);
        assert!(select.contains("INTERVAL '3600' SECOND"), "{name}");
        assert!(
            !select.contains("sink") && !select.contains("${"),
            "{name}: {select}"
        );
        assert!(query.duckdb.is_some(), "{name} for DuckDB");
    }
}

#[test]
fn all_names_every_file_of_the_suite() {
    let mut files: Vec<String> = fs::read_dir(suite())
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(".sql")
                .map(str::to_owned)
        })
        .filter(|name| name != "ddl")
        .collect();
    files.sort();
    let mut all: Vec<&str> = ALL.to_vec();
    all.sort_unstable();
    assert_eq!(files, all);
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
        error.starts_with("no query q99; there are q0, q1"),
        "{error}"
    );
}
