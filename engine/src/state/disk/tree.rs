//! Runs from old to new, which become fewer as more come.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::super::blob::{Blob, Spool};
use super::super::sorted::{Room, SortedRun, SortedRuns};
use super::merging::{self, Merging};
use crate::error::Result;

/// How runs are merged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Merges of less than this, in bytes, are done at once, by the thread that adds a run.
    pub(super) at_once: u64,
    /// Whoever adds runs waits for a merge when there are more than this.
    pub(super) most_runs: usize,
}

pub(super) const PACE: Pace = Pace {
    at_once: 1 << 20,
    most_runs: 48,
};

pub(super) struct Tree {
    runs: SortedRuns,
    /// How many of the runs, from the first, the last checkpoint has. Those behind are the next one's and not merged
    /// with them until then.
    sealed: usize,
    merging: Vec<Merging>,
    folder: PathBuf,
    room: Arc<Room>,
    pace: Pace,
}

impl Tree {
    pub(super) fn new(runs: SortedRuns, folder: &Path, room: &Arc<Room>, pace: Pace) -> Self {
        Tree {
            runs,
            sealed: 0,
            merging: Vec::new(),
            folder: folder.to_path_buf(),
            room: Arc::clone(room),
            pace,
        }
    }

    pub(super) fn runs(&self) -> &SortedRuns {
        &self.runs
    }

    /// Where a new run goes.
    pub(super) fn spool(&self) -> Spool {
        Spool::with_limit(&self.folder, self.room.small_run())
    }

    /// Adds a run, newer than the others.
    pub(super) fn add(&mut self, run: SortedRun) -> Result<()> {
        self.runs.0.push(Arc::new(run));
        self.take_merged()?;
        self.merge()?;
        while self.runs.0.len() > self.pace.most_runs {
            let Some(merging) = self.merging.pop() else {
                break;
            };
            let merged = merging.wait()?;
            self.replace(&merging, merged);
            self.merge()?;
        }
        Ok(())
    }

    /// Ends a checkpoint: the files of the runs since the last one.
    pub(super) fn seal(&mut self) -> Vec<Blob> {
        let new = &self.runs.0[self.sealed..];
        let files = new.iter().map(|run| run.reader().content().clone());
        let files = files.collect();
        self.sealed = self.runs.0.len();
        files
    }

    /// Nobody wants what is merged any longer.
    pub(super) fn stop(&self) {
        self.merging.iter().for_each(Merging::stop);
    }

    /// Takes over what has been merged.
    fn take_merged(&mut self) -> Result<()> {
        let mut at = 0;
        while at < self.merging.len() {
            match self.merging[at].result() {
                None => at += 1,
                Some(merged) => {
                    let merging = self.merging.remove(at);
                    self.replace(&merging, merged?);
                }
            }
        }
        Ok(())
    }

    fn replace(&mut self, merging: &Merging, merged: Option<SortedRun>) {
        if let Some(place) = merging.place(&self.runs.0) {
            self.replace_at(place, merged);
        }
    }

    fn replace_at(&mut self, place: std::ops::Range<usize>, merged: Option<SortedRun>) {
        if place.end <= self.sealed {
            self.sealed = self.sealed - place.len() + usize::from(merged.is_some());
        }
        self.runs.0.splice(place, merged.map(Arc::new));
    }

    /// Merges what there is to merge: little at once, much in the background.
    fn merge(&mut self) -> Result<()> {
        while let Some((place, bytes)) = self.next_merge() {
            let (older, runs) = self.runs.0[..place.end].split_at(place.start);
            if bytes >= self.pace.at_once {
                let merging = Merging::begin(runs, older, self.spool(), &self.room)?;
                self.merging.push(merging);
                continue;
            }
            let never = AtomicBool::new(false);
            let merged = merging::merge(runs, older, self.spool(), &self.room, &never)?;
            self.replace_at(place, merged);
        }
        Ok(())
    }

    /// Runs to merge, and their bytes, newer ones first: among those that no merge under way has, on one side of the
    /// last checkpoint.
    fn next_merge(&self) -> Option<(std::ops::Range<usize>, u64)> {
        let runs = &self.runs.0;
        let there = runs.iter().map(|run| run.entries() - run.deletions());
        let entry = self.runs.size_bytes() / there.sum::<u64>().max(1);
        let mut bounds = vec![0, self.sealed, runs.len()];
        let mut busy = Vec::new();
        for place in self.merging.iter().filter_map(|m| m.place(runs)) {
            bounds.extend([place.start, place.end]);
            busy.push(place);
        }
        bounds.sort_unstable();
        bounds.dedup();
        let parts = bounds.windows(2).rev().map(|part| part[0]..part[1]);
        let mut free = parts.filter(|part| !busy.contains(part));
        free.find_map(|part| {
            let weights: Vec<u64> = runs[part.clone()]
                .iter()
                .map(|r| weight(r, entry))
                .collect();
            let chosen = merging::choose(&weights)?;
            let place = part.start + chosen.start..part.start + chosen.end;
            let bytes = runs[place.clone()].iter().map(|run| run.size_bytes());
            Some((place.clone(), bytes.sum()))
        })
    }
}

/// What a run weighs when it is chosen: its bytes, and for each deletion those of the entry that goes with it.
fn weight(run: &SortedRun, entry_bytes: u64) -> u64 {
    run.size_bytes() + run.deletions() * entry_bytes
}
