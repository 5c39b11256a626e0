//! Rows on their way to becoming records: what is in the key, in the value and beside them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use levada_engine::element::{Batch, RowKind};
use levada_engine::{EngineError, Result};
use rdkafka::producer::BaseRecord;

use super::extras::{ExtraColumns, Extras};
use crate::columns::MetadataKey as _;
use crate::format::{Encoded, Encoder, Framing};
use crate::kafka::config::{Config, Partitioner};
use crate::kafka::metadata::Metadata;

/// A record that has yet to be sent.
pub(super) type Record<'a> = BaseRecord<'a, [u8], [u8]>;

/// Says which partition a row goes to.
#[derive(Debug)]
pub(super) struct Placement {
    partitioner: Partitioner,
    /// How many partitions the topic has, from 1.
    partitions: u64,
    /// The subtask.
    index: u64,
    /// Rows placed, for those that take turns.
    row: u64,
}

impl Placement {
    /// For subtask `index`; until [`Placement::set_partitions`] there is one partition.
    pub(super) fn new(partitioner: Partitioner, index: u32) -> Self {
        Self {
            partitioner,
            partitions: 1,
            index: u64::from(index),
            row: 0,
        }
    }

    pub(super) fn set_partitions(&mut self, partitions: i32) {
        self.partitions = u64::try_from(partitions.max(1)).unwrap_or(1);
    }

    /// The next row's partition; `None` leaves it to the client, which goes by the key.
    fn next(&mut self) -> Option<i32> {
        let partition = match self.partitioner {
            Partitioner::Default => return None,
            Partitioner::Fixed => self.index % self.partitions,
            Partitioner::RoundRobin => (self.row + self.index) % self.partitions,
        };
        self.row += 1;
        i32::try_from(partition).ok()
    }
}

/// Which columns go where.
pub(super) struct Parts {
    value_columns: Vec<usize>,
    value: Box<dyn Encoder>,
    key: Option<KeyPart>,
    extras: ExtraColumns,
    /// Whether rows replace each other by key.
    upserts: bool,
}

/// The rows of a batch, ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    values: Encoded,
    keys: Option<Encoded>,
    extras: Extras,
    /// What each row does to its key; empty if all of them bring a value.
    changes: Vec<Change>,
}

/// What a row does to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Put,
    Delete,
    /// Nothing that the next row does not do.
    Pass,
}

impl Outgoing {
    /// The records for `topic`, in the order of the rows.
    pub(super) fn records<'a>(
        &'a self,
        topic: &'a str,
        placement: &'a mut Placement,
    ) -> impl Iterator<Item = Result<Record<'a>>> {
        let mut keys = self.keys.as_ref().map(Encoded::payloads);
        let values = self.values.payloads().enumerate();
        values.filter_map(move |(row, payload)| {
            let key = keys.as_mut().and_then(|keys| keys.next().flatten());
            let payload = match self.changes.get(row).unwrap_or(&Change::Put) {
                Change::Put => payload,
                Change::Delete => None,
                Change::Pass => return None,
            };
            let mut record: Record<'a> = BaseRecord::to(topic);
            record.payload = payload;
            record.key = key;
            record.partition = placement.next();
            record.headers = self.extras.headers(row);
            let timestamp = self.extras.timestamp(row);
            Some(timestamp.map(|timestamp| {
                record.timestamp = timestamp;
                record
            }))
        })
    }

    /// Finds out what the rows do to their keys.
    fn note_changes(&mut self, batch: &Batch) -> Result<()> {
        self.changes.clear();
        let keys = self.keys.iter().flat_map(Encoded::payloads);
        let keys: Vec<Option<&[u8]>> = keys.collect();
        if keys.iter().any(Option::is_none) {
            return Err(EngineError::data(
                "a row has no key, which an upsert table cannot do without",
            ));
        }
        if batch.kinds().is_none() {
            return Ok(());
        }
        self.changes.extend((0..batch.num_rows()).map(|row| {
            let next = row + 1;
            let replaced = next < batch.num_rows()
                && batch.kind(next) == RowKind::UpdateAfter
                && keys.get(row) == keys.get(next);
            match batch.kind(row) {
                RowKind::Insert | RowKind::UpdateAfter => Change::Put,
                RowKind::UpdateBefore if replaced => Change::Pass,
                RowKind::UpdateBefore | RowKind::Delete => Change::Delete,
            }
        }));
        Ok(())
    }
}

struct KeyPart {
    columns: Vec<usize>,
    schema: SchemaRef,
    encoder: Box<dyn Encoder>,
}

impl Parts {
    pub(super) fn new(config: &Config, schema: &SchemaRef) -> Result<Self> {
        let mut value_columns = Vec::new();
        let mut extras = ExtraColumns::default();
        for (index, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            if let Some(metadata) = config.metadata.get(name) {
                check_writable(*metadata, name)?;
                extras.add(*metadata, index, field)?;
            } else if config
                .key
                .as_ref()
                .is_none_or(|key| key.in_value || !key.fields.contains(name))
            {
                value_columns.push(index);
            }
        }
        let value_schema = schema.project(&value_columns)?;
        let key = match &config.key {
            None => None,
            Some(key) => {
                let mut columns = Vec::new();
                let mut fields = Vec::new();
                for name in &key.fields {
                    let (index, field) = schema.fields().find(name).ok_or_else(|| {
                        EngineError::config(format!(
                            "the rows have no column '{name}' ('key.fields')"
                        ))
                    })?;
                    columns.push(index);
                    fields.push(field.as_ref().clone().with_name(key.name_in_key(name)));
                }
                let schema = Arc::new(Schema::new(fields));
                Some(KeyPart {
                    columns,
                    encoder: key.format.encoder(Arc::clone(&schema), Framing::Message)?,
                    schema,
                })
            }
        };
        Ok(Self {
            value: config
                .value
                .encoder(Arc::new(value_schema), Framing::Message)?,
            value_columns,
            key,
            extras,
            upserts: config.upserts,
        })
    }

    /// Encodes the rows of a batch in place of what `out` held.
    pub(super) fn encode(&mut self, batch: &Batch, out: &mut Outgoing) -> Result<()> {
        let rows = batch.rows();
        out.values.clear();
        let values = rows.project(&self.value_columns)?;
        self.value.encode(&values, &mut out.values)?;
        if let Some(key) = &mut self.key {
            let keys = out.keys.get_or_insert_default();
            keys.clear();
            let columns = rows.project(&key.columns)?.columns().to_vec();
            let rows = RecordBatch::try_new(Arc::clone(&key.schema), columns)?;
            key.encoder.encode(&rows, keys)?;
        }
        if self.upserts {
            out.note_changes(batch)?;
        }
        out.extras.take(&self.extras, rows)
    }
}

fn check_writable(metadata: Metadata, column: &str) -> Result<()> {
    if metadata.is_writable() {
        return Ok(());
    }
    Err(EngineError::config(format!(
        "the metadata '{}' of column '{column}' cannot be written",
        metadata.key()
    ))
    .with_hint("declare the column VIRTUAL; 'headers' and 'timestamp' can be written"))
}
