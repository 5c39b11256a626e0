#![allow(clippy::unwrap_used)]
mod early;
mod parts;

use std::collections::BTreeMap;

use rand::Rng;

use crate::graph::AggregateFunction::{Avg, Count, Sum};
use crate::graph::{
    BackendKind, DataTypeSpec, OperatorSpec, WindowAggregateSpec, WindowKind, WindowSpec,
    WindowTime,
};
use crate::operator::aggregate::{
    output_schema_window, partial_schema_window, supports_local_window,
};
use crate::operator::testing::model::{
    self, Row, Rows, assert_same, batch_of, call, calls, chrono_text, evaluate,
};
use crate::operator::testing::pipeline::Pipeline;
use crate::operator::testing::{batch, data_type};
use crate::operator::window::Windows;

const TIME: usize = 8;

fn spec(kind: WindowKind, keys: Vec<usize>) -> WindowAggregateSpec {
    WindowAggregateSpec {
        window: WindowSpec {
            kind,
            time: WindowTime::Event { column: TIME },
            time_type: DataTypeSpec(data_type("TIMESTAMP")),
        },
        keys,
        aggregates: calls(),
        input: model::input().into(),
        input_updating: false,
        partial_input: false,
        allowed_lateness_ms: 0,
        early_fire_ms: None,
    }
}

fn pipeline(mut spec: WindowAggregateSpec, local: bool) -> Pipeline {
    let output = output_schema_window(&spec).unwrap();
    let input = spec.input.0.clone();
    if !local {
        let keys = spec.keys.clone();
        let global = OperatorSpec::WindowAggregate(spec);
        return Pipeline::new(None, global, input, output, keys);
    }
    let partial = partial_schema_window(&spec).unwrap();
    let first = OperatorSpec::LocalWindowAggregate(spec.clone());
    spec.partial_input = true;
    let keys = (0..spec.keys.len()).collect();
    let global = OperatorSpec::WindowAggregate(spec);
    Pipeline::new(Some((first, partial)), global, input, output, keys)
}

/// The windows of each key with their rows, from the definition.
fn windows_of<'r>(
    spec: &WindowAggregateSpec,
    rows: &'r [Row],
) -> BTreeMap<(Vec<String>, i64, i64), Vec<&'r Row>> {
    let mut by_key: BTreeMap<Vec<String>, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.time.is_some()) {
        let key = spec.keys.iter().map(|k| row.cells[*k].clone()).collect();
        by_key.entry(key).or_default().push(row);
    }
    let mut windows: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
    for (key, mut rows) in by_key {
        if let WindowKind::Session { gap_ms } = spec.window.kind {
            rows.sort_by_key(|r| r.time);
            for session in rows.chunk_by(|a, b| b.time.unwrap() - a.time.unwrap() <= gap_ms) {
                let start = session.first().unwrap().time.unwrap();
                let end = session.last().unwrap().time.unwrap() + gap_ms;
                windows.insert((key.clone(), start, end), session.to_vec());
            }
            continue;
        }
        let shape = Windows::new(&spec.window.kind).unwrap();
        for row in rows {
            for end in shape.window_ends(shape.slice_end(row.time.unwrap())) {
                let window = (key.clone(), shape.start(end), end);
                windows.entry(window).or_default().push(row);
            }
        }
    }
    windows
}

fn naive(spec: &WindowAggregateSpec, rows: &[Row]) -> Vec<String> {
    let line = |((key, start, end), rows): (&(Vec<String>, i64, i64), &Vec<&Row>)| {
        let results = spec.aggregates.iter().map(|c| evaluate(c, rows));
        let times = [*start, *end, end - 1].map(chrono_text);
        let cells = key.iter().cloned().chain(results).chain(times);
        cells.collect::<Vec<_>>().join(" | ")
    };
    windows_of(spec, rows).iter().map(line).collect()
}

/// Random batches out of order within what the watermark grants, through subtasks that change in
/// number and backend at barriers. With `updating`, rows that are still in open windows are taken
/// back at times.
fn random_run(seed: u64, spec: &WindowAggregateSpec, local: bool, rocksdb: bool) {
    let mut random = Rows::new(seed);
    let mut pipeline = pipeline(spec.clone(), local);
    let mut all: Vec<Row> = vec![];
    let (mut watermark, mut nulls) = (-40, 0);
    for step in 0..14 {
        let mut rows = vec![];
        for _ in 0..random.random.random_range(0..15) {
            let open = |r: &Row| r.time.is_some_and(|t| t >= watermark);
            let at = all.iter().position(open);
            if let (true, Some(at)) = (spec.input_updating && random.random.random_ratio(1, 3), at)
            {
                let mut row = all.remove(at);
                row.retracts = true;
                rows.push(row);
                continue;
            }
            let late_by = random
                .random
                .random_range(-5..spec.allowed_lateness_ms.min(4) + 1);
            let time = watermark + random.random.random_range(0..25) * i64::from(late_by <= 0)
                - late_by.max(0);
            let has_time = !random.random.random_ratio(1, 20);
            nulls += u64::from(!has_time);
            let row = random.row(has_time.then_some(time));
            all.push(row.clone());
            rows.push(row);
        }
        pipeline.process(batch_of(&rows));
        if spec.early_fire_ms.is_some() {
            pipeline.advance_clock(step * 7);
        }
        if random.random.random_ratio(2, 3) {
            watermark += random.random.random_range(1..15);
            pipeline.watermark(watermark);
        }
        if step % 4 == 2 {
            // In memory, on disk twice, and in memory again.
            let backend = match rocksdb && step < 10 {
                true if step < 6 => BackendKind::Disk,
                true => BackendKind::RocksDb,
                false => BackendKind::Memory,
            };
            pipeline.rescale(random.random.random_range(1..5), backend);
        }
    }
    let metrics = pipeline.metrics.clone();
    let place = format!("seed {seed} of {:?}", spec.window.kind);
    assert_same(pipeline.finish(), naive(spec, &all), &place);
    assert_eq!(metrics.null_time_rows.get(), nulls);
    assert_eq!(metrics.late_rows.get(), 0);
}

fn shapes() -> Vec<WindowKind> {
    vec![
        WindowKind::Tumble {
            size_ms: 10,
            offset_ms: 3,
        },
        WindowKind::Hop {
            slide_ms: 4,
            size_ms: 12,
            offset_ms: 0,
        },
        WindowKind::Hop {
            slide_ms: 4,
            size_ms: 10,
            offset_ms: -1,
        },
        // So many slices that merges are kept.
        WindowKind::Hop {
            slide_ms: 2,
            size_ms: 46,
            offset_ms: 1,
        },
        WindowKind::Hop {
            slide_ms: 15,
            size_ms: 6,
            offset_ms: 0,
        },
        WindowKind::Cumulate {
            step_ms: 5,
            size_ms: 20,
            offset_ms: 0,
        },
    ]
}

#[test]
fn windows_equal_the_definition() {
    for (seed, kind) in (0..3).flat_map(|s| shapes().into_iter().map(move |k| (s, k))) {
        for keys in [vec![], vec![0], vec![1, 0]] {
            for local in [false, true] {
                let spec = spec(kind, keys.clone());
                assert!(supports_local_window(&spec).unwrap());
                random_run(seed, &spec, local, seed == 0 || keys.is_empty());
            }
        }
    }
}

#[test]
fn late_rows_within_the_allowance_update_windows_that_have_fired() {
    for (seed, kind) in (20..24).flat_map(|s| shapes().into_iter().map(move |k| (s, k))) {
        for local in [false, true] {
            let mut spec = spec(kind, vec![0]);
            spec.allowed_lateness_ms = 100;
            random_run(seed, &spec, local, seed % 2 == 0);
        }
    }
}

#[test]
fn updating_input_equals_the_definition() {
    for (seed, kind) in (40..43).flat_map(|s| shapes().into_iter().map(move |k| (s, k))) {
        for lateness in [0, 100] {
            let mut spec = spec(kind, vec![0]);
            spec.input_updating = true;
            spec.allowed_lateness_ms = lateness;
            random_run(seed, &spec, false, seed < 42);
            spec.aggregates
                .retain(|c| !c.distinct && matches!(c.function, Count | Sum | Avg));
            random_run(seed, &spec, true, seed == 40);
        }
    }
}

#[test]
fn sessions_equal_the_definition() {
    for seed in 60..72 {
        for (gap_ms, keys) in [(5, vec![0]), (2, vec![1, 0]), (9, vec![])] {
            let mut spec = spec(WindowKind::Session { gap_ms }, keys);
            random_run(seed, &spec, false, seed % 2 == 0);
            spec.allowed_lateness_ms = 100;
            random_run(seed, &spec, false, false);
        }
    }
}

fn counting(kind: WindowKind) -> WindowAggregateSpec {
    let mut spec = spec(kind, vec![0]);
    spec.aggregates = vec![
        call(Count, false, None, None, "BIGINT"),
        call(Sum, false, Some(2), None, "BIGINT"),
    ];
    spec
}

fn row(k: i64, v: i64, time: i64) -> String {
    let time = chrono_text(time);
    format!("+I | {k} | x | {v} | 1 | 1 | 1 | true | true | {time}")
}

fn send(pipeline: &mut Pipeline, rows: &[String]) {
    pipeline.process(batch(&model::input(), &rows.join("\n")));
}

fn tumble(size_ms: i64) -> WindowKind {
    WindowKind::Tumble {
        size_ms,
        offset_ms: 0,
    }
}

fn line(kind: &str, cells: &str, start: i64, end: i64) -> String {
    let times = [start, end, end - 1].map(chrono_text).join(" | ");
    format!("{kind} | {cells} | {times}")
}

#[test]
fn a_window_fires_when_the_watermark_reaches_its_end_and_then_rows_are_late() {
    for local in [false, true] {
        let mut pipeline = pipeline(counting(tumble(10)), local);
        send(&mut pipeline, &[row(1, 5, 0), row(1, 6, 9), row(1, 7, 10)]);
        pipeline.watermark(9);
        assert!(pipeline.lines.is_empty());
        send(&mut pipeline, &[row(1, 1, 8)]);
        pipeline.watermark(10);
        assert_eq!(pipeline.lines, [line("+I", "1 | 3 | 12", 0, 10)]);
        send(&mut pipeline, &[row(1, 1, 9), row(2, 1, -1), row(1, 1, 19)]);
        assert_eq!(pipeline.metrics.late_rows.get(), 2);
        pipeline.watermark(i64::MAX);
        assert_eq!(pipeline.lines[1..], [line("+I", "1 | 2 | 8", 10, 20)]);
    }
}

#[test]
fn a_row_late_for_some_of_its_windows_counts_in_the_others() {
    let kind = WindowKind::Hop {
        slide_ms: 5,
        size_ms: 10,
        offset_ms: 0,
    };
    for local in [false, true] {
        let mut pipeline = pipeline(counting(kind), local);
        send(&mut pipeline, &[row(1, 1, 7)]);
        pipeline.watermark(10);
        send(&mut pipeline, &[row(1, 2, 8)]);
        pipeline.watermark(15);
        assert_eq!(
            pipeline.lines,
            [
                line("+I", "1 | 1 | 1", 0, 10),
                line("+I", "1 | 2 | 3", 5, 15)
            ]
        );
        assert_eq!(pipeline.metrics.late_rows.get(), 0);
    }
}

#[test]
fn lateness_beyond_the_allowance_is_counted() {
    let mut spec = counting(tumble(10));
    spec.allowed_lateness_ms = 5;
    let mut pipeline = pipeline(spec, false);
    send(&mut pipeline, &[row(1, 1, 1)]);
    pipeline.watermark(14);
    send(&mut pipeline, &[row(1, 2, 2), row(2, 1, 3)]);
    let first = line("+I", "1 | 1 | 1", 0, 10);
    let updates = [
        line("-U", "1 | 1 | 1", 0, 10),
        line("+U", "1 | 2 | 3", 0, 10),
        line("+I", "2 | 1 | 1", 0, 10),
    ];
    assert_eq!(pipeline.lines[0], first);
    assert_eq!(pipeline.lines[1..], updates);
    pipeline.watermark(15);
    send(&mut pipeline, &[row(1, 2, 2)]);
    assert_eq!(pipeline.metrics.late_rows.get(), 1);
    assert_eq!(pipeline.lines.len(), 4);
}

#[test]
fn a_restored_operator_knows_what_has_fired() {
    for kind in [tumble(10), WindowKind::Session { gap_ms: 2 }] {
        let mut pipeline = pipeline(counting(kind), false);
        send(&mut pipeline, &[row(1, 1, 1), row(1, 1, 25)]);
        pipeline.watermark(20);
        assert_eq!(pipeline.lines.len(), 1);
        pipeline.rescale(2, BackendKind::RocksDb);
        send(&mut pipeline, &[row(1, 1, 2)]);
        assert_eq!(pipeline.metrics.late_rows.get(), 1);
        assert_eq!(pipeline.finish().len(), 2);
    }
}

#[test]
fn state_holds_open_windows_only() {
    let kinds = [tumble(10), WindowKind::Session { gap_ms: 2 }];
    let backends = [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb];
    for (kind, backend) in kinds.into_iter().flat_map(|k| backends.map(|b| (k, b))) {
        let mut spec = counting(kind);
        spec.aggregates
            .push(call(Count, true, Some(1), None, "BIGINT"));
        let mut pipeline = pipeline(spec, false);
        send(&mut pipeline, &[row(1, 1, 1), row(2, 1, 15)]);
        pipeline.rescale(1, backend);
        let entries = |files: &[Vec<u8>]| {
            let entries = crate::state::fixture::entries_of(files);
            entries.iter().filter(|(table, ..)| *table != 0).count()
        };
        assert_eq!(entries(&pipeline.checkpoint()), 4);
        pipeline.watermark(14);
        assert_eq!(entries(&pipeline.checkpoint()), 2);
        pipeline.watermark(40);
        assert_eq!(entries(&pipeline.checkpoint()), 0);
    }
}

#[test]
fn sessions_join_when_a_row_closes_the_gap_between_them() {
    let mut pipeline = pipeline(counting(WindowKind::Session { gap_ms: 10 }), false);
    send(&mut pipeline, &[row(1, 1, 0), row(1, 2, 20), row(2, 5, 3)]);
    send(&mut pipeline, &[row(1, 4, 10)]);
    pipeline.watermark(13);
    assert!(pipeline.lines.is_empty(), "a row at 13 could still join");
    pipeline.watermark(14);
    assert_eq!(pipeline.lines, [line("+I", "2 | 1 | 5", 3, 13)]);
    pipeline.watermark(31);
    assert_eq!(pipeline.lines[1..], [line("+I", "1 | 3 | 7", 0, 30)]);
}

#[test]
fn late_rows_of_sessions_are_judged_one_by_one() {
    let mut pipeline = pipeline(counting(WindowKind::Session { gap_ms: 5 }), false);
    pipeline.watermark(20);
    // The first is late by itself; the third joins the session that the second has opened.
    send(
        &mut pipeline,
        &[row(1, 1, 12), row(1, 2, 15), row(1, 4, 12)],
    );
    assert_eq!(pipeline.metrics.late_rows.get(), 1);
    assert_eq!(pipeline.finish().len(), 1);
}

#[test]
fn processing_time_windows_follow_the_clock() {
    for kind in [tumble(10), WindowKind::Session { gap_ms: 9 }] {
        let mut spec = counting(kind);
        spec.window.time = WindowTime::Processing;
        assert!(!supports_local_window(&spec).unwrap());
        let mut pipeline = pipeline(spec, false);
        pipeline.advance_clock(1000);
        send(&mut pipeline, &[row(1, 1, 5), row(1, 1, 999)]);
        pipeline.advance_clock(1009);
        assert!(pipeline.lines.is_empty());
        pipeline.rescale(2, BackendKind::Memory);
        pipeline.advance_clock(1010);
        assert_eq!(pipeline.lines.len(), 1, "{kind:?}");
        assert!(pipeline.lines[0].starts_with("+I | 1 | 2 | 2 |"));
        send(&mut pipeline, &[row(1, 1, 5)]);
        assert_eq!(pipeline.finish().len(), 2);
    }
}

/// Two subtasks at different watermarks, as an unaligned checkpoint finds them, go on as one or as
/// three: what those emit is what the two would have gone on to emit.
fn merged_run(seed: u64, spec: &WindowAggregateSpec, local: bool, parallelism: u32) {
    let mut random = Rows::new(seed);
    let mut apart = pipeline(spec.clone(), local);
    let mut merged = pipeline(spec.clone(), local);
    let backend = [BackendKind::Memory, BackendKind::RocksDb][(seed % 2) as usize];
    for pipeline in [&mut apart, &mut merged] {
        pipeline.rescale(2, BackendKind::Memory);
    }
    let mut watermark = 0;
    let ahead = random.random.random_range(1..40);
    let place = format!("seed {seed} of {:?}", spec.window.kind);
    for step in 0..16 {
        let times = watermark - 12..watermark + 30;
        let row = |random: &mut Rows| {
            let time = random.random.random_range(times.clone());
            random.row(Some(time))
        };
        let rows: Vec<Row> = (0..12).map(|_| row(&mut random)).collect();
        for pipeline in [&mut apart, &mut merged] {
            pipeline.process(batch_of(&rows));
        }
        watermark += random.random.random_range(0..8);
        for pipeline in [&mut apart, &mut merged] {
            match step {
                0..4 => pipeline.watermark(watermark),
                4 => {
                    pipeline.watermark_of(0, watermark);
                    pipeline.watermark_of(1, watermark + ahead);
                }
                _ => pipeline.watermark(watermark),
            }
        }
        match step {
            4 => merged.rescale(parallelism, backend),
            // Floors that are still ahead are saved again.
            6 => merged.rescale(parallelism % 3 + 1, backend),
            _ => {}
        }
        // Not line by line: in which order the slices of a batch come depends on all of its rows. A
        // local phase sends at barriers too, so that late rows of slices come at other times.
        if !local {
            assert_same(
                merged.result(),
                apart.result(),
                &format!("{place}, step {step}"),
            );
        }
    }
    for pipeline in [&mut apart, &mut merged] {
        pipeline.watermark(i64::MAX);
    }
    assert_same(merged.result(), apart.result(), &place);
    let late = [&apart, &merged].map(|p| p.metrics.late_rows.get());
    assert_eq!(late[0], late[1], "{place}");
}

#[test]
fn key_groups_that_got_differently_far_go_on_from_where_they_were() {
    let sessions = [WindowKind::Session { gap_ms: 3 }];
    for (seed, kind) in
        (80..86).flat_map(|s| shapes().into_iter().chain(sessions).map(move |k| (s, k)))
    {
        for allowed_lateness_ms in [0, 6, 100] {
            let mut spec = counting(kind);
            spec.keys = vec![0, 1];
            spec.allowed_lateness_ms = allowed_lateness_ms;
            spec.aggregates
                .push(call(Count, true, Some(3), None, "BIGINT"));
            merged_run(seed, &spec, false, 1 + (seed % 3) as u32);
            if supports_local_window(&spec).unwrap() && allowed_lateness_ms == 100 {
                merged_run(seed, &spec, true, 1);
            }
        }
    }
}

#[test]
fn a_window_fires_once_for_every_key_group_wherever_it_was() {
    let kind = WindowKind::Hop {
        slide_ms: 5,
        size_ms: 10,
        offset_ms: 0,
    };
    let mut pipeline = pipeline(counting(kind), false);
    pipeline.rescale(2, BackendKind::Memory);
    // Some keys are in key groups of the first subtask, some in those of the second.
    let rows: Vec<String> = (0..20).map(|k| row(k, 1, 7)).collect();
    send(&mut pipeline, &rows);
    pipeline.watermark_of(0, 4);
    pipeline.watermark_of(1, 12);
    let ahead = pipeline.lines.len();
    assert!((1..20).contains(&ahead), "{ahead} keys are ahead");
    pipeline.rescale(1, BackendKind::Memory);
    // In time for those that are behind, late for the others' first window.
    let rows: Vec<String> = (0..20).map(|k| row(k, 1, 8)).collect();
    send(&mut pipeline, &rows);
    pipeline.watermark(10);
    let first: Vec<&String> = pipeline.lines.iter().skip(ahead).collect();
    assert_eq!(first.len(), 20 - ahead);
    assert!(first.iter().all(|l| l.contains("| 2 | 2 |")), "{first:?}");
    send(&mut pipeline, &[row(99, 1, 3)]);
    pipeline.watermark(15);
    let last = pipeline
        .lines
        .iter()
        .filter(|l| l.contains("00:00:00.015"))
        .count();
    assert_eq!(last, 20);
    assert_eq!(pipeline.metrics.late_rows.get(), 1);
}

/// Many more keys than fit: what is held stays small while rows come and while the window fires.
#[test]
fn a_window_that_does_not_fit_into_memory_fires_from_disk() {
    let hop = WindowKind::Hop {
        slide_ms: 5,
        size_ms: 10,
        offset_ms: 0,
    };
    for kind in [tumble(10), hop] {
        let mut pipeline = pipeline(counting(kind), false);
        pipeline.memory_bytes = 1 << 19;
        pipeline.rescale(1, BackendKind::RocksDb);
        let mut most = 0;
        for round in 0..2 {
            for keys in 0..20 {
                let rows = (keys * 1000..(keys + 1) * 1000).map(|k| row(k, 1, 5 + round));
                send(&mut pipeline, &rows.collect::<Vec<_>>());
                most = most.max(pipeline.held_bytes());
            }
        }
        assert!((1 << 16..1 << 19).contains(&most), "{most} bytes");
        pipeline.watermark(i64::MAX);
        let windows = if kind == hop { 2 } else { 1 };
        assert_eq!(pipeline.lines.len(), windows * 20_000);
        assert!(pipeline.lines.iter().all(|line| line.contains("| 2 | 2 |")));
        let entries = crate::state::fixture::entries_of(&pipeline.checkpoint());
        assert!(
            entries.iter().all(|(table, ..)| *table == 0),
            "all are gone"
        );
    }
}

/// The row of one key that goes is a deletion, though a row of another key comes in the same place.
#[test]
fn late_rows_of_one_key_do_not_make_updates_of_anothers() {
    let mut spec = counting(WindowKind::Session { gap_ms: 5 });
    spec.allowed_lateness_ms = 100;
    let mut pipeline = pipeline(spec, false);
    send(&mut pipeline, &[row(1, 1, 10)]);
    pipeline.watermark(20);
    send(&mut pipeline, &[row(1, 1, 8), row(2, 1, 10)]);
    let lines = pipeline.lines[1..].to_vec();
    let expected = [
        line("-D", "1 | 1 | 1", 10, 15),
        line("+I", "1 | 2 | 2", 8, 15),
        line("+I", "2 | 1 | 1", 10, 15),
    ];
    assert_eq!(lines, expected);
}

/// Many sessions that are over at many moments, or all at once.
#[test]
fn sessions_that_do_not_fit_into_memory_fire_from_disk() {
    for spread in [1, 1000] {
        let mut spec = counting(WindowKind::Session { gap_ms: 10 });
        spec.aggregates
            .push(call(Count, true, Some(2), None, "BIGINT"));
        let mut pipeline = pipeline(spec, false);
        pipeline.memory_bytes = 1 << 20;
        pipeline.rescale(1, BackendKind::RocksDb);
        let mut most = 0;
        for round in 0..2 {
            for keys in 0..20 {
                let time = |k: i64| k % spread * 100 + round * 5;
                let rows = (keys * 1000..(keys + 1) * 1000).map(|k| row(k, round % 2, time(k)));
                send(&mut pipeline, &rows.collect::<Vec<_>>());
                most = most.max(pipeline.held_bytes());
            }
        }
        assert!((1 << 16..1 << 20).contains(&most), "{most} bytes");
        pipeline.watermark(50_016);
        let early = pipeline.lines.len();
        assert_eq!(early, if spread == 1 { 20_000 } else { 20 * 501 });
        pipeline.rescale(2, BackendKind::RocksDb);
        pipeline.watermark(i64::MAX);
        assert_eq!(pipeline.lines.len(), 20_000);
        assert!(pipeline.lines.iter().all(|l| l.contains("| 2 | 1 | 2 |")));
        let entries = crate::state::fixture::entries_of(&pipeline.checkpoint());
        assert!(
            entries.iter().all(|(table, ..)| *table == 0),
            "all are gone"
        );
    }
}
