//! Tables of upserts in batch mode: the last row of each key.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use levada_engine::element::Batch;
use levada_engine::error::EngineError;

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
        let whole = |rows: RecordBatch| {
            let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
            let columns = rows.columns().to_vec();
            RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
                .map_err(EngineError::from)
        };
        self.batches.into_iter().map(whole).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use levada_engine::element::RowKind;

    use super::*;

    fn schema(v_nullable: bool) -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("v", DataType::Utf8, v_nullable),
            Field::new("k", DataType::Int64, true),
        ]))
    }

    fn batch(rows: &[(RowKind, i64, Option<String>)]) -> Batch {
        let v: StringArray = rows.iter().map(|r| r.2.clone()).collect();
        let k = Int64Array::from_iter_values(rows.iter().map(|r| r.1));
        let columns = RecordBatch::try_new(schema(true), vec![Arc::new(v), Arc::new(k)]);
        let kinds = rows.iter().map(|r| r.0).collect();
        Batch::with_kinds(columns.unwrap(), kinds).unwrap()
    }

    /// Numbers below `limit` that look random.
    fn numbers(mut state: u64) -> impl FnMut(u64) -> u64 {
        move |limit| {
            state = xxhash_rust::xxh3::xxh3_64(&state.to_le_bytes());
            state % limit
        }
    }

    #[test]
    fn the_last_rows_are_those_of_a_map() {
        for seed in 0..20 {
            let mut random = numbers(seed);
            let mut last = LastRows::new(schema(false), &["k".to_string()]).unwrap();
            let mut model = std::collections::BTreeMap::new();
            for step in 0..30 {
                let mut rows = vec![];
                for row in 0..random(9) {
                    let key = random(6) as i64;
                    if random(3) == 0 {
                        rows.push((RowKind::Delete, key, None));
                        model.remove(&key);
                    } else {
                        let value = format!("{step}.{row}");
                        rows.push((RowKind::Insert, key, Some(value.clone())));
                        model.insert(key, value);
                    }
                }
                last.push(&batch(&rows)).unwrap();
            }
            let mut found = vec![];
            for rows in last.finish().unwrap() {
                assert_eq!(rows.schema(), schema(false));
                assert!(rows.num_rows() <= BATCH_ROWS);
                let v = rows.column(0).as_string::<i32>();
                let k = rows.column(1).as_primitive::<Int64Type>();
                let cells = k.iter().zip(v);
                found.extend(cells.map(|(k, v)| (k.unwrap(), v.unwrap().to_string())));
            }
            found.sort();
            let expected: Vec<(i64, String)> = model.into_iter().collect();
            assert_eq!(found, expected, "seed {seed}");
        }
    }
}
