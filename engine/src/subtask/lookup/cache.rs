//! Answers that are kept for a while.
//!
//! Keys are in two generations: those that were asked for lately, and those before them. When the first has half
//! of what may be kept, it becomes the second, and that is forgotten; a key that is asked for again comes back
//! into the first. So what is forgotten was not asked for in a long time, at no cost for each question.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use hashbrown::HashMap;

use crate::connector::{Answer, PartialCache};
use crate::element::rows_of;
use crate::error::{EngineError, Result};
use crate::memory::Share;

/// The rows of a key, as bytes.
pub(super) type Encoded = Arc<[Box<[u8]>]>;

/// What an entry takes beside its bytes.
const ENTRY_BYTES: u64 = 96;

/// Answers by key.
pub(super) struct Cache {
    settings: PartialCache,
    rows: RowConverter,
    schema: SchemaRef,
    young: Generation,
    old: Generation,
    memory: Share,
}

#[derive(Default)]
struct Generation {
    entries: HashMap<Box<[u8]>, Entry>,
    /// Rows, of which a key without any counts as one.
    rows: u64,
    bytes: u64,
}

struct Entry {
    rows: Encoded,
    written_ms: i64,
    used_ms: i64,
}

impl Entry {
    fn rows(&self) -> u64 {
        (self.rows.len() as u64).max(1)
    }

    fn bytes(&self, key: &[u8]) -> u64 {
        let rows = self.rows.iter().map(|row| row.len() as u64 + 16);
        ENTRY_BYTES + key.len() as u64 + rows.sum::<u64>()
    }
}

impl Generation {
    fn put(&mut self, key: Box<[u8]>, entry: Entry) {
        self.remove(&key);
        self.rows += entry.rows();
        self.bytes += entry.bytes(&key);
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &[u8]) -> Option<(Box<[u8]>, Entry)> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.rows -= entry.rows();
        self.bytes -= entry.bytes(&key);
        Some((key, entry))
    }
}

impl Cache {
    /// An empty cache for rows of a table.
    pub(super) fn new(settings: PartialCache, schema: SchemaRef, memory: Share) -> Result<Self> {
        let fields = schema.fields().iter();
        let fields: Vec<SortField> = fields
            .map(|field| SortField::new(field.data_type().clone()))
            .collect();
        if !RowConverter::supports_fields(&fields) {
            return Err(EngineError::config(
                "a column of the table has a type that no cache keeps",
            )
            .with_hint("set 'lookup.cache' = 'NONE', or leave the column out of the query"));
        }
        Ok(Cache {
            settings,
            rows: RowConverter::new(fields)?,
            schema,
            young: Generation::default(),
            old: Generation::default(),
            memory,
        })
    }

    /// The rows of a key, if they are known and still count.
    pub(super) fn get(&mut self, key: &[u8], now_ms: i64) -> Option<Encoded> {
        let past = |since: i64, limit: Option<u64>| {
            limit.is_some_and(|limit| now_ms.saturating_sub(since) as u64 >= limit)
        };
        let settings = self.settings;
        let expired = |entry: &Entry| {
            past(entry.written_ms, settings.expire_after_write_ms)
                || past(entry.used_ms, settings.expire_after_access_ms)
        };
        if let Some(entry) = self.young.entries.get_mut(key) {
            if expired(entry) {
                self.young.remove(key);
                return None;
            }
            entry.used_ms = now_ms;
            return Some(Arc::clone(&entry.rows));
        }
        let (key, entry) = self.old.remove(key)?;
        if expired(&entry) {
            return None;
        }
        let rows = Arc::clone(&entry.rows);
        let used_ms = now_ms;
        self.put(key, Entry { used_ms, ..entry });
        Some(rows)
    }

    /// Keeps the answer to a question that was asked at a time.
    pub(super) fn keep(
        &mut self,
        keys: &[(u32, Box<[u8]>)],
        answer: &Answer,
        asked_ms: i64,
    ) -> Result<()> {
        let encoded = self.rows.convert_columns(answer.rows.columns())?;
        let mut by_key: Vec<Vec<Box<[u8]>>> = vec![Vec::new(); keys.len()];
        for (row, key) in answer.of.iter().enumerate() {
            if let Some(rows) = by_key.get_mut(*key as usize) {
                rows.push(encoded.row(row).as_ref().into());
            }
        }
        for ((_, key), rows) in keys.iter().zip(by_key) {
            if rows.is_empty() && !self.settings.missing_keys {
                continue;
            }
            self.old.remove(key);
            let entry = Entry {
                rows: rows.into(),
                written_ms: asked_ms,
                used_ms: asked_ms,
            };
            self.put(key.clone(), entry);
        }
        Ok(())
    }

    /// Rows that the cache has given, as columns.
    pub(super) fn decode<'r>(
        &self,
        rows: impl Iterator<Item = &'r Box<[u8]>>,
    ) -> Result<RecordBatch> {
        let parser = self.rows.parser();
        let parsed: Vec<_> = rows.map(|row| parser.parse(row)).collect();
        let count = parsed.len();
        let columns = self.rows.convert_rows(parsed)?;
        rows_of(&self.schema, columns, count)
    }

    fn put(&mut self, key: Box<[u8]>, entry: Entry) {
        let limit = self.settings.max_rows.map(|rows| (rows / 2).max(1));
        if limit.is_some_and(|limit| self.young.rows + entry.rows() > limit) {
            self.turn();
        }
        self.young.put(key, entry);
        if self.memory.hold(self.young.bytes + self.old.bytes) {
            self.turn();
            self.memory.hold(self.old.bytes);
        }
    }

    /// The next generation begins.
    fn turn(&mut self) {
        self.old = std::mem::take(&mut self.young);
    }
}
