//! Keyed state in RocksDB: one database per operator and subtask, on local scratch disk.
//!
//! A key is stored as table (1 byte) ‖ key group (2 bytes, big endian) ‖ key, so that the order of
//! the database is the order of scans and state files. There is no write-ahead log and nothing is
//! kept over a restart: recovery comes from checkpoints alone, whose files are put into the
//! database as they are, sorted, without going through its write path.

use std::path::PathBuf;

use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, IngestExternalFileOptions, Options,
    ReadOptions, SstFileWriter, WriteBatch, WriteOptions,
};

use super::delta::DeltaLog;
use super::merge::Entries;
use super::{Change, Delta, KeyedState, Restored, StateSetup, TableId, check_group};
use crate::error::{EngineError, Result};
use crate::key::{KeyGroup, KeyGroupRange};

const PREFIX_LEN: usize = 3;
const WRITE_BUFFER_BYTES: usize = 32 << 20;
const BLOCK_CACHE_BYTES: usize = 32 << 20;
/// A write batch is handed over when it has grown to this.
const BATCH_BYTES: usize = 1 << 20;
/// Restored entries are put into files of about this size.
const INGEST_BYTES: u64 = 256 << 20;

pub(super) struct RocksState {
    key_groups: KeyGroupRange,
    delta: Option<DeltaLog>,
    store: Store,
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
    fn drop(&mut self) {
        // The database must be closed before its files can go.
        self.db = None;
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "scratch state was not removed");
        }
    }
}

impl RocksState {
    pub(super) fn open(setup: StateSetup<'_>) -> Result<Self> {
        let path = setup.scratch.join("rocksdb");
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
        let db = DB::open(&options(), &path).map_err(|e| failed(e.into_string()))?;
        let state = RocksState {
            key_groups: setup.key_groups,
            delta: setup.checkpointed.then(|| DeltaLog::new(setup.scratch)),
            store: Store { db: Some(db), path },
        };
        state.ingest(&setup.restored)?;
        Ok(state)
    }

    /// Fills the empty database.
    fn ingest(&self, restored: &Restored) -> Result<()> {
        if restored.is_empty() {
            return Ok(());
        }
        let written = |e: rocksdb::Error| broken(&e, "restored");
        let mut entries = restored.entries(self.key_groups, None);
        let options = options();
        let mut more = entries.advance()?;
        let mut files: Vec<PathBuf> = Vec::new();
        let mut key = Vec::new();
        while more {
            let path = self
                .store
                .path
                .join(format!("restored-{}.sst", files.len()));
            let mut writer = SstFileWriter::create(&options);
            writer.open(&path).map_err(written)?;
            while more && writer.file_size() < INGEST_BYTES {
                let entry = entries.entry();
                full_key(entry.place.0, entry.place.1, entry.key, &mut key);
                writer
                    .put(&key, entry.value.unwrap_or_default())
                    .map_err(written)?;
                more = entries.advance()?;
            }
            writer.finish().map_err(written)?;
            files.push(path);
        }
        if files.is_empty() {
            return Ok(());
        }
        let mut moved = IngestExternalFileOptions::default();
        moved.set_move_files(true);
        let db = self.store.db()?;
        db.ingest_external_file_opts(&moved, files).map_err(written)
    }

    fn write(&self, batch: WriteBatch) -> Result<()> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.store
            .db()?
            .write_opt(batch, &options)
            .map_err(|e| broken(&e, "written"))
    }
}

fn options() -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&Cache::new_lru_cache(BLOCK_CACHE_BYTES));
    table.set_bloom_filter(10.0, false);
    table.set_format_version(5);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_block_based_table_factory(&table);
    options.set_keep_log_file_num(1);
    options
}

fn broken(error: &rocksdb::Error, what: &str) -> EngineError {
    EngineError::state(format!("keyed state cannot be {what}"))
        .with_detail(error.to_string())
        .with_hint("check the space and health of the worker's scratch disk")
}

fn full_key(table: TableId, group: KeyGroup, key: &[u8], buffer: &mut Vec<u8>) {
    buffer.clear();
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
    fn apply(
        &mut self,
        table: TableId,
        changes: &mut dyn Iterator<Item = Change<'_>>,
    ) -> Result<()> {
        let mut batch = WriteBatch::default();
        let mut key = Vec::new();
        for change in changes {
            check_group(self.key_groups, change.group)?;
            if let Some(delta) = &mut self.delta {
                delta.push(table, &change)?;
            }
            full_key(table, change.group, change.key, &mut key);
            match change.value {
                Some(value) => batch.put(&key, value),
                None => batch.delete(&key),
            }
            if batch.size_in_bytes() >= BATCH_BYTES {
                self.write(std::mem::take(&mut batch))?;
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.write(batch)
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
        let mut buffer = Vec::with_capacity(PREFIX_LEN);
        for (position, (group, key)) in keys.enumerate() {
            full_key(table, group, key, &mut buffer);
            let value = db.get_pinned(&buffer).map_err(|e| broken(&e, "read"))?;
            if let Some(value) = value {
                visit(position, &value)?;
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
