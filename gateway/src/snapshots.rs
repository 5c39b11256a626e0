//! Materialized views as tables: what the newest checkpoint of their job has.
//!
//! ```text
//!   statement ──▶ the view's job ──▶ its newest checkpoint ──▶ groups of rows, counted ──▶ rows
//! ```
//!
//! All that one statement reads of a view is of one checkpoint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{Int64Type, SchemaRef};
use async_trait::async_trait;
use levada_engine::EngineError;
use levada_engine::client::{JobClient, JobStatus};
use levada_engine::connector::{
    Boundedness, ConnectorFactory, SinkFactory, Source, SourceContext, SourceEvent, SourceFactory,
    SplitState, TableDescriptor,
};
use levada_engine::element::Batch;
use levada_engine::graph::{JobId, MaterializedView};
use levada_engine::key::KeyGroupRange;
use levada_engine::operator::inspect::StateTable;
use levada_engine::state::Restored;
use levada_planner::materialized::{CONNECTOR, JOB};
use tokio::sync::{OnceCell, mpsc};

use crate::inspect;

/// How long a view may have no checkpoint before that is an error.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often its job is asked.
const PAUSE: Duration = Duration::from_millis(20);
/// Batches that wait between a reader and its query.
const WAITING_BATCHES: usize = 2;
/// The most rows in a batch.
const BATCH_ROWS: usize = 8192;

type Result<T, E = EngineError> = std::result::Result<T, E>;

/// The checkpoints that a statement reads.
#[derive(Default)]
pub(crate) struct Snapshots {
    client: Mutex<Option<Arc<dyn JobClient>>>,
    opened: Mutex<HashMap<String, Arc<OnceCell<Arc<Snapshot>>>>>,
}

/// The rows of a view at one moment.
struct Snapshot {
    view: MaterializedView,
    /// `None` if there are none.
    rows: Option<(Arc<Restored>, StateTable)>,
    max_parallelism: u32,
}

impl Snapshots {
    /// A new statement begins, and with it newer checkpoints. `client` knows the jobs.
    pub(crate) fn begin(&self, client: Option<Arc<dyn JobClient>>) {
        *lock(&self.client) = client;
        lock(&self.opened).clear();
    }

    async fn of(&self, job: &str) -> Result<Arc<Snapshot>> {
        let cell = Arc::clone(lock(&self.opened).entry(job.to_string()).or_default());
        let snapshot = cell.get_or_try_init(|| self.open(job)).await?;
        Ok(Arc::clone(snapshot))
    }

    /// Opens the newest checkpoint, of which there may not be one yet.
    async fn open(&self, job: &str) -> Result<Arc<Snapshot>> {
        let client = lock(&self.client).clone();
        let client = client.ok_or_else(|| gone(job))?;
        let id = JobId(job.to_string());
        let begun = tokio::time::Instant::now();
        let mut failed: Option<(String, EngineError)> = None;
        loop {
            let status = client.status(&id).await.map_err(|_| gone(job))?;
            let view = status.kept_view().ok_or_else(|| ended(&status))?.clone();
            match (status.checkpoints.last_path, failed.take()) {
                // It was not removed meanwhile, so it cannot be read.
                (Some(path), Some((tried, error))) if path == tried => return Err(error),
                (Some(path), _) => match snapshot(&path, &view).await {
                    Ok(snapshot) => return Ok(Arc::new(snapshot)),
                    Err(error) => failed = Some((path, error)),
                },
                (None, _) if status.state.is_terminal() || begun.elapsed() > PATIENCE => {
                    let message = format!("materialized view {} has no rows yet", shown(&view));
                    let why = status.waiting_for.or(status.error.map(|e| e.message));
                    let why = why.unwrap_or("its job has no checkpoint".to_string());
                    return Err(EngineError::checkpoint(message)
                        .with_detail(why)
                        .with_hint("SHOW JOBS says how its job is"));
                }
                (None, _) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

async fn snapshot(path: &str, view: &MaterializedView) -> Result<Snapshot> {
    let inspection = inspect::load(path).await?;
    let rows = inspection.groups_of(&view.uid).await?;
    Ok(Snapshot {
        view: view.clone(),
        rows,
        max_parallelism: inspection.max_parallelism(),
    })
}

fn shown(view: &MaterializedView) -> String {
    view.name.join(".")
}

fn gone(job: &str) -> EngineError {
    EngineError::config(format!(
        "the job {job} of a materialized view is not there any more"
    ))
    .with_hint("SHOW MATERIALIZED VIEWS lists those that there are")
}

fn ended(status: &JobStatus) -> EngineError {
    let name = status.view.as_ref().map(shown).unwrap_or_default();
    let state = status.state.name().to_ascii_lowercase();
    let message = format!("materialized view {name} is not kept up to date: its job has {state}");
    let message = message.replace("has stopped", "was stopped");
    let error = EngineError::config(message)
        .with_hint("DROP MATERIALIZED VIEW forgets it, and then it can be created again");
    match &status.error {
        Some(why) => error.with_detail(why.message.clone()),
        None => error,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Whoever panicked left it whole: every change is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connector of materialized views.
pub(crate) struct MaterializedViews(pub(crate) Arc<Snapshots>);

impl ConnectorFactory for MaterializedViews {
    fn identifier(&self) -> &'static str {
        CONNECTOR
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        let Some(job) = table.option(JOB) else {
            let message = format!("table '{}': a materialized view has a job", table.name);
            return Err(EngineError::config(message)
                .with_hint("CREATE MATERIALIZED VIEW … AS SELECT … creates one"));
        };
        Ok(Arc::new(ViewTable {
            snapshots: Arc::clone(&self.0),
            job: job.to_string(),
        }))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        let message = format!("materialized view {} cannot be written", table.name);
        Err(EngineError::config(message)
            .with_hint("its query gives it its rows; INSERT INTO the tables that it reads"))
    }
}

struct ViewTable {
    snapshots: Arc<Snapshots>,
    job: String,
}

impl SourceFactory for ViewTable {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(ViewSource {
            snapshots: Arc::clone(&self.snapshots),
            job: self.job.clone(),
            context,
            rows: None,
        }))
    }
}

/// Reads some key groups of a view.
struct ViewSource {
    snapshots: Arc<Snapshots>,
    job: String,
    context: SourceContext,
    rows: Option<mpsc::Receiver<Result<RecordBatch>>>,
}

#[async_trait]
impl Source for ViewSource {
    async fn open(&mut self) -> Result<Vec<String>> {
        let snapshot = self.snapshots.of(&self.job).await?;
        let SourceContext {
            index, parallelism, ..
        } = self.context;
        let range = KeyGroupRange::of_subtask(index, parallelism, snapshot.max_parallelism);
        let schema = Arc::clone(&self.context.schema);
        let (sender, rows) = mpsc::channel(WAITING_BATCHES);
        // Decoding keeps a thread busy, so it gets one of its own.
        tokio::task::spawn_blocking(move || {
            let mut give = |rows: RecordBatch| Ok(sender.blocking_send(Ok(rows)).is_ok());
            if let Err(error) = snapshot.read(range, &schema, &mut give) {
                let _ = sender.blocking_send(Err(error));
            }
        });
        self.rows = Some(rows);
        Ok(Vec::new())
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        let rows = match &mut self.rows {
            Some(rows) => rows.recv().await,
            None => None,
        };
        match rows {
            Some(rows) => Ok(SourceEvent::Rows {
                split: Arc::from("view"),
                batch: Batch::inserts(rows?),
            }),
            None => Ok(SourceEvent::End),
        }
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        Ok(Vec::new())
    }
}

impl Snapshot {
    /// The rows of some key groups, with the columns of `schema`.
    fn read(
        &self,
        range: KeyGroupRange,
        schema: &SchemaRef,
        give: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        let Some((state, table)) = &self.rows else {
            return Ok(());
        };
        let mut columns = Vec::new();
        for field in schema.fields() {
            let place = table.key_column(self.view.columns.index_of(field.name())?);
            let place = place.ok_or_else(|| {
                EngineError::state("the state of a materialized view has other columns")
            })?;
            columns.push(place);
        }
        // The count stands last.
        columns.extend(table.schema().fields().len().checked_sub(1));
        table.read(state, range, &columns, &mut |groups| {
            let (counts, groups) = split_last(&groups)?;
            let mut places = Vec::new();
            for (place, count) in counts.iter().enumerate() {
                for _ in 0..(*count).max(0) {
                    places.push(place as u32);
                    if places.len() == BATCH_ROWS {
                        let rows = rows_of(schema, &groups, std::mem::take(&mut places))?;
                        if !give(rows)? {
                            return Ok(false);
                        }
                    }
                }
            }
            match places.is_empty() {
                true => Ok(true),
                false => give(rows_of(schema, &groups, places)?),
            }
        })
    }
}

/// The counts, which are the last column, and the other columns.
fn split_last(groups: &RecordBatch) -> Result<(Vec<i64>, RecordBatch)> {
    let last = groups.num_columns().saturating_sub(1);
    let others: Vec<usize> = (0..last).collect();
    let counts = groups.column(last).as_primitive_opt::<Int64Type>();
    let counts = counts.filter(|counts| counts.null_count() == 0);
    let counts = counts.ok_or_else(|| EngineError::state("a materialized view does not count"))?;
    Ok((counts.values().to_vec(), groups.project(&others)?))
}

fn rows_of(schema: &SchemaRef, groups: &RecordBatch, places: Vec<u32>) -> Result<RecordBatch> {
    let count = places.len();
    let taken = take_record_batch(groups, &UInt32Array::from(places))?;
    let columns = taken.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| cast(column, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(count));
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns,
        &options,
    )?)
}
