//! Runs become one.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::super::blob::Spool;
use super::super::merge::{Entries, Merge};
use super::super::sorted::{Room, RunWriter, SortedRun};
use crate::error::{EngineError, Result};

/// No fewer runs are merged: each entry is written again for each time that it is.
const LEAST_RUNS: usize = 4;
/// More runs than this are merged whatever they weigh.
const MANY_RUNS: usize = 24;
/// Every so many entries a merge looks whether it is still wanted.
const LOOK_ENTRIES: u64 = 1 << 13;
/// How many merges of many bytes go on in a process at a time.
const LARGE_MERGES: usize = 2;
/// Merges of less than this do not wait for others.
const LARGE_BYTES: u64 = 64 << 20;

/// Which of the runs, of such weight each, from old to new, become one. From some run back, as long as the next one
/// is not larger than what is there already: so runs become fewer by halves, and none is small in front of one
/// that is large for long. All of them, when the younger ones together weigh what the oldest does: so what was deleted
/// goes. And when there are many of which none is like its neighbours, those that are least to write.
pub(super) fn choose(weights: &[u64]) -> Option<Range<usize>> {
    let ends = (LEAST_RUNS..=weights.len()).rev();
    let alike = ends.filter_map(|end| alike(weights.get(..end)?)).next();
    let younger = weights.iter().skip(1).sum::<u64>();
    let all =
        weights.len() >= LEAST_RUNS && weights.first().is_some_and(|oldest| younger >= *oldest);
    let all = all.then_some(0..weights.len());
    all.or(alike).or_else(|| {
        let many = weights.len() > MANY_RUNS;
        let parts = weights.windows(LEAST_RUNS).enumerate();
        let least = parts.min_by_key(|(_, part)| part.iter().sum::<u64>());
        let least = least.filter(|_| many);
        least.map(|(at, _)| at..at + LEAST_RUNS)
    })
}

/// The last of some runs, with those before it that become one with it.
fn alike(weights: &[u64]) -> Option<Range<usize>> {
    let (newest, older) = weights.split_last()?;
    let (mut from, mut together) = (older.len(), *newest);
    while let Some(weight) = from.checked_sub(1).map(|at| weights[at]) {
        if weight > together {
            break;
        }
        together += weight;
        from -= 1;
    }
    (weights.len() - from >= LEAST_RUNS).then_some(from..weights.len())
}

/// Merges runs, from old to new, into `spool`; `None` if nothing is left of them. Deletions of what none of the
/// `older` ones below them has have done their work.
pub(super) fn merge(
    runs: &[Arc<SortedRun>],
    older: &[Arc<SortedRun>],
    spool: Spool,
    room: &Arc<Room>,
    stop: &AtomicBool,
) -> Result<Option<SortedRun>> {
    let entries = runs.iter().map(|run| run.entries()).sum();
    // They are there already.
    let grain = room.grain(0, 0);
    let sources = runs.iter().map(|run| run.all()).collect();
    let mut merged = Merge::new(sources, older.is_empty());
    let mut run = RunWriter::new(spool, grain, Some(entries), room)?;
    let mut seen = 0u64;
    while merged.advance()? {
        let entry = merged.entry();
        if entry.value.is_some() || older.iter().any(|older| older.may_have(entry)) {
            run.put(entry)?;
        }
        seen += 1;
        if seen.is_multiple_of(LOOK_ENTRIES) && stop.load(Ordering::Relaxed) {
            return Err(EngineError::state("state was dropped while it was merged"));
        }
    }
    run.finish()
}

/// Runs that a thread merges.
pub(super) struct Merging {
    runs: Vec<Arc<SortedRun>>,
    stop: Arc<AtomicBool>,
    result: Receiver<Result<Option<SortedRun>>>,
}

impl Merging {
    /// Begins.
    pub(super) fn begin(
        runs: &[Arc<SortedRun>],
        older: &[Arc<SortedRun>],
        spool: Spool,
        room: &Arc<Room>,
    ) -> Result<Self> {
        let (sender, result) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let (own, older) = (runs.to_vec(), older.to_vec());
        let (stopped, room) = (Arc::clone(&stop), Arc::clone(room));
        let work = move || {
            let large = own.iter().map(|run| run.size_bytes()).sum::<u64>() >= LARGE_BYTES;
            let _turn = large.then(Turn::wait);
            let merged = match stopped.load(Ordering::Relaxed) {
                true => Ok(None),
                false => merge(&own, &older, spool, &room, &stopped),
            };
            // Nobody is there only if the state was dropped.
            let _ = sender.send(merged);
        };
        let thread = std::thread::Builder::new().name("merge-state".into());
        thread.spawn(work).map_err(|e| {
            EngineError::state("keyed state cannot be merged").with_detail(e.to_string())
        })?;
        Ok(Merging {
            runs: runs.to_vec(),
            stop,
            result,
        })
    }

    /// Where the runs are that become one.
    pub(super) fn place(&self, runs: &[Arc<SortedRun>]) -> Option<Range<usize>> {
        let first = self.runs.first()?;
        let at = runs.iter().position(|run| Arc::ptr_eq(run, first))?;
        Some(at..at + self.runs.len())
    }

    /// What became of them, if that is known already.
    pub(super) fn result(&self) -> Option<Result<Option<SortedRun>>> {
        match self.result.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(ended())),
        }
    }

    /// Waits for it.
    pub(super) fn wait(&self) -> Result<Option<SortedRun>> {
        self.result.recv().unwrap_or_else(|_| Err(ended()))
    }

    /// Tells the thread that nobody wants it any longer.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn ended() -> EngineError {
    EngineError::internal("the thread that merges keyed state has ended")
}

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// Leave to merge many bytes.
struct Turn;

impl Turn {
    fn wait() -> Self {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        while *running >= LARGE_MERGES {
            running = ENDED.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
        *running += 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
