//! How databases are set up, and what those of a process share.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, DBCompactionStyle, DBCompressionType,
    DataBlockIndexType, Options, ReadOptions, WriteBufferManager,
};

use super::broken;
use crate::error::Result;

/// The most that one database buffers before it writes a file.
const WRITE_BUFFER_BYTES: u64 = 32 << 20;
/// The size of blocks, before they are compressed.
const BLOCK_BYTES: usize = 4096;
const NO_FLUSH: &str = "avoid_flush_during_shutdown=true";

/// The cache and the write buffers of all databases of a process, within one budget.
pub(in super::super) struct Shared {
    cache: Cache,
    write_buffers: WriteBufferManager,
    bytes: u64,
}

impl Shared {
    pub(in super::super) fn new(bytes: u64) -> Self {
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

    pub(in super::super) fn used(&self) -> u64 {
        self.cache.get_usage() as u64
    }

    /// Options of a database.
    pub(super) fn options(&self) -> Result<Options> {
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
    pub(super) fn quick_options(&self) -> Result<Options> {
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

/// A scan reads everything once and must not push the point lookups' blocks out of the cache.
pub(super) fn scan_options() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.fill_cache(false);
    options
}
