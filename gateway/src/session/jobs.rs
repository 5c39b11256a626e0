//! SHOW JOBS, DESCRIBE JOB and STOP JOB.

use levada_engine::client::{JobState, JobStatus, StopMode};
use levada_engine::graph::JobId;
use levada_language::{Location, PlanError, PlanErrorKind};
use levada_planner::parser::StopJob;

use super::Session;
use crate::config::keys::SAVEPOINT_DIR;
use crate::error::Result;
use crate::outcome::{Outcome, text_table};

impl Session {
    pub(super) async fn jobs(&self) -> Result<Outcome> {
        jobs_table(&self.known_jobs().await?)
    }

    async fn known_jobs(&self) -> Result<Vec<JobStatus>> {
        match self.client.get() {
            Some(client) => Ok(client.list().await?),
            // Nothing was started, so an embedded engine has no jobs.
            None if self.deployment.is_embedded() => Ok(Vec::new()),
            None => Ok(self.client().await?.list().await?),
        }
    }

    pub(super) async fn describe_job(&self, id: &str, at: Location) -> Result<Outcome> {
        let jobs = self.known_jobs().await?;
        jobs_table(std::slice::from_ref(find(&jobs, id, at)?))
    }

    /// Ends a job with a last checkpoint, waits until it has ended, and makes a savepoint of the
    /// checkpoint if one is wanted.
    pub(super) async fn stop_job(&self, stop: &StopJob) -> Result<Outcome> {
        let jobs = self.known_jobs().await?;
        let job = find(&jobs, &stop.id, stop.location)?;
        let id = JobId(stop.id.clone());
        if job.state.is_terminal() {
            let ended = job.state.name().to_ascii_lowercase();
            return Ok(Outcome::Ok(format!("job {id} has already ended ({ended})")));
        }
        let mode = match stop.with_drain {
            true => StopMode::Drain,
            false => StopMode::Checkpoint,
        };
        let client = self.client().await?;
        client.stop(&id, mode).await?;
        let status = client.wait(&id).await?;
        if let Some(error) = status.error.filter(|_| status.state == JobState::Failed) {
            return Err(error.into());
        }
        if !stop.with_savepoint {
            return Ok(Outcome::Ok(format!("job {id} is stopped")));
        }
        let dir = self.configuration.get(SAVEPOINT_DIR).map(str::to_string);
        let path = client.savepoint(&id, dir).await?;
        let text = format!("job {id} is stopped; its savepoint is {path}");
        Ok(Outcome::Ok(text))
    }
}

fn find<'a>(jobs: &'a [JobStatus], id: &str, at: Location) -> Result<&'a JobStatus> {
    let Some(job) = jobs.iter().find(|job| job.id.0 == id) else {
        let error = PlanError::new(
            PlanErrorKind::UnknownName,
            format!("there is no job '{id}'"),
        );
        return Err(error.hint("SHOW JOBS lists them").at(Some(at)).into());
    };
    Ok(job)
}

/// The rows of SHOW JOBS.
///
/// # Errors
/// None that input can cause.
pub fn jobs_table(jobs: &[JobStatus]) -> Result<Outcome> {
    let names = [
        "job id",
        "job name",
        "status",
        "submitted",
        "ended",
        "restarts",
        "checkpoint",
        "message",
    ];
    let rows = jobs.iter().map(|job| {
        let error = job.error.as_ref().map(|error| error.message.clone());
        vec![
            Some(job.id.to_string()),
            Some(job.name.clone()),
            Some(job.state.name().to_string()),
            Some(moment(job.submitted_ms)),
            job.ended_ms.map(moment),
            Some(job.restarts.to_string()),
            job.checkpoints.last_path.clone(),
            job.held_up_by().map(str::to_string).or(error),
        ]
    });
    text_table(&names, rows)
}

/// A moment for people, in UTC.
pub(crate) fn moment(ms: i64) -> String {
    match chrono::DateTime::from_timestamp_millis(ms) {
        Some(moment) => moment.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string(),
        None => ms.to_string(),
    }
}
