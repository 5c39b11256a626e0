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
use levada_gateway::{Outcome, Session};

use crate::{case, run, text};

/// What has been committed, by the option `path` of the table.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<HashMap<String, Committed>>>);

/// What has been committed to a table.
#[derive(Default)]
struct Committed {
    /// Changes of rows by the committable that brought them.
    changes: BTreeMap<String, Vec<(String, i64)>>,
    /// The last checkpoint that each subtask has committed.
    checkpoints: BTreeMap<u32, u64>,
    /// How many subtasks there are.
    sinks: usize,
}

impl Committed {
    fn rows(&self) -> std::result::Result<Vec<String>, String> {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for (row, by) in self.changes.values().flatten() {
            *counts.entry(row).or_default() += by;
        }
        let mut rows = Vec::new();
        for (row, count) in counts {
            let count =
                usize::try_from(count).map_err(|_| format!("{row} is there {count} times"))?;
            rows.extend(std::iter::repeat_n(row.to_string(), count));
        }
        Ok(rows)
    }
}

impl Kept {
    /// Takes the rows that the changes to a table leave, sorted; an error if one is there less than not
    /// at all.
    pub fn take(&self, path: &str) -> std::result::Result<Vec<String>, String> {
        let committed = self.0.lock().expect("no panic").remove(path);
        committed.unwrap_or_default().rows()
    }

    /// The rows that the changes up to now leave, as [`Kept::take`] gives them.
    pub fn rows(&self, path: &str) -> std::result::Result<Vec<String>, String> {
        let tables = self.0.lock().expect("no panic");
        tables.get(path).map_or(Ok(Vec::new()), Committed::rows)
    }

    /// How many changes have been committed to a table.
    pub fn changes(&self, path: &str) -> usize {
        let tables = self.0.lock().expect("no panic");
        let committed = tables.get(path);
        committed.map_or(0, |committed| {
            committed.changes.values().map(Vec::len).sum()
        })
    }

    /// The last checkpoint that all subtasks have committed.
    pub fn checkpoint(&self, path: &str) -> Option<u64> {
        let tables = self.0.lock().expect("no panic");
        let committed = tables.get(path)?;
        let all = committed.checkpoints.len() >= committed.sinks;
        let last = committed.checkpoints.values().min().copied();
        last.filter(|_| all)
    }
}

/// Creates a table of this connector with the columns of a query, and says which they are.
pub async fn create(
    session: &mut Session,
    query: &str,
    path: &str,
) -> std::result::Result<Vec<String>, String> {
    run::execute(session, &format!("CREATE VIEW `the query` AS {query}")).await?;
    let columns = match session.execute("DESCRIBE `the query`").await {
        Ok(Outcome::Table(columns)) => text::rows(&columns),
        Ok(other) => return Err(format!("not described: {other:?}")),
        Err(error) => return Err(error.render(query)),
    };
    // DDL has no unsigned types.
    let list: Vec<String> = columns
        .iter()
        .map(|column| format!("`{}` {}", column[0], column[1].replace(" UNSIGNED", "")))
        .collect();
    let table = format!(
        "CREATE TABLE `the rows` ({}) WITH ('connector' = 'kept', 'path' = '{path}')",
        list.join(", ")
    );
    run::execute(session, &table).await?;
    Ok(columns.into_iter().map(|mut c| c.swap_remove(0)).collect())
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
        let mut tables = self.kept.0.lock().expect("no panic");
        let committed = tables.entry(self.path.clone()).or_default();
        committed.sinks = context.parallelism as usize;
        committed.checkpoints.remove(&context.index);
        Ok(Box::new(KeptSink {
            kept: self.kept.clone(),
            path: self.path.clone(),
            index: context.index,
            name: format!("{}-{}-{}", context.job, context.attempt, context.index),
            changes: Vec::new(),
        }))
    }
}

struct KeptSink {
    kept: Kept,
    path: String,
    index: u32,
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
        let prepared = (
            format!("{}-{checkpoint_id}", self.name),
            checkpoint_id,
            changes,
        );
        let bytes = serde_json::to_vec(&prepared).expect("texts and numbers");
        Ok(vec![WireBytes(bytes)])
    }

    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        let mut kept = self.kept.0.lock().expect("no panic");
        let committed = kept.entry(self.path.clone()).or_default();
        for committable in committables {
            let (name, checkpoint, changes): (_, u64, _) =
                serde_json::from_slice(&committable.0).expect("its own");
            committed.changes.insert(name, changes);
            let last = committed.checkpoints.entry(self.index).or_default();
            *last = checkpoint.max(*last);
        }
        Ok(())
    }
}
