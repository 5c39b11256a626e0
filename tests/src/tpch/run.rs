//! A query over a history.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use levada_engine::client::{JobStatus, StopMode};
use levada_engine::connector::ConnectorRegistry;
use levada_engine::element::ChangelogMode;
use levada_engine::graph::JobId;
use levada_gateway::{Error, Outcome, Session};

use super::changes::Changes;
use super::feed::{Feed, Feeds};
use super::query::Query;
use crate::case;
use crate::cluster::{Shared, Shares};
use crate::kept::{self, Kept};
use crate::run;

/// How a query runs.
#[derive(Debug, Clone)]
pub struct Setting {
    /// `parallelism.default`.
    pub parallelism: usize,
    /// `state.backend.type`.
    pub backend: &'static str,
    /// Whether updates come with what the row was before, or by key.
    pub mode: ChangelogMode,
    /// Results are compared in front of these changes.
    pub boundaries: Vec<u64>,
    /// The number of a change that the stream is not told, to see that this is found.
    pub lost: Option<u64>,
}

/// What a run was like.
#[derive(Debug, Clone)]
pub struct Figures {
    /// How long the stream took, without batch mode.
    pub took: Duration,
    /// How many rows the sources have given.
    pub rows_in: u64,
    /// How many changes came out.
    pub rows_out: usize,
    /// The size of a checkpoint with everything in it.
    pub state_bytes: u64,
    /// How many rows the result had at each boundary, without a sum of nothing.
    pub rows: Vec<usize>,
}

/// A history, and what is needed to run over it.
pub struct Bench {
    engine: Arc<Shared>,
    connectors: ConnectorRegistry,
    feeds: Feeds,
    kept: Kept,
    changes: Arc<Changes>,
    folder: tempfile::TempDir,
}

/// How long a result may take to be there.
const PATIENCE: Duration = Duration::from_secs(300);
const CHECKPOINTS: &str = "50 ms";

impl Bench {
    /// Everything for this history.
    pub fn new(changes: Arc<Changes>) -> Self {
        let (feeds, kept) = (Feeds::default(), Kept::default());
        let mut connectors = levada_connectors::registry();
        connectors.register(Arc::new(feeds.clone()));
        connectors.register(Arc::new(kept.clone()));
        Bench {
            engine: Shared::embedded(connectors.clone(), 1024),
            connectors,
            feeds,
            kept,
            changes,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// Runs a query, and compares it at each boundary. The error says what differs.
    pub async fn check(&self, query: &Query, setting: &Setting) -> Result<Figures, String> {
        let name = query.name.as_str();
        let feed = self
            .feeds
            .add(name, &self.changes, setting.mode, setting.lost);
        let mut session = self.session("streaming", name, None).await?;
        let checkpoints = self.folder.path().join(name);
        for (key, value) in [
            ("parallelism.default", setting.parallelism.to_string()),
            ("state.backend.type", setting.backend.to_string()),
            (
                "execution.checkpointing.dir",
                checkpoints.display().to_string(),
            ),
            ("execution.checkpointing.interval", CHECKPOINTS.to_string()),
        ] {
            set(&mut session, key, &value)?;
        }
        let columns = kept::create(&mut session, &query.text, name).await?;
        let insert = format!("INSERT INTO `the rows` {}", query.text);
        let outcome = session.execute(&insert).await;
        let job = match outcome.map_err(|e| e.render(&insert))? {
            Outcome::Job(job) => job.id,
            other => return Err(format!("not a job: {other:?}")),
        };
        let mut took = Duration::ZERO;
        let mut rows = Vec::new();
        for boundary in &setting.boundaries {
            let started = Instant::now();
            feed.release(*boundary);
            self.settled(&job, name, &feed, *boundary).await?;
            took += started.elapsed();
            let streamed = self.kept.rows(name)?;
            let compared = self.compare(query, &columns, &streamed, *boundary).await;
            compared.map_err(|differs| format!("at {boundary}: {differs}"))?;
            rows.push(streamed.iter().filter(|row| !says_nothing(row)).count());
        }
        let figures = Figures {
            took,
            rows_in: feed.given(),
            rows_out: self.kept.changes(name),
            state_bytes: self.state_bytes(&job).await?,
            rows,
        };
        let client = self.engine.client();
        let stopped = client.stop(&job, StopMode::Cancel).await;
        stopped.map_err(|e| e.to_string())?;
        client.wait(&job).await.map_err(|e| e.to_string())?;
        self.kept.take(name)?;
        Ok(figures)
    }

    async fn session(&self, mode: &str, feed: &str, until: Option<u64>) -> Result<Session, String> {
        let shares = Arc::new(Shares(Arc::clone(&self.engine)));
        let mut session = Session::new(self.connectors.clone(), shares);
        set(&mut session, "execution.runtime-mode", mode)?;
        let path = crate::workspace().join("tests/tpch/tables.sql");
        let tables = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
        let until = until.map_or(String::new(), |until| format!(", 'until' = '{until}'"));
        let options = format!("'connector' = 'changes', 'feed' = '{feed}'{until}");
        run::execute(&mut session, &tables.replace("${options}", &options)).await?;
        Ok(session)
    }

    /// Waits until the sink has committed everything in front of the boundary.
    async fn settled(
        &self,
        job: &JobId,
        name: &str,
        feed: &Feed,
        boundary: u64,
    ) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (reached, committed) = (feed.checkpoint_at(boundary), self.kept.checkpoint(name));
            if reached.is_some_and(|reached| committed >= Some(reached)) {
                return Ok(());
            }
            let status: JobStatus = self
                .engine
                .client()
                .status(job)
                .await
                .map_err(|e| e.to_string())?;
            if let Some(error) = status.error {
                return Err(Error::Engine(error).render(""));
            }
            if Instant::now() > deadline {
                return Err(format!("change {boundary} is not there after {PATIENCE:?}"));
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    async fn compare(
        &self,
        query: &Query,
        columns: &[String],
        streamed: &[String],
        boundary: u64,
    ) -> Result<(), String> {
        let mut session = self.session("batch", &query.name, Some(boundary)).await?;
        let all = run::query(&mut session, &query.all).await?;
        let batch = match &query.first {
            Some(_) => run::query(&mut session, &query.text).await?,
            None => all.clone(),
        };
        run::same("the columns", &batch.columns, columns)?;
        // An aggregation of all rows of an endless stream says nothing before the first of them has come.
        let silent = self.kept.changes(&query.name) == 0;
        if silent
            && matches!(all.rows.as_slice(), [row] if row.split(case::CELL).all(|cell| cell == "NULL"))
        {
            return Ok(());
        }
        query.compare(streamed, &all, &batch)
    }

    /// How large everything is that a job remembers.
    async fn state_bytes(&self, job: &JobId) -> Result<u64, String> {
        let saved = self.engine.client().savepoint(job, None).await;
        let saved = saved.map_err(|e| e.to_string())?;
        let saved = saved.strip_prefix("file://").unwrap_or(&saved);
        let mut files = Vec::new();
        case::walk(Path::new(saved), &mut files);
        let sizes = files.iter().filter_map(|file| file.metadata().ok());
        Ok(sizes.map(|file| file.len()).sum())
    }
}

/// Whether there is nothing but NULL in a row.
fn says_nothing(row: &str) -> bool {
    row.split(case::CELL).all(|cell| cell == "NULL")
}

fn set(session: &mut Session, key: &str, value: &str) -> Result<(), String> {
    let set = session.configuration_mut().set(key, value);
    set.map(drop).map_err(|e| e.to_string())
}

/// A table of figures, for people.
pub fn page(figures: &[(String, Figures)]) -> String {
    let mut page =
        String::from("query |  seconds | rows in | rows out | out/in | state kB | rows\n");
    for (name, f) in figures {
        #[allow(clippy::cast_precision_loss)]
        let ratio = f.rows_out as f64 / f.rows_in.max(1) as f64;
        page.push_str(&format!(
            "{name:>5} | {:>8.2} | {:>7} | {:>8} | {ratio:>6.3} | {:>8} | {:?}\n",
            f.took.as_secs_f64(),
            f.rows_in,
            f.rows_out,
            f.state_bytes / 1000,
            f.rows,
        ));
    }
    page
}
