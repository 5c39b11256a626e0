//! Keyed state in RocksDB: one database per operator and subtask, on local scratch disk.
//!
//! Keys are stored with their place in front, so that the order of the database is the order of scans
//! and state files. There is no write-ahead log and nothing is kept over a restart: recovery comes
//! from checkpoints alone, whose files are used where they are until the database has what is in them.

mod base;
mod closing;
mod cursor;
mod options;
mod run;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rocksdb::{
    AsColumnFamilyRef, ColumnFamilyDescriptor, DB, DEFAULT_COLUMN_FAMILY_NAME,
    IngestExternalFileOptions, Options, WriteBatch, WriteOptions,
};

use super::delta::{DeltaLog, Recent, RecentEntries};
use super::merge::{Entries, Merge};
use super::scan::{self, InOrder};
use super::sorted::{KeyRange, SortedRuns};
use super::{
    Change, ChangeSource, Delta, KeyedState, Order, StateSetup, TableId, check_group, full_key,
    unusable,
};
use crate::error::{EngineError, Result};
use crate::key::{KeyGroup, KeyGroupRange};
use base::{Base, Loaded, Loader, Part};
use closing::Closing;
use cursor::{Content, Cursor, deletion_of};
use run::Run;

pub(super) use options::Shared;

/// Changes that take more than this go into a file of their own instead of the write buffer.
const DIRECT_BYTES: usize = 4 << 20;
/// Changes are sorted and written when they have grown to this.
const PART_BYTES: usize = 64 << 20;
/// Keys are looked up so many at a time; the blocks of their values stay in memory meanwhile.
const GET_KEYS: usize = 256;

/// How restored state is loaded.
const LOADING: Limits = match cfg!(test) {
    true => Limits {
        in_place: 0,
        part: 1000,
    },
    false => Limits {
        in_place: 1 << 20,
        part: 64 << 20,
    },
};
/// Parts of restored state are taken over while the database has fewer files than this that overlap others,
/// so that compactions follow.
const OVERLAPPING_FILES: u64 = 12;
/// So many changes are written again at a time, in bytes, when parts of restored state are taken over.
const REWRITTEN_BYTES: u64 = 16 << 20;

/// How many databases this process has opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// How restored state is loaded.
struct Limits {
    /// Less than this, in bytes, is put into the database at once.
    in_place: u64,
    /// More goes into it in parts of so many bytes.
    part: u64,
}

pub(super) struct RocksState {
    key_groups: KeyGroupRange,
    delta: Option<DeltaLog>,
    store: Store,
    /// What was restored and is not in the database yet.
    base: Option<Base>,
    options: Arc<Options>,
    /// How many files and batches have been written.
    written: u64,
}

/// An open database whose files go with it.
struct Store {
    /// `None` only while it is being dropped.
    db: Option<DB>,
    /// What may still write files for it.
    loader: Option<Loader>,
    path: PathBuf,
}

impl Store {
    fn db(&self) -> Result<&DB> {
        self.db
            .as_ref()
            .ok_or_else(|| EngineError::internal("a closed state database was used"))
    }

    fn add_files(&self, files: Vec<PathBuf>) -> Result<()> {
        let mut moved = IngestExternalFileOptions::default();
        moved.set_move_files(true);
        let added = self.db()?.ingest_external_file_opts(&moved, files);
        added.map_err(|e| broken(&e, "written"))
    }

    /// How many files may overlap others.
    fn overlapping_files(&self) -> Result<u64> {
        let files = self.db()?.property_int_value("rocksdb.num-files-at-level0");
        Ok(files.map_err(|e| broken(&e, "read"))?.unwrap_or(0))
    }

    fn write(&self, batch: WriteBatch) -> Result<()> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        let written = self.db()?.write_opt(batch, &options);
        written.map_err(|e| broken(&e, "written"))
    }
}

/// The only column family.
fn family(db: &DB) -> Result<&impl AsColumnFamilyRef> {
    db.cf_handle(DEFAULT_COLUMN_FAMILY_NAME)
        .ok_or_else(|| EngineError::internal("a state database without a column family"))
}

impl Drop for Store {
    /// Closing waits for compactions, and removing for the disk. Whoever starts again in the same place should
    /// not wait for either.
    fn drop(&mut self) {
        let (db, path) = (self.db.take(), self.path.clone());
        let loader = self.loader.take();
        loader.iter().for_each(Loader::stop);
        let closing = Closing::begin();
        let remove = move || {
            let _closing = closing;
            if let Some(loader) = loader {
                loader.join();
            }
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
        Self::open_with(setup, &LOADING)
    }

    fn open_with(setup: StateSetup<'_>, limits: &Limits) -> Result<Self> {
        // The one before may still be closing.
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let path = setup.scratch.join(format!("rocksdb-{number}"));
        let failed = |e: String| unusable(&path, e);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(|e| failed(e.to_string()))?;
        }
        std::fs::create_dir_all(&path).map_err(|e| failed(e.to_string()))?;
        let options = setup.resources.rocks().options()?;
        let tables = ColumnFamilyDescriptor::new(DEFAULT_COLUMN_FAMILY_NAME, options.clone());
        let db = DB::open_cf_descriptors(&options, &path, [tables]);
        let db = db.map_err(|e| failed(e.into_string()))?;
        closing::wait_at_exit();
        let mut state = RocksState {
            key_groups: setup.key_groups,
            delta: setup.checkpointed.then(|| DeltaLog::new(setup.scratch)),
            store: Store {
                db: Some(db),
                loader: None,
                path,
            },
            base: None,
            options: Arc::new(options),
            written: 0,
        };
        let options = setup.resources.rocks().quick_options()?;
        state.restore(setup, options, limits)?;
        Ok(state)
    }

    fn restore(&mut self, setup: StateSetup<'_>, options: Options, limits: &Limits) -> Result<()> {
        let (range, restored) = (self.key_groups, setup.restored);
        if restored.size_bytes(range) < limits.in_place {
            return self.ingest(&mut restored.entries(range, None), &options);
        }
        let files = SortedRuns::open(restored, range, &setup.resources.runs)?;
        let (base, loader) = Base::load(files, &self.store.path, options, limits.part)?;
        (self.base, self.store.loader) = (Some(base), Some(loader));
        Ok(())
    }

    /// Puts sorted entries into the database as files.
    fn ingest(&mut self, entries: &mut dyn Entries, options: &Options) -> Result<()> {
        let mut more = entries.advance()?;
        let mut files: Vec<PathBuf> = Vec::new();
        let mut key = Vec::new();
        while more {
            let mut run = self.begin_run(options)?;
            while more && !run.is_full() {
                run.put_entry(entries.entry(), &mut key)?;
                more = entries.advance()?;
            }
            files.push(run.finish()?);
        }
        match files.is_empty() {
            true => Ok(()),
            false => self.store.add_files(files),
        }
    }

    fn begin_run<'o>(&mut self, options: &'o Options) -> Result<Run<'o>> {
        Run::begin(self.next_path(), options)
    }

    fn next_path(&mut self) -> PathBuf {
        self.written += 1;
        self.store.path.join(format!("direct-{}.sst", self.written))
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
            full_key::put(entry.place, entry.key, &mut key);
            match entry.value {
                Some(value) => batch.put(&key, value),
                None => batch.delete(&key),
            }
        }
        self.store.write(batch)
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
        let mut deletions = WriteBatch::default();
        let (mut key, mut last, mut ascending) = (Vec::new(), Vec::new(), true);
        changes.each(&mut |change| {
            check_group(self.key_groups, change.group)?;
            if let (true, Some(delta)) = (checkpointed, &mut self.delta) {
                delta.push(table, &change)?;
            }
            full_key::put((table, change.group), change.key, &mut key);
            if checkpointed && change.value.is_none() {
                self.note_deletion(&key, &mut deletions)?;
            }
            let follows = last < key;
            std::mem::swap(&mut key, &mut last);
            if let Some(open) = run.as_mut().filter(|r| follows && !r.is_full()) {
                return open.put(&last, change.value);
            }
            if let Some(done) = run.take() {
                self.store.add_files(vec![done.finish()?])?;
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
        if !deletions.is_empty() {
            self.store.write(deletions)?;
        }
        match run {
            Some(run) => self.store.add_files(vec![run.finish()?]),
            None if recent.is_empty() => Ok(()),
            None => self.write(&recent),
        }
    }

    /// Notes that what was restored for a full key no longer counts.
    fn note_deletion(&mut self, key: &[u8], batch: &mut WriteBatch) -> Result<()> {
        let Some(base) = self.base.as_mut().filter(|base| base.holds(key)) else {
            return Ok(());
        };
        base.has_deletions = true;
        batch.put(deletion_of(key), []);
        if batch.size_in_bytes() < DIRECT_BYTES {
            return Ok(());
        }
        self.store.write(std::mem::take(batch))
    }

    /// Takes over what has been loaded of what was restored.
    fn take_loaded(&mut self) -> Result<()> {
        let mut rewritten = 0;
        while rewritten < REWRITTEN_BYTES
            && self.base.is_some()
            && self.store.overlapping_files()? < OVERLAPPING_FILES
        {
            match self.take_next()? {
                Some(bytes) => rewritten += bytes,
                None => break,
            }
        }
        Ok(())
    }

    /// Takes over the next part, if there is one already.
    fn take_next(&mut self) -> Result<Option<u64>> {
        let Some(base) = &self.base else {
            return Ok(None);
        };
        match base.next()? {
            None => Ok(None),
            Some(Loaded::Part(part)) => self.take_part(part).map(Some),
            Some(Loaded::All) => self.all_loaded().map(|()| Some(0)),
        }
    }

    /// Puts a part of what was restored below what the database has; says how much of that it had to write
    /// again for it, in bytes.
    fn take_part(&mut self, part: Part) -> Result<u64> {
        let options = Arc::clone(&self.options);
        let range = KeyRange {
            from: part.first,
            to: Some(full_key::behind(&part.last)),
        };
        let path = self.next_path();
        let (mut recent, mut run, mut key) = (Recent::default(), None::<Run<'_>>, Vec::new());
        let mut newer = Merge::new(self.changes(&range, Order::Ascending)?, false);
        while newer.advance()? {
            let entry = newer.entry();
            if let Some(run) = &mut run {
                run.put_entry(entry, &mut key)?;
                continue;
            }
            let ((table, group), key, value) = (entry.place, entry.key, entry.value);
            recent.push(table, &Change { group, key, value })?;
            if recent.bytes() >= DIRECT_BYTES {
                let mut begun = Run::begin(path.clone(), &options)?;
                begun.put_all(&mut RecentEntries::new(&std::mem::take(&mut recent)))?;
                run = Some(begun);
            }
        }
        drop(newer);
        let rewritten = recent.bytes() as u64 + run.as_ref().map_or(0, Run::bytes);
        self.store.add_files(vec![part.path])?;
        if let Some(base) = &mut self.base {
            base.taken(part.last);
        }
        match run {
            Some(run) => self.store.add_files(vec![run.finish()?])?,
            None if recent.is_empty() => {}
            None => self.write(&recent)?,
        }
        Ok(rewritten)
    }

    /// The database has everything: the restored files can go.
    fn all_loaded(&mut self) -> Result<()> {
        if let Some(base) = self.base.take().filter(|base| base.has_deletions) {
            drop(base);
            let db = self.store.db()?;
            let mut batch = WriteBatch::default();
            // No key begins with two of these bytes.
            batch.delete_range_cf(family(db)?, deletion_of(&[]), deletion_of(&[u8::MAX]));
            self.store.write(batch)?;
        }
        if let Some(loader) = self.store.loader.take() {
            loader.join();
        }
        Ok(())
    }

    /// What the database has in a range, from old to new: deletions of what was restored, and entries.
    fn changes(&self, range: &KeyRange, order: Order) -> Result<Vec<Box<dyn Entries + '_>>> {
        let db = self.store.db()?;
        let mut sources: Vec<Box<dyn Entries>> = Vec::new();
        if let Some(base) = self.base.as_ref().filter(|base| base.has_deletions) {
            let left = base.left_of(range);
            sources.push(Box::new(Cursor::new(db, &left, order, Content::Deletions)));
        }
        sources.push(Box::new(Cursor::new(db, range, order, Content::Values)));
        Ok(sources)
    }

    /// Looks up in what was restored, and is not in the database.
    fn get_restored(&self, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let Some(base) = self.base.as_ref().filter(|base| base.holds(key)) else {
            return Ok(());
        };
        if base.has_deletions {
            let noted = self.store.db()?.get_pinned(deletion_of(key));
            if noted.map_err(|e| broken(&e, "read"))?.is_some() {
                return Ok(());
            }
        }
        base.files().get(key, visit)
    }
}

impl InOrder for RocksState {
    fn entries(
        &self,
        _table: TableId,
        range: &KeyRange,
        order: Order,
    ) -> Result<Box<dyn Entries + '_>> {
        let Some(base) = &self.base else {
            let db = self.store.db()?;
            return Ok(Box::new(Cursor::new(db, range, order, Content::Values)));
        };
        let mut sources = base.files().sources(&base.left_of(range), order);
        sources.extend(self.changes(range, order)?);
        scan::merged(sources, order)
    }
}

fn broken(error: &rocksdb::Error, what: &str) -> EngineError {
    EngineError::state(format!("keyed state cannot be {what}"))
        .with_detail(error.to_string())
        .with_hint("check the space and health of the worker's scratch disk")
}

impl KeyedState for RocksState {
    fn apply(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<()> {
        self.take_loaded()?;
        self.write_all(table, changes, true)
    }

    fn derive(&mut self, table: TableId, changes: &mut dyn ChangeSource) -> Result<()> {
        self.write_all(table, changes, false)
    }

    fn is_empty(&self) -> bool {
        self.written == 0 && self.base.is_none()
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
        let family = family(db)?;
        let (mut wanted, mut bytes) = (Vec::new(), Vec::new());
        for (position, (group, key)) in keys.enumerate() {
            let start = bytes.len();
            full_key::push((table, group), key, &mut bytes);
            wanted.push((position, start..bytes.len()));
        }
        // Neighbours share what has to be read on the way to them.
        wanted.sort_unstable_by(|(_, a), (_, b)| bytes[a.clone()].cmp(&bytes[b.clone()]));
        for part in wanted.chunks(GET_KEYS) {
            let keys = part.iter().map(|(_, range)| &bytes[range.clone()]);
            let found = db.batched_multi_get_cf(family, keys, true);
            for ((position, range), value) in part.iter().zip(found) {
                match value.map_err(|e| broken(&e, "read"))? {
                    Some(value) => visit(*position, &value)?,
                    None => {
                        let visit = &mut |value: &[u8]| visit(*position, value);
                        self.get_restored(&bytes[range.clone()], visit)?;
                    }
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
        scan::table(self, table, visit)
    }

    fn scan_prefix(
        &self,
        table: TableId,
        group: KeyGroup,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        scan::prefix(self, table, group, prefix, visit)
    }

    fn scan_range(
        &self,
        table: TableId,
        group: KeyGroup,
        range: Range<&[u8]>,
        order: Order,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<bool>,
    ) -> Result<()> {
        scan::range(self, table, group, range, order, visit)
    }

    fn loaded(&mut self) {}

    fn take_delta(&mut self) -> Delta {
        self.delta.as_mut().map(DeltaLog::take).unwrap_or_default()
    }

    fn key_groups(&self) -> KeyGroupRange {
        self.key_groups
    }

    fn size_bytes(&self) -> u64 {
        let restored = self.base.as_ref().map_or(0, |b| b.files().size_bytes());
        let Ok(db) = self.store.db() else { return 0 };
        let property = |name| db.property_int_value(name).ok().flatten().unwrap_or(0);
        let tables = property("rocksdb.cur-size-all-mem-tables");
        restored + tables + property("rocksdb.total-sst-files-size")
    }
}
