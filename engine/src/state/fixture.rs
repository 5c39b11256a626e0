//! State files in tests.
#![allow(clippy::unwrap_used)]

use super::blob::Blob;
use super::file::StateFileReader;
use super::merge::Entries;
use super::{
    BackendKind, Change, Delta, KeyedState, Memory, Resources, Restored, RestoredFile, StateSetup,
    TableId, create, delta,
};
use crate::key::{KeyGroup, KeyGroupRange};

pub(crate) const ALL: KeyGroupRange = KeyGroupRange::EVERY;

/// An entry with its table and key group.
pub(crate) type Line = (u8, KeyGroup, Vec<u8>, Vec<u8>);

/// The state file of what has changed.
pub(crate) fn file_of(delta: Delta) -> Vec<u8> {
    let mut file = vec![];
    let written = delta::write(&[delta], &mut file).unwrap();
    assert_eq!(written.bytes as usize, file.len());
    file
}

/// A change of a table: its key group, key, and the new value.
pub(crate) type Changed = (u8, KeyGroup, Vec<u8>, Option<Vec<u8>>);

/// Applies a change.
pub(crate) fn apply(state: &mut dyn KeyedState, change: &Changed) {
    let (table, group, key, value) = change;
    let (group, value) = (*group, value.as_deref());
    let change = Change { group, key, value };
    let changes = &mut std::iter::once(change);
    state.apply(TableId(*table), changes).unwrap();
}

/// The state file of some changes.
pub(crate) fn file_with(changes: &[Changed]) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let state = create(StateSetup {
        kind: BackendKind::Memory,
        key_groups: ALL,
        scratch: scratch.path(),
        checkpointed: true,
        restored: Restored::default(),
        resources: &Resources::new(Memory::new(1 << 20)),
    });
    let mut state = state.unwrap();
    changes.iter().for_each(|c| apply(&mut *state, c));
    file_of(state.take_delta())
}

/// What state starts from, of files from old to new.
pub(crate) fn restored(files: &[Vec<u8>]) -> Restored {
    let file = |content: &Vec<u8>| RestoredFile {
        name: "a file".into(),
        key_groups: ALL,
        reader: StateFileReader::open(Blob::Memory(content.clone().into())).unwrap(),
    };
    Restored(files.iter().map(file).collect())
}

/// All entries that files, from old to new, add up to.
pub(crate) fn entries_of(files: &[Vec<u8>]) -> Vec<Line> {
    lines(&mut restored(files).entries(ALL, None))
}

/// The entries of one table.
pub(crate) fn table_of(files: &[Vec<u8>], table: u8) -> Vec<Line> {
    lines(&mut restored(files).entries(ALL, Some(TableId(table))))
}

fn lines(entries: &mut dyn Entries) -> Vec<Line> {
    let mut lines = vec![];
    while entries.advance().unwrap() {
        let entry = entries.entry();
        let (table, group) = entry.place;
        let value = entry.value.unwrap().to_vec();
        lines.push((table.0, group, entry.key.to_vec(), value));
    }
    lines
}
