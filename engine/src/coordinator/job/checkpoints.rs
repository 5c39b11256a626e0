//! When checkpoints start, what they still miss, and which are kept.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::checkpoint::{Manifest, SubtaskCheckpoint};
use crate::client::CheckpointStatus;
use crate::element::{Barrier, BarrierKind};
use crate::error::EngineError;
use crate::graph::CheckpointSettings;
use crate::graph::execution::SubtaskId;

/// The checkpoints of one job. One is under way at a time.
#[derive(Debug)]
pub struct Checkpoints {
    settings: CheckpointSettings,
    next_id: u64,
    next_due_ms: Option<i64>,
    /// The next one should begin as soon as that under way is complete.
    hurried: bool,
    pending: Option<Pending>,
    retained: VecDeque<Arc<Manifest>>,
    failures_in_a_row: u32,
    /// Savepoints that somebody waits for: the ticket, and the first checkpoint that will do.
    awaited: Vec<(u64, u64)>,
    status: CheckpointStatus,
}

#[derive(Debug)]
struct Pending {
    barrier: Barrier,
    started_ms: i64,
    shares: BTreeMap<SubtaskId, SubtaskCheckpoint>,
    bytes: u64,
    /// All shares are there, and the manifest is being written.
    sealing: bool,
}

impl Checkpoints {
    /// No checkpoint yet; the first one gets the id `first`.
    pub fn new(settings: CheckpointSettings, first: u64) -> Self {
        Checkpoints {
            settings,
            next_id: first,
            next_due_ms: None,
            hurried: false,
            pending: None,
            retained: VecDeque::new(),
            failures_in_a_row: 0,
            awaited: Vec::new(),
            status: CheckpointStatus::default(),
        }
    }

    /// Goes on behind a checkpoint of this job that an earlier coordinator has taken.
    pub fn take_up(&mut self, manifest: Arc<Manifest>) {
        let id = manifest.barrier.checkpoint_id;
        self.next_id = self.next_id.max(id + 1);
        self.status.last_id = Some(id);
        self.retained.push_back(manifest);
    }

    /// Remembers what was known of the checkpoints of a job that has ended.
    pub fn ended_before(&mut self, status: &CheckpointStatus) {
        self.status = status.clone();
    }

    /// What has been, for people.
    pub fn status(&self) -> &CheckpointStatus {
        &self.status
    }

    /// The last complete one.
    pub fn latest(&self) -> Option<Arc<Manifest>> {
        self.retained.back().cloned()
    }

    /// Those that are kept, oldest first.
    pub fn retained(&self) -> Vec<Arc<Manifest>> {
        self.retained.iter().cloned().collect()
    }

    /// The job has started to run.
    pub fn started(&mut self, now_ms: i64) {
        self.next_due_ms = self
            .settings
            .interval_ms
            .map(|i| now_ms.saturating_add(ms(i)));
    }

    /// The next periodic checkpoint should begin now, since much waits in memory for it: before its time, and without the
    /// pause behind the last one.
    pub fn hurry(&mut self, now_ms: i64) {
        match self.pending.is_some() {
            true => self.hurried = true,
            false => self.next_due_ms = self.next_due_ms.map(|due| due.min(now_ms)),
        }
    }

    /// Begins the periodic checkpoint if it is time.
    pub fn due(&mut self, now_ms: i64) -> Option<Barrier> {
        let due = self.next_due_ms.is_some_and(|due| due <= now_ms);
        match (due, self.awaited.is_empty()) {
            (_, false) => self.begin(BarrierKind::Savepoint, now_ms),
            (true, true) => self.begin(BarrierKind::Checkpoint, now_ms),
            (false, true) => None,
        }
    }

    /// Somebody waits for a savepoint: for all that has been read by now, so the next checkpoint
    /// will do, or the last one of the job if that is under way.
    pub fn await_savepoint(&mut self, ticket: u64) {
        let last = self.pending.as_ref().map(|p| p.barrier);
        let last = last.filter(|barrier| barrier.kind == BarrierKind::Final);
        let first = last.map_or(self.next_id, |barrier| barrier.checkpoint_id);
        self.awaited.push((ticket, first));
    }

    /// Takes the tickets for which checkpoint `id` will do.
    pub fn awaited(&mut self, id: u64) -> Vec<u64> {
        let taken = self.awaited.extract_if(.., |(_, first)| *first <= id);
        taken.map(|(ticket, _)| ticket).collect()
    }

    /// Begins a checkpoint; `None` while another is under way.
    pub fn begin(&mut self, kind: BarrierKind, now_ms: i64) -> Option<Barrier> {
        if self.pending.is_some() {
            return None;
        }
        let barrier = Barrier {
            checkpoint_id: self.next_id,
            kind,
            overtakes_at_ms: self.overtakes_at(kind, now_ms),
        };
        self.next_id += 1;
        self.hurried = false;
        let shares = BTreeMap::new();
        self.pending = Some(Pending {
            barrier,
            started_ms: now_ms,
            shares,
            bytes: 0,
            sealing: false,
        });
        self.next_due_ms = self
            .settings
            .interval_ms
            .map(|i| now_ms.saturating_add(ms(i)));
        Some(barrier)
    }

    /// A job's last checkpoint follows all rows, and a savepoint must fit queries and parallelisms that
    /// rows under way may not.
    fn overtakes_at(&self, kind: BarrierKind, now_ms: i64) -> Option<i64> {
        let after = self.settings.overtake_after_ms?;
        (kind == BarrierKind::Checkpoint).then(|| now_ms.saturating_add(ms(after)))
    }

    /// A share has arrived; gives all shares when it was the last of `total`.
    pub fn arrived(
        &mut self,
        checkpoint_id: u64,
        share: SubtaskCheckpoint,
        bytes: u64,
        total: usize,
    ) -> Option<(Barrier, Vec<SubtaskCheckpoint>)> {
        let pending = self
            .pending
            .as_mut()
            .filter(|p| p.barrier.checkpoint_id == checkpoint_id)?;
        if pending.shares.insert(share.subtask, share).is_none() {
            pending.bytes += bytes;
        }
        if pending.shares.len() < total || pending.sealing {
            return None;
        }
        pending.sealing = true;
        Some((
            pending.barrier,
            std::mem::take(&mut pending.shares).into_values().collect(),
        ))
    }

    /// The manifest has been written: the checkpoint exists.
    pub fn completed(&mut self, manifest: Arc<Manifest>, now_ms: i64) {
        let id = manifest.barrier.checkpoint_id;
        if self
            .retained
            .back()
            .is_some_and(|m| m.barrier.checkpoint_id >= id)
        {
            return;
        }
        if let Some(pending) = self.pending.take_if(|p| p.barrier.checkpoint_id == id) {
            let duration = now_ms.saturating_sub(pending.started_ms);
            self.status.last_duration_ms = u64::try_from(duration).unwrap_or_default();
            self.status.last_bytes = pending.bytes;
        }
        self.status.completed += 1;
        self.status.last_id = Some(id);
        self.failures_in_a_row = 0;
        self.retained.push_back(manifest);
        while self.retained.len() > self.settings.retained.max(1) {
            self.retained.pop_front();
        }
        let pause = now_ms.saturating_add(ms(self.settings.min_pause_ms));
        self.next_due_ms = self.next_due_ms.map(|due| match self.hurried {
            true => now_ms,
            false => due.max(pause),
        });
    }

    /// Gives up the pending checkpoint if this is the one that failed; returns the error.
    pub fn failed(&mut self, checkpoint_id: u64, error: EngineError) -> Option<EngineError> {
        self.pending
            .take_if(|p| p.barrier.checkpoint_id == checkpoint_id)?;
        self.status.failed += 1;
        self.failures_in_a_row += 1;
        Some(error)
    }

    /// Gives up the pending checkpoint if it has taken too long; `all` are asked for only then.
    pub fn expire(
        &mut self,
        now_ms: i64,
        all: impl FnOnce() -> Vec<SubtaskId>,
    ) -> Option<EngineError> {
        let pending = self.pending.as_ref()?;
        let id = pending.barrier.checkpoint_id;
        let last = pending.barrier.kind == BarrierKind::Final;
        if last
            || pending
                .started_ms
                .saturating_add(ms(self.settings.timeout_ms))
                > now_ms
        {
            return None;
        }
        let error = EngineError::checkpoint(format!(
            "checkpoint {id} was not complete after {} ms",
            self.settings.timeout_ms
        ))
        .with_hint("raise execution.checkpointing.timeout, or find out what holds the job back");
        let missing = all().into_iter();
        let missing = missing.filter(|id| !pending.shares.contains_key(id));
        let missing: Vec<String> = missing.map(|id| id.to_string()).collect();
        let error = match missing.is_empty() {
            true => error,
            false => error.with_detail(format!("subtasks without a share: {}", missing.join(", "))),
        };
        self.failed(id, error)
    }

    /// Whether the failures so far leave the job running.
    pub fn tolerates_failure(&self) -> bool {
        self.failures_in_a_row <= self.settings.tolerable_failed
    }

    /// The run has ended; what is under way cannot be completed (unless its manifest is already
    /// being written).
    pub fn abandon(&mut self) {
        self.pending = None;
        self.failures_in_a_row = 0;
    }
}

fn ms(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
