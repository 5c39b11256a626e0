//! A client of a coordinator in the same process.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::StreamExt;
use tokio::sync::{mpsc, oneshot, watch};

use super::Input;
use crate::checkpoint::{CheckpointStore, Manifest};
use crate::client::{JobClient, JobState, JobStatus, ResultStream, StopMode};
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::{JobGraph, JobId};

/// Talks to a coordinator through its queue.
#[derive(Clone)]
pub struct LocalClient {
    inputs: mpsc::Sender<Input>,
}

impl LocalClient {
    /// A client of the coordinator that takes these inputs.
    pub fn new(inputs: mpsc::Sender<Input>) -> Self {
        LocalClient { inputs }
    }

    async fn ask<T>(&self, input: impl FnOnce(oneshot::Sender<T>) -> Input) -> Result<T> {
        let gone = || EngineError::network("the coordinator is gone");
        let (reply, answer) = oneshot::channel();
        self.inputs.send(input(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }

    /// The workers, with their slots and how many of them are free.
    pub async fn workers(&self) -> Result<Vec<(crate::control::WorkerId, u32, u32)>> {
        self.ask(Input::Workers).await
    }

    /// The rows of a job; each batch must be acknowledged by taking the next.
    pub(crate) async fn rows(&self, job: &JobId) -> Result<ResultStream> {
        let rows = self
            .ask(|reply| Input::Results(job.clone(), reply))
            .await??;
        let state = Reader {
            client: self.clone(),
            job: job.clone(),
            rows,
            done: false,
        };
        Ok(futures::stream::unfold(state, Reader::step).boxed())
    }
}

/// Loads the checkpoint that a job is to start from.
async fn load_restore(graph: &JobGraph) -> Result<Option<(Arc<Manifest>, String)>> {
    let Some(path) = &graph.settings.checkpoints.restore_from else {
        return Ok(None);
    };
    let (manifest, store) = CheckpointStore::load(path).await?;
    Ok(Some((Arc::new(manifest), store.folder().to_string())))
}

#[async_trait]
impl JobClient for LocalClient {
    async fn submit(&self, graph: JobGraph) -> Result<JobId> {
        let restore = load_restore(&graph).await?;
        if let Some(dir) = &graph.settings.checkpoints.dir {
            CheckpointStore::check(dir).await?;
        }
        self.ask(|reply| Input::Submit(Box::new(graph), restore, reply))
            .await?
    }

    async fn status(&self, job: &JobId) -> Result<JobStatus> {
        self.ask(|reply| Input::Status(job.clone(), reply)).await?
    }

    async fn list(&self) -> Result<Vec<JobStatus>> {
        self.ask(Input::List).await
    }

    async fn stop(&self, job: &JobId, mode: StopMode) -> Result<()> {
        self.ask(|reply| Input::Stop(job.clone(), mode, reply))
            .await?
    }

    async fn savepoint(&self, job: &JobId, dir: Option<String>) -> Result<String> {
        self.ask(|reply| Input::Savepoint(job.clone(), dir, reply))
            .await?
    }

    async fn wait(&self, job: &JobId) -> Result<JobStatus> {
        let mut ended: watch::Receiver<bool> =
            self.ask(|reply| Input::Watch(job.clone(), reply)).await??;
        // A coordinator that goes away ends the wait; the status then says so.
        let _ = ended.wait_for(|ended| *ended).await;
        self.status(job).await
    }

    async fn results(&self, job: &JobId, schema: SchemaRef) -> Result<ResultStream> {
        let rows = self.rows(job).await?;
        let check = move |batch: Result<Batch>| {
            let batch = batch?;
            match batch.schema().fields().len() == schema.fields().len() {
                true => Ok(batch),
                false => Err(EngineError::internal(
                    "the rows of a query have another schema",
                )),
            }
        };
        Ok(rows.map(check).boxed())
    }
}

/// Reads the rows of a job.
struct Reader {
    client: LocalClient,
    job: JobId,
    rows: mpsc::Receiver<Batch>,
    done: bool,
}

impl Reader {
    async fn step(mut self) -> Option<(Result<Batch>, Self)> {
        if self.done {
            return None;
        }
        if let Some(batch) = self.rows.recv().await {
            let _ = self
                .client
                .inputs
                .send(Input::Collected(self.job.clone()))
                .await;
            return Some((Ok(batch), self));
        }
        self.done = true;
        match self.client.status(&self.job).await {
            Ok(status) if status.state == JobState::Failed => {
                let unknown = || EngineError::internal("the job failed without saying why");
                Some((Err(status.error.unwrap_or_else(unknown)), self))
            }
            Ok(_) => None,
            Err(error) => Some((Err(error), self)),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.done {
            // Nobody reads the query any more, so it need not run.
            let _ = self
                .client
                .inputs
                .try_send(Input::Abandoned(self.job.clone()));
        }
    }
}
