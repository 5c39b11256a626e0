//! State files in tests.
#![allow(clippy::unwrap_used)]

use super::blob::Blob;
use super::file::StateFileReader;
use super::merge::Entries;
use super::{Delta, Restored, RestoredFile, TableId, delta};
use crate::key::{KeyGroup, KeyGroupRange};

pub(crate) const ALL: KeyGroupRange = KeyGroupRange {
    start: 0,
    end: KeyGroup::MAX,
};

/// An entry with its table and key group.
pub(crate) type Line = (u8, KeyGroup, Vec<u8>, Vec<u8>);

/// The state file of what has changed.
pub(crate) fn file_of(delta: Delta) -> Vec<u8> {
    let mut file = vec![];
    let written = delta::write(&[delta], &mut file).unwrap();
    assert_eq!(written.bytes as usize, file.len());
    file
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
