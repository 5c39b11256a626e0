//! Keys with their place in front: table (1 byte) ‖ key group (2 bytes, big endian) ‖ key, so that the
//! order of the bytes is the order of scans and state files.

use std::cmp::Ordering;

use super::{StatePlace, TableId};
use crate::error::{EngineError, Result};
use crate::key::{self, KeyGroup};

/// The bytes of the place.
pub(super) const PREFIX_LEN: usize = 3;

pub(super) fn prefix((table, group): StatePlace) -> [u8; PREFIX_LEN] {
    let [high, low] = group.to_be_bytes();
    [table.0, high, low]
}

/// Puts a full key in the place of what is in `buffer`.
pub(super) fn put(place: StatePlace, key: &[u8], buffer: &mut Vec<u8>) {
    buffer.clear();
    push(place, key, buffer);
}

/// Appends a full key.
pub(super) fn push(place: StatePlace, key: &[u8], buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(&prefix(place));
    buffer.extend_from_slice(key);
}

/// A full key.
pub(super) fn of(place: StatePlace, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(PREFIX_LEN + key.len());
    push(place, key, &mut full);
    full
}

/// Place and key.
pub(super) fn split(full: &[u8]) -> Result<(StatePlace, &[u8])> {
    match full {
        [table, high, low, key @ ..] => {
            let group = KeyGroup::from_be_bytes([*high, *low]);
            Ok(((TableId(*table), group), key))
        }
        _ => Err(EngineError::state(
            "a key of the state database is too short",
        )),
    }
}

/// How a full key begins, as a number in its order.
pub(super) fn head(place: StatePlace, key: &[u8]) -> u128 {
    key::head(&prefix(place), key)
}

/// How a key stands to some bytes that a full key can be compared with.
pub(super) fn compare(place: StatePlace, key: &[u8], other: &[u8]) -> Ordering {
    let prefix = prefix(place);
    match other.split_at_checked(PREFIX_LEN) {
        Some((place, rest)) => prefix.as_slice().cmp(place).then_with(|| key.cmp(rest)),
        None => prefix.iter().chain(key).cmp(other),
    }
}

/// What comes right behind a full key.
pub(super) fn behind(full: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(full.len() + 1);
    next.extend_from_slice(full);
    next.push(0);
    next
}

/// What comes behind all that begins with `prefix`; `None` if nothing does.
pub(super) fn behind_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

#[cfg(test)]
mod tests;
