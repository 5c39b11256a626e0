//! A sink that keeps what is committed, for the test to read.
//!
//! It takes any changelog and commits in two phases, so that what it has holds each change exactly once,
//! however often its job is killed. Changes are counted by row: those of different subtasks may be
//! committed in any order.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use levada_engine::Result;
use levada_engine::connector::{
    ConnectorFactory, Sink, SinkContext, SinkFactory, SourceFactory, TableDescriptor,
};
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::graph::WireBytes;

use crate::{case, text};

/// Changes of rows by the committable that brought them.
type Commits = BTreeMap<String, Vec<(String, i64)>>;

/// What has been committed, by the option `path` of the table.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<HashMap<String, Commits>>>);

impl Kept {
    /// Takes the rows that the changes to a table leave, sorted; an error if one is there less than not
    /// at all.
    pub fn take(&self, path: &str) -> std::result::Result<Vec<String>, String> {
        let commits = self.0.lock().expect("no panic").remove(path);
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for (row, by) in commits
            .into_iter()
            .flat_map(BTreeMap::into_values)
            .flatten()
        {
            *counts.entry(row).or_default() += by;
        }
        let mut rows = Vec::new();
        for (row, count) in counts {
            let count =
                usize::try_from(count).map_err(|_| format!("{row} is there {count} times"))?;
            rows.extend(std::iter::repeat_n(row, count));
        }
        Ok(rows)
    }
}

impl ConnectorFactory for Kept {
    fn identifier(&self) -> &'static str {
        "kept"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        Err(levada_engine::EngineError::connector(format!(
            "{} can only be written",
            table.name
        )))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        Ok(Arc::new(KeptTable {
            kept: self.clone(),
            path: table.option("path").unwrap_or_default().to_string(),
        }))
    }
}

struct KeptTable {
    kept: Kept,
    path: String,
}

impl SinkFactory for KeptTable {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        Ok(match mode {
            ChangelogMode::Append => mode,
            ChangelogMode::Upsert | ChangelogMode::Retract => ChangelogMode::Retract,
        })
    }

    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(KeptSink {
            kept: self.kept.clone(),
            path: self.path.clone(),
            name: format!("{}-{}-{}", context.job, context.attempt, context.index),
            changes: Vec::new(),
        }))
    }
}

struct KeptSink {
    kept: Kept,
    path: String,
    name: String,
    changes: Vec<(String, i64)>,
}

#[async_trait]
impl Sink for KeptSink {
    async fn open(&mut self) -> Result<()> {
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        for (index, cells) in text::rows(batch.rows()).iter().enumerate() {
            let by = if batch.kind(index).is_retraction() {
                -1
            } else {
                1
            };
            self.changes.push((case::join(cells), by));
        }
        Ok(())
    }

    async fn prepare(&mut self, checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        let changes = std::mem::take(&mut self.changes);
        let prepared = (format!("{}-{checkpoint_id}", self.name), changes);
        let bytes = serde_json::to_vec(&prepared).expect("texts and numbers");
        Ok(vec![WireBytes(bytes)])
    }

    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        let mut kept = self.kept.0.lock().expect("no panic");
        let commits = kept.entry(self.path.clone()).or_default();
        for committable in committables {
            let (name, changes) = serde_json::from_slice(&committable.0).expect("its own");
            commits.insert(name, changes);
        }
        Ok(())
    }
}
