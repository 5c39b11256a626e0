//! A case, run in many ways.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{FutureExt as _, StreamExt};
use levada_engine::checkpoint::CheckpointStore;
use levada_engine::client::{JobState, JobStatus, StopMode};
use levada_engine::connector::ConnectorRegistry;
use levada_engine::graph::JobId;
use levada_gateway::Session;
use levada_gateway::{Error, Job, Outcome, QueryResult};
use levada_planner::parser::{self, ParsedStatement, Statement};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::case::{self, Case, Expected};
use crate::changes::Changes;
use crate::cluster::{Shared, Shares};
use crate::kept::{self, Kept};
use crate::paced::{Faults, paced};
use crate::text::{self, Changelog};

/// A way of running a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// DataFusion's executor.
    Batch,
    /// Parallelism 1, everything in its default.
    One,
    /// Parallelism 3, three rows in a batch, channels of a few rows, state in the backend `disk`.
    Wide,
    /// The same with state in RocksDB and parallelism 2.
    RocksDb,
    /// Stopped at random moments and restored, each time at another parallelism.
    Stopped,
    /// Failed at random moments and restarted from the last checkpoint.
    Failed,
    /// Killed at random moments and restored from a checkpoint whose barriers overtook rows, each time
    /// at another parallelism and perhaps on the other backend.
    Overtaken,
    /// Parallelism 4 on two workers with two slots each, over TCP.
    Workers,
    /// Its query as a materialized view, which a batch query reads.
    View,
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 9] = [
        Way::Batch,
        Way::One,
        Way::Wide,
        Way::RocksDb,
        Way::Stopped,
        Way::Failed,
        Way::Overtaken,
        Way::Workers,
        Way::View,
    ];

    /// Whether somebody stops the job from outside and starts it again.
    fn is_interrupted(self) -> bool {
        matches!(self, Way::Stopped | Way::Overtaken)
    }
}

/// Several ways by a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every way.
    All,
    /// Every way but batch.
    Streaming,
    /// One way.
    Only(Way),
}

impl Scope {
    /// By its word in a case.
    pub fn named(word: &str) -> Result<Self, String> {
        Ok(match word {
            "streaming" => Scope::Streaming,
            "batch" => Scope::Only(Way::Batch),
            "wide" => Scope::Only(Way::Wide),
            "rocksdb" => Scope::Only(Way::RocksDb),
            "stopped" => Scope::Only(Way::Stopped),
            "failed" => Scope::Only(Way::Failed),
            "overtaken" => Scope::Only(Way::Overtaken),
            "workers" => Scope::Only(Way::Workers),
            "view" => Scope::Only(Way::View),
            other => return Err(format!("no way of running is called '{other}'")),
        })
    }

    /// Whether the way is among them.
    pub fn has(self, way: Way) -> bool {
        match self {
            Scope::All => true,
            Scope::Streaming => way != Way::Batch,
            Scope::Only(only) => only == way,
        }
    }
}

/// The engines that all cases share.
pub struct Bench {
    plain: Arc<Shared>,
    /// With sources that pause before each event, and sinks before each write.
    slow: Arc<Shared>,
    /// With sinks that hold everything up.
    held_up: Arc<Shared>,
    workers: Arc<Shared>,
    /// The workers have slots for one job.
    turn: tokio::sync::Semaphore,
    faults: Faults,
    kept: Kept,
    connectors: ConnectorRegistry,
    /// How many jobs went on from a checkpoint whose barriers had overtaken rows.
    overtaken: AtomicU64,
    seed: u64,
}

/// The pause in front of an event of a slow source.
const LONGEST_PAUSE: Duration = Duration::from_millis(3);

/// After which a run counts as stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the error of a run begins with that was stuck.
pub const STUCK: &str = "stuck for";

impl Bench {
    /// Starts the engines.
    pub async fn start(seed: u64) -> Self {
        let kept = Kept::default();
        let mut connectors = levada_connectors::registry();
        connectors.register(Arc::new(kept.clone()));
        connectors.register(Arc::new(Changes(levada_connectors::registry())));
        let faults = Faults::default();
        let slow = (LONGEST_PAUSE, LONGEST_PAUSE);
        let slow = paced(&connectors, slow, seed, &faults);
        let held_up = (LONGEST_PAUSE / 8, 6 * LONGEST_PAUSE);
        let held_up = paced(&connectors, held_up, seed, &faults);
        Bench {
            plain: Shared::embedded(connectors.clone(), 1024),
            slow: Shared::embedded(slow, 1024),
            held_up: Shared::embedded(held_up, 1024),
            workers: Shared::loopback(connectors.clone(), 2, 2).await,
            turn: tokio::sync::Semaphore::new(1),
            faults,
            kept,
            connectors,
            overtaken: AtomicU64::new(0),
            seed,
        }
    }

    /// How many jobs went on from a checkpoint whose barriers had overtaken rows.
    pub fn overtaken(&self) -> u64 {
        self.overtaken.load(Ordering::Relaxed)
    }

    /// Runs a case one way and compares. The error says what differs.
    pub async fn check(&self, case: &Case, way: Way) -> Result<Vec<String>, String> {
        let _turn = match way {
            Way::Workers => Some(self.turn.acquire().await.expect("it is never closed")),
            _ => None,
        };
        let run = Run::prepare(self, case, way)?;
        match tokio::time::timeout(PATIENCE, run.check()).await {
            Ok(result) => result,
            Err(_) => Err(format!("{STUCK} {PATIENCE:?}")),
        }
    }

    /// Runs a case one way, whatever is expected of it. The error is that of its script.
    pub async fn answer(&self, case: &Case, way: Way) -> Result<Answer, String> {
        let mut run = Run::prepare(self, case, way)?;
        let script = AssertUnwindSafe(run.script()).catch_unwind();
        let answer = match tokio::time::timeout(PATIENCE, script).await {
            Ok(Ok(answer)) => answer?,
            Ok(Err(panic)) => return Err(format!("panic: {}", said(panic.as_ref()))),
            Err(_) => return Err(format!("{STUCK} {PATIENCE:?}")),
        };
        answer.ok_or_else(|| "no statement gave rows".to_string())
    }

    /// Jobs that are left over.
    pub async fn leftovers(&self) -> Vec<String> {
        let mut all = self.plain.running().await;
        all.extend(self.slow.running().await);
        all.extend(self.held_up.running().await);
        all.extend(self.workers.running().await);
        all
    }

    fn engine(&self, way: Way) -> &Arc<Shared> {
        match way {
            Way::Stopped | Way::Failed => &self.slow,
            Way::Overtaken => &self.held_up,
            Way::Workers => &self.workers,
            _ => &self.plain,
        }
    }
}

/// One run of one case.
struct Run<'a> {
    bench: &'a Bench,
    case: &'a Case,
    way: Way,
    folder: tempfile::TempDir,
    session: Session,
    chance: SmallRng,
}

/// What a statement with rows gave.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// Their types.
    pub types: Vec<String>,
    /// The rows, sorted.
    pub rows: Vec<String>,
}

impl<'a> Run<'a> {
    fn prepare(bench: &'a Bench, case: &'a Case, way: Way) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let deal = !case.whole && !matches!(way, Way::Batch | Way::One);
        for (name, content) in &case.files {
            write(&folder.path().join(name), content, deal);
        }
        for (name, bytes) in &case.modules {
            std::fs::write(folder.path().join(name), bytes).map_err(|e| e.to_string())?;
        }
        let shares = Arc::new(Shares(Arc::clone(bench.engine(way))));
        let session = Session::new(bench.connectors.clone(), shares);
        let chance = SmallRng::seed_from_u64(bench.seed ^ hash(&case.name) ^ way as u64);
        let mut run = Run {
            bench,
            case,
            way,
            folder,
            session,
            chance,
        };
        run.configure();
        Ok(run)
    }

    fn configure(&mut self) {
        let tiny = [
            ("pipeline.batch-rows", "3"),
            ("pipeline.channel-memory", "256"),
        ];
        let checkpoints = self.folder.path().join("checkpoints").display().to_string();
        let backend = ["memory", "disk", "rocksdb"][self.chance.random_range(0..3)];
        match self.way {
            Way::Batch => self.set("execution.runtime-mode", "batch"),
            Way::One => self.set("parallelism.default", "1"),
            Way::Wide => {
                self.set("parallelism.default", "3");
                self.set("state.backend.type", "disk");
            }
            Way::RocksDb => {
                self.set("parallelism.default", "2");
                self.set("state.backend.type", "rocksdb");
            }
            Way::Workers => self.set("parallelism.default", "4"),
            Way::Stopped | Way::Failed | Way::Overtaken | Way::View => {
                self.set("parallelism.default", "2");
                self.set("state.backend.type", backend);
                self.set("execution.checkpointing.dir", &checkpoints);
            }
        }
        if self.way == Way::Failed {
            self.set("execution.checkpointing.interval", "10 ms");
            self.set("restart-strategy.type", "fixed-delay");
            self.set("restart-strategy.fixed-delay.attempts", "100");
            self.set("restart-strategy.fixed-delay.delay", "1 ms");
        }
        if self.way == Way::Overtaken {
            let after = ["0 ms", "8 ms"][self.chance.random_range(0..2)];
            self.set("execution.checkpointing.interval", "3 ms");
            self.set("execution.checkpointing.unaligned.enabled", "true");
            self.set("execution.checkpointing.aligned-checkpoint-timeout", after);
        }
        if !matches!(self.way, Way::Batch | Way::One) {
            tiny.iter().for_each(|(name, value)| self.set(name, value));
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let set = self.session.configuration_mut().set(name, value);
        set.unwrap_or_else(|e| panic!("{name}: {e}"));
    }

    async fn check(mut self) -> Result<Vec<String>, String> {
        let wanted = self.case.error(self.way).map(<[String]>::to_vec);
        match (self.script().await, wanted) {
            (Ok(answer), None) => self.compare(answer).await,
            (Err(problem), None) => Err(problem),
            (Ok(_), Some(parts)) => Err(format!("succeeds, instead of failing with {parts:?}")),
            (Err(problem), Some(parts)) => {
                match parts.iter().find(|part| !problem.contains(part.as_str())) {
                    Some(part) => Err(format!("the error lacks '{part}':\n{problem}")),
                    None => Ok(Vec::new()),
                }
            }
        }
    }

    async fn script(&mut self) -> Result<Option<Answer>, String> {
        let folder = self.folder.path().display().to_string();
        let prelude = self.case.prelude.replace("{dir}", &folder);
        let script = self.case.sql.replace("{dir}", &folder);
        for text in [prelude, script] {
            let statements = parser::parse(&text).map_err(|e| e.render(&text))?;
            let last = statements.len().saturating_sub(1);
            let mut answer = None;
            for (position, statement) in statements.iter().enumerate() {
                let given = self.statement(statement, &text, position == last).await?;
                answer = given.or(answer);
            }
            if answer.is_some() {
                return Ok(answer);
            }
        }
        Ok(None)
    }

    async fn statement(
        &mut self,
        statement: &ParsedStatement,
        script: &str,
        last: bool,
    ) -> Result<Option<Answer>, String> {
        let interrupt = last && self.way.is_interrupted();
        if interrupt
            && self.way == Way::Overtaken
            && matches!(statement.statement, Statement::Query(_))
        {
            return self.kept(raw(statement, script)).await.map(Some);
        }
        if last && self.way == Way::View && matches!(statement.statement, Statement::Query(_)) {
            return self.view(raw(statement, script)).await.map(Some);
        }
        if last && self.way == Way::Failed {
            let after = (0..2).map(|_| self.chance.random_range(0..8)).collect();
            let folder = self.folder.path().display().to_string();
            self.bench.faults.plan(&folder, after);
        }
        let outcome = self.session.execute_statement(statement).await;
        match outcome.map_err(|e| e.render(script))? {
            Outcome::Query(query) if interrupt => self.interrupted(query, statement, script).await,
            Outcome::Query(query) => {
                let mut answer = Rows::of(&query);
                answer.read(query, script).await?;
                Ok(Some(answer.finish()))
            }
            Outcome::Job(job) if interrupt => {
                self.interrupted_job(job, statement, script).await?;
                Ok(None)
            }
            Outcome::Job(job) => {
                let status = self.wait(&job.id).await?;
                expect_state(&status, JobState::Finished)?;
                Ok(None)
            }
            Outcome::Table(batch) => {
                let mut rows: Vec<String> = text::rows(&batch)
                    .iter()
                    .map(|cells| case::join(cells))
                    .collect();
                rows.sort();
                Ok(Some(Answer {
                    columns: names(&batch.schema()),
                    types: Vec::new(),
                    rows,
                }))
            }
            Outcome::Text(text) => Ok(Some(Answer {
                columns: vec!["text".to_string()],
                types: Vec::new(),
                rows: text.lines().map(str::to_string).collect(),
            })),
            Outcome::Ok(_) => Ok(None),
        }
    }

    /// The rows of a query as a sink gets them whose job is killed some times: what a client has been
    /// shown cannot be taken back.
    async fn kept(&mut self, query: &str) -> Result<Answer, String> {
        let path = self.folder.path().display().to_string();
        let session = &mut self.session;
        let columns = kept::create(session, query, &path).await?;
        let insert = format!("INSERT INTO `the rows` {query}");
        let insert = insert.as_str();
        let parsed = parser::parse(insert).map_err(|e| e.render(insert))?;
        let outcome = session.execute_statement(&parsed[0]).await;
        match outcome.map_err(|e| e.render(insert))? {
            Outcome::Job(job) => self.interrupted_job(job, &parsed[0], insert).await?,
            other => return Err(format!("not a job: {other:?}")),
        }
        Ok(Answer {
            columns,
            types: Vec::new(),
            rows: self.bench.kept.take(&path)?,
        })
    }

    /// The rows of a query as a materialized view has them.
    async fn view(&mut self, query: &str) -> Result<Answer, String> {
        let session = &mut self.session;
        let name = format!("`{}`", self.case.name);
        execute(
            session,
            &format!("CREATE MATERIALIZED VIEW {name} AS {query}"),
        )
        .await?;
        let answer = read_table(session, &name).await?;
        execute(session, &format!("DROP MATERIALIZED VIEW {name}")).await?;
        Ok(answer)
    }

    async fn wait(&self, job: &JobId) -> Result<JobStatus, String> {
        let client = self.bench.engine(self.way).client();
        client.wait(job).await.map_err(|e| e.to_string())
    }

    /// Reads the rows of a query, stops it some time, and goes on from the checkpoint.
    async fn interrupted(
        &mut self,
        query: QueryResult,
        statement: &ParsedStatement,
        script: &str,
    ) -> Result<Option<Answer>, String> {
        let mut answer = Rows::of(&query);
        let mut query = query;
        for stop in 0.. {
            let Some(job) = query.job.clone() else {
                return Err("a query of a stream has no job".to_string());
            };
            let delay = self.delay();
            let stopping = async {
                if stop < 3 {
                    self.stop_some_time(&job).await
                } else {
                    Ok(())
                }
            };
            let (read, stopped) = tokio::join!(answer.read(query, script), async {
                tokio::time::sleep(delay).await;
                stopping.await
            });
            stopped?;
            read?;
            let status = self.wait(&job).await?;
            if !self.goes_on(&status)? {
                return Ok(Some(answer.finish()));
            }
            let outcome = self.session.execute_statement(statement).await;
            query = match outcome.map_err(|e| format!("restored: {}", e.render(script)))? {
                Outcome::Query(query) => query,
                other => return Err(format!("not a query any more: {other:?}")),
            };
        }
        Ok(None)
    }

    async fn interrupted_job(
        &mut self,
        job: Job,
        statement: &ParsedStatement,
        script: &str,
    ) -> Result<(), String> {
        let mut job = job;
        for stop in 0.. {
            if stop < 3 {
                tokio::time::sleep(self.delay()).await;
                self.stop_some_time(&job.id).await?;
            }
            let status = self.wait(&job.id).await?;
            if !self.goes_on(&status)? {
                return Ok(());
            }
            if let Some(path) = &status.checkpoints.last_path {
                let (manifest, _) = CheckpointStore::load(path)
                    .await
                    .map_err(|e| e.to_string())?;
                let rows = u64::from(manifest.has_rows_in_flight());
                self.bench.overtaken.fetch_add(rows, Ordering::Relaxed);
            }
            let outcome = self.session.execute_statement(statement).await;
            job = match outcome.map_err(|e| format!("restored: {}", e.render(script)))? {
                Outcome::Job(job) => job,
                other => return Err(format!("not a job any more: {other:?}")),
            };
        }
        Ok(())
    }

    /// A moment in the life of a job over so many rows.
    fn delay(&mut self) -> Duration {
        let lines: usize = self
            .case
            .files
            .iter()
            .map(|(_, text)| text.lines().count())
            .sum();
        let events = u32::try_from(lines / 3 + 4).unwrap_or(100);
        (LONGEST_PAUSE / 2 * events).mul_f64(self.chance.random::<f64>())
    }

    async fn stop_some_time(&self, job: &JobId) -> Result<(), String> {
        let client = self.bench.engine(self.way).client();
        let mode = match self.way {
            Way::Overtaken => StopMode::Cancel,
            _ => StopMode::Checkpoint,
        };
        match client.stop(job, mode).await {
            Ok(()) => Ok(()),
            // It may have ended in the meantime.
            Err(error) => match client.status(job).await {
                Ok(status) if status.state.is_terminal() => Ok(()),
                _ => Err(format!("cannot be stopped: {error}")),
            },
        }
    }

    /// Whether a job was stopped, so that it has to be started again from its checkpoint; the next
    /// one has another parallelism.
    fn goes_on(&mut self, status: &JobStatus) -> Result<bool, String> {
        if status.state == JobState::Finished {
            return Ok(false);
        }
        expect_state(status, JobState::Stopped)?;
        if let Some(path) = &status.checkpoints.last_path {
            self.set("execution.state-recovery.path", path);
        }
        let backend = ["memory", "disk", "rocksdb"][self.chance.random_range(0..3)];
        self.set("state.backend.type", backend);
        let parallelism = self.chance.random_range(1..5).to_string();
        self.set("parallelism.default", &parallelism);
        Ok(true)
    }

    async fn compare(&mut self, answer: Option<Answer>) -> Result<Vec<String>, String> {
        let mut types = Vec::new();
        let failed = self.way == Way::Failed;
        if failed {
            self.bench
                .faults
                .clear(&self.folder.path().display().to_string());
        }
        if let Some(answer) = &answer {
            types.clone_from(&answer.types);
        }
        for expected in &self.case.expected {
            match expected {
                Expected::Rows {
                    table: None,
                    columns,
                    rows,
                } => {
                    let answer = answer.as_ref().ok_or("no statement gave rows")?;
                    same("the columns", columns, &answer.columns)?;
                    same("the rows", rows, &answer.rows)?;
                }
                Expected::Rows {
                    table: Some(table),
                    columns,
                    rows,
                } => {
                    let answer = read_table(&mut self.session, table).await?;
                    same(&format!("the columns of {table}"), columns, &answer.columns)?;
                    same(&format!("the rows of {table}"), rows, &answer.rows)?;
                }
                Expected::Lines { folder, lines } => {
                    let found = lines_below(&self.folder.path().join(folder));
                    same(&format!("the lines below {folder}"), lines, &found)?;
                }
                Expected::Error { .. } => {}
            }
        }
        Ok(types)
    }
}

/// The rows of a query over one run or several.
struct Rows {
    columns: Vec<String>,
    types: Vec<String>,
    changelog: Changelog,
}

impl Rows {
    fn of(query: &QueryResult) -> Self {
        let types = query
            .schema
            .fields()
            .iter()
            .map(|f| f.data_type().to_string());
        Rows {
            columns: names(&query.schema),
            types: types.collect(),
            changelog: Changelog::new(query.mode, query.key.clone()),
        }
    }

    async fn read(&mut self, mut query: QueryResult, script: &str) -> Result<(), String> {
        while let Some(batch) = query.rows.next().await {
            let batch = batch.map_err(|e: Error| e.render(script))?;
            self.changelog.apply(&batch)?;
        }
        Ok(())
    }

    fn finish(self) -> Answer {
        let rows = self.changelog.rows();
        Answer {
            columns: self.columns,
            types: self.types,
            rows,
        }
    }
}

/// What a table holds, by batch.
async fn read_table(session: &mut Session, table: &str) -> Result<Answer, String> {
    let set = session
        .configuration_mut()
        .set("execution.runtime-mode", "batch");
    set.map_err(|e| e.to_string())?;
    query(session, &format!("SELECT * FROM {table}")).await
}

/// The rows of one query.
pub async fn query(session: &mut Session, sql: &str) -> Result<Answer, String> {
    match session.execute(sql).await.map_err(|e| e.render(sql))? {
        Outcome::Query(query) => {
            let mut rows = Rows::of(&query);
            rows.read(query, sql).await?;
            Ok(rows.finish())
        }
        other => Err(format!("not a query: {other:?}")),
    }
}

/// Runs a script of statements without rows, each to its end.
pub async fn execute(session: &mut Session, script: &str) -> Result<(), String> {
    for statement in parser::parse(script).map_err(|e| e.render(script))? {
        let outcome = session.execute_statement(&statement).await;
        if let Outcome::Job(job) = outcome.map_err(|e| e.render(script))? {
            let client = session.client().await.map_err(|e| e.to_string())?;
            let status = client.wait(&job.id).await.map_err(|e| e.to_string())?;
            expect_state(&status, JobState::Finished)?;
        }
    }
    Ok(())
}

/// The last statement of a script as it was written, hints included.
fn raw<'a>(statement: &ParsedStatement, script: &'a str) -> &'a str {
    let lines = script.split_inclusive('\n');
    let before: usize = lines
        .take(statement.location.line as usize - 1)
        .map(str::len)
        .sum();
    let line = &script[before..];
    let column = statement.location.column as usize - 1;
    let start = line.char_indices().nth(column).map_or(0, |(at, _)| at);
    line[start..].trim().trim_end_matches(';')
}

fn names(schema: &arrow::datatypes::Schema) -> Vec<String> {
    schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}

fn expect_state(status: &JobStatus, state: JobState) -> Result<(), String> {
    match (&status.error, status.state == state) {
        (_, true) => Ok(()),
        (Some(error), false) => Err(Error::Engine(error.clone()).render("")),
        (None, false) => Err(format!("the job is {}", status.state.name())),
    }
}

/// Compares rows; the error names what is lacking and what is too much.
pub fn same(what: &str, expected: &[String], found: &[String]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let lacking = without(expected, found);
    let surplus = without(found, expected);
    let list = |rows: &[String], sign: &str| -> String {
        rows.iter()
            .take(20)
            .map(|row| format!("\n      {sign} {row}"))
            .collect()
    };
    Err(format!(
        "{what} differ ({} expected, {} found):{}{}",
        expected.len(),
        found.len(),
        list(&lacking, "-"),
        list(&surplus, "+"),
    ))
}

/// What is in `all` more often than in `others`.
fn without(all: &[String], others: &[String]) -> Vec<String> {
    let mut left = others.to_vec();
    let mut more = Vec::new();
    for row in all {
        match left.iter().position(|other| other == row) {
            Some(position) => drop(left.swap_remove(position)),
            None => more.push(row.clone()),
        }
    }
    more
}

/// The lines of all committed files below a folder, each after its subfolder.
fn lines_below(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    case::walk(folder, &mut paths);
    let mut lines = Vec::new();
    for path in paths {
        let below = path.strip_prefix(folder).unwrap_or(&path);
        let hidden = below.components().any(|part| {
            let name = part.as_os_str().to_string_lossy();
            name.starts_with('.') || name.starts_with('_') && !name.contains('=')
        });
        if hidden {
            continue;
        }
        let subfolder = below
            .parent()
            .map(|p| p.display().to_string())
            .unwrap_or_default();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        lines.extend(text.lines().map(|line| match subfolder.is_empty() {
            true => line.to_string(),
            false => format!("{subfolder}: {line}"),
        }));
    }
    lines.sort();
    lines
}

/// Writes a file; or a folder of that name with three files among which the lines are dealt out, so
/// that several subtasks have something to read.
fn write(path: &Path, content: &str, deal: bool) {
    const PARTS: usize = 3;
    let ending = path.extension().map(|e| e.to_string_lossy().into_owned());
    let parent = path.parent().expect("it is below a folder");
    std::fs::create_dir_all(parent).expect("the folder of the test is writable");
    let Some(ending) = ending.filter(|e| deal && (e == "json" || e == "csv")) else {
        std::fs::write(path, content).expect("the folder of the test is writable");
        return;
    };
    std::fs::create_dir_all(path).expect("the folder of the test is writable");
    for part in 0..PARTS {
        let lines = content.lines().skip(part).step_by(PARTS);
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        let part = path.join(format!("part-{part}.{ending}"));
        std::fs::write(part, text).expect("the folder of the test is writable");
    }
}

/// What a panic says.
fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a word")
}

fn hash(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
