//! Waiting for a job that writes tables.

use std::sync::Arc;
use std::time::Instant;

use levada_engine::client::{JobClient, JobState, JobStatus, StopMode};
use levada_gateway::{Error, Job, Session};

use super::{Console, Failure, PATIENCE, Result, TICK};
use crate::progress::{self, Progress};
use crate::signals::Interrupts;
use crate::terminal::StatusLine;
use levada_engine::time::{Clock, SystemClock};

impl Console {
    /// Says what a job has taken over of the checkpoint that it starts from, and what of its state grows.
    pub fn tell_start(&self, job: &Job) -> Result<()> {
        for line in &job.restored {
            self.say(&format!("restored: {line}"))?;
        }
        if let Some(growing) = &job.growing {
            self.say(&format!("warning: {growing}"))?;
        }
        Ok(())
    }

    /// Waits until a job has ended. Ctrl-C stops a job of the embedded engine, with a last
    /// checkpoint, and leaves one of a cluster alone; a second Ctrl-C cancels it.
    pub async fn wait(
        &self,
        session: &Session,
        job: &Job,
        interrupts: &mut Interrupts,
    ) -> Result<()> {
        let client = session.client().await?;
        let embedded = session.deployment().is_embedded();
        let mut line = StatusLine::new(self.terminal.stderr);
        let mut progress = Progress::default();
        let begin = Instant::now();
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
        let mut interrupted = false;
        let mut told = None;
        let waiting = client.clone();
        let ended = waiting.wait(&job.id);
        tokio::pin!(ended);
        let status = loop {
            tokio::select! {
                status = &mut ended => break status.map_err(Error::from)?,
                _ = ticks.tick(), if begin.elapsed() > PATIENCE => {
                    let status = tokio::time::timeout(TICK, client.status(&job.id)).await;
                    let status = status.ok().and_then(|status| status.ok());
                    self.tell_trouble(&mut told, status.as_ref(), &mut line)?;
                    if self.terminal.stderr {
                        line.show(&progress.line(status.as_ref(), SystemClock.now_ms()));
                    }
                }
                _ = interrupts.next() => {
                    line.clear();
                    if !embedded {
                        self.say(&format!("job {} goes on; 'levada job stop {}' ends it", job.id, job.id))?;
                        return Err(Failure::Interrupted { unbounded: !job.bounded });
                    }
                    self.stop(&client, job, interrupted).await?;
                    interrupted = true;
                }
            }
        };
        drop(line);
        self.ended(job, &status, interrupted)
    }

    /// Stops jobs with a last checkpoint, until they have ended or the user does not want to wait
    /// any longer.
    pub async fn stop_all(&self, session: &Session, jobs: &[Job], interrupts: &mut Interrupts) {
        let Ok(client) = session.client().await else {
            return;
        };
        for job in jobs {
            if let Err(error) = client.stop(&job.id, StopMode::Checkpoint).await {
                tracing::debug!(job = %job.id, %error, "the job could not be stopped");
                continue;
            }
            tokio::select! {
                _ = client.wait(&job.id) => {}
                _ = interrupts.next() => return,
            }
        }
    }

    /// Says what holds a job up, once for each reason.
    pub(super) fn tell_trouble(
        &self,
        told: &mut Option<String>,
        status: Option<&JobStatus>,
        line: &mut StatusLine,
    ) -> Result<()> {
        let Some(status) = status else { return Ok(()) };
        let trouble = status.held_up_by();
        if trouble != told.as_deref() {
            if let Some(trouble) = trouble {
                line.clear();
                self.say(trouble)?;
            }
            *told = trouble.map(str::to_string);
        }
        Ok(())
    }

    async fn stop(&self, client: &Arc<dyn JobClient>, job: &Job, again: bool) -> Result<()> {
        let mode = match again {
            false => StopMode::Checkpoint,
            true => StopMode::Cancel,
        };
        if !again {
            self.say("stopping; once more ends it at once")?;
        }
        // A job that is just ending by itself need not be stopped.
        if let Err(error) = client.stop(&job.id, mode).await {
            tracing::debug!(job = %job.id, %error, "the job could not be stopped");
        }
        Ok(())
    }

    fn ended(&self, job: &Job, status: &JobStatus, interrupted: bool) -> Result<()> {
        let elapsed = status.ended_ms.unwrap_or(status.submitted_ms) - status.submitted_ms;
        let elapsed = progress::duration(elapsed);
        match status.state {
            JobState::Failed => Err(Failure::Statement(failure(status))),
            JobState::Finished => {
                let rows = progress::rows_out(status);
                self.say(&format!("{}: {rows} rows written in {elapsed}", job.name))
            }
            _ if interrupted => Err(Failure::Interrupted {
                unbounded: !job.bounded,
            }),
            _ => self.say(&format!("{}: stopped after {elapsed}", job.name)),
        }
    }
}

fn failure(status: &JobStatus) -> Error {
    match &status.error {
        Some(error) => error.clone().into(),
        None => levada_engine::EngineError::internal(format!(
            "job {} failed and does not say why",
            status.id
        ))
        .into(),
    }
}
