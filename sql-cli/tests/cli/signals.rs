//! Ctrl-C and SIGTERM.

use nix::sys::signal::Signal;

use crate::process::{Running, levada};

const MANY: &str = "CREATE TABLE many (a BIGINT) WITH ('connector' = 'datagen', \
    'rows-per-second' = '500', 'fields.a.min' = '7', 'fields.a.max' = '7');";

#[test]
fn a_query_without_end_ends_when_it_is_told_to() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let query = format!("{MANY} SELECT a FROM many;");
        let mut running = Running::start(levada(&["sql", "-o", "json", "-p", "1", "-e", &query]));
        assert_eq!(
            running.line(),
            "{\"a\":7}",
            "rows come while the query runs"
        );
        running.signal(signal);
        let ended = running.end();
        assert_eq!(ended.status, Some(0), "{signal}: {}", ended.stderr);
    }
}

#[test]
fn what_a_stopped_insert_has_written_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "{MANY} CREATE TABLE sink (a BIGINT) WITH ('connector' = 'filesystem', \
         'path' = '{}', 'format' = 'json'); \
         CREATE TABLE seen (a BIGINT) WITH ('connector' = 'print'); \
         EXECUTE STATEMENT SET BEGIN INSERT INTO sink SELECT a FROM many; \
         INSERT INTO seen SELECT a FROM many; END;",
        dir.path().display()
    );
    let mut running = Running::start(levada(&["sql", "-p", "1", "-e", &script]));
    // The print sink shows that rows flow.
    for _ in 0..20 {
        assert!(!running.line().is_empty());
    }
    running.signal(Signal::SIGTERM);
    let ended = running.end();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let mut rows: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let visible = path.is_file()
            && !path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(['.', '_']);
        if visible {
            let text = std::fs::read_to_string(path).unwrap();
            rows.extend(text.lines().map(str::to_string));
        }
    }
    assert!(!rows.is_empty(), "the last checkpoint commits");
    let printed = 20 + ended.stdout.lines().count();
    assert_eq!(rows.len(), printed, "both sinks saw the same rows");
    assert!(rows.iter().all(|row| row == "{\"a\":7}"));
}

#[test]
fn bounded_work_that_is_interrupted_has_failed() {
    let script = "CREATE TABLE slow (a BIGINT) WITH ('connector' = 'datagen', \
        'rows-per-second' = '50', 'number-of-rows' = '1000000'); SELECT a FROM slow;";
    let mut running = Running::start(levada(&["sql", "-o", "json", "-e", script]));
    assert!(running.line().starts_with("{\"a\":"));
    running.signal(Signal::SIGINT);
    let ended = running.end();
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("interrupted"), "{}", ended.stderr);
}
