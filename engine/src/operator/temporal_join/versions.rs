//! Which version of a key counts at a time.

use hashbrown::HashMap;

use crate::operator::keyed_rows::{NONE, Side};

/// The versions of some keys in the order of their times; of those with one time the last to arrive is the last.
#[derive(Default)]
pub(super) struct Versions {
    /// By key: where its versions are.
    ranges: HashMap<u32, (usize, usize)>,
    all: Vec<Version>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    /// From when on it counts.
    pub(super) time: i64,
    id: u64,
    /// Its row.
    pub(super) row: u32,
    /// Whether there is a row, or none from here on.
    pub(super) exists: bool,
}

impl Versions {
    /// Those of a key.
    pub(super) fn of(&mut self, key: u32, side: &Side) -> &[Version] {
        let all = &mut self.all;
        let (from, to) = *self.ranges.entry(key).or_insert_with(|| {
            let from = all.len();
            all.extend(side.of_key(key).map(|row| {
                let entry = side.entry(row);
                Version {
                    time: entry.stamp,
                    id: entry.id,
                    row,
                    exists: entry.degree > 0,
                }
            }));
            if let Some(own) = all.get_mut(from..) {
                own.sort_unstable();
            }
            (from, all.len())
        });
        self.all.get(from..to).unwrap_or_default()
    }

    /// The row that a key has at a time, or has had just before if `earlier`; [`NONE`] if there is none.
    pub(super) fn at(&mut self, key: u32, time: i64, earlier: bool, side: &Side) -> u32 {
        let versions = self.of(key, side);
        let counts = |version: &Version| match earlier {
            true => version.time < time,
            false => version.time <= time,
        };
        let count = versions.partition_point(counts);
        match count.checked_sub(1).and_then(|last| versions.get(last)) {
            Some(version) if version.exists => version.row,
            _ => NONE,
        }
    }
}
