//! Messages of one partition on their way to becoming a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Field, Schema};
use levada_engine::element::{Batch, RowKind, rows_of};
use levada_engine::{EngineError, Result};
use rdkafka::message::{BorrowedMessage, Message};

use super::config::Config;
use super::metadata::{Column, Metadata};
use crate::columns::Layout;
use crate::format::{BadRow, Decoder, OnBadRow, Position};

#[cfg(test)]
mod tests;

/// Gathers messages.
#[derive(Debug)]
pub(super) struct Gather {
    layout: Arc<Layout<Metadata>>,
    value: Box<dyn Decoder>,
    key: Option<KeyGather>,
    metadata: Vec<Column>,
    upserts: Option<Upserts>,
    ignored: u64,
}

/// What makes messages upserts: one without a value takes the row of its key away.
#[derive(Debug)]
struct Upserts {
    /// For each row, whether it has a value.
    put: Vec<bool>,
    on_bad_row: OnBadRow,
    /// Messages that have no key.
    bad: Vec<BadRow>,
}

#[derive(Debug)]
struct KeyGather {
    decoder: Box<dyn Decoder>,
    /// For each row, which of the decoded keys it has.
    rows: Vec<Option<u32>>,
}

/// What has been gathered.
#[derive(Debug)]
pub(super) struct Gathered {
    pub rows: Batch,
    /// Rows that could not be decoded, if they are diverted.
    pub bad: Vec<BadRow>,
    /// Rows that were left out because an option says so.
    pub ignored: u64,
}

impl Gather {
    pub(super) fn new(
        config: &Config,
        layout: Arc<Layout<Metadata>>,
        on_bad_row: OnBadRow,
    ) -> Result<Self> {
        let value = config.value.decoder(
            &config.value_schema(),
            Arc::clone(layout.value()),
            on_bad_row,
        )?;
        let key = match &config.key {
            Some(key) if !layout.key().fields().is_empty() => {
                let wanted = Arc::clone(layout.key());
                let decoder = key
                    .format
                    .decoder(&config.key_schema(), wanted, on_bad_row)?;
                Some(KeyGather {
                    decoder,
                    rows: Vec::new(),
                })
            }
            _ => None,
        };
        let derived = layout.derived().iter();
        let metadata = derived
            .map(|(metadata, field)| Column::new(*metadata, Arc::clone(field)))
            .collect();
        Ok(Self {
            layout,
            value,
            key,
            metadata,
            upserts: config.upserts.then(|| Upserts {
                put: Vec::new(),
                on_bad_row,
                bad: Vec::new(),
            }),
            ignored: 0,
        })
    }

    /// Rows gathered.
    pub(super) fn rows(&self) -> usize {
        match &self.upserts {
            Some(upserts) => upserts.put.len(),
            None => self.value.rows(),
        }
    }

    /// Memory held, in bytes, roughly.
    pub(super) fn buffered_bytes(&self) -> usize {
        let key = self
            .key
            .as_ref()
            .map_or(0, |key| key.decoder.buffered_bytes());
        self.value.buffered_bytes() + key
    }

    /// Adds a message.
    pub(super) fn add(&mut self, message: &BorrowedMessage<'_>) -> Result<()> {
        let offset = u64::try_from(message.offset()).unwrap_or_default();
        let rows = self.add_content(message.key(), message.payload(), offset)?;
        for column in &mut self.metadata {
            column.append(message, rows)?;
        }
        Ok(())
    }

    /// Adds what a message brings; returns how many rows that is. A message without a value says that a
    /// key is gone; a table of inserts has no row for that.
    fn add_content(
        &mut self,
        key: Option<&[u8]>,
        payload: Option<&[u8]>,
        offset: u64,
    ) -> Result<usize> {
        match &mut self.upserts {
            Some(upserts) if key.is_none() => return upserts.refuse(payload, offset),
            None if payload.is_none() => return Ok(0),
            _ => {}
        }
        let key_row = match &mut self.key {
            None => None,
            Some(decoder) => match decoder.decode(key, offset)? {
                Some(row) => row,
                // The key is bad, and not a failure.
                None => return Ok(0),
            },
        };
        let rows = match payload {
            Some(payload) => self.value.decode_message(payload, offset)?,
            None => 1,
        };
        if let Some(upserts) = &mut self.upserts {
            let put = std::iter::repeat_n(payload.is_some(), rows);
            upserts.put.extend(put);
        }
        if let Some(key) = &mut self.key {
            key.rows.extend(std::iter::repeat_n(key_row, rows));
        }
        Ok(rows)
    }

    /// Takes what has been gathered.
    pub(super) fn take(&mut self) -> Result<Gathered> {
        let mut value = self.value.flush()?;
        let mut bad = self.value.take_bad_rows();
        let mut put = Vec::new();
        if let Some(upserts) = &mut self.upserts {
            put = std::mem::take(&mut upserts.put);
            bad.append(&mut upserts.bad);
            if put.contains(&false) {
                value = with_deletes(&value, &put)?;
            }
        }
        let mut ignored = self.value.rows_ignored();
        let mut key_columns = Vec::new();
        if let Some(key) = &mut self.key {
            key_columns = key.flush()?;
            bad.extend(key.decoder.take_bad_rows());
            ignored += key.decoder.rows_ignored();
        }
        bad.sort_by_key(|row| row.position.offset);
        let metadata: Result<Vec<_>> = self.metadata.iter_mut().map(Column::finish).collect();
        let since = ignored.saturating_sub(self.ignored);
        self.ignored = ignored;
        let rows = self.layout.assemble(value, &key_columns, &metadata?)?;
        let rows = match put.contains(&false) {
            true => Batch::with_kinds(rows, put.into_iter().map(kind).collect())?,
            false => Batch::inserts(rows),
        };
        Ok(Gathered {
            rows,
            bad,
            ignored: since,
        })
    }
}

impl Upserts {
    /// A message without a key says of no row what it is.
    fn refuse(&mut self, payload: Option<&[u8]>, offset: u64) -> Result<usize> {
        let what = "the message has no key, by which rows of this table replace each other";
        match self.on_bad_row {
            OnBadRow::Fail => Err(EngineError::data(format!("offset {offset}: {what}"))),
            OnBadRow::Divert => {
                self.bad.push(BadRow {
                    payload: payload.unwrap_or_default().to_vec(),
                    position: Position::message(offset),
                    error: what.to_string(),
                });
                Ok(0)
            }
        }
    }
}

fn kind(put: bool) -> RowKind {
    match put {
        true => RowKind::Insert,
        false => RowKind::Delete,
    }
}

/// The decoded values where there are some, and NULLs for the messages between them.
fn with_deletes(values: &RecordBatch, put: &[bool]) -> Result<RecordBatch> {
    let mut next = 0;
    let rows = put.iter().map(|put| {
        put.then(|| {
            next += 1;
            next - 1
        })
    });
    let rows: UInt32Array = rows.collect();
    let columns = values.columns().iter().map(|c| take(c, &rows, None));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let fields = values.schema_ref().fields().iter();
    let fields = fields.map(|f| f.as_ref().clone().with_nullable(true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
    rows_of(&schema, columns, put.len())
}

impl KeyGather {
    /// Decodes the message's key: the outer `None` if it is bad, the inner if there is none.
    fn decode(&mut self, key: Option<&[u8]>, offset: u64) -> Result<Option<Option<u32>>> {
        let Some(bytes) = key else {
            return Ok(Some(None));
        };
        let row = self.decoder.rows();
        match self.decoder.decode_message(bytes, offset) {
            Ok(0) => Ok(None),
            Ok(1) => u32::try_from(row)
                .map(|row| Some(Some(row)))
                .map_err(|_| EngineError::internal("a batch has more than 2^32 keys")),
            Ok(rows) => Err(EngineError::data(format!(
                "offset {offset}: the message's key holds {rows} rows, expected one"
            ))),
            Err(error) => Err(error.at("message key")),
        }
    }

    fn flush(&mut self) -> Result<Vec<ArrayRef>> {
        let keys = self.decoder.flush()?;
        let rows = std::mem::take(&mut self.rows);
        let one_each = rows.len() == keys.num_rows()
            && rows.iter().zip(0..).all(|(row, index)| *row == Some(index));
        if one_each {
            return Ok(keys.columns().to_vec());
        }
        let rows = UInt32Array::from(rows);
        let columns = keys.columns().iter();
        let columns: Result<Vec<_>, _> = columns.map(|c| take(c, &rows, None)).collect();
        Ok(columns?)
    }
}
