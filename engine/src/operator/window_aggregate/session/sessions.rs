//! Which sessions each key has, and how rows found, extend and join them.

use crate::error::Result;
use crate::operator::aggregate::groups::GroupTable;
use crate::operator::aggregate::lane::{Lane, LaneKind};

const NO_GROUP: u32 = u32::MAX;
/// The slot of rows that are late.
pub(super) const LATE: u32 = u32::MAX;

/// The sessions of all keys.
pub(super) struct Sessions {
    keys: GroupTable,
    /// By key.
    open: Vec<Vec<Session>>,
    /// By group of the aggregation: whose session it is.
    owners: Vec<Owner>,
    /// Rows closer than this belong together.
    reach_ms: i64,
    batch: u64,
    /// Scratch: the key of each row.
    row_keys: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Owner {
    key: u32,
    /// Tells a session from others that had the group's number before.
    generation: u32,
    live: bool,
}

#[derive(Debug, Clone, Copy)]
struct Session {
    start: i64,
    last: i64,
    /// The group, once it has one.
    group: u32,
    /// The last batch that touched it, and its slot there.
    batch: u64,
    slot: u32,
}

impl Session {
    fn reaches(&self, start: i64, last: i64, reach_ms: i64) -> bool {
        start < self.last + reach_ms && self.start < last + reach_ms
    }
}

/// A session that a batch has touched.
#[derive(Debug, Clone)]
pub(super) struct Touched {
    /// A row with the session's key.
    pub(super) row: u32,
    pub(super) start: i64,
    pub(super) last: i64,
    /// Groups that are part of the session by now.
    pub(super) absorbed: Vec<u32>,
    /// The number of its key, during this batch.
    pub(super) key: u32,
    /// The slot that this one has become part of.
    joined: Option<u32>,
}

impl Touched {
    /// Its place in time.
    pub(super) fn span(&self) -> Span {
        Span {
            start: self.start,
            last: self.last,
        }
    }
}

/// Where the rows of a batch belong.
pub(super) struct Assigned {
    /// The touched sessions; only those that stand for themselves.
    pub(super) sessions: Vec<Touched>,
    /// For each row the position in `sessions`, or [`LATE`].
    pub(super) rows: Vec<u32>,
}

/// A session's place in time, by its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) last: i64,
}

impl Sessions {
    pub(super) fn new(kinds: impl IntoIterator<Item = LaneKind>, reach_ms: i64) -> Self {
        Sessions {
            keys: GroupTable::new(kinds),
            open: Vec::new(),
            owners: Vec::new(),
            reach_ms,
            batch: 0,
            row_keys: Vec::new(),
        }
    }

    /// The keys of rows, as far as they have sessions here.
    pub(super) fn find(&self, keys: &[Lane], rows: usize) -> Vec<Option<u32>> {
        self.keys.find(keys, rows)
    }

    /// Roughly the memory in use.
    pub(super) fn size_bytes(&self) -> usize {
        // Most keys have one session, for which a vector takes room for four.
        let open = self.keys.len() * 4 * size_of::<Session>();
        let slots = self.open.capacity() * size_of::<Vec<Session>>();
        self.keys.size_bytes() + open + slots + self.owners.capacity() * size_of::<Owner>()
    }

    fn intern(&mut self, keys: &[Lane], rows: usize) -> Result<Vec<u32>> {
        let mut row_keys = std::mem::take(&mut self.row_keys);
        self.keys.intern(keys, rows, &mut row_keys)?;
        self.open.resize_with(self.keys.capacity(), Vec::new);
        Ok(row_keys)
    }

    /// Places rows in their order. A row that touches no session and would make one that `closed`
    /// says is over is late.
    pub(super) fn assign(
        &mut self,
        keys: &[Lane],
        times: &[i64],
        closed: impl Fn(i64) -> bool,
    ) -> Result<Assigned> {
        let row_keys = self.intern(keys, times.len())?;
        self.batch += 1;
        let mut slots: Vec<Touched> = Vec::new();
        let mut rows = Vec::with_capacity(times.len());
        for (row, (key, time)) in row_keys.iter().zip(times).enumerate() {
            rows.push(self.place(*key, *time, row as u32, &closed, &mut slots));
        }
        // Keys that only late rows have mentioned.
        let idle: Vec<u32> = self
            .keys
            .created()
            .filter(|k| self.open[*k as usize].is_empty())
            .collect();
        self.keys.remove(&idle);
        self.row_keys = row_keys;
        Ok(self.resolve(slots, rows))
    }

    fn place(
        &mut self,
        key: u32,
        time: i64,
        row: u32,
        closed: &impl Fn(i64) -> bool,
        slots: &mut Vec<Touched>,
    ) -> u32 {
        let (reach_ms, batch) = (self.reach_ms, self.batch);
        let open = &mut self.open[key as usize];
        let found = open.iter().position(|s| s.reaches(time, time, reach_ms));
        let at = match found {
            Some(at) => at,
            None if closed(time) => return LATE,
            None => {
                open.push(Session {
                    start: time,
                    last: time,
                    group: NO_GROUP,
                    batch: 0,
                    slot: 0,
                });
                open.len() - 1
            }
        };
        let session = &mut open[at];
        session.start = session.start.min(time);
        session.last = session.last.max(time);
        if session.batch != batch {
            session.batch = batch;
            session.slot = slots.len() as u32;
            let group = Some(session.group).filter(|g| *g != NO_GROUP);
            slots.push(Touched {
                row,
                start: session.start,
                last: session.last,
                absorbed: group.into_iter().collect(),
                key,
                joined: None,
            });
        }
        let slot = session.slot;
        if open.len() > 1 {
            join(open, at, reach_ms, batch, slots);
        }
        slot
    }

    /// Leaves out slots that have joined others and says where they are now.
    fn resolve(&self, slots: Vec<Touched>, mut rows: Vec<u32>) -> Assigned {
        let mut target: Vec<u32> = (0..slots.len() as u32).collect();
        for (slot, target) in target.iter_mut().enumerate() {
            let mut end = slot;
            while let Some(next) = slots[end].joined {
                end = next as usize;
            }
            *target = end as u32;
        }
        let mut position = vec![LATE; slots.len()];
        let mut sessions = Vec::with_capacity(slots.len());
        for (slot, mut touched) in slots.into_iter().enumerate() {
            if touched.joined.is_some() {
                continue;
            }
            let mut own = self.open[touched.key as usize].iter();
            if let Some(session) = own.find(|s| s.batch == self.batch && s.slot as usize == slot) {
                touched.start = session.start;
                touched.last = session.last;
            }
            position[slot] = sessions.len() as u32;
            sessions.push(touched);
        }
        for row in &mut rows {
            if *row != LATE {
                *row = position[target[*row as usize] as usize];
            }
        }
        Assigned { sessions, rows }
    }

    /// Gives a touched session its group.
    pub(super) fn settle(&mut self, touched: &Touched, group: u32) {
        let sessions = &mut self.open[touched.key as usize];
        let mut own = sessions.iter_mut();
        if let Some(session) = own.find(|s| s.start == touched.start && s.batch == self.batch) {
            session.group = group;
        }
        self.own(group, touched.key);
    }

    fn own(&mut self, group: u32, key: u32) {
        if self.owners.len() <= group as usize {
            self.owners.resize(group as usize + 1, Owner::default());
        }
        let owner = &mut self.owners[group as usize];
        owner.key = key;
        owner.live = true;
    }

    /// Notes that a group no longer is a session of its own, since it has joined another.
    pub(super) fn release(&mut self, group: u32) {
        let owner = &mut self.owners[group as usize];
        owner.live = false;
        owner.generation += 1;
    }

    /// A new generation for a group's session: timers of the one before are void.
    pub(super) fn renew(&mut self, group: u32) -> u32 {
        let owner = &mut self.owners[group as usize];
        owner.generation += 1;
        owner.generation
    }

    /// The span of the group's session, if it still is the one of that generation.
    pub(super) fn span_of(&self, group: u32, generation: u32) -> Option<Span> {
        let owner = self.owners.get(group as usize)?;
        if !owner.live || owner.generation != generation {
            return None;
        }
        self.span(group)
    }

    /// The span of the group's session.
    pub(super) fn span(&self, group: u32) -> Option<Span> {
        let owner = self.owners.get(group as usize).filter(|o| o.live)?;
        let mut own = self.open[owner.key as usize].iter();
        let session = own.find(|s| s.group == group)?;
        Some(Span {
            start: session.start,
            last: session.last,
        })
    }

    /// Forgets the sessions of groups.
    pub(super) fn remove(&mut self, groups: &[u32]) {
        let mut idle = Vec::new();
        for group in groups {
            let key = self.owners[*group as usize].key;
            let open = &mut self.open[key as usize];
            open.retain(|s| s.group != *group);
            if open.is_empty() {
                idle.push(key);
            }
            self.release(*group);
        }
        self.keys.remove(&idle);
    }

    /// Puts restored sessions in place: their keys, spans and groups.
    pub(super) fn restore(&mut self, keys: &[Lane], spans: &[Span], groups: &[u32]) -> Result<()> {
        let row_keys = self.intern(keys, groups.len())?;
        for ((key, span), group) in row_keys.iter().zip(spans).zip(groups) {
            self.open[*key as usize].push(Session {
                start: span.start,
                last: span.last,
                group: *group,
                batch: 0,
                slot: 0,
            });
            self.own(*group, *key);
        }
        self.row_keys = row_keys;
        Ok(())
    }
}

/// Joins to the session at `at` the others of its key that it reaches by now.
fn join(open: &mut Vec<Session>, at: usize, reach_ms: i64, batch: u64, slots: &mut [Touched]) {
    let mut own = open[at];
    let mut other = 0;
    while other < open.len() {
        let found = open[other];
        let itself = found.batch == batch && found.slot == own.slot;
        if itself || !found.reaches(own.start, own.last, reach_ms) {
            other += 1;
            continue;
        }
        own.start = own.start.min(found.start);
        own.last = own.last.max(found.last);
        if found.batch == batch {
            let absorbed = std::mem::take(&mut slots[found.slot as usize].absorbed);
            slots[found.slot as usize].joined = Some(own.slot);
            slots[own.slot as usize].absorbed.extend(absorbed);
        } else {
            slots[own.slot as usize].absorbed.push(found.group);
        }
        open.swap_remove(other);
        // What was passed over may be within reach now.
        other = 0;
    }
    let same = |s: &&mut Session| s.batch == batch && s.slot == own.slot;
    if let Some(session) = open.iter_mut().find(same) {
        *session = own;
    }
}
