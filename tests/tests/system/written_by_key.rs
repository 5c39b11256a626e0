//! Results that change, written into PostgreSQL by their key: at the end the table has the rows of batch mode.

use std::collections::BTreeSet;
use std::path::Path;

use levada_tests::postgres::Server;
use levada_tests::process;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const ROWS: usize = 3000;

/// Rows of an aggregation, which change.
const SUMS: &str = "(SELECT k, g, SUM(a) AS s FROM t GROUP BY k, g)";

/// A query, the columns of its rows, and their key.
struct Case {
    name: &'static str,
    columns: &'static str,
    key: &'static str,
    query: String,
    /// Whether several rows of the query have the same key; which of them the table has is not said.
    shared: bool,
}

/// `SELECT columns` of the rows of `source` whose number passes.
fn ranked(columns: &str, function: &str, by: &str, source: &str, passes: &str) -> String {
    format!(
        "SELECT {columns} FROM (SELECT *, {function}() OVER ({by}) AS rn FROM {source}) WHERE {passes}"
    )
}

fn cases() -> Vec<Case> {
    let case = |name, columns, key, query| Case {
        name,
        columns,
        key,
        query,
        shared: false,
    };
    let best = "PARTITION BY k ORDER BY s DESC, g";
    let least = "PARTITION BY k ORDER BY s, g";
    let rough = "PARTITION BY k ORDER BY s / 500";
    let last = "PARTITION BY g ORDER BY id DESC";
    vec![
        case(
            "places",
            "k INT, rn BIGINT, g INT, s BIGINT",
            "k, rn",
            ranked("k, rn, g, s", "ROW_NUMBER", best, SUMS, "rn <= 4"),
        ),
        case(
            "best",
            "k INT, g INT, s BIGINT",
            "k",
            ranked("k, g, s", "ROW_NUMBER", best, SUMS, "rn = 1"),
        ),
        case(
            "second_to_fifth",
            "k INT, g INT, s BIGINT",
            "k, g",
            ranked("k, g, s", "ROW_NUMBER", least, SUMS, "rn BETWEEN 2 AND 5"),
        ),
        case(
            "ranks",
            "k INT, g INT, s BIGINT, rn BIGINT",
            "k, g",
            ranked("k, g, s, rn", "DENSE_RANK", rough, SUMS, "rn <= 2"),
        ),
        case(
            "first_of_all",
            "k INT, g INT, s BIGINT",
            "k, g",
            format!("SELECT k, g, s FROM {SUMS} ORDER BY s DESC, k, g LIMIT 10 OFFSET 3"),
        ),
        case(
            "last_of_each",
            "g INT, id BIGINT, a BIGINT",
            "g",
            ranked("g, id, a", "ROW_NUMBER", last, "t", "rn = 1"),
        ),
        case(
            "joined",
            "k INT, g INT, s BIGINT, n BIGINT",
            "k, g",
            format!(
                "SELECT x.k, x.g, x.s, y.n FROM {SUMS} AS x \
                 LEFT JOIN (SELECT k, COUNT(*) AS n FROM t WHERE a < 500 GROUP BY k) AS y ON x.k = y.k"
            ),
        ),
    ]
}

/// Whose changes come in another order than they were made in, or whose keys several rows have.
fn cases_in_disorder() -> Vec<Case> {
    let case = |name, columns, key, query| Case {
        name,
        columns,
        key,
        query,
        shared: false,
    };
    let best = "PARTITION BY k ORDER BY s DESC, g";
    vec![
        // The row is another subtask's whenever its sum changes.
        case(
            "moved",
            "k INT, g INT, s BIGINT, n BIGINT",
            "k, g",
            format!(
                "SELECT x.k, x.g, x.s, y.n FROM {SUMS} AS x \
                 LEFT JOIN (SELECT a, COUNT(*) AS n FROM t GROUP BY a) AS y ON MOD(x.s, 1000) = y.a"
            ),
        ),
        case(
            "with_places",
            "k INT, g INT, s BIGINT, rn BIGINT",
            "k, g",
            ranked("k, g, s, rn", "ROW_NUMBER", best, SUMS, "rn <= 4"),
        ),
        case(
            "among_others",
            "k INT, g INT, s BIGINT, n BIGINT",
            "k, g",
            format!("SELECT k, g, s, COUNT(*) OVER (PARTITION BY s / 300) AS n FROM {SUMS}"),
        ),
        case(
            "of_two",
            "k INT, g INT, s BIGINT",
            "k, g",
            format!(
                "SELECT k, g, s FROM {SUMS} WHERE MOD(s, 2) = 0 \
                 UNION ALL SELECT k, g, -s FROM {SUMS} WHERE MOD(s, 2) = 1"
            ),
        ),
        Case {
            shared: true,
            ..case(
                "any_of_key",
                "k INT, g INT, s BIGINT",
                "k",
                format!("SELECT k, g, s FROM {SUMS}"),
            )
        },
    ]
}

/// Of the rows that share a key, one.
fn check_shared(found: &[String], expected: &[String], what: &str) {
    let key = |line: &String| line.split(',').next().map(str::to_string);
    let keys: BTreeSet<_> = expected.iter().map(key).collect();
    assert_eq!(
        found.iter().map(key).collect::<BTreeSet<_>>(),
        keys,
        "{what}"
    );
    assert_eq!(found.len(), keys.len(), "{what}");
    assert!(
        found.iter().all(|line| expected.contains(line)),
        "{what}: {found:?}"
    );
}

fn write_input(folder: &Path, chance: &mut SmallRng) {
    std::fs::create_dir_all(folder).unwrap();
    let mut files = vec![String::new(); 3];
    for id in 0..ROWS {
        let (k, g) = (chance.random_range(0..20), chance.random_range(0..150));
        let a = chance.random_range(0..1000);
        let line = format!("{{\"id\":{id},\"k\":{k},\"g\":{g},\"a\":{a}}}\n");
        files[chance.random_range(0..3)].push_str(&line);
    }
    for (number, content) in files.iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.json")), content).unwrap();
    }
}

fn run(options: &[&str], script: &str) -> Vec<String> {
    let output = process::sql(options, script);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = text.lines().skip(1).map(str::to_string).collect();
    lines.sort();
    lines
}

#[test]
#[ignore = "needs PostgreSQL"]
fn tables_have_the_rows_of_batch_mode_in_the_end() {
    let mut chance = SmallRng::seed_from_u64(levada_tests::seed());
    let server = Server::start();
    let input = server.folder().join("input");
    write_input(&input, &mut chance);
    let table = format!(
        "CREATE TABLE t (id BIGINT, k INT, g INT, a BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');",
        input.display()
    );
    for case in cases().into_iter().chain(cases_in_disorder()) {
        let (name, columns, key) = (case.name, case.columns, case.key);
        server.sql(&format!(
            "CREATE TABLE {name} ({columns}, PRIMARY KEY ({key}));"
        ));
        let to = server.options(name, "");
        let settings = format!(
            "SET 'execution.checkpointing.interval' = '50 ms'; SET 'parallelism.default' = '{}'; SET 'state.backend.type' = '{}';",
            chance.random_range(1..4),
            ["memory", "disk", "rocksdb"][chance.random_range(0..3)],
        );
        run(
            &[],
            &format!(
                "{settings} {table} CREATE TABLE o ({columns}, PRIMARY KEY ({key}) NOT ENFORCED) {to}; INSERT INTO o {};",
                case.query
            ),
        );
        let batch = ["--output", "csv", "--set", "execution.runtime-mode=batch"];
        let expected = run(&batch, &format!("{table} {};", case.query));
        let text = server.sql(&format!("SELECT * FROM {name};"));
        let mut found: Vec<String> = text.lines().map(|line| line.replace('|', ",")).collect();
        found.sort();
        let what = format!("{name}, {settings}");
        match case.shared {
            true => check_shared(&found, &expected, &what),
            false => assert_eq!(found, expected, "{what}"),
        }
        assert!(!found.is_empty(), "{name}");
    }
}
