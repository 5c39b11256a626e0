//! A file that is being written.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use arrow::array::RecordBatch;
use levada_engine::Result;

use super::committable::Committable;
use super::failed;
use super::name::{self, hidden};
use crate::format::FileWriter;

const BUFFER_BYTES: usize = 256 << 10;

/// How rows become bytes.
pub(super) enum Content {
    /// The sink's encoder gives lines.
    Lines,
    /// The file has a beginning and an end of its own.
    Whole(Box<dyn FileWriter>),
}

/// An in-progress file.
pub(super) struct Part {
    folder: PathBuf,
    name: String,
    file: BufWriter<File>,
    content: Content,
    bytes: u64,
    /// When it was opened, by the clock.
    pub opened_ms: i64,
    /// When it was last written, in the sink's count of writes.
    pub last_turn: u64,
}

impl Part {
    pub(super) fn create(
        folder: PathBuf,
        name: String,
        content: Content,
        opened_ms: i64,
    ) -> Result<Self> {
        let path = folder.join(hidden(&name, name::IN_PROGRESS));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|e| failed("the file", &path, "be created", &e))?;
        Ok(Self {
            folder,
            name,
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            content,
            bytes: 0,
            opened_ms,
            last_turn: 0,
        })
    }

    /// Bytes written, and those that the format still holds.
    pub(super) fn size(&self) -> u64 {
        match &self.content {
            Content::Lines => self.bytes,
            Content::Whole(writer) => self.bytes + writer.buffered_bytes() as u64,
        }
    }

    /// Appends encoded rows.
    pub(super) fn write_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|e| failed("the file", &self.in_progress(), "be written", &e))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Appends rows to a format of whole files.
    pub(super) fn write_rows(&mut self, rows: &RecordBatch) -> Result<()> {
        let Content::Whole(writer) = &mut self.content else {
            return Ok(());
        };
        writer.write(rows)?;
        let bytes = writer.take_bytes();
        self.write_bytes(&bytes)
    }

    /// Ends the file and makes it durable.
    pub(super) fn close(mut self) -> Result<Committable> {
        if let Content::Whole(writer) = std::mem::replace(&mut self.content, Content::Lines) {
            self.write_bytes(&writer.finish()?)?;
        }
        let in_progress = self.in_progress();
        let synced = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|e| failed("the file", &in_progress, "be written", &e))?;
        let committable = Committable {
            prepared: self.folder.join(hidden(&self.name, name::PREPARED)),
            target: self.folder.join(&self.name),
        };
        fs::rename(&in_progress, &committable.prepared)
            .map_err(|e| failed("the file", &committable.prepared, "be prepared", &e))?;
        Ok(committable)
    }

    fn in_progress(&self) -> PathBuf {
        self.folder.join(hidden(&self.name, name::IN_PROGRESS))
    }
}
