//! Rows in order, by number.

use smallvec::{SmallVec, smallvec};

use super::order::Place;

/// A list that grows beyond this is divided.
const CHUNK: usize = if cfg!(test) { 4 } else { 512 };

/// The rows of a partition in the order of their places, by number.
#[derive(Debug)]
pub(in crate::operator) enum List {
    /// Few.
    Flat(SmallVec<[u32; 4]>),
    /// Many, in chunks that are not empty.
    Chunks(Vec<Vec<u32>>),
}

impl Default for List {
    fn default() -> Self {
        List::Flat(smallvec![])
    }
}

impl List {
    /// Of rows in order.
    pub(in crate::operator) fn of(rows: Vec<u32>) -> Self {
        match rows.len() <= CHUNK {
            true => List::Flat(rows.into()),
            false => List::Chunks(rows.chunks(CHUNK).map(<[u32]>::to_vec).collect()),
        }
    }

    pub(in crate::operator) fn is_empty(&self) -> bool {
        match self {
            List::Flat(rows) => rows.is_empty(),
            List::Chunks(chunks) => chunks.is_empty(),
        }
    }

    pub(in crate::operator) fn len(&self) -> usize {
        match self {
            List::Flat(rows) => rows.len(),
            List::Chunks(chunks) => chunks.iter().map(Vec::len).sum(),
        }
    }

    /// The last row.
    pub(in crate::operator) fn last(&self) -> Option<u32> {
        match self {
            List::Flat(rows) => rows.last().copied(),
            List::Chunks(chunks) => chunks.last().and_then(|chunk| chunk.last()).copied(),
        }
    }

    /// The rows from the first on.
    pub(in crate::operator) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (flat, chunks): (&[u32], &[Vec<u32>]) = match self {
            List::Flat(rows) => (rows, &[]),
            List::Chunks(chunks) => (&[], chunks),
        };
        flat.iter().chain(chunks.iter().flatten()).copied()
    }

    /// How many rows at the beginning are so; behind the first that is not none is.
    pub(in crate::operator) fn count_while(&self, so: impl Fn(u32) -> bool) -> usize {
        match self {
            List::Flat(rows) => rows.partition_point(|row| so(*row)),
            List::Chunks(chunks) => {
                let at = chunks.partition_point(|chunk| chunk.last().is_some_and(|row| so(*row)));
                let whole: usize = chunks.iter().take(at).map(Vec::len).sum();
                let part = chunks.get(at);
                whole + part.map_or(0, |chunk| chunk.partition_point(|row| so(*row)))
            }
        }
    }

    /// Puts a row to its place, which no other row has.
    pub(in crate::operator) fn insert(&mut self, row: u32, places: &[Place]) {
        let place = &places[row as usize];
        let before = |other: &u32| places[*other as usize] < *place;
        match self {
            List::Flat(rows) => {
                rows.insert(rows.partition_point(before), row);
                if rows.len() > CHUNK {
                    *self = List::of(rows.to_vec());
                }
            }
            List::Chunks(chunks) => {
                let at = chunks.partition_point(|chunk| chunk.first().is_some_and(before));
                let Some(chunk) = chunks.get_mut(at.saturating_sub(1)) else {
                    chunks.push(vec![row]);
                    return;
                };
                chunk.insert(chunk.partition_point(before), row);
                if chunk.len() > 2 * CHUNK {
                    let half = chunk.split_off(CHUNK);
                    chunks.insert(at.max(1), half);
                }
            }
        }
    }

    /// Takes a row out; false if it is not there.
    pub(in crate::operator) fn remove(&mut self, row: u32, places: &[Place]) -> bool {
        let place = &places[row as usize];
        let before = |other: &u32| places[*other as usize] < *place;
        match self {
            List::Flat(rows) => {
                let at = rows.partition_point(before);
                let found = rows.get(at) == Some(&row);
                if found {
                    rows.remove(at);
                }
                found
            }
            List::Chunks(chunks) => {
                let at = chunks.partition_point(|chunk| chunk.last().is_some_and(before));
                let Some(chunk) = chunks.get_mut(at) else {
                    return false;
                };
                let inside = chunk.partition_point(before);
                let found = chunk.get(inside) == Some(&row);
                if found {
                    chunk.remove(inside);
                    if chunk.is_empty() {
                        chunks.remove(at);
                    }
                }
                found
            }
        }
    }

    /// Takes out all rows behind the first `count`.
    pub(in crate::operator) fn split_off(&mut self, count: usize) -> Vec<u32> {
        match self {
            List::Flat(rows) => match count < rows.len() {
                true => rows.drain(count..).collect(),
                false => Vec::new(),
            },
            List::Chunks(_) => {
                let mut rows: Vec<u32> = self.iter().collect();
                let rest = rows.split_off(count.min(rows.len()));
                *self = List::of(rows);
                rest
            }
        }
    }
}
