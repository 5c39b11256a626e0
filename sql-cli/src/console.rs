//! Between a session and the person or program in front of it: shows outcomes, waits for jobs,
//! passes on Ctrl-C.

mod choose;
mod wait;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use futures::StreamExt;
use levada_engine::client::{JobClient, JobStatus, StopMode};
use levada_engine::element::Batch;
use levada_engine::graph::JobId;
use levada_engine::time::{Clock, SystemClock};
use levada_gateway::{Error, Outcome, QueryResult, Session};

use crate::args::Output;
use crate::progress::Progress;
use crate::render::{End, RenderError, RowSink};
use crate::signals::Interrupts;
use crate::terminal::{StatusLine, Terminal};

/// How often a running query is drawn and asked for its progress.
const TICK: Duration = Duration::from_millis(250);
/// Progress is not worth showing before.
const PATIENCE: Duration = Duration::from_millis(600);
/// How long a query that was stopped may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Why a statement did not end as it should.
#[derive(Debug)]
pub enum Failure {
    /// It is wrong or failed.
    Statement(Error),
    /// The user stopped it. True if that is how such work ends: it would never end by itself.
    Interrupted {
        /// Whether the work was unbounded.
        unbounded: bool,
    },
    /// Nobody reads standard output any more, or it cannot be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Statement(error)
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Output(error) => Failure::Output(error),
            RenderError::Rows(error) => Failure::Statement(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

/// The result of showing an outcome.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Shows outcomes.
pub struct Console {
    /// How results are printed.
    pub output: Output,
    /// Whether a person types the statements.
    pub interactive: bool,
    /// What this process is connected to.
    pub terminal: Terminal,
}

impl Console {
    /// Says something to the person: in a shell on standard output, else on standard error, which
    /// leaves standard output to the results.
    pub fn say(&self, text: &str) -> Result<()> {
        match self.interactive {
            true => writeln!(io::stdout(), "{text}")?,
            false => writeln!(io::stderr(), "{text}")?,
        }
        Ok(())
    }

    /// Shows anything but a job, which may have to be waited for.
    pub async fn present(
        &self,
        session: &Session,
        outcome: Outcome,
        interrupts: &mut Interrupts,
    ) -> Result<()> {
        match outcome {
            Outcome::Ok(message) => self.say(&message),
            Outcome::Table(rows) => self.rows(session, rows),
            Outcome::Text(text) => self.text(session, &text),
            Outcome::Job(job) => {
                self.tell_start(&job)?;
                self.wait(session, &job, interrupts).await
            }
            Outcome::Query(query) => self.query(session, query, interrupts).await,
        }
    }

    fn rows(&self, session: &Session, rows: RecordBatch) -> Result<()> {
        let mut sink = self.plain_sink(rows.schema(), session.configuration())?;
        sink.batch(&Batch::inserts(rows))?;
        Ok(sink.finish(End::Complete)?)
    }

    fn text(&self, session: &Session, text: &str) -> Result<()> {
        if self.output == Output::Table {
            return Ok(writeln!(io::stdout(), "{text}")?);
        }
        let column = Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let rows = RecordBatch::try_from_iter([("result", column)]).map_err(Error::from)?;
        self.rows(session, rows)
    }

    /// Shows the rows of a query until it ends, fails or is stopped.
    async fn query(
        &self,
        session: &Session,
        mut query: QueryResult,
        interrupts: &mut Interrupts,
    ) -> Result<()> {
        let job = match &query.job {
            Some(id) => Some((id.clone(), session.client().await?)),
            None => None,
        };
        let mut sink = match self.sink(&query, session.configuration()) {
            Ok(sink) => sink,
            Err(failure) => {
                stop(job.as_ref(), &mut query).await;
                return Err(failure);
            }
        };
        let shown = self
            .show(&mut query, sink.as_mut(), job.as_ref(), interrupts)
            .await;
        match shown {
            Ok(()) => Ok(sink.finish(End::Complete)?),
            Err(failure) => {
                stop(job.as_ref(), &mut query).await;
                let end = match &failure {
                    Failure::Interrupted { .. } => End::Stopped,
                    _ => End::Failed,
                };
                // If standard output is gone, that is known already.
                let _ = sink.finish(end);
                Err(failure)
            }
        }
    }

    async fn show(
        &self,
        query: &mut QueryResult,
        sink: &mut dyn RowSink,
        job: Option<&(JobId, Arc<dyn JobClient>)>,
        interrupts: &mut Interrupts,
    ) -> Result<()> {
        let mut line = StatusLine::new(self.terminal.stderr && !sink.draws_progress());
        let mut progress = Progress::default();
        let mut told = None;
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
        let begin = std::time::Instant::now();
        loop {
            tokio::select! {
                batch = query.rows.next() => match batch {
                    None => return Ok(()),
                    Some(batch) => {
                        line.clear();
                        sink.batch(&batch?)?;
                    }
                },
                _ = ticks.tick() => {
                    let status = status_of(job).await;
                    let text = progress.line(status.as_ref(), SystemClock.now_ms());
                    line.clear();
                    if begin.elapsed() > PATIENCE && !sink.draws_progress() {
                        self.tell_trouble(&mut told, status.as_ref(), &mut line)?;
                    }
                    sink.tick(&text)?;
                    if begin.elapsed() > PATIENCE {
                        line.show(&text);
                    }
                }
                _ = interrupts.next() => {
                    return Err(Failure::Interrupted { unbounded: !query.bounded });
                }
            }
        }
    }
}

/// How the job is, if it says so in time.
async fn status_of(job: Option<&(JobId, Arc<dyn JobClient>)>) -> Option<JobStatus> {
    let (id, client) = job?;
    let status = tokio::time::timeout(TICK, client.status(id)).await;
    status.ok()?.ok()
}

/// Ends the job behind a query that nobody wants any more, and waits until its rows have ended.
async fn stop(job: Option<&(JobId, Arc<dyn JobClient>)>, query: &mut QueryResult) {
    let Some((id, client)) = job else {
        return;
    };
    if let Err(error) = client.stop(id, StopMode::Cancel).await {
        tracing::debug!(job = %id, %error, "a query that had ended could not be stopped");
    }
    let drained = async { while query.rows.next().await.is_some() {} };
    if tokio::time::timeout(STOP_LIMIT, drained).await.is_err() {
        tracing::warn!(job = %id, "the query was stopped and has not ended yet");
    }
}
