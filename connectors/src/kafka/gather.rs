//! Messages of one partition on their way to becoming a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use levada_engine::{EngineError, Result};
use rdkafka::message::{BorrowedMessage, Message};

use super::config::Config;
use super::metadata::{Column, Metadata};
use crate::columns::Layout;
use crate::format::{BadRow, Decoder, OnBadRow};

/// Gathers messages.
#[derive(Debug)]
pub(super) struct Gather {
    layout: Arc<Layout<Metadata>>,
    value: Box<dyn Decoder>,
    key: Option<KeyGather>,
    metadata: Vec<Column>,
    ignored: u64,
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
    pub rows: RecordBatch,
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
            ignored: 0,
        })
    }

    /// Rows gathered.
    pub(super) fn rows(&self) -> usize {
        self.value.rows()
    }

    /// Memory held, in bytes, roughly.
    pub(super) fn buffered_bytes(&self) -> usize {
        let key = self
            .key
            .as_ref()
            .map_or(0, |key| key.decoder.buffered_bytes());
        self.value.buffered_bytes() + key
    }

    /// Adds a message. One without a value says that a key is gone; a table of inserts has no row
    /// for that.
    pub(super) fn add(&mut self, message: &BorrowedMessage<'_>) -> Result<()> {
        let Some(payload) = message.payload() else {
            return Ok(());
        };
        let offset = u64::try_from(message.offset()).unwrap_or_default();
        let key_row = match &mut self.key {
            None => None,
            Some(key) => match key.decode(message, offset)? {
                Some(row) => row,
                // The key is bad, and not a failure.
                None => return Ok(()),
            },
        };
        let rows = self.value.decode_message(payload, offset)?;
        if let Some(key) = &mut self.key {
            key.rows.extend(std::iter::repeat_n(key_row, rows));
        }
        for column in &mut self.metadata {
            column.append(message, rows)?;
        }
        Ok(())
    }

    /// Takes what has been gathered.
    pub(super) fn take(&mut self) -> Result<Gathered> {
        let value = self.value.flush()?;
        let mut bad = self.value.take_bad_rows();
        let mut ignored = self.value.rows_ignored();
        let mut key_columns = Vec::new();
        if let Some(key) = &mut self.key {
            key_columns = key.flush()?;
            bad.extend(key.decoder.take_bad_rows());
            bad.sort_by_key(|row| row.position.offset);
            ignored += key.decoder.rows_ignored();
        }
        let metadata: Result<Vec<_>> = self.metadata.iter_mut().map(Column::finish).collect();
        let since = ignored.saturating_sub(self.ignored);
        self.ignored = ignored;
        Ok(Gathered {
            rows: self.layout.assemble(value, &key_columns, &metadata?)?,
            bad,
            ignored: since,
        })
    }
}

impl KeyGather {
    /// Decodes the message's key: the outer `None` if it is bad, the inner if there is none.
    fn decode(
        &mut self,
        message: &BorrowedMessage<'_>,
        offset: u64,
    ) -> Result<Option<Option<u32>>> {
        let Some(bytes) = message.key() else {
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
