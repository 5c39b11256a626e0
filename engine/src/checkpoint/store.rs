//! Where checkpoints are kept: a directory or an object store.
//!
//! ```text
//! <dir>/<job>/state/<subtask>-<checkpoint>-<attempt>-<operator>.state
//! <dir>/<job>/chk-<id>/manifest.json
//! ```

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use super::{MANIFEST_VERSION, Manifest, StateFile};
use crate::error::{EngineError, Result};
use crate::graph::JobId;
use crate::key::KeyGroupRange;

/// The checkpoints of one job.
#[derive(Debug, Clone)]
pub struct CheckpointStore {
    store: Arc<dyn ObjectStore>,
    /// The job's folder.
    root: Path,
    /// The same for people.
    shown: String,
}

/// A manifest as it is written: with a checksum over its text.
#[derive(Serialize, Deserialize)]
struct Sealed {
    crc32: u32,
    manifest: Box<serde_json::value::RawValue>,
}

impl CheckpointStore {
    /// The folder of `job` under `dir`, a local directory or an object-store URL.
    pub fn open(dir: &str, job: &JobId) -> Result<Self> {
        Self::at(&format!("{}/{}", dir.trim_end_matches('/'), job.0))
    }

    /// A job's folder.
    pub fn at(folder: &str) -> Result<Self> {
        let unusable = |e: String| {
            EngineError::checkpoint(format!(
                "the checkpoint directory '{folder}' cannot be used"
            ))
            .with_detail(e)
        };
        if let Some((scheme, _)) = folder.split_once("://")
            && scheme != "file"
        {
            let url = url::Url::parse(folder).map_err(|e| unusable(e.to_string()))?;
            let env = std::env::vars().map(|(k, v)| (k.to_ascii_lowercase(), v));
            let (store, root) =
                object_store::parse_url_opts(&url, env).map_err(|e| unusable(e.to_string()))?;
            return Ok(CheckpointStore {
                store: store.into(),
                root,
                shown: folder.into(),
            });
        }
        let local = std::path::PathBuf::from(folder.trim_start_matches("file://"));
        let local = std::path::absolute(local).map_err(|e| unusable(e.to_string()))?;
        std::fs::create_dir_all(&local).map_err(|e| unusable(e.to_string()))?;
        let store =
            LocalFileSystem::new_with_prefix(&local).map_err(|e| unusable(e.to_string()))?;
        let shown = local.display().to_string();
        Ok(CheckpointStore {
            store: Arc::new(store),
            root: Path::default(),
            shown,
        })
    }

    /// The job's folder, for [`CheckpointStore::at`].
    pub fn folder(&self) -> &str {
        &self.shown
    }

    /// Where checkpoint `id` is, for people and for `execution.state-recovery.path`.
    pub fn location(&self, id: u64) -> String {
        format!("{}/chk-{id}", self.shown)
    }

    /// Writes a file of keyed state.
    pub async fn put_state(
        &self,
        name: &str,
        key_groups: KeyGroupRange,
        content: Vec<u8>,
    ) -> Result<StateFile> {
        let path = format!("state/{name}.state");
        let (bytes, crc32) = (content.len() as u64, crc32fast::hash(&content));
        self.put(&path, content.into()).await?;
        Ok(StateFile {
            path,
            key_groups,
            bytes,
            crc32,
        })
    }

    /// Reads a file of keyed state and checks it.
    pub async fn get_state(&self, file: &StateFile) -> Result<Bytes> {
        let content = self.get(&file.path).await?;
        if content.len() as u64 != file.bytes || crc32fast::hash(&content) != file.crc32 {
            return Err(EngineError::checkpoint(format!(
                "the state file {}/{} is corrupt",
                self.shown, file.path
            ))
            .with_hint("start from another retained checkpoint"));
        }
        Ok(content)
    }

    /// Makes a checkpoint exist.
    pub async fn put_manifest(&self, manifest: &Manifest) -> Result<()> {
        let broken = |e: serde_json::Error| EngineError::internal(e.to_string());
        let text = serde_json::value::to_raw_value(manifest).map_err(broken)?;
        let sealed = Sealed {
            crc32: crc32fast::hash(text.get().as_bytes()),
            manifest: text,
        };
        let bytes = serde_json::to_vec(&sealed).map_err(broken)?;
        self.put(&manifest_path(manifest.barrier.checkpoint_id), bytes.into())
            .await
    }

    /// Reads checkpoint `id`.
    pub async fn get_manifest(&self, id: u64) -> Result<Manifest> {
        let path = manifest_path(id);
        let bytes = self.get(&path).await?;
        let broken = |e: String| {
            EngineError::checkpoint(format!("the manifest {}/{path} is corrupt", self.shown))
                .with_detail(e)
                .with_hint("start from another retained checkpoint")
        };
        let sealed: Sealed = serde_json::from_slice(&bytes).map_err(|e| broken(e.to_string()))?;
        if crc32fast::hash(sealed.manifest.get().as_bytes()) != sealed.crc32 {
            return Err(broken("its checksum does not match".into()));
        }
        let manifest: Manifest =
            serde_json::from_str(sealed.manifest.get()).map_err(|e| broken(e.to_string()))?;
        if manifest.version > MANIFEST_VERSION {
            let (theirs, ours) = (manifest.version, MANIFEST_VERSION);
            return Err(broken(format!(
                "it has version {theirs}, this build reads up to {ours}"
            )));
        }
        Ok(manifest)
    }

    /// The ids of the checkpoints that exist, ascending.
    pub async fn list(&self) -> Result<Vec<u64>> {
        let listed = self.store.list_with_delimiter(Some(&self.root)).await;
        let listed = listed.map_err(|e| self.failed("listed", "", e))?;
        let mut ids = Vec::new();
        for folder in listed.common_prefixes {
            let id = folder
                .filename()
                .and_then(|n| n.strip_prefix("chk-")?.parse().ok());
            if let Some(id) = id
                && self
                    .store
                    .head(&self.path(&manifest_path(id)))
                    .await
                    .is_ok()
            {
                ids.push(id);
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Removes a checkpoint; its state files go with [`CheckpointStore::sweep`].
    pub async fn remove(&self, id: u64) -> Result<()> {
        let path = manifest_path(id);
        self.store
            .delete(&self.path(&path))
            .await
            .map_err(|e| self.failed("removed", &path, e))?;
        if self.root == Path::default() {
            // A local directory keeps empty folders.
            let _ = tokio::fs::remove_dir(format!("{}/chk-{id}", self.shown)).await;
        }
        Ok(())
    }

    /// Removes the state files of checkpoints before `before` that no manifest in `retained`
    /// refers to.
    pub async fn sweep(&self, before: u64, retained: &[&Manifest]) -> Result<()> {
        let used: std::collections::BTreeSet<&str> = retained
            .iter()
            .flat_map(|m| m.operators.values())
            .flat_map(|o| &o.keyed)
            .map(|f| f.path.as_str())
            .collect();
        let folder = self.path("state");
        let files: Vec<_> = self
            .store
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(|e| self.failed("listed", "state", e))?;
        for file in files {
            let Some(name) = file.location.filename() else {
                continue;
            };
            let checkpoint = name.split('-').next().and_then(|c| c.parse::<u64>().ok());
            let old = checkpoint.is_some_and(|c| c < before);
            if old && !used.contains(format!("state/{name}").as_str()) {
                let deleted = self.store.delete(&file.location).await;
                deleted.map_err(|e| self.failed("removed", name, e))?;
            }
        }
        Ok(())
    }

    /// Removes everything of the job.
    pub async fn remove_all(&self) -> Result<()> {
        let files: Vec<_> = self
            .store
            .list(Some(&self.root))
            .try_collect()
            .await
            .map_err(|e| self.failed("listed", "", e))?;
        for file in files {
            let deleted = self.store.delete(&file.location).await;
            deleted.map_err(|e| self.failed("removed", file.location.as_ref(), e))?;
        }
        if self.root == Path::default() {
            let _ = tokio::fs::remove_dir_all(&self.shown).await;
        }
        Ok(())
    }

    fn path(&self, relative: &str) -> Path {
        relative
            .split('/')
            .filter(|p| !p.is_empty())
            .fold(self.root.clone(), |p, part| p.join(part))
    }

    async fn put(&self, path: &str, content: Bytes) -> Result<()> {
        let put = self.store.put(&self.path(path), content.into()).await;
        put.map(|_| ()).map_err(|e| self.failed("written", path, e))
    }

    async fn get(&self, path: &str) -> Result<Bytes> {
        let got = self
            .store
            .get(&self.path(path))
            .await
            .map_err(|e| self.failed("read", path, e))?;
        got.bytes().await.map_err(|e| self.failed("read", path, e))
    }

    fn failed(&self, what: &str, path: &str, error: object_store::Error) -> EngineError {
        EngineError::checkpoint(format!("{}/{path} cannot be {what}", self.shown))
            .with_detail(error.to_string())
            .with_hint("check that the directory exists, is writable and has space left")
    }
}

fn manifest_path(id: u64) -> String {
    format!("chk-{id}/manifest.json")
}
