//! What was restored and is not in the database yet.
//!
//! State that is restored is read where it is, in the files of the checkpoint, as something that lies below
//! the database: so that nobody waits for the database to be filled. A thread meanwhile merges the files into
//! files of the database, part by part in the order of keys. The state takes the parts over between its
//! changes, and up to the last key of them the database has all there is. Until then a deletion in the
//! database cannot be told from what it never had, so each is noted beside it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use rocksdb::Options;

use super::super::full_key;
use super::super::merge::Entries;
use super::super::sorted::{KeyRange, SortedRuns};
use super::run::Run;
use crate::error::{EngineError, Result};

/// How many parts are made before they are taken over.
const PARTS_AHEAD: usize = 32;

/// Restored files below a database.
pub(super) struct Base {
    files: Arc<SortedRuns>,
    /// The last full key that was taken over.
    taken: Option<Vec<u8>>,
    /// Whether deletions were noted.
    pub(super) has_deletions: bool,
    parts: Receiver<Result<Loaded>>,
}

/// What the thread that fills the database hands over.
pub(super) enum Loaded {
    /// The next part.
    Part(Part),
    /// There is no more.
    All,
}

/// A file for the database, with all entries of the restored files from its first key to its last.
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) first: Vec<u8>,
    pub(super) last: Vec<u8>,
}

/// The thread that fills a database.
pub(super) struct Loader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Loader {
    /// Tells it to stop.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until it has; it must have been told to.
    pub(super) fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the thread that loads restored state panicked");
        }
    }
}

impl Base {
    /// Uses files as they are, and begins to write them into `folder` as files of a database, of about
    /// `part_bytes` each.
    pub(super) fn load(
        files: SortedRuns,
        folder: &Path,
        options: Options,
        part_bytes: u64,
    ) -> Result<(Self, Loader)> {
        let (sender, parts) = sync_channel(PARTS_AHEAD);
        let files = Arc::new(files);
        let stop = Arc::new(AtomicBool::new(false));
        let loading = Loading {
            files: Arc::clone(&files),
            folder: folder.to_path_buf(),
            options,
            part_bytes,
            stop: Arc::clone(&stop),
            written: 0,
        };
        let thread = std::thread::Builder::new().name("load-state".into());
        let thread = thread.spawn(move || loading.run(&sender)).map_err(|e| {
            EngineError::state("restored state cannot be loaded").with_detail(e.to_string())
        })?;
        let base = Base {
            files,
            taken: None,
            has_deletions: false,
            parts,
        };
        Ok((base, Loader { stop, thread }))
    }

    /// The restored files.
    pub(super) fn files(&self) -> &SortedRuns {
        &self.files
    }

    /// Whether a full key of the restored files is not in the database yet.
    pub(super) fn holds(&self, key: &[u8]) -> bool {
        self.taken.as_deref().is_none_or(|taken| taken < key)
    }

    /// What of a range is not in the database yet.
    pub(super) fn left_of(&self, range: &KeyRange) -> KeyRange {
        let from = match &self.taken {
            Some(taken) => full_key::behind(taken).max(range.from.clone()),
            None => range.from.clone(),
        };
        let to = range.to.clone();
        KeyRange { from, to }
    }

    /// What has been loaded and not handed out, if it is there already.
    pub(super) fn next(&self) -> Result<Option<Loaded>> {
        match self.parts.try_recv() {
            Ok(loaded) => loaded.map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(EngineError::internal(
                "the thread that loads restored state has ended",
            )),
        }
    }

    /// The database has everything up to this key.
    pub(super) fn taken(&mut self, last: Vec<u8>) {
        self.taken = Some(last);
    }
}

/// The work of the thread.
struct Loading {
    files: Arc<SortedRuns>,
    folder: PathBuf,
    options: Options,
    part_bytes: u64,
    stop: Arc<AtomicBool>,
    written: u64,
}

impl Loading {
    /// Writes parts until it is done or nobody wants them any longer.
    fn run(mut self, sender: &SyncSender<Result<Loaded>>) {
        let files = Arc::clone(&self.files);
        let mut entries = files.entries();
        let all = self.parts(&mut entries, &mut |part| {
            sender.send(Ok(Loaded::Part(part))).is_ok()
        });
        // Nobody is there only if the state was dropped.
        let _ = match all {
            Ok(true) => sender.send(Ok(Loaded::All)),
            Ok(false) => Ok(()),
            Err(error) => sender.send(Err(error)),
        };
    }

    /// Whether all parts were written and wanted.
    fn parts(
        &mut self,
        entries: &mut dyn Entries,
        take: &mut dyn FnMut(Part) -> bool,
    ) -> Result<bool> {
        let mut more = entries.advance()?;
        let (mut first, mut last) = (Vec::new(), Vec::new());
        while more {
            self.written += 1;
            let path = self.folder.join(format!("part-{}.sst", self.written));
            let mut run = Run::begin(path, &self.options)?;
            let entry = entries.entry();
            full_key::put(entry.place, entry.key, &mut first);
            while more && run.bytes() < self.part_bytes {
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(false);
                }
                run.put_entry(entries.entry(), &mut last)?;
                more = entries.advance()?;
            }
            let part = Part {
                path: run.finish()?,
                first: std::mem::take(&mut first),
                last: std::mem::take(&mut last),
            };
            if !take(part) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
