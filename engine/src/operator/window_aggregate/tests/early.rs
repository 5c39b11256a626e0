//! Early results.

use super::*;

fn early(kind: WindowKind, keys: Vec<usize>, delay_ms: u64) -> WindowAggregateSpec {
    WindowAggregateSpec {
        early_fire_ms: Some(delay_ms),
        ..spec(kind, keys)
    }
}

#[test]
fn results_so_far_go_out_after_the_delay_and_are_updated() {
    let mut spec = counting(tumble(10));
    spec.early_fire_ms = Some(100);
    let mut pipeline = pipeline(spec, false);
    send(&mut pipeline, &[row(1, 5, 0), row(2, 1, 1)]);
    pipeline.advance_clock(99);
    assert!(pipeline.lines.is_empty());
    pipeline.advance_clock(100);
    let first = [
        line("+I", "1 | 1 | 5", 0, 10),
        line("+I", "2 | 1 | 1", 0, 10),
    ];
    assert_eq!(pipeline.lines, first);
    // Nothing has changed.
    pipeline.advance_clock(300);
    assert_eq!(pipeline.lines.len(), 2);
    send(&mut pipeline, &[row(1, 2, 3)]);
    send(&mut pipeline, &[row(1, 2, 4)]);
    pipeline.advance_clock(399);
    assert_eq!(pipeline.lines.len(), 2);
    pipeline.advance_clock(400);
    let second = [
        line("-U", "1 | 1 | 5", 0, 10),
        line("+U", "1 | 3 | 9", 0, 10),
    ];
    assert_eq!(pipeline.lines[2..], second);
    // What has changed since goes out with the end of the window, and what has not does not.
    send(&mut pipeline, &[row(2, 9, 5), row(3, 4, 6), row(1, 7, 12)]);
    pipeline.watermark(10);
    let mut last = pipeline.lines[4..].to_vec();
    last.sort();
    let expected = [
        line("+I", "3 | 1 | 4", 0, 10),
        line("+U", "2 | 2 | 10", 0, 10),
        line("-U", "2 | 1 | 1", 0, 10),
    ];
    assert_eq!(last, expected);
    pipeline.watermark(i64::MAX);
    assert_eq!(pipeline.lines[7..], [line("+I", "1 | 1 | 7", 10, 20)]);
}

#[test]
fn a_barrier_lets_early_results_go_so_that_they_are_not_given_again() {
    for backend in [BackendKind::Memory, BackendKind::RocksDb] {
        let mut spec = counting(tumble(10));
        spec.early_fire_ms = Some(100);
        let mut pipeline = pipeline(spec, false);
        send(&mut pipeline, &[row(1, 5, 0)]);
        pipeline.rescale(3, backend);
        assert_eq!(pipeline.lines, [line("+I", "1 | 1 | 5", 0, 10)]);
        send(&mut pipeline, &[row(1, 5, 1), row(2, 5, 1)]);
        pipeline.rescale(2, backend);
        assert_eq!(pipeline.lines.len(), 4);
        pipeline.watermark(10);
        assert_eq!(pipeline.lines.len(), 4, "all has been said");
    }
}

#[test]
fn without_a_delay_every_batch_says_what_it_changes() {
    let mut spec = counting(tumble(10));
    spec.early_fire_ms = Some(0);
    let mut pipeline = pipeline(spec, false);
    send(&mut pipeline, &[row(1, 5, 0), row(1, 6, 1)]);
    assert_eq!(pipeline.lines, [line("+I", "1 | 2 | 11", 0, 10)]);
}

#[test]
fn early_results_add_up_to_the_definition() {
    for (seed, kind) in (80..83).flat_map(|s| shapes().into_iter().map(move |k| (s, k))) {
        let (keys, delay_ms) = match seed {
            80 => (vec![], 0),
            _ => (vec![1, 0], 10),
        };
        let mut spec = early(kind, keys, delay_ms);
        if seed == 82 {
            spec.allowed_lateness_ms = 100;
            spec.input_updating = true;
        }
        random_run(seed, &spec, false, seed != 81);
    }
}
