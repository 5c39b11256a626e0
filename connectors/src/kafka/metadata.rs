//! Metadata columns: what a message says besides its key and value.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int32Builder, Int64Builder, MapBuilder, MapFieldNames, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use levada_engine::Result;
use rdkafka::message::{BorrowedMessage, Headers, Message, Timestamp};

use crate::columns::{self, MetadataKey};

/// What is known about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metadata {
    Topic,
    Partition,
    Headers,
    LeaderEpoch,
    Offset,
    Timestamp,
    TimestampType,
}

impl MetadataKey for Metadata {
    const ALL: &'static [Metadata] = &[
        Metadata::Topic,
        Metadata::Partition,
        Metadata::Headers,
        Metadata::LeaderEpoch,
        Metadata::Offset,
        Metadata::Timestamp,
        Metadata::TimestampType,
    ];

    fn key(self) -> &'static str {
        match self {
            Metadata::Topic => "topic",
            Metadata::Partition => "partition",
            Metadata::Headers => "headers",
            Metadata::LeaderEpoch => "leader-epoch",
            Metadata::Offset => "offset",
            Metadata::Timestamp => "timestamp",
            Metadata::TimestampType => "timestamp-type",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Metadata::Topic | Metadata::TimestampType => DataType::Utf8,
            Metadata::Partition | Metadata::LeaderEpoch => DataType::Int32,
            Metadata::Offset => DataType::Int64,
            Metadata::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Metadata::Headers => headers_type(),
        }
    }
}

impl Metadata {
    /// Whether a sink can write it.
    pub(super) fn is_writable(self) -> bool {
        matches!(self, Metadata::Headers | Metadata::Timestamp)
    }
}

fn headers_type() -> DataType {
    let key = Field::new("key", DataType::Utf8, false);
    let value = Field::new("value", DataType::Binary, true);
    let entries = DataType::Struct(Fields::from(vec![key, value]));
    DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
}

/// Builds one metadata column.
#[derive(Debug)]
pub(super) struct Column {
    field: FieldRef,
    builder: Builder,
}

#[derive(Debug)]
enum Builder {
    Topic(StringBuilder),
    Partition(Int32Builder),
    Headers(Box<MapBuilder<StringBuilder, BinaryBuilder>>),
    LeaderEpoch(Int32Builder),
    Offset(Int64Builder),
    Timestamp(TimestampMillisecondBuilder),
    TimestampType(StringBuilder),
}

impl Column {
    /// A column that becomes `field`.
    pub(super) fn new(metadata: Metadata, field: FieldRef) -> Self {
        let builder = match metadata {
            Metadata::Topic => Builder::Topic(StringBuilder::new()),
            Metadata::Partition => Builder::Partition(Int32Builder::new()),
            Metadata::Headers => {
                let names = MapFieldNames {
                    entry: "entries".into(),
                    key: "key".into(),
                    value: "value".into(),
                };
                let (keys, values) = (StringBuilder::new(), BinaryBuilder::new());
                Builder::Headers(Box::new(MapBuilder::new(Some(names), keys, values)))
            }
            Metadata::LeaderEpoch => Builder::LeaderEpoch(Int32Builder::new()),
            Metadata::Offset => Builder::Offset(Int64Builder::new()),
            Metadata::Timestamp => {
                let builder = TimestampMillisecondBuilder::new();
                Builder::Timestamp(builder.with_timezone("UTC"))
            }
            Metadata::TimestampType => Builder::TimestampType(StringBuilder::new()),
        };
        Self { field, builder }
    }

    /// Adds what the message says, once for each of its `rows`.
    pub(super) fn append(&mut self, message: &BorrowedMessage<'_>, rows: usize) -> Result<()> {
        for _ in 0..rows {
            match &mut self.builder {
                Builder::Topic(b) => b.append_value(message.topic()),
                Builder::Partition(b) => b.append_value(message.partition()),
                Builder::Headers(b) => append_headers(b, message)?,
                Builder::LeaderEpoch(b) => b.append_option(leader_epoch(message)),
                Builder::Offset(b) => b.append_value(message.offset()),
                Builder::Timestamp(b) => b.append_option(message.timestamp().to_millis()),
                Builder::TimestampType(b) => b.append_value(match message.timestamp() {
                    Timestamp::NotAvailable => "NoTimestampType",
                    Timestamp::CreateTime(_) => "CreateTime",
                    Timestamp::LogAppendTime(_) => "LogAppendTime",
                }),
            }
        }
        Ok(())
    }

    /// Takes the column.
    pub(super) fn finish(&mut self) -> Result<ArrayRef> {
        let array: ArrayRef = match &mut self.builder {
            Builder::Topic(b) | Builder::TimestampType(b) => Arc::new(b.finish()),
            Builder::Partition(b) | Builder::LeaderEpoch(b) => Arc::new(b.finish()),
            Builder::Headers(b) => Arc::new(b.finish()),
            Builder::Offset(b) => Arc::new(b.finish()),
            Builder::Timestamp(b) => Arc::new(b.finish()),
        };
        columns::convert(&array, &self.field)
    }
}

fn append_headers(
    builder: &mut MapBuilder<StringBuilder, BinaryBuilder>,
    message: &BorrowedMessage<'_>,
) -> Result<()> {
    if let Some(headers) = message.headers() {
        let all: Vec<_> = headers.iter().collect();
        for (index, header) in all.iter().enumerate() {
            // A map has a key once; the last header of a name counts.
            let rest = all.get(index + 1..).unwrap_or_default();
            if rest.iter().any(|later| later.key == header.key) {
                continue;
            }
            builder.keys().append_value(header.key);
            builder.values().append_option(header.value);
        }
    }
    Ok(builder.append(true)?)
}

fn leader_epoch(message: &BorrowedMessage<'_>) -> Option<i32> {
    // SAFETY: the message is alive for as long as it is borrowed, and the call only reads it.
    let epoch = unsafe { rdkafka::bindings::rd_kafka_message_leader_epoch(message.ptr()) };
    (epoch >= 0).then_some(epoch)
}
