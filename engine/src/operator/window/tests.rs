#![allow(clippy::unwrap_used)]
use super::*;

/// Windows from their definition: all `[start, end)` around a time.
fn naive(kind: &WindowKind, time: i64) -> Vec<(i64, i64)> {
    let mut found = vec![];
    match *kind {
        WindowKind::Tumble { size_ms, offset_ms } => {
            let hop = WindowKind::Hop {
                slide_ms: size_ms,
                size_ms,
                offset_ms,
            };
            return naive(&hop, time);
        }
        WindowKind::Hop {
            slide_ms,
            size_ms,
            offset_ms,
        } => {
            for n in -200..200 {
                let start = n * slide_ms + offset_ms;
                if start <= time && time < start + size_ms {
                    found.push((start, start + size_ms));
                }
            }
        }
        WindowKind::Cumulate {
            step_ms,
            size_ms,
            offset_ms,
        } => {
            for n in -200..200 {
                let start = n * size_ms + offset_ms;
                for step in 1..=size_ms / step_ms {
                    let end = start + step * step_ms;
                    if start <= time && time < end {
                        found.push((start, end));
                    }
                }
            }
        }
        WindowKind::Session { .. } => {}
    }
    found.sort_by_key(|(_, end)| *end);
    found
}

#[test]
fn slices_lead_to_the_windows_of_the_definition() {
    let mut kinds = vec![];
    for offset_ms in [0, 3, -4, 11] {
        kinds.push(WindowKind::Tumble {
            size_ms: 10,
            offset_ms,
        });
        for (slide_ms, size_ms) in [(2, 10), (3, 10), (10, 10), (15, 10), (4, 6)] {
            kinds.push(WindowKind::Hop {
                slide_ms,
                size_ms,
                offset_ms,
            });
        }
        kinds.push(WindowKind::Cumulate {
            step_ms: 2,
            size_ms: 10,
            offset_ms,
        });
    }
    for kind in kinds {
        let windows = Windows::new(&kind).unwrap();
        for time in -50..50 {
            let expected = naive(&kind, time);
            let slice = windows.slice_end(time);
            assert!(time < slice && slice - windows.slice_ms <= time);
            let ends: Vec<i64> = windows.window_ends(slice).collect();
            let found: Vec<_> = ends.iter().map(|e| (windows.start(*e), *e)).collect();
            assert_eq!(found, expected, "{kind:?} at {time}");
            assert_eq!(windows.last_end(slice), ends.last().copied());
        }
    }
}

#[test]
fn lengths_that_make_no_windows_are_refused() {
    let tumble = |size_ms| WindowKind::Tumble {
        size_ms,
        offset_ms: 0,
    };
    assert!(Windows::new(&tumble(0)).is_err());
    assert!(Windows::new(&tumble(-1)).is_err());
    let cumulate = WindowKind::Cumulate {
        step_ms: 3,
        size_ms: 10,
        offset_ms: 0,
    };
    assert!(Windows::new(&cumulate).is_err());
    let hop = WindowKind::Hop {
        slide_ms: 0,
        size_ms: 10,
        offset_ms: 0,
    };
    assert!(Windows::new(&hop).is_err());
}

#[test]
fn times_of_all_units_round_down_to_milliseconds() {
    use arrow::array::{TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray};
    use std::sync::Arc;
    let check = |column: ArrayRef, expected: &[i64]| {
        assert_eq!(times_ms(&column).unwrap().0.to_vec(), expected);
    };
    check(
        Arc::new(TimestampSecondArray::from(vec![-1, 2])),
        &[-1000, 2000],
    );
    check(
        Arc::new(TimestampMicrosecondArray::from(vec![-1, 1999])),
        &[-1, 1],
    );
    check(
        Arc::new(TimestampNanosecondArray::from(vec![-1, 1_999_999])),
        &[-1, 1],
    );
    let huge: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX]));
    assert!(times_ms(&huge).is_err());
}
