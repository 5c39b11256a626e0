#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{
    DataType, Field, Int32Type, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMillisecondType,
};
use levada_engine::connector::{SourceEvent, SplitState};
use levada_engine::graph::JobId;
use levada_engine::metrics::SubtaskMetrics;
use levada_engine::time::ManualClock;
use nexmark::config::NexmarkConfig;
use nexmark::event::Event;
use serde_json::{Value, json};

use super::*;
use crate::format::json::Json;
use crate::format::{Encoded, Framing, RowFormat};

fn row(name: &str, fields: &[(&str, &str)]) -> Field {
    let fields = fields.iter().map(|(name, sql)| {
        let data_type = match *sql {
            "BIGINT" => DataType::Int64,
            "STRING" => DataType::Utf8,
            _ => DataType::Timestamp(TimeUnit::Millisecond, None),
        };
        Field::new(*name, data_type, true)
    });
    Field::new(name, DataType::Struct(fields.collect()), true)
}

/// The table of the public benchmark.
fn wide() -> SchemaRef {
    let (n, s, t) = ("BIGINT", "STRING", "TIMESTAMP");
    Arc::new(Schema::new(vec![
        Field::new("event_type", DataType::Int32, true),
        row(
            "person",
            &[
                ("id", n),
                ("name", s),
                ("emailAddress", s),
                ("creditCard", s),
                ("city", s),
                ("state", s),
                ("dateTime", t),
                ("extra", s),
            ],
        ),
        row(
            "auction",
            &[
                ("id", n),
                ("itemName", s),
                ("description", s),
                ("initialBid", n),
                ("reserve", n),
                ("dateTime", t),
                ("expires", t),
                ("seller", n),
                ("category", n),
                ("extra", s),
            ],
        ),
        row(
            "bid",
            &[
                ("auction", n),
                ("bidder", n),
                ("price", n),
                ("channel", s),
                ("url", s),
                ("dateTime", t),
                ("extra", s),
            ],
        ),
    ]))
}

fn table(schema: SchemaRef, options: &[(&str, &str)]) -> TableDescriptor {
    TableDescriptor {
        name: "events".into(),
        connector: "nexmark".into(),
        schema: schema.into(),
        metadata: BTreeMap::new(),
        primary_key: Vec::new(),
        partitioned_by: Vec::new(),
        options: options
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect(),
    }
}

fn context(
    schema: SchemaRef,
    (index, parallelism): (u32, u32),
    restored: Option<Vec<SplitState>>,
) -> SourceContext {
    SourceContext {
        job: JobId("job".into()),
        schema,
        index,
        parallelism,
        batch_rows: 64,
        divert_bad: false,
        restored: restored.map(Arc::new),
        clock: ManualClock::new(0),
        metrics: Arc::new(SubtaskMetrics::default()),
    }
}

async fn events(schema: SchemaRef, options: &[(&str, &str)], subtask: (u32, u32)) -> RecordBatch {
    let factory = Nexmark.source(&table(wide(), options)).unwrap();
    let mut source = factory
        .create(context(schema.clone(), subtask, None))
        .unwrap();
    source.open().await.unwrap();
    let mut batches = Vec::new();
    loop {
        match source.next().await.unwrap() {
            SourceEvent::Rows { batch, .. } => batches.push(batch.rows().clone()),
            SourceEvent::SplitFinished(_) => {}
            SourceEvent::End => return concat_batches(&schema, &batches).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_events_are_those_of_the_crate() {
    let options = [
        ("events.num", "1000"),
        ("next-event.rate", "100000"),
        ("first-event.rate", "100000"),
    ];
    let rows = events(wide(), &options, (0, 1)).await;
    assert_eq!(rows.num_rows(), 1000);
    let config = NexmarkConfig {
        base_time: 1_700_000_000_000,
        first_rate: 100_000,
        next_rate: 100_000,
        ..NexmarkConfig::default()
    };
    let mut encoded = Encoded::default();
    let mut encoder = Json::default().encoder(wide(), Framing::Message).unwrap();
    encoder.encode(&rows, &mut encoded).unwrap();
    let events = EventGenerator::new(config).take(1000);
    for (row, event) in encoded.payloads().zip(events) {
        let row: Value = serde_json::from_slice(row.unwrap()).unwrap();
        assert_eq!(row, expected(&event));
    }
}

fn time(millis: u64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(millis as i64).unwrap();
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn expected(event: &Event) -> Value {
    let (mut kind, mut person, mut auction, mut bid) = (0, Value::Null, Value::Null, Value::Null);
    match event {
        Event::Person(p) => {
            person = json!({
                "id": p.id, "name": p.name, "emailAddress": p.email_address, "creditCard": p.credit_card,
                "city": p.city, "state": p.state, "dateTime": time(p.date_time), "extra": p.extra,
            });
        }
        Event::Auction(a) => {
            kind = 1;
            auction = json!({
                "id": a.id, "itemName": a.item_name, "description": a.description,
                "initialBid": a.initial_bid, "reserve": a.reserve, "dateTime": time(a.date_time),
                "expires": time(a.expires), "seller": a.seller, "category": a.category, "extra": a.extra,
            });
        }
        Event::Bid(b) => {
            kind = 2;
            bid = json!({
                "auction": b.auction, "bidder": b.bidder, "price": b.price, "channel": b.channel,
                "url": b.url, "dateTime": time(b.date_time), "extra": b.extra,
            });
        }
    }
    json!({ "event_type": kind, "person": person, "auction": auction, "bid": bid })
}

#[tokio::test]
async fn pruned_columns_and_subtasks_see_the_same_events() {
    let options = [("events.num", "500"), ("bid.proportion", "4")];
    let all = events(wide(), &options, (0, 1)).await;
    let wanted = Arc::new(Schema::new(vec![
        row("auction", &[("seller", "BIGINT")]),
        Field::new("event_type", DataType::Int32, true),
    ]));
    let sellers = all
        .column(2)
        .as_struct()
        .column_by_name("seller")
        .unwrap()
        .as_primitive::<Int64Type>();
    for index in 0..3u32 {
        let part = events(wanted.clone(), &options, (index, 3)).await;
        let own: Vec<usize> = (index as usize..500).step_by(3).collect();
        assert_eq!(part.num_rows(), own.len());
        let seen = part
            .column(0)
            .as_struct()
            .column(0)
            .as_primitive::<Int64Type>();
        let kinds = part.column(1).as_primitive::<Int32Type>();
        for (at, number) in own.into_iter().enumerate() {
            assert_eq!(
                kinds.value(at),
                all.column(0).as_primitive::<Int32Type>().value(number)
            );
            assert_eq!(seen.is_valid(at), sellers.is_valid(number));
            assert!(seen.is_null(at) || seen.value(at) == sellers.value(number));
        }
    }
    assert_eq!(
        events(Arc::new(Schema::empty()), &options, (0, 1))
            .await
            .num_rows(),
        500
    );
}

#[tokio::test]
async fn limited_events_come_with_their_time() {
    let options = [
        ("rate.limited", "true"),
        ("next-event.rate", "1000"),
        ("base-time", "2024-01-01 00:00:00"),
    ];
    let factory = Nexmark.source(&table(wide(), &options)).unwrap();
    assert_eq!(factory.boundedness(), Boundedness::Unbounded);
    let clock = ManualClock::new(0);
    let context = SourceContext {
        clock: clock.clone(),
        ..context(wide(), (0, 1), None)
    };
    let mut source = factory.create(context).unwrap();
    source.open().await.unwrap();
    clock.advance(9);
    let SourceEvent::Rows { batch, .. } = source.next().await.unwrap() else {
        panic!()
    };
    assert_eq!(batch.num_rows(), 10);
    let people = batch
        .column(1)
        .as_struct()
        .column_by_name("dateTime")
        .unwrap();
    assert_eq!(
        people.as_primitive::<TimestampMillisecondType>().value(0),
        1_704_067_200_000
    );
}

#[test]
fn wrong_options_and_columns_are_refused() {
    let check = |schema: SchemaRef, options: &[(&str, &str)], expected: &str| {
        let error = Nexmark.source(&table(schema, options)).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.message.starts_with("table 'events': "), "{error}");
    };
    check(wide(), &[("event.num", "5")], "did you mean 'events.num'?");
    check(
        wide(),
        &[("bid.hot-ratio.bidders", "0")],
        "expected a positive number",
    );
    check(
        wide(),
        &[("person.proportion", "0")],
        "expected a positive number",
    );
    check(
        wide(),
        &[("first-event.rate", "1"), ("next-event.rate", "2")],
        "a rate that changes is not supported",
    );
    check(
        wide(),
        &[("base-time", "yesterday")],
        "expected a timestamp",
    );
    let only = |field: Field| Arc::new(Schema::new(vec![field]));
    check(
        only(Field::new("event_type", DataType::Int64, true)),
        &[],
        "the column 'event_type' is declared as Int64, but is INT",
    );
    check(
        only(row("bid", &[("prize", "BIGINT")])),
        &[],
        "did you mean 'bid.price'?",
    );
    check(
        only(row("bid", &[("price", "STRING")])),
        &[],
        "the column 'bid.price' is declared as Utf8, but is BIGINT",
    );
    check(only(row("bids", &[])), &[], "did you mean 'bid'?");
    assert!(Nexmark.sink(&table(wide(), &[])).is_err());
}
