#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Mutex;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::StreamExt;
use levada_engine::EngineError;
use levada_engine::client::{CheckpointStatus, JobState, JobStatus, ResultStream, StopMode};
use levada_engine::graph::{JobGraph, JobId};

use super::*;
use crate::environment::connectors;

mod catalogs;
mod materialized;

/// A coordinator that runs nothing and remembers everything.
#[derive(Default)]
struct Fake {
    jobs: Mutex<Vec<(JobStatus, JobGraph)>>,
    connections: Mutex<usize>,
    cancelled: Mutex<Vec<String>>,
}

struct Client(Arc<Fake>);

#[async_trait]
impl JobClient for Client {
    async fn submit(&self, graph: JobGraph) -> levada_engine::Result<JobId> {
        let mut jobs = self.0.jobs.lock().unwrap();
        let id = JobId(format!("job-{}", jobs.len() + 1));
        let status = JobStatus {
            id: id.clone(),
            name: graph.name.clone(),
            state: JobState::Running,
            waiting_for: None,
            error: None,
            restarts: 0,
            submitted_ms: 0,
            ended_ms: None,
            vertices: Vec::new(),
            checkpoints: CheckpointStatus::default(),
            view: graph.settings.view.clone(),
            restored: match graph.settings.checkpoints.restore_from {
                Some(_) => vec!["Source(t) goes on".to_string()],
                None => Vec::new(),
            },
        };
        jobs.push((status, graph));
        Ok(id)
    }

    async fn status(&self, job: &JobId) -> levada_engine::Result<JobStatus> {
        let jobs = self.0.jobs.lock().unwrap();
        let found = jobs.iter().find(|(status, _)| status.id == *job);
        found
            .map(|(status, _)| status.clone())
            .ok_or_else(|| EngineError::config(format!("no job {job}")))
    }

    async fn list(&self) -> levada_engine::Result<Vec<JobStatus>> {
        Ok(self
            .0
            .jobs
            .lock()
            .unwrap()
            .iter()
            .map(|(status, _)| status.clone())
            .collect())
    }

    async fn stop(&self, job: &JobId, mode: StopMode) -> levada_engine::Result<()> {
        if mode == StopMode::Cancel {
            self.0.cancelled.lock().unwrap().push(job.0.clone());
        }
        let mut jobs = self.0.jobs.lock().unwrap();
        let found = jobs.iter_mut().find(|(status, _)| status.id == *job);
        found.unwrap().0.state = JobState::Stopped;
        Ok(())
    }

    async fn savepoint(&self, job: &JobId, dir: Option<String>) -> levada_engine::Result<String> {
        self.status(job).await?;
        Ok(format!("{}/savepoint-{job}-1", dir.unwrap_or_default()))
    }

    async fn wait(&self, job: &JobId) -> levada_engine::Result<JobStatus> {
        self.status(job).await
    }

    async fn results(
        &self,
        _job: &JobId,
        schema: SchemaRef,
    ) -> levada_engine::Result<ResultStream> {
        let batch = levada_engine::element::Batch::inserts(RecordBatch::new_empty(schema));
        Ok(futures::stream::iter([Ok(batch)]).boxed())
    }
}

struct FakeDeployment {
    fake: Arc<Fake>,
    embedded: bool,
}

#[async_trait]
impl Deployment for FakeDeployment {
    async fn connect(&self) -> Result<Arc<dyn JobClient>> {
        *self.fake.connections.lock().unwrap() += 1;
        Ok(Arc::new(Client(self.fake.clone())))
    }

    fn default_parallelism(&self) -> u32 {
        3
    }

    fn is_embedded(&self) -> bool {
        self.embedded
    }

    async fn close(&self) {}
}

const BOUNDED: &str = "CREATE TABLE few (a INT, b STRING NOT NULL COMMENT 'b', \
     c AS a + 1, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) \
     WITH ('connector' = 'datagen', 'number-of-rows' = '3')";
const UNBOUNDED: &str = "CREATE TABLE many (a INT) WITH ('connector' = 'datagen')";
const SINK: &str = "CREATE TABLE hole (a INT) WITH ('connector' = 'blackhole')";

async fn session() -> (Session, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    let mut session = Session::new(
        connectors(),
        Arc::new(FakeDeployment {
            fake: fake.clone(),
            embedded: true,
        }),
    );
    for sql in [BOUNDED, UNBOUNDED, SINK] {
        session.execute(sql).await.unwrap();
    }
    (session, fake)
}

/// The cells of a SHOW, DESCRIBE or SET; NULL is `-`.
fn cells(outcome: Outcome) -> Vec<Vec<String>> {
    let Outcome::Table(rows) = outcome else {
        panic!("{outcome:?}");
    };
    (0..rows.num_rows())
        .map(|row| {
            rows.columns()
                .iter()
                .map(|column| {
                    let column = column.as_string::<i32>();
                    use arrow::array::Array;
                    match column.is_null(row) {
                        true => "-".to_string(),
                        false => column.value(row).to_string(),
                    }
                })
                .collect()
        })
        .collect()
}

async fn table(session: &mut Session, sql: &str) -> Vec<Vec<String>> {
    cells(session.execute(sql).await.unwrap())
}

async fn error(session: &mut Session, sql: &str) -> String {
    session.execute(sql).await.unwrap_err().render(sql)
}

async fn job(session: &mut Session, sql: &str) -> crate::Job {
    match session.execute(sql).await.unwrap() {
        Outcome::Job(job) => job,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_started_before_the_first_job() {
    let (mut session, fake) = session().await;
    for sql in [
        "SHOW TABLES",
        "SHOW JOBS",
        "EXPLAIN SELECT * FROM few",
        "DESCRIBE few",
        "SET",
    ] {
        session.execute(sql).await.unwrap();
    }
    assert_eq!(*fake.connections.lock().unwrap(), 0);
    job(&mut session, "INSERT INTO hole SELECT a FROM few").await;
    job(&mut session, "INSERT INTO hole SELECT a FROM many").await;
    assert_eq!(*fake.connections.lock().unwrap(), 1, "and then once");
}

#[tokio::test]
async fn tables_are_listed_and_described() {
    let (mut session, _) = session().await;
    session
        .execute("CREATE VIEW v AS SELECT a, b FROM few")
        .await
        .unwrap();
    let names = |rows: Vec<Vec<String>>| rows.concat();
    assert_eq!(
        names(table(&mut session, "SHOW TABLES").await),
        ["few", "hole", "many", "v"]
    );
    assert_eq!(names(table(&mut session, "SHOW VIEWS").await), ["v"]);
    assert_eq!(
        table(&mut session, "DESCRIBE few").await,
        [
            ["a", "INT", "true", "-", "-", "-", "-"],
            ["b", "STRING", "false", "-", "-", "-", "b"],
            ["c", "BIGINT", "true", "-", "AS a + 1", "-", "-"],
            [
                "ts",
                "TIMESTAMP(3)",
                "true",
                "-",
                "-",
                "ts - INTERVAL '5' SECOND",
                "-"
            ],
        ]
    );
    let view = table(&mut session, "DESCRIBE v").await;
    assert_eq!(
        view.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(),
        ["a", "b"]
    );
}

#[tokio::test]
async fn show_create_prints_a_statement_that_can_be_run() {
    let (mut session, _) = session().await;
    let Outcome::Text(sql) = session.execute("SHOW CREATE TABLE few").await.unwrap() else {
        panic!("a text is expected");
    };
    session.execute("DROP TABLE few").await.unwrap();
    session.execute(&sql).await.unwrap();
    assert_eq!(table(&mut session, "DESCRIBE few").await.len(), 4);
    let wrong = error(&mut session, "SHOW CREATE VIEW few").await;
    assert!(
        wrong.contains("few is a table") && wrong.contains("SHOW CREATE TABLE"),
        "{wrong}"
    );
}

#[tokio::test]
async fn inserts_wait_when_their_input_ends_unless_told() {
    let (mut session, fake) = session().await;
    let bounded = "INSERT INTO hole SELECT a FROM few";
    let unbounded = "INSERT INTO hole SELECT a FROM many";
    let waits = |job: crate::Job| (job.bounded, job.wait);
    assert_eq!(waits(job(&mut session, bounded).await), (true, true));
    assert_eq!(waits(job(&mut session, unbounded).await), (false, false));
    session
        .execute("SET 'table.dml-sync' = 'true'")
        .await
        .unwrap();
    assert_eq!(waits(job(&mut session, unbounded).await), (false, true));
    session
        .execute("SET 'table.dml-sync' = 'false'")
        .await
        .unwrap();
    assert_eq!(waits(job(&mut session, bounded).await), (true, false));
    assert_eq!(fake.jobs.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_statement_set_is_one_job() {
    let (mut session, fake) = session().await;
    let sql = "EXECUTE STATEMENT SET BEGIN \
        INSERT INTO hole SELECT a FROM few; INSERT INTO hole SELECT a + 1 FROM few; END";
    job(&mut session, sql).await;
    assert_eq!(fake.jobs.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn settings_reach_the_job() {
    let (mut session, fake) = session().await;
    let parallelism = |fake: &Fake| {
        let jobs = fake.jobs.lock().unwrap();
        let (_, graph) = jobs.last().unwrap();
        graph.vertices.iter().map(|v| v.parallelism).max().unwrap()
    };
    job(&mut session, "INSERT INTO hole SELECT a FROM few").await;
    assert_eq!(parallelism(&fake), 3, "the deployment's default");
    session
        .execute("SET 'parallelism.default' = '5'")
        .await
        .unwrap();
    session
        .execute("SET 'pipeline.name' = 'mine'")
        .await
        .unwrap();
    session
        .execute("SET 'execution.checkpointing.interval' = '7 s'")
        .await
        .unwrap();
    let named = job(&mut session, "INSERT INTO hole SELECT a FROM few").await;
    assert_eq!((named.name.as_str(), parallelism(&fake)), ("mine", 5));
    let jobs = fake.jobs.lock().unwrap();
    assert_eq!(jobs[1].1.settings.checkpoints.interval_ms, Some(7_000));
}

#[tokio::test]
async fn set_and_reset_answer() {
    let (mut session, _) = session().await;
    session.execute("SET 'pipeline.name' = 'x'").await.unwrap();
    let rows = table(&mut session, "SET").await;
    assert_eq!(rows, [["pipeline.name", "x"]]);
    session.execute("RESET 'pipeline.name'").await.unwrap();
    assert!(table(&mut session, "SET").await.is_empty());
    let wrong = error(&mut session, "SET 'pipeline.nam' = 'x'").await;
    assert!(
        wrong.starts_with("LV-1017") && wrong.contains("line 1, column 5"),
        "{wrong}"
    );
    let wrong = error(&mut session, "\n  RESET 'pipeline.nam'").await;
    assert!(wrong.contains("line 2, column 9"), "{wrong}");
}

#[tokio::test]
async fn jobs_are_listed_and_stopped() {
    let (mut session, _) = session().await;
    assert!(table(&mut session, "SHOW JOBS").await.is_empty());
    let id = job(&mut session, "INSERT INTO hole SELECT a FROM many")
        .await
        .id;
    let rows = table(&mut session, "SHOW JOBS").await;
    assert_eq!(
        (rows[0][0].as_str(), rows[0][2].as_str()),
        (id.0.as_str(), "RUNNING")
    );
    let stop = format!("STOP JOB '{id}'");
    assert!(matches!(
        session.execute(&stop).await.unwrap(),
        Outcome::Ok(_)
    ));
    assert_eq!(table(&mut session, "SHOW JOBS").await[0][2], "STOPPED");
    let again = session.execute(&stop).await.unwrap();
    assert!(matches!(again, Outcome::Ok(text) if text.contains("already ended")));
    let wrong = error(&mut session, "STOP JOB 'nope'").await;
    assert!(
        wrong.starts_with("LV-1017") && wrong.contains("SHOW JOBS"),
        "{wrong}"
    );
    let set = session.execute("SET 'state.savepoints.dir' = '/safe'");
    set.await.unwrap();
    let id = job(&mut session, "INSERT INTO hole SELECT a FROM many")
        .await
        .id;
    let stop = format!("STOP JOB '{id}' WITH SAVEPOINT WITH DRAIN");
    let stopped = session.execute(&stop).await.unwrap();
    assert!(
        matches!(&stopped, Outcome::Ok(text) if text.contains("/safe/savepoint-")),
        "{stopped:?}"
    );
}

#[tokio::test]
async fn a_query_says_whether_it_ends_and_updates() {
    let (mut session, _) = session().await;
    let cases = [
        ("SELECT a FROM few", true, true),
        ("SELECT a FROM many", false, true),
        ("SELECT a, COUNT(*) FROM few GROUP BY a", true, false),
    ];
    for (sql, bounded, append) in cases {
        let Outcome::Query(query) = session.execute(sql).await.unwrap() else {
            panic!("rows are expected");
        };
        assert_eq!(
            (query.bounded, query.is_append_only()),
            (bounded, append),
            "{sql}"
        );
        assert!(query.job.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_mode_runs_without_a_job() {
    let (mut session, fake) = session().await;
    session
        .execute("SET 'execution.runtime-mode' = 'batch'")
        .await
        .unwrap();
    let Outcome::Query(query) = session.execute("SELECT a FROM few").await.unwrap() else {
        panic!("rows are expected");
    };
    assert!(query.bounded && query.is_append_only() && query.job.is_none());
    let rows: usize = query
        .collect()
        .await
        .unwrap()
        .iter()
        .map(RecordBatch::num_rows)
        .sum();
    assert_eq!(rows, 3);
    let written = session
        .execute("INSERT INTO hole SELECT a FROM few")
        .await
        .unwrap();
    assert!(matches!(written, Outcome::Ok(text) if text == "3 rows written"));
    let wrong = error(&mut session, "SELECT a FROM many").await;
    assert!(wrong.starts_with("LV-"), "{wrong}");
    assert_eq!(*fake.connections.lock().unwrap(), 0);
}

#[tokio::test]
async fn errors_say_where_in_the_script() {
    let (mut session, _) = session().await;
    let script = "SET 'pipeline.name' = 'x';\nSELECT nope FROM few;";
    let statements = parser::parse(script).unwrap();
    session.execute_statement(&statements[0]).await.unwrap();
    let error = session.execute_statement(&statements[1]).await.unwrap_err();
    let text = error.render(script);
    assert!(text.starts_with("LV-1003"), "{text}");
    assert!(
        text.contains("line 2, column 8") && text.contains("SELECT nope FROM few;"),
        "{text}"
    );
}

#[tokio::test]
async fn completion_knows_tables_columns_and_functions() {
    let (session, _) = session().await;
    let tables = session.tables();
    let few = tables.iter().find(|(name, _)| name == "few").unwrap();
    assert_eq!(few.1, ["a", "b", "c", "ts"]);
    let functions = session.functions();
    assert!(functions.iter().any(|name| name == "upper"));
    assert!(functions.iter().all(|name| !name.starts_with("__")));
}
