//! MIN and MAX over updating input of groups whose values are not all in memory.
//!
//! The values of such a call are the entries of its distinct set. Of a group that was taken up from
//! keyed state, those from the extreme on are in memory up to a *frontier*: no entry on disk that is
//! not in memory too comes before it. So the extreme is known as long as the best value in memory is
//! not behind the frontier; once the values in front have been taken back, the next ones are looked
//! up. Numbers are stored so that this is a search; strings are stored with their length in front,
//! and all entries of the group are read for the next one.

use std::cmp::Ordering;

use super::aggregation::Aggregation;
use super::lane::LaneKind;
use super::persist::{Place, SetLoader};
use super::plan::Plan;
use super::rows::EncodedRows;
use super::stored::StoredRows;
use crate::error::Result;
use crate::graph::AggregateFunction;
use crate::state::{KeyedState, Order, StatePlace};

/// How many values of a group are looked up at first; each further time it is four times as many.
const AHEAD: usize = if cfg!(test) { 1 } else { 4 };
/// The most that are looked up at a time.
const FAR_AHEAD: usize = 1 << 10;

/// How far the values of each group are known, for one call.
pub(super) struct Frontier {
    call: usize,
    set: usize,
    /// The call's position among those that share the set.
    user: usize,
    greatest: bool,
    kind: LaneKind,
    /// By group; of groups beyond the end all is known.
    known: Vec<Known>,
}

#[derive(Debug, Clone)]
enum Known {
    /// Every value is in memory.
    All,
    Nothing,
    /// All values up to this one, as keyed state has it.
    UpTo(Box<[u8]>),
}

/// Where the entries of a group lie, and how they read.
#[derive(Clone, Copy)]
struct Entries<'a> {
    state: &'a dyn KeyedState,
    stored: &'a StoredRows,
    place: StatePlace,
    key: &'a [u8],
}

/// Entries of a group on disk: keys and rows.
#[derive(Default)]
struct Found {
    entries: Vec<(Box<[u8]>, Box<[u8]>)>,
    /// The last value.
    last: Option<Box<[u8]>>,
}

impl Frontier {
    /// One for each call whose accumulated value keyed state does not have.
    pub(super) fn of_plan(plan: &Plan) -> Vec<Frontier> {
        let mut frontiers = Vec::new();
        for (set, users) in plan.sets.iter().enumerate() {
            for (user, call) in users.users.iter().enumerate() {
                let resolved = &plan.calls[*call];
                if !resolved.stored {
                    frontiers.push(Frontier {
                        call: *call,
                        set,
                        user,
                        greatest: resolved.call.function == AggregateFunction::Max,
                        kind: plan.arguments[users.argument].1.kind(),
                        known: Vec::new(),
                    });
                }
            }
        }
        frontiers
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.known.capacity() * 32
    }

    fn set(&mut self, group: u32, known: Known) {
        if self.known.len() <= group as usize {
            if matches!(known, Known::All) {
                return;
            }
            self.known.resize(group as usize + 1, Known::All);
        }
        self.known[group as usize] = known;
    }

    fn known(&self, group: u32) -> &Known {
        self.known.get(group as usize).unwrap_or(&Known::All)
    }

    /// Which of two values comes first on the way from the extreme.
    fn order(&self, a: &[u8], b: &[u8]) -> Ordering {
        // Behind the byte that says that there is a value.
        let order = match self.kind {
            LaneKind::I64 | LaneKind::I128 => {
                let sign = |v: &[u8]| v.get(1).map(|byte| byte ^ 0x80);
                sign(a)
                    .cmp(&sign(b))
                    .then_with(|| a.get(2..).cmp(&b.get(2..)))
            }
            LaneKind::Bytes => a.get(5..).cmp(&b.get(5..)),
        };
        match self.greatest {
            true => order.reverse(),
            false => order,
        }
    }

    /// Whether the value counts for the call.
    fn counts(&self, stored: &StoredRows, row: &[u8]) -> Result<bool> {
        Ok(stored.count(self.set, self.user, row)? > 0)
    }

    /// The next values of a group on disk behind the frontier.
    fn find(&self, entries: Entries<'_>, known: &Known, ahead: usize) -> Result<Found> {
        let from = match known {
            Known::UpTo(value) => Some(value.as_ref()),
            _ => None,
        };
        match self.kind {
            LaneKind::I64 | LaneKind::I128 => self.find_number(entries, from, ahead),
            LaneKind::Bytes => self.find_bytes(entries, from, ahead),
        }
    }

    /// Two's complement has the negative numbers behind the others; each half is in order.
    fn find_number(
        &self,
        entries: Entries<'_>,
        from: Option<&[u8]>,
        ahead: usize,
    ) -> Result<Found> {
        let (key, (table, group)) = (entries.key, entries.place);
        let others = (false, [key, &[1, 0]].concat(), [key, &[1, 0x80]].concat());
        let negative = (true, [key, &[1, 0x80]].concat(), [key, &[2]].concat());
        let (halves, order) = match self.greatest {
            true => ([others, negative], Order::Descending),
            false => ([negative, others], Order::Ascending),
        };
        let mut found = Found::default();
        let mut from = from;
        for (is_negative, mut first, mut behind) in halves {
            if let Some(value) = from {
                let of_value = value.get(1).is_some_and(|byte| byte & 0x80 != 0);
                if of_value != is_negative {
                    continue;
                }
                match order {
                    Order::Ascending => first = [key, value, &[0]].concat(),
                    Order::Descending => behind = [key, value].concat(),
                }
                from = None;
            }
            let range = first.as_slice()..behind.as_slice();
            let state = entries.state;
            state.scan_range(table, group, range, order, &mut |entry, row| {
                if self.counts(entries.stored, row)? {
                    found.last = Some(entry.get(key.len()..).unwrap_or_default().into());
                    found.entries.push((entry.into(), row.into()));
                }
                Ok(found.entries.len() < ahead)
            })?;
            if found.entries.len() >= ahead {
                break;
            }
        }
        Ok(found)
    }

    fn find_bytes(&self, entries: Entries<'_>, from: Option<&[u8]>, ahead: usize) -> Result<Found> {
        let (key, (table, group)) = (entries.key, entries.place);
        let value_of = |entry: &[u8]| entry.get(key.len()..).unwrap_or_default().to_vec();
        let mut nearest: Vec<(Vec<u8>, Box<[u8]>)> = Vec::new();
        let cut = |nearest: &mut Vec<(Vec<u8>, Box<[u8]>)>| {
            nearest.sort_unstable_by(|(a, _), (b, _)| self.order(a, b));
            nearest.truncate(ahead);
        };
        let state = entries.state;
        state.scan_prefix(table, group, key, &mut |entry, row| {
            let value = value_of(entry);
            let behind = from.is_none_or(|from| self.order(from, &value).is_lt());
            if behind && self.counts(entries.stored, row)? {
                nearest.push((value, row.into()));
                if nearest.len() >= (ahead * 2).max(64) {
                    cut(&mut nearest);
                }
            }
            Ok(())
        })?;
        cut(&mut nearest);
        let last = nearest.last().map(|(value, _)| value.as_slice().into());
        let found = nearest
            .into_iter()
            .map(|(value, row)| ([key, &value].concat().into(), row));
        Ok(Found {
            last,
            entries: found.collect(),
        })
    }
}

impl Aggregation {
    /// Notes which groups, new here, were taken up from keyed state, and looks up their extremes.
    pub(super) fn begin_extremes(
        &mut self,
        created: &[u32],
        found: &[u32],
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<()> {
        for frontier in &mut self.frontiers {
            for group in created {
                frontier.set(*group, Known::All);
            }
            for group in found {
                frontier.set(*group, Known::Nothing);
            }
        }
        self.settle_extremes(found, state, place)
    }

    /// Looks up the extremes of groups that have been taken back, if they are on disk.
    pub(crate) fn settle_extremes(
        &mut self,
        groups: &[u32],
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<()> {
        for at in 0..self.frontiers.len() {
            let mut open = groups.to_vec();
            open.retain(|group| !matches!(self.frontiers[at].known(*group), Known::All));
            let mut ahead = AHEAD;
            loop {
                open = self.without_known(at, open)?;
                if open.is_empty() {
                    break;
                }
                self.advance_frontier(at, &open, ahead, state, place)?;
                ahead = (ahead * 4).min(FAR_AHEAD);
            }
        }
        Ok(())
    }

    /// The groups whose best value in memory is behind the frontier, or that have none.
    fn without_known(&self, at: usize, groups: Vec<u32>) -> Result<Vec<u32>> {
        if groups.is_empty() {
            return Ok(groups);
        }
        let frontier = &self.frontiers[at];
        let argument = self.plan.sets[frontier.set].argument;
        let best = self.accumulators[frontier.call].values(&groups)?;
        let best = self.plan.arguments[argument].1.encode(&best)?;
        let best = EncodedRows::encode(&[best], groups.len(), |_| &[])?;
        let open = |(row, group): &(usize, &u32)| match frontier.known(**group) {
            Known::All => false,
            Known::Nothing => true,
            Known::UpTo(value) => match best.row(*row) {
                [1, ..] => frontier.order(best.row(*row), value).is_gt(),
                _ => true,
            },
        };
        let open = groups.iter().enumerate().filter(open);
        Ok(open.map(|(_, group)| *group).collect())
    }

    /// Takes up the next values of groups behind the frontier.
    fn advance_frontier(
        &mut self,
        at: usize,
        groups: &[u32],
        ahead: usize,
        state: &dyn KeyedState,
        place: &Place,
    ) -> Result<()> {
        let (keys, key_groups) = self.encoded_keys(groups, None, place)?;
        let set = self.frontiers[at].set;
        let mut loader = SetLoader::of_missing(self, set);
        let plan = self.plan.clone();
        let table = plan.stored.table(set)?;
        for (row, group) in groups.iter().enumerate() {
            let frontier = &self.frontiers[at];
            let entries = Entries {
                state,
                stored: &plan.stored,
                place: (table, key_groups[row]),
                key: keys.row(row),
            };
            let found = frontier.find(entries, frontier.known(*group), ahead)?;
            for (key, value) in &found.entries {
                let key = key.get(place.prefix.len()..).unwrap_or_default();
                loader.push(self, key, value)?;
            }
            let known = found.last.map_or(Known::All, Known::UpTo);
            self.frontiers[at].set(*group, known);
        }
        loader.flush(self)
    }
}
