//! Rows by key in keyed state.
//!
//! Tables 1 and 2 hold the rows of the first and of the second input, those from 5 on what other inputs there are. A key is the key columns followed by the
//! row's id, a value is a byte that says how it is written, the number of partners, when the row last changed,
//! and the columns that are not in the key. Table 3 has for each key group the next id.

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;

use super::side::{Arrival, Side};
use super::{Kept, Keys};
use crate::element::rows_of;
use crate::error::{EngineError, Result};
use crate::graph::MOST_JOINED;
use crate::key::KeyGroup;
use crate::operator::aggregate::groups::GroupTable;
use crate::operator::aggregate::lane::{Codec, Lane, LaneKind};
use crate::operator::aggregate::persist::{in_order, key_groups};
use crate::operator::aggregate::rows::{EncodedRows, RowsDecoder, split_value};
use crate::state::{Change, ChangeSource, KeyedState, TableId};

/// The rows of the inputs. 0, 3 and 4 are taken by what else an operator remembers.
pub(in crate::operator) const ROWS: [TableId; MOST_JOINED] = [
    TableId(1),
    TableId(2),
    TableId(5),
    TableId(6),
    TableId(7),
    TableId(8),
    TableId(9),
    TableId(10),
];
/// The next id of each key group.
const IDS: TableId = TableId(3);
/// How values are written.
const VERSION: u8 = 1;
/// How many rows are encoded at a time.
const SAVE_ROWS: usize = if cfg!(test) { 3 } else { 1 << 13 };
/// How many rows are decoded at a time.
const LOAD_ROWS: usize = if cfg!(test) { 3 } else { 1 << 13 };

impl Keys {
    /// Encoded keys, with their key groups: those of rows if there are ids.
    pub(in crate::operator) fn encoded(
        &self,
        keys: &[u32],
        ids: Option<Vec<i64>>,
    ) -> Result<(EncodedRows, Vec<KeyGroup>)> {
        let mut lanes = self.table.keys(keys)?;
        let columns = lanes.iter().zip(&self.codecs);
        let columns: Vec<ArrayRef> = columns
            .map(|(lane, codec)| codec.decode(lane.clone()))
            .collect::<Result<_>>()?;
        let groups = key_groups(&columns, keys.len(), self.max_parallelism)?;
        lanes.extend(ids.map(Lane::integers));
        Ok((EncodedRows::encode(&lanes, keys.len(), |_| &[])?, groups))
    }
}

impl Kept {
    /// Writes what has changed since the last call.
    pub(in crate::operator) fn save(&mut self) -> Result<()> {
        self.deletes.apply(self.state.as_mut())?;
        for (side, table) in self.sides.iter_mut().zip(ROWS) {
            let dirty = side.take_dirty();
            if dirty.is_empty() {
                continue;
            }
            let of_row = |row: &u32| side.entry(*row).key;
            let keys: Vec<u32> = dirty.iter().map(of_row).collect();
            let ids = dirty.iter().map(|row| side.entry(*row).id as i64).collect();
            let (keys, groups) = self.keys.encoded(&keys, Some(ids))?;
            let mut changes = RowChanges {
                order: in_order(&keys, &groups, 0),
                side,
                rows: &dirty,
                keys: &keys,
                groups: &groups,
            };
            self.state.apply(table, &mut changes)?;
            dirty.iter().for_each(|row| side.persisted(*row));
        }
        self.ids.save(self.state.as_mut())
    }

    /// Encodes what is gone, for the next barrier at the latest, and forgets keys without rows.
    pub(in crate::operator) fn settle(&mut self) -> Result<()> {
        let mut emptied: Vec<u32> = Vec::new();
        for (side, table) in self.sides.iter_mut().zip(ROWS) {
            emptied.append(&mut side.emptied);
            let (keys, ids): (Vec<u32>, Vec<u64>) = side.gone.drain(..).unzip();
            if keys.is_empty() {
                continue;
            }
            let ids = ids.into_iter().map(|id| id as i64).collect();
            let (keys, groups) = self.keys.encoded(&keys, Some(ids))?;
            self.deletes.extend(table, &groups, &keys);
        }
        emptied.append(&mut self.keys.unsure);
        emptied.sort_unstable();
        emptied.dedup();
        emptied.retain(|key| self.sides.iter().all(|side| !side.has(*key)));
        if self.overflowed() && !emptied.is_empty() {
            // At once: otherwise rows could be taken up again when their key comes again.
            self.deletes.apply(self.state.as_mut())?;
        }
        self.keys.table.remove(&emptied);
        Ok(())
    }

    /// Takes up all rows that keyed state has.
    pub(in crate::operator) fn load_all(&mut self) -> Result<()> {
        for (side, table) in self.sides.iter_mut().zip(ROWS) {
            let mut loader = Loader::new(side);
            let keys = &mut self.keys.table;
            self.state.scan(table, &mut |_, key, value| {
                loader.push(side, keys, key, value)
            })?;
            loader.flush(side, keys)?;
        }
        self.make_place();
        Ok(())
    }

    /// Takes up the rows that keyed state has of some keys, which have none in memory.
    pub(in crate::operator) fn load(&mut self, keys: &[u32]) -> Result<()> {
        let (encoded, groups) = self.keys.encoded(keys, None)?;
        let order = in_order(&encoded, &groups, 0);
        for (side, table) in self.sides.iter_mut().zip(ROWS) {
            side.resize(self.keys.table.capacity());
            let mut loader = Loader::new(side);
            let numbers = &mut self.keys.table;
            for at in &order {
                let (group, prefix) = (groups[*at as usize], encoded.row(*at as usize));
                self.state
                    .scan_prefix(table, group, prefix, &mut |key, value| {
                        loader.push(side, numbers, key, value)
                    })?;
            }
            loader.flush(side, numbers)?;
        }
        Ok(())
    }
}

impl Kept {
    /// Takes up the rows of a key group with a stamp of `before` or earlier, none of which is in memory; returns
    /// the earliest stamp of the others.
    pub(super) fn load_due(&mut self, group: KeyGroup, before: i64) -> Result<i64> {
        let mut later = i64::MAX;
        for (side, table) in self.sides.iter_mut().zip(ROWS) {
            let mut loader = Loader::new(side);
            let keys = &mut self.keys.table;
            self.state
                .scan_prefix(table, group, &[], &mut |key, value| {
                    let stamp = stamp_of(value)?;
                    if stamp <= before {
                        return loader.push(side, keys, key, value);
                    }
                    later = later.min(stamp);
                    Ok(())
                })?;
            loader.flush(side, keys)?;
        }
        self.make_place();
        Ok(later)
    }
}

/// Rows that have changed.
struct RowChanges<'a> {
    side: &'a mut Side,
    rows: &'a [u32],
    keys: &'a EncodedRows,
    groups: &'a [KeyGroup],
    order: Vec<u32>,
}

impl ChangeSource for RowChanges<'_> {
    fn each(&mut self, take: &mut dyn FnMut(Change<'_>) -> Result<()>) -> Result<()> {
        for part in self.order.chunks(SAVE_ROWS) {
            let rows: Vec<u32> = part.iter().map(|at| self.rows[*at as usize]).collect();
            let columns = self.side.rows.gather(&rows)?;
            let entries = rows.iter().map(|row| self.side.entry(*row));
            let (degrees, stamps) = entries.map(|e| (i64::from(e.degree), e.stamp)).unzip();
            let mut lanes = vec![Lane::integers(degrees), Lane::integers(stamps)];
            lanes.extend(self.side.other_lanes(&columns)?);
            let values = EncodedRows::encode(&lanes, rows.len(), |_| &[VERSION])?;
            for (row, at) in part.iter().enumerate() {
                let at = *at as usize;
                take(Change {
                    group: self.groups[at],
                    key: self.keys.row(at),
                    value: Some(values.row(row)),
                })?;
            }
        }
        Ok(())
    }
}

/// The stamp of a stored row.
pub(in crate::operator) fn stamp_of(value: &[u8]) -> Result<i64> {
    let (_degree, rest) = split_value(LaneKind::I64, unversioned(value)?)?;
    let (stamp, _columns) = split_value(LaneKind::I64, rest)?;
    let stamp = stamp.last_chunk().copied().map(i64::from_be_bytes);
    Ok(stamp.unwrap_or_default())
}

fn unversioned(value: &[u8]) -> Result<&[u8]> {
    match value.split_first() {
        Some((&VERSION, rest)) => Ok(rest),
        _ => Err(EngineError::state("a row is written in an unknown way")
            .with_hint("the state is of a later release, or damaged; restore another checkpoint")),
    }
}

fn integers(lane: Option<Lane>) -> Result<Vec<i64>> {
    let lane = lane.ok_or_else(|| EngineError::internal("a stored row lacks a column"))?;
    let codec = Codec::new(&arrow::datatypes::DataType::Int64)?;
    let column = codec.decode(lane)?;
    let column = column.as_primitive::<Int64Type>();
    Ok(column.values().to_vec())
}

/// Reads rows back, some thousand at a time.
struct Loader {
    keys: RowsDecoder,
    values: RowsDecoder,
    count: usize,
}

impl Loader {
    fn new(side: &Side) -> Self {
        let number = [LaneKind::I64];
        let keys = side.key_codecs.iter().map(Codec::kind);
        let values = side.other_codecs.iter().map(Codec::kind);
        Loader {
            keys: RowsDecoder::of_kinds(keys.chain(number)),
            values: RowsDecoder::of_kinds(number.into_iter().chain(number).chain(values)),
            count: 0,
        }
    }

    fn push(
        &mut self,
        side: &mut Side,
        keys: &mut GroupTable,
        key: &[u8],
        value: &[u8],
    ) -> Result<()> {
        self.keys.push_all(key)?;
        self.values.push_all(unversioned(value)?)?;
        self.count += 1;
        match self.count >= LOAD_ROWS {
            true => self.flush(side, keys),
            false => Ok(()),
        }
    }

    fn flush(&mut self, side: &mut Side, keys: &mut GroupTable) -> Result<()> {
        let Loader {
            keys: read_keys,
            values,
            count,
        } = std::mem::replace(self, Loader::new(side));
        if count == 0 {
            return Ok(());
        }
        let mut key_lanes = read_keys.finish()?;
        let ids = integers(key_lanes.pop())?;
        let mut lanes = values.finish()?;
        let others = lanes.split_off(2);
        let stamps = integers(lanes.pop())?;
        let degrees = integers(lanes.pop())?;
        let mut numbers = Vec::new();
        keys.intern(&key_lanes, count, &mut numbers)?;
        side.resize(keys.capacity());
        let rows = batch_of(side, key_lanes, others, count)?;
        let contents = side.contents_of(&rows)?;
        let all: Vec<u32> = (0..count as u32).collect();
        let places = side.add(&rows, &all, &contents)?;
        for (at, place) in places.into_iter().enumerate() {
            let degree = u32::try_from(degrees[at]);
            let degree =
                degree.map_err(|_| EngineError::state("a stored row counts wrong partners"))?;
            side.link(
                place,
                Arrival {
                    key: numbers[at],
                    degree,
                    id: ids[at] as u64,
                    stamp: stamps[at],
                },
            );
            side.persisted(place);
        }
        Ok(())
    }
}

/// Rows from the lanes of their keys and other columns.
fn batch_of(side: &Side, keys: Vec<Lane>, others: Vec<Lane>, count: usize) -> Result<RecordBatch> {
    let schema = side.rows.schema();
    let mut columns: Vec<Option<ArrayRef>> = vec![None; schema.fields().len()];
    let keys = side.keys.iter().zip(&side.key_codecs).zip(keys);
    let others = side.others.iter().zip(&side.other_codecs).zip(others);
    for ((column, codec), lane) in keys.chain(others) {
        columns[*column] = Some(codec.decode(lane)?);
    }
    let columns: Option<Vec<ArrayRef>> = columns.into_iter().collect();
    let columns = columns.ok_or_else(|| EngineError::internal("a stored row lacks a column"))?;
    rows_of(schema, columns, count)
}

/// The next id of each key group.
pub(in crate::operator) struct Ids {
    first: KeyGroup,
    next: Vec<u64>,
    dirty: Vec<bool>,
}

impl Ids {
    /// As keyed state says.
    pub(in crate::operator) fn restore(state: &dyn KeyedState) -> Result<Self> {
        let range = state.key_groups();
        let count = usize::from(range.end.saturating_sub(range.start));
        let mut next = vec![0; count];
        state.scan(IDS, &mut |group, _, value| {
            let place = usize::from(group.wrapping_sub(range.start));
            if let (Some(slot), Ok(bytes)) = (next.get_mut(place), value.try_into()) {
                *slot = u64::from_be_bytes(bytes);
            }
            Ok(())
        })?;
        Ok(Ids {
            first: range.start,
            dirty: vec![false; count],
            next,
        })
    }

    /// An id that no row of the key group has had.
    pub(in crate::operator) fn next(&mut self, group: KeyGroup) -> Result<u64> {
        let place = usize::from(group.wrapping_sub(self.first));
        let (Some(next), Some(dirty)) = (self.next.get_mut(place), self.dirty.get_mut(place))
        else {
            return Err(EngineError::internal(format!(
                "a row of key group {group} came to another subtask"
            )));
        };
        *dirty = true;
        *next += 1;
        Ok(*next - 1)
    }

    fn save(&mut self, state: &mut dyn KeyedState) -> Result<()> {
        let groups = (self.first..).zip(&self.next).zip(&self.dirty);
        let changed = groups.filter(|(_, dirty)| **dirty);
        let changed: Vec<(KeyGroup, [u8; 8])> = changed
            .map(|((group, next), _)| (group, next.to_be_bytes()))
            .collect();
        let mut changes = changed.iter().map(|(group, next)| Change {
            group: *group,
            key: &[],
            value: Some(next),
        });
        state.apply(IDS, &mut changes)?;
        self.dirty.fill(false);
        Ok(())
    }
}
