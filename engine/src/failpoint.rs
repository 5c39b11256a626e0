//! Named points at which a process can be told to die, and faults that it can be told to have.
//!
//! Tests of crashes set `LEVADA_FAILPOINT` for a coordinator or worker: `sink.commit:3` has it die
//! when it passes that point for the third time, at once and without destructors. The variable is
//! read once, by the binary; what it says travels as a typed value. `source.pause:3` has every source
//! pause for 3 ms in front of each event, so that a job lasts as long on a fast machine as on a slow
//! one, and gets to its later checkpoints. The points are in every build, so
//! that what is tested is what is shipped: all of them lie where a checkpoint, a restart or the end of
//! a job passes, never where a batch does, and one that is not armed costs a look at an `Option`.
//!
//! [`Failpoint::ALL`] lists them; a test of the whole system lets each of them strike.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{EngineError, Result};

#[cfg(test)]
mod tests;

/// A point at which a process can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failpoint {
    /// Coordinator: before a job is written down.
    JobWrite,
    /// Coordinator: a job is written down, its submission is not answered.
    JobWritten,
    /// Coordinator: a job has ended, which is not written down yet.
    JobEnd,
    /// Coordinator: the end of a job is written down, nobody has been told.
    JobEndWritten,
    /// Coordinator: all shares of a checkpoint are there, its manifest is not.
    Manifest,
    /// Coordinator: a checkpoint exists, nobody has been told.
    ManifestWritten,
    /// Coordinator: one of several files that nothing refers to any more is removed.
    Sweep,
    /// Coordinator: one file of a savepoint is copied.
    SavepointFile,
    /// Coordinator: all files of a savepoint are copied, its manifest is not.
    SavepointManifest,
    /// Coordinator: a savepoint exists, who asked for it has not been told.
    SavepointMade,
    /// Worker: before a state file is uploaded.
    StateUpload,
    /// Worker: a state file is uploaded, the coordinator has not been told.
    StateUploaded,
    /// Worker: before a state file is opened from which an operator is restored.
    StateRestore,
    /// Worker: before a sink prepares at a barrier.
    SinkPrepare,
    /// Worker: a sink has prepared, its share of the checkpoint is not reported.
    SinkPrepared,
    /// Worker: the checkpoint is complete, the sink has not begun to commit.
    SinkCommit,
    /// Worker: in the middle of a commit: some or all rows are out, or will be with the transaction,
    /// and nothing yet marks them as committed.
    SinkCommitRows,
    /// Worker: the transaction has rows and marker, and is not committed.
    SinkCommitMarked,
    /// Worker: a sink has committed, the engine does not know it.
    SinkCommitted,
    /// Worker: before what an earlier run prepared is committed again after a restart.
    SinkRecommit,
    /// Worker: what an earlier run prepared is committed again.
    SinkRecommitted,
    /// Worker: an upserting sink has written its changes in a transaction that is not committed.
    SinkFlush,
    /// Worker: that transaction is committed, the sink does not know it.
    SinkFlushed,
    /// Worker: the checkpoint is complete, a source has not been told (which then commits its group's
    /// offsets).
    SourceComplete,
}

impl Failpoint {
    /// All of them.
    pub const ALL: &[Failpoint] = &[
        Failpoint::JobWrite,
        Failpoint::JobWritten,
        Failpoint::JobEnd,
        Failpoint::JobEndWritten,
        Failpoint::Manifest,
        Failpoint::ManifestWritten,
        Failpoint::Sweep,
        Failpoint::SavepointFile,
        Failpoint::SavepointManifest,
        Failpoint::SavepointMade,
        Failpoint::StateUpload,
        Failpoint::StateUploaded,
        Failpoint::StateRestore,
        Failpoint::SinkPrepare,
        Failpoint::SinkPrepared,
        Failpoint::SinkCommit,
        Failpoint::SinkCommitRows,
        Failpoint::SinkCommitMarked,
        Failpoint::SinkCommitted,
        Failpoint::SinkRecommit,
        Failpoint::SinkRecommitted,
        Failpoint::SinkFlush,
        Failpoint::SinkFlushed,
        Failpoint::SourceComplete,
    ];

    /// As `LEVADA_FAILPOINT` names it.
    pub fn name(self) -> &'static str {
        match self {
            Failpoint::JobWrite => "job.write",
            Failpoint::JobWritten => "job.written",
            Failpoint::JobEnd => "job.end",
            Failpoint::JobEndWritten => "job.end-written",
            Failpoint::Manifest => "manifest.write",
            Failpoint::ManifestWritten => "manifest.written",
            Failpoint::Sweep => "sweep",
            Failpoint::SavepointFile => "savepoint.file",
            Failpoint::SavepointManifest => "savepoint.manifest",
            Failpoint::SavepointMade => "savepoint.made",
            Failpoint::StateUpload => "state.upload",
            Failpoint::StateUploaded => "state.uploaded",
            Failpoint::StateRestore => "state.restore",
            Failpoint::SinkPrepare => "sink.prepare",
            Failpoint::SinkPrepared => "sink.prepared",
            Failpoint::SinkCommit => "sink.commit",
            Failpoint::SinkCommitRows => "sink.commit-rows",
            Failpoint::SinkCommitMarked => "sink.commit-marked",
            Failpoint::SinkCommitted => "sink.committed",
            Failpoint::SinkRecommit => "sink.recommit",
            Failpoint::SinkRecommitted => "sink.recommitted",
            Failpoint::SinkFlush => "sink.flush",
            Failpoint::SinkFlushed => "sink.flushed",
            Failpoint::SourceComplete => "source.complete",
        }
    }

    /// Whether the coordinator passes it, and not a worker.
    pub fn is_of_coordinator(self) -> bool {
        (self as usize) < Failpoint::StateUpload as usize
    }
}

/// Something that a process does wrong, to show that tests notice it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Two-phase commit without its second phase: output is committed at the barrier, whether or not
    /// the checkpoint becomes complete.
    CommitAtPrepare,
    /// Two-phase commit without its first phase: output is made durable when the checkpoint is
    /// complete, and not before.
    PrepareAtCommit,
}

impl Fault {
    /// All of them.
    pub const ALL: &[Fault] = &[Fault::CommitAtPrepare, Fault::PrepareAtCommit];

    /// As `LEVADA_FAILPOINT` names it.
    pub fn name(self) -> &'static str {
        match self {
            Fault::CommitAtPrepare => "sink.commit-at-prepare",
            Fault::PrepareAtCommit => "sink.prepare-at-commit",
        }
    }
}

/// The failpoints of a process; none by default.
#[derive(Debug, Clone, Default)]
pub struct Failpoints(Option<Arc<Armed>>);

#[derive(Debug, Default)]
struct Armed {
    deadly: Vec<Deadly>,
    fault: Option<Fault>,
    pause: Option<Duration>,
}

/// What sources are told to do, as `LEVADA_FAILPOINT` names it, with milliseconds behind.
const PAUSE: &str = "source.pause";

#[derive(Debug)]
struct Deadly {
    point: Failpoint,
    /// Which pass is the last.
    nth: u64,
    passed: AtomicU64,
}

impl Failpoints {
    /// Reads `NAME[:N]`, several with commas between.
    pub fn parse(text: &str) -> Result<Self> {
        let mut armed = Armed::default();
        let items = text.split(',').map(str::trim).filter(|i| !i.is_empty());
        let items: Vec<&str> = items.collect();
        for item in &items {
            let (name, nth) = match item.split_once(':') {
                Some((name, nth)) => (name, nth.parse().ok().filter(|nth| *nth > 0)),
                None => (*item, Some(1)),
            };
            let point = Failpoint::ALL.iter().find(|p| p.name() == name);
            let fault = Fault::ALL.iter().find(|f| f.name() == *item);
            match (point, nth, fault) {
                (None, Some(ms), None) if name == PAUSE => {
                    armed.pause = Some(Duration::from_millis(ms));
                }
                (Some(point), Some(nth), _) => armed.deadly.push(Deadly {
                    point: *point,
                    nth,
                    passed: AtomicU64::new(0),
                }),
                (_, _, Some(fault)) => armed.fault = Some(*fault),
                _ => return Err(unknown(item)),
            }
        }
        Ok(Failpoints((!items.is_empty()).then(|| Arc::new(armed))))
    }

    /// Dies here if that is asked for.
    pub fn pass(&self, point: Failpoint) {
        if let Some(armed) = &self.0
            && armed.strikes(point)
        {
            // Past everything that buffers.
            let _ = writeln!(std::io::stderr(), "failpoint {} reached", point.name());
            std::process::abort();
        }
    }

    /// Whether there are any.
    pub fn is_armed(&self) -> bool {
        self.0.is_some()
    }

    /// What is to go wrong.
    pub fn fault(&self) -> Option<Fault> {
        self.0.as_ref().and_then(|armed| armed.fault)
    }

    /// How long sources pause in front of each event.
    pub fn pause(&self) -> Option<Duration> {
        self.0.as_ref().and_then(|armed| armed.pause)
    }
}

impl Armed {
    fn strikes(&self, point: Failpoint) -> bool {
        let mut strikes = false;
        for deadly in self.deadly.iter().filter(|d| d.point == point) {
            let before = deadly.passed.fetch_add(1, Ordering::Relaxed);
            strikes |= before + 1 == deadly.nth;
        }
        strikes
    }
}

fn unknown(item: &str) -> EngineError {
    let points = Failpoint::ALL.iter().map(|p| p.name());
    let faults = Fault::ALL.iter().map(|f| f.name());
    let names: Vec<&str> = points.chain(faults).chain([PAUSE]).collect();
    EngineError::config(format!(
        "LEVADA_FAILPOINT: '{item}' is not the name of a failpoint, perhaps with :N behind"
    ))
    .with_hint(format!("the names are: {}", names.join(", ")))
}
