//! Folders for state that does not fit into memory, which go away with their process, however it ends.
//!
//! A process that is killed removes nothing. So each folder has a lock that its process holds, and whoever
//! makes a folder removes those beside it whose lock nobody holds.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use levada_engine::EngineError;

use crate::error::Result;

#[cfg(test)]
mod tests;

/// How the names of the folders begin.
const PREFIX: &str = "levada-";
/// The file that the owner of a folder has locked.
const LOCK: &str = "lock";

/// A folder that goes away with its owner, or with a later one if that was killed.
#[derive(Debug)]
pub struct ScratchDir {
    folder: tempfile::TempDir,
    _lock: File,
}

impl ScratchDir {
    /// Creates one in `place`, or in the system's place for temporary files. What others have left behind
    /// there is removed meanwhile.
    ///
    /// # Errors
    /// The place cannot be written.
    pub fn create(place: Option<&Path>) -> Result<Self> {
        let hint = match place {
            Some(_) => "name another folder, or make it writable",
            None => "set TMPDIR to a folder that can be written",
        };
        let place = place.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let created = Self::create_in(&place).map_err(|error| {
            EngineError::resource(format!(
                "no folder for temporary files can be created in {}",
                place.display()
            ))
            .with_detail(error.to_string())
            .with_hint(hint)
        })?;
        let owner = created.folder.path().metadata().map(|m| m.uid());
        // There may be much of it, and nobody waits.
        let sweeper = std::thread::Builder::new().name("scratch-sweep".to_string());
        let _ = sweeper.spawn(move || {
            if let Err(error) = owner.and_then(|owner| sweep(&place, owner)) {
                tracing::debug!("temporary files of others were not looked for: {error}");
            }
        });
        Ok(created)
    }

    fn create_in(place: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(place)?;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(place)?;
        // It is locked before anybody can see it.
        let unseen = folder.path().join("lock.new");
        let lock = File::create(&unseen)?;
        lock.lock()?;
        std::fs::rename(unseen, folder.path().join(LOCK))?;
        Ok(ScratchDir {
            folder,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders in `place` that belong to this user and whose processes are gone.
fn sweep(place: &Path, owner: u32) -> io::Result<()> {
    for entry in std::fs::read_dir(place)?.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours && let Ok(Some(_lock)) = abandoned(&entry.path(), owner) {
            let removed = std::fs::remove_dir_all(entry.path());
            tracing::debug!(folder = %entry.path().display(), ?removed, "its process is gone");
        }
    }
    Ok(())
}

/// The lock of a folder if nobody else has it; `None` if it is another's folder, or no folder of ours.
fn abandoned(folder: &PathBuf, owner: u32) -> io::Result<Option<File>> {
    let metadata = std::fs::symlink_metadata(folder)?;
    if !metadata.is_dir() || metadata.uid() != owner {
        return Ok(None);
    }
    let lock = File::open(folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(_) => Ok(None),
    }
}
