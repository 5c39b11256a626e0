//! The jobs of a coordinator on disk, so that they outlive its process.
//!
//! ```text
//! <dir>/lock             held by the coordinator that runs
//! <dir>/jobs/<id>.json   a job: its graph, and how it ended if it has
//! ```
//!
//! A job is written before its submission is answered. A coordinator that starts takes up all jobs
//! that have not ended, each from its last checkpoint. It counts its starts, and the runs of a job
//! are numbered by start and attempt, so that nothing of an earlier start can be taken for its own.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::client::{JobState, JobStatus};
use crate::error::{EngineError, Result};
use crate::graph::{JobGraph, JobId};

/// The version of job records that this build writes.
const VERSION: u32 = 1;
/// How many runs a job may have under one start of the coordinator.
const RUNS_PER_START: u32 = 1 << 16;

/// The directory, locked for this coordinator.
#[derive(Debug, Clone)]
pub struct Registry {
    dir: PathBuf,
    _lock: Arc<File>,
}

/// A job on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// The job.
    pub id: JobId,
    /// Jobs are numbered in the order of their submission.
    pub number: u64,
    /// What it does.
    pub graph: JobGraph,
    /// The folder of its checkpoints; `None` if there are none.
    pub folder: Option<String>,
    /// When it was submitted, in milliseconds since the epoch.
    pub submitted_ms: i64,
    /// Under how many coordinators it has run.
    pub starts: u32,
    /// How it ended, if it has.
    pub ended: Option<JobStatus>,
    /// Whether it kept a materialized view that was dropped.
    #[serde(default)]
    pub dropped: bool,
}

impl Record {
    /// A job that is new.
    pub fn new(
        id: JobId,
        number: u64,
        graph: JobGraph,
        folder: Option<String>,
        submitted_ms: i64,
    ) -> Self {
        Record {
            version: VERSION,
            id,
            number,
            graph,
            folder,
            submitted_ms,
            starts: 0,
            ended: None,
            dropped: false,
        }
    }

    /// The number below that of the job's next run.
    pub fn last_attempt(&self) -> u32 {
        self.starts.saturating_mul(RUNS_PER_START)
    }
}

impl Registry {
    /// Takes the directory; an error if another coordinator has it. Blocks.
    pub fn open(dir: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| {
            EngineError::resource(format!("the directory {} cannot be used", dir.display()))
                .with_detail(e.to_string())
        };
        std::fs::create_dir_all(dir.join("jobs")).map_err(failed)?;
        let lock = File::create(dir.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Registry {
                dir: dir.to_path_buf(),
                _lock: Arc::new(lock),
            }),
            Err(TryLockError::WouldBlock) => Err(EngineError::resource(format!(
                "another coordinator uses the directory {}",
                dir.display()
            ))
            .with_hint("stop it, or give this one a directory of its own with --dir")),
            Err(TryLockError::Error(e)) => Err(failed(e)),
        }
    }

    fn path(&self, id: &JobId) -> PathBuf {
        self.dir.join("jobs").join(format!("{id}.json"))
    }

    /// Writes a job: all of it or nothing. Blocks.
    pub fn write(&self, record: &Record) -> Result<()> {
        let path = self.path(&record.id);
        let failed = |e: std::io::Error| {
            EngineError::resource(format!("job {} cannot be written down", record.id))
                .with_detail(format!("{}: {e}", path.display()))
                .with_hint("check that the coordinator's directory is writable and not full")
        };
        let text = serde_json::to_vec(record).map_err(|e| EngineError::internal(e.to_string()))?;
        let draft = path.with_extension("new");
        let written = std::fs::write(&draft, text)
            .and_then(|()| File::open(&draft)?.sync_all())
            .and_then(|()| std::fs::rename(&draft, &path))
            .and_then(|()| File::open(self.dir.join("jobs"))?.sync_all());
        written.map_err(failed)
    }

    /// Forgets a job. Blocks.
    pub fn remove(&self, id: &JobId) {
        if let Err(error) = std::fs::remove_file(self.path(id)) {
            tracing::debug!(job = %id, %error, "a job's record was not removed");
        }
    }

    /// All jobs in the order of their submission, those that have not ended counted as started once
    /// more. A record that cannot be read is left where it is and told of. Blocks.
    pub fn take_up(&self) -> Result<Vec<Record>> {
        let jobs = self.dir.join("jobs");
        let failed = |e: std::io::Error| {
            EngineError::resource(format!("the directory {} cannot be read", jobs.display()))
                .with_detail(e.to_string())
        };
        let mut records = Vec::new();
        for entry in std::fs::read_dir(&jobs).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            match read(&path) {
                Ok(record) => records.push(record),
                Err(why) => tracing::error!(path = %path.display(), "a job cannot be read: {why}"),
            }
        }
        records.sort_by_key(|record| record.number);
        for record in records.iter_mut().filter(|record| record.ended.is_none()) {
            record.starts += 1;
            self.write(record)?;
        }
        Ok(records)
    }
}

fn read(path: &Path) -> std::result::Result<Record, String> {
    #[derive(Deserialize)]
    struct Format {
        version: u32,
    }
    let text = std::fs::read(path).map_err(|e| e.to_string())?;
    let Format { version } = serde_json::from_slice(&text).map_err(|e| e.to_string())?;
    if version != VERSION {
        return Err(format!(
            "its version is {version}, this release reads {VERSION}"
        ));
    }
    serde_json::from_slice(&text).map_err(|e| e.to_string())
}

/// A job that cannot be taken up, and why.
pub fn lost(record: &Record, error: EngineError, now_ms: i64) -> JobStatus {
    JobStatus {
        id: record.id.clone(),
        name: record.graph.name.clone(),
        state: JobState::Failed,
        waiting_for: None,
        error: Some(error),
        restarts: 0,
        submitted_ms: record.submitted_ms,
        ended_ms: Some(now_ms),
        vertices: Vec::new(),
        checkpoints: Default::default(),
        restored: Vec::new(),
        view: record.graph.settings.view.clone(),
    }
}
