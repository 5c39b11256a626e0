#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use arrow::array::{AsArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use levada_engine::graph::JobId;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::ManualClock;

use super::*;

/// Rows that consist of their number, one every `every_ms` if given.
struct Counter {
    rows: Option<u64>,
    every_ms: Option<i64>,
}

impl Generator for Counter {
    fn rows(&self) -> Option<u64> {
        self.rows
    }

    fn due_ms(&self, number: u64) -> Option<i64> {
        Some(number as i64 * self.every_ms?)
    }

    fn batch(&mut self, numbers: Numbers) -> Result<RecordBatch> {
        let column = Arc::new(numbers.iter().map(Some).collect::<UInt64Array>());
        Ok(RecordBatch::try_from_iter([(
            "n",
            column as arrow::array::ArrayRef,
        )])?)
    }
}

struct Given {
    subtask: (u32, u32),
    rows: Option<u64>,
    every_ms: Option<i64>,
    restored: Option<Vec<SplitState>>,
    clock: Arc<ManualClock>,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            subtask: (0, 1),
            rows: Some(100),
            every_ms: None,
            restored: None,
            clock: ManualClock::new(5_000),
        }
    }
}

async fn open(given: Given) -> Generated<Counter> {
    let context = SourceContext {
        job: JobId("job".into()),
        schema: Arc::new(Schema::new(vec![Field::new("n", DataType::UInt64, true)])),
        index: given.subtask.0,
        parallelism: given.subtask.1,
        batch_rows: 7,
        divert_bad: false,
        restored: given.restored.map(Arc::new),
        clock: given.clock,
        metrics: Arc::new(SubtaskMetrics::default()),
    };
    let mut source = Generated::new(
        Counter {
            rows: given.rows,
            every_ms: given.every_ms,
        },
        context,
    );
    source.open().await.unwrap();
    source
}

/// Takes up to `batches` batches and returns their numbers; stops at the end.
async fn take(source: &mut Generated<Counter>, batches: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    for _ in 0..batches {
        match source.next().await.unwrap() {
            SourceEvent::Rows { batch, .. } => {
                assert!(batch.num_rows() <= 7);
                numbers.extend(batch.column(0).as_primitive::<UInt64Type>().values());
            }
            SourceEvent::SplitFinished(_) => {}
            SourceEvent::End => break,
            other => panic!("{other:?}"),
        }
    }
    numbers
}

#[tokio::test]
async fn subtasks_share_the_rows() {
    let mut all = Vec::new();
    for index in 0..3 {
        let mut source = open(Given {
            subtask: (index, 3),
            ..Given::default()
        })
        .await;
        let numbers = take(&mut source, usize::MAX).await;
        assert!(numbers.is_sorted());
        assert!(source.positions().unwrap()[0].finished);
        all.extend(numbers);
    }
    all.sort();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn no_rows_at_all_end_at_once() {
    let mut source = open(Given {
        rows: Some(0),
        ..Given::default()
    })
    .await;
    assert!(matches!(
        source.next().await.unwrap(),
        SourceEvent::SplitFinished(_)
    ));
    assert!(matches!(source.next().await.unwrap(), SourceEvent::End));
}

#[tokio::test]
async fn a_restored_job_makes_the_rest_at_any_parallelism() {
    for (before, after) in [(1, 1), (1, 3), (3, 1), (3, 2), (2, 5)] {
        let mut seen = Vec::new();
        let mut states = Vec::new();
        for index in 0..before {
            let mut source = open(Given {
                subtask: (index, before),
                ..Given::default()
            })
            .await;
            // The first subtask has finished, the others are on their way.
            let batches = if index == 0 && before > 1 {
                usize::MAX
            } else {
                2
            };
            seen.extend(take(&mut source, batches).await);
            states.extend(source.positions().unwrap());
        }
        states.reverse();
        let mut again = Vec::new();
        for index in 0..after {
            let restored = Some(states.clone());
            let mut source = open(Given {
                subtask: (index, after),
                restored,
                ..Given::default()
            })
            .await;
            seen.extend(take(&mut source, usize::MAX).await);
            again.extend(
                source
                    .positions()
                    .unwrap()
                    .into_iter()
                    .map(|state| state.split),
            );
        }
        assert_eq!(seen.len(), 100, "{before} to {after}");
        assert_eq!(
            seen.iter().collect::<BTreeSet<_>>().len(),
            100,
            "{before} to {after}"
        );
        assert_eq!(again.len(), before as usize, "no split is forgotten");
    }
}

#[tokio::test]
async fn positions_of_others_are_refused() {
    for (split, position) in [
        ("topic-0", "5"),
        ("0/2", "x"),
        ("0/2", "5"),
        ("0/0", "0"),
        ("0/2", ""),
    ] {
        let state = SplitState {
            split: split.into(),
            position: WireBytes(position.into()),
            watermark: None,
            finished: false,
        };
        let mut source = open(Given::default()).await;
        source.context.restored = Some(Arc::new(vec![state]));
        assert!(source.open().await.is_err(), "{split} {position}");
    }
}

#[tokio::test]
async fn rows_come_when_they_are_due() {
    let clock = ManualClock::new(1_000);
    let mut source = open(Given {
        every_ms: Some(100),
        clock: clock.clone(),
        ..Given::default()
    })
    .await;
    assert_eq!(take(&mut source, 1).await, [0]);
    let wait = tokio::time::timeout(Duration::from_millis(60), source.next()).await;
    assert!(wait.is_err(), "row 1 is not due yet");
    clock.advance(250);
    assert_eq!(take(&mut source, 1).await, [1, 2]);
    clock.advance(10_000);
    assert_eq!(take(&mut source, 2).await, (3..17).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_rate_begins_anew_where_a_job_is_restored() {
    let state = Split::new(1, 2, 41, false).state();
    let clock = ManualClock::new(1_000);
    let given = Given {
        every_ms: Some(100),
        clock: clock.clone(),
        restored: Some(vec![state]),
        ..Given::default()
    };
    let mut source = open(given).await;
    assert_eq!(take(&mut source, 1).await, [41]);
    clock.advance(400);
    assert_eq!(take(&mut source, 1).await, [43, 45]);
}

#[tokio::test]
async fn a_paused_split_waits() {
    let states = vec![
        Split::new(0, 2, 0, false).state(),
        Split::new(1, 2, 1, false).state(),
    ];
    let mut source = open(Given {
        restored: Some(states),
        ..Given::default()
    })
    .await;
    source.set_paused("0/2", true);
    assert_eq!(
        take(&mut source, 2).await,
        (1..29).step_by(2).collect::<Vec<_>>()
    );
    source.set_paused("1/2", true);
    let wait = tokio::time::timeout(Duration::from_millis(30), source.next()).await;
    assert!(wait.is_err());
    source.set_paused("0/2", false);
    assert_eq!(
        take(&mut source, 1).await,
        (0..14).step_by(2).collect::<Vec<_>>()
    );
}
