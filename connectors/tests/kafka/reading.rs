use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Int64Type, Schema, TimeUnit};
use levada_engine::connector::{SourceContext, SourceEvent};

use crate::broker::*;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_bounded_table_is_read_to_its_end() {
    let topic = Topic::new("bounded", 3).await;
    topic.produce_numbers(0, 0..250).await;
    topic.produce_numbers(2, 1000..1010).await;
    let table = table(&topic.name, numbers(), &[TO_LATEST]);
    let mut source = source(&table, source_context(numbers(), (0, 1), None));
    let splits = source.open().await.unwrap();
    let name = &topic.name;
    assert_eq!(splits, [format!("{name}-0"), format!("{name}-2")]);
    // What comes later is not part of it.
    topic.produce_numbers(0, 5000..5001).await;
    let mut per_split: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    loop {
        let (what, rows) = next_short(source.as_mut()).await;
        if what == "end" {
            break;
        }
        assert!(rows.len() <= 100);
        per_split.entry(what).or_default().extend(rows);
    }
    assert_eq!(per_split.len(), 4, "{:?}", per_split.keys());
    assert_eq!(
        per_split[&format!("{name}-0")],
        (0..250).collect::<Vec<_>>()
    );
    assert_eq!(
        per_split[&format!("{name}-2")],
        (1000..1010).collect::<Vec<_>>()
    );
    let positions = source.positions().unwrap();
    assert!(positions.iter().all(|p| p.finished));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn subtasks_share_the_partitions() {
    let topic = Topic::new("shared", 5).await;
    for partition in 0..5 {
        let first = i64::from(partition) * 10;
        topic.produce_numbers(partition, first..first + 10).await;
    }
    let table = table(&topic.name, numbers(), &[TO_LATEST]);
    let mut all = Vec::new();
    for index in 0..3 {
        let mut source = source(&table, source_context(numbers(), (index, 3), None));
        assert!(!source.open().await.unwrap().is_empty());
        all.extend(all_numbers(source.as_mut()).await);
    }
    all.sort_unstable();
    assert_eq!(all, (0..50).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn every_position_resumes_exactly_at_any_parallelism() {
    let topic = Topic::new("resumed", 2).await;
    topic.produce_numbers(0, 0..230).await;
    topic.produce_numbers(1, 1000..1150).await;
    let table = table(&topic.name, numbers(), &[TO_LATEST]);
    let expected: Vec<i64> = (0..230).chain(1000..1150).collect();
    for stop in 0..7 {
        let mut before = source(&table, source_context(numbers(), (0, 1), None));
        before.open().await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..stop {
            let (what, rows) = next_short(before.as_mut()).await;
            seen.extend(rows);
            if what == "end" {
                break;
            }
        }
        let positions = before.positions().unwrap();
        for index in 0..2 {
            let context = source_context(numbers(), (index, 2), Some(positions.clone()));
            let mut after = source(&table, context);
            after.open().await.unwrap();
            seen.extend(all_numbers(after.as_mut()).await);
        }
        seen.sort_unstable();
        assert_eq!(seen, expected, "stopped after {stop} events");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn a_bound_is_kept_over_a_restart() {
    let topic = Topic::new("kept", 1).await;
    topic.produce_numbers(0, 0..150).await;
    let table = table(&topic.name, numbers(), &[TO_LATEST]);
    let mut before = source(&table, source_context(numbers(), (0, 1), None));
    before.open().await.unwrap();
    let positions = before.positions().unwrap();
    topic.produce_numbers(0, 150..200).await;
    let mut after = source(&table, source_context(numbers(), (0, 1), Some(positions)));
    after.open().await.unwrap();
    assert_eq!(
        all_numbers(after.as_mut()).await,
        (0..150).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn calls_that_are_dropped_lose_nothing() {
    let topic = Topic::new("dropped", 2).await;
    topic.produce_numbers(0, 0..500).await;
    topic.produce_numbers(1, 500..1000).await;
    let table = table(&topic.name, numbers(), &[TO_LATEST]);
    let mut source = source(&table, source_context(numbers(), (0, 1), None));
    source.open().await.unwrap();
    let mut seen: Vec<i64> = Vec::new();
    loop {
        // The engine looks without waiting first, and is interrupted by barriers.
        let event = tokio::time::timeout(Duration::from_micros(200), source.next()).await;
        match event {
            Err(_) => {}
            Ok(event) => match event.unwrap() {
                SourceEvent::Rows { batch, .. } => {
                    seen.extend(batch.column(0).as_primitive::<Int64Type>().values());
                }
                SourceEvent::End => break,
                _ => {}
            },
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..1000).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn startup_and_bounded_modes() {
    let topic = Topic::new("modes", 1).await;
    let messages: Vec<_> = (0..10)
        .map(|n| Plain {
            timestamp: Some(1_700_000_000_000 + n * 1000),
            ..Plain::at(0, format!("{{\"a\":{n}}}"))
        })
        .collect();
    topic.produce(&messages).await;
    let group = fresh_name("group");
    let read = async |options: &[(&str, &str)]| {
        let mut all = vec![("properties.group.id", group.as_str())];
        all.extend_from_slice(options);
        if !all.iter().any(|(name, _)| *name == "scan.bounded.mode") {
            all.push(TO_LATEST);
        }
        let table = table(&topic.name, numbers(), &all);
        let mut source = source(&table, source_context(numbers(), (0, 1), None));
        source.open().await.unwrap();
        let rows = all_numbers(source.as_mut()).await;
        (rows, source)
    };
    let range = |from: i64, to: i64| (from..to).collect::<Vec<_>>();
    let timestamp = ("scan.startup.mode", "timestamp");
    let at = |ms| ("scan.startup.timestamp-millis", ms);
    assert_eq!(
        read(&[("scan.startup.mode", "latest-offset")]).await.0,
        range(0, 0)
    );
    assert_eq!(
        read(&[timestamp, at("1700000003500")]).await.0,
        range(4, 10)
    );
    assert_eq!(read(&[timestamp, at("1800000000000")]).await.0, range(0, 0));
    let specific = [
        ("scan.startup.mode", "specific-offsets"),
        ("scan.startup.specific-offsets", "partition:0,offset:7"),
    ];
    assert_eq!(read(&specific).await.0, range(7, 10));
    let bounded = [
        ("scan.bounded.mode", "specific-offsets"),
        ("scan.bounded.specific-offsets", "partition:0,offset:4"),
    ];
    assert_eq!(read(&bounded).await.0, range(0, 4));
    let bounded = [
        ("scan.bounded.mode", "timestamp"),
        ("scan.bounded.timestamp-millis", "1700000006000"),
    ];
    let (rows, mut source) = read(&bounded).await;
    assert_eq!(rows, range(0, 6));

    // A complete checkpoint commits the group's offsets.
    source.checkpoint(1).unwrap();
    source.checkpoint_complete(1).await.unwrap();
    let by_group = [("scan.startup.mode", "group-offsets")];
    let mut rows = Vec::new();
    for _ in 0..50 {
        let with_default = [by_group[0], ("properties.auto.offset.reset", "latest")];
        rows = read(&with_default).await.0;
        if rows == range(6, 10) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(rows, range(6, 10));
    let to_group = [("scan.bounded.mode", "group-offsets")];
    assert_eq!(read(&to_group).await.0, range(0, 6));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn metadata_and_key_columns() {
    let topic = Topic::new("columns", 2).await;
    let first = Plain {
        partition: 1,
        key: Some("{\"id\":7}".into()),
        value: Some("{\"a\":1}".into()),
        timestamp: Some(1_700_000_000_123),
        headers: vec![
            ("h".into(), "old".into()),
            ("h".into(), "x".into()),
            ("g".into(), "y".into()),
        ],
    };
    let gone = Plain {
        value: None,
        ..first.clone()
    };
    let keyless = Plain {
        key: None,
        headers: Vec::new(),
        value: Some("{\"a\":2}".into()),
        ..first.clone()
    };
    topic.produce(&[first, gone, keyless]).await;

    let entry = Fields::from(vec![
        Field::new("keys", DataType::Utf8, false),
        Field::new("values", DataType::Binary, true),
    ]);
    let entry = Field::new("entries", DataType::Struct(entry), false);
    let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let schema = Arc::new(Schema::new(vec![
        Field::new("offset", DataType::Int64, true),
        Field::new("k_id", DataType::Int64, true),
        Field::new("a", DataType::Int64, true),
        Field::new("time", utc, true),
        Field::new("headers", DataType::Map(Arc::new(entry), false), true),
        Field::new("partition", DataType::Int32, true),
        Field::new("topic", DataType::Utf8, true),
        Field::new("kind", DataType::Utf8, true),
        Field::new("epoch", DataType::Int32, true),
    ]));
    let mut table = table(
        &topic.name,
        schema.clone(),
        &[
            TO_LATEST,
            ("key.format", "json"),
            ("key.fields", "k_id"),
            ("key.fields-prefix", "k_"),
            ("value.fields-include", "EXCEPT_KEY"),
        ],
    );
    for (column, key) in [
        ("offset", "offset"),
        ("time", "timestamp"),
        ("headers", "headers"),
        ("partition", "partition"),
        ("topic", "topic"),
        ("kind", "timestamp-type"),
        ("epoch", "leader-epoch"),
    ] {
        table.metadata.insert(column.into(), key.into());
    }
    let mut source = source(&table, source_context(schema.clone(), (0, 1), None));
    source.open().await.unwrap();
    let mut batches = Vec::new();
    loop {
        match next(source.as_mut()).await {
            SourceEvent::Rows { batch, .. } => batches.push(batch.rows().clone()),
            SourceEvent::End => break,
            _ => {}
        }
    }
    let rows = arrow::compute::concat_batches(&schema, &batches).unwrap();
    let long = |i: usize| rows.column(i).as_primitive::<Int64Type>().clone();
    assert_eq!(long(0).values(), &[0, 2]);
    assert_eq!((long(1).value(0), long(1).is_null(1)), (7, true));
    assert_eq!(long(2).values(), &[1, 2]);
    let text = arrow::util::pretty::pretty_format_columns("c", &[rows.column(3).slice(0, 1)]);
    assert!(
        text.unwrap()
            .to_string()
            .contains("2023-11-14T22:13:20.123Z")
    );
    let headers = rows.column(4).as_map();
    let entries = headers.value(0);
    let names = entries.column(0).as_string::<i32>();
    let values = entries.column(1).as_binary::<i32>();
    assert_eq!((names.value(0), values.value(0)), ("h", &b"x"[..]));
    assert_eq!((names.value(1), values.value(1)), ("g", &b"y"[..]));
    assert_eq!(headers.value(1).len(), 0);
    assert_eq!(rows.column(5).as_primitive::<Int32Type>().values(), &[1, 1]);
    assert_eq!(rows.column(6).as_string::<i32>().value(0), topic.name);
    assert_eq!(rows.column(7).as_string::<i32>().value(0), "CreateTime");
    assert_eq!(rows.column(8).as_primitive::<Int32Type>().value(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn new_partitions_and_topics_are_discovered() {
    let first = Topic::new("found", 1).await;
    let second = Topic {
        name: format!("{}-too", first.name),
        servers: address(),
    };
    let pattern = format!("{}.*", first.name);
    let mut table = table(
        &first.name,
        numbers(),
        &[
            ("scan.topic-partition-discovery.interval", "200 ms"),
            ("scan.startup.mode", "latest-offset"),
        ],
    );
    table.options.remove("topic");
    table.options.insert("topic-pattern".into(), pattern);
    first.produce_numbers(0, 0..5).await;
    let mut source = source(&table, source_context(numbers(), (0, 1), None));
    source.open().await.unwrap();
    first.produce_numbers(0, 5..6).await;
    assert_eq!(next_short(source.as_mut()).await.1, [5]);
    first.grow(2).await;
    first.produce_numbers(1, 10..12).await;
    second.create(1).await;
    second.produce_numbers(0, 20..22).await;
    let (mut added, mut rows) = (Vec::new(), Vec::new());
    while added.len() < 2 || rows.len() < 4 {
        let (what, numbers) = next_short(source.as_mut()).await;
        if let Some(split) = what.strip_prefix('+') {
            added.push(split.to_string());
        }
        rows.extend(numbers);
    }
    added.sort();
    rows.sort_unstable();
    assert_eq!(
        added,
        [format!("{}-1", first.name), format!("{}-0", second.name)]
    );
    // New partitions are read from their beginning, whatever the startup mode says.
    assert_eq!(rows, [10, 11, 20, 21]);
    let positions = source.positions().unwrap();
    assert_eq!(positions.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn paused_partitions_wait() {
    let topic = Topic::new("paused", 2).await;
    let table = table(&topic.name, numbers(), &[]);
    let mut source = source(&table, source_context(numbers(), (0, 1), None));
    let splits = source.open().await.unwrap();
    source.set_paused(&splits[0], true);
    topic.produce_numbers(0, 0..3).await;
    topic.produce_numbers(1, 10..13).await;
    let mut rows = Vec::new();
    while rows.len() < 3 {
        let (split, numbers) = next_short(source.as_mut()).await;
        assert_eq!(split, splits[1]);
        rows.extend(numbers);
    }
    let quiet = tokio::time::timeout(Duration::from_millis(300), source.next()).await;
    assert!(quiet.is_err());
    source.set_paused(&splits[0], false);
    let (split, numbers) = next_short(source.as_mut()).await;
    assert_eq!((split, numbers), (splits[0].clone(), vec![0, 1, 2]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn bad_messages_fail_with_their_place_or_are_diverted_exactly_once() {
    let topic = Topic::new("broken", 1).await;
    topic.produce_numbers(0, 0..2).await;
    topic.produce(&[Plain::at(0, "{\"a\":oops}")]).await;
    topic.produce_numbers(0, 3..5).await;
    let table = table(&topic.name, numbers(), &[TO_LATEST]);
    let mut failing = source(&table, source_context(numbers(), (0, 1), None));
    failing.open().await.unwrap();
    let mut rows = Vec::new();
    let error = loop {
        match failing.next().await {
            Ok(SourceEvent::Rows { batch, .. }) => {
                rows.extend(
                    batch
                        .column(0)
                        .as_primitive::<Int64Type>()
                        .values()
                        .to_vec(),
                );
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(rows, [0, 1], "the rows before it came first");
    assert_eq!(error.code(), "LV-3002");
    let place = format!("topic '{}', partition 0: bad row at offset 2", topic.name);
    assert!(error.message.starts_with(&place), "{error}");

    let diverting = |restored| SourceContext {
        divert_bad: true,
        ..source_context(numbers(), (0, 1), restored)
    };
    for stop in 0..4 {
        let mut before = source(&table, diverting(None));
        before.open().await.unwrap();
        let (mut bad, mut rows) = (0, Vec::new());
        let mut take = |(what, numbers): (String, Vec<i64>)| {
            bad += usize::from(what.starts_with("bad"));
            rows.extend(numbers);
            what
        };
        for _ in 0..stop {
            if take(next_short(before.as_mut()).await) == "end" {
                break;
            }
        }
        let mut after = source(&table, diverting(Some(before.positions().unwrap())));
        after.open().await.unwrap();
        while take(next_short(after.as_mut()).await) != "end" {}
        rows.sort_unstable();
        assert_eq!(
            (bad, rows),
            (1, vec![0, 1, 3, 4]),
            "stopped after {stop} events"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn several_topics_are_one_table() {
    let (a, b) = (
        Topic::new("several", 1).await,
        Topic::new("several", 2).await,
    );
    a.produce_numbers(0, 0..3).await;
    b.produce_numbers(1, 3..6).await;
    let both = format!("{};{}", a.name, b.name);
    let table = table(&both, numbers(), &[TO_LATEST]);
    let mut source = source(&table, source_context(numbers(), (0, 1), None));
    source.open().await.unwrap();
    assert_eq!(
        all_numbers(source.as_mut()).await,
        (0..6).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Kafka"]
async fn the_group_gets_the_offsets_of_the_checkpoint_that_is_complete() {
    let topic = Topic::new("group", 1).await;
    topic.produce_numbers(0, 0..10).await;
    let group = fresh_name("group");
    let options = [("properties.group.id", group.as_str())];
    let table = table(&topic.name, numbers(), &options);
    let context = SourceContext {
        batch_rows: 1,
        ..source_context(numbers(), (0, 1), None)
    };
    let mut source = source(&table, context);
    source.open().await.unwrap();
    // Four checkpoints, a row after each; the first is given up, and the third begins early.
    for checkpoint in 1..=4 {
        next_short(source.as_mut()).await;
        source.checkpoint(checkpoint).unwrap();
    }
    let committed = async |expected: i64| {
        for _ in 0..100 {
            if group_offset(&group, &topic.name).is_some_and(|(at, _)| at == expected) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{:?}, not {expected}", group_offset(&group, &topic.name));
    };
    source.checkpoint_complete(2).await.unwrap();
    committed(2).await;
    source.checkpoint_complete(4).await.unwrap();
    committed(4).await;
    // One that nobody knows changes nothing.
    source.checkpoint_complete(9).await.unwrap();
    next_short(source.as_mut()).await;
    source.checkpoint(10).unwrap();
    source.checkpoint_complete(10).await.unwrap();
    committed(5).await;
}
