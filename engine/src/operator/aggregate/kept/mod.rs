//! The groups that an operator keeps until it removes them or their time to live is over: in memory, and
//! on disk when memory is short.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};

use super::Plan;
use super::aggregation::Aggregation;
use super::persist::{Place, load_all};
use crate::error::{EngineError, Result};
use crate::operator::OperatorContext;
use crate::operator::overflow::Overflow;
use crate::state::KeyedState;

mod overflow;

/// Groups with their keyed state.
pub(crate) struct KeptGroups {
    pub(crate) plan: Arc<Plan>,
    pub(crate) aggregation: Aggregation,
    place: Place,
    state: Box<dyn KeyedState>,
    /// 0 keeps groups for ever.
    ttl_ms: i64,
    /// When expired groups are looked for next; only with a time to live.
    next_sweep_ms: Option<i64>,
    /// What goes to disk when memory is short; `None` keeps everything in memory.
    overflow: Option<Overflow>,
    /// Scratch: the group of each row.
    groups: Vec<u32>,
    /// Scratch: twice the number of the last batch that touched a group, plus one while that
    /// batch has created it.
    touched_by: Vec<u64>,
    batches: u64,
}

/// Groups that a batch has touched, each once, in order of appearance.
pub(crate) struct Touched {
    pub(crate) groups: Vec<u32>,
    /// Whether the group was there before.
    pub(crate) existed: Vec<bool>,
}

impl KeptGroups {
    /// The groups that the state of the context has. Without a change for `ttl_ms` they expire; 0 keeps
    /// them for ever.
    pub(crate) fn new(plan: Plan, ttl_ms: u64, context: OperatorContext) -> Result<Self> {
        let expires = ttl_ms > 0;
        let plan = plan.continuing(&context.layouts, expires, context.now_ms)?;
        let plan = Arc::new(plan);
        let mut state = context
            .state
            .ok_or_else(|| EngineError::internal("an operator that keeps groups got no state"))?;
        let mut aggregation = Aggregation::new(plan.clone())?;
        plan.stored.forget_gone(&plan, state.as_mut())?;
        if expires {
            aggregation.expire_groups();
        }
        let overflow = Overflow::new(state.as_ref(), context.memory);
        if overflow.is_none() {
            load_all(&mut aggregation, state.as_ref())?;
        }
        state.loaded();
        let ttl_ms = i64::try_from(ttl_ms).unwrap_or(i64::MAX);
        Ok(KeptGroups {
            place: Place {
                prefix: Vec::new(),
                hashed_keys: plan.keys.len(),
                max_parallelism: context.max_parallelism,
            },
            state,
            ttl_ms,
            next_sweep_ms: expires.then(|| context.now_ms.saturating_add(ttl_ms)),
            plan,
            aggregation,
            overflow,
            groups: Vec::new(),
            touched_by: Vec::new(),
            batches: 0,
        })
    }

    /// Whether groups expire.
    pub(crate) fn expire(&self) -> bool {
        self.ttl_ms > 0
    }

    /// The group of each row of the batch that was last given to [`KeptGroups::intern`].
    pub(crate) fn of_rows(&self) -> &[u32] {
        &self.groups
    }

    /// Finds the groups of a batch. Groups that have outlived their time are met anew.
    pub(crate) fn intern(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        now_ms: i64,
    ) -> Result<Touched> {
        self.batches += 1;
        let (seen, new) = (self.batches * 2, self.batches * 2 + 1);
        self.find_groups(keys, rows, new, now_ms)?;
        if self.ttl_ms > 0 {
            let before = now_ms.saturating_sub(self.ttl_ms);
            let expired = self.aggregation.expired_among(keys, rows, before)?;
            if !expired.is_empty() {
                self.remove(&expired)?;
                self.find_groups(keys, rows, new, now_ms)?;
            }
        }
        let (mut touched, mut existed) = (Vec::new(), Vec::new());
        for group in &self.groups {
            let last = std::mem::replace(&mut self.touched_by[*group as usize], seen);
            if last != seen {
                touched.push(*group);
                existed.push(last != new);
            }
        }
        Ok(Touched {
            groups: touched,
            existed,
        })
    }

    /// Finds the groups of a batch in memory or on disk, and marks those that are nowhere.
    fn find_groups(&mut self, keys: &[ArrayRef], rows: usize, new: u64, now_ms: i64) -> Result<()> {
        self.aggregation.intern(keys, rows, &mut self.groups)?;
        self.touched_by
            .resize(self.aggregation.groups.capacity(), 0);
        let mut created: Vec<u32> = self.aggregation.groups.created().collect();
        self.recall(&mut created)?;
        self.aggregation.stamp(&created, now_ms);
        for group in created {
            self.touched_by[group as usize] = new;
        }
        Ok(())
    }

    /// Takes the rows of the batch that was last given to [`KeptGroups::intern`].
    pub(crate) fn update(&mut self, rows: &RecordBatch, signs: Option<&[i64]>) -> Result<()> {
        self.recall_entries(rows)?;
        self.aggregation.update(rows, &self.groups, signs)
    }

    /// The same for partial rows of a local phase.
    pub(crate) fn merge(&mut self, rows: &RecordBatch) -> Result<()> {
        self.recall_listed(rows)?;
        let partials = rows.columns().get(self.plan.keys.len()..);
        self.aggregation
            .merge(&self.groups, partials.unwrap_or_default())
    }

    /// Forgets groups, in memory and on disk.
    pub(crate) fn remove(&mut self, groups: &[u32]) -> Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        if self.overflow.is_none() {
            return self.aggregation.remove(groups, &self.place);
        }
        // At once: otherwise they could be taken up again.
        let (state, place) = (self.state.as_mut(), &self.place);
        self.aggregation.remove_stored(groups, state, place)
    }

    /// When [`KeptGroups::sweep`] wants to be called, in milliseconds of processing time.
    pub(crate) fn deadline_ms(&self) -> Option<i64> {
        self.next_sweep_ms
    }

    /// Removes groups that have outlived their time, if it is time to look for them.
    pub(crate) fn sweep(&mut self, now_ms: i64) -> Result<()> {
        if self.next_sweep_ms.is_none_or(|at| at > now_ms) {
            return Ok(());
        }
        let before = now_ms.saturating_sub(self.ttl_ms);
        let expired = self.aggregation.expired(before);
        self.remove(&expired)?;
        let pause_ms = (self.ttl_ms / 4).max(1000);
        let pause_ms = self.sweep_disk(before, pause_ms)?;
        self.next_sweep_ms = Some(now_ms.saturating_add(pause_ms));
        Ok(())
    }

    /// Writes what has changed into keyed state.
    pub(crate) fn save(&mut self) -> Result<&mut dyn KeyedState> {
        self.aggregation.save(self.state.as_mut(), &self.place)?;
        Ok(self.state.as_mut())
    }
}
