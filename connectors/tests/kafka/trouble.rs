use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use levada_engine::ErrorKind;

use crate::broker::*;

/// What has been logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_missing_topic_is_an_error_for_sources_and_sinks() {
    let name = fresh_name("missing");
    let table = table(&name, numbers(), &[]);
    let mut source = source(&table, source_context(numbers(), (0, 1), None));
    let error = tokio::time::timeout(Duration::from_secs(20), source.open());
    let error = error.await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert_eq!(error.message, format!("the topic '{name}' does not exist"));
    let registry = levada_connectors::registry();
    let factory = registry.of_table(&table).unwrap().sink(&table).unwrap();
    let mut sink = factory.create(sink_context(numbers(), 0)).unwrap();
    let error = tokio::time::timeout(Duration::from_secs(20), sink.open());
    let error = error.await.unwrap().unwrap_err();
    assert_eq!(error.message, format!("the topic '{name}' does not exist"));
    let mut matching = table.clone();
    matching.options.remove("topic");
    matching
        .options
        .insert("topic-pattern".into(), "no-such-.*".into());
    let mut source = crate::broker::source(&matching, source_context(numbers(), (0, 1), None));
    let error = source.open().await.unwrap_err();
    assert_eq!(
        error.message,
        "no topic matches 'topic-pattern' = 'no-such-.*'"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn offsets_that_are_gone_are_an_error_or_are_skipped_if_told() {
    let topic = Topic::new("cut", 1).await;
    topic.produce_numbers(0, 0..10).await;
    let table = table(&topic.name, numbers(), &[TO_LATEST]);
    let mut before = source(&table, source_context(numbers(), (0, 1), None));
    before.open().await.unwrap();
    let positions = before.positions().unwrap();
    topic.cut(0, 4).await;
    let context = source_context(numbers(), (0, 1), Some(positions.clone()));
    let mut after = source(&table, context.clone());
    let error = after.open().await.unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "offset 0 of topic '{}', partition 0 is not on the broker, which has 4 to 10",
            topic.name
        )
    );
    let mut told = table.clone();
    told.options
        .insert("properties.auto.offset.reset".into(), "earliest".into());
    let mut after = source(&told, context);
    after.open().await.unwrap();
    assert_eq!(
        all_numbers(after.as_mut()).await,
        (4..10).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_group_without_offsets_is_an_error() {
    let topic = Topic::new("groupless", 1).await;
    let group = fresh_name("group");
    let options = [
        ("scan.startup.mode", "group-offsets"),
        ("properties.group.id", group.as_str()),
    ];
    let table = table(&topic.name, numbers(), &options);
    let mut source = source(&table, source_context(numbers(), (0, 1), None));
    let error = source.open().await.unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "the consumer group has no offset for partition 0 of topic '{}'",
            topic.name
        )
    );
}

/// Needs no broker: that is the point.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn an_unreachable_broker_is_named_in_the_log_and_asked_again() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut table = table("t", numbers(), &[]);
    let servers = "properties.bootstrap.servers".to_string();
    table.options.insert(servers, "127.0.0.1:9".into());
    let context = source_context(numbers(), (0, 1), None);
    let metrics = Arc::clone(&context.metrics);
    let mut source = source(&table, context);
    let opening = tokio::time::timeout(Duration::from_secs(9), source.open()).await;
    assert!(opening.is_err(), "it keeps trying: {opening:?}");
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = text
        .lines()
        .find(|l| l.contains("127.0.0.1:9 does not answer"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("WARN"), "{line}");
    let trouble = metrics.snapshot().trouble.unwrap_or_default();
    assert!(trouble.contains("127.0.0.1:9 does not answer"), "{trouble}");
}
