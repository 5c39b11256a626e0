//! Files of a database, written beside it.

use std::path::PathBuf;

use rocksdb::{Options, SstFileWriter};

use super::super::full_key;
use super::super::merge::{Entries, Entry};
use super::broken;
use crate::error::Result;

/// Files are closed when so much was put into them, before it is compressed.
const INGEST_BYTES: u64 = 256 << 20;

/// A file of the database under way, whose keys ascend.
pub(super) struct Run<'o> {
    writer: SstFileWriter<'o>,
    path: PathBuf,
    /// Of what was put into it.
    bytes: u64,
}

impl<'o> Run<'o> {
    /// Begins a file.
    pub(super) fn begin(path: PathBuf, options: &'o Options) -> Result<Self> {
        let writer = SstFileWriter::create(options);
        writer.open(&path).map_err(|e| broken(&e, "written"))?;
        Ok(Run {
            writer,
            path,
            bytes: 0,
        })
    }

    /// Adds a full key, greater than those before.
    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.bytes += (key.len() + value.map_or(0, <[u8]>::len)) as u64;
        let put = match value {
            Some(value) => self.writer.put(key, value),
            None => self.writer.delete(key),
        };
        put.map_err(|e| broken(&e, "written"))
    }

    /// How much was put into it, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether another file should be begun.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= INGEST_BYTES
    }

    /// Closes the file and says where it is.
    pub(super) fn finish(mut self) -> Result<PathBuf> {
        self.writer.finish().map_err(|e| broken(&e, "written"))?;
        Ok(self.path)
    }

    /// Adds entries.
    pub(super) fn put_all(&mut self, entries: &mut dyn Entries) -> Result<()> {
        let mut key = Vec::new();
        while entries.advance()? {
            self.put_entry(entries.entry(), &mut key)?;
        }
        Ok(())
    }

    /// Adds an entry, and leaves its full key in `key`.
    pub(super) fn put_entry(&mut self, entry: Entry<'_>, key: &mut Vec<u8>) -> Result<()> {
        full_key::put(entry.place, entry.key, key);
        self.put(key, entry.value)
    }
}
