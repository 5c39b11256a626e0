//! Distinct sets: which values each group has, and for which calls they count.
//!
//! Calls over the same argument share one set, so a row costs one lookup however many
//! `COUNT(DISTINCT x) FILTER (…)` there are. Where rows are never taken back an entry holds a bit
//! per call; where they are, a count per call. When a value comes or goes for a call, that is an
//! event, and events are what the call's accumulator sees.

use super::groups::GroupTable;
use super::lane::{Lane, LaneKind};
use super::tracker::Tracker;
use crate::error::Result;

/// The values of all groups.
#[derive(Debug)]
pub(crate) struct DistinctSet {
    /// Keyed by group and value.
    entries: GroupTable,
    users: usize,
    membership: Membership,
    tracker: Tracker,
    /// Scratch: the entry of each row.
    found: Vec<u32>,
}

#[derive(Debug)]
enum Membership {
    /// A bit per call and entry.
    Seen(Vec<u64>),
    /// A count per entry and call, entry by entry.
    Counted(Vec<i64>),
}

/// How rows change the set.
#[derive(Clone, Copy)]
pub(crate) enum Changes<'a> {
    /// The calls for which each row counts, as bits.
    Bits(&'a [u64]),
    /// By how much each row changes each call's count, row by row.
    Counts(&'a [i64]),
}

/// A value has come or gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    /// The row that caused it.
    pub(crate) row: u32,
    /// The calls that it concerns, as bits.
    pub(crate) calls: u64,
    /// 1 or -1.
    pub(crate) sign: i64,
}

impl DistinctSet {
    pub(crate) fn new(kind: LaneKind, users: usize, updating: bool) -> Self {
        DistinctSet {
            entries: GroupTable::new([LaneKind::I64, kind]),
            users,
            membership: match updating {
                true => Membership::Counted(Vec::new()),
                false => Membership::Seen(Vec::new()),
            },
            tracker: Tracker::default(),
            found: Vec::new(),
        }
    }

    /// Takes rows of values, none of them NULL, and adds what came of it to `events`.
    pub(crate) fn absorb(
        &mut self,
        groups: &[u32],
        values: &Lane,
        changes: Changes<'_>,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        let group_lane = Lane::integers(groups.iter().map(|g| i64::from(*g)).collect());
        let keys = [group_lane, values.clone()];
        let mut found = std::mem::take(&mut self.found);
        self.entries.intern(&keys, groups.len(), &mut found)?;
        self.tracker.resize(self.entries.capacity());
        match changes {
            Changes::Bits(bits) => self.absorb_bits(&found, bits, events),
            Changes::Counts(counts) => self.absorb_counts(&found, counts, events),
        }
        self.found = found;
        Ok(())
    }

    /// Those of the rows whose entry is not here, each entry once; NULLs and the groups that are not
    /// `wanted` left out.
    pub(crate) fn missing(
        &self,
        groups: &[u32],
        values: &Lane,
        wanted: impl Fn(u32) -> bool,
    ) -> Result<Vec<u32>> {
        let valid = |row: usize| values.nulls.as_ref().is_none_or(|n| n.is_valid(row));
        let rows = groups.iter().enumerate();
        let rows = rows.filter(|(row, group)| wanted(**group) && valid(*row));
        let (rows, groups): (Vec<u32>, Vec<i64>) = rows
            .map(|(row, group)| (row as u32, i64::from(*group)))
            .unzip();
        if rows.is_empty() {
            return Ok(rows);
        }
        let keys = [Lane::integers(groups), values.take(&rows)?];
        let found = self.entries.find(&keys, rows.len());
        let absent = rows.iter().zip(found).filter(|(_, found)| found.is_none());
        Ok(absent.map(|(row, _)| *row).collect())
    }

    fn absorb_bits(&mut self, found: &[u32], bits: &[u64], events: &mut Vec<Event>) {
        let Membership::Seen(seen) = &mut self.membership else {
            debug_assert!(false, "a counted set was given bits");
            return;
        };
        seen.resize(self.entries.capacity(), 0);
        for (row, (entry, bits)) in found.iter().zip(bits).enumerate() {
            let seen = &mut seen[*entry as usize];
            let calls = bits & !*seen;
            if calls != 0 {
                *seen |= calls;
                self.tracker.mark(*entry);
                events.push(Event {
                    row: row as u32,
                    calls,
                    sign: 1,
                });
            }
        }
    }

    fn absorb_counts(&mut self, found: &[u32], changes: &[i64], events: &mut Vec<Event>) {
        let Membership::Counted(counts) = &mut self.membership else {
            debug_assert!(false, "a set of bits was given counts");
            return;
        };
        counts.resize(self.entries.capacity() * self.users, 0);
        let mut vacated = Vec::new();
        for (row, entry) in found.iter().enumerate() {
            let at = *entry as usize * self.users;
            let counts = &mut counts[at..at + self.users];
            let changes = &changes[row * self.users..(row + 1) * self.users];
            let (mut come, mut gone) = (0u64, 0u64);
            for (call, (count, change)) in counts.iter_mut().zip(changes).enumerate() {
                let before = *count > 0;
                *count += change;
                match (before, *count > 0) {
                    (false, true) => come |= 1 << call,
                    (true, false) => gone |= 1 << call,
                    _ => {}
                }
            }
            let row = row as u32;
            for (calls, sign) in [(come, 1), (gone, -1)] {
                if calls != 0 {
                    events.push(Event { row, calls, sign });
                }
            }
            self.tracker.mark(*entry);
            if counts.iter().all(|c| *c == 0) {
                vacated.push(*entry);
            }
        }
        self.sweep(&vacated);
    }

    /// Drops empty entries that keyed state has never seen; others wait for the next barrier.
    fn sweep(&mut self, vacated: &[u32]) {
        let gone = |e: &&u32| self.is_vacant(**e) && !self.tracker.is_persisted(**e);
        let gone: Vec<u32> = vacated.iter().filter(gone).copied().collect();
        self.entries.remove(&gone);
    }

    fn is_vacant(&self, entry: u32) -> bool {
        let entry = entry as usize;
        match &self.membership {
            Membership::Seen(seen) => seen[entry] == 0,
            Membership::Counted(counts) => {
                let at = entry * self.users;
                counts[at..at + self.users].iter().all(|c| *c == 0)
            }
        }
    }

    /// The entry of each row of the last [`DistinctSet::absorb`].
    pub(crate) fn found(&self) -> &[u32] {
        &self.found
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All entries in use.
    pub(crate) fn all(&self) -> Vec<u32> {
        self.entries.groups()
    }

    /// The groups and the values of entries.
    pub(crate) fn keys(&self, entries: &[u32]) -> Result<(Vec<u32>, Lane)> {
        let keys = self.entries.keys(entries)?;
        match <[Lane; 2]>::try_from(keys) {
            Ok([groups, values]) => Ok((as_groups(&groups), values)),
            Err(_) => Err(crate::error::EngineError::internal(
                "a distinct set is not keyed by group and value",
            )),
        }
    }

    /// The bits of an entry; empty for counted sets.
    pub(crate) fn bits(&self, entry: u32) -> u64 {
        match &self.membership {
            Membership::Seen(seen) => seen[entry as usize],
            Membership::Counted(_) => 0,
        }
    }

    /// The counts of entries, entry by entry; `None` for sets of bits.
    pub(crate) fn counts(&self, entries: &[u32]) -> Option<Vec<i64>> {
        let Membership::Counted(counts) = &self.membership else {
            return None;
        };
        let of = |e: &u32| {
            let at = *e as usize * self.users;
            &counts[at..at + self.users]
        };
        Some(entries.iter().flat_map(of).copied().collect())
    }

    /// What keyed state holds of an entry: its bits or counts; `None` when it is to be deleted.
    pub(crate) fn row(&self, entry: u32, out: &mut Vec<u8>) -> bool {
        out.clear();
        match &self.membership {
            Membership::Seen(seen) => out.extend_from_slice(&seen[entry as usize].to_be_bytes()),
            Membership::Counted(counts) => {
                let at = entry as usize * self.users;
                for count in &counts[at..at + self.users] {
                    out.extend_from_slice(&count.to_be_bytes());
                }
            }
        }
        !self.is_vacant(entry)
    }

    /// Takes what has changed since the last call, without what has gone unseen.
    pub(crate) fn take_dirty(&mut self) -> Vec<u32> {
        let mut dirty = self.tracker.take();
        dirty.retain(|e| self.entries.is_live(*e));
        dirty
    }

    /// Marks entries as changed.
    pub(crate) fn mark(&mut self, entries: &[u32]) {
        for entry in entries {
            self.tracker.mark(*entry);
        }
    }

    /// Notes that keyed state now agrees with these entries, and drops the empty ones.
    pub(crate) fn persisted(&mut self, entries: &[u32]) {
        self.tracker.persist(entries);
        let vacant = entries.iter().filter(|e| self.is_vacant(**e));
        let vacant: Vec<u32> = vacant.copied().collect();
        for entry in &vacant {
            self.tracker.forget(*entry);
        }
        self.entries.remove(&vacant);
    }

    /// Drops the entries of groups; returns those of them that keyed state has. They can be asked
    /// for their keys before [`DistinctSet::remove`].
    pub(crate) fn of_groups(&self, gone: impl Fn(u32) -> bool) -> Result<(Vec<u32>, Vec<u32>)> {
        let all = self.all();
        let (groups, _) = self.keys(&all)?;
        let pairs = all.into_iter().zip(groups);
        let entries: Vec<u32> = pairs.filter(|(_, g)| gone(*g)).map(|(e, _)| e).collect();
        let persisted = entries.iter().filter(|e| self.tracker.is_persisted(**e));
        let persisted = persisted.copied().collect();
        Ok((entries, persisted))
    }

    /// Forgets entries.
    pub(crate) fn remove(&mut self, entries: &[u32]) {
        for entry in entries {
            self.tracker.forget(*entry);
            match &mut self.membership {
                Membership::Seen(seen) => seen[*entry as usize] = 0,
                Membership::Counted(counts) => {
                    let at = *entry as usize * self.users;
                    counts[at..at + self.users].fill(0);
                }
            }
        }
        self.entries.remove(entries);
    }

    /// Roughly the memory in use.
    pub(crate) fn size_bytes(&self) -> usize {
        let membership = match &self.membership {
            Membership::Seen(seen) => seen.capacity() * 8,
            Membership::Counted(counts) => counts.capacity() * 8,
        };
        self.entries.size_bytes() + membership
    }
}

fn as_groups(lane: &Lane) -> Vec<u32> {
    match &lane.values {
        super::lane::Values::I64(values) => values.iter().map(|v| *v as u32).collect(),
        _ => Vec::new(),
    }
}
