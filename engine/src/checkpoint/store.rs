//! Where checkpoints are kept: a directory or an object store.
//!
//! ```text
//! <dir>/<job>/state/<subtask>-<checkpoint>-<attempt>-<operator>.state
//! <dir>/<job>/chk-<id>/manifest.json
//! ```

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::place::Place;
use super::{InFlight, MANIFEST_VERSION, Manifest, OLDEST_MANIFEST_VERSION, StateFile};
use crate::element::Element;
use crate::error::{EngineError, Result};
use crate::exchange::frame;
use crate::failpoint::{Failpoint, Failpoints};
use crate::graph::JobId;
use crate::key::KeyGroupRange;
use crate::state::blob::Blob;
use crate::state::file::{StateFileReader, Written};

/// The manifest of a savepoint, in its folder.
const SAVEPOINT_MANIFEST: &str = "manifest.json";
/// How often a manifest is tried to be written when it is not known why it is not there.
const MANIFEST_TRIES: usize = 3;

/// The checkpoints of one job.
#[derive(Debug, Clone)]
pub struct CheckpointStore {
    /// The job's folder.
    place: Place,
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
        Ok(Self::of(Place::at(folder)?))
    }

    /// A folder in an object store; `shown` is its name for people.
    pub fn over(store: Arc<dyn ObjectStore>, root: Path, shown: &str) -> Self {
        Self::of(Place::over(store, root, shown))
    }

    fn of(place: Place) -> Self {
        CheckpointStore {
            place,
            failpoints: Failpoints::default(),
        }
    }

    /// Fails if nothing can be read in an object store: a missing bucket, a wrong key, nobody there.
    pub async fn check(dir: &str) -> Result<()> {
        match dir.contains("://") {
            true => Place::at(dir)?.check().await,
            false => Ok(()),
        }
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
        let (folder, _) = parts(path);
        if !folder.contains("://") && !FilePath::new(folder).is_dir() {
            return Err(nothing(path));
        }
        let store = Self::at(folder)?;
        let manifest = store.load_here(path).await?;
        Ok((manifest, store))
    }

    /// The same for a path of which this is the folder.
    pub async fn load_here(&self, path: &str) -> Result<Manifest> {
        let (_, manifest) = parts(path);
        let found = match self.place.read(&manifest).await? {
            Some(found) => self.parse(&manifest, &found.bytes),
            None => Err(nothing(path)),
        };
        match found {
            Ok(manifest) => Ok(manifest),
            Err(error) => {
                let others = self.list().await.unwrap_or_default();
                Err(offer(error, self, path, &others))
            }
        }
    }

    /// Copies a checkpoint to a folder of its own, where nothing of it depends on the job any more.
    /// It exists there when its manifest does.
    pub async fn export(&self, manifest: &Manifest, target: &CheckpointStore) -> Result<()> {
        let paths: std::collections::BTreeSet<&str> = manifest.files().collect();
        let scratch = std::env::temp_dir();
        for path in paths {
            let content = self.place.fetch(path, &scratch).await?;
            target.place.put_blob(path, &content).await?;
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
        self.place.shown()
    }

    /// Where checkpoint `id` is, for people and for `execution.state-recovery.path`.
    pub fn location(&self, id: u64) -> String {
        format!("{}/chk-{id}", self.folder())
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
        self.place.put_blob(&path, content).await?;
        self.failpoints.pass(Failpoint::StateUploaded);
        Ok(StateFile {
            path,
            key_groups,
            bytes: written.bytes,
            entries: written.entries,
            seal: written.seal,
        })
    }

    /// Writes a file of elements that a barrier has overtaken; returns its path in the job's folder.
    pub async fn put_in_flight(&self, name: &str, content: Bytes) -> Result<String> {
        let path = Self::state_path(name);
        self.place.put_blob(&path, &Blob::Memory(content)).await?;
        Ok(path)
    }

    /// Reads elements that a barrier has overtaken; what does not lie in a local directory is copied to
    /// a nameless file in `scratch`.
    pub async fn get_in_flight(&self, of: &InFlight, scratch: &FilePath) -> Result<Vec<Element>> {
        let corrupt = |why: String| {
            let what = format!("the rows under way in {}/{}", self.folder(), of.path);
            EngineError::checkpoint(format!("{what} are corrupt"))
                .with_detail(why)
                .with_hint("start from another retained checkpoint")
        };
        let content = self.place.fetch(&of.path, scratch).await?;
        let end = of.offset.checked_add(of.bytes);
        if end.is_none_or(|end| end > content.len()) {
            return Err(corrupt("the file is cut off".into()));
        }
        let (offset, length) = (of.offset, of.bytes as usize);
        let read = move || frame::decode_elements(content.read(offset, length)?);
        let elements = tokio::task::spawn_blocking(read).await;
        elements
            .map_err(EngineError::from)?
            .map_err(|e| corrupt(e.message))
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
                self.folder(),
                file.path
            ))
            .with_hint("start from another retained checkpoint")
        };
        let content = self.place.fetch(&file.path, scratch).await?;
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

    /// Makes a checkpoint exist. One of the same number that a later run of the job has written stays,
    /// and this is an error: the job is somebody else's by now.
    pub async fn put_manifest(&self, manifest: &Manifest) -> Result<()> {
        self.failpoints.pass(Failpoint::Manifest);
        let path = manifest_path(manifest.barrier.checkpoint_id);
        self.write_manifest(&path, manifest).await?;
        self.failpoints.pass(Failpoint::ManifestWritten);
        Ok(())
    }

    /// The manifest is created, never written over, so that a write of a coordinator that is gone, which
    /// arrives late, changes nothing. What lies there already decides:
    /// the same, and this is an earlier try of ours whose answer was lost; that of an earlier run,
    /// which this run has left behind, and it is replaced if it is still that one.
    async fn write_manifest(&self, path: &str, manifest: &Manifest) -> Result<()> {
        let bytes = seal(manifest)?;
        let mut last = None;
        for _ in 0..MANIFEST_TRIES {
            match self.place.create(path, &bytes).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) if !self.place.failures_lie() => return Err(error),
                Err(error) => last = Some(error),
            }
            let found = match self.place.read(path).await {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(error) => return Err(last.unwrap_or(error)),
            };
            if found.bytes == bytes {
                return self.place.sync(path).await;
            }
            let theirs = self.parse(path, &found.bytes)?;
            if theirs.attempt >= manifest.attempt {
                return Err(self.taken(path, manifest, &theirs));
            }
            match self.place.replace(path, &bytes, found.version).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => last = Some(error),
            }
        }
        let never = || EngineError::checkpoint(format!("{}/{path} keeps changing", self.folder()));
        Err(last.unwrap_or_else(never))
    }

    fn taken(&self, path: &str, ours: &Manifest, theirs: &Manifest) -> EngineError {
        EngineError::config(format!(
            "the job {} runs somewhere else too: {}/{path} is of run {}, and this is run {}",
            ours.job,
            self.folder(),
            theirs.attempt,
            ours.attempt
        ))
        .with_hint("give each coordinator a directory of its own, and stop this one")
    }

    /// Reads checkpoint `id`.
    pub async fn get_manifest(&self, id: u64) -> Result<Manifest> {
        let path = manifest_path(id);
        match self.place.read(&path).await? {
            Some(found) => self.parse(&path, &found.bytes),
            None => Err(EngineError::checkpoint(format!(
                "there is no checkpoint {}",
                self.location(id)
            ))),
        }
    }

    fn parse(&self, path: &str, bytes: &[u8]) -> Result<Manifest> {
        let broken = |e: String| {
            EngineError::checkpoint(format!("the manifest {}/{path} is corrupt", self.folder()))
                .with_detail(e)
                .with_hint("start from another retained checkpoint")
        };
        let sealed: Sealed = serde_json::from_slice(bytes).map_err(|e| broken(e.to_string()))?;
        if crc32fast::hash(sealed.manifest.get().as_bytes()) != sealed.crc32 {
            return Err(broken("its checksum does not match".into()));
        }
        let text = sealed.manifest.get();
        let Format { version } = serde_json::from_str(text).map_err(|e| broken(e.to_string()))?;
        if !(OLDEST_MANIFEST_VERSION..=MANIFEST_VERSION).contains(&version) {
            return Err(EngineError::checkpoint(format!(
                "the manifest {}/{path} has format version {version}; this release reads versions \
                 {OLDEST_MANIFEST_VERSION} to {MANIFEST_VERSION}",
                self.folder()
            )));
        }
        serde_json::from_str(text).map_err(|e| broken(e.to_string()))
    }

    /// The ids of the checkpoints that exist, ascending.
    pub async fn list(&self) -> Result<Vec<u64>> {
        let mut ids = Vec::new();
        for id in self.place.folders().await?.iter().filter_map(|n| id_of(n)) {
            if self.place.exists(&manifest_path(id)).await? {
                ids.push(id);
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// The checkpoint that the job goes on from: the last one of its latest run that has any. Only of
    /// that is known that nothing it refers to has been removed since.
    pub async fn latest(&self) -> Result<Option<Manifest>> {
        let mut latest: Option<Manifest> = None;
        for id in self.list().await?.into_iter().rev() {
            let path = manifest_path(id);
            let Some(found) = self.place.read(&path).await? else {
                continue;
            };
            match self.parse(&path, &found.bytes) {
                Ok(manifest) if latest.as_ref().is_none_or(|l| l.attempt < manifest.attempt) => {
                    latest = Some(manifest);
                }
                Ok(_) => {}
                // An older one is of no more use anyway.
                Err(error) if latest.is_some() => tracing::warn!("{error}"),
                Err(error) => return Err(error),
            }
        }
        Ok(latest)
    }

    /// Removes a checkpoint; its state files go with [`CheckpointStore::sweep`].
    pub async fn remove(&self, id: u64) -> Result<()> {
        self.place.remove(&manifest_path(id)).await?;
        self.place.remove_folder(&format!("chk-{id}")).await;
        Ok(())
    }

    /// Removes the state files of checkpoints before `before` that no manifest in `retained`
    /// refers to.
    pub async fn sweep(&self, before: u64, retained: &[&Manifest]) -> Result<()> {
        let kept = retained.iter().flat_map(|m| m.files());
        let operators = retained.iter().flat_map(|m| m.operators.values());
        let growing = operators.flat_map(|o| &o.in_progress).map(String::as_str);
        let used: std::collections::BTreeSet<&str> = kept.chain(growing).collect();
        for path in self.place.files("state").await? {
            let name = path.rsplit('/').next().unwrap_or_default();
            let checkpoint = name.split('-').next().and_then(|c| c.parse::<u64>().ok());
            let old = checkpoint.is_some_and(|c| c < before);
            if old && !used.contains(path.as_str()) {
                self.place.remove(&path).await?;
                self.failpoints.pass(Failpoint::Sweep);
            }
        }
        self.remove_drafts(before).await
    }

    /// Removes what a process that died while it wrote a manifest has left in a local directory.
    async fn remove_drafts(&self, before: u64) -> Result<()> {
        if self.place.failures_lie() {
            return Ok(());
        }
        for folder in self.place.folders().await? {
            let old = id_of(&folder).filter(|id| *id < before);
            if let Some(id) = old
                && !self.place.exists(&manifest_path(id)).await?
            {
                self.place.remove_folder(&folder).await;
            }
        }
        Ok(())
    }

    /// Where the job's files of keyed state lie.
    #[cfg(test)]
    pub(crate) async fn state_files(&self) -> Result<Vec<String>> {
        self.place.files("state").await
    }

    /// Removes everything of the job: first the manifests, so that at no time one refers to what is
    /// gone.
    pub async fn remove_all(&self) -> Result<()> {
        for id in self.list().await? {
            self.remove(id).await?;
        }
        for path in self.place.files("").await? {
            self.place.remove(&path).await?;
        }
        self.place.remove_folder("").await;
        Ok(())
    }
}

/// A manifest's bytes.
fn seal(manifest: &Manifest) -> Result<Bytes> {
    let broken = |e: serde_json::Error| EngineError::internal(e.to_string());
    let text = serde_json::value::to_raw_value(manifest).map_err(broken)?;
    let sealed = Sealed {
        crc32: crc32fast::hash(text.get().as_bytes()),
        manifest: text,
    };
    Ok(serde_json::to_vec(&sealed).map_err(broken)?.into())
}

/// The folder of a checkpoint's or savepoint's files, and where its manifest is in there.
fn parts(path: &str) -> (&str, String) {
    let path = path.trim_end_matches('/');
    let checkpoint = path
        .rsplit_once('/')
        .and_then(|(folder, name)| Some((folder, manifest_path(id_of(name)?))));
    checkpoint.unwrap_or_else(|| (path, SAVEPOINT_MANIFEST.to_string()))
}

fn nothing(path: &str) -> EngineError {
    EngineError::checkpoint(format!("'{path}' is neither a checkpoint nor a savepoint")).with_hint(
        "a checkpoint ends in chk-N, as SHOW JOBS prints it; a savepoint is the \
         folder that STOP JOB … WITH SAVEPOINT names",
    )
}

/// The checkpoint whose folder has this name.
fn id_of(folder: &str) -> Option<u64> {
    folder.strip_prefix("chk-")?.parse().ok()
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
