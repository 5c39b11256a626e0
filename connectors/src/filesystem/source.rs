//! Reading a table: which files a subtask has, in which order it reads them, where it stands.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int64Array, StringArray, TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::take;
use async_trait::async_trait;
use levada_engine::connector::{
    Boundedness, LookupCache, Source, SourceContext, SourceEvent, SourceFactory, SplitState,
};
use levada_engine::element::Batch;
use levada_engine::{EngineError, Result};
use tokio::time::Instant;

use super::Metadata;
use super::config::Config;
use super::listing::{self, Found};
use super::partition;
use super::reader::{Desk, LineReader, Piece, Position, Reader, WholeReader};
use crate::columns::{Layout, Origin, convert};
use crate::format::{Format, OnBadRow};
use crate::hash;

/// How many files a subtask reads side by side. They take turns, batch by batch, so that event time
/// advances in all of them together.
const MAX_OPEN: usize = 64;

/// A table that is read.
#[derive(Debug)]
pub(super) struct Factory {
    config: Arc<Config>,
}

impl Factory {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config: Arc::new(config),
        }
    }
}

impl SourceFactory for Factory {
    fn lookup(&self) -> Option<LookupCache> {
        self.config.lookup
    }

    fn boundedness(&self) -> Boundedness {
        match self.config.source.monitor_interval {
            None => Boundedness::Bounded,
            Some(_) => Boundedness::Unbounded,
        }
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let config = Arc::clone(&self.config);
        let layout = Layout::new(&context.schema, |field| {
            let name = field.name();
            Ok(if let Some(metadata) = config.metadata.get(name) {
                Origin::Derived(Derived::Metadata(*metadata))
            } else if config.partitioned_by.contains(name) {
                Origin::Derived(Derived::Folder)
            } else {
                Origin::Value
            })
        })?;
        let mut source = FileSource {
            config,
            layout,
            context,
            splits: BTreeMap::new(),
            waiting: VecDeque::new(),
            open: VecDeque::new(),
            desks: Vec::new(),
            events: VecDeque::new(),
            next_look: None,
        };
        // A column that the format cannot hold is found here, before anything is read.
        if let Format::Rows(_) = source.config.format {
            let desk = source.desk()?;
            source.desks.push(desk);
        }
        Ok(Box::new(source))
    }
}

/// A column that does not stand in the file.
#[derive(Debug, Clone, Copy)]
enum Derived {
    Metadata(Metadata),
    Folder,
}

/// Where a file's reading stands.
#[derive(Debug, Clone, Copy)]
struct Progress {
    position: Position,
    finished: bool,
    paused: bool,
}

impl Progress {
    const START: Progress = Progress {
        position: Position::START,
        finished: false,
        paused: false,
    };
}

struct OpenFile {
    found: Found,
    reader: Reader,
    constants: Constants,
}

/// What happens to a split's progress when an event is handed out.
#[derive(Debug, Clone, Copy)]
enum Step {
    None,
    /// Bad rows before this offset are out.
    Bad(u64),
    To(Position),
    Finish,
}

struct FileSource {
    config: Arc<Config>,
    layout: Layout<Derived>,
    context: SourceContext,
    /// All files of this subtask that were found, read or not.
    splits: BTreeMap<Arc<str>, Progress>,
    /// Files that have not been opened, in the order of reading.
    waiting: VecDeque<Found>,
    /// Files being read; the next one is at the front.
    open: VecDeque<OpenFile>,
    /// Decoders and buffers that are free.
    desks: Vec<Desk>,
    /// What to hand out next.
    events: VecDeque<(SourceEvent, Arc<str>, Step)>,
    /// When to look for new files.
    next_look: Option<Instant>,
}

#[async_trait]
impl Source for FileSource {
    async fn open(&mut self) -> Result<Vec<String>> {
        let mut restored = HashMap::new();
        for state in self.context.restored.iter().flat_map(|all| all.iter()) {
            let position = Position::decode(&state.position, &state.split)?;
            let progress = Progress {
                position,
                finished: state.finished,
                paused: false,
            };
            restored.insert(state.split.as_str(), progress);
        }
        let found = listing::list(&self.config.path, self.config.source.pattern.as_ref())?;
        self.check_missing(&found)?;
        let mut names = Vec::new();
        for (number, file) in found.into_iter().enumerate() {
            if !self.is_mine(number, &file) {
                continue;
            }
            let progress = restored.get(file.path.as_ref()).copied();
            let progress = progress.unwrap_or(Progress::START);
            self.splits.insert(Arc::clone(&file.path), progress);
            if !progress.finished {
                names.push(file.path.to_string());
                self.waiting.push_back(file);
            }
        }
        self.in_reading_order();
        self.schedule_look();
        Ok(names)
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        loop {
            if let Some((event, split, step)) = self.events.pop_front() {
                self.advance(&split, step);
                return Ok(event);
            }
            if self.next_look.is_some_and(|at| Instant::now() >= at) {
                self.look()?;
                continue;
            }
            self.open_more().await?;
            if self.bring_unpaused_to_front() {
                self.read().await?;
            } else if let Some(at) = self.next_look {
                tokio::time::sleep_until(at).await;
            } else if self.open.is_empty() && self.waiting.is_empty() {
                return Ok(SourceEvent::End);
            } else {
                // Every file is paused, until the engine drops this call and resumes one.
                std::future::pending::<()>().await;
            }
        }
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        let state = |(split, progress): (&Arc<str>, &Progress)| {
            Ok(SplitState {
                split: split.to_string(),
                position: progress.position.encode()?,
                watermark: None,
                finished: progress.finished,
            })
        };
        self.splits.iter().map(state).collect()
    }

    fn set_paused(&mut self, split: &str, paused: bool) {
        if let Some(progress) = self.splits.get_mut(split) {
            progress.paused = paused;
        }
    }
}

impl FileSource {
    /// Whether a file belongs to this subtask.
    ///
    /// A folder that is read once is listed by all subtasks alike, so files can be dealt out in
    /// turn. While a folder changes, only the name says the same to everyone.
    fn is_mine(&self, number: usize, file: &Found) -> bool {
        let parallelism = u64::from(self.context.parallelism.max(1));
        let ticket = match self.config.source.monitor_interval {
            None => number as u64,
            Some(_) => hash::stable(file.path.as_bytes()),
        };
        ticket % parallelism == u64::from(self.context.index)
    }

    /// A file that a checkpoint has begun to read must still be there.
    fn check_missing(&self, found: &[Found]) -> Result<()> {
        for state in self.context.restored.iter().flat_map(|all| all.iter()) {
            let there = found
                .binary_search_by(|file| file.path.as_ref().cmp(state.split.as_str()))
                .is_ok();
            if !state.finished && !there {
                return Err(EngineError::config(format!(
                    "the file '{}' is gone, but the checkpoint has not read it to its end",
                    state.split
                ))
                .with_hint("put it back, or start the job without the checkpoint"));
            }
        }
        Ok(())
    }

    /// A changing folder is read in the order in which files came, another by name.
    fn in_reading_order(&mut self) {
        if self.config.source.monitor_interval.is_some() {
            self.waiting
                .make_contiguous()
                .sort_by(|a, b| (a.modified_ms, &a.path).cmp(&(b.modified_ms, &b.path)));
        }
    }

    fn schedule_look(&mut self) {
        let interval = self.config.source.monitor_interval;
        self.next_look = interval.and_then(|i| Instant::now().checked_add(i));
    }

    /// Finds new files, and forgets those that have been read and are gone.
    fn look(&mut self) -> Result<()> {
        let found = listing::list(&self.config.path, self.config.source.pattern.as_ref())?;
        let there = |path: &str| {
            found
                .binary_search_by(|file| file.path.as_ref().cmp(path))
                .is_ok()
        };
        self.splits
            .retain(|path, progress| !progress.finished || there(path));
        for (number, file) in found.iter().enumerate() {
            if self.is_mine(number, file) && !self.splits.contains_key(&file.path) {
                self.splits.insert(Arc::clone(&file.path), Progress::START);
                let added = SourceEvent::SplitAdded(Arc::clone(&file.path));
                self.events
                    .push_back((added, Arc::clone(&file.path), Step::None));
                self.waiting.push_back(file.clone());
            }
        }
        self.in_reading_order();
        self.schedule_look();
        Ok(())
    }

    fn is_paused(&self, path: &str) -> bool {
        self.splits.get(path).is_some_and(|p| p.paused)
    }

    /// Opens files until enough of them can be read. Those that are paused do not count: they may
    /// be waiting for one that is not open yet.
    async fn open_more(&mut self) -> Result<()> {
        let mut active = self
            .open
            .iter()
            .filter(|file| !self.is_paused(&file.found.path))
            .count();
        while active < MAX_OPEN {
            let next = self
                .waiting
                .iter()
                .position(|file| !self.is_paused(&file.path));
            let Some(found) = next.and_then(|at| self.waiting.get(at)).cloned() else {
                return Ok(());
            };
            let reader = self.open_file(&found).await?;
            let constants = Constants::new(&self.config, &self.layout, &found)?;
            self.waiting.retain(|file| file.path != found.path);
            self.open.push_back(OpenFile {
                found,
                reader,
                constants,
            });
            active += 1;
        }
        Ok(())
    }

    async fn open_file(&mut self, found: &Found) -> Result<Reader> {
        let progress = self.splits.get(&found.path);
        let position = progress.map_or(Position::START, |p| p.position);
        if let Format::Files(format) = &self.config.format {
            let schema = Arc::clone(self.layout.value());
            let rows = self.context.batch_rows;
            let reader = WholeReader::open(format.as_ref(), found, position, schema, rows);
            return Ok(Reader::Whole(reader.await?));
        }
        let desk = self.desk()?;
        let reader = LineReader::open(found, position, desk)?;
        Ok(Reader::Lines(Box::new(reader)))
    }

    fn desk(&mut self) -> Result<Desk> {
        if let Some(desk) = self.desks.pop() {
            return Ok(desk);
        }
        let Format::Rows(format) = &self.config.format else {
            return Err(EngineError::internal(
                "a format of whole files has no decoder",
            ));
        };
        let on_bad_row = match self.context.divert_bad {
            true => OnBadRow::Divert,
            false => OnBadRow::Fail,
        };
        let wanted = Arc::clone(self.layout.value());
        Desk::new(format.as_ref(), &self.config.in_files(), wanted, on_bad_row)
    }

    /// Whether there is a file to read; it is then at the front.
    fn bring_unpaused_to_front(&mut self) -> bool {
        let ready = self
            .open
            .iter()
            .position(|file| !self.is_paused(&file.found.path));
        match ready {
            None => false,
            Some(at) => {
                self.open.rotate_left(at);
                true
            }
        }
    }

    /// Reads a batch from the file at the front, and moves it behind the others.
    async fn read(&mut self) -> Result<()> {
        let Some(file) = self.open.front_mut() else {
            return Ok(());
        };
        let piece = file.reader.next(self.context.batch_rows).await?;
        let split = Arc::clone(&file.found.path);
        let rows = match piece.rows.num_rows() {
            0 => None,
            count => {
                let derived = file.constants.columns(count)?;
                let rows = self.layout.assemble(piece.rows.clone(), &[], &derived);
                Some(rows.map_err(|e| e.at(&format!("file '{split}'")))?)
            }
        };
        self.hand_out(&split, rows, &piece);
        if !piece.finished {
            self.open.rotate_left(1);
        } else if let Some(done) = self.open.pop_front()
            && let Reader::Lines(reader) = done.reader
        {
            self.desks.push(reader.into_desk());
        }
        Ok(())
    }

    fn hand_out(
        &mut self,
        split: &Arc<str>,
        rows: Option<arrow::array::RecordBatch>,
        piece: &Piece,
    ) {
        self.context.metrics.bad_rows.add(piece.ignored);
        let mut push = |event, step| self.events.push_back((event, Arc::clone(split), step));
        if let Some(bad) = &piece.bad {
            let step = match rows {
                Some(_) => Step::Bad(piece.position.offset),
                None => Step::To(piece.position),
            };
            push(SourceEvent::Bad { rows: bad.clone() }, step);
        }
        match rows {
            Some(rows) => {
                let rows = SourceEvent::Rows {
                    split: Arc::clone(split),
                    batch: Batch::inserts(rows),
                };
                push(rows, Step::To(piece.position));
            }
            // Nothing will be handed out for these bytes.
            None if piece.bad.is_none() => self.advance(split, Step::To(piece.position)),
            None => {}
        }
        if piece.finished {
            let finished = SourceEvent::SplitFinished(Arc::clone(split));
            self.events
                .push_back((finished, Arc::clone(split), Step::Finish));
        }
    }

    fn advance(&mut self, split: &str, step: Step) {
        let Some(progress) = self.splits.get_mut(split) else {
            return;
        };
        match step {
            Step::None => {}
            Step::Bad(until) => progress.position.bad_until = until,
            Step::To(position) => progress.position = position,
            Step::Finish => progress.finished = true,
        }
    }
}

/// The columns of a file that have the same value in each of its rows.
struct Constants {
    /// Arrays of length 1.
    values: Vec<ArrayRef>,
    /// The same, as long as the longest batch so far.
    expanded: Vec<ArrayRef>,
}

impl Constants {
    fn new(config: &Config, layout: &Layout<Derived>, found: &Found) -> Result<Self> {
        let value = |(derived, field): &(Derived, arrow::datatypes::FieldRef)| match derived {
            Derived::Metadata(metadata) => convert(&metadata_value(*metadata, found), field),
            Derived::Folder => {
                partition::value_in_path(&found.path, field, &config.default_partition)
            }
        };
        let values: Result<Vec<_>> = layout.derived().iter().map(value).collect();
        Ok(Self {
            values: values?,
            expanded: Vec::new(),
        })
    }

    fn columns(&mut self, rows: usize) -> Result<Vec<ArrayRef>> {
        if self.values.is_empty() {
            return Ok(Vec::new());
        }
        if self.expanded.first().is_none_or(|e| e.len() < rows) {
            let first = UInt32Array::from(vec![0; rows]);
            let expand = |value: &ArrayRef| take(value, &first, None);
            let expanded: Result<Vec<_>, _> = self.values.iter().map(expand).collect();
            self.expanded = expanded?;
        }
        Ok(self.expanded.iter().map(|e| e.slice(0, rows)).collect())
    }
}

fn metadata_value(metadata: Metadata, found: &Found) -> ArrayRef {
    match metadata {
        Metadata::Path => Arc::new(StringArray::from(vec![found.path.as_ref()])),
        Metadata::Name => {
            let name = found.path.rsplit('/').next().unwrap_or_default();
            Arc::new(StringArray::from(vec![name]))
        }
        Metadata::Size => {
            let size = i64::try_from(found.size).unwrap_or(i64::MAX);
            Arc::new(Int64Array::from(vec![size]))
        }
        Metadata::ModificationTime => {
            Arc::new(TimestampMillisecondArray::from(vec![found.modified_ms]).with_timezone("UTC"))
        }
    }
}
