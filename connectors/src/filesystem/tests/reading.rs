use levada_engine::ErrorKind;
use tempfile::tempdir;

use super::*;

#[tokio::test]
async fn files_take_turns_and_end() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("b/2.json"), [10, 11]);
    write_lines(&dir.path().join("1.json"), 0..5);
    write_lines(&dir.path().join(".hidden.json"), [99]);
    write_lines(&dir.path().join("_tmp/3.json"), [99]);
    let mut source = source(&json_table(dir.path(), &[]), context(None));
    let names = source.open().await.unwrap();
    let expected = [dir.path().join("1.json"), dir.path().join("b/2.json")];
    let expected: Vec<_> = expected.iter().map(|p| p.to_str().unwrap()).collect();
    assert_eq!(names, expected);
    assert_eq!(
        all(source.as_mut()).await,
        [
            "1.json [0, 1, 2]",
            "2.json [10, 11]",
            "-2.json",
            "1.json [3, 4]",
            "-1.json",
        ]
    );
}

#[tokio::test]
async fn every_position_resumes_exactly() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("1.json"), 0..10);
    write_lines(&dir.path().join("2.json"), 100..104);
    let table = json_table(dir.path(), &[]);
    let mut whole = source(&table, context(None));
    whole.open().await.unwrap();
    let whole = all(whole.as_mut()).await;
    for stop in 0..=whole.len() {
        let mut before = source(&table, context(None));
        before.open().await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..stop {
            seen.push(short(&before.next().await.unwrap()));
        }
        let positions = before.positions().unwrap();
        let mut after = source(&table, context(Some(positions)));
        after.open().await.unwrap();
        seen.extend(all(after.as_mut()).await);
        seen.sort();
        let mut expected = whole.clone();
        expected.sort();
        assert_eq!(seen, expected, "stopped after {stop} events");
    }
}

#[tokio::test]
async fn subtasks_share_the_files() {
    let dir = tempdir().unwrap();
    for file in 0..5 {
        write_lines(&dir.path().join(format!("{file}.json")), [file]);
    }
    let table = json_table(dir.path(), &[]);
    let mut rows = Vec::new();
    for index in 0..3 {
        let mut source = source(&table, source_context(schema(), (index, 3), 10, None));
        source.open().await.unwrap();
        let events = all(source.as_mut()).await;
        assert!(events.len() >= 2, "subtask {index} has nothing: {events:?}");
        rows.extend(events.into_iter().filter(|e| !e.starts_with('-')));
    }
    rows.sort();
    assert_eq!(
        rows,
        [
            "0.json [0]",
            "1.json [1]",
            "2.json [2]",
            "3.json [3]",
            "4.json [4]"
        ]
    );
}

#[tokio::test]
async fn a_checkpoint_of_two_subtasks_is_taken_over_by_one() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("1.json"), 0..6);
    write_lines(&dir.path().join("2.json"), 10..16);
    let table = json_table(dir.path(), &[]);
    let mut positions = Vec::new();
    for index in 0..2 {
        let mut source = source(&table, source_context(schema(), (index, 2), 4, None));
        source.open().await.unwrap();
        source.next().await.unwrap();
        positions.extend(source.positions().unwrap());
    }
    let mut source = source(&table, source_context(schema(), (0, 1), 4, Some(positions)));
    source.open().await.unwrap();
    assert_eq!(
        all(source.as_mut()).await,
        ["1.json [4, 5]", "-1.json", "2.json [14, 15]", "-2.json"]
    );
}

#[tokio::test]
async fn lines_longer_than_a_chunk_and_a_missing_line_end_at_the_end() {
    let dir = tempdir().unwrap();
    let long = "y".repeat(3 << 20);
    let text = format!("{{\"a\":1,\"b\":\"{long}\"}}\n{{\"a\":2,\"b\":\"z\"}}");
    std::fs::write(dir.path().join("1.json"), text).unwrap();
    let mut source = source(&json_table(dir.path(), &[]), context(None));
    source.open().await.unwrap();
    let SourceEvent::Rows { batch, .. } = source.next().await.unwrap() else {
        panic!("no rows");
    };
    assert_eq!(first_column(batch.rows()), [1, 2]);
    let b = batch.rows().column(1).as_string::<i32>();
    assert_eq!((b.value(0).len(), b.value(1)), (3 << 20, "z"));
}

#[tokio::test]
async fn large_files_come_in_full_batches() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("1.json"), 0..100_000);
    let table = json_table(dir.path(), &[]);
    let mut source = source(&table, source_context(schema(), (0, 1), 8192, None));
    source.open().await.unwrap();
    let (mut next, mut sizes) = (0, Vec::new());
    while let SourceEvent::Rows { batch, .. } = source.next().await.unwrap() {
        for a in first_column(batch.rows()) {
            assert_eq!(a, next);
            next += 1;
        }
        sizes.push(batch.num_rows());
    }
    assert_eq!(next, 100_000);
    assert!(
        sizes[..sizes.len() - 1].iter().all(|s| *s == 8192),
        "{sizes:?}"
    );
}

#[tokio::test]
async fn paths_may_be_files_urls_and_patterns() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("x/1.json"), [1]);
    write_lines(&dir.path().join("y/1.json"), [2]);
    write_lines(&dir.path().join("y/_2.json"), [3]);
    write_lines(&dir.path().join("y/1.txt"), [4]);
    let root = dir.path().to_str().unwrap();
    for (path, expected) in [
        (format!("{root}/x/1.json"), 1),
        (format!("file://{root}/y/1.txt"), 1),
        (format!("{root}/*/*.json"), 2),
        (format!("{root}/y/1.[tj]*"), 2),
        (format!("{root}/*"), 3),
        (format!("{root}/**/*.txt"), 1),
        (format!("{root}/*.csv"), 0),
    ] {
        let mut source = source(&json_table(Path::new(&path), &[]), context(None));
        assert_eq!(source.open().await.unwrap().len(), expected, "{path}");
    }
    let pattern = [("source.path.regex-pattern", ".*/y/[0-9]\\..*")];
    let mut source = source(&json_table(dir.path(), &pattern), context(None));
    assert_eq!(source.open().await.unwrap().len(), 2);
}

#[tokio::test]
async fn metadata_and_folders_become_columns() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("day=2024-01-31/h=7/1.json"), 0..4);
    write_lines(
        &dir.path()
            .join("day=2024-02-01/h=__DEFAULT_PARTITION__/1.json"),
        [9],
    );
    let utc = DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, Some("UTC".into()));
    let asked = Arc::new(Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("h", DataType::Int32, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("day", DataType::Date32, true),
        Field::new("changed", utc, true),
        Field::new("size", DataType::Int32, true),
    ]));
    let mut table = json_table(dir.path(), &[]);
    table.schema = asked.clone().into();
    table.partitioned_by = vec!["day".into(), "h".into()];
    for (column, key) in [
        ("name", "file.name"),
        ("changed", "file.modification-time"),
        ("size", "file.size"),
    ] {
        table.metadata.insert(column.into(), key.into());
    }
    let mut source = source(&table, source_context(asked.clone(), (0, 1), 3, None));
    source.open().await.unwrap();
    let mut seen = Vec::new();
    while let event @ (SourceEvent::Rows { .. } | SourceEvent::SplitFinished(_)) =
        source.next().await.unwrap()
    {
        let SourceEvent::Rows { batch, .. } = event else {
            continue;
        };
        assert_eq!(batch.schema(), asked);
        let columns = batch.rows().project(&[0, 1, 2, 3, 5]).unwrap();
        let text = arrow::util::pretty::pretty_format_batches(&[columns]).unwrap();
        let text = text.to_string();
        seen.extend(
            text.lines()
                .filter(|l| l.contains("json"))
                .map(str::to_string),
        );
    }
    seen.sort();
    assert_eq!(
        seen,
        [
            "| 0 | 7 | 1.json | 2024-01-31 | 80   |",
            "| 1 | 7 | 1.json | 2024-01-31 | 80   |",
            "| 2 | 7 | 1.json | 2024-01-31 | 80   |",
            "| 3 | 7 | 1.json | 2024-01-31 | 80   |",
            "| 9 |   | 1.json | 2024-02-01 | 20   |",
        ]
    );
}

#[tokio::test]
async fn folders_that_do_not_suit_the_columns_are_errors() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("h=x/1.json"), [1]);
    let asked = Arc::new(Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("h", DataType::Int32, true),
    ]));
    let mut table = json_table(dir.path(), &[]);
    table.schema = asked.clone().into();
    table.partitioned_by = vec!["h".into()];
    let failure = async |table: &TableDescriptor| {
        let mut source = source(table, source_context(asked.clone(), (0, 1), 3, None));
        source.open().await.unwrap();
        source.next().await.unwrap_err()
    };
    let error = failure(&table).await;
    assert_eq!(error.kind, ErrorKind::Data);
    assert!(
        error.message.contains("the folder 'h=x' of the file"),
        "{error}"
    );
    std::fs::rename(dir.path().join("h=x"), dir.path().join("plain")).unwrap();
    let error = failure(&table).await;
    assert!(error.message.contains("is in no folder 'h=…'"), "{error}");
}

#[tokio::test]
async fn bad_rows_fail_with_their_place_or_are_diverted_exactly_once() {
    let dir = tempdir().unwrap();
    let text = "{\"a\":1}\n{\"a\":oops}\n{\"a\":2}\n{\"a\":3}\n";
    std::fs::write(dir.path().join("1.json"), text).unwrap();
    let table = json_table(dir.path(), &[]);
    let mut failing = source(&table, context(None));
    failing.open().await.unwrap();
    let error = failing.next().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert!(error.message.contains("1.json"), "{error}");
    assert!(error.message.contains("line 2"), "{error}");

    let diverting = |restored| SourceContext {
        divert_bad: true,
        ..context(restored)
    };
    for stop in 0..4 {
        let mut before = source(&table, diverting(None));
        before.open().await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..stop {
            seen.push(short(&before.next().await.unwrap()));
        }
        let mut after = source(&table, diverting(Some(before.positions().unwrap())));
        after.open().await.unwrap();
        seen.extend(all(after.as_mut()).await);
        assert_eq!(
            seen,
            ["bad [\"{\\\"a\\\":oops}\"]", "1.json [1, 2, 3]", "-1.json"],
            "stopped after {stop} events"
        );
    }
}

#[tokio::test]
async fn ignored_rows_are_counted() {
    let dir = tempdir().unwrap();
    std::fs::write(dir.path().join("1.json"), "{\"a\":1}\nx\n{\"a\":2}\n").unwrap();
    let table = json_table(dir.path(), &[("json.ignore-parse-errors", "true")]);
    let context = context(None);
    let metrics = context.metrics.clone();
    let mut source = source(&table, context);
    source.open().await.unwrap();
    assert_eq!(all(source.as_mut()).await, ["1.json [1, 2]", "-1.json"]);
    assert_eq!(metrics.bad_rows.get(), 1);
}

#[tokio::test]
async fn paused_files_wait() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("1.json"), 0..6);
    write_lines(&dir.path().join("2.json"), 10..16);
    let mut source = source(&json_table(dir.path(), &[]), context(None));
    let names = source.open().await.unwrap();
    assert_eq!(short(&source.next().await.unwrap()), "1.json [0, 1, 2]");
    source.set_paused(&names[0], true);
    assert_eq!(short(&source.next().await.unwrap()), "2.json [10, 11, 12]");
    assert_eq!(short(&source.next().await.unwrap()), "2.json [13, 14, 15]");
    source.set_paused(&names[1], true);
    let nothing = tokio::time::timeout(std::time::Duration::from_millis(20), source.next());
    assert!(nothing.await.is_err(), "everything is paused");
    source.set_paused(&names[0], false);
    assert_eq!(short(&source.next().await.unwrap()), "1.json [3, 4, 5]");
}

#[tokio::test]
async fn missing_and_unreadable_paths_are_errors() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("file"), [1]);
    for (path, expected) in [
        ("nowhere", "does not exist"),
        ("nowhere/*.json", "no file matches"),
        ("file/inside", "cannot be read: Not a directory"),
    ] {
        let path = dir.path().join(path);
        let mut source = source(&json_table(&path, &[]), context(None));
        let error = source.open().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config);
        assert!(error.message.contains(expected), "{error}");
    }
    std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).unwrap();
    let mut source = source(&json_table(dir.path(), &[]), context(None));
    let error = source.open().await.unwrap_err();
    assert!(error.to_string().contains("symbolic links"), "{error}");
}

#[tokio::test]
async fn files_that_vanish_or_shrink_under_a_checkpoint_are_errors() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("1.json");
    write_lines(&path, 0..6);
    let table = json_table(dir.path(), &[]);
    let mut before = source(&table, context(None));
    before.open().await.unwrap();
    before.next().await.unwrap();
    let positions = before.positions().unwrap();
    write_lines(&path, [1]);
    let mut shrunk = source(&table, context(Some(positions.clone())));
    shrunk.open().await.unwrap();
    let error = shrunk.next().await.unwrap_err();
    assert!(
        error
            .message
            .contains("but the checkpoint has read 60 of it"),
        "{error}"
    );
    std::fs::remove_file(&path).unwrap();
    let mut gone = source(&table, context(Some(positions)));
    let error = gone.open().await.unwrap_err();
    assert!(error.message.contains("is gone"), "{error}");
}

#[tokio::test]
async fn parquet_resumes_at_any_row_and_reports_damage() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("1.parquet");
    write_parquet(&path, 0..10);
    let table = table_of(
        "filesystem",
        schema(),
        &[
            ("path", dir.path().to_str().unwrap()),
            ("format", "parquet"),
        ],
    );
    let mut before = source(&table, context(None));
    before.open().await.unwrap();
    assert_eq!(short(&before.next().await.unwrap()), "1.parquet [0, 1, 2]");
    let positions = before.positions().unwrap();
    let mut after = source(&table, context(Some(positions)));
    after.open().await.unwrap();
    assert_eq!(
        all(after.as_mut()).await,
        [
            "1.parquet [3, 4, 5]",
            "1.parquet [6, 7, 8]",
            "1.parquet [9]",
            "-1.parquet"
        ]
    );
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let mut damaged = source(&table, context(None));
    damaged.open().await.unwrap();
    let error = damaged.next().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data, "{error}");
    assert!(error.message.contains("1.parquet"), "{error}");
}

fn write_parquet(path: &Path, numbers: std::ops::Range<i64>) {
    let a: arrow::array::ArrayRef =
        Arc::new(arrow::array::Int64Array::from_iter_values(numbers.clone()));
    let b: arrow::array::ArrayRef = Arc::new(arrow::array::StringArray::from_iter_values(
        numbers.map(|n| format!("x{n}")),
    ));
    let batch = RecordBatch::try_new(schema(), vec![a, b]).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
