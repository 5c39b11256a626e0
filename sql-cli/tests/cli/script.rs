//! Statements from arguments, files and standard input.

use std::io::Write;
use std::process::Stdio;

use crate::process::{failing, file, levada, run, sql};

const WORDS: &str = "CREATE TABLE words (word STRING, n INT, ts TIMESTAMP(3), \
    WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = 'PATH', 'format' = 'json');";

const ROWS: &str = r#"{"word":"a","n":1,"ts":"2024-01-01 00:00:01.000"}
{"word":"b","n":null,"ts":"2024-01-01 00:00:02.500"}
{"word":"a","n":3,"ts":"2024-01-01 00:00:11.000"}
"#;

/// A folder with the words, and the statement that declares them.
fn words() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "words.json", ROWS);
    (dir, WORDS.replace("PATH", &path))
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn rows_come_as_json_csv_and_changelog_and_nothing_else_does() {
    let (_dir, create) = words();
    let query = format!("{create} SELECT word, n, ts FROM words;");
    assert_eq!(
        sorted(&sql(&["-o", "json"], &query)),
        [
            r#"{"word":"a","n":1,"ts":"2024-01-01 00:00:01.000"}"#,
            r#"{"word":"a","n":3,"ts":"2024-01-01 00:00:11.000"}"#,
            r#"{"word":"b","n":null,"ts":"2024-01-01 00:00:02.500"}"#,
        ]
    );
    let csv = sql(&["-o", "csv"], &query);
    assert_eq!(csv.lines().next(), Some("word,n,ts"));
    assert!(csv.contains("\nb,,2024-01-01 00:00:02.500\n"), "{csv}");
    let changelog = sql(&["-o", "changelog"], &query);
    assert!(sorted(&changelog).contains(&"+I | b | NULL | 2024-01-01 00:00:02.500"));
    let table = sql(&[], &query);
    assert!(
        table.contains("| word |") && table.contains("3 rows in set"),
        "{table}"
    );
}

#[test]
fn a_query_that_updates_prints_its_final_rows_once() {
    let (_dir, create) = words();
    let query = format!("{create} SELECT word, SUM(n) AS s FROM words GROUP BY word;");
    for parallelism in ["1", "3"] {
        let small = [
            "-o",
            "json",
            "-p",
            parallelism,
            "--set",
            "pipeline.batch-rows=1",
        ];
        let rows = sql(&small, &query);
        assert_eq!(
            sorted(&rows),
            [r#"{"word":"a","s":4}"#, r#"{"word":"b","s":null}"#]
        );
    }
    let changes = sql(
        &[
            "-o",
            "changelog",
            "-p",
            "1",
            "--set",
            "pipeline.batch-rows=1",
        ],
        &query,
    );
    assert!(
        changes.contains("+I | a | 1\n") && changes.contains("+U | a | 4\n"),
        "{changes}"
    );
}

#[test]
fn windows_close_at_the_end_of_bounded_input_and_agree_with_batch_mode() {
    let (_dir, create) = words();
    let query = format!(
        "{create} SELECT window_start, word, COUNT(*) AS c \
         FROM TABLE(TUMBLE(TABLE words, DESCRIPTOR(ts), INTERVAL '10' SECOND)) \
         GROUP BY window_start, window_end, word;"
    );
    let streaming = sql(&["-o", "json"], &query);
    let batch = sql(
        &["-o", "json", "--set", "execution.runtime-mode=batch"],
        &query,
    );
    let expected = [
        r#"{"window_start":"2024-01-01 00:00:00.000","word":"a","c":1}"#,
        r#"{"window_start":"2024-01-01 00:00:00.000","word":"b","c":1}"#,
        r#"{"window_start":"2024-01-01 00:00:10.000","word":"a","c":1}"#,
    ];
    assert_eq!(sorted(&streaming), expected);
    assert_eq!(sorted(&batch), expected);
}

#[test]
fn an_insert_over_bounded_input_is_waited_for() {
    let (dir, create) = words();
    let out = dir.path().join("out");
    let script = format!(
        "{create} CREATE TABLE copy (word STRING, n INT) WITH ('connector' = 'filesystem', \
         'path' = '{}', 'format' = 'json'); \
         INSERT INTO copy SELECT word, n FROM words; SELECT word, n FROM copy;",
        out.display()
    );
    for mode in ["streaming", "batch"] {
        let set = format!("execution.runtime-mode={mode}");
        let rows = sql(&["-o", "json", "--set", &set], &script);
        let expected = [
            r#"{"word":"a","n":1}"#,
            r#"{"word":"a","n":3}"#,
            r#"{"word":"b","n":null}"#,
        ];
        assert_eq!(sorted(&rows), expected, "{mode}");
        std::fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn a_statement_set_writes_all_its_tables() {
    let (dir, create) = words();
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (word STRING) WITH ('connector' = 'filesystem', \
             'path' = '{}', 'format' = 'csv');",
            dir.path().join(name).display()
        )
    };
    let (low, high) = (table("low"), table("high"));
    let script = format!(
        "{create} {low} {high} EXECUTE STATEMENT SET BEGIN \
         INSERT INTO low SELECT word FROM words WHERE n < 2; \
         INSERT INTO high SELECT word FROM words WHERE n > 2; END; \
         SELECT word FROM low UNION ALL SELECT word FROM high;"
    );
    assert_eq!(sql(&["-o", "json"], &script).lines().count(), 2);
}

#[test]
fn files_are_queried_without_create_table_in_batch_mode() {
    let dir = tempfile::tempdir().unwrap();
    file(&dir, "one.csv", "k,v\na,1\nb,2\n");
    file(&dir, "two.csv", "k,v\na,3\n");
    let query = format!(
        "SELECT k, SUM(v) AS s FROM '{}/*.csv' GROUP BY k ORDER BY k DESC LIMIT 5",
        dir.path().display()
    );
    let rows = sql(
        &["-o", "json", "--set", "execution.runtime-mode=batch"],
        &query,
    );
    assert_eq!(rows, "{\"k\":\"b\",\"s\":2}\n{\"k\":\"a\",\"s\":4}\n");
}

#[test]
fn a_script_comes_from_a_file_or_from_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let script = "-- a comment; with a semicolon\nVALUES (1, 'x''y;');";
    let path = file(&dir, "script.sql", script);
    let from_file = run(&["sql", "-o", "csv", "-f", &path]);
    assert_eq!(from_file.status, Some(0), "{}", from_file.stderr);
    assert_eq!(from_file.stdout.lines().nth(1), Some("1,x'y;"));
    for arguments in [&["sql", "-o", "csv"][..], &["sql", "-o", "csv", "-f", "-"]] {
        let mut child = levada(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(script.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), from_file.stdout);
    }
}

#[test]
fn the_first_failure_ends_the_script_with_its_place() {
    let (_dir, create) = words();
    let script = format!("{create}\nSELECT nope FROM words;\nSELECT 'never' AS x;");
    let ended = run(&["sql", "-o", "json", "-e", &script]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("LV-1003"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("line 2, column 8"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("2 | SELECT nope FROM words;"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_syntax_error_is_found_before_anything_runs() {
    let ended = run(&["sql", "-o", "json", "-e", "SELECT 1 AS x;\nSELEC 2;"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), ""));
    assert!(
        ended.stderr.contains("LV-1001") && ended.stderr.contains("SELECT?"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_bad_row_fails_the_job_and_says_where_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(
        &dir,
        "bad.json",
        "{\"word\":\"a\",\"n\":1}\n{\"word\":\"b\",\"n\":oops}\n",
    );
    let create = "CREATE TABLE bad (word STRING, n INT) WITH ('connector' = 'filesystem', \
        'path' = 'PATH', 'format' = 'json'OPTIONS);";
    let strict = create.replace("PATH", &path).replace("OPTIONS", "");
    let error = failing(
        &["-o", "json"],
        &format!("{strict} SELECT word, n FROM bad"),
    );
    assert!(
        error.contains("LV-3002") && error.contains("bad.json"),
        "{error}"
    );
    let lenient = create
        .replace("PATH", &path)
        .replace("OPTIONS", ", 'json.ignore-parse-errors' = 'true'");
    let rows = sql(
        &["-o", "json"],
        &format!("{lenient} SELECT word, n FROM bad"),
    );
    assert_eq!(rows, "{\"word\":\"a\",\"n\":1}\n");
}

#[test]
fn wrong_usage_has_a_status_of_its_own() {
    let wrong: [&[&str]; 6] = [
        &[],
        &["sql", "-f", "a.sql", "-e", "SELECT 1"],
        &["sql", "--output", "xml", "-e", "SELECT 1"],
        &["sql", "--set", "no.such.name=1", "-e", "SELECT 1"],
        &["sql", "--set", "parallelism.default=zero", "-e", "SELECT 1"],
        &["worker", "--slots", "1", "--bind", "nowhere"],
    ];
    for arguments in wrong {
        let ended = run(arguments);
        assert_eq!(ended.status, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(
            ended.stdout.is_empty() && !ended.stderr.is_empty(),
            "{arguments:?}"
        );
    }
}

#[test]
fn what_cannot_be_read_or_reached_is_an_error() {
    let ended = run(&["sql", "-f", "/no/such/script.sql"]);
    assert_eq!(ended.status, Some(1));
    assert!(
        ended.stderr.contains("/no/such/script.sql"),
        "{}",
        ended.stderr
    );
    // Port 9 is discard: nothing listens there.
    let error = failing(&["--connect", "127.0.0.1:9"], "VALUES (1)");
    assert!(
        error.contains("LV-5001") && error.contains("127.0.0.1:9"),
        "{error}"
    );
}

#[test]
fn statements_about_the_session_follow_the_output_format() {
    let (_dir, create) = words();
    let tables = sql(&["-o", "json"], &format!("{create} SHOW TABLES;"));
    assert_eq!(tables, "{\"table name\":\"words\"}\n");
    let plan = sql(
        &["-o", "json"],
        &format!("{create} EXPLAIN SELECT word FROM words;"),
    );
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert!(plan["result"].as_str().unwrap().contains("Streaming plan"));
    let described = sql(&[], &format!("{create} DESCRIBE words;"));
    assert!(described.contains("TIMESTAMP(3)") && described.contains("3 rows in set"));
}

#[test]
fn an_unbounded_query_that_updates_has_no_final_rows() {
    let create =
        "CREATE TABLE many (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');";
    let query = format!("{create} SELECT a, COUNT(*) FROM many GROUP BY a;");
    let error = failing(&["-o", "json"], &query);
    assert!(
        error.contains("LV-1011") && error.contains("--output changelog"),
        "{error}"
    );
}

#[test]
fn the_reader_may_leave() {
    let create =
        "CREATE TABLE many (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100000');";
    let mut child = levada(&[
        "sql",
        "-o",
        "json",
        "-e",
        &format!("{create} SELECT a FROM many"),
    ])
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(said, "table many created\n", "leaving is no error");
}

#[test]
fn a_table_can_be_replaced_by_what_a_query_makes_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t").display().to_string();
    let tables = format!(
        "CREATE TABLE t (a INT, day STRING) PARTITIONED BY (day)
           WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json');
         CREATE TABLE hole (a INT, day STRING) WITH ('connector' = 'blackhole');
         SET 'execution.runtime-mode' = 'batch';"
    );
    let rows = |statements: &str| {
        let script = format!("{tables} {statements} SELECT a, day FROM t ORDER BY a;");
        let printed = sql(&["-o", "csv"], &script);
        let rows = printed.lines().filter(|line| line.contains(','));
        rows.skip(1).map(str::to_string).collect::<Vec<_>>()
    };
    let all = rows("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'y');");
    assert_eq!(all, ["1,x", "2,y", "3,y"]);
    let some = rows("INSERT OVERWRITE t SELECT a + 10, day FROM t WHERE a >= 3;");
    assert_eq!(some, ["1,x", "13,y"]);
    let none = rows("INSERT OVERWRITE TABLE t PARTITION (day = 'x') SELECT a FROM t WHERE FALSE;");
    assert_eq!(none, ["13,y"]);
    let hole = failing(
        &[],
        &format!("{tables} INSERT OVERWRITE hole SELECT * FROM t;"),
    );
    assert!(hole.contains("connector 'blackhole'"), "{hole}");
    let streams = "SET 'execution.runtime-mode' = 'streaming'; INSERT OVERWRITE t SELECT 1, 'x';";
    let streams = failing(&[], &format!("{tables} {streams}"));
    assert!(streams.contains("INSERT OVERWRITE on streams"), "{streams}");
}
