//! Key groups: how keyed rows find their subtask, and state its place.
//!
//! The hash of a key is stable over processes, machines and versions, because it decides where
//! checkpointed state belongs.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow::row::{RowConverter, SortField};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Result;

/// The unit in which keyed state is hashed, stored and moved.
pub type KeyGroup = u16;

/// The first 16 bytes of what stands behind each other, as a number in the order of these bytes. It decides
/// most comparisons of encoded keys without a look at them; bytes that are lacking count as zeros, so that
/// equal heads say nothing.
pub(crate) fn head(first: &[u8], rest: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let (before, behind) = bytes.split_at_mut(first.len().min(16));
    before.copy_from_slice(&first[..before.len()]);
    let length = behind.len().min(rest.len());
    behind[..length].copy_from_slice(&rest[..length]);
    u128::from_be_bytes(bytes)
}

const NULL_HASH: u64 = 0x9E37_79B9_7F4A_7C15;
const SEED: u64 = 0x51_7C_C1_B7_27_22_0A_95;

/// Hashes each row's key columns into `hashes` (one per row; resized to fit).
///
/// Integers hash by value whatever their width, strings and bytes by content; other types by their
/// row encoding. No column hashes every row alike.
pub fn hash_keys(columns: &[ArrayRef], rows: usize, hashes: &mut Vec<u64>) -> Result<()> {
    hashes.clear();
    hashes.resize(rows, SEED);
    columns
        .iter()
        .try_for_each(|column| hash_column(column, hashes))
}

fn hash_column(column: &ArrayRef, hashes: &mut [u64]) -> Result<()> {
    macro_rules! integers {
        ($type:ty) => {{
            let array = column.as_primitive::<$type>();
            each(column, hashes, |i| mix(i64::from(array.values()[i]) as u64));
        }};
    }
    match column.data_type() {
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::Utf8 => {
            let array = column.as_string::<i32>();
            each(column, hashes, |i| xxh3_64(array.value(i).as_bytes()));
        }
        DataType::Binary => {
            let array = column.as_binary::<i32>();
            each(column, hashes, |i| xxh3_64(array.value(i)));
        }
        other => {
            let converter = RowConverter::new(vec![SortField::new(other.clone())])?;
            let column = &canonical_floats(column);
            let rows = converter.convert_columns(std::slice::from_ref(column))?;
            each(column, hashes, |i| xxh3_64(rows.row(i).as_ref()));
        }
    }
    Ok(())
}

/// Floats that are equal as keys made the same: zeros, and what is no number.
pub(crate) fn canonical_floats(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float32 => {
            let canonical = |v: f32| if v.is_nan() { f32::NAN } else { v + 0.0 };
            Arc::new(
                column
                    .as_primitive::<Float32Type>()
                    .unary::<_, Float32Type>(canonical),
            )
        }
        DataType::Float64 => {
            let canonical = |v: f64| if v.is_nan() { f64::NAN } else { v + 0.0 };
            Arc::new(
                column
                    .as_primitive::<Float64Type>()
                    .unary::<_, Float64Type>(canonical),
            )
        }
        _ => Arc::clone(column),
    }
}

fn each(column: &ArrayRef, hashes: &mut [u64], hash: impl Fn(usize) -> u64) {
    let nulls = column.logical_nulls().filter(|n| n.null_count() > 0);
    for (i, slot) in hashes.iter_mut().enumerate() {
        let valid = nulls.as_ref().is_none_or(|n| n.is_valid(i));
        let value = if valid { hash(i) } else { NULL_HASH };
        *slot = combine(*slot, value);
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn combine(seed: u64, value: u64) -> u64 {
    (seed.rotate_left(5) ^ value).wrapping_mul(0xFF51_AFD7_ED55_8CCD)
}

/// The key group of a hash.
pub fn key_group(hash: u64, max_parallelism: u32) -> KeyGroup {
    // The high bits of the product choose the group, so the low bits stay free for hash tables.
    ((u128::from(mix(hash)) * u128::from(max_parallelism)) >> 64) as KeyGroup
}

/// The subtask that owns a key group.
pub fn owner(group: KeyGroup, max_parallelism: u32, parallelism: u32) -> u32 {
    u32::from(group) * parallelism / max_parallelism
}

/// A contiguous range of key groups, `start <= group < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyGroupRange {
    /// The first.
    pub start: KeyGroup,
    /// Behind the last.
    pub end: KeyGroup,
}

impl KeyGroupRange {
    /// Every group that a job can have, whatever its number of key groups.
    pub const EVERY: KeyGroupRange = KeyGroupRange {
        start: 0,
        end: KeyGroup::MAX,
    };

    /// All groups.
    pub fn all(max_parallelism: u32) -> Self {
        KeyGroupRange {
            start: 0,
            end: max_parallelism as KeyGroup,
        }
    }

    /// The groups that subtask `index` of `parallelism` owns.
    pub fn of_subtask(index: u32, parallelism: u32, max_parallelism: u32) -> Self {
        let first = |i: u32| (i * max_parallelism).div_ceil(parallelism) as KeyGroup;
        KeyGroupRange {
            start: first(index),
            end: first(index + 1),
        }
    }

    /// Whether the group is in the range.
    pub fn contains(&self, group: KeyGroup) -> bool {
        (self.start..self.end).contains(&group)
    }

    /// The groups that two ranges share.
    pub fn intersection(&self, other: &KeyGroupRange) -> KeyGroupRange {
        let start = self.start.max(other.start);
        KeyGroupRange {
            start,
            end: self.end.min(other.end).max(start),
        }
    }

    /// Whether two ranges share a group.
    pub fn overlaps(&self, other: &KeyGroupRange) -> bool {
        self.start < other.end && other.start < self.end
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::{Float32Array, Float64Array, Int32Array, Int64Array, StringArray};

    use super::*;

    #[test]
    fn ranges_and_owners_agree_for_every_parallelism() {
        for max in [1u32, 7, 128, 1000] {
            for parallelism in 1..=max.min(64) {
                for group in 0..max as KeyGroup {
                    let owner = owner(group, max, parallelism);
                    let range = KeyGroupRange::of_subtask(owner, parallelism, max);
                    assert!(range.contains(group), "{group} of {max} at {parallelism}");
                }
            }
        }
    }

    #[test]
    fn floats_that_are_equal_are_in_one_place() {
        let odd = f64::from_bits(f64::NAN.to_bits() | 5);
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN, odd, 1.0]));
        let mut hashes = vec![];
        hash_keys(&[zeros], 5, &mut hashes).unwrap();
        assert_eq!((hashes[0], hashes[2]), (hashes[1], hashes[3]));
        let small: ArrayRef = Arc::new(Float32Array::from(vec![-0.0, 0.0]));
        hash_keys(&[small], 2, &mut hashes).unwrap();
        assert_eq!(hashes[0], hashes[1]);
        assert_ne!(hashes[0], NULL_HASH);
    }

    #[test]
    fn hashes_are_stable_and_width_independent() {
        let narrow: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
        let wide: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let (mut a, mut b) = (vec![], vec![]);
        hash_keys(&[narrow], 2, &mut a).unwrap();
        hash_keys(&[wide], 2, &mut b).unwrap();
        assert_eq!(a, b);
        let text: ArrayRef = Arc::new(StringArray::from(vec!["levada"]));
        hash_keys(&[text], 1, &mut a).unwrap();
        // Checkpointed state lies where this says; a change of these numbers loses it.
        assert_eq!(
            (key_group(b[0], 128), key_group(a[0], 128)),
            (GOLDEN.0, GOLDEN.1)
        );
    }

    const GOLDEN: (KeyGroup, KeyGroup) = (81, 97);
}
