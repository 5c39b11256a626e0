//! Events as rows: only the columns that are asked for.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use levada_engine::{EngineError, Result};
use nexmark::event::{Auction, Bid, Event, EventType, Person};

use crate::format::column::{Column, Record, Struct};
use crate::format::scalar::time::Moment;
use crate::options::unknown_name;

const PERSON: &[(&str, Kind)] = &[
    ("id", Kind::Number),
    ("name", Kind::Text),
    ("emailAddress", Kind::Text),
    ("creditCard", Kind::Text),
    ("city", Kind::Text),
    ("state", Kind::Text),
    ("dateTime", Kind::Time),
    ("extra", Kind::Text),
];
const AUCTION: &[(&str, Kind)] = &[
    ("id", Kind::Number),
    ("itemName", Kind::Text),
    ("description", Kind::Text),
    ("initialBid", Kind::Number),
    ("reserve", Kind::Number),
    ("dateTime", Kind::Time),
    ("expires", Kind::Time),
    ("seller", Kind::Number),
    ("category", Kind::Number),
    ("extra", Kind::Text),
];
const BID: &[(&str, Kind)] = &[
    ("auction", Kind::Number),
    ("bidder", Kind::Number),
    ("price", Kind::Number),
    ("channel", Kind::Text),
    ("url", Kind::Text),
    ("dateTime", Kind::Time),
    ("extra", Kind::Text),
];

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Time,
}

impl Kind {
    fn suits(self, data_type: &DataType) -> bool {
        match self {
            Kind::Number => data_type == &DataType::Int64,
            Kind::Text => data_type == &DataType::Utf8,
            Kind::Time => matches!(data_type, DataType::Timestamp(_, _)),
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Kind::Number => "BIGINT",
            Kind::Text => "STRING",
            Kind::Time => "TIMESTAMP(3)",
        }
    }
}

/// A value of an event.
enum Value<'a> {
    Number(usize),
    Text(&'a str),
    /// Milliseconds since 1970.
    Time(u64),
}

/// Rows under construction.
#[derive(Debug)]
pub(super) struct Rows {
    schema: SchemaRef,
    record: Record,
    /// For each column, which of the event's parts it is.
    parts: Vec<Part>,
    wanted: [bool; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    EventType,
    Person,
    Auction,
    Bid,
}

impl Part {
    fn of(kind: EventType) -> Self {
        match kind {
            EventType::Person => Part::Person,
            EventType::Auction => Part::Auction,
            EventType::Bid => Part::Bid,
        }
    }
}

/// The value of `event_type`.
fn number_of(kind: EventType) -> i32 {
    match kind {
        EventType::Person => 0,
        EventType::Auction => 1,
        EventType::Bid => 2,
    }
}

impl Rows {
    /// Rows of `schema`; an error if a column is not one of an event's, or has another type.
    pub(super) fn new(schema: &SchemaRef) -> Result<Self> {
        let parts = parts(schema)?;
        let wants = |part| parts.contains(&part);
        Ok(Self {
            schema: Arc::clone(schema),
            record: Record::new(schema.fields())?,
            wanted: [wants(Part::Person), wants(Part::Auction), wants(Part::Bid)],
            parts,
        })
    }

    /// Whether anything of such an event but its type is asked for.
    pub(super) fn wants(&self, kind: EventType) -> bool {
        let [person, auction, bid] = self.wanted;
        match kind {
            EventType::Person => person,
            EventType::Auction => auction,
            EventType::Bid => bid,
        }
    }

    /// Adds an event of which nothing but its type is asked for.
    pub(super) fn push_other(&mut self, kind: EventType) {
        for (part, child) in self.parts.iter().zip(&mut self.record.children) {
            match (part, &mut child.column) {
                (Part::EventType, Column::Int32(values)) => values.push(number_of(kind)),
                (_, column) => column.push_null(),
            }
        }
        self.record.rows += 1;
    }

    /// Adds an event.
    pub(super) fn push(&mut self, event: &Event) -> Result<()> {
        let kind = event.event_type();
        for (part, child) in self.parts.iter().zip(&mut self.record.children) {
            match (part, &mut child.column) {
                (Part::EventType, Column::Int32(values)) => values.push(number_of(kind)),
                (part, Column::Struct(values)) if *part == Part::of(kind) => match event {
                    Event::Person(person) => fill(values, |name| person_value(person, name))?,
                    Event::Auction(auction) => fill(values, |name| auction_value(auction, name))?,
                    Event::Bid(bid) => fill(values, |name| bid_value(bid, name))?,
                },
                (_, column) => column.push_null(),
            }
        }
        self.record.rows += 1;
        Ok(())
    }

    /// Takes the rows as a batch.
    pub(super) fn finish(&mut self) -> Result<RecordBatch> {
        self.record.finish_batch(&self.schema)
    }
}

fn parts(schema: &Schema) -> Result<Vec<Part>> {
    let part = |field: &Arc<Field>| match field.name().as_str() {
        "event_type" => match field.data_type() {
            DataType::Int32 => Ok(Part::EventType),
            other => Err(wrong_type("event_type", other, "INT")),
        },
        "person" => check(field, PERSON).map(|()| Part::Person),
        "auction" => check(field, AUCTION).map(|()| Part::Auction),
        "bid" => check(field, BID).map(|()| Part::Bid),
        other => Err(unknown_name(
            "column of a Nexmark event",
            other,
            ["event_type", "person", "auction", "bid"],
        )),
    };
    schema.fields().iter().map(part).collect()
}

fn check(row: &Field, known: &[(&str, Kind)]) -> Result<()> {
    let DataType::Struct(fields) = row.data_type() else {
        return Err(wrong_type(row.name(), row.data_type(), "a ROW"));
    };
    for field in fields {
        let path = format!("{}.{}", row.name(), field.name());
        match known.iter().find(|(name, _)| name == field.name()) {
            Some((_, kind)) if kind.suits(field.data_type()) => {}
            Some((_, kind)) => return Err(wrong_type(&path, field.data_type(), kind.sql())),
            None => {
                let names = known
                    .iter()
                    .map(|(name, _)| format!("{}.{name}", row.name()));
                return Err(unknown_name("field of a Nexmark event", &path, names));
            }
        }
    }
    Ok(())
}

fn wrong_type(path: &str, found: &DataType, expected: &str) -> EngineError {
    EngineError::config(format!(
        "the column '{path}' is declared as {found}, but is {expected}"
    ))
}

fn fill<'a>(row: &mut Struct, value: impl Fn(&str) -> Option<Value<'a>>) -> Result<()> {
    for child in &mut row.record.children {
        let added = match (value(child.field.name()), &mut child.column) {
            (Some(Value::Number(number)), Column::Int64(values)) => {
                values.push(i64::try_from(number).unwrap_or(i64::MAX));
                true
            }
            (Some(Value::Text(text)), Column::Utf8(values)) => values.push(text.as_bytes()),
            (Some(Value::Time(millis)), Column::Timestamp(values)) => values.push(Moment {
                seconds: i64::try_from(millis / 1_000).unwrap_or(i64::MAX),
                nanos: (millis % 1_000) as u32 * 1_000_000,
                zoned: values.zoned,
            }),
            _ => false,
        };
        if !added {
            return Err(EngineError::data(format!(
                "the value of the field '{}' does not fit its column",
                child.field.name()
            )));
        }
    }
    row.record.rows += 1;
    row.end_row();
    Ok(())
}

fn person_value<'a>(person: &'a Person, name: &str) -> Option<Value<'a>> {
    Some(match name {
        "id" => Value::Number(person.id),
        "name" => Value::Text(&person.name),
        "emailAddress" => Value::Text(&person.email_address),
        "creditCard" => Value::Text(&person.credit_card),
        "city" => Value::Text(&person.city),
        "state" => Value::Text(&person.state),
        "dateTime" => Value::Time(person.date_time),
        "extra" => Value::Text(&person.extra),
        _ => return None,
    })
}

fn auction_value<'a>(auction: &'a Auction, name: &str) -> Option<Value<'a>> {
    Some(match name {
        "id" => Value::Number(auction.id),
        "itemName" => Value::Text(&auction.item_name),
        "description" => Value::Text(&auction.description),
        "initialBid" => Value::Number(auction.initial_bid),
        "reserve" => Value::Number(auction.reserve),
        "dateTime" => Value::Time(auction.date_time),
        "expires" => Value::Time(auction.expires),
        "seller" => Value::Number(auction.seller),
        "category" => Value::Number(auction.category),
        "extra" => Value::Text(&auction.extra),
        _ => return None,
    })
}

fn bid_value<'a>(bid: &'a Bid, name: &str) -> Option<Value<'a>> {
    Some(match name {
        "auction" => Value::Number(bid.auction),
        "bidder" => Value::Number(bid.bidder),
        "price" => Value::Number(bid.price),
        "channel" => Value::Text(&bid.channel),
        "url" => Value::Text(&bid.url),
        "dateTime" => Value::Time(bid.date_time),
        "extra" => Value::Text(&bid.extra),
        _ => return None,
    })
}
