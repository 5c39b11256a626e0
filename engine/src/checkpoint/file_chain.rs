//! The state files of one operator in one subtask, and which of them to merge.

use std::ops::Range;

use super::{CheckpointStore, StateFile};

/// Files up to this size count as equally small, in bytes.
const SMALLEST_TIER: u64 = 64 << 10;
/// By what the files of a tier are larger than those of the tier below, and how many files of
/// about the same size are merged into one.
const TIER: u64 = 8;
/// With fewer files than this a chain is never merged to its base.
const MIN_FILES: usize = 4;

/// A file of a chain.
#[derive(Debug, Clone)]
pub struct Link {
    /// The file.
    pub file: StateFile,
    /// Where it is, if that is not where the job's checkpoints go.
    pub foreign: Option<CheckpointStore>,
}

/// What an operator's keyed state is made of, from old to new.
#[derive(Debug, Clone, Default)]
pub struct FileChain {
    links: Vec<Link>,
}

impl FileChain {
    /// A chain of restored files.
    pub fn new(links: Vec<Link>) -> Self {
        FileChain { links }
    }

    /// Its files.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The files, for a checkpoint.
    pub fn files(&self) -> Vec<StateFile> {
        self.links.iter().map(|l| l.file.clone()).collect()
    }

    /// How many files at the start lie elsewhere; a checkpoint of this job cannot refer to them.
    pub fn foreign(&self) -> usize {
        let foreign = self.links.iter().take_while(|l| l.foreign.is_some());
        foreign.count()
    }

    /// Adds what has changed.
    pub fn push(&mut self, file: StateFile) {
        self.links.push(Link {
            file,
            foreign: None,
        });
    }

    /// Puts one file, or none if nothing was left, in the place of several.
    pub fn replace(&mut self, range: Range<usize>, file: Option<StateFile>) {
        let link = file.map(|file| Link {
            file,
            foreign: None,
        });
        self.links.splice(range, link);
    }

    /// Which files to merge into one, if any.
    ///
    /// Files of about the same size are merged eight at a time, so that an entry is written again
    /// once for each factor of eight between a delta and all of the state; and everything is merged
    /// when what follows the oldest file has grown to its size, so that the chain takes no more than
    /// about twice the space of the state.
    pub fn to_merge(&self) -> Option<Range<usize>> {
        let sizes: Vec<u64> = self.links.iter().map(|l| l.file.bytes).collect();
        let (base, rest) = sizes.split_first()?;
        if sizes.len() >= MIN_FILES && rest.iter().sum::<u64>() >= *base {
            return Some(0..sizes.len());
        }
        let tiers: Vec<u32> = rest.iter().map(|s| tier_of(*s)).collect();
        let largest = tiers.iter().copied().max()?;
        let full = |tier: u32| {
            let last = tiers.iter().rev().take_while(|t| **t <= tier).count();
            let of_tier = tiers[tiers.len() - last..].iter().filter(|t| **t == tier);
            (of_tier.count() >= TIER as usize).then_some(last)
        };
        let count = (0..=largest).find_map(full)?;
        Some(sizes.len() - count..sizes.len())
    }
}

fn tier_of(bytes: u64) -> u32 {
    (bytes / SMALLEST_TIER).max(1).ilog(TIER)
}
