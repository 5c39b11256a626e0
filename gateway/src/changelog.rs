//! A changelog, applied: the rows that it leaves.
//!
//! [`Materialized`] takes batches of `+I`, `-U`, `+U` and `-D` and keeps the rows that are there
//! after them, either as a multiset of whole rows or, where the changelog is an upsert one, by
//! key. Rows keep the place at which they first appeared, and an update takes the place of what
//! it replaces, so a table that is printed again and again does not jump.

use std::collections::hash_map::Entry as MapEntry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::row::{Row, RowConverter, Rows, SortField};
use levada_engine::EngineError;
use levada_engine::element::{Batch, RowKind};

use crate::error::Result;

#[cfg(test)]
mod tests;

/// How many rows come in one batch out of [`Materialized::batches`].
const CHUNK_ROWS: usize = 8192;

/// A row or a key in Arrow's row format: equal bytes are equal values.
type Encoded = Arc<[u8]>;

/// The rows that a changelog leaves.
#[derive(Debug)]
pub struct Materialized {
    schema: SchemaRef,
    rows: RowConverter,
    key: Option<Key>,
    /// By row, or by key if there is one.
    entries: HashMap<Encoded, Entry>,
    /// The rows by place.
    order: BTreeMap<u64, Encoded>,
    next_place: u64,
    /// The places of rows that an update-before has taken away, for the update-after to take.
    vacated: Vec<u64>,
    visible: usize,
}

#[derive(Debug)]
struct Key {
    columns: Vec<usize>,
    converter: RowConverter,
}

#[derive(Debug)]
struct Entry {
    /// How many such rows there are. Negative while a retraction has come before its row.
    count: i64,
    place: u64,
}

impl Materialized {
    /// No rows yet. With `key` columns, a row replaces the one that has its key.
    ///
    /// # Errors
    /// A column has a type that cannot be compared.
    pub fn new(schema: SchemaRef, key: Option<Vec<usize>>) -> Result<Self> {
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        let key = match key {
            Some(columns) => Some(Key {
                converter: converter(&schema, &columns)?,
                columns,
            }),
            None => None,
        };
        Ok(Materialized {
            rows: converter(&schema, &all)?,
            schema,
            key,
            entries: HashMap::new(),
            order: BTreeMap::new(),
            next_place: 0,
            vacated: Vec::new(),
            visible: 0,
        })
    }

    /// Applies the changes of a batch, in their order.
    ///
    /// # Errors
    /// The batch does not have the schema.
    pub fn apply(&mut self, batch: &Batch) -> Result<()> {
        let rows = encode(&self.rows, batch.rows().columns(), batch.num_rows())?;
        let keys = match &self.key {
            Some(key) => {
                let columns: Vec<ArrayRef> = key
                    .columns
                    .iter()
                    .map(|c| batch.column(*c).clone())
                    .collect();
                Some(encode(&key.converter, &columns, batch.num_rows())?)
            }
            None => None,
        };
        for index in 0..batch.num_rows() {
            let row = rows.row(index);
            match &keys {
                Some(keys) => self.upsert(batch.kind(index), keys.row(index), row),
                None => self.change(batch.kind(index), row),
            }
        }
        Ok(())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.visible
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.visible == 0
    }

    /// The schema of the rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// All rows, in their order, in batches.
    ///
    /// # Errors
    /// The changelog took away a row that it never gave.
    pub fn batches(&self) -> Result<impl Iterator<Item = Result<RecordBatch>> + '_> {
        if self.entries.values().any(|entry| entry.count < 0) {
            return Err(
                EngineError::internal("the result takes away a row that was never there").into(),
            );
        }
        let mut rows = self.visible_rows();
        Ok(std::iter::from_fn(move || {
            let chunk: Vec<&Encoded> = rows.by_ref().take(CHUNK_ROWS).collect();
            (!chunk.is_empty()).then(|| self.decode(&chunk))
        }))
    }

    /// The last `count` rows, in their order.
    ///
    /// # Errors
    /// None that input can cause.
    pub fn tail(&self, count: usize) -> Result<RecordBatch> {
        let skip = self.visible.saturating_sub(count);
        let all = self.order.values().rev().flat_map(|row| self.copies(row));
        let mut rows: Vec<&Encoded> = all.take(self.visible - skip).collect();
        rows.reverse();
        self.decode(&rows)
    }

    /// Lets go of the oldest rows until about `keep` are left, and says how many went. Only for
    /// changelogs of nothing but inserts: a change to a row that is gone would be an error.
    pub fn forget_oldest(&mut self, keep: usize) -> usize {
        let before = self.visible;
        while self.visible > keep {
            let Some((_, row)) = self.order.pop_first() else {
                break;
            };
            let count = self
                .entries
                .remove(&row)
                .map_or(1, |entry| positive(entry.count));
            self.visible = self.visible.saturating_sub(count);
        }
        before - self.visible
    }

    fn visible_rows(&self) -> impl Iterator<Item = &Encoded> {
        self.order.values().flat_map(|row| self.copies(row))
    }

    /// A row as often as it is there.
    fn copies<'a>(&self, row: &'a Encoded) -> impl Iterator<Item = &'a Encoded> {
        let count = match (&self.key, self.entries.get(row)) {
            (None, Some(entry)) => usize::try_from(entry.count).unwrap_or(0),
            _ => 1,
        };
        std::iter::repeat_n(row, count)
    }

    fn decode(&self, rows: &[&Encoded]) -> Result<RecordBatch> {
        if rows.is_empty() {
            return Ok(RecordBatch::new_empty(self.schema.clone()));
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let columns = match self.schema.fields().is_empty() {
            true => Vec::new(),
            false => {
                let parser = self.rows.parser();
                self.rows
                    .convert_rows(rows.iter().map(|row| parser.parse(row)))?
            }
        };
        Ok(RecordBatch::try_new_with_options(
            self.schema.clone(),
            columns,
            &options,
        )?)
    }

    /// A place for a row that appears: that of the row it updates, or one at the end.
    fn place(&mut self, kind: RowKind) -> u64 {
        if kind == RowKind::UpdateAfter
            && let Some(place) = self.vacated.pop()
        {
            return place;
        }
        self.next_place += 1;
        self.next_place
    }

    /// Changes the multiset of rows.
    fn change(&mut self, kind: RowKind, row: Row<'_>) {
        let bytes = row.data();
        if kind != RowKind::UpdateAfter {
            self.vacated.clear();
        }
        let before = self.entries.get(bytes).map_or(0, |entry| entry.count);
        let after = before + if kind.is_retraction() { -1 } else { 1 };
        self.visible = (self.visible + positive(after)) - positive(before);
        match (before > 0, after > 0) {
            (false, true) => {
                let place = self.place(kind);
                let row: Encoded = bytes.into();
                self.order.insert(place, row.clone());
                self.entries.insert(
                    row,
                    Entry {
                        count: after,
                        place,
                    },
                );
            }
            (true, false) => {
                if let Some(entry) = self.entries.remove(bytes) {
                    self.order.remove(&entry.place);
                    if kind == RowKind::UpdateBefore {
                        self.vacated.push(entry.place);
                    }
                }
            }
            _ => self.count(bytes, after),
        }
    }

    /// Notes how often a row is there that neither appears nor goes.
    fn count(&mut self, bytes: &[u8], count: i64) {
        match self.entries.entry(bytes.into()) {
            MapEntry::Occupied(entry) if count == 0 => drop(entry.remove()),
            MapEntry::Occupied(mut entry) => entry.get_mut().count = count,
            MapEntry::Vacant(entry) => drop(entry.insert(Entry { count, place: 0 })),
        }
    }

    /// Changes the row of a key. The old content does not matter, so `-U` says nothing.
    fn upsert(&mut self, kind: RowKind, key: Row<'_>, row: Row<'_>) {
        let key = key.data();
        match kind {
            RowKind::UpdateBefore => {}
            RowKind::Delete => {
                if let Some(entry) = self.entries.remove(key) {
                    self.order.remove(&entry.place);
                    self.visible -= 1;
                }
            }
            RowKind::Insert | RowKind::UpdateAfter => {
                let place = match self.entries.get(key) {
                    Some(entry) => entry.place,
                    None => {
                        let place = self.place(RowKind::Insert);
                        self.entries.insert(key.into(), Entry { count: 1, place });
                        self.visible += 1;
                        place
                    }
                };
                self.order.insert(place, row.data().into());
            }
        }
    }
}

fn positive(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}

fn converter(schema: &SchemaRef, columns: &[usize]) -> Result<RowConverter> {
    let fields = columns
        .iter()
        .filter_map(|c| schema.fields().get(*c))
        .map(|field| SortField::new(field.data_type().clone()))
        .collect();
    Ok(RowConverter::new(fields)?)
}

/// The rows of some columns; of no column, so many empty rows.
fn encode(converter: &RowConverter, columns: &[ArrayRef], rows: usize) -> Result<Rows> {
    if !columns.is_empty() {
        return Ok(converter.convert_columns(columns)?);
    }
    let mut empty = converter.empty_rows(rows, 0);
    let parser = converter.parser();
    (0..rows).for_each(|_| empty.push(parser.parse(&[])));
    Ok(empty)
}
