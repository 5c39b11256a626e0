//! Edited queries whose state is on disk: rows of several layouts come back a few at a time.

use super::*;
use crate::state::fixture::entries_of;

/// Calls with some extremes, which over updates are looked for among the values on disk.
fn with_extremes(random: &mut Rows) -> Calls {
    let mut chosen = Calls::some(random);
    let mut extremes = calls();
    extremes.retain(|c| matches!(c.function, Min | Max));
    extremes.shuffle(&mut random.random);
    for call in extremes.into_iter().take(3) {
        if !chosen.0.iter().any(|(c, _)| c.identity == call.identity) {
            chosen.0.push((call, 0));
        }
    }
    chosen
}

/// With `additions` edits add calls too, and no row from before the last of them is taken back.
fn random_updates(seed: u64, keys: &[usize], additions: bool) {
    let mut random = Rows::new(seed);
    let mut calls = with_extremes(&mut random);
    let pipeline_of = |calls: &Calls| group_pipeline(group_spec(keys.to_vec(), true, calls), false);
    let mut pipeline = pipeline_of(&calls);
    pipeline.rescale(2, BackendKind::RocksDb);
    let (mut present, mut number, mut floor): (Vec<(usize, Row)>, usize, usize) = (vec![], 0, 0);
    for step in 0..20 {
        let mut rows = vec![];
        for _ in 0..random.random.random_range(1..16) {
            let free = |(_, (number, _)): &(usize, &(usize, Row))| *number >= floor;
            let free: Vec<usize> = present
                .iter()
                .enumerate()
                .filter(free)
                .map(|p| p.0)
                .collect();
            if !free.is_empty() && random.random.random_ratio(2, 5) {
                let at = free[random.random.random_range(0..free.len())];
                let (_, mut row) = present.swap_remove(at);
                row.retracts = true;
                rows.push(row);
            } else {
                let time = random.random.random_range(0..9);
                let row = random.row(Some(time));
                present.push((number, row.clone()));
                rows.push(row);
                number += 1;
            }
        }
        pipeline.process(batch_of(&rows));
        let place = format!("seed {seed}, step {step}, {calls:?}");
        let expected = group_rows(keys, &calls, &present);
        assert_same(pipeline.result(), expected, &place);
        let mut edited = calls.clone();
        edited.edit(&mut random, !additions, number);
        if edited.0.is_empty() || step % 2 == 1 {
            continue;
        }
        calls = edited;
        floor = calls.0.iter().map(|(_, since)| *since).max().unwrap_or(0);
        let parallelism = random.random.random_range(1..5);
        let baseline = group_rows(keys, &calls, &present);
        let other = pipeline_of(&calls);
        pipeline.edit(other, parallelism, BackendKind::RocksDb, baseline);
    }
    if additions {
        return;
    }
    let mut rows: Vec<Row> = present.into_iter().map(|(_, row)| row).collect();
    rows.iter_mut().for_each(|row| row.retracts = true);
    rows.chunks(9)
        .for_each(|rows| pipeline.process(batch_of(rows)));
    assert!(pipeline.result().is_empty(), "seed {seed}");
    let left = entries_of(&pipeline.checkpoint());
    assert!(left.is_empty(), "seed {seed} has left {left:?}");
}

#[test]
fn extremes_of_edited_queries_are_looked_up_on_disk() {
    for seed in 400..412 {
        for keys in [&[0][..], &[1, 0]] {
            random_updates(seed, keys, seed.is_multiple_of(2));
        }
    }
}

/// One step of time and of the query after the other; windows fire between the edits.
fn random_windows(seed: u64, kind: WindowKind, updating: bool, local: bool) {
    let mut random = Rows::new(seed);
    let mut calls = with_extremes(&mut random);
    let mut pipeline = window_pipeline(kind, updating, &calls, local);
    pipeline.rescale(2, BackendKind::RocksDb);
    // A session fires a millisecond behind its end.
    let behind = i64::from(matches!(kind, WindowKind::Session { .. }));
    let (mut all, mut number, mut floor): (Vec<(usize, Row)>, usize, usize) = (vec![], 0, 0);
    let (mut fired, mut watermark) = (i64::MIN, 0);
    for step in 0..10 {
        let mut rows = vec![];
        for _ in 0..random.random.random_range(1..16) {
            let free = |(n, row): &(usize, Row)| *n >= floor && row.time >= Some(watermark);
            let free = all.iter().position(free);
            if let (Some(at), true, true) = (free, updating, random.random.random_ratio(1, 4)) {
                let (_, mut row) = all.swap_remove(at);
                row.retracts = true;
                rows.push(row);
                continue;
            }
            let time = watermark + random.random.random_range(0..30);
            let row = random.row(Some(time));
            all.push((number, row.clone()));
            rows.push(row);
            number += 1;
        }
        pipeline.process(batch_of(&rows));
        if step == 0 && seed.is_multiple_of(2) {
            pipeline.go_on_from_unnamed(3, BackendKind::RocksDb);
        }
        if random.random.random_ratio(1, 2) {
            watermark += random.random.random_range(0..20);
            pipeline.watermark(watermark);
        }
        let place = format!("seed {seed} of {kind:?}, step {step}, {calls:?}");
        let due = fired..watermark - behind + 1;
        assert_same(
            pipeline.result(),
            window_rows(kind, &calls, &all, due.clone()),
            &place,
        );
        let mut edited = calls.clone();
        edited.edit(&mut random, false, number);
        if !edited.0.is_empty() {
            calls = edited;
            floor = calls.0.iter().map(|(_, since)| *since).max().unwrap_or(0);
            fired = due.end;
            let other = window_pipeline(kind, updating, &calls, local);
            let parallelism = random.random.random_range(1..5);
            pipeline.edit(other, parallelism, BackendKind::RocksDb, vec![]);
        }
    }
    let place = format!("seed {seed} of {kind:?}, at the end, {calls:?}");
    pipeline.watermark(i64::MAX);
    let expected = window_rows(kind, &calls, &all, fired..i64::MAX);
    assert_same(pipeline.result(), expected, &place);
    let mut left = entries_of(&pipeline.checkpoint());
    left.retain(|(table, ..)| *table != 0);
    assert!(left.is_empty(), "{place}: {left:?} are left");
}

#[test]
fn windows_and_sessions_of_edited_queries_fire_from_disk() {
    let (size_ms, offset_ms) = (12, 0);
    let hop = |slide_ms, size_ms| WindowKind::Hop {
        slide_ms,
        size_ms,
        offset_ms,
    };
    let kinds = [
        WindowKind::Tumble { size_ms, offset_ms },
        hop(4, 12),
        hop(2, 30),
        WindowKind::Session { gap_ms: 4 },
        WindowKind::Session { gap_ms: 1 },
    ];
    for (seed, kind) in (500..505).flat_map(|s| kinds.map(|k| (s, k))) {
        let session = matches!(kind, WindowKind::Session { .. });
        random_windows(seed, kind, false, seed % 3 == 0 && !session);
        if !session {
            random_windows(seed, kind, true, false);
        }
    }
}

/// What only calls that are gone have seen is deleted, of slices and sessions as of groups, more than
/// is deleted at a time.
#[test]
fn what_gone_calls_have_left_of_windows_is_deleted() {
    let tumble = WindowKind::Tumble {
        size_ms: 1000,
        offset_ms: 0,
    };
    for kind in [tumble, WindowKind::Session { gap_ms: 100 }] {
        let filtered = |filter| call(Count, true, Some(1), Some(filter), "BIGINT");
        let (b, c) = (filtered(6), filtered(7));
        let number = call(Count, true, Some(2), None, "BIGINT");
        let since =
            |calls: &[AggregateCall]| Calls(calls.iter().cloned().map(|c| (c, 0)).collect());
        let before = since(&[b.clone(), c.clone(), number]);
        let mut pipeline = window_pipeline(kind, false, &before, false);
        pipeline.rescale(2, BackendKind::RocksDb);
        // `b` is column 6 and `c` column 7: 10 values for the first, 30 for the second.
        let row = |n: i64| {
            let (b, c) = (n < 10, n >= 10);
            let time = chrono_text(n);
            format!(
                "+I | {} | x{n} | {n} | 1 | 1 | 1 | {b} | {c} | {time}",
                n % 3
            )
        };
        let rows: Vec<String> = (0..40).map(row).collect();
        pipeline.process(batch(&model::input(), &rows.join("\n")));
        let entries = |pipeline: &mut Pipeline| {
            let files = pipeline.checkpoint();
            [1, 16, 17].map(|table| crate::state::fixture::table_of(&files, table).len())
        };
        assert_eq!(entries(&mut pipeline), [3, 40, 40], "{kind:?}");
        let other = window_pipeline(kind, false, &since(&[c]), false);
        pipeline.edit(other, 3, BackendKind::RocksDb, vec![]);
        assert_eq!(entries(&mut pipeline), [3, 30, 0], "{kind:?}");
        pipeline.watermark(i64::MAX);
        assert_eq!(pipeline.lines.len(), 3);
        assert!(pipeline.lines.iter().all(|line| line.contains("| 10 |")));
        assert_eq!(entries(&mut pipeline), [0, 0, 0], "{kind:?}");
    }
}
