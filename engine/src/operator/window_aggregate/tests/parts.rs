//! Windows that do not fit into memory fire a part at a time.

use super::*;

const KEYS: i64 = 60;

/// A row of each key, in one window of a hundred milliseconds; sessions end one after the other.
fn rows() -> Vec<String> {
    (1..=KEYS).map(|key| row(key, key, key)).collect()
}

fn shapes() -> [WindowKind; 4] {
    [
        tumble(100),
        WindowKind::Hop {
            slide_ms: 50,
            size_ms: 100,
            offset_ms: 0,
        },
        WindowKind::Cumulate {
            step_ms: 50,
            size_ms: 100,
            offset_ms: 0,
        },
        WindowKind::Session { gap_ms: 5 },
    ]
}

/// The operator on a backend that has no room in memory, and all rows in it.
fn filled(spec: WindowAggregateSpec, backend: BackendKind) -> Pipeline {
    let mut pipeline = pipeline(spec, false);
    pipeline.rescale(1, backend);
    for rows in rows().chunks(7) {
        send(&mut pipeline, rows);
        pipeline.now_ms += 1;
    }
    pipeline.largest_output = 0;
    pipeline
}

#[test]
fn a_window_on_disk_gives_its_results_in_parts() {
    for (backend, kind) in [BackendKind::Disk, BackendKind::RocksDb]
        .into_iter()
        .flat_map(|backend| shapes().map(|kind| (backend, kind)))
    {
        let mut parts = filled(counting(kind), backend);
        let mut whole = filled(counting(kind), BackendKind::Memory);
        parts.watermark(1_000);
        whole.watermark(1_000);
        // A batch has seven rows, and up to one page is read beyond that.
        let largest = parts.largest_output;
        assert!(largest <= 10, "{largest} rows at once of {kind:?}");
        assert!(parts.lines.len() >= KEYS as usize);
        assert_same(parts.result(), whole.result(), &format!("{kind:?}"));
    }
}

#[test]
fn rows_wait_for_the_windows_that_processing_time_closes() {
    for (backend, kind) in [BackendKind::Disk, BackendKind::RocksDb]
        .into_iter()
        .flat_map(|backend| shapes().map(|kind| (backend, kind)))
    {
        let mut spec = counting(kind);
        spec.window.time = WindowTime::Processing;
        let mut pipeline = filled(spec, backend);
        // The clock has moved on, and a row comes before the timer.
        pipeline.now_ms = 1_000;
        send(&mut pipeline, &[row(1, 1, 0)]);
        assert!(pipeline.largest_output <= 10);
        let before = pipeline.lines.len();
        assert!(before >= KEYS as usize, "{before} results of {kind:?}");
        assert!(pipeline.finish().len() > before);
    }
}
