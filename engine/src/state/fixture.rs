//! State files in tests.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::blob::Blob;
use super::file::StateFileReader;
use super::merge::Entries;
use super::{
    BackendKind, Change, Delta, KeyedState, Memory, Order, Resources, Restored, RestoredFile,
    StateSetup, TableId, create, delta,
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

/// What state has: by table, key group and key.
pub(crate) type Model = BTreeMap<(u8, KeyGroup, Vec<u8>), Vec<u8>>;

/// Makes a change to the model.
pub(crate) fn change(model: &mut Model, (table, group, key, value): &Changed) {
    let full = (*table, *group, key.clone());
    match value {
        Some(value) => model.insert(full, value.clone()),
        None => model.remove(&full),
    };
}

/// Checks every way to read, tables 0 to 2 against the model and table 3 against what is derived.
pub(crate) fn check(state: &dyn KeyedState, groups: KeyGroupRange, model: &Model, derived: &Model) {
    for table in 0..4u8 {
        let source = if table == 3 { derived } else { model };
        let own = |group: Option<KeyGroup>| {
            let own = source
                .iter()
                .filter(move |((t, g, _), _)| *t == table && group.is_none_or(|group| group == *g));
            own.map(|((_, g, k), v)| (*g, k.clone(), v.clone()))
                .collect::<Vec<_>>()
        };
        let mut found = vec![];
        let scanned = state.scan(TableId(table), &mut |group, key, value| {
            found.push((group, key.to_vec(), value.to_vec()));
            Ok(())
        });
        scanned.unwrap();
        assert_eq!(found, own(None));
        for group in groups.start..groups.end {
            check_group_of(state, table, group, &own(Some(group)));
        }
    }
}

fn check_group_of(
    state: &dyn KeyedState,
    table: u8,
    group: KeyGroup,
    expected: &[(KeyGroup, Vec<u8>, Vec<u8>)],
) {
    for prefix in [vec![], vec![0], vec![1, 1], vec![2, 2, 2]] {
        let mut found = vec![];
        let scanned = state.scan_prefix(TableId(table), group, &prefix, &mut |key, value| {
            found.push((group, key.to_vec(), value.to_vec()));
            Ok(())
        });
        scanned.unwrap();
        let own = expected.iter().filter(|(_, k, _)| k.starts_with(&prefix));
        assert_eq!(found, own.cloned().collect::<Vec<_>>());
    }
    let keys: Vec<Vec<u8>> = (0..40u8)
        .map(|i| vec![i % 3, i / 3 % 3, i / 9 % 3][..usize::from(i % 4)].to_vec())
        .collect();
    let mut wanted = keys.iter().map(|k| (group, k.as_slice()));
    let mut found = vec![None; keys.len()];
    let got = state.get(TableId(table), &mut wanted, &mut |at, value| {
        found[at] = Some(value.to_vec());
        Ok(())
    });
    got.unwrap();
    for (key, found) in keys.iter().zip(found) {
        let own = expected.iter().find(|(_, k, _)| k == key);
        assert_eq!(found, own.map(|(.., v)| v.clone()));
    }
    for order in [Order::Ascending, Order::Descending] {
        let (from, to) = (vec![0, 1], vec![2, 1]);
        let mut found = vec![];
        let scanned = state.scan_range(TableId(table), group, &from..&to, order, &mut |k, v| {
            found.push((group, k.to_vec(), v.to_vec()));
            Ok(found.len() < 5)
        });
        scanned.unwrap();
        let own = expected
            .iter()
            .filter(|(_, k, _)| (&from..&to).contains(&k));
        let mut own: Vec<_> = own.cloned().collect();
        if order == Order::Descending {
            own.reverse();
        }
        own.truncate(5);
        assert_eq!(found, own);
    }
}
