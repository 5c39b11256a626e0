//! Tables of upserts in batch mode: the last row of each key.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use levada_engine::element::{Batch, rows_of};
use levada_engine::error::EngineError;

#[cfg(test)]
mod tests;

/// Rows that nothing refers to any more are dropped when there are more of them than of the others, and
/// at least so many.
const SPARE_ROWS: usize = if cfg!(test) { 2 } else { 1 << 16 };
/// The most rows in a batch that is given out.
const BATCH_ROWS: usize = if cfg!(test) { 2 } else { 8192 };

/// Where a row is: batch and row.
type Place = (usize, usize);

/// The last row of each key so far.
pub(super) struct LastRows {
    /// The columns as the table declares them.
    schema: SchemaRef,
    /// The columns of the key.
    keys: Vec<usize>,
    converter: RowConverter,
    places: HashMap<Box<[u8]>, Place>,
    batches: Vec<RecordBatch>,
    /// How many rows the batches have.
    rows: usize,
}

impl LastRows {
    /// Of rows with these columns, by the columns of these names.
    pub(super) fn new(schema: SchemaRef, keys: &[String]) -> Result<Self, EngineError> {
        let place = |name: &String| {
            let found = schema.index_of(name);
            found.map_err(|_| EngineError::internal(format!("the key '{name}' is not read")))
        };
        let keys: Vec<usize> = keys.iter().map(place).collect::<Result<_, _>>()?;
        let fields = keys.iter().map(|k| schema.field(*k).data_type().clone());
        let converter = RowConverter::new(fields.map(SortField::new).collect())?;
        Ok(LastRows {
            schema,
            keys,
            converter,
            places: HashMap::new(),
            batches: Vec::new(),
            rows: 0,
        })
    }

    /// Takes rows behind those so far.
    pub(super) fn push(&mut self, batch: &Batch) -> Result<(), EngineError> {
        let rows = batch.rows();
        let keys: Vec<ArrayRef> = self.keys.iter().map(|k| rows.column(*k).clone()).collect();
        let keys = self.converter.convert_columns(&keys)?;
        let at = self.batches.len();
        for (row, key) in keys.iter().enumerate() {
            let key = key.as_ref();
            if batch.kind(row).is_retraction() {
                self.places.remove(key);
            } else if let Some(place) = self.places.get_mut(key) {
                *place = (at, row);
            } else {
                self.places.insert(key.into(), (at, row));
            }
        }
        self.rows += rows.num_rows();
        self.batches.push(rows.clone());
        if self.rows > self.places.len() * 2 + SPARE_ROWS {
            self.compact()?;
        }
        Ok(())
    }

    /// Keeps nothing but the rows that count.
    fn compact(&mut self) -> Result<(), EngineError> {
        let mut places: Vec<&mut Place> = self.places.values_mut().collect();
        places.sort_unstable();
        let mut batches = Vec::new();
        for chunk in places.chunks_mut(BATCH_ROWS) {
            let picks: Vec<Place> = chunk.iter().map(|place| **place).collect();
            let from: Vec<&RecordBatch> = self.batches.iter().collect();
            let rows = interleave_record_batch(&from, &picks)?;
            for (row, place) in chunk.iter_mut().enumerate() {
                **place = (batches.len(), row);
            }
            batches.push(rows);
        }
        self.batches = batches;
        self.rows = self.places.len();
        Ok(())
    }

    /// The rows that are left.
    pub(super) fn finish(mut self) -> Result<Vec<RecordBatch>, EngineError> {
        self.compact()?;
        let whole =
            |rows: RecordBatch| rows_of(&self.schema, rows.columns().to_vec(), rows.num_rows());
        self.batches.into_iter().map(whole).collect()
    }
}
