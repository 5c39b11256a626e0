//! Savepoints: who waits for them, and copying them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Coordinator, Input};
use crate::checkpoint::{CheckpointStore, Manifest};
use crate::error::{EngineError, Result};
use crate::graph::JobId;

/// The savepoints of one job that are being made.
#[derive(Default)]
pub(super) struct Savepoints {
    tickets: u64,
    /// By ticket: the directory, and who waits.
    waiting: BTreeMap<u64, (String, oneshot::Sender<Result<String>>)>,
    /// Checkpoints that are being copied, so that their files must stay.
    pinned: Vec<Arc<Manifest>>,
}

impl Savepoints {
    /// Tells those who wait that there will be no savepoint.
    pub(super) fn refuse(&mut self, tickets: &[u64], error: &EngineError) {
        for ticket in tickets {
            if let Some((_, reply)) = self.waiting.remove(ticket) {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }

    /// The checkpoints whose files must stay.
    pub(super) fn pinned(&self) -> Vec<Arc<Manifest>> {
        self.pinned.clone()
    }

    /// A copy is no longer being made.
    pub(super) fn unpin(&mut self, manifest: &Arc<Manifest>) {
        let found = self.pinned.iter().position(|m| Arc::ptr_eq(m, manifest));
        if let Some(position) = found {
            self.pinned.swap_remove(position);
        }
    }
}

impl Coordinator {
    /// Begins a savepoint.
    pub(super) fn savepoint(
        &mut self,
        id: &JobId,
        dir: Option<String>,
        reply: oneshot::Sender<Result<String>>,
    ) {
        let now = self.clock.now_ms();
        let entry = match self.entry(id) {
            Ok(entry) => entry,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        let own = entry.job.graph().settings.checkpoints.dir.clone();
        let beside = || {
            format!(
                "{}/savepoints",
                own.unwrap_or_default().trim_end_matches('/')
            )
        };
        let savepoints = &mut entry.savepoints;
        savepoints.tickets += 1;
        let ticket = savepoints.tickets;
        let dir = dir.unwrap_or_else(beside);
        savepoints.waiting.insert(ticket, (dir, reply));
        let actions = entry.job.savepoint(ticket, now);
        self.act(id, actions);
    }

    /// Copies a checkpoint in the background, once for each who waits.
    pub(super) fn export(&mut self, id: &JobId, tickets: &[u64], manifest: Arc<Manifest>) {
        let inputs = self.inputs.clone();
        let Ok(entry) = self.entry(id) else { return };
        let Some(store) = entry.store.clone() else {
            return;
        };
        for ticket in tickets {
            let Some((dir, reply)) = entry.savepoints.waiting.remove(ticket) else {
                continue;
            };
            entry.savepoints.pinned.push(Arc::clone(&manifest));
            let (store, manifest) = (store.clone(), Arc::clone(&manifest));
            let (inputs, id) = (inputs.clone(), id.clone());
            tokio::spawn(async move {
                let _ = reply.send(copy(&store, &manifest, &dir, &id).await);
                let _ = inputs.send(Input::Exported(id, manifest)).await;
            });
        }
    }
}

async fn copy(
    store: &CheckpointStore,
    manifest: &Manifest,
    dir: &str,
    job: &JobId,
) -> Result<String> {
    let checkpoint = manifest.barrier.checkpoint_id;
    let folder = format!("{}/savepoint-{job}-{checkpoint}", dir.trim_end_matches('/'));
    let target = CheckpointStore::at(&folder)?;
    store.export(manifest, &target).await?;
    tracing::info!(%job, checkpoint, savepoint = target.folder(), "a savepoint was made");
    Ok(target.folder().to_string())
}
