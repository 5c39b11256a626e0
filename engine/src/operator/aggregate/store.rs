//! Where the values of groups live: one growable column per lane, addressed by group.

use arrow::array::BinaryArray;
use arrow::buffer::{BooleanBuffer, NullBuffer};

use super::lane::{BytesBuilder, Lane, LaneKind, Values};
use crate::error::Result;

/// A column of values by group, each of which may be NULL.
#[derive(Debug)]
pub(crate) struct LaneStore {
    values: StoredValues,
    /// Whether the group's value is there.
    valid: Vec<bool>,
}

#[derive(Debug)]
enum StoredValues {
    I64(Vec<i64>),
    I128(Vec<i128>),
    Bytes(ByteStore),
}

impl LaneStore {
    pub(crate) fn new(kind: LaneKind) -> Self {
        let values = match kind {
            LaneKind::I64 => StoredValues::I64(Vec::new()),
            LaneKind::I128 => StoredValues::I128(Vec::new()),
            LaneKind::Bytes => StoredValues::Bytes(ByteStore::default()),
        };
        LaneStore {
            values,
            valid: Vec::new(),
        }
    }

    /// Makes room for groups `0..groups`; new ones hold NULL.
    pub(crate) fn resize(&mut self, groups: usize) {
        self.valid.resize(groups, false);
        match &mut self.values {
            StoredValues::I64(values) => values.resize(groups, 0),
            StoredValues::I128(values) => values.resize(groups, 0),
            StoredValues::Bytes(values) => values.spans.resize(groups, Span::default()),
        }
    }

    /// Sets the groups' values to those of the lane's rows; later pairs win.
    pub(crate) fn set(&mut self, lane: &Lane, pairs: impl Iterator<Item = (u32, usize)>) {
        let LaneStore { values, valid } = self;
        let is_valid = |row: usize| lane.nulls.as_ref().is_none_or(|n| n.is_valid(row));
        match (values, &lane.values) {
            (StoredValues::I64(stored), Values::I64(given)) => {
                for (group, row) in pairs {
                    stored[group as usize] = given[row];
                    valid[group as usize] = is_valid(row);
                }
            }
            (StoredValues::I128(stored), Values::I128(given)) => {
                for (group, row) in pairs {
                    stored[group as usize] = given[row];
                    valid[group as usize] = is_valid(row);
                }
            }
            (StoredValues::Bytes(stored), Values::Bytes(given)) => {
                for (group, row) in pairs {
                    stored.set(group as usize, given.value(row));
                    valid[group as usize] = is_valid(row);
                }
                stored.compact();
            }
            _ => debug_assert!(false, "a store and its rows have different lanes"),
        }
    }

    /// Makes the groups' values NULL.
    pub(crate) fn clear(&mut self, groups: &[u32]) {
        for group in groups {
            self.valid[*group as usize] = false;
            if let StoredValues::Bytes(values) = &mut self.values {
                values.release(*group as usize);
            }
        }
    }

    /// Whether the group has a value.
    pub(crate) fn is_valid(&self, group: u32) -> bool {
        self.valid[group as usize]
    }

    /// Whether the group's value is that of the lane's row; NULL equals NULL.
    pub(crate) fn equals(&self, group: u32, lane: &Lane, row: usize) -> bool {
        let group = group as usize;
        let valid = lane.nulls.as_ref().is_none_or(|n| n.is_valid(row));
        if valid != self.valid[group] {
            return false;
        }
        !valid
            || match (&self.values, &lane.values) {
                (StoredValues::I64(stored), Values::I64(given)) => stored[group] == given[row],
                (StoredValues::I128(stored), Values::I128(given)) => stored[group] == given[row],
                (StoredValues::Bytes(stored), Values::Bytes(given)) => {
                    stored.get(group) == given.value(row)
                }
                _ => false,
            }
    }

    /// Whether all rows of the lane equal the values of their groups.
    pub(crate) fn all_equal(&self, groups: &[u32], lane: &Lane) -> bool {
        if let (StoredValues::I64(stored), Values::I64(given), None) =
            (&self.values, &lane.values, &lane.nulls)
        {
            let pairs = groups.iter().zip(given.iter());
            return pairs.fold(true, |equal, (group, value)| {
                equal & (stored[*group as usize] == *value) & self.valid[*group as usize]
            });
        }
        let mut pairs = groups.iter().enumerate();
        pairs.all(|(row, group)| self.equals(*group, lane, row))
    }

    /// The groups' values as a lane.
    pub(crate) fn lane(&self, groups: &[u32]) -> Result<Lane> {
        let values = match &self.values {
            StoredValues::I64(stored) => {
                Values::I64(groups.iter().map(|g| stored[*g as usize]).collect())
            }
            StoredValues::I128(stored) => {
                Values::I128(groups.iter().map(|g| stored[*g as usize]).collect())
            }
            StoredValues::Bytes(stored) => Values::Bytes(stored.gather(groups)?),
        };
        let valid: BooleanBuffer = groups.iter().map(|g| self.valid[*g as usize]).collect();
        let nulls = NullBuffer::new(valid);
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        Ok(Lane { values, nulls })
    }

    /// Direct access for extremes of integers: values and whether they are there.
    pub(crate) fn integers(&mut self) -> Option<(&mut [i64], &mut [bool])> {
        match &mut self.values {
            StoredValues::I64(values) => Some((values, &mut self.valid)),
            _ => None,
        }
    }

    /// Direct access for extremes of decimals.
    pub(crate) fn decimals(&mut self) -> Option<(&mut [i128], &mut [bool])> {
        match &mut self.values {
            StoredValues::I128(values) => Some((values, &mut self.valid)),
            _ => None,
        }
    }

    /// The bytes of a group; `None` for NULL and for other lanes.
    pub(crate) fn bytes(&self, group: u32) -> Option<&[u8]> {
        match &self.values {
            StoredValues::Bytes(values) if self.valid[group as usize] => {
                Some(values.get(group as usize))
            }
            _ => None,
        }
    }

    /// Roughly the memory in use.
    pub(crate) fn size_bytes(&self) -> usize {
        let values = match &self.values {
            StoredValues::I64(values) => values.capacity() * 8,
            StoredValues::I128(values) => values.capacity() * 16,
            StoredValues::Bytes(values) => values.data.capacity() + values.spans.capacity() * 16,
        };
        values + self.valid.capacity()
    }
}

/// Byte strings in one buffer; replaced ones leave garbage, which is collected when it is half.
#[derive(Debug, Default)]
struct ByteStore {
    data: Vec<u8>,
    spans: Vec<Span>,
    garbage: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Span {
    start: usize,
    length: usize,
}

const COMPACT_BYTES: usize = 64 << 10;

impl ByteStore {
    fn get(&self, group: usize) -> &[u8] {
        let span = self.spans[group];
        &self.data[span.start..span.start + span.length]
    }

    fn set(&mut self, group: usize, value: &[u8]) {
        self.release(group);
        self.spans[group] = Span {
            start: self.data.len(),
            length: value.len(),
        };
        self.data.extend_from_slice(value);
    }

    fn release(&mut self, group: usize) {
        self.garbage += self.spans[group].length;
        self.spans[group] = Span::default();
    }

    fn compact(&mut self) {
        if self.garbage < COMPACT_BYTES || self.garbage * 2 < self.data.len() {
            return;
        }
        let mut data = Vec::with_capacity(self.data.len() - self.garbage);
        for span in &mut self.spans {
            let start = data.len();
            data.extend_from_slice(&self.data[span.start..span.start + span.length]);
            span.start = start;
        }
        self.data = data;
        self.garbage = 0;
    }

    fn gather(&self, groups: &[u32]) -> Result<BinaryArray> {
        let mut builder = BytesBuilder::with_capacity(groups.len());
        for group in groups {
            builder.push(self.get(*group as usize))?;
        }
        builder.finish()
    }
}
