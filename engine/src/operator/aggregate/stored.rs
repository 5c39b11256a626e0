//! Reading rows of state in whatever layout they were written.

use arrow::array::ArrayRef;

use super::lane::{Codec, Lane};
use super::layout::{self, Layout, StoredSet};
use super::plan::Plan;
use super::rows::{damaged, take};
use crate::error::{EngineError, Result};
use crate::state::{Change, KeyedState, Order, TableId};

/// How many entries are deleted at a time.
const DELETE_ROWS: usize = if cfg!(test) { 3 } else { 1 << 13 };
/// Behind every key: one begins with the eight bytes of a slice or with a column, which begins with
/// 0 or 1.
const BEHIND_ALL: [u8; 9] = [0xFF; 9];

/// How the rows of an aggregation are written and read.
#[derive(Debug, Default)]
pub(crate) struct StoredRows {
    /// In front of every row that is written.
    prefix: Vec<u8>,
    /// The tables of the distinct sets.
    tables: Vec<TableId>,
    /// When groups of rows without a stamp count as touched.
    unstamped_ms: i64,
    /// By layout; rows are written as the last one says.
    readers: Vec<Reader>,
    /// Tables whose entries nobody wants any more.
    gone: Vec<TableId>,
    /// Sets that have lost calls, so that some of their entries nobody wants any more.
    narrowed: Vec<usize>,
}

/// Reads the rows of one layout.
#[derive(Debug)]
pub(super) struct Reader {
    id: u32,
    /// Whether a stamp stands in front.
    pub(super) stamped: bool,
    /// The columns of a group's row.
    pub(super) codecs: Vec<Codec>,
    /// For each call of the layout, how many columns it has, and whose they are now.
    pub(super) calls: Vec<(usize, Option<usize>)>,
    /// By the plan's sets: how their entries read.
    sets: Vec<Option<Members>>,
}

/// How the bits or counts of an entry map to the calls of the plan.
#[derive(Debug)]
struct Members {
    /// How many there are.
    width: usize,
    /// For each call of the plan's set, which of them is its.
    from: Vec<Option<usize>>,
    /// Whether they are the same ones in the same order.
    same: bool,
}

impl Members {
    fn new(set: &StoredSet, own: &StoredSet) -> Self {
        let place = |slot: &u32| set.calls.iter().position(|s| s == slot);
        let from: Vec<Option<usize>> = own.calls.iter().map(place).collect();
        let width = set.calls.len();
        let mut places = from.iter().enumerate();
        Members {
            same: from.len() == width && places.all(|(at, place)| *place == Some(at)),
            width,
            from,
        }
    }
}

impl StoredRows {
    /// How a plan that starts without state reads and writes rows.
    pub(super) fn fresh(plan: &Plan) -> Result<Self> {
        Self::new(plan, false, &[], 0)
    }

    /// How a plan reads and writes rows when it goes on from state with these layouts. `stamped` says
    /// whether its groups expire.
    pub(super) fn new(
        plan: &Plan,
        stamped: bool,
        restored: &[Layout],
        now_ms: i64,
    ) -> Result<Self> {
        let found = layout::continuity(plan, stamped, restored, now_ms)?;
        if let [reason, ..] = found.unusable.as_slice() {
            return Err(EngineError::checkpoint("the state is another operator's")
                .with_detail(reason.clone()));
        }
        let mut stored = Self::of_layouts(&found.layouts)?;
        let Some(own) = found.layouts.last() else {
            return Err(EngineError::internal("an aggregation without a layout"));
        };
        stored.unstamped_ms = own.stamped_since_ms.unwrap_or(now_ms);
        // An aggregation that has written as it does now has cleaned up then.
        let edited = restored.last().filter(|last| *last != own);
        for set in edited.iter().flat_map(|last| &last.sets) {
            match own.sets.iter().position(|s| s.table == set.table) {
                None => stored.gone.push(TableId(set.table)),
                Some(at) => {
                    let kept = |slot: &u32| own.sets[at].calls.contains(slot);
                    if !set.calls.iter().all(kept) {
                        stored.narrowed.push(at);
                    }
                }
            }
        }
        Ok(stored)
    }

    /// How rows of these layouts are read, the last of which is the one in which they are written.
    pub(super) fn of_layouts(layouts: &[Layout]) -> Result<Self> {
        let Some(own) = layouts.last() else {
            return Err(EngineError::internal("an aggregation without a layout"));
        };
        let readers = layouts.iter().map(|layout| Reader::new(layout, own));
        Ok(StoredRows {
            prefix: number(own.id),
            tables: own.sets.iter().map(|s| TableId(s.table)).collect(),
            readers: readers.collect::<Result<_>>()?,
            ..StoredRows::default()
        })
    }

    /// In front of every row that is written.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The table of a distinct set.
    pub(crate) fn table(&self, set: usize) -> Result<TableId> {
        let table = self.tables.get(set).copied();
        table.ok_or_else(|| EngineError::internal("a distinct set has no table"))
    }

    /// When groups of rows without a stamp count as touched.
    pub(super) fn unstamped_ms(&self) -> i64 {
        self.unstamped_ms
    }

    /// How rows are written.
    pub(super) fn own(&self) -> Result<&Reader> {
        let own = self.readers.last();
        own.ok_or_else(|| EngineError::internal("an aggregation without a layout"))
    }

    /// The reader at this position.
    pub(super) fn reader(&self, at: usize) -> Option<&Reader> {
        self.readers.get(at)
    }

    /// How many readers there are.
    pub(super) fn readers(&self) -> usize {
        self.readers.len()
    }

    fn find(&self, id: u32) -> Result<usize> {
        let found = self.readers.iter().rposition(|reader| reader.id == id);
        found.ok_or_else(damaged)
    }

    /// The position of the reader of a group's row, and the row behind its layout's number.
    pub(super) fn group_row<'r>(&self, row: &'r [u8]) -> Result<(usize, &'r [u8])> {
        match row.first() {
            // A row from before rows named their layout begins with its first column, if any.
            None | Some(0 | 1) => Ok((self.find(0)?, row)),
            Some(_) => {
                let mut rest = row;
                let id = take_number(&mut rest)?;
                Ok((self.find(id)?, rest))
            }
        }
    }

    /// When the group of a stored row was last touched; only of aggregations whose groups expire.
    pub(crate) fn stamp_of(&self, row: &[u8]) -> Result<i64> {
        let (reader, mut row) = self.group_row(row)?;
        if !self.readers[reader].stamped {
            return Ok(self.unstamped_ms);
        }
        match take::<1>(&mut row)? {
            [1] => Ok(i64::from_be_bytes(take(&mut row)?)),
            _ => Err(EngineError::state("a stored group lacks its stamp")),
        }
    }

    fn members<'r>(&self, set: usize, row: &'r [u8]) -> Result<(&Members, &'r [u8])> {
        let mut rest = row;
        // Bits and counts have 8 bytes each, and the numbers of layouts have fewer than that.
        let id = match row.len() % 8 {
            0 => 0,
            _ => take_number(&mut rest)?,
        };
        let reader = &self.readers[self.find(id)?];
        let members = reader.sets.get(set).and_then(Option::as_ref);
        Ok((members.ok_or_else(damaged)?, rest))
    }

    /// The calls of the set, as bits, that a stored entry counts for.
    pub(super) fn bits(&self, set: usize, row: &[u8]) -> Result<u64> {
        let (members, mut row) = self.members(set, row)?;
        let stored = u64::from_be_bytes(take(&mut row)?);
        if !row.is_empty() {
            return Err(damaged());
        }
        if members.same {
            return Ok(stored);
        }
        let bit = |(at, from): (usize, &Option<usize>)| match from {
            Some(from) => (stored >> from & 1) << at,
            None => 0,
        };
        Ok(members.from.iter().enumerate().map(bit).sum())
    }

    /// Adds the counts of a stored entry to `counts`, one for each call of the set; returns whether any
    /// of them is not 0.
    pub(super) fn counts(&self, set: usize, row: &[u8], counts: &mut Vec<i64>) -> Result<bool> {
        let (members, row) = self.members(set, row)?;
        let (values, []) = row.as_chunks::<8>() else {
            return Err(damaged());
        };
        if values.len() != members.width {
            return Err(damaged());
        }
        let first = counts.len();
        let count = |from: &Option<usize>| from.map_or(0, |at| i64::from_be_bytes(values[at]));
        counts.extend(members.from.iter().map(count));
        Ok(counts[first..].iter().any(|c| *c != 0))
    }

    /// How often a stored entry counts for the call at this position among those of its set.
    pub(super) fn count(&self, set: usize, user: usize, row: &[u8]) -> Result<i64> {
        let (members, row) = self.members(set, row)?;
        let (values, []) = row.as_chunks::<8>() else {
            return Err(damaged());
        };
        if values.len() != members.width {
            return Err(damaged());
        }
        let from = members.from.get(user).copied().flatten();
        Ok(from.map_or(0, |at| i64::from_be_bytes(values[at])))
    }

    /// What a stored group has accumulated for a call whose only column, an integer, is the last of
    /// the row in every layout.
    pub(crate) fn last_integer(&self, call: usize, row: &[u8]) -> Result<i64> {
        let (reader, row) = self.group_row(row)?;
        let value = row.last_chunk::<8>().copied();
        match self.readers[reader].calls.last() {
            Some((1, Some(last))) if *last == call => {
                value.map(i64::from_be_bytes).ok_or_else(damaged)
            }
            _ => Err(damaged()),
        }
    }

    /// Deletes what calls that are gone have left in their distinct sets.
    pub(crate) fn forget_gone(&self, plan: &Plan, state: &mut dyn KeyedState) -> Result<()> {
        for table in &self.gone {
            delete_where(state, *table, &|_| Ok(true))?;
        }
        for set in &self.narrowed {
            let empty = |row: &[u8]| match plan.updating {
                true => self.counts(*set, row, &mut Vec::new()).map(|any| !any),
                false => self.bits(*set, row).map(|bits| bits == 0),
            };
            delete_where(state, self.table(*set)?, &empty)?;
        }
        Ok(())
    }
}

/// Deletes entries of a table, so many at a time where they may not fit into memory.
fn delete_where(
    state: &mut dyn KeyedState,
    table: TableId,
    unwanted: &dyn Fn(&[u8]) -> Result<bool>,
) -> Result<()> {
    let range = state.key_groups();
    let mut found: Vec<(u16, Box<[u8]>)> = Vec::new();
    if !state.keeps() {
        state.scan(table, &mut |group, key, row| {
            if unwanted(row)? {
                found.push((group, key.into()));
            }
            Ok(())
        })?;
        return delete(state, table, &mut found);
    }
    for group in range.start..range.end {
        let mut from = Some(Vec::new());
        while let Some(start) = from.take() {
            let all = start.as_slice()..BEHIND_ALL.as_slice();
            state.scan_range(table, group, all, Order::Ascending, &mut |key, row| {
                if unwanted(row)? {
                    found.push((group, key.into()));
                }
                if found.len() >= DELETE_ROWS {
                    from = Some([key, &[0]].concat());
                }
                Ok(from.is_none())
            })?;
            delete(state, table, &mut found)?;
        }
    }
    Ok(())
}

fn delete(
    state: &mut dyn KeyedState,
    table: TableId,
    found: &mut Vec<(u16, Box<[u8]>)>,
) -> Result<()> {
    let mut changes = found.iter().map(|(group, key)| Change {
        group: *group,
        key,
        value: None,
    });
    state.apply(table, &mut changes)?;
    found.clear();
    Ok(())
}

impl Reader {
    fn new(layout: &Layout, own: &Layout) -> Result<Self> {
        let integer = || Codec::new(&arrow::datatypes::DataType::Int64);
        let mut codecs = Vec::new();
        if layout.stamped_since_ms.is_some() {
            codecs.push(integer()?);
        }
        if layout.updating {
            codecs.push(integer()?);
        }
        let mut calls = Vec::new();
        for call in &layout.calls {
            for column in &call.columns {
                codecs.push(Codec::new(&column.0)?);
            }
            let now = own.calls.iter().position(|c| c.slot == call.slot);
            calls.push((call.columns.len(), now));
        }
        let members = |set: &StoredSet| {
            let same = layout.sets.iter().find(|s| s.table == set.table);
            same.map(|stored| Members::new(stored, set))
        };
        Ok(Reader {
            id: layout.id,
            stamped: layout.stamped_since_ms.is_some(),
            codecs,
            calls,
            sets: own.sets.iter().map(members).collect(),
        })
    }

    /// The columns of rows.
    pub(super) fn decode(&self, lanes: Vec<Lane>) -> Result<Vec<ArrayRef>> {
        let columns = self.codecs.iter().zip(lanes);
        columns.map(|(codec, lane)| codec.decode(lane)).collect()
    }

    /// The lanes of columns.
    pub(super) fn encode(&self, columns: &[ArrayRef]) -> Result<Vec<Lane>> {
        let lanes = self.codecs.iter().zip(columns);
        lanes.map(|(codec, column)| codec.encode(column)).collect()
    }
}

/// A number in groups of seven bits, the least significant first.
fn number(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn take_number(bytes: &mut &[u8]) -> Result<u32> {
    let mut value = 0u32;
    for shift in (0..28).step_by(7) {
        let [byte] = take::<1>(bytes)?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(damaged())
}
