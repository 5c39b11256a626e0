//! What the engine asks of a connector: tables described by options, sources that can be replayed,
//! sinks that commit with a checkpoint.
//!
//! The engine owns these traits because it calls them; the connectors crate implements them; the
//! planner sees only [`ConnectorRegistry`] and what a factory says about a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::element::{Batch, ChangelogMode};
use crate::error::{EngineError, Result};
use crate::failpoint::Failpoints;
use crate::graph::{JobId, WireBytes, WireSchema};
use crate::metrics::SubtaskMetrics;
use crate::time::Clock;

mod lookup;

pub use lookup::{Answer, Lookup, LookupCache, LookupContext, PartialCache};

/// A table as its connector needs to know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableDescriptor {
    /// For messages.
    pub name: String,
    /// The `connector` option.
    pub connector: String,
    /// The physical and metadata columns in the order of the declaration (computed columns are
    /// not the connector's business).
    pub schema: WireSchema,
    /// Metadata columns by name: the key that the connector knows them by.
    pub metadata: BTreeMap<String, String>,
    /// Primary key columns, by name.
    pub primary_key: Vec<String>,
    /// PARTITIONED BY columns, by name.
    pub partitioned_by: Vec<String>,
    /// The WITH options, without those that the engine itself understands
    /// (see [`TableDescriptor::is_engine_option`]).
    pub options: BTreeMap<String, String>,
}

impl TableDescriptor {
    /// The value of an option.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.get(key).map(String::as_str)
    }

    /// Whether a WITH option belongs to the engine and planner, not to the connector.
    pub fn is_engine_option(key: &str) -> bool {
        matches!(
            key,
            "connector"
                | "scan.watermark.idle-timeout"
                | "scan.watermark.alignment.max-drift"
                | "scan.parallelism"
                | "sink.parallelism"
                | "late-rows.table"
                | "bad-rows.table"
        )
    }
}

/// Whether a source ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Boundedness {
    /// It ends.
    Bounded,
    /// It goes on for ever.
    Unbounded,
}

/// A connector: turns table descriptions into sources and sinks.
pub trait ConnectorFactory: Send + Sync {
    /// The value of the `connector` option.
    fn identifier(&self) -> &'static str;

    /// Parses the options of a table that is read, once; an unknown, missing or wrong option is an
    /// error that names it. Touches no external system.
    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>>;

    /// Parses the options of a table that is written, once. Touches no external system.
    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>>;

    /// The metadata keys that a table of this connector can read, with their types.
    fn metadata(&self, table: &TableDescriptor) -> Result<Vec<(String, DataType)>> {
        let _ = table;
        Ok(Vec::new())
    }
}

/// A table that can be read.
pub trait SourceFactory: Send + Sync {
    /// Whether it ends by itself.
    fn boundedness(&self) -> Boundedness;

    /// How many rows it has, if that is known without a look at them.
    fn rows(&self) -> Option<u64> {
        None
    }

    /// The kinds of rows that it delivers. Of [`ChangelogMode::Upsert`] those of a key come in order; an
    /// insert or update-after replaces the row of its PRIMARY KEY and a delete takes it away, whether
    /// there was one or not, and all but the key may be NULL in a delete.
    fn mode(&self) -> ChangelogMode {
        ChangelogMode::Append
    }

    /// A source for one subtask, which delivers rows of exactly `context.schema`.
    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>>;

    /// Whether the table is asked by key where a query joins `FOR SYSTEM_TIME AS OF` processing time, and how
    /// its answers are kept; `None` if it can only be read.
    fn lookup(&self) -> Option<LookupCache> {
        None
    }

    /// Whoever asks the table by key for one subtask. Never called of a table that is loaded as a whole
    /// ([`LookupCache::Full`]), which is read.
    fn create_lookup(&self, context: LookupContext) -> Result<Arc<dyn Lookup>> {
        let _ = context;
        Err(EngineError::internal("the table cannot be asked by key"))
    }
}

/// What a source is created with.
#[derive(Clone)]
pub struct SourceContext {
    /// The job, for client ids and logs.
    pub job: JobId,
    /// The columns to deliver: a subset of the table's columns, nested fields pruned.
    pub schema: SchemaRef,
    /// Which subtask this is.
    pub index: u32,
    /// How many subtasks read the table.
    pub parallelism: u32,
    /// The most rows in one batch.
    pub batch_rows: usize,
    /// Whether undecodable rows are delivered as [`SourceEvent::Bad`] instead of failing.
    pub divert_bad: bool,
    /// The positions of **all** subtasks from a checkpoint; `None` on a fresh start. A source
    /// takes those of the splits that are its own, and starts splits that are not among them from
    /// their beginning.
    pub restored: Option<Arc<Vec<SplitState>>>,
    /// Processing time.
    pub clock: Arc<dyn Clock>,
    /// Counters of this subtask.
    pub metrics: Arc<SubtaskMetrics>,
}

/// The position of a source within one of its splits (a Kafka partition, a file, a range).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitState {
    /// Names the split, stable over restarts.
    pub split: String,
    /// The next thing to read, in the connector's own encoding.
    pub position: WireBytes,
    /// The split's watermark; the engine fills it in.
    pub watermark: Option<i64>,
    /// Whether the split has been read to its end.
    pub finished: bool,
}

/// Reads the splits of one subtask.
///
/// Runs on a thread of its own, so reading and decoding may block it; waiting for input should
/// be asynchronous, so that barriers pass meanwhile.
#[async_trait]
pub trait Source: Send {
    /// Connects and finds the splits of this subtask. Returns their names: these hold the
    /// watermark back from the start. An external system that does not answer should be retried
    /// within; the error is for what cannot get better.
    async fn open(&mut self) -> Result<Vec<String>>;

    /// The next event. Must be cancel-safe: a dropped call loses nothing. After
    /// [`SourceEvent::End`] it is not called again.
    async fn next(&mut self) -> Result<SourceEvent>;

    /// The positions behind everything that [`Source::next`] has returned.
    fn positions(&self) -> Result<Vec<SplitState>>;

    /// The positions for a checkpoint, which [`Source::checkpoint_complete`] will name if it becomes
    /// complete. Another may begin before that, and one that is given up is never heard of again.
    fn checkpoint(&mut self, checkpoint_id: u64) -> Result<Vec<SplitState>> {
        let _ = checkpoint_id;
        self.positions()
    }

    /// Stops or resumes reading of a split that has run ahead of the others.
    fn set_paused(&mut self, split: &str, paused: bool) {
        let _ = (split, paused);
    }

    /// The checkpoint with the positions of an earlier [`Source::checkpoint`] is complete.
    async fn checkpoint_complete(&mut self, checkpoint_id: u64) -> Result<()> {
        let _ = checkpoint_id;
        Ok(())
    }
}

/// What a source has to say.
#[derive(Debug)]
pub enum SourceEvent {
    /// Rows of one split, in its order.
    Rows {
        /// The split.
        split: Arc<str>,
        /// The rows, in the schema that was asked for.
        batch: Batch,
    },
    /// Rows of one split that could not be decoded, in [`crate::graph::bad_rows_schema`].
    Bad {
        /// The rows.
        rows: RecordBatch,
    },
    /// A split that was not there at [`Source::open`].
    SplitAdded(Arc<str>),
    /// A split has been read to its end.
    SplitFinished(Arc<str>),
    /// Nothing more will come.
    End,
}

/// A table that can be written.
pub trait SinkFactory: Send + Sync {
    /// Checks that the sink can take this kind of stream, and says what the changelog must look
    /// like; an error explains why it cannot (an append-only sink behind an updating query).
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode>;

    /// A sink for one subtask.
    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>>;

    /// Sinks whose rows, once they are committed, take the place of those that the table has, or, if it has partitions,
    /// of those in the partitions that get rows. `constants` is a row with the columns that have one value for all
    /// rows: the partition that they name is replaced even if no row comes. `None` if that cannot be done.
    fn overwriting(&self, constants: &RecordBatch) -> Result<Option<Arc<dyn SinkFactory>>> {
        let _ = constants;
        Ok(None)
    }
}

/// What a sink is created with.
#[derive(Clone)]
pub struct SinkContext {
    /// The job, for names of files and transactions.
    pub job: JobId,
    /// The operator's uid: with the job it names this sink for ever.
    pub operator: String,
    /// Which run of the job this is; names of uncommitted things contain it.
    pub attempt: u32,
    /// Prepared output of an earlier run that [`Sink::commit`] will get right after
    /// [`Sink::open`]: a sink that cleans up after earlier runs spares it.
    pub restored: Arc<Vec<WireBytes>>,
    /// Whether barriers come by themselves: checkpoints are periodic, or the input ends. Without, a
    /// sink that waits for one waits until somebody stops the job.
    pub barriers_come: bool,
    /// The schema of the rows.
    pub schema: SchemaRef,
    /// Which subtask this is.
    pub index: u32,
    /// How many subtasks write the table.
    pub parallelism: u32,
    /// Processing time.
    pub clock: Arc<dyn Clock>,
    /// Counters of this subtask.
    pub metrics: Arc<SubtaskMetrics>,
    /// For points within a commit.
    pub failpoints: Failpoints,
}

/// Writes the rows of one subtask.
///
/// Exactly once works by two-phase commit: [`Sink::prepare`] at a barrier makes everything before
/// it durable but invisible and describes it by committables, which travel in the checkpoint;
/// [`Sink::commit`] makes them visible when the checkpoint is complete, and again after a restart,
/// so it must be idempotent. An at-least-once sink flushes in `prepare` and has no committables.
#[async_trait]
pub trait Sink: Send {
    /// Connects.
    async fn open(&mut self) -> Result<()>;

    /// Takes rows.
    async fn write(&mut self, batch: &Batch) -> Result<()>;

    /// Lets buffered rows go when no input is waiting; called whenever the input runs dry.
    async fn idle(&mut self) -> Result<()> {
        Ok(())
    }

    /// A barrier: everything written before it becomes durable.
    async fn prepare(&mut self, checkpoint_id: u64) -> Result<Vec<WireBytes>>;

    /// Makes prepared output visible. Idempotent; also called with restored committables, in the
    /// order in which they were prepared, before the first write.
    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        let _ = committables;
        Ok(())
    }

    /// Whether rows may be written again of which no [`Sink::prepare`] has returned yet, and `prepare`
    /// only flushes: true of idempotent and at-least-once sinks. A checkpoint need not wait for such a
    /// sink; it can take the rows along, to be written after a restart. `prepare` then also comes
    /// between checkpoints.
    fn takes_rows_twice(&self) -> bool {
        false
    }

    /// The bytes of rows that wait in memory for the next checkpoint. When they are many it comes before its time.
    fn held_bytes(&self) -> usize {
        0
    }

    /// When [`Sink::write`] or [`Sink::idle`] wants to be called again without input, in
    /// milliseconds of the clock (rolling by age, flush intervals).
    fn deadline_ms(&self) -> Option<i64> {
        None
    }
}

/// The connectors of a process, by identifier.
#[derive(Clone, Default)]
pub struct ConnectorRegistry {
    factories: BTreeMap<&'static str, Arc<dyn ConnectorFactory>>,
}

impl ConnectorRegistry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector, replacing one with the same identifier.
    pub fn register(&mut self, factory: Arc<dyn ConnectorFactory>) {
        self.factories.insert(factory.identifier(), factory);
    }

    /// All identifiers, sorted.
    pub fn identifiers(&self) -> Vec<&'static str> {
        self.factories.keys().copied().collect()
    }

    /// The connector of a table, by its `connector` option.
    pub fn of_table(&self, table: &TableDescriptor) -> Result<&Arc<dyn ConnectorFactory>> {
        let connector = table.connector.as_str();
        self.factories.get(connector).ok_or_else(|| {
            EngineError::config(format!(
                "table '{}': unknown connector '{connector}'",
                table.name
            ))
            .with_hint(format!(
                "the connectors are: {}",
                self.identifiers().join(", ")
            ))
        })
    }
}

impl std::fmt::Debug for ConnectorRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.factories.keys()).finish()
    }
}
