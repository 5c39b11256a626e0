//! Rows that are remembered by key: in memory as they came, and on disk when that is short.
//!
//! ```text
//!   batch ──▶ numbers of keys ──▶ rows of these keys, by number (`side`), in Arrow batches (`rows`)
//!                  ▲                                        │
//!                  └── read back when a key comes again ── keyed state (`persist`)
//! ```

mod persist;
mod rows;
mod side;

use arrow::array::ArrayRef;

use super::OperatorContext;
use super::aggregate::groups::GroupTable;
use super::aggregate::lane::Codec;
use super::aggregate::persist::{Deletes, delete, key_groups};
use super::overflow::Overflow;
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::key::KeyGroup;
use crate::state::KeyedState;
use persist::{Ids, ROWS, stamp_of};

pub(super) use rows::{NONE, Rows};
pub(super) use side::{Arrival, Entry, Side, comes};

/// Numbers of keys.
pub(super) struct Keys {
    pub(super) table: GroupTable,
    pub(super) codecs: Vec<Codec>,
    pub(super) max_parallelism: u32,
    /// Keys of a batch that may have got no row.
    pub(super) unsure: Vec<u32>,
}

/// How far all key groups on disk were looked through for rows that event time lets go.
pub(super) struct DiskSweep {
    groups: std::ops::Range<KeyGroup>,
    /// The earliest stamp of the rows that stay.
    due_later: i64,
}

/// What an operator remembers.
pub(super) struct Kept {
    pub(super) keys: Keys,
    /// By input.
    pub(super) sides: Vec<Side>,
    pub(super) ids: Ids,
    deletes: Deletes,
    pub(super) state: Box<dyn KeyedState>,
    /// By input; 0 keeps rows for ever.
    ttl_ms: Vec<i64>,
    /// When expired rows are looked for next; only with a time to live.
    pub(super) next_sweep_ms: Option<i64>,
    /// What goes to disk when memory is short; `None` keeps everything in memory.
    overflow: Option<Overflow>,
    /// How often memory was emptied.
    pub(super) emptied: u64,
    /// The earliest stamp that a row may have which is on disk only and which event time lets go.
    on_disk_due: i64,
}

impl Kept {
    /// What keyed state has of rows of these inputs, whose keys have the same types, and which are kept for
    /// so long, in milliseconds, unless a side says otherwise; 0 for ever.
    pub(super) fn new(sides: Vec<Side>, ttl_ms: u64, context: OperatorContext) -> Result<Self> {
        let state = context
            .state
            .ok_or_else(|| EngineError::internal("an operator with rows by key got no state"))?;
        let types = |side: &Side| -> Vec<_> {
            let codecs = side.key_codecs.iter();
            codecs.map(|codec| codec.data_type().clone()).collect()
        };
        let first = sides.first().map(types).unwrap_or_default();
        if sides.len() > ROWS.len() || sides.iter().any(|side| types(side) != first) {
            return Err(EngineError::internal("the keys of inputs differ in type"));
        }
        let codecs = first.iter().map(Codec::new).collect::<Result<Vec<_>>>()?;
        let overflow = Overflow::new(state.as_ref(), context.memory);
        let ttl_ms = i64::try_from(ttl_ms).unwrap_or(i64::MAX);
        let ttl_ms: Vec<i64> = sides.iter().map(|s| s.ttl_ms.unwrap_or(ttl_ms)).collect();
        let shortest = shortest(&ttl_ms);
        let mut kept = Kept {
            keys: Keys {
                table: GroupTable::new(codecs.iter().map(Codec::kind)),
                codecs,
                max_parallelism: context.max_parallelism,
                unsure: Vec::new(),
            },
            ids: Ids::restore(state.as_ref())?,
            sides,
            deletes: Deletes::default(),
            state,
            ttl_ms,
            next_sweep_ms: shortest.map(|ttl_ms| context.now_ms.saturating_add(ttl_ms)),
            overflow,
            emptied: 0,
            on_disk_due: i64::MAX,
        };
        if kept.overflowed() {
            kept.on_disk_due = i64::MIN;
        }
        if kept.overflow.is_none() {
            kept.load_all()?;
        }
        kept.state.loaded();
        Ok(kept)
    }

    /// Rows of an input that have not changed since then are not there any more.
    pub(super) fn expired_before(&self, input: usize, now_ms: i64) -> Option<i64> {
        let ttl_ms = self.ttl_ms.get(input).filter(|ttl_ms| **ttl_ms > 0)?;
        Some(now_ms.saturating_sub(*ttl_ms))
    }

    /// Whether nothing of an input expires.
    pub(super) fn is_for_ever(&self, input: usize) -> bool {
        self.ttl_ms.get(input).is_none_or(|ttl_ms| *ttl_ms == 0)
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflow.as_ref().is_some_and(Overflow::is_used)
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
        self.make_place();
        if self.overflowed() && !created.is_empty() {
            self.load(&created)?;
        }
        self.keys.unsure.extend(created);
        Ok(())
    }

    /// Keeps the rows of a batch at `kept`, and forgets those that it takes back; `numbers` are the keys of its rows.
    /// `arrived` gives of a row how many partners it has, if these are counted, and its stamp.
    pub(super) fn take_over(
        &mut self,
        input: usize,
        batch: &Batch,
        numbers: &[u32],
        kept: Vec<u32>,
        arrived: &dyn Fn(usize) -> (u32, i64),
    ) -> Result<()> {
        let side = &mut self.sides[input];
        let keys: Vec<ArrayRef> = side.keys.iter().map(|k| batch.column(*k).clone()).collect();
        let groups = key_groups(&keys, batch.num_rows(), self.keys.max_parallelism)?;
        let contents = side.contents_of(batch.rows())?;
        let places = side.add(batch.rows(), &kept, &contents)?;
        let mut added = kept.into_iter().zip(places).peekable();
        for row in 0..batch.num_rows() {
            if !comes(batch, row) {
                // It may have expired, or was not worth keeping.
                if let Some(place) = side.find(contents[row]) {
                    side.remove(place)?;
                }
            } else if let Some((_, place)) = added.next_if(|(at, _)| *at as usize == row) {
                let (degree, stamp) = arrived(row);
                let arrival = Arrival {
                    key: numbers[row],
                    degree,
                    id: self.ids.next(groups[row])?,
                    stamp,
                };
                side.link(place, arrival);
                side.touch(place, degree, stamp);
            }
        }
        Ok(())
    }

    /// Makes room for all keys on all sides.
    fn make_place(&mut self) {
        let capacity = self.keys.table.capacity();
        self.sides.iter_mut().for_each(|side| side.resize(capacity));
    }

    pub(super) fn size_bytes(&self) -> usize {
        let sides: usize = self.sides.iter().map(Side::size_bytes).sum();
        sides + self.keys.table.size_bytes()
    }

    /// Empties memory when it holds too much, the operator's own `bytes` included; rows come back when their
    /// keys are asked for.
    pub(super) fn make_room(&mut self, bytes: usize) -> Result<()> {
        let bytes = self.size_bytes() + bytes;
        let overflow = self.overflow.as_mut();
        if !overflow.is_some_and(|overflow| overflow.must_make_room(bytes)) {
            return Ok(());
        }
        self.empty()
    }

    /// Writes down what has changed, and has nothing in memory then.
    pub(super) fn empty(&mut self) -> Result<()> {
        self.save()?;
        self.emptied += 1;
        let due = self.sides.iter().map(Side::first_due).min();
        self.on_disk_due = self.on_disk_due.min(due.unwrap_or(i64::MAX));
        self.sides.iter_mut().for_each(Side::clear);
        self.keys.table = GroupTable::new(self.keys.codecs.iter().map(Codec::kind));
        if let Some(overflow) = &mut self.overflow {
            overflow.emptied();
        }
        Ok(())
    }

    /// Whether rows that are on disk only may have a stamp of `before` or earlier.
    pub(super) fn is_due_on_disk(&self, before: i64) -> bool {
        self.on_disk_due <= before
    }

    /// The earliest stamp that a row on disk may have, as far as that is known.
    pub(super) fn first_due_on_disk(&self) -> i64 {
        self.on_disk_due
    }

    /// Takes up all rows of the keys that have some in memory, which keyed state has all of.
    pub(super) fn complete(&mut self) -> Result<Vec<u32>> {
        let all = self.keys.table.groups();
        let some = |key: &u32| self.sides.iter().any(|side| side.has(*key));
        let keys: Vec<u32> = all.into_iter().filter(some).collect();
        self.sides.iter_mut().for_each(Side::clear);
        self.make_place();
        self.load(&keys)?;
        Ok(keys)
    }

    /// Takes up more of what is due on disk: rows with a stamp of `before` or earlier, once there may be some of
    /// `worth` or earlier; false if there are none. What was taken up must be removed before the next call.
    pub(super) fn sweep_on(
        &mut self,
        disk: &mut Option<DiskSweep>,
        before: i64,
        worth: i64,
    ) -> Result<bool> {
        match disk {
            Some(disk) => self.sweep_group(disk, before),
            None if self.is_due_on_disk(worth) => {
                *disk = Some(self.begin_sweep()?);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Begins to look for what is due on disk: nothing is in memory then.
    pub(super) fn begin_sweep(&mut self) -> Result<DiskSweep> {
        self.empty()?;
        let range = self.state.key_groups();
        Ok(DiskSweep {
            groups: range.start..range.end,
            due_later: i64::MAX,
        })
    }

    /// Takes up the rows of the next key group with a stamp of `before` or earlier; false when all groups were
    /// looked through. What was taken up must be removed before the next call.
    pub(super) fn sweep_group(&mut self, sweep: &mut DiskSweep, before: i64) -> Result<bool> {
        let Some(group) = sweep.groups.next() else {
            self.on_disk_due = sweep.due_later;
            return Ok(false);
        };
        let due_later = self.load_due(group, before)?;
        sweep.due_later = sweep.due_later.min(due_later);
        Ok(true)
    }

    /// Forgets rows that have outlived their time, if it is time to look for them. Those in memory are shown
    /// before they go, with the number of their key.
    pub(super) fn sweep(&mut self, now_ms: i64, forget: &mut dyn FnMut(u32, u32)) -> Result<()> {
        let (Some(shortest), Some(at)) = (shortest(&self.ttl_ms), self.next_sweep_ms) else {
            return Ok(());
        };
        if at > now_ms {
            return Ok(());
        }
        let before: Vec<Option<i64>> = (0..self.sides.len())
            .map(|input| self.expired_before(input, now_ms))
            .collect();
        for (side, before) in self.sides.iter_mut().zip(&before) {
            let Some(before) = *before else { continue };
            for row in side.expired(before) {
                forget(side.entry(row).key, row);
                side.remove(row)?;
            }
        }
        self.settle()?;
        let pause_ms = self.sweep_disk(&before, (shortest / 4).max(1000))?;
        self.next_sweep_ms = Some(now_ms.saturating_add(pause_ms));
        Ok(())
    }

    /// Removes expired rows of one key group from keyed state; returns when to look at the next one.
    fn sweep_disk(&mut self, before: &[Option<i64>], pause_ms: i64) -> Result<i64> {
        if !self.overflowed() {
            return Ok(pause_ms);
        }
        // Then what is on disk is right, and nothing else is.
        self.empty()?;
        let Some(overflow) = &mut self.overflow else {
            return Ok(pause_ms);
        };
        let (group, pause_ms) = overflow.next_sweep(self.state.as_ref(), pause_ms);
        for (table, before) in ROWS.into_iter().zip(before) {
            let Some(before) = *before else { continue };
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
        Ok(pause_ms)
    }
}

/// The shortest time to live of those there are.
fn shortest(ttl_ms: &[i64]) -> Option<i64> {
    ttl_ms.iter().copied().filter(|ttl_ms| *ttl_ms > 0).min()
}
