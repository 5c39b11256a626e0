//! `ARRAY_AGG`, and `FIRST_VALUE` and `LAST_VALUE` over rows that may be taken back: all values as they came.
//!
//! Of equal values, the one that came first is taken back. What is taken back before it came is owed: it goes
//! when it comes. With DISTINCT, a value stands where the first of those that are there stands.
//!
//! A group is kept as one row of bytes: its values in their order, each as [`rows`](super::super::rows) writes
//! it, then those that are owed, each behind a byte of 2.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef};

use super::{Accumulator, Rows, unsupported};
use crate::error::{EngineError, Result};
use crate::graph::{AggregateCall, AggregateFunction};
use crate::operator::aggregate::lane::{BytesBuilder, Codec, Lane, LaneKind};
use crate::operator::aggregate::rows::{EncodedRows, RowsDecoder, split_value};

/// In front of a value that is owed.
const OWED: u8 = 2;
/// Roughly what a value takes beside its bytes, twice in trees.
const ENTRY_BYTES: usize = 96;

/// A value as bytes.
type Value = Arc<[u8]>;

/// The values of each group.
pub(super) struct History {
    call: AggregateCall,
    codec: Codec,
    /// The field of the elements, if the result is an array.
    item: Option<FieldRef>,
    /// Whether equal values need not be kept.
    once: bool,
    groups: Vec<Group>,
    /// Those of all groups.
    bytes: usize,
}

#[derive(Debug, Clone, Default)]
struct Group {
    /// By the number in which they came.
    values: BTreeMap<u64, Value>,
    /// The numbers of each value.
    places: BTreeSet<(Value, u64)>,
    /// What was taken back before it came, and how often.
    owed: BTreeMap<Value, u64>,
}

impl Group {
    /// The number of the first of the values that are equal to this one.
    fn place(&self, value: &Value) -> Option<u64> {
        let range = (Arc::clone(value), 0)..=(Arc::clone(value), u64::MAX);
        self.places.range(range).next().map(|(_, number)| *number)
    }

    /// Adds a value; returns by how many bytes the group has grown and shrunk.
    fn add(&mut self, value: &[u8], once: bool) -> (usize, usize) {
        if let Some(times) = self.owed.get_mut(value) {
            *times -= 1;
            if *times > 0 {
                return (0, 0);
            }
            self.owed.remove(value);
            return (0, value.len() + ENTRY_BYTES);
        }
        let value: Value = value.into();
        if once && self.place(&value).is_some() {
            return (0, 0);
        }
        let last = self.values.last_key_value();
        let number = last.map_or(0, |(number, _)| number + 1);
        let grown = value.len() + ENTRY_BYTES;
        self.places.insert((Arc::clone(&value), number));
        self.values.insert(number, value);
        (grown, 0)
    }

    /// Takes a value back; returns by how many bytes the group has grown and shrunk.
    fn take_back(&mut self, value: &[u8]) -> (usize, usize) {
        let bytes = value.len() + ENTRY_BYTES;
        let value: Value = value.into();
        let Some(number) = self.place(&value) else {
            let times = self.owed.entry(value).or_default();
            *times += 1;
            return (if *times == 1 { bytes } else { 0 }, 0);
        };
        self.values.remove(&number);
        self.places.remove(&(value, number));
        (0, bytes)
    }

    /// The values in their order, of equal ones the first if they are to be distinct.
    fn in_order(&self, distinct: bool) -> Vec<&Value> {
        if !distinct {
            return self.values.values().collect();
        }
        let mut seen = HashSet::new();
        let mut values: Vec<&Value> = self.values.values().collect();
        values.retain(|value| seen.insert(*value));
        values
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        for value in self.values.values() {
            out.extend_from_slice(value);
        }
        for (value, times) in &self.owed {
            for _ in 0..*times {
                out.push(OWED);
                out.extend_from_slice(value);
            }
        }
    }
}

impl History {
    pub(super) fn new(call: &AggregateCall, updating: bool) -> Result<Self> {
        let codec = Codec::new(&call.argument_type.0)?;
        let item = match (call.function, &call.result_type.0) {
            (AggregateFunction::Collect, DataType::List(item))
                if item.data_type() == codec.data_type() =>
            {
                Some(Arc::clone(item))
            }
            (AggregateFunction::FirstValue | AggregateFunction::LastValue, result)
                if result == codec.data_type() =>
            {
                None
            }
            _ => return Err(unsupported(call)),
        };
        Ok(History {
            call: call.clone(),
            once: call.distinct && !updating,
            codec,
            item,
            groups: Vec::new(),
            bytes: 0,
        })
    }

    fn change(&mut self, group: usize, value: &[u8], sign: i64) {
        let group = &mut self.groups[group];
        let (grown, shrunk) = match sign > 0 {
            true => group.add(value, self.once),
            false => group.take_back(value),
        };
        self.bytes = (self.bytes + grown).saturating_sub(shrunk);
    }

    fn decoded(&self, values: RowsDecoder) -> Result<ArrayRef> {
        let lane = values.finish()?.pop();
        let lane = lane.ok_or_else(|| EngineError::internal("a decoder without a column"))?;
        self.codec.decode(lane)
    }

    fn arrays(&self, groups: &[u32], item: &FieldRef) -> Result<ArrayRef> {
        let mut elements = RowsDecoder::new([&self.codec]);
        let mut offsets = vec![0i32];
        let mut count = 0usize;
        let mut present = Vec::with_capacity(groups.len());
        for group in groups {
            let values = self.groups[*group as usize].in_order(self.call.distinct);
            for value in &values {
                elements.push_all(value)?;
            }
            present.push(!values.is_empty());
            count += values.len();
            offsets.push(i32::try_from(count).map_err(|_| too_many(&self.call))?);
        }
        let nulls = NullBuffer::from(present);
        Ok(Arc::new(ListArray::try_new(
            Arc::clone(item),
            OffsetBuffer::new(offsets.into()),
            self.decoded(elements)?,
            (nulls.null_count() > 0).then_some(nulls),
        )?))
    }
}

impl Accumulator for History {
    fn resize(&mut self, groups: usize) {
        self.groups.resize_with(groups, Group::default);
    }

    fn update(&mut self, rows: &Rows<'_>, argument: Option<&Lane>) -> Result<()> {
        let lane = argument.ok_or_else(|| unsupported(&self.call))?;
        let lanes = std::slice::from_ref(lane);
        let values = EncodedRows::encode(lanes, rows.groups.len(), |_| &[])?;
        rows.for_each(|row, group, sign| self.change(group, values.row(row), sign));
        Ok(())
    }

    fn merge(&mut self, groups: &[u32], partials: &[ArrayRef]) -> Result<()> {
        let kept = partials.first().and_then(|c| c.as_binary_opt::<i32>());
        let kept = kept.ok_or_else(|| unsupported(&self.call))?;
        let kind: LaneKind = self.codec.kind();
        for (group, bytes) in groups.iter().zip(kept) {
            let mut bytes = bytes.unwrap_or_default();
            while let Some(first) = bytes.first() {
                let sign = if *first == OWED { -1 } else { 1 };
                let (value, rest) = split_value(kind, &bytes[usize::from(sign < 0)..])?;
                self.change(*group as usize, value, sign);
                bytes = rest;
            }
        }
        Ok(())
    }

    fn partials(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut rows = BytesBuilder::with_capacity(groups.len());
        let mut row = Vec::new();
        for group in groups {
            self.groups[*group as usize].write(&mut row);
            rows.push(&row)?;
        }
        let rows: BinaryArray = rows.finish()?;
        Ok(vec![Arc::new(rows)])
    }

    fn values(&self, groups: &[u32]) -> Result<ArrayRef> {
        if let Some(item) = &self.item {
            return self.arrays(groups, item);
        }
        let first = self.call.function == AggregateFunction::FirstValue;
        let mut values = RowsDecoder::new([&self.codec]);
        for group in groups {
            let group = &self.groups[*group as usize];
            let value = match first {
                true => group.values.values().next(),
                false => group.values.values().next_back(),
            };
            values.push_all(value.map_or(&[0], |value| value.as_ref()))?;
        }
        self.decoded(values)
    }

    fn reset(&mut self, groups: &[u32]) {
        for group in groups {
            let group = std::mem::take(&mut self.groups[*group as usize]);
            let kept = group.values.values().chain(group.owed.keys());
            let bytes: usize = kept.map(|value| value.len() + ENTRY_BYTES).sum();
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    fn size_bytes(&self) -> usize {
        self.bytes + self.groups.capacity() * size_of::<Group>()
    }
}

fn too_many(call: &AggregateCall) -> EngineError {
    EngineError::data(format!("{} has more than 2147483647 elements", call.name))
}
