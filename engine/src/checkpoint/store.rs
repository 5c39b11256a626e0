//! Where checkpoints are kept: a directory or an object store.
//!
//! ```text
//! <dir>/<job>/state/<subtask>-<checkpoint>-<attempt>-<operator>.state
//! <dir>/<job>/chk-<id>/manifest.json
//! ```

use std::io::Write;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use serde::{Deserialize, Serialize};

use super::{MANIFEST_VERSION, Manifest, StateFile};
use crate::error::{EngineError, Result};
use crate::failpoint::{Failpoint, Failpoints};
use crate::graph::JobId;
use crate::key::KeyGroupRange;
use crate::state::blob::{Blob, Spool};
use crate::state::file::{StateFileReader, Written};

/// The manifest of a savepoint, in its folder.
const SAVEPOINT_MANIFEST: &str = "manifest.json";
/// Large files are sent in parts of this size, so many at a time.
const PART_BYTES: usize = 8 << 20;
const PARTS_AT_ONCE: usize = 4;

/// The checkpoints of one job.
#[derive(Debug, Clone)]
pub struct CheckpointStore {
    store: Arc<dyn ObjectStore>,
    /// The job's folder.
    root: Path,
    /// The same, if it is in the local file system.
    local: Option<std::path::PathBuf>,
    /// The same for people.
    shown: String,
    failpoints: Failpoints,
}

/// The version of a manifest, whatever else is in it.
#[derive(Deserialize)]
struct Format {
    version: u32,
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
                local: None,
                shown: folder.into(),
                failpoints: Failpoints::default(),
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
            local: Some(local),
            shown,
            failpoints: Failpoints::default(),
        })
    }

    /// The same in a process that is to die here.
    pub fn with_failpoints(self, failpoints: &Failpoints) -> Self {
        let failpoints = failpoints.clone();
        CheckpointStore { failpoints, ..self }
    }

    /// The checkpoint or savepoint at `path`, and where its files are: a savepoint's folder, or the
    /// folder `chk-N` of a job's, as SHOW JOBS prints it.
    pub async fn load(path: &str) -> Result<(Manifest, Self)> {
        let path = path.trim_end_matches('/');
        let checkpoint = path.rsplit_once('/').and_then(|(folder, name)| {
            let id = name.strip_prefix("chk-")?.parse::<u64>().ok()?;
            Some((folder, manifest_path(id)))
        });
        let (folder, manifest) = match checkpoint {
            Some(found) => found,
            None => (path, SAVEPOINT_MANIFEST.to_string()),
        };
        let nothing = || {
            EngineError::checkpoint(format!("'{path}' is neither a checkpoint nor a savepoint"))
                .with_hint(
                    "a checkpoint ends in chk-N, as SHOW JOBS prints it; a savepoint is the \
                     folder that STOP JOB … WITH SAVEPOINT names",
                )
        };
        if !folder.contains("://") && !FilePath::new(folder).is_dir() {
            return Err(nothing());
        }
        let store = Self::at(folder)?;
        let found = match store.exists(&manifest).await {
            true => store.read_manifest(&manifest).await,
            false => Err(nothing()),
        };
        match found {
            Ok(manifest) => Ok((manifest, store)),
            Err(error) => {
                let others = store.list().await.unwrap_or_default();
                Err(offer(error, &store, path, &others))
            }
        }
    }

    async fn exists(&self, path: &str) -> bool {
        self.store.head(&self.path(path)).await.is_ok()
    }

    /// Copies a checkpoint to a folder of its own, where nothing of it depends on the job any more.
    /// It exists there when its manifest does.
    pub async fn export(&self, manifest: &Manifest, target: &CheckpointStore) -> Result<()> {
        let files = manifest.operators.values().flat_map(|o| &o.keyed);
        let paths: std::collections::BTreeSet<&str> = files.map(|f| f.path.as_str()).collect();
        let scratch = std::env::temp_dir();
        for path in paths {
            let content = self.fetch(path, &scratch).await?;
            target.put_blob(path, &content).await?;
            self.failpoints.pass(Failpoint::SavepointFile);
        }
        self.failpoints.pass(Failpoint::SavepointManifest);
        let mut manifest = manifest.clone();
        for operator in manifest.operators.values_mut() {
            operator.in_progress.clear();
        }
        target.write_manifest(SAVEPOINT_MANIFEST, &manifest).await?;
        self.failpoints.pass(Failpoint::SavepointMade);
        Ok(())
    }

    /// The job's folder, for [`CheckpointStore::at`].
    pub fn folder(&self) -> &str {
        &self.shown
    }

    /// Where checkpoint `id` is, for people and for `execution.state-recovery.path`.
    pub fn location(&self, id: u64) -> String {
        format!("{}/chk-{id}", self.shown)
    }

    /// Where a file of keyed state lies in the job's folder.
    pub fn state_path(name: &str) -> String {
        format!("state/{name}.state")
    }

    /// Writes a file of keyed state.
    pub async fn put_state(
        &self,
        name: &str,
        key_groups: KeyGroupRange,
        content: &Blob,
        written: Written,
    ) -> Result<StateFile> {
        let path = Self::state_path(name);
        self.failpoints.pass(Failpoint::StateUpload);
        self.put_blob(&path, content).await?;
        self.failpoints.pass(Failpoint::StateUploaded);
        Ok(StateFile {
            path,
            key_groups,
            bytes: written.bytes,
            entries: written.entries,
            seal: written.seal,
        })
    }

    /// Opens a file of keyed state and checks that it is the one that the manifest means. What does
    /// not lie in a local directory is copied to a nameless file in `scratch`.
    pub async fn open_state(
        &self,
        file: &StateFile,
        scratch: &FilePath,
    ) -> Result<StateFileReader> {
        let corrupt = |why: String| {
            EngineError::checkpoint(format!(
                "the state file {}/{} is corrupt: {why}",
                self.shown, file.path
            ))
            .with_hint("start from another retained checkpoint")
        };
        let content = self.fetch(&file.path, scratch).await?;
        if content.len() != file.bytes {
            let (found, expected) = (content.len(), file.bytes);
            return Err(corrupt(format!(
                "it has {found} bytes instead of {expected}"
            )));
        }
        let opened = tokio::task::spawn_blocking(move || StateFileReader::open(content));
        let opened = opened.await.map_err(EngineError::from)?;
        let reader = opened.map_err(|e| corrupt(e.message))?;
        if reader.seal() != file.seal {
            return Err(corrupt("its checksum does not match the manifest".into()));
        }
        Ok(reader)
    }

    async fn fetch(&self, path: &str, scratch: &FilePath) -> Result<Blob> {
        if let Some(local) = &self.local {
            let file = local.join(path);
            let opened = tokio::task::spawn_blocking(move || Blob::open(&file));
            let opened = opened.await.map_err(EngineError::from)?;
            return opened.map_err(|e| self.unreadable(path, e));
        }
        let got = self.store.get(&self.path(path)).await;
        let got = got.map_err(|e| self.failed("read", path, e))?;
        let mut chunks = got.into_stream();
        let mut spool = Spool::new(scratch);
        while let Some(chunk) = chunks
            .try_next()
            .await
            .map_err(|e| self.failed("read", path, e))?
        {
            let written =
                tokio::task::spawn_blocking(move || spool.write_all(&chunk).map(|()| spool));
            spool = written.await.map_err(EngineError::from)?.map_err(|e| {
                EngineError::state("a state file cannot be copied to the scratch directory")
                    .with_detail(e.to_string())
            })?;
        }
        spool.finish()
    }

    fn unreadable(&self, path: &str, error: EngineError) -> EngineError {
        EngineError::checkpoint(format!("{}/{path} cannot be read", self.shown))
            .with_detail(error.detail.unwrap_or(error.message))
            .with_hint("start from another retained checkpoint")
    }

    /// Makes a checkpoint exist.
    pub async fn put_manifest(&self, manifest: &Manifest) -> Result<()> {
        self.failpoints.pass(Failpoint::Manifest);
        self.write_manifest(&manifest_path(manifest.barrier.checkpoint_id), manifest)
            .await?;
        self.failpoints.pass(Failpoint::ManifestWritten);
        Ok(())
    }

    async fn write_manifest(&self, path: &str, manifest: &Manifest) -> Result<()> {
        let broken = |e: serde_json::Error| EngineError::internal(e.to_string());
        let text = serde_json::value::to_raw_value(manifest).map_err(broken)?;
        let sealed = Sealed {
            crc32: crc32fast::hash(text.get().as_bytes()),
            manifest: text,
        };
        let bytes = serde_json::to_vec(&sealed).map_err(broken)?;
        self.put(path, bytes.into()).await
    }

    /// Reads checkpoint `id`.
    pub async fn get_manifest(&self, id: u64) -> Result<Manifest> {
        self.read_manifest(&manifest_path(id)).await
    }

    async fn read_manifest(&self, path: &str) -> Result<Manifest> {
        let bytes = self.get(path).await?;
        let broken = |e: String| {
            EngineError::checkpoint(format!("the manifest {}/{path} is corrupt", self.shown))
                .with_detail(e)
                .with_hint("start from another retained checkpoint")
        };
        let sealed: Sealed = serde_json::from_slice(&bytes).map_err(|e| broken(e.to_string()))?;
        if crc32fast::hash(sealed.manifest.get().as_bytes()) != sealed.crc32 {
            return Err(broken("its checksum does not match".into()));
        }
        let text = sealed.manifest.get();
        let Format { version } = serde_json::from_str(text).map_err(|e| broken(e.to_string()))?;
        if version != MANIFEST_VERSION {
            return Err(EngineError::checkpoint(format!(
                "the manifest {}/{path} has format version {version}; this release reads version \
                 {MANIFEST_VERSION}",
                self.shown
            )));
        }
        serde_json::from_str(text).map_err(|e| broken(e.to_string()))
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
        if self.local.is_some() {
            // A local directory keeps empty folders.
            let _ = tokio::fs::remove_dir(format!("{}/chk-{id}", self.shown)).await;
        }
        Ok(())
    }

    /// Removes the state files of checkpoints before `before` that no manifest in `retained`
    /// refers to.
    pub async fn sweep(&self, before: u64, retained: &[&Manifest]) -> Result<()> {
        let operators = || retained.iter().flat_map(|m| m.operators.values());
        let kept = operators().flat_map(|o| &o.keyed).map(|f| f.path.as_str());
        let growing = operators().flat_map(|o| &o.in_progress).map(String::as_str);
        let used: std::collections::BTreeSet<&str> = kept.chain(growing).collect();
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
                self.failpoints.pass(Failpoint::Sweep);
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
        if self.local.is_some() {
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
        put.map_err(|e| self.failed("written", path, e))?;
        self.sync(path).await
    }

    /// Writes content that may be too large for memory.
    async fn put_blob(&self, path: &str, content: &Blob) -> Result<()> {
        if let Blob::Memory(bytes) = content {
            return self.put(path, bytes.clone()).await;
        }
        let upload = self.store.put_multipart(&self.path(path)).await;
        let upload = upload.map_err(|e| self.failed("written", path, e))?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut offset = 0;
        while offset < content.len() {
            let length = (content.len() - offset).min(PART_BYTES as u64);
            let from = content.clone();
            let part = tokio::task::spawn_blocking(move || from.read(offset, length as usize));
            let part = part.await.map_err(EngineError::from)?;
            let ready = upload.wait_for_capacity(PARTS_AT_ONCE).await;
            let ready = ready.map_err(|e| self.failed("written", path, e));
            match part.and_then(|part| ready.map(|()| part)) {
                Ok(part) => upload.put(part),
                Err(error) => {
                    let _ = upload.abort().await;
                    return Err(error);
                }
            }
            offset += length;
        }
        let finished = upload.finish().await;
        finished.map_err(|e| self.failed("written", path, e))?;
        self.sync(path).await
    }

    /// Makes what was written to a local directory survive a loss of power: the file, its name and
    /// its folder's name. Object stores promise this by themselves.
    async fn sync(&self, path: &str) -> Result<()> {
        let Some(local) = &self.local else {
            return Ok(());
        };
        let (root, file) = (local.clone(), local.join(path));
        let sync = move || -> std::io::Result<()> {
            std::fs::File::open(&file)?.sync_all()?;
            let mut folder = file.parent();
            while let Some(path) = folder.filter(|f| f.starts_with(&root)) {
                std::fs::File::open(path)?.sync_all()?;
                folder = path.parent();
            }
            Ok(())
        };
        let synced = tokio::task::spawn_blocking(sync);
        synced.await.map_err(EngineError::from)?.map_err(|e| {
            EngineError::checkpoint(format!("{}/{path} cannot be made durable", self.shown))
                .with_detail(e.to_string())
        })
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

/// Offers the other checkpoints of a folder to those who ask for one that cannot be read.
fn offer(error: EngineError, store: &CheckpointStore, path: &str, ids: &[u64]) -> EngineError {
    let others = ids.iter().map(|id| store.location(*id));
    let others: Vec<String> = others
        .filter(|other| !path.ends_with(other.as_str()))
        .collect();
    match others.is_empty() {
        true => error,
        false => error.with_hint(format!("these are there: {}", others.join(", "))),
    }
}

fn manifest_path(id: u64) -> String {
    format!("chk-{id}/manifest.json")
}
