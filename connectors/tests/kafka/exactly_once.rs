//! Sinks with `'sink.delivery-guarantee' = 'exactly-once'`: crashes, zombies, rescaling.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::Int64Array;
use arrow::record_batch::RecordBatch;
use levada_engine::connector::{Sink, SinkContext, TableDescriptor};
use levada_engine::element::Batch;
use levada_engine::graph::{JobId, WireBytes};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::broker::*;

/// A topic, and the prefix of those who write it.
struct Target {
    topic: Topic,
    prefix: String,
    job: String,
    attempt: u32,
}

/// What one subtask prepared: its index, and the committables.
type Prepared = (u32, Vec<WireBytes>);

impl Target {
    async fn new(label: &str, partitions: i32) -> Self {
        Self::of(Topic::new(label, partitions).await)
    }

    fn of(topic: Topic) -> Self {
        Target {
            topic,
            prefix: fresh_name("prefix"),
            job: fresh_name("job"),
            attempt: 0,
        }
    }

    fn table(&self) -> TableDescriptor {
        let options = [
            ("sink.delivery-guarantee", "exactly-once"),
            ("sink.transactional-id-prefix", self.prefix.as_str()),
            ("properties.bootstrap.servers", self.topic.servers.as_str()),
        ];
        table(&self.topic.name, numbers(), &options)
    }

    fn context(&self, index: u32, parallelism: u32, restored: &[WireBytes]) -> SinkContext {
        SinkContext {
            job: JobId(self.job.clone()),
            attempt: self.attempt,
            parallelism,
            restored: Arc::new(restored.to_vec()),
            ..sink_context(numbers(), index)
        }
    }

    /// Opens all subtasks as the engine does, with what a checkpoint holds.
    async fn start(&mut self, parallelism: u32, checkpoint: &[Prepared]) -> Vec<Box<dyn Sink>> {
        self.attempt += 1;
        let mut sinks = Vec::new();
        for index in 0..parallelism {
            sinks.push(self.start_one(index, parallelism, checkpoint).await);
        }
        sinks
    }

    async fn start_one(
        &self,
        index: u32,
        parallelism: u32,
        checkpoint: &[Prepared],
    ) -> Box<dyn Sink> {
        let mine = checkpoint.iter().filter(|(i, _)| i % parallelism == index);
        let restored: Vec<WireBytes> = mine.flat_map(|(_, c)| c.clone()).collect();
        let mut sink = create(&self.table(), self.context(index, parallelism, &restored));
        sink.open().await.unwrap();
        if !restored.is_empty() {
            sink.commit(restored).await.unwrap();
        }
        sink
    }

    /// The numbers in the topic, sorted.
    fn content(&self) -> Vec<i64> {
        let mut numbers: Vec<i64> = self.topic.content().iter().map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The transactional id of a subtask.
    fn id(&self, index: u32) -> String {
        format!("{}-sink-{index}", self.prefix)
    }
}

fn number(plain: &Plain) -> i64 {
    let text = plain.value.as_deref().unwrap();
    let digits = text.trim_start_matches("{\"a\":").trim_end_matches('}');
    digits.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn create(table: &TableDescriptor, context: SinkContext) -> Box<dyn Sink> {
    let registry = levada_connectors::registry();
    let factory = registry.of_table(table).unwrap().sink(table).unwrap();
    factory.create(context).unwrap()
}

fn rows(range: std::ops::Range<i64>) -> Batch {
    let a = Arc::new(Int64Array::from_iter_values(range));
    Batch::inserts(RecordBatch::try_new(numbers(), vec![a]).unwrap())
}

fn all(range: std::ops::Range<i64>) -> Vec<i64> {
    range.collect()
}

async fn write(sink: &mut Box<dyn Sink>, range: std::ops::Range<i64>) {
    sink.write(&rows(range)).await.unwrap();
}

async fn prepare(sinks: &mut [Box<dyn Sink>], checkpoint: u64) -> Vec<Prepared> {
    let mut prepared = Vec::new();
    for (index, sink) in (0..).zip(sinks) {
        prepared.push((index, sink.prepare(checkpoint).await.unwrap()));
    }
    prepared
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn an_epoch_appears_with_its_commit_and_as_a_whole() {
    let mut target = Target::new("epochs", 3).await;
    let mut sinks = target.start(1, &[]).await;
    let sink = &mut sinks[0];
    write(sink, 0..10_000).await;
    let first = sink.prepare(1).await.unwrap();
    write(sink, 10_000..20_000).await;
    assert_eq!(target.topic.uncommitted_content(), []);
    sink.commit(first).await.unwrap();
    assert_eq!(target.content(), all(0..10_000));
    // A checkpoint that was given up: its epoch comes with the next.
    let mut both = sink.prepare(2).await.unwrap();
    write(sink, 20_000..20_001).await;
    both.extend(sink.prepare(3).await.unwrap());
    assert_eq!(target.content(), all(0..10_000));
    sink.commit(both.clone()).await.unwrap();
    assert_eq!(target.content(), all(0..20_001));
    sink.commit(both).await.unwrap();
    assert_eq!(target.content(), all(0..20_001), "a commit is idempotent");
    let groups = groups(&target.id(0));
    assert_eq!(groups.len(), 1, "{groups:?}");
    let lineage = groups[0].trim_start_matches(&format!("{}-", target.id(0)));
    let marker = group_offset(&groups[0], &target.topic.name);
    assert_eq!(marker, Some((3, format!("{lineage}:3"))));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_crash_before_the_commit_loses_nothing() {
    let mut target = Target::new("before", 2).await;
    let mut sinks = target.start(1, &[]).await;
    for checkpoint in 1..=3 {
        let first = checkpoint as i64 * 10;
        write(&mut sinks[0], first..first + 10).await;
        let prepared = prepare(&mut sinks, checkpoint).await;
        // What comes after the barrier is lost with the process, and comes again.
        write(&mut sinks[0], 777..800).await;
        sinks = target.start(1, &prepared).await;
    }
    assert_eq!(target.content(), all(10..40));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_crash_after_the_commit_doubles_nothing() {
    let mut target = Target::new("after", 2).await;
    let mut sinks = target.start(1, &[]).await;
    write(&mut sinks[0], 0..10).await;
    let first = prepare(&mut sinks, 1).await;
    write(&mut sinks[0], 10..20).await;
    let second = prepare(&mut sinks, 2).await;
    // The first is out, but the engine does not know it when the process dies.
    sinks[0].commit(first[0].1.clone()).await.unwrap();
    let both = vec![first[0].clone(), second[0].clone()];
    target.start(1, &both).await;
    assert_eq!(target.content(), all(0..20));
    for _ in 0..2 {
        let mut sinks = target.start(1, &both).await;
        assert_eq!(target.content(), all(0..20));
        // The line of epochs goes on.
        sinks[0].prepare(3).await.unwrap();
    }
    assert_eq!(groups(&target.prefix).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_zombie_is_fenced() {
    let mut target = Target::new("zombie", 2).await;
    let mut old = target.start(1, &[]).await;
    write(&mut old[0], 0..10).await;
    let prepared = prepare(&mut old, 1).await;
    let mut new = target.start(1, &prepared).await;
    assert_eq!(target.content(), all(0..10));
    let error = old[0].commit(prepared[0].1.clone()).await.unwrap_err();
    let id = target.id(0);
    assert!(
        error
            .message
            .starts_with(&format!("the transactional id '{id}' was taken over")),
        "{error}"
    );
    assert!(error.message.contains("'sink.transactional-id-prefix'"));
    write(&mut new[0], 10..20).await;
    let prepared = new[0].prepare(2).await.unwrap();
    new[0].commit(prepared).await.unwrap();
    assert_eq!(target.content(), all(0..20));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn two_jobs_with_one_prefix_hear_of_each_other() {
    let mut target = Target::new("two", 2).await;
    let mut first = target.start(1, &[]).await;
    target.job = fresh_name("job");
    let mut second = target.start(1, &[]).await;
    write(&mut first[0], 0..10).await;
    write(&mut second[0], 100..110).await;
    let prepared = first[0].prepare(1).await.unwrap();
    let error = first[0].commit(prepared).await.unwrap_err();
    assert!(error.message.contains("another job"), "{error}");
    assert!(error.hint.unwrap().contains("a prefix of its own"));
    let prepared = second[0].prepare(1).await.unwrap();
    second[0].commit(prepared).await.unwrap();
    assert_eq!(target.content(), all(100..110));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn rescaling_keeps_every_row_once() {
    let mut target = Target::new("rescaled", 4).await;
    let mut sinks = target.start(3, &[]).await;
    for (sink, first) in sinks.iter_mut().zip([0, 10, 20]) {
        write(sink, first..first + 10).await;
    }
    let three = prepare(&mut sinks, 1).await;
    // One of them has committed before the crash; another one had begun something.
    sinks[1].commit(three[1].1.clone()).await.unwrap();
    let mut zombie = sinks.remove(2);
    let mut sinks = target.start(1, &three).await;
    assert_eq!(target.content(), all(0..30));
    let error = zombie.commit(three[2].1.clone()).await.unwrap_err();
    assert!(error.message.contains("was taken over"), "{error}");
    write(&mut sinks[0], 30..40).await;
    let one = prepare(&mut sinks, 2).await;
    let mut sinks = target.start(3, &one).await;
    assert_eq!(target.content(), all(0..40));
    for (sink, first) in sinks.iter_mut().zip([40, 50, 60]) {
        write(sink, first..first + 10).await;
    }
    for (index, prepared) in prepare(&mut sinks, 3).await {
        sinks[index as usize].commit(prepared).await.unwrap();
    }
    assert_eq!(target.content(), all(0..70));
    // Only the first has a line that goes back to before the rescaling.
    assert_eq!(groups(&target.id(0)).len(), 1);
    assert_eq!(groups(&target.id(2)).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn what_a_crash_left_open_is_ended() {
    let mut target = Target::new("lingering", 1).await;
    let mut sinks = target.start(3, &[]).await;
    let mut prepared = Vec::new();
    for (index, sink) in (0..).zip(&mut sinks) {
        prepared.push((index, sink.prepare(1).await.unwrap()));
    }
    drop(sinks);
    for index in 0..3 {
        leave_transaction_open(&target.id(index), &target.topic.name);
    }
    // Epochs without rows: nothing is to be written, but the ids are taken over.
    let mut sinks = target.start(1, &prepared).await;
    write(&mut sinks[0], 0..10).await;
    let prepared = sinks[0].prepare(2).await.unwrap();
    sinks[0].commit(prepared).await.unwrap();
    assert_eq!(target.content(), all(0..10), "no reader is held up");
    assert_eq!(target.topic.uncommitted_content().len(), 13);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn empty_epochs_write_nothing() {
    let mut target = Target::new("empty", 1).await;
    let mut sinks = target.start(1, &[]).await;
    let mut prepared = Vec::new();
    for checkpoint in 1..=3 {
        prepared = prepare(&mut sinks, checkpoint).await;
        sinks[0].commit(prepared[0].1.clone()).await.unwrap();
    }
    let group = groups(&target.id(0)).remove(0);
    let marker = group_offset(&group, &target.topic.name);
    assert_eq!(marker.unwrap().0, 0, "no transaction but the first");
    let mut sinks = target.start(1, &prepared).await;
    write(&mut sinks[0], 0..3).await;
    let prepared = prepare(&mut sinks, 4).await;
    sinks[0].commit(prepared[0].1.clone()).await.unwrap();
    target.start(1, &prepared).await;
    assert_eq!(target.content(), all(0..3));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn markers_of_other_lineages_are_ignored() {
    let mut target = Target::new("lineages", 1).await;
    let mut first = target.start(1, &[]).await;
    write(&mut first[0], 0..10).await;
    let old = prepare(&mut first, 500).await;
    first[0].commit(old[0].1.clone()).await.unwrap();
    // Another job starts anew under the same name, and counts from 1.
    target.job = fresh_name("job");
    let mut second = target.start(1, &[]).await;
    write(&mut second[0], 10..20).await;
    let new = prepare(&mut second, 1).await;
    let mut second = target.start(1, &new).await;
    assert_eq!(target.content(), all(0..20));
    // A job that goes on from a checkpoint of the first finds what that had written, and goes on in
    // a line of its own; so does a second one from the same checkpoint, whose numbers are the same.
    let forks = [(20, 30), (30, 40)];
    for (from, to) in forks {
        target.job = fresh_name("job");
        let mut fork = target.start(1, &old).await;
        write(&mut fork[0], from..to).await;
        let prepared = prepare(&mut fork, 501).await;
        target.start(1, &prepared).await;
    }
    assert_eq!(target.content(), all(0..40));
    let prepared = second[0].prepare(2).await.unwrap();
    write(&mut second[0], 77..78).await;
    drop(prepared);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_lost_marker_is_an_error() {
    let mut target = Target::new("lost", 1).await;
    let mut sinks = target.start(1, &[]).await;
    write(&mut sinks[0], 0..10).await;
    let prepared = prepare(&mut sinks, 1).await;
    sinks[0].commit(prepared[0].1.clone()).await.unwrap();
    drop(sinks);
    let group = groups(&target.id(0)).remove(0);
    delete_group(&group).await;
    let restored = prepared[0].1.clone();
    let mut sink = create(&target.table(), target.context(0, 1, &restored));
    sink.open().await.unwrap();
    let error = sink.commit(restored).await.unwrap_err();
    let expected = format!(
        "it is unknown whether the 10 rows of checkpoint 1 are in the topic '{}': the consumer group '{group}'",
        target.topic.name
    );
    assert!(error.message.starts_with(&expected), "{error}");
    assert_eq!(target.content(), all(0..10));
    // Somebody looks, and says what is so.
    set_group_offset(&group, &target.topic.name, 1);
    target.start(1, &prepared).await;
    assert_eq!(target.content(), all(0..10));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_broker_that_is_down_is_waited_for() {
    let (broker, servers) = Broker::start();
    let mut target = Target::of(Topic::at(&servers, "restarted", 2).await);
    let mut sinks = target.start(1, &[]).await;
    write(&mut sinks[0], 0..1_000).await;
    let prepared = prepare(&mut sinks, 1).await;
    broker.run("kill");
    // It is down while the epoch is committed, …
    let mut sink = sinks.remove(0);
    let epoch = prepared[0].1.clone();
    let commit = tokio::spawn(async move { (sink.commit(epoch).await, sink) });
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(!commit.is_finished(), "it waits");
    broker.run("start");
    let (committed, mut sink) = tokio::time::timeout(Duration::from_secs(120), commit)
        .await
        .unwrap()
        .unwrap();
    committed.unwrap();
    assert_eq!(target.content(), all(0..1_000));
    // … and while a new sink is to commit what was prepared before.
    write(&mut sink, 1_000..2_000).await;
    let restored = sink.prepare(2).await.unwrap();
    drop(sink);
    broker.run("kill");
    let context = target.context(0, 1, &restored);
    let metrics = Arc::clone(&context.metrics);
    let mut sink = create(&target.table(), context);
    let start = tokio::spawn(async move {
        sink.open().await?;
        sink.commit(restored).await
    });
    tokio::time::sleep(Duration::from_secs(6)).await;
    let trouble = metrics.snapshot().trouble.unwrap_or_default();
    assert!(trouble.contains("does not answer"), "{trouble}");
    broker.run("start");
    let started = tokio::time::timeout(Duration::from_secs(120), start).await;
    started.unwrap().unwrap().unwrap();
    assert_eq!(target.content(), all(0..2_000));
    assert_eq!(metrics.snapshot().trouble, None);
}

/// Drops sinks in the middle of their commits, at times of chance, and starts others that may be
/// more or fewer.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn crashes_at_any_time_keep_every_row_once() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let mut target = Target::new("crashes", 3).await;
    let (mut parallelism, mut checkpoint, mut next) = (2, 0, 0);
    let mut state: Vec<Prepared> = Vec::new();
    for _ in 0..12 {
        let mut sinks = target.start(parallelism, &state).await;
        for _ in 0..random.random_range(1..4) {
            for sink in &mut sinks {
                let count = [0, 1, 2_000][random.random_range(0..3)];
                write(sink, next..next + count).await;
                next += count;
            }
            checkpoint += 1;
            // The checkpoint is complete; from here on every row has to come out.
            state = prepare(&mut sinks, checkpoint).await;
            let longest_ms = [20, 300, 5_000][random.random_range(0..3)];
            let patience = Duration::from_micros(random.random_range(0..longest_ms * 1_000));
            let mut crashed = false;
            for (index, prepared) in state.clone() {
                let commit = sinks[index as usize].commit(prepared);
                match tokio::time::timeout(patience, commit).await {
                    Ok(committed) => committed.unwrap(),
                    Err(_) => crashed = true,
                }
            }
            if crashed {
                break;
            }
        }
        parallelism = random.random_range(1..4);
    }
    target.start(1, &state).await;
    assert_eq!(target.content(), all(0..next), "seed {seed}");
}
