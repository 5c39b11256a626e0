//! The connector that reads a history: as a stream of changes that stops where it is told to, or, with the option
//! `until`, as the table with the rows that are there in front of that change.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use levada_engine::connector::{
    Boundedness, ConnectorFactory, SinkFactory, Source, SourceContext, SourceEvent, SourceFactory,
    SplitState, TableDescriptor,
};
use levada_engine::element::{Batch, ChangelogMode, RowKind, rows_of};
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use tokio::sync::watch;

use super::changes::{Changes, TableChanges};

/// The feeds of a process, by the option `feed` of a table.
#[derive(Clone, Default)]
pub struct Feeds(Arc<Mutex<HashMap<String, Arc<Feed>>>>);

impl Feeds {
    /// Adds a feed, which delivers nothing until it is released, and one of its changes never.
    pub fn add(
        &self,
        name: &str,
        changes: &Arc<Changes>,
        mode: ChangelogMode,
        lost: Option<u64>,
    ) -> Arc<Feed> {
        let feed = Arc::new(Feed {
            changes: Arc::clone(changes),
            mode,
            lost,
            limit: watch::Sender::new(0),
            readers: Mutex::default(),
            given: AtomicU64::new(0),
        });
        let mut feeds = self.0.lock().expect("no panic");
        feeds.insert(name.to_string(), Arc::clone(&feed));
        feed
    }
}

/// A history that one job reads.
pub struct Feed {
    changes: Arc<Changes>,
    mode: ChangelogMode,
    /// The number of the change that streams are not told.
    lost: Option<u64>,
    /// The number of the first change that is held back.
    limit: watch::Sender<u64>,
    readers: Mutex<Readers>,
    given: AtomicU64,
}

/// The sources of a job.
#[derive(Default)]
struct Readers {
    created: u64,
    /// Those that are there.
    there: BTreeSet<u64>,
    /// By limit and checkpoint: for whom everything up to the limit was in front of the barrier.
    arrived: BTreeMap<(u64, u64), BTreeSet<u64>>,
}

impl Feed {
    /// Lets all changes in front of a number go.
    pub fn release(&self, limit: u64) {
        self.limit.send_replace(limit);
    }

    /// The first checkpoint that has everything in front of the limit, and nothing behind it.
    pub fn checkpoint_at(&self, limit: u64) -> Option<u64> {
        let readers = self.readers.lock().expect("no panic");
        let mut all = readers.arrived.range((limit, 0)..=(limit, u64::MAX));
        let found = all.find(|(_, who)| who.is_superset(&readers.there));
        found.map(|((_, checkpoint), _)| *checkpoint)
    }

    /// How many rows have gone.
    pub fn given(&self) -> u64 {
        self.given.load(Ordering::Relaxed)
    }

    fn arrived(&self, reader: u64, checkpoint: u64, limit: u64) {
        let mut readers = self.readers.lock().expect("no panic");
        let who = readers.arrived.entry((limit, checkpoint)).or_default();
        who.insert(reader);
    }
}

impl ConnectorFactory for Feeds {
    fn identifier(&self) -> &'static str {
        "changes"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let name = table.option("feed").unwrap_or_default();
        let feed = self.0.lock().expect("no panic").get(name).cloned();
        let feed = feed.ok_or_else(|| EngineError::connector(format!("no feed '{name}'")))?;
        let until = table.option("until").map(str::parse::<u64>).transpose();
        let until = until.map_err(|_| EngineError::connector("'until' is a number"))?;
        let changes = feed.changes.tables.get(table.name.as_str()).cloned();
        Ok(Arc::new(FeedTable {
            changes: changes.ok_or_else(|| EngineError::connector("not a table of TPC-H"))?,
            feed,
            schema: Arc::clone(&table.schema.0),
            key: table.primary_key.clone(),
            until,
        }))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        let name = &table.name;
        Err(EngineError::connector(format!("{name} can only be read")))
    }
}

struct FeedTable {
    feed: Arc<Feed>,
    changes: Arc<TableChanges>,
    schema: SchemaRef,
    key: Vec<String>,
    until: Option<u64>,
}

impl SourceFactory for FeedTable {
    fn boundedness(&self) -> Boundedness {
        match self.until {
            Some(_) => Boundedness::Bounded,
            None => Boundedness::Unbounded,
        }
    }

    fn mode(&self) -> ChangelogMode {
        match self.until {
            Some(_) => ChangelogMode::Append,
            None => self.feed.mode,
        }
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let reader = Reader {
            changes: Arc::clone(&self.changes),
            columns: context
                .schema
                .fields()
                .iter()
                .map(|field| self.schema.index_of(field.name()))
                .collect::<std::result::Result<_, _>>()
                .map_err(|e| EngineError::connector(e.to_string()))?,
            key: self.key.clone(),
            schema: Arc::clone(&context.schema),
        };
        if let Some(until) = self.until {
            let rows = match context.index {
                0 => self.changes.rows_at(until),
                _ => Vec::new(),
            };
            return Ok(Box::new(Snapshot { reader, rows }));
        }
        let mut readers = self.feed.readers.lock().expect("no panic");
        let number = readers.created;
        readers.created += 1;
        readers.there.insert(number);
        Ok(Box::new(Stream {
            feed: Arc::clone(&self.feed),
            limit: self.feed.limit.subscribe(),
            reader,
            number,
            splits: splits(&self.changes, &self.feed, &context)?,
            batch_rows: context.batch_rows,
        }))
    }
}

/// Makes batches of the rows of a table.
struct Reader {
    changes: Arc<TableChanges>,
    columns: Vec<usize>,
    key: Vec<String>,
    schema: SchemaRef,
}

impl Reader {
    fn batch(&self, rows: &[u32], upsert: bool) -> Result<Batch> {
        let wrong = |e: arrow::error::ArrowError| EngineError::connector(e.to_string());
        let kinds: Vec<RowKind> = rows
            .iter()
            .map(|row| self.changes.kinds[*row as usize])
            .collect();
        let all = UInt32Array::from(rows.to_vec());
        // Of a key that goes, nothing else need be known.
        let told = rows.iter().zip(&kinds);
        let told: UInt32Array = told
            .map(|(row, kind)| (!upsert || *kind != RowKind::Delete).then_some(*row))
            .collect();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (column, field) in self.columns.iter().zip(self.schema.fields()) {
            let indices = match self.key.contains(field.name()) {
                true => &all,
                false => &told,
            };
            let texts = take(&self.changes.columns[*column], indices, None).map_err(wrong)?;
            let typed = cast(&texts, field.data_type()).map_err(wrong)?;
            if typed.null_count() != texts.null_count() {
                let name = field.name();
                return Err(EngineError::connector(format!("a cell of {name}")));
            }
            columns.push(typed);
        }
        Batch::with_kinds(rows_of(&self.schema, columns, rows.len())?, kinds)
    }
}

/// The rows that are there at a moment.
struct Snapshot {
    reader: Reader,
    rows: Vec<u32>,
}

#[async_trait]
impl Source for Snapshot {
    async fn open(&mut self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(SourceEvent::End);
        }
        let (batch, _) = self.reader.batch(&rows, false)?.into_parts();
        Ok(SourceEvent::Rows {
            split: "all".into(),
            batch: Batch::inserts(batch),
        })
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        Ok(Vec::new())
    }
}

/// Every n-th key of a table.
struct Split {
    name: Arc<str>,
    /// Its rows in the history.
    rows: Vec<u32>,
    /// How many of them have gone.
    gone: usize,
}

/// The splits of a subtask: of a fresh job one, of a restored one those that it had.
fn splits(changes: &TableChanges, feed: &Feed, context: &SourceContext) -> Result<Vec<Split>> {
    let own = |residue: usize, stride: usize, gone: usize| {
        let told = |row: &usize| {
            let told =
                feed.mode == ChangelogMode::Retract || changes.kinds[*row] != RowKind::UpdateBefore;
            let lost = feed.lost == Some(changes.numbers[*row]);
            changes.keys[*row] % stride == residue && told && !lost
        };
        let rows = (0..changes.kinds.len()).filter(told);
        Split {
            name: format!("{residue}/{stride}").into(),
            rows: rows
                .map(|row| u32::try_from(row).expect("a small table"))
                .collect(),
            gone,
        }
    };
    let (index, parallelism) = (context.index as usize, context.parallelism as usize);
    let Some(restored) = &context.restored else {
        return Ok(vec![own(index, parallelism, 0)]);
    };
    let mut splits = Vec::new();
    for state in restored.iter() {
        let parse = || {
            let (residue, stride) = state.split.split_once('/')?;
            let gone = std::str::from_utf8(&state.position.0).ok()?;
            Some((
                residue.parse().ok()?,
                stride.parse().ok()?,
                gone.parse().ok()?,
            ))
        };
        let (residue, stride, gone): (usize, usize, usize) =
            parse().ok_or_else(|| EngineError::checkpoint("not a position of a feed"))?;
        if residue % parallelism == index {
            splits.push(own(residue, stride, gone));
        }
    }
    Ok(splits)
}

/// The changes as they are released.
struct Stream {
    feed: Arc<Feed>,
    limit: watch::Receiver<u64>,
    reader: Reader,
    number: u64,
    splits: Vec<Split>,
    batch_rows: usize,
}

impl Stream {
    /// How many rows of a split can go, as many as fit into a batch.
    fn due(&self, split: &Split, limit: u64) -> usize {
        let rows = split.rows[split.gone..].iter().take(self.batch_rows);
        rows.take_while(|row| self.reader.changes.numbers[**row as usize] < limit)
            .count()
    }
}

#[async_trait]
impl Source for Stream {
    async fn open(&mut self) -> Result<Vec<String>> {
        let names = self.splits.iter().map(|split| split.name.to_string());
        Ok(names.collect())
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        loop {
            let limit = *self.limit.borrow_and_update();
            for at in 0..self.splits.len() {
                let split = &self.splits[at];
                let due = self.due(split, limit);
                if due > 0 {
                    let rows = &split.rows[split.gone..split.gone + due];
                    let upsert = self.feed.mode == ChangelogMode::Upsert;
                    let batch = self.reader.batch(rows, upsert)?;
                    let split = Arc::clone(&split.name);
                    self.splits[at].gone += due;
                    self.feed.given.fetch_add(due as u64, Ordering::Relaxed);
                    return Ok(SourceEvent::Rows { split, batch });
                }
            }
            if self.limit.changed().await.is_err() {
                return Ok(SourceEvent::End);
            }
        }
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        let position = |split: &Split| SplitState {
            split: split.name.to_string(),
            position: WireBytes(split.gone.to_string().into_bytes()),
            watermark: None,
            finished: false,
        };
        Ok(self.splits.iter().map(position).collect())
    }

    fn checkpoint(&mut self, checkpoint_id: u64) -> Result<Vec<SplitState>> {
        let limit = *self.limit.borrow();
        if self.splits.iter().all(|split| self.due(split, limit) == 0) {
            self.feed.arrived(self.number, checkpoint_id, limit);
        }
        self.positions()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut readers = self.feed.readers.lock().expect("no panic");
        readers.there.remove(&self.number);
    }
}
