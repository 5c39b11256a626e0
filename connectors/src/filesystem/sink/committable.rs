//! What is done when a checkpoint is complete.

use std::fs;
use std::path::{Path, PathBuf};

use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};
use serde::{Deserialize, Serialize};

use super::{failed, remove};

/// One thing to do, as the checkpoint keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Step {
    /// A file becomes visible.
    Commit(Committable),
    /// Files go that others have taken the place of.
    Remove { remove: Vec<PathBuf> },
}

/// A prepared file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Committable {
    /// Where it is, complete but hidden.
    pub prepared: PathBuf,
    /// Where it goes.
    pub target: PathBuf,
}

impl Step {
    pub(super) fn encode(&self) -> Result<WireBytes> {
        serde_json::to_vec(self)
            .map(WireBytes)
            .map_err(|e| EngineError::internal(format!("a prepared file: {e}")))
    }

    pub(super) fn decode(bytes: &WireBytes) -> Result<Self> {
        serde_json::from_slice(&bytes.0).map_err(|e| {
            EngineError::checkpoint(format!(
                "a prepared file in the checkpoint is unreadable: {e}"
            ))
        })
    }

    /// The folder that gets a file.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Step::Commit(file) => file.folder(),
            Step::Remove { .. } => None,
        }
    }

    /// Does it, if that has not been done.
    pub(super) fn take(&self) -> Result<()> {
        match self {
            Step::Commit(file) => file.commit(),
            Step::Remove { remove: files } => files.iter().try_for_each(|file| remove(file)),
        }
    }
}

impl Committable {
    /// The folder of both names.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.target.parent()
    }

    /// Makes the file visible, if that has not been done.
    fn commit(&self) -> Result<()> {
        let prepared = exists(&self.prepared)?;
        let committed = exists(&self.target)?;
        match (prepared, committed) {
            (true, false) => fs::rename(&self.prepared, &self.target)
                .map_err(|e| failed("the file", &self.target, "be committed", &e)),
            (false, true) => Ok(()),
            (true, true) => Err(EngineError::connector(format!(
                "the file '{}' cannot be committed, because '{}' exists and would be overwritten",
                self.prepared.display(),
                self.target.display()
            ))
            .with_hint("find out who wrote it, and move it away")),
            (false, false) => Err(EngineError::connector(format!(
                "a file of the checkpoint is lost: there is neither '{}' nor '{}'",
                self.prepared.display(),
                self.target.display()
            ))
            .with_hint("put the file back, or start the job without the checkpoint")),
        }
    }
}

fn exists(path: &Path) -> Result<bool> {
    path.try_exists()
        .map_err(|e| failed("the file", path, "be found", &e))
}
