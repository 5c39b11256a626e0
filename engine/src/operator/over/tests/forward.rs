use super::*;
use crate::state::fixture::table_of;
use crate::time::MAX_WATERMARK;

fn lag(rows: i64) -> OverCall {
    let function = OverFunction::Shift {
        offset: -rows,
        default: None,
    };
    call(function, Some(A), RUNNING)
}

fn number() -> OverCall {
    call(OverFunction::RowNumber, None, RUNNING)
}

#[test]
fn rows_go_out_in_order_when_the_watermark_has_passed_them() {
    let mut over = pipeline(&spec(OverForm::Time, vec![sum(RUNNING), number()]));
    let rows = [
        row("+I", 1, 30, "3"),
        row("+I", 1, 10, "1"),
        row("+I", 1, 20, "2"),
    ];
    assert_eq!(give(&mut over, &rows), NOTHING);
    over.watermark(20);
    assert_eq!(said(&mut over), ["+I 1 1 1 1"]);
    assert_eq!(over.output_watermark(20), 20);
    over.rescale(3, BackendKind::RocksDb);
    assert_eq!(over.output_watermark(20), i64::MIN);
    over.watermark(31);
    assert_eq!(said(&mut over), ["+I 1 2 3 2", "+I 1 3 6 3"]);
    let rows = [row("+I", 1, 40, "4"), row("+I", 1, 40, "5")];
    give(&mut over, &rows);
    over.watermark(MAX_WATERMARK);
    assert_eq!(said(&mut over), ["+I 1 4 15 4", "+I 1 5 15 5"]);
    assert_eq!(table_of(&over.checkpoint(), 4).len(), 0);
}

#[test]
fn late_rows_are_dropped_and_counted() {
    let mut over = pipeline(&spec(OverForm::Time, vec![sum(last(1)), number()]));
    give(&mut over, &[row("+I", 1, 30, "3"), row("+I", 1, 20, "2")]);
    over.watermark(31);
    assert_eq!(said(&mut over), ["+I 1 2 2 1", "+I 1 3 5 2"]);
    give(&mut over, &[row("+I", 1, 30, "9"), row("+I", 1, 31, "4")]);
    over.process(batch(&schema(ROWS), "+I | 1 | NULL | 5 | s | 1 | 1 | true"));
    assert_eq!(over.metrics.late_rows.get(), 2);
    // What was late before a restore is late after it, in partitions that are new as well.
    over.rescale(2, BackendKind::Memory);
    give(
        &mut over,
        &[
            row("+I", 1, 29, "9"),
            row("+I", 1, 30, "9"),
            row("+I", 2, 3, "1"),
            row("+I", 2, 31, "1"),
        ],
    );
    over.watermark(40);
    assert_eq!(said(&mut over), ["+I 1 4 7 3", "+I 2 1 1 1"]);
    assert_eq!(over.metrics.late_rows.get(), 5);
}

#[test]
fn only_rows_that_frames_may_reach_are_kept() {
    let range = frame(FrameUnit::Range, Bound::Preceding(50), Bound::Current);
    let kept = |calls: Vec<OverCall>, upto: i64| {
        let mut over = pipeline(&spec(OverForm::Time, calls));
        over.rescale(1, BackendKind::RocksDb);
        for ms in 0..upto {
            give(&mut over, &[row("+I", ms % 4, ms, "1")]);
            over.watermark(ms + 1);
        }
        let files = over.checkpoint();
        (table_of(&files, 1).len(), table_of(&files, 2).len())
    };
    // Nothing but what was accumulated.
    assert_eq!(kept(vec![sum(RUNNING)], 200), (0, 4));
    assert_eq!(kept(vec![sum(last(3))], 200), (12, 0));
    assert_eq!(kept(vec![lag(2), number()], 200), (8, 4));
    let (rows, carried) = kept(vec![sum(range)], 300);
    assert!((50..=70).contains(&rows), "{rows}");
    assert_eq!(carried, 0);
    let (rows, _) = kept(vec![sum(range), lag(1)], 300);
    assert!((50..=70).contains(&rows), "{rows}");
}

#[test]
fn partitions_that_no_row_comes_for_are_forgotten_with_their_range() {
    let range = frame(FrameUnit::Range, Bound::Preceding(50), Bound::Current);
    for backend in [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb] {
        let mut over = pipeline(&spec(OverForm::Time, vec![sum(range)]));
        over.rescale(2, backend);
        for key in 0..30 {
            give(&mut over, &[row("+I", key, key, "1")]);
            over.watermark(key + 1);
        }
        over.watermark(100);
        assert_eq!(table_of(&over.checkpoint(), 1).len(), 0);
    }
}

#[test]
fn rows_go_out_as_they_come_in_order_of_arrival() {
    let mut over = pipeline(&spec(
        OverForm::Arrival,
        vec![sum(last(1)), number(), lag(1)],
    ));
    let rows = [row("+I", 1, 30, "3"), row("+I", 1, 10, "1")];
    assert_eq!(give(&mut over, &rows), ["+I 1 3 3 1 NULL", "+I 1 1 4 2 3"]);
    over.rescale(2, BackendKind::RocksDb);
    let rows = [row("+I", 2, 0, "5"), row("+I", 1, 10, "7")];
    let mut found = give(&mut over, &rows);
    found.sort();
    assert_eq!(found, ["+I 1 7 8 3 1", "+I 2 5 5 1 NULL"]);
}
