#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::*;
use crate::error::Error;

/// A checkpoint that is kept for the tests of its format.
fn kept(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("tests/checkpoints").join(name)
}

fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut lines = Vec::new();
    for batch in batches {
        let columns = batch.columns().iter();
        let columns: Vec<_> = columns
            .map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns.iter().map(|c| c.value(row).to_string()).collect();
            lines.push(cells.join(" | "));
        }
    }
    lines
}

async fn run(folder: &Path, sql: &str) -> Result<Vec<String>> {
    let inspection = open(&folder.display().to_string()).await?;
    match inspection.sql(sql).await? {
        Outcome::Table(rows) => Ok(lines(&[rows])),
        Outcome::Query(query) => Ok(lines(&query.collect().await?)),
        other => panic!("{other:?}"),
    }
}

async fn rows(name: &str, sql: &str) -> Vec<String> {
    run(&kept(name), sql)
        .await
        .unwrap_or_else(|e| panic!("{name}: {sql}: {}", e.render(sql)))
}

async fn error(name: &str, sql: &str) -> Error {
    run(&kept(name), sql).await.unwrap_err()
}

#[tokio::test]
async fn tables_are_listed_and_described() {
    let tables = rows("v3/updates-memory", "SHOW TABLES").await;
    let names: Vec<&str> = tables
        .iter()
        .map(|line| line.split(" | ").next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "operators",
            "aggregates",
            "files",
            "positions",
            "group_aggregate_642c",
            "group_aggregate_642c_max_k",
            "group_aggregate_642c_min_total",
            "group_aggregate_642c_entries",
            "group_aggregate_c33f",
            "group_aggregate_c33f_entries",
        ]
    );
    assert!(tables[4].contains("GroupAggregate | 642c0e89bd533548 | groups"));
    let columns = rows("v3/tumble-memory", "DESCRIBE Window_Aggregate").await;
    assert_eq!(
        columns[..3],
        [
            "key_group | INT | false",
            "slice_end | TIMESTAMP(3) | false",
            "k | BIGINT | true",
        ]
    );
    assert!(
        columns
            .iter()
            .any(|column| column.starts_with("avg_v_sum | "))
    );
}

#[tokio::test]
async fn state_is_what_it_was_on_every_backend() {
    for backend in ["memory", "rocksdb"] {
        let name = |query: &str| format!("v3/{query}-{backend}");
        // Each row of the input is in one group, and what counts them adds up to the position.
        let sql = "SELECT COUNT(DISTINCT (k, s)) = COUNT(*), SUM(count) = SUM(sum_v_count), \
                   MIN(min_v) <= MAX(sum_distinct_v_sum) FROM group_aggregate";
        assert_eq!(rows(&name("groups"), sql).await, ["true | true | true"]);
        // Every value of a set belongs to a group, which counts it.
        for (query, table, keys) in [
            ("groups", "group_aggregate", "k, s"),
            ("tumble", "window_aggregate", "slice_end, k"),
            ("hop", "window_aggregate", "slice_end, k"),
            ("cumulate", "window_aggregate", "slice_end, k"),
            ("session", "window_aggregate", "session_start, k"),
        ] {
            let set = format!("{table}_count_distinct_s");
            let sql = format!(
                "SELECT g.n = s.n AND g.n > 0 FROM (SELECT SUM(count_distinct_s) AS n FROM {table}) g, \
                 (SELECT COUNT(*) AS n FROM {set}) s"
            );
            assert_eq!(rows(&name(query), &sql).await, ["true"], "{query}");
            let sql = format!(
                "SELECT COUNT(*) FROM (SELECT {keys} FROM {set} EXCEPT SELECT {keys} FROM {table})"
            );
            assert_eq!(rows(&name(query), &sql).await, ["0"], "{query}");
        }
        let sql = "SELECT COUNT(DISTINCT watermark) FROM window_aggregate_watermarks";
        assert_eq!(rows(&name("tumble"), sql).await, ["1"]);
        let sql = "SELECT COUNT(*) FROM window_aggregate WHERE last_time < session_start";
        assert_eq!(rows(&name("session"), sql).await, ["0"]);
    }
}

#[tokio::test]
async fn state_without_layouts_is_bytes() {
    let sql = "SELECT table_id, COUNT(*) > 0, COUNT(value) > 0 \
               FROM group_aggregate_entries GROUP BY table_id ORDER BY 1 LIMIT 1";
    assert_eq!(rows("v2/groups-memory", sql).await, ["1 | true | true"]);
    let tables = rows("v2/groups-memory", "SHOW TABLES").await;
    assert_eq!(tables.len(), 5);
}

#[tokio::test]
async fn the_checkpoint_itself_has_tables() {
    let sql = "SELECT o.operator FROM operators o JOIN files f ON o.uid = f.uid \
               GROUP BY o.operator, o.entries HAVING SUM(f.entries) = o.entries";
    assert_eq!(rows("v3/tumble-memory", sql).await, ["WindowAggregate"]);
    let sql = "SELECT operator, finished FROM positions";
    assert_eq!(
        rows("v3/tumble-memory", sql).await,
        ["Source(rows_in) | false"]
    );
    let sql = "SELECT computes FROM aggregates ORDER BY slot LIMIT 2";
    assert_eq!(rows("v3/groups-memory", sql).await, ["COUNT(*)", "SUM(v)"]);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let name = "v3/groups-memory";
    for unknown in ["SELECT * FROM nothing", "DESCRIBE nothing"] {
        let text = error(name, unknown).await.render(unknown);
        assert!(
            text.contains("LV-1002") && text.contains("nothing"),
            "{text}"
        );
        assert!(text.contains("group_aggregate_count_distinct_s"), "{text}");
    }
    let text = error(name, "SELECT nope FROM group_aggregate").await;
    assert!(text.to_string().contains("nope"), "{text}");
    for other in [
        "INSERT INTO group_aggregate SELECT * FROM group_aggregate",
        "CREATE VIEW w AS SELECT 1",
        "DROP TABLE group_aggregate",
        "SET 'parallelism.default' = '1'",
        "SHOW JOBS",
    ] {
        let text = error(name, other).await.to_string();
        assert!(text.contains("queried and not changed"), "{other}: {text}");
    }
    for other in [
        "COPY group_aggregate TO 'out.csv'",
        "SELECT 1; SELECT 2",
        "SELECT * FROM 'Cargo.toml'",
        "SELECT * FROM 'a.csv'",
    ] {
        error(name, other).await;
    }
}

#[tokio::test]
async fn damage_is_found_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (kept("v3/groups-memory"), folder.path().join("savepoint"));
    std::fs::create_dir_all(to.join("state")).unwrap();
    std::fs::copy(from.join("manifest.json"), to.join("manifest.json")).unwrap();
    for entry in std::fs::read_dir(from.join("state")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        // Behind the header there are entries.
        bytes[20] ^= 0x40;
        std::fs::write(to.join("state").join(path.file_name().unwrap()), bytes).unwrap();
    }
    assert!(
        !run(&to, "SELECT * FROM operators")
            .await
            .unwrap()
            .is_empty()
    );
    let error = run(&to, "SELECT * FROM group_aggregate").await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("damaged") && text.contains(".state"),
        "{text}"
    );
    std::fs::remove_dir_all(to.join("state")).unwrap();
    run(&to, "SELECT * FROM group_aggregate").await.unwrap_err();
    assert_eq!(run(&to, "SHOW TABLES").await.unwrap().len(), 8);
}
