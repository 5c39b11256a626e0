//! The memory that sorted runs take beside their files: what is known of where keys are, and runs that are small.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::filter::Filter;
use super::strides::STRIDE_MEMORY;

/// How much is known of the keys of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Grain {
    /// How far the keys that are known lie apart, in bytes of the file: what a look-up reads.
    pub(in super::super) stride_bytes: u32,
    /// Bits of the filter for each key.
    pub(in super::super) filter_bits: u32,
}

impl Grain {
    const fn of(stride_bytes: u32, filter_bits: u32) -> Self {
        Grain {
            stride_bytes,
            filter_bits,
        }
    }

    fn memory(self, bytes: u64, entries: u64) -> u64 {
        let strides = bytes / u64::from(self.stride_bytes);
        strides * STRIDE_MEMORY + Filter::bytes_for(entries, self.filter_bits)
    }
}

/// From the finest to the coarsest. To read more is cheaper than to read in vain, so filters give way last.
const GRAINS: [Grain; 12] = [
    Grain::of(1 << 10, 10),
    Grain::of(3 << 9, 10),
    Grain::of(1 << 11, 10),
    Grain::of(3 << 10, 10),
    Grain::of(1 << 12, 10),
    Grain::of(3 << 11, 10),
    Grain::of(1 << 13, 10),
    Grain::of(1 << 13, 8),
    Grain::of(1 << 14, 8),
    Grain::of(1 << 14, 6),
    Grain::of(1 << 15, 5),
    Grain::of(1 << 16, 4),
];
/// What a run may hold in memory instead of a file at most, in bytes.
const LARGEST_IN_MEMORY: u64 = 4 << 20;

/// The memory for the runs of a process.
#[derive(Debug)]
pub(in super::super) struct Room {
    limit: u64,
    used: AtomicU64,
    /// What all runs have, in bytes and entries.
    bytes: AtomicU64,
    entries: AtomicU64,
}

impl Room {
    /// So many bytes.
    pub(in super::super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Room {
            limit,
            used: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            entries: AtomicU64::new(0),
        })
    }

    /// What is in use, in bytes.
    pub(in super::super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// How finely a run can be known that adds so many bytes and entries to those that there are: as finely as all of
    /// them could be. A quarter of the memory is left for small runs. While runs are merged there is more in use, since
    /// what becomes of them is there beside them.
    pub(in super::super) fn grain(&self, bytes: u64, entries: u64) -> Grain {
        let limit = self.limit - self.limit / 4;
        let bytes = bytes + self.bytes.load(Ordering::Relaxed);
        let entries = entries + self.entries.load(Ordering::Relaxed);
        let fits = |grain: &&Grain| grain.memory(bytes, entries) <= limit;
        let coarsest = GRAINS[GRAINS.len() - 1];
        GRAINS.iter().find(fits).copied().unwrap_or(coarsest)
    }

    /// Up to how many bytes a new run may stay in memory.
    pub(in super::super) fn small_run(&self) -> usize {
        let left = self.limit.saturating_sub(self.used());
        (self.limit / 64).min(left / 4).min(LARGEST_IN_MEMORY) as usize
    }

    /// Notes a run of so many bytes and entries that takes so much memory, until what it returns goes.
    pub(super) fn hold(self: &Arc<Self>, memory: u64, bytes: u64, entries: u64) -> Held {
        self.used.fetch_add(memory, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.entries.fetch_add(entries, Ordering::Relaxed);
        Held {
            room: Arc::clone(self),
            memory,
            bytes,
            entries,
        }
    }
}

/// A run that is there.
#[derive(Debug)]
pub(super) struct Held {
    room: Arc<Room>,
    pub(super) memory: u64,
    bytes: u64,
    entries: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.memory, Ordering::Relaxed);
        self.room.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.room.entries.fetch_sub(self.entries, Ordering::Relaxed);
    }
}
