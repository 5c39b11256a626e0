//! What jobs remember, queried: savepoints of real jobs, through the binary.

use std::path::Path;

use levada_tests::process;

use super::edited::Bench;

/// Runs a statement over a savepoint: lines of standard output without the header, or standard error.
fn sql(path: &str, statement: &str) -> Result<Vec<String>, String> {
    let run = process::run(&["state", "inspect", path, "-o", "csv", "--sql", statement]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match run.status.success() {
        true => Ok(text(&run.stdout)
            .lines()
            .skip(1)
            .map(str::to_string)
            .collect()),
        false => Err(text(&run.stderr)),
    }
}

/// A savepoint of a query over five rows of three keys.
async fn savepoint(backend: &'static str, query: &str) -> (Bench, String) {
    let mut bench = Bench::new(backend, backend);
    bench.grow(&[(1, 10, 1), (2, 20, 2), (1, 30, 3)]);
    bench.grow(&[(3, 40, 14), (1, 10, 5)]);
    bench.first(query).await;
    let path = bench.savepoint();
    (bench, path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_and_distinct_values_can_be_queried() {
    for backend in ["memory", "disk", "rocksdb"] {
        let query = "SELECT k, COUNT(*), SUM(v), COUNT(DISTINCT v) FROM t GROUP BY k";
        let (_bench, path) = savepoint(backend, query).await;
        let groups = "SELECT k, count, sum_v_sum, count_distinct_v FROM group_aggregate ORDER BY k";
        assert_eq!(
            sql(&path, groups).unwrap(),
            ["1,3,50,2", "2,1,20,1", "3,1,40,1"]
        );
        let values =
            "SELECT k, value FROM group_aggregate_count_distinct_v WHERE k < 3 ORDER BY 1, 2";
        assert_eq!(sql(&path, values).unwrap(), ["1,10", "1,30", "2,20"]);
        let operators = "SELECT operator FROM operators WHERE entries > 0";
        assert_eq!(sql(&path, operators).unwrap(), ["GroupAggregate"]);
        let tables = sql(&path, "SHOW TABLES").unwrap();
        assert!(tables.iter().any(|t| t.starts_with("group_aggregate,")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_can_be_queried() {
    let query = "SELECT k, window_start, COUNT(*), MAX(v) FROM \
                 TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) \
                 GROUP BY k, window_start, window_end";
    for backend in ["memory", "disk", "rocksdb"] {
        let (_bench, path) = savepoint(backend, query).await;
        let groups = "SELECT slice_end, k, count, max_v FROM window_aggregate ORDER BY k";
        let end = "2026-01-01 01:00:00.000";
        assert_eq!(
            sql(&path, groups).unwrap(),
            [
                format!("{end},1,3,30"),
                format!("{end},2,1,20"),
                format!("{end},3,1,40"),
            ]
        );
        let columns = sql(&path, "DESCRIBE window_aggregate").unwrap();
        assert_eq!(columns[1], "slice_end,TIMESTAMP(3),false");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_statements_and_damage_are_told() {
    let query = "SELECT k, COUNT(*) FROM t GROUP BY k";
    let (_bench, path) = savepoint("memory", query).await;
    let error = |statement: &str| sql(&path, statement).unwrap_err();
    let unknown = error("SELECT * FROM groups");
    assert!(unknown.contains("group_aggregate"), "{unknown}");
    let unknown = error("SELECT n FROM group_aggregate");
    assert!(unknown.contains("LV-"), "{unknown}");
    let refused = error("INSERT INTO group_aggregate SELECT * FROM group_aggregate");
    assert!(refused.contains("not changed"), "{refused}");
    let files = sql(&path, "SELECT file FROM files").unwrap();
    for file in &files {
        let file = Path::new(&path).join(file);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[20] ^= 0x40;
        std::fs::write(file, bytes).unwrap();
    }
    let damaged = error("SELECT * FROM group_aggregate");
    assert!(
        damaged.contains(&files[0]) || damaged.contains(".state"),
        "{damaged}"
    );
}
