//! Writing a table: files that nobody sees until their checkpoint is complete.
//!
//! ```text
//!  write ──► .part-….inprogress ── prepare: close, fsync, rename ──► .part-….prepared ── commit: rename ──► part-….json
//! ```
//!
//! A file belongs to one checkpoint. Its names contain the job, the operator, the subtask, the attempt
//! and a counter, so two writers never share one. In-progress files of an earlier attempt belong to
//! nobody and go when the next attempt opens. Prepared files of an earlier attempt may belong to the
//! checkpoint that was restored, perhaps by way of another subtask; once a checkpoint of this attempt
//! is complete, all of those have been committed, and what is still there goes too.
//!
//! A sink that overwrites lists what there is when it prepares, and removes that once its own files are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use levada_engine::connector::{Sink, SinkContext, SinkFactory};
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::failpoint::Failpoint;
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};

use super::config::Config;
use super::partition::Splitter;
use crate::format::{Encoded, Encoder, Format, Framing};

mod committable;
mod name;
mod overwrite;
mod part;

#[cfg(test)]
mod tests;

use committable::{Committable, Step};
use name::Names;
use overwrite::Overwrite;
use part::{Content, Part};

/// A subtask has at most so many files open; the one that was written longest ago is closed first.
const MAX_OPEN: usize = 128;

/// A table that is written.
#[derive(Debug)]
pub(super) struct Factory {
    config: Arc<Config>,
    overwrite: Option<Overwrite>,
}

impl Factory {
    pub(super) fn new(config: Config) -> Result<Self> {
        let fields = config.schema.fields();
        Splitter::new(fields, &config.partitioned_by, &config.default_partition)?;
        let factory = Self {
            config: Arc::new(config),
            overwrite: None,
        };
        // A column that the format cannot hold is found here, before anything is written.
        Factory::encoder(&factory.config, Arc::new(factory.config.in_files()))?;
        Ok(factory)
    }

    /// The encoder of a format of rows; `None` if each file has a writer of its own.
    fn encoder(config: &Config, schema: SchemaRef) -> Result<Option<Box<dyn Encoder>>> {
        match &config.format {
            Format::Rows(format) => format.encoder(schema, Framing::Line).map(Some),
            Format::Files(format) => format.writer(schema).map(|_| None),
        }
    }
}

impl SinkFactory for Factory {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        match mode {
            ChangelogMode::Append => Ok(mode),
            _ => Err(EngineError::config(
                "the connector 'filesystem' takes inserts only, but the query updates or deletes rows",
            )
            .with_hint("write to a connector that takes updates, or aggregate by windows, which only insert")),
        }
    }

    fn create(&self, context: SinkContext) -> Result<Box<dyn Sink>> {
        let config = Arc::clone(&self.config);
        for field in context.schema.fields() {
            if config.metadata.contains_key(field.name()) {
                return Err(EngineError::config(format!(
                    "the metadata column '{}' of the connector 'filesystem' cannot be written",
                    field.name()
                ))
                .with_hint("declare it VIRTUAL"));
            }
        }
        let fields = context.schema.fields();
        let splitter = Splitter::new(fields, &config.partitioned_by, &config.default_partition)?;
        let columns = splitter.file_columns().iter();
        let columns: Vec<_> = columns.filter_map(|i| fields.get(*i).cloned()).collect();
        let schema = Arc::new(Schema::new(columns));
        Ok(Box::new(FileSink {
            names: Names::new(&context, config.format.identifier()),
            encoder: Factory::encoder(&config, Arc::clone(&schema))?,
            encoded: Encoded::default(),
            overwrite: self.overwrite.clone(),
            config,
            splitter,
            schema,
            context,
            parts: BTreeMap::new(),
            turn: 0,
            closed: Vec::new(),
            has_prepared: false,
            may_have_leftovers: true,
        }))
    }

    fn overwriting(&self, constants: &RecordBatch) -> Result<Option<Arc<dyn SinkFactory>>> {
        Ok(Some(Arc::new(Factory {
            config: Arc::clone(&self.config),
            overwrite: Some(Overwrite::of(&self.config, constants)?),
        })))
    }
}

struct FileSink {
    config: Arc<Config>,
    names: Names,
    splitter: Splitter,
    /// The columns of the files.
    schema: SchemaRef,
    context: SinkContext,
    encoder: Option<Box<dyn Encoder>>,
    encoded: Encoded,
    /// The open files by folder.
    parts: BTreeMap<String, Part>,
    /// Counts writes, to know which file was written longest ago.
    turn: u64,
    /// Files closed since the last barrier.
    closed: Vec<Committable>,
    has_prepared: bool,
    may_have_leftovers: bool,
    /// What of the table is replaced.
    overwrite: Option<Overwrite>,
}

#[async_trait]
impl Sink for FileSink {
    async fn open(&mut self) -> Result<()> {
        let root = &self.config.path;
        fs::create_dir_all(root).map_err(|e| failed("the folder", root, "be created", &e))?;
        self.remove_leftovers(name::IN_PROGRESS)
    }

    async fn write(&mut self, batch: &Batch) -> Result<()> {
        for slice in self.splitter.split(batch.rows())? {
            self.write_slice(slice.folder, &slice.rows)?;
        }
        self.close_aged()
    }

    async fn idle(&mut self) -> Result<()> {
        self.close_aged()
    }

    async fn prepare(&mut self, _checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        let folders: Vec<String> = self.parts.keys().cloned().collect();
        for folder in folders {
            self.close(&folder)?;
        }
        let folders: BTreeSet<&Path> = self.closed.iter().filter_map(|c| c.folder()).collect();
        for folder in folders {
            sync_folder(folder)?;
        }
        self.has_prepared = true;
        let mut steps: Vec<Step> = self.closed.drain(..).map(Step::Commit).collect();
        if let Some(overwrite) = &self.overwrite {
            steps.push(overwrite.removal(&self.config)?);
        }
        steps.iter().map(Step::encode).collect()
    }

    async fn commit(&mut self, committables: Vec<WireBytes>) -> Result<()> {
        let steps: Result<Vec<_>> = committables.iter().map(Step::decode).collect();
        let steps = steps?;
        for step in &steps {
            step.take()?;
            self.context.failpoints.pass(Failpoint::SinkCommitRows);
        }
        let folders: BTreeSet<&Path> = steps.iter().filter_map(|s| s.folder()).collect();
        for folder in folders {
            if let Some(name) = &self.config.sink.success_file
                && !self.config.partitioned_by.is_empty()
            {
                let path = folder.join(name);
                fs::write(&path, b"").map_err(|e| failed("the file", &path, "be written", &e))?;
            }
            sync_folder(folder)?;
        }
        if self.has_prepared && self.may_have_leftovers {
            self.may_have_leftovers = false;
            self.remove_leftovers(name::PREPARED)?;
        }
        Ok(())
    }

    fn deadline_ms(&self) -> Option<i64> {
        let oldest = self.parts.values().map(|part| part.opened_ms).min()?;
        Some(oldest.saturating_add(self.config.sink.rollover_ms))
    }
}

impl FileSink {
    fn write_slice(&mut self, folder: String, rows: &arrow::array::RecordBatch) -> Result<()> {
        if !self.parts.contains_key(&folder) {
            self.make_room()?;
            let part = self.open_part(&folder)?;
            self.parts.insert(folder.clone(), part);
        }
        let Some(part) = self.parts.get_mut(&folder) else {
            return Ok(());
        };
        self.turn += 1;
        part.last_turn = self.turn;
        match &mut self.encoder {
            Some(encoder) => {
                self.encoded.clear();
                encoder.encode(rows, &mut self.encoded)?;
                part.write_bytes(&self.encoded.bytes)?
            }
            None => part.write_rows(rows)?,
        }
        if part.size() >= self.config.sink.rolling_bytes {
            self.close(&folder)?;
        }
        Ok(())
    }

    fn open_part(&mut self, folder: &str) -> Result<Part> {
        let path = match folder.is_empty() {
            true => self.config.path.clone(),
            false => self.config.path.join(folder),
        };
        fs::create_dir_all(&path).map_err(|e| failed("the folder", &path, "be created", &e))?;
        if let Some(overwrite) = &mut self.overwrite {
            overwrite.gets_rows(folder);
        }
        let content = match &self.config.format {
            Format::Rows(_) => Content::Lines,
            Format::Files(format) => Content::Whole(format.writer(Arc::clone(&self.schema))?),
        };
        let name = self.names.next(&path)?;
        Part::create(path, name, content, self.context.clock.now_ms())
    }

    /// Closes the file that was written longest ago if there are too many.
    fn make_room(&mut self) -> Result<()> {
        if self.parts.len() < MAX_OPEN {
            return Ok(());
        }
        let oldest = self.parts.iter().min_by_key(|(_, part)| part.last_turn);
        match oldest.map(|(folder, _)| folder.clone()) {
            Some(folder) => self.close(&folder),
            None => Ok(()),
        }
    }

    fn close_aged(&mut self) -> Result<()> {
        let now = self.context.clock.now_ms();
        let rollover = self.config.sink.rollover_ms;
        let aged = self
            .parts
            .iter()
            .filter(|(_, part)| now.saturating_sub(part.opened_ms) >= rollover);
        let aged: Vec<String> = aged.map(|(folder, _)| folder.clone()).collect();
        aged.iter().try_for_each(|folder| self.close(folder))
    }

    fn close(&mut self, folder: &str) -> Result<()> {
        if let Some(part) = self.parts.remove(folder) {
            self.closed.push(part.close()?);
        }
        Ok(())
    }

    /// Removes hidden files of earlier attempts.
    fn remove_leftovers(&self, suffix: &str) -> Result<()> {
        let mut folders = vec![self.config.path.clone()];
        while let Some(folder) = folders.pop() {
            let unreadable = |e| failed("the folder", &folder, "be read", &e);
            for entry in fs::read_dir(&folder).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                let name = entry.file_name();
                if entry.file_type().is_ok_and(|t| t.is_dir()) {
                    folders.push(entry.path());
                } else if self.names.is_leftover(&name.to_string_lossy(), suffix) {
                    remove(&entry.path())?;
                    tracing::debug!(path = %entry.path().display(), "removed what an earlier attempt left behind");
                }
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(failed("the file", path, "be removed", &e))
        }
        _ => Ok(()),
    }
}

/// Makes the names in a folder survive a crash of the machine.
fn sync_folder(folder: &Path) -> Result<()> {
    fs::File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(|e| failed("the folder", folder, "be synchronised", &e))
}

fn failed(what: &str, path: &Path, action: &str, error: &std::io::Error) -> EngineError {
    let message = format!("{what} '{}' cannot {action}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            EngineError::resource(message).with_hint("make room on the disk")
        }
        std::io::ErrorKind::PermissionDenied
        | std::io::ErrorKind::NotADirectory
        | std::io::ErrorKind::AlreadyExists
        | std::io::ErrorKind::ReadOnlyFilesystem => {
            EngineError::config(message).with_hint("check the option 'path'")
        }
        _ => EngineError::connector(message),
    }
}
