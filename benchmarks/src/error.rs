//! What can go wrong, told to the person who runs the benchmark.

use std::path::{Path, PathBuf};

/// A failure of the harness or of a system under test.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read, written or made.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// What was asked for does not exist or does not fit together.
    #[error("{0}")]
    Invalid(String),
    /// A system under test could not be set up, or failed at a query.
    #[error("{system}: {reason}")]
    System {
        /// The system's name.
        system: &'static str,
        /// The first line of what it said itself.
        reason: String,
    },
}

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Names the file in an I/O error.
pub trait At<T> {
    /// Adds `path` to the error.
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })
    }
}
