use std::time::Duration;

use tempfile::tempdir;

use super::*;

const WATCH: [(&str, &str); 1] = [("source.monitor-interval", "10 ms")];

async fn next(source: &mut dyn Source) -> String {
    let event = tokio::time::timeout(Duration::from_secs(5), source.next());
    short(&event.await.expect("nothing came").unwrap())
}

async fn nothing(source: &mut dyn Source) {
    let event = tokio::time::timeout(Duration::from_millis(60), source.next()).await;
    assert!(event.is_err(), "{:?}", short(&event.unwrap().unwrap()));
}

#[tokio::test]
async fn new_files_become_splits_and_each_is_read_once() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("2.json"), [1, 2]);
    let table = json_table(dir.path(), &WATCH);
    let mut before = source(&table, context(None));
    assert_eq!(before.open().await.unwrap().len(), 1);
    assert_eq!(next(before.as_mut()).await, "2.json [1, 2]");
    assert_eq!(next(before.as_mut()).await, "-2.json");
    nothing(before.as_mut()).await;
    write_lines(&dir.path().join("1.json"), [3]);
    assert_eq!(next(before.as_mut()).await, "+1.json");
    assert_eq!(next(before.as_mut()).await, "1.json [3]");
    assert_eq!(next(before.as_mut()).await, "-1.json");

    let positions = before.positions().unwrap();
    assert!(positions.iter().all(|p| p.finished));
    write_lines(&dir.path().join("3.json"), [4]);
    let mut after = source(&table, context(Some(positions)));
    assert_eq!(after.open().await.unwrap().len(), 1);
    assert_eq!(next(after.as_mut()).await, "3.json [4]");
    assert_eq!(next(after.as_mut()).await, "-3.json");
    nothing(after.as_mut()).await;
}

#[tokio::test]
async fn files_are_read_in_the_order_in_which_they_came() {
    let dir = tempdir().unwrap();
    for (seconds, name) in [(300, "a"), (100, "c"), (200, "b"), (100, "d")] {
        let path = dir.path().join(name);
        write_lines(&path, [seconds]);
        let time = std::time::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs());
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
    }
    let mut source = source(&json_table(dir.path(), &WATCH), context(None));
    source.open().await.unwrap();
    let mut rows = Vec::new();
    while rows.len() < 4 {
        let event = next(source.as_mut()).await;
        if !event.starts_with('-') {
            rows.push(event);
        }
    }
    assert_eq!(rows, ["c [100]", "d [100]", "b [200]", "a [300]"]);
}

#[tokio::test]
async fn positions_forget_files_that_were_read_and_removed() {
    let dir = tempdir().unwrap();
    write_lines(&dir.path().join("1.json"), [1]);
    let mut source = source(&json_table(dir.path(), &WATCH), context(None));
    source.open().await.unwrap();
    next(source.as_mut()).await;
    next(source.as_mut()).await;
    assert_eq!(source.positions().unwrap().len(), 1);
    std::fs::remove_file(dir.path().join("1.json")).unwrap();
    nothing(source.as_mut()).await;
    assert!(source.positions().unwrap().is_empty());
}

#[tokio::test]
async fn every_file_has_one_subtask_whenever_it_comes() {
    let dir = tempdir().unwrap();
    let table = json_table(dir.path(), &WATCH);
    let open = async |index| {
        let mut source = source(&table, source_context(schema(), (index, 3), 10, None));
        source.open().await.unwrap();
        source
    };
    // The third subtask starts later, and finds in its first look what is new to the others.
    let mut sources = vec![open(0).await, open(1).await];
    for file in 0..20 {
        write_lines(&dir.path().join(format!("{file}.json")), [file]);
    }
    sources.push(open(2).await);
    let mut rows = Vec::new();
    for source in &mut sources {
        while let Ok(event) = tokio::time::timeout(Duration::from_millis(60), source.next()).await {
            if let SourceEvent::Rows { batch, .. } = event.unwrap() {
                rows.extend(first_column(batch.rows()));
            }
        }
    }
    rows.sort_unstable();
    assert_eq!(rows, (0..20).collect::<Vec<_>>());
}
