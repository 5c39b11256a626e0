//! Jobs that outlive their coordinator.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::job::Job;
use super::registry::{Record, Registry, lost};
use super::{Coordinator, Entry, Input, savepoint};
use crate::checkpoint::{CheckpointStore, Manifest};
use crate::client::JobState;
use crate::error::{EngineError, Result};
use crate::failpoint::Failpoint;
use crate::graph::JobId;

/// A job of an earlier coordinator.
#[derive(Debug)]
pub struct TakenUp {
    record: Record,
    /// Its latest checkpoint.
    latest: Option<Arc<Manifest>>,
    /// What it started from, if it has no checkpoint yet.
    restore: Option<(Arc<Manifest>, String)>,
}

/// Takes a coordinator's directory, and up the jobs that are written down there.
pub async fn recover(dir: PathBuf, now_ms: i64) -> Result<(Registry, Vec<TakenUp>)> {
    let read = move || -> Result<(Registry, Vec<Record>)> {
        let registry = Registry::open(&dir)?;
        let records = registry.take_up()?;
        Ok((registry, records))
    };
    let (registry, records) = tokio::task::spawn_blocking(read).await??;
    let mut taken_up = Vec::new();
    for mut record in records {
        let found = match record.ended {
            Some(_) => Ok((None, None)),
            None => checkpoint_of(&record).await,
        };
        let (latest, restore) = found.unwrap_or_else(|error| {
            tracing::error!(job = %record.id, "a job cannot be taken up: {error}");
            record.ended = Some(lost(&record, error, now_ms));
            (None, None)
        });
        taken_up.push(TakenUp {
            record,
            latest,
            restore,
        });
    }
    Ok((registry, taken_up))
}

type Found = (Option<Arc<Manifest>>, Option<(Arc<Manifest>, String)>);

/// The checkpoint that a job goes on from.
async fn checkpoint_of(record: &Record) -> Result<Found> {
    if let Some(folder) = &record.folder {
        let store = CheckpointStore::at(folder)?;
        if let Some(manifest) = store.latest().await? {
            return Ok((Some(Arc::new(manifest)), None));
        }
    }
    match &record.graph.settings.checkpoints.restore_from {
        None => Ok((None, None)),
        Some(path) => {
            let (manifest, store) = CheckpointStore::load(path).await?;
            let restored = manifest.restore(&record.graph)?;
            let folder = store.folder().to_string();
            Ok((None, Some((Arc::new(restored.manifest), folder))))
        }
    }
}

impl Coordinator {
    /// Goes on with the jobs of an earlier coordinator.
    pub(super) fn take_up(&mut self, jobs: Vec<TakenUp>) {
        for TakenUp {
            record,
            latest,
            restore,
        } in jobs
        {
            let store = record.folder.as_deref().map(CheckpointStore::at);
            let failing = |store: CheckpointStore| store.with_failpoints(&self.failpoints);
            let store = store.transpose().map(|store| store.map(failing));
            let (job, store) = match (&record.ended, store) {
                (Some(status), store) => (
                    Job::ended_before(&record, status),
                    store.unwrap_or_default(),
                ),
                (None, Ok(store)) => {
                    let from = latest.as_ref().map(|m| m.barrier.checkpoint_id);
                    tracing::info!(job = %record.id, checkpoint = from, "a job is taken up");
                    (Job::taken_up(&record, latest, restore), store)
                }
                (None, Err(error)) => {
                    let status = lost(&record, error, self.clock.now_ms());
                    (Job::ended_before(&record, &status), None)
                }
            };
            let (number, id) = (record.number, record.id.clone());
            self.submitted = self.submitted.max(number);
            self.ids.insert(id.clone(), number);
            let entry = Entry {
                ended: watch::Sender::new(job.has_ended()),
                end_is_known: job.has_ended(),
                job,
                record: Some(record),
                store,
                rows: None,
                reader: None,
                savepoints: savepoint::Savepoints::default(),
            };
            self.jobs.insert(number, entry);
            // The earlier coordinator may not have come to it.
            self.remove_checkpoints(&id);
        }
    }

    /// Writes a job down before it is admitted.
    pub(super) fn write_down(
        &mut self,
        number: u64,
        entry: Entry,
        reply: oneshot::Sender<Result<JobId>>,
    ) {
        let (Some(registry), Some(record)) = (&self.registry, &entry.record) else {
            let _ = reply.send(Ok(self.admit(number, entry)));
            return;
        };
        let (registry, record) = (registry.clone(), record.clone());
        let (inputs, points) = (self.inputs.clone(), self.failpoints.clone());
        tokio::spawn(async move {
            points.pass(Failpoint::JobWrite);
            let written = tokio::task::spawn_blocking(move || registry.write(&record)).await;
            points.pass(Failpoint::JobWritten);
            let refused = match written {
                Ok(Ok(())) => {
                    let admit = Input::Admit(number, Box::new(entry), reply);
                    let _ = inputs.send(admit).await;
                    return;
                }
                Ok(Err(error)) => error,
                Err(broken) => broken.into(),
            };
            let _ = reply.send(Err(refused));
        });
    }

    /// A job has ended. That is written down before anybody acts upon it: a job whose checkpoints are
    /// gone must not be taken up again.
    pub(super) fn ended(&mut self, id: &JobId) {
        let registry = self.registry.clone();
        let Ok(entry) = self.entry(id) else { return };
        let status = entry.job.status();
        tracing::info!(job = %id, state = status.state.name(), "a job has ended");
        entry.rows = None;
        let (Some(registry), Some(record)) = (registry, &mut entry.record) else {
            self.tell_end(id, true);
            return;
        };
        record.ended = Some(status);
        record.dropped = entry.job.was_dropped();
        let (record, id) = (record.clone(), id.clone());
        let (inputs, points) = (self.inputs.clone(), self.failpoints.clone());
        tokio::spawn(async move {
            points.pass(Failpoint::JobEnd);
            let write = move || registry.write(&record);
            let written = match tokio::task::spawn_blocking(write)
                .await
                .map_err(EngineError::from)
            {
                Ok(Ok(())) => true,
                Ok(Err(error)) | Err(error) => {
                    tracing::error!("{error}");
                    false
                }
            };
            points.pass(Failpoint::JobEndWritten);
            let _ = inputs.send(Input::EndWritten(id, written)).await;
        });
    }

    /// Tells those who wait for a job's end. If that could not be written down, the next coordinator
    /// takes the job up again, and must find its last checkpoint: from there it has nothing to do but to
    /// end.
    pub(super) fn tell_end(&mut self, id: &JobId, written: bool) {
        let Ok(entry) = self.entry(id) else { return };
        entry.end_is_known = written;
        entry.ended.send_replace(true);
        self.remove_checkpoints(id);
    }

    /// A finished job has no more use for its checkpoints, unless one is being copied or queries read the last
    /// one; nor has a view that was dropped.
    pub(super) fn remove_checkpoints(&mut self, id: &JobId) {
        let Ok(entry) = self.entry(id) else { return };
        let finished = entry.job.status().state == JobState::Finished;
        let done = finished && entry.job.kept_view().is_none() || entry.job.was_dropped();
        let idle = entry.job.writes_nothing() && entry.savepoints.pinned().is_empty();
        let removable = done && entry.end_is_known && idle;
        let Some(store) = entry.store.clone().filter(|_| removable) else {
            return;
        };
        tokio::spawn(async move {
            if let Err(error) = store.remove_all().await {
                tracing::warn!("the checkpoints of a finished job could not be removed: {error}");
            }
        });
    }

    /// Forgets a job that has ended long ago.
    pub(super) fn erase(&self, entry: Entry) {
        if let (Some(registry), Some(record)) = (self.registry.clone(), entry.record) {
            tokio::task::spawn_blocking(move || registry.remove(&record.id));
        }
    }
}
