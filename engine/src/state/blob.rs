//! Content of a state file: in memory while small, in a file when large.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{EngineError, Result};

/// A [`Spool`] that grows beyond this goes to disk, unless something else is said.
const SPOOL_BYTES: usize = 16 << 20;

/// Immutable bytes that can be read from anywhere.
#[derive(Debug, Clone)]
pub enum Blob {
    /// In memory.
    Memory(Bytes),
    /// An open file and its length.
    File(Arc<File>, u64),
}

impl Blob {
    /// An existing file.
    pub fn open(path: &Path) -> Result<Self> {
        let opened = File::open(path).and_then(|f| Ok((f.metadata()?.len(), f)));
        let (length, file) = opened.map_err(|e| failed("read", &path.display().to_string(), &e))?;
        Ok(Blob::File(Arc::new(file), length))
    }

    /// The number of bytes.
    pub fn len(&self) -> u64 {
        match self {
            Blob::Memory(bytes) => bytes.len() as u64,
            Blob::File(_, length) => *length,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it holds in memory, in bytes.
    pub fn held(&self) -> u64 {
        match self {
            Blob::Memory(bytes) => bytes.len() as u64,
            Blob::File(..) => 0,
        }
    }

    /// A look at the bytes from `offset` on, `length` of them, which a file puts into `buffer`; an error if there
    /// are fewer.
    pub fn look<'a>(
        &'a self,
        offset: u64,
        length: usize,
        buffer: &'a mut Vec<u8>,
    ) -> Result<&'a [u8]> {
        self.check(offset, length)?;
        match self {
            Blob::Memory(bytes) => Ok(&bytes[offset as usize..offset as usize + length]),
            Blob::File(file, _) => {
                if buffer.len() < length {
                    buffer.resize(length, 0);
                }
                let buffer = &mut buffer[..length];
                let read = file.read_exact_at(buffer, offset);
                read.map_err(|e| failed("read", "a state file", &e))?;
                Ok(buffer)
            }
        }
    }

    fn check(&self, offset: u64, length: usize) -> Result<()> {
        let end = offset.checked_add(length as u64);
        match end.is_some_and(|end| end <= self.len()) {
            true => Ok(()),
            false => Err(EngineError::checkpoint("a state file is cut off")),
        }
    }

    /// The bytes from `offset` on, `length` of them; an error if there are fewer. Allocates no more
    /// than there is.
    pub fn read(&self, offset: u64, length: usize) -> Result<Bytes> {
        self.read_into(Bytes::new(), offset, length)
    }

    /// The same, with the memory of `spare` if nobody else has it: who reads part after part needs that
    /// of one.
    pub fn read_into(&self, spare: Bytes, offset: u64, length: usize) -> Result<Bytes> {
        self.check(offset, length)?;
        match self {
            Blob::Memory(bytes) => Ok(bytes.slice(offset as usize..offset as usize + length)),
            Blob::File(file, _) => {
                let mut bytes = spare.try_into_mut().unwrap_or_default();
                bytes.resize(length, 0);
                file.read_exact_at(&mut bytes, offset)
                    .map_err(|e| failed("read", "a state file", &e))?;
                Ok(bytes.freeze())
            }
        }
    }
}

/// Takes bytes and becomes a [`Blob`].
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    memory: Vec<u8>,
    /// Beyond this it goes to disk.
    limit: usize,
    file: Option<File>,
    length: u64,
}

impl Spool {
    /// A spool that goes to a nameless file in `folder` when it is large.
    pub fn new(folder: &Path) -> Self {
        Self::with_limit(folder, SPOOL_BYTES)
    }

    /// One that goes there when it is larger than `limit` bytes.
    pub fn with_limit(folder: &Path, limit: usize) -> Self {
        Spool {
            folder: folder.to_path_buf(),
            memory: Vec::new(),
            limit,
            file: None,
            length: 0,
        }
    }

    /// The bytes.
    pub fn finish(mut self) -> Result<Blob> {
        match self.file.take() {
            None => Ok(Blob::Memory(self.memory.into())),
            Some(mut file) => {
                let written = file.write_all(&self.memory);
                written.map_err(|e| {
                    let folder = self.folder.display();
                    failed("written", &format!("a scratch file in {folder}"), &e)
                })?;
                Ok(Blob::File(Arc::new(file), self.length))
            }
        }
    }

    /// A file without a name: it goes with its last user, whatever happens to the process.
    fn spill(&mut self) -> std::io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                std::fs::create_dir_all(&self.folder)?;
                tempfile::tempfile_in(&self.folder)?
            }
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        self.file = Some(file);
        Ok(())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.memory.extend_from_slice(bytes);
        self.length += bytes.len() as u64;
        let limit = match self.file {
            Some(_) => 1 << 20,
            None => self.limit,
        };
        if self.memory.len() > limit {
            // Who sees the error does not know of the folder.
            self.spill().map_err(|e| {
                std::io::Error::new(e.kind(), format!("{}: {e}", self.folder.display()))
            })?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn failed(what: &str, name: &str, error: &std::io::Error) -> EngineError {
    EngineError::state(format!("{name} cannot be {what}"))
        .with_detail(error.to_string())
        .with_hint("check the space and health of the disk")
}
