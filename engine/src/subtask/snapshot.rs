//! Uploads what a barrier has frozen, while processing goes on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::chain::KeyedSnapshot;
use super::{ReportKind, Reporter};
use crate::checkpoint::{
    ChannelTime, CheckpointStore, FileChain, InFlight, OperatorCheckpoint, StateFile,
    SubtaskCheckpoint,
};
use crate::element::{Barrier, Element};
use crate::error::{EngineError, Result};
use crate::exchange::frame;
use crate::graph::execution::SubtaskId;
use crate::key::KeyGroupRange;
use crate::operator::Layout;
use crate::state::blob::{Blob, Spool};
use crate::state::file::{self, Written};
use crate::state::{Delta, Restored, RestoredFile, delta};

#[cfg(test)]
mod tests;

/// What belongs to a subtask's share of a checkpoint beside keyed state.
pub(super) struct Rest {
    /// Positions of sources and prepared output of sinks.
    pub operators: Vec<OperatorCheckpoint>,
    /// What the barrier has overtaken.
    pub overtaken: Vec<Overtaken>,
    /// How far time had come where it did.
    pub channels: Vec<ChannelTime>,
}

/// Elements that a barrier has overtaken, and where; path and place in the file are still unknown.
pub(super) struct Overtaken {
    pub at: InFlight,
    pub elements: Vec<Element>,
}

/// Writes what a barrier has overtaken into one file; also returns its size.
pub(super) async fn write_overtaken(
    store: &CheckpointStore,
    name: &str,
    overtaken: Vec<Overtaken>,
) -> Result<(Vec<InFlight>, u64)> {
    let encode = move || -> Result<(Vec<InFlight>, BytesMut)> {
        let (mut parts, mut bytes) = (Vec::new(), BytesMut::new());
        for Overtaken { mut at, elements } in overtaken {
            at.offset = bytes.len() as u64;
            frame::encode_elements(elements, &mut bytes)?;
            at.bytes = bytes.len() as u64 - at.offset;
            parts.push(at);
        }
        Ok((parts, bytes))
    };
    let encoded = tokio::task::spawn_blocking(encode).await;
    let (mut parts, bytes) = encoded.map_err(EngineError::from)??;
    let size = bytes.len() as u64;
    let path = store.put_in_flight(name, bytes.freeze()).await?;
    for part in &mut parts {
        part.path.clone_from(&path);
    }
    Ok((parts, size))
}

/// Makes the snapshots of one subtask durable.
#[derive(Clone)]
pub(super) struct Uploader {
    /// `None` keeps no keyed state: nobody could restore it.
    pub store: Option<CheckpointStore>,
    pub subtask: SubtaskId,
    pub attempt: u32,
    pub key_groups: KeyGroupRange,
    pub reporter: Reporter,
    /// For files that do not fit into memory.
    pub scratch: PathBuf,
    /// By operator uid.
    pub chains: Arc<Mutex<BTreeMap<String, OperatorFiles>>>,
    /// One upload at a time: a slow store delays checkpoints and piles nothing up.
    pub turn: Arc<tokio::sync::Mutex<()>>,
    /// One merge at a time.
    pub merging: Arc<tokio::sync::Mutex<()>>,
    /// Cancelled when the subtask is gone, and nobody waits for files any more.
    pub stop: CancellationToken,
}

/// What is known of the state files of one operator.
#[derive(Debug, Default)]
pub(super) struct OperatorFiles {
    pub chain: FileChain,
    /// The layouts that rows in the files may have.
    layouts: Vec<Layout>,
    /// Changes that no file in the store has, from old to new: those of the snapshot that is being
    /// uploaded, and of earlier ones whose upload failed.
    backlog: Vec<Delta>,
    /// The file that files of the chain are being merged into.
    growing: Option<String>,
    /// The last checkpoint that was told which files there are.
    told: u64,
}

impl OperatorFiles {
    pub fn new(chain: FileChain, layouts: Vec<Layout>) -> Self {
        OperatorFiles {
            chain,
            layouts,
            ..OperatorFiles::default()
        }
    }
}

impl Uploader {
    /// Whether keyed state goes anywhere.
    pub fn keeps_state(&self) -> bool {
        self.store.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, OperatorFiles>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the upload of a snapshot; its outcome is reported. `rest` is what else belongs to the
    /// checkpoint; if that never comes, the checkpoint has been given up.
    pub fn upload(
        &self,
        barrier: Barrier,
        nodes: Vec<KeyedSnapshot>,
        rest: oneshot::Receiver<Rest>,
    ) {
        let mut keyed = Vec::new();
        for node in nodes {
            let mut chains = self.lock();
            let files = chains.entry(node.uid.clone()).or_default();
            let delta = Some(node.delta).filter(|d| !d.is_empty());
            files.backlog.extend(delta);
            keyed.push(OperatorCheckpoint {
                uid: node.uid,
                name: node.name,
                ..OperatorCheckpoint::default()
            });
        }
        let uploader = self.clone();
        tokio::spawn(async move {
            let work = async {
                let share = uploader.upload_share(barrier, keyed, rest).await;
                if let Some(share) = share.transpose() {
                    uploader.report(barrier.checkpoint_id, share).await;
                }
                if let Some(store) = &uploader.store {
                    uploader.merge_chains(store, barrier).await;
                }
            };
            tokio::select! {
                () = uploader.stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Makes the subtask's share of a checkpoint durable; `None` if the checkpoint is given up.
    async fn upload_share(
        &self,
        barrier: Barrier,
        keyed: Vec<OperatorCheckpoint>,
        rest: oneshot::Receiver<Rest>,
    ) -> Result<Option<(SubtaskCheckpoint, u64)>> {
        let (mut operators, mut bytes) = match &self.store {
            Some(store) if !keyed.is_empty() => self.upload_keyed(store, barrier, keyed).await?,
            _ => (Vec::new(), 0),
        };
        let Ok(rest) = rest.await else {
            return Ok(None);
        };
        operators.extend(rest.operators);
        let mut in_flight = Vec::new();
        if let Some(store) = self.store.as_ref().filter(|_| !rest.overtaken.is_empty()) {
            let name = self.file_name(barrier, "in-flight");
            let written = write_overtaken(store, &name, rest.overtaken).await?;
            (in_flight, bytes) = (written.0, bytes + written.1);
        }
        let share = SubtaskCheckpoint {
            subtask: self.subtask,
            operators,
            in_flight,
            channels: rest.channels,
        };
        Ok(Some((share, bytes)))
    }

    async fn report(&self, checkpoint_id: u64, outcome: Result<(SubtaskCheckpoint, u64)>) {
        let kind = match outcome {
            Ok((share, bytes)) => ReportKind::Snapshot {
                checkpoint_id,
                share,
                bytes,
            },
            Err(error) => ReportKind::SnapshotFailed {
                checkpoint_id,
                error,
            },
        };
        self.reporter.send(kind).await;
    }

    async fn upload_keyed(
        &self,
        store: &CheckpointStore,
        barrier: Barrier,
        keyed: Vec<OperatorCheckpoint>,
    ) -> Result<(Vec<OperatorCheckpoint>, u64)> {
        let _turn = self.turn.lock().await;
        let mut operators = Vec::new();
        let mut total = 0;
        for mut checkpoint in keyed {
            let name = self.file_name(barrier, &checkpoint.uid);
            total += self.upload_delta(store, &name, &checkpoint.uid).await?;
            total += self.bring_home(store, &name, &checkpoint.uid).await?;
            if let Some(files) = self.lock().get_mut(&checkpoint.uid) {
                files.told = files.told.max(barrier.checkpoint_id);
                checkpoint.keyed = files.chain.files();
                checkpoint.layouts = files.layouts.clone();
                checkpoint.in_progress = files.growing.iter().cloned().collect();
            }
            operators.push(checkpoint);
        }
        Ok((operators, total))
    }

    /// Names say by which checkpoint a file was written, which the sweep of old files reads.
    fn file_name(&self, barrier: Barrier, uid: &str) -> String {
        let (subtask, attempt) = (self.subtask, self.attempt);
        format!(
            "{}-{attempt}-{}-{}-{uid}",
            barrier.checkpoint_id, subtask.vertex.0, subtask.index
        )
    }

    /// Writes what has changed; returns the number of bytes.
    async fn upload_delta(&self, store: &CheckpointStore, name: &str, uid: &str) -> Result<u64> {
        let backlog = match self.lock().get_mut(uid) {
            Some(files) => std::mem::take(&mut files.backlog),
            None => Vec::new(),
        };
        if backlog.is_empty() {
            return Ok(0);
        }
        let scratch = self.scratch.clone();
        let encode = move || {
            let mut spool = Spool::new(&scratch);
            match delta::write(&backlog, &mut spool).and_then(|w| Ok((w, spool.finish()?))) {
                Ok(encoded) => Ok(encoded),
                Err(error) => Err((error, backlog)),
            }
        };
        let encoded = tokio::task::spawn_blocking(encode).await;
        let uploaded = match encoded.map_err(EngineError::from)? {
            Ok((written, content)) => {
                let uploaded = store.put_state(name, self.key_groups, &content, written);
                let uploaded = uploaded.await;
                uploaded.map_err(|e| (e, vec![Delta::of_file(content)]))
            }
            Err(failed) => Err(failed),
        };
        let mut chains = self.lock();
        let files = chains.entry(uid.to_string()).or_default();
        match uploaded {
            Ok(file) => {
                let bytes = file.bytes;
                files.chain.push(file);
                Ok(bytes)
            }
            Err((error, backlog)) => {
                // The next checkpoint writes it, with what comes meanwhile behind it.
                files.backlog.splice(0..0, backlog);
                Err(error)
            }
        }
    }

    /// Copies restored files that lie where the job's checkpoints do not go.
    async fn bring_home(&self, store: &CheckpointStore, name: &str, uid: &str) -> Result<u64> {
        let foreign = self.lock().get(uid).map_or(0, |f| f.chain.foreign());
        if foreign == 0 {
            return Ok(0);
        }
        self.merge(store, &format!("{name}-base"), uid, 0..foreign)
            .await
    }

    /// Merges files of chains that have grown long, for later checkpoints.
    async fn merge_chains(&self, store: &CheckpointStore, barrier: Barrier) {
        let Ok(_merging) = self.merging.try_lock() else {
            return;
        };
        let uids: Vec<String> = self.lock().keys().cloned().collect();
        for uid in uids {
            let Some((name, range)) = self.begin_merge(barrier, &uid) else {
                continue;
            };
            let merged = self.merge(store, &name, &uid, range).await;
            if let Some(files) = self.lock().get_mut(&uid) {
                files.growing = None;
            }
            if let Err(error) = merged {
                // The chain stays as it is; the next checkpoint tries again.
                tracing::warn!(subtask = %self.subtask, "state files could not be merged: {error}");
            }
        }
    }

    /// Decides what to merge, and into which file. Checkpoints behind `barrier` may have been told of the files
    /// already; they do not know of this one, so it has the number of the last of them, and the sweep that
    /// follows them lets it stay. Those to come are told that it grows.
    fn begin_merge(&self, barrier: Barrier, uid: &str) -> Option<(String, Range<usize>)> {
        let mut chains = self.lock();
        let files = chains.get_mut(uid)?;
        let range = files.chain.to_merge()?;
        let last = Barrier {
            checkpoint_id: files.told.max(barrier.checkpoint_id),
            ..barrier
        };
        // Several merges may have the number of one checkpoint, and one barrier each.
        let name = format!(
            "{}-merged-{}",
            self.file_name(last, uid),
            barrier.checkpoint_id
        );
        files.growing = Some(CheckpointStore::state_path(&name));
        Some((name, range))
    }

    /// Puts one file in the place of several; returns its size.
    async fn merge(
        &self,
        store: &CheckpointStore,
        name: &str,
        uid: &str,
        range: Range<usize>,
    ) -> Result<u64> {
        let links = match self.lock().get(uid) {
            Some(files) => files.chain.links()[range.clone()].to_vec(),
            None => return Ok(0),
        };
        let mut restored = Vec::new();
        for link in links {
            let from = link.foreign.as_ref().unwrap_or(store);
            restored.push(RestoredFile {
                reader: from.open_state(&link.file, &self.scratch).await?,
                key_groups: link.file.key_groups,
                name: link.file.path,
            });
        }
        let (scratch, key_groups) = (self.scratch.clone(), self.key_groups);
        // Below the oldest file there is nothing that a deletion could still delete.
        let complete = range.start == 0;
        let encode = move || -> Result<(Written, Blob)> {
            let mut spool = Spool::new(&scratch);
            let restored = Restored(restored);
            let mut entries = restored.merged(key_groups, None, complete);
            let written = file::write(&mut entries, &mut spool)?;
            Ok((written, spool.finish()?))
        };
        let encoded = tokio::task::spawn_blocking(encode).await;
        let (written, content) = encoded.map_err(EngineError::from)??;
        let file: Option<StateFile> = match written.entries {
            0 => None,
            _ => Some(store.put_state(name, key_groups, &content, written).await?),
        };
        let bytes = file.as_ref().map_or(0, |f| f.bytes);
        if let Some(files) = self.lock().get_mut(uid) {
            files.chain.replace(range, file);
        }
        Ok(bytes)
    }
}
