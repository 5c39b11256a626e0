//! A table that is read as a whole before the first question.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array as _, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_arrays};
use arrow::row::{RowConverter, SortField};
use async_trait::async_trait;
use hashbrown::HashMap;

use crate::connector::{Answer, Lookup, SourceContext, SourceEvent, SourceFactory};
use crate::element::rows_of;
use crate::error::{EngineError, Result};
use crate::key::canonical_floats;
use crate::memory::Share;

/// Answers from memory.
pub(super) struct Loaded {
    factory: Arc<dyn SourceFactory>,
    context: SourceContext,
    /// The columns of the key.
    keys: Vec<usize>,
    converter: RowConverter,
    reload_ms: Option<u64>,
    content: Mutex<Option<Arc<Content>>>,
    /// One load at a time.
    loading: tokio::sync::Mutex<()>,
    memory: Mutex<Share>,
}

struct Content {
    rows: RecordBatch,
    of_key: HashMap<Box<[u8]>, Vec<u32>>,
    loaded_ms: i64,
}

impl Loaded {
    /// For a table that `context` reads, whose key is these columns.
    pub(super) fn new(
        factory: Arc<dyn SourceFactory>,
        context: SourceContext,
        keys: Vec<usize>,
        reload_ms: Option<u64>,
        memory: Share,
    ) -> Result<Self> {
        let field = |key: &usize| SortField::new(context.schema.field(*key).data_type().clone());
        Ok(Loaded {
            converter: RowConverter::new(keys.iter().map(field).collect())?,
            factory,
            context,
            keys,
            reload_ms,
            content: Mutex::new(None),
            loading: tokio::sync::Mutex::new(()),
            memory: Mutex::new(memory),
        })
    }

    /// What is there, unless it is too old.
    fn current(&self) -> Option<Arc<Content>> {
        let content = self.content.lock();
        let content = content.unwrap_or_else(PoisonError::into_inner).clone()?;
        let age = self
            .context
            .clock
            .now_ms()
            .saturating_sub(content.loaded_ms);
        let old = self
            .reload_ms
            .is_some_and(|limit| age >= 0 && age as u64 >= limit);
        (!old).then_some(content)
    }

    /// What there is, loaded if need be.
    async fn content(&self) -> Result<Arc<Content>> {
        if let Some(content) = self.current() {
            return Ok(content);
        }
        let _turn = self.loading.lock().await;
        // Somebody else may have loaded it meanwhile.
        if let Some(content) = self.current() {
            return Ok(content);
        }
        let content = Arc::new(self.load().await?);
        let bytes = content.rows.get_array_memory_size() as u64;
        let keys = content.of_key.iter();
        let keys: u64 = keys
            .map(|(key, rows)| (key.len() + 4 * rows.len() + 64) as u64)
            .sum();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        // It cannot make room, but others learn what it holds.
        memory.hold(bytes + keys);
        let mut place = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Arc::clone(&content));
        Ok(content)
    }

    async fn load(&self) -> Result<Content> {
        let loaded_ms = self.context.clock.now_ms();
        let mut source = self.factory.create(self.context.clone())?;
        source.open().await?;
        let mut parts = Vec::new();
        loop {
            match source.next().await? {
                SourceEvent::Rows { batch, .. } if batch.kinds().is_some() => {
                    return Err(EngineError::config(
                        "a table whose rows change cannot be loaded for a join",
                    )
                    .with_hint("leave out 'lookup.cache' = 'FULL', and declare a PRIMARY KEY"));
                }
                SourceEvent::Rows { batch, .. } => parts.push(batch.into_parts().0),
                SourceEvent::End => break,
                SourceEvent::Bad { .. }
                | SourceEvent::SplitAdded(_)
                | SourceEvent::SplitFinished(_) => {}
            }
        }
        let rows = concat_batches(&self.context.schema, &parts)?;
        let keys: Vec<ArrayRef> = self
            .keys
            .iter()
            .map(|key| canonical_floats(rows.column(*key)))
            .collect();
        let encoded = self.converter.convert_columns(&keys)?;
        let mut of_key: HashMap<Box<[u8]>, Vec<u32>> = HashMap::new();
        for row in 0..rows.num_rows() {
            if keys.iter().any(|key| key.is_null(row)) {
                continue;
            }
            let key = encoded.row(row);
            match of_key.get_mut(key.as_ref()) {
                Some(rows) => rows.push(row as u32),
                None => {
                    of_key.insert(key.as_ref().into(), vec![row as u32]);
                }
            }
        }
        Ok(Content {
            rows,
            of_key,
            loaded_ms,
        })
    }
}

#[async_trait]
impl Lookup for Loaded {
    async fn open(&self) -> Result<()> {
        self.content().await.map(|_| ())
    }

    async fn ask(&self, keys: RecordBatch) -> Result<Answer> {
        let content = self.content().await?;
        let encoded = self.converter.convert_columns(keys.columns())?;
        let (mut of, mut places) = (Vec::new(), Vec::new());
        for key in 0..keys.num_rows() {
            let Some(rows) = content.of_key.get(encoded.row(key).as_ref()) else {
                continue;
            };
            of.extend(rows.iter().map(|_| key as u32));
            places.extend_from_slice(rows);
        }
        let columns = take_arrays(content.rows.columns(), &UInt32Array::from(places), None)?;
        Ok(Answer {
            rows: rows_of(&self.context.schema, columns, of.len())?,
            of,
        })
    }
}
