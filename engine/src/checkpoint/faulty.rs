//! An object store in memory that goes wrong at a call of the test's choice.
#![allow(clippy::unwrap_used)]

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, UploadPart,
};

/// What goes wrong at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is done.
    Refused,
    /// All is done, but the answer is an error.
    AnswerLost,
    /// Half of what was asked for comes, then an error. What writes is refused.
    BreaksOff,
    /// This call and so many after it do nothing.
    Down(u64),
    /// All is done, but the answer is an error, and so many calls after it do nothing.
    Vanishes(u64),
    /// All is done, late.
    Slow,
}

/// Counts calls, and knows which one goes wrong.
#[derive(Debug, Default)]
struct Plan {
    calls: u64,
    healed: bool,
    fault: Option<(u64, Fault)>,
    /// What was called when it went wrong.
    hit: Vec<String>,
}

/// The store.
#[derive(Debug, Clone)]
pub(crate) struct Faulty {
    inner: Arc<InMemory>,
    plan: Arc<Mutex<Plan>>,
}

impl Faulty {
    /// A store whose call number `at`, counted from 0, goes wrong.
    pub fn new(fault: Option<(u64, Fault)>) -> Self {
        let plan = Plan {
            fault,
            ..Plan::default()
        };
        Faulty {
            inner: Arc::default(),
            plan: Arc::new(Mutex::new(plan)),
        }
    }

    /// The store behind it, in which nothing goes wrong and nothing is counted.
    pub fn sound(&self) -> Arc<InMemory> {
        Arc::clone(&self.inner)
    }

    /// Nothing goes wrong any more, and nothing is counted.
    pub fn heal(&self) {
        self.plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .healed = true;
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .calls
    }

    /// The calls that went wrong.
    pub fn hit(&self) -> Vec<String> {
        self.plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .hit
            .clone()
    }

    fn call(&self, what: &str, path: Option<&Path>) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        if plan.healed {
            return None;
        }
        let nth = plan.calls;
        plan.calls += 1;
        let (at, fault) = plan.fault?;
        let lasts = match fault {
            Fault::Down(more) | Fault::Vanishes(more) => more,
            _ => 0,
        };
        if !(at..=at + lasts).contains(&nth) {
            return None;
        }
        let fault = match fault {
            Fault::Vanishes(_) if nth == at => Fault::AnswerLost,
            Fault::Vanishes(_) => Fault::Refused,
            other => other,
        };
        plan.hit
            .push(format!("{what} {}", path.cloned().unwrap_or_default()));
        Some(fault)
    }

    /// Does something, or does as the plan says.
    async fn with<T>(
        &self,
        what: &'static str,
        path: &Path,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match self.call(what, Some(path)) {
            None => work.await,
            Some(Fault::Slow) => {
                tokio::time::sleep(Duration::from_millis(3)).await;
                work.await
            }
            Some(Fault::AnswerLost) => {
                work.await?;
                Err(wanted())
            }
            Some(_) => Err(wanted()),
        }
    }
}

fn wanted() -> Error {
    Error::Generic {
        store: "test",
        source: "a fault that the test wants".into(),
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let put = self.inner.put_opts(location, payload, options);
        self.with("put", location, put).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let begun = self.inner.put_multipart_opts(location, options);
        let inner = self.with("begin parts", location, begun).await?;
        Ok(Box::new(Parts {
            inner,
            store: self.clone(),
            path: location.clone(),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let breaks = match self.call("get", Some(location)) {
            None => false,
            Some(Fault::Slow) => {
                tokio::time::sleep(Duration::from_millis(3)).await;
                false
            }
            Some(Fault::BreaksOff | Fault::AnswerLost) => true,
            Some(_) => return Err(wanted()),
        };
        let head = options.head;
        let mut got = self.inner.get_opts(location, options).await?;
        if breaks && head {
            return Err(wanted());
        }
        if breaks {
            let (meta, range) = (got.meta.clone(), got.range.clone());
            let attributes = got.attributes.clone();
            let all = got.bytes().await?;
            let half = all.slice(..all.len() / 2);
            let parts = futures::stream::iter([Ok(half), Err(wanted())]);
            let payload = GetResultPayload::Stream(parts.boxed());
            got = GetResult {
                payload,
                meta,
                range,
                attributes,
            };
        }
        Ok(got)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let delete = move |location: Result<Path>| {
            let store = store.clone();
            async move {
                let location = location?;
                let deleted = store.inner.delete(&location);
                store.with("delete", &location, deleted).await?;
                Ok(location)
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let found = self.inner.list(prefix);
        match self.call("list", prefix) {
            None | Some(Fault::Slow) => found,
            Some(Fault::BreaksOff | Fault::AnswerLost) => {
                let error = futures::stream::once(async { Err(wanted()) });
                found.take(1).chain(error).boxed()
            }
            Some(_) => futures::stream::once(async { Err(wanted()) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let path = prefix.cloned().unwrap_or_default();
        let listed = self.inner.list_with_delimiter(prefix);
        self.with("list folders", &path, listed).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let copied = self.inner.copy_opts(from, to, options);
        self.with("copy", from, copied).await
    }
}

/// A file that is sent in parts.
#[derive(Debug)]
struct Parts {
    inner: Box<dyn MultipartUpload>,
    store: Faulty,
    path: Path,
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (store, path) = (self.store.clone(), self.path.clone());
        let put = self.inner.put_part(data);
        async move { store.with("put part", &path, put).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (store, path) = (self.store.clone(), self.path.clone());
        let completed = self.inner.complete();
        store.with("complete parts", &path, completed).await
    }

    async fn abort(&mut self) -> Result<()> {
        let (store, path) = (self.store.clone(), self.path.clone());
        let aborted = self.inner.abort();
        store.with("abort parts", &path, aborted).await
    }
}
