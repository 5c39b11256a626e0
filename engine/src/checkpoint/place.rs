//! A folder in a file system or in an object store: what checkpoints need of it, and no more.
//!
//! What differs is kept in here. A local file counts when it and the names that lead to it are
//! synced; an object store promises that by itself. There a failed call may have done its work all
//! the same; in a local directory a call that fails has done nothing that anybody sees.

use std::io::Write;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, MultipartUpload, ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutMode,
    PutOptions, RenameOptions, RenameTargetMode, RetryConfig, UpdateVersion,
};
use tokio::task::JoinSet;

use crate::error::{EngineError, Result};
use crate::state::blob::{Blob, Spool};

/// Large files are sent in parts of this size, so many at a time.
const PART_BYTES: u64 = 8 << 20;
const PARTS_AT_ONCE: usize = 4;
/// Object stores take at most 10,000 parts; larger files get larger parts.
const MOST_PARTS: u64 = 9_000;
/// No call is begun again when this much time has gone by since it was first made. Longer outages
/// fail the checkpoint, and the next one tries again; shorter ones only delay it.
const RETRY: Duration = Duration::from_secs(20);
const RETRIES: usize = 8;

/// A folder.
#[derive(Debug, Clone)]
pub(super) struct Place {
    store: Arc<dyn ObjectStore>,
    root: Path,
    /// The same, if it is in the local file system.
    local: Option<PathBuf>,
    /// The same for people.
    shown: String,
}

/// What an object holds, and which version of it that is.
pub(super) struct Object {
    pub bytes: Bytes,
    pub version: UpdateVersion,
}

impl Place {
    /// A local directory, which is made, or an object-store URL.
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
            let (store, root) = remote(folder).map_err(unusable)?;
            return Ok(Self::over(store, root, folder));
        }
        let local = PathBuf::from(folder.trim_start_matches("file://"));
        let local = std::path::absolute(local).map_err(|e| unusable(e.to_string()))?;
        std::fs::create_dir_all(&local).map_err(|e| unusable(e.to_string()))?;
        let store =
            LocalFileSystem::new_with_prefix(&local).map_err(|e| unusable(e.to_string()))?;
        let shown = local.display().to_string();
        Ok(Place {
            store: Arc::new(store),
            root: Path::default(),
            local: Some(local),
            shown,
        })
    }

    /// A folder of this object store.
    pub fn over(store: Arc<dyn ObjectStore>, root: Path, shown: &str) -> Self {
        Place {
            store,
            root,
            local: None,
            shown: shown.into(),
        }
    }

    /// The folder for people, and for [`Place::at`].
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether a call that failed may have done its work.
    pub fn failures_lie(&self) -> bool {
        self.local.is_none()
    }

    fn path(&self, relative: &str) -> Path {
        relative
            .split('/')
            .filter(|p| !p.is_empty())
            .fold(self.root.clone(), |p, part| p.join(part))
    }

    /// Fails if the folder cannot be reached or listed.
    pub async fn check(&self) -> Result<()> {
        let mut found = self.store.list(Some(&self.root));
        let first = found.try_next().await;
        first.map(|_| ()).map_err(|e| self.failed("listed", "", &e))
    }

    /// What lies at `path`; `None` if nothing does.
    pub async fn read(&self, path: &str) -> Result<Option<Object>> {
        let got = match self.store.get(&self.path(path)).await {
            Err(object_store::Error::NotFound { source, .. })
                if !names_bucket(&source.to_string()) =>
            {
                return Ok(None);
            }
            got => got.map_err(|e| self.failed("read", path, &e))?,
        };
        let version = UpdateVersion {
            e_tag: got.meta.e_tag.clone(),
            version: got.meta.version.clone(),
        };
        let bytes = got.bytes().await;
        let bytes = bytes.map_err(|e| self.failed("read", path, &e))?;
        Ok(Some(Object { bytes, version }))
    }

    /// Whether something lies at `path`.
    pub async fn exists(&self, path: &str) -> Result<bool> {
        match self.store.head(&self.path(path)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed("read", path, &error)),
        }
    }

    /// Writes what nobody may write a second time: in one step, and only if nothing is there. Says
    /// whether nothing was.
    pub async fn create(&self, path: &str, content: &Bytes) -> Result<bool> {
        if self.local.is_some() {
            return self.create_file(path, content).await;
        }
        let new = PutOptions::from(PutMode::Create);
        let at = self.path(path);
        let put = self.store.put_opts(&at, content.clone().into(), new);
        match put.await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(self.failed("written", path, &error)),
        }
    }

    /// Writes over that version of what is there. Says whether it still was there.
    pub async fn replace(
        &self,
        path: &str,
        content: &Bytes,
        version: UpdateVersion,
    ) -> Result<bool> {
        if self.local.is_some() {
            let draft = self.write_draft(path, content).await?;
            let (from, to) = (self.path(&draft), self.path(path));
            let renamed = self.store.rename(&from, &to).await;
            renamed.map_err(|e| self.failed("written", path, &e))?;
            return self.sync(path).await.map(|()| true);
        }
        let update = PutOptions::from(PutMode::Update(version));
        let at = self.path(path);
        let put = self.store.put_opts(&at, content.clone().into(), update);
        match put.await {
            Ok(_) => Ok(true),
            Err(
                object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. },
            ) => Ok(false),
            Err(error) => Err(self.failed("written", path, &error)),
        }
    }

    /// Nobody sees the file before its content is safe.
    async fn create_file(&self, path: &str, content: &Bytes) -> Result<bool> {
        let draft = self.write_draft(path, content).await?;
        let (from, to) = (self.path(&draft), self.path(path));
        let new = RenameOptions::new().with_target_mode(RenameTargetMode::Create);
        match self.store.rename_opts(&from, &to, new).await {
            Ok(()) => {}
            Err(object_store::Error::AlreadyExists { .. }) => {
                let _ = self.store.delete(&from).await;
                return Ok(false);
            }
            // There are file systems without hard links, which this takes.
            Err(_) if !self.exists(path).await? => {
                let renamed = self.store.rename(&from, &to).await;
                renamed.map_err(|e| self.failed("written", path, &e))?;
            }
            Err(_) => return Ok(false),
        }
        self.sync(path).await.map(|()| true)
    }

    async fn write_draft(&self, path: &str, content: &Bytes) -> Result<String> {
        // Two writers never share a draft: what one of them links must be its own.
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        let nth = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let draft = format!("{path}.{}-{nth}.draft", std::process::id());
        let at = self.path(&draft);
        let put = self.store.put(&at, content.clone().into());
        put.await.map_err(|e| self.failed("written", path, &e))?;
        self.sync(&draft).await?;
        Ok(draft)
    }

    /// Writes content that may be too large for memory.
    pub async fn put_blob(&self, path: &str, content: &Blob) -> Result<()> {
        match content {
            Blob::Memory(bytes) => {
                let at = self.path(path);
                let put = self.store.put(&at, bytes.clone().into());
                put.await.map_err(|e| self.failed("written", path, &e))?;
            }
            Blob::File(..) => self.put_parts(path, content).await?,
        }
        self.sync(path).await
    }

    async fn put_parts(&self, path: &str, content: &Blob) -> Result<()> {
        let upload = self.store.put_multipart(&self.path(path)).await;
        let mut upload = upload.map_err(|e| self.failed("written", path, &e))?;
        let finished = match self.send_parts(upload.as_mut(), path, content).await {
            Ok(()) => upload.complete().await.map(|_| ()),
            Err(error) => {
                let _ = upload.abort().await;
                return Err(error);
            }
        };
        if let Err(error) = finished {
            let _ = upload.abort().await;
            return Err(self.failed("written", path, &error));
        }
        Ok(())
    }

    async fn send_parts(
        &self,
        upload: &mut dyn MultipartUpload,
        path: &str,
        content: &Blob,
    ) -> Result<()> {
        let part_bytes = PART_BYTES.max(content.len().div_ceil(MOST_PARTS));
        let sent = |joined: std::result::Result<object_store::Result<()>, _>| {
            let sent = joined.map_err(EngineError::from)?;
            sent.map_err(|e| self.failed("written", path, &e))
        };
        let mut parts = JoinSet::new();
        let mut offset = 0;
        while offset < content.len() {
            let length = (content.len() - offset).min(part_bytes);
            let from = content.clone();
            let part = tokio::task::spawn_blocking(move || from.read(offset, length as usize));
            let part = part.await.map_err(EngineError::from)??;
            if parts.len() >= PARTS_AT_ONCE
                && let Some(joined) = parts.join_next().await
            {
                sent(joined)?;
            }
            parts.spawn(upload.put_part(part.into()));
            offset += length;
        }
        while let Some(joined) = parts.join_next().await {
            sent(joined)?;
        }
        Ok(())
    }

    /// Opens a file. What does not lie in a local directory is copied to a nameless file in
    /// `scratch`.
    pub async fn fetch(&self, path: &str, scratch: &FilePath) -> Result<Blob> {
        if let Some(local) = &self.local {
            let file = local.join(path);
            let opened = tokio::task::spawn_blocking(move || Blob::open(&file));
            let opened = opened.await.map_err(EngineError::from)?;
            return opened.map_err(|e| {
                let why = e.detail.unwrap_or(e.message);
                self.unreadable(path).with_detail(why)
            });
        }
        let failed = |e: object_store::Error| {
            let hint = hint_of(&e).unwrap_or("start from another retained checkpoint");
            let error = self.unreadable(path).with_detail(chain(&e));
            error.with_hint(hint)
        };
        let at = self.path(path);
        let length = self.store.head(&at).await.map_err(failed)?.size;
        // In parts, as it was written: no request outlasts its time limit, however large the file.
        let ranges = (0..length).step_by(PART_BYTES as usize);
        let part = |from: u64| {
            self.store
                .get_range(&at, from..length.min(from + PART_BYTES))
        };
        let mut parts = futures::stream::iter(ranges)
            .map(part)
            .buffered(PARTS_AT_ONCE);
        let mut spool = Spool::new(scratch);
        while let Some(part) = parts.try_next().await.map_err(failed)? {
            let written =
                tokio::task::spawn_blocking(move || spool.write_all(&part).map(|()| spool));
            spool = written.await.map_err(EngineError::from)?.map_err(|e| {
                EngineError::state("a state file cannot be copied to the scratch directory")
                    .with_detail(e.to_string())
                    .with_hint("check the space and health of the disk")
            })?;
        }
        spool.finish()
    }

    fn unreadable(&self, path: &str) -> EngineError {
        EngineError::checkpoint(format!("{}/{path} cannot be read", self.shown))
            .with_hint("start from another retained checkpoint")
    }

    /// The names of the folders in the folder.
    pub async fn folders(&self) -> Result<Vec<String>> {
        let listed = self.store.list_with_delimiter(Some(&self.root)).await;
        let listed = listed.map_err(|e| self.failed("listed", "", &e))?;
        let names = listed.common_prefixes.iter();
        Ok(names
            .filter_map(|f| Some(f.filename()?.to_string()))
            .collect())
    }

    /// The paths of everything below a folder.
    pub async fn files(&self, folder: &str) -> Result<Vec<String>> {
        let found = self.store.list(Some(&self.path(folder)));
        let found: Vec<_> = found
            .try_collect()
            .await
            .map_err(|e| self.failed("listed", folder, &e))?;
        let relative = |location: &Path| {
            let parts = location.prefix_match(&self.root)?;
            let parts: Vec<String> = parts.map(|p| p.as_ref().to_string()).collect();
            Some(parts.join("/"))
        };
        Ok(found.iter().filter_map(|f| relative(&f.location)).collect())
    }

    /// Removes what lies at `path`, if anything does.
    pub async fn remove(&self, path: &str) -> Result<()> {
        match self.store.delete(&self.path(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("removed", path, &error)),
        }
    }

    /// Removes a folder with all that is left in it; an object store has no empty ones.
    pub async fn remove_folder(&self, path: &str) {
        if let Some(local) = &self.local {
            let _ = tokio::fs::remove_dir_all(local.join(path)).await;
        }
    }

    /// Makes what was written to a local directory survive a loss of power: the file, its name and
    /// its folder's name.
    pub async fn sync(&self, path: &str) -> Result<()> {
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
                .with_hint("check the space and health of the disk")
        })
    }

    fn failed(&self, what: &str, path: &str, error: &object_store::Error) -> EngineError {
        let name = format!("{}/{path}", self.shown);
        let message = format!("{} cannot be {what}", name.trim_end_matches('/'));
        let hint = hint_of(error).unwrap_or(match self.local {
            Some(_) => "check that the directory exists, is writable and has space left",
            None => {
                "check that the object store can be reached from each machine of the cluster \
                 (AWS_ENDPOINT, and AWS_ALLOW_HTTP=true for a plain http:// one)"
            }
        });
        EngineError::checkpoint(message)
            .with_detail(chain(error))
            .with_hint(hint)
    }
}

/// The store and folder that a URL names; credentials and endpoint come from the environment.
fn remote(folder: &str) -> Result<(Arc<dyn ObjectStore>, Path), String> {
    let url = url::Url::parse(folder).map_err(|e| e.to_string())?;
    let (scheme, path) = ObjectStoreScheme::parse(&url).map_err(|e| e.to_string())?;
    let path = Path::parse(path).map_err(|e| e.to_string())?;
    let retry = RetryConfig {
        backoff: BackoffConfig {
            max_backoff: Duration::from_secs(5),
            ..BackoffConfig::default()
        },
        max_retries: RETRIES,
        retry_timeout: RETRY,
    };
    // Every builder takes its options by name, and each in a type of its own.
    macro_rules! build {
        ($builder:ty, $prefix:literal) => {{
            let builder = <$builder>::new().with_url(folder).with_retry(retry);
            let builder =
                settings($prefix).fold(builder, |builder, (key, value)| match key.parse() {
                    Ok(key) => builder.with_config(key, value),
                    Err(_) => builder,
                });
            Arc::new(builder.build().map_err(|e| chain(&e))?) as Arc<dyn ObjectStore>
        }};
    }
    let store = match scheme {
        ObjectStoreScheme::AmazonS3 => build!(AmazonS3Builder, "aws_"),
        ObjectStoreScheme::GoogleCloudStorage => build!(GoogleCloudStorageBuilder, "google_"),
        ObjectStoreScheme::MicrosoftAzure => build!(MicrosoftAzureBuilder, "azure_"),
        _ => {
            return Err("s3://, gs:// and az:// are known".into());
        }
    };
    Ok((store, path))
}

/// The variables of the environment that begin with a prefix, in lower case.
fn settings(prefix: &'static str) -> impl Iterator<Item = (String, String)> {
    let named = std::env::vars_os().filter_map(|(key, value)| {
        let key = key.into_string().ok()?.to_ascii_lowercase();
        Some((key, value.into_string().ok()?))
    });
    named.filter(move |(key, _)| key.starts_with(prefix))
}

/// An error with what it stems from, as far as that says more.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let says = inner.to_string();
        if !text.contains(&says) {
            text = format!("{text}: {says}");
        }
        source = inner.source();
    }
    text
}

fn names_bucket(text: &str) -> bool {
    ["NoSuchBucket", "ContainerNotFound", "bucket does not exist"]
        .iter()
        .any(|says| text.contains(says))
}

/// What to do about an error whose cause is known.
fn hint_of(error: &object_store::Error) -> Option<&'static str> {
    let text = chain(error);
    let refused = [
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AccessDenied",
        "credential",
    ];
    if names_bucket(&text) {
        return Some("create the bucket, or correct its name in the URL");
    }
    if matches!(
        error,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }
    ) || refused.iter().any(|says| text.contains(says))
    {
        return Some(
            "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which every process of the \
             cluster takes from its environment, and what the key may do",
        );
    }
    let full = [
        "No space left on device",
        "Disk quota exceeded",
        "StorageFull",
    ];
    full.iter()
        .any(|says| text.contains(says))
        .then_some("make room on the disk")
}
