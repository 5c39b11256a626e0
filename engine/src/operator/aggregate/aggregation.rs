//! Groups with their accumulators: one aggregation's working set.

mod partials;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Int64Type, UInt64Type};

use super::accumulator::{self, Accumulator, Rows};
use super::distinct::{Changes, DistinctSet, Event};
use super::extremes::Frontier;
use super::groups::GroupTable;
use super::lane::Lane;
use super::plan::{Call, Plan, SetPlan};
use super::tracker::Tracker;
use crate::error::{EngineError, Result};
use crate::graph::AggregateFunction;

/// The state of one aggregation: for a window operator of one slice, for a group operator of all.
pub(crate) struct Aggregation {
    pub(crate) plan: Arc<Plan>,
    pub(crate) groups: GroupTable,
    /// One per call.
    pub(super) accumulators: Vec<Box<dyn Accumulator>>,
    pub(super) sets: Vec<DistinctSet>,
    /// One per call that has to look for its value in keyed state.
    pub(super) frontiers: Vec<Frontier>,
    /// How many rows each group has; only where rows are taken back.
    pub(super) row_counts: Vec<i64>,
    /// When each group was last touched; only where groups expire.
    pub(super) stamps: Option<Vec<i64>>,
    pub(super) tracker: Tracker,
    /// What to delete from keyed state at the next barrier.
    pub(crate) deletes: super::persist::Deletes,
    /// A local phase remembers what came into its sets, to send it on.
    pending: Option<Vec<Pending>>,
    /// Scratch: where in the rows to be sent a group is.
    positions: Vec<usize>,
}

/// Picks calls.
pub(super) type CallFilter = fn(&Call) -> bool;

/// A value that a local phase has yet to send.
#[derive(Debug, Clone, Copy)]
struct Pending {
    set: usize,
    entry: u32,
    calls: u64,
}

/// Values of a set with their groups and the calls that they count for, as bits.
pub(super) struct Listed {
    pub(super) groups: Vec<u32>,
    pub(super) values: Lane,
    calls: Vec<u64>,
}

impl Aggregation {
    pub(crate) fn new(plan: Arc<Plan>) -> Result<Self> {
        let create = |c: &Call| accumulator::create(&c.call, plan.updating, c.fed_by_set);
        let accumulators = plan.calls.iter().map(create).collect::<Result<_>>()?;
        Ok(Aggregation {
            accumulators,
            frontiers: Frontier::of_plan(&plan),
            sets: plan.sets.iter().map(|s| Self::set(&plan, s)).collect(),
            groups: GroupTable::new(plan.key_codecs.iter().map(|c| c.kind())),
            row_counts: Vec::new(),
            stamps: None,
            tracker: Tracker::default(),
            deletes: Default::default(),
            pending: None,
            positions: Vec::new(),
            plan,
        })
    }

    fn set(plan: &Plan, set: &SetPlan) -> DistinctSet {
        let kind = plan.arguments[set.argument].1.kind();
        DistinctSet::new(kind, set.users.len(), plan.updating)
    }

    /// The aggregation of a local phase: it sends partial rows on and forgets what it has sent.
    pub(crate) fn local(plan: Arc<Plan>) -> Result<Self> {
        let mut aggregation = Self::new(plan)?;
        aggregation.pending = Some(Vec::new());
        Ok(aggregation)
    }

    /// Looks up the groups of key columns and makes room for the new ones.
    pub(crate) fn intern(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        let lanes = self.plan.encode_keys(keys)?;
        self.intern_lanes(&lanes, rows, groups)
    }

    pub(super) fn intern_lanes(
        &mut self,
        lanes: &[Lane],
        rows: usize,
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        self.groups.intern(lanes, rows, groups)?;
        let capacity = self.groups.capacity();
        for accumulator in &mut self.accumulators {
            accumulator.resize(capacity);
        }
        if self.plan.updating {
            self.row_counts.resize(capacity, 0);
        }
        if let Some(stamps) = &mut self.stamps {
            stamps.resize(capacity, i64::MIN);
        }
        self.tracker.resize(capacity);
        Ok(())
    }

    /// Takes rows of the raw input, which belong to `groups`.
    pub(crate) fn update(
        &mut self,
        rows: &RecordBatch,
        groups: &[u32],
        signs: Option<&[i64]>,
    ) -> Result<()> {
        if self.plan.updating {
            let rows = Rows {
                groups,
                valid: None,
                signs,
            };
            let counts = &mut self.row_counts;
            rows.for_each(|_, group, sign| counts[group] += sign);
        }
        let plan = self.plan.clone();
        let encode = |(column, codec): &(usize, super::lane::Codec)| {
            codec.encode_argument(rows.column(*column))
        };
        let arguments = plan.arguments.iter().map(encode);
        let arguments = arguments.collect::<Result<Vec<Lane>>>()?;
        let filters = plan.encode_filters(rows)?;
        for (position, call) in plan.plain() {
            let argument = call.argument.map(|a| &arguments[a]);
            let filter = call.filter.map(|f| &filters[f]);
            // A NULL is an element of an array.
            let counts_nulls = call.call.function == AggregateFunction::Collect;
            let values = argument.filter(|_| !counts_nulls).and_then(Lane::validity);
            let valid = both(values, filter);
            let rows = Rows {
                groups,
                valid: valid.as_ref(),
                signs,
            };
            self.accumulators[position].update(&rows, argument)?;
        }
        for (position, set) in plan.sets.iter().enumerate() {
            let argument = &arguments[set.argument];
            let mut bits = vec![0u64; groups.len()];
            for (bit, user) in set.users.iter().enumerate() {
                let filter = plan.calls[*user].filter.map(|f| &filters[f]);
                let valid = both(argument.validity(), filter);
                let rows = Rows {
                    groups,
                    valid: valid.as_ref(),
                    signs: None,
                };
                rows.for_each(|row, _, _| bits[row] |= 1 << bit);
            }
            self.absorb_rows(position, groups, argument, &bits, signs)?;
        }
        Ok(())
    }

    /// Puts raw or partial values into a set, leaving out rows that no call wants.
    fn absorb_rows(
        &mut self,
        set: usize,
        groups: &[u32],
        values: &Lane,
        bits: &[u64],
        signs: Option<&[i64]>,
    ) -> Result<()> {
        if bits.iter().all(|b| *b != 0) {
            let signs = signs.map(|s| s.to_vec());
            return self.absorb_wanted(set, groups, values, bits, signs);
        }
        let wanted = bits.iter().enumerate().filter(|(_, b)| **b != 0);
        let wanted: Vec<u32> = wanted.map(|(row, _)| row as u32).collect();
        let pick = |row: &u32| *row as usize;
        let groups: Vec<u32> = wanted.iter().map(|r| groups[pick(r)]).collect();
        let bits: Vec<u64> = wanted.iter().map(|r| bits[pick(r)]).collect();
        let signs = signs.map(|s| wanted.iter().map(|r| s[pick(r)]).collect());
        self.absorb_wanted(set, &groups, &values.take(&wanted)?, &bits, signs)
    }

    fn absorb_wanted(
        &mut self,
        set: usize,
        groups: &[u32],
        values: &Lane,
        bits: &[u64],
        signs: Option<Vec<i64>>,
    ) -> Result<()> {
        if !self.plan.updating {
            return self.absorb(set, groups, values, Changes::Bits(bits));
        }
        let users = self.plan.sets[set].users.len();
        let mut counts = Vec::with_capacity(bits.len() * users);
        for (row, bits) in bits.iter().enumerate() {
            let sign = signs.as_ref().map_or(1, |s| s[row]);
            counts.extend((0..users).map(|user| (bits >> user & 1) as i64 * sign));
        }
        self.absorb(set, groups, values, Changes::Counts(&counts))
    }

    /// Puts values into a set and hands what comes or goes to the calls' accumulators.
    pub(super) fn absorb(
        &mut self,
        set: usize,
        groups: &[u32],
        values: &Lane,
        changes: Changes<'_>,
    ) -> Result<()> {
        self.absorb_for(set, groups, values, changes, |_| true)
    }

    /// The same, for those calls only that have not accumulated the values yet.
    pub(super) fn absorb_for(
        &mut self,
        set: usize,
        groups: &[u32],
        values: &Lane,
        changes: Changes<'_>,
        wanted: CallFilter,
    ) -> Result<()> {
        let mut events = Vec::new();
        self.sets[set].absorb(groups, values, changes, &mut events)?;
        if let Some(pending) = &mut self.pending {
            let sent = self.sets[set].found();
            pending.extend(events.iter().map(|event| Pending {
                set,
                entry: sent[event.row as usize],
                calls: event.calls,
            }));
            return Ok(());
        }
        self.feed(set, groups, values, &events, wanted)
    }

    fn feed(
        &mut self,
        set: usize,
        groups: &[u32],
        values: &Lane,
        events: &[Event],
        wanted: CallFilter,
    ) -> Result<()> {
        for (bit, user) in self.plan.sets[set].users.iter().enumerate() {
            if !wanted(&self.plan.calls[*user]) {
                continue;
            }
            let own = events.iter().filter(|e| e.calls >> bit & 1 == 1);
            let (rows, signs): (Vec<u32>, Vec<i64>) = own.map(|e| (e.row, e.sign)).unzip();
            if rows.is_empty() {
                continue;
            }
            let of_rows: Vec<u32> = rows.iter().map(|r| groups[*r as usize]).collect();
            let rows_of_call = Rows {
                groups: &of_rows,
                valid: None,
                signs: Some(&signs),
            };
            let argument = values.take(&rows)?;
            self.accumulators[*user].update(&rows_of_call, Some(&argument))?;
        }
        Ok(())
    }

    /// Takes partial columns as [`Aggregation::partials`] gives them, a row for each of `groups`.
    pub(crate) fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        let mut rest = self.merge_plain(groups, partials)?;
        for set in 0..self.sets.len() {
            let [list, others @ ..] = rest else {
                return Err(EngineError::internal("partial rows lack a distinct set"));
            };
            self.merge_list(set, groups, list)?;
            rest = others;
        }
        Ok(())
    }

    /// Takes row counts and the columns of calls without a set; returns the columns behind.
    pub(super) fn merge_plain<'c>(
        &mut self,
        groups: &[u32],
        partials: &'c [ArrayRef],
    ) -> Result<&'c [ArrayRef]> {
        let mut rest = self.merge_row_counts(groups, partials)?;
        let plan = self.plan.clone();
        for (position, call) in plan.plain() {
            rest = self.merge_call(groups, rest, call.partials, Some(position))?;
        }
        Ok(rest)
    }

    /// Takes row counts and the columns of calls as keyed state has them: for each call that has
    /// written some, how many they are and whose they are now.
    pub(super) fn merge_stored(
        &mut self,
        groups: &[u32],
        columns: &[ArrayRef],
        calls: &[(usize, Option<usize>)],
    ) -> Result<()> {
        let mut rest = self.merge_row_counts(groups, columns)?;
        for (width, call) in calls {
            rest = self.merge_call(groups, rest, *width, *call)?;
        }
        Ok(())
    }

    fn merge_row_counts<'c>(
        &mut self,
        groups: &[u32],
        partials: &'c [ArrayRef],
    ) -> Result<&'c [ArrayRef]> {
        if !self.plan.updating {
            return Ok(partials);
        }
        let (counts, rest) = partials.split_first().ok_or_else(too_few)?;
        let counts = counts.as_primitive_opt::<Int64Type>().ok_or_else(too_few)?;
        for (group, count) in groups.iter().zip(counts.values()) {
            self.row_counts[*group as usize] += count;
        }
        Ok(rest)
    }

    fn merge_call<'c>(
        &mut self,
        groups: &[u32],
        columns: &'c [ArrayRef],
        width: usize,
        call: Option<usize>,
    ) -> Result<&'c [ArrayRef]> {
        let (own, rest) = columns.split_at_checked(width).ok_or_else(too_few)?;
        if let (Some(call), [_, ..]) = (call, own) {
            self.accumulators[call].merge(groups, own)?;
        }
        Ok(rest)
    }

    fn merge_list(&mut self, set: usize, groups: &[u32], list: &ArrayRef) -> Result<()> {
        let Listed {
            groups,
            values,
            calls,
        } = self.listed(set, groups, list)?;
        self.absorb_rows(set, &groups, &values, &calls, None)
    }

    /// The values of a set that came as lists, a row for each value.
    pub(super) fn listed(&self, set: usize, groups: &[u32], list: &ArrayRef) -> Result<Listed> {
        let malformed = || EngineError::internal("partial rows have a malformed distinct set");
        let list = list.as_list_opt::<i32>().ok_or_else(malformed)?;
        let mut of_values = Vec::with_capacity(list.values().len());
        for (group, ends) in groups.iter().zip(list.offsets().windows(2)) {
            let count = ends[1] - ends[0];
            of_values.resize(of_values.len() + count as usize, *group);
        }
        let first = list.offsets().first().copied().unwrap_or(0) as usize;
        let items = list.values().slice(first, of_values.len());
        let items = items.as_struct_opt().ok_or_else(malformed)?;
        let [values, calls] = items.columns() else {
            return Err(malformed());
        };
        let calls = calls
            .as_primitive_opt::<UInt64Type>()
            .ok_or_else(malformed)?;
        let argument = self.plan.sets[set].argument;
        Ok(Listed {
            groups: of_values,
            values: self.plan.arguments[argument].1.encode(values)?,
            calls: calls.values().to_vec(),
        })
    }

    /// Takes all that another aggregation of the same plan has accumulated for `groups` of it.
    pub(crate) fn merge_from(&mut self, other: &Aggregation, groups: &[u32]) -> Result<()> {
        let keys = other.groups.keys(groups)?;
        let mut own = Vec::new();
        self.intern_lanes(&keys, groups.len(), &mut own)?;
        self.merge_plain(&own, &other.plain_partials(groups)?)?;
        if self.sets.is_empty() {
            return Ok(());
        }
        let mut map = vec![u32::MAX; other.groups.capacity()];
        for (group, own) in groups.iter().zip(&own) {
            map[*group as usize] = *own;
        }
        for set in 0..self.sets.len() {
            let from = &other.sets[set];
            let mut entries = from.all();
            let (of_entries, _) = from.keys(&entries)?;
            let mut wanted = of_entries.iter().map(|g| map[*g as usize] != u32::MAX);
            entries.retain(|_| wanted.next().unwrap_or(false));
            let (of_entries, values) = from.keys(&entries)?;
            let of_entries: Vec<u32> = of_entries.iter().map(|g| map[*g as usize]).collect();
            match from.counts(&entries) {
                Some(counts) => {
                    self.absorb(set, &of_entries, &values, Changes::Counts(&counts))?;
                }
                None => {
                    let bits: Vec<u64> = entries.iter().map(|e| from.bits(*e)).collect();
                    self.absorb(set, &of_entries, &values, Changes::Bits(&bits))?;
                }
            }
        }
        Ok(())
    }

    /// The results of groups, a column per call.
    pub(crate) fn values(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        self.accumulators.iter().map(|a| a.values(groups)).collect()
    }

    /// The key columns of groups.
    pub(crate) fn keys(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        self.plan.decode_keys(self.groups.keys(groups)?)
    }

    /// Whether a group has rows: always, unless they can be taken back.
    #[inline]
    pub(crate) fn has_rows(&self, group: u32) -> bool {
        !self.plan.updating || self.row_counts[group as usize] > 0
    }

    /// The groups that have rows.
    pub(crate) fn present(&self) -> Vec<u32> {
        let mut groups = self.groups.groups();
        groups.retain(|g| self.has_rows(*g));
        groups
    }

    /// Forgets groups if there are any.
    pub(crate) fn remove_if_any(
        &mut self,
        groups: &[u32],
        place: &super::persist::Place,
    ) -> Result<()> {
        match groups {
            [] => Ok(()),
            groups => self.remove(groups, place),
        }
    }

    /// The groups that have changed since this was last asked.
    pub(crate) fn changed(&mut self) -> Vec<u32> {
        let mut groups = self.tracker.take();
        groups.retain(|g| self.groups.is_live(*g));
        groups
    }

    /// Marks groups as changed since the last barrier.
    pub(crate) fn mark(&mut self, groups: &[u32]) {
        for group in groups {
            self.tracker.mark(*group);
        }
    }

    /// Empties the accumulators of groups without forgetting their keys and sets.
    pub(crate) fn reset(&mut self, groups: &[u32]) {
        for accumulator in &mut self.accumulators {
            accumulator.reset(groups);
        }
        if self.plan.updating {
            for group in groups {
                self.row_counts[*group as usize] = 0;
            }
        }
    }

    /// Forgets everything; only for aggregations that keyed state knows nothing of.
    pub(crate) fn clear(&mut self) -> Result<()> {
        let local = self.pending.is_some();
        *self = Self::new(self.plan.clone())?;
        self.pending = local.then(Vec::new);
        Ok(())
    }

    /// Forgets the entries of a set that keyed state knows nothing of, and keeps what was
    /// accumulated of them.
    pub(super) fn forget_entries(&mut self, set: usize) {
        self.sets[set] = Self::set(&self.plan, &self.plan.sets[set]);
    }

    /// The number of entries of groups and sets together: what decides about memory.
    pub(crate) fn entries(&self) -> usize {
        self.groups.len() + self.sets.iter().map(DistinctSet::len).sum::<usize>()
    }

    /// Roughly the memory in use.
    pub(crate) fn size_bytes(&self) -> usize {
        let accumulators: usize = self.accumulators.iter().map(|a| a.size_bytes()).sum();
        let sets: usize = self.sets.iter().map(DistinctSet::size_bytes).sum();
        let frontiers: usize = self.frontiers.iter().map(Frontier::size_bytes).sum();
        self.groups.size_bytes() + accumulators + sets + frontiers
    }
}

fn too_few() -> EngineError {
    EngineError::internal("partial rows lack columns")
}

fn both(a: Option<&BooleanBuffer>, b: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a & b),
        (a, b) => a.or(b).cloned(),
    }
}

/// The sign of each row; `None` when all are inserts.
pub(crate) fn signs(kinds: Option<&arrow::array::UInt8Array>) -> Option<Vec<i64>> {
    let sign = |kind: &u8| match crate::element::RowKind::from_u8(*kind).is_retraction() {
        true => -1,
        false => 1,
    };
    let signs: Vec<i64> = kinds?.values().iter().map(sign).collect();
    signs.contains(&-1).then_some(signs)
}

/// Refuses retractions where the plan says there are none.
pub(crate) fn check_signs(plan: &Plan, signs: Option<&[i64]>) -> Result<()> {
    if plan.updating || signs.is_none() {
        return Ok(());
    }
    Err(EngineError::internal(
        "an aggregation planned for inserts got retractions",
    ))
}
