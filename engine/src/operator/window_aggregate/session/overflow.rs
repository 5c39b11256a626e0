//! Sessions that are not in memory.
//!
//! When memory is short, what has changed is written to keyed state and the working set is emptied.
//! The sessions of a key are in memory all together or not at all: they come back when a row of the
//! key does, or when one of them is over. For that, keyed state has an index of the sessions that
//! went to disk, by key group and the moment at which they have to be looked at. It is derived, so no
//! checkpoint has it, and its entries are hints: a session that has grown since has a later one.

use super::sessions::{Sessions, Span};
use super::{SessionAggregate, Timer};
use crate::error::Result;
use crate::key::KeyGroup;
use crate::operator::aggregate::aggregation::Aggregation;
use crate::operator::aggregate::lane::Lane;
use crate::operator::aggregate::persist::GROUPS;
use crate::operator::window_aggregate::persist::damaged;
use crate::state::{Change, KeyedState, Order, TableId};
use crate::time::EventTime;

/// When sessions on disk have to be looked at: the moment, then the key of the session.
const DUE: TableId = TableId(2);
/// About how many sessions are looked at in one step of time.
const DUE_ROWS: usize = if cfg!(test) { 2 } else { 1 << 13 };
/// How many sessions are indexed at a time.
const INDEX_ROWS: usize = if cfg!(test) { 3 } else { 1 << 15 };
/// The start of a session at the end of its key: a byte that says that it is there, and the time.
const START_LEN: usize = 9;

/// What is known of the sessions on disk.
pub(super) struct Overflow {
    /// Whether keyed state may have sessions that are not in memory.
    used: bool,
    first_group: KeyGroup,
    /// By key group: nothing on disk has to be looked at before.
    due: Vec<i64>,
}

/// A session on disk that has to be looked at.
struct Due {
    at_ms: i64,
    group: KeyGroup,
    /// Its key in keyed state.
    key: Vec<u8>,
}

impl Overflow {
    /// `None` if the state keeps nothing.
    pub(super) fn new(state: &dyn KeyedState) -> Option<Self> {
        let range = state.key_groups();
        state.keeps().then(|| Overflow {
            used: !state.is_empty(),
            first_group: range.start,
            due: vec![i64::MAX; usize::from(range.end.saturating_sub(range.start))],
        })
    }

    /// When the first session on disk has to be looked at, if there is any.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.due.iter().min().copied().filter(|at| *at != i64::MAX)
    }

    fn index(&mut self, entries: &[Due], state: &mut dyn KeyedState) -> Result<()> {
        for entry in entries {
            let slot = usize::from(entry.group.saturating_sub(self.first_group));
            if let Some(due) = self.due.get_mut(slot) {
                *due = entry.at_ms.min(*due);
            }
        }
        change(entries, Some(&[]), state)
    }

    /// Takes the entries up to `time`, or, if they are too many, up to a moment before it that is
    /// returned with them.
    fn take(&mut self, time: i64, state: &mut dyn KeyedState) -> Result<(i64, Vec<Due>)> {
        let mut until = time;
        let mut found: Vec<Due> = Vec::new();
        let open = self.due.iter().filter(|due| **due <= time).count();
        let limit = (DUE_ROWS / open.max(1)).max(1);
        for slot in 0..self.due.len() {
            if self.due[slot] > until {
                continue;
            }
            let group = self.first_group + slot as KeyGroup;
            self.due[slot] = scan_due(state, group, self.due[slot], limit, &mut until, &mut found)?;
        }
        let (taken, left): (Vec<Due>, Vec<Due>) = found.into_iter().partition(|d| d.at_ms <= until);
        for entry in left {
            let due = &mut self.due[usize::from(entry.group - self.first_group)];
            *due = entry.at_ms.min(*due);
        }
        change(&taken, None, state)?;
        Ok((until, taken))
    }
}

/// Reads the entries of a key group up to `until`. Of more than `limit` those of the last moment are
/// left out, unless it is the only one, and `until` is drawn in front of it. Returns when the
/// first entry that was not read has to be looked at.
fn scan_due(
    state: &dyn KeyedState,
    group: KeyGroup,
    from: i64,
    limit: usize,
    until: &mut i64,
    found: &mut Vec<Due>,
) -> Result<i64> {
    let before = found.len();
    let mut next = i64::MAX;
    let first = ordered(from);
    // What has been taken before lies in front of the range, so that its traces are not met again.
    let range = first.as_slice()..[0xFF; 9].as_slice();
    state.scan_range(DUE, group, range, Order::Ascending, &mut |entry, _| {
        let (at, key) = entry.split_first_chunk::<8>().ok_or_else(damaged)?;
        let at_ms = i64::from_be_bytes(*at) ^ i64::MIN;
        let last = found[before..].last().map(|d| d.at_ms);
        let enough = found.len() - before >= limit && last.is_some_and(|last| last < at_ms);
        if at_ms > *until || enough {
            next = at_ms;
            *until = (at_ms - 1).min(*until);
            return Ok(false);
        }
        found.push(Due {
            at_ms,
            group,
            key: key.to_vec(),
        });
        Ok(true)
    })?;
    Ok(next)
}

/// Eight bytes whose order is that of the numbers.
fn ordered(at_ms: i64) -> [u8; 8] {
    (at_ms ^ i64::MIN).to_be_bytes()
}

fn change(entries: &[Due], value: Option<&[u8]>, state: &mut dyn KeyedState) -> Result<()> {
    let key = |entry: &Due| [ordered(entry.at_ms).as_slice(), &entry.key].concat();
    let keys: Vec<Vec<u8>> = entries.iter().map(key).collect();
    let pairs = entries.iter().zip(&keys);
    let mut changes = pairs.map(|(entry, key)| Change {
        group: entry.group,
        key,
        value,
    });
    state.derive(DUE, &mut changes)
}

impl SessionAggregate {
    fn overflowed(&self) -> bool {
        self.overflow.as_ref().is_some_and(|overflow| overflow.used)
    }

    /// When a session has to be looked at next, if those that are over at `time` have fired.
    fn look_at(&self, last: i64, time: EventTime) -> i64 {
        let over_at = self.over_at(last);
        match over_at > time {
            true => over_at,
            false => over_at.saturating_add(self.lateness.allowed_ms),
        }
    }

    /// Indexes all sessions that keyed state has.
    pub(super) fn index_stored(&mut self) -> Result<()> {
        let range = self.state.key_groups();
        for group in range.start..range.end {
            let mut from = Vec::new();
            loop {
                let mut entries = Vec::new();
                let all = from.as_slice()..[0xFF].as_slice();
                let (state, time) = (self.state.as_ref(), self.lateness.watermark);
                // The time of the last row is the last of the aggregates.
                let (stored, call) = (&self.plan.stored, self.plan.calls.len() - 1);
                state.scan_range(GROUPS, group, all, Order::Ascending, &mut |key, row| {
                    let last = stored.last_integer(call, row)?;
                    entries.push(Due {
                        at_ms: self.look_at(last, time),
                        group,
                        key: key.to_vec(),
                    });
                    Ok(entries.len() < INDEX_ROWS)
                })?;
                if let Some(overflow) = &mut self.overflow {
                    overflow.index(&entries, self.state.as_mut())?;
                }
                match entries.pop() {
                    Some(last) if entries.len() + 1 >= INDEX_ROWS => {
                        from = last.key;
                        from.push(0xFF);
                    }
                    _ => break,
                }
            }
        }
        Ok(())
    }

    /// Empties the working set when it holds too much.
    pub(super) fn make_room(&mut self) -> Result<()> {
        let held = self.held_bytes() as u64;
        let Some(overflow) = &mut self.overflow else {
            return Ok(());
        };
        if !self.memory.hold(held) {
            return Ok(());
        }
        overflow.used = true;
        self.aggregation.save(self.state.as_mut(), &self.place)?;
        for groups in self.aggregation.groups.groups().chunks(INDEX_ROWS) {
            let spans = self.stored_spans(groups)?;
            let mut spans = spans.iter();
            let mut entries = Vec::with_capacity(groups.len());
            self.aggregation
                .visit_keys(groups, &self.place, &mut |group, key| {
                    if let Some(span) = spans.next() {
                        entries.push(Due {
                            at_ms: self.look_at(span.last, self.lateness.watermark),
                            group,
                            key: key.to_vec(),
                        });
                    }
                })?;
            if let Some(overflow) = &mut self.overflow {
                overflow.index(&entries, self.state.as_mut())?;
            }
        }
        self.aggregation = Aggregation::new(self.plan.clone())?;
        let kinds = self.plan.key_codecs.iter().take(self.place.hashed_keys);
        self.sessions = Sessions::new(kinds.map(|c| c.kind()), self.gap_ms + 1);
        self.timers.clear();
        self.memory.hold(0);
        Ok(())
    }

    /// Takes up the sessions of keys that are not in memory.
    pub(super) fn recall(&mut self, keys: &[Lane], rows: usize) -> Result<()> {
        if !self.overflowed() || rows == 0 {
            return Ok(());
        }
        let found = self.sessions.find(keys, rows);
        let missing = found.iter().enumerate().filter(|(_, key)| key.is_none());
        let missing: Vec<u32> = missing.map(|(row, _)| row as u32).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let keys = keys.iter().map(|lane| lane.take(&missing));
        let keys = keys.collect::<Result<Vec<Lane>>>()?;
        let (state, place) = (self.state.as_ref(), &self.place);
        let groups = self
            .aggregation
            .recall_prefixes(&keys, missing.len(), state, place)?;
        self.adopt(&groups)
    }

    /// Puts groups of the aggregation into their places among the sessions.
    pub(super) fn adopt(&mut self, groups: &[u32]) -> Result<()> {
        let spans: Vec<Span> = self.stored_spans(groups)?;
        let mut keys = self.aggregation.groups.keys(groups)?;
        keys.truncate(self.place.hashed_keys);
        self.sessions.restore(&keys, &spans, groups)?;
        for (group, span) in groups.iter().zip(&spans) {
            self.timers.push(std::cmp::Reverse(Timer {
                at_ms: self.over_at(span.last),
                group: *group,
                generation: self.sessions.renew(*group),
            }));
        }
        Ok(())
    }

    /// Takes up the sessions on disk that have to be looked at up to `time`; if they are too many,
    /// up to a moment before it. Returns that moment.
    pub(super) fn recall_due(&mut self, time: EventTime) -> Result<EventTime> {
        let Some(overflow) = &mut self.overflow else {
            return Ok(time);
        };
        if !overflow.used {
            return Ok(time);
        }
        let (until, due) = overflow.take(time, self.state.as_mut())?;
        let keys = due.iter().map(|entry| {
            let length = entry.key.len().checked_sub(START_LEN);
            length.and_then(|length| entry.key.get(..length))
        });
        let keys = keys.map(|key| key.ok_or_else(damaged));
        let keys = keys.collect::<Result<Vec<&[u8]>>>()?;
        let lanes = self.plan.read_keys(&keys, self.place.hashed_keys)?;
        self.recall(&lanes, due.len())?;
        Ok(until)
    }

    /// Takes up the entries of sets that rows are about to meet.
    pub(super) fn recall_entries(
        &mut self,
        rows: &arrow::array::RecordBatch,
        groups: &[u32],
    ) -> Result<()> {
        if !self.overflowed() || self.plan.sets.is_empty() {
            return Ok(());
        }
        let (state, place) = (self.state.as_ref(), &self.place);
        self.aggregation.recall_entries(rows, groups, state, place)
    }

    /// Adds what groups have accumulated to other groups, and forgets them.
    pub(super) fn merge_groups(&mut self, from: &[u32], into: &[u32]) -> Result<()> {
        if !self.overflowed() {
            return self.aggregation.merge_groups(from, into, &self.place);
        }
        let (state, place) = (self.state.as_mut(), &self.place);
        self.aggregation.recall_sets(from, state, place)?;
        self.aggregation.recall_sets(into, state, place)?;
        self.aggregation.merge_groups(from, into, place)?;
        // At once: otherwise they could be taken up again.
        self.aggregation.deletes.apply(state)
    }

    /// Forgets the sessions of groups, in memory and on disk.
    pub(super) fn remove(&mut self, groups: &[u32]) -> Result<()> {
        self.sessions.remove(groups);
        if !self.overflowed() {
            return self.aggregation.remove_if_any(groups, &self.place);
        }
        let (state, place) = (self.state.as_mut(), &self.place);
        self.aggregation.remove_stored(groups, state, place)
    }
}
