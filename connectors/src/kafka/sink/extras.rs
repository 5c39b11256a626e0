//! Metadata that rows bring with them: a record's timestamp and headers.

use arrow::array::{Array, ArrayRef, AsArray, MapArray, RecordBatch, TimestampMillisecondArray};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Field, TimeUnit, TimestampMillisecondType};
use levada_engine::{EngineError, Result};
use rdkafka::message::{Header, OwnedHeaders};

use super::super::metadata::Metadata;
use crate::columns::MetadataKey as _;

/// Which columns become metadata.
#[derive(Debug, Default)]
pub(super) struct ExtraColumns {
    timestamp: Option<usize>,
    headers: Option<usize>,
}

/// The metadata of a batch.
#[derive(Debug, Default)]
pub(super) struct Extras {
    timestamps: Option<TimestampMillisecondArray>,
    headers: Option<MapArray>,
}

impl ExtraColumns {
    /// Column `index` is written as `metadata`.
    pub(super) fn add(&mut self, metadata: Metadata, index: usize, field: &Field) -> Result<()> {
        let (place, target) = match metadata {
            Metadata::Timestamp => (
                &mut self.timestamp,
                DataType::Timestamp(TimeUnit::Millisecond, None),
            ),
            _ => (&mut self.headers, metadata.data_type()),
        };
        if field.data_type() != &target && !can_cast_types(field.data_type(), &target) {
            return Err(EngineError::config(format!(
                "the column '{}' of type {} cannot be written as the metadata '{}'",
                field.name(),
                field.data_type(),
                metadata.key()
            )));
        }
        *place = Some(index);
        Ok(())
    }
}

impl Extras {
    /// Takes the columns of a batch.
    pub(super) fn take(&mut self, columns: &ExtraColumns, rows: &RecordBatch) -> Result<()> {
        let column = |index: Option<usize>| index.map(|i| rows.column(i));
        if let Some(column) = column(columns.timestamp) {
            let target = DataType::Timestamp(TimeUnit::Millisecond, None);
            let times: ArrayRef = cast(column, &target)?;
            self.timestamps = Some(times.as_primitive::<TimestampMillisecondType>().clone());
        }
        if let Some(column) = column(columns.headers) {
            let headers = cast(column, &Metadata::Headers.data_type())?;
            self.headers = Some(headers.as_map().clone());
        }
        Ok(())
    }

    /// The timestamp of a row in milliseconds; `None` lets the client take the time of sending.
    pub(super) fn timestamp(&self, row: usize) -> Result<Option<i64>> {
        let Some(times) = self.timestamps.as_ref().filter(|t| t.is_valid(row)) else {
            return Ok(None);
        };
        match times.value(row) {
            negative if negative < 0 => Err(EngineError::data(format!(
                "a record's timestamp is {negative} ms, before 1970, which Kafka cannot hold"
            ))),
            time => Ok(Some(time)),
        }
    }

    /// The headers of a row.
    pub(super) fn headers(&self, row: usize) -> Option<OwnedHeaders> {
        let map = self.headers.as_ref().filter(|map| map.is_valid(row))?;
        let entries = map.value(row);
        let keys = entries.column(0).as_string::<i32>();
        let values = entries.column(1).as_binary::<i32>();
        let mut headers = OwnedHeaders::new_with_capacity(entries.len());
        for index in 0..entries.len() {
            headers = headers.insert(Header {
                key: keys.value(index),
                value: values.is_valid(index).then(|| values.value(index)),
            });
        }
        Some(headers)
    }
}
