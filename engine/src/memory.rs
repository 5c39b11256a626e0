//! The memory of a worker: one budget for everything that grows with the data.
//!
//! ```text
//!   half      working sets of operators ([`Share`]s)
//!   a quarter caches and write buffers of state on disk
//!   the rest  batches under way, changes that wait for a checkpoint, decoding and encoding
//! ```
//!
//! Operators whose state can go to disk ask their share whether they must make room; those that
//! hold more than their part do so when all together hold too much. So one operator may use what the
//! others leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// No operator makes room below this, unless the memory is tiny; it would only move the same rows to
/// and fro.
const SMALLEST_SHARE: u64 = 4 << 20;
/// What a worker takes of a machine whose memory it does not know, in bytes.
const UNKNOWN_MACHINE: u64 = 4 << 30;

/// The memory of a worker.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: u64,
    used: AtomicU64,
    holders: AtomicU64,
}

impl Memory {
    /// So many bytes (`worker.memory`).
    pub fn new(total: u64) -> Self {
        Memory(Arc::new(Inner {
            total,
            used: AtomicU64::new(0),
            holders: AtomicU64::new(0),
        }))
    }

    /// Half of what this process may use: of the machine's memory, or of the limit of its control
    /// group if that is lower.
    pub fn of_machine() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let machine = read("/proc/meminfo").and_then(|text| {
            let line = text.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
            let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kilobytes << 10)
        });
        let limits = [
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ];
        let limits = limits
            .iter()
            .filter_map(|path| read(path)?.trim().parse().ok());
        let least = limits.chain(machine).min();
        Memory::new(least.unwrap_or(UNKNOWN_MACHINE * 2) / 2)
    }

    /// All of it, in bytes.
    pub fn total(&self) -> u64 {
        self.0.total
    }

    /// For caches and write buffers of state on disk, in bytes.
    pub fn disk_cache(&self) -> u64 {
        self.0.total / 4
    }

    /// For the working sets of operators, in bytes.
    pub fn working_sets(&self) -> u64 {
        self.0.total / 2
    }

    /// What working sets hold, in bytes.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The share of one more working set.
    pub fn share(&self) -> Share {
        self.0.holders.fetch_add(1, Ordering::Relaxed);
        Share {
            memory: self.clone(),
            used: 0,
        }
    }
}

/// The part of one working set.
#[derive(Debug)]
pub struct Share {
    memory: Memory,
    used: u64,
}

impl Share {
    /// Notes how many bytes the working set holds; true if it must make room.
    pub fn hold(&mut self, bytes: u64) -> bool {
        let inner = &self.memory.0;
        // Wrapping subtraction is exact: what is taken off was added before.
        let change = bytes.wrapping_sub(self.used);
        let all = inner.used.fetch_add(change, Ordering::Relaxed);
        let all = all.wrapping_add(change);
        self.used = bytes;
        let limit = self.memory.working_sets();
        let fair = limit / inner.holders.load(Ordering::Relaxed).max(1);
        all > limit && bytes >= (fair / 2).max(SMALLEST_SHARE.min(limit / 8))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.hold(0);
        self.memory.0.holders.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn those_with_more_than_their_part_make_room_when_all_is_used() {
        let memory = Memory::new(200 * MB);
        let (mut large, mut small) = (memory.share(), memory.share());
        assert!(!large.hold(90 * MB), "what others leave may be used");
        assert!(!small.hold(10 * MB));
        assert!(!small.hold(20 * MB), "it has not even half of its part");
        assert!(large.hold(90 * MB));
        assert!(!large.hold(0));
        assert_eq!(memory.used(), 20 * MB);
        drop(small);
        assert_eq!(memory.used(), 0);
        assert!(!large.hold(100 * MB));
        assert!(large.hold(101 * MB));
    }

    #[test]
    fn a_machine_has_memory() {
        assert!(Memory::of_machine().total() > 64 * MB);
    }
}
