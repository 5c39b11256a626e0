#![allow(clippy::unwrap_used, clippy::panic)]
use std::sync::Mutex;

use arrow::array::{AsArray as _, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use async_trait::async_trait;
use futures::task::noop_waker_ref;
use tokio::sync::Semaphore;

use super::*;
use crate::connector::PartialCache;
use crate::memory::Memory;
use crate::time::ManualClock;

/// Key `n` has the rows (n, "n.0"), …, as many as `n`; answers as often as it is let.
struct Numbers {
    let_answer: Semaphore,
    asked: Mutex<Vec<Vec<i32>>>,
    /// The first so many questions find nothing.
    empty: Mutex<u32>,
}

fn table() -> SchemaRef {
    let id = Field::new("id", DataType::Int32, true);
    let text = Field::new("text", DataType::Utf8, true);
    Arc::new(Schema::new(vec![id, text]))
}

#[async_trait]
impl Lookup for Numbers {
    async fn open(&self) -> Result<()> {
        Ok(())
    }

    async fn ask(&self, keys: RecordBatch) -> Result<Answer> {
        let keys = keys.column(0).as_primitive::<Int32Type>().values().to_vec();
        self.asked.lock().unwrap().push(keys.clone());
        self.let_answer.acquire().await.unwrap().forget();
        let finds_nothing = match &mut *self.empty.lock().unwrap() {
            0 => false,
            left => {
                *left -= 1;
                true
            }
        };
        let (mut of, mut ids, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        // Not in the order of the keys.
        for (number, key) in keys.iter().enumerate().rev().filter(|_| !finds_nothing) {
            for n in 0..*key {
                of.push(number as u32);
                ids.push(*key);
                texts.push(format!("{key}.{n}"));
            }
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(ids)),
            Arc::new(StringArray::from(texts)),
        ];
        Ok(Answer {
            rows: rows_of(&table(), columns, of.len())?,
            of,
        })
    }
}

struct Fixture {
    numbers: Arc<Numbers>,
    clock: Arc<ManualClock>,
    metrics: Arc<SubtaskMetrics>,
    stage: LookupStage,
}

fn fixture(outer: bool, cache: Option<PartialCache>, retry: Option<LookupRetry>) -> Fixture {
    let numbers = Arc::new(Numbers {
        let_answer: Semaphore::new(0),
        asked: Mutex::default(),
        empty: Mutex::new(0),
    });
    let (clock, metrics) = (ManualClock::new(0), Arc::new(SubtaskMetrics::default()));
    let key = Field::new("id", DataType::Int32, true);
    let left = Field::new("left", DataType::Int32, true);
    let table_fields = table().fields().clone();
    let fields = std::iter::once(Arc::new(left)).chain(table_fields.iter().cloned());
    let output: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let memory = Memory::new(1 << 30);
    let cache = cache.map(|cache| Cache::new(cache, table(), memory.share()).unwrap());
    let stage = LookupStage {
        asker: Asker {
            lookup: numbers.clone(),
            name: "numbers".to_string(),
            timeout: Duration::from_millis(200),
            retry,
        },
        keys: Keys::new(vec![0], Arc::new(Schema::new(vec![key]))).unwrap(),
        cache,
        table: table(),
        shaping: Shaping::default(),
        matching: Matching {
            outer,
            condition: None,
            pair: output.clone(),
            output,
            batch_rows: 100,
        },
        waiting: VecDeque::new(),
        giving: None,
        capacity: 2,
        metrics: metrics.clone(),
        clock: clock.clone(),
    };
    Fixture {
        numbers,
        clock,
        metrics,
        stage,
    }
}

fn left(keys: &[Option<i32>]) -> Batch {
    let field = Field::new("left", DataType::Int32, true);
    let schema: SchemaRef = Arc::new(Schema::new(vec![field]));
    let column: ArrayRef = Arc::new(Int32Array::from(keys.to_vec()));
    Batch::inserts(rows_of(&schema, vec![column], keys.len()).unwrap())
}

impl Fixture {
    fn take(&mut self, keys: &[Option<i32>]) {
        self.stage.take(left(keys)).unwrap();
    }

    fn poll(&mut self) -> Poll<Result<()>> {
        self.stage.poll(&mut Context::from_waker(noop_waker_ref()))
    }

    /// Lets so many questions be answered, and says what leaves.
    fn answers(&mut self, count: usize) -> Vec<String> {
        self.numbers.let_answer.add_permits(count);
        if let Poll::Ready(done) = self.poll() {
            done.unwrap();
        }
        self.given()
    }

    fn given(&mut self) -> Vec<String> {
        let mut given = Vec::new();
        while let Some(next) = self.stage.give().unwrap() {
            match next {
                Given::Event(Event::Watermark(watermark)) => given.push(format!("W{watermark}")),
                Given::Event(_) => given.push("other".to_string()),
                Given::Rows(batch) => {
                    let left = batch.column(0).as_primitive::<Int32Type>().clone();
                    let texts = batch.column(2).as_string::<i32>().clone();
                    given.extend(left.iter().zip(texts.iter()).map(|(left, text)| {
                        let left = left.map_or("NULL".to_string(), |l| l.to_string());
                        format!("{left}:{}", text.unwrap_or("NULL"))
                    }));
                }
            }
        }
        given
    }

    fn asked(&self) -> Vec<Vec<i32>> {
        std::mem::take(&mut *self.numbers.asked.lock().unwrap())
    }
}

#[tokio::test]
async fn rows_leave_in_order_with_all_partners_and_time_behind_them() {
    let mut f = fixture(true, None, None);
    f.take(&[Some(2), None, Some(0), Some(4), Some(2)]);
    assert!(f.stage.hold(Event::Watermark(5)).is_none());
    assert!(f.stage.hold(Event::Watermark(6)).is_none());
    assert!(!f.stage.is_full());
    f.take(&[Some(1)]);
    assert!(f.stage.is_full());
    assert!(f.poll().is_pending());
    assert_eq!(f.asked(), [vec![2, 0, 4], vec![1]]);
    assert!(f.given().is_empty());
    let first = [
        "2:2.0",
        "2:2.1",
        "NULL:NULL",
        "0:NULL",
        "4:4.0",
        "4:4.1",
        "4:4.2",
        "4:4.3",
        "2:2.0",
        "2:2.1",
        "W6",
    ];
    assert_eq!(f.answers(1), first);
    assert_eq!(f.answers(1), ["1:1.0"]);
    assert!(f.stage.is_empty());
    assert!(f.stage.hold(Event::Watermark(7)).is_some());
}

#[tokio::test]
async fn an_inner_join_drops_rows_without_a_partner() {
    let mut f = fixture(false, None, None);
    f.take(&[Some(0), None, Some(1)]);
    assert!(f.poll().is_pending());
    assert_eq!(f.answers(1), ["1:1.0"]);
}

#[tokio::test]
async fn what_has_not_left_is_in_the_checkpoint() {
    let mut f = fixture(false, None, None);
    f.take(&[Some(4), Some(1)]);
    f.take(&[Some(3)]);
    assert!(f.poll().is_pending());
    f.numbers.let_answer.add_permits(1);
    assert!(f.poll().is_pending());
    // The first row has left, and the second not.
    assert!(matches!(f.stage.give().unwrap(), Some(Given::Rows(_))));
    let rest = f
        .stage
        .unanswered()
        .into_iter()
        .map(|element| match element {
            Element::Batch(batch) => batch
                .column(0)
                .as_primitive::<Int32Type>()
                .values()
                .to_vec(),
            other => panic!("{other:?}"),
        });
    assert_eq!(rest.collect::<Vec<_>>(), [vec![1], vec![3]]);
    f.stage.clear();
    assert!(f.stage.is_empty() && f.stage.unanswered().is_empty());
}

fn partial() -> PartialCache {
    PartialCache {
        max_rows: None,
        expire_after_write_ms: Some(100),
        expire_after_access_ms: None,
        missing_keys: true,
    }
}

#[tokio::test]
async fn a_cache_answers_until_its_time_is_over() {
    let mut f = fixture(true, Some(partial()), None);
    f.take(&[Some(2), Some(0)]);
    assert!(f.poll().is_pending());
    assert_eq!(f.answers(1), ["2:2.0", "2:2.1", "0:NULL"]);
    f.clock.advance(99);
    f.take(&[Some(0), Some(2)]);
    assert_eq!(f.given(), ["0:NULL", "2:2.0", "2:2.1"]);
    f.take(&[Some(2), Some(1)]);
    assert!(f.poll().is_pending());
    assert_eq!(f.answers(1), ["2:2.0", "2:2.1", "1:1.0"]);
    assert_eq!(f.asked(), [vec![2, 0], vec![1]]);
    assert_eq!(
        (f.metrics.lookup_keys.get(), f.metrics.lookup_hits.get()),
        (3, 3)
    );
    f.clock.advance(1);
    f.take(&[Some(2)]);
    assert!(f.poll().is_pending());
    assert_eq!(f.asked(), [vec![2]]);
    assert_eq!(f.answers(1), ["2:2.0", "2:2.1"]);
}

#[tokio::test]
async fn a_cache_forgets_what_was_not_asked_for_lately() {
    let limited = PartialCache {
        max_rows: Some(4),
        missing_keys: false,
        ..partial()
    };
    let mut f = fixture(true, Some(limited), None);
    for key in [1, 2, 0, 1, 0] {
        f.take(&[Some(key)]);
        let _ = f.poll();
        f.answers(1);
    }
    // A key without rows is not kept; 1 was known.
    assert_eq!(f.asked(), [vec![1], vec![2], vec![0], vec![0]]);
    f.take(&[Some(3), Some(2), Some(1)]);
    let _ = f.poll();
    f.answers(1);
    f.take(&[Some(2)]);
    let _ = f.poll();
    assert_eq!(f.asked().len(), 2, "three rows pushed out what was there");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_an_error() {
    let mut f = fixture(true, None, None);
    f.take(&[Some(1)]);
    let error = std::future::poll_fn(|context| f.stage.poll(context)).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("table 'numbers' has not answered within 200 ms"),
        "{error}"
    );
}

#[tokio::test]
async fn keys_without_rows_are_asked_for_again() {
    let retry = LookupRetry {
        delay_ms: 10,
        attempts: 2,
    };
    let mut f = fixture(true, None, Some(retry));
    *f.numbers.empty.lock().unwrap() = 1;
    f.numbers.let_answer.add_permits(10);
    f.take(&[Some(1), Some(0)]);
    std::future::poll_fn(|context| f.stage.poll(context))
        .await
        .unwrap();
    assert_eq!(f.given(), ["1:1.0", "0:NULL"]);
    assert_eq!(f.asked(), [vec![1, 0], vec![1, 0], vec![0]]);
}
