//! Partitions of windows.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::{Row, by, expected, pipeline, random_row, random_spec, spec};
use crate::element::Batch;
use crate::graph::{BackendKind, RankSpec, RankWindow};
use crate::operator::testing::model::{assert_same, chrono_text};
use crate::operator::testing::{batch, schema};
use crate::time::MAX_WATERMARK;

/// Rows of a window that ends at a time, of which the first two by value go out.
const WINDOWED: &str = "w TIMESTAMP, a BIGINT, s STRING";

fn windowed(at_end: bool) -> RankSpec {
    RankSpec {
        rows: schema(WINDOWED).into(),
        order_by: if at_end {
            vec![by(1, false, true)]
        } else {
            vec![]
        },
        updating: false,
        window: Some(RankWindow {
            column: 0,
            last_ms: -1,
            at_end,
        }),
        ..spec(2)
    }
}

fn windowed_batch(lines: &[String]) -> Batch {
    batch(&schema(WINDOWED), &lines.join("\n"))
}

#[test]
fn rows_of_a_window_go_out_when_it_ends() {
    let row = |end: i64, rest: &str| format!("+I | {} | {rest}", chrono_text(end));
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut rank = pipeline(&windowed(true));
        rank.memory_bytes = 64;
        rank.rescale(2, backend);
        rank.process(windowed_batch(&[
            row(1000, "5 | a"),
            row(2000, "1 | b"),
            row(1000, "4 | c"),
            row(1000, "6 | d"),
        ]));
        rank.watermark(999);
        assert!(rank.lines.is_empty());
        assert_eq!(rank.output_watermark(999), 999);
        rank.rescale(1, backend);
        rank.watermark(1000);
        assert_eq!(
            std::mem::take(&mut rank.lines),
            [row(1000, "4 | c"), row(1000, "5 | a")]
        );
        // One of the first window is late.
        rank.process(windowed_batch(&[row(1000, "1 | e"), row(2000, "2 | f")]));
        assert_eq!(rank.metrics.late_rows.get(), 1);
        rank.watermark(MAX_WATERMARK);
        assert_eq!(
            std::mem::take(&mut rank.lines),
            [row(2000, "1 | b"), row(2000, "2 | f")]
        );
        let files = rank.checkpoint();
        assert_eq!(crate::state::fixture::table_of(&files, 1).len(), 0);
    }
}

#[test]
fn the_first_rows_of_a_window_to_come_go_out_at_once_and_are_forgotten_with_it() {
    let row = |end: i64, rest: &str| format!("+I | {} | {rest}", chrono_text(end));
    let mut rank = pipeline(&windowed(false));
    rank.process(windowed_batch(&[
        row(1000, "5 | a"),
        row(1000, "1 | b"),
        row(1000, "2 | c"),
    ]));
    assert_eq!(
        std::mem::take(&mut rank.lines),
        [row(1000, "5 | a"), row(1000, "1 | b")]
    );
    rank.watermark(1000);
    rank.process(windowed_batch(&[row(1000, "7 | d")]));
    assert!(rank.lines.is_empty());
    assert_eq!(rank.output_watermark(1000), 1000);
    let files = rank.checkpoint();
    assert_eq!(crate::state::fixture::table_of(&files, 1).len(), 0);
}

/// The milliseconds of a moment in the first minute.
fn ms_of(text: &str) -> Option<i64> {
    let (_, seconds) = text.rsplit_once(':')?;
    Some((seconds.parse::<f64>().unwrap() * 1000.0).round() as i64)
}

/// Random rows of windows against recomputation when they end, through subtasks that change in number and backend.
fn random_windows(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let random_spec = random_spec(&mut random);
    let spec = RankSpec {
        partition_by: [vec![0], vec![0, 2]][random.random_range(0..2)].clone(),
        newest_first: false,
        update_before: false,
        rows: schema(WINDOWED).into(),
        order_by: vec![by(1, random.random(), random.random())],
        window: windowed(true).window,
        ..random_spec
    };
    let mut rank = pipeline(&spec);
    rank.memory_bytes = if seed.is_multiple_of(2) { 64 } else { 1 << 20 };
    let mut there: Vec<Row> = vec![];
    let mut watermark = 0;
    for step in 0..25 {
        let mut lines = vec![];
        for _ in 0..random.random_range(1..14) {
            let open = |row: &&Row| ms_of(&row[0]).is_some_and(|end| end > watermark);
            let open: Vec<Row> = there.iter().filter(open).cloned().collect();
            if spec.updating && !open.is_empty() && random.random_ratio(2, 5) {
                let row = open[random.random_range(0..open.len())].clone();
                let at = there.iter().rposition(|other| *other == row).unwrap();
                there.remove(at);
                lines.push(format!("-D | {}", row.join(" | ")));
            } else {
                let mut row = random_row(&mut random);
                row[0] = chrono_text(watermark + random.random_range(1..4) * 10);
                lines.push(format!("+I | {}", row.join(" | ")));
                there.push(row);
            }
        }
        rank.process(windowed_batch(&lines));
        if random.random_ratio(1, 2) {
            watermark += random.random_range(0..3) * 10;
            rank.watermark(watermark);
            assert_eq!(rank.output_watermark(watermark), watermark);
        }
        if step % 5 == 4 {
            let backends = [BackendKind::RocksDb, BackendKind::Disk, BackendKind::Memory];
            let backend = backends[random.random_range(0..3)];
            rank.rescale(random.random_range(1..5), backend);
        }
    }
    rank.watermark(MAX_WATERMARK);
    assert!(rank.lines.iter().all(|line| line.starts_with("+I")));
    let mut result = rank.result();
    result.sort();
    assert_same(
        result,
        expected(&spec, &there),
        &format!("seed {seed}, {spec:?}"),
    );
    let files = rank.checkpoint();
    assert_eq!(crate::state::fixture::table_of(&files, 1).len(), 0);
}

#[test]
fn random_rows_of_windows_are_given_once() {
    for seed in 0..150 {
        random_windows(seed);
    }
}

#[test]
fn an_hour_of_windows_leaves_state_flat() {
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut rank = pipeline(&windowed(true));
        rank.memory_bytes = 1 << 20;
        rank.rescale(2, backend);
        let mut most = [0; 2];
        for second in 0..3600 {
            let now = second * 1000;
            let end = chrono_text((second / 10 + 1) * 10_000);
            let of = |n: i64| format!("+I | {end} | {} | {n}", (n * 7 + second) % 100);
            rank.process(windowed_batch(&(0..20).map(of).collect::<Vec<_>>()));
            rank.watermark(now);
            rank.lines.clear();
            let half = usize::from(second >= 1800);
            most[half] = rank.held_bytes().max(most[half]);
        }
        assert!(most[1] * 10 <= most[0] * 11, "{backend:?}: {most:?}");
        let files = rank.checkpoint();
        assert!(crate::state::fixture::table_of(&files, 1).len() <= 4);
    }
}

#[test]
fn what_is_late_is_late_after_a_restore_too() {
    let row = |end: i64, rest: &str| format!("+I | {} | {rest}", chrono_text(end));
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut rank = pipeline(&windowed(true));
        rank.process(windowed_batch(&[row(1000, "5 | a"), row(2000, "1 | b")]));
        rank.watermark(1500);
        rank.lines.clear();
        rank.rescale(3, backend);
        // No watermark has come yet since then.
        rank.process(windowed_batch(&[row(1000, "7 | c"), row(2000, "2 | d")]));
        rank.watermark(MAX_WATERMARK);
        let mut given = std::mem::take(&mut rank.lines);
        given.sort();
        assert_eq!(given, [row(2000, "1 | b"), row(2000, "2 | d")]);
    }
}
