#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use levada_engine::ErrorKind;
use levada_engine::connector::{ConnectorFactory, TableDescriptor};
use levada_engine::time::ManualClock;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::filesystem::Filesystem;
use crate::fixture::{sink_context, table_of};

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("day", DataType::Utf8, true),
    ]))
}

fn table(dir: &TempDir, options: &[(&str, &str)]) -> TableDescriptor {
    let mut all = vec![("path", dir.path().to_str().unwrap()), ("format", "json")];
    all.extend_from_slice(options);
    table_of("filesystem", schema(), &all)
}

fn by_day(dir: &TempDir, options: &[(&str, &str)]) -> TableDescriptor {
    TableDescriptor {
        partitioned_by: vec!["day".into()],
        ..table(dir, options)
    }
}

fn batch(rows: &[(i64, Option<&str>)]) -> Batch {
    let a: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.0)));
    let day: ArrayRef = Arc::new(StringArray::from_iter(rows.iter().map(|r| r.1)));
    Batch::inserts(RecordBatch::try_new(schema(), vec![a, day]).unwrap())
}

async fn open(table: &TableDescriptor, place: (u32, u32), attempt: u32) -> Box<dyn Sink> {
    let context = sink_context(schema(), place, attempt, ManualClock::new(0));
    let mut sink = Filesystem.sink(table).unwrap().create(context).unwrap();
    sink.open().await.unwrap();
    sink
}

/// Relative paths of all files and their lines, sorted.
fn files(dir: &TempDir, visible: bool) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    collect(dir.path(), dir.path(), &mut found);
    found.retain(|(path, _)| path.rsplit('/').next().unwrap().starts_with('.') != visible);
    found.sort();
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, Vec<String>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            found.push((name.into(), text.lines().map(str::to_string).collect()));
        }
    }
}

/// All visible lines, sorted.
fn lines(dir: &TempDir) -> Vec<String> {
    let mut lines: Vec<_> = files(dir, true).into_iter().flat_map(|f| f.1).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn rows_appear_by_commit_and_once() {
    let dir = tempdir().unwrap();
    let mut sink = open(&table(&dir, &[]), (0, 1), 0).await;
    sink.write(&batch(&[(1, Some("x"))])).await.unwrap();
    sink.write(&batch(&[(2, None)])).await.unwrap();
    assert!(files(&dir, true).is_empty());
    let prepared = sink.prepare(1).await.unwrap();
    assert_eq!(prepared.len(), 1);
    assert!(files(&dir, true).is_empty());
    sink.write(&batch(&[(3, Some("z"))])).await.unwrap();
    for _ in 0..2 {
        sink.commit(prepared.clone()).await.unwrap();
        assert_eq!(
            lines(&dir),
            ["{\"a\":1,\"day\":\"x\"}", "{\"a\":2,\"day\":null}"]
        );
    }
    let prepared = sink.prepare(2).await.unwrap();
    sink.commit(prepared).await.unwrap();
    assert_eq!(lines(&dir).len(), 3);
    assert_eq!(files(&dir, true).len(), 2);
    assert!(files(&dir, false).is_empty());
    assert!(
        sink.prepare(3).await.unwrap().is_empty(),
        "nothing was written"
    );
}

#[tokio::test]
async fn a_crash_before_the_commit_is_finished_after_the_restart() {
    let dir = tempdir().unwrap();
    let table = table(&dir, &[]);
    let mut first = open(&table, (0, 1), 0).await;
    first.write(&batch(&[(1, None)])).await.unwrap();
    let prepared = first.prepare(1).await.unwrap();
    first.write(&batch(&[(2, None)])).await.unwrap();
    drop(first);

    let mut second = open(&table, (0, 1), 1).await;
    let hidden: Vec<_> = files(&dir, false).into_iter().map(|f| f.0).collect();
    assert_eq!(hidden.len(), 1, "the in-progress file is gone: {hidden:?}");
    second.commit(prepared.clone()).await.unwrap();
    second.commit(prepared).await.unwrap();
    assert_eq!(lines(&dir), ["{\"a\":1,\"day\":null}"]);
    second.write(&batch(&[(2, None)])).await.unwrap();
    let prepared = second.prepare(2).await.unwrap();
    second.commit(prepared).await.unwrap();
    assert_eq!(lines(&dir).len(), 2);
}

#[tokio::test]
async fn prepared_files_of_a_checkpoint_that_failed_go_with_the_next_one() {
    let dir = tempdir().unwrap();
    let table = table(&dir, &[]);
    let mut restored = Vec::new();
    for index in 0..3 {
        let mut first = open(&table, (index, 3), 0).await;
        first.write(&batch(&[(1, None)])).await.unwrap();
        restored.extend(first.prepare(1).await.unwrap());
        first.write(&batch(&[(2, None)])).await.unwrap();
        // This checkpoint never becomes complete.
        first.prepare(2).await.unwrap();
    }
    assert_eq!(files(&dir, false).len(), 6);
    // At another parallelism the first subtask gets them all; the second must not touch them.
    let mut one = open(&table, (0, 2), 1).await;
    let mut two = open(&table, (1, 2), 1).await;
    two.commit(Vec::new()).await.unwrap();
    assert_eq!(files(&dir, false).len(), 6);
    one.commit(restored).await.unwrap();
    assert_eq!(lines(&dir).len(), 3);
    for sink in [&mut one, &mut two] {
        sink.write(&batch(&[(2, None)])).await.unwrap();
        let prepared = sink.prepare(2).await.unwrap();
        sink.commit(prepared).await.unwrap();
    }
    assert_eq!(lines(&dir).len(), 5);
    assert!(files(&dir, false).is_empty(), "{:?}", files(&dir, false));
}

#[tokio::test]
async fn other_jobs_and_subtasks_are_left_alone() {
    let dir = tempdir().unwrap();
    let table = table(&dir, &[]);
    let mut other = open(&table, (1, 2), 0).await;
    other.write(&batch(&[(1, None)])).await.unwrap();
    let mut context = sink_context(schema(), (0, 2), 0, ManualClock::new(0));
    context.job = levada_engine::graph::JobId("job-12".into());
    let mut stranger = Filesystem.sink(&table).unwrap().create(context).unwrap();
    stranger.open().await.unwrap();
    stranger.write(&batch(&[(2, None)])).await.unwrap();
    open(&table, (0, 2), 1).await;
    assert_eq!(files(&dir, false).len(), 2);
}

#[tokio::test]
async fn a_lost_file_and_a_foreign_file_are_errors() {
    let dir = tempdir().unwrap();
    let mut sink = open(&table(&dir, &[]), (0, 1), 0).await;
    sink.write(&batch(&[(1, None)])).await.unwrap();
    let prepared = sink.prepare(1).await.unwrap();
    let Step::Commit(committable) = Step::decode(&prepared[0]).unwrap() else {
        panic!("{prepared:?}");
    };
    fs::write(&committable.target, "foreign").unwrap();
    let error = sink.commit(prepared.clone()).await.unwrap_err();
    assert!(error.message.contains("would be overwritten"), "{error}");
    assert_eq!(fs::read_to_string(&committable.target).unwrap(), "foreign");
    fs::remove_file(&committable.target).unwrap();
    fs::remove_file(&committable.prepared).unwrap();
    let error = sink.commit(prepared).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Connector);
    assert!(error.message.contains("is lost"), "{error}");
}

#[tokio::test]
async fn names_are_never_used_twice() {
    let dir = tempdir().unwrap();
    let table = table(&dir, &[]);
    for run in 1..=3 {
        // The same job, subtask and attempt: as when a job's number starts again from 1.
        let mut sink = open(&table, (0, 1), 0).await;
        sink.write(&batch(&[(run, None)])).await.unwrap();
        let prepared = sink.prepare(1).await.unwrap();
        sink.commit(prepared).await.unwrap();
        assert_eq!(lines(&dir).len() as i64, run);
    }
}

#[tokio::test]
async fn folders_take_their_rows() {
    let dir = tempdir().unwrap();
    let success = [("sink.partition-commit.policy.kind", "success-file")];
    let mut sink = open(&by_day(&dir, &success), (0, 1), 0).await;
    let rows = [
        (1, Some("mo")),
        (2, Some("a/b=c")),
        (3, None),
        (4, Some("mo")),
    ];
    sink.write(&batch(&rows)).await.unwrap();
    let prepared = sink.prepare(1).await.unwrap();
    assert!(files(&dir, true).is_empty());
    sink.commit(prepared).await.unwrap();
    let found = files(&dir, true);
    let found: Vec<(&str, String)> = found
        .iter()
        .map(|(path, lines)| {
            let (folder, name) = path.rsplit_once('/').unwrap();
            match name {
                "_SUCCESS" => (folder, name.to_string()),
                _ => (folder, lines.join(" ")),
            }
        })
        .collect();
    let expected = [
        ("day=__DEFAULT_PARTITION__", "_SUCCESS"),
        ("day=__DEFAULT_PARTITION__", "{\"a\":3}"),
        ("day=a%2Fb%3Dc", "_SUCCESS"),
        ("day=a%2Fb%3Dc", "{\"a\":2}"),
        ("day=mo", "_SUCCESS"),
        ("day=mo", "{\"a\":1} {\"a\":4}"),
    ];
    assert_eq!(found, expected.map(|(f, t)| (f, t.to_string())));
}

#[tokio::test]
async fn what_was_written_is_read_back() {
    for format in ["json", "csv", "parquet"] {
        let dir = tempdir().unwrap();
        let mut table = by_day(&dir, &[]);
        table.options.insert("format".into(), format.into());
        let mut sink = open(&table, (0, 1), 0).await;
        let rows: Vec<_> = (0..1000)
            .map(|n| (n, [Some("mo"), Some("a/b=c %41"), None][n as usize % 3]))
            .collect();
        sink.write(&batch(&rows)).await.unwrap();
        let prepared = sink.prepare(1).await.unwrap();
        sink.commit(prepared).await.unwrap();
        let context = crate::fixture::source_context(schema(), (0, 1), 100, None);
        let mut source = Filesystem.source(&table).unwrap().create(context).unwrap();
        source.open().await.unwrap();
        let mut read = Vec::new();
        for event in crate::fixture::drain(source.as_mut()).await {
            if let levada_engine::connector::SourceEvent::Rows { batch, .. } = event {
                let a = batch.rows().column(0).clone();
                let day = batch.rows().column(1).clone();
                let a = a.as_any().downcast_ref::<Int64Array>().unwrap();
                let day = day.as_any().downcast_ref::<StringArray>().unwrap();
                for (a, day) in a.iter().zip(day) {
                    read.push((a.unwrap(), day.map(str::to_string)));
                }
            }
        }
        read.sort();
        let expected: Vec<_> = rows
            .iter()
            .map(|(a, d)| (*a, d.map(str::to_string)))
            .collect();
        assert_eq!(read, expected, "{format}");
    }
}

#[tokio::test]
async fn files_roll_by_size_and_by_age() {
    let dir = tempdir().unwrap();
    let options = [
        ("sink.rolling-policy.file-size", "90 b"),
        ("sink.rolling-policy.rollover-interval", "10 s"),
    ];
    let clock = ManualClock::new(5_000);
    let context = sink_context(schema(), (0, 1), 0, clock.clone());
    let factory = Filesystem.sink(&table(&dir, &options)).unwrap();
    let mut sink = factory.create(context).unwrap();
    sink.open().await.unwrap();
    assert_eq!(sink.deadline_ms(), None);
    for n in 0..10 {
        // 18 bytes each: five rows fill a file.
        sink.write(&batch(&[(n, Some("x"))])).await.unwrap();
    }
    assert_eq!(files(&dir, false).len(), 2);
    sink.write(&batch(&[(10, Some("x"))])).await.unwrap();
    assert_eq!(sink.deadline_ms(), Some(15_000));
    clock.advance(9_999);
    sink.idle().await.unwrap();
    assert!(sink.deadline_ms().is_some());
    clock.advance(1);
    sink.idle().await.unwrap();
    assert_eq!(sink.deadline_ms(), None);
    let prepared = sink.prepare(1).await.unwrap();
    assert_eq!(prepared.len(), 3);
    sink.commit(prepared).await.unwrap();
    assert_eq!(lines(&dir).len(), 11);
}

#[tokio::test]
async fn more_folders_than_open_files() {
    let dir = tempdir().unwrap();
    let mut sink = open(&by_day(&dir, &[]), (0, 1), 0).await;
    let days: Vec<String> = (0..300).map(|d| format!("d{d}")).collect();
    for round in 0..2 {
        let rows: Vec<_> = days.iter().map(|d| (round, Some(d.as_str()))).collect();
        sink.write(&batch(&rows)).await.unwrap();
    }
    let prepared = sink.prepare(1).await.unwrap();
    sink.commit(prepared).await.unwrap();
    assert_eq!(lines(&dir).len(), 600);
}

#[tokio::test]
async fn updating_streams_and_impossible_columns_are_refused() {
    let dir = tempdir().unwrap();
    let factory = Filesystem.sink(&table(&dir, &[])).unwrap();
    assert!(factory.accept(ChangelogMode::Append).is_ok());
    for mode in [ChangelogMode::Upsert, ChangelogMode::Retract] {
        let error = factory.accept(mode).unwrap_err();
        assert!(error.message.contains("takes inserts only"), "{error}");
    }
    let mut with_metadata = table(&dir, &[]);
    with_metadata
        .metadata
        .insert("day".into(), "file.name".into());
    let context = sink_context(schema(), (0, 1), 0, ManualClock::new(0));
    let factory = Filesystem.sink(&with_metadata).unwrap();
    let error = factory.create(context).err().unwrap();
    assert!(error.message.contains("cannot be written"), "{error}");
    let mut nested = table(&dir, &[]);
    nested.partitioned_by = vec!["l".into()];
    let list = Field::new("l", DataType::new_list(DataType::Int64, true), true);
    let a = Field::new("a", DataType::Int64, true);
    nested.schema = Arc::new(Schema::new(vec![a, list])).into();
    assert!(Filesystem.sink(&nested).is_err());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_an_error() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let mut table = table(&dir, &[]);
    let path = dir.path().join("file/inside");
    table
        .options
        .insert("path".into(), path.to_str().unwrap().into());
    let context = sink_context(schema(), (0, 1), 0, ManualClock::new(0));
    let mut sink = Filesystem.sink(&table).unwrap().create(context).unwrap();
    let error = sink.open().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
}

/// The constants of PARTITION: a row of the column day, or of none.
fn constants(day: Option<&str>) -> RecordBatch {
    let field = Field::new("day", DataType::Utf8, true);
    match day {
        Some(day) => {
            let column: ArrayRef = Arc::new(StringArray::from(vec![day]));
            RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).unwrap()
        }
        None => {
            let one = arrow::array::RecordBatchOptions::new().with_row_count(Some(1));
            RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &one).unwrap()
        }
    }
}

/// Writes the rows of a statement; those that are there go if there are constants.
async fn write(table: &TableDescriptor, over: Option<RecordBatch>, rows: &[(i64, Option<&str>)]) {
    static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let attempt = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let factory = Filesystem.sink(table).unwrap();
    let factory = match over {
        Some(constants) => factory.overwriting(&constants).unwrap().unwrap(),
        None => factory,
    };
    let context = sink_context(schema(), (0, 1), attempt, ManualClock::new(0));
    let mut sink = factory.create(context).unwrap();
    sink.open().await.unwrap();
    sink.write(&batch(rows)).await.unwrap();
    let prepared = sink.prepare(1).await.unwrap();
    sink.commit(prepared.clone()).await.unwrap();
    // Once more changes nothing.
    sink.commit(prepared).await.unwrap();
}

#[tokio::test]
async fn what_is_written_takes_the_place_of_what_was_there() {
    let dir = tempdir().unwrap();
    let table = table(&dir, &[]);
    write(&table, None, &[(1, None), (2, None)]).await;
    fs::write(dir.path().join(".hidden"), "stays").unwrap();
    let open = table.clone();
    let factory = Filesystem.sink(&open).unwrap();
    let factory = factory.overwriting(&constants(None)).unwrap().unwrap();
    let context = sink_context(schema(), (0, 1), 100, ManualClock::new(0));
    let mut sink = factory.create(context).unwrap();
    sink.open().await.unwrap();
    sink.write(&batch(&[(3, None)])).await.unwrap();
    let prepared = sink.prepare(1).await.unwrap();
    assert_eq!(lines(&dir).len(), 2, "nothing goes before it is committed");
    sink.commit(prepared).await.unwrap();
    assert_eq!(lines(&dir), [r#"{"a":3,"day":null}"#]);
    write(&table, Some(constants(None)), &[]).await;
    assert!(lines(&dir).is_empty(), "no rows take the place of all rows");
    assert!(dir.path().join(".hidden").exists());
}

#[tokio::test]
async fn partitions_that_get_rows_or_are_named_are_replaced() {
    let dir = tempdir().unwrap();
    let table = by_day(&dir, &[]);
    let all = [(1, Some("x")), (2, Some("y")), (3, Some("z"))];
    write(&table, None, &all).await;
    write(&table, Some(constants(None)), &[(4, Some("y"))]).await;
    assert_eq!(lines(&dir), [r#"{"a":1}"#, r#"{"a":3}"#, r#"{"a":4}"#]);
    write(&table, Some(constants(None)), &[]).await;
    assert_eq!(lines(&dir).len(), 3, "no partition gets rows");
    write(&table, Some(constants(Some("x"))), &[]).await;
    assert_eq!(lines(&dir), [r#"{"a":3}"#, r#"{"a":4}"#]);
}

/// A table that reads some files of a folder only leaves the others alone.
#[tokio::test]
async fn files_that_the_table_does_not_read_stay() {
    let dir = tempdir().unwrap();
    let table = table(&dir, &[("source.path.regex-pattern", ".*json")]);
    fs::write(dir.path().join("other.txt"), "stays").unwrap();
    write(&table, None, &[(1, None)]).await;
    write(&table, Some(constants(None)), &[(2, None)]).await;
    assert_eq!(lines(&dir), ["stays", r#"{"a":2,"day":null}"#]);
}
