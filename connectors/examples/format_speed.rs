//! How fast formats decode and encode, on one core: `cargo run --release --example format_speed [events [case]]`.
//!
//! The data are Nexmark events of the `nexmark` crate as JSON lines, in memory. Each measurement is
//! the best of several runs, in bytes of input per second.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use levada_connectors::format::{
    Decoder, Encoded, Format, Framing, Input, OnBadRow, Position, RowFormat,
};
use levada_connectors::options::Options;
use nexmark::EventGenerator;
use nexmark::config::NexmarkConfig;
use nexmark::event::Event;

fn json() -> Arc<dyn RowFormat> {
    let mut options = Options::new([]);
    Format::from_options("json", "", &mut options)
        .unwrap()
        .into_rows()
        .unwrap()
}

fn timestamp(millis: u64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(millis as i64).unwrap();
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn line(event: &Event) -> String {
    match event {
        Event::Person(p) => format!(
            r#"{{"event_type":0,"person":{{"id":{},"name":"{}","emailAddress":"{}","creditCard":"{}","city":"{}","state":"{}","dateTime":"{}","extra":"{}"}}}}"#,
            p.id,
            p.name,
            p.email_address,
            p.credit_card,
            p.city,
            p.state,
            timestamp(p.date_time),
            p.extra
        ),
        Event::Auction(a) => format!(
            r#"{{"event_type":1,"auction":{{"id":{},"itemName":"{}","description":"{}","initialBid":{},"reserve":{},"dateTime":"{}","expires":"{}","seller":{},"category":{},"extra":"{}"}}}}"#,
            a.id,
            a.item_name,
            a.description,
            a.initial_bid,
            a.reserve,
            timestamp(a.date_time),
            timestamp(a.expires),
            a.seller,
            a.category,
            a.extra
        ),
        Event::Bid(b) => format!(
            r#"{{"event_type":2,"bid":{{"auction":{},"bidder":{},"price":{},"channel":"{}","url":"{}","dateTime":"{}","extra":"{}"}}}}"#,
            b.auction,
            b.bidder,
            b.price,
            b.channel,
            b.url,
            timestamp(b.date_time),
            b.extra
        ),
    }
}

fn events(count: usize) -> Vec<u8> {
    let config = NexmarkConfig {
        base_time: 1_700_000_000_000,
        first_rate: 100_000,
        next_rate: 100_000,
        ..NexmarkConfig::default()
    };
    let mut bytes = Vec::new();
    for event in EventGenerator::new(config).take(count) {
        bytes.extend_from_slice(line(&event).as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

fn field(name: &str) -> Field {
    let data_type = match name {
        "auction" | "bidder" | "price" | "id" | "seller" | "category" => DataType::Int64,
        "dateTime" | "expires" => DataType::Timestamp(TimeUnit::Millisecond, None),
        "event_type" => DataType::Int32,
        _ => DataType::Utf8,
    };
    Field::new(name, data_type, true)
}

fn row(name: &str, fields: &[&str]) -> Field {
    Field::new(
        name,
        DataType::Struct(fields.iter().map(|f| field(f)).collect()),
        true,
    )
}

/// Decodes all of `bytes` and returns the rows and the batches' memory.
fn decode(decoder: &mut dyn Decoder, bytes: &[u8]) -> (usize, usize) {
    decoder.seek(Position::START);
    let (mut at, mut rows, mut memory) = (0, 0, 0);
    while at < bytes.len() {
        let end = (at + (1 << 20)).min(bytes.len());
        let last = end == bytes.len();
        let input = Input {
            bytes: &bytes[at..end],
            last,
            max_rows: 8192,
            end: u64::MAX,
        };
        at += decoder.decode(input).unwrap();
        let batch = decoder.flush().unwrap();
        rows += batch.num_rows();
        memory += batch.get_array_memory_size();
        black_box(batch);
    }
    (rows, memory)
}

/// The same with the decoder that comes with Arrow, as a yardstick that does not depend on the machine.
fn decode_arrow(schema: &SchemaRef, bytes: &[u8]) -> (usize, usize) {
    let builder = arrow::json::ReaderBuilder::new(schema.clone()).with_batch_size(8192);
    let mut decoder = builder.build_decoder().unwrap();
    let (mut at, mut rows) = (0, 0);
    loop {
        let consumed = decoder.decode(&bytes[at..]).unwrap();
        at += consumed;
        match decoder.flush().unwrap() {
            Some(batch) => rows += batch.num_rows(),
            None if consumed == 0 => return (rows, 0),
            None => {}
        }
    }
}

fn best(mut run: impl FnMut() -> (usize, usize)) -> (f64, usize) {
    let mut best = f64::INFINITY;
    let mut rows = 0;
    for _ in 0..repeats() {
        let start = Instant::now();
        rows = run().0;
        best = best.min(start.elapsed().as_secs_f64());
    }
    (best, rows)
}

fn report(what: &str, bytes: usize, (seconds, rows): (f64, usize)) {
    println!(
        "{what:<58} {:>8.0} MB/s {:>8.2} million rows/s",
        bytes as f64 / seconds / 1e6,
        rows as f64 / seconds / 1e6
    );
}

fn main() {
    let count = std::env::args()
        .nth(1)
        .map_or(100_000, |n| n.parse().expect("a number of events"));
    let bytes = events(count);
    println!("{count} events, {:.1} MB", bytes.len() as f64 / 1e6);
    let lines = best(|| (memchr::memchr_iter(b'\n', &bytes).count(), 0));
    report("line ends alone (memchr)", bytes.len(), lines);
    let utf8 = best(|| (usize::from(simdutf8::basic::from_utf8(&bytes).is_ok()), 0));
    report("UTF-8 alone (simdutf8)", bytes.len(), utf8);

    let schemas: Vec<(&str, Vec<Field>)> = vec![
        ("nothing (count rows)", vec![]),
        ("event_type", vec![field("event_type")]),
        (
            "bid.auction, bid.dateTime (q5)",
            vec![row("bid", &["auction", "dateTime"])],
        ),
        (
            "event_type, bid.{auction,bidder,price,dateTime} (q1)",
            vec![
                field("event_type"),
                row("bid", &["auction", "bidder", "price", "dateTime"]),
            ],
        ),
        (
            "event_type, bid.{auction,bidder,price,channel,dateTime}",
            vec![
                field("event_type"),
                row(
                    "bid",
                    &["auction", "bidder", "price", "channel", "dateTime"],
                ),
            ],
        ),
        (
            "event_type, all of bid",
            vec![
                field("event_type"),
                row(
                    "bid",
                    &[
                        "auction", "bidder", "price", "channel", "url", "dateTime", "extra",
                    ],
                ),
            ],
        ),
        (
            "bid of 7, dateTime of person and auction (wide table)",
            vec![
                field("event_type"),
                row("person", &["dateTime"]),
                row("auction", &["dateTime"]),
                row(
                    "bid",
                    &[
                        "auction", "bidder", "price", "channel", "url", "dateTime", "extra",
                    ],
                ),
            ],
        ),
    ];
    let only = std::env::args().nth(2).unwrap_or_default();
    let format = json();
    let mut last: Option<(SchemaRef, RecordBatch)> = None;
    for (what, fields) in schemas.into_iter().filter(|(what, _)| what.contains(&only)) {
        let schema = Arc::new(Schema::new(fields));
        let mut decoder = format
            .decoder(&schema, schema.clone(), OnBadRow::Fail)
            .unwrap();
        report(what, bytes.len(), best(|| decode(decoder.as_mut(), &bytes)));
        if what.contains("(q1)") {
            report(
                "    the same with arrow-json",
                bytes.len(),
                best(|| decode_arrow(&schema, &bytes)),
            );
        }
        let input = Input {
            bytes: &bytes,
            last: true,
            max_rows: 8192,
            end: u64::MAX,
        };
        decoder.seek(Position::START);
        decoder.decode(input).unwrap();
        last = Some((schema, decoder.flush().unwrap()));
    }
    if let Some((schema, batch)) = last {
        let mut encoder = format.encoder(schema, Framing::Line).unwrap();
        let mut out = Encoded::default();
        let encoded = best(|| {
            out.clear();
            encoder.encode(&batch, &mut out).unwrap();
            (out.rows(), 0)
        });
        report("encoding the wide rows", out.bytes.len(), encoded);
    }
}

/// How often each measurement is repeated; `FORMAT_SPEED_REPEATS=1` suits profilers.
fn repeats() -> usize {
    let given = std::env::var("FORMAT_SPEED_REPEATS")
        .ok()
        .and_then(|n| n.parse().ok());
    given.unwrap_or(15)
}
