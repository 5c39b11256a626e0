//! What a join remembers, in memory and on disk.

use super::pads;
use super::persist::{Gone, Ids, ROWS, stamp_of};
use super::side::Side;
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::{JoinKind, JoinSpec};
use crate::key::KeyGroup;
use crate::memory::Share;
use crate::operator::OperatorContext;
use crate::operator::aggregate::groups::GroupTable;
use crate::operator::aggregate::lane::Codec;
use crate::operator::aggregate::persist::delete;
use crate::state::KeyedState;

/// Numbers of join keys.
pub(super) struct Keys {
    pub(super) table: GroupTable,
    pub(super) codecs: Vec<Codec>,
    pub(super) max_parallelism: u32,
    /// Keys of a batch that may have got no row.
    pub(super) unsure: Vec<u32>,
}

/// What a join remembers.
pub(super) struct Kept {
    pub(super) keys: Keys,
    pub(super) sides: [Side; 2],
    pub(super) ids: Ids,
    pub(super) deletes: Gone,
    pub(super) state: Box<dyn KeyedState>,
    /// 0 keeps rows for ever.
    pub(super) ttl_ms: i64,
    /// When expired rows are looked for next; only with a time to live.
    pub(super) next_sweep_ms: Option<i64>,
    /// What goes to disk when memory is short; `None` keeps everything in memory.
    pub(super) overflow: Option<Overflow>,
}

pub(super) struct Overflow {
    pub(super) share: Share,
    /// Whether keyed state may have rows of keys that are not in memory.
    pub(super) used: bool,
    /// The key group that is looked through for expired rows next.
    pub(super) next_group: KeyGroup,
}

impl Kept {
    pub(super) fn new(spec: &JoinSpec, context: OperatorContext) -> Result<Self> {
        let state = context
            .state
            .ok_or_else(|| EngineError::internal("a join got no state"))?;
        let counts =
            |input: usize| pads(spec.kind, input) || spec.kind == JoinKind::Semi && input == 0;
        let left = Side::new(&spec.left, counts(0))?;
        let right = Side::new(&spec.right, counts(1))?;
        let types = |side: &Side| -> Vec<_> {
            let codecs = side.key_codecs.iter();
            codecs.map(|codec| codec.data_type().clone()).collect()
        };
        if types(&left) != types(&right) {
            return Err(EngineError::internal("the keys of a join differ in type"));
        }
        let codecs = types(&left)
            .iter()
            .map(Codec::new)
            .collect::<Result<Vec<_>>>()?;
        let range = state.key_groups();
        let overflow = state.keeps().then(|| Overflow {
            share: context.memory,
            used: !state.is_empty(),
            next_group: range.start,
        });
        let ttl_ms = i64::try_from(spec.ttl_ms).unwrap_or(i64::MAX);
        let mut kept = Kept {
            keys: Keys {
                table: GroupTable::new(codecs.iter().map(Codec::kind)),
                codecs,
                max_parallelism: context.max_parallelism,
                unsure: Vec::new(),
            },
            ids: Ids::restore(state.as_ref())?,
            sides: [left, right],
            deletes: Gone::default(),
            state,
            ttl_ms,
            next_sweep_ms: (ttl_ms > 0).then(|| context.now_ms.saturating_add(ttl_ms)),
            overflow,
        };
        if kept.overflow.is_none() {
            kept.load_all()?;
        }
        kept.state.loaded();
        Ok(kept)
    }

    /// Rows that have not changed since then are not there any more.
    pub(super) fn expired_before(&self, now_ms: i64) -> Option<i64> {
        (self.ttl_ms > 0).then(|| now_ms.saturating_sub(self.ttl_ms))
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflow.as_ref().is_some_and(|overflow| overflow.used)
    }

    /// Numbers the keys of a batch, and takes up what keyed state has of those that are new here.
    pub(super) fn intern(
        &mut self,
        input: usize,
        batch: &Batch,
        numbers: &mut Vec<u32>,
    ) -> Result<()> {
        let lanes = self.sides[input].key_lanes(batch.rows())?;
        let table = &mut self.keys.table;
        table.intern(&lanes, batch.num_rows(), numbers)?;
        let created: Vec<u32> = table.created().collect();
        let capacity = table.capacity();
        self.sides.iter_mut().for_each(|side| side.resize(capacity));
        if self.overflowed() && !created.is_empty() {
            self.load(&created)?;
        }
        self.keys.unsure.extend(created);
        Ok(())
    }

    pub(super) fn size_bytes(&self) -> usize {
        let sides: usize = self.sides.iter().map(Side::size_bytes).sum();
        sides + self.keys.table.size_bytes()
    }

    /// Empties memory when it holds too much; rows come back when their keys are asked for.
    pub(super) fn make_room(&mut self, spec: &JoinSpec) -> Result<()> {
        let bytes = self.size_bytes() as u64;
        let Some(overflow) = &mut self.overflow else {
            return Ok(());
        };
        if !overflow.share.hold(bytes) {
            return Ok(());
        }
        overflow.used = true;
        self.empty(spec)
    }

    pub(super) fn empty(&mut self, spec: &JoinSpec) -> Result<()> {
        self.save()?;
        let counts = [self.sides[0].counts, self.sides[1].counts];
        self.sides = [
            Side::new(&spec.left, counts[0])?,
            Side::new(&spec.right, counts[1])?,
        ];
        self.keys.table = GroupTable::new(self.keys.codecs.iter().map(Codec::kind));
        if let Some(overflow) = &mut self.overflow {
            overflow.share.hold(0);
        }
        Ok(())
    }

    /// Forgets rows that have outlived their time, if it is time to look for them.
    pub(super) fn sweep(&mut self, spec: &JoinSpec, now_ms: i64) -> Result<()> {
        let (Some(before), Some(at)) = (self.expired_before(now_ms), self.next_sweep_ms) else {
            return Ok(());
        };
        if at > now_ms {
            return Ok(());
        }
        for side in &mut self.sides {
            for row in side.expired(before) {
                side.remove(row)?;
            }
        }
        self.settle()?;
        let pause_ms = (self.ttl_ms / 4).max(1000);
        let pause_ms = self.sweep_disk(spec, before, pause_ms)?;
        self.next_sweep_ms = Some(now_ms.saturating_add(pause_ms));
        Ok(())
    }

    /// Removes expired rows of one key group from keyed state; returns when to look at the next one.
    pub(super) fn sweep_disk(
        &mut self,
        spec: &JoinSpec,
        before: i64,
        pause_ms: i64,
    ) -> Result<i64> {
        if !self.overflowed() {
            return Ok(pause_ms);
        }
        // Then what is on disk is right, and nothing else is.
        self.empty(spec)?;
        let range = self.state.key_groups();
        let Some(overflow) = &mut self.overflow else {
            return Ok(pause_ms);
        };
        let group = overflow.next_group;
        overflow.next_group = match group + 1 < range.end {
            true => group + 1,
            false => range.start,
        };
        for table in ROWS {
            let mut expired: Vec<Box<[u8]>> = Vec::new();
            self.state
                .scan_prefix(table, group, &[], &mut |key, value| {
                    if stamp_of(value)? <= before {
                        expired.push(key.into());
                    }
                    Ok(())
                })?;
            delete(self.state.as_mut(), table, group, &expired)?;
        }
        let groups = i64::from(range.end.saturating_sub(range.start)).max(1);
        Ok((pause_ms / groups).max(10))
    }
}
