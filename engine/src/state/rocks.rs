//! Keyed state in RocksDB: one database per operator and subtask, on local scratch disk.
//!
//! A key is stored as table (1 byte) ‖ key group (2 bytes, big endian) ‖ key, so that the order of
//! the database is the order of scans and state files. There is no write-ahead log and nothing is
//! kept over a restart: recovery comes from checkpoints alone, whose files are put into the
//! database as they are, sorted, without going through its write path.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompactionStyle,
    DBCompressionType, DEFAULT_COLUMN_FAMILY_NAME, DataBlockIndexType, IngestExternalFileOptions,
    Options, ReadOptions, SstFileWriter, WriteBatch, WriteBufferManager, WriteOptions,
};

use super::delta::{DeltaLog, Recent, RecentEntries};
use super::merge::Entries;
use super::{ChangeSource, Delta, KeyedState, Order, StateSetup, TableId, check_group};
use crate::error::{EngineError, Result};
use crate::key::{KeyGroup, KeyGroupRange};

const PREFIX_LEN: usize = 3;
/// The most that one database buffers before it writes a file.
const WRITE_BUFFER_BYTES: u64 = 32 << 20;
/// Changes that take more than this go into a file of their own instead of the write buffer.
const DIRECT_BYTES: usize = 4 << 20;
/// Changes are sorted and written when they have grown to this.
const PART_BYTES: usize = 64 << 20;
/// The size of blocks, before they are compressed.
const BLOCK_BYTES: usize = 4096;
/// Keys are looked up so many at a time; the blocks of their values stay in memory meanwhile.
const GET_KEYS: usize = 256;
/// Files are closed when so much was put into them, before it is compressed.
const INGEST_BYTES: u64 = 256 << 20;

/// How many databases this process has opened.
static OPENED: AtomicU64 = AtomicU64::new(0);
const NO_FLUSH: &str = "avoid_flush_during_shutdown=true";

/// The cache and the write buffers of all databases of a process, within one budget.
pub(super) struct Shared {
    cache: Cache,
    write_buffers: WriteBufferManager,
    bytes: u64,
}

impl Shared {
    pub(super) fn new(bytes: u64) -> Self {
        let limit = usize::try_from(bytes).unwrap_or(usize::MAX);
        // Subtasks share it, so it must not have them wait for each other.
        let cache = Cache::new_hyper_clock_cache(limit, BLOCK_BYTES);
        // What write buffers take is taken from the cache.
        let write_buffers = WriteBufferManager::new_write_buffer_manager_with_cache(
            limit / 2,
            false,
            cache.clone(),
        );
        Shared {
            cache,
            write_buffers,
            bytes,
        }
    }

    pub(super) fn used(&self) -> u64 {
        self.cache.get_usage() as u64
    }

    /// Options of a database.
    fn options(&self) -> Result<Options> {
        // What is closed is dropped. A flush would be for nothing, and where it fails, on a full disk or in
        // a folder that is gone, closing waits for it for ever.
        let options = Options::default().get_options_from_string(NO_FLUSH);
        let mut options = options.map_err(|e| broken(&e, "set up"))?;
        options.create_if_missing(true);
        let buffer = WRITE_BUFFER_BYTES.min((self.bytes / 8).max(1 << 20));
        options.set_write_buffer_size(buffer as usize);
        options.set_write_buffer_manager(&self.write_buffers);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_compaction_style(DBCompactionStyle::Universal);
        options.set_max_background_jobs(2);
        options.set_block_based_table_factory(&self.table(DataBlockIndexType::BinaryAndHash));
        options.set_keep_log_file_num(1);
        Ok(options)
    }

    /// Options of files that somebody waits for: compactions compress them later, and put hash
    /// indexes into their blocks; half of the time that they take would go into that.
    fn quick_options(&self) -> Result<Options> {
        let mut options = self.options()?;
        options.set_compression_type(DBCompressionType::None);
        options.set_block_based_table_factory(&self.table(DataBlockIndexType::BinarySearch));
        Ok(options)
    }

    fn table(&self, index: DataBlockIndexType) -> BlockBasedOptions {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&self.cache);
        table.set_bloom_filter(10.0, false);
        table.set_format_version(5);
        // Index and filters count as cache, so that they are within the budget. In parts, since those
        // of a large file would push each other out, and each is read as a whole.
        table.set_cache_index_and_filter_blocks(true);
        table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
        table.set_partition_filters(true);
        table.set_block_size(BLOCK_BYTES);
        table.set_metadata_block_size(BLOCK_BYTES);
        table.set_pin_top_level_index_and_filter(true);
        table.set_data_block_index_type(index);
        table
    }
}

pub(super) struct RocksState {
    key_groups: KeyGroupRange,
    delta: Option<DeltaLog>,
    store: Store,
    options: Arc<Options>,
    /// How many files and batches have been written.
    written: u64,
}

/// An open database whose files go with it.
struct Store {
    /// `None` only while it is being dropped.
    db: Option<DB>,
    path: PathBuf,
}

impl Store {
    fn db(&self) -> Result<&DB> {
        self.db
            .as_ref()
            .ok_or_else(|| EngineError::internal("a closed state database was used"))
    }
}

impl Drop for Store {
    /// Closing waits for compactions, and removing for the disk. Whoever starts again in the same place should
    /// not wait for either.
    fn drop(&mut self) {
        let (db, path) = (self.db.take(), self.path.clone());
        let remove = move || {
            // The database must be closed before its files can go.
            drop(db);
            remove_files(&path);
        };
        let thread = std::thread::Builder::new().name("drop-state".into());
        if thread.spawn(remove).is_err() {
            remove_files(&self.path);
        }
    }
}

fn remove_files(path: &Path) {
    if let Err(error) = std::fs::remove_dir_all(path) {
        tracing::debug!(path = %path.display(), %error, "scratch state was not removed");
    }
}

impl RocksState {
    pub(super) fn open(setup: StateSetup<'_>) -> Result<Self> {
        // The one before may still be closing.
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let path = setup.scratch.join(format!("rocksdb-{number}"));
        let failed = |e: String| {
            EngineError::state(format!(
                "the state directory {} cannot be used",
                path.display()
            ))
            .with_detail(e)
            .with_hint("check that the worker's scratch directory is writable and not full")
        };
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(|e| failed(e.to_string()))?;
        }
        std::fs::create_dir_all(&path).map_err(|e| failed(e.to_string()))?;
        let options = setup.resources.disk.options()?;
        let tables = ColumnFamilyDescriptor::new(DEFAULT_COLUMN_FAMILY_NAME, options.clone());
        let db = DB::open_cf_descriptors(&options, &path, [tables]);
        let db = db.map_err(|e| failed(e.into_string()))?;
        let mut state = RocksState {
            key_groups: setup.key_groups,
            delta: setup.checkpointed.then(|| DeltaLog::new(setup.scratch)),
            store: Store { db: Some(db), path },
            options: Arc::new(options),
            written: 0,
        };
        if !setup.restored.is_empty() {
            let range = state.key_groups;
            let options = setup.resources.disk.quick_options()?;
            state.ingest(&mut setup.restored.entries(range, None), &options)?;
        }
        Ok(state)
    }

    /// Puts sorted entries into the database as files.
    fn ingest(&mut self, entries: &mut dyn Entries, options: &Options) -> Result<()> {
        let mut more = entries.advance()?;
        let mut files: Vec<PathBuf> = Vec::new();
        let mut key = Vec::new();
        while more {
            let mut run = self.begin_run(options)?;
            while more && !run.is_full() {
                run.put_entry(entries, &mut key)?;
                more = entries.advance()?;
            }
            files.push(run.finish()?);
        }
        match files.is_empty() {
            true => Ok(()),
            false => self.add_files(files),
        }
    }

    /// Writes changes: few into the write buffer, many as a file.
    fn write(&mut self, changes: &Recent) -> Result<()> {
        let mut entries = RecentEntries::new(changes);
        if changes.bytes() >= DIRECT_BYTES {
            let options = Arc::clone(&self.options);
            return self.ingest(&mut entries, &options);
        }
        self.written += 1;
        let mut batch = WriteBatch::default();
        let mut key = Vec::new();
        while entries.advance()? {
            let entry = entries.entry();
            full_key(entry.place.0, entry.place.1, entry.key, &mut key);
            match entry.value {
                Some(value) => batch.put(&key, value),
                None => batch.delete(&key),
            }
        }
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        let written = self.store.db()?.write_opt(batch, &options);
        written.map_err(|e| broken(&e, "written"))
    }

    /// Writes changes, and unless they are derived notes them for the next checkpoint.
    fn write_all(
        &mut self,
        table: TableId,
        changes: &mut dyn ChangeSource,
        checkpointed: bool,
    ) -> Result<()> {
        let options = Arc::clone(&self.options);
        let mut run: Option<Run<'_>> = None;
        let mut recent = Recent::default();
        let (mut key, mut last, mut ascending) = (Vec::new(), Vec::new(), true);
        changes.each(&mut |change| {
            check_group(self.key_groups, change.group)?;
            if let (true, Some(delta)) = (checkpointed, &mut self.delta) {
                delta.push(table, &change)?;
            }
            full_key(table, change.group, change.key, &mut key);
            let follows = last < key;
            std::mem::swap(&mut key, &mut last);
            if let Some(open) = run.as_mut().filter(|r| follows && !r.is_full()) {
                return open.put(&last, change.value);
            }
            if let Some(done) = run.take() {
                self.add_files(vec![done.finish()?])?;
                ascending = true;
            }
            ascending &= follows || recent.is_empty();
            recent.push(table, &change)?;
            if ascending && recent.bytes() >= DIRECT_BYTES {
                let mut begun = self.begin_run(&options)?;
                begun.put_all(&mut RecentEntries::new(&std::mem::take(&mut recent)))?;
                run = Some(begun);
            } else if recent.bytes() >= PART_BYTES {
                self.write(&std::mem::take(&mut recent))?;
                ascending = true;
            }
            Ok(())
        })?;
        match run {
            Some(run) => self.add_files(vec![run.finish()?]),
            None if recent.is_empty() => Ok(()),
            None => self.write(&recent),
        }
    }

    fn begin_run<'o>(&mut self, options: &'o Options) -> Result<Run<'o>> {
        self.written += 1;
        let path = self.store.path.join(format!("direct-{}.sst", self.written));
        let writer = SstFileWriter::create(options);
        writer.open(&path).map_err(|e| broken(&e, "written"))?;
        Ok(Run {
            writer,
            path,
            bytes: 0,
        })
    }

    fn add_files(&self, files: Vec<PathBuf>) -> Result<()> {
        let mut moved = IngestExternalFileOptions::default();
        moved.set_move_files(true);
        let db = self.store.db()?;
        let added = db.ingest_external_file_opts(&moved, files);
        added.map_err(|e| broken(&e, "written"))
    }
}

/// A file of the database under way, whose keys ascend.
struct Run<'o> {
    writer: SstFileWriter<'o>,
    path: PathBuf,
    /// Of what was put into it.
    bytes: u64,
}

impl Run<'_> {
    fn put(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.bytes += (key.len() + value.map_or(0, <[u8]>::len)) as u64;
        let put = match value {
            Some(value) => self.writer.put(key, value),
            None => self.writer.delete(key),
        };
        put.map_err(|e| broken(&e, "written"))
    }

    fn is_full(&self) -> bool {
        self.bytes >= INGEST_BYTES
    }

    /// Closes the file and says where it is.
    fn finish(mut self) -> Result<PathBuf> {
        self.writer.finish().map_err(|e| broken(&e, "written"))?;
        Ok(self.path)
    }

    fn put_all(&mut self, entries: &mut dyn Entries) -> Result<()> {
        let mut key = Vec::new();
        while entries.advance()? {
            self.put_entry(entries, &mut key)?;
        }
        Ok(())
    }

    fn put_entry(&mut self, entries: &dyn Entries, key: &mut Vec<u8>) -> Result<()> {
        let entry = entries.entry();
        full_key(entry.place.0, entry.place.1, entry.key, key);
        self.put(key, entry.value)
    }
}

fn broken(error: &rocksdb::Error, what: &str) -> EngineError {
    EngineError::state(format!("keyed state cannot be {what}"))
        .with_detail(error.to_string())
        .with_hint("check the space and health of the worker's scratch disk")
}

fn full_key(table: TableId, group: KeyGroup, key: &[u8], buffer: &mut Vec<u8>) {
    buffer.clear();
    push_full_key(table, group, key, buffer);
}

fn push_full_key(table: TableId, group: KeyGroup, key: &[u8], buffer: &mut Vec<u8>) {
    buffer.push(table.0);
    buffer.extend_from_slice(&group.to_be_bytes());
    buffer.extend_from_slice(key);
}

fn split_key(full: &[u8]) -> Result<(TableId, KeyGroup, &[u8])> {
    match full {
        [table, high, low, key @ ..] => {
            Ok((TableId(*table), KeyGroup::from_be_bytes([*high, *low]), key))
        }
        _ => Err(EngineError::state(
            "a key of the state database is too short",
        )),
    }
}

impl KeyedState for RocksState {
    fn apply(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<()> {
        self.write_all(table, changes, true)
    }

    fn derive(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<()> {
        self.write_all(table, changes, false)
    }

    fn is_empty(&self) -> bool {
        self.written == 0
    }

    fn keeps(&self) -> bool {
        true
    }

    fn get(
        &self,
        table: TableId,
        keys: &mut dyn Iterator<Item = (KeyGroup, &[u8])>,
        visit: &mut dyn FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let db = self.store.db()?;
        let handle = db
            .cf_handle(DEFAULT_COLUMN_FAMILY_NAME)
            .ok_or_else(|| EngineError::internal("a state database without a column family"))?;
        let (mut wanted, mut bytes) = (Vec::new(), Vec::new());
        for (position, (group, key)) in keys.enumerate() {
            let start = bytes.len();
            push_full_key(table, group, key, &mut bytes);
            wanted.push((position, start..bytes.len()));
        }
        // Neighbours share what has to be read on the way to them.
        wanted.sort_unstable_by(|(_, a), (_, b)| bytes[a.clone()].cmp(&bytes[b.clone()]));
        for part in wanted.chunks(GET_KEYS) {
            let keys = part.iter().map(|(_, range)| &bytes[range.clone()]);
            let found = db.batched_multi_get_cf(handle, keys, true);
            for ((position, _), value) in part.iter().zip(found) {
                if let Some(value) = value.map_err(|e| broken(&e, "read"))? {
                    visit(*position, &value)?;
                }
            }
        }
        Ok(())
    }

    fn scan(
        &self,
        table: TableId,
        visit: &mut dyn FnMut(KeyGroup, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut cursor = self.store.db()?.raw_iterator_opt(scan_options());
        cursor.seek([table.0]);
        while let (Some(key), Some(value)) = (cursor.key(), cursor.value()) {
            let (found, group, key) = split_key(key)?;
            if found != table {
                break;
            }
            visit(group, key, value)?;
            cursor.next();
        }
        cursor.status().map_err(|e| broken(&e, "read"))
    }

    fn scan_prefix(
        &self,
        table: TableId,
        group: KeyGroup,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut full = Vec::with_capacity(PREFIX_LEN + prefix.len());
        full_key(table, group, prefix, &mut full);
        let mut cursor = self.store.db()?.raw_iterator_opt(scan_options());
        cursor.seek(&full);
        while let (Some(key), Some(value)) = (cursor.key(), cursor.value()) {
            if !key.starts_with(&full) {
                break;
            }
            visit(&key[PREFIX_LEN..], value)?;
            cursor.next();
        }
        cursor.status().map_err(|e| broken(&e, "read"))
    }

    fn scan_range(
        &self,
        table: TableId,
        group: KeyGroup,
        range: Range<&[u8]>,
        order: Order,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<bool>,
    ) -> Result<()> {
        if range.start >= range.end {
            return Ok(());
        }
        let (mut from, mut to) = (Vec::new(), Vec::new());
        full_key(table, group, range.start, &mut from);
        full_key(table, group, range.end, &mut to);
        let mut options = scan_options();
        options.set_iterate_lower_bound(from);
        options.set_iterate_upper_bound(to);
        let mut cursor = self.store.db()?.raw_iterator_opt(options);
        match order {
            Order::Ascending => cursor.seek_to_first(),
            Order::Descending => cursor.seek_to_last(),
        }
        while let (Some(key), Some(value)) = (cursor.key(), cursor.value()) {
            if !visit(key.get(PREFIX_LEN..).unwrap_or_default(), value)? {
                break;
            }
            match order {
                Order::Ascending => cursor.next(),
                Order::Descending => cursor.prev(),
            }
        }
        cursor.status().map_err(|e| broken(&e, "read"))
    }

    fn loaded(&mut self) {}

    fn take_delta(&mut self) -> Delta {
        self.delta.as_mut().map(DeltaLog::take).unwrap_or_default()
    }

    fn key_groups(&self) -> KeyGroupRange {
        self.key_groups
    }

    fn size_bytes(&self) -> u64 {
        let Ok(db) = self.store.db() else { return 0 };
        let property = |name| db.property_int_value(name).ok().flatten().unwrap_or(0);
        property("rocksdb.cur-size-all-mem-tables") + property("rocksdb.total-sst-files-size")
    }
}

/// A scan reads everything once and must not push the point lookups' blocks out of the cache.
fn scan_options() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.fill_cache(false);
    options
}
